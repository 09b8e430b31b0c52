#pragma once
/*
 * Dictionary of a column chunk being written: distinct values in PLAIN encoding, numbered in the
 * order they come.
 */
#include <stdbool.h>
#include <stdint.h>

#include "ingest/parquet_buffer.h"

/* A dictionary that grows beyond this is given up: it no longer fits into a core's cache. */
#define PARQUET_DICT_BYTES_MAX ((size_t)1 << 20)

/* Any core; owned by a column's chunk writer; starts zeroed. */
struct parquet_dict {
    struct parquet_buffer values; /* body of the dictionary page */
    uint32_t *starts;             /* count + 1 offsets into values */
    uint32_t *table;              /* code + 1 by hash; 0 = free */
    uint32_t count;
    uint32_t cap;
    uint32_t table_size; /* a power of two */
};

/* Code of the value of len bytes, added when it is new. -EFBIG when the dictionary would exceed
 * PARQUET_DICT_BYTES_MAX, -ENOMEM. Any core. */
int parquet_dict_put(struct parquet_dict *d, const uint8_t *value, uint32_t len, uint32_t *code,
                     struct parquet_error *err);

/* Drops the values and keeps the memory. Any core. */
void parquet_dict_clear(struct parquet_dict *d);

/* Frees everything. Any core. */
void parquet_dict_fini(struct parquet_dict *d);
