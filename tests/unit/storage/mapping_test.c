/* Mapping strategies: valid, border, NULL and invalid input of every kind. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/datetime.h"
#include "storage/mapping.h"
#include "storage/mapping_rule.h"

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

/* ---- strategies with settings or results of their own ---- */

/* Made by one test. */
static struct column *made[32];
static unsigned n_made;

static void free_columns(void)
{
    while (n_made) {
        struct column *c = made[--n_made];

        for (uint32_t i = 0; i < c->n_config; i++) {
            free(c->config[i].key);
            free(c->config[i].value);
        }
        free(c->config);
        mapping_rule_free(c->rule);
        free(c->name);
        free(c);
    }
}

TestSuite(mapping, .fini = free_columns);

/* A column as a table would have it, freed after the test; settings are keys and values and end with NULL. */
static const struct column *column_of(enum column_type type, enum mapping mapping, uint8_t scale,
                                      const char *const *settings)
{
    struct column *c = calloc(1, sizeof *c);
    struct schema_fault f;

    cr_assert_lt(n_made, 32);
    made[n_made++] = c;
    *c = (struct column){.name = strdup(mapping_name(mapping)),
                         .type = type,
                         .mapping = mapping,
                         .scale = scale};
    for (; settings && *settings; settings += 2)
        cr_assert_eq(schema_set_config(c, settings[0], settings[1]), 0);
    c->layout = strategy_layout(type, mapping, false);
    cr_assert_eq(mapping_rule_new(c, 0, true, &f), 0, "%s: %s", mapping_name(mapping), f.allowed);
    return c;
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct text_row {
    const char *text;
    int code;
    int64_t expected;
};

static void check_rows(const struct column *c, const struct text_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(c, text_of(rows[i].text), rows[i].code, rows[i].expected, rows[i].text);
}

/* NULL stays NULL, a list of two is no value, and whatever was made maps to itself. */
static void check_common(const struct column *c, struct value sample)
{
    struct value null = {.kind = VALUE_NULL}, two[2] = {sample, sample},
                 list_of_two = {.kind = VALUE_LIST, .items = two, .n_items = 2}, back;
    struct error_info err = {0};
    struct cell cell, again;

    cr_expect_eq(mapping_convert(c, &null, &cell, &err), 0);
    cr_expect(!cell.present);
    check(c, list_of_two, c->type == COLUMN_DATE || c->type == COLUMN_DATETIME ? 1292 : 1366, 0,
          "a list of two");
    cr_assert_eq(mapping_convert(c, &sample, &cell, &err), 0, "%s: %s", c->name, err.text);
    switch (c->type) {
    case COLUMN_STRING:
        back = (struct value){.kind = VALUE_TEXT, .bytes = cell.bytes, .len = cell.len};
        break;
    case COLUMN_DATE:
        back = (struct value){.kind = VALUE_DATE, .i64 = cell.i64};
        break;
    case COLUMN_DECIMAL:
        back = (struct value){.kind = VALUE_DECIMAL, .i128 = cell.i64, .scale = c->scale};
        break;
    default:
        back = int_of(cell.i64);
    }
    cr_assert_eq(mapping_convert(c, &back, &again, &err), 0, "%s: %s", c->name, err.text);
    cr_expect(again.present && again.i64 == cell.i64 && again.len == cell.len, "%s", c->name);
}

Test(mapping, int_to_bool)
{
    const struct column *c = column_of(COLUMN_BOOL, MAPPING_INT_TO_BOOL_DIRECT, 0, NULL);
    static const struct text_row rows[] = {
        {"0", 0, 0},
        {"1", 0, 1},
        {"-7", 0, 1},
        {"9223372036854775807", 0, 1},
        {"-9223372036854775808", 0, 1},
        {"9223372036854775808", 1264, 0},
        {" 12.00 ", 0, 1},
        {"0.0", 0, 0},
        {"0.5", 1265, 0},
        {"true", 0, 1},
        {"No", 0, 0},
        {"", 1366, 0},
        {"maybe", 1366, 0},
    };

    check_rows(c, rows, sizeof rows / sizeof *rows);
    check(c, int_of(0), 0, 0, "0");
    check(c, int_of(-1), 0, 1, "-1");
    check(c, (struct value){.kind = VALUE_BOOL, .i64 = 1}, 0, 1, "true");
    check(c, double_of(2), 0, 1, "2.0");
    check(c, double_of(0.25), 1265, 0, "0.25");
    check(c, (struct value){.kind = VALUE_DATE}, 1366, 0, "a date");
    check_common(c, int_of(5));
}

Test(mapping, string_to_int)
{
    const struct column *c = column_of(COLUMN_INT, MAPPING_STRING_TO_INT_DIRECT, 0, NULL);
    static const struct text_row rows[] = {
        {"7", 0, 7},
        {" 007 ", 0, 7},
        {"0", 0, 0},
        {"-3", 0, -3},
        {"12.5", 1265, 0},
        {"", 1366, 0},
        {"x", 1366, 0},
        {"9223372036854775807", 0, INT64_MAX},
        {"9223372036854775808", 1264, 0},
    };

    check_rows(c, rows, sizeof rows / sizeof *rows);
    check_common(c, text_of("42"));
}

Test(mapping, int_linear)
{
    const struct column *c = column_of(COLUMN_INT, MAPPING_INT_LINEAR, 0,
                                       SETTINGS("min", "-5", "max", "129", "step", "10"));
    const struct column *all =
        column_of(COLUMN_INT, MAPPING_INT_LINEAR, 0,
                  SETTINGS("min", "-9223372036854775808", "max", "9223372036854775807", "step",
                           "9223372036854775807"));
    static const struct text_row rows[] = {
        {"-5", 0, -5},   {"4", 0, -5},     {"5", 0, 5},        {"14", 0, 5},      {"15", 0, 15},
        {"129", 0, 125}, {"130", 1264, 0}, {"129.5", 1264, 0}, {"-5.1", 1264, 0}, {"4.9", 0, -5},
        {"-4.9", 0, -5}, {"", 1366, 0},    {"x", 1366, 0},
    };

    check_rows(c, rows, sizeof rows / sizeof *rows);
    check(c, int_of(INT64_MAX), 1264, 0, "too large");
    check(c, double_of(14.9), 0, 5, "14.9");
    check(c, double_of(NAN), 1366, 0, "nan");
    check(all, int_of(INT64_MIN), 0, INT64_MIN, "min");
    check(all, int_of(-2), 0, INT64_MIN, "-2");
    check(all, int_of(-1), 0, -1, "-1");
    check(all, int_of(INT64_MAX), 0, INT64_MAX - 1, "max");
    check_common(c, int_of(77));
}

Test(mapping, int_buckets)
{
    const struct column *c =
        column_of(COLUMN_INT, MAPPING_INT_BUCKETS, 0, SETTINGS("bounds", "-10, 0,1,100"));
    const struct column *one =
        column_of(COLUMN_INT, MAPPING_INT_BUCKETS, 0, SETTINGS("bounds", "5"));
    static const struct text_row rows[] = {
        {"-10", 0, -10},  {"-1", 0, -10},     {"-0.5", 0, -10},
        {"0", 0, 0},      {"0.99", 0, 0},     {"1", 0, 1},
        {"99", 0, 1},     {"100", 0, 100},    {"9223372036854775807", 0, 100},
        {"-11", 1264, 0}, {"-10.5", 1264, 0}, {"9223372036854775808", 1264, 0},
        {"", 1366, 0},
    };

    check_rows(c, rows, sizeof rows / sizeof *rows);
    check(one, int_of(5), 0, 5, "5");
    check(one, int_of(4), 1264, 0, "4");
    check_common(c, int_of(50));
}

Test(mapping, float_linear)
{
    const struct column *c = column_of(COLUMN_DECIMAL, MAPPING_FLOAT_LINEAR, 1,
                                       SETTINGS("min", "-40", "max", "60.0", "step", "0.5"));
    static const struct text_row rows[] = {
        {"-40", 0, -400},   {"-39.6", 0, -400}, {"-39.5", 0, -395},  {"0", 0, 0},
        {"0.49", 0, 0},     {"0.5", 0, 5},      {"-0.01", 0, -5},    {"60", 0, 600},
        {"60.01", 1264, 0}, {"59.999", 0, 595}, {"-40.01", 1264, 0}, {"", 1366, 0},
    };

    check_rows(c, rows, sizeof rows / sizeof *rows);
    check(c, double_of(0.3), 0, 0, "0.3");
    check(c, decimal_of(-2001, 2), 0, -205, "-20.01");
    check(c, double_of(INFINITY), 1264, 0, "inf");
    check_common(c, double_of(36.6));
}

Test(mapping, float_buckets)
{
    const struct column *c =
        column_of(COLUMN_DECIMAL, MAPPING_FLOAT_BUCKETS, 2, SETTINGS("bounds", "0,9.99,100"));
    static const struct text_row rows[] = {
        {"0", 0, 0},       {"9.989", 0, 0},    {"9.99", 0, 999},    {"99.999", 0, 999},
        {"100", 0, 10000}, {"1e10", 0, 10000}, {"-0.001", 1264, 0}, {"abc", 1366, 0},
    };

    check_rows(c, rows, sizeof rows / sizeof *rows);
    check(c, decimal_of(9989999, 6), 0, 0, "9.989999");
    check_common(c, double_of(12.5));
}

Test(mapping, parts_of_dates)
{
    static const struct {
        enum mapping mapping;
        enum column_type type;
        struct text_row rows[9];
    } cases[] = {
        {MAPPING_YEAR,
         COLUMN_INT,
         {{"2024-02-29", 0, 2024},
          {"0001-01-01", 0, 1},
          {"9999-12-31 23:59:59", 0, 9999},
          {"2024", 0, 2024},
          {"1", 0, 1},
          {"0", 1264, 0},
          {"10000", 1264, 0},
          {"", 1366, 0},
          {"20240229", 0, 2024}}},
        {MAPPING_YEAR_TO_MONTH,
         COLUMN_INT,
         {{"2024-02-29", 0, 202402},
          {"202402", 0, 202402},
          {"202413", 1264, 0},
          {"202400", 1264, 0},
          {"5/8/2009", 0, 200905},
          {"1709164800", 0, 202402},
          {"-1", 1264, 0},
          {"x", 1366, 0},
          {"0001-01-01", 0, 101}}},
        {MAPPING_YEAR_TO_MONTH,
         COLUMN_DATE,
         {{"2024-02-29", 0, 19754},
          {"202402", 0, 19754},
          {"2024-02", 0, 19754},
          {"9999-12-31", 0, 2932866},
          {"202413", 1264, 0},
          {"2024-02-30", 1292, 0},
          {"", 1292, 0},
          {"20240229", 0, 19754},
          {"2024-02-01 10:00:00", 0, 19754}}},
        {MAPPING_YEAR_TO_DAY,
         COLUMN_INT,
         {{"2024-02-29", 0, 20240229},
          {"20240229", 0, 20240229},
          {"20240230", 1264, 0},
          {"2024-02-29T23:59:59.999Z", 0, 20240229},
          {"99991231", 0, 99991231},
          {"00010101", 0, 10101},
          {"10100", 1264, 0},
          {"x", 1366, 0},
          {"2024-02-29 23:00:00-02:00", 0, 20240301}}},
        {MAPPING_YEAR_TO_DAY,
         COLUMN_DATE,
         {{"2024-02-29", 0, 19782},
          {"20240229", 0, 19782},
          {"2024-02-29 12:00:00", 0, 19782},
          {"0001-01-01", 0, -719162},
          {"9999-12-31", 0, 2932896},
          {"20240230", 1264, 0},
          {"2023-02-29", 1292, 0},
          {"", 1292, 0},
          {"12 Feb 2006, 19:17", 0, 13191}}},
        {MAPPING_DAY_OF_YEAR,
         COLUMN_INT,
         {{"2024-01-01", 0, 1},
          {"2024-12-31", 0, 366},
          {"2023-12-31", 0, 365},
          {"366", 0, 366},
          {"367", 1264, 0},
          {"0", 1264, 0},
          {"2024", 1264, 0},
          {"", 1366, 0},
          {"1", 0, 1}}},
        {MAPPING_DAY_OF_MONTH,
         COLUMN_INT,
         {{"2024-02-29", 0, 29},
          {"31", 0, 31},
          {"32", 1264, 0},
          {"0", 1264, 0},
          {"-1", 1264, 0},
          {"2024-02-29 24:00", 1366, 0},
          {"20240131", 0, 31},
          {"x", 1366, 0},
          {"1.5", 1265, 0}}},
        {MAPPING_DAY_OF_WEEK,
         COLUMN_INT,
         {{"2024-02-25", 0, 1},
          {"2024-02-26", 0, 2},
          {"2024-03-02", 0, 7},
          {"1970-01-01", 0, 5},
          {"1969-12-31", 0, 4},
          {"0001-01-01", 0, 2},
          {"7", 0, 7},
          {"8", 1264, 0},
          {"0", 1264, 0}}},
        {MAPPING_TIME_OF_DAY,
         COLUMN_INT,
         {{"2024-02-29 13:45:59", 0, 49559},
          {"13:45", 0, 49500},
          {"00:00:00", 0, 0},
          {"23:59:59.999", 0, 86399},
          {"86399", 0, 86399},
          {"86400", 1264, 0},
          {"24:00", 1366, 0},
          {"", 1366, 0},
          {"2024-02-29", 0, 0}}},
        {MAPPING_HOUR_OF_DAY,
         COLUMN_INT,
         {{"2024-02-29 13:45:59", 0, 13},
          {"13:45", 0, 13},
          {"23", 0, 23},
          {"24", 1264, 0},
          {"-1", 1264, 0},
          {"1969-12-31 23:00:00", 0, 23},
          {"1767225607", 0, 0},
          {"x", 1366, 0},
          {"1:05 PM", 0, 13}}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct column *c = column_of(cases[i].type, cases[i].mapping, 0, NULL);

        check_rows(c, cases[i].rows, 9);
        check(c, (struct value){.kind = VALUE_DATE, .i64 = 2932897}, 1264, 0, "the year 10000");
        check(c, (struct value){.kind = VALUE_DATETIME, .i64 = INT64_MIN}, 1264, 0, "far off");
        check(c, (struct value){.kind = VALUE_BOOL, .i64 = 1}, c->type == COLUMN_DATE ? 1292 : 1366,
              0, "true");
        check(c, double_of(1e300), 1264, 0, "1e300");
        check_common(c, text_of("2024-02-29 13:45:59"));
    }
}

/* Every day of 5 years around a century: the parts against a calendar that only counts. */
Test(mapping, parts_of_every_day)
{
    const struct column *y = column_of(COLUMN_INT, MAPPING_YEAR, 0, NULL),
                        *doy = column_of(COLUMN_INT, MAPPING_DAY_OF_YEAR, 0, NULL),
                        *dom = column_of(COLUMN_INT, MAPPING_DAY_OF_MONTH, 0, NULL),
                        *dow = column_of(COLUMN_INT, MAPPING_DAY_OF_WEEK, 0, NULL),
                        *ymd = column_of(COLUMN_INT, MAPPING_YEAR_TO_DAY, 0, NULL);
    int year = 1898, day_of_year = 1;
    unsigned month = 1, day_of_month = 1, week_day = 7; /* 1898-01-01 was a Saturday */

    for (int64_t days = date_to_days(1898, 1, 1); year < 1903; days++) {
        struct value in = {.kind = VALUE_DATE, .i64 = days};

        check(y, in, 0, year, "a day");
        check(doy, in, 0, day_of_year, "a day");
        check(dom, in, 0, day_of_month, "a day");
        check(dow, in, 0, week_day, "a day");
        check(ymd, in, 0, year * 10000 + (int)(month * 100 + day_of_month), "a day");
        week_day = week_day % 7 + 1;
        day_of_year++;
        if (++day_of_month <= date_month_days(year, month))
            continue;
        day_of_month = 1;
        if (++month <= 12)
            continue;
        month = 1;
        day_of_year = 1;
        year++;
    }
}

Test(mapping, time_of_day_with_steps)
{
    const struct column *quarter =
        column_of(COLUMN_INT, MAPPING_TIME_OF_DAY, 0, SETTINGS("step", "900"));
    const struct column *clock =
        column_of(COLUMN_STRING, MAPPING_TIME_OF_DAY, 0, SETTINGS("step", "3600"));
    const struct column *second = column_of(COLUMN_STRING, MAPPING_TIME_OF_DAY, 0, NULL);

    check(quarter, text_of("13:45:59"), 0, 49500, "13:45:59");
    check(column_of(COLUMN_INT, MAPPING_YEAR_TO_MONTH, 0, NULL), int_of(INT64_MIN), 1264, 0, "min");
    check(quarter, int_of(899), 0, 0, "899");
    check_text(clock, text_of("2024-02-29 13:45:59"), "13:00:00");
    check_text(clock, int_of(86399), "23:00:00");
    check_text(second, text_of("7:05:09 PM"), "19:05:09");
    check_text(second, (struct value){.kind = VALUE_DATETIME, .i64 = -1}, "23:59:59");
    check(second, text_of("25:00:00"), 1366, 0, "25:00:00");
    check(second, int_of(86400), 1264, 0, "86400");
    check_common(clock, text_of("13:45:59"));
    check_common(second, text_of("13:45:59"));
}

Test(mapping, bool_regex)
{
    const struct column *c =
        column_of(COLUMN_BOOL, MAPPING_BOOL_REGEX, 0, SETTINGS("regex", "^[^@ ]+@[^@ ]+\\.com$"));
    const struct column *slow =
        column_of(COLUMN_BOOL, MAPPING_BOOL_REGEX, 0, SETTINGS("regex", "^(a+)+$"));
    const struct column *caseless = column_of(COLUMN_BOOL, MAPPING_BOOL_REGEX, 0,
                                              SETTINGS("regex", "zürich", "ignoreCase", "true"));
    static const struct text_row rows[] = {
        {"a@b.com", 0, 1}, {"a@b.org", 0, 0}, {"", 0, 0},
        {"1", 0, 0},       {"true", 0, 0},    {"\xff", 1366, 0},
    };
    char long_text[65];

    check_rows(c, rows, sizeof rows / sizeof *rows);
    check(c, int_of(1), 0, 1, "1");
    check(c, int_of(0), 0, 0, "0");
    check(c, int_of(2), 1264, 0, "2");
    check(c, (struct value){.kind = VALUE_BOOL, .i64 = 1}, 0, 1, "true");
    check(c, (struct value){.kind = VALUE_DATE}, 1366, 0, "a date");
    check(caseless, text_of("in ZÜRICH"), 0, 1, "in ZÜRICH");
    check(caseless, text_of("in Zurich"), 0, 0, "in Zurich");
    check_common(c, text_of("a@b.com"));
    memset(long_text, 'a', 63);
    long_text[63] = '!';
    long_text[64] = 0;
    check(slow, text_of(long_text), 1366, 0, "a slow expression");
}

Test(mapping, contains)
{
    const struct column *c = column_of(COLUMN_BOOL, MAPPING_CONTAINS, 0, SETTINGS("text", "a.b*"));
    const struct column *caseless =
        column_of(COLUMN_BOOL, MAPPING_CONTAINS, 0, SETTINGS("text", "Sale", "ignoreCase", "yes"));
    static const struct text_row rows[] = {
        {"xxa.b*xx", 0, 1}, {"a.b", 0, 0}, {"axb", 0, 0}, {"", 0, 0}, {"\xc0\x80", 1366, 0},
    };

    check_rows(c, rows, sizeof rows / sizeof *rows);
    check(caseless, text_of("FINAL SALE!"), 0, 1, "FINAL SALE!");
    check(caseless, int_of(3), 1264, 0, "3");
    check_common(c, text_of("a.b*"));
}

Test(mapping, uuid)
{
    static const char shown[] = "0102abcd-0506-4708-890a-0b0c0d0e0fff";
    const struct column *c = column_of(COLUMN_STRING, MAPPING_UUID_BSI, 0, NULL);
    const struct column *named = column_of(COLUMN_STRING, MAPPING_UUID_BSI, 0,
                                           SETTINGS("upperSource", "hi", "lowerSource", "lo"));
    static const char *const same[] = {
        "0102abcd-0506-4708-890a-0b0c0d0e0fff",
        " 0102ABCD-0506-4708-890A-0B0C0D0E0FFF ",
        "0102abcd05064708890a0b0c0d0e0fff",
        "{0102abcd-0506-4708-890a-0b0c0d0e0fff}",
        "urn:uuid:0102abcd-0506-4708-890a-0b0c0d0e0fff",
        "{\"upperBits\": 72809441032292104, \"lowerBits\": \"9874717279349772287\"}",
        "{\"lowerBits\":-8572026794359779329,\"upperBits\":\"72809441032292104\"}",
    };
    static const char *const wrong[] = {
        "",
        "0102abcd-0506-4708-890a-0b0c0d0e0ff",
        "0102abcd-0506-4708-890a-0b0c0d0e0ffff",
        "0102abcd-0506-4708-890a-0b0c0d0e0ffg",
        "0102abcd0506-4708-890a-0b0c0d0e0fff1",
        "0102abcd--506-4708-890a-0b0c0d0e0fff",
        "01-2abcd00506-4708-890a-0b0c0d0e0fff",
        "{0102abcd-0506-4708-890a-0b0c0d0e0fff",
        "{\"upperBits\": 1}",
        "{\"upperBits\": 1, \"upperBits\": 1}",
        "{\"upperBits\": 1, \"lowerBits\": 1.5}",
        "{\"upperBits\": 1, \"lowerBits\": {}}",
        "{\"upperBits\": 1, \"lowerBits\": 1} x",
        "{\"upperBits\": 1, \"middle\": 1}",
    };

    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        check_text(c, text_of(same[i]), shown);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check(c, text_of(wrong[i]), 1366, 0, wrong[i]);
    check(c, text_of("{\"upperBits\": 18446744073709551616, \"lowerBits\": 1}"), 1264, 0, "2^64");
    check_text(c, text_of("{\"upperBits\": 18446744073709551615, \"lowerBits\": -1}"),
               "ffffffff-ffff-ffff-ffff-ffffffffffff");
    check_text(named, text_of("{\"hi\": 0, \"lo\": 1}"), "00000000-0000-0000-0000-000000000001");
    check(c, int_of(5), 1366, 0, "5");
    check_common(c, text_of(shown));
}

Test(mapping, times_from_objects)
{
    const struct column *named = column_of(COLUMN_DATETIME, MAPPING_SYS_MICRO_BSI, 6,
                                           SETTINGS("seconds", "s", "nanos", "n"));
    static const struct text_row rows[] = {
        {"{\"seconds\": 1767225607, \"nanos\": 123000000}", 0, 1767225607123},
        {"{\"seconds\": \"1767225607\"}", 0, 1767225607000},
        {" { \"nanos\" : 1000000 , \"seconds\" : -1 } ", 0, -999},
        {"{\"seconds\": 1, \"nanos\": 1}", 1265, 0},
        {"{\"seconds\": 1, \"nanos\": 1000}", 1265, 0},
        {"{\"nanos\": 1}", 1292, 0},
        {"{\"seconds\": 1, \"zone\": 1}", 1292, 0},
        {"{\"seconds\": 9223372036854775807}", 1264, 0},
        {"{\"seconds\": 253402300800}", 1264, 0},
        {"{\"seconds\"}", 1292, 0},
    };

    check_rows(&milli, rows, sizeof rows / sizeof *rows);
    check(named, text_of("{\"s\": 1, \"n\": 2000}"), 0, 1000002, "names of its own");
    check(named, text_of("{\"seconds\": 1}"), 1292, 0, "other names");
}

/* More texts in a row than any table has columns: none is overwritten while the row is being made. */
Test(mapping, texts_of_a_row_last)
{
    const struct column *c = column_of(COLUMN_STRING, MAPPING_UUID_BSI, 0, NULL);
    struct cell cells[SCHEMA_MAX_COLUMNS];
    struct error_info err;
    char text[40];

    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < SCHEMA_MAX_COLUMNS; i++) {
            struct value in = int_of((int64_t)i * 1000003);

            snprintf(text, sizeof text, "%032x", i);
            if (i % 2)
                in = text_of(text);
            cr_assert_eq(mapping_convert(i % 2 ? c : &hash, &in, &cells[i], &err), 0);
        }
        for (unsigned i = 0; i < SCHEMA_MAX_COLUMNS; i++) {
            if (i % 2)
                snprintf(text, sizeof text, "00000000-0000-0000-0000-%012x", i);
            else
                snprintf(text, sizeof text, "%" PRId64, (int64_t)i * 1000003);
            cr_assert(cells[i].len == strlen(text) && !memcmp(cells[i].bytes, text, cells[i].len),
                      "%u: %.*s", i, (int)cells[i].len, cells[i].bytes);
        }
    }
}

Test(mapping, which_strategies_take_input_as_it_came)
{
    cr_assert(!mapping_takes_input_as_is(MAPPING_INT_BSI));
    cr_assert(!mapping_takes_input_as_is(MAPPING_UUID_BSI));
    cr_assert(mapping_takes_input_as_is(MAPPING_FLOAT_BUCKETS));
    cr_assert(mapping_takes_input_as_is(MAPPING_BOOL_REGEX));
    cr_assert(mapping_makes_text(MAPPING_UUID_BSI) && !mapping_makes_text(MAPPING_STRING_ENUM));
}
