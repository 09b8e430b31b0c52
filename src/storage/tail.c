/* Tail: forward codes with a base, widened when a value does not fit. */
#include "storage/tail.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/presence.h"
#include "storage/slot_memory.h"

enum { TAIL_FIRST_ROWS = 64 };

static size_t presence_bytes(uint32_t cap)
{
    return (size_t)presence_words(cap) * sizeof(uint64_t);
}

void tail_fini(struct tail *t, struct budget *budget)
{
    slot_memory_free(budget, t->data, (size_t)t->cap * t->width);
    slot_memory_free(budget, t->presence, presence_bytes(t->cap));
    *t = (struct tail){0};
}

size_t tail_memory(const struct tail *t)
{
    return (size_t)t->cap * t->width + (t->presence ? presence_bytes(t->cap) : 0);
}

static uint64_t width_mask(uint32_t width)
{
    return width == 8 ? ~0ull : (1ull << width * 8) - 1;
}

static bool can_hold(const struct tail *t, int64_t v)
{
    return t->width == 8 ||
           (v >= t->base && (uint64_t)v - (uint64_t)t->base <= width_mask(t->width));
}

static inline __attribute__((always_inline)) void read_as(const struct tail *t, uint32_t from,
                                                          uint32_t n, int64_t *out, uint32_t width)
{
    const uint8_t *at = t->data + (size_t)from * width;

    for (uint32_t i = 0; i < n; i++, at += width) {
        uint64_t v = 0;

        memcpy(&v, at, width);
        out[i] = (int64_t)((uint64_t)t->base + v);
    }
}

void tail_read(const struct tail *t, uint32_t from, uint32_t n, int64_t *out)
{
    switch (t->width) {
    case 1:
        read_as(t, from, n, out, 1);
        break;
    case 2:
        read_as(t, from, n, out, 2);
        break;
    case 4:
        read_as(t, from, n, out, 4);
        break;
    case 8:
        read_as(t, from, n, out, 8);
        break;
    default:
        break; /* no rows yet */
    }
}

int64_t tail_get(const struct tail *t, uint32_t row)
{
    int64_t v = 0;

    tail_read(t, row, 1, &v);
    return v;
}

/* Bits of 64 bytes that are 0 or 1. */
static uint64_t pack_bits(const uint8_t *flags)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t eight;

        memcpy(&eight, flags + (size_t)i * 8, sizeof eight);
        bits |= (eight * 0x0102040810204080ull >> 56) << i * 8;
    }
    return bits;
}

/* Codes in [lo, lo + span]. The memory has a multiple of 64 rows. */
#define MATCH_CODES(type)                                            \
    do {                                                             \
        typedef type code __attribute__((may_alias));                \
        const code *at = (const code *)(const void *)t->data + from; \
                                                                     \
        for (unsigned i = 0; i < 64; i++)                            \
            flags[i] = (type)(at[i] - (type)lo) <= (type)span;       \
    } while (0)

static uint64_t match_codes(const struct tail *t, uint32_t from, uint64_t lo, uint64_t span)
{
    uint8_t flags[64];

    switch (t->width) {
    case 1:
        MATCH_CODES(uint8_t);
        break;
    case 2:
        MATCH_CODES(uint16_t);
        break;
    case 4:
        MATCH_CODES(uint32_t);
        break;
    default:
        MATCH_CODES(uint64_t);
        break;
    }
    return pack_bits(flags);
}

uint64_t tail_match(const struct tail *t, uint32_t from, int64_t lo, int64_t hi)
{
    uint64_t mask = width_mask(t->width), first, last, in;

    if (lo > hi || (t->width < 8 && hi < t->base))
        return 0;
    first = t->width < 8 && lo <= t->base ? 0 : (uint64_t)lo - (uint64_t)t->base;
    last = (uint64_t)hi - (uint64_t)t->base;
    if (t->width < 8 && first > mask)
        return 0;
    if (t->width < 8 && last > mask)
        last = mask;
    in = match_codes(t, from, first, last - first);
    return t->rows - from < 64 ? in & ((1ull << (t->rows - from)) - 1) : in;
}

#define SUM_CODES(type, total)                                       \
    do {                                                             \
        typedef type code __attribute__((may_alias));                \
        const code *at = (const code *)(const void *)t->data + from; \
                                                                     \
        if (rows == ~0ull)                                           \
            for (unsigned i = 0; i < 64; i++)                        \
                total += at[i];                                      \
        else                                                         \
            for (uint64_t w = rows; w; w &= w - 1)                   \
                total += at[__builtin_ctzll(w)];                     \
    } while (0)

