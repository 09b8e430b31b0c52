/*
 * BitmapIndex.Query: one program, run by the cluster object of this core; a batch is pulled only when the client's
 * window and the call's queue have room, so a slow reader holds the scan back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/quanta.pb-c.h"
#include "reactor/assert.h"
#include "rpc/program_codec.h"
#include "rpc/service_impl.h"

enum {
    QUERY_ARENA_MIN = 1 << 20,
    QUERY_ARENA_MAX = 512 << 20,
    QUERY_MEMORY_FACTOR =
        64, /* an entry of a list takes at most that many times its bytes on the wire */
};

struct service_query { /* owner: the core; until both the call and the query have ended */
    struct rpc_server *server;
    struct grpc_call *call; /* NULL once it ended */
    struct cluster_query query;
    bool open; /* query started and not yet closed */
    bool closing;
    bool waiting; /* for room in the call's queue */
    struct schema *schema;
    struct program program;
    struct arena arena;
};

static void free_when_ended(struct service_query *x)
{
    struct rpc_server *s = x->server;

    if (x->call || x->open)
        return;
    arena_fini(&x->arena);
    if (x->schema)
        schema_put(x->schema);
    free(x);
    service_op_ended(s);
}

static void close_query(struct service_query *x)
{
    if (x->open && !x->closing) {
        x->closing = true;
        cluster_query_close(&x->query);
    }
}

static void query_closed(struct cluster_query *q)
{
    struct service_query *x = q->ctx;

    x->open = false;
    free_when_ended(x);
}

static void send_batch(struct service_query *x)
{
    Quanta__QueryReply reply = QUANTA__QUERY_REPLY__INIT;

    reply.batch = (ProtobufCBinaryData){x->query.batch.len, (uint8_t *)x->query.batch.bytes};
    reply.rows = x->query.batch.rows;
    if (x->program.output == OUTPUT_GROUPS)
        reply.below = x->query.below;
    struct h2_chunk *c = grpc_proto_pack(&reply.base);
    if (!c) {
        grpc_call_finish(x->call, GRPC_RESOURCE_EXHAUSTED,
                         "out of memory for a batch of the result", NULL);
        close_query(x);
        return;
    }
    if (grpc_call_send(x->call, c))
        cluster_query_next(&x->query);
    else
        x->waiting = true;
}

static void fill_stats(Quanta__LegStats *m, const struct cluster_leg_stats *l)
{
    quanta__leg_stats__init(m);
    m->where = (char *)l->where;
    m->rows_total = l->scan.rows_total;
    m->rows_matched = l->scan.rows_matched;
    m->rows_out = l->scan.rows_out;
    m->blocks = l->scan.blocks;
    m->blocks_skipped = l->scan.blocks_skipped;
    m->nanoseconds = l->scan.ns;
    m->slots = l->scan.slots;
    m->segments = l->scan.segments;
    m->segments_pruned = l->scan.segments_pruned;
}

/* The figures, when the program asked for them, then the end. */
static void send_end(struct service_query *x)
{
    const struct cluster_query *q = &x->query;
    Quanta__QueryReply reply = QUANTA__QUERY_REPLY__INIT;
    Quanta__LegStats *stats = arena_alloc(&x->arena, (q->n_stats + 1) * sizeof(*stats));
    Quanta__LegStats **list = arena_alloc(&x->arena, (q->n_stats + 1) * sizeof(*list));

    if (!q->n_stats || !stats || !list) {
        service_finish(x->server, x->call);
        return;
    }
    for (uint32_t i = 0; i < q->n_stats; i++) {
        fill_stats(&stats[i], &q->stats[i]);
        list[i] = &stats[i];
    }
    reply.n_stats = q->n_stats;
    reply.stats = list;
    service_answer(x->server, x->call, &reply.base);
}

static void query_next(struct cluster_query *q)
{
    struct service_query *x = q->ctx;

    if (!x->call || x->closing) {
        close_query(x);
        return;
    }
    switch (q->state) {
    case CLUSTER_BATCH:
        send_batch(x);
        return;
    case CLUSTER_END:
        send_end(x);
        break;
    case CLUSTER_ERROR:
        service_finish_error(x->server, x->call, q->error.code == 1412 ? -ESTALE : -EIO, &q->error);
        break;
    }
    close_query(x);
}

/* The table as it was when the program was made: with another definition only when the gateway means that. */
static int find_table(struct service_query *x, const Quanta__QueryRequest *m,
                      struct error_info *err)
{
    x->schema = service_find_table(x->server, m->program->table_id, m->table_version, m->known_old);
    if (x->schema)
        return 0;
    return error_set(err, -ESTALE, 1412, "Table definition has changed, please retry transaction");
}

static int decode_request(struct service_query *x, const uint8_t *bytes, size_t n,
                          struct error_info *err)
{
    size_t limit = QUERY_ARENA_MIN + n * QUERY_MEMORY_FACTOR;

    arena_init(&x->arena, limit < QUERY_ARENA_MAX ? limit : QUERY_ARENA_MAX,
               reactor_budget(x->server->r));
    Quanta__QueryRequest *m =
        grpc_proto_unpack_arena(&quanta__query_request__descriptor, bytes, n, &x->arena);
    if (!m || !m->program)
        return error_set(err, -EINVAL, 1105,
                         "the request is not a valid QueryRequest, or too large");
    int rc = find_table(x, m, err);
    return rc ? rc : program_decode(m->program, x->schema, &x->arena, &x->program, err);
}

static void query_message(struct grpc_call *call, const uint8_t *bytes, size_t n)
{
    struct service_query *x = call->ctx;
    struct error_info err;
    int rc = decode_request(x, bytes, n, &err);

    if (rc) {
        service_finish_error(x->server, call, rc, &err);
        return;
    }
    x->server->stats.queries++;
    x->query = (struct cluster_query){.program = &x->program,
                                      .schema = x->schema,
                                      .deadline_ns = call->deadline_ns,
                                      .on_next = query_next,
                                      .on_closed = query_closed,
                                      .ctx = x};
    x->open = true;
    cluster_query_start(cluster_of(x->server->r), &x->query);
    cluster_query_next(&x->query);
}

static void query_writable(struct grpc_call *call)
{
    struct service_query *x = call->ctx;

    if (x->waiting && !x->closing) {
        x->waiting = false;
        cluster_query_next(&x->query);
    }
}

static void query_call_closed(struct grpc_call *call)
{
    struct service_query *x = call->ctx;

    x->call = NULL;
    close_query(x);
    free_when_ended(x);
}

void service_query(struct grpc_call *call, void *server)
{
    struct rpc_server *s = server;
    struct service_query *x = service_op_new(s, call, sizeof(*x));

    if (!x)
        return;
    x->server = s;
    x->call = call;
    arena_init(&x->arena, QUERY_ARENA_MIN, NULL);
    call->handler =
        (struct grpc_call_handler){query_message, NULL, query_writable, query_call_closed};
    grpc_call_read(call);
}
