/*
 * epoll back end, for kernels and containers that refuse io_uring.
 *
 * Sockets are registered once, edge-triggered; what is known of their readiness is kept per
 * descriptor, so that an operation is tried when it may succeed and waits otherwise. File operations
 * go to the I/O threads of the group.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reactor/assert.h"
#include "reactor/core.h"
#include "reactor/io_pool.h"
#include "reactor/log.h"

enum { EVENTS_MAX = 256, WAKE_FD = -1 };

/* What is known of one descriptor. Owner: the core. */
struct fd_state {
    bool registered;
    bool readable, writable; /* until an attempt says -EAGAIN */
    bool hung_up;            /* a short read does not mean that nothing more comes */
    struct io_queue readers, writers;
};

/* Owner: the core; made and freed by the control thread. */
struct epoll {
    int epoll_fd, event_fd;
    struct io_queue submitted;
    struct fd_state *fds;
    unsigned fds_count;
    uint8_t received[IO_RECV_BYTES]; /* bytes of the receive whose `done` runs */
};

static int epoll_group_init(struct reactor_group *g, char *err, size_t err_len)
{
    (void)err;
    (void)err_len;
    g->shared = io_pool_new();
    return g->shared ? 0 : -ENOMEM;
}

static void epoll_group_stop(struct reactor_group *g)
{
    /* While the cores are there: a thread may be just about to wake one. */
    io_pool_free(g->shared);
    g->shared = NULL;
}

static void epoll_fini(struct reactor *r)
{
    struct epoll *e = r->io;

    if (e->epoll_fd >= 0)
        close(e->epoll_fd);
    if (e->event_fd >= 0)
        close(e->event_fd);
    free(e->fds);
    free(e);
    r->io = NULL;
}

static int epoll_init(struct reactor *r, char *err, size_t err_len)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = WAKE_FD};
    struct epoll *e = calloc(1, sizeof *e);
    int rc = 0;

    (void)err;
    (void)err_len;
    if (!e)
        return -ENOMEM;
    r->io = e;
    e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    e->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->epoll_fd < 0 || e->event_fd < 0 ||
        epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, e->event_fd, &event) != 0) {
        rc = -errno;
        epoll_fini(r);
    }
    return rc;
}

static int epoll_start(struct reactor *r)
{
    (void)r;
    return 0;
}

/* State of fd; NULL = no memory. */
static struct fd_state *state_of(struct epoll *e, int fd)
{
    ASSERT(fd >= 0);
    if ((unsigned)fd >= e->fds_count) {
        unsigned count = e->fds_count ? e->fds_count : 64;
        struct fd_state *fds;

        while (count <= (unsigned)fd)
            count *= 2;
        fds = realloc(e->fds, count * sizeof *fds);
        if (!fds)
            return NULL;
        memset(fds + e->fds_count, 0, (count - e->fds_count) * sizeof *fds);
        e->fds = fds;
        e->fds_count = count;
    }
    return &e->fds[fd];
}

/* A descriptor number that was just made cannot be registered. */
static void forget_fd(struct epoll *e, int fd)
{
    if (fd >= 0 && (unsigned)fd < e->fds_count) {
        ASSERT(!e->fds[fd].readers.head && !e->fds[fd].writers.head);
        e->fds[fd] = (struct fd_state){0};
    }
}

static int register_fd(struct epoll *e, struct fd_state *st, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};

    if (st->registered)
        return 0;
    if (epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return -errno;
    st->registered = st->readable = st->writable = true;
    return 0;
}

static bool would_block(int err)
{
    return err == EAGAIN || err == EWOULDBLOCK;
}

static void wait_in(struct io_queue *q, struct io_op *op)
{
    op->in_flight = IO_IN_KERNEL;
    io_queue_push(q, op);
}

