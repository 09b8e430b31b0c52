/* Checkpoints of a core while time partitions go: no root brings back what went before its cut. */
#include "checkpoint_world.h"

enum { PARTS = 0 }; /* position of the table with partitions: tables are by name */

static void write_some(struct checkpoint_world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        world_write(w);
}

/* Of the table with partitions, in all slots: how many slots had it. */
static unsigned drop_day(struct checkpoint_world *w, unsigned day)
{
    uint32_t id = w->catalog->tables[PARTS]->table_id;
    int64_t start = WORLD_NOON - WORLD_DAY / 2 + day * WORLD_DAY;
    unsigned n = 0;

    cr_assert_str_eq(w->catalog->tables[PARTS]->name, "parts");
    for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++)
        n += shard_drop_partition(w->shard, id, slot, start);
    return n;
}

static unsigned day_segments(struct checkpoint_world *w)
{
    unsigned n = 0;

    for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++)
        n += slot_segments(world_slot(w, PARTS, slot));
    return n;
}

static void restart_well(struct checkpoint_world *w)
{
    cr_assert_eq(world_restart(w), 0, "%s", w->base.err.text);
    world_check_loaded(w);
}

/* Segments of the table with partitions that have a file. */
struct file_count {
    uint32_t table_id;
    unsigned n;
};

static bool count_file(void *ctx, const struct datafile_id *id)
{
    struct file_count *c = ctx;

    c->n += id->kind == DATAFILE_SEGMENT && id->table_id == c->table_id;
    return true;
}

static unsigned count_files(struct checkpoint_world *w)
{
    struct file_count c = {.table_id = w->catalog->tables[PARTS]->table_id};

    store_world_steps(&w->base, 2000); /* what goes has gone */
    cr_assert_eq(checkpoint_sweep(w->base.r, w->dir, count_file, &c), 0);
    return c.n;
}

Test(checkpoint_partition, files_of_dropped_partitions_go_with_the_next_root)
{
    struct checkpoint_world *w = world_new(31, 0);

    for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++)
        world_fill(w, PARTS, slot, 0, 100);
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_eq(count_files(w), 5 * WORLD_SLOTS);
    cr_assert_eq(drop_day(w, 2), WORLD_SLOTS);
    cr_assert_eq(drop_day(w, 2), 0);
    cr_assert_eq(count_files(w), 5 * WORLD_SLOTS); /* the root on disk names them */
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_eq(count_files(w), 4 * WORLD_SLOTS);
    restart_well(w);
    cr_assert_eq(day_segments(w), 4 * WORLD_SLOTS);
    world_free(w);
}

Test(checkpoint_partition, it_may_go_meanwhile)
{
    for (unsigned steps = 1; steps < 120; steps += 5) {
        struct checkpoint_world *w = world_new(32 + steps, 0);

        write_some(w, 40);
        cr_assert_eq(world_checkpoint(w), 0);
        write_some(w, 20);
        world_start_checkpoint(w);
        store_world_steps(&w->base, steps);
        (void)drop_day(w, steps % 5);
        write_some(w, 10); /* also into the partition, which is new then */
        world_wait(w);
        cr_assert_eq(w->checkpoint.rc, 0);
        cr_assert_eq(world_checkpoint(w), 0);
        restart_well(w);
        (void)drop_day(w, (steps + 1) % 5);
        write_some(w, 10);
        cr_assert_eq(world_checkpoint(w), 0);
        restart_well(w);
        world_free(w);
    }
}

/* A root of a cut before the drop has the rows: the log's record, newer than the slot's LSN in it, takes them. */
Test(checkpoint_partition, a_crash_gives_what_the_cut_had)
{
    for (unsigned steps = 1; steps < 200; steps += 9) {
        struct checkpoint_world *w = world_new(400 + steps, 0);

        write_some(w, 40);
        cr_assert_eq(world_checkpoint(w), 0);
        write_some(w, 20);
        world_start_checkpoint(w);
        store_world_steps(&w->base, steps / 2);
        (void)drop_day(w, steps % 5);
        store_world_steps(&w->base, steps);
        cr_assert_eq(world_crash(w), 0, "%s", w->base.err.text);
        world_check_loaded(w);
        (void)drop_day(w, steps % 5);
        write_some(w, 5);
        cr_assert_eq(world_checkpoint(w), 0);
        restart_well(w);
        world_free(w);
    }
}
