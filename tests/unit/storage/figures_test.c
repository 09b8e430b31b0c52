/* What a table takes, in memory and on disk, told of a core. */
#include "storage/figures.h"

#include "unit/storage/disk_shard.h"

static struct figures tell(struct world *w, struct shard *s)
{
    struct figures_walk walk = {.shard = s, .table_id = w->schema->table_id};
    struct figures f, parts = {0};

    shard_table_figures(s, w->schema->table_id, &f);
    while (!figures_walk_step(&walk, 1, &parts))
        ;
    cr_assert_eq(memcmp(&f, &parts, sizeof f), 0, "a walk in parts tells the same");
    /* Of each allocation the budget is charged whole lines of 64 bytes. */
    cr_assert(figures_memory(&f) <= w->budget.used && w->budget.used - figures_memory(&f) < 1 << 16,
              "%" PRIu64 " of %" PRIu64 " bytes are told", figures_memory(&f), w->budget.used);
    return f;
}

Test(figures, follow_rows_to_disk_and_back)
{
    struct segment_traffic traffic;
    struct catalog *catalog;
    struct figures f, was;
    struct error_info err;
    struct shard *s;
    struct world w;
    uint64_t live;

    world_init(&w, 11, false);
    s = shard_of_world(&w, &catalog);
    world_fill(&w, 0, 140000);
    f = tell(&w, s);
    live = slot_live_rows(w.slot);
    cr_assert_eq(f.rows, live);
    cr_assert_eq(f.segments, 1);
    cr_assert_eq(f.blocks, (f.rows + f.deleted + BLOCK_ROWS - 1) / BLOCK_ROWS);
    cr_assert(f.changed && f.indexes && f.dicts && !f.clean && !f.disk && !f.absent);

    world_checkpoint(&w);
    f = tell(&w, s);
    cr_assert(f.clean && !f.changed && f.disk && !f.absent);
    cr_assert_lt(f.dead, f.disk / 10, "%" PRIu64 " of %" PRIu64, f.dead, f.disk);

    was = f;
    cr_assert_gt(shard_evict(s, SIZE_MAX, 100), 0);
    f = tell(&w, s);
    cr_assert(!f.clean && !f.indexes && f.rows == live);
    cr_assert_geq(f.absent, 3u * w.schema->n_columns);
    cr_assert(f.absent_bytes && f.absent_bytes < f.disk);
    cr_assert_eq(shard_absent_bytes(s), f.absent_bytes);
    cr_assert_geq(f.data, f.dicts + f.absent_bytes);
    shard_get_traffic(s, &traffic);
    cr_assert_eq(traffic.evicted_bytes, was.clean);
    cr_assert_eq(traffic.indexes_dropped, 1);

    while (shard_load(s, 1 << 20, 0, &w.wake, &err) == BLOCK_PENDING)
        world_wait(&w);
    while (shard_load_index(s, 0, &err) == BLOCK_PENDING)
        continue;
    f = tell(&w, s);
    shard_get_traffic(s, &traffic);
    cr_assert(f.clean && !f.absent && !f.absent_bytes && !shard_absent_bytes(s));
    cr_assert_geq(traffic.read, traffic.evicted);
    cr_assert_gt(traffic.read_bytes, 0);

    for (int i = 0; i < 10; i++)
        world_write(&w);
    was = tell(&w, s);
    cr_assert_gt(was.changed, 0);
    world_checkpoint(&w);
    f = tell(&w, s);
    cr_assert_gt(f.disk, was.disk);
    cr_assert_gt(f.dead, was.dead, "replaced chunks are dead");
    end_shard(&w, s, catalog);
}
