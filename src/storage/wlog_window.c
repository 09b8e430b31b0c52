#include "storage/wlog_window.h"

enum {
    SMOOTHING = 8,
    WAIT_MAX_NS = 50000, /* the core does not sleep meanwhile */
};

void wlog_window_started(struct wlog_window *w, uint64_t now_ns)
{
    w->started_ns = now_ns;
    w->open_until = 0;
}

void wlog_window_written(struct wlog_window *w, uint64_t now_ns, uint32_t grouped, uint32_t queued)
{
    uint64_t took = now_ns - w->started_ns;
    uint32_t seen = grouped + queued;

    w->write_ns = w->write_ns - w->write_ns / SMOOTHING + took / SMOOTHING;
    if (seen >= w->expected)
        w->expected = seen;
    else
        w->expected -= (w->expected - seen + SMOOTHING - 1) / SMOOTHING;
}

bool wlog_window_is_open(struct wlog_window *w, uint64_t now_ns, uint32_t queued)
{
    if (queued >= w->expected)
        return false;
    if (!w->open_until) {
        uint64_t wait = w->write_ns / 2;
        w->open_until = now_ns + (wait < WAIT_MAX_NS ? wait : WAIT_MAX_NS);
    }
    return now_ns < w->open_until;
}

void wlog_window_met(struct wlog_window *w)
{
    if (w->expected < 2)
        w->expected = 2;
}
