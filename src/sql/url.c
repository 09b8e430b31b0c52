#include "sql/url.h"

#include <string.h>

void url_read(const char *s, size_t len, struct url *u)
{
    const char *end = s + len, *scheme = memmem(s, len, "://", 3), *p;

    memset(u, 0, sizeof *u);
    u->fragment = end;
    if ((p = memchr(s, '#', len))) {
        u->fragment = p;
        u->fragment_len = (size_t)(end - p);
        end = p;
    }
    u->host = u->scheme_end = scheme && scheme < end ? scheme + 3 : s;
    for (p = u->host; p < end && *p != '/' && *p != '?'; p++)
        continue;
    u->path = p;
    const char *user = memrchr(u->host, '@', (size_t)(p - u->host));
    if (user)
        u->host = user + 1;
    const char *port = memchr(u->host, ':', (size_t)(p - u->host));
    u->host_len = (size_t)((port ? port : p) - u->host);
    while (p < end && *p != '?')
        p++;
    u->path_len = (size_t)(p - u->path);
    u->query = end;
    if (p < end) {
        u->query = p + 1;
        u->query_len = (size_t)(end - p - 1);
    }
}

const char *url_domain(const struct url *u, size_t *len)
{
    size_t from = u->host_len;
    unsigned dots = 0;

    while (from && (dots += u->host[from - 1] == '.') < 2)
        from--;
    *len = u->host_len - from;
    return u->host + from;
}
