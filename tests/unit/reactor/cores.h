#pragma once
/*
 * Help for tests that need running cores: groups of any back end, and gates that the test thread waits
 * at, by a condition variable with threads and by turning the cores in the simulator.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "reactor/assert.h"
#include "reactor/core.h"
#include "reactor/log.h"
#include "reactor/reactor.h"

enum { GATE_SECONDS = 1000, SIM_STEPS = 50000000 };

/* Counts events; waits for a number of them. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long count;
    long wanted;
};

#define GATE_INIT                                                              \
    {                                                                          \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER \
    }

static inline void gate_add(struct gate *g, long n)
{
    pthread_mutex_lock(&g->lock);
    g->count += n;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* Forgets what was counted; a core may be adding at the same time. */
static inline void gate_reset(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->count = 0;
    pthread_mutex_unlock(&g->lock);
}

static inline bool gate_reached(void *ctx)
{
    struct gate *g = ctx;
    bool reached;

    pthread_mutex_lock(&g->lock);
    reached = g->count >= g->wanted;
    pthread_mutex_unlock(&g->lock);
    return reached;
}

static inline void gate_wait(struct reactor_group *group, struct gate *g, long wanted)
{
    struct timespec end;
    int rc = 0;

    g->wanted = wanted;
    if (group->backend->is_simulated) {
        rc = reactor_sim_run(group, gate_reached, g, SIM_STEPS);
        cr_assert(rc == 0, "simulation ended with %d at %ld of %ld", rc, g->count, wanted);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += GATE_SECONDS;
    pthread_mutex_lock(&g->lock);
    while (g->count < wanted && rc == 0)
        rc = pthread_cond_timedwait(&g->changed, &g->lock, &end);
    pthread_mutex_unlock(&g->lock);
    cr_assert(rc == 0, "waited in vain at %ld of %ld", g->count, wanted);
}

static inline int cores_start_nothing(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    return 0;
}

static inline struct reactor_group *cores_new(const struct reactor_config *config)
{
    struct reactor_group *g;
    char err[200] = "";
    int rc;

    if (log_level == LOG_INFO) /* a test that provokes warnings sets LOG_ERROR before */
        log_level = LOG_WARN;
    rc = reactor_group_new(config, &g, err, sizeof err);
    if (rc != 0 && config->io == REACTOR_IO_URING)
        cr_skip_test("io_uring is refused here");
    cr_assert(rc == 0, "%s", err);
    return g;
}

static inline struct reactor_group *cores_start(enum reactor_io io, unsigned count, unsigned ring)
{
    struct reactor_config config = {.cores = count, .io = io, .ring_entries = ring, .sim_seed = 42};
    struct reactor_group *g = cores_new(&config);

    cr_assert(reactor_group_start(g, cores_start_nothing, NULL) == 0);
    return g;
}

static inline void cores_exit(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static inline void cores_stop(struct reactor_group *g)
{
    reactor_group_stop(g, cores_exit, NULL);
    reactor_group_free(g);
}

/* One test per back end for a scenario `static void name(enum reactor_io io)`. */
#define BACK_ENDS(suite, name)  \
    Test(suite, name##_uring)   \
    {                           \
        name(REACTOR_IO_URING); \
    }                           \
    Test(suite, name##_epoll)   \
    {                           \
        name(REACTOR_IO_EPOLL); \
    }                           \
    Test(suite, name##_sim)     \
    {                           \
        name(REACTOR_IO_SIM);   \
    }
