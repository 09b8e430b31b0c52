#include "storage/wlog_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/wlog_format.h"
#include "storage/wlog_replay.h"

enum {
    FILL_CHUNK = DEVICE_PACE_PIECE_BYTES, /* what a group may have to wait for */
    FILL_PAUSE_NS = 4000000,              /* 64 MiB in about a second */
    JOURNAL_WRITES = 16, /* of the file system to make a file: directory, inode, bitmaps, extents */
};

/* O_DIRECT where the file system can (tmpfs cannot). */
static int open_file(struct reactor *r, const char *dir, uint64_t generation, int flags)
{
    char path[4096];

    flags |= O_WRONLY | O_CLOEXEC;
    wlog_path(path, sizeof(path), dir, generation);
    int fd = file_open(r, path, O_DIRECT | flags, 0600);
    /* Some kernels make the file before they find that it cannot be opened so. */
    return fd == -EINVAL ? file_open(r, path, flags & ~O_EXCL, 0600) : fd;
}

static void init(struct wlog_file *f, struct reactor *r, uint64_t generation)
{
    memset(f, 0, sizeof(*f));
    f->fd = -1;
    f->reactor = r;
    f->generation = generation;
}

int wlog_file_open(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation)
{
    init(f, r, generation);
    f->fd = open_file(r, dir, generation, O_DSYNC);
    if (f->fd < 0)
        return f->fd;
    int64_t size = file_size(r, f->fd);
    if (size < 0) {
        file_close(r, f->fd);
        return (int)size;
    }
    f->size = (uint64_t)size & ~(uint64_t)(WLOG_UNIT - 1);
    f->state = WLOG_FILE_READY;
    return 0;
}

int wlog_file_create(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation,
                     uint64_t size)
{
    init(f, r, generation);
    f->fd = open_file(r, dir, generation, O_DSYNC | O_CREAT | O_EXCL);
    if (f->fd < 0)
        return f->fd;
    int rc = file_allocate(r, f->fd, 0, size);
    if (!rc)
        rc = file_sync(r, f->fd);
    if (!rc)
        rc = file_sync_dir(r, dir);
    if (rc) {
        file_close(r, f->fd);
        return rc;
    }
    f->size = size;
    f->unwritten = true;
    f->state = WLOG_FILE_READY;
    return 0;
}

/* What is left of a file that could not be made would only take space. */
static void delete_rest(struct wlog_file *f)
{
    char path[4096];

    wlog_path(path, sizeof(path), f->dir, f->generation);
    file_unlink(f->reactor, path);
}

static void fill_ended(struct wlog_file *f, int rc)
{
    free(f->zeros);
    f->zeros = NULL;
    if (!rc) {
        f->fd = open_file(f->reactor, f->dir, f->generation, O_DSYNC);
        rc = f->fd < 0 ? f->fd : 0;
    }
    if (f->fill_fd >= 0)
        file_close(f->reactor, f->fill_fd);
    if (rc && f->fill_fd >= 0)
        delete_rest(f);
    f->fill_fd = -1;
    f->rc = rc;
    f->state = rc ? WLOG_FILE_FAILED : WLOG_FILE_READY;
    f->ready(f);
}

static void fill_next(struct wlog_file *f)
{
    uint64_t left = f->size - f->filled;
    uint32_t bytes = left < FILL_CHUNK ? (uint32_t)left : FILL_CHUNK;
    uint64_t wait = device_pace_take(f->pace, DEVICE_PACE_LOG, reactor_now_ns(f->reactor),
                                     device_pace_writes(f->pace, bytes, false));

    if (wait) {
        timer_arm(f->reactor, &f->turn, wait);
        return;
    }
    io_write(f->reactor, &f->op, f->fill_fd, f->zeros, bytes, f->filled);
}

/* A file filled in one go keeps the device busy for a quarter of a second, and every commit with it. */
static void fill_on(struct wlog_file *f)
{
    if (f->filled < f->needed)
        fill_next(f);
    else
        timer_arm(f->reactor, &f->turn, FILL_PAUSE_NS);
}

void wlog_file_need(struct wlog_file *f, uint64_t bytes)
{
    if (f->state != WLOG_FILE_FILLING || bytes <= f->needed)
        return;
    f->needed = bytes;
    if (f->turn.armed && f->filled < f->needed) {
        timer_cancel(f->reactor, &f->turn);
        fill_next(f);
    }
}

static void turn_fired(struct timer *t)
{
    fill_next((struct wlog_file *)((char *)t - offsetof(struct wlog_file, turn)));
}

static void sync_done(struct io_op *op)
{
    struct wlog_file *f = (struct wlog_file *)((char *)op - offsetof(struct wlog_file, op));

    fill_ended(f, f->cancelled ? -ECANCELED : op->res);
}

static void fill_done(struct io_op *op)
{
    struct wlog_file *f = (struct wlog_file *)((char *)op - offsetof(struct wlog_file, op));

    if (op->res <= 0 || f->cancelled) {
        fill_ended(f, f->cancelled ? -ECANCELED : op->res < 0 ? op->res : -EIO);
        return;
    }
    f->filled += (uint64_t)op->res & ~(uint64_t)(WLOG_UNIT - 1);
    if (f->filled < f->size) {
        fill_on(f);
        return;
    }
    f->op.done = sync_done;
    io_fdatasync(f->reactor, &f->op, f->fill_fd);
}

void wlog_file_prepare(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation,
                       struct device_pace *pace, void (*ready)(struct wlog_file *f))
{
    uint64_t size = f->size;
    void *ctx = f->ctx;

    init(f, r, generation);
    f->size = size;
    f->ready = ready;
    f->ctx = ctx;
    f->dir = dir;
    f->pace = pace;
    f->op.done = fill_done;
    f->turn.fire = turn_fired;
    f->state = WLOG_FILE_FILLING;
    f->fill_fd = open_file(r, dir, generation, O_CREAT | O_TRUNC);
    int rc = f->fill_fd < 0 ? f->fill_fd : file_sync_dir(r, dir);
    if (!rc)
        rc = file_allocate(r, f->fill_fd, 0,
                           size); /* a full disk is known before anything is written */
    f->zeros = aligned_alloc(WLOG_UNIT, FILL_CHUNK);
    if (!rc && !f->zeros)
        rc = -ENOMEM;
    if (rc) {
        fill_ended(f, rc);
        return;
    }
    memset(f->zeros, 0, FILL_CHUNK);
    device_pace_charge(pace, reactor_now_ns(r), JOURNAL_WRITES);
    fill_next(f);
}

void wlog_file_cancel(struct wlog_file *f)
{
    f->cancelled = true;
    if (f->turn.armed) {
        timer_cancel(f->reactor, &f->turn);
        fill_ended(f, -ECANCELED);
    }
}

void wlog_file_close(struct wlog_file *f)
{
    ASSERT(f->state != WLOG_FILE_FILLING);
    if (f->fd >= 0)
        file_close(f->reactor, f->fd);
    f->fd = -1;
    f->state = WLOG_FILE_NONE;
}
