#pragma once
/*
 * The plan of a query: a tree of operators that pull batches of rows from each other, at the bottom
 * shard programs. Decides what the cores do (plan_push.c) and what is left for the gateway.
 *
 *   plan.c        bound query -> tree of operators
 *   plan_join.c   FROM: where conditions go, join keys
 *   plan_order.c  FROM: which table is joined first
 *   plan_star.c   FROM: joins along primary keys, done by the cores
 *   plan_push.c   predicates of shard programs
 *   plan_computed.c  arithmetic in aggregates
 *   plan_apply.c  subqueries run for each row
 *   plan_reduce.c semi-joins: what scans need not read
 *   plan_scan.c   groups, aggregates, order and limit that the cores can do
 *   plan_having.c groups that HAVING leaves out at the merge
 *   plan_percentile.c  percentiles of counted rows
 *   plan_window.c      window functions
 *   explain*.c    printing: explain.h
 * Synchronous; arena of the statement; constant once made.
 */
#include "sql/bind.h"
#include "storage/program.h"

struct cluster;

enum plan_kind {
    PLAN_ONE_ROW, /* one row without cells */
    PLAN_SCAN,    /* shard program over a table */
    PLAN_VIRTUAL, /* rows of an information_schema table */
    PLAN_FILTER,
    PLAN_PROJECT,
    PLAN_AGGREGATE, /* hash aggregation */
    PLAN_SORT,
    PLAN_DISTINCT,
    PLAN_LIMIT,
    PLAN_JOIN,       /* hash join, or nested loops without keys */
    PLAN_UNION,      /* children one after the other */
    PLAN_SET,        /* INTERSECT, EXCEPT of child and right */
    PLAN_PERCENTILE, /* percentiles of a column without GROUP BY: over counted rows */
    PLAN_WINDOW,     /* window functions over sorted rows */
    PLAN_TOPN,       /* topn(): value, count -> value, count, percent */
    PLAN_RECURSIVE,  /* rows of the first child, then of the second over the rows that came last */
    PLAN_WORK,       /* those rows */
    PLAN_ROLLUP,     /* each row once for every level, behind its groups */
    PLAN_APPLY,      /* subqueries run for each different row: the rows as they are */
    PLAN_KEYED,      /* a subquery run by key, for the keys of the rows: the rows as they are */
};

enum join_form { JOIN_INNER, JOIN_LEFT, JOIN_RIGHT };

struct plan_key {
    struct expr *left, *right;
    enum compare_class class;
};

struct plan_order {
    uint32_t cell;
    bool descending;
};

/* A column of a parent, or of a parent of it, that children get. */
struct plan_attribute {
    uint16_t source, source_column; /* as expressions name it */
    uint32_t cell;                  /* of the parents' rows */
    const struct column *column;
};

/* A join that the cores do: the rows of `plan`, found by their primary key. */
struct plan_parent {
    struct plan *plan;
    uint16_t column; /* of the scan's table: holds the parent's key */
    bool left;       /* rows without a parent stay */
    uint32_t key_cell;
    const struct column *key;
    struct plan_attribute *attributes; /* program_parent_ref counts them from 1 */
    uint16_t n_attributes;
};

/* What the cores compute for aggregates: program.h's values, and what each is in SQL. */
struct plan_computed {
    struct program_computed list[PROGRAM_MAX_COMPUTED];
    struct column columns[PROGRAM_MAX_COMPUTED]; /* type and scale alone */
    const struct expr *exprs[PROGRAM_MAX_COMPUTED];
    uint16_t n;
};

/* What a scan asks of the cores. The predicate is built when the scan opens, as subqueries are
 * known then. */
struct plan_scan {
    const struct schema *schema;
    const struct source *source;
    uint16_t source_number;
    struct plan_parent *parents;
    uint16_t n_parents;
    struct expr **pushed; /* conjuncts */
    uint32_t n_pushed;
    enum program_output output;
    uint16_t n_columns;
    uint16_t *columns; /* as in the program */
    uint16_t *cells;   /* where each goes in the row; NULL = in order. Others: NULL, unread */
    struct plan_computed *computed; /* NULL = nothing */
    uint16_t n_aggregates;
    struct aggregate *aggregates;
    uint16_t n_order;
    struct program_order *order;
    uint64_t limit; /* UINT64_MAX = all */
    struct expr **
        having; /* conditions of groups, each of one aggregate: the merge leaves out what does not meet them */
    uint32_t n_having;
    bool counted;      /* as in the program */
    bool count_groups; /* of one column, not NULL */
};

