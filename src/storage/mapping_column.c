/* Columns of input values: the conversions of mapping.c as loops. */
#include "storage/mapping_column.h"

#include <string.h>

#include "storage/datetime.h"
#include "storage/mapping_value.h"
#include "storage/schema_check.h"

/* Those after it make another value of what comes. */
static bool is_type_alone(const struct column *c)
{
    return c->mapping < MAPPING_INT_TO_BOOL_DIRECT && !c->multi_valued;
}

static bool copy_bools(const int64_t *in, uint32_t n, int64_t *out)
{
    uint64_t any = 0;

    for (uint32_t i = 0; i < n; i++) {
        any |= (uint64_t)in[i];
        out[i] = in[i];
    }
    return any <= 1;
}

static bool scale_up(const int64_t *in, uint32_t n, unsigned digits, int64_t *out)
{
    int64_t power = digits <= 18 ? mapping_power(digits) : 0;
    bool lost = false;

    if (digits == 0) {
        if (out != in && n)
            memcpy(out, in, n * sizeof *out);
        return true;
    }
    for (uint32_t i = 0; power && i < n; i++)
        lost |= __builtin_mul_overflow(in[i], power, &out[i]);
    return power && !lost;
}

/* Numbers with digits behind the point to a column with at least as many. */
static bool convert_numbers(const struct column *c, unsigned from, const int64_t *in, uint32_t n,
                            int64_t *out)
{
    unsigned to = c->type == COLUMN_DECIMAL ? c->scale : 0;

    return from <= to && scale_up(in, n, to - from, out);
}

/* A constant divisor in each loop. */
static inline __attribute__((always_inline)) bool to_ticks(const int64_t *in, uint32_t n,
                                                           int64_t unit, int64_t *out)
{
    bool lost = false;

    for (uint32_t i = 0; i < n; i++) {
        int64_t us = in[i], ticks = us / unit;

        lost |= (us < DATETIME_MIN_US) | (us > DATETIME_MAX_US) | (ticks * unit != us);
        out[i] = ticks;
    }
    return !lost;
}

static bool convert_times(const struct column *c, const int64_t *in, uint32_t n, int64_t *out)
{
    switch (strategy_tick_scale(c->mapping)) {
    case 0:
        return to_ticks(in, n, 1000000, out);
    case 3:
        return to_ticks(in, n, 1000, out);
    case 6:
        return to_ticks(in, n, 1, out);
    default:
        return false;
    }
}

static bool copy_days(const int64_t *in, uint32_t n, int64_t *out)
{
    bool lost = false;

    for (uint32_t i = 0; i < n; i++) {
        lost |= (in[i] < DATE_MIN_DAYS) | (in[i] > DATE_MAX_DAYS);
        out[i] = in[i];
    }
    return !lost;
}

bool mapping_convert_ints(const struct column *c, enum value_kind kind, unsigned scale,
                          const int64_t *in, uint32_t n, int64_t *out)
{
    bool number = kind == VALUE_BOOL || kind == VALUE_INT || kind == VALUE_DECIMAL;

    if (!is_type_alone(c))
        return false;
    switch (c->type) {
    case COLUMN_BOOL:
        return number && (kind != VALUE_DECIMAL || scale == 0) && copy_bools(in, n, out);
    case COLUMN_INT:
    case COLUMN_DECIMAL:
        return number && convert_numbers(c, kind == VALUE_DECIMAL ? scale : 0, in, n, out);
    case COLUMN_DATETIME:
        return kind == VALUE_DATETIME && convert_times(c, in, n, out);
    case COLUMN_DATE:
        return kind == VALUE_DATE && copy_days(in, n, out);
    case COLUMN_STRING:
        break;
    }
    return false;
}

static bool is_ascii(const char *s, size_t len)
{
    uint64_t any = 0, w;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        memcpy(&w, s + i, 8);
        any |= w;
    }
    for (; i < len; i++)
        any |= (uint8_t)s[i];
    return !(any & 0x8080808080808080u);
}

bool mapping_takes_texts(const struct column *c, const char *data, const uint32_t *offsets,
                         uint32_t n)
{
    if (!is_type_alone(c) || c->type != COLUMN_STRING)
        return false;
    if (offsets[n] == offsets[0] || is_ascii(data + offsets[0], offsets[n] - offsets[0]))
        return true;
    for (uint32_t i = 0; i < n; i++) {
        if (!schema_is_utf8(data + offsets[i], offsets[i + 1] - offsets[i]))
            return false;
    }
    return true;
}
