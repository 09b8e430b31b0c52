#include "storage/wlog_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/wlog_format.h"
#include "storage/wlog_replay.h"

enum { FILL_CHUNK = 1 << 20 };

/* O_DIRECT where the file system can (tmpfs cannot), O_DSYNC always: a completed write is durable. */
static int open_file(struct reactor *r, const char *dir, uint64_t generation, int flags)
{
    char path[4096];

    wlog_path(path, sizeof(path), dir, generation);
    int fd = file_open(r, path, O_WRONLY | O_DSYNC | O_CLOEXEC | O_DIRECT | flags, 0600);
    return fd == -EINVAL ? file_open(r, path, O_WRONLY | O_DSYNC | O_CLOEXEC | flags, 0600) : fd;
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
    f->fd = open_file(r, dir, generation, 0);
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
    f->fd = open_file(r, dir, generation, O_CREAT | O_EXCL);
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
    f->state = WLOG_FILE_READY;
    return 0;
}

static void fill_ended(struct wlog_file *f, int rc)
{
    free(f->zeros);
    f->zeros = NULL;
    f->rc = rc;
    f->state = rc ? WLOG_FILE_FAILED : WLOG_FILE_READY;
    if (rc && f->fd >= 0) {
        file_close(f->reactor, f->fd);
        f->fd = -1;
    }
    f->ready(f);
}

static void fill_next(struct wlog_file *f)
{
    uint64_t left = f->size - f->filled;

    io_write(f->reactor, &f->op, f->fd, f->zeros, left < FILL_CHUNK ? (uint32_t)left : FILL_CHUNK,
             f->filled);
}

static void fill_done(struct io_op *op)
{
    struct wlog_file *f = (struct wlog_file *)((char *)op - offsetof(struct wlog_file, op));

    if (op->res <= 0) {
        fill_ended(f, op->res < 0 ? op->res : -EIO);
        return;
    }
    f->filled += (uint64_t)op->res & ~(uint64_t)(WLOG_UNIT - 1);
    if (f->filled == f->size)
        fill_ended(f, 0);
    else
        fill_next(f);
}

void wlog_file_prepare(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation,
                       uint64_t size, void (*ready)(struct wlog_file *f), void *ctx)
{
    init(f, r, generation);
    f->size = size;
    f->ready = ready;
    f->ctx = ctx;
    f->op.done = fill_done;
    f->state = WLOG_FILE_FILLING;
    f->fd = open_file(r, dir, generation, O_CREAT | O_TRUNC);
    int rc = f->fd < 0 ? f->fd : file_sync_dir(r, dir);
    f->zeros = aligned_alloc(WLOG_UNIT, FILL_CHUNK);
    if (!rc && !f->zeros)
        rc = -ENOMEM;
    if (rc) {
        fill_ended(f, rc);
        return;
    }
    memset(f->zeros, 0, FILL_CHUNK);
    fill_next(f);
}

void wlog_file_close(struct wlog_file *f)
{
    ASSERT(f->state != WLOG_FILE_FILLING);
    if (f->fd >= 0)
        file_close(f->reactor, f->fd);
    f->fd = -1;
    f->state = WLOG_FILE_NONE;
}
