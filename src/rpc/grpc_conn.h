#pragma once
/*
 * Connection that carries gRPC calls: HTTP/2 codec on a stream of the core, for both roles. Sends at the end of a
 * turn, keeps the peer alive with PING, ends in order with GOAWAY.
 */
#include "reactor/list.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"
#include "rpc/h2_session.h"

struct grpc_call;
struct grpc_conn;

struct grpc_conn_handler {
    void (*on_call)(struct grpc_conn *c,
                    struct grpc_call *call);         /* server: the fields of a request are there */
    void (*on_goaway)(struct grpc_conn *c);          /* client: make new calls elsewhere */
    void (*on_closed)(struct grpc_conn *c, int err); /* last call; calls have been told */
};

/* Owner: its core; freed after on_closed. */
struct grpc_conn {
    struct reactor *r;
    struct stream *stream;
    struct h2_session *h2;
    struct grpc_conn_handler handler;
    void (*on_connected)(struct grpc_conn *c, int err);
    void *ctx;
    bool is_server;
    bool closing; /* no new calls; closes when the last call has ended */
    bool dead;    /* the stream is gone */
    unsigned n_calls;
    struct list calls;
    struct task pump; /* writes what the codec has to send */
    struct timer keepalive;
    uint64_t received_ns; /* when the peer was last heard */
    uint64_t keepalive_ns;
    bool ping_sent;
    const char *reason; /* why we ended it, for messages; NULL = the peer or the network did */
};

enum {
    GRPC_CONN_OUT_HIGH = 256 << 10, /* bytes handed to the stream at a time */
    GRPC_CONN_OUT_LIMIT = GRPC_CONN_OUT_HIGH + 4 * H2_FRAME_MAX,
};

/* An accepted socket: takes the fd. 0 or -ENOMEM (fd closed). */
int grpc_conn_accept(struct reactor *r, int fd, const struct grpc_conn_handler *h, void *ctx,
                     struct grpc_conn **out);

/* Connects; on_connected(c, err) first, on error followed by on_closed. 0 or -ENOMEM. */
int grpc_conn_connect(struct reactor *r, const char *host, uint16_t port, uint64_t timeout_ns,
                      const struct grpc_conn_handler *h,
                      void (*on_connected)(struct grpc_conn *c, int err), void *ctx,
                      struct grpc_conn **out);

/* Orderly end: GOAWAY, no new calls, closed when the last call ended. */
void grpc_conn_shutdown(struct grpc_conn *c);
/* Ends it now; calls end with UNAVAILABLE. */
void grpc_conn_abort(struct grpc_conn *c, const char *reason);

/* For calls: something is to be sent. */
void grpc_conn_kick(struct grpc_conn *c);
/* For calls: one ended. */
void grpc_conn_call_ended(struct grpc_conn *c);
