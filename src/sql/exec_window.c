/*
 * Window functions. Rows come sorted by PARTITION BY and ORDER BY; those of a partition are collected,
 * each call is computed for all of them into a cell behind the row's, and they are handed on. Small
 * partitions are handed on together.
 *
 * When all calls need of the rows before but numbers (row_number, rank, running totals), the first rows of a
 * large partition are handed on before it has ended; then its size does not matter. Otherwise a partition
 * must fit into memory (1038).
 */
#include <string.h>

#include "sql/exec.h"
#include "sql/window.h"

enum { ROWS_PER_TURN = 16384, STREAM_ROWS = 8192 };

enum window_stage { STAGE_COLLECT, STAGE_COMPUTE, STAGE_GIVE };

struct window_exec {
    enum window_stage stage;
    struct window_rows rows;
    struct arena kept[2]; /* rows; those that are still needed move from one to the other */
    unsigned current;
    struct arena parts; /* of the partition at work */
    struct rowset in;
    uint32_t row; /* of in: at work */
    bool has_ended, can_stream;
    uint32_t given;
    uint64_t before; /* rows of the partition handed on already */
    struct window_run *runs;
    uint32_t call; /* at work */
};

/* ---- collecting ---- */

static struct window_chunk *new_chunk(struct window_exec *w)
{
    struct window_rows *r = &w->rows;
    struct window_chunk *c = arena_alloc_raw(&w->kept[w->current], sizeof *c);

    if (!c || !(c->cells = arena_alloc_raw(&w->kept[w->current],
                                           (size_t)WINDOW_CHUNK * r->width * sizeof *c->cells)))
        return NULL;
    if (r->n_chunks == r->cap_chunks) {
        uint32_t cap = r->cap_chunks ? r->cap_chunks * 2 : 16;
        struct window_chunk **chunks = arena_alloc(&w->kept[w->current], cap * sizeof(*chunks));
        if (!chunks)
            return NULL;
        if (r->n_chunks)
            memcpy(chunks, r->chunks, r->n_chunks * sizeof(*chunks));
        r->chunks = chunks;
        r->cap_chunks = cap;
    }
    return r->chunks[r->n_chunks++] = c;
}

/* Are these arguments of the calls the same in both rows? */
static bool is_same(const struct plan *p, const struct datum *a, const struct datum *b,
                    uint32_t from, uint32_t n)
{
    const uint32_t *cells = p->u.window.cells[0] + from;

    for (uint32_t i = 0; i < n; i++)
        if (datum_order(&a[cells[i]], &b[cells[i]]) != 0)
            return false;
    return true;
}

static bool is_new_partition(const struct plan *p, struct window_exec *w, const struct datum *row)
{
    const struct window_call *c = p->u.window.calls[0]->u.window;

    return w->rows.n > w->rows.start &&
           !is_same(p, row, window_row(&w->rows, w->rows.n - 1), c->n_values, c->n_partition);
}

static bool take_row(struct exec_op *op, struct window_exec *w, const struct datum *row)
{
    const struct window_call *c = op->plan->u.window.calls[0]->u.window;
    struct window_rows *r = &w->rows;
    uint32_t i = r->n % WINDOW_CHUNK, first = r->n;

    if (i == 0 && !new_chunk(w))
        return false;
    struct window_chunk *chunk = r->chunks[r->n / WINDOW_CHUNK];
    struct datum *to = chunk->cells + (size_t)i * r->width;
    for (uint32_t k = 0; k < op->plan->child->width; k++)
        if (!datum_copy(&to[k], &row[k], &w->kept[w->current]))
            return false;
    if (r->n > r->start &&
        is_same(op->plan, row, window_row(r, r->n - 1), c->n_values + c->n_partition, c->n_order))
        first = window_first_peer(r, r->n - 1);
    chunk->first[i] = first;
    r->n++;
    r->chunks[first / WINDOW_CHUNK]->end[first % WINDOW_CHUNK] = r->n;
    return true;
}

/* The rows of the partition up to `end` are there; those before rows.start are done. */
static void start_rows(const struct plan *p, struct window_exec *w, uint32_t end)
{
    w->rows.end = end;
    w->call = 0;
    for (uint32_t i = 0; i < p->u.window.n_calls; i++) {
        struct window_run *run = &w->runs[i];
        if (!w->before)
            memset(run, 0, sizeof *run);
        run->expr = p->u.window.calls[i];
        run->call = run->expr->u.window;
        run->cells = p->u.window.cells[i];
        run->at = run->lo = run->hi = run->part_from = run->part_to = w->rows.start;
    }
    w->stage = STAGE_COMPUTE;
}

