#pragma once
/*
 * Execution of plans: operators pull rowsets from each other; when data has to be waited for the
 * whole pull answers PENDING and is repeated after exec->resume was called.
 *
 *   exec.c            life of an execution, dispatch, subqueries
 *   exec_scan.c       shard programs (cluster_query), information_schema
 *   exec_parents.c    parents of a scan whose joins the cores do
 *   exec_simple.c     filter, project, limit, union, one row
 *   exec_aggregate.c  hash aggregation
 *   exec_distinct.c   distinct
 *   exec_sort.c       sort, top-n
 *   exec_join.c       hash join
 *   exec_window.c     window functions
 *   exec_set.c        INTERSECT, EXCEPT
 *   exec_recursive.c  WITH RECURSIVE; recursive_seen.c: rows it has given
 *   exec_rollup.c     WITH ROLLUP
 *   exec_apply.c      subqueries run for each row
 *   exec_keyed.c      subqueries run for the keys of the rows outside
 *   exec_reduce.c     values that scans are reduced to
 *   exec_topn.c       topn()
 *   exec_percentile.c percentiles of counted rows
 *   spill.c, spill_parts.c, spill_pairs.c  rows in a temporary file, for the operators above
 * Each operator works a bounded time per call and asks to be called again (exec_yield).
 * Owner: the statement, on the core of its connection. Memory: arenas charged to the statement's
 * budget.
 */
#include "reactor/arena.h"
#include "reactor/budget.h"
#include "reactor/reactor.h"
#include "rpc/cluster.h"
#include "sql/expr.h"
#include "sql/gateway_session.h"
#include "sql/plan.h"
#include "sql/rowset.h"

enum exec_state { EXEC_ROWS, EXEC_PENDING, EXEC_END, EXEC_ERROR };

struct exec_op;
struct exec_reducer;
struct spill;
struct spill_space;

/* Figures of a scan, for EXPLAIN ANALYZE. Owner: the statement's arena. */
struct exec_scan_stats {
    struct exec_scan_stats *next;
    uint32_t plan_id;
    const struct program *program;
    uint32_t n_legs;
    struct cluster_leg_stats *legs;
};

enum { EXEC_MAX_STEPS = 128 };

/* What an operator gave and when, for EXPLAIN ANALYZE. Owner: the statement's arena. */
struct exec_step {
    uint64_t rows, loops, first_call_ns, first_row_ns, last_ns;
    bool was_called, has_rows;
};

/* One execution. Owner: the statement. */
struct exec {
    struct reactor *reactor;
    struct cluster *cluster;
    struct gateway_session *session;
    struct catalog *catalog; /* a reference; what the session sees, temporary tables included */
    struct catalog *listed;  /* a reference; what information_schema tells of */
    struct arena *arena;     /* of the statement */
    struct budget *budget;   /* of the statement */
    uint64_t sleep_ns;       /* asked for by SLEEP() and not waited for yet */
    struct mysql_error *error;
    int64_t now_us;
    uint64_t deadline_ns;
    bool analyze;
    bool too_large_for_cores;    /* an error of a join or a computation that they should do */
    struct subquery *subqueries; /* to run first */
    struct exec_op *subquery_op;
    struct exec_reducer *reducers; /* of scans that have not begun */
    uint32_t open_queries;         /* cluster queries whose on_closed has not come */
    uint32_t work;                 /* batches since the last time the loop had its turn */
    void (*resume)(
        struct exec
            *x); /* called, at most once per PENDING, when a pull may get further; also when the
                                       last cluster query has closed */
    void *ctx;
    struct task task; /* for exec_yield */
    bool waiting;
    struct spill *spill;             /* what operators put aside, once one did */
    struct spill_space *spill_space; /* of the core; NULL = nothing can be put aside */
    struct exec_scan_stats *stats;
    uint32_t n_stats;        /* at most EXEC_MAX_STEPS */
    struct exec_step *steps; /* [EXEC_MAX_STEPS] by plan id; NULL: nobody asks */
};

void exec_init(struct exec *x);

/* Runs subqueries that have not run: EXEC_END when all are done, PENDING, ERROR. */
enum exec_state exec_run_subqueries(struct exec *x);

/* Makes the operators of a plan; closes what was opened on an error. NULL with the error set. */
struct exec_op *exec_open(struct exec *x, const struct plan *p);
enum exec_state exec_next(struct exec_op *op, struct rowset *out);
/* Ends the operators and cancels their queries; frees their memory but for embedded cluster
 * queries, which live in the statement's arena until open_queries is 0. */
void exec_close(struct exec_op *op);

/* A context for evaluating expressions over rows of a plan. */
void exec_expr_ctx(struct exec *x, struct expr_ctx *ctx, struct arena *scratch);

