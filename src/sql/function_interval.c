/* Dates and units: + INTERVAL, EXTRACT, TIMESTAMPDIFF. */
#include <string.h>

#include "sql/decimal.h"
#include "sql/function_time.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"
#include "storage/mapping.h"

/* ---- EXTRACT ---- */

static const struct function extract_function = {.name = "extract"};

static int64_t extract(enum sql_unit unit, int64_t us)
{
    struct temporal_parts p;
    int64_t clock;
    int year;

    temporal_to_parts(us, &p);
    clock = (int64_t)p.hour * 10000 + p.minute * 100 + p.second;
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
    case SQL_UNIT_WEEK:
        return function_week(temporal_us_to_days(us), 0, &year);
    case SQL_UNIT_MONTH:
        return p.month;
    case SQL_UNIT_QUARTER:
        return (p.month + 2) / 3;
    case SQL_UNIT_YEAR:
        return p.year;
    case SQL_UNIT_SECOND_MICROSECOND:
        return (int64_t)p.second * 1000000 + p.micros;
    case SQL_UNIT_MINUTE_MICROSECOND:
        return (int64_t)(p.minute * 100 + p.second) * 1000000 + p.micros;
    case SQL_UNIT_MINUTE_SECOND:
        return p.minute * 100 + p.second;
    case SQL_UNIT_HOUR_MICROSECOND:
        return clock * 1000000 + p.micros;
    case SQL_UNIT_HOUR_SECOND:
        return clock;
    case SQL_UNIT_HOUR_MINUTE:
        return clock / 100;
    case SQL_UNIT_DAY_MICROSECOND:
        return ((int64_t)p.day * 1000000 + clock) * 1000000 + p.micros;
    case SQL_UNIT_DAY_SECOND:
        return (int64_t)p.day * 1000000 + clock;
    case SQL_UNIT_DAY_MINUTE:
        return (int64_t)p.day * 10000 + clock / 100;
    case SQL_UNIT_DAY_HOUR:
        return p.day * 100 + p.hour;
    case SQL_UNIT_YEAR_MONTH:
        return (int64_t)p.year * 100 + p.month;
    }
    return 0;
}

static void eval_extract(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t us;

    if (function_arg_datetime(e, x, 0, &us, out))
        datum_set_int(out, extract(e->op, us));
}

struct expr *function_new_extract(struct function_bind *b, struct expr *date, enum sql_unit unit)
{
    struct expr *e = expr_new(b->arena, EXPR_CALL, 1);

    if (!e) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return NULL;
    }
    e->args[0] = date;
    e->op = (uint8_t)unit;
    e->u.function = &extract_function;
    e->eval = eval_extract;
    e->volatile_ = date->volatile_;
    e->type = value_type_int(unit >= SQL_UNIT_SECOND_MICROSECOND ? 19 : 10);
    return e;
}

/* ---- intervals ---- */

static const struct function interval_function = {.name = "interval"};

enum { INTERVAL_FIELDS = 5 };

/* Months or microseconds of a text such as "1 2:30" for compound units: the last fields when there
 * are fewer. */
