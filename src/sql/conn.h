#pragma once
/*
 * One client connection. Owner: the core that accepted it. Idle it holds this struct, the stream
 * and the protocol session, and no statement.
 */
#include "reactor/stream.h"
#include "sql/gateway.h"
#include "sql/gateway_statement.h"
#include "sql/mysql_session.h"
#include "storage/spill_file.h"

struct conn;

/* A prepared statement: its text, parsed again at each execution. */
struct conn_prepared {
    struct conn_prepared *next;
    uint32_t id;
    uint32_t n_params;
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
    bool closing, gone, busy_loop, starting;
    struct task task; /* goes on with the statements of a long text */

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
    bool blocked; /* the sink refused a row */
    uint64_t started_ns;
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
    uint32_t n_conns, next_id;
    struct gateway_stats stats;
    uint64_t started_ns;
    bool stopping;
    void (*stopped)(struct reactor *r, void *ctx);
    void *stopped_ctx;
};

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
void conn_run_text(struct conn *c, const char *text, size_t len, const struct datum *params,
                   const struct value_type *types, uint32_t n);
void conn_prepare(struct conn *c, struct mysql_text text);
void conn_field_list(struct conn *c, struct mysql_text table);
void conn_execute(struct conn *c, const struct mysql_event *ev);
void conn_forget_prepared(struct conn *c, uint32_t id); /* 0 = all */
void conn_error(struct conn *c, unsigned code, const char *text);
void gateway_conn_gone(struct gateway *g, struct conn *c);
