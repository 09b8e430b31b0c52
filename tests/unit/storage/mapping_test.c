/* Mapping strategies: valid, border, NULL and invalid input of every kind. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/mapping.h"

static const struct column boolean = {.name = (char[]){"b"},
                                      .type = COLUMN_BOOL,
                                      .mapping = MAPPING_BOOL_DIRECT};
static const struct column integer = {.name = (char[]){"i"},
                                      .type = COLUMN_INT,
                                      .mapping = MAPPING_INT_BSI};
static const struct column direct = {.name = (char[]){"d"},
                                     .type = COLUMN_INT,
                                     .mapping = MAPPING_INT_DIRECT};
static const struct column money = {.name = (char[]){"m"},
                                    .type = COLUMN_DECIMAL,
                                    .mapping = MAPPING_FLOAT_SCALE_BSI,
                                    .scale = 2};
static const struct column fine = {.name = (char[]){"f"},
                                   .type = COLUMN_DECIMAL,
                                   .mapping = MAPPING_FLOAT_SCALE_BSI,
                                   .scale = 18};
static const struct column whole = {.name = (char[]){"w"},
                                    .type = COLUMN_DECIMAL,
                                    .mapping = MAPPING_FLOAT_SCALE_BSI};
static const struct column day = {.name = (char[]){"y"},
                                  .type = COLUMN_DATE,
                                  .mapping = MAPPING_SYS_SEC_BSI};
static const struct column sec = {.name = (char[]){"s"},
                                  .type = COLUMN_DATETIME,
                                  .mapping = MAPPING_SYS_SEC_BSI};
static const struct column milli = {.name = (char[]){"ms"},
                                    .type = COLUMN_DATETIME,
                                    .mapping = MAPPING_SYS_MILLIS_BSI,
                                    .scale = 3};
static const struct column micro = {.name = (char[]){"us"},
                                    .type = COLUMN_DATETIME,
                                    .mapping = MAPPING_SYS_MICRO_BSI,
                                    .scale = 6};
static const struct column hash = {.name = (char[]){"h"},
                                   .type = COLUMN_STRING,
                                   .mapping = MAPPING_STRING_HASH_BSI};
static const struct column enumeration = {.name = (char[]){"e"},
                                          .type = COLUMN_STRING,
                                          .mapping = MAPPING_STRING_ENUM};
static const struct column parent_int = {.name = (char[]){"p"},
                                         .type = COLUMN_INT,
                                         .mapping = MAPPING_PARENT_RELATION};
static const struct column parent_text = {.name = (char[]){"q"},
                                          .type = COLUMN_STRING,
                                          .mapping = MAPPING_PARENT_RELATION};
static const struct column list = {.name = (char[]){"l"},
                                   .type = COLUMN_STRING,
                                   .mapping = MAPPING_STRING_ENUM,
                                   .layout = LAYOUT_LIST,
                                   .multi_valued = true,
                                   .delim = ','};

static struct value text_of(const char *s)
{
    return (struct value){.kind = VALUE_TEXT, .bytes = s, .len = (uint32_t)strlen(s)};
}

static struct value int_of(int64_t v)
{
    return (struct value){.kind = VALUE_INT, .i64 = v};
}

static struct value double_of(double v)
{
    return (struct value){.kind = VALUE_DOUBLE, .f64 = v};
}

static struct value decimal_of(int64_t v, uint8_t scale)
{
    return (struct value){.kind = VALUE_DECIMAL, .i128 = v, .scale = scale};
}

/* code 0: the column takes it as `expected`; else the error number. */
static void check(const struct column *c, struct value in, int code, int64_t expected,
                  const char *what)
{
    struct error_info err = {0};
    struct cell cell;
    int rc = mapping_convert(c, &in, &cell, &err);

    if (code == 0) {
        cr_expect(rc == 0 && cell.present, "%s into %s: %s", what, c->name, err.text);
        cr_expect_eq(cell.i64, expected, "%s into %s: %" PRId64, what, c->name, cell.i64);
        return;
    }
    cr_expect_neq(rc, 0, "%s into %s was taken as %" PRId64, what, c->name, cell.i64);
    cr_expect_eq(err.code, code, "%s into %s: %d %s", what, c->name, err.code, err.text);
    cr_expect(strstr(err.text, c->name) && strstr(err.text, "allowed"), "%s", err.text);
    cr_expect_eq(rc, code == 1264 ? -ERANGE : -EINVAL);
}

