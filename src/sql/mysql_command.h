#pragma once
/*
 * Decoding of client commands and of prepared statement parameters.
 *
 * Pure functions over one complete payload; results borrow from it. Any core.
 * Source: MySQL 8.0 "Client/Server Protocol", chapters "Command Phase", "Binary Protocol Value".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/mysql_protocol.h"

/* Bytes in the input; not NUL-terminated. */
struct mysql_text {
    const char *data;
    size_t len;
};

/* What kind of value a parameter carries, after decoding of its wire type. */
enum mysql_param_kind {
    MYSQL_PARAM_NULL,     /* v has no value */
    MYSQL_PARAM_INT,      /* v.i */
    MYSQL_PARAM_UINT,     /* v.u */
    MYSQL_PARAM_DOUBLE,   /* v.d */
    MYSQL_PARAM_BYTES,    /* v.bytes: strings, blobs, decimals as text */
    MYSQL_PARAM_DATETIME, /* v.time: DATE, DATETIME, TIMESTAMP */
    MYSQL_PARAM_TIME,     /* v.time: signed duration */
};

/* A date, or a duration: then `hour` counts beyond 24 (days are folded in) and year..day are 0. All
 * zero is MySQL's zero date. */
struct mysql_time {
    uint16_t year;   /* 0..9999 */
    uint8_t month;   /* 0..12 */
    uint8_t day;     /* 0..31 */
    uint32_t hour;   /* 0..23, a duration up to 838 */
    uint8_t minute;  /* 0..59 */
    uint8_t second;  /* 0..59 */
    bool negative;   /* durations only */
    uint32_t micros; /* 0..999,999 */
};

/* One decoded parameter. Owner: the event it came with; borrows its bytes. */
struct mysql_param {
    enum mysql_param_kind kind;
    uint8_t type; /* enum mysql_type as the client declared it */
    union {
        int64_t i;
        uint64_t u;
        double d;
        struct mysql_text bytes;
        struct mysql_time time;
    } v;
};

/* Declared type of a parameter, remembered from the first execution on. */
struct mysql_param_type {
    uint8_t type; /* enum mysql_type */
    bool is_unsigned;
};

/* A command split into its fields; which are set depends on `com`. */
struct mysql_command {
    uint8_t com;            /* enum mysql_com, or any other byte */
    struct mysql_text text; /* SQL, database, table; whatever an unknown command carries */
    struct mysql_text wild; /* FIELD_LIST: pattern */
    uint32_t id;            /* STMT_*: statement id; PROCESS_KILL: connection id */
    uint32_t count;         /* STMT_FETCH: rows; SET_OPTION: option */
    uint16_t param;         /* STMT_SEND_LONG_DATA: parameter number */
    uint8_t flags;          /* STMT_EXECUTE: cursor type */
    struct mysql_text body; /* STMT_EXECUTE: null bitmap onwards; SEND_LONG_DATA: data;
                               CHANGE_USER: everything after the command byte */
};

/* Splits a payload. 0 or -EBADMSG when it is shorter than its command needs. */
int mysql_command_decode(const uint8_t *payload, size_t len, struct mysql_command *cmd);

/*
 * Decodes the parameters of a COM_STMT_EXECUTE body into params[n].
 * types[n] are updated when the client sends them; `*bound` says that they are known from an
 * earlier execution. long_data[i].data != NULL replaces the value of parameter i. 0 or -EBADMSG.
 */
int mysql_params_decode(struct mysql_text body, size_t n, struct mysql_param_type *types,
                        bool *bound, const struct mysql_text *long_data,
                        struct mysql_param *params);
