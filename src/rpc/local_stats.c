#include "rpc/local_stats.h"

#include <stdlib.h>

#include "reactor/list.h"
#include "rpc/core_figures.h"
#include "rpc/local.h"

struct stats_op { /* owner: the core that asked; freed before done */
    struct figures_request request;
    struct cluster_tables_stats *wanted;
};

static void take(const struct schema *s, const struct figures *f, struct cluster_table_stats *out)
{
    *out = (struct cluster_table_stats){.table_id = s->table_id,
                                        .rows = f->rows,
                                        .bytes = f->data,
                                        .index_bytes = f->indexes,
                                        .free_bytes = f->dead};
}

/* Those of this core's slots, scaled to all cores: keys are spread evenly. */
bool local_table_stats(struct cluster *c, uint32_t table_id, struct cluster_table_stats *out)
{
    struct local *l = (struct local *)c;
    const struct schema *s = catalog_find_id(shard_catalog(l->shard), table_id);
    uint64_t cores = l->node->cores;
    struct figures f;

    if (!s)
        return false;
    shard_table_figures(l->shard, table_id, &f);
    take(s, &f, out);
    out->rows *= cores;
    out->bytes *= cores;
    out->index_bytes *= cores;
    out->free_bytes *= cores;
    return true;
}

static void gathered(struct figures_request *q)
{
    struct stats_op *op = q->ctx;
    struct cluster_tables_stats *t = op->wanted;
    struct figures_set *set = q->found;

    t->list = set ? calloc(set->catalog->n_tables + 1, sizeof(*t->list)) : NULL;
    t->n = t->list ? set->catalog->n_tables : 0;
    for (uint32_t i = 0; i < t->n; i++) {
        struct figures f;

        figures_set_table(set, i, &f);
        take(set->catalog->tables[i], &f, &t->list[i]);
    }
    figures_set_free(set);
    free(op);
    t->done(t);
}

static void refused_run(struct task *t)
{
    struct cluster_tables_stats *stats = container_of(t, struct cluster_tables_stats, refused);

    stats->done(stats);
}

void local_tables_stats_start(struct cluster *c, struct cluster_tables_stats *t)
{
    struct local *l = (struct local *)c;
    struct stats_op *op = calloc(1, sizeof(*op));

    if (!op) {
        t->list = NULL;
        t->n = 0;
        t->refused.run = refused_run;
        reactor_task(l->reactor, &t->refused, TASK_IO);
        return;
    }
    op->wanted = t;
    op->request = (struct figures_request){.done = gathered, .ctx = op};
    core_figures_start(l->reactor, l->node, &op->request);
}
