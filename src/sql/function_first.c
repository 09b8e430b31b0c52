/*
 * Functions of the first Quanta over values, texts and lists. What it called a failed evaluation is NULL. Lists and maps
 * are JSON texts.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/function_json.h"
#include "sql/function_utf8.h"
#include "sql/value_compare.h"
#include "sql/value_convert.h"

/* ---- comparison and conversion ---- */

static void compare(const struct expr *e, struct expr_ctx *x, enum sql_op op, struct datum *out)
{
    struct datum a, b;
    bool unknown = false;

    if (!function_arg(e, x, 0, &a, out) || !function_arg(e, x, 1, &b, out))
        return;
    int c =
        datum_compare_as(compare_class_of(&e->args[0]->type, &e->args[1]->type), &a, &b, &unknown);
    datum_set_null(out);
    if (!unknown)
        datum_set_int(out, op == SQL_OP_EQ   ? c == 0
                           : op == SQL_OP_NE ? c != 0
                           : op == SQL_OP_GT ? c > 0
                           : op == SQL_OP_GE ? c >= 0
                           : op == SQL_OP_LT ? c < 0
                                             : c <= 0);
}

static void eval_eq(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    compare(e, x, SQL_OP_EQ, out);
}

static void eval_ne(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    compare(e, x, SQL_OP_NE, out);
}

static void eval_gt(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    compare(e, x, SQL_OP_GT, out);
}

static void eval_ge(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    compare(e, x, SQL_OP_GE, out);
}

static void eval_lt(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    compare(e, x, SQL_OP_LT, out);
}

static void eval_le(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    compare(e, x, SQL_OP_LE, out);
}

static void eval_tostring(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_string(out, s, len);
    else if (!expr_has_failed(x))
        datum_set_string(out, "", 0);
}

static void eval_tobool(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const char *const words[] = {"f", "false", "0", "t", "true", "1"};
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    for (int i = 0; i < 6; i++)
        if (strlen(words[i]) == len && strncasecmp(words[i], s, len) == 0)
            datum_set_int(out, i >= 3);
}

/* 5.75, $5 and 5,555.00 are numbers here. */
static bool arg_number(const struct expr *e, struct expr_ctx *x, double *v, struct datum *out)
{
    const char *s;
    size_t len, n = 0;
    char text[64], *end;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return false;
    for (size_t i = 0; i < len && n < sizeof text - 1; i++)
        if (s[i] != ',' && s[i] != '$' && s[i] != ' ')
            text[n++] = s[i];
    text[n] = 0;
    *v = strtod(text, &end);
    datum_set_null(out);
    return n && !*end && isfinite(*v);
}

static void eval_toint(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    double v;

    if (datum_kind_is_temporal(e->args[0]->type.kind)) {
        struct datum d;
        int64_t us;
        if (function_arg(e, x, 0, &d, out) && datum_to_datetime(&d, &us))
            datum_set_int(out, us / 1000);
        else
            datum_set_null(out);
        return;
    }
    if (arg_number(e, x, &v, out) && fabs(v) < 9.2e18)
        datum_set_int(out, (int64_t)v);
}

static void eval_tonumber(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    double v;

    if (arg_number(e, x, &v, out))
        datum_set_double(out, v);
}

/* ---- texts ---- */

/* Two texts; false when one is NULL or nothing, which the first Quanta refused. */
static bool arg_texts(const struct expr *e, struct expr_ctx *x, const char *s[2], size_t len[2],
                      struct datum *out)
{
    for (unsigned i = 0; i < 2; i++)
        if (!function_arg_text(e, x, i, &s[i], &len[i], out))
            return false;
    datum_set_null(out);
    return len[0] && len[1];
}

static void eval_contains(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s[2];
    size_t len[2];

    if (arg_texts(e, x, s, len, out))
        datum_set_int(out, memmem(s[0], len[0], s[1], len[1]) != NULL);
}

static void eval_hasprefix(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s[2];
    size_t len[2];

    if (arg_texts(e, x, s, len, out))
        datum_set_int(out, len[0] >= len[1] && memcmp(s[0], s[1], len[1]) == 0);
}

static void eval_hassuffix(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s[2];
    size_t len[2];

    if (arg_texts(e, x, s, len, out))
        datum_set_int(out, len[0] >= len[1] && memcmp(s[0] + len[0] - len[1], s[1], len[1]) == 0);
}

