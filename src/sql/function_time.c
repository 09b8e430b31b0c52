/* Dates and times: parts, durations, now. Formatting is in function_format.c, units in
 * function_interval.c. All times are UTC. */
#include "sql/function.h"

#include <string.h>

#include "sql/decimal.h"
#include "sql/function_time.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"
#include "storage/mapping.h"

/* Argument i as a point in time; false with *out NULL when it is none. */
bool function_arg_datetime(const struct expr *e, struct expr_ctx *x, unsigned i, int64_t *us,
                           struct datum *out)
{
    struct datum d;

    if (!function_arg(e, x, i, &d, out))
        return false;
    if (d.kind == DATUM_TIME) {
        *us = temporal_us_to_days(x->now_us) * TEMPORAL_DAY_US + d.i;
        return true;
    }
    if (datum_to_datetime(&d, us))
        return true;
    datum_set_null(out);
    return false;
}

/* Of a call without arguments, which functions of the first Quanta allow: the time of the statement. */
static bool arg_parts(const struct expr *e, struct expr_ctx *x, unsigned i,
                      struct temporal_parts *p, struct datum *out)
{
    int64_t us = x->now_us;

    if (e->n_args && !function_arg_datetime(e, x, i, &us, out))
        return false;
    temporal_to_parts(us, p);
    return true;
}

static bool resolve_date(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_temporal(DATUM_DATE, 0);
    return true;
}

static bool resolve_small(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_int(4);
    return true;
}

/* ---- parts ---- */

#define PART_FUNCTION(name, expression)                                                  \
    static void eval_##name(const struct expr *e, struct expr_ctx *x, struct datum *out) \
    {                                                                                    \
        struct temporal_parts p;                                                         \
        if (arg_parts(e, x, 0, &p, out))                                                 \
            datum_set_int(out, expression);                                              \
    }

PART_FUNCTION(year, p.year)
PART_FUNCTION(month, p.month)
PART_FUNCTION(day, p.day)
PART_FUNCTION(quarter, (p.month + 2) / 3)
PART_FUNCTION(yy, p.year % 100)

/* HOUR and its like also take durations. */
static bool arg_clock(const struct expr *e, struct expr_ctx *x, int64_t *us, struct datum *out)
{
    struct datum d;

    if (!e->n_args) {
        *us = temporal_us_of_day(x->now_us);
        return true;
    }
    if (!function_arg(e, x, 0, &d, out))
        return false;
    if (d.kind == DATUM_DATE) {
        *us = 0;
        return true;
    }
    if (datum_to_time(&d, us)) {
        if (*us < 0)
            *us = -*us;
        return true;
    }
    datum_set_null(out);
    return false;
}

#define CLOCK_FUNCTION(name, expression)                                                 \
    static void eval_##name(const struct expr *e, struct expr_ctx *x, struct datum *out) \
    {                                                                                    \
        int64_t us;                                                                      \
        if (arg_clock(e, x, &us, out))                                                   \
            datum_set_int(out, expression);                                              \
    }

CLOCK_FUNCTION(hour, us / 3600000000)
CLOCK_FUNCTION(minute, us / 60000000 % 60)
CLOCK_FUNCTION(second, us / 1000000 % 60)
CLOCK_FUNCTION(microsecond, us % 1000000)

static bool arg_days(const struct expr *e, struct expr_ctx *x, unsigned i, int64_t *days,
                     struct datum *out)
{
    int64_t us = x->now_us;

    if (e->n_args && !function_arg_datetime(e, x, i, &us, out))
        return false;
    *days = temporal_us_to_days(us);
    return true;
}

static void eval_dayofweek(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t days;

    if (arg_days(e, x, 0, &days, out))
        datum_set_int(out, temporal_weekday(days) + 1);
}

static void eval_weekday(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t days;

    if (arg_days(e, x, 0, &days, out))
        datum_set_int(out, (temporal_weekday(days) + 6) % 7);
}

static void eval_dayofyear(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct temporal_parts p;

    if (arg_parts(e, x, 0, &p, out))
        datum_set_int(out, date_to_days(p.year, p.month, p.day) - date_to_days(p.year, 1, 1) + 1);
}

/*
 * Week of a day by MySQL's mode bits: 1 = weeks begin on Monday, 2 = range 1-53 (week may belong to
 * another year), 4 = the first week has a Sunday (or Monday) in it instead of four days.
 */
