#include "rpc/h2_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "reactor/assert.h"

enum { H2_LOW_WATER = 64 << 10, H2_FIELDS_MAX = 96, H2_OUTBOUND_ACKS_MAX = 1000 };

struct h2_session { /* owner: the connection, on one core */
    nghttp2_session *ng;
    struct h2_events events;
    void *ctx;
    bool is_server;
    bool flooded;
    size_t held; /* received and not consumed by the readers */
    size_t owed; /* of these, not yet given back to the connection's window */
    uint64_t flood_left, flood_at_ns;
    struct buffer *out; /* while h2_session_send runs */
    size_t until;
    uint64_t now_ns; /* while h2_session_receive runs */
};

struct h2_chunk *h2_chunk_new(size_t len)
{
    struct h2_chunk *c = malloc(sizeof(*c) + len);

    if (c) {
        c->next = NULL;
        c->len = len;
    }
    return c;
}

void h2_chunk_free(struct h2_chunk *c)
{
    free(c);
}

void h2_stream_drop(struct h2_stream *s)
{
    while (s->first) {
        struct h2_chunk *c = s->first;
        s->first = c->next;
        h2_chunk_free(c);
    }
    s->last = NULL;
    s->taken = s->queued = 0;
    free(s->trailers);
    s->trailers = NULL;
    s->n_trailers = 0;
}

static int rc_of(ssize_t ng_error)
{
    switch (ng_error) {
    case 0:
        return 0;
    case NGHTTP2_ERR_NOMEM:
        return -ENOMEM;
    case NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE:
        return -EMFILE;
    case NGHTTP2_ERR_FLOODED:
        return -EDQUOT;
    default:
        return -EPROTO;
    }
}

/* --- windows --- */

/* Gives bytes back to the connection's window, unless the streams hold too many already. */
static void open_connection_window(struct h2_session *h)
{
    if (h->owed && h->held < H2_HELD_MAX) {
        nghttp2_session_consume_connection(h->ng, h->owed);
        h->owed = 0;
    }
}

static void release_held(struct h2_session *h, size_t n)
{
    ASSERT(n <= h->held);
    h->held -= n;
    open_connection_window(h);
}

void h2_stream_consume(struct h2_stream *s, size_t n)
{
    ASSERT(n <= s->held);
    s->held -= n;
    if (!s->session)
        return;
    nghttp2_session_consume_stream(s->session->ng, s->id, n);
    release_held(s->session, n);
}

static void detach(struct h2_stream *s)
{
    struct h2_session *h = s->session;

    if (!h)
        return;
    s->session = NULL;
    release_held(h, s->held);
    h2_stream_drop(s);
}

/* --- sending --- */

static int submit_trailers(struct h2_stream *s)
{
    nghttp2_nv nv[H2_FIELDS_MAX];

    for (size_t i = 0; i < s->n_trailers; i++)
        nv[i] = (nghttp2_nv){.name = (uint8_t *)s->trailers[i].name,
                             .value = (uint8_t *)s->trailers[i].value,
                             .namelen = strlen(s->trailers[i].name),
                             .valuelen = strlen(s->trailers[i].value)};
    return nghttp2_submit_trailer(s->session->ng, s->id, nv, s->n_trailers);
}

/* How much of the queue the next frame takes; the bytes go by send_data below. */
static ssize_t read_data(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct h2_stream *s = nghttp2_session_get_stream_user_data(ng, id);

    (void)buf, (void)source, (void)ctx;
    if (!s)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* detached: the codec resets it */
    if (!s->queued && !s->ended) {
        s->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    size_t n = s->queued < length ? s->queued : length;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (s->ended && n == s->queued) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (s->n_trailers) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            if (submit_trailers(s))
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
    }
    return (ssize_t)n;
}

static void take_from_queue(struct h2_stream *s, struct buffer *out, size_t n)
{
    s->queued -= n;
    while (n) {
        struct h2_chunk *c = s->first;
        size_t part = c->len - s->taken < n ? c->len - s->taken : n;
        ASSERT(!buffer_append(out, c->bytes + s->taken, part)); /* room was reserved */
        s->taken += part;
        n -= part;
        if (s->taken == c->len) {
            s->first = c->next;
            s->taken = 0;
            h2_chunk_free(c);
        }
    }
    if (!s->first)
        s->last = NULL;
}

