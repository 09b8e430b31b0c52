/* + - * / DIV % and bit operators, with MySQL's result types. Each operator is a function of its
 * own here, so that the operators are EXPR_CALL nodes like all other computations. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/decimal.h"
#include "sql/function.h"
#include "sql/value_convert.h"

enum { DIV_PRECISION_INCREMENT = 4 };

/* Both operands; false when one is NULL, with *out NULL. */
static bool operands(const struct expr *e, struct expr_ctx *x, struct datum *a, struct datum *b,
                     struct datum *out)
{
    return function_arg(e, x, 0, a, out) && function_arg(e, x, 1, b, out);
}

static void out_of_range(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    char text[200];

    if (e->text)
        snprintf(text, sizeof text, "%.*s", (int)(e->text_len < 180 ? e->text_len : 180), e->text);
    else
        snprintf(text, sizeof text, "%s", e->u.function->name);
    expr_fail(x, out, MYSQL_ER_DATA_OUT_OF_RANGE, datum_kind_name(e->type.kind), text);
}

static void eval_int_arith(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;
    __int128 l, r, v;

    if (!operands(e, x, &a, &b, out))
        return;
    if (a.kind == DATUM_INT && b.kind == DATUM_INT) {
        l = a.i;
        r = b.i;
    } else if (!datum_to_wide_int(&a, &l) || !datum_to_wide_int(&b, &r)) {
        out_of_range(e, x, out);
        return;
    }
    switch (e->op) {
    case SQL_OP_ADD:
        v = l + r;
        break;
    case SQL_OP_SUB:
        v = l - r;
        break;
    default:
        v = l * r;
    }
    if (e->type.kind == DATUM_UINT) {
        if (v < 0 || v > (__int128)UINT64_MAX)
            out_of_range(e, x, out);
        else
            datum_set_uint(out, (uint64_t)v);
    } else if (v < INT64_MIN || v > INT64_MAX) {
        out_of_range(e, x, out);
    } else {
        datum_set_int(out, (int64_t)v);
    }
}

static void eval_decimal_arith(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;
    __int128 l, r, v;
    unsigned sl, sr, s;
    bool ok;

    if (!operands(e, x, &a, &b, out))
        return;
    ok = datum_to_decimal(&a, &l, &sl) && datum_to_decimal(&b, &r, &sr);
    if (ok && e->op == SQL_OP_ADD)
        ok = decimal_add(l, sl, r, sr, &v, &s);
    else if (ok && e->op == SQL_OP_SUB)
        ok = decimal_sub(l, sl, r, sr, &v, &s);
    else if (ok)
        ok = decimal_mul(l, sl, r, sr, &v, &s);
    if (ok)
        datum_set_decimal(out, v, s);
    else
        out_of_range(e, x, out);
}

static void eval_double_arith(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    double l, r, v;

    if (!function_arg_double(e, x, 0, &l, out) || !function_arg_double(e, x, 1, &r, out))
        return;
    switch (e->op) {
    case SQL_OP_ADD:
        v = l + r;
        break;
    case SQL_OP_SUB:
        v = l - r;
        break;
    default:
        v = l * r;
    }
    if (isfinite(v))
        datum_set_double(out, v);
    else
        out_of_range(e, x, out);
}

static void eval_div(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;
    __int128 l, r, v;
    unsigned sl, sr, s;

    if (!operands(e, x, &a, &b, out))
        return;
    if (e->type.kind == DATUM_DOUBLE) {
        double d = datum_to_double(&b), q;
        if (d == 0) {
            datum_set_null(out);
            return;
        }
        q = datum_to_double(&a) / d;
        if (isfinite(q))
            datum_set_double(out, q);
        else
            out_of_range(e, x, out);
        return;
    }
    if (!datum_to_decimal(&a, &l, &sl) || !datum_to_decimal(&b, &r, &sr)) {
        out_of_range(e, x, out);
    } else if (r == 0) {
        datum_set_null(out);
    } else if (decimal_div(l, sl, r, sr, decimal_div_scale(sl, sr, DIV_PRECISION_INCREMENT), &v,
                           &s)) {
        datum_set_decimal(out, v, s);
    } else {
        out_of_range(e, x, out);
    }
}

