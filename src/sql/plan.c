#include "sql/plan.h"

#include <string.h>

#include "sql/plan_recursive.h"
#include "sql/plan_subquery.h"

struct plan *plan_new(struct planner *p, enum plan_kind kind, struct plan *child, uint32_t width)
{
    struct plan *n = bind_alloc(p->bind, sizeof *n);

    if (!n)
        return NULL;
    n->kind = kind;
    n->child = child;
    n->width = width;
    n->id = p->n_nodes++;
    return n;
}

static struct plan *filter_once(struct planner *p, struct plan *child, struct expr **conds,
                                uint32_t n)
{
    if (!n || !child)
        return child;
    struct plan *f = plan_new(p, PLAN_FILTER, child, child->width);
    if (!f)
        return NULL;
    f->base = child->base;
    f->types = child->types;
    f->u.list.exprs = conds;
    f->u.list.n = n;
    return f;
}

/* When the subqueries of a condition are run: before all rows, once their keys are known, for each row. */
enum condition_kind { CONDITION_PLAIN, CONDITION_KEYED, CONDITION_PER_ROW, CONDITION_KINDS };

static enum condition_kind condition_kind(const struct planner *p, struct expr *e)
{
    return plan_runs_per_row(e)        ? CONDITION_PER_ROW
           : plan_waits_for_keys(p, e) ? CONDITION_KEYED
                                       : CONDITION_PLAIN;
}

struct plan *plan_filter(struct planner *p, struct plan *child, struct expr **conds, uint32_t n)
{
    uint32_t counts[CONDITION_KINDS] = {0}, at[CONDITION_KINDS];

    for (uint32_t i = 0; i < n; i++)
        counts[condition_kind(p, conds[i])]++;
    if (!child || counts[CONDITION_PLAIN] == n)
        return filter_once(p, child, conds, n);
    /* Subqueries are run for the rows that the other conditions leave. */
    struct expr **sorted = bind_alloc(p->bind, n * sizeof(struct expr *));
    if (!sorted)
        return NULL;
    at[CONDITION_PLAIN] = 0;
    at[CONDITION_KEYED] = counts[CONDITION_PLAIN];
    at[CONDITION_PER_ROW] = n - counts[CONDITION_PER_ROW];
    for (uint32_t i = 0; i < n; i++)
        sorted[at[condition_kind(p, conds[i])]++] = conds[i];
    child = filter_once(p, child, sorted, counts[CONDITION_PLAIN]);
    sorted += counts[CONDITION_PLAIN];
    for (uint32_t i = 0; i < counts[CONDITION_KEYED]; i++, sorted++)
        child = filter_once(p, plan_keyed(p, child, *sorted), sorted, 1);
    if (counts[CONDITION_PER_ROW])
        child = plan_apply(p, child, sorted, counts[CONDITION_PER_ROW], NULL, 0);
    return filter_once(p, child, sorted, counts[CONDITION_PER_ROW]);
}

static struct plan *plan_project(struct planner *p, struct plan *child,
                                 const struct bound_select *s)
{
    struct plan *n = plan_new(p, PLAN_PROJECT, child, s->n_items);

    if (!n ||
        !(n->u.list.exprs = bind_alloc(p->bind, (s->n_items + 1) * sizeof *n->u.list.exprs)) ||
        !(n->types = bind_alloc(p->bind, (s->n_items + 1) * sizeof *n->types)))
        return NULL;
    for (uint32_t i = 0; i < s->n_items; i++) {
        n->u.list.exprs[i] = s->items[i].expr;
        n->types[i] = s->items[i].expr->type;
    }
    n->u.list.n = s->n_items;
    n->child = plan_apply(p, child, n->u.list.exprs, s->n_items, NULL, 0);
    return n->child ? n : NULL;
}

