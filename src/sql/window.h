#pragma once
/*
 * Window functions: what a call asks for (bind_window.c), and how frames and aggregates over them are found
 * (window_frame.c, window_aggregate.c) for the operator exec_window.c, which has the rows of a partition in order.
 *
 * Owner: the statement.
 */
#include "sql/aggregate.h"
#include "sql/expr.h"

enum window_op {
    WINDOW_ROW_NUMBER,
    WINDOW_RANK,
    WINDOW_DENSE_RANK,
    WINDOW_PERCENT_RANK,
    WINDOW_CUME_DIST,
    WINDOW_NTILE,
    WINDOW_LAG,
    WINDOW_LEAD,
    WINDOW_FIRST_VALUE,
    WINDOW_LAST_VALUE,
    WINDOW_NTH_VALUE,
    WINDOW_AGGREGATE, /* of `aggregate` */
};

struct window_bound {
    enum sql_bound_kind kind;
    uint64_t rows;            /* ROWS: how many */
    int32_t key;              /* RANGE: argument with the order's value so far away; -1 = none */
    enum compare_class class; /* of both */
};

/*
 * Arguments of the expression: those of the function (LAG and LEAD: value, default), n_partition of
 * PARTITION BY, n_order of ORDER BY, then the keys of bounds.
 */
struct window_call {
    enum window_op op;
    struct aggregate_call *aggregate; /* its args are the expression's */
    bool is_range;
    struct window_bound from, to;
    uint32_t n_values, n_partition, n_order;
    const bool *descending; /* by key of ORDER BY */
    uint64_t offset;        /* LAG, LEAD: rows; NTILE: parts; NTH_VALUE: which, from 1 */
    uint32_t slot;          /* set when the query is planned */
};

/* Name of a function to its op: 0 or -ENOENT; aggregates are not among them. */
int window_find(const char *name, enum window_op *op);
const char *window_name(const struct window_call *w);
/* The same but for their arguments. */
bool window_is_equal(const struct window_call *a, const struct window_call *b);
/* Same PARTITION BY and ORDER BY: the same rows in the same order. Both are EXPR_WINDOW. */
bool window_has_same_order(const struct expr *a, const struct expr *b);

/* ---- rows of partitions, in order ---- */

enum { WINDOW_CHUNK = 512 };

struct window_chunk {
    struct datum *cells;          /* WINDOW_CHUNK rows */
    uint32_t first[WINDOW_CHUNK]; /* of the row's peers: equal in ORDER BY */
    uint32_t end[WINDOW_CHUNK];   /* after the last of the peers; right for the first of them */
};

/* Owner: the operator. */
struct window_rows {
    struct window_chunk **chunks;
    uint32_t n_chunks, cap_chunks, n, width;
    uint32_t start, end; /* the partition at work */
};

static inline struct datum *window_row(const struct window_rows *r, uint32_t i)
{
    return r->chunks[i / WINDOW_CHUNK]->cells + (size_t)(i % WINDOW_CHUNK) * r->width;
}
static inline uint32_t window_first_peer(const struct window_rows *r, uint32_t i)
{
    return r->chunks[i / WINDOW_CHUNK]->first[i % WINDOW_CHUNK];
}
static inline uint32_t window_end_of_peers(const struct window_rows *r, uint32_t i)
{
    uint32_t first = window_first_peer(r, i);

    return r->chunks[first / WINDOW_CHUNK]->end[first % WINDOW_CHUNK];
}

/* ---- aggregates over frames ---- */

/* An aggregate of some rows that can be merged with that of others. */
struct window_part {
    uint64_t count;
    union {
        struct datum sum;
        struct {
            double mean, m2;
        } spread;
        uint64_t bits;
        uint32_t row; /* MIN, MAX, ANY */
    };
};

enum { WINDOW_FAN = 16, WINDOW_MAX_LEVELS = 8 };

/* Parts of 16 rows each, of 16 of these each, and so on. Memory: the operator's, until the partition is done. */
struct window_tree {
    struct window_part *levels[WINDOW_MAX_LEVELS];
    uint32_t n[WINDOW_MAX_LEVELS]; /* parts */
    uint32_t n_levels, built;      /* built: parts of the last level */
    bool is_done;
};

/* A call at work on a partition. */
struct window_run {
    const struct expr *expr;
    const struct window_call *call;
    const uint32_t *cells; /* of the expression's arguments */
    uint32_t at;           /* row at work */
    uint32_t lo, hi;       /* of the frame; RANGE with keys: how far the search has come */
    uint64_t rank;         /* DENSE_RANK */
    struct window_part part;
    uint32_t part_from, part_to; /* rows in it */
    struct window_tree tree;
    uint32_t work; /* rows that may still be looked at in this turn */
};

/* The frame of row run->at into lo, hi. False when the turn ends before it is found. */
bool window_find_frame(const struct window_rows *r, struct window_run *run);
/* The aggregate over rows lo to hi: 1, 0 when the turn ends before, -ENOMEM; errors are in x. */
int window_aggregate(const struct window_rows *r, struct window_run *run, struct expr_ctx *x,
                     struct arena *a, struct datum *out);