static int send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *header,
                     size_t length, nghttp2_data_source *source, void *ctx)
{
    struct h2_session *h = ctx;
    struct h2_stream *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);

    (void)source;
    if (!s)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    ASSERT(length <= s->queued && !frame->data.padlen);
    if (h->out->len >= h->until)
        return NGHTTP2_ERR_WOULDBLOCK; /* the codec keeps the frame for the next time */
    if (buffer_reserve(h->out, H2_FRAME_HEADER + length))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    ASSERT(!buffer_append(h->out, header, H2_FRAME_HEADER));
    take_from_queue(s, h->out, length);
    if (s->low_wanted && s->queued < H2_LOW_WATER) {
        s->low_wanted = false;
        h->events.on_low(s);
    }
    return 0;
}

static ssize_t frame_length(nghttp2_session *ng, uint8_t type, int32_t id,
                            int32_t connection_window, int32_t stream_window, uint32_t remote_max,
                            void *ctx)
{
    int32_t n = connection_window < stream_window ? connection_window : stream_window;

    (void)ng, (void)type, (void)id, (void)ctx;
    if ((uint32_t)n > remote_max)
        n = (int32_t)remote_max;
    return n < H2_FRAME_MAX ? n : H2_FRAME_MAX;
}

int h2_session_send(struct h2_session *h, struct buffer *out, size_t until)
{
    const uint8_t *bytes;
    int rc = 0;

    h->out = out;
    h->until = until;
    while (!rc && out->len < until) {
        size_t before = out->len;
        ssize_t n = nghttp2_session_mem_send(h->ng, &bytes);
        if (n < 0)
            rc = rc_of(n);
        else if (n > 0)
            rc = buffer_append(out, bytes, (size_t)n);
        else if (out->len == before)
            break; /* data frames go straight to `out`, so 0 alone does not mean the end */
    }
    h->out = NULL;
    return rc;
}

bool h2_session_wants_write(const struct h2_session *h)
{
    return nghttp2_session_want_write(h->ng);
}

bool h2_session_is_over(const struct h2_session *h)
{
    return !nghttp2_session_want_read(h->ng) && !nghttp2_session_want_write(h->ng);
}

/* An answer is complete and the client still sends: what it sends is of no interest (RFC 9113, 8.1). */
static int on_sent(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    struct h2_session *h = ctx;
    bool ends = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;

    if (h->is_server && ends && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) &&
        !nghttp2_session_get_stream_remote_close(ng, frame->hd.stream_id))
        nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

/* --- receiving --- */

/* Frames that cost the peer nothing and us something must not come without end. */
static bool is_flood(struct h2_session *h)
{
    uint64_t earned = (h->now_ns - h->flood_at_ns) / (1000000000 / H2_FLOOD_RATE);

    if (earned) {
        h->flood_left =
            h->flood_left + earned < H2_FLOOD_BURST ? h->flood_left + earned : H2_FLOOD_BURST;
        h->flood_at_ns = h->now_ns;
    }
    if (!h->flood_left)
        return true;
    h->flood_left--;
    return false;
}

static int on_begin_frame(nghttp2_session *ng, const nghttp2_frame_hd *hd, void *ctx)
{
    struct h2_session *h = ctx;
    bool costs = hd->type != NGHTTP2_DATA && hd->type != NGHTTP2_HEADERS &&
                 hd->type != NGHTTP2_WINDOW_UPDATE;

    (void)ng;
    /* A server ends its answers with an empty frame before the trailers; a client has no reason for one. */
    if (h->is_server && hd->type == NGHTTP2_DATA && !hd->length &&
        !(hd->flags & NGHTTP2_FLAG_END_STREAM))
        costs = true;
    if (costs && is_flood(h)) {
        h->flooded = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    struct h2_session *h = ctx;

    if (!h->is_server || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct h2_stream *s = h->events.on_request(h->ctx);
    if (!s)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    s->session = h;
    s->id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(ng, s->id, s);
    return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *ctx)
{
    struct h2_session *h = ctx;
    struct h2_stream *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);

    (void)flags;
    if (!s || h->events.on_field(s, (const char *)name, name_len, (const char *)value, value_len))
        return 0;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    struct h2_session *h = ctx;
    struct h2_stream *s = NULL;

    if (frame->hd.type == NGHTTP2_GOAWAY && h->events.on_goaway)
        h->events.on_goaway(h->ctx);
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) &&
        h->events.on_ping_ack)
        h->events.on_ping_ack(h->ctx);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (s && frame->hd.type == NGHTTP2_HEADERS)
        h->events.on_headers(s);
    if (s && s->session && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        h->events.on_end(s);
    return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n,
                   void *ctx)
{
    struct h2_session *h = ctx;
    struct h2_stream *s = nghttp2_session_get_stream_user_data(ng, id);

    (void)flags;
    h->owed += n;
    if (s) {
        s->held += n;
        h->held += n;
    }
    open_connection_window(h);
    if (s)
        h->events.on_data(s, bytes, n);
    return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t h2_error, void *ctx)
{
    struct h2_session *h = ctx;
    struct h2_stream *s = nghttp2_session_get_stream_user_data(ng, id);

    if (!s)
        return 0;
    nghttp2_session_set_stream_user_data(ng, id, NULL);
    detach(s);
    h->events.on_closed(s, h2_error);
    return 0;
}