struct text_case {
    const struct column *column;
    const char *text;
    int code;
    int64_t expected;
};

Test(mapping, texts)
{
    static const struct text_case cases[] = {
        {&boolean, "true", 0, 1},
        {&boolean, " Yes ", 0, 1},
        {&boolean, "Y", 0, 1},
        {&boolean, "1", 0, 1},
        {&boolean, "T", 0, 1},
        {&boolean, "FALSE", 0, 0},
        {&boolean, "no", 0, 0},
        {&boolean, "0", 0, 0},
        {&boolean, "", 1366, 0},
        {&boolean, "unknown", 1366, 0},
        {&boolean, "2", 1366, 0},
        {&integer, "0", 0, 0},
        {&integer, "-0", 0, 0},
        {&integer, " +12 ", 0, 12},
        {&integer, "9223372036854775807", 0, INT64_MAX},
        {&integer, "-9223372036854775808", 0, INT64_MIN},
        {&integer, "9223372036854775808", 1264, 0},
        {&integer, "-9223372036854775809", 1264, 0},
        {&integer, "99999999999999999999999999999999999999999999999", 1264, 0},
        {&integer, "00000000000000000000000000000000000000000000007", 0, 7},
        {&integer, "12.000", 0, 12},
        {&integer, "12.5", 1265, 0},
        {&integer, "1e3", 0, 1000},
        {&integer, "1.5e1", 0, 15},
        {&integer, "15e-1", 1265, 0},
        {&integer, "150e-1", 0, 15},
        {&integer, "0e999999999999", 0, 0},
        {&integer, "1e999999999999", 1264, 0},
        {&integer, "1e-999999999999", 1265, 0},
        {&integer, "", 1366, 0},
        {&integer, " ", 1366, 0},
        {&integer, "-", 1366, 0},
        {&integer, ".", 1366, 0},
        {&integer, "1.2.3", 1366, 0},
        {&integer, "12a", 1366, 0},
        {&integer, "1e", 1366, 0},
        {&integer, "1e+", 1366, 0},
        {&integer, "0x10", 1366, 0},
        {&integer, "NaN", 1366, 0},
        {&direct, "-3", 0, -3},
        {&direct, "0", 0, 0},
        {&direct, "", 1366, 0},
        {&parent_int, "77", 0, 77},
        {&parent_int, "x", 1366, 0},
        {&money, "10.50", 0, 1050},
        {&money, "-.5", 0, -50},
        {&money, "5.", 0, 500},
        {&money, "0.1", 0, 10},
        {&money, "10.500", 0, 1050},
        {&money, "10.501", 1265, 0},
        {&money, "92233720368547758.07", 0, INT64_MAX},
        {&money, "-92233720368547758.08", 0, INT64_MIN},
        {&money, "92233720368547758.08", 1264, 0},
        {&money, "1.05e1", 0, 1050},
        {&money, "abc", 1366, 0},
        {&money, "", 1366, 0},
        {&fine, "9.223372036854775807", 0, INT64_MAX},
        {&fine, "-0.000000000000000001", 0, -1},
        {&fine, "10", 1264, 0},
        {&whole, "12", 0, 12},
        {&whole, "12.1", 1265, 0},
        {&day, "2024-02-29", 0, 19782},
        {&day, "0001-01-01", 0, -719162},
        {&day, "9999-12-31", 0, 2932896},
        {&day, "2024-02-29 00:00:00", 0, 19782},
        {&day, "2024-02-29 00:00:01", 1265, 0},
        {&day, "2024-02-30", 1292, 0},
        {&day, "", 1292, 0},
        {&day, "1709164800", 0, 19782},
        {&sec, "2026-01-01 00:00:07", 0, 1767225607},
        {&sec, "2026-01-01 00:00:07.000", 0, 1767225607},
        {&sec, "2026-01-01 00:00:07.5", 1265, 0},
        {&sec, "1767225607", 0, 1767225607},
        {&sec, "1767225607000", 0, 1767225607},
        {&sec, "1767225607001", 1265, 0},
        {&sec, "tomorrow", 1292, 0},
        {&sec, "", 1292, 0},
        {&sec, "NULL", 1292, 0},
        {&milli, "2026-01-01T00:00:07.5Z", 0, 1767225607500},
        {&milli, "1767225607", 0, 1767225607000},
        {&milli, "2026-01-01T00:00:07.5001Z", 1265, 0},
        {&micro, "2026-01-01T00:00:07.123456Z", 0, 1767225607123456},
        {&micro, "2026-01-01T00:00:07.1234561Z", 1265, 0},
        {&micro, "2026-01-01T00:00:07.123456000000Z", 0, 1767225607123456},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].column, text_of(cases[i].text), cases[i].code, cases[i].expected,
              cases[i].text);
}

