/* Rows and sums in the fields of a word, against sums made one by one. */
#include "storage/group_packed.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 24, ROWS = 512 };

static uint64_t state = 7;

static uint32_t next(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % below);
}

/* The rows as words of fields. */
static void add_words(struct group_packed *p, const uint32_t *groups, const uint32_t *a,
                      const uint32_t *b, uint32_t n, uint64_t *tables)
{
    uint64_t words[ROWS], fetched[ROWS] = {0};
    uint16_t places[ROWS];
    const uint64_t *ahead[] = {fetched, fetched + 1, fetched + 2};

    for (uint32_t i = 0; i < n; i++) {
        places[i] = (uint16_t)groups[i];
        words[i] = (1ull << p->third) + a[i] + (b ? (uint64_t)b[i] << p->second : 0);
    }
    group_packed_add_words(p, places, words, n, tables, &(struct group_packed_ahead){ahead, 3, 8});
}

static void check(unsigned width_a, unsigned width_b, unsigned sums, bool largest)
{
    struct group_packed p;
    uint64_t words[GROUPS] = {0}, tables[3 * GROUPS] = {0}, want[3][GROUPS] = {{0}};
    uint32_t groups[ROWS], a[ROWS], b[ROWS];

    cr_assert(group_packed_init(&p, GROUPS, (unsigned[]){width_a, width_b}, sums));
    p.words = words;
    for (int round = 0; round < 40; round++) {
        uint32_t n = next(ROWS + 1);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t top_a = (uint32_t)((1ull << width_a) - 1),
                     top_b = (uint32_t)((1ull << width_b) - 1);
            groups[i] = largest ? 3 : next(GROUPS);
            a[i] = largest || !top_a ? top_a : next(top_a);
            b[i] = largest || !top_b ? top_b : next(top_b);
            want[0][groups[i]]++;
            want[1][groups[i]] += a[i];
            want[2][groups[i]] += sums > 1 ? b[i] : 0;
        }
        if (round % 2)
            group_packed_add(&p, groups, a, sums > 1 ? b : NULL, n, tables);
        else
            add_words(&p, groups, a, sums > 1 ? b : NULL, n, tables);
    }
    group_packed_empty(&p, tables);
    cr_assert_eq(memcmp(tables, want, sizeof(want)), 0, "widths %u and %u, %u sums", width_a,
                 width_b, sums);
}

Test(group_packed, equals_plain_sums)
{
    for (unsigned largest = 0; largest < 2; largest++) {
        for (unsigned a = 0; a <= 31; a += 3) {
            check(a, 0, 1, largest);
            for (unsigned b = 0; a + b <= 45 && b <= 31; b += 5)
                check(a, b, 2, largest);
        }
    }
}

Test(group_packed, refuses_wide_values_and_many_groups)
{
    struct group_packed p;

    cr_assert_not(group_packed_init(&p, GROUPS, (unsigned[]){32, 32}, 2));
    cr_assert_not(group_packed_init(&p, GROUPS, (unsigned[]){32, 20}, 2));
    cr_assert_not(group_packed_init(&p, 1 << 21, (unsigned[]){8, 0}, 1));
}
