/*
 * io_uring back end: one ring per core, made by the control thread (so that a refusal is known before
 * any thread runs) and enabled by the core, which is its single issuer.
 *
 * An operation is its io_op: user_data is its address. Other completions carry a tag in the low bits,
 * which addresses of io_ops have clear.
 */
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "reactor/assert.h"
#include "reactor/core.h"
#include "reactor/io_pool.h"
#include "reactor/log.h"

enum {
    SQ_ENTRIES = 256,
    CQ_ENTRIES =
        2048, /* idle sockets each have a receive in flight; overflow is kept by the kernel */
    RECV_BUFFERS = 64, /* 1 MiB per core; returned right after each `done` */
    BUFFER_GROUP = 0,
    DURABLE_SLOW_NS = 1000000, /* of a durable write through the ring */
    DURABLE_POOL_NS = 1000000000,
};

enum tag {
    TAG_OP,
    TAG_CANCEL, /* result of a cancel request: of no interest */
    TAG_WAKE,   /* a wake-up this core sent failed; peer in the upper bits */
    TAG_MAIL,   /* a wake-up another core sent */
    TAG_EVENT,  /* the eventfd was written */
    TAG_MASK = 7,
};

_Static_assert(_Alignof(struct io_op) > TAG_MASK, "addresses of io_ops leave room for the tag");

/* Owner: the core; made and freed by the control thread. */
struct uring {
    struct io_uring ring;
    struct io_uring_buf_ring *buf_ring;
    uint8_t *buffers;
    struct io_queue waiting; /* no submission entry was free */
    struct io_queue cancels; /* in flight, cancel request waits for an entry */
    struct io_pool *pool;    /* helper threads for what the ring would do worse, see goes_to_pool */
    int event_fd;            /* wake-ups from threads without a ring */
    uint64_t event_value;
    bool event_armed;
    bool flag_is_stale; /* the kernel says that there is work, and an entry found none */
    bool has_msg_ring;
    bool workers_free;         /* free_workers was done */
    uint64_t durable_began_ns; /* when the last durable write was given to the ring */
    uint64_t pool_until_ns;    /* until then durable writes go to the helper threads */
};

static size_t buf_ring_bytes(void)
{
    return RECV_BUFFERS * sizeof(struct io_uring_buf);
}

/* Sets up the ring with the best flags this kernel knows. */
static int ring_setup(struct uring *u)
{
    static const unsigned flags[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
            IORING_SETUP_TASKRUN_FLAG,                         /* 6.1 */
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, /* 5.19 */
        0,
    };
    int rc = -EINVAL;

    for (unsigned i = 0; i < sizeof flags / sizeof *flags && rc == -EINVAL; i++) {
        struct io_uring_params p = {
            .flags = flags[i] | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
            .cq_entries = CQ_ENTRIES,
        };

        memset(&u->ring, 0, sizeof u->ring);
        rc = io_uring_queue_init_params(SQ_ENTRIES, &u->ring, &p);
        if (rc == 0 && (p.features & (IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP)) !=
                           (IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP)) {
            io_uring_queue_exit(&u->ring);
            return -EOPNOTSUPP;
        }
    }
    return rc;
}

static int buffers_setup(struct uring *u)
{
    struct io_uring_buf_reg reg = {.ring_entries = RECV_BUFFERS, .bgid = BUFFER_GROUP};
    size_t bytes = (size_t)RECV_BUFFERS * IO_RECV_BYTES;
    int rc;

    u->buf_ring =
        mmap(NULL, buf_ring_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (u->buf_ring == MAP_FAILED) {
        u->buf_ring = NULL;
        return -ENOMEM;
    }
    u->buffers = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (u->buffers == MAP_FAILED) {
        u->buffers = NULL;
        return -ENOMEM;
    }
    reg.ring_addr = (uintptr_t)u->buf_ring;
    rc = io_uring_register_buf_ring(&u->ring, &reg, 0);
    if (rc != 0)
        return rc;
    io_uring_buf_ring_init(u->buf_ring);
    for (unsigned i = 0; i < RECV_BUFFERS; i++)
        io_uring_buf_ring_add(u->buf_ring, u->buffers + (size_t)i * IO_RECV_BYTES, IO_RECV_BYTES,
                              (unsigned short)i, io_uring_buf_ring_mask(RECV_BUFFERS), (int)i);
    io_uring_buf_ring_advance(u->buf_ring, RECV_BUFFERS);
    return 0;
}

static bool probe_msg_ring(struct uring *u)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(&u->ring);
    bool has = probe && io_uring_opcode_supported(probe, IORING_OP_MSG_RING);

    io_uring_free_probe(probe);
    return has;
}

