#include "rpc/grpc_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <errno.h>

#include "reactor/assert.h"
#include "reactor/log.h"

enum { SERVER_MAX_CONNECTIONS = 4096 }; /* per core */

struct server_conn { /* owner: the server; until the connection is closed */
    struct list in_server;
    struct grpc_server *server;
    struct grpc_conn *conn;
};

struct grpc_server { /* owner: its core */
    struct reactor *r;
    struct listener *listener;
    const struct grpc_method *methods;
    bool (*check)(struct grpc_call *call, void *server_ctx);
    void *ctx;
    struct list conns;
    struct grpc_server_stats stats;
    bool stopping;
    struct timer grace;
    struct task end;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

static bool is_grpc(const struct grpc_call *call)
{
    const char *method = grpc_call_field(call, ":method"),
               *type = grpc_call_field(call, "content-type");
    const size_t n = strlen("application/grpc");

    if (!method || strcmp(method, "POST") || !type || strncasecmp(type, "application/grpc", n))
        return false;
    return !type[n] || type[n] == '+' || type[n] == ';';
}

static const struct grpc_method *find_method(const struct grpc_server *s, const char *path)
{
    for (const struct grpc_method *m = s->methods; m->path; m++)
        if (!strcmp(m->path, path))
            return m;
    return NULL;
}

static void on_call(struct grpc_conn *conn, struct grpc_call *call)
{
    struct grpc_server *s = ((struct server_conn *)conn->ctx)->server;
    const char *encoding = grpc_call_field(call, "grpc-encoding"),
               *te = grpc_call_field(call, "te");
    const struct grpc_method *m = find_method(s, grpc_call_path(call));
    char text[200];

    s->stats.calls_total++;
    if (!is_grpc(call)) {
        grpc_call_refuse(call, "415");
    } else if (!te || strcmp(te, "trailers")) {
        grpc_call_finish(call, GRPC_INTERNAL,
                         "the request lacks 'te: trailers': a proxy on the way does not speak gRPC",
                         NULL);
    } else if (encoding && strcmp(encoding, "identity")) {
        snprintf(text, sizeof(text), "grpc-encoding '%.40s' is not supported; allowed is identity",
                 encoding);
        grpc_call_finish(call, GRPC_UNIMPLEMENTED, text, NULL);
    } else if (!m) {
        snprintf(text, sizeof(text), "unknown method %.120s", grpc_call_path(call));
        grpc_call_finish(call, GRPC_UNIMPLEMENTED, text, NULL);
    } else if (!s->check || s->check(call, s->ctx)) {
        m->start(call, s->ctx);
    }
}

static void end_when_empty(struct grpc_server *s)
{
    if (s->stopping && list_is_empty(&s->conns))
        reactor_task(s->r, &s->end, TASK_IO);
}

static void on_closed(struct grpc_conn *conn, int err)
{
    struct server_conn *x = conn->ctx;
    struct grpc_server *s = x->server;

    (void)err;
    list_remove(&x->in_server);
    free(x);
    s->stats.connections--;
    listener_connection_closed(s->listener);
    end_when_empty(s);
}

static void on_accept(struct listener *l, int fd)
{
    static const struct grpc_conn_handler handler = {.on_call = on_call, .on_closed = on_closed};
    struct grpc_server *s = listener_ctx(l);
    struct server_conn *x = calloc(1, sizeof(*x));

    /* Without memory for x the descriptor still has to be closed by the stream, inside of accept. */
    if (!x || grpc_conn_accept(s->r, fd, &handler, x, &x->conn)) {
        log_warn("grpc: out of memory for a connection");
        listener_connection_closed(l);
        free(x);
        return;
    }
    x->server = s;
    list_push_back(&s->conns, &x->in_server);
    s->stats.connections++;
    s->stats.connections_total++;
}

static void end_run(struct task *t)
{
    struct grpc_server *s = container_of(t, struct grpc_server, end);
    void (*stopped)(void *ctx) = s->stopped;
    void *ctx = s->stopped_ctx;

    timer_cancel(s->r, &s->grace);
    free(s);
    if (stopped)
        stopped(ctx);
}

static void grace_fire(struct timer *t)
{
    struct grpc_server *s = container_of(t, struct grpc_server, grace);

    list_for_each_safe(at, &s->conns)
        grpc_conn_abort(container_of(at, struct server_conn, in_server)->conn, "the server stops");
}

int grpc_server_new(struct reactor *r, const char *bind, uint16_t port,
                    const struct grpc_method *methods,
                    bool (*check)(struct grpc_call *call, void *server_ctx), void *server_ctx,
                    struct grpc_server **out, char *err, size_t err_len)
{
    struct grpc_server *s = calloc(1, sizeof(*s));

    if (!s) {
        snprintf(err, err_len, "out of memory");
        return -ENOMEM;
    }
    s->r = r;
    s->methods = methods;
    s->check = check;
    s->ctx = server_ctx;
    list_init(&s->conns);
    s->end.run = end_run;
    s->grace.fire = grace_fire;
    int rc = listener_new(r, bind, port, SERVER_MAX_CONNECTIONS, on_accept, s, &s->listener, err,
                          err_len);
    if (rc) {
        free(s);
        return rc;
    }
    *out = s;
    return 0;
}

uint16_t grpc_server_port(const struct grpc_server *s)
{
    return listener_port(s->listener);
}

void grpc_server_get_stats(const struct grpc_server *s, struct grpc_server_stats *out)
{
    *out = s->stats;
}

void grpc_server_stop(struct grpc_server *s, uint64_t grace_ns, void (*stopped)(void *ctx),
                      void *ctx)
{
    ASSERT(!s->stopping);
    s->stopping = true;
    s->stopped = stopped;
    s->stopped_ctx = ctx;
    listener_stop(s->listener);
    list_for_each_safe(at, &s->conns)
        grpc_conn_shutdown(container_of(at, struct server_conn, in_server)->conn);
    if (!list_is_empty(&s->conns))
        timer_arm(s->r, &s->grace, grace_ns);
    end_when_empty(s);
}
