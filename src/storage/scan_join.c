#include "storage/scan_join.h"

#include <errno.h>

int scan_join_open(struct scan *x)
{
    const struct program *p = x->program;
    int rc = 0;

    for (unsigned i = 0; i < p->n_joins && !rc; i++) {
        rc = join_map_new(&p->joins[i], &x->arena, x->budget, &x->joins[i]);
        x->parent_rows[i] = arena_alloc_raw(&x->arena, x->window_rows * sizeof(*x->parent_rows[i]));
        if (!rc && !x->parent_rows[i])
            rc = -ENOMEM;
        x->join_order[i] = (uint8_t)i;
    }
    return rc;
}

/* Does join a leave a smaller part of its rows than b? */
static bool is_sharper(const struct scan *x, unsigned a, unsigned b)
{
    bool left = x->program->joins[a].left, other = x->program->joins[b].left;

    if (left != other)
        return other;
    return (unsigned __int128)x->kept[a] * (x->joined[b] + 1) <
           (unsigned __int128)x->kept[b] * (x->joined[a] + 1);
}

/* The joins that dropped the largest parts so far come first: the others decode fewer rows. */
static void order_joins(struct scan *x)
{
    for (unsigned i = 1; i < x->program->n_joins; i++)
        for (unsigned k = i; k > 0 && is_sharper(x, x->join_order[k], x->join_order[k - 1]); k--) {
            uint8_t t = x->join_order[k];
            x->join_order[k] = x->join_order[k - 1];
            x->join_order[k - 1] = t;
        }
}

/* Drops rows without a parent in join `at` of the order from the window and closes the gaps in the rows found so far. */
static uint32_t drop_orphans(struct scan *x, uint32_t first_word, unsigned at, uint32_t n)
{
    uint32_t *rows = x->parent_rows[x->join_order[at]], i = 0, kept = 0;
    uint16_t from[SCAN_WINDOW];

    for (uint32_t w = first_word; w < first_word + SCAN_WORDS; w++) {
        uint64_t keep = 0;
        for (uint64_t bits = x->window[w]; bits; bits &= bits - 1, i++) {
            uint64_t has = rows[i] != 0;
            keep |= (bits & -bits) & -has;
            from[kept] = (uint16_t)i;
            rows[kept] = rows[i];
            kept += (uint32_t)has;
        }
        x->window[w] = keep;
    }
    for (unsigned k = 0; k < at && kept < n; k++) {
        uint32_t *earlier = x->parent_rows[x->join_order[k]];
        for (i = 0; i < kept; i++)
            earlier[i] = earlier[from[i]];
    }
    return kept;
}

uint32_t scan_join_window(struct scan *x, const struct block *b, uint32_t first_word, uint32_t n)
{
    if (first_word == 0)
        order_joins(x);
    for (unsigned k = 0; k < x->program->n_joins && n; k++) {
        unsigned i = x->join_order[k];
        uint32_t before = n;
        join_map_rows(x->joins[i], b, x->window, x->parent_rows[i]);
        if (!x->program->joins[i].left)
            n = drop_orphans(x, first_word, k, n);
        x->joined[i] += before;
        x->kept[i] += n;
    }
    return n;
}