__int128 tail_sum(const struct tail *t, uint32_t from, uint64_t rows)
{
    __int128 wide = 0;
    uint64_t sum = 0;

    switch (t->width) {
    case 1:
        SUM_CODES(uint8_t, sum);
        break;
    case 2:
        SUM_CODES(uint16_t, sum);
        break;
    case 4:
        SUM_CODES(uint32_t, sum);
        break;
    default:
        SUM_CODES(int64_t, wide);
        break;
    }
    return wide + sum + (__int128)t->base * __builtin_popcountll(rows);
}

static inline __attribute__((always_inline)) void write_as(struct tail *t, uint32_t from,
                                                           uint32_t n, const int64_t *values,
                                                           const uint8_t *present, uint32_t width)
{
    uint8_t *at = t->data + (size_t)from * width;

    for (uint32_t i = 0; i < n; i++, at += width) {
        uint64_t v = present && !present[i] ? 0 : (uint64_t)values[i] - (uint64_t)t->base;

        memcpy(at, &v, width);
    }
}

static void write_rows(struct tail *t, uint32_t from, uint32_t n, const int64_t *values,
                       const uint8_t *present)
{
    switch (t->width) {
    case 1:
        write_as(t, from, n, values, present, 1);
        break;
    case 2:
        write_as(t, from, n, values, present, 2);
        break;
    case 4:
        write_as(t, from, n, values, present, 4);
        break;
    default:
        write_as(t, from, n, values, present, 8);
        break;
    }
}

/*
 * Width and base for values in [min, max]: the narrowest width they fill at most half, in its
 * middle, so that a column that moves slowly is not coded anew at every step.
 */
static void choose_codes(int64_t min, int64_t max, uint32_t *width, int64_t *base)
{
    uint64_t range = (uint64_t)max - (uint64_t)min, below = (uint64_t)min - (uint64_t)INT64_MIN,
             room;

    *width = range < 1u << 7 ? 1 : range < 1u << 15 ? 2 : range < 1ull << 31 ? 4 : 8;
    room = (width_mask(*width) - range) / 2;
    *base = *width == 8 ? 0 : (int64_t)((uint64_t)min - (room < below ? room : below));
}

/* Another allocation with cap rows, codes for [min, max] and those of the rows at hand. */
static int recode(struct tail *t, struct budget *budget, uint32_t cap, int64_t min, int64_t max)
{
    struct tail wide = {.rows = t->rows, .present = t->present, .cap = cap};
    int64_t line[512];

    choose_codes(min, max, &wide.width, &wide.base);
    wide.data = slot_memory_new(budget, (size_t)cap * wide.width);
    if (!wide.data)
        return -ENOMEM;
    if (t->presence) {
        wide.presence = slot_memory_zeroed(budget, presence_bytes(cap));
        if (!wide.presence) {
            slot_memory_free(budget, wide.data, (size_t)cap * wide.width);
            return -ENOMEM;
        }
        memcpy(wide.presence, t->presence, presence_bytes(t->rows));
    }
    for (uint32_t from = 0; from < t->rows; from += 512) {
        uint32_t n = t->rows - from < 512 ? t->rows - from : 512;

        tail_read(t, from, n, line);
        for (uint32_t i = 0; t->presence && i < n; i++) {
            if (!presence_get(t->presence, from + i))
                line[i] = wide.base;
        }
        write_rows(&wide, from, n, line, NULL);
    }
    tail_fini(t, budget);
    *t = wide;
    return 0;
}

/* Bounds of the values at hand widened to [min, max]. */
static void widen(const struct tail *t, int64_t *min, int64_t *max)
{
    int64_t line[512];

    for (uint32_t from = 0; from < t->rows; from += 512) {
        uint32_t n = t->rows - from < 512 ? t->rows - from : 512;

        tail_read(t, from, n, line);
        for (uint32_t i = 0; i < n; i++) {
            if (!tail_is_present(t, from + i))
                continue;
            *min = line[i] < *min ? line[i] : *min;
            *max = line[i] > *max ? line[i] : *max;
        }
    }
}

