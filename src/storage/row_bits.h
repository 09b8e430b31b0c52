#pragma once
/*
 * Slices of several columns side by side: one number per row with the values in its bits, so that positions of groups,
 * and all sums of a row, are read by one transposition instead of one per column. Owner: the slot's core; good until
 * the block changes.
 */
#include "storage/colblock_lines.h"

struct row_bits {
    const uint64_t *bits[SLICES_MAX];
    uint32_t n;
    uint64_t add; /* to every row's number */
};

void row_bits_init(struct row_bits *x, uint64_t add);
/*
 * The values of a column, less its base, go to bits `at` to `end` - 1; they must be below 2^(end - at). False when its
 * slices are wider. Only sealed lines can be read so.
 */
bool row_bits_put(struct row_bits *x, const struct colblock_lines *c, unsigned at, unsigned end);
