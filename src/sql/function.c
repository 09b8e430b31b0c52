#include "sql/function.h"

#include <string.h>
#include <strings.h>

#include "sql/function_plugin.h"
#include "sql/value_convert.h"

static const struct function *const tables[] = {
    function_control,      function_math,        function_string,      function_encode,
    function_time,         function_hash,        function_info,        function_period,
    function_json,         function_json_change, function_words,       function_regexp_text,
    function_address,      function_cipher,      function_first,       function_first_url,
    function_first_time,   function_first_list,  function_first_logic, function_first_filter,
    function_first_format, function_first_web,   function_useragent};

const struct function *function_find(const char *name, size_t len)
{
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct function *f = tables[t]; f->name; f++)
            if (strncasecmp(f->name, name, len) == 0 && f->name[len] == 0)
                return f;
    return function_plugin_find(name, len);
}

static bool has_number(struct expr *const *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (args[i]->type.kind != DATUM_STRING)
            return true;
    return false;
}

/* Whether 0x41 as argument i is a number before its type is looked at. */
static bool takes_numbers(const struct function *f, struct expr *const *args, uint32_t n,
                          uint32_t i)
{
    const struct function *math = function_math;

    if (strcmp(f->name, "greatest") == 0 || strcmp(f->name, "least") == 0)
        return has_number(args, n);
    if (strcmp(f->name, "if") == 0)
        return i == 0;
    if (strcmp(f->name, "char") == 0)
        return true;
    if (strcmp(f->name, "conv") == 0)
        return i > 0;
    while (math->name && math != f)
        math++;
    return math->name;
}

/* Texts made of others are bytes when one of these is; ELT is the only such function elsewhere. */
static bool makes_bytes_of_bytes(const struct expr *e)
{
    const struct function *f = function_string;

    while (f->name && f != e->u.function)
        f++;
    if (e->type.kind != DATUM_STRING || e->type.is_binary ||
        (!f->name && strcmp(e->u.function->name, "elt") != 0))
        return false;
    for (uint32_t i = 0; i < e->n_args; i++)
        if (e->args[i]->type.kind == DATUM_STRING && e->args[i]->type.is_binary)
            return true;
    return false;
}

struct expr *function_new(struct function_bind *b, const struct function *f, struct expr **args,
                          uint32_t n)
{
    struct expr *e;

    if (n < f->min_args || (f->max_args != 255 && n > f->max_args)) {
        mysql_error_set(b->error, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, f->name);
        return NULL;
    }
    e = expr_new(b->arena, EXPR_CALL, n);
    if (!e) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++)
        if (!(e->args[i] =
                  takes_numbers(f, args, n, i) ? expr_as_number(b->arena, args[i]) : args[i])) {
            mysql_error_set_text(b->error, 1041, "Out of memory");
            return NULL;
        }
    e->u.function = f;
    e->eval = f->eval;
    e->volatile_ = f->flags & FUNCTION_VOLATILE;
    for (uint32_t i = 0; i < n; i++)
        e->volatile_ |= args[i]->volatile_;
    if (!f->resolve(e, b)) {
        if (!b->error->code)
            mysql_error_set(b->error, MYSQL_ER_WRONG_ARGUMENTS, f->name);
        return NULL;
    }
    if (makes_bytes_of_bytes(e)) {
        e->type.length = e->type.length > UINT32_MAX / 4 ? UINT32_MAX : 4 * e->type.length;
        e->type.is_binary = true;
    }
    return e;
}

bool function_arg(const struct expr *e, struct expr_ctx *x, unsigned i, struct datum *arg,
                  struct datum *out)
{
    expr_eval(e->args[i], x, arg);
    if (arg->kind != DATUM_NULL)
        return true;
    datum_set_null(out);
    return false;
}

const char *function_text(struct expr_ctx *x, const struct datum *d, const struct value_type *t,
                          size_t *len)
{
    char buf[DATUM_TEXT], *copy;
    const char *s = datum_to_text(d, t, buf, len);

    if (s != buf)
        return s;
    copy = expr_alloc(x, *len + 1);
    if (copy)
        memcpy(copy, buf, *len);
    return copy;
}

bool function_arg_text(const struct expr *e, struct expr_ctx *x, unsigned i, const char **s,
                       size_t *len, struct datum *out)
{
    struct datum d;

    if (!function_arg(e, x, i, &d, out))
        return false;
    *s = function_text(x, &d, &e->args[i]->type, len);
    if (!*s)
        datum_set_null(out);
    return *s != NULL;
}

bool function_arg_int(const struct expr *e, struct expr_ctx *x, unsigned i, int64_t *v,
                      struct datum *out)
{
    struct datum d;

    if (!function_arg(e, x, i, &d, out))
        return false;
    expr_value_as_number(e->args[i], &d);
    datum_to_int(&d, v);
    return true;
}

bool function_arg_double(const struct expr *e, struct expr_ctx *x, unsigned i, double *v,
                         struct datum *out)
{
    struct datum d;

    if (!function_arg(e, x, i, &d, out))
        return false;
    expr_value_as_number(e->args[i], &d);
    *v = datum_to_double(&d);
    return true;
}

bool function_is_int(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_int(10);
    return true;
}

bool function_is_bool(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_int(1);
    return true;
}

bool function_is_double(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_double();
    return true;
}

bool function_is_text(struct expr *e, struct function_bind *b)
{
    uint64_t n = 0;

    (void)b;
    for (uint32_t i = 0; i < e->n_args; i++)
        n += value_type_text_length(&e->args[i]->type);
    e->type = value_type_string(n > UINT32_MAX / 4 ? UINT32_MAX / 4 : (uint32_t)n);
    return true;
}
