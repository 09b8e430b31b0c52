/*
 * Window functions of a SELECT: calls with the same PARTITION BY and ORDER BY share a sort and an operator.
 * Every step leaves the cells before where they are and adds some behind.
 */
#include <string.h>

#include "sql/plan.h"
#include "sql/window.h"

struct window_list {
    struct planner *p;
    struct expr **calls; /* different ones */
    uint32_t n, cap;
    bool failed;
};

static bool visit_window(struct expr *e, void *ctx)
{
    struct window_list *l = ctx;

    if (e->kind != EXPR_WINDOW || l->failed)
        return true;
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 8;
        struct expr **calls = bind_alloc(l->p->bind, cap * sizeof(*calls));
        if (!calls) {
            l->failed = true;
            return false;
        }
        if (l->n)
            memcpy(calls, l->calls, l->n * sizeof(*calls));
        l->calls = calls;
        l->cap = cap;
    }
    l->calls[l->n++] = e;
    return true;
}

/* The cell of an argument: one of the rows below, or one that the projection adds. */
static bool place_argument(struct planner *p, struct plan *project, struct expr *e, uint32_t *cell)
{
    uint32_t base = project->base;

    if (e->kind == EXPR_COLUMN || e->kind == EXPR_SLOT) {
        *cell = (e->kind == EXPR_COLUMN ? e->u.column.slot : e->u.slot) - base;
        return true;
    }
    for (uint32_t i = 0; i < project->u.list.n; i++)
        if (expr_is_equal(project->u.list.exprs[i], e)) {
            *cell = i;
            return true;
        }
    struct expr **exprs = bind_alloc(p->bind, (project->u.list.n + 1) * sizeof(*exprs));
    if (!exprs)
        return false;
    memcpy(exprs, project->u.list.exprs, project->u.list.n * sizeof(*exprs));
    exprs[project->u.list.n] = e;
    *cell = project->u.list.n++;
    project->u.list.exprs = exprs;
    project->width = project->u.list.n;
    return true;
}

/* A projection of the rows below as they are; place_argument adds to it. */
static struct plan *copy_rows(struct planner *p, struct plan *child)
{
    struct plan *n = plan_new(p, PLAN_PROJECT, child, child->width);
    struct value_type any = {0};

    if (!n ||
        !(n->u.list.exprs = bind_alloc(p->bind, (child->width + 1) * sizeof(*n->u.list.exprs))))
        return NULL;
    n->base = child->base;
    n->u.list.n = child->width;
    for (uint32_t i = 0; i < child->width; i++)
        if (!(n->u.list.exprs[i] = expr_new_slot(p->bind->arena, child->base + i, &any)))
            return NULL;
    return n;
}

static struct plan *sort_rows(struct planner *p, struct plan *child, const struct expr *call,
                              const uint32_t *cells)
{
    const struct window_call *c = call->u.window;
    uint32_t n = c->n_partition + c->n_order;

    if (!n)
        return child;
    struct plan *s = plan_new(p, PLAN_SORT, child, child->width);
    if (!s || !(s->u.sort.keys = bind_alloc(p->bind, n * sizeof(*s->u.sort.keys))))
        return NULL;
    s->base = child->base;
    s->u.sort.n_keys = n;
    s->u.sort.limit = UINT64_MAX;
    for (uint32_t i = 0; i < n; i++)
        s->u.sort.keys[i] = (struct plan_order){.cell = cells[c->n_values + i],
                                                .descending = i >= c->n_partition &&
                                                              c->descending[i - c->n_partition]};
    return s;
}

/* The operator for the calls; their slots are set. */
static struct plan *plan_calls(struct planner *p, struct plan *child, struct expr **calls,
                               uint32_t n)
{
    uint32_t **cells = bind_alloc(p->bind, n * sizeof(*cells));
    struct plan *project = copy_rows(p, child);

    if (!cells || !project)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (!(cells[i] = bind_alloc(p->bind, (calls[i]->n_args + 1) * sizeof(*cells[i]))))
            return NULL;
        for (uint32_t k = 0; k < calls[i]->n_args; k++)
            if (!place_argument(p, project, calls[i]->args[k], &cells[i][k]))
                return NULL;
    }
    if (project->u.list.n > child->width)
        child = project;
    child = sort_rows(p, child, calls[0], cells[0]);
    struct plan *w = child ? plan_new(p, PLAN_WINDOW, child, child->width + n) : NULL;
    if (!w)
        return NULL;
    w->base = child->base;
    w->u.window.calls = calls;
    w->u.window.cells = cells;
    w->u.window.n_calls = n;
    for (uint32_t i = 0; i < n; i++)
        calls[i]->u.window->slot = w->base + child->width + i;
    return w;
}

/* For each call an equal one before it, whose value it shares, or NULL. */
static void find_equal(const struct window_list *l, struct expr **same)
{
    for (uint32_t i = 0; i < l->n; i++) {
        same[i] = NULL;
        for (uint32_t k = 0; k < i && !same[i]; k++)
            if (!same[k] && expr_is_equal(l->calls[k], l->calls[i]))
                same[i] = l->calls[k];
    }
}

struct plan *plan_windows(struct planner *p, const struct bound_select *s, struct plan *n)
{
    struct window_list l = {.p = p};

    for (uint32_t i = 0; i < s->n_items; i++)
        expr_walk(s->items[i].expr, visit_window, &l);
    struct expr **same = bind_alloc(p->bind, (l.n + 1) * sizeof(*same));
    bool *done = bind_alloc(p->bind, (l.n + 1) * sizeof(*done));
    if (l.failed || !same || !done)
        return NULL;
    find_equal(&l, same);
    for (uint32_t i = 0; i < l.n && n; i++) {
        uint32_t k = 0;
        if (same[i] || done[i])
            continue;
        struct expr **calls = bind_alloc(p->bind, l.n * sizeof(*calls));
        if (!calls)
            return NULL;
        for (uint32_t j = i; j < l.n; j++)
            if (!same[j] && !done[j] && window_has_same_order(l.calls[i], l.calls[j])) {
                calls[k++] = l.calls[j];
                done[j] = true;
            }
        n = plan_calls(p, n, calls, k);
    }
    for (uint32_t i = 0; i < l.n; i++)
        if (same[i])
            l.calls[i]->u.window->slot = same[i]->u.window->slot;
    return n;
}
