/* Kernels for AVX-512 with BW and DQ, as the reference instance has it (no GFNI, no VPOPCNTDQ). */
#include "storage/kernel.h"

#if defined(__x86_64__)
#include "storage/kernel_avx512.h"
#include "storage/kernel_encode.h"
#include "storage/kernel_range512.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,popcnt")))

AVX512 static void filter_range(const struct slices *s, uint64_t lo, uint64_t hi, bool negate,
                                uint64_t *sel)
{
    filter_range_by(s, lo, hi, negate, sel);
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

#define TRANSPOSER ((struct transposer_512){.bits = transpose_bits})
#define FETCHING ((struct transposer_512){.bits = transpose_bits, .fetches = true})

TRANSPOSE_512(AVX512, TRANSPOSER, FETCHING)
PICK_512(AVX512, TRANSPOSER)

AVX512 static uint32_t count_lines(const uint64_t *a, uint32_t lines)
{
    __m512i n = _mm512_setzero_si512();

    for (uint32_t k = 0; k < lines * LINE_WORDS; k += LINE_WORDS)
        n = _mm512_add_epi64(n, count_ones(_mm512_loadu_si512(a + k)));
    return (uint32_t)_mm512_reduce_add_epi64(n);
}

MEET_LINES_512(AVX512, count_ones)

UNITE_LINES_512(AVX512)

AVX512 static uint32_t compress_line32(const uint32_t *values, const uint64_t *sel, uint32_t *out)
{
    return compress_line32_512(values, sel, out);
}

AVX512 static void pick_rows32(const struct slices *s, uint32_t line, uint32_t ahead, uint32_t add,
                               const uint16_t *rows, uint32_t n, uint32_t *out)
{
    pick_rows32_512(s, line, ahead, add, rows, n, out);
}

AVX512 static void below_line32(const uint32_t *values, uint32_t limit, uint64_t *sel)
{
    below_line32_512(values, limit, sel);
}

AVX512 static void member_line32(const uint32_t *codes, const uint32_t *bits, uint32_t limit,
                                 uint64_t *sel)
{
    member_line32_512(codes, bits, limit, sel);
}

static __attribute__((target("bmi2,popcnt"))) void expand_line(const uint64_t *bits, uint64_t *sel)
{
    expand_line_512(bits, sel);
}

AVX512 static void encode_line32(const struct slices *s, uint32_t line, const uint32_t *offsets,
                                 uint32_t *counts)
{
    encode_line32_512(s, line, offsets, counts);
}

KERNEL_WORDS(AVX512)

static void member_slices(const struct slices *s, uint32_t line, const uint32_t *bits,
                          uint32_t parts, uint64_t *sel)
{
    member_slices_body(&kernels_avx512, s, line, bits, parts, sel);
}

const struct kernels kernels_avx512 = {
    .name = "avx512bw",
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
    .list_rows = kernel_list_rows,
    .below_line32 = below_line32,
    .member_line32 = member_line32,
    .member_slices = member_slices,
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