Test(mapping, numbers)
{
    check(&boolean, int_of(1), 0, 1, "1");
    check(&boolean, int_of(0), 0, 0, "0");
    check(&boolean, int_of(2), 1264, 0, "2");
    check(&boolean, (struct value){.kind = VALUE_BOOL, .i64 = 1}, 0, 1, "true");
    check(&integer, (struct value){.kind = VALUE_BOOL, .i64 = 1}, 0, 1, "true");
    check(&integer, int_of(INT64_MIN), 0, INT64_MIN, "min");
    check(&integer, double_of(-3), 0, -3, "-3.0");
    check(&integer, double_of(3.5), 1265, 0, "3.5");
    check(&integer, double_of(1e18), 0, 1000000000000000000, "1e18");
    check(&integer, double_of(1e19), 1264, 0, "1e19");
    check(&integer, double_of(NAN), 1366, 0, "nan");
    check(&integer, double_of(INFINITY), 1264, 0, "inf");
    check(&integer, decimal_of(1200, 2), 0, 12, "12.00");
    check(&integer, decimal_of(1250, 2), 1265, 0, "12.50");
    check(&integer, decimal_of(0, 200), 0, 0, "0 with 200 digits");
    check(&integer, (struct value){.kind = VALUE_DECIMAL, .i128 = (__int128)INT64_MAX + 1}, 1264, 0,
          "2^63");
    check(&money, int_of(-5), 0, -500, "-5");
    check(&money, int_of(INT64_MAX / 100 + 1), 1264, 0, "too large");
    check(&money, double_of(0.1), 0, 10, "0.1");
    check(&money, double_of(-0.29), 0, -29, "-0.29");
    check(&money, double_of(1.005), 1265, 0, "1.005");
    check(&money, double_of(0.1 + 0.2), 1265, 0, "0.1 + 0.2");
    check(&money, double_of(4503599627370495.5), 0, 450359962737049550, "2^52 - 0.5");
    check(&money, double_of(1e300), 1264, 0, "1e300");
    check(&money, double_of(1e-300), 1265, 0, "1e-300");
    check(&money, decimal_of(38888, 2), 0, 38888, "388.88");
    check(&money, decimal_of(388880, 3), 0, 38888, "388.880");
    check(&money, decimal_of(388881, 3), 1265, 0, "388.881");
    check(&money, decimal_of(3, 0), 0, 300, "3");
    check(&fine, double_of(0.5), 0, 500000000000000000, "0.5");
    check(&fine, double_of(0.1), 0, 100000000000000000, "0.1");
    check(&integer, (struct value){.kind = VALUE_DATE}, 1366, 0, "a date");
}

