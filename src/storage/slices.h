#pragma once
/*
 * Bit slices of a block's column: bit i of all rows' offsets from a base (frame of reference) lies
 * in slice i, one bitset of the block. Full signed 64-bit range, exact. NULL rows have offset 0.
 * Owner: the slot's core.
 */
#include <stddef.h>

#include "storage/kernel.h"

/*
 * Smallest frame that holds [min, max]; `spare` makes it at least twice as wide and puts the values
 * in its middle, so that values moving step by step outside rarely need another frame.
 */
void slices_choose_frame(int64_t min, int64_t max, bool spare, int64_t *base, uint32_t *width);

/* Bytes of `width` slices of `lines` lines. */
size_t slices_bytes(uint32_t lines, uint32_t width);

static inline bool slices_can_hold(const struct slices *s, int64_t v)
{
    uint64_t offset = (uint64_t)v - (uint64_t)s->base;

    return v >= s->base && (s->width == 64 || offset >> s->width == 0);
}

/*
 * Writes lines * 512 rows from values (those of NULL rows must be the base) and counts the ones of
 * each slice.
 */
void slices_encode(const struct slices *s, const int64_t *values, uint32_t counts[SLICES_MAX]);

/* The same of 64 offsets from the base, for the words number `word`; the ones are added to counts. */
void slices_encode_word(const struct slices *s, uint32_t word, const uint64_t offsets[64],
                        uint32_t *counts);

/* 64 values from the words number `word` of all slices, base included. */
void slices_decode_word(const struct slices *s, uint32_t word, int64_t *out);

int64_t slices_get(const struct slices *s, uint32_t row);

/* Puts a value the frame can hold; counts follow the bits that change. */
void slices_put(const struct slices *s, uint32_t row, int64_t v, uint32_t counts[SLICES_MAX]);

/* Smallest and largest value among the rows of sel, which must not be empty. */
void slices_min_max(const struct slices *s, const uint64_t *sel, int64_t *min, int64_t *max);
