/*
 * Home core of a query over the slots of this process: one leg per core, each lent with a command (next, close) and
 * returned with a batch, the end or an error. The scan stays on the core that owns the slots; its batch is read here
 * before the leg is lent again.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/local.h"
#include "rpc/local_load.h"
#include "rpc/local_scan.h"
#include "rpc/refuse.h"
#include "storage/merge.h"
#include "storage/scan_key.h"

enum query_stage {
    QUERY_IDLE,    /* waits for cluster_query_next */
    QUERY_GATHER,  /* a next is owed; waits for legs */
    QUERY_ANSWER,  /* on_next is queued */
    QUERY_CLOSING, /* waits for all legs to come home with their scans freed */
};

enum { QUERY_BATCH_ROWS = 1024, QUERY_MERGED_ROWS = 4096 };

struct query_op { /* owner: the home core; freed when on_closed has run */
    struct cluster_query_impl impl;
    struct local *local;
    struct cluster_query *query;
    enum query_stage stage;
    bool merging;   /* GROUPS and ordered rows */
    bool piecewise; /* groups came in batches */
    bool uniting;   /* legs read the groups of all cores */
    struct merge *merge;
    struct task task;              /* runs on_next or on_closed from the loop */
    atomic_bool cancelled;         /* read by the shard cores between blocks */
    uint64_t rows_left;            /* unordered rows with a limit */
    unsigned cores, lent, running; /* legs; out; whose scan has not ended */
    struct error_info error;
    bool failed;
    struct cluster_leg_stats *stats;
    uint8_t *small;         /* of the legs */
    struct scan_leg legs[]; /* one per core */
};

static void query_dispatch(struct query_op *op);

static void lend(struct query_op *op, struct scan_leg *l, enum scan_command command)
{
    l->command = command;
    l->state = SCAN_LEG_LENT;
    l->out = true;
    op->lent++;
    leg_send(op->local->reactor, &l->leg, (unsigned)(l - op->legs), LEG_REQUEST);
}

static void fail(struct query_op *op, const struct error_info *error)
{
    if (!op->failed)
        op->error = *error;
    op->failed = true;
    atomic_store_explicit(&op->cancelled, true, memory_order_relaxed);
}

/* Groups with smaller hashes have come from all cores. */
static uint64_t least_below(const struct query_op *op)
{
    uint64_t least = MERGE_ALL;

    for (unsigned i = 0; i < op->cores; i++) {
        const struct scan_leg *l = &op->legs[i];
        bool ended = !l->out && (l->state == SCAN_LEG_END || l->state == SCAN_LEG_ERROR);
        if (!ended && l->passed < least)
            least = l->passed;
    }
    return least;
}

/* Scans whose partial has been taken go on as the merge wants them. */
static void lend_wanted(struct query_op *op)
{
    uint64_t least = least_below(op);

    for (unsigned i = 0; i < op->cores; i++) {
        struct scan_leg *l = &op->legs[i];
        if (!l->out && l->state == SCAN_LEG_TAKEN && merge_wants(op->merge, l->passed, least))
            lend(op, l, SCAN_NEXT);
    }
}

/* A partial goes into the merge at once, and the scan may go on. */
static void take_partial(struct query_op *op, struct scan_leg *l)
{
    struct error_info err;

    local_spare_statements(op->local);
    int rc = op->uniting ? merge_add_share(op->merge, &l->batch, &err)
                         : merge_add(op->merge, &l->batch, &err);

    if (rc) {
        fail(op, &err);
        return;
    }
    l->state = l->last ? SCAN_LEG_END : SCAN_LEG_TAKEN;
    op->running -= l->last && op->stage != QUERY_CLOSING;
    l->passed = l->below;
    op->piecewise = true;
    if (op->stage != QUERY_CLOSING)
        lend_wanted(op);
}

/* Every core merges a part of what lies on all of them. */
static void unite(struct query_op *op, unsigned parts)
{
    unsigned part = 0;

    op->uniting = true;
    /* What needs no order comes as rows that are handed on. */
    op->merging = op->query->program->n_order || op->query->program->count_groups;
    for (unsigned i = 0; i < op->cores; i++) {
        struct scan_leg *l = &op->legs[i];
        if (l->state != SCAN_LEG_WHOLE)
            continue;
        l->all = op->legs;
        l->n_all = op->cores;
        l->part = part++;
        l->parts = parts;
        lend(op, l, SCAN_UNITE);
    }
}

