#pragma once
/* Counters of a core: written by the core alone, read by any thread. */
#include <stdatomic.h>
#include <stdint.h>

struct reactor;

/* A copy of the counters; they only grow from the start of the core. */
struct reactor_stats {
    uint64_t turns;        /* passes of the loop */
    uint64_t sleeps;       /* times it blocked in the ring */
    uint64_t wakeups_sent; /* other cores woken */
    uint64_t legs_sent;    /* to other cores */
    uint64_t legs_waited;  /* of these, had to wait for a credit */
    uint64_t legs_local;   /* to the own core */
    uint64_t legs_served;  /* legs of other cores run here */
    uint64_t io_ops;       /* completed operations */
    uint64_t io_errors;    /* of these, with an error other than -ECANCELED */
    uint64_t tasks;        /* tasks run */
    uint64_t timers;       /* timers fired */
    uint64_t posts;        /* functions posted by other threads */
    uint64_t busy_ns;      /* time not spent waiting, sampled per turn */
};

/* Copy of the counters of r; any thread, without a lock (each counter is whole, not all together). */
void reactor_get_stats(const struct reactor *r, struct reactor_stats *out);

/* Internal form: one writer, so a plain relaxed store suffices. */
struct reactor_counters {
    _Atomic uint64_t turns, sleeps, wakeups_sent, legs_sent, legs_waited, legs_local, legs_served,
        io_ops, io_errors, tasks, timers, posts, busy_ns;
};

static inline void counter_add(_Atomic uint64_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}
