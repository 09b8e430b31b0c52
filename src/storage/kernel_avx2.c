/* Kernels for AVX2: a line is two vectors of 256 rows. */
#include "storage/kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "storage/kernel_encode.h"
#include "storage/kernel_range256.h"
#include "storage/kernel_words.h"

#define AVX2 __attribute__((target("avx2,popcnt")))
#define AVX2_INLINE static inline __attribute__((always_inline, target("avx2,popcnt")))

enum {
    HALF_WORDS = LINE_WORDS / 2,
    PICK_ROWS = 16, /* of a line, that are cheaper read one by one than transposed with all */
};

AVX2 static void filter_range(const struct slices *s, uint64_t lo, uint64_t hi, bool negate,
                              uint64_t *sel)
{
    filter_range_by(s, lo, hi, negate, sel);
}

/* Ones per 64-bit word. */
AVX2_INLINE __m256i count_ones(__m256i v)
{
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                           2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(v, nibble));
    __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));

    return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

AVX2_INLINE uint64_t add_lanes(__m256i v)
{
    return (uint64_t)_mm256_extract_epi64(v, 0) + (uint64_t)_mm256_extract_epi64(v, 1) +
           (uint64_t)_mm256_extract_epi64(v, 2) + (uint64_t)_mm256_extract_epi64(v, 3);
}

AVX2 static unsigned __int128 sum(const struct slices *s, const uint64_t *sel)
{
    unsigned __int128 total = 0;

    for (uint32_t i = 0; i < s->width; i++) {
        const uint64_t *at = s->words + (size_t)i * s->stride;
        __m256i n = _mm256_setzero_si256();

        for (uint32_t k = 0; k < s->lines * LINE_WORDS; k += HALF_WORDS) {
            __m256i w = _mm256_load_si256((const __m256i *)(at + k));

            n = _mm256_add_epi64(
                n, count_ones(_mm256_and_si256(w, _mm256_loadu_si256((const __m256i *)(sel + k)))));
        }
        total += (unsigned __int128)add_lanes(n) << i;
    }
    return total;
}

/* Transposes the 8 x 8 bit matrix in every 64-bit word. */
AVX2_INLINE __m256i transpose_bits(__m256i v)
{
    __m256i t;

    t = _mm256_and_si256(_mm256_xor_si256(v, _mm256_srli_epi64(v, 7)),
                         _mm256_set1_epi64x(0x00aa00aa00aa00aa));
    v = _mm256_xor_si256(v, _mm256_xor_si256(t, _mm256_slli_epi64(t, 7)));
    t = _mm256_and_si256(_mm256_xor_si256(v, _mm256_srli_epi64(v, 14)),
                         _mm256_set1_epi64x(0x0000cccc0000cccc));
    v = _mm256_xor_si256(v, _mm256_xor_si256(t, _mm256_slli_epi64(t, 14)));
    t = _mm256_and_si256(_mm256_xor_si256(v, _mm256_srli_epi64(v, 28)),
                         _mm256_set1_epi64x(0x00000000f0f0f0f0));
    return _mm256_xor_si256(v, _mm256_xor_si256(t, _mm256_slli_epi64(t, 28)));
}

/*
 * Eight slices of 256 rows into one byte per row. Interleaving the slices bytewise puts the eight
 * bytes of the same rows into one word: after three rounds vector m holds in lane l the rows 128 l
 * + 16 m and the 15 after them.
 */
AVX2_INLINE void decode_plane(const uint64_t *const *bits, uint32_t n, size_t at, uint8_t *bytes)
{
    __m256i a[8], b[8];

    for (unsigned i = 0; i < 8; i++)
        a[i] = i < n && bits[i] ? _mm256_load_si256((const __m256i *)(bits[i] + at))
                                : _mm256_setzero_si256();
    for (unsigned i = 0; i < 4; i++) {
        b[i] = _mm256_unpacklo_epi8(a[2 * i], a[2 * i + 1]);
        b[4 + i] = _mm256_unpackhi_epi8(a[2 * i], a[2 * i + 1]);
    }
    for (unsigned h = 0; h < 2; h++) {
        for (unsigned i = 0; i < 2; i++) {
            a[4 * h + i] = _mm256_unpacklo_epi16(b[4 * h + 2 * i], b[4 * h + 2 * i + 1]);
            a[4 * h + 2 + i] = _mm256_unpackhi_epi16(b[4 * h + 2 * i], b[4 * h + 2 * i + 1]);
        }
    }
    for (unsigned q = 0; q < 4; q++) {
        b[2 * q] = transpose_bits(_mm256_unpacklo_epi32(a[2 * q], a[2 * q + 1]));
        b[2 * q + 1] = transpose_bits(_mm256_unpackhi_epi32(a[2 * q], a[2 * q + 1]));
    }
    for (unsigned m = 0; m < 8; m++) {
        _mm_store_si128((__m128i *)(bytes + 16 * m), _mm256_castsi256_si128(b[m]));
        _mm_store_si128((__m128i *)(bytes + 128 + 16 * m), _mm256_extracti128_si256(b[m], 1));
    }
}

