/* The compressed protocol: see mysql_compress.h. */
#include "sql/mysql_compress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

enum {
    ZLIB_LEVEL = 1,      /* others cost several times as much processor time */
    ZSTD_WINDOW_LOG = 23 /* memory of a frame, bytes */
};

/* ---- reading ---- */

void mysql_unpacker_init(struct mysql_unpacker *u, enum mysql_compress_kind kind)
{
    *u = (struct mysql_unpacker){.kind = kind};
}

void mysql_unpacker_fini(struct mysql_unpacker *u)
{
    if (u->stream && u->kind == MYSQL_COMPRESS_ZLIB) {
        inflateEnd(u->stream);
        free(u->stream);
    } else if (u->stream) {
        ZSTD_freeDCtx(u->stream);
    }
    u->stream = NULL;
}

static int open_stream(struct mysql_unpacker *u)
{
    if (u->kind == MYSQL_COMPRESS_ZLIB) {
        z_stream *z = calloc(1, sizeof *z);
        if (!z || inflateInit(z) != Z_OK) {
            free(z);
            return -ENOMEM;
        }
        u->stream = z;
        return 0;
    }
    u->stream = ZSTD_createDCtx();
    if (!u->stream)
        return -ENOMEM;
    ZSTD_DCtx_setParameter(u->stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    return 0;
}

static uint32_t read_u24(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

/* A header is complete. */
static int open_packet(struct mysql_unpacker *u)
{
    u->packed_left = read_u24(u->header);
    u->seq = u->header[3];
    u->plain_left = read_u24(u->header + 4);
    u->is_packed = u->plain_left != 0;
    if (u->is_packed)
        return u->packed_left ? open_stream(u) : -EBADMSG;
    u->plain_left = u->packed_left;
    if (!u->packed_left)
        u->header_len = 0;
    return 0;
}

/* One step of zlib or zstd: what it read and wrote, and whether it has ended. */
static int step(struct mysql_unpacker *u, const uint8_t *in, size_t in_len, size_t *in_used,
                uint8_t *out, size_t out_len, size_t *out_made, bool *ended)
{
    if (u->kind == MYSQL_COMPRESS_ZLIB) {
        z_stream *z = u->stream;
        z->next_in = (Bytef *)(uintptr_t)in;
        z->avail_in = (uInt)in_len;
        z->next_out = out;
        z->avail_out = (uInt)out_len;
        int rc = inflate(z, Z_SYNC_FLUSH);
        *in_used = in_len - z->avail_in;
        *out_made = out_len - z->avail_out;
        *ended = rc == Z_STREAM_END;
        return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? 0
               : rc == Z_MEM_ERROR                                   ? -ENOMEM
                                                                     : -EBADMSG;
    }
    ZSTD_inBuffer source = {in, in_len, 0};
    ZSTD_outBuffer target = {out, out_len, 0};
    size_t rc = ZSTD_decompressStream(u->stream, &target, &source);
    *in_used = source.pos;
    *out_made = target.pos;
    *ended = rc == 0;
    return ZSTD_isError(rc) ? -EBADMSG : 0;
}

static void close_packet(struct mysql_unpacker *u)
{
    mysql_unpacker_fini(u);
    u->header_len = 0;
}

/* Bytes of a packed packet; *moved when there was something to do. */
static int unpack_stream(struct mysql_unpacker *u, const uint8_t *data, size_t len, size_t *taken,
                         uint8_t *out, size_t cap, size_t *made, bool *moved)
{
    size_t in_len = len < u->packed_left ? len : u->packed_left, in_used, out_made;
    size_t out_len = cap < u->plain_left ? cap : u->plain_left;
    uint8_t beyond; /* when all announced bytes are there the stream must make no more */
    bool ended;
    int rc;

    *moved = false;
    if (u->plain_left && !cap)
        return 0;
    rc = step(u, data, in_len, &in_used, u->plain_left ? out : &beyond, u->plain_left ? out_len : 1,
              &out_made, &ended);
    if (rc != 0)
        return rc;
    if (out_made > u->plain_left)
        return -EBADMSG;
    u->packed_left -= (uint32_t)in_used;
    u->plain_left -= (uint32_t)out_made;
    *taken += in_used;
    *made += out_made;
    *moved = in_used || out_made || ended;
    if (ended && (u->packed_left || u->plain_left))
        return -EBADMSG;
    if (ended)
        close_packet(u);
    else if (!*moved && !u->packed_left)
        return -EBADMSG; /* all its bytes are there, and it is not whole */
    return 0;
}

static void copy_plain(struct mysql_unpacker *u, const uint8_t *data, size_t len, size_t *taken,
                       uint8_t *out, size_t cap, size_t *made, bool *moved)
{
    size_t n = len < u->packed_left ? len : u->packed_left;

    n = n < cap ? n : cap;
    if (n)
        memcpy(out, data, n);
    u->packed_left -= (uint32_t)n;
    *taken += n;
    *made += n;
    *moved = n > 0;
    if (!u->packed_left)
        u->header_len = 0;
}

int mysql_unpack(struct mysql_unpacker *u, const uint8_t *data, size_t len, size_t *taken,
                 uint8_t *out, size_t cap, size_t *made)
{
    bool moved = true;
    int rc = 0;

    *taken = *made = 0;
    if (!data) /* nothing new: more of what was taken before */
        data = (const uint8_t *)"";
    while (rc == 0 && moved) {
        if (u->header_len < MYSQL_COMPRESS_HEADER_LEN) {
            if (*taken == len)
                break;
            u->header[u->header_len++] = data[(*taken)++];
            if (u->header_len == MYSQL_COMPRESS_HEADER_LEN)
                rc = open_packet(u);
        } else if (u->is_packed) {
            rc = unpack_stream(u, data + *taken, len - *taken, taken, out + *made, cap - *made,
                               made, &moved);
        } else {
            copy_plain(u, data + *taken, len - *taken, taken, out + *made, cap - *made, made,
                       &moved);
        }
    }
    return rc;
}

/* ---- writing ---- */

void mysql_packer_fini(struct mysql_packer *p)
{
    if (p->zlib) {
        deflateEnd(p->zlib);
        free(p->zlib);
    }
    ZSTD_freeCCtx(p->zstd);
    *p = (struct mysql_packer){0};
}

static z_stream *deflater(struct mysql_packer *p)
{
    z_stream *z = p->zlib;

    if (z)
        return deflateReset(z) == Z_OK ? z : NULL;
    z = calloc(1, sizeof *z);
    if (!z || deflateInit(z, ZLIB_LEVEL) != Z_OK) {
        free(z);
        return NULL;
    }
    return p->zlib = z;
}

/* Bytes written to out[cap]; 0: they do not become fewer, or there is no memory. */
static size_t pack_zlib(struct mysql_packer *p, const uint8_t *data, size_t n, uint8_t *out,
                        size_t cap)
{
    z_stream *z = deflater(p);

    if (!z)
        return 0;
    z->next_in = (Bytef *)(uintptr_t)data;
    z->avail_in = (uInt)n;
    z->next_out = out;
    z->avail_out = (uInt)cap;
    return deflate(z, Z_FINISH) == Z_STREAM_END ? cap - z->avail_out : 0;
}

static size_t pack_zstd(struct mysql_packer *p, int level, const uint8_t *data, size_t n,
                        uint8_t *out, size_t cap)
{
    size_t made;

    if (!p->zstd)
        p->zstd = ZSTD_createCCtx();
    if (!p->zstd)
        return 0;
    made = ZSTD_compressCCtx(p->zstd, out, cap, data, n,
                             level < 1                          ? 1
                             : level > MYSQL_COMPRESS_LEVEL_MAX ? MYSQL_COMPRESS_LEVEL_MAX
                                                                : level);
    return ZSTD_isError(made) ? 0 : made;
}

static void write_u24(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
}

static int pack_one(struct mysql_packer *p, enum mysql_compress_kind kind, int level, uint8_t *seq,
                    const uint8_t *data, size_t n, struct buffer *out)
{
    int rc = buffer_reserve(out, MYSQL_COMPRESS_HEADER_LEN + n);
    uint8_t *header, *body;
    size_t made = 0;

    if (rc != 0)
        return rc;
    header = out->data + out->len;
    body = header + MYSQL_COMPRESS_HEADER_LEN;
    if (n >= MYSQL_COMPRESS_MIN)
        made = kind == MYSQL_COMPRESS_ZLIB ? pack_zlib(p, data, n, body, n - 1)
                                           : pack_zstd(p, level, data, n, body, n - 1);
    if (!made)
        memcpy(body, data, n);
    write_u24(header, made ? made : n);
    header[3] = (*seq)++;
    write_u24(header + 4, made ? n : 0);
    out->len += MYSQL_COMPRESS_HEADER_LEN + (made ? made : n);
    return 0;
}

int mysql_pack(struct mysql_packer *p, enum mysql_compress_kind kind, int level, uint8_t *seq,
               const uint8_t *data, size_t n, struct buffer *out)
{
    int rc = 0;

    while (n > 0 && rc == 0) {
        size_t chunk = n < MYSQL_COMPRESS_CHUNK ? n : MYSQL_COMPRESS_CHUNK;

        rc = pack_one(p, kind, level, seq, data, chunk, out);
        data += chunk;
        n -= chunk;
    }
    return rc;
}
