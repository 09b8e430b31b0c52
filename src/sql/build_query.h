#pragma once
/*
 * Nodes of queries, made by the grammar's actions; memory, errors and core as in build_expr.h.
 */
#include "sql/parse_internal.h"

/* Words between SELECT and the first expression; bits of the grammar's select_options. */
enum sql_build_select_flag {
    SQL_BUILD_DISTINCT = 1,
    SQL_BUILD_STRAIGHT = 2,
    SQL_BUILD_FOUND_ROWS = 4,
};

/* Completes a SELECT whose clauses from FROM on are in `select`; into may be NULL. */
struct sql_select *sql_build_select(struct sql_parser *p, int flags, struct sql_list items,
                                    struct sql_into *into, struct sql_select *select,
                                    struct sql_span span);

/* span is that of the expression with its parentheses. */
struct sql_select_item *sql_build_item(struct sql_parser *p, struct sql_expr *expr,
                                       const char *alias, struct sql_span span);

/* A table by name; NULL for DUAL. */
struct sql_table *sql_build_table(struct sql_parser *p, struct sql_table_name *name,
                                  const char *alias, struct sql_span span);

struct sql_table *sql_build_derived(struct sql_parser *p, struct sql_query *query,
                                    const char *alias, struct sql_name_list *columns,
                                    struct sql_span span);

struct sql_table *sql_build_join(struct sql_parser *p, int kind, struct sql_table *left,
                                 struct sql_table *right, struct sql_expr *on,
                                 struct sql_name_list *using_, struct sql_span span);

/* A join without a condition: takes the leftmost table of an unparenthesised join on its right to
 * the left, because the grammar has read "a JOIN b JOIN c ON x" as "a JOIN (b JOIN c ON x)". */
struct sql_table *sql_build_join_bare(struct sql_parser *p, struct sql_table *left,
                                      struct sql_table *right, bool is_straight,
                                      struct sql_span span);

struct sql_table_name *sql_build_table_name(struct sql_parser *p, const char *db, const char *name,
                                            struct sql_span span);

struct sql_name_list *sql_build_name_entry(struct sql_parser *p, const char *name,
                                           struct sql_span span);

/* A query of one term, either a SELECT or what stood in parentheses. */
struct sql_query *sql_build_query(struct sql_parser *p, struct sql_select *select,
                                  struct sql_query *nested, struct sql_span span);

/* TABLE t. */
struct sql_select *sql_build_table_select(struct sql_parser *p, struct sql_table_name *name,
                                          struct sql_span span);

/* A row of VALUES ROW(...); fails for another word. */
struct sql_row *sql_build_row(struct sql_parser *p, struct sql_text word, struct sql_list values,
                              struct sql_span span);

/* Whether only INSERT can have the row: with DEFAULT, or nothing. */
bool sql_build_row_is_for_insert(const struct sql_row *row);

/* VALUES ROW(...), ROW(...). */
struct sql_query *sql_build_values(struct sql_parser *p, struct sql_list rows,
                                   struct sql_span span);

/* left op right. */
struct sql_query *sql_build_set(struct sql_parser *p, struct sql_query *left, enum sql_set_op op,
                                bool is_all, struct sql_query *right, struct sql_span span);

/* Puts the clauses around the body and finds the query's depth. */
struct sql_query *sql_build_query_done(struct sql_parser *p, struct sql_query *query,
                                       struct sql_list ctes, bool is_recursive,
                                       const struct sql_query_tail *tail, struct sql_span span);

/* A query below another or in a statement that takes its rows: refuses INTO. */
struct sql_query *sql_build_inner(struct sql_parser *p, struct sql_query *query,
                                  struct sql_span span);

/* INTO with one target; SQL_INTO_URI becomes OUTFILE when the text has no "scheme://". */
struct sql_into *sql_build_into(struct sql_parser *p, enum sql_into_kind kind,
                                struct sql_text text);

/* key = value; CHARSET in any case is given in upper case. */
struct sql_option *sql_build_option(struct sql_parser *p, const char *key, struct sql_expr *value);
