/*
 * Input values to what a column stores: one function per column type, and the words for what does
 * not fit.
 */
#include "storage/mapping.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"
#include "storage/datetime.h"
#include "storage/mapping_value.h"
#include "storage/schema_check.h"

enum { FOUND_BYTES = 60, NUMBER_TEXT_BYTES = 64 };

static size_t print_decimal(__int128 v, unsigned scale, char *out, size_t cap)
{
    unsigned __int128 rest = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    char digits[320];
    size_t at = sizeof digits;
    unsigned n = 0;

    do {
        if (n && n == scale)
            digits[--at] = '.';
        digits[--at] = (char)('0' + (unsigned)(rest % 10));
        rest /= 10;
        n++;
    } while (rest || n <= scale);
    if (v < 0)
        digits[--at] = '-';
    n = (unsigned)(sizeof digits - at);
    if (n > cap)
        n = (unsigned)cap;
    memcpy(out, digits + at, n);
    return n;
}

static size_t print_double(double v, char *out, size_t cap)
{
    char text[40];
    size_t n;

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    n = strlen(text) < cap ? strlen(text) : cap;
    memcpy(out, text, n);
    return n;
}

static size_t copy_clipped(const char *s, size_t len, char *out, size_t cap)
{
    if (len > cap) {
        len = cap;
        while (len && ((uint8_t)s[len] & 0xc0) == 0x80)
            len--;
    }
    if (len)
        memcpy(out, s, len);
    return len;
}

size_t mapping_print_value(const struct value *v, char *out, size_t cap)
{
    char text[27];

    switch (v->kind) {
    case VALUE_NULL:
        return copy_clipped("NULL", 4, out, cap);
    case VALUE_BOOL:
    case VALUE_INT:
        return print_decimal(v->i64, 0, out, cap);
    case VALUE_DECIMAL:
        return print_decimal(v->i128, v->scale, out, cap);
    case VALUE_DOUBLE:
        return print_double(v->f64, out, cap);
    case VALUE_TEXT:
        return copy_clipped(v->bytes, v->len, out, cap);
    case VALUE_DATE:
        return copy_clipped(text, date_print(v->i64, text), out, cap);
    case VALUE_DATETIME:
        return copy_clipped(text, datetime_print(v->i64, v->i64 % 1000000 ? 6 : 0, text), out, cap);
    case VALUE_LIST:
        return copy_clipped("a list", 6, out, cap);
    }
    return 0;
}

/* What a column takes, for messages. */
static void print_allowed(const struct column *c, char *out, size_t cap)
{
    char min[24], max[24];

    if (mapping_print_allowed(c, out, cap))
        return;
    switch (c->type) {
    case COLUMN_BOOL:
        snprintf(out, cap, "true, false, 1, 0, yes, no");
        break;
    case COLUMN_INT:
        snprintf(out, cap, "whole numbers from %" PRId64 " to %" PRId64, INT64_MIN, INT64_MAX);
        break;
    case COLUMN_DECIMAL:
        min[print_decimal(INT64_MIN, c->scale, min, sizeof min - 1)] = 0;
        max[print_decimal(INT64_MAX, c->scale, max, sizeof max - 1)] = 0;
        snprintf(out, cap, "numbers of up to %u decimal digits from %s to %s", c->scale, min, max);
        break;
    case COLUMN_DATE:
        snprintf(out, cap, "dates from 0001-01-01 to 9999-12-31 without a time of day");
        break;
    case COLUMN_DATETIME:
        snprintf(out, cap,
                 "times from 0001-01-01 to 9999-12-31 with up to %u digits below a second",
                 c->scale);
        break;
    case COLUMN_STRING:
        snprintf(out, cap, "UTF-8 text");
        break;
    }
}

/* "Incorrect integer value: 'abc' for column 'n'; allowed: ..." begins and counts as MySQL's. */
static int refuse(const struct convert *c, enum convert_result why, struct error_info *err)
{
    static const char *const kinds[] = {"boolean", "integer",  "decimal",
                                        "date",    "datetime", "string"};
    const struct column *col = c->column;
    bool time = col->type == COLUMN_DATE || col->type == COLUMN_DATETIME;
    char found[FOUND_BYTES + 1], allowed[160];

    if (why == CONVERT_MEMORY)
        return error_set(err, -ENOMEM, 1037, "column '%.64s': out of memory", col->name);
    found[mapping_print_value(c->in, found, FOUND_BYTES)] = 0;
    print_allowed(col, allowed, sizeof allowed);
    /* A text that is not UTF-8 would make the message unreadable. */
    if (!schema_is_utf8(found, strlen(found)))
        snprintf(found, sizeof found, "a text that is not UTF-8");
    if (why == CONVERT_RANGE)
        return error_set(err, -ERANGE, 1264,
                         "Out of range value for column '%.64s': found '%s'; allowed: %s",
                         col->name, found, allowed);
    if (why == CONVERT_DIGITS)
        return error_set(err, -EINVAL, 1265,
                         "Data truncated for column '%.64s': '%s' would lose digits; allowed: %s",
                         col->name, found, allowed);
    return error_set(err, -EINVAL, time ? 1292 : 1366,
                     "Incorrect %s value: '%s' for column '%.64s'%s%s; allowed: %s",
                     kinds[col->type], found, col->name, why == CONVERT_REASON ? ": " : "",
                     why == CONVERT_REASON ? c->reason : "", allowed);
}

