/* The slots of one core: tables that come and go, pins, truncation, which slots it owns. */
#include "small_table.h"

#include "storage/colblock_change.h"
#include "storage/figures.h"
#include "storage/shard.h"

enum { SLOT_BITS = 3, CORES = 3 };

static struct budget budget;

static struct shard *make_shard(unsigned core)
{
    struct shard_config config = {
        .core = core, .cores = CORES, .slot_bits = SLOT_BITS, .hash_seed = 42, .budget = &budget};
    struct shard *s;

    cr_assert_eq(shard_new(&config, &s), 0);
    return s;
}

static void setup(void)
{
    budget_init(&budget, "test", 0, NULL);
}

static void teardown(void)
{
    cr_assert_eq(budget.used, 0, "all memory was given back");
}

TestSuite(shard, .init = setup, .fini = teardown);

/* A catalog with the table of small_table.h. */
static struct catalog *with_table(uint32_t *table_id)
{
    struct catalog *empty = catalog_new(), *c;
    struct schema *s = small_schema();

    s->table_id = 0;
    cr_assert_eq(catalog_with_table(empty, s, &c), 0);
    *table_id = s->table_id;
    schema_put(s);
    catalog_put(empty);
    return c;
}

static void insert(struct slot *slot, uint32_t from, uint32_t n)
{
    struct batch_builder *b = small_builder(slot_schema(slot));
    struct write_result result;
    struct buffer bytes;
    struct batch batch;

    for (uint32_t i = from; i < from + n; i++)
        small_row(b, i);
    small_finish(b, BATCH_INSERT, &bytes, &batch);
    cr_assert_eq(slot_apply(slot, &batch, &result), 0);
    cr_assert_eq(result.inserted, n);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

Test(shard, every_slot_has_one_owner)
{
    uint32_t table_id, owned = 0;
    struct catalog *c = with_table(&table_id);

    for (unsigned core = 0; core < CORES; core++) {
        struct shard *s = make_shard(core);
        cr_assert_eq(shard_set_catalog(s, c), 0);
        for (uint32_t slot = 0; slot < 1 << SLOT_BITS; slot++) {
            struct slot *t = shard_slot(s, table_id, slot);
            cr_assert_eq(t != NULL, shard_core_of_slot(slot, CORES) == core);
            cr_assert(!t || slot_number(t) == slot);
            owned += t != NULL;
        }
        cr_assert_null(shard_slot(s, table_id, 1 << SLOT_BITS));
        cr_assert_null(shard_slot(s, table_id + 1, 0));
        shard_free(s);
    }
    cr_assert_eq(owned, 1 << SLOT_BITS);
    catalog_put(c);
}

Test(shard, a_dropped_table_lives_while_it_is_pinned)
{
    uint32_t table_id;
    struct catalog *c = with_table(&table_id), *without;
    struct shard *s = make_shard(0);
    struct shard_pin pin, none;

    cr_assert_eq(shard_pin(s, table_id, &pin), -ENOENT);
    cr_assert_eq(shard_set_catalog(s, c), 0);
    insert(shard_slot(s, table_id, 0), 0, 100);
    cr_assert_eq(shard_pin(s, table_id, &pin), 0);
    cr_assert_eq(pin.n_slots, 3);
    cr_assert_eq(catalog_without_table(c, "t", &without), 0);
    cr_assert_eq(shard_set_catalog(s, without), 0);
    cr_assert_null(shard_slot(s, table_id, 0));
    cr_assert_eq(shard_pin(s, table_id, &none), -ENOENT);
    cr_assert_eq(slot_live_rows(pin.slots[0]), 100, "the statement still reads it");
    cr_assert_gt(budget.used, 0);
    shard_unpin(s, &pin);
    cr_assert_eq(budget.used, 0);
    shard_free(s);
    catalog_put(c);
    catalog_put(without);
}

/* One in a turn; the segments before it are not asked again in the same tick. */
Test(shard, quiet_segments_are_sealed_one_after_the_other)
{
    uint32_t table_id, sealed = 0;
    struct catalog *c = with_table(&table_id);
    struct shard *s = make_shard(0);

    cr_assert_eq(shard_set_catalog(s, c), 0);
    for (uint32_t slot = 0; slot < 1 << SLOT_BITS; slot += CORES)
        insert(shard_slot(s, table_id, slot), slot * 1000, 600);
    cr_assert_not(shard_seal_quiet(s, 1), "rows came");
    while (shard_seal_quiet(s, 2)) {
        if (!sealed++)
            insert(shard_slot(s, table_id, CORES), 100, 7);
        cr_assert_leq(sealed, 2);
    }
    cr_assert_eq(sealed, 2, "one of three got rows");
    for (uint32_t slot = 0; slot < 1 << SLOT_BITS; slot += CORES) {
        struct block b;

        cr_assert_eq(segment_block(slot_segment(shard_slot(s, table_id, slot), 0), 0, NULL, &b),
                     BLOCK_READY);
        cr_assert_eq(colblock_sealed_rows(b.columns[0]), slot == CORES ? 0 : 600);
    }
    cr_assert(shard_seal_quiet(s, 3));
    cr_assert_not(shard_seal_quiet(s, 3));
    shard_free(s);
    catalog_put(c);
}

Test(shard, truncation_leaves_pinned_rows_to_their_statement)
{
    uint32_t table_id;
    struct catalog *c = with_table(&table_id);
    struct shard *s = make_shard(0);
    struct shard_pin pin;
    struct figures f;

    cr_assert_eq(shard_set_catalog(s, c), 0);
    insert(shard_slot(s, table_id, 3), 0, 50);
    shard_table_figures(s, table_id, &f);
    cr_assert_eq(f.rows, 50);
    cr_assert_gt(figures_memory(&f), 0);
    cr_assert_eq(shard_pin(s, table_id, &pin), 0);
    cr_assert_eq(shard_truncate(s, table_id), 0);
    shard_table_figures(s, table_id, &f);
    cr_assert_eq(f.rows, 0);
    cr_assert_eq(slot_live_rows(pin.slots[1]), 50);
    insert(shard_slot(s, table_id, 3), 0, 50);
    shard_unpin(s, &pin);
    shard_table_figures(s, table_id, &f);
    cr_assert_eq(f.rows, 50);
    cr_assert_eq(shard_truncate(s, table_id + 1), -ENOENT);
    shard_free(s);
    catalog_put(c);
}

Test(shard, rows_go_when_the_removal_is_taken)
{
    uint32_t table_id;
    struct catalog *c = with_table(&table_id);
    struct shard *s = make_shard(0);
    struct figures f;

    cr_assert_eq(shard_set_catalog(s, c), 0);
    insert(shard_slot(s, table_id, 0), 0, 10);
    insert(shard_slot(s, table_id, 3), 10, 50);
    cr_assert_eq(shard_prepare_removal(s, table_id + 1, true), -ENOENT);
    for (int all = 0; all < 2; all++) {
        cr_assert_eq(shard_prepare_removal(s, table_id, all), 0);
        cr_assert(shard_is_changing(s, table_id));
        shard_drop_removal(s, table_id);
        cr_assert(!shard_is_changing(s, table_id));
        shard_table_figures(s, table_id, &f);
        cr_assert_eq(f.rows, 60);
    }
    cr_assert_eq(shard_prepare_removal(s, table_id, false), 0);
    shard_drop_partition_all(s, table_id, 86400);
    shard_take_removal(s, table_id);
    shard_table_figures(s, table_id, &f);
    cr_assert_eq(f.rows, 60, "they are of another partition");
    cr_assert_eq(shard_prepare_removal(s, table_id, false), 0);
    shard_drop_partition_all(s, table_id, 0);
    shard_take_removal(s, table_id);
    shard_table_figures(s, table_id, &f);
    cr_assert_eq(f.rows, 0);
    insert(shard_slot(s, table_id, 3), 0, 50);
    cr_assert_eq(shard_prepare_removal(s, table_id, true), 0);
    shard_table_figures(s, table_id, &f);
    cr_assert_eq(f.rows, 50);
    shard_take_removal(s, table_id);
    cr_assert(!shard_is_changing(s, table_id));
    shard_table_figures(s, table_id, &f);
    cr_assert_eq(f.rows, 0);
    cr_assert_eq(shard_prepare_removal(s, table_id, true), 0, "the shard frees what was prepared");
    shard_free(s);
    catalog_put(c);
}

Test(shard, one_slot_can_be_emptied_at_replay)
{
    uint32_t table_id;
    struct catalog *c = with_table(&table_id);
    struct shard *s = make_shard(0);
    struct figures f;

    cr_assert_eq(shard_set_catalog(s, c), 0);
    insert(shard_slot(s, table_id, 0), 0, 10);
    insert(shard_slot(s, table_id, 6), 10, 5);
    cr_assert_eq(shard_truncate_slot(s, table_id, 0), 0);
    shard_table_figures(s, table_id, &f);
    cr_assert_eq(f.rows, 5);
    cr_assert_eq(shard_truncate_slot(s, table_id + 7, 0), 0, "a table that is gone");
    shard_free(s);
    catalog_put(c);
}

Test(shard, a_table_that_does_not_fit_changes_nothing)
{
    uint32_t table_id;
    struct catalog *c = with_table(&table_id);
    struct shard *s = make_shard(0);

    budget.limit = budget.used + 1000;
    cr_assert_eq(shard_set_catalog(s, c), -ENOMEM);
    cr_assert_eq(shard_catalog(s)->n_tables, 0);
    cr_assert_null(shard_slot(s, table_id, 0));
    budget.limit = 0;
    cr_assert_eq(shard_set_catalog(s, c), 0);
    shard_free(s);
    catalog_put(c);
}
