/* Refreshes of a gateway's catalog, with two nodes as groups of cores in this process. Each script of steps runs on the
 * gateway's core, so what has not been answered yet is certain. */
#include "unit/reactor/cores.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/node.h"
#include "rpc/remote_impl.h"
#include "rpc/service.h"

enum { NODES = 2 };

struct host { /* a node of one core */
    char dir[64], name[16];
    struct reactor_group *group;
    struct node *node;
    uint16_t port;
};

struct world {
    struct host hosts[NODES], *host;
    struct reactor_group *gateway;
    struct remote *remote;
    struct remote_config config;
    char list[128];
    sem_t done;
    int rc;
    struct error_info error;
    struct cluster_ddl ddl;
    struct cluster_refresh first, second;
    unsigned ended;
    bool stopped;
};

static void finish(struct world *w, int rc)
{
    w->rc = rc;
    sem_post(&w->done);
}

static int call(struct world *w, struct reactor_group *g, void (*fn)(struct reactor *r, void *ctx))
{
    reactor_post(reactor_group_get(g, 0), fn, w);
    while (sem_wait(&w->done))
        continue;
    return w->rc;
}

static int start_core(struct reactor *r, void *ctx)
{
    struct error_info err;

    return node_start_core(((struct host *)ctx)->node, r, &err);
}

static void replay(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    finish(w, node_replay(w->host->node, r, &w->error));
}

static void serve(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    finish(w, rpc_server_start(r, w->host->node, "127.0.0.1", 0, &w->host->port, w->error.text,
                               sizeof(w->error.text)));
}

static void boot_host(struct world *w, unsigned i)
{
    struct host *h = w->host = &w->hosts[i];
    struct reactor_config rc = {.cores = 1, .memory = 1 << 30};
    struct node_config nc = {.data_dir = h->dir,
                             .name = h->name,
                             .slots = 8,
                             .log_file_bytes = 1 << 20};
    char command[256];

    snprintf(h->name, sizeof(h->name), "n%u", i);
    snprintf(h->dir, sizeof(h->dir), "/tmp/quanta-refresh-XXXXXX");
    cr_assert(mkdtemp(h->dir));
    if (i) { /* nodes of a cluster share the seed of the first */
        snprintf(command, sizeof(command), "cp %s/quanta.meta %s/", w->hosts[0].dir, h->dir);
        cr_assert_eq(system(command), 0);
    }
    h->group = cores_new(&rc);
    cr_assert_eq(node_new(&nc, h->group, &h->node, &w->error), 0, "%s", w->error.text);
    cr_assert_eq(reactor_group_start(h->group, start_core, h), 0);
    cr_assert_eq(call(w, h->group, replay), 0, "%s", w->error.text);
    cr_assert_eq(call(w, h->group, serve), 0, "%s", w->error.text);
}

static void drained(void *ctx)
{
    finish(ctx, 0);
}

static void drain(struct reactor *r, void *ctx)
{
    rpc_server_drain(r, drained, ctx);
}

static void close_log(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    (void)r;
    node_close(w->host->node, drained, w);
}

static void halt_host(struct world *w, struct host *h)
{
    char command[128];

    w->host = h;
    call(w, h->group, drain);
    call(w, h->group, close_log);
    reactor_group_stop(h->group, cores_exit, NULL);
    node_free(h->node);
    reactor_group_free(h->group);
    snprintf(command, sizeof(command), "rm -rf %s", h->dir);
    cr_assert_eq(system(command), 0);
}

static void ready(void *ctx, int rc, const struct error_info *err)
{
    struct world *w = ctx;

    w->error = *err;
    finish(w, rc);
}

static void connect_cluster(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    int rc = remote_cluster_start(r, &w->config, ready, w, &w->error);
    if (rc)
        finish(w, rc);
    w->remote = (struct remote *)cluster_of(r);
}

static void stopped(void *ctx)
{
    struct world *w = ctx;

    w->stopped = true;
    finish(w, 0);
}

static void disconnect_cluster(struct reactor *r, void *ctx)
{
    remote_cluster_stop(r, stopped, ctx);
}

static void boot(struct world *w)
{
    memset(w, 0, sizeof(*w));
    sem_init(&w->done, 0, 0);
    for (unsigned i = 0; i < NODES; i++)
        boot_host(w, i);
    snprintf(w->list, sizeof(w->list), "127.0.0.1:%u,127.0.0.1:%u", w->hosts[0].port,
             w->hosts[1].port);
    w->config.nodes = w->list;
    w->gateway = cores_start(REACTOR_IO_AUTO, 1, 0);
    cr_assert_eq(call(w, w->gateway, connect_cluster), 0, "%s", w->error.text);
}

static void halt(struct world *w)
{
    if (!w->stopped)
        call(w, w->gateway, disconnect_cluster);
    cores_stop(w->gateway);
    for (unsigned i = 0; i < NODES; i++)
        halt_host(w, &w->hosts[i]);
}