static bool compound_interval(enum sql_unit unit, const char *s, size_t len, int64_t *months,
                              int64_t *us)
{
    static const struct {
        uint8_t n;
        int64_t size[INTERVAL_FIELDS]; /* microseconds; YEAR_MONTH in months */
    } shapes[] = {
        [SQL_UNIT_SECOND_MICROSECOND] = {2, {1000000, 1}},
        [SQL_UNIT_MINUTE_MICROSECOND] = {3, {60000000, 1000000, 1}},
        [SQL_UNIT_MINUTE_SECOND] = {2, {60000000, 1000000}},
        [SQL_UNIT_HOUR_MICROSECOND] = {4, {3600000000, 60000000, 1000000, 1}},
        [SQL_UNIT_HOUR_SECOND] = {3, {3600000000, 60000000, 1000000}},
        [SQL_UNIT_HOUR_MINUTE] = {2, {3600000000, 60000000}},
        [SQL_UNIT_DAY_MICROSECOND] = {5, {TEMPORAL_DAY_US, 3600000000, 60000000, 1000000, 1}},
        [SQL_UNIT_DAY_SECOND] = {4, {TEMPORAL_DAY_US, 3600000000, 60000000, 1000000}},
        [SQL_UNIT_DAY_MINUTE] = {3, {TEMPORAL_DAY_US, 3600000000, 60000000}},
        [SQL_UNIT_DAY_HOUR] = {2, {TEMPORAL_DAY_US, 3600000000}},
        [SQL_UNIT_YEAR_MONTH] = {2, {12, 1}},
    };
    int64_t fields[INTERVAL_FIELDS] = {0}, total = 0;
    unsigned n = 0, last_digits = 0;
    bool negative = false;

    for (size_t i = 0; i < len;) {
        if (s[i] == '-' && n == 0)
            negative = true;
        if (s[i] < '0' || s[i] > '9') {
            i++;
            continue;
        }
        int64_t v = 0;
        for (last_digits = 0; i < len && s[i] >= '0' && s[i] <= '9'; i++, last_digits++)
            if (v < 100000000000)
                v = v * 10 + (s[i] - '0');
        if (n == INTERVAL_FIELDS)
            return false;
        fields[n++] = v;
    }
    unsigned want = shapes[unit].n;
    if (n > want)
        return false;
    if (n && shapes[unit].size[want - 1] == 1 &&
        unit != SQL_UNIT_YEAR_MONTH) /* '.5' is half a second */
        for (; last_digits < 6; last_digits++)
            fields[n - 1] *= 10;
    for (unsigned i = 0; i < n; i++)
        if (__builtin_mul_overflow(fields[i], shapes[unit].size[want - n + i], &fields[i]) ||
            __builtin_add_overflow(total, fields[i], &total))
            return false;
    if (negative)
        total = -total;
    *months = unit == SQL_UNIT_YEAR_MONTH ? total : 0;
    *us = unit == SQL_UNIT_YEAR_MONTH ? 0 : total;
    return true;
}

static bool simple_interval(enum sql_unit unit, const struct datum *d, int64_t *months, int64_t *us)
{
    static const int64_t size[] = {[SQL_UNIT_MICROSECOND] = 1,
                                   [SQL_UNIT_SECOND] = 1000000,
                                   [SQL_UNIT_MINUTE] = 60000000,
                                   [SQL_UNIT_HOUR] = 3600000000,
                                   [SQL_UNIT_DAY] = TEMPORAL_DAY_US,
                                   [SQL_UNIT_WEEK] = 7 * TEMPORAL_DAY_US,
                                   [SQL_UNIT_MONTH] = 1,
                                   [SQL_UNIT_QUARTER] = 3,
                                   [SQL_UNIT_YEAR] = 12};
    int64_t n;

    *months = *us = 0;
    if (unit == SQL_UNIT_SECOND) { /* may have a fraction */
        __int128 v;
        unsigned scale;
        if (!datum_to_decimal(d, &v, &scale) || !decimal_rescale(v, scale, 6, &v) ||
            v > INT64_MAX || v < INT64_MIN)
            return false;
        *us = (int64_t)v;
        return true;
    }
    if (d->kind == DATUM_STRING) {
        __int128 w;
        if (!datum_to_wide_int(d, &w) || w > INT64_MAX || w < INT64_MIN)
            return false;
        n = (int64_t)w;
    } else if (!datum_to_int(d, &n)) {
        return false;
    }
    bool in_months = unit == SQL_UNIT_MONTH || unit == SQL_UNIT_QUARTER || unit == SQL_UNIT_YEAR;
    return !__builtin_mul_overflow(n, size[unit], in_months ? months : us);
}

