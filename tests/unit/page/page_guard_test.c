/* Which requests the page answers: names of the machine, other sites, methods. */
#include <criterion/criterion.h>
#include <string.h>

#include "page/page_guard.h"

static struct http_text text(const char *s)
{
    return (struct http_text){s, s ? strlen(s) : 0};
}

Test(page_guard, hosts)
{
    static const char *const own[] = {"localhost",   "LOCALHOST:2112", "a.localhost", "127.0.0.1",
                                      "10.1.2.3:80", "[::1]",          "[fe80::1]:1", "db",
                                      "DB:2112",     "db.example.com"};
    static const char *const others[] = {"",           "evil.com",    "localhost.evil.com",
                                         "xlocalhost", "127.0.0.1.x", "127.0.0.1:x",
                                         "[::1",       "[::1]x",      "[x]",
                                         ":80",        "db.example",  "localhost:123456",
                                         "a,b",        "::1",         "db,db.example.com"};

    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        cr_assert(page_guard_is_host(text(own[i]), "db,db.example.com"), "%s", own[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_not(page_guard_is_host(text(others[i]), "db,db.example.com"), "%s", others[i]);
    cr_assert_not(page_guard_is_host(text("db"), NULL));
    cr_assert_not(page_guard_is_host((struct http_text){0}, ""));
}

struct asked {
    const char *method, *path, *query, *host, *origin, *site, *type;
    int status;
};

static int check(const struct asked *a)
{
    struct http_request r = {.method = text(a->method),
                             .path = text(a->path),
                             .query = text(a->query),
                             .host = text(a->host),
                             .origin = text(a->origin),
                             .fetch_site = text(a->site),
                             .content_type = text(a->type)};
    const char *why = NULL;
    int status = page_guard_check(&r, NULL, &why);

    cr_assert(!status || why);
    return status;
}

Test(page_guard, requests)
{
    static const char json[] = "application/json";
    static const struct asked cases[] = {
        {"GET", "/", NULL, "localhost", NULL, "cross-site", NULL, 0}, /* a link elsewhere */
        {"GET", "/", "a", "localhost", NULL, NULL, NULL, 0},
        {"GET", "/", NULL, "evil.com", NULL, NULL, NULL, 421},
        {"POST", "/", NULL, "localhost", NULL, NULL, json, 405},
        {"GET", "/api/tables", NULL, "localhost:1", NULL, "same-origin", NULL, 0},
        {"GET", "/api/tables", NULL, "localhost:1", NULL, "none", NULL, 0},
        {"GET", "/api/tables", NULL, "localhost:1", NULL, "same-site", NULL, 403},
        {"GET", "/api/tables", "sql=x", "localhost:1", NULL, NULL, NULL, 400},
        {"POST", "/api/query", NULL, "localhost:1", NULL, NULL, json, 0},
        {"POST", "/api/query", NULL, "localhost:1", "http://localhost:1", "same-origin",
         "application/json; charset=utf-8", 0},
        {"POST", "/api/query", NULL, "localhost:1", "https://localhost:1", NULL, json, 0},
        {"POST", "/api/query", NULL, "localhost:1", "http://localhost:2", NULL, json, 403},
        {"POST", "/api/query", NULL, "localhost:1", "http://localhost", NULL, json, 403},
        {"POST", "/api/query", NULL, "localhost:1", "null", NULL, json, 403},
        {"POST", "/api/query", NULL, "localhost:1", "", NULL, json, 403},
        {"POST", "/api/query", NULL, "localhost:1", NULL, "none", json, 403},
        {"POST", "/api/query", NULL, "localhost:1", NULL, "cross-site", json, 403},
        {"POST", "/api/query", NULL, "localhost:1", NULL, NULL, "text/plain", 415},
        {"POST", "/api/query", NULL, "localhost:1", NULL, NULL, NULL, 415},
        {"POST", "/api/query", NULL, "localhost:1", NULL, NULL, "application/x-www-form-urlencoded",
         415},
        {"OPTIONS", "/api/query", NULL, "localhost:1", NULL, NULL, json, 405},
        {"PUT", "/api/query", NULL, "localhost:1", NULL, NULL, json, 405},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(check(&cases[i]), cases[i].status, "case %zu: %d", i, check(&cases[i]));
}

Test(page_guard, tokens)
{
    struct http_request r = {.authorization = text("bearer abc")};

    cr_assert(http_text_is(page_guard_token(&r), "abc"));
    r.authorization = text("Basic abc");
    cr_assert_null(page_guard_token(&r).data);
    r.authorization = (struct http_text){0};
    cr_assert_null(page_guard_token(&r).data);
}
