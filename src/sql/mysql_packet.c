/* MySQL packet framing: see mysql_packet.h. */
#include "sql/mysql_packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"

enum { FRAMER_CAP_MIN = 256 };

/* ---- reading basic types ---- */

void mysql_cursor_init(struct mysql_cursor *cur, const void *data, size_t len)
{
    static const uint8_t nothing;

    cur->pos = data ? data : &nothing;
    cur->end = cur->pos + (data ? len : 0);
    cur->failed = false;
}

size_t mysql_cursor_left(const struct mysql_cursor *cur)
{
    return cur->failed ? 0 : (size_t)(cur->end - cur->pos);
}

const uint8_t *mysql_cursor_bytes(struct mysql_cursor *cur, size_t len)
{
    const uint8_t *bytes = cur->pos;

    if (cur->failed || len > (size_t)(cur->end - cur->pos)) {
        cur->failed = true;
        return NULL;
    }
    cur->pos += len;
    return bytes;
}

static uint64_t cursor_uint(struct mysql_cursor *cur, size_t width)
{
    const uint8_t *bytes = mysql_cursor_bytes(cur, width);
    uint64_t v = 0;

    for (size_t i = 0; bytes && i < width; i++)
        v |= (uint64_t)bytes[i] << (8 * i);
    return v;
}

uint8_t mysql_cursor_u8(struct mysql_cursor *cur)
{
    return (uint8_t)cursor_uint(cur, 1);
}

uint16_t mysql_cursor_u16(struct mysql_cursor *cur)
{
    return (uint16_t)cursor_uint(cur, 2);
}

uint32_t mysql_cursor_u24(struct mysql_cursor *cur)
{
    return (uint32_t)cursor_uint(cur, 3);
}

uint32_t mysql_cursor_u32(struct mysql_cursor *cur)
{
    return (uint32_t)cursor_uint(cur, 4);
}

uint64_t mysql_cursor_u64(struct mysql_cursor *cur)
{
    return cursor_uint(cur, 8);
}

uint64_t mysql_cursor_lenenc(struct mysql_cursor *cur)
{
    uint8_t first = mysql_cursor_u8(cur);

    switch (first) {
    case 0xfb: /* NULL marker of text rows */
    case 0xff: /* start of an ERR packet */
        cur->failed = true;
        return 0;
    case 0xfc:
        return cursor_uint(cur, 2);
    case 0xfd:
        return cursor_uint(cur, 3);
    case 0xfe:
        return cursor_uint(cur, 8);
    default:
        return first;
    }
}

const uint8_t *mysql_cursor_lenenc_bytes(struct mysql_cursor *cur, size_t *len)
{
    uint64_t n = mysql_cursor_lenenc(cur);
    const uint8_t *bytes;

    *len = 0;
    if (n > mysql_cursor_left(cur))
        cur->failed = true;
    bytes = mysql_cursor_bytes(cur, (size_t)n);
    if (bytes)
        *len = (size_t)n;
    return bytes;
}

const uint8_t *mysql_cursor_cstr(struct mysql_cursor *cur, size_t *len)
{
    size_t left = mysql_cursor_left(cur);
    const uint8_t *start = cur->pos;
    const uint8_t *nul = left ? memchr(start, 0, left) : NULL;

    *len = 0;
    if (!nul) {
        cur->failed = true;
        return NULL;
    }
    *len = (size_t)(nul - start);
    cur->pos = nul + 1;
    return start;
}

/* ---- reassembling messages ---- */

void mysql_framer_init(struct mysql_framer *fr, size_t limit)
{
    *fr = (struct mysql_framer){.limit = limit};
}

void mysql_framer_fini(struct mysql_framer *fr)
{
    free(fr->payload);
    fr->payload = NULL;
    fr->len = 0;
    fr->cap = 0;
}

/* Makes room for n more payload bytes; the caller has checked the limit. */
static bool framer_reserve(struct mysql_framer *fr, size_t n)
{
    size_t need = fr->len + n;
    size_t cap = fr->cap ? fr->cap : FRAMER_CAP_MIN;
    uint8_t *payload;

    if (need <= fr->cap)
        return true;
    while (cap < need)
        cap *= 2;
    if (cap > fr->limit)
        cap = fr->limit;
    payload = realloc(fr->payload, cap);
    if (!payload)
        return false;
    fr->payload = payload;
    fr->cap = cap;
    return true;
}

