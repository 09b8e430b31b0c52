/* Replay of the log: clean ends, torn ends, damage, files that were being prepared. */
#include "wlog_world.h"

enum { BIG = 9000 /* bytes of an append whose group takes three units */, SECTOR = 512 };

static const struct wlog_config defaults = {.dir = "data"};

static void reopen(struct world *w)
{
    world_close(w);
    cr_assert_eq(world_open(w), 0, "%s", w->err.text);
}

Test(wlog_replay, an_empty_directory_gives_an_empty_log)
{
    struct world w;
    struct wlog_stats stats;

    world_init(&w, 1, 1 << 20);
    cr_assert_eq(world_open(&w), 0, "%s", w.err.text);
    cr_assert_eq(w.replayed, 0);
    reopen(&w);
    cr_assert_eq(w.replayed, 0);
    wlog_get_stats(w.log, &stats);
    cr_assert_eq(stats.node_lsn, 0);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_replay, everything_written_comes_back_in_order)
{
    struct world w;

    world_init(&w, 2, 1 << 20);
    cr_assert_eq(world_open(&w), 0, "%s", w.err.text);
    for (uint32_t i = 0; i < 30; i++) {
        world_write(&w, i * 300);
        if (i % 7 == 0)
            reopen(&w);
    }
    reopen(&w);
    cr_assert_eq(w.replayed, 30);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_replay, a_missing_directory_is_named)
{
    struct world w;

    world_init(&w, 3, 1 << 20);
    w.config.dir = "elsewhere";
    cr_assert_eq(world_open(&w), -ENOENT);
    cr_assert_not_null(strstr(w.err.text, "elsewhere"));
    world_fini(&w);
}

/* Three groups, then one of three units of which only the first `cut` bytes arrived. */
static void torn_at(size_t cut)
{
    struct world w;

    world_init(&w, 4, 1 << 20);
    cr_assert_eq(world_open(&w), 0, "%s", w.err.text);
    for (int i = 0; i < 3; i++)
        world_write(&w, 500);
    world_write(&w, BIG);
    world_close(&w);
    size_t start = 3 * WLOG_UNIT;
    cr_assert_eq(world_end(&w, 1), 6 * WLOG_UNIT);
    world_zero(&w, 1, start + cut, 6 * WLOG_UNIT);
    bool whole = cut >= WLOG_FRAME_HEADER + WLOG_RECORD_HEADER + BIG;
    cr_assert_eq(world_open(&w), 0, "cut at %zu: %s", cut, w.err.text);
    cr_assert_eq(w.replayed, whole ? 4 : 3, "cut at %zu", cut);
    world_write(&w, 100);
    world_write(&w, 5000);
    reopen(&w);
    cr_assert_eq(w.replayed, whole ? 6 : 5, "cut at %zu", cut);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_replay, a_last_group_torn_at_any_sector_is_cut)
{
    for (size_t cut = 0; cut <= 3 * WLOG_UNIT; cut += SECTOR)
        torn_at(cut);
}

/* Sectors of a group arrive in any order: what is left of it must never disturb what is written later. */
static void torn_at_random(uint64_t seed)
{
    struct world w;

    world_init(&w, seed, 1 << 20);
    cr_assert_eq(world_open(&w), 0, "%s", w.err.text);
    world_write(&w, 500);
    world_write(&w, BIG);
    world_close(&w);
    for (size_t s = 0; s < 3 * WLOG_UNIT / SECTOR; s++)
        if (s == seed % 24 || sim_random(w.sim) % 2)
            world_zero(&w, 1, WLOG_UNIT + s * SECTOR, WLOG_UNIT + (s + 1) * SECTOR);
    cr_assert_eq(world_open(&w), 0, "seed %" PRIu64 ": %s", seed, w.err.text);
    uint32_t there = w.replayed;
    cr_assert_leq(there, 2);
    world_write(&w, 100);
    reopen(&w);
    cr_assert_eq(w.replayed, there + 1, "seed %" PRIu64, seed);
    world_close(&w);
    cr_assert_eq(world_end(&w, 1), (there == 2 ? 5 : 2) * WLOG_UNIT);
    size_t len;
    uint8_t *bytes = world_read(&w, 1, &len);
    for (size_t i = world_end(&w, 1); i < len; i++)
        cr_assert_eq(bytes[i], 0, "seed %" PRIu64 ": remains at %zu", seed, i);
    free(bytes);
    world_fini(&w);
}

Test(wlog_replay, a_last_group_torn_at_random_leaves_no_remains)
{
    for (uint64_t seed = 1; seed <= 60; seed++)
        torn_at_random(seed);
}

