#pragma once
/*
 * Bodies of the kernels over whole bitsets and 32-bit lines that only differ in the vectors the
 * compiler may use: written once, inlined into every form. Private to the forms.
 */
#include <stdint.h>

#include "storage/kernel.h"

#define WORDS_INLINE static inline __attribute__((always_inline))

typedef uint64_t line_vector __attribute__((vector_size(64), aligned(8), may_alias));

WORDS_INLINE void and_lines_body(uint64_t *sel, const uint64_t *other, uint32_t lines)
{
    for (uint32_t i = 0; i < lines; i++, sel += LINE_WORDS, other += LINE_WORDS)
        *(line_vector *)sel &= *(const line_vector *)other;
}

WORDS_INLINE void and_not_lines_body(uint64_t *sel, const uint64_t *other, uint32_t lines)
{
    for (uint32_t i = 0; i < lines; i++, sel += LINE_WORDS, other += LINE_WORDS)
        *(line_vector *)sel &= ~*(const line_vector *)other;
}

WORDS_INLINE void or_lines_body(uint64_t *sel, const uint64_t *other, uint32_t lines)
{
    for (uint32_t i = 0; i < lines; i++, sel += LINE_WORDS, other += LINE_WORDS)
        *(line_vector *)sel |= *(const line_vector *)other;
}
