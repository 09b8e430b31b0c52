#pragma once
/*
 * Ranges over slices, for the two AVX-512 forms. Private to them.
 *
 * After how many slices a line is decided depends on its rows, so a branch that leaves it then is guessed wrongly for
 * nearly every line, and what comes next, far away in memory, is asked for too late. So lines go in groups: of all of
 * them as many slices as most need, with no branch; then the undecided ones, whose next slices are on their way by then.
 */
#include <immintrin.h>

#include "storage/kernel.h"

enum {
    RANGE_GROUP = 64, /* lines; */
    RANGE_FIRST = 16, /* of the first group, which tells how many slices are needed */
    RANGE_SPARE =
        3, /* slices beyond those that leave one row of a line, were values spread evenly */
    RANGE_BEFORE = 2,    /* slices with which it is tried whether fewer are enough */
    RANGE_FEW = 16,      /* lines of which one may be undecided */
    RANGE_SAMPLE = 64,   /* words of the selection that are counted */
    RANGE_XOR = 0x60,    /* a & (b ^ c) */
    RANGE_ANDNOT = 0x10, /* a & ~b & ~c */
    RANGE_AND = 0x80,    /* a & b & c */
    RANGE_OR = 0xfe,     /* a | b | c */
};

#define RANGE_INLINE \
    static inline    \
        __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq,popcnt")))

/* Owner: one call. */
struct range_512 {
    const struct slices *slices;
    uint64_t lo[SLICES_MAX], hi[SLICES_MAX]; /* all ones where the bound's bit is clear */
    uint32_t equal; /* slices from this one on have the same bit in both bounds */
    bool negate;
};

/* Rows of a line: those at hand, those found to be in the range, those so far equal to a bound (while both are: low). */
struct range_line {
    __m512i had, in, low, high;
};

/* Slices from - 1 down to `to` of a line, which begins at `line` in slice 0. */
RANGE_INLINE void range_slices(const struct range_512 *r, const uint64_t *line, uint32_t from,
                               uint32_t to, struct range_line *x)
{
    size_t stride = r->slices->stride;
    const uint64_t *at = line + from * stride;
    uint32_t i = from, equal = r->equal > to ? r->equal : to;
    __m512i in = x->in, low = x->low, high = x->high, w;

    for (; i > equal; i--) {
        at -= stride;
        low = _mm512_ternarylogic_epi64(low, _mm512_load_si512(at),
                                        _mm512_set1_epi64((int64_t)r->lo[i - 1]), RANGE_XOR);
    }
    if (i > to && i == r->equal) { /* here the bounds part */
        at -= stride;
        i--;
        w = _mm512_load_si512(at);
        high = _mm512_and_si512(w, low);
        low = _mm512_andnot_si512(w, low);
    }
    for (; i > to; i--) {
        const __m512i lo = _mm512_set1_epi64((int64_t)r->lo[i - 1]);
        const __m512i hi = _mm512_set1_epi64((int64_t)r->hi[i - 1]);

        at -= stride;
        w = _mm512_load_si512(at);
        in = _mm512_ternarylogic_epi64(in, _mm512_ternarylogic_epi64(low, w, lo, RANGE_AND),
                                       _mm512_ternarylogic_epi64(high, w, hi, RANGE_ANDNOT),
                                       RANGE_OR);
        low = _mm512_ternarylogic_epi64(low, w, lo, RANGE_XOR);
        high = _mm512_ternarylogic_epi64(high, w, hi, RANGE_XOR);
    }
    x->in = in;
    x->low = low;
    x->high = high;
}

RANGE_INLINE bool range_is_open(const struct range_line *x)
{
    __m512i rows = _mm512_or_si512(x->low, x->high);

    return _mm512_test_epi64_mask(rows, rows) != 0;
}

/* Of a line without rows that are open, or after the last slice. */
RANGE_INLINE void range_store(const struct range_512 *r, const struct range_line *x, uint64_t *sel)
{
    __m512i in = _mm512_ternarylogic_epi64(x->in, x->low, x->high, RANGE_OR);

    _mm512_storeu_si512(sel, r->negate ? _mm512_andnot_si512(in, x->had) : in);
}

/*
 * Slices down to `stop` of n lines. Those that are open move to the begin of lines[], with their rows: their number, and
 * that of those that were open RANGE_BEFORE slices before.
 */
