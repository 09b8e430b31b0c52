/* Grouping within a slot, through the inputs of a scan. */
#include "small_table.h"

#include "storage/group.h"

static struct small_table table;
static struct budget budget;

static void setup(void)
{
    small_init(&table, 1000);
    budget_init(&budget, "test", 0, NULL);
}

static void teardown(void)
{
    small_fini(&table);
    cr_assert_eq(budget.used, 0, "all memory was given back");
}

TestSuite(group, .init = setup, .fini = teardown);
TestSuite(input, .init = setup, .fini = teardown);

static void make_input(struct input *in, uint16_t ref)
{
    cr_assert_eq(input_init(in, NULL, table.schema, NULL, ref, SCAN_WINDOW, &table.arena), 0);
    input_bind(in, table.slot);
}

/* Groups all rows by the program's columns; the partial is the caller's. */
static struct partial *run(const struct program *p, int slots)
{
    static uint64_t sel[BLOCK_WORDS];
    struct input inputs[4];
    struct group_table *g;
    struct partial *to;
    struct block b;
    unsigned n = 0;

    small_block(&table, &b, sel);
    for (unsigned i = 0; i < p->n_columns; i++)
        make_input(&inputs[n++], p->columns[i]);
    for (unsigned i = 0; i < p->n_aggregates; i++, n++)
        if (p->aggregates[i].kind == AGGREGATE_COUNT_ROWS)
            inputs[n] = (struct input){.ref = UINT16_MAX};
        else
            make_input(&inputs[n], p->aggregates[i].column);
    cr_assert_eq(group_new(p, inputs, &budget, &g), 0);
    cr_assert_eq(partial_new(p, table.schema, &budget, &to), 0);
    for (int slot = 0; slot < slots; slot++) {
        cr_assert_eq(group_begin(g, (uint32_t)slot), 0);
        for (unsigned i = 0; i < n; i++)
            if (inputs[i].ref != UINT16_MAX)
                cr_assert_eq(input_read(&inputs[i], &b, sel, NULL, 1000), 1000);
        cr_assert_eq(group_add(g, 1000), 0);
        cr_assert_eq(group_end(g), 0);
    }
    for (uint32_t part = 0; part < group_parts(g); part++) {
        uint32_t at = 0;
        cr_assert_eq(group_flush(g, part, &at, (struct group_range){0, GROUP_HASHES}, UINT32_MAX,
                                 to),
                     1);
    }
    group_free(g);
    return to;
}

static struct batch all(struct partial *t)
{
    struct batch b;

    cr_assert_eq(partial_next(t, 100000, &b), 1);
    return b;
}

Test(group, no_columns_give_one_group)
{
    static const struct aggregate a[] = {{AGGREGATE_COUNT_ROWS, 0},
                                         {AGGREGATE_SUM, NUM},
                                         {AGGREGATE_MAX, NAME}};
    struct program p = {.n_aggregates = 3, .aggregates = a, .memory = 16 << 20};
    struct partial *t = run(&p, 1);
    struct batch b = all(t);
    struct batch_column c[3];
    int64_t sum = 0;
    uint32_t len;

    for (uint32_t i = 0; i < 1000; i++)
        sum += small_has_num(i) ? small_num(i) : 0;
    for (unsigned i = 0; i < 3; i++)
        batch_column_at(&b, i, &c[i]);
    cr_assert_eq(b.rows, 1);
    cr_assert_eq(batch_i64(&c[0], 0), 1000);
    cr_assert_eq((int64_t)batch_i128(&c[1], 0), sum);
    cr_assert(!memcmp(batch_bytes(&c[2], 0, &len), "n99", 3));
    partial_free(t);
}

