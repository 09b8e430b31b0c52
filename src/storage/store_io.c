/* Operations of the store: chunks in, extents out, syncs. All of them end in a callback of the ring or of a task. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "storage/device_pace.h"
#include "storage/store_impl.h"

/* Reads or writes in a row that bring nothing before the device counts as broken. */
enum { STALLS_MAX = 16, ER_DISK_FULL = 1021, ER_READ = 1024, ER_WRITE = 1026 };

enum read_state { READ_NONE, READ_WAITING, READ_RUNNING, READ_ENDED };

static uint64_t unit_down(uint64_t n)
{
    return n & ~(uint64_t)(DATAFILE_UNIT - 1);
}

static uint64_t unit_up(uint64_t n)
{
    return unit_down(n + DATAFILE_UNIT - 1);
}

static bool is_transient(int res)
{
    return res == -EINTR || res == -EAGAIN;
}

/* --- reading --- */

static int read_error(struct error_info *err, int rc, const struct store_file *f,
                      const struct chunk_ref *ref, const char *what)
{
    return error_set(err, rc, ER_READ, "reading %s at offset %llu, %u bytes: %s", f->name,
                     (unsigned long long)ref->offset, ref->len, what);
}

static int check_ref(const struct store_file *f, const struct chunk_ref *ref,
                     struct error_info *err)
{
    if (ref->offset < DATAFILE_UNIT || ref->offset % DATAFILE_ALIGN != 0 || ref->len == 0 ||
        ref->len > DATAFILE_MAX_CHUNK)
        return read_error(err, -EBADMSG, f, ref, "no chunk can be there");
    if (ref->offset > f->bytes || ref->len > f->bytes - ref->offset)
        return read_error(err, -EBADMSG, f, ref, "beyond the end of the file");
    return 0;
}

/* Bytes of whole units around the chunk. */
static size_t span(const struct chunk_ref *ref)
{
    return unit_up(ref->offset + ref->len) - unit_down(ref->offset);
}

/* Why fewer bytes came than the chunk has. */
static int short_error(struct error_info *err, const struct store_file *f,
                       const struct chunk_ref *ref)
{
    int64_t size = file_size(f->store->reactor, f->fd);
    char what[80];

    if (size < 0 || (uint64_t)size >= ref->offset + ref->len)
        return read_error(err, -EIO, f, ref, "the device gives fewer bytes");
    snprintf(what, sizeof(what), "the file ends after %lld bytes", (long long)size);
    return read_error(err, -EBADMSG, f, ref, what);
}

int store_check_chunk(const struct store_file *f, const struct chunk_ref *ref, const uint8_t *bytes,
                      struct error_info *err)
{
    return datafile_check_chunk(ref, bytes) ? 0
                                            : read_error(err, -EBADMSG, f, ref, "wrong checksum");
}

static void read_step(struct store_read *x)
{
    struct store_file *f = x->file;
    uint64_t left = span(&x->ref) - x->got;

    f->store->stats.reads++;
    io_read(f->store->reactor, &x->op, f->fd, x->memory + x->got, (uint32_t)left,
            unit_down(x->ref.offset) + x->got);
}

static void end_read(struct store_read *x)
{
    struct store *s = x->file->store;
    struct reactor *r = s->reactor;
    uint8_t *memory = x->memory;
    size_t bytes = span(&x->ref);

    x->state = READ_NONE;
    x->memory = NULL;
    s->reading_bytes -= bytes;
    if (!x->ahead)
        s->awaited_bytes -= bytes;
    x->done(x); /* x may be gone, and the store with it */
    free(memory);
    if (memory)
        budget_release(reactor_budget(r), bytes);
}

static void end_reads(struct task *t)
{
    struct store *s = container_of(t, struct store, end_reads);
    struct list *at;

    while ((at = list_pop_front(&s->ended)) != NULL)
        end_read(container_of(at, struct store_read, link));
}

/* Ends a read that is not in flight: `done` never runs inside of store_read or store_read_cancel. */
static void end_later(struct store *s, struct store_read *x, int rc)
{
    x->rc = rc;
    x->state = READ_ENDED;
    list_push_back(&s->ended, &x->link);
    s->end_reads.run = end_reads;
    reactor_task(s->reactor, &s->end_reads, TASK_IO);
}

static void read_done(struct io_op *op);

