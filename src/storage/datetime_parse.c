/*
 * Date texts of many forms to microseconds UTC. A text is read as words, numbers and signs from
 * left to right; what each one is follows from its form and from what has been seen before. Month
 * before day in 5/8/2009.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"
#include "storage/datetime.h"

/* What has been read so far. Lives in one call of datetime_parse_exact. */
struct scan_time {
    const char *at, *end;
    int year, month, day;     /* -1: not seen */
    int hour, minute, second; /* hour -1: not seen */
    uint32_t ns;
    bool finer; /* digits below a nanosecond that are not 0 */
    bool half;  /* AM or PM seen */
    int offset; /* seconds east of UTC */
    bool zone;  /* seen */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static unsigned count_digits(const char *at, const char *end)
{
    const char *from = at;

    while (at < end && is_digit(*at))
        at++;
    return (unsigned)(at - from);
}

/* Number of exactly n digits, n <= 18. */
static int64_t digits_value(const char *at, unsigned n)
{
    int64_t v = 0;

    for (unsigned i = 0; i < n; i++)
        v = v * 10 + (at[i] - '0');
    return v;
}

static char peek(const struct scan_time *t)
{
    return t->at < t->end ? *t->at : 0;
}

static int take_number(struct scan_time *t, unsigned max_digits, unsigned *n)
{
    int v;

    *n = count_digits(t->at, t->end);
    if (*n == 0 || *n > max_digits)
        return -1;
    v = (int)digits_value(t->at, *n);
    t->at += *n;
    return v;
}

/* Two digits: 69..99 are 1969..1999, 00..68 are 2000..2068. */
static int full_year(int v, unsigned digits)
{
    return digits == 4 ? v : digits == 2 ? v + (v >= 69 ? 1900 : 2000) : -1;
}

static int month_of(const char *s, size_t len)
{
    static const char *const names[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};

    for (int i = 0; i < 12 && len >= 3; i++)
        if ((len == 3 || len == strlen(names[i]) || (i == 8 && len == 4)) &&
            strncasecmp(names[i], s, len) == 0)
            return i + 1;
    return -1;
}

static bool is_weekday(const char *s, size_t len)
{
    static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};

    for (int i = 0; i < 7 && len >= 3; i++)
        if (len <= strlen(names[i]) && strncasecmp(names[i], s, len) == 0)
            return true;
    return false;
}

