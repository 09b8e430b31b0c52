/* Filters of codes: none is missed, few pass that are not there; blocks get one when they are searched in vain. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "storage/code_filter.h"
#include "storage/colblock_change.h"

enum { CODES = 3000000, SEARCHES = 16 };

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

/* Column blocks of which rows have even codes only, or none. */
static struct budget budget;
static int64_t values[BLOCK_ROWS];
static uint8_t present[BLOCK_ROWS];

static struct colblock *block_new(uint32_t rows, uint32_t null_percent)
{
    struct colblock *c = colblock_new(LAYOUT_CODED, NULL, &budget);

    state = 5;
    for (uint32_t i = 0; i < rows; i++) {
        values[i] = below(CODES / 2) * 2;
        present[i] = below(100) >= null_percent;
    }
    cr_assert_eq(colblock_reserve(c, values, present, rows), 0);
    colblock_append(c, values, present, rows);
    cr_assert_eq(colblock_seal(c, rows / LINE_ROWS * LINE_ROWS), 0);
    return c;
}

static uint32_t find(struct colblock *c, uint32_t rows, uint32_t code, bool negate, uint64_t *sel)
{
    struct container_rows all;
    uint32_t n = 0;

    memset(sel, 0, BLOCK_WORDS * sizeof(*sel));
    for (uint32_t i = 0; i < rows; i++)
        sel[i / 64] |= 1ull << (i % 64);
    colblock_filter_code(c, code, negate, sel);
    for (unsigned w = 0; w < BLOCK_WORDS; w++)
        n += (uint32_t)__builtin_popcountll(sel[w]);
    if (!negate && colblock_code_rows(c, code, &all))
        cr_assert(!all.n && !all.tail && !n, "code %u is told not to be there", code);
    return n;
}

static void check(struct colblock *c, uint32_t rows, uint32_t code)
{
    uint64_t sel[BLOCK_WORDS];

    for (unsigned negate = 0; negate < 2; negate++) {
        (void)find(c, rows, code, negate, sel);
        for (uint32_t i = 0; i < rows; i++) {
            bool want = present[i] && (values[i] == code) != negate;
            if ((sel[i / 64] >> (i % 64) & 1) != want)
                cr_assert(false, "code %u, row %u, negate %u", code, i, negate);
        }
    }
}

static void search_in_vain(struct colblock *c, uint32_t rows)
{
    uint64_t sel[BLOCK_WORDS];

    for (uint32_t i = 0; i < SEARCHES; i++)
        cr_assert_eq(find(c, rows, below(CODES / 2) * 2 + 1, false, sel), 0);
}

static void check_all(struct colblock *c, uint32_t rows)
{
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t row = below(rows);
        check(c, rows, below(CODES));
        check(c, rows, (uint32_t)values[row]);
    }
}

/* Of codes that no row has: how many of 10,000 must be looked for in the slices. */
static uint32_t pass(struct colblock *c)
{
    struct container_rows all;
    uint32_t n = 0;

    for (uint32_t i = 0; i < 10000; i++)
        n += !colblock_code_rows(c, below(CODES / 2) * 2 + 1, &all);
    return n;
}

Test(code_filter, a_block_searched_in_vain_gets_one)
{
    budget_init(&budget, "test", 0, NULL);
    for (uint32_t nulls = 0; nulls <= 20; nulls += 20) {
        struct colblock *c = block_new(BLOCK_ROWS, nulls);
        size_t before = colblock_memory(c);
        uint32_t all = pass(c);

        search_in_vain(c, BLOCK_ROWS);
        cr_assert_eq(colblock_memory(c), before + sizeof(struct code_filter));
        cr_assert_lt(pass(c), all / 12, "%u of %u", pass(c), all);
        check_all(c, BLOCK_ROWS);
        colblock_free(c);
    }
    cr_assert_eq(budget.used, 0);
}

Test(code_filter, values_that_come_later_are_found)
{
    budget_init(&budget, "test", 0, NULL);
    struct colblock *c = block_new(BLOCK_ROWS, 10);

    search_in_vain(c, BLOCK_ROWS);
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t row = below(BLOCK_ROWS), wide = i % 100 == 0 ? 8 : 1; /* some need a wider frame */
        values[row] = below(CODES * wide);
        present[row] = below(10) > 0;
        cr_assert_eq(colblock_reserve_set(c, row, values[row], present[row]), 0);
        colblock_set(c, row, values[row], present[row]);
        if (i % 30 == 0)
            check(c, BLOCK_ROWS, (uint32_t)values[row]);
    }
    check_all(c, BLOCK_ROWS);
    colblock_free(c);
    cr_assert_eq(budget.used, 0);
}

Test(code_filter, blocks_that_are_not_full_have_none)
{
    budget_init(&budget, "test", 0, NULL);
    struct colblock *c = block_new(BLOCK_ROWS - 700, 0);
    size_t before = colblock_memory(c);

    search_in_vain(c, BLOCK_ROWS - 700);
    cr_assert_eq(colblock_memory(c), before);
    check_all(c, BLOCK_ROWS - 700);
    colblock_free(c);
}

Test(code_filter, none_is_made_when_memory_is_short)
{
    budget_init(&budget, "test", 0, NULL);
    struct colblock *c = block_new(BLOCK_ROWS, 0);
    size_t before = colblock_memory(c);

    budget.limit = budget.used + budget.used / 4; /* a fifth is left */
    search_in_vain(c, BLOCK_ROWS);
    cr_assert_eq(colblock_memory(c), before);
    check_all(c, BLOCK_ROWS);
    budget.limit = 0;
    search_in_vain(c, BLOCK_ROWS);
    cr_assert_gt(colblock_memory(c), before);
    colblock_free(c);
}
