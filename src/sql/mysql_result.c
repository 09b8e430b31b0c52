/* OK, ERR, EOF, column definitions and the frame of result sets: see mysql_result.h. The rows are
 * in mysql_row.c. */
#include "sql/mysql_result.h"

#include <string.h>

#include "reactor/assert.h"
#include "sql/mysql_error.h"

enum {
    HEADER_OK = 0x00,
    HEADER_EOF = 0xfe,
    HEADER_ERR = 0xff,
    NULL_MARKER = 0xfb,
    DEFINITION_FIXED_LEN = 0x0c, /* bytes of the fixed part of a column definition */
};

static bool wire_has(const struct mysql_wire *wire, enum mysql_cap cap)
{
    return (wire->capabilities & (uint32_t)cap) != 0;
}

/* A point to return to when one of several packets does not fit. */
struct wire_mark {
    size_t len;
    uint8_t seq;
};

static struct wire_mark wire_mark(const struct mysql_wire *wire)
{
    return (struct wire_mark){wire->out->len, wire->seq};
}

static int wire_rollback(struct mysql_wire *wire, struct wire_mark mark, int rc)
{
    wire->out->len = mark.len;
    wire->seq = mark.seq;
    return rc;
}

/* ---- single packets ---- */

static int write_ok(struct mysql_wire *wire, uint8_t header, uint64_t affected,
                    uint64_t last_insert_id, uint16_t status, uint16_t warnings, const char *info)
{
    const struct mysql_track *track = wire_has(wire, MYSQL_CAP_SESSION_TRACK) ? wire->track : NULL;
    struct mysql_packet pkt;

    mysql_packet_begin(&pkt, wire);
    mysql_packet_u8(&pkt, header);
    mysql_packet_lenenc(&pkt, affected);
    mysql_packet_lenenc(&pkt, last_insert_id);
    mysql_packet_u16(&pkt, track ? status | MYSQL_STATUS_SESSION_CHANGED : status);
    mysql_packet_u16(&pkt, warnings);
    /* The specification says "to the end of the packet" for clients without SESSION_TRACK, but
     * MySQL writes a length in front and libmariadb refuses packets without it. */
    if (track || (info && *info))
        mysql_packet_lenenc_bytes(&pkt, info ? info : "", info ? strlen(info) : 0);
    if (track)
        mysql_packet_lenenc_bytes(&pkt, track->bytes, track->len);
    return mysql_packet_end(&pkt);
}

/* The classic EOF packet between and behind the parts of an answer. */
static int write_eof(struct mysql_wire *wire, uint16_t status, uint16_t warnings)
{
    struct mysql_packet pkt;

    mysql_packet_begin(&pkt, wire);
    mysql_packet_u8(&pkt, HEADER_EOF);
    mysql_packet_u16(&pkt, warnings);
    mysql_packet_u16(&pkt, status);
    return mysql_packet_end(&pkt);
}

/* The end of rows in the form the client agreed to. */
static int write_end(struct mysql_wire *wire, uint16_t status, uint16_t warnings)
{
    if (wire_has(wire, MYSQL_CAP_DEPRECATE_EOF))
        return write_ok(wire, HEADER_EOF, 0, 0, status, warnings, NULL);
    return write_eof(wire, status, warnings);
}

static int answered(struct mysql_wire *wire, int rc, uint16_t status)
{
    if (rc == 0 && !(status & MYSQL_STATUS_MORE_RESULTS))
        wire->answered = true;
    return rc;
}

int mysql_ok(struct mysql_wire *wire, uint64_t affected, uint64_t last_insert_id, uint16_t status,
             uint16_t warnings, const char *info)
{
    int rc = write_ok(wire, HEADER_OK, affected, last_insert_id, status, warnings, info);

    return answered(wire, rc, status);
}

