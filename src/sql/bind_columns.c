/*
 * match('prefix', ...) of the first Quanta: the columns of the row whose names begin with one of the prefixes, as a map.
 * Bound, it is a call with a name and a column for each of them.
 */
#include <string.h>
#include <strings.h>

#include "sql/bind.h"

/* Columns that a map can have: what a call's arguments can be. */
enum { COLUMNS_MAX = 127 };

/* The columns found. Owner: the stack of bind_columns_call. */
struct columns_found {
    struct expr *args[2 * COLUMNS_MAX];
    uint32_t n;
};

static struct expr *prefix_of(struct bind *b, const struct sql_expr *e)
{
    struct expr *p = bind_expr(b, e);

    if (!p || (expr_is_const(p) && p->u.value.kind == DATUM_STRING))
        return p;
    bind_fail(b, MYSQL_ER_WRONG_ARGUMENTS, "match");
    return NULL;
}

static bool add_found(struct bind *b, struct bound_select *s, uint16_t source, uint16_t column,
                      size_t skip, struct columns_found *f)
{
    const char *name = s->sources[source].columns[column].name + skip;
    struct value_type type = value_type_string((uint32_t)strlen(name));
    struct datum d;

    if (f->n + 2 > 2 * COLUMNS_MAX)
        return bind_fail(b, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, "match");
    datum_set_string(&d, name, strlen(name));
    f->args[f->n] = expr_new_const(b->arena, &d, &type);
    f->args[f->n + 1] = bind_source_column(b, s, source, column);
    if (!f->args[f->n] || !f->args[f->n + 1])
        return bind_alloc(b, SIZE_MAX / 2) != NULL;
    f->n += 2;
    return true;
}

/* Columns of the SELECT at hand that begin with the prefix, in the order of FROM. */
static bool find_columns(struct bind *b, const struct datum *prefix, struct columns_found *f)
{
    struct bound_select *s = b->scope ? b->scope->select : NULL;

    for (uint16_t i = 0; s && i < s->n_sources; i++)
        for (uint16_t k = 0; k < s->sources[i].n_columns; k++) {
            const struct source_column *c = &s->sources[i].columns[k];
            if (c->hidden || c->merged || strlen(c->name) <= prefix->len ||
                strncasecmp(c->name, prefix->s, prefix->len) != 0)
                continue;
            if (!add_found(b, s, i, k, prefix->len, f))
                return false;
        }
    return true;
}

struct expr *bind_columns_call(struct bind *b, const struct sql_call *c)
{
    struct function_bind fb = bind_function(b);
    const struct function *f = function_find("match", 5);
    struct columns_found *found = bind_alloc(b, sizeof *found);

    for (uint32_t i = 0; found && i < c->arg_count; i++) {
        const struct expr *p = prefix_of(b, c->args[i]);
        if (!p || !find_columns(b, &p->u.value, found))
            return NULL;
    }
    return found ? bind_fold(b, function_new(&fb, f, found->args, found->n)) : NULL;
}
