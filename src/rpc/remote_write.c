/*
 * Gateway's side of writes: rows by node, one stream of batches per core and node. A batch stays in its node's list
 * until it is answered; when the connection breaks, all of the list is sent again in its order, with the same
 * (client, sequence), which the node applies once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/refuse.h"
#include "rpc/remote_impl.h"
#include "rpc/remote_split.h"

enum { WRITE_ARENA_BYTES = 256 << 20, REPLY_MEMORY_MIN = 64 << 10, REPLY_MEMORY_FACTOR = 32 };

struct remote_write;

struct write_piece { /* the rows of one node; part of its operation */
    struct list in_node;
    struct remote_write *op;
    struct remote_node *node;
    uint64_t id;
    uint32_t table_id; /* at the node */
    uint64_t table_version;
    bool known_old;
    const struct batch *batch;
    const uint32_t *row_of; /* piece row -> row of the whole; NULL = the same */
    bool sent;              /* over the present stream */
};

struct remote_write { /* owner: the core; freed before done */
    struct remote *remote;
    struct cluster_write *write;
    struct arena arena;
    struct remote_split split;
    uint64_t deadline_ns; /* for nodes that are away */
    bool may_be_old;      /* also when the table was altered since */
    bool checking;        /* an INSERT over several nodes: first all are asked whether keys exist */
    unsigned waiting;
    struct task task; /* runs done from the loop */
    struct write_piece pieces[];
};

static void piece_done(struct write_piece *p)
{
    struct remote_write *op = p->op;

    list_remove(&p->in_node);
    if (!--op->waiting)
        reactor_task(op->remote->r, &op->task, TASK_IO);
}

static void piece_failed(struct write_piece *p, int rc, const struct error_info *error)
{
    struct cluster_write *w = p->op->write;

    if (!w->rc) {
        w->rc = rc;
        w->error = *error;
    }
    piece_done(p);
}

/* Puts all pieces into the lists of their nodes. */
static void queue_all(struct remote_write *op)
{
    op->waiting = op->split.n;
    for (unsigned i = 0; i < op->split.n; i++) {
        struct write_piece *p = &op->pieces[i];
        p->id = ++op->remote->piece_id;
        p->sent = false;
        list_push_back(&p->node->pending, &p->in_node);
    }
    for (unsigned i = 0; i < op->split.n; i++)
        remote_writes_send(op->pieces[i].node);
}

/* No node would refuse a row: true when the write itself has begun. */
static bool apply_checked(struct remote_write *op)
{
    struct cluster_write *w = op->write;

    if (!op->checking)
        return false;
    op->checking = false;
    if (!w->rc && op->remote->stopping)
        w->rc = error_set(&w->error, -ESHUTDOWN, 1053, "the program is stopping");
    if (w->rc)
        return false;
    if (w->result.n_errors) {
        w->result.rejected = w->batch.rows;
        return false;
    }
    w->result = (struct write_result){0};
    queue_all(op);
    return true;
}

static void task_run(struct task *t)
{
    struct remote_write *op = container_of(t, struct remote_write, task);
    struct cluster_write *w = op->write;
    struct remote *x = op->remote;

    if (apply_checked(op))
        return;
    remote_split_fini(&op->split);
    arena_fini(&op->arena);
    free(op);
    w->done(w);
    remote_op_ended(x);
}

/* --- answers --- */

static void add_errors(struct write_piece *p, const Quanta__WriteReply *m)
{
    struct write_result *r = &p->op->write->result;

    for (size_t i = 0; i < m->n_errors && r->n_errors < WRITE_MAX_ERRORS; i++) {
        struct write_error *e = &r->errors[r->n_errors];
        uint32_t row = m->errors[i]->row;
        if (row >= p->batch->rows)
            continue;
        e->row = p->row_of ? p->row_of[row] : row;
        error_set(&e->info, 0, (int)m->errors[i]->code, "%s", m->errors[i]->text);
        r->n_errors++;
    }
}

