/*
 * DISTINCT: rows are handed on when they come for the first time. When memory ends rows not yet known
 * are put aside, and looked at part by part.
 */
#include <errno.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/group_table.h"
#include "sql/spill_parts.h"

enum { RESERVE_PART = 16 }; /* of the memory stays free */

struct distinct_exec {
    struct group_table t;
    struct arena rows;
    struct spill_input input;
    bool is_full; /* nothing is added to the table */
};

/* The row at work: 1 when it is new, 0 when it is known or was put aside, -EAGAIN, or an error. */
static int take_row(struct exec_op *op, struct distinct_exec *d)
{
    const struct datum *row = rowset_row(&d->input.rows, d->input.row);
    uint32_t width = d->input.rows.width;
    uint64_t hash = group_table_hash(row, width);

    if (group_table_find(&d->t, row, width, hash) >= 0)
        return 0;
    if (!d->is_full && group_table_add(&d->t, row, width, hash, &d->rows) >= 0) {
        if (d->t.n % 64 == 0)
            d->is_full = spill_is_due(op->x, d->rows.used, group_table_growth(&d->t), RESERVE_PART);
        return 1;
    }
    if (!spill_is_possible(op->x))
        return -ENOMEM;
    d->is_full = true;
    return spill_input_put(op, &d->input, hash);
}

/* The new ones of the rows at hand, in their place: ROWS, END when there are none, PENDING, ERROR. */
static enum exec_state keep_new(struct exec_op *op, struct distinct_exec *d, struct rowset *out)
{
    struct spill_input *in = &d->input;
    uint32_t width = in->rows.width, kept = 0;
    int rc = spill_admit(op->x, d->rows.used);

    if (rc != 0)
        return spill_state(op->x, rc, "DISTINCT");
    *out = (struct rowset){.cells = rowset_row(&in->rows, in->row), .width = width};
    for (; in->row < in->rows.rows; in->row++) {
        struct datum *row = rowset_row(&in->rows, in->row);
        rc = take_row(op, d);
        if (rc < 0)
            break;
        struct datum *to = rowset_row(out, kept);
        if (rc && to != row)
            memcpy(to, row, width * sizeof *row);
        kept += (uint32_t)rc;
    }
    if (rc < 0 && rc != -EAGAIN)
        return spill_state(op->x, rc, "DISTINCT");
    out->rows = kept;
    return kept ? EXEC_ROWS : rc < 0 ? EXEC_PENDING : EXEC_END;
}

static struct distinct_exec *distinct_open(struct exec_op *op)
{
    struct distinct_exec *d = op->state = arena_alloc(&op->arena, sizeof *d);

    if (!d)
        return NULL;
    arena_init(&d->rows, SIZE_MAX, op->x->budget);
    return spill_input_open(op, &d->input) ? d : NULL;
}

/* The table is for the next part. */
static enum exec_state next_part(struct exec_op *op, struct distinct_exec *d)
{
    arena_reset(&d->rows);
    d->t = (struct group_table){0};
    d->is_full = false;
    return spill_input_next_part(op, &d->input, "DISTINCT");
}

enum exec_state exec_distinct_next(struct exec_op *op, struct rowset *out)
{
    struct distinct_exec *d = op->state ? op->state : distinct_open(op);

    if (!d)
        return exec_no_memory(op->x, "DISTINCT");
    if (spill_begin(op->x) != 0)
        return EXEC_PENDING;
    for (;;) {
        enum exec_state s = spill_input_want(op, &d->input, "DISTINCT");
        if (s == EXEC_ROWS) {
            s = keep_new(op, d, out);
            if (s != EXEC_END)
                return s;
        } else if (s == EXEC_END) {
            s = next_part(op, d);
            if (s != EXEC_ROWS)
                return s;
        } else {
            return s;
        }
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}

void exec_distinct_close(struct exec_op *op)
{
    struct distinct_exec *d = op->state;

    if (!d)
        return;
    spill_input_free(&d->input);
    arena_fini(&d->rows);
}
