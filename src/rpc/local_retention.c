#include "rpc/local_retention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/log.h"
#include "rpc/local.h"
#include "storage/partition.h"

enum { US_PER_S = 1000000 };

#define FIRST_ROUND_NS 2000000000ull /* soon after the start */
#define ROUND_NS 60000000000ull

struct retention { /* owner: core 0 */
    struct node *node;
    struct timer timer;
    struct catalog *catalog; /* NULL = no round is at work */
    uint32_t table;          /* next of it */
    const struct schema *schema;
    struct cluster_partitions have;
    struct cluster_ddl request;
    int64_t *starts;
    bool stopping;
    void (*ended)(void *ctx);
    void *ended_ctx;
};

static void next_table(struct retention *x);

static void end_round(struct retention *x)
{
    catalog_put(x->catalog);
    x->catalog = NULL;
    if (x->ended)
        x->ended(x->ended_ctx);
}

static void dropped(struct cluster_ddl *d)
{
    struct retention *x = d->ctx;
    char first[PARTITION_NAME_BYTES], last[PARTITION_NAME_BYTES];

    partition_name(x->schema, x->starts[0], first);
    partition_name(x->schema, x->starts[d->n_partitions - 1], last);
    if (d->rc)
        log_warn("table %s: partitions %s to %s are older than %s, but cannot be dropped: %s",
                 x->schema->name, first, last, x->schema->retention, d->error.text);
    else
        log_info("table %s: %u partitions, %s to %s, dropped: older than %s", x->schema->name,
                 d->n_partitions, first, last, x->schema->retention);
    free(x->starts);
    x->starts = NULL;
    next_table(x);
}

/* Partitions whose last second is too old, the oldest first. */
static uint32_t find_old(struct retention *x, int64_t now_s)
{
    int64_t length = partition_seconds(x->schema), before = now_s - x->schema->retention_s;
    uint32_t n = 0;

    while (n < x->have.n && n < CLUSTER_MAX_PARTITIONS && x->have.list[n].start <= before - length)
        n++;
    x->starts = n ? calloc(n, sizeof(*x->starts)) : NULL;
    if (!x->starts)
        return 0; /* without memory at the next round */
    for (uint32_t i = 0; i < n; i++)
        x->starts[i] = x->have.list[i].start;
    return n;
}

static void told(struct cluster_partitions *p)
{
    struct retention *x = p->ctx;
    struct reactor *r = x->node->locals[NODE_LOG_CORE]->reactor;
    uint32_t n = p->rc || x->stopping ? 0 : find_old(x, (int64_t)reactor_wall_us(r) / US_PER_S);

    free(p->list);
    p->list = NULL;
    if (!n) {
        next_table(x);
        return;
    }
    x->request = (struct cluster_ddl){.kind = CLUSTER_DROP_PARTITION,
                                      .name = x->schema->name,
                                      .table_id = x->schema->table_id,
                                      .partitions = x->starts,
                                      .n_partitions = n,
                                      .done = dropped,
                                      .ctx = x};
    local_ddl_start(&x->node->locals[NODE_LOG_CORE]->base, &x->request);
}

static void next_table(struct retention *x)
{
    while (x->table < x->catalog->n_tables && !x->catalog->tables[x->table]->retention_s)
        x->table++;
    if (x->stopping || x->table == x->catalog->n_tables) {
        end_round(x);
        return;
    }
    x->schema = x->catalog->tables[x->table++];
    x->have = (struct cluster_partitions){.name = x->schema->name, .done = told, .ctx = x};
    local_partitions_start(&x->node->locals[NODE_LOG_CORE]->base, &x->have);
}

static void fired(struct timer *t)
{
    struct retention *x = container_of(t, struct retention, timer);

    timer_arm(reactor_self(), t, ROUND_NS);
    if (x->catalog || atomic_load(&x->node->refusing))
        return;
    x->catalog = catalog_get(shard_catalog(x->node->locals[NODE_LOG_CORE]->shard));
    x->table = 0;
    next_table(x);
}

int retention_start(struct node *n)
{
    struct retention *x = calloc(1, sizeof(*x));

    if (!x)
        return -ENOMEM;
    x->node = n;
    x->timer.fire = fired;
    n->retention = x;
    timer_arm(reactor_self(), &x->timer, FIRST_ROUND_NS);
    return 0;
}

void retention_stop(struct node *n, void (*ended)(void *ctx), void *ctx)
{
    struct retention *x = n->retention;

    if (x) {
        timer_cancel(reactor_self(), &x->timer);
        x->stopping = true;
    }
    if (!x || !x->catalog) {
        ended(ctx);
        return;
    }
    x->ended = ended;
    x->ended_ctx = ctx;
}

void retention_free(struct node *n)
{
    free(n->retention);
    n->retention = NULL;
}
