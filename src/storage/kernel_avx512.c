/* Kernels for AVX-512 with BW and DQ, as the reference instance has it (no GFNI, no VPOPCNTDQ). */
#include "storage/kernel.h"

#if defined(__x86_64__)
#include "storage/kernel_avx512.h"
#include "storage/kernel_encode.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,popcnt")))

AVX512 static void filter_range(const struct slices *s, uint64_t lo, uint64_t hi, bool negate,
                                uint64_t *sel)
{
    filter_range_512(s, lo, hi, negate, sel);
}

AVX512 static uint32_t compress_line(const int64_t *values, const uint64_t *sel, int64_t *out)
{
    return compress_line_512(values, sel, out);
}

/* Ones per 64-bit word. */
AVX512_INLINE __m512i count_ones(__m512i v)
{
    const __m512i table =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i nibble = _mm512_set1_epi8(15);
    __m512i low = _mm512_shuffle_epi8(table, _mm512_and_si512(v, nibble));
    __m512i high = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(v, 4), nibble));

    return _mm512_sad_epu8(_mm512_add_epi8(low, high), _mm512_setzero_si512());
}

AVX512 static unsigned __int128 sum(const struct slices *s, const uint64_t *sel)
{
    unsigned __int128 total = 0;

    for (uint32_t i = 0; i < s->width; i++) {
        const uint64_t *at = s->words + (size_t)i * s->stride;
        __m512i n = _mm512_setzero_si512();

        for (uint32_t k = 0; k < s->lines * LINE_WORDS; k += LINE_WORDS)
            n = _mm512_add_epi64(n, count_ones(_mm512_and_si512(_mm512_load_si512(at + k),
                                                                _mm512_loadu_si512(sel + k))));
        total += (unsigned __int128)(uint64_t)_mm512_reduce_add_epi64(n) << i;
    }
    return total;
}

/* Transposes the 8 x 8 bit matrix in every 64-bit word. */
AVX512_INLINE __m512i transpose_bits(__m512i v)
{
    __m512i t;

    t = _mm512_and_si512(_mm512_xor_si512(v, _mm512_srli_epi64(v, 7)),
                         _mm512_set1_epi64(0x00aa00aa00aa00aa));
    v = _mm512_xor_si512(v, _mm512_xor_si512(t, _mm512_slli_epi64(t, 7)));
    t = _mm512_and_si512(_mm512_xor_si512(v, _mm512_srli_epi64(v, 14)),
                         _mm512_set1_epi64(0x0000cccc0000cccc));
    v = _mm512_xor_si512(v, _mm512_xor_si512(t, _mm512_slli_epi64(t, 14)));
    t = _mm512_and_si512(_mm512_xor_si512(v, _mm512_srli_epi64(v, 28)),
                         _mm512_set1_epi64(0x00000000f0f0f0f0));
    return _mm512_xor_si512(v, _mm512_xor_si512(t, _mm512_slli_epi64(t, 28)));
}

/* One byte per row and plane of eight slices. */
AVX512 static inline uint32_t decode_planes(const struct slices *s, uint32_t line,
                                            uint8_t bytes[8][512])
{
    uint32_t planes = (s->width + 7) / 8;

    for (uint32_t p = 0; p < planes; p++) {
        uint32_t left = s->width - 8 * p;
        __m512i v[8];

        interleave_512(s, s->words + (size_t)p * 8 * s->stride + line * LINE_WORDS,
                       left < 8 ? left : 8, v);
        for (unsigned m = 0; m < 8; m++)
            v[m] = transpose_bits(v[m]);
        store_lanes_512(v, bytes[p]);
    }
    return planes;
}

AVX512 static void decode_line(const struct slices *s, uint32_t line, int64_t *out)
{
    _Alignas(64) uint8_t bytes[8][512];
    uint32_t planes = decode_planes(s, line, bytes);

    join_planes_512((const uint8_t(*)[512])bytes, planes, s->base, out);
}

AVX512 static void decode_line32(const struct slices *s, uint32_t line, uint32_t add, uint32_t *out)
{
    _Alignas(64) uint8_t bytes[8][512];
    uint32_t planes = decode_planes(s, line, bytes);

    join_planes32_512((const uint8_t(*)[512])bytes, planes, add, out);
}

AVX512 static uint32_t count_lines(const uint64_t *a, uint32_t lines)
{
    __m512i n = _mm512_setzero_si512();

    for (uint32_t k = 0; k < lines * LINE_WORDS; k += LINE_WORDS)
        n = _mm512_add_epi64(n, count_ones(_mm512_loadu_si512(a + k)));
    return (uint32_t)_mm512_reduce_add_epi64(n);
}

MEET_LINES_512(AVX512, count_ones)

AVX512 static uint32_t compress_line32(const uint32_t *values, const uint64_t *sel, uint32_t *out)
{
    return compress_line32_512(values, sel, out);
}

AVX512 static void below_line32(const uint32_t *values, uint32_t limit, uint64_t *sel)
{
    below_line32_512(values, limit, sel);
}

AVX512 static void encode_line32(const struct slices *s, uint32_t line, const uint32_t *offsets,
                                 uint32_t *counts)
{
    encode_line32_512(s, line, offsets, counts);
}

KERNEL_WORDS(AVX512)

const struct kernels kernels_avx512 = {
    .name = "avx512bw",
    .filter_range = filter_range,
    .sum = sum,
    .decode_line = decode_line,
    .compress_line = compress_line,
    .decode_line32 = decode_line32,
    .compress_line32 = compress_line32,
    .below_line32 = below_line32,
    .add_scaled_line32 = add_scaled_line32,
    .add_fields = add_fields,
    .and_lines = and_lines,
    .and_not_lines = and_not_lines,
    .or_lines = or_lines,
    .count_lines = count_lines,
    .meet_lines = meet_lines,
    .encode_line32 = encode_line32,
};
#endif
