#include "rpc/grpc_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "reactor/assert.h"
#include "rpc/grpc_call_impl.h"

enum { CALL_FIELDS_MAX = GRPC_METADATA_MAX_FIELDS + 8 };

static void call_task(struct task *t);
static void deadline_fire(struct timer *t);

static void schedule(struct grpc_call *c)
{
    reactor_task(c->r, &c->task, TASK_IO);
}

static struct grpc_call *call_alloc(struct grpc_conn *conn)
{
    struct grpc_call *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->conn = conn;
    c->r = conn->r;
    c->is_server = conn->is_server;
    c->task.run = call_task;
    c->deadline.fire = deadline_fire;
    c->status = GRPC_UNKNOWN;
    grpc_metadata_init(&c->fields);
    grpc_metadata_init(&c->trailers);
    buffer_init(&c->in, GRPC_PREFIX + GRPC_MAX_MESSAGE + (size_t)H2_STREAM_WINDOW * 2);
    list_push_back(&conn->calls, &c->in_conn);
    conn->n_calls++;
    return c;
}

struct grpc_call *grpc_call_new_served(struct grpc_conn *conn)
{
    return call_alloc(conn);
}

static void leave_conn(struct grpc_call *c)
{
    if (!c->conn)
        return;
    list_remove(&c->in_conn);
    grpc_conn_call_ended(c->conn);
    c->conn = NULL;
}

static void call_free(struct grpc_call *c)
{
    timer_cancel(c->r, &c->deadline);
    ASSERT(!c->h2.session && !c->task.queued);
    leave_conn(c);
    h2_stream_drop(&c->h2);
    grpc_metadata_fini(&c->fields);
    grpc_metadata_fini(&c->trailers);
    buffer_fini(&c->in);
    free(c);
}

static void set_status(struct grpc_call *c, enum grpc_code code, const char *text)
{
    c->status = code;
    snprintf(c->text, sizeof(c->text), "%s", text);
}

/* No more data in either direction; on_closed follows. The first reason counts. */
static void end_with(struct grpc_call *c, enum grpc_code code, const char *text)
{
    if (!c->over) {
        c->over = true;
        set_status(c, code, text);
    }
    schedule(c);
}

static void reset_with(struct grpc_call *c, uint32_t h2_error, enum grpc_code code,
                       const char *text)
{
    h2_stream_reset(&c->h2, h2_error);
    if (c->conn)
        grpc_conn_kick(c->conn);
    end_with(c, code, text);
}

void grpc_call_cancel(struct grpc_call *c, enum grpc_code code, const char *text)
{
    c->in.len = c->in_at = 0; /* what came before is of no interest any more */
    if (c->over)
        set_status(c, code, text);
    reset_with(c, NGHTTP2_CANCEL, code, text);
}

void grpc_call_lost(struct grpc_call *c, int err)
{
    char text[160];

    if (c->conn->reason)
        snprintf(text, sizeof(text), "connection lost: %s", c->conn->reason);
    else
        snprintf(text, sizeof(text), "connection lost: %s",
                 err ? strerror(-err) : "closed by the peer");
    /* The session is freed after this: the stream must not think of it any more. */
    h2_stream_reset(&c->h2, NGHTTP2_CANCEL);
    leave_conn(c);
    end_with(c, GRPC_UNAVAILABLE, text);
}

/* --- sending --- */

struct h2_chunk *grpc_message_new(size_t n, uint8_t **body)
{
    struct h2_chunk *m = n <= GRPC_MAX_MESSAGE ? h2_chunk_new(GRPC_PREFIX + n) : NULL;

    if (!m)
        return NULL;
    m->bytes[0] = 0; /* identity: never compressed */
    m->bytes[1] = (uint8_t)(n >> 24);
    m->bytes[2] = (uint8_t)(n >> 16);
    m->bytes[3] = (uint8_t)(n >> 8);
    m->bytes[4] = (uint8_t)n;
    *body = m->bytes + GRPC_PREFIX;
    return m;
}

static size_t add_fields(struct h2_field *out, size_t n, const struct grpc_metadata *m)
{
    size_t at = 0;

    while (m && n < CALL_FIELDS_MAX && grpc_metadata_next(m, &at, &out[n].name, &out[n].value))
        n++;
    return n;
}

static const struct h2_field answer_fields[] = {
    {":status", "200"},
    {"content-type", "application/grpc+proto"},
    {"grpc-accept-encoding", "identity"},
};

enum { ANSWER_FIELDS = sizeof(answer_fields) / sizeof(answer_fields[0]) };

