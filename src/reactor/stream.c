/* Streams: reading, writing, closing of a connected socket. See stream.h. */
#include "reactor/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reactor/assert.h"
#include "reactor/list.h"
#include "reactor/stream_impl.h"

enum {
    LOW_WATER_DEFAULT = 64 * 1024,
    BUFFER_KEEP = 16 * 1024, /* memory an idle stream may hold per buffer */
    SEND_MAX = 1 << 30,      /* bytes per operation: its length has 32 bits, its result 31 */
    FILTER_RECORD =
        64 * 1024, /* room for what a filter adds to a full output or a received buffer */
};

#define CLOSE_LIMIT_NS 30000000000ull /* for a peer that does not read what is queued */
#define LINGER_NS 250000000ull        /* for a peer that does not close after we did */

static void stream_work(struct task *t);
static void on_timer(struct timer *t);
static void recv_done(struct io_op *op);
static void send_done(struct io_op *op);

static void schedule(struct stream *s)
{
    reactor_task_turn_end(s->r, &s->work);
}

struct stream *stream_alloc(struct reactor *r, size_t out_limit, const struct stream_handler *h,
                            void *ctx)
{
    struct stream *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->r = r;
    list_push_back(&r->streams, &s->link);
    s->handler = *h;
    s->ctx = ctx;
    s->fd = -1;
    s->work.run = stream_work;
    s->timer.fire = on_timer;
    s->recv.done = recv_done;
    s->out_limit = out_limit;
    s->low_water = LOW_WATER_DEFAULT;
    buffer_init(&s->out, out_limit);
    buffer_init(&s->sending, out_limit);
    buffer_init(&s->pending, IO_RECV_BYTES);
    snprintf(s->peer, sizeof s->peer, "?");
    return s;
}

int stream_new(struct reactor *r, int fd, size_t out_limit, const struct stream_handler *h,
               void *ctx, struct stream **out)
{
    struct stream *s;

    ASSERT_ON_CORE(r);
    s = *out = stream_alloc(r, out_limit, h, ctx);
    if (!s) {
        r->backend->sockets->close(r, fd);
        return -ENOMEM;
    }
    s->fd = fd;
    stream_opened(s);
    return 0;
}

static void start_reading(struct stream *s)
{
    bool drops = s->state == STREAM_CLOSING || s->state == STREAM_LINGERING;

    if (s->at_eof || io_is_pending(&s->recv) || s->pending.len > 0)
        return;
    if (drops || (s->state == STREAM_OPEN && !s->paused))
        io_recv(s->r, &s->recv, s->fd);
}

void stream_opened(struct stream *s)
{
    struct sockaddr_storage sa;
    socklen_t n;

    s->state = STREAM_OPEN;
    s->send.done = send_done;
    s->r->backend->sockets->options(s->r, s->fd);
    if (s->r->backend->sockets->peer(s->r, s->fd, &sa, &n) == 0) {
        address_print(&sa, s->peer, sizeof s->peer);
        s->peer_is_loopback = address_is_loopback(&sa) || sa.ss_family == AF_UNIX;
    }
    start_reading(s);
    schedule(s);
}

/* The limit covers both buffers: what is being sent makes the room of the other smaller. */
static void update_limit(struct stream *s)
{
    size_t busy = s->sending.len - s->sent;

    s->out.limit = busy < s->out_limit ? s->out_limit - busy : 0;
}

size_t stream_unsent(const struct stream *s)
{
    return s->out.len + s->wire.len + s->sending.len - s->sent;
}

static bool ops_in_flight(const struct stream *s)
{
    return io_is_pending(&s->recv) || io_is_pending(&s->send);
}

/* Operations are cancelled and awaited; no callback but on_closed follows. */
static void enter_ending(struct stream *s, int err)
{
    if (s->state == STREAM_ENDING)
        return;
    s->state = STREAM_ENDING;
    if (s->err == 0)
        s->err = err;
    timer_cancel(s->r, &s->timer);
    if (s->resolving)
        resolver_forget(s->resolving);
    s->resolving = NULL;
    io_cancel(s->r, &s->recv);
    io_cancel(s->r, &s->send);
    schedule(s);
}

void stream_fail(struct stream *s, int err)
{
    enter_ending(s, err);
}

static void deliver_plain(struct stream *s, const uint8_t *bytes, size_t n)
{
    if (n == 0 || s->state != STREAM_OPEN)
        return;
    if (s->paused || s->pending.len > 0) {
        int rc = buffer_append(&s->pending, bytes, n);

        if (rc != 0)
            stream_fail(s, rc);
        return;
    }
    s->handler.on_data(s, bytes, n);
}

