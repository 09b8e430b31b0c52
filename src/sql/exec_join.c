/*
 * Hash join: the rows of one side are collected in a hash table by their keys, the other side
 * probes it. Without keys all rows are one chain (nested loops). Rows of the probing side of an
 * outer join that match nothing are given once with NULLs. NULL keys match nothing.
 *
 * When the table finds no room its side is put aside in 16 parts by the hash of the keys, then the
 * other side in the same way, and each pair of parts is joined like the whole (a grace hash join), in
 * 16 parts of its own if it is still too large.
 */
#include <errno.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/spill_pairs.h"
#include "storage/batch.h"

enum { RESERVE_PART = 16, DUE_ROWS = 64 };

struct join_row {
    struct join_row *next; /* in the chain */
    uint64_t hash;
    struct datum cells[]; /* keys, then the row */
};

/* Rows of one side at hand: of the operator below, or of a part. */
struct join_input {
    struct rowset rows;
    uint32_t row; /* at work; those before are done */
    bool has_ended;
    struct datum *cells; /* rows of parts */
    struct arena arena;  /* their strings */
};

enum join_stage {
    JOIN_BUILD,   /* rows are collected in the table */
    JOIN_EVICT,   /* those of the table are put aside */
    JOIN_SCATTER, /* the other side is put aside */
    JOIN_PROBE,
    JOIN_NEXT, /* the next part */
};

struct join_state {
    enum join_stage stage;
    struct join_row **buckets;
    struct join_row *all; /* while collecting, newest first */
    uint64_t n, mask;
    struct arena built; /* rows and buckets */
    struct join_input build, probe;
    bool can_spill, is_spilled; /* spilled: rows to build of go to the pairs */
    struct spill_pairs pairs;   /* the one read is what is joined now */
    bool matched, in_row;
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

/* The next rows of a side: ROWS, END, PENDING, ERROR. */
static enum exec_state want_rows(struct exec_op *op, struct join_state *j, struct join_input *in)
{
    bool builds = in == &j->build;
    struct exec_op *side = builds ? build_side(op) : probe_side(op);
    struct spill_pair *pair = j->pairs.reading;

    if (in->row < in->rows.rows)
        return EXEC_ROWS;
    in->row = in->rows.rows = 0;
    if (in->has_ended)
        return EXEC_END;
    enum exec_state s = pair ? spill_read_rows(builds ? &pair->build : &pair->probe, &in->rows,
                                               in->cells, side->plan->width, &in->arena, "The join")
                             : exec_next(side, &in->rows);
    if (s != EXEC_ROWS)
        in->rows.rows = 0;
    in->has_ended = s == EXEC_END;
    return s;
}

static bool add_build_row(struct exec_op *op, struct join_state *j, const struct datum *row,
                          uint64_t hash)
{
    uint32_t width = build_side(op)->plan->width, keys = op->plan->u.join.n_keys;
    struct join_row *r = arena_alloc(&j->built, sizeof *r + (keys + width) * sizeof *row);

    if (!r)
        return false;
    for (uint32_t i = 0; i < keys; i++)
        if (!datum_copy(&r->cells[i], &j->key[i], &j->built))
            return false;
    for (uint32_t i = 0; i < width; i++)
        if (!datum_copy(&r->cells[keys + i], &row[i], &j->built))
            return false;
    r->hash = hash;
    r->next = j->all;
    j->all = r;
    j->n++;
    return true;
}

/* A row of the side to build of: 0, -EAGAIN with the row still to be done, or an error. */
static int take_build_row(struct exec_op *op, struct join_state *j, const struct datum *row,
                          struct expr_ctx *ctx)
{
    uint64_t hash;

