/*
 * Hash aggregation. When memory ends the groups known by then go on to take their rows; rows of others are
 * put aside, and make groups part by part once those have been handed on. So the rows of a group
 * are added in the order they came in, whatever the memory.
 *
 * Values of DISTINCT aggregates are looked up in sets. When memory ends values that are in no set of their
 * group are put aside, too ("late"), and told apart part by part before the groups are handed on.
 */
#include <errno.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/group_table.h"
#include "sql/spill_parts.h"

/* What of the memory stays free when groups are fixed: for a batch, and for what comes after. Groups
 * that hold lists or texts grow while rows of others are put aside. */
enum { RESERVE_PART = 16, RESERVE_PART_GROWING = 2, DUE_ROWS = 64 };

/* Values put aside: number of the group, number of the aggregate, value. */
enum { LATE_GROUP, LATE_AGGREGATE, LATE_VALUE, LATE_CELLS };

/* Owner: the operator, if it has DISTINCT aggregates. */
struct aggregate_late {
    struct spill_parts parts;
    struct rowset rows; /* of the part */
    uint32_t row;
    bool is_reading, is_full;
    struct group_table t; /* values of the part */
    struct arena values, batch;
    struct datum cells[ROWSET_ROWS * LATE_CELLS];
};

struct aggregate_exec {
    struct group_table t;
    struct aggregate_state **states; /* by number */
    uint32_t cap;                    /* of states */
    struct arena groups;
    struct spill_input input;
    struct arena seen; /* sets of values */
    struct aggregate_late *late;
    bool in_row; /* the row at hand has taken its place: */
    int64_t number;
    uint32_t at;             /* aggregates before have taken it */
    bool can_spill, is_full; /* full: no group is added */
    unsigned reserve_part;
    bool collected;
    uint32_t next;
    struct datum *cells;
    struct datum *key; /* of the row at hand */
};

static bool has_sets(const struct exec_op *op)
{
    for (uint32_t k = 0; k < op->plan->u.aggregate.n_aggregates; k++)
        if (op->plan->u.aggregate.aggregates[k]->distinct)
            return true;
    return false;
}

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
    return (op->plan->u.aggregate.n_groups || has_sets(op)) && spill_is_possible(op->x);
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
    case AGG_JSON_ARRAY:
    case AGG_JSON_OBJECT:
        return true;
    default:
        return false;
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

/* Puts a value of the row's group aside. */
static int put_late(struct exec_op *op, struct aggregate_exec *g, const struct datum *value)
{
    struct datum cells[LATE_CELLS] = {[LATE_VALUE] = *value};

    datum_set_uint(&cells[LATE_GROUP], (uint64_t)g->number);
    datum_set_uint(&cells[LATE_AGGREGATE], g->at);
    return spill_parts_put(op->x, &g->late->parts, group_table_hash(cells, LATE_CELLS), cells,
                           LATE_CELLS);
}

/* The set of the aggregate is about to become so large that little memory would be left. */
static bool is_set_due(struct exec_op *op, const struct aggregate_exec *g)
{
    const struct datum_set *set = g->states[g->number][g->at].seen;

    return g->can_spill && set && set->n * 2 >= set->cap &&
           spill_is_due(op->x, g->seen.used + g->groups.used,
                        (size_t)set->cap * 2 * sizeof *set->cells, g->reserve_part);
}

/* The aggregates of the row's group take it: 0, -EAGAIN with g->at still to be done, or an error. */
static int add_row(struct exec_op *op, struct aggregate_exec *g, struct expr_ctx *ctx)
{
    const struct plan *p = op->plan;
    struct datum unseen;

    for (; g->at < p->u.aggregate.n_aggregates; g->at++) {
        const struct aggregate_call *c = p->u.aggregate.aggregates[g->at];
        g->is_full = g->is_full || is_set_due(op, g);
        int rc = aggregate_add_seen(&g->states[g->number][g->at], c, ctx, &g->groups, &g->seen,
                                    g->is_full, &unseen);
        if (rc == 1 && (!g->can_spill || is_growing(c)))
            rc = -ENOMEM;
        if (rc == 1) {
            g->is_full = true;
            rc = put_late(op, g, &unseen);
        }
        if (rc != 0)
            return rc;
    }
    return expr_has_failed(ctx) ? -EINVAL : 0;
}

/* 0, -EAGAIN with the row still to be done, or an error. */
static int take_row(struct exec_op *op, struct aggregate_exec *g, struct expr_ctx *ctx)
{
    const struct plan *p = op->plan;
    int rc;

    ctx->row = rowset_row(&g->input.rows, g->input.row);
    if (!g->in_row) {
        for (uint32_t k = 0; k < p->u.aggregate.n_groups; k++) {
            expr_eval(p->u.aggregate.groups[k], ctx, &g->key[k]);
            datum_round_to_type(&g->key[k], &p->u.aggregate.groups[k]->type);
        }
        if (expr_has_failed(ctx))
            return -EINVAL;
        rc = find_group(op, g, &g->number);
        if (rc <= 0)
            return rc;
        g->in_row = true;
        g->at = 0;
    }
    rc = add_row(op, g, ctx);
    if (rc == 0)
        g->in_row = false;
    return rc;
}

