#include "sql/expr.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/aggregate.h"
#include "sql/decimal.h"
#include "sql/function.h"
#include "sql/plan_subquery.h"
#include "sql/value_convert.h"
#include "sql/window.h"

void expr_fail(struct expr_ctx *x, struct datum *out, unsigned code, ...)
{
    va_list ap;

    if (out)
        datum_set_null(out);
    if (x->error->code)
        return;
    const struct mysql_error_info *info = mysql_error_find(code);
    ASSERT(info);
    x->error->code = (uint16_t)code;
    memcpy(x->error->sqlstate, info->sqlstate, sizeof x->error->sqlstate);
    va_start(ap, code);
    vsnprintf(x->error->text, sizeof x->error->text, info->format, ap);
    va_end(ap);
}

void *expr_alloc(struct expr_ctx *x, size_t n)
{
    void *p = arena_alloc(x->scratch, n);

    if (!p && !x->error->code)
        mysql_error_set_text(x->error, 1038,
                             "The expression needs more memory than the statement may use");
    return p;
}

bool expr_is_true(const struct expr *e, struct expr_ctx *x)
{
    struct datum d;

    expr_eval(e, x, &d);
    return datum_truth(&d) == 1;
}

struct expr *expr_new(struct arena *a, enum expr_kind kind, uint32_t n_args)
{
    struct expr *e = arena_alloc(a, sizeof *e);

    if (!e)
        return NULL;
    e->kind = (uint8_t)kind;
    e->n_args = n_args;
    if (n_args && !(e->args = arena_alloc(a, n_args * sizeof *e->args)))
        return NULL;
    return e;
}

/* ---- leaves ---- */

static void eval_const(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)x;
    *out = e->u.value;
}

static void eval_column(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    *out = x->row[e->u.column.slot - x->base];
}

static void eval_window(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    *out = x->row[e->u.window->slot - x->base];
}

static void eval_slot(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    *out = x->row[e->u.slot - x->base];
}

struct expr *expr_new_const(struct arena *a, const struct datum *value,
                            const struct value_type *type)
{
    struct expr *e = expr_new(a, EXPR_CONST, 0);

    if (e) {
        e->u.value = *value;
        e->type = *type;
        e->eval = eval_const;
    }
    return e;
}

void expr_value_as_number(const struct expr *e, struct datum *d)
{
    if (!e->is_bits || d->kind != DATUM_STRING)
        return;
    const unsigned char *bytes = (const unsigned char *)d->s;
    uint64_t v = 0;
    for (uint32_t i = d->len > 8 ? d->len - 8 : 0; i < d->len; i++)
        v = v << 8 | bytes[i];
    datum_set_uint(d, v);
}

struct expr *expr_as_number(struct arena *a, struct expr *e)
{
    if (!e || !e->is_bits)
        return e;
    struct datum d = e->u.value;
    expr_value_as_number(e, &d);
    struct value_type t = value_type_uint(decimal_digits((__int128)d.u));
    t.not_null = true;
    struct expr *n = expr_new_const(a, &d, &t);
    if (n) {
        n->text = e->text;
        n->text_len = e->text_len;
    }
    return n;
}

struct expr *expr_new_slot(struct arena *a, uint32_t slot, const struct value_type *type)
{
    struct expr *e = expr_new(a, EXPR_SLOT, 0);

    if (e) {
        e->u.slot = slot;
        e->type = *type;
        e->eval = eval_slot;
    }
    return e;
}

struct expr *expr_new_and(struct arena *a, struct expr **args, uint32_t n)
{
    if (n == 1)
        return args[0];
    struct expr *e = expr_new(a, EXPR_AND, n);
    if (e) {
        memcpy(e->args, args, n * sizeof *args);
        expr_prepare(e, a);
    }
    return e;
}

/* ---- logic ---- */

