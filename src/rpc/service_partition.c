/* BitmapIndex.PartitionInfo: the time partitions of a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/quanta.pb-c.h"
#include "rpc/service_impl.h"

enum { REQUEST_MEMORY = 4096 };

struct service_partitions { /* owner: the core; until gathered and the call has ended */
    struct rpc_server *server;
    struct grpc_call *call; /* NULL once it ended */
    Quanta__PartitionInfoRequest *request;
    struct cluster_partitions info;
    bool running;
};

static void free_when_ended(struct service_partitions *x)
{
    struct rpc_server *s = x->server;

    if (x->call || x->running)
        return;
    free(x->info.list);
    grpc_proto_free(x->request);
    free(x);
    service_op_ended(s);
}

static void answer(struct service_partitions *x)
{
    Quanta__PartitionInfoReply reply = QUANTA__PARTITION_INFO_REPLY__INIT;
    uint32_t n = x->info.n;
    Quanta__Partition *all = calloc(n + 1, sizeof(*all));
    Quanta__Partition **list = calloc(n + 1, sizeof(*list));

    for (uint32_t i = 0; all && list && i < n; i++) {
        quanta__partition__init(&all[i]);
        all[i].start = x->info.list[i].start;
        all[i].rows = x->info.list[i].rows;
        all[i].bytes = x->info.list[i].bytes;
        all[i].archived = x->info.list[i].archived;
        list[i] = &all[i];
    }
    reply.n_partitions = n;
    reply.partitions = list;
    service_answer(x->server, x->call, all && list ? &reply.base : NULL);
    free(all);
    free(list);
}

static void gathered(struct cluster_partitions *p)
{
    struct service_partitions *x = p->ctx;

    x->running = false;
    if (x->call && p->rc)
        service_finish_error(x->server, x->call, p->rc, &p->error);
    else if (x->call)
        answer(x);
    free_when_ended(x);
}

static void info_message(struct grpc_call *call, const uint8_t *bytes, size_t n)
{
    struct service_partitions *x = call->ctx;
    struct error_info err;
    int rc;

    x->request =
        grpc_proto_unpack(&quanta__partition_info_request__descriptor, bytes, n, REQUEST_MEMORY);
    if (!x->request) {
        service_refuse_request(call, "PartitionInfoRequest");
        return;
    }
    rc = service_check_serving(x->server, &err);
    if (!rc)
        rc = service_check_name(x->request->table, &err);
    if (rc) {
        service_finish_error(x->server, call, rc, &err);
        return;
    }
    x->info.name = x->request->table;
    x->info.done = gathered;
    x->info.ctx = x;
    x->running = true;
    cluster_partitions_start(cluster_of(x->server->r), &x->info);
}

static void info_closed(struct grpc_call *call)
{
    struct service_partitions *x = call->ctx;

    x->call = NULL;
    free_when_ended(x);
}

void service_partitions(struct grpc_call *call, void *server)
{
    struct rpc_server *s = server;
    struct service_partitions *x = service_op_new(s, call, sizeof(*x));

    if (!x)
        return;
    x->server = s;
    x->call = call;
    call->handler =
        (struct grpc_call_handler){.on_message = info_message, .on_closed = info_closed};
    grpc_call_read(call);
}
