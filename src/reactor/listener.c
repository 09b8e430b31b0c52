/* Listeners: one socket per core on the shared port. See stream.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/assert.h"
#include "reactor/list.h"
#include "reactor/log.h"
#include "reactor/stream_impl.h"

/* Accepts in flight: a burst of connections needs fewer turns. */
enum { ACCEPTS = 4 };

#define RETRY_NS 100000000ull /* after running out of descriptors or memory */

/* One of the accepts of a listener. */
struct accept_slot {
    struct io_op op;
    struct listener *listener;
};

/* Owner: core r; until the group is freed, because owners of connections may call late. */
struct listener {
    struct reactor *r;
    int fd;
    uint16_t port;
    unsigned max_connections; /* 0 = no limit */
    unsigned connections;
    void (*on_accept)(struct listener *l, int fd);
    void *ctx;
    struct accept_slot accepts[ACCEPTS];
    struct timer retry;
    bool stopped;
    struct listener *next; /* in r->listeners */
};

static unsigned accepts_pending(const struct listener *l)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ACCEPTS; i++)
        n += io_is_pending(&l->accepts[i].op);
    return n;
}

/* Starts accepts, never more than there is room for. */
static void start_accepts(struct listener *l)
{
    unsigned pending = accepts_pending(l), room = ACCEPTS;

    if (l->stopped || l->retry.armed)
        return;
    if (l->max_connections)
        room = l->max_connections > l->connections ? l->max_connections - l->connections : 0;
    for (unsigned i = 0; i < ACCEPTS && pending < room; i++) {
        if (io_is_pending(&l->accepts[i].op))
            continue;
        io_accept(l->r, &l->accepts[i].op, l->fd);
        pending++;
    }
}

static void close_when_quiet(struct listener *l)
{
    if (l->fd < 0 || accepts_pending(l) > 0)
        return;
    l->r->backend->sockets->close(l->r, l->fd);
    l->fd = -1;
}

static void accept_done(struct io_op *op)
{
    struct listener *l = container_of(op, struct accept_slot, op)->listener;

    if (op->res >= 0 && l->stopped) {
        l->r->backend->sockets->close(l->r, op->res);
    } else if (op->res >= 0) {
        l->connections++;
        l->on_accept(l, op->res);
    } else if (op->res != -ECANCELED && !l->stopped && !l->retry.armed) {
        log_warn("listener: port %u: accept: %s; next try in %d ms", l->port, strerror(-op->res),
                 (int)(RETRY_NS / 1000000));
        timer_arm(l->r, &l->retry, RETRY_NS);
    }
    if (l->stopped)
        close_when_quiet(l);
    else
        start_accepts(l);
}

static void retry_fired(struct timer *t)
{
    start_accepts(container_of(t, struct listener, retry));
}

int listener_new(struct reactor *r, const char *bind, uint16_t port, unsigned max_connections,
                 void (*on_accept)(struct listener *l, int fd), void *ctx, struct listener **out,
                 char *err, size_t err_len)
{
    struct sockaddr_storage sa;
    socklen_t sa_len;
    struct listener *l;
    int fd;

    ASSERT_ON_CORE(r);
    *out = NULL;
    if (address_parse(bind, port, &sa, &sa_len) != 0) {
        snprintf(err, err_len, "bind address '%s' is neither an IPv4 nor an IPv6 address", bind);
        return -EINVAL;
    }
    l = calloc(1, sizeof *l);
    if (!l) {
        snprintf(err, err_len, "out of memory");
        return -ENOMEM;
    }
    fd = r->backend->sockets->listen(r, (struct sockaddr *)&sa, sa_len, &port);
    if (fd == -EAFNOSUPPORT && (bind[0] == 0 || strcmp(bind, "*") == 0)) {
        /* "Any" means IPv6 and IPv4; this machine has only the latter. */
        address_parse("0.0.0.0", port, &sa, &sa_len);
        fd = r->backend->sockets->listen(r, (struct sockaddr *)&sa, sa_len, &port);
    }
    if (fd < 0) {
        snprintf(err, err_len, "cannot listen on %s port %u: %s", bind, port, strerror(-fd));
        free(l);
        return fd;
    }
    l->r = r;
    l->fd = fd;
    l->port = port;
    l->max_connections = max_connections;
    l->on_accept = on_accept;
    l->ctx = ctx;
    l->retry.fire = retry_fired;
    for (unsigned i = 0; i < ACCEPTS; i++) {
        l->accepts[i].op.done = accept_done;
        l->accepts[i].listener = l;
    }
    l->next = r->listeners;
    r->listeners = l;
    start_accepts(l);
    *out = l;
    return 0;
}

uint16_t listener_port(const struct listener *l)
{
    return l->port;
}

void *listener_ctx(const struct listener *l)
{
    return l->ctx;
}

struct reactor *listener_reactor(const struct listener *l)
{
    return l->r;
}

void listener_connection_closed(struct listener *l)
{
    ASSERT_ON_CORE(l->r);
    ASSERT(l->connections > 0);
    l->connections--;
    start_accepts(l);
}

void listener_stop(struct listener *l)
{
    ASSERT_ON_CORE(l->r);
    if (l->stopped)
        return;
    l->stopped = true;
    timer_cancel(l->r, &l->retry);
    for (unsigned i = 0; i < ACCEPTS; i++)
        io_cancel(l->r, &l->accepts[i].op);
    close_when_quiet(l);
}

void listener_free_all(struct reactor *r)
{
    while (r->listeners) {
        struct listener *l = r->listeners;

        r->listeners = l->next;
        if (l->fd >= 0 && !r->backend->is_simulated)
            close(l->fd); /* accepts in flight ended with the thread */
        free(l);
    }
}
