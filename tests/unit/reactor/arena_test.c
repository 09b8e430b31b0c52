#include <criterion/criterion.h>

#include "reactor/arena.h"
#include "reactor/budget.h"

Test(arena, blocks_are_zeroed_aligned_and_apart)
{
    struct arena a;
    uint8_t *last = NULL;

    arena_init(&a, 1 << 20, NULL);
    for (size_t size = 0; size < 3000; size += 7) {
        uint8_t *p = arena_alloc(&a, size);

        cr_assert(p && (uintptr_t)p % 16 == 0 && p != last);
        for (size_t i = 0; i < size; i++)
            cr_assert(p[i] == 0);
        if (size)
            memset(p, 0xff, size);
        last = p;
    }
    arena_fini(&a);
    cr_assert(a.used == 0);
}

Test(arena, reset_reuses_the_first_chunk_and_zeroes)
{
    struct arena a;
    uint8_t *first;

    arena_init(&a, 1 << 20, NULL);
    first = arena_alloc(&a, 100);
    memset(first, 1, 100);
    cr_assert(arena_alloc(&a, 100000));
    arena_reset(&a);
    cr_assert(a.used <= 4096);
    cr_assert(arena_alloc(&a, 100) == first && first[0] == 0 && first[99] == 0);
    arena_fini(&a);
    cr_assert(arena_alloc(&a, 1)); /* usable again */
    arena_fini(&a);
}

Test(arena, limit_and_budget_refuse)
{
    struct arena a;
    struct budget b;
    char *s;

    arena_init(&a, 1000, NULL);
    cr_assert(arena_alloc(&a, 500));
    cr_assert(!arena_alloc(&a, 1000));
    cr_assert(!arena_alloc(&a, SIZE_MAX));
    cr_assert(a.used <= 1000);
    arena_fini(&a);

    budget_init(&b, "test", 10000, NULL);
    arena_init(&a, 1 << 20, &b);
    while (arena_alloc(&a, 100))
        ;
    cr_assert(b.used == a.used && b.used > 8000 && b.used <= 10000);
    arena_fini(&a);
    cr_assert(b.used == 0);

    arena_init(&a, 1 << 20, NULL);
    s = arena_strndup(&a, "segment", 3);
    cr_assert_str_eq(s, "seg");
    cr_assert_str_eq(arena_printf(&a, "%s-%d", s, 42), "seg-42");
    arena_fini(&a);
}
