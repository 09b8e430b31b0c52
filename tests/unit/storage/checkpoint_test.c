/* Checkpoints of a core: what a start finds is what the slots held at their cuts. */
#include "checkpoint_world.h"
#include "storage/device_pace.h"

static void restart_well(struct checkpoint_world *w)
{
    cr_assert_eq(world_restart(w), 0, "%s", w->base.err.text);
    world_check_loaded(w);
}

static void write_some(struct checkpoint_world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        world_write(w);
}

static void faults(struct checkpoint_world *w, struct sim_faults f)
{
    sim_set_faults(w->base.sim, &f);
}

/* Data files that exist. */
static bool count_file(void *ctx, const struct datafile_id *id)
{
    (void)id;
    ++*(unsigned *)ctx;
    return true;
}

static unsigned count_files(struct checkpoint_world *w)
{
    unsigned n = 0;

    store_world_steps(&w->base, 2000); /* what goes has gone */
    cr_assert_eq(checkpoint_sweep(w->base.r, w->dir, count_file, &n), 0);
    return n;
}

Test(checkpoint, a_start_finds_the_rows_of_the_cut)
{
    struct checkpoint_world *w = world_new(1, 0);

    write_some(w, 60);
    cr_assert_eq(world_checkpoint(w), 0, "%s", w->checkpoint.error.text);
    cr_assert_eq(w->checkpoint.stats.slots, WORLD_SLOTS);
    cr_assert_gt(w->checkpoint.stats.files, 4);
    write_some(w, 10);
    restart_well(w);
    cr_assert_eq(w->loaded, 1);
    world_free(w);
}

Test(checkpoint, only_what_changed_is_written)
{
    struct checkpoint_world *w = world_new(2, 0);

    write_some(w, 60);
    cr_assert_eq(world_checkpoint(w), 0);
    uint64_t bytes = w->checkpoint.stats.bytes, files = w->checkpoint.stats.files;
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_eq(w->checkpoint.stats.bytes, 0);
    cr_assert_eq(w->checkpoint.stats.files, 0);
    world_fill(w, 1, 2, 5, 1);
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_leq(w->checkpoint.stats.files, 2, "a partition, and dictionaries perhaps");
    cr_assert_lt(w->checkpoint.stats.bytes, bytes);
    cr_assert_lt(w->checkpoint.stats.files, files);
    restart_well(w);
    cr_assert_eq(w->loaded, 3);
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_eq(w->checkpoint.stats.files, 0, "also after a start");
    restart_well(w);
    world_free(w);
}

Test(checkpoint, without_tables_slots_have_their_heads)
{
    struct checkpoint_world *w = world_new(3, 0);

    catalog_put(w->catalog);
    w->catalog = world_catalog(0);
    cr_assert_eq(shard_set_catalog(w->shard, w->catalog), 0);
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_eq(w->checkpoint.stats.slots, WORLD_SLOTS);
    restart_well(w);
    cr_assert_eq(w->loaded, 1);
    cr_assert_eq(w->catalog->n_tables, 0);
    world_free(w);
}

Test(checkpoint, many_blocks_are_many_extents)
{
    struct checkpoint_world *w = world_new(4, 0);

    world_fill(w, 0, 1, 0, 150000);
    world_fill(w, 1, 1, 0, 80000);
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_gt(w->checkpoint.stats.bytes, 3u << 20);
    cr_assert_gt(w->checkpoint.stats.blocks, 3);
    world_fill(w, 0, 1, 149000, 2000);
    cr_assert_eq(world_checkpoint(w), 0);
    restart_well(w);
    world_free(w);
}

/* Steps of the simulator with writes between them until the checkpoint has ended. */
static void write_meanwhile(struct checkpoint_world *w)
{
    unsigned writes = 0;

    while (!w->ended && writes < 5000) {
        store_world_steps(&w->base, 1 + world_random(w, 3));
        if (!w->ended && w->checkpoint.work) {
            world_write(w);
            writes++;
        }
    }
    cr_assert(w->ended);
    cr_assert_gt(writes, 10);
}

