/* Values as text: see mysql_format.h. */
#include "sql/mysql_format.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"

static const char digit_pairs[201] = "00010203040506070809101112131415161718192021222324"
                                     "25262728293031323334353637383940414243444546474849"
                                     "50515253545556575859606162636465666768697071727374"
                                     "75767778798081828384858687888990919293949596979899";

static const uint64_t powers_of_ten[20] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

/* ---- integers and decimals ---- */

static size_t count_digits(uint64_t v)
{
    size_t bits = 64 - (size_t)__builtin_clzll(v | 1);
    size_t n = bits * 1233 >> 12; /* log10(2) = 1233 / 4096, right for 64 bits */

    return n + (v >= powers_of_ten[n] || v == 0);
}

/* Writes v right-aligned into exactly n bytes, with leading zeros. */
static void write_digits(char *dst, size_t n, uint64_t v)
{
    while (n >= 2) {
        n -= 2;
        memcpy(dst + n, digit_pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (n)
        dst[0] = (char)('0' + v % 10);
}

size_t mysql_format_uint64(char *dst, uint64_t v)
{
    size_t n = count_digits(v);

    write_digits(dst, n, v);
    return n;
}

size_t mysql_format_int64(char *dst, int64_t v)
{
    if (v >= 0)
        return mysql_format_uint64(dst, (uint64_t)v);
    *dst = '-';
    return 1 + mysql_format_uint64(dst + 1, -(uint64_t)v);
}

/* Digits of v, at least `least` of them; up to 39. */
static size_t format_uint128(char *dst, unsigned __int128 v, size_t least)
{
    const uint64_t chunk = powers_of_ten[19];
    uint64_t parts[3];
    size_t n_parts = 0, n;

    do {
        parts[n_parts++] = (uint64_t)(v % chunk);
        v /= chunk;
    } while (v);
    n = count_digits(parts[n_parts - 1]) + 19 * (n_parts - 1);
    if (n < least) {
        memset(dst, '0', least - n);
        dst += least - n;
    } else {
        least = n;
    }
    n -= 19 * (n_parts - 1);
    write_digits(dst, n, parts[--n_parts]);
    for (dst += n; n_parts; dst += 19)
        write_digits(dst, 19, parts[--n_parts]);
    return least;
}

/* Sets the point before the last `scale` of n digits. */
static size_t insert_point(char *digits, size_t n, unsigned scale)
{
    if (!scale)
        return n;
    memmove(digits + n - scale + 1, digits + n - scale, scale);
    digits[n - scale] = '.';
    return n + 1;
}

size_t mysql_format_decimal64(char *dst, int64_t v, unsigned scale)
{
    uint64_t magnitude = v < 0 ? -(uint64_t)v : (uint64_t)v;
    size_t n, sign = v < 0;

    if (scale > 18)
        return mysql_format_decimal128(dst, v, scale);
    if (sign)
        *dst++ = '-';
    n = count_digits(magnitude);
    if (n < scale + 1)
        n = scale + 1;
    write_digits(dst, n, magnitude);
    return sign + insert_point(dst, n, scale);
}

size_t mysql_format_decimal128(char *dst, __int128 v, unsigned scale)
{
    unsigned __int128 magnitude = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    size_t n, sign = v < 0;

    ASSERT(scale <= MYSQL_DECIMAL_SCALE_MAX);
    if (sign)
        *dst++ = '-';
    n = format_uint128(dst, magnitude, scale + 1);
    return sign + insert_point(dst, n, scale);
}

/* ---- floating point ---- */

/* Significant digits of a positive number without trailing zeros: 0.DIGITS × 10^point. */
struct digits {
    char text[24];
    int n;
    int point;
};

/* Tries v = m / 10^k with m below 10^15: the quotient of two exact doubles is correctly rounded, so
 * if it equals v these digits read back as v, and no shorter ones do as k is the smallest. */
static bool digits_short(double v, struct digits *d)
{
    static const double scales[] = {1, 10, 1e2, 1e3, 1e4, 1e5, 1e6};

    for (size_t k = 0; k < sizeof(scales) / sizeof(scales[0]); k++) {
        double m = v * scales[k];
        uint64_t whole;

        if (!(m < 1e15))
            return false;
        whole = (uint64_t)(m + 0.5);
        if (whole == 0 || (double)whole / scales[k] != v)
            continue;
        d->n = (int)mysql_format_uint64(d->text, whole);
        d->point = d->n - (int)k;
        return true;
    }
    return false;
}

static void digits_parse(const char *scientific, struct digits *d)
{
    const char *p = scientific;

    d->n = 0;
    for (; *p != 'e'; p++) {
        if (*p != '.')
            d->text[d->n++] = *p;
    }
    d->point = (int)strtol(p + 1, NULL, 10) + 1;
}

static void digits_of_double(double v, struct digits *d)
{
    char text[40];

    if (digits_short(v, d))
        return;
    /* Normal numbers hold any 15 digits; the smallest ones have fewer. */
    for (int precision = v < DBL_MIN ? 1 : DBL_DIG; precision <= DBL_DECIMAL_DIG; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, v);
        if (strtod(text, NULL) == v)
            break;
    }
    digits_parse(text, d);
}

/* MySQL shows the six digits any float holds, not the nine that would read back as the same. */
static void digits_of_float(float v, struct digits *d)
{
    char text[40];

    snprintf(text, sizeof(text), "%.*e", FLT_DIG - 1, (double)v);
    digits_parse(text, d);
}

/* d.dddeNN */
static size_t format_exponent(char *dst, const struct digits *d)
{
    char *p = dst;

    *p++ = d->text[0];
    if (d->n > 1) {
        *p++ = '.';
        memcpy(p, d->text + 1, (size_t)d->n - 1);
        p += d->n - 1;
    }
    *p++ = 'e';
    p += mysql_format_int64(p, d->point - 1);
    return (size_t)(p - dst);
}

static size_t format_plain(char *dst, const struct digits *d)
{
    char *p = dst;

    if (d->point <= 0) {
        *p++ = '0';
        *p++ = '.';
        memset(p, '0', (size_t)-d->point);
        p += -d->point;
        memcpy(p, d->text, (size_t)d->n);
        p += d->n;
    } else if (d->n <= d->point) {
        memcpy(p, d->text, (size_t)d->n);
        p += d->n;
        memset(p, '0', (size_t)(d->point - d->n));
        p += d->point - d->n;
    } else {
        memcpy(p, d->text, (size_t)d->point);
        p += d->point;
        *p++ = '.';
        memcpy(p, d->text + d->point, (size_t)(d->n - d->point));
        p += d->n - d->point;
    }
    return (size_t)(p - dst);
}

static size_t format_digits(char *dst, struct digits *d)
{
    /* The exponent form begins where the point is more than 15 digits away, unless there are digits
     * behind it: as MariaDB 10.11 prints 20,000 random doubles. */
    enum { PLAIN_MAX = 15, PLAIN_MIN = -14 };

    while (d->n > 1 && d->text[d->n - 1] == '0')
        d->n--;
    if ((d->point > PLAIN_MAX && d->n <= d->point) || d->point < PLAIN_MIN)
        return format_exponent(dst, d);
    return format_plain(dst, d);
}

size_t mysql_format_double(char *dst, double v)
{
    struct digits d;
    size_t sign = signbit(v) != 0;

    ASSERT(isfinite(v));
    if (sign)
        *dst++ = '-';
    if (v == 0) {
        *dst = '0';
        return sign + 1;
    }
    digits_of_double(fabs(v), &d);
    return sign + format_digits(dst, &d);
}

size_t mysql_format_float(char *dst, float v)
{
    struct digits d;
    size_t sign = signbit(v) != 0;

    ASSERT(isfinite(v));
    if (sign)
        *dst++ = '-';
    if (v == 0) {
        *dst = '0';
        return sign + 1;
    }
    digits_of_float(fabsf(v), &d);
    return sign + format_digits(dst, &d);
}

size_t mysql_format_double_fixed(char *dst, double v, unsigned decimals)
{
    char text[MYSQL_FORMAT_DOUBLE_MAX + 1];
    int n;

    ASSERT(isfinite(v) && decimals <= 30);
    n = snprintf(text, sizeof(text), "%.*f", (int)decimals, v);
    ASSERT(n > 0 && (size_t)n < sizeof(text));
    memcpy(dst, text, (size_t)n);
    return (size_t)n;
}

/* ---- dates and times ---- */

/* Days to calendar by 400-year eras whose years begin in March, so that the leap day is the last
 * day of a year. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
bool mysql_civil_from_days(int64_t days, struct mysql_civil *civil)
{
    uint32_t z, era, day_of_era, year_of_era, day_of_year, m;

    if (days < MYSQL_DAY_MIN || days > MYSQL_DAY_MAX)
        return false;
    z = (uint32_t)(days + 719468); /* days since 0000-03-01; at least 306 in range */
    era = z / 146097;
    day_of_era = z % 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    m = (5 * day_of_year + 2) / 153;
    *civil = (struct mysql_civil){
        .year = (int)(year_of_era + era * 400 + (m >= 10)),
        .month = (uint8_t)(m < 10 ? m + 3 : m - 9),
        .day = (uint8_t)(day_of_year - (153 * m + 2) / 5 + 1),
    };
    return true;
}

