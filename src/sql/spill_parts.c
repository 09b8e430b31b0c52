#include "sql/spill_parts.h"

#include <errno.h>
#include <stdlib.h>

enum { LEVEL_BITS = 4 };

_Static_assert(1 << LEVEL_BITS == SPILL_PARTS, "a level has as many parts as streams are written");

static void free_part(struct spill_part *part)
{
    if (!part)
        return;
    spill_stream_free(&part->stream);
    free(part);
}

unsigned spill_part_of(uint64_t hash, unsigned level)
{
    return (unsigned)(hash >> (64 - LEVEL_BITS * (level + 1))) % SPILL_PARTS;
}

int spill_parts_put(struct exec *x, struct spill_parts *p, uint64_t hash, const struct datum *cells,
                    uint32_t n)
{
    if (p->level == SPILL_MAX_LEVEL)
        return -ENOMEM;
    unsigned at = spill_part_of(hash, p->level);
    if (!p->open[at]) {
        p->open[at] = calloc(1, sizeof *p->open[at]);
        if (!p->open[at])
            return -ENOMEM;
        p->open[at]->level = p->level + 1;
    }
    return spill_write(x, &p->open[at]->stream, cells, n);
}

int spill_parts_next(struct spill_parts *p)
{
    for (; p->finished < SPILL_PARTS; p->finished++) {
        struct spill_part *part = p->open[p->finished];
        int rc = part ? spill_finish(&part->stream) : 0;
        if (rc != 0)
            return rc;
    }
    free_part(p->reading);
    for (unsigned i = SPILL_PARTS; i-- > 0;)
        if (p->open[i]) {
            p->open[i]->next = p->waiting;
            p->waiting = p->open[i];
            p->open[i] = NULL;
        }
    p->finished = 0;
    p->reading = p->waiting;
    if (!p->reading)
        return 0;
    p->waiting = p->reading->next;
    p->level = p->reading->level;
    return 1;
}

void spill_parts_free(struct spill_parts *p)
{
    free_part(p->reading);
    for (unsigned i = 0; i < SPILL_PARTS; i++)
        free_part(p->open[i]);
    while (p->waiting) {
        struct spill_part *part = p->waiting;
        p->waiting = part->next;
        free_part(part);
    }
    *p = (struct spill_parts){0};
}

/* ---- rows of an operator ---- */

bool spill_input_open(struct exec_op *op, struct spill_input *in)
{
    arena_init(&in->arena, SIZE_MAX, op->x->budget);
    in->cells = exec_cells(op, op->child->plan->width);
    return in->cells != NULL;
}

enum exec_state spill_input_want(struct exec_op *op, struct spill_input *in, const char *what)
{
    if (in->row < in->rows.rows)
        return EXEC_ROWS;
    in->row = in->rows.rows = 0;
    if (in->has_ended)
        return EXEC_END;
    if (!in->parts.level) {
        enum exec_state s = exec_next(op->child, &in->rows);
        if (s != EXEC_ROWS)
            in->rows.rows = 0;
        in->has_ended = s == EXEC_END;
        return s;
    }
    enum exec_state s = spill_read_rows(&in->parts.reading->stream, &in->rows, in->cells,
                                        op->child->plan->width, &in->arena, what);
    in->has_ended = s == EXEC_END;
    return s;
}

enum exec_state spill_input_next_part(struct exec_op *op, struct spill_input *in, const char *what)
{
    int rc = spill_parts_next(&in->parts);

    if (rc < 0)
        return spill_state(op->x, rc, what);
    in->has_ended = !rc;
    return rc ? EXEC_ROWS : EXEC_END;
}

int spill_input_put(struct exec_op *op, struct spill_input *in, uint64_t hash)
{
    return spill_parts_put(op->x, &in->parts, hash, rowset_row(&in->rows, in->row),
                           op->child->plan->width);
}

void spill_input_free(struct spill_input *in)
{
    spill_parts_free(&in->parts);
    arena_fini(&in->arena);
}
