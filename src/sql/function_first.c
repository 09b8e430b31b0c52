/* Functions of the first Quanta over values and texts. What it called a failed evaluation is NULL. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/function_first.h"
#include "sql/function_time.h"
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

/* ---- cast(x, 'type') ---- */

static void eval_cast_json(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    struct json *v = json_parse(x->scratch, s, len);
    datum_set_null(out);
    if (v)
        function_put_json(x, v, out);
}

/* A list of texts; what is no list is its one element. */
static void eval_cast_list(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *list = function_arg_list(e, x, 0, JSON_ARRAY, out);
    struct json *made = json_new(x->scratch, JSON_ARRAY), *v;
    const char *s;
    size_t len;
    struct datum d;

    if (!made || (!list && !function_arg_text(e, x, 0, &s, &len, out)))
        return;
    datum_set_null(out);
    if (!list) {
        if (!(v = json_new_text(x->scratch, s, len)))
            return;
        json_append(made, v);
    }
    for (const struct json *from = list ? list->first : NULL; from; from = from->next) {
        function_put_value(x, from, &d);
        if (!(v = json_new_text(x->scratch, d.kind == DATUM_STRING ? d.s : "",
                                d.kind == DATUM_STRING ? d.len : 0)))
            return;
        json_append(made, v);
    }
    function_put_json(x, made, out);
}

static void eval_cast_text(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_string(out, s, len);
}

static const struct {
    const char *name;
    function_resolve_fn *resolve;
    expr_eval_fn *eval;
} casts[] = {
    {.name = "int", function_is_int, eval_toint},
    {.name = "number", function_is_double, eval_tonumber},
    {.name = "bool", function_is_bool, eval_tobool},
    {.name = "string", function_is_text, eval_cast_text},
    {.name = "char", function_is_text, eval_cast_text},
    {.name = "time", function_resolve_todate, function_eval_todate},
    {.name = "date", function_resolve_todate, function_eval_todate},
    {.name = "json", function_is_json, eval_cast_json},
    {.name = "[]string", function_is_json, eval_cast_list},
};

static bool resolve_cast(struct expr *e, struct function_bind *b)
{
    const struct datum *name = &e->args[1]->u.value;

    if (!expr_is_const(e->args[1]) || name->kind != DATUM_STRING)
        return false;
    for (size_t i = 0; i < sizeof casts / sizeof *casts; i++) {
        size_t n = strlen(casts[i].name);
        bool is_char = strcmp(casts[i].name, "char") == 0 && name->len >= n;
        if ((name->len == n || is_char) && strncasecmp(casts[i].name, name->s, n) == 0) {
            e->eval = casts[i].eval;
            return casts[i].resolve(e, b);
        }
    }
    mysql_error_set_text(b->error, 1105,
                         "Unknown type '%.*s': cast() knows int, number, bool, string, char, time, "
                         "date, json, []string",
                         (int)name->len, name->s);
    return false;
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
    {"cast", 2, 2, 0, resolve_cast, eval_cast_text},
    {"contains", 2, 2, 0, function_is_bool, eval_contains},
    {"hasprefix", 2, 2, 0, function_is_bool, eval_hasprefix},
    {"hassuffix", 2, 2, 0, function_is_bool, eval_hassuffix},
    {"string.titlecase", 1, 1, 0, function_is_text, eval_titlecase},
    {"oneof", 2, 255, FUNCTION_NULL_IN, resolve_oneof, eval_oneof},
    {0},
};
