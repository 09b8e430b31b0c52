/*
 * The order of inner joins. The text's, except that a table which no equality ties to those before it waits until one
 * does: FROM part, supplier, lineitem WHERE … makes no product of parts and suppliers.
 */
#include <string.h>

#include "sql/plan.h"

/* What inner joins join: tables, and outer joins as a whole. On the stack of plan_order_joins. */
struct join_order {
    struct join_tree **units;
    uint64_t *sources; /* of each unit */
    uint32_t n_units;
    struct expr **on; /* conditions of all the joins */
    uint32_t n_on;
};

uint64_t plan_sources_below(const struct join_tree *t)
{
    return t->kind ? plan_sources_below(t->left) | plan_sources_below(t->right)
                   : UINT64_C(1) << t->first_source;
}

static bool is_inner(const struct join_tree *t)
{
    return t->kind == SQL_JOIN_CROSS || t->kind == SQL_JOIN_INNER;
}

static void count(const struct join_tree *t, uint32_t *units, uint32_t *conditions)
{
    if (!is_inner(t)) {
        ++*units;
        return;
    }
    *conditions += t->n_on;
    count(t->left, units, conditions);
    count(t->right, units, conditions);
}

static void collect(struct join_order *o, struct join_tree *t)
{
    if (!is_inner(t)) {
        o->sources[o->n_units] = plan_sources_below(t);
        o->units[o->n_units++] = t;
        return;
    }
    if (t->n_on)
        memcpy(o->on + o->n_on, t->on, t->n_on * sizeof *t->on);
    o->n_on += t->n_on;
    collect(o, t->left);
    collect(o, t->right);
}

/* Does one of the equalities lead from what is joined to the unit? */
static bool is_tied(struct expr *const *list, uint32_t n, uint64_t joined, uint64_t unit)
{
    for (uint32_t i = 0; i < n; i++) {
        struct expr *e = list[i];
        if (e->kind != EXPR_COMPARE || e->op != SQL_OP_EQ || e->volatile_)
            continue;
        uint64_t a = plan_sources_of(e->args[0]), b = plan_sources_of(e->args[1]);
        if (a && b && ((!(a & ~joined) && !(b & ~unit)) || (!(b & ~joined) && !(a & ~unit))))
            return true;
    }
    return false;
}

/* The first unit from `from` on that is tied to those before it, else `from`. */
static uint32_t choose_next(const struct join_order *o, const struct bound_select *s, uint32_t from)
{
    uint64_t joined = 0;

    for (uint32_t i = 0; i < from; i++)
        joined |= o->sources[i];
    for (uint32_t i = from; i < o->n_units; i++)
        if (is_tied(s->where, s->n_where, joined, o->sources[i]) ||
            is_tied(o->on, o->n_on, joined, o->sources[i]))
            return i;
    return from;
}

/* Units in the order in which they are joined: was anything moved? */
static bool arrange(struct join_order *o, const struct bound_select *s)
{
    bool moved = false;

    for (uint32_t at = 1; at < o->n_units; at++) {
        uint32_t next = choose_next(o, s, at);
        struct join_tree *unit = o->units[next];
        uint64_t sources = o->sources[next];
        memmove(o->units + at + 1, o->units + at, (next - at) * sizeof(*o->units));
        memmove(o->sources + at + 1, o->sources + at, (next - at) * sizeof(*o->sources));
        o->units[at] = unit;
        o->sources[at] = sources;
        moved |= next != at;
    }
    return moved;
}

static struct join_tree *chain(struct planner *p, const struct join_order *o)
{
    struct join_tree *t = o->units[0];

    for (uint32_t i = 1; i < o->n_units; i++) {
        struct join_tree *n = bind_alloc(p->bind, sizeof *n);
        if (!n)
            return NULL;
        n->kind = SQL_JOIN_INNER;
        n->left = t;
        n->right = o->units[i];
        t = n;
    }
    t->on = o->on;
    t->n_on = o->n_on;
    return t;
}

bool plan_order_joins(struct planner *p, struct bound_select *s)
{
    struct join_order o = {0};
    uint32_t units = 0, conditions = 0;

    count(s->from, &units, &conditions);
    if (units < 3)
        return true;
    o.units = bind_alloc(p->bind, units * sizeof(*o.units));
    o.sources = bind_alloc(p->bind, units * sizeof(*o.sources));
    o.on = bind_alloc(p->bind, (conditions + 1) * sizeof(*o.on));
    if (!o.units || !o.sources || !o.on)
        return false;
    collect(&o, s->from);
    if (!arrange(&o, s))
        return true;
    s->from = chain(p, &o);
    if (!s->from)
        return false;
    bind_finish_slots(s);
    return true;
}