/* Groups stay where they are when they lie so on all cores; else those that do are asked for in batches. */
static void settle_whole(struct query_op *op)
{
    unsigned whole = 0, ended = 0;

    for (unsigned i = 0; i < op->cores; i++) {
        whole += !op->legs[i].out && op->legs[i].state == SCAN_LEG_WHOLE;
        ended += !op->legs[i].out && op->legs[i].state == SCAN_LEG_END;
    }
    if (!whole || op->failed || op->stage == QUERY_CLOSING)
        return;
    if (!op->piecewise && whole + ended == op->cores)
        unite(op, whole);
    for (unsigned i = 0; i < op->cores && op->piecewise; i++) {
        struct scan_leg *l = &op->legs[i];
        if (!l->out && l->state == SCAN_LEG_WHOLE)
            lend(op, l, SCAN_UNFOLD);
    }
}

static void leg_home(struct leg *leg)
{
    struct scan_leg *l = (struct scan_leg *)leg;
    struct query_op *op = l->op;

    op->lent--;
    l->out = false;
    if (op->stats)
        op->stats[l - op->legs].scan = l->stats;
    if (l->state == SCAN_LEG_ERROR)
        fail(op, &l->error);
    if (op->stage != QUERY_CLOSING && (l->state == SCAN_LEG_END || l->state == SCAN_LEG_ERROR))
        op->running--;
    if (l->state == SCAN_LEG_BATCH && op->merging && !op->failed)
        take_partial(op, l);
    settle_whole(op);
    query_dispatch(op);
}

static void answer(struct query_op *op, enum cluster_query_state state)
{
    op->query->state = state;
    op->stage = QUERY_ANSWER;
    reactor_task(op->local->reactor, &op->task, TASK_IO);
}

static void answer_error(struct query_op *op)
{
    op->query->error = op->error;
    answer(op, CLUSTER_ERROR);
}

static void answer_end(struct query_op *op)
{
    answer(op, CLUSTER_END);
}

static void gather_merged(struct query_op *op)
{
    local_spare_statements(op->local);
    int rc = merge_next(op->merge, QUERY_MERGED_ROWS, least_below(op), &op->query->batch);

    if (rc == 1) {
        op->query->below = merge_below(op->merge);
        answer(op, CLUSTER_BATCH);
        lend_wanted(op);
    } else if (rc == -EAGAIN) {
        reactor_task(op->local->reactor, &op->task, TASK_BULK);
    } else if (!rc && !op->running) {
        answer_end(op);
    } else if (!rc) {
        lend_wanted(op);
    } else {
        error_set(&op->error, rc, rc == -ENOMEM ? 1038 : 0,
                  "merging the partial results failed: %s",
                  rc == -ENOMEM
                      ? "the memory of the statement or of its core is spent; raise --memory"
                      : strerror(-rc));
        op->failed = true;
        answer_error(op);
    }
}

/* A leg that stands at home with a batch, from the one after the last answered on: all cores get their turn. */
static struct scan_leg *find_batch(struct query_op *op)
{
    for (unsigned i = 0; i < op->cores; i++)
        if (!op->legs[i].out && op->legs[i].state == SCAN_LEG_BATCH)
            return &op->legs[i];
    return NULL;
}

static void gather_rows(struct query_op *op)
{
    struct scan_leg *l = op->rows_left ? find_batch(op) : NULL;

    if (l) {
        l->state = l->last ? SCAN_LEG_END : SCAN_LEG_TAKEN;
        op->running -= l->last;
        op->query->batch = l->batch;
        if (op->query->batch.rows > op->rows_left)
            op->query->batch.rows = (uint32_t)op->rows_left;
        op->rows_left -= op->query->batch.rows;
        answer(op, CLUSTER_BATCH);
    } else if (!op->running || !op->rows_left) {
        answer_end(op);
    }
}

static void free_op(struct query_op *op)
{
    struct cluster_query *q = op->query;

    merge_free(op->merge);
    free(op->stats);
    free(op->small);
    free(op);
    q->impl = NULL;
    q->on_closed(q);
}

/* Legs that came home with a scan go out once more to have it freed, when no other reads its groups. */
static void close_legs(struct query_op *op)
{
    if (op->uniting && op->lent)
        return;
    op->uniting = false;
    for (unsigned i = 0; i < op->cores; i++) {
        struct scan_leg *l = &op->legs[i];
        if (!l->out && l->scan)
            lend(op, l, SCAN_CLOSE);
    }
    if (!op->lent && !op->task.queued)
        reactor_task(op->local->reactor, &op->task, TASK_IO);
}

static void query_dispatch(struct query_op *op)
{
    if (op->stage == QUERY_GATHER) {
        if (op->failed)
            answer_error(op);
        else if (op->merging)
            gather_merged(op);
        else
            gather_rows(op);
    }
    if (op->stage == QUERY_CLOSING)
        close_legs(op);
}

