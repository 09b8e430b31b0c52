/* Functions of the first Quanta that make texts and numbers out of times. What failed there is NULL. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sql/function_first.h"
#include "sql/function_time.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"

static void put_copy(struct expr_ctx *x, const char *s, size_t len, struct datum *out)
{
    char *p = expr_alloc(x, len + 1);

    datum_set_null(out);
    if (p) {
        memcpy(p, s, len);
        datum_set_string(out, p, len);
    }
}

/* The first argument as a moment; a number, and a text that is one, are seconds since 1970. */
static bool arg_moment(const struct expr *e, struct expr_ctx *x, int64_t *us, struct datum *out)
{
    struct datum d;

    if (!function_arg(e, x, 0, &d, out))
        return false;
    datum_set_null(out);
    bool is_number = datum_kind_is_number(d.kind) ||
                     (d.kind == DATUM_STRING && datum_string_is_number(d.s, d.len));
    if (!is_number)
        return datum_to_datetime(&d, us);
    double seconds = datum_to_double(&d);
    *us = fabs(seconds) < 2e11 ? (int64_t)(seconds * 1e6) : 0;
    return fabs(seconds) < 2e11;
}

/* ---- strftime ---- */

/* One letter of the pattern; false for those that are none. */
static bool format_letter(const struct tm *tm, char letter, char *text, size_t cap, size_t *len)
{
    char format[] = {'%', letter, 0};

    if (!letter || !strchr("aAbBcCdDeFgGhHIjklmMnprRsSTtuUVwWxXyYzZ%", letter))
        return false;
    *len = strftime(text, cap, format, tm);
    return true;
}

/* What is no letter of strftime stays as it is. */
static bool format_moment(struct expr_ctx *x, const struct tm *tm, const char *s, size_t len,
                          struct datum *out)
{
    size_t n = 0, width, cap = 40 * len + 1;
    char text[64], *p = cap < FUNCTION_MAX_STRING ? expr_alloc(x, cap) : NULL;

    if (!p)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%' && i + 1 < len && format_letter(tm, s[i + 1], text, sizeof text, &width)) {
            memcpy(p + n, text, width);
            n += width;
            i++;
        } else {
            p[n++] = s[i];
        }
    }
    datum_set_string(out, p, n);
    return true;
}

static void eval_strftime(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    int64_t us;
    struct tm tm;

    if (!arg_moment(e, x, &us, out) || !function_arg_text(e, x, 1, &s, &len, out))
        return;
    time_t t = (time_t)(us < 0 ? -((999999 - us) / 1000000) : us / 1000000);
    datum_set_null(out);
    if (gmtime_r(&t, &tm))
        format_moment(x, &tm, s, len, out);
}

/* ---- unixtrunc ---- */

static void eval_unixtrunc(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *unit = "";
    size_t len = 0;
    int64_t us;
    char text[64];
    int n = 0;

    if (!arg_moment(e, x, &us, out) ||
        (e->n_args > 1 && !function_arg_text(e, x, 1, &unit, &len, out)))
        return;
    datum_set_null(out);
    int64_t seconds = us < 0 ? -((999999 - us) / 1000000) : us / 1000000;
    int64_t ms = (us - seconds * 1000000) / 1000;
    if (e->n_args == 1)
        n = snprintf(text, sizeof text, "%lld", (long long)seconds);
    else if ((len == 1 && *unit == 's') || (len == 7 && memcmp(unit, "seconds", 7) == 0))
        n = snprintf(text, sizeof text, "%lld.%lld", (long long)seconds, (long long)ms);
    else if ((len == 2 && memcmp(unit, "ms", 2) == 0) ||
             (len == 12 && memcmp(unit, "milliseconds", 12) == 0))
        n = snprintf(text, sizeof text, "%lld", (long long)(seconds * 1000 + ms));
    if (n)
        put_copy(x, text, (size_t)n, out);
}

/* ---- seconds ---- */

/* M10:30, 10:30, 1:02:03, 30: false when it is none. */
static bool read_clock(const char *s, size_t len, double *seconds)
{
    unsigned colons = 0, digits = 0;
    double part = 0;

    *seconds = 0;
    for (size_t i = len && *s == 'M'; i < len; i++) {
        if (s[i] == ':' && digits && ++colons <= 2) {
            *seconds = (*seconds + part) * 60;
            part = digits = 0;
        } else if (s[i] >= '0' && s[i] <= '9' && ++digits <= 9) {
            part = part * 10 + (s[i] - '0');
        } else {
            return false;
        }
    }
    *seconds += part;
    return digits > 0;
}

static void eval_seconds(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    double seconds;
    int64_t us;

    if (!function_arg(e, x, 0, &d, out))
        return;
    datum_set_null(out);
    if (datum_kind_is_number(d.kind))
        datum_set_double(out, datum_to_double(&d));
    else if (d.kind == DATUM_STRING && read_clock(d.s, d.len, &seconds))
        datum_set_double(out, seconds);
    else if (d.kind == DATUM_STRING && datum_string_is_number(d.s, d.len))
        datum_set_double(out, datum_to_double(&d));
    else if (d.kind == DATUM_TIME)
        datum_set_double(out, (double)d.i / 1e6);
    else if (datum_to_datetime(&d, &us))
        datum_set_double(out, (double)us / 1e6);
}

