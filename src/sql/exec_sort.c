/*
 * Sorting: rows are collected in runs, each sorted when it is full, and merged through a heap of
 * runs; so no call works long. With a limit, what cannot be among the first rows is dropped on the
 * way. The order of equal rows is that of their arrival.
 *
 * When memory ends the runs are merged into one in the temporary file, and collecting goes on; at the end
 * runs in the file are merged in the same way, 16 at a time while there are more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/spill.h"

enum { RUN_ROWS = 8192, RESERVE_PART = 16, DUE_ROWS = 64, FAN_IN = SPILL_PARTS };

struct sort_row {
    uint64_t number;
    struct datum *cells;
};

/* Rows in order: in memory, or in the file; then `head` is the row at hand, in cells and arena. */
struct sort_run {
    struct sort_run *next;
    struct sort_row *rows;
    uint32_t n, at;
    bool is_stream, has_head;
    struct sort_row head;
    struct spill_stream stream;
    struct arena arena;
};

enum sort_stage {
    SORT_COLLECT,
    SORT_WRITE, /* what is in the heap goes to a new run in the file */
    SORT_OPEN,  /* the first rows of runs in the file are read */
    SORT_GIVE,
};

struct sort_state {
    enum sort_stage stage;
    struct arena kept[2]; /* rows; with a limit the survivors move from one to the other */
    unsigned current;
    struct sort_run *runs; /* full ones in memory */
    struct sort_run *open;
    uint32_t n_runs;
    struct sort_run *spilled, **spilled_end; /* in the file, oldest first */
    uint32_t n_spilled;
    struct sort_run *writing;
    struct sort_run **heap;
    uint32_t n_heap;
    struct sort_run *loading[FAN_IN]; /* of SORT_OPEN: what the heap is made of */
    uint32_t n_loading;
    bool top_is_taken; /* the heap's first run has to go on to its next row */
    uint64_t number;
    struct rowset in;
    uint32_t row;   /* of in: at work */
    bool has_ended; /* the input */
    struct datum *cells;
    struct datum *record; /* a row in the file: cells, number */
    struct arena given;   /* strings of rows from the file */
    bool bounded, can_spill;
    uint64_t limit;
};

static int compare_cells(const struct plan *p, const struct datum *a, const struct datum *b)
{
    for (uint32_t i = 0; i < p->u.sort.n_keys; i++) {
        const struct plan_order *k = &p->u.sort.keys[i];
        int c = datum_order(&a[k->cell], &b[k->cell]);
        if (c)
            return k->descending ? -c : c;
    }
    return 0;
}

static int compare_rows(const void *p, const void *q, void *ctx)
{
    const struct sort_row *a = p, *b = q;
    int c = compare_cells(ctx, a->cells, b->cells);

    return c ? c : (a->number > b->number) - (a->number < b->number);
}

static struct sort_run *new_run(struct sort_state *s, uint32_t cap)
{
    struct arena *a = &s->kept[s->current];
    struct sort_run *r = arena_alloc(a, sizeof *r);

    return r && (r->rows = arena_alloc(a, cap * sizeof *r->rows)) ? r : NULL;
}

static bool copy_row(struct arena *a, struct sort_row *to, const struct datum *cells,
                     uint32_t width, uint64_t number)
{
    to->cells = arena_alloc(a, (width ? width : 1) * sizeof *cells);
    to->number = number;
    if (!to->cells)
        return false;
    for (uint32_t i = 0; i < width; i++)
        if (!datum_copy(&to->cells[i], &cells[i], a))
            return false;
    return true;
}

static uint32_t run_capacity(const struct sort_state *s)
{
    return s->bounded ? (uint32_t)s->limit * 2 : RUN_ROWS;
}

/* Bounded: the first `limit` rows are kept, in the other arena. */
static bool shrink(struct exec_op *op, struct sort_state *s)
{
    struct sort_run *old = s->open, *r;
    uint32_t keep = old->n < s->limit ? old->n : (uint32_t)s->limit;

    qsort_r(old->rows, old->n, sizeof *old->rows, compare_rows, (void *)(uintptr_t)op->plan);
    s->current ^= 1;
    r = new_run(s, run_capacity(s));
    if (!r)
        return false;
    for (uint32_t i = 0; i < keep; i++)
        if (!copy_row(&s->kept[s->current], &r->rows[i], old->rows[i].cells, op->plan->width,
                      old->rows[i].number))
            return false;
    r->n = keep;
    s->open = r;
    arena_reset(&s->kept[s->current ^ 1]);
    return true;
}