Test(checkpoint, rows_go_on_changing_meanwhile)
{
    struct checkpoint_world *w = world_new(5, 0);

    for (unsigned i = 0; i < WORLD_SLOTS; i++)
        world_fill(w, i % 2, i, 0, 2000);
    for (unsigned round = 1; round <= 5; round++) {
        write_some(w, 20);
        world_start_checkpoint(w);
        write_meanwhile(w);
        cr_assert_eq(w->checkpoint.rc, 0, "%s", w->checkpoint.error.text);
        restart_well(w);
        cr_assert_eq(w->loaded, round);
    }
    world_free(w);
}

/* The disk fails at random: the checkpoint says so, the rows stay, a later one succeeds. */
static void fail_and_recover(uint64_t seed, struct sim_faults f, int rc, unsigned at_least)
{
    unsigned failed = 0;

    for (uint64_t k = 0; k < 12; k++) {
        struct checkpoint_world *w = world_new(seed * 100 + k, 0);

        write_some(w, 30);
        if (k % 2) {
            cr_assert_eq(world_checkpoint(w), 0);
            write_some(w, 10);
        }
        unsigned files = count_files(w);
        faults(w, f);
        int got = world_checkpoint(w);
        faults(w, (struct sim_faults){0});
        cr_assert(got == 0 || got == rc, "%d: %s", got, w->checkpoint.error.text);
        if (got != 0) {
            failed++;
            cr_assert(strstr(w->checkpoint.error.text, "ing d"), "%s", w->checkpoint.error.text);
            cr_assert_null(w->checkpoint.work);
            cr_assert_eq(count_files(w), files, "new files are gone");
            checkpoint_abort(&w->checkpoint);
        }
        write_some(w, 3);
        cr_assert_eq(world_checkpoint(w), 0, "%s", w->checkpoint.error.text);
        restart_well(w);
        cr_assert_eq(w->loaded, w->round);
        world_free(w);
    }
    cr_assert_geq(failed, at_least);
}

/* The root itself is written without faults: they end with the checkpoint. */
static void done_without_root(struct checkpoint *c)
{
    struct checkpoint_world *w = c->ctx;

    faults(w, (struct sim_faults){0});
    world_checkpoint_done(c);
}

Test(checkpoint, errors_of_the_disk_abort_it)
{
    fail_and_recover(1, (struct sim_faults){.write_eio = 30000}, -EIO, 3);
    fail_and_recover(2, (struct sim_faults){.enospc = 30000}, -ENOSPC, 3);
    fail_and_recover(3, (struct sim_faults){.sync_eio = 30000}, -EIO, 3);
}

Test(checkpoint, short_writes_are_completed)
{
    struct checkpoint_world *w = world_new(6, 0);

    write_some(w, 50);
    world_start_checkpoint(w);
    faults(w, (struct sim_faults){.short_write = 300000});
    w->checkpoint.done = done_without_root;
    world_wait(w);
    cr_assert_eq(w->checkpoint.rc, 0, "%s", w->checkpoint.error.text);
    restart_well(w);
    world_free(w);
}

Test(checkpoint, a_full_disk_refuses_and_room_helps)
{
    struct checkpoint_world *w = world_new(7, 1200 << 10);

    write_some(w, 20);
    cr_assert_eq(world_checkpoint(w), 0, "%s", w->checkpoint.error.text);
    world_fill(w, 0, 0, 0, 60000);
    uint64_t used = sim_disk_used(w->base.disk);
    cr_assert_eq(world_checkpoint(w), -ENOSPC);
    cr_assert_eq(sim_disk_used(w->base.disk), used, "nothing is left of it");
    w->round--;
    cr_assert_eq(shard_truncate(w->shard, w->catalog->tables[0]->table_id), 0);
    cr_assert_eq(world_checkpoint(w), 0, "%s", w->checkpoint.error.text);
    restart_well(w);
    world_free(w);
}

Test(checkpoint, can_be_cancelled_at_every_stage)
{
    unsigned cancelled = 0;

    for (unsigned steps = 0; steps < 160; steps += 3) {
        struct checkpoint_world *w = world_new(8, 0);

        write_some(w, 40);
        world_start_checkpoint(w);
        store_world_steps(&w->base, steps);
        w->root_after = false;
        bool late = w->checkpoint.rc == 0 && (w->stage != ROOT_IDLE || w->ended);
        reactor_set_self(w->base.r);
        checkpoint_cancel(&w->checkpoint);
        reactor_set_self(NULL);
        world_wait(w);
        if (!late) {
            cancelled += w->checkpoint.rc == -ECANCELED;
            cr_assert(w->checkpoint.rc == -ECANCELED || w->checkpoint.rc == 0);
            checkpoint_abort(&w->checkpoint);
            cr_assert_eq(count_files(w), 0);
        }
        w->root_after = true;
        write_some(w, 5);
        cr_assert_eq(world_checkpoint(w), 0);
        restart_well(w);
        world_free(w);
    }
    cr_assert_gt(cancelled, 20);
}

