/* Heads of requests: what is found, and what is refused with which status. */
#include <criterion/criterion.h>
#include <string.h>

#include "rpc/http_request.h"

static struct http_request r;
static const char *why;

static int parse(const char *head)
{
    return http_request_parse(head, strlen(head), 100, &r, &why);
}

Test(http_request, parts)
{
    cr_assert_eq(parse("POST /a/b?c=d?e HTTP/1.1\r\nHOST:  x:1 \r\norigin: http://x:1\r\n"
                       "Accept: */*\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
                       "Authorization: Bearer t\r\nSec-Fetch-Site: same-origin\r\n\r\nbody\n"),
                 0, "%s", why);
    cr_assert(http_text_is(r.method, "POST"));
    cr_assert(http_text_is(r.path, "/a/b"));
    cr_assert(http_text_is(r.query, "c=d?e"));
    cr_assert(http_text_is(r.host, "x:1"));
    cr_assert(http_text_is(r.origin, "http://x:1"));
    cr_assert(http_text_is(r.fetch_site, "same-origin"));
    cr_assert(http_text_is_like(r.content_type, "Application/JSON"));
    cr_assert(http_text_begins(r.authorization, "Bearer "));
    cr_assert_eq(r.body_len, 100);
}

Test(http_request, what_is_missing_is_null)
{
    cr_assert_eq(parse("GET / HTTP/1.0\r\n\r\n"), 0);
    cr_assert(!r.host.data && !r.origin.data && !r.query.data && !r.body_len);
    cr_assert_not(http_text_is(r.host, ""));
}

Test(http_request, refusals)
{
    static const struct {
        const char *head;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n", 400}, /* no end */
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\n\r\n", 400},
        {"GET x HTTP/1.1\r\n\r\n", 400},
        {"G@T / HTTP/1.1\r\n\r\n", 400},
        {"GET /\xc3\xbc HTTP/1.1\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\n\r\n", 505},
        {"GET / HTTP/1.x\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\nHost a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(parse(cases[i].head), cases[i].status, "%s: %d", cases[i].head,
                     parse(cases[i].head));
}