/* What `fn` writes to stderr. */
static void capture(struct world *w, void (*fn)(struct world *w), char *text, size_t cap)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);

    log_level = LOG_WARN;
    dup2(fileno(file), STDERR_FILENO);
    fn(w);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, cap - 1, file)] = 0;
    fclose(file);
    log_level = LOG_ERROR;
}

static void open_well(struct world *w)
{
    cr_assert_eq(world_open(w), 0, "%s", w->err.text);
}

Test(wlog_replay, a_cut_is_reported_with_file_and_offset)
{
    struct world w;
    char text[2000];

    world_init(&w, 5, 1 << 20);
    open_well(&w);
    world_write(&w, 500);
    world_write(&w, BIG);
    world_close(&w);
    world_zero(&w, 1, 2 * WLOG_UNIT, 3 * WLOG_UNIT);
    capture(&w, open_well, text, sizeof(text));
    cr_assert_not_null(strstr(text, "data/log-00000001.qlg at offset 4096"), "%s", text);
    world_close(&w);
    capture(&w, open_well, text, sizeof(text));
    cr_assert_null(strstr(text, "torn"), "reported again: %s", text);
    world_close(&w);
    world_fini(&w);
}

/* All bytes of files 1 to 9, to see that nothing changed. */
static uint64_t disk_sum(struct world *w)
{
    uint64_t sum = 0;

    for (uint64_t g = 1; g < 10; g++) {
        size_t len = 0;
        uint8_t *bytes = world_read(w, g, &len);
        for (size_t i = 0; bytes && i < len; i++)
            sum = sum * 31 + bytes[i];
        sum = sum * 31 + len + (bytes != NULL);
        free(bytes);
    }
    return sum;
}

enum damage { FLIP_HEADER, FLIP_PAYLOAD, ZERO_UNIT, ZERO_FRAME, DAMAGES };

/* Groups of two units; damage to number `victim` of `groups`, others behind it. */
static void damaged(uint64_t file_bytes, unsigned groups, unsigned victim, enum damage damage)
{
    struct world w;
    uint64_t per_file = file_bytes / (2 * WLOG_UNIT), generation = 1 + victim / per_file;
    size_t at = victim % per_file * 2 * WLOG_UNIT;
    char where[100];

    world_init(&w, 6, file_bytes);
    open_well(&w);
    for (unsigned i = 0; i < groups; i++)
        world_write(&w, 5000);
    world_settle(&w);
    world_close(&w);
    if (damage == FLIP_HEADER)
        world_flip(&w, generation, at + victim % WLOG_FRAME_HEADER, 4);
    else if (damage == FLIP_PAYLOAD)
        world_flip(&w, generation, at + 300 + victim * 31, 0x80);
    else
        world_zero(&w, generation, at, at + (damage == ZERO_UNIT ? 1 : 2) * WLOG_UNIT);
    uint64_t before = disk_sum(&w);
    cr_assert_eq(world_open(&w), -EBADMSG, "group %u of %u, damage %d: opened with %u records",
                 victim, groups, damage, w.replayed);
    snprintf(where, sizeof(where), "data/log-%08" PRIu64 ".qlg", generation);
    cr_assert_not_null(strstr(w.err.text, where), "%s", w.err.text);
    snprintf(where, sizeof(where), "offset %zu", at);
    cr_assert_not_null(strstr(w.err.text, where), "%s", w.err.text);
    cr_assert_eq(disk_sum(&w), before, "something was changed");
    world_fini(&w);
}

Test(wlog_replay, damage_before_whole_groups_is_refused)
{
    for (unsigned victim = 0; victim < 9; victim++)
        for (enum damage d = 0; d < DAMAGES; d++)
            damaged(1 << 20, 10, victim, d);
}

/* Four groups a file; of ten the last two are in the third file, which is half full: the fourth is prepared. */
Test(wlog_replay, damage_before_whole_groups_is_refused_over_several_files)
{
    for (unsigned victim = 0; victim < 9; victim++)
        for (enum damage d = 0; d < DAMAGES; d++)
            damaged(8 * WLOG_UNIT, 10, victim, d);
    for (unsigned victim = 0; victim < 10; victim++)
        for (enum damage d = 0; d < DAMAGES; d++)
            damaged(8 * WLOG_UNIT, 11, victim, d);
}