static void close_run(struct exec_op *op, struct sort_state *s)
{
    if (!s->open || !s->open->n)
        return;
    qsort_r(s->open->rows, s->open->n, sizeof *s->open->rows, compare_rows,
            (void *)(uintptr_t)op->plan);
    s->open->next = s->runs;
    s->runs = s->open;
    s->n_runs++;
    s->open = NULL;
}

/* 0, -EAGAIN when memory has ended and the row is still to be done, or an error. */
static int take_row(struct exec_op *op, struct sort_state *s, const struct datum *cells)
{
    if (!s->open && !(s->open = new_run(s, run_capacity(s))))
        return s->can_spill && s->n_runs ? -EAGAIN : -ENOMEM;
    struct sort_run *r = s->open;
    if (!copy_row(&s->kept[s->current], &r->rows[r->n], cells, op->plan->width, s->number))
        return s->can_spill && (s->n_runs || r->n) ? -EAGAIN : -ENOMEM;
    s->number++;
    r->n++;
    if (r->n < run_capacity(s))
        return 0;
    if (s->bounded)
        return shrink(op, s) ? 0 : -ENOMEM;
    close_run(op, s);
    return 0;
}

/* ---- merging ---- */

static const struct sort_row *row_of(const struct sort_run *r)
{
    return r->is_stream ? &r->head : &r->rows[r->at];
}

static int compare_runs(const struct exec_op *op, const struct sort_run *a,
                        const struct sort_run *b)
{
    return compare_rows(row_of(a), row_of(b), (void *)(uintptr_t)op->plan);
}

static void sift_down(const struct exec_op *op, struct sort_state *s, uint32_t i)
{
    for (;;) {
        uint32_t l = 2 * i + 1, m = i;
        if (l < s->n_heap && compare_runs(op, s->heap[l], s->heap[m]) < 0)
            m = l;
        if (l + 1 < s->n_heap && compare_runs(op, s->heap[l + 1], s->heap[m]) < 0)
            m = l + 1;
        if (m == i)
            return;
        struct sort_run *t = s->heap[i];
        s->heap[i] = s->heap[m];
        s->heap[m] = t;
        i = m;
    }
}

static void order_heap(const struct exec_op *op, struct sort_state *s)
{
    for (uint32_t i = s->n_heap / 2; i-- > 0;)
        sift_down(op, s, i);
    s->top_is_taken = false;
}

/* A heap of the runs in memory. */
static bool build_heap(struct exec_op *op, struct sort_state *s)
{
    close_run(op, s);
    s->heap = arena_alloc(&s->kept[s->current], (s->n_runs + 1) * sizeof *s->heap);
    if (!s->heap)
        return false;
    s->n_heap = 0;
    for (struct sort_run *r = s->runs; r; r = r->next)
        s->heap[s->n_heap++] = r;
    order_heap(op, s);
    return true;
}

static void free_run(struct sort_run *r)
{
    if (!r)
        return;
    spill_stream_free(&r->stream);
    arena_fini(&r->arena);
    free(r);
}

/* The next row of a run in the file: 1, 0 at its end, -EAGAIN, or an error. */
static int read_head(struct exec_op *op, struct sort_state *s, struct sort_run *r)
{
    uint32_t width = op->plan->width;

    arena_reset(&r->arena);
    int rc = spill_read(&r->stream, s->record, width + 1, &r->arena);
    if (rc != 1)
        return rc;
    memcpy(r->head.cells, s->record, width * sizeof *s->record);
    r->head.number = s->record[width].u;
    return 1;
}

/* The first run in the order: 1, 0 when all have ended, -EAGAIN, or an error. */
static int top_run(struct exec_op *op, struct sort_state *s, struct sort_run **top)
{
    if (s->n_heap && s->top_is_taken) {
        struct sort_run *r = s->heap[0];
        int rc = r->is_stream ? read_head(op, s, r) : ++r->at < r->n;
        if (rc < 0)
            return rc;
        if (rc == 0) {
            s->heap[0] = s->heap[--s->n_heap];
            if (r->is_stream)
                free_run(r);
        }
        s->top_is_taken = false;
        if (s->n_heap)
            sift_down(op, s, 0);
    }
    *top = s->n_heap ? s->heap[0] : NULL;
    return *top != NULL;
}

