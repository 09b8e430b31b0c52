/*
 * INTERSECT and EXCEPT: the rows of the right side are collected, each with the number of times it came; those of the
 * left side are handed on, or not, as they come. The table is kept in memory.
 */
#include <string.h>

#include "sql/exec.h"
#include "sql/group_table.h"

enum { FIRST_COUNTS = 128 };

struct set_exec {
    struct group_table t;
    uint64_t *counts; /* by number: times it came and was not met yet; without ALL 1 or 0 */
    uint32_t cap;
    struct arena rows;
    bool collected;
};

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

/* Number of the row, added with the count when it is not there; -1 without memory. */
static int64_t number_of(struct set_exec *s, const struct datum *row, uint32_t width,
                         uint64_t count, bool *is_new)
{
    uint64_t hash = group_table_hash(row, width);
    int64_t at = group_table_find(&s->t, row, width, hash);

    *is_new = at < 0;
    if (at >= 0)
        return at;
    if (s->t.n == s->cap && !grow(s))
        return -1;
    at = group_table_add(&s->t, row, width, hash, &s->rows);
    if (at >= 0)
        s->counts[at] = count;
    return at;
}

static bool collect(struct exec_op *op, struct set_exec *s, struct rowset *in)
{
    bool is_new;

    for (uint32_t i = 0; i < in->rows; i++) {
        int64_t at = number_of(s, rowset_row(in, i), in->width, 0, &is_new);
        if (at < 0)
            return false;
        if (op->plan->u.set.all)
            s->counts[at]++;
        else
            s->counts[at] = 1;
    }
    return true;
}

/* Is the row of the left side part of the result? 1, 0, or -1 without memory. */
static int meets(struct exec_op *op, struct set_exec *s, const struct datum *row, uint32_t width)
{
    bool all = op->plan->u.set.all, is_new;

    if (op->plan->u.set.except && !all) { /* what was given is as if it were on the right */
        int64_t at = number_of(s, row, width, 1, &is_new);
        return at < 0 ? -1 : is_new;
    }
    int64_t at = group_table_find(&s->t, row, width, group_table_hash(row, width));
    bool met = at >= 0 && s->counts[at] > 0;
    if (met)
        s->counts[at]--;
    return met != op->plan->u.set.except;
}

void exec_set_close(struct exec_op *op)
{
    struct set_exec *s = op->state;

    if (s)
        arena_fini(&s->rows);
}

enum exec_state exec_set_next(struct exec_op *op, struct rowset *out)
{
    struct set_exec *s = op->state;

    if (!s) {
        if (!(s = op->state = arena_alloc(&op->arena, sizeof *s)))
            return exec_no_memory(op->x, "The query");
        arena_init(&s->rows, SIZE_MAX, op->x->budget);
    }
    const char *what = op->plan->u.set.except ? "EXCEPT" : "INTERSECT";
    for (;;) {
        enum exec_state state = exec_next(s->collected ? op->child : op->right, out);
        if (state == EXEC_END && !s->collected) {
            s->collected = true;
            continue;
        }
        if (state != EXEC_ROWS)
            return state;
        if (!s->collected) {
            if (!collect(op, s, out))
                return exec_no_memory(op->x, what);
        } else {
            uint32_t kept = 0;
            for (uint32_t i = 0; i < out->rows; i++) {
                struct datum *row = rowset_row(out, i);
                int met = meets(op, s, row, out->width);
                if (met < 0)
                    return exec_no_memory(op->x, what);
                if (met && kept++ != i)
                    memcpy(rowset_row(out, kept - 1), row, out->width * sizeof *row);
            }
            out->rows = kept;
            if (kept)
                return EXEC_ROWS;
        }
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}