static void send_headers(struct grpc_call *c)
{
    if (!c->is_server || c->headers_sent)
        return;
    c->headers_sent = true;
    if (h2_stream_respond(&c->h2, answer_fields, ANSWER_FIELDS))
        reset_with(c, NGHTTP2_INTERNAL_ERROR, GRPC_INTERNAL, "out of memory");
}

bool grpc_call_send(struct grpc_call *c, struct h2_chunk *message)
{
    if (c->over || c->finished || !c->h2.session) {
        h2_chunk_free(message);
        return true; /* on_closed is on its way */
    }
    send_headers(c);
    if (c->over) {
        h2_chunk_free(message);
        return true;
    }
    h2_stream_write(&c->h2, message);
    grpc_conn_kick(c->conn);
    c->h2.low_wanted = c->h2.queued >= GRPC_SEND_HIGH;
    return !c->h2.low_wanted;
}

void grpc_call_end_sending(struct grpc_call *c)
{
    if (c->over || c->finished || !c->h2.session)
        return;
    c->finished = true;
    h2_stream_end(&c->h2, NULL, 0);
    grpc_conn_kick(c->conn);
}

void grpc_call_finish(struct grpc_call *c, enum grpc_code code, const char *text,
                      const struct grpc_metadata *fields)
{
    struct h2_field f[CALL_FIELDS_MAX];
    char status[8], message[GRPC_STATUS_TEXT * 3];
    size_t n = 0;
    int rc;

    if (c->over || c->finished || !c->h2.session)
        return;
    c->finished = true;
    for (; n < ANSWER_FIELDS && !c->headers_sent; n++)
        f[n] = answer_fields[n];
    snprintf(status, sizeof(status), "%d", code);
    f[n++] = (struct h2_field){"grpc-status", status};
    if (text && *text) {
        grpc_message_encode(text, message, sizeof(message));
        f[n++] = (struct h2_field){"grpc-message", message};
    }
    n = add_fields(f, n, fields);
    if (c->headers_sent)
        rc = h2_stream_end(&c->h2, f, n);
    else
        rc = h2_stream_respond_only(&c->h2, f, n);
    if (rc)
        reset_with(c, NGHTTP2_INTERNAL_ERROR, GRPC_INTERNAL, "out of memory");
    else
        grpc_conn_kick(c->conn);
}

void grpc_call_refuse(struct grpc_call *c, const char *http_status)
{
    const struct h2_field f[] = {{":status", http_status}};

    if (c->over || c->finished || !c->h2.session)
        return;
    c->finished = true;
    h2_stream_respond_only(&c->h2, f, 1);
    grpc_conn_kick(c->conn);
}

/* --- receiving --- */

void grpc_call_read(struct grpc_call *c)
{
    ASSERT(!c->reading);
    c->reading = true;
    schedule(c);
}

static void consume(struct grpc_call *c, size_t n)
{
    if (!n || !c->conn)
        return;
    h2_stream_consume(&c->h2, n);
    grpc_conn_kick(c->conn);
}

/* Length of the first message with its prefix; 0 = not all there yet; -1 = none of ours, call ended. */
static int64_t first_message(struct grpc_call *c)
{
    size_t have = c->in.len - c->in_at;

    if (have < GRPC_PREFIX)
        return 0;
    const uint8_t *p = c->in.data + c->in_at;
    size_t n = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    const char *why = NULL;
    enum grpc_code code = GRPC_INTERNAL;
    if (p[0] == 1) {
        code = GRPC_UNIMPLEMENTED;
        why = "compressed messages are not supported; send with grpc-encoding identity";
    } else if (p[0]) {
        why = "a message has a flag byte other than 0 and 1";
    } else if (n > GRPC_MAX_MESSAGE) {
        code = GRPC_RESOURCE_EXHAUSTED;
        why = "a message is longer than the 64 MiB allowed";
    }
    if (!why)
        return have >= GRPC_PREFIX + n ? (int64_t)(GRPC_PREFIX + n) : 0;
    if (c->is_server) {
        grpc_call_finish(c, code, why, NULL);
        c->in.len = c->in_at = 0;
        c->reading = false;
        c->peer_ended = c->end_told = true; /* the handler learns it by on_closed */
    } else {
        grpc_call_cancel(c, code, why);
    }
    return -1;
}

static void drop_front(struct grpc_call *c, size_t n)
{
    c->in_at += n;
    if (c->in_at >= c->in.len) {
        c->in_at = 0;
        buffer_reset(&c->in, 64 << 10);
    } else if (c->in_at > c->in.len / 2) {
        buffer_consume(&c->in, c->in_at);
        c->in_at = 0;
    }
}

