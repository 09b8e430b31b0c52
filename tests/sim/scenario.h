#pragma once
/*
 * Scenarios of the simulator: each runs one seed from start to end and checks its invariants with
 * ASSERT. quanta-sim runs all of them for a range of seeds; a failure names scenario and seed.
 */
#include <stdbool.h>
#include <stdint.h>

#include "reactor/io_sim.h"
#include "reactor/reactor.h"

/* Static, registered before main. run answers a hash of what happened: the same seed must give it again. */
struct scenario {
    const char *name;
    uint64_t (*run)(uint64_t seed);
    void (*report)(void); /* figures of all seeds to stdout; NULL = there are none */
    struct scenario *next;
};

void scenario_add(struct scenario *s);

#define SCENARIO(id) SCENARIO_WITH_REPORT(id, NULL)

#define SCENARIO_WITH_REPORT(id, report)                                  \
    static uint64_t id##_run(uint64_t seed);                              \
    static struct scenario id##_scenario = {#id, id##_run, report, NULL}; \
    __attribute__((constructor)) static void id##_register(void)          \
    {                                                                     \
        scenario_add(&id##_scenario);                                     \
    }                                                                     \
    static uint64_t id##_run(uint64_t seed)

enum { SCENARIO_STEPS_MAX = 10000000 };

/* A group in world w that has started; its start function does nothing. */
struct reactor_group *scenario_group(struct sim *w, struct sim_disk *disk, unsigned host,
                                     unsigned cores, unsigned ring_entries);

/* Runs until *flag; not getting there is a failure of liveness. */
void scenario_run_until(struct reactor_group *g, const bool *flag);

/* Lets every core end and frees the group. */
void scenario_stop(struct reactor_group *g);