/* Zones of RFC 822; other abbreviations mean different things in different places. */
static bool zone_of(const char *s, size_t len, int *offset)
{
    static const struct {
        const char name[4];
        int8_t hours;
    } zones[] = {{"Z", 0},    {"UTC", 0},  {"GMT", 0},  {"UT", 0},   {"EST", -5}, {"EDT", -4},
                 {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};

    for (unsigned i = 0; i < sizeof zones / sizeof *zones; i++)
        if (strlen(zones[i].name) == len && strncasecmp(zones[i].name, s, len) == 0) {
            *offset = zones[i].hours * 3600;
            return true;
        }
    return false;
}

static int take_offset(struct scan_time *t)
{
    int sign = *t->at++ == '-' ? -1 : 1, hours, minutes = 0;
    unsigned n, n_minutes = 2;

    hours = take_number(t, 4, &n);
    if (hours < 0 || n == 3)
        return -EINVAL;
    if (n == 4) {
        minutes = hours % 100;
        hours /= 100;
    } else if (peek(t) == ':') {
        t->at++;
        minutes = take_number(t, 2, &n_minutes);
    }
    if (hours > 23 || minutes < 0 || minutes > 59 || n_minutes != 2)
        return -EINVAL;
    t->offset = sign * (hours * 3600 + minutes * 60);
    t->zone = true;
    return 0;
}

/* After the seconds: point or comma and digits. */
static int take_fraction(struct scan_time *t)
{
    uint32_t unit = 100000000;

    if (peek(t) != '.' && peek(t) != ',')
        return 0;
    /* A comma may also just end the time: "19:17:20, 12 Feb 2006". */
    if (t->at + 1 == t->end || !is_digit(t->at[1]))
        return peek(t) == '.' ? -EINVAL : 0;
    for (t->at++; is_digit(peek(t)); t->at++, unit /= 10) {
        t->ns += (uint32_t)(*t->at - '0') * unit;
        t->finer |= unit == 0 && *t->at != '0';
    }
    return 0;
}

static int take_time(struct scan_time *t)
{
    unsigned n;

    if (t->hour >= 0)
        return -EINVAL;
    t->hour = take_number(t, 2, &n);
    if (t->hour < 0 || peek(t) != ':')
        return -EINVAL;
    t->at++;
    t->minute = take_number(t, 2, &n);
    t->second = 0;
    if (n != 2 || t->minute < 0)
        return -EINVAL;
    if (peek(t) != ':')
        return 0;
    t->at++;
    t->second = take_number(t, 2, &n);
    if (n != 2 || t->second < 0)
        return -EINVAL;
    return take_fraction(t);
}

/* hhmm or hhmmss, only after the T of a date of digits. */
static int take_compact_time(struct scan_time *t)
{
    unsigned n = count_digits(t->at, t->end);

    if (n != 4 && n != 6)
        return -EINVAL;
    t->hour = (int)digits_value(t->at, 2);
    t->minute = (int)digits_value(t->at + 2, 2);
    t->second = n == 6 ? (int)digits_value(t->at + 4, 2) : 0;
    t->at += n;
    return take_fraction(t);
}

static int take_half(struct scan_time *t, bool pm)
{
    if (t->half || t->hour < 1 || t->hour > 12)
        return -EINVAL;
    t->half = true;
    t->hour = t->hour % 12 + (pm ? 12 : 0);
    return 0;
}

static int take_word(struct scan_time *t)
{
    const char *s = t->at;
    size_t len;
    int month;

    while (is_letter(peek(t)))
        t->at++;
    len = (size_t)(t->at - s);
    month = month_of(s, len);
    if (month > 0 && t->month < 0) {
        t->month = month;
        if (peek(t) == '.')
            t->at++;
        return 0;
    }
    if (len == 1 && (*s | 32) == 't' && t->day > 0 && t->hour < 0 && is_digit(peek(t)))
        return count_digits(t->at, t->end) > 2 ? take_compact_time(t) : take_time(t);
    if (len == 2 && (s[1] | 32) == 'm' && ((s[0] | 32) == 'a' || (s[0] | 32) == 'p'))
        return take_half(t, (s[0] | 32) == 'p');
    if (!t->zone && t->hour >= 0 && zone_of(s, len, &t->offset)) {
        /* "GMT+0100" and "+0000 UTC" name one zone twice; the digits count. */
        t->zone = len != 3 || (peek(t) != '+' && peek(t) != '-');
        return 0;
    }
    if (t->zone && t->hour >= 0 && len == 3) {
        int again;

        return zone_of(s, len, &again) ? 0 : -EINVAL;
    }
    return is_weekday(s, len) ? 0 : -EINVAL;
}

/* Day or year beside a month that is a word. */
static int take_day_or_year(struct scan_time *t)
{
    unsigned n;
    int v = take_number(t, 4, &n);

    if (v < 0 || n == 3)
        return -EINVAL;
    if (n <= 2 && t->day < 0) {
        t->day = v;
        if (t->end - t->at >= 2 &&
            (strncasecmp(t->at, "st", 2) == 0 || strncasecmp(t->at, "nd", 2) == 0 ||
             strncasecmp(t->at, "rd", 2) == 0 || strncasecmp(t->at, "th", 2) == 0))
            t->at += 2;
        return 0;
    }
    if (t->year >= 0)
        return -EINVAL;
    t->year = full_year(v, n);
    return t->year < 0 ? -EINVAL : 0;
}

static int take_token(struct scan_time *t)
{
    char c = peek(t);
    unsigned n = count_digits(t->at, t->end);

    if (n && n <= 2 && t->at + n < t->end && t->at[n] == ':')
        return take_time(t);
    if (n)
        return take_day_or_year(t);
    if (is_letter(c))
        return take_word(t);
    if ((c == '+' || c == '-') && t->hour >= 0 && !t->zone)
        return take_offset(t);
    if (c == '(' && t->zone) { /* a comment with the zone's long name ends the text */
        t->at = t->end;
        return t->end[-1] == ')' ? 0 : -EINVAL;
    }
    /* 02-Jan-06; but the sign in 2024-01-02-05:00 could be either. */
    if (is_blank(c) || c == ',' || (c == '-' && t->hour < 0 && t->year < 0) ||
        (c == '\'' && t->year < 0)) {
        t->at++;
        return 0;
    }
    return -EINVAL;
}

/* YYYY-MM[-DD], YYYY/MM[/DD], YYYY.MM.DD, MM/DD/YYYY, M/D/YY. */
static int take_numeric_date(struct scan_time *t)
{
    unsigned n, n_last;
    int first = take_number(t, 4, &n);
    char sign = peek(t);

    if (sign != '-' && sign != '/' && sign != '.')
        return -EINVAL;
    t->at++;
    if (n == 4) {
        t->year = first;
        t->month = take_number(t, 2, &n);
        t->day = 1;
        if (peek(t) == sign) {
            t->at++;
            t->day = take_number(t, 2, &n);
        }
        return t->month < 0 || t->day < 0 ? -EINVAL : 0;
    }
    if (n > 2 || sign != '/')
        return -EINVAL;
    t->month = first;
    t->day = take_number(t, 2, &n);
    if (t->day < 0 || peek(t) != '/')
        return -EINVAL;
    t->at++;
    first = take_number(t, 4, &n_last);
    t->year = first < 0 ? -1 : full_year(first, n_last);
    return t->year < 0 ? -EINVAL : 0;
}

static int close_time(const struct scan_time *t, int64_t *us, unsigned *rest_ns)
{
    int64_t seconds;

    if (t->year < 1 || t->year > 9999 || t->month < 1 || t->month > 12 || t->day < 1 ||
        (unsigned)t->day > date_month_days(t->year, (unsigned)t->month))
        return -EINVAL;
    if (t->hour > 23 || t->minute > 59 || t->second > 59)
        return -EINVAL;
    seconds = date_to_days(t->year, (unsigned)t->month, (unsigned)t->day) * 86400;
    if (t->hour >= 0)
        seconds += t->hour * 3600 + t->minute * 60 + t->second;
    *us = (seconds - t->offset) * 1000000 + t->ns / 1000;
    *rest_ns = t->finer ? 1000 : t->ns % 1000;
    return *us < DATETIME_MIN_US || *us > DATETIME_MAX_US ? -EINVAL : 0;
}

/* Digits alone mean by their number: 4, 8, 14 calendar; 10, 13, 16, 19 a count since 1970. */
static int parse_digits(struct scan_time *t, unsigned n, int64_t *us, unsigned *rest_ns)
{
    const char *s = t->at;

    *rest_ns = 0;
    switch (n) {
    case 10:
        *us = digits_value(s, n) * 1000000;
        return 0;
    case 13:
        *us = digits_value(s, n) * 1000;
        return 0;
    case 16:
        *us = digits_value(s, n);
        return 0;
    case 19:
        *us = digits_value(s, 16);
        *rest_ns = (unsigned)digits_value(s + 16, 3);
        return 0;
    case 4:
        t->year = (int)digits_value(s, 4);
        t->month = t->day = 1;
        return close_time(t, us, rest_ns);
    case 14:
        t->hour = (int)digits_value(s + 8, 2);
        t->minute = (int)digits_value(s + 10, 2);
        t->second = (int)digits_value(s + 12, 2);
        break;
    case 8:
        break;
    default:
        return -EINVAL;
    }
    t->year = (int)digits_value(s, 4);
    t->month = (int)digits_value(s + 4, 2);
    t->day = (int)digits_value(s + 6, 2);
    return close_time(t, us, rest_ns);
}

static int take_leading_date(struct scan_time *t, unsigned n)
{
    char next = t->at + n < t->end ? t->at[n] : 0;

    if (n == 8 && (next == 'T' || next == 't')) {
        t->year = (int)digits_value(t->at, 4);
        t->month = (int)digits_value(t->at + 4, 2);
        t->day = (int)digits_value(t->at + 6, 2);
        t->at += n;
        return 0;
    }
    /* 02-Jan-06 begins with a day; a sign before a digit makes a date of numbers. */
    if ((next == '-' || next == '/' || next == '.') && t->at + n + 1 < t->end &&
        is_digit(t->at[n + 1]))
        return take_numeric_date(t);
    return 0;
}

int datetime_parse_exact(const char *s, size_t len, int64_t *us, unsigned *rest_ns)
{
    struct scan_time t = {.at = s, .end = s + len, .year = -1, .month = -1, .day = -1, .hour = -1};
    unsigned n;
    int rc = 0;

    while (t.at < t.end && is_blank(*t.at))
        t.at++;
    while (t.end > t.at && is_blank(t.end[-1]))
        t.end--;
    n = count_digits(t.at, t.end);
    if (n && t.at + n == t.end)
        return parse_digits(&t, n, us, rest_ns);
    if (n)
        rc = take_leading_date(&t, n);
    while (rc == 0 && t.at < t.end)
        rc = take_token(&t);
    return rc == 0 ? close_time(&t, us, rest_ns) : rc;
}

int datetime_parse(const char *s, size_t len, int64_t *us)
{
    unsigned rest_ns;
    int rc = datetime_parse_exact(s, len, us, &rest_ns);

    return rc == 0 && rest_ns != 0 ? -EINVAL : rc;
}
