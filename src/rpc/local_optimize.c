/* Rewriting all of a table: every core is asked, and tells when it is through. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/list.h"
#include "rpc/local_rewrite.h"
#include "rpc/refuse.h"

struct optimize_leg {
    struct rewrite_request request; /* first */
    struct optimize_op *op;
};

struct optimize_op { /* owner: the home core; freed before done */
    struct local *home;
    struct cluster_ddl *ddl;
    atomic_bool cancelled;
    unsigned lent;
    int rc;
    struct error_info error;
    struct task task; /* ends one that did not begin */
    struct optimize_leg legs[];
};

static void op_done(struct optimize_op *op)
{
    struct cluster_ddl *d = op->ddl;

    d->rc = op->rc;
    d->error = op->error;
    d->cancel = NULL;
    free(op);
    d->done(d);
}

static void op_task(struct task *t)
{
    op_done(container_of(t, struct optimize_op, task));
}

static void leg_home(struct leg *leg)
{
    struct optimize_leg *l = (struct optimize_leg *)leg;
    struct optimize_op *op = l->op;

    if (l->request.rc && !op->rc) {
        op->rc = l->request.rc;
        op->error = l->request.error;
    }
    if (!--op->lent)
        op_done(op);
}

static void cancel(struct cluster_ddl *d)
{
    struct optimize_op *op = d->impl;

    atomic_store_explicit(&op->cancelled, true, memory_order_relaxed);
}

void local_rewrite_start(struct local *l, struct cluster_ddl *d)
{
    const struct schema *s = catalog_find(shard_catalog(l->shard), d->name, strlen(d->name));
    struct optimize_op *op = calloc(1, sizeof(*op) + l->node->cores * sizeof(struct optimize_leg));

    if (!op) {
        refuse_ddl(l->reactor, d);
        return;
    }
    op->home = l;
    op->ddl = d;
    op->task.run = op_task;
    if (!s) {
        op->rc = error_set(&op->error, -ENOENT, 1146, "Table 'quanta.%s' doesn't exist", d->name);
        reactor_task(l->reactor, &op->task, TASK_IO);
        return;
    }
    d->impl = op;
    d->cancel = cancel;
    op->lent = l->node->cores;
    for (unsigned i = 0; i < l->node->cores; i++) {
        struct optimize_leg *x = &op->legs[i];
        x->op = op;
        x->request.table_id = s->table_id;
        x->request.cancelled = &op->cancelled;
        x->request.leg.run = rewrite_request_run;
        x->request.leg.done = leg_home;
    }
    for (unsigned i = 0; i < l->node->cores; i++)
        leg_send(l->reactor, &op->legs[i].request.leg, i, LEG_REQUEST);
}