static int start_read(struct store_read *x)
{
    int rc = check_ref(x->file, &x->ref, &x->error);

    if (rc != 0)
        return rc;
    rc = store_file_use(x->file);
    if (rc != 0)
        return read_error(&x->error, -EIO, x->file, &x->ref, strerror(-rc));
    x->memory = aligned_alloc(DATAFILE_UNIT, span(&x->ref));
    if (!x->memory) {
        store_file_rest(x->file);
        return read_error(&x->error, -ENOMEM, x->file, &x->ref, "out of memory");
    }
    budget_charge_always(reactor_budget(x->file->store->reactor), span(&x->ref));
    x->op.done = read_done;
    x->state = READ_RUNNING;
    read_step(x);
    return 0;
}

static void start_reads(struct store *s)
{
    struct list *at;

    while (s->reading < STORE_READS && (at = list_pop_front(&s->waiting)) != NULL) {
        struct store_read *x = container_of(at, struct store_read, link);
        int rc = start_read(x);

        if (rc == 0)
            s->reading++;
        else
            end_later(s, x, rc);
    }
}

/* 1 = the chunk is there, 0 = read on, -errno. */
static int take_bytes(struct store_read *x, int32_t res)
{
    uint64_t end = x->ref.offset + x->ref.len - unit_down(x->ref.offset), got = x->got;

    if (x->cancelled)
        return error_set(&x->error, -ECANCELED, 0, "reading %s was cancelled", x->file->name);
    if (res < 0 && !is_transient(res))
        return read_error(&x->error, -EIO, x->file, &x->ref, strerror(-res));
    if (res > 0) {
        x->file->store->stats.read_bytes += (uint64_t)res;
        if (got + (uint64_t)res >= end)
            return 1;
        x->got = (uint32_t)unit_down(got + (uint64_t)res);
    }
    if (x->got != got)
        x->stalls = 0;
    else if (res == 0 || ++x->stalls > STALLS_MAX)
        return short_error(&x->error, x->file, &x->ref);
    return 0;
}

static void read_done(struct io_op *op)
{
    struct store_read *x = container_of(op, struct store_read, op);
    struct store *s = x->file->store;
    int rc = take_bytes(x, op->res);

    if (rc == 0) {
        read_step(x);
        return;
    }
    if (rc == 1) {
        x->bytes = x->memory + x->ref.offset % DATAFILE_UNIT;
        rc = x->unchecked ? 0 : store_check_chunk(x->file, &x->ref, x->bytes, &x->error);
    }
    x->rc = rc;
    if (rc != 0)
        x->bytes = NULL;
    s->reading--;
    store_file_rest(x->file);
    start_reads(s);
    end_read(x);
}

void store_read(struct store *s, struct store_read *x)
{
    ASSERT(x->file->store == s);
    x->rc = 0;
    x->bytes = NULL;
    x->memory = NULL;
    x->got = 0;
    x->stalls = 0;
    x->cancelled = false;
    x->state = READ_WAITING;
    s->reading_bytes += span(&x->ref);
    if (!x->ahead)
        s->awaited_bytes += span(&x->ref);
    list_push_back(&s->waiting, &x->link);
    start_reads(s);
}

uint64_t store_reading(const struct store *s)
{
    return s->reading_bytes;
}

uint64_t store_awaited(const struct store *s)
{
    return s->awaited_bytes;
}

void store_read_cancel(struct store *s, struct store_read *x)
{
    if (x->state == READ_WAITING) {
        list_remove(&x->link);
        end_later(s, x,
                  error_set(&x->error, -ECANCELED, 0, "reading %s was cancelled", x->file->name));
    } else if (x->state == READ_RUNNING && !x->cancelled) {
        x->cancelled = true;
        io_cancel(s->reactor, &x->op);
    }
}

int store_read_from(struct store_file *f, int fd, const struct chunk_ref *ref, uint8_t **bytes,
                    struct error_info *err)
{
    struct store *s = f->store;
    uint8_t *memory;
    int64_t n;
    int rc = check_ref(f, ref, err);

    if (rc != 0)
        return rc;
    memory = aligned_alloc(DATAFILE_UNIT, span(ref));
    if (!memory)
        return read_error(err, -ENOMEM, f, ref, "out of memory");
    s->stats.reads++;
    n = file_read_at(s->reactor, fd, memory, span(ref), unit_down(ref->offset));
    /* -EINVAL: read on at the end of a file that does not end with a unit. */
    if (n < 0 && n != -EINVAL)
        rc = read_error(err, -EIO, f, ref, strerror((int)-n));
    else if (n < (int64_t)(ref->offset % DATAFILE_UNIT + ref->len))
        rc = short_error(err, f, ref);
    if (rc == 0) {
        s->stats.read_bytes += (uint64_t)n;
        memmove(memory, memory + ref->offset % DATAFILE_UNIT, ref->len);
        rc = store_check_chunk(f, ref, memory, err);
    }
    if (rc != 0) {
        free(memory);
        return rc;
    }
    *bytes = memory;
    return 0;
}

