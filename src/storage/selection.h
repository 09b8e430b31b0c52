#pragma once
/* Selections: bitsets over the rows of a block (BLOCK_WORDS words). Stateless; any core. */
#include <string.h>

#include "storage/colblock.h"
#include "storage/kernel.h"

enum { BLOCK_LINES = BLOCK_WORDS / LINE_WORDS };

/* Bits [from, to) set, all others zero. */
static inline void selection_fill(uint64_t *sel, uint32_t from, uint32_t to)
{
    uint32_t first = from / 64, last = to / 64;

    memset(sel, 0, BLOCK_WORDS * sizeof(*sel));
    if (from >= to)
        return;
    memset(sel + first, 0xff, (last - first) * sizeof(*sel));
    if (to & 63)
        sel[last] = ~(~0ULL << (to & 63));
    sel[first] &= ~0ULL << (from & 63);
}

/* Bits outside of [from, to) become zero; to is at most BLOCK_ROWS. */
static inline void selection_cut(uint64_t *sel, uint32_t from, uint32_t to)
{
    memset(sel, 0, from / 64 * sizeof(*sel));
    if (from & 63)
        sel[from / 64] &= ~0ULL << (from & 63);
    if (to & 63)
        sel[to / 64] &= ~(~0ULL << (to & 63));
    to = (to + 63) / 64;
    memset(sel + to, 0, (BLOCK_WORDS - to) * sizeof(*sel));
}

static inline void selection_and(uint64_t *sel, const uint64_t *other)
{
    kernel_table()->and_lines(sel, other, BLOCK_LINES);
}

static inline void selection_or(uint64_t *sel, const uint64_t *other)
{
    kernel_table()->or_lines(sel, other, BLOCK_LINES);
}

static inline bool selection_is_empty(const uint64_t *sel)
{
    for (unsigned i = 0; i < BLOCK_WORDS; i += LINE_WORDS) {
        uint64_t any = 0;
        for (unsigned k = 0; k < LINE_WORDS; k++)
            any |= sel[i + k];
        if (any)
            return false;
    }
    return true;
}

/* Numbers of the n selected rows. */
static inline void selection_rows(const uint64_t *sel, uint32_t n, uint16_t *rows)
{
    for (uint32_t i = 0, w = 0; i < n; w++)
        for (uint64_t bits = sel[w]; bits; bits &= bits - 1)
            rows[i++] = (uint16_t)(w * 64 + (uint32_t)__builtin_ctzll(bits));
}

static inline uint32_t selection_count(const uint64_t *sel)
{
    return kernel_table()->count_lines(sel, BLOCK_LINES);
}

static inline void selection_clear_all(uint64_t *sel)
{
    memset(sel, 0, BLOCK_WORDS * sizeof(*sel));
}

static inline void selection_set(uint64_t *sel, uint32_t row)
{
    sel[row >> 6] |= 1ULL << (row & 63);
}

/* Each selected row in order: SELECTION_EACH(sel, w, bits, row) { ... } with uint32_t row; no `break`. */
#define SELECTION_EACH(sel, w, bits, row)                      \
    for (uint32_t w = 0; w < BLOCK_WORDS; w++)                 \
        for (uint64_t bits = (sel)[w]; bits; bits &= bits - 1) \
            for (uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(bits), once = 1; once; once = 0)
