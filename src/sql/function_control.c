/* IF, CASE, COALESCE and their like, GREATEST, LEAST; CAST is in function_cast.c. */
#include <string.h>

#include "sql/function.h"
#include "sql/value_convert.h"

/* Type of a choice between the arguments from `first` on, every `step`-th. */
static struct value_type choice_type(const struct expr *e, unsigned first, unsigned step)
{
    struct value_type t = e->args[first]->type;

    for (unsigned i = first + step; i < e->n_args; i += step)
        t = expr_common_type(&t, &e->args[i]->type);
    return t;
}

/* Argument i as the result, converted to the common type. */
static void choose(const struct expr *e, struct expr_ctx *x, unsigned i, struct datum *out)
{
    expr_eval(e->args[i], x, out);
    expr_to_type(x, out, &e->args[i]->type, &e->type);
}

static bool resolve_if(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = choice_type(e, 1, 1);
    return true;
}

static void eval_if(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    choose(e, x, expr_is_true(e->args[0], x) ? 1 : 2, out);
}

static bool resolve_all(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = choice_type(e, 0, 1);
    for (uint32_t i = 0; i < e->n_args; i++)
        e->type.not_null |= e->args[i]->type.not_null;
    return true;
}

static void eval_coalesce(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    datum_set_null(out);
    for (uint32_t i = 0; i < e->n_args && out->kind == DATUM_NULL; i++)
        choose(e, x, i, out);
}

static bool resolve_nullif(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = e->args[0]->type;
    e->type.not_null = false;
    return true;
}

static void eval_nullif(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;
    bool unknown;

    expr_eval(e->args[0], x, &a);
    expr_eval(e->args[1], x, &b);
    *out = a;
    if (a.kind == DATUM_NULL || b.kind == DATUM_NULL)
        return;
    if (datum_compare_as(compare_class_of(&e->args[0]->type, &e->args[1]->type), &a, &b,
                         &unknown) == 0 &&
        !unknown)
        datum_set_null(out);
}

/* INTERVAL(n, a, b, ...): how many of the ascending a, b, ... are at most n; -1 of NULL. */
static void eval_interval_list(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum n, d;
    bool unknown, exact = true;
    uint32_t i;

    expr_eval(e->args[0], x, &n);
    if (n.kind == DATUM_NULL) {
        datum_set_int(out, -1);
        return;
    }
    for (i = 0; i < e->n_args; i++) {
        unsigned k = e->args[i]->type.kind;
        exact &= k == DATUM_INT || k == DATUM_UINT || k == DATUM_DECIMAL;
    }
    for (i = 1; i < e->n_args; i++) {
        expr_eval(e->args[i], x, &d);
        if (d.kind != DATUM_NULL &&
            datum_compare_as(exact ? COMPARE_DECIMAL : COMPARE_DOUBLE, &d, &n, &unknown) > 0)
            break;
    }
    datum_set_int(out, (int64_t)i - 1);
}

static bool resolve_extreme(struct expr *e, struct function_bind *b)
{
    (void)b;
    bool any_string = false, any_number = false;
    for (uint32_t i = 0; i < e->n_args; i++) {
        any_string |= e->args[i]->type.kind == DATUM_STRING;
        any_number |= datum_kind_is_number(e->args[i]->type.kind);
    }
    e->type = any_string && any_number ? value_type_double() : choice_type(e, 0, 1);
    e->type.not_null = true;
    for (uint32_t i = 0; i < e->n_args; i++)
        e->type.not_null &= e->args[i]->type.not_null;
    return true;
}

static void eval_extreme(const struct expr *e, struct expr_ctx *x, struct datum *out, int sign)
{
    struct datum d;
    bool unknown;
    enum compare_class class = compare_class_of(&e->type, &e->type);

    datum_set_null(out);
    for (uint32_t i = 0; i < e->n_args; i++) {
        choose(e, x, i, &d);
        if (d.kind == DATUM_NULL) {
            datum_set_null(out);
            return;
        }
        if (i == 0 || datum_compare_as(class, &d, out, &unknown) * sign > 0)
            *out = d;
    }
}

static void eval_greatest(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    eval_extreme(e, x, out, 1);
}

static void eval_least(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    eval_extreme(e, x, out, -1);
}

static void eval_isnull(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;

    expr_eval(e->args[0], x, &d);
    datum_set_int(out, d.kind == DATUM_NULL);
}

