#include "rpc/cluster.h"

#include "reactor/assert.h"
#include "reactor/reactor.h"
#include "rpc/cluster_ops.h"

struct cluster *cluster_of(struct reactor *r)
{
    return reactor_get_local(r, LOCAL_CLUSTER);
}

struct catalog *cluster_catalog(struct cluster *c)
{
    return c->ops->catalog(c);
}

void cluster_query_start(struct cluster *c, struct cluster_query *q)
{
    ASSERT(q->program && q->schema && q->on_next && q->on_closed);
    c->ops->query_start(c, q);
}

void cluster_query_next(struct cluster_query *q)
{
    struct cluster_query_impl *impl = q->impl;

    impl->ops->query_next(q);
}

void cluster_query_close(struct cluster_query *q)
{
    struct cluster_query_impl *impl = q->impl;

    impl->ops->query_close(q);
}

void cluster_write_start(struct cluster *c, struct cluster_write *w)
{
    ASSERT(w->schema && w->done);
    c->ops->write_start(c, w);
}

void cluster_ddl_start(struct cluster *c, struct cluster_ddl *d)
{
    ASSERT(d->done);
    c->ops->ddl_start(c, d);
}

bool cluster_table_stats(struct cluster *c, uint32_t table_id, struct cluster_table_stats *out)
{
    return c->ops->table_stats(c, table_id, out);
}
