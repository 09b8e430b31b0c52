/*
 * Stall watchdog: a thread that looks once a second whether each core that is awake went round its
 * loop, and writes one line per stall. Owner: the group, from start to stop.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "reactor/core.h"
#include "reactor/log.h"
#include "reactor/thread.h"

struct watched {
    uint64_t turns;    /* when last looked */
    uint64_t since_ns; /* since when it stands there */
    uint64_t cpu_ns;   /* cpu time of the thread then */
    bool reported;
};

struct watchdog {
    struct reactor_group *group;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stopping;
    struct watched cores[];
};

#define STALL_NS 1000000000ull

static uint64_t cpu_time_ns(const struct reactor *r)
{
    clockid_t clock;
    struct timespec ts;

    if (pthread_getcpuclockid(r->thread, &clock) != 0 || clock_gettime(clock, &ts) != 0)
        return 0;
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void look_at(struct reactor *r, struct watched *w, uint64_t now)
{
    uint64_t turns = atomic_load_explicit(&r->counters.turns, memory_order_relaxed);
    uint64_t cpu;

    if (turns != w->turns || w->since_ns == 0 || atomic_load(&r->sleeping)) {
        if (w->reported)
            log_warn("reactor: core %u goes on after %llu ms", r->core,
                     (unsigned long long)((now - w->since_ns) / 1000000));
        *w = (struct watched){.turns = turns, .since_ns = now, .cpu_ns = cpu_time_ns(r)};
        return;
    }
    if (w->reported || now - w->since_ns < STALL_NS)
        return;
    cpu = cpu_time_ns(r);
    w->reported = true;
    /* Little cpu time means the machine or a blocking call stopped it, not a long computation. */
    log_warn("reactor: core %u has not turned for %llu ms (%llu ms of cpu time)", r->core,
             (unsigned long long)((now - w->since_ns) / 1000000),
             (unsigned long long)((cpu - w->cpu_ns) / 1000000));
}

static void *watchdog_main(void *arg)
{
    struct watchdog *d = arg;
    struct timespec next;

    pthread_setname_np(pthread_self(), "watchdog");
    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&d->lock);
    while (!d->stopping) {
        for (unsigned i = 0; i < d->group->count; i++)
            look_at(d->group->cores[i], &d->cores[i], clock_now_ns(NULL));
        clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_sec++;
        while (!d->stopping && pthread_cond_timedwait(&d->stopped, &d->lock, &next) != ETIMEDOUT)
            ;
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

int watchdog_start(struct reactor_group *g)
{
    struct watchdog *d = calloc(1, sizeof *d + g->count * sizeof *d->cores);
    pthread_condattr_t attr;

    if (!d)
        return -ENOMEM;
    d->group = g;
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&d->stopped, &attr);
    pthread_condattr_destroy(&attr);
    if (thread_create_quiet(&d->thread, watchdog_main, d) != 0) {
        /* The cores run without it. */
        log_warn("reactor: no thread for the stall watchdog");
        free(d);
        return 0;
    }
    g->watchdog = d;
    return 0;
}

void watchdog_stop(struct reactor_group *g)
{
    struct watchdog *d = g->watchdog;

    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    pthread_cond_signal(&d->stopped);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->stopped);
    free(d);
    g->watchdog = NULL;
}