int store_read_now(struct store *s, struct store_file *f, const struct chunk_ref *ref,
                   uint8_t **bytes, struct error_info *err)
{
    int rc = check_ref(f, ref, err);

    ASSERT(f->store == s);
    if (rc != 0)
        return rc;
    rc = store_file_use(f);
    if (rc != 0)
        return read_error(err, -EIO, f, ref, strerror(-rc));
    rc = store_read_from(f, f->fd, ref, bytes, err);
    store_file_rest(f);
    return rc;
}

/* Must so many device writes wait? Then the timer goes off when to ask again; else they are charged. */
static bool must_wait(struct store *s, struct timer *turn, unsigned writes)
{
    uint64_t wait = device_pace_take(s->pace, DEVICE_PACE_DATA, reactor_now_ns(s->reactor), writes);

    if (wait)
        timer_arm(s->reactor, turn, wait);
    return wait != 0;
}

/* --- appending --- */

static void append_step(struct store_append *a)
{
    struct store_file *f = a->file;
    size_t left = a->len - a->written;
    size_t bytes = f->header ? DATAFILE_UNIT : left < STORE_WRITE_BYTES ? left : STORE_WRITE_BYTES;

    if (must_wait(f->store, &a->turn, device_pace_writes(f->store->pace, bytes, false)))
        return;
    f->store->stats.writes++;
    if (f->header)
        io_write(f->store->reactor, &a->op, f->fd, f->header, DATAFILE_UNIT, 0);
    else
        io_write(f->store->reactor, &a->op, f->fd, a->bytes + a->written, (uint32_t)bytes,
                 f->bytes + a->written);
}

static int append_error(struct store_append *a, int res)
{
    bool full = res == -ENOSPC || res == -EDQUOT;
    uint64_t at = a->file->header ? 0 : a->file->bytes + a->written;

    return error_set(&a->error, full ? -ENOSPC : -EIO, full ? ER_DISK_FULL : ER_WRITE,
                     "writing %s at offset %llu: %s", a->file->name, (unsigned long long)at,
                     res == 0 ? "the device takes nothing" : strerror(-res));
}

/* 1 = all is written, 0 = write on, -errno. */
static int took_bytes(struct store_append *a, int32_t res)
{
    size_t whole = res > 0 ? unit_down((uint64_t)res) : 0;

    if (res < 0 && !is_transient(res))
        return append_error(a, res);
    if (res > 0)
        a->file->store->stats.write_bytes += (uint64_t)res;
    if (whole == 0)
        return ++a->stalls > STALLS_MAX ? append_error(a, 0) : 0;
    a->stalls = 0;
    if (a->file->header) {
        free(a->file->header);
        a->file->header = NULL;
        return 0;
    }
    a->written += whole;
    return a->written == a->len;
}

static void append_done(struct io_op *op)
{
    struct store_append *a = container_of(op, struct store_append, op);
    struct store_file *f = a->file;
    int rc = took_bytes(a, op->res);

    if (rc == 0) {
        append_step(a);
        return;
    }
    f->appends++;
    if (rc == 1)
        f->bytes += a->len;
    else /* gives the space back; nothing lies behind what counts */
        (void)file_truncate(f->store->reactor, f->fd, f->header ? 0 : f->bytes);
    a->rc = rc == 1 ? 0 : rc;
    f->appending = false;
    store_file_rest(f);
    a->done(a);
}

static void append_turn(struct timer *t)
{
    append_step(container_of(t, struct store_append, turn));
}

static void append_failed(struct task *t)
{
    struct store_append *a = container_of(t, struct store_append, later);

    a->done(a);
}

void store_append(struct store *s, struct store_append *a)
{
    struct store_file *f = a->file;
    int rc;

    ASSERT(f->store == s && !f->appending);
    ASSERT(a->len > 0 && a->len % DATAFILE_UNIT == 0 && (uintptr_t)a->bytes % DATAFILE_UNIT == 0);
    a->rc = 0;
    a->written = 0;
    a->stalls = 0;
    a->op.done = append_done;
    a->turn = (struct timer){.fire = append_turn};
    rc = store_file_use(f);
    if (rc != 0) {
        append_error(a, rc);
        a->rc = -EIO;
        a->later = (struct task){.run = append_failed};
        reactor_task(s->reactor, &a->later, TASK_IO);
        return;
    }
    f->appending = true;
    append_step(a);
}

