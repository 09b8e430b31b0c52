/*
 * INTERSECT and EXCEPT: the rows of the right side are collected, each with the number of times it came; those of the
 * left side are handed on, or not, as they come.
 *
 * When the table finds no room it is put aside in 16 parts, then the left side in the same way, and each pair of parts
 * is worked on like the whole. EXCEPT without ALL also collects what it hands on: when that finds no room, rows of the
 * left side that are not in the table are put aside alone, to be told apart part by part.
 */
#include <errno.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/group_table.h"
#include "sql/spill_pairs.h"

enum { FIRST_COUNTS = 128, RESERVE_PART = 16, DUE_ROWS = 64 };

enum set_stage {
    SET_COLLECT, /* rows of the right side, into the table or, once it was put aside, to the pairs */
    SET_EVICT,   /* those of the table are put aside */
    SET_SCATTER, /* the left side is put aside */
    SET_FILTER,  /* rows of the left side are looked up */
    SET_NEXT,    /* the next pair */
};

/* Owner: the operator. Rows of the right side have their number behind them where they are put aside. */
struct set_exec {
    enum set_stage stage;
    struct group_table t;
    uint64_t *counts; /* by number: times it came and was not met yet; without ALL 1 or 0 */
    uint32_t cap;
    struct arena rows; /* table and counts */
    struct rowset in;  /* of either side */
    uint32_t row;      /* at work; those before are done */
    bool has_ended;    /* the side */
    bool is_spilled;   /* the right side goes to the pairs */
    bool is_full;      /* nothing is added to the table */
    uint32_t evicted;
    struct spill_pairs pairs;
    struct datum *cells, *counted; /* rows of pairs; room for a row and its number */
    struct arena batch;            /* strings of cells */
};

static const char *name_of(const struct exec_op *op)
{
    return op->plan->u.set.except ? "EXCEPT" : "INTERSECT";
}

/* ---- the table ---- */

static bool grow(struct set_exec *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : FIRST_COUNTS;
    uint64_t *counts = arena_alloc(&s->rows, cap * sizeof *counts);

    if (!counts)
        return false;
    if (s->cap)
        memcpy(counts, s->counts, s->cap * sizeof *counts);
    s->counts = counts;
    s->cap = cap;
    return true;
}

/* Bytes that the next row takes for larger arrays. */
static size_t growth(const struct set_exec *s)
{
    size_t counts = s->t.n < s->cap ? 0 : (size_t)s->cap * 2 * sizeof *s->counts;

    return counts + group_table_growth(&s->t);
}

static void empty_table(struct set_exec *s)
{
    arena_reset(&s->rows);
    s->t = (struct group_table){0};
    s->counts = NULL;
    s->cap = s->evicted = 0;
    s->is_full = false;
}

/* Number of a row that is not there yet; -1 without memory, then nothing has changed. */
static int64_t add(struct exec_op *op, struct set_exec *s, const struct datum *row, uint32_t width,
                   uint64_t hash)
{
    if (s->t.n == s->cap && !grow(s))
        return -1;
    int64_t at = group_table_add(&s->t, row, width, hash, &s->rows);
    if (at >= 0)
        s->counts[at] = 0;
    if (at >= 0 && s->t.n % DUE_ROWS == 0)
        s->is_full = spill_is_due(op->x, s->rows.used, growth(s), RESERVE_PART);
    return at;
}

/* Makes the next row of a side the one at work: ROWS, END, PENDING, ERROR. */
static enum exec_state want_row(struct exec_op *op, struct set_exec *s, bool right)
{
    struct spill_pair *pair = s->pairs.reading;
    struct exec_op *side = right ? op->right : op->child;

    if (s->row < s->in.rows)
        return EXEC_ROWS;
    s->row = s->in.rows = 0;
    if (s->has_ended)
        return EXEC_END;
    enum exec_state state =
        pair ? spill_read_rows(right ? &pair->build : &pair->probe, &s->in, s->cells,
                               side->plan->width + right, &s->batch, name_of(op))
             : exec_next(side, &s->in);
    if (state != EXEC_ROWS)
        s->in.rows = 0;
    s->has_ended = state == EXEC_END;
    return state;
}

