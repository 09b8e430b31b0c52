/* DATE_FORMAT, TIME_FORMAT, STR_TO_DATE and names of days and months. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/function_time.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"
#include "storage/mapping.h"

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

static const char *ordinal_suffix(unsigned day)
{
    if (day >= 10 && day <= 19)
        return "th";
    switch (day % 10) {
    case 1:
        return "st";
    case 2:
        return "nd";
    case 3:
        return "rd";
    default:
        return "th";
    }
}

/* One specifier into at most 40 bytes. */
static size_t put_specifier(char *o, char f, const struct temporal_parts *p, int64_t days,
                            unsigned long hours)
{
    unsigned h12 = p->hour % 12 ? p->hour % 12 : 12;
    int year;

    switch (f) {
    case 'a':
        return (size_t)snprintf(o, 40, "%.3s", weekdays[temporal_weekday(days)]);
    case 'b':
        return (size_t)snprintf(o, 40, "%.3s", months[p->month - 1]);
    case 'c':
        return (size_t)snprintf(o, 40, "%u", p->month);
    case 'D':
        return (size_t)snprintf(o, 40, "%u%s", p->day, ordinal_suffix(p->day));
    case 'd':
        return (size_t)snprintf(o, 40, "%02u", p->day);
    case 'e':
        return (size_t)snprintf(o, 40, "%u", p->day);
    case 'f':
        return (size_t)snprintf(o, 40, "%06u", p->micros);
    case 'H':
        return (size_t)snprintf(o, 40, "%02lu", hours);
    case 'h':
    case 'I':
        return (size_t)snprintf(o, 40, "%02u", h12);
    case 'i':
        return (size_t)snprintf(o, 40, "%02u", p->minute);
    case 'j':
        return (size_t)snprintf(o, 40, "%03lld",
                                (long long)(days - date_to_days(p->year, 1, 1) + 1));
    case 'k':
        return (size_t)snprintf(o, 40, "%lu", hours);
    case 'l':
        return (size_t)snprintf(o, 40, "%u", h12);
    case 'M':
        return (size_t)snprintf(o, 40, "%s", months[p->month - 1]);
    case 'm':
        return (size_t)snprintf(o, 40, "%02u", p->month);
    case 'p':
        return (size_t)snprintf(o, 40, "%s", p->hour < 12 ? "AM" : "PM");
    case 'r':
        return (size_t)snprintf(o, 40, "%02u:%02u:%02u %s", h12, p->minute, p->second,
                                p->hour < 12 ? "AM" : "PM");
    case 'S':
    case 's':
        return (size_t)snprintf(o, 40, "%02u", p->second);
    case 'T':
        return (size_t)snprintf(o, 40, "%02lu:%02u:%02u", hours, p->minute, p->second);
    case 'U':
        return (size_t)snprintf(o, 40, "%02u", function_week(days, 0, &year));
    case 'u':
        return (size_t)snprintf(o, 40, "%02u", function_week(days, 1, &year));
    case 'V':
        return (size_t)snprintf(o, 40, "%02u", function_week(days, 2, &year));
    case 'v':
        return (size_t)snprintf(o, 40, "%02u", function_week(days, 3, &year));
    case 'W':
        return (size_t)snprintf(o, 40, "%s", weekdays[temporal_weekday(days)]);
    case 'w':
        return (size_t)snprintf(o, 40, "%u", temporal_weekday(days));
    case 'X':
        function_week(days, 2, &year);
        return (size_t)snprintf(o, 40, "%04d", year);
    case 'x':
        function_week(days, 3, &year);
        return (size_t)snprintf(o, 40, "%04d", year);
    case 'Y':
        return (size_t)snprintf(o, 40, "%04d", p->year);
    case 'y':
        return (size_t)snprintf(o, 40, "%02d", p->year % 100);
    default:
        *o = f;
        return 1;
    }
}

