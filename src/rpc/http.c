#include "rpc/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/list.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

enum { HTTP_TIMEOUT_NS = 2000000000 };
#define HTTP_BODY_NS 10000000000ull
#define HTTP_ANSWER_NS 20000000000ull /* other cores may be busy */
enum { HTTP_MAX_REQUEST = 8192, HTTP_MAX_RESPONSE = 8 << 20, HTTP_MAX_CONNECTIONS = 64 };

struct http_server { /* owner: its core; freed by the main thread */
    struct http_config config;
    struct listener *listener; /* NULL when stopped */
    struct list connections;
    unsigned answers; /* begun, not ended */
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

struct http_answer { /* owner: its core; freed at its end */
    struct http_server *server;
    struct http_connection *connection; /* NULL when it closed */
    struct buffer body;
    struct http_request request;
    char *bytes; /* head and body of the request, malloc'ed; NULL: one of the port's own paths */
    size_t head_len, bytes_len;
    char peer[64];
    int status;
    const char *type, *fields;
};

struct http_connection { /* owner: its core; freed when the stream closed */
    struct list link;
    struct http_server *server;
    struct stream *stream;
    struct timer timer; /* ends a connection without a whole request */
    struct http_answer *answer;
    bool is_asked;             /* the request is whole, what follows does not count */
    void (*closed)(void *ctx); /* http_answer_watch */
    void *closed_ctx;
    char request[HTTP_MAX_REQUEST + 1];
    size_t len;
};

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {411, "Length Required"},
                   {413, "Content Too Large"},
                   {415, "Unsupported Media Type"},
                   {421, "Misdirected Request"},
                   {431, "Request Header Fields Too Large"},
                   {503, "Service Unavailable"},
                   {505, "HTTP Version Not Supported"}};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Internal Server Error";
}

static void respond(struct http_connection *c, int status, const char *type, const char *fields,
                    const struct buffer *body)
{
    struct buffer *out = stream_out(c->stream);

    buffer_printf(out,
                  "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
                  "Connection: close\r\n\r\n",
                  status, reason_of(status), type, body->len, fields ? fields : "");
    buffer_append(out, body->data, body->len);
    stream_close(c->stream);
}

static void respond_text(struct http_connection *c, int status, const char *text)
{
    struct buffer body;

    buffer_init(&body, HTTP_MAX_RESPONSE);
    buffer_printf(&body, "%s\n", text);
    respond(c, status, "text/plain; charset=utf-8", NULL, &body);
    buffer_fini(&body);
}

static bool is_ready(const struct http_server *s)
{
    return !s->config.is_ready || s->config.is_ready(s->config.ctx);
}

struct buffer *http_answer_body(struct http_answer *a)
{
    return &a->body;
}

void http_answer_end(struct http_answer *a)
{
    struct http_server *s = a->server;

    if (a->connection) {
        a->connection->answer = NULL;
        respond(a->connection, a->status, a->type, a->fields, &a->body);
    }
    buffer_fini(&a->body);
    free(a->bytes);
    free(a);
    s->answers--;
    if (!s->answers && s->stopped)
        s->stopped(s->stopped_ctx);
}

const struct http_request *http_answer_request(const struct http_answer *a)
{
    return &a->request;
}

const char *http_answer_peer(const struct http_answer *a)
{
    return a->peer;
}

void http_answer_head(struct http_answer *a, int status, const char *type, const char *fields)
{
    a->status = status;
    a->type = type;
    a->fields = fields;
}

void http_answer_watch(struct http_answer *a, void (*closed)(void *ctx), void *ctx)
{
    if (!a->connection) {
        closed(ctx);
        return;
    }
    a->connection->closed = closed;
    a->connection->closed_ctx = ctx;
}

/* NULL without memory: the connection is then on its way to the end. */
static struct http_answer *new_answer(struct http_connection *c)
{
    struct http_answer *a = calloc(1, sizeof(*a));

    if (!a) {
        stream_abort(c->stream);
        return NULL;
    }
    a->server = c->server;
    a->connection = c;
    a->status = 200;
    a->type = "text/plain; version=0.0.4; charset=utf-8";
    c->answer = a;
    c->server->answers++;
    buffer_init(&a->body, HTTP_MAX_RESPONSE);
    return a;
}

