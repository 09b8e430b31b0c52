#pragma once
/*
 * Decoder of the values of one page, whatever their encoding, into a vector.
 */
#include "ingest/parquet_delta.h"
#include "ingest/parquet_rle.h"
#include "ingest/parquet_schema.h"
#include "ingest/parquet_vector.h"

/* Any core; part of a column's cursor; the bytes are the page's, the dictionary the cursor's. */
struct parquet_values {
    const struct parquet_column *column;
    int encoding;
    const uint8_t *pos;
    const uint8_t *end;
    uint64_t bit;                      /* PLAIN booleans: next bit */
    uint64_t stride;                   /* BYTE_STREAM_SPLIT: values in all */
    uint64_t next;                     /* BYTE_STREAM_SPLIT: next value */
    struct parquet_rle rle;            /* dictionary codes, RLE booleans */
    struct parquet_delta ints;         /* integers, or lengths of (the ends of) byte arrays */
    struct parquet_delta prefixes;     /* DELTA_BYTE_ARRAY: bytes shared with the value before */
    const struct parquet_vector *dict; /* NULL without dictionary */
    uint8_t *last;                     /* DELTA_BYTE_ARRAY: the value before; owned */
    size_t last_len;
    size_t last_cap;
};

/* Starts a page of at most count_max values. -EBADMSG for malformed bytes or an encoding the type
 * cannot have, -ENOTSUP for an unknown one. A first use needs *v zeroed. Any core. */
int parquet_values_start(struct parquet_values *v, const struct parquet_column *column,
                         int encoding, const uint8_t *bytes, size_t len, uint64_t count_max,
                         const struct parquet_vector *dict, struct parquet_error *err);

/* Appends the next n values to out without marking them valid. -EBADMSG when there are fewer or
 * they are malformed, -ENOMEM, -EFBIG. Any core. */
int parquet_values_read(struct parquet_values *v, size_t n, struct parquet_vector *out,
                        struct parquet_error *err);

/* Frees what the decoder holds. Any core. */
void parquet_values_fini(struct parquet_values *v);