void function_format_time(struct expr_ctx *x, int64_t us, bool is_duration, const char *format,
                          size_t len, struct datum *out)
{
    struct temporal_parts p = {0};
    unsigned long hours;
    int64_t days = 0;
    size_t cap = len * 40 + 1, at = 0;
    char *o;

    datum_set_null(out);
    if (len > 4096 || !(o = expr_alloc(x, cap)))
        return;
    if (is_duration) {
        uint64_t v = us < 0 ? -(uint64_t)us : (uint64_t)us;
        hours = (unsigned long)(v / 3600000000u);
        p.hour = (unsigned)(hours % 24);
        p.minute = (unsigned)(v / 60000000 % 60);
        p.second = (unsigned)(v / 1000000 % 60);
        p.micros = (unsigned)(v % 1000000);
        p.year = 1;
        p.month = p.day = 1;
        if (us < 0 && len)
            o[at++] = '-';
    } else {
        temporal_to_parts(us, &p);
        days = temporal_us_to_days(us);
        hours = p.hour;
        if (!p.month)
            return;
    }
    for (size_t i = 0; i < len; i++) {
        if (format[i] != '%' || i + 1 == len)
            o[at++] = format[i];
        else
            at += put_specifier(o + at, format[++i], &p, days, hours);
    }
    datum_set_string(out, o, at);
}

bool function_resolve_format(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(e->n_args > 1 ? value_type_text_length(&e->args[1]->type) * 10 : 9);
    return true;
}

void function_eval_date_format(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t us;
    const char *format;
    size_t len;

    if (function_arg_datetime(e, x, 0, &us, out) && function_arg_text(e, x, 1, &format, &len, out))
        function_format_time(x, us, false, format, len, out);
}

void function_eval_time_format(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t us;
    const char *format;
    size_t len;

    if (!function_arg(e, x, 0, &d, out) || !function_arg_text(e, x, 1, &format, &len, out))
        return;
    datum_set_null(out);
    if (datum_to_time(&d, &us))
        function_format_time(x, us, true, format, len, out);
}

void function_eval_dayname(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t us;

    if (!function_arg_datetime(e, x, 0, &us, out))
        return;
    const char *s = weekdays[temporal_weekday(temporal_us_to_days(us))];
    datum_set_string(out, s, strlen(s));
}

void function_eval_monthname(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct temporal_parts p;
    int64_t us;

    if (!function_arg_datetime(e, x, 0, &us, out))
        return;
    temporal_to_parts(us, &p);
    const char *s = p.month ? months[p.month - 1] : "";
    datum_set_string(out, s, strlen(s));
}

/* ---- STR_TO_DATE ---- */

/* Kind of the result by the format when it is a constant: date, time or both. */
bool function_resolve_str_to_date(struct expr *e, struct function_bind *b)
{
    bool date = false, time = false, micros = false;
    const struct expr *f = e->args[1];

    (void)b;
    e->type = value_type_temporal(DATUM_DATETIME, 6);
    if (!expr_is_const(f) || f->u.value.kind != DATUM_STRING)
        return true;
    for (uint32_t i = 0; i + 1 < f->u.value.len; i++) {
        if (f->u.value.s[i] != '%')
            continue;
        char c = f->u.value.s[++i];
        micros |= c == 'f';
        time |= strchr("fHhIiklprSsT", c) != NULL && c;
        date |= strchr("abcDdejMmUuVvWwXxYy", c) != NULL && c;
    }
    enum datum_kind kind = date && time ? DATUM_DATETIME : time ? DATUM_TIME : DATUM_DATE;
    e->type = value_type_temporal(kind, micros ? 6 : 0);
    return true;
}

struct reader {
    const char *p, *end;
};

static bool read_number(struct reader *r, unsigned max_digits, unsigned *v, unsigned *digits)
{
    *v = 0;
    *digits = 0;
    while (r->p < r->end && *digits < max_digits && *r->p >= '0' && *r->p <= '9') {
        *v = *v * 10 + (unsigned)(*r->p++ - '0');
        (*digits)++;
    }
    return *digits > 0;
}

static bool read_name(struct reader *r, const char *const *names, unsigned n, bool abbreviated,
                      unsigned *v)
{
    for (unsigned i = 0; i < n; i++) {
        size_t len = abbreviated ? 3 : strlen(names[i]);
        if ((size_t)(r->end - r->p) >= len && strncasecmp(r->p, names[i], len) == 0) {
            r->p += len;
            *v = i;
            return true;
        }
    }
    return false;
}

struct read_date {
    struct temporal_parts t;
    int pm; /* -1 not given, 0 AM, 1 PM */
    unsigned day_of_year;
};