/* Bytes of the socket, through the filter when there is one. */
static void deliver(struct stream *s, const uint8_t *bytes, size_t n)
{
    struct buffer plain;
    int rc;

    if (!s->filter) {
        deliver_plain(s, bytes, n);
        return;
    }
    rc = s->filter->decrypt(s->filter_state, bytes, n, &s->plain, &s->wire);
    if (s->wire.len > 0)
        schedule(s);
    /* Taken out: on_data must not see the buffer change under it. */
    plain = s->plain;
    buffer_init(&s->plain, plain.limit);
    deliver_plain(s, plain.data, plain.len);
    buffer_fini(&plain);
    if (rc != 0)
        stream_fail(s, rc);
}

/* All is sent: says so to the peer, and reads on so that unread bytes do not turn the close into a
 * reset, which could destroy the last bytes on their way. */
static void enter_lingering(struct stream *s)
{
    if (s->at_eof) {
        enter_ending(s, 0);
        return;
    }
    s->state = STREAM_LINGERING;
    s->r->backend->sockets->shutdown(s->r, s->fd);
    timer_arm(s->r, &s->timer, LINGER_NS);
    start_reading(s);
}

static void recv_done(struct io_op *op)
{
    struct stream *s = container_of(op, struct stream, recv);

    if (op->res > 0) {
        if (s->state == STREAM_OPEN)
            deliver(s, op->data, (size_t)op->res);
    } else if (op->res == 0) {
        s->at_eof = true;
        if (s->state == STREAM_OPEN)
            stream_close(s);
        else if (s->state == STREAM_LINGERING)
            enter_ending(s, 0);
    } else if (s->state == STREAM_LINGERING) {
        enter_ending(s, 0);
    } else if (op->res != -ECANCELED) {
        stream_fail(s, op->res);
    }
    if (s->state == STREAM_ENDING)
        schedule(s);
    else
        start_reading(s);
}

/* Moves what was flushed into the buffer for the kernel: 0 or the filter's error. */
static int fill_sending(struct stream *s)
{
    struct buffer *from = s->filter ? &s->wire : &s->out, swap;
    int rc = 0;

    if (s->filter && s->flushed > 0) {
        rc = s->filter->encrypt(s->filter_state, s->out.data, s->flushed, &s->wire);
        buffer_consume(&s->out, s->flushed);
        s->flushed = 0;
    } else if (!s->filter && s->flushed < s->out.len) {
        /* A part was appended after the flush: only what was asked for goes. */
        rc = buffer_append(&s->sending, s->out.data, s->flushed);
        buffer_consume(&s->out, rc == 0 ? s->flushed : 0);
        s->flushed = 0;
        return rc;
    }
    swap = s->sending;
    s->sending = *from;
    *from = swap;
    s->flushed = 0;
    return rc;
}

/* Of a stream that closes and whose output is all on its way. */
static void end_filter(struct stream *s)
{
    if (s->state != STREAM_CLOSING || !s->filter || !s->filter->end || s->filter_ended)
        return;
    s->filter_ended = true;
    if (s->filter->end(s->filter_state, &s->wire) != 0)
        buffer_consume(&s->wire, s->wire.len); /* then without a farewell */
}

static void send_more(struct stream *s)
{
    size_t n;

    if (io_is_pending(&s->send) || s->state == STREAM_CONNECTING || s->state == STREAM_ENDING)
        return;
    if (s->sending.len == s->sent) {
        int rc;

        s->sent = 0;
        buffer_reset(&s->sending, BUFFER_KEEP);
        if (s->flushed == 0 && s->wire.len == 0)
            end_filter(s);
        if (s->flushed == 0 && s->wire.len == 0)
            return;
        s->sending.limit = s->filter ? s->wire.limit : s->out_limit;
        rc = fill_sending(s);
        update_limit(s);
        if (rc != 0) {
            stream_fail(s, rc);
            return;
        }
        if (s->sending.len == 0)
            return;
    }
    n = s->sending.len - s->sent;
    io_send(s->r, &s->send, s->fd, s->sending.data + s->sent,
            n < SEND_MAX ? (uint32_t)n : SEND_MAX);
}

static void check_all_sent(struct stream *s)
{
    if (s->state == STREAM_CLOSING && !io_is_pending(&s->send) && stream_unsent(s) == 0)
        enter_lingering(s);
}

static void send_done(struct io_op *op)
{
    struct stream *s = container_of(op, struct stream, send);

    if (s->state == STREAM_ENDING) {
        schedule(s);
        return;
    }
    if (op->res < 0) {
        stream_fail(s, op->res);
        return;
    }
    s->sent += (size_t)op->res;
    ASSERT(s->sent <= s->sending.len);
    send_more(s);
    update_limit(s);
    if (s->state == STREAM_OPEN && s->handler.on_drain && stream_unsent(s) < s->low_water)
        s->handler.on_drain(s);
    check_all_sent(s);
}

