/*
 * Objects of two numbers, as JSON text: {"seconds": 1, "nanos": 2}, {"upperBits": "1", "lowerBits": "2"}. Not a JSON
 * reader: anything else is refused.
 */
#include <string.h>

#include "storage/mapping_value.h"

/* What is still to be read. */
struct cursor {
    const char *at, *end;
};

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool take(struct cursor *c, char ch)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != ch)
        return false;
    c->at++;
    return true;
}

/* "text" without escapes. */
static bool take_text(struct cursor *c, const char **s, size_t *len)
{
    if (!take(c, '"'))
        return false;
    *s = c->at;
    while (c->at < c->end && *c->at != '"' && *c->at != '\\' && (uint8_t)*c->at >= ' ')
        c->at++;
    *len = (size_t)(c->at - *s);
    return take(c, '"');
}

static enum convert_result take_number(struct cursor *c, __int128 *out)
{
    bool negative = c->at < c->end && *c->at == '-';
    __int128 v = 0;
    const char *from;

    c->at += negative;
    from = c->at;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        v = v * 10 + (*c->at - '0');
        if (v > UINT64_MAX)
            return CONVERT_RANGE;
    }
    if (c->at == from)
        return CONVERT_WRONG;
    if (negative && v > (__int128)INT64_MAX + 1)
        return CONVERT_RANGE;
    *out = negative ? -v : v;
    return CONVERT_OK;
}

static enum convert_result take_value(struct cursor *c, __int128 *out)
{
    struct cursor inner;
    enum convert_result r;
    const char *s;
    size_t len;

    skip_blanks(c);
    if (c->at == c->end || *c->at != '"')
        return take_number(c, out);
    if (!take_text(c, &s, &len))
        return CONVERT_WRONG;
    inner = (struct cursor){s, s + len};
    r = take_number(&inner, out);
    return r == CONVERT_OK && inner.at != inner.end ? CONVERT_WRONG : r;
}

bool mapping_is_object(const char *s, size_t len)
{
    mapping_trim(&s, &len);
    return len > 1 && *s == '{' && memchr(s, '"', len);
}

enum convert_result mapping_parse_object(const char *s, size_t len, struct object_field fields[2])
{
    struct cursor c = {s, s + len};

    if (!take(&c, '{'))
        return CONVERT_WRONG;
    do {
        struct object_field *f = NULL;
        enum convert_result r;
        const char *key;
        size_t key_len;

        if (!take_text(&c, &key, &key_len))
            return CONVERT_WRONG;
        for (unsigned i = 0; i < 2; i++)
            if (strlen(fields[i].key) == key_len && memcmp(fields[i].key, key, key_len) == 0)
                f = &fields[i];
        if (!f || f->found || !take(&c, ':'))
            return CONVERT_WRONG;
        r = take_value(&c, &f->value);
        if (r != CONVERT_OK)
            return r;
        f->found = true;
    } while (take(&c, ','));
    if (!take(&c, '}'))
        return CONVERT_WRONG;
    skip_blanks(&c);
    return c.at == c.end ? CONVERT_OK : CONVERT_WRONG;
}