/* Some rows of a large partition may go: those before the peers of the last one. */
static bool is_due(const struct window_exec *w)
{
    const struct window_rows *r = &w->rows;

    return w->can_stream && r->n - r->start >= STREAM_ROWS &&
           window_first_peer(r, r->n - 1) > r->start;
}

/* Rows up to the end of a partition: END when they are there. */
static enum exec_state collect(struct exec_op *op, struct window_exec *w)
{
    for (;;) {
        for (; w->row < w->in.rows; w->row++) {
            const struct datum *row = rowset_row(&w->in, w->row);
            if (is_new_partition(op->plan, w, row)) {
                start_rows(op->plan, w, w->rows.n);
                return EXEC_END;
            }
            if (is_due(w)) {
                start_rows(op->plan, w, window_first_peer(&w->rows, w->rows.n - 1));
                return EXEC_END;
            }
            if (!take_row(op, w, row))
                return exec_no_memory(op->x, "A partition of a window function");
        }
        enum exec_state s = w->has_ended ? EXEC_END : exec_next(op->child, &w->in);
        w->row = 0;
        if (s != EXEC_ROWS)
            w->in.rows = 0;
        if (s == EXEC_PENDING || s == EXEC_ERROR)
            return s;
        if (s == EXEC_END) {
            w->has_ended = true;
            start_rows(op->plan, w, w->rows.n);
            return EXEC_END;
        }
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}

/* ---- computing ---- */

static int64_t tile_of(uint64_t row, uint64_t rows, uint64_t tiles)
{
    uint64_t size = rows / tiles, larger = rows % tiles, in_larger = larger * (size + 1);

    if (row < in_larger)
        return (int64_t)(row / (size + 1) + 1);
    return (int64_t)(larger + (row - in_larger) / size + 1);
}

static void give_value(const struct window_rows *r, const struct window_run *run, uint32_t row,
                       struct datum *out)
{
    *out = window_row(r, row)[run->cells[0]];
}

static void give_neighbour(const struct window_rows *r, const struct window_run *run,
                           struct datum *out)
{
    uint64_t offset = run->call->offset;
    bool is_lead = run->call->op == WINDOW_LEAD;
    uint64_t there = is_lead ? r->end - 1 - run->at : run->at - r->start;

    if (offset <= there)
        give_value(r, run, is_lead ? run->at + (uint32_t)offset : run->at - (uint32_t)offset, out);
    else if (run->call->n_values > 1)
        *out = window_row(r, run->at)[run->cells[1]];
    else
        datum_set_null(out);
}

/* A function of the row's place alone. */
static void give_rank(const struct window_exec *w, struct window_run *run, struct datum *out)
{
    const struct window_rows *r = &w->rows;
    uint32_t first = window_first_peer(r, run->at), n = r->end - r->start;

    switch (run->call->op) {
    case WINDOW_ROW_NUMBER:
        datum_set_int(out, (int64_t)(w->before + run->at - r->start) + 1);
        return;
    case WINDOW_RANK:
        datum_set_int(out, (int64_t)(w->before + first - r->start) + 1);
        return;
    case WINDOW_DENSE_RANK:
        run->rank += first == run->at;
        datum_set_int(out, (int64_t)run->rank);
        return;
    case WINDOW_PERCENT_RANK:
        datum_set_double(out, n == 1 ? 0 : (double)(first - r->start) / (n - 1));
        return;
    case WINDOW_CUME_DIST:
        datum_set_double(out, (double)(window_end_of_peers(r, run->at) - r->start) / n);
        return;
    case WINDOW_NTILE:
        datum_set_int(out, tile_of(run->at - r->start, n, run->call->offset));
        return;
    default:
        give_neighbour(r, run, out);
    }
}

/* The value for row run->at: 1, 0 when the turn ends before, -ENOMEM. */
static int compute(struct window_exec *w, struct window_run *run, struct expr_ctx *x,
                   struct datum *out)
{
    const struct window_rows *r = &w->rows;
    uint32_t n;

    if (run->call->op < WINDOW_FIRST_VALUE) {
        give_rank(w, run, out);
        return 1;
    }
    if (!window_find_frame(r, run))
        return 0;
    if (run->call->op == WINDOW_AGGREGATE)
        return window_aggregate(r, run, x, &w->parts, out);
    n = run->lo < run->hi ? run->hi - run->lo : 0;
    if (n == 0 || (run->call->op == WINDOW_NTH_VALUE && run->call->offset > n))
        datum_set_null(out);
    else if (run->call->op == WINDOW_LAST_VALUE)
        give_value(r, run, run->hi - 1, out);
    else
        give_value(r, run,
                   run->call->op == WINDOW_NTH_VALUE ? run->lo + (uint32_t)run->call->offset - 1
                                                     : run->lo,
                   out);
    return 1;
}

/* All calls for the partition: END when they are done. */
static enum exec_state compute_partition(struct exec_op *op, struct window_exec *w)
{
    const struct plan *p = op->plan;
    struct expr_ctx ctx;
    uint32_t work = ROWS_PER_TURN;

