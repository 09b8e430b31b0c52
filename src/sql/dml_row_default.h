#pragma once
/*
 * Defaults that are another value in each row: of calls that read other columns, hash.sha256(cust_id), or that give
 * another value each time, uuid(). Owner: the INSERT.
 */
#include "sql/dml_insert.h"

struct row_defaults;

/* The default of a column as a tree, when each row has its own; else NULL, also without memory. */
struct sql_expr *row_default_ast(struct statement *s, const struct column *c);

/* Whether such a default names columns and functions that are there; of a table that is being made. False with the
 * error. */
bool row_default_is_sound(struct statement *s, const struct schema *t, const struct column *c);

/* Behind add_targets: columns not named whose default is such a one are added, with NULL for the rest to fill. False
 * with the error. x->row_defaults stays NULL when there are none. */
bool row_defaults_prepare(struct insert *x);
/* Is the default of this column computed for each row? */
bool row_defaults_has(const struct insert *x, uint16_t column);
/* Target i of the row at hand was DEFAULT. */
void row_defaults_ask(struct insert *x, uint16_t target);
/* Computes them for the row in x->values. False with the error. */
bool row_defaults_apply(struct insert *x);
