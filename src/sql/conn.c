#include "sql/conn.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/log.h"
#include "sql/slow_log.h"
#include "sql/sysvar.h"

enum {
    STATEMENTS_PER_TURN = 64, /* of one text, before the loop has its turn */
    OUT_LIMIT = 80 << 20,     /* bytes: one row of the largest kind fits */
    PENDING_LIMIT = 1 << 20,  /* bytes read ahead of the command at work */
    UNREAD_LIMIT = 1 << 20,   /* bytes of answers the client did not read: further commands wait */
};

void conn_error(struct conn *c, unsigned code, const char *text)
{
    c->gateway->stats.errors++;
    mysql_err(&c->mysql.wire, (uint16_t)code, NULL, text);
}

/* ---- statements ---- */

void conn_leave(struct conn *c)
{
    if (!c->statement && !c->cursors && !c->task.queued && !c->login)
        gateway_conn_gone(c->gateway, c);
}

void conn_statement_ended(struct statement *s)
{
    struct conn *c = s->ctx;

    if (slow_log_note(s, reactor_clock_ns(c->gateway->reactor) - c->statement_ns))
        c->gateway->stats.slow++;
    c->statement = NULL;
    c->blocked = false; /* it may have been ended while it waited for its client */
    statement_fini(s);
    free(s);
    if (c->gone) {
        conn_leave(c);
        return;
    }
    if (!c->starting) /* else the caller goes on */
        conn_continue(c);
}

struct statement *conn_new_statement(struct conn *c, void (*done)(struct statement *s))
{
    struct statement *s = malloc(sizeof *s);

    if (!s) {
        conn_error(c, 1041, "Out of memory");
        return NULL;
    }
    statement_init(s, &c->gateway->env, &c->session, &c->sink);
    s->done = done;
    s->ctx = c;
    c->statement = s;
    c->statement_ns = reactor_clock_ns(c->gateway->reactor);
    c->blocked = false;
    c->more = false;
    return s;
}

static void refuse_second(struct statement *s, const char *rest, size_t len)
{
    const char *copy = arena_strndup(&s->arena, rest, len);

    statement_fail(s, MYSQL_ER_PARSE_ERROR,
                   "You have an error in your SQL syntax; only one statement is allowed",
                   copy ? copy : "", 1);
}

void conn_describe(struct conn *c, const char *text, size_t len, bool newest,
                   void (*done)(struct statement *s))
{
    struct statement *s = conn_new_statement(c, done);
    size_t consumed;

    if (!s)
        return;
    s->asks_newest = newest;
    if (statement_parse(s, text, len, &consumed) == 0 && consumed < len)
        refuse_second(s, text + consumed, len - consumed);
    c->starting = true;
    statement_describe(s);
    c->starting = false;
}

void conn_run_text(struct conn *c, const char *text, size_t len, const struct datum *params,
                   const struct value_type *types, uint32_t n)
{
    size_t consumed;
    bool multi = (c->mysql.wire.capabilities & MYSQL_CAP_MULTI_STATEMENTS) && !c->multi_off &&
                 c->mode == MYSQL_TEXT;

    c->gateway->stats.statements++;
    struct statement *s = conn_new_statement(c, conn_statement_ended);
    if (!s)
        return;
    if (statement_parse(s, text, len, &consumed) == 0 && consumed < len) {
        if (multi)
            c->more = true;
        else if (c->mode == MYSQL_TEXT)
            refuse_second(s, text + consumed, len - consumed);
    }
    c->text_at += consumed;
    c->starting = true;
    statement_start(s, params, types, n);
    c->starting = false;
}

void conn_run_prepared(struct conn *c, const struct conn_prepared *p, const struct datum *params,
                       const struct value_type *types, uint32_t n)
{
    struct statement *s = conn_new_statement(c, conn_statement_ended);

    c->gateway->stats.statements++;
    if (!s)
        return;
    conn_parse_prepared(s, p);
    c->starting = true;
    statement_start(s, params, types, n);
    c->starting = false;
}

/* The next statement of the text at work; false when there is none. */
static bool next_statement(struct conn *c)
{
    if (!c->more || !c->text) {
        free(c->text);
        c->text = NULL;
        c->more = false;
        return false;
    }
    conn_run_text(c, c->text + c->text_at, c->text_len - c->text_at, NULL, NULL, 0);
    return true;
}