Test(checkpoint, aborted_after_done_everything_is_written_again)
{
    struct checkpoint_world *w = world_new(9, 0);

    write_some(w, 40);
    w->root_after = false;
    cr_assert_eq(world_checkpoint(w), 0);
    uint64_t files = w->checkpoint.stats.files;
    cr_assert_gt(count_files(w), 0);
    reactor_set_self(w->base.r);
    checkpoint_abort(&w->checkpoint);
    reactor_set_self(NULL);
    cr_assert_eq(count_files(w), 0);
    w->root_after = true;
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_eq(w->checkpoint.stats.files, files);
    restart_well(w);
    world_free(w);
}

Test(checkpoint, tables_that_change_end_it)
{
    struct checkpoint_world *w = world_new(10, 0);

    write_some(w, 40);
    world_start_checkpoint(w);
    store_world_steps(&w->base, 20);
    cr_assert(!w->ended);
    catalog_put(w->catalog);
    w->catalog = world_catalog(3);
    cr_assert_eq(shard_set_catalog(w->shard, w->catalog), 0);
    world_wait(w);
    cr_assert_eq(w->checkpoint.rc, -ESTALE);
    cr_assert_eq(world_checkpoint(w), 0);
    restart_well(w);
    cr_assert_eq(w->catalog->n_tables, 3);
    world_free(w);
}

Test(checkpoint, a_table_may_be_truncated_meanwhile)
{
    for (unsigned steps = 1; steps < 100; steps += 7) {
        struct checkpoint_world *w = world_new(11, 0);

        write_some(w, 40);
        cr_assert_eq(world_checkpoint(w), 0);
        write_some(w, 20);
        world_start_checkpoint(w);
        store_world_steps(&w->base, steps);
        cr_assert_eq(shard_truncate(w->shard, w->catalog->tables[1]->table_id), 0);
        write_some(w, 5);
        world_wait(w);
        cr_assert_eq(w->checkpoint.rc, 0);
        restart_well(w);
        write_some(w, 10);
        cr_assert_eq(world_checkpoint(w), 0);
        restart_well(w);
        world_free(w);
    }
}

Test(checkpoint, files_of_dropped_and_truncated_tables_go)
{
    struct checkpoint_world *w = world_new(12, 0);

    write_some(w, 60);
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_gt(count_files(w), 20);
    cr_assert_eq(shard_truncate(w->shard, w->catalog->tables[1]->table_id), 0);
    catalog_put(w->catalog);
    w->catalog = world_catalog(1);
    cr_assert_eq(shard_set_catalog(w->shard, w->catalog), 0);
    cr_assert_eq(world_checkpoint(w), 0);
    cr_assert_eq(count_files(w), 0);
    restart_well(w);
    world_free(w);
}

Test(checkpoint, a_file_with_many_dead_bytes_is_written_anew)
{
    struct checkpoint_world *w = world_new(13, 0);
    uint64_t most = 0;

    world_fill(w, 0, 0, 0, 60000);
    for (unsigned round = 1; round < 10; round++) {
        world_fill(w, 0, 0, 0, 60000);
        cr_assert_eq(world_checkpoint(w), 0);
        if (round == 1)
            most = 5 * sim_disk_used(w->base.disk);
        cr_assert_lt(sim_disk_used(w->base.disk), most);
    }
    restart_well(w);
    world_free(w);
}

