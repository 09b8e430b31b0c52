/*
 * Gateway's side of a query: one call per node, all with the same program. Shaped as the home core of a node is over
 * its cores (local_query.c): partials are merged as they come, unordered rows pass through with back-pressure, and
 * a node that fails fails the query. While a table is altered, one node may refuse the definition that another still
 * answers: the first is asked again, with the definition it had.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/program_codec.h"
#include "rpc/refuse.h"
#include "rpc/remote_impl.h"
#include "storage/merge.h"
#include "storage/scan_key.h"

enum query_stage {
    QUERY_IDLE,    /* waits for cluster_query_next */
    QUERY_GATHER,  /* a next is owed; waits for nodes */
    QUERY_ANSWER,  /* on_next is queued */
    QUERY_CLOSING, /* waits for the calls to end */
};

enum node_leg_state {
    NODE_LEG_NEW,
    NODE_LEG_READING, /* asked for a message */
    NODE_LEG_BATCH,   /* has one */
    NODE_LEG_TAKEN,   /* it was answered */
    NODE_LEG_ENDED,
};

enum {
    DEFINITION_CHANGED = 1412,
    QUERY_MERGED_ROWS = 4096,
    QUERY_ARENA_BYTES = 256 << 20,
    REPLY_MEMORY_MIN = 1 << 20,
    REPLY_MEMORY_FACTOR = 2,
};

struct remote_query;

struct node_leg {
    struct remote_query *op;
    struct remote_node *node;
    struct grpc_call *call; /* NULL before and after */
    enum node_leg_state state;
    bool accepted, refused; /* it has answered; the definition is not its newest one (parked) */
    bool asked_again;
    Quanta__QueryReply *reply; /* holds `batch` */
    Quanta__QueryReply *stats; /* with the figures */
    struct batch batch;
    uint64_t below; /* of the groups merged: those with smaller hashes have all come */
};

struct remote_query { /* owner: the core; freed when on_closed has run */
    struct cluster_query_impl impl;
    struct remote *remote;
    struct cluster_query *query;
    enum query_stage stage;
    bool merging;
    struct merge *merge;
    struct task task;   /* runs on_next or on_closed from the loop */
    uint64_t rows_left; /* unordered rows with a limit */
    unsigned n, running,
        next; /* nodes; not ended, parked ones too; whose turn it is to be answered */
    struct error_info error;
    bool failed;
    struct cluster_leg_stats *stats;
    struct node_leg legs[];
};

static void dispatch(struct remote_query *op);
static void settle(struct remote_query *op);
static void ask_again(struct remote_query *op);

/* False: it was not parked. */
static bool unpark(struct node_leg *l)
{
    if (!l->refused)
        return false;
    l->refused = false;
    l->asked_again = true;
    l->state = NODE_LEG_ENDED;
    l->op->running--;
    return true;
}

static void drop_parked(struct remote_query *op)
{
    for (unsigned i = 0; i < op->n; i++)
        (void)unpark(&op->legs[i]);
}

static void fail(struct remote_query *op, const struct error_info *error)
{
    if (op->failed)
        return;
    op->error = *error;
    op->failed = true;
    drop_parked(op);
    for (unsigned i = 0; i < op->n; i++)
        if (op->legs[i].call)
            grpc_call_cancel(op->legs[i].call, GRPC_CANCELLED, "another node failed");
}

static void drop_reply(struct node_leg *l)
{
    grpc_proto_free(l->reply);
    l->reply = NULL;
}

static void read_on(struct node_leg *l)
{
    drop_reply(l);
    l->state = l->call ? NODE_LEG_READING : NODE_LEG_ENDED;
    if (l->call)
        grpc_call_read(l->call);
}

/* --- messages of a node --- */

/* The gateway reads columns by position: what a node sends must be what the program makes. */
static int check_batch(const struct remote_query *op, const struct node_leg *l,
                       struct error_info *err)
{
    const struct program *p = op->query->program;
    unsigned outputs = program_outputs(p);
    bool fits = l->batch.columns == outputs && l->reply->rows <= l->batch.rows;

