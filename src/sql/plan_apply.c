/* Where subqueries are run for each row outside. */
#include "sql/plan.h"
#include "sql/plan_subquery.h"

/* Nodes over such subqueries, the outermost first. Owner: the arena. */
struct node_walk {
    struct expr **list; /* NULL: they are only counted */
    uint32_t n;
};

static bool visit_node(struct expr *e, void *ctx)
{
    struct node_walk *w = ctx;

    if (e->kind < EXPR_SUBQUERY || e->kind > EXPR_EXISTS || e->u.subquery->mode != SUBQUERY_PER_ROW)
        return true;
    if (w->list)
        w->list[w->n] = e;
    w->n++;
    return true;
}

bool plan_runs_per_row(struct expr *e)
{
    struct node_walk w = {0};

    expr_walk(e, visit_node, &w);
    return w.n > 0;
}

static void walk_all(struct node_walk *w, struct expr *const *exprs, uint32_t n,
                     struct aggregate_call *const *aggregates, uint32_t n_aggregates)
{
    for (uint32_t i = 0; i < n; i++)
        expr_walk(exprs[i], visit_node, w);
    for (uint32_t i = 0; i < n_aggregates; i++)
        aggregate_walk(aggregates[i], visit_node, w);
}

struct plan *plan_apply(struct planner *p, struct plan *child, struct expr *const *exprs,
                        uint32_t n, struct aggregate_call *const *aggregates, uint32_t n_aggregates)
{
    struct node_walk w = {0};

    if (!child)
        return NULL;
    walk_all(&w, exprs, n, aggregates, n_aggregates);
    if (!w.n)
        return child;
    struct plan *a = plan_new(p, PLAN_APPLY, child, child->width);
    if (!a || !(w.list = bind_alloc(p->bind, w.n * sizeof(struct expr *))))
        return NULL;
    a->base = child->base;
    a->types = child->types;
    a->u.list.n = w.n;
    w.n = 0;
    walk_all(&w, exprs, n, aggregates, n_aggregates);
    /* Arguments of others first. */
    for (uint32_t i = 0; i < w.n / 2; i++) {
        struct expr *e = w.list[i];
        w.list[i] = w.list[w.n - 1 - i];
        w.list[w.n - 1 - i] = e;
    }
    a->u.list.exprs = w.list;
    return a;
}