static void respond_metrics(struct http_connection *c)
{
    const struct http_config *config = &c->server->config;
    struct http_answer *a = new_answer(c);

    if (!a)
        return;
    timer_arm(stream_reactor(c->stream), &c->timer, HTTP_ANSWER_NS);
    buffer_printf(&a->body,
                  "# HELP quanta_ready 1 when statements are served.\n# TYPE quanta_ready "
                  "gauge\nquanta_ready %d\n",
                  is_ready(c->server));
    if (config->metrics)
        config->metrics(config->ctx, a);
    else
        http_answer_end(a);
}

static void respond_status(struct http_connection *c)
{
    const struct http_config *config = &c->server->config;
    struct buffer body;

    buffer_init(&body, HTTP_MAX_RESPONSE);
    buffer_printf(&body, "{\"program\":\"%s\",\"ready\":%s,\"cores\":%u", config->program,
                  is_ready(c->server) ? "true" : "false", reactor_count(stream_reactor(c->stream)));
    if (config->status) {
        buffer_printf(&body, ",");
        config->status(config->ctx, &body);
    }
    buffer_printf(&body, "}\n");
    respond(c, 200, "application/json", NULL, &body);
    buffer_fini(&body);
}

static bool is_path(const char *target, size_t len, const char *path)
{
    return len == strlen(path) && !memcmp(target, path, len);
}

static void handle_own(struct http_connection *c, const char *target, size_t len)
{
    if (is_path(target, len, "/healthz"))
        respond_text(c, 200, "ok");
    else if (is_path(target, len, "/readyz"))
        respond_text(c, is_ready(c->server) ? 200 : 503,
                     is_ready(c->server) ? "ready" : "starting");
    else if (is_path(target, len, "/metrics"))
        respond_metrics(c);
    else if (is_path(target, len, "/status"))
        respond_status(c);
    else
        respond_text(c, 404, "known here: /healthz /readyz /metrics /status");
}

static bool is_own_path(const char *target, size_t len)
{
    return is_path(target, len, "/healthz") || is_path(target, len, "/readyz") ||
           is_path(target, len, "/metrics") || is_path(target, len, "/status");
}

/* Nobody waits for the answer any more. One whose request is not whole ends here. */
static void leave(struct http_connection *c)
{
    struct http_answer *a = c->answer;
    void (*closed)(void *ctx) = c->closed;

    c->answer = NULL;
    c->closed = NULL;
    if (a)
        a->connection = NULL;
    if (a && a->bytes && !c->is_asked)
        http_answer_end(a);
    if (closed)
        closed(c->closed_ctx);
}

/* --- requests to other paths, perhaps with a body --- */

/* Of the body what there is room for; the rest does not count. When it is whole the program answers. */
static void take_body(struct http_connection *c, const char *bytes, size_t n)
{
    struct http_answer *a = c->answer;
    size_t room = a->head_len + a->request.body_len - a->bytes_len;

    memcpy(a->bytes + a->bytes_len, bytes, n < room ? n : room);
    a->bytes_len += n < room ? n : room;
    if (a->bytes_len < a->head_len + a->request.body_len)
        return;
    c->is_asked = true;
    timer_cancel(stream_reactor(c->stream), &c->timer);
    a->request.body = (struct http_text){a->bytes + a->head_len, a->request.body_len};
    c->server->config.other(c->server->config.ctx, a);
}

/* The head is copied and read again there, so that it stays as long as the answer. */
static void begin_other(struct http_connection *c, size_t head_len)
{
    size_t max = c->server->config.max_body;
    struct http_request probe;
    const char *why;
    int status = http_request_parse(c->request, head_len, max, &probe, &why);

    if (status) {
        stream_pause(c->stream);
        respond_text(c, status, why);
        return;
    }
    struct http_answer *a = new_answer(c);
    if (!a)
        return;
    a->bytes = malloc(head_len + probe.body_len + 1);
    if (!a->bytes) {
        leave(c);
        http_answer_end(a);
        stream_abort(c->stream);
        return;
    }
    memcpy(a->bytes, c->request, head_len);
    a->head_len = a->bytes_len = head_len;
    (void)http_request_parse(a->bytes, head_len, max, &a->request, &why);
    snprintf(a->peer, sizeof(a->peer), "%s", stream_peer(c->stream));
    timer_arm(stream_reactor(c->stream), &c->timer, HTTP_BODY_NS);
    take_body(c, c->request + head_len, c->len - head_len);
}

