/* Pieces of a pool: apart from each other, used again, and all given back. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "storage/piece_pool.h"

enum { PIECES = 2000, STEPS = 40000 };

struct piece {
    uint8_t *bytes;
    size_t size;
    uint8_t fill;
};

static uint64_t next(uint64_t *x)
{
    *x = *x * 6364136223846793005u + 1442695040888963407u;
    return *x >> 33;
}

static void check(const struct piece *p)
{
    for (size_t i = 0; i < p->size; i++)
        cr_assert_eq(p->bytes[i], p->fill);
}

Test(piece_pool, pieces_never_overlap)
{
    static struct piece pieces[PIECES];
    struct piece_pool pool;
    struct budget budget;
    uint64_t random = 5;
    size_t used = 0;

    budget_init(&budget, "test", 0, NULL);
    piece_pool_init(&pool, &budget);
    for (uint32_t i = 0; i < STEPS; i++) {
        struct piece *p = &pieces[next(&random) % PIECES];

        if (p->bytes) {
            check(p);
            used -= p->size;
            piece_pool_put(&pool, p->bytes, p->size);
        }
        p->size = piece_pool_size(1 + next(&random) % (next(&random) % 500 ? 300 : 200000));
        p->bytes = piece_pool_get(&pool, p->size);
        cr_assert_not_null(p->bytes);
        cr_assert_eq((uintptr_t)p->bytes % PIECE_MIN, 0);
        p->fill = (uint8_t)i;
        used += p->size;
        memset(p->bytes, p->fill, p->size);
    }
    for (uint32_t i = 0; i < PIECES; i++)
        if (pieces[i].bytes)
            check(&pieces[i]);
    cr_assert_eq(budget.used, pool.memory);
    cr_assert_leq(pool.memory, 3 * used, "%zu for %zu", pool.memory, used);
    piece_pool_fini(&pool);
    cr_assert_eq(budget.used, 0);
}

/* What makes giving back cheap: a million pieces are a few chunks. */
Test(piece_pool, many_pieces_are_few_chunks)
{
    struct piece_pool pool;
    unsigned chunks = 0;

    piece_pool_init(&pool, NULL);
    for (uint32_t i = 0; i < 1000000; i++)
        cr_assert_not_null(piece_pool_get(&pool, PIECE_MIN));
    list_for_each(at, &pool.chunks)
    {
        chunks++;
    }
    cr_assert_leq(chunks, 80);
    piece_pool_fini(&pool);
}

Test(piece_pool, without_memory)
{
    struct piece_pool pool;
    struct budget budget;
    unsigned n = 0;

    budget_init(&budget, "test", 100000, NULL);
    piece_pool_init(&pool, &budget);
    cr_assert_null(piece_pool_get(&pool, piece_pool_size(200000)));
    while (piece_pool_get(&pool, 128))
        n++;
    cr_assert_geq(n, 400);
    piece_pool_fini(&pool);
    cr_assert_eq(budget.used, 0);
}
