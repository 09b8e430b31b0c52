/*
 * Percentiles of one column over all rows: the cores count its values (storage/value_counts.h) instead of sending them,
 * and the gateway finds the value at a rank among the counts.
 */
#include "sql/plan.h"

static bool is_percentile(const struct aggregate_call *c)
{
    return (c->op == AGG_PERCENTILE_CONT || c->op == AGG_PERCENTILE_DISC) && !c->distinct;
}

/* The column that all of them are of, as integers: NULL when there is none. */
static const struct column *column_of_all(const struct plan_scan *scan,
                                          const struct bound_select *s, uint16_t *position)
{
    for (uint32_t i = 0; i < s->n_aggregates; i++) {
        const struct aggregate_call *c = s->aggregates[i];
        if (!is_percentile(c) || !expr_is_row_free(c->args[0]) || c->args[0]->volatile_ ||
            !expr_is_equal(c->args[1], s->aggregates[0]->args[1]))
            return NULL;
    }
    return s->n_aggregates ? plan_plain_column(scan, s->aggregates[0]->args[1], position) : NULL;
}

bool plan_push_percentiles(struct planner *p, const struct bound_select *s, struct plan **from)
{
    struct plan *n = *from;
    uint16_t position;

    if (s->n_groups || !plan_is_plain_scan(n))
        return false;
    const struct column *c = column_of_all(&n->u.scan, s, &position);
    if (!c || c->layout == LAYOUT_LIST || c->type == COLUMN_STRING || c->type == COLUMN_BOOL)
        return false;
    struct plan *top = plan_new(p, PLAN_PERCENTILE, n, s->n_aggregates);
    uint16_t *columns = bind_alloc(p->bind, sizeof *columns);
    if (!top || !columns)
        return false;
    *columns = position;
    n->u.scan.columns = columns;
    n->u.scan.n_columns = 1;
    n->u.scan.cells = NULL;
    n->u.scan.counted = true;
    n->width = 2;
    n->base = 0;
    top->u.aggregate.aggregates = s->aggregates;
    top->u.aggregate.n_aggregates = s->n_aggregates;
    *from = top;
    return true;
}
