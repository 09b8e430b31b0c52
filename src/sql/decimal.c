#include "sql/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"

typedef unsigned __int128 u128;

__int128 decimal_pow10(unsigned n)
{
    static const uint64_t small[20] = {1ull,
                                       10ull,
                                       100ull,
                                       1000ull,
                                       10000ull,
                                       100000ull,
                                       1000000ull,
                                       10000000ull,
                                       100000000ull,
                                       1000000000ull,
                                       10000000000ull,
                                       100000000000ull,
                                       1000000000000ull,
                                       10000000000000ull,
                                       100000000000000ull,
                                       1000000000000000ull,
                                       10000000000000000ull,
                                       100000000000000000ull,
                                       1000000000000000000ull,
                                       10000000000000000000ull};

    ASSERT(n <= DECIMAL_MAX_DIGITS);
    if (n < 20)
        return small[n];
    return (__int128)small[19] * small[n - 19];
}

static bool in_range(__int128 v)
{
    __int128 top = decimal_pow10(DECIMAL_MAX_DIGITS);

    return v < top && v > -top;
}

bool decimal_rescale(__int128 v, unsigned from, unsigned to, __int128 *out)
{
    if (from == to) {
        *out = v;
        return true;
    }
    if (to > from) {
        if (v == 0) {
            *out = 0;
            return true;
        }
        if (to - from > DECIMAL_MAX_DIGITS ||
            __builtin_mul_overflow(v, decimal_pow10(to - from), out))
            return false;
        return in_range(*out);
    }
    if (from - to > DECIMAL_MAX_DIGITS) {
        *out = 0;
        return true;
    }
    __int128 p = decimal_pow10(from - to), q = v / p, r = v % p;
    if (r < 0)
        r = -r;
    if (r >= p - r)
        q += v < 0 ? -1 : 1;
    *out = q;
    return true;
}

bool decimal_truncate(__int128 v, unsigned from, unsigned to, __int128 *out)
{
    if (to >= from)
        return decimal_rescale(v, from, to, out);
    *out = from - to > DECIMAL_MAX_DIGITS ? 0 : v / decimal_pow10(from - to);
    return true;
}

bool decimal_add(__int128 a, unsigned sa, __int128 b, unsigned sb, __int128 *out, unsigned *scale)
{
    unsigned s = sa > sb ? sa : sb;

    if (!decimal_rescale(a, sa, s, &a) || !decimal_rescale(b, sb, s, &b) ||
        __builtin_add_overflow(a, b, out))
        return false;
    *scale = s;
    return in_range(*out);
}

bool decimal_sub(__int128 a, unsigned sa, __int128 b, unsigned sb, __int128 *out, unsigned *scale)
{
    return decimal_add(a, sa, -b, sb, out, scale);
}

bool decimal_mul(__int128 a, unsigned sa, __int128 b, unsigned sb, __int128 *out, unsigned *scale)
{
    /* Zeros at the end are given up first, so that 1.500000000 * 2.500000000 never overflows. */
    while (__builtin_mul_overflow(a, b, out) || !in_range(*out)) {
        if (sa && a % 10 == 0) {
            a /= 10;
            sa--;
        } else if (sb && b % 10 == 0) {
            b /= 10;
            sb--;
        } else {
            return false;
        }
    }
    *scale = sa + sb;
    if (*scale > DECIMAL_MAX_SCALE) {
        if (!decimal_rescale(*out, *scale, DECIMAL_MAX_SCALE, out))
            return false;
        *scale = DECIMAL_MAX_SCALE;
    }
    return true;
}

bool decimal_div(__int128 a, unsigned sa, __int128 b, unsigned sb, unsigned scale, __int128 *out,
                 unsigned *scale_out)
{
    bool negative = (a < 0) != (b < 0);
    u128 n = a < 0 ? -(u128)a : (u128)a, d = b < 0 ? -(u128)b : (u128)b;
    u128 top = (u128)decimal_pow10(DECIMAL_MAX_DIGITS);
    u128 q = n / d, r = n % d;
    int have = (int)sa - (int)sb; /* fraction digits of q */

    /* Long division, digit by digit; remainders stay below d <= 10^38, so r * 10 may need care. */
    while (have < (int)scale) {
        if (q >= top / 10) {
            if (have < 0)
                return false;
            break;
        }
        unsigned digit = 0;
        if (r < top / 3) {
            r *= 10;
            if (r >= d) {
                digit = (unsigned)(r / d);
                r %= d;
            }
        } else {
            /* r * 10 mod d by repeated addition. */
            u128 acc = 0;
            for (int i = 0; i < 10; i++) {
                acc += r;
                if (acc >= d) {
                    acc -= d;
                    digit++;
                }
            }
            r = acc;
        }
        q = q * 10 + digit;
        have++;
    }
    if (have > (int)scale) {
        unsigned cut = (unsigned)(have - (int)scale);
        q = cut > DECIMAL_MAX_DIGITS ? 0 : q / (u128)decimal_pow10(cut);
        have = (int)scale;
    }
    if (q >= top)
        return false;
    *out = negative ? -(__int128)q : (__int128)q;
    *scale_out = (unsigned)have;
    return true;
}

unsigned decimal_div_scale(unsigned sa, unsigned sb, unsigned increment)
{
    unsigned ra = (sa + 8) / 9 * 9, rb = (sb + 8) / 9 * 9;
    unsigned spare = ra - sa + rb - sb;
    unsigned add = increment > spare ? increment - spare : 0;
    unsigned digits = (ra + rb + add + 8) / 9 * 9;

    return digits > DECIMAL_MAX_SCALE ? DECIMAL_MAX_SCALE : digits;
}