/* Hands out messages as long as they are asked for. Bytes are consumed when their message is wanted: a reader that
 * does not read holds at most one window. */
static void deliver(struct grpc_call *c)
{
    while (c->reading) {
        int64_t n = first_message(c);
        if (n < 0)
            return;
        if (!n) {
            consume(c, c->h2.held);
            return;
        }
        size_t rest = c->in.len - c->in_at - (size_t)n;
        if (c->h2.held > rest)
            consume(c, c->h2.held - rest);
        c->reading = false;
        c->handler.on_message(c, c->in.data + c->in_at + GRPC_PREFIX, (size_t)n - GRPC_PREFIX);
        if (c->in.len) /* a cancel inside emptied it */
            drop_front(c, (size_t)n);
    }
}

static bool on_field(struct h2_stream *s, const char *name, size_t name_len, const char *value,
                     size_t value_len)
{
    struct grpc_call *c = container_of(s, struct grpc_call, h2);
    struct grpc_metadata *to = c->headers_seen ? &c->trailers : &c->fields;

    if (!c->is_server && name_len == 7 && !memcmp(name, ":status", 7) && value_len == 3)
        c->http_status = (unsigned)(value[0] - '0') * 100 + (unsigned)(value[1] - '0') * 10 +
                         (unsigned)(value[2] - '0');
    return !grpc_metadata_add(to, name, name_len, value, value_len);
}

static void on_headers(struct h2_stream *s)
{
    struct grpc_call *c = container_of(s, struct grpc_call, h2);

    if (!c->is_server && c->http_status / 100 == 1) {
        grpc_metadata_fini(&c->fields); /* an interim answer */
        return;
    }
    if (c->headers_seen)
        return;
    c->headers_seen = true;
    schedule(c);
}

static void on_data(struct h2_stream *s, const uint8_t *bytes, size_t n)
{
    struct grpc_call *c = container_of(s, struct grpc_call, h2);

    if (c->over || c->peer_ended || (c->is_server && c->finished)) {
        consume(c, n); /* of no interest any more */
        return;
    }
    if (buffer_append(&c->in, bytes, n)) {
        reset_with(c, NGHTTP2_ENHANCE_YOUR_CALM, GRPC_RESOURCE_EXHAUSTED,
                   "out of memory for a message");
        return;
    }
    if (c->reading)
        schedule(c);
}

static void on_end(struct h2_stream *s)
{
    struct grpc_call *c = container_of(s, struct grpc_call, h2);

    c->peer_ended = true;
    schedule(c);
}

static void on_low(struct h2_stream *s)
{
    struct grpc_call *c = container_of(s, struct grpc_call, h2);

    c->low_due = true;
    schedule(c);
}

static void read_status(struct grpc_call *c, uint32_t h2_error)
{
    const char *status = grpc_call_field(c, "grpc-status"),
               *message = grpc_call_field(c, "grpc-message");
    char text[GRPC_STATUS_TEXT];

    if (status) {
        grpc_message_decode(message ? message : "", text, sizeof(text));
        end_with(c, grpc_code_parse(status), text);
    } else if (c->headers_seen && c->http_status != 200) {
        snprintf(text, sizeof(text), "the server answered with HTTP status %u", c->http_status);
        end_with(c, grpc_code_of_http(c->http_status), text);
    } else {
        snprintf(text, sizeof(text), "the server ended the call without a status (%s)",
                 nghttp2_http2_strerror(h2_error));
        end_with(c, grpc_code_of_h2(h2_error), text);
    }
}

static void on_closed(struct h2_stream *s, uint32_t h2_error)
{
    struct grpc_call *c = container_of(s, struct grpc_call, h2);

    if (!c->is_server)
        read_status(c, h2_error);
    else if (c->finished && !h2_error)
        end_with(c, GRPC_OK, "");
    else
        end_with(c, GRPC_CANCELLED, "the client cancelled the call");
}

static void on_ping_ack(void *ctx)
{
    (void)ctx; /* every received byte counts as a sign of life */
}

const struct h2_events grpc_call_events = {
    .on_field = on_field,
    .on_headers = on_headers,
    .on_data = on_data,
    .on_end = on_end,
    .on_low = on_low,
    .on_closed = on_closed,
    .on_ping_ack = on_ping_ack,
};

/* --- the life of a call --- */

