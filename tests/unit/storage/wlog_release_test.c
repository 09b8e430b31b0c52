/* Files a checkpoint no longer needs: released, deleted, replay behind them, and what is refused. */
#include "wlog_world.h"

enum { FILE_BYTES = 8 * WLOG_UNIT, PER_FILE = 8 };

static void open_well(struct world *w)
{
    cr_assert_eq(world_open(w), 0, "%s", w->err.text);
}

static void release(struct world *w, uint64_t generation)
{
    reactor_set_self(w->r);
    wlog_release(w->log, generation);
    reactor_set_self(NULL);
    world_settle(w);
}

static bool exists(struct world *w, uint64_t generation)
{
    size_t len;
    uint8_t *bytes = world_read(w, generation, &len);

    free(bytes);
    return bytes != NULL;
}

/* As a node does: from which file to replay, and the LSN that is durable by then. */
static void checkpoint(struct world *w)
{
    w->config.first_generation = wlog_generation(w->log);
    w->config.next_lsn = w->n + 1;
    w->released = w->n;
}

/* `groups` groups of one unit each. */
static void write_groups(struct world *w, unsigned groups)
{
    for (unsigned i = 0; i < groups; i++)
        world_write(w, 3000);
}

static void reopen(struct world *w)
{
    world_close(w);
    open_well(w);
}

Test(wlog_release, files_before_the_checkpoint_are_deleted)
{
    struct world w;

    world_init(&w, 1, FILE_BYTES);
    open_well(&w);
    cr_assert_eq(wlog_generation(w.log), 1);
    cr_assert_eq(wlog_bytes_held(w.log), 0);
    write_groups(&w, 3 * PER_FILE + 2);
    cr_assert_eq(wlog_generation(w.log), 4);
    cr_assert_eq(wlog_bytes_held(w.log), 3 * FILE_BYTES + 2 * WLOG_UNIT);
    checkpoint(&w);
    write_groups(&w, 3);
    release(&w, w.config.first_generation);
    for (uint64_t g = 1; g < 4; g++)
        cr_assert_not(exists(&w, g), "file %" PRIu64, g);
    cr_assert(exists(&w, 4));
    cr_assert_eq(wlog_bytes_held(w.log), 5 * WLOG_UNIT);
    reopen(&w);
    cr_assert_eq(w.replayed, 5);
    cr_assert_eq(w.first, 3 * PER_FILE + 1);
    cr_assert_eq(wlog_bytes_held(w.log), 5 * WLOG_UNIT);
    write_groups(&w, 20);
    reopen(&w);
    cr_assert_eq(w.replayed, 25);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_release, the_current_file_stays)
{
    struct world w;

    world_init(&w, 2, FILE_BYTES);
    open_well(&w);
    write_groups(&w, PER_FILE + 1);
    release(&w, 100);
    cr_assert_not(exists(&w, 1));
    cr_assert(exists(&w, 2));
    write_groups(&w, PER_FILE);
    cr_assert_eq(wlog_generation(w.log), 3);
    cr_assert(exists(&w, 2), "nothing goes that no call asked for");
    release(&w, 3);
    cr_assert_not(exists(&w, 2));
    world_close(&w);
    world_fini(&w);
}

Test(wlog_release, older_files_go_after_a_replay_without_error)
{
    struct world w;
    size_t len;

    world_init(&w, 3, FILE_BYTES);
    open_well(&w);
    write_groups(&w, 2 * PER_FILE + 3);
    checkpoint(&w);
    write_groups(&w, PER_FILE);
    world_close(&w);
    world_flip(&w, 3, 0, 1);
    cr_assert_eq(world_open(&w), -EBADMSG);
    cr_assert(exists(&w, 1) && exists(&w, 2), "the start was refused: nothing is deleted");
    world_flip(&w, 3, 0, 1);
    cr_assert_eq(file_unlink(w.r, "data/log-00000001.qlg"), 0);
    world_zero(&w, 2, 0, FILE_BYTES);
    open_well(&w);
    cr_assert_eq(w.replayed, PER_FILE + 3, "what is in older files does not matter");
    cr_assert_eq(w.first, 2 * PER_FILE + 1);
    free(world_read(&w, 2, &len));
    cr_assert_eq(len, 0);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_release, a_missing_first_file_is_named)
{
    struct world w;

    world_init(&w, 4, FILE_BYTES);
    w.config.first_generation = 3;
    cr_assert_eq(world_open(&w), -ENOENT);
    cr_assert_not_null(strstr(w.err.text, "log-00000003.qlg"), "%s", w.err.text);
    w.config.first_generation = 1;
    open_well(&w);
    write_groups(&w, 3 * PER_FILE);
    world_settle(&w);
    world_close(&w);
    for (uint64_t g = 3; g < 9; g++) {
        char path[100];
        world_path(path, sizeof(path), g);
        w.config.first_generation = g;
        int rc = file_unlink(w.r, path);
        cr_assert(g > 4 || !rc);
        cr_assert_eq(world_open(&w), -ENOENT);
        cr_assert_not_null(strstr(w.err.text, path), "%s", w.err.text);
    }
    world_fini(&w);
}

