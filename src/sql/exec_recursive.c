/*
 * WITH RECURSIVE: the seed's rows, then the step's, over those that came last. All rows handed on are kept for one round,
 * with DISTINCT till the end (recursive_seen.c). Those of a round that find no room are put aside.
 */
#include <errno.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/plan_recursive.h"
#include "sql/recursive_seen.h"

/* Half of the memory is for the step's operators. */
enum { FIRST_ROWS = 128, RESERVE_PART = 2, DUE_ROWS = 64, ERROR_TOO_DEEP = 3636 };

static const char what[] = "WITH RECURSIVE";

/* Rows of one round: in memory, then those put aside. Memory: its arena. */
struct round {
    struct arena arena;
    struct datum *rows;
    uint32_t n, cap;
    bool is_full; /* rows go to the stream */
    struct spill_stream more;
};

struct recursive_exec {
    struct round rounds[2]; /* the one before, and the one at work, in turns */
    uint64_t round;
    struct exec_op *child;
    bool has_ended; /* the child */
    struct recursive_seen seen;
    struct rowset in;        /* of the child */
    uint32_t row;            /* at work; those before are done */
    const struct datum *new; /* known to be new, not kept yet */
    struct datum *cells;     /* rows that were told to be new at the end of a round */
};

/* ---- rows of a round ---- */

static bool grow(struct round *r, uint32_t width)
{
    uint32_t cap = r->cap ? r->cap * 2 : FIRST_ROWS;
    struct datum *rows = arena_alloc(&r->arena, (size_t)cap * (width ? width : 1) * sizeof *rows);

    if (!rows || cap > UINT32_MAX / 4)
        return false;
    if (r->n)
        memcpy(rows, r->rows, (size_t)r->n * width * sizeof *rows);
    r->rows = rows;
    r->cap = cap;
    return true;
}

static bool add_in_memory(struct round *r, const struct datum *row, uint32_t width)
{
    if (r->n == r->cap && !grow(r, width))
        return false;
    struct datum *to = r->rows + (size_t)r->n * width;
    for (uint32_t i = 0; i < width; i++)
        if (!datum_copy(&to[i], &row[i], &r->arena))
            return false;
    r->n++;
    return true;
}

/* 0, -EAGAIN, or an error. */
static int round_add(struct exec_op *op, struct round *r, const struct datum *row)
{
    uint32_t width = op->plan->width;
    size_t more = r->n < r->cap ? 0 : (size_t)r->cap * 2 * width * sizeof *row;

    if (!r->is_full && (r->n % DUE_ROWS == 0 || more))
        r->is_full = spill_is_due(op->x, r->arena.used, more, RESERVE_PART);
    if (!r->is_full && add_in_memory(r, row, width))
        return 0;
    if (!spill_is_possible(op->x))
        return -ENOMEM;
    r->is_full = true;
    return spill_write(op->x, &r->more, row, width);
}

static void round_clear(struct round *r)
{
    spill_stream_free(&r->more);
    arena_reset(&r->arena);
    r->rows = NULL;
    r->n = r->cap = 0;
    r->is_full = false;
}

/* ---- rows that come ---- */

/* The row is new: it is kept for the next round. */
static int keep(struct exec_op *op, struct recursive_exec *s, const struct datum *row)
{
    s->new = row;
    int rc = round_add(op, &s->rounds[s->round & 1], row);
    if (rc == 0)
        s->new = NULL;
    return rc;
}

/* A row of the child: 1 it is new, 0, -EAGAIN with the row still to be done, or an error. */
static int take_row(struct exec_op *op, struct recursive_exec *s, const struct datum *row)
{
    int is_new = 1;

    if (!s->new && op->plan->u.recursion->distinct)
        is_new = seen_take(op, &s->seen, row);
    if (is_new <= 0)
        return is_new;
    int rc = keep(op, s, row);
    return rc == 0 ? 1 : rc;
}

