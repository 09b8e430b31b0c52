#pragma once
/*
 * Values of fixed width and decimals, from their physical form to that of a vector.
 */
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_schema.h"
#include "ingest/parquet_vector.h"

/* Appends n values of the column's width, one behind the other as in PLAIN encoding; marks nothing
 * as valid. The column is neither BOOLEAN nor BYTE_ARRAY. -EBADMSG for a value the vector's kind
 * cannot hold, -ENOMEM, -EFBIG. Any core. */
int parquet_convert_fixed(const struct parquet_column *column, const uint8_t *raw, size_t n,
                          struct parquet_vector *out, struct parquet_error *err);

/* Appends n integers decoded from a delta encoding; the column is INT32 or INT64. Errors as above.
 * Any core. */
int parquet_convert_ints(const struct parquet_column *column, const int64_t *values, size_t n,
                         struct parquet_vector *out, struct parquet_error *err);

/* Appends one value of a BYTE_ARRAY or FIXED_LEN_BYTE_ARRAY column. Errors as above. Any core. */
int parquet_convert_bytes(const struct parquet_column *column, const uint8_t *bytes, size_t len,
                          struct parquet_vector *out, struct parquet_error *err);
