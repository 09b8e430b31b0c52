/* Groups that another core than the log's writes itself. */
#include "wlog_world.h"

/* A log of two cores that rests after its first append. */
static void begin(struct world *w, uint64_t seed, uint64_t file_bytes)
{
    world_init(w, seed, file_bytes);
    world_expect_loss();
    w->cores = 2;
    world_lose_core(w, false);
    cr_assert_eq(world_open(w), 0, "%s", w->err.text);
    world_write(w, 100);
}

static void end(struct world *w, uint32_t records)
{
    world_close(w);
    cr_assert_eq(world_open(w), 0, "%s", w->err.text);
    cr_assert_eq(w->replayed, records);
    world_close(w);
    world_fini(w);
}

/* The other core writes; false: it may not, and nothing was made. */
static bool direct(struct world *w, uint32_t bytes)
{
    struct world_append *x = world_make(w, bytes);

    reactor_set_self(reactor_group_get(w->group, 1));
    bool taken = wlog_append_direct(w->log, &x->append);
    reactor_set_self(NULL);
    if (!taken) {
        uint32_t ended = w->ended;
        world_forget(w);
        w->ended = ended;
    }
    return taken;
}

Test(wlog_direct, a_lone_append_is_written_by_its_core)
{
    struct world w;

    begin(&w, 1, 1 << 20);
    for (uint32_t i = 0; i < 10; i++) {
        cr_assert(direct(&w, 100 + i * 1000));
        cr_assert_eq(w.ended, i + 1, "not before it is durable");
        world_wait(&w);
        cr_assert_eq(w.appends[w.n - 1]->append.rc, 0);
    }
    struct wlog_stats stats;
    wlog_get_stats(w.log, &stats);
    cr_assert_eq(stats.groups, 11);
    cr_assert_eq(stats.durable_lsn, 11);
    end(&w, 11);
}

Test(wlog_direct, nothing_is_overtaken)
{
    struct world w;

    begin(&w, 2, 1 << 20);
    world_submit(&w, 100);
    cr_assert_not(direct(&w, 100), "one waits");
    reactor_sim_run(w.group, world_never, &w, 2);
    cr_assert_not(direct(&w, 100), "one is being written or waits");
    world_wait(&w);
    cr_assert(direct(&w, 100));
    cr_assert_not(direct(&w, 100), "one is being written by another core");
    world_submit(&w, 100);
    cr_assert_not(direct(&w, 100));
    world_submit(&w, 100);
    world_wait(&w);
    cr_assert_eq(w.failed, 0);
    cr_assert_not(direct(&w, 100 << 10), "large ones are for the log's core");
    end(&w, 5);
}

Test(wlog_direct, appends_that_come_together_are_gathered)
{
    struct world w;

    begin(&w, 3, 1 << 20);
    for (int i = 0; i < 8; i++)
        world_submit(&w, 100);
    world_wait(&w);
    world_settle(&w);
    cr_assert_not(direct(&w, 100));
    for (int i = 0; i < 20; i++)
        world_write(&w, 100);
    world_settle(&w);
    cr_assert(direct(&w, 100), "they come one at a time again");
    world_wait(&w);
    end(&w, 30);
}

/* Also with short writes, over many files, and with both cores at it. */
Test(wlog_direct, any_order_of_the_cores_replays)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct world w;
        uint32_t taken = 0;

        begin(&w, seed, 64 << 10);
        sim_set_faults(w.sim, &(struct sim_faults){.short_write = seed % 2 ? 100000 : 0});
        for (uint32_t i = 0; i < 120; i++) {
            uint32_t bytes = (uint32_t)(sim_random(w.sim) % 9000);
            bool both = sim_random(w.sim) % 4 == 0;
            if (sim_random(w.sim) % 3 && direct(&w, bytes))
                taken++;
            else
                world_submit(&w, bytes);
            if (both)
                world_submit(&w, bytes);
            if (sim_random(w.sim) % 8)
                world_wait(&w);
            else
                reactor_sim_run(w.group, world_never, &w, sim_random(w.sim) % 20);
        }
        world_wait(&w);
        cr_assert_eq(w.failed, 0);
        cr_assert_gt(taken, 10);
        end(&w, w.n);
    }
}

Test(wlog_direct, a_failed_write_breaks_the_log)
{
    for (int follow = 0; follow < 2; follow++) {
        struct world w;

        begin(&w, 4, 1 << 20);
        sim_set_faults(w.sim, &(struct sim_faults){.write_eio = 1000000});
        cr_assert(direct(&w, 100));
        if (follow)
            world_submit(&w, 100);
        world_wait(&w);
        world_settle(&w);
        cr_assert_eq(w.failed, 1u + (unsigned)follow);
        cr_assert_eq(w.appends[1]->append.rc, -EIO);
        cr_assert_not(direct(&w, 100));
        world_submit(&w, 100);
        cr_assert_eq(w.appends[w.n - 1]->append.rc, -EIO);
        sim_set_faults(w.sim, &(struct sim_faults){0});
        world_close(&w);
        world_fini(&w);
    }
}

Test(wlog_direct, a_close_waits_for_the_write)
{
    struct world w;

    begin(&w, 5, 1 << 20);
    cr_assert(direct(&w, 100));
    world_start_close(&w);
    cr_assert_not(w.closed);
    cr_assert_eq(reactor_sim_run(w.group, world_is_closed, &w, WORLD_STEPS), 0);
    cr_assert_eq(w.ended, 2);
    cr_assert_eq(world_open(&w), 0);
    end(&w, 2);
}

Test(wlog_direct, the_cap_of_device_writes_holds)
{
    struct world w;
    uint32_t taken = 0;

    world_init(&w, 6, 1 << 20);
    world_expect_loss();
    w.cores = 2;
    world_lose_core(&w, false);
    world_cap(&w, 200);
    cr_assert_eq(world_open(&w), 0);
    uint64_t from = sim_now_ns(w.sim);
    for (int i = 0; i < 200; i++) {
        if (direct(&w, 100))
            taken++;
        else
            world_submit(&w, 100);
        world_wait(&w);
    }
    cr_assert_gt(taken, 0);
    cr_assert_gt(sim_now_ns(w.sim) - from, 900000000u, "200 at least");
    cr_assert_eq(w.failed, 0);
    end(&w, 200);
}