static const char *setup_hint(int rc)
{
    switch (rc) {
    case -EPERM:
        return "not permitted: seccomp profile of the container, or sysctl "
               "kernel.io_uring_disabled";
    case -EACCES:
        return "not permitted: security module";
    case -ENOSYS:
        return "the kernel has no io_uring";
    case -ENOMEM:
        return "out of locked memory: ulimit -l";
    case -EINVAL:
    case -EOPNOTSUPP:
        return "the kernel is older than 5.19";
    default:
        return strerror(-rc);
    }
}

static void uring_fini(struct reactor *r)
{
    struct uring *u = r->io;

    if (u->pool) /* first: a thread may be just about to wake the core */
        io_pool_free(u->pool);
    if (u->ring.ring_fd >= 0)
        io_uring_queue_exit(&u->ring);
    if (u->buf_ring)
        munmap(u->buf_ring, buf_ring_bytes());
    if (u->buffers)
        munmap(u->buffers, (size_t)RECV_BUFFERS * IO_RECV_BYTES);
    if (u->event_fd >= 0)
        close(u->event_fd);
    free(u);
    r->io = NULL;
}

static int uring_init(struct reactor *r, char *err, size_t err_len)
{
    struct uring *u = calloc(1, sizeof *u);
    int rc;

    if (!u)
        return -ENOMEM;
    r->io = u;
    u->event_fd = -1;
    u->pool = io_pool_new();
    rc = u->pool ? ring_setup(u) : -ENOMEM;
    if (rc != 0)
        u->ring.ring_fd = -1;
    if (rc == 0)
        rc = buffers_setup(u);
    if (rc == 0) {
        /* Blocking on purpose: a read of a non-blocking file would end with -EAGAIN, not wait. */
        u->event_fd = eventfd(0, EFD_CLOEXEC);
        rc = u->event_fd < 0 ? -errno : 0;
    }
    if (rc != 0) {
        snprintf(err, err_len, "%s", setup_hint(rc));
        uring_fini(r);
        return rc;
    }
    u->has_msg_ring = probe_msg_ring(u);
    return 0;
}

/* A core is woken only while it sleeps: before that is soon enough. False: no entry was free. */
static bool arm_event(struct uring *u)
{
    struct io_uring_sqe *sqe;

    if (u->event_armed)
        return true;
    sqe = io_uring_get_sqe(&u->ring);
    if (!sqe)
        return false;
    io_uring_prep_read(sqe, u->event_fd, &u->event_value, sizeof u->event_value, 0);
    io_uring_sqe_set_data64(sqe, TAG_EVENT);
    u->event_armed = true;
    return true;
}

static int uring_start(struct reactor *r)
{
    struct uring *u = r->io;

    /* By hand: liburing 2.3 declares io_uring_enable_rings, but its shared library lacks it. */
    if (syscall(__NR_io_uring_register, u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) !=
        0)
        return -errno;
    return 0;
}

