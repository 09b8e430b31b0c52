/* The head of an HTTP request against any bytes: what is found lies within them, and the page's guard takes all of it. */
#include <stdint.h>
#include <string.h>

#include "page/page_guard.h"
#include "reactor/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 1000 };

static void check_inside(struct http_text t, const char *bytes, size_t size)
{
    ASSERT(!t.data || (t.data >= bytes && t.data + t.len <= bytes + size));
    if (t.data)
        ASSERT(!memchr(t.data, '\n', t.len) && !memchr(t.data, 0, t.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data, *why = NULL;
    struct http_request r;
    int status = http_request_parse(bytes, size, BODY_MAX, &r, &why);

    if (status) {
        ASSERT(why && status >= 400 && status < 600);
        return 0;
    }
    ASSERT(r.method.len && r.path.len && r.path.data[0] == '/' && r.body_len <= BODY_MAX);
    check_inside(r.method, bytes, size);
    check_inside(r.path, bytes, size);
    check_inside(r.query, bytes, size);
    check_inside(r.host, bytes, size);
    check_inside(r.origin, bytes, size);
    check_inside(r.authorization, bytes, size);
    status = page_guard_check(&r, "a,b.example", &why);
    ASSERT(!status || why);
    check_inside(page_guard_token(&r), bytes, size);
    return 0;
}