Test(wlog_release, a_log_without_its_beginning_needs_a_checkpoint)
{
    struct world w;

    world_init(&w, 5, FILE_BYTES);
    open_well(&w);
    write_groups(&w, 2 * PER_FILE);
    checkpoint(&w);
    release(&w, 2);
    world_close(&w);
    w.config.first_generation = w.config.next_lsn = 0;
    cr_assert_eq(world_open(&w), -ENOENT);
    cr_assert_not_null(strstr(w.err.text, "log-00000001.qlg"), "%s", w.err.text);
    w.config.first_generation = 2;
    open_well(&w);
    cr_assert_eq(w.replayed, PER_FILE);
    world_close(&w);
    world_fini(&w);
}

/* The file behind the checkpoint has no group yet: numbers go on where the checkpoint was. */
Test(wlog_release, numbers_ascend_over_an_empty_file)
{
    struct world w;
    struct wlog_stats stats;

    world_init(&w, 6, FILE_BYTES);
    open_well(&w);
    write_groups(&w, PER_FILE);
    world_settle(&w);
    reopen(&w);
    cr_assert_eq(wlog_generation(w.log), 2, "the prepared file is used after a start");
    checkpoint(&w);
    release(&w, 2);
    reopen(&w);
    cr_assert_eq(w.replayed, 0);
    wlog_get_stats(w.log, &stats);
    cr_assert_eq(stats.node_lsn, PER_FILE);
    cr_assert_eq(stats.durable_lsn, PER_FILE);
    write_groups(&w, 2);
    reopen(&w);
    cr_assert_eq(w.first, PER_FILE + 1);
    cr_assert_eq(w.replayed, 2);
    /* An append larger than a file leaves it empty and goes into the next one. */
    write_groups(&w, PER_FILE - 2);
    world_settle(&w);
    reopen(&w);
    checkpoint(&w);
    uint64_t empty = wlog_generation(w.log);
    world_write(&w, FILE_BYTES);
    cr_assert_eq(wlog_generation(w.log), empty + 1);
    reopen(&w);
    cr_assert_eq(w.first, 2 * PER_FILE + 1);
    cr_assert_eq(w.replayed, 1);
    world_close(&w);
    world_fini(&w);
}

/* What the checkpoint knows to be durable is not a torn end, and cannot end early. */
Test(wlog_release, an_end_before_the_checkpoint_is_damage)
{
    struct world w;

    world_init(&w, 7, FILE_BYTES);
    open_well(&w);
    write_groups(&w, PER_FILE + 4);
    checkpoint(&w);
    world_close(&w);
    world_flip(&w, 2, 3 * WLOG_UNIT + 20, 1);
    cr_assert_eq(world_open(&w), -EBADMSG);
    cr_assert_not_null(strstr(w.err.text, "log-00000002.qlg is damaged at offset 12288"), "%s",
                       w.err.text);
    world_flip(&w, 2, 3 * WLOG_UNIT + 20, 1);
    world_zero(&w, 2, 3 * WLOG_UNIT, 4 * WLOG_UNIT);
    cr_assert_eq(world_open(&w), -EBADMSG);
    cr_assert_not_null(strstr(w.err.text, "log-00000002.qlg ends at offset 12288"), "%s",
                       w.err.text);
    w.config.next_lsn--;
    open_well(&w);
    cr_assert_eq(w.replayed, 3);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_release, a_first_file_that_begins_too_late_is_refused)
{
    struct world w;

    world_init(&w, 8, FILE_BYTES);
    open_well(&w);
    write_groups(&w, PER_FILE + 2);
    world_close(&w);
    w.released = PER_FILE;
    w.config.first_generation = 2;
    w.config.next_lsn = PER_FILE;
    cr_assert_eq(world_open(&w), -EBADMSG, "record %u is missing", PER_FILE);
    w.config.next_lsn = PER_FILE + 1;
    open_well(&w);
    cr_assert_eq(w.replayed, 2);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_release, a_torn_first_group_behind_the_checkpoint_is_cut)
{
    struct world w;

    world_init(&w, 9, FILE_BYTES);
    open_well(&w);
    write_groups(&w, PER_FILE);
    world_settle(&w);
    reopen(&w);
    checkpoint(&w);
    release(&w, 2);
    write_groups(&w, 1);
    world_close(&w);
    world_flip(&w, 2, 99, 1);
    open_well(&w);
    cr_assert_eq(w.replayed, 0);
    world_forget(&w);
    write_groups(&w, 3);
    reopen(&w);
    cr_assert_eq(w.first, PER_FILE + 1);
    cr_assert_eq(w.replayed, 3);
    world_close(&w);
    world_fini(&w);
}

