#pragma once
/*
 * Timer wheel of a core: 1 ms ticks, levels of 64 slots with one occupancy word each, so that arm,
 * cancel and "when is the next" are a few instructions. A timer moves down a level when time reaches
 * the start of its slot. (The scheme of Varghese and Lauck, levels chosen as in tokio's wheel.)
 *
 * Owner: one core.
 */
#include <stdint.h>

#include "reactor/reactor.h"

enum { TIMER_LEVELS = 8, TIMER_SLOTS = 64, TIMER_TICK_NS = 1000000 };

struct timer_wheel {
    uint64_t tick; /* everything due at it or before has fired */
    uint64_t occupied[TIMER_LEVELS];
    struct timer slots[TIMER_LEVELS][TIMER_SLOTS]; /* list heads */
    struct timer due;                              /* list head: fire now */
};

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ns);
void timer_wheel_add(struct timer_wheel *w, struct timer *t, uint64_t at_ns);
void timer_wheel_remove(struct timer_wheel *w, struct timer *t);

/* Time at which timer_wheel_fire has to be called next: 0 = now, UINT64_MAX = no timer. */
uint64_t timer_wheel_next_ns(const struct timer_wheel *w);

/* Fires what is due at now_ns in the order of time; returns how many. Timers armed by the callbacks
 * wait for the next call. */
unsigned timer_wheel_fire(struct timer_wheel *w, uint64_t now_ns);