/* More rows under the same codes: a copy. */
static int grow(struct tail *t, struct budget *budget, uint32_t cap)
{
    uint64_t *presence = NULL;
    uint8_t *data;

    if (t->presence) {
        presence = slot_memory_zeroed(budget, presence_bytes(cap));
        if (!presence)
            return -ENOMEM;
        memcpy(presence, t->presence, presence_bytes(t->cap));
    }
    data = slot_memory_grow(budget, t->data, (size_t)t->cap * t->width, (size_t)cap * t->width);
    if (!data) {
        slot_memory_free(budget, presence, presence_bytes(cap));
        return -ENOMEM;
    }
    slot_memory_free(budget, t->presence, presence_bytes(t->cap));
    t->presence = presence;
    t->data = data;
    t->cap = cap;
    return 0;
}

int tail_reserve(struct tail *t, struct budget *budget, uint32_t n, int64_t min, int64_t max,
                 bool nulls, uint32_t max_rows)
{
    bool fits = min > max || (can_hold(t, min) && can_hold(t, max));
    uint32_t cap = t->cap ? t->cap : TAIL_FIRST_ROWS, need = t->rows + n;
    int rc = 0;

    ASSERT(need <= max_rows);
    while (cap < need)
        cap *= 2;
    if (cap > max_rows)
        cap = max_rows;
    if (!t->data || !fits) {
        int64_t lo = min, hi = max;

        widen(t, &lo, &hi);
        if (lo > hi)
            lo = hi = 0;
        rc = recode(t, budget, cap, lo, hi);
    } else if (cap > t->cap) {
        rc = grow(t, budget, cap);
    }
    if (rc != 0)
        return rc;
    if (nulls && !t->presence) {
        t->presence = slot_memory_zeroed(budget, presence_bytes(t->cap));
        if (!t->presence)
            return -ENOMEM;
        presence_fill(t->presence, 0, t->rows);
    }
    return 0;
}

void tail_append(struct tail *t, const int64_t *values, const uint8_t *present, uint32_t n)
{
    uint32_t some = n;

    ASSERT(n <= t->cap - t->rows);
    write_rows(t, t->rows, n, values, present);
    if (present) {
        some = 0;
        for (uint32_t i = 0; i < n; i++)
            some += present[i] != 0;
    }
    if (t->presence && some == n) {
        presence_fill(t->presence, t->rows, n);
    } else if (some < n) {
        ASSERT(t->presence);
        for (uint32_t i = 0; i < n; i++) {
            if (present[i])
                presence_set(t->presence, t->rows + i);
        }
    }
    t->present += some;
    t->rows += n;
}

void tail_put(struct tail *t, uint32_t row, int64_t value, bool present)
{
    bool was = tail_is_present(t, row);
    uint8_t flag = present;

    ASSERT(row < t->rows && (!present || can_hold(t, value)) && (present || t->presence));
    write_rows(t, row, 1, &value, &flag);
    if (t->presence) {
        if (present)
            presence_set(t->presence, row);
        else
            presence_clear(t->presence, row);
    }
    t->present = t->present + present - was;
}

/* What the rows at hand do not need, when that is much: of many small segments it would be most of their memory. */
static void give_back(struct tail *t, struct budget *budget)
{
    uint32_t cap = presence_words(t->rows) * 64;
    struct tail small = *t;

    if (t->cap / 2 < cap)
        return;
    small.cap = cap;
    small.data = slot_memory_new(budget, (size_t)cap * t->width);
    small.presence = t->presence ? slot_memory_new(budget, presence_bytes(cap)) : NULL;
    if (!small.data || (t->presence && !small.presence)) {
        slot_memory_free(budget, small.data, (size_t)cap * t->width);
        slot_memory_free(budget, small.presence, presence_bytes(cap));
        return;
    }
    memcpy(small.data, t->data, (size_t)t->rows * t->width);
    if (t->presence)
        memcpy(small.presence, t->presence, presence_bytes(cap));
    tail_fini(t, budget);
    *t = small;
}

void tail_drop(struct tail *t, struct budget *budget, uint32_t n)
{
    uint32_t left = t->rows - n;

    ASSERT(n <= t->rows && (n % 64 == 0 || n == t->rows));
    if (left == 0) {
        tail_fini(t, budget);
        return;
    }
    memmove(t->data, t->data + (size_t)n * t->width, (size_t)left * t->width);
    if (t->presence) {
        uint32_t words = presence_words(left);

        memmove(t->presence, t->presence + n / 64, words * sizeof *t->presence);
        memset(t->presence + words, 0, presence_bytes(t->cap) - words * sizeof *t->presence);
        t->present = presence_count(t->presence, words);
    } else {
        t->present = left;
    }
    t->rows = left;
    give_back(t, budget);
}
