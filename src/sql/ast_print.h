#pragma once
/*
 * Syntax tree back to SQL text: for EXPLAIN, for names and messages, and for tests. What is printed
 * parses to the same tree (positions and redundant parentheses aside). Any core; memory from the
 * arena.
 */
#include <stddef.h>

#include "sql/ast.h"

struct arena;

/*
 * Each prints one node: *text_out is NUL-terminated (a string literal's NUL bytes appear escaped),
 * *length_out its bytes, may be NULL. Keywords are upper case, names as written, quoted where they
 * must be. 0, or -ENOMEM when the arena's limit was reached (*text_out is then NULL).
 */
int sql_print_stmt(struct arena *arena, const struct sql_stmt *stmt, const char **text_out,
                   size_t *length_out);
int sql_print_query(struct arena *arena, const struct sql_query *query, const char **text_out,
                    size_t *length_out);
int sql_print_expr(struct arena *arena, const struct sql_expr *expr, const char **text_out,
                   size_t *length_out);
int sql_print_table(struct arena *arena, const struct sql_table *table, const char **text_out,
                    size_t *length_out);
int sql_print_type(struct arena *arena, const struct sql_type *type, const char **text_out,
                   size_t *length_out);
