#pragma once
/*
 * EXPLAIN: what a statement does on the cores and what in the gateway.
 *   explain.c             the statement
 *   explain_words.c       operators in words
 *   explain_tree.c        FORMAT=TREE: lines, each operator below the one that reads it
 *   explain_json.c        FORMAT=JSON: the same for programs
 *   explain_table.c       FORMAT=TRADITIONAL: MySQL's table, a row for each table read
 *   explain_connection.c  FOR CONNECTION: of what another connection runs
 * Synchronous, on the core of the statement that is explained.
 */
#include "sql/ast.h"
#include "sql/exec.h"
#include "sql/print_internal.h"

struct statement;
struct subquery;

/* What is explained. All of it lives as long as its statement. */
struct explain_view {
    const struct sql_stmt *stmt;
    const struct plan *plan; /* NULL: INSERT ... VALUES */
    const struct subquery *subqueries;
    const struct exec *exec;
    bool is_analyze;
};

/* An answer: rows of cells one behind the other (explain_put_cell), so that another core can take it. */
struct explain_answer {
    enum sql_explain_format format;
    const char *cells;
    size_t length;
};

/* 0; -ENOMEM. The answer lives in the arena. */
int explain_render(const struct explain_view *v, enum sql_explain_format format, struct arena *a,
                   struct explain_answer *out);
/* The answer as the statement's rows; false with the error. */
bool explain_rows(struct statement *s, const struct explain_answer *answer);
/* What the statement does; false: nothing that EXPLAIN knows, or not planned yet. */
bool explain_view_of(const struct statement *s, struct explain_view *out);
/* EXPLAIN FOR CONNECTION; false with the error. */
bool explain_connection(struct statement *s, const struct sql_explain *e);

/* ---- between the files ---- */

enum { EXPLAIN_ID = 0, EXPLAIN_ROWS = 9, EXPLAIN_TABLE_COLUMNS = 12 };
extern const char *const explain_table_columns[EXPLAIN_TABLE_COLUMNS];

/* One cell; NULL is NULL. */
void explain_put_cell(struct sql_printer *p, const char *text, size_t len);
int explain_tree(const struct explain_view *v, struct arena *a, struct sql_printer *cells);
int explain_json(const struct explain_view *v, struct arena *a, struct sql_printer *cells);
int explain_table(const struct explain_view *v, struct arena *a, struct sql_printer *cells);

/* The figures of an operator; NULL when there are none. */
const struct exec_step *explain_step(const struct explain_view *v, const struct plan *n);
/* Its figures by core, or NULL. */
const struct exec_scan_stats *explain_legs(const struct explain_view *v, const struct plan *n);

/* Words. */
const char *explain_node_name(const struct plan *n);          /* "hash join" */
const char *explain_join_form(const struct plan *n);          /* "left" */
const char *explain_change_name(const struct sql_stmt *stmt); /* "update"; NULL: a query */
const char *explain_subquery_use(const struct subquery *q);
const char *explain_subquery_mode(const struct subquery *q);
const char *explain_scan_output(const struct plan_scan *s);
/* The table that a change writes to. */
const char *explain_target(const struct sql_stmt *stmt);
void explain_put_node(struct sql_printer *p, const struct plan *n);
void explain_put_change(struct sql_printer *p, const struct sql_stmt *stmt);
void explain_put_exprs(struct sql_printer *p, struct expr *const *list, uint32_t n,
                       const char *separator);
/* A group column, or an aggregate, of a scan. */
void explain_put_output(struct sql_printer *p, const struct plan_scan *s, unsigned i);
void explain_put_join_keys(struct sql_printer *p, const struct plan *n);
void explain_put_sort_keys(struct sql_printer *p, const struct plan *n);