bool mysql_civil_from_micros(int64_t micros, struct mysql_civil *civil)
{
    int64_t days = micros / MYSQL_MICROS_PER_DAY;
    int64_t rest = micros % MYSQL_MICROS_PER_DAY;
    uint32_t seconds;

    if (rest < 0) {
        rest += MYSQL_MICROS_PER_DAY;
        days--;
    }
    if (!mysql_civil_from_days(days, civil))
        return false;
    seconds = (uint32_t)(rest / 1000000);
    civil->micros = (uint32_t)(rest % 1000000);
    civil->hour = (uint8_t)(seconds / 3600);
    civil->minute = (uint8_t)(seconds / 60 % 60);
    civil->second = (uint8_t)(seconds % 60);
    return true;
}

int64_t mysql_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

size_t mysql_format_date(char *dst, const struct mysql_civil *civil)
{
    write_digits(dst, 4, (uint64_t)civil->year);
    dst[4] = '-';
    write_digits(dst + 5, 2, civil->month);
    dst[7] = '-';
    write_digits(dst + 8, 2, civil->day);
    return MYSQL_FORMAT_DATE_MAX;
}

/* .fraction with 1..6 digits, or nothing. */
static size_t format_fraction(char *dst, uint32_t micros, unsigned decimals)
{
    if (decimals == 0)
        return 0;
    if (decimals > 6)
        decimals = 6;
    dst[0] = '.';
    write_digits(dst + 1, decimals, micros / powers_of_ten[6 - decimals]);
    return 1 + decimals;
}

