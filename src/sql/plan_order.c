/*
 * The order of inner joins. Up to 12 tables whose sizes are known are joined in the order that makes the fewest rows on
 * the way, by a guess: begun with each of them, always the table next that leaves fewest. Otherwise it is the text's,
 * except that a table which no equality ties to those before it waits until one does: FROM part, supplier, lineitem
 * WHERE … makes no product of parts and suppliers.
 */
#include <string.h>

#include "rpc/cluster.h"
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

/* ---- by size ---- */

enum { MAX_SIZED = 12, SHARE_LEFT = 4 /* a condition leaves a quarter of the rows, say */ };

/* Equality between units. */
struct tie {
    uint32_t a, b; /* bits of units */
};

/* Sizes of the units, and what ties them. On the stack of arrange_by_size. */
struct sizes {
    double base[MAX_SIZED], rows[MAX_SIZED]; /* of the largest table; that its conditions leave */
    struct tie *ties;
    uint32_t n_ties;
};

static uint32_t units_of(const struct join_order *o, uint64_t sources)
{
    uint32_t units = 0;

    for (uint32_t i = 0; i < o->n_units; i++)
        if (o->sources[i] & sources)
            units |= 1u << i;
    return units;
}

static void add_conditions(const struct join_order *o, struct sizes *z, struct expr *const *list,
                           uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t all = units_of(o, plan_sources_of(list[i]));
        if (all && !(all & (all - 1)))
            z->rows[__builtin_ctz(all)] /= SHARE_LEFT;
        if (list[i]->kind != EXPR_COMPARE || list[i]->op != SQL_OP_EQ || list[i]->volatile_)
            continue;
        struct tie t = {units_of(o, plan_sources_of(list[i]->args[0])),
                        units_of(o, plan_sources_of(list[i]->args[1]))};
        if (t.a && t.b && !(t.a & t.b))
            z->ties[z->n_ties++] = t;
    }
}

/* False when a size is not known. */
static bool measure(struct planner *p, const struct bound_select *s, const struct join_order *o,
                    struct sizes *z)
{
    for (uint32_t i = 0; i < o->n_units; i++) {
        z->base[i] = 1;
        for (uint64_t left = o->sources[i]; left; left &= left - 1) {
            const struct source *src = &s->sources[__builtin_ctzll(left)];
            struct cluster_table_stats stats;
            if (src->kind != SOURCE_TABLE || !p->cluster ||
                !cluster_schema_stats(p->cluster, src->schema, &stats))
                return false;
            if ((double)stats.rows > z->base[i])
                z->base[i] = (double)stats.rows;
        }
        z->rows[i] = z->base[i];
    }
    add_conditions(o, z, s->where, s->n_where);
    add_conditions(o, z, o->on, o->n_on);
    return true;
}

/* Rows that joining the unit to `rows` others gives: a child finds one parent. */
static double joined_rows(const struct sizes *z, uint32_t joined, double rows, uint32_t unit,
                          bool *tied)
{
    double keys = 0;

    for (uint32_t i = 0; i < z->n_ties; i++) {
        const struct tie *t = &z->ties[i];
        uint32_t other = t->a == 1u << unit ? t->b : t->b == 1u << unit ? t->a : 0;
        if (!other || (other & ~joined))
            continue;
        double base = z->base[__builtin_ctz(other)];
        double least = base < z->base[unit] ? base : z->base[unit];
        if (least > keys)
            keys = least;
    }
    *tied = keys > 0;
    return rows * z->rows[unit] / (*tied ? keys : 1);
}

/* The order that begins with a unit; the rows made on the way. */
static double order_from(const struct sizes *z, uint32_t n, uint32_t first, uint32_t *order)
{
    uint32_t joined = 1u << first;
    double rows = z->rows[first], sum = 0;

    order[0] = first;
    for (uint32_t at = 1; at < n; at++) {
        double least = 0;
        uint32_t next = n;
        bool next_tied = false, tied;
        for (uint32_t i = 0; i < n; i++) {
            if (joined >> i & 1)
                continue;
            double r = joined_rows(z, joined, rows, i, &tied);
            if (next == n || (tied && !next_tied) || (tied == next_tied && r < least)) {
                least = r;
                next = i;
                next_tied = tied;
            }
        }
        order[at] = next;
        joined |= 1u << next;
        rows = least < 1 ? 1 : least;
        sum += rows;
    }
    return sum;
}

/* Puts the units into the best order: false when it is not known. */
static bool arrange_by_size(struct planner *p, struct join_order *o, const struct bound_select *s,
                            bool *moved)
{
    struct sizes z = {0};
    uint32_t order[MAX_SIZED], best[MAX_SIZED];
    struct join_tree *units[MAX_SIZED];
    double least = 0;

    if (o->n_units > MAX_SIZED ||
        !(z.ties = bind_alloc(p->bind, (s->n_where + o->n_on + 1) * sizeof *z.ties)) ||
        !measure(p, s, o, &z))
        return false;
    for (uint32_t first = 0; first < o->n_units; first++) {
        double sum = order_from(&z, o->n_units, first, order);
        if (first && sum >= least)
            continue;
        least = sum;
        memcpy(best, order, o->n_units * sizeof *best);
    }
    memcpy(units, o->units, o->n_units * sizeof(*units));
    for (uint32_t i = 0; i < o->n_units; i++) {
        o->units[i] = units[best[i]];
        *moved |= best[i] != i;
    }
    return true;
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
    bool moved = false;
    if (!arrange_by_size(p, &o, s, &moved))
        moved = arrange(&o, s);
    if (!moved)
        return p->bind->error->code == 0;
    s->from = chain(p, &o);
    if (!s->from)
        return false;
    bind_finish_slots(s);
    return true;
}
