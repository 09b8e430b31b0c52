/*
 * A whole node under work: writes, repetitions, queries closed at any moment, definitions, over small rings
 * and small log files, on a disk with faults and in little memory; stopped, killed or without power at random moments
 * and booted again with another number of cores. Every acknowledged write is there, no row is half written, none that
 * was deleted comes back, keys are unique, counts agree with rows, every operation ends.
 */
#include <stdio.h>
#include <stdlib.h>

#include "node_work.h"
#include "reactor/assert.h"
#include "rpc/local.h"
#include "storage/store.h"

enum {
    OPERATIONS_LEAST = 2000, /* of a seed */
    CRASHES_LEAST = 3,
    LIFE_OPERATIONS = 100, /* of each client at most */
    CLOSE_STEPS = 600,
    RESUME_OPERATIONS = 5, /* of each client */
    MEMORY = 1 << 28
};

#define RESUME_NS 5000000000 /* after which there is room again */

/* A node that crashes leaves its memory behind. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

enum end { END_AT_WORK, END_WHEN_IDLE, END_WHILE_CLOSING, END_IN_ORDER };

/* Which tables are there is known again. */
static void find_tables(struct work *w)
{
    for (unsigned i = 0; i < CONTENT_TABLES; i++) {
        struct model_table *t = &w->model.tables[i];
        struct schema *s = work_find(w, reactor_group_get(w->host->group, 0), i);

        if (t->state == MODEL_CHANGING)
            model_change_end(&w->model, t, s != NULL);
        t->altering = false;
        if (s) {
            t->added = content_added(s, i);
            schema_put(s);
        }
    }
}

static void note_figures(struct work *w)
{
    struct node_checkpoint_stats c;
    struct wlog_stats l;
    struct store_stats s;

    node_checkpoint_stats(w->host->node, &c);
    node_log_stats(w->host->node, &l);
    w->counts.checkpoints += c.rounds;
    w->counts.failed_checkpoints += c.failed;
    w->counts.log_records += l.records;
    for (unsigned i = 0; i < w->host->cores; i++) {
        store_get_stats(local_of(reactor_group_get(w->host->group, i))->store, &s);
        w->counts.chunks_read += s.reads;
    }
}

static void crash(struct work *w)
{
    bool power = sim_random(w->host->sim) % 3 != 0;

    note_figures(w);
    *(power ? &w->counts.power_losses : &w->counts.kills) += 1;
    node_host_crash(w->host, power);
}

static int boot_once(struct work *w, struct error_info *err)
{
    struct sim *sim = w->host->sim;

    w->host->checkpoint_log = sim_random(sim) % 4 ? 1 + sim_random(sim) % 60000 : 0;
    return node_host_boot(w->host, 1 + (unsigned)(sim_random(sim) % 4), 2u << sim_random(sim) % 4,
                          MEMORY, err);
}

/* A disk with faults may let the start fail; that must not have done any harm. */
static bool boot_with_faults(struct work *w)
{
    struct sim *sim = w->host->sim;
    struct error_info err = {0};
    struct sim_faults f = {.rot_spares = "/log-"};

    f.rot = sim_random(sim) % 3 ? 0 : 100000;
    f.read_eio = sim_random(sim) % 3 ? 0 : 50000;
    f.enospc = sim_random(sim) % 3 ? 0 : 200000;
    f.sync_eio = sim_random(sim) % 3 ? 0 : 200000;
    sim_set_faults(sim, &f);
    if (boot_once(w, &err) == 0)
        return true;
    w->counts.failed_boots++;
    ASSERT(err.text[0]);
    node_host_crash(w->host, sim_random(sim) % 3 != 0);
    return false;
}

static void boot(struct work *w, bool rough)
{
    struct error_info err = {0};

    w->faults = (struct work_faults){.write_errors = true, .read_errors = true, .full = true};
    if (!rough || !w->counts.lives || !boot_with_faults(w)) {
        w->faults = (struct work_faults){0};
        sim_set_faults(w->host->sim, &(struct sim_faults){0});
        int rc = boot_once(w, &err);
        if (rc)
            fprintf(stderr, "sim: %s\n", err.text);
        ASSERT(rc == 0);
    }
    sim_set_faults(w->host->sim, &(struct sim_faults){0});
    w->counts.lives++;
    w->counts.splits = w->host->splits;
    find_tables(w);
    work_settle_partitions(w);
    work_verify(w, true);
}

