#pragma once
/*
 * The compressed protocol: packets of their own, each with bytes of the packets inside, in any cut, as they are or
 * deflated (zlib) or as one frame of zstd. Between the connection and its session, no I/O.
 *
 * Reading takes bytes in any split and gives at most as many as the caller has room for, so memory is a window of zlib
 * or zstd (8 MiB at most) while a packet is open, and nothing between packets. All functions on the core of the connection.
 * Source: MySQL 8.0 "Client/Server Protocol", chapter "Compression".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/buffer.h"

enum mysql_compress_kind { MYSQL_COMPRESS_NONE, MYSQL_COMPRESS_ZLIB, MYSQL_COMPRESS_ZSTD };

enum {
    MYSQL_COMPRESS_HEADER_LEN = 7,
    MYSQL_COMPRESS_MIN = 50,         /* bytes: less goes as it is, as MySQL does it */
    MYSQL_COMPRESS_CHUNK = 64 << 10, /* bytes in one packet of ours */
    MYSQL_COMPRESS_LEVEL_MAX = 6,    /* of zstd: clients may ask for more, and get this */
};

/* What a client sends. Owner: the connection. */
struct mysql_unpacker {
    enum mysql_compress_kind kind;
    uint8_t header[MYSQL_COMPRESS_HEADER_LEN];
    uint8_t header_len;
    uint8_t seq;          /* of the last header */
    bool is_packed;       /* the open packet is */
    uint32_t packed_left; /* its bytes still to come */
    uint32_t plain_left;  /* bytes it still makes */
    void *stream;         /* z_stream or ZSTD_DCtx while a packet is open */
};

void mysql_unpacker_init(struct mysql_unpacker *u, enum mysql_compress_kind kind);
void mysql_unpacker_fini(struct mysql_unpacker *u);
/* Takes bytes and makes up to `cap` of them. More may be to come from the bytes taken while *made is cap. 0, -EBADMSG:
 * not what its header says; -ENOMEM. */
int mysql_unpack(struct mysql_unpacker *u, const uint8_t *data, size_t len, size_t *taken,
                 uint8_t *out, size_t cap, size_t *made);

/* What the connections of a core pack with, one after the other. Owner: the gateway. */
struct mysql_packer {
    void *zlib, *zstd; /* made at their first use */
};
void mysql_packer_fini(struct mysql_packer *p);
/* Appends data as packets numbered from *seq on. 0, -ENOBUFS, -ENOMEM. */
int mysql_pack(struct mysql_packer *p, enum mysql_compress_kind kind, int level, uint8_t *seq,
               const uint8_t *data, size_t n, struct buffer *out);
