#pragma once
/*
 * MySQL packet framing and the protocol's basic data types, both directions, without I/O.
 *
 * In:  struct mysql_framer reassembles one message (1..n physical packets) from any split of bytes.
 * Out: struct mysql_wire appends whole packets to a buffer; payloads of 16 MiB - 1 and more are
 *      split when the packet ends.
 * Basics: struct mysql_cursor reads integers and strings with bounds checks.
 *
 * All functions run on the core of the connection's owner (conn_); none blocks.
 * Source: MySQL 8.0 "Client/Server Protocol", chapters "MySQL Packets" and "Basic Types".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/buffer.h"
#include "sql/mysql_protocol.h"

/* ---- reading basic types ---- */

/*
 * Reads a payload from front to back. A read past the end sets `failed`, returns zero or NULL and
 * makes every later read fail too, so that a decoder checks once at its end.
 * Owner: a local variable of a decoder; borrows the bytes.
 */
struct mysql_cursor {
    const uint8_t *pos;
    const uint8_t *end;
    bool failed;
};

/* Starts reading `len` bytes at `data` (may be NULL when len is 0). */
void mysql_cursor_init(struct mysql_cursor *cur, const void *data, size_t len);
/* Bytes not read yet; 0 after a failure. */
size_t mysql_cursor_left(const struct mysql_cursor *cur);
/* Fixed-width little-endian unsigned integers. */
uint8_t mysql_cursor_u8(struct mysql_cursor *cur);
uint16_t mysql_cursor_u16(struct mysql_cursor *cur);
uint32_t mysql_cursor_u24(struct mysql_cursor *cur);
uint32_t mysql_cursor_u32(struct mysql_cursor *cur);
uint64_t mysql_cursor_u64(struct mysql_cursor *cur);
/* Length-encoded integer; the NULL marker 0xfb and 0xff fail. */
uint64_t mysql_cursor_lenenc(struct mysql_cursor *cur);
/* `len` raw bytes, borrowed; NULL on failure. */
const uint8_t *mysql_cursor_bytes(struct mysql_cursor *cur, size_t len);
/* Length-encoded string, borrowed; stores its length. */
const uint8_t *mysql_cursor_lenenc_bytes(struct mysql_cursor *cur, size_t *len);
/* NUL-terminated string, borrowed; stores its length without the NUL. Fails without a NUL. */
const uint8_t *mysql_cursor_cstr(struct mysql_cursor *cur, size_t *len);

/* ---- reassembling messages ---- */

enum mysql_frame_result {
    MYSQL_FRAME_MORE,      /* all bytes taken, the message is not complete */
    MYSQL_FRAME_DONE,      /* a message is complete; later bytes are not taken */
    MYSQL_FRAME_TOO_LARGE, /* the message exceeds the limit; nothing more is buffered */
    MYSQL_FRAME_ORDER,     /* a packet has the wrong sequence number */
    MYSQL_FRAME_NOMEM,     /* the allocator refused; fatal for this connection */
};

/* Payload buffers up to this many bytes are kept for the next message; larger are freed. */
#define MYSQL_FRAMER_KEEP_BYTES 2048u

/*
 * Reassembly of one message. The payload buffer grows with the bytes that arrived, never with the
 * length a header announces, and never above `limit` bytes.
 * Owner: the connection's core; lives as long as its session.
 */
struct mysql_framer {
    uint8_t *payload; /* malloc'ed; NULL when nothing is buffered */
    size_t len;       /* payload bytes so far */
    size_t cap;
    size_t limit;       /* largest payload accepted, bytes */
    uint32_t fragment;  /* bytes of the current physical packet still to come */
    uint8_t header[4];  /* header bytes read so far */
    uint8_t header_len; /* 0..4 */
    uint8_t seq;        /* sequence number expected next */
    bool last_fragment; /* the current physical packet ends the message */
    bool done;          /* a message is complete and not released */
    uint8_t seen_seq;   /* sequence number found, for MYSQL_FRAME_ORDER */
};

/* Prepares for messages of at most `limit` bytes. Never fails. */
void mysql_framer_init(struct mysql_framer *fr, size_t limit);
/* Frees the payload. */
void mysql_framer_fini(struct mysql_framer *fr);
/* Takes bytes up to the end of one message and stores in *taken how many. Takes none while a
 * complete message is held. Empty messages are valid. */
enum mysql_frame_result mysql_framer_feed(struct mysql_framer *fr, const uint8_t *data, size_t len,
                                          size_t *taken);
/* Gives up the message held; the next one must start with sequence number `next_seq`. */
void mysql_framer_release(struct mysql_framer *fr, uint8_t next_seq);

/* ---- writing packets ---- */

/* What an OK packet tells clients with SESSION_TRACK: entries, encoded. Owner: who writes the packet. */
struct mysql_track {
    size_t len;
    uint8_t bytes[512];
};

/*
 * Where answers go: an output buffer lent by the owner, the sequence number of the next packet and
 * the capabilities agreed with the client. Only whole packets ever become visible in the buffer:
 * a packet that does not fit is taken back and -ENOBUFS (limit of the buffer) or -ENOMEM returned.
 * Owner: embedded in struct mysql_session.
 */
struct mysql_wire {
    struct buffer *out;
    const struct mysql_track *track; /* for the next OK packet; NULL = nothing changed */
    uint32_t capabilities;           /* MYSQL_CAP_* both sides support */
    uint8_t seq;                     /* of the next packet */
    bool answered;                   /* the answer to the current command is complete */
};

/* A packet being written: remember where it started, first error wins. Lives on the stack. */
struct mysql_packet {
    struct mysql_wire *wire;
    size_t start; /* offset of its header in out */
    int error;    /* 0, -ENOBUFS or -ENOMEM */
};

/* Starts a packet at the end of the wire's buffer. One packet at a time per wire. */
void mysql_packet_begin(struct mysql_packet *pkt, struct mysql_wire *wire);
/* Ends it: fills in length and sequence number, splits payloads of 16 MiB - 1 and more. On error
 * (also one met earlier) the buffer is as before mysql_packet_begin. */
int mysql_packet_end(struct mysql_packet *pkt);
/* Appends to the packet; errors are kept for mysql_packet_end. */
void mysql_packet_u8(struct mysql_packet *pkt, uint8_t v);
void mysql_packet_u16(struct mysql_packet *pkt, uint16_t v);
void mysql_packet_u32(struct mysql_packet *pkt, uint32_t v);
void mysql_packet_u64(struct mysql_packet *pkt, uint64_t v);
void mysql_packet_lenenc(struct mysql_packet *pkt, uint64_t v);
void mysql_packet_bytes(struct mysql_packet *pkt, const void *data, size_t len);
void mysql_packet_zeros(struct mysql_packet *pkt, size_t len);
void mysql_packet_lenenc_bytes(struct mysql_packet *pkt, const void *data, size_t len);
/* Room for `len` bytes at the end of the packet, which the caller fills and commits with
 * mysql_packet_commit; NULL on error. For encoders that know their longest output. */
uint8_t *mysql_packet_room(struct mysql_packet *pkt, size_t len);
void mysql_packet_commit(struct mysql_packet *pkt, size_t len);

/* Writes a length-encoded integer to dst (room for 9 bytes); returns its length. */
size_t mysql_lenenc_encode(uint8_t *dst, uint64_t v);
