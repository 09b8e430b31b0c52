#pragma once
/*
 * gRPC service of a node: each core listens for itself and serves its connections as the home core of their requests,
 * through the cluster object of the core (proto/quanta.proto, proto/health.proto).
 */
#include <stddef.h>
#include <stdint.h>

struct node;
struct reactor;

/*
 * On each core, after node_replay: core 0 first with the port asked for (0 = a free one, told in bound_port), the
 * others with that port. 0 or -errno with a text for the user.
 */
int rpc_server_start(struct reactor *r, struct node *n, const char *bind, uint16_t port,
                     uint16_t *bound_port, char *err, size_t err_len);

/* On each core: no new connections and calls; what runs is cancelled after a second. Nothing happens when the core
 * was never started. */
void rpc_server_stop(struct reactor *r);
/* The same; done(ctx) on this core when no request is left, so that the log may be closed. */
void rpc_server_drain(struct reactor *r, void (*done)(void *ctx), void *ctx);

struct rpc_server_stats { /* of one core; totals only grow */
    uint64_t connections, connections_total, calls_total, queries, writes, write_rows;
};
void rpc_server_get_stats(struct reactor *r, struct rpc_server_stats *out); /* on the core */
