#include "sql/window.h"

#include <errno.h>
#include <strings.h>

static const char *const names[] = {
    [WINDOW_ROW_NUMBER] = "row_number",
    [WINDOW_RANK] = "rank",
    [WINDOW_DENSE_RANK] = "dense_rank",
    [WINDOW_PERCENT_RANK] = "percent_rank",
    [WINDOW_CUME_DIST] = "cume_dist",
    [WINDOW_NTILE] = "ntile",
    [WINDOW_LAG] = "lag",
    [WINDOW_LEAD] = "lead",
    [WINDOW_FIRST_VALUE] = "first_value",
    [WINDOW_LAST_VALUE] = "last_value",
    [WINDOW_NTH_VALUE] = "nth_value",
};

int window_find(const char *name, enum window_op *op)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], name) == 0) {
            *op = (enum window_op)i;
            return 0;
        }
    return -ENOENT;
}

const char *window_name(const struct window_call *w)
{
    return w->op == WINDOW_AGGREGATE ? aggregate_name(w->aggregate->op) : names[w->op];
}

static bool is_same_bound(const struct window_bound *a, const struct window_bound *b)
{
    return a->kind == b->kind && a->rows == b->rows && a->key == b->key;
}

bool window_is_equal(const struct window_call *a, const struct window_call *b)
{
    if (a == b)
        return true;
    if (a->op != b->op || a->is_range != b->is_range || !is_same_bound(&a->from, &b->from) ||
        !is_same_bound(&a->to, &b->to) || a->n_values != b->n_values ||
        a->n_partition != b->n_partition || a->n_order != b->n_order || a->offset != b->offset)
        return false;
    for (uint32_t i = 0; i < a->n_order; i++)
        if (a->descending[i] != b->descending[i])
            return false;
    return a->op != WINDOW_AGGREGATE || a->aggregate->op == b->aggregate->op;
}

bool window_has_same_order(const struct expr *a, const struct expr *b)
{
    const struct window_call *v = a->u.window, *w = b->u.window;

    if (v->n_partition != w->n_partition || v->n_order != w->n_order)
        return false;
    for (uint32_t i = 0; i < v->n_partition + v->n_order; i++)
        if (!expr_is_equal(a->args[v->n_values + i], b->args[w->n_values + i]))
            return false;
    for (uint32_t i = 0; i < v->n_order; i++)
        if (v->descending[i] != w->descending[i])
            return false;
    return true;
}
