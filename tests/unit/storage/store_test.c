/* The store: extents and chunks of files, faults of the disk, crashes, files that go. */
#include "storage/device_pace.h"
#include "store_world.h"

#include <dirent.h>
#include <sys/stat.h>

enum { CHUNKS = 60 };

static void check_all(struct store_world *w, struct store_file *f, const struct chunk_ref *refs,
                      uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        cr_assert_eq(store_world_read(w, f, k, &refs[k]), 0, "%s", w->err.text);
}

static void check_ahead(struct store_file *f, const struct chunk_ref *refs, uint32_t n)
{
    struct store_ahead ahead;
    struct error_info err;

    cr_assert_eq(store_ahead_begin(&ahead, f, &err), 0, "%s", err.text);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = 0;
        uint8_t *b;

        cr_assert_eq(store_ahead_read(&ahead, &refs[k], &b, &err), 0, "%s", err.text);
        while (i < refs[k].len && b[i] == store_world_byte(k, i))
            i++;
        cr_assert_eq(i, refs[k].len);
        free(b);
    }
    store_ahead_end(&ahead);
}

Test(store, chunks_come_back_before_and_after_a_restart)
{
    struct store_world w;
    struct chunk_ref refs[CHUNKS];
    struct store_file *f;
    uint64_t bytes;

    store_world_init(&w, 1, 0);
    f = store_world_create(&w, 3);
    cr_assert_str_eq(store_file_name(f), "d/data/t1/s3/all.1.qsg");
    cr_assert_eq(store_file_bytes(f), DATAFILE_UNIT);
    cr_assert_eq(store_world_append(&w, f, 0, 20, 777, refs), 0);
    cr_assert_eq(store_world_append(&w, f, 20, 20, 65536, refs + 20), 0);
    cr_assert_eq(store_world_append(&w, f, 40, 20, 200001, refs + 40), 0);
    check_all(&w, f, refs, CHUNKS);
    cr_assert_eq(store_world_sync(&w, f), 0);
    bytes = store_file_bytes(f);
    store_world_crash(&w, f);
    struct datafile_id id = store_world_id(3, 1);
    cr_assert_eq(store_file_open(w.store, &id, bytes, &f, &w.err), 0, "%s", w.err.text);
    cr_assert_eq(store_file_bytes(f), bytes);
    check_all(&w, f, refs, CHUNKS);
    for (uint32_t k = 0; k < CHUNKS; k++) {
        uint8_t *b;

        cr_assert_eq(store_read_now(w.store, f, &refs[k], &b, &w.err), 0, "%s", w.err.text);
        for (uint32_t i = 0; i < refs[k].len; i++)
            cr_assert_eq(b[i], store_world_byte(k, i));
        free(b);
    }
    check_ahead(f, refs, CHUNKS);
    store_file_put(f);
    store_world_fini(&w);
}

Test(store, short_reads_and_writes_are_continued)
{
    struct store_world w;
    struct chunk_ref refs[CHUNKS];

    store_world_init(&w, 2, 0);
    store_world_faults(&w, (struct sim_faults){.short_read = 300000, .short_write = 300000});
    struct store_file *f = store_world_create(&w, 0);
    for (uint32_t k = 0; k < CHUNKS; k += 10)
        cr_assert_eq(store_world_append(&w, f, k, 10, 40000, refs + k), 0, "%s", w.err.text);
    check_all(&w, f, refs, CHUNKS);
    store_file_put(f);
    store_world_fini(&w);
}

Test(store, a_device_that_gives_nothing_is_an_error)
{
    struct store_world w;
    struct chunk_ref refs[2];

    store_world_init(&w, 3, 0);
    struct store_file *f = store_world_create(&w, 0);
    cr_assert_eq(store_world_append(&w, f, 0, 1, 100, refs), 0);
    store_world_faults(&w, (struct sim_faults){.short_read = 1000000, .short_write = 1000000});
    cr_assert_eq(store_world_read(&w, f, 0, &(struct chunk_ref){4096 + 64, 4032, 1}), -EIO);
    cr_assert_eq(store_world_append(&w, f, 1, 1, 100, refs + 1), -EIO);
    cr_assert(strstr(w.err.text, "d/data/t1/s0/all.1.qsg at offset 8192"), "%s", w.err.text);
    store_file_put(f);
    store_world_fini(&w);
}

