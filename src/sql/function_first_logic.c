/* Functions of the first Quanta that look at whether arguments are there, and its sums of arguments. */
#include <math.h>
#include <string.h>

#include "sql/function_first.h"
#include "sql/value_convert.h"

/* exists(x): neither NULL nor an empty text. */
static void eval_exists(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;

    expr_eval(e->args[0], x, &d);
    datum_set_int(out, d.kind != DATUM_NULL && !(d.kind == DATUM_STRING && !d.len));
}

/* any(x, ...): one of them is not NULL. */
static void eval_any(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    bool found = false;
    struct datum d;

    for (uint32_t i = 0; i < e->n_args && !found; i++) {
        expr_eval(e->args[i], x, &d);
        found = d.kind != DATUM_NULL;
    }
    datum_set_int(out, found);
}

/* all(x, ...): none of them is NULL, false or the number 0. */
static void eval_all(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    bool ok = true;
    struct datum d;

    for (uint32_t i = 0; i < e->n_args && ok; i++) {
        expr_eval(e->args[i], x, &d);
        ok = d.kind != DATUM_NULL && !(datum_kind_is_number(d.kind) && datum_truth(&d) == 0);
    }
    datum_set_int(out, ok);
}

/* ---- sums of arguments ---- */

struct total {
    double sum;
    uint32_t n;
    bool failed; /* an element of a list that is no number */
};

static void add_list(struct expr_ctx *x, const struct json *list, struct total *t)
{
    struct datum d;

    for (const struct json *v = list->first; v && !t->failed; v = v->next) {
        function_put_value(x, v, &d);
        if (d.kind != DATUM_STRING || !datum_string_is_number(d.s, d.len)) {
            t->failed = true;
            return;
        }
        t->sum += datum_to_double(&d);
        t->n++;
    }
}

/* Numbers and texts that are numbers count, others are passed over. False: no result. */
static bool add_args(const struct expr *e, struct expr_ctx *x, struct total *t)
{
    struct datum d, none;

    memset(t, 0, sizeof *t);
    for (uint32_t i = 0; i < e->n_args && !t->failed; i++) {
        expr_eval(e->args[i], x, &d);
        struct json *list = d.kind == DATUM_STRING && d.len && d.s[0] == '['
                                ? function_arg_list(e, x, i, JSON_ARRAY, &none)
                                : NULL;
        if (list) {
            add_list(x, list, t);
        } else if (datum_kind_is_number(d.kind) ||
                   (d.kind == DATUM_STRING && datum_string_is_number(d.s, d.len))) {
            t->sum += datum_to_double(&d);
            t->n++;
        }
    }
    return t->n && !t->failed && isfinite(t->sum);
}

static void eval_add(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct total t;

    datum_set_null(out);
    if (add_args(e, x, &t))
        datum_set_double(out, t.sum);
}

static void eval_average(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct total t;

    datum_set_null(out);
    if (add_args(e, x, &t))
        datum_set_double(out, t.sum / t.n);
}

/* sum and avg of one argument are the aggregates: bind_call.c. */
const struct function function_first_logic[] = {
    {"exists", 1, 1, FUNCTION_NULL_IN, function_is_bool, eval_exists},
    {"any", 1, 255, FUNCTION_NULL_IN, function_is_bool, eval_any},
    {"all", 1, 255, FUNCTION_NULL_IN, function_is_bool, eval_all},
    {"add", 1, 255, FUNCTION_NULL_IN, function_is_double, eval_add},
    {"sum", 2, 255, FUNCTION_NULL_IN, function_is_double, eval_add},
    {"avg", 2, 255, FUNCTION_NULL_IN, function_is_double, eval_average},
    {0},
};
