/* The error table: in order, well-formed, and formatted as MySQL does. */
#include <string.h>

#include <criterion/criterion.h>

#include "sql/mysql_error.h"

Test(mysql_error, known_codes_are_found)
{
    static const unsigned codes[] = {
        1040, 1043, 1044, 1045, 1046, 1047, 1048, 1049, 1050, 1051, 1052, 1054, 1055,
        1060, 1062, 1064, 1093, 1105, 1109, 1111, 1113, 1136, 1140, 1146, 1149, 1153,
        1156, 1193, 1205, 1213, 1222, 1231, 1235, 1241, 1242, 1243, 1248, 1264, 1265,
        1292, 1305, 1317, 1364, 1366, 1406, 1411, 1415, 1525, 1582, 1690, 3024,
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const struct mysql_error_info *info = mysql_error_find(codes[i]);

        cr_assert(info && info->code == codes[i], "%u", codes[i]);
    }
    cr_assert_null(mysql_error_find(0));
    cr_assert_null(mysql_error_find(65535));
}

Test(mysql_error, every_row_is_reachable_and_has_a_state)
{
    size_t n = 0;

    for (unsigned code = 0; code < 10000; code++) {
        const struct mysql_error_info *info = mysql_error_find(code);

        if (!info)
            continue;
        n++;
        cr_assert_eq(strlen(info->sqlstate), 5);
        cr_assert(info->format[0] != '\0' && strlen(info->format) < MYSQL_ERROR_TEXT_MAX);
    }
    cr_assert_geq(n, 100);
}

Test(mysql_error, texts)
{
    struct mysql_error err;
    char text[64];

    mysql_error_set(&err, MYSQL_ER_NO_SUCH_TABLE, "quanta", "cities");
    cr_assert_eq(err.code, 1146);
    cr_assert_str_eq(err.sqlstate, "42S02");
    cr_assert_str_eq(err.text, "Table 'quanta.cities' doesn't exist");
    mysql_error_set(&err, MYSQL_ER_ACCESS_DENIED_ERROR, "ana", "localhost", "YES");
    cr_assert_str_eq(err.text, "Access denied for user 'ana'@'localhost' (using password: YES)");
    mysql_error_set_text(&err, MYSQL_ER_UNKNOWN_ERROR, "node %d is away", 3);
    cr_assert_str_eq(err.sqlstate, "HY000");
    cr_assert_str_eq(err.text, "node 3 is away");
    cr_assert_eq(mysql_error_format(text, sizeof(text), MYSQL_ER_OPERAND_COLUMNS, 1),
                 strlen("Operand should contain 1 column(s)"));
    cr_assert_str_eq(mysql_error_sqlstate(4711), "HY000");
}

Test(mysql_error, long_texts_end_at_a_character)
{
    struct mysql_error err;
    char long_text[2000];

    for (size_t i = 0; i + 3 < sizeof(long_text); i += 3)
        memcpy(long_text + i, "\xe2\x82\xac", 3);
    long_text[1998] = '\0';
    for (int lead = 0; lead < 4; lead++) {
        size_t len;

        mysql_error_set_text(&err, MYSQL_ER_UNKNOWN_ERROR, "%.*s%s", lead, "abc", long_text);
        len = strlen(err.text);
        cr_assert(len <= MYSQL_ERROR_TEXT_MAX && len > MYSQL_ERROR_TEXT_MAX - 3);
        cr_assert_eq((len - (size_t)(lead < 3 ? lead : 3)) % 3, 0);
    }
}