static enum exec_state take_rows(struct exec_op *op, struct aggregate_exec *g)
{
    struct expr_ctx ctx;
    int rc = g->can_spill ? spill_admit(op->x, g->groups.used + g->seen.used) : 0;

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
    if (g->can_spill && !g->is_full && g->seen.used)
        g->is_full = spill_is_due(op->x, g->seen.used + g->groups.used, growth(g), g->reserve_part);
    return EXEC_END;
}

/* A value that was put aside: 0, -EAGAIN, or an error. */
static int take_late(struct exec_op *op, struct aggregate_exec *g, struct expr_ctx *ctx)
{
    struct aggregate_late *l = g->late;
    const struct datum *cells = rowset_row(&l->rows, l->row);
    uint64_t number = cells[LATE_GROUP].u, k = cells[LATE_AGGREGATE].u;
    uint64_t hash = group_table_hash(cells, LATE_CELLS);

    if (number >= g->t.n || k >= op->plan->u.aggregate.n_aggregates)
        return -EIO; /* the file is not as it was written */
    if (group_table_find(&l->t, cells, LATE_CELLS, hash) >= 0)
        return 0;
    if (l->is_full || group_table_add(&l->t, cells, LATE_CELLS, hash, &l->values) < 0) {
        l->is_full = true;
        return spill_parts_put(op->x, &l->parts, hash, cells, LATE_CELLS);
    }
    if (l->t.n % DUE_ROWS == 0)
        l->is_full = spill_is_due(op->x, l->values.used, group_table_growth(&l->t), RESERVE_PART);
    int rc = aggregate_add_value(&g->states[number][k], op->plan->u.aggregate.aggregates[k], ctx,
                                 &cells[LATE_VALUE], &g->groups);
    return rc == 0 && expr_has_failed(ctx) ? -EINVAL : rc;
}

/* The values put aside are told apart part by part: END when all are. */
static enum exec_state take_all_late(struct exec_op *op, struct aggregate_exec *g)
{
    struct aggregate_late *l = g->late;
    struct expr_ctx ctx;
    int rc;

    exec_expr_ctx(op->x, &ctx, &op->scratch);
    for (;;) {
        enum exec_state s = EXEC_ROWS;
        if (!l->is_reading) {
            arena_reset(&l->values);
            l->t = (struct group_table){0};
            l->is_full = false;
            rc = spill_parts_next(&l->parts);
            if (rc < 0)
                return spill_state(op->x, rc, "GROUP BY");
            if (rc == 0)
                break;
            l->is_reading = true;
        }
        if (l->row >= l->rows.rows) {
            l->row = l->rows.rows = 0;
            s = spill_read_rows(&l->parts.reading->stream, &l->rows, l->cells, LATE_CELLS,
                                &l->batch, "GROUP BY");
        }
        l->is_reading = s != EXEC_END;
        if (s == EXEC_PENDING || s == EXEC_ERROR)
            return s;
        for (; l->row < l->rows.rows; l->row++)
            if ((rc = take_late(op, g, &ctx)) != 0)
                return spill_state(op->x, rc, "GROUP BY");
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    spill_parts_free(&l->parts);
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
    if (g->late) {
        arena_reset(&g->seen); /* what was put aside is in no set */
        enum exec_state s = take_all_late(op, g);
        if (s != EXEC_END)
            return s;
    }
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
    arena_init(&g->seen, SIZE_MAX, op->x->budget);
    g->can_spill = can_spill(op);
    g->reserve_part = RESERVE_PART;
    if (g->can_spill && has_sets(op)) {
        g->late = arena_alloc(&op->arena, sizeof *g->late);
        if (!g->late)
            return NULL;
        arena_init(&g->late->values, SIZE_MAX, op->x->budget);
        arena_init(&g->late->batch, SIZE_MAX, op->x->budget);
    }
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
    arena_reset(&g->seen);
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
        if (!g->can_spill || op->plan->u.aggregate.whole || (s = next_part(op, g)) != EXEC_ROWS)
            return s;
    }
}

void exec_aggregate_close(struct exec_op *op)
{
    struct aggregate_exec *g = op->state;

    if (!g)
        return;
    spill_input_free(&g->input);
    if (g->late) {
        spill_parts_free(&g->late->parts);
        arena_fini(&g->late->values);
        arena_fini(&g->late->batch);
    }
    arena_fini(&g->seen);
    arena_fini(&g->groups);
}
