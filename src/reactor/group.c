/* A group of cores: choice of back end, threads, start and stop. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "reactor/assert.h"
#include "reactor/core.h"
#include "reactor/jemalloc.h"
#include "reactor/log.h"
#include "reactor/resolver.h"
#include "reactor/thread.h"

enum { RING_ENTRIES_DEFAULT = 128, RING_ENTRIES_MAX = 1 << 16 };

/* Longer than the way there and back between two awake cores (about 1 us), shorter than a sleep and
 * a wake-up (5 to 50 us on virtual machines): waiting longer than this rarely pays. */
#define SPIN_NS 20000

/* Part of the memory limit that cores may plan with; the rest is for stacks, code, page cache. */
enum { MEMORY_SHARE_PERCENT = 75 };

/* What the process has besides: code, libraries, stacks, rings; of a small memory a sixteenth at most. */
enum { PROCESS_BYTES = 16 << 20, PROCESS_PART = 16 };

static uint64_t without_process(uint64_t memory)
{
    uint64_t part = memory / PROCESS_PART;

    return memory - (part < PROCESS_BYTES ? part : PROCESS_BYTES);
}

static struct reactor *core_new(struct reactor_group *g, unsigned core)
{
    struct reactor *r = aligned_alloc(64, (sizeof *r + 63) & ~(size_t)63);

    if (!r)
        return NULL;
    memset(r, 0, sizeof *r);
    r->group = g;
    r->backend = g->backend;
    r->core = core;
    r->cpu = r->node = -1;
    r->trace.clock = &r->now_ns;
    list_init(&r->streams);
    r->ports = calloc((size_t)g->count * LEG_CLASSES, sizeof *r->ports);
    if (!r->ports) {
        free(r);
        return NULL;
    }
    return r;
}

static void core_free(struct reactor *r)
{
    if (!r)
        return;
    reactor_drop_posts(r);
    if (r->io) {
        listener_free_all(r);
        stream_free_all(r);
        r->backend->fini(r);
    }
    free(r->ports);
    free(r);
}

