/* Functions of the first Quanta over lists and maps, which are JSON texts here. What failed there is NULL. */
#include <string.h>

#include "sql/function_first.h"

struct json *function_arg_list(const struct expr *e, struct expr_ctx *x, unsigned i,
                               enum json_kind kind, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, i, &s, &len, out))
        return NULL;
    struct json *v = len && (s[0] == '[' || s[0] == '{') ? json_parse(x->scratch, s, len) : NULL;
    datum_set_null(out);
    return v && v->kind == kind ? v : NULL;
}

void function_put_value(struct expr_ctx *x, const struct json *v, struct datum *out)
{
    size_t len = v->len;
    const char *s = v->kind == JSON_STRING ? json_unescape(x->scratch, v, &len) : v->text;

    datum_set_null(out);
    if (v->kind >= JSON_ARRAY)
        function_put_json(x, v, out);
    else if (v->kind != JSON_NULL && s)
        datum_set_string(out, s, len);
}

bool function_arg_first(const struct expr *e, struct expr_ctx *x, unsigned i, const char **s,
                        size_t *len, struct datum *out)
{
    struct datum d;

    if (!function_arg_text(e, x, i, s, len, out))
        return false;
    struct json *list = *len && **s == '[' ? json_parse(x->scratch, *s, *len) : NULL;
    datum_set_null(out);
    if (!list)
        return true;
    if (!list->first)
        return false;
    function_put_value(x, list->first, &d);
    *s = d.kind == DATUM_NULL ? NULL : function_text(x, &d, NULL, len);
    return *s != NULL;
}

void function_each_text(const struct expr *e, struct expr_ctx *x,
                        bool (*fn)(struct expr_ctx *x, const char *s, size_t len, void *ctx),
                        void *ctx)
{
    bool go = true;
    struct datum d;
    const char *s;
    size_t len;

    for (uint32_t i = 0; i < e->n_args && go; i++) {
        struct json *list = function_arg_list(e, x, i, JSON_ARRAY, &d);
        for (struct json *v = list ? list->first : NULL; v && go; v = v->next) {
            function_put_value(x, v, &d);
            if (d.kind == DATUM_STRING)
                go = fn(x, d.s, d.len, ctx);
        }
        if (!list && function_arg_text(e, x, i, &s, &len, &d))
            go = fn(x, s, len, ctx);
    }
}

bool function_is_any_text(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(FUNCTION_MAX_STRING / 4);
    return true;
}

