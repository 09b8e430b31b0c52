/* Refusals: MySQL's texts and places, limits of depth and memory. */
#include <errno.h>
#include <stdlib.h>

#include "parse_test_util.h"

static void check_near(const char *text, const char *near, uint32_t line)
{
    struct parsed p;
    char want[600];
    parsed_init(&p, text, strlen(text), 0);
    cr_assert_eq(p.rc, -EINVAL, "%s", text);
    snprintf(
        want, sizeof want,
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL "
        "server version for the right syntax to use near '%s' at line %u",
        near, line);
    cr_expect_str_eq(p.error.text, want, "%s: %s", text, p.error.text);
    cr_expect_eq(p.error.code, SQL_PARSE_SYNTAX);
    cr_expect_str_eq(p.error.sqlstate, "42000");
    cr_expect_eq(p.error.line, line);
    cr_expect_null(p.stmt);
    parsed_fini(&p);
}

Test(parse_error, near)
{
    check_near("selec 1", "selec 1", 1);
    check_near("select", "", 1);
    check_near("select from t", "from t", 1);
    check_near("select 1 from", "", 1);
    check_near("select match (a) against (1 in foo mode) from t", "foo mode) from t", 1);
    check_near("select match (a) against (1 with query foo) from t", "foo) from t", 1);
    check_near("select a\nfrom t\nwhere and b", "and b", 3);
    check_near("select (1", "", 1);
    check_near("select 1)", ")", 1);
    check_near("select 'abc", "'abc", 1);
    check_near("select `abc", "`abc", 1);
    check_near("select /* abc", "/* abc", 1);
}

Test(parse_error, refused)
{
    static const char *const texts[] = {
        "select * from a full outer join b on 1",
        "select a from t group by",
        "select a b c from t",
        "select interval 1 day",
        "select 1 + interval 1 dayz",
        "select extract(foo from a)",
        "select * from (select 1)",
        "select a from t where b in ()",
        "select a from t limit -1",
        "select a from t limit a",
        "insert into t values",
        "insert into t (1) values (1)",
        "update t set where a = 1",
        "delete t",
        "create table t (a foo)",
        "create table t (a enum)",
        "create table t (a int('x'))",
        "create table t ()",
        "select x'4'",
        "select ``",
        "select 1 from t where (select 1 into outfile 'x')",
        "select 1 union select 2 into outfile 'a' union select 3",
        "select 1 into @a into @b",
        "select case end",
        "select sum(a) over",
        "set",
        "set @a",
        "show",
        "show foo",
        "show foo status",
        "explain",
        "explain set a = 1",
        "kill a",
        "begin commit",
        "with a select 1",
        "drop prepare",
        "select \\",
        "select @@",
        "select a.",
        "select .a",
        "select {x 1}",
        "select trim(foo x from y)",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct parsed p;
        parsed_init(&p, texts[i], strlen(texts[i]), 0);
        cr_expect_eq(p.rc, -EINVAL, "%s: %d", texts[i], p.rc);
        cr_expect_eq(p.error.code, SQL_PARSE_SYNTAX, "%s", texts[i]);
        parsed_fini(&p);
    }
}

Test(parse_error, near_is_cut_and_valid)
{
    struct parsed p;
    char text[2000] = "select from ";
    for (size_t n = strlen(text); n + 3 < sizeof text; n += 2) {
        memcpy(text + n, "\xc3\xa4", 3);
    }
    parsed_init(&p, text, strlen(text), 0);
    cr_assert_eq(p.rc, -EINVAL);
    const char *near = strstr(p.error.text, "near '");
    cr_assert_not_null(near);
    /* "from " and 75 two-byte letters. */
    cr_expect_str_eq(near + 6 + 5 + 150, "' at line 1");
    parsed_fini(&p);
    parsed_init(&p, "select from \xff\0x", 15, 0);
    cr_expect_not_null(strstr(p.error.text, "near 'from ??x'"), "%s", p.error.text);
    parsed_fini(&p);
}

Test(parse_error, nul_bytes)
{
    struct parsed p;
    parsed_init(&p, "select\0 1", 9, 0);
    cr_expect_eq(p.rc, -EINVAL);
    parsed_fini(&p);
    parsed_init(&p, "select 'a\0b'", 12, 0);
    cr_assert_eq(p.rc, 0, "%s", p.error.text);
    cr_expect_eq(p.stmt->u.query->terms->select->items->expr->count, 3);
    parsed_fini(&p);
    parsed_init(&p, "select `a\0b`", 12, 0);
    cr_expect_eq(p.rc, -EINVAL);
    parsed_fini(&p);
}

