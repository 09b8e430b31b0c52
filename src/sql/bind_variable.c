/*
 * @name := value in an expression. Variables are values of the statement's start, but in a statement that assigns:
 * there they are read row by row.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "sql/bind.h"
#include "sql/value_convert.h"

/* A variable that the statement assigns, with the type it gets. Arena of the statement. */
struct variable_use {
    struct variable_use *next;
    const char *name;
    struct value_type type;
};

static bool resolve_assign(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = e->args[1]->type;
    e->type.not_null = false;
    return true;
}

static void eval_assign(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum value, kept;
    const char *name = e->args[0]->u.value.s;

    expr_eval(e->args[1], x, &value);
    datum_set_null(out);
    if (expr_has_failed(x))
        return;
    datum_round_to_type(&value, &e->type);
    if (!datum_copy(&kept, &value, x->scratch) ||
        gateway_session_set(x->session, &x->session->user_vars, name, &kept, &e->type) != 0)
        expr_fail(x, out, 1041);
    else
        *out = kept;
}

static bool resolve_read(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = e->args[1]->type;
    e->type.not_null = false;
    return true;
}

static void eval_read(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const struct session_variable *v =
        gateway_session_find(x->session->user_vars, e->args[0]->u.value.s);

    datum_set_null(out);
    if (!v || v->value.kind == DATUM_NULL)
        return;
    if (!datum_copy(out, &v->value, x->scratch))
        expr_fail(x, out, 1041);
    else
        expr_to_type(x, out, &v->type, &e->type);
}

static const struct function assign_function = {
    ":=", 2, 2, FUNCTION_VOLATILE | FUNCTION_NULL_IN, resolve_assign, eval_assign};
static const struct function read_function = {
    "@", 2, 2, FUNCTION_VOLATILE | FUNCTION_NULL_IN, resolve_read, eval_read};

static struct expr *call(struct bind *b, const struct function *f, const char *name,
                         struct expr *value)
{
    struct function_bind fb = bind_function(b);
    struct datum d;
    struct value_type t = value_type_string(strlen(name));

    datum_set_string(&d, name, strlen(name));
    struct expr *args[] = {expr_new_const(b->arena, &d, &t), value};
    return args[0] ? function_new(&fb, f, args, 2) : bind_alloc(b, SIZE_MAX / 2);
}

struct expr *bind_assign(struct bind *b, const struct sql_expr *e)
{
    struct variable_use *use = bind_alloc(b, sizeof *use);
    struct expr *value = use ? bind_expr(b, e->v.args[1]) : NULL;

    if (!value)
        return NULL;
    *use = (struct variable_use){.next = b->assigned,
                                 .name = e->v.args[0]->v.name,
                                 .type = value->type};
    b->assigned = use;
    return call(b, &assign_function, use->name, value);
}

struct expr *bind_changing_variable(struct bind *b, const char *name)
{
    const struct session_variable *v = gateway_session_find(b->session->user_vars, name);
    const struct variable_use *use = b->assigned;
    struct value_type t = v ? v->type : value_type_string(255);
    struct datum none;

    while (use && strcasecmp(use->name, name) != 0)
        use = use->next;
    if (use)
        t = use->type;
    datum_set_null(&none);
    struct expr *type = expr_new_const(b->arena, &none, &t);
    return type ? call(b, &read_function, name, type) : bind_alloc(b, SIZE_MAX / 2);
}
