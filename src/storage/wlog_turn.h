#pragma once
/*
 * Whose turn it is to write the log: one core's at a time. The log's core holds it while it has appends; else any core
 * may take it for one group. The log's core, which must have it in the end, asks for it, and then it is handed over
 * instead of being free again. All functions run on any core unless they say else.
 */
#include <stdatomic.h>
#include <stdbool.h>

enum wlog_turn_state { WLOG_TURN_FREE, WLOG_TURN_HELD, WLOG_TURN_WANTED };

struct wlog_turn { /* owner: the log; whoever has the turn owns what is written */
    _Atomic int state;
};

/* False: another core has it. */
static inline bool wlog_turn_take(struct wlog_turn *t)
{
    int was = WLOG_TURN_FREE;

    return atomic_compare_exchange_strong(&t->state, &was, WLOG_TURN_HELD);
}

/* On the log's core. False: the core that has it will hand it over. */
static inline bool wlog_turn_want(struct wlog_turn *t)
{
    int was = WLOG_TURN_HELD;

    while (!wlog_turn_take(t)) {
        was = WLOG_TURN_HELD;
        if (atomic_compare_exchange_strong(&t->state, &was, WLOG_TURN_WANTED) ||
            was == WLOG_TURN_WANTED)
            return false;
    }
    return true;
}

/* True: not free, the log's core has it from now on and must be told. False: the log may be gone now. */
static inline bool wlog_turn_give(struct wlog_turn *t)
{
    int was = WLOG_TURN_HELD;

    if (atomic_compare_exchange_strong(&t->state, &was, WLOG_TURN_FREE))
        return false;
    atomic_store(&t->state, WLOG_TURN_HELD);
    return true;
}
