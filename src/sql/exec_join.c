/*
 * Hash join: the rows of one side are collected in a hash table by their keys, the other side
 * probes it. Without keys all rows are one chain (nested loops). Rows of the probing side of an
 * outer join that match nothing are given once with NULLs. NULL keys match nothing.
 */
#include <string.h>

#include "sql/exec.h"

struct join_row {
    struct join_row *next; /* in the chain */
    uint64_t hash;
    struct datum cells[]; /* keys, then the row */
};

struct join_state {
    struct join_row **buckets;
    struct join_row *all; /* while collecting, newest first */
    uint64_t n, mask;
    bool built;
    struct rowset probe;
    uint32_t row; /* of probe */
    bool probing, matched, in_row;
    uint64_t hash;
    struct join_row *at; /* next candidate */
    struct datum *key, *cells, *padding;
};

static struct exec_op *build_side(struct exec_op *op)
{
    return op->plan->u.join.build_left ? op->child : op->right;
}

static struct exec_op *probe_side(struct exec_op *op)
{
    return op->plan->u.join.build_left ? op->right : op->child;
}

/* Keys of a row of one side; false when one is NULL or cannot be compared. */
static bool make_key(struct exec_op *op, const struct exec_op *side, const struct datum *row,
                     struct expr_ctx *ctx, struct datum *key, uint64_t *hash)
{
    bool left = side == op->child;
    uint64_t h = 0x2545f491;

    ctx->row = row;
    ctx->base = side->plan->base;
    for (uint32_t i = 0; i < op->plan->u.join.n_keys; i++) {
        const struct plan_key *k = &op->plan->u.join.keys[i];
        const struct expr *e = left ? k->left : k->right;
        expr_eval(e, ctx, &key[i]);
        datum_round_to_type(&key[i], &e->type);
        if (key[i].kind == DATUM_NULL || !datum_normalise(&key[i], k->class))
            return false;
        h = datum_hash(&key[i], h);
    }
    *hash = h;
    return true;
}

static bool take_build_row(struct exec_op *op, struct join_state *j, const struct datum *row,
                           struct expr_ctx *ctx)
{
    struct exec_op *side = build_side(op);
    uint32_t width = side->plan->width, keys = op->plan->u.join.n_keys;
    uint64_t hash;

    if (!make_key(op, side, row, ctx, j->key, &hash))
        return true; /* never matches */
    struct join_row *r = arena_alloc(&op->arena, sizeof *r + (keys + width) * sizeof *row);
    if (!r)
        return false;
    for (uint32_t i = 0; i < keys; i++)
        if (!datum_copy(&r->cells[i], &j->key[i], &op->arena))
            return false;
    for (uint32_t i = 0; i < width; i++)
        if (!datum_copy(&r->cells[keys + i], &row[i], &op->arena))
            return false;
    r->hash = hash;
    r->next = j->all;
    j->all = r;
    j->n++;
    return true;
}

static bool make_buckets(struct exec_op *op, struct join_state *j)
{
    uint64_t n = 16;

    while (n < j->n)
        n *= 2;
    j->mask = n - 1;
    j->buckets = arena_alloc(&op->arena, n * sizeof *j->buckets);
    if (!j->buckets)
        return false;
    /* Newest first becomes oldest first: matches come in the order of the table. */
    while (j->all) {
        struct join_row *r = j->all;
        j->all = r->next;
        r->next = j->buckets[r->hash & j->mask];
        j->buckets[r->hash & j->mask] = r;
    }
    return true;
}

static enum exec_state build(struct exec_op *op, struct join_state *j)
{
    struct rowset in;
    struct expr_ctx ctx;