static void eval_int_div(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;
    __int128 l, r, v;
    unsigned sl, sr, s;

    if (!operands(e, x, &a, &b, out))
        return;
    if (!datum_to_decimal(&a, &l, &sl) || !datum_to_decimal(&b, &r, &sr)) {
        out_of_range(e, x, out);
        return;
    }
    if (r == 0) {
        datum_set_null(out);
        return;
    }
    if (!decimal_div(l, sl, r, sr, 0, &v, &s)) {
        out_of_range(e, x, out);
        return;
    }
    if (e->type.kind == DATUM_UINT && v >= 0 && v <= (__int128)UINT64_MAX)
        datum_set_uint(out, (uint64_t)v);
    else if (e->type.kind == DATUM_INT && v >= INT64_MIN && v <= INT64_MAX)
        datum_set_int(out, (int64_t)v);
    else
        out_of_range(e, x, out);
}

static void eval_mod(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;
    __int128 l, r, v;
    unsigned sl, sr, s;

    if (!operands(e, x, &a, &b, out))
        return;
    if (e->type.kind == DATUM_DOUBLE) {
        double d = datum_to_double(&b);
        if (d == 0)
            datum_set_null(out);
        else
            datum_set_double(out, fmod(datum_to_double(&a), d));
        return;
    }
    if (!datum_to_decimal(&a, &l, &sl) || !datum_to_decimal(&b, &r, &sr)) {
        out_of_range(e, x, out);
        return;
    }
    if (r == 0) {
        datum_set_null(out);
        return;
    }
    if (!decimal_mod(l, sl, r, sr, &v, &s)) {
        out_of_range(e, x, out);
        return;
    }
    if (e->type.kind == DATUM_DECIMAL)
        datum_set_decimal(out, v, s);
    else if (e->type.kind == DATUM_UINT)
        datum_set_uint(out, (uint64_t)v);
    else
        datum_set_int(out, (int64_t)v);
}

static void eval_bits(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;
    __int128 l, r;

    if (!operands(e, x, &a, &b, out))
        return;
    if (!datum_to_wide_int(&a, &l))
        l = INT64_MAX;
    if (!datum_to_wide_int(&b, &r))
        r = INT64_MAX;
    uint64_t p = (uint64_t)l, q = (uint64_t)r, v;
    switch (e->op) {
    case SQL_OP_BIT_OR:
        v = p | q;
        break;
    case SQL_OP_BIT_AND:
        v = p & q;
        break;
    case SQL_OP_BIT_XOR:
        v = p ^ q;
        break;
    case SQL_OP_SHL:
        v = q < 64 ? p << q : 0;
        break;
    default:
        v = q < 64 ? p >> q : 0;
    }
    datum_set_uint(out, v);
}

static void eval_bit_not(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a;
    __int128 v;

    if (!function_arg(e, x, 0, &a, out))
        return;
    if (!datum_to_wide_int(&a, &v))
        v = INT64_MAX;
    datum_set_uint(out, ~(uint64_t)v);
}

static void eval_negate(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a;
    __int128 v;
    unsigned scale;

    if (!function_arg(e, x, 0, &a, out))
        return;
    if (e->type.kind == DATUM_DOUBLE) {
        datum_set_double(out, -datum_to_double(&a));
        return;
    }
    if (!datum_to_decimal(&a, &v, &scale)) {
        out_of_range(e, x, out);
        return;
    }
    v = -v;
    if (e->type.kind == DATUM_DECIMAL)
        datum_set_decimal(out, v, scale);
    else if (v >= INT64_MIN && v <= INT64_MAX)
        datum_set_int(out, (int64_t)v);
    else
        out_of_range(e, x, out);
}

