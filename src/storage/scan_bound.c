/* Scan: what the last value that can be among the first rows excludes. */
#include <string.h>

#include "storage/scan_impl.h"
#include "storage/selection.h"

/* Once enough rows are there, the first order column's slices tell which rows cannot be among the first. */
void scan_narrow_to_bound(struct scan *x, const struct block *b)
{
    const struct program_order *o = &x->program->order[0];
    uint16_t ref = x->program->columns[o->output];
    int64_t bound;

    if (!scan_is_own_ordered(x, ref) || !topn_bound(x->topn, &bound) || !b->columns[ref])
        return;
    if (o->descending) {
        colblock_filter_range(b->columns[ref], bound, INT64_MAX, false, x->sel);
    } else {
        memcpy(x->window, x->sel, sizeof(x->window));
        colblock_filter_null(b->columns[ref], true, x->window);
        colblock_filter_range(b->columns[ref], INT64_MIN, bound, false, x->sel);
        selection_or(x->sel, x->window);
    }
}

/* Do the block's bounds tell that none of its rows can be among the first? */
bool scan_is_beyond_bound(const struct scan *x, const struct block *b)
{
    const struct program_order *o = &x->program->order[0];
    uint16_t ref = x->program->columns[o->output];
    const struct colblock *c;
    int64_t bound, min, max;

    if (!scan_is_own_ordered(x, ref) || !topn_bound(x->topn, &bound))
        return false;
    c = b->columns[ref];
    if (!c || !colblock_bounds(c, &min, &max))
        return o->descending;
    return o->descending ? max < bound : min > bound && !colblock_has_nulls(c);
}
