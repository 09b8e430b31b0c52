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
    PREFETCH_LINES = 4, /* ahead, per slice (layout study, 6) */
    PLANE_FEW = 3,      /* slices of a plane that are cheaper added as masks than transposed */
    PICK_ROWS = 48,     /* of a line, that are cheaper read one by one than transposed with all */
};

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
 * Eight vectors, bytewise interleaved: 64-bit word j of all eight results holds byte j of each. Those from n on are 0.
 * Unpacking works in lanes of 128 bits, so pairs of bytes are first put where it leaves them in order.
 */
AVX512_INLINE void interleave_512(const __m512i in[8], uint32_t n, __m512i out[8])
{
    const __m512i order =
        _mm512_set_epi16(31, 27, 23, 19, 15, 11, 7, 3, 30, 26, 22, 18, 14, 10, 6, 2, 29, 25, 21, 17,
                         13, 9, 5, 1, 28, 24, 20, 16, 12, 8, 4, 0);
    __m512i a[8], b[8];

    for (unsigned i = 0; i < 4; i++) {
        b[i] = b[4 + i] = _mm512_setzero_si512();
        if (2 * i < n) {
            __m512i x = _mm512_permutexvar_epi16(order, in[2 * i]);
            __m512i y = _mm512_permutexvar_epi16(order, in[2 * i + 1]);

            b[i] = _mm512_unpacklo_epi8(x, y);
            b[4 + i] = _mm512_unpackhi_epi8(x, y);
        }
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

/*
 * How a form transposes the 8 x 8 bits of 64-bit words: row i of the matrix is byte i, or with `reversed` byte 7 - i;
 * its columns are the bytes of the result in order.
 */
struct transposer_512 {
    __m512i (*bits)(__m512i);
    bool reversed, fetches; /* lines to come */
};

/* A byte per row of a line from at most eight slices of it, NULL = zeros: rows 64 m to 64 m + 63 are vector m. */
AVX512_INLINE void plane_512(const uint64_t *const *bits, uint32_t n, size_t at,
                             struct transposer_512 t, __m512i out[8])
{
    __m512i in[8];
    uint32_t there = 0;

    for (unsigned i = 0; i < 8; i++)
        there |= i < n && bits[i] ? 1u << i : 0;
    if (__builtin_popcount(there) <= PLANE_FEW) {
        for (unsigned m = 0; m < 8; m++)
            out[m] = _mm512_setzero_si512();
        for (; there; there &= there - 1) {
            const uint64_t *slice = bits[__builtin_ctz(there)] + at;
            const __m512i one = _mm512_set1_epi8((char)(there & -there));

            if (t.fetches)
                __builtin_prefetch(slice + PREFETCH_LINES * LINE_WORDS);
            for (unsigned m = 0; m < 8; m++)
                out[m] = _mm512_mask_add_epi8(out[m], slice[m], out[m], one);
        }
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        __m512i *to = &in[t.reversed ? 7 - i : i];

        *to = _mm512_setzero_si512();
        if (there >> i & 1) {
            *to = _mm512_load_si512(bits[i] + at);
            if (t.fetches)
                __builtin_prefetch(bits[i] + at + PREFETCH_LINES * LINE_WORDS);
        }
    }
    interleave_512(in, 8, out);
    for (unsigned m = 0; m < 8; m++)
        out[m] = t.bits(out[m]);
}

/* Planes of a line; those up to `most` that there are no slices for are 0. Their number is at most 8. */
AVX512_INLINE uint32_t planes_512(const uint64_t *const *bits, uint32_t n, size_t at,
                                  struct transposer_512 t, uint32_t most, __m512i out[][8])
{
    uint32_t planes = (n + 7) / 8;

    for (uint32_t p = 0; p < planes; p++)
        plane_512(bits + 8 * p, n - 8 * p, at, t, out[p]);
    for (uint32_t p = planes; p < most; p++)
        for (unsigned m = 0; m < 8; m++)
            out[p][m] = _mm512_setzero_si512();
    return planes;
}

AVX512_INLINE void transpose_line64_512(const uint64_t *const *bits, uint32_t n, size_t at,
                                        uint64_t add, struct transposer_512 t, uint64_t *out)
{
    __m512i bytes[8][8], in[8], words[8];
    uint32_t planes = planes_512(bits, n, at, t, 8, bytes);
    const __m512i first = _mm512_set1_epi64((int64_t)add);

    for (unsigned m = 0; m < 8; m++, out += 64) {
        for (unsigned p = 0; p < 8; p++)
            in[p] = bytes[p][m];
        interleave_512(in, planes, words);
        for (unsigned q = 0; q < 8; q++)
            _mm512_storeu_si512(out + 8 * q, _mm512_add_epi64(words[q], first));
    }
}

/*
 * 64 rows as 32-bit numbers in four vectors, from a byte of each in four planes: four rows of each of the four go into
 * a lane before they are unpacked.
 */
AVX512_INLINE void widen_512(const __m512i bytes[4][8], unsigned m, __m512i first, __m512i out[4])
{
    const __m512i lanes = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i p[4], low[2], high[2];

    for (unsigned i = 0; i < 4; i++)
        p[i] = _mm512_permutexvar_epi32(lanes, bytes[i][m]);
    low[0] = _mm512_unpacklo_epi8(p[0], p[1]);
    low[1] = _mm512_unpackhi_epi8(p[0], p[1]);
    high[0] = _mm512_unpacklo_epi8(p[2], p[3]);
    high[1] = _mm512_unpackhi_epi8(p[2], p[3]);
    for (unsigned i = 0; i < 2; i++) {
        out[2 * i] = _mm512_add_epi32(_mm512_unpacklo_epi16(low[i], high[i]), first);
        out[2 * i + 1] = _mm512_add_epi32(_mm512_unpackhi_epi16(low[i], high[i]), first);
    }
}

AVX512_INLINE void transpose_line32_512(const uint64_t *const *bits, uint32_t n, size_t at,
                                        uint32_t add, struct transposer_512 t, uint32_t *out)
{
    const __m512i first = _mm512_set1_epi32((int)add);
    __m512i bytes[4][8], rows[4];

    planes_512(bits, n, at, t, 4, bytes);
    for (unsigned m = 0; m < 8; m++, out += 64) {
        widen_512((const __m512i(*)[8])bytes, m, first, rows);
        for (unsigned i = 0; i < 4; i++)
            _mm512_storeu_si512(out + 16 * i, rows[i]);
    }
}

/* Lines to come are fetched in between: together they are more than the processor has places for. */
AVX512_INLINE uint32_t pick_line32_512(const uint64_t *const *bits, uint32_t n, size_t at,
                                       uint32_t add, struct transposer_512 t, const uint64_t *sel,
                                       uint32_t *out)
{
    const __m512i first = _mm512_set1_epi32((int)add);
    __m512i bytes[4][8], rows[4];
    uint32_t *to = out;

    planes_512(bits, n, at, t, 4, bytes);
    for (unsigned m = 0; m < 8; m++) {
        for (uint32_t i = m; i < n; i += 8)
            __builtin_prefetch(bits[i] + at + PREFETCH_LINES * LINE_WORDS);
        if (!sel[m])
            continue;
        widen_512((const __m512i(*)[8])bytes, m, first, rows);
        for (unsigned i = 0; i < 4; i++) {
            __mmask16 mask = (__mmask16)(sel[m] >> (16 * i));
            unsigned some = (unsigned)__builtin_popcount(mask);

            _mm512_mask_storeu_epi32(to, (__mmask16)((1u << some) - 1),
                                     _mm512_maskz_compress_epi32(mask, rows[i]));
            to += some;
        }
    }
    return (uint32_t)(to - out);
}

/* Sixteen rows at a time: the 32 bits of a slice that have a row are one of 16 words in a vector. */
AVX512_INLINE void pick_rows32_512(const struct slices *s, uint32_t line, uint32_t ahead,
                                   uint32_t add, const uint16_t *rows, uint32_t n, uint32_t *out)
{
    const uint64_t *first = s->words + (size_t)line * LINE_WORDS;
    const uint64_t *next = s->words + (size_t)ahead * LINE_WORDS;

    for (uint32_t i = 0; i < s->width; i++)
        __builtin_prefetch(next + (size_t)i * s->stride);
    for (uint32_t k = 0; k < n; k += 16) {
        __mmask16 some = (__mmask16)(n - k < 16 ? (1u << (n - k)) - 1 : 0xffff);
        __m512i row = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, rows + k));
        __m512i word = _mm512_srli_epi32(row, 5), value = _mm512_set1_epi32((int)add);
        __m512i bit =
            _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_and_si512(row, _mm512_set1_epi32(31)));
        const uint64_t *at = first;

        for (uint32_t i = 0; i < s->width; i++, at += s->stride) {
            __m512i bits = _mm512_permutexvar_epi32(word, _mm512_load_si512(at));
            value = _mm512_mask_add_epi32(value, _mm512_test_epi32_mask(bits, bit), value,
                                          _mm512_set1_epi32((int)(1u << i)));
        }
        _mm512_mask_storeu_epi32(out + k, some, value);
    }
}

