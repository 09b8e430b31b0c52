/* Scan: rows of blocks that have few of them. */
#include <errno.h>

#include "storage/dict.h"
#include "storage/scan_impl.h"
#include "storage/selection.h"

/* Owner: the scan, in its arena. Blocks stay as they are from scan_few_add to scan_few_read. */
struct scan_few {
    uint32_t n, room;
    unsigned first; /* input of the first order column */
    struct {
        struct colblock **columns; /* of the block */
        uint16_t row;
    } rows[SCAN_FEW_ROWS];
};

int scan_few_open(struct scan *x)
{
    for (unsigned i = 0; i < x->n_inputs; i++)
        if (x->inputs[i].ref >= x->schema->n_columns)
            return 0;
    if (x->program->n_joins || !x->program->limit || x->window_rows < SCAN_FEW_ROWS)
        return 0;
    x->few = arena_alloc(&x->arena, sizeof(*x->few));
    if (!x->few)
        return -ENOMEM;
    x->few->first = x->program->order[0].output;
    x->few->room = x->program->limit < SCAN_FEW_ROWS ? (uint32_t)x->program->limit : SCAN_FEW_ROWS;
    return 0;
}

/* Is the last value known that can be among the first? */
static bool is_bounded(const struct scan *x, int64_t *bound)
{
    return scan_is_own_ordered(x, x->inputs[x->few->first].ref) && topn_bound(x->topn, bound);
}

/* Asks for the memory of one input of the row, or (input n_inputs) of all. */
static void fetch_row(const struct scan *x, struct colblock *const *columns, uint32_t row,
                      unsigned input)
{
    for (unsigned i = 0; i < x->n_inputs; i++)
        if ((i == input || input == x->n_inputs) && columns[x->inputs[i].ref])
            colblock_prefetch_row(columns[x->inputs[i].ref], row);
}

int scan_few_add(struct scan *x, const struct block *b, uint32_t n)
{
    struct scan_few *f = x->few;
    uint16_t rows[SCAN_FEW_ROWS];
    int64_t bound;

    if (!f || n > f->room || !segment_is_loaded(x->parts[x->part].segment))
        return 0;
    int rc = f->n + n > f->room ? scan_few_read(x) : 0;
    if (rc)
        return rc;
    bool bounded = is_bounded(x, &bound);
    selection_rows(x->sel, n, rows);
    for (uint32_t k = 0; k < n; k++) {
        f->rows[f->n].columns = b->columns;
        f->rows[f->n++].row = rows[k];
        fetch_row(x, b->columns, rows[k], bounded ? f->first : x->n_inputs);
    }
    x->work += n * SCAN_WORK_ROW;
    return 1;
}

/* Rows that cannot be among the first are dropped, the others' memory is asked for. */
static void drop_beyond(struct scan *x, struct scan_few *f, int64_t bound)
{
    const struct program_order *o = &x->program->order[0];
    uint16_t ref = x->inputs[f->first].ref;
    uint32_t kept = 0;

    for (uint32_t k = 0; k < f->n; k++) {
        const struct colblock *c = f->rows[k].columns[ref];
        int64_t value;
        bool present = c && colblock_get(c, f->rows[k].row, &value);
        if (o->descending ? !present || value < bound : present && value > bound)
            continue;
        f->rows[kept++] = f->rows[k];
        fetch_row(x, f->rows[k].columns, f->rows[k].row, x->n_inputs);
    }
    f->n = kept;
}

static void read_input(struct input *in, const struct scan_few *f)
{
    for (uint32_t k = 0; k < f->n; k++) {
        const struct colblock *c = f->rows[k].columns[in->ref];

        in->values[k] = 0;
        in->present[k] = c && colblock_get(c, f->rows[k].row, &in->values[k]);
    }
    if (in->coded && in->kind == BATCH_BYTES)
        dict_prefetch_bytes(in->dict, in->values, in->present, f->n);
}

int scan_few_read(struct scan *x)
{
    struct scan_few *f = x->few;
    int64_t bound;

    if (!f || !f->n)
        return 0;
    if (is_bounded(x, &bound))
        drop_beyond(x, f, bound);
    for (unsigned i = 0; i < x->n_inputs; i++)
        read_input(&x->inputs[i], f);
    uint32_t n = f->n;
    f->n = 0;
    return n ? scan_put_topn(x, n) : 0;
}
