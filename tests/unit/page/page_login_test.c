/* Tokens of logins: found, too old, of other users, forgotten when there are too many. */
#include <criterion/criterion.h>
#include <string.h>

#include "page/page_login.h"

static struct page_logins logins;

static struct http_text text(const char *s)
{
    return (struct http_text){s, strlen(s)};
}

static const struct page_login *find(const char *token, uint64_t generation, uint64_t now)
{
    return page_login_find(&logins, text(token), generation, now);
}

Test(page_login, is_found_until_it_ends)
{
    char token[PAGE_TOKEN_TEXT + 1];
    const struct page_login *x = page_login_add(&logins, text("ann"), 3, 1000);

    cr_assert(x);
    memcpy(token, x->token, sizeof token);
    cr_assert_eq(strlen(token), PAGE_TOKEN_TEXT);
    cr_assert_eq(find(token, 3, 2000), x);
    cr_assert_str_eq(x->user, "ann");
    cr_assert_null(find("", 3, 2000));
    cr_assert_null(find("abc", 3, 2000));
    page_login_remove(&logins, text(token));
    cr_assert_null(find(token, 3, 2000));
}

Test(page_login, ends_unused_and_when_the_users_change)
{
    char first[PAGE_TOKEN_TEXT + 1], second[PAGE_TOKEN_TEXT + 1];

    memcpy(first, page_login_add(&logins, text("ann"), 0, 0)->token, sizeof first);
    memcpy(second, page_login_add(&logins, text("bob"), 0, 0)->token, sizeof second);
    cr_assert(find(first, 0, PAGE_LOGIN_NS));
    cr_assert(find(first, 0, 2 * PAGE_LOGIN_NS), "it was used");
    cr_assert_null(find(second, 0, PAGE_LOGIN_NS + 1));
    cr_assert_null(find(first, 1, 2 * PAGE_LOGIN_NS));
    cr_assert_null(find(first, 0, 2 * PAGE_LOGIN_NS), "it is gone for good");
}

Test(page_login, the_one_unused_longest_makes_room)
{
    char first[PAGE_TOKEN_TEXT + 1], second[PAGE_TOKEN_TEXT + 1];
    static char long_name[PAGE_USER_MAX + 2];

    memcpy(first, page_login_add(&logins, text("a"), 0, 1)->token, sizeof first);
    memcpy(second, page_login_add(&logins, text("b"), 0, 2)->token, sizeof second);
    for (unsigned i = 2; i < PAGE_LOGINS; i++)
        cr_assert(page_login_add(&logins, text("c"), 0, 10 + i));
    cr_assert(find(first, 0, 1000));
    cr_assert(page_login_add(&logins, text("d"), 0, 1001));
    cr_assert(find(first, 0, 1002));
    cr_assert_null(find(second, 0, 1002));
    memset(long_name, 'x', PAGE_USER_MAX + 1);
    cr_assert_null(page_login_add(&logins, text(long_name), 0, 1003));
}
