#include "page/page_body.h"

#include <string.h>

#include "reactor/arena.h"
#include "sql/json.h"

enum { DIGITS_MAX = 15 }; /* below 2^53, as far as scripts count */

const struct json *page_body_parse(struct arena *a, struct http_text body)
{
    const struct json *v = json_parse(a, body.data, body.len);

    return v && v->kind == JSON_OBJECT ? v : NULL;
}

struct http_text page_body_text(struct arena *a, const struct json *body, const char *name)
{
    const struct json *v = json_member(body, name, strlen(name));
    size_t len;

    if (!v || v->kind != JSON_STRING)
        return (struct http_text){0};
    const char *text = json_unescape(a, v, &len), *copy = text ? arena_strndup(a, text, len) : NULL;
    return (struct http_text){copy, copy ? len : 0};
}

long long page_body_number(const struct json *body, const char *name)
{
    const struct json *v = json_member(body, name, strlen(name));
    long long n = 0;

    if (!v || v->kind != JSON_NUMBER || !v->len || v->len > DIGITS_MAX)
        return -1;
    for (size_t i = 0; i < v->len; i++) {
        if (v->text[i] < '0' || v->text[i] > '9')
            return -1;
        n = n * 10 + (v->text[i] - '0');
    }
    return n;
}
