#pragma once
/*
 * Ranges over slices, for the vector forms. Private to them: who includes this has defined RANGE_TARGET, its vectors
 * range_vec of RANGE_WORDS words (the rows of a step), and on them range_load, range_store_to, range_all (of a word),
 * range_load_any (not aligned), range_none, range_some, range_and, range_without (a & ~b), range_or3, range_xor3 (a & (b ^ c)), range_and3,
 * range_neither3 (a & ~b & ~c).
 *
 * After how many slices the rows of a step are decided depends on them, so a branch that leaves them then is guessed
 * wrongly for nearly every step, and what comes next, far away in memory, is asked for too late. So steps go in groups:
 * of all of them as many slices as most need, with no branch; then the undecided ones, whose next slices are on their way
 * by then.
 */
#include "storage/kernel.h"

enum {
    RANGE_GROUP = 64, /* steps; */
    RANGE_FIRST = 16, /* of the first group, which tells how many slices are needed */
    RANGE_SPARE =
        3, /* slices beyond those that leave one row of a step, were values spread evenly */
    RANGE_BEFORE = 2,  /* slices with which it is tried whether fewer are enough */
    RANGE_FEW = 16,    /* steps of which one may be undecided */
    RANGE_SAMPLE = 64, /* words of the selection that are counted */
};

#define RANGE_INLINE static inline __attribute__((always_inline, target(RANGE_TARGET)))

/* Owner: one call. */
struct range {
    const struct slices *slices;
    uint64_t lo[SLICES_MAX], hi[SLICES_MAX]; /* all ones where the bound's bit is clear */
    uint32_t equal; /* slices from this one on have the same bit in both bounds */
    bool negate;
};

/* Rows of a step: those at hand, those found to be in the range, those so far equal to a bound (while both are: low). */
struct range_step {
    range_vec had, in, low, high;
};

/* Slices from - 1 down to `to` of a step, which begins at `first` in slice 0. */
RANGE_INLINE void range_slices(const struct range *r, const uint64_t *first, uint32_t from,
                               uint32_t to, struct range_step *x)
{
    size_t stride = r->slices->stride;
    const uint64_t *at = first + from * stride;
    uint32_t i = from, equal = r->equal > to ? r->equal : to;
    range_vec in = x->in, low = x->low, high = x->high, w;

    for (; i > equal; i--) {
        at -= stride;
        low = range_xor3(low, range_load(at), range_all(r->lo[i - 1]));
    }
    if (i > to && i == r->equal) { /* here the bounds part */
        at -= stride;
        i--;
        w = range_load(at);
        high = range_and(w, low);
        low = range_without(low, w);
    }
    for (; i > to; i--) {
        const range_vec lo = range_all(r->lo[i - 1]), hi = range_all(r->hi[i - 1]);

        at -= stride;
        w = range_load(at);
        in = range_or3(in, range_and3(low, w, lo), range_neither3(high, w, hi));
        low = range_xor3(low, w, lo);
        high = range_xor3(high, w, hi);
    }
    x->in = in;
    x->low = low;
    x->high = high;
}

RANGE_INLINE bool range_is_open(const struct range_step *x)
{
    return range_some(range_or3(x->low, x->high, x->high));
}

/* Of a step without rows that are open, or after the last slice. */
RANGE_INLINE void range_store(const struct range *r, const struct range_step *x, uint64_t *sel)
{
    range_vec in = range_or3(x->in, x->low, x->high);

    range_store_to(sel, r->negate ? range_without(x->had, in) : in);
}

/*
 * Slices down to `stop` of n steps. Those that are open move to the begin of steps[], with their rows: their number, and
 * that of those that were open RANGE_BEFORE slices before.
 */
RANGE_INLINE uint32_t range_group(const struct range *r, uint8_t *steps, uint32_t n, uint32_t stop,
                                  uint64_t *sel, struct range_step *left, uint32_t *before)
{
    const struct slices *s = r->slices;
    uint32_t open = 0, mid = stop + RANGE_BEFORE < s->width ? stop + RANGE_BEFORE : s->width;
    size_t next = stop > 0 ? s->stride : 0, after = stop > 1 ? s->stride : 0;

    *before = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t step = steps[k];
        const uint64_t *at = s->words + (size_t)step * RANGE_WORDS;
        struct range_step x = {.had = range_load_any(sel + step * RANGE_WORDS)};

        x.low = x.had;
        x.in = x.high = range_none();
        range_slices(r, at, s->width, mid, &x);
        *before += range_is_open(&x);
        range_slices(r, at, mid, stop, &x);
        range_store(r, &x, sel + step * RANGE_WORDS);
        bool is_open = range_is_open(&x);
        at += stop * (size_t)s->stride - (is_open ? next : 0);
        __builtin_prefetch(at);
        __builtin_prefetch(at - (is_open ? after : 0));
        left[open] = x;
        steps[open] = (uint8_t)step;
        open += is_open;
    }
    return open;
}

/* Steps of the n that begin at `sel` that have rows. */
RANGE_INLINE uint32_t range_list(const uint64_t *sel, uint32_t n, uint8_t *list)
{
    uint32_t some = 0;

    for (uint32_t step = 0; step < n; step++) {
        list[some] = (uint8_t)step;
        some += range_some(range_load_any(sel + step * RANGE_WORDS));
    }
    return some;
}

/* Where to stop when values are spread evenly: each slice leaves half of the rows, after the bounds part of each half. */
RANGE_INLINE uint32_t range_first_stop(const struct range *r, const uint64_t *sel)
{
    const struct slices *s = r->slices;
    uint32_t words = s->lines * LINE_WORDS, rows = 0, need;

    words = words < RANGE_SAMPLE ? words : RANGE_SAMPLE;
    for (uint32_t i = 0; i < words; i++)
        rows += (uint32_t)__builtin_popcountll(sel[i]);
    rows /= words / RANGE_WORDS;
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

RANGE_INLINE void filter_range_by(const struct slices *s, uint64_t lo, uint64_t hi, bool negate,
                                  uint64_t *sel)
{
    const uint32_t steps = s->lines * (LINE_WORDS / RANGE_WORDS);
    struct range r = {.slices = s, .negate = negate};
    struct range_step left[RANGE_GROUP];
    uint8_t list[RANGE_GROUP];
    uint32_t split = 0, n, open, before, stop;

    if (steps == 0)
        return;
    r.equal = kernel_split(lo, hi, &split) ? split + 1 : 0;
    for (uint32_t i = 0; i < s->width; i++) {
        r.lo[i] = (lo >> i & 1) - 1;
        r.hi[i] = (hi >> i & 1) - 1;
    }
    stop = range_first_stop(&r, sel);
    for (uint32_t step = 0, some = RANGE_FIRST; step < steps; step += n, sel += n * RANGE_WORDS) {
        struct slices group = *s;

        n = steps - step < some ? steps - step : some;
        group.words += (size_t)step * RANGE_WORDS;
        r.slices = &group;
        uint32_t with_rows = range_list(sel, n, list);
        open = range_group(&r, list, with_rows, stop, sel, left, &before);
        for (uint32_t k = 0; k < open; k++) {
            struct range_step x = left[k];

            for (uint32_t i = stop; i > 0 && range_is_open(&x); i--)
                range_slices(&r, group.words + list[k] * RANGE_WORDS, i, i - 1, &x);
            range_store(&r, &x, sel + list[k] * RANGE_WORDS);
        }
        stop = range_next_stop(s->width, stop, with_rows, stop ? open : 0, before);
        if (step > 0 && some < RANGE_GROUP)
            some *= 2;
    }
}
