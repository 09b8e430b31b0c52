#pragma once
/*
 * What a connection remembers between statements: database, variables, warnings of the last
 * statement. Owner: the core of the connection; lives as long as it. Idle cost: this struct and the
 * variables set.
 */
#include <stdbool.h>
#include <stdint.h>

#include "sql/value_datum.h"

enum { SESSION_MAX_WARNINGS = 64, SESSION_MAX_VARIABLES = 1024 };

struct tls;
struct session_temporaries;

/* Variables whose changes clients are told of (CLIENT_SESSION_TRACK), by bit, and above them the database. */
enum { SESSION_TRACKED_COUNT = 5, SESSION_CHANGED_DATABASE = 1u << SESSION_TRACKED_COUNT };
extern const char *const session_tracked_names[SESSION_TRACKED_COUNT];

#define SESSION_DATABASE "quanta" /* the only database with tables */

/* A user variable (@name) or a system variable set in this session; name and bytes malloc'ed. */
struct session_variable {
    struct session_variable *next;
    char *name; /* lower case */
    struct datum value;
    struct value_type type;
};

struct session_warning {
    uint16_t code;
    const char *level; /* "Note", "Warning", "Error" */
    char *text;        /* malloc'ed */
};

/* Variables of the session that connections obey, seconds. */
struct session_timeouts {
    uint32_t wait_s, interactive_s, read_s, write_s;
};

struct gateway_session {
    uint32_t id;
    uint16_t charset;
    const struct tls *tls; /* of the stream; NULL: none */
    char *user;            /* malloc'ed */
    char *host;            /* malloc'ed: "127.0.0.1:4711" */
    char *database;        /* malloc'ed; NULL = none chosen */
    unsigned parse_flags;  /* enum sql_parse_flag, from sql_mode */
    unsigned parse_flags_at_login;
    const char *sql_mode_at_login; /* of the server; NULL = the usual one */
    bool is_lenient; /* sql_mode without STRICT_…: values that do not fit are stored near */
    bool found_rows; /* client wants matched rows as affected rows */
    bool in_transaction;
    bool is_read_only; /* the transaction is */
    bool autocommit;
    uint32_t writes; /* statements that changed rows since BEGIN: ROLLBACK cannot undo them */
    struct session_timeouts timeouts, timeouts_at_login;
    unsigned changes; /* not told yet */
    uint64_t last_insert_id;
    int64_t row_count;   /* ROW_COUNT() of the last statement */
    uint64_t rows_found; /* FOUND_ROWS() */
    struct session_variable *user_vars, *sys_vars;
    struct session_variable
        *savepoints; /* of the transaction, the last one first; value: writes before it */
    struct session_variable *prepared;       /* texts of PREPARE */
    struct session_temporaries *temporaries; /* session_temporary.h; NULL: there were none */
    uint32_t next_temporary;
    uint32_t n_variables;
    struct session_warning *warnings; /* of the last statement */
    uint32_t n_warnings, n_errors;    /* kept; counted in all */
    uint32_t warning_count;
};

void gateway_session_init(struct gateway_session *s, uint32_t id);
void gateway_session_fini(struct gateway_session *s);
/* COM_RESET_CONNECTION: variables and database state as after login. */
void gateway_session_reset(struct gateway_session *s);

/* A system variable was set. */
void gateway_session_changed(struct gateway_session *s, const char *name);

/* NULL empties it. 0 or -ENOMEM. */
int gateway_session_set_text(char **where, const char *text, size_t len);

const struct session_variable *gateway_session_find(const struct session_variable *list,
                                                    const char *name);
/* 0, -ENOMEM, -ENOSPC (too many). The value is copied. */
int gateway_session_set(struct gateway_session *s, struct session_variable **list, const char *name,
                        const struct datum *value, const struct value_type *type);

/* False when the list has no such name. */
bool gateway_session_unset(struct gateway_session *s, struct session_variable **list,
                           const char *name);
void gateway_session_drop_variables(struct gateway_session *s, struct session_variable **list);

/* Warnings: cleared at the start of a statement that is no diagnostic one. */
void gateway_session_clear_warnings(struct gateway_session *s);
void gateway_session_warn(struct gateway_session *s, const char *level, unsigned code,
                          const char *text);
