/*
 * BitmapIndex.BatchMutate: a stream of row batches, several at work at a time, each answered when it is durable.
 * No more messages are taken while WRITES_AT_ONCE batches or WRITE_BYTES_AT_ONCE bytes are at work, so the client's
 * window closes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/quanta.pb-c.h"
#include "rpc/service_impl.h"

enum {
    WRITES_AT_ONCE = 16,
    WRITE_BYTES_AT_ONCE = 64 << 20,
    WRITE_MEMORY_SLACK = 64 << 10,
};

struct service_stream { /* owner: the core; until the call and its writes have ended */
    struct rpc_server *server;
    struct grpc_call *call; /* NULL once it ended */
    unsigned at_work;
    size_t bytes; /* of the batches at work */
    bool reading; /* a message was asked for */
    bool full;    /* the queue of answers is full */
    bool ended;   /* the client sends no more */
};

struct service_write { /* one batch; until it is answered */
    struct service_stream *stream;
    Quanta__WriteRequest *request; /* holds the batch */
    struct cluster_write write;
    struct schema *schema;
};

static void free_when_ended(struct service_stream *x)
{
    struct rpc_server *s = x->server;

    if (x->call || x->at_work)
        return;
    free(x);
    service_op_ended(s);
}

static void go_on(struct service_stream *x)
{
    bool busy = x->at_work >= WRITES_AT_ONCE || x->bytes >= WRITE_BYTES_AT_ONCE;

    if (!x->call)
        return;
    if (x->ended && !x->at_work) {
        service_finish(x->server, x->call);
    } else if (!x->ended && !x->reading && !x->full && !busy) {
        x->reading = true;
        grpc_call_read(x->call);
    }
}

static void fill_row_errors(Quanta__RowError *errors, Quanta__RowError **list,
                            const struct write_result *r)
{
    for (uint32_t i = 0; i < r->n_errors; i++) {
        quanta__row_error__init(&errors[i]);
        errors[i].row = r->errors[i].row;
        errors[i].code = (uint32_t)r->errors[i].info.code;
        errors[i].text = (char *)r->errors[i].info.text;
        list[i] = &errors[i];
    }
}

static void send_reply(struct service_stream *x, uint64_t id, const struct cluster_write *w)
{
    Quanta__WriteReply reply = QUANTA__WRITE_REPLY__INIT;
    Quanta__RowError errors[WRITE_MAX_ERRORS], *list[WRITE_MAX_ERRORS];
    struct catalog *c = cluster_catalog(cluster_of(x->server->r));
    const struct write_result *r = &w->result;

    reply.id = id;
    reply.inserted = r->inserted;
    reply.updated = r->updated;
    reply.unchanged = r->unchanged;
    reply.deleted = r->deleted;
    reply.rejected = r->rejected;
    fill_row_errors(errors, list, r);
    reply.n_errors = r->n_errors;
    reply.errors = list;
    reply.catalog_version = c->version;
    catalog_put(c);
    if (w->rc) {
        reply.failed = true;
        reply.code = (uint32_t)(w->error.code ? w->error.code : 1105);
        reply.text = (char *)w->error.text;
        reply.reason = (uint32_t)-w->rc;
    }
    struct h2_chunk *m = grpc_proto_pack(&reply.base);
    if (!m)
        grpc_call_cancel(x->call, GRPC_RESOURCE_EXHAUSTED, "out of memory for an answer");
    else if (!grpc_call_send(x->call, m))
        x->full = true;
}

static void end_write(struct service_write *w)
{
    struct service_stream *x = w->stream;

    x->at_work--;
    x->bytes -= w->request->batch.len;
    if (x->call)
        send_reply(x, w->request->id, &w->write);
    if (w->schema)
        schema_put(w->schema);
    grpc_proto_free(w->request);
    free(w);
    go_on(x);
    free_when_ended(x);
}

static void write_done(struct cluster_write *cw)
{
    end_write(cw->ctx);
}

/* What local code takes for granted about a batch: it is one, a write, and of this table. */
static int open_batch(struct service_write *w)
{
    const Quanta__WriteRequest *m = w->request;
    struct cluster_write *cw = &w->write;
    int rc = batch_open(m->batch.data, m->batch.len, &cw->batch, &cw->error);

    if (rc)
        return rc;
    if (cw->batch.op == BATCH_DATA || cw->batch.op > BATCH_IGNORE)
        return error_set(&cw->error, -EINVAL, 1105, "the batch has operation %u, which is no write",
                         cw->batch.op);
    if (cw->batch.table_id != m->table_id)
        return error_set(&cw->error, -EINVAL, 1105,
                         "the batch is of table %u, the request of table %u", cw->batch.table_id,
                         m->table_id);
    return 0;
}

static int find_table(struct service_write *w)
{
    const Quanta__WriteRequest *m = w->request;

    w->schema = service_find_table(w->stream->server, m->table_id, m->table_version, m->known_old);
    if (w->schema)
        return 0;
    return error_set(&w->write.error, -ESTALE, 1412,
                     "Table definition has changed, please retry transaction");
}

static void start_write(struct service_write *w)
{
    struct rpc_server *s = w->stream->server;
    struct cluster_write *cw = &w->write;
    int rc = service_check_serving(s, &cw->error);

    if (!rc)
        rc = open_batch(w);
    if (!rc)
        rc = find_table(w);
    if (rc) {
        cw->rc = rc;
        end_write(w);
        return;
    }
    cw->schema = w->schema;
    cw->check_first = w->request->check_first;
    cw->client_id = w->request->client;
    cw->sequence = w->request->sequence;
    cw->done = write_done;
    cw->ctx = w;
    s->stats.writes++;
    s->stats.write_rows += cw->batch.rows;
    if (w->request->check_only)
        service_check_start(s, cw);
    else
        cluster_write_start(cluster_of(s->r), cw);
}

static void stream_message(struct grpc_call *call, const uint8_t *bytes, size_t n)
{
    struct service_stream *x = call->ctx;
    struct service_write *w = calloc(1, sizeof(*w));

    x->reading = false;
    if (w)
        w->request = grpc_proto_unpack(&quanta__write_request__descriptor, bytes, n,
                                       n * 2 + WRITE_MEMORY_SLACK);
    if (!w || !w->request) {
        free(w);
        service_refuse_request(call, "WriteRequest");
        return;
    }
    w->stream = x;
    x->at_work++;
    x->bytes += w->request->batch.len;
    start_write(w);
    go_on(x);
}

static void stream_end(struct grpc_call *call)
{
    struct service_stream *x = call->ctx;

    x->ended = true;
    go_on(x);
}

static void stream_writable(struct grpc_call *call)
{
    struct service_stream *x = call->ctx;

    x->full = false;
    go_on(x);
}

static void stream_closed(struct grpc_call *call)
{
    struct service_stream *x = call->ctx;

    x->call = NULL;
    free_when_ended(x);
}

void service_write(struct grpc_call *call, void *server)
{
    struct rpc_server *s = server;
    struct service_stream *x = service_op_new(s, call, sizeof(*x));

    if (!x)
        return;
    x->server = s;
    x->call = call;
    call->handler =
        (struct grpc_call_handler){stream_message, stream_end, stream_writable, stream_closed};
    go_on(x);
}