const char *function_lower(struct expr_ctx *x, const char *s, size_t len)
{
    char *p = expr_alloc(x, len + 1);

    for (size_t i = 0; p && i < len; i++)
        p[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
    return p;
}

/* ---- lists ---- */

static void eval_len(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    struct json *v = len && (s[0] == '[' || s[0] == '{') ? json_parse(x->scratch, s, len) : NULL;
    datum_set_int(out, v ? v->n : e->args[0]->type.kind == DATUM_STRING ? (int64_t)len : 0);
}

static void eval_split(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s[2];
    size_t len[2];

    for (unsigned i = 0; i < 2; i++)
        if (!function_arg_text(e, x, i, &s[i], &len[i], out))
            return;
    datum_set_null(out);
    if (!len[0] || !len[1])
        return;
    struct json *list = json_new(x->scratch, JSON_ARRAY);
    const char *from = s[0], *end = s[0] + len[0];
    while (list) {
        const char *at = memmem(from, (size_t)(end - from), s[1], len[1]);
        struct json *v = json_new_text(x->scratch, from, (size_t)((at ? at : end) - from));
        if (!v)
            return;
        json_append(list, v);
        if (!at)
            break;
        from = at + len[1];
    }
    function_put_json(x, list, out);
}

/* A text that grows. Memory: the row's. */
struct joined {
    const char *between;
    size_t between_len, len, cap;
    char *p;
};

/* What is empty is left out. False when it gets too long, or without memory. */
static bool join_one(struct expr_ctx *x, struct joined *j, const struct datum *d,
                     const struct value_type *type)
{
    size_t n = 0, glue = j->p ? j->between_len : 0;
    const char *s = d->kind == DATUM_NULL ? NULL : function_text(x, d, type, &n);

    if (!s || !n)
        return true;
    size_t need = j->len + glue + n;
    if (need >= FUNCTION_MAX_STRING)
        return false;
    if (need > j->cap) {
        size_t cap = 2 * need;
        char *p = expr_alloc(x, cap);
        if (!p)
            return false;
        if (j->len)
            memcpy(p, j->p, j->len);
        j->p = p;
        j->cap = cap;
    }
    if (glue)
        memcpy(j->p + j->len, j->between, glue);
    memcpy(j->p + j->len + glue, s, n);
    j->len = need;
    return true;
}

/* All texts and elements of lists, nothing left out but what is empty, with the last argument between them. */
static void eval_join(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct joined j = {.len = 0};
    bool ok = true;
    struct datum d;

    if (!function_arg_text(e, x, e->n_args - 1, &j.between, &j.between_len, out))
        return;
    for (uint32_t i = 0; i + 1 < e->n_args && ok; i++) {
        struct json *list = function_arg_list(e, x, i, JSON_ARRAY, &d);
        for (struct json *v = list ? list->first : NULL; v && ok; v = v->next) {
            function_put_value(x, v, &d);
            ok = join_one(x, &j, &d, NULL);
        }
        if (list)
            continue;
        expr_eval(e->args[i], x, &d);
        ok = join_one(x, &j, &d, &e->args[i]->type);
    }
    datum_set_null(out);
    if (ok && j.p)
        datum_set_string(out, j.p, j.len);
}

static struct json *element(const struct json *list, int64_t i)
{
    struct json *v = list->first;

    i = i < 0 ? i + list->n : i;
    if (i < 0 || i >= list->n)
        return NULL;
    while (i--)
        v = v->next;
    return v;
}

static void eval_array_index(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *list = function_arg_list(e, x, 0, JSON_ARRAY, out);
    int64_t i;

    if (!list || !function_arg_int(e, x, 1, &i, out))
        return;
    struct json *v = element(list, i);
    datum_set_null(out);
    if (v)
        function_put_value(x, v, out);
}

static void eval_array_slice(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *list = function_arg_list(e, x, 0, JSON_ARRAY, out), *part;
    int64_t from, to = list ? list->n : 0;

    if (!list || !function_arg_int(e, x, 1, &from, out) ||
        (e->n_args > 2 && !function_arg_int(e, x, 2, &to, out)))
        return;
    from = from < 0 ? from + list->n : from;
    to = to < 0 ? to + list->n : to;
    datum_set_null(out);
    if (from < 0 || from > to || to > list->n || !(part = json_new(x->scratch, JSON_ARRAY)))
        return;
    const struct json *v = element(list, from);
    for (int64_t i = from; i < to; i++, v = v->next) {
        struct json *copy = json_copy(x->scratch, v);
        if (!copy)
            return;
        json_append(part, copy);
    }
    function_put_json(x, part, out);
}

static void eval_map(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *key;
    size_t len;
    struct datum d;

    if (!function_arg_text(e, x, 0, &key, &len, out) || !function_arg(e, x, 1, &d, out))
        return;
    struct json *map = json_new(x->scratch, JSON_OBJECT), *v = function_json_of(x, e->args[1], &d);
    datum_set_null(out);
    if (!map || !v)
        return;
    v->key = key;
    v->key_len = len;
    json_append(map, v);
    function_put_json(x, map, out);
}

enum map_part { MAP_KEYS, MAP_VALUES, MAP_INVERTED };

static void map_part(const struct expr *e, struct expr_ctx *x, enum map_part part,
                     struct datum *out)
{
    struct json *map = function_arg_list(e, x, 0, JSON_OBJECT, out), *made;

    if (!map || !map->n)
        return;
    if (!(made = json_new(x->scratch, part == MAP_INVERTED ? JSON_OBJECT : JSON_ARRAY)))
        return;
    for (struct json *m = map->first; m; m = m->next) {
        struct json *v = part == MAP_VALUES ? json_copy(x->scratch, m)
                                            : json_new_text(x->scratch, m->key, m->key_len);
        struct datum d;
        if (!v)
            return;
        if (part == MAP_INVERTED) {
            function_put_value(x, m, &d);
            if (d.kind == DATUM_NULL)
                continue;
            v->key = d.s;
            v->key_len = d.len;
        }
        json_append(made, v);
    }
    function_put_json(x, made, out);
}

static void eval_mapkeys(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    map_part(e, x, MAP_KEYS, out);
}

static void eval_mapvalues(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    map_part(e, x, MAP_VALUES, out);
}

static void eval_mapinvert(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    map_part(e, x, MAP_INVERTED, out);
}

const struct function function_first_list[] = {
    {"len", 1, 1, 0, function_is_int, eval_len},
    {"split", 2, 2, 0, function_is_json, eval_split},
    {"join", 2, 255, FUNCTION_NULL_IN, function_is_any_text, eval_join},
    {"array.index", 2, 2, 0, function_is_any_text, eval_array_index},
    {"array.slice", 2, 3, 0, function_is_json, eval_array_slice},
    {"map", 2, 2, 0, function_is_json, eval_map},
    {"mapkeys", 1, 1, 0, function_is_json, eval_mapkeys},
    {"mapvalues", 1, 1, 0, function_is_json, eval_mapvalues},
    {"mapinvert", 1, 1, 0, function_is_json, eval_mapinvert},
    {0},
};
