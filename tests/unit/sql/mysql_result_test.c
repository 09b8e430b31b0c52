/* Answers, byte for byte, in both protocols and with both kinds of result end. */
#include <errno.h>
#include <math.h>

#include "mysql_test_util.h"
#include "sql/mysql_result.h"

static struct buffer out;
static struct mysql_wire wire;

static void setup(void)
{
    buffer_init(&out, 64u << 20);
    wire = (struct mysql_wire){.out = &out, .seq = 1};
}

static void teardown(void)
{
    buffer_fini(&out);
}

TestSuite(mysql_result, .init = setup, .fini = teardown);

/* Compares and empties the output. */
static bool out_is(const char *hex)
{
    bool is_equal = bytes_are(out.data, out.len, hex);

    out.len = 0;
    return is_equal;
}

Test(mysql_result, ok_err_eof)
{
    cr_assert_eq(mysql_ok(&wire, 3, 251, MYSQL_STATUS_AUTOCOMMIT, 1, "hi"), 0);
    cr_assert(wire.answered);
    cr_assert(out_is("0c000001"
                     "00"
                     "03"
                     "fcfb00"
                     "0200"
                     "0100"
                     "026869"));
    cr_assert_eq(mysql_err(&wire, 1046, NULL, "No database selected"), 0);
    cr_assert(out_is("1d000002"
                     "ff"
                     "1604"
                     "233344303030"
                     "4e6f2064617461626173652073656c6563746564"));
    cr_assert_eq(mysql_eof(&wire, MYSQL_STATUS_AUTOCOMMIT, 0), 0);
    cr_assert(out_is("05000003"
                     "fe"
                     "0000"
                     "0200"));
    wire.capabilities = MYSQL_CAP_DEPRECATE_EOF;
    cr_assert_eq(mysql_eof(&wire, MYSQL_STATUS_AUTOCOMMIT, 0), 0);
    cr_assert(out_is("07000004"
                     "fe"
                     "0000"
                     "0200"
                     "0000"));
    cr_assert_eq(mysql_text(&wire, "Uptime: 1"), 0);
    cr_assert(out_is("09000005"
                     "557074696d653a2031"));
}

Test(mysql_result, more_results_leave_the_answer_open)
{
    cr_assert_eq(mysql_ok(&wire, 0, 0, MYSQL_STATUS_MORE_RESULTS, 0, NULL), 0);
    cr_assert_not(wire.answered);
    cr_assert_eq(mysql_ok(&wire, 0, 0, 0, 0, NULL), 0);
    cr_assert(wire.answered);
}

Test(mysql_result, text_result)
{
    const struct mysql_column columns[] = {
        {.name = "id", .type = MYSQL_TYPE_LONGLONG, .flags = MYSQL_COLUMN_NOT_NULL},
        {.name = "n",
         .org_name = "name",
         .table = "c",
         .org_table = "cities",
         .schema = "quanta",
         .type = MYSQL_TYPE_VAR_STRING,
         .length = 80},
    };
    struct mysql_result res;

    cr_assert_eq(mysql_result_begin(&res, &wire, columns, 2, MYSQL_TEXT, 2), 0);
    cr_assert(out_is("01000001"
                     "02"
                     "18000002"
                     "03646566"
                     "00"
                     "00"
                     "00"
                     "026964"
                     "00"
                     "0c"
                     "3f00"
                     "14000000"
                     "08"
                     "0100"
                     "00"
                     "0000"
                     "28000003"
                     "03646566"
                     "067175616e7461"
                     "0163"
                     "06636974696573"
                     "016e"
                     "046e616d65"
                     "0c"
                     "2d00"
                     "50000000"
                     "fd"
                     "0000"
                     "00"
                     "0000"
                     "05000004"
                     "fe"
                     "0000"
                     "0200"));
    mysql_row_begin(&res);
    mysql_row_int64(&res, -12);
    mysql_row_string(&res, "Ulm", 3);
    cr_assert_eq(mysql_row_end(&res), 0);
    mysql_row_begin(&res);
    mysql_row_uint64(&res, UINT64_MAX);
    mysql_row_null(&res);
    cr_assert_eq(mysql_row_end(&res), 0);
    cr_assert(out_is("08000005"
                     "032d3132"
                     "03556c6d"
                     "16000006"
                     "143138343436373434303733373039353531363135"
                     "fb"));
    cr_assert_not(wire.answered);
    cr_assert_eq(mysql_result_end(&res, 0, 2), 0);
    cr_assert(out_is("05000007"
                     "fe"
                     "0000"
                     "0200"));
    cr_assert(wire.answered && res.n_rows == 2);
}