/* The new ones of the rows at hand, in their place: ROWS, END when there are none, PENDING, ERROR. */
static enum exec_state take_rows(struct exec_op *op, struct recursive_exec *s, struct rowset *out)
{
    uint32_t width = s->in.width;
    int rc = spill_admit(op->x, s->seen.rows.used + s->rounds[s->round & 1].arena.used);

    if (rc != 0)
        return spill_state(op->x, rc, what);
    *out = (struct rowset){.cells = rowset_row(&s->in, s->row), .width = width};
    for (; s->row < s->in.rows; s->row++) {
        struct datum *row = rowset_row(&s->in, s->row), *to = rowset_row(out, out->rows);
        if ((rc = take_row(op, s, row)) < 0)
            break;
        if (rc && to != row)
            memcpy(to, row, width * sizeof *row);
        out->rows += (uint32_t)rc;
    }
    if (rc < 0 && (rc != -EAGAIN || !out->rows))
        return spill_state(op->x, rc, what);
    return out->rows ? EXEC_ROWS : EXEC_END;
}

/* After the child's rows: the one that was told to be new at last. ROWS, END, PENDING, ERROR. */
static enum exec_state take_late(struct exec_op *op, struct recursive_exec *s, struct rowset *out)
{
    uint32_t width = op->plan->width;
    const struct datum *row = s->new;
    int rc = row ? 1 : seen_end_round(op, &s->seen, &row);

    if (rc == 1 && (rc = keep(op, s, row)) == 0)
        rc = 1;
    if (rc <= 0)
        return rc == 0 ? EXEC_END : spill_state(op->x, rc, what);
    if (!s->cells && !(s->cells = exec_cells(op, width)))
        return EXEC_ERROR;
    memcpy(s->cells, row, width * sizeof *row);
    *out = (struct rowset){.cells = s->cells, .rows = 1, .width = width};
    return EXEC_ROWS;
}

/* ---- rounds ---- */

/* What came last is what the next round reads: ROWS, END, PENDING, ERROR. */
static enum exec_state next_round(struct exec_op *op, struct recursive_exec *s)
{
    struct recursion *r = op->plan->u.recursion;
    struct round *last = &s->rounds[s->round & 1];
    int rc = last->is_full ? spill_finish(&last->more) : 0;

    if (rc != 0)
        return spill_state(op->x, rc, what);
    exec_close(s->child);
    s->child = NULL;
    s->has_ended = false;
    if (!last->n && !last->more.rows)
        return EXEC_END;
    if (s->round >= r->limit) {
        mysql_error_set_text(op->x->error, ERROR_TOO_DEEP,
                             "Recursive query aborted after %llu iterations. Try increasing "
                             "@@cte_max_recursion_depth to a larger value.",
                             (unsigned long long)s->round + 1);
        return EXEC_ERROR;
    }
    r->rows = last->rows;
    r->n_rows = last->n;
    r->more = &last->more;
    s->round++;
    round_clear(&s->rounds[s->round & 1]);
    return EXEC_ROWS;
}

static struct recursive_exec *recursive_open(struct exec_op *op)
{
    struct recursive_exec *s = op->state = arena_alloc(&op->arena, sizeof *s);

    if (!s)
        return NULL;
    for (int i = 0; i < 2; i++)
        arena_init(&s->rounds[i].arena, SIZE_MAX, op->x->budget);
    seen_open(op, &s->seen);
    return s;
}

void exec_recursive_close(struct exec_op *op)
{
    struct recursive_exec *s = op->state;

    if (!s)
        return;
    exec_close(s->child);
    s->child = NULL;
    for (int i = 0; i < 2; i++) {
        spill_stream_free(&s->rounds[i].more);
        arena_fini(&s->rounds[i].arena);
    }
    seen_close(&s->seen);
}