Test(store, errors_of_the_device_name_file_and_offset)
{
    struct store_world w;
    struct chunk_ref refs[4];

    store_world_init(&w, 4, 0);
    struct store_file *f = store_world_create(&w, 0);
    cr_assert_eq(store_world_append(&w, f, 0, 2, 5000, refs), 0);
    store_world_faults(&w, (struct sim_faults){.read_eio = 1000000});
    cr_assert_eq(store_world_read(&w, f, 1, &refs[1]), -EIO);
    cr_assert_str_eq(w.err.text, "reading d/data/t1/s0/all.1.qsg at offset 9152, 5000 bytes: "
                                 "Input/output error");
    store_world_faults(&w, (struct sim_faults){.write_eio = 1000000});
    cr_assert_eq(store_world_append(&w, f, 2, 2, 5000, refs + 2), -EIO);
    cr_assert_eq(store_file_bytes(f), 4096 + 12288, "%llu",
                 (unsigned long long)store_file_bytes(f));
    store_world_faults(&w, (struct sim_faults){.sync_eio = 1000000});
    cr_assert_eq(store_world_sync(&w, f), -EIO);
    cr_assert_str_eq(w.err.text, "syncing d/data/t1/s0/all.1.qsg: Input/output error");
    store_world_faults(&w, (struct sim_faults){0});
    cr_assert_eq(store_world_append(&w, f, 2, 2, 5000, refs + 2), 0);
    check_all(&w, f, refs, 4);
    store_file_put(f);
    store_world_fini(&w);
}

Test(store, a_full_disk_refuses_and_goes_on_when_there_is_room)
{
    struct store_world w;
    struct chunk_ref refs[30];

    store_world_init(&w, 5, 3 << 20);
    struct store_file *f = store_world_create(&w, 0), *other = store_world_create(&w, 1);
    cr_assert_eq(store_world_append(&w, f, 0, 10, 100000, refs), 0);
    cr_assert_eq(store_world_append(&w, other, 0, 10, 100000, refs + 10), 0);
    uint64_t bytes = store_file_bytes(f), used = sim_disk_used(w.disk);
    cr_assert_eq(store_world_append(&w, f, 10, 20, 100000, refs + 10), -ENOSPC);
    cr_assert(strstr(w.err.text, "No space left on device"), "%s", w.err.text);
    cr_assert_eq(store_file_bytes(f), bytes);
    cr_assert_eq(sim_disk_used(w.disk), used, "what was written in vain is given back");
    store_file_drop(other);
    store_file_put(other);
    cr_assert_eq(store_world_append(&w, f, 10, 10, 100000, refs + 10), 0);
    check_all(&w, f, refs, 20);
    store_file_put(f);
    store_world_fini(&w);
}

