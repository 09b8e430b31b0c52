#include "storage/wlog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/io.h"
#include "reactor/log.h"
#include "storage/device_pace.h"
#include "storage/wlog_impl.h"

enum {
    GROUP_BYTES = 2 << 20, /* appends gathered into one group while another is written */
    FIRST_FILE_BYTES =
        256 << 10, /* files grow from this to what was asked for: a small log stays small */
    FILE_GROWTH = 4,
    JOURNAL_WRITES = 2,    /* of a group in a file that is not filled with zeros */
    RETRY_NS = 1000000000, /* a file that could not be made is tried again after this */
    PREPARE_NS =
        100000000, /* after a start whose log has no room left: what reads data goes first */
};

static void start_group(struct wlog *l);

/* Not at once: what comes in the same turn goes into the same group. */
static void start_soon(struct wlog *l)
{
    reactor_task(l->reactor, &l->gather, TASK_IO);
}

static int frame_reserve(struct wlog *l, size_t bytes)
{
    size_t cap = (bytes + WLOG_UNIT - 1) & ~(size_t)(WLOG_UNIT - 1);

    if (cap < GROUP_BYTES)
        cap = GROUP_BYTES;
    if (l->frame.cap == cap || (l->frame.cap > cap && cap > GROUP_BYTES))
        return 0;
    uint8_t *p = aligned_alloc(WLOG_UNIT, cap);
    if (!p)
        return l->frame.cap >= cap ? 0 : -ENOMEM;
    free(l->frame.data);
    l->frame = (struct buffer){.data = p, .cap = cap, .limit = cap};
    return 0;
}

size_t wlog_append_bytes(const struct wlog_append *a)
{
    size_t n = 0;

    for (uint32_t i = 0; i < a->n; i++)
        n += WLOG_RECORD_HEADER + (((size_t)a->records[i].len + 7) & ~(size_t)7);
    return n;
}

static void finish_all(struct wlog_append *list, int rc)
{
    while (list) {
        struct wlog_append *a = list;
        list = a->next;
        a->next = NULL;
        a->rc = rc;
        a->done(a);
    }
}

static struct wlog_append *take_queue(struct wlog *l)
{
    struct wlog_append *all = l->queue;

    l->queue = NULL;
    l->queue_end = &l->queue;
    l->queued = 0;
    return all;
}

/* False: another core hands it over when its group is written. */
static bool take_turn(struct wlog *l)
{
    if (!l->has_turn)
        l->has_turn = wlog_turn_want(&l->turn);
    return l->has_turn;
}

/*
 * The next file is begun when the current one is half full, and whole at the latest when three quarters are: so much
 * of it is needed when groups end at `offset`.
 */
static uint64_t needed_at(const struct wlog *l, uint64_t offset)
{
    uint64_t half = l->current.size / 2, quarter = l->current.size / 4;

    if (offset <= half)
        return 0;
    return offset - half < quarter ? (offset - half) * l->next.size / quarter : l->next.size;
}

/* Up to here no core need look after the files. */
static uint64_t end_of_rest(const struct wlog *l)
{
    uint64_t half = l->current.size / 2;

    switch (l->next.state) {
    case WLOG_FILE_READY:
        return l->current.size;
    case WLOG_FILE_FILLING:
        return half + l->next.filled * (l->current.size / 4) / l->next.size;
    default:
        return half;
    }
}

/* Nothing is to be written: any core may, as far as this one need not look after the files. */
static void maybe_rest(struct wlog *l)
{
    if (!l->has_turn || l->state != WLOG_IDLE || l->queue)
        return;
    l->direct_end = l->window.expected > 1 || !l->frame.data ? 0 : end_of_rest(l);
    l->has_turn = false;
    wlog_turn_give(&l->turn);
}

static int delete_file(struct wlog *l, uint64_t generation)
{
    char path[4096];

    wlog_path(path, sizeof(path), l->dir, generation);
    return file_unlink(l->reactor, path);
}

/*
 * The next start reads groups and nothing else: nothing stands behind them, and what was released is gone. When a part
 * of this fails, or a power loss undoes it, there are zeros and older files, as after a crash.
 */
static void cut_rest(struct wlog *l)
{
    if (!l->ending || l->state == WLOG_BROKEN)
        return;
    if (l->offset < l->current.size && !file_truncate(l->reactor, l->current.fd, l->offset))
        file_sync(l->reactor, l->current.fd);
    if (l->next.state == WLOG_FILE_READY)
        delete_file(l, l->next.generation);
    for (; l->held.n && l->held.first < l->released; wlog_held_drop_first(&l->held))
        delete_file(l, l->held.first);
}

