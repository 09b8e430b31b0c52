/* Prepared statements: the text is kept and bound anew with the parameters' values at each
 * execution. */
#include <stdlib.h>
#include <string.h>

#include "sql/conn.h"
#include "sql/decimal.h"
#include "sql/parsed.h"
#include "sql/value_temporal.h"

void conn_forget_prepared(struct conn *c, uint32_t id)
{
    conn_cursor_close(c, id);
    for (struct conn_prepared **p = &c->prepared; *p;) {
        struct conn_prepared *x = *p;
        if (id && x->id != id) {
            p = &x->next;
            continue;
        }
        *p = x->next;
        parsed_put(x->parsed);
        free(x);
    }
}

/* Its columns are known, or an error was answered. */
static void prepared(struct statement *s)
{
    struct conn *c = s->ctx;
    struct conn_prepared *p = c->preparing;

    c->preparing = NULL;
    if (!s->error.code && !c->gone && s->ast->param_count > MYSQL_PARAMS_MAX) {
        conn_error(c, 1390, "Prepared statement contains too many placeholders");
    } else if (!s->error.code && !c->gone) {
        p->n_params = s->ast->param_count;
        int rc = mysql_session_prepared(&c->mysql, (uint16_t)p->n_params, s->columns,
                                        (uint16_t)s->n_columns, &p->id);
        if (rc == 0) {
            p->parsed = parsed_new(p->text, p->len, c->session.parse_flags,
                                   reactor_budget(c->gateway->reactor));
            p->next = c->prepared;
            c->prepared = p;
            p = NULL;
        } else {
            conn_error(c, rc == -24 ? 1461 : 1041,
                       rc == -24 ? "Can't create more prepared statements" : "Out of memory");
        }
    }
    free(p);
    conn_statement_ended(s);
}

void conn_prepare(struct conn *c, struct mysql_text text)
{
    struct conn_prepared *p = malloc(sizeof *p + text.len + 1);

    if (!p) {
        conn_error(c, 1041, "Out of memory");
        return;
    }
    p->parsed = NULL;
    memcpy(p->text, text.data, text.len);
    p->len = text.len;
    c->preparing = p;
    conn_describe(c, p->text, p->len, false, prepared);
    if (!c->statement && c->preparing) { /* no memory for a statement */
        free(p);
        c->preparing = NULL;
    }
}

static void listed(struct statement *s)
{
    struct conn *c = s->ctx;

    if (!s->error.code && !c->gone)
        mysql_field_list(&c->mysql.wire, s->columns, s->n_columns, conn_status(c));
    conn_statement_ended(s);
}

/* The columns of a table are those of a query for all of it. */
void conn_field_list(struct conn *c, struct mysql_text table)
{
    static const char query[] = "SELECT * FROM " SESSION_DATABASE ".`";
    char *text = malloc(sizeof query + 2 * table.len + 1);
    size_t n = sizeof query - 1;

    if (!text) {
        conn_error(c, 1041, "Out of memory");
        return;
    }
    memcpy(text, query, n);
    for (size_t i = 0; i < table.len; i++) {
        if (table.data[i] == '`')
            text[n++] = '`';
        text[n++] = table.data[i];
    }
    text[n++] = '`';
    conn_describe(c, text, n, true, listed);
    free(text);
}

/* The value and type of a bound parameter; bytes are borrowed from the command. */
static void read_param(const struct mysql_param *p, struct datum *d, struct value_type *t)
{
    __int128 v;
    unsigned scale;
    size_t used;

    memset(t, 0, sizeof *t);
    switch (p->kind) {
    case MYSQL_PARAM_INT:
        datum_set_int(d, p->v.i);
        *t = value_type_int(decimal_digits(p->v.i));
        return;
    case MYSQL_PARAM_UINT:
        if (p->v.u <= INT64_MAX) {
            datum_set_int(d, (int64_t)p->v.u);
            *t = value_type_int(decimal_digits((__int128)p->v.u));
        } else {
            datum_set_uint(d, p->v.u);
            *t = value_type_uint(20);
        }
        return;
    case MYSQL_PARAM_DOUBLE:
        datum_set_double(d, p->v.d);
        *t = value_type_double();
        return;
    case MYSQL_PARAM_BYTES:
        if ((p->type == MYSQL_TYPE_NEWDECIMAL || p->type == MYSQL_TYPE_DECIMAL) &&
            decimal_parse(p->v.bytes.data, p->v.bytes.len, &v, &scale, &used)) {
            datum_set_decimal(d, v, scale);
            *t = value_type_decimal(decimal_digits(v), scale);
            return;
        }
        datum_set_string(d, p->v.bytes.data, p->v.bytes.len);
        *t = value_type_string((uint32_t)p->v.bytes.len);
        return;
    case MYSQL_PARAM_DATETIME: {
        const struct mysql_time *m = &p->v.time;
        struct temporal_parts parts = {m->year,   m->month,  m->day,   m->hour,
                                       m->minute, m->second, m->micros};
        int64_t us;
        if (!temporal_from_parts(&parts, &us))
            break;
        bool date = p->type == MYSQL_TYPE_DATE;
        datum_set_temporal(d, date ? DATUM_DATE : DATUM_DATETIME,
                           date ? temporal_us_to_days(us) : us);
        *t = value_type_temporal(d->kind, m->micros ? 6 : 0);
        return;
    }
    case MYSQL_PARAM_TIME: {
        const struct mysql_time *m = &p->v.time;
        int64_t us = ((int64_t)m->hour * 3600 + m->minute * 60 + m->second) * 1000000 + m->micros;
        datum_set_temporal(d, DATUM_TIME, m->negative ? -us : us);
        *t = value_type_temporal(DATUM_TIME, m->micros ? 6 : 0);
        return;
    }
    case MYSQL_PARAM_NULL:
        break;
    }
    datum_set_null(d);
}

void conn_parse_prepared(struct statement *s, const struct conn_prepared *p)
{
    size_t consumed;

    if (p->parsed && p->parsed->flags == s->session->parse_flags)
        statement_take_parsed(s, p->parsed);
    else
        statement_parse(s, p->text, p->len, &consumed);
}

void conn_execute(struct conn *c, const struct mysql_event *ev)
{
    const struct conn_prepared *p = c->prepared;
    uint32_t n = ev->u.execute.n_params;

    while (p && p->id != ev->u.execute.id)
        p = p->next;
    if (!p) {
        conn_error(c, 1243, "Unknown prepared statement handler given to EXECUTE");
        return;
    }
    struct datum *values = calloc(n + 1, sizeof *values);
    struct value_type *types = calloc(n + 1, sizeof *types);
    if (!values || !types) {
        conn_error(c, 1041, "Out of memory");
    } else {
        for (uint32_t i = 0; i < n; i++)
            read_param(&ev->u.execute.params[i], &values[i], &types[i]);
        c->mode = MYSQL_BINARY;
        conn_cursor_close(c, p->id);
        if ((ev->u.execute.cursor & MYSQL_CURSOR_READ_ONLY) && conn_has_cursor_room(c))
            conn_cursor_open(c, p, values, types, n);
        else
            conn_run_prepared(c, p, values, types, n);
    }
    free(values);
    free(types);
}