/* What is not in memory is copied from the old file. */
Test(checkpoint, a_file_of_rows_that_are_on_disk_only_is_written_anew)
{
    struct checkpoint_world *w = world_new(18, 0);
    uint64_t first = 0, most = 0;
    unsigned plain = 0;

    while (w->catalog->tables[plain]->time_column >= 0)
        plain++;
    world_fill(w, plain, 0, 0, 140000);
    for (unsigned round = 0; round < 9; round++) {
        cr_assert_eq(world_checkpoint(w), 0);
        uint64_t used = sim_disk_used(w->base.disk);
        first = first ? first : used;
        most = used > most ? used : most;
        world_evict_slot(w, 0);
        world_fill(w, plain, 0, 0, 20000);
        cr_assert_not(segment_is_loaded(slot_segment(world_slot(w, plain, 0), 0)));
    }
    cr_assert_lt(most, 5 * first / 2, "%llu bytes at first, then up to %llu",
                 (unsigned long long)first, (unsigned long long)most);
    cr_assert_eq(world_checkpoint(w), 0);
    restart_well(w);
    world_free(w);
}

Test(checkpoint, it_keeps_its_pace)
{
    struct checkpoint_world *w = world_new(14, 0);
    struct device_pace pace;
    struct store_stats before, after;

    device_pace_init(&pace, w->base.r, "d", 200);
    store_set_pace(w->base.store, &pace);
    world_fill(w, 0, 0, 0, 60000);
    store_get_stats(w->base.store, &before);
    uint64_t start = sim_now_ns(w->base.sim);
    cr_assert_eq(world_checkpoint(w), 0);
    uint64_t ns = sim_now_ns(w->base.sim) - start;
    store_get_stats(w->base.store, &after);
    uint64_t writes = after.writes - before.writes + after.syncs - before.syncs;
    cr_assert_gt(writes, 20, "%llu", (unsigned long long)writes);
    cr_assert_geq(ns, (writes - 10) * 5000000, "%llu writes in %llu ns", (unsigned long long)writes,
                  (unsigned long long)ns);
    store_set_pace(w->base.store, NULL);
    restart_well(w);
    world_free(w);
}

Test(checkpoint, cancelled_while_it_waits_for_its_pace)
{
    struct checkpoint_world *w = world_new(17, 0);
    struct device_pace pace;

    device_pace_init(&pace, w->base.r, "d", 10);
    store_set_pace(w->base.store, &pace);
    world_fill(w, 0, 0, 0, 60000);
    world_start_checkpoint(w);
    store_world_steps(&w->base, 40);
    cr_assert(!w->ended);
    uint64_t start = sim_now_ns(w->base.sim);
    reactor_set_self(w->base.r);
    checkpoint_cancel(&w->checkpoint);
    reactor_set_self(NULL);
    world_wait(w);
    cr_assert_eq(w->checkpoint.rc, -ECANCELED);
    cr_assert_lt(sim_now_ns(w->base.sim) - start, 5000000000, "what is at work is ended");
    store_set_pace(w->base.store, NULL);
    cr_assert_eq(world_checkpoint(w), 0);
    restart_well(w);
    world_free(w);
}

/* Right after the cut of slot 0, rows of it are deleted while there is little memory. */
static int head_with_deletes(struct checkpoint *c, uint32_t number, struct buffer *part)
{
    struct checkpoint_world *w = c->ctx;
    int rc = world_slot_head(c, number, part);

    if (number == 0) {
        struct slot *slot = world_slot(w, 0, 0);
        struct batch_builder *b = world_builder(slot, 2);

        for (int64_t id = 0; id < 10; id++) {
            world_row(w, b, id, true);
            cr_assert_eq(batch_builder_end_row(b), 0);
        }
        w->budget.limit = w->budget.used + 70000; /* row masks fit, images do not */
        world_apply(slot, b, BATCH_DELETE);
        w->budget.limit = 0;
        batch_builder_free(b);
    }
    return rc;
}

Test(checkpoint, without_memory_for_what_changes_it_ends_and_the_rows_stay)
{
    struct checkpoint_world *w = world_new(18, 0);

    world_fill(w, 0, 0, 0, 50000);
    write_some(w, 20);
    world_start_checkpoint(w);
    w->checkpoint.slot_head = head_with_deletes;
    world_wait(w);
    cr_assert(w->checkpoint.rc == -ENOMEM || w->checkpoint.rc == -ENOBUFS, "%d", w->checkpoint.rc);
    cr_assert_neq(w->checkpoint.error.text[0], 0);
    cr_assert_eq(count_files(w), 0);
    cr_assert_eq(world_checkpoint(w), 0);
    restart_well(w);
    world_free(w);
}

