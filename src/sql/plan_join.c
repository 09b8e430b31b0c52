/*
 * FROM as operators. A condition goes to the lowest place where its columns are known and where it
 * means the same: the WHERE clause not below the side of an outer join that may be filled with
 * NULLs, an ON clause of an outer join only to that side.
 */
#include <string.h>

#include "rpc/cluster.h"
#include "sql/plan.h"

/* A list of conditions; owner: the arena. */
struct conditions {
    struct expr **list;
    uint32_t n;
};

struct mask_walk {
    uint64_t mask;
};

static bool visit_mask(struct expr *e, void *ctx)
{
    struct mask_walk *w = ctx;

    if (e->kind == EXPR_COLUMN)
        w->mask |= UINT64_C(1) << e->u.column.source;
    return true;
}

uint64_t plan_sources_of(struct expr *e)
{
    struct mask_walk w = {0};

    expr_walk(e, visit_mask, &w);
    return w.mask;
}

static bool conditions_init(struct planner *p, struct conditions *c, uint32_t cap)
{
    c->n = 0;
    c->list = bind_alloc(p->bind, (cap + 1) * sizeof *c->list);
    return c->list != NULL;
}

/* ---- leaves ---- */

/* Which columns of a source are read above its scan: those only in conditions the cores check are
 * not. */
struct need_walk {
    uint16_t source;
    bool *needed; /* by column of the source */
};

static bool visit_needed(struct expr *e, void *ctx)
{
    struct need_walk *w = ctx;

    if (e->kind == EXPR_COLUMN && e->u.column.source == w->source)
        w->needed[e->u.column.column] = true;
    return true;
}

void plan_needed_by(struct expr *const *list, uint32_t n, uint16_t source, bool *needed)
{
    struct need_walk w = {.source = source, .needed = needed};

    for (uint32_t i = 0; i < n; i++)
        expr_walk(list[i], visit_needed, &w);
}

void plan_needed(struct bound_select *s, uint16_t source, bool *needed)
{
    struct need_walk w = {.source = source, .needed = needed};

    for (uint32_t k = 0; k < s->n_items; k++)
        expr_walk(s->items[k].expr, visit_needed, &w);
    plan_needed_by(s->groups, s->n_groups, source, needed);
    for (uint32_t k = 0; k < s->n_aggregates; k++)
        aggregate_walk(s->aggregates[k], visit_needed, &w);
    if (s->having)
        expr_walk(s->having, visit_needed, &w);
}

static void need_conditions(struct need_walk *w, struct expr *const *list, uint32_t n,
                            const struct plan_scan *scan)
{
    for (uint32_t i = 0; i < n; i++) {
        bool pushed = false;
        for (uint32_t k = 0; k < scan->n_pushed && !pushed; k++)
            pushed = scan->pushed[k] == list[i];
        if (!pushed)
            expr_walk(list[i], visit_needed, w);
    }
}

static void need_joins(struct need_walk *w, const struct join_tree *t, const struct plan_scan *scan)
{
    if (!t || !t->kind)
        return;
    need_conditions(w, t->on, t->n_on, scan);
    need_joins(w, t->left, scan);
    need_joins(w, t->right, scan);
}

static bool choose_columns(struct planner *p, struct bound_select *s, uint16_t i,
                           struct plan_scan *scan)
{
    struct source *src = &s->sources[i];
    struct need_walk w = {.source = i, .needed = bind_alloc(p->bind, src->n_columns + 1u)};

    scan->columns = bind_alloc(p->bind, (src->n_used + 1u) * sizeof(uint16_t));
    scan->cells = bind_alloc(p->bind, (src->n_used + 1u) * sizeof(uint16_t));
    if (!w.needed || !scan->columns || !scan->cells)
        return false;
    if (!s->items) /* UPDATE and DELETE look at whole rows */
        memset(w.needed, true, src->n_columns);
    plan_needed(s, i, w.needed);
    need_conditions(&w, s->where, s->n_where, scan);
    need_joins(&w, s->from, scan);
    for (uint16_t c = 0; c < src->n_used; c++) {
        if (!w.needed[src->used[c]])
            continue;
        scan->columns[scan->n_columns] = src->columns[src->used[c]].column;
        scan->cells[scan->n_columns++] = c;
    }
    return true;
}