/* Rows of a scan matter only where its column has one of the values that an operator knows before the scan begins. */
struct plan_reduction {
    const struct plan_scan *scan;
    uint16_t column; /* of the scan's schema */
    uint32_t key;    /* which of the operator's */
    uint64_t rows;   /* of the table */
};

enum {
    PLAN_MAX_REDUCTIONS = 4, /* of one operator */
    PLAN_MAX_KEYED = 4,      /* subqueries of one condition */
};

struct plan_reductions {
    struct plan_reduction list[PLAN_MAX_REDUCTIONS];
    uint32_t n;
};

struct plan {
    enum plan_kind kind;
    uint32_t width;           /* cells of a row */
    uint32_t base;            /* slot number of the first cell, for expressions */
    struct value_type *types; /* of the cells; may be NULL below projections */
    struct plan *child, *right;
    struct plan **children; /* UNION */
    uint32_t n_children;
    uint32_t id; /* number in the statement, for EXPLAIN ANALYZE */
    union {
        struct plan_scan scan;
        const struct infoschema_table *table;
        struct {
            const uint16_t *columns; /* VIRTUAL: columns wanted */
            const struct infoschema_table *table;
        } virtual_;
        struct {
            struct expr **exprs; /* FILTER: conjuncts; PROJECT: cells; APPLY: over subqueries;
                                    ROLLUP: groups */
            uint32_t n;
        } list;
        struct {
            struct expr **groups;
            uint32_t n_groups;
            struct aggregate_call **aggregates;
            uint32_t n_aggregates;
            bool whole; /* without GROUP BY: exactly one row */
        } aggregate;
        struct {
            struct plan_order *keys;
            uint32_t n_keys;
            uint64_t limit; /* rows wanted, UINT64_MAX = all */
        } sort;
        struct {
            uint64_t count, offset;
        } limit;
        struct {
            enum join_form form;
            bool build_left; /* the hash table is made of the left side */
            struct plan_key *keys;
            uint32_t n_keys;
            struct expr **residual;
            uint32_t n_residual;
            struct plan_reductions reductions; /* of the side that probes */
        } join;
        struct {
            struct expr *node; /* over the subquery */
            struct plan_reductions reductions;
        } keyed;
        struct {
            struct expr **calls; /* EXPR_WINDOW of one order; their cells are behind the child's */
            uint32_t **cells;    /* of each call's arguments */
            uint32_t n_calls;
        } window;
        struct {
            bool except, all;
        } set;
        struct recursion *recursion;
        struct {
            struct recursion *recursion;
            const uint16_t *columns; /* WORK: those wanted */
        } work;
        struct {
            uint64_t limit;
            struct value_type value_type;
            char delim;
        } topn;
    } u;
};

struct planner {
    struct bind *bind;
    struct cluster *cluster; /* table sizes for the side of a join; may be NULL */
    bool gateway_alone;      /* joins and computations are left to the gateway */
    bool runs_again;         /* the plan may be run several times: what it knows is not kept */
    bool in_union; /* after the first branch's rows nothing can begin again: computations too */
    uint32_t n_nodes;
};

/* Plan of a query: cells are its columns. NULL with bind->error set. */
struct plan *plan_query(struct planner *p, const struct bound_query *q);
/* Plans of all subqueries of the statement whose own plan is `n`. False with the error set. */
bool plan_subqueries(struct planner *p, struct plan *n);

/* Rows of one table that satisfy the conjuncts, cells = source->used: for UPDATE and DELETE; ORDER
 * BY and LIMIT as bound in s. Cells beyond used hold order expressions. */
struct plan *plan_table_rows(struct planner *p, struct bound_select *s);

/* ---- between the files ---- */

struct plan *plan_new(struct planner *p, enum plan_kind kind, struct plan *child, uint32_t width);
struct plan *plan_from(struct planner *p, struct bound_select *s);
/* Puts the inner joins of FROM into an order that makes no products where conditions tie tables. False without memory. */
bool plan_order_joins(struct planner *p, struct bound_select *s);
uint64_t plan_sources_below(const struct join_tree *t);
/* FROM as one scan whose other tables are its parents, directly or not; *fits false: it is none. */
struct plan *plan_star(struct planner *p, struct bound_select *s, bool *fits);
/* The scan of a parent's own table. */
const struct plan_scan *plan_parent_scan(const struct plan_parent *r);
/* The column that a reference of the scan's program means. */
const struct column *plan_scan_column(const struct plan_scan *s, uint16_t ref);
/* The columns of a source that expressions above its scan read, into needed[] by column. */
void plan_needed(struct bound_select *s, uint16_t source, bool *needed);
void plan_needed_by(struct expr *const *list, uint32_t n, uint16_t source, bool *needed);
/* The child, or rows of it for which the subqueries of the expressions that depend on each row have been run. */
struct plan *plan_apply(struct planner *p, struct plan *child, struct expr *const *exprs,
                        uint32_t n, struct aggregate_call *const *aggregates,
                        uint32_t n_aggregates);
