/*
 * Chunks in the order of their file at the start of the program. Nothing else reads a file that far ahead of a blocking
 * call; what was read is given back to the system at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "reactor/io.h"
#include "storage/store_impl.h"

enum {
    AHEAD_BYTES = 16 << 20, /* on their way or waiting */
    AHEAD_STEP = 4 << 20,   /* asked for at a time */
};

int store_ahead_begin(struct store_ahead *x, struct store_file *f, struct error_info *err)
{
    int rc = store_file_use(f);

    if (rc != 0)
        return error_set(err, -EIO, 1016, "opening %s: %s", f->name, strerror(-rc));
    *x = (struct store_ahead){.file = f, .asked = DATAFILE_UNIT};
    x->fd = file_open(f->store->reactor, f->name, O_RDONLY | O_CLOEXEC, 0);
    return 0;
}

/* What lies up to AHEAD_BYTES behind the offset. */
static void ask(struct store_ahead *x, uint64_t offset)
{
    struct reactor *r = x->file->store->reactor;
    uint64_t end = offset + AHEAD_BYTES < x->file->bytes ? offset + AHEAD_BYTES : x->file->bytes;

    if (x->asked < offset)
        x->asked = offset & ~(uint64_t)(DATAFILE_UNIT - 1);
    while (x->asked < end && (end == x->file->bytes || end - x->asked >= AHEAD_STEP)) {
        uint64_t n = end - x->asked < AHEAD_STEP ? end - x->asked : AHEAD_STEP;

        file_advise(r, x->fd, x->asked, n, true);
        x->asked += n;
    }
}

/* What lies before the offset was used. */
static void give_back(struct store_ahead *x, uint64_t offset)
{
    if (offset < x->kept + AHEAD_STEP)
        return;
    file_advise(x->file->store->reactor, x->fd, x->kept, offset - x->kept, false);
    x->kept = offset & ~(uint64_t)(DATAFILE_UNIT - 1);
}

int store_ahead_read(struct store_ahead *x, const struct chunk_ref *ref, uint8_t **bytes,
                     struct error_info *err)
{
    if (x->fd < 0)
        return store_read_from(x->file, x->file->fd, ref, bytes, err);
    ask(x, ref->offset);
    int rc = store_read_from(x->file, x->fd, ref, bytes, err);
    give_back(x, ref->offset);
    return rc;
}

void store_ahead_end(struct store_ahead *x)
{
    struct reactor *r = x->file->store->reactor;

    if (x->fd >= 0) {
        file_advise(r, x->fd, 0, 0, false);
        file_close(r, x->fd);
    }
    store_file_rest(x->file);
}
