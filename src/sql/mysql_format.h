#pragma once
/*
 * Values as MySQL writes them in text: integers, decimals, floating point, dates and times.
 *
 * Every function writes to dst without a NUL and returns the number of bytes; the needed room is
 * given by the constants. No locale, no time zone (UTC), no allocation; any core.
 * Source: MySQL 8.0 manual, "Data Types"; digits of doubles as MySQL's my_gcvt chooses them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MYSQL_FORMAT_INT_MAX 20u
#define MYSQL_FORMAT_DECIMAL_MAX 41u
#define MYSQL_FORMAT_DOUBLE_MAX 352u
#define MYSQL_FORMAT_DATE_MAX 10u
#define MYSQL_FORMAT_DATETIME_MAX 26u
#define MYSQL_FORMAT_TIME_MAX 17u
#define MYSQL_DECIMAL_SCALE_MAX 38u

/* First and last day MySQL knows, 0001-01-01 and 9999-12-31, in days since 1970-01-01. */
#define MYSQL_DAY_MIN (-719162)
#define MYSQL_DAY_MAX 2932896
#define MYSQL_MICROS_PER_DAY INT64_C(86400000000)
/* 838:59:59, the longest TIME. */
#define MYSQL_TIME_MICROS_MAX INT64_C(3020399000000)

/* A point of the calendar. Lives on the stack. */
struct mysql_civil {
    int year; /* 1..9999 */
    uint8_t month, day, hour, minute, second;
    uint32_t micros;
};

size_t mysql_format_uint64(char *dst, uint64_t v);
size_t mysql_format_int64(char *dst, int64_t v);
/* v / 10^scale with exactly `scale` fraction digits, scale 0..38. */
size_t mysql_format_decimal64(char *dst, int64_t v, unsigned scale);
size_t mysql_format_decimal128(char *dst, __int128 v, unsigned scale);
/* Shortest text that reads back as the same value, of a float six digits; exponent form below 1e-15
 * and, without a fraction, from 1e15 on. The value must be finite. */
size_t mysql_format_double(char *dst, double v);
size_t mysql_format_float(char *dst, float v);
/* `decimals` (0..30) fraction digits, never an exponent. */
size_t mysql_format_double_fixed(char *dst, double v, unsigned decimals);

/* Splits days (and the microseconds of the day) into calendar fields: false outside the years
 * 0001..9999. */
bool mysql_civil_from_days(int64_t days, struct mysql_civil *civil);
bool mysql_civil_from_micros(int64_t micros, struct mysql_civil *civil);
/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar; month 1..12. */
int64_t mysql_days_from_civil(int64_t year, unsigned month, unsigned day);

/* YYYY-MM-DD. */
size_t mysql_format_date(char *dst, const struct mysql_civil *civil);
/* YYYY-MM-DD hh:mm:ss and, with decimals 1..6, a fraction cut to that many digits. */
size_t mysql_format_datetime(char *dst, const struct mysql_civil *civil, unsigned decimals);
/* [-]hh:mm:ss[.fraction] of a duration, which is limited to 838:59:59. */
size_t mysql_format_time(char *dst, int64_t micros, unsigned decimals);
