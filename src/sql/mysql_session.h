#pragma once
/*
 * The server's side of one MySQL connection as a state machine: bytes in, events out, bytes out.
 * It does no I/O and knows no SQL.
 *
 * The owner (src/sql/conn.c):
 *
 *     mysql_session_init(&s, &cfg, &out);  mysql_session_greet(&s);  send out;
 *     on bytes p[len] from the client:
 *         for (;;) {
 *             n = mysql_session_feed(&s, p, len);  p += n;  len -= n;
 *             if (mysql_session_next(&s, &ev) == MYSQL_EVENT_NONE) {
 *                 if (n == 0 || len == 0) break;   // wait for bytes, or for our own answer
 *                 continue;
 *             }
 *             handle ev: append an answer with mysql_session_* or with mysql_ok, mysql_err,
 *             mysql_result_* on &s.wire, now or later
 *         }
 *         send whatever is in out (also after MYSQL_EVENT_NONE: the session answers some things)
 *     when an answer given later is complete: the same loop again with the bytes not taken yet
 *
 * One command at a time: after an event that needs an answer, feed takes no bytes and next returns
 * NONE until the answer is complete (wire.answered, set by mysql_ok, mysql_err, mysql_result_end
 * without MORE_RESULTS, and so on). Unread bytes stay with the owner, and so in the socket: that is
 * the back-pressure. Event pointers stay valid until the answer is complete, or for events without
 * an answer until the next call of feed or next.
 *
 * Output goes to a buffer lent by the owner, which may lend another between any two calls
 * (mysql_session_set_out), for instance while the first is being sent.
 *
 * Limits: handshake packet 128 KiB (else error 1043); a command max_allowed_packet bytes (else 1153
 * and close, the rest is not buffered); 16,382 prepared statements (1461); long data of all
 * statements together max_allowed_packet. Idle cost: this struct (under 300 bytes) plus at most
 * MYSQL_FRAMER_KEEP_BYTES. No timers here: connect and idle time-outs are the owner's.
 *
 * Every struct and function here belongs to the core that owns the connection (conn_).
 * Source: MySQL 8.0 "Client/Server Protocol", "Connection Lifecycle".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/mysql_auth.h"
#include "sql/mysql_command.h"
#include "sql/mysql_packet.h"
#include "sql/mysql_result.h"

#define MYSQL_MAX_ALLOWED_PACKET_DEFAULT (64u * 1024u * 1024u)
#define MYSQL_HANDSHAKE_PACKET_MAX (128u * 1024u)
#define MYSQL_STATEMENTS_MAX 16382u
#define MYSQL_PARAMS_MAX 65535u

enum mysql_event_kind {
    MYSQL_EVENT_NONE,        /* nothing to do; maybe output to send */
    MYSQL_EVENT_SSL_REQUEST, /* start TLS on the socket, then mysql_session_tls_started; all bytes
                                 not taken yet already belong to TLS */
    MYSQL_EVENT_AUTH,        /* u.auth: answer with mysql_session_auth_* */
    MYSQL_EVENT_CHANGE_USER, /* u.auth: the same; statements are gone already */
    MYSQL_EVENT_QUIT,        /* send what is left and close; no answer */
    MYSQL_EVENT_QUERY,       /* u.text: SQL; answer OK, ERR or results in MYSQL_TEXT */
    MYSQL_EVENT_INIT_DB,     /* u.text: database; OK or ERR */
    MYSQL_EVENT_PING,        /* OK */
    MYSQL_EVENT_FIELD_LIST,  /* u.field_list; mysql_field_list or ERR */
    MYSQL_EVENT_STATISTICS,  /* mysql_text */
    MYSQL_EVENT_SET_OPTION,  /* u.set_option.multi_statements; mysql_eof */
    MYSQL_EVENT_RESET_CONNECTION, /* OK; statements are gone already, reset variables */
    MYSQL_EVENT_PROCESS_KILL,     /* u.process_kill.connection_id; OK or ERR */
    MYSQL_EVENT_PROCESS_INFO,     /* results in MYSQL_TEXT, as of SHOW PROCESSLIST */
    MYSQL_EVENT_STMT_PREPARE,     /* u.text: SQL; mysql_session_prepared or ERR */
    MYSQL_EVENT_STMT_EXECUTE,     /* u.execute; OK, ERR or results in MYSQL_BINARY */
    MYSQL_EVENT_STMT_FETCH,       /* u.fetch; ERR 1421 when no cursor is open */
    MYSQL_EVENT_STMT_RESET,       /* u.stmt.id: close its cursor; OK */
    MYSQL_EVENT_STMT_CLOSE,       /* u.stmt.id: forget it; no answer */
    MYSQL_EVENT_STMT_LONG_DATA,   /* u.long_data: already kept for the execution; no answer */
    MYSQL_EVENT_LOCAL_DATA, /* u.text: bytes of the file asked for, none at its end; no answer, valid until the
                               * next call */
    MYSQL_EVENT_UNKNOWN,        /* u.unknown.command: a byte we do not serve; ERR 1047 */
    MYSQL_EVENT_PROTOCOL_ERROR, /* u.error: the ERR packet is in the output; send it and close */
};