static struct plan *plan_table(struct planner *p, struct bound_select *s, uint16_t i,
                               const struct conditions *conds)
{
    struct source *src = &s->sources[i];
    struct plan *n = plan_new(p, PLAN_SCAN, NULL, src->n_used);
    struct conditions rest;

    if (!n || !conditions_init(p, &rest, conds->n))
        return NULL;
    n->base = src->first_slot;
    n->u.scan.schema = src->schema;
    n->u.scan.source = src;
    n->u.scan.source_number = i;
    n->u.scan.output = OUTPUT_ROWS;
    n->u.scan.limit = UINT64_MAX;
    n->u.scan.pushed = bind_alloc(p->bind, (conds->n + 1) * sizeof(struct expr *));
    if (!n->u.scan.pushed)
        return NULL;
    for (uint32_t c = 0; c < conds->n; c++) {
        const struct predicate *ignored;
        if (plan_push_predicate(p->bind->arena, conds->list[c], src, true, &ignored))
            n->u.scan.pushed[n->u.scan.n_pushed++] = conds->list[c];
        else
            rest.list[rest.n++] = conds->list[c];
    }
    if (!choose_columns(p, s, i, &n->u.scan))
        return NULL;
    return plan_filter(p, n, rest.list, rest.n);
}

/* A derived table: its plan, cut to the columns used. */
static struct plan *plan_derived(struct planner *p, struct bound_select *s, uint16_t i,
                                 const struct conditions *conds)
{
    struct source *src = &s->sources[i];
    struct plan *inner = plan_query(p, src->query);
    struct plan *n = inner ? plan_new(p, PLAN_PROJECT, inner, src->n_used) : NULL;

    if (!n || !(n->u.list.exprs = bind_alloc(p->bind, (src->n_used + 1u) * sizeof(struct expr *))))
        return NULL;
    n->u.list.n = src->n_used;
    n->base = src->first_slot;
    for (uint16_t c = 0; c < src->n_used; c++) {
        n->u.list.exprs[c] =
            expr_new_slot(p->bind->arena, src->used[c], &src->columns[src->used[c]].type);
        if (!n->u.list.exprs[c])
            return bind_alloc(p->bind, SIZE_MAX / 2);
    }
    return plan_filter(p, n, conds->list, conds->n);
}

static struct plan *plan_virtual(struct planner *p, struct bound_select *s, uint16_t i,
                                 const struct conditions *conds)
{
    struct source *src = &s->sources[i];
    struct plan *n = plan_new(p, PLAN_VIRTUAL, NULL, src->n_used);

    if (!n)
        return NULL;
    n->base = src->first_slot;
    n->u.virtual_.table = src->table;
    n->u.virtual_.columns = src->used;
    return plan_filter(p, n, conds->list, conds->n);
}

static struct plan *plan_work(struct planner *p, struct bound_select *s, uint16_t i,
                              const struct conditions *conds)
{
    struct source *src = &s->sources[i];
    struct plan *n = plan_new(p, PLAN_WORK, NULL, src->n_used);

    if (!n)
        return NULL;
    n->base = src->first_slot;
    n->u.work.recursion = src->recursion;
    n->u.work.columns = src->used;
    return plan_filter(p, n, conds->list, conds->n);
}

static struct plan *plan_leaf(struct planner *p, struct bound_select *s, uint16_t i,
                              const struct conditions *conds)
{
    switch (s->sources[i].kind) {
    case SOURCE_WORK:
        return plan_work(p, s, i, conds);
    case SOURCE_TABLE:
        return plan_table(p, s, i, conds);
    case SOURCE_QUERY:
        return plan_derived(p, s, i, conds);
    default:
        return plan_virtual(p, s, i, conds);
    }
}

/* ---- joins ---- */

