/*
 * Fake disk: every file has its present contents and those that would survive a power loss; names
 * likewise. Operations take effect when they complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/sim_disk.h"

enum { LATENCY_MIN_NS = 5000, LATENCY_DEFAULT_NS = 200000, ROT_BYTES = 256 };

struct sim_disk *sim_disk_new(struct sim *w, uint64_t bytes_max)
{
    struct sim_disk *d = sim_alloc(sizeof *d);

    d->world = w;
    d->bytes_max = bytes_max;
    list_init(&d->names);
    list_init(&d->durable_names);
    list_init(&d->changes);
    return d;
}

uint64_t sim_disk_used(const struct sim_disk *d)
{
    uint64_t used = 0;

    list_for_each(at, &d->names)
    {
        const struct sim_name *n = container_of(at, struct sim_name, link);

        used += n->inode ? n->inode->size : 0;
    }
    return used;
}

int sim_disk_flip(struct sim_disk *d, const char *path, uint64_t off, uint8_t mask)
{
    struct sim_name *n = sim_name_find(&d->names, path);

    if (!n || !n->inode)
        return -ENOENT;
    if (off >= n->inode->size)
        return -EINVAL;
    n->inode->bytes[off] ^= mask;
    n->inode->durable[off] ^= mask;
    return 0;
}

struct sim_inode *sim_inode_new(void)
{
    struct sim_inode *i = sim_alloc(sizeof *i);

    i->references = 1;
    return i;
}

void sim_inode_put(struct sim_inode *i)
{
    if (!i || --i->references > 0)
        return;
    free(i->bytes);
    free(i->durable);
    free(i->dirty);
    free(i);
}

static void *grow_zeroed(void *p, size_t from, size_t to)
{
    uint8_t *bytes = realloc(p, to);

    ASSERT(bytes);
    memset(bytes + from, 0, to - from);
    return bytes;
}

static void inode_reserve(struct sim_inode *i, size_t size)
{
    size_t cap = i->cap ? i->cap : 8 * SIM_SECTOR;

    if (size <= i->cap)
        return;
    while (cap < size)
        cap *= 2;
    i->bytes = grow_zeroed(i->bytes, i->cap, cap);
    i->durable = grow_zeroed(i->durable, i->cap, cap);
    i->dirty = grow_zeroed(i->dirty, i->cap / SIM_SECTOR, cap / SIM_SECTOR);
    i->cap = cap;
}

static void mark_dirty(struct sim_inode *i, uint64_t off, uint64_t len)
{
    uint64_t first = off / SIM_SECTOR, end = (off + len + SIM_SECTOR - 1) / SIM_SECTOR;

    if (len == 0)
        return;
    memset(i->dirty + first, 1, end - first);
    if (i->dirty_end == 0 || first < i->dirty_first)
        i->dirty_first = first;
    if (end > i->dirty_end)
        i->dirty_end = end;
}

static void inode_write(struct sim_inode *i, const void *bytes, uint64_t len, uint64_t off)
{
    inode_reserve(i, off + len);
    if (len)
        memcpy(i->bytes + off, bytes, len);
    mark_dirty(i, off, len);
    if (off + len > i->size)
        i->size = off + len;
}

static void inode_resize(struct sim_inode *i, uint64_t size)
{
    inode_reserve(i, size);
    if (size < i->size) {
        memset(i->bytes + size, 0, i->size - size);
        mark_dirty(i, size, i->size - size);
    }
    i->size = size;
}

/* A written range becomes durable, with the length it gave the file; what else is dirty stays so. */
static void inode_sync_range(struct sim_inode *i, uint64_t off, uint64_t len)
{
    uint64_t first = off / SIM_SECTOR, end = (off + len + SIM_SECTOR - 1) / SIM_SECTOR;

    memcpy(i->durable + first * SIM_SECTOR, i->bytes + first * SIM_SECTOR,
           (end - first) * SIM_SECTOR);
    memset(i->dirty + first, 0, end - first);
    if (i->durable_size < off + len)
        i->durable_size = off + len;
}

