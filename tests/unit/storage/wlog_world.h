#pragma once
/*
 * A log on the simulator's disk, driven step by step from the test: appends numbered from 1 whose
 * payloads follow from their numbers, and what a replay tells.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/core.h"
#include "reactor/io.h"
#include "reactor/io_sim.h"
#include "reactor/log.h"
#include "storage/device_pace.h"
#include "storage/wlog.h"
#include "storage/wlog_format.h"
#include "storage/wlog_replay.h"

enum { WORLD_STEPS = 1000000, WORLD_APPENDS = 4096 };

/* One append of one record. Owner: the world. */
struct world_append {
    struct wlog_append append;
    struct wlog_record record;
    struct world *world;
    bool done;
};

struct world {
    struct sim *sim;
    struct sim_disk *disk;
    struct reactor_group *group;
    struct reactor *r;
    unsigned cores; /* 0 = one; the log's is the first */
    struct wlog *log;
    struct wlog_config config;
    struct device_pace pace;
    struct error_info err;
    struct world_append *appends[WORLD_APPENDS]; /* by number - 1 */
    uint32_t n, ended, failed;
    uint32_t replayed; /* records of the last open */
    uint32_t first;    /* number of the first one; 0 = none was replayed */
    uint32_t
        released; /* up to so many records need not be replayed: the first may be one of 1 to released + 1 */
    bool closed;
    uint32_t again; /* of these many more appends are made in `done` */
    uint32_t again_bytes;
    bool close_again; /* the last of them is followed by a close, also in `done` */
};

/* A core that goes without warning leaves its memory behind: no leaks are looked for from here on. */
void __lsan_disable(void) __attribute__((weak));

static inline uint8_t world_byte(uint64_t number, uint32_t i)
{
    return (uint8_t)(number * 131 + i * 7 + i / 256);
}

static inline int world_start_nothing(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    return 0;
}

static inline void world_start_core(struct world *w)
{
    struct reactor_config config = {.cores = w->cores ? w->cores : 1,
                                    .io = REACTOR_IO_SIM,
                                    .sim = w->sim,
                                    .sim_disk = w->disk,
                                    .memory = 1 << 26};
    char err[200];

    cr_assert_eq(reactor_group_new(&config, &w->group, err, sizeof(err)), 0, "%s", err);
    cr_assert_eq(reactor_group_start(w->group, world_start_nothing, NULL), 0);
    w->r = reactor_group_get(w->group, 0);
}

static inline void world_init(struct world *w, uint64_t seed, uint64_t file_bytes)
{
    memset(w, 0, sizeof(*w));
    log_level = LOG_ERROR;
    w->sim = sim_new(seed);
    w->disk = sim_disk_new(w->sim, 0);
    w->config = (struct wlog_config){.dir = "data", .file_bytes = file_bytes};
    world_start_core(w);
    cr_assert_eq(file_mkdir(w->r, "data"), 0);
    cr_assert_eq(file_sync_dir(w->r, "."), 0);
}

/* Of device writes a second, for the next open. */
static inline void world_cap(struct world *w, unsigned iops)
{
    device_pace_init(&w->pace, w->r, "data", iops);
    w->config.pace = &w->pace;
}

static inline void world_fini(struct world *w)
{
    sim_kill(w->group);
    reactor_group_free(w->group);
    for (uint32_t i = 0; i < w->n; i++) {
        free((void *)w->appends[i]->record.payload);
        free(w->appends[i]);
    }
    sim_disk_free(w->disk);
    sim_free(w->sim);
}

/* Replay must give the appends in order, each as it was: number = slot LSN. */
static inline int world_apply(void *ctx, const struct wlog_record *rec, uint64_t node_lsn)
{
    struct world *w = ctx;
    const uint8_t *bytes = rec->payload;

    if (!w->replayed++) {
        w->first = (uint32_t)node_lsn;
        cr_assert(w->first >= 1 && w->first <= w->released + 1);
    }
    cr_assert_eq(node_lsn, w->first + w->replayed - 1);
    cr_assert_eq(rec->slot_lsn, rec->sequence);
    cr_assert_eq((uintptr_t)bytes % 8, 0);
    for (uint32_t i = 0; i < rec->len; i++)
        cr_assert_eq(bytes[i], world_byte(rec->slot_lsn, i));
    return 0;
}

static inline int world_open(struct world *w)
{
    w->replayed = w->first = 0;
    w->closed = false;
    reactor_set_self(w->r);
    int rc = wlog_open(w->r, &w->config, world_apply, w, &w->log, &w->err);
    reactor_set_self(NULL);
    if (rc)
        w->log = NULL;
    return rc;
}

static inline void world_append(struct world *w, uint32_t bytes);

static inline void world_closed(void *ctx)
{
    ((struct world *)ctx)->closed = true;
    ((struct world *)ctx)->log = NULL;
}

static inline void world_append_done(struct wlog_append *a)
{
    struct world_append *x = container_of(a, struct world_append, append);
    struct world *w = x->world;

    cr_assert(!x->done);
    x->done = true;
    w->ended++;
    w->failed += a->rc != 0;
    if (w->again) {
        w->again--;
        world_append(w, w->again_bytes);
    } else if (w->close_again) {
        w->close_again = false;
        wlog_close(w->log, world_closed, w);
    }
}