static uint64_t mix64(uint64_t x)
{
    /* splitmix64: seeds of neighbouring cores give unrelated streams. */
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

static void seed_random(struct reactor *r)
{
    uint64_t seed = r->group->config.sim_seed;

    if (!r->backend->is_simulated && getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed = r->backend->now_ns(r) ^ (uintptr_t)r;
    r->random[0] = mix64(seed ^ mix64(r->core + 1));
    r->random[1] = mix64(r->random[0]) | 1;
}

/* Cores with their back end state, leg rings, budgets. */
static int cores_init(struct reactor_group *g, uint64_t memory, char *err, size_t err_len)
{
    int rc;

    g->cores = calloc(g->count, sizeof *g->cores);
    if (!g->cores)
        return -ENOMEM;
    if (g->backend->group_init) {
        rc = g->backend->group_init(g, err, err_len);
        if (rc != 0)
            return rc;
    }
    for (unsigned i = 0; i < g->count; i++) {
        struct reactor *r = g->cores[i] = core_new(g, i);

        if (!r)
            return -ENOMEM;
        rc = g->backend->init(r, err, err_len);
        if (rc != 0)
            return rc;
        r->now_ns = g->backend->now_ns(r);
        timer_wheel_init(&r->timers, r->now_ns);
        budget_init(&r->budget, "core", without_process(memory) / g->count, NULL);
        seed_random(r);
    }
    return leg_rings_new(g);
}

static void cores_fini(struct reactor_group *g)
{
    if (g->shared && g->backend->group_stop)
        g->backend->group_stop(g);
    for (unsigned i = 0; g->cores && i < g->count; i++)
        core_free(g->cores[i]);
    free(g->cores);
    g->cores = NULL;
    leg_rings_free(g);
    if (g->shared)
        g->backend->group_fini(g);
    ASSERT(!g->shared);
}

/* Tries one back end; on failure everything is undone and err says why. */
static int group_try(struct reactor_group *g, const struct io_backend *backend, uint64_t memory,
                     char *err, size_t err_len)
{
    int rc;

    g->backend = backend;
    err[0] = 0;
    rc = cores_init(g, memory, err, err_len);
    if (rc != 0) {
        if (!err[0])
            snprintf(err, err_len, "%s: %s", backend->name, strerror(-rc));
        cores_fini(g);
    }
    return rc;
}

static int group_choose(struct reactor_group *g, uint64_t memory, char *reason, size_t reason_len,
                        char *err, size_t err_len)
{
    int rc;

    reason[0] = 0;
    switch (g->config.io) {
    case REACTOR_IO_URING:
        return group_try(g, &io_backend_uring, memory, err, err_len);
    case REACTOR_IO_EPOLL:
        return group_try(g, &io_backend_epoll, memory, err, err_len);
    case REACTOR_IO_SIM:
        return group_try(g, &io_backend_sim, memory, err, err_len);
    case REACTOR_IO_AUTO:
        rc = group_try(g, &io_backend_uring, memory, reason, reason_len);
        return rc == 0 ? 0 : group_try(g, &io_backend_epoll, memory, err, err_len);
    }
    snprintf(err, err_len, "unknown I/O back end %d", (int)g->config.io);
    return -EINVAL;
}

/* How many cores, and on which cpus. */
static int group_place(struct reactor_group *g, const struct topology *t, int *cpus, char *err,
                       size_t err_len)
{
    const struct reactor_config *c = &g->config;
    unsigned n = t->cpu_count;

    memcpy(cpus, t->cpus, n * sizeof *cpus);
    if (c->cpus) {
        int rc = topology_parse_cpus(c->cpus, cpus, sizeof t->cpus / sizeof *t->cpus);

        if (rc <= 0) {
            snprintf(err, err_len, "cpu list '%s' is not of the form 0-3,8", c->cpus);
            return -EINVAL;
        }
        n = (unsigned)rc;
    }
    g->count = c->cores ? c->cores : c->cpus ? n : topology_cores(t);
    if (g->count > REACTOR_MAX_CORES) {
        if (c->cores) {
            snprintf(err, err_len, "%u cores, allowed are 1 to %d", g->count, REACTOR_MAX_CORES);
            return -EINVAL;
        }
        g->count = REACTOR_MAX_CORES;
    }
    g->ring_entries = c->ring_entries ? c->ring_entries : RING_ENTRIES_DEFAULT;
    if (g->ring_entries > RING_ENTRIES_MAX || (g->ring_entries & (g->ring_entries - 1)) != 0) {
        snprintf(err, err_len, "ring entries %u, must be a power of two up to %d", g->ring_entries,
                 RING_ENTRIES_MAX);
        return -EINVAL;
    }
    for (unsigned i = n; i < g->count && n; i++)
        cpus[i] = cpus[i % n];
    return (int)n;
}

static void log_start(const struct reactor_group *g, const struct topology *t, uint64_t memory,
                      const char *reason)
{
    log_info(
        "reactor: io=%s%s%s%s cores=%u of %u cpus%s numa_nodes=%u memory=%llu MiB (%llu per core)",
        g->backend->name, reason[0] ? " (io_uring refused: " : "", reason, reason[0] ? ")" : "",
        g->count, t->cpu_count, g->config.pin ? " pinned" : "", t->nodes,
        (unsigned long long)(memory >> 20), (unsigned long long)(memory / g->count >> 20));
}

int reactor_group_new(const struct reactor_config *config, struct reactor_group **out, char *err,
                      size_t err_len)
{
    struct topology topology;
    int cpus[sizeof topology.cpus / sizeof *topology.cpus], rc, available;
    char reason[160];
    uint64_t memory;
    struct reactor_group *g = calloc(1, sizeof *g);

    *out = NULL;
    if (!g) {
        snprintf(err, err_len, "out of memory");
        return -ENOMEM;
    }
    g->config = *config;
    g->config.cpus = NULL; /* the caller's string, read below only */
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
    topology_read(&topology);
    g->config.cpus = config->cpus;
    available = group_place(g, &topology, cpus, err, err_len);
    g->config.cpus = NULL;
    if (available < 0) {
        rc = available;
        goto fail;
    }
    memory = config->memory ? config->memory : topology.memory / 100 * MEMORY_SHARE_PERCENT;
    rc = group_choose(g, memory, reason, sizeof reason, err, err_len);
    if (rc != 0)
        goto fail;
    for (unsigned i = 0; i < g->count; i++) {
        struct reactor *r = g->cores[i];

        r->cpu = config->pin ? cpus[i] : -1;
        r->node = config->pin ? topology_node_of_cpu(cpus[i]) : -1;
        /* With fewer cpus than cores, spinning takes the time from the core that is waited for. */
        r->spin_ns =
            g->count <= (unsigned)available && g->count <= topology_cores(&topology) ? SPIN_NS : 0;
    }
    signal(SIGPIPE, SIG_IGN);
    log_start(g, &topology, memory, reason);
    *out = g;
    return 0;
fail:
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->changed);
    free(g);
    return rc;
}

static void pin_thread(struct reactor *r)
{
    cpu_set_t set;

    if (r->cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((unsigned)r->cpu, &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
        log_warn("reactor: core %u cannot be pinned to cpu %d", r->core, r->cpu);
}

/* Tells the control thread the result of `start` and waits until all cores have one: true = go on. */
static bool start_barrier(struct reactor *r, int rc)
{
    struct reactor_group *g = r->group;
    bool go;

    pthread_mutex_lock(&g->lock);
    r->start_rc = rc;
    g->ready++;
    pthread_cond_broadcast(&g->changed);
    while (!g->go && !g->abandoned)
        pthread_cond_wait(&g->changed, &g->lock);
    go = g->go;
    pthread_mutex_unlock(&g->lock);
    return go;
}

static void *core_main(void *arg)
{
    struct reactor *r = arg;
    char name[16];
    int rc;

    snprintf(name, sizeof name, "core-%u", r->core);
    pthread_setname_np(pthread_self(), name);
    reactor_set_self(r);
    pin_thread(r);
    topology_memory_local();
    jemalloc_own_arena();
    r->now_ns = r->backend->now_ns(r);
    rc = r->backend->start(r);
    if (rc == 0)
        rc = r->group->start(r, r->group->start_ctx);
    if (start_barrier(r, rc))
        reactor_loop(r);
    reactor_set_self(NULL);
    return NULL;
}

/* Waits until `threads` cores ran their start function; first error or 0. */
static int wait_started(struct reactor_group *g, unsigned threads)
{
    int rc = threads < g->count ? -EAGAIN : 0;

    pthread_mutex_lock(&g->lock);
    while (g->ready < threads)
        pthread_cond_wait(&g->changed, &g->lock);
    for (unsigned i = 0; i < threads && rc == 0; i++)
        rc = g->cores[i]->start_rc;
    g->go = rc == 0;
    g->abandoned = rc != 0;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
    return rc;
}

static unsigned create_threads(struct reactor_group *g)
{
    unsigned n;

    for (n = 0; n < g->count; n++) {
        if (thread_create_quiet(&g->cores[n]->thread, core_main, g->cores[n]) != 0)
            break;
        g->cores[n]->running = true;
    }
    return n;
}

static void join_threads(struct reactor_group *g)
{
    for (unsigned i = 0; i < g->count; i++) {
        if (g->cores[i]->running)
            pthread_join(g->cores[i]->thread, NULL);
        g->cores[i]->running = false;
    }
}

static int start_simulated(struct reactor_group *g)
{
    int rc = 0;

    for (unsigned i = 0; i < g->count && rc == 0; i++) {
        struct reactor *r = g->cores[i];

        reactor_set_self(r);
        r->now_ns = r->backend->now_ns(r);
        rc = r->backend->start(r);
        if (rc == 0)
            rc = g->start(r, g->start_ctx);
    }
    reactor_set_self(NULL);
    for (unsigned i = 0; i < g->count && rc == 0; i++)
        g->cores[i]->running = true;
    return rc;
}

int reactor_group_start(struct reactor_group *g, int (*start)(struct reactor *r, void *ctx),
                        void *ctx)
{
    int rc;

    ASSERT(!g->started);
    g->started = true;
    g->start = start;
    g->start_ctx = ctx;
    if (g->backend->is_simulated)
        return start_simulated(g);
    rc = wait_started(g, create_threads(g));
    if (rc == 0)
        rc = watchdog_start(g);
    else
        join_threads(g);
    return rc;
}

void reactor_group_stop(struct reactor_group *g, void (*stop)(struct reactor *r, void *ctx),
                        void *ctx)
{
    for (unsigned i = 0; i < g->count; i++)
        if (g->cores[i]->running)
            reactor_post_lent(g->cores[i], &g->cores[i]->stop_post, stop, ctx);
    if (g->backend->is_simulated) {
        if (g->cores[0]->running)
            sim_run_to_exit(g);
        for (unsigned i = 0; i < g->count; i++)
            g->cores[i]->running = false;
        return;
    }
    join_threads(g);
    watchdog_stop(g);
}

void reactor_group_free(struct reactor_group *g)
{
    if (!g)
        return;
    for (unsigned i = 0; i < g->count; i++)
        ASSERT(!g->cores[i]->running ||
               g->backend->is_simulated); /* a crashed node is not stopped */
    watchdog_stop(g);
    resolver_free(g->resolver); /* before the cores: its thread posts to them */
    cores_fini(g);
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->changed);
    free(g);
}

unsigned reactor_group_count(const struct reactor_group *g)
{
    return g->count;
}

struct reactor *reactor_group_get(struct reactor_group *g, unsigned core)
{
    ASSERT(core < g->count);
    return g->cores[core];
}

const char *reactor_group_io_name(const struct reactor_group *g)
{
    return g->backend->name;
}
