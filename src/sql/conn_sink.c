/* Results as packets. The statement stops pulling when the client does not read. */
#include <errno.h>
#include <stddef.h>

#include "sql/conn.h"
#include "sql/decimal.h"
#include "sql/value_convert.h"

enum { UNSENT_HIGH = 256 << 10 };

static struct conn *conn_of(struct result_sink *k)
{
    return (struct conn *)((char *)k - offsetof(struct conn, sink));
}

uint16_t conn_status(const struct conn *c)
{
    return (uint16_t)((c->session.autocommit ? MYSQL_STATUS_AUTOCOMMIT : 0) |
                      (c->session.in_transaction ? MYSQL_STATUS_IN_TRANS : 0) |
                      (c->more ? MYSQL_STATUS_MORE_RESULTS : 0));
}

static int sink_begin(struct result_sink *k, const struct mysql_column *columns,
                      const struct value_type *types, uint32_t n)
{
    struct conn *c = conn_of(k);

    c->types = types;
    if (c->gone)
        return 0;
    return mysql_result_begin(&c->result, &c->mysql.wire, columns, n, c->mode, conn_status(c));
}

static void put_text(struct mysql_result *r, const struct datum *d, const struct value_type *t)
{
    char buf[DATUM_TEXT];
    size_t len;
    const char *s = datum_to_text(d, t, buf, &len);

    mysql_row_string(r, s, len);
}

static void put_decimal(struct mysql_result *r, const struct datum *d, const struct value_type *t)
{
    __int128 v;
    unsigned scale;

    if (datum_to_decimal(d, &v, &scale) && decimal_rescale(v, scale, t->scale, &v))
        mysql_row_decimal128(r, v, t->scale);
    else
        put_text(r, d, NULL);
}

/* A value is written as its column's type says; the kinds differ only in a few conversions. */
static void put_cell(struct mysql_result *r, const struct datum *d, const struct value_type *t)
{
    int64_t v;

    if (d->kind == DATUM_NULL) {
        mysql_row_null(r);
        return;
    }
    switch (t->kind) {
    case DATUM_INT:
    case DATUM_UINT:
        if (d->kind == DATUM_UINT) {
            mysql_row_uint64(r, d->u);
        } else {
            datum_to_int(d, &v);
            mysql_row_int64(r, v);
        }
        return;
    case DATUM_DECIMAL:
        put_decimal(r, d, t);
        return;
    case DATUM_DOUBLE:
        mysql_row_double(r, datum_to_double(d) + 0.0); /* no minus before zero */
        return;
    case DATUM_DATE:
        if (datum_to_date(d, &v))
            mysql_row_date(r, v);
        else
            mysql_row_null(r);
        return;
    case DATUM_DATETIME:
        if (datum_to_datetime(d, &v))
            mysql_row_datetime(r, v);
        else
            mysql_row_null(r);
        return;
    case DATUM_TIME:
        if (datum_to_time(d, &v))
            mysql_row_time(r, v);
        else
            mysql_row_null(r);
        return;
    default:
        put_text(r, d, t);
    }
}

static bool sink_row(struct result_sink *k, const struct datum *cells)
{
    struct conn *c = conn_of(k);

    if (c->gone)
        return true;
    if (conn_unsent(c) > UNSENT_HIGH) {
        conn_flush(c);
        if (conn_unsent(c) > UNSENT_HIGH) {
            c->blocked = true; /* on_drain goes on */
            conn_timer_check(c);
            return false;
        }
    }
    mysql_row_begin(&c->result);
    for (uint32_t i = 0; i < c->result.n_columns; i++)
        put_cell(&c->result, &cells[i], &c->types[i]);
    int rc = mysql_row_end(&c->result);
    c->gateway->stats.rows_sent++;
    if (rc != 0 && c->statement) { /* a single row larger than the output may be */
        mysql_error_set_text(&c->statement->error, 1105, "A row is too large to be sent");
        return false;
    }
    if (mysql_wire_is_full(&c->mysql.wire))
        conn_flush(c);
    return true;
}

static void sink_end(struct result_sink *k, uint16_t warnings)
{
    struct conn *c = conn_of(k);

    if (!c->gone)
        mysql_result_end(&c->result, warnings, conn_status(c));
}

static void sink_ok(struct result_sink *k, uint64_t affected, uint64_t insert_id, uint16_t warnings,
                    const char *info)
{
    struct conn *c = conn_of(k);

    if (!c->gone)
        conn_ok(c, affected, insert_id, warnings, info);
}

static void sink_error(struct result_sink *k, const struct mysql_error *e)
{
    struct conn *c = conn_of(k);

    c->gateway->stats.errors++;
    c->more = false;
    if (c->gone)
        return;
    mysql_row_cancel(&c->result);
    mysql_err(&c->mysql.wire, e->code, e->sqlstate, e->text);
    if (c->local_open) { /* killed: the client is not listening, and what it sends is no command */
        conn_flush(c);
        stream_close(c->stream);
    }
}

static int sink_ask_file(struct result_sink *k, const char *name, size_t len)
{
    struct conn *c = conn_of(k);
    int rc =
        c->gone || c->mode != MYSQL_TEXT ? -EPERM : mysql_session_ask_file(&c->mysql, name, len);

    if (rc == 0) {
        c->local_open = true;
        conn_flush(c);
    }
    return rc;
}

static void sink_ask_bytes(struct result_sink *k)
{
    struct conn *c = conn_of(k);

    if (c->gone)
        return;
    mysql_session_ask_bytes(&c->mysql);
    if (!c->busy_loop)
        conn_pump(c);
}

void conn_sink_init(struct conn *c)
{
    c->sink = (struct result_sink){.begin = sink_begin,
                                   .row = sink_row,
                                   .end = sink_end,
                                   .ok = sink_ok,
                                   .error = sink_error,
                                   .ask_file = sink_ask_file,
                                   .ask_bytes = sink_ask_bytes};
}
