#include "sql/go_layout.h"

#include <criterion/criterion.h>
#include <string.h>

static int64_t parse(const char *layout, const char *text)
{
    int64_t us = -1;

    return go_layout_parse(layout, strlen(layout), text, strlen(text), &us) ? us : INT64_MIN;
}

enum { DAY = 19860 }; /* 2024-05-17 */
#define AT(h, m, s) ((((int64_t)DAY * 24 + (h)) * 60 + (m)) * 60 + (s)) * 1000000

Test(go_layout, dates)
{
    cr_expect_eq(parse("01/02/2006", "05/17/2024"), AT(0, 0, 0));
    cr_expect_eq(parse("1/2/06", "5/17/24"), AT(0, 0, 0));
    cr_expect_eq(parse("2006-01-02T15:04:05Z07:00", "2024-05-17T10:20:30+02:00"), AT(8, 20, 30));
    cr_expect_eq(parse("2006-01-02T15:04:05Z0700", "2024-05-17T10:20:30Z"), AT(10, 20, 30));
    cr_expect_eq(parse("Monday, 02-Jan-06 15:04:05.000 MST", "Friday, 17-May-24 10:20:30.250 UTC"),
                 AT(10, 20, 30) + 250000);
    cr_expect_eq(parse("Jan _2 2006 3:04PM", "May 17 2024 12:05am"), AT(0, 5, 0));
    cr_expect_eq(parse("2006.002", "2024.138"), AT(0, 0, 0));
}

Test(go_layout, what_is_not_written_so)
{
    cr_expect_eq(parse("01/02/2006", "5/17/2024"), INT64_MIN);
    cr_expect_eq(parse("01/02/2006", "02/30/2024"), INT64_MIN);
    cr_expect_eq(parse("01/02/2006", "05/17/2024 "), INT64_MIN);
    cr_expect_eq(parse("2006", "202"), INT64_MIN);
    cr_expect_eq(parse("2006 ", "2024"), INT64_MIN);
    cr_expect_eq(parse("3PM 2006", "13PM 2024"), INT64_MIN);
    cr_expect_eq(parse("2006-002", "2024-367"), INT64_MIN);
    cr_expect_eq(parse("", "x"), INT64_MIN);
    cr_expect_eq(parse("2006 -0700", "2024 +9999"), INT64_MIN);
}