static void maybe_closed(struct wlog *l)
{
    if (!l->closed || l->busy || l->queue || l->group || l->release.queued || l->gather.queued)
        return;
    if (l->next.state == WLOG_FILE_FILLING) {
        wlog_file_cancel(&l->next); /* its end comes back here */
        return;
    }
    if (!take_turn(l))
        return;
    void (*closed)(void *ctx) = l->closed;
    void *ctx = l->closed_ctx;
    timer_cancel(l->reactor, &l->pause);
    timer_cancel(l->reactor, &l->retry);
    cut_rest(l);
    wlog_file_close(&l->current);
    if (l->next.state == WLOG_FILE_READY)
        wlog_file_close(&l->next);
    wlog_held_fini(&l->held);
    free(l->frame.data);
    free(l->dir);
    free(l);
    closed(ctx);
}

static void enter(struct wlog *l)
{
    l->busy++;
}

/* The last thing a function does with the log: it may be freed here. */
static void leave(struct wlog *l)
{
    if (!--l->busy)
        maybe_rest(l);
    maybe_closed(l);
}

/* A failed write leaves the file in an unknown state: nothing more is written until a restart has looked at it. */
static void break_log(struct wlog *l, int rc)
{
    char path[4096];

    wlog_path(path, sizeof(path), l->dir, l->current.generation);
    log_error("log: writing %s at offset %" PRIu64 " failed: %s; writes are refused from now on",
              path, l->offset, strerror(-rc));
    l->state = WLOG_BROKEN;
    struct wlog_append *group = l->group, *queue = take_queue(l);
    l->group = NULL;
    finish_all(group, rc);
    finish_all(queue, rc);
}

/*
 * Only a group larger than its file makes the file longer and can find the disk full. What of it was written is no
 * whole group, the next one takes its place and its numbers.
 */
static void group_refused(struct wlog *l)
{
    struct wlog_append *group = l->group;

    l->counts.node_lsn = l->head.first_lsn - 1;
    l->state = WLOG_IDLE;
    l->group = NULL;
    finish_all(group, -ENOSPC);
    if (l->queue)
        start_soon(l);
}

unsigned wlog_writes_of(const struct wlog *l, size_t bytes)
{
    return device_pace_writes(l->pace, bytes, true) + (l->current.unwritten ? JOURNAL_WRITES : 0);
}

static void write_rest(struct wlog *l)
{
    io_write_durable(l->reactor, &l->op, l->current.fd, l->frame.data + l->written,
                     (uint32_t)l->frame.len - l->written, l->offset + l->written);
}

void wlog_frame_written(struct wlog *l)
{
    l->offset += l->frame.len;
    l->counts.groups++;
    l->counts.records += l->head.records;
    l->counts.bytes += l->frame.len;
    l->counts.durable_lsn = l->head.first_lsn + l->head.records - 1;
}

static void group_written(struct wlog *l)
{
    wlog_frame_written(l);
    l->state = WLOG_IDLE;
    wlog_window_written(&l->window, reactor_now_ns(l->reactor), l->grouped, l->queued);
    struct wlog_append *group = l->group;
    l->group = NULL;
    finish_all(group, 0);
    if (l->queue)
        start_soon(l);
}

static void write_done(struct io_op *op)
{
    struct wlog *l = (struct wlog *)((char *)op - offsetof(struct wlog, op));

    enter(l);
    l->counts.device_writes++;
    l->written += op->res > 0 ? (uint32_t)op->res : 0;
    if (op->res == -ENOSPC && l->offset + l->frame.len > l->current.size) {
        group_refused(l);
    } else if (op->res <= 0) {
        break_log(l, op->res < 0 ? op->res : -EIO);
    } else if (l->written < l->frame.len) {
        /* O_DIRECT goes on at a unit boundary; bytes written twice are the same bytes */
        l->written &= ~(uint32_t)(WLOG_UNIT - 1);
        device_pace_charge(l->pace, reactor_now_ns(l->reactor),
                           wlog_writes_of(l, l->frame.len - l->written));
        write_rest(l);
    } else {
        group_written(l);
    }
    leave(l);
}

