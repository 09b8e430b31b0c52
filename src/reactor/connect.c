/* Streams that connect: name, addresses in turn, time limit. See stream_connect in stream.h. */
#include <errno.h>
#include <stdlib.h>

#include "reactor/assert.h"
#include "reactor/list.h"
#include "reactor/stream_impl.h"

static void connect_done(struct io_op *op);

/* Tries the address s->target. */
static void try_target(struct stream *s)
{
    const struct socket_backend *sockets = s->r->backend->sockets;
    const struct resolve_result *t = &s->targets;
    int fd;

    if (s->fd >= 0)
        sockets->close(s->r, s->fd);
    s->fd = -1;
    fd = sockets->open(s->r, t->addresses[s->target].ss_family);
    if (fd < 0) {
        stream_fail(s, fd);
        return;
    }
    s->fd = fd;
    s->send.done = connect_done;
    address_print(&t->addresses[s->target], s->peer, sizeof s->peer);
    io_connect(s->r, &s->send, fd, (const struct sockaddr *)&s->targets.addresses[s->target],
               t->lengths[s->target]);
}

static void connect_done(struct io_op *op)
{
    struct stream *s = container_of(op, struct stream, send);
    void (*on_connected)(struct stream * s, int err) = s->on_connected;

    if (s->state == STREAM_ENDING) {
        reactor_task_turn_end(s->r, &s->work);
        return;
    }
    if (op->res < 0 && s->target + 1 < s->targets.count) {
        s->target++;
        try_target(s);
        return;
    }
    if (op->res < 0) {
        stream_fail(s, op->res);
        return;
    }
    timer_cancel(s->r, &s->timer);
    s->on_connected = NULL;
    stream_opened(s);
    if (on_connected)
        on_connected(s, 0);
}

static void resolved(void *ctx, const struct resolve_result *result)
{
    struct stream *s = ctx;

    s->resolving = NULL;
    s->targets = *result;
    if (result->rc != 0)
        stream_fail(s, result->rc);
    else
        try_target(s);
}

int stream_connect(struct reactor *r, const char *host, uint16_t port, uint64_t timeout_ns,
                   size_t out_limit, const struct stream_handler *h,
                   void (*on_connected)(struct stream *s, int err), void *ctx, struct stream **out)
{
    struct stream *s;

    ASSERT_ON_CORE(r);
    s = *out = stream_alloc(r, out_limit, h, ctx);
    if (!s)
        return -ENOMEM;
    s->on_connected = on_connected;
    s->state = STREAM_CONNECTING;
    timer_arm(r, &s->timer, timeout_ns);
    if (r->backend->is_simulated &&
        address_parse(host, port, &s->targets.addresses[0], &s->targets.lengths[0]))
        host = "127.0.0.1"; /* the simulated network has one host with every name */
    if (address_parse(host, port, &s->targets.addresses[0], &s->targets.lengths[0]) == 0) {
        s->targets.count = 1;
        try_target(s);
        return 0;
    }
    s->resolving = resolver_ask(r, host, port, resolved, s);
    if (!s->resolving)
        stream_fail(s, -ENOMEM);
    return 0;
}
