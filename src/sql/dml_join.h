#pragma once
/*
 * UPDATE and DELETE of a join. All rows of the join are read before the first is written, so none sees a change of its
 * own statement; a row of a table counts once, with the first of its partners. Owner: the statement.
 */
#include "sql/gateway_statement.h"

/* False with the error set. */
bool dml_join_update(struct statement *s, const struct sql_update *u);
bool dml_join_delete(struct statement *s, const struct sql_delete *d);
