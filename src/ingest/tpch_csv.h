#pragma once
/* The tables of TPC-H as CSV lines. No value has a comma, a quote or an end of line. */
#include "ingest/parquet_buffer.h"
#include "ingest/tpch_gen.h"

/* Appends the lines of n rows that tpch_fill has made. -ENOMEM. Any core. */
int tpch_csv_rows(enum tpch_table table, const struct parquet_vector *vectors, size_t n,
                  struct parquet_buffer *out, struct parquet_error *err);
