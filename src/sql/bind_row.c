/* (a, b) IN (SELECT c, d ...). */
#include "sql/bind.h"
#include "sql/plan_subquery.h"

static bool is_plain(struct bind *b, char delim)
{
    return !delim || bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET,
                               "rows with a multi-valued column in a subquery");
}

struct expr *bind_row_in_query(struct bind *b, const struct sql_compare *c, bool negated)
{
    uint32_t n = c->left->count;
    struct expr **left = bind_alloc(b, n * sizeof *left);
    enum compare_class *classes = bind_alloc(b, n * sizeof *classes);
    struct subquery *s;

    if (!left || !classes)
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        if (!(left[i] = bind_expr(b, c->left->v.args[i])) ||
            !is_plain(b, left[i]->kind == EXPR_COLUMN ? left[i]->delim : 0))
            return NULL;
    if (!bind_subquery(b, c->query, SUBQUERY_IN_ROWS, &s))
        return NULL;
    if (s->query->n_columns != n) {
        bind_fail(b, MYSQL_ER_OPERAND_COLUMNS, (int)n);
        return NULL;
    }
    struct expr *e = bind_subquery_node(b, EXPR_IN_ROWS, s, n);
    if (!e)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        const struct bound_column *column = &s->query->columns[i];
        if (!is_plain(b, column->delim))
            return NULL;
        e->args[i] = left[i];
        classes[i] = compare_class_of(&e->args[i]->type, &column->type);
        if (classes[i] == COMPARE_INT)
            classes[i] = COMPARE_DECIMAL;
        e->volatile_ |= e->args[i]->volatile_;
    }
    row_set_init(&s->row_set, n, classes, b->arena);
    e->negated = negated;
    expr_prepare(e, b->arena);
    return e;
}
