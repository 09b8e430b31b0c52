#pragma once
/*
 * Tail: the rows of a column that are not sealed yet, as forward codes of 1, 2, 4 or 8 bytes over a
 * base, read by lines. NULL rows hold the base. Embedded in its column block. Owner: the slot's
 * core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget;

struct tail {
    uint32_t rows, cap;
    uint32_t present;   /* rows with a value */
    uint32_t width;     /* bytes: 1, 2, 4, 8 */
    uint8_t *data;      /* cap * width bytes */
    uint64_t *presence; /* NULL = all rows have a value; bits at and above rows are zero */
    int64_t base;       /* 0 at width 8 */
};

void tail_fini(struct tail *t, struct budget *budget);
size_t tail_memory(const struct tail *t); /* bytes */

/*
 * Makes room for n more rows with values in [min, max] (none when min > max), and for NULLs when
 * asked; widens the codes of the rows it has when need be. 0, or -ENOMEM with the rows unchanged.
 * max_rows bounds growth.
 */
int tail_reserve(struct tail *t, struct budget *budget, uint32_t n, int64_t min, int64_t max,
                 bool nulls, uint32_t max_rows);

/* Appends n rows for which room was reserved; present NULL = all. */
void tail_append(struct tail *t, const int64_t *values, const uint8_t *present, uint32_t n);

/* Changes a row after a tail_reserve with n = 0. */
void tail_put(struct tail *t, uint32_t row, int64_t value, bool present);

/* Values of rows [from, from + n); NULL rows read as any value. */
void tail_read(const struct tail *t, uint32_t from, uint32_t n, int64_t *out);

static inline bool tail_is_present(const struct tail *t, uint32_t row)
{
    return !t->presence || (t->presence[row >> 6] >> (row & 63) & 1);
}

int64_t tail_get(const struct tail *t, uint32_t row);

/* Of the 64 rows from `from` on, a multiple of 64 below rows: a bit for each whose value is in [lo, hi]. NULL rows have
 * any bit. */
uint64_t tail_match(const struct tail *t, uint32_t from, int64_t lo, int64_t hi);

/* Sum of the values of those of the 64 rows that have a bit, all of which have a value. */
__int128 tail_sum(const struct tail *t, uint32_t from, uint64_t rows);

/* Drops the first n rows, all or a multiple of 64; gives the memory back when none is left. */
void tail_drop(struct tail *t, struct budget *budget, uint32_t n);
