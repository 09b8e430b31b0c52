/* Writes to slots whose rows are on disk only: keys that look like theirs, and tables that go meanwhile. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "unit/storage/disk_shard.h"

/* ---- a new key may have the hash of a row that is on disk only ---- */

static struct schema *text_key_schema(void)
{
    static const char yaml[] =
        "tableName: t\nprimaryKey: name\nattributes:\n"
        "  - { fieldName: name, type: String, mappingStrategy: StringHashBSI }\n";
    struct error_info err = {0};
    struct schema *s = NULL;

    cr_assert_eq(schema_parse_yaml("t.yaml", yaml, strlen(yaml), NULL, NULL, &s, &err), 0, "%s",
                 err.text);
    s->table_id = 7;
    return s;
}

static uint32_t hash_of_name(uint32_t n)
{
    uint8_t bytes[32] = {'s'};
    uint32_t len = (uint32_t)snprintf((char *)bytes + 5, sizeof bytes - 5, "key-%u", n);

    memcpy(bytes + 1, &len, sizeof len);
    return (uint32_t)XXH3_64bits_withSeed(bytes, 5 + len, 42);
}

static void insert_names(struct world *w, uint32_t first, uint32_t n, bool by_waiting)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct write_result result;
    struct buffer bytes;
    struct batch batch;
    struct error_info err = {0};

    cr_assert_eq(batch_builder_add_column(b, w->schema->columns[0].id, BATCH_BYTES, 0), 0);
    for (uint32_t i = 0; i < n; i++) {
        put_text(b, 0, "key-%u", first + i);
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_INSERT, 7, 3, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0, "%s", err.text);
    while (by_waiting && slot_prepare(w->slot, &batch, &w->wake, &err) == BLOCK_PENDING)
        world_wait(w);
    if (!by_waiting)
        cr_assert_eq(slot_prepare_now(w->slot, &batch, &err), 0, "%s", err.text);
    cr_assert_eq(slot_apply(w->slot, &batch, &result), 0);
    cr_assert_eq(result.inserted, n);
    cr_assert_eq(slot_apply(w->twin, &batch, &result), 0);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

enum { NAMES = 70000, HASH_BITS_SEEN = 1 << 20 };

/* A number from `from` on whose name shares the hash of a row in the first block. */
static uint32_t find_same_hash(uint32_t from)
{
    uint32_t *seen = calloc(HASH_BITS_SEEN, sizeof *seen);

    for (uint32_t i = 0; i < BLOCK_ROWS; i++)
        seen[hash_of_name(i) % HASH_BITS_SEEN] = hash_of_name(i);
    while (seen[hash_of_name(from) % HASH_BITS_SEEN] != hash_of_name(from))
        from++;
    free(seen);
    return from;
}

Test(slot_absent, a_new_key_with_the_hash_of_an_absent_row)
{
    struct world w;
    uint32_t same;

    world_init(&w, 1, false);
    slot_free(w.slot);
    slot_free(w.twin);
    schema_put(w.schema);
    w.schema = text_key_schema();
    cr_assert_eq(slot_new(w.schema, 3, 42, &w.budget, &w.slot), 0);
    cr_assert_eq(slot_new(w.schema, 3, 42, NULL, &w.twin), 0);
    slot_set_store(w.slot, w.store);
    slot_set_room(w.slot, &w.room);
    insert_names(&w, 0, NAMES, false);
    world_checkpoint(&w);
    same = find_same_hash(NAMES);
    cr_assert_gt(slot_evict(w.slot, SIZE_MAX, 0), 0);
    insert_names(&w, same, 1, false);
    world_checkpoint(&w);
    same = find_same_hash(same + 1);
    cr_assert_gt(slot_evict(w.slot, SIZE_MAX, 0), 0);
    insert_names(&w, same, 1, true);
    world_fini(&w);
}

