/* Merging partials of several cores: groups combine, ordered rows give the first of all. */
#include "small_table.h"

#include "storage/merge.h"
#include "storage/topn.h"

static const uint16_t columns[] = {ID, NUM, NAME};
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

TestSuite(merge, .init = setup, .fini = teardown);
TestSuite(topn, .init = setup, .fini = teardown);

/* Rows from, from + step, ... below 1000 as a batch in output form of the columns above. */
static void make_rows(uint32_t from, uint32_t step, struct buffer *bytes, struct batch *out)
{
    struct batch_builder *b = batch_builder_new(NULL);

    batch_builder_add_column(b, 0, BATCH_I64, 0);
    batch_builder_add_column(b, 1, BATCH_I64, 0);
    batch_builder_add_column(b, 2, BATCH_BYTES, 0);
    for (uint32_t i = from; i < 1000; i += step) {
        batch_builder_put_i64(b, 0, i);
        if (small_has_num(i))
            batch_builder_put_i64(b, 1, small_num(i));
        small_put(b, 2, "n%u", i % 100);
        batch_builder_end_row(b);
    }
    small_finish(b, BATCH_DATA, bytes, out);
    batch_builder_free(b);
}

static struct program ordered(const struct program_order *order, unsigned n, uint64_t limit)
{
    return (struct program){.output = OUTPUT_ROWS,
                            .n_columns = 3,
                            .columns = columns,
                            .n_order = (uint16_t)n,
                            .order = order,
                            .limit = limit,
                            .memory = 8 << 20};
}

static int64_t id_at(const struct batch *b, uint32_t row)
{
    struct batch_column c;

    batch_column_at(b, 0, &c);
    return batch_i64(&c, row);
}

Test(merge, ordered_rows_of_three_cores)
{
    static const struct program_order order[] = {{0, true}};
    struct program p = ordered(order, 1, 10);
    struct error_info err;
    struct merge *m;
    struct batch b;

    cr_assert_eq(merge_new(&p, schema, &budget, &m), 0);
    for (uint32_t core = 0; core < 3; core++) {
        struct buffer bytes;
        make_rows(core, 3, &bytes, &b);
        cr_assert_eq(merge_add(m, &b, &err), 0);
        buffer_fini(&bytes); /* what was added is copied */
    }
    for (int64_t next = 999; next >= 990;) {
        cr_assert_eq(merge_next(m, 4, MERGE_ALL, &b), 1);
        cr_assert_leq(b.rows, 4);
        for (uint32_t i = 0; i < b.rows; i++)
            cr_assert_eq(id_at(&b, i), next--);
    }
    cr_assert_eq(merge_next(m, 4, MERGE_ALL, &b), 0);
    merge_free(m);
}

Test(merge, a_partial_of_another_form_is_refused)
{
    static const struct program_order order[] = {{0, true}};
    struct program p = ordered(order, 1, 10);
    struct error_info err = {0};
    struct buffer bytes;
    struct merge *m;
    struct batch b;

    p.n_columns = 2;
    make_rows(0, 1, &bytes, &b);
    cr_assert_eq(merge_new(&p, schema, &budget, &m), 0);
    cr_assert_eq(merge_add(m, &b, &err), -EBADMSG);
    cr_assert(err.text[0]);
    merge_free(m);
    buffer_fini(&bytes);
}

Test(merge, groups_of_two_cores_combine)
{
    static const uint16_t group[] = {KIND};
    static const struct aggregate sums[] = {{AGGREGATE_COUNT_ROWS, 0}, {AGGREGATE_SUM, NUM}};
    struct program p = {
        .n_columns = 1, .columns = group, .n_aggregates = 2, .aggregates = sums, .memory = 1 << 20};
    struct batch_builder *builder = batch_builder_new(NULL);
    struct batch_column count, sum;
    struct error_info err;
    struct buffer bytes;
    struct merge *m;
    struct batch b;

    batch_builder_add_column(builder, 0, BATCH_BYTES, 0);
    batch_builder_add_column(builder, 1, BATCH_I64, 0);
    batch_builder_add_column(builder, 2, BATCH_I128, 0);
    for (int i = 0; i < 3; i++) { /* k0, k1, NULL with 10 rows each; no sum for NULL */
        if (i < 2)
            small_put(builder, 0, "k%u", (uint32_t)i);
        batch_builder_put_i64(builder, 1, 10);
        if (i < 2)
            batch_builder_put_i128(builder, 2, (__int128)INT64_MAX * 4);
        batch_builder_end_row(builder);
    }
    small_finish(builder, BATCH_DATA, &bytes, &b);
    cr_assert_eq(merge_new(&p, schema, &budget, &m), 0);
    cr_assert_eq(merge_add(m, &b, &err), 0);
    cr_assert_eq(merge_add(m, &b, &err), 0);
    cr_assert_eq(merge_next(m, 100, MERGE_ALL, &b), 1);
    cr_assert_eq(b.rows, 3);
    batch_column_at(&b, 1, &count);
    batch_column_at(&b, 2, &sum);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(batch_i64(&count, i), 20);
        cr_assert_eq(batch_is_present(&sum, i), i < 2);
        if (i < 2)
            cr_assert(batch_i128(&sum, i) == (__int128)INT64_MAX * 8);
    }
    cr_assert_eq(merge_next(m, 100, MERGE_ALL, &b), 0);
    merge_free(m);
    buffer_fini(&bytes);
    batch_builder_free(builder);
}

