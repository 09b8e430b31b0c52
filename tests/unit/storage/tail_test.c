/* Forward codes of rows that are not sealed, beside the values they stand for. */
#include <criterion/criterion.h>

#include "reactor/budget.h"
#include "storage/presence.h"
#include "storage/tail.h"

enum { ROWS = 1000 };

static int64_t values[ROWS];
static uint8_t present[ROWS];

/* Values of a range that makes codes of so many bytes. */
static void make(struct tail *t, struct budget *budget, uint32_t width)
{
    static const int64_t spans[] = {[1] = 100, [2] = 30000, [4] = 2000000000, [8] = INT64_MAX};
    uint64_t state = width;
    int64_t min = INT64_MAX, max = INT64_MIN;

    for (uint32_t i = 0; i < ROWS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = (int64_t)(state >> 1) % spans[width] - spans[width] / 2;
        if (width == 8 && i % 100 == 1)
            values[i] = i % 200 == 1 ? INT64_MIN : INT64_MAX;
        present[i] = i % 7 != 0;
        min = present[i] && values[i] < min ? values[i] : min;
        max = present[i] && values[i] > max ? values[i] : max;
    }
    *t = (struct tail){0};
    cr_assert_eq(tail_reserve(t, budget, ROWS, min, max, true, 65536), 0);
    tail_append(t, values, present, ROWS);
    cr_assert_eq(t->width, width);
}

static void check_match(const struct tail *t, int64_t lo, int64_t hi)
{
    for (uint32_t from = 0; from < t->rows; from += 64) {
        uint64_t got = tail_match(t, from, lo, hi) & t->presence[from / 64], expected = 0;

        for (uint32_t i = from; i < from + 64 && i < t->rows; i++)
            expected |= (uint64_t)(present[i] && values[i] >= lo && values[i] <= hi) << (i - from);
        cr_assert_eq(got, expected, "rows from %u, [%lld, %lld], width %u", from, (long long)lo,
                     (long long)hi, t->width);
    }
}

static void check_sums(const struct tail *t)
{
    static const uint64_t some[] = {~0ull, 0x123456789abcdef0, 1};

    for (uint32_t from = 0; from < t->rows; from += 64) {
        for (unsigned k = 0; k < 3; k++) {
            uint64_t rows = some[k] & t->presence[from / 64];
            __int128 expected = 0;

            for (uint64_t w = rows; w; w &= w - 1)
                expected += values[from + (uint32_t)__builtin_ctzll(w)];
            cr_assert(tail_sum(t, from, rows) == expected);
        }
    }
}

Test(tail, matches_and_sums_equal_values)
{
    struct tail t;

    for (uint32_t width = 1; width <= 8; width *= 2) {
        make(&t, NULL, width);
        for (uint32_t i = 1; i < ROWS; i += 37) {
            check_match(&t, values[i], values[i]);
            check_match(&t, values[i], INT64_MAX);
            check_match(&t, INT64_MIN, values[i]);
            check_match(&t, values[i] < values[i - 1] ? values[i] : values[i - 1],
                        values[i] < values[i - 1] ? values[i - 1] : values[i]);
        }
        check_match(&t, INT64_MIN, INT64_MAX);
        check_match(&t, INT64_MIN, INT64_MIN);
        check_match(&t, INT64_MAX, INT64_MAX);
        check_match(&t, 1, 0);
        check_match(&t, t.base, t.base);
        check_sums(&t);
        tail_fini(&t, NULL);
    }
}

Test(tail, all_rows_of_a_word_are_summed)
{
    struct tail t = {0};

    for (uint32_t i = 0; i < ROWS; i++)
        values[i] = 1000 + i;
    cr_assert_eq(tail_reserve(&t, NULL, ROWS, 1000, 1000 + ROWS, false, 65536), 0);
    tail_append(&t, values, NULL, ROWS);
    cr_assert(tail_sum(&t, 64, ~0ull) == 64 * 1064 + 64 * 63 / 2);
    tail_fini(&t, NULL);
}

Test(tail, memory_goes_with_the_rows)
{
    struct budget budget;
    struct tail t;

    budget_init(&budget, "test", 1 << 20, NULL);
    make(&t, &budget, 4);
    size_t before = tail_memory(&t);
    tail_drop(&t, &budget, 960);
    cr_assert_eq(t.rows, ROWS - 960);
    cr_assert_eq(t.cap, 64);
    cr_assert_lt(tail_memory(&t), before / 10);
    for (uint32_t i = 960; i < ROWS; i++) {
        cr_assert_eq(tail_is_present(&t, i - 960), present[i]);
        cr_assert(!present[i] || tail_get(&t, i - 960) == values[i]);
    }
    cr_assert_eq(tail_reserve(&t, &budget, 500, 0, 1, false, 65536), 0, "it grows again");
    tail_fini(&t, &budget);
    cr_assert_eq(budget.used, 0);
}