static bool read_specifier(struct reader *r, char f, struct read_date *d)
{
    unsigned v, n;

    switch (f) {
    case 'Y':
        if (!read_number(r, 4, &v, &n))
            return false;
        d->t.year = (int)(n <= 2 ? (v < 70 ? v + 2000 : v + 1900) : v);
        return true;
    case 'y':
        if (!read_number(r, 2, &v, &n))
            return false;
        d->t.year = (int)(v < 70 ? v + 2000 : v + 1900);
        return true;
    case 'm':
    case 'c':
        return read_number(r, 2, &d->t.month, &n);
    case 'd':
    case 'e':
        return read_number(r, 2, &d->t.day, &n);
    case 'D':
        if (!read_number(r, 2, &d->t.day, &n) || r->end - r->p < 2)
            return false;
        r->p += 2;
        return true;
    case 'H':
    case 'k':
    case 'h':
    case 'I':
    case 'l':
        if (!read_number(r, 2, &d->t.hour, &n))
            return false;
        if (f != 'H' && f != 'k') {
            if (d->t.hour < 1 || d->t.hour > 12)
                return false;
            if (d->pm < 0)
                d->pm = 0;
        }
        return true;
    case 'i':
        return read_number(r, 2, &d->t.minute, &n);
    case 's':
    case 'S':
        return read_number(r, 2, &d->t.second, &n);
    case 'f':
        if (!read_number(r, 6, &v, &n))
            return false;
        for (; n < 6; n++)
            v *= 10;
        d->t.micros = v;
        return true;
    case 'M':
        if (!read_name(r, months, 12, false, &v))
            return false;
        d->t.month = v + 1;
        return true;
    case 'b':
        if (!read_name(r, months, 12, true, &v))
            return false;
        d->t.month = v + 1;
        return true;
    case 'W':
        return read_name(r, weekdays, 7, false, &v);
    case 'a':
        return read_name(r, weekdays, 7, true, &v);
    case 'j':
        return read_number(r, 3, &d->day_of_year, &n);
    case 'p':
        if (r->end - r->p < 2 || (r->p[1] | 32) != 'm' ||
            ((r->p[0] | 32) != 'a' && (r->p[0] | 32) != 'p'))
            return false;
        d->pm = (r->p[0] | 32) == 'p';
        r->p += 2;
        return true;
    case 'T':
        return read_specifier(r, 'H', d) && r->p < r->end && *r->p++ == ':' &&
               read_specifier(r, 'i', d) && r->p < r->end && *r->p++ == ':' &&
               read_specifier(r, 's', d);
    default:
        return r->p < r->end && *r->p++ == f;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool read_all(const char *s, size_t len, const char *f, size_t n, struct read_date *d)
{
    struct reader r = {.p = s, .end = s + len};

    for (size_t i = 0; i < n; i++) {
        while (r.p < r.end && is_blank(*r.p))
            r.p++;
        if (is_blank(f[i]))
            continue;
        if (r.p == r.end)
            break;
        if (f[i] == '%' && i + 1 < n) {
            if (!read_specifier(&r, f[++i], d))
                return false;
        } else if (*r.p++ != f[i]) {
            return false;
        }
    }
    return true;
}

void function_eval_str_to_date(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct read_date d = {.pm = -1};
    const char *s, *f;
    size_t len, n;
    int64_t us;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_text(e, x, 1, &f, &n, out))
        return;
    datum_set_null(out);
    if (!read_all(s, len, f, n, &d))
        return;
    if (d.pm >= 0)
        d.t.hour = d.t.hour % 12 + (d.pm ? 12 : 0);
    if (e->type.kind == DATUM_TIME) {
        if (d.t.minute > 59 || d.t.second > 59)
            return;
        datum_set_temporal(out, DATUM_TIME,
                           ((int64_t)d.t.hour * 3600 + d.t.minute * 60 + d.t.second) * 1000000 +
                               d.t.micros);
        return;
    }
    if (d.day_of_year && d.t.year) {
        us = (date_to_days(d.t.year, 1, 1) + (int64_t)d.day_of_year - 1) * TEMPORAL_DAY_US;
        struct temporal_parts t;
        temporal_to_parts(us, &t);
        d.t.month = t.month;
        d.t.day = t.day;
    }
    if (!temporal_from_parts(&d.t, &us))
        return;
    datum_set_temporal(out, e->type.kind,
                       e->type.kind == DATUM_DATE ? temporal_us_to_days(us) : us);
}