static void prepare(struct io_uring_sqe *sqe, struct io_op *op)
{
    switch ((enum io_kind)op->kind) {
    case IO_READ:
        io_uring_prep_read(sqe, op->fd, op->buf, op->len, op->off);
        break;
    case IO_WRITE:
        io_uring_prep_write(sqe, op->fd, op->buf, op->len, op->off);
        if (!op->durable) /* a core that fills the page cache would be slowed down there */
            sqe->flags |= IOSQE_ASYNC;
        break;
    case IO_FDATASYNC:
        io_uring_prep_fsync(sqe, op->fd, IORING_FSYNC_DATASYNC);
        break;
    case IO_FSYNC:
        io_uring_prep_fsync(sqe, op->fd, 0);
        break;
    case IO_ACCEPT:
        io_uring_prep_accept(sqe, op->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        break;
    case IO_CONNECT:
        io_uring_prep_connect(sqe, op->fd, op->buf, op->len);
        break;
    case IO_SEND:
        io_uring_prep_send(sqe, op->fd, op->buf, op->len, MSG_NOSIGNAL);
        break;
    case IO_RECV:
        io_uring_prep_recv(sqe, op->fd, NULL, IO_RECV_BYTES, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = BUFFER_GROUP;
        /* Usually the answer was just sent and nothing is there yet: do not try in vain. `off` tells
         * whether the last receive left bytes behind. */
        if (!op->off)
            sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
        break;
    case IO_NONE:
        ASSERT(!"operation without a kind");
    }
    io_uring_sqe_set_data(sqe, op);
}

/*
 * A direct durable write that goes through the ring saves two changes of threads (20 % of the time of a small one), but
 * is ended by the kernel's work queue of the cpu that got the interrupt: that queue's thread flushes the device, and
 * when other work keeps the cpu busy it waits a whole time slice (4 ms) to begin. A thread that blocks in pwrite does
 * all of it itself. So the ring is left for a while when it was slow; a device that is slow itself does not notice.
 */
static bool goes_to_pool(struct reactor *r, const struct io_op *op)
{
    struct uring *u = r->io;

    if (op->kind != IO_WRITE || !op->durable)
        return false;
    u->durable_began_ns = r->backend->now_ns(r);
    return u->durable_began_ns < u->pool_until_ns;
}

static void durable_written(struct reactor *r)
{
    struct uring *u = r->io;
    uint64_t now = r->backend->now_ns(r);

    if (now - u->durable_began_ns > DURABLE_SLOW_NS)
        u->pool_until_ns = now + DURABLE_POOL_NS;
}

static void uring_submit(struct reactor *r, struct io_op *op)
{
    struct uring *u = r->io;
    struct io_uring_sqe *sqe;

    op->owner = NULL;
    if (goes_to_pool(r, op)) {
        op->in_flight = IO_IN_KERNEL;
        io_pool_submit(u->pool, r, op);
        return;
    }
    sqe = u->waiting.head ? NULL : io_uring_get_sqe(&u->ring);
    if (!sqe) {
        io_queue_push(&u->waiting, op);
        return;
    }
    prepare(sqe, op);
    op->in_flight = IO_IN_KERNEL;
}

static bool send_cancel(struct uring *u, struct io_op *op)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

    if (!sqe)
        return false;
    io_uring_prep_cancel(sqe, op, 0);
    io_uring_sqe_set_data64(sqe, TAG_CANCEL);
    return true;
}

static void uring_cancel(struct reactor *r, struct io_op *op)
{
    struct uring *u = r->io;

    if (op->owner) {
        if (io_pool_cancel(u->pool, op))
            reactor_complete(r, op, -ECANCELED);
    } else if (op->in_flight == IO_QUEUED) {
        ASSERT(io_queue_remove(&u->waiting, op));
        reactor_complete(r, op, -ECANCELED);
    } else if (!send_cancel(u, op)) {
        op->in_flight = IO_CANCEL_QUEUED;
        io_queue_push(&u->cancels, op);
    }
}

/* Turns what waited for an entry into entries: true when all of it found one. */
static bool fill_entries(struct uring *u)
{
    struct io_op *op;

    while ((op = u->cancels.head) != NULL) {
        if (!send_cancel(u, op))
            return false;
        io_queue_pop(&u->cancels);
        op->in_flight = IO_IN_KERNEL;
    }
    while ((op = u->waiting.head) != NULL) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

        if (!sqe)
            return false;
        io_queue_pop(&u->waiting);
        prepare(sqe, op);
        op->in_flight = IO_IN_KERNEL;
    }
    return true;
}