/* One byte per row and plane of eight slices, of half a line. */
AVX2_INLINE uint32_t decode_planes(const uint64_t *const *bits, uint32_t n, size_t at,
                                   uint8_t bytes[8][256])
{
    uint32_t planes = (n + 7) / 8;

    for (uint32_t p = 0; p < planes; p++)
        decode_plane(bits + 8 * p, n - 8 * p, at, bytes[p]);
    return planes;
}

AVX2_INLINE __m256i widen(const uint8_t *bytes)
{
    return _mm256_cvtepu8_epi64(_mm_loadu_si32(bytes));
}

AVX2 static void transpose_line64(const uint64_t *const *bits, uint32_t n, size_t at, uint64_t add,
                                  uint64_t *out)
{
    _Alignas(32) uint8_t bytes[8][256];
    __m256i first = _mm256_set1_epi64x((int64_t)add);

    for (unsigned half = 0; half < 2; half++, out += 256) {
        uint32_t planes = decode_planes(bits, n, at + half * HALF_WORDS, bytes);

        for (unsigned r = 0; r < 256; r += 4) {
            __m256i v = first;

            for (uint32_t p = 0; p < planes; p++)
                v = _mm256_add_epi64(v, _mm256_slli_epi64(widen(bytes[p] + r), (int)(8 * p)));
            _mm256_storeu_si256((__m256i *)(void *)(out + r), v);
        }
    }
}

AVX2 static void transpose_line16(const uint64_t *const *bits, uint32_t n, size_t at, uint16_t add,
                                  uint16_t *out)
{
    _Alignas(32) uint8_t bytes[8][256];
    __m256i first = _mm256_set1_epi16((short)add);

    for (unsigned half = 0; half < 2; half++, out += 256) {
        uint32_t planes = decode_planes(bits, n, at + half * HALF_WORDS, bytes);

        for (unsigned r = 0; r < 256; r += 16) {
            __m256i v = first;

            for (uint32_t p = 0; p < planes; p++)
                v = _mm256_add_epi16(v, _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_load_si128(
                                                              (const __m128i *)(bytes[p] + r))),
                                                          (int)(8 * p)));
            _mm256_storeu_si256((__m256i *)(void *)(out + r), v);
        }
    }
}

AVX2 static void decode_line(const struct slices *s, uint32_t line, int64_t *out)
{
    const uint64_t *bits[SLICES_MAX];

    list_slices(s, bits);
    transpose_line64(bits, s->width, (size_t)line * LINE_WORDS, (uint64_t)s->base, (uint64_t *)out);
}

AVX2 static void decode_line32(const struct slices *s, uint32_t line, uint32_t add, uint32_t *out)
{
    _Alignas(32) uint8_t bytes[8][256];
    const uint64_t *bits[SLICES_MAX];
    __m256i first = _mm256_set1_epi32((int)add);

    list_slices(s, bits);
    for (unsigned half = 0; half < 2; half++, out += 256) {
        uint32_t planes =
            decode_planes(bits, s->width, (size_t)line * LINE_WORDS + half * HALF_WORDS, bytes);

        for (unsigned r = 0; r < 256; r += 8) {
            __m256i v = first;

            for (uint32_t p = 0; p < planes; p++)
                v = _mm256_add_epi32(
                    v, _mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64(
                                             (const __m128i *)(const void *)(bytes[p] + r))),
                                         (int)(8 * p)));
            _mm256_storeu_si256((__m256i *)(void *)(out + r), v);
        }
    }
}

AVX2 static uint32_t pick_line32(const struct slices *s, uint32_t line, uint32_t add,
                                 const uint64_t *sel, uint32_t *out)
{
    _Alignas(64) uint32_t values[LINE_WORDS * 64];

    decode_line32(s, line, add, values);
    return kernel_compress_line32(values, sel, out);
}

