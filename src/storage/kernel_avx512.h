#pragma once
/*
 * Bodies shared by the two AVX-512 forms, which differ in how they count and transpose bits.
 * Private to them.
 */
#include <immintrin.h>
#include <stddef.h>

#include "storage/kernel.h"
#include "storage/kernel_words.h"

#define AVX512_INLINE \
    static inline     \
        __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq,popcnt")))

enum {
    TERNARY_AND_XOR = 0x60,    /* a & (b ^ c) */
    TERNARY_AND_ANDNOT = 0x10, /* a & ~b & ~c */
    TERNARY_AND3 = 0x80,       /* a & b & c */
    TERNARY_OR3 = 0xfe,        /* a | b | c */
    PREFETCH_LINES = 4,        /* ahead, per slice (layout study, 6) */
};

AVX512_INLINE __m512i flip_of(uint64_t bound, uint32_t bit)
{
    return _mm512_set1_epi64(bound >> bit & 1 ? 0 : -1);
}

/* As the scalar form, a line in one vector. */
AVX512_INLINE __m512i range_line(const struct slices *s, const uint64_t *at, uint64_t lo,
                                 uint64_t hi, __m512i in)
{
    uint32_t i = s->width, split = 0;
    bool parts = kernel_split(lo, hi, &split);
    __m512i low, high, w;

    for (; i > (parts ? split + 1 : 0); i--) {
        at -= s->stride;
        in = _mm512_ternarylogic_epi64(in, _mm512_load_si512(at), flip_of(lo, i - 1),
                                       TERNARY_AND_XOR);
        if (!_mm512_test_epi64_mask(in, in))
            return in;
    }
    if (!parts)
        return in;
    at -= s->stride;
    i--;
    w = _mm512_load_si512(at);
    low = _mm512_andnot_si512(w, in);
    high = _mm512_and_si512(w, in);
    in = _mm512_setzero_si512();
    while (i-- > 0) {
        __m512i flip_lo = flip_of(lo, i), flip_hi = flip_of(hi, i), a, b, both;

        at -= s->stride;
        w = _mm512_load_si512(at);
        a = _mm512_ternarylogic_epi64(low, w, flip_lo, TERNARY_AND3);
        b = _mm512_ternarylogic_epi64(high, w, flip_hi, TERNARY_AND_ANDNOT);
        in = _mm512_ternarylogic_epi64(in, a, b, TERNARY_OR3);
        low = _mm512_ternarylogic_epi64(low, w, flip_lo, TERNARY_AND_XOR);
        high = _mm512_ternarylogic_epi64(high, w, flip_hi, TERNARY_AND_XOR);
        both = _mm512_or_si512(low, high);
        if (!_mm512_test_epi64_mask(both, both))
            return in;
    }
    return _mm512_ternarylogic_epi64(in, low, high, TERNARY_OR3);
}

AVX512_INLINE void filter_range_512(const struct slices *s, uint64_t lo, uint64_t hi, bool negate,
                                    uint64_t *sel)
{
    const uint64_t *top = s->words + (size_t)s->width * s->stride;

    for (uint32_t line = 0; line < s->lines; line++, top += LINE_WORDS, sel += LINE_WORDS) {
        __m512i had = _mm512_loadu_si512(sel), in;

        if (!_mm512_test_epi64_mask(had, had))
            continue;
        in = range_line(s, top, lo, hi, had);
        _mm512_storeu_si512(sel, negate ? _mm512_andnot_si512(in, had) : in);
    }
}

/*
 * The register is compressed and stored under a mask: compressing straight to memory is very slow
 * on Zen 4.
 */