static struct plan *plan_aggregate(struct planner *p, struct plan *child,
                                   const struct bound_select *s)
{
    struct plan *n = plan_new(p, PLAN_AGGREGATE, child, s->n_groups + s->n_aggregates);

    if (!n)
        return NULL;
    n->u.aggregate.groups = s->groups;
    n->u.aggregate.n_groups = s->n_groups;
    n->u.aggregate.aggregates = s->aggregates;
    n->u.aggregate.n_aggregates = s->n_aggregates;
    n->u.aggregate.whole = s->n_groups == 0;
    n->child = plan_apply(p, child, s->groups, s->n_groups, s->aggregates, s->n_aggregates);
    return n->child ? n : NULL;
}

/* Rows of all levels, grouped by cells that stand before those of the child. */
static struct plan *plan_rollup(struct planner *p, struct plan *child, const struct bound_select *s)
{
    struct bound_select over = *s;
    uint32_t n = s->n_groups - 1;

    child = plan_apply(p, child, s->groups, n, NULL, 0);
    struct plan *r = child ? plan_new(p, PLAN_ROLLUP, child, s->n_groups + child->width) : NULL;
    if (!r || !(over.groups = bind_alloc(p->bind, s->n_groups * sizeof *over.groups)))
        return NULL;
    r->base = child->base - s->n_groups; /* may wrap: cells are counted from it */
    r->u.list.exprs = s->groups;
    r->u.list.n = n;
    for (uint32_t i = 0; i <= n; i++)
        if (!(over.groups[i] = expr_new_slot(p->bind->arena, r->base + i, &s->groups[i]->type)))
            return bind_alloc(p->bind, SIZE_MAX / 2);
    return plan_aggregate(p, r, &over);
}

static struct plan *plan_sort(struct planner *p, struct plan *child,
                              const struct bound_order *order, uint32_t n, uint64_t limit)
{
    struct plan *s = plan_new(p, PLAN_SORT, child, child->width);

    if (!s || !(s->u.sort.keys = bind_alloc(p->bind, (n + 1) * sizeof *s->u.sort.keys)))
        return NULL;
    s->types = child->types;
    s->u.sort.n_keys = n;
    s->u.sort.limit = limit;
    for (uint32_t i = 0; i < n; i++)
        s->u.sort.keys[i] =
            (struct plan_order){.cell = order[i].item, .descending = order[i].descending};
    return s;
}

uint64_t plan_rows_wanted(uint64_t limit, uint64_t offset)
{
    return limit > UINT64_MAX - offset ? UINT64_MAX : limit + offset;
}

static struct plan *plan_limit(struct planner *p, struct plan *child, uint64_t count,
                               uint64_t offset)
{
    if (!child || (count == UINT64_MAX && !offset))
        return child;
    struct plan *n = plan_new(p, PLAN_LIMIT, child, child->width);
    if (!n)
        return NULL;
    n->types = child->types;
    n->u.limit.count = count;
    n->u.limit.offset = offset;
    return n;
}

static struct plan *plan_topn(struct planner *p, struct plan *child, const struct bound_select *s)
{
    struct plan *n = plan_new(p, PLAN_TOPN, child, 3);

    if (!n || !(n->types = bind_alloc(p->bind, 3 * sizeof *n->types)))
        return NULL;
    for (uint32_t i = 0; i < 3; i++)
        n->types[i] = s->items[i].expr->type;
    n->u.topn.limit = s->topn_limit;
    n->u.topn.value_type = s->groups[0]->type;
    return plan_limit(p, n, s->limit, s->offset);
}

/* GROUP BY a multi-valued column by the gateway: the rows would have to be counted once per value.
 * */
static bool groups_lists(const struct bound_select *s)
{
    for (uint32_t i = 0; i < s->n_groups; i++)
        if (s->groups[i]->kind == EXPR_COLUMN && s->groups[i]->delim)
            return true;
    return false;
}

static struct plan *plan_select(struct planner *p, struct bound_select *s)
{
    struct plan *n;