Test(store, damage_is_found_by_the_checksum)
{
    struct store_world w;
    struct chunk_ref refs[3];
    uint8_t *bytes;

    store_world_init(&w, 6, 0);
    struct store_file *f = store_world_create(&w, 0);
    cr_assert_eq(store_world_append(&w, f, 0, 3, 5000, refs), 0);
    cr_assert_eq(sim_disk_flip(w.disk, store_file_name(f), refs[1].offset + 4999, 1), 0);
    cr_assert_eq(store_world_read(&w, f, 0, &refs[0]), 0);
    cr_assert_eq(store_world_read(&w, f, 1, &refs[1]), -EBADMSG);
    cr_assert_str_eq(w.err.text,
                     "reading d/data/t1/s0/all.1.qsg at offset 9152, 5000 bytes: wrong checksum");
    cr_assert_eq(store_world_read(&w, f, 2, &refs[2]), 0);
    cr_assert_eq(store_read_now(w.store, f, &refs[1], &bytes, &w.err), -EBADMSG);
    struct store_ahead ahead;
    cr_assert_eq(store_ahead_begin(&ahead, f, &w.err), 0);
    cr_assert_eq(store_ahead_read(&ahead, &refs[1], &bytes, &w.err), -EBADMSG);
    cr_assert_str_eq(w.err.text,
                     "reading d/data/t1/s0/all.1.qsg at offset 9152, 5000 bytes: wrong checksum");
    cr_assert_eq(store_ahead_read(&ahead, &refs[2], &bytes, &w.err), 0);
    free(bytes);
    store_ahead_end(&ahead);
    store_file_put(f);
    store_world_fini(&w);
}

Test(store, places_where_no_chunk_can_be_are_refused)
{
    static const struct chunk_ref bad[] = {
        {0, 100, 1},
        {64, 100, 1},
        {4097, 100, 1},
        {4096, 0, 1},
        {4096, 100000, 1},
        {1 << 30, 100, 1},
        {UINT64_MAX & ~63ull, 100, 1},
        {4096, DATAFILE_MAX_CHUNK + 1, 1},
    };
    struct store_world w;
    struct chunk_ref ref;
    uint8_t *bytes;

    store_world_init(&w, 7, 0);
    struct store_file *f = store_world_create(&w, 0);
    cr_assert_eq(store_world_append(&w, f, 0, 1, 5000, &ref), 0);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        cr_assert_eq(store_world_read(&w, f, 0, &bad[i]), -EBADMSG);
        cr_assert_eq(store_read_now(w.store, f, &bad[i], &bytes, &w.err), -EBADMSG);
        struct store_ahead ahead;
        cr_assert_eq(store_ahead_begin(&ahead, f, &w.err), 0);
        cr_assert_eq(store_ahead_read(&ahead, &bad[i], &bytes, &w.err), -EBADMSG);
        store_ahead_end(&ahead);
    }
    store_file_put(f);
    store_world_fini(&w);
}

Test(store, opening_tells_what_is_wrong)
{
    struct store_world w;
    struct chunk_ref ref;
    struct datafile_id id = store_world_id(0, 1), other = store_world_id(0, 2);

    store_world_init(&w, 8, 0);
    struct store_file *f = store_world_create(&w, 0);
    cr_assert_eq(store_world_append(&w, f, 0, 1, 5000, &ref), 0);
    store_file_put(f);
    cr_assert_eq(store_file_open(w.store, &other, 8192, &f, &w.err), -ENOENT);
    cr_assert_str_eq(w.err.text, "opening d/data/t1/s0/all.2.qsg: No such file or directory");
    cr_assert_eq(store_file_open(w.store, &id, 1 << 20, &f, &w.err), -EBADMSG);
    cr_assert_str_eq(w.err.text, "d/data/t1/s0/all.1.qsg has 12288 bytes, 1048576 were expected");
    cr_assert_eq(file_rename(w.r, "d/data/t1/s0/all.1.qsg", "d/data/t1/s0/all.2.qsg"), 0);
    cr_assert_eq(store_file_open(w.store, &other, 8192, &f, &w.err), -EBADMSG);
    cr_assert(strstr(w.err.text, "d/data/t1/s0/all.2.qsg: header at offset 0: "), "%s", w.err.text);
    cr_assert_eq(file_rename(w.r, "d/data/t1/s0/all.2.qsg", "d/data/t1/s0/all.1.qsg"), 0);
    cr_assert_eq(sim_disk_flip(w.disk, "d/data/t1/s0/all.1.qsg", 0, 4), 0);
    cr_assert_eq(store_file_open(w.store, &id, 8192, &f, &w.err), -EBADMSG);
    store_world_fini(&w);
}