static void eval_and(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    bool unknown = false;

    for (uint32_t i = 0; i < e->n_args; i++) {
        expr_eval(e->args[i], x, &d);
        int t = datum_truth(&d);
        if (t == 0) {
            datum_set_int(out, 0);
            return;
        }
        unknown |= t < 0;
    }
    if (unknown)
        datum_set_null(out);
    else
        datum_set_int(out, 1);
}

static void eval_or(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    bool unknown = false;

    for (uint32_t i = 0; i < e->n_args; i++) {
        expr_eval(e->args[i], x, &d);
        int t = datum_truth(&d);
        if (t == 1) {
            datum_set_int(out, 1);
            return;
        }
        unknown |= t < 0;
    }
    if (unknown)
        datum_set_null(out);
    else
        datum_set_int(out, 0);
}

static void eval_not(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;

    expr_eval(e->args[0], x, &d);
    int t = datum_truth(&d);
    if (t < 0)
        datum_set_null(out);
    else
        datum_set_int(out, !t);
}

static void eval_xor(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;

    expr_eval(e->args[0], x, &a);
    expr_eval(e->args[1], x, &b);
    int s = datum_truth(&a), t = datum_truth(&b);
    if (s < 0 || t < 0)
        datum_set_null(out);
    else
        datum_set_int(out, s != t);
}

static void eval_is(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    bool yes;

    expr_eval(e->args[0], x, &d);
    switch (e->op) {
    case SQL_IS_TRUE:
        yes = datum_truth(&d) == 1;
        break;
    case SQL_IS_FALSE:
        yes = datum_truth(&d) == 0;
        break;
    default:
        yes = d.kind == DATUM_NULL;
    }
    datum_set_int(out, yes != e->negated);
}

void expr_prepare(struct expr *e, struct arena *a)
{
    switch ((enum expr_kind)e->kind) {
    case EXPR_CONST:
        e->eval = eval_const;
        return;
    case EXPR_COLUMN:
        e->eval = eval_column;
        return;
    case EXPR_SLOT:
        e->eval = eval_slot;
        return;
    case EXPR_WINDOW:
        e->eval = eval_window;
        return;
    case EXPR_AND:
        e->eval = eval_and;
        break;
    case EXPR_OR:
        e->eval = eval_or;
        break;
    case EXPR_NOT:
        e->eval = eval_not;
        break;
    case EXPR_XOR:
        e->eval = eval_xor;
        break;
    case EXPR_IS:
        e->eval = eval_is;
        break;
    case EXPR_COMPARE:
    case EXPR_BETWEEN:
    case EXPR_IN:
    case EXPR_LIKE:
    case EXPR_IN_QUERY:
    case EXPR_IN_ROWS:
    case EXPR_QUANTIFIED:
        expr_prepare_compare(e, a);
        break;
    case EXPR_SUBQUERY:
        e->eval = subquery_evaluator(e->u.subquery, subquery_eval_scalar);
        return;
    case EXPR_OUTER:
        e->eval = subquery_eval_outer;
        return;
    case EXPR_EXISTS:
        e->eval = subquery_evaluator(e->u.subquery, subquery_eval_exists);
        break;
    case EXPR_MATCH:
        expr_prepare_match(e, a);
        break;
    case EXPR_CALL:
    case EXPR_AGGREGATE:
        return;
    }
    e->type = value_type_int(1);
}

static bool is_foldable(const struct expr *e)
{
    switch ((enum expr_kind)e->kind) {
    case EXPR_CONST:
    case EXPR_COLUMN:
    case EXPR_SLOT:
    case EXPR_AGGREGATE:
    case EXPR_WINDOW:
    case EXPR_OUTER:
    case EXPR_SUBQUERY:
    case EXPR_IN_QUERY:
    case EXPR_IN_ROWS:
    case EXPR_QUANTIFIED:
    case EXPR_EXISTS:
        return false;
    default:
        break;
    }
    if (e->volatile_)
        return false;
    for (uint32_t i = 0; i < e->n_args; i++)
        if (e->args[i] && e->args[i]->kind != EXPR_CONST)
            return false;
    return true;
}