static void take_reply(struct write_piece *p, const Quanta__WriteReply *m)
{
    struct write_result *r = &p->op->write->result;
    struct error_info err;

    r->inserted += m->inserted;
    r->updated += m->updated;
    r->unchanged += m->unchanged;
    r->deleted += m->deleted;
    r->rejected += m->rejected;
    add_errors(p, m);
    if (!m->failed) {
        piece_done(p);
        return;
    }
    int rc = m->reason && m->reason < 4096 ? -(int)m->reason : -EIO;
    error_set(&err, rc, (int)m->code, "%s", m->text);
    if (err.code == 1412)
        remote_node_poll(p->node);
    piece_failed(p, rc, &err);
}

static struct write_piece *find_piece(struct remote_node *n, uint64_t id)
{
    list_for_each(at, &n->pending)
    {
        struct write_piece *p = container_of(at, struct write_piece, in_node);
        if (p->id == id && p->sent)
            return p;
    }
    return NULL;
}

static void on_message(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
    struct remote_node *node = c->ctx;
    Quanta__WriteReply *m = grpc_proto_unpack(&quanta__write_reply__descriptor, bytes, n,
                                              REPLY_MEMORY_MIN + n * REPLY_MEMORY_FACTOR);

    if (!m) {
        grpc_call_cancel(c, GRPC_INTERNAL, "the answer is malformed");
        return;
    }
    struct write_piece *p = find_piece(node, m->id);
    if (p)
        take_reply(p, m);
    remote_node_saw_version(node, m->catalog_version);
    grpc_proto_free(m);
    grpc_call_read(c);
}

static void on_writable(struct grpc_call *c)
{
    struct remote_node *n = c->ctx;

    n->writes_full = false;
    remote_writes_send(n);
}

/* Statuses after which sending the same again makes sense. */
static bool is_transient(enum grpc_code code)
{
    return code == GRPC_OK || code == GRPC_UNAVAILABLE || code == GRPC_CANCELLED;
}

static void on_closed(struct grpc_call *c)
{
    struct remote_node *n = c->ctx;
    struct error_info err;

    n->writes = NULL;
    n->writes_full = false;
    list_for_each_safe(at, &n->pending)
    {
        struct write_piece *p = container_of(at, struct write_piece, in_node);
        bool was_sent = p->sent;
        p->sent = false;
        if (was_sent && !is_transient(c->status))
            piece_failed(p, service_error_of(c, n->who, &err), &err);
    }
    /* The rest goes with the next tick, or when the node is ready again: no loop with a node that ends each stream. */
    remote_op_ended(n->remote);
}

/* --- sending --- */

static bool open_stream(struct remote_node *n)
{
    static const struct grpc_call_handler handler = {on_message, NULL, on_writable, on_closed};

    if (n->writes)
        return true;
    if (grpc_channel_call(n->channel, "/quanta.BitmapIndex/BatchMutate", &n->remote->fields, 0,
                          &handler, n, &n->writes))
        return false;
    n->remote->busy++;
    grpc_call_read(n->writes);
    return true;
}

static void send_piece(struct write_piece *p)
{
    Quanta__WriteRequest m = QUANTA__WRITE_REQUEST__INIT;
    const struct cluster_write *w = p->op->write;
    struct error_info err;

    m.id = p->id;
    m.client = w->client_id;
    m.sequence = w->sequence;
    m.table_id = p->table_id;
    m.table_version = p->table_version;
    m.known_old = p->known_old;
    m.check_first = w->check_first;
    m.check_only = p->op->checking;
    m.batch = (ProtobufCBinaryData){p->batch->len, (uint8_t *)p->batch->bytes};
    struct h2_chunk *c = grpc_proto_pack(&m.base);
    if (!c) {
        piece_failed(p,
                     error_set(&err, -E2BIG, 1105,
                               "a batch of %u bytes is too large for a message, or out of memory",
                               p->batch->len),
                     &err);
        return;
    }
    p->sent = true;
    if (!grpc_call_send(p->node->writes, c))
        p->node->writes_full = true;
}