Test(mysql_result, deprecate_eof_leaves_out_the_first_eof)
{
    const struct mysql_column column = {.name = "", .type = MYSQL_TYPE_LONGLONG};
    struct mysql_result res;

    wire.capabilities = MYSQL_CAP_DEPRECATE_EOF;
    cr_assert_eq(mysql_result_begin(&res, &wire, &column, 1, MYSQL_TEXT, 2), 0);
    cr_assert_eq(mysql_result_end(&res, 5, 0x0a), 0);
    cr_assert_not(wire.answered);
    cr_assert(out_is("01000001"
                     "01"
                     "16000002"
                     "03646566"
                     "00"
                     "00"
                     "00"
                     "00"
                     "00"
                     "0c"
                     "3f00"
                     "14000000"
                     "08"
                     "0000"
                     "00"
                     "0000"
                     "07000003"
                     "fe"
                     "0000"
                     "0a00"
                     "0500"));
}

/* Starts a row of one column, with nothing else in the output. */
static void begin_one(struct mysql_result *res, const struct mysql_column *column,
                      enum mysql_row_mode mode)
{
    cr_assert_eq(mysql_result_begin(res, &wire, column, 1, mode, 0), 0);
    out.len = 0;
    mysql_row_begin(res);
}

/* Ends it and compares what follows header, and in binary rows the marker byte. */
static bool end_is(struct mysql_result *res, const char *hex)
{
    size_t head = res->mode == MYSQL_BINARY ? 4 + 1 : 4;

    cr_assert_eq(mysql_row_end(res), 0);
    return bytes_are(out.data + head, out.len - head, hex);
}

