#pragma once
/*
 * Where a Parquet file is read from, and a read-ahead window over one range of it.
 */
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_error.h"

/* Bytes at any offset. Any core; the caller's memory, outlives the reader that uses it. read_at
 * reads exactly len bytes at off or returns a negative errno; it is never asked for bytes beyond
 * size. */
struct parquet_source {
    void *ctx;
    int (*read_at)(void *ctx, void *buf, size_t len, uint64_t off);
    uint64_t size;
};

/* Reads len bytes, with a message naming offset and length on failure. */
int parquet_source_read(const struct parquet_source *src, void *buf, size_t len, uint64_t off,
                        struct parquet_error *err);

/* Window over a range. Any core; part of a column's cursor; the buffer is owned. */
struct parquet_stream {
    const struct parquet_source *src;
    uint64_t pos; /* file offset of the first byte of the window */
    uint64_t end; /* file offset behind the range */
    uint8_t *buf;
    size_t cap;
    size_t from; /* window within buf */
    size_t len;
};

/* Starts over on the range [pos, end) of src, keeping the buffer. A first use needs *s zeroed. */
void parquet_stream_start(struct parquet_stream *s, const struct parquet_source *src, uint64_t pos,
                          uint64_t end);

/* Lends the next `want` bytes, fewer only at the end of the range, until the next call of peek.
 * Errors of read_at, -ENOMEM. */
int parquet_stream_peek(struct parquet_stream *s, size_t want, const uint8_t **bytes, size_t *got,
                        struct parquet_error *err);

/* Passes over len bytes that have been lent. */
void parquet_stream_skip(struct parquet_stream *s, size_t len);

/* Frees the buffer. */
void parquet_stream_fini(struct parquet_stream *s);