/* Present contents become durable. */
static void inode_sync(struct sim_inode *i)
{
    for (uint64_t s = i->dirty_first; s < i->dirty_end; s++)
        if (i->dirty[s])
            memcpy(i->durable + s * SIM_SECTOR, i->bytes + s * SIM_SECTOR, SIM_SECTOR);
    i->durable_size = i->size;
}

static void forget_dirty(struct sim_inode *i)
{
    if (i->dirty_end > 0)
        memset(i->dirty + i->dirty_first, 0, i->dirty_end - i->dirty_first);
    i->dirty_first = i->dirty_end = 0;
}

/* Each unsynced sector survives or not. In some files all of them do, or none, or nearly so. */
static void lose_sectors(struct sim *w, struct sim_inode *i)
{
    static const uint8_t kept_of_16[] = {0, 1, 8, 15, 16};
    uint64_t kept;

    if (i->dirty_end == 0)
        return;
    kept = kept_of_16[sim_below(w, sizeof kept_of_16)];
    for (uint64_t s = i->dirty_first; s < i->dirty_end; s++) {
        uint8_t *from = i->bytes + s * SIM_SECTOR, *to = i->durable + s * SIM_SECTOR;

        if (!i->dirty[s])
            continue;
        if (sim_below(w, 16) < kept) {
            memcpy(to, from, SIM_SECTOR);
            w->counts.kept_sectors++;
        } else {
            w->counts.lost_sectors += memcmp(to, from, SIM_SECTOR) != 0;
        }
    }
    forget_dirty(i);
}

/* An unsynced length is the old, the new, or one between. */
static void inode_power_loss(struct sim *w, struct sim_inode *i)
{
    uint64_t size = i->size, low = i->durable_size, high = i->size;

    lose_sectors(w, i);
    if (low > high) {
        low = i->size;
        high = i->durable_size;
    }
    if (low < high) {
        switch (sim_below(w, 3)) {
        case 0:
            size = i->durable_size;
            break;
        case 1:
            size = low + sim_below(w, high - low);
            break;
        default:
            size = i->size;
        }
    }
    w->counts.lost_lengths += size != i->size;
    if (size < i->cap)
        memset(i->durable + size, 0, i->cap - size);
    i->size = i->durable_size = size;
    if (i->cap)
        memcpy(i->bytes, i->durable, i->cap);
}

void sim_disk_power_loss(struct sim_disk *d)
{
    d->world->counts.power_losses++;
    sim_names_power_loss(d);
    list_for_each(at, &d->names)
    {
        struct sim_name *n = container_of(at, struct sim_name, link);

        if (n->inode)
            inode_power_loss(d->world, n->inode);
    }
}

void sim_disk_close_file(struct sim *w, struct sim_file *f)
{
    (void)w;
    sim_inode_put(f->inode);
    free(f->path);
    f->inode = NULL;
    f->path = NULL;
}

static uint64_t latency(struct sim *w)
{
    uint64_t max =
        w->faults.disk_latency_max_ns ? w->faults.disk_latency_max_ns : LATENCY_DEFAULT_NS;
    uint64_t ns = sim_below(w, max);

    w->counts.slow += ns > max / 2;
    return LATENCY_MIN_NS + ns;
}

static struct sim_file *file_of(struct sim *w, int fd)
{
    struct sim_file *f = sim_fd_get(w, fd);

    return f && f->inode ? f : NULL;
}

static int32_t sync_file(struct reactor *r, struct sim_file *f)
{
    struct sim *w = sim_of(r);

    if (f->is_folder)
        return sim_name_sync_dir(r, f->path);
    w->counts.syncs++;
    if (sim_chance(w, w->faults.sync_eio)) {
        w->counts.sync_eio++;
        /* As Linux: the pages count as clean afterwards, and a second sync does not save them. */
        forget_dirty(f->inode);
        return -EIO;
    }
    inode_sync(f->inode);
    forget_dirty(f->inode);
    return 0;
}

