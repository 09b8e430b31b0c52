#pragma once
/*
 * The tables of the `events` work as columns: their Parquet types and blocks of rows as vectors.
 */
#include "ingest/events_gen.h"
#include "ingest/parquet_writer.h"

#define EVENTS_COLUMNS_MAX 10

enum events_table {
    EVENTS_TABLE_EVENTS,
    EVENTS_TABLE_CONTENT,
};

/* Columns of a table, in its order. Static. */
const struct parquet_column_spec *events_table_columns(enum events_table table, uint32_t *count);

/* Replaces the contents of one vector per column with the rows [first, first + n). -ENOMEM, -EFBIG.
 * Any core. */
int events_table_fill(enum events_table table, const struct events_spec *spec, uint64_t first,
                      size_t n, struct parquet_vector *vectors, struct parquet_error *err);
