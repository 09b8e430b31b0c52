/* Hash aggregation and DISTINCT. */
#include <string.h>

#include "sql/exec.h"

/* Keys and states of groups: rows of key cells, open addressing over their numbers. */
struct group_table {
    uint32_t *index; /* 1 + group number; 0 = free */
    uint32_t mask;
    uint32_t n, cap;
    uint64_t *hashes;
    struct datum **keys;
    struct aggregate_state **states;
};

struct aggregate_exec {
    struct group_table t;
    bool collected;
    uint32_t next;
    struct datum *cells;
    struct datum *key; /* of the row at hand */
};

static uint64_t hash_row(const struct datum *cells, uint32_t n)
{
    uint64_t h = 0x51ed270b;

    for (uint32_t i = 0; i < n; i++)
        h = datum_hash(&cells[i], h);
    return h;
}

static bool same_row(const struct datum *a, const struct datum *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!datum_is_same(&a[i], &b[i]))
            return false;
    return true;
}

static bool table_grow(struct group_table *t, struct arena *a)
{
    uint32_t cap = t->cap ? t->cap * 2 : 128, slots = cap * 2;
    uint32_t *index = arena_alloc(a, slots * sizeof *index);
    uint64_t *hashes = arena_alloc(a, cap * sizeof *hashes);
    struct datum **keys = arena_alloc(a, cap * sizeof *keys);
    struct aggregate_state **states = arena_alloc(a, cap * sizeof *states);

    if (!index || !hashes || !keys || !states)
        return false;
    if (t->n) {
        memcpy(hashes, t->hashes, t->n * sizeof *hashes);
        memcpy(keys, t->keys, t->n * sizeof *keys);
        memcpy(states, t->states, t->n * sizeof *states);
    }
    t->mask = slots - 1;
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t at = (uint32_t)hashes[i] & t->mask;
        while (index[at])
            at = (at + 1) & t->mask;
        index[at] = i + 1;
    }
    t->index = index;
    t->hashes = hashes;
    t->keys = keys;
    t->states = states;
    t->cap = cap;
    return true;
}

/* Number of the group with this key, added when new (*added). -1 without memory. */
static int64_t table_find(struct group_table *t, const struct datum *key, uint32_t n,
                          struct arena *a, bool *added)
{
    uint64_t h = hash_row(key, n);

    *added = false;
    if (t->n == t->cap && !table_grow(t, a))
        return -1;
    uint32_t at = (uint32_t)h & t->mask;
    for (; t->index[at]; at = (at + 1) & t->mask) {
        uint32_t g = t->index[at] - 1;
        if (t->hashes[g] == h && same_row(t->keys[g], key, n))
            return g;
    }
    struct datum *copy = arena_alloc(a, (n ? n : 1) * sizeof *copy);
    if (!copy)
        return -1;
    for (uint32_t i = 0; i < n; i++)
        if (!datum_copy(&copy[i], &key[i], a))
            return -1;
    t->keys[t->n] = copy;
    t->hashes[t->n] = h;
    t->index[at] = t->n + 1;
    *added = true;
    return t->n++;
}

static struct aggregate_state *new_states(struct exec_op *op)
{
    uint32_t n = op->plan->u.aggregate.n_aggregates;
    struct aggregate_state *s = arena_alloc(&op->arena, (n ? n : 1) * sizeof *s);

    for (uint32_t i = 0; s && i < n; i++)
        aggregate_init(&s[i], op->plan->u.aggregate.aggregates[i]);
    return s;
}

static bool add_group(struct exec_op *op, struct aggregate_exec *g, int64_t *number)
{
    bool added;

    *number = table_find(&g->t, g->key, op->plan->u.aggregate.n_groups, &op->arena, &added);
    if (*number < 0)
        return false;
    if (added && !(g->t.states[*number] = new_states(op)))
        return false;
    return true;
}