/* Two damaged places, the second one the start of the next file: still not a torn end. */
Test(wlog_replay, damage_at_both_sides_of_a_file_border_is_refused)
{
    struct world w;

    world_init(&w, 7, 8 * WLOG_UNIT);
    open_well(&w);
    for (unsigned i = 0; i < 6; i++)
        world_write(&w, 5000);
    world_close(&w);
    world_flip(&w, 1, 6 * WLOG_UNIT + 8, 1);
    world_flip(&w, 2, 8, 1);
    uint64_t before = disk_sum(&w);
    cr_assert_eq(world_open(&w), -EBADMSG);
    cr_assert_eq(disk_sum(&w), before);
    world_fini(&w);
}

Test(wlog_replay, a_missing_file_is_named)
{
    struct world w;

    world_init(&w, 8, 8 * WLOG_UNIT);
    open_well(&w);
    for (unsigned i = 0; i < 10; i++)
        world_write(&w, 5000);
    world_close(&w);
    cr_assert_eq(file_unlink(w.r, "data/log-00000002.qlg"), 0);
    cr_assert_neq(world_open(&w), 0);
    cr_assert_not_null(strstr(w.err.text, "log-00000002.qlg"), "%s", w.err.text);
    world_fini(&w);
}

static void roll(uint64_t file_bytes, uint32_t bytes, unsigned appends)
{
    struct world w;

    world_init(&w, file_bytes + bytes, file_bytes);
    open_well(&w);
    for (unsigned i = 0; i < appends; i++) {
        if (i % 3)
            world_submit(&w, bytes + i);
        else
            world_write(&w, bytes + i);
        if (i % 10 == 9) {
            world_wait(&w);
            reopen(&w);
        }
    }
    world_wait(&w);
    cr_assert_eq(w.failed, 0);
    reopen(&w);
    cr_assert_eq(w.replayed, appends);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_replay, files_of_any_size_follow_each_other)
{
    for (uint64_t kib = 16; kib <= 1024; kib *= 4) {
        roll(kib << 10, 1000, 60);
        roll(kib << 10, 6000, 60);
        roll(kib << 10, 15000, 30);
    }
}

/* An append larger than a file still goes into one group. */
Test(wlog_replay, an_append_larger_than_a_file_is_kept)
{
    struct world w;

    world_init(&w, 9, 16 << 10);
    open_well(&w);
    world_write(&w, 100);
    world_write(&w, 100000);
    world_write(&w, 100);
    reopen(&w);
    cr_assert_eq(w.replayed, 3);
    world_close(&w);
    world_fini(&w);
}

static bool is_filling(void *ctx)
{
    struct world *w = ctx;
    size_t len = 0;
    uint8_t *bytes = world_read(w, 2, &len);

    free(bytes);
    return bytes != NULL;
}

/* The crash finds the second file made but not filled, or filled in part. */
static void crash_while_preparing(uint64_t seed, bool power)
{
    static const struct sim_faults faults = {.short_write = 400000};
    struct world w;
    uint64_t steps;

    world_init(&w, seed, 2 << 20);
    open_well(&w);
    sim_set_faults(w.sim, &faults);
    world_write(&w, 800000);
    world_submit(&w, 500000);
    cr_assert_eq(reactor_sim_run(w.group, is_filling, &w, WORLD_STEPS), 0);
    steps = sim_random(w.sim) % 12;
    reactor_sim_run(w.group, world_never, &w, steps);
    uint32_t sure = w.ended;
    world_lose_core(&w, power);
    sim_set_faults(w.sim, &(struct sim_faults){0});
    open_well(&w);
    cr_assert(w.replayed >= sure && w.replayed <= 2, "seed %" PRIu64 ": %u of %u", seed, w.replayed,
              sure);
    uint32_t there = w.replayed;
    w.ended = w.n;
    for (int i = 0; i < 4; i++)
        world_write(&w, 700000);
    reopen(&w);
    cr_assert_eq(w.replayed, there + 4);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_replay, a_half_prepared_file_is_used_or_made_again)
{
    world_expect_loss();
    for (uint64_t seed = 1; seed <= 40; seed++)
        crash_while_preparing(seed, seed % 2);
}

/* Appends in flight when the node goes: what was acknowledged is there, of the rest a beginning. */
enum loss { LOSS_KILL, LOSS_POWER, LOSS_EITHER };

