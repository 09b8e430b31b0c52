#include "rpc/grpc_channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OLD_MAX = 8 };

#define CONNECT_TIMEOUT_NS 5000000000ull
#define BACKOFF_FIRST_NS \
    50000000ull /* then doubled up to the longest, each with up to a quarter of jitter */
#define BACKOFF_MAX_NS 5000000000ull

struct grpc_channel { /* owner: its core */
    struct reactor *r;
    struct grpc_channel_handler handler;
    void *ctx;
    char *host;
    uint16_t port;
    char address[280];
    struct grpc_conn *conn; /* present one; NULL while waiting */
    bool connected;
    struct grpc_conn *old[OLD_MAX]; /* run to their ends after a GOAWAY */
    unsigned n_old;
    uint64_t backoff_ns;
    struct timer retry;
    struct task end;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void connect_now(struct grpc_channel *ch);

static void retry_later(struct grpc_channel *ch)
{
    uint64_t pause = ch->backoff_ns + reactor_random(ch->r) % (ch->backoff_ns / 4 + 1);

    ch->backoff_ns = ch->backoff_ns * 2 < BACKOFF_MAX_NS ? ch->backoff_ns * 2 : BACKOFF_MAX_NS;
    timer_arm(ch->r, &ch->retry, pause);
}

static void retry_fire(struct timer *t)
{
    connect_now(container_of(t, struct grpc_channel, retry));
}

static void end_run(struct task *t)
{
    struct grpc_channel *ch = container_of(t, struct grpc_channel, end);
    void (*closed)(void *ctx) = ch->closed;
    void *ctx = ch->closed_ctx;

    free(ch->host);
    free(ch);
    if (closed)
        closed(ctx);
}

static void end_when_empty(struct grpc_channel *ch)
{
    if (ch->closing && !ch->conn && !ch->n_old)
        reactor_task(ch->r, &ch->end, TASK_IO);
}

static void on_connected(struct grpc_conn *c, int err)
{
    struct grpc_channel *ch = c->ctx;

    if (err || ch->closing || ch->conn != c)
        return; /* on_closed follows */
    ch->connected = true;
    ch->backoff_ns = BACKOFF_FIRST_NS;
    ch->handler.on_connected(ch);
}

/* The present connection is of no use any more. */
static void leave(struct grpc_channel *ch, const char *why)
{
    ch->conn = NULL;
    ch->connected = false;
    if (ch->closing)
        return;
    retry_later(ch);
    ch->handler.on_lost(ch, why);
}

static void forget_old(struct grpc_channel *ch, const struct grpc_conn *c)
{
    unsigned i = 0;

    while (i < ch->n_old && ch->old[i] != c)
        i++;
    if (i < ch->n_old)
        ch->old[i] = ch->old[--ch->n_old];
}

static void on_closed(struct grpc_conn *c, int err)
{
    struct grpc_channel *ch = c->ctx;

    if (ch->conn != c)
        forget_old(ch, c);
    else
        leave(ch, c->reason ? c->reason : err ? strerror(-err) : "closed by the peer");
    end_when_empty(ch);
}

static void on_goaway(struct grpc_conn *c)
{
    struct grpc_channel *ch = c->ctx;

    if (ch->conn != c)
        return;
    if (ch->n_old == OLD_MAX)
        grpc_conn_abort(
            c, "the server keeps sending us away"); /* stays the present one until closed */
    else
        ch->old[ch->n_old++] = c;
    if (c->reason)
        return;
    leave(ch, "the server is stopping");
}

static const struct grpc_conn_handler conn_events = {.on_goaway = on_goaway,
                                                     .on_closed = on_closed};

static void connect_now(struct grpc_channel *ch)
{
    if (grpc_conn_connect(ch->r, ch->host, ch->port, CONNECT_TIMEOUT_NS, &conn_events, on_connected,
                          ch, &ch->conn))
        retry_later(ch);
}

int grpc_channel_new(struct reactor *r, const char *host, uint16_t port,
                     const struct grpc_channel_handler *h, void *ctx, struct grpc_channel **out)
{
    struct grpc_channel *ch = calloc(1, sizeof(*ch));

    if (!ch || !(ch->host = strdup(host))) {
        free(ch);
        return -ENOMEM;
    }
    ch->r = r;
    ch->port = port;
    ch->handler = *h;
    ch->ctx = ctx;
    ch->backoff_ns = BACKOFF_FIRST_NS;
    ch->retry.fire = retry_fire;
    ch->end.run = end_run;
    snprintf(ch->address, sizeof(ch->address), "%s:%u", host, port);
    *out = ch;
    connect_now(ch);
    return 0;
}

void *grpc_channel_ctx(const struct grpc_channel *ch)
{
    return ch->ctx;
}

bool grpc_channel_is_connected(const struct grpc_channel *ch)
{
    return ch->connected;
}

const char *grpc_channel_address(const struct grpc_channel *ch)
{
    return ch->address;
}

int grpc_channel_call(struct grpc_channel *ch, const char *path, const struct grpc_metadata *fields,
                      uint64_t deadline_ns, const struct grpc_call_handler *h, void *ctx,
                      struct grpc_call **out)
{
    if (!ch->connected)
        return -ENOTCONN;
    return grpc_call_new(ch->conn, path, fields, deadline_ns, h, ctx, out);
}

void grpc_channel_reset(struct grpc_channel *ch, const char *why)
{
    if (ch->conn)
        grpc_conn_abort(ch->conn, why);
}

void grpc_channel_close(struct grpc_channel *ch, void (*closed)(void *ctx), void *ctx)
{
    ch->closing = true;
    ch->closed = closed;
    ch->closed_ctx = ctx;
    timer_cancel(ch->r, &ch->retry);
    if (ch->conn)
        grpc_conn_abort(ch->conn, "the client stops");
    for (unsigned i = 0; i < ch->n_old; i++)
        grpc_conn_abort(ch->old[i], "the client stops");
    end_when_empty(ch);
}