/* ---- the right side ---- */

static int put_counted(struct exec_op *op, struct set_exec *s, const struct datum *row,
                       uint64_t count, uint64_t hash)
{
    uint32_t width = op->right->plan->width;

    memcpy(s->counted, row, width * sizeof *row);
    datum_set_uint(&s->counted[width], count);
    return spill_pairs_put(op->x, &s->pairs, true, hash, s->counted, width + 1);
}

/* 0, -EAGAIN with the row still to be done (the stage may be another one), or an error. */
static int collect_row(struct exec_op *op, struct set_exec *s, const struct datum *row)
{
    uint32_t width = op->right->plan->width;
    uint64_t hash = group_table_hash(row, width), count = s->pairs.reading ? row[width].u : 1;

    if (s->is_spilled)
        return put_counted(op, s, row, count, hash);
    int64_t at = group_table_find(&s->t, row, width, hash);
    if (at < 0 && !s->is_full)
        at = add(op, s, row, width, hash);
    if (at >= 0) {
        s->counts[at] = op->plan->u.set.all ? s->counts[at] + count : 1;
        return 0;
    }
    if (!spill_is_possible(op->x))
        return -ENOMEM;
    s->is_spilled = true;
    s->stage = SET_EVICT;
    return -EAGAIN;
}

/* Until the end of the side, or until the table has to be put aside (the stage tells): END. */
static enum exec_state collect(struct exec_op *op, struct set_exec *s)
{
    int rc;

    for (;;) {
        enum exec_state state = want_row(op, s, true);
        if (state == EXEC_END)
            break;
        if (state != EXEC_ROWS)
            return state;
        if ((rc = spill_admit(op->x, s->rows.used)) != 0)
            return spill_state(op->x, rc, name_of(op));
        for (; s->row < s->in.rows; s->row++)
            if ((rc = collect_row(op, s, rowset_row(&s->in, s->row))) != 0)
                return s->stage == SET_EVICT ? EXEC_END : spill_state(op->x, rc, name_of(op));
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    s->has_ended = false;
    s->stage = s->is_spilled ? SET_SCATTER : SET_FILTER;
    return EXEC_END;
}

/* The rows of the table go to their pairs. */
static enum exec_state evict(struct exec_op *op, struct set_exec *s)
{
    for (; s->evicted < s->t.n; s->evicted++) {
        uint32_t i = s->evicted;
        int rc = put_counted(op, s, s->t.keys[i], s->counts[i], s->t.hashes[i]);
        if (rc != 0)
            return spill_state(op->x, rc, name_of(op));
    }
    empty_table(s);
    s->stage = SET_COLLECT;
    return EXEC_END;
}

/* ---- the left side ---- */

static int put_left(struct exec_op *op, struct set_exec *s, const struct datum *row, uint64_t hash)
{
    return spill_pairs_put(op->x, &s->pairs, false, hash, row, op->child->plan->width);
}

static enum exec_state scatter(struct exec_op *op, struct set_exec *s)
{
    int rc = spill_pairs_finish(&s->pairs, true); /* their buffers are needed now */