/* A core of several: only its own slots. */
static int note_slot(struct checkpoint *c, uint32_t slot, struct buffer *part)
{
    (void)part;
    *(uint64_t *)c->ctx |= 1ull << slot;
    return 0;
}

static void note_done(struct checkpoint *c)
{
    *(uint64_t *)c->ctx |= 1ull << 63;
}

static bool all_done(void *ctx)
{
    const uint64_t *seen = ctx;

    return (seen[0] & seen[1] & seen[2]) >> 63;
}

Test(checkpoint, every_core_has_its_slots)
{
    enum { CORES = 3 };
    struct reactor_config config = {.cores = CORES, .io = REACTOR_IO_SIM, .memory = 1 << 28};
    struct reactor_group *g;
    struct store *stores[CORES];
    struct shard *shards[CORES];
    struct checkpoint c[CORES];
    uint64_t seen[CORES] = {0};
    char err[200];

    log_level = LOG_ERROR;
    cr_assert_eq(reactor_group_new(&config, &g, err, sizeof(err)), 0, "%s", err);
    cr_assert_eq(reactor_group_start(g, store_world_nothing, NULL), 0);
    for (unsigned i = 0; i < CORES; i++) {
        struct shard_config shard = {.core = i, .cores = CORES, .slot_bits = 3};

        cr_assert_eq(shard_new(&shard, &shards[i]), 0);
        cr_assert_eq(store_new(reactor_group_get(g, i), "d", STORE_WORLD_ID, &stores[i]), 0);
        c[i] = (struct checkpoint){.shard = shards[i],
                                   .store = stores[i],
                                   .slot_bits = 3,
                                   .slot_head = note_slot,
                                   .done = note_done,
                                   .ctx = &seen[i]};
        reactor_set_self(reactor_group_get(g, i));
        checkpoint_start(&c[i]);
        reactor_set_self(NULL);
    }
    cr_assert_eq(reactor_sim_run(g, all_done, seen, 10000), 0);
    for (unsigned i = 0; i < CORES; i++) {
        reactor_set_self(reactor_group_get(g, i));
        checkpoint_commit(&c[i]);
        reactor_set_self(NULL);
        shard_free(shards[i]);
        store_free(stores[i]);
        cr_assert_eq(seen[i] & ~(1ull << 63), i == 0 ? 0x49 : i == 1 ? 0x92 : 0x24);
    }
    sim_kill(g);
    reactor_group_free(g);
}

Test(checkpoint, damage_is_told_with_file_and_offset)
{
    struct checkpoint_world *w = world_new(15, 0);
    char path[200];

    write_some(w, 60);
    cr_assert_eq(world_checkpoint(w), 0);
    restart_well(w);
    for (uint32_t i = 0; i < w->n_files; i++) {
        struct root_file f = w->files[i];
        char name[DATAFILE_PATH_MAX];

        datafile_path(name, sizeof(name), &f.id);
        snprintf(path, sizeof(path), "d/%s", name);
        cr_assert_eq(sim_disk_flip(w->base.disk, path, f.directory.offset + 5, 1), 0);
        cr_assert_eq(world_restart(w), -EBADMSG);
        cr_assert(strstr(w->base.err.text, path), "%s", w->base.err.text);
        cr_assert(strstr(w->base.err.text, "offset"), "%s", w->base.err.text);
        cr_assert_eq(sim_disk_flip(w->base.disk, path, f.directory.offset + 5, 1), 0);
        cr_assert_eq(sim_disk_flip(w->base.disk, path, 4096 + 5, 1), 0);
        int rc = world_restart(w);
        if (rc == 0)
            rc = world_load_all(w);
        cr_assert_eq(rc, -EBADMSG);
        cr_assert(strstr(w->base.err.text, path), "%s", w->base.err.text);
        cr_assert_eq(sim_disk_flip(w->base.disk, path, 4096 + 5, 1), 0);
        restart_well(w);
    }
    world_free(w);
}