void remote_writes_send(struct remote_node *n)
{
    if (n->state != NODE_READY || n->writes_full || list_is_empty(&n->pending) ||
        n->remote->stopping)
        return;
    list_for_each_safe(at, &n->pending)
    {
        struct write_piece *p = container_of(at, struct write_piece, in_node);
        if (p->sent)
            continue;
        if (!open_stream(n))
            return;
        send_piece(p);
        if (n->writes_full)
            return;
    }
}

void remote_writes_expire(struct remote_node *n, uint64_t now_ns)
{
    struct error_info err;

    list_for_each_safe(at, &n->pending)
    {
        struct write_piece *p = container_of(at, struct write_piece, in_node);
        if ((p->sent && n->writes) || now_ns < p->op->deadline_ns)
            continue;
        error_set(&err, -ETIMEDOUT, 1105,
                  "%s cannot be reached (%s): it is not known whether its rows were written; the "
                  "same batch may be sent again",
                  n->who, n->error.text[0] ? n->error.text : "no answer");
        piece_failed(p, -ETIMEDOUT, &err);
    }
}

void remote_writes_fail(struct remote_node *n, int rc, const struct error_info *error)
{
    list_for_each_safe(at, &n->pending)
        piece_failed(container_of(at, struct write_piece, in_node), rc, error);
    if (n->writes)
        grpc_call_cancel(n->writes, GRPC_CANCELLED, error->text);
}

/* --- starting --- */

static int64_t next_hidden_key(void *ctx)
{
    struct remote *x = ctx;

    return ++x->hidden_key;
}

static int make_piece(struct remote_write *op, unsigned i)
{
    struct write_piece *p = &op->pieces[i];
    const struct remote_split_part *part = &op->split.parts[i];

    p->op = op;
    p->node = &op->remote->nodes[part->node];
    p->batch = &part->batch;
    p->row_of = part->row_of;
    p->table_id = part->table->table_id;
    p->table_version = part->table->version;
    p->known_old =
        op->may_be_old || part->table != catalog_find_id(p->node->catalog, part->table->table_id);
    if (p->node->state == NODE_REFUSED)
        return remote_node_unusable(p->node, &op->write->error);
    return 0;
}

static int prepare(struct remote_write *op)
{
    struct cluster_write *w = op->write;
    int rc = op->remote->is_ready
                 ? 0
                 : error_set(&w->error, -ENOTCONN, 1105, "the nodes were not reached yet");

    if (!rc)
        rc = remote_split(op->remote, w->schema, op->may_be_old, &w->batch, next_hidden_key,
                          &op->arena, &op->split, &w->error);
    for (unsigned i = 0; i < op->split.n && !rc; i++)
        rc = make_piece(op, i);
    return rc;
}

void remote_write_start(struct cluster *c, struct cluster_write *w)
{
    struct remote *x = (struct remote *)c;
    struct remote_write *op = calloc(1, sizeof(*op) + x->n_nodes * sizeof(op->pieces[0]));

    if (!op) {
        refuse_write(x->r, w);
        return;
    }
    op->remote = x;
    op->write = w;
    /* Of several nodes one would refuse what others have written. */
    op->may_be_old = w->may_be_old || x->n_nodes > 1;
    op->task.run = task_run;
    op->deadline_ns = reactor_now_ns(x->r) + x->write_timeout_ns;
    arena_init(&op->arena, WRITE_ARENA_BYTES, NULL);
    x->busy++;
    if (!w->client_id) {
        w->client_id = x->client_id;
        w->sequence = ++x->sequence;
    }
    w->result = (struct write_result){0};
    w->error.text[0] = 0;
    w->rc = prepare(op);
    if (w->rc || !op->split.n) {
        reactor_task(x->r, &op->task, TASK_IO);
        return;
    }
    op->checking = w->check_first && op->split.n > 1;
    queue_all(op);
}
