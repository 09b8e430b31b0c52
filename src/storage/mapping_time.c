/*
 * Dates and times of day. Ticks are seconds, milliseconds or microseconds by strategy. A whole
 * number of 10, 13, 16 or 19 digits is seconds, milliseconds, microseconds or nanoseconds, as the
 * same digits as text are; any other is ticks of the column.
 */
#include "reactor/assert.h"
#include "storage/datetime.h"
#include "storage/mapping_value.h"
#include "storage/schema_check.h"

/* Of a DateTime column, and of a Date column's strategy. */
static int64_t tick_us(const struct column *c)
{
    return mapping_power(6u - strategy_tick_scale(c->mapping));
}

static unsigned digits_of(uint64_t v)
{
    unsigned n = 1;

    while (v >= 10) {
        v /= 10;
        n++;
    }
    return n;
}

static enum convert_result count_to_us(const struct column *c, int64_t v, int64_t *us)
{
    uint64_t magnitude = v < 0 ? -(uint64_t)v : (uint64_t)v;
    int64_t unit = tick_us(c);

    switch (digits_of(magnitude)) {
    case 10:
        unit = 1000000;
        break;
    case 13:
        unit = 1000;
        break;
    case 16:
        unit = 1;
        break;
    case 19:
        *us = v / 1000;
        return v % 1000 ? CONVERT_DIGITS : CONVERT_OK;
    }
    return __builtin_mul_overflow(v, unit, us) ? CONVERT_RANGE : CONVERT_OK;
}

static enum convert_result text_to_us(const struct value *in, int64_t *us)
{
    unsigned rest_ns;

    if (datetime_parse_exact(in->bytes, in->len, us, &rest_ns) != 0)
        return CONVERT_WRONG;
    return rest_ns ? CONVERT_DIGITS : CONVERT_OK;
}

/* {"seconds": s, "nanos": n}; the keys may have other names. */
static enum convert_result object_to_us(const struct column *c, const struct value *in, int64_t *us)
{
    const char *seconds = schema_config(c, "seconds"), *nanos = schema_config(c, "nanos");
    struct object_field fields[2] = {{.key = seconds ? seconds : "seconds"},
                                     {.key = nanos ? nanos : "nanos"}};
    enum convert_result r = mapping_parse_object(in->bytes, in->len, fields);
    __int128 ns;

    if (r != CONVERT_OK)
        return r;
    if (!fields[0].found)
        return CONVERT_WRONG;
    ns = fields[0].value * 1000000000 + fields[1].value;
    if (ns / 1000 > INT64_MAX || ns / 1000 < INT64_MIN)
        return CONVERT_RANGE;
    *us = (int64_t)(ns / 1000);
    return ns % 1000 ? CONVERT_DIGITS : CONVERT_OK;
}

static enum convert_result value_to_us(const struct column *c, const struct value *in, int64_t *us)
{
    enum convert_result r;
    int64_t count;

    switch (in->kind) {
    case VALUE_INT:
        return count_to_us(c, in->i64, us);
    case VALUE_DECIMAL:
    case VALUE_DOUBLE:
        r = mapping_convert_number(in, 0, &count);
        return r == CONVERT_OK ? count_to_us(c, count, us) : r;
    case VALUE_TEXT:
        if (mapping_is_object(in->bytes, in->len))
            return object_to_us(c, in, us);
        return text_to_us(in, us);
    default:
        return mapping_value_to_us(in, us);
    }
}

/* Digits below a microsecond are below every part of a time and do not count. */
enum convert_result mapping_value_to_us(const struct value *in, int64_t *us)
{
    unsigned rest_ns;

    switch (in->kind) {
    case VALUE_TEXT:
        return datetime_parse_exact(in->bytes, in->len, us, &rest_ns) == 0 ? CONVERT_OK
                                                                           : CONVERT_WRONG;
    case VALUE_DATE:
        return __builtin_mul_overflow(in->i64, DAY_US, us) ? CONVERT_RANGE : CONVERT_OK;
    case VALUE_DATETIME:
        *us = in->i64;
        return CONVERT_OK;
    default:
        return CONVERT_WRONG;
    }
}

static enum convert_result to_units(const struct column *c, const struct value *in, int64_t unit_us,
                                    int64_t *out)
{
    int64_t us;
    enum convert_result r = value_to_us(c, in, &us);

    if (r != CONVERT_OK)
        return r;
    if (us < DATETIME_MIN_US || us > DATETIME_MAX_US)
        return CONVERT_RANGE;
    *out = us / unit_us;
    return us % unit_us ? CONVERT_DIGITS : CONVERT_OK;
}

enum convert_result mapping_convert_datetime(const struct column *c, const struct value *in,
                                             int64_t *ticks)
{
    return to_units(c, in, tick_us(c), ticks);
}

enum convert_result mapping_convert_date(const struct column *c, const struct value *in,
                                         int64_t *days)
{
    return to_units(c, in, DAY_US, days);
}
