#include "sql/value_compare.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sql/decimal.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"

static bool is_exact(unsigned kind)
{
    return kind == DATUM_INT || kind == DATUM_UINT || kind == DATUM_DECIMAL;
}

enum compare_class compare_class_of(const struct value_type *a, const struct value_type *b)
{
    unsigned x = a->kind, y = b->kind;

    if (x == DATUM_NULL)
        x = y;
    if (y == DATUM_NULL)
        y = x;
    if (x == DATUM_TIME || y == DATUM_TIME)
        return x == y || x == DATUM_STRING || y == DATUM_STRING || datum_kind_is_number(x) ||
                       datum_kind_is_number(y)
                   ? COMPARE_TIME
                   : COMPARE_DATETIME;
    if (datum_kind_is_temporal(x) || datum_kind_is_temporal(y))
        return COMPARE_DATETIME;
    if (x == DATUM_STRING && y == DATUM_STRING)
        return COMPARE_STRING;
    if (x == DATUM_INT && y == DATUM_INT)
        return COMPARE_INT;
    if (is_exact(x) && is_exact(y))
        return COMPARE_DECIMAL;
    return x == DATUM_NULL ? COMPARE_STRING : COMPARE_DOUBLE;
}

static int compare_bytes(const struct datum *a, const struct datum *b)
{
    uint32_t n = a->len < b->len ? a->len : b->len;
    int c = n ? memcmp(a->s, b->s, n) : 0;

    if (c)
        return c < 0 ? -1 : 1;
    return (a->len > b->len) - (a->len < b->len);
}

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_text(const struct datum *a, const struct datum *b)
{
    char x[DATUM_TEXT], y[DATUM_TEXT];
    struct datum p, q;
    size_t n;

    p.s = datum_to_text(a, NULL, x, &n);
    p.len = (uint32_t)n;
    q.s = datum_to_text(b, NULL, y, &n);
    q.len = (uint32_t)n;
    return compare_bytes(&p, &q);
}

/* A double against text that is an exact number, or two doubles. */
static int compare_double(const struct datum *a, const struct datum *b)
{
    double x = datum_to_double(a), y = datum_to_double(b);

    return (x > y) - (x < y);
}

/*
 * What is no date compares as MariaDB does it: a day the month does not have lies behind the
 * month's last, anything else is the zero date, before all others.
 */
static int64_t datetime_or_zero(const struct datum *d)
{
    int64_t us;

    if (datum_to_datetime(d, &us))
        return us;
    return d->kind == DATUM_STRING && temporal_parse_late_day(d->s, d->len, &us) ? us : INT64_MIN;
}

int datum_compare_as(enum compare_class class, const struct datum *a, const struct datum *b,
                     bool *unknown)
{
    *unknown = false;
    switch (class) {
    case COMPARE_INT:
        if (a->kind == DATUM_INT && b->kind == DATUM_INT)
            return compare_i64(a->i, b->i);
        /* fallthrough */
    case COMPARE_DECIMAL: {
        __int128 x, y;
        unsigned sx, sy;
        if (datum_to_decimal(a, &x, &sx) && datum_to_decimal(b, &y, &sy))
            return decimal_compare(x, sx, y, sy);
        return compare_double(a, b);
    }
    case COMPARE_DOUBLE:
        return compare_double(a, b);
    case COMPARE_STRING:
        return a->kind == DATUM_STRING && b->kind == DATUM_STRING ? compare_bytes(a, b)
                                                                  : compare_text(a, b);
    case COMPARE_DATETIME:
        return compare_i64(datetime_or_zero(a), datetime_or_zero(b));
    case COMPARE_TIME: {
        int64_t x = 0, y = 0;
        *unknown = !datum_to_time(a, &x) || !datum_to_time(b, &y);
        return *unknown ? 0 : compare_i64(x, y);
    }
    }
    return 0;
}

int datum_order(const struct datum *a, const struct datum *b)
{
    bool unknown;

    if (a->kind == DATUM_NULL || b->kind == DATUM_NULL)
        return (a->kind != DATUM_NULL) - (b->kind != DATUM_NULL);
    if (a->kind == b->kind) {
        switch (a->kind) {
        case DATUM_STRING:
            return compare_bytes(a, b);
        case DATUM_INT:
        case DATUM_DATE:
        case DATUM_DATETIME:
        case DATUM_TIME:
            return compare_i64(a->i, b->i);
        case DATUM_UINT:
            return (a->u > b->u) - (a->u < b->u);
        case DATUM_DECIMAL:
            return decimal_compare(a->dec, a->scale, b->dec, b->scale);
        default:
            return (a->f > b->f) - (a->f < b->f);
        }
    }
    struct value_type x = {.kind = a->kind}, y = {.kind = b->kind};
    return datum_compare_as(compare_class_of(&x, &y), a, b, &unknown);
}

uint64_t datum_hash(const struct datum *d, uint64_t seed)
{
    switch (d->kind) {
    case DATUM_NULL:
        return XXH3_64bits_withSeed("", 0, seed ^ 0x9e3779b97f4a7c15ull);
    case DATUM_STRING:
        return XXH3_64bits_withSeed(d->s ? d->s : "", d->len, seed);
    case DATUM_DECIMAL: {
        __int128 v = d->dec;
        unsigned s = d->scale;
        for (; s && v % 10 == 0; s--)
            v /= 10;
        uint64_t key[3] = {(uint64_t)v, (uint64_t)((unsigned __int128)v >> 64), s};
        return XXH3_64bits_withSeed(key, sizeof key, seed);
    }
    case DATUM_DOUBLE: {
        double f = d->f == 0 ? 0 : d->f; /* -0 equals 0 */
        return XXH3_64bits_withSeed(&f, sizeof f, seed);
    }
    default:
        return XXH3_64bits_withSeed(&d->i, sizeof d->i, seed);
    }
}

bool datum_is_same(const struct datum *a, const struct datum *b)
{
    if (a->kind == DATUM_NULL || b->kind == DATUM_NULL)
        return a->kind == b->kind;
    if (a->kind == DATUM_STRING && b->kind == DATUM_STRING)
        return a->len == b->len && (a->len == 0 || memcmp(a->s, b->s, a->len) == 0);
    return datum_order(a, b) == 0;
}

bool datum_normalise(struct datum *d, enum compare_class class)
{
    __int128 v;
    unsigned scale;
    int64_t us;

    if (d->kind == DATUM_NULL)
        return true;
    switch (class) {
    case COMPARE_INT:
    case COMPARE_DECIMAL:
        if (d->kind == DATUM_INT)
            return true;
        if (!datum_to_decimal(d, &v, &scale))
            return false;
        for (; scale && v % 10 == 0; scale--)
            v /= 10;
        if (scale == 0 && v >= INT64_MIN && v <= INT64_MAX)
            datum_set_int(d, (int64_t)v);
        else
            datum_set_decimal(d, v, scale);
        return true;
    case COMPARE_DOUBLE:
        datum_set_double(d, datum_to_double(d));
        return true;
    case COMPARE_STRING:
        return d->kind == DATUM_STRING;
    case COMPARE_DATETIME:
        if (!datum_to_datetime(d, &us))
            return false;
        datum_set_temporal(d, DATUM_DATETIME, us);
        return true;
    case COMPARE_TIME:
        if (!datum_to_time(d, &us))
            return false;
        datum_set_temporal(d, DATUM_TIME, us);
        return true;
    }
    return false;
}
