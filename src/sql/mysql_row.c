/*
 * Rows of a result set, text and binary: see mysql_result.h.
 *
 * An encoder asks for room for its longest output once, writes in place and commits; errors stay in
 * the row's packet and are reported by mysql_row_end.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/mysql_format.h"
#include "sql/mysql_result.h"

enum {
    NULL_MARKER = 0xfb,
    BINARY_BITMAP_OFFSET = 2, /* the first two bits of a binary row's null bitmap are unused */
    SHORT_TEXT_MAX = 0xfa,    /* texts up to this length have a length byte */
};

/* How a binary row carries a column. */
enum binary_form {
    FORM_INT8,
    FORM_INT16,
    FORM_INT32,
    FORM_INT64,
    FORM_FLOAT,
    FORM_DOUBLE,
    FORM_DATE,
    FORM_TIME,
    FORM_TEXT,
};

static enum binary_form form_of(uint8_t type)
{
    switch (type) {
    case MYSQL_TYPE_TINY:
        return FORM_INT8;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
        return FORM_INT16;
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
        return FORM_INT32;
    case MYSQL_TYPE_LONGLONG:
        return FORM_INT64;
    case MYSQL_TYPE_FLOAT:
        return FORM_FLOAT;
    case MYSQL_TYPE_DOUBLE:
        return FORM_DOUBLE;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        return FORM_DATE;
    case MYSQL_TYPE_TIME:
        return FORM_TIME;
    default:
        return FORM_TEXT;
    }
}

/* ---- the row ---- */

void mysql_row_begin(struct mysql_result *res)
{
    ASSERT(!res->row.wire);
    mysql_packet_begin(&res->row, res->wire);
    res->column = 0;
    if (res->mode == MYSQL_BINARY) {
        mysql_packet_u8(&res->row, 0);
        res->null_bitmap = res->wire->out->len;
        mysql_packet_zeros(&res->row, (res->n_columns + BINARY_BITMAP_OFFSET + 7) / 8);
    }
}

int mysql_row_end(struct mysql_result *res)
{
    int rc;

    ASSERT(res->row.wire && res->column == res->n_columns);
    rc = mysql_packet_end(&res->row);
    res->row.wire = NULL;
    if (rc == 0)
        res->n_rows++;
    return rc;
}

void mysql_row_cancel(struct mysql_result *res)
{
    if (!res->row.wire)
        return;
    res->wire->out->len = res->row.start;
    res->row.wire = NULL;
}

/* The column the next value belongs to. */
static const struct mysql_column *next_column(struct mysql_result *res)
{
    ASSERT(res->row.wire && res->column < res->n_columns);
    return &res->columns[res->column++];
}

static void row_error(struct mysql_result *res, int error)
{
    if (!res->row.error)
        res->row.error = error;
}

