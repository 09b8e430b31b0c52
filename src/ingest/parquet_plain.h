#pragma once
/*
 * PLAIN encoding of the values of a vector.
 */
#include "ingest/parquet_buffer.h"
#include "ingest/parquet_schema.h"
#include "ingest/parquet_vector.h"

/* Appends the values among the elements [from, from + n) of v, without the NULLs; booleans as one
 * byte each, to be packed with parquet_plain_pack_bools. -ERANGE with the value for one the
 * physical type cannot hold, -ENOMEM. Any core. */
int parquet_plain_encode(const struct parquet_column *column, const struct parquet_vector *v,
                         size_t from, size_t n, struct parquet_buffer *out,
                         struct parquet_error *err);

/* Packs n booleans of a byte each into bits. -ENOMEM. Any core. */
int parquet_plain_pack_bools(const uint8_t *bools, size_t n, struct parquet_buffer *out,
                             struct parquet_error *err);

/* Whether parquet_plain_encode knows the physical type of the column with its logical one: all but
 * INT96 and FLOAT16. Any core. */
bool parquet_plain_can_encode(const struct parquet_column *column);
