/* Date arithmetic with units: + INTERVAL, EXTRACT, TIMESTAMPDIFF. */
#include <ctype.h>
#include <string.h>

#include "sql/function.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"

/* What an interval adds: months first, then microseconds. */
struct span {
    int64_t months, us;
};

static const int64_t unit_us[] = {
    [SQL_UNIT_MICROSECOND] = 1,       [SQL_UNIT_SECOND] = 1000000,
    [SQL_UNIT_MINUTE] = 60000000,     [SQL_UNIT_HOUR] = 3600000000,
    [SQL_UNIT_DAY] = TEMPORAL_DAY_US, [SQL_UNIT_WEEK] = 7 * TEMPORAL_DAY_US,
};

static int unit_months(enum sql_unit unit)
{
    return unit == SQL_UNIT_MONTH     ? 1
           : unit == SQL_UNIT_QUARTER ? 3
           : unit == SQL_UNIT_YEAR    ? 12
                                      : 0;
}

/* Fields of a compound unit such as DAY_SECOND, from the smallest up. */
static unsigned compound_fields(enum sql_unit unit, int64_t sizes[5])
{
    static const int64_t all[] = {1, 1000000, 60000000, 3600000000, TEMPORAL_DAY_US};
    static const struct {
        uint8_t from, to;
    } ranges[] = {
        [SQL_UNIT_SECOND_MICROSECOND] = {0, 1}, [SQL_UNIT_MINUTE_MICROSECOND] = {0, 2},
        [SQL_UNIT_MINUTE_SECOND] = {1, 2},      [SQL_UNIT_HOUR_MICROSECOND] = {0, 3},
        [SQL_UNIT_HOUR_SECOND] = {1, 3},        [SQL_UNIT_HOUR_MINUTE] = {2, 3},
        [SQL_UNIT_DAY_MICROSECOND] = {0, 4},    [SQL_UNIT_DAY_SECOND] = {1, 4},
        [SQL_UNIT_DAY_MINUTE] = {2, 4},         [SQL_UNIT_DAY_HOUR] = {3, 4},
    };
    unsigned n = 0;

    for (unsigned i = ranges[unit].from; i <= ranges[unit].to; i++)
        sizes[n++] = all[i];
    return n;
}

/* Numbers in a text such as '1 2:3', any punctuation between; a microsecond field counts as a fraction. */
static unsigned read_fields(const char *s, size_t len, int64_t fields[5], bool fraction_last)
{
    unsigned n = 0;

    for (size_t i = 0; i < len && n < 5;) {
        int64_t v = 0;
        unsigned digits = 0;
        while (i < len && !isdigit((unsigned char)s[i]))
            i++;
        for (; i < len && isdigit((unsigned char)s[i]) && digits < 18; i++, digits++)
            v = v * 10 + (s[i] - '0');
        if (!digits)
            break;
        bool last = i == len;
        for (unsigned k = digits; last && fraction_last && k < 6; k++)
            v *= 10;
        fields[n++] = v;
    }
    return n;
}

static bool read_compound(enum sql_unit unit, const char *s, size_t len, struct span *out)
{
    int64_t sizes[5], fields[5];
    bool negative = false;

    for (size_t i = 0; i < len && !isdigit((unsigned char)s[i]); i++)
        negative |= s[i] == '-';
    *out = (struct span){0, 0};
    if (unit == SQL_UNIT_YEAR_MONTH) {
        unsigned n = read_fields(s, len, fields, false);
        out->months = n == 1 ? fields[0] : n >= 2 ? fields[0] * 12 + fields[1] : 0;
    } else {
        unsigned want = compound_fields(unit, sizes),
                 n = read_fields(s, len, fields, sizes[0] == 1);
        if (n > want)
            return false;
        for (unsigned i = 0; i < n; i++) {
            int64_t part;
            if (__builtin_mul_overflow(fields[n - 1 - i], sizes[i], &part) ||
                __builtin_add_overflow(out->us, part, &out->us))
                return false;
        }
    }
    if (negative)
        *out = (struct span){-out->months, -out->us};
    return true;
}

static bool read_span(const struct expr *e, struct expr_ctx *x, enum sql_unit unit,
                      struct span *out, struct datum *null)
{
    struct datum d;
    int64_t n;

    if (unit >= SQL_UNIT_SECOND_MICROSECOND) {
        const char *s;
        size_t len;
        return function_arg_text(e, x, 1, &s, &len, null) && read_compound(unit, s, len, out);
    }
    if (!function_arg(e, x, 1, &d, null))
        return false;
    if (unit == SQL_UNIT_SECOND && d.kind != DATUM_INT) {
        __int128 v;
        unsigned scale;
        double seconds = datum_to_double(&d);
        if (seconds > 1e12 || seconds < -1e12 || !datum_to_decimal(&d, &v, &scale))
            return false;
        *out = (struct span){0, (int64_t)(seconds * 1e6 + (seconds < 0 ? -0.5 : 0.5))};
        return true;
    }
    if (!datum_to_int(&d, &n))
        return false;
    *out = (struct span){0, 0};
    if (unit_months(unit))
        return !__builtin_mul_overflow(n, unit_months(unit), &out->months);
    return !__builtin_mul_overflow(n, unit_us[unit], &out->us);
}