/* l = r with one side of each table: a key of the hash join. Multi-valued columns match any value,
 * so no key. */
static bool as_key(struct expr *e, uint64_t left, uint64_t right, struct plan_key *key)
{
    if (e->kind != EXPR_COMPARE || e->op != SQL_OP_EQ || e->args[0]->delim || e->args[1]->delim ||
        e->volatile_ || e->class == COMPARE_TIME)
        return false;
    uint64_t a = plan_sources_of(e->args[0]), b = plan_sources_of(e->args[1]);
    if (!a || !b)
        return false;
    if (!(a & ~left) && !(b & ~right))
        *key = (struct plan_key){e->args[0], e->args[1], e->class};
    else if (!(b & ~left) && !(a & ~right))
        *key = (struct plan_key){e->args[1], e->args[0], e->class};
    else
        return false;
    return true;
}

/* Rows that a plan may give, roughly, and those of its largest table: for the choice of the side to build. */
struct guess {
    double rows, of;
};

/* The part of the rows that a condition leaves, say. */
static double share_left(const struct expr *e)
{
    bool is_narrow = e->kind == EXPR_LIKE || e->kind == EXPR_IN ||
                     (e->kind == EXPR_COMPARE && e->op == SQL_OP_EQ);

    return is_narrow && !e->negated ? 1.0 / 16 : 1.0 / 4;
}

static struct guess guess_rows(struct planner *p, const struct plan *n);

static struct guess guess_scan(struct planner *p, const struct plan *n)
{
    struct cluster_table_stats stats;
    struct guess g = {1000, 1000};

    if (p->cluster && cluster_schema_stats(p->cluster, n->u.scan.schema, &stats))
        g.rows = g.of = (double)stats.rows;
    for (uint32_t i = 0; i < n->u.scan.n_pushed; i++)
        g.rows *= share_left(n->u.scan.pushed[i]);
    if (g.rows > (double)n->u.scan.limit)
        g.rows = (double)n->u.scan.limit;
    return g;
}

/* A child finds one parent: of as many as the smaller table has. */
static struct guess guess_join(struct planner *p, const struct plan *n)
{
    struct guess l = guess_rows(p, n->child), r = guess_rows(p, n->right);
    double least = l.of < r.of ? l.of : r.of;
    struct guess g = {l.rows * r.rows, l.of > r.of ? l.of : r.of};

    if (n->u.join.n_keys)
        g.rows /= least > 1 ? least : 1;
    if (n->u.join.form == JOIN_LEFT && g.rows < l.rows)
        g.rows = l.rows;
    if (n->u.join.form == JOIN_RIGHT && g.rows < r.rows)
        g.rows = r.rows;
    return g;
}

static struct guess guess_rows(struct planner *p, const struct plan *n)
{
    struct guess g = {1, 1};

    switch (n->kind) {
    case PLAN_SCAN:
        return guess_scan(p, n);
    case PLAN_FILTER:
        g = guess_rows(p, n->child);
        g.rows /= 2;
        return g;
    case PLAN_JOIN:
        return guess_join(p, n);
    case PLAN_VIRTUAL:
        return (struct guess){100, 100};
    default:
        return n->child ? guess_rows(p, n->child) : g;
    }
}

static struct plan *plan_tree(struct planner *p, struct bound_select *s, const struct join_tree *t,
                              const struct conditions *conds);

/* Where each condition of the ON and WHERE clauses goes. */
struct split {
    struct conditions left, right, on, above;
};

