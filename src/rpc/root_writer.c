#include "rpc/root_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "reactor/list.h"
#include "storage/device_pace.h"
#include "storage/root.h"

enum { WRITE_BYTES = 1 << 20 };

static void path_of(const struct root_writer *w, const char *name, char out[static 4096])
{
    snprintf(out, 4096, "%s/%s", w->dir, name);
}

static void finish(struct root_writer *w, int rc, const char *what)
{
    char path[4096];

    if (w->fd >= 0)
        file_close(w->reactor, w->fd);
    w->fd = -1;
    path_of(w, ROOT_NEW_FILE, path);
    w->rc = rc;
    if (rc)
        error_set(&w->error, rc, 0, "%s: %s: %s", path, what, strerror(-rc));
    w->done(w);
}

static void finish_renamed(struct root_writer *w, int rc)
{
    w->is_uncertain = rc != 0;
    finish(w, rc, "sync of the directory after the rename");
}

/* Goes on with `next` when the device may take so many writes. */
static void turn_fired(struct timer *t)
{
    struct root_writer *w = container_of(t, struct root_writer, turn);
    uint64_t wait =
        device_pace_take(w->pace, DEVICE_PACE_DATA, reactor_now_ns(w->reactor), w->writes);

    if (wait)
        timer_arm(w->reactor, t, wait);
    else
        w->next(w);
}

static void take_turn(struct root_writer *w, unsigned writes, void (*next)(struct root_writer *w))
{
    w->writes = writes;
    w->next = next;
    turn_fired(&w->turn);
}

static void dir_synced(struct io_op *op)
{
    finish_renamed(container_of(op, struct root_writer, op), op->res < 0 ? op->res : 0);
}

static void sync_dir(struct root_writer *w)
{
    io_fsync(w->reactor, &w->op, w->fd);
}

static void synced(struct io_op *op)
{
    struct root_writer *w = container_of(op, struct root_writer, op);
    char from[4096], to[4096];

    if (op->res < 0) {
        finish(w, op->res, "sync");
        return;
    }
    path_of(w, ROOT_NEW_FILE, from);
    path_of(w, ROOT_FILE, to);
    int rc = file_rename(w->reactor, from, to);
    if (rc) {
        finish(w, rc, "rename");
        return;
    }
    file_close(w->reactor, w->fd);
    w->fd = file_open(w->reactor, w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (w->fd < 0) {
        rc = w->fd;
        finish_renamed(w, rc);
        return;
    }
    op->done = dir_synced;
    take_turn(w, DEVICE_PACE_SYNC, sync_dir);
}

static void write_next(struct root_writer *w);

static size_t chunk_of(const struct root_writer *w)
{
    size_t left = w->len - w->written;

    return left < WRITE_BYTES ? left : WRITE_BYTES;
}

static void write_chunk(struct root_writer *w)
{
    io_write(w->reactor, &w->op, w->fd, w->bytes + w->written, (uint32_t)chunk_of(w), w->written);
}

static void sync_file(struct root_writer *w)
{
    io_fdatasync(w->reactor, &w->op, w->fd);
}

static void chunk_synced(struct io_op *op)
{
    struct root_writer *w = container_of(op, struct root_writer, op);

    if (op->res < 0)
        finish(w, op->res, "sync");
    else
        write_next(w);
}

/* Under a cap every chunk goes to the device at once: a large root in one sync would be a burst. */
static void wrote(struct io_op *op)
{
    struct root_writer *w = container_of(op, struct root_writer, op);

    if (op->res <= 0) {
        finish(w, op->res < 0 ? op->res : -EIO, "write");
        return;
    }
    w->written += (uint32_t)op->res;
    if (w->written < w->len && (!w->pace || !w->pace->interval_ns)) {
        write_next(w);
        return;
    }
    op->done = w->written < w->len ? chunk_synced : synced;
    take_turn(w, DEVICE_PACE_SYNC, sync_file);
}

static void write_next(struct root_writer *w)
{
    w->op.done = wrote;
    take_turn(w, device_pace_writes(w->pace, chunk_of(w), false), write_chunk);
}

void root_writer_start(struct reactor *r, struct root_writer *w)
{
    char path[4096];

    w->reactor = r;
    w->rc = 0;
    w->is_uncertain = false;
    w->written = 0;
    w->op = (struct io_op){0};
    w->turn = (struct timer){.fire = turn_fired};
    path_of(w, ROOT_NEW_FILE, path);
    w->fd = file_open(r, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (w->fd < 0) {
        int rc = w->fd;
        finish(w, rc, "open");
        return;
    }
    write_next(w);
}
