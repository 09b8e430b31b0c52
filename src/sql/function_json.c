/* JSON functions that make values or look into them. */
#include "sql/function_json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/gateway_session.h"
#include "sql/value_convert.h"
#include "storage/like.h"

/* ---- what the files share ---- */

bool function_is_json(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(FUNCTION_MAX_STRING / 4);
    e->type.is_json = true;
    return true;
}

struct json *function_arg_json(const struct expr *e, struct expr_ctx *x, unsigned i,
                               struct datum *out)
{
    const char *s;
    size_t len;
    char text[160];

    if (!function_arg_text(e, x, i, &s, &len, out))
        return NULL;
    struct json *v = json_parse(x->scratch, s, len);
    if (!v) {
        datum_set_null(out);
        snprintf(text, sizeof text, "Invalid JSON text in argument %u to function %s", i + 1,
                 e->u.function->name);
        gateway_session_warn(x->session, "Warning", 3141, text);
    }
    return v;
}

bool function_json_has_left(struct expr_ctx *x, uint64_t left, const struct expr *e,
                            struct datum *out)
{
    if (left)
        return true;
    datum_set_null(out);
    if (!x->error->code)
        mysql_error_set_text(x->error, 1105,
                             "The JSON values are too large for %s: it looks at up to %d pairs",
                             e->u.function->name, JSON_MAX_WORK);
    return false;
}

bool function_arg_path(const struct expr *e, struct expr_ctx *x, unsigned i, struct json_path *p,
                       struct datum *out)
{
    const char *s;
    size_t len, at;

    if (!function_arg_text(e, x, i, &s, &len, out))
        return false;
    if (!(at = json_path_parse(p, s, len)))
        return true;
    expr_fail(x, out, MYSQL_ER_INVALID_JSON_PATH, (unsigned)at);
    return false;
}

static bool is_word(const struct expr *e, const char *word)
{
    return e->kind == EXPR_CONST && e->text && e->text_len == strlen(word) &&
           strncasecmp(e->text, word, e->text_len) == 0;
}

struct json *function_json_of(struct expr_ctx *x, const struct expr *arg, const struct datum *d)
{
    struct json *v;
    size_t len;

    if (d->kind == DATUM_NULL)
        return json_new_scalar(x->scratch, JSON_NULL, "null", 4);
    if (is_word(arg, "true"))
        return json_new_scalar(x->scratch, JSON_TRUE, "true", 4);
    if (is_word(arg, "false"))
        return json_new_scalar(x->scratch, JSON_FALSE, "false", 5);
    const char *s = function_text(x, d, &arg->type, &len);
    if (!s)
        return NULL;
    if (datum_kind_is_number(d->kind))
        return json_new_scalar(x->scratch, JSON_NUMBER, s, len);
    if (arg->type.is_json && (v = json_parse(x->scratch, s, len)))
        return v;
    return json_new_text(x->scratch, s, len);
}

struct json *function_json_of_arg(const struct expr *e, struct expr_ctx *x, unsigned i)
{
    struct datum d;

    expr_eval(e->args[i], x, &d);
    return function_json_of(x, e->args[i], &d);
}

static void fail_memory(struct expr_ctx *x, struct datum *out)
{
    datum_set_null(out);
    expr_alloc(x, FUNCTION_MAX_STRING); /* says so */
}

void function_put_json(struct expr_ctx *x, const struct json *v, struct datum *out)
{
    size_t len;
    const char *s = v ? json_print(x->scratch, v, JSON_LOOSE, &len) : NULL;

    if (s)
        datum_set_string(out, s, len);
    else
        fail_memory(x, out);
}

/* ---- making ---- */

static void eval_array(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *list = json_new(x->scratch, JSON_ARRAY), *v;

    datum_set_null(out);
    for (uint32_t i = 0; list && i < e->n_args; i++) {
        if (!(v = function_json_of_arg(e, x, i)))
            return;
        json_append(list, v);
    }
    function_put_json(x, list, out);
}

static void eval_object(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *object = json_new(x->scratch, JSON_OBJECT), *v;
    uint64_t left = JSON_MAX_WORK;

    if (e->n_args % 2) {
        expr_fail(x, out, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, "json_object");
        return;
    }
    for (uint32_t i = 0; object && i < e->n_args; i += 2) {
        const char *key;
        size_t len;
        if (!function_arg_text(e, x, i, &key, &len, out)) {
            if (!expr_has_failed(x))
                mysql_error_set_text(x->error, 3158,
                                     "JSON documents may not contain NULL member names.");
            return;
        }
        if (!(v = function_json_of_arg(e, x, i + 1))) {
            datum_set_null(out);
            return;
        }
        struct json *there = json_find(object, key, len, &left), *next = there ? there->next : NULL;
        if (!function_json_has_left(x, left, e, out))
            return;
        if (there) { /* the last one counts, at the place of the first */
            *there = *v;
            there->next = next;
        } else {
            json_append(object, v);
            there = v;
        }
        there->key = key;
        there->key_len = len;
    }
    function_put_json(x, object, out);
}

