/* Segments: rows over several blocks, deletes and their masks, sealing in lines, references. */
#include "storage/colblock_change.h"
#include "storage/segment.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "storage/dict.h"

#define CHECK(cond, ...)                   \
    do {                                   \
        if (!(cond))                       \
            cr_assert(false, __VA_ARGS__); \
    } while (0)

/* Two numbers and a multi-valued text. */
struct fixture {
    struct schema *schema;
    struct budget budget;
    struct dict *dicts[4], *lists[4];
    struct segment_dicts tables;
    struct segment *segment;
    int a, b, tags;
    unsigned columns;
};

static void begin(struct fixture *f)
{
    static const char yaml[] =
        "tableName: t\nprimaryKey: a\nattributes:\n"
        "  - { fieldName: a, type: Integer, mappingStrategy: IntBSI }\n"
        "  - { fieldName: b, type: Integer, mappingStrategy: IntBSI }\n"
        "  - { fieldName: tags, type: String, mappingStrategy: StringEnum, nonExclusive: true, "
        "configuration: { delim: \",\" } }\n";
    struct error_info err;

    memset(f, 0, sizeof *f);
    cr_assert_eq(schema_parse_yaml("t.yaml", yaml, strlen(yaml), NULL, NULL, &f->schema, &err), 0,
                 "%s", err.text);
    budget_init(&f->budget, "test", 0, NULL);
    f->a = schema_find_column(f->schema, "a", 1);
    f->b = schema_find_column(f->schema, "b", 1);
    f->tags = schema_find_column(f->schema, "tags", 4);
    f->columns = f->schema->n_columns;
    cr_assert_eq(f->columns, 3);
    f->dicts[f->tags] = dict_new(DICT_BYTES, 1, &f->budget);
    f->lists[f->tags] = dict_new(DICT_LIST, 1, &f->budget);
    f->tables = (struct segment_dicts){f->dicts, f->lists};
    cr_assert_eq(segment_new(f->schema, &f->tables, 86400, &f->budget, &f->segment), 0);
}

static void end(struct fixture *f)
{
    segment_put(f->segment);
    dict_free(f->dicts[f->tags]);
    dict_free(f->lists[f->tags]);
    schema_put(f->schema);
    cr_assert_eq(f->budget.used, 0);
}

static uint32_t append(struct fixture *f, int64_t a, int64_t b)
{
    int64_t values[3] = {0};
    uint8_t present[3] = {0};
    uint32_t list[2] = {(uint32_t)(a % 5), (uint32_t)(a % 3 + 5)}, code, row = 0;

    values[f->a] = a;
    values[f->b] = b;
    present[f->a] = 1;
    present[f->b] = b != 13;
    if (a % 4) {
        CHECK(dict_put_list(f->lists[f->tags], list, 2, &code) == 0, "list");
        values[f->tags] = code;
        present[f->tags] = 1;
    }
    CHECK(segment_append(f->segment, values, present, &row) == 0, "append");
    return row;
}

Test(segment, blocks_rows_and_values)
{
    enum { ROWS = BLOCK_ROWS * 2 + 700 };
    struct fixture f;
    struct block block;
    int64_t v;

    begin(&f);
    cr_assert_eq(segment_blocks(f.segment), 0);
    cr_assert_eq(segment_partition(f.segment), 86400);
    for (uint32_t i = 0; i < ROWS; i++)
        CHECK(append(&f, i, i % 100) == i, "row number");
    cr_assert_eq(segment_rows(f.segment), ROWS);
    cr_assert_eq(segment_live(f.segment), ROWS);
    cr_assert_eq(segment_blocks(f.segment), 3);
    cr_assert_eq(segment_block(f.segment, 0, NULL, &block), BLOCK_READY);
    cr_assert(block.rows == BLOCK_ROWS && block.live_count == BLOCK_ROWS && !block.live);
    cr_assert_eq(segment_block(f.segment, 2, NULL, &block), BLOCK_READY);
    cr_assert(block.rows == 700 && block.live_count == 700 && !block.live);
    for (uint32_t i = 0; i < ROWS; i += 7) {
        CHECK(segment_value(f.segment, i, (unsigned)f.a, &v) && v == i, "a of row %u", i);
        CHECK(segment_value(f.segment, i, (unsigned)f.b, &v) == (i % 100 != 13), "b of row %u", i);
        CHECK(segment_value(f.segment, i, (unsigned)f.tags, &v) == (i % 4 != 0), "tags of row %u",
              i);
    }
    cr_assert_leq(segment_memory(f.segment), f.budget.used);
    end(&f);
}

