#include "sql/json.h"

#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"

struct reader {
    struct arena *a;
    const char *s, *end;
};

struct json *json_new(struct arena *a, enum json_kind kind)
{
    struct json *v = arena_alloc(a, sizeof *v);

    if (v)
        v->kind = kind;
    return v;
}

struct json *json_new_scalar(struct arena *a, enum json_kind kind, const char *s, size_t len)
{
    struct json *v = json_new(a, kind);

    if (v) {
        v->text = s;
        v->len = len;
    }
    return v;
}

struct json *json_new_text(struct arena *a, const char *s, size_t len)
{
    const char *quoted = json_quote(a, s, len, &len);

    return quoted ? json_new_scalar(a, JSON_STRING, quoted, len) : NULL;
}

struct json *json_copy(struct arena *a, const struct json *v)
{
    struct json *c = json_new(a, v->kind);

    if (c) {
        *c = *v;
        c->next = NULL;
    }
    return c;
}

void json_append(struct json *parent, struct json *v)
{
    if (parent->last)
        parent->last->next = v;
    else
        parent->first = v;
    parent->last = v;
    v->next = NULL;
    parent->n++;
}

struct json *json_member(const struct json *object, const char *key, size_t len)
{
    for (struct json *v = object->first; v; v = v->next)
        if (v->key_len == len && memcmp(v->key, key, len) == 0)
            return v;
    return NULL;
}

/* ---- reading ---- */

static void skip_blanks(struct reader *r)
{
    while (r->s < r->end && (*r->s == ' ' || *r->s == '\t' || *r->s == '\n' || *r->s == '\r'))
        r->s++;
}

static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->s == r->end || *r->s != c)
        return false;
    r->s++;
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Past the closing quote. */
static bool read_string(struct reader *r)
{
    for (r->s++; r->s < r->end && *r->s != '"'; r->s++) {
        if ((unsigned char)*r->s < 0x20)
            return false;
        if (*r->s != '\\')
            continue;
        if (++r->s == r->end || !strchr("\"\\/bfnrtu", *r->s) || !*r->s)
            return false;
        if (*r->s != 'u')
            continue;
        for (int i = 0; i < 4; i++)
            if (++r->s == r->end || !is_hex(*r->s))
                return false;
    }
    return r->s++ < r->end;
}

static bool read_digits(struct reader *r)
{
    const char *from = r->s;

    while (r->s < r->end && *r->s >= '0' && *r->s <= '9')
        r->s++;
    return r->s > from;
}

static bool read_number(struct reader *r)
{
    const char *from;

    if (*r->s == '-')
        r->s++;
    from = r->s;
    if (!read_digits(r) || (*from == '0' && r->s - from > 1))
        return false;
    if (r->s < r->end && *r->s == '.') {
        r->s++;
        if (!read_digits(r))
            return false;
    }
    if (r->s < r->end && (*r->s == 'e' || *r->s == 'E')) {
        r->s++;
        if (r->s < r->end && (*r->s == '+' || *r->s == '-'))
            r->s++;
        return read_digits(r);
    }
    return true;
}

static struct json *read_value(struct reader *r, unsigned depth);

static bool read_key(struct reader *r, const char **key, size_t *len)
{
    struct json v = {.kind = JSON_STRING};

    skip_blanks(r);
    v.text = r->s;
    if (r->s == r->end || *r->s != '"' || !read_string(r))
        return false;
    v.len = (size_t)(r->s - v.text);
    return (*key = json_unescape(r->a, &v, len)) != NULL && take(r, ':');
}

static struct json *read_list(struct reader *r, enum json_kind kind, unsigned depth)
{
    char end = kind == JSON_ARRAY ? ']' : '}';
    struct json *list = json_new(r->a, kind);

    r->s++;
    if (!list || take(r, end))
        return list;
    do {
        const char *key = NULL;
        size_t len = 0;
        if (kind == JSON_OBJECT && !read_key(r, &key, &len))
            return NULL;
        struct json *v = read_value(r, depth + 1);
        if (!v)
            return NULL;
        v->key = key;
        v->key_len = len;
        json_append(list, v);
    } while (take(r, ','));
    return take(r, end) ? list : NULL;
}

static struct json *read_word(struct reader *r, const char *word, enum json_kind kind)
{
    size_t n = strlen(word);
    const char *from = r->s;

    if ((size_t)(r->end - r->s) < n || memcmp(r->s, word, n) != 0)
        return NULL;
    r->s += n;
    return json_new_scalar(r->a, kind, from, n);
}

static struct json *read_value(struct reader *r, unsigned depth)
{
    const char *from;

