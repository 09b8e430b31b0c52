/*
 * Sorting: rows are collected in runs, each sorted when it is full, and merged through a heap of
 * runs; so no call works long. With a limit, what cannot be among the first rows is dropped on the
 * way. The order of equal rows is that of their arrival.
 */
#include <stdlib.h>
#include <string.h>

#include "sql/exec.h"

enum { RUN_ROWS = 8192 };

struct sort_row {
    uint64_t number;
    struct datum *cells;
};

struct sort_run {
    struct sort_run *next;
    struct sort_row *rows;
    uint32_t n, at;
};

struct sort_state {
    struct arena kept[2]; /* rows; with a limit the survivors move from one to the other */
    unsigned current;
    struct sort_run *runs; /* full ones */
    struct sort_run *open;
    uint32_t n_runs;
    struct sort_run **heap;
    uint32_t n_heap;
    uint64_t number;
    bool collected;
    struct datum *cells;
    bool bounded;
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

static bool take_row(struct exec_op *op, struct sort_state *s, const struct datum *cells)
{
    if (!s->open && !(s->open = new_run(s, run_capacity(s))))
        return false;
    struct sort_run *r = s->open;
    if (!copy_row(&s->kept[s->current], &r->rows[r->n], cells, op->plan->width, s->number++))
        return false;
    r->n++;
    if (r->n < run_capacity(s))
        return true;
    if (s->bounded)
        return shrink(op, s);
    close_run(op, s);
    return true;
}

/* ---- merging ---- */

static int compare_runs(const struct exec_op *op, const struct sort_run *a,
                        const struct sort_run *b)
{
    return compare_rows(&a->rows[a->at], &b->rows[b->at], (void *)(uintptr_t)op->plan);
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

static bool build_heap(struct exec_op *op, struct sort_state *s)
{
    close_run(op, s);
    s->heap = arena_alloc(&op->arena, (s->n_runs + 1) * sizeof *s->heap);
    if (!s->heap)
        return false;
    for (struct sort_run *r = s->runs; r; r = r->next)
        s->heap[s->n_heap++] = r;
    for (uint32_t i = s->n_heap / 2; i-- > 0;)
        sift_down(op, s, i);
    return true;
}

static enum exec_state collect(struct exec_op *op, struct sort_state *s)
{
    struct rowset in;

    for (;;) {
        enum exec_state r = exec_next(op->child, &in);
        if (r == EXEC_END)
            break;
        if (r != EXEC_ROWS)
            return r;
        for (uint32_t i = 0; i < in.rows; i++)
            if (!take_row(op, s, rowset_row(&in, i)))
                return exec_no_memory(op->x, "ORDER BY");
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    if (!build_heap(op, s))
        return exec_no_memory(op->x, "ORDER BY");
    s->collected = true;
    return EXEC_END;
}

static bool sort_open(struct exec_op *op)
{
    struct sort_state *s = op->state = arena_alloc(op->x->arena, sizeof *s);

    if (!s || !(s->cells = exec_cells(op, op->plan->width)))
        return false;
    arena_init(&s->kept[0], SIZE_MAX, op->x->budget);
    arena_init(&s->kept[1], SIZE_MAX, op->x->budget);
    s->limit = op->plan->u.sort.limit;
    s->bounded = s->limit <= 100000;
    if (s->bounded && s->limit < 256)
        s->limit = 256; /* the limit operator above cuts exactly */
    return true;
}

enum exec_state exec_sort_next(struct exec_op *op, struct rowset *out)
{
    struct sort_state *s = op->state;
    uint32_t n = 0, width = op->plan->width;

    if (!s) {
        if (!sort_open(op))
            return exec_no_memory(op->x, "ORDER BY");
        s = op->state;
    }
    if (!s->collected) {
        enum exec_state r = collect(op, s);
        if (r != EXEC_END)
            return r;
    }
    for (; n < ROWSET_ROWS && s->n_heap; n++) {
        struct sort_run *r = s->heap[0];
        memcpy(s->cells + (size_t)n * width, r->rows[r->at].cells, width * sizeof *s->cells);
        if (++r->at == r->n)
            s->heap[0] = s->heap[--s->n_heap];
        if (s->n_heap)
            sift_down(op, s, 0);
    }
    *out = (struct rowset){.cells = s->cells, .rows = n, .width = width};
    return n ? EXEC_ROWS : EXEC_END;
}

void exec_sort_close(struct exec_op *op)
{
    struct sort_state *s = op->state;

    if (!s)
        return;
    arena_fini(&s->kept[0]);
    arena_fini(&s->kept[1]);
}