bool decimal_mod(__int128 a, unsigned sa, __int128 b, unsigned sb, __int128 *out, unsigned *scale)
{
    unsigned s = sa > sb ? sa : sb;

    if (!decimal_rescale(a, sa, s, &a) || !decimal_rescale(b, sb, s, &b))
        return false;
    *out = a % b;
    *scale = s;
    return true;
}

int decimal_compare(__int128 a, unsigned sa, __int128 b, unsigned sb)
{
    if (sa == sb)
        return (a > b) - (a < b);
    if ((a < 0) != (b < 0) || a == 0 || b == 0)
        return (a > b) - (a < b);
    if (sa > sb)
        return -decimal_compare(b, sb, a, sa);
    /* Integral parts first, then the fractions, which fit. */
    unsigned more = sb - sa;
    __int128 wide;
    if (more <= DECIMAL_MAX_DIGITS && !__builtin_mul_overflow(a, decimal_pow10(more), &wide))
        return (wide > b) - (wide < b);
    return a > 0 ? 1 : -1;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
        p++;
    return p;
}

/* Reads the exponent at p; returns the byte after it, or p when there is none. */
static const char *parse_exponent(const char *p, const char *end, int *exponent)
{
    const char *q = p;
    bool negative = false;
    int e = 0;

    *exponent = 0;
    if (q >= end || (*q != 'e' && *q != 'E'))
        return p;
    q++;
    if (q < end && (*q == '+' || *q == '-'))
        negative = *q++ == '-';
    if (q >= end || *q < '0' || *q > '9')
        return p;
    for (; q < end && *q >= '0' && *q <= '9'; q++)
        if (e < 100000)
            e = e * 10 + (*q - '0');
    *exponent = negative ? -e : e;
    return q;
}

bool decimal_parse(const char *text, size_t len, __int128 *v, unsigned *scale, size_t *used)
{
    const char *p = text, *end = text + len;
    __int128 n = 0;
    unsigned fraction = 0, digits = 0, any = 0;
    bool negative = false, dot = false, fits = true;
    int exponent, round = -1;

    *v = 0;
    *scale = 0;
    *used = 0;
    p = skip_blanks(p, end);
    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    for (; p < end; p++) {
        if (*p == '.' && !dot) {
            dot = true;
            continue;
        }
        if (*p < '0' || *p > '9')
            break;
        any = 1;
        if (dot && (fraction >= DECIMAL_MAX_SCALE || digits >= DECIMAL_MAX_DIGITS)) {
            if (round < 0)
                round = *p >= '5';
            continue;
        }
        if (digits >= DECIMAL_MAX_DIGITS) {
            fits = false;
            continue;
        }
        n = n * 10 + (*p - '0');
        if (n)
            digits++;
        fraction += dot;
    }
    if (!any)
        return true;
    p = parse_exponent(p, end, &exponent);
    *used = (size_t)(p - text);
    if (!fits)
        return false;
    if (round > 0)
        n++;
    if (exponent > 0) {
        unsigned move = (unsigned)exponent < fraction ? (unsigned)exponent : fraction;
        fraction -= move;
        exponent -= (int)move;
        if (n && (exponent > DECIMAL_MAX_DIGITS || !decimal_rescale(n, 0, (unsigned)exponent, &n)))
            return false;
    } else if (exponent < 0) {
        unsigned s = fraction + (unsigned)-exponent;
        if (s > DECIMAL_MAX_SCALE) {
            decimal_rescale(n, s, DECIMAL_MAX_SCALE, &n);
            s = DECIMAL_MAX_SCALE;
        }
        fraction = s;
    }
    *v = negative ? -n : n;
    *scale = fraction;
    return true;
}

size_t decimal_print(__int128 v, unsigned scale, char out[static DECIMAL_TEXT])
{
    char digits[DECIMAL_TEXT];
    u128 n = v < 0 ? -(u128)v : (u128)v;
    size_t k = 0, at = 0;

    ASSERT(scale <= DECIMAL_MAX_DIGITS);
    do {
        digits[k++] = (char)('0' + (int)(n % 10));
        n /= 10;
    } while (n);
    while (k <= scale)
        digits[k++] = '0';
    if (v < 0)
        out[at++] = '-';
    while (k) {
        if (k == scale)
            out[at++] = '.';
        out[at++] = digits[--k];
    }
    out[at] = 0;
    return at;
}

double decimal_to_double(__int128 v, unsigned scale)
{
    /* Both exact as doubles: one correctly rounded division. */
    if (scale <= 22 && v <= ((__int128)1 << 53) && v >= -((__int128)1 << 53))
        return (double)(int64_t)v / (double)decimal_pow10(scale);
    char text[DECIMAL_TEXT];
    decimal_print(v, scale, text);
    return strtod(text, NULL);
}

bool decimal_from_double(double d, unsigned scale, __int128 *out)
{
    char text[400];
    size_t used;
    unsigned got;

    if (!isfinite(d) || fabs(d) >= 1e38)
        return false;
    /* Through the shortest text, as MySQL does: 0.1 is 0.1, not 0.1000000000000000055. */
    snprintf(text, sizeof text, "%.15g", d);
    if (strtod(text, NULL) != d) {
        snprintf(text, sizeof text, "%.16g", d);
        if (strtod(text, NULL) != d)
            snprintf(text, sizeof text, "%.17g", d);
    }
    return decimal_parse(text, strlen(text), out, &got, &used) &&
           decimal_rescale(*out, got, scale, out);
}

unsigned decimal_digits(__int128 v)
{
    u128 n = v < 0 ? -(u128)v : (u128)v;
    unsigned k = 1;

    while (n >= 10) {
        n /= 10;
        k++;
    }
    return k;
}
