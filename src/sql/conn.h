#pragma once
/*
 * One client connection. Owner: the core that accepted it. Idle it holds this struct, the stream
 * and the protocol session, and no statement.
 */
#include "reactor/stream.h"
#include "sql/auth.h"
#include "sql/gateway.h"
#include "sql/gateway_statement.h"
#include "sql/mysql_compress.h"
#include "sql/mysql_session.h"
#include "storage/spill_file.h"

struct conn;
struct conn_cursor;

/* A prepared statement: its text, parsed again at each execution. */
struct conn_prepared {
    struct conn_prepared *next;
    uint32_t id;
    uint32_t n_params;
    struct parsed *parsed; /* or NULL: the text is parsed at each execution */
    size_t len;
    char text[];
};

struct conn {
    struct gateway *gateway;
    struct conn *prev, *next; /* of the gateway */
    struct stream *stream;
    struct mysql_session mysql;
    struct gateway_session session;
    struct buffer pending; /* bytes that came while an answer was owed */
    struct conn_prepared *prepared;
    struct conn_prepared *preparing; /* its columns are being looked up */
    struct conn_cursor *cursors;     /* conn_cursor.c */
    unsigned n_cursors;
    bool closing_cursors;           /* within conn_cursor_close */
    struct conn_compress *compress; /* NULL: bytes are as the session's */
    bool closing, gone, busy_loop, starting, wants_tls;
    bool is_refused;          /* too many: it takes no place */
    struct conn_login *login; /* being decided: whether the client may come in */
    bool has_waited;          /* the login, for others that failed (login_throttle.h) */
    struct task task;         /* goes on with the statements of a long text */

    /* The command at work. */
    struct statement *statement;
    char *text; /* of a COM_QUERY with more statements to come; malloc'ed */
    size_t text_len, text_at;
    bool more;      /* another statement follows in the text */
    bool multi_off; /* COM_SET_OPTION */
    enum mysql_row_mode mode;
    struct result_sink sink;
    struct mysql_result result;
    const struct value_type *types;
    bool blocked;    /* the sink refused a row */
    bool choked;     /* too many answers are unread */
    bool local_open; /* the client owes the rest of a file */
    uint64_t started_ns;
    uint64_t statement_ns; /* when the statement at work came, of a text of several, too */
    uint64_t active_ns;    /* when something last came, or a statement ended */
    size_t unsent_before;  /* when the timer was set: what of it went since */
    struct timer timer;    /* conn_timeout.c */
    const char *command;
};

/* Takes the socket. 0 or -errno; then the socket is closed. */
int conn_accept(struct gateway *g, int fd, bool refuse);
/* KILL: ends the statement, or the connection. */
void conn_kill(struct conn *c, bool only_statement);
void conn_close(struct conn *c);

/* ---- between the files ---- */

struct gateway {
    struct reactor *reactor;
    struct gateway_env env;
    struct gateway_config config;
    struct spill_space spill;
    struct listener *listener;
    struct conn *conns;
    struct gateway_query *queries; /* without a connection: gateway_query.h */
    uint32_t n_conns, next_id;
    unsigned n_cursors;
    uint64_t secured; /* times the users changed */
    struct gateway_stats stats;
    struct auth auth;
    struct mysql_packer packer;
    struct tls_context *tls; /* NULL: not offered */
    uint64_t started_ns;
    bool stopping;
    void (*stopped)(struct reactor *r, void *ctx);
    void *stopped_ctx;
};

/* conn_login.c */
void conn_session_init(struct conn *c);
void conn_authenticate(struct conn *c, const struct mysql_event_auth *ev);
/* The connection is gone: a login that only waits does not. */
void conn_login_cancel(struct conn *c);
/* From here on TLS: rest[n] of the current bytes belong to it already. */
void conn_start_tls(struct conn *c, const uint8_t *rest, size_t n);
bool conn_is_database(const char *name, size_t len);
void conn_unknown_database(char *text, size_t cap, struct mysql_text name);

/* Gives bytes to the session and does its commands; *n is what it did not take. */
void conn_feed(struct conn *c, const uint8_t *p, size_t *n);

/* conn_wire.c: between stream and session */
/* The login agreed on compression, or not: 0, or -1 without memory. */
int conn_compress_start(struct conn *c);
void conn_compress_free(struct conn *c);
void conn_take(struct conn *c, const uint8_t **p, size_t *n); /* conn_feed of what p[n] means */
void conn_flush(struct conn *c);
size_t conn_unsent(const struct conn *c);
void conn_command_begins(struct conn *c); /* the next bytes sent answer what came last */

/* conn_track.c: OK with what changed in the session */
void conn_ok(struct conn *c, uint64_t affected, uint64_t insert_id, uint16_t warnings,
             const char *info);

/* conn_timeout.c */
void conn_timer_init(struct conn *c);
void conn_timer_stop(struct conn *c);
void conn_timer_check(struct conn *c); /* something came, ended, or waits for the client */

/* After an answer: the next statement of the text, or the bytes that waited. */
void conn_continue(struct conn *c);
/* Handles the bytes that waited, when they are bytes of a file. */
void conn_pump(struct conn *c);
void conn_sink_init(struct conn *c);
uint16_t conn_status(const struct conn *c);
/* A statement becomes the one at work; done has to call conn_statement_ended. NULL: an error was
 * answered. */
struct statement *conn_new_statement(struct conn *c, void (*done)(struct statement *s));
void conn_statement_ended(struct statement *s);
/* Looks up the columns of the result of a text, on wish in the newest catalog in any case; done as
 * above, s->error tells what was answered. */
void conn_describe(struct conn *c, const char *text, size_t len, bool newest,
                   void (*done)(struct statement *s));
void conn_run_prepared(struct conn *c, const struct conn_prepared *p, const struct datum *params,
                       const struct value_type *types, uint32_t n);
/* Into a new statement. */
void conn_parse_prepared(struct statement *s, const struct conn_prepared *p);
void conn_run_text(struct conn *c, const char *text, size_t len, const struct datum *params,
                   const struct value_type *types, uint32_t n);
void conn_prepare(struct conn *c, struct mysql_text text);
void conn_field_list(struct conn *c, struct mysql_text table);
void conn_execute(struct conn *c, const struct mysql_event *ev);
void conn_forget_prepared(struct conn *c, uint32_t id); /* 0 = all */

/* conn_cursor.c */
bool conn_has_cursor_room(const struct conn *c);
/* Executes with a cursor; the values' bytes are copied. */
void conn_cursor_open(struct conn *c, const struct conn_prepared *p, struct datum *values,
                      const struct value_type *types, uint32_t n);
void conn_cursor_fetch(struct conn *c, uint32_t id, uint32_t rows);
/* Of a prepared statement; 0 = all. Not one at work. */
void conn_cursor_close(struct conn *c, uint32_t id);

void conn_error(struct conn *c, unsigned code, const char *text);
struct conn *gateway_find(struct gateway *g, uint32_t id); /* of this core; NULL when it is gone */
/* The stream is gone: frees the connection once nothing works for it. */
void conn_leave(struct conn *c);
uint32_t gateway_new_id(struct gateway *g);
void gateway_finish(struct gateway *g); /* when it stops: whether all is gone */
void gateway_conn_gone(struct gateway *g, struct conn *c);