    for (unsigned i = 0; fits && i < outputs; i++) {
        struct batch_column c;
        batch_column_at(&l->batch, i, &c);
        fits = c.kind == program_output_kind(p, op->query->schema, i);
    }
    return fits
               ? 0
               : error_set(err, -EPROTO, 1105,
                           "%s: a batch of the result has not the columns asked for", l->node->who);
}

static int open_reply(struct node_leg *l, const uint8_t *bytes, size_t n, struct error_info *err)
{
    l->reply = grpc_proto_unpack(&quanta__query_reply__descriptor, bytes, n,
                                 REPLY_MEMORY_MIN + n * REPLY_MEMORY_FACTOR);
    if (!l->reply)
        return error_set(err, -EPROTO, 1105, "%s: a message of the result is malformed",
                         l->node->who);
    if (!l->reply->batch.len)
        return 0;
    int rc = batch_open(l->reply->batch.data, l->reply->batch.len, &l->batch, err);
    if (!rc)
        rc = check_batch(l->op, l, err);
    l->batch.rows = l->reply->rows;
    return rc;
}

/* Groups with smaller hashes have come from all nodes. */
static uint64_t least_below(const struct remote_query *op)
{
    uint64_t least = MERGE_ALL;

    for (unsigned i = 0; i < op->n; i++)
        if (op->legs[i].state != NODE_LEG_ENDED && op->legs[i].below < least)
            least = op->legs[i].below;
    return least;
}

/* Nodes whose groups have been taken go on as the merge wants them. */
static void read_wanted(struct remote_query *op)
{
    uint64_t least = least_below(op);

    for (unsigned i = 0; i < op->n; i++) {
        struct node_leg *l = &op->legs[i];
        if (l->state == NODE_LEG_TAKEN && merge_wants(op->merge, l->below, least))
            read_on(l);
    }
}

static int merge_reply(struct remote_query *op, struct node_leg *l, struct error_info *err)
{
    int rc = merge_add(op->merge, &l->batch, err);

    if (rc)
        return rc;
    if (l->reply->below > l->below && l->reply->below < MERGE_ALL)
        l->below = l->reply->below;
    drop_reply(l);
    l->state = NODE_LEG_TAKEN;
    read_wanted(op);
    return 0;
}

/* A refusal for the definition's sake is no failure yet when there are others. */
static bool park(struct node_leg *l, const struct grpc_call *c)
{
    struct remote_query *op = l->op;
    struct error_info err;

    if (c->status == GRPC_OK || l->accepted || l->asked_again || op->n == 1 || op->failed ||
        op->stage == QUERY_CLOSING)
        return false;
    service_error_of(c, l->node->who, &err);
    if (err.code != DEFINITION_CHANGED)
        return false;
    l->refused = true;
    return true;
}

/*
 * When one node answers the query, the change was not complete when it was sent: those that refused it answer with the
 * definition they had. When all refuse, it is made anew with the newest.
 */
static void settle(struct remote_query *op)
{
    struct error_info err;
    bool accepted = false, waits = false, refused = false;

    for (unsigned i = 0; i < op->n; i++) {
        const struct node_leg *l = &op->legs[i];
        accepted |= l->accepted;
        refused |= l->refused;
        waits |= !l->accepted && !l->refused;
    }
    if (!refused || op->failed || op->stage == QUERY_CLOSING || (waits && !accepted))
        return;
    if (accepted)
        ask_again(op);
    else
        fail(op, (error_set(&err, -ESTALE, DEFINITION_CHANGED,
                            "Table definition of '%s' has changed, please retry",
                            op->query->schema->name),
                  &err));
}