Test(checkpoint, sweeping_takes_only_data_files_that_nothing_names)
{
    static const char *const strange[] = {"d/data/t1/s0/all.77.qsg", "d/data/t1/s0/notes.txt",
                                          "d/data/t1/readme", "d/data/t9/s0/dict.1.qsd"};
    struct checkpoint_world *w = world_new(16, 0);
    struct reactor *r = w->base.r;

    write_some(w, 60);
    cr_assert_eq(world_checkpoint(w), 0);
    file_mkdir(r, "d/data/t9");
    file_mkdir(r, "d/data/t9/s0");
    for (unsigned i = 0; i < 4; i++) {
        int fd = file_open(r, strange[i], O_CREAT | O_WRONLY, 0600);
        cr_assert_geq(fd, 0, "%s", strange[i]);
        file_close(r, fd);
    }
    unsigned before = count_files(w);
    restart_well(w);
    r = w->base.r;
    cr_assert_eq(count_files(w), before - 2);
    for (unsigned i = 0; i < 4; i++) {
        int fd = file_open(r, strange[i], O_RDONLY, 0);
        cr_assert_eq(fd >= 0, i == 1 || i == 2, "%s", strange[i]);
        if (fd >= 0)
            file_close(r, fd);
    }
    world_free(w);
}

/* Power fails at some step, of the checkpoint or of the root: a start finds the old or the new one, whole. */
static void crash_at_random(uint64_t seed, unsigned rounds[2])
{
    struct checkpoint_world *w = world_new(seed, 0);

    for (unsigned n = 0; n < 3; n++) {
        uint64_t before = w->loaded;

        write_some(w, 15 + (unsigned)world_random(w, 20));
        world_start_checkpoint(w);
        uint64_t steps = world_random(w, 3) ? world_random(w, 260) : world_random(w, 2000);
        for (uint64_t i = 0; i < steps && !w->ended; i++) {
            store_world_steps(&w->base, 1);
            if (!w->ended && world_random(w, 4) == 0)
                world_write(w);
        }
        bool must = w->ended;
        cr_assert(!w->ended || w->checkpoint.rc == 0, "%s", w->checkpoint.error.text);
        cr_assert_eq(world_crash(w), 0, "%s", w->base.err.text);
        cr_assert(w->loaded == w->round || (!must && w->loaded == before), "found %llu",
                  (unsigned long long)w->loaded);
        rounds[w->loaded == w->round]++;
        for (uint32_t s = 0; s < WORLD_SLOTS && w->loaded == 0; s++)
            w->digests[0][s] = 0;
        world_check_loaded(w);
        w->round = w->loaded == w->round ? w->round : w->round + 1;
    }
    write_some(w, 10);
    cr_assert_eq(world_checkpoint(w), 0, "%s", w->checkpoint.error.text);
    restart_well(w);
    cr_assert_eq(w->loaded, w->round);
    world_free(w);
}

/* As where the memory is too small: rows are changed of which only a part is in memory. */
Test(checkpoint, of_rows_that_are_on_disk_only)
{
    for (uint64_t seed = 40; seed < 44; seed++) {
        struct checkpoint_world *w = world_new(seed, 0);

        w->evicts = true;
        for (unsigned i = 0; i < WORLD_SLOTS; i++)
            world_fill(w, i % 2, i, 0, 2000);
        for (unsigned round = 1; round <= 6; round++) {
            world_start_checkpoint(w);
            write_meanwhile(w);
            cr_assert_eq(w->checkpoint.rc, 0, "%s", w->checkpoint.error.text);
            if (round % 3 == 0)
                restart_well(w);
            else if (round % 3 == 1)
                cr_assert_eq(world_restart(w), 0);
            write_some(w, 5);
        }
        world_free(w);
    }
}

Test(checkpoint, a_crash_leaves_the_old_or_the_new_one)
{
    unsigned rounds[2] = {0};

    for (uint64_t seed = 1000; seed < 1120; seed++)
        crash_at_random(seed, rounds);
    cr_assert_gt(rounds[0], 40);
    cr_assert_gt(rounds[1], 40);
}

/* --- in a real folder --- */

