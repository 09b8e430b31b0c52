#pragma once
/*
 * Stream: a connected byte stream on one core, between socket and codec. TLS slots in here, also in
 * mid-connection (stream_set_filter), without the codecs knowing.
 *
 * Reading: bytes arrive by on_data; stream_pause stops the reading (back-pressure), stream_resume goes on.
 * Writing: append to stream_out() and call stream_flush; on_drain tells when less than the low-water
 * mark is left unsent. Closing: stream_close flushes what is queued, then closes; stream_abort drops it.
 * on_closed is the last call, exactly once, when no operation is in flight any more; the owner frees its
 * own state there. All calls and callbacks on the core that owns the stream.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "reactor/buffer.h"

struct reactor;
struct stream;

struct stream_handler {
    void (*on_data)(struct stream *s, const uint8_t *bytes, size_t n); /* consume all or copy */
    void (*on_drain)(struct stream *s);
    void (*on_closed)(struct stream *s, int err); /* err 0 = orderly end, else -errno */
};

/* Wraps a connected socket (takes the fd) and starts reading. out_limit: bytes of queued output. */
int stream_new(struct reactor *r, int fd, size_t out_limit, const struct stream_handler *h,
               void *ctx, struct stream **out);

/* Connects in the background; on_connected(s, err) on this core; on error on_closed follows. */
int stream_connect(struct reactor *r, const char *host, uint16_t port, uint64_t timeout_ns,
                   size_t out_limit, const struct stream_handler *h,
                   void (*on_connected)(struct stream *s, int err), void *ctx, struct stream **out);

void *stream_ctx(const struct stream *s);
struct reactor *stream_reactor(const struct stream *s);
struct buffer *stream_out(struct stream *s);  /* append here */
size_t stream_unsent(const struct stream *s); /* bytes appended and not yet taken by the kernel */
void stream_flush(struct stream *s);
void stream_set_low_water(struct stream *s, size_t bytes); /* for on_drain; default 64 KiB */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);
void stream_close(struct stream *s);
void stream_abort(struct stream *s);
/*
 * Filter: what stands between the bytes of the socket and those of the codec, such as TLS. Functions
 * answer 0 or -errno, which aborts the stream; they run on the core of the stream.
 */
struct stream_filter {
    /* Bytes from the socket: appends what they mean to `plain`, and answers of its own (handshake) to `wire`. */
    int (*decrypt)(void *state, const uint8_t *bytes, size_t n, struct buffer *plain,
                   struct buffer *wire);
    /* Bytes of the codec: appends what goes to the socket to `wire`. */
    int (*encrypt)(void *state, const uint8_t *bytes, size_t n, struct buffer *wire);
    /* The last bytes to the socket, after all others of a stream that closes in order; may be NULL. */
    int (*end)(void *state, struct buffer *wire);
    void (*free)(void *state); /* with the stream, just before on_closed */
};

/*
 * From here on the bytes of the stream pass through the filter. Output appended before goes out as it is;
 * rest[n]: the part of the current on_data that belongs to the filter already (may be empty): the codec
 * must not touch it itself; on_data is called again with what it means. At most once per stream.
 */
void stream_set_filter(struct stream *s, const struct stream_filter *filter, void *state,
                       const uint8_t *rest, size_t n);

const char *stream_peer(const struct stream *s); /* "127.0.0.1:4711" */
bool stream_peer_is_loopback(const struct stream *s);

/*
 * Listener: SO_REUSEPORT socket of this core. Port 0 takes a free port; the caller opens core 0 first,
 * reads the port and gives it to the other cores.
 */
struct listener;
int listener_new(struct reactor *r, const char *bind, uint16_t port, unsigned max_connections,
                 void (*on_accept)(struct listener *l, int fd), void *ctx, struct listener **out,
                 char *err, size_t err_len);
uint16_t listener_port(const struct listener *l);
void *listener_ctx(const struct listener *l);
struct reactor *listener_reactor(const struct listener *l);
void listener_connection_closed(struct listener *l); /* gives one of max_connections back */
void listener_stop(struct listener *l); /* no more accepts; freed when the accept completed */