static void eval_quote(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    if ((s = json_quote(x->scratch, s, len, &len)))
        datum_set_string(out, s, len);
    else
        fail_memory(x, out);
}

static bool resolve_quote(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(FUNCTION_MAX_STRING / 4);
    return true;
}

static void eval_unquote(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    if (len >= 2 && s[0] == '"' && s[len - 1] == '"') {
        struct json *v = json_parse(x->scratch, s, len);
        if (v && v->kind == JSON_STRING && !(s = json_unescape(x->scratch, v, &len))) {
            fail_memory(x, out);
            return;
        }
    }
    datum_set_string(out, s, len);
}

/* What a comparison sees of a value: true and false are numbers there. */
static void eval_scalar(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    eval_unquote(e, x, out);
    if (out->kind == DATUM_STRING && out->len == 4 && memcmp(out->s, "true", 4) == 0)
        datum_set_string(out, "1", 1);
    else if (out->kind == DATUM_STRING && out->len == 5 && memcmp(out->s, "false", 5) == 0)
        datum_set_string(out, "0", 1);
}

static const struct function scalar_function = {"json_scalar", 1, 1, 0, resolve_quote, eval_scalar};

struct expr *function_new_json_scalar(struct function_bind *b, struct expr *value)
{
    return function_new(b, &scalar_function, &value, 1);
}

/* ---- looking ---- */

struct found {
    struct expr_ctx *x;
    struct json *list;
    bool failed;
};

static bool collect(struct json *v, void *ctx)
{
    struct found *f = ctx;
    struct json *copy = json_copy(f->x->scratch, v);

    if (!copy) {
        f->failed = true;
        return false;
    }
    json_append(f->list, copy);
    return true;
}

static void eval_extract(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *doc = function_arg_json(e, x, 0, out);
    struct found f = {x, doc ? json_new(x->scratch, JSON_ARRAY) : NULL, false};
    struct json_path p;
    bool is_many = e->n_args > 2;

    if (!doc)
        return;
    for (uint32_t i = 1; i < e->n_args; i++) {
        if (!function_arg_path(e, x, i, &p, out))
            return;
        is_many |= p.is_many;
        if (f.list)
            json_path_each(&p, doc, collect, &f);
    }
    if (!f.list || f.failed)
        fail_memory(x, out);
    else if (!f.list->n)
        datum_set_null(out);
    else
        function_put_json(x, is_many ? f.list : f.list->first, out);
}

/* Argument i as a document, and what the path of argument i + 1 leads to, if there is that argument. */
static struct json *value_at(const struct expr *e, struct expr_ctx *x, unsigned i,
                             struct datum *out)
{
    struct json *v = function_arg_json(e, x, i, out);
    struct json_path p;

    if (!v || e->n_args <= i + 1)
        return v;
    if (!function_arg_path(e, x, i + 1, &p, out))
        return NULL;
    datum_set_null(out);
    return json_path_first(&p, v);
}

static void eval_value(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *v = value_at(e, x, 0, out);
    size_t len;

    datum_set_null(out);
    if (!v || v->kind >= JSON_ARRAY || v->kind == JSON_NULL)
        return;
    if (v->kind != JSON_STRING) {
        datum_set_string(out, v->text, v->len);
        return;
    }
    const char *s = json_unescape(x->scratch, v, &len);
    if (s)
        datum_set_string(out, s, len);
    else
        fail_memory(x, out);
}

static void eval_query(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *v = value_at(e, x, 0, out);

    if (v && v->kind >= JSON_ARRAY)
        function_put_json(x, v, out);
    else
        datum_set_null(out);
}

static void eval_exists(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *doc = function_arg_json(e, x, 0, out);
    struct json_path p;

    if (doc && function_arg_path(e, x, 1, &p, out))
        datum_set_int(out, json_path_first(&p, doc) != NULL);
}

static void eval_valid(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_int(out, json_parse(x->scratch, s, len) != NULL);
}

static void eval_type(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const char *const names[] = {"NULL",   "BOOLEAN", "BOOLEAN", "INTEGER",
                                        "STRING", "ARRAY",   "OBJECT"};
    struct json *v = function_arg_json(e, x, 0, out);

    if (!v)
        return;
    const char *name = names[v->kind];
    for (size_t i = 0; v->kind == JSON_NUMBER && i < v->len; i++)
        if (strchr(".eE", v->text[i]))
            name = "DOUBLE";
    datum_set_string(out, name, strlen(name));
}