Test(parse_error, number_out_of_range)
{
    struct parsed p;
    parsed_init(&p, "select 1e999", 12, 0);
    cr_expect_eq(p.rc, -EINVAL);
    cr_expect_eq(p.error.code, SQL_PARSE_BAD_NUMBER);
    cr_expect_str_eq(p.error.sqlstate, "22007");
    parsed_fini(&p);
}

/* before repeated n times, middle, after repeated n times. */
static int parse_nested(const char *head, const char *before, const char *middle, const char *after,
                        size_t n)
{
    size_t size = strlen(head) + n * (strlen(before) + strlen(after)) + strlen(middle) + 1;
    char *text = malloc(size);
    char *at = stpcpy(text, head);
    for (size_t i = 0; i < n; i++) {
        at = stpcpy(at, before);
    }
    at = stpcpy(at, middle);
    for (size_t i = 0; i < n; i++) {
        at = stpcpy(at, after);
    }
    struct parsed p;
    parsed_init(&p, text, strlen(text), 0);
    int rc = p.rc;
    if (rc == -E2BIG) {
        cr_expect_eq(p.error.code, SQL_PARSE_TOO_DEEP);
    }
    if (rc == 0) {
        /* The printer recurses over the whole tree. */
        parsed_print(&p);
    }
    parsed_fini(&p);
    free(text);
    return rc;
}

Test(parse_error, depth)
{
    static const struct {
        const char *head, *before, *middle, *after;
        size_t good, bad;
    } cases[] = {
        {"select ", "(", "1", ")", 200, 201},
        {"select ", "f(", "1", ")", 199, 100000},
        {"select ", "1 + (", "1", ")", 199, 100000},
        {"select ", "(select ", "1", ")", 80, 100000},
        {"select * from ", "(select * from ", "t", ") x", 80, 100000},
        {"select ", "not ", "1", "", 240, 100000},
        {"select ", "- ", "a", "", 240, 100000},
        {"select ", "~ ", "a", "", 240, 100000},
        {"select ", "case when ", "a", " then 1 end", 240, 100000},
        {"select ", "1 + ", "1", "", 240, 100000},
        {"select ", "a = ", "1", "", 240, 100000},
        {"select * from t", "", "", " join t", 240, 100000},
        {"select ", "@a := ", "1", "", 240, 100000},
        {"select ", "binary ", "1", "", 240, 100000},
        {"", "explain ", "select 1", "", 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = parse_nested(cases[i].head, cases[i].before, cases[i].middle, cases[i].after,
                              cases[i].good);
        cr_expect_eq(rc, 0, "%s: %d", cases[i].before, rc);
        rc = parse_nested(cases[i].head, cases[i].before, cases[i].middle, cases[i].after,
                          cases[i].bad);
        cr_expect_lt(rc, 0, "%s: %d", cases[i].before, rc);
    }
}

/* Wide is not deep. */
Test(parse_error, width)
{
    cr_expect_eq(parse_nested("select 1 where a", "", "", " and b", 50000), 0);
    cr_expect_eq(parse_nested("select 1 where a", "", "", " or b = 1", 50000), 0);
    cr_expect_eq(parse_nested("select 1", "", "", ", a", 50000), 0);
    cr_expect_eq(parse_nested("select a in (1", "", ")", "", 1), 0);
    cr_expect_eq(parse_nested("select 1", "", "", " union all select 2", 20000), 0);
    cr_expect_eq(parse_nested("select case", " when a then b", " end", "", 20000), 0);
}

/* Every allocation may be the one that fails. */
Test(parse_error, out_of_memory)
{
    const char *text =
        "with c as (select 1) select a, count(distinct b), 'it''s' from t join u on x "
        "= y where z in (1, 2, 3) and w like 'q' order by 1";
    bool has_passed = false;
    for (size_t limit = 0; limit < (1 << 20) && !has_passed; limit += 512) {
        struct arena arena;
        struct sql_stmt *stmt;
        struct parse_error error;
        arena_init(&arena, limit, NULL);
        int rc = sql_parse(&arena, text, strlen(text), 0, &stmt, NULL, &error);
        has_passed = rc == 0;
        if (!has_passed) {
            cr_expect_eq(rc, -ENOMEM);
            cr_expect_eq(error.code, SQL_PARSE_NO_MEMORY);
            cr_expect_null(stmt);
        }
        arena_fini(&arena);
    }
    cr_expect(has_passed);
}
