#pragma once
/*
 * Expression nodes, made by the grammar's actions. All builders allocate from the parse's arena,
 * leave the parse through sql_parser_fail() when they cannot go on, and so never return NULL.
 * Core: the parse's.
 */
#include "sql/parse_internal.h"

/* Appends a node whose first member is its `next` pointer. */
struct sql_list sql_list_add(struct sql_list list, void *node);

/* Appends an expression through its own `next`. */
struct sql_list sql_list_add_expr(struct sql_list list, struct sql_expr *expr);

/* Second list behind the first; nodes as in sql_list_add. */
struct sql_list sql_list_join(struct sql_list first, struct sql_list second);

/* A name out of a token's text. */
const char *sql_build_name(struct sql_parser *p, struct sql_text text);

/* Both with the character between them. */
const char *sql_build_pair(struct sql_parser *p, const char *a, char between, const char *b);

/* @name: a pseudo column of the original. */
const char *sql_build_at(struct sql_parser *p, struct sql_text name);

/* A NUL-terminated name as text. */
struct sql_text sql_build_text_of(const char *name);

/* Bare node. */
struct sql_expr *sql_build_leaf(struct sql_parser *p, enum sql_expr_kind kind,
                                struct sql_span span);

struct sql_expr *sql_build_bool(struct sql_parser *p, bool value, struct sql_span span);
struct sql_expr *sql_build_integer(struct sql_parser *p, uint64_t value, struct sql_span span);
struct sql_expr *sql_build_float(struct sql_parser *p, struct sql_text text, struct sql_span span);

/* DECIMAL, STRING, BYTES, DATE, TIME, TIMESTAMP. */
struct sql_expr *sql_build_text(struct sql_parser *p, enum sql_expr_kind kind, struct sql_text text,
                                struct sql_span span);

/* A STRING holding a word of the grammar or a name. */
struct sql_expr *sql_build_word(struct sql_parser *p, const char *word, struct sql_span span);

struct sql_expr *sql_build_user_var(struct sql_parser *p, struct sql_text text,
                                    struct sql_span span);

/* @@[scope.]name, text without the '@@'. */
struct sql_expr *sql_build_sys_var(struct sql_parser *p, struct sql_text text,
                                   struct sql_span span);

/* COLUMN or, with a NULL name, STAR; absent parts NULL. */
struct sql_expr *sql_build_column(struct sql_parser *p, const char *db, const char *table,
                                  const char *name, struct sql_span span);

/* Node with n operands given as struct sql_expr *. */
struct sql_expr *sql_build_operands(struct sql_parser *p, enum sql_expr_kind kind, int op,
                                    int flags, struct sql_span span, int n, ...);

/* Node whose operands are an optional first and the list's. */
struct sql_expr *sql_build_operand_list(struct sql_parser *p, enum sql_expr_kind kind, int flags,
                                        struct sql_expr *first, struct sql_list list,
                                        struct sql_span span);

/* -x, with the sign folded into a number. */
struct sql_expr *sql_build_negate(struct sql_parser *p, struct sql_expr *arg, struct sql_span span);

/* AND and OR, flattening an unparenthesised left side of the same kind. */
struct sql_expr *sql_build_logic(struct sql_parser *p, enum sql_expr_kind kind,
                                 struct sql_expr *left, struct sql_expr *right,
                                 struct sql_span span);

/* CASE; whens holds condition and result by turns; operand and otherwise may be NULL. */
struct sql_expr *sql_build_case(struct sql_parser *p, struct sql_expr *operand,
                                struct sql_list whens, struct sql_expr *otherwise,
                                struct sql_span span);

/* TRIM; remove may be NULL. */
struct sql_expr *sql_build_trim(struct sql_parser *p, int mode, struct sql_expr *arg,
                                struct sql_expr *remove, struct sql_span span);

/* ODBC's {d '..'}, {t '..'}, {ts '..'} and {fn expr}. */
struct sql_expr *sql_build_braces(struct sql_parser *p, struct sql_text word, struct sql_expr *arg,
                                  struct sql_span word_span, struct sql_span span);

/* The mode of a MATCH, whose word must be the one wanted: SQL_PARSE_SYNTAX otherwise. */
int sql_build_match(struct sql_parser *p, int mode, struct sql_text word, const char *wanted,
                    struct sql_span word_span);

/* A call without its name; the caller sets is_distinct, order_by and the like. */
struct sql_call *sql_build_call_args(struct sql_parser *p, struct sql_list args);

/* Names the call and wraps it; a unit as first argument and row() are recognised. */
struct sql_expr *sql_build_call(struct sql_parser *p, const char *name, struct sql_call *call,
                                struct sql_span span);

/* Call of n plain arguments. */
struct sql_expr *sql_build_call_n(struct sql_parser *p, const char *name, struct sql_span span,
                                  int n, ...);

/* CHAR(list [USING charset]). */
struct sql_expr *sql_build_char(struct sql_parser *p, struct sql_text name, struct sql_list args,
                                const char *charset, struct sql_span span);

/* OVER; window may be NULL. */
void sql_build_over(struct sql_parser *p, struct sql_expr *expr, struct sql_window *window,
                    struct sql_span span);

/* CAST and CONVERT(x, type). */
struct sql_expr *sql_build_cast(struct sql_parser *p, struct sql_expr *arg, struct sql_type *type,
                                bool is_convert, struct sql_span span);

/* COLLATE and CONVERT(x USING name). */
struct sql_expr *sql_build_collate(struct sql_parser *p, enum sql_expr_kind kind,
                                   struct sql_expr *arg, const char *name, struct sql_span span);

/* SUBQUERY and EXISTS. */
struct sql_expr *sql_build_subquery(struct sql_parser *p, enum sql_expr_kind kind,
                                    struct sql_query *query, struct sql_span span);

/* IN_QUERY and QUANTIFIED. */
struct sql_expr *sql_build_compare(struct sql_parser *p, enum sql_expr_kind kind, int op, int flags,
                                   struct sql_expr *left, struct sql_query *query,
                                   struct sql_span span);

/* INTERVAL and EXTRACT; fails at the unit's place when it is not one. */
struct sql_expr *sql_build_unit(struct sql_parser *p, enum sql_expr_kind kind, struct sql_expr *arg,
                                struct sql_text unit, struct sql_span unit_span,
                                struct sql_span span);

/* The larger of both depths; either may be that of nothing (0). */
unsigned sql_depth_max(unsigned a, unsigned b);

/* Depth of the deepest expression of the list; 0 for none. */
unsigned sql_depth_of_order(const struct sql_order *order);
unsigned sql_depth_of_windows(const struct sql_window *window);

/* depth + 1 as a node's depth; fails at the span when that is above the limit. */
uint8_t sql_depth_above(struct sql_parser *p, unsigned depth, struct sql_span span);