Test(group, codes_with_null_as_a_group)
{
    static const uint16_t columns[] = {KIND};
    static const struct aggregate a[] = {{AGGREGATE_COUNT_ROWS, 0}, {AGGREGATE_MIN, NUM}};
    struct program p = {
        .n_columns = 1, .columns = columns, .n_aggregates = 2, .aggregates = a, .memory = 16 << 20};
    struct partial *t = run(&p, 1);
    struct batch b = all(t);
    struct batch_column key, count, min;

    cr_assert_eq(b.rows, 6);
    batch_column_at(&b, 0, &key);
    batch_column_at(&b, 1, &count);
    batch_column_at(&b, 2, &min);
    for (uint32_t row = 0; row < 6; row++) {
        int kind = -1;
        int64_t n = 0, least = INT64_MAX;
        uint32_t len;
        if (batch_is_present(&key, row))
            kind = batch_bytes(&key, row, &len)[1] - '0';
        for (uint32_t i = 0; i < 1000; i++) {
            if ((small_has_kind(i) ? (int)(i % 5) : -1) != kind)
                continue;
            n++;
            if (small_has_num(i) && small_num(i) < least)
                least = small_num(i);
        }
        cr_assert_eq(batch_i64(&count, row), n);
        cr_assert_eq(batch_i64(&min, row), least);
    }
    partial_free(t);
}

Test(group, a_row_counts_once_per_value_of_a_list)
{
    static const uint16_t columns[] = {TAGS};
    static const struct aggregate a[] = {{AGGREGATE_COUNT_ROWS, 0}};
    struct program p = {
        .n_columns = 1, .columns = columns, .n_aggregates = 1, .aggregates = a, .memory = 16 << 20};
    struct partial *t = run(&p, 1);
    struct batch b = all(t);
    struct batch_column key, count;
    int64_t expected[] = {750, 500, 250};

    cr_assert_eq(b.rows, 4, "t0, t1, t2, NULL");
    batch_column_at(&b, 0, &key);
    batch_column_at(&b, 1, &count);
    for (uint32_t row = 0; row < 4; row++) {
        uint32_t len;
        int64_t n =
            batch_is_present(&key, row) ? expected[batch_bytes(&key, row, &len)[1] - '0'] : 250;
        cr_assert_eq(batch_i64(&count, row), n);
    }
    partial_free(t);
}

Test(group, integers_are_hashed_and_slots_add_up)
{
    static const uint16_t columns[] = {NUM, FLAG};
    static const struct aggregate a[] = {{AGGREGATE_COUNT_ROWS, 0}};
    struct program p = {
        .n_columns = 2, .columns = columns, .n_aggregates = 1, .aggregates = a, .memory = 16 << 20};
    struct partial *t = run(&p, 3);
    struct batch b = all(t);
    struct batch_column count;
    int64_t rows = 0;

    cr_assert_eq(b.rows, 901, "900 numbers, and NULL whose rows are all even");
    batch_column_at(&b, 2, &count);
    for (uint32_t row = 0; row < b.rows; row++)
        rows += batch_i64(&count, row);
    cr_assert_eq(rows, 3000);
    partial_free(t);
}

/* Slots whose dictionaries need the direct map and others that need the hash map take turns. */
Test(group, changing_maps_are_charged_once)
{
    static const uint16_t columns[] = {NAME, KIND};
    static const struct aggregate a[] = {{AGGREGATE_COUNT_ROWS, 0}};
    struct program p = {
        .n_columns = 2, .columns = columns, .n_aggregates = 1, .aggregates = a, .memory = 120000};
    struct input inputs[3] = {[2] = {.ref = UINT16_MAX}};
    struct dict *large = dict_new(DICT_BYTES, 1, NULL);
    struct group_table *g;
    char text[16];
    uint32_t code;

    for (int i = 0; i < 4000; i++) {
        snprintf(text, sizeof(text), "%d", i);
        cr_assert_eq(dict_put_bytes(large, text, (uint32_t)strlen(text), &code), 0);
    }
    make_input(&inputs[0], NAME);
    make_input(&inputs[1], KIND);
    const struct dict *small = inputs[0].dict;
    cr_assert_eq(group_new(&p, inputs, &budget, &g), 0);
    for (int slot = 0; slot < 50; slot++) {
        inputs[0].dict = slot % 2 ? large : small;
        cr_assert_eq(group_begin(g, (uint32_t)slot), 0, "slot %d", slot);
    }
    group_free(g);
    dict_free(large);
}