Test(wlog_release, closing_with_files_to_delete)
{
    struct world w;

    world_init(&w, 10, FILE_BYTES);
    open_well(&w);
    write_groups(&w, 5 * PER_FILE + 1);
    checkpoint(&w);
    reactor_set_self(w.r);
    wlog_release(w.log, 6);
    reactor_set_self(NULL);
    reopen(&w);
    cr_assert_eq(w.replayed, 1);
    for (uint64_t g = 1; g < 6; g++)
        cr_assert_not(exists(&w, g));
    world_close(&w);
    world_fini(&w);
}

/* Checkpoints at random, the core lost at random, with power or without: replay gives everything behind the
 * checkpoint, once and in order. */
static void crash_anywhere(uint64_t seed)
{
    struct world w;
    uint32_t last = 0; /* records that are there after a boot */

    world_init(&w, seed, FILE_BYTES);
    for (int boot = 0; boot < 8; boot++) {
        open_well(&w);
        uint32_t there = w.replayed ? w.first + w.replayed - 1 : w.released;
        cr_assert(there >= last && there <= w.n, "seed %" PRIu64 " boot %d: %u, were %u", seed,
                  boot, there, last);
        while (w.n > there)
            world_forget(&w);
        w.ended = w.n;
        for (int i = 0; i < 25; i++) {
            world_submit(&w, (uint32_t)(sim_random(w.sim) % 9000));
            if (sim_random(w.sim) % 3)
                reactor_sim_run(w.group, world_never, &w, sim_random(w.sim) % 9);
            if (sim_random(w.sim) % 12)
                continue;
            world_wait(&w);
            checkpoint(&w);
            reactor_set_self(w.r);
            wlog_release(w.log, w.config.first_generation);
            reactor_set_self(NULL);
        }
        last = w.ended;
        world_lose_core(&w, sim_random(w.sim) % 2);
    }
    world_fini(&w);
}

Test(wlog_release, a_crash_at_any_moment_keeps_all_behind_the_checkpoint)
{
    world_expect_loss();
    for (uint64_t seed = 1; seed <= 150; seed++)
        crash_anywhere(seed);
}

static void begin_file(struct world *w)
{
    int rc;

    do {
        reactor_set_self(w->r);
        rc = wlog_begin_file(w->log);
        reactor_set_self(NULL);
        world_settle(w);
    } while (rc == -EAGAIN);
    cr_assert_eq(rc, 0);
}

static size_t file_bytes(struct world *w, uint64_t generation)
{
    size_t len = 0;

    free(world_read(w, generation, &len));
    return len;
}

/* A stop as a node makes it: what the next start has to read is the last group. */
Test(wlog_release, a_clean_end_leaves_groups_and_nothing_behind)
{
    struct world w;

    world_init(&w, 11, 4 << 20);
    open_well(&w);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 40; i++)
            world_write(&w, 50000);
        uint64_t before = wlog_generation(w.log);
        begin_file(&w);
        uint64_t last = wlog_generation(w.log);
        cr_assert_eq(last, before + 1);
        checkpoint(&w);
        write_groups(&w, 1);
        release(&w, last);
        world_close(&w);
        cr_assert_eq(file_bytes(&w, last), WLOG_UNIT);
        cr_assert_not(exists(&w, last - 1) || exists(&w, last + 1));
        open_well(&w);
        cr_assert_eq(w.replayed, 1);
    }
    write_groups(&w, 3); /* of a log that has no room when it is opened */
    reopen(&w);
    cr_assert_eq(w.replayed, 4);
    world_close(&w);
    world_fini(&w);
}

/* The new file, and nothing written to it when the node goes. */
Test(wlog_release, a_small_log_ends_in_its_file)
{
    struct world w;

    world_init(&w, 12, 4 << 20);
    open_well(&w);
    write_groups(&w, 2);
    begin_file(&w);
    cr_assert_eq(wlog_generation(w.log), 1, "there is little to read");
    world_close(&w);
    cr_assert_eq(file_bytes(&w, 1), 2 * WLOG_UNIT);
    open_well(&w);
    cr_assert_eq(w.replayed, 2);
    for (unsigned i = 0; i < 40; i++)
        world_write(&w, 50000);
    begin_file(&w);
    uint64_t last = wlog_generation(w.log);
    world_close(&w);
    cr_assert_eq(file_bytes(&w, last), 0);
    open_well(&w);
    cr_assert_eq(w.replayed, 42);
    write_groups(&w, 2);
    reopen(&w);
    cr_assert_eq(w.replayed, 44);
    world_close(&w);
    world_fini(&w);
}