/* The same day `months` later, or the last of that month. */
static bool add_months(int64_t us, int64_t months, int64_t *out)
{
    struct temporal_parts p;

    if (months > 200000 || months < -200000)
        return false;
    temporal_to_parts(us, &p);
    int64_t m = (int64_t)p.year * 12 + p.month - 1 + months;
    if (m < 12 || m >= 120000)
        return false;
    p.year = (int)(m / 12);
    p.month = (unsigned)(m % 12) + 1;
    unsigned last = temporal_days_in_month(p.year, p.month);
    if (p.day > last)
        p.day = last;
    return temporal_from_parts(&p, out);
}

static bool in_calendar(int64_t us)
{
    return us >= -719162 * TEMPORAL_DAY_US && us < (int64_t)2932897 * TEMPORAL_DAY_US;
}

/* Units that leave the time of day alone. */
static bool is_day_unit(enum sql_unit unit)
{
    return (unit >= SQL_UNIT_DAY && unit <= SQL_UNIT_YEAR) || unit == SQL_UNIT_YEAR_MONTH;
}

/* The interval's months and microseconds, with its sign. */
static bool read_interval(const struct expr *e, struct expr_ctx *x, const struct datum *amount,
                          int64_t *months, int64_t *us)
{
    size_t len;
    bool ok;

    if (e->op >= SQL_UNIT_SECOND_MICROSECOND) {
        const char *s = function_text(x, amount, &e->args[1]->type, &len);
        ok = s && compound_interval(e->op, s, len, months, us);
    } else {
        ok = simple_interval(e->op, amount, months, us);
    }
    if (ok && e->negated) {
        *months = -*months;
        *us = -*us;
    }
    return ok;
}

static void add_to_time(const struct datum *time, int64_t months, int64_t add, struct datum *out)
{
    int64_t us;

    if (!months && !__builtin_add_overflow(time->i, add, &us) && us <= TEMPORAL_TIME_MAX_US &&
        us >= -TEMPORAL_TIME_MAX_US)
        datum_set_temporal(out, DATUM_TIME, us);
}

static void eval_interval(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum date, amount;
    int64_t us, months, add;
    bool has_time, written = false;

    if (!function_arg(e, x, 0, &date, out) || !function_arg(e, x, 1, &amount, out))
        return;
    datum_set_null(out);
    if (!read_interval(e, x, &amount, &months, &add))
        return;
    if (date.kind == DATUM_TIME) {
        add_to_time(&date, months, add, out);
        return;
    }
    if (date.kind == DATUM_STRING ? !temporal_parse(date.s, date.len, &us, &written, NULL)
                                  : !datum_to_datetime(&date, &us))
        return;
    has_time = written || date.kind == DATUM_DATETIME || !is_day_unit(e->op);
    if ((months && !add_months(us, months, &us)) || __builtin_add_overflow(us, add, &us) ||
        !in_calendar(us))
        return;
    if (e->type.kind == DATUM_DATE) {
        datum_set_temporal(out, DATUM_DATE, temporal_us_to_days(us));
    } else if (e->type.kind == DATUM_DATETIME) {
        datum_set_temporal(out, DATUM_DATETIME, us);
    } else { /* of a text: a date or a time, as it was written */
        char *p = expr_alloc(x, 32);
        if (!p)
            return;
        size_t n = has_time ? datetime_print(us, us % 1000000 && !e->class ? 6 : e->class, p)
                            : date_print(temporal_us_to_days(us), p);
        datum_set_string(out, p, n);
    }
}

struct expr *function_new_interval(struct function_bind *b, struct expr *date, struct expr *amount,
                                   enum sql_unit unit, bool subtract)
{
    struct expr *e = expr_new(b->arena, EXPR_CALL, 2);
    const struct value_type *t = &date->type;
    unsigned fraction = 0;

