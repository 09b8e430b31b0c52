/* Between the stream and the session: as it is, or the compressed protocol. */
#include <stdlib.h>

#include "reactor/log.h"
#include "sql/conn.h"
#include "sql/mysql_compress.h"

enum { PLAIN_STEP = 16 << 10 /* bytes unpacked at a time */ };

/* Owner: the connection, from the login on. */
struct conn_compress {
    struct mysql_unpacker in;
    int level;
    uint8_t seq;         /* of our next packet */
    struct buffer out;   /* the session writes here */
    struct buffer plain; /* unpacked, not taken by the session yet */
};

int conn_compress_start(struct conn *c)
{
    uint32_t caps = c->mysql.wire.capabilities;
    enum mysql_compress_kind kind = caps & MYSQL_CAP_COMPRESS ? MYSQL_COMPRESS_ZLIB
                                    : caps & MYSQL_CAP_ZSTD   ? MYSQL_COMPRESS_ZSTD
                                                              : MYSQL_COMPRESS_NONE;
    struct conn_compress *x;

    if (kind == MYSQL_COMPRESS_NONE || c->compress)
        return 0;
    x = calloc(1, sizeof *x);
    if (!x)
        return -1;
    mysql_unpacker_init(&x->in, kind);
    x->level = c->mysql.zstd_level;
    buffer_init(&x->out, stream_out(c->stream)->limit);
    buffer_init(&x->plain, PLAIN_STEP);
    c->compress = x;
    mysql_session_set_out(&c->mysql, &x->out);
    return 0;
}

void conn_compress_free(struct conn *c)
{
    struct conn_compress *x = c->compress;

    if (!x)
        return;
    mysql_unpacker_fini(&x->in);
    buffer_fini(&x->out);
    buffer_fini(&x->plain);
    free(x);
    c->compress = NULL;
}

size_t conn_unsent(const struct conn *c)
{
    return stream_unsent(c->stream) + (c->compress ? c->compress->out.len : 0);
}

void conn_flush(struct conn *c)
{
    struct conn_compress *x = c->compress;

    if (x && x->out.len) {
        int rc = mysql_pack(&c->gateway->packer, x->in.kind, x->level, &x->seq, x->out.data,
                            x->out.len, stream_out(c->stream));
        buffer_reset(&x->out, PLAIN_STEP);
        if (rc != 0) {
            log_warn("mysql: connection %u: no memory for its answer", c->session.id);
            stream_abort(c->stream);
            return;
        }
    }
    stream_flush(c->stream);
}

void conn_command_begins(struct conn *c)
{
    if (c->compress)
        c->compress->seq = (uint8_t)(c->compress->in.seq + 1);
}

/* Unpacks some of p[n] when the session took what was unpacked before; false when nothing came of it. */
static bool unpack(struct conn *c, const uint8_t **p, size_t *n)
{
    struct conn_compress *x = c->compress;
    size_t taken, made;
    int rc = buffer_reserve(&x->plain, PLAIN_STEP - x->plain.len);

    if (rc == 0)
        rc = mysql_unpack(&x->in, *p, *n, &taken, x->plain.data, PLAIN_STEP, &made);
    if (rc != 0) {
        log_debug("mysql: connection %u: bad compressed packet", c->session.id);
        *n = 0;
        stream_abort(c->stream);
        return false;
    }
    *p += taken;
    *n -= taken;
    x->plain.len = made;
    return taken || made;
}

void conn_take(struct conn *c, const uint8_t **p, size_t *n)
{
    struct conn_compress *x = c->compress;
    size_t left = *n;

    if (!x) {
        conn_feed(c, *p, &left);
        *p += *n - left;
        *n = left;
        return;
    }
    do {
        left = x->plain.len;
        conn_feed(c, x->plain.data, &left);
        buffer_consume(&x->plain, x->plain.len - left);
        if (left || c->closing)
            return;
    } while (unpack(c, p, n));
    buffer_reset(&x->plain, 0);
}
