#pragma once
/*
 * Schema of a Parquet file: its leaf columns with their paths, types and levels.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_error.h"
#include "ingest/parquet_format.h"
#include "ingest/parquet_vector.h"
#include "ingest/thrift_compact.h"

/* One leaf column. Any core; lives as long as its schema and is not changed after parsing. */
struct parquet_column {
    char *path;       /* components joined with '.', without the root: "region.list.element" */
    char *short_path; /* the same without the wrapping levels of lists and maps: "region" */
    enum parquet_physical physical;
    enum parquet_logical logical;
    enum parquet_unit unit;             /* dates, times and timestamps; INT96 becomes micros */
    enum parquet_repetition repetition; /* of the leaf itself */
    enum parquet_kind kind;             /* of the vectors the column is read into */
    bool utc;         /* a timestamp is an instant, otherwise a local date and time */
    bool is_unsigned; /* INTEGER types only */
    uint8_t bit_width;
    int32_t precision;   /* decimals; digits */
    int32_t scale;       /* decimals; digits after the point */
    int32_t type_length; /* FIXED_LEN_BYTE_ARRAY; bytes */
    uint8_t max_def;
    uint8_t max_rep;     /* above 0: rows hold lists; lists of lists are read flattened */
    uint8_t list_def;    /* definition level from which the outermost list has an element */
    uint8_t element_def; /* definition level from which the innermost list has an element */
};

/* Any core; owned by the reader it belongs to. */
struct parquet_schema {
    char *root; /* name of the root element, such as "spark_schema" */
    struct parquet_column *columns;
    uint32_t count;
};

/* Reads the list of schema elements at the field header just read. The schema is to be freed with
 * parquet_schema_fini also after an error. -EBADMSG for a malformed schema, -ENOMEM. Any core. */
int parquet_schema_parse(struct parquet_schema *schema, struct thrift_reader *r,
                         const struct thrift_field *field, struct parquet_error *err);

/* Frees the columns. Any core. */
void parquet_schema_fini(struct parquet_schema *schema);

/* Number of the column with that path: "a/b", "/a/b" and "a.b" are the same, and the wrapping
 * levels of lists may be left out. An exact match goes first; with `caseless` ASCII letters of
 * either case are then equal. -ENOENT when there is none, -ENOTUNIQ when several fit. Any core. */
int parquet_schema_find(const struct parquet_schema *schema, const char *path, bool caseless,
                        uint32_t *column);

/* Whether the logical type may stand on the physical type. Any core. */
bool parquet_column_is_sound(const struct parquet_column *c);

/* Kind of the vectors for the types of a column. Any core. */
enum parquet_kind parquet_column_kind(const struct parquet_column *c);

/* Bytes of a value in PLAIN encoding; 0 for booleans and byte arrays. Any core. */
uint32_t parquet_column_width(const struct parquet_column *column);

/* A NUL-terminated copy of len bytes; NULL when out of memory. The caller frees it. Any core. */
char *parquet_text_copy(const void *bytes, size_t len);

/* Names for messages: "INT64", "DELTA_BYTE_ARRAY", "ZSTD"; "unknown" for others. Any core. */
const char *parquet_physical_name(int physical);
const char *parquet_encoding_name(int encoding);
const char *parquet_codec_name(int codec);