static void next_ready(struct wlog_file *f)
{
    struct wlog *l = f->ctx;

    enter(l);
    l->short_of_space |= f->rc == -ENOSPC;
    if (f->rc == -ENOSPC && f->size > FIRST_FILE_BYTES) {
        f->size /= FILE_GROWTH; /* a smaller one may find room */
        wlog_file_prepare(f, l->reactor, l->dir, f->generation, l->pace, next_ready);
        if (l->state == WLOG_WAITING_FILE)
            wlog_file_need(f, f->size);
        leave(l);
        return;
    }
    if (f->state == WLOG_FILE_READY)
        l->told = 0;
    if (f->state == WLOG_FILE_FAILED && f->rc != -ECANCELED) {
        if (l->told != f->rc)
            log_error("log: cannot make file %" PRIu64
                      " in %s: %s; writes that do not fit are refused until it can be made",
                      f->generation, l->dir, strerror(-f->rc));
        l->told = f->rc;
        timer_arm(l->reactor, &l->retry, RETRY_NS);
    }
    if (l->state == WLOG_WAITING_FILE) {
        l->state = WLOG_IDLE;
        if (f->state == WLOG_FILE_FAILED)
            finish_all(take_queue(l), f->rc);
        else
            start_group(l);
    }
    leave(l);
}

/* Size of the file behind one of `size` bytes, 0 = of the first. */
static uint64_t file_size_after(const struct wlog *l, uint64_t size)
{
    uint64_t next = size * FILE_GROWTH;

    if (next < FIRST_FILE_BYTES)
        next = FIRST_FILE_BYTES;
    return next < l->file_bytes ? next : l->file_bytes;
}

static void prepare_next(struct wlog *l)
{
    uint64_t generation = l->current.generation + 1;

    if (l->next.state != WLOG_FILE_NONE && l->next.state != WLOG_FILE_FAILED)
        return;
    int rc = wlog_held_reserve(&l->held);
    if (rc) {
        l->next = (struct wlog_file){
            .fd = -1, .generation = generation, .state = WLOG_FILE_FAILED, .rc = rc, .ctx = l};
        next_ready(&l->next);
        return;
    }
    l->short_of_space = false;
    l->next.size = file_size_after(l, l->current.size);
    l->next.ctx = l;
    wlog_file_prepare(&l->next, l->reactor, l->dir, generation, l->pace, next_ready);
}

static void retry_fired(struct timer *t)
{
    struct wlog *l = (struct wlog *)((char *)t - offsetof(struct wlog, retry));

    enter(l);
    if (!l->closed)
        prepare_next(l);
    leave(l);
}

static void pause_fired(struct timer *t)
{
    struct wlog *l = (struct wlog *)((char *)t - offsetof(struct wlog, pause));

    enter(l);
    l->state = WLOG_IDLE;
    if (l->queue)
        start_group(l);
    leave(l);
}

/* Bytes of the group that would be made of the queue now; at least one append. */
static size_t plan_group(const struct wlog *l, uint32_t *appends)
{
    size_t bytes = WLOG_FRAME_HEADER;

    *appends = 0;
    for (const struct wlog_append *a = l->queue; a; a = a->next) {
        size_t more = wlog_append_bytes(a);
        if (*appends && bytes + more > GROUP_BYTES)
            break;
        bytes += more;
        ++*appends;
    }
    return (bytes + WLOG_UNIT - 1) & ~(size_t)(WLOG_UNIT - 1);
}

int wlog_build_frame(struct wlog *l, const struct wlog_append *list, uint32_t n)
{
    int rc = wlog_frame_begin(&l->frame);

    l->head = (struct wlog_frame){.generation = l->current.generation,
                                  .first_lsn = l->counts.node_lsn + 1,
                                  .durable_before = l->counts.durable_lsn};
    for (const struct wlog_append *a = list; n; a = a->next, n--)
        for (uint32_t k = 0; k < a->n && !rc; k++, l->head.records++)
            rc = wlog_frame_add(&l->frame, &a->records[k], ++l->counts.node_lsn);
    return rc ? rc : wlog_frame_end(&l->frame, &l->head);
}

static int build_group(struct wlog *l, uint32_t appends)
{
    struct wlog_append *last = l->queue;

    for (uint32_t i = 1; i < appends; i++)
        last = last->next;
    l->group = l->queue;
    l->grouped = appends;
    l->queued -= appends;
    l->queue = last->next;
    last->next = NULL;
    if (!l->queue)
        l->queue_end = &l->queue;
    return wlog_build_frame(l, l->group, appends);
}

/* One file a turn: deleting a large one takes the file system a moment. A deletion that a power loss undoes is
 * repeated at the next start, so nothing waits for it to become durable. */
