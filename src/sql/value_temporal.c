#include "sql/value_temporal.h"

#include <stdio.h>
#include <string.h>

#include "storage/mapping.h"

unsigned temporal_days_in_month(int year, unsigned month)
{
    static const unsigned char days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (month < 1 || month > 12)
        return 0;
    return days[month] + (month == 2 && leap);
}

bool temporal_from_parts(const struct temporal_parts *p, int64_t *us)
{
    if (p->year < 1 || p->year > 9999 || p->month < 1 || p->month > 12 || p->day < 1 ||
        p->day > temporal_days_in_month(p->year, p->month) || p->hour > 23 || p->minute > 59 ||
        p->second > 59 || p->micros > 999999)
        return false;
    *us = date_to_days(p->year, p->month, p->day) * TEMPORAL_DAY_US +
          ((int64_t)p->hour * 3600 + p->minute * 60 + p->second) * 1000000 + p->micros;
    return true;
}

int64_t temporal_us_to_days(int64_t us)
{
    int64_t d = us / TEMPORAL_DAY_US;

    return us % TEMPORAL_DAY_US < 0 ? d - 1 : d;
}

int64_t temporal_us_of_day(int64_t us)
{
    int64_t r = us % TEMPORAL_DAY_US;

    return r < 0 ? r + TEMPORAL_DAY_US : r;
}

void temporal_to_parts(int64_t us, struct temporal_parts *p)
{
    int64_t day = temporal_us_to_days(us), rest = temporal_us_of_day(us);

    memset(p, 0, sizeof *p);
    if (date_from_days(day, &p->year, &p->month, &p->day) != 0)
        return;
    p->micros = (unsigned)(rest % 1000000);
    rest /= 1000000;
    p->second = (unsigned)(rest % 60);
    p->minute = (unsigned)(rest / 60 % 60);
    p->hour = (unsigned)(rest / 3600);
}