static const struct function op_add = {.name = "+"}, op_sub = {.name = "-"}, op_mul = {.name = "*"},
                             op_div = {.name = "/"}, op_int_div = {.name = "div"},
                             op_mod = {.name = "%"}, op_or = {.name = "|"}, op_and = {.name = "&"},
                             op_xor = {.name = "^"}, op_shl = {.name = "<<"},
                             op_shr = {.name = ">>"}, op_not = {.name = "~"},
                             op_negate = {.name = "-"};

/* Operands of arithmetic: dates are numbers there, text and NULL are doubles. */
static unsigned number_kind(const struct value_type *t)
{
    switch (t->kind) {
    case DATUM_NULL:
    case DATUM_DATE:
        return DATUM_INT;
    case DATUM_DATETIME:
    case DATUM_TIME:
        return t->scale ? DATUM_DECIMAL : DATUM_INT;
    case DATUM_STRING:
        return DATUM_DOUBLE;
    default:
        return t->kind;
    }
}

static unsigned digits_of(const struct value_type *t)
{
    switch (t->kind) {
    case DATUM_DATE:
        return 8;
    case DATUM_DATETIME:
        return 14u + t->scale;
    case DATUM_TIME:
        return 7u + t->scale;
    case DATUM_NULL:
        return 1;
    default:
        return t->precision;
    }
}

static unsigned scale_of(const struct value_type *t)
{
    return t->kind == DATUM_DECIMAL || t->kind == DATUM_DATETIME || t->kind == DATUM_TIME ? t->scale
                                                                                          : 0;
}

/* Fraction digits shown of a double: known for ROUND() and its like, and what is computed from
 * them. */
static unsigned shown_scale(const struct value_type *t)
{
    return t->kind == DATUM_DOUBLE || t->kind == DATUM_STRING ? t->scale : scale_of(t);
}

static struct value_type double_type(enum sql_op op, const struct value_type *l,
                                     const struct value_type *r)
{
    struct value_type t = value_type_double();
    unsigned a = shown_scale(l), b = shown_scale(r), s = a > b ? a : b;

    if (a < VALUE_SCALE_FREE && b < VALUE_SCALE_FREE) {
        s = op == SQL_OP_MUL ? a + b : op == SQL_OP_DIV ? s + DIV_PRECISION_INCREMENT : s;
        t.scale = (uint8_t)(s < VALUE_SCALE_FREE ? s : VALUE_SCALE_FREE);
    }
    return t;
}

