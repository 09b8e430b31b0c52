#pragma once
/* Selections: bitsets over the rows of a block (BLOCK_WORDS words). Stateless; any core. */
#include <string.h>

#include "storage/colblock.h"

/* Bits [from, to) set, all others zero. */
static inline void selection_fill(uint64_t *sel, uint32_t from, uint32_t to)
{
    memset(sel, 0, BLOCK_WORDS * sizeof(*sel));
    for (uint32_t i = from; i < to;) {
        uint32_t end = (i & ~63U) + 64 < to ? (i & ~63U) + 64 : to;
        uint64_t mask = ~0ULL << (i & 63);
        if (end & 63)
            mask &= ~(~0ULL << (end & 63));
        sel[i >> 6] |= mask;
        i = end;
    }
}

static inline void selection_and(uint64_t *sel, const uint64_t *other)
{
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        sel[i] &= other[i];
}

static inline void selection_or(uint64_t *sel, const uint64_t *other)
{
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        sel[i] |= other[i];
}

static inline bool selection_is_empty(const uint64_t *sel)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        any |= sel[i];
    return !any;
}

static inline uint32_t selection_count(const uint64_t *sel)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        n += (uint32_t)__builtin_popcountll(sel[i]);
    return n;
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