void sim_disk_start(struct reactor *r, struct io_op *op)
{
    struct sim *w = sim_of(r);
    struct sim_file *f = file_of(w, op->fd);
    uint64_t wait = latency(w);

    op->res = 1; /* to be done at the end */
    if (op->kind == IO_FDATASYNC || op->kind == IO_FSYNC) {
        wait += 2 * latency(w);
        /* It covers what was written before it began; what comes later may be covered or not. */
        if (f && sim_below(w, 2))
            op->res = sync_file(r, f);
    }
    sim_schedule(w, w->now_ns + wait, (struct sim_event){.kind = SIM_OP, .op = op, .owner = r});
}

/* As O_DIRECT refuses it. */
static bool is_unaligned(const struct sim_file *f, const void *buf, uint64_t len, uint64_t off)
{
    return f->direct && ((uintptr_t)buf | len | off) % SIM_SECTOR != 0;
}

/* The medium is as it was: another read may be right. */
static void rot(struct sim *w, const struct sim_file *f, uint8_t *bytes, uint64_t n)
{
    if (n == 0 || !sim_chance(w, w->faults.rot) ||
        (w->faults.rot_spares && strstr(f->path, w->faults.rot_spares)))
        return;
    w->counts.rotten_reads++;
    for (uint64_t from = 0; from < n; from += ROT_BYTES) {
        uint64_t len = n - from < ROT_BYTES ? n - from : ROT_BYTES;

        bytes[from + sim_below(w, len)] ^= (uint8_t)(1u << sim_below(w, 8));
    }
}

static int64_t read_file(struct sim *w, const struct sim_file *f, void *buf, uint64_t len,
                         uint64_t off, bool may_be_short)
{
    uint64_t n = off < f->inode->size ? f->inode->size - off : 0;

    if (is_unaligned(f, buf, len, off))
        return -EINVAL;
    w->counts.reads++;
    if (sim_chance(w, w->faults.read_eio)) {
        w->counts.read_eio++;
        return -EIO;
    }
    n = n < len ? n : len;
    if (may_be_short && n > 1 && sim_chance(w, w->faults.short_read)) {
        n = 1 + sim_below(w, n - 1);
        w->counts.short_reads++;
    }
    if (n > 0)
        memcpy(buf, f->inode->bytes + off, n);
    rot(w, f, buf, n);
    return (int64_t)n;
}

/* True when the file may not become `end` bytes long. */
static bool is_full(struct sim *w, const struct sim_file *f, uint64_t end)
{
    if (end <= f->inode->size)
        return false;
    if ((f->disk->bytes_max &&
         sim_disk_used(f->disk) + (end - f->inode->size) > f->disk->bytes_max) ||
        sim_chance(w, w->faults.enospc)) {
        w->counts.enospc++;
        return true;
    }
    return false;
}

static int64_t write_file(struct sim *w, struct sim_file *f, const void *buf, uint64_t n,
                          uint64_t off)
{
    if (!f->writable)
        return -EBADF;
    if (f->append)
        off = f->inode->size;
    if (is_unaligned(f, buf, n, off))
        return -EINVAL;
    w->counts.writes++;
    if (sim_chance(w, w->faults.write_eio)) {
        w->counts.write_eio++;
        return -EIO;
    }
    if (n > 1 && sim_chance(w, w->faults.short_write)) {
        n = 1 + sim_below(w, n - 1);
        w->counts.short_writes++;
    }
    if (is_full(w, f, off + n))
        return -ENOSPC;
    inode_write(f->inode, buf, n, off);
    if (f->dsync && n > 0)
        inode_sync_range(f->inode, off, n);
    return (int64_t)n;
}

void sim_disk_finish(struct sim *w, struct io_op *op)
{
    struct sim_file *f = file_of(w, op->fd);
    int32_t res;

    if (!f)
        res = -EBADF;
    else if (op->kind == IO_READ)
        res = (int32_t)read_file(w, f, op->buf, op->len, op->off, true);
    else if (op->kind == IO_WRITE)
        res = (int32_t)write_file(w, f, op->buf, op->len, op->off);
    else
        res = op->res == 1 ? sync_file(op->owner, f) : op->res;
    sim_note(w, (uint64_t)(uint32_t)res);
    reactor_complete(op->owner, op, res);
}

void sim_disk_cancel(struct sim *w, struct io_op *op)
{
    /* Like the kernel: sometimes in time, sometimes not. */
    if (sim_below(w, 2) && sim_unschedule(w, op))
        reactor_complete(op->owner, op, -ECANCELED);
}