/* True: enough for this turn; PENDING should be answered, resume will come from the loop. */
bool exec_yield(struct exec *x);
/* Something arrived: resume the pull, from the loop. */
void exec_wake(struct exec *x);

/* Error for spent memory: EXEC_ERROR. */
enum exec_state exec_no_memory(struct exec *x, const char *what);

/* ---- for the operators ---- */

struct exec_op {
    const struct plan *plan;
    struct exec *x;
    struct exec_op *child, *right;
    struct arena arena;           /* what the operator collects */
    struct arena scratch;         /* results of expressions for one batch */
    void *state;                  /* of the operator, in the statement's arena */
    struct exec_parents *parents; /* SCAN with joins; in the statement's arena */
    uint32_t room, cleared;       /* rows, by exec_cells_for */
};

/* A zeroed state and room for ROWSET_ROWS rows of the plan's width. */
struct datum *exec_cells(struct exec_op *op, uint32_t width);
/*
 * Room in *cells (NULL at first) for so many rows, at most ROWSET_ROWS; zeroed where it was not asked for before. Most
 * statements have few rows, so room for more is made when they come. The rows given before are lost. False: no memory,
 * which the statement's error says.
 */
bool exec_cells_for(struct exec_op *op, struct datum **cells, uint32_t rows, uint32_t width);

/* For EXPLAIN ANALYZE: an operator is asked for rows; rows given by one. */
void exec_note_call(struct exec_op *op);
void exec_count_rows(struct exec_op *op, uint32_t n);

enum exec_state exec_scan_next(struct exec_op *op, struct rowset *out);
/* Rows [from, from + n) of a scan's answer, whose columns are the scan's. Valid until the next call. */
struct exec_piece {
    const struct batch *batch;
    uint32_t from, n; /* from: a multiple of 64; n: at most ROWSET_ROWS */
};
/* Instead of exec_next, for who reads columns. */
enum exec_state exec_scan_next_piece(struct exec_op *op, struct exec_piece *out);
void exec_scan_close(struct exec_op *op);
/* Collects the rows of all parents of a scan: END when they are there. */
enum exec_state exec_parents_collect(struct exec_op *op);
/* Puts the collected parents into the program; they live as long as the statement's arena. */
void exec_parents_join(struct exec_op *op, struct program *p);
void exec_parents_close(struct exec_op *op);
/* Bytes of the collected parents. */
size_t exec_parents_bytes(const struct exec_op *op);
/* The scan of a reduction has to find only rows with one of the values, which are put in order; it finds all where these
 * are too many. */
void exec_reduce(struct exec_op *op, const struct plan_reduction *to, int64_t *values, uint32_t n);
/* What the owner said before does not hold any more. */
void exec_reduce_forget(struct exec *x, const struct plan *owner);
/* Puts the values for a scan into its program. False without memory. */
bool exec_reduce_program(struct exec_op *op, struct program *p);
enum exec_state exec_virtual_next(struct exec_op *op, struct rowset *out);
enum exec_state exec_one_row_next(struct exec_op *op, struct rowset *out);
enum exec_state exec_filter_next(struct exec_op *op, struct rowset *out);
enum exec_state exec_project_next(struct exec_op *op, struct rowset *out);
enum exec_state exec_limit_next(struct exec_op *op, struct rowset *out);
enum exec_state exec_union_next(struct exec_op *op, struct rowset *out);
void exec_union_close(struct exec_op *op);
enum exec_state exec_aggregate_next(struct exec_op *op, struct rowset *out);
void exec_aggregate_close(struct exec_op *op);
enum exec_state exec_distinct_next(struct exec_op *op, struct rowset *out);
void exec_distinct_close(struct exec_op *op);
enum exec_state exec_sort_next(struct exec_op *op, struct rowset *out);
void exec_sort_close(struct exec_op *op);
enum exec_state exec_join_next(struct exec_op *op, struct rowset *out);
void exec_join_close(struct exec_op *op);
enum exec_state exec_window_next(struct exec_op *op, struct rowset *out);
void exec_window_close(struct exec_op *op);
enum exec_state exec_set_next(struct exec_op *op, struct rowset *out);
void exec_set_close(struct exec_op *op);
enum exec_state exec_recursive_next(struct exec_op *op, struct rowset *out);
void exec_recursive_close(struct exec_op *op);
enum exec_state exec_work_next(struct exec_op *op, struct rowset *out);
void exec_work_close(struct exec_op *op);
enum exec_state exec_rollup_next(struct exec_op *op, struct rowset *out);
enum exec_state exec_keyed_next(struct exec_op *op, struct rowset *out);
void exec_keyed_close(struct exec_op *op);
enum exec_state exec_apply_next(struct exec_op *op, struct rowset *out);
void exec_apply_close(struct exec_op *op);
enum exec_state exec_topn_next(struct exec_op *op, struct rowset *out);
enum exec_state exec_percentile_next(struct exec_op *op, struct rowset *out);
