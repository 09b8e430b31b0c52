#pragma once
/*
 * From the syntax tree to a bound query: every name found, every expression typed, grouping
 * checked.
 *
 *   bind.c         queries, select lists, ORDER BY, LIMIT
 *   bind_from.c    tables, joins, USING
 *   bind_name.c    columns by name
 *   bind_expr.c    expressions
 *   bind_row.c     (a, b) IN (SELECT c, d ...)
 *   bind_rollup.c  WITH ROLLUP
 *   bind_recursive.c  WITH RECURSIVE
 *   bind_or.c      conditions that OR hides
 *   bind_outer.c   subqueries that depend on the row outside
 *   bind_match.c   MATCH ... AGAINST
 *   bind_sample.c  sample_stratified()
 *   bind_variable.c  @name := value
 *   bind_default.c  DEFAULT(column)
 *   bind_call.c    calls: functions, aggregates
 *   bind_columns.c  match('prefix'): columns by their names
 *   bind_window.c  window functions
 *   bind_group.c   GROUP BY, aggregates, ONLY_FULL_GROUP_BY
 * Synchronous, bounded by the size of the text; all memory from the statement's arena.
 * Owner: the core of the connection; lifetime: the statement.
 */
#include "sql/aggregate.h"
#include "sql/expr.h"
#include "sql/function.h"
#include "sql/gateway_session.h"
#include "storage/catalog.h"

struct infoschema_table;
struct bound_query;
struct bound_select;
struct recursion;
struct variable_use;

enum source_kind {
    SOURCE_TABLE,
    SOURCE_QUERY,
    SOURCE_VIRTUAL,
    SOURCE_WORK /* the query that is bound, within itself */
};

struct source_column {
    const char *name;
    struct value_type type;
    char delim;      /* multi-valued: separator; 0 = single-valued */
    bool hidden;     /* not in *, found by no name */
    bool merged;     /* by USING: not in *, found only when qualified */
    uint16_t column; /* TABLE: position in the schema */
};

/* One table of a FROM clause. */
struct source {
    enum source_kind kind;
    const char *db, *name, *alias;
    const struct schema *schema;          /* TABLE; pinned by the statement's catalog */
    struct bound_query *query;            /* QUERY */
    const struct infoschema_table *table; /* VIRTUAL */
    struct recursion *recursion;          /* WORK */
    struct source_column *columns;
    uint16_t n_columns;
    bool nullable; /* rows of NULLs appear: right side of LEFT JOIN */
    uint16_t *
        used; /* columns referred to, in order of first use: cells first_slot.. of the joined row */
    uint16_t n_used;
    uint16_t *cell_of; /* column -> 1 + position in used; 0 = unused */
    struct expr *
        nodes; /* expressions that read its columns, chained by state: get their slots at the end */
    uint32_t first_slot;
};

/* FROM as a tree. Bound, the sources below a node are consecutive; plan_order_joins makes other trees. */
struct join_tree {
    enum sql_join_kind kind; /* 0 = leaf */
    struct join_tree *left, *right;
    struct expr **on; /* conjuncts */
    uint32_t n_on;
    uint16_t first_source, n_sources;
};

struct bound_item {
    struct expr *expr;
    const char *name;
    const struct source *source; /* plain column: where it comes from; or NULL */
    uint16_t column;             /* of the source */
};

struct bound_order {
    uint32_t item; /* position among the items */
    bool descending;
};

struct bound_select {
    struct source *sources;
    uint16_t n_sources;
    struct join_tree *from; /* NULL = no FROM: one row without columns */
    struct expr **where;    /* conjuncts */
    uint32_t n_where;
    bool grouped; /* GROUP BY or an aggregate: rows are groups, then aggregates */
    struct expr **groups;
    uint32_t n_groups;
    struct aggregate_call **aggregates;
    uint32_t n_aggregates;
    struct expr *having;
    struct bound_item *items; /* visible ones, then those ORDER BY needs */
    uint32_t n_items, n_visible;
    struct bound_order *order;
    uint32_t n_order;
    bool distinct;
    bool rollup;            /* the last group is the level */
    bool windowed;          /* a window function among the items */
    bool topn;              /* topn(): items are value, count, percent */
    uint64_t topn_limit;    /* 0 = all */
    uint64_t limit, offset; /* UINT64_MAX = none */
};

struct bound_column {
    const char *name;
    struct value_type type;
    const struct source *source; /* or NULL */
    uint16_t column;
    char delim;
};

