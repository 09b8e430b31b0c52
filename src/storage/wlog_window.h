#pragma once
/*
 * How long a group waits for more appends. Clients that wait for their answers come in step: those of the group just
 * written come again a moment later. A group that starts with the first of them leaves the others to the next one, so
 * every client waits for two writes, and the device does twice as many. With one client nothing waits.
 *
 * Owner: the log, on its core.
 */
#include <stdbool.h>
#include <stdint.h>

struct wlog_window {
    uint64_t write_ns;   /* of a group, smoothed */
    uint64_t started_ns; /* of the write in flight */
    uint64_t open_until; /* 0 = not waiting */
    uint32_t expected;   /* appends that were under way at the same time, decaying */
};

/* A write begins; the window is closed. */
void wlog_window_started(struct wlog_window *w, uint64_t now_ns);

/* It ended: appends of its group, and those that came meanwhile. */
void wlog_window_written(struct wlog_window *w, uint64_t now_ns, uint32_t grouped, uint32_t queued);

/* Nothing is being written and so many appends are there (at least one): wait for more? */
bool wlog_window_is_open(struct wlog_window *w, uint64_t now_ns, uint32_t queued);

/* An append waits for one of another core: they come together. */
void wlog_window_met(struct wlog_window *w);