struct real {
    struct checkpoint_world *world;
    char dir[64];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void real_look(struct task *t);

static struct task real_task = {.run = real_look};
static struct real *real_at_work;

/* Writes go on until the second checkpoint is durable; then a start. */
static void real_look(struct task *t)
{
    struct real *x = real_at_work;
    struct checkpoint_world *w = x->world;

    if (!w->ended) {
        if (w->checkpoint.work)
            world_write(w);
        reactor_task(w->base.r, t, TASK_BULK);
        return;
    }
    cr_assert_eq(w->checkpoint.rc, 0, "%s", w->checkpoint.error.text);
    if (w->round == 1) {
        write_some(w, 10);
        world_start_checkpoint_here(w);
        reactor_task(w->base.r, t, TASK_BULK);
        return;
    }
    world_drop_shard(w);
    store_free(w->base.store);
    cr_assert_eq(store_new(w->base.r, w->dir, STORE_WORLD_ID, &w->base.store), 0);
    cr_assert_eq(world_load(w), 0, "%s", w->base.err.text);
    cr_assert_eq(w->loaded, 2);
    world_check_loaded(w);
    world_drop_shard(w);
    catalog_put(w->catalog);
    store_free(w->base.store);
    pthread_mutex_lock(&x->lock);
    x->done = true;
    pthread_cond_signal(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

static void real_start(struct reactor *r, void *ctx)
{
    struct real *x = ctx;
    struct checkpoint_world *w = x->world;

    real_at_work = x;
    w->base.r = r;
    cr_assert_eq(store_new(r, x->dir, STORE_WORLD_ID, &w->base.store), 0);
    world_setup(w, 77);
    w->dir = x->dir;
    w->catalog = world_catalog(WORLD_TABLES);
    cr_assert_eq(world_load(w), 0);
    world_fill(w, 0, 0, 0, 70000);
    write_some(w, 50);
    world_start_checkpoint_here(w);
    reactor_task(r, &real_task, TASK_BULK);
}

static void real_exit(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static void in_a_real_folder(enum reactor_io io)
{
    struct real x = {.dir = "/tmp/quanta-checkpoint-XXXXXX",
                     .lock = PTHREAD_MUTEX_INITIALIZER,
                     .changed = PTHREAD_COND_INITIALIZER};
    struct reactor_config config = {.cores = 1, .io = io, .memory = 1 << 28};
    struct reactor_group *g;
    char err[200], command[200];

    log_level = LOG_ERROR;
    if (reactor_group_new(&config, &g, err, sizeof(err)) != 0)
        cr_skip_test("the back end is refused here");
    cr_assert(mkdtemp(x.dir));
    x.world = calloc(1, sizeof(*x.world));
    cr_assert_eq(reactor_group_start(g, store_world_nothing, NULL), 0);
    reactor_post(reactor_group_get(g, 0), real_start, &x);
    pthread_mutex_lock(&x.lock);
    while (!x.done)
        pthread_cond_wait(&x.changed, &x.lock);
    pthread_mutex_unlock(&x.lock);
    reactor_group_stop(g, real_exit, NULL);
    reactor_group_free(g);
    free(x.world);
    snprintf(command, sizeof(command), "rm -r %s", x.dir);
    cr_assert_eq(system(command), 0);
}

Test(checkpoint, a_real_folder_by_io_uring)
{
    in_a_real_folder(REACTOR_IO_URING);
}

Test(checkpoint, a_real_folder_by_epoll)
{
    in_a_real_folder(REACTOR_IO_EPOLL);
}

static void ignore_read(struct store_read *x)
{
    *(bool *)x->ctx = true;
    free(x);
}

/* A statement reads from a file while what was appended to it is given back. */
Test(checkpoint, aborted_while_its_files_are_read)
{
    struct checkpoint_world *w = world_new(60, 0);
    bool ended = false;

    write_some(w, 40);
    cr_assert_eq(world_checkpoint(w), 0);
    write_some(w, 40);
    w->root_after = false;
    cr_assert_eq(world_checkpoint(w), 0);
    reactor_set_self(w->base.r);
    for (uint32_t t = 0; t < w->catalog->n_tables; t++) {
        struct slot *slot = world_slot(w, t, 0);
        for (uint32_t i = 0; i < slot_segments(slot); i++) {
            struct store_file *f = segment_file(slot_segment(slot, i));
            uint64_t bytes;
            if (!f)
                continue;
            struct store_read *x = calloc(1, sizeof *x);
            x->file = f;
            x->done = ignore_read;
            x->ctx = &ended;
            store_file_directory(f, &x->ref, &bytes);
            store_read(w->base.store, x);
        }
    }
    checkpoint_abort(&w->checkpoint);
    reactor_set_self(NULL);
    store_world_steps(&w->base, 2000);
    cr_assert(ended);
    w->root_after = true;
    cr_assert_eq(world_checkpoint(w), 0);
    restart_well(w);
    world_free(w);
}
