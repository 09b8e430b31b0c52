/* Containers that meet, beside a row by row check. */
#include "storage/container_meet.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "storage/colblock.h"
#include "storage/presence.h"

enum { SETS = 5, ARRAY_MAX = 4096 };

static uint64_t state;

static uint64_t next(void)
{
    state += 0x9e3779b97f4a7c15ull;
    uint64_t x = state;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

/* Owner: the test. */
struct set {
    uint64_t bits[BLOCK_WORDS];
    uint16_t array[ARRAY_MAX];
    struct container_rows rows;
};

static struct set sets[SETS];

/* About one of `one_in` rows; as an array when those are few. */
static void draw(struct set *s, uint32_t words, uint32_t one_in)
{
    uint32_t n = 0;

    memset(s->bits, 0, sizeof s->bits);
    for (uint32_t row = 0; row < words * 64; row++) {
        if (next() % one_in)
            continue;
        presence_set(s->bits, row);
        if (n < ARRAY_MAX)
            s->array[n] = (uint16_t)row;
        n++;
    }
    bool is_array = n < ARRAY_MAX && next() % 4;
    s->rows = (struct container_rows){
        .n = n,
        .words = words,
        .array = is_array ? s->array : NULL,
        .bits = is_array ? NULL : s->bits,
    };
}

/* What is to be read next changes nothing: some of the sets, in other forms, or none. */
static const struct container_meet *draw_next(uint32_t words)
{
    static struct container_meet m;
    static struct set others[SETS];

    container_meet_init(&m);
    for (uint32_t i = 0; i < SETS && next() % 4; i++) {
        draw(&others[i], words, 1 + (uint32_t)(next() % 2000));
        container_meet_add(&m, &others[i].rows);
    }
    return next() % 4 ? &m : NULL;
}

static void check(uint32_t words, uint32_t n)
{
    struct container_meet m;
    uint64_t wanted[BLOCK_WORDS], sel[BLOCK_WORDS], own[BLOCK_WORDS];

    container_meet_init(&m);
    memset(wanted, 0, sizeof wanted);
    memset(wanted, 0xff, words * sizeof *wanted);
    for (uint32_t i = 0; i < n; i++) {
        draw(&sets[i], words, 1 + (uint32_t)(next() % (next() % 2 ? 3 : 200)));
        container_meet_add(&m, &sets[i].rows);
        presence_and(wanted, sets[i].bits, BLOCK_WORDS);
    }
    uint32_t ones = presence_count(wanted, BLOCK_WORDS);
    cr_assert_eq(container_meet_rows(&m, draw_next(words), NULL), ones);
    memset(sel, 0xaa, sizeof sel);
    cr_assert_eq(container_meet_rows(&m, draw_next(BLOCK_WORDS), sel), ones);
    cr_assert_arr_eq(sel, wanted, sizeof wanted);

    /* A selection that is one of the sets and the result. */
    for (uint32_t i = 0; i < BLOCK_WORDS; i++) {
        own[i] = next();
        wanted[i] &= own[i];
    }
    container_meet_add_bitset(&m, own);
    cr_assert_eq(container_meet_rows(&m, NULL, own), presence_count(wanted, BLOCK_WORDS));
    cr_assert_arr_eq(own, wanted, sizeof wanted);
}

Test(container_meet, rows_that_all_sets_have)
{
    const char *given = getenv("TEST_SEED");

    state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    fprintf(stderr, "container_meet TEST_SEED=%" PRIu64 "\n", state);
    for (int round = 0; round < 60; round++)
        check(8 + 8 * (uint32_t)(next() % (BLOCK_WORDS / 8)), 1 + (uint32_t)(next() % SETS));
}

Test(container_meet, sets_over_different_words_meet_in_the_fewest)
{
    struct container_meet m;
    uint64_t sel[BLOCK_WORDS];

    container_meet_init(&m);
    draw(&sets[0], BLOCK_WORDS, 1);
    draw(&sets[1], 16, 1);
    sets[1].rows.array = NULL;
    sets[1].rows.bits = sets[1].bits;
    container_meet_add(&m, &sets[0].rows);
    container_meet_add(&m, &sets[1].rows);
    memset(sel, 0xff, sizeof sel);
    cr_assert_eq(container_meet_rows(&m, NULL, sel), 16 * 64);
    cr_assert_arr_eq(sel, sets[1].bits, sizeof sel);
}
