/* Names and ids of character sets. */
#include <string.h>

#include <criterion/criterion.h>

#include "sql/mysql_charset.h"

Test(mysql_charset, list_is_in_order_and_found)
{
    size_t count;
    const struct mysql_collation *list = mysql_collation_list(&count);

    for (size_t i = 0; i < count; i++) {
        cr_assert(i == 0 || list[i - 1].id < list[i].id);
        cr_assert_eq(mysql_collation_by_id(list[i].id), &list[i]);
        cr_assert_eq(mysql_collation_by_name(list[i].name, strlen(list[i].name)), &list[i]);
        cr_assert_not_null(mysql_charset_default(list[i].charset, strlen(list[i].charset)));
    }
    cr_assert_null(mysql_collation_by_id(7));
}

Test(mysql_charset, names)
{
    cr_assert_eq(mysql_collation_by_name("UTF8MB4_BIN", 11)->id, 46);
    cr_assert_eq(mysql_collation_by_name("utf8_general_ci", 15)->id, 33);
    cr_assert_eq(mysql_charset_default("utf8", 4)->id, 33);
    cr_assert_eq(mysql_charset_default("utf8mb4", 7)->id, 255);
    cr_assert_eq(mysql_charset_default("Latin1", 6)->id, 8);
    cr_assert_null(mysql_charset_default("utf8m", 5));
    cr_assert_null(mysql_charset_default("", 0));
    cr_assert_null(mysql_collation_by_name("klingon", 7));
}

Test(mysql_charset, latin1_to_utf8)
{
    char out[32];
    size_t len = mysql_latin1_to_utf8(out, "a\xe9\x80\xff", 4);

    cr_assert_eq(len, 8);
    cr_assert(memcmp(out, "a\xc3\xa9\xe2\x82\xac\xc3\xbf", 8) == 0);
}