int h2_session_receive(struct h2_session *h, const uint8_t *bytes, size_t n, uint64_t now_ns)
{
    if (!h->flood_at_ns)
        h->flood_at_ns = now_ns;
    h->now_ns = now_ns;
    ssize_t taken = nghttp2_session_mem_recv(h->ng, bytes, n);
    if (h->flooded)
        return -EDQUOT;
    if (taken < 0)
        return rc_of(taken);
    return (size_t)taken == n ? 0 : -EPROTO;
}

/* --- making and ending --- */

static int callbacks_new(nghttp2_session_callbacks **out)
{
    nghttp2_session_callbacks *cb;

    if (nghttp2_session_callbacks_new(&cb))
        return -ENOMEM;
    nghttp2_session_callbacks_set_on_begin_frame_callback(cb, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_sent);
    nghttp2_session_callbacks_set_send_data_callback(cb, send_data);
    nghttp2_session_callbacks_set_data_source_read_length_callback(cb, frame_length);
    *out = cb;
    return 0;
}

static int options_new(nghttp2_option **out)
{
    nghttp2_option *o;

    if (nghttp2_option_new(&o))
        return -ENOMEM;
    nghttp2_option_set_no_auto_window_update(o, 1);
    nghttp2_option_set_no_closed_streams(o, 1);
    nghttp2_option_set_max_outbound_ack(o, H2_OUTBOUND_ACKS_MAX);
    /* Queries with a limit are cancelled as a matter of course: far more often than a browser does. */
    nghttp2_option_set_stream_reset_rate_limit(o, H2_FLOOD_BURST, H2_FLOOD_RATE);
    *out = o;
    return 0;
}

static int submit_settings(struct h2_session *h)
{
    const nghttp2_settings_entry client[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, H2_FRAME_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_HEADER_LIST_MAX},
    };
    nghttp2_settings_entry server[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_MAX_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, H2_FRAME_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_HEADER_LIST_MAX},
    };
    int rc = h->is_server ? nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, server,
                                                    sizeof(server) / sizeof(server[0]))
                          : nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, client,
                                                    sizeof(client) / sizeof(client[0]));
    if (!rc)
        rc = nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, 0,
                                                   H2_CONNECTION_WINDOW);
    return rc_of(rc);
}

int h2_session_new(bool is_server, const struct h2_events *events, void *ctx,
                   struct h2_session **out)
{
    nghttp2_session_callbacks *cb = NULL;
    nghttp2_option *options = NULL;
    struct h2_session *h = calloc(1, sizeof(*h));
    int rc = h ? callbacks_new(&cb) : -ENOMEM;

    if (!rc)
        rc = options_new(&options);
    if (!rc) {
        h->events = *events;
        h->ctx = ctx;
        h->is_server = is_server;
        h->flood_left = H2_FLOOD_BURST;
        rc = is_server ? nghttp2_session_server_new2(&h->ng, cb, h, options)
                       : nghttp2_session_client_new2(&h->ng, cb, h, options);
        rc = rc ? -ENOMEM : submit_settings(h);
    }
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(cb);
    if (rc) {
        h2_session_free(h);
        return rc;
    }
    *out = h;
    return 0;
}