    if (!make_key(op, build_side(op), row, ctx, j->key, &hash))
        return expr_has_failed(ctx) ? -EINVAL : 0; /* never matches */
    if (j->is_spilled)
        return spill_pairs_put(op->x, &j->pairs, true, hash, row, build_side(op)->plan->width);
    bool is_added = add_build_row(op, j, row, hash);
    if (j->can_spill &&
        (!is_added ||
         (j->n % DUE_ROWS == 0 &&
          spill_is_due(op->x, j->built.used, j->n * 2 * sizeof *j->buckets, RESERVE_PART)))) {
        j->stage = JOIN_EVICT;
        j->is_spilled = true;
        return is_added ? 0 : -EAGAIN;
    }
    return is_added ? 0 : -ENOMEM;
}

/* The keys of the table go to the scans of the other side that need no others. */
static void reduce_probe(struct exec_op *op, struct join_state *j)
{
    const struct plan_reductions *to = &op->plan->u.join.reductions;

    for (uint32_t i = 0; i < to->n && !j->pairs.reading; i++) {
        if (!j->n || j->n > BATCH_MAX_ROWS || j->n > to->list[i].rows)
            continue;
        int64_t *values = arena_alloc_raw(&op->scratch, j->n * sizeof *values);
        uint32_t n = 0, key = to->list[i].key;
        for (const struct join_row *r = values ? j->all : NULL; r; r = r->next)
            if (r->cells[key].kind == DATUM_INT && (!n || values[n - 1] != r->cells[key].i))
                values[n++] = r->cells[key].i;
        if (values)
            exec_reduce(op, &to->list[i], values, n);
        arena_reset(&op->scratch);
    }
}

static bool make_buckets(struct join_state *j)
{
    uint64_t n = 16;

    while (n < j->n)
        n *= 2;
    j->mask = n - 1;
    j->buckets = arena_alloc(&j->built, n * sizeof *j->buckets);
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

/* Collects until the end of the side, or until the table has to be evicted (the stage tells): END. */
static enum exec_state build(struct exec_op *op, struct join_state *j)
{
    struct join_input *in = &j->build;
    struct expr_ctx ctx;

    if (j->can_spill && spill_begin(op->x) != 0)
        return EXEC_PENDING;
    exec_expr_ctx(op->x, &ctx, &op->scratch);
    for (;;) {
        enum exec_state s = want_rows(op, j, in);
        if (s == EXEC_END)
            break;
        if (s != EXEC_ROWS)
            return s;
        int rc = j->can_spill ? spill_admit(op->x, j->built.used) : 0;
        if (rc != 0)
            return spill_state(op->x, rc, "The join");
        arena_reset(&op->scratch);
        while (in->row < in->rows.rows) {
            rc = take_build_row(op, j, rowset_row(&in->rows, in->row), &ctx);
            in->row += rc == 0;
            if (j->stage == JOIN_EVICT)
                return EXEC_END;
            if (rc != 0)
                return spill_state(op->x, rc, "The join");
        }
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    exec_reduce_forget(op->x, op->plan); /* of a run before this one */
    if (!j->is_spilled)
        reduce_probe(op, j);
    if (!j->is_spilled && !make_buckets(j))
        return exec_no_memory(op->x, "The join");
    j->stage = j->is_spilled ? JOIN_SCATTER : JOIN_PROBE;
    return EXEC_END;
}

/* The rows of the table go to their parts. */
static enum exec_state evict(struct exec_op *op, struct join_state *j)
{
    uint32_t keys = op->plan->u.join.n_keys, width = build_side(op)->plan->width;

    for (; j->all; j->all = j->all->next) {
        int rc = spill_pairs_put(op->x, &j->pairs, true, j->all->hash, j->all->cells + keys, width);
        if (rc != 0)
            return spill_state(op->x, rc, "The join");
    }
    j->n = 0;
    arena_reset(&j->built);
    j->stage = JOIN_BUILD;
    return EXEC_END;
}

/* A row of the probing side goes to its part, unless nothing there can match it. */
static int scatter_row(struct exec_op *op, struct join_state *j, const struct datum *row,
                       struct expr_ctx *ctx)
{
    bool outer = op->plan->u.join.form != JOIN_INNER;
    uint64_t hash = 0;

    if (!make_key(op, probe_side(op), row, ctx, j->key, &hash)) {
        if (expr_has_failed(ctx))
            return -EINVAL;
        if (!outer)
            return 0;
        hash = 0; /* given with NULLs by any part */
    }
    if (!outer && !spill_pairs_has(&j->pairs, hash))
        return 0;
    return spill_pairs_put(op->x, &j->pairs, false, hash, row, probe_side(op)->plan->width);
}

static enum exec_state scatter(struct exec_op *op, struct join_state *j)
{
    struct join_input *in = &j->probe;
    struct expr_ctx ctx;
    int rc = spill_pairs_finish(&j->pairs, true); /* their buffers are needed now */

    if (rc != 0)
        return spill_state(op->x, rc, "The join");
    exec_expr_ctx(op->x, &ctx, &op->scratch);
    for (;;) {
        enum exec_state s = want_rows(op, j, in);
        if (s == EXEC_END)
            break;
        if (s != EXEC_ROWS)
            return s;
        arena_reset(&op->scratch);
        for (; in->row < in->rows.rows; in->row++)
            if ((rc = scatter_row(op, j, rowset_row(&in->rows, in->row), &ctx)) != 0)
                return spill_state(op->x, rc, "The join");
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    if ((rc = spill_pairs_finish(&j->pairs, false)) != 0)
        return spill_state(op->x, rc, "The join");
    j->stage = JOIN_NEXT;
    return EXEC_END;
}

/* Makes the next part the one that is joined; END when there is none. */
static enum exec_state next_part(struct join_state *j)
{
    if (!spill_pairs_next(&j->pairs))
        return EXEC_END;
    arena_reset(&j->built);
    j->all = NULL;
    j->n = 0;
    j->is_spilled = j->in_row = false;
    j->build.has_ended = j->probe.has_ended = false;
    j->stage = JOIN_BUILD;
    return EXEC_ROWS;
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
    const struct datum *row = rowset_row(&j->probe.rows, j->probe.row);

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

    while (j->probe.row < j->probe.rows.rows && n < ROWSET_ROWS && looked < 64 * ROWSET_ROWS) {
        const struct datum *row = rowset_row(&j->probe.rows, j->probe.row);
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
        j->probe.row++;
    }
    op->x->work += looked / ROWSET_ROWS; /* counts as batches: the loop has its turn in time */
    return n;
}

static bool is_fixed(struct expr *e, void *ctx)
{
    (void)ctx;
    return !e->volatile_;
}

/* Rows are put aside by keys that are the same when they are computed again. */
static bool can_spill(const struct exec_op *op)
{
    for (uint32_t i = 0; i < op->plan->u.join.n_keys; i++) {
        const struct plan_key *k = &op->plan->u.join.keys[i];
        if (!expr_walk(k->left, is_fixed, NULL) || !expr_walk(k->right, is_fixed, NULL))
            return false;
    }
    return op->plan->u.join.n_keys && spill_is_possible(op->x);
}

static struct join_state *join_open(struct exec_op *op)
{
    struct join_state *j = op->state = arena_alloc(&op->arena, sizeof *j);

    if (!j)
        return NULL;
    arena_init(&j->built, SIZE_MAX, op->x->budget);
    arena_init(&j->build.arena, SIZE_MAX, op->x->budget);
    arena_init(&j->probe.arena, SIZE_MAX, op->x->budget);
    j->can_spill = can_spill(op);
    j->cells = exec_cells(op, op->plan->width);
    j->key = arena_alloc(&op->arena, (op->plan->u.join.n_keys + 1) * sizeof *j->key);
    j->padding = arena_alloc(&op->arena, (build_side(op)->plan->width + 1) * sizeof *j->padding);
    return j->cells && j->key && j->padding ? j : NULL;
}

/* Room for rows of parts, once there are any. */
static bool open_parts(struct exec_op *op, struct join_state *j)
{
    return (j->build.cells || (j->build.cells = exec_cells(op, build_side(op)->plan->width))) &&
           (j->probe.cells || (j->probe.cells = exec_cells(op, probe_side(op)->plan->width)));
}

/* Rows of the probing side, joined: ROWS, END when they have ended, PENDING, ERROR. */
static enum exec_state probe(struct exec_op *op, struct join_state *j, struct rowset *out)
{
    struct expr_ctx ctx;

    if (j->n == 0 && op->plan->u.join.form == JOIN_INNER)
        return EXEC_END;
    exec_expr_ctx(op->x, &ctx, &op->scratch);
    /* What conditions left in scratch memory goes; the key at hand is made again. */
    if (j->in_row) {
        arena_reset(&op->scratch);
        make_key(op, probe_side(op), rowset_row(&j->probe.rows, j->probe.row), &ctx, j->key,
                 &j->hash);
    }
    for (;;) {
        if (j->probe.row >= j->probe.rows.rows) {
            enum exec_state s = want_rows(op, j, &j->probe);
            if (s != EXEC_ROWS)
                return s;
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

enum exec_state exec_join_next(struct exec_op *op, struct rowset *out)
{
    struct join_state *j = op->state ? op->state : join_open(op);
    enum exec_state s = EXEC_END;

    while (j) {
        switch (j->stage) {
        case JOIN_BUILD:
            s = build(op, j);
            break;
        case JOIN_EVICT:
            s = evict(op, j);
            break;
        case JOIN_SCATTER:
            s = scatter(op, j);
            break;
        case JOIN_PROBE:
            s = probe(op, j, out);
            if (s == EXEC_END)
                j->stage = JOIN_NEXT;
            break;
        case JOIN_NEXT:
            s = next_part(j);
            if (s == EXEC_END)
                return s;
            if (!open_parts(op, j))
                return EXEC_ERROR;
            s = EXEC_END;
            break;
        }
        if (s != EXEC_END)
            return s;
    }
    return exec_no_memory(op->x, "The join");
}

void exec_join_close(struct exec_op *op)
{
    struct join_state *j = op->state;

    if (!j)
        return;
    spill_pairs_free(&j->pairs);
    arena_fini(&j->built);
    arena_fini(&j->build.arena);
    arena_fini(&j->probe.arena);
}
