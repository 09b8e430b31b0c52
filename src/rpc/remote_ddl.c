/*
 * Definition changes at all nodes, one after the other, then their catalogs, so that the next statement of this core
 * sees the change. A change that stopped half-way can be repeated: a node that has it already is content as long as
 * another had not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/refuse.h"
#include "rpc/remote_impl.h"
#include "storage/catalog_rename.h"

#define DDL_TIMEOUT_NS 60000000000ull
#define REWRITE_TIMEOUT_NS 86400000000000ull /* reads and writes whole tables */

struct remote_ddl { /* owner: the core; freed before done */
    struct remote *remote;
    struct cluster_ddl *ddl;
    char *yaml;
    unsigned at;      /* node being asked */
    unsigned changed; /* nodes that made the change */
    unsigned content; /* nodes that had it already, and said so by: */
    int content_rc;
    struct error_info content_error;
    bool fetching; /* catalogs */
    int rc;        /* of a failure */
    struct error_info error;
    struct client_unary call;
    struct task task;
};

static void ask(struct remote_ddl *op);

static void finish(struct remote_ddl *op)
{
    reactor_task(op->remote->r, &op->task, TASK_IO);
}

static void task_run(struct task *t)
{
    struct remote_ddl *op = container_of(t, struct remote_ddl, task);
    struct cluster_ddl *d = op->ddl;
    struct remote *x = op->remote;

    d->rc = op->rc;
    d->error = op->error;
    d->cancel = NULL;
    free(op->yaml);
    free(op);
    d->done(d);
    remote_op_ended(x);
}

/* The nodes are through: what they said in all, then their catalogs, in any case. */
static void conclude(struct remote_ddl *op)
{
    if (!op->rc && op->content && !op->changed) {
        op->rc = op->content_rc;
        op->error = op->content_error;
    } else if (op->rc && op->changed && op->ddl->kind != CLUSTER_REWRITE_TABLE) {
        char text[sizeof(op->error.text)];
        memcpy(text, op->error.text, sizeof(text));
        error_set(&op->error, op->rc, op->error.code,
                  "%.300s (%u of %u nodes have made the change; repeat the statement)", text,
                  op->changed, op->remote->n_nodes);
    }
    op->fetching = true;
    op->at = 0;
    ask(op);
}

static void next_node(struct remote_ddl *op)
{
    if (++op->at < op->remote->n_nodes)
        ask(op);
    else if (op->fetching)
        finish(op);
    else
        conclude(op);
}

static void changed(struct client_unary *u)
{
    struct remote_ddl *op = u->ctx;

    if (!u->rc) {
        op->changed++;
        next_node(op);
        return;
    }
    bool content =
        (op->ddl->kind == CLUSTER_CREATE_TABLE && u->rc == -EEXIST) ||
        (op->ddl->kind == CLUSTER_RENAME_TABLE && u->rc == -ENOENT && u->error.code == 1146) ||
        (op->ddl->kind == CLUSTER_DROP_TABLE && u->rc == -ENOENT && u->error.code == 1051);
    if (content) {
        op->content++;
        op->content_rc = u->rc;
        op->content_error = u->error;
        next_node(op);
        return;
    }
    op->rc = u->rc;
    op->error = u->error;
    conclude(op);
}

static void fetched(struct client_unary *u)
{
    struct remote_ddl *op = u->ctx;
    struct remote_node *n = &op->remote->nodes[op->at];

    if (!u->rc && !op->remote->stopping)
        remote_node_take_catalog(n, u->reply,
                                 &u->error); /* failing that, the next poll brings it */
    next_node(op);
}

static int send_change(struct remote_ddl *op, struct remote_node *n)
{
    static const Quanta__TableOperationRequest__Operation operations[] = {
        [CLUSTER_CREATE_TABLE] = QUANTA__TABLE_OPERATION_REQUEST__OPERATION__CREATE,
        [CLUSTER_DROP_TABLE] = QUANTA__TABLE_OPERATION_REQUEST__OPERATION__DROP,
        [CLUSTER_TRUNCATE_TABLE] = QUANTA__TABLE_OPERATION_REQUEST__OPERATION__TRUNCATE,
        [CLUSTER_DROP_PARTITION] = QUANTA__TABLE_OPERATION_REQUEST__OPERATION__DROP_PARTITION,
        [CLUSTER_ARCHIVE_PARTITION] = QUANTA__TABLE_OPERATION_REQUEST__OPERATION__ARCHIVE_PARTITION,
        [CLUSTER_RESTORE_PARTITION] = QUANTA__TABLE_OPERATION_REQUEST__OPERATION__RESTORE_PARTITION,
        [CLUSTER_ALTER_TABLE] = QUANTA__TABLE_OPERATION_REQUEST__OPERATION__ALTER,
        [CLUSTER_RENAME_TABLE] = QUANTA__TABLE_OPERATION_REQUEST__OPERATION__RENAME,
        [CLUSTER_REWRITE_TABLE] = QUANTA__TABLE_OPERATION_REQUEST__OPERATION__REWRITE,
    };
    Quanta__TableOperationRequest m = QUANTA__TABLE_OPERATION_REQUEST__INIT;

    uint64_t timeout_ns =
        op->ddl->kind == CLUSTER_REWRITE_TABLE ? REWRITE_TIMEOUT_NS : DDL_TIMEOUT_NS;

    m.operation = operations[op->ddl->kind];
    if (op->ddl->kind == CLUSTER_RENAME_TABLE)
        m.renames = op->yaml;
    else if (op->yaml)
        m.schema = op->yaml;
    else
        m.table = (char *)op->ddl->name;
    m.partitions = (int64_t *)op->ddl->partitions;
    m.n_partitions = op->ddl->n_partitions;
    op->call = (struct client_unary){.reply_type = &quanta__table_operation_reply__descriptor,
                                     .done = changed,
                                     .who = n->who,
                                     .ctx = op};
    return client_unary_start(&op->call, n->channel, "/quanta.BitmapIndex/TableOperation",
                              &op->remote->fields, reactor_now_ns(op->remote->r) + timeout_ns,
                              &m.base);
}