static void eval_titlecase(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    bool begins = true;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    char *p = expr_alloc(x, len + 1);
    for (size_t i = 0; p && i < len; i++) {
        p[i] = begins && s[i] >= 'a' && s[i] <= 'z' ? (char)(s[i] - 32) : s[i];
        begins = s[i] == ' ' || s[i] == '\t' || s[i] == '-';
    }
    if (p)
        datum_set_string(out, p, len);
}

/* The first argument that is something; an empty text is nothing. */
static void eval_oneof(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;

    datum_set_null(out);
    for (uint32_t i = 0; i < e->n_args && out->kind == DATUM_NULL; i++) {
        expr_eval(e->args[i], x, &d);
        if (d.kind == DATUM_NULL || (d.kind == DATUM_STRING && !d.len))
            continue;
        *out = d;
        expr_to_type(x, out, &e->args[i]->type, &e->type);
    }
}

static bool resolve_oneof(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = e->args[0]->type;
    for (uint32_t i = 1; i < e->n_args; i++)
        e->type = expr_common_type(&e->type, &e->args[i]->type);
    e->type.not_null = false;
    return true;
}

static bool resolve_text(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(FUNCTION_MAX_STRING / 4);
    return true;
}

/* ---- lists and maps ---- */

/* Argument i as a list or map: NULL when it is none. No warning, as texts are expected, too. */
static struct json *arg_list(const struct expr *e, struct expr_ctx *x, unsigned i,
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

/* The value as SQL has it. */
static void put_value(struct expr_ctx *x, const struct json *v, struct datum *out)
{
    size_t len = v->len;
    const char *s = v->kind == JSON_STRING ? json_unescape(x->scratch, v, &len) : v->text;

    datum_set_null(out);
    if (v->kind >= JSON_ARRAY)
        function_put_json(x, v, out);
    else if (v->kind != JSON_NULL && s)
        datum_set_string(out, s, len);
}

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

    if (!arg_texts(e, x, s, len, out))
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
        struct json *list = arg_list(e, x, i, JSON_ARRAY, &d);
        for (struct json *v = list ? list->first : NULL; v && ok; v = v->next) {
            put_value(x, v, &d);
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
    struct json *list = arg_list(e, x, 0, JSON_ARRAY, out);
    int64_t i;

    if (!list || !function_arg_int(e, x, 1, &i, out))
        return;
    struct json *v = element(list, i);
    datum_set_null(out);
    if (v)
        put_value(x, v, out);
}

static void eval_array_slice(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *list = arg_list(e, x, 0, JSON_ARRAY, out), *part;
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
    struct json *map = arg_list(e, x, 0, JSON_OBJECT, out), *made;

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
            put_value(x, m, &d);
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

const struct function function_first[] = {
    {"eq", 2, 2, 0, function_is_bool, eval_eq},
    {"ne", 2, 2, 0, function_is_bool, eval_ne},
    {"gt", 2, 2, 0, function_is_bool, eval_gt},
    {"ge", 2, 2, 0, function_is_bool, eval_ge},
    {"lt", 2, 2, 0, function_is_bool, eval_lt},
    {"le", 2, 2, 0, function_is_bool, eval_le},
    {"tostring", 1, 1, FUNCTION_NULL_IN, function_is_text, eval_tostring},
    {"tobool", 1, 1, 0, function_is_bool, eval_tobool},
    {"toint", 1, 1, 0, function_is_int, eval_toint},
    {"tonumber", 1, 1, 0, function_is_double, eval_tonumber},
    {"len", 1, 1, 0, function_is_int, eval_len},
    {"contains", 2, 2, 0, function_is_bool, eval_contains},
    {"hasprefix", 2, 2, 0, function_is_bool, eval_hasprefix},
    {"hassuffix", 2, 2, 0, function_is_bool, eval_hassuffix},
    {"string.titlecase", 1, 1, 0, function_is_text, eval_titlecase},
    {"oneof", 2, 255, FUNCTION_NULL_IN, resolve_oneof, eval_oneof},
    {"split", 2, 2, 0, function_is_json, eval_split},
    {"join", 2, 255, FUNCTION_NULL_IN, resolve_text, eval_join},
    {"array.index", 2, 2, 0, resolve_text, eval_array_index},
    {"array.slice", 2, 3, 0, function_is_json, eval_array_slice},
    {"map", 2, 2, 0, function_is_json, eval_map},
    {"mapkeys", 1, 1, 0, function_is_json, eval_mapkeys},
    {"mapvalues", 1, 1, 0, function_is_json, eval_mapvalues},
    {"mapinvert", 1, 1, 0, function_is_json, eval_mapinvert},
    {0},
};
