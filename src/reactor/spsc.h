#pragma once
/*
 * Lock-free ring of pointers between exactly one producer and one consumer thread.
 *
 * Each side has a cache line of its own and a copy of the other's position, so that a push or a pop
 * usually touches no line of the other core. Pushed pointers become visible with spsc_publish, once
 * per batch. The layout follows Lamport's queue with cached indices (as in FastForward, Seastar).
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/assert.h"

struct spsc {
    /* Written by the producer. */
    _Alignas(64) _Atomic uint32_t tail; /* published; counts up for ever */
    uint32_t tail_next;                 /* with what is not yet published */
    uint32_t head_seen;
    uint32_t mask_producer; /* slots - 1, once per side */

    /* Written by the consumer. */
    _Alignas(64) _Atomic uint32_t head;
    uint32_t tail_seen;
    uint32_t mask_consumer;

    _Alignas(64) void *slots[];
};

_Static_assert(offsetof(struct spsc, head) == 64, "consumer has its own cache line");
_Static_assert(offsetof(struct spsc, slots) == 128, "slots have their own cache lines");

/* Bytes of a ring, a multiple of a cache line. */
static inline size_t spsc_bytes(uint32_t slots)
{
    return (sizeof(struct spsc) + slots * sizeof(void *) + 63) & ~(size_t)63;
}

/* Memory of spsc_bytes(slots), 64-byte aligned, given by the caller. slots: power of two. */
static inline void spsc_init(struct spsc *s, uint32_t slots)
{
    ASSERT(slots > 0 && (slots & (slots - 1)) == 0);
    atomic_init(&s->tail, 0);
    atomic_init(&s->head, 0);
    s->tail_next = s->head_seen = s->tail_seen = 0;
    s->mask_producer = s->mask_consumer = slots - 1;
}

/* Producer: false when full. Not visible before spsc_publish. */
static inline bool spsc_push(struct spsc *s, void *p)
{
    if (s->tail_next - s->head_seen > s->mask_producer) {
        s->head_seen = atomic_load_explicit(&s->head, memory_order_acquire);
        if (s->tail_next - s->head_seen > s->mask_producer)
            return false;
    }
    s->slots[s->tail_next & s->mask_producer] = p;
    s->tail_next++;
    return true;
}

/* Producer: shows everything pushed so far; true when there was something new. */
static inline bool spsc_publish(struct spsc *s)
{
    if (atomic_load_explicit(&s->tail, memory_order_relaxed) == s->tail_next)
        return false;
    atomic_store_explicit(&s->tail, s->tail_next, memory_order_release);
    return true;
}

/* Consumer: true when nothing is published. */
static inline bool spsc_is_empty(struct spsc *s)
{
    uint32_t head = atomic_load_explicit(&s->head, memory_order_relaxed);

    if (head != s->tail_seen)
        return false;
    s->tail_seen = atomic_load_explicit(&s->tail, memory_order_acquire);
    return head == s->tail_seen;
}

/* Consumer: the oldest pointer, NULL when nothing is published. */
static inline void *spsc_pop(struct spsc *s)
{
    uint32_t head = atomic_load_explicit(&s->head, memory_order_relaxed);
    void *p;

    if (spsc_is_empty(s))
        return NULL;
    p = s->slots[head & s->mask_consumer];
    atomic_store_explicit(&s->head, head + 1, memory_order_release);
    return p;
}
