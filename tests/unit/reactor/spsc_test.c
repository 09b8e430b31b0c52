#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "reactor/spsc.h"

static struct spsc *ring_new(uint32_t slots)
{
    struct spsc *s = aligned_alloc(64, spsc_bytes(slots));

    spsc_init(s, slots);
    return s;
}

Test(spsc, holds_exactly_its_slots_and_shows_published_only)
{
    struct spsc *s = ring_new(2);
    int a, b, c;

    for (int round = 0; round < 1000; round++) {
        cr_assert(spsc_push(s, &a) && spsc_push(s, &b) && !spsc_push(s, &c));
        cr_assert(spsc_is_empty(s) && spsc_pop(s) == NULL);
        cr_assert(spsc_publish(s) && !spsc_publish(s));
        cr_assert(spsc_pop(s) == &a && spsc_push(s, &c) && spsc_publish(s));
        cr_assert(spsc_pop(s) == &b && spsc_pop(s) == &c && spsc_pop(s) == NULL);
    }
    free(s);
}

enum { ITEMS = 300000 };

static void *produce(void *arg)
{
    struct spsc *s = arg;

    for (uintptr_t i = 1; i <= ITEMS;) {
        if (spsc_push(s, (void *)i))
            i++;
        else
            sched_yield();
        if (i % 3 == 0 || i > ITEMS)
            spsc_publish(s);
    }
    return NULL;
}

Test(spsc, two_threads_lose_and_reorder_nothing)
{
    for (uint32_t slots = 1; slots <= 64; slots *= 8) {
        struct spsc *s = ring_new(slots);
        pthread_t producer;

        if (slots == 1) { /* a ring of one needs a publish per push */
            free(s);
            continue;
        }
        pthread_create(&producer, NULL, produce, s);
        for (uintptr_t i = 1; i <= ITEMS;) {
            void *p = spsc_pop(s);

            if (!p) {
                sched_yield();
                continue;
            }
            cr_assert((uintptr_t)p == i);
            i++;
        }
        pthread_join(producer, NULL);
        free(s);
    }
}