Test(mapping, whole_numbers_into_times)
{
    /* 10, 13, 16, 19 digits are s, ms, us, ns as in texts; others are ticks of the column. */
    check(&milli, int_of(1767225607), 0, 1767225607000, "10 digits");
    check(&milli, int_of(1767225607123), 0, 1767225607123, "13 digits");
    check(&milli, int_of(1767225607123000), 0, 1767225607123, "16 digits");
    check(&milli, int_of(1767225607123456), 1265, 0, "16 digits");
    check(&milli, int_of(1767225607123000000), 0, 1767225607123, "19 digits");
    check(&micro, int_of(1767225607123456000), 0, 1767225607123456, "19 digits");
    check(&micro, int_of(1767225607123456001), 1265, 0, "19 digits");
    check(&sec, int_of(1767225607), 0, 1767225607, "10 digits");
    check(&sec, int_of(-1767225607), 0, -1767225607, "-10 digits");
    check(&milli, int_of(5), 0, 5, "5 ticks");
    check(&sec, int_of(5), 0, 5, "5 ticks");
    check(&micro, int_of(-7), 0, -7, "-7 ticks");
    check(&sec, int_of(99999999999), 0, 99999999999, "11 digits");
    check(&sec, int_of(999999999999), 1264, 0, "12 digits");
    check(&sec, double_of(1767225607), 0, 1767225607, "double");
    check(&sec, double_of(1.5), 1265, 0, "1.5");
    check(&sec, (struct value){.kind = VALUE_DATE, .i64 = 1}, 0, 86400, "a date");
    check(&sec, (struct value){.kind = VALUE_DATETIME, .i64 = 7000000}, 0, 7, "a time");
    check(&sec, (struct value){.kind = VALUE_DATETIME, .i64 = 7000001}, 1265, 0, "a time");
    check(&sec, (struct value){.kind = VALUE_DATE, .i64 = 2932897}, 1264, 0, "the year 10000");
    check(&sec, (struct value){.kind = VALUE_DATE, .i64 = INT64_MAX}, 1264, 0, "far off");
    check(&day, (struct value){.kind = VALUE_DATE, .i64 = -719162}, 0, -719162, "0001-01-01");
    check(&day, (struct value){.kind = VALUE_DATE, .i64 = -719163}, 1264, 0, "the year 0");
    check(&day, (struct value){.kind = VALUE_DATETIME, .i64 = -86400000000}, 0, -1,
          "a time at midnight");
    check(&day, (struct value){.kind = VALUE_DATETIME, .i64 = 1000000}, 1265, 0, "a time");
    check(&day, int_of(86400), 0, 1, "ticks of a day");
    check(&day, (struct value){.kind = VALUE_BOOL, .i64 = 1}, 1292, 0, "true");
}

static void check_text(const struct column *c, struct value in, const char *expected)
{
    struct error_info err = {0};
    struct cell cell;

    cr_assert_eq(mapping_convert(c, &in, &cell, &err), 0, "%s", err.text);
    cr_assert(cell.present && cell.len == strlen(expected) &&
                  memcmp(cell.bytes, expected, cell.len) == 0,
              "%s: %.*s", expected, (int)cell.len, cell.bytes);
}

