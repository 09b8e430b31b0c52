#pragma once
/*
 * Channel: a client's way to one server: one connection at a time, made again with growing pauses after a loss.
 * Owner: its core; embedded nowhere, freed by grpc_channel_close.
 */
#include "rpc/grpc_call.h"
#include "rpc/grpc_conn.h"

struct grpc_channel;

struct grpc_channel_handler {
    void (*on_connected)(struct grpc_channel *ch);
    /* The connection ended or could not be made; a new try follows by itself. */
    void (*on_lost)(struct grpc_channel *ch, const char *why);
};

/* Starts to connect at once. host is copied. 0 or -ENOMEM. */
int grpc_channel_new(struct reactor *r, const char *host, uint16_t port,
                     const struct grpc_channel_handler *h, void *ctx, struct grpc_channel **out);
void *grpc_channel_ctx(const struct grpc_channel *ch);
bool grpc_channel_is_connected(const struct grpc_channel *ch);
const char *grpc_channel_address(const struct grpc_channel *ch); /* "host:port" */

/* A new call on the present connection: 0, -ENOTCONN, -ENOMEM. See grpc_call_new. */
int grpc_channel_call(struct grpc_channel *ch, const char *path, const struct grpc_metadata *fields,
                      uint64_t deadline_ns, const struct grpc_call_handler *h, void *ctx,
                      struct grpc_call **out);

/* Gives up the connection (calls end with UNAVAILABLE) and makes a new one. */
void grpc_channel_reset(struct grpc_channel *ch, const char *why);

/* Ends it: calls end with UNAVAILABLE; closed(ctx) when nothing is left of it. No handler is called any more. */
void grpc_channel_close(struct grpc_channel *ch, void (*closed)(void *ctx), void *ctx);
