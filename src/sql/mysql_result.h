#pragma once
/*
 * What a server answers: OK, ERR, EOF, result sets in the text and the binary protocol.
 *
 * Everything is appended to the wire's output buffer. Each function appends all or nothing and
 * returns 0, -ENOBUFS (the buffer's limit: send what is there, then call again with the same
 * arguments) or -ENOMEM. Send when mysql_wire_is_full() says so, and go on when the buffer is
 * empty again: memory per connection then stays near MYSQL_OUT_HIGH_WATER plus one row.
 *
 * A result set:
 *     mysql_result_begin(&res, wire, columns, n, MYSQL_TEXT, status);
 *     for each row: mysql_row_begin(&res); one mysql_row_* per column; mysql_row_end(&res);
 *     mysql_result_end(&res, warnings, status);       or mysql_err() at any point instead
 * MYSQL_STATUS_MORE_RESULTS in `status` of mysql_ok and mysql_result_end announces another result;
 * without it the answer to the command is complete.
 *
 * Limits: 4,096 columns; one row at most the output buffer's limit; error text 512 bytes; years
 * 0001..9999. All times UTC. No function blocks, all run on the core of the connection's owner.
 * Source: MySQL 8.0 "Client/Server Protocol": "Text Resultset", "Binary Protocol Resultset",
 * "OK_Packet", "ERR_Packet", "EOF_Packet".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/mysql_packet.h"

/* Output above this many bytes should be sent before more rows are appended. */
#define MYSQL_OUT_HIGH_WATER (64u * 1024u)
#define MYSQL_COLUMNS_MAX 4096u

/*
 * Description of a result column. Strings are NUL-terminated UTF-8, NULL means empty.
 * Owner: the caller; must stay unchanged from mysql_result_begin to mysql_result_end.
 */
struct mysql_column {
    const char *name; /* alias or expression text, what clients show */
    const char *org_name;
    const char *table; /* alias */
    const char *org_table;
    const char *schema;
    uint8_t type;     /* enum mysql_type */
    uint8_t decimals; /* fraction digits; MYSQL_DECIMALS_NOT_FIXED for floating point */
    uint16_t flags;   /* enum mysql_column_flag */
    uint16_t charset; /* collation id; 0 = binary for numbers and dates, else utf8mb4 */
    uint32_t length;  /* longest display width in bytes; 0 = choose by type */
};

/* COM_QUERY answers in MYSQL_TEXT, COM_STMT_EXECUTE in MYSQL_BINARY. */
enum mysql_row_mode { MYSQL_TEXT, MYSQL_BINARY };

/*
 * A result set being written. Owner: the statement's state in the connection; holds no memory of
 * its own, so that it may be dropped at any time. Borrows wire and columns.
 */
struct mysql_result {
    struct mysql_wire *wire;
    const struct mysql_column *columns;
    uint32_t n_columns;
    enum mysql_row_mode mode;
    uint32_t column;         /* next column of the row being written */
    size_t null_bitmap;      /* its offset in the output, binary mode */
    struct mysql_packet row; /* row being written */
    uint64_t n_rows;         /* rows appended */
    uint64_t n_out_of_range; /* dates outside years 0001..9999 sent as NULL */
};

/* ---- single packets ---- */

/* OK: `info` (may be NULL) is free text such as "Rows matched: 1  Changed: 1  Warnings: 0". */
int mysql_ok(struct mysql_wire *wire, uint64_t affected, uint64_t last_insert_id, uint16_t status,
             uint16_t warnings, const char *info);
/* ERR: `sqlstate` is 5 characters or NULL = looked up from the code; `text` is cut after 512 bytes
 * at a character boundary. Completes the answer to the current command. */
int mysql_err(struct mysql_wire *wire, uint16_t code, const char *sqlstate, const char *text);
/* EOF (answer to COM_SET_OPTION); an OK packet with header 0xfe for clients with DEPRECATE_EOF. */
int mysql_eof(struct mysql_wire *wire, uint16_t status, uint16_t warnings);
/* A packet that is only text: answer to COM_STATISTICS. */
int mysql_text(struct mysql_wire *wire, const char *text);
/* Answer to COM_FIELD_LIST: column definitions and EOF. */
int mysql_field_list(struct mysql_wire *wire, const struct mysql_column *columns, uint32_t n,
                     uint16_t status);
/* Answer to COM_STMT_PREPARE; called by mysql_session_prepared, which assigns the id. */
int mysql_prepare_ok(struct mysql_wire *wire, uint32_t stmt_id, uint16_t n_params,
                     const struct mysql_column *columns, uint16_t n_columns, uint16_t status,
                     uint16_t warnings);

/* ---- result sets ---- */

/* Appends column count and definitions (1..MYSQL_COLUMNS_MAX columns). */
int mysql_result_begin(struct mysql_result *res, struct mysql_wire *wire,
                       const struct mysql_column *columns, uint32_t n, enum mysql_row_mode mode,
                       uint16_t status);
/* Instead for a cursor (status with MYSQL_STATUS_CURSOR_EXISTS): completes the answer, in MYSQL_BINARY. The rows of each
 * fetch are ended by mysql_result_end. */
int mysql_result_begin_cursor(struct mysql_result *res, struct mysql_wire *wire,
                              const struct mysql_column *columns, uint32_t n, uint16_t warnings,
                              uint16_t status);
/* Appends the end of the rows. `affected` rows of a SELECT are not part of the protocol. */
int mysql_result_end(struct mysql_result *res, uint16_t warnings, uint16_t status);

/* True when the owner should send before appending more. */
static inline bool mysql_wire_is_full(const struct mysql_wire *wire)
{
    return wire->out->len >= MYSQL_OUT_HIGH_WATER;
}

/*
 * Rows. Every column gets exactly one call between begin and end, in order (asserted). In binary
 * mode the column's type decides the encoding: integers narrow (a value that does not fit is
 * -ERANGE), numbers go to text for string and decimal columns; a string for a numeric or temporal
 * column is -EINVAL. Errors appear in mysql_row_end, and then the row is not in the output.
 */
void mysql_row_begin(struct mysql_result *res);
int mysql_row_end(struct mysql_result *res);
/* Takes back the row being written, or does nothing. */
void mysql_row_cancel(struct mysql_result *res);

void mysql_row_null(struct mysql_result *res);
void mysql_row_int64(struct mysql_result *res, int64_t v);
void mysql_row_uint64(struct mysql_result *res, uint64_t v);
/* v / 10^scale with exactly `scale` fraction digits, 0..38. */
void mysql_row_decimal64(struct mysql_result *res, int64_t v, unsigned scale);
void mysql_row_decimal128(struct mysql_result *res, __int128 v, unsigned scale);
/* Shortest text that reads back as the same double, six digits for MYSQL_TYPE_FLOAT; NaN and
 * infinities are sent as NULL, as MySQL has none. Columns with decimals < 31 get that many fraction
 * digits. */
void mysql_row_double(struct mysql_result *res, double v);
void mysql_row_string(struct mysql_result *res, const void *data, size_t len);
/* Days since 1970-01-01; outside years 0001..9999: NULL, counted in n_out_of_range. */
void mysql_row_date(struct mysql_result *res, int64_t days);
/* Microseconds since 1970-01-01 00:00:00 UTC; `decimals` of the column (0..6) fraction digits, the
 * rest is cut off; in a DATE column the time of day is. Outside the years 0001..9999 as above. */
void mysql_row_datetime(struct mysql_result *res, int64_t micros);
/* Signed duration in microseconds, at most 838:59:59; more is sent as that limit. */
void mysql_row_time(struct mysql_result *res, int64_t micros);