static void announce(struct grpc_call *c)
{
    uint64_t ns;

    c->announced = true;
    const char *timeout = grpc_call_field(c, "grpc-timeout");
    if (timeout && grpc_timeout_parse(timeout, &ns)) {
        uint64_t now = reactor_now_ns(c->r);
        c->deadline_ns = ns < UINT64_MAX - now ? now + ns : UINT64_MAX;
        timer_arm(c->r, &c->deadline, ns);
    }
    c->conn->handler.on_call(c->conn, c);
}

/* A reader gets all messages that came before a good end; a bad end it gets at once. */
static bool has_unread(struct grpc_call *c)
{
    return !c->is_server && c->status == GRPC_OK && c->in.len > c->in_at;
}

static void check_cut_off(struct grpc_call *c)
{
    if (c->reading && !first_message(c)) {
        c->in.len = c->in_at = 0;
        set_status(c, GRPC_INTERNAL, "the answer ends within a message");
    }
}

/* Server: the client has sent all. */
static void tell_end(struct grpc_call *c)
{
    if (c->in.len > c->in_at && !c->reading)
        return; /* not before the messages are taken */
    c->end_told = true;
    if (c->in.len > c->in_at)
        grpc_call_finish(c, GRPC_INTERNAL, "the request ends within a message", NULL);
    else if (c->handler.on_end)
        c->handler.on_end(c);
    else if (c->reading)
        grpc_call_finish(c, GRPC_INTERNAL, "the request has no message", NULL);
}

static void call_task(struct task *t)
{
    struct grpc_call *c = container_of(t, struct grpc_call, task);

    if (c->is_server && c->headers_seen && !c->announced && !c->over)
        announce(c);
    if (!c->over || has_unread(c))
        deliver(c);
    if (c->over && has_unread(c))
        check_cut_off(c);
    if (!c->over && c->low_due) {
        c->low_due = false;
        if (c->handler.on_writable)
            c->handler.on_writable(c);
    }
    if (c->is_server && !c->over && c->peer_ended && !c->end_told)
        tell_end(c);
    if (!c->over || has_unread(c))
        return;
    h2_stream_reset(&c->h2, NGHTTP2_CANCEL);
    leave_conn(c);
    if (c->handler.on_closed)
        c->handler.on_closed(c);
    c->handler = (struct grpc_call_handler){0};
    if (!c->task.queued)
        call_free(c);
}

static void deadline_fire(struct timer *t)
{
    struct grpc_call *c = container_of(t, struct grpc_call, deadline);

    if (c->is_server && !c->headers_sent && !c->finished && !c->over) {
        grpc_call_finish(c, GRPC_DEADLINE_EXCEEDED, "the deadline of the call has passed", NULL);
        return;
    }
    grpc_call_cancel(c, GRPC_DEADLINE_EXCEEDED, "the deadline of the call has passed");
}

const char *grpc_call_field(const struct grpc_call *c, const char *name)
{
    const char *v = grpc_metadata_get(&c->trailers, name);

    return v ? v : grpc_metadata_get(&c->fields, name);
}

const char *grpc_call_path(const struct grpc_call *c)
{
    const char *path = grpc_metadata_get(&c->fields, ":path");

    return path ? path : "";
}

int grpc_call_new(struct grpc_conn *conn, const char *path, const struct grpc_metadata *fields,
                  uint64_t deadline_ns, const struct grpc_call_handler *h, void *ctx,
                  struct grpc_call **out)
{
    struct h2_field f[CALL_FIELDS_MAX] = {{":method", "POST"},
                                          {":scheme", "http"},
                                          {":path", path},
                                          {":authority", stream_peer(conn->stream)},
                                          {"te", "trailers"},
                                          {"content-type", "application/grpc+proto"},
                                          {"user-agent", "quanta"}};
    char timeout[24];
    size_t n = 7;

    if (conn->closing || conn->dead)
        return -ENOTCONN;
    struct grpc_call *c = call_alloc(conn);
    if (!c)
        return -ENOMEM;
    c->handler = *h;
    c->ctx = ctx;
    c->deadline_ns = deadline_ns;
    if (deadline_ns) {
        uint64_t now = reactor_now_ns(c->r), left = deadline_ns > now ? deadline_ns - now : 1;
        grpc_timeout_print(left, timeout, sizeof(timeout));
        f[n++] = (struct h2_field){"grpc-timeout", timeout};
        timer_arm(c->r, &c->deadline, left);
    }
    n = add_fields(f, n, fields);
    int rc = h2_stream_request(conn->h2, &c->h2, f, n);
    if (rc) {
        call_free(c);
        return rc == -EMFILE ? -ENOTCONN : rc;
    }
    grpc_conn_kick(conn);
    *out = c;
    return 0;
}