AVX512_INLINE void transpose_line16_512(const uint64_t *const *bits, uint32_t n, size_t at,
                                        uint16_t add, struct transposer_512 t, uint16_t *out)
{
    const __m512i lanes = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    const __m512i first = _mm512_set1_epi16((short)add);
    __m512i bytes[2][8];

    planes_512(bits, n, at, t, 2, bytes);
    for (unsigned m = 0; m < 8; m++, out += 64) {
        __m512i a = _mm512_permutexvar_epi64(lanes, bytes[0][m]),
                b = _mm512_permutexvar_epi64(lanes, bytes[1][m]);

        _mm512_storeu_si512(out, _mm512_add_epi16(_mm512_unpacklo_epi8(a, b), first));
        _mm512_storeu_si512(out + 32, _mm512_add_epi16(_mm512_unpackhi_epi8(a, b), first));
    }
}

/* The kernels that read slices as numbers, of a form with the instructions it may use. */
#define TRANSPOSE_512(target, transposer, fetching)                                         \
    target static void transpose_line64(const uint64_t *const *bits, uint32_t n, size_t at, \
                                        uint64_t add, uint64_t *out)                        \
    {                                                                                       \
        transpose_line64_512(bits, n, at, add, transposer, out);                            \
    }                                                                                       \
    target static void transpose_line16(const uint64_t *const *bits, uint32_t n, size_t at, \
                                        uint16_t add, uint16_t *out)                        \
    {                                                                                       \
        transpose_line16_512(bits, n, at, add, transposer, out);                            \
    }                                                                                       \
    target static void decode_line(const struct slices *s, uint32_t line, int64_t *out)     \
    {                                                                                       \
        const uint64_t *bits[SLICES_MAX];                                                   \
        list_slices(s, bits);                                                               \
        transpose_line64_512(bits, s->width, (size_t)line *LINE_WORDS, (uint64_t)s->base,   \
                             fetching, (uint64_t *)out);                                    \
    }                                                                                       \
    target static void decode_line32(const struct slices *s, uint32_t line, uint32_t add,   \
                                     uint32_t *out)                                         \
    {                                                                                       \
        const uint64_t *bits[SLICES_MAX];                                                   \
        list_slices(s, bits);                                                               \
        transpose_line32_512(bits, s->width, (size_t)line *LINE_WORDS, add, fetching, out); \
    }

