#pragma once
/*
 * Bit masks over the rows of a block: presence, row masks, selections. Words are 64-bit, row r is
 * bit r & 63 of word r / 64. Stateless; any core.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool presence_get(const uint64_t *mask, uint32_t row)
{
    return mask[row >> 6] >> (row & 63) & 1;
}

static inline void presence_set(uint64_t *mask, uint32_t row)
{
    mask[row >> 6] |= 1ull << (row & 63);
}

static inline void presence_clear(uint64_t *mask, uint32_t row)
{
    mask[row >> 6] &= ~(1ull << (row & 63));
}

static inline uint32_t presence_words(uint32_t rows)
{
    return (rows + 63) / 64;
}

/* Rows [from, from + n) become set. */
static inline void presence_fill(uint64_t *mask, uint32_t from, uint32_t n)
{
    uint32_t end = from + n;

    while (from < end) {
        uint32_t bit = from & 63, take = 64 - bit < end - from ? 64 - bit : end - from;

        mask[from >> 6] |= (take == 64 ? ~0ull : (1ull << take) - 1) << bit;
        from += take;
    }
}

static inline uint32_t presence_count(const uint64_t *mask, uint32_t words)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < words; i++)
        n += (uint32_t)__builtin_popcountll(mask[i]);
    return (uint32_t)n;
}

/* Rows in both; b NULL = all. */
static inline uint32_t presence_count_and(const uint64_t *a, const uint64_t *b, uint32_t words)
{
    uint64_t n = 0;

    if (!b)
        return presence_count(a, words);
    for (uint32_t i = 0; i < words; i++)
        n += (uint32_t)__builtin_popcountll(a[i] & b[i]);
    return (uint32_t)n;
}

/* a &= b; b NULL = all. */
static inline void presence_and(uint64_t *a, const uint64_t *b, uint32_t words)
{
    for (uint32_t i = 0; b && i < words; i++)
        a[i] &= b[i];
}

static inline bool presence_is_empty(const uint64_t *mask, uint32_t words)
{
    uint64_t any = 0;

    for (uint32_t i = 0; i < words; i++)
        any |= mask[i];
    return any == 0;
}