AVX512_INLINE uint32_t compress_line_512(const int64_t *values, const uint64_t *sel, int64_t *out)
{
    int64_t *to = out;

    for (unsigned k = 0; k < LINE_WORDS; k++) {
        uint64_t w = sel[k];

        if (!w)
            values += 64;
        for (unsigned byte = 0; w && byte < 8; byte++, values += 8) {
            __mmask8 mask = (__mmask8)(w >> (8 * byte));
            unsigned n = (unsigned)__builtin_popcount(mask);

            _mm512_mask_storeu_epi64(to, (__mmask8)((1u << n) - 1),
                                     _mm512_maskz_compress_epi64(mask, _mm512_load_si512(values)));
            to += n;
        }
    }
    return (uint32_t)(to - out);
}

/*
 * Eight slices of a line, bytewise interleaved: word j of the 64 holds byte j of each; in vector m,
 * lane l are the words of the rows 128 l + 16 m and the 15 after them.
 */
AVX512_INLINE void interleave_512(const struct slices *s, const uint64_t *at, uint32_t n,
                                  __m512i out[8])
{
    __m512i a[8], b[8];

    for (unsigned i = 0; i < 8; i++) {
        const uint64_t *slice = at + (size_t)i * s->stride;

        a[i] = i < n ? _mm512_load_si512(slice) : _mm512_setzero_si512();
        if (i < n)
            __builtin_prefetch(slice + PREFETCH_LINES * LINE_WORDS);
    }
    for (unsigned i = 0; i < 4; i++) {
        b[i] = _mm512_unpacklo_epi8(a[2 * i], a[2 * i + 1]);
        b[4 + i] = _mm512_unpackhi_epi8(a[2 * i], a[2 * i + 1]);
    }
    for (unsigned h = 0; h < 2; h++) {
        for (unsigned i = 0; i < 2; i++) {
            a[4 * h + i] = _mm512_unpacklo_epi16(b[4 * h + 2 * i], b[4 * h + 2 * i + 1]);
            a[4 * h + 2 + i] = _mm512_unpackhi_epi16(b[4 * h + 2 * i], b[4 * h + 2 * i + 1]);
        }
    }
    for (unsigned q = 0; q < 4; q++) {
        out[2 * q] = _mm512_unpacklo_epi32(a[2 * q], a[2 * q + 1]);
        out[2 * q + 1] = _mm512_unpackhi_epi32(a[2 * q], a[2 * q + 1]);
    }
}

/* Lane l of the vectors m are the bytes of the rows 128 l + 16 m and the 15 after them. */
AVX512_INLINE void store_lanes_512(const __m512i v[8], uint8_t *bytes)
{
    for (unsigned h = 0; h < 2; h++, v += 4, bytes += 64) {
        __m512i a = _mm512_shuffle_i64x2(v[0], v[1], 0x44);
        __m512i b = _mm512_shuffle_i64x2(v[0], v[1], 0xee);
        __m512i c = _mm512_shuffle_i64x2(v[2], v[3], 0x44);
        __m512i d = _mm512_shuffle_i64x2(v[2], v[3], 0xee);

        _mm512_store_si512(bytes, _mm512_shuffle_i64x2(a, c, 0x88));
        _mm512_store_si512(bytes + 128, _mm512_shuffle_i64x2(a, c, 0xdd));
        _mm512_store_si512(bytes + 256, _mm512_shuffle_i64x2(b, d, 0x88));
        _mm512_store_si512(bytes + 384, _mm512_shuffle_i64x2(b, d, 0xdd));
    }
}

/* Values of a line from one byte per row and plane. */
AVX512_INLINE void join_planes_512(const uint8_t bytes[8][512], uint32_t planes, int64_t base,
                                   int64_t *out)
{
    for (unsigned r = 0; r < 512; r += 8) {
        __m512i v = _mm512_set1_epi64(base);

        for (uint32_t p = 0; p < planes; p++) {
            __m512i part = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(bytes[p] + r)));

            v = _mm512_add_epi64(v, _mm512_slli_epi64(part, 8 * p));
        }
        _mm512_storeu_si512(out + r, v);
    }
}

