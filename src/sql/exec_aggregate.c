/*
 * Hash aggregation. When memory ends the groups known by then go on to take their rows; rows of others are
 * put aside, and make groups part by part once those have been handed on. So the rows of a group
 * are added in the order they came in, whatever the memory.
 */
#include <errno.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/group_table.h"
#include "sql/spill_parts.h"

/* What of the memory stays free when groups are fixed: for a batch, and for what comes after. Groups
 * that hold lists or texts grow while rows of others are put aside. */
enum { RESERVE_PART = 16, RESERVE_PART_GROWING = 2, DUE_ROWS = 64 };

struct aggregate_exec {
    struct group_table t;
    struct aggregate_state **states; /* by number */
    uint32_t cap;                    /* of states */
    struct arena groups;
    struct spill_input input;
    bool can_spill, is_full; /* full: no group is added */
    unsigned reserve_part;
    bool collected;
    uint32_t next;
    struct datum *cells;
    struct datum *key; /* of the row at hand */
};

static bool is_fixed(struct expr *e, void *ctx)
{
    (void)ctx;
    return !e->volatile_;
}

/* Rows are put aside by groups that are the same when they are computed again. */
static bool can_spill(const struct exec_op *op)
{
    for (uint32_t i = 0; i < op->plan->u.aggregate.n_groups; i++)
        if (!expr_walk(op->plan->u.aggregate.groups[i], is_fixed, NULL))
            return false;
    return op->plan->u.aggregate.n_groups && spill_is_possible(op->x);
}

static bool is_growing(const struct aggregate_call *c)
{
    switch (c->op) {
    case AGG_MIN:
    case AGG_MAX:
        return c->type.kind == DATUM_STRING;
    case AGG_GROUP_CONCAT:
    case AGG_PERCENTILE_CONT:
    case AGG_PERCENTILE_DISC:
        return true;
    default:
        return c->distinct;
    }
}

static bool states_grow(struct aggregate_exec *g)
{
    uint32_t cap = g->cap ? g->cap * 2 : 128;
    struct aggregate_state **states = arena_alloc(&g->groups, cap * sizeof(*states));

    if (!states)
        return false;
    if (g->cap)
        memcpy(states, g->states, g->cap * sizeof(*states));
    g->states = states;
    g->cap = cap;
    return true;
}

/* Bytes that the next group takes for larger arrays. */
static size_t growth(const struct aggregate_exec *g)
{
    size_t states = g->t.n < g->cap ? 0 : (size_t)g->cap * 2 * sizeof(*g->states);

    return states + group_table_growth(&g->t);
}

/* A group for the key at hand: its number, or -1 without memory. */
static int64_t add_group(struct exec_op *op, struct aggregate_exec *g, uint64_t hash)
{
    uint32_t n = op->plan->u.aggregate.n_aggregates;
    struct aggregate_state *s = arena_alloc(&g->groups, (n ? n : 1) * sizeof *s);

    if (!s || (g->t.n == g->cap && !states_grow(g)))
        return -1;
    for (uint32_t i = 0; i < n; i++)
        aggregate_init(&s[i], op->plan->u.aggregate.aggregates[i]);
    int64_t number =
        group_table_add(&g->t, g->key, op->plan->u.aggregate.n_groups, hash, &g->groups);
    if (number >= 0)
        g->states[number] = s;
    return number;
}

/* The group of the row at hand: 1 with *number, 0 when the row was put aside, -EAGAIN, or an error. */
static int find_group(struct exec_op *op, struct aggregate_exec *g, int64_t *number)
{
    uint32_t n = op->plan->u.aggregate.n_groups;
    uint64_t hash = group_table_hash(g->key, n);

    *number = group_table_find(&g->t, g->key, n, hash);
    if (*number < 0 && !g->is_full) {
        *number = add_group(op, g, hash);
        if (*number >= 0 && g->can_spill && g->t.n % DUE_ROWS == 0)
            g->is_full = spill_is_due(op->x, g->groups.used, growth(g), g->reserve_part);
    }
    if (*number >= 0)
        return 1;
    if (!g->can_spill)
        return -ENOMEM;
    g->is_full = true;
    return spill_input_put(op, &g->input, hash);
}

/* 0, -EAGAIN with the row still to be done, or an error. */
static int take_row(struct exec_op *op, struct aggregate_exec *g, struct expr_ctx *ctx)
{
    const struct plan *p = op->plan;
    int64_t number;
    int rc;

    ctx->row = rowset_row(&g->input.rows, g->input.row);
    for (uint32_t k = 0; k < p->u.aggregate.n_groups; k++) {
        expr_eval(p->u.aggregate.groups[k], ctx, &g->key[k]);
        datum_round_to_type(&g->key[k], &p->u.aggregate.groups[k]->type);
    }
    if (expr_has_failed(ctx))
        return -EINVAL;
    rc = find_group(op, g, &number);
    if (rc <= 0)
        return rc;
    for (uint32_t k = 0; k < p->u.aggregate.n_aggregates; k++)
        if (aggregate_add(&g->states[number][k], p->u.aggregate.aggregates[k], ctx, &g->groups))
            return -ENOMEM;
    return expr_has_failed(ctx) ? -EINVAL : 0;
}

