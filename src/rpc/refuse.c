#include "rpc/refuse.h"

#include <errno.h>

#include "rpc/cluster_ops.h"

enum { ER_OUT_OF_MEMORY = 1037 };

static void query_next(struct cluster_query *q)
{
    q->state = CLUSTER_ERROR;
    error_set(&q->error, -ENOMEM, ER_OUT_OF_MEMORY, "out of memory at the start of a query");
    q->on_next(q);
}

static void query_close(struct cluster_query *q)
{
    q->on_closed(q);
}

static const struct cluster_ops refused_ops = {.query_next = query_next,
                                               .query_close = query_close};

void refuse_query(struct cluster_query *q)
{
    static struct cluster_query_impl impl = {&refused_ops}; /* only read */

    q->impl = &impl;
    q->stats = NULL;
    q->n_stats = 0;
}

static void end_write(struct task *t)
{
    struct cluster_write *w = container_of(t, struct cluster_write, refused);

    w->done(w);
}

void refuse_write(struct reactor *r, struct cluster_write *w)
{
    w->result = (struct write_result){0};
    w->rc =
        error_set(&w->error, -ENOMEM, ER_OUT_OF_MEMORY, "out of memory at the start of a write");
    w->refused = (struct task){.run = end_write};
    reactor_task(r, &w->refused, TASK_IO);
}

static void end_ddl(struct task *t)
{
    struct cluster_ddl *d = container_of(t, struct cluster_ddl, refused);

    d->done(d);
}

void refuse_ddl(struct reactor *r, struct cluster_ddl *d)
{
    d->rc = error_set(&d->error, -ENOMEM, ER_OUT_OF_MEMORY,
                      "out of memory at the start of a definition change");
    d->refused = (struct task){.run = end_ddl};
    reactor_task(r, &d->refused, TASK_IO);
}

static void end_partitions(struct task *t)
{
    struct cluster_partitions *p = container_of(t, struct cluster_partitions, refused);

    p->done(p);
}

void refuse_partitions(struct reactor *r, struct cluster_partitions *p)
{
    p->list = NULL;
    p->n = 0;
    p->rc = error_set(&p->error, -ENOMEM, ER_OUT_OF_MEMORY, "out of memory");
    p->refused = (struct task){.run = end_partitions};
    reactor_task(r, &p->refused, TASK_IO);
}
