#pragma once
/*
 * Rows on their way into a table: values converted to what a column stores, and gathered into write
 * batches. Owner: the statement.
 */
#include "sql/gateway_statement.h"

enum { DML_MAX_LIST = 1024 }; /* values of one multi-valued cell */

/* The expression whose value column c stores for `e`: 0x41 is 65 in a column of numbers. NULL with the
 * error set. */
struct expr *dml_value_for(struct statement *s, const struct column *c, struct expr *e);
/*
 * Converts a value to what column c stores, as MySQL's strict mode does: rounded to the column's
 * digits, refused when it does not fit. *out is the value as it would be read back; multi-valued
 * columns: joined by the delimiter. False with the error set. NULL passes (required columns: 1048).
 * Bytes may lie in the statement's scratch memory, which the caller resets between rows.
 */
bool dml_store(struct statement *s, const struct schema *t, uint16_t column, const struct datum *in,
               uint64_t row, struct datum *out);

/* What DEFAULT of the column stands for; NULL when it has none. *has tells which. */
bool dml_default(struct statement *s, const struct schema *t, uint16_t column, struct datum *out,
                 bool *has);

/* Rows of all batches written so far. */
struct dml_total {
    uint64_t inserted, updated, unchanged, deleted;
};

/* Several rows for cluster_write, and the write itself. */
struct dml_writer {
    struct dml_writer *next; /* of the statement */
    struct statement *s;
    const struct schema *schema;
    enum batch_op op;
    bool check_first;
    struct batch_builder *builder;
    uint16_t *columns; /* positions in the schema, in order of the batch */
    uint16_t n_columns;
    struct cluster_write *write; /* in the statement's arena */
    struct buffer bytes;
    bool in_flight;
    struct dml_total total;
    uint64_t rows_before; /* rows of batches already written */
};

/* w is zeroed, as statement_alloc gives it. It is one of the statement's from now on: freed with it, and asked whether
 * the statement has written when it could be tried again. */
bool dml_writer_init(struct dml_writer *w, struct statement *s, const struct schema *t,
                     enum batch_op op, const uint16_t *columns, uint16_t n);
void dml_writer_fini(struct dml_writer *w);
/* One row: values as dml_store gave them, one per column of the writer. */
bool dml_writer_put(struct dml_writer *w, const struct datum *values);
/* True when the batch has grown enough to be written. */
bool dml_writer_is_full(const struct dml_writer *w);
/* Starts writing what is gathered; statement_resume follows when it is done. READY when there was
 * nothing. */
enum step dml_writer_flush(struct dml_writer *w);
/* Takes the result of a write that is done; false with the error set when rows were refused. */
bool dml_writer_take(struct dml_writer *w);
