#pragma once
/*
 * Smallest and largest value and number of NULLs of a column chunk being written.
 */
#include <stdbool.h>
#include <stdint.h>

#include "ingest/parquet_schema.h"
#include "ingest/parquet_vector.h"

/* Longer strings make statistics larger than they are worth. */
#define PARQUET_STATS_BYTES_MAX 64

/* One bound; a string, an integer or a double by the kind of the column. */
struct parquet_bound {
    int64_t num;
    double real;
    uint8_t bytes[PARQUET_STATS_BYTES_MAX];
    uint32_t len;
};

/* Any core; owned by a column's chunk writer; starts zeroed for each chunk. */
struct parquet_stats {
    uint64_t null_count;
    bool has_values;
    bool is_dropped; /* min and max are not known: a NaN, a long string, a 128-bit column */
    struct parquet_bound min;
    struct parquet_bound max;
};

/* Takes the elements [from, from + n) into account. Any core. */
void parquet_stats_add(struct parquet_stats *s, const struct parquet_vector *v, size_t from,
                       size_t n);

/* Whether the bounds are in the order readers expect for the column: not so for decimals in bytes,
 * whose order is that of the numbers, and for intervals, which have none. */
bool parquet_stats_have_order(const struct parquet_column *column);

/* Writes a bound as the footer has it, the PLAIN encoding without length. Returns the bytes. */
size_t parquet_stats_encode(const struct parquet_column *column, const struct parquet_bound *bound,
                            uint8_t out[PARQUET_STATS_BYTES_MAX]);
