#pragma once
/* Inside of a filter, for filter*.c only. */
#include "storage/filter.h"

/* Owner: the scan, in its slot's arena. */
struct filter {
    const struct predicate *predicate;
    const struct column *column; /* leaves */
    struct filter **children;    /* AND, OR; of AND the cheap ones first */
    struct code_set
        codes; /* leaves on coded columns: of the dictionary's first codes.limit entries */
    struct slot *slot;
    const struct dict *dict;
    uint64_t *bits;              /* codes.bits */
    size_t words;                /* allocated */
    struct words_search *search; /* PREDICATE_WORDS */
    bool coded, list;
    bool bound;        /* codes have been looked at once */
    bool walks;        /* values are not looked up: the dictionary's table has no memory */
    bool nothing;      /* no value of this slot can match */
    uint64_t *scratch; /* OR: two selections */
};

static inline bool filter_is_branch(const struct predicate *w)
{
    return w->kind == PREDICATE_AND || w->kind == PREDICATE_OR;
}

/* Is the value among those of a leaf over integers (without its negation)? */
static inline bool filter_is_int_member(const struct predicate *w, int64_t v)
{
    if (w->kind == PREDICATE_RANGE)
        return v >= w->lo && v <= w->hi;
    uint32_t lo = 0, hi = w->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (w->ints[mid] < v)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < w->n && w->ints[lo] == v;
}
