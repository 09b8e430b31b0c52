#include "rpc/cluster.h"

#include "reactor/assert.h"
#include "reactor/reactor.h"
#include "rpc/cluster_ops.h"
#include "rpc/temporary.h"

struct cluster *cluster_of(struct reactor *r)
{
    return reactor_get_local(r, LOCAL_CLUSTER);
}

struct catalog *cluster_catalog(struct cluster *c)
{
    return c->ops->catalog(c);
}

bool cluster_is_current(const struct cluster *c)
{
    return !c->ops->refresh_start;
}

bool cluster_refresh_start(struct cluster *c, struct cluster_refresh *f)
{
    ASSERT(f->done && !f->is_waiting);
    return c->ops->refresh_start && c->ops->refresh_start(c, f);
}

void cluster_refresh_cancel(struct cluster_refresh *f)
{
    if (!f->is_waiting)
        return;
    f->is_waiting = false;
    list_remove(&f->waiting);
}

void cluster_query_start(struct cluster *c, struct cluster_query *q)
{
    ASSERT(q->program && q->schema && q->on_next && q->on_closed);
    if (q->schema->rows)
        temporary_query_start(q);
    else
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
    if (w->schema->rows)
        temporary_write_start(w);
    else
        c->ops->write_start(c, w);
}

bool cluster_wrote_nothing(struct cluster *c, const struct cluster_write *w)
{
    const struct write_result *r = &w->result;

    if (w->error.code != 1412 || !w->rc ||
        r->inserted + r->updated + r->unchanged + r->deleted + r->rejected)
        return false;
    return c->ops->is_refused_whole && c->ops->is_refused_whole(c, w);
}

void cluster_ddl_start(struct cluster *c, struct cluster_ddl *d)
{
    ASSERT(d->done);
    c->ops->ddl_start(c, d);
}

void cluster_ddl_cancel(struct cluster_ddl *d)
{
    if (d->cancel)
        d->cancel(d);
}

void cluster_partitions_start(struct cluster *c, struct cluster_partitions *p)
{
    ASSERT(p->name && p->done);
    c->ops->partitions_start(c, p);
}

bool cluster_table_stats(struct cluster *c, uint32_t table_id, struct cluster_table_stats *out)
{
    return c->ops->table_stats(c, table_id, out);
}

bool cluster_schema_stats(struct cluster *c, const struct schema *s,
                          struct cluster_table_stats *out)
{
    if (!s->rows)
        return cluster_table_stats(c, s->table_id, out);
    *out = (struct cluster_table_stats){.table_id = s->table_id,
                                        .rows = temporary_rows(s),
                                        .bytes = temporary_memory(s)};
    return true;
}

bool cluster_tables_stats_start(struct cluster *c, struct cluster_tables_stats *t)
{
    if (!c->ops->tables_stats_start)
        return false;
    c->ops->tables_stats_start(c, t);
    return true;
}