unsigned function_week(int64_t days, unsigned mode, int *year)
{
    struct temporal_parts p;
    bool monday = mode & 1, in_year = mode & 2, first_day = (mode & 4) != 0;

    if (!(mode & 1))
        first_day = !first_day;
    temporal_to_parts(days * TEMPORAL_DAY_US, &p);
    *year = p.year;
    int64_t first = date_to_days(p.year, 1, 1);
    unsigned day = (unsigned)(days - first), w = temporal_weekday(first);
    unsigned offset = monday ? (w + 6) % 7 : w;
    bool whole_year = in_year;
    unsigned in_days;

    if (p.month == 1 && p.day <= 7 - offset) {
        if (!whole_year && ((first_day && offset != 0) || (!first_day && offset >= 4)))
            return 0;
        whole_year = true;
        (void)in_days;
        if ((first_day && offset != 0) || (!first_day && offset >= 4)) {
            /* The week belongs to the year before. */
            (*year)--;
            int64_t before = date_to_days(*year, 1, 1);
            unsigned length = (unsigned)(first - before);
            day += length;
            offset = (offset + 53 * 7 - length) % 7;
        }
    }
    if ((first_day && offset != 0) || (!first_day && offset >= 4))
        in_days = day - (7 - offset);
    else
        in_days = day + offset;
    if (in_year && in_days >= 52 * 7) {
        int64_t next = date_to_days(*year + 1, 1, 1);
        unsigned wn = temporal_weekday(next), o = monday ? (wn + 6) % 7 : wn;
        if ((!first_day && o < 4) || (first_day && o == 0)) {
            (*year)++;
            return 1;
        }
    }
    return in_days / 7 + 1;
}

static void eval_week(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t days, mode = 0;
    int year;

    if (arg_days(e, x, 0, &days, out) && (e->n_args < 2 || function_arg_int(e, x, 1, &mode, out)))
        datum_set_int(out, function_week(days, (unsigned)mode & 7, &year));
}

static void eval_weekofyear(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t days;
    int year;

    if (arg_days(e, x, 0, &days, out))
        datum_set_int(out, function_week(days, 3, &year));
}

static void eval_yearweek(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t days, mode = 0;
    int year;

    if (!arg_days(e, x, 0, &days, out) || (e->n_args > 1 && !function_arg_int(e, x, 1, &mode, out)))
        return;
    unsigned week = function_week(days, ((unsigned)mode & 7) | 2, &year);
    datum_set_int(out, (int64_t)year * 100 + week);
}

static void eval_date(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t days;

    if (arg_days(e, x, 0, &days, out))
        datum_set_temporal(out, DATUM_DATE, days);
}

static void eval_last_day(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct temporal_parts p;

    if (arg_parts(e, x, 0, &p, out))
        datum_set_temporal(out, DATUM_DATE,
                           date_to_days(p.year, p.month, temporal_days_in_month(p.year, p.month)));
}

static bool in_calendar(int64_t us)
{
    return us >= -719162 * TEMPORAL_DAY_US && us < (int64_t)2932897 * TEMPORAL_DAY_US;
}

/* ---- differences and durations ---- */

static void eval_datediff(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t a, b;

    if (arg_days(e, x, 0, &a, out) && arg_days(e, x, 1, &b, out))
        datum_set_int(out, a - b);
}

static bool resolve_time(struct expr *e, struct function_bind *b)
{
    unsigned scale = 0;

    (void)b;
    for (uint32_t i = 0; i < e->n_args; i++) {
        unsigned s = datum_kind_is_temporal(e->args[i]->type.kind) ? e->args[i]->type.scale : 0;
        if (e->args[i]->type.kind == DATUM_STRING && !expr_is_const(e->args[i]))
            s = 6;
        scale = s > scale ? s : scale;
    }
    e->type = value_type_temporal(DATUM_TIME, scale);
    return true;
}

static int64_t clamp_time(int64_t us)
{
    if (us > TEMPORAL_TIME_MAX_US)
        return TEMPORAL_TIME_MAX_US;
    return us < -TEMPORAL_TIME_MAX_US ? -TEMPORAL_TIME_MAX_US : us;
}

static void eval_timediff(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum p, q;
    int64_t a, b;

    if (!function_arg(e, x, 0, &p, out) || !function_arg(e, x, 1, &q, out))
        return;
    datum_set_null(out);
    if (datum_to_datetime(&p, &a) && datum_to_datetime(&q, &b))
        datum_set_temporal(out, DATUM_TIME, clamp_time(a - b));
    else if (datum_to_time(&p, &a) && datum_to_time(&q, &b))
        datum_set_temporal(out, DATUM_TIME, clamp_time(a - b));
}

