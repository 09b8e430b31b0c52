/* Groups in arrays: blocks of which few rows are selected. Their values are packed, over lines, before they are used. */
#include <string.h>

#include "storage/group_dense_impl.h"
#include "storage/join_place.h"

/* Rows at hand: of the lines with rows [from, to). */
struct sparse_rows {
    struct line_rows lines;
    uint32_t from, to, n;
    uint16_t numbers[LINE_ROWS + LINE_ROWS_SPARE]; /* in their lines */
};

bool group_dense_is_sparse(const struct group_dense *d)
{
    for (unsigned i = 0; i < d->n_sources; i++) {
        const struct dense_source *x = &d->sources[i];
        if (x->active && (!x->lines.c || colblock_has_nulls(x->lines.c)))
            return false;
    }
    for (unsigned i = 0; i < d->n_columns; i++)
        if (group_value_has_nulls(&d->columns[i].value))
            return false;
    return true;
}

static void read_positions(const struct group_dense *d, const struct sparse_rows *r, uint32_t *pos)
{
    uint32_t codes[LINE_ROWS];
    const struct dense_source *only = d->n_sources == 1 ? &d->sources[0] : NULL;

    if (only && only->active && !only->join && only->key->step == 1) {
        colblock_lines_pick_all(&only->lines, &r->lines, r->from, r->to, r->numbers, pos);
        return;
    }
    memset(pos, 0, r->n * sizeof(*pos));
    for (unsigned i = 0; i < d->n_sources; i++) {
        const struct dense_source *x = &d->sources[i];
        if (!x->active)
            continue;
        colblock_lines_pick_all(&x->lines, &r->lines, r->from, r->to, r->numbers, codes);
        if (x->join)
            group_dense_look_up(x, codes, r->n, pos);
        else
            for (uint32_t k = 0; k < r->n; k++)
                pos[k] += codes[k] * x->key->step;
    }
}

/* Rows whose position is beyond all groups go: the number of the others. */
static uint32_t drop_orphans(const struct group_dense *d, uint32_t *pos,
                             uint32_t (*values)[LINE_ROWS], uint32_t n)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        pos[kept] = pos[i];
        for (unsigned w = 1; w < d->stride; w++)
            values[w][kept] = values[w][i];
        kept += pos[i] < JOIN_PLACE_NONE;
    }
    return kept;
}

static void add_rows(struct group_dense *d, struct sparse_rows *r)
{
    uint32_t pos[LINE_ROWS], values[DENSE_SUMS + 1][LINE_ROWS], n = r->n;

    for (uint32_t i = r->from, at = 0; i < r->to; at += r->lines.counts[i++])
        if (r->lines.counts[i] <= kernel_table()->pick_rows)
            line_rows_list(&r->lines, i, r->numbers + at);
    read_positions(d, r, pos);
    for (unsigned i = 0; i < d->n_columns; i++) {
        const struct dense_column *c = &d->columns[i];
        if (c->word)
            group_value_pick(&c->value, &r->lines, r->from, r->to, r->numbers, n, values[c->word]);
    }
    if (d->drops)
        n = drop_orphans(d, pos, values, n);
    group_dense_add_rows_at(d, pos, values, n);
}

void group_dense_add_sparse(struct group_dense *d, const struct block *b, const uint64_t *sel)
{
    struct sparse_rows r = {.to = 0};

    line_rows_init(&r.lines, sel, (b->rows + LINE_ROWS - 1) / LINE_ROWS);
    while (r.to < r.lines.n) {
        r.from = r.to;
        for (r.n = 0; r.to < r.lines.n && r.n + r.lines.counts[r.to] <= LINE_ROWS; r.to++)
            r.n += r.lines.counts[r.to];
        add_rows(d, &r);
    }
}