static void format_clock(char *dst, unsigned minute, unsigned second)
{
    dst[0] = ':';
    write_digits(dst + 1, 2, minute);
    dst[3] = ':';
    write_digits(dst + 4, 2, second);
}

size_t mysql_format_datetime(char *dst, const struct mysql_civil *civil, unsigned decimals)
{
    mysql_format_date(dst, civil);
    dst[10] = ' ';
    write_digits(dst + 11, 2, civil->hour);
    format_clock(dst + 13, civil->minute, civil->second);
    return 19 + format_fraction(dst + 19, civil->micros, decimals);
}

size_t mysql_format_time(char *dst, int64_t micros, unsigned decimals)
{
    uint64_t magnitude = micros < 0 ? -(uint64_t)micros : (uint64_t)micros;
    uint64_t seconds;
    size_t hour_digits;
    char *p = dst;

    if (magnitude > (uint64_t)MYSQL_TIME_MICROS_MAX)
        magnitude = (uint64_t)MYSQL_TIME_MICROS_MAX;
    seconds = magnitude / 1000000;
    if (micros < 0)
        *p++ = '-';
    hour_digits = seconds >= 100 * 3600 ? 3 : 2;
    write_digits(p, hour_digits, seconds / 3600);
    p += hour_digits;
    format_clock(p, (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    p += 6;
    return (size_t)(p - dst) + format_fraction(p, (uint32_t)(magnitude % 1000000), decimals);
}
