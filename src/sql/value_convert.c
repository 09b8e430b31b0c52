#include "sql/value_convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/decimal.h"
#include "sql/mysql_format.h"
#include "sql/value_temporal.h"
#include "storage/mapping.h"

static double string_to_double(const char *s, size_t len)
{
    char small[64], *text = small, *end;
    size_t n = 0;
    bool dot = false, exponent = false, digits = false;

    while (n < len && (s[n] == ' ' || (s[n] >= '\t' && s[n] <= '\r')))
        n++;
    s += n;
    len -= n;
    /* strtod knows more spellings (hex, inf, nan) than SQL: only hand it what SQL reads. */
    for (n = 0; n < len; n++) {
        char c = s[n];
        if (c >= '0' && c <= '9')
            digits = true;
        else if (c == '.' && !dot && !exponent)
            dot = true;
        else if ((c == 'e' || c == 'E') && digits && !exponent)
            exponent = true;
        else if ((c == '+' || c == '-') && (n == 0 || s[n - 1] == 'e' || s[n - 1] == 'E'))
            continue;
        else
            break;
    }
    if (!digits)
        return 0;
    if (n >= sizeof small) {
        text = malloc(n + 1);
        if (!text)
            return 0;
    }
    memcpy(text, s, n);
    text[n] = 0;
    double v = strtod(text, &end);
    if (text != small)
        free(text);
    if (isinf(v))
        v = v > 0 ? 1.7976931348623157e308 : -1.7976931348623157e308;
    return v;
}

double datum_to_double(const struct datum *d)
{
    switch (d->kind) {
    case DATUM_INT:
        return (double)d->i;
    case DATUM_UINT:
        return (double)d->u;
    case DATUM_DECIMAL:
        return decimal_to_double(d->dec, d->scale);
    case DATUM_DOUBLE:
        return d->f;
    case DATUM_STRING:
        return string_to_double(d->s, d->len);
    default: {
        __int128 v;
        unsigned scale;
        return datum_to_decimal(d, &v, &scale) ? decimal_to_double(v, scale) : 0;
    }
    }
}

/* hhmmss[.f] of a duration. */
static void time_number(int64_t us, __int128 *v, unsigned *scale)
{
    uint64_t n = us < 0 ? -(uint64_t)us : (uint64_t)us, s = n / 1000000;
    __int128 x = (__int128)(s / 3600 * 10000 + s / 60 % 60 * 100 + s % 60);

    *scale = n % 1000000 ? 6 : 0;
    if (*scale)
        x = x * 1000000 + (__int128)(n % 1000000);
    *v = us < 0 ? -x : x;
}

bool datum_to_decimal(const struct datum *d, __int128 *v, unsigned *scale)
{
    size_t used;

    *scale = 0;
    switch (d->kind) {
    case DATUM_INT:
        *v = d->i;
        return true;
    case DATUM_UINT:
        *v = (__int128)d->u;
        return true;
    case DATUM_DECIMAL:
        *v = d->dec;
        *scale = d->scale;
        return true;
    case DATUM_DOUBLE:
        for (unsigned s = 15;; s -= 5) {
            if (decimal_from_double(d->f, s, v)) {
                for (; s && *v % 10 == 0; s--)
                    *v /= 10;
                *scale = s;
                return true;
            }
            if (!s)
                return false;
        }
    case DATUM_STRING:
        return decimal_parse(d->s, d->len, v, scale, &used);
    case DATUM_DATE:
        *v = temporal_date_number(d->i);
        return true;
    case DATUM_DATETIME: {
        int64_t f = temporal_us_of_day(d->i) % 1000000;
        *v = temporal_datetime_number(d->i);
        if (f) {
            *v = *v * 1000000 + f;
            *scale = 6;
        }
        return true;
    }
    case DATUM_TIME:
        time_number(d->i, v, scale);
        return true;
    default:
        *v = 0;
        return true;
    }
}

bool datum_to_int(const struct datum *d, int64_t *out)
{
    __int128 v;

    if (d->kind == DATUM_INT) {
        *out = d->i;
        return true;
    }
    if (d->kind == DATUM_DOUBLE) {
        double r = rint(d->f);
        if (!(r >= -9223372036854775808.0 && r < 9223372036854775808.0)) {
            *out = d->f > 0 ? INT64_MAX : INT64_MIN;
            return false;
        }
        *out = (int64_t)r;
        return true;
    }
    if (!datum_to_wide_int(d, &v)) {
        *out = INT64_MAX;
        return false;
    }
    *out = v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v;
    return *out == v;
}

bool datum_to_uint(const struct datum *d, uint64_t *out)
{
    __int128 v;

    if (!datum_to_wide_int(d, &v)) {
        *out = UINT64_MAX;
        return false;
    }
    *out = v < 0 ? 0 : v > (__int128)UINT64_MAX ? UINT64_MAX : (uint64_t)v;
    return (__int128)*out == v;
}

/* The integer at the front of a text: '3.5' is 3, and '1e2' is 1. Saturates far beyond 64 bits. */
static __int128 leading_integer(const char *s, size_t len)
{
    const __int128 top = (__int128)1 << 100;
    __int128 v = 0;
    size_t i = 0;
    bool negative = false;

    while (i < len && (s[i] == ' ' || (s[i] >= '\t' && s[i] <= '\r')))
        i++;
    if (i < len && (s[i] == '-' || s[i] == '+'))
        negative = s[i++] == '-';
    for (; i < len && s[i] >= '0' && s[i] <= '9'; i++)
        if (v < top)
            v = v * 10 + (s[i] - '0');
    return negative ? -v : v;
}