Test(store, many_reads_wait_their_turn_and_can_be_cancelled)
{
    static struct store_world_read reads[300];
    struct store_world w;
    struct chunk_ref refs[CHUNKS];
    unsigned cancelled = 0;

    store_world_init(&w, 9, 0);
    struct store_file *f = store_world_create(&w, 0);
    cr_assert_eq(store_world_append(&w, f, 0, CHUNKS, 9000, refs), 0);
    for (unsigned i = 0; i < 300; i++)
        store_world_start_read(&w, &reads[i], f, i % CHUNKS, &refs[i % CHUNKS]);
    store_world_steps(&w, 3);
    reactor_set_self(w.r);
    for (unsigned i = 0; i < 300; i += 3) {
        bool before = reads[i].done;

        store_read_cancel(w.store, &reads[i].read);
        cr_assert_eq(reads[i].done, before, "done never runs inside");
    }
    reactor_set_self(NULL);
    store_world_wait(&w);
    for (unsigned i = 0; i < 300; i++) {
        cr_assert(reads[i].done);
        cr_assert(reads[i].read.rc == 0 || (reads[i].read.rc == -ECANCELED && i % 3 == 0));
        cancelled += reads[i].read.rc == -ECANCELED;
    }
    cr_assert_geq(cancelled, 90);
    store_file_put(f);
    store_world_fini(&w);
}

Test(store, more_files_than_descriptors)
{
    enum { FILES = STORE_OPEN_FILES * 2 };
    static struct store_file *files[FILES];
    static struct chunk_ref refs[FILES];
    struct store_world w;

    store_world_init(&w, 10, 0);
    for (uint32_t i = 0; i < FILES; i++) {
        files[i] = store_world_create(&w, i % 7);
        cr_assert_eq(store_world_append(&w, files[i], i, 1, 300, &refs[i]), 0);
        cr_assert_eq(store_world_sync(&w, files[i]), 0);
    }
    for (uint32_t i = 0; i < FILES; i++)
        cr_assert_eq(store_world_read(&w, files[i], i, &refs[i]), 0);
    for (uint32_t i = 0; i < FILES; i++) {
        cr_assert_eq(store_world_append(&w, files[i], i, 1, 300, &refs[i]), 0);
        cr_assert_eq(store_world_read(&w, files[i], i, &refs[i]), 0);
    }
    for (uint32_t i = 0; i < FILES; i++)
        store_file_put(files[i]);
    store_world_fini(&w);
}

static bool exists(struct store_world *w, const char *path)
{
    int fd = file_open(w->r, path, O_RDONLY, 0);

    if (fd >= 0)
        file_close(w->r, fd);
    return fd >= 0;
}

Test(store, files_go_when_the_root_no_longer_names_them)
{
    struct store_world w;
    struct store_file *a, *b, *c, **named;
    char names[3][100];

    store_world_init(&w, 11, 0);
    a = store_world_create(&w, 0);
    b = store_world_create(&w, 0);
    c = store_world_create(&w, 0);
    snprintf(names[0], 100, "%s", store_file_name(a));
    snprintf(names[1], 100, "%s", store_file_name(b));
    snprintf(names[2], 100, "%s", store_file_name(c));
    cr_assert_eq(store_add_named(w.store, a), 0);
    cr_assert_eq(store_add_named(w.store, b), 0);
    store_file_put(a);
    cr_assert(exists(&w, names[0]), "the root names it still");
    struct datafile_id id = *store_file_id(b);
    cr_assert_eq(store_file_create(w.store, &id, &a, &w.err), -EEXIST);
    id = *store_file_id(c);
    store_file_put(c);
    cr_assert_eq(store_file_create(w.store, &id, &c, &w.err), 0, "nothing names the old one");
    named = calloc(2, sizeof(struct store_file *));
    named[0] = store_file_get(c);
    named[1] = store_file_get(c);
    reactor_set_self(w.r);
    store_set_named(w.store, named, 2);
    reactor_set_self(NULL);
    store_world_steps(&w, 100);
    cr_assert(!exists(&w, names[0]));
    cr_assert(exists(&w, names[1]), "it is in use");
    reactor_set_self(w.r);
    store_file_put(b);
    reactor_set_self(NULL);
    store_world_steps(&w, 100);
    cr_assert(!exists(&w, names[1]));
    store_file_put(c);
    store_world_fini(&w);
}

