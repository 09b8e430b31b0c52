#pragma once
/*
 * gRPC server of one core: listener, connections, methods by path. Calls are served on the core whose listener took
 * the connection.
 */
#include "rpc/grpc_call.h"
#include "rpc/grpc_conn.h"

struct grpc_server;

struct grpc_method {
    const char *path; /* "/package.Service/Method" */
    /* Sets call->handler and call->ctx, usually ends with grpc_call_read. server_ctx as given to grpc_server_new. */
    void (*start)(struct grpc_call *call, void *server_ctx);
};

struct grpc_server_stats {
    uint64_t connections; /* open */
    uint64_t connections_total;
    uint64_t calls_total;
};

/* Methods (terminated by a NULL path) live as long as the server. check (may be NULL): called before start; false =
 * it has finished the call. 0 or -errno with a text. */
int grpc_server_new(struct reactor *r, const char *bind, uint16_t port,
                    const struct grpc_method *methods,
                    bool (*check)(struct grpc_call *call, void *server_ctx), void *server_ctx,
                    struct grpc_server **out, char *err, size_t err_len);
uint16_t grpc_server_port(const struct grpc_server *s);
void grpc_server_get_stats(const struct grpc_server *s, struct grpc_server_stats *out);

/* No new connections and calls; stopped(ctx) when the last connection has closed, which is forced after the grace
 * time. The server is freed then. */
void grpc_server_stop(struct grpc_server *s, uint64_t grace_ns, void (*stopped)(void *ctx),
                      void *ctx);
