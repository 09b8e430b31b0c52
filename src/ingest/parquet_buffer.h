#pragma once
/*
 * A byte buffer that grows, for pages and column chunks being written.
 */
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_error.h"

/* Any core; owned by what embeds it; starts zeroed. */
struct parquet_buffer {
    uint8_t *bytes;
    size_t len;
    size_t cap;
};

/* Room for len more bytes. -ENOMEM. */
int parquet_buffer_reserve(struct parquet_buffer *b, size_t len, struct parquet_error *err);

/* Appends bytes. -ENOMEM. */
int parquet_buffer_append(struct parquet_buffer *b, const void *bytes, size_t len,
                          struct parquet_error *err);

/* Frees the bytes; the buffer is empty and usable again. */
void parquet_buffer_fini(struct parquet_buffer *b);