static bool take_rows(struct exec_op *op, struct aggregate_exec *g, const struct rowset *in)
{
    const struct plan *p = op->plan;
    struct expr_ctx ctx;
    int64_t number = 0;

    exec_expr_ctx(op->x, &ctx, &op->scratch);
    ctx.base = p->child->base;
    arena_reset(&op->scratch);
    for (uint32_t i = 0; i < in->rows; i++) {
        ctx.row = rowset_row(in, i);
        for (uint32_t k = 0; k < p->u.aggregate.n_groups; k++) {
            expr_eval(p->u.aggregate.groups[k], &ctx, &g->key[k]);
            datum_round_to_type(&g->key[k], &p->u.aggregate.groups[k]->type);
        }
        if (!add_group(op, g, &number))
            return false;
        for (uint32_t k = 0; k < p->u.aggregate.n_aggregates; k++)
            if (aggregate_add(&g->t.states[number][k], p->u.aggregate.aggregates[k], &ctx,
                              &op->arena) != 0)
                return false;
        if (expr_has_failed(&ctx))
            return false;
    }
    return true;
}

static enum exec_state collect(struct exec_op *op, struct aggregate_exec *g)
{
    struct rowset in;
    int64_t number;

    for (;;) {
        enum exec_state s = exec_next(op->child, &in);
        if (s == EXEC_END)
            break;
        if (s != EXEC_ROWS)
            return s;
        if (!take_rows(op, g, &in))
            return exec_no_memory(op->x, "GROUP BY");
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    if (op->plan->u.aggregate.whole && !g->t.n && !add_group(op, g, &number))
        return exec_no_memory(op->x, "GROUP BY");
    g->collected = true;
    return EXEC_END;
}

enum exec_state exec_aggregate_next(struct exec_op *op, struct rowset *out)
{
    struct aggregate_exec *g = op->state;
    const struct plan *p = op->plan;
    struct expr_ctx ctx;
    uint32_t n = 0;

    if (!g) {
        g = op->state = arena_alloc(&op->arena, sizeof *g);
        if (!g || !(g->cells = exec_cells(op, p->width)) ||
            !(g->key = arena_alloc(&op->arena, (p->u.aggregate.n_groups + 1) * sizeof *g->key)))
            return exec_no_memory(op->x, "GROUP BY");
    }
    if (!g->collected) {
        enum exec_state s = collect(op, g);
        if (s != EXEC_END)
            return s;
    }
    arena_reset(&op->scratch);
    exec_expr_ctx(op->x, &ctx, &op->scratch);
    for (; n < ROWSET_ROWS && g->next < g->t.n; n++, g->next++) {
        struct datum *row = g->cells + (size_t)n * p->width;
        memcpy(row, g->t.keys[g->next], p->u.aggregate.n_groups * sizeof *row);
        for (uint32_t k = 0; k < p->u.aggregate.n_aggregates; k++)
            aggregate_finish(&g->t.states[g->next][k], p->u.aggregate.aggregates[k], &ctx,
                             &row[p->u.aggregate.n_groups + k]);
    }
    *out = (struct rowset){.cells = g->cells, .rows = n, .width = p->width};
    if (expr_has_failed(&ctx))
        return EXEC_ERROR;
    return n ? EXEC_ROWS : EXEC_END;
}

enum exec_state exec_distinct_next(struct exec_op *op, struct rowset *out)
{
    struct group_table *t = op->state;
    bool added;

    if (!t && !(t = op->state = arena_alloc(&op->arena, sizeof *t)))
        return exec_no_memory(op->x, "DISTINCT");
    for (;;) {
        uint32_t kept = 0;
        enum exec_state s = exec_next(op->child, out);
        if (s != EXEC_ROWS)
            return s;
        for (uint32_t i = 0; i < out->rows; i++) {
            struct datum *row = rowset_row(out, i);
            if (table_find(t, row, out->width, &op->arena, &added) < 0)
                return exec_no_memory(op->x, "DISTINCT");
            if (!added)
                continue;
            if (kept != i)
                memcpy(rowset_row(out, kept), row, out->width * sizeof *row);
            kept++;
        }
        out->rows = kept;
        if (kept)
            return EXEC_ROWS;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}
