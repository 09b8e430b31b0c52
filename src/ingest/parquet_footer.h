#pragma once
/*
 * The footer of a file being written.
 */
#include "ingest/parquet_chunk_writer.h"
#include "ingest/parquet_schema.h"
#include "ingest/thrift_compact.h"

/* A chunk that has been written. */
struct parquet_footer_chunk {
    struct parquet_chunk_summary summary;
    uint64_t offset; /* of its first page in the file */
};

/* A row group that has been written. */
struct parquet_footer_group {
    uint64_t row_count;
    struct parquet_footer_chunk *chunks; /* one for each column; owned */
};

/* What a footer says. Any core; owned by a file's writer. */
struct parquet_footer {
    const struct parquet_column *columns;
    uint32_t column_count;
    enum parquet_codec codec;
    bool has_statistics;
    uint64_t row_count;
    struct parquet_footer_group *groups;
    uint32_t group_count;
    uint32_t group_cap;
};

/* Encodes the footer, without length and magic. The caller looks at t->failed. Any core. */
void parquet_footer_encode(const struct parquet_footer *footer, struct thrift_writer *t);
