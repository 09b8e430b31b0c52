/* Write batches by slot: every row once, in order, values and row numbers kept; hidden keys filled in. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/split.h"
#include "storage/key.h"
#include "storage/scan_key.h"
#include "storage/schema.h"

enum { ROWS = 500, SEED = 42 };

static struct schema *schema;
static struct arena arena;
static struct buffer bytes;
static struct batch batch;
static struct error_info err;

static void make_schema(const char *key)
{
    schema = schema_new("t");
    schema_add_column(schema, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(schema, "name", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    struct column *tags = schema_add_column(schema, "tags", COLUMN_STRING, MAPPING_STRING_ENUM);
    tags->multi_valued = true;
    tags->delim = ',';
    if (key)
        schema->primary_key = strdup(key);
    cr_assert_eq(schema_finish(schema, &err), 0, "%s", err.text);
}

static void make_batch(uint32_t rows)
{
    struct batch_builder *b = batch_builder_new(NULL);
    char text[20];

    batch_builder_add_column(b, schema->columns[0].id, BATCH_I64, 0);
    batch_builder_add_column(b, schema->columns[1].id, BATCH_BYTES, 0);
    batch_builder_add_column(b, schema->columns[2].id, BATCH_LIST, 0);
    for (uint32_t i = 0; i < rows; i++) {
        batch_builder_put_i64(b, 0, i % 100); /* every id several times */
        snprintf(text, sizeof(text), "row %u", i);
        if (i % 7)
            batch_builder_put_bytes(b, 1, text, (uint32_t)strlen(text));
        for (uint32_t k = 0; k < i % 3; k++)
            batch_builder_put_list_item(b, 2, text, 3 + k);
        batch_builder_end_row(b);
    }
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 9, BATCH_SLOT_ANY, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0, "%s", err.text);
    batch_builder_free(b);
}

static void setup(void)
{
    arena_init(&arena, 16 << 20, NULL);
}

static void teardown(void)
{
    arena_fini(&arena);
    buffer_fini(&bytes);
    schema_put(schema);
}

TestSuite(split, .init = setup, .fini = teardown);

static int64_t next_key(void *ctx)
{
    return (*(int64_t *)ctx)++;
}

static bool same_bytes(const struct batch_column *a, uint32_t i, const struct batch_column *b,
                       uint32_t k)
{
    uint32_t n, m;

    if (batch_is_present(a, i) != batch_is_present(b, k))
        return false;
    if (!batch_is_present(a, i))
        return true;
    const char *s = batch_bytes(a, i, &n), *t = batch_bytes(b, k, &m);
    return n == m && !memcmp(s, t, n);
}

/* Every input row is in one piece, once, unchanged. */
static void check_pieces(const struct split *s)
{
    bool seen[ROWS] = {false};
    struct batch_column in[3], out[3];
    uint32_t rows = 0;

    for (unsigned c = 0; c < 3; c++)
        batch_column_at(&batch, c, &in[c]);
    for (uint32_t p = 0; p < s->n; p++) {
        const struct split_piece *piece = &s->pieces[p];
        cr_assert(p == 0 || s->pieces[p - 1].slot < piece->slot);
        cr_assert_eq(piece->batch.rows, piece->rows);
        cr_assert_eq(piece->batch.op, BATCH_UPSERT);
        cr_assert_eq(piece->batch.table_id, 9);
        for (unsigned c = 0; c < 3; c++)
            batch_column_at(&piece->batch, c, &out[c]);
        for (uint32_t i = 0; i < piece->rows; i++, rows++) {
            uint32_t from = piece->row_of ? piece->row_of[i] : i;
            cr_assert(from < batch.rows && !seen[from]);
            cr_assert(i == 0 || !piece->row_of || piece->row_of[i - 1] < from, "the order is kept");
            seen[from] = true;
            cr_assert_eq(batch_i64(&in[0], from), batch_i64(&out[0], i));
            cr_assert(same_bytes(&in[1], from, &out[1], i));
            cr_assert_eq(batch_list_count(&in[2], from), batch_list_count(&out[2], i));
        }
    }
    cr_assert_eq(rows, batch.rows);
}

