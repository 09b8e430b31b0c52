/*
 * Parts of dates and times: Year, DayOfWeek, TimeOfDay and their like. A number or a text of digits that is
 * such a part already stands for itself; other numbers mean what the same digits mean as a date text.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/datetime.h"
#include "storage/mapping_rule.h"
#include "storage/mapping_value.h"

enum { DAY_SECONDS = 86400, EPOCH_WEEKDAY = 4 /* 1970-01-01 was a Thursday; 0 = Sunday */ };

/* YYYYMMDD as days since 1970. */
static bool compact_date(int64_t v, int64_t *days)
{
    int year = (int)(v / 10000);
    unsigned month = (unsigned)(v / 100 % 100), day = (unsigned)(v % 100);

    if (v < 10101 || v > 99991231 || year < 1 || month < 1 || month > 12 || day < 1 ||
        day > date_month_days(year, month))
        return false;
    *days = date_to_days(year, month, day);
    return true;
}

/* The part a moment has. */
static int64_t part_of(const struct column *c, int64_t us)
{
    int64_t days = us / DAY_US - (us % DAY_US < 0), seconds = (us - days * DAY_US) / 1000000;
    unsigned month = 1, day = 1;
    int year = 1, rc = date_from_days(days, &year, &month, &day);

    ASSERT(rc == 0);
    switch (c->mapping) {
    case MAPPING_YEAR_TO_DAY:
        return c->type == COLUMN_DATE ? days : year * 10000 + (int)(month * 100 + day);
    case MAPPING_YEAR_TO_MONTH:
        return c->type == COLUMN_DATE ? date_to_days(year, month, 1) : year * 100 + (int)month;
    case MAPPING_YEAR:
        return year;
    case MAPPING_DAY_OF_YEAR:
        return days - date_to_days(year, 1, 1) + 1;
    case MAPPING_DAY_OF_MONTH:
        return day;
    case MAPPING_DAY_OF_WEEK:
        return ((days + EPOCH_WEEKDAY) % 7 + 7) % 7 + 1;
    case MAPPING_HOUR_OF_DAY:
        return seconds / 3600;
    default:
        return seconds - seconds % c->rule->step;
    }
}

/* Whether a number is such a part; *out is what is stored. */
static bool is_part(const struct column *c, int64_t v, int64_t *out)
{
    int64_t days;

    *out = v;
    switch (c->mapping) {
    case MAPPING_YEAR_TO_DAY:
        if (!compact_date(v, &days))
            return false;
        *out = c->type == COLUMN_DATE ? days : v;
        return true;
    case MAPPING_YEAR_TO_MONTH:
        if (v < 1 || v > 999912 || !compact_date(v * 100 + 1, &days))
            return false;
        *out = c->type == COLUMN_DATE ? days : v;
        return true;
    case MAPPING_YEAR:
        return v >= 1 && v <= 9999;
    case MAPPING_DAY_OF_YEAR:
        return v >= 1 && v <= 366;
    case MAPPING_DAY_OF_MONTH:
        return v >= 1 && v <= 31;
    case MAPPING_DAY_OF_WEEK:
        return v >= 1 && v <= 7;
    case MAPPING_HOUR_OF_DAY:
        return v >= 0 && v <= 23;
    default:
        *out = v - v % c->rule->step;
        return v >= 0 && v < DAY_SECONDS;
    }
}

static enum convert_result number_to_us(int64_t v, int64_t *us)
{
    unsigned rest_ns;
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRId64, v);

    /* The lengths that a text of digits may have, those of a year alone excepted. */
    if (v < 0 || (n != 8 && n != 10 && n != 13 && n != 14 && n != 16 && n != 19))
        return CONVERT_RANGE;
    return datetime_parse_exact(digits, (size_t)n, us, &rest_ns) == 0 ? CONVERT_OK : CONVERT_RANGE;
}

/* hh:mm[:ss], a time of day without a date. */
static bool clock_to_us(const struct value *in, int64_t *us)
{
    char text[48];
    unsigned rest_ns;
    int n;

    if (in->len > 30 || !memchr(in->bytes, ':', in->len))
        return false;
    n = snprintf(text, sizeof text, "1970-01-01 %.*s", (int)in->len, in->bytes);
    return datetime_parse_exact(text, (size_t)n, us, &rest_ns) == 0;
}

static enum convert_result to_part(const struct column *c, const struct value *in, int64_t *out)
{
    bool clock = c->mapping == MAPPING_TIME_OF_DAY || c->mapping == MAPPING_HOUR_OF_DAY;
    enum convert_result r = CONVERT_WRONG;
    int64_t v, us;

    if (in->kind == VALUE_INT || in->kind == VALUE_DECIMAL || in->kind == VALUE_DOUBLE ||
        in->kind == VALUE_TEXT)
        r = mapping_convert_number(in, 0, &v);
    if (r == CONVERT_OK && is_part(c, v, out))
        return r;
    if (r == CONVERT_OK)
        r = number_to_us(v, &us);
    else if (r == CONVERT_WRONG)
        r = mapping_value_to_us(in, &us);
    if (r == CONVERT_WRONG && clock && in->kind == VALUE_TEXT && clock_to_us(in, &us))
        r = CONVERT_OK;
    if (r != CONVERT_OK)
        return r;
    if (us < DATETIME_MIN_US || us > DATETIME_MAX_US)
        return CONVERT_RANGE;
    *out = part_of(c, us);
    return CONVERT_OK;
}

enum convert_result mapping_convert_part(struct convert *c)
{
    enum convert_result r;
    int64_t v;
    char *text;

    r = to_part(c->column, c->in, &v);
    if (r != CONVERT_OK)
        return r;
    c->out->i64 = v;
    if (c->column->type != COLUMN_STRING)
        return r;
    text = mapping_text_room(9);
    if (!text)
        return CONVERT_MEMORY;
    snprintf(text, 9, "%02u:%02u:%02u", (unsigned)(v / 3600 % 24), (unsigned)(v / 60 % 60),
             (unsigned)(v % 60));
    c->out->i64 = 0;
    c->out->bytes = text;
    c->out->len = 8;
    return r;
}