/* Who wants in. The password proof is in `response`; empty means an empty password. */
struct mysql_event_auth {
    struct mysql_text user;
    struct mysql_text database; /* empty: none chosen */
    struct mysql_text response;
    struct mysql_text attributes;  /* connect attributes, valid; walk with mysql_attribute_next */
    enum mysql_auth_plugin plugin; /* what `response` was made with: NATIVE, CACHING_SHA2, CLEAR */
    bool is_clear_text;            /* response is the password itself; only over TLS */
    bool is_encrypted;             /* response is the password under the public key */
    uint16_t charset;              /* client's collation id */
};

struct mysql_event {
    enum mysql_event_kind kind;
    union {
        struct mysql_event_auth auth;
        struct mysql_text text;
        struct {
            struct mysql_text table;
            struct mysql_text wild;
        } field_list;
        struct {
            bool multi_statements;
        } set_option;
        struct {
            uint32_t connection_id;
        } process_kill;
        struct {
            uint32_t id;
        } stmt;
        struct {
            uint32_t id;
            uint8_t cursor; /* 0 none, 1 read only; a cursor may be ignored: send all rows */
            uint32_t n_params;
            const struct mysql_param *params;
        } execute;
        struct {
            uint32_t id;
            uint32_t rows;
        } fetch;
        struct {
            uint32_t id;
            uint16_t param;
            size_t len; /* bytes of this piece */
        } long_data;
        struct {
            uint8_t command;
        } unknown;
        struct {
            uint16_t code;
            const char *text; /* static */
        } error;
    } u;
};

/* What a session is made with; copied. */
struct mysql_session_config {
    uint32_t connection_id;
    uint8_t salt[MYSQL_SALT_LEN];  /* fresh random bytes; any values */
    const char *server_version;    /* NULL = MYSQL_SERVER_VERSION; must outlive the greeting */
    uint32_t max_allowed_packet;   /* bytes, 0 = default; above 1 GiB is cut to 1 GiB */
    enum mysql_auth_plugin plugin; /* offered first: MYSQL_AUTH_NATIVE (0) or CACHING_SHA2 */
    const char *public_key;        /* PEM, for passwords without TLS; NULL = none; outlives it */
    /* Plugin of the user's account, asked for when the session switches by itself: clients understand one switch.
     * NULL: what the client wants. */
    enum mysql_auth_plugin (*account_plugin)(void *ctx, struct mysql_text user,
                                             enum mysql_auth_plugin wanted);
    void *ctx;
    bool offer_ssl;
    bool require_ssl; /* 3159 to clients that log in without */
};

enum mysql_session_state {
    MYSQL_SESSION_NEW,       /* nothing sent */
    MYSQL_SESSION_HANDSHAKE, /* greeting sent, response awaited */
    MYSQL_SESSION_TLS,       /* the owner is starting TLS */
    MYSQL_SESSION_SWITCH,    /* plugin switch or full authentication sent, answer awaited */
    MYSQL_SESSION_AUTH,      /* the owner decides */
    MYSQL_SESSION_READY,     /* waiting for a command */
    MYSQL_SESSION_ANSWER,    /* the owner answers a command */
    MYSQL_SESSION_LOCAL,     /* the same, and waits for bytes of a file of the client */
    MYSQL_SESSION_CLOSED,    /* quit or fatal error: input is thrown away */
};

struct mysql_statements;
struct mysql_login;

/* One connection's protocol state. Owner: the connection, on its core, embedded in it. */
struct mysql_session {
    struct mysql_wire wire; /* answers go here */
    struct mysql_framer in;
    struct mysql_login *login;      /* user, plugin … until authenticated */
    struct mysql_statements *stmts; /* NULL until the first prepare */
    const char *server_version;
    const char *public_key;
    enum mysql_auth_plugin (*account_plugin)(void *ctx, struct mysql_text user,
                                             enum mysql_auth_plugin wanted);
    void *ctx;
    uint32_t connection_id;
    uint32_t max_allowed_packet;
    uint32_t capabilities_offered;
    uint8_t zstd_level; /* the client wants */
    uint16_t charset;   /* client's collation id */
    uint16_t status;    /* MYSQL_STATUS_* for answers the session makes itself; owner may set it */
    enum mysql_session_state state;
    enum mysql_auth_plugin plugin;
    uint16_t error_code;    /* fatal error not reported as an event yet */
    const char *error_text; /* static */
    bool tls, require_ssl;
    bool full;       /* the next authentication packet tells the password: over TLS as it is,
                                         else under the public key, which may be asked for before */
    bool handed_out; /* the message held was made an event already */
    bool resalted;   /* salt is not the greeting's any more */
    uint8_t salt[MYSQL_SALT_LEN + 1]; /* as sent: 7-bit, no NUL, no '$'; NUL-terminated */
};

