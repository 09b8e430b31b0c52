#pragma once
/*
 * Bodies of encode_line32 for the vector forms: a byte of every row lies in a vector, whose top bits make a word of a
 * slice; doubling the bytes brings the next slice up. Private to the forms.
 */
#include <immintrin.h>

#include "storage/kernel.h"

/* Slices of byte `plane` of the offsets. */
static inline uint32_t encode_bits(const struct slices *s, uint32_t plane)
{
    return s->width - plane * 8 < 8 ? s->width - plane * 8 : 8;
}

static inline __attribute__((always_inline, target("avx2"))) __m256i encode_bytes_256(
    const uint32_t *offsets, unsigned shift)
{
    const __m256i low = _mm256_set1_epi32(0xff);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m128i by = _mm_cvtsi32_si128((int)shift);
    __m256i v[4];

    for (unsigned j = 0; j < 4; j++)
        v[j] = _mm256_and_si256(
            _mm256_srl_epi32(_mm256_load_si256((const __m256i *)(offsets + j * 8)), by), low);
    v[0] = _mm256_packus_epi32(v[0], v[1]);
    v[2] = _mm256_packus_epi32(v[2], v[3]);
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(v[0], v[2]), order);
}

static inline __attribute__((always_inline, target("avx2,popcnt"))) void encode_line32_256(
    const struct slices *s, uint32_t line, const uint32_t *offsets, uint32_t *counts)
{
    for (uint32_t plane = 0; plane * 8 < s->width; plane++) {
        uint32_t bits = encode_bits(s, plane);
        uint64_t *at = s->words + (size_t)plane * 8 * s->stride + line * LINE_WORDS;

        for (unsigned k = 0; k < LINE_WORDS; k++, at++) {
            __m256i a = encode_bytes_256(offsets + k * 64, plane * 8);
            __m256i b = encode_bytes_256(offsets + k * 64 + 32, plane * 8);
            __m128i up = _mm_cvtsi32_si128((int)(8 - bits));

            /* What comes over from the byte below stays under the bits that are read. */
            a = _mm256_sll_epi16(a, up);
            b = _mm256_sll_epi16(b, up);
            for (uint32_t bit = bits; bit-- > 0;) {
                uint64_t w = (uint32_t)_mm256_movemask_epi8(a) |
                             (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;

                at[(size_t)bit * s->stride] = w;
                counts[plane * 8 + bit] += (uint32_t)__builtin_popcountll(w);
                a = _mm256_add_epi8(a, a);
                b = _mm256_add_epi8(b, b);
            }
        }
    }
}

#define ENCODE_512 "avx512f,avx512bw,avx512vl,avx512dq,popcnt"

static inline __attribute__((always_inline, target(ENCODE_512))) __m512i encode_bytes_512(
    const uint32_t *offsets, unsigned shift)
{
    __m128i by = _mm_cvtsi32_si128((int)shift), part[4];
    __m512i v;

    for (unsigned j = 0; j < 4; j++)
        part[j] = _mm512_cvtepi32_epi8(_mm512_srl_epi32(_mm512_load_si512(offsets + j * 16), by));
    v = _mm512_castsi128_si512(part[0]);
    v = _mm512_inserti32x4(v, part[1], 1);
    v = _mm512_inserti32x4(v, part[2], 2);
    return _mm512_inserti32x4(v, part[3], 3);
}

static inline __attribute__((always_inline, target(ENCODE_512))) void encode_line32_512(
    const struct slices *s, uint32_t line, const uint32_t *offsets, uint32_t *counts)
{
    for (uint32_t plane = 0; plane * 8 < s->width; plane++) {
        uint32_t bits = encode_bits(s, plane);
        uint64_t *at = s->words + (size_t)plane * 8 * s->stride + line * LINE_WORDS;

        for (unsigned k = 0; k < LINE_WORDS; k++, at++) {
            __m512i v = encode_bytes_512(offsets + k * 64, plane * 8);

            v = _mm512_sll_epi16(v, _mm_cvtsi32_si128((int)(8 - bits)));
            for (uint32_t bit = bits; bit-- > 0;) {
                uint64_t w = _mm512_movepi8_mask(v);

                at[(size_t)bit * s->stride] = w;
                counts[plane * 8 + bit] += (uint32_t)__builtin_popcountll(w);
                v = _mm512_add_epi8(v, v);
            }
        }
    }
}
