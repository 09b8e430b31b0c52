/*
 * Semi-join reduction: which scans need only rows whose column has one of the values that an operator knows before the
 * scan begins. The cores drop the others while they scan (storage/join_sieve.h).
 *
 * A hash join knows the keys of the side it collects, and the other side is read after that. A subquery that is run
 * once for all rows outside (SUBQUERY_KEYED) need not look at keys that no row outside has: PLAN_KEYED waits for these
 * rows, and runs it then.
 */
#include "rpc/cluster.h"
#include "sql/plan.h"
#include "sql/plan_subquery.h"

enum { WORTH_ROWS = 16 }; /* of a table; smaller ones are read as fast whole */

/* Integers, as keys are compared: other types are left alone. */
static bool is_integer_column(const struct source *src, const struct expr *e)
{
    if (e->kind != EXPR_COLUMN || src->kind != SOURCE_TABLE)
        return false;
    const struct column *c = &src->schema->columns[src->columns[e->u.column.column].column];
    return c->type == COLUMN_INT && c->layout == LAYOUT_ORDERED;
}

static bool is_integer_key(const struct source *src, const struct expr *inside,
                           const struct expr *other, enum compare_class class)
{
    return is_integer_column(src, inside) && other->type.kind == DATUM_INT &&
           (class == COMPARE_INT || class == COMPARE_DECIMAL);
}

static uint64_t table_rows(const struct planner *p, const struct source *src)
{
    struct cluster_table_stats stats;

    return p->cluster && cluster_schema_stats(p->cluster, src->schema, &stats) ? stats.rows : 0;
}

/* The scan of the source below a node, where it may lose rows: NULL above limits and windows, which count them. */
static const struct plan_scan *find_scan(const struct plan *n, const struct source *src)
{
    const struct plan_scan *found = NULL;

    if (!n)
        return NULL;
    switch (n->kind) {
    case PLAN_SCAN:
        if (n->u.scan.limit != UINT64_MAX || n->u.scan.counted)
            return NULL;
        if (n->u.scan.source == src)
            return &n->u.scan;
        for (uint32_t i = 0; i < n->n_children && !found; i++)
            found = find_scan(n->children[i], src);
        return found;
    case PLAN_JOIN:
        found = find_scan(n->child, src);
        return found ? found : find_scan(n->right, src);
    case PLAN_SORT:
        return n->u.sort.limit == UINT64_MAX ? find_scan(n->child, src) : NULL;
    case PLAN_FILTER:
    case PLAN_PROJECT:
    case PLAN_AGGREGATE:
    case PLAN_DISTINCT:
    case PLAN_APPLY:
    case PLAN_KEYED:
        return find_scan(n->child, src);
    default:
        return NULL;
    }
}

static bool add(const struct planner *p, struct plan_reductions *to, const struct plan *below,
                const struct source *src, const struct expr *inside, uint32_t key)
{
    const struct plan_scan *scan = find_scan(below, src);
    uint64_t rows = table_rows(p, src);

    if (!scan || rows < WORTH_ROWS || to->n == PLAN_MAX_REDUCTIONS)
        return false;
    to->list[to->n++] =
        (struct plan_reduction){.scan = scan,
                                .column = src->columns[inside->u.column.column].column,
                                .key = key,
                                .rows = rows};
    return true;
}

void plan_reduce_join(const struct planner *p, const struct bound_select *s, struct plan *n)
{
    bool left = n->u.join.build_left;

    if (n->u.join.form != JOIN_INNER || p->gateway_alone || p->in_union)
        return;
    for (uint32_t i = 0; i < n->u.join.n_keys; i++) {
        const struct plan_key *k = &n->u.join.keys[i];
        const struct expr *probe = left ? k->right : k->left, *build = left ? k->left : k->right;
        if (probe->kind != EXPR_COLUMN)
            continue;
        const struct source *src = &s->sources[probe->u.column.source];
        if (is_integer_key(src, probe, build, k->class))
            add(p, &n->u.join.reductions, left ? n->right : n->child, src, probe, i);
    }
}

/* ---- subqueries by key ---- */

/* Is a key of the subquery a column of a table that is worth it? */
static bool may_reduce(const struct planner *p, const struct subquery *q)
{
    const struct subquery_keyed *k = q->keyed;

    for (uint32_t i = 0; i < k->n_keys; i++) {
        if (k->inside[i]->kind != EXPR_COLUMN)
            continue;
        const struct source *src = &k->select->sources[k->inside[i]->u.column.source];
        if (is_integer_key(src, k->inside[i], k->outside[i], k->classes[i]) &&
            table_rows(p, src) >= WORTH_ROWS)
            return true;
    }
    return false;
}

struct keyed_walk {
    const struct planner *p;
    struct expr *list[PLAN_MAX_KEYED];
    uint32_t n;
    bool other; /* something that keeps them from being run late */
};

static bool visit_keyed(struct expr *e, void *ctx)
{
    struct keyed_walk *w = ctx;

    w->other |= e->kind == EXPR_OR; /* its branches may be in several conditions */
    if (e->kind < EXPR_SUBQUERY || e->kind > EXPR_EXISTS)
        return true;
    if (e->u.subquery->mode != SUBQUERY_KEYED || !may_reduce(w->p, e->u.subquery))
        return true;
    if (w->n == PLAN_MAX_KEYED)
        w->other = true;
    else
        w->list[w->n++] = e;
    return true;
}

static bool find_keyed(const struct planner *p, struct expr *e, struct keyed_walk *w)
{
    *w = (struct keyed_walk){.p = p};
    if (p->gateway_alone || p->in_union || p->runs_again)
        return false;
    expr_walk(e, visit_keyed, w);
    return w->n && !w->other;
}

bool plan_waits_for_keys(const struct planner *p, struct expr *e)
{
    struct keyed_walk w;

    return find_keyed(p, e, &w);
}

struct plan *plan_keyed(struct planner *p, struct plan *child, struct expr *cond)
{
    struct keyed_walk w;

    find_keyed(p, cond, &w);
    for (uint32_t i = 0; i < w.n && child; i++) {
        struct plan *n = plan_new(p, PLAN_KEYED, child, child->width);
        if (!n)
            return NULL;
        n->base = child->base;
        n->types = child->types;
        n->u.keyed.node = w.list[i];
        child = n;
    }
    return child;
}

/* The scans of a subquery that its keys reduce: there may be none. */
static void reduce_subquery(const struct planner *p, struct plan *n)
{
    struct subquery *q = n->u.keyed.node->u.subquery;
    const struct subquery_keyed *k = q->keyed;

    for (uint32_t i = 0; i < k->n_keys; i++) {
        if (k->inside[i]->kind != EXPR_COLUMN)
            continue;
        const struct source *src = &k->select->sources[k->inside[i]->u.column.source];
        if (is_integer_key(src, k->inside[i], k->outside[i], k->classes[i]))
            add(p, &n->u.keyed.reductions, q->plan, src, k->inside[i], i);
    }
    q->waits = n->u.keyed.reductions.n > 0;
}

void plan_reduce_subqueries(const struct planner *p, struct plan *n)
{
    if (!n)
        return;
    if (n->kind == PLAN_KEYED)
        reduce_subquery(p, n);
    plan_reduce_subqueries(p, n->child);
    plan_reduce_subqueries(p, n->right);
    for (uint32_t i = 0; i < n->n_children; i++)
        plan_reduce_subqueries(p, n->children[i]);
}