Test(split, every_row_goes_to_the_slot_of_its_key)
{
    for (unsigned bits = 0; bits <= 6; bits += 2) {
        struct split s;
        struct key_hash hashes[ROWS];
        make_schema("id");
        make_batch(ROWS);
        cr_assert_eq(split_batch(schema, &batch, SEED, bits, next_key, NULL, &arena, &s, &err), 0,
                     "%s", err.text);
        cr_assert_eq(key_hash_rows(schema, &batch, SEED, 0, ROWS, hashes, &err), 0);
        check_pieces(&s);
        for (uint32_t p = 0; p < s.n; p++)
            for (uint32_t i = 0; i < s.pieces[p].rows; i++)
                cr_assert_eq(key_slot(hashes[s.pieces[p].row_of ? s.pieces[p].row_of[i] : i].place,
                                      bits),
                             s.pieces[p].slot);
        cr_assert(bits == 0 ? s.n == 1 : s.n > 1);
        split_fini(&s);
        buffer_fini(&bytes);
        if (bits < 6)
            schema_put(schema);
    }
}

Test(split, one_slot_takes_the_batch_as_it_is)
{
    struct split s;

    make_schema("id");
    make_batch(1);
    cr_assert_eq(split_batch(schema, &batch, SEED, 8, next_key, NULL, &arena, &s, &err), 0);
    cr_assert_eq(s.n, 1);
    cr_assert_eq(s.pieces[0].batch.bytes, batch.bytes, "not copied");
    cr_assert_null(s.pieces[0].row_of);
    split_fini(&s);
}

Test(split, no_rows_give_no_pieces)
{
    struct split s;

    make_schema("id");
    make_batch(0);
    cr_assert_eq(split_batch(schema, &batch, SEED, 3, next_key, NULL, &arena, &s, &err), 0);
    cr_assert_eq(s.n, 0);
    split_fini(&s);
}

Test(split, tables_without_a_key_get_one)
{
    struct split s;
    int64_t key = 1000;
    bool used[ROWS] = {false};

    make_schema(NULL);
    make_batch(ROWS);
    cr_assert_eq(split_batch(schema, &batch, SEED, 3, next_key, &key, &arena, &s, &err), 0, "%s",
                 err.text);
    cr_assert_eq(key, 1000 + ROWS);
    check_pieces(&s);
    for (uint32_t p = 0; p < s.n; p++) {
        struct batch_column c;
        int at = batch_find_column(&s.pieces[p].batch, SCHEMA_HIDDEN_KEY_ID);
        cr_assert_geq(at, 0);
        batch_column_at(&s.pieces[p].batch, (unsigned)at, &c);
        for (uint32_t i = 0; i < s.pieces[p].rows; i++) {
            int64_t k = batch_i64(&c, i) - 1000;
            cr_assert(k >= 0 && k < ROWS && !used[k]);
            used[k] = true;
        }
    }
    split_fini(&s);
}

Test(split, a_missing_key_is_an_error)
{
    struct split s;

    make_schema("name");
    make_batch(ROWS);
    cr_assert_eq(split_batch(schema, &batch, SEED, 3, next_key, NULL, &arena, &s, &err), -EINVAL);
    cr_assert_eq(err.code, 1048);
    cr_assert_not_null(strstr(err.text, "name"), "%s", err.text);
    cr_assert_eq(s.n, 0);
}

Test(split, the_first_rows_can_be_taken_alone)
{
    struct buffer some;
    struct batch b;
    struct batch_column in, out;

    make_schema("id");
    make_batch(ROWS);
    cr_assert_eq(split_first_rows(&batch, 5, 123, &some, &b, &err), 0);
    cr_assert_eq(b.rows, 123);
    cr_assert_eq(b.slot, 5);
    cr_assert_eq(b.op, BATCH_UPSERT);
    batch_column_at(&batch, 1, &in);
    batch_column_at(&b, 1, &out);
    for (uint32_t i = 0; i < 123; i++)
        cr_assert(same_bytes(&in, i, &out, i));
    buffer_fini(&some);
}

/* --- shard key --- */

enum { SLOT_BITS = 5 };

