#pragma once
/* Inside of load_rows.h, for load_*.c only: columns of a table and where their values come from. */
#include "ingest/load_rows.h"

enum { LOAD_MAX_LIST = 1024, LOAD_MAX_INPUTS = 4, LOAD_OBJECT_BYTES = 256 };

/* Where a value may come from: a column of the file, or two that make one value (seconds and nanoseconds). */
struct load_input {
    unsigned vector, second; /* positions among the selected columns; second = vector: only one */
    uint32_t file_column, second_column;
    const char *keys[2];
    bool of_element; /* config.element: the value is the element's, not the row's */
};

struct load_column { /* one per column of the table that takes part */
    const struct column *column;
    struct load_input
        inputs[LOAD_MAX_INPUTS]; /* in turn, until one has a value; then the default */
    unsigned n_inputs;
    struct cell *items; /* multi-valued: values of the current row */
    uint32_t n_items;
    struct value *inputs_of_list;   /* list elements of the current row */
    char object[LOAD_OBJECT_BYTES]; /* two columns as one value */
    uint32_t checked;  /* 1 + row group whose dictionary of texts was looked at last, */
    bool takes_values; /* and whether the column stores them as they are */
};

struct load_rows {
    struct load_rows_config config;
    struct parquet_reader *reader;
    struct load_column *columns;
    unsigned n, n_vectors;
    const struct column *nested; /* one whose values are lists within the elements */
    int element_vector;          /* of the first column below config.element, -1 = none */
    struct cell *cells;          /* of the current row */
    struct batch_builder *builder;
    uint32_t *places; /* load_rows_places */
    uint32_t places_cap;
    struct parquet_batch batch; /* being converted */
    size_t row;                 /* next one of it */
    uint32_t element;           /* next one of that row */
    bool by_column;             /* load_columns.h: no column has lists */
    int64_t *values;            /* of one column of the batch at hand */
    uint64_t *presence;
    uint32_t *codes, *offsets; /* of texts: codes of values, and where these begin in texts */
    uint32_t rows_cap;         /* all four have room for, offsets for one more */
    struct buffer texts;
    uint32_t *map; /* code in the file's dictionary -> code in the batch */
    size_t map_cap;
};

/* Microseconds of a timestamp in the file's unit; nanoseconds round down. Out of range is so afterwards, too. */
static inline int64_t load_to_micros(int64_t v, enum parquet_unit unit)
{
    int64_t micros;

    switch (unit) {
    case PARQUET_UNIT_MILLIS:
        return __builtin_mul_overflow(v, 1000, &micros) ? v < 0 ? INT64_MIN : INT64_MAX : micros;
    case PARQUET_UNIT_NANOS:
        return v / 1000 - (v % 1000 < 0);
    default:
        return v;
    }
}
