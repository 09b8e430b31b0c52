/* Commands and the binary values of statement parameters. */
#include <errno.h>

#include "mysql_test_util.h"
#include "sql/mysql_command.h"

static int decode(const char *hex, struct mysql_command *cmd)
{
    static uint8_t *bytes;
    size_t len;

    free(bytes);
    bytes = unhex(hex, &len);
    return mysql_command_decode(bytes, len, cmd);
}

Test(mysql_command, fields)
{
    struct mysql_command cmd;

    cr_assert_eq(decode("0373656c6563742031", &cmd), 0);
    cr_assert(cmd.com == MYSQL_COM_QUERY && text_is(cmd.text, "select 1"));
    cr_assert_eq(decode("02717561", &cmd), 0);
    cr_assert(text_is(cmd.text, "qua"));
    cr_assert_eq(decode("04740025", &cmd), 0);
    cr_assert(text_is(cmd.text, "t") && text_is(cmd.wild, "%"));
    cr_assert_eq(decode("0c01020000", &cmd), 0);
    cr_assert_eq(cmd.id, 0x201);
    cr_assert_eq(decode("1801000000020061626364", &cmd), 0);
    cr_assert(cmd.id == 1 && cmd.param == 2 && text_is(cmd.body, "abcd"));
    cr_assert_eq(decode("1b0100", &cmd), 0);
    cr_assert_eq(cmd.count, 1);
    cr_assert_eq(decode("0e", &cmd), 0);
    cr_assert_eq(decode("99aabb", &cmd), 0);
    cr_assert_eq(cmd.com, 0x99);
}

Test(mysql_command, too_short)
{
    static const char *const short_ones[] = {"",           "0474",           "0c010203",
                                             "19",         "1a010203",       "1b01",
                                             "1c01000000", "17010000000000", "180100000002"};
    struct mysql_command cmd;

    for (size_t i = 0; i < sizeof(short_ones) / sizeof(short_ones[0]); i++)
        cr_assert_eq(decode(short_ones[i], &cmd), -EBADMSG, "%s", short_ones[i]);
}

/* Decodes n parameters (at most 16) from a body in hex. */
static int decode_params(const char *hex, size_t n, struct mysql_param *params)
{
    static uint8_t *bytes;
    struct mysql_param_type types[16];
    bool bound = false;
    size_t len;

    free(bytes);
    bytes = unhex(hex, &len);
    return mysql_params_decode((struct mysql_text){(char *)bytes, len}, n, types, &bound, NULL,
                               params);
}

Test(mysql_command, integer_parameters)
{
    struct mysql_param p[8];

    /* No NULLs; TINY, TINY unsigned, SHORT, LONG, LONGLONG, LONGLONG unsigned, INT24, YEAR. */
    cr_assert_eq(decode_params("00"
                               "01"
                               "0100"
                               "0180"
                               "0200"
                               "0300"
                               "0800"
                               "0880"
                               "0900"
                               "0d80"
                               "ff"
                               "ff"
                               "feff"
                               "fdffffff"
                               "fcffffffffffffff"
                               "ffffffffffffffff"
                               "07000000"
                               "e607",
                               8, p),
                 0);
    cr_assert(p[0].kind == MYSQL_PARAM_INT && p[0].v.i == -1);
    cr_assert(p[1].kind == MYSQL_PARAM_UINT && p[1].v.u == 255);
    cr_assert_eq(p[2].v.i, -2);
    cr_assert_eq(p[3].v.i, -3);
    cr_assert_eq(p[4].v.i, -4);
    cr_assert_eq(p[5].v.u, UINT64_MAX);
    cr_assert_eq(p[6].v.i, 7);
    cr_assert_eq(p[7].v.u, 2022);
}

Test(mysql_command, other_parameters)
{
    struct mysql_param p[8];

    /* NULL, FLOAT, DOUBLE, VAR_STRING, NEWDECIMAL, DATETIME, DATE, TIME. */
    cr_assert_eq(decode_params("01"
                               "01"
                               "fd00"
                               "0400"
                               "0500"
                               "fd00"
                               "f600"
                               "0c00"
                               "0a00"
                               "0b00"
                               "0000003f"
                               "000000000000f8bf"
                               "03616263"
                               "03312e35"
                               "0be607020b0a0b0c40e20100"
                               "04e607020b"
                               "0c01020000000304050a000000",
                               8, p),
                 0);
    cr_assert_eq(p[0].kind, MYSQL_PARAM_NULL);
    cr_assert_eq(p[1].v.d, 0.5);
    cr_assert_eq(p[2].v.d, -1.5);
    cr_assert(text_is(p[3].v.bytes, "abc"));
    cr_assert(text_is(p[4].v.bytes, "1.5") && p[4].type == MYSQL_TYPE_NEWDECIMAL);
    cr_assert(p[5].v.time.year == 2022 && p[5].v.time.hour == 10 && p[5].v.time.micros == 123456);
    cr_assert(p[6].kind == MYSQL_PARAM_DATETIME && p[6].v.time.day == 11 && p[6].v.time.hour == 0);
    cr_assert(p[7].kind == MYSQL_PARAM_TIME && p[7].v.time.negative && p[7].v.time.hour == 51 &&
              p[7].v.time.micros == 10);
}

Test(mysql_command, zero_dates_are_all_zero)
{
    struct mysql_param p[2];

    cr_assert_eq(decode_params("00"
                               "01"
                               "0c00"
                               "0b00"
                               "00"
                               "00",
                               2, p),
                 0);
    cr_assert(p[0].v.time.year == 0 && p[0].v.time.month == 0 && p[1].v.time.hour == 0);
}

Test(mysql_command, malformed_parameters)
{
    static const char *const bad[] = {
        "",                 /* no null bitmap */
        "00",               /* no bound flag */
        "0000",             /* types never bound */
        "000103",           /* half a type */
        "00010300",         /* no value */
        "0001030001",       /* a quarter of a value */
        "0001fd0005616263", /* string longer than the packet */
        "0001fd00feffffffffffffffff",
        "0001fd00fb",               /* NULL marker in a binary value */
        "00010c000501020304",       /* no such length */
        "00010c0004e6070d01",       /* month 13 */
        "00010c0007e6070101180000", /* hour 24 */
        "00010c000be6070101000000"
        "40420f00",                   /* a million microseconds */
        "00010b000800ffffffff000000", /* days */
        "0001420000",                 /* type 0x42 */
    };
    struct mysql_param p[1];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_eq(decode_params(bad[i], 1, p), -EBADMSG, "case %zu", i);
}

Test(mysql_command, types_are_remembered)
{
    struct mysql_param_type types[1];
    struct mysql_param p[1];
    const char first[] = "\0\1\3\0\5\0\0\0", second[] = "\0\0\6\0\0\0";
    bool bound = false;

    cr_assert_eq(mysql_params_decode((struct mysql_text){first, 8}, 1, types, &bound, NULL, p), 0);
    cr_assert(bound && p[0].v.i == 5);
    cr_assert_eq(mysql_params_decode((struct mysql_text){second, 6}, 1, types, &bound, NULL, p), 0);
    cr_assert_eq(p[0].v.i, 6);
}
