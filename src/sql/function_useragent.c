/* useragent(text, 'feature') and useragent.map(text) of the first Quanta: useragent.h. */
#include <string.h>
#include <strings.h>

#include "sql/function_first.h"
#include "sql/useragent.h"

static const char *const features[] = {
    "bot",    "mobile",         "mozilla", "platform",       "os",
    "engine", "engine_version", "browser", "browser_version"};
enum { FEATURES = sizeof features / sizeof *features };

static struct useragent_part feature(const struct useragent *u, unsigned i)
{
    static const struct useragent_part no = {"false", 5}, yes = {"true", 4};

    switch (i) {
    case 0:
        return u->bot ? yes : no;
    case 1:
        return u->mobile ? yes : no;
    case 2:
        return u->mozilla;
    case 3:
        return u->platform;
    case 4:
        return u->os;
    case 5:
        return u->engine;
    case 6:
        return u->engine_version;
    case 7:
        return u->browser;
    default:
        return u->browser_version;
    }
}

static unsigned find_feature(const char *s, size_t len)
{
    unsigned i = 0;

    while (i < FEATURES && (strlen(features[i]) != len || strncasecmp(features[i], s, len) != 0))
        i++;
    return i;
}

/* A feature written as it is must be one. */
static bool resolve_useragent(struct expr *e, struct function_bind *b)
{
    const struct expr *f = e->args[1];

    if (expr_is_const(f) && f->u.value.kind == DATUM_STRING &&
        find_feature(f->u.value.s, f->u.value.len) == FEATURES) {
        mysql_error_set_text(b->error, 1105,
                             "Unknown feature '%.*s': useragent() knows bot, mobile, mozilla, "
                             "platform, os, engine, engine_version, browser, browser_version",
                             (int)f->u.value.len, f->u.value.s);
        return false;
    }
    e->type = value_type_string(value_type_text_length(&e->args[0]->type) + 20);
    return true;
}

static void eval_useragent(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s, *name;
    size_t len, n;
    struct useragent u;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_text(e, x, 1, &name, &n, out))
        return;
    unsigned i = find_feature(name, n);
    datum_set_null(out);
    if (!len || i == FEATURES)
        return;
    useragent_parse(s, len, &u);
    struct useragent_part p = feature(&u, i);
    if (p.len)
        datum_set_string(out, p.s, p.len);
}

static void eval_useragent_map(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    struct useragent u;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    if (!len)
        return;
    useragent_parse(s, len, &u);
    struct json *map = json_new(x->scratch, JSON_OBJECT);
    for (unsigned i = 0; map && i < FEATURES; i++) {
        struct useragent_part p = feature(&u, i);
        struct json *v = p.len ? json_new_text(x->scratch, p.s, p.len) : NULL;
        if (!v)
            continue;
        v->key = features[i];
        v->key_len = strlen(features[i]);
        json_append(map, v);
    }
    function_put_json(x, map, out);
}

const struct function function_useragent[] = {
    {"useragent", 2, 2, 0, resolve_useragent, eval_useragent},
    {"useragent.map", 1, 1, 0, function_is_json, eval_useragent_map},
    {0},
};