static void op_completed(struct reactor *r, struct io_op *op, const struct io_uring_cqe *cqe)
{
    struct uring *u = r->io;

    ASSERT(op->in_flight == IO_IN_KERNEL || op->in_flight == IO_CANCEL_QUEUED);
    if (op->in_flight == IO_CANCEL_QUEUED)
        io_queue_remove(&u->cancels, op);
    if (op->kind == IO_RECV) {
        if (cqe->flags & IORING_CQE_F_BUFFER) {
            op->buf_id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
            ASSERT(op->buf_id < RECV_BUFFERS);
            op->data = u->buffers + (size_t)op->buf_id * IO_RECV_BYTES;
        }
        op->off = (cqe->flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
        if (cqe->res == -ENOBUFS && !op->cancelled) {
            /* All buffers are on their way to callbacks; they are back at the next flush. */
            op->in_flight = IO_QUEUED;
            io_queue_push(&u->waiting, op);
            return;
        }
    }
    if (op->kind == IO_WRITE && op->durable)
        durable_written(r);
    reactor_complete(r, op, cqe->res);
}

static void wake_failed(struct reactor *r, unsigned peer, int res)
{
    struct uring *to = r->group->cores[peer]->io;
    uint64_t one = 1;

    if (res < 0 && write(to->event_fd, &one, sizeof one) < 0)
        log_error("reactor: cannot wake core %u: %s", peer, strerror(errno));
}

static void reap(struct reactor *r)
{
    struct uring *u = r->io;
    struct io_uring_cqe *cqe;
    unsigned head, n = 0;

    io_uring_for_each_cqe(&u->ring, head, cqe)
    {
        uint64_t data = cqe->user_data;

        n++;
        switch ((enum tag)(data & TAG_MASK)) {
        case TAG_OP:
            op_completed(r, (struct io_op *)(uintptr_t)data, cqe);
            break;
        case TAG_WAKE:
            wake_failed(r, (unsigned)(data >> 3), cqe->res);
            break;
        case TAG_EVENT:
            u->event_armed = false;
            break;
        case TAG_CANCEL:
        case TAG_MAIL:
        case TAG_MASK:
            break;
        }
    }
    io_uring_cq_advance(&u->ring, n);
}

static bool must_enter(struct uring *u)
{
    return io_uring_sq_ready(&u->ring) > 0 ||
           (__atomic_load_n(u->ring.sq.kflags, __ATOMIC_RELAXED) &
            (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

static void check_enter(int rc)
{
    /* Busy: completions overflowed, reap first. Again: out of memory for requests, tried next turn. */
    if (rc < 0 && rc != -ETIME && rc != -EINTR && rc != -EBUSY && rc != -EAGAIN) {
        log_error("reactor: io_uring_enter: %s", strerror(-rc));
        ASSERT(!"io_uring_enter failed");
    }
}

static void uring_flush(struct reactor *r)
{
    struct uring *u = r->io;

    fill_entries(u);
    if (io_uring_sq_ready(&u->ring) > 0)
        check_enter(io_uring_submit(&u->ring));
}

/*
 * The kernel's worker threads inherit the core's one cpu and would wait there behind the core itself: a durable write
 * runs on one. They may use every cpu. Possible only after the first submission made the workers' context.
 */
static void free_workers(struct uring *u)
{
    cpu_set_t all;

    if (u->workers_free)
        return;
    u->workers_free = true;
    CPU_ZERO(&all);
    for (long i = 0; i < sysconf(_SC_NPROCESSORS_CONF) && i < CPU_SETSIZE; i++)
        CPU_SET((size_t)i, &all);
    int rc = io_uring_register_iowq_aff(&u->ring, sizeof(all), &all);
    if (rc)
        log_debug("reactor: worker threads keep the core's cpu: %s", strerror(-rc));
}

static void uring_poll(struct reactor *r, uint64_t wait_ns)
{
    struct uring *u = r->io;
    bool all = fill_entries(u) && (wait_ns == 0 || arm_event(u));

    while (!all) {
        int rc = io_uring_submit_and_get_events(&u->ring);

        check_enter(rc);
        wait_ns = 0;
        if (rc < 0)
            break;
        all = fill_entries(u);
    }
    if (wait_ns != 0 && !r->completed.head) {
        struct __kernel_timespec ts = {.tv_sec = (long long)(wait_ns / 1000000000u),
                                       .tv_nsec = (long long)(wait_ns % 1000000000u)};
        struct io_uring_cqe *cqe;

        check_enter(io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1,
                                                     wait_ns == IO_WAIT_FOREVER ? NULL : &ts,
                                                     NULL));
    } else if (must_enter(u)) {
        check_enter(io_uring_submit_and_get_events(&u->ring));
        free_workers(u);
    }
    u->flag_is_stale = io_uring_cq_ready(&u->ring) == 0 && must_enter(u);
    reap(r);
    reactor_take_returned(r);
}

/*
 * The kernel sets its flag after it queued the work: when the core did that work in between, the flag stays although
 * there is none. Who believes it spins for as long as nothing happens, perhaps in the way of what shall happen.
 */
static bool uring_is_ready(struct reactor *r)
{
    struct uring *u = r->io;

    return io_uring_cq_ready(&u->ring) > 0 || (!u->flag_is_stale && must_enter(u));
}

static void uring_wake(struct reactor *from, struct reactor *to)
{
    struct uring *u = from ? from->io : NULL, *target = to->io;
    struct io_uring_sqe *sqe = u && u->has_msg_ring ? io_uring_get_sqe(&u->ring) : NULL;
    uint64_t one = 1;

    if (!sqe) {
        if (write(target->event_fd, &one, sizeof one) < 0)
            log_error("reactor: cannot wake core %u: %s", to->core, strerror(errno));
        return;
    }
    io_uring_prep_msg_ring(sqe, target->ring.ring_fd, 0, TAG_MAIL, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, (uint64_t)to->core << 3 | TAG_WAKE);
}

static void uring_recycle(struct reactor *r, uint16_t buf_id)
{
    struct uring *u = r->io;

    io_uring_buf_ring_add(u->buf_ring, u->buffers + (size_t)buf_id * IO_RECV_BYTES, IO_RECV_BYTES,
                          buf_id, io_uring_buf_ring_mask(RECV_BUFFERS), 0);
    io_uring_buf_ring_advance(u->buf_ring, 1);
}

const struct io_backend io_backend_uring = {
    .name = "io_uring",
    .init = uring_init,
    .start = uring_start,
    .fini = uring_fini,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .flush = uring_flush,
    .poll = uring_poll,
    .is_ready = uring_is_ready,
    .wake = uring_wake,
    .recycle = uring_recycle,
    .now_ns = clock_now_ns,
    .wall_us = clock_wall_us,
    .files = &file_backend_real,
    .sockets = &socket_backend_real,
};
