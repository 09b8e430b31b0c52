#pragma once
/*
 * A core: one pinned thread, one ring, its tasks, timers and queues to the other cores.
 *
 * The loop of a core: reap completions, run their callbacks, deliver legs, fire timers, run I/O
 * tasks, run a bounded share of bulk tasks, flush submissions and leg batches; when nothing is left
 * run an idle task or spin a short bounded time, then block in the ring until a completion, a timer or a wake-up by
 * another core (MSG_RING or eventfd). No spinning when idle.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/budget.h"

struct reactor;
struct reactor_group;
struct sim;
struct sim_disk;
struct task;

enum { REACTOR_MAX_CORES = 256 };

enum reactor_io { REACTOR_IO_AUTO, REACTOR_IO_URING, REACTOR_IO_EPOLL, REACTOR_IO_SIM };

/* What a step of a staged operation answers. */
enum step { STEP_READY, STEP_PENDING };

struct reactor_config {
    unsigned cores;   /* number of reactors; 0 = as many as affinity mask and cgroup quota allow */
    const char *cpus; /* list such as "0-3,8" or NULL = from the affinity mask */
    enum reactor_io io;
    uint64_t memory; /* bytes for all cores together; 0 = from the cgroup or the machine */
    unsigned
        ring_entries; /* legs in flight per pair of cores and class; power of two; 0 = 128 (tests: 2) */
    uint64_t sim_seed; /* simulator only */
    bool pin;          /* pin threads (default of programs: true; unit tests: false) */
    struct sim *sim;   /* simulator: world shared with other groups; NULL = one of its own */
    struct sim_disk *sim_disk; /* simulator: disk that outlives the group; NULL = one of its own */
    unsigned sim_host;         /* simulator: 10.0.0.N in the network of the world, 0 to 254 */
};

/*
 * Creates the cores (threads not yet running). Writes one line to the log saying which I/O back end,
 * how many cores and which NUMA nodes are used; io_uring refused => epoll, the reason in that line.
 * 0 or -errno with a text in err.
 */
int reactor_group_new(const struct reactor_config *config, struct reactor_group **out, char *err,
                      size_t err_len);

/* Starts the threads; `start` runs first on every core (in its own thread), all before any returns.
 * An error of one core stops all and is returned. */
int reactor_group_start(struct reactor_group *g, int (*start)(struct reactor *r, void *ctx),
                        void *ctx);

/* Asks every core to stop: `stop` runs on each core as a task; the core ends when reactor_exit was called
 * on it. Joins the threads. Call from the main (control) thread. */
void reactor_group_stop(struct reactor_group *g, void (*stop)(struct reactor *r, void *ctx),
                        void *ctx);
void reactor_group_free(struct reactor_group *g);
unsigned reactor_group_count(const struct reactor_group *g);
struct reactor *reactor_group_get(struct reactor_group *g, unsigned core);
const char *reactor_group_io_name(const struct reactor_group *g);

/* Runs fn on core r as a task, from any thread (control thread, signal thread). Never blocks long. 0 or -ENOMEM. */
int reactor_post(struct reactor *r, void (*fn)(struct reactor *r, void *ctx), void *ctx);

/* A function posted to a core. Owner: the queue, or who lent it. */
struct post {
    struct post *next;
    void (*fn)(struct reactor *r, void *ctx);
    void *ctx;
    bool is_lent;
};

/* The same where memory may be short: p is the caller's, lent until fn begins. */
void reactor_post_lent(struct reactor *r, struct post *p, void (*fn)(struct reactor *r, void *ctx),
                       void *ctx);

/* Simulator: runs the whole group on the calling thread until `until` answers true or nothing can
 * happen any more (then -ETIME) or max_steps passed (-ELOOP). Same seed, same order. */
int reactor_sim_run(struct reactor_group *g, bool (*until)(void *ctx), void *ctx,
                    uint64_t max_steps);

struct reactor *reactor_self(void); /* the core of this thread; NULL outside */
unsigned reactor_core(const struct reactor *r);
unsigned reactor_count(const struct reactor *r);
struct reactor_group *reactor_group_of(const struct reactor *r);
struct budget *reactor_budget(struct reactor *r); /* the core's byte budget */
void reactor_exit(struct reactor *r);             /* ends this core's loop after the current turn */

/* Monotonic time of this turn, ns; wall clock, µs since 1970; random bits (seeded in the simulator). */
uint64_t reactor_now_ns(const struct reactor *r);
uint64_t reactor_clock_ns(
    struct reactor *r); /* the same time now, within the turn: costs a look at the clock */
int64_t reactor_wall_us(const struct reactor *r);
uint64_t reactor_random(struct reactor *r);

/* One value per core for the layers above (shard, gateway, ...): slot = one of reactor_local. */
enum reactor_local {
    LOCAL_SHARD,
    LOCAL_LOG,
    LOCAL_RPC,
    LOCAL_CLUSTER,
    LOCAL_SQL,
    LOCAL_HTTP,
    LOCAL_TEST,
    LOCAL_COUNT
};
void reactor_set_local(struct reactor *r, enum reactor_local slot, void *p);
void *reactor_get_local(const struct reactor *r, enum reactor_local slot);

#define ASSERT_ON_CORE(r) ASSERT(reactor_self() == (r))

/*
 * Tasks: run soon, on this core. I/O tasks all run in the next turn; bulk tasks (scans, merges) run one
 * at a time with I/O in between, so a long operation runs one block and posts itself again. An idle task
 * runs only in a turn that had nothing else to do, one a turn, and one in five milliseconds when the core always
 * has something to do: background work in steps well below a millisecond, for what comes meanwhile waits for it.
 */
enum task_class { TASK_IO, TASK_BULK, TASK_IDLE, TASK_CLASSES };
typedef void task_fn(struct task *t);
struct task {
    task_fn *run;
    struct task *next;
    bool queued;
};
void reactor_task(struct reactor *r, struct task *t,
                  enum task_class class); /* no-op when already queued */

/* Timers: millisecond wheel; fired on this core, at or after the time. */
struct timer;
typedef void timer_fn(struct timer *t);
struct timer {
    timer_fn *fire;
    uint64_t at_ns;
    struct timer *prev, *next;
    bool armed;
};
void timer_arm(struct reactor *r, struct timer *t, uint64_t delay_ns); /* re-arms when armed */
void timer_cancel(struct reactor *r, struct timer *t);
