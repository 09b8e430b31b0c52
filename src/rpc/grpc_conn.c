#include "rpc/grpc_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "reactor/assert.h"
#include "reactor/log.h"
#include "rpc/grpc_call_impl.h"

#define CLIENT_KEEPALIVE_NS \
    10000000000ull /* silence after which a peer is asked whether it is there */
#define SERVER_KEEPALIVE_NS 30000000000ull
#define PING_TIMEOUT_NS 10000000000ull

static void free_when_quiet(struct grpc_conn *c)
{
    if (c->dead && !c->pump.queued)
        free(c);
}

static int pump_once(struct grpc_conn *c)
{
    struct buffer *out = stream_out(c->stream);
    size_t unsent = stream_unsent(c->stream);

    if (unsent >= GRPC_CONN_OUT_HIGH)
        return 0;                    /* on_drain goes on */
    size_t busy = unsent - out->len; /* with the kernel already */
    int rc = h2_session_send(c->h2, out, GRPC_CONN_OUT_HIGH - busy);
    stream_flush(c->stream);
    return rc;
}

static void pump_run(struct task *t)
{
    struct grpc_conn *c = container_of(t, struct grpc_conn, pump);

    if (c->dead) {
        free_when_quiet(c);
        return;
    }
    int rc = pump_once(c);
    if (rc) {
        grpc_conn_abort(c,
                        rc == -EDQUOT ? "the peer floods the connection" : "HTTP/2 session failed");
        return;
    }
    if (h2_session_is_over(c->h2) || (c->closing && !c->n_calls && !h2_session_wants_write(c->h2)))
        stream_close(c->stream);
}

void grpc_conn_kick(struct grpc_conn *c)
{
    reactor_task(c->r, &c->pump, TASK_IO);
}

static void on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    struct grpc_conn *c = stream_ctx(s);

    c->received_ns = reactor_now_ns(c->r);
    c->ping_sent = false;
    int rc = h2_session_receive(c->h2, bytes, n, c->received_ns);
    if (rc == -EDQUOT) {
        log_warn("grpc: %s sends more control frames than allowed: connection closed",
                 stream_peer(s));
        h2_session_goaway(c->h2, NGHTTP2_ENHANCE_YOUR_CALM);
        pump_once(c);
        c->reason = "too many control frames";
        stream_close(s);
        return;
    }
    if (rc) {
        log_debug("grpc: %s does not speak HTTP/2: connection closed", stream_peer(s));
        pump_once(c);
        c->reason = "HTTP/2 protocol error";
        stream_close(s);
        return;
    }
    grpc_conn_kick(c);
}

static void on_drain(struct stream *s)
{
    grpc_conn_kick(stream_ctx(s));
}

static void on_closed(struct stream *s, int err)
{
    struct grpc_conn *c = stream_ctx(s);

    timer_cancel(c->r, &c->keepalive);
    c->dead = true;
    c->closing = true;
    list_for_each_safe(at, &c->calls)
        grpc_call_lost(container_of(at, struct grpc_call, in_conn), err);
    h2_session_free(c->h2);
    c->h2 = NULL;
    c->stream = NULL;
    c->handler.on_closed(c, err);
    free_when_quiet(c);
}

static void keepalive_fire(struct timer *t)
{
    struct grpc_conn *c = container_of(t, struct grpc_conn, keepalive);
    uint64_t silent = reactor_now_ns(c->r) - c->received_ns;

    if (c->ping_sent) {
        grpc_conn_abort(c, "the peer does not answer any more");
        return;
    }
    if (silent < c->keepalive_ns) {
        timer_arm(c->r, &c->keepalive, c->keepalive_ns - silent);
        return;
    }
    c->ping_sent = true;
    h2_session_ping(c->h2);
    grpc_conn_kick(c);
    timer_arm(c->r, &c->keepalive, PING_TIMEOUT_NS);
}

/* --- events of the codec --- */

static struct h2_stream *on_request(void *ctx)
{
    struct grpc_conn *c = ctx;
    struct grpc_call *call = c->closing ? NULL : grpc_call_new_served(c);

