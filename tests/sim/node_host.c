#include "node_host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/assert.h"
#include "reactor/io.h"
#include "rpc/local.h"
#include "storage/datadir.h"

enum { REWRITE_STEP_ROWS = 7 /* so that writes come in between */, SLOT_BITS_MAX = 4 };

/* A fixed hash seed: the random one of a new directory would spread the keys differently every time. */
static void write_meta(const struct node_host *h, uint64_t seed)
{
    struct datadir d = {.version = DATADIR_VERSION,
                        .slot_bits = h->slot_bits,
                        .hash_seed = seed * 0x9e3779b97f4a7c15u + 7};

    snprintf(d.id, sizeof d.id, "%032d", 1);
    ASSERT(datadir_write_meta(h->dir, &d) == 0);
}

void node_host_init(struct node_host *h, uint64_t seed)
{
    memset(h, 0, sizeof *h);
    h->sim = sim_new(seed);
    h->disk = sim_disk_new(h->sim, 0);
    snprintf(h->dir, sizeof h->dir, "/tmp/quanta-sim-XXXXXX");
    ASSERT(mkdtemp(h->dir));
    h->slot_bits = (unsigned)(sim_random(h->sim) % 4);
    h->log_file_bytes = (uint64_t)16384 << sim_random(h->sim) % 5;
    write_meta(h, seed);
}

void node_host_fini(struct node_host *h)
{
    static const char *const names[] = {"quanta.meta", "quanta.lock"};
    char path[100];

    ASSERT(!h->group);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", h->dir, names[i]);
        ASSERT(unlink(path) == 0);
    }
    ASSERT(rmdir(h->dir) == 0);
    sim_disk_free(h->disk);
    sim_free(h->sim);
}

static int start_core(struct reactor *r, void *ctx)
{
    struct node_host *h = ctx;
    struct error_info err;

    if (reactor_core(r) == 0 && !h->has_dir)
        ASSERT(file_mkdir(r, "/tmp") == 0 && file_sync_dir(r, "/tmp") == 0 &&
               file_mkdir(r, h->dir) == 0 && file_sync_dir(r, h->dir) == 0);
    h->has_dir = true;
    return node_start_core(h->node, r, &err);
}

struct replay {
    struct node_host *host;
    struct error_info err;
    int rc;
    bool done;
};

static void replay(struct reactor *r, void *ctx)
{
    struct replay *p = ctx;

    p->rc = node_replay(p->host->node, r, &p->err);
    p->done = true;
}

/* Now and then more than there are: they are split. 0 = those that there are. */
static unsigned choose_slots(const struct node_host *h)
{
    unsigned bits = h->slot_bits + 1 + (unsigned)(sim_random(h->sim) % 2);

    return bits > SLOT_BITS_MAX || sim_random(h->sim) % 4 ? 0 : 1U << bits;
}

int node_host_boot(struct node_host *h, unsigned cores, unsigned ring_entries, uint64_t memory,
                   struct error_info *err)
{
    struct reactor_config rc = {.cores = cores,
                                .io = REACTOR_IO_SIM,
                                .memory = memory,
                                .ring_entries = ring_entries,
                                .sim_seed = sim_random(h->sim),
                                .sim = h->sim,
                                .sim_disk = h->disk};
    struct node_config nc = {.data_dir = h->dir,
                             .name = "n",
                             .log_file_bytes = h->log_file_bytes,
                             .checkpoint_log = h->checkpoint_log,
                             .slots = choose_slots(h),
                             .splits_slots = true,
                             .rewrite_step_rows = REWRITE_STEP_ROWS,
                             .checkpoint_at_end = h->checkpoint_log % 2};
    struct replay p = {.host = h};
    char text[200];

    ASSERT(reactor_group_new(&rc, &h->group, text, sizeof text) == 0);
    ASSERT(node_new(&nc, h->group, &h->node, &p.err) == 0);
    h->cores = cores;
    h->closed = false;
    p.rc = reactor_group_start(h->group, start_core, h);
    if (p.rc == 0) {
        struct reactor *first = reactor_group_get(h->group, 0);

        h->memory = reactor_budget(first)->limit;
        h->data_memory = local_of(first)->data.limit;
        reactor_post(first, replay, &p);
        scenario_run_until(h->group, &p.done);
    }
    if (p.rc == 0 && h->slot_bits != node_slot_bits(h->node)) {
        h->slot_bits = node_slot_bits(h->node);
        h->splits++;
    }
    *err = p.err;
    return p.rc;
}

void node_host_limit(struct node_host *h, unsigned core, uint64_t bytes, uint64_t data_bytes)
{
    struct reactor *r = reactor_group_get(h->group, core);
    struct local *l = local_of(r);

    reactor_budget(r)->limit = bytes;
    l->data.limit = data_bytes;
    shard_set_store(l->shard, l->store, data_bytes / 16);
}

void node_host_unlimit(struct node_host *h)
{
    for (unsigned i = 0; i < h->cores; i++)
        node_host_limit(h, i, h->memory, h->data_memory);
}

static void log_closed(void *ctx)
{
    struct node_host *h = ctx;

    h->closed = true;
}

static void close_log(struct reactor *r, void *ctx)
{
    struct node_host *h = ctx;

    (void)r;
    node_close(h->node, log_closed, h);
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

void node_host_close_begin(struct node_host *h)
{
    reactor_post(reactor_group_get(h->group, 0), close_log, h);
}

void node_host_halt(struct node_host *h)
{
    node_host_close_begin(h);
    scenario_run_until(h->group, &h->closed);
    reactor_group_stop(h->group, exit_core, NULL);
    node_free(h->node);
    reactor_group_free(h->group);
    h->group = NULL;
    h->node = NULL;
}

void node_host_crash(struct node_host *h, bool power)
{
    if (power)
        sim_crash(h->group);
    else
        sim_kill(h->group);
    node_abandon(h->node);
    node_free(h->node);
    reactor_group_free(h->group);
    h->group = NULL;
    h->node = NULL;
}