struct expr *expr_fold(struct expr *e, struct expr_ctx *x, struct arena *a)
{
    struct datum d, kept;

    if (!is_foldable(e) || expr_has_failed(x))
        return e;
    expr_eval(e, x, &d);
    if (expr_has_failed(x)) { /* an error counts only where the expression is evaluated */
        x->error->code = 0;
        return e;
    }
    if (!datum_copy(&kept, &d, a))
        return e;
    struct expr *c = expr_new_const(a, &kept, &e->type);
    if (!c)
        return e;
    c->text = e->text;
    c->text_len = e->text_len;
    return c;
}

/* ---- structure ---- */

bool expr_is_equal(const struct expr *a, const struct expr *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->kind != b->kind || a->op != b->op || a->negated != b->negated ||
        a->n_args != b->n_args || a->volatile_ || b->volatile_)
        return false;
    switch ((enum expr_kind)a->kind) {
    case EXPR_CONST:
        return a->type.kind == b->type.kind && a->type.scale == b->type.scale &&
               datum_is_same(&a->u.value, &b->u.value);
    case EXPR_COLUMN:
        return a->u.column.source == b->u.column.source && a->u.column.column == b->u.column.column;
    case EXPR_SLOT:
        return a->u.slot == b->u.slot;
    case EXPR_CALL:
        if (a->u.function != b->u.function || a->eval != b->eval || a->type.kind != b->type.kind ||
            a->type.scale != b->type.scale || a->type.precision != b->type.precision ||
            a->type.length != b->type.length)
            return false;
        break;
    case EXPR_AGGREGATE:
        return aggregate_is_equal(a->u.aggregate, b->u.aggregate);
    case EXPR_OUTER:
        return a->u.outer == b->u.outer;
    case EXPR_SUBQUERY:
    case EXPR_IN_QUERY:
    case EXPR_IN_ROWS:
    case EXPR_QUANTIFIED:
    case EXPR_EXISTS:
        if (a->u.subquery != b->u.subquery)
            return false;
        break;
    case EXPR_WINDOW:
        if (!window_is_equal(a->u.window, b->u.window))
            return false;
        break;
    case EXPR_LIKE:
        if (a->u.escape != b->u.escape)
            return false;
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < a->n_args; i++)
        if (!expr_is_equal(a->args[i], b->args[i]))
            return false;
    return true;
}

bool expr_walk(struct expr *e, bool (*fn)(struct expr *e, void *ctx), void *ctx)
{
    if (!e)
        return true;
    if (!fn(e, ctx))
        return false;
    for (uint32_t i = 0; i < e->n_args; i++)
        if (!expr_walk(e->args[i], fn, ctx))
            return false;
    if (e->kind == EXPR_AGGREGATE)
        return aggregate_walk(e->u.aggregate, fn, ctx);
    return true;
}

static bool visit_row_free(struct expr *e, void *ctx)
{
    (void)ctx;
    return e->kind != EXPR_COLUMN && e->kind != EXPR_SLOT && e->kind != EXPR_AGGREGATE &&
           e->kind != EXPR_WINDOW;
}

bool expr_is_row_free(struct expr *e)
{
    return expr_walk(e, visit_row_free, NULL);
}

static bool visit_no_subquery(struct expr *e, void *ctx)
{
    (void)ctx;
    return e->kind < EXPR_SUBQUERY;
}

bool expr_has_subquery(struct expr *e)
{
    return !expr_walk(e, visit_no_subquery, NULL);
}

/* ---- types ---- */

uint32_t value_type_text_length(const struct value_type *t)
{
    switch (t->kind) {
    case DATUM_INT:
        return t->precision + 1u;
    case DATUM_UINT:
        return t->precision;
    case DATUM_DECIMAL:
        return t->precision + (t->scale ? 2u : 1u);
    case DATUM_DOUBLE:
        return 22;
    case DATUM_STRING:
        return t->length;
    case DATUM_DATE:
        return 10;
    case DATUM_DATETIME:
        return t->scale ? 20u + t->scale : 19u;
    case DATUM_TIME:
        return t->scale ? 11u + t->scale : 10u;
    default:
        return 0;
    }
}