/* Statements that end at once are run in a loop, so many per turn; true when something goes on
 * later. */
static bool run_rest(struct conn *c)
{
    for (unsigned n = 0; !c->statement; n++) {
        if (n == STATEMENTS_PER_TURN) {
            reactor_task(c->gateway->reactor, &c->task, TASK_BULK);
            return true;
        }
        if (!next_statement(c))
            return false;
    }
    return true;
}

static void run_task(struct task *t)
{
    struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, task));

    if (c->gone)
        conn_leave(c);
    else
        conn_continue(c);
}

static void run_query(struct conn *c, struct mysql_text text)
{
    free(c->text);
    c->text = malloc(text.len + 1);
    if (!c->text) {
        conn_error(c, 1041, "Out of memory");
        return;
    }
    memcpy(c->text, text.data, text.len);
    c->text_len = text.len;
    c->text_at = 0;
    c->mode = MYSQL_TEXT;
    mysql_session_release_input(&c->mysql);
    conn_run_text(c, c->text, c->text_len, NULL, NULL, 0);
    run_rest(c);
}

/* ---- other commands ---- */

static void init_db(struct conn *c, struct mysql_text name)
{
    char text[128];

    if (!conn_is_database(name.data, name.len)) {
        conn_unknown_database(text, sizeof text, name);
        conn_error(c, 1049, text);
    } else if (gateway_session_set_text(&c->session.database, name.data, name.len) != 0) {
        conn_error(c, 1041, "Out of memory");
    } else {
        c->session.changes |= SESSION_CHANGED_DATABASE;
        conn_ok(c, 0, 0, 0, NULL);
    }
}

static void statistics(struct conn *c)
{
    struct gateway_stats s;
    char text[256];

    gateway_stats(c->gateway, &s);
    snprintf(text, sizeof text, "Uptime: %llu  Threads: %llu  Questions: %llu  Slow queries: 0",
             (unsigned long long)s.uptime_s, (unsigned long long)s.open_connections,
             (unsigned long long)s.statements);
    mysql_text(&c->mysql.wire, text);
}

/* A command that is a statement, too. */
static void run_command(struct conn *c, const char *text)
{
    c->mode = MYSQL_TEXT;
    conn_run_text(c, text, strlen(text), NULL, NULL, 0);
}

static void kill_command(struct conn *c, uint32_t id)
{
    char text[32];

    snprintf(text, sizeof text, "KILL %u", id);
    run_command(c, text);
}

/* Bytes of a file for the statement at work. */
static void local_data(struct conn *c, struct mysql_text bytes)
{
    c->local_open = bytes.len > 0;
    conn_command_begins(c);
    if (!c->statement)
        return;
    load_take(c->statement, bytes.data, bytes.len);
    statement_resume(c->statement);
}

static bool wants_bytes(const struct conn *c)
{
    return c->mysql.state == MYSQL_SESSION_LOCAL;
}

