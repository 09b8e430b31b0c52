#include "storage/partition.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/mapping.h"

enum { DAY_SECONDS = 86400, HOUR_SECONDS = 3600, DAY_DIGITS = 8, HOUR_DIGITS = 10 };

#define RETENTION_MAX_DAYS 3660000ll /* more than the calendar has */

int64_t partition_seconds(const struct schema *s)
{
    if (s->time_column < 0)
        return 0;
    return s->columns[s->time_column].type != COLUMN_DATE && strcmp(s->time_type, "YMDH") == 0
               ? HOUR_SECONDS
               : DAY_SECONDS;
}

void partition_name(const struct schema *s, int64_t start, char out[static PARTITION_NAME_BYTES])
{
    int64_t days = start / DAY_SECONDS - (start % DAY_SECONDS < 0);
    unsigned hour = (unsigned)((start - days * DAY_SECONDS) / HOUR_SECONDS), month, day;
    int year;

    if (date_from_days(days, &year, &month, &day) != 0)
        snprintf(out, PARTITION_NAME_BYTES, "p_%" PRId64, start);
    else if (partition_seconds(s) == HOUR_SECONDS)
        snprintf(out, PARTITION_NAME_BYTES, "p%04d%02u%02u%02u", year, month, day, hour);
    else
        snprintf(out, PARTITION_NAME_BYTES, "p%04d%02u%02u", year, month, day);
}

static unsigned digits(const char *s, unsigned n)
{
    unsigned v = 0;

    while (n--)
        v = v * 10 + (unsigned)(*s++ - '0');
    return v;
}

/* What the name says, whatever it says: partition_parse compares with the name of the result. */
static bool read_name(const char *name, int64_t *start)
{
    size_t n = strspn(name + 1, "0123456789");
    char *end;

    if (name[1] == '_') {
        *start = strtoll(name + 2, &end, 10);
        return end > name + 2 && !*end;
    }
    if ((n != DAY_DIGITS && n != HOUR_DIGITS) || name[1 + n])
        return false;
    unsigned year = digits(name + 1, 4), month = digits(name + 5, 2), day = digits(name + 7, 2);
    if (!year || !month || month > 12 || !day || day > 31)
        return false;
    *start = date_to_days((int)year, month, day) * DAY_SECONDS +
             (n == HOUR_DIGITS ? digits(name + 9, 2) * HOUR_SECONDS : 0);
    return true;
}

bool partition_parse(const struct schema *s, const char *name, int64_t *start)
{
    char again[PARTITION_NAME_BYTES];

    if ((name[0] != 'p' && name[0] != 'P') || !partition_seconds(s) || !read_name(name, start))
        return false;
    partition_name(s, *start, again);
    return strcmp(again + 1, name + 1) == 0;
}

bool partition_parse_retention(const char *text, int64_t *seconds)
{
    char *end;
    long long n = strtoll(text, &end, 10);

    if (*text < '0' || *text > '9' || n < 1 || end[0] == 0 || end[1] != 0)
        return false;
    if ((*end != 'd' && *end != 'h') || n > RETENTION_MAX_DAYS)
        return false;
    *seconds = n * (*end == 'd' ? DAY_SECONDS : HOUR_SECONDS);
    return true;
}