static void ddl_done(struct cluster_ddl *d)
{
    struct world *w = d->ctx;

    schema_put(d->schema);
    w->error = d->error;
    finish(w, d->rc);
}

/* On a node, behind the gateway's back. */
static void create_table(struct reactor *r, void *ctx)
{
    struct world *w = ctx;
    struct schema *s = schema_new("t");

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &w->error), 0, "%s", w->error.text);
    w->ddl =
        (struct cluster_ddl){.kind = CLUSTER_CREATE_TABLE, .schema = s, .done = ddl_done, .ctx = w};
    cluster_ddl_start(cluster_of(r), &w->ddl);
}

static bool knows_table(struct world *w)
{
    struct catalog *c = cluster_catalog(&w->remote->base);
    bool found = catalog_find(c, "t", 1) != NULL;

    catalog_put(c);
    return found;
}

static struct world *world_of(struct cluster_refresh *f)
{
    return f->ctx;
}

static void ended_found(struct cluster_refresh *f)
{
    world_of(f)->ended++;
    finish(world_of(f), knows_table(world_of(f)) ? 0 : -1);
}

static void ended(struct cluster_refresh *f)
{
    world_of(f)->ended++;
}

static bool refresh(struct world *w, struct cluster_refresh *f,
                    void (*done)(struct cluster_refresh *f))
{
    *f = (struct cluster_refresh){.done = done, .ctx = w};
    return cluster_refresh_start(&w->remote->base, f);
}

static void refresh_and_find(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    (void)r;
    if (!refresh(w, &w->first, ended_found))
        finish(w, -ENOTCONN);
}

Test(remote_refresh, finds_what_was_made_before_it)
{
    struct world w;

    boot(&w);
    cr_assert_not(cluster_is_current(&w.remote->base));
    for (unsigned i = 0; i < NODES; i++)
        cr_assert_eq(call(&w, w.hosts[i].group, create_table), 0, "%s", w.error.text);
    cr_assert_eq(call(&w, w.gateway, refresh_and_find), 0);
    halt(&w);
}

static void first_ended(struct cluster_refresh *f)
{
    struct world *w = world_of(f);

    w->ended++;
    cr_expect(w->second.is_waiting, "the poll that was running when it began did not count");
}

static void second_ended(struct cluster_refresh *f)
{
    struct world *w = world_of(f);

    cr_expect_eq(w->ended, 1);
    for (unsigned i = 0; i < NODES; i++)
        cr_expect_geq(w->remote->nodes[i].answered_for, f->number);
    finish(w, 0);
}

static void refresh_twice(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    (void)r;
    cr_expect(refresh(w, &w->first, first_ended));
    for (unsigned i = 0; i < NODES; i++)
        cr_expect(w->remote->nodes[i].polling);
    cr_expect(refresh(w, &w->second, second_ended));
}

Test(remote_refresh, running_poll_does_not_count)
{
    struct world w;

    boot(&w);
    call(&w, w.gateway, refresh_twice);
    halt(&w);
}

static void lose_one(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    (void)r;
    cr_expect(refresh(w, &w->first, ended_found));
    grpc_channel_reset(w->remote->nodes[1].channel, "test");
    cr_expect_eq(w->ended, 0, "from the loop only");
}

static void ask_nobody(struct reactor *r, void *ctx)
{
    struct world *w = ctx;
    enum remote_node_state was[NODES];

    (void)r;
    for (unsigned i = 0; i < NODES; i++) {
        was[i] = w->remote->nodes[i].state;
        w->remote->nodes[i].state = NODE_DOWN;
    }
    cr_expect_not(refresh(w, &w->first, ended_found), "no node can be asked");
    for (unsigned i = 0; i < NODES; i++)
        w->remote->nodes[i].state = was[i];
    finish(w, 0);
}

Test(remote_refresh, lost_node_is_not_waited_for)
{
    struct world w;

    boot(&w);
    cr_assert_eq(call(&w, w.gateway, lose_one), -1);
    cr_assert_eq(w.ended, 1);
    call(&w, w.gateway, ask_nobody);
    halt(&w);
}

static void cancel_one(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    (void)r;
    cr_expect(refresh(w, &w->first, ended));
    cr_expect(refresh(w, &w->second, ended_found));
    cluster_refresh_cancel(&w->first);
    cluster_refresh_cancel(&w->first);
}

Test(remote_refresh, cancelled)
{
    struct world w;

    boot(&w);
    call(&w, w.gateway, cancel_one);
    cr_assert_eq(w.ended, 1, "only the other one");
    halt(&w);
}

static void stop_waiting(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    cr_expect(refresh(w, &w->first, ended));
    remote_cluster_stop(r, stopped, w);
}

Test(remote_refresh, stop_ends_it)
{
    struct world w;

    boot(&w);
    call(&w, w.gateway, stop_waiting);
    cr_assert_eq(w.ended, 1);
    halt(&w);
}