/* The bytes of one value; binary ones begin with the null bitmap. */
#define VALUE(TYPE, DECIMALS, MODE, CALL, HEX)                                       \
    do {                                                                             \
        const struct mysql_column column = {.type = (TYPE), .decimals = (DECIMALS)}; \
        struct mysql_result row;                                                     \
        struct mysql_result *r = &row;                                               \
                                                                                     \
        begin_one(r, &column, (MODE));                                               \
        CALL;                                                                        \
        cr_assert(end_is(r, (HEX)), "%s", #CALL);                                    \
    } while (0)

/* A value the column cannot take: the row disappears. */
#define REFUSED(TYPE, FLAGS, CALL, ERROR)                                      \
    do {                                                                       \
        const struct mysql_column column = {.type = (TYPE), .flags = (FLAGS)}; \
        struct mysql_result row;                                               \
        struct mysql_result *r = &row;                                         \
                                                                               \
        begin_one(r, &column, MYSQL_BINARY);                                   \
        CALL;                                                                  \
        cr_assert_eq(mysql_row_end(r), (ERROR), "%s", #CALL);                  \
        cr_assert_eq(out.len, 0);                                              \
    } while (0)

Test(mysql_result, binary_integers)
{
    VALUE(MYSQL_TYPE_TINY, 0, MYSQL_BINARY, mysql_row_int64(r, -2), "00fe");
    VALUE(MYSQL_TYPE_SHORT, 0, MYSQL_BINARY, mysql_row_int64(r, -2), "00feff");
    VALUE(MYSQL_TYPE_YEAR, 0, MYSQL_BINARY, mysql_row_int64(r, 2022), "00e607");
    VALUE(MYSQL_TYPE_LONG, 0, MYSQL_BINARY, mysql_row_int64(r, -2), "00feffffff");
    VALUE(MYSQL_TYPE_INT24, 0, MYSQL_BINARY, mysql_row_int64(r, 7), "0007000000");
    VALUE(MYSQL_TYPE_LONGLONG, 0, MYSQL_BINARY, mysql_row_int64(r, INT64_MIN),
          "000000000000000080");
    VALUE(MYSQL_TYPE_DOUBLE, 0, MYSQL_BINARY, mysql_row_int64(r, -1), "00000000000000f0bf");
    VALUE(MYSQL_TYPE_FLOAT, 0, MYSQL_BINARY, mysql_row_uint64(r, 1), "000000803f");
    VALUE(MYSQL_TYPE_NEWDECIMAL, 0, MYSQL_BINARY, mysql_row_int64(r, 12), "00023132");
    VALUE(MYSQL_TYPE_LONGLONG, 0, MYSQL_BINARY, mysql_row_null(r), "04");
    VALUE(MYSQL_TYPE_LONGLONG, 0, MYSQL_BINARY, mysql_row_decimal64(r, -250, 2),
          "00fdffffffffffffff");
    REFUSED(MYSQL_TYPE_TINY, 0, mysql_row_int64(r, 128), -ERANGE);
    REFUSED(MYSQL_TYPE_TINY, 0, mysql_row_int64(r, -129), -ERANGE);
    REFUSED(MYSQL_TYPE_TINY, MYSQL_COLUMN_UNSIGNED, mysql_row_int64(r, -1), -ERANGE);
    REFUSED(MYSQL_TYPE_TINY, MYSQL_COLUMN_UNSIGNED, mysql_row_int64(r, 256), -ERANGE);
    REFUSED(MYSQL_TYPE_LONGLONG, 0, mysql_row_uint64(r, UINT64_MAX), -ERANGE);
    REFUSED(MYSQL_TYPE_LONGLONG, 0, mysql_row_double(r, 1e30), -ERANGE);
    REFUSED(MYSQL_TYPE_LONGLONG, 0, mysql_row_string(r, "1", 1), -EINVAL);
    REFUSED(MYSQL_TYPE_LONGLONG, 0, mysql_row_date(r, 1), -EINVAL);
    REFUSED(MYSQL_TYPE_DATE, 0, mysql_row_int64(r, 1), -EINVAL);
}

Test(mysql_result, real_numbers)
{
    VALUE(MYSQL_TYPE_DOUBLE, 31, MYSQL_TEXT, mysql_row_double(r, 0.5), "03302e35");
    VALUE(MYSQL_TYPE_DOUBLE, 2, MYSQL_TEXT, mysql_row_double(r, 0.5), "04302e3530");
    VALUE(MYSQL_TYPE_FLOAT, 31, MYSQL_TEXT, mysql_row_double(r, (double)0.1f), "03302e31");
    VALUE(MYSQL_TYPE_DOUBLE, 31, MYSQL_TEXT, mysql_row_double(r, NAN), "fb");
    VALUE(MYSQL_TYPE_DOUBLE, 31, MYSQL_BINARY, mysql_row_double(r, INFINITY), "04");
    VALUE(MYSQL_TYPE_FLOAT, 31, MYSQL_TEXT, mysql_row_double(r, 1e300), "fb");
    VALUE(MYSQL_TYPE_DOUBLE, 31, MYSQL_BINARY, mysql_row_double(r, -1.5), "00000000000000f8bf");
    VALUE(MYSQL_TYPE_LONGLONG, 0, MYSQL_BINARY, mysql_row_double(r, 2.6), "000300000000000000");
    VALUE(MYSQL_TYPE_NEWDECIMAL, 2, MYSQL_TEXT, mysql_row_decimal64(r, -1234, 2), "062d31322e3334");
    VALUE(MYSQL_TYPE_NEWDECIMAL, 2, MYSQL_BINARY, mysql_row_decimal128(r, 5, 2), "0004302e3035");
    VALUE(MYSQL_TYPE_DOUBLE, 31, MYSQL_BINARY, mysql_row_decimal128(r, -15, 1),
          "00000000000000f8bf");
}

Test(mysql_result, dates)
{
    const int64_t micros = INT64_C(1644575052123456); /* 2022-02-11 10:24:12.123456 */

    VALUE(MYSQL_TYPE_DATE, 0, MYSQL_TEXT, mysql_row_date(r, 0), "0a313937302d30312d3031");
    VALUE(MYSQL_TYPE_DATE, 0, MYSQL_BINARY, mysql_row_date(r, 0), "0004b2070101");
    VALUE(MYSQL_TYPE_DATE, 0, MYSQL_TEXT, mysql_row_datetime(r, micros), "0a323032322d30322d3131");
    VALUE(MYSQL_TYPE_DATE, 0, MYSQL_BINARY, mysql_row_datetime(r, micros), "0004e607020b");
    VALUE(MYSQL_TYPE_DATETIME, 0, MYSQL_TEXT, mysql_row_datetime(r, micros),
          "13323032322d30322d31312031303a32343a3132");
    VALUE(MYSQL_TYPE_DATETIME, 3, MYSQL_TEXT, mysql_row_datetime(r, micros),
          "17323032322d30322d31312031303a32343a31322e313233");
    VALUE(MYSQL_TYPE_DATETIME, 0, MYSQL_TEXT, mysql_row_date(r, 0),
          "13313937302d30312d30312030303a30303a3030");
    VALUE(MYSQL_TYPE_DATETIME, 0, MYSQL_BINARY, mysql_row_datetime(r, micros),
          "0007e607020b0a180c");
    VALUE(MYSQL_TYPE_DATETIME, 3, MYSQL_BINARY, mysql_row_datetime(r, micros),
          "000be607020b0a180c78e00100");
    VALUE(MYSQL_TYPE_DATETIME, 6, MYSQL_BINARY, mysql_row_datetime(r, 0), "0004b2070101");
    VALUE(MYSQL_TYPE_VAR_STRING, 6, MYSQL_BINARY, mysql_row_date(r, 0), "000a313937302d30312d3031");
    VALUE(MYSQL_TYPE_TIME, 0, MYSQL_TEXT, mysql_row_time(r, -1000000), "092d30303a30303a3031");
    VALUE(MYSQL_TYPE_TIME, 0, MYSQL_BINARY, mysql_row_time(r, 0), "0000");
    VALUE(MYSQL_TYPE_TIME, 0, MYSQL_BINARY, mysql_row_time(r, -INT64_C(90061000000)),
          "000801"
          "01000000"
          "010101");
    VALUE(MYSQL_TYPE_TIME, 6, MYSQL_BINARY, mysql_row_time(r, 1),
          "000c00"
          "00000000"
          "000000"
          "01000000");
}

Test(mysql_result, dates_beyond_the_calendar_are_null_and_counted)
{
    const struct mysql_column column = {.type = MYSQL_TYPE_DATETIME};
    struct mysql_result res;

    begin_one(&res, &column, MYSQL_TEXT);
    mysql_row_datetime(&res, INT64_MAX);
    cr_assert(end_is(&res, "fb"));
    mysql_row_begin(&res);
    mysql_row_date(&res, MYSQL_COLUMNS_MAX * 1000);
    cr_assert_eq(mysql_row_end(&res), 0);
    cr_assert_eq(res.n_out_of_range, 2);
}

Test(mysql_result, null_bitmap_of_many_columns)
{
    struct mysql_column columns[15];
    struct mysql_result res;

    for (int i = 0; i < 15; i++)
        columns[i] = (struct mysql_column){.type = MYSQL_TYPE_TINY};
    cr_assert_eq(mysql_result_begin(&res, &wire, columns, 15, MYSQL_BINARY, 0), 0);
    out.len = 0;
    mysql_row_begin(&res);
    for (int i = 0; i < 15; i++) {
        if (i == 0 || i == 5 || i == 6 || i == 14)
            mysql_row_null(&res);
        else
            mysql_row_int64(&res, i);
    }
    cr_assert_eq(mysql_row_end(&res), 0);
    /* Bits 2, 7, 8, 16. */
    cr_assert(bytes_are(out.data + 4, out.len - 4,
                        "00"
                        "840101"
                        "01020304"
                        "0708090a0b0c0d"));
}

Test(mysql_result, row_that_does_not_fit_can_be_repeated)
{
    const struct mysql_column column = {.type = MYSQL_TYPE_VAR_STRING};
    struct mysql_result res;
    char text[400];
    size_t before;

    memset(text, 'x', sizeof(text));
    out.limit = 1000;
    cr_assert_eq(mysql_result_begin(&res, &wire, &column, 1, MYSQL_TEXT, 0), 0);
    for (int i = 0; i < 2; i++) {
        mysql_row_begin(&res);
        mysql_row_string(&res, text, sizeof(text));
        cr_assert_eq(mysql_row_end(&res), 0);
    }
    before = out.len;
    mysql_row_begin(&res);
    mysql_row_string(&res, text, sizeof(text));
    cr_assert_eq(mysql_row_end(&res), -ENOBUFS);
    cr_assert(out.len == before && res.n_rows == 2 && wire.seq == 6);
    buffer_consume(&out, out.len);
    mysql_row_begin(&res);
    mysql_row_string(&res, text, sizeof(text));
    cr_assert_eq(mysql_row_end(&res), 0);
    mysql_row_begin(&res);
    mysql_row_cancel(&res);
    cr_assert_eq(out.len, 4 + 3 + 400);
}

Test(mysql_result, definitions_that_do_not_fit_leave_nothing)
{
    const struct mysql_column columns[40] = {{.name = "a", .type = MYSQL_TYPE_DATE}};
    struct mysql_result res;

    out.limit = 600;
    cr_assert_eq(mysql_result_begin(&res, &wire, columns, 40, MYSQL_TEXT, 0), -ENOBUFS);
    cr_assert(out.len == 0 && wire.seq == 1);
    cr_assert_eq(mysql_field_list(&wire, columns, 40, 0), -ENOBUFS);
    cr_assert_eq(mysql_prepare_ok(&wire, 1, 40, NULL, 0, 0, 0), -ENOBUFS);
    cr_assert(out.len == 0 && wire.seq == 1 && !wire.answered);
    out.limit = 60000;
    cr_assert_eq(mysql_field_list(&wire, columns, 40, 0), 0);
    cr_assert(wire.answered);
}

Test(mysql_result, prepare_answer)
{
    const struct mysql_column column = {.name = "a", .type = MYSQL_TYPE_LONG};

    cr_assert_eq(mysql_prepare_ok(&wire, 9, 1, &column, 1, 2, 0), 0);
    cr_assert(out_is("0c000001"
                     "00"
                     "09000000"
                     "0100"
                     "0100"
                     "00"
                     "0000"
                     "17000002"
                     "03646566"
                     "00"
                     "00"
                     "00"
                     "013f"
                     "00"
                     "0c"
                     "3f00"
                     "fc030000"
                     "fd"
                     "8000"
                     "00"
                     "0000"
                     "05000003"
                     "fe"
                     "0000"
                     "0200"
                     "17000004"
                     "03646566"
                     "00"
                     "00"
                     "00"
                     "0161"
                     "00"
                     "0c"
                     "3f00"
                     "0b000000"
                     "03"
                     "0000"
                     "00"
                     "0000"
                     "05000005"
                     "fe"
                     "0000"
                     "0200"));
    wire.capabilities = MYSQL_CAP_DEPRECATE_EOF;
    wire.seq = 1;
    cr_assert_eq(mysql_prepare_ok(&wire, 9, 0, NULL, 0, 2, 0), 0);
    cr_assert(out_is("0c000001"
                     "00"
                     "09000000"
                     "0000"
                     "0000"
                     "00"
                     "0000"));
}

Test(mysql_result, error_text_is_cut_at_a_character)
{
    char text[600];

    memset(text, 'e', sizeof(text));
    text[599] = '\0';
    memcpy(text + 510, "\xe2\x82\xac", 3);
    cr_assert_eq(mysql_err(&wire, 1105, "HY000", text), 0);
    cr_assert_eq(out.len, 4 + 9 + 510);
}

Test(mysql_result, row_larger_than_a_packet)
{
    const struct mysql_column columns[2] = {{.type = MYSQL_TYPE_LONG_BLOB},
                                            {.type = MYSQL_TYPE_LONGLONG}};
    const size_t len = 20u << 20;
    struct mysql_result res;
    char *text = malloc(len);
    size_t packet_len;
    uint8_t seq;

    memset(text, 'y', len);
    cr_assert_eq(mysql_result_begin(&res, &wire, columns, 2, MYSQL_TEXT, 0), 0);
    out.len = 0;
    mysql_row_begin(&res);
    mysql_row_string(&res, text, len);
    mysql_row_int64(&res, 42);
    cr_assert_eq(mysql_row_end(&res), 0);
    take_packet(&out, &packet_len, &seq);
    cr_assert(packet_len == MYSQL_PACKET_PAYLOAD_MAX && seq == 5);
    take_packet(&out, &packet_len, &seq);
    cr_assert(packet_len == 9 + len + 3 - MYSQL_PACKET_PAYLOAD_MAX && seq == 6);
    cr_assert_eq(out.len, 0);
    free(text);
}

/* Columns and one end, whose status tells of the cursor; the rows of a fetch follow its own command. */
Test(mysql_result, cursor)
{
    static const struct mysql_column column = {.name = "a",
                                               .type = MYSQL_TYPE_LONGLONG,
                                               .length = 21};
    static const char columns[] = "0100000101"
                                  "17000002"
                                  "03646566"
                                  "000000"
                                  "0161"
                                  "00"
                                  "0c3f0015000000080000000000";
    struct mysql_result res;
    uint16_t status = MYSQL_STATUS_AUTOCOMMIT | MYSQL_STATUS_CURSOR_EXISTS;

    for (int deprecate = 0; deprecate < 2; deprecate++) {
        char wanted[200];
        snprintf(wanted, sizeof wanted, "%s%s", columns,
                 deprecate ? "07000003fe000042000000" : "05000003fe00004200");
        wire.capabilities = deprecate ? MYSQL_CAP_DEPRECATE_EOF : 0;
        wire.seq = 1;
        wire.answered = false;
        cr_assert_eq(mysql_result_begin_cursor(&res, &wire, &column, 1, 0, status), 0);
        cr_assert(wire.answered);
        cr_assert(out_is(wanted));
        wire.seq = 1;
        mysql_row_begin(&res);
        mysql_row_int64(&res, 5);
        cr_assert_eq(mysql_row_end(&res), 0);
        cr_assert_eq(mysql_result_end(&res, 0, MYSQL_STATUS_LAST_ROW_SENT), 0);
        cr_assert(out_is(deprecate ? "0a000001"
                                     "00000500000000000000"
                                     "07000002fe000080000000"
                                   : "0a000001"
                                     "00000500000000000000"
                                     "05000002fe00008000"));
    }
}

/* The example of MySQL's manual: USE test, told to a client that asked for it. */
Test(mysql_result, ok_tells_what_changed)
{
    struct mysql_track track = {.len = 7, .bytes = {1, 5, 4, 't', 'e', 's', 't'}};

    wire.track = &track;
    cr_assert_eq(mysql_ok(&wire, 0, 0, MYSQL_STATUS_AUTOCOMMIT, 0, NULL), 0);
    cr_assert(out_is("07000001"
                     "0000000200"
                     "0000"),
              "not to others");
    wire.capabilities = MYSQL_CAP_SESSION_TRACK;
    cr_assert_eq(mysql_ok(&wire, 0, 0, MYSQL_STATUS_AUTOCOMMIT, 0, NULL), 0);
    cr_assert(out_is("10000002"
                     "0000000240"
                     "0000"
                     "00"
                     "07010504"
                     "74657374"));
    wire.track = NULL;
    cr_assert_eq(mysql_ok(&wire, 0, 0, MYSQL_STATUS_AUTOCOMMIT, 0, NULL), 0);
    cr_assert(out_is("07000003"
                     "0000000200"
                     "0000"));
}
