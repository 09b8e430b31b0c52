/* CAST and CONVERT. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "sql/decimal.h"
#include "sql/function.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"

static const struct function cast_function = {.name = "cast"};

static void cast_signed(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    __int128 v;

    if (!function_arg(e, x, 0, &d, out))
        return;
    if (d.kind == DATUM_UINT) {
        datum_set_int(out, (int64_t)d.u);
        return;
    }
    if (!datum_to_wide_int(&d, &v))
        v = d.kind == DATUM_DOUBLE && d.f < 0 ? INT64_MIN : INT64_MAX;
    if (v > INT64_MAX)
        v = d.kind == DATUM_STRING && v <= (__int128)UINT64_MAX ? (int64_t)(uint64_t)v : INT64_MAX;
    if (v < INT64_MIN)
        v = INT64_MIN;
    datum_set_int(out, (int64_t)v);
}

static void cast_unsigned(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    __int128 v;

    if (!function_arg(e, x, 0, &d, out))
        return;
    if (!datum_to_wide_int(&d, &v) || v > (__int128)UINT64_MAX)
        v = (__int128)UINT64_MAX;
    if (v < 0)
        v = d.kind == DATUM_DECIMAL ? 0
                                    : (__int128)(uint64_t)(int64_t)(v < INT64_MIN ? INT64_MIN : v);
    datum_set_uint(out, (uint64_t)v);
}

static void cast_decimal(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    __int128 v, top;
    unsigned scale, digits = e->type.precision > 38 ? 38 : e->type.precision;

    if (!function_arg(e, x, 0, &d, out))
        return;
    top = decimal_pow10(digits) - 1;
    if (!datum_to_decimal(&d, &v, &scale) || !decimal_rescale(v, scale, e->type.scale, &v) ||
        v > top)
        v = d.kind == DATUM_DOUBLE && d.f < 0 ? -top : top;
    else if (v < -top)
        v = -top;
    datum_set_decimal(out, v, e->type.scale);
}

static void cast_double(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    double v;

    if (function_arg_double(e, x, 0, &v, out))
        datum_set_double(out, v);
}

/* First n characters of UTF-8 text, in bytes. */
static size_t utf8_prefix(const char *s, size_t len, uint64_t n)
{
    size_t i = 0;

    while (i < len) {
        if (((unsigned char)s[i] & 0xc0) != 0x80) {
            if (n == 0)
                break;
            n--;
        }
        i++;
    }
    return i;
}

static void cast_char(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_string(out, s, utf8_prefix(s, len, e->type.length));
}

/* BINARY(n): n bytes, filled up with zeros; without n all bytes. */
static void cast_binary(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    char *filled;
    size_t len, n = e->type.length;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    if (!e->op || len == n) { /* op: n was given */
        datum_set_string(out, s, len);
    } else if (len > n) {
        datum_set_string(out, s, n);
    } else if (n > FUNCTION_MAX_STRING || !(filled = expr_alloc(x, n))) {
        datum_set_null(out);
    } else {
        memcpy(filled, s, len);
        memset(filled + len, 0, n - len);
        datum_set_string(out, filled, n);
    }
}

static void cast_date(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t days;

    if (!function_arg(e, x, 0, &d, out))
        return;
    if (d.kind == DATUM_TIME)
        datum_set_temporal(out, DATUM_DATE, temporal_us_to_days(x->now_us));
    else if (datum_to_date(&d, &days))
        datum_set_temporal(out, DATUM_DATE, days);
    else
        datum_set_null(out);
}

static void cast_datetime(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t us;

    if (!function_arg(e, x, 0, &d, out))
        return;
    if (d.kind == DATUM_TIME)
        datum_set_temporal(out, DATUM_DATETIME,
                           temporal_us_to_days(x->now_us) * TEMPORAL_DAY_US + d.i);
    else if (datum_to_datetime(&d, &us))
        datum_set_temporal(out, DATUM_DATETIME, us);
    else
        datum_set_null(out);
    datum_round_to_type(out, &e->type);
}

static void cast_time(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t us;

    if (!function_arg(e, x, 0, &d, out))
        return;
    if (datum_to_time(&d, &us))
        datum_set_temporal(out, DATUM_TIME, e->type.scale >= 6 ? us : us / 1000000 * 1000000);
    else
        datum_set_null(out);
}

