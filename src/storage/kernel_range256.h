#pragma once
/* Ranges for AVX2: a step is half a line. Private to it. */
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define RANGE_TARGET "avx2,popcnt"
#define RANGE_OP static inline __attribute__((always_inline, target(RANGE_TARGET)))

typedef __m256i range_vec;

enum { RANGE_WORDS = 4 };

RANGE_OP range_vec range_load(const uint64_t *at)
{
    return _mm256_load_si256((const __m256i *)at);
}

RANGE_OP range_vec range_load_any(const uint64_t *at)
{
    return _mm256_loadu_si256((const __m256i *)at);
}

RANGE_OP void range_store_to(uint64_t *at, range_vec v)
{
    _mm256_storeu_si256((__m256i *)at, v);
}

RANGE_OP range_vec range_all(uint64_t word)
{
    return _mm256_set1_epi64x((int64_t)word);
}

RANGE_OP range_vec range_none(void)
{
    return _mm256_setzero_si256();
}

RANGE_OP bool range_some(range_vec v)
{
    return !_mm256_testz_si256(v, v);
}

RANGE_OP range_vec range_and(range_vec a, range_vec b)
{
    return _mm256_and_si256(a, b);
}

RANGE_OP range_vec range_without(range_vec a, range_vec b)
{
    return _mm256_andnot_si256(b, a);
}

RANGE_OP range_vec range_or3(range_vec a, range_vec b, range_vec c)
{
    return _mm256_or_si256(_mm256_or_si256(a, b), c);
}

RANGE_OP range_vec range_xor3(range_vec a, range_vec b, range_vec c)
{
    return _mm256_and_si256(a, _mm256_xor_si256(b, c));
}

RANGE_OP range_vec range_and3(range_vec a, range_vec b, range_vec c)
{
    return _mm256_and_si256(_mm256_and_si256(b, c), a);
}

RANGE_OP range_vec range_neither3(range_vec a, range_vec b, range_vec c)
{
    return _mm256_andnot_si256(b, _mm256_andnot_si256(c, a));
}

#include "storage/kernel_range.h"