/* --- syncing --- */

static void end_sync(struct store_sync *x, int rc)
{
    struct store_file *f = x->file;

    x->rc = rc;
    store_file_rest(f);
    x->done(x);
}

static void sync_failed(struct task *t)
{
    struct store_sync *x = container_of(t, struct store_sync, later);

    x->done(x);
}

static int sync_error(struct store_sync *x, int res, const char *path, size_t path_len)
{
    return error_set(&x->error, -EIO, ER_WRITE, "syncing %.*s: %s", (int)path_len, path,
                     strerror(-res));
}

static void folder_done(struct io_op *op);

static void folder_turn(struct timer *t)
{
    struct store_sync *x = container_of(t, struct store_sync, turn);
    struct store *s = x->file->store;

    if (must_wait(s, t, DEVICE_PACE_SYNC_FOLDER))
        return;
    s->stats.syncs++;
    io_fsync(s->reactor, &x->op, x->folder_fd);
}

/* Syncs the folder whose path are the first folder_len bytes of the file's: 0 or -EIO. */
static int sync_folder(struct store_sync *x)
{
    struct store_file *f = x->file;
    struct store *s = f->store;
    char *end = &f->name[x->folder_len], was = *end;

    *end = 0;
    x->folder_fd = file_open(s->reactor, f->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    *end = was;
    if (x->folder_fd < 0)
        return sync_error(x, x->folder_fd, f->name, x->folder_len);
    x->op.done = folder_done;
    x->turn.fire = folder_turn;
    folder_turn(&x->turn);
    return 0;
}

static size_t parent_len(const struct store_file *f, size_t len)
{
    while (f->name[--len] != '/')
        ;
    return len;
}

static void folder_done(struct io_op *op)
{
    struct store_sync *x = container_of(op, struct store_sync, op);
    struct store_folder *folder = x->file->folder;
    size_t top = strlen(x->file->store->dir);
    int rc = op->res < 0 ? sync_error(x, op->res, x->file->name, x->folder_len) : 0;

    file_close(x->file->store->reactor, x->folder_fd);
    if (rc == 0 && !folder->parents_synced && x->folder_len > top) {
        x->folder_len = parent_len(x->file, x->folder_len);
        rc = sync_folder(x);
        if (rc == 0)
            return;
    }
    if (rc == 0) {
        folder->parents_synced = true;
        if (folder->synced < x->covered)
            folder->synced = x->covered;
    }
    end_sync(x, rc);
}

static void data_done(struct io_op *op)
{
    struct store_sync *x = container_of(op, struct store_sync, op);
    struct store_file *f = x->file;
    int rc;

    /* Also after an error, which was told now. */
    if (f->synced < x->covered)
        f->synced = x->covered;
    if (op->res < 0) {
        end_sync(x, sync_error(x, op->res, f->name, strlen(f->name)));
        return;
    }
    if (!f->folder || f->entry <= f->folder->synced) {
        end_sync(x, 0);
        return;
    }
    x->covered = f->folder->created;
    x->folder_len = parent_len(f, strlen(f->name));
    rc = sync_folder(x);
    if (rc != 0)
        end_sync(x, rc);
}

static void data_turn(struct timer *t)
{
    struct store_sync *x = container_of(t, struct store_sync, turn);
    struct store *s = x->file->store;

    if (must_wait(s, t, DEVICE_PACE_SYNC))
        return;
    s->stats.syncs++;
    io_fdatasync(s->reactor, &x->op, x->file->fd);
}

void store_sync(struct store *s, struct store_sync *x)
{
    struct store_file *f = x->file;
    int rc = store_file_use(f);

    ASSERT(f->store == s && !f->appending);
    x->rc = 0;
    if (rc != 0) {
        x->rc = sync_error(x, rc, f->name, strlen(f->name));
        x->later = (struct task){.run = sync_failed};
        reactor_task(s->reactor, &x->later, TASK_IO);
        return;
    }
    x->covered = f->appends;
    x->op.done = data_done;
    x->turn = (struct timer){.fire = data_turn};
    data_turn(&x->turn);
}
