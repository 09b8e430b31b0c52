/* Trace ring of the running thread. */
#include "reactor/trace.h"

#include <stdio.h>
#include <unistd.h>

static _Thread_local struct trace_ring *ring;

void trace_set_ring(struct trace_ring *t)
{
    ring = t;
}

void trace_note(const char *label, uint64_t a, uint64_t b)
{
    if (ring)
        ring->events[ring->count++ % TRACE_EVENTS] =
            (struct trace_event){ring->clock ? *ring->clock : 0, label, a, b};
}

void trace_print(int fd, unsigned max)
{
    uint64_t from;

    if (!ring)
        return;
    if (max > TRACE_EVENTS)
        max = TRACE_EVENTS;
    from = ring->count > max ? ring->count - max : 0;
    for (uint64_t i = from; i < ring->count; i++) {
        const struct trace_event *e = &ring->events[i % TRACE_EVENTS];
        char line[160];
        int n = snprintf(line, sizeof line, "  %llu.%06llu ms %-20.60s %#llx %#llx\n",
                         (unsigned long long)(e->at_ns / 1000000),
                         (unsigned long long)(e->at_ns % 1000000), e->label,
                         (unsigned long long)e->a, (unsigned long long)e->b);

        if (n > 0 && write(fd, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1) < 0)
            return;
    }
}