    if (s->from) {
        n = plan_from(p, s);
    } else {
        n = plan_new(p, PLAN_ONE_ROW, NULL, 0);
        if (n)
            n = plan_filter(p, n, s->where, s->n_where);
    }
    if (!n)
        return NULL;
    if (s->grouped) {
        if (s->rollup || !plan_push_groups(p, s, &n)) {
            if (groups_lists(s)) {
                bind_fail(p->bind, MYSQL_ER_NOT_SUPPORTED_YET,
                          "GROUP BY of a multi-valued column together with joins or expressions");
                return NULL;
            }
            n = s->rollup ? plan_rollup(p, n, s) : plan_aggregate(p, n, s);
        }
    } else if (s->windowed) {
        /* window functions see all rows */
    } else if (s->distinct && plan_push_distinct(p, s, n)) {
        /* groups without aggregates: already distinct */
    } else {
        plan_push_order(p, s, n);
    }
    if (!n)
        return NULL;
    if (s->topn)
        return plan_topn(p, n, s);
    if (s->having)
        n = plan_filter(p, n, &s->having, 1);
    if (n && s->windowed)
        n = plan_windows(p, s, n);
    if (!n)
        return NULL;
    bool is_ordered = n->kind == PLAN_SCAN && n->u.scan.n_order;
    bool is_distinct =
        s->distinct && n->kind == PLAN_SCAN && n->u.scan.output == OUTPUT_GROUPS && !s->grouped;
    n = n ? plan_project(p, n, s) : NULL;
    if (n && s->distinct && !is_distinct) {
        n = plan_new(p, PLAN_DISTINCT, n, n->width);
        if (n)
            n->types = n->child->types;
    }
    if (n && s->n_order && !is_ordered)
        n = plan_sort(p, n, s->order, s->n_order, plan_rows_wanted(s->limit, s->offset));
    return plan_limit(p, n, s->limit, s->offset);
}

/*
 * The UNIONs of a chain since its last INTERSECT or EXCEPT: their parts side by side, however many they are, because a
 * UNION without ALL makes the rows of all parts before it distinct.
 */
struct union_run {
    struct plan **parts;
    uint32_t n, n_distinct; /* of the first n_distinct parts together the rows are distinct */
    bool is_whole;          /* the only part has the types of the whole already */
};

/* Parts one after the other, as the types of the whole. */
static struct plan *plan_append(struct planner *p, const struct bound_query *q, struct plan **parts,
                                uint32_t n)
{
    struct plan *u = plan_new(p, PLAN_UNION, NULL, q->n_columns);

    if (!u || !(u->children = bind_alloc(p->bind, n * sizeof *u->children)) ||
        !(u->types = bind_alloc(p->bind, (q->n_columns + 1) * sizeof *u->types)))
        return NULL;
    for (uint32_t c = 0; c < q->n_columns; c++)
        u->types[c] = q->columns[c].type;
    memcpy(u->children, parts, n * sizeof *parts);
    u->n_children = n;
    return u;
}

static struct plan *plan_run(struct planner *p, const struct bound_query *q,
                             const struct union_run *run)
{
    struct plan *distinct = NULL, *u;

    if (run->is_whole && run->n == 1)
        return run->parts[0];
    if (run->n_distinct) {
        if (!(u = plan_append(p, q, run->parts, run->n_distinct)) ||
            !(distinct = plan_new(p, PLAN_DISTINCT, u, q->n_columns)))
            return NULL;
        distinct->types = u->types;
        if (run->n_distinct == run->n)
            return distinct;
        run->parts[run->n_distinct - 1] = distinct;
    }
    uint32_t first = distinct ? run->n_distinct - 1 : 0;
    return plan_append(p, q, run->parts + first, run->n - first);
}

/* INTERSECT or EXCEPT of what came before and the term, which is the beginning of a new run. */
static bool plan_set(struct planner *p, const struct bound_query *q, const struct bound_term *t,
                     struct plan *right, struct union_run *run)
{
    struct plan *left = plan_run(p, q, run), *n;