unsigned temporal_weekday(int64_t days)
{
    int64_t w = (days + 4) % 7;

    return (unsigned)(w < 0 ? w + 7 : w);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_punct(char c)
{
    return c > ' ' && c < 0x7f && !is_digit(c) && !((c | 32) >= 'a' && (c | 32) <= 'z');
}

static int wide_year(unsigned y, unsigned digits)
{
    if (digits > 2)
        return (int)y;
    return (int)(y < 70 ? y + 2000 : y + 1900);
}

/* Fraction after the point: micros, rounded down; digits counted up to 6. */
static const char *parse_fraction(const char *p, const char *end, unsigned *micros,
                                  unsigned *digits)
{
    unsigned v = 0, n = 0;

    for (; p < end && is_digit(*p); p++)
        if (n < 6) {
            v = v * 10 + (unsigned)(*p - '0');
            n++;
        }
    *digits = n;
    for (; n < 6; n++)
        v *= 10;
    *micros = v;
    return p;
}

/* Digits only: YYMMDD, YYYYMMDD, YYMMDDhhmmss, YYYYMMDDhhmmss[.f]. */
static bool parse_digits(const char *p, const char *end, size_t n, struct temporal_parts *t,
                         bool *has_time, unsigned *fraction)
{
    unsigned year_digits = n == 8 || n == 14 ? 4 : 2, y = 0;
    unsigned f[5] = {0};

    if (n != 6 && n != 8 && n != 12 && n != 14)
        return false;
    for (unsigned i = 0; i < year_digits; i++)
        y = y * 10 + (unsigned)(*p++ - '0');
    unsigned fields = (unsigned)(n - year_digits) / 2;
    for (unsigned i = 0; i < fields; i++, p += 2)
        f[i] = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
    t->year = wide_year(y, year_digits);
    t->month = f[0];
    t->day = f[1];
    t->hour = f[2];
    t->minute = f[3];
    t->second = f[4];
    *has_time = n >= 12;
    if (p < end && *p == '.' && n >= 12)
        p = parse_fraction(p + 1, end, &t->micros, fraction);
    return p == end;
}

/* Z, +hh:mm, -hhmm after a time: minutes east of UTC. */
static const char *parse_zone(const char *p, const char *end, int *minutes)
{
    *minutes = 0;
    if (p < end && (*p == 'Z' || *p == 'z'))
        return p + 1;
    if (end - p >= 5 && (*p == '+' || *p == '-') && is_digit(p[1]) && is_digit(p[2])) {
        const char *q = p + 3;
        if (*q == ':')
            q++;
        if (end - q >= 2 && is_digit(q[0]) && is_digit(q[1])) {
            int m = ((p[1] - '0') * 10 + (p[2] - '0')) * 60 + (q[0] - '0') * 10 + (q[1] - '0');
            *minutes = *p == '-' ? -m : m;
            return q + 2;
        }
    }
    return p;
}

bool temporal_parse(const char *s, size_t len, int64_t *us, bool *has_time, unsigned *fraction)
{
    const char *p = s, *end = s + len;
    struct temporal_parts t = {0};
    unsigned values[6] = {0}, widths[6] = {0}, n = 0, fraction_digits = 0;
    bool time = false;
    int zone = 0;

    while (p < end && is_blank(*p))
        p++;
    while (end > p && is_blank(end[-1]))
        end--;
    size_t run = 0;
    while (p + run < end && is_digit(p[run]))
        run++;
    if (run >= 5) {
        if (!parse_digits(p, end, run, &t, &time, &fraction_digits))
            return false;
        goto done;
    }
    if (run >= 1 && run <= 2 && p + run < end && p[run] == '/') /* MM/DD/YYYY */
        return datetime_parse(p, (size_t)(end - p), us) == 0 &&
               (has_time ? (*has_time = true) : true) && (fraction ? (*fraction = 0, true) : true);
    while (p < end && n < 6) {
        unsigned v = 0, w = 0;
        while (p < end && is_digit(*p) && w < 4) {
            v = v * 10 + (unsigned)(*p++ - '0');
            w++;
        }
        if (!w)
            return false;
        values[n] = v;
        widths[n++] = w;
        if (p >= end)
            break;
        if (n == 3) {
            if (*p != 'T' && *p != 't' && !is_blank(*p) && !is_punct(*p))
                return false;
            p++;
            while (p < end && is_blank(*p))
                p++;
            time = true;
        } else if (n >= 5 && (*p == '.' || *p == 'Z' || *p == 'z' || *p == '+' || *p == '-')) {
            break;
        } else if (is_punct(*p)) {
            p++;
        } else {
            return false;
        }
    }
    if (n < 3)
        return false;
    if (n == 6 && p < end && *p == '.')
        p = parse_fraction(p + 1, end, &t.micros, &fraction_digits);
    if (n >= 5)
        p = parse_zone(p, end, &zone);
    if (p != end)
        return false;
    t.year = wide_year(values[0], widths[0]);
    t.month = values[1];
    t.day = values[2];
    t.hour = values[3];
    t.minute = values[4];
    t.second = values[5];
done:
    if (!temporal_from_parts(&t, us))
        return false;
    *us -= (int64_t)zone * 60000000;
    if (has_time)
        *has_time = time;
    if (fraction)
        *fraction = fraction_digits;
    return true;
}

bool temporal_parse_late_day(const char *s, size_t len, int64_t *us)
{
    char copy[32];

    /* YYYY-MM-DD with the day put back by one until it exists. */
    if (len < 10 || len >= sizeof copy || s[8] < '2' || s[8] > '3' || !is_digit(s[9]))
        return false;
    unsigned day = (unsigned)(s[8] - '0') * 10 + (unsigned)(s[9] - '0');
    if (day > 31)
        return false;
    memcpy(copy, s, len);
    for (int i = 0; i < 3; i++) {
        day--;
        copy[8] = (char)('0' + day / 10);
        copy[9] = (char)('0' + day % 10);
        if (temporal_parse(copy, len, us, NULL, NULL)) {
            *us = temporal_us_to_days(*us) * TEMPORAL_DAY_US + TEMPORAL_DAY_US - 1;
            return true;
        }
    }
    return false;
}

bool temporal_from_number(int64_t n, int64_t *us, bool *has_time)
{
    struct temporal_parts t = {0};
    int64_t date = n, clock = 0;

    *has_time = false;
    if (n < 101)
        return false;
    if (n >= INT64_C(10000000000) || (n > 99991231 && n >= INT64_C(101000000))) {
        date = n / 1000000;
        clock = n % 1000000;
        *has_time = true;
    }
    if (date < 1000000) /* two-digit year */
        date += date < 700101 ? 20000000 : 19000000;
    if (date > 99991231)
        return false;
    t.year = (int)(date / 10000);
    t.month = (unsigned)(date / 100 % 100);
    t.day = (unsigned)(date % 100);
    t.hour = (unsigned)(clock / 10000);
    t.minute = (unsigned)(clock / 100 % 100);
    t.second = (unsigned)(clock % 100);
    return temporal_from_parts(&t, us);
}

int64_t temporal_date_number(int64_t days)
{
    struct temporal_parts t;

    temporal_to_parts(days * TEMPORAL_DAY_US, &t);
    return (int64_t)t.year * 10000 + t.month * 100 + t.day;
}

int64_t temporal_datetime_number(int64_t us)
{
    struct temporal_parts t;

    temporal_to_parts(us, &t);
    return ((int64_t)t.year * 10000 + t.month * 100 + t.day) * 1000000 + t.hour * 10000 +
           t.minute * 100 + t.second;
}

bool temporal_parse_time(const char *s, size_t len, int64_t *us)
{
    const char *p = s, *end = s + len;
    unsigned values[3] = {0}, n = 0, micros = 0, digits;
    unsigned long days = 0;
    bool negative = false;

    while (p < end && is_blank(*p))
        p++;
    while (end > p && is_blank(end[-1]))
        end--;
    if (p < end && *p == '-') {
        negative = true;
        p++;
    }
    const char *q = p;
    while (q < end && is_digit(*q))
        q++;
    if (q == p)
        return false;
    if (q < end && *q == ' ') {
        for (; p < q; p++)
            days = days > 100 ? days : days * 10 + (unsigned long)(*p - '0');
        p = q + 1;
        q = p;
        while (q < end && is_digit(*q))
            q++;
    } else if (q == end || *q == '.') { /* digits only: [[hh]mm]ss */
        unsigned long v = 0;
        for (; p < q; p++)
            v = v > 100000000 ? v : v * 10 + (unsigned long)(*p - '0');
        values[0] = (unsigned)(v / 10000);
        values[1] = (unsigned)(v / 100 % 100);
        values[2] = (unsigned)(v % 100);
        n = 3;
    }
    while (n < 3 && p < end) {
        unsigned v = 0;
        if (!is_digit(*p))
            return false;
        while (p < end && is_digit(*p))
            v = v > 100000 ? v : v * 10 + (unsigned)(*p++ - '0');
        values[n++] = v;
        if (p < end && *p == ':' && n < 3)
            p++;
        else
            break;
    }
    if (p < end && *p == '.')
        p = parse_fraction(p + 1, end, &micros, &digits);
    if (p != end || values[1] > 59 || values[2] > 59)
        return false;
    int64_t v =
        (((int64_t)days * 24 + values[0]) * 3600 + values[1] * 60 + values[2]) * 1000000 + micros;
    if (v > TEMPORAL_TIME_MAX_US)
        v = TEMPORAL_TIME_MAX_US;
    *us = negative ? -v : v;
    return true;
}

size_t temporal_print_time(int64_t us, unsigned fraction, char *out)
{
    uint64_t v = us < 0 ? -(uint64_t)us : (uint64_t)us;
    unsigned micros = (unsigned)(v % 1000000);
    uint64_t seconds = v / 1000000;
    int n = snprintf(out, 24, "%s%02u:%02u:%02u", us < 0 ? "-" : "",
                     (unsigned)(seconds / 3600 % 100000), (unsigned)(seconds / 60 % 60),
                     (unsigned)(seconds % 60));

    if (fraction) {
        char digits[8];
        snprintf(digits, sizeof digits, "%06u", micros);
        n += snprintf(out + n, 24 - (size_t)n, ".%.*s", (int)(fraction > 6 ? 6 : fraction), digits);
    }
    return (size_t)n;
}
