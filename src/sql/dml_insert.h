#pragma once
/* INSERT and REPLACE: what their files share. Owner: the statement. */
#include "sql/dml_row.h"

/* The keys a batch of INSERT ... ON DUPLICATE KEY UPDATE has met; dml_duplicate.c. */
struct duplicate;

struct load;

/* A value that has a subquery; dml_values.c. */
struct insert_value {
    struct insert_value *next;
    const struct sql_expr *ast;
    struct expr *value;
};

struct row_defaults;

struct insert {
    struct statement *s;
    const struct sql_insert *ast;
    struct load *load; /* rows of a file; or NULL */
    const struct schema *schema;
    uint16_t *columns; /* written: targets first, then those with a default */
    uint16_t n_columns, n_targets;
    struct datum *defaults;            /* stored values, by position in columns */
    struct row_defaults *row_defaults; /* those computed for each row; NULL = none */
    const struct sql_row *next_row;
    struct insert_value *bound; /* those of the rows to come */
    uint64_t row;               /* rows taken, from 1 in messages */
    struct datum *values;
    struct dml_writer writer;
    bool writing;
    struct exec_op *op; /* INSERT ... SELECT */
    struct duplicate *duplicate;
};

/* Table, targets and defaults of x->ast; then the writer for rows without ON DUPLICATE KEY UPDATE. */
bool insert_targets(struct insert *x);
bool insert_writer(struct insert *x, enum batch_op op);
/* The next row of the file, as insert_next_row. */
enum step load_next_row(struct insert *x, bool *got);
/* An error of a row, kept until the client has sent the rest of the file; true: the statement goes on. */
bool load_keeps_error(struct insert *x);
/* Values with subqueries, before they are run; then each in its turn, NULL for all other expressions. */
bool insert_bind_queries(struct insert *x);
struct expr *insert_bound_value(struct insert *x, const struct sql_expr *e);
/* Stored value of a target. */
bool insert_store(struct insert *x, uint16_t target, const struct datum *in);
bool insert_evaluate(struct insert *x, uint16_t target, const struct sql_expr *e);
/* Stored values of the next row of VALUES or of the query: READY with *got, PENDING. */
enum step insert_next_row(struct insert *x, bool *got);
void insert_answer(struct insert *x);

/* ON DUPLICATE KEY UPDATE: takes the place of insert_run. */
bool duplicate_prepare(struct insert *x);
enum step duplicate_run(struct statement *s);