static unsigned max2(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static struct value_type arith_type(enum sql_op op, const struct value_type *l,
                                    const struct value_type *r)
{
    unsigned a = number_kind(l), b = number_kind(r);
    unsigned sa = scale_of(l), sb = scale_of(r), pa = digits_of(l), pb = digits_of(r);

    if (op == SQL_OP_INT_DIV)
        return a == DATUM_UINT || b == DATUM_UINT ? value_type_uint(20)
                                                  : value_type_int(pa > 19 ? 19 : pa);
    if (a == DATUM_DOUBLE || b == DATUM_DOUBLE)
        return double_type(op, l, r);
    if (op == SQL_OP_DIV) {
        unsigned scale = sa + DIV_PRECISION_INCREMENT;
        return value_type_decimal(pa + sb + DIV_PRECISION_INCREMENT, scale);
    }
    if (a == DATUM_DECIMAL || b == DATUM_DECIMAL) {
        unsigned scale = max2(sa, sb);
        if (op == SQL_OP_MUL)
            return value_type_decimal(pa + pb, sa + sb);
        if (op == SQL_OP_MOD)
            return value_type_decimal(max2(pa - sa, pb - sb) + scale, scale);
        return value_type_decimal(max2(pa - sa, pb - sb) + scale + 1, scale);
    }
    bool is_unsigned = op == SQL_OP_MOD ? a == DATUM_UINT : a == DATUM_UINT || b == DATUM_UINT;
    unsigned digits = op == SQL_OP_MUL   ? pa + pb
                      : op == SQL_OP_MOD ? max2(pa, pb)
                                         : max2(pa, pb) + 1;
    return is_unsigned ? value_type_uint(digits > 20 ? 20 : digits)
                       : value_type_int(digits > 19 ? 19 : digits);
}

struct expr *expr_new_arith(struct arena *a, enum sql_op op, struct expr *l, struct expr *r)
{
    struct expr *e = expr_new(a, EXPR_CALL, op == SQL_OP_BIT_NOT ? 1 : 2);

    l = expr_as_number(a, l);
    r = expr_as_number(a, r);
    if (!e || !l || (!r && op != SQL_OP_BIT_NOT))
        return NULL;
    e->args[0] = l;
    if (op != SQL_OP_BIT_NOT)
        e->args[1] = r;
    e->op = (uint8_t)op;
    e->type = op == SQL_OP_BIT_NOT ? value_type_uint(20) : arith_type(op, &l->type, &r->type);
    e->eval = e->type.kind == DATUM_DOUBLE    ? eval_double_arith
              : e->type.kind == DATUM_DECIMAL ? eval_decimal_arith
                                              : eval_int_arith;
    switch (op) {
    case SQL_OP_ADD:
        e->u.function = &op_add;
        break;
    case SQL_OP_SUB:
        e->u.function = &op_sub;
        break;
    case SQL_OP_MUL:
        e->u.function = &op_mul;
        break;
    case SQL_OP_DIV:
        e->u.function = &op_div;
        e->eval = eval_div;
        break;
    case SQL_OP_INT_DIV:
        e->u.function = &op_int_div;
        e->eval = eval_int_div;
        break;
    case SQL_OP_MOD:
        e->u.function = &op_mod;
        e->eval = eval_mod;
        break;
    default:
        e->u.function = op == SQL_OP_BIT_OR    ? &op_or
                        : op == SQL_OP_BIT_AND ? &op_and
                        : op == SQL_OP_BIT_XOR ? &op_xor
                        : op == SQL_OP_SHL     ? &op_shl
                        : op == SQL_OP_SHR     ? &op_shr
                                               : &op_not;
        e->type = value_type_uint(20);
        e->eval = op == SQL_OP_BIT_NOT ? eval_bit_not : eval_bits;
    }
    return e;
}

struct expr *expr_new_negate(struct arena *a, struct expr *arg)
{
    struct expr *e = expr_new(a, EXPR_CALL, 1);

    arg = expr_as_number(a, arg);
    if (!e || !arg)
        return NULL;
    unsigned kind = number_kind(&arg->type);
    e->args[0] = arg;
    e->op = SQL_OP_NEG;
    e->u.function = &op_negate;
    e->eval = eval_negate;
    if (kind == DATUM_DOUBLE) {
        e->type = value_type_double();
        e->type.scale = (uint8_t)shown_scale(&arg->type);
    } else if (kind == DATUM_DECIMAL)
        e->type = value_type_decimal(digits_of(&arg->type), scale_of(&arg->type));
    else if (arg->kind == EXPR_CONST && arg->u.value.kind == DATUM_UINT &&
             arg->u.value.u > (uint64_t)INT64_MAX + 1)
        e->type = value_type_decimal(20, 0); /* a literal below BIGINT's range */
    else
        e->type = value_type_int(digits_of(&arg->type) > 19 ? 19 : digits_of(&arg->type));
    return e;
}

bool expr_is_exact_arith(const struct expr *e)
{
    const struct function *f = e->kind == EXPR_CALL ? e->u.function : NULL;

    return (f == &op_add || f == &op_sub || f == &op_mul || f == &op_negate) &&
           (e->type.kind == DATUM_INT || e->type.kind == DATUM_DECIMAL);
}
