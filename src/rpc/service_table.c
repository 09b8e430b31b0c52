/* BitmapIndex.TableOperation: definitions, applied on every core and logged before they are answered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/quanta.pb-c.h"
#include "rpc/service_impl.h"
#include "storage/catalog_rename.h"

enum { TABLE_REQUEST_MEMORY = 16 << 20 };

struct service_ddl { /* owner: the core; until the definition is applied and the call has ended */
    struct rpc_server *server;
    struct grpc_call *call; /* NULL once it ended */
    Quanta__TableOperationRequest *request;
    struct cluster_ddl ddl;
    bool running;
    struct catalog_rename renames[CATALOG_MAX_RENAMES]; /* into the request */
};

static void free_when_ended(struct service_ddl *x)
{
    struct rpc_server *s = x->server;

    if (x->call || x->running)
        return;
    if (x->ddl.schema)
        schema_put(x->ddl.schema);
    grpc_proto_free(x->request);
    free(x);
    service_op_ended(s);
}

static void ddl_done(struct cluster_ddl *d)
{
    struct service_ddl *x = d->ctx;
    Quanta__TableOperationReply reply = QUANTA__TABLE_OPERATION_REPLY__INIT;

    x->running = false;
    if (x->call && d->rc) {
        service_finish_error(x->server, x->call, d->rc, &d->error);
    } else if (x->call) {
        struct catalog *c = cluster_catalog(cluster_of(x->server->r));
        reply.catalog_version = c->version;
        catalog_put(c);
        service_answer(x->server, x->call, &reply.base);
    }
    free_when_ended(x);
}

/* The definition as text: ids and versions are this node's to give. */
static int read_request(struct service_ddl *x, struct error_info *err)
{
    const Quanta__TableOperationRequest *m = x->request; /* lines of names are cut up in it */
    struct cluster_ddl *d = &x->ddl;

    switch (m->operation) {
    case QUANTA__TABLE_OPERATION_REQUEST__OPERATION__CREATE:
    case QUANTA__TABLE_OPERATION_REQUEST__OPERATION__ALTER:
        d->kind = m->operation == QUANTA__TABLE_OPERATION_REQUEST__OPERATION__ALTER
                      ? CLUSTER_ALTER_TABLE
                      : CLUSTER_CREATE_TABLE;
        int rc =
            schema_parse_yaml("request", m->schema, strlen(m->schema), NULL, NULL, &d->schema, err);
        if (rc)
            return rc;
        d->schema->table_id = 0;
        d->schema->version = 0;
        return 0;
    case QUANTA__TABLE_OPERATION_REQUEST__OPERATION__RENAME:
        d->kind = CLUSTER_RENAME_TABLE;
        d->renames = x->renames;
        if (catalog_renames_parse(m->renames, x->renames, &d->n_renames) == 0)
            return 0;
        return error_set(err, -EINVAL, 1105, "renames: found no pairs of lines; allowed: 1 to %d",
                         CATALOG_MAX_RENAMES);
    case QUANTA__TABLE_OPERATION_REQUEST__OPERATION__DROP:
        d->kind = CLUSTER_DROP_TABLE;
        break;
    case QUANTA__TABLE_OPERATION_REQUEST__OPERATION__TRUNCATE:
        d->kind = CLUSTER_TRUNCATE_TABLE;
        break;
    case QUANTA__TABLE_OPERATION_REQUEST__OPERATION__DROP_PARTITION:
        d->kind = CLUSTER_DROP_PARTITION;
        break;
    case QUANTA__TABLE_OPERATION_REQUEST__OPERATION__ARCHIVE_PARTITION:
        d->kind = CLUSTER_ARCHIVE_PARTITION;
        break;
    case QUANTA__TABLE_OPERATION_REQUEST__OPERATION__RESTORE_PARTITION:
        d->kind = CLUSTER_RESTORE_PARTITION;
        break;
    case QUANTA__TABLE_OPERATION_REQUEST__OPERATION__REWRITE:
        d->kind = CLUSTER_REWRITE_TABLE;
        break;
    default:
        return error_set(err, -EINVAL, 1105, "table operation %d; allowed are 0 to 8",
                         (int)m->operation);
    }
    d->partitions = m->partitions;
    d->n_partitions = m->n_partitions < UINT32_MAX ? (uint32_t)m->n_partitions : UINT32_MAX;
    d->name = m->table;
    return service_check_name(m->table, err);
}

static void ddl_message(struct grpc_call *call, const uint8_t *bytes, size_t n)
{
    struct service_ddl *x = call->ctx;
    struct error_info err;

    x->request = grpc_proto_unpack(&quanta__table_operation_request__descriptor, bytes, n,
                                   TABLE_REQUEST_MEMORY);
    if (!x->request) {
        service_refuse_request(call, "TableOperationRequest");
        return;
    }
    int rc = service_check_serving(x->server, &err);

    if (!rc)
        rc = read_request(x, &err);
    if (rc) {
        service_finish_error(x->server, call, rc, &err);
        return;
    }
    x->ddl.done = ddl_done;
    x->ddl.ctx = x;
    x->running = true;
    cluster_ddl_start(cluster_of(x->server->r), &x->ddl);
}

static void ddl_call_closed(struct grpc_call *call)
{
    struct service_ddl *x = call->ctx;

    x->call = NULL;
    if (x->running)
        cluster_ddl_cancel(&x->ddl);
    free_when_ended(x);
}

void service_table(struct grpc_call *call, void *server)
{
    struct rpc_server *s = server;
    struct service_ddl *x = service_op_new(s, call, sizeof(*x));

    if (!x)
        return;
    x->server = s;
    x->call = call;
    call->handler =
        (struct grpc_call_handler){.on_message = ddl_message, .on_closed = ddl_call_closed};
    grpc_call_read(call);
}
