#pragma once
/* SET column = value, of UPDATE and of ON DUPLICATE KEY UPDATE. Owner: the statement. */
#include "sql/dml_row.h"

struct dml_assign {
    uint16_t column; /* position in the schema */
    uint16_t cell;   /* of the row */
    struct expr *value;
};

/* Binds over source 0 of the scope's SELECT, whose used columns are the cells of a row. Key columns
 * are refused. */
/* What SET gives column of t for the expression, DEFAULT too. NULL with the error set. */
struct expr *dml_assign_value(struct statement *s, const struct schema *t, uint16_t column,
                              const struct sql_expr *e);
/* False with the error set for a column of the key. */
bool dml_assign_allows(struct statement *s, const struct schema *t, uint16_t column);
bool dml_assign_bind(struct statement *s, struct bound_select *sel, const struct sql_assign *list,
                     struct dml_assign **out, uint16_t *n);
/* Computes and stores the values into the row, left to right; *changed when any differs. False with
 * the error set. */
bool dml_assign_apply(struct statement *s, const struct schema *t, const struct dml_assign *list,
                      uint16_t n, struct datum *row, uint64_t number, bool *changed);