/* Eight rows at a time: the 32 bits of a slice that have a row are one of 16 words in two vectors. */
AVX2 static void pick_rows32(const struct slices *s, uint32_t line, uint32_t ahead, uint32_t add,
                             const uint16_t *rows, uint32_t n, uint32_t *out)
{
    const uint64_t *top = s->words + (size_t)s->width * s->stride;
    const __m256i one = _mm256_set1_epi32(1);

    for (uint32_t i = 1; i <= s->width; i++)
        __builtin_prefetch(top - (size_t)i * s->stride + (size_t)ahead * LINE_WORDS);
    for (uint32_t k = 0; k < n; k += 8) {
        uint32_t some = n - k < 8 ? n - k : 8, got[8];
        uint16_t numbers[8] = {0};
        const uint64_t *at = top + (size_t)line * LINE_WORDS;

        memcpy(numbers, rows + k, some * sizeof(*rows));
        __m256i row =
            _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)numbers));
        __m256i word = _mm256_srli_epi32(row, 5), offset = _mm256_setzero_si256();
        __m256i bit = _mm256_and_si256(row, _mm256_set1_epi32(31));
        __m256i second = _mm256_cmpgt_epi32(word, _mm256_set1_epi32(7));

        for (uint32_t i = 0; i < s->width; i++) {
            at -= s->stride;
            __m256i a =
                _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i *)(const void *)at),
                                            word);
            __m256i b = _mm256_permutevar8x32_epi32(
                _mm256_loadu_si256((const __m256i *)(const void *)(at + HALF_WORDS)), word);
            __m256i bits = _mm256_srlv_epi32(_mm256_blendv_epi8(a, b, second), bit);
            offset = _mm256_or_si256(_mm256_add_epi32(offset, offset), _mm256_and_si256(bits, one));
        }
        _mm256_storeu_si256((__m256i *)(void *)got,
                            _mm256_add_epi32(offset, _mm256_set1_epi32((int)add)));
        memcpy(out + k, got, some * sizeof(*out));
    }
}

AVX2 static uint32_t count_lines(const uint64_t *a, uint32_t lines)
{
    __m256i n = _mm256_setzero_si256();

    for (uint32_t k = 0; k < lines * LINE_WORDS; k += HALF_WORDS)
        n = _mm256_add_epi64(n, count_ones(_mm256_loadu_si256((const __m256i *)(a + k))));
    return (uint32_t)add_lanes(n);
}

AVX2 static uint32_t meet_lines(const uint64_t *const *bits, uint32_t n, uint32_t lines,
                                uint64_t *sel, const uint64_t *const *next, uint32_t n_next)
{
    const struct meet_fetch fetch = meet_fetch_of(bits, n, next, n_next);
    __m256i ones = _mm256_setzero_si256();

    for (uint32_t k = 0; k < lines * LINE_WORDS; k += HALF_WORDS) {
        __m256i both = _mm256_loadu_si256((const __m256i *)(bits[0] + k));

        if (k % LINE_WORDS == 0)
            meet_fetch_line(&fetch, k);
        for (uint32_t i = 1; i < n; i++)
            both = _mm256_and_si256(both, _mm256_loadu_si256((const __m256i *)(bits[i] + k)));
        ones = _mm256_add_epi64(ones, count_ones(both));
        if (sel)
            _mm256_storeu_si256((__m256i *)(sel + k), both);
    }
    return (uint32_t)add_lanes(ones);
}

AVX2 static void unite_lines(const uint64_t *const *bits, uint32_t n, uint32_t lines, uint64_t *out)
{
    for (uint32_t k = 0; k < lines * LINE_WORDS; k += HALF_WORDS) {
        __m256i all = _mm256_setzero_si256();

        for (uint32_t i = 0; i < n; i++)
            all = _mm256_or_si256(all, _mm256_loadu_si256((const __m256i *)(bits[i] + k)));
        _mm256_storeu_si256((__m256i *)(out + k), all);
    }
}

AVX2 static void below_line32(const uint32_t *values, uint32_t limit, uint64_t *sel)
{
    below_line32_body(values, limit, sel);
}

AVX2 static void member_line32(const uint32_t *codes, const uint32_t *bits, uint32_t limit,
                               uint64_t *sel)
{
    member_line32_body(codes, bits, limit, sel);
}

AVX2 static void encode_line32(const struct slices *s, uint32_t line, const uint32_t *offsets,
                               uint32_t *counts)
{
    encode_line32_256(s, line, offsets, counts);
}

KERNEL_WORDS(AVX2)

static void member_slices(const struct slices *s, uint32_t line, const uint32_t *bits,
                          uint32_t parts, uint64_t *sel)
{
    member_slices_body(&kernels_avx2, s, line, bits, parts, sel);
}

const struct kernels kernels_avx2 = {
    .name = "avx2",
    .filter_range = filter_range,
    .sum = sum,
    .decode_line = decode_line,
    .compress_line = kernel_compress_line,
    .decode_line32 = decode_line32,
    .transpose_line16 = transpose_line16,
    .transpose_line64 = transpose_line64,
    .compress_line32 = kernel_compress_line32,
    .pick_line32 = pick_line32,
    .pick_rows = PICK_ROWS,
    .pick_rows32 = pick_rows32,
    .list_rows = kernel_list_rows,
    .below_line32 = below_line32,
    .member_line32 = member_line32,
    .member_slices = member_slices,
    .expand_line = kernel_expand_line,
    .add_scaled_line32 = add_scaled_line32,
    .add_fields = add_fields,
    .and_lines = and_lines,
    .and_not_lines = and_not_lines,
    .or_lines = or_lines,
    .count_lines = count_lines,
    .meet_lines = meet_lines,
    .unite_lines = unite_lines,
    .encode_line32 = encode_line32,
};
#endif