static void eval_length(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *v = value_at(e, x, 0, out);

    if (v)
        datum_set_int(out, v->kind >= JSON_ARRAY ? v->n : 1);
}

static void eval_depth(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *v = function_arg_json(e, x, 0, out);

    if (v)
        datum_set_int(out, json_depth(v));
}

static void eval_keys(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *v = value_at(e, x, 0, out), *list, *key;

    datum_set_null(out);
    if (!v || v->kind != JSON_OBJECT)
        return;
    list = json_new(x->scratch, JSON_ARRAY);
    for (struct json *m = v->first; list && m; m = m->next) {
        if (!(key = json_new_text(x->scratch, m->key, m->key_len))) {
            list = NULL;
            break;
        }
        json_append(list, key);
    }
    function_put_json(x, list, out);
}

static void eval_contains(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *doc = function_arg_json(e, x, 0, out);
    struct json *v = doc ? function_arg_json(e, x, 1, out) : NULL;
    uint64_t left = JSON_MAX_WORK;
    struct json_path p;

    if (!v)
        return;
    if (e->n_args > 2) {
        if (!function_arg_path(e, x, 2, &p, out))
            return;
        datum_set_null(out);
        if (!(doc = json_path_first(&p, doc)))
            return;
    }
    bool found = json_contains(x->scratch, doc, v, &left);
    if (function_json_has_left(x, left, e, out))
        datum_set_int(out, found);
}

/* 'one' or 'all': false with an error when it is neither. */
static bool arg_all(const struct expr *e, struct expr_ctx *x, bool *all, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 1, &s, &len, out))
        return false;
    *all = len == 3 && strncasecmp(s, "all", 3) == 0;
    if (*all || (len == 3 && strncasecmp(s, "one", 3) == 0))
        return true;
    datum_set_null(out);
    if (!x->error->code)
        mysql_error_set_text(x->error, 3154,
                             "The oneOrAll argument to %s may take these values: 'one' or 'all'.",
                             e->u.function->name);
    return false;
}

static void eval_contains_path(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *doc = function_arg_json(e, x, 0, out);
    struct json_path p;
    bool all;

    if (!doc || !arg_all(e, x, &all, out))
        return;
    for (uint32_t i = 2; i < e->n_args; i++) {
        if (!function_arg_path(e, x, i, &p, out))
            return;
        if ((json_path_first(&p, doc) != NULL) != all) {
            datum_set_int(out, !all);
            return;
        }
    }
    datum_set_int(out, all);
}

static void eval_overlaps(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *p = function_arg_json(e, x, 0, out);
    struct json *q = p ? function_arg_json(e, x, 1, out) : NULL;
    uint64_t left = JSON_MAX_WORK;
    bool found = false;

    if (!q)
        return;
    if (p->kind == JSON_OBJECT && q->kind == JSON_OBJECT) {
        for (const struct json *m = p->first; m && !found && left; m = m->next) {
            const struct json *other = json_find(q, m->key, m->key_len, &left);
            found = other && json_is_equal(x->scratch, m, other, &left);
        }
    } else if (p->kind == JSON_ARRAY && q->kind == JSON_ARRAY) {
        for (const struct json *m = p->first; m && !found && left; m = m->next)
            for (const struct json *n = q->first; n && !found && left; n = n->next)
                found = json_is_equal(x->scratch, m, n, &left);
    } else {
        found = p->kind == JSON_ARRAY ? json_contains(x->scratch, p, q, &left)
                                      : json_contains(x->scratch, q, p, &left);
    }
    if (function_json_has_left(x, left, e, out))
        datum_set_int(out, found);
}

static void eval_equals(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *p = function_arg_json(e, x, 0, out);
    struct json *q = p ? function_arg_json(e, x, 1, out) : NULL;

    uint64_t left = JSON_MAX_WORK;

    if (!q)
        return;
    bool same = json_is_equal(x->scratch, p, q, &left);
    if (function_json_has_left(x, left, e, out))
        datum_set_int(out, same);
}

/* ---- JSON_SEARCH ---- */

struct search {
    struct expr_ctx *x;
    const char *pattern;
    size_t pattern_len;
    char escape;
    bool all, failed;
    struct json *list; /* of paths */
};

static bool add_path(struct search *s, const char *path, size_t len)
{
    for (struct json *v = s->list->first; v; v = v->next) {
        size_t n;
        const char *there = json_unescape(s->x->scratch, v, &n);
        if (there && n == len && memcmp(there, path, len) == 0)
            return true;
    }
    struct json *v = json_new_text(s->x->scratch, path, len);
    if (v)
        json_append(s->list, v);
    s->failed |= !v;
    return v && s->all;
}

static bool is_plain_key(const char *key, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strchr(" .[]\"*$", key[i]))
            return false;
    return len > 0;
}