static bool split_conditions(struct planner *p, const struct join_tree *t,
                             const struct conditions *where, struct split *x)
{
    uint64_t l = plan_sources_below(t->left), r = plan_sources_below(t->right);
    bool outer = t->kind == SQL_JOIN_LEFT || t->kind == SQL_JOIN_RIGHT;
    uint64_t kept = t->kind == SQL_JOIN_RIGHT ? r : l, filled = t->kind == SQL_JOIN_RIGHT ? l : r;
    uint32_t cap = where->n + t->n_on;

    if (!conditions_init(p, &x->left, cap) || !conditions_init(p, &x->right, cap) ||
        !conditions_init(p, &x->on, cap) || !conditions_init(p, &x->above, cap))
        return false;
    struct conditions *to_kept = t->kind == SQL_JOIN_RIGHT ? &x->right : &x->left;
    struct conditions *to_filled = t->kind == SQL_JOIN_RIGHT ? &x->left : &x->right;
    for (uint32_t i = 0; i < where->n; i++) {
        uint64_t m = plan_sources_of(where->list[i]);
        struct conditions *c = &x->above;
        if (!(m & ~kept))
            c = to_kept;
        else if (!outer && !(m & ~filled))
            c = to_filled;
        else if (!outer && !plan_runs_per_row(where->list[i]) &&
                 !plan_waits_for_keys(p, where->list[i]))
            c = &x->on;
        c->list[c->n++] = where->list[i];
    }
    for (uint32_t i = 0; i < t->n_on; i++) {
        uint64_t m = plan_sources_of(t->on[i]);
        struct conditions *c = &x->on;
        if (!(m & ~filled))
            c = to_filled;
        else if (!outer && !(m & ~kept))
            c = to_kept;
        else if (plan_runs_per_row(t->on[i])) {
            if (outer)
                return bind_fail(p->bind, MYSQL_ER_NOT_SUPPORTED_YET,
                                 "this correlated subquery in the condition of an outer join");
            c = &x->above;
        }
        c->list[c->n++] = t->on[i];
    }
    return true;
}

static struct plan *plan_join(struct planner *p, struct bound_select *s, const struct join_tree *t,
                              const struct conditions *where)
{
    struct split x;
    uint64_t l = plan_sources_below(t->left), r = plan_sources_below(t->right);

    if (!split_conditions(p, t, where, &x))
        return NULL;
    struct plan *left = plan_tree(p, s, t->left, &x.left),
                *right = left ? plan_tree(p, s, t->right, &x.right) : NULL;
    struct plan *n = right ? plan_new(p, PLAN_JOIN, left, left->width + right->width) : NULL;
    if (!n)
        return NULL;
    n->right = right;
    n->base = left->base;
    n->u.join.form = t->kind == SQL_JOIN_LEFT    ? JOIN_LEFT
                     : t->kind == SQL_JOIN_RIGHT ? JOIN_RIGHT
                                                 : JOIN_INNER;
    n->u.join.keys = bind_alloc(p->bind, (x.on.n + 1) * sizeof *n->u.join.keys);
    n->u.join.residual = bind_alloc(p->bind, (x.on.n + 1) * sizeof(struct expr *));
    if (!n->u.join.keys || !n->u.join.residual)
        return NULL;
    for (uint32_t i = 0; i < x.on.n; i++) {
        if (as_key(x.on.list[i], l, r, &n->u.join.keys[n->u.join.n_keys]))
            n->u.join.n_keys++;
        else
            n->u.join.residual[n->u.join.n_residual++] = x.on.list[i];
    }
    /* The side that is kept whole is the one that probes. */
    n->u.join.build_left =
        n->u.join.form == JOIN_RIGHT ||
        (n->u.join.form == JOIN_INNER && guess_rows(p, left).rows < guess_rows(p, right).rows);
    plan_reduce_join(p, s, n);
    return plan_filter(p, n, x.above.list, x.above.n);
}

static struct plan *plan_tree(struct planner *p, struct bound_select *s, const struct join_tree *t,
                              const struct conditions *conds)
{
    if (!t->kind)
        return plan_leaf(p, s, t->first_source, conds);
    return plan_join(p, s, t, conds);
}

struct plan *plan_from(struct planner *p, struct bound_select *s)
{
    struct conditions where = {.list = s->where, .n = s->n_where};
    bool fits = false;
    struct plan *star =
        s->n_sources > 1 && s->items && !p->gateway_alone ? plan_star(p, s, &fits) : NULL;

    if (fits)
        return star;
    if (!plan_order_joins(p, s))
        return NULL;
    return plan_tree(p, s, s->from, &where);
}