/* With a third argument it is the first Quanta's. */
static bool resolve_timediff(struct expr *e, struct function_bind *b)
{
    if (e->n_args == 2)
        return resolve_time(e, b);
    e->eval = function_eval_timediff_in;
    return function_resolve_timediff_in(e, b);
}

static void eval_time(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t us;

    if (!function_arg(e, x, 0, &d, out))
        return;
    datum_set_null(out);
    if (datum_to_time(&d, &us))
        datum_set_temporal(out, DATUM_TIME, us);
}

static void eval_time_to_sec(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t us;

    if (!function_arg(e, x, 0, &d, out))
        return;
    datum_set_null(out);
    if (datum_to_time(&d, &us))
        datum_set_int(out, us / 1000000);
}

static void eval_sec_to_time(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    __int128 v;
    unsigned scale;

    if (!function_arg(e, x, 0, &d, out))
        return;
    datum_set_null(out);
    if (datum_to_decimal(&d, &v, &scale) && decimal_rescale(v, scale, 6, &v))
        datum_set_temporal(out, DATUM_TIME,
                           clamp_time(v > INT64_MAX   ? INT64_MAX
                                      : v < INT64_MIN ? INT64_MIN
                                                      : (int64_t)v));
}

static bool resolve_sec_to_time(struct expr *e, struct function_bind *b)
{
    const struct value_type *t = &e->args[0]->type;

    (void)b;
    e->type =
        value_type_temporal(DATUM_TIME, t->kind == DATUM_DECIMAL ? (t->scale > 6 ? 6 : t->scale)
                                        : t->kind == DATUM_INT   ? 0
                                                                 : 6);
    return true;
}

static void eval_maketime(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t h, m, s;

    if (!function_arg_int(e, x, 0, &h, out) || !function_arg_int(e, x, 1, &m, out) ||
        !function_arg_int(e, x, 2, &s, out))
        return;
    datum_set_null(out);
    if (m < 0 || m > 59 || s < 0 || s > 59)
        return;
    if (h > 838 || h < -838)
        datum_set_temporal(out, DATUM_TIME, h < 0 ? -TEMPORAL_TIME_MAX_US : TEMPORAL_TIME_MAX_US);
    else
        datum_set_temporal(out, DATUM_TIME,
                           h < 0 ? -((-h * 3600 + m * 60 + s) * 1000000)
                                 : (h * 3600 + m * 60 + s) * 1000000);
}

static void eval_makedate(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t year, day;

    if (!function_arg_int(e, x, 0, &year, out) || !function_arg_int(e, x, 1, &day, out))
        return;
    datum_set_null(out);
    if (year >= 0 && year < 70)
        year += 2000;
    else if (year >= 70 && year < 100)
        year += 1900;
    if (day < 1 || year < 1 || year > 9999 || day > 4000000)
        return;
    int64_t days = date_to_days((int)year, 1, 1) + day - 1;
    if (in_calendar(days * TEMPORAL_DAY_US))
        datum_set_temporal(out, DATUM_DATE, days);
}

enum { DAYS_0000 = 719528 }; /* TO_DAYS('1970-01-01') */

static void eval_to_days(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t days;

    if (arg_days(e, x, 0, &days, out))
        datum_set_int(out, days + DAYS_0000);
}

static void eval_to_seconds(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t us;

    if (function_arg_datetime(e, x, 0, &us, out))
        datum_set_int(out, (us - temporal_us_of_day(us) % 1000000) / 1000000 +
                               (int64_t)DAYS_0000 * 86400);
}

static void eval_from_days(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t n;

    if (!function_arg_int(e, x, 0, &n, out))
        return;
    datum_set_null(out);
    if (n > 366 && n < 3652425)
        datum_set_temporal(out, DATUM_DATE, n - DAYS_0000);
}

/* ---- Unix time ---- */

static bool resolve_unix_timestamp(struct expr *e, struct function_bind *b)
{
    const struct value_type *t = e->n_args ? &e->args[0]->type : NULL;

    (void)b;
    unsigned scale = !t ? 0 : t->kind == DATUM_DATETIME ? t->scale : 0;
    if (t && t->kind == DATUM_STRING) {
        scale = 6;
        if (expr_is_const(e->args[0]) && e->args[0]->u.value.kind == DATUM_STRING) {
            int64_t us;
            if (!temporal_parse(e->args[0]->u.value.s, e->args[0]->u.value.len, &us, NULL, &scale))
                scale = 0;
        }
    }
    e->type = scale ? value_type_decimal(11 + scale, scale) : value_type_int(17);
    return true;
}