static void handle(struct conn *c, const struct mysql_event *ev)
{
    static const char *const commands[] = {[MYSQL_EVENT_QUERY] = "Query",
                                           [MYSQL_EVENT_STMT_EXECUTE] = "Execute",
                                           [MYSQL_EVENT_STMT_FETCH] = "Fetch",
                                           [MYSQL_EVENT_STMT_PREPARE] = "Prepare",
                                           [MYSQL_EVENT_PROCESS_INFO] = "Processlist",
                                           [MYSQL_EVENT_FIELD_LIST] = "Field List"};

    if (ev->kind == MYSQL_EVENT_LOCAL_DATA) { /* of the command at work */
        local_data(c, ev->u.text);
        return;
    }
    c->command = (size_t)ev->kind < sizeof commands / sizeof *commands ? commands[ev->kind] : NULL;
    c->started_ns = reactor_now_ns(c->gateway->reactor);
    c->more = false;
    conn_command_begins(c);
    switch (ev->kind) {
    case MYSQL_EVENT_AUTH:
    case MYSQL_EVENT_CHANGE_USER:
        if (ev->kind == MYSQL_EVENT_CHANGE_USER) {
            conn_forget_prepared(c, 0);
            gateway_session_reset(&c->session);
            c->has_waited = false;
        }
        conn_authenticate(c, &ev->u.auth);
        break;
    case MYSQL_EVENT_QUIT:
    case MYSQL_EVENT_PROTOCOL_ERROR:
        c->closing = true;
        break;
    case MYSQL_EVENT_QUERY:
        run_query(c, ev->u.text);
        break;
    case MYSQL_EVENT_INIT_DB:
        init_db(c, ev->u.text);
        break;
    case MYSQL_EVENT_PING:
        mysql_ok(&c->mysql.wire, 0, 0, conn_status(c), 0, NULL);
        break;
    case MYSQL_EVENT_FIELD_LIST:
        conn_field_list(c, ev->u.field_list.table);
        break;
    case MYSQL_EVENT_STATISTICS:
        statistics(c);
        break;
    case MYSQL_EVENT_SET_OPTION:
        c->multi_off = !ev->u.set_option.multi_statements;
        if (!c->multi_off)
            c->mysql.wire.capabilities |= MYSQL_CAP_MULTI_STATEMENTS;
        mysql_eof(&c->mysql.wire, conn_status(c), 0);
        break;
    case MYSQL_EVENT_RESET_CONNECTION:
        conn_forget_prepared(c, 0);
        gateway_session_reset(&c->session);
        mysql_ok(&c->mysql.wire, 0, 0, conn_status(c), 0, NULL);
        break;
    case MYSQL_EVENT_PROCESS_KILL:
        kill_command(c, ev->u.process_kill.connection_id);
        break;
    case MYSQL_EVENT_PROCESS_INFO:
        run_command(c, "SHOW PROCESSLIST");
        break;
    case MYSQL_EVENT_STMT_PREPARE:
        conn_prepare(c, ev->u.text);
        break;
    case MYSQL_EVENT_STMT_EXECUTE:
        conn_execute(c, ev);
        break;
    case MYSQL_EVENT_STMT_FETCH:
        conn_cursor_fetch(c, ev->u.fetch.id, ev->u.fetch.rows);
        break;
    case MYSQL_EVENT_STMT_RESET:
        conn_cursor_close(c, ev->u.stmt.id);
        mysql_ok(&c->mysql.wire, 0, 0, conn_status(c), 0, NULL);
        break;
    case MYSQL_EVENT_STMT_CLOSE:
        conn_forget_prepared(c, ev->u.stmt.id);
        break;
    case MYSQL_EVENT_UNKNOWN:
        conn_error(c, 1047, "Unknown command");
        break;
    case MYSQL_EVENT_SSL_REQUEST: /* the loop's */
    case MYSQL_EVENT_STMT_LONG_DATA:
    case MYSQL_EVENT_LOCAL_DATA:
    case MYSQL_EVENT_NONE:
        break;
    }
}

/* ---- bytes ---- */

/* Keeps bytes for later; the socket is not read while there are many. */
static void keep(struct conn *c, const uint8_t *p, size_t n)
{
    if (buffer_append(&c->pending, p, n) != 0) {
        log_warn("mysql: connection %u sent too much ahead of its answers", c->session.id);
        stream_abort(c->stream);
        return;
    }
    stream_pause(c->stream);
}

void conn_feed(struct conn *c, const uint8_t *p, size_t *n)
{
    const struct conn_compress *before = c->compress;
    struct mysql_event ev;

    while (!c->closing && !c->wants_tls && c->compress == before) {
        c->choked = conn_unsent(c) > UNREAD_LIMIT;
        if (c->choked) /* on_drain goes on */
            break;
        size_t taken = *n ? mysql_session_feed(&c->mysql, p, *n) : 0;
        p += taken;
        *n -= taken;
        if (mysql_session_next(&c->mysql, &ev) == MYSQL_EVENT_NONE) {
            if (taken == 0 || *n == 0)
                break;
            continue;
        }
        if (ev.kind == MYSQL_EVENT_SSL_REQUEST)
            c->wants_tls = true;
        else
            handle(c, &ev);
    }
}

