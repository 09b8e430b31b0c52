/*
 * Kernels for AVX-512 with GFNI, which transposes bits in one instruction, and VPOPCNTDQ, which
 * counts them.
 */
#include "storage/kernel.h"

#if defined(__x86_64__)
#include "storage/kernel_avx512.h"
#include "storage/kernel_encode.h"

#define GFNI \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,gfni,popcnt")))

GFNI static void filter_range(const struct slices *s, uint64_t lo, uint64_t hi, bool negate,
                              uint64_t *sel)
{
    filter_range_512(s, lo, hi, negate, sel);
}

GFNI static uint32_t compress_line(const int64_t *values, const uint64_t *sel, int64_t *out)
{
    return compress_line_512(values, sel, out);
}

/* Four slices at a time share the loads of the selection. */
GFNI static unsigned __int128 sum(const struct slices *s, const uint64_t *sel)
{
    unsigned __int128 total = 0;
    uint32_t i = 0;

    for (; i + 4 <= s->width; i += 4) {
        const uint64_t *at = s->words + (size_t)i * s->stride;
        __m512i n[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                        _mm512_setzero_si512()};

        for (uint32_t k = 0; k < s->lines * LINE_WORDS; k += LINE_WORDS) {
            __m512i mask = _mm512_loadu_si512(sel + k);

            for (unsigned j = 0; j < 4; j++) {
                __m512i w = _mm512_load_si512(at + (size_t)j * s->stride + k);

                n[j] = _mm512_add_epi64(n[j], _mm512_popcnt_epi64(_mm512_and_si512(w, mask)));
            }
        }
        for (unsigned j = 0; j < 4; j++)
            total += (unsigned __int128)(uint64_t)_mm512_reduce_add_epi64(n[j]) << (i + j);
    }
    for (; i < s->width; i++) {
        const uint64_t *at = s->words + (size_t)i * s->stride;
        __m512i n = _mm512_setzero_si512();

        for (uint32_t k = 0; k < s->lines * LINE_WORDS; k += LINE_WORDS)
            n = _mm512_add_epi64(n, _mm512_popcnt_epi64(
                                        _mm512_and_si512(_mm512_load_si512(at + k),
                                                         _mm512_loadu_si512(sel + k))));
        total += (unsigned __int128)(uint64_t)_mm512_reduce_add_epi64(n) << i;
    }
    return total;
}

/* One byte per row and plane of eight slices. */
GFNI static inline uint32_t decode_planes(const struct slices *s, uint32_t line,
                                          uint8_t bytes[8][512])
{
    /* The unit vectors as rows: the matrix product with the data gives its columns. */
    const __m512i unit = _mm512_set1_epi64(0x0102040810204080);
    const __m512i reverse =
        _mm512_broadcast_i32x4(_mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
    uint32_t planes = (s->width + 7) / 8;

    for (uint32_t p = 0; p < planes; p++) {
        uint32_t left = s->width - 8 * p;
        __m512i v[8];

        interleave_512(s, s->words + (size_t)p * 8 * s->stride + line * LINE_WORDS,
                       left < 8 ? left : 8, v);
        for (unsigned m = 0; m < 8; m++) {
            __m512i columns =
                _mm512_gf2p8affine_epi64_epi8(unit, _mm512_shuffle_epi8(v[m], reverse), 0);

            v[m] = _mm512_shuffle_epi8(columns, reverse);
        }
        store_lanes_512(v, bytes[p]);
    }
    return planes;
}

GFNI static void decode_line(const struct slices *s, uint32_t line, int64_t *out)
{
    _Alignas(64) uint8_t bytes[8][512];
    uint32_t planes = decode_planes(s, line, bytes);

    join_planes_512((const uint8_t(*)[512])bytes, planes, s->base, out);
}

GFNI static void decode_line32(const struct slices *s, uint32_t line, uint32_t add, uint32_t *out)
{
    _Alignas(64) uint8_t bytes[8][512];
    uint32_t planes = decode_planes(s, line, bytes);

    join_planes32_512((const uint8_t(*)[512])bytes, planes, add, out);
}

GFNI static uint32_t count_lines(const uint64_t *a, uint32_t lines)
{
    __m512i n = _mm512_setzero_si512();

    for (uint32_t k = 0; k < lines * LINE_WORDS; k += LINE_WORDS)
        n = _mm512_add_epi64(n, _mm512_popcnt_epi64(_mm512_loadu_si512(a + k)));
    return (uint32_t)_mm512_reduce_add_epi64(n);
}

MEET_LINES_512(GFNI, _mm512_popcnt_epi64)

GFNI static uint32_t compress_line32(const uint32_t *values, const uint64_t *sel, uint32_t *out)
{
    return compress_line32_512(values, sel, out);
}

GFNI static void below_line32(const uint32_t *values, uint32_t limit, uint64_t *sel)
{
    below_line32_512(values, limit, sel);
}

GFNI static void encode_line32(const struct slices *s, uint32_t line, const uint32_t *offsets,
                               uint32_t *counts)
{
    encode_line32_512(s, line, offsets, counts);
}

KERNEL_WORDS(GFNI)

const struct kernels kernels_gfni = {
    .name = "avx512",
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
