#pragma once
/*
 * SHOW: each is a query over information_schema, written as text and run as if the client had sent it.
 *   show.c         tables, columns, variables
 *   show_server.c  privileges, stored programs, logs and what there is none of
 */
#include "sql/gateway_statement.h"

/* Text as a string literal of SQL. */
const char *show_quoted(struct statement *s, const char *text, size_t len);
/* Runs the query text in place of the statement. */
bool show_run_text(struct statement *s, const char *text);
/*
 * SELECT columns FROM information_schema.table x WHERE condition, then LIKE on the named column or WHERE over the shown
 * names.
 */
bool show_run(struct statement *s, const struct sql_show *show, const char *columns,
              const char *table, const char *condition, const char *name_column, const char *order);
/* One row of texts; cells NULL: none. */
bool show_text_result(struct statement *s, uint32_t n, const char *const *names,
                      const char *const *cells);
/* The database it is about; NULL with the error. */
const char *show_database(struct statement *s, const struct sql_show *show);
bool show_server(struct statement *s, const struct sql_show *show);
