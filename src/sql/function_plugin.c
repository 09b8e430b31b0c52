#include "sql/function_plugin.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/aggregate.h"
#include "sql/decimal.h"
#include "sql/keyword.h"
#include "sql/mysql_format.h"
#include "sql/value_convert.h"
#include "sql/window.h"
#include "storage/plugin.h"
#include "storage/schema_check.h"

enum {
    FUNCTIONS_MAX = 256,
    NAME_MAX_BYTES = 64,
    WHY_BYTES = 300,
    LAST_KIND = QUANTA_PLUGIN_DATETIME
};

/* Owner: the process, from start to end; constant once the cores run. */
static struct plugin_function {
    struct function base; /* what the binder sees; first */
    char lower[NAME_MAX_BYTES + 1];
    const struct quanta_plugin_function *def;
    const char *plugin;
} functions[FUNCTIONS_MAX];
static struct plugin_aggregate {
    const struct quanta_plugin_aggregate *def;
    const char *plugin;
} aggregates[FUNCTIONS_MAX];
static size_t n_functions, n_aggregates;

const struct function *function_plugin_find(const char *name, size_t len)
{
    for (size_t i = 0; i < n_functions; i++)
        if (strncasecmp(functions[i].lower, name, len) == 0 && !functions[i].lower[len])
            return &functions[i].base;
    return NULL;
}

const struct quanta_plugin_aggregate *aggregate_plugin_find(const char *name)
{
    for (size_t i = 0; i < n_aggregates; i++)
        if (strcasecmp(aggregates[i].def->signature.name, name) == 0)
            return aggregates[i].def;
    return NULL;
}

bool function_plugin_at(size_t i, const struct quanta_function_signature **signature,
                        const char **plugin, bool *is_aggregate)
{
    if (i >= n_functions + n_aggregates)
        return false;
    *is_aggregate = i >= n_functions;
    i -= *is_aggregate ? n_functions : 0;
    *signature = *is_aggregate ? &aggregates[i].def->signature : &functions[i].def->signature;
    *plugin = *is_aggregate ? aggregates[i].plugin : functions[i].plugin;
    return true;
}

struct value_type function_plugin_type(const struct quanta_function_signature *s)
{
    switch (s->result) {
    case QUANTA_PLUGIN_BOOL:
        return value_type_int(1);
    case QUANTA_PLUGIN_INT:
        return value_type_int(20);
    case QUANTA_PLUGIN_DECIMAL:
        return value_type_decimal(18, s->scale);
    case QUANTA_PLUGIN_DOUBLE:
        return value_type_double();
    case QUANTA_PLUGIN_DATE:
        return value_type_temporal(DATUM_DATE, 0);
    case QUANTA_PLUGIN_DATETIME:
        return value_type_temporal(DATUM_DATETIME, s->scale);
    default:
        return value_type_string(s->length);
    }
}

void function_plugin_fail(struct expr_ctx *x, struct datum *out, const char *name, const char *why)
{
    datum_set_null(out);
    if (!expr_has_failed(x))
        mysql_error_set_text(x->error, 3200, "%s UDF failed; %s", name, why);
}

/* ---- values in ---- */

static bool give_decimal(struct expr_ctx *x, const struct datum *d, struct quanta_plugin_value *out)
{
    __int128 v;
    unsigned scale;

    if (!datum_to_decimal(d, &v, &scale)) {
        out->kind = QUANTA_PLUGIN_NULL;
        return true;
    }
    if (v >= INT64_MIN && v <= INT64_MAX) {
        out->number = (int64_t)v;
        out->scale = scale;
        return true;
    }
    out->kind = QUANTA_PLUGIN_TEXT; /* wider ones */
    return (out->text = function_text(x, d, NULL, &out->length)) != NULL;
}

bool function_plugin_give(struct expr_ctx *x, const struct expr *e, const struct datum *d,
                          uint32_t kind, struct quanta_plugin_value *out)
{
    struct datum number = *d;
    bool ok = true;

    *out = (struct quanta_plugin_value){.kind = d->kind == DATUM_NULL ? QUANTA_PLUGIN_NULL : kind};
    if (kind >= QUANTA_PLUGIN_BOOL && kind <= QUANTA_PLUGIN_DOUBLE)
        expr_value_as_number(e, &number);
    switch (out->kind) {
    case QUANTA_PLUGIN_BOOL:
        out->number = datum_truth(&number) == 1;
        break;
    case QUANTA_PLUGIN_INT:
        ok = datum_to_int(&number, &out->number);
        break;
    case QUANTA_PLUGIN_DECIMAL:
        return give_decimal(x, &number, out);
    case QUANTA_PLUGIN_DOUBLE:
        out->real = datum_to_double(&number);
        break;
    case QUANTA_PLUGIN_DATE:
        ok = datum_to_date(d, &out->number);
        break;
    case QUANTA_PLUGIN_DATETIME:
        ok = datum_to_datetime(d, &out->number);
        break;
    case QUANTA_PLUGIN_TEXT:
        return (out->text = function_text(x, d, &e->type, &out->length)) != NULL;
    default:
        break;
    }
    if (!ok)
        out->kind = QUANTA_PLUGIN_NULL;
    return true;
}

