/*
 * Bit slices: encoding by transposition of bit matrices inside 64-bit words, reading and changing
 * single rows.
 */
#include "storage/slices.h"

#include <string.h>

#include "reactor/assert.h"

static uint32_t bits_of(uint64_t range)
{
    return range ? 64 - (uint32_t)__builtin_clzll(range) : 0;
}

void slices_choose_frame(int64_t min, int64_t max, bool spare, int64_t *base, uint32_t *width)
{
    uint64_t range = (uint64_t)max - (uint64_t)min;

    *base = min;
    *width = bits_of(range);
    if (spare) {
        uint64_t room, below;

        *width = *width < 63 ? *width + 1 : 64;
        room = (*width == 64 ? ~0ull : (1ull << *width) - 1) - range;
        below = (uint64_t)min - (uint64_t)INT64_MIN; /* values below min that exist */
        if (*width == 64)
            *base = INT64_MIN;
        else
            *base = (int64_t)((uint64_t)min - (room / 2 < below ? room / 2 : below));
    }
}

size_t slices_bytes(uint32_t lines, uint32_t width)
{
    return (size_t)width * (lines + 1) * LINE_WORDS * sizeof(uint64_t);
}

/*
 * Transposes the bit matrices in n words whose lanes are n bits wide (n = 8, 16 or 32): afterwards
 * bit i of lane l of word r is what bit r of lane l of word i was. All 64 / n lanes go at once.
 */
static inline __attribute__((always_inline)) void transpose(uint64_t *a, unsigned n)
{
    static const uint64_t masks[5] = {0x5555555555555555u, 0x3333333333333333u, 0x0f0f0f0f0f0f0f0fu,
                                      0x00ff00ff00ff00ffu, 0x0000ffff0000ffffu};
    unsigned level = (unsigned)__builtin_ctz(n);

    for (unsigned j = n / 2; j; j /= 2) {
        uint64_t mask = masks[--level];

        for (unsigned group = 0; group < n; group += 2 * j) {
            for (unsigned k = group; k < group + j; k++) {
                uint64_t t = (a[k] >> j ^ a[k + j]) & mask;

                a[k] ^= t << j;
                a[k + j] ^= t;
            }
        }
    }
}

/* Adds slices [from, from + n) of a word to the 64 values. */
static inline __attribute__((always_inline)) void decode_plane(const struct slices *s,
                                                               uint32_t word, unsigned from,
                                                               unsigned n, int64_t *out)
{
    uint64_t a[32];
    unsigned have = s->width - from < n ? s->width - from : n;

    for (unsigned i = 0; i < have; i++)
        a[i] = s->words[(size_t)(from + i) * s->stride + word];
    for (unsigned i = have; i < n; i++)
        a[i] = 0;
    transpose(a, n);
    for (unsigned lane = 0; lane < 64 / n; lane++) {
        for (unsigned r = 0; r < n; r++) {
            uint64_t part = a[r] >> (lane * n) & (((1ull << (n - 1)) << 1) - 1);

            out[lane * n + r] = (int64_t)((uint64_t)out[lane * n + r] + (part << from));
        }
    }
}

void slices_decode_word(const struct slices *s, uint32_t word, int64_t *out)
{
    for (unsigned r = 0; r < 64; r++)
        out[r] = s->base;
    if (s->width == 0)
        return;
    if (s->width <= 8) {
        decode_plane(s, word, 0, 8, out);
    } else if (s->width <= 16) {
        decode_plane(s, word, 0, 16, out);
    } else {
        decode_plane(s, word, 0, 32, out);
        if (s->width > 32)
            decode_plane(s, word, 32, 32, out);
    }
}

static inline __attribute__((always_inline)) void encode_plane(const struct slices *s,
                                                               uint32_t word, unsigned from,
                                                               unsigned n, const uint64_t *offsets,
                                                               uint32_t *counts)
{
    uint64_t a[32] = {0}, mask = ((1ull << (n - 1)) << 1) - 1;

    for (unsigned lane = 0; lane < 64 / n; lane++) {
        for (unsigned r = 0; r < n; r++)
            a[r] |= (offsets[lane * n + r] >> from & mask) << (lane * n);
    }
    transpose(a, n);
    for (unsigned i = 0; i < n && from + i < s->width; i++) {
        s->words[(size_t)(from + i) * s->stride + word] = a[i];
        counts[from + i] += (uint32_t)__builtin_popcountll(a[i]);
    }
}

