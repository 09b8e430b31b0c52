/* Writes to a slot when an allocation fails: the rows that were taken are as in a slot that had room. */
#include <xxhash.h>

#include "storage/dict.h"
#include "unit/fail_alloc.h"
#include "unit/storage/small_table.h"

enum { BEFORE = 700, IDS = 2 * BEFORE, WRITTEN = 500 };

/* Rows as hashes of all their values, by id; 0 = not there. */
struct rows {
    uint64_t hash[IDS];
};

static uint64_t mix_text(uint64_t hash, const struct dict *d, uint32_t code)
{
    uint32_t len;
    const char *bytes = dict_bytes(d, code, &len);

    return XXH3_64bits_withSeed(bytes, len, hash + 1);
}

static uint64_t mix_cell(uint64_t hash, struct slot *t, struct segment *g, uint32_t row, unsigned c)
{
    uint32_t n;
    int64_t v;

    if (!segment_value(g, row, c, &v))
        return XXH3_64bits_withSeed("NULL", 4, hash);
    if (c == TAGS) {
        const uint32_t *codes = dict_list(slot_list_dict(t, c), (uint32_t)v, &n);

        for (uint32_t i = 0; i < n; i++)
            hash = mix_text(hash, slot_dict(t, c), codes[i]);
        return hash;
    }
    if (c == KIND || c == NAME)
        return mix_text(hash, slot_dict(t, c), (uint32_t)v);
    return XXH3_64bits_withSeed(&v, sizeof v, hash);
}

static void read_rows(struct slot *t, struct rows *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t k = 0; k < slot_segments(t); k++) {
        struct segment *g = slot_segment(t, k);

        for (uint32_t row = 0; row < segment_rows(g); row++) {
            uint64_t hash = 1;
            int64_t id;

            if (!segment_is_live(g, row))
                continue;
            cr_assert(segment_value(g, row, ID, &id) && id >= 0 && id < IDS && !out->hash[id]);
            for (unsigned c = 0; c < SMALL_COLUMNS; c++)
                hash = mix_cell(hash, t, g, row, c);
            out->hash[id] = hash | 1;
        }
    }
}

/* Rows [from, to) of the write: inserts are new, the others meet an old row every second time. */
static void make_batch(const struct schema *s, enum batch_op op, uint32_t from, uint32_t to,
                       struct buffer *bytes, struct batch *out)
{
    static const enum batch_kind kinds[SMALL_COLUMNS] = {BATCH_I64,   BATCH_I64,  BATCH_BYTES,
                                                         BATCH_BYTES, BATCH_LIST, BATCH_I64};
    struct batch_builder *b = batch_builder_new(NULL);
    unsigned columns = op == BATCH_DELETE ? 1 : SMALL_COLUMNS;

    for (unsigned i = 0; i < columns; i++)
        cr_assert_eq(batch_builder_add_column(b, s->columns[i].id, kinds[i], 0), (int)i);
    for (uint32_t i = from; i < to; i++) {
        batch_builder_put_i64(b, ID, op == BATCH_INSERT ? BEFORE + i : BEFORE - WRITTEN / 2 + i);
        if (op != BATCH_DELETE) {
            batch_builder_put_i64(b, NUM, (int64_t)i << i % 50);
            small_put(b, KIND, "other %u", i);
            small_put(b, NAME, "a longer name %u", i);
            cr_assert_eq(batch_builder_put_list_item(b, TAGS, "t1", 2), 0);
            cr_assert_eq(batch_builder_put_list_item(b, TAGS, i % 3 ? "new" : "t9", i % 3 ? 3 : 2),
                         0);
            batch_builder_put_i64(b, FLAG, i % 3 == 0);
        }
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    small_finish(b, op, bytes, out);
    batch_builder_free(b);
}

static void apply(struct slot *t, const struct schema *s, enum batch_op op, uint32_t from,
                  uint32_t to)
{
    struct write_result result;
    struct buffer bytes;
    struct batch batch;

    if (from == to)
        return;
    make_batch(s, op, from, to, &bytes, &batch);
    cr_assert_eq(slot_apply(t, &batch, &result), 0);
    buffer_fini(&bytes);
}

static void check_same(struct slot *a, struct slot *b, const char *when)
{
    static struct rows rows[2];

    read_rows(a, &rows[0]);
    read_rows(b, &rows[1]);
    for (uint32_t id = 0; id < IDS; id++)
        cr_assert_eq(rows[0].hash[id], rows[1].hash[id], "%s: row %u", when, id);
}

static void write_rows(enum batch_op op)
{
    FAIL_ALLOC_EACH(f)
    {
        struct small_table t, twin;
        struct write_result result;
        struct buffer bytes;
        struct batch batch;

        small_init(&t, BEFORE);
        small_init(&twin, BEFORE);
        make_batch(t.schema, op, 0, WRITTEN, &bytes, &batch);
        fail_alloc_arm(&f);
        int rc = slot_apply(t.slot, &batch, &result);
        cr_assert(fail_alloc_disarm(&f) ? rc == -ENOMEM || rc == 0 : rc == 0, "%d", rc);
        cr_assert(rc == 0 ? result.taken == WRITTEN : result.taken < WRITTEN);
        apply(twin.slot, twin.schema, op, 0, result.taken);
        check_same(t.slot, twin.slot, "what was taken");
        apply(t.slot, t.schema, op, result.taken, WRITTEN);
        apply(twin.slot, twin.schema, op, result.taken, WRITTEN);
        check_same(t.slot, twin.slot, "the rest after it");
        buffer_fini(&bytes);
        small_fini(&t);
        small_fini(&twin);
    }
}

Test(torture_slot, insert)
{
    write_rows(BATCH_INSERT);
}

Test(torture_slot, upsert)
{
    write_rows(BATCH_UPSERT);
}

Test(torture_slot, replace)
{
    write_rows(BATCH_REPLACE);
}

Test(torture_slot, update)
{
    write_rows(BATCH_UPDATE);
}

Test(torture_slot, delete)
{
    write_rows(BATCH_DELETE);
}
