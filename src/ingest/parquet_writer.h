#pragma once
/*
 * Parquet files, written: flat columns, row groups of a fixed number of rows, PLAIN values and
 * dictionaries where they make the file smaller.
 *
 * A writer does no I/O but through its sink and belongs to one core at a time. It keeps the
 * compressed pages of one row group in memory.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_error.h"
#include "ingest/parquet_format.h"
#include "ingest/parquet_vector.h"

struct parquet_writer;

/* Where the bytes go, in order. write takes all of them or returns a negative errno. Any core; the
 * caller's memory; ctx outlives the writer. */
struct parquet_sink {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t len);
};

/* One column to write. Any core; the caller's memory, read by parquet_writer_new only. */
struct parquet_column_spec {
    const char *name;
    enum parquet_physical physical;
    enum parquet_logical logical;
    enum parquet_unit unit; /* TIME and TIMESTAMP */
    bool utc;               /* TIME and TIMESTAMP */
    bool is_nullable;
    bool is_unsigned;    /* INTEGER */
    uint8_t bit_width;   /* INTEGER: 8, 16, 32, 64 */
    int32_t precision;   /* DECIMAL: digits */
    int32_t scale;       /* DECIMAL: digits after the point */
    int32_t type_length; /* FIXED_LEN_BYTE_ARRAY: bytes */
};

/* Zero means the default everywhere. */
struct parquet_writer_options {
    enum parquet_codec codec; /* none, Snappy or Zstandard */
    uint64_t row_group_rows;  /* default 262,144 */
    uint64_t
        row_group_bytes; /* a group also ends when so many are kept, about; default: no bound */
    size_t page_rows;    /* default 20,000 */
    size_t page_bytes;   /* before compression; default 1 MiB, at most 64 MiB */
    bool no_dictionary;
    bool no_statistics;
    bool no_checksums;
    bool page_v2; /* second version of data pages */
};

/* Starts a file. options may be NULL. -EINVAL for columns or options that make no sense, errors of
 * the sink, -ENOMEM. The caller frees *out with parquet_writer_free. */
int parquet_writer_new(const struct parquet_sink *sink, const struct parquet_column_spec *columns,
                       uint32_t count, const struct parquet_writer_options *options,
                       struct parquet_error *err, struct parquet_writer **out);

/* Kind the vectors of a column must have. */
enum parquet_kind parquet_writer_kind(const struct parquet_writer *writer, uint32_t column);

/* Appends rows: one vector per column, each with `rows` elements and no lists; they are only read.
 * -EINVAL for vectors of another kind or length, -ERANGE for a value the column's type cannot hold
 * and for NULLs where there must be none, errors of the sink, -EFBIG, -ENOMEM. After an error the
 * writer can only be freed. */
int parquet_writer_append(struct parquet_writer *writer, const struct parquet_vector *vectors,
                          size_t rows, struct parquet_error *err);

/* Bytes of the row group being filled. */
uint64_t parquet_writer_kept(const struct parquet_writer *writer);

/* Bytes of memory that it has, whatever they are for. */
uint64_t parquet_writer_memory(const struct parquet_writer *writer);

/* Writes the last row group and the footer. Errors as above. */
int parquet_writer_finish(struct parquet_writer *writer, struct parquet_error *err);

/* Frees a writer, finished or not; NULL is allowed. */
void parquet_writer_free(struct parquet_writer *writer);
