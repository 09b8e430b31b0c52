/* Exact decimals. */
#include <criterion/criterion.h>
#include <string.h>

#include "sql/decimal.h"

static void check_text(__int128 v, unsigned scale, const char *want)
{
    char text[DECIMAL_TEXT];

    decimal_print(v, scale, text);
    cr_expect_str_eq(text, want);
}

Test(decimal, text)
{
    __int128 v;
    unsigned scale;
    size_t used;

    check_text(0, 0, "0");
    check_text(-5, 2, "-0.05");
    check_text(12345, 3, "12.345");
    check_text(decimal_pow10(38) - 1, 0, "99999999999999999999999999999999999999");
    cr_expect(decimal_parse(" -12.50x", 8, &v, &scale, &used));
    cr_expect(v == -1250 && scale == 2 && used == 7);
    cr_expect(decimal_parse("1.5e3", 5, &v, &scale, &used));
    cr_expect(v == 1500 && scale == 0);
    cr_expect(decimal_parse("25e-3", 5, &v, &scale, &used));
    cr_expect(v == 25 && scale == 3);
    cr_expect(decimal_parse("abc", 3, &v, &scale, &used));
    cr_expect_eq(used, 0);
    cr_expect_not(decimal_parse("1e99", 4, &v, &scale, &used));
}

Test(decimal, rounding)
{
    __int128 v;

    cr_expect(decimal_rescale(25, 1, 0, &v) && v == 3);
    cr_expect(decimal_rescale(-25, 1, 0, &v) && v == -3);
    cr_expect(decimal_rescale(24, 1, 0, &v) && v == 2);
    cr_expect(decimal_rescale(1, 0, 30, &v) && v == decimal_pow10(30));
    cr_expect_not(decimal_rescale(decimal_pow10(37), 0, 5, &v));
    cr_expect(decimal_truncate(-29, 1, 0, &v) && v == -2);
}

Test(decimal, arithmetic)
{
    __int128 v;
    unsigned s;

    cr_expect(decimal_add(15, 1, 225, 2, &v, &s) && v == 375 && s == 2);
    cr_expect(decimal_mul(15, 1, 225, 2, &v, &s) && v == 3375 && s == 3);
    cr_expect(decimal_div(1, 0, 3, 0, 9, &v, &s) && v == 333333333 && s == 9);
    cr_expect(decimal_div(-1, 0, 8, 0, 9, &v, &s) && s <= 9);
    check_text(v, s, "-0.125000000");
    cr_expect(decimal_div(decimal_pow10(37), 0, decimal_pow10(37), 0, 9, &v, &s));
    cr_expect_eq(decimal_compare(v, s, 1, 0), 0);
    cr_expect(decimal_mod(-75, 1, 2, 0, &v, &s) && v == -15 && s == 1);
    cr_expect_not(decimal_mul(decimal_pow10(30) + 1, 0, decimal_pow10(30) + 1, 0, &v, &s));
    cr_expect_eq(decimal_compare(15, 1, 150, 2), 0);
    cr_expect_eq(decimal_compare(-1, 0, 1, 30), -1);
    cr_expect_eq(decimal_compare(decimal_pow10(37), 0, 1, 30), 1);
}

Test(decimal, doubles)
{
    __int128 v;

    cr_expect(decimal_to_double(15, 1) == 1.5);
    cr_expect(decimal_from_double(0.1, 2, &v) && v == 10);
    cr_expect_not(decimal_from_double(1e39, 0, &v));
    cr_expect_eq(decimal_digits(0), 1);
    cr_expect_eq(decimal_digits(-12345), 5);
}
