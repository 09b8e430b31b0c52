/* Timer wheel: see timer.h. */
#include "reactor/timer.h"

#include <stddef.h>

#include "reactor/assert.h"
#include "reactor/core.h"

enum { SLOT_BITS = 6, SLOT_MASK = TIMER_SLOTS - 1 };

/* Farther than the top level reaches; such a timer fires early by design never: 2,200 years. */
#define TICKS_MAX (1ull << (TIMER_LEVELS * SLOT_BITS - 2))

static void ring_init(struct timer *head)
{
    head->prev = head->next = head;
}

static bool ring_is_empty(const struct timer *head)
{
    return head->next == head;
}

static void ring_append(struct timer *head, struct timer *t)
{
    t->prev = head->prev;
    t->next = head;
    head->prev->next = t;
    head->prev = t;
}

static void ring_unlink(struct timer *t)
{
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->prev = t->next = NULL;
}

/* Moves all of `from` behind `to`. */
static void ring_move(struct timer *to, struct timer *from)
{
    if (ring_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    ring_init(from);
}

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ns)
{
    w->tick = now_ns / TIMER_TICK_NS;
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        w->occupied[level] = 0;
        for (unsigned slot = 0; slot < TIMER_SLOTS; slot++)
            ring_init(&w->slots[level][slot]);
    }
    ring_init(&w->due);
}

/* First tick that is not before at_ns. */
static uint64_t tick_of(const struct timer_wheel *w, uint64_t at_ns)
{
    uint64_t tick = at_ns / TIMER_TICK_NS + (at_ns % TIMER_TICK_NS != 0);

    return tick > w->tick + TICKS_MAX ? w->tick + TICKS_MAX : tick;
}

static void wheel_place(struct timer_wheel *w, struct timer *t)
{
    uint64_t tick = tick_of(w, t->at_ns);
    unsigned level, slot;

    if (tick <= w->tick) {
        ring_append(&w->due, t);
        return;
    }
    /* The level is the highest group of bits in which the tick differs from now: only there is the
     * slot still ahead of the hand. */
    level = (63 - (unsigned)__builtin_clzll((tick ^ w->tick) | SLOT_MASK)) / SLOT_BITS;
    ASSERT(level < TIMER_LEVELS);
    slot = (tick >> (level * SLOT_BITS)) & SLOT_MASK;
    ring_append(&w->slots[level][slot], t);
    w->occupied[level] |= 1ull << slot;
}

void timer_wheel_add(struct timer_wheel *w, struct timer *t, uint64_t at_ns)
{
    ASSERT(!t->armed);
    t->armed = true;
    t->at_ns = at_ns;
    wheel_place(w, t);
}

void timer_wheel_remove(struct timer_wheel *w, struct timer *t)
{
    struct timer *head = t->prev;
    bool last = t->prev == t->next;

    ASSERT(t->armed);
    t->armed = false;
    ring_unlink(t);
    if (last && head >= &w->slots[0][0] && head < &w->slots[0][0] + TIMER_LEVELS * TIMER_SLOTS) {
        size_t at = (size_t)(head - &w->slots[0][0]);

        w->occupied[at / TIMER_SLOTS] &= ~(1ull << (at % TIMER_SLOTS));
    }
}

/* The first occupied slot ahead: its first tick, level and number; false when the wheel is empty. */
static bool wheel_next(const struct timer_wheel *w, uint64_t *tick, unsigned *level, unsigned *slot)
{
    for (unsigned l = 0; l < TIMER_LEVELS; l++) {
        unsigned shift = l * SLOT_BITS;
        unsigned hand = (w->tick >> shift) & SLOT_MASK;
        uint64_t ahead = hand == SLOT_MASK ? 0 : w->occupied[l] & (UINT64_MAX << (hand + 1));

        if (!w->occupied[l])
            continue;
        ASSERT(ahead == w->occupied[l]);
        *level = l;
        *slot = (unsigned)__builtin_ctzll(ahead);
        *tick = ((w->tick >> shift & ~(uint64_t)SLOT_MASK) | *slot) << shift;
        return true;
    }
    return false;
}

uint64_t timer_wheel_next_ns(const struct timer_wheel *w)
{
    uint64_t tick;
    unsigned level, slot;

    if (!ring_is_empty(&w->due))
        return 0;
    return wheel_next(w, &tick, &level, &slot) ? tick * TIMER_TICK_NS : UINT64_MAX;
}

/* Moves the hand to now; what became due is appended to w->due in the order of ticks. */
static void wheel_advance(struct timer_wheel *w, uint64_t now_tick)
{
    uint64_t tick;
    unsigned level, slot;

    while (wheel_next(w, &tick, &level, &slot) && tick <= now_tick) {
        struct timer list;

        ring_init(&list);
        ring_move(&list, &w->slots[level][slot]);
        w->occupied[level] &= ~(1ull << slot);
        w->tick = tick;
        while (!ring_is_empty(&list)) {
            struct timer *t = list.next;

            ring_unlink(t);
            wheel_place(w, t);
        }
    }
    if (now_tick > w->tick)
        w->tick = now_tick;
}

unsigned timer_wheel_fire(struct timer_wheel *w, uint64_t now_ns)
{
    struct timer firing;
    unsigned fired = 0;

    wheel_advance(w, now_ns / TIMER_TICK_NS);
    if (ring_is_empty(&w->due))
        return 0;
    /* A list of its own: a callback may cancel a timer that is about to fire, or arm one at once. */
    ring_init(&firing);
    ring_move(&firing, &w->due);
    while (!ring_is_empty(&firing)) {
        struct timer *t = firing.next;

        ring_unlink(t);
        t->armed = false;
        fired++;
        t->fire(t);
    }
    return fired;
}

void timer_arm(struct reactor *r, struct timer *t, uint64_t delay_ns)
{
    uint64_t at = delay_ns > UINT64_MAX - r->now_ns ? UINT64_MAX : r->now_ns + delay_ns;

    ASSERT_ON_CORE(r);
    if (t->armed)
        timer_wheel_remove(&r->timers, t);
    timer_wheel_add(&r->timers, t, at);
}

void timer_cancel(struct reactor *r, struct timer *t)
{
    ASSERT_ON_CORE(r);
    if (t->armed)
        timer_wheel_remove(&r->timers, t);
}
