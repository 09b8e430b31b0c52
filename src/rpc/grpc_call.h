#pragma once
/*
 * Call: one gRPC request and its answer, as server or client, with any number of messages each way.
 *
 * Reading is pulled: each grpc_call_read asks for one message, on_message brings it, and only then may the peer send
 * more than a window ahead. Writing is bounded: grpc_call_send tells when the queue is full, on_writable when it is
 * short again. A client reads until on_closed: a good status comes after the last message was taken. Callbacks run from the loop, never from inside a function of this header. on_closed is the last one,
 * exactly once; the call is gone when it returns. Owner: the core of the connection.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/list.h"
#include "reactor/reactor.h"
#include "rpc/grpc_metadata.h"
#include "rpc/grpc_status.h"
#include "rpc/h2_session.h"

struct grpc_call;
struct grpc_conn;

enum {
    GRPC_PREFIX = 5, /* compressed flag, u32 length */
    GRPC_MAX_MESSAGE = 64 << 20,
    GRPC_SEND_HIGH = 256 << 10, /* queued bytes from which on the writer should wait */
    GRPC_STATUS_TEXT = 600,
};

struct grpc_call_handler {
    void (*on_message)(struct grpc_call *c, const uint8_t *bytes,
                       size_t n);             /* bytes valid until it returns */
    void (*on_end)(struct grpc_call *c);      /* server: the client sends no more; may be NULL */
    void (*on_writable)(struct grpc_call *c); /* may be NULL */
    void (*on_closed)(struct grpc_call *c);   /* status and text tell how it ended */
};

struct grpc_call {          /* owner: the layer; from the request to the return of on_closed */
    struct h2_stream h2;    /* first */
    struct grpc_conn *conn; /* NULL once the connection is gone */
    struct list in_conn;
    struct reactor *r;
    struct grpc_call_handler handler;
    void *ctx;
    bool is_server;
    struct grpc_metadata fields;   /* server: of the request; client: of the answer's beginning */
    struct grpc_metadata trailers; /* client */
    uint64_t deadline_ns;          /* monotonic; 0 = none */
    enum grpc_code status; /* client: in on_closed; server: OK = finished and sent, else why not */
    char text[GRPC_STATUS_TEXT];

    /* the rest is the layer's */
    struct task task;
    struct timer deadline;
    struct buffer in; /* received frames from in_at on */
    size_t in_at;
    unsigned http_status;
    bool headers_seen, announced, reading, peer_ended, end_told, low_due, headers_sent, finished,
        over;
};

/* Asks for the next message. */
void grpc_call_read(struct grpc_call *c);

/* A message of n bytes to be filled in at *body; NULL on -ENOMEM. Given to grpc_call_send or freed. */
struct h2_chunk *grpc_message_new(size_t n, uint8_t **body);

/* Takes the message over. True: more may follow at once; false: wait for on_writable (the message is taken). */
bool grpc_call_send(struct grpc_call *c, struct h2_chunk *message);

/* Client: nothing more will be sent. */
void grpc_call_end_sending(struct grpc_call *c);

/* Server: ends the call after the messages sent so far. `fields` go with the trailers (may be NULL). */
void grpc_call_finish(struct grpc_call *c, enum grpc_code code, const char *text,
                      const struct grpc_metadata *fields);

/* Server: answers what is no gRPC request with an HTTP status such as "415". */
void grpc_call_refuse(struct grpc_call *c, const char *http_status);

/* Ends the call at once for both sides; on_closed follows with this status. */
void grpc_call_cancel(struct grpc_call *c, enum grpc_code code, const char *text);

/* Field of the request (server) or of the answer, trailers first (client); NULL when absent. */
const char *grpc_call_field(const struct grpc_call *c, const char *name);
const char *grpc_call_path(const struct grpc_call *c); /* server: "/package.Service/Method" */

/*
 * Client: a new call on a connection. fields: custom ones (may be NULL); deadline 0 = none. 0; -ENOTCONN when the
 * connection takes no more calls, -ENOMEM.
 */
int grpc_call_new(struct grpc_conn *conn, const char *path, const struct grpc_metadata *fields,
                  uint64_t deadline_ns, const struct grpc_call_handler *h, void *ctx,
                  struct grpc_call **out);