/* The kernel pick_line32, likewise. */
#define PICK_512(target, transposer)                                                            \
    target static uint32_t pick_line32(const struct slices *s, uint32_t line, uint32_t add,     \
                                       const uint64_t *sel, uint32_t *out)                      \
    {                                                                                           \
        const uint64_t *bits[SLICES_MAX];                                                       \
        list_slices(s, bits);                                                                   \
        return pick_line32_512(bits, s->width, (size_t)line * LINE_WORDS, add, transposer, sel, \
                               out);                                                            \
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

AVX512_INLINE void member_line32_512(const uint32_t *codes, const uint32_t *bits, uint32_t limit,
                                     uint64_t *sel)
{
    const __m512i bound = _mm512_set1_epi32((int)limit), one = _mm512_set1_epi32(1);

    for (unsigned k = 0; k < LINE_WORDS; k++, codes += 64) {
        uint64_t in = 0;

        for (unsigned i = 0; i < 4 && sel[k] >> (16 * i); i++) {
            __m512i code = _mm512_load_si512(codes + 16 * i);
            __mmask16 below = _mm512_cmplt_epu32_mask(code, bound);
            __m512i words = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), below,
                                                        _mm512_srli_epi32(code, 5), bits, 4);
            __m512i bit = _mm512_sllv_epi32(one, _mm512_and_si512(code, _mm512_set1_epi32(31)));
            in |= (uint64_t)_mm512_test_epi32_mask(words, bit) << (16 * i);
        }
        sel[k] &= in;
    }
}

