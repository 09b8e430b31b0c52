/*
 * Kernels for AVX-512 with GFNI, which transposes bits in one instruction, VPOPCNTDQ, which counts
 * them, and VBMI2, which compresses bytes.
 */
#include "storage/kernel.h"

#if defined(__x86_64__)
#include "storage/kernel_avx512.h"
#include "storage/kernel_encode.h"

#define GFNI \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,gfni,popcnt")))
#define GFNI_VBMI2  \
    __attribute__(( \
        target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,avx512vbmi2,gfni,popcnt")))

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

/* The unit vectors as rows: the matrix product with the data gives its columns. */
GFNI static inline __attribute__((always_inline)) __m512i transpose_bits(__m512i v)
{
    return _mm512_gf2p8affine_epi64_epi8(_mm512_set1_epi64((int64_t)0x8040201008040201), v, 0);
}

/* The instruction takes the last byte of a word as the first row of its matrix. */
#define TRANSPOSER ((struct transposer_512){.bits = transpose_bits, .reversed = true})
#define FETCHING \
    ((struct transposer_512){.bits = transpose_bits, .reversed = true, .fetches = true})

TRANSPOSE_512(GFNI, TRANSPOSER, FETCHING)

/* Bytes of the selected rows move together before they are made numbers of: as a rule most rows are not selected. */
GFNI_VBMI2 static uint32_t pick_line32(const struct slices *s, uint32_t line, uint32_t add,
                                       const uint64_t *sel, uint32_t *out)
{
    enum { PLANES = 4, ROWS = 64 };
    _Alignas(64) uint8_t picked[PLANES][(LINE_WORDS + 1) * ROWS];
    const uint32_t planes = (s->width + 7) / 8;
    const size_t at = (size_t)line * LINE_WORDS;
    const uint64_t *bits[SLICES_MAX];
    __m512i bytes[PLANES][8], rows[4];
    uint32_t n = 0;

    list_slices(s, bits);
    planes_512(bits, s->width, at, TRANSPOSER, PLANES, bytes);
    for (unsigned m = 0; m < LINE_WORDS; m++) {
        for (uint32_t i = m; i < s->width; i += LINE_WORDS)
            __builtin_prefetch(bits[i] + at + PREFETCH_LINES * LINE_WORDS);
        for (uint32_t p = 0; p < planes; p++)
            _mm512_storeu_si512(picked[p] + n, _mm512_maskz_compress_epi8(sel[m], bytes[p][m]));
        n += (uint32_t)__builtin_popcountll(sel[m]);
    }
    for (uint32_t from = 0; from < n; from += ROWS) {
        for (uint32_t p = 0; p < planes; p++)
            bytes[p][0] = _mm512_load_si512(picked[p] + from);
        for (uint32_t p = planes; p < PLANES; p++)
            bytes[p][0] = _mm512_setzero_si512();
        widen_512((const __m512i(*)[8])bytes, 0, _mm512_set1_epi32((int)add), rows);
        for (uint32_t i = 0; i < 4 && from + 16 * i < n; i++) {
            uint32_t left = n - from - 16 * i;
            _mm512_mask_storeu_epi32(out + from + 16 * i,
                                     (__mmask16)(left < 16 ? (1u << left) - 1 : 0xffff), rows[i]);
        }
    }
    return n;
}

GFNI static uint32_t count_lines(const uint64_t *a, uint32_t lines)
{
    __m512i n = _mm512_setzero_si512();

    for (uint32_t k = 0; k < lines * LINE_WORDS; k += LINE_WORDS)
        n = _mm512_add_epi64(n, _mm512_popcnt_epi64(_mm512_loadu_si512(a + k)));
    return (uint32_t)_mm512_reduce_add_epi64(n);
}

MEET_LINES_512(GFNI, _mm512_popcnt_epi64)

UNITE_LINES_512(GFNI)

GFNI static uint32_t compress_line32(const uint32_t *values, const uint64_t *sel, uint32_t *out)
{
    return compress_line32_512(values, sel, out);
}

GFNI static void pick_rows32(const struct slices *s, uint32_t line, uint32_t ahead, uint32_t add,
                             const uint16_t *rows, uint32_t n, uint32_t *out)
{
    pick_rows32_512(s, line, ahead, add, rows, n, out);
}

GFNI static void below_line32(const uint32_t *values, uint32_t limit, uint64_t *sel)
{
    below_line32_512(values, limit, sel);
}

GFNI static void member_line32(const uint32_t *codes, const uint32_t *bits, uint32_t limit,
                               uint64_t *sel)
{
    member_line32_512(codes, bits, limit, sel);
}

static __attribute__((target("bmi2,popcnt"))) void expand_line(const uint64_t *bits, uint64_t *sel)
{
    expand_line_512(bits, sel);
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
    .transpose_line16 = transpose_line16,
    .transpose_line64 = transpose_line64,
    .compress_line32 = compress_line32,
    .pick_line32 = pick_line32,
    .pick_rows = PICK_ROWS,
    .pick_rows32 = pick_rows32,
    .below_line32 = below_line32,
    .member_line32 = member_line32,
    .expand_line = expand_line,
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
