/* The statements of a connection: ids, long data and their limits. */
#include <errno.h>

#include "mysql_test_util.h"
#include "sql/mysql_stmt.h"

static const struct mysql_text piece = {"0123456789", 10};

Test(mysql_stmt, ids_rise_and_removal_keeps_the_rest)
{
    struct mysql_statements *set = mysql_statements_new(5, 1000);
    uint32_t id[6];

    for (int i = 0; i < 5; i++)
        cr_assert_eq(mysql_statements_add(set, 1, &id[i]), 0);
    cr_assert_eq(mysql_statements_add(set, 1, &id[5]), -EMFILE);
    mysql_statements_remove(set, id[2]);
    mysql_statements_remove(set, 4711);
    cr_assert_eq(mysql_statements_count(set), 4);
    cr_assert_not(mysql_statements_has(set, id[2]));
    cr_assert(mysql_statements_has(set, id[0]) && mysql_statements_has(set, id[4]));
    cr_assert_eq(mysql_statements_add(set, 1, &id[5]), 0);
    cr_assert_gt(id[5], id[4]);
    mysql_statements_free(set);
}

Test(mysql_stmt, long_data_are_joined_and_used_once)
{
    struct mysql_statements *set = mysql_statements_new(5, 1000);
    struct mysql_text body = {"\0\1\xfd\0\3abc", 8};
    const struct mysql_param *params;
    uint16_t n;
    uint32_t id;

    cr_assert_eq(mysql_statements_add(set, 1, &id), 0);
    cr_assert_eq(mysql_statements_long_data(set, id, 0, piece), 0);
    cr_assert_eq(mysql_statements_long_data(set, id, 0, piece), 0);
    cr_assert_eq(mysql_statements_execute(set, id, body, &params, &n), 0);
    cr_assert(n == 1 && text_is(params[0].v.bytes, "01234567890123456789"));
    mysql_statements_executed(set);
    cr_assert_eq(mysql_statements_execute(set, id, body, &params, &n), 0);
    cr_assert(text_is(params[0].v.bytes, "abc"));
    mysql_statements_executed(set);
    cr_assert_eq(mysql_statements_long_data(set, id, 0, (struct mysql_text){"", 0}), 0);
    cr_assert_eq(mysql_statements_execute(set, id, body, &params, &n), 0);
    cr_assert(params[0].kind == MYSQL_PARAM_BYTES && params[0].v.bytes.len == 0);
    mysql_statements_free(set);
}

Test(mysql_stmt, long_data_beyond_the_limit_fail_the_execution)
{
    struct mysql_statements *set = mysql_statements_new(5, 35);
    struct mysql_text body = {"\0\1\xfd\0\3abc", 8};
    const struct mysql_param *params;
    uint16_t n;
    uint32_t id;
    int rc = 0;

    cr_assert_eq(mysql_statements_add(set, 1, &id), 0);
    cr_assert_eq(mysql_statements_long_data(set, id, 1, piece), -ENOENT);
    cr_assert_eq(mysql_statements_long_data(set, id + 1, 0, piece), -ENOENT);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(mysql_statements_long_data(set, id, 0, piece), 0);
    rc = mysql_statements_long_data(set, id, 0, piece);
    cr_assert_eq(rc, -ENOBUFS);
    cr_assert_eq(mysql_statements_execute(set, id, body, &params, &n), -ENOBUFS);
    cr_assert_eq(mysql_statements_execute(set, id, body, &params, &n), 0);
    mysql_statements_executed(set);
    /* Everything was given back: the limit is there again. */
    for (int i = 0; i < 3; i++)
        cr_assert_eq(mysql_statements_long_data(set, id, 0, piece), 0);
    cr_assert_eq(mysql_statements_reset(set, id), 0);
    cr_assert_eq(mysql_statements_reset(set, id + 1), -ENOENT);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(mysql_statements_long_data(set, id, 0, piece), 0);
    mysql_statements_free(set);
}

Test(mysql_stmt, parameters_of_all_statements_are_bounded)
{
    struct mysql_statements *set = mysql_statements_new(1000, 100);
    uint32_t id;
    unsigned n = 0;

    while (mysql_statements_add(set, UINT16_MAX, &id) == 0)
        n++;
    cr_assert_eq(n, MYSQL_STATEMENTS_PARAMS_MAX / UINT16_MAX);
    mysql_statements_remove(set, id);
    cr_assert_eq(mysql_statements_add(set, UINT16_MAX, &id), 0);
    mysql_statements_free(set);
}