static inline __attribute__((always_inline, target("bmi2,popcnt"))) void expand_line_512(
    const uint64_t *bits, uint64_t *sel)
{
    unsigned at = 0;

    for (unsigned k = 0; k < LINE_WORDS; k++) {
        unsigned n = (unsigned)__builtin_popcountll(sel[k]), shift = at & 63;
        uint64_t some = n ? bits[at >> 6] >> shift : 0;

        if (shift + n > 64)
            some |= bits[(at >> 6) + 1] << (64 - shift);
        sel[k] = _pdep_u64(some, sel[k]);
        at += n;
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

/*
 * The kernel meet_lines of a form, with the instructions it may use and what counts the ones of 64-bit lanes. Two and
 * three sets, which most conditions are, stay in registers.
 */
#define MEET_LINES_512(target, count)                                                              \
    target static inline __attribute__((always_inline)) uint32_t meet_lines_of(                    \
        const uint64_t *const *bits, uint32_t n, uint32_t lines, uint64_t *sel,                    \
        const struct meet_fetch *fetch)                                                            \
    {                                                                                              \
        __m512i ones = _mm512_setzero_si512();                                                     \
                                                                                                   \
        for (uint32_t k = 0; k < lines * LINE_WORDS; k += LINE_WORDS) {                            \
            __m512i both = _mm512_loadu_si512(bits[0] + k);                                        \
                                                                                                   \
            meet_fetch_line(fetch, k);                                                             \
            for (uint32_t i = 1; i < n; i++)                                                       \
                both = _mm512_and_si512(both, _mm512_loadu_si512(bits[i] + k));                    \
            ones = _mm512_add_epi64(ones, count(both));                                            \
            if (sel)                                                                               \
                _mm512_storeu_si512(sel + k, both);                                                \
        }                                                                                          \
        return (uint32_t)_mm512_reduce_add_epi64(ones);                                            \
    }                                                                                              \
    target static uint32_t meet_lines(const uint64_t *const *bits, uint32_t n, uint32_t lines,     \
                                      uint64_t *sel, const uint64_t *const *next, uint32_t n_next) \
    {                                                                                              \
        const uint64_t *const few[3] = {bits[0], bits[n > 1], bits[n > 2 ? 2 : 0]};                \
        const struct meet_fetch fetch = meet_fetch_of(n > 3 ? bits : few, n, next, n_next);        \
                                                                                                   \
        if (n == 2)                                                                                \
            return meet_lines_of(few, 2, lines, sel, &fetch);                                      \
        if (n == 3)                                                                                \
            return meet_lines_of(few, 3, lines, sel, &fetch);                                      \
        return meet_lines_of(bits, n, lines, sel, &fetch);                                         \
    }

/* The kernel unite_lines of a form, likewise. */
#define UNITE_LINES_512(target)                                                             \
    target static void unite_lines(const uint64_t *const *bits, uint32_t n, uint32_t lines, \
                                   uint64_t *out)                                           \
    {                                                                                       \
        for (uint32_t k = 0; k < lines * LINE_WORDS; k += LINE_WORDS) {                     \
            __m512i all = _mm512_setzero_si512();                                           \
                                                                                            \
            for (uint32_t i = 0; i < n; i++)                                                \
                all = _mm512_or_si512(all, _mm512_loadu_si512(bits[i] + k));                \
            _mm512_storeu_si512(out + k, all);                                              \
        }                                                                                   \
    }