static void release_run(struct task *t)
{
    struct wlog *l = (struct wlog *)((char *)t - offsetof(struct wlog, release));
    char path[4096];

    enter(l);
    if (!l->closed && l->held.n && l->held.first < l->released) {
        int rc = delete_file(l, l->held.first);
        if (!rc || rc == -ENOENT) {
            device_pace_charge(l->pace, reactor_now_ns(l->reactor), DEVICE_PACE_UNLINK);
            wlog_held_drop_first(&l->held);
            reactor_task(l->reactor, &l->release, TASK_BULK);
        } else {
            wlog_path(path, sizeof(path), l->dir, l->held.first);
            log_warn("log: %s is no longer needed and cannot be deleted: %s", path, strerror(-rc));
        }
    } else if (!l->closed && l->next.state == WLOG_FILE_FAILED) { /* there may be room now */
        prepare_next(l);
    }
    leave(l);
}

/* Switches to the prepared file; false when it must be waited for. */
static bool roll_over(struct wlog *l)
{
    if (l->next.state != WLOG_FILE_READY) {
        l->state = WLOG_WAITING_FILE;
        prepare_next(l);
        wlog_file_need(&l->next, l->next.size);
        return false;
    }
    wlog_held_add(&l->held, l->offset);
    wlog_file_close(&l->current);
    l->current = l->next;
    l->next = (struct wlog_file){.fd = -1};
    l->offset = 0;
    return true;
}

/* A file that follows the current one: prepared, or a small one made at once. */
static int make_next(struct wlog *l)
{
    if (l->next.state == WLOG_FILE_READY)
        return 0;
    timer_cancel(l->reactor, &l->retry);
    int rc = wlog_held_reserve(&l->held);
    if (!rc)
        rc = wlog_file_create(&l->next, l->reactor, l->dir, l->current.generation + 1,
                              file_size_after(l, 0));
    if (rc)
        l->next = (struct wlog_file){.fd = -1};
    return rc;
}

int wlog_begin_file(struct wlog *l)
{
    int rc = l->state == WLOG_BROKEN ? -EIO : 0;

    ASSERT_ON_CORE(l->reactor);
    l->ending = true;
    if (rc || l->offset <= FIRST_FILE_BYTES)
        return rc;
    enter(l);
    wlog_file_need(&l->next, l->next.size);
    if (l->state != WLOG_IDLE || l->queue || l->next.state == WLOG_FILE_FILLING || !take_turn(l))
        rc = -EAGAIN;
    if (!rc)
        rc = make_next(l);
    if (!rc)
        roll_over(l);
    leave(l);
    return rc;
}

static bool is_my_turn(struct wlog *l, size_t bytes)
{
    uint64_t wait = device_pace_take(l->pace, DEVICE_PACE_LOG, reactor_now_ns(l->reactor),
                                     wlog_writes_of(l, bytes));

    if (wait) {
        l->state = WLOG_WAITING_PACE;
        timer_arm(l->reactor, &l->pause, wait);
    }
    return !wait;
}

/* The last moment of a turn: all appends of it are here. */
static void gather_run(struct task *t)
{
    struct wlog *l = (struct wlog *)((char *)t - offsetof(struct wlog, gather));

    enter(l);
    if (l->queue && l->state == WLOG_IDLE) {
        if (!l->closed && wlog_window_is_open(&l->window, reactor_now_ns(l->reactor), l->queued))
            start_soon(l);
        else
            start_group(l);
    }
    leave(l);
}

static void start_group(struct wlog *l)
{
    uint32_t appends;
    size_t bytes = plan_group(l, &appends);

    ASSERT(l->has_turn);
    if (l->offset + bytes > l->current.size && !roll_over(l))
        return;
    if (!is_my_turn(l, bytes))
        return;
    int rc = frame_reserve(l, bytes);
    if (!rc)
        rc = build_group(l, appends);
    if (rc) {
        break_log(l, rc);
        return;
    }
    l->state = WLOG_WRITING;
    l->written = 0;
    l->op.done = write_done;
    wlog_window_started(&l->window, reactor_now_ns(l->reactor));
    write_rest(l);
    if (l->offset + bytes > l->current.size / 2) {
        prepare_next(l);
        wlog_file_need(&l->next, needed_at(l, l->offset + bytes));
    }
}

static int check_append(const struct wlog *l, const struct wlog_append *a)
{
    if (l->state == WLOG_BROKEN)
        return -EIO;
    return wlog_append_bytes(a) + WLOG_FRAME_HEADER > LOG_MAX_RECORD ? -EMSGSIZE : 0;
}