/* The same as 32-bit numbers, without the base: 64 rows at a time are unpacked from their bytes. */
AVX512_INLINE void join_planes32_512(const uint8_t bytes[8][512], uint32_t planes, uint32_t add,
                                     uint32_t *out)
{
    /* Unpacking works in lanes of 16 bytes: four rows of each of the four vectors to come go into a lane. */
    const __m512i lanes = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i first = _mm512_set1_epi32((int)add), zero = _mm512_setzero_si512();

    for (unsigned r = 0; r < 512; r += 64) {
        __m512i p[4], low[2], high[2];

        for (unsigned i = 0; i < 4; i++)
            p[i] = i < planes ? _mm512_permutexvar_epi32(lanes, _mm512_load_si512(bytes[i] + r))
                              : zero;
        low[0] = _mm512_unpacklo_epi8(p[0], p[1]);
        low[1] = _mm512_unpackhi_epi8(p[0], p[1]);
        high[0] = _mm512_unpacklo_epi8(p[2], p[3]);
        high[1] = _mm512_unpackhi_epi8(p[2], p[3]);
        for (unsigned i = 0; i < 2; i++) {
            __m512i a = _mm512_unpacklo_epi16(low[i], high[i]);
            __m512i b = _mm512_unpackhi_epi16(low[i], high[i]);

            _mm512_storeu_si512(out + r + 32 * i, _mm512_add_epi32(a, first));
            _mm512_storeu_si512(out + r + 32 * i + 16, _mm512_add_epi32(b, first));
        }
    }
}

AVX512_INLINE void below_line32_512(const uint32_t *values, uint32_t limit, uint64_t *sel)
{
    const __m512i bound = _mm512_set1_epi32((int)limit);

    for (unsigned k = 0; k < LINE_WORDS; k++, values += 64) {
        uint64_t in = 0;

        for (unsigned i = 0; i < 4; i++)
            in |= (uint64_t)_mm512_cmplt_epu32_mask(_mm512_load_si512(values + 16 * i), bound)
                  << (16 * i);
        sel[k] &= in;
    }
}

AVX512_INLINE uint32_t compress_line32_512(const uint32_t *values, const uint64_t *sel,
                                           uint32_t *out)
{
    uint32_t *to = out;

    for (unsigned k = 0; k < LINE_WORDS; k++) {
        uint64_t w = sel[k];

        if (!w)
            values += 64;
        for (unsigned part = 0; w && part < 4; part++, values += 16) {
            __mmask16 mask = (__mmask16)(w >> (16 * part));
            unsigned n = (unsigned)__builtin_popcount(mask);

            _mm512_mask_storeu_epi32(to, (__mmask16)((1u << n) - 1),
                                     _mm512_maskz_compress_epi32(mask, _mm512_load_si512(values)));
            to += n;
        }
    }
    return (uint32_t)(to - out);
}

/* The kernel meet_lines of a form, with the instructions it may use and what counts the ones of 64-bit lanes. */
#define MEET_LINES_512(target, count)                                                          \
    target static uint32_t meet_lines(const uint64_t *const *bits, uint32_t n, uint32_t lines, \
                                      uint64_t *sel)                                           \
    {                                                                                          \
        __m512i ones = _mm512_setzero_si512();                                                 \
                                                                                               \
        for (uint32_t k = 0; k < lines * LINE_WORDS; k += LINE_WORDS) {                        \
            __m512i both = _mm512_set1_epi64(-1);                                              \
                                                                                               \
            for (uint32_t i = 0; i < n; i++) {                                                 \
                __builtin_prefetch(bits[i] + k + MEET_LINES_AHEAD * LINE_WORDS);               \
                both = _mm512_and_si512(both, _mm512_loadu_si512(bits[i] + k));                \
            }                                                                                  \
            ones = _mm512_add_epi64(ones, count(both));                                        \
            if (sel)                                                                           \
                _mm512_storeu_si512(sel + k, both);                                            \
        }                                                                                      \
        return (uint32_t)_mm512_reduce_add_epi64(ones);                                        \
    }