static void try_accept(struct reactor *r, struct fd_state *st, struct io_op *op)
{
    int fd;

    do
        fd = accept4(op->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0 && would_block(errno)) {
        st->readable = false;
        wait_in(&st->readers, op);
        return;
    }
    reactor_complete(r, op, fd < 0 ? -errno : fd);
    forget_fd(r->io, fd);
}

static void start_reader(struct reactor *r, struct fd_state *st, struct io_op *op)
{
    if (!st->readable)
        wait_in(&st->readers, op);
    else if (op->kind == IO_ACCEPT)
        try_accept(r, st, op);
    else
        reactor_complete(r, op, 0); /* bytes are taken by epoll_receive, just before `done` */
}

static void start_send(struct reactor *r, struct fd_state *st, struct io_op *op)
{
    ssize_t n = -1;

    errno = EAGAIN;
    if (st->writable) {
        do
            n = send(op->fd, op->buf, op->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
    }
    if (n < 0 && would_block(errno)) {
        st->writable = false;
        wait_in(&st->writers, op);
        return;
    }
    reactor_complete(r, op, n < 0 ? -errno : (int32_t)n);
}

static void start_connect(struct reactor *r, struct fd_state *st, struct io_op *op)
{
    int rc = connect(op->fd, op->buf, op->len) == 0 ? 0 : -errno;

    if (rc == -EINPROGRESS || rc == -EINTR) {
        /* Registered only now: a socket that is neither connected nor connecting reports a hang-up. */
        rc = register_fd(r->io, st, op->fd);
        st->writable = st->readable = false;
        if (rc == 0) {
            wait_in(&st->writers, op);
            return;
        }
    }
    reactor_complete(r, op, rc);
}

static void end_connect(struct reactor *r, struct io_op *op)
{
    int err = 0;
    socklen_t len = sizeof err;

    if (getsockopt(op->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
        err = errno;
    reactor_complete(r, op, -err);
}

static void start_op(struct reactor *r, struct io_op *op)
{
    struct epoll *e = r->io;
    struct fd_state *st;
    int rc;

    if (io_is_file_op(op)) {
        op->in_flight = IO_IN_KERNEL;
        io_pool_submit(r->group->shared, r, op);
        return;
    }
    st = state_of(e, op->fd);
    if (!st) {
        reactor_complete(r, op, -ENOMEM);
        return;
    }
    if (op->kind == IO_CONNECT) {
        start_connect(r, st, op);
        return;
    }
    rc = register_fd(e, st, op->fd);
    if (rc != 0)
        reactor_complete(r, op, rc);
    else if (op->kind == IO_SEND)
        start_send(r, st, op);
    else
        start_reader(r, st, op);
}

static void epoll_submit(struct reactor *r, struct io_op *op)
{
    struct epoll *e = r->io;

    io_queue_push(&e->submitted, op);
}

static void epoll_cancel(struct reactor *r, struct io_op *op)
{
    struct epoll *e = r->io;
    bool removed;

    if (op->in_flight == IO_QUEUED)
        removed = io_queue_remove(&e->submitted, op);
    else if (io_is_file_op(op))
        removed = io_pool_cancel(r->group->shared, op);
    else
        removed = io_queue_remove(&e->fds[op->fd].readers, op) ||
                  io_queue_remove(&e->fds[op->fd].writers, op);
    if (removed)
        reactor_complete(r, op, -ECANCELED);
}

static void epoll_flush(struct reactor *r)
{
    struct epoll *e = r->io;
    struct io_op *op;

    while ((op = io_queue_pop(&e->submitted)) != NULL)
        start_op(r, op);
}

static void on_readable(struct reactor *r, struct fd_state *st)
{
    struct io_queue waiting = st->readers;
    struct io_op *op;

    st->readable = true;
    st->readers = (struct io_queue){0};
    while ((op = io_queue_pop(&waiting)) != NULL)
        start_reader(r, st, op);
}

static void on_writable(struct reactor *r, struct fd_state *st)
{
    struct io_queue waiting = st->writers;
    struct io_op *op;

    st->writable = true;
    st->writers = (struct io_queue){0};
    while ((op = io_queue_pop(&waiting)) != NULL) {
        if (op->kind == IO_CONNECT)
            end_connect(r, op);
        else
            start_send(r, st, op);
    }
}

static void on_event(struct reactor *r, const struct epoll_event *event)
{
    struct epoll *e = r->io;
    struct fd_state *st;

    if (event->data.fd == WAKE_FD)
        return; /* edge-triggered: its counter need not be read */
    st = &e->fds[event->data.fd];
    if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        st->hung_up = true;
    if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        on_readable(r, st);
    if (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        on_writable(r, st);
}

/* Milliseconds, rounded up so that a timer is due when the wait ends. */
static int wait_ms(uint64_t wait_ns)
{
    uint64_t ms = wait_ns / 1000000 + (wait_ns % 1000000 != 0);

    return wait_ns == IO_WAIT_FOREVER ? -1 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static void epoll_poll(struct reactor *r, uint64_t wait_ns)
{
    struct epoll *e = r->io;
    struct epoll_event events[EVENTS_MAX];
    int n;

    epoll_flush(r);
    n = epoll_wait(e->epoll_fd, events, EVENTS_MAX, r->completed.head ? 0 : wait_ms(wait_ns));
    if (n < 0 && errno != EINTR) {
        log_error("reactor: epoll_wait: %s", strerror(errno));
        ASSERT(!"epoll_wait failed");
    }
    for (int i = 0; i < n; i++)
        on_event(r, &events[i]);
    reactor_take_returned(r);
}

static bool epoll_receive(struct reactor *r, struct io_op *op)
{
    struct epoll *e = r->io;
    struct fd_state *st = &e->fds[op->fd];
    ssize_t n;

    do
        n = recv(op->fd, e->received, sizeof e->received, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && would_block(errno)) {
        st->readable = false;
        if (!op->cancelled) {
            wait_in(&st->readers, op);
            return false;
        }
        op->res = -ECANCELED;
        return true;
    }
    op->res = n < 0 ? -errno : (int32_t)n;
    op->data = e->received;
    if (n > 0 && (size_t)n < sizeof e->received && !st->hung_up)
        st->readable = false; /* drained; the next byte makes a new event */
    return true;
}

static void epoll_wake(struct reactor *from, struct reactor *to)
{
    struct epoll *e = to->io;
    uint64_t one = 1;

    (void)from;
    if (write(e->event_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        log_error("reactor: cannot wake core %u: %s", to->core, strerror(errno));
}

static int epoll_socket_open(struct reactor *r, int family)
{
    int fd = socket_open(r, family);

    forget_fd(r->io, fd);
    return fd;
}

static int epoll_socket_listen(struct reactor *r, const struct sockaddr *sa, socklen_t n,
                               uint16_t *port)
{
    int fd = socket_listen(r, sa, n, port);

    forget_fd(r->io, fd);
    return fd;
}

static void epoll_socket_close(struct reactor *r, int fd)
{
    forget_fd(r->io, fd);
    socket_close(r, fd);
}

static const struct socket_backend epoll_sockets = {
    .open = epoll_socket_open,
    .listen = epoll_socket_listen,
    .shutdown = socket_shutdown,
    .close = epoll_socket_close,
    .options = socket_options,
    .peer = socket_peer,
};

const struct io_backend io_backend_epoll = {
    .name = "epoll",
    .group_init = epoll_group_init,
    .group_stop = epoll_group_stop,
    .init = epoll_init,
    .start = epoll_start,
    .fini = epoll_fini,
    .submit = epoll_submit,
    .cancel = epoll_cancel,
    .flush = epoll_flush,
    .poll = epoll_poll,
    .wake = epoll_wake,
    .receive = epoll_receive,
    .now_ns = clock_now_ns,
    .wall_us = clock_wall_us,
    .files = &file_backend_real,
    .sockets = &epoll_sockets,
};