static void stream_free(struct stream *s)
{
    ASSERT(!s->work.queued);
    list_remove(&s->link);
    buffer_fini(&s->out);
    buffer_fini(&s->sending);
    buffer_fini(&s->wire);
    buffer_fini(&s->plain);
    buffer_fini(&s->pending);
    free(s);
}

static void stream_end(struct stream *s)
{
    struct reactor *r = s->r;
    void (*on_connected)(struct stream * s, int err) = s->on_connected;

    ASSERT(!ops_in_flight(s) && !s->timer.armed && !s->resolving);
    if (s->fd >= 0)
        r->backend->sockets->close(r, s->fd);
    s->fd = -1;
    if (s->filter && s->filter->free)
        s->filter->free(s->filter_state);
    s->on_connected = NULL;
    if (on_connected)
        on_connected(s, s->err);
    if (s->handler.on_closed)
        s->handler.on_closed(s, s->err);
    stream_free(s);
}

void stream_free_all(struct reactor *r)
{
    while (!list_is_empty(&r->streams)) {
        struct stream *s = container_of(list_first(&r->streams), struct stream, link);

        if (s->fd >= 0 && !r->backend->is_simulated)
            close(s->fd); /* operations in flight ended with the thread */
        if (s->filter && s->filter->free)
            s->filter->free(s->filter_state);
        s->work.queued = false;
        stream_free(s);
    }
}

/* End of the turn: everything the callbacks of the turn asked for, in one place. */
static void stream_work(struct task *t)
{
    struct stream *s = container_of(t, struct stream, work);

    if (s->state == STREAM_OPEN && !s->paused && s->pending.len > 0) {
        struct buffer bytes = s->pending;

        buffer_init(&s->pending, bytes.limit);
        s->handler.on_data(s, bytes.data, bytes.len);
        buffer_fini(&bytes);
        start_reading(s);
    }
    send_more(s);
    check_all_sent(s);
    if (s->state == STREAM_ENDING && !ops_in_flight(s) && !s->work.queued)
        stream_end(s);
}

static void on_timer(struct timer *t)
{
    struct stream *s = container_of(t, struct stream, timer);

    enter_ending(s, s->state == STREAM_LINGERING ? 0 : -ETIMEDOUT);
}

void *stream_ctx(const struct stream *s)
{
    return s->ctx;
}

struct reactor *stream_reactor(const struct stream *s)
{
    return s->r;
}

struct buffer *stream_out(struct stream *s)
{
    return &s->out;
}

void stream_flush(struct stream *s)
{
    ASSERT_ON_CORE(s->r);
    s->flushed = s->out.len;
    if (s->state != STREAM_ENDING)
        schedule(s);
}

void stream_set_low_water(struct stream *s, size_t bytes)
{
    s->low_water = bytes;
}

void stream_pause(struct stream *s)
{
    s->paused = true;
}

void stream_resume(struct stream *s)
{
    ASSERT_ON_CORE(s->r);
    s->paused = false;
    if (s->state != STREAM_OPEN)
        return;
    if (s->pending.len > 0)
        schedule(s);
    else
        start_reading(s);
}

void stream_close(struct stream *s)
{
    ASSERT_ON_CORE(s->r);
    if (s->state == STREAM_CONNECTING) {
        enter_ending(s, -ECONNABORTED);
        return;
    }
    if (s->state != STREAM_OPEN)
        return;
    s->state = STREAM_CLOSING;
    s->flushed = s->out.len;
    buffer_fini(&s->pending);
    timer_arm(s->r, &s->timer, CLOSE_LIMIT_NS);
    start_reading(s);
    schedule(s);
}

void stream_abort(struct stream *s)
{
    ASSERT_ON_CORE(s->r);
    enter_ending(s, -ECONNABORTED);
}

void stream_set_filter(struct stream *s, const struct stream_filter *filter, void *state,
                       const uint8_t *rest, size_t n)
{
    ASSERT_ON_CORE(s->r);
    ASSERT(!s->filter);
    /* The output so far was meant plain: it goes in front of everything the filter makes. */
    s->wire = s->out;
    s->wire.limit =
        s->out_limit > SIZE_MAX / 2 - FILTER_RECORD ? SIZE_MAX : s->out_limit * 2 + FILTER_RECORD;
    buffer_init(&s->out, s->out_limit);
    update_limit(s);
    s->flushed = 0;
    s->pending.limit = FILTER_RECORD;
    buffer_init(&s->plain, FILTER_RECORD);
    s->filter = filter;
    s->filter_state = state;
    schedule(s);
    if (n > 0)
        deliver(s, rest, n);
}

const char *stream_peer(const struct stream *s)
{
    return s->peer;
}

bool stream_peer_is_loopback(const struct stream *s)
{
    return s->peer_is_loopback;
}
