/*
 * Cursors of prepared statements (COM_STMT_EXECUTE with CURSOR_TYPE_READ_ONLY, COM_STMT_FETCH). The statement makes its
 * rows as they are fetched and rests in between: it is then not the one at work, and others of the connection run. So a
 * cursor costs what its statement holds, however large the result is.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sql/conn.h"
#include "sql/slow_log.h"

enum {
    CURSORS_MAX = 16, /* of a connection */
    CURSORS_CORE_MAX =
        32, /* of a core: each may hold a window of a connection to a node (h2_session.h) */
};

enum cursor_state {
    CURSOR_OPENING, /* the statement is at work for COM_STMT_EXECUTE */
    CURSOR_RESTING,
    CURSOR_FETCHING, /* at work for COM_STMT_FETCH */
    CURSOR_CLOSING,  /* nobody fetches any more; goes with its statement */
};

/* One cursor. Owner: the connection; lives from the execution until it is closed and its statement has ended. */
struct conn_cursor {
    struct conn_cursor *next;
    struct conn *conn;
    uint32_t id; /* of the prepared statement */
    enum cursor_state state;
    struct statement *statement; /* NULL: has ended */
    struct result_sink sink;
    struct mysql_result result; /* between fetches */
    const struct value_type *types;
    uint64_t wanted;          /* rows, by the fetch at work */
    uint64_t worked_ns;       /* by the commands before: resting is the client's time */
    bool is_at_end;           /* the next fetch is the last */
    struct mysql_error error; /* for the next fetch; code 0: none */
};

static struct conn_cursor *cursor_of(struct result_sink *k)
{
    return (struct conn_cursor *)((char *)k - offsetof(struct conn_cursor, sink));
}

static struct conn_cursor *find(struct conn *c, uint32_t id)
{
    for (struct conn_cursor *k = c->cursors; k; k = k->next)
        if (k->id == id && k->state != CURSOR_CLOSING)
            return k;
    return NULL;
}

static void forget(struct conn_cursor *k)
{
    struct conn *c = k->conn;
    struct conn_cursor **p = &c->cursors;

    while (*p != k)
        p = &(*p)->next;
    *p = k->next;
    c->n_cursors--;
    c->gateway->n_cursors--;
    free(k);
}

/* The command is answered. */
static void rest(struct conn_cursor *k)
{
    struct conn *c = k->conn;

    k->state = CURSOR_RESTING;
    k->worked_ns += reactor_clock_ns(c->gateway->reactor) - c->statement_ns;
    c->statement = NULL;
    if (!c->starting) /* else the caller goes on */
        reactor_task(c->gateway->reactor, &c->task, TASK_IO);
}

/* ---- rows ---- */

static uint16_t warnings_of(const struct conn *c)
{
    uint32_t n = c->session.warning_count;

    return (uint16_t)(n > UINT16_MAX ? UINT16_MAX : n);
}

static int cursor_begin(struct result_sink *sink, const struct mysql_column *columns,
                        const struct value_type *types, uint32_t n)
{
    struct conn_cursor *k = cursor_of(sink);
    struct conn *c = k->conn;
    int rc;

    k->types = types;
    if (c->gone)
        return 0;
    rc = mysql_result_begin_cursor(&k->result, &c->mysql.wire, columns, n, warnings_of(c),
                                   conn_status(c) | MYSQL_STATUS_CURSOR_EXISTS);
    if (rc == 0)
        rest(k);
    return rc;
}

static bool cursor_row(struct result_sink *sink, const struct datum *cells)
{
    struct conn_cursor *k = cursor_of(sink);
    struct conn *c = k->conn;

    if (k->state != CURSOR_FETCHING || !c->sink.row(&c->sink, cells))
        return false;
    if (--k->wanted || c->gone)
        return true;
    k->result = c->result;
    mysql_result_end(&k->result, warnings_of(c), conn_status(c) | MYSQL_STATUS_CURSOR_EXISTS);
    rest(k);
    return true;
}

static void cursor_end(struct result_sink *sink, uint16_t warnings)
{
    struct conn_cursor *k = cursor_of(sink);
    struct conn *c = k->conn;

    if (k->state == CURSOR_FETCHING && !c->gone)
        mysql_result_end(&c->result, warnings, conn_status(c) | MYSQL_STATUS_LAST_ROW_SENT);
    k->is_at_end = true;
}

static void cursor_ok(struct result_sink *sink, uint64_t affected, uint64_t insert_id,
                      uint16_t warnings, const char *info)
{
    struct conn *c = cursor_of(sink)->conn;

    c->sink.ok(&c->sink, affected, insert_id, warnings, info);
}

static void cursor_error(struct result_sink *sink, const struct mysql_error *e)
{
    struct conn_cursor *k = cursor_of(sink);

    if (k->state == CURSOR_RESTING)
        k->error = *e;
    else if (k->state != CURSOR_CLOSING)
        k->conn->sink.error(&k->conn->sink, e);
    k->is_at_end = true;
}

