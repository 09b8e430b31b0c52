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

static const char *const kinds[] = {"a", "b", "c", NULL};

/* Rows [from, to): the kind of row i is kinds[i / 7 % 4], the last one NULL. */
static void put_kinds(struct slot *slot, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to;) {
        int64_t end = i / 7 * 7 + 7 < to ? i / 7 * 7 + 7 : to;
        const char *kind = kinds[i / 7 % 4];
        put(slot, BATCH_INSERT, i, end, kind ? 2 : 1, kind ? kind : "t", 1);
        i = end;
    }
}

/* Every row once, as it was written, while the last line is sealed, gets rows, and is sealed again. */
static void check_while_sealed(struct schema *s, int64_t rows, bool text, unsigned seed)
{
    static const struct program_string b = {"b", 1};
    static const uint16_t columns[] = {0, 1, 2};
    struct predicate where = {
        .kind = PREDICATE_STRINGS, .negate = seed % 3 == 1, .column = 2, .n = 1, .strings = &b};
    struct program p = {.table_id = 1,
                        .where = seed % 3 ? &where : NULL,
                        .output = OUTPUT_ROWS,
                        .n_columns = text ? 3 : 1,
                        .columns = columns,
                        .limit = UINT64_MAX,
                        .memory = 64 << 20};
    uint32_t *seen = calloc((size_t)rows, sizeof(*seen)), steps = 0;
    struct error_info err;
    struct slot *slot;
    struct scan *x;
    enum scan_state state;
    struct batch batch;
    int64_t next = rows;

    srand(seed);
    cr_assert_eq(slot_new(s, 0, 1, NULL, &slot), 0);
    put_kinds(slot, 0, rows);
    if (rand() % 2)
        cr_assert_eq(segment_seal(slot_segment(slot, 0), true), 0);
    cr_assert_eq(scan_new(&p, s, &slot, 1, NULL, NULL, &x, &err), 0, "%s", err.text);
    while ((state = scan_step(x, 1 + (uint32_t)rand() % 300, &batch)) == SCAN_AGAIN ||
           state == SCAN_BATCH) {
        struct batch_column id, c;
        if (state == SCAN_BATCH) {
            batch_column_at(&batch, 0, &id);
            for (uint32_t i = 0; i < batch.rows; i++) {
                int64_t n = batch_i64(&id, i);
                cr_assert(n < rows, "row %d came later", (int)n);
                seen[n]++;
                if (!text)
                    continue;
                const char *kind = kinds[n / 7 % 4];
                uint32_t len;
                batch_column_at(&batch, 2, &c);
                cr_assert_eq(batch_is_present(&c, i), kind != NULL);
                cr_assert(!kind || *batch_bytes(&c, i, &len) == *kind);
            }
        }
        if (++steps > 400 || rand() % 2)
            continue;
        if (rand() % 2) {
            int64_t to = next + 1 + rand() % 90;
            put_kinds(slot, next, to);
            next = to;
        }
        if (rand() % 2)
            cr_assert_eq(segment_seal(slot_segment(slot, 0), rand() % 4), 0);
    }
    cr_assert_eq(state, SCAN_END);
    for (int64_t n = 0; n < rows; n++) {
        unsigned kind = n / 7 % 4;
        bool wanted = !p.where || (where.negate ? kind == 0 || kind == 2 : kind == 1);
        cr_assert_eq(seen[n], wanted, "row %d of %d", (int)n, (int)rows);
    }
    scan_free(x);
    slot_free(slot);
    free(seen);
}

Test(scan_change, lines_are_sealed_and_opened_while_scans_run)
{
    struct schema *s = make_schema();

    for (unsigned seed = 0; seed < 60; seed++)
        check_while_sealed(s, 1 + (int64_t)(seed * 389) % 3000, seed % 2, seed);
    check_while_sealed(s, 65000, true, 61);
    schema_put(s);
}
