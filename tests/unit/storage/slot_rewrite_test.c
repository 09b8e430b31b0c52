/*
 * Partitions are rewritten while rows are written, scans read, cuts are at work and partitions go. The twin is never
 * rewritten and says what is right. Seeds are printed with a failure.
 */
#include "storage/slot_rewrite.h"

#include "reactor/budget.h"
#include "storage/slot_alter.h"
#include "unit/storage/disk_scan.h"

static void init(struct world *w, uint64_t seed, bool partitioned)
{
    world_live_only = true;
    world_init(w, seed, partitioned);
}

static struct slot_rewrite *start(struct world *w, uint32_t i, uint32_t rows)
{
    struct slot_rewrite *x;

    cr_assert_eq(slot_rewrite_start(w->slot, i, rows, &x), 0);
    return x;
}

/* A step that waits until its block is read. */
static enum slot_rewrite_state step(struct world *w, struct slot_rewrite *x)
{
    enum slot_rewrite_state state;

    while ((state = slot_rewrite_step(x, &w->wake)) == SLOT_REWRITE_WAIT)
        world_wait(w);
    return state;
}

static void finish(struct world *w, struct slot_rewrite *x)
{
    enum slot_rewrite_state state;

    while ((state = step(w, x)) == SLOT_REWRITE_AGAIN)
        ;
    cr_assert_eq(state, SLOT_REWRITE_DONE, "%s", slot_rewrite_error(x)->text);
    slot_rewrite_free(x);
}

static uint32_t dead_rows(const struct slot *t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < slot_segments(t); i++)
        n += segment_rows(slot_segment(t, i)) - segment_live(slot_segment(t, i));
    return n;
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