static int cursor_ask_file(struct result_sink *sink, const char *name, size_t len)
{
    struct conn *c = cursor_of(sink)->conn;

    return c->sink.ask_file(&c->sink, name, len);
}

/* ---- statements ---- */

static void cursor_done(struct statement *s)
{
    struct conn_cursor *k = cursor_of(s->sink);
    struct conn *c = k->conn;

    k->statement = NULL;
    if (s == c->statement) {
        c->statement_ns -= k->worked_ns;
        forget(k);
        conn_statement_ended(s);
        return;
    }
    if (slow_log_note(s, k->worked_ns))
        c->gateway->stats.slow++;
    statement_fini(s);
    free(s);
    if (k->state != CURSOR_CLOSING)
        return;
    forget(k);
    if (c->gone && !c->closing_cursors)
        conn_leave(c);
}

static struct conn_cursor *cursor_new(struct conn *c, uint32_t id)
{
    struct conn_cursor *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->conn = c;
    k->id = id;
    k->sink = (struct result_sink){.begin = cursor_begin,
                                   .row = cursor_row,
                                   .end = cursor_end,
                                   .ok = cursor_ok,
                                   .error = cursor_error,
                                   .ask_file = cursor_ask_file};
    k->next = c->cursors;
    c->cursors = k;
    c->n_cursors++;
    c->gateway->n_cursors++;
    return k;
}

bool conn_has_cursor_room(const struct conn *c)
{
    return c->n_cursors < CURSORS_MAX && c->gateway->n_cursors < CURSORS_CORE_MAX;
}

/* The statement outlives the command, whose bytes they are. */
static bool keep_texts(struct statement *s, struct datum *values, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct datum value = values[i];
        if (!datum_copy(&values[i], &value, &s->kept)) {
            mysql_error_set_text(&s->error, 1041, "Out of memory");
            return false;
        }
    }
    return true;
}

void conn_cursor_open(struct conn *c, const struct conn_prepared *p, struct datum *values,
                      const struct value_type *types, uint32_t n)
{
    struct conn_cursor *k = cursor_new(c, p->id);
    struct statement *s = k ? conn_new_statement(c, cursor_done) : NULL;

    if (!k)
        conn_error(c, 1041, "Out of memory");
    else if (!s)
        forget(k);
    if (!s)
        return;
    c->gateway->stats.statements++;
    k->statement = s;
    s->sink = &k->sink;
    conn_parse_prepared(s, p);
    if (!s->error.code && !keep_texts(s, values, n))
        n = 0;
    c->starting = true;
    statement_start(s, values, types, n);
    c->starting = false;
}

/* A fetch that gets no rows. */
static void answer_end(struct conn *c, struct conn_cursor *k)
{
    struct mysql_result *r = &k->result;

    if (k->error.code)
        c->sink.error(&c->sink, &k->error);
    else
        mysql_result_end(r, warnings_of(c), conn_status(c) | MYSQL_STATUS_LAST_ROW_SENT);
}

void conn_cursor_fetch(struct conn *c, uint32_t id, uint32_t rows)
{
    struct conn_cursor *k = find(c, id);
    char text[MYSQL_ERROR_TEXT_MAX + 1];

    if (!k) {
        mysql_error_format(text, sizeof text, MYSQL_ER_STMT_HAS_NO_OPEN_CURSOR, (unsigned long)id);
        conn_error(c, MYSQL_ER_STMT_HAS_NO_OPEN_CURSOR, text);
    } else if (k->is_at_end) {
        answer_end(c, k);
        conn_cursor_close(c, id);
    } else if (rows == 0) {
        mysql_result_end(&k->result, warnings_of(c), conn_status(c) | MYSQL_STATUS_CURSOR_EXISTS);
    } else {
        k->state = CURSOR_FETCHING;
        k->wanted = rows;
        c->mode = MYSQL_BINARY;
        c->result = k->result;
        c->types = k->types;
        c->statement = k->statement;
        c->statement_ns = reactor_clock_ns(c->gateway->reactor);
        c->blocked = false;
        c->starting = true;
        statement_resume(k->statement);
        c->starting = false;
    }
}

static void close_cursor(struct conn_cursor *k)
{
    k->state = CURSOR_CLOSING;
    if (!k->statement) {
        forget(k);
        return;
    }
    k->statement->answered = true; /* nobody hears how it ends */
    statement_cancel(k->statement, 1317, "Query execution was interrupted");
}

void conn_cursor_close(struct conn *c, uint32_t id)
{
    struct conn_cursor *next;

    c->closing_cursors = true;
    for (struct conn_cursor *k = c->cursors; k; k = next) {
        next = k->next;
        if ((!id || k->id == id) && k->state == CURSOR_RESTING)
            close_cursor(k);
    }
    c->closing_cursors = false;
}
