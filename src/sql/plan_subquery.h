#pragma once
/*
 * Subqueries: planned with the statement. Those that depend on no row outside are run before the query that uses them,
 * their rows kept here; so are those that depend on one in a way that they can be run for all at once
 * (subquery_keyed.c). Others are run for each different row outside (exec_apply.c).
 * Owner: the statement; memory from its arena and budget.
 */
#include "sql/expr.h"
#include "sql/group_table.h"
#include "sql/row_set.h"

struct bound_query;
struct plan;

enum subquery_use {
    SUBQUERY_SCALAR,
    SUBQUERY_IN,
    SUBQUERY_IN_ROWS,
    SUBQUERY_EXISTS,
    SUBQUERY_QUANTIFIED
};

enum subquery_mode { SUBQUERY_ONCE, SUBQUERY_KEYED, SUBQUERY_PER_ROW };

/* A value of the row outside. Owner: the statement's arena. */
struct outer_param {
    struct outer_param *next;
    struct expr *outside; /* over the rows of the query around */
    struct datum value;   /* while the subquery, or a key of it, is evaluated */
    uint32_t uses;        /* expressions that read it */
};

/* What the rows of one key came to. */
struct keyed_entry {
    uint64_t rows;
    bool has_null;
    struct datum min, max; /* SCALAR: min is the value */
};

/* A subquery run once for all rows outside. Owner: the statement's arena. */
struct subquery_keyed {
    struct bound_select *select;
    uint32_t n_keys, key_cell; /* cells of the keys in a row of the result */
    struct expr **inside;      /* the keys, over the subquery's tables; what they */
    struct expr **outside;     /* must equal: over parameters */
    enum compare_class *classes;
    struct datum *key;        /* room for one */
    struct group_table table; /* keys, normalised: numbers of entries */
    struct keyed_entry *entries;
    uint32_t cap;
    struct group_table members; /* IN: values with their keys */
    bool first_wins;            /* ORDER BY … LIMIT 1 */
    bool of_nothing; /* aggregates without GROUP BY: a key without rows has a value too */
    bool nothing_known;
    struct datum nothing; /* that value */
    /* EXISTS with another condition than those of the keys: min and max of the inner side; or NULL */
    struct expr *bound_outside;
    enum compare_class bound_class;
    uint8_t bound_op;
    bool inner_is_first; /* inner op outside */
};

/* Results by the values they depend on. Owner: the operator that runs the subquery; its memory. */
struct subquery_cache {
    struct arena arena;
    struct group_table table;
    struct datum *results;
    uint32_t cap;
};

struct subquery {
    struct subquery *next; /* of the statement, inner ones first */
    enum subquery_use use;
    enum subquery_mode mode;
    const struct sql_query *ast;
    struct outer_param *params;
    uint32_t n_params;
    struct subquery_keyed *keyed; /* KEYED */
    struct subquery_cache *cache; /* PER_ROW */
    struct bound_query *query;
    struct plan *plan;
    enum compare_class class; /* IN: how members are compared */
    char delim;               /* IN: the rows are of a multi-valued column; 0 = they are not */
    bool done, waits;         /* waits: for PLAN_KEYED, which runs it */
    /* Results. */
    struct datum value; /* SCALAR: NULL without rows */
    bool exists;
    struct datum_set set;   /* IN */
    struct row_set row_set; /* IN_ROWS */
    struct datum min, max;  /* QUANTIFIED: of the non-NULL rows */
    bool has_null;
    uint64_t rows;
};

/* Takes one row of the result. 0, -ENOMEM, -E2BIG (a scalar with a second row: 1242), or 1 when no
 * more rows are needed. */
int subquery_add_row(struct subquery *q, const struct datum *cells, struct arena *a);
/* Forgets the rows; those to come are kept in a. */
void subquery_clear(struct subquery *q, struct arena *a);
/* The function of a node over it: `once` where the subquery is run before. */
expr_eval_fn *subquery_evaluator(const struct subquery *q, expr_eval_fn *once);
/* The value of a node over a PER_ROW subquery that has just been run. */
void subquery_eval_here(const struct expr *e, struct expr_ctx *x, struct datum *out);
/* Sets the parameters to what the node's arguments are for the row. */
void subquery_take_params(const struct expr *e, struct expr_ctx *x);

/* ---- between the files ---- */

int subquery_keyed_add(struct subquery *q, const struct datum *cells, struct arena *a);
void subquery_eval_keyed(const struct expr *e, struct expr_ctx *x, struct datum *out);
/* op ANY or ALL over what is known of the rows. */
void subquery_quantified(const struct expr *e, struct expr_ctx *x, const struct keyed_entry *of,
                         struct datum *out);
/* a op b, of their comparison. */
bool subquery_holds(uint8_t op, int comparison);
/* Takes a value, not NULL, into smallest and largest. False without memory. */
bool subquery_widen(enum compare_class class, const struct datum *d, struct datum *min,
                    struct datum *max, struct arena *a);
void subquery_eval_outer(const struct expr *e, struct expr_ctx *x, struct datum *out);

void subquery_eval_scalar(const struct expr *e, struct expr_ctx *x, struct datum *out);
void subquery_eval_exists(const struct expr *e, struct expr_ctx *x, struct datum *out);
void subquery_eval_in(const struct expr *e, struct expr_ctx *x, struct datum *out);
void subquery_eval_in_rows(const struct expr *e, struct expr_ctx *x, struct datum *out);
void subquery_eval_quantified(const struct expr *e, struct expr_ctx *x, struct datum *out);