/* The next append, not yet given to the log. */
static inline struct world_append *world_make(struct world *w, uint32_t bytes)
{
    struct world_append *x = calloc(1, sizeof(*x));
    uint8_t *payload = malloc(bytes + 1);

    cr_assert_lt(w->n, WORLD_APPENDS);
    w->appends[w->n++] = x;
    for (uint32_t i = 0; i < bytes; i++)
        payload[i] = world_byte(w->n, i);
    x->world = w;
    x->record = (struct wlog_record){.kind = LOG_BATCH,
                                     .slot = w->n % 8,
                                     .slot_lsn = w->n,
                                     .client = 1,
                                     .sequence = w->n,
                                     .payload = payload,
                                     .len = bytes};
    x->append.records = &x->record;
    x->append.n = 1;
    x->append.done = world_append_done;
    return x;
}

/* On the core. */
static inline void world_append(struct world *w, uint32_t bytes)
{
    wlog_append(w->log, &world_make(w, bytes)->append);
}

static inline void world_submit(struct world *w, uint32_t bytes)
{
    reactor_set_self(w->r);
    world_append(w, bytes);
    reactor_set_self(NULL);
}

/* The last append, which ended, never was: its number is used again. */
static inline void world_forget(struct world *w)
{
    struct world_append *x = w->appends[--w->n];

    w->ended = w->n;
    free((void *)x->record.payload);
    free(x);
}

static inline bool world_all_ended(void *ctx)
{
    const struct world *w = ctx;

    return w->ended == w->n;
}

static inline bool world_never(void *ctx)
{
    (void)ctx;
    return false;
}

/* Until every append has ended. */
static inline void world_wait(struct world *w)
{
    cr_assert_eq(reactor_sim_run(w->group, world_all_ended, w, WORLD_STEPS), 0);
}

/* Until nothing more can happen, background work included. */
static inline void world_settle(struct world *w)
{
    cr_assert_eq(reactor_sim_run(w->group, world_never, w, WORLD_STEPS), -ETIME);
}

static inline void world_write(struct world *w, uint32_t bytes)
{
    world_submit(w, bytes);
    world_wait(w);
    cr_assert_eq(w->appends[w->n - 1]->append.rc, 0);
}

static inline bool world_is_closed(void *ctx)
{
    return ((struct world *)ctx)->closed;
}

static inline void world_start_close(struct world *w)
{
    reactor_set_self(w->r);
    wlog_close(w->log, world_closed, w);
    reactor_set_self(NULL);
}

static inline void world_close(struct world *w)
{
    world_start_close(w);
    cr_assert_eq(reactor_sim_run(w->group, world_is_closed, w, WORLD_STEPS), 0);
}

/* The node goes, with power or without; a new core on the same disk. Call world_expect_loss before world_open. */
static inline void world_expect_loss(void)
{
    if (__lsan_disable)
        __lsan_disable();
}

static inline void world_lose_core(struct world *w, bool power)
{
    if (power)
        sim_crash(w->group);
    else
        sim_kill(w->group);
    reactor_group_free(w->group);
    w->log = NULL;
    world_start_core(w);
}

static inline void world_path(char *out, size_t cap, uint64_t generation)
{
    wlog_path(out, cap, "data", generation);
}

/* A file's bytes, from malloc; NULL, of length 0, when it does not exist. */
static inline uint8_t *world_read(struct world *w, uint64_t generation, size_t *len)
{
    char path[100];

    *len = 0;
    world_path(path, sizeof(path), generation);
    int fd = file_open(w->r, path, O_RDONLY, 0);
    if (fd < 0)
        return NULL;
    *len = (size_t)file_size(w->r, fd);
    uint8_t *bytes = malloc(*len + 1);
    cr_assert_eq(file_read_at(w->r, fd, bytes, *len, 0), (int64_t)*len);
    file_close(w->r, fd);
    return bytes;
}

/* Sets bytes [from, to) on the medium to zero. */
static inline void world_zero(struct world *w, uint64_t generation, size_t from, size_t to)
{
    char path[100];
    size_t len;
    uint8_t *bytes = world_read(w, generation, &len);

    world_path(path, sizeof(path), generation);
    for (size_t i = from; i < to && i < len; i++)
        if (bytes[i])
            cr_assert_eq(sim_disk_flip(w->disk, path, i, bytes[i]), 0);
    free(bytes);
}

static inline void world_flip(struct world *w, uint64_t generation, size_t at, uint8_t mask)
{
    char path[100];

    world_path(path, sizeof(path), generation);
    cr_assert_eq(sim_disk_flip(w->disk, path, at, mask), 0);
}

/* Offset behind the last frame of a file. */
static inline size_t world_end(struct world *w, uint64_t generation)
{
    size_t len, at = 0;
    uint8_t *bytes = world_read(w, generation, &len);
    struct wlog_frame f;

    while (at < len && wlog_frame_read(bytes + at, len - at, &f, NULL) == WLOG_FRAME)
        at += f.bytes;
    free(bytes);
    return at;
}
