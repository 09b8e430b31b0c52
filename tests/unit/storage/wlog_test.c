/* The log at work: groups, errors of the disk, the cap of device writes, closing. */
#include "storage/wlog_impl.h"
#include "wlog_world.h"

static void open_well(struct world *w)
{
    cr_assert_eq(world_open(w), 0, "%s", w->err.text);
}

static struct wlog_stats stats_of(const struct world *w)
{
    struct wlog_stats stats;

    wlog_get_stats(w->log, &stats);
    return stats;
}

static void faults(struct world *w, struct sim_faults f)
{
    sim_set_faults(w->sim, &f);
}

static bool is_writing(void *ctx)
{
    return stats_of(ctx).node_lsn > 0;
}

Test(wlog, appends_during_a_write_become_one_group)
{
    struct world w;

    world_init(&w, 1, 1 << 20);
    open_well(&w);
    for (int i = 0; i < 20; i++)
        world_submit(&w, 200);
    cr_assert_eq(stats_of(&w).device_writes, 0);
    cr_assert_eq(reactor_sim_run(w.group, is_writing, &w, WORLD_STEPS), 0);
    for (int i = 0; i < 30; i++)
        world_submit(&w, 200);
    cr_assert_eq(w.ended, 0);
    world_wait(&w);
    cr_assert_eq(stats_of(&w).groups, 2,
                 "those of one turn together, those during its write together");
    cr_assert_eq(stats_of(&w).records, 50);
    cr_assert_eq(stats_of(&w).durable_lsn, 50);
    cr_assert_eq(stats_of(&w).device_writes, 2);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 50);
    world_close(&w);
    world_fini(&w);
}

static bool is_prepared(void *ctx)
{
    const struct wlog *l = ((struct world *)ctx)->log;

    return l->next.state == WLOG_FILE_READY || l->current.generation > 1;
}

/* From more than half of the first file (256 KiB) to when the next one (1 MiB) is whole. */
static uint64_t prepare_ns(uint32_t rest)
{
    struct world w;

    world_init(&w, 20, 1 << 20);
    open_well(&w);
    world_write(&w, 140 << 10);
    uint64_t begin = reactor_now_ns(w.r);
    if (rest)
        world_submit(&w, rest);
    cr_assert_eq(reactor_sim_run(w.group, is_prepared, &w, WORLD_STEPS), 0);
    uint64_t took = reactor_now_ns(w.r) - begin;
    world_close(&w);
    world_fini(&w);
    return took;
}

Test(wlog, the_next_file_is_filled_with_pauses_that_end_when_it_is_needed)
{
    const uint64_t three_pauses_ns = 12000000;

    cr_assert_geq(prepare_ns(0), three_pauses_ns);
    cr_assert_lt(prepare_ns(60 << 10), three_pauses_ns, "three quarters of the file are used");
    cr_assert_lt(prepare_ns(200 << 10), three_pauses_ns, "a group waits for the file");
}

Test(wlog, a_group_stays_below_its_limit)
{
    struct world w;

    world_init(&w, 2, 16 << 20);
    open_well(&w);
    for (int i = 0; i < 9; i++)
        world_submit(&w, 1 << 20);
    world_wait(&w);
    cr_assert_eq(w.failed, 0);
    cr_assert_geq(stats_of(&w).groups, 5);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 9);
    world_close(&w);
    world_fini(&w);
}

Test(wlog, records_of_one_append_stay_in_one_group)
{
    struct world w;
    struct wlog_record records[3];
    struct world_append x = {.world = &w};

    world_init(&w, 3, 1 << 20);
    open_well(&w);
    for (uint32_t i = 0; i < 3; i++) {
        records[i] = (struct wlog_record){.kind = LOG_BARRIER, .slot_lsn = i, .sequence = i};
        records[i].payload = NULL;
    }
    x.append = (struct wlog_append){.records = records, .n = 3, .done = world_append_done};
    w.n = 1;
    w.appends[0] = &x;
    reactor_set_self(w.r);
    wlog_append(w.log, &x.append);
    reactor_set_self(NULL);
    world_wait(&w);
    cr_assert_eq(stats_of(&w).groups, 1);
    cr_assert_eq(stats_of(&w).node_lsn, 3);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 3);
    world_close(&w);
    w.n = 0;
    world_fini(&w);
}