static void handle(struct http_connection *c, size_t head_len)
{
    const char *space = strchr(c->request, ' '), *target = space ? space + 1 : "",
               *end = strpbrk(target, " ?\r\n");
    size_t len = end ? (size_t)(end - target) : 0;

    if (c->server->config.other && len && !is_own_path(target, len)) {
        begin_other(c, head_len);
        return;
    }
    stream_pause(c->stream);
    if (strncmp(c->request, "GET ", 4) || !len)
        respond_text(c, 405, "only GET is allowed here");
    else
        handle_own(c, target, len);
}

static void take_head(struct http_connection *c, const uint8_t *bytes, size_t n)
{
    size_t room = HTTP_MAX_REQUEST - c->len;

    memcpy(c->request + c->len, bytes, n < room ? n : room);
    c->len += n < room ? n : room;
    c->request[c->len] = 0;
    const char *end = strstr(c->request, "\r\n\r\n");
    if (end) {
        handle(c, (size_t)(end + 4 - c->request));
        /* The part of a body for which the head's room was too small. */
        if (n > room && c->answer && !c->is_asked && c->answer->bytes)
            take_body(c, (const char *)bytes + room, n - room);
    } else if (n > room || c->len == HTTP_MAX_REQUEST) {
        stream_pause(c->stream);
        respond_text(c, 431, "a request has at most 8 KiB");
    }
}

static void on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    struct http_connection *c = stream_ctx(s);

    if (c->answer && c->answer->bytes && !c->is_asked)
        take_body(c, (const char *)bytes, n);
    else if (!c->answer && !c->is_asked)
        take_head(c, bytes, n);
}

static void on_drain(struct stream *s)
{
    (void)s;
}

static void on_closed(struct stream *s, int err)
{
    struct http_connection *c = stream_ctx(s);

    (void)err;
    timer_cancel(stream_reactor(s), &c->timer);
    leave(c);
    if (c->server->listener)
        listener_connection_closed(c->server->listener);
    list_remove(&c->link);
    free(c);
}

static void drop(struct http_connection *c)
{
    leave(c);
    stream_abort(c->stream);
}

static void timed_out(struct timer *t)
{
    struct http_connection *c = container_of(t, struct http_connection, timer);

    drop(c);
}

static void on_accept(struct listener *l, int fd)
{
    static const struct stream_handler handler = {on_data, on_drain, on_closed};
    struct http_connection *c = calloc(1, sizeof(*c));

    if (c)
        c->server = listener_ctx(l);
    if (!c || stream_new(listener_reactor(l), fd, 2 * HTTP_MAX_RESPONSE, &handler, c, &c->stream)) {
        listener_connection_closed(l);
        free(c);
        return;
    }
    list_push_back(&c->server->connections, &c->link);
    c->timer.fire = timed_out;
    timer_arm(listener_reactor(l), &c->timer, HTTP_TIMEOUT_NS);
}

int http_start(struct reactor *r, const struct http_config *config, struct http_server **out,
               char *err, size_t err_len)
{
    struct http_server *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->config = *config;
    list_init(&s->connections);
    int rc = listener_new(r, config->bind, config->port, HTTP_MAX_CONNECTIONS, on_accept, s,
                          &s->listener, err, err_len);
    if (rc) {
        free(s);
        return rc;
    }
    *out = s;
    return 0;
}

uint16_t http_port(const struct http_server *s)
{
    return listener_port(s->listener);
}

void http_stop(struct http_server *s, void (*stopped)(void *ctx), void *ctx)
{
    listener_stop(s->listener);
    s->listener = NULL;
    for (struct list *l = s->connections.next; l != &s->connections; l = l->next)
        drop(container_of(l, struct http_connection, link));
    s->stopped = stopped;
    s->stopped_ctx = ctx;
    if (!s->answers)
        stopped(ctx);
}

void http_free(struct http_server *s)
{
    free(s);
}
