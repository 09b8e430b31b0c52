/* Queries of temporary tables: the scan of their slot, a block at a time, and the merge of what it gives. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/cluster_ops.h"
#include "rpc/refuse.h"
#include "rpc/temporary.h"
#include "storage/merge.h"

enum {
    TURN_WORK = 1250, /* as in local_scan.c */
    BATCH_ROWS = 1024,
    MERGED_ROWS = 4096,
};

enum query_stage {
    QUERY_IDLE,    /* waits for cluster_query_next */
    QUERY_GATHER,  /* a next is owed */
    QUERY_ANSWER,  /* on_next is queued */
    QUERY_CLOSING, /* on_closed is queued */
};

/* Owner: the core of the table; freed when on_closed runs. The caller keeps the definition. */
struct temporary_query {
    struct cluster_query_impl impl; /* first */
    struct cluster_query *query;
    struct reactor *reactor;
    enum query_stage stage;
    struct slot *slot;
    struct scan *scan;
    struct merge *merge; /* NULL: rows as they are found */
    uint64_t below;      /* groups with smaller hashes are in the merge */
    uint64_t rows_left;
    struct task task;
    bool has_ended, failed;
    struct error_info error;
    struct cluster_leg_stats stats;
};

static void answer(struct temporary_query *op, enum cluster_query_state state)
{
    if (op->scan)
        op->stats.scan = *scan_stats(op->scan);
    op->query->state = state;
    op->stage = QUERY_ANSWER;
    reactor_task(op->reactor, &op->task, TASK_IO);
}

static void answer_error(struct temporary_query *op)
{
    op->failed = true;
    op->query->error = op->error;
    answer(op, CLUSTER_ERROR);
}

/* READY: *out is there, or the scan has ended. PENDING: goes on later, or failed and answered. */
static enum step scan_on(struct temporary_query *op, uint32_t rows, struct batch *out)
{
    switch (scan_run(op->scan, TURN_WORK, rows, out)) {
    case SCAN_BATCH:
        return STEP_READY;
    case SCAN_END:
        op->has_ended = true;
        return STEP_READY;
    case SCAN_AGAIN:
        reactor_task(op->reactor, &op->task, TASK_BULK);
        return STEP_PENDING;
    case SCAN_ERROR:
        op->error = *scan_error(op->scan);
        answer_error(op);
        return STEP_PENDING;
    case SCAN_WAIT: /* all blocks are in memory */
    case SCAN_WHOLE:
        break;
    }
    ASSERT(false);
    return STEP_PENDING;
}

static void gather_rows(struct temporary_query *op)
{
    struct batch *b = &op->query->batch;

    if (op->has_ended || !op->rows_left) {
        answer(op, CLUSTER_END);
        return;
    }
    if (scan_on(op, BATCH_ROWS, b) == STEP_PENDING)
        return;
    if (op->has_ended) {
        answer(op, CLUSTER_END);
        return;
    }
    if (b->rows > op->rows_left)
        b->rows = (uint32_t)op->rows_left;
    op->rows_left -= b->rows;
    answer(op, CLUSTER_BATCH);
}

static void merge_failed(struct temporary_query *op, int rc)
{
    error_set(&op->error, rc, rc == -ENOMEM ? 1038 : 0, "merging the partial results failed: %s",
              rc == -ENOMEM ? "the memory of the statement or of its core is spent; raise --memory"
                            : strerror(-rc));
    answer_error(op);
}

/* One more partial goes into the merge. */
static void gather_partial(struct temporary_query *op)
{
    struct batch b;

    if (scan_on(op, MERGED_ROWS, &b) == STEP_PENDING)
        return;
    if (!op->has_ended && merge_add(op->merge, &b, &op->error) != 0) {
        answer_error(op);
        return;
    }
    op->below = op->has_ended ? MERGE_ALL : scan_below(op->scan);
    reactor_task(op->reactor, &op->task, TASK_BULK);
}

static void gather_merged(struct temporary_query *op)
{
    int rc = merge_next(op->merge, MERGED_ROWS, op->below, &op->query->batch);

    if (rc == 1) {
        op->query->below = merge_below(op->merge);
        answer(op, CLUSTER_BATCH);
    } else if (rc == -EAGAIN) {
        reactor_task(op->reactor, &op->task, TASK_BULK);
    } else if (rc) {
        merge_failed(op, rc);
    } else if (op->has_ended) {
        answer(op, CLUSTER_END);
    } else {
        gather_partial(op);
    }
}

static void gather(struct temporary_query *op)
{
    uint64_t deadline = op->query->deadline_ns;

    if (!op->failed && deadline && reactor_now_ns(op->reactor) > deadline) {
        error_set(&op->error, -ETIMEDOUT, 3024,
                  "Query execution was interrupted, maximum statement execution time exceeded");
        op->failed = true;
    }
    if (op->failed)
        answer_error(op);
    else if (op->merge)
        gather_merged(op);
    else
        gather_rows(op);
}

static void closed(struct temporary_query *op)
{
    struct cluster_query *q = op->query;

    merge_free(op->merge);
    if (op->scan)
        scan_free(op->scan);
    free(op);
    q->impl = NULL;
    q->on_closed(q);
}

static void task_run(struct task *t)
{
    struct temporary_query *op =
        (struct temporary_query *)((char *)t - offsetof(struct temporary_query, task));

    switch (op->stage) {
    case QUERY_GATHER:
        gather(op);
        break;
    case QUERY_ANSWER:
        op->stage = QUERY_IDLE;
        op->query->on_next(op->query);
        break;
    case QUERY_CLOSING:
        closed(op);
        break;
    case QUERY_IDLE:
        break;
    }
}

static void query_next(struct cluster_query *q)
{
    struct temporary_query *op = q->impl;

    ASSERT(op->stage == QUERY_IDLE);
    op->stage = QUERY_GATHER;
    reactor_task(op->reactor, &op->task, TASK_BULK);
}

static void query_close(struct cluster_query *q)
{
    struct temporary_query *op = q->impl;

    op->stage = QUERY_CLOSING;
    reactor_task(op->reactor, &op->task, TASK_IO);
}

static const struct cluster_ops ops = {.query_next = query_next, .query_close = query_close};

static int open_scan(struct temporary_query *op)
{
    const struct cluster_query *q = op->query;
    struct budget *budget = reactor_budget(op->reactor);
    int rc =
        scan_new(q->program, q->schema, &op->slot, 1, budget, &op->task, &op->scan, &op->error);

    if (rc)
        return rc;
    scan_share(op->scan, q->program->shares ? q->program->shares : 1);
    if (q->program->output == OUTPUT_GROUPS || q->program->n_order)
        rc = merge_new(q->program, q->schema, budget, &op->merge);
    return rc ? error_set(&op->error, rc, 1037, "out of memory at the start of a query") : 0;
}

void temporary_query_start(struct cluster_query *q)
{
    struct temporary_query *op = calloc(1, sizeof *op);

    if (!op) {
        refuse_query(q);
        return;
    }
    op->impl.ops = &ops;
    op->query = q;
    op->reactor = reactor_self();
    op->task.run = task_run;
    op->slot = temporary_slot(q->schema);
    op->rows_left = q->program->limit;
    q->impl = op;
    q->stats = NULL;
    q->n_stats = 0;
    if (q->program->analyze) {
        snprintf(op->stats.where, sizeof op->stats.where, "session");
        q->stats = &op->stats;
        q->n_stats = 1;
    }
    op->failed = open_scan(op) != 0;
}
