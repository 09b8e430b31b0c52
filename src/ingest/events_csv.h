#pragma once
/*
 * The tables of the `events` work as CSV lines.
 */
#include "ingest/events_table.h"
#include "ingest/parquet_buffer.h"

/* Appends the lines of the rows [first, first + n). -ENOMEM. Any core. */
int events_csv_rows(enum events_table table, const struct events_spec *spec, uint64_t first,
                    size_t n, struct parquet_buffer *out, struct parquet_error *err);
