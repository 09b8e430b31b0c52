#pragma once
/*
 * Bodies of the kernels over whole bitsets and 32-bit lines that only differ in the vectors the
 * compiler may use: written once, inlined into every form. Private to the forms.
 */
#include <stdint.h>

#include "storage/kernel.h"

enum { MEET_LINES_AHEAD = 12 }; /* fetched when nothing tells what is read next */

#define WORDS_INLINE static inline __attribute__((always_inline))

typedef uint64_t line_vector __attribute__((vector_size(64), aligned(8), may_alias));

typedef uint32_t rows_vector __attribute__((vector_size(64), aligned(8), may_alias));

/* What meet_lines fetches on its way. Into the second cache: a block of it is more than the first has places for, and
 * the processor then has more lines on their way at once. */
struct meet_fetch {
    const uint64_t *const *bits;
    uint32_t n, ahead; /* words */
};

WORDS_INLINE struct meet_fetch meet_fetch_of(const uint64_t *const *bits, uint32_t n,
                                             const uint64_t *const *next, uint32_t n_next)
{
    return n_next ? (struct meet_fetch){next, n_next, 0}
                  : (struct meet_fetch){bits, n, MEET_LINES_AHEAD * LINE_WORDS};
}

WORDS_INLINE void meet_fetch_line(const struct meet_fetch *f, uint32_t word)
{
    for (uint32_t i = 0; i < f->n; i++)
        __builtin_prefetch(f->bits[i] + word + f->ahead, 0, 2);
}

/* The slices one by one. */
WORDS_INLINE void list_slices(const struct slices *s, const uint64_t *bits[SLICES_MAX])
{
    for (uint32_t i = 0; i < s->width; i++)
        bits[i] = s->words + (size_t)i * s->stride;
}

WORDS_INLINE void and_lines_body(uint64_t *sel, const uint64_t *other, uint32_t lines)
{
    for (uint32_t i = 0; i < lines; i++, sel += LINE_WORDS, other += LINE_WORDS)
        *(line_vector *)sel &= *(const line_vector *)other;
}

WORDS_INLINE void and_not_lines_body(uint64_t *sel, const uint64_t *other, uint32_t lines)
{
    for (uint32_t i = 0; i < lines; i++, sel += LINE_WORDS, other += LINE_WORDS)
        *(line_vector *)sel &= ~*(const line_vector *)other;
}

WORDS_INLINE void or_lines_body(uint64_t *sel, const uint64_t *other, uint32_t lines)
{
    for (uint32_t i = 0; i < lines; i++, sel += LINE_WORDS, other += LINE_WORDS)
        *(line_vector *)sel |= *(const line_vector *)other;
}

WORDS_INLINE void below_line32_body(const uint32_t *values, uint32_t limit, uint64_t *sel)
{
    for (unsigned k = 0; k < LINE_WORDS; k++, values += 64) {
        uint64_t in = 0;

        for (unsigned i = 0; i < 64; i++)
            in |= (uint64_t)(values[i] < limit) << i;
        sel[k] &= in;
    }
}

WORDS_INLINE void member_line32_body(const uint32_t *codes, const uint32_t *bits, uint32_t limit,
                                     uint64_t *sel)
{
    for (unsigned k = 0; k < LINE_WORDS; k++, codes += 64) {
        uint64_t in = 0;
        unsigned end = sel[k] ? 64 - (unsigned)__builtin_clzll(sel[k]) : 0;

        for (unsigned i = 0; i < end; i++) {
            uint32_t code = codes[i] < limit ? codes[i] : 0;
            in |= (uint64_t)((bits[code >> 5] >> (code & 31) & 1) & (codes[i] < limit)) << i;
        }
        sel[k] &= in;
    }
}

/* The kernel member_slices by two others. */
WORDS_INLINE void member_slices_body(const struct kernels *k, const struct slices *s, uint32_t line,
                                     const uint32_t *bits, uint32_t parts, uint64_t *sel)
{
    _Alignas(64) uint32_t offsets[LINE_WORDS * 64];

    k->decode_line32(s, line, 0, offsets);
    k->member_line32(offsets, bits, parts * KERNEL_SET_PART, sel);
}

WORDS_INLINE void add_scaled_line32_body(const uint32_t *values, uint32_t factor, uint32_t *out)
{
    for (unsigned i = 0; i < LINE_WORDS * 64; i += 16)
        *(rows_vector *)(out + i) += *(const rows_vector *)(values + i) * factor;
}

WORDS_INLINE void add_fields_body(uint64_t *words, uint32_t n, unsigned second, unsigned third,
                                  uint64_t *a, uint64_t *b, uint64_t *c)
{
    uint64_t low = (1ull << second) - 1, middle = (1ull << (third - second)) - 1;

    for (uint32_t i = 0; i < n; i += LINE_WORDS) {
        line_vector w = *(const line_vector *)(words + i);

        *(line_vector *)(a + i) += w & low;
        if (middle)
            *(line_vector *)(b + i) += w >> second & middle;
        *(line_vector *)(c + i) += w >> third;
        *(line_vector *)(words + i) = (line_vector){0};
    }
}

/* The kernels of a form that are nothing but these bodies, with the instructions it may use (`target`, may be empty). */
#define KERNEL_WORDS(target)                                                                     \
    target static void and_lines(uint64_t *sel, const uint64_t *other, uint32_t lines)           \
    {                                                                                            \
        and_lines_body(sel, other, lines);                                                       \
    }                                                                                            \
    target static void and_not_lines(uint64_t *sel, const uint64_t *other, uint32_t lines)       \
    {                                                                                            \
        and_not_lines_body(sel, other, lines);                                                   \
    }                                                                                            \
    target static void or_lines(uint64_t *sel, const uint64_t *other, uint32_t lines)            \
    {                                                                                            \
        or_lines_body(sel, other, lines);                                                        \
    }                                                                                            \
    target static void add_scaled_line32(const uint32_t *values, uint32_t factor, uint32_t *out) \
    {                                                                                            \
        add_scaled_line32_body(values, factor, out);                                             \
    }                                                                                            \
    target static void add_fields(uint64_t *words, uint32_t n, unsigned second, unsigned third,  \
                                  uint64_t *a, uint64_t *b, uint64_t *c)                         \
    {                                                                                            \
        add_fields_body(words, n, second, third, a, b, c);                                       \
    }