/* Writes NULL for the column that next_column returned last. */
static void write_null(struct mysql_result *res)
{
    if (res->mode == MYSQL_TEXT) {
        mysql_packet_u8(&res->row, NULL_MARKER);
    } else if (!res->row.error) {
        uint32_t bit = res->column - 1 + BINARY_BITMAP_OFFSET;

        res->wire->out->data[res->null_bitmap + bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

void mysql_row_null(struct mysql_result *res)
{
    next_column(res);
    write_null(res);
}

/* Room for a text of at most `max` bytes (below 251) behind its length byte; NULL on error. */
static char *text_begin(struct mysql_result *res, size_t max)
{
    uint8_t *room = mysql_packet_room(&res->row, 1 + max);

    return room ? (char *)room + 1 : NULL;
}

static void text_end(struct mysql_result *res, char *text, size_t len)
{
    ((uint8_t *)text)[-1] = (uint8_t)len;
    mysql_packet_commit(&res->row, 1 + len);
}

static void write_le(struct mysql_result *res, uint64_t v, size_t width)
{
    uint8_t *room = mysql_packet_room(&res->row, width);

    if (!room)
        return;
    for (size_t i = 0; i < width; i++)
        room[i] = (uint8_t)(v >> (8 * i));
    mysql_packet_commit(&res->row, width);
}

/* ---- numbers ---- */

static void write_binary_float(struct mysql_result *res, float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof(bits));
    write_le(res, bits, 4);
}

static void write_binary_double(struct mysql_result *res, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    write_le(res, bits, 8);
}

/* An integer for an integer column of `width` bytes, two's complement; fits when all bits above
 * are copies of the sign. */
static void write_binary_int(struct mysql_result *res, const struct mysql_column *column,
                             __int128 v, size_t width)
{
    bool is_unsigned = (column->flags & MYSQL_COLUMN_UNSIGNED) || column->type == MYSQL_TYPE_YEAR;
    __int128 span = (__int128)1 << (8 * width - (is_unsigned ? 0 : 1));

    if (v >= span || v < (is_unsigned ? 0 : -span))
        row_error(res, -ERANGE);
    else
        write_le(res, (uint64_t)v, width);
}

/* An integer for any binary column that is not text; false when it has to be text. */
static bool write_binary_number(struct mysql_result *res, const struct mysql_column *column,
                                __int128 v)
{
    enum binary_form form = form_of(column->type);

    switch (form) {
    case FORM_INT8:
    case FORM_INT16:
    case FORM_INT32:
    case FORM_INT64:
        write_binary_int(res, column, v, (size_t)1 << (form - FORM_INT8));
        return true;
    case FORM_FLOAT:
        write_binary_float(res, (float)v);
        return true;
    case FORM_DOUBLE:
        write_binary_double(res, (double)v);
        return true;
    case FORM_DATE:
    case FORM_TIME:
        row_error(res, -EINVAL);
        return true;
    default:
        return false;
    }
}

void mysql_row_int64(struct mysql_result *res, int64_t v)
{
    const struct mysql_column *column = next_column(res);
    char *text;

    if (res->mode == MYSQL_BINARY && write_binary_number(res, column, v))
        return;
    text = text_begin(res, MYSQL_FORMAT_INT_MAX);
    if (text)
        text_end(res, text, mysql_format_int64(text, v));
}

void mysql_row_uint64(struct mysql_result *res, uint64_t v)
{
    const struct mysql_column *column = next_column(res);
    char *text;

    if (res->mode == MYSQL_BINARY && write_binary_number(res, column, v))
        return;
    text = text_begin(res, MYSQL_FORMAT_INT_MAX);
    if (text)
        text_end(res, text, mysql_format_uint64(text, v));
}

/* v / 10^scale rounded to an integer, halves away from zero, as MySQL's CAST does. */
static __int128 decimal_round(__int128 v, unsigned scale)
{
    __int128 half = 5;

    if (scale == 0)
        return v;
    for (unsigned i = 1; i < scale; i++)
        half *= 10;
    /* Divided by half first: adding to v could overflow. */
    v /= half;
    return (v + (v < 0 ? -1 : 1)) / 2;
}

/* A decimal in a binary column that is not text; false when it has to be text. */
static bool write_binary_decimal(struct mysql_result *res, const struct mysql_column *column,
                                 __int128 v, unsigned scale)
{
    enum binary_form form = form_of(column->type);

    if (form == FORM_DOUBLE)
        write_binary_double(res, (double)v / pow(10, scale));
    else if (form == FORM_FLOAT)
        write_binary_float(res, (float)((double)v / pow(10, scale)));
    else
        return write_binary_number(res, column, decimal_round(v, scale));
    return true;
}

void mysql_row_decimal64(struct mysql_result *res, int64_t v, unsigned scale)
{
    const struct mysql_column *column = next_column(res);
    char *text;

    ASSERT(scale <= MYSQL_DECIMAL_SCALE_MAX);
    if (res->mode == MYSQL_BINARY && write_binary_decimal(res, column, v, scale))
        return;
    text = text_begin(res, MYSQL_FORMAT_DECIMAL_MAX);
    if (text)
        text_end(res, text, mysql_format_decimal64(text, v, scale));
}

void mysql_row_decimal128(struct mysql_result *res, __int128 v, unsigned scale)
{
    const struct mysql_column *column = next_column(res);
    char *text;

    ASSERT(scale <= MYSQL_DECIMAL_SCALE_MAX);
    if (res->mode == MYSQL_BINARY && write_binary_decimal(res, column, v, scale))
        return;
    text = text_begin(res, MYSQL_FORMAT_DECIMAL_MAX);
    if (text)
        text_end(res, text, mysql_format_decimal128(text, v, scale));
}

static void write_bytes(struct mysql_result *res, const void *data, size_t len)
{
    uint8_t *room;

    if (len > SHORT_TEXT_MAX) {
        mysql_packet_lenenc_bytes(&res->row, data, len);
        return;
    }
    room = mysql_packet_room(&res->row, 1 + len);
    if (!room)
        return;
    room[0] = (uint8_t)len;
    if (len)
        memcpy(room + 1, data, len);
    mysql_packet_commit(&res->row, 1 + len);
}

static void write_double_text(struct mysql_result *res, const struct mysql_column *column, double v)
{
    char text[MYSQL_FORMAT_DOUBLE_MAX];
    size_t len;

    if (column->decimals < MYSQL_DECIMALS_NOT_FIXED &&
        (column->type == MYSQL_TYPE_DOUBLE || column->type == MYSQL_TYPE_FLOAT ||
         column->type == MYSQL_TYPE_NEWDECIMAL))
        len = mysql_format_double_fixed(text, v, column->decimals);
    else if (column->type == MYSQL_TYPE_FLOAT)
        len = mysql_format_float(text, (float)v);
    else
        len = mysql_format_double(text, v);
    write_bytes(res, text, len);
}

/* True for a double that has a place in the column; integers are rounded as by rint. */
static bool write_binary_real(struct mysql_result *res, const struct mysql_column *column, double v)
{
    enum binary_form form = form_of(column->type);

    if (form == FORM_DOUBLE)
        write_binary_double(res, v);
    else if (form == FORM_FLOAT)
        write_binary_float(res, (float)v);
    else if (form == FORM_TEXT)
        return false;
    else if (fabs(v) < 0x1p64)
        return write_binary_number(res, column, (__int128)rint(v));
    else
        row_error(res, -ERANGE);
    return true;
}

void mysql_row_double(struct mysql_result *res, double v)
{
    const struct mysql_column *column = next_column(res);

    if (!isfinite(v) || (column->type == MYSQL_TYPE_FLOAT && !isfinite((float)v)))
        write_null(res);
    else if (res->mode == MYSQL_TEXT || !write_binary_real(res, column, v))
        write_double_text(res, column, v);
}

void mysql_row_string(struct mysql_result *res, const void *data, size_t len)
{
    const struct mysql_column *column = next_column(res);

    if (res->mode == MYSQL_BINARY && form_of(column->type) != FORM_TEXT)
        row_error(res, -EINVAL);
    else
        write_bytes(res, data, len);
}

/* ---- dates and times ---- */

/* Fraction digits of a temporal column; MYSQL_DECIMALS_NOT_FIXED shows all six. */
static unsigned fraction_digits(const struct mysql_column *column)
{
    return column->decimals > 6 ? 6 : column->decimals;
}

/* Microseconds of a second cut to the digits the column shows. */
static uint32_t cut_micros(uint32_t micros, unsigned decimals)
{
    static const uint32_t units[] = {1000000, 100000, 10000, 1000, 100, 10, 1};

    return micros - micros % units[decimals];
}

/* Length byte and fields; trailing parts that are zero are left out. */
static void write_binary_date(struct mysql_result *res, const struct mysql_civil *c,
                              uint32_t micros)
{
    uint8_t *room = mysql_packet_room(&res->row, 12);
    uint8_t len = micros ? 11 : c->hour || c->minute || c->second ? 7 : 4;

    if (!room)
        return;
    room[0] = len;
    room[1] = (uint8_t)c->year;
    room[2] = (uint8_t)(c->year >> 8);
    room[3] = c->month;
    room[4] = c->day;
    room[5] = c->hour;
    room[6] = c->minute;
    room[7] = c->second;
    for (size_t i = 0; i < 4; i++)
        room[8 + i] = (uint8_t)(micros >> (8 * i));
    mysql_packet_commit(&res->row, 1 + (size_t)len);
}

/* One calendar value in the form the column wants; has_clock: it has a time of day. */
static void write_civil(struct mysql_result *res, const struct mysql_column *column,
                        struct mysql_civil *civil, bool has_clock)
{
    unsigned decimals = fraction_digits(column);
    char *text;

    if (column->type == MYSQL_TYPE_DATE) {
        has_clock = false;
        civil->hour = civil->minute = civil->second = 0;
        civil->micros = 0;
    }
    if (res->mode == MYSQL_BINARY && form_of(column->type) == FORM_DATE) {
        write_binary_date(res, civil, cut_micros(civil->micros, decimals));
        return;
    }
    if (res->mode == MYSQL_BINARY && form_of(column->type) != FORM_TEXT) {
        row_error(res, -EINVAL);
        return;
    }
    if (column->type == MYSQL_TYPE_DATETIME || column->type == MYSQL_TYPE_TIMESTAMP)
        has_clock = true;
    text = text_begin(res, MYSQL_FORMAT_DATETIME_MAX);
    if (text)
        text_end(res, text,
                 has_clock ? mysql_format_datetime(text, civil, decimals)
                           : mysql_format_date(text, civil));
}

void mysql_row_date(struct mysql_result *res, int64_t days)
{
    const struct mysql_column *column = next_column(res);
    struct mysql_civil civil;

    if (mysql_civil_from_days(days, &civil)) {
        write_civil(res, column, &civil, false);
    } else {
        res->n_out_of_range++;
        write_null(res);
    }
}

void mysql_row_datetime(struct mysql_result *res, int64_t micros)
{
    const struct mysql_column *column = next_column(res);
    struct mysql_civil civil;

    if (mysql_civil_from_micros(micros, &civil)) {
        write_civil(res, column, &civil, true);
    } else {
        res->n_out_of_range++;
        write_null(res);
    }
}

/* Length byte, sign, days, clock, microseconds; 0 bytes for zero, 8 without a fraction. */
static void write_binary_time(struct mysql_result *res, int64_t micros, unsigned decimals)
{
    uint64_t magnitude = micros < 0 ? -(uint64_t)micros : (uint64_t)micros;
    uint32_t fraction = cut_micros((uint32_t)(magnitude % 1000000), decimals);
    uint32_t seconds = (uint32_t)(magnitude / 1000000);
    uint32_t days = seconds / 86400;
    uint8_t len = fraction ? 12 : seconds ? 8 : 0;
    uint8_t *room = mysql_packet_room(&res->row, 13);

    if (!room)
        return;
    room[0] = len;
    room[1] = micros < 0;
    for (size_t i = 0; i < 4; i++) {
        room[2 + i] = (uint8_t)(days >> (8 * i));
        room[9 + i] = (uint8_t)(fraction >> (8 * i));
    }
    room[6] = (uint8_t)(seconds / 3600 % 24);
    room[7] = (uint8_t)(seconds / 60 % 60);
    room[8] = (uint8_t)(seconds % 60);
    mysql_packet_commit(&res->row, 1 + (size_t)len);
}

void mysql_row_time(struct mysql_result *res, int64_t micros)
{
    const struct mysql_column *column = next_column(res);
    unsigned decimals = fraction_digits(column);
    char *text;

    if (micros > MYSQL_TIME_MICROS_MAX)
        micros = MYSQL_TIME_MICROS_MAX;
    else if (micros < -MYSQL_TIME_MICROS_MAX)
        micros = -MYSQL_TIME_MICROS_MAX;
    if (res->mode == MYSQL_BINARY && form_of(column->type) == FORM_TIME) {
        write_binary_time(res, micros, decimals);
        return;
    }
    if (res->mode == MYSQL_BINARY && form_of(column->type) != FORM_TEXT) {
        row_error(res, -EINVAL);
        return;
    }
    text = text_begin(res, MYSQL_FORMAT_TIME_MAX);
    if (text)
        text_end(res, text, mysql_format_time(text, micros, decimals));
}
