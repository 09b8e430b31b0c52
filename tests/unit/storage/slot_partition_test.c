/*
 * Time partitions that go while statements read them, writes wait for them and cuts are at work. Seeds are printed with
 * a failure.
 */
#include "unit/storage/disk_scan.h"

static void drop(struct world *w, uint32_t day)
{
    bool had = slot_drop_partition(w->slot, world_days[day]);

    cr_assert_eq(had, slot_drop_partition(w->twin, world_days[day]));
}

static void fill_days(struct world *w)
{
    world_fill(w, 0, 70000); /* two blocks of the first day */
    for (int i = 0; i < 40; i++)
        world_write(w);
}

/* count(*), sum(num), max(id). */
static void expect_same(struct buffer *a, struct buffer *b)
{
    cr_assert_eq(a->len, b->len);
    cr_assert_eq(memcmp(a->data, b->data, a->len), 0);
    buffer_fini(a);
    buffer_fini(b);
}

static void compare_slots(struct world *w)
{
    uint64_t *a, *b;
    size_t n, m;

    world_load(w, w->slot);
    a = world_dump(w->slot, &n);
    b = world_dump(w->twin, &m);
    world_compare(a, n, b, m, "slot and twin");
    free(a);
    free(b);
}

/* A scan that began before reads everything, from the disk too; one that begins after sees nothing of it. */
static void scan_over_drop(unsigned steps, bool ends_first)
{
    struct world w;
    struct program p, q;
    struct buffer before, got;
    struct batch b;

    world_init(&w, steps + 1, true);
    fill_days(&w);
    world_checkpoint(&w);
    struct scan *x = open_count(&w, &w.twin, &p);
    run_scan(&w, x, &before);
    scan_free(x);
    (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
    x = open_count(&w, &w.slot, &q);
    for (unsigned i = 0; i < steps; i++)
        if (scan_step(x, 4096, &b) == SCAN_WAIT && i + 1 < steps)
            world_wait(&w);
    uint32_t had = slot_segments(w.slot);
    drop(&w, 0);
    cr_assert_eq(slot_segments(w.slot), had - 1);
    cr_assert(!slot_drop_partition(w.slot, world_days[0]));
    slot_set_tick(w.slot, slot_tick(w.slot) + 1);
    world_fill(&w, 80000, 100); /* the partition is there again, with other rows */
    run_scan(&w, x, &got);
    expect_same(&before, &got);
    if (ends_first)
        slot_set_tick(w.slot, slot_tick(w.slot) + 1); /* still pinned */
    scan_free(x);
    if (ends_first)
        slot_set_tick(w.slot, slot_tick(w.slot) + 1); /* goes now, else with the slot */
    compare_slots(&w);
    world_fini(&w);
}

Test(slot_partition, a_scan_that_has_it_reads_on)
{
    for (unsigned steps = 0; steps < 6; steps++)
        scan_over_drop(steps, steps % 2);
}

Test(slot_partition, reads_on_their_way_are_dropped)
{
    struct world w;
    struct program p;
    struct batch b;

    world_init(&w, 9, true);
    fill_days(&w);
    world_checkpoint(&w);
    (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
    struct scan *x = open_count(&w, &w.slot, &p);
    cr_assert_eq(scan_step(x, 4096, &b), SCAN_WAIT);
    scan_free(x); /* nobody waits for what it asked for */
    drop(&w, 0);
    compare_slots(&w);
    world_fini(&w); /* all memory came back */
}

/* A write that waits for a column of the partition finds it gone and goes on. */
Test(slot_partition, a_write_that_waits_is_woken)
{
    struct world w;
    struct batch_builder *b = batch_builder_new(NULL);
    struct write_result result;
    struct error_info err;
    struct buffer bytes;
    struct batch batch;

    world_init(&w, 10, true);
    fill_days(&w);
    world_checkpoint(&w);
    (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
    cr_assert_eq(batch_builder_add_column(b, w.schema->columns[C_TS].id, BATCH_I64, 0), 0);
    cr_assert_eq(batch_builder_add_column(b, w.schema->columns[C_ID].id, BATCH_I64, 0), 1);
    batch_builder_put_i64(b, 0, world_days[0] + 5);
    batch_builder_put_i64(b, 1, 5);
    cr_assert_eq(batch_builder_end_row(b), 0);
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 7, 3, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0);
    cr_assert_eq(slot_prepare(w.slot, &batch, &w.wake, &err), BLOCK_PENDING);
    drop(&w, 0);
    world_wait(&w);
    enum block_state state;
    while ((state = slot_prepare(w.slot, &batch, &w.wake, &err)) == BLOCK_PENDING)
        world_wait(&w);
    cr_assert_eq(state, BLOCK_READY);
    cr_assert_eq(slot_apply(w.slot, &batch, &result), 0);
    cr_assert_eq(result.inserted, 1);
    cr_assert_eq(slot_apply(w.twin, &batch, &result), 0);
    compare_slots(&w);
    buffer_fini(&bytes);
    batch_builder_free(b);
    world_fini(&w);
}

/* What a cut holds is what there was at its begin, dropped partitions too; what comes next does without them. */
static void run_random(uint64_t seed)
{
    struct world w;

    world_init(&w, seed, true);
    for (int i = 0; i < 400; i++) {
        uint32_t what = below(&w, 100);

        if (what < 60) {
            world_write(&w);
        } else if (what < 70) {
            drop(&w, below(&w, 3));
        } else if (what < 75) {
            (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
        } else if (what < 80) {
            slot_set_tick(w.slot, slot_tick(w.slot) + 1);
        } else if (!w.cutting) {
            world_cut_begin(&w, below(&w, 4) == 0);
        } else if (world_cut_step(&w) && !w.failing) {
            world_check_commit(&w);
        }
    }
    while (w.cutting && !world_cut_step(&w))
        ;
    compare_slots(&w);
    world_checkpoint(&w);
    world_check_commit(&w);
    world_fini(&w);
}

Test(slot_partition, random_drops_writes_and_cuts)
{
    const char *seed = getenv("QUANTA_SEED");

    for (uint64_t i = 0; i < 12; i++) {
        uint64_t s = (seed ? strtoull(seed, NULL, 0) : 100) + i;

        fprintf(stderr, "seed %" PRIu64 "\n", s);
        run_random(s);
    }
}
