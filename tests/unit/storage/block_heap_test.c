/* Places of a heap: apart from each other, used again, given back to the system, from any thread. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "reactor/budget.h"
#include "storage/block_heap.h"

enum { PLACES = 600, STEPS = 20000, CHUNK = 2 << 20 };

struct place {
    uint8_t *bytes;
    size_t size;
    uint8_t fill;
};

static uint64_t next(uint64_t *x)
{
    *x = *x * 6364136223846793005u + 1442695040888963407u;
    return *x >> 33;
}

static void check(const struct place *p)
{
    for (size_t i = 0; i < p->size; i += 61)
        cr_assert_eq(p->bytes[i], p->fill);
    cr_assert_eq(p->bytes[p->size - 1], p->fill);
}

static void replace(struct budget *budget, struct place *p, size_t size, uint8_t fill)
{
    if (p->bytes)
        check(p);
    block_heap_free(budget, p->bytes, p->size);
    *p = (struct place){NULL, size, fill};
    if (!size)
        return;
    p->bytes = block_heap_new(budget, size);
    cr_assert_not_null(p->bytes);
    cr_assert_eq((uintptr_t)p->bytes % 64, 0);
    memset(p->bytes, fill, size);
}

static uint64_t held(void)
{
    uint64_t used, bytes;

    block_heap_figures(&used, &bytes);
    cr_assert_geq(bytes, used);
    return bytes;
}

Test(block_heap, places_never_overlap)
{
    static struct place places[PLACES];
    struct budget budget;
    uint64_t random = 5;

    budget_init(&budget, "test", 0, NULL);
    for (uint32_t i = 0; i < STEPS; i++) {
        size_t most =
            next(&random) % 50 ? 200000 : 3 << 20; /* also what is too small and too large */
        replace(&budget, &places[next(&random) % PLACES], 1 + next(&random) % most, (uint8_t)i);
    }
    uint64_t full = held();
    for (uint32_t i = 0; i < PLACES; i++)
        if (i % 4)
            replace(&budget, &places[i], 0, 0);
    cr_assert_lt(held(), full / 2, "%llu of %llu", (unsigned long long)held(),
                 (unsigned long long)full);
    for (uint32_t i = 0; i < PLACES; i++)
        replace(&budget, &places[i], 0, 0);
    cr_assert_eq(budget.used, 0);
    cr_assert_eq(held(), 0);
}

Test(block_heap, holes_are_used_again_and_little_is_idle)
{
    static struct place places[PLACES];
    uint64_t random = 9, bytes = 0, used;

    for (uint32_t i = 0; i < STEPS; i++) {
        struct place *p = &places[next(&random) % PLACES];
        bytes -= p->size;
        replace(NULL, p, 20000 + next(&random) % 200000, (uint8_t)i);
        bytes += p->size;
    }
    uint64_t all = held();
    block_heap_figures(&used, &all);
    cr_assert_leq(used, bytes + bytes / 50 + PLACES * 512);
    cr_assert_leq(all, used + used / 16 + 2 * CHUNK, "%llu held for %llu", (unsigned long long)all,
                  (unsigned long long)used);
    for (uint32_t i = 0; i < PLACES; i++)
        replace(NULL, &places[i], 0, 0);
}

/* What the figures say is what the system says. */
Test(block_heap, what_is_held_is_in_memory)
{
    static struct place places[64];
    unsigned char pages[CHUNK / 4096];
    uint64_t there = 0, seen[64], chunks = 0;

    for (uint32_t i = 0; i < 64; i++)
        replace(NULL, &places[i], 100000, (uint8_t)i);
    for (uint32_t i = 0; i < 64; i += 2)
        replace(NULL, &places[i], 0, 0);
    for (uint32_t i = 1; i < 64; i += 2) {
        uintptr_t base = (uintptr_t)places[i].bytes / CHUNK * CHUNK;
        bool known = false;
        for (uint64_t k = 0; k < chunks; k++)
            known |= seen[k] == base;
        if (known)
            continue;
        seen[chunks++] = base;
        cr_assert_eq(mincore((void *)base, CHUNK, pages), 0);
        for (unsigned k = 0; k < CHUNK / 4096; k++)
            there += (pages[k] & 1) * 4096u;
    }
    cr_assert_leq(there, held() + (1 << 20));
    cr_assert_lt(there, 32 * 100000 + (2 << 20));
    for (uint32_t i = 1; i < 64; i += 2)
        replace(NULL, &places[i], 0, 0);
}

static void *free_all(void *arg)
{
    struct place *places = arg;

    for (uint32_t i = 0; i < 100; i += 2)
        replace(NULL, &places[i], 0, 0);
    return NULL;
}

Test(block_heap, other_threads_give_back)
{
    static struct place places[100];
    pthread_t thread;

    for (uint32_t i = 0; i < 100; i++)
        replace(NULL, &places[i], 50000, (uint8_t)i);
    cr_assert_eq(pthread_create(&thread, NULL, free_all, places), 0);
    for (uint32_t i = 1; i < 100; i += 2)
        replace(NULL, &places[i], 0, 0);
    pthread_join(thread, NULL);
    cr_assert_eq(held(), 0);
}

Test(block_heap, a_budget_refuses)
{
    struct budget budget;

    budget_init(&budget, "test", 100000, NULL);
    void *place = block_heap_new(&budget, 90000);
    cr_assert_not_null(place);
    cr_assert_null(block_heap_new(&budget, 20000));
    block_heap_free(&budget, place, 90000);
    cr_assert_eq(budget.used, 0);
}
