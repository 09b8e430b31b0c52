#pragma once
/*
 * Values of one column for a run of rows: what the reader hands out and the writer takes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_error.h"

/* A vector never holds more than this many bytes of one kind (values, string data): a file of a few
 * bytes can stand for any number of long values. Offsets thus fit in 32 bits. */
#define PARQUET_VECTOR_BYTES_MAX ((size_t)256 << 20)

/* Bytes that may be read and written behind the string data, so that short strings are copied in
 * one fixed-size move. */
#define PARQUET_VECTOR_SLACK 16

/* How values are held, whatever their physical type in the file was. */
enum parquet_kind {
    PARQUET_KIND_BOOL,   /* bools */
    PARQUET_KIND_INT64,  /* ints: integers, days, times in the column's unit, scaled decimals */
    PARQUET_KIND_DOUBLE, /* doubles */
    PARQUET_KIND_BYTES,  /* offsets and data */
    PARQUET_KIND_INT128, /* wides: unsigned 64-bit integers, decimals of more than 18 digits */
};

/* Any core, one at a time; owned by the reader's batch, by a dictionary, or by whoever called
 * parquet_vector_init. A NULL element has a zero value, or an empty string. Columns without lists
 * have one element per row and no `lists`. */
struct parquet_vector {
    enum parquet_kind kind;
    size_t count;      /* elements */
    size_t null_count; /* elements that are NULL */
    uint8_t *valid;    /* count bytes: 1 = a value, 0 = NULL */
    union {
        uint8_t *bools;
        int64_t *ints;
        double *doubles;
        __int128 *wides;
        uint32_t *offsets; /* count + 1: element i is data[offsets[i]] to data[offsets[i + 1]] */
        void *values;
    };
    uint8_t *data; /* string data, PARQUET_VECTOR_SLACK readable bytes behind it */
    size_t data_len;

    bool keeps_codes;                  /* the owner of a vector of strings allows the next one */
    const struct parquet_vector *dict; /* not NULL: element i is element codes[i] of this, and
                                          neither offsets nor data hold anything */
    uint32_t *codes;

    bool is_list;
    size_t rows;         /* rows of a list column */
    uint32_t *lists;     /* rows + 1: row r has the elements lists[r] to lists[r + 1] */
    uint8_t *list_valid; /* rows bytes: 0 = the list itself is NULL (not the same as empty) */

    size_t cap;      /* elements allocated */
    size_t data_cap; /* string bytes allocated, without slack */
    size_t row_cap;  /* rows allocated */
};

/* An empty vector; nothing is allocated. Any core. */
void parquet_vector_init(struct parquet_vector *v, enum parquet_kind kind, bool is_list);

/* Frees what the vector holds; it is empty and usable again afterwards. Any core. */
void parquet_vector_fini(struct parquet_vector *v);

/* String i, which is not NULL. Any core. */
static inline const uint8_t *parquet_vector_text(const struct parquet_vector *v, size_t i,
                                                 uint32_t *len)
{
    if (v->dict) {
        i = v->codes[i];
        v = v->dict;
    }
    *len = v->offsets[i + 1] - v->offsets[i];
    return v->data + v->offsets[i];
}

/* Makes strings of codes. -ENOMEM, -EFBIG beyond PARQUET_VECTOR_BYTES_MAX. Any core. */
int parquet_vector_unfold(struct parquet_vector *v, struct parquet_error *err);

/* Drops the elements and keeps the memory. Any core. */
void parquet_vector_clear(struct parquet_vector *v);

/* Bytes of one value: 1, 8, 16, or 4 for the offset of a string. */
size_t parquet_vector_width(enum parquet_kind kind);

/* Room for n more elements. -ENOMEM, -EFBIG beyond PARQUET_VECTOR_BYTES_MAX. Any core. */
int parquet_vector_reserve(struct parquet_vector *v, size_t n, struct parquet_error *err);

/* Room for len more bytes of string data. Errors as above. Any core. */
int parquet_vector_reserve_data(struct parquet_vector *v, size_t len, struct parquet_error *err);

/* Room for n more rows of a list column. Errors as above. Any core. */
int parquet_vector_reserve_rows(struct parquet_vector *v, size_t n, struct parquet_error *err);

/* Appends one element; the kind must be that of the vector. Errors as above. Any core. */
int parquet_vector_append_bool(struct parquet_vector *v, bool value, struct parquet_error *err);
int parquet_vector_append_int(struct parquet_vector *v, int64_t value, struct parquet_error *err);
int parquet_vector_append_double(struct parquet_vector *v, double value, struct parquet_error *err);
int parquet_vector_append_wide(struct parquet_vector *v, __int128 value, struct parquet_error *err);
int parquet_vector_append_bytes(struct parquet_vector *v, const void *bytes, size_t len,
                                struct parquet_error *err);
int parquet_vector_append_null(struct parquet_vector *v, struct parquet_error *err);

/* Makes the last `dense` elements, which have no gaps, the values of the last n: those with
 * valid[i] = 1 in order, the others NULL. The caller has reserved n elements, written valid for
 * them and set count to the old count + dense. Any core. */
void parquet_vector_spread(struct parquet_vector *v, size_t n, size_t dense);