/* Two slots share one: it is there until no root names it and nobody has it. third: a slot whose file was not opened. */
static void share_one(bool third)
{
    struct store_world w;
    struct store_file *a[2], **named;
    struct datafile_id id;
    atomic_uint left = 0;
    char name[100];

    store_world_init(&w, 12, 0);
    a[0] = store_world_create(&w, 0);
    id = *store_file_id(a[0]);
    snprintf(name, sizeof(name), "%s", store_file_name(a[0]));
    cr_assert_eq(store_file_refer(w.store, &id, store_file_bytes(a[0]), &a[1]), 0);
    struct store_shared *shared = store_shared_new(2 + third, &left);
    for (int i = 0; i < 2; i++) {
        store_file_share(a[i], shared);
        cr_assert_eq(store_add_named(w.store, a[i]), 0);
    }
    if (third)
        store_shared_close(shared);
    store_file_put(a[1]);
    named = calloc(1, sizeof(struct store_file *));
    named[0] = store_file_get(a[0]);
    reactor_set_self(w.r);
    store_set_named(w.store, named, 1);
    cr_assert_eq(left, 1u + third);
    store_set_named(w.store, NULL, 0);
    reactor_set_self(NULL);
    store_world_steps(&w, 100);
    cr_assert(exists(&w, name), "somebody has it");
    cr_assert_eq(left, third);
    reactor_set_self(w.r);
    store_file_put(a[0]);
    reactor_set_self(NULL);
    store_world_steps(&w, 100);
    cr_assert_eq(exists(&w, name), third, "for all that is known the root of the third names it");
    store_world_fini(&w);
}

Test(store, a_shared_file_goes_with_the_last_that_has_it)
{
    share_one(false);
    share_one(true);
}

enum { MANY = 40 };

/* Files that a root let go at once, and their names. */
static void drop_many(struct store_world *w, char names[MANY][100], struct datafile_id ids[MANY])
{
    for (uint32_t i = 0; i < MANY; i++) {
        struct store_file *f = store_world_create(w, 0);

        snprintf(names[i], 100, "%s", store_file_name(f));
        ids[i] = *store_file_id(f);
        cr_assert_eq(store_add_named(w->store, f), 0);
        store_file_put(f);
    }
    reactor_set_self(w->r);
    store_set_named(w->store, NULL, 0);
    reactor_set_self(NULL);
}

static unsigned count_existing(struct store_world *w, char names[MANY][100])
{
    unsigned n = 0;

    for (uint32_t i = 0; i < MANY; i++)
        n += exists(w, names[i]);
    return n;
}

Test(store, many_files_go_one_a_turn)
{
    static char names[MANY][100];
    static struct datafile_id ids[MANY];
    struct store_world w;
    struct store_file *again;
    unsigned left = MANY, turns = 0;

    store_world_init(&w, 12, 0);
    drop_many(&w, names, ids);
    cr_assert_eq(count_existing(&w, names), MANY, "none in the turn that lets them go");
    cr_assert_eq(store_file_create(w.store, &ids[MANY - 1], &again, &w.err), 0, "%s", w.err.text);
    for (; left > 1 && turns < 100000; turns++) {
        store_world_steps(&w, 1);
        unsigned now = count_existing(&w, names);
        cr_assert_leq(left, now + 1, "%u went in one turn", left - now);
        left = now;
    }
    cr_assert_eq(left, 1);
    store_world_steps(&w, 100);
    cr_assert(exists(&w, names[MANY - 1]), "that name has a new file");
    store_file_put(again);
    store_world_fini(&w);
}

