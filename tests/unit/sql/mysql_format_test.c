/* Texts of values, against values computed elsewhere (printf, the calendar, MariaDB 10.11). */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "sql/mysql_format.h"

static const char *end(char *text, size_t len)
{
    text[len] = '\0';
    return text;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

Test(mysql_format, integers_agree_with_printf)
{
    uint64_t state = 0x9e3779b97f4a7c15, power = 1;
    char text[32], want[32];

    for (int i = 0; i < 20; i++, power *= 10) {
        for (int d = -1; d <= 1; d++) {
            snprintf(want, sizeof(want), "%" PRIu64, power + (uint64_t)(int64_t)d);
            cr_assert_str_eq(end(text, mysql_format_uint64(text, power + (uint64_t)(int64_t)d)),
                             want);
        }
    }
    for (int i = 0; i < 100000; i++) {
        int64_t v = (int64_t)(next_random(&state) >> (i % 64));

        v = i & 1 ? -v : v;
        snprintf(want, sizeof(want), "%" PRId64, v);
        cr_assert_str_eq(end(text, mysql_format_int64(text, v)), want);
    }
    cr_assert_str_eq(end(text, mysql_format_int64(text, INT64_MIN)), "-9223372036854775808");
    cr_assert_str_eq(end(text, mysql_format_uint64(text, UINT64_MAX)), "18446744073709551615");
}

Test(mysql_format, decimals)
{
    __int128 max = (__int128)(~(unsigned __int128)0 >> 1);
    char text[64];

    cr_assert_str_eq(end(text, mysql_format_decimal64(text, 12345, 2)), "123.45");
    cr_assert_str_eq(end(text, mysql_format_decimal64(text, -5, 3)), "-0.005");
    cr_assert_str_eq(end(text, mysql_format_decimal64(text, 0, 2)), "0.00");
    cr_assert_str_eq(end(text, mysql_format_decimal64(text, 7, 0)), "7");
    cr_assert_str_eq(end(text, mysql_format_decimal64(text, INT64_MIN, 18)),
                     "-9.223372036854775808");
    cr_assert_str_eq(end(text, mysql_format_decimal64(text, INT64_MIN, 38)),
                     "-0.00000000000000000009223372036854775808");
    cr_assert_str_eq(end(text, mysql_format_decimal128(text, max, 0)),
                     "170141183460469231731687303715884105727");
    cr_assert_str_eq(end(text, mysql_format_decimal128(text, -max - 1, 38)),
                     "-1.70141183460469231731687303715884105728");
    cr_assert_eq(mysql_format_decimal128(text, -max - 1, 38), MYSQL_FORMAT_DECIMAL_MAX);
    cr_assert_str_eq(end(text, mysql_format_decimal128(text, (__int128)10000000000000000000ull, 4)),
                     "1000000000000000.0000");
    cr_assert_str_eq(end(text, mysql_format_decimal128(text, 1, 38)),
                     "0.00000000000000000000000000000000000001");
}

Test(mysql_format, doubles_as_mariadb_prints_them)
{
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0.1, "0.1"},
        {-0.5, "-0.5"},
        {100, "100"},
        {1e14, "100000000000000"},
        {1e15, "1e15"},
        {123456789012345678.0, "1.2345678901234568e17"},
        {1e-5, "0.00001"},
        {1e-15, "0.000000000000001"},
        {1e-16, "1e-16"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {DBL_MAX, "1.7976931348623157e308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {9007199254740993.0, "9.007199254740992e15"},
        {123456.789, "123456.789"},
        {1016890030353317.4, "1016890030353317.4"},
        {1016890030353317.0, "1.016890030353317e15"},
        {0, "0"},
    };
    char text[MYSQL_FORMAT_DOUBLE_MAX + 1];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_assert_str_eq(end(text, mysql_format_double(text, cases[i].v)), cases[i].text);
    cr_assert_str_eq(end(text, mysql_format_float(text, 0.1f)), "0.1");
    cr_assert_str_eq(end(text, mysql_format_float(text, 16777216.0f)), "16777200");
    cr_assert_str_eq(end(text, mysql_format_float(text, 1e10f)), "10000000000");
    cr_assert_str_eq(end(text, mysql_format_float(text, 1e-5f)), "0.00001");
    cr_assert_str_eq(end(text, mysql_format_double_fixed(text, 2.345, 2)), "2.35");
    cr_assert_leq(mysql_format_double_fixed(text, -DBL_MAX, 30), MYSQL_FORMAT_DOUBLE_MAX);
}

/* Significant digits of a number's text, without zeros in front of the first. */
static size_t significant_digits(const char *text)
{
    size_t n = 0;

    for (; *text && *text != 'e'; text++)
        n += *text >= (n ? '0' : '1') && *text <= '9';
    return n;
}

Test(mysql_format, doubles_read_back_and_are_shortest)
{
    uint64_t state = 88172645463325252, bits;
    char text[MYSQL_FORMAT_DOUBLE_MAX + 1], shorter[64];
    double v;

    for (int i = 0; i < 100000; i++) {
        bits = next_random(&state);
        memcpy(&v, &bits, sizeof(v));
        if (i & 1)
            v = (double)(int64_t)(bits >> 30) / (double[]){1, 10, 100, 1e3, 1e4, 1e6}[i % 6];
        if (!isfinite(v) || v == 0)
            continue;
        end(text, mysql_format_double(text, v));
        cr_assert_eq(strtod(text, NULL), v, "%s is not %.17g", text, v);
        if (significant_digits(text) < 16)
            continue;
        snprintf(shorter, sizeof(shorter), "%.*e", (int)significant_digits(text) - 2, v);
        cr_assert(strtod(shorter, NULL) != v, "%s has a shorter form %s", text, shorter);
    }
}

Test(mysql_format, calendar_round_trip_of_every_day)
{
    struct mysql_civil c, last = {.year = 0, .month = 12, .day = 31};

    for (int64_t day = MYSQL_DAY_MIN; day <= MYSQL_DAY_MAX; day++) {
        cr_assert(mysql_civil_from_days(day, &c));
        cr_assert_eq(mysql_days_from_civil(c.year, c.month, c.day), day);
        if (c.day != last.day + 1)
            cr_assert(c.day == 1 &&
                      (c.month == last.month + 1 ||
                       (c.month == 1 && last.month == 12 && c.year == last.year + 1)));
        last = c;
    }
    cr_assert(last.year == 9999 && last.month == 12 && last.day == 31);
    cr_assert_not(mysql_civil_from_days(MYSQL_DAY_MIN - 1, &c));
    cr_assert_not(mysql_civil_from_days(MYSQL_DAY_MAX + 1, &c));
    cr_assert_not(mysql_civil_from_days(INT64_MIN, &c));
    cr_assert_not(mysql_civil_from_micros(INT64_MAX, &c));
    cr_assert_not(mysql_civil_from_micros(INT64_MIN, &c));
}

Test(mysql_format, dates_and_times)
{
    struct mysql_civil c;
    char text[64];

    cr_assert(mysql_civil_from_micros(-1, &c));
    cr_assert_str_eq(end(text, mysql_format_datetime(text, &c, 6)), "1969-12-31 23:59:59.999999");
    cr_assert_str_eq(end(text, mysql_format_datetime(text, &c, 3)), "1969-12-31 23:59:59.999");
    cr_assert_str_eq(end(text, mysql_format_datetime(text, &c, 0)), "1969-12-31 23:59:59");
    cr_assert(mysql_civil_from_micros(INT64_C(951782400000000), &c));
    cr_assert_str_eq(end(text, mysql_format_date(text, &c)), "2000-02-29");
    cr_assert(mysql_civil_from_days(MYSQL_DAY_MIN, &c));
    cr_assert_str_eq(end(text, mysql_format_date(text, &c)), "0001-01-01");
    cr_assert(mysql_civil_from_micros((int64_t)(MYSQL_DAY_MAX + 1) * MYSQL_MICROS_PER_DAY - 1, &c));
    cr_assert_str_eq(end(text, mysql_format_datetime(text, &c, 6)), "9999-12-31 23:59:59.999999");
    cr_assert_str_eq(end(text, mysql_format_time(text, 3661000001, 6)), "01:01:01.000001");
    cr_assert_str_eq(end(text, mysql_format_time(text, -MYSQL_TIME_MICROS_MAX, 0)), "-838:59:59");
    cr_assert_str_eq(end(text, mysql_format_time(text, INT64_MIN, 1)), "-838:59:59.0");
    cr_assert_str_eq(end(text, mysql_format_time(text, 0, 0)), "00:00:00");
}