Test(mapping, strings)
{
    static const struct column *const columns[] = {&hash, &enumeration, &parent_text};
    struct error_info err;
    struct cell cell;
    struct value in;

    for (size_t i = 0; i < 3; i++) {
        check_text(columns[i], text_of("Zürich"), "Zürich");
        check_text(columns[i], text_of(" a "), " a ");
        check_text(columns[i], text_of(""), "");
        check_text(columns[i], int_of(-42), "-42");
        check_text(columns[i], double_of(10.5), "10.5");
        check_text(columns[i], double_of(0.1), "0.1");
        check_text(columns[i], decimal_of(1050, 2), "10.50");
        check_text(columns[i], decimal_of(-5, 3), "-0.005");
        check_text(columns[i], (struct value){.kind = VALUE_BOOL, .i64 = 1}, "1");
        check_text(columns[i], (struct value){.kind = VALUE_DATE, .i64 = 0}, "1970-01-01");
        check_text(columns[i], (struct value){.kind = VALUE_DATETIME, .i64 = 0},
                   "1970-01-01 00:00:00");
        check(columns[i], text_of("\xff"), 1366, 0, "not UTF-8");
        check(columns[i], text_of("abcdefgh\xc0\x80"), 1366, 0, "overlong");
        check(columns[i], text_of("\xed\xa0\x80xxxxxxxx"), 1366, 0, "surrogate");
    }
    /* The longest possible text of a decimal is clipped nowhere near. */
    in = (struct value){.kind = VALUE_DECIMAL, .i128 = INT64_MIN, .scale = 38};
    cr_assert_eq(mapping_convert(&hash, &in, &cell, &err), 0);
    cr_assert_eq(cell.len, 41);
}

Test(mapping, nulls)
{
    static const struct column *const columns[] = {&boolean, &integer, &direct, &money,
                                                   &day,     &sec,     &hash,   &list};
    struct value in = {.kind = VALUE_NULL}, empty = {.kind = VALUE_LIST};
    struct error_info err;
    struct cell cell;
    uint32_t n;

    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        cr_assert_eq(mapping_convert(columns[i], &in, &cell, &err), 0);
        cr_assert(!cell.present);
        cr_assert_eq(mapping_convert(columns[i], &empty, &cell, &err), 0);
        cr_assert(!cell.present);
    }
    cr_assert_eq(mapping_convert_list(&list, &in, &cell, 1, &n, &err), 0);
    cr_assert_eq(n, 0);
}

static void check_list(struct value in, const char *expected)
{
    struct cell items[MAPPING_MAX_ITEMS];
    struct error_info err = {0};
    char joined[200] = "";
    uint32_t n;

    cr_assert_eq(mapping_convert_list(&list, &in, items, MAPPING_MAX_ITEMS, &n, &err), 0, "%s",
                 err.text);
    for (uint32_t i = 0; i < n; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%.*s", i ? "|" : "",
                 (int)items[i].len, items[i].bytes);
    cr_assert_str_eq(joined, expected);
}

Test(mapping, lists)
{
    struct value parts[] = {
        text_of("b"), text_of(" a,b "), {.kind = VALUE_NULL}, text_of(""), text_of("b")};
    struct value number = int_of(1);
    struct cell items[3];
    struct error_info err;
    uint32_t n;

    check_list(text_of("b, a ,b,,  ,c"), "b|a|c");
    check_list(text_of(""), "");
    check_list(text_of(" , ,"), "");
    check_list(text_of("one"), "one");
    check_list(int_of(7), "7");
    check_list((struct value){.kind = VALUE_LIST, .items = parts, .n_items = 5}, "b|a,b");
    cr_assert_eq(mapping_convert_list(
                     &list, &(struct value){.kind = VALUE_TEXT, .bytes = "a,b,c,a", .len = 7},
                     items, 3, &n, &err),
                 0);
    cr_assert_eq(n, 3);
    cr_assert_eq(mapping_convert_list(
                     &list, &(struct value){.kind = VALUE_TEXT, .bytes = "a,b,c,d", .len = 7},
                     items, 3, &n, &err),
                 -E2BIG);
    cr_assert(strstr(err.text, "'l'") && n == 0);
    cr_assert_eq(mapping_convert_list(
                     &list, &(struct value){.kind = VALUE_LIST, .items = &number, .n_items = 1},
                     items, 3, &n, &err),
                 -EINVAL);
    cr_assert_eq(mapping_convert_list(
                     &list, &(struct value){.kind = VALUE_TEXT, .bytes = "a,\xff", .len = 3}, items,
                     3, &n, &err),
                 -EINVAL);
}