struct bound_term {
    enum sql_set_op op; /* to what is left of it */
    bool all;
    struct bound_select *select; /* one of the two */
    struct bound_query *query;
};

struct bound_query {
    struct recursion *recursion; /* WITH RECURSIVE: instead of terms */
    struct bound_term *terms;
    uint32_t n_terms;
    struct bound_column *columns;
    uint32_t n_columns;
    /* Of a chain of UNION; of a single SELECT they are in it. */
    struct bound_order *order;
    uint32_t n_order;
    uint64_t limit, offset;
};

enum bind_clause {
    BIND_FIELDS,
    BIND_WHERE,
    BIND_ON,
    BIND_GROUP,
    BIND_HAVING,
    BIND_ORDER,
    BIND_VALUES, /* VALUES, SET: aggregates and columns as the caller says */
};

/* Names of one SELECT; scopes of enclosing queries follow by outer. */
struct bind_scope {
    struct bind_scope *outer;
    struct bound_select *select;
    const struct sql_select *ast;
    enum bind_clause clause;
    bool items_bound; /* aliases of the select list may be found */
    bool in_aggregate;
    bool allows_aggregates;
    bool saw_aggregate;
    bool in_window, saw_window;
    struct subquery *subquery; /* its own scope, without a SELECT, around that of its SELECTs */
};

struct bind_cte {
    struct bind_cte *next;
    const struct sql_cte *cte;
    bool may_recur;              /* WITH RECURSIVE */
    struct recursion *recursion; /* while it is bound itself */
};

/* The work of binding one statement. */
struct bind {
    struct arena *arena;
    struct mysql_error *error;
    struct gateway_session *session;
    const struct catalog *catalog;
    const struct catalog *listed; /* without temporary tables: what views see */
    bool is_view;                 /* CREATE VIEW: no temporary tables */
    const char *text;             /* of the statement, for column names */
    struct expr_ctx *ctx;         /* for folding constants */
    const struct datum *params;   /* values of '?'; NULL while preparing: they are NULLs then */
    const struct value_type *param_types;
    uint32_t n_params;
    struct subquery *subqueries; /* in the order they must run */
    struct subquery **subqueries_end;
    struct bind_scope *scope;
    struct bind_cte *ctes;
    const struct source
        *insert_values;          /* VALUES(col) in ON DUPLICATE KEY UPDATE: its source, or NULL */
    const struct schema *target; /* of INSERT: DEFAULT(col) in its VALUES; or NULL */
    uint32_t depth, n_queries; /* of queries in queries; those of views count wherever they stand */
    bool assigns_variables;    /* @a := somewhere in the statement */
    struct variable_use *assigned; /* those bound so far */
    const char *
        made; /* CREATE TEMPORARY TABLE ... SELECT: its table, which the SELECT does not see; or NULL */
    bool has_select; /* one was bound: SQL_CALC_FOUND_ROWS may only be in the first */
};

/* A whole query. NULL with *error set. */
struct bound_query *bind_query(struct bind *b, const struct sql_query *query);

/* An expression over the columns of `scope` (NULL: without columns). */
struct expr *bind_expr(struct bind *b, const struct sql_expr *e);
/* Splits at AND. False with the error set. */
bool bind_conjuncts(struct bind *b, const struct sql_expr *e, struct expr ***out, uint32_t *n);

/* LIMIT's numbers. */
bool bind_limit(struct bind *b, const struct sql_limit *limit, uint64_t *count, uint64_t *offset);

/* A scope of one table for UPDATE, DELETE and INSERT ... ON DUPLICATE. */
struct bound_select *bind_single_table(struct bind *b, const struct sql_table *table);

/* ---- between the files ---- */

bool bind_fail(struct bind *b, unsigned code, ...); /* false */
void *bind_alloc(struct bind *b, size_t n);         /* NULL with the error set */
const char *bind_clause_name(enum bind_clause c);
bool bind_from(struct bind *b, struct bound_select *s, const struct sql_table *from);
bool bind_add_source(struct bind *b, struct bound_select *s, const struct sql_table *t);
struct expr *bind_column(struct bind *b, const struct sql_column_ref *ref);
/* Looks the name up in one SELECT: number of matches; the first in *source and *column. */
unsigned bind_find_column(const struct bound_select *s, const struct sql_column_ref *ref,
                          uint16_t *source, uint16_t *column);