/* ---- runs in the file ---- */

/* A run to be written, with room for its row at hand when it is read. */
static struct sort_run *new_spilled(struct exec_op *op)
{
    struct sort_run *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    arena_init(&r->arena, SIZE_MAX, op->x->budget);
    r->is_stream = true;
    return r;
}

/* The runs in the heap become one in the file. */
static enum exec_state write_run(struct exec_op *op, struct sort_state *s)
{
    uint32_t width = op->plan->width;
    struct sort_run *top;
    int rc;

    if (!s->writing && !(s->writing = new_spilled(op)))
        return exec_no_memory(op->x, "ORDER BY");
    for (uint32_t n = 0; (rc = top_run(op, s, &top)) == 1; n++) {
        const struct sort_row *row = row_of(top);
        if (n == RUN_ROWS) {
            exec_wake(op->x);
            return EXEC_PENDING;
        }
        memcpy(s->record, row->cells, width * sizeof *s->record);
        datum_set_uint(&s->record[width], row->number);
        rc = spill_write(op->x, &s->writing->stream, s->record, width + 1);
        if (rc != 0)
            return spill_state(op->x, rc, "ORDER BY");
        s->top_is_taken = true;
    }
    if (rc == 0)
        rc = spill_finish(&s->writing->stream);
    if (rc != 0)
        return spill_state(op->x, rc, "ORDER BY");
    *s->spilled_end = s->writing;
    s->spilled_end = &s->writing->next;
    s->n_spilled++;
    s->writing = NULL;
    s->runs = s->open = NULL;
    s->n_runs = 0;
    s->heap = NULL;
    arena_reset(&s->kept[s->current]);
    s->stage = s->has_ended ? SORT_OPEN : SORT_COLLECT;
    return EXEC_END;
}

/* A heap of the oldest runs in the file, of all of them when they are few enough to be given at once. */
static enum exec_state open_spilled(struct exec_op *op, struct sort_state *s)
{
    uint32_t width = op->plan->width;

    if (!s->n_loading)
        for (; s->spilled && s->n_loading < FAN_IN; s->n_spilled--) {
            s->loading[s->n_loading++] = s->spilled;
            s->spilled = s->spilled->next;
        }
    if (!s->spilled)
        s->spilled_end = &s->spilled;
    for (uint32_t i = 0; i < s->n_loading; i++) {
        struct sort_run *r = s->loading[i];
        if (r->has_head)
            continue;
        if (!r->head.cells &&
            !(r->head.cells = arena_alloc(&op->arena, (width ? width : 1) * sizeof *s->cells)))
            return exec_no_memory(op->x, "ORDER BY");
        int rc = read_head(op, s, r);
        if (rc < 0)
            return spill_state(op->x, rc, "ORDER BY");
        r->has_head = true; /* there is one: no run is empty */
    }
    s->heap = arena_alloc(&s->kept[s->current], FAN_IN * sizeof *s->heap);
    if (!s->heap)
        return exec_no_memory(op->x, "ORDER BY");
    s->n_heap = s->n_loading;
    memcpy(s->heap, s->loading, s->n_loading * sizeof *s->heap);
    s->n_loading = 0;
    order_heap(op, s);
    s->stage = s->spilled ? SORT_WRITE : SORT_GIVE;
    return EXEC_END;
}

/* ---- collecting ---- */

static bool is_due(struct exec_op *op, const struct sort_state *s)
{
    return s->can_spill && s->number % DUE_ROWS == 0 &&
           spill_is_due(op->x, s->kept[s->current].used,
                        RUN_ROWS * sizeof(struct sort_row) + s->n_runs * sizeof *s->heap,
                        RESERVE_PART);
}

/* The rows at hand; the stage tells when memory ended. 0, -EAGAIN, or an error. */
static int take_rows(struct exec_op *op, struct sort_state *s)
{
    int rc = s->can_spill ? spill_admit(op->x, s->kept[s->current].used) : 0;

    while (rc == 0 && s->row < s->in.rows && s->stage == SORT_COLLECT) {
        rc = take_row(op, s, rowset_row(&s->in, s->row));
        s->row += rc == 0;
        if (rc == -EAGAIN || (rc == 0 && is_due(op, s))) {
            s->stage = SORT_WRITE;
            rc = build_heap(op, s) ? 0 : -ENOMEM;
        }
    }
    return rc;
}