Test(mapping, one_value_lists_are_values)
{
    struct value one = text_of("5"), two[2] = {one, one};
    struct value in = {.kind = VALUE_LIST, .items = &one, .n_items = 1}, nested = in;

    check(&integer, in, 0, 5, "a list of one");
    nested.items = &in;
    check(&integer, nested, 1366, 0, "a list in a list");
    in.items = two;
    in.n_items = 2;
    check(&integer, in, 1366, 0, "a list of two");
    check(&hash, in, 1366, 0, "a list of two");
}

Test(mapping, printed_values)
{
    static const struct {
        const struct column *column;
        int64_t value;
        const char *text;
    } cases[] = {
        {&boolean, 1, "true"},
        {&boolean, 0, "false"},
        {&integer, INT64_MIN, "-9223372036854775808"},
        {&money, -5, "-0.05"},
        {&money, 1050, "10.50"},
        {&whole, 7, "7"},
        {&fine, INT64_MAX, "9.223372036854775807"},
        {&day, 19782, "2024-02-29"},
        {&sec, 0, "1970-01-01 00:00:00"},
        {&milli, 1500, "1970-01-01 00:00:01.500"},
        {&micro, -1, "1969-12-31 23:59:59.999999"},
    };
    struct cell null = {0};
    char out[64];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cell cell = {.present = true, .i64 = cases[i].value};
        size_t n = mapping_print(cases[i].column, &cell, out, sizeof out - 1);

        out[n] = 0;
        cr_expect_str_eq(out, cases[i].text);
        cr_expect(mapping_print(cases[i].column, &cell, out, 3) <= 3);
    }
    cr_assert_eq(mapping_print(&integer, &null, out, sizeof out), 4);
    cr_assert_eq(memcmp(out, "NULL", 4), 0);
    cr_assert_eq(mapping_print(&sec, &(struct cell){.present = true, .i64 = INT64_MAX}, out,
                               sizeof out),
                 0);
}

/* What is printed converts back to the same value: every type, random values. */
Test(mapping, printed_is_converted)
{
    static const struct column *const columns[] = {&integer, &money, &fine, &whole, &micro};
    uint64_t x = 0x2545F4914F6CDD1D;

    for (int i = 0; i < 100000; i++) {
        const struct column *c = columns[i % 5];
        struct cell cell = {.present = true}, back;
        struct error_info err = {0};
        struct value in = {.kind = VALUE_TEXT};
        char text[64];

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        cell.i64 = c == &micro ? (int64_t)(x % 200000000000000000ull) : (int64_t)x >> x % 60;
        in.bytes = text;
        in.len = (uint32_t)mapping_print(c, &cell, text, sizeof text);
        cr_assert_eq(mapping_convert(c, &in, &back, &err), 0, "%s", err.text);
        cr_assert_eq(back.i64, cell.i64, "%.*s", (int)in.len, text);
    }
}

/* A double that came from a decimal of up to 15 digits gives exactly that decimal. */
Test(mapping, doubles_of_short_decimals)
{
    uint64_t x = 0x9E3779B97F4A7C15;

    for (int i = 0; i < 200000; i++) {
        struct column c = {.name = (char[]){"c"},
                           .type = COLUMN_DECIMAL,
                           .mapping = MAPPING_FLOAT_SCALE_BSI};
        struct error_info err = {0};
        struct cell cell;
        struct value in;
        int64_t scaled;
        char text[40];

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        c.scale = (uint8_t)(x % 19);
        scaled = (int64_t)(x >> 8) % 1000000000000000;
        snprintf(text, sizeof text, "%" PRId64 "e-%u", scaled, c.scale);
        in = double_of(strtod(text, NULL));
        cr_assert_eq(mapping_convert(&c, &in, &cell, &err), 0, "%s: %s", text, err.text);
        cr_assert_eq(cell.i64, scaled, "%s", text);
    }
}
