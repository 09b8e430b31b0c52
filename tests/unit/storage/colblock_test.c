/*
 * Column blocks against a plain model: every function, every layout, sealed and open, NULLs, random
 * changes.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reactor/budget.h"
#include "storage/colblock_change.h"
#include "storage/dict.h"
#include "storage/kernel.h"
#include "storage/type.h"

/* Per row: an assertion of the framework for each would take most of the time. */
#define CHECK(cond, ...)                   \
    do {                                   \
        if (!(cond))                       \
            cr_assert(false, __VA_ARGS__); \
    } while (0)

enum { MAX_CODES = 70000, MAX_LIST = 5 };

struct random {
    uint64_t state;
};

static uint64_t next(struct random *r)
{
    uint64_t z = r->state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint32_t below(struct random *r, uint32_t n)
{
    return (uint32_t)(next(r) % n);
}

/* Values of a column as a program would keep them. */
struct model {
    enum column_layout layout;
    struct budget budget;
    struct colblock *block;
    struct dict *lists;
    uint32_t rows, codes; /* codes: different values drawn */
    unsigned shape;       /* how ordered values are drawn */
    unsigned null_percent;
    int64_t values[BLOCK_ROWS];
    uint8_t present[BLOCK_ROWS];
};

static int64_t draw_ordered(struct model *m, struct random *r)
{
    switch (m->shape) {
    case 0:
        return below(r, 1000);
    case 1:
        return (int64_t)below(r, 1 << 20) - (1 << 19);
    case 2:
        return (int64_t)next(r);
    case 3:
        return 1700000000000 + m->rows + below(r, 5);
    case 4:
        return below(r, 50) == 0 ? (below(r, 2) ? INT64_MIN : INT64_MAX) : (int64_t)below(r, 100);
    default:
        return -77;
    }
}

static int64_t draw(struct model *m, struct random *r)
{
    uint32_t list[MAX_LIST], n, code;

    if (m->layout == LAYOUT_ORDERED)
        return draw_ordered(m, r);
    if (m->layout != LAYOUT_LIST)
        return below(r, below(r, 4) ? (m->codes + 3) / 4 : m->codes);
    n = 1 + below(r, MAX_LIST);
    for (uint32_t i = 0; i < n; i++) {
        list[i] = below(r, m->codes);
        for (uint32_t k = 0; k < i; k++) {
            if (list[k] == list[i]) {
                n = i;
                break;
            }
        }
    }
    CHECK(dict_put_list(m->lists, list, n ? n : 1, &code) == 0, "list");
    return code;
}

static void append(struct model *m, struct random *r, uint32_t n)
{
    static int64_t values[BLOCK_ROWS];
    static uint8_t present[BLOCK_ROWS];
    bool nulls = false;

    if (n > BLOCK_ROWS - m->rows)
        n = BLOCK_ROWS - m->rows;
    for (uint32_t i = 0; i < n; i++) {
        present[i] = below(r, 100) >= m->null_percent;
        values[i] = present[i] ? draw(m, r) : (int64_t)next(r);
        nulls |= !present[i];
        m->values[m->rows + i] = values[i];
        m->present[m->rows + i] = present[i];
    }
    if (n == 0)
        return;
    cr_assert_eq(colblock_reserve(m->block, values, nulls || below(r, 2) ? present : NULL, n), 0);
    colblock_append(m->block, values, nulls || below(r, 2) ? present : NULL, n);
    m->rows += n;
}

static void set_some(struct model *m, struct random *r, uint32_t n)
{
    while (m->rows && n--) {
        uint32_t row = below(r, m->rows);
        bool present = below(r, 100) >= m->null_percent;
        int64_t value = present ? draw(m, r) : 0;

        CHECK(colblock_reserve_set(m->block, row, value, present) == 0, "reserve");
        colblock_set(m->block, row, value, present);
        m->values[row] = value;
        m->present[row] = present;
    }
}

static void draw_selection(struct model *m, struct random *r, uint64_t *sel)
{
    unsigned kind = below(r, 5);

    memset(sel, 0, BLOCK_WORDS * sizeof *sel);
    for (uint32_t row = 0; row < m->rows; row++) {
        bool in = kind == 0   ? true
                  : kind == 1 ? below(r, 2) != 0
                  : kind == 2 ? below(r, 500) == 0
                  : kind == 3 ? row / 512 % 3 == 0
                              : row / 64 % 2 == 0 || below(r, 50) == 0;

        if (in)
            sel[row / 64] |= 1ull << (row % 64);
    }
}

static bool selected(const uint64_t *sel, uint32_t row)
{
    return sel[row / 64] >> (row % 64) & 1;
}

static void check_selection(const struct model *m, const uint64_t *before, const uint64_t *after,
                            const bool *want, const char *what)
{
    for (uint32_t row = 0; row < m->rows; row++) {
        bool expected = selected(before, row) && want[row];

        CHECK(selected(after, row) == expected,
              "%s: row %" PRIu32 " of %" PRIu32 " value %" PRId64 " is %d", what, row, m->rows,
              m->values[row], selected(after, row));
    }
    for (uint32_t i = m->rows; i < BLOCK_ROWS; i++)
        CHECK(!selected(after, i), "%s: row beyond the end", what);
}

static void check_nulls(struct model *m, struct random *r)
{
    uint64_t before[BLOCK_WORDS], after[BLOCK_WORDS];
    static bool want[BLOCK_ROWS];
    bool any = false;

    for (int null = 0; null < 2; null++) {
        draw_selection(m, r, before);
        memcpy(after, before, sizeof after);
        colblock_filter_null(m->block, null, after);
        for (uint32_t row = 0; row < m->rows; row++) {
            want[row] = m->present[row] != null;
            any |= !m->present[row];
        }
        check_selection(m, before, after, want, "null");
    }
    cr_assert_eq(colblock_has_nulls(m->block), any);
}

static void check_range(struct model *m, struct random *r)
{
    uint64_t before[BLOCK_WORDS], after[BLOCK_WORDS];
    static bool want[BLOCK_ROWS];

    for (int i = 0; i < 6; i++) {
        int64_t lo = draw_ordered(m, r), hi = draw_ordered(m, r);
        bool negate = below(r, 2);

        if (m->rows && below(r, 3) == 0)
            lo = m->values[below(r, m->rows)];
        if (below(r, 4) == 0)
            hi = lo;
        if (below(r, 8) == 0)
            lo = INT64_MIN;
        if (below(r, 8) == 0)
            hi = INT64_MAX;
        draw_selection(m, r, before);
        memcpy(after, before, sizeof after);
        colblock_filter_range(m->block, lo, hi, negate, after);
        for (uint32_t row = 0; row < m->rows; row++)
            want[row] = m->present[row] && (m->values[row] >= lo && m->values[row] <= hi) != negate;
        check_selection(m, before, after, want, negate ? "range negated" : "range");
    }
}

static bool matches(const struct model *m, const bool *in, int64_t value)
{
    uint32_t n;
    const uint32_t *codes;

    if (m->layout != LAYOUT_LIST)
        return in[value];
    codes = dict_list(m->lists, (uint32_t)value, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (in[codes[i]])
            return true;
    }
    return false;
}

static void check_code(struct model *m, struct random *r, const uint64_t *before, bool negate)
{
    uint64_t after[BLOCK_WORDS];
    static bool want[BLOCK_ROWS];
    uint32_t code = below(r, m->codes);

    memcpy(after, before, sizeof after);
    colblock_filter_code(m->block, code, negate, after);
    for (uint32_t row = 0; row < m->rows; row++)
        want[row] = m->present[row] && (m->values[row] == code) != negate;
    check_selection(m, before, after, want, negate ? "code negated" : "code");
}

static void check_codes(struct model *m, struct random *r)
{
    uint64_t before[BLOCK_WORDS], after[BLOCK_WORDS];
    static uint64_t bits[MAX_CODES / 64 + 1];
    static bool want[BLOCK_ROWS], in[MAX_CODES];

    for (int i = 0; i < 6; i++) {
        uint32_t members = i == 0 ? 0 : i == 1 ? 1 : i == 2 ? 3 : 1 + below(r, m->codes);
        uint32_t limit = below(r, 2) ? m->codes : 1 + below(r, m->codes);
        struct code_set set = {.bits = bits, .limit = limit};
        bool negate = below(r, 2);

        memset(bits, 0, sizeof bits);
        memset(in, 0, sizeof in);
        while (members--) {
            uint32_t code = below(r, m->codes);

            if (code < limit && !in[code]) {
                bits[code / 64] |= 1ull << (code % 64);
                in[code] = true;
                set.count++;
            }
        }
        draw_selection(m, r, before);
        memcpy(after, before, sizeof after);
        colblock_filter_codes(m->block, &set, negate, after);
        for (uint32_t row = 0; row < m->rows; row++)
            want[row] = m->present[row] && matches(m, in, m->values[row]) != negate;
        check_selection(m, before, after, want, negate ? "codes negated" : "codes");
        if (m->layout != LAYOUT_LIST)
            check_code(m, r, before, negate);
    }
}

static void check_counts(struct model *m, struct random *r)
{
    static uint64_t counts[MAX_CODES], want[MAX_CODES];
    uint64_t sel[BLOCK_WORDS];
    uint32_t n_codes = below(r, 2) ? m->codes : 1 + below(r, m->codes);

    draw_selection(m, r, sel);
    memset(want, 0, sizeof want);
    memset(counts, 0, sizeof counts);
    counts[0] = want[0] = 5;
    for (uint32_t row = 0; row < m->rows; row++) {
        if (!selected(sel, row) || !m->present[row])
            continue;
        if (m->layout != LAYOUT_LIST) {
            want[m->values[row]] += m->values[row] < n_codes;
        } else {
            uint32_t n;
            const uint32_t *codes = dict_list(m->lists, (uint32_t)m->values[row], &n);

            for (uint32_t i = 0; i < n; i++)
                want[codes[i]] += codes[i] < n_codes;
        }
    }
    colblock_count_codes(m->block, sel, counts, n_codes);
    cr_assert(memcmp(counts, want, sizeof counts) == 0, "counts per code");
}

static void check_decode(struct model *m, struct random *r)
{
    uint64_t sel[BLOCK_WORDS];
    uint32_t n = 0, want = 0;
    int64_t *values;
    uint8_t *present;

    draw_selection(m, r, sel);
    for (uint32_t row = 0; row < m->rows; row++)
        want += selected(sel, row);
    values =
        malloc((want + 1) * sizeof *values); /* exact, so that the sanitizer sees a byte too many */
    present = malloc(want + 1);
    values[want] = 0x5a5a;
    present[want] = 0x5a;
    cr_assert_eq(colblock_decode(m->block, sel, values, present), want);
    for (uint32_t row = 0; row < m->rows; row++) {
        int64_t got;

        if (!selected(sel, row))
            continue;
        CHECK(present[n] == m->present[row], "decode: presence of row %" PRIu32, row);
        CHECK(values[n] == (m->present[row] ? m->values[row] : 0), "decode: row %" PRIu32, row);
        n++;
        if (below(r, 16) == 0) {
            CHECK(colblock_get(m->block, row, &got) == (m->present[row] != 0),
                  "get: presence of row %" PRIu32, row);
            CHECK(!m->present[row] || got == m->values[row], "get: row %" PRIu32, row);
        }
    }
    cr_assert(values[want] == 0x5a5a && present[want] == 0x5a, "decode wrote beyond its output");
    cr_assert_eq(colblock_decode(m->block, sel, values, NULL), want);
    free(values);
    free(present);
}

static void check_aggregates(struct model *m, struct random *r)
{
    uint64_t sel[BLOCK_WORDS];
    __int128 sum = 0, got_sum;
    uint32_t count = 0;
    int64_t min = INT64_MAX, max = INT64_MIN, got_min, got_max;

    draw_selection(m, r, sel);
    for (uint32_t row = 0; row < m->rows; row++) {
        if (!selected(sel, row) || !m->present[row])
            continue;
        count++;
        sum += m->values[row];
        min = m->values[row] < min ? m->values[row] : min;
        max = m->values[row] > max ? m->values[row] : max;
    }
    cr_assert_eq(colblock_count(m->block, sel), count);
    if (m->layout != LAYOUT_ORDERED)
        return;
    cr_assert_eq(colblock_sum(m->block, sel, &got_sum), count);
    cr_assert(got_sum == sum, "sum");
    cr_assert_eq(colblock_min_max(m->block, sel, &got_min, &got_max), count > 0);
    if (count) {
        cr_assert_eq(got_min, min);
        cr_assert_eq(got_max, max);
        cr_assert(colblock_bounds(m->block, &got_min, &got_max));
        cr_assert(got_min <= min && got_max >= max);
    }
}

/* All rows without a selection: headers answer as the rows do. */
static void check_headers(struct model *m)
{
    static uint64_t counts[MAX_CODES], want[MAX_CODES];
    uint64_t sel[BLOCK_WORDS] = {0};
    __int128 sum = 0, want_sum = 0;
    int64_t min = 0, max = 0, want_min = 0, want_max = 0;

    for (uint32_t row = 0; row < m->rows; row++)
        sel[row / 64] |= 1ull << row % 64;
    cr_assert_eq(colblock_count(m->block, NULL), colblock_count(m->block, sel));
    if (m->layout != LAYOUT_ORDERED) {
        memset(want, 0, sizeof want);
        memset(counts, 0, sizeof counts);
        colblock_count_codes(m->block, NULL, counts, m->codes);
        colblock_count_codes(m->block, sel, want, m->codes);
        cr_assert(memcmp(counts, want, sizeof counts) == 0, "counts per code of all rows");
        return;
    }
    cr_assert_eq(colblock_sum(m->block, NULL, &sum), colblock_sum(m->block, sel, &want_sum));
    for (uint32_t row = 0; row < m->rows; row++)
        want_sum -= m->present[row] ? m->values[row] : 0;
    cr_assert(want_sum == 0, "sum of all rows, with a selection");
    for (uint32_t row = 0; row < m->rows; row++)
        sum -= m->present[row] ? m->values[row] : 0;
    cr_assert(sum == 0, "sum of all rows");
    cr_assert_eq(colblock_min_max(m->block, NULL, &min, &max),
                 colblock_min_max(m->block, sel, &want_min, &want_max));
    cr_assert(min == want_min && max == want_max, "bounds of all rows");
}

static void check(struct model *m, struct random *r)
{
    cr_assert_eq(colblock_rows(m->block), m->rows);
    check_headers(m);
    check_nulls(m, r);
    check_decode(m, r);
    check_aggregates(m, r);
    if (m->layout == LAYOUT_ORDERED) {
        check_range(m, r);
    } else {
        check_codes(m, r);
        check_counts(m, r);
    }
    cr_assert(colblock_memory(m->block) <= m->budget.used);
}

static struct model *model_new(enum column_layout layout, struct random *r)
{
    static const uint32_t codes[] = {1, 2, 9, 16, 17, 40, 300, 5000, MAX_CODES};
    struct model *m = calloc(1, sizeof *m);

    m->layout = layout;
    budget_init(&m->budget, "test", 0, NULL);
    m->codes = codes[below(r, layout == LAYOUT_LIST ? 8 : 9)];
    m->shape = below(r, 6);
    m->null_percent = below(r, 3) == 0 ? 0 : below(r, 3) == 0 ? 100 : below(r, 60);
    if (layout == LAYOUT_LIST)
        m->lists = dict_new(DICT_LIST, 7, &m->budget);
    m->block = colblock_new(layout, m->lists, &m->budget);
    return m;
}

static void model_free(struct model *m)
{
    colblock_free(m->block);
    dict_free(m->lists);
    cr_assert_eq(m->budget.used, 0, "memory is given back");
    free(m);
}

static void run(enum column_layout layout)
{
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) ^ 0x51ull << layout;
    int rounds = given ? 1 : 25;

    for (int round = 0; round < rounds; round++, seed++) {
        struct random r = {seed};
        const struct kernels *forms[4];
        unsigned n_forms = kernel_forms(forms);
        struct model *m = model_new(layout, &r);

        kernel_use(forms[below(&r, n_forms)]);
        fprintf(stderr, "colblock layout %d kernels %s TEST_SEED=%" PRIu64 "\n", layout,
                kernel_table()->name, seed);
        check(m, &r);
        for (int step = 0; step < 8; step++) {
            append(m, &r, below(&r, 3) == 0 ? 1 + below(&r, 3) : below(&r, 12000));
            if (below(&r, 2))
                set_some(m, &r, below(&r, 300));
            if (below(&r, 3) == 0)
                cr_assert_eq(colblock_seal(m->block, below(&r, 2)
                                                         ? m->rows
                                                         : m->rows / LINE_ROWS * LINE_ROWS),
                             0);
            check(m, &r);
            if (below(&r, 4) == 0) {
                m->shape = below(&r, 6);
                m->null_percent = below(&r, 2) ? 0 : below(&r, 60);
            }
        }
        if (round % 4 == 0) {
            append(m, &r, BLOCK_ROWS);
            cr_assert_eq(colblock_seal(m->block, BLOCK_ROWS), 0);
            check(m, &r);
            set_some(m, &r, 2000);
            check(m, &r);
        }
        model_free(m);
    }
}

