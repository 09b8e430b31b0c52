#include "sql/go_layout.h"

#include <string.h>
#include <strings.h>

#include "sql/value_temporal.h"

enum part {
    PART_NONE,
    PART_YEAR,
    PART_SHORT_YEAR,
    PART_MONTH,
    PART_MONTH_NAME,
    PART_DAY,
    PART_YEAR_DAY,
    PART_HOUR,
    PART_HALF_DAY_HOUR,
    PART_MINUTE,
    PART_SECOND,
    PART_FRACTION,
    PART_AM_PM,
    PART_WEEKDAY,
    PART_ZONE,
    PART_ZONE_NAME,
};

/* The longest that begin alike come first. */
static const struct {
    const char *text;
    enum part part;
} words[] = {
    {"January", PART_MONTH_NAME},
    {"Jan", PART_MONTH_NAME},
    {"Monday", PART_WEEKDAY},
    {"Mon", PART_WEEKDAY},
    {"MST", PART_ZONE_NAME},
    {"2006", PART_YEAR},
    {"Z07:00", PART_ZONE},
    {"Z0700", PART_ZONE},
    {"-07:00", PART_ZONE},
    {"-0700", PART_ZONE},
    {"-07", PART_ZONE},
    {"002", PART_YEAR_DAY},
    {"01", PART_MONTH},
    {"02", PART_DAY},
    {"03", PART_HALF_DAY_HOUR},
    {"04", PART_MINUTE},
    {"05", PART_SECOND},
    {"06", PART_SHORT_YEAR},
    {"15", PART_HOUR},
    {"_2", PART_DAY},
    {"PM", PART_AM_PM},
    {"pm", PART_AM_PM},
    {"1", PART_MONTH},
    {"2", PART_DAY},
    {"3", PART_HALF_DAY_HOUR},
    {"4", PART_MINUTE},
    {"5", PART_SECOND},
};

static const char *const months[] = {"january",   "february", "march",    "april",
                                     "may",       "june",     "july",     "august",
                                     "september", "october",  "november", "december"};
static const char *const weekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                       "thursday", "friday", "saturday"};

/* What is left of the text, and what was read of it. Owner: the stack. */
struct reading {
    const char *s, *end;
    struct temporal_parts p;
    unsigned year_day;
    int64_t zone_us;
    bool is_pm, has_half;
};

/* The part that the layout has at s, with its width. A fraction is a point or comma, then zeros or nines. */
static enum part part_at(const char *s, size_t len, size_t *width)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *width = strlen(words[i].text);
        if (*width <= len && memcmp(s, words[i].text, *width) == 0)
            return words[i].part;
    }
    *width = 1;
    if (len > 1 && (*s == '.' || *s == ',') && (s[1] == '0' || s[1] == '9')) {
        while (*width < len && s[*width] == s[1])
            ++*width;
        if (*width == len || s[*width] < '0' || s[*width] > '9')
            return PART_FRACTION;
        *width = 1; /* the point of 2006.002 */
    }
    return PART_NONE;
}

static bool read_number(struct reading *r, unsigned min, unsigned max, unsigned *v)
{
    unsigned n = 0;

    for (*v = 0; n < max && r->s < r->end && *r->s >= '0' && *r->s <= '9'; n++)
        *v = *v * 10 + (unsigned)(*r->s++ - '0');
    return n >= min;
}

/* A name in full or its first three letters. */
static bool read_name(struct reading *r, const char *const *names, unsigned n, unsigned *at)
{
    size_t left = (size_t)(r->end - r->s);

    for (*at = 0; *at < n; ++*at) {
        size_t full = strlen(names[*at]);
        size_t take = left >= full && strncasecmp(r->s, names[*at], full) == 0 ? full
                      : left >= 3 && strncasecmp(r->s, names[*at], 3) == 0     ? 3
                                                                               : 0;
        r->s += take;
        if (take)
            return true;
    }
    return false;
}

/* Z, +hh, +hhmm or +hh:mm */
static bool read_zone(struct reading *r)
{
    unsigned hours, minutes = 0;

    if (r->s < r->end && *r->s == 'Z') {
        r->s++;
        return true;
    }
    if (r->s == r->end || (*r->s != '+' && *r->s != '-'))
        return false;
    int sign = *r->s++ == '-' ? -1 : 1;
    if (!read_number(r, 2, 2, &hours))
        return false;
    if (r->s < r->end && *r->s == ':')
        r->s++;
    if (r->s < r->end && *r->s >= '0' && *r->s <= '9' && !read_number(r, 2, 2, &minutes))
        return false;
    r->zone_us = sign * ((int64_t)hours * 60 + minutes) * 60000000;
    return hours < 24 && minutes < 60;
}

