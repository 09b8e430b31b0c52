#include "storage/archive_open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int archive_open_add(struct archive_open *x, struct slot *slot, int64_t partition)
{
    struct store_file *file = slot_archived_file(slot, partition);

    if (x->n == x->cap) {
        uint32_t cap = x->cap ? x->cap * 2 : 16;
        struct archive_opened *grown = realloc(x->list, cap * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        x->list = grown;
        x->cap = cap;
    }
    x->list[x->n++] = (struct archive_opened){.slot = slot,
                                              .partition = partition,
                                              .file = file ? store_file_get(file) : NULL};
    return 0;
}

static void next(struct archive_open *x);

static void finish(struct task *t)
{
    struct archive_open *x = container_of(t, struct archive_open, task);

    x->done(x); /* x may be gone */
}

static void fail(struct archive_open *x, int rc, const struct error_info *why)
{
    error_set(&x->error, rc, why->code ? why->code : 1030, "%s", why->text);
    x->rc = rc;
    next(x);
}

static void directory_read(struct store_read *read)
{
    struct archive_open *x = read->ctx;
    struct archive_opened *o = &x->list[x->at];
    int rc = read->rc;

    if (rc == 0)
        rc = slot_archive_open(o->slot, o->file, read->bytes, &o->segment, &read->error);
    if (rc != 0) {
        fail(x, rc, &read->error);
        return;
    }
    x->at++;
    next(x);
}

static void header_read(struct store_check *check)
{
    struct archive_open *x = check->ctx;
    struct archive_opened *o = &x->list[x->at];
    uint64_t bytes;

    if (check->rc != 0) {
        fail(x, check->rc, &check->error);
        return;
    }
    x->read = (struct store_read){.file = o->file, .done = directory_read, .ctx = x};
    store_file_directory(o->file, &x->read.ref, &bytes);
    store_read(x->store, &x->read);
}

static void next(struct archive_open *x)
{
    while (x->rc == 0 && x->at < x->n && !x->list[x->at].file)
        x->at++;
    if (x->rc == 0 && x->at < x->n) {
        x->check = (struct store_check){.file = x->list[x->at].file, .done = header_read, .ctx = x};
        store_check(x->store, &x->check);
        return;
    }
    x->task = (struct task){.run = finish};
    reactor_task(store_reactor(x->store), &x->task, TASK_IO);
}

void archive_open_start(struct archive_open *x)
{
    x->rc = 0;
    x->at = 0;
    next(x);
}

void archive_open_fini(struct archive_open *x)
{
    for (uint32_t i = 0; i < x->n; i++) {
        if (x->list[i].segment)
            segment_put(x->list[i].segment);
        store_file_put(x->list[i].file);
    }
    free(x->list);
    x->list = NULL;
    x->n = x->cap = 0;
}