Test(segment, deletes_in_full_and_open_blocks)
{
    struct fixture f;
    struct block block;
    uint32_t set = 0;

    begin(&f);
    for (uint32_t i = 0; i < BLOCK_ROWS + 100; i++)
        append(&f, i, 1);
    cr_assert_eq(segment_delete(f.segment, 5), 0);
    cr_assert_eq(segment_delete(f.segment, 5), 0); /* again: nothing */
    cr_assert_eq(segment_delete(f.segment, BLOCK_ROWS + 99), 0);
    cr_assert_not(segment_is_live(f.segment, 5));
    cr_assert(segment_is_live(f.segment, 6));
    cr_assert_eq(segment_live(f.segment), BLOCK_ROWS + 98);
    append(&f, 1 << 20, 1); /* rows after a deletion are live */
    cr_assert(segment_is_live(f.segment, BLOCK_ROWS + 100));
    cr_assert_eq(segment_block(f.segment, 1, NULL, &block), BLOCK_READY);
    cr_assert(block.live && block.rows == 101 && block.live_count == 100);
    for (uint32_t i = 0; i < BLOCK_WORDS; i++)
        set += (uint32_t)__builtin_popcountll(block.live[i]);
    cr_assert_eq(set, 100);
    end(&f);
}

Test(segment, sealing_in_lines_changes_no_value)
{
    struct fixture f;
    int64_t v;

    begin(&f);
    for (uint32_t i = 0; i < 9000; i++) {
        append(&f, (int64_t)i * 7 - 20000, i % 50);
        if (i % 1700 == 0)
            cr_assert_eq(segment_seal(f.segment, i % 3400 == 0), 0);
        if (i % 3 == 0)
            CHECK(segment_set(f.segment, i / 2, (unsigned)f.b, -(int64_t)i, i % 2) == 0, "set");
    }
    for (uint32_t i = 0; i < 9000; i++)
        CHECK(segment_value(f.segment, i, (unsigned)f.a, &v) && v == (int64_t)i * 7 - 20000,
              "a of row %u", i);
    cr_assert_eq(segment_blocks(f.segment), 1);
    end(&f);
}

/* The last line is sealed, and opened again by rows that come; after that sealing waits longer. */
Test(segment, a_quiet_segment_is_sealed_to_its_last_row)
{
    struct fixture f;
    struct block block;
    uint64_t tick = 1;
    uint32_t before = 0;

    begin(&f);
    for (int round = 0; round < 4; round++) {
        uint32_t ticks = 0;

        for (uint32_t i = 0; i < 600; i++)
            append(&f, i, i % 50);
        cr_assert_not(segment_seal_quiet(f.segment, tick++), "rows came");
        for (; segment_block(f.segment, 0, NULL, &block) == BLOCK_READY &&
               colblock_sealed_rows(block.columns[f.b]) < block.rows;
             ticks++)
            (void)segment_seal_quiet(f.segment, tick++);
        cr_assert_gt(ticks, before);
        before = ticks;
        cr_assert_eq(colblock_sealed_rows(block.columns[f.b]), 600u * (uint32_t)(round + 1));
        cr_assert_not(segment_seal_quiet(f.segment, tick++), "nothing is left");
    }
    end(&f);
}

/* Slices of a few rows are as long as those of a line. */
Test(segment, a_small_segment_stays_a_tail)
{
    struct fixture f;
    struct block block;

    begin(&f);
    for (uint32_t i = 0; i < 511; i++)
        append(&f, i, i % 50);
    for (uint64_t tick = 1; tick < 9; tick++)
        cr_assert_not(segment_seal_quiet(f.segment, tick));
    append(&f, 511, 0);
    cr_assert_not(segment_seal_quiet(f.segment, 9), "rows came");
    cr_assert(segment_seal_quiet(f.segment, 10));
    cr_assert_eq(segment_block(f.segment, 0, NULL, &block), BLOCK_READY);
    cr_assert_eq(colblock_sealed_rows(block.columns[f.b]), 512);
    end(&f);
}

Test(segment, append_is_whole_or_not_at_all)
{
    struct fixture f;
    uint32_t rows, failures = 0;

    begin(&f);
    f.budget.limit = f.budget.used + 1000;
    for (uint32_t i = 0; i < 20000; i++) {
        int64_t values[3] = {i, i, 0};
        uint8_t present[3] = {1, 1, 0};
        uint32_t row = 0;
        int rc;

        rows = segment_rows(f.segment);
        rc = segment_append(f.segment, values, present, &row);
        if (rc == 0) {
            CHECK(row == rows, "row number");
            continue;
        }
        CHECK(rc == -ENOMEM && segment_rows(f.segment) == rows && segment_live(f.segment) == rows,
              "unchanged");
        failures++;
        f.budget.limit += 5000;
    }
    cr_assert_gt(failures, 5);
    end(&f);
}

Test(segment, references_keep_it)
{
    struct fixture f;
    struct segment *pinned;

    begin(&f);
    append(&f, 1, 2);
    pinned = segment_get(f.segment);
    segment_put(f.segment);
    cr_assert_eq(segment_rows(pinned), 1);
    end(&f);
}