Test(group, memory_is_limited)
{
    static const uint16_t columns[] = {NUM};
    static const struct aggregate a[] = {{AGGREGATE_COUNT_ROWS, 0}};
    struct program p = {
        .n_columns = 1, .columns = columns, .n_aggregates = 1, .aggregates = a, .memory = 20000};
    static uint64_t sel[BLOCK_WORDS];
    struct input inputs[2] = {[1] = {.ref = UINT16_MAX}};
    struct group_table *g;
    struct block b;

    small_block(&table, &b, sel);
    make_input(&inputs[0], NUM);
    cr_assert_eq(group_new(&p, inputs, &budget, &g), 0);
    int rc = group_begin(g, 0);
    if (!rc) {
        input_read(&inputs[0], &b, sel, NULL, 1000);
        rc = group_add(g, 1000);
    }
    cr_assert_eq(rc, -ENOMEM);
    group_free(g);
}

/* --- inputs: own columns as cells, attributes of parents --- */

Test(input, cells_are_what_was_written)
{
    static uint64_t sel[BLOCK_WORDS];
    struct input num, kind;
    struct block b;

    small_block(&table, &b, sel);
    make_input(&num, NUM);
    make_input(&kind, KIND);
    cr_assert_eq(input_read(&num, &b, sel, NULL, 1000), 1000);
    cr_assert_eq(input_read(&kind, &b, sel, NULL, 1000), 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        struct cell n = input_cell(&num, i), k = input_cell(&kind, i);
        cr_assert_eq(n.present, small_has_num(i));
        cr_assert(!n.present || n.i64 == small_num(i));
        cr_assert_eq(k.present, small_has_kind(i));
        cr_assert(!k.present || (k.len == 2 && k.bytes[1] == (char)('0' + i % 5)));
    }
}

/* Parents k0, k2, k4 with a number (not for k2) and a name. */
static void make_parents(struct buffer *bytes, struct batch *out)
{
    struct batch_builder *b = batch_builder_new(NULL);

    batch_builder_add_column(b, 0, BATCH_BYTES, 0);
    batch_builder_add_column(b, 1, BATCH_I64, 0);
    batch_builder_add_column(b, 2, BATCH_BYTES, 0);
    for (uint32_t i = 0; i < 5; i += 2) {
        small_put(b, 0, "k%u", i);
        if (i != 2)
            batch_builder_put_i64(b, 1, i * 1000);
        small_put(b, 2, "parent %u", i);
        batch_builder_end_row(b);
    }
    small_finish(b, BATCH_DATA, bytes, out);
    batch_builder_free(b);
}

Test(input, attributes_of_parents)
{
    static uint64_t sel[BLOCK_WORDS];
    static uint32_t rows[SCAN_WINDOW];
    uint32_t *parent_rows[] = {rows};
    struct buffer bytes;
    struct batch parents;
    struct program_join join = {.column = KIND, .parents = &parents};
    struct join_map *m;
    struct input number, name;
    struct block b;

    make_parents(&bytes, &parents);
    small_block(&table, &b, sel);
    cr_assert_eq(join_map_new(&join, &table.arena, &budget, &m), 0);
    cr_assert_eq(join_map_bind(m, table.slot, &table.arena), 0);
    cr_assert_eq(join_map_prepare(m, &table.arena, &budget), 0);
    cr_assert_eq(join_map_rows(m, &b, sel, rows), 1000);
    cr_assert_eq(input_init(&number, NULL, table.schema, &m, PROGRAM_PARENT + 1, SCAN_WINDOW,
                            &table.arena),
                 0);
    cr_assert_eq(input_init(&name, NULL, table.schema, &m, PROGRAM_PARENT + 2, SCAN_WINDOW,
                            &table.arena),
                 0);
    input_read(&number, &b, sel, parent_rows, 1000);
    input_read(&name, &b, sel, parent_rows, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        bool has_parent = small_has_kind(i) && i % 5 % 2 == 0;
        struct cell n = input_cell(&number, i), s = input_cell(&name, i);
        cr_assert_eq(rows[i] != 0, has_parent, "row %u", i);
        cr_assert_eq(s.present, has_parent);
        cr_assert_eq(n.present, has_parent && i % 5 != 2);
        cr_assert(!n.present || n.i64 == i % 5 * 1000);
        cr_assert(!s.present || (s.len == 8 && s.bytes[7] == (char)('0' + i % 5)));
    }
    join_map_free(m);
    buffer_fini(&bytes);
}
