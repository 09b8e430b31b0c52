#pragma once
/* Ranges for the two AVX-512 forms: a step is a line. Private to them. */
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define RANGE_TARGET "avx512f,avx512bw,avx512vl,avx512dq,popcnt"
#define RANGE_OP static inline __attribute__((always_inline, target(RANGE_TARGET)))

typedef __m512i range_vec;

enum {
    RANGE_WORDS = 8,
    RANGE_XOR = 0x60, /* a & (b ^ c) */
    RANGE_AND = 0x80,
    RANGE_NEITHER = 0x10, /* a & ~b & ~c */
    RANGE_OR = 0xfe,
};

RANGE_OP range_vec range_load(const uint64_t *at)
{
    return _mm512_load_si512(at);
}

RANGE_OP range_vec range_load_any(const uint64_t *at)
{
    return _mm512_loadu_si512(at);
}

RANGE_OP void range_store_to(uint64_t *at, range_vec v)
{
    _mm512_storeu_si512(at, v);
}

RANGE_OP range_vec range_all(uint64_t word)
{
    return _mm512_set1_epi64((int64_t)word);
}

RANGE_OP range_vec range_none(void)
{
    return _mm512_setzero_si512();
}

RANGE_OP bool range_some(range_vec v)
{
    return _mm512_test_epi64_mask(v, v) != 0;
}

RANGE_OP range_vec range_and(range_vec a, range_vec b)
{
    return _mm512_and_si512(a, b);
}

RANGE_OP range_vec range_without(range_vec a, range_vec b)
{
    return _mm512_andnot_si512(b, a);
}

RANGE_OP range_vec range_or3(range_vec a, range_vec b, range_vec c)
{
    return _mm512_ternarylogic_epi64(a, b, c, RANGE_OR);
}

RANGE_OP range_vec range_xor3(range_vec a, range_vec b, range_vec c)
{
    return _mm512_ternarylogic_epi64(a, b, c, RANGE_XOR);
}

RANGE_OP range_vec range_and3(range_vec a, range_vec b, range_vec c)
{
    return _mm512_ternarylogic_epi64(a, b, c, RANGE_AND);
}

RANGE_OP range_vec range_neither3(range_vec a, range_vec b, range_vec c)
{
    return _mm512_ternarylogic_epi64(a, b, c, RANGE_NEITHER);
}

#include "storage/kernel_range.h"