    if (!e) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return NULL;
    }
    e->args[0] = date;
    e->args[1] = amount;
    e->op = (uint8_t)unit;
    e->negated = subtract;
    e->u.function = &interval_function;
    e->eval = eval_interval;
    e->volatile_ = date->volatile_ || amount->volatile_;
    if (t->kind == DATUM_DATETIME || t->kind == DATUM_TIME)
        fraction = t->scale;
    if (unit == SQL_UNIT_MICROSECOND || unit == SQL_UNIT_SECOND_MICROSECOND ||
        unit == SQL_UNIT_MINUTE_MICROSECOND || unit == SQL_UNIT_HOUR_MICROSECOND ||
        unit == SQL_UNIT_DAY_MICROSECOND)
        fraction = 6;
    if (unit == SQL_UNIT_SECOND && amount->type.kind == DATUM_DECIMAL &&
        amount->type.scale > fraction)
        fraction = amount->type.scale > 6 ? 6 : amount->type.scale;
    if (t->kind == DATUM_DATE && is_day_unit(unit))
        e->type = value_type_temporal(DATUM_DATE, 0);
    else if (t->kind == DATUM_DATE || t->kind == DATUM_DATETIME)
        e->type = value_type_temporal(DATUM_DATETIME, fraction);
    else if (t->kind == DATUM_TIME)
        e->type = value_type_temporal(DATUM_TIME, fraction);
    else
        e->type = value_type_string(26);
    e->class = (uint8_t)fraction; /* digits shown of a text */
    return e;
}

/* ---- TIMESTAMPDIFF ---- */

static const struct function timestampdiff_function = {.name = "timestampdiff"};

static int64_t month_difference(int64_t from, int64_t to)
{
    struct temporal_parts a, b;

    if (to < from)
        return -month_difference(to, from);
    temporal_to_parts(from, &a);
    temporal_to_parts(to, &b);
    int64_t n = (int64_t)(b.year - a.year) * 12 + (int64_t)b.month - (int64_t)a.month;
    if (b.day < a.day || (b.day == a.day && temporal_us_of_day(to) < temporal_us_of_day(from)))
        n--;
    return n;
}

static void eval_timestampdiff(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const int64_t size[] = {
        [SQL_UNIT_MICROSECOND] = 1,       [SQL_UNIT_SECOND] = 1000000,
        [SQL_UNIT_MINUTE] = 60000000,     [SQL_UNIT_HOUR] = 3600000000,
        [SQL_UNIT_DAY] = TEMPORAL_DAY_US, [SQL_UNIT_WEEK] = 7 * TEMPORAL_DAY_US};
    int64_t from, to;

    if (!function_arg_datetime(e, x, 0, &from, out) || !function_arg_datetime(e, x, 1, &to, out))
        return;
    switch (e->op) {
    case SQL_UNIT_MONTH:
        datum_set_int(out, month_difference(from, to));
        return;
    case SQL_UNIT_QUARTER:
        datum_set_int(out, month_difference(from, to) / 3);
        return;
    case SQL_UNIT_YEAR:
        datum_set_int(out, month_difference(from, to) / 12);
        return;
    default:
        datum_set_int(out, (to - from) / size[e->op]);
    }
}

struct expr *function_new_timestampdiff(struct function_bind *b, enum sql_unit unit,
                                        struct expr *from, struct expr *to)
{
    struct expr *e;

    if (unit > SQL_UNIT_YEAR) {
        mysql_error_set_text(b->error, 1064, "TIMESTAMPDIFF takes a simple unit");
        return NULL;
    }
    e = expr_new(b->arena, EXPR_CALL, 2);
    if (!e) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return NULL;
    }
    e->args[0] = from;
    e->args[1] = to;
    e->op = (uint8_t)unit;
    e->u.function = &timestampdiff_function;
    e->eval = eval_timestampdiff;
    e->volatile_ = from->volatile_ || to->volatile_;
    e->type = value_type_int(19);
    return e;
}