static void eval_unix_timestamp(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t us = x->now_us;

    if (e->n_args && !function_arg_datetime(e, x, 0, &us, out))
        return;
    if (us < 0 || us > TEMPORAL_UNIX_MAX_US)
        us = 0;
    if (e->type.kind == DATUM_INT)
        datum_set_int(out, us / 1000000);
    else
        datum_set_decimal(out, us, 6);
}

static bool resolve_from_unixtime(struct expr *e, struct function_bind *b)
{
    const struct value_type *t = &e->args[0]->type;

    (void)b;
    if (e->n_args > 1)
        e->type = value_type_string(255);
    else
        e->type = value_type_temporal(DATUM_DATETIME, t->kind == DATUM_DECIMAL
                                                          ? (t->scale > 6 ? 6 : t->scale)
                                                      : t->kind == DATUM_INT ? 0
                                                                             : 6);
    return true;
}

static void eval_from_unixtime(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    __int128 v;
    unsigned scale;

    if (!function_arg(e, x, 0, &d, out))
        return;
    datum_set_null(out);
    if (!datum_to_decimal(&d, &v, &scale) || !decimal_truncate(v, scale, 6, &v) || v < 0 ||
        v > TEMPORAL_UNIX_MAX_US)
        return;
    if (e->n_args == 1) {
        datum_set_temporal(out, DATUM_DATETIME, (int64_t)v);
        return;
    }
    const char *format;
    size_t len;
    if (function_arg_text(e, x, 1, &format, &len, out))
        function_format_time(x, (int64_t)v, false, format, len, out);
}

/* ---- now ---- */

static bool resolve_now(struct expr *e, struct function_bind *b)
{
    int64_t fraction = 0;

    (void)b;
    if (e->n_args &&
        (!expr_is_const(e->args[0]) || !datum_to_int(&e->args[0]->u.value, &fraction) ||
         fraction < 0 || fraction > 6))
        return false;
    e->type = value_type_temporal(DATUM_DATETIME, (unsigned)fraction);
    e->type.not_null = true;
    return true;
}

static void eval_now(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    datum_set_temporal(out, DATUM_DATETIME, x->now_us);
    datum_round_to_type(out, &e->type);
}

static void eval_curdate(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    datum_set_temporal(out, DATUM_DATE, temporal_us_to_days(x->now_us));
}

static bool resolve_curtime(struct expr *e, struct function_bind *b)
{
    if (!resolve_now(e, b))
        return false;
    e->type.kind = DATUM_TIME;
    return true;
}

static void eval_curtime(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t us = temporal_us_of_day(x->now_us);

    datum_set_temporal(out, DATUM_TIME, e->type.scale ? us : us / 1000000 * 1000000);
}

/* ADDTIME and SUBTIME. */
static bool resolve_addtime(struct expr *e, struct function_bind *b)
{
    const struct value_type *t = &e->args[0]->type;

    (void)b;
    unsigned s = t->scale > 6 ? 0 : t->scale,
             u = e->args[1]->type.scale > 6 ? 0 : e->args[1]->type.scale;
    e->type = t->kind == DATUM_DATETIME || t->kind == DATUM_DATE
                  ? value_type_temporal(DATUM_DATETIME, s > u ? s : u)
              : t->kind == DATUM_TIME ? value_type_temporal(DATUM_TIME, s > u ? s : u)
                                      : value_type_string(26);
    return true;
}

static void add_time(const struct expr *e, struct expr_ctx *x, int sign, struct datum *out)
{
    struct datum d, t;
    int64_t us, add;
    char buf[32];
    size_t n;

    if (!function_arg(e, x, 0, &d, out) || !function_arg(e, x, 1, &t, out))
        return;
    datum_set_null(out);
    if (!datum_to_time(&t, &add))
        return;
    add *= sign;
    bool point = d.kind == DATUM_STRING ? temporal_parse(d.s, d.len, &us, NULL, NULL) && d.len > 8
                                        : datum_to_datetime(&d, &us);
    if (point) {
        us += add;
        if (!in_calendar(us))
            return;
        n = datetime_print(us, us % 1000000 ? 6 : 0, buf);
        if (e->type.kind == DATUM_DATETIME) {
            datum_set_temporal(out, DATUM_DATETIME, us);
            return;
        }
    } else {
        if (!datum_to_time(&d, &us))
            return;
        us = clamp_time(us + add);
        if (e->type.kind == DATUM_TIME) {
            datum_set_temporal(out, DATUM_TIME, us);
            return;
        }
        n = temporal_print_time(us, us % 1000000 ? 6 : 0, buf);
    }
    char *p = expr_alloc(x, n + 1);
    if (p) {
        memcpy(p, buf, n);
        datum_set_string(out, p, n);
    }
}