/* Groups num = from .. to - 1 with num % 7 rows and, when asked for, a sum of -num * 2^70 (NULL for every 10th), and
 * one of key NULL. */
static void add_groups(struct merge *m, int64_t from, int64_t to, bool sums)
{
    struct batch_builder *builder = batch_builder_new(NULL);
    struct error_info err;
    struct buffer bytes;
    struct batch b;

    batch_builder_add_column(builder, 0, BATCH_I64, 0);
    batch_builder_add_column(builder, 1, BATCH_I64, 0);
    if (sums)
        batch_builder_add_column(builder, 2, BATCH_I128, 0);
    for (int64_t i = from; i <= to; i++) {
        if (i < to)
            batch_builder_put_i64(builder, 0, i);
        batch_builder_put_i64(builder, 1, i % 7);
        if (sums && i % 10)
            batch_builder_put_i128(builder, 2, -((__int128)i << 70));
        batch_builder_end_row(builder);
    }
    small_finish(builder, BATCH_DATA, &bytes, &b);
    cr_assert_eq(merge_add(m, &b, &err), 0);
    buffer_fini(&bytes);
    batch_builder_free(builder);
}

Test(merge, the_first_groups_in_an_order_when_all_are_complete)
{
    static const uint16_t group[] = {NUM};
    static const struct aggregate sums[] = {{AGGREGATE_COUNT_ROWS, 0}, {AGGREGATE_SUM, ID}};
    static const struct program_order by_count[] = {{1, true}, {0, false}},
                                      by_sum[] = {{2, false}, {0, false}};
    struct program p = {.n_columns = 1,
                        .columns = group,
                        .n_aggregates = 2,
                        .aggregates = sums,
                        .n_order = 2,
                        .order = by_count,
                        .limit = 4,
                        .memory = 8 << 20};
    static const int64_t first[2][4] = {{3002, 3009, 3016, 3023}, {0, 1000, 1010, 1020}};
    struct merge *m;
    struct batch b;

    for (int k = 0; k < 2; k++, p.order = by_sum) {
        cr_assert_eq(merge_new(&p, schema, &budget, &m), 0);
        add_groups(m, 1000, 4000, true);
        cr_assert_eq(merge_next(m, 100, 0, &b), 0, "none are complete");
        for (int i = 1; i < 6; i++)
            add_groups(m, 3000, 4000, true); /* six times the rows of each of these */
        int rc;
        while ((rc = merge_next(m, 100, MERGE_ALL, &b)) == -EAGAIN)
            continue;
        cr_assert_eq(rc, 1);
        cr_assert_eq(b.rows, 4);
        for (uint32_t i = 0; i < 4; i++)
            cr_expect_eq(id_at(&b, i), first[k][i], "%d %ld", k, (long)id_at(&b, i));
        cr_assert_eq(merge_next(m, 100, MERGE_ALL, &b), 0);
        merge_free(m);
    }
}

Test(merge, groups_that_having_leaves_out_are_not_given)
{
    static const uint16_t group[] = {NUM};
    static const struct aggregate sums[] = {{AGGREGATE_COUNT_ROWS, 0}, {AGGREGATE_SUM, ID}};
    /* Groups num have 2 * (num % 7) rows, and a sum below any int64 but for every 10th. */
    static const struct {
        struct program_having list[2];
        uint16_t n;
        uint32_t rows;
    } cases[] = {
        {{{0, 12, INT64_MAX}}, 1, 10},
        {{{0, INT64_MIN, 0}}, 1, 11},
        {{{0, 2, 4}}, 1, 20},
        {{{0, 2, 4}, {1, INT64_MIN, 0}}, 2, 18},
        {{{1, INT64_MIN, INT64_MAX}}, 1, 64},
        {{{1, INT64_MIN + 1, INT64_MAX}}, 1, 0},
    };
    struct program p = {.n_columns = 1,
                        .columns = group,
                        .n_aggregates = 2,
                        .aggregates = sums,
                        .limit = UINT64_MAX,
                        .memory = 8 << 20};
    struct merge *m;
    struct batch b;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        p.having = cases[i].list;
        p.n_having = cases[i].n;
        cr_assert_eq(merge_new(&p, schema, &budget, &m), 0);
        add_groups(m, 1001, 1071, true);
        add_groups(m, 1001, 1071, true);
        uint32_t rows = 0;
        while (merge_next(m, 100, MERGE_ALL, &b) == 1)
            rows += b.rows;
        cr_expect_eq(rows, cases[i].rows, "%zu: %u", i, rows);
        merge_free(m);
    }
}

