#include "page/page_guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 255 };

/* A port behind a colon, or nothing. */
static bool is_port(const char *s, size_t len)
{
    if (!len)
        return true;
    if (s[0] != ':' || len < 2 || len > 6)
        return false;
    for (size_t i = 1; i < len; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

static bool is_address(int family, const char *s, size_t len)
{
    char copy[HOST_MAX + 1];
    unsigned char bytes[16];

    memcpy(copy, s, len);
    copy[len] = 0;
    return inet_pton(family, copy, bytes) == 1;
}

static bool is_below_localhost(const char *s, size_t len)
{
    static const char end[] = "localhost";
    const size_t n = sizeof end - 1;

    if (len < n || strncasecmp(s + len - n, end, n) != 0)
        return false;
    return len == n || s[len - n - 1] == '.';
}

static bool is_listed(const char *s, size_t len, const char *names)
{
    while (names && *names) {
        size_t n = strcspn(names, ",");

        if (n == len && strncasecmp(names, s, n) == 0)
            return true;
        names += n + (names[n] == ',');
    }
    return false;
}

bool page_guard_is_host(struct http_text host, const char *names)
{
    size_t n;

    if (!host.len || host.len > HOST_MAX)
        return false;
    if (host.data[0] == '[') {
        const char *end = memchr(host.data, ']', host.len);

        n = end ? (size_t)(end - host.data) : 0;
        return end && is_port(end + 1, host.len - n - 1) &&
               is_address(AF_INET6, host.data + 1, n - 1);
    }
    const char *colon = memchr(host.data, ':', host.len);
    n = colon ? (size_t)(colon - host.data) : host.len;
    if (!n || !is_port(host.data + n, host.len - n))
        return false;
    return is_below_localhost(host.data, n) || is_address(AF_INET, host.data, n) ||
           is_listed(host.data, n, names);
}

/* Browsers name the site that a request comes from; other programs do not. */
static bool is_own_origin(const struct http_request *r)
{
    struct http_text o = r->origin;

    if (!o.data)
        return true;
    if (http_text_begins(o, "http://") || http_text_begins(o, "https://")) {
        size_t n = o.data[4] == 's' ? 8 : 7;

        return o.len - n == r->host.len && strncasecmp(o.data + n, r->host.data, r->host.len) == 0;
    }
    return false;
}

static bool is_json(struct http_text type)
{
    const char *end = type.len ? memchr(type.data, ';', type.len) : NULL;

    if (end)
        type.len = (size_t)(end - type.data);
    while (type.len && type.data[type.len - 1] == ' ')
        type.len--;
    return http_text_is_like(type, "application/json");
}

static int check_api(const struct http_request *r, const char **why)
{
    bool is_get = http_text_is(r->method, "GET");

    if (!is_own_origin(r) || (r->fetch_site.data && !http_text_is(r->fetch_site, "same-origin") &&
                              !(is_get && http_text_is(r->fetch_site, "none")))) {
        *why = "this request comes from another site";
        return 403;
    }
    if (r->query.data) {
        *why = "there is nothing behind a '?' here: POST a JSON object";
        return 400;
    }
    if (!is_get && !is_json(r->content_type)) {
        *why = "Content-Type has to be application/json";
        return 415;
    }
    return 0;
}

int page_guard_check(const struct http_request *r, const char *names, const char **why)
{
    bool is_api = http_text_begins(r->path, "/api/");

    if (!page_guard_is_host(r->host, names)) {
        *why = "the page is not served under this host name: use an address or localhost, or start "
               "the server with --page-host NAME";
        return 421;
    }
    if (!http_text_is(r->method, "GET") && !(is_api && http_text_is(r->method, "POST"))) {
        *why = is_api ? "only GET and POST are allowed here" : "only GET is allowed here";
        return 405;
    }
    return is_api ? check_api(r, why) : 0;
}

struct http_text page_guard_token(const struct http_request *r)
{
    static const char scheme[] = "Bearer ";
    struct http_text t = r->authorization;

    if (!t.data || t.len < sizeof scheme - 1 || strncasecmp(t.data, scheme, sizeof scheme - 1) != 0)
        return (struct http_text){0};
    return (struct http_text){t.data + sizeof scheme - 1, t.len - (sizeof scheme - 1)};
}