/* The original's type names. */
static enum sql_type_kind named_type(const char *name)
{
    static const struct {
        const char *name;
        enum sql_type_kind kind;
    } names[] = {{"int", SQL_TYPE_SIGNED},    {"integer", SQL_TYPE_SIGNED},
                 {"number", SQL_TYPE_DOUBLE}, {"float", SQL_TYPE_DOUBLE},
                 {"string", SQL_TYPE_CHAR},   {"varchar", SQL_TYPE_CHAR},
                 {"time", SQL_TYPE_DATETIME}, {"bool", SQL_TYPE_BOOL},
                 {"boolean", SQL_TYPE_BOOL},  {"text", SQL_TYPE_CHAR},
                 {"json", SQL_TYPE_CHAR}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i].name, name) == 0)
            return names[i].kind;
    return 0;
}

/* Casts to other types take 0x41 as the bytes it is. */
static bool is_number(enum sql_type_kind kind)
{
    switch (kind) {
    case SQL_TYPE_CHAR:
    case SQL_TYPE_VARCHAR:
    case SQL_TYPE_BINARY:
    case SQL_TYPE_VARBINARY:
    case SQL_TYPE_TEXT:
    case SQL_TYPE_JSON:
    case SQL_TYPE_DATE:
    case SQL_TYPE_DATETIME:
    case SQL_TYPE_TIMESTAMP:
    case SQL_TYPE_TIME:
        return false;
    default:
        return true;
    }
}

static bool set_cast(struct expr *e, const struct sql_type *t, enum sql_type_kind kind,
                     struct function_bind *b)
{
    const struct value_type *from = &e->args[0]->type;
    unsigned fraction = t->size > 0 ? (unsigned)t->size : 0;

    switch (kind) {
    case SQL_TYPE_SIGNED:
    case SQL_TYPE_BIGINT:
    case SQL_TYPE_INT:
    case SQL_TYPE_SMALLINT:
    case SQL_TYPE_TINYINT:
    case SQL_TYPE_MEDIUMINT:
    case SQL_TYPE_BOOL:
        e->type = value_type_int(19);
        e->eval = cast_signed;
        return true;
    case SQL_TYPE_UNSIGNED:
        e->type = value_type_uint(20);
        e->eval = cast_unsigned;
        return true;
    case SQL_TYPE_DECIMAL:
        if (t->size > 65) {
            mysql_error_set(b->error, MYSQL_ER_TOO_BIG_PRECISION, (unsigned)t->size, "CAST", 65ul);
            return false;
        }
        e->type = value_type_decimal(t->size < 0 ? 10 : (unsigned)t->size,
                                     t->scale < 0 ? 0 : (unsigned)t->scale);
        e->eval = cast_decimal;
        return true;
    case SQL_TYPE_FLOAT:
    case SQL_TYPE_DOUBLE:
        e->type = value_type_double();
        e->eval = cast_double;
        return true;
    case SQL_TYPE_DATE:
        e->type = value_type_temporal(DATUM_DATE, 0);
        e->eval = cast_date;
        return true;
    case SQL_TYPE_DATETIME:
    case SQL_TYPE_TIMESTAMP:
        e->type = value_type_temporal(DATUM_DATETIME, fraction);
        e->eval = cast_datetime;
        return true;
    case SQL_TYPE_TIME:
        e->type = value_type_temporal(DATUM_TIME, fraction);
        e->eval = cast_time;
        return true;
    case SQL_TYPE_CHAR:
    case SQL_TYPE_VARCHAR:
    case SQL_TYPE_TEXT:
    case SQL_TYPE_JSON:
        e->type =
            value_type_string(t->size >= 0 ? (uint32_t)t->size : value_type_text_length(from));
        e->eval = cast_char;
        return true;
    case SQL_TYPE_BINARY:
    case SQL_TYPE_VARBINARY:
        e->type =
            value_type_string(t->size >= 0 ? (uint32_t)t->size : 4 * value_type_text_length(from));
        e->type.is_binary = true;
        e->op = t->size >= 0;
        e->eval = cast_binary;
        return true;
    default:
        mysql_error_set(b->error, MYSQL_ER_NOT_SUPPORTED_YET, "CAST to this type");
        return false;
    }
}

struct expr *function_new_cast(struct function_bind *b, struct expr *arg,
                               const struct sql_type *type)
{
    struct expr *e = expr_new(b->arena, EXPR_CALL, 1);
    enum sql_type_kind kind = type->kind == SQL_TYPE_NAMED ? named_type(type->name) : type->kind;

    if (is_number(kind))
        arg = expr_as_number(b->arena, arg);
    if (!e || !arg) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return NULL;
    }
    e->args[0] = arg;
    e->u.function = &cast_function;
    e->volatile_ = arg->volatile_;
    return set_cast(e, type, kind, b) ? e : NULL;
}