static unsigned integral_digits(const struct value_type *t)
{
    if (t->kind == DATUM_DECIMAL)
        return t->precision > t->scale ? (unsigned)(t->precision - t->scale) : 0u;
    return t->precision;
}

struct value_type expr_common_type(const struct value_type *a, const struct value_type *b)
{
    struct value_type r;
    bool exact_a = a->kind == DATUM_INT || a->kind == DATUM_UINT || a->kind == DATUM_DECIMAL;
    bool exact_b = b->kind == DATUM_INT || b->kind == DATUM_UINT || b->kind == DATUM_DECIMAL;

    if (a->kind == DATUM_NULL)
        r = *b;
    else if (b->kind == DATUM_NULL)
        r = *a;
    else if (a->kind == b->kind && a->kind != DATUM_DECIMAL) {
        r = *a;
        r.precision = a->precision > b->precision ? a->precision : b->precision;
        r.scale = a->scale > b->scale ? a->scale : b->scale;
        r.length = a->length > b->length ? a->length : b->length;
        r.is_binary = a->is_binary || b->is_binary;
        r.is_json = a->is_json && b->is_json;
    } else if (exact_a && exact_b) {
        unsigned ia = integral_digits(a), ib = integral_digits(b);
        unsigned sa = a->kind == DATUM_DECIMAL ? a->scale : 0,
                 sb = b->kind == DATUM_DECIMAL ? b->scale : 0;
        unsigned scale = sa > sb ? sa : sb;
        r = value_type_decimal((ia > ib ? ia : ib) + scale, scale);
    } else if (datum_kind_is_number(a->kind) && datum_kind_is_number(b->kind)) {
        unsigned sa = exact_a && a->kind != DATUM_DECIMAL ? 0 : a->scale;
        unsigned sb = exact_b && b->kind != DATUM_DECIMAL ? 0 : b->scale;
        r = value_type_double();
        r.scale = (uint8_t)(sa > sb ? sa : sb);
    } else if (datum_kind_is_temporal(a->kind) && datum_kind_is_temporal(b->kind)) {
        r = value_type_temporal(DATUM_DATETIME, a->scale > b->scale ? a->scale : b->scale);
    } else {
        uint32_t la = value_type_text_length(a), lb = value_type_text_length(b);
        r = value_type_string(la > lb ? la : lb);
    }
    r.not_null = a->not_null && b->not_null;
    return r;
}

void expr_to_type(struct expr_ctx *x, struct datum *d, const struct value_type *from,
                  const struct value_type *to)
{
    size_t len;
    const char *s;
    __int128 v;
    unsigned scale;
    int64_t us;

    if (d->kind == DATUM_NULL || to->kind == DATUM_NULL)
        return;
    if (d->kind == to->kind) {
        if (d->kind == DATUM_DECIMAL && d->scale < to->scale)
            datum_round_to_type(d, to);
        return;
    }
    switch (to->kind) {
    case DATUM_STRING:
        s = function_text(x, d, from, &len);
        if (s)
            datum_set_string(d, s, len);
        else
            datum_set_null(d);
        return;
    case DATUM_DECIMAL:
        if (datum_to_decimal(d, &v, &scale))
            datum_set_decimal(d, v, scale);
        return;
    case DATUM_DOUBLE:
        datum_set_double(d, datum_to_double(d));
        return;
    case DATUM_DATETIME:
        if (datum_to_datetime(d, &us))
            datum_set_temporal(d, DATUM_DATETIME, us);
        else
            datum_set_null(d);
        return;
    case DATUM_DATE:
        if (datum_to_date(d, &us))
            datum_set_temporal(d, DATUM_DATE, us);
        else
            datum_set_null(d);
        return;
    default:
        return;
    }
}
