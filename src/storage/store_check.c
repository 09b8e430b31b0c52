/* Store: is a file that was only named so far the one that its id says? Its header is read through the ring. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/store_impl.h"

enum { ER_CANT_OPEN = 1016, ER_READ = 1024, TRIES_MAX = 16 };

static void finish(struct store_check *x, int rc)
{
    x->rc = rc;
    free(x->unit);
    x->unit = NULL;
    x->done(x); /* x may be gone */
}

static void failed(struct task *t)
{
    struct store_check *x = container_of(t, struct store_check, later);

    finish(x, x->rc);
}

static void read_header(struct store_check *x)
{
    struct store *s = x->file->store;

    s->stats.reads++;
    io_read(s->reactor, &x->op, x->file->fd, x->unit, DATAFILE_UNIT, 0);
}

static bool is_worth_another(int res)
{
    return res == -EINTR || res == -EAGAIN || (res > 0 && res < DATAFILE_UNIT);
}

static void header_read(struct io_op *op)
{
    struct store_check *x = container_of(op, struct store_check, op);
    struct store_file *f = x->file;
    struct error_info why;
    int rc = 0;

    if (is_worth_another(op->res) && ++x->tries < TRIES_MAX) {
        read_header(x);
        return;
    }
    if (op->res != DATAFILE_UNIT)
        rc = error_set(&x->error, op->res < 0 ? -EIO : -EBADMSG, ER_READ,
                       "reading %s at offset 0: %s", f->name,
                       op->res < 0 ? strerror(-op->res) : "the file ends in its header");
    else if (datafile_check_header(x->unit, &f->id, f->store->directory_id, &why) != 0)
        rc = error_set(&x->error, -EBADMSG, ER_READ, "%s: header at offset 0: %s", f->name,
                       why.text);
    f->store->reading--;
    store_file_rest(f);
    finish(x, rc);
}

static int begin(struct store_check *x)
{
    struct store_file *f = x->file;
    int rc = store_file_use(f);

    if (rc != 0)
        return error_set(&x->error, rc, ER_CANT_OPEN, "opening %s: %s", f->name, strerror(-rc));
    rc = store_file_check_size(f, &x->error);
    if (rc == 0 && !(x->unit = aligned_alloc(DATAFILE_UNIT, DATAFILE_UNIT)))
        rc = error_set(&x->error, -ENOMEM, 1037, "out of memory opening %s", f->name);
    if (rc != 0) {
        store_file_rest(f);
        return rc;
    }
    x->op = (struct io_op){.done = header_read};
    f->store->reading++;
    read_header(x);
    return 0;
}

void store_check(struct store *s, struct store_check *x)
{
    ASSERT(x->file->store == s);
    x->unit = NULL;
    x->tries = 0;
    x->rc = begin(x);
    if (x->rc == 0)
        return;
    x->later = (struct task){.run = failed};
    reactor_task(s->reactor, &x->later, TASK_IO);
}