static enum exec_state take_rows(struct exec_op *op, struct aggregate_exec *g)
{
    struct expr_ctx ctx;
    int rc = g->can_spill ? spill_admit(op->x, g->groups.used) : 0;

    if (rc != 0)
        return spill_state(op->x, rc, "GROUP BY");
    exec_expr_ctx(op->x, &ctx, &op->scratch);
    ctx.base = op->plan->child->base;
    arena_reset(&op->scratch);
    for (; g->input.row < g->input.rows.rows; g->input.row++) {
        rc = take_row(op, g, &ctx);
        if (rc != 0)
            return spill_state(op->x, rc, "GROUP BY");
    }
    return EXEC_END;
}

static enum exec_state collect(struct exec_op *op, struct aggregate_exec *g)
{
    if (g->can_spill && spill_begin(op->x) != 0)
        return EXEC_PENDING;
    for (;;) {
        enum exec_state s = spill_input_want(op, &g->input, "GROUP BY");
        if (s == EXEC_END)
            break;
        if (s != EXEC_ROWS || (s = take_rows(op, g)) != EXEC_END)
            return s;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    if (op->plan->u.aggregate.whole && !g->t.n && add_group(op, g, group_table_hash(NULL, 0)) < 0)
        return exec_no_memory(op->x, "GROUP BY");
    g->collected = true;
    return EXEC_END;
}

static struct aggregate_exec *aggregate_open(struct exec_op *op)
{
    const struct plan *p = op->plan;
    struct aggregate_exec *g = op->state = arena_alloc(&op->arena, sizeof *g);

    if (!g)
        return NULL;
    arena_init(&g->groups, SIZE_MAX, op->x->budget);
    g->can_spill = can_spill(op);
    g->reserve_part = RESERVE_PART;
    for (uint32_t k = 0; k < p->u.aggregate.n_aggregates; k++)
        if (is_growing(p->u.aggregate.aggregates[k]))
            g->reserve_part = RESERVE_PART_GROWING;
    g->cells = exec_cells(op, p->width);
    g->key = arena_alloc(&op->arena, (p->u.aggregate.n_groups + 1) * sizeof *g->key);
    return spill_input_open(op, &g->input) && g->cells && g->key ? g : NULL;
}

/* Groups that have all their rows. */
static uint32_t give_groups(struct exec_op *op, struct aggregate_exec *g, struct expr_ctx *ctx)
{
    const struct plan *p = op->plan;
    uint32_t n = 0;

    for (; n < ROWSET_ROWS && g->next < g->t.n; n++, g->next++) {
        struct datum *row = g->cells + (size_t)n * p->width;
        memcpy(row, g->t.keys[g->next], p->u.aggregate.n_groups * sizeof *row);
        for (uint32_t k = 0; k < p->u.aggregate.n_aggregates; k++)
            aggregate_finish(&g->states[g->next][k], p->u.aggregate.aggregates[k], ctx,
                             &row[p->u.aggregate.n_groups + k]);
    }
    return n;
}

/* All groups were handed on: those of the next part. */
static enum exec_state next_part(struct exec_op *op, struct aggregate_exec *g)
{
    arena_reset(&g->groups);
    g->t = (struct group_table){0};
    g->states = NULL;
    g->cap = g->next = 0;
    g->collected = g->is_full = false;
    return spill_input_next_part(op, &g->input, "GROUP BY");
}

enum exec_state exec_aggregate_next(struct exec_op *op, struct rowset *out)
{
    struct aggregate_exec *g = op->state ? op->state : aggregate_open(op);
    struct expr_ctx ctx;

    if (!g)
        return exec_no_memory(op->x, "GROUP BY");
    for (;;) {
        enum exec_state s = g->collected ? EXEC_END : collect(op, g);
        if (s != EXEC_END)
            return s;
        arena_reset(&op->scratch);
        exec_expr_ctx(op->x, &ctx, &op->scratch);
        uint32_t n = give_groups(op, g, &ctx);
        *out = (struct rowset){.cells = g->cells, .rows = n, .width = op->plan->width};
        if (expr_has_failed(&ctx))
            return EXEC_ERROR;
        if (n)
            return EXEC_ROWS;
        if (!g->can_spill || (s = next_part(op, g)) != EXEC_ROWS)
            return s;
    }
}

void exec_aggregate_close(struct exec_op *op)
{
    struct aggregate_exec *g = op->state;

    if (!g)
        return;
    spill_input_free(&g->input);
    arena_fini(&g->groups);
}