Test(wlog, an_oversize_append_is_refused_and_others_go_on)
{
    struct world w;

    world_init(&w, 4, 1 << 20);
    open_well(&w);
    world_submit(&w, LOG_MAX_RECORD);
    cr_assert_eq(w.ended, 1);
    cr_assert_eq(w.appends[0]->append.rc, -EMSGSIZE);
    cr_assert_eq(wlog_can_append(w.log, 1000), 0);
    world_write(&w, 1000);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 1);
    world_close(&w);
    world_fini(&w);
}

Test(wlog, short_writes_are_completed)
{
    struct world w;

    world_init(&w, 5, 1 << 20);
    open_well(&w);
    faults(&w, (struct sim_faults){.short_write = 700000});
    for (int i = 0; i < 30; i++)
        world_write(&w, 9000);
    faults(&w, (struct sim_faults){0});
    cr_assert_gt(stats_of(&w).device_writes, 30);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 30);
    world_close(&w);
    world_fini(&w);
}

Test(wlog, a_failed_write_breaks_the_log_until_a_restart)
{
    struct world w;

    world_init(&w, 6, 1 << 20);
    open_well(&w);
    world_write(&w, 1000);
    faults(&w, (struct sim_faults){.write_eio = 1000000});
    for (int i = 0; i < 3; i++)
        world_submit(&w, 1000);
    world_wait(&w);
    cr_assert_eq(w.failed, 3);
    faults(&w, (struct sim_faults){0});
    cr_assert_eq(wlog_can_append(w.log, 1000), -EIO);
    world_submit(&w, 1000);
    cr_assert_eq(w.appends[4]->append.rc, -EIO);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 1);
    world_write(&w, 1000);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 2);
    world_close(&w);
    world_fini(&w);
}

/* The second file cannot be made; the first is filled, then appends are refused; space comes back. */
Test(wlog, a_full_disk_refuses_and_space_lets_it_go_on)
{
    struct world w;

    world_init(&w, 7, 8 * WLOG_UNIT);
    open_well(&w);
    faults(&w, (struct sim_faults){.enospc = 1000000});
    unsigned i = 0;
    for (; i < 20; i++) {
        world_submit(&w, 3000);
        world_wait(&w);
        if (w.failed)
            break;
    }
    cr_assert_eq(i, 8, "the first file has room for eight groups");
    cr_assert_eq(w.appends[i]->append.rc, -ENOSPC);
    cr_assert_eq(wlog_can_append(w.log, 1000), -ENOSPC);
    world_submit(&w, 3000);
    world_wait(&w);
    cr_assert_eq(w.failed, 2);
    faults(&w, (struct sim_faults){0});
    world_settle(&w);
    cr_assert_eq(wlog_can_append(w.log, 1000), 0, "the retry made the file");
    for (i = 0; i < 20; i++)
        world_write(&w, 3000);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 28);
    world_close(&w);
    world_fini(&w);
}

/* A disk of limited size: what was refused is not there, what was acknowledged is. */
Test(wlog, a_disk_that_is_really_full)
{
    struct world w;

    world_init(&w, 8, 8 * WLOG_UNIT);
    sim_disk_free(w.disk);
    sim_kill(w.group);
    reactor_group_free(w.group);
    w.disk = sim_disk_new(w.sim, 20 * WLOG_UNIT);
    world_start_core(&w);
    cr_assert_eq(file_mkdir(w.r, "data"), 0);
    cr_assert_eq(file_sync_dir(w.r, "."), 0);
    open_well(&w);
    for (int i = 0; i < 40; i++) {
        world_submit(&w, 3000);
        world_wait(&w);
    }
    cr_assert_gt(w.failed, 0);
    cr_assert_geq(w.n - w.failed, 16);
    uint32_t acknowledged = w.n - w.failed;
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, acknowledged);
    world_close(&w);
    world_fini(&w);
}

/* A group larger than its file finds no room: refused, and taken when there is. */
Test(wlog, a_large_append_waits_for_room)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct world w;

        world_init(&w, seed, 4 * WLOG_UNIT);
        open_well(&w);
        world_write(&w, 1000);
        world_settle(&w);
        world_write(&w, 9000);
        world_settle(&w); /* the second file is there */
        faults(&w, (struct sim_faults){.enospc = 1000000, .short_write = seed % 2 ? 400000 : 0});
        for (int i = 0; i < 3; i++) {
            world_submit(&w, 50000);
            world_wait(&w);
            cr_assert_eq(w.appends[w.n - 1]->append.rc, -ENOSPC);
        }
        faults(&w, (struct sim_faults){0});
        world_settle(&w);
        while (w.n > 2)
            world_forget(&w);
        w.failed = 0;
        world_write(&w, seed % 3 ? 50000 : 2000);
        world_write(&w, 1000);
        world_close(&w);
        open_well(&w);
        cr_assert_eq(w.replayed, 4);
        world_close(&w);
        world_fini(&w);
    }
}

