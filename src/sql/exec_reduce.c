/* Values that a column of a scan must have: they go to the cores with its program, as a join without attributes. */
#include <string.h>

#include "sql/exec.h"
#include "storage/batch.h"

enum {
    MOST_BYTES = 56 << 20, /* of all joins of a program, as in exec_parents.c */
    MOST_VALUES = 1 << 19, /* different ones */
    WORTH_PART = 4,        /* for more than 1/4 of the rows they are not worth it */
    BITS_PER_VALUE = 256,  /* values so far apart, or less, are told apart by bits */
};

/* Owner: the execution; in its arena. */
struct exec_reducer {
    struct exec_reducer *next;
    const struct plan *owner;
    const struct plan_scan *scan;
    uint16_t column;
    size_t bytes;
    struct batch values;
};

void exec_reduce_forget(struct exec *x, const struct plan *owner)
{
    struct exec_reducer **at = &x->reducers;

    while (*at)
        if ((*at)->owner == owner)
            *at = (*at)->next;
        else
            at = &(*at)->next;
}

static bool make_batch(struct exec *x, const int64_t *values, uint32_t n, struct exec_reducer *r)
{
    struct batch_builder *b = batch_builder_new(x->budget);
    struct buffer out;
    char *bytes = NULL;

    buffer_init(&out, BATCH_MAX_BYTES);
    if (b && batch_builder_add_column(b, 0, BATCH_I64, 0) >= 0 &&
        batch_builder_put_i64s(b, 0, values, NULL, n) == 0 && batch_builder_end_rows(b, n) == 0 &&
        batch_builder_finish(b, BATCH_DATA, 0, BATCH_SLOT_ANY, &out) == 0)
        bytes = arena_alloc_raw(x->arena, out.len);
    if (bytes) {
        memcpy(bytes, out.data, out.len);
        r->bytes = out.len;
        batch_open_trusted(bytes, &r->values);
    }
    buffer_fini(&out);
    batch_builder_free(b);
    return bytes != NULL;
}

/* Leaves each value once, in order, where a bit for each of their range is not too much; how many there are. */
static uint32_t leave_different(struct arena *scratch, int64_t *values, uint32_t n)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    uint32_t left = 0;

    for (uint32_t i = 0; i < n; i++) {
        first = values[i] < first ? values[i] : first;
        last = values[i] > last ? values[i] : last;
    }
    uint64_t words = n ? ((uint64_t)last - (uint64_t)first) / 64 + 1 : 0;
    uint64_t *bits = n && words <= (uint64_t)n * BITS_PER_VALUE / 64 + 64
                         ? arena_alloc(scratch, words * 8)
                         : NULL;
    if (!bits)
        return n;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t at = (uint64_t)values[i] - (uint64_t)first;
        bits[at / 64] |= UINT64_C(1) << at % 64;
    }
    for (uint64_t w = 0; w < words; w++)
        for (uint64_t word = bits[w]; word; word &= word - 1)
            values[left++] = first + (int64_t)(w * 64 + (unsigned)__builtin_ctzll(word));
    return left;
}

void exec_reduce(struct exec_op *op, const struct plan_reduction *to, int64_t *values, uint32_t n)
{
    struct exec *x = op->x;

    n = leave_different(&op->scratch, values, n);
    if (n > MOST_VALUES || n >= to->rows / WORTH_PART)
        return;
    struct exec_reducer *r = arena_alloc(x->arena, sizeof *r);
    if (!r || !make_batch(x, values, n, r))
        return; /* it is only faster with it */
    r->owner = op->plan;
    r->scan = to->scan;
    r->column = to->column;
    r->next = x->reducers;
    x->reducers = r;
}

bool exec_reduce_program(struct exec_op *op, struct program *p)
{
    const struct plan_scan *scan = &op->plan->u.scan;
    size_t bytes = exec_parents_bytes(op);
    struct program_join *joins = NULL;

    for (const struct exec_reducer *r = op->x->reducers; r; r = r->next) {
        if (r->scan != scan || p->n_joins == PROGRAM_MAX_JOINS || r->bytes > MOST_BYTES - bytes)
            continue;
        if (!joins) {
            joins = arena_alloc(op->x->arena, PROGRAM_MAX_JOINS * sizeof *joins);
            if (!joins)
                return false;
            if (p->n_joins)
                memcpy(joins, p->joins, p->n_joins * sizeof *joins);
            p->joins = joins;
        }
        bytes += r->bytes;
        joins[p->n_joins++] = (struct program_join){.column = r->column, .parents = &r->values};
    }
    return true;
}
