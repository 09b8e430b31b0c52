/* The time partitions of a table: every node is asked, one after the other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/partition_list.h"
#include "rpc/refuse.h"
#include "rpc/remote_impl.h"

#define INFO_TIMEOUT_NS 30000000000ull

struct remote_info { /* owner: the core; freed before done */
    struct remote *remote;
    struct cluster_partitions *info;
    unsigned at; /* node being asked */
    struct partition_list all;
    int rc;
    struct error_info error;
    struct client_unary call;
    struct task task;
};

static void ask(struct remote_info *op);

static void task_run(struct task *t)
{
    struct remote_info *op = container_of(t, struct remote_info, task);
    struct cluster_partitions *p = op->info;
    struct remote *x = op->remote;

    p->rc = op->rc;
    p->error = op->error;
    if (op->rc) {
        free(op->all.list);
        op->all = (struct partition_list){0};
    }
    p->list = op->all.list;
    p->n = op->all.n;
    free(op);
    p->done(p);
    remote_op_ended(x);
}

static void finish(struct remote_info *op)
{
    reactor_task(op->remote->r, &op->task, TASK_IO);
}

static void told(struct client_unary *u)
{
    struct remote_info *op = u->ctx;
    const Quanta__PartitionInfoReply *m = u->reply;

    op->rc = u->rc;
    op->error = u->error;
    for (size_t i = 0; !op->rc && i < m->n_partitions; i++) {
        const Quanta__Partition *p = m->partitions[i];
        struct cluster_partition x = {p->start, p->rows, p->bytes, p->archived};
        if (partition_list_add(&op->all, &x))
            op->rc = error_set(&op->error, -ENOMEM, 1037, "out of memory");
    }
    op->at++;
    ask(op);
}

static void ask(struct remote_info *op)
{
    Quanta__PartitionInfoRequest m = QUANTA__PARTITION_INFO_REQUEST__INIT;
    struct remote *x = op->remote;

    if (op->rc || op->at == x->n_nodes) {
        finish(op);
        return;
    }
    const struct remote_node *n = &x->nodes[op->at];
    op->rc = remote_node_unusable(n, &op->error);
    if (!op->rc) {
        m.table = (char *)op->info->name;
        op->call = (struct client_unary){.reply_type = &quanta__partition_info_reply__descriptor,
                                         .done = told,
                                         .who = n->who,
                                         .ctx = op};
        op->rc = client_unary_start(&op->call, n->channel, "/quanta.BitmapIndex/PartitionInfo",
                                    &x->fields, reactor_now_ns(x->r) + INFO_TIMEOUT_NS, &m.base);
        if (op->rc)
            error_set(&op->error, op->rc, 1105, "%s cannot be reached: %s", n->who,
                      strerror(-op->rc));
    }
    if (op->rc)
        finish(op);
}

void remote_partitions_start(struct cluster *c, struct cluster_partitions *p)
{
    struct remote_info *op = calloc(1, sizeof(*op));

    if (!op) {
        refuse_partitions(((struct remote *)c)->r, p);
        return;
    }
    op->remote = (struct remote *)c;
    op->info = p;
    op->task.run = task_run;
    op->remote->busy++;
    ask(op);
}
