#pragma once
/*
 * DELTA_BINARY_PACKED: integers as bit-packed differences, also the lengths within the two delta
 * encodings of byte arrays. Values are decoded as they are asked for; nothing is allocated.
 * Source: https://parquet.apache.org/docs/file-format/data-pages/encodings/
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_error.h"

/* Cursor over encoded integers. Any core; part of a page's state; the bytes belong to the page. */
struct parquet_delta {
    const uint8_t *pos;
    const uint8_t *end;
    uint64_t block_size;     /* values of a block */
    uint64_t mini_count;     /* miniblocks of a block */
    uint64_t mini_size;      /* values of a miniblock */
    uint64_t count;          /* values in all */
    uint64_t left;           /* values not yet read */
    uint64_t value;          /* the last value, modulo 2^64 */
    uint64_t min_delta;      /* of the current block */
    const uint8_t *widths;   /* bits of the miniblocks of the current block */
    const uint8_t *mini;     /* bytes of the current miniblock */
    const uint8_t *mini_end; /* one behind them */
    uint64_t mini_next;      /* number of the next miniblock within the block */
    uint64_t mini_left;      /* values left in the current miniblock */
    uint64_t bit;            /* next bit of the current miniblock */
    uint8_t width;           /* bits of a value of the current miniblock */
    bool first;              /* the value in the header has not been read */
};

/* Reads the header. -EBADMSG when malformed or with more than count_max values. Any core. */
int parquet_delta_init(struct parquet_delta *d, const uint8_t *bytes, const uint8_t *end,
                       uint64_t count_max, struct parquet_error *err);

/* Reads n values; 32-bit columns wrap around modulo 2^32, which is left to the caller. -EBADMSG
 * when there are not as many or the bytes end. Any core. */
int parquet_delta_read(struct parquet_delta *d, int64_t *out, size_t n, struct parquet_error *err);

/* First byte behind the encoded integers, found by passing over all of them with a copy of the
 * cursor. -EBADMSG as above. Any core. */
int parquet_delta_find_end(const struct parquet_delta *d, const uint8_t **end,
                           struct parquet_error *err);