void sim_disk_lose_op(struct sim *w, struct io_op *op)
{
    struct sim_file *f = file_of(w, op->fd);

    uint64_t n;

    if (!f || !f->writable || op->kind != IO_WRITE || op->len == 0)
        return;
    n = sim_below(w, op->len + 1ull);
    w->counts.torn_writes += n > 0 && n < op->len;
    inode_write(f->inode, op->buf, n, f->append ? f->inode->size : op->off);
}

static int disk_close(struct reactor *r, int fd)
{
    if (!file_of(sim_of(r), fd))
        return -EBADF;
    sim_fd_free(sim_of(r), fd);
    return 0;
}

static int64_t disk_size(struct reactor *r, int fd)
{
    struct sim_file *f = file_of(sim_of(r), fd);

    return f ? (int64_t)f->inode->size : -EBADF;
}

static int disk_allocate(struct reactor *r, int fd, uint64_t off, uint64_t len)
{
    struct sim_file *f = file_of(sim_of(r), fd);

    if (!f || !f->writable)
        return -EBADF;
    if (is_full(sim_of(r), f, off + len))
        return -ENOSPC;
    if (off + len > f->inode->size)
        inode_resize(f->inode, off + len);
    return 0;
}

static int disk_truncate(struct reactor *r, int fd, uint64_t size)
{
    struct sim_file *f = file_of(sim_of(r), fd);

    if (!f || !f->writable)
        return -EBADF;
    if (is_full(sim_of(r), f, size))
        return -ENOSPC;
    inode_resize(f->inode, size);
    return 0;
}

static int disk_sync(struct reactor *r, int fd)
{
    struct sim_file *f = file_of(sim_of(r), fd);

    return f ? sync_file(r, f) : -EBADF;
}

static int64_t disk_read_at(struct reactor *r, int fd, void *buf, size_t len, uint64_t off)
{
    struct sim_file *f = file_of(sim_of(r), fd);

    return f ? read_file(sim_of(r), f, buf, len, off, false) : -EBADF;
}

static int64_t disk_write_at(struct reactor *r, int fd, const void *buf, size_t len, uint64_t off)
{
    struct sim_file *f = file_of(sim_of(r), fd);

    return f ? write_file(sim_of(r), f, buf, len, off) : -EBADF;
}

static int open_folder(struct reactor *r, const char *path)
{
    struct sim_disk *d = sim_node_of(r)->disk;
    struct sim_file f = {.disk = d, .is_folder = true};

    if (!sim_name_is_dir(d, path))
        return -ENOTDIR;
    f.inode = sim_inode_new();
    f.path = strdup(path);
    ASSERT(f.path);
    return sim_fd_new(sim_of(r), f);
}

static int disk_open(struct reactor *r, const char *path, int flags, unsigned mode)
{
    struct sim_disk *d = sim_node_of(r)->disk;
    struct sim_file f = {.disk = d,
                         .writable = (flags & O_ACCMODE) != O_RDONLY,
                         .append = flags & O_APPEND,
                         .dsync = flags & O_DSYNC,
                         .direct = flags & O_DIRECT};
    int rc;

    (void)mode;
    if (flags & O_DIRECTORY)
        return open_folder(r, path);
    rc = sim_name_open(d, path, flags, &f.inode);
    if (rc != 0)
        return rc;
    f.path = strdup(path);
    ASSERT(f.path);
    if (flags & O_TRUNC)
        inode_resize(f.inode, 0);
    return sim_fd_new(sim_of(r), f);
}

const struct file_backend file_backend_sim = {
    .open = disk_open,
    .close = disk_close,
    .size = disk_size,
    .allocate = disk_allocate,
    .truncate = disk_truncate,
    .rename = sim_name_rename,
    .unlink = sim_name_unlink,
    .sync = disk_sync,
    .sync_dir = sim_name_sync_dir,
    .mkdir = sim_name_mkdir,
    .list_dir = sim_name_list_dir,
    .read_at = disk_read_at,
    .write_at = disk_write_at,
};
