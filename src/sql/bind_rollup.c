/*
 * GROUP BY … WITH ROLLUP. Behind the groups stands one more: the level, how many of them a row is grouped by. The rows
 * of all levels are made by exec_rollup.c; GROUPING(x) compares the position of x with the level.
 */
#include <string.h>

#include "sql/bind.h"

enum { MAX_GROUPS = 62 }; /* bits of GROUPING; the levels of a row fit into a batch */

static const struct value_type level_type = {.kind = DATUM_INT, .precision = 10, .not_null = true};
static const struct function grouping = {.name = "grouping"};

/* One bit for each argument but the last, the first one highest: is it NULL for being left out? */
static void eval_grouping(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum level;
    int64_t bits = 0;

    expr_eval(e->args[e->n_args - 1], x, &level);
    for (uint32_t i = 0; i + 1 < e->n_args; i++)
        bits =
            bits << 1 | (e->args[i]->kind == EXPR_SLOT && level.i <= (int64_t)e->args[i]->u.slot);
    datum_set_int(out, bits);
}

/* The level, until grouping has given it its slot. */
static struct expr *level_mark(struct bind *b)
{
    struct expr *e = expr_new_slot(b->arena, UINT32_MAX, &level_type);

    return e ? e : bind_alloc(b, SIZE_MAX / 2);
}

/* GROUPING with room for n arguments and the level behind them. */
static struct expr *new_grouping(struct bind *b, uint32_t n, struct expr *level)
{
    struct expr *e = level ? expr_new(b->arena, EXPR_CALL, n + 1) : NULL;

    if (!e)
        return bind_alloc(b, SIZE_MAX / 2);
    e->u.function = &grouping;
    e->eval = eval_grouping;
    e->type = value_type_int(10);
    e->type.not_null = true;
    e->args[n] = level;
    return e;
}

struct expr *bind_grouping(struct bind *b, const struct sql_call *c)
{
    const struct bind_scope *s = b->scope;

    if (!s || !s->ast || !s->ast->has_rollup || !s->allows_aggregates || s->in_aggregate) {
        bind_fail(b, MYSQL_ER_INVALID_GROUP_FUNC_USE);
        return NULL;
    }
    if (c->arg_count < 1 || c->arg_count > MAX_GROUPS) {
        bind_fail(b, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, "GROUPING");
        return NULL;
    }
    struct expr *e = new_grouping(b, c->arg_count, level_mark(b));
    for (uint32_t i = 0; e && i < c->arg_count; i++)
        if (!(e->args[i] = bind_expr(b, c->args[i])))
            return NULL;
    return e;
}

bool bind_rollup(struct bind *b, struct bound_select *s)
{
    struct expr **groups = bind_alloc(b, (s->n_groups + 1) * sizeof *groups);

    if (s->n_groups > MAX_GROUPS)
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "WITH ROLLUP of more than 62 groups");
    if (!groups || !(groups[s->n_groups] = level_mark(b)))
        return false;
    memcpy(groups, s->groups, s->n_groups * sizeof *groups);
    s->groups = groups;
    s->n_groups++;
    return true;
}

/* Each sum behind the groups it is of. */
bool bind_rollup_order(struct bind *b, struct bound_select *s)
{
    uint32_t n = s->n_groups - 1;

    if (s->n_order || s->distinct)
        return true;
    if (!(s->order = bind_alloc(b, 2 * n * sizeof *s->order)))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct expr *value = expr_new_slot(b->arena, i, &s->groups[i]->type);
        struct expr *is_sum = new_grouping(b, 1, expr_new_slot(b->arena, n, &level_type));
        if (!value || !is_sum)
            return bind_alloc(b, SIZE_MAX / 2) != NULL;
        is_sum->args[0] = value;
        s->order[s->n_order++].item = s->n_items;
        s->order[s->n_order++].item = s->n_items + 1;
        if (!bind_add_item(b, s, is_sum, NULL) || !bind_add_item(b, s, value, NULL))
            return false;
    }
    return true;
}
