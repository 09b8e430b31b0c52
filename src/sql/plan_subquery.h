#pragma once
/*
 * Uncorrelated subqueries: planned with the statement, run before the query that uses them, their
 * rows kept here. Owner: the statement; memory from its arena and budget.
 */
#include "sql/expr.h"
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

struct subquery {
    struct subquery *next; /* of the statement, inner ones first */
    enum subquery_use use;
    struct bound_query *query;
    struct plan *plan;
    enum compare_class class; /* IN: how members are compared */
    char delim;               /* IN: the rows are of a multi-valued column; 0 = they are not */
    bool done;
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

void subquery_eval_scalar(const struct expr *e, struct expr_ctx *x, struct datum *out);
void subquery_eval_exists(const struct expr *e, struct expr_ctx *x, struct datum *out);
void subquery_eval_in(const struct expr *e, struct expr_ctx *x, struct datum *out);
void subquery_eval_in_rows(const struct expr *e, struct expr_ctx *x, struct datum *out);
void subquery_eval_quantified(const struct expr *e, struct expr_ctx *x, struct datum *out);