Test(colblock, ordered_equals_model)
{
    run(LAYOUT_ORDERED);
}

Test(colblock, enumerated_equals_model)
{
    run(LAYOUT_ENUM);
}

Test(colblock, coded_equals_model)
{
    run(LAYOUT_CODED);
}

Test(colblock, lists_equal_model)
{
    run(LAYOUT_LIST);
}

/*
 * Moving every row of a sealed block one step outside its frame must not build it anew each time.
 */
Test(colblock, steps_outside_the_frame_are_amortized)
{
    struct budget budget;
    struct colblock *c;
    int64_t v, got;
    uint64_t sel[BLOCK_WORDS];
    __int128 sum, want = 0;

    budget_init(&budget, "test", 0, NULL);
    c = colblock_new(LAYOUT_ORDERED, NULL, &budget);
    for (uint32_t row = 0; row < BLOCK_ROWS; row++) {
        v = 1000000 + row;
        CHECK(colblock_reserve(c, &v, NULL, 1) == 0, "reserve");
        colblock_append(c, &v, NULL, 1);
    }
    cr_assert_eq(colblock_seal(c, BLOCK_ROWS), 0);
    for (uint32_t row = 0; row < BLOCK_ROWS; row++) {
        v = 999999 - (int64_t)row;
        want += v;
        CHECK(colblock_reserve_set(c, row, v, true) == 0, "reserve");
        colblock_set(c, row, v, true);
    }
    memset(sel, 0xff, sizeof sel);
    cr_assert_eq(colblock_sum(c, sel, &sum), BLOCK_ROWS);
    cr_assert(sum == want);
    cr_assert(colblock_get(c, 65535, &got) && got == 999999 - 65535);
    cr_assert(colblock_min_max(c, sel, &v, &got) && v == 999999 - 65535 && got == 999999);
    colblock_free(c);
    cr_assert_eq(budget.used, 0);
}