static void on_message(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
    struct node_leg *l = c->ctx;
    struct remote_query *op = l->op;
    struct error_info err;
    int rc = open_reply(l, bytes, n, &err);

    l->accepted = true;
    settle(op);
    if (!rc && !l->reply->batch.len) { /* the figures; the end follows */
        grpc_proto_free(l->stats);
        l->stats = l->reply;
        l->reply = NULL;
        grpc_call_read(c);
        return;
    }
    l->state = NODE_LEG_BATCH;
    if (!rc && op->merging && op->stage != QUERY_CLOSING) {
        rc = merge_reply(op, l, &err);
    }
    if (rc)
        fail(op, &err);
    dispatch(op);
}

static void on_closed(struct grpc_call *c)
{
    struct node_leg *l = c->ctx;
    struct remote_query *op = l->op;
    struct error_info err;

    l->call = NULL;
    remote_node_saw_end(l->node, c);
    if (park(l, c)) {
        settle(op);
        dispatch(op);
        return;
    }
    if (l->state != NODE_LEG_BATCH) /* which is still to be answered */
        l->state = NODE_LEG_ENDED;
    op->running--;
    if (c->status != GRPC_OK && op->stage != QUERY_CLOSING && !op->failed) {
        service_error_of(c, l->node->who, &err);
        fail(op, &err);
    }
    l->accepted |= c->status == GRPC_OK;
    settle(op);
    dispatch(op);
}

/* --- answers --- */

static void answer(struct remote_query *op, enum cluster_query_state state)
{
    op->query->state = state;
    op->stage = QUERY_ANSWER;
    reactor_task(op->remote->r, &op->task, TASK_IO);
}

static void answer_error(struct remote_query *op)
{
    op->query->error = op->error;
    answer(op, CLUSTER_ERROR);
}

static void copy_stats(struct cluster_leg_stats *to, const Quanta__LegStats *m)
{
    snprintf(to->where, sizeof(to->where), "%s", m->where);
    to->scan = (struct scan_stats){.rows_total = m->rows_total,
                                   .rows_matched = m->rows_matched,
                                   .rows_out = m->rows_out,
                                   .blocks = m->blocks,
                                   .blocks_skipped = m->blocks_skipped,
                                   .ns = m->nanoseconds,
                                   .segments = m->segments,
                                   .segments_pruned = m->segments_pruned,
                                   .slots = m->slots};
}

static void gather_stats(struct remote_query *op)
{
    size_t n = 0;

    for (unsigned i = 0; i < op->n; i++)
        n += op->legs[i].stats ? op->legs[i].stats->n_stats : 0;
    op->stats = calloc(n + 1, sizeof(*op->stats));
    if (!op->stats)
        return; /* figures are a courtesy */
    n = 0;
    for (unsigned i = 0; i < op->n; i++)
        for (size_t k = 0; op->legs[i].stats && k < op->legs[i].stats->n_stats; k++)
            copy_stats(&op->stats[n++], op->legs[i].stats->stats[k]);
    op->query->stats = op->stats;
    op->query->n_stats = (uint32_t)n;
}

static void answer_end(struct remote_query *op)
{
    if (op->query->program->analyze && !op->stats)
        gather_stats(op);
    answer(op, CLUSTER_END);
}

