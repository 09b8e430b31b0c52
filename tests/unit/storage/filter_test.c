/* Predicates bound to a slot, on one block. */
#include "small_table.h"

#include "storage/filter.h"

static struct small_table table;
static uint64_t sel[BLOCK_WORDS];

static uint32_t count(const struct predicate *w)
{
    struct filter *f;
    struct block b;

    small_block(&table, &b, sel);
    cr_assert_eq(filter_bind(w, table.slot, &table.arena, &f), 0);
    cr_assert_eq(filter_grow(f, &table.arena, NULL), 0);
    if (f)
        filter_block(f, &b, sel);
    return selection_count(sel);
}

static bool is_selected(uint32_t row)
{
    return sel[row >> 6] >> (row & 63) & 1;
}

static struct program_string string(const char *s)
{
    return (struct program_string){s, (uint32_t)strlen(s)};
}

static void setup(void)
{
    small_init(&table, 1000);
}

static void teardown(void)
{
    small_fini(&table);
}

TestSuite(filter, .init = setup, .fini = teardown);

Test(filter, no_condition_leaves_everything)
{
    struct filter *f = (struct filter *)&table;

    cr_assert_eq(filter_bind(NULL, table.slot, &table.arena, &f), 0);
    cr_assert_null(f);
    cr_assert_eq(count(&(struct predicate){.kind = PREDICATE_TRUE}), 1000);
    cr_assert_eq(count(&(struct predicate){.kind = PREDICATE_FALSE}), 0);
}

Test(filter, conjuncts_that_are_true_change_nothing)
{
    struct predicate yes = {.kind = PREDICATE_TRUE},
                     some = {.kind = PREDICATE_RANGE, .column = NUM, .lo = 0, .hi = 299};
    const struct predicate *children[70];
    struct predicate both = {.kind = PREDICATE_AND, .n = 70, .children = children};

    for (unsigned i = 0; i < 70; i++)
        children[i] = i == 68 ? &some : &yes;
    cr_assert_eq(count(&both), count(&some));
    both.n = 2;
    children[1] = &some;
    cr_assert_eq(count(&both), count(&some));
}

Test(filter, ranges_leave_out_nulls_also_when_negated)
{
    struct predicate p = {.kind = PREDICATE_RANGE, .column = NUM, .lo = 0, .hi = 299};
    uint32_t inside = count(&p), expected = 0;

    for (uint32_t i = 0; i < 1000; i++)
        expected += small_has_num(i) && small_num(i) >= 0 && small_num(i) <= 299;
    cr_assert_eq(inside, expected);
    p.negate = true;
    cr_assert_eq(count(&p), 900 - inside);
}

Test(filter, a_range_beyond_all_values_is_decided_by_bounds)
{
    struct predicate p = {.kind = PREDICATE_RANGE, .column = NUM, .lo = 1000000, .hi = INT64_MAX};
    struct filter *f;
    struct block b;

    small_block(&table, &b, sel);
    cr_assert_eq(filter_bind(&p, table.slot, &table.arena, &f), 0);
    cr_assert(filter_block(f, &b, sel));
    cr_assert(selection_is_empty(sel));
}

Test(filter, an_inverted_range_is_empty)
{
    struct predicate p = {.kind = PREDICATE_RANGE, .column = NUM, .lo = 10, .hi = 9};

    cr_assert_eq(count(&p), 0);
    p.negate = true;
    cr_assert_eq(count(&p), 900);
}

Test(filter, members_of_integer_sets)
{
    static const int64_t ints[] = {-97, -94, 5, 1000000};
    struct predicate p = {.kind = PREDICATE_INTS, .column = NUM, .ints = ints, .n = 4};

    cr_assert_eq(count(&p), 3); /* rows 1, 2, 35 */
    cr_assert(is_selected(1) && is_selected(2) && is_selected(35));
    p.negate = true;
    cr_assert_eq(count(&p), 897);
}

Test(filter, strings_of_enums_and_of_hashed_columns)
{
    struct program_string s[] = {string("k1"), string("k3"), string("nowhere")};
    struct predicate p = {.kind = PREDICATE_STRINGS, .column = KIND, .strings = s, .n = 3};
    uint32_t expected = 0;

    for (uint32_t i = 0; i < 1000; i++)
        expected += small_has_kind(i) && (i % 5 == 1 || i % 5 == 3);
    cr_assert_eq(count(&p), expected);
    s[0] = string("n7");
    p.column = NAME;
    p.n = 1;
    cr_assert_eq(count(&p), 10);
    p.negate = true;
    cr_assert_eq(count(&p), 990);
    s[0] = string("unknown");
    cr_assert_eq(count(&p), 1000);
    p.negate = false;
    cr_assert_eq(count(&p), 0);
}