Test(merge, groups_are_counted_without_that_of_null)
{
    static const uint16_t group[] = {NUM};
    static const struct aggregate count[] = {{AGGREGATE_COUNT_ROWS, 0}};
    struct program p = {.n_columns = 1,
                        .columns = group,
                        .n_aggregates = 1,
                        .aggregates = count,
                        .limit = UINT64_MAX,
                        .count_groups = true,
                        .memory = 8 << 20};
    struct batch_column c;
    struct merge *m;
    struct batch b;

    for (int64_t n = 0; n < 3; n++) {
        cr_assert_eq(merge_new(&p, schema, &budget, &m), 0);
        for (int64_t i = 0; i < n; i++)
            add_groups(m, i * 100, 150 + i * 100, false);
        cr_assert_eq(merge_next(m, 100, 1ull << 62, &b), 0);
        cr_assert_eq(merge_next(m, 100, MERGE_ALL, &b), 1);
        cr_assert_eq(b.rows, 1);
        batch_column_at(&b, 0, &c);
        cr_assert_not(batch_is_present(&c, 0));
        batch_column_at(&b, 1, &c);
        cr_assert_eq(batch_i64(&c, 0), n ? 50 + n * 100 : 0);
        cr_assert_eq(merge_next(m, 100, MERGE_ALL, &b), 0);
        merge_free(m);
    }
}

Test(merge, too_little_memory_is_an_error_with_a_text)
{
    static const struct program_order order[] = {{0, false}};
    struct program p = ordered(order, 1, 1000000);
    struct error_info err = {0};
    struct buffer bytes;
    struct merge *m;
    struct batch b;
    int rc = 0;

    p.memory = 100000;
    make_rows(0, 1, &bytes, &b);
    cr_assert_eq(merge_new(&p, schema, &budget, &m), 0);
    for (int i = 0; i < 100 && !rc; i++)
        rc = merge_add(m, &b, &err);
    cr_assert_eq(rc, -ENOMEM);
    cr_assert_eq(err.code, 1038);
    merge_free(m);
    buffer_fini(&bytes);
}

/* --- the first rows in an order --- */

static uint32_t top(const struct program *p, int64_t *ids, uint32_t cap)
{
    struct buffer bytes;
    struct topn *t;
    struct batch b;
    uint32_t n = 0;

    make_rows(0, 1, &bytes, &b);
    cr_assert_eq(topn_new(p, schema, &budget, &t), 0);
    cr_assert_eq(topn_add(t, &b), 0);
    while (topn_next(t, 64, &b) == 1)
        for (uint32_t i = 0; i < b.rows && n < cap; i++)
            ids[n++] = id_at(&b, i);
    topn_free(t);
    buffer_fini(&bytes);
    return n;
}

Test(topn, nulls_are_smallest)
{
    static const struct program_order up[] = {{1, false}, {0, false}},
                                      down[] = {{1, true}, {0, true}};
    struct program p = ordered(up, 2, 150);
    int64_t ids[1000];

    cr_assert_eq(top(&p, ids, 1000), 150);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(ids[i], i * 10, "first the rows without a number");
    cr_assert_eq(ids[100], 1);
    p = ordered(down, 2, 1000);
    cr_assert_eq(top(&p, ids, 1000), 1000);
    cr_assert_eq(ids[0], 999);
    cr_assert_eq(ids[899], 1);
    cr_assert_eq(ids[900], 990);
}

Test(topn, strings_compare_bytewise_and_prefixes_come_first)
{
    static const struct program_order order[] = {{2, false}, {0, true}};
    struct program p = ordered(order, 2, 25);
    int64_t ids[30];

    cr_assert_eq(top(&p, ids, 30), 25);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(ids[i], 900 - i * 100, "n0");
        cr_assert_eq(ids[10 + i], 901 - i * 100, "n1");
    }
    cr_assert_eq(ids[20], 910, "n10 before n2");
}

Test(topn, limits_of_nothing_and_of_more_than_there_is)
{
    static const struct program_order order[] = {{0, false}};
    struct program p = ordered(order, 1, 0);
    int64_t ids[1000];

    cr_assert_eq(top(&p, ids, 1000), 0);
    p = ordered(order, 1, UINT64_MAX - 1);
    cr_assert_eq(top(&p, ids, 1000), 1000);
    cr_assert_eq(ids[999], 999);
}

Test(topn, the_bound_is_the_worst_row_that_counts)
{
    static const struct program_order order[] = {{0, true}};
    struct program p = ordered(order, 1, 10);
    struct buffer bytes;
    struct topn *t;
    struct batch b;
    int64_t bound;

    cr_assert_eq(topn_new(&p, schema, &budget, &t), 0);
    cr_assert(!topn_bound(t, &bound));
    make_rows(0, 1, &bytes, &b);
    cr_assert_eq(topn_add(t, &b), 0);
    cr_assert_eq(topn_add(t, &b), 0); /* enough rows to drop the others */
    cr_assert(topn_bound(t, &bound));
    cr_assert(bound >= 0 && bound <= 995);
    topn_free(t);
    buffer_fini(&bytes);
}