/* A name that the SELECT at hand does not have: of one around it. NULL with the error set. */
struct expr *bind_outer_column(struct bind *b, const struct sql_column_ref *ref);
/* A SELECT that is a whole subquery, before its groups are bound: when it depends on the row outside only in a way
 * that it can be run once for all of them, it is rewritten so (SUBQUERY_KEYED). False with the error set. */
bool bind_correlated(struct bind *b, struct bound_select *s, const struct sql_select *ast);
/* A node over a subquery with room for its own n arguments, which what it depends on follows. */
struct expr *bind_subquery_node(struct bind *b, enum expr_kind kind, struct subquery *s,
                                uint32_t n);
bool bind_add_item(struct bind *b, struct bound_select *s, struct expr *e, const char *name);
/* Column of a source as an expression; marks it used. */
struct expr *bind_source_column(struct bind *b, struct bound_select *s, uint16_t source,
                                uint16_t column);
struct expr *bind_call(struct bind *b, const struct sql_expr *e);
/* An aggregate with its arguments. NULL with the error set. */
struct aggregate_call *bind_aggregate_call(struct bind *b, const struct sql_call *c,
                                           enum aggregate_op op);
/* A call with OVER. NULL with the error set. */
struct expr *bind_window(struct bind *b, const struct sql_expr *e);
/* Names of the WINDOW clause are different, and what they say can be. */
bool bind_window_clause(struct bind *b, const struct sql_window *windows);
/* False with the error set (3594) when the expression has a window function. */
bool bind_without_windows(struct bind *b, struct expr *e);
/* What a text or its bytes are said to be: CONVERT(x USING charset), CHAR(n USING charset). */
struct expr *bind_charset(struct expr *e, const char *charset);
/* NULLIF over its two bound arguments. */
struct expr *bind_nullif(struct bind *b, const struct function *f, struct expr **args);
/* An OR as a condition that says the same: what all branches have in common, and what they say of single tables, comes
 * first, joined by AND. NULL without memory. */
struct expr *bind_or(struct bind *b, struct expr *e);
/* GROUPING(x, …); the level among the groups; the order of the rows where there is no other: before and after groups
 * and aggregates have their slots. */
struct expr *bind_grouping(struct bind *b, const struct sql_call *c);
bool bind_rollup(struct bind *b, struct bound_select *s);
bool bind_rollup_order(struct bind *b, struct bound_select *s);
/* The query of a name that may be one of itself; *out NULL: it is not. False with the error set. */
bool bind_recursive(struct bind *b, struct bind_cte *at, struct bound_query **out);
/* Its own name within it. */
bool bind_work_source(struct bind *b, struct source *s, struct bind_cte *at);
struct expr *bind_row_in_query(struct bind *b, const struct sql_compare *c, bool negated);
struct expr *bind_match(struct bind *b, const struct sql_expr *e);
struct expr *bind_default(struct bind *b, const struct sql_expr *e);
/* sample_stratified('column', percent). */
struct expr *bind_sample(struct bind *b, const struct sql_call *c);
/* match('prefix', ...). */
struct expr *bind_columns_call(struct bind *b, const struct sql_call *c);
/* @name := value; a variable in a statement that has such. */
struct expr *bind_assign(struct bind *b, const struct sql_expr *e);
struct expr *bind_changing_variable(struct bind *b, const char *name);
/* Replaces groups and aggregates by slots of the grouped rows; error 1055 for other columns. */
struct expr *bind_grouped(struct bind *b, struct bound_select *s, struct expr *e, uint32_t item,
                          enum bind_clause c);
/* GROUP BY of constants alone, which are no groups: rows make one, no rows none. */
bool bind_some_row(struct bind *b, struct bound_select *s);
/* Gives every used column its cell, sources from left to right in FROM; after the whole block is bound, and again when
 * FROM was rearranged. */
void bind_finish_slots(struct bound_select *s);
struct value_type bind_column_type(const struct column *c);
struct expr *bind_fold(struct bind *b, struct expr *e);
/* Comparisons of texts that are told apart by more than case alone: both sides in upper case. False with the error. */
bool bind_any_case(struct bind *b, struct expr **args, uint32_t n);
struct expr *bind_subquery(struct bind *b, const struct sql_query *q, int use,
                           struct subquery **out);
/* The message for a name: "t.c" or "c". */
const char *bind_ref_text(struct bind *b, const struct sql_column_ref *ref);
struct function_bind bind_function(struct bind *b);
