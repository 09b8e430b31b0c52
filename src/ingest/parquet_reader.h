#pragma once
/*
 * Parquet files, read row by row: every selected column of a row is read together, so that columns
 * cannot get out of step, whatever the caller does with a row.
 *
 * A reader does no I/O but through its source and belongs to one core at a time. Memory is bounded:
 * per selected column one read-ahead window or compressed page, one decompressed page, one
 * dictionary, and the vectors of one batch.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_error.h"
#include "ingest/parquet_schema.h"
#include "ingest/parquet_stream.h"
#include "ingest/parquet_vector.h"

struct parquet_reader;

/* Rows handed out by one call of parquet_reader_next, with one vector for each selected column in
 * the order of selection. Owned by the reader; valid until its next call. */
struct parquet_batch {
    size_t rows; /* 0 at the end of the file */
    uint64_t first_row;
    uint32_t row_group;
    uint32_t vector_count;
    const struct parquet_vector *vectors;
};

/* Reads the footer and checks it. src is copied; its ctx outlives the reader. -EBADMSG when it is
 * no Parquet file or damaged, -ENOTSUP when encrypted, errors of read_at, -EFBIG, -ENOMEM. The
 * caller frees *out with parquet_reader_free. */
int parquet_reader_open(const struct parquet_source *src, struct parquet_error *err,
                        struct parquet_reader **out);

/* Frees a reader; NULL is allowed. */
void parquet_reader_free(struct parquet_reader *reader);

/* What the footer says. Lent; valid as long as the reader. */
const struct parquet_schema *parquet_reader_schema(const struct parquet_reader *reader);
uint64_t parquet_reader_row_count(const struct parquet_reader *reader);
uint32_t parquet_reader_group_count(const struct parquet_reader *reader);
uint64_t parquet_reader_group_rows(const struct parquet_reader *reader, uint32_t group);
const char *parquet_reader_created_by(const struct parquet_reader *reader); /* "" when unknown */

/* parquet_schema_find on the reader's schema. */
int parquet_reader_find_column(const struct parquet_reader *reader, const char *path, bool caseless,
                               uint32_t *column);

/* Chooses the columns of the batches, by their numbers in the schema, and goes back to the first
 * row. Without columns batches count rows only. -EINVAL for a number that does not exist,
 * -ENOMEM. */
int parquet_reader_select(struct parquet_reader *reader, const uint32_t *columns, uint32_t count,
                          struct parquet_error *err);

/* From now on, until columns are selected anew, strings of a dictionary stay its codes where all of
 * a batch can: parquet_vector.h. */
void parquet_reader_keep_codes(struct parquet_reader *reader);

/* Restricts reading to the row groups [first, end) and goes to the first row of them, so that
 * several readers can share a file. -EINVAL when they do not exist. */
int parquet_reader_set_groups(struct parquet_reader *reader, uint32_t first, uint32_t end,
                              struct parquet_error *err);

/* Reads up to max_rows rows (at least 1): fewer at the end of a row group and where rows are long
 * (some 64 MiB a batch). -EBADMSG with row group, column and page for damage, errors of the source,
 * -ENOTSUP, -EFBIG, -ENOMEM; after an error only select, set_groups and free may follow. */
int parquet_reader_next(struct parquet_reader *reader, size_t max_rows, struct parquet_batch *batch,
                        struct parquet_error *err);