static void crash_anywhere(uint64_t seed, enum loss loss)
{
    struct world w;
    uint32_t base = 0, numbers = 0;

    world_init(&w, seed, 64 << 10);
    for (int boot = 0; boot < 6; boot++) {
        open_well(&w);
        cr_assert(w.replayed >= base + w.ended - numbers && w.replayed <= base + w.n - numbers,
                  "seed %" PRIu64 " boot %d: %u records, acknowledged were %u of %u", seed, boot,
                  w.replayed, base + w.ended - numbers, base + w.n - numbers);
        base = w.replayed;
        w.ended = numbers = w.n;
        for (int i = 0; i < 20; i++) {
            world_submit(&w, (uint32_t)(sim_random(w.sim) % 9000));
            if (sim_random(w.sim) % 3)
                reactor_sim_run(w.group, world_never, &w, sim_random(w.sim) % 8);
        }
        world_lose_core(&w, loss == LOSS_EITHER ? sim_random(w.sim) % 2 : loss == LOSS_POWER);
    }
    world_fini(&w);
}

Test(wlog_replay, a_crash_loses_nothing_acknowledged)
{
    world_expect_loss();
    for (uint64_t seed = 1; seed <= 40; seed++)
        crash_anywhere(seed, LOSS_KILL);
}

Test(wlog_replay, a_power_loss_loses_nothing_acknowledged)
{
    world_expect_loss();
    for (uint64_t seed = 1; seed <= 40; seed++)
        crash_anywhere(seed, LOSS_POWER);
}

/* What a kill left in memory of the kernel was replayed: a power loss later must not make a hole of it. */
Test(wlog_replay, a_power_loss_after_a_kill_loses_nothing_replayed)
{
    world_expect_loss();
    for (uint64_t seed = 1; seed <= 100; seed++)
        crash_anywhere(seed, LOSS_EITHER);
}

/* A start that finds the end of the log may fail to make it durable; the pages count as clean from then on. */
static void crash_with_failed_syncs(uint64_t seed)
{
    static const struct sim_faults faults = {.sync_eio = 600000};
    struct world w;
    uint32_t least = 0;

    world_init(&w, seed, 64 << 10);
    for (int boot = 0; boot < 8; boot++) {
        sim_set_faults(w.sim, &faults);
        for (int rc; (rc = world_open(&w)) != 0;)
            cr_assert_eq(rc, -EIO, "seed %" PRIu64 " boot %d: %s", seed, boot, w.err.text);
        sim_set_faults(w.sim, &(struct sim_faults){0});
        cr_assert_geq(w.replayed, least, "seed %" PRIu64 " boot %d: %u records of %u", seed, boot,
                      w.replayed, least);
        uint32_t before = w.ended = w.n;
        world_submit(&w, 3000);
        world_wait(&w);
        world_submit(&w, (uint32_t)(sim_random(w.sim) % 9000));
        reactor_sim_run(w.group, world_never, &w, sim_random(w.sim) % 8);
        least = w.replayed + w.ended - before;
        world_lose_core(&w, boot % 2);
    }
    world_fini(&w);
}

Test(wlog_replay, a_failed_sync_at_a_start_loses_nothing_replayed)
{
    world_expect_loss();
    for (uint64_t seed = 1; seed <= 100; seed++)
        crash_with_failed_syncs(seed);
}

/* Reading fails at start: an error, and the next start finds everything. */
Test(wlog_replay, a_read_error_refuses_the_start)
{
    static const struct sim_faults faults = {.read_eio = 1000000};
    struct world w;

    world_init(&w, 11, 1 << 20);
    open_well(&w);
    for (int i = 0; i < 5; i++)
        world_write(&w, 3000);
    world_close(&w);
    sim_set_faults(w.sim, &faults);
    cr_assert_eq(world_open(&w), -EIO);
    cr_assert_not_null(strstr(w.err.text, "data/log-00000001.qlg"), "%s", w.err.text);
    sim_set_faults(w.sim, &(struct sim_faults){0});
    open_well(&w);
    cr_assert_eq(w.replayed, 5);
    world_close(&w);
    world_fini(&w);
}

static int refuse(void *ctx, const struct wlog_record *rec, uint64_t node_lsn)
{
    (void)ctx;
    (void)rec;
    return node_lsn == 2 ? -EBADMSG : 0;
}

Test(wlog_replay, a_record_that_cannot_be_applied_is_named)
{
    struct world w;
    struct wlog_config config = defaults;

    world_init(&w, 12, 1 << 20);
    open_well(&w);
    for (int i = 0; i < 3; i++)
        world_write(&w, 3000);
    world_close(&w);
    reactor_set_self(w.r);
    cr_assert_eq(wlog_open(w.r, &config, refuse, NULL, &w.log, &w.err), -EBADMSG);
    reactor_set_self(NULL);
    cr_assert_not_null(strstr(w.err.text, "offset 4096"), "%s", w.err.text);
    world_fini(&w);
}