/* A name of a zone says nothing here but UTC and GMT. */
static bool read_zone_name(struct reading *r)
{
    bool known = r->end - r->s >= 3 && (memcmp(r->s, "UTC", 3) == 0 || memcmp(r->s, "GMT", 3) == 0);

    r->s += known ? 3 : 0;
    return known;
}

/* After the point at least one digit; of more than six the first count. */
static bool read_fraction(struct reading *r)
{
    unsigned n = 0;

    if (r->s == r->end || (*r->s != '.' && *r->s != ','))
        return false;
    r->p.micros = 0;
    for (r->s++; r->s < r->end && *r->s >= '0' && *r->s <= '9'; r->s++, n++)
        r->p.micros = n < 6 ? r->p.micros * 10 + (unsigned)(*r->s - '0') : r->p.micros;
    for (unsigned i = n; i < 6; i++)
        r->p.micros *= 10;
    return n > 0;
}

static bool read_half(struct reading *r)
{
    if (r->end - r->s < 2 || (r->s[1] | 32) != 'm' ||
        ((r->s[0] | 32) != 'a' && (r->s[0] | 32) != 'p'))
        return false;
    r->is_pm = (r->s[0] | 32) == 'p';
    r->has_half = true;
    r->s += 2;
    return true;
}

static bool read_year(struct reading *r, bool is_short)
{
    unsigned v;

    if (!read_number(r, is_short ? 2 : 4, is_short ? 2 : 4, &v))
        return false;
    r->p.year = (int)(is_short ? v + (v >= 69 ? 1900 : 2000) : v);
    return true;
}

static bool read_part(struct reading *r, enum part part, size_t width)
{
    unsigned v, min = width == 2 ? 2 : 1;

    switch (part) {
    case PART_YEAR:
    case PART_SHORT_YEAR:
        return read_year(r, part == PART_SHORT_YEAR);
    case PART_MONTH:
        return read_number(r, min, 2, &r->p.month);
    case PART_MONTH_NAME:
        return read_name(r, months, 12, &v) && (r->p.month = v + 1);
    case PART_WEEKDAY:
        return read_name(r, weekdays, 7, &v);
    case PART_DAY:
        for (; r->s < r->end && *r->s == ' '; r->s++)
            continue;
        return read_number(r, 1, 2, &r->p.day);
    case PART_YEAR_DAY:
        return read_number(r, 3, 3, &r->year_day) && r->year_day;
    case PART_HOUR:
        return read_number(r, 2, 2, &r->p.hour);
    case PART_HALF_DAY_HOUR:
        return read_number(r, min, 2, &r->p.hour) && r->p.hour <= 12;
    case PART_MINUTE:
        return read_number(r, min, 2, &r->p.minute);
    case PART_SECOND:
        return read_number(r, min, 2, &r->p.second);
    case PART_FRACTION:
        return read_fraction(r);
    case PART_AM_PM:
        return read_half(r);
    case PART_ZONE:
        return read_zone(r);
    case PART_ZONE_NAME:
        return read_zone_name(r);
    default:
        return false;
    }
}

static bool put_together(struct reading *r, int64_t *us)
{
    if (r->has_half)
        r->p.hour = r->p.hour % 12 + (r->is_pm ? 12 : 0);
    if (r->year_day)
        r->p.month = r->p.day = 1;
    if (!temporal_from_parts(&r->p, us))
        return false;
    if (r->year_day)
        *us += (int64_t)(r->year_day - 1) * TEMPORAL_DAY_US;
    *us -= r->zone_us;
    return r->year_day <= 366;
}

bool go_layout_parse(const char *layout, size_t layout_len, const char *text, size_t len,
                     int64_t *us)
{
    struct reading r = {.s = text, .end = text + len, .p = {.year = 1, .month = 1, .day = 1}};
    size_t width;

    for (size_t i = 0; i < layout_len; i += width) {
        enum part part = part_at(layout + i, layout_len - i, &width);
        if (part != PART_NONE && !read_part(&r, part, width))
            return false;
        if (part == PART_NONE && (r.s == r.end || *r.s++ != layout[i]))
            return false;
    }
    return r.s == r.end && put_together(&r, us);
}
