#include "rpc/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/list.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

enum { HTTP_TIMEOUT_NS = 2000000000 };
#define HTTP_ANSWER_NS 20000000000ull /* other cores may be busy */
enum { HTTP_MAX_REQUEST = 8192, HTTP_MAX_RESPONSE = 4 << 20, HTTP_MAX_CONNECTIONS = 64 };

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
};

struct http_connection { /* owner: its core; freed when the stream closed */
    struct list link;
    struct http_server *server;
    struct stream *stream;
    struct timer timer; /* ends a connection without a whole request */
    struct http_answer *answer;
    char request[HTTP_MAX_REQUEST + 1];
    size_t len;
};

static void respond(struct http_connection *c, int status, const char *reason, const char *type,
                    const struct buffer *body)
{
    struct buffer *out = stream_out(c->stream);

    buffer_printf(
        out,
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
        status, reason, type, body->len);
    buffer_append(out, body->data, body->len);
    stream_close(c->stream);
}

static void respond_text(struct http_connection *c, int status, const char *reason,
                         const char *text)
{
    struct buffer body;

    buffer_init(&body, HTTP_MAX_RESPONSE);
    buffer_printf(&body, "%s\n", text);
    respond(c, status, reason, "text/plain; charset=utf-8", &body);
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
        respond(a->connection, 200, "OK", "text/plain; version=0.0.4; charset=utf-8", &a->body);
    }
    buffer_fini(&a->body);
    free(a);
    s->answers--;
    if (!s->answers && s->stopped)
        s->stopped(s->stopped_ctx);
}

static void respond_metrics(struct http_connection *c)
{
    const struct http_config *config = &c->server->config;
    struct http_answer *a = calloc(1, sizeof(*a));

    if (!a) {
        stream_abort(c->stream);
        return;
    }
    a->server = c->server;
    a->connection = c;
    c->answer = a;
    c->server->answers++;
    timer_arm(stream_reactor(c->stream), &c->timer, HTTP_ANSWER_NS);
    buffer_init(&a->body, HTTP_MAX_RESPONSE);
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
    respond(c, 200, "OK", "application/json", &body);
    buffer_fini(&body);
}

static bool is_path(const char *target, size_t len, const char *path)
{
    return len == strlen(path) && !memcmp(target, path, len);
}

static void handle(struct http_connection *c)
{
    const char *target = c->request + 4, *end = strpbrk(target, " ?\r\n");
    size_t len = end ? (size_t)(end - target) : 0;

    if (strncmp(c->request, "GET ", 4) || !len)
        respond_text(c, 405, "Method Not Allowed", "only GET is allowed here");
    else if (is_path(target, len, "/healthz"))
        respond_text(c, 200, "OK", "ok");
    else if (is_path(target, len, "/readyz"))
        is_ready(c->server) ? respond_text(c, 200, "OK", "ready")
                            : respond_text(c, 503, "Service Unavailable", "starting");
    else if (is_path(target, len, "/metrics"))
        respond_metrics(c);
    else if (is_path(target, len, "/status"))
        respond_status(c);
    else
        respond_text(c, 404, "Not Found", "known here: /healthz /readyz /metrics /status");
}

static void on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    struct http_connection *c = stream_ctx(s);
    size_t room = HTTP_MAX_REQUEST - c->len;

    memcpy(c->request + c->len, bytes, n < room ? n : room);
    c->len += n < room ? n : room;
    c->request[c->len] = 0;
    if (strstr(c->request, "\r\n\r\n")) {
        stream_pause(s);
        handle(c);
    } else if (n > room || c->len == HTTP_MAX_REQUEST) {
        stream_pause(s);
        respond_text(c, 431, "Request Header Fields Too Large", "a request has at most 8 KiB");
    }
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
    if (c->answer)
        c->answer->connection = NULL;
    if (c->server->listener)
        listener_connection_closed(c->server->listener);
    list_remove(&c->link);
    free(c);
}

static void drop(struct http_connection *c)
{
    if (c->answer)
        c->answer->connection = NULL;
    c->answer = NULL;
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
