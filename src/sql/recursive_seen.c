#include "sql/recursive_seen.h"

#include <errno.h>
#include <stdlib.h>

#include "sql/exec.h"

/* The step of the query needs memory, too. */
enum { RESERVE_PART = 2, DUE_ROWS = 64 };

static const char what[] = "WITH RECURSIVE";

void seen_open(struct exec_op *op, struct recursive_seen *s)
{
    s->width = op->plan->width;
    arena_init(&s->rows, SIZE_MAX, op->x->budget);
    arena_init(&s->batch, SIZE_MAX, op->x->budget);
}

static void free_stream(struct spill_stream *t)
{
    if (t)
        spill_stream_free(t);
    free(t);
}

void seen_close(struct recursive_seen *s)
{
    spill_parts_free(&s->round);
    for (unsigned i = 0; i < SPILL_PARTS; i++)
        free_stream(s->given[i]);
    free_stream(s->fresh);
    arena_fini(&s->rows);
    arena_fini(&s->batch);
}

static void empty_table(struct recursive_seen *s)
{
    arena_reset(&s->rows);
    s->t = (struct group_table){0};
    s->met = NULL;
    s->at = 0;
    s->is_full = false;
}

/* Adds a row that is not in the table. False when there is no room. */
static bool add(struct exec_op *op, struct recursive_seen *s, const struct datum *row,
                uint64_t hash)
{
    if (s->is_full || group_table_add(&s->t, row, s->width, hash, &s->rows) < 0) {
        s->is_full = true;
        return false;
    }
    if (s->t.n % DUE_ROWS == 0)
        s->is_full = spill_is_due(op->x, s->rows.used, group_table_growth(&s->t), RESERVE_PART);
    return true;
}

static int write_given(struct exec_op *op, struct recursive_seen *s, struct spill_stream **to,
                       const struct datum *row)
{
    if (!*to && !(*to = calloc(1, sizeof(**to))))
        return -ENOMEM;
    return spill_write(op->x, *to, row, s->width);
}

/* The table goes to the streams of rows given: 0, -EAGAIN, or an error. */
static int evict(struct exec_op *op, struct recursive_seen *s)
{
    int rc = 0;

    for (; s->at < s->t.n; s->at++) {
        struct spill_stream **to = &s->given[spill_part_of(s->t.hashes[s->at], 0)];
        if ((rc = write_given(op, s, to, s->t.keys[s->at])) != 0)
            return rc;
    }
    for (unsigned i = 0; i < SPILL_PARTS && rc == 0; i++)
        rc = s->given[i] ? spill_finish(s->given[i]) : 0;
    if (rc != 0)
        return rc;
    empty_table(s);
    s->stage = SEEN_TAKE;
    return s->cells || (s->cells = exec_cells(op, s->width)) ? 0 : -ENOMEM;
}

int seen_take(struct exec_op *op, struct recursive_seen *s, const struct datum *row)
{
    uint64_t hash = group_table_hash(row, s->width);
    int rc;

    if (s->stage == SEEN_TABLE) {
        if (group_table_find(&s->t, row, s->width, hash) >= 0)
            return 0;
        if (add(op, s, row, hash))
            return 1;
        if (!spill_is_possible(op->x))
            return -ENOMEM;
        s->stage = SEEN_EVICT;
    }
    if (s->stage == SEEN_EVICT && (rc = evict(op, s)) != 0)
        return rc;
    return spill_parts_put(op->x, &s->round, hash, row, s->width);
}

/* ---- the end of a round ---- */

/* Makes the next row of a stream the one at work: 1, 0 at its end, -EAGAIN, or an error. */
static int want_row(struct recursive_seen *s, struct spill_stream *from)
{
    if (s->row < s->in.rows)
        return 1;
    s->row = s->in.rows = 0;
    switch (spill_read_rows(from, &s->in, s->cells, s->width, &s->batch, what)) {
    case EXEC_ROWS:
        return 1;
    case EXEC_END:
        return 0;
    case EXEC_PENDING:
        return -EAGAIN;
    default:
        return -EIO;
    }
}