void wlog_append(struct wlog *l, struct wlog_append *a)
{
    int rc = check_append(l, a);

    ASSERT_ON_CORE(l->reactor);
    a->next = NULL;
    enter(l);
    if (rc) {
        finish_all(a, rc);
    } else {
        *l->queue_end = a;
        l->queue_end = &a->next;
        l->queued++;
        if (l->state == WLOG_IDLE && take_turn(l))
            start_soon(l);
        else if (l->state == WLOG_IDLE)
            l->state = WLOG_WAITING_CORE;
    }
    leave(l);
}

void wlog_turn_came(struct reactor *r, void *ctx)
{
    struct wlog *l = ctx;

    ASSERT_ON_CORE(r);
    enter(l);
    l->has_turn = true;
    if (l->state == WLOG_WAITING_CORE) {
        l->state = WLOG_IDLE;
        wlog_window_met(&l->window);
        start_soon(l);
    }
    leave(l);
}

void wlog_direct_failed(struct reactor *r, void *ctx)
{
    struct wlog *l = ctx;

    ASSERT_ON_CORE(r);
    enter(l);
    l->has_turn = true;
    break_log(l, l->direct_rc);
    leave(l);
}

int wlog_can_append(const struct wlog *l, uint64_t bytes)
{
    if (l->state == WLOG_BROKEN)
        return -EIO;
    if (l->next.state == WLOG_FILE_FAILED && l->offset + bytes + WLOG_UNIT > l->current.size)
        return l->next.rc;
    return 0;
}

void wlog_close(struct wlog *l, void (*closed)(void *ctx), void *ctx)
{
    l->closed = closed;
    l->closed_ctx = ctx;
    maybe_closed(l);
}

uint64_t wlog_generation(const struct wlog *l)
{
    return l->current.generation;
}

void wlog_release(struct wlog *l, uint64_t generation)
{
    ASSERT_ON_CORE(l->reactor);
    if (generation > l->released)
        l->released = generation;
    reactor_task(l->reactor, &l->release, TASK_BULK);
}

bool wlog_needs_release(const struct wlog *l)
{
    return l->short_of_space && l->held.n && l->released < l->current.generation;
}

uint64_t wlog_bytes_held(const struct wlog *l)
{
    return l->held.total + l->offset;
}

void wlog_get_stats(const struct wlog *l, struct wlog_stats *out)
{
    *out = (struct wlog_stats){
        .groups = l->counts.groups,
        .records = l->counts.records,
        .bytes = l->counts.bytes,
        .device_writes = l->counts.device_writes,
        .node_lsn = l->counts.node_lsn,
        .durable_lsn = l->counts.durable_lsn,
    };
}

static int open_current(struct wlog *l, const struct wlog_position *end, struct error_info *err)
{
    int rc;

    l->held = end->held;
    if (end->generation)
        rc = wlog_file_open(&l->current, l->reactor, l->dir, end->generation);
    else
        rc = wlog_file_create(&l->current, l->reactor, l->dir, 1, file_size_after(l, 0));
    if (rc)
        return error_set(err, rc, 0, "cannot open the log in %s for writing: %s", l->dir,
                         strerror(-rc));
    l->offset = end->offset;
    l->current.unwritten |= end->unwritten;
    return 0;
}

int wlog_open(struct reactor *r, const struct wlog_config *config,
              int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn), void *ctx,
              struct wlog **out, struct error_info *err)
{
    struct wlog *l = calloc(1, sizeof(*l));
    struct wlog_position end;

    if (!l || !(l->dir = strdup(config->dir))) {
        free(l);
        return error_set(err, -ENOMEM, 0, "out of memory at the start of the log");
    }
    l->reactor = r;
    l->file_bytes = config->file_bytes ? config->file_bytes : LOG_FILE_BYTES;
    l->pace = config->pace;
    l->queue_end = &l->queue;
    l->pause.fire = pause_fired;
    l->retry.fire = retry_fired;
    l->release.run = release_run;
    l->gather.run = gather_run;
    l->current.fd = l->next.fd = -1;
    int rc = wlog_replay(r, config, apply, ctx, &end, err);
    if (!rc)
        rc = open_current(l, &end, err);
    if (rc) {
        wlog_held_fini(&l->held);
        free(l->dir);
        free(l);
        return rc;
    }
    l->counts.node_lsn = l->counts.durable_lsn = end.next_lsn - 1;
    if (l->offset + WLOG_UNIT > l->current.size / 2) /* closed well, it has room for nothing */
        timer_arm(r, &l->retry, PREPARE_NS);
    *out = l;
    return 0;
}