/* ---- timediff(a, b, unit) ---- */

enum scale { SCALE_DURATION, SCALE_NS, SCALE_US, SCALE_MS, SCALE_S, SCALE_M, SCALE_H, SCALE_NONE };

static const char *const scales[] = {"duration", "nanoseconds", "microseconds", "milliseconds",
                                     "seconds",  "minutes",     "hours"};

static enum scale scale_of(const char *s, size_t len)
{
    unsigned i = 0;

    while (i < SCALE_NONE && (strlen(scales[i]) != len || memcmp(scales[i], s, len) != 0))
        i++;
    return i;
}

/* Digits behind the point without zeros at the end, and what follows them. */
static int print_rest(char *text, size_t cap, int64_t whole, int64_t rest, int digits,
                      const char *unit)
{
    char fraction[16] = "";

    if (rest) {
        int n = snprintf(fraction, sizeof fraction, ".%0*lld", digits, (long long)rest);
        while (n > 1 && fraction[n - 1] == '0')
            fraction[--n] = 0;
    }
    return snprintf(text, cap, "%lld%s%s", (long long)whole, fraction, unit);
}

/* 72h3m0.5s */
static int print_duration(char *text, size_t cap, int64_t us)
{
    int n = us < 0 ? snprintf(text, cap, "-") : 0;

    us = us < 0 ? -us : us;
    if (us == 0)
        return snprintf(text, cap, "0s");
    if (us < 1000)
        return n + snprintf(text + n, cap - (size_t)n, "%lldµs", (long long)us);
    if (us < 1000000)
        return n + print_rest(text + n, cap - (size_t)n, us / 1000, us % 1000, 3, "ms");
    if (us >= 3600000000)
        n += snprintf(text + n, cap - (size_t)n, "%lldh", (long long)(us / 3600000000));
    if (us >= 60000000)
        n += snprintf(text + n, cap - (size_t)n, "%lldm", (long long)(us / 60000000 % 60));
    return n + print_rest(text + n, cap - (size_t)n, us / 1000000 % 60, us % 1000000, 6, "s");
}

static int print_scaled(char *text, size_t cap, int64_t us, enum scale scale)
{
    switch (scale) {
    case SCALE_DURATION:
        return print_duration(text, cap, us);
    case SCALE_NS:
        return snprintf(text, cap, "%lld%s", (long long)us, us ? "000" : "");
    case SCALE_US:
        return snprintf(text, cap, "%lld", (long long)us);
    case SCALE_MS:
        return snprintf(text, cap, "%lld", (long long)(us / 1000));
    case SCALE_S:
        return snprintf(text, cap, "%.15g", (double)us / 1e6);
    case SCALE_M:
        return snprintf(text, cap, "%.15g", (double)us / 6e7);
    case SCALE_H:
        return snprintf(text, cap, "%.15g", (double)us / 3.6e9);
    default:
        return 0;
    }
}

/* The word now is the time of the statement. */
static bool arg_time_or_now(const struct expr *e, struct expr_ctx *x, unsigned i, int64_t *us,
                            struct datum *out)
{
    struct datum d;

    if (!function_arg(e, x, i, &d, out))
        return false;
    datum_set_null(out);
    if (d.kind == DATUM_STRING && d.len == 3 && memcmp(d.s, "now", 3) == 0) {
        *us = x->now_us;
        return true;
    }
    return datum_to_datetime(&d, us);
}

void function_eval_timediff_in(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    int64_t from, to;
    char text[96];

    if (!arg_time_or_now(e, x, 0, &from, out) || !arg_time_or_now(e, x, 1, &to, out) ||
        !function_arg_text(e, x, 2, &s, &len, out))
        return;
    int n = print_scaled(text, sizeof text, from - to, scale_of(s, len));
    datum_set_null(out);
    if (n)
        put_copy(x, text, (size_t)n, out);
}

bool function_resolve_timediff_in(struct expr *e, struct function_bind *b)
{
    const struct expr *unit = e->args[2];

    e->type = value_type_string(64);
    if (!expr_is_const(unit) || unit->u.value.kind != DATUM_STRING ||
        scale_of(unit->u.value.s, unit->u.value.len) != SCALE_NONE)
        return true;
    mysql_error_set_text(b->error, 1105,
                         "Unknown scale value %.*s: timediff() knows duration, nanoseconds, "
                         "microseconds, milliseconds, seconds, minutes, hours",
                         (int)unit->u.value.len, unit->u.value.s);
    return false;
}

static bool resolve_stamp(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(40);
    return true;
}

const struct function function_first_format[] = {
    {"strftime", 2, 2, 0, function_is_any_text, eval_strftime},
    {"unixtrunc", 1, 2, 0, resolve_stamp, eval_unixtrunc},
    {"seconds", 1, 1, 0, function_is_double, eval_seconds},
    {0},
};
