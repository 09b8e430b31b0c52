/*
 * Numbers to scaled whole numbers, exactly or not at all. Text is read as decimal digits, never
 * through a double; a double counts as the shortest decimal that reads back as it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/mapping_value.h"

typedef unsigned __int128 u128;

int64_t mapping_power(unsigned n)
{
    int64_t v = 1;

    ASSERT(n <= 18);
    while (n--)
        v *= 10;
    return v;
}

void mapping_trim(const char **s, size_t *len)
{
    const char *at = *s, *end = at + *len;

    while (at < end && (*at == ' ' || (*at >= '\t' && *at <= '\r')))
        at++;
    while (end > at && (end[-1] == ' ' || (end[-1] >= '\t' && end[-1] <= '\r')))
        end--;
    *s = at;
    *len = (size_t)(end - at);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Parts of a decimal text. */
struct decimal_text {
    bool negative;
    const char *digits, *end; /* digits with at most one point among them */
    int64_t n_digits, n_fraction;
    int64_t exponent;
};

static enum convert_result split_decimal(const char *s, size_t len, struct decimal_text *d)
{
    const char *at = s, *end = s + len;
    bool point = false, negative = false;

    *d = (struct decimal_text){0};
    if (at < end && (*at == '+' || *at == '-'))
        d->negative = *at++ == '-';
    d->digits = at;
    for (; at < end && (is_digit(*at) || (*at == '.' && !point)); at++) {
        point |= *at == '.';
        d->n_digits += *at != '.';
        d->n_fraction += point && *at != '.';
    }
    d->end = at;
    if (d->n_digits == 0)
        return CONVERT_WRONG;
    if (at == end)
        return CONVERT_OK;
    if ((*at | 32) != 'e')
        return CONVERT_WRONG;
    at++;
    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end)
        return CONVERT_WRONG;
    for (; at < end && is_digit(*at); at++)
        if (d->exponent < INT32_MAX)
            d->exponent = d->exponent * 10 + (*at - '0');
    if (negative)
        d->exponent = -d->exponent;
    return at == end ? CONVERT_OK : CONVERT_WRONG;
}

/* Digits that the scale has no room for: CONVERT_DIGITS, and *out is the rest, cut towards zero. */
enum convert_result mapping_parse_number(const char *s, size_t len, unsigned scale, int64_t *out)
{
    struct decimal_text d;
    enum convert_result r;
    int64_t kept, zeros;
    u128 limit, v = 0;
    bool lost = false;

    mapping_trim(&s, &len);
    r = split_decimal(s, len, &d);
    if (r != CONVERT_OK)
        return r;
    /* The result is the digits moved by (exponent - fraction + scale): some fall off, or zeros
     * come on. */
    zeros = d.exponent - d.n_fraction + scale;
    kept = zeros < 0 ? d.n_digits + zeros : d.n_digits;
    limit = (u128)INT64_MAX + d.negative;
    for (const char *at = d.digits; at < d.end; at++) {
        if (*at == '.')
            continue;
        if (kept-- > 0)
            v = v * 10 + (unsigned)(*at - '0');
        else
            lost |= *at != '0';
        if (v > limit)
            return CONVERT_RANGE;
    }
    for (; zeros > 0 && v; zeros--) {
        v *= 10;
        if (v > limit)
            return CONVERT_RANGE;
    }
    *out = (int64_t)(d.negative ? -(uint64_t)v : (uint64_t)v);
    return lost ? CONVERT_DIGITS : CONVERT_OK;
}

static enum convert_result convert_decimal(__int128 v, unsigned from, unsigned scale, int64_t *out)
{
    bool lost = false;

    for (; from > scale && v; from--) {
        lost |= v % 10 != 0;
        v /= 10;
    }
    if (v > INT64_MAX || v < INT64_MIN)
        return CONVERT_RANGE;
    for (; from < scale && v; from++) {
        v *= 10;
        if (v > INT64_MAX || v < INT64_MIN)
            return CONVERT_RANGE;
    }
    *out = (int64_t)v;
    return lost ? CONVERT_DIGITS : CONVERT_OK;
}

static enum convert_result convert_double(double v, unsigned scale, int64_t *out)
{
    char text[40];
    double power, near;

    if (!isfinite(v))
        return isnan(v) ? CONVERT_WRONG : CONVERT_RANGE;
    /* Two decimals of up to 15 digits are never the same double: if this one reads back as v, it
     * is the shortest. */
    power = (double)mapping_power(scale);
    near = nearbyint(v * power);
    if (fabs(near) < 1e15 && near / power == v) {
        *out = (int64_t)near;
        return CONVERT_OK;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (digits == 17 || strtod(text, NULL) == v)
            break;
    }
    return mapping_parse_number(text, strlen(text), scale, out);
}

enum convert_result mapping_convert_number(const struct value *in, unsigned scale, int64_t *out)
{
    switch (in->kind) {
    case VALUE_BOOL:
    case VALUE_INT:
        if (scale == 0) {
            *out = in->i64;
            return CONVERT_OK;
        }
        return convert_decimal(in->i64, 0, scale, out);
    case VALUE_DECIMAL:
        return convert_decimal(in->i128, in->scale, scale, out);
    case VALUE_DOUBLE:
        return convert_double(in->f64, scale, out);
    case VALUE_TEXT:
        return mapping_parse_number(in->bytes, in->len, scale, out);
    default:
        return CONVERT_WRONG;
    }
}

static bool is_negative(const struct value *in)
{
    const char *s = in->bytes;
    size_t len = in->len;

    switch (in->kind) {
    case VALUE_DECIMAL:
        return in->i128 < 0;
    case VALUE_DOUBLE:
        return in->f64 < 0;
    case VALUE_TEXT:
        mapping_trim(&s, &len);
        return len && *s == '-';
    default:
        return in->i64 < 0;
    }
}

enum convert_result mapping_floor_number(const struct value *in, unsigned scale, int64_t *out,
                                         bool *exact)
{
    enum convert_result r = mapping_convert_number(in, scale, out);

    *exact = r == CONVERT_OK;
    if (r != CONVERT_DIGITS)
        return r;
    if (is_negative(in) && __builtin_sub_overflow(*out, 1, out))
        return CONVERT_RANGE;
    return CONVERT_OK;
}