static int send_fetch(struct remote_ddl *op, struct remote_node *n)
{
    Quanta__CatalogRequest m = QUANTA__CATALOG_REQUEST__INIT;

    m.known = n->catalog != NULL;
    m.known_version = n->catalog ? n->catalog->version : 0;
    op->call = (struct client_unary){.reply_type = &quanta__catalog_reply__descriptor,
                                     .done = fetched,
                                     .who = n->who,
                                     .ctx = op};
    return client_unary_start(&op->call, n->channel, "/quanta.ClusterAdmin/Catalog",
                              &op->remote->fields, reactor_now_ns(op->remote->r) + DDL_TIMEOUT_NS,
                              &m.base);
}

static void ask(struct remote_ddl *op)
{
    struct remote_node *n = &op->remote->nodes[op->at];
    int rc;

    if (op->fetching) {
        while (op->at < op->remote->n_nodes && (op->remote->nodes[op->at].state != NODE_READY ||
                                                send_fetch(op, &op->remote->nodes[op->at])))
            op->at++;
        if (op->at == op->remote->n_nodes)
            finish(op);
        return;
    }
    rc = remote_node_unusable(n, &op->error);
    if (!rc) {
        rc = send_change(op, n);
        if (rc)
            error_set(&op->error, rc, 1105, "%s cannot be reached: %s", n->who, strerror(-rc));
    }
    if (rc) {
        op->rc = rc;
        conclude(op);
    }
}

/*
 * Nodes change one after the other. In between, and for good when one cannot be reached and the statement is repeated, a
 * name that goes from one table to another would be of one here and of the other there.
 */
static int check_renames(struct remote_ddl *op)
{
    const struct cluster_ddl *d = op->ddl;

    for (uint32_t i = 0; i < d->n_renames && op->remote->n_nodes > 1; i++)
        for (uint32_t j = 0; j < d->n_renames; j++)
            if (strcmp(d->renames[i].to, d->renames[j].from) == 0)
                return error_set(&op->error, -EOPNOTSUPP, 1235,
                                 "RENAME TABLE gives '%.64s', the name of a table of the "
                                 "statement, to another; found %u nodes, allowed with 1",
                                 d->renames[i].to, op->remote->n_nodes);
    return 0;
}

/* A change is begun only when all nodes can be asked. */
static int check_nodes(struct remote_ddl *op)
{
    int rc = check_renames(op);

    for (unsigned i = 0; i < op->remote->n_nodes && !rc; i++)
        rc = remote_node_unusable(&op->remote->nodes[i], &op->error);
    return rc;
}

static void cancel(struct cluster_ddl *d)
{
    struct remote_ddl *op = d->impl;

    if (!op->fetching)
        client_unary_cancel(&op->call);
}

void remote_ddl_start(struct cluster *c, struct cluster_ddl *d)
{
    struct remote_ddl *op = calloc(1, sizeof(*op));

    if (!op) {
        refuse_ddl(((struct remote *)c)->r, d);
        return;
    }
    op->remote = (struct remote *)c;
    op->ddl = d;
    op->task.run = task_run;
    op->remote->busy++;
    op->rc = check_nodes(op);
    if (!op->rc && d->schema)
        op->yaml = schema_print_yaml(d->schema);
    if (!op->rc && d->n_renames)
        op->yaml = catalog_renames_print(d->renames, d->n_renames);
    if (!op->rc && !op->yaml && (d->schema || d->n_renames))
        op->rc = error_set(&op->error, -ENOMEM, 1037, "out of memory");
    if (op->rc) {
        finish(op);
        return;
    }
    if (d->kind == CLUSTER_REWRITE_TABLE) {
        d->impl = op;
        d->cancel = cancel;
    }
    ask(op);
}
