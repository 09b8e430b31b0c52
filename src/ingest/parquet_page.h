#pragma once
/*
 * Headers of pages, and the body of a page checked and decompressed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_error.h"
#include "ingest/parquet_stream.h"

/* Largest page, compressed or not: writers aim at 1 MiB, so this refuses damage, not files. */
#define PARQUET_PAGE_BYTES_MAX ((int32_t)256 << 20)

/* A page header as it stands in the file, its numbers checked not to be negative. Any core; part of
 * a column's cursor. */
struct parquet_page_header {
    int32_t type; /* enum parquet_page_type, or one this reader passes over */
    int32_t uncompressed_len;
    int32_t compressed_len;
    bool has_crc;
    uint32_t crc;
    int32_t value_count; /* with NULLs; of a dictionary page: its entries */
    int32_t encoding;
    int32_t def_encoding; /* first version of data pages */
    int32_t rep_encoding;
    int32_t def_len; /* second version of data pages: bytes of the levels */
    int32_t rep_len;
    bool is_compressed;
};

/* One page at a time of a column chunk. Any core; part of a column's cursor. */
struct parquet_page {
    struct parquet_page_header header;
    struct parquet_stream stream;
    uint64_t offset;       /* of the header in the file */
    const uint8_t *levels; /* second version of data pages: repetition, then definition levels */
    const uint8_t *body;   /* decompressed; valid until the next page is read */
    size_t body_len;
    uint8_t *buf; /* owned; body of a compressed page */
    size_t cap;
};

/* Parses a header from the start of len bytes. -EAGAIN when they end within it, -EBADMSG when it is
 * malformed. Any core. */
int parquet_page_parse_header(struct parquet_page_header *header, const void *bytes, size_t len,
                              size_t *header_len, struct parquet_error *err);

/* Reads, verifies and decompresses the next page of the stream. Errors of the source, -EBADMSG,
 * -ENOTSUP, -EFBIG beyond PARQUET_PAGE_BYTES_MAX, -ENOMEM. Any core. */
int parquet_page_next(struct parquet_page *page, int codec, struct parquet_error *err);

/* Frees the buffers. Any core. */
void parquet_page_fini(struct parquet_page *page);