RANGE_INLINE uint32_t range_group(const struct range_512 *r, uint8_t *lines, uint32_t n,
                                  uint32_t stop, uint64_t *sel, struct range_line *left,
                                  uint32_t *before)
{
    const struct slices *s = r->slices;
    uint32_t open = 0, mid = stop + RANGE_BEFORE < s->width ? stop + RANGE_BEFORE : s->width;
    size_t next = stop > 0 ? s->stride : 0, after = stop > 1 ? s->stride : 0;

    *before = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t line = lines[k];
        const uint64_t *at = s->words + (size_t)line * LINE_WORDS;
        struct range_line x = {.had = _mm512_loadu_si512(sel + line * LINE_WORDS)};

        x.low = x.had;
        x.in = x.high = _mm512_setzero_si512();
        range_slices(r, at, s->width, mid, &x);
        *before += range_is_open(&x);
        range_slices(r, at, mid, stop, &x);
        range_store(r, &x, sel + line * LINE_WORDS);
        bool is_open = range_is_open(&x);
        at += stop * (size_t)s->stride - (is_open ? next : 0);
        __builtin_prefetch(at);
        __builtin_prefetch(at - (is_open ? after : 0));
        left[open] = x;
        lines[open] = (uint8_t)line;
        open += is_open;
    }
    return open;
}

/* Lines of the group that begins at `sel` that have rows. */
RANGE_INLINE uint32_t range_list(const uint64_t *sel, uint32_t lines, uint8_t *list)
{
    uint32_t n = 0;

    for (uint32_t line = 0; line < lines; line++) {
        __m512i rows = _mm512_loadu_si512(sel + line * LINE_WORDS);

        list[n] = (uint8_t)line;
        n += _mm512_test_epi64_mask(rows, rows) != 0;
    }
    return n;
}

/* Where to stop when values are spread evenly: each slice leaves half of the rows, after the bounds part of each half. */
RANGE_INLINE uint32_t range_first_stop(const struct range_512 *r, const uint64_t *sel)
{
    const struct slices *s = r->slices;
    uint32_t words = s->lines * LINE_WORDS, rows = 0, need;

    words = words < RANGE_SAMPLE ? words : RANGE_SAMPLE;
    for (uint32_t i = 0; i < words; i++)
        rows += (uint32_t)__builtin_popcountll(sel[i]);
    rows /= words / LINE_WORDS;
    need = (rows ? 32 - (uint32_t)__builtin_clz(rows) : 0) + RANGE_SPARE + (r->equal > 0);
    return s->width > need ? s->width - need : 0;
}

/* The next group's: one more, one less, or half as many slices. */
RANGE_INLINE uint32_t range_next_stop(uint32_t width, uint32_t stop, uint32_t n, uint32_t open,
                                      uint32_t before)
{
    if (open > n / RANGE_FEW)
        return stop > 0 ? stop - 1 : 0;
    if (!before)
        return stop + (width - stop) / 2;
    return before <= n / RANGE_FEW && stop < width ? stop + 1 : stop;
}

RANGE_INLINE void filter_range_512(const struct slices *s, uint64_t lo, uint64_t hi, bool negate,
                                   uint64_t *sel)
{
    struct range_512 r = {.slices = s, .negate = negate};
    struct range_line left[RANGE_GROUP];
    uint8_t lines[RANGE_GROUP];
    uint32_t split = 0, n, open, before, stop;

    if (s->lines == 0)
        return;
    r.equal = kernel_split(lo, hi, &split) ? split + 1 : 0;
    for (uint32_t i = 0; i < s->width; i++) {
        r.lo[i] = (lo >> i & 1) - 1;
        r.hi[i] = (hi >> i & 1) - 1;
    }
    stop = range_first_stop(&r, sel);
    for (uint32_t line = 0, some = RANGE_FIRST; line < s->lines; line += n, sel += n * LINE_WORDS) {
        struct slices group = *s;

        n = s->lines - line < some ? s->lines - line : some;
        group.words += (size_t)line * LINE_WORDS;
        r.slices = &group;
        uint32_t with_rows = range_list(sel, n, lines);
        open = range_group(&r, lines, with_rows, stop, sel, left, &before);
        for (uint32_t k = 0; k < open; k++) {
            struct range_line x = left[k];

            for (uint32_t i = stop; i > 0 && range_is_open(&x); i--)
                range_slices(&r, group.words + lines[k] * LINE_WORDS, i, i - 1, &x);
            range_store(&r, &x, sel + lines[k] * LINE_WORDS);
        }
        stop = range_next_stop(s->width, stop, with_rows, stop ? open : 0, before);
        if (line > 0 && some < RANGE_GROUP)
            some *= 2;
    }
}
