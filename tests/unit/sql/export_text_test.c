/* Rows as lines of SELECT ... INTO OUTFILE, CSV and bare bytes. */
#include <string.h>

#include <criterion/criterion.h>

#include "sql/export_text.h"

static struct datum text(const char *s)
{
    struct datum d;

    datum_set_string(&d, s, strlen(s));
    return d;
}

/* The line of two cells. */
static void expect_line(const struct export_text *t, struct datum a, struct datum b,
                        struct value_type type_b, const char *wanted)
{
    struct datum cells[2] = {a, b};
    struct value_type types[2] = {value_type_string(100), type_b};
    struct buffer out;

    buffer_init(&out, 1 << 20);
    cr_assert_eq(export_text_row(t, &out, cells, types, 2), 0);
    cr_expect(out.len == strlen(wanted) && memcmp(out.data, wanted, out.len) == 0,
              "found [%.*s], wanted [%s]", (int)out.len, (const char *)out.data, wanted);
    buffer_fini(&out);
}

static struct datum five(void)
{
    struct datum d;

    datum_set_int(&d, 5);
    return d;
}

static struct datum null(void)
{
    struct datum d;

    datum_set_null(&d);
    return d;
}

Test(export_text, lines_escape_as_mysql_does)
{
    struct export_text t;
    struct value_type number = value_type_int(10);

    export_text_init(&t, EXPORT_TEXT_LINES);
    expect_line(&t, text("a\tb\nc\\d"), five(), number, "a\\\tb\\\nc\\\\d\t5\n");
    expect_line(&t, null(), null(), number, "\\N\t\\N\n");
    t.enclosed = '"';
    expect_line(&t, text("a\tb\"c"), five(), number, "\"a\tb\\\"c\"\t\"5\"\n");
    t.only_texts_enclosed = true;
    expect_line(&t, text("x"), five(), number, "\"x\"\t5\n");
    expect_line(&t, null(), five(), number, "\\N\t5\n");
    t.escaped = -1;
    expect_line(&t, text("a\"b\\"), null(), number, "\"a\"b\\\"\tNULL\n");
}

Test(export_text, separators_that_digits_hold_or_escapes_mean)
{
    struct export_text t;

    export_text_init(&t, EXPORT_TEXT_LINES);
    t.field_end = (struct export_mark){"5", 1};
    expect_line(&t, text("a"), five(), value_type_int(10), "a5\\5\n");
    t.field_end = (struct export_mark){"n", 1};
    expect_line(&t, text("one"), five(), value_type_int(10), "onnen5\n");
    t.field_end = (struct export_mark){"||", 2};
    t.line_start = (struct export_mark){">", 1};
    t.line_end = (struct export_mark){"\r\n", 2};
    expect_line(&t, text("a|b\rc"), five(), value_type_int(10), ">a\\|b\\\rc||5\r\n");
}

Test(export_text, csv_quotes_where_needed)
{
    struct export_text t;

    export_text_init(&t, EXPORT_TEXT_CSV);
    t.field_end = (struct export_mark){",", 1};
    expect_line(&t, text("a,b"), five(), value_type_int(10), "\"a,b\",5\n");
    expect_line(&t, text("say \"x\""), null(), value_type_int(10), "\"say \"\"x\"\"\",NULL\n");
    expect_line(&t, text("NULL"), text(""), value_type_string(9), "\"NULL\",\n");
    expect_line(&t, text(" a"), text("l\nm"), value_type_string(9), "\" a\",\"l\nm\"\n");
}

Test(export_text, names_and_bare_bytes)
{
    struct export_text t;
    struct buffer out;
    const char *names[] = {"id", "a,b"};

    export_text_init(&t, EXPORT_TEXT_BARE);
    expect_line(&t, text("a\t\n"), five(), value_type_int(10), "a\t\n5");
    expect_line(&t, null(), five(), value_type_int(10), "5");
    export_text_init(&t, EXPORT_TEXT_CSV);
    t.field_end = (struct export_mark){",", 1};
    buffer_init(&out, 100);
    cr_assert_eq(export_text_names(&t, &out, names, 2), 0);
    cr_expect(out.len == 9 && memcmp(out.data, "id,\"a,b\"\n", 9) == 0);
    buffer_fini(&out);
}
