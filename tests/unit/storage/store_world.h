#pragma once
/*
 * A store on the simulator's disk or in a real folder, driven step by step from the test: files of chunks whose
 * bytes follow from their numbers.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/buffer.h"
#include "reactor/core.h"
#include "reactor/io.h"
#include "reactor/io_sim.h"
#include "reactor/log.h"
#include "storage/store.h"

enum { STORE_STEPS = 3000000 };

#define STORE_WORLD_ID "0123456789abcdef0123456789abcdef"

struct store_world {
    struct sim *sim;
    struct sim_disk *disk;
    struct reactor_group *group;
    struct reactor *r;
    struct store *store;
    struct error_info err;
    int pending; /* operations whose callback has not run */
    uint64_t generation;
};

static inline int store_world_nothing(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    return 0;
}

static inline void store_world_start(struct store_world *w)
{
    struct reactor_config config = {
        .cores = 1, .io = REACTOR_IO_SIM, .sim = w->sim, .sim_disk = w->disk, .memory = 1 << 28};
    char err[200];

    cr_assert_eq(reactor_group_new(&config, &w->group, err, sizeof(err)), 0, "%s", err);
    cr_assert_eq(reactor_group_start(w->group, store_world_nothing, NULL), 0);
    w->r = reactor_group_get(w->group, 0);
    w->pending = 0;
    cr_assert_eq(store_new(w->r, "d", STORE_WORLD_ID, &w->store), 0);
}

static inline void store_world_init(struct store_world *w, uint64_t seed, uint64_t disk_bytes)
{
    memset(w, 0, sizeof(*w));
    log_level = LOG_ERROR;
    w->sim = sim_new(seed);
    w->disk = sim_disk_new(w->sim, disk_bytes);
    store_world_start(w);
    cr_assert_eq(file_mkdir(w->r, "d"), 0);
    cr_assert_eq(file_sync_dir(w->r, "."), 0);
}

static inline void store_world_fini(struct store_world *w)
{
    store_free(w->store);
    sim_kill(w->group);
    reactor_group_free(w->group);
    sim_disk_free(w->disk);
    sim_free(w->sim);
}

static inline bool store_world_idle(void *ctx)
{
    return ((struct store_world *)ctx)->pending == 0;
}

static inline void store_world_wait(struct store_world *w)
{
    cr_assert_eq(reactor_sim_run(w->group, store_world_idle, w, STORE_STEPS), 0);
}

static inline bool store_world_never(void *ctx)
{
    (void)ctx;
    return false;
}

static inline void store_world_steps(struct store_world *w, uint64_t steps)
{
    (void)reactor_sim_run(w->group, store_world_never, NULL, steps);
}

/* The power fails; the test's reference on f goes, and a new core comes on the same disk. */
static inline void store_world_crash(struct store_world *w, struct store_file *f)
{
    sim_crash(w->group);
    store_abandon(w->store);
    store_file_put(f);
    store_free(w->store);
    reactor_group_free(w->group);
    store_world_start(w);
}

static inline void store_world_faults(struct store_world *w, struct sim_faults f)
{
    sim_set_faults(w->sim, &f);
}

static inline void store_world_appended(struct store_append *a)
{
    ((struct store_world *)a->ctx)->pending--;
}

static inline void store_world_synced(struct store_sync *x)
{
    ((struct store_world *)x->ctx)->pending--;
}

static inline uint8_t store_world_byte(uint32_t number, uint32_t i)
{
    return (uint8_t)(number * 131 + i * 7 + i / 256 + 1);
}

/* An extent of n chunks of len bytes, numbered from `first`, for file offset `at`. Aligned; the caller frees it. */
static inline uint8_t *store_world_extent(uint64_t at, uint32_t first, uint32_t n, uint32_t len,
                                          struct chunk_ref *refs, size_t *bytes)
{
    struct buffer b;
    uint8_t *chunk = malloc(len), *extent;

    buffer_init(&b, 1 << 28);
    for (uint32_t k = 0; k < n; k++) {
        for (uint32_t i = 0; i < len; i++)
            chunk[i] = store_world_byte(first + k, i);
        cr_assert_eq(datafile_put(&b, at, chunk, len, &refs[k]), 0);
    }
    cr_assert_eq(datafile_seal(&b, at), 0);
    extent = aligned_alloc(DATAFILE_UNIT, b.len);
    memcpy(extent, b.data, b.len);
    *bytes = b.len;
    buffer_fini(&b);
    free(chunk);
    return extent;
}

static inline int store_world_append(struct store_world *w, struct store_file *f, uint32_t first,
                                     uint32_t n, uint32_t len, struct chunk_ref *refs)
{
    struct store_append a = {.file = f, .done = store_world_appended, .ctx = w};
    uint8_t *extent = store_world_extent(store_file_bytes(f), first, n, len, refs, &a.len);

    a.bytes = extent;
    w->pending++;
    reactor_set_self(w->r);
    store_append(w->store, &a);
    reactor_set_self(NULL);
    store_world_wait(w);
    free(extent);
    w->err = a.error;
    return a.rc;
}

static inline int store_world_sync(struct store_world *w, struct store_file *f)
{
    struct store_sync x = {.file = f, .done = store_world_synced, .ctx = w};

    w->pending++;
    reactor_set_self(w->r);
    store_sync(w->store, &x);
    reactor_set_self(NULL);
    store_world_wait(w);
    w->err = x.error;
    return x.rc;
}

/* A read whose bytes are compared with those of chunk `number` when it is done. */
struct store_world_read {
    struct store_read read;
    struct store_world *world;
    uint32_t number;
    bool done;
};

static inline void store_world_read_done(struct store_read *read)
{
    struct store_world_read *x = container_of(read, struct store_world_read, read);

    cr_assert(!x->done);
    x->done = true;
    x->world->pending--;
    cr_assert_eq(read->rc == 0, read->bytes != NULL);
    if (read->rc != 0)
        return;
    cr_assert_eq((uintptr_t)read->bytes % DATAFILE_ALIGN, 0);
    for (uint32_t i = 0; i < read->ref.len; i++)
        cr_assert_eq(read->bytes[i], store_world_byte(x->number, i));
}

static inline void store_world_start_read(struct store_world *w, struct store_world_read *x,
                                          struct store_file *f, uint32_t number,
                                          const struct chunk_ref *ref)
{
    *x = (struct store_world_read){.world = w, .number = number};
    x->read.file = f;
    x->read.ref = *ref;
    x->read.done = store_world_read_done;
    w->pending++;
    reactor_set_self(w->r);
    store_read(w->store, &x->read);
    reactor_set_self(NULL);
}

static inline int store_world_read(struct store_world *w, struct store_file *f, uint32_t number,
                                   const struct chunk_ref *ref)
{
    struct store_world_read x;

    store_world_start_read(w, &x, f, number, ref);
    store_world_wait(w);
    w->err = x.read.error;
    return x.read.rc;
}

static inline struct datafile_id store_world_id(uint32_t slot, uint64_t generation)
{
    return (struct datafile_id){.kind = DATAFILE_SEGMENT,
                                .table_id = 1,
                                .slot = slot,
                                .generation = generation};
}

static inline struct store_file *store_world_create(struct store_world *w, uint32_t slot)
{
    struct datafile_id id = store_world_id(slot, ++w->generation);
    struct store_file *f;

    cr_assert_eq(store_file_create(w->store, &id, &f, &w->err), 0, "%s", w->err.text);
    return f;
}