static enum convert_result convert_bool_text(const char *s, size_t len, int64_t *out)
{
    static const char *const words[2][6] = {{"false", "f", "no", "n", "off", "0"},
                                            {"true", "t", "yes", "y", "on", "1"}};

    mapping_trim(&s, &len);
    for (unsigned v = 0; v < 2; v++)
        for (unsigned i = 0; i < 6; i++)
            if (strlen(words[v][i]) == len && strncasecmp(words[v][i], s, len) == 0) {
                *out = v;
                return CONVERT_OK;
            }
    return CONVERT_WRONG;
}

enum convert_result mapping_convert_bool(const struct value *in, int64_t *out)
{
    enum convert_result r;

    if (in->kind == VALUE_TEXT)
        return convert_bool_text(in->bytes, in->len, out);
    r = mapping_convert_number(in, 0, out);
    return r == CONVERT_OK && *out != 0 && *out != 1 ? CONVERT_RANGE : r;
}

/*
 * Whether the text is ASCII up to where the loop of whole words ends; the rest is for
 * schema_is_utf8.
 */
static bool is_utf8(const char *s, size_t len)
{
    uint64_t w, any = 0;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        memcpy(&w, s + i, 8);
        any |= w;
    }
    return any & 0x8080808080808080ull ? schema_is_utf8(s, len) : schema_is_utf8(s + i, len - i);
}

static enum convert_result convert_string(const struct value *in, struct cell *out)
{
    char *text;

    if (in->kind == VALUE_LIST)
        return CONVERT_WRONG;
    out->bytes = in->bytes;
    out->len = in->len;
    if (in->kind == VALUE_TEXT)
        return is_utf8(in->bytes, in->len) ? CONVERT_OK : CONVERT_WRONG;
    text = mapping_text_room(NUMBER_TEXT_BYTES);
    if (!text)
        return CONVERT_MEMORY;
    out->bytes = text;
    out->len = (uint32_t)mapping_print_value(in, text, NUMBER_TEXT_BYTES);
    return CONVERT_OK;
}

enum convert_result mapping_convert_by_type(const struct column *c, const struct value *in,
                                            struct cell *out)
{
    switch (c->type) {
    case COLUMN_BOOL:
        return mapping_convert_bool(in, &out->i64);
    case COLUMN_INT:
        return mapping_convert_number(in, 0, &out->i64);
    case COLUMN_DECIMAL:
        return mapping_convert_number(in, c->scale, &out->i64);
    case COLUMN_DATE:
        return mapping_convert_date(c, in, &out->i64);
    case COLUMN_DATETIME:
        return mapping_convert_datetime(c, in, &out->i64);
    case COLUMN_STRING:
        return convert_string(in, out);
    }
    return CONVERT_WRONG;
}

/* A list of one value is that value, e.g. from a repeated column of a file. */
static int convert_short_list(const struct column *c, const struct value *in, struct cell *out,
                              struct error_info *err)
{
    struct value null = {.kind = VALUE_NULL};
    struct convert wrong = {.column = c};

    in = in->n_items ? in->items : &null;
    if (in->kind != VALUE_LIST)
        return mapping_convert(c, in, out, err);
    wrong.in = in;
    return refuse(&wrong, CONVERT_WRONG, err);
}

int mapping_convert(const struct column *c, const struct value *in, struct cell *out,
                    struct error_info *err)
{
    enum convert_result r;

    *out = (struct cell){.present = in->kind != VALUE_NULL};
    if (in->kind == VALUE_LIST && in->n_items <= 1)
        return convert_short_list(c, in, out, err);
    if (in->kind == VALUE_NULL)
        return 0;
    if (c->mapping >= MAPPING_INT_TO_BOOL_DIRECT) { /* the first that is more than its type */
        struct convert special = {.column = c, .in = in, .out = out};

        if (mapping_convert_special(&special, &r))
            return r == CONVERT_OK ? 0 : refuse(&special, r, err);
    }
    r = mapping_convert_by_type(c, in, out);
    return r == CONVERT_OK ? 0 : refuse(&(struct convert){.column = c, .in = in}, r, err);
}

size_t mapping_print(const struct column *c, const struct cell *cell, char *out, size_t cap)
{
    char text[27];
    size_t n = 0;

    if (!cell->present)
        return copy_clipped("NULL", 4, out, cap);
    switch (c->type) {
    case COLUMN_BOOL:
        return copy_clipped(cell->i64 ? "true" : "false", cell->i64 ? 4 : 5, out, cap);
    case COLUMN_INT:
        return print_decimal(cell->i64, 0, out, cap);
    case COLUMN_DECIMAL:
        return print_decimal(cell->i64, c->scale, out, cap);
    case COLUMN_DATE:
        return copy_clipped(text, date_print(cell->i64, text), out, cap);
    case COLUMN_DATETIME: {
        int64_t us;

        if (!__builtin_mul_overflow(cell->i64, mapping_power(6u - c->scale), &us))
            n = datetime_print(us, c->scale, text);
        return copy_clipped(text, n, out, cap);
    }
    case COLUMN_STRING:
        return copy_clipped(cell->bytes, cell->len, out, cap);
    }
    return 0;
}
