/* What the disk and the memory refuse in a life of the node. */
#include "node_work.h"
#include "rpc/local.h"

enum {
    POOR_BYTES = 512 << 10, /* that a core has left at most, when there is little memory */
    ROOM_BYTES = 128 << 10, /* less, and a batch of many partitions is refused after very long */
    STORM_ENOSPC = 1000000, /* every write that makes a file longer */
    SLOW_NS = 20000000,
};

static void choose_disk(struct work *w)
{
    struct sim *sim = w->host->sim;
    struct sim_faults *d = &w->faults.disk;

    d->rot_spares = "/log-"; /* what a damaged log must answer depends on the place */
    if (sim_random(sim) % 3 == 0)
        d->short_write = 200000;
    if (sim_random(sim) % 3 == 0)
        d->short_read = 200000;
    if (sim_random(sim) % 4 == 0)
        d->disk_latency_max_ns = SLOW_NS;
    w->faults.full = sim_random(sim) % 6 == 0;
    w->faults.read_errors = sim_random(sim) % 5 == 0;
    w->faults.write_errors = sim_random(sim) % 8 == 0;
    if (w->faults.full && sim_random(sim) % 2)
        d->enospc = 50000;
    if (w->faults.read_errors) {
        d->rot = sim_random(sim) % 2 ? 100000 : 0;
        d->read_eio = !d->rot || sim_random(sim) % 2 ? 50000 : 0;
    }
    if (w->faults.write_errors) {
        d->sync_eio = sim_random(sim) % 2 ? 50000 : 0;
        d->write_eio = !d->sync_eio || sim_random(sim) % 2 ? 5000 : 0;
    }
}

/* Either statements find little memory, or rows have not even room for those that there are, so that what is clean
 * leaves and is read again. */
static void limit_memory(struct work *w)
{
    struct sim *sim = w->host->sim;
    bool rows = sim_random(sim) % 2;

    for (unsigned i = 0; i < w->host->cores; i++) {
        struct reactor *r = reactor_group_get(w->host->group, i);
        struct budget *all = reactor_budget(r), *data = &local_of(r)->data;
        uint64_t rows_limit = data->used / 4 * 3 + sim_random(sim) % (data->used + 1) + ROOM_BYTES;
        uint64_t limit = all->used + sim_random(sim) % POOR_BYTES;

        if (rows)
            node_host_limit(w->host, i, all->limit, rows_limit);
        else
            node_host_limit(w->host, i, limit, limit / 16 * 15);
    }
}

void work_faults_begin(struct work *w)
{
    w->faults = (struct work_faults){.poor = sim_random(w->host->sim) % 5 == 0};
    choose_disk(w);
    sim_set_faults(w->host->sim, &w->faults.disk);
    if (w->faults.poor)
        limit_memory(w);
}

/* Once in a while the disk is full, and then it is not. */
void work_faults_change(struct work_client *c)
{
    struct work *w = c->work;
    struct sim_faults now = w->faults.disk;

    if (!w->faults.full)
        return;
    if (work_chance(c, 40))
        now.enospc = STORM_ENOSPC;
    sim_set_faults(w->host->sim, &now);
}

void work_faults_end(struct work *w)
{
    sim_set_faults(w->host->sim, &(struct sim_faults){0});
    node_host_unlimit(w->host);
}