/* The rows of the part, each once; those that find no room are put aside again. */
static int load(struct exec_op *op, struct recursive_seen *s)
{
    int rc;

    while ((rc = want_row(s, &s->round.reading->stream)) == 1) {
        for (; s->row < s->in.rows; s->row++) {
            const struct datum *row = rowset_row(&s->in, s->row);
            uint64_t hash = group_table_hash(row, s->width);
            if (group_table_find(&s->t, row, s->width, hash) >= 0 || add(op, s, row, hash))
                continue;
            if ((rc = spill_parts_put(op->x, &s->round, hash, row, s->width)) != 0)
                return rc;
        }
        if (exec_yield(op->x))
            return -EAGAIN;
    }
    if (rc != 0)
        return rc;
    s->stage = SEEN_PASS;
    s->met = s->t.n ? arena_alloc(&s->rows, s->t.n * sizeof *s->met) : NULL;
    return s->met ? 0 : -ENOMEM;
}

/* Rows given before, of the part that the table's belong to: they are written anew on the way. */
static int pass(struct exec_op *op, struct recursive_seen *s)
{
    unsigned part = spill_part_of(s->t.hashes[0], 0);
    int rc = 0;

    while (s->given[part] && (rc = want_row(s, s->given[part])) == 1) {
        for (; s->row < s->in.rows; s->row++) {
            const struct datum *row = rowset_row(&s->in, s->row);
            if ((rc = write_given(op, s, &s->fresh, row)) != 0)
                return rc;
            int64_t at = group_table_find(&s->t, row, s->width, group_table_hash(row, s->width));
            if (at >= 0)
                s->met[at] = true;
        }
        if (exec_yield(op->x))
            return -EAGAIN;
    }
    if (rc != 0)
        return rc;
    free_stream(s->given[part]);
    s->given[part] = NULL;
    s->stage = SEEN_GIVE;
    return 0;
}

/* 1 with a row that was not met, which is given now; 0 when there is none. */
static int give(struct exec_op *op, struct recursive_seen *s, const struct datum **row)
{
    int rc;

    for (; s->at < s->t.n; s->at++) {
        if (s->met[s->at])
            continue;
        if ((rc = write_given(op, s, &s->fresh, s->t.keys[s->at])) != 0)
            return rc;
        *row = s->t.keys[s->at++];
        return 1;
    }
    if (s->fresh && (rc = spill_finish(s->fresh)) != 0)
        return rc;
    s->given[spill_part_of(s->t.hashes[0], 0)] = s->fresh;
    s->fresh = NULL;
    s->stage = SEEN_NEXT;
    return 0;
}

static int next_part(struct recursive_seen *s)
{
    int rc = spill_parts_next(&s->round);

    if (rc < 0)
        return rc;
    empty_table(s);
    s->stage = rc ? SEEN_LOAD : SEEN_TAKE;
    if (!rc)
        spill_parts_free(&s->round); /* the next round begins with the first level */
    return 0;
}

int seen_end_round(struct exec_op *op, struct recursive_seen *s, const struct datum **row)
{
    int rc;

    if (s->stage == SEEN_TABLE)
        return 0;
    if (s->stage == SEEN_EVICT && (rc = evict(op, s)) != 0)
        return rc;
    if (s->stage == SEEN_TAKE)
        s->stage = SEEN_NEXT;
    for (;;) {
        switch (s->stage) {
        case SEEN_NEXT:
            rc = next_part(s);
            break;
        case SEEN_LOAD:
            rc = load(op, s);
            break;
        case SEEN_PASS:
            rc = pass(op, s);
            break;
        case SEEN_GIVE:
            rc = give(op, s, row);
            break;
        default:
            return 0;
        }
        if (rc != 0)
            return rc;
    }
}
