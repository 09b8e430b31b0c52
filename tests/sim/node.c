/*
 * A whole node under work: writes, repetitions, queries closed at any moment, definitions, over small rings
 * and small log files, on a disk with faults; stopped, killed or without power at random moments and booted
 * again with another number of cores. Every acknowledged write is there, no row is half written, keys are
 * unique, counts agree with rows, every operation ends.
 */
#include <stdio.h>
#include <stdlib.h>

#include "node_work.h"
#include "reactor/assert.h"

enum {
    LIVES = 4,
    OPERATIONS = 20 /* of each client in each life */,
    CRASH_STEPS = 6000,
    MEMORY = 1 << 28
};

/* A node that crashes leaves its memory behind. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* Which tables are there is known again. */
static void find_tables(struct work *w)
{
    for (unsigned i = 0; i < MODEL_TABLES; i++) {
        struct model_table *t = &w->model.tables[i];
        struct schema *s = work_find(w, reactor_group_get(w->host->group, 0), i);

        if (t->state == MODEL_CHANGING)
            model_change_end(&w->model, t, s != NULL);
        if (s)
            schema_put(s);
    }
}

static void boot(struct work *w, unsigned ring_entries)
{
    struct sim *sim = w->host->sim;

    sim_set_faults(sim, &(struct sim_faults){0});
    w->host->checkpoint_log = sim_random(sim) % 4 ? 1 + sim_random(sim) % 30000 : 0;
    node_host_boot(w->host, 1 + (unsigned)(sim_random(sim) % 4), ring_entries, MEMORY);
    find_tables(w);
    work_verify(w, true);
}

/* In some lives there is little memory left on each core. */
static void limit_memory(struct work *w)
{
    struct sim *sim = w->host->sim;

    w->poor = sim_random(sim) % 5 == 0;
    for (unsigned i = 0; i < w->host->cores; i++) {
        struct budget *b = reactor_budget(reactor_group_get(w->host->group, i));

        b->limit = w->poor ? b->used + sim_random(sim) % (512 << 10) : MEMORY;
    }
}

static void choose_faults(struct work *w)
{
    struct sim *sim = w->host->sim;
    struct sim_faults f = {0};

    if (sim_random(sim) % 3 == 0)
        f.short_write = 200000;
    w->faulty = sim_random(sim) % 6 == 0;
    if (w->faulty) {
        f.write_eio = sim_random(sim) % 2 ? 5000 : 0;
        f.enospc = sim_random(sim) % 2 ? 50000 : 0;
        f.sync_eio = sim_random(sim) % 2 ? 50000 : 0;
    }
    sim_set_faults(sim, &f);
}

struct moment {
    struct work *work;
    uint64_t steps;
};

static bool is_moment(void *ctx)
{
    struct moment *m = ctx;

    return m->work->idle || sim_steps(m->work->host->sim) >= m->steps;
}

static void live(struct work *w, bool crash)
{
    struct sim *sim = w->host->sim;
    struct moment moment = {w, sim_steps(sim) + 1 + sim_random(sim) % CRASH_STEPS};

    choose_faults(w);
    limit_memory(w);
    work_start(w, OPERATIONS);
    if (crash) {
        ASSERT(reactor_sim_run(w->host->group, is_moment, &moment, SCENARIO_STEPS_MAX) == 0);
        node_host_crash(w->host, sim_random(sim) % 3 != 0);
        work_crash(w);
        return;
    }
    scenario_run_until(w->host->group, &w->idle);
    for (unsigned i = 0; i < w->host->cores; i++)
        reactor_budget(reactor_group_get(w->host->group, i))->limit = MEMORY;
    work_verify(w, !w->faulty);
    node_host_halt(w->host);
}

SCENARIO(node)
{
    struct node_host host;
    struct work *w = malloc(sizeof *w);

    ASSERT(w);
    node_host_init(&host, seed);
    work_init(w, &host);
    for (int i = 0; i < LIVES; i++) {
        bool crash = sim_random(host.sim) % 3 != 0;

        if (crash && __lsan_disable)
            __lsan_disable();
        boot(w, 2u << sim_random(host.sim) % 4);
        live(w, crash);
        if (crash && __lsan_enable)
            __lsan_enable();
    }
    boot(w, 2);
    node_host_halt(&host);
    uint64_t hash = sim_trace_hash(host.sim) ^ w->operations << 32 ^ w->failures;
    if (getenv(
            "QUANTA_SIM_FIGURES")) /* to see that a change of the workload still reaches everything */
        fprintf(stderr,
                "%llu operations, %llu writes, %llu repeats, %llu queries, %llu closed early, %llu "
                "failures, %u versions\n",
                (unsigned long long)w->operations, (unsigned long long)w->writes,
                (unsigned long long)w->repeats, (unsigned long long)w->queries,
                (unsigned long long)w->closed_early, (unsigned long long)w->failures,
                w->model.next_version);
    work_fini(w);
    node_host_fini(&host);
    free(w);
    return hash;
}