bool datum_to_wide_int(const struct datum *d, __int128 *v)
{
    unsigned scale;

    if (d->kind == DATUM_DOUBLE) {
        double r = rint(d->f);
        if (!(fabs(r) < 1e38))
            return false;
        *v = (__int128)r;
        return true;
    }
    if (d->kind == DATUM_STRING) {
        *v = leading_integer(d->s, d->len);
        return true;
    }
    if (!datum_to_decimal(d, v, &scale))
        return false;
    return decimal_rescale(*v, scale, 0, v);
}

int datum_truth(const struct datum *d)
{
    switch (d->kind) {
    case DATUM_NULL:
        return -1;
    case DATUM_INT:
    case DATUM_UINT:
        return d->i != 0;
    case DATUM_DECIMAL:
        return d->dec != 0;
    case DATUM_DOUBLE:
        return d->f != 0;
    case DATUM_STRING:
        return string_to_double(d->s, d->len) != 0;
    default:
        return 1;
    }
}

const char *datum_to_text(const struct datum *d, const struct value_type *t,
                          char buf[static DATUM_TEXT], size_t *len)
{
    struct datum r;

    switch (d->kind) {
    case DATUM_INT:
        *len = mysql_format_int64(buf, d->i);
        return buf;
    case DATUM_UINT:
        *len = mysql_format_uint64(buf, d->u);
        return buf;
    case DATUM_DECIMAL:
        r = *d;
        if (t)
            datum_round_to_type(&r, t);
        *len = mysql_format_decimal128(buf, r.dec, r.scale);
        return buf;
    case DATUM_DOUBLE:
        if (t && t->kind == DATUM_DOUBLE && t->scale < VALUE_SCALE_FREE)
            *len = (size_t)snprintf(buf, DATUM_TEXT, "%.*f", t->scale, d->f);
        else
            *len = mysql_format_double(buf, d->f + 0.0); /* no minus before zero */
        return buf;
    case DATUM_STRING:
        *len = d->len;
        return d->s;
    case DATUM_DATE:
        *len = date_print(d->i, buf);
        return buf;
    case DATUM_DATETIME: {
        unsigned digits = t && t->kind == DATUM_DATETIME ? t->scale : d->i % 1000000 ? 6 : 0;
        *len = datetime_print(d->i, digits, buf);
        return buf;
    }
    case DATUM_TIME: {
        unsigned digits = t && t->kind == DATUM_TIME ? t->scale : d->i % 1000000 ? 6 : 0;
        *len = temporal_print_time(d->i, digits, buf);
        return buf;
    }
    default:
        memcpy(buf, "NULL", 5);
        *len = 4;
        return buf;
    }
}

bool datum_to_datetime(const struct datum *d, int64_t *us)
{
    int64_t n;
    bool has_time;

    switch (d->kind) {
    case DATUM_DATE:
        *us = d->i * TEMPORAL_DAY_US;
        return true;
    case DATUM_DATETIME:
        *us = d->i;
        return true;
    case DATUM_STRING:
        return temporal_parse(d->s, d->len, us, NULL, NULL);
    case DATUM_INT:
    case DATUM_UINT:
    case DATUM_DECIMAL:
    case DATUM_DOUBLE:
        return datum_to_int(d, &n) && temporal_from_number(n, us, &has_time);
    default:
        return false;
    }
}

bool datum_to_date(const struct datum *d, int64_t *days)
{
    int64_t us;

    if (d->kind == DATUM_DATE) {
        *days = d->i;
        return true;
    }
    if (!datum_to_datetime(d, &us))
        return false;
    *days = temporal_us_to_days(us);
    return true;
}

bool datum_to_time(const struct datum *d, int64_t *us)
{
    __int128 v;
    unsigned scale;

    switch (d->kind) {
    case DATUM_TIME:
        *us = d->i;
        return true;
    case DATUM_DATE:
        *us = 0;
        return true;
    case DATUM_DATETIME:
        *us = temporal_us_of_day(d->i);
        return true;
    case DATUM_STRING: {
        bool has_time;
        if (d->len > 8 && temporal_parse(d->s, d->len, us, &has_time, NULL)) {
            *us = temporal_us_of_day(*us);
            return true;
        }
        return temporal_parse_time(d->s, d->len, us);
    }
    case DATUM_NULL:
        return false;
    default: {
        if (!datum_to_decimal(d, &v, &scale))
            return false;
        bool negative = v < 0;
        __int128 whole;
        if (negative)
            v = -v;
        if (!decimal_truncate(v, scale, 0, &whole) || whole > 8385959 || whole / 100 % 100 > 59 ||
            whole % 100 > 59)
            return false;
        __int128 micros = 0;
        decimal_truncate(v - whole * decimal_pow10(scale), scale, 6, &micros);
        int64_t n = (int64_t)whole;
        *us = (n / 10000 * 3600 + n / 100 % 100 * 60 + n % 100) * 1000000 + (int64_t)micros;
        if (negative)
            *us = -*us;
        return true;
    }
    }
}

bool datum_string_is_number(const char *s, size_t len)
{
    __int128 v;
    unsigned scale;
    size_t used;

    if (!decimal_parse(s, len, &v, &scale, &used))
        return true;
    while (used < len && s[used] == ' ')
        used++;
    return len && used == len;
}