static void eval_addtime(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    add_time(e, x, 1, out);
}

static void eval_subtime(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    add_time(e, x, -1, out);
}

const struct function function_time[] = {
    {"year", 1, 1, 0, resolve_small, eval_year},
    {"month", 1, 1, 0, resolve_small, eval_month},
    {"day", 1, 1, 0, resolve_small, eval_day},
    {"dayofmonth", 1, 1, 0, resolve_small, eval_day},
    {"quarter", 1, 1, 0, resolve_small, eval_quarter},
    {"hour", 1, 1, 0, resolve_small, eval_hour},
    {"minute", 1, 1, 0, resolve_small, eval_minute},
    {"second", 1, 1, 0, resolve_small, eval_second},
    {"microsecond", 1, 1, 0, function_is_int, eval_microsecond},
    {"dayofweek", 0, 1, 0, resolve_small, eval_dayofweek},
    {"weekday", 1, 1, 0, resolve_small, eval_weekday},
    {"dayofyear", 1, 1, 0, resolve_small, eval_dayofyear},
    {"week", 1, 2, 0, resolve_small, eval_week},
    {"weekofyear", 1, 1, 0, resolve_small, eval_weekofyear},
    {"yearweek", 1, 2, 0, function_is_int, eval_yearweek},
    {"yy", 0, 1, 0, resolve_small, eval_yy},
    {"mm", 0, 1, 0, resolve_small, eval_month},
    {"monthofyear", 0, 1, 0, resolve_small, eval_month},
    {"hourofday", 0, 1, 0, resolve_small, eval_hour},
    {"date", 1, 1, 0, resolve_date, eval_date},
    {"last_day", 1, 1, 0, resolve_date, eval_last_day},
    {"time", 1, 1, 0, resolve_time, eval_time},
    {"datediff", 2, 2, 0, function_is_int, eval_datediff},
    {"timediff", 2, 3, 0, resolve_timediff, eval_timediff},
    {"time_to_sec", 1, 1, 0, function_is_int, eval_time_to_sec},
    {"sec_to_time", 1, 1, 0, resolve_sec_to_time, eval_sec_to_time},
    {"maketime", 3, 3, 0, resolve_sec_to_time, eval_maketime},
    {"makedate", 2, 2, 0, resolve_date, eval_makedate},
    {"to_days", 1, 1, 0, function_is_int, eval_to_days},
    {"to_seconds", 1, 1, 0, function_is_int, eval_to_seconds},
    {"from_days", 1, 1, 0, resolve_date, eval_from_days},
    {"addtime", 2, 2, 0, resolve_addtime, eval_addtime},
    {"subtime", 2, 2, 0, resolve_addtime, eval_subtime},
    {"unix_timestamp", 0, 1, 0, resolve_unix_timestamp, eval_unix_timestamp},
    {"from_unixtime", 1, 2, 0, resolve_from_unixtime, eval_from_unixtime},
    {"date_format", 2, 2, 0, function_resolve_format, function_eval_date_format},
    {"time_format", 2, 2, 0, function_resolve_format, function_eval_time_format},
    {"str_to_date", 2, 2, 0, function_resolve_str_to_date, function_eval_str_to_date},
    {"dayname", 1, 1, 0, function_resolve_format, function_eval_dayname},
    {"monthname", 1, 1, 0, function_resolve_format, function_eval_monthname},
    {"now", 0, 1, 0, resolve_now, eval_now},
    {"current_timestamp", 0, 1, 0, resolve_now, eval_now},
    {"localtime", 0, 1, 0, resolve_now, eval_now},
    {"localtimestamp", 0, 1, 0, resolve_now, eval_now},
    {"sysdate", 0, 1, 0, resolve_now, eval_now},
    {"utc_timestamp", 0, 1, 0, resolve_now, eval_now},
    {"curdate", 0, 0, 0, resolve_date, eval_curdate},
    {"current_date", 0, 0, 0, resolve_date, eval_curdate},
    {"utc_date", 0, 0, 0, resolve_date, eval_curdate},
    {"curtime", 0, 1, 0, resolve_curtime, eval_curtime},
    {"current_time", 0, 1, 0, resolve_curtime, eval_curtime},
    {"utc_time", 0, 1, 0, resolve_curtime, eval_curtime},
    {0},
};
