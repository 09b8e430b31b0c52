/* Paths into JSON values, as MySQL writes them. */
#include <stdlib.h>
#include <string.h>

#include "sql/json.h"

enum { MAX_DEEP = 2 }; /* each multiplies the work by the depth of the value */

struct scanner {
    const char *begin, *s, *end;
};

static void skip_blanks(struct scanner *c)
{
    while (c->s < c->end && (*c->s == ' ' || *c->s == '\t' || *c->s == '\n'))
        c->s++;
}

static bool take_word(struct scanner *c, const char *word)
{
    size_t n = strlen(word);

    skip_blanks(c);
    if ((size_t)(c->end - c->s) < n || memcmp(c->s, word, n) != 0)
        return false;
    c->s += n;
    return true;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool read_key(struct scanner *c, struct json_step *s)
{
    skip_blanks(c);
    if (take_word(c, "*")) {
        s->kind = JSON_STEP_ANY_KEY;
        return true;
    }
    s->kind = JSON_STEP_KEY;
    if (c->s < c->end && *c->s == '"') {
        s->key = ++c->s;
        while (c->s < c->end && *c->s != '"')
            c->s++;
        s->key_len = (size_t)(c->s - s->key);
        return c->s++ < c->end;
    }
    s->key = c->s;
    while (c->s < c->end && is_name(*c->s))
        c->s++;
    s->key_len = (size_t)(c->s - s->key);
    return s->key_len > 0;
}

static bool read_number(struct scanner *c, int64_t *n)
{
    const char *from;

    skip_blanks(c);
    from = c->s;
    for (*n = 0; c->s < c->end && *c->s >= '0' && *c->s <= '9' && *n < INT32_MAX; c->s++)
        *n = *n * 10 + (*c->s - '0');
    return c->s > from;
}

/* n, last, last-n, -n */
static bool read_index(struct scanner *c, int64_t *n, bool *is_last)
{
    *is_last = take_word(c, "last");
    if (*is_last) {
        *n = 0;
        return !take_word(c, "-") || read_number(c, n);
    }
    if (!take_word(c, "-"))
        return read_number(c, n);
    *is_last = true;
    if (!read_number(c, n) || *n == 0)
        return false;
    --*n;
    return true;
}

static bool read_element(struct scanner *c, struct json_step *s)
{
    if (take_word(c, "*")) {
        s->kind = JSON_STEP_ANY_INDEX;
        return take_word(c, "]");
    }
    s->kind = JSON_STEP_RANGE;
    if (!read_index(c, &s->from, &s->from_last))
        return false;
    s->to = s->from;
    s->to_last = s->from_last;
    if (take_word(c, "to") && !read_index(c, &s->to, &s->to_last))
        return false;
    return take_word(c, "]");
}

static bool read_step(struct scanner *c, struct json_step *s)
{
    if (take_word(c, "**")) {
        s->kind = JSON_STEP_DEEP;
        skip_blanks(c);
        return c->s < c->end; /* never the last */
    }
    if (take_word(c, "."))
        return read_key(c, s);
    return take_word(c, "[") && read_element(c, s);
}

size_t json_path_parse(struct json_path *p, const char *s, size_t len)
{
    struct scanner c = {s, s, s + len};

    unsigned deep = 0;

    memset(p, 0, sizeof *p);
    bool ok = take_word(&c, "$");
    for (skip_blanks(&c); ok && c.s < c.end; skip_blanks(&c)) {
        ok = p->n < JSON_MAX_STEPS;
        if (!ok)
            break;
        struct json_step *step = &p->steps[p->n++];
        ok = read_step(&c, step);
        deep += step->kind == JSON_STEP_DEEP;
        ok = ok && deep <= MAX_DEEP;
        p->is_many |= step->kind != JSON_STEP_KEY &&
                      (step->kind != JSON_STEP_RANGE || step->from != step->to ||
                       step->from_last != step->to_last);
    }
    return ok ? 0 : (size_t)(c.s - c.begin) + 1;
}

static int64_t place(int64_t n, bool is_last, uint32_t count)
{
    return is_last ? (int64_t)count - 1 - n : n;
}

int64_t json_step_index(const struct json_step *s, uint32_t n)
{
    return place(s->from, s->from_last, n);
}

static bool each(const struct json_step *s, unsigned n, struct json *v,
                 bool (*fn)(struct json *v, void *ctx), void *ctx);

/* The value and all below it. */
static bool each_deep(const struct json_step *s, unsigned n, struct json *v,
                      bool (*fn)(struct json *v, void *ctx), void *ctx)
{
    if (!each(s, n, v, fn, ctx))
        return false;
    for (struct json *e = v->first; e; e = e->next)
        if (!each_deep(s, n, e, fn, ctx))
            return false;
    return true;
}

static bool each_element(const struct json_step *s, unsigned n, struct json *v,
                         bool (*fn)(struct json *v, void *ctx), void *ctx)
{
    bool is_all = s->kind == JSON_STEP_ANY_INDEX;
    uint32_t count = v->kind == JSON_ARRAY ? v->n : 1; /* what is no array is one of itself */
    int64_t from = place(s->from, s->from_last, count), to = place(s->to, s->to_last, count), i = 0;

    if (v->kind != JSON_ARRAY)
        return is_all || from > 0 || to < 0 ? true : each(s + 1, n - 1, v, fn, ctx);
    for (struct json *e = v->first; e; e = e->next, i++)
        if ((is_all || (i >= from && i <= to)) && !each(s + 1, n - 1, e, fn, ctx))
            return false;
    return true;
}

static bool each(const struct json_step *s, unsigned n, struct json *v,
                 bool (*fn)(struct json *v, void *ctx), void *ctx)
{
    if (!n)
        return fn(v, ctx);
    switch (s->kind) {
    case JSON_STEP_KEY:
        if (v->kind != JSON_OBJECT)
            return true;
        struct json *m = json_member(v, s->key, s->key_len);
        return !m || each(s + 1, n - 1, m, fn, ctx);
    case JSON_STEP_ANY_KEY:
        if (v->kind == JSON_OBJECT)
            for (struct json *e = v->first; e; e = e->next)
                if (!each(s + 1, n - 1, e, fn, ctx))
                    return false;
        return true;
    case JSON_STEP_DEEP:
        return each_deep(s + 1, n - 1, v, fn, ctx);
    default:
        return each_element(s, n, v, fn, ctx);
    }
}

bool json_path_each(const struct json_path *p, struct json *doc,
                    bool (*fn)(struct json *v, void *ctx), void *ctx)
{
    return each(p->steps, p->n, doc, fn, ctx);
}

static bool keep_first(struct json *v, void *ctx)
{
    *(struct json **)ctx = v;
    return false;
}

struct json *json_path_first(const struct json_path *p, struct json *doc)
{
    struct json *v = NULL;

    json_path_each(p, doc, keep_first, &v);
    return v;
}
