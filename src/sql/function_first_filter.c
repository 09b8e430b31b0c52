/* Functions of the first Quanta that choose among elements, keys and columns by patterns. */
#include <string.h>

#include "sql/function_first.h"
#include "sql/value_convert.h"
#include "storage/like.h"

enum { PATTERNS_MAX = 32 };

/* One pattern as LIKE takes it: * and % stand for any text, without them the pattern is a prefix. */
struct pattern {
    const char *s;
    size_t len;
};

struct patterns {
    struct pattern list[PATTERNS_MAX];
    unsigned n;
};

static bool read_pattern(struct expr_ctx *x, const char *s, size_t len, struct pattern *out)
{
    char *p = expr_alloc(x, 2 * len + 1);
    bool any = false;
    size_t n = 0;

    for (size_t i = 0; p && i < len; i++) {
        bool is_any = s[i] == '*' || s[i] == '%';
        any |= is_any;
        if (s[i] == '_' || s[i] == '\\')
            p[n++] = '\\';
        p[n++] = is_any ? '%' : s[i];
    }
    if (p && !any)
        p[n++] = '%';
    *out = (struct pattern){p, n};
    return p != NULL;
}

/* All arguments but the first, those that are lists with their elements; NULL ones say nothing. */
static bool read_patterns(const struct expr *e, struct expr_ctx *x, struct patterns *all)
{
    struct datum d;
    const char *s;
    size_t len;

    all->n = 0;
    for (uint32_t i = 1; i < e->n_args && all->n < PATTERNS_MAX; i++) {
        if (!function_arg_text(e, x, i, &s, &len, &d))
            continue;
        if (!len || !read_pattern(x, s, len, &all->list[all->n]))
            return false;
        all->n++;
    }
    return all->n > 0;
}

static bool matches(const struct patterns *all, const char *s, size_t len)
{
    for (unsigned i = 0; i < all->n; i++)
        if (like_match(s, (uint32_t)len, all->list[i].s, (uint32_t)all->list[i].len, '\\'))
            return true;
    return false;
}

/* What a member of a list or map is looked for by: a list's element, a map's key. */
static bool member_matches(struct expr_ctx *x, const struct json *parent, const struct json *v,
                           const struct patterns *all)
{
    struct datum d;

    if (parent->kind == JSON_OBJECT)
        return matches(all, v->key, v->key_len);
    function_put_value(x, v, &d);
    return d.kind == DATUM_STRING && matches(all, d.s, d.len);
}

static void put_chosen(struct expr_ctx *x, const struct json *from, const struct patterns *all,
                       bool wanted, struct datum *out)
{
    struct json *made = json_new(x->scratch, from->kind);

    datum_set_null(out);
    for (const struct json *v = from->first; made && v; v = v->next) {
        if (member_matches(x, from, v, all) != wanted)
            continue;
        struct json *copy = json_copy(x->scratch, v);
        if (!copy)
            return;
        copy->key = v->key;
        copy->key_len = v->key_len;
        json_append(made, copy);
    }
    if (made && made->first)
        function_put_json(x, made, out);
}

static void choose(const struct expr *e, struct expr_ctx *x, bool wanted, struct datum *out)
{
    struct patterns all;
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    if (!read_patterns(e, x, &all))
        return;
    struct json *v = len && (s[0] == '[' || s[0] == '{') ? json_parse(x->scratch, s, len) : NULL;
    if (v)
        put_chosen(x, v, &all, wanted, out);
    else if (len && matches(&all, s, len) == wanted)
        datum_set_string(out, s, len);
}

static void eval_filter(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    choose(e, x, false, out);
}

static void eval_filtermatch(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    choose(e, x, true, out);
}

/* ---- maps out of columns and times ---- */

/* match(prefix, ...) as bind_call.c has it: a name, a column, and so on. Columns that are NULL are left out. */
static void eval_match(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *map = json_new(x->scratch, JSON_OBJECT);
    struct datum d, name;

    datum_set_null(out);
    for (uint32_t i = 0; map && i + 1 < e->n_args; i += 2) {
        expr_eval(e->args[i], x, &name);
        expr_eval(e->args[i + 1], x, &d);
        if (d.kind == DATUM_NULL || name.kind != DATUM_STRING)
            continue;
        struct json *v = function_json_of(x, e->args[i + 1], &d);
        if (!v)
            return;
        v->key = name.s;
        v->key_len = name.len;
        json_append(map, v);
    }
    if (map && map->first)
        function_put_json(x, map, out);
}

/* maptime(key [, time]): without a time that of the statement. */
static void eval_maptime(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct value_type type = value_type_temporal(DATUM_DATETIME, 3);
    struct datum d;
    const char *key, *text;
    size_t len, n;
    int64_t us = x->now_us;

    if (!function_arg_text(e, x, 0, &key, &len, out) ||
        (e->n_args > 1 && !function_arg(e, x, 1, &d, out)))
        return;
    datum_set_null(out);
    if (!len || (e->n_args > 1 && !datum_to_datetime(&d, &us)) ||
        !(key = function_lower(x, key, len)))
        return;
    datum_set_temporal(&d, DATUM_DATETIME, us);
    struct json *map = json_new(x->scratch, JSON_OBJECT), *v;
    if (!(text = function_text(x, &d, &type, &n)) || !map ||
        !(v = json_new_text(x->scratch, text, n)))
        return;
    v->key = key;
    v->key_len = len;
    json_append(map, v);
    function_put_json(x, map, out);
}

/* strip(x): of a list, all its texts. */
static void eval_strip(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const char blanks[] = " \t\r\n";
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    struct json *list = len && s[0] == '[' ? json_parse(x->scratch, s, len) : NULL;
    struct json *made = list ? json_new(x->scratch, JSON_ARRAY) : NULL;
    if (!list) {
        for (; len && memchr(blanks, *s, 4); s++, len--)
            continue;
        while (len && memchr(blanks, s[len - 1], 4))
            len--;
        datum_set_string(out, s, len);
        return;
    }
    datum_set_null(out);
    for (struct json *v = list->first; made && v; v = v->next) {
        struct datum d;
        function_put_value(x, v, &d);
        const char *at = d.kind == DATUM_STRING ? d.s : "";
        size_t n = d.kind == DATUM_STRING ? d.len : 0;
        for (; n && memchr(blanks, *at, 4); at++, n--)
            continue;
        while (n && memchr(blanks, at[n - 1], 4))
            n--;
        struct json *text = json_new_text(x->scratch, at, n);
        if (!text)
            return;
        json_append(made, text);
    }
    if (made)
        function_put_json(x, made, out);
}

const struct function function_first_filter[] = {
    {"filter", 2, PATTERNS_MAX + 1, 0, function_is_any_text, eval_filter},
    {"filtermatch", 2, PATTERNS_MAX + 1, 0, function_is_any_text, eval_filtermatch},
    {"match", 0, 255, FUNCTION_NULL_IN, function_is_json, eval_match},
    {"maptime", 1, 2, 0, function_is_json, eval_maptime},
    {"strip", 1, 1, 0, function_is_text, eval_strip},
    {0},
};