static void gather_merged(struct remote_query *op)
{
    int rc = merge_next(op->merge, QUERY_MERGED_ROWS, least_below(op), &op->query->batch);

    if (rc == 1) {
        op->query->below = merge_below(op->merge);
        answer(op, CLUSTER_BATCH);
        read_wanted(op);
    } else if (rc == -EAGAIN) {
        reactor_task(op->remote->r, &op->task, TASK_BULK);
    } else if (!rc && !op->running) {
        answer_end(op);
    } else if (!rc) {
        read_wanted(op);
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

/* A node with a batch; each gets its turn. */
static struct node_leg *find_batch(struct remote_query *op)
{
    for (unsigned i = 0; i < op->n; i++) {
        struct node_leg *l = &op->legs[(op->next + i) % op->n];
        if (l->state == NODE_LEG_BATCH) {
            op->next = (unsigned)(l - op->legs) + 1;
            return l;
        }
    }
    return NULL;
}

static void gather_rows(struct remote_query *op)
{
    struct node_leg *l = op->rows_left ? find_batch(op) : NULL;

    if (l) {
        l->state = NODE_LEG_TAKEN;
        op->query->batch = l->batch;
        if (op->query->batch.rows > op->rows_left)
            op->query->batch.rows = (uint32_t)op->rows_left;
        op->rows_left -= op->query->batch.rows;
        answer(op, CLUSTER_BATCH);
    } else if (!op->running || !(op->rows_left || op->query->program->analyze)) {
        answer_end(op);
    } else if (!op->rows_left) { /* the figures come last */
        for (unsigned i = 0; i < op->n; i++)
            if (op->legs[i].state == NODE_LEG_BATCH || op->legs[i].state == NODE_LEG_TAKEN)
                read_on(&op->legs[i]);
    }
}

static void free_op(struct remote_query *op)
{
    struct cluster_query *q = op->query;
    struct remote *x = op->remote;

    for (unsigned i = 0; i < op->n; i++) {
        drop_reply(&op->legs[i]);
        grpc_proto_free(op->legs[i].stats);
    }
    merge_free(op->merge);
    free(op->stats);
    free(op);
    q->impl = NULL;
    q->on_closed(q);
    remote_op_ended(x);
}

static void dispatch(struct remote_query *op)
{
    if (op->stage == QUERY_GATHER) {
        if (op->failed)
            answer_error(op);
        else if (op->merging)
            gather_merged(op);
        else
            gather_rows(op);
    }
    if (op->stage == QUERY_CLOSING && !op->running)
        reactor_task(op->remote->r, &op->task, TASK_IO);
}

static void task_run(struct task *t)
{
    struct remote_query *op = container_of(t, struct remote_query, task);

    if (op->stage == QUERY_CLOSING) {
        if (!op->running)
            free_op(op);
        return;
    }
    if (op->stage == QUERY_GATHER) { /* there is more to merge */
        dispatch(op);
        return;
    }
    ASSERT(op->stage == QUERY_ANSWER);
    op->stage = QUERY_IDLE;
    op->query->on_next(op->query);
}

/* --- requests --- */

static int send_request(struct remote_query *op, struct node_leg *l, Quanta__QueryRequest *m,
                        struct error_info *err)
{
    static const struct grpc_call_handler handler = {.on_message = on_message,
                                                     .on_closed = on_closed};
    const struct schema *there;
    int rc = remote_node_unusable(l->node, err);

    if (!rc &&
        l->node->batch_version < BATCH_VERSION) /* it would pass over what it does not know */
        rc =
            error_set(err, -EPROTO, 1105,
                      "%s is of an older version than the proxy: nodes are upgraded before proxies",
                      l->node->who);
    if (!rc)
        rc = remote_find_table(op->remote, l->node, op->query->schema, l->asked_again, &there, err);
    if (rc) {
        if (rc == -ESTALE)
            remote_node_poll(l->node);
        return rc;
    }
    m->program->table_id = there->table_id;
    m->program->catalog_version = l->node->catalog->version;
    m->table_version = there->version;
    m->known_old = l->asked_again || there != catalog_find_id(l->node->catalog, there->table_id);
    struct h2_chunk *c = grpc_proto_pack(&m->base);
    if (!c)
        return error_set(err, -E2BIG, 1105,
                         "the query is too large: over %d MiB with its lists and keys",
                         GRPC_MAX_MESSAGE >> 20);
    rc = grpc_channel_call(l->node->channel, "/quanta.BitmapIndex/Query", &op->remote->fields,
                           op->query->deadline_ns, &handler, l, &l->call);
    if (rc) {
        h2_chunk_free(c);
        return error_set(err, rc, 1105, "%s cannot be reached: %s", l->node->who, strerror(-rc));
    }
    op->running++;
    grpc_call_send(l->call, c);
    grpc_call_end_sending(l->call);
    read_on(l);
    return 0;
}

/* Encodes once; the nodes' requests differ in ids and versions only. again: to those that are parked. */
static void send_all(struct remote_query *op, bool again)
{
    Quanta__QueryRequest m = QUANTA__QUERY_REQUEST__INIT;
    Quanta__ShardProgram program;
    struct arena arena;
    struct error_info err;

    arena_init(&arena, QUERY_ARENA_BYTES, reactor_budget(op->remote->r));
    int rc = program_encode(op->query->program, &arena, &program);
    if (rc)
        error_set(&err, rc, rc == -E2BIG ? 1436 : 1037, "%s",
                  rc == -E2BIG ? "the condition of the query is too deep or has too many parts"
                               : "out of memory at the start of a query");
    m.program = &program;
    if (op->merging && !rc)
        program.shares = op->n * (program.shares ? program.shares : 1);
    if (op->merging && !rc && op->query->program->output == OUTPUT_GROUPS) {
        /* Which groups are the first, and how many there are, is known when those of all nodes are together. */
        program.n_order = 0;
        program.limit = UINT64_MAX;
        program.count_groups = false;
    }
    for (unsigned i = 0; i < op->n && !rc; i++)
        if (!again || unpark(&op->legs[i]))
            rc = send_request(op, &op->legs[i], &m, &err);
    if (rc)
        fail(op, &err);
    arena_fini(&arena);
}

static void ask_again(struct remote_query *op)
{
    send_all(op, true);
}

void remote_query_next(struct cluster_query *q)
{
    struct remote_query *op = q->impl;

    ASSERT(op->stage == QUERY_IDLE);
    op->stage = QUERY_GATHER;
    if (!op->failed && op->legs[0].state == NODE_LEG_NEW)
        send_all(op, false);
    for (unsigned i = 0; i < op->n && !op->failed; i++)
        if (op->legs[i].state == NODE_LEG_TAKEN && !op->merging && op->rows_left)
            read_on(&op->legs[i]);
    dispatch(op);
}

void remote_query_close(struct cluster_query *q)
{
    struct remote_query *op = q->impl;

    ASSERT(op->stage != QUERY_CLOSING);
    op->stage = QUERY_CLOSING;
    drop_parked(op);
    for (unsigned i = 0; i < op->n; i++)
        if (op->legs[i].call)
            grpc_call_cancel(op->legs[i].call, GRPC_CANCELLED, "query closed");
    dispatch(op);
}

/* When only one slot can have rows for it, its node alone is asked. */
static void narrow(struct remote_query *op)
{
    const struct remote *x = op->remote;
    const struct cluster_query *q = op->query;
    uint64_t place;

    if (x->n_nodes == 1 || !x->is_ready ||
        !scan_key_place(q->program->where, q->schema, x->nodes[0].hash_seed, &place))
        return;
    op->legs[0].node = &op->remote->nodes[x->map.node_of[key_slot(place, x->map.slot_bits)]];
    op->n = 1;
}

void remote_query_start(struct cluster *c, struct cluster_query *q)
{
    struct remote *x = (struct remote *)c;
    struct remote_query *op = calloc(1, sizeof(*op) + x->n_nodes * sizeof(op->legs[0]));

    if (!op) {
        refuse_query(q);
        return;
    }
    op->impl.ops = &remote_ops;
    op->remote = x;
    op->query = q;
    op->n = x->n_nodes;
    op->task.run = task_run;
    op->rows_left = q->program->output == OUTPUT_ROWS ? q->program->limit : UINT64_MAX;
    for (unsigned i = 0; i < op->n; i++) {
        op->legs[i].op = op;
        op->legs[i].node = &x->nodes[i];
    }
    narrow(op);
    /* One node has merged already. */
    op->merging = op->n > 1 && (q->program->output == OUTPUT_GROUPS || q->program->n_order);
    x->busy++;
    q->impl = op;
    q->stats = NULL;
    q->n_stats = 0;
    if (op->merging && merge_new(q->program, q->schema, reactor_budget(x->r), &op->merge)) {
        op->failed = true;
        error_set(&op->error, -ENOMEM, 1037, "out of memory at the start of a query");
    }
}