/* Length of the text to send: at most MYSQL_ERROR_TEXT_MAX bytes, no character cut in two. */
static size_t error_text_len(const char *text)
{
    size_t len = strnlen(text, MYSQL_ERROR_TEXT_MAX + 1);

    if (len <= MYSQL_ERROR_TEXT_MAX)
        return len;
    len = MYSQL_ERROR_TEXT_MAX;
    while (len > MYSQL_ERROR_TEXT_MAX - 4 && ((uint8_t)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

int mysql_err(struct mysql_wire *wire, uint16_t code, const char *sqlstate, const char *text)
{
    struct mysql_packet pkt;

    if (!sqlstate)
        sqlstate = mysql_error_sqlstate(code);
    mysql_packet_begin(&pkt, wire);
    mysql_packet_u8(&pkt, HEADER_ERR);
    mysql_packet_u16(&pkt, code);
    mysql_packet_u8(&pkt, '#');
    mysql_packet_bytes(&pkt, sqlstate, 5);
    mysql_packet_bytes(&pkt, text, error_text_len(text));
    return answered(wire, mysql_packet_end(&pkt), 0);
}

int mysql_eof(struct mysql_wire *wire, uint16_t status, uint16_t warnings)
{
    return answered(wire, write_end(wire, status, warnings), status);
}

int mysql_text(struct mysql_wire *wire, const char *text)
{
    struct mysql_packet pkt;

    mysql_packet_begin(&pkt, wire);
    mysql_packet_bytes(&pkt, text, strlen(text));
    return answered(wire, mysql_packet_end(&pkt), 0);
}

/* ---- column definitions ---- */

static bool type_is_text(uint8_t type)
{
    return type == MYSQL_TYPE_VARCHAR || type == MYSQL_TYPE_JSON || type == MYSQL_TYPE_ENUM ||
           type == MYSQL_TYPE_SET || (type >= MYSQL_TYPE_TINY_BLOB && type <= MYSQL_TYPE_STRING);
}

/* Display width in bytes of columns whose owner gave none. */
static uint32_t default_length(const struct mysql_column *column)
{
    switch (column->type) {
    case MYSQL_TYPE_TINY:
        return 4;
    case MYSQL_TYPE_SHORT:
        return 6;
    case MYSQL_TYPE_INT24:
        return 9;
    case MYSQL_TYPE_LONG:
        return 11;
    case MYSQL_TYPE_LONGLONG:
        return 20;
    case MYSQL_TYPE_FLOAT:
        return 12;
    case MYSQL_TYPE_DOUBLE:
        return 22;
    case MYSQL_TYPE_YEAR:
        return 4;
    case MYSQL_TYPE_DATE:
        return 10;
    case MYSQL_TYPE_TIME:
        return 10 + (column->decimals ? column->decimals + 1u : 0);
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        return 19 + (column->decimals ? column->decimals + 1u : 0);
    case MYSQL_TYPE_NULL:
        return 0;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        return 38 + 1 + (column->decimals ? 1u : 0);
    case MYSQL_TYPE_TINY_BLOB:
        return 255;
    case MYSQL_TYPE_BLOB:
        return 65535;
    case MYSQL_TYPE_MEDIUM_BLOB:
        return 0xffffff;
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_JSON:
        return 0xffffffff;
    default:
        return 255 * 4; /* characters of up to four bytes */
    }
}

static uint16_t default_charset(const struct mysql_column *column)
{
    return type_is_text(column->type) ? MYSQL_CHARSET_UTF8MB4_GENERAL_CI : MYSQL_CHARSET_BINARY;
}

static void packet_text(struct mysql_packet *pkt, const char *text)
{
    mysql_packet_lenenc_bytes(pkt, text, text ? strlen(text) : 0);
}

/* Column definition of protocol 4.1; `with_default` appends the empty default of COM_FIELD_LIST. */
static int write_definition(struct mysql_wire *wire, const struct mysql_column *column,
                            bool with_default)
{
    struct mysql_packet pkt;

    mysql_packet_begin(&pkt, wire);
    packet_text(&pkt, "def");
    packet_text(&pkt, column->schema);
    packet_text(&pkt, column->table);
    packet_text(&pkt, column->org_table);
    packet_text(&pkt, column->name);
    packet_text(&pkt, column->org_name);
    mysql_packet_lenenc(&pkt, DEFINITION_FIXED_LEN);
    mysql_packet_u16(&pkt, column->charset ? column->charset : default_charset(column));
    mysql_packet_u32(&pkt, column->length ? column->length : default_length(column));
    mysql_packet_u8(&pkt, column->type);
    mysql_packet_u16(&pkt, column->flags);
    mysql_packet_u8(&pkt, column->decimals);
    mysql_packet_zeros(&pkt, 2);
    if (with_default)
        mysql_packet_u8(&pkt, NULL_MARKER);
    return mysql_packet_end(&pkt);
}

static int write_definitions(struct mysql_wire *wire, const struct mysql_column *columns,
                             uint32_t n, bool with_default)
{
    for (uint32_t i = 0; i < n; i++) {
        int rc = write_definition(wire, &columns[i], with_default);

        if (rc)
            return rc;
    }
    return 0;
}

/* Definitions followed by EOF, which clients with DEPRECATE_EOF do without. */
static int write_definitions_eof(struct mysql_wire *wire, const struct mysql_column *columns,
                                 uint32_t n, uint16_t status)
{
    int rc = write_definitions(wire, columns, n, false);

    if (rc == 0 && n > 0 && !wire_has(wire, MYSQL_CAP_DEPRECATE_EOF))
        rc = write_eof(wire, status, 0);
    return rc;
}

int mysql_field_list(struct mysql_wire *wire, const struct mysql_column *columns, uint32_t n,
                     uint16_t status)
{
    struct wire_mark mark = wire_mark(wire);
    int rc = write_definitions(wire, columns, n, true);

    status &= (uint16_t)~MYSQL_STATUS_MORE_RESULTS;
    if (rc == 0)
        rc = write_end(wire, status, 0);
    return rc ? wire_rollback(wire, mark, rc) : answered(wire, 0, status);
}

/* Parameters have no known type before they are bound: MySQL describes them as strings "?". */
static int write_param_definitions(struct mysql_wire *wire, uint16_t n_params, uint16_t status)
{
    static const struct mysql_column param = {
        .name = "?",
        .type = MYSQL_TYPE_VAR_STRING,
        .charset = MYSQL_CHARSET_BINARY,
        .flags = MYSQL_COLUMN_BINARY,
    };
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < n_params; i++)
        rc = write_definition(wire, &param, false);
    if (rc == 0 && n_params > 0 && !wire_has(wire, MYSQL_CAP_DEPRECATE_EOF))
        rc = write_eof(wire, status, 0);
    return rc;
}

static int write_prepare_head(struct mysql_wire *wire, uint32_t stmt_id, uint16_t n_params,
                              uint16_t n_columns, uint16_t warnings)
{
    struct mysql_packet pkt;

    mysql_packet_begin(&pkt, wire);
    mysql_packet_u8(&pkt, HEADER_OK);
    mysql_packet_u32(&pkt, stmt_id);
    mysql_packet_u16(&pkt, n_columns);
    mysql_packet_u16(&pkt, n_params);
    mysql_packet_u8(&pkt, 0);
    mysql_packet_u16(&pkt, warnings);
    return mysql_packet_end(&pkt);
}

int mysql_prepare_ok(struct mysql_wire *wire, uint32_t stmt_id, uint16_t n_params,
                     const struct mysql_column *columns, uint16_t n_columns, uint16_t status,
                     uint16_t warnings)
{
    struct wire_mark mark = wire_mark(wire);
    int rc;

    status &= (uint16_t)~MYSQL_STATUS_MORE_RESULTS;
    rc = write_prepare_head(wire, stmt_id, n_params, n_columns, warnings);
    if (rc == 0)
        rc = write_param_definitions(wire, n_params, status);
    if (rc == 0)
        rc = write_definitions_eof(wire, columns, n_columns, status);
    return rc ? wire_rollback(wire, mark, rc) : answered(wire, 0, status);
}

/* ---- result sets ---- */

static int write_column_count(struct mysql_wire *wire, uint32_t n)
{
    struct mysql_packet pkt;

    mysql_packet_begin(&pkt, wire);
    mysql_packet_lenenc(&pkt, n);
    return mysql_packet_end(&pkt);
}

int mysql_result_begin(struct mysql_result *res, struct mysql_wire *wire,
                       const struct mysql_column *columns, uint32_t n, enum mysql_row_mode mode,
                       uint16_t status)
{
    struct wire_mark mark = wire_mark(wire);
    int rc;

    ASSERT(n >= 1 && n <= MYSQL_COLUMNS_MAX);
    *res = (struct mysql_result){
        .wire = wire, .columns = columns, .n_columns = n, .mode = mode, .column = n};
    rc = write_column_count(wire, n);
    if (rc == 0)
        rc = write_definitions_eof(wire, columns, n, status);
    return rc ? wire_rollback(wire, mark, rc) : 0;
}

int mysql_result_begin_cursor(struct mysql_result *res, struct mysql_wire *wire,
                              const struct mysql_column *columns, uint32_t n, uint16_t warnings,
                              uint16_t status)
{
    struct wire_mark mark = wire_mark(wire);
    int rc = mysql_result_begin(res, wire, columns, n, MYSQL_BINARY, status);

    /* The others have got an EOF after the columns, which tells the status, too. */
    if (rc == 0 && wire_has(wire, MYSQL_CAP_DEPRECATE_EOF))
        rc = write_end(wire, status, warnings);
    return rc ? wire_rollback(wire, mark, rc) : answered(wire, 0, status);
}

int mysql_result_end(struct mysql_result *res, uint16_t warnings, uint16_t status)
{
    ASSERT(!res->row.wire);
    return answered(res->wire, write_end(res->wire, status, warnings), status);
}
