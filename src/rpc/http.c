#include "rpc/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/list.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

enum { HTTP_TIMEOUT_NS = 2000000000 };
enum { HTTP_MAX_REQUEST = 8192, HTTP_MAX_RESPONSE = 1 << 20, HTTP_MAX_CONNECTIONS = 64 };

struct http_server { /* owner: its core; freed by the main thread */
    struct http_config config;
    struct listener *listener; /* NULL when stopped */
    struct list connections;
};

struct http_connection { /* owner: its core; freed when the stream closed */
    struct list link;
    struct http_server *server;
    struct stream *stream;
    struct timer timer; /* ends a connection without a whole request */
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

static void respond_metrics(struct http_connection *c)
{
    const struct http_config *config = &c->server->config;
    struct budget *budget = reactor_budget(stream_reactor(c->stream));
    struct buffer body;

    buffer_init(&body, HTTP_MAX_RESPONSE);
    buffer_printf(&body,
                  "# HELP quanta_ready 1 when statements are served.\n# TYPE quanta_ready "
                  "gauge\nquanta_ready %d\n"
                  "# HELP quanta_core0_memory_bytes Bytes charged to the budget of core 0.\n"
                  "# TYPE quanta_core0_memory_bytes gauge\nquanta_core0_memory_bytes %llu\n",
                  is_ready(c->server), (unsigned long long)budget->used);
    if (config->metrics)
        config->metrics(config->ctx, &body);
    respond(c, 200, "OK", "text/plain; version=0.0.4; charset=utf-8", &body);
    buffer_fini(&body);
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
    if (c->server->listener)
        listener_connection_closed(c->server->listener);
    list_remove(&c->link);
    free(c);
}

static void timed_out(struct timer *t)
{
    struct http_connection *c = container_of(t, struct http_connection, timer);

    stream_abort(c->stream);
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

void http_stop(struct http_server *s)
{
    listener_stop(s->listener);
    s->listener = NULL;
    for (struct list *l = s->connections.next; l != &s->connections; l = l->next)
        stream_abort(container_of(l, struct http_connection, link)->stream);
}

void http_free(struct http_server *s)
{
    free(s);
}