    exec_expr_ctx(op->x, &ctx, &op->scratch);
    for (;;) {
        enum exec_state s = exec_next(build_side(op), &in);
        if (s == EXEC_END)
            break;
        if (s != EXEC_ROWS)
            return s;
        arena_reset(&op->scratch);
        for (uint32_t i = 0; i < in.rows; i++)
            if (!take_build_row(op, j, rowset_row(&in, i), &ctx))
                return exec_no_memory(op->x, "The join");
        if (expr_has_failed(&ctx))
            return EXEC_ERROR;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    if (!make_buckets(op, j))
        return exec_no_memory(op->x, "The join");
    j->built = true;
    return EXEC_END;
}

static bool keys_match(const struct exec_op *op, const struct join_state *j,
                       const struct join_row *r)
{
    if (r->hash != j->hash)
        return false;
    for (uint32_t i = 0; i < op->plan->u.join.n_keys; i++)
        if (!datum_is_same(&r->cells[i], &j->key[i]))
            return false;
    return true;
}

/* The joined row: left cells, then right cells. */
static void put_row(struct exec_op *op, struct datum *to, const struct datum *probe,
                    const struct datum *built)
{
    uint32_t l = op->child->plan->width, r = op->right->plan->width;

    memcpy(to, op->plan->u.join.build_left ? built : probe, l * sizeof *to);
    memcpy(to + l, op->plan->u.join.build_left ? probe : built, r * sizeof *to);
}

static bool residual_holds(struct exec_op *op, struct expr_ctx *ctx, const struct datum *row)
{
    ctx->row = row;
    ctx->base = op->plan->base;
    for (uint32_t i = 0; i < op->plan->u.join.n_residual; i++)
        if (!expr_is_true(op->plan->u.join.residual[i], ctx))
            return false;
    return true;
}

/* Starts with the next probe row. */
static void begin_row(struct exec_op *op, struct join_state *j, struct expr_ctx *ctx)
{
    const struct datum *row = rowset_row(&j->probe, j->row);

    j->in_row = true;
    j->matched = false;
    j->at = make_key(op, probe_side(op), row, ctx, j->key, &j->hash) ? j->buckets[j->hash & j->mask]
                                                                     : NULL;
}

/* Fills the output from the probe rows at hand. Candidates looked at are bounded per call. */
static uint32_t probe_rows(struct exec_op *op, struct join_state *j, struct expr_ctx *ctx)
{
    uint32_t n = 0, looked = 0, width = op->plan->width, keys = op->plan->u.join.n_keys;
    bool outer = op->plan->u.join.form != JOIN_INNER;

    while (j->row < j->probe.rows && n < ROWSET_ROWS && looked < 64 * ROWSET_ROWS) {
        const struct datum *row = rowset_row(&j->probe, j->row);
        if (!j->in_row)
            begin_row(op, j, ctx);
        for (; j->at && n < ROWSET_ROWS && looked < 64 * ROWSET_ROWS; j->at = j->at->next) {
            looked++;
            if (!keys_match(op, j, j->at))
                continue;
            struct datum *to = j->cells + (size_t)n * width;
            put_row(op, to, row, j->at->cells + keys);
            if (!residual_holds(op, ctx, to))
                continue;
            j->matched = true;
            n++;
        }
        if (j->at)
            break;
        if (outer && !j->matched) {
            if (n == ROWSET_ROWS)
                break;
            put_row(op, j->cells + (size_t)n * width, row, j->padding);
            n++;
        }
        j->in_row = false;
        j->row++;
    }
    return n;
}

static bool join_open(struct exec_op *op)
{
    struct join_state *j = op->state = arena_alloc(op->x->arena, sizeof *j);

    if (!j)
        return false;
    j->cells = exec_cells(op, op->plan->width);
    j->key = arena_alloc(&op->arena, (op->plan->u.join.n_keys + 1) * sizeof *j->key);
    j->padding = arena_alloc(&op->arena, (build_side(op)->plan->width + 1) * sizeof *j->padding);
    return j->cells && j->key && j->padding;
}

enum exec_state exec_join_next(struct exec_op *op, struct rowset *out)
{
    struct join_state *j = op->state;
    struct expr_ctx ctx;

    if (!j) {
        if (!join_open(op))
            return exec_no_memory(op->x, "The join");
        j = op->state;
    }
    if (!j->built) {
        enum exec_state s = build(op, j);
        if (s != EXEC_END)
            return s;
    }
    if (j->n == 0 && op->plan->u.join.form == JOIN_INNER)
        return EXEC_END;
    exec_expr_ctx(op->x, &ctx, &op->scratch);
    /* What conditions left in scratch memory goes; the key at hand is made again. */
    if (j->in_row) {
        arena_reset(&op->scratch);
        make_key(op, probe_side(op), rowset_row(&j->probe, j->row), &ctx, j->key, &j->hash);
    }
    for (;;) {
        if (!j->probing || j->row >= j->probe.rows) {
            enum exec_state s = exec_next(probe_side(op), &j->probe);
            if (s != EXEC_ROWS)
                return s;
            j->probing = true;
            j->row = 0;
            j->in_row = false;
            arena_reset(&op->scratch);
        }
        uint32_t n = probe_rows(op, j, &ctx);
        if (expr_has_failed(&ctx))
            return EXEC_ERROR;
        *out = (struct rowset){.cells = j->cells, .rows = n, .width = op->plan->width};
        if (n)
            return EXEC_ROWS;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}