    skip_blanks(r);
    if (r->s == r->end || depth > JSON_MAX_DEPTH)
        return NULL;
    from = r->s;
    switch (*r->s) {
    case '[':
        return read_list(r, JSON_ARRAY, depth);
    case '{':
        return read_list(r, JSON_OBJECT, depth);
    case '"':
        return read_string(r) ? json_new_scalar(r->a, JSON_STRING, from, (size_t)(r->s - from))
                              : NULL;
    case 't':
        return read_word(r, "true", JSON_TRUE);
    case 'f':
        return read_word(r, "false", JSON_FALSE);
    case 'n':
        return read_word(r, "null", JSON_NULL);
    default:
        return read_number(r) ? json_new_scalar(r->a, JSON_NUMBER, from, (size_t)(r->s - from))
                              : NULL;
    }
}

struct json *json_parse(struct arena *a, const char *s, size_t len)
{
    struct reader r = {a, s, s + len};
    struct json *v = read_value(&r, 1);

    skip_blanks(&r);
    return v && r.s == r.end ? v : NULL;
}

/* ---- strings ---- */

static unsigned hex4(const char *s)
{
    char text[5] = {s[0], s[1], s[2], s[3], 0};

    return (unsigned)strtoul(text, NULL, 16);
}

static size_t put_utf8(char *p, unsigned c)
{
    if (c < 0x80) {
        p[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (char)(0xc0 | c >> 6);
        p[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        p[0] = (char)(0xe0 | c >> 12);
        p[1] = (char)(0x80 | (c >> 6 & 0x3f));
        p[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    p[0] = (char)(0xf0 | c >> 18);
    p[1] = (char)(0x80 | (c >> 12 & 0x3f));
    p[2] = (char)(0x80 | (c >> 6 & 0x3f));
    p[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* \uXXXX at s, a pair of surrogates together: *used bytes after the backslash. */
static unsigned read_escape(const char *s, const char *end, size_t *used)
{
    unsigned c = hex4(s + 1), low;

    *used = 5;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c < 0xdc00 && end - s >= 11 && s[5] == '\\' && s[6] == 'u') {
        low = hex4(s + 7);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *used = 11;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd; /* half a pair is no character */
}

const char *json_unescape(struct arena *a, const struct json *v, size_t *len)
{
    const char *s = v->text + 1, *end = v->text + v->len - 1;
    char *p, *to;

    *len = (size_t)(end - s);
    if (!memchr(s, '\\', *len))
        return s;
    if (!(p = to = arena_alloc_raw(a, *len + 1)))
        return NULL;
    while (s < end) {
        static const char from[] = "bfnrt", values[] = "\b\f\n\r\t";
        if (*s != '\\') {
            *to++ = *s++;
            continue;
        }
        s++;
        const char *special = strchr(from, *s);
        size_t used = 1;
        if (*s == 'u')
            to += put_utf8(to, read_escape(s, end, &used));
        else
            *to++ = special ? values[special - from] : *s;
        s += used;
    }
    *len = (size_t)(to - p);
    return p;
}

const char *json_quote(struct arena *a, const char *s, size_t len, size_t *out_len)
{
    static const char hex[] = "0123456789abcdef";
    static const char from[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
    char *p = len < SIZE_MAX / 6 - 2 ? arena_alloc_raw(a, 6 * len + 2) : NULL, *to = p;

    if (!p)
        return NULL;
    *to++ = '"';
    for (size_t i = 0; i < len; i++) {
        const char *special = s[i] ? strchr(from, s[i]) : NULL;
        if (special) {
            *to++ = '\\';
            *to++ = names[special - from];
        } else if ((unsigned char)s[i] < 0x20) {
            memcpy(to, "\\u00", 4);
            to[4] = hex[s[i] >> 4 & 15];
            to[5] = hex[s[i] & 15];
            to += 6;
        } else {
            *to++ = s[i];
        }
    }
    *to++ = '"';
    *out_len = (size_t)(to - p);
    return p;
}

/* ---- printing ---- */

struct printer {
    struct arena *a;
    char *p; /* NULL: only counts */
    size_t len;
    enum json_style style;
    bool failed;
};

static void put(struct printer *o, const char *s, size_t n)
{
    if (o->p)
        memcpy(o->p + o->len, s, n);
    o->len += n;
}

static void put_line(struct printer *o, unsigned depth)
{
    if (o->style != JSON_DETAILED)
        return;
    put(o, "\n", 1);
    while (depth--)
        put(o, "    ", 4);
}

static void put_key(struct printer *o, const struct json *v, unsigned depth)
{
    size_t n;
    const char *key = json_quote(o->a, v->key, v->key_len, &n);

    if (!key) {
        o->failed = true;
        return;
    }
    put(o, key, n);
    put(o, ": ", o->style == JSON_COMPACT ? 1 : 2);
    if (v->kind >= JSON_ARRAY)
        put_line(o, depth);
}

static void put_value(struct printer *o, const struct json *v, unsigned depth)
{
    bool is_array = v->kind == JSON_ARRAY;

    if (v->kind < JSON_ARRAY) {
        put(o, v->text, v->len);
        return;
    }
    put(o, is_array ? "[" : "{", 1);
    for (const struct json *e = v->first; e; e = e->next) {
        if (e != v->first)
            put(o, ", ", o->style == JSON_LOOSE ? 2 : 1);
        put_line(o, depth + 1);
        if (!is_array)
            put_key(o, e, depth + 1);
        put_value(o, e, depth + 1);
    }
    put_line(o, depth);
    put(o, is_array ? "]" : "}", 1);
}

const char *json_print(struct arena *a, const struct json *v, enum json_style style, size_t *len)
{
    struct printer o = {.a = a, .style = style};

    put_value(&o, v, 0);
    o.p = arena_alloc_raw(a, o.len + 1);
    if (!o.p || o.failed)
        return NULL;
    o.len = 0;
    put_value(&o, v, 0);
    *len = o.len;
    return o.failed ? NULL : o.p;
}

/* ---- comparing ---- */

static bool is_equal_scalar(struct arena *a, const struct json *p, const struct json *q)
{
    size_t n, m;

    if (p->kind == JSON_NUMBER) {
        if (p->len == q->len && memcmp(p->text, q->text, p->len) == 0)
            return true;
        char x[64], y[64]; /* with an end, for strtod */
        if (p->len >= sizeof x || q->len >= sizeof y)
            return false;
        memcpy(x, p->text, p->len);
        x[p->len] = 0;
        memcpy(y, q->text, q->len);
        y[q->len] = 0;
        return strtod(x, NULL) == strtod(y, NULL);
    }
    if (p->kind != JSON_STRING)
        return true;
    const char *s = json_unescape(a, p, &n), *t = json_unescape(a, q, &m);
    return s && t && n == m && memcmp(s, t, n) == 0;
}

struct json *json_find(const struct json *object, const char *key, size_t len, uint64_t *left)
{
    for (struct json *v = object->first; v && *left; v = v->next, --*left)
        if (v->key_len == len && memcmp(v->key, key, len) == 0)
            return v;
    return NULL;
}

bool json_is_equal(struct arena *a, const struct json *p, const struct json *q, uint64_t *left)
{
    uint64_t cost = 1 + (p->kind == JSON_STRING && p->len == q->len ? p->len / 32 : 0);

    *left -= *left < cost ? *left : cost;
    if (!*left || p->kind != q->kind || p->n != q->n)
        return false;
    if (p->kind < JSON_ARRAY)
        return is_equal_scalar(a, p, q);
    const struct json *other = q->first;
    for (const struct json *v = p->first; v; v = v->next) {
        if (p->kind == JSON_OBJECT)
            other = json_find(q, v->key, v->key_len, left);
        if (!other || !json_is_equal(a, v, other, left))
            return false;
        if (p->kind == JSON_ARRAY)
            other = other->next;
    }
    return true;
}

bool json_contains(struct arena *a, const struct json *in, const struct json *v, uint64_t *left)
{
    *left -= *left > 0;
    if (!*left)
        return false;
    if (in->kind == JSON_ARRAY && v->kind == JSON_ARRAY) {
        for (const struct json *e = v->first; e; e = e->next)
            if (!json_contains(a, in, e, left))
                return false;
        return true;
    }
    if (in->kind == JSON_ARRAY) {
        for (const struct json *e = in->first; e; e = e->next)
            if (json_contains(a, e, v, left))
                return true;
        return false;
    }
    if (in->kind != JSON_OBJECT || v->kind != JSON_OBJECT)
        return json_is_equal(a, in, v, left);
    for (const struct json *m = v->first; m; m = m->next) {
        const struct json *own = json_find(in, m->key, m->key_len, left);
        if (!own || !json_contains(a, own, m, left))
            return false;
    }
    return true;
}

unsigned json_depth(const struct json *v)
{
    unsigned deepest = 0;

    for (const struct json *e = v->first; e; e = e->next) {
        unsigned d = json_depth(e);
        deepest = d > deepest ? d : deepest;
    }
    return deepest + 1;
}