/* A write waits for blocks of a table that is truncated, and of one that is dropped, also while others read it. */
static void go_while_a_write_waits(bool drop, bool pinned)
{
    static const int keys[] = {0, 1, -1, -1, -1, -1, -1};
    struct catalog *catalog, *none = catalog_new();
    struct error_info err = {0};
    struct batch_builder *b = batch_builder_new(NULL);
    struct buffer bytes;
    struct batch batch;
    struct shard_pin pin;
    struct shard *s;
    struct world w;

    world_init(&w, 5, false);
    s = shard_of_world(&w, &catalog);
    world_fill(&w, 0, 140000);
    world_checkpoint(&w);
    cr_assert_gt(shard_evict(s, SIZE_MAX, 0), 0);
    cr_assert_eq(batch_builder_add_column(b, w.schema->columns[C_TS].id, BATCH_I64, 0), 0);
    cr_assert_eq(batch_builder_add_column(b, w.schema->columns[C_ID].id, BATCH_I64, 0), 1);
    for (uint32_t id = 100; id < 140000; id += 60000)
        world_row(&w, b, id, 0, keys);
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, w.schema->table_id, 3, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0);
    cr_assert_eq(slot_prepare(w.slot, &batch, &w.wake, &err), BLOCK_PENDING);
    if (pinned)
        cr_assert_eq(shard_pin(s, w.schema->table_id, &pin), 0);
    if (drop)
        cr_assert_eq(shard_set_catalog(s, none), 0);
    else
        cr_assert_eq(shard_truncate(s, w.schema->table_id), 0);
    world_wait(&w);
    /* It looks for the table anew and ends: nothing may run its task any more. */
    shard_unwait(s, &w.wake);
    reactor_set_self(NULL);
    cr_assert_neq(reactor_sim_run(w.group, world_is_woken, &w, 10000), 0, "run after its end");
    reactor_set_self(w.r);
    if (pinned)
        shard_unpin(s, &pin);
    catalog_put(none);
    buffer_fini(&bytes);
    batch_builder_free(b);
    end_shard(&w, s, catalog);
}

Test(slot_absent, a_write_that_waits_is_woken_when_its_table_goes)
{
    go_while_a_write_waits(false, false);
    go_while_a_write_waits(true, false);
    go_while_a_write_waits(false, true);
    go_while_a_write_waits(true, true);
}

/* The old slot's cut is at work and gets its names only after the table was truncated. */
Test(slot_absent, truncated_in_a_cut_no_name_is_given_twice)
{
    struct datafile_id old[2], fresh[2];
    struct slot_cut before, after;
    struct catalog *catalog;
    struct shard_pin pin;
    struct shard *s;
    struct world w;

    world_init(&w, 6, false);
    s = shard_of_world(&w, &catalog);
    world_fill(&w, 0, 100);
    cr_assert_eq(shard_pin(s, w.schema->table_id, &pin), 0);
    cr_assert_eq(slot_cut_begin(w.slot, &before), 0);
    cr_assert_eq(shard_truncate(s, w.schema->table_id), 0);
    slot_free(w.twin);
    cr_assert_eq(slot_new(w.schema, 3, 42, NULL, &w.twin), 0);
    w.slot = shard_slot(s, w.schema->table_id, 3);
    world_fill(&w, 0, 100);
    cr_assert(slot_cut_dict_file(&before, &old[0]));
    cr_assert(slot_cut_file(&before, 0, &old[1]));
    cr_assert_eq(slot_cut_begin(w.slot, &after), 0);
    cr_assert(slot_cut_dict_file(&after, &fresh[0]));
    cr_assert(slot_cut_file(&after, 0, &fresh[1]));
    cr_assert_gt(fresh[0].generation, old[1].generation);
    cr_assert_gt(fresh[1].generation, old[1].generation);
    segment_cut_end(before.segments[0], false);
    slot_cut_fini(&before);
    segment_cut_end(after.segments[0], false);
    slot_cut_fini(&after);
    shard_unpin(s, &pin);
    end_shard(&w, s, catalog);
}