Test(wlog, device_writes_keep_their_distance)
{
    struct world w;
    uint64_t start, writes;

    world_init(&w, 9, 1 << 20);
    world_cap(&w, 100);
    open_well(&w);
    start = sim_now_ns(w.sim);
    for (int i = 0; i < 40; i++) {
        world_submit(&w, 100);
        reactor_sim_run(w.group, world_never, &w, 2);
    }
    world_wait(&w);
    for (int i = 0; i < 10; i++)
        world_write(&w, 100);
    writes = stats_of(&w).device_writes;
    cr_assert_geq(writes, 11);
    cr_assert_geq(sim_now_ns(w.sim) - start, (writes - 1) * 10000000,
                  "%" PRIu64 " writes in %" PRIu64 " ns", writes, sim_now_ns(w.sim) - start);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 50);
    world_close(&w);
    world_fini(&w);
}

/* Clients that come again at once are waited for; a single one is not. */
Test(wlog, the_window_follows_the_clients)
{
    struct wlog_window win = {0};
    uint64_t now = 1000000;

    cr_assert_not(wlog_window_is_open(&win, now, 1));
    for (int i = 0; i < 20; i++, now += 200000) {
        wlog_window_started(&win, now);
        wlog_window_written(&win, now + 100000, 10, 22);
    }
    cr_assert(wlog_window_is_open(&win, now, 3));
    cr_assert(wlog_window_is_open(&win, now + 10000, 31));
    cr_assert_not(wlog_window_is_open(&win, now + 10000, 32), "all are here");
    cr_assert_not(wlog_window_is_open(&win, now + 60000, 5), "long enough");
    for (int i = 0; i < 40; i++, now += 200000) {
        wlog_window_started(&win, now);
        wlog_window_written(&win, now + 100000, 1, 0);
    }
    cr_assert_not(wlog_window_is_open(&win, now, 1), "one client waits for nobody");
}

Test(wlog, an_append_made_when_one_is_done_is_written_too)
{
    struct world w;

    world_init(&w, 10, 8 * WLOG_UNIT);
    open_well(&w);
    w.again = 100;
    w.again_bytes = 2000;
    for (int i = 0; i < 3; i++)
        world_submit(&w, 100);
    world_wait(&w);
    cr_assert_eq(w.n, 103);
    cr_assert_eq(w.failed, 0);
    world_close(&w);
    open_well(&w);
    cr_assert_eq(w.replayed, 103);
    world_close(&w);
    world_fini(&w);
}

static void close_in_flight(uint64_t seed, unsigned iops, struct sim_faults f)
{
    struct world w;

    world_init(&w, seed, 4 * WLOG_UNIT);
    world_cap(&w, iops);
    open_well(&w);
    faults(&w, f);
    for (uint64_t i = 0; i < 3 + seed % 20; i++)
        world_submit(&w, (uint32_t)(seed * 77 % 9000));
    reactor_sim_run(w.group, world_never, &w, seed % 17);
    world_close(&w);
    cr_assert_eq(w.ended, w.n, "every append ended before the log was closed");
    faults(&w, (struct sim_faults){0});
    open_well(&w);
    cr_assert_geq(w.replayed, w.n - w.failed);
    world_close(&w);
    world_fini(&w);
}

Test(wlog, closing_waits_for_appends_in_flight)
{
    for (uint64_t seed = 1; seed <= 60; seed++)
        close_in_flight(seed, seed % 3 ? 0 : 500, (struct sim_faults){0});
}

/* The next file fails at once (its directory cannot be synced) or later (no space), the group fails. */
Test(wlog, closing_while_the_disk_fails)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        close_in_flight(seed, 0, (struct sim_faults){.sync_eio = 500000});
        close_in_flight(seed, 0, (struct sim_faults){.enospc = 500000});
        close_in_flight(seed, 200, (struct sim_faults){.write_eio = 100000, .sync_eio = 200000});
    }
}

Test(wlog, closing_from_the_last_append)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world w;

        world_init(&w, seed, 4 * WLOG_UNIT);
        open_well(&w);
        w.close_again = true;
        if (seed % 2)
            faults(&w, (struct sim_faults){.write_eio = 500000});
        world_submit(&w, 5000);
        cr_assert_eq(reactor_sim_run(w.group, world_is_closed, &w, WORLD_STEPS), 0);
        world_fini(&w);
    }
}
