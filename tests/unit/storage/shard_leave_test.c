/* What a shard no longer needs is freed a few blocks in a turn, and at once where memory is wanted. */
#include "disk_shard.h"
#include "storage/segment_impl.h"

enum { TRUNCATIONS = 16 };

/* Blocks of many truncations at once. */
static uint64_t leave_much(struct world *w, struct shard *s)
{
    for (unsigned i = 0; i < TRUNCATIONS; i++) {
        world_fill(w, i * 2000, 2000);
        cr_assert_eq(slot_segments(w->slot), 1);
        cr_assert_eq(shard_truncate(s, w->schema->table_id), 0);
        w->slot = shard_slot(s, w->schema->table_id, 3);
    }
    return w->budget.used;
}

Test(shard_leave, a_few_blocks_in_a_turn)
{
    struct catalog *catalog;
    struct world w;
    unsigned falls = 0;

    world_init(&w, 5, true);
    struct shard *s = shard_of_world(&w, &catalog);
    uint64_t empty = w.budget.used, most = leave_much(&w, s), used = most;
    w.done = false;
    reactor_set_self(NULL);
    for (unsigned i = 0; i < 200; i++) {
        (void)reactor_sim_run(w.group, world_is_done, &w, 1);
        falls += w.budget.used < used;
        used = w.budget.used;
    }
    reactor_set_self(w.r);
    cr_assert_geq(falls, 3, "%u turns", falls);
    cr_assert_lt(used - empty, (most - empty) / 4);
    end_shard(&w, s, catalog);
}

Test(shard_leave, at_once_when_memory_is_wanted)
{
    struct catalog *catalog;
    struct world w;

    world_init(&w, 6, true);
    struct shard *s = shard_of_world(&w, &catalog);
    uint64_t empty = w.budget.used, used = leave_much(&w, s);
    uint64_t wanted = (used - empty) / 4 * 3;
    cr_assert_geq(shard_evict(s, wanted, 0), wanted);
    cr_assert_leq(w.budget.used, used - wanted);
    end_shard(&w, s, catalog);
}

static void nothing(struct task *t)
{
    (void)t;
}

/* A write waits for a checkpoint's cut, the partition is dropped and then the table is emptied: it must look anew. */
Test(shard_leave, wakes_who_waits_for_a_dropped_partition)
{
    struct task wake = {.run = nothing};
    struct catalog *catalog;
    struct shard_pin pin;
    struct world w;

    world_init(&w, 7, true);
    struct shard *s = shard_of_world(&w, &catalog);
    world_fill(&w, 0, 2000);
    struct segment *g = segment_get(slot_segment(w.slot, 0));
    cr_assert_eq(segment_cut_add_waiter(g, &wake), 0);
    cr_assert_eq(shard_pin(s, w.schema->table_id, &pin), 0);
    cr_assert(slot_drop_partition(w.slot, segment_partition(g)));
    cr_assert_eq(g->n_waiters, 1);
    cr_assert_eq(shard_truncate(s, w.schema->table_id), 0);
    cr_assert(wake.queued);
    cr_assert_eq(g->n_waiters, 0);
    world_settle(&w);
    segment_put(g);
    shard_unpin(s, &pin);
    end_shard(&w, s, catalog);
}
