/* JSON out of any bytes, and bodies of requests. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "page/page_body.h"
#include "page/page_json.h"
#include "reactor/arena.h"

static void check(const char *bytes, size_t len, const char *wanted)
{
    struct buffer b;

    buffer_init(&b, 1000);
    cr_assert_eq(page_json_string(&b, bytes, len), 0);
    buffer_append(&b, "", 1);
    cr_assert_str_eq((const char *)b.data, wanted);
    buffer_fini(&b);
}

Test(page_json, strings)
{
    check("", 0, "\"\"");
    check("a\"b\\c\n\t\r\0\x7f", 10, "\"a\\\"b\\\\c\\n\\t\\u000d\\u0000\\u007f\"");
    check("</script>", 9, "\"</script>\"");
    check("\xc3\xbc \xe6\x9d\xb1 \xf0\x9f\x99\x82", 11,
          "\"\xc3\xbc \xe6\x9d\xb1 \xf0\x9f\x99\x82\"");
}

/* Too long a form, half a pair, above the last one, cut off, a lone follower. */
Test(page_json, what_is_no_utf8_is_replaced)
{
    check("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    check("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    check("\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    check("\xe6\x9d", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    check("\x80z\xff", 3, "\"\xef\xbf\xbdz\xef\xbf\xbd\"");
}

Test(page_json, no_room_leaves_nothing)
{
    struct buffer b;

    buffer_init(&b, 4);
    cr_assert_eq(page_json_string(&b, "abc", 3), -ENOBUFS);
    cr_assert_eq(b.len, 0);
    buffer_fini(&b);
}

Test(page_json, bytes_and_cuts)
{
    struct buffer b;

    buffer_init(&b, 100);
    cr_assert_eq(page_json_bytes(&b, (const unsigned char *)"\x00\xaf", 2), 0);
    cr_assert(b.len == 8 && memcmp(b.data, "\"0x00AF\"", 8) == 0);
    buffer_fini(&b);
    cr_assert_eq(page_json_cut("abc", 3, 3), 3);
    cr_assert_eq(page_json_cut("a\xc3\xbc", 3, 2), 1);
    cr_assert_eq(page_json_cut("a\xf0\x9f\x99\x82z", 6, 4), 1);
    cr_assert_eq(page_json_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
}

Test(page_body, members)
{
    static const char body[] = "{\"sql\":\"SELECT \\u0031\\n\",\"id\":42,\"half\":1.5,\"big\":1e3}";
    struct arena a;

    arena_init(&a, 1 << 16, NULL);
    const struct json *v = page_body_parse(&a, (struct http_text){body, sizeof body - 1});
    cr_assert(v);
    cr_assert(http_text_is(page_body_text(&a, v, "sql"), "SELECT 1\n"));
    cr_assert_null(page_body_text(&a, v, "id").data);
    cr_assert_null(page_body_text(&a, v, "other").data);
    cr_assert_eq(page_body_number(v, "id"), 42);
    cr_assert_eq(page_body_number(v, "half"), -1);
    cr_assert_eq(page_body_number(v, "big"), -1);
    cr_assert_eq(page_body_number(v, "sql"), -1);
    cr_assert_null(page_body_parse(&a, (struct http_text){"[1]", 3}));
    cr_assert_null(page_body_parse(&a, (struct http_text){"{", 1}));
    cr_assert_null(page_body_parse(&a, (struct http_text){"", 0}));
    arena_fini(&a);
}