Test(filter, string_ranges_with_open_ends)
{
    struct program_string s[] = {string("k1"), string("k3")};
    struct predicate p = {.kind = PREDICATE_STRING_RANGE, .column = KIND, .strings = s, .n = 2};
    uint32_t kinds[5] = {0};

    for (uint32_t i = 0; i < 1000; i++)
        kinds[i % 5] += small_has_kind(i);
    cr_assert_eq(count(&p), kinds[1] + kinds[2] + kinds[3]);
    p.lo_open = true;
    cr_assert_eq(count(&p), kinds[2] + kinds[3]);
    p.hi_open = true;
    cr_assert_eq(count(&p), kinds[2]);
    s[1].len = UINT32_MAX;
    cr_assert_eq(count(&p), kinds[2] + kinds[3] + kinds[4]);
}

Test(filter, like_and_lists)
{
    struct program_string s[] = {string("n_")};
    struct predicate p = {.kind = PREDICATE_LIKE, .column = NAME, .strings = s, .n = 1};

    cr_assert_eq(count(&p), 100);
    s[0] = string("t2");
    p.kind = PREDICATE_STRINGS;
    p.column = TAGS;
    cr_assert_eq(count(&p), 250, "any value of the list matches");
    p.negate = true;
    cr_assert_eq(count(&p), 500, "a list, but without it");
}

Test(filter, nulls)
{
    struct predicate p = {.kind = PREDICATE_NULL, .column = NUM};

    cr_assert_eq(count(&p), 100);
    p.negate = true;
    cr_assert_eq(count(&p), 900);
    p.column = TAGS;
    cr_assert_eq(count(&p), 750);
}

Test(filter, and_or_nest)
{
    struct predicate flag = {.kind = PREDICATE_RANGE, .column = FLAG, .lo = 1, .hi = 1};
    struct predicate low = {.kind = PREDICATE_RANGE, .column = ID, .lo = 0, .hi = 9};
    struct predicate high = {.kind = PREDICATE_RANGE, .column = ID, .lo = 990, .hi = 5000};
    const struct predicate *ends[] = {&low, &high};
    struct predicate either = {.kind = PREDICATE_OR, .n = 2, .children = ends};
    const struct predicate *both[] = {&flag, &either};
    struct predicate all = {.kind = PREDICATE_AND, .n = 2, .children = both};

    cr_assert_eq(count(&either), 20);
    cr_assert_eq(count(&all), 10);
    cr_assert(is_selected(1) && is_selected(999) && !is_selected(2) && !is_selected(11));
    all.n = 0;
    cr_assert_eq(count(&all), 1000, "an empty AND is true");
    either.n = 0;
    cr_assert_eq(count(&either), 0, "an empty OR is false");
}

/* Rows of [from, 1000) with kind "k1" and flag 1, but for the one that was deleted; also asked for as a number. */
static void check_conjuncts(const struct predicate *both, uint32_t from, uint32_t deleted)
{
    uint32_t expected = 0, n;
    struct filter *f;
    struct block b;

    for (uint32_t i = from; i < 1000; i++)
        expected += small_has_kind(i) && i % 5 == 1 && i % 2 && i != deleted;
    small_block(&table, &b, sel);
    cr_assert_eq(filter_bind(both, table.slot, &table.arena, &f), 0);
    cr_assert_eq(filter_grow(f, &table.arena, NULL), 0);
    filter_rows(f, &b, from, b.rows, NULL, sel);
    cr_assert_eq(selection_count(sel), expected);
    if (!from) {
        cr_assert_eq(filter_count(f, &b, true, NULL, &n), FILTER_MET);
        cr_assert_eq(n, expected);
    }
    selection_fill(sel, from, b.rows);
    if (b.live)
        selection_and(sel, b.live);
    filter_block(f, &b, sel);
    cr_assert_eq(selection_count(sel), expected);
}

Test(filter, containers_and_the_rows_behind_them)
{
    struct program_string k1 = string("k1");
    struct predicate kind = {.kind = PREDICATE_STRINGS, .column = KIND, .strings = &k1, .n = 1},
                     flag = {.kind = PREDICATE_RANGE, .column = FLAG, .lo = 1, .hi = 1};
    const struct predicate *children[] = {&kind, &flag};
    struct predicate both = {.kind = PREDICATE_AND, .n = 2, .children = children};
    struct segment *g = slot_segment(table.slot, 0);

    for (int all = 0; all < 2; all++) {
        cr_assert_eq(segment_seal(g, all), 0);
        check_conjuncts(&both, 0, all ? 701 : 1000);
        check_conjuncts(&both, 100, all ? 701 : 1000);
        check_conjuncts(&both, 600, all ? 701 : 1000);
        cr_assert_eq(segment_delete(g, 701), 0);
        check_conjuncts(&both, 0, 701);
        check_conjuncts(&both, 600, 701);
    }
}
