#pragma once
/* Columns of the tables that `quanta-bench gen` makes: what the generators of all of them have in common. Stateless; any
 * thread. */
#include "ingest/parquet_buffer.h"
#include "ingest/parquet_vector.h"
#include "ingest/parquet_writer.h"

/* The line with the names of the columns. -ENOMEM, as the buffer's appending. */
int gen_csv_header(const struct parquet_column_spec *columns, uint32_t count,
                   struct parquet_buffer *out, struct parquet_error *err);

/* Empties `count` vectors and makes room in each for n present values of at most text_max bytes. -ENOMEM, -EFBIG. */
int gen_columns_begin(struct parquet_vector *vectors, uint32_t count, size_t n, size_t text_max,
                      struct parquet_error *err);
