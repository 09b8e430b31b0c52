/* Proleptic Gregorian calendar in whole numbers, and its printed forms. No time zones, no libc. */
#include <errno.h>

#include "reactor/assert.h"
#include "storage/datetime.h"

/*
 * Days are counted in eras of 400 years (146097 days) that begin on 1 March, so that the leap day
 * is the last one of a year; 719468 days lie between 0000-03-01 and 1970-01-01.
 */
int64_t date_to_days(int year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

int date_from_days(int64_t days, int *year, unsigned *month, unsigned *day)
{
    int64_t z, era, day_of_era, year_of_era, day_of_year, m;

    if (days < DATE_MIN_DAYS || days > DATE_MAX_DAYS)
        return -ERANGE;
    z = days + 719468;
    era = z / 146097; /* z is positive from year 1 on */
    day_of_era = z - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    m = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (unsigned)(m < 10 ? m + 3 : m - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
    return 0;
}

unsigned date_month_days(int year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    ASSERT(month >= 1 && month <= 12);
    return month == 2 && leap ? 29 : days[month - 1];
}

static char *put_digits(char *out, uint64_t v, unsigned n)
{
    for (unsigned i = n; i-- > 0; v /= 10)
        out[i] = (char)('0' + v % 10);
    return out + n;
}

size_t date_print(int64_t days, char out[static 11])
{
    char *at = out;
    unsigned month, day;
    int year;

    if (date_from_days(days, &year, &month, &day) != 0) {
        out[0] = 0;
        return 0;
    }
    at = put_digits(at, (uint64_t)year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    at = put_digits(at, day, 2);
    *at = 0;
    return (size_t)(at - out);
}

size_t datetime_print(int64_t us, unsigned fraction_digits, char out[static 27])
{
    int64_t days = us / DAY_US - (us % DAY_US < 0);
    uint64_t rest = (uint64_t)(us - days * DAY_US);
    char *at = out + date_print(days, out);
    unsigned digits = fraction_digits < 6 ? fraction_digits : 6;

    if (at == out)
        return 0;
    *at++ = ' ';
    at = put_digits(at, rest / 3600000000, 2);
    *at++ = ':';
    at = put_digits(at, rest / 60000000 % 60, 2);
    *at++ = ':';
    at = put_digits(at, rest / 1000000 % 60, 2);
    if (digits) {
        char fraction[6];

        put_digits(fraction, rest % 1000000, 6);
        *at++ = '.';
        for (unsigned i = 0; i < digits; i++)
            *at++ = fraction[i];
    }
    *at = 0;
    return (size_t)(at - out);
}
