/* Partial groups: states of every aggregate, NULL keys, batches in and out, the memory limit. */
#include "small_table.h"

#include "storage/merge.h"
#include "storage/partial.h"

static const uint16_t group_columns[] = {KIND, NUM};
static const struct aggregate aggregates[] = {{AGGREGATE_COUNT_ROWS, 0},
                                              {AGGREGATE_SUM, NUM},
                                              {AGGREGATE_MIN, NAME},
                                              {AGGREGATE_MAX, NUM}};
static struct program program = {.output = OUTPUT_GROUPS,
                                 .columns = group_columns,
                                 .n_columns = 2,
                                 .n_aggregates = 4,
                                 .aggregates = aggregates,
                                 .memory = 1 << 20};
static struct schema *schema;
static struct budget budget;

static void setup(void)
{
    schema = small_schema();
    budget_init(&budget, "test", 0, NULL);
}

static void teardown(void)
{
    schema_put(schema);
    cr_assert_eq(budget.used, 0, "all memory was given back");
}

TestSuite(partial, .init = setup, .fini = teardown);

static struct cell text(const char *s)
{
    return (struct cell){.present = s, .bytes = s, .len = s ? (uint32_t)strlen(s) : 0};
}

static struct cell number(int64_t v)
{
    return (struct cell){.present = true, .i64 = v};
}

static uint32_t group(struct partial *t, struct cell a, struct cell b)
{
    struct cell cells[] = {a, b};
    uint32_t g;

    cr_assert_eq(partial_group(t, cells, &g), 0);
    return g;
}

static void add(struct partial *t, uint32_t g, int64_t n, const char *name)
{
    struct aggregate_state count = {.number = 1, .present = true},
                           num = {.number = n, .present = true};
    struct aggregate_state str = {.bytes = name,
                                  .len = name ? (uint32_t)strlen(name) : 0,
                                  .present = name};

    cr_assert_eq(partial_combine(t, g, 0, &count), 0);
    cr_assert_eq(partial_combine(t, g, 1, &num), 0);
    cr_assert_eq(partial_combine(t, g, 2, &str), 0);
    cr_assert_eq(partial_combine(t, g, 3, &num), 0);
}

Test(partial, equal_keys_are_one_group_and_null_is_a_key)
{
    struct partial *t;

    cr_assert_eq(partial_new(&program, schema, &budget, &t), 0);
    uint32_t a = group(t, text("x"), number(1)), b = group(t, text("x"), number(2));
    uint32_t c = group(t, text(NULL), number(1)), d = group(t, text(""), number(1));
    cr_assert(a != b && a != c && b != c && c != d && a != d);
    cr_assert_eq(group(t, text("x"), number(1)), a);
    cr_assert_eq(group(t, text(NULL), number(1)), c);
    cr_assert_eq(group(t, text(""), number(1)), d);
    cr_assert_eq(partial_groups(t), 4);
    partial_free(t);
}

static void check_first(struct batch *b, int64_t count, int64_t sum, const char *min, int64_t max)
{
    struct batch_column c[6];
    uint32_t len;

    for (unsigned i = 0; i < 6; i++)
        batch_column_at(b, i, &c[i]);
    cr_assert_eq(batch_i64(&c[2], 0), count);
    cr_assert_eq((int64_t)batch_i128(&c[3], 0), sum);
    cr_assert_eq(batch_is_present(&c[4], 0), min != NULL);
    if (min) {
        const char *s = batch_bytes(&c[4], 0, &len);
        cr_assert(len == strlen(min) && !memcmp(s, min, len));
    }
    cr_assert_eq(batch_i64(&c[5], 0), max);
}

Test(partial, states_combine_and_come_out)
{
    struct partial *t;
    struct batch b;

    cr_assert_eq(partial_new(&program, schema, &budget, &t), 0);
    uint32_t g = group(t, text("x"), number(1));
    add(t, g, 5, "b");
    add(t, g, -7, "abc");
    add(t, g, 100, NULL);
    add(t, g, 2, "b");
    cr_assert_eq(partial_next(t, 10, &b), 1);
    cr_assert_eq(b.rows, 1);
    check_first(&b, 4, 100, "abc", 100);
    cr_assert_eq(partial_next(t, 10, &b), 0);
    partial_free(t);
}

Test(partial, the_empty_string_is_a_minimum)
{
    struct partial *t;
    struct batch b;

    cr_assert_eq(partial_new(&program, schema, &budget, &t), 0);
    uint32_t g = group(t, text("x"), number(1));
    add(t, g, 1, "b");
    add(t, g, 1, "");
    add(t, g, 1, "a");
    cr_assert_eq(partial_next(t, 10, &b), 1);
    check_first(&b, 3, 3, "", 1);
    partial_free(t);
}

Test(partial, batches_of_partials_are_taken_in)
{
    struct partial *from, *to;
    struct batch b;
    uint32_t batches = 0;

    cr_assert_eq(partial_new(&program, schema, &budget, &from), 0);
    cr_assert_eq(partial_new(&program, schema, &budget, &to), 0);
    for (int i = 0; i < 1000; i++)
        add(from, group(from, text(i % 3 ? "x" : NULL), number(i % 200)), i, "n");
    uint32_t groups = partial_groups(from);
    while (partial_next(from, 64, &b) == 1) {
        cr_assert_leq(b.rows, 64);
        cr_assert_eq(partial_add_batch(to, &b), 0);
        cr_assert_eq(partial_add_batch(to, &b), 0); /* twice: sums double, groups do not */
        batches++;
    }
    cr_assert_eq(batches, (groups + 63) / 64);
    cr_assert_eq(partial_groups(to), groups);
    int64_t rows = 0;
    while (partial_next(to, 1000, &b) == 1) {
        struct batch_column count;
        batch_column_at(&b, 2, &count);
        for (uint32_t i = 0; i < b.rows; i++)
            rows += batch_i64(&count, i);
    }
    cr_assert_eq(rows, 2000);
    partial_free(from);
    partial_free(to);
}

Test(partial, a_batch_with_other_columns_is_refused)
{
    struct batch_builder *b = small_builder(schema);
    struct partial *t;
    struct buffer bytes;
    struct batch batch;

    small_row(b, 1);
    small_finish(b, BATCH_DATA, &bytes, &batch);
    cr_assert_eq(partial_new(&program, schema, &budget, &t), 0);
    cr_assert_eq(partial_add_batch(t, &batch), -EBADMSG);
    partial_free(t);
    batch_builder_free(b);
    buffer_fini(&bytes);
}

Test(partial, memory_is_limited_by_program_and_budget)
{
    struct program small = program;
    struct partial *t;
    uint32_t g, n = 0;
    int rc = 0;

    small.memory = 100000;
    for (int pass = 0; pass < 2; pass++) {
        cr_assert_eq(partial_new(&small, schema, &budget, &t), 0);
        for (n = 0, rc = 0; n < 1000000 && !rc; n++) {
            struct cell cells[] = {text("x"), number(n)};
            rc = partial_group(t, cells, &g);
        }
        cr_assert_eq(rc, -ENOMEM);
        cr_assert_gt(n, 100);
        partial_free(t);
        cr_assert_eq(budget.used, 0);
        small.memory = 1 << 30;
        budget.limit = 200000;
    }
}