    if (rc != 0)
        return spill_state(op->x, rc, name_of(op));
    for (;;) {
        enum exec_state state = want_row(op, s, false);
        if (state == EXEC_END)
            break;
        if (state != EXEC_ROWS)
            return state;
        for (; s->row < s->in.rows; s->row++) {
            const struct datum *row = rowset_row(&s->in, s->row);
            uint64_t hash = group_table_hash(row, s->in.width);
            if (!op->plan->u.set.except && !spill_pairs_has(&s->pairs, hash))
                continue; /* nothing to meet */
            if ((rc = put_left(op, s, row, hash)) != 0)
                return spill_state(op->x, rc, name_of(op));
        }
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    s->stage = SET_NEXT;
    return EXEC_END;
}

/* Is the row of the left side part of the result? 1, 0 also when it was put aside, -EAGAIN, or an error. */
static int meets(struct exec_op *op, struct set_exec *s, const struct datum *row)
{
    bool all = op->plan->u.set.all, except = op->plan->u.set.except;
    uint32_t width = op->child->plan->width;
    uint64_t hash = group_table_hash(row, width);
    int64_t at = group_table_find(&s->t, row, width, hash);

    if (except && !all) { /* what was given is as if it were on the right */
        if (at >= 0)
            return 0;
        if (!s->is_full && add(op, s, row, width, hash) >= 0)
            return 1;
        s->is_full = true;
        return spill_is_possible(op->x) ? put_left(op, s, row, hash) : -ENOMEM;
    }
    bool met = at >= 0 && s->counts[at] > 0;
    if (met)
        s->counts[at]--;
    return met != except;
}

/* Rows of the left side that are part of the result: ROWS, END, PENDING, ERROR. */
static enum exec_state filter(struct exec_op *op, struct set_exec *s, struct rowset *out)
{
    int rc = 0;

    for (;;) {
        enum exec_state state = want_row(op, s, false);
        if (state != EXEC_ROWS) {
            s->stage = state == EXEC_END ? SET_NEXT : s->stage;
            return state;
        }
        *out = (struct rowset){.cells = rowset_row(&s->in, s->row), .width = s->in.width};
        for (; s->row < s->in.rows; s->row++) {
            struct datum *row = rowset_row(&s->in, s->row);
            if ((rc = meets(op, s, row)) < 0)
                break;
            struct datum *to = rowset_row(out, out->rows);
            if (rc && to != row)
                memcpy(to, row, s->in.width * sizeof *row);
            out->rows += (uint32_t)rc;
        }
        if (rc < 0 && (rc != -EAGAIN || !out->rows))
            return spill_state(op->x, rc, name_of(op));
        if (out->rows)
            return EXEC_ROWS;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}

/* Makes the next pair the one at work; END when there is none. */
static enum exec_state next_pair(struct exec_op *op, struct set_exec *s)
{
    int rc = spill_pairs_finish(&s->pairs, false);

    if (rc != 0)
        return spill_state(op->x, rc, name_of(op));
    empty_table(s);
    if (!spill_pairs_next(&s->pairs))
        return EXEC_END;
    if (!s->cells && !(s->cells = exec_cells(op, op->plan->width + 1)))
        return EXEC_ERROR;
    s->has_ended = s->is_spilled = false;
    s->stage = SET_COLLECT;
    return EXEC_ROWS;
}

/* ---- the operator ---- */

static struct set_exec *set_open(struct exec_op *op)
{
    struct set_exec *s = op->state = arena_alloc(&op->arena, sizeof *s);

    if (!s)
        return NULL;
    arena_init(&s->rows, SIZE_MAX, op->x->budget);
    arena_init(&s->batch, SIZE_MAX, op->x->budget);
    s->counted = arena_alloc(&op->arena, (op->right->plan->width + 1) * sizeof *s->counted);
    return s->counted ? s : NULL;
}

void exec_set_close(struct exec_op *op)
{
    struct set_exec *s = op->state;

    if (!s)
        return;
    spill_pairs_free(&s->pairs);
    arena_fini(&s->rows);
    arena_fini(&s->batch);
}

enum exec_state exec_set_next(struct exec_op *op, struct rowset *out)
{
    struct set_exec *s = op->state ? op->state : set_open(op);
    enum exec_state state = EXEC_END;

    if (!s)
        return exec_no_memory(op->x, name_of(op));
    if (spill_begin(op->x) != 0)
        return EXEC_PENDING;
    for (;;) {
        switch (s->stage) {
        case SET_COLLECT:
            state = collect(op, s);
            break;
        case SET_EVICT:
            state = evict(op, s);
            break;
        case SET_SCATTER:
            state = scatter(op, s);
            break;
        case SET_FILTER:
            state = filter(op, s, out);
            break;
        case SET_NEXT:
            state = next_pair(op, s);
            if (state == EXEC_END)
                return state;
            state = state == EXEC_ROWS ? EXEC_END : state;
            break;
        }
        if (state != EXEC_END)
            return state;
    }
}