struct moment {
    struct work *work;
    uint64_t operations, steps;
};

/* After so many operations, and then in the middle of others. */
static bool is_moment(void *ctx)
{
    struct moment *m = ctx;

    if (m->work->idle)
        return true;
    if (m->work->counts.ended < m->operations)
        return false;
    return m->steps-- == 0;
}

static void work_until_moment(struct work *w)
{
    struct sim *sim = w->host->sim;
    unsigned size = (unsigned)(sim_random(sim) % 10);
    struct moment m = {w, w->counts.ended + (sim_random(sim) & ((1u << size) - 1)),
                       sim_random(sim) % 200};

    ASSERT(reactor_sim_run(w->host->group, is_moment, &m, SCENARIO_STEPS_MAX) == 0);
}

static bool is_closing_over(void *ctx)
{
    struct moment *m = ctx;

    return m->work->host->closed || m->steps-- == 0;
}

static void close_in_part(struct work *w)
{
    struct moment m = {w, 0, sim_random(w->host->sim) % CLOSE_STEPS};

    node_host_close_begin(w->host);
    ASSERT(reactor_sim_run(w->host->group, is_closing_over, &m, SCENARIO_STEPS_MAX) == 0);
}

struct pause {
    struct sim *sim;
    uint64_t until_ns;
};

static bool is_over(void *ctx)
{
    const struct pause *p = ctx;

    return sim_now_ns(p->sim) >= p->until_ns;
}

/* A disk that was full and is no more: soon afterwards writes are taken. */
static void resume(struct work *w)
{
    struct sim *sim = w->host->sim;
    struct pause p = {sim, sim_now_ns(sim) + RESUME_NS};

    ASSERT(reactor_sim_run(w->host->group, is_over, &p, SCENARIO_STEPS_MAX) == 0);
    w->faults.full = false;
    work_start(w, RESUME_OPERATIONS);
    scenario_run_until(w->host->group, &w->idle);
    w->faults.full = true;
}

static void run_life(struct work *w, enum end end)
{
    work_faults_begin(w);
    work_start(w, 1 + (unsigned)(sim_random(w->host->sim) % LIFE_OPERATIONS));
    if (end == END_AT_WORK) {
        work_until_moment(w);
        crash(w);
        work_crash(w);
        return;
    }
    scenario_run_until(w->host->group, &w->idle);
    if (end == END_WHEN_IDLE || end == END_WHILE_CLOSING) {
        if (end == END_WHILE_CLOSING)
            close_in_part(w);
        crash(w);
        return;
    }
    work_faults_end(w);
    if (w->faults.full && !w->faults.write_errors && !w->faults.poor)
        resume(w);
    work_verify(w, !w->faults.write_errors && !w->faults.full);
    note_figures(w);
    node_host_halt(w->host);
    w->counts.clean_ends++;
}

static void live(struct work *w, enum end end, bool rough)
{
    bool leaves = end != END_IN_ORDER || rough;

    if (leaves && __lsan_disable)
        __lsan_disable();
    boot(w, rough);
    run_life(w, end);
    if (leaves && __lsan_enable)
        __lsan_enable();
}

static enum end choose_end(struct sim *sim)
{
    unsigned n = (unsigned)(sim_random(sim) % 10);

    return n < 5 ? END_AT_WORK : n < 6 ? END_WHEN_IDLE : n < 7 ? END_WHILE_CLOSING : END_IN_ORDER;
}

static bool is_enough(const struct work *w)
{
    return work_operations(&w->counts) >= OPERATIONS_LEAST &&
           w->counts.power_losses + w->counts.kills >= CRASHES_LEAST;
}

SCENARIO_WITH_REPORT(node, work_print_report)
{
    struct node_host host;
    struct work *w = malloc(sizeof *w);

    ASSERT(w);
    node_host_init(&host, seed);
    work_init(w, &host);
    while (!is_enough(w))
        live(w, choose_end(host.sim), sim_random(host.sim) % 8 == 0);
    boot(w, false);
    node_host_halt(&host);
    uint64_t hash = sim_trace_hash(host.sim) ^ w->counts.ended << 32 ^ w->counts.failures;
    work_report(w, seed);
    work_fini(w);
    node_host_fini(&host);
    free(w);
    return hash;
}