Test(store, a_store_that_ends_deletes_what_is_left)
{
    static char names[MANY][100];
    static struct datafile_id ids[MANY];
    struct store_world w;

    store_world_init(&w, 13, 0);
    drop_many(&w, names, ids);
    reactor_set_self(w.r);
    store_stop(w.store);
    reactor_set_self(NULL);
    store_world_steps(&w, 100);
    cr_assert_eq(count_existing(&w, names), MANY);
    store_free(w.store);
    cr_assert_eq(count_existing(&w, names), 0);
    cr_assert_eq(store_new(w.r, "d", STORE_WORLD_ID, &w.store), 0);
    store_world_fini(&w);
}

/* 40 at 100 a second: they need a part of a second. */
Test(store, the_cap_holds_for_deletions)
{
    static char names[MANY][100];
    static struct datafile_id ids[MANY];
    struct device_pace pace;
    struct store_world w;

    store_world_init(&w, 14, 0);
    device_pace_init(&pace, w.r, "d", 100);
    store_set_pace(w.store, &pace);
    drop_many(&w, names, ids);
    uint64_t begin = reactor_now_ns(w.r);
    for (unsigned i = 0; i < 100000 && count_existing(&w, names); i++)
        store_world_steps(&w, 1);
    cr_assert_eq(count_existing(&w, names), 0);
    cr_assert_gt(reactor_now_ns(w.r) - begin, 250000000);
    store_world_fini(&w);
}

/* Power fails at some step of an append and sync: what was synced before is there, what was told synced too. */
Test(store, a_crash_never_loses_what_was_synced)
{
    unsigned kept = 0;

    for (uint64_t seed = 0; seed < 150; seed++) {
        struct store_world w;
        struct chunk_ref refs[CHUNKS];
        struct store_append a = {.done = store_world_appended, .ctx = &w};
        struct store_sync x = {.done = store_world_synced, .ctx = &w};

        store_world_init(&w, seed, 0);
        struct store_file *f = store_world_create(&w, 2);
        uint64_t before = 0;
        if (seed % 2) {
            cr_assert_eq(store_world_append(&w, f, 0, 20, 30000, refs), 0);
            cr_assert_eq(store_world_sync(&w, f), 0);
            before = store_file_bytes(f);
        }
        a.file = x.file = f;
        uint8_t *extent = store_world_extent(store_file_bytes(f), 20, 40, 60000, refs + 20, &a.len);
        a.bytes = extent;
        w.pending = 1;
        reactor_set_self(w.r);
        store_append(w.store, &a);
        reactor_set_self(NULL);
        store_world_steps(&w, sim_random(w.sim) % 25);
        bool synced = false;
        if (w.pending == 0) {
            w.pending = 1;
            reactor_set_self(w.r);
            store_sync(w.store, &x);
            reactor_set_self(NULL);
            store_world_steps(&w, sim_random(w.sim) % 25);
            synced = w.pending == 0;
        }
        uint64_t bytes = store_file_bytes(f);
        struct datafile_id id = *store_file_id(f);
        store_world_crash(&w, f);
        if (synced || before) {
            cr_assert_eq(store_file_open(w.store, &id, synced ? bytes : before, &f, &w.err), 0,
                         "%s", w.err.text);
            if (before)
                check_all(&w, f, refs, 20);
            for (uint32_t k = 20; synced && k < 60; k++)
                cr_assert_eq(store_world_read(&w, f, k, &refs[k]), 0, "%s", w.err.text);
            store_file_put(f);
        }
        kept += synced;
        free(extent);
        store_world_fini(&w);
    }
    cr_assert_gt(kept, 5);
    cr_assert_lt(kept, 145);
}

/* --- in a real folder --- */

