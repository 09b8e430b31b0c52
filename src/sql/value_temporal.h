#pragma once
/*
 * Dates and times as MySQL reads and writes them. Days since 1970-01-01, microseconds since 1970
 * UTC, durations in signed microseconds. Pure functions, any core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEMPORAL_DAY_US INT64_C(86400000000)
/* The last moment of a TIMESTAMP since MySQL 8.0.28, 3001-01-18 23:59:59.999999 UTC. */
#define TEMPORAL_UNIX_MAX_US INT64_C(32536771199999999)
#define TEMPORAL_TIME_MAX_US ((INT64_C(838) * 3600 + 59 * 60 + 59) * 1000000)

/* A point in time taken apart. */
struct temporal_parts {
    int year;
    unsigned month, day;
    unsigned hour, minute, second, micros;
};

/* False outside years 1..9999 or for no such day. */
bool temporal_from_parts(const struct temporal_parts *p, int64_t *us);
void temporal_to_parts(int64_t us, struct temporal_parts *p);

/*
 * MySQL's date text: YYYY-MM-DD[ hh:mm[:ss[.f]]] with any punctuation, two-digit years, digits only
 * (YYYYMMDD[hhmmss]), ISO 8601's T and Z or +hh:mm, and MM/DD/YYYY. False when it is none;
 * *has_time and *fraction (digits written, 0..6) may be NULL.
 */
bool temporal_parse(const char *s, size_t len, int64_t *us, bool *has_time, unsigned *fraction);
/* A text like 2026-02-30: a day up to 31 that its month does not have; as the end of the month's
 * last day. */
bool temporal_parse_late_day(const char *s, size_t len, int64_t *us);
/* Numbers read as dates: 20260131, 260131, 20260131235959. */
bool temporal_from_number(int64_t n, int64_t *us, bool *has_time);
/* The reverse: 20260131 and 20260131235959. */
int64_t temporal_date_number(int64_t days);
int64_t temporal_datetime_number(int64_t us);

/* [-][d ]h:m[:s[.f]], or digits hhmmss. */
bool temporal_parse_time(const char *s, size_t len, int64_t *us);
/* [-]hh:mm:ss[.f]; out holds 24 bytes. */
size_t temporal_print_time(int64_t us, unsigned fraction, char *out);

/* Floor division helpers for times before 1970. */
int64_t temporal_us_to_days(int64_t us);
int64_t temporal_us_of_day(int64_t us);

/* 0 = Sunday .. 6. */
unsigned temporal_weekday(int64_t days);
unsigned temporal_days_in_month(int year, unsigned month);