/* Judges a complete physical header. */
static enum mysql_frame_result framer_header(struct mysql_framer *fr)
{
    fr->fragment =
        (uint32_t)fr->header[0] | (uint32_t)fr->header[1] << 8 | (uint32_t)fr->header[2] << 16;
    fr->seen_seq = fr->header[3];
    if (fr->seen_seq != fr->seq)
        return MYSQL_FRAME_ORDER;
    fr->seq++;
    if (fr->fragment > fr->limit - fr->len)
        return MYSQL_FRAME_TOO_LARGE;
    fr->last_fragment = fr->fragment < MYSQL_PACKET_PAYLOAD_MAX;
    fr->done = fr->fragment == 0;
    return fr->done ? MYSQL_FRAME_DONE : MYSQL_FRAME_MORE;
}

/* Takes payload bytes of the current physical packet; n is at most fr->fragment. */
static enum mysql_frame_result framer_payload(struct mysql_framer *fr, const uint8_t *data,
                                              size_t n)
{
    if (!framer_reserve(fr, n))
        return MYSQL_FRAME_NOMEM;
    memcpy(fr->payload + fr->len, data, n);
    fr->len += n;
    fr->fragment -= (uint32_t)n;
    if (fr->fragment > 0)
        return MYSQL_FRAME_MORE;
    fr->header_len = 0;
    fr->done = fr->last_fragment;
    return fr->done ? MYSQL_FRAME_DONE : MYSQL_FRAME_MORE;
}

enum mysql_frame_result mysql_framer_feed(struct mysql_framer *fr, const uint8_t *data, size_t len,
                                          size_t *taken)
{
    enum mysql_frame_result result = fr->done ? MYSQL_FRAME_DONE : MYSQL_FRAME_MORE;

    *taken = 0;
    while (result == MYSQL_FRAME_MORE && *taken < len) {
        if (fr->header_len < sizeof(fr->header)) {
            fr->header[fr->header_len++] = data[(*taken)++];
            if (fr->header_len == sizeof(fr->header))
                result = framer_header(fr);
        } else {
            size_t n = len - *taken;

            if (n > fr->fragment)
                n = fr->fragment;
            result = framer_payload(fr, data + *taken, n);
            *taken += n;
        }
    }
    return result;
}

void mysql_framer_release(struct mysql_framer *fr, uint8_t next_seq)
{
    if (fr->cap > MYSQL_FRAMER_KEEP_BYTES)
        mysql_framer_fini(fr);
    fr->len = 0;
    fr->header_len = 0;
    fr->fragment = 0;
    fr->done = false;
    fr->seq = next_seq;
}

/* ---- writing packets ---- */

void mysql_packet_begin(struct mysql_packet *pkt, struct mysql_wire *wire)
{
    pkt->wire = wire;
    pkt->start = wire->out->len;
    pkt->error = 0;
    mysql_packet_zeros(pkt, MYSQL_PACKET_HEADER_LEN);
}

uint8_t *mysql_packet_room(struct mysql_packet *pkt, size_t len)
{
    struct buffer *out = pkt->wire->out;

    if (pkt->error)
        return NULL;
    if (out->cap - out->len < len) {
        pkt->error = buffer_reserve(out, len);
        if (pkt->error)
            return NULL;
    }
    return out->data + out->len;
}

void mysql_packet_commit(struct mysql_packet *pkt, size_t len)
{
    ASSERT(!pkt->error && len <= pkt->wire->out->cap - pkt->wire->out->len);
    pkt->wire->out->len += len;
}

static void packet_uint(struct mysql_packet *pkt, uint64_t v, size_t width)
{
    uint8_t *dst = mysql_packet_room(pkt, width);

    if (!dst)
        return;
    for (size_t i = 0; i < width; i++)
        dst[i] = (uint8_t)(v >> (8 * i));
    mysql_packet_commit(pkt, width);
}

void mysql_packet_u8(struct mysql_packet *pkt, uint8_t v)
{
    packet_uint(pkt, v, 1);
}

void mysql_packet_u16(struct mysql_packet *pkt, uint16_t v)
{
    packet_uint(pkt, v, 2);
}

void mysql_packet_u32(struct mysql_packet *pkt, uint32_t v)
{
    packet_uint(pkt, v, 4);
}

