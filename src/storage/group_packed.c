#include "storage/group_packed.h"

#include <stddef.h>

#include "storage/kernel.h"

enum {
    PACKED_ROWS_LOG = 20, /* more rows between two emptyings save nothing */
    PACKED_ROWS_MIN = 63,
    PACKED_STEP = 8, /* rows between two fetches: a line's are enough for as many as there can be */
};

bool group_packed_init(struct group_packed *p, uint32_t size, const unsigned width[2],
                       unsigned sums)
{
    unsigned bits = width[0] + (sums > 1 ? width[1] : 0), rows_log;

    /* 2^r - 1 rows need r more bits in every sum and r for their number. */
    if (bits > 63)
        return false;
    rows_log = (64 - bits) / (sums + 1);
    if (rows_log > PACKED_ROWS_LOG)
        rows_log = PACKED_ROWS_LOG;
    *p = (struct group_packed){.size = size, .max = (1u << rows_log) - 1};
    p->second = width[0] + rows_log;
    p->third = p->second + (sums > 1 ? width[1] + rows_log : 0);
    return p->max >= PACKED_ROWS_MIN && size <= p->max;
}

static void add(struct group_packed *p, const uint32_t *groups, const uint32_t *a,
                const uint32_t *b, uint32_t n)
{
    uint64_t *words = p->words, one = 1ull << p->third;
    unsigned second = p->second;

    if (b) {
        for (uint32_t i = 0; i < n; i++)
            words[groups[i]] += ((uint64_t)b[i] << second) + (one | a[i]);
    } else {
        for (uint32_t i = 0; i < n; i++)
            words[groups[i]] += one | a[i];
    }
}

void group_packed_add(struct group_packed *p, const uint32_t *groups, const uint32_t *a,
                      const uint32_t *b, uint32_t n, uint64_t *tables)
{
    for (uint32_t from = 0; from < n;) {
        uint32_t some = n - from < p->max - p->rows ? n - from : p->max - p->rows;

        add(p, groups + from, a + from, b ? b + from : NULL, some);
        p->rows += some;
        if (p->rows == p->max)
            group_packed_empty(p, tables);
        from += some;
    }
}

/* The next of the lines, a few rows after the one before. */
static void fetch(struct group_packed_ahead *ahead)
{
    if (ahead->n)
        __builtin_prefetch(ahead->words[--ahead->n] + ahead->at);
}

void group_packed_add_words(struct group_packed *p, const uint16_t *groups, const uint64_t *values,
                            uint32_t n, uint64_t *tables, const struct group_packed_ahead *ahead)
{
    struct group_packed_ahead left = *ahead;
    uint64_t *words = p->words;

    for (uint32_t i = 0; i < n;) {
        uint32_t end = n - i < p->max - p->rows ? n : i + p->max - p->rows;

        p->rows += end - i;
        for (; i + PACKED_STEP <= end; i += PACKED_STEP) {
            for (unsigned k = 0; k < PACKED_STEP; k++)
                words[groups[i + k]] += values[i + k];
            fetch(&left);
        }
        for (; i < end; i++)
            words[groups[i]] += values[i];
        if (p->rows == p->max)
            group_packed_empty(p, tables);
    }
    while (left.n)
        fetch(&left);
}

void group_packed_empty(struct group_packed *p, uint64_t *tables)
{
    kernel_table()->add_fields(p->words, p->size, p->second, p->third, tables + p->size,
                               tables + 2 * (uint64_t)p->size, tables);
    p->rows = 0;
}