    exec_expr_ctx(op->x, &ctx, &op->scratch);
    for (; w->call < p->u.window.n_calls; w->call++) {
        struct window_run *run = &w->runs[w->call];
        for (run->work = work; run->at < w->rows.end; run->at++) {
            int rc = 0;
            if (run->work) {
                run->work--;
                rc = compute(w, run, &ctx,
                             &window_row(&w->rows, run->at)[p->child->width + w->call]);
            }
            if (rc < 0)
                return exec_no_memory(op->x, "A partition of a window function");
            if (expr_has_failed(&ctx))
                return EXEC_ERROR;
            if (rc == 0) {
                exec_wake(op->x);
                return EXEC_PENDING;
            }
        }
        work = run->work;
    }
    if (w->rows.end < w->rows.n) {
        w->stage = STAGE_GIVE;
        return EXEC_END;
    }
    w->before = 0;
    arena_reset(&w->parts);
    w->rows.start = w->rows.end;
    w->stage = w->has_ended || w->rows.n >= ROWSET_ROWS ? STAGE_GIVE : STAGE_COLLECT;
    return EXEC_END;
}

/* ---- handing on ---- */

/* All rows up to rows.end were handed on: those behind stay. */
static bool drop_rows(struct exec_op *op, struct window_exec *w)
{
    struct window_rows old = w->rows;

    if (old.end < old.n)
        w->before += old.end - old.start;
    w->current ^= 1;
    w->rows = (struct window_rows){.width = old.width};
    for (uint32_t i = old.end; i < old.n; i++)
        if (!take_row(op, w, window_row(&old, i)))
            return false;
    arena_reset(&w->kept[w->current ^ 1]);
    w->given = 0;
    w->stage = STAGE_COLLECT;
    return true;
}

/* ROWS, or END when all are handed on. */
static enum exec_state give(struct exec_op *op, struct window_exec *w, struct rowset *out)
{
    struct window_rows *r = &w->rows;
    uint32_t n = r->end - w->given;

    if (!n)
        return drop_rows(op, w) ? EXEC_END : EXEC_ERROR;
    n = n < WINDOW_CHUNK ? n : WINDOW_CHUNK; /* given is at the begin of a chunk */
    *out = (struct rowset){.cells = window_row(r, w->given), .rows = n, .width = r->width};
    w->given += n;
    return EXEC_ROWS;
}

/* Needs a call nothing of earlier rows but numbers? */
static bool is_running(const struct window_call *c)
{
    if (c->op != WINDOW_AGGREGATE)
        return c->op <= WINDOW_DENSE_RANK;
    enum aggregate_op op = c->aggregate->op;
    return op != AGG_MIN && op != AGG_MAX && op != AGG_ANY &&
           c->from.kind == SQL_BOUND_UNBOUNDED_PRECEDING && c->to.kind == SQL_BOUND_CURRENT_ROW;
}

static struct window_exec *window_open(struct exec_op *op)
{
    const struct plan *p = op->plan;
    struct window_exec *w = op->state = arena_alloc(op->x->arena, sizeof *w);

    if (!w)
        return NULL;
    arena_init(&w->kept[0], SIZE_MAX, op->x->budget);
    arena_init(&w->kept[1], SIZE_MAX, op->x->budget);
    arena_init(&w->parts, SIZE_MAX, op->x->budget);
    w->rows.width = p->width;
    w->can_stream = true;
    for (uint32_t i = 0; i < p->u.window.n_calls; i++)
        w->can_stream = w->can_stream && is_running(p->u.window.calls[i]->u.window);
    w->runs = arena_alloc(&op->arena, p->u.window.n_calls * sizeof *w->runs);
    return w->runs ? w : NULL;
}

enum exec_state exec_window_next(struct exec_op *op, struct rowset *out)
{
    struct window_exec *w = op->state ? op->state : window_open(op);
    enum exec_state s = EXEC_END;

    if (!w)
        return exec_no_memory(op->x, "A window function");
    for (;;) {
        switch (w->stage) {
        case STAGE_COLLECT:
            if (w->has_ended && w->row >= w->in.rows && !w->rows.n)
                return EXEC_END;
            s = collect(op, w);
            break;
        case STAGE_COMPUTE:
            s = compute_partition(op, w);
            break;
        case STAGE_GIVE:
            s = give(op, w, out);
        }
        if (s != EXEC_END)
            return s;
    }
}

void exec_window_close(struct exec_op *op)
{
    struct window_exec *w = op->state;

    if (!w)
        return;
    arena_fini(&w->kept[0]);
    arena_fini(&w->kept[1]);
    arena_fini(&w->parts);
}
