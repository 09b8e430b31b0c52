#pragma once
/*
 * Footer of a Parquet file: schema, row groups and where their column chunks are.
 */
#include <stdbool.h>
#include <stdint.h>

#include "ingest/parquet_error.h"
#include "ingest/parquet_schema.h"
#include "ingest/parquet_stream.h"

/* Where the values of one column of one row group are; checked to be within the file. */
struct parquet_chunk {
    uint64_t offset; /* of the first page */
    uint64_t len;    /* compressed bytes */
    uint64_t raw_len;
    uint64_t value_count; /* with NULLs and empty lists */
    int32_t codec;
    bool is_encrypted;
    bool is_external; /* the values are in another file */
};

struct parquet_row_group {
    uint64_t row_count;
    size_t first_chunk; /* in parquet_meta.chunks; one for each column */
};

/* Any core; owned by a reader; not changed after parsing. */
struct parquet_meta {
    struct parquet_schema schema;
    uint64_t row_count;
    uint32_t group_count;
    struct parquet_row_group *groups;
    struct parquet_chunk *chunks;
    char *created_by; /* NULL when the writer does not say */
    size_t group_cap;
    size_t chunk_cap;
    size_t chunk_count;
};

/* Reads and checks the footer of a file; *meta must be zeroed and is to be freed with
 * parquet_meta_fini also after an error. -EBADMSG when it is no Parquet file or damaged, -ENOTSUP
 * when the footer is encrypted, errors of the source, -EFBIG, -ENOMEM. Any core. */
int parquet_meta_read(struct parquet_meta *meta, const struct parquet_source *src,
                      struct parquet_error *err);

/* Parses len bytes of a footer of a file whose pages lie within [4, data_end). Errors as above. */
int parquet_meta_parse(struct parquet_meta *meta, const void *bytes, size_t len, uint64_t data_end,
                       struct parquet_error *err);

/* Frees what the footer holds. Any core. */
void parquet_meta_fini(struct parquet_meta *meta);