static enum exec_state collect(struct exec_op *op, struct sort_state *s)
{
    if (s->can_spill && spill_begin(op->x) != 0)
        return EXEC_PENDING;
    for (;;) {
        if (s->row >= s->in.rows) {
            enum exec_state r = s->has_ended ? EXEC_END : exec_next(op->child, &s->in);
            s->row = 0;
            if (r != EXEC_ROWS)
                s->in.rows = 0;
            if (r == EXEC_END)
                break;
            if (r != EXEC_ROWS)
                return r;
        }
        int rc = take_rows(op, s);
        if (rc != 0)
            return spill_state(op->x, rc, "ORDER BY");
        if (s->stage != SORT_COLLECT)
            return EXEC_END;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    s->has_ended = true;
    if (!build_heap(op, s))
        return exec_no_memory(op->x, "ORDER BY");
    s->stage = !s->spilled ? SORT_GIVE : s->n_heap ? SORT_WRITE : SORT_OPEN;
    return EXEC_END;
}

static bool sort_open(struct exec_op *op)
{
    struct sort_state *s = op->state = arena_alloc(op->x->arena, sizeof *s);

    if (!s)
        return false;
    arena_init(&s->kept[0], SIZE_MAX, op->x->budget);
    arena_init(&s->kept[1], SIZE_MAX, op->x->budget);
    arena_init(&s->given, SIZE_MAX, op->x->budget);
    s->spilled_end = &s->spilled;
    s->limit = op->plan->u.sort.limit;
    s->bounded = s->limit <= 100000;
    if (s->bounded && s->limit < 256)
        s->limit = 256; /* the limit operator above cuts exactly */
    s->can_spill = !s->bounded && spill_is_possible(op->x);
    s->record = arena_alloc(&op->arena, (op->plan->width + 1) * sizeof *s->record);
    s->cells = exec_cells(op, op->plan->width);
    return s->cells && s->record;
}

/* Rows in order: ROWS, END, PENDING, ERROR. */
static enum exec_state give(struct exec_op *op, struct sort_state *s, struct rowset *out)
{
    uint32_t n = 0, width = op->plan->width;
    struct sort_run *top;
    int rc = 0;

    arena_reset(&s->given);
    for (; n < ROWSET_ROWS && (rc = top_run(op, s, &top)) == 1; n++) {
        struct datum *to = s->cells + (size_t)n * width;
        const struct datum *from = row_of(top)->cells;
        if (!top->is_stream)
            memcpy(to, from, width * sizeof *to);
        for (uint32_t i = 0; top->is_stream && i < width; i++)
            if (!datum_copy(&to[i], &from[i], &s->given))
                return exec_no_memory(op->x, "ORDER BY");
        s->top_is_taken = true;
    }
    *out = (struct rowset){.cells = s->cells, .rows = n, .width = width};
    if (rc < 0 && (rc != -EAGAIN || !n))
        return spill_state(op->x, rc, "ORDER BY");
    return n ? EXEC_ROWS : EXEC_END;
}

enum exec_state exec_sort_next(struct exec_op *op, struct rowset *out)
{
    enum exec_state r = EXEC_END;

    if (!op->state && !sort_open(op))
        return exec_no_memory(op->x, "ORDER BY");
    struct sort_state *s = op->state;
    while (r == EXEC_END && s->stage != SORT_GIVE)
        r = s->stage == SORT_COLLECT ? collect(op, s)
            : s->stage == SORT_WRITE ? write_run(op, s)
                                     : open_spilled(op, s);
    return r == EXEC_END ? give(op, s, out) : r;
}

void exec_sort_close(struct exec_op *op)
{
    struct sort_state *s = op->state;

    if (!s)
        return;
    for (uint32_t i = 0; i < s->n_heap; i++)
        if (s->heap[i]->is_stream)
            free_run(s->heap[i]);
    for (uint32_t i = 0; i < s->n_loading; i++)
        free_run(s->loading[i]);
    for (struct sort_run *r = s->spilled, *next; r; r = next) {
        next = r->next;
        free_run(r);
    }
    free_run(s->writing);
    arena_fini(&s->given);
    arena_fini(&s->kept[0]);
    arena_fini(&s->kept[1]);
}