bool plan_runs_per_row(struct expr *e); /* is one of its subqueries such? */
/* Rows of the child, for whose keys the subqueries of the condition have been run; does the condition have some that are
 * better run so? */
struct plan *plan_keyed(struct planner *p, struct plan *child, struct expr *cond);
bool plan_waits_for_keys(const struct planner *p, struct expr *e);
/* The scans that the keys of a join, or of the subqueries of PLAN_KEYED in a finished plan, reduce. */
void plan_reduce_join(const struct planner *p, const struct bound_select *s, struct plan *n);
void plan_reduce_subqueries(const struct planner *p, struct plan *n);
uint64_t plan_sources_of(struct expr *e); /* bits of the sources it reads */
struct plan *plan_filter(struct planner *p, struct plan *child, struct expr **conds, uint32_t n);
/* The column of a plain column expression of the scan's table or its parents, NULL when it is none; *position: as in
 * the program. */
const struct column *plan_plain_column(const struct plan_scan *scan, const struct expr *e,
                                       uint16_t *position);
/* The same for + - * over such columns and constants, which the cores can compute: added to *c. False: they cannot. */
bool plan_compute(const struct plan_scan *scan, struct plan_computed *c, const struct expr *e,
                  uint16_t *position);
/* SQL's value of a column's canonical integer: integers, decimals, times. */
void plan_canonical_datum(const struct column *c, int64_t v, struct datum *d);
/* Percentiles of one column over all rows, which the cores count: false when the aggregates are others. */
bool plan_push_percentiles(struct planner *p, const struct bound_select *s, struct plan **from);
/* Computes the window functions of the items from rows of `n`. NULL without memory. */
struct plan *plan_windows(struct planner *p, const struct bound_select *s, struct plan *n);
/* Rows that LIMIT and OFFSET look at; UINT64_MAX = all. */
uint64_t plan_rows_wanted(uint64_t limit, uint64_t offset);
/* A scan that nothing was added to. */
bool plan_is_plain_scan(const struct plan *n);
/* The cores do groups and aggregates, DISTINCT, or order and limit when they can. */
bool plan_push_groups(struct planner *p, struct bound_select *s, struct plan **from);
bool plan_push_distinct(struct planner *p, const struct bound_select *s, struct plan *from);
bool plan_push_order(struct planner *p, const struct bound_select *s, struct plan *from);

/*
 * Predicate of a shard program equivalent to "the expression is TRUE". False when it cannot be one.
 * With `dry` unfinished subqueries count as known values of their type and *out is not set.
 */
bool plan_push_predicate(struct arena *a, struct expr *e, const struct source *source, bool dry,
                         const struct predicate **out);
/* The same of a MATCH, or of its negation. */
bool plan_push_match(struct arena *a, const struct expr *e, const struct source *source,
                     bool negate, bool dry, struct predicate **out);
/* The value of a constant, of the row outside or of a finished subquery. False when it is neither; dry: a placeholder. */
bool plan_known_value(const struct expr *e, bool dry, struct datum *d, bool *placeholder);
/* op of a comparison whose sides have changed places */
uint8_t plan_mirrored(uint8_t op);
/* The column's canonical integers for which "value op d" is TRUE, or some more: ends of int64_t stand for all beyond. */
void plan_compare_range(const struct column *c, uint8_t op, enum compare_class class,
                        const struct datum *d, int64_t *lo, int64_t *hi);
/* What of HAVING the merge of the scan's groups can do. It is done here, too. False without memory. */
bool plan_push_having(struct planner *p, const struct bound_select *s, struct plan_scan *scan);
/* The same with the values that are known when the scan opens. False without memory. */
bool plan_scan_having(struct arena *a, const struct plan_scan *s, const struct program_having **out,
                      uint16_t *n);
/* All conjuncts of a scan; NULL = all rows. False without memory. */
bool plan_scan_predicate(struct arena *a, const struct plan_scan *s, const struct predicate **out);