static void task_run(struct task *t)
{
    struct query_op *op = (struct query_op *)((char *)t - offsetof(struct query_op, task));

    if (op->stage == QUERY_CLOSING) {
        if (!op->lent)
            free_op(op);
        return;
    }
    if (op->stage == QUERY_GATHER) { /* there is more to merge */
        query_dispatch(op);
        return;
    }
    ASSERT(op->stage == QUERY_ANSWER);
    op->stage = QUERY_IDLE;
    op->query->on_next(op->query);
}

void local_query_next(struct cluster_query *q)
{
    struct query_op *op = q->impl;

    ASSERT(op->stage == QUERY_IDLE);
    op->stage = QUERY_GATHER;
    for (unsigned i = 0; i < op->cores && !op->failed; i++) {
        struct scan_leg *l = &op->legs[i];
        if (l->out)
            continue;
        if (l->state == SCAN_LEG_NEW ||
            (l->state == SCAN_LEG_TAKEN && !op->merging && op->rows_left))
            lend(op, l, SCAN_NEXT);
    }
    query_dispatch(op);
}

void local_query_close(struct cluster_query *q)
{
    struct query_op *op = q->impl;

    ASSERT(op->stage != QUERY_CLOSING);
    op->stage = QUERY_CLOSING;
    atomic_store_explicit(&op->cancelled, true, memory_order_relaxed);
    query_dispatch(op);
}

static struct query_op *op_new(struct local *l, struct cluster_query *q)
{
    unsigned cores = l->node->cores;
    struct query_op *op = calloc(1, sizeof(*op) + cores * sizeof(op->legs[0]));

    if (!op)
        return NULL;
    op->small = malloc((size_t)cores * SCAN_LEG_SMALL);
    if (!op->small) {
        free(op);
        return NULL;
    }
    op->impl.ops = &local_ops;
    op->local = l;
    op->query = q;
    op->cores = op->running = cores;
    op->task.run = task_run;
    op->merging = q->program->output == OUTPUT_GROUPS || q->program->n_order;
    op->rows_left = q->program->limit;
    for (unsigned i = 0; i < cores; i++) {
        op->legs[i].op = op;
        op->legs[i].small = op->small + (size_t)i * SCAN_LEG_SMALL;
        op->legs[i].leg.run = scan_leg_run;
        op->legs[i].leg.done = leg_home;
        op->legs[i].program = q->program;
        op->legs[i].schema = q->schema;
        op->legs[i].cancelled = &op->cancelled;
        op->legs[i].deadline_ns = q->deadline_ns;
        op->legs[i].slot = BATCH_SLOT_ANY;
        op->legs[i].shares = cores * (q->program->shares ? q->program->shares : 1);
        op->legs[i].batch_rows = op->merging ? QUERY_MERGED_ROWS : QUERY_BATCH_ROWS;
    }
    return op;
}

/* When only one slot can have rows for it, the other cores are not asked. */
static void narrow(struct query_op *op)
{
    const struct datadir *dir = &op->local->node->dir;
    const struct cluster_query *q = op->query;
    uint64_t place;

    if (!scan_key_place(q->program->where, q->schema, dir->hash_seed, &place))
        return;
    uint32_t slot = key_slot(place, dir->slot_bits);
    unsigned owner = shard_core_of_slot(slot, op->cores);
    for (unsigned i = 0; i < op->cores; i++)
        op->legs[i].state = i == owner ? SCAN_LEG_NEW : SCAN_LEG_END;
    op->legs[owner].slot = slot;
    op->running = 1;
}

static int begin_stats(struct query_op *op)
{
    op->stats = calloc(op->cores, sizeof(*op->stats));
    if (!op->stats)
        return -ENOMEM;
    for (unsigned i = 0; i < op->cores; i++)
        snprintf(op->stats[i].where, sizeof(op->stats[i].where), "%s core %u",
                 op->local->node->name, i);
    op->query->stats = op->stats;
    op->query->n_stats = op->cores;
    return 0;
}

void local_query_start(struct cluster *c, struct cluster_query *q)
{
    struct local *l = (struct local *)c;
    struct query_op *op = op_new(l, q);

    if (!op) {
        refuse_query(q);
        return;
    }
    q->impl = op;
    q->stats = NULL;
    q->n_stats = 0;
    narrow(op);
    int rc =
        op->merging ? merge_new(q->program, q->schema, reactor_budget(l->reactor), &op->merge) : 0;
    if (!rc && q->program->analyze)
        rc = begin_stats(op);
    if (rc) {
        op->failed = true;
        error_set(&op->error, rc, 1037, "out of memory at the start of a query");
    }
}