/* Rows (shop, id, at) by key shop + at + id. */
static void make_sharded(const char *key, const char *shard_key, const char *time)
{
    schema = schema_new("t");
    schema_add_column(schema, "shop", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    schema_add_column(schema, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(schema, "at", COLUMN_DATETIME, MAPPING_SYS_SEC_BSI);
    schema->primary_key = strdup(key);
    schema->shard_key = shard_key ? strdup(shard_key) : NULL;
    schema->time_field = time ? strdup(time) : NULL;
    schema->time_type = time ? strdup("YMD") : NULL;
    cr_assert_eq(schema_finish(schema, &err), 0, "%s", err.text);
}

static void make_sharded_batch(uint32_t rows)
{
    struct batch_builder *b = batch_builder_new(NULL);
    char text[20];

    batch_builder_add_column(b, schema->columns[0].id, BATCH_BYTES, 0);
    batch_builder_add_column(b, schema->columns[1].id, BATCH_I64, 0);
    batch_builder_add_column(b, schema->columns[2].id, BATCH_I64, 0);
    for (uint32_t i = 0; i < rows; i++) {
        snprintf(text, sizeof(text), "shop %u", i % 13);
        batch_builder_put_bytes(b, 0, text, (uint32_t)strlen(text));
        batch_builder_put_i64(b, 1, i % 50);
        batch_builder_put_i64(b, 2, i * 40000);
        batch_builder_end_row(b);
    }
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 9, BATCH_SLOT_ANY, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0, "%s", err.text);
    batch_builder_free(b);
}

/* The slot that a condition on the columns with these values leads to: false = no one slot. */
static bool place_of(int shop, int id, int at, uint32_t *slot)
{
    char text[20];
    struct program_string string = {text, (uint32_t)snprintf(text, sizeof(text), "shop %d", shop)};
    struct predicate parts[3] = {
        {.kind = PREDICATE_STRINGS, .column = 0, .n = 1, .strings = &string},
        {.kind = PREDICATE_RANGE, .column = 1, .lo = id, .hi = id},
        {.kind = PREDICATE_RANGE, .column = 2, .lo = at, .hi = at}};
    const struct predicate *children[3];
    struct predicate all = {.kind = PREDICATE_AND, .children = children};
    uint64_t place;

    for (int i = 0; i < 3; i++)
        if (i == 0 ? shop >= 0 : i == 1 ? id >= 0 : at >= 0)
            children[all.n++] = &parts[i];
    if (!scan_key_place(all.n ? &all : NULL, schema, SEED, &place))
        return false;
    *slot = key_slot(place, SLOT_BITS);
    return true;
}

static void split_sharded(struct split *out)
{
    make_sharded_batch(ROWS);
    cr_assert_eq(split_batch(schema, &batch, SEED, SLOT_BITS, NULL, NULL, &arena, out, &err), 0,
                 "%s", err.text);
    cr_assert_gt(out->n, 1);
}

Test(split, rows_with_one_shard_key_lie_in_one_slot)
{
    struct split out;
    uint32_t slot;

    make_sharded("shop+id+at", "shop", NULL);
    split_sharded(&out);
    for (uint32_t i = 0; i < out.n; i++)
        for (uint32_t row = 0; row < out.pieces[i].rows; row++) {
            int shop = (int)(out.pieces[i].row_of[row] % 13);
            cr_assert(place_of(shop, -1, -1, &slot));
            cr_assert_eq(slot, out.pieces[i].slot);
            cr_assert(place_of(shop, 5, 7, &slot));
            cr_assert_eq(slot, out.pieces[i].slot, "more conditions change nothing");
        }
    cr_assert(!place_of(-1, 5, 7, &slot));
    cr_assert(!place_of(-1, -1, -1, &slot));
    split_fini(&out);
}

Test(split, without_a_shard_key_all_of_the_key_but_the_time_counts)
{
    struct split out;
    uint32_t slot;

    make_sharded("shop+id", NULL, "at");
    split_sharded(&out);
    for (uint32_t i = 0; i < out.n; i++)
        for (uint32_t row = 0; row < out.pieces[i].rows; row++) {
            uint32_t from = out.pieces[i].row_of[row];
            cr_assert(place_of((int)from % 13, (int)from % 50, -1, &slot));
            cr_assert_eq(slot, out.pieces[i].slot);
        }
    cr_assert(!place_of(1, -1, 7, &slot));
    split_fini(&out);
}

/* The order is that of shardKey: a child lies with its parent whatever the order of its own key is. */
Test(split, children_lie_with_their_parents)
{
    uint64_t parents[20];
    struct key_hash hashes[20];

    make_sharded("shop+id", NULL, NULL);
    make_sharded_batch(20);
    cr_assert_eq(key_hash_rows(schema, &batch, SEED, 0, 20, hashes, &err), 0);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(hashes[i].place, hashes[i].full);
        parents[i] = hashes[i].place;
    }
    schema_put(schema);
    make_sharded("at+id+shop", "shop+id", "at");
    cr_assert_eq(key_hash_rows(schema, &batch, SEED, 0, 20, hashes, &err), 0);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(hashes[i].place, parents[i]);
        cr_assert_neq(hashes[i].full, hashes[i].place, "the index is by the whole key");
    }
    schema_put(schema);
    make_sharded("id+shop", "id+shop", NULL);
    cr_assert_eq(key_hash_rows(schema, &batch, SEED, 0, 20, hashes, &err), 0);
    cr_assert_neq(hashes[0].place, parents[0], "another order is another place");
}
