#pragma once
/*
 * Inside of a core and of a group of cores: private to src/reactor and its tests.
 *
 * Fields are grouped by the thread that writes them; what other threads touch has its own cache lines.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/backend.h"
#include "reactor/io.h"
#include "reactor/leg.h"
#include "reactor/list.h"
#include "reactor/reactor.h"
#include "reactor/spsc.h"
#include "reactor/stats.h"
#include "reactor/timer.h"
#include "reactor/topology.h"
#include "reactor/trace.h"

enum { CORE_BITMAP_WORDS = REACTOR_MAX_CORES / 64 };

/* First in, first out list of tasks. Owner: one core. */
struct task_queue {
    struct task *head, *tail;
};

/* List of io_ops by `next`. Owner: one core. */
struct io_queue {
    struct io_op *head, *tail;
};

/*
 * What a core knows about one peer in one leg class. Owner: the core; the rings are shared with the
 * peer, which holds the other ends.
 */
struct leg_port {
    struct spsc *request_out, *response_in; /* legs of this core */
    struct spsc *request_in, *response_out; /* legs of the peer */
    uint32_t credits;                       /* requests that may still be sent */
    struct leg *wait_head, *wait_tail;      /* legs without a credit */
};

/* Owner: its own thread, except the part named below. Lives from reactor_group_new to _free. */
struct reactor {
    struct reactor_group *group;
    const struct io_backend *backend;
    void *io; /* state of the back end */
    unsigned core;
    int cpu, node; /* -1 = not pinned, not known */
    bool exiting, running;
    pthread_t thread;
    int start_rc;

    uint64_t now_ns;
    uint64_t spin_ns;
    uint64_t random[2];
    struct budget budget;
    void *locals[LOCAL_COUNT];

    struct io_queue completed; /* ready for `done` */
    struct task_queue tasks[TASK_CLASSES], turn_end;
    uint64_t idle_ns; /* when an idle task ran last, or the first one came */
    struct timer_wheel timers;
    struct leg *local_head, *local_tail; /* legs to the own core */
    struct leg_port *ports;              /* [peer * LEG_CLASSES + class] */
    uint64_t dirty[CORE_BITMAP_WORDS];   /* peers with unpublished legs */
    uint64_t legs_out;                   /* sent to other cores and not back */
    uint32_t helped;                     /* operations that helper threads have */
    bool leg_activity;                   /* legs came in this turn: more may follow at once */
    struct list streams;                 /* all that are not yet closed */
    struct listener *listeners;          /* kept until the group goes: late calls stay harmless */

    struct reactor_counters counters; /* written by the core, read by any thread */
    struct trace_ring trace;

    /* Written by other threads. */
    _Alignas(64) _Atomic uint64_t doorbell[CORE_BITMAP_WORDS]; /* peers that published legs */
    _Alignas(64) _Atomic(struct post *) posts;                 /* newest first */
    struct post stop_post;                                     /* reactor_group_stop */
    _Atomic(struct io_op *) returned; /* completed by helper threads, newest first */
    _Atomic uint32_t sleeping;        /* 1 while blocked in the ring or just about to */
};

/* Owner: the control thread that made it; the arrays do not change while the cores run. */
struct reactor_group {
    struct reactor_config config;
    const struct io_backend *backend;
    void *shared; /* back end: one per group */
    unsigned count;
    unsigned ring_entries;
    struct reactor **cores;
    void *rings; /* memory of all leg rings */
    size_t rings_bytes;
    bool started;
    struct watchdog *watchdog;
    struct resolver *resolver;

    uint64_t ports[65536 / 64]; /* bitmap of ports this group listens on; under the lock */

    pthread_mutex_t lock; /* start barrier, resolver, ports */
    pthread_cond_t changed;
    unsigned ready; /* cores whose start function returned */
    bool go, abandoned;
    int (*start)(struct reactor *r, void *ctx);
    void *start_ctx;
};

/* Makes `r` the core of this thread (simulator: of the turn); NULL = none. */
void reactor_set_self(struct reactor *r);

/* One pass over everything that is ready; the back end was polled just before. */
void reactor_turn(struct reactor *r);

/* Nothing to do until a completion, a timer or another thread. */
bool reactor_is_idle(const struct reactor *r);

/* True when another thread left something; sequentially consistent, for the sleep handshake. */
bool reactor_has_mail(const struct reactor *r);

/* The thread of a core: runs until reactor_exit. */
void reactor_loop(struct reactor *r);

/* Called after something was published to `to`: wakes it when it sleeps. from = NULL outside of cores. */
void reactor_wake(struct reactor *from, struct reactor *to);

/* From a helper thread: op is done, its result set. */
void reactor_return_op(struct reactor *r, struct io_op *op);
/* On the core: moves what helper threads returned to r->completed. */
void reactor_take_returned(struct reactor *r);

/* On the core: op has its result; `done` runs in this or the next turn. */
void reactor_complete(struct reactor *r, struct io_op *op, int32_t res);

/* Runs t at the end of this turn, before submissions go to the kernel. */
void reactor_task_turn_end(struct reactor *r, struct task *t);

/* Runs all posted functions. */
void reactor_run_posts(struct reactor *r);
void reactor_drop_posts(struct reactor *r);

/* Legs: ports of a core, delivery, publication. */
int leg_rings_new(struct reactor_group *g);
void leg_rings_free(struct reactor_group *g);
void leg_deliver(struct reactor *r);
void leg_run_local(struct reactor *r);
void leg_publish(struct reactor *r);

/* Simulator: turns the cores until all called reactor_exit or nothing can happen any more. */
void sim_run_to_exit(struct reactor_group *g);

/* Free what the layers above left open on a core, without calling them; after its thread ended, before
 * its back end goes. */
void listener_free_all(struct reactor *r);
void stream_free_all(struct reactor *r);

/* Watches the heartbeats of all cores from a thread of its own. */
int watchdog_start(struct reactor_group *g);
void watchdog_stop(struct reactor_group *g);

static inline void io_queue_push(struct io_queue *q, struct io_op *op)
{
    op->next = NULL;
    if (q->tail)
        q->tail->next = op;
    else
        q->head = op;
    q->tail = op;
}

static inline struct io_op *io_queue_pop(struct io_queue *q)
{
    struct io_op *op = q->head;

    if (op) {
        q->head = op->next;
        if (!q->head)
            q->tail = NULL;
        op->next = NULL;
    }
    return op;
}

/* Takes op out wherever it is: true when it was in the list. */
bool io_queue_remove(struct io_queue *q, struct io_op *op);
