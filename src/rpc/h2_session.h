#pragma once
/*
 * HTTP/2 codec: bytes in, events out, bytes out; no I/O, no clock (RFC 9113, by nghttp2). Both roles.
 *
 * Flow control belongs to the reader: the window of a stream opens again only by h2_stream_consume. The window of
 * the connection opens as bytes arrive while less than H2_HELD_MAX bytes are held by all streams together, so one
 * slow reader does not stop the others and memory stays bounded.
 * Events come from within h2_session_receive and h2_session_send, never from another call. An event may call any
 * function but these two and h2_session_free. Owner: the connection, on one core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/buffer.h"

enum {
    H2_STREAM_WINDOW = 1 << 20, /* bytes a peer may send before the reader takes them */
    H2_CONNECTION_WINDOW = 16 << 20,
    H2_HELD_MAX = 64 << 20,  /* bytes received and not taken, all streams of a connection */
    H2_FRAME_MAX = 64 << 10, /* bytes of payload we accept and send in one frame */
    H2_MAX_STREAMS = 1024,   /* requests at a time that a server takes on one connection */
    H2_HEADER_LIST_MAX = 16 << 10,
    H2_FLOOD_BURST =
        20000, /* frames that cost us and not the peer: PING, SETTINGS, RST_STREAM, ... */
    H2_FLOOD_RATE = 5000, /* per second, after the burst */
    H2_FRAME_HEADER = 9,
};

struct h2_session;
struct nghttp2_session;

/* Bytes to send, owned by the stream's queue. */
struct h2_chunk {
    struct h2_chunk *next;
    size_t len;
    uint8_t bytes[];
};

/* NULL on -ENOMEM. */
struct h2_chunk *h2_chunk_new(size_t len);
void h2_chunk_free(struct h2_chunk *c);

struct h2_field {
    const char *name, *value;
};

/* One request. Embedded in what the layer above keeps of it; owner: the core of the session. */
struct h2_stream {
    struct h2_session *session; /* NULL: not open, or detached */
    int32_t id;
    struct h2_chunk *first, *last; /* to send */
    size_t taken;                  /* bytes of `first` already in frames */
    size_t queued;                 /* bytes in the queue and not in frames */
    size_t held;                   /* bytes received and not consumed */
    bool ended;                    /* nothing follows the queue */
    bool deferred;                 /* the codec waits for more of the queue */
    bool low_wanted;               /* tell when the queue is short again */
    struct h2_field *trailers;     /* to send after the queue, copied */
    size_t n_trailers;
};

struct h2_events {
    /* Server: a request begins. NULL refuses it. */
    struct h2_stream *(*on_request)(void *ctx);
    /* A header or trailer field; false resets the stream. */
    bool (*on_field)(struct h2_stream *s, const char *name, size_t name_len, const char *value,
                     size_t value_len);
    void (*on_headers)(struct h2_stream *s); /* a block of fields is complete */
    void (*on_data)(struct h2_stream *s, const uint8_t *bytes, size_t n);
    void (*on_end)(struct h2_stream *s);                       /* the peer sends no more */
    void (*on_low)(struct h2_stream *s);                       /* queue below the mark again */
    void (*on_closed)(struct h2_stream *s, uint32_t h2_error); /* the stream is detached */
    void (*on_goaway)(void *ctx);                              /* the peer takes no new requests */
    void (*on_ping_ack)(void *ctx);
};

/* Sends the preface and settings first. 0 or -ENOMEM. */
int h2_session_new(bool is_server, const struct h2_events *events, void *ctx,
                   struct h2_session **out);
/* Streams that are still open are detached without an event. */
void h2_session_free(struct h2_session *h);

/*
 * Takes n bytes from the peer. 0; -EPROTO (not HTTP/2, or an offence that ends the connection; a GOAWAY may be
 * waiting to be sent), -EDQUOT (flood), -ENOMEM. now_ns: monotonic, for the flood guard.
 */
int h2_session_receive(struct h2_session *h, const uint8_t *bytes, size_t n, uint64_t now_ns);

/* Appends what is to be sent to `out` until that holds `until` bytes or more, or nothing is left. 0 or -errno.
 * The buffer needs room for one more frame than `until`. */
int h2_session_send(struct h2_session *h, struct buffer *out, size_t until);
bool h2_session_wants_write(const struct h2_session *h);
bool h2_session_is_over(const struct h2_session *h); /* neither side will send any more */

int h2_session_ping(struct h2_session *h);
/* Orderly end: no further requests are taken, those begun run to their ends. */
int h2_session_goaway(struct h2_session *h, uint32_t h2_error);
size_t h2_session_held(const struct h2_session *h); /* bytes received and not consumed */

/* Client: opens a stream. 0, -EMFILE (ids are used up: a new connection is needed), -ENOMEM. */
int h2_stream_request(struct h2_session *h, struct h2_stream *s, const struct h2_field *fields,
                      size_t n);
/* Server: the answer's header fields; data and the end follow. */
int h2_stream_respond(struct h2_stream *s, const struct h2_field *fields, size_t n);
/* Server: an answer of fields only. */
int h2_stream_respond_only(struct h2_stream *s, const struct h2_field *fields, size_t n);
/* Takes the chunk over. */
void h2_stream_write(struct h2_stream *s, struct h2_chunk *c);
/* Nothing follows but these trailers (copied; none = the last DATA frame ends the stream). 0 or -ENOMEM. */
int h2_stream_end(struct h2_stream *s, const struct h2_field *trailers, size_t n);
/* The reader has taken n bytes. */
void h2_stream_consume(struct h2_stream *s, size_t n);
/* Ends the stream at once for both sides and detaches it: no event follows. */
void h2_stream_reset(struct h2_stream *s, uint32_t h2_error);
/* Forgets the queue. */
void h2_stream_drop(struct h2_stream *s);