/* False when nothing more is to be looked for. */
static bool search(struct search *s, const struct json *v, const char *path)
{
    uint32_t i = 0;
    size_t len;

    if (v->kind == JSON_STRING) {
        const char *text = json_unescape(s->x->scratch, v, &len);
        if (text &&
            like_match(text, (uint32_t)len, s->pattern, (uint32_t)s->pattern_len, s->escape))
            return add_path(s, path, strlen(path));
        return true;
    }
    for (const struct json *m = v->first; m; m = m->next, i++) {
        bool is_plain = v->kind == JSON_OBJECT && is_plain_key(m->key, m->key_len);
        const char *below = v->kind == JSON_ARRAY
                                ? arena_printf(s->x->scratch, "%s[%u]", path, i)
                                : arena_printf(s->x->scratch, is_plain ? "%s.%.*s" : "%s.\"%.*s\"",
                                               path, (int)m->key_len, m->key);
        if (!below) {
            s->failed = true;
            return false;
        }
        if (!search(s, m, below))
            return false;
    }
    return true;
}

static void eval_search(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct search s = {.x = x, .escape = '\\'};
    struct json *doc = function_arg_json(e, x, 0, out);
    struct json_path p;
    const char *escape;
    size_t len;

    if (!doc || !arg_all(e, x, &s.all, out) ||
        !function_arg_text(e, x, 2, &s.pattern, &s.pattern_len, out))
        return;
    if (e->n_args > 3 && function_arg_text(e, x, 3, &escape, &len, out) && len)
        s.escape = escape[0];
    if (!(s.list = json_new(x->scratch, JSON_ARRAY))) {
        fail_memory(x, out);
        return;
    }
    if (e->n_args <= 4)
        search(&s, doc, "$");
    for (uint32_t i = 4; i < e->n_args; i++) {
        const char *text;
        if (!function_arg_path(e, x, i, &p, out) || !function_arg_text(e, x, i, &text, &len, out))
            return;
        const char *path = arena_strndup(x->scratch, text, len);
        struct json *v = p.is_many ? NULL : json_path_first(&p, doc);
        if (v && path && !search(&s, v, path))
            break;
    }
    if (s.failed)
        fail_memory(x, out);
    else if (!s.list->n)
        datum_set_null(out);
    else
        function_put_json(x, s.list->n == 1 ? s.list->first : s.list, out);
}

/* ---- printing ---- */

static void print(const struct expr *e, struct expr_ctx *x, enum json_style style,
                  struct datum *out)
{
    struct json *v = function_arg_json(e, x, 0, out);
    size_t len;

    if (!v)
        return;
    const char *s = json_print(x->scratch, v, style, &len);
    if (s)
        datum_set_string(out, s, len);
    else
        fail_memory(x, out);
}

static void eval_loose(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    print(e, x, JSON_LOOSE, out);
}

static void eval_compact(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    print(e, x, JSON_COMPACT, out);
}

static void eval_detailed(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    print(e, x, JSON_DETAILED, out);
}

const struct function function_json[] = {
    {"json_array", 0, 255, FUNCTION_NULL_IN, function_is_json, eval_array},
    {"json_object", 0, 255, FUNCTION_NULL_IN, function_is_json, eval_object},
    {"json_quote", 1, 1, 0, resolve_quote, eval_quote},
    {"json_unquote", 1, 1, 0, resolve_quote, eval_unquote},
    {"json_extract", 2, 255, 0, function_is_json, eval_extract},
    {"json_value", 2, 2, 0, resolve_quote, eval_value},
    {"json_query", 2, 2, 0, function_is_json, eval_query},
    {"json_exists", 2, 2, 0, function_is_bool, eval_exists},
    {"json_valid", 1, 1, 0, function_is_bool, eval_valid},
    {"json_type", 1, 1, 0, resolve_quote, eval_type},
    {"json_length", 1, 2, 0, function_is_int, eval_length},
    {"json_depth", 1, 1, 0, function_is_int, eval_depth},
    {"json_keys", 1, 2, 0, function_is_json, eval_keys},
    {"json_contains", 2, 3, 0, function_is_bool, eval_contains},
    {"json_contains_path", 3, 255, 0, function_is_bool, eval_contains_path},
    {"json_overlaps", 2, 2, 0, function_is_bool, eval_overlaps},
    {"json_equals", 2, 2, 0, function_is_bool, eval_equals},
    {"json_search", 3, 255, FUNCTION_NULL_IN, function_is_json, eval_search},
    {"json_loose", 1, 1, 0, function_is_json, eval_loose},
    {"json_compact", 1, 1, 0, function_is_json, eval_compact},
    {"json_detailed", 1, 2, 0, function_is_json, eval_detailed},
    {"json_pretty", 1, 1, 0, function_is_json, eval_detailed},
    {0},
};