/* INTERVAL(n, a, b, ...): how many of the sorted a, b, ... are not above n. */
static void eval_interval(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    double n;
    int64_t k = 0;

    expr_eval(e->args[0], x, &d);
    if (d.kind == DATUM_NULL) {
        datum_set_int(out, -1);
        return;
    }
    n = datum_to_double(&d);
    for (uint32_t i = 1; i < e->n_args; i++) {
        expr_eval(e->args[i], x, &d);
        if (d.kind != DATUM_NULL && datum_to_double(&d) > n)
            break;
        k = i;
    }
    datum_set_int(out, k);
}

/* Position of args[0] among the others, 0 when it is not there. */
static void eval_field(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, d;
    bool unknown;

    expr_eval(e->args[0], x, &a);
    datum_set_int(out, 0);
    for (uint32_t i = 1; i < e->n_args && a.kind != DATUM_NULL; i++) {
        expr_eval(e->args[i], x, &d);
        if (d.kind != DATUM_NULL &&
            datum_compare_as(compare_class_of(&e->args[0]->type, &e->args[i]->type), &a, &d,
                             &unknown) == 0 &&
            !unknown) {
            datum_set_int(out, i);
            return;
        }
    }
}

const struct function function_control[] = {
    {"if", 3, 3, FUNCTION_NULL_IN, resolve_if, eval_if},
    {"ifnull", 2, 2, FUNCTION_NULL_IN, resolve_all, eval_coalesce},
    {"nvl", 2, 2, FUNCTION_NULL_IN, resolve_all, eval_coalesce},
    {"coalesce", 1, 255, FUNCTION_NULL_IN, resolve_all, eval_coalesce},
    {"nullif", 2, 2, FUNCTION_NULL_IN, resolve_nullif, eval_nullif},
    {"interval", 2, 255, FUNCTION_NULL_IN, function_is_int, eval_interval_list},
    {"greatest", 2, 255, 0, resolve_extreme, eval_greatest},
    {"least", 2, 255, 0, resolve_extreme, eval_least},
    {"isnull", 1, 1, FUNCTION_NULL_IN, function_is_bool, eval_isnull},
    {"interval", 2, 255, FUNCTION_NULL_IN, function_is_int, eval_interval},
    {"field", 2, 255, FUNCTION_NULL_IN, function_is_int, eval_field},
    {0},
};

/* ---- CASE ---- */

static const struct function case_searched = {.name = "case"},
                             case_simple = {.name = "case operand"};

static void eval_case(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    uint32_t i = 0;

    for (; i + 1 < e->n_args; i += 2)
        if (expr_is_true(e->args[i], x)) {
            choose(e, x, i + 1, out);
            return;
        }
    if (i < e->n_args)
        choose(e, x, i, out);
    else
        datum_set_null(out);
}

static void eval_case_operand(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum v, w;
    bool unknown;
    uint32_t i = 1;

    expr_eval(e->args[0], x, &v);
    for (; i + 1 < e->n_args; i += 2) {
        if (v.kind == DATUM_NULL)
            continue;
        expr_eval(e->args[i], x, &w);
        if (w.kind != DATUM_NULL &&
            datum_compare_as(compare_class_of(&e->args[0]->type, &e->args[i]->type), &v, &w,
                             &unknown) == 0 &&
            !unknown) {
            choose(e, x, i + 1, out);
            return;
        }
    }
    if (i < e->n_args)
        choose(e, x, i, out);
    else
        datum_set_null(out);
}

struct expr *function_new_case(struct function_bind *b, struct expr **args, uint32_t n,
                               bool has_operand, bool has_else)
{
    struct expr *e = expr_new(b->arena, EXPR_CALL, n);
    uint32_t first = has_operand ? 1 : 0;

    if (!e) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return NULL;
    }
    memcpy(e->args, args, n * sizeof *args);
    e->type = args[first + 1]->type;
    for (uint32_t i = first + 3; i < n; i += 2)
        e->type = expr_common_type(&e->type, &args[i]->type);
    if (has_else)
        e->type = expr_common_type(&e->type, &args[n - 1]->type);
    else
        e->type.not_null = false;
    for (uint32_t i = 0; i < n; i++)
        e->volatile_ |= args[i]->volatile_;
    e->u.function = has_operand ? &case_simple : &case_searched;
    e->eval = has_operand ? eval_case_operand : eval_case;
    return e;
}
