/*
 * HAVING at the merge of groups: comparisons of one aggregate with a value that is known when the scan opens become
 * ranges of its canonical integers, as conditions of columns do (plan_push.c), so that groups of no interest are never
 * handed to the gateway. Ranges may hold more than the condition, which is asked here once more.
 */
#include "sql/plan.h"

/* The aggregate of the program that the expression is, when its values are integers in some unit. */
static bool is_aggregate(const struct plan_scan *s, const struct expr *e, uint16_t *aggregate,
                         struct column *c)
{
    if (e->kind != EXPR_SLOT || e->u.slot < s->n_columns ||
        e->u.slot >= (uint32_t)s->n_columns + s->n_aggregates)
        return false;
    *aggregate = (uint16_t)(e->u.slot - s->n_columns);
    *c = (struct column){.type = COLUMN_INT};
    const struct aggregate *a = &s->aggregates[*aggregate];
    if (a->kind == AGGREGATE_COUNT_ROWS || a->kind == AGGREGATE_COUNT)
        return true;
    const struct column *of = plan_scan_column(s, a->column);
    if (of->type == COLUMN_DECIMAL)
        *c = (struct column){.type = COLUMN_DECIMAL, .scale = of->scale};
    return of->type == COLUMN_DECIMAL || of->type == COLUMN_INT;
}

/* A comparison of an aggregate with a value, in this order. False: it is none. */
static bool find_sides(const struct plan_scan *s, const struct expr *e, const struct expr **value,
                       uint8_t *op, uint16_t *aggregate, struct column *c)
{
    if (e->kind != EXPR_COMPARE || e->op == SQL_OP_NE || e->op == SQL_OP_NULL_EQ ||
        e->class == COMPARE_STRING || e->volatile_)
        return false;
    *op = e->op;
    *value = e->args[1];
    if (is_aggregate(s, e->args[0], aggregate, c))
        return true;
    *op = plan_mirrored(e->op);
    *value = e->args[0];
    return is_aggregate(s, e->args[1], aggregate, c);
}

static bool can_push(const struct plan_scan *s, const struct expr *e)
{
    const struct expr *value;
    bool placeholder;
    uint16_t aggregate;
    struct column c;
    struct datum d;
    uint8_t op;

    return find_sides(s, e, &value, &op, &aggregate, &c) &&
           plan_known_value(value, true, &d, &placeholder);
}

bool plan_push_having(struct planner *p, const struct bound_select *s, struct plan_scan *scan)
{
    struct expr *having = s->having;
    bool many = having && having->kind == EXPR_AND;
    uint32_t n = !s->n_groups ? 0 : many ? having->n_args : having != NULL;

    scan->having = bind_alloc(p->bind, (n + 1) * sizeof *scan->having);
    for (uint32_t i = 0; scan->having && i < n; i++) {
        struct expr *e = many ? having->args[i] : having;
        if (can_push(scan, e))
            scan->having[scan->n_having++] = e;
    }
    return scan->having != NULL;
}

bool plan_scan_having(struct arena *a, const struct plan_scan *s, const struct program_having **out,
                      uint16_t *n)
{
    struct program_having *list = arena_alloc(a, (s->n_having + 1) * sizeof *list);

    *n = 0;
    *out = list;
    for (uint32_t i = 0; list && i < s->n_having && *n < UINT16_MAX; i++) {
        struct program_having *h = &list[*n];
        const struct expr *value;
        bool placeholder;
        struct column c;
        struct datum d;
        uint8_t op;
        if (!find_sides(s, s->having[i], &value, &op, &h->aggregate, &c) ||
            !plan_known_value(value, false, &d, &placeholder) || d.kind == DATUM_NULL)
            continue;
        plan_compare_range(&c, op, s->having[i]->class, &d, &h->lo, &h->hi);
        ++*n;
    }
    return list != NULL;
}