    return call ? &call->h2 : NULL;
}

static void on_goaway(void *ctx)
{
    struct grpc_conn *c = ctx;

    if (!c->is_server && !c->closing) {
        c->closing = true;
        if (c->handler.on_goaway)
            c->handler.on_goaway(c);
    }
}

static const struct stream_handler stream_events = {.on_data = on_data,
                                                    .on_drain = on_drain,
                                                    .on_closed = on_closed};

static struct grpc_conn *conn_new(struct reactor *r, bool is_server,
                                  const struct grpc_conn_handler *h, void *ctx)
{
    struct h2_events events = grpc_call_events;
    struct grpc_conn *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->r = r;
    c->handler = *h;
    c->ctx = ctx;
    c->is_server = is_server;
    list_init(&c->calls);
    c->pump.run = pump_run;
    c->keepalive.fire = keepalive_fire;
    c->keepalive_ns = is_server ? SERVER_KEEPALIVE_NS : CLIENT_KEEPALIVE_NS;
    events.on_request = on_request;
    events.on_goaway = on_goaway;
    if (h2_session_new(is_server, &events, c, &c->h2)) {
        free(c);
        return NULL;
    }
    return c;
}

static void opened(struct grpc_conn *c)
{
    stream_set_low_water(c->stream, GRPC_CONN_OUT_HIGH / 2);
    c->received_ns = reactor_now_ns(c->r);
    timer_arm(c->r, &c->keepalive, c->keepalive_ns);
    grpc_conn_kick(c);
}

int grpc_conn_accept(struct reactor *r, int fd, const struct grpc_conn_handler *h, void *ctx,
                     struct grpc_conn **out)
{
    struct grpc_conn *c = conn_new(r, true, h, ctx);

    *out = c;
    if (!c) {
        /* The stream owns the descriptor from here on, and closes it. */
        static const struct stream_handler none;
        struct stream *s;
        if (!stream_new(r, fd, 0, &none, NULL, &s))
            stream_abort(s);
        return -ENOMEM;
    }
    int rc = stream_new(r, fd, GRPC_CONN_OUT_LIMIT, &stream_events, c, &c->stream);
    if (rc) {
        h2_session_free(c->h2);
        free(c);
        return rc;
    }
    opened(c);
    return 0;
}

static void connected(struct stream *s, int err)
{
    struct grpc_conn *c = stream_ctx(s);

    if (!err)
        opened(c);
    c->on_connected(c, err);
}

int grpc_conn_connect(struct reactor *r, const char *host, uint16_t port, uint64_t timeout_ns,
                      const struct grpc_conn_handler *h,
                      void (*on_connected)(struct grpc_conn *c, int err), void *ctx,
                      struct grpc_conn **out)
{
    struct grpc_conn *c = conn_new(r, false, h, ctx);

    *out = c;
    if (!c)
        return -ENOMEM;
    c->on_connected = on_connected;
    int rc = stream_connect(r, host, port, timeout_ns, GRPC_CONN_OUT_LIMIT, &stream_events,
                            connected, c, &c->stream);
    if (rc) {
        h2_session_free(c->h2);
        free(c);
        *out = NULL;
    }
    return rc;
}

void grpc_conn_shutdown(struct grpc_conn *c)
{
    if (c->dead || (c->closing && c->is_server))
        return;
    c->closing = true;
    h2_session_goaway(c->h2, NGHTTP2_NO_ERROR);
    grpc_conn_kick(c);
}

void grpc_conn_abort(struct grpc_conn *c, const char *reason)
{
    if (c->dead)
        return;
    c->reason = reason;
    c->closing = true;
    timer_cancel(c->r, &c->keepalive);
    stream_abort(c->stream);
}

void grpc_conn_call_ended(struct grpc_conn *c)
{
    ASSERT(c->n_calls > 0);
    c->n_calls--;
    if (!c->dead)
        grpc_conn_kick(c);
}