/* Adds a span; the day is held to the month's length. False outside the years 1..9999. */
static bool add_span(int64_t *us, const struct span *s)
{
    if (s->months) {
        struct temporal_parts p;
        temporal_to_parts(*us, &p);
        int64_t month = (int64_t)p.year * 12 + p.month - 1;
        if (__builtin_add_overflow(month, s->months, &month) || month < 12 || month >= 120000)
            return false;
        p.year = (int)(month / 12);
        p.month = (unsigned)(month % 12) + 1;
        if (p.day > temporal_days_in_month(p.year, p.month))
            p.day = temporal_days_in_month(p.year, p.month);
        if (!temporal_from_parts(&p, us))
            return false;
    }
    if (__builtin_add_overflow(*us, s->us, us))
        return false;
    static const int64_t first = INT64_C(-62135596800000000), last = INT64_C(253402300799999999);
    return *us >= first && *us <= last;
}

static const struct function function_interval = {.name = "interval"},
                             function_extract = {.name = "extract"},
                             function_difference = {.name = "timestampdiff"};

static bool is_date_unit(enum sql_unit unit)
{
    return unit == SQL_UNIT_DAY || unit == SQL_UNIT_WEEK || unit_months(unit) ||
           unit == SQL_UNIT_YEAR_MONTH;
}

static void eval_interval(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    struct span s = {0, 0};
    int64_t us;

    if (!function_arg(e, x, 0, &d, out))
        return;
    datum_set_null(out);
    bool is_time = e->type.kind == DATUM_TIME;
    if (!(is_time ? datum_to_time(&d, &us) : datum_to_datetime(&d, &us)) ||
        !read_span(e, x, e->op, &s, out))
        return;
    if (e->negated)
        s = (struct span){-s.months, -s.us};
    if (is_time) {
        us += s.us;
        if (!s.months && us >= -TEMPORAL_TIME_MAX_US && us <= TEMPORAL_TIME_MAX_US)
            datum_set_temporal(out, DATUM_TIME, us);
        return;
    }
    if (!add_span(&us, &s))
        return;
    bool whole_days = e->type.kind == DATUM_STRING && d.kind == DATUM_STRING && d.len <= 10 &&
                      us % TEMPORAL_DAY_US == 0 && is_date_unit(e->op);
    if (e->type.kind == DATUM_DATE || whole_days)
        datum_set_temporal(out, DATUM_DATE, temporal_us_to_days(us));
    else
        datum_set_temporal(out, DATUM_DATETIME, us);
    if (e->type.kind == DATUM_STRING) { /* text in, text out, as long as it must be */
        struct value_type t = value_type_temporal(out->kind, us % 1000000 ? 6 : 0);
        size_t len;
        const char *s_text = function_text(x, out, &t, &len);
        datum_set_null(out);
        if (s_text)
            datum_set_string(out, s_text, len);
    }
}

static bool has_micros(enum sql_unit unit)
{
    return unit == SQL_UNIT_MICROSECOND || unit == SQL_UNIT_SECOND_MICROSECOND ||
           unit == SQL_UNIT_MINUTE_MICROSECOND || unit == SQL_UNIT_HOUR_MICROSECOND ||
           unit == SQL_UNIT_DAY_MICROSECOND;
}

static struct value_type interval_type(const struct value_type *t, const struct value_type *amount,
                                       enum sql_unit unit)
{
    unsigned scale = has_micros(unit)                                           ? 6
                     : unit == SQL_UNIT_SECOND && amount->kind == DATUM_DECIMAL ? amount->scale
                                                                                : 0;

    if (scale > 6)
        scale = 6;
    if (t->kind == DATUM_DATE)
        return is_date_unit(unit) ? *t : value_type_temporal(DATUM_DATETIME, scale);
    if (t->kind == DATUM_DATETIME || t->kind == DATUM_TIME)
        return value_type_temporal(t->kind, scale > t->scale ? scale : t->scale);
    return value_type_string(26);
}

static struct expr *new_call(struct function_bind *b, const struct function *f, expr_eval_fn *eval,
                             struct expr *p, struct expr *q, enum sql_unit unit)
{
    struct expr *e = expr_new(b->arena, EXPR_CALL, q ? 2 : 1);

    if (!e) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return NULL;
    }
    e->args[0] = p;
    if (q)
        e->args[1] = q;
    e->u.function = f;
    e->eval = eval;
    e->op = (uint8_t)unit;
    e->volatile_ = p->volatile_ || (q && q->volatile_);
    return e;
}