struct real {
    struct store *store;
    char dir[64];
    struct store_file *file;
    struct chunk_ref refs[40];
    struct store_append append;
    struct store_sync sync;
    struct store_world_read reads[40];
    struct store_world world; /* counts the reads */
    uint8_t *extent;
    unsigned left;
    int rc;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
};

static void real_end(struct real *x)
{
    pthread_mutex_lock(&x->lock);
    x->done = true;
    pthread_cond_signal(&x->ended);
    pthread_mutex_unlock(&x->lock);
}

static void real_read_done(struct store_read *read)
{
    struct real *x = read->ctx;

    store_world_read_done(read);
    cr_assert_eq(read->rc, 0, "%s", read->error.text);
    if (--x->left > 0)
        return;
    check_ahead(x->file, x->refs, 40);
    store_file_put(x->file);
    store_free(x->store);
    real_end(x);
}

static void real_synced(struct store_sync *s)
{
    struct real *x = s->ctx;

    cr_assert_eq(s->rc, 0, "%s", s->error.text);
    x->left = 40;
    for (uint32_t k = 0; k < 40; k++) {
        x->reads[k] = (struct store_world_read){.world = &x->world, .number = k};
        x->reads[k].read.file = x->file;
        x->reads[k].read.ref = x->refs[k];
        x->reads[k].read.done = real_read_done;
        x->reads[k].read.ctx = x;
        store_read(x->store, &x->reads[k].read);
    }
}

static void real_appended(struct store_append *a)
{
    struct real *x = a->ctx;

    cr_assert_eq(a->rc, 0, "%s", a->error.text);
    free(x->extent);
    x->sync = (struct store_sync){.file = x->file, .done = real_synced, .ctx = x};
    store_sync(x->store, &x->sync);
}

static void real_start(struct reactor *r, void *ctx)
{
    struct real *x = ctx;
    struct error_info err;
    struct datafile_id id = store_world_id(5, 1);

    cr_assert_eq(store_new(r, x->dir, STORE_WORLD_ID, &x->store), 0);
    cr_assert_eq(store_file_create(x->store, &id, &x->file, &err), 0, "%s", err.text);
    x->append = (struct store_append){.file = x->file, .done = real_appended, .ctx = x};
    x->extent = store_world_extent(4096, 0, 40, 500001, x->refs, &x->append.len);
    x->append.bytes = x->extent;
    store_append(x->store, &x->append);
}

static void real_exit(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static void in_a_real_folder(enum reactor_io io, const char *where)
{
    struct real x = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    struct reactor_config config = {.cores = 1, .io = io, .memory = 1 << 28};
    struct reactor_group *g;
    char err[200], command[200];

    log_level = LOG_ERROR;
    snprintf(x.dir, sizeof(x.dir), "%s/quanta-store-XXXXXX", where);
    if (!mkdtemp(x.dir))
        cr_skip_test("no folder there");
    int rc = reactor_group_new(&config, &g, err, sizeof(err));
    if (rc != 0)
        cr_skip_test("the back end is refused here");
    cr_assert_eq(reactor_group_start(g, store_world_nothing, NULL), 0);
    reactor_post(reactor_group_get(g, 0), real_start, &x);
    pthread_mutex_lock(&x.lock);
    while (!x.done)
        pthread_cond_wait(&x.ended, &x.lock);
    pthread_mutex_unlock(&x.lock);
    reactor_group_stop(g, real_exit, NULL);
    reactor_group_free(g);
    snprintf(command, sizeof(command), "rm -r %s", x.dir);
    cr_assert_eq(system(command), 0);
}

Test(store, a_real_folder_by_io_uring)
{
    in_a_real_folder(REACTOR_IO_URING, "/tmp");
}

Test(store, a_real_folder_by_epoll)
{
    in_a_real_folder(REACTOR_IO_EPOLL, "/tmp");
}

Test(store, a_folder_in_memory)
{
    in_a_real_folder(REACTOR_IO_EPOLL, "/dev/shm");
}