void h2_session_free(struct h2_session *h)
{
    if (!h)
        return;
    nghttp2_session_del(h->ng);
    free(h);
}

int h2_session_ping(struct h2_session *h)
{
    return rc_of(nghttp2_submit_ping(h->ng, NGHTTP2_FLAG_NONE, NULL));
}

int h2_session_goaway(struct h2_session *h, uint32_t h2_error)
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(h->ng);

    return rc_of(nghttp2_submit_goaway(h->ng, NGHTTP2_FLAG_NONE, last, h2_error, NULL, 0));
}

size_t h2_session_held(const struct h2_session *h)
{
    return h->held;
}

/* --- streams --- */

static size_t fill_nv(nghttp2_nv *nv, const struct h2_field *fields, size_t n)
{
    ASSERT(n <= H2_FIELDS_MAX);
    for (size_t i = 0; i < n; i++)
        nv[i] = (nghttp2_nv){.name = (uint8_t *)fields[i].name,
                             .value = (uint8_t *)fields[i].value,
                             .namelen = strlen(fields[i].name),
                             .valuelen = strlen(fields[i].value)};
    return n;
}

int h2_stream_request(struct h2_session *h, struct h2_stream *s, const struct h2_field *fields,
                      size_t n)
{
    nghttp2_nv nv[H2_FIELDS_MAX];
    nghttp2_data_provider data = {.read_callback = read_data};

    ASSERT(!h->is_server && !s->session);
    int32_t id = nghttp2_submit_request(h->ng, NULL, nv, fill_nv(nv, fields, n), &data, s);
    if (id < 0)
        return rc_of(id);
    s->session = h;
    s->id = id;
    return 0;
}

int h2_stream_respond(struct h2_stream *s, const struct h2_field *fields, size_t n)
{
    nghttp2_nv nv[H2_FIELDS_MAX];
    nghttp2_data_provider data = {.read_callback = read_data};

    return rc_of(nghttp2_submit_response(s->session->ng, s->id, nv, fill_nv(nv, fields, n), &data));
}

int h2_stream_respond_only(struct h2_stream *s, const struct h2_field *fields, size_t n)
{
    nghttp2_nv nv[H2_FIELDS_MAX];

    return rc_of(nghttp2_submit_response(s->session->ng, s->id, nv, fill_nv(nv, fields, n), NULL));
}

static void resume(struct h2_stream *s)
{
    if (s->session && s->deferred) {
        s->deferred = false;
        nghttp2_session_resume_data(s->session->ng, s->id);
    }
}

void h2_stream_write(struct h2_stream *s, struct h2_chunk *c)
{
    ASSERT(!s->ended);
    if (!s->session || !c->len) {
        h2_chunk_free(c);
        return;
    }
    c->next = NULL;
    if (s->last)
        s->last->next = c;
    else
        s->first = c;
    s->last = c;
    s->queued += c->len;
    resume(s);
}

/* One block of memory: the fields, then their texts. */
static struct h2_field *copy_fields(const struct h2_field *fields, size_t n)
{
    size_t bytes = n * sizeof(*fields);

    for (size_t i = 0; i < n; i++)
        bytes += strlen(fields[i].name) + strlen(fields[i].value) + 2;
    struct h2_field *copy = malloc(bytes);
    char *at = (char *)(copy + n);
    for (size_t i = 0; copy && i < n; i++) {
        size_t name = strlen(fields[i].name) + 1, value = strlen(fields[i].value) + 1;
        copy[i].name = memcpy(at, fields[i].name, name);
        copy[i].value = memcpy(at + name, fields[i].value, value);
        at += name + value;
    }
    return copy;
}

int h2_stream_end(struct h2_stream *s, const struct h2_field *trailers, size_t n)
{
    ASSERT(!s->ended && n <= H2_FIELDS_MAX);
    if (!s->session)
        return 0;
    if (n) {
        s->trailers = copy_fields(trailers, n);
        if (!s->trailers)
            return -ENOMEM;
        s->n_trailers = n;
    }
    s->ended = true;
    resume(s);
    return 0;
}

void h2_stream_reset(struct h2_stream *s, uint32_t h2_error)
{
    struct h2_session *h = s->session;

    if (!h)
        return;
    nghttp2_session_set_stream_user_data(h->ng, s->id, NULL);
    nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, s->id, h2_error);
    detach(s);
}