/* Prepares a session that appends to `out` (owned by the caller, limit at least 64 KiB). */
void mysql_session_init(struct mysql_session *s, const struct mysql_session_config *cfg,
                        struct buffer *out);
/* Frees everything; the output buffer stays with the caller. */
void mysql_session_fini(struct mysql_session *s);
/* Appends to another buffer from now on. Not between mysql_row_begin and mysql_row_end. */
void mysql_session_set_out(struct mysql_session *s, struct buffer *out);

/* First packet: the greeting. 0, -ENOBUFS, -ENOMEM. */
int mysql_session_greet(struct mysql_session *s);
/* First packet instead of the greeting: a refusal such as 1040; then send and close. */
int mysql_session_refuse(struct mysql_session *s, uint16_t code, const char *text);

/* Takes bytes up to the end of one message; returns how many: 0 while an event or an answer is
 * outstanding, all of them once closed. */
size_t mysql_session_feed(struct mysql_session *s, const uint8_t *data, size_t len);
/* The next event, or MYSQL_EVENT_NONE. Returns ev->kind. */
enum mysql_event_kind mysql_session_next(struct mysql_session *s, struct mysql_event *ev);

/* True when a part of a message came, and the rest did not. */
bool mysql_session_has_part(const struct mysql_session *s);
/* True while the owner owes an answer (authentication or command). */
bool mysql_session_is_busy(const struct mysql_session *s);
/* True before authentication has succeeded. */
bool mysql_session_is_authenticating(const struct mysql_session *s);
/* True after QUIT, a refused login or a protocol error: send the output, then close. */
bool mysql_session_is_closed(const struct mysql_session *s);

/* TLS runs; the handshake response follows. Only after MYSQL_EVENT_SSL_REQUEST. */
void mysql_session_tls_started(struct mysql_session *s);

/* Answers to MYSQL_EVENT_AUTH and MYSQL_EVENT_CHANGE_USER; 0, -ENOBUFS, -ENOMEM. */
/* Lets the client in. */
int mysql_session_auth_ok(struct mysql_session *s);
/* Refuses with code and text (1045, 1049, …) and closes. */
int mysql_session_auth_err(struct mysql_session *s, uint16_t code, const char *text);
/* Asks for an answer made with another plugin and a fresh salt (any random bytes); another
 * event of the same kind follows. MYSQL_AUTH_CLEAR only over TLS (asserted). -EPROTONOSUPPORT: the
 * client knows no plugins; refuse it with 1251. */
int mysql_session_auth_switch(struct mysql_session *s, enum mysql_auth_plugin plugin,
                              const uint8_t salt[MYSQL_SALT_LEN]);
/* caching_sha2_password without a usable stored hash: asks for the password itself. Only over TLS or
 * with a public key (asserted); another MYSQL_EVENT_AUTH follows, with is_clear_text or is_encrypted. */
int mysql_session_auth_full(struct mysql_session *s);
/* Whether mysql_session_auth_full may be called. */
bool mysql_session_can_ask_full(const struct mysql_session *s);
/* Salt the client's answer was made with, MYSQL_SALT_LEN bytes: for mysql_auth_*_verify. */
const uint8_t *mysql_session_salt(const struct mysql_session *s);

/* Answer to MYSQL_EVENT_STMT_PREPARE: registers the statement, stores its id, appends the answer.
 * Columns may be 0 for statements without a result. 0, -ENOBUFS, -ENOMEM, or -EMFILE when there are
 * too many statements: then answer with mysql_err 1461. */
int mysql_session_prepared(struct mysql_session *s, uint16_t n_params,
                           const struct mysql_column *columns, uint16_t n_columns,
                           uint32_t *stmt_id);

/* LOAD DATA LOCAL, part of an answer: asks the client for a file; 0, -EPERM (it does not give any) or as all that
 * writes. */
int mysql_session_ask_file(struct mysql_session *s, const char *name, size_t len);
/* The next bytes of the file may come: MYSQL_EVENT_LOCAL_DATA. */
void mysql_session_ask_bytes(struct mysql_session *s);

/* Gives back the memory of the command's text before its answer is complete; pointers of the event
 * are void from then on. */
void mysql_session_release_input(struct mysql_session *s);

/* Walks connect attributes: takes the next key and value off *rest; false at the end. */
bool mysql_attribute_next(struct mysql_text *rest, struct mysql_text *key,
                          struct mysql_text *value);
