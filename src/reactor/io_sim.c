/* Back end of the simulator: gives operations to the fake disk and network. See io_sim.h. */
#include "reactor/io_sim.h"

#include <errno.h>
#include <stdlib.h>

#include "reactor/assert.h"
#include "reactor/sim_impl.h"

#define WALL_START_US 1767225600000000 /* 2026-01-01 00:00 UTC, where every simulation begins */

static int sim_group_init(struct reactor_group *g, char *err, size_t err_len)
{
    struct sim_node *node = sim_alloc(sizeof *node);

    (void)err;
    (void)err_len;
    ASSERT(g->config.sim_host < SIM_HOSTS);
    node->world = g->config.sim;
    node->disk = g->config.sim_disk;
    if (!node->world) {
        node->world = sim_new(g->config.sim_seed);
        node->own_world = true;
    }
    if (!node->disk) {
        node->disk = sim_disk_new(node->world, 0);
        node->own_disk = true;
    }
    g->shared = node;
    sim_add_group(node->world, g);
    return 0;
}

static void sim_group_fini(struct reactor_group *g)
{
    struct sim_node *node = g->shared;

    sim_remove_group(node->world, g);
    if (node->own_disk)
        sim_disk_free(node->disk);
    if (node->own_world)
        sim_free(node->world);
    free(node);
    g->shared = NULL;
}

static int sim_init(struct reactor *r, char *err, size_t err_len)
{
    (void)err;
    (void)err_len;
    r->io = sim_alloc(sizeof(struct sim_core));
    return 0;
}

static int sim_start(struct reactor *r)
{
    (void)r;
    return 0;
}

static void sim_fini(struct reactor *r)
{
    /* The first core takes along what is in flight in the whole group. */
    if (r->core == 0)
        sim_stop_node(r->group, false, false);
    free(r->io);
    r->io = NULL;
}

static void sim_submit(struct reactor *r, struct io_op *op)
{
    struct sim_core *c = r->io;

    op->owner = r;
    io_queue_push(&c->submitted, op);
}

static void sim_cancel_op(struct reactor *r, struct io_op *op)
{
    struct sim_core *c = r->io;

    if (op->in_flight == IO_QUEUED) {
        io_queue_remove(&c->submitted, op);
        reactor_complete(r, op, -ECANCELED);
    } else if (io_is_file_op(op)) {
        sim_disk_cancel(sim_of(r), op);
    } else {
        sim_net_cancel(sim_of(r), op);
    }
}

static void sim_flush(struct reactor *r)
{
    struct sim_core *c = r->io;
    struct io_op *op;

    while ((op = io_queue_pop(&c->submitted)) != NULL) {
        op->in_flight = IO_IN_KERNEL;
        if (io_is_file_op(op))
            sim_disk_start(r, op);
        else
            sim_net_start(r, op);
    }
}

static void sim_poll(struct reactor *r, uint64_t wait_ns)
{
    ASSERT(wait_ns == 0);
    sim_flush(r);
}

static void sim_wake(struct reactor *from, struct reactor *to)
{
    (void)from;
    (void)to;
}

static uint64_t sim_clock_ns(struct reactor *r)
{
    return sim_of(r)->now_ns;
}

static int64_t sim_wall_us(struct reactor *r)
{
    return WALL_START_US + (int64_t)(sim_of(r)->now_ns / 1000);
}

const struct io_backend io_backend_sim = {
    .name = "simulator",
    .is_simulated = true,
    .group_init = sim_group_init,
    .group_fini = sim_group_fini,
    .init = sim_init,
    .start = sim_start,
    .fini = sim_fini,
    .submit = sim_submit,
    .cancel = sim_cancel_op,
    .flush = sim_flush,
    .poll = sim_poll,
    .wake = sim_wake,
    .receive = sim_net_receive,
    .now_ns = sim_clock_ns,
    .wall_us = sim_wall_us,
    .files = &file_backend_sim,
    .sockets = &socket_backend_sim,
};