    if (!left || !(right = plan_append(p, q, &right, 1)) ||
        !(n = plan_new(p, PLAN_SET, left, q->n_columns)))
        return false;
    n->types = right->types;
    n->right = right;
    n->u.set.except = t->op == SQL_SET_EXCEPT;
    n->u.set.all = t->all;
    run->parts[0] = n;
    *run = (struct union_run){.parts = run->parts, .n = 1, .is_whole = true};
    return true;
}

static struct plan *plan_union(struct planner *p, const struct bound_query *q)
{
    struct union_run run = {.parts = bind_alloc(p->bind, q->n_terms * sizeof *run.parts)};

    if (!run.parts)
        return NULL;
    for (uint32_t i = 0; i < q->n_terms; i++) {
        const struct bound_term *t = &q->terms[i];
        struct plan *part = t->select ? plan_select(p, t->select) : plan_query(p, t->query);
        if (!part)
            return NULL;
        if (t->op == SQL_SET_INTERSECT || t->op == SQL_SET_EXCEPT) {
            if (!plan_set(p, q, t, part, &run))
                return NULL;
            continue;
        }
        run.parts[run.n++] = part;
        if (t->op == SQL_SET_UNION && !t->all)
            run.n_distinct = run.n;
    }
    struct plan *whole = plan_run(p, q, &run);
    if (whole && q->n_order)
        whole = plan_sort(p, whole, q->order, q->n_order, plan_rows_wanted(q->limit, q->offset));
    return plan_limit(p, whole, q->limit, q->offset);
}

static struct plan *plan_recursive(struct planner *p, const struct bound_query *q)
{
    struct plan *n = plan_new(p, PLAN_RECURSIVE, NULL, q->n_columns);
    bool outer = p->in_union, again = p->runs_again;

    if (!n || !(n->children = bind_alloc(p->bind, 2 * sizeof *n->children)))
        return NULL;
    p->in_union = true; /* once rows have been handed on nothing can begin again */
    p->runs_again = true;
    n->children[0] = plan_union(p, q->recursion->seed);
    n->children[1] = n->children[0] ? plan_union(p, q->recursion->step) : NULL;
    p->in_union = outer;
    p->runs_again = again;
    if (!n->children[1])
        return NULL;
    n->n_children = 2;
    n->types = n->children[0]->types;
    n->u.recursion = q->recursion;
    return plan_limit(p, n, q->limit, q->offset);
}

struct plan *plan_query(struct planner *p, const struct bound_query *q)
{
    if (q->recursion)
        return plan_recursive(p, q);
    if (q->n_terms == 1 && q->terms[0].select)
        return plan_select(p, q->terms[0].select);
    bool outer = p->in_union;
    p->in_union = true;
    struct plan *u = plan_union(p, q);
    p->in_union = outer;
    return u;
}

bool plan_subqueries(struct planner *p, struct plan *n)
{
    for (struct subquery *q = p->bind->subqueries; q; q = q->next) {
        p->runs_again = q->mode == SUBQUERY_PER_ROW;
        if (!q->plan && !(q->plan = plan_query(p, q->query)))
            return false;
    }
    p->runs_again = false;
    for (struct subquery *q = p->bind->subqueries; q; q = q->next)
        plan_reduce_subqueries(p, q->plan);
    plan_reduce_subqueries(p, n);
    return true;
}

struct plan *plan_table_rows(struct planner *p, struct bound_select *s)
{
    struct plan *n = plan_from(p, s);

    if (!n)
        return NULL;
    if (!s->n_order)
        return plan_limit(p, n, s->limit, s->offset);
    /* Used columns first, then what ORDER BY needs. */
    n = plan_project(p, n, s);
    if (n)
        n = plan_sort(p, n, s->order, s->n_order, plan_rows_wanted(s->limit, s->offset));
    return plan_limit(p, n, s->limit, s->offset);
}
