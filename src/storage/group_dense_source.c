/* Groups in arrays: the values of a relation that have places in them, and blocks with others. */
#include "storage/group_dense_impl.h"

enum {
    SOURCE_FAR = 1 << 30
}; /* values so far from the first place are not told from those with one */

void group_dense_narrow(struct dense_source *x, struct dense_range *r)
{
    const struct join_map *m = x->join;
    struct dense_range all = *r;

    x->narrow = false;
    if (m->row_of_code || m->join->left || !m->has_int_keys || !r->any)
        return;
    r->min = r->min < m->first_key ? m->first_key : r->min;
    r->max = r->max > m->last_key ? m->last_key : r->max;
    if (r->min > r->max) /* there is no parent of any */
        r->min = r->max = m->first_key;
    x->narrow = r->min != all.min || r->max != all.max;
}

/* May a value from min to max that has no place have a parent? One that came after the places were made. */
static bool has_others(const struct dense_source *x, int64_t min, int64_t max)
{
    const struct join_map *m = x->join;
    __int128 last = (__int128)x->base + x->dim - 2;

    return (min < x->base && m->first_key < x->base) || (max > last && m->last_key > last);
}

/* Values out of the range of places become numbers beyond them, so that they must not be too far away. */
static bool open_narrow(struct dense_source *x, const struct colblock *c, int64_t min, int64_t max)
{
    if (has_others(x, min, max) || (__int128)x->base - min > SOURCE_FAR ||
        (__int128)max - x->base > SOURCE_FAR ||
        !colblock_lines_open(&x->lines, c, min, x->scratch, x->scratch_bytes))
        return false;
    colblock_lines_rebase(&x->lines, x->base - 1);
    return true;
}

bool group_dense_open_source(struct dense_source *x, const struct colblock *c)
{
    int64_t min, max;

    if (c && colblock_bounds(c, &min, &max)) {
        if (x->narrow)
            return open_narrow(x, c, min, max);
        if (min < x->base || (uint64_t)max - (uint64_t)x->base >= x->dim - 1)
            return false;
    }
    return colblock_lines_open(&x->lines, c, x->base - 1, x->scratch, x->scratch_bytes);
}
