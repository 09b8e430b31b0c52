/* Scans whose rows are large, or whose table changes between two steps. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/program.h"
#include "storage/scan.h"
#include "storage/slot.h"

static struct schema *make_schema(void)
{
    struct schema *s = schema_new("t");
    struct error_info err;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "text", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    schema_add_column(s, "kind", COLUMN_STRING, MAPPING_STRING_ENUM);
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    s->table_id = 1;
    return s;
}

/* Rows [from, to) with a text of `bytes` bytes in a column. */
static void put(struct slot *slot, enum batch_op op, int64_t from, int64_t to, unsigned column,
                const char *text, uint32_t bytes)
{
    const struct schema *s = slot_schema(slot);
    struct batch_builder *b = batch_builder_new(NULL);
    struct write_result result;
    struct buffer out;
    struct batch batch;
    struct error_info err;

    batch_builder_add_column(b, s->columns[0].id, BATCH_I64, 0);
    batch_builder_add_column(b, s->columns[column].id, BATCH_BYTES, 0);
    for (int64_t i = from; i < to; i++) {
        batch_builder_put_i64(b, 0, i);
        batch_builder_put_bytes(b, 1, text, bytes);
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    buffer_init(&out, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, op, 1, 0, &out), 0);
    cr_assert_eq(batch_open(out.data, out.len, &batch, &err), 0);
    cr_assert_eq(slot_apply(slot, &batch, &result), 0);
    cr_assert_eq(result.inserted + result.updated, (uint64_t)(to - from));
    batch_builder_free(b);
    buffer_fini(&out);
}

/* Next batch of a scan: false at its end. */
static bool next_batch(struct scan *x, struct batch *b)
{
    enum scan_state state;

    while ((state = scan_step(x, 1024, b)) == SCAN_AGAIN)
        continue;
    cr_assert_neq(state, SCAN_ERROR, "%s", scan_error(x)->text);
    return state == SCAN_BATCH;
}

/* 600 rows of 150 KB each are 90 MB, more than a batch can have. */
Test(scan_change, rows_are_as_large_as_they_were_written)
{
    enum { ROWS = 600, BYTES = 150000 };
    static const uint16_t columns[] = {0, 1};
    static const struct program_order order = {0, true};
    struct schema *s = make_schema();
    struct slot *slot;
    char *text = calloc(1, BYTES);

    cr_assert_eq(slot_new(s, 0, 1, NULL, &slot), 0);
    for (int64_t i = 0; i < ROWS; i += 200)
        put(slot, BATCH_INSERT, i, i + 200, 1, text, BYTES);
    for (int ordered = 0; ordered < 2; ordered++) {
        struct program p = {.table_id = 1,
                            .output = OUTPUT_ROWS,
                            .n_columns = 2,
                            .columns = columns,
                            .n_order = ordered != 0,
                            .order = &order,
                            .limit = ordered ? 7 : UINT64_MAX,
                            .memory = 256 << 20};
        struct error_info err;
        struct scan *x;
        struct batch b;
        uint32_t rows = 0;
        int64_t sum = 0;

        cr_assert_eq(scan_new(&p, s, &slot, 1, NULL, NULL, &x, &err), 0, "%s", err.text);
        while (next_batch(x, &b)) {
            struct batch_column id, c;
            batch_column_at(&b, 0, &id);
            batch_column_at(&b, 1, &c);
            for (uint32_t i = 0; i < b.rows; i++, rows++) {
                uint32_t len;
                batch_bytes(&c, i, &len);
                cr_assert_eq(len, BYTES);
                sum += batch_i64(&id, i);
            }
        }
        cr_assert_eq(rows, ordered ? 7 : ROWS);
        cr_assert_eq(sum, ordered ? 7 * (ROWS - 4) : ROWS * (ROWS - 1) / 2);
        scan_free(x);
    }
    free(text);
    slot_free(slot);
    schema_put(s);
}

/*
 * A row gets a value that the slot did not know when the scan began: it may be seen before or after that, but not
 * with a value that the predicate excludes.
 */
Test(scan_change, a_new_value_is_not_taken_for_another)
{
    enum { ROWS = 70000 };
    static const struct program_string not = {"new", 3}, pattern = {"n%", 2};
    static const uint16_t columns[] = {0, 2};
    struct schema *s = make_schema();

    for (int like = 0; like < 2; like++) {
        struct predicate where = {.kind = like ? PREDICATE_LIKE : PREDICATE_STRINGS,
                                  .negate = true,
                                  .column = 2,
                                  .n = 1,
                                  .strings = like ? &pattern : &not };
        struct program p = {.table_id = 1,
                            .where = &where,
                            .output = OUTPUT_ROWS,
                            .n_columns = 2,
                            .columns = columns,
                            .limit = UINT64_MAX,
                            .memory = 64 << 20};
        struct error_info err;
        struct slot *slot;
        struct scan *x;
        struct batch b;
        uint32_t rows = 0;
        bool changed = false;

        cr_assert_eq(slot_new(s, 0, 1, NULL, &slot), 0);
        put(slot, BATCH_INSERT, 0, ROWS, 2, "old", 3);
        cr_assert_eq(scan_new(&p, s, &slot, 1, NULL, NULL, &x, &err), 0, "%s", err.text);
        while (next_batch(x, &b)) {
            struct batch_column c;
            batch_column_at(&b, 1, &c);
            for (uint32_t i = 0; i < b.rows; i++) {
                uint32_t len;
                const char *v = batch_bytes(&c, i, &len);
                cr_assert(len == 3 && memcmp(v, "old", 3) == 0, "%.*s", (int)len, v);
            }
            rows += b.rows;
            if (!changed)
                for (int64_t i = 2000; i < ROWS; i += 1000) {
                    put(slot, BATCH_UPDATE, i, i + 1, 2, "new", 3);
                    put(slot, BATCH_UPDATE, i + 1, i + 2, 2, "other", 5);
                    put(slot, BATCH_UPDATE, i + 1, i + 2, 2, "old", 3);
                }
            changed = true;
        }
        cr_assert_eq(rows, ROWS - (ROWS - 2000) / 1000);
        scan_free(x);
        slot_free(slot);
    }
    schema_put(s);
}