static void conn_input(struct conn *c, const uint8_t *p, size_t n)
{
    const struct conn_compress *before = c->compress;

    if (c->busy_loop) {
        keep(c, p, n);
        return;
    }
    c->busy_loop = true;
    conn_take(c, &p, &n);
    if (c->compress != before) /* what follows the login is compressed */
        conn_take(c, &p, &n);
    c->busy_loop = false;
    if (c->wants_tls) {
        c->wants_tls = false;
        conn_start_tls(c, p, n); /* the rest is not for the session */
        return;
    }
    if (n && !c->closing)
        keep(c, p, n);
    conn_flush(c);
    conn_timer_check(c);
    if (c->closing || (mysql_session_is_closed(&c->mysql) && !c->statement && !c->task.queued))
        stream_close(c->stream);
}

/* After an answer: the next statement of the text, or the bytes that waited. */
void conn_continue(struct conn *c)
{
    if (run_rest(c))
        return;
    conn_flush(c);
    if (c->busy_loop) /* the loop goes on itself */
        return;
    conn_pump(c);
}

void conn_pump(struct conn *c)
{
    if (c->pending.len) {
        struct buffer b = c->pending;
        buffer_init(&c->pending, PENDING_LIMIT);
        conn_input(c, b.data, b.len);
        buffer_fini(&b);
    } else {
        conn_input(c, NULL, 0);
    }
    if (!c->gone && !c->pending.len && (!c->statement || wants_bytes(c)) && !c->choked &&
        !c->closing)
        stream_resume(c->stream);
}

static void on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    struct conn *c = stream_ctx(s);

    if (c->pending.len || (c->statement && !wants_bytes(c)) || c->task.queued || c->choked)
        keep(c, bytes, n);
    else
        conn_input(c, bytes, n);
}

static void on_drain(struct stream *s)
{
    struct conn *c = stream_ctx(s);

    if (c->choked && !c->statement && !c->task.queued)
        conn_continue(c);
    if (!c->blocked || !c->statement)
        return;
    c->blocked = false;
    statement_resume(c->statement);
    if (!c->gone)
        conn_flush(c);
}

static void on_closed(struct stream *s, int err)
{
    struct conn *c = stream_ctx(s);

    (void)err;
    c->gone = true;
    c->stream = NULL;
    c->session.tls = NULL; /* the stream's */
    conn_timer_stop(c);
    conn_login_cancel(c);
    conn_cursor_close(c, 0);
    if (c->statement)
        statement_cancel(c->statement, 1317,
                         "Query execution was interrupted: the connection is gone");
    else
        conn_leave(c);
}

static const struct stream_handler handler = {.on_data = on_data,
                                              .on_drain = on_drain,
                                              .on_closed = on_closed};

int conn_accept(struct gateway *g, int fd, bool refuse)
{
    struct conn *c = calloc(1, sizeof *c);
    int rc;

    if (!c) {
        close(fd);
        return -ENOMEM;
    }
    c->gateway = g;
    gateway_session_init(&c->session, gateway_new_id(g));
    sysvar_default_sql_mode(&c->session, g->config.sql_mode);
    buffer_init(&c->pending, PENDING_LIMIT);
    conn_sink_init(c);
    c->task.run = run_task;
    rc = stream_new(g->reactor, fd, OUT_LIMIT, &handler, c, &c->stream);
    if (rc != 0) {
        gateway_session_fini(&c->session);
        free(c);
        return rc;
    }
    const char *peer = stream_peer(c->stream);
    gateway_session_set_text(&c->session.host, peer, strlen(peer));
    conn_session_init(c);
    conn_timer_init(c);
    c->next = g->conns;
    if (g->conns)
        g->conns->prev = c;
    g->conns = c;
    g->n_conns++;
    c->is_refused = refuse;
    if (refuse) {
        g->stats.refused++;
        mysql_session_refuse(&c->mysql, 1040, "Too many connections");
        c->closing = true;
        stream_close(c->stream);
        return 0;
    }
    g->stats.connections++;
    mysql_session_greet(&c->mysql);
    stream_flush(c->stream);
    return 0;
}

void conn_kill(struct conn *c, bool only_statement)
{
    if (c->statement)
        statement_cancel(c->statement, 1317, "Query execution was interrupted");
    if (!only_statement && !c->gone)
        stream_close(c->stream);
}

void conn_close(struct conn *c)
{
    if (!c->gone)
        stream_abort(c->stream);
}