void slices_encode_word(const struct slices *s, uint32_t word, const uint64_t offsets[64],
                        uint32_t *counts)
{
    if (s->width <= 8) {
        encode_plane(s, word, 0, 8, offsets, counts);
    } else if (s->width <= 16) {
        encode_plane(s, word, 0, 16, offsets, counts);
    } else {
        encode_plane(s, word, 0, 32, offsets, counts);
        if (s->width > 32)
            encode_plane(s, word, 32, 32, offsets, counts);
    }
}

static void encode_wide(const struct slices *s, const int64_t *values, uint32_t *counts)
{
    for (uint32_t word = 0; word < s->lines * LINE_WORDS; word++, values += 64) {
        uint64_t offsets[64];

        for (unsigned r = 0; r < 64; r++)
            offsets[r] = (uint64_t)values[r] - (uint64_t)s->base;
        slices_encode_word(s, word, offsets, counts);
    }
}

void slices_encode(const struct slices *s, const int64_t *values, uint32_t counts[SLICES_MAX])
{
    const struct kernels *k = kernel_table();
    _Alignas(64) uint32_t offsets[LINE_WORDS * 64];

    memset(counts, 0, SLICES_MAX * sizeof *counts);
    for (uint32_t row = 0; row < s->lines * LINE_WORDS * 64; row++)
        ASSERT_HOT(slices_can_hold(s, values[row]));
    if (s->width > 32) {
        encode_wide(s, values, counts);
        return;
    }
    for (uint32_t line = 0; line < s->lines && s->width; line++, values += LINE_WORDS * 64) {
        for (unsigned r = 0; r < LINE_WORDS * 64; r++)
            offsets[r] = (uint32_t)((uint64_t)values[r] - (uint64_t)s->base);
        k->encode_line32(s, line, offsets, counts);
    }
}

int64_t slices_get(const struct slices *s, uint32_t row)
{
    const uint64_t *at = s->words + (row >> 6);
    uint64_t offset = 0;

    for (uint32_t i = 0; i < s->width; i++, at += s->stride)
        offset |= (*at >> (row & 63) & 1) << i;
    return (int64_t)((uint64_t)s->base + offset);
}

void slices_put(const struct slices *s, uint32_t row, int64_t v, uint32_t counts[SLICES_MAX])
{
    uint64_t *at = s->words + (row >> 6);
    uint64_t offset = (uint64_t)v - (uint64_t)s->base;

    ASSERT(slices_can_hold(s, v));
    for (uint32_t i = 0; i < s->width; i++, at += s->stride) {
        uint64_t was = *at >> (row & 63) & 1, now = offset >> i & 1;

        *at ^= (was ^ now) << (row & 63);
        counts[i] = counts[i] + (uint32_t)now - (uint32_t)was;
    }
}

/* Narrows cand to the rows with the extreme offset, most significant slice first. */
static uint64_t extreme(const struct slices *s, uint64_t *cand, bool want_max)
{
    uint32_t words = s->lines * LINE_WORDS;
    uint64_t offset = 0, flip = want_max ? 0 : ~0ull;

    for (uint32_t i = s->width; i-- > 0;) {
        const uint64_t *w = s->words + (size_t)i * s->stride;
        uint64_t any = 0;

        for (uint32_t k = 0; k < words && !any; k++)
            any = cand[k] & (w[k] ^ flip);
        if (any) {
            for (uint32_t k = 0; k < words; k++)
                cand[k] &= w[k] ^ flip;
        }
        offset |= (uint64_t)(want_max == (any != 0)) << i;
    }
    return offset;
}

void slices_min_max(const struct slices *s, const uint64_t *sel, int64_t *min, int64_t *max)
{
    uint64_t cand[65536 / 64];
    size_t bytes = s->lines * LINE_WORDS * sizeof *cand;

    memcpy(cand, sel, bytes);
    *min = (int64_t)((uint64_t)s->base + extreme(s, cand, false));
    memcpy(cand, sel, bytes);
    *max = (int64_t)((uint64_t)s->base + extreme(s, cand, true));
}