struct expr *function_new_interval(struct function_bind *b, struct expr *date, struct expr *amount,
                                   enum sql_unit unit, bool subtract)
{
    struct expr *e = new_call(b, &function_interval, eval_interval, date, amount, unit);

    if (e) {
        e->negated = subtract;
        e->type = interval_type(&date->type, &amount->type, unit);
        e->type.not_null = false;
    }
    return e;
}

/* ---- EXTRACT ---- */

/* Decimal digits side by side: DAY_MINUTE of 2nd 03:04 is 20304. */
static int64_t compound_number(const struct temporal_parts *p, enum sql_unit unit)
{
    int64_t day = p->day, hour = p->hour, minute = p->minute, second = p->second, us = p->micros;

    switch (unit) {
    case SQL_UNIT_YEAR_MONTH:
        return p->year * 100 + (int64_t)p->month;
    case SQL_UNIT_DAY_HOUR:
        return day * 100 + hour;
    case SQL_UNIT_DAY_MINUTE:
        return (day * 100 + hour) * 100 + minute;
    case SQL_UNIT_DAY_SECOND:
        return ((day * 100 + hour) * 100 + minute) * 100 + second;
    case SQL_UNIT_DAY_MICROSECOND:
        return (((day * 100 + hour) * 100 + minute) * 100 + second) * 1000000 + us;
    case SQL_UNIT_HOUR_MINUTE:
        return hour * 100 + minute;
    case SQL_UNIT_HOUR_SECOND:
        return (hour * 100 + minute) * 100 + second;
    case SQL_UNIT_HOUR_MICROSECOND:
        return ((hour * 100 + minute) * 100 + second) * 1000000 + us;
    case SQL_UNIT_MINUTE_SECOND:
        return minute * 100 + second;
    case SQL_UNIT_MINUTE_MICROSECOND:
        return (minute * 100 + second) * 1000000 + us;
    default:
        return second * 1000000 + us;
    }
}

static int64_t extract_part(int64_t at, enum sql_unit unit)
{
    struct temporal_parts p;

    temporal_to_parts(at, &p);
    switch (unit) {
    case SQL_UNIT_MICROSECOND:
        return p.micros;
    case SQL_UNIT_SECOND:
        return p.second;
    case SQL_UNIT_MINUTE:
        return p.minute;
    case SQL_UNIT_HOUR:
        return p.hour;
    case SQL_UNIT_DAY:
        return p.day;
    case SQL_UNIT_MONTH:
        return p.month;
    case SQL_UNIT_QUARTER:
        return (p.month + 2) / 3;
    case SQL_UNIT_YEAR:
        return p.year;
    default:
        return compound_number(&p, unit);
    }
}

static void eval_extract(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t us;

    if (!function_arg(e, x, 0, &d, out))
        return;
    datum_set_null(out);
    if (datum_to_datetime(&d, &us))
        datum_set_int(out, extract_part(us, e->op));
}

struct expr *function_new_extract(struct function_bind *b, struct expr *date, enum sql_unit unit)
{
    if (unit == SQL_UNIT_WEEK) {
        const struct function *week = function_find("week", 4);
        return function_new(b, week, &date, 1);
    }
    struct expr *e = new_call(b, &function_extract, eval_extract, date, NULL, unit);
    if (e)
        e->type = value_type_int(20);
    return e;
}

/* ---- TIMESTAMPDIFF ---- */

/* Whole months from a to b (b not before a). */
static int64_t months_between(int64_t a, int64_t b)
{
    struct temporal_parts p, q;

    temporal_to_parts(a, &p);
    temporal_to_parts(b, &q);
    int64_t months = ((int64_t)q.year - p.year) * 12 + (int64_t)q.month - (int64_t)p.month;
    bool early = q.day < p.day || (q.day == p.day && temporal_us_of_day(b) < temporal_us_of_day(a));
    return months - early;
}

static void eval_difference(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t a, b;

    if (!function_arg(e, x, 0, &d, out))
        return;
    bool fits = datum_to_datetime(&d, &a);
    if (!function_arg(e, x, 1, &d, out))
        return;
    fits &= datum_to_datetime(&d, &b);
    datum_set_null(out);
    if (!fits)
        return;
    if (unit_months(e->op))
        datum_set_int(out,
                      (a <= b ? months_between(a, b) : -months_between(b, a)) / unit_months(e->op));
    else
        datum_set_int(out, (b - a) / unit_us[e->op]);
}

struct expr *function_new_timestampdiff(struct function_bind *b, enum sql_unit unit,
                                        struct expr *from, struct expr *to)
{
    struct expr *e = new_call(b, &function_difference, eval_difference, from, to, unit);

    if (e)
        e->type = value_type_int(21);
    return e;
}
