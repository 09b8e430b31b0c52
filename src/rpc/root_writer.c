#include "rpc/root_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "reactor/list.h"
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

static void dir_synced(struct io_op *op)
{
    finish_renamed(container_of(op, struct root_writer, op), op->res < 0 ? op->res : 0);
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
    io_fsync(w->reactor, op, w->fd);
}

static void write_next(struct root_writer *w)
{
    size_t left = w->len - w->written;

    io_write(w->reactor, &w->op, w->fd, w->bytes + w->written,
             (uint32_t)(left < WRITE_BYTES ? left : WRITE_BYTES), w->written);
}

static void wrote(struct io_op *op)
{
    struct root_writer *w = container_of(op, struct root_writer, op);

    if (op->res <= 0) {
        finish(w, op->res < 0 ? op->res : -EIO, "write");
        return;
    }
    w->written += (uint32_t)op->res;
    if (w->written < w->len) {
        write_next(w);
        return;
    }
    op->done = synced;
    io_fdatasync(w->reactor, op, w->fd);
}

void root_writer_start(struct reactor *r, struct root_writer *w)
{
    char path[4096];

    w->reactor = r;
    w->rc = 0;
    w->is_uncertain = false;
    w->written = 0;
    w->op = (struct io_op){.done = wrote};
    path_of(w, ROOT_NEW_FILE, path);
    w->fd = file_open(r, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (w->fd < 0) {
        int rc = w->fd;
        finish(w, rc, "open");
        return;
    }
    write_next(w);
}