/* Rows of the round at work: ROWS, END, PENDING, ERROR. */
static enum exec_state round_rows(struct exec_op *op, struct recursive_exec *s, struct rowset *out)
{
    if (s->has_ended)
        return take_late(op, s, out);
    if (!s->child && !(s->child = exec_open(op->x, op->plan->children[s->round ? 1 : 0])))
        return EXEC_ERROR;
    for (;;) {
        enum exec_state state = EXEC_ROWS;
        if (s->row >= s->in.rows) {
            s->row = s->in.rows = 0;
            state = exec_next(s->child, &s->in);
        }
        if (state == EXEC_ROWS)
            state = take_rows(op, s, out);
        else
            s->in.rows = 0;
        if (state != EXEC_END)
            return state;
        if (!s->in.rows) {
            s->has_ended = true;
            return take_late(op, s, out);
        }
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}

enum exec_state exec_recursive_next(struct exec_op *op, struct rowset *out)
{
    struct recursive_exec *s = op->state ? op->state : recursive_open(op);

    if (!s)
        return exec_no_memory(op->x, what);
    if (spill_begin(op->x) != 0)
        return EXEC_PENDING;
    for (;;) {
        enum exec_state state = round_rows(op, s, out);
        if (state != EXEC_END || (state = next_round(op, s)) != EXEC_ROWS)
            return state;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}

/* ---- the rows that came last, as a table ---- */

struct work_exec {
    uint32_t next;
    struct datum *cells;
    struct spill_stream more; /* the rows put aside, */
    struct datum *aside;      /* all their columns, */
    struct arena batch;       /* their strings */
};

static struct work_exec *work_open(struct exec_op *op)
{
    struct work_exec *w = op->state = arena_alloc(&op->arena, sizeof *w);

    if (!w)
        return NULL;
    arena_init(&w->batch, SIZE_MAX, op->x->budget);
    return w;
}

void exec_work_close(struct exec_op *op)
{
    struct work_exec *w = op->state;

    if (!w)
        return;
    spill_stream_free(&w->more);
    arena_fini(&w->batch);
}

/* The next rows, all their columns: ROWS, END, PENDING, ERROR. */
static enum exec_state work_rows(struct exec_op *op, struct work_exec *w, struct rowset *in)
{
    const struct recursion *r = op->plan->u.work.recursion;
    uint32_t left = r->n_rows - w->next;

    if (left) {
        uint32_t n = left < ROWSET_ROWS ? left : ROWSET_ROWS;
        *in = (struct rowset){.cells = (struct datum *)r->rows + (size_t)w->next * r->n_columns,
                              .rows = n,
                              .width = r->n_columns};
        w->next += n;
        return EXEC_ROWS;
    }
    if (!r->more->rows)
        return EXEC_END;
    if (!w->more.spill) {
        int rc = spill_stream_view(&w->more, r->more);
        if (rc != 0)
            return spill_state(op->x, rc, what);
    }
    if (!w->aside && !(w->aside = exec_cells(op, r->n_columns)))
        return EXEC_ERROR;
    return spill_read_rows(&w->more, in, w->aside, r->n_columns, &w->batch, what);
}

enum exec_state exec_work_next(struct exec_op *op, struct rowset *out)
{
    struct work_exec *w = op->state ? op->state : work_open(op);
    uint32_t width = op->plan->width;
    struct rowset in;

    if (!w)
        return exec_no_memory(op->x, what);
    enum exec_state s = work_rows(op, w, &in);
    if (s != EXEC_ROWS)
        return s;
    if (!exec_cells_for(op, &w->cells, in.rows, width))
        return EXEC_ERROR;
    for (uint32_t i = 0; i < in.rows; i++)
        for (uint32_t c = 0; c < width; c++)
            w->cells[(size_t)i * width + c] = rowset_row(&in, i)[op->plan->u.work.columns[c]];
    *out = (struct rowset){.cells = w->cells, .rows = in.rows, .width = width};
    return EXEC_ROWS;
}