/* Every n-th key of [from, to), of the first day or of the table without partitions. */
static void delete_keys(struct world *w, uint32_t from, uint32_t to, uint32_t n)
{
    bool partitioned = w->schema->time_column >= 0;
    struct batch_builder *b = batch_builder_new(NULL);
    struct error_info err;
    struct buffer bytes;
    struct batch batch;
    unsigned at = 0;

    if (partitioned)
        cr_assert_eq(batch_builder_add_column(b, w->schema->columns[C_TS].id, BATCH_I64, 0),
                     (int)at++);
    cr_assert_eq(batch_builder_add_column(b, w->schema->columns[C_ID].id, BATCH_I64, 0), (int)at);
    for (uint32_t id = from; id < to; id += n) {
        if (partitioned)
            batch_builder_put_i64(b, 0, world_days[0] + id % 100);
        batch_builder_put_i64(b, at, id);
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_DELETE, 7, 3, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0);
    world_apply(w, &batch);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

Test(slot_rewrite, deleted_rows_are_gone_and_keys_are_found)
{
    for (int partitioned = 0; partitioned < 2; partitioned++) {
        struct slot_rewrite_stats stats;
        struct slot_rewrite *x;
        struct world w;

        init(&w, 1, partitioned);
        world_fill(&w, 0, 140000);
        delete_keys(&w, 0, 140000, 3);
        delete_keys(&w, 65536, 131072, 1); /* a whole block */
        size_t before = slot_memory(w.slot);
        x = start(&w, 0, 0);
        struct slot_rewrite *other;
        cr_assert_eq(slot_rewrite_start(w.slot, 0, 0, &other), -EBUSY);
        while (step(&w, x) == SLOT_REWRITE_AGAIN)
            ;
        slot_rewrite_get_stats(x, &stats);
        slot_rewrite_free(x);
        cr_assert_eq(dead_rows(w.slot), 0);
        cr_assert_eq(stats.rows, slot_live_rows(w.slot));
        cr_assert_eq(stats.rows + stats.reclaimed, 140000);
        cr_assert_lt(slot_memory(w.slot), before * 3 / 4);
        compare_slots(&w);
        for (int i = 0; i < 30;
             i++) /* updates, deletes and refusals agree: the index leads to the rows */
            world_write(&w);
        compare_slots(&w);
        world_fini(&w);
    }
}

Test(slot_rewrite, nothing_left_means_no_partition)
{
    struct world w;

    init(&w, 2, true);
    world_fill(&w, 0, 1000);
    world_checkpoint(&w);
    delete_keys(&w, 0, 1000, 1);
    finish(&w, start(&w, 0, 0));
    cr_assert_eq(slot_segments(w.slot), 0);
    world_checkpoint(&w);
    cr_assert_eq(w.n_root, 1, "the dictionaries only");
    world_check_commit(&w);
    world_fill(&w, 500, 100);
    compare_slots(&w);
    world_fini(&w);
}

Test(slot_rewrite, without_deleted_rows_it_is_a_copy)
{
    struct world w;

    init(&w, 3, false);
    world_fill(&w, 0, 70000);
    finish(&w, start(&w, 0, 1000));
    compare_slots(&w);
    world_fini(&w);
}

/* Rows that were copied, rows that were not, and new ones change between all steps. */
static void rewrite_with_writes(uint64_t seed, bool partitioned)
{
    struct slot_rewrite *x;
    struct world w;

    init(&w, seed, partitioned);
    for (int i = 0; i < 30; i++)
        world_write(&w);
    if (below(&w, 2)) {
        world_checkpoint(&w);
        (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
    }
    for (int round = 0; round < 4 && slot_segments(w.slot); round++) {
        enum slot_rewrite_state state;

        x = start(&w, below(&w, slot_segments(w.slot)), 1 + below(&w, 200));
        while ((state = step(&w, x)) == SLOT_REWRITE_AGAIN) {
            if (below(&w, 2))
                world_write(&w);
            if (below(&w, 8) == 0)
                (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
            if (below(&w, 10) == 0)
                compare_slots(&w);
        }
        cr_assert_eq(state, SLOT_REWRITE_DONE, "%s", slot_rewrite_error(x)->text);
        slot_rewrite_free(x);
        compare_slots(&w);
    }
    world_fini(&w);
}

Test(slot_rewrite, rows_change_between_its_steps)
{
    for (uint64_t seed = 100; seed < 112; seed++) {
        fprintf(stderr, "seed %" PRIu64 "\n", seed);
        rewrite_with_writes(seed, seed % 2);
    }
}

/* Copied rows of several blocks: each block's count from where its own rows begin. */
Test(slot_rewrite, rows_of_many_blocks_change)
{
    enum slot_rewrite_state state;
    struct slot_rewrite *x;
    struct world w;

    init(&w, 120, false);
    world_fill(&w, 0, 140000);
    delete_keys(&w, 0, 140000, 3);
    x = start(&w, 0, 20000);
    while ((state = step(&w, x)) == SLOT_REWRITE_AGAIN)
        for (int i = 0; i < 3; i++)
            world_write(&w);
    cr_assert_eq(state, SLOT_REWRITE_DONE);
    slot_rewrite_free(x);
    compare_slots(&w);
    delete_keys(&w, 0, 140000, 5);
    compare_slots(&w);
    world_fini(&w);
}

Test(slot_rewrite, a_partition_that_goes_ends_it)
{
    for (unsigned steps = 0; steps < 4; steps++) {
        struct slot_rewrite *x;
        struct world w;

        init(&w, 4, true);
        world_fill(&w, 0, 2000);
        delete_keys(&w, 0, 2000, 2);
        x = start(&w, 0, 300);
        for (unsigned i = 0; i < steps; i++)
            cr_assert_eq(step(&w, x), SLOT_REWRITE_AGAIN);
        cr_assert(slot_drop_partition(w.slot, world_days[0]));
        cr_assert(slot_drop_partition(w.twin, world_days[0]));
        cr_assert_eq(slot_rewrite_step(x, &w.wake), SLOT_REWRITE_ENDED);
        cr_assert_eq(slot_rewrite_rc(x), -ECANCELED);
        slot_rewrite_free(x);
        world_fill(&w, 0, 100);
        compare_slots(&w);
        world_fini(&w); /* all memory came back */
    }
}

/* It waits for a block: the drop of the partition wakes it. */
Test(slot_rewrite, a_partition_that_goes_wakes_it)
{
    struct slot_rewrite *x;
    struct world w;

    init(&w, 5, true);
    world_fill(&w, 0, 2000);
    world_checkpoint(&w);
    (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
    x = start(&w, 0, 0);
    cr_assert_eq(slot_rewrite_step(x, &w.wake), SLOT_REWRITE_WAIT);
    cr_assert(slot_drop_partition(w.slot, world_days[0]));
    cr_assert(slot_drop_partition(w.twin, world_days[0]));
    world_wait(&w);
    cr_assert_eq(slot_rewrite_step(x, &w.wake), SLOT_REWRITE_ENDED);
    slot_rewrite_free(x);
    compare_slots(&w);
    world_fini(&w);
}

/* Given up by its owner at any step, also while it waits. */
Test(slot_rewrite, giving_up_leaves_everything)
{
    for (unsigned steps = 0; steps < 6; steps++) {
        struct slot_rewrite *x;
        struct world w;

        init(&w, 6, false);
        world_fill(&w, 0, 1500);
        world_checkpoint(&w);
        if (steps % 2)
            (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
        x = start(&w, 0, 200);
        for (unsigned i = 0; i < steps; i++)
            (void)slot_rewrite_step(x, &w.wake);
        world_write(&w);
        slot_rewrite_free(x);
        compare_slots(&w);
        world_write(&w);
        compare_slots(&w);
        world_fini(&w);
    }
}

Test(slot_rewrite, a_slot_that_goes_ends_it)
{
    struct slot_rewrite *x;
    struct world w;

    init(&w, 7, false);
    world_fill(&w, 0, 1500);
    x = start(&w, 0, 200);
    cr_assert_eq(step(&w, x), SLOT_REWRITE_AGAIN);
    slot_free(w.slot);
    cr_assert_eq(slot_rewrite_step(x, &w.wake), SLOT_REWRITE_ENDED);
    slot_rewrite_free(x);
    cr_assert_eq(slot_new(w.schema, 3, 42, &w.budget, &w.slot), 0);
    world_fini(&w);
}

/* From its preparation on: the new segment would lack the new columns. */
Test(slot_rewrite, an_alter_ends_it)
{
    for (int taken = 0; taken < 2; taken++) {
        struct slot_rewrite *x;
        struct slot_alter *alter;
        struct world w;

        init(&w, 12, false);
        world_fill(&w, 0, 1500);
        delete_keys(&w, 0, 1500, 2);
        x = start(&w, 0, 200);
        cr_assert_eq(step(&w, x), SLOT_REWRITE_AGAIN);
        cr_assert_eq(slot_alter_new(w.slot, w.schema, &alter), 0);
        cr_assert_eq(slot_rewrite_step(x, &w.wake), SLOT_REWRITE_ENDED);
        slot_rewrite_free(x);
        cr_assert_eq(slot_rewrite_start(w.slot, 0, 200, &x), -EBUSY);
        if (taken)
            slot_alter_take(alter);
        else
            slot_alter_free(alter);
        finish(&w, start(&w, 0, 200));
        compare_slots(&w);
        world_fini(&w);
    }
}

/* Memory ends in a step, or in a write to a row that was copied: the write counts, the rewrite does not. */
Test(slot_rewrite, without_memory_it_is_given_up)
{
    unsigned ended = 0, done = 0;

    for (uint64_t room = 1000; done == 0 && room < 1 << 24; room += room / 2) {
        enum slot_rewrite_state state = SLOT_REWRITE_ENDED;
        struct slot_rewrite *x;
        struct world w;

        init(&w, 8, false);
        world_fill(&w, 0, 3000);
        delete_keys(&w, 0, 3000, 5);
        w.budget.limit = w.budget.used + room;
        int rc = slot_rewrite_start(w.slot, 0, 256, &x);
        cr_assert(rc == 0 || rc == -ENOMEM);
        for (uint32_t i = 0; rc == 0 && (state = step(&w, x)) == SLOT_REWRITE_AGAIN; i++) {
            uint64_t limit = w.budget.limit;

            w.budget.limit = 0;
            if (i % 3 == 2) /* the copy's row mask is made */
                delete_keys(&w, i, 3000, 97);
            w.budget.limit = limit > w.budget.used ? limit : w.budget.used;
        }
        if (rc == 0 && state == SLOT_REWRITE_ENDED)
            cr_assert_eq(slot_rewrite_rc(x), -ENOMEM);
        if (rc == 0)
            slot_rewrite_free(x);
        w.budget.limit = 0;
        ended += state == SLOT_REWRITE_ENDED;
        done += state == SLOT_REWRITE_DONE;
        world_write(&w);
        compare_slots(&w);
        world_fini(&w);
    }
    cr_assert_gt(ended, 3);
    cr_assert_eq(done, 1);
}

Test(slot_rewrite, a_write_without_memory_for_the_copy_is_done)
{
    struct slot_rewrite *x;
    struct world w;

    init(&w, 9, false);
    world_fill(&w, 0, 3000);
    delete_keys(&w, 7, 9, 1); /* the row mask of the old segment is there */
    x = start(&w, 0, 256);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(step(&w, x), SLOT_REWRITE_AGAIN);
    /* What the write itself needs is there, but not the mask of the copy. */
    struct write_result result;
    struct error_info err;
    struct buffer bytes;
    struct batch batch;
    struct batch_builder *b = batch_builder_new(NULL);
    cr_assert_eq(batch_builder_add_column(b, w.schema->columns[C_ID].id, BATCH_I64, 0), 0);
    batch_builder_put_i64(b, 0, 100);
    cr_assert_eq(batch_builder_end_row(b), 0);
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_DELETE, 7, 3, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0);
    cr_assert_eq(slot_apply(w.twin, &batch, &result), 0);
    uint64_t used = w.budget.used;
    int rc = -ENOMEM;
    for (uint64_t room = 64; rc != 0; room += 64) {
        w.budget.limit = used + room;
        rc = slot_apply(w.slot, &batch, &result);
    }
    w.budget.limit = 0;
    cr_assert_eq(result.deleted, 1);
    cr_assert_eq(slot_rewrite_step(x, &w.wake), SLOT_REWRITE_ENDED);
    cr_assert_eq(slot_rewrite_rc(x), -ENOMEM);
    slot_rewrite_free(x);
    compare_slots(&w);
    buffer_fini(&bytes);
    batch_builder_free(b);
    world_fini(&w);
}

Test(slot_rewrite, rows_that_come_faster_end_it)
{
    enum slot_rewrite_state state;
    struct slot_rewrite *x;
    struct world w;
    uint32_t next = 1000;

    init(&w, 10, false);
    world_fill(&w, 0, next);
    x = start(&w, 0, 64);
    while ((state = step(&w, x)) == SLOT_REWRITE_AGAIN) {
        world_fill(&w, next, 8000);
        next += 8000;
    }
    cr_assert_eq(state, SLOT_REWRITE_ENDED);
    cr_assert_eq(slot_rewrite_rc(x), -EBUSY);
    slot_rewrite_free(x);
    compare_slots(&w);
    world_fini(&w);
}

/* ---- scans ---- */

/* A scan that began before reads the old segment to its end, from the disk too, also when its memory is taken. */
Test(slot_rewrite, a_scan_that_began_before_reads_on)
{
    for (unsigned steps = 0; steps < 6; steps++) {
        struct buffer want, got;
        struct program p, q;
        struct batch b;
        struct world w;
        struct scan *x;

        init(&w, 11 + steps, true);
        world_fill(&w, 0, 70000);
        for (int i = 0; i < 20; i++)
            world_write(&w);
        world_checkpoint(&w);
        x = open_count(&w, &w.twin, &p);
        run_scan(&w, x, &want);
        scan_free(x);
        (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
        x = open_count(&w, &w.slot, &q);
        for (unsigned i = 0; i < steps; i++)
            if (scan_step(x, 4096, &b) == SCAN_WAIT && i + 1 < steps)
                world_wait(&w);
        for (uint32_t i = slot_segments(w.slot); i-- > 0;)
            finish(&w, start(&w, i, 0));
        slot_set_tick(w.slot, slot_tick(w.slot) + 10);
        (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100); /* the old segments, too */
        world_write(&w);
        delete_keys(&w, 0, 70000, 7);
        run_scan(&w, x, &got);
        scan_free(x);
        cr_assert_eq(want.len, got.len);
        cr_assert_eq(memcmp(want.data, got.data, want.len), 0);
        buffer_fini(&want);
        buffer_fini(&got);
        slot_set_tick(w.slot, slot_tick(w.slot) + 1);
        compare_slots(&w);
        world_fini(&w);
    }
}

/* ---- cuts ---- */

/* The exchange happens in the middle of a cut, at every place of it; then the slot starts from what the cut wrote. */
Test(slot_rewrite, a_cut_at_work_holds_what_it_began_with)
{
    for (unsigned steps = 0; steps < 14; steps++) {
        struct world w;

        init(&w, 50 + steps, steps % 2);
        world_fill(&w, 0, 66000);
        world_checkpoint(&w);
        delete_keys(&w, 0, 66000, 2);
        for (int i = 0; i < 5; i++)
            world_write(&w);
        world_cut_begin(&w, steps % 5 == 4);
        for (unsigned i = 0; i < steps; i++)
            if (w.cutting)
                (void)world_cut_step(&w);
        finish(&w, start(&w, 0, 0));
        if (steps % 3 == 0)
            world_write(&w);
        while (w.cutting)
            (void)world_cut_step(&w);
        if (!w.failing)
            world_check_commit(&w);
        world_write(&w);
        compare_slots(&w);
        world_checkpoint(&w); /* now the new segment */
        world_check_commit(&w);
        cr_assert_eq(dead_rows(w.slot) < 2000, true);
        world_fini(&w);
    }
}

/* After a crash: the slot as the last root has it, and the writes since then once more. */
Test(slot_rewrite, a_start_from_an_older_root_gives_the_same)
{
    for (unsigned round = 0; round < 6; round++) {
        struct world w;

        init(&w, 70 + round, round % 2);
        for (int i = 0; i < 30; i++)
            world_write(&w);
        world_cut_begin(&w, false);
        if (round < 3)
            (void)world_cut_step(&w);
        for (uint32_t i = slot_segments(w.slot); i-- > 0;)
            finish(&w, start(&w, i, 100));
        while (w.cutting)
            (void)world_cut_step(&w);
        world_check_commit(&w);
        slot_free(w.slot);
        w.slot = world_reopen(&w); /* nothing was written since the cut */
        slot_set_room(w.slot, &w.room);
        for (int i = 0; i < 10; i++)
            world_write(&w);
        compare_slots(&w);
        for (uint32_t i = slot_segments(w.slot); i-- > 0;)
            finish(&w, start(&w, i, 100));
        world_write(&w);
        world_checkpoint(&w);
        world_check_commit(&w);
        slot_free(w.slot);
        w.slot = world_reopen(&w);
        slot_set_room(w.slot, &w.room);
        compare_slots(&w);
        world_fini(&w);
    }
}

/* ---- everything at once ---- */

static void maybe_step(struct world *w, struct slot_rewrite **x)
{
    if (!*x && slot_segments(w->slot))
        *x = start(w, below(w, slot_segments(w->slot)), 1 + below(w, 500));
    if (!*x)
        return;
    switch (slot_rewrite_step(*x, &w->wake)) {
    case SLOT_REWRITE_AGAIN:
    case SLOT_REWRITE_WAIT:
        break;
    case SLOT_REWRITE_DONE:
    case SLOT_REWRITE_ENDED:
        slot_rewrite_free(*x);
        *x = NULL;
        break;
    }
}

static void run_random(uint64_t seed)
{
    struct slot_rewrite *x = NULL;
    struct world w;

    init(&w, seed, seed % 3 != 0);
    for (int i = 0; i < 600; i++) {
        uint32_t what = below(&w, 100);

        if (what < 40) {
            world_write(&w);
        } else if (what < 43 && w.schema->time_column >= 0) {
            uint32_t day = below(&w, 3);

            (void)slot_drop_partition(w.slot, world_days[day]);
            (void)slot_drop_partition(w.twin, world_days[day]);
        } else if (what < 70) {
            maybe_step(&w, &x);
        } else if (what < 72) {
            slot_rewrite_free(x);
            x = NULL;
        } else if (what < 77) {
            (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
        } else if (what < 82) {
            slot_set_tick(w.slot, slot_tick(w.slot) + 1);
        } else if (!w.cutting) {
            world_cut_begin(&w, below(&w, 4) == 0);
        } else if (world_cut_step(&w) && !w.failing) {
            world_check_commit(&w);
        }
    }
    slot_rewrite_free(x);
    while (w.cutting && !world_cut_step(&w))
        ;
    compare_slots(&w);
    world_checkpoint(&w);
    world_check_commit(&w);
    world_fini(&w);
}

Test(slot_rewrite, random_writes_cuts_drops_and_rewrites)
{
    const char *seed = getenv("QUANTA_SEED");

    for (uint64_t i = 0; i < 16; i++) {
        uint64_t s = (seed ? strtoull(seed, NULL, 0) : 500) + i;

        fprintf(stderr, "seed %" PRIu64 "\n", s);
        run_random(s);
    }
}

/* Keys that came in ascending order before a rewrite say nothing of those that came after it. */
Test(slot_rewrite, keys_that_ascended_before_are_looked_for)
{
    static const int at[] = {-1, 0, -1, -1, -1, 1, -1};
    struct world w;

    init(&w, 11, false);
    world_batch(&w, BATCH_UPSERT, at, 1000, 1, true);
    delete_keys(&w, 1, 501, 1);
    finish(&w, start(&w, 0, 0));
    world_batch(&w, BATCH_INSERT, at, 500, 2001, true); /* as many rows as then */
    world_checkpoint(&w);
    (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 1000);
    world_batch(&w, BATCH_UPSERT, at, 500, 2001, true);
    compare_slots(&w);
    world_fini(&w);
}