/* ---- values out ---- */

static const char *take_number(const struct quanta_function_signature *s,
                               const struct quanta_plugin_value *v, struct datum *out)
{
    __int128 n;

    switch (v->kind) {
    case QUANTA_PLUGIN_BOOL:
        datum_set_int(out, v->number != 0);
        return NULL;
    case QUANTA_PLUGIN_INT:
        datum_set_int(out, v->number);
        return NULL;
    case QUANTA_PLUGIN_DOUBLE:
        datum_set_double(out, v->real);
        return isfinite(v->real) ? NULL : "the result is no number";
    default:
        if (v->scale > 38 || !decimal_rescale(v->number, v->scale, s->scale, &n))
            return "the result has too many digits";
        datum_set_decimal(out, n, s->scale);
        return NULL;
    }
}

static const char *take_text(struct expr_ctx *x, const struct quanta_function_signature *s,
                             const struct quanta_plugin_value *v, struct datum *out)
{
    (void)x;
    if (v->length > s->length || (v->length && !v->text))
        return "the result is longer than its type";
    if (!schema_is_utf8(v->text ? v->text : "", v->length))
        return "the result is not UTF-8";
    datum_set_string(out, v->text ? v->text : "", v->length);
    return NULL;
}

static const char *take_time(const struct quanta_plugin_value *v, struct datum *out)
{
    bool is_date = v->kind == QUANTA_PLUGIN_DATE;
    struct mysql_civil civil;

    datum_set_temporal(out, is_date ? DATUM_DATE : DATUM_DATETIME, v->number);
    return (is_date ? mysql_civil_from_days(v->number, &civil)
                    : mysql_civil_from_micros(v->number, &civil))
               ? NULL
               : "the result is no time of the years 1 to 9999";
}

void function_plugin_take(struct expr_ctx *x, const struct quanta_function_signature *s,
                          const struct quanta_plugin_value *v, struct datum *out)
{
    const char *wrong;

    if (v->kind == QUANTA_PLUGIN_NULL) {
        datum_set_null(out);
        return;
    }
    if (v->kind != s->result)
        wrong = "the result is of another kind than was described";
    else if (v->kind == QUANTA_PLUGIN_TEXT)
        wrong = take_text(x, s, v, out);
    else if (v->kind >= QUANTA_PLUGIN_DATE)
        wrong = take_time(v, out);
    else
        wrong = take_number(s, v, out);
    if (wrong)
        function_plugin_fail(x, out, s->name, wrong);
}

/* ---- a call ---- */

static bool resolve(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type =
        function_plugin_type(&((const struct plugin_function *)e->u.function)->def->signature);
    return true;
}

static void eval(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const struct quanta_plugin_function *f = ((const struct plugin_function *)e->u.function)->def;
    const struct quanta_function_signature *s = &f->signature;
    struct quanta_plugin_value args[QUANTA_FUNCTION_ARGS_MAX], v = {0};
    size_t room_size = s->result == QUANTA_PLUGIN_TEXT ? s->length : 0;
    char why[WHY_BYTES] = "";
    char *room;

    datum_set_null(out);
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct datum d;
        expr_eval(e->args[i], x, &d);
        if (expr_has_failed(x) || !function_plugin_give(x, e->args[i], &d, s->args[i], &args[i]))
            return;
        if (args[i].kind == QUANTA_PLUGIN_NULL && !(s->flags & QUANTA_FUNCTION_TAKES_NULL))
            return;
    }
    room = expr_alloc(x, room_size + 1);
    if (!room)
        return;
    if (f->call(args, e->n_args, &v, room, room_size, why, sizeof why) != 0) {
        why[sizeof why - 1] = 0;
        function_plugin_fail(x, out, s->name, why);
        return;
    }
    function_plugin_take(x, s, &v, out);
}

/* ---- loading ---- */

/* Names with a meaning of their own in bind_call.c. */
static bool is_special(const char *name)
{
    static const char *const special[] = {"date_add", "adddate",      "date_sub",     "subdate",
                                          "grouping", "timestampadd", "timestampdiff"};

    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (strcasecmp(name, special[i]) == 0)
            return true;
    return false;
}

static bool is_native(const char *name)
{
    enum aggregate_op op;
    enum window_op window;
    size_t n = strlen(name);

    return function_find(name, n) || aggregate_find(name, &op) == 0 ||
           window_find(name, &window) == 0 || sql_keyword_find(name, n) || is_special(name);
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);

    if (!n || n > NAME_MAX_BYTES || !isalpha((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] > 127 || (!isalnum((unsigned char)name[i]) && name[i] != '_'))
            return false;
    return true;
}