/* Every point where memory can run out leaves the block as it was. */
Test(colblock, out_of_memory_changes_nothing)
{
    struct random r = {42};

    for (int layout = LAYOUT_ORDERED; layout <= LAYOUT_LIST; layout++) {
        struct model *m = model_new(layout, &r);
        uint64_t limit;

        m->null_percent = 0;
        m->codes = 40;
        append(m, &r, 700);
        cr_assert_eq(colblock_seal(m->block, 700), 0);
        append(m, &r, 4300);
        for (limit = m->budget.used; limit < m->budget.used + 400000; limit += 8192) {
            m->budget.limit = limit;
            if (colblock_seal(m->block, 4608) == 0)
                break;
            check(m, &r);
        }
        m->budget.limit = 0;
        cr_assert_eq(colblock_seal(m->block, 4608), 0);
        check(m, &r);
        m->budget.limit = 1;
        for (int i = 0; i < 50; i++) {
            uint32_t row = below(&r, m->rows);
            bool present = below(&r, 2);
            int64_t value = layout == LAYOUT_LIST ? m->values[below(&r, m->rows)] : draw(m, &r);

            if (colblock_reserve_set(m->block, row, value, present) != 0)
                continue;
            colblock_set(m->block, row, value, present);
            m->values[row] = value;
            m->present[row] = present;
        }
        check(m, &r);
        m->budget.limit = 0;
        model_free(m);
    }
}
