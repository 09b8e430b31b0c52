#pragma once
/*
 * Trace ring of a core: its last events in fixed size, always on, printed by assert_failed.
 *
 * Owner: one thread; a label is a string literal. An event costs a few stores and no system call.
 */
#include <stdint.h>

enum { TRACE_EVENTS = 256 };

struct trace_event {
    uint64_t at_ns;
    const char *label;
    uint64_t a, b;
};

struct trace_ring {
    uint64_t count;        /* events ever; the newest is at (count - 1) % TRACE_EVENTS */
    const uint64_t *clock; /* the core's time of turn */
    struct trace_event events[TRACE_EVENTS];
};

/* The ring of this thread; NULL = trace_event does nothing. */
void trace_set_ring(struct trace_ring *t);

/* Notes one event in the ring of this thread. label: string literal. */
void trace_note(const char *label, uint64_t a, uint64_t b);

/* Writes the newest `max` events of this thread's ring to fd, oldest first; only write(2) is used. */
void trace_print(int fd, unsigned max);
