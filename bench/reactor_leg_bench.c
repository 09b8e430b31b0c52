/*
 * Cross-core calls: time of one leg there and back with one in flight (spinning and sleeping cores), and legs
 * per second with many in flight. One JSON line per case.
 */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "reactor/core.h"
#include "reactor/log.h"

enum { IN_FLIGHT_MAX = 1024 };

static struct {
    struct leg legs[IN_FLIGHT_MAX];
    unsigned in_flight, returned;
    uint64_t left, started_ns, ended_ns;
    unsigned target;
    sem_t done;
} run;

static void shard_run(struct leg *l)
{
    leg_reply(reactor_self(), l);
}

static void home_done(struct leg *l)
{
    struct reactor *r = reactor_self();

    if (run.left > 0) {
        run.left--;
        leg_send(r, l, run.target, LEG_REQUEST);
        return;
    }
    if (++run.returned < run.in_flight)
        return;
    run.ended_ns = clock_now_ns(r);
    sem_post(&run.done);
}

static void start(struct reactor *r, void *ctx)
{
    (void)ctx;
    run.returned = 0;
    run.started_ns = clock_now_ns(r);
    for (unsigned i = 0; i < run.in_flight; i++) {
        run.legs[i] = (struct leg){.run = shard_run, .done = home_done};
        leg_send(r, &run.legs[i], run.target, LEG_REQUEST);
    }
}

static void set_spin(struct reactor *r, void *ctx)
{
    r->spin_ns = *(uint64_t *)ctx;
    sem_post(&run.done);
}

static void measure(struct reactor_group *g, const char *name, unsigned in_flight, uint64_t legs,
                    uint64_t spin_ns)
{
    double ns;

    for (unsigned i = 0; i < 2; i++) {
        reactor_post(reactor_group_get(g, i), set_spin, &spin_ns);
        sem_wait(&run.done);
    }
    run.in_flight = in_flight;
    run.left = legs;
    reactor_post(reactor_group_get(g, 0), start, NULL);
    sem_wait(&run.done);
    ns = (double)(run.ended_ns - run.started_ns);
    printf("{\"bench\":\"reactor_leg\",\"case\":\"%s\",\"io\":\"%s\",\"in_flight\":%u,\"ns_per_"
           "leg\":%.1f,"
           "\"legs_per_s\":%.0f}\n",
           name, reactor_group_io_name(g), in_flight, ns / (double)(legs + in_flight),
           (double)(legs + in_flight) / ns * 1e9);
    fflush(stdout);
}

static int start_nothing(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    return 0;
}

static void stop(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

int main(void)
{
    static const enum reactor_io backs[] = {REACTOR_IO_URING, REACTOR_IO_EPOLL};

    log_level = LOG_ERROR;
    sem_init(&run.done, 0, 0);
    for (unsigned b = 0; b < 2; b++) {
        struct reactor_config config = {.cores = 2, .io = backs[b], .pin = true};
        struct reactor_group *g;
        char err[200];

        if (reactor_group_new(&config, &g, err, sizeof err) != 0) {
            fprintf(stderr, "reactor_leg_bench: %s\n", err);
            continue;
        }
        if (reactor_group_start(g, start_nothing, NULL) != 0)
            return 1;
        run.target = 1;
        measure(g, "round trip, cores spin", 1, 1000000, 20000);
        measure(g, "round trip, cores sleep", 1, 100000, 0);
        measure(g, "many in flight", 64, 5000000, 20000);
        measure(g, "more than credits", IN_FLIGHT_MAX, 5000000, 20000);
        run.target = 0;
        measure(g, "own core", 1, 2000000, 20000);
        reactor_group_stop(g, stop, NULL);
        reactor_group_free(g);
    }
    return 0;
}