static bool has_sound_kinds(const struct quanta_function_signature *s)
{
    for (uint32_t i = 0; i < s->max_args; i++)
        if (s->args[i] < QUANTA_PLUGIN_BOOL || s->args[i] > LAST_KIND)
            return false;
    if (s->result < QUANTA_PLUGIN_BOOL || s->result > LAST_KIND)
        return false;
    if (s->result == QUANTA_PLUGIN_DECIMAL)
        return s->scale <= 18;
    if (s->result == QUANTA_PLUGIN_DATETIME)
        return s->scale <= 6;
    return s->result != QUANTA_PLUGIN_TEXT || (s->length && s->length <= QUANTA_FUNCTION_TEXT_MAX);
}

static int check(const char *plugin, const struct quanta_function_signature *s, bool is_whole,
                 struct error_info *err)
{
    if (!s->name || !is_name(s->name))
        return error_set(err, -EINVAL, 1105,
                         "plug-in %s: function '%.80s': allowed: up to %d letters, digits and _",
                         plugin, s->name ? s->name : "", NAME_MAX_BYTES);
    if (function_plugin_find(s->name, strlen(s->name)) || aggregate_plugin_find(s->name))
        return error_set(err, -EEXIST, 1125, "plug-in %s: function %s exists already", plugin,
                         s->name);
    if (is_native(s->name))
        return error_set(err, -EEXIST, 1585,
                         "plug-in %s: function %s has the same name as a native function", plugin,
                         s->name);
    if (s->min_args > s->max_args || s->max_args > QUANTA_FUNCTION_ARGS_MAX ||
        (s->max_args && !s->args))
        return error_set(err, -EINVAL, 1105,
                         "plug-in %s: function %s: found %u to %u arguments; allowed: 0 to %d",
                         plugin, s->name, s->min_args, s->max_args, QUANTA_FUNCTION_ARGS_MAX);
    if (!has_sound_kinds(s) || !is_whole)
        return error_set(err, -EINVAL, 1105,
                         "plug-in %s: function %s: found kinds, a size or members that are not "
                         "allowed by quanta_plugin.h",
                         plugin, s->name);
    if (n_functions == FUNCTIONS_MAX || n_aggregates == FUNCTIONS_MAX)
        return error_set(err, -ENOSPC, 1105, "plug-in %s: found more functions; allowed: %d",
                         plugin, FUNCTIONS_MAX);
    return 0;
}

static int add_function(const char *plugin, const struct quanta_plugin_function *def,
                        struct error_info *err)
{
    const struct quanta_function_signature *s = &def->signature;
    int rc = check(plugin, s, def->call != NULL, err);
    struct plugin_function *f = &functions[n_functions];

    if (rc != 0)
        return rc;
    for (size_t i = 0; s->name[i]; i++)
        f->lower[i] = (char)tolower((unsigned char)s->name[i]);
    f->def = def;
    f->plugin = plugin;
    /* NULLs are looked at by eval itself. */
    f->base =
        (struct function){.name = f->lower,
                          .min_args = (uint8_t)s->min_args,
                          .max_args = (uint8_t)s->max_args,
                          .flags = (uint8_t)(FUNCTION_NULL_IN | (s->flags & QUANTA_FUNCTION_VOLATILE
                                                                     ? FUNCTION_VOLATILE
                                                                     : 0)),
                          .resolve = resolve,
                          .eval = eval};
    n_functions++;
    return 0;
}

static int add_aggregate(const char *plugin, const struct quanta_plugin_aggregate *def,
                         struct error_info *err)
{
    int rc = check(plugin, &def->signature,
                   def->step && def->final && def->signature.min_args && def->state_size &&
                       def->state_size <= QUANTA_FUNCTION_STATE_MAX,
                   err);

    if (rc == 0)
        aggregates[n_aggregates++] = (struct plugin_aggregate){def, plugin};
    return rc;
}

static int add_plugin(const char *name, struct error_info *err)
{
    const struct quanta_plugin *p;
    int rc = plugin_load(name, &p, err);

    if (rc == 0 && !plugin_has_functions(p))
        return error_set(err, -EINVAL, 1105,
                         "plug-in %s: found interface version %u; needed for functions: 2", name,
                         p->abi);
    if (rc == 0 && ((p->n_functions && !p->functions) || (p->n_aggregates && !p->aggregates)))
        return error_set(err, -EINVAL, 1105, "plug-in %s: found no functions where it counts some",
                         name);
    for (uint32_t i = 0; rc == 0 && i < p->n_functions; i++)
        rc = add_function(name, &p->functions[i], err);
    for (uint32_t i = 0; rc == 0 && i < p->n_aggregates; i++)
        rc = add_aggregate(name, &p->aggregates[i], err);
    return rc;
}

int function_plugins_load(const char *list, struct error_info *err)
{
    static char *names; /* the texts stay */
    char *rest = NULL;
    int rc = 0;

    free(names);
    names = strdup(list);
    if (!names)
        return error_set(err, -ENOMEM, 1041, "Out of memory");
    for (char *name = strtok_r(names, ",", &rest); name && rc == 0;
         name = strtok_r(NULL, ",", &rest))
        rc = add_plugin(name, err);
    return rc;
}