void mysql_packet_u64(struct mysql_packet *pkt, uint64_t v)
{
    packet_uint(pkt, v, 8);
}

size_t mysql_lenenc_encode(uint8_t *dst, uint64_t v)
{
    size_t width;

    if (v < 0xfb) {
        dst[0] = (uint8_t)v;
        return 1;
    }
    width = v <= 0xffff ? 2 : v <= 0xffffff ? 3 : 8;
    dst[0] = width == 2 ? 0xfc : width == 3 ? 0xfd : 0xfe;
    for (size_t i = 0; i < width; i++)
        dst[1 + i] = (uint8_t)(v >> (8 * i));
    return 1 + width;
}

void mysql_packet_lenenc(struct mysql_packet *pkt, uint64_t v)
{
    uint8_t *dst = mysql_packet_room(pkt, 9);

    if (dst)
        mysql_packet_commit(pkt, mysql_lenenc_encode(dst, v));
}

void mysql_packet_bytes(struct mysql_packet *pkt, const void *data, size_t len)
{
    uint8_t *dst = len ? mysql_packet_room(pkt, len) : NULL;

    if (!dst)
        return;
    memcpy(dst, data, len);
    mysql_packet_commit(pkt, len);
}

void mysql_packet_zeros(struct mysql_packet *pkt, size_t len)
{
    uint8_t *dst = mysql_packet_room(pkt, len);

    if (!dst)
        return;
    memset(dst, 0, len);
    mysql_packet_commit(pkt, len);
}

void mysql_packet_lenenc_bytes(struct mysql_packet *pkt, const void *data, size_t len)
{
    uint8_t *dst;
    size_t prefix;

    if (len > SIZE_MAX - 9) {
        pkt->error = -ENOBUFS;
        return;
    }
    dst = mysql_packet_room(pkt, 9 + len);
    if (!dst)
        return;
    prefix = mysql_lenenc_encode(dst, len);
    if (len)
        memcpy(dst + prefix, data, len);
    mysql_packet_commit(pkt, prefix + len);
}

static void packet_header(uint8_t *dst, size_t len, uint8_t seq)
{
    dst[0] = (uint8_t)len;
    dst[1] = (uint8_t)(len >> 8);
    dst[2] = (uint8_t)(len >> 16);
    dst[3] = seq;
}

/* Makes room for the headers inside a payload of `len` bytes and fills them in; the last fragment
 * is shorter than the maximum, possibly empty. Moves from the back, each byte once. */
static int packet_split(struct mysql_packet *pkt, size_t len)
{
    struct mysql_wire *wire = pkt->wire;
    size_t n_more = len / MYSQL_PACKET_PAYLOAD_MAX;
    const size_t stride = MYSQL_PACKET_PAYLOAD_MAX + MYSQL_PACKET_HEADER_LEN;
    int rc = buffer_reserve(wire->out, n_more * MYSQL_PACKET_HEADER_LEN);
    uint8_t *base;

    if (rc)
        return rc;
    base = wire->out->data + pkt->start;
    for (size_t i = n_more; i > 0; i--) {
        size_t from = i * (size_t)MYSQL_PACKET_PAYLOAD_MAX;
        size_t n = i == n_more ? len - from : MYSQL_PACKET_PAYLOAD_MAX;
        uint8_t *header = base + i * stride;

        memmove(header + MYSQL_PACKET_HEADER_LEN, base + MYSQL_PACKET_HEADER_LEN + from, n);
        packet_header(header, n, (uint8_t)(wire->seq + i));
    }
    packet_header(base, MYSQL_PACKET_PAYLOAD_MAX, wire->seq);
    wire->out->len += n_more * MYSQL_PACKET_HEADER_LEN;
    wire->seq = (uint8_t)(wire->seq + n_more + 1);
    return 0;
}

int mysql_packet_end(struct mysql_packet *pkt)
{
    struct buffer *out = pkt->wire->out;
    size_t len;

    if (!pkt->error) {
        ASSERT(out->len >= pkt->start + MYSQL_PACKET_HEADER_LEN);
        len = out->len - pkt->start - MYSQL_PACKET_HEADER_LEN;
        if (len < MYSQL_PACKET_PAYLOAD_MAX)
            packet_header(out->data + pkt->start, len, pkt->wire->seq++);
        else
            pkt->error = packet_split(pkt, len);
    }
    if (pkt->error)
        out->len = pkt->start;
    return pkt->error;
}
