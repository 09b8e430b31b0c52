#pragma once
/* Inside of a stream: shared by stream.c (open streams) and connect.c (until they are). */
#include "reactor/address.h"
#include "reactor/core.h"
#include "reactor/resolver.h"
#include "reactor/stream.h"

enum stream_state {
    STREAM_CONNECTING, /* also while the name is looked up */
    STREAM_OPEN,
    STREAM_CLOSING,   /* sends what is queued */
    STREAM_LINGERING, /* all sent, told the peer; reads and drops until it closes too */
    STREAM_ENDING,    /* waits for the operations in flight, then on_closed */
};

/*
 * Owner: core r. Lives until on_closed returned.
 *
 * Output is double-buffered: `sending` is with the kernel and must not move; `out` (or `wire`, behind
 * a filter) fills meanwhile.
 */
struct stream {
    struct reactor *r;
    struct list link; /* in r->streams */
    struct stream_handler handler;
    void *ctx;
    int fd;
    enum stream_state state;
    int err; /* reported by on_closed */

    struct io_op recv, send; /* send is also the connect operation */
    struct task work;        /* at the end of the turn: deliver, send, end */
    struct timer timer;      /* connect, close or linger limit */

    bool paused, at_eof;
    struct buffer pending; /* received while paused, plain */

    struct buffer out, sending;
    size_t flushed; /* bytes of `out` that stream_flush covers */
    size_t sent;    /* bytes of `sending` taken by the kernel */
    size_t out_limit, low_water;

    const struct stream_filter *filter;
    void *filter_state;
    bool filter_ended;         /* it said its last */
    struct buffer wire, plain; /* with a filter only */

    /* Until connected. */
    void (*on_connected)(struct stream *s, int err);
    struct resolve_request *resolving;
    struct resolve_result targets;
    unsigned target; /* being tried */

    bool peer_is_loopback;
    char peer[ADDRESS_TEXT_BYTES];
};

struct stream *stream_alloc(struct reactor *r, size_t out_limit, const struct stream_handler *h,
                            void *ctx);

/* Connected: reads peer and sets options, starts reading and sends what was queued. */
void stream_opened(struct stream *s);

/* Ends the stream with err as soon as nothing is in flight. */
void stream_fail(struct stream *s, int err);
