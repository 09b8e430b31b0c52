/* Numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/decimal.h"
#include "sql/function.h"
#include "sql/value_convert.h"

static bool is_exact(const struct value_type *t)
{
    return t->kind == DATUM_INT || t->kind == DATUM_UINT || t->kind == DATUM_DECIMAL;
}

/* ---- rounding ---- */

/* The digits argument when it is a constant: decides the result's scale. */
static int64_t constant_digits(const struct expr *e, unsigned i, bool *known)
{
    int64_t n = 0;

    *known = e->n_args <= i;
    if (e->n_args > i && expr_is_const(e->args[i])) {
        *known = true;
        if (e->args[i]->u.value.kind != DATUM_NULL)
            datum_to_int(&e->args[i]->u.value, &n);
    }
    return n;
}

static bool resolve_rounding(struct expr *e, bool truncate)
{
    enum { DIGITS_SURE = 18 }; /* of a BIGINT: more may be out of its range after a carry */
    const struct value_type *t = &e->args[0]->type;
    bool known;
    int64_t n = constant_digits(e, 1, &known);

    if (t->kind == DATUM_NULL || t->kind == DATUM_INT || t->kind == DATUM_UINT) {
        e->type = t->kind == DATUM_NULL ? value_type_int(1) : *t;
        if (known && n < 0 && t->kind != DATUM_NULL && !truncate && t->precision >= DIGITS_SURE)
            e->type = value_type_decimal(t->precision + 1u, 0);
        return true;
    }
    if (t->kind != DATUM_DECIMAL) {
        e->type = value_type_double();
        if (known)
            e->type.scale = (uint8_t)(n < 0 ? 0 : n > 30 ? VALUE_SCALE_FREE : n);
        return true;
    }
    unsigned scale = !known                  ? t->scale
                     : n <= 0                ? 0
                     : n > DECIMAL_MAX_SCALE ? DECIMAL_MAX_SCALE
                                             : (unsigned)n;
    unsigned whole = t->precision > t->scale ? (unsigned)(t->precision - t->scale) : 1u;
    e->type = value_type_decimal(whole + scale + 1, scale);
    return true;
}

static bool resolve_round(struct expr *e, struct function_bind *b)
{
    (void)b;
    return resolve_rounding(e, false);
}

static bool resolve_truncate(struct expr *e, struct function_bind *b)
{
    (void)b;
    return resolve_rounding(e, true);
}

static void round_double(struct expr_ctx *x, double v, int64_t n, bool truncate, struct datum *out)
{
    (void)x;
    if (n > 30 || n < -308) {
        datum_set_double(out, n > 0 ? v : 0);
        return;
    }
    double p = pow(10, (double)(n < 0 ? -n : n));
    double s = n < 0 ? v / p : v * p;
    if (!isfinite(s)) {
        datum_set_double(out, v);
        return;
    }
    s = truncate ? trunc(s) : rint(s);
    datum_set_double(out, n < 0 ? s * p : s / p);
}

static void do_round(const struct expr *e, struct expr_ctx *x, bool truncate, struct datum *out)
{
    struct datum d;
    int64_t n = 0;
    __int128 v;
    unsigned scale;

    if (!function_arg(e, x, 0, &d, out) || (e->n_args > 1 && !function_arg_int(e, x, 1, &n, out)))
        return;
    if (e->type.kind == DATUM_DOUBLE) {
        round_double(x, datum_to_double(&d), n, truncate, out);
        return;
    }
    if (!datum_to_decimal(&d, &v, &scale)) {
        datum_set_null(out);
        return;
    }
    if (n < -38) {
        v = 0;
    } else if (n < 0) {
        /* To tens, hundreds ...: as a decimal moved by -n places. */
        unsigned places = (unsigned)-n;
        bool ok = scale + places <= 38 || v == 0;
        if (!ok) {
            v = 0;
        } else {
            truncate ? decimal_truncate(v, scale + places, 0, &v)
                     : decimal_rescale(v, scale + places, 0, &v);
            if (!decimal_rescale(v, 0, places, &v))
                v = 0;
        }
        scale = 0;
    } else if ((uint64_t)n < scale) {
        truncate ? decimal_truncate(v, scale, (unsigned)n, &v)
                 : decimal_rescale(v, scale, (unsigned)n, &v);
        scale = (unsigned)n;
    }
    /* Digits beyond those of the value are zeros, as far as there is room. */
    __int128 wide;
    if (e->type.kind == DATUM_DECIMAL && scale < e->type.scale &&
        decimal_rescale(v, scale, e->type.scale, &wide)) {
        v = wide;
        scale = e->type.scale;
    }
    if (e->type.kind == DATUM_DECIMAL)
        datum_set_decimal(out, v, scale);
    else if (e->type.kind == DATUM_UINT)
        datum_set_uint(out, (uint64_t)v);
    else if (v < INT64_MIN || v > INT64_MAX)
        expr_fail(x, out, MYSQL_ER_DATA_OUT_OF_RANGE, "BIGINT", e->u.function->name);
    else
        datum_set_int(out, (int64_t)v);
}

static void eval_round(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    do_round(e, x, false, out);
}

static void eval_truncate(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    do_round(e, x, true, out);
}

/* FLOOR and CEIL: integers of exact numbers, doubles of the rest. */
static bool resolve_whole(struct expr *e, struct function_bind *b)
{
    const struct value_type *t = &e->args[0]->type;

    (void)b;
    if (t->kind == DATUM_INT || t->kind == DATUM_UINT) {
        e->type = *t;
    } else if (t->kind == DATUM_DECIMAL) {
        unsigned digits = t->precision > t->scale ? t->precision - t->scale + 1u : 1u;
        e->type = digits <= 18 ? value_type_int(digits) : value_type_decimal(digits, 0);
    } else {
        e->type = value_type_double();
        e->type.scale = 0;
    }
    return true;
}

static void do_whole(const struct expr *e, struct expr_ctx *x, bool up, struct datum *out)
{
    struct datum d;
    __int128 v, q;
    unsigned scale;

    if (!function_arg(e, x, 0, &d, out))
        return;
    if (e->type.kind == DATUM_DOUBLE) {
        double f = datum_to_double(&d);
        datum_set_double(out, up ? ceil(f) : floor(f));
        return;
    }
    if (!datum_to_decimal(&d, &v, &scale) || scale == 0) {
        *out = d;
        return;
    }
    q = v / decimal_pow10(scale);
    if (v % decimal_pow10(scale) != 0)
        q += up ? v > 0 : -(v < 0);
    if (e->type.kind == DATUM_DECIMAL)
        datum_set_decimal(out, q, 0);
    else
        datum_set_int(out, (int64_t)q);
}

static void eval_floor(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    do_whole(e, x, false, out);
}

static void eval_ceil(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    do_whole(e, x, true, out);
}

static bool resolve_same_number(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = is_exact(&e->args[0]->type) || e->args[0]->type.kind == DATUM_DOUBLE
                  ? e->args[0]->type
                  : value_type_double();
    return true;
}

static void eval_abs(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;

    if (!function_arg(e, x, 0, &d, out))
        return;
    if (d.kind == DATUM_INT && e->type.kind == DATUM_INT) {
        if (d.i == INT64_MIN)
            expr_fail(x, out, MYSQL_ER_DATA_OUT_OF_RANGE, "BIGINT", "abs");
        else
            datum_set_int(out, d.i < 0 ? -d.i : d.i);
    } else if (d.kind == DATUM_DECIMAL) {
        datum_set_decimal(out, d.dec < 0 ? -d.dec : d.dec, d.scale);
    } else if (d.kind == DATUM_UINT) {
        *out = d;
    } else {
        datum_set_double(out, fabs(datum_to_double(&d)));
    }
}

static void eval_sign(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;

    if (!function_arg(e, x, 0, &d, out))
        return;
    if (d.kind == DATUM_DECIMAL) {
        datum_set_int(out, (d.dec > 0) - (d.dec < 0));
        return;
    }
    double f = datum_to_double(&d);
    datum_set_int(out, (f > 0) - (f < 0));
}

/* ---- functions of doubles ---- */

static void put_double(const struct expr *e, struct expr_ctx *x, double v, struct datum *out)
{
    if (isnan(v))
        datum_set_null(out);
    else if (isinf(v))
        expr_fail(x, out, MYSQL_ER_DATA_OUT_OF_RANGE, "DOUBLE", e->u.function->name);
    else
        datum_set_double(out, v);
}

#define DOUBLE_FUNCTION(name, condition, expression)                                     \
    static void eval_##name(const struct expr *e, struct expr_ctx *x, struct datum *out) \
    {                                                                                    \
        double v;                                                                        \
        if (!function_arg_double(e, x, 0, &v, out))                                      \
            return;                                                                      \
        if (condition)                                                                   \
            put_double(e, x, expression, out);                                           \
        else                                                                             \
            datum_set_null(out);                                                         \
    }

DOUBLE_FUNCTION(sqrt, v >= 0, sqrt(v))
DOUBLE_FUNCTION(exp, true, exp(v))
DOUBLE_FUNCTION(ln, v > 0, log(v))
DOUBLE_FUNCTION(log2, v > 0, log2(v))
DOUBLE_FUNCTION(log10, v > 0, log10(v))
DOUBLE_FUNCTION(sin, true, sin(v))
DOUBLE_FUNCTION(cos, true, cos(v))
DOUBLE_FUNCTION(tan, true, tan(v))
DOUBLE_FUNCTION(cot, true, 1 / tan(v))
DOUBLE_FUNCTION(asin, v >= -1 && v <= 1, asin(v))
DOUBLE_FUNCTION(acos, v >= -1 && v <= 1, acos(v))
DOUBLE_FUNCTION(radians, true, v *(M_PI / 180))
DOUBLE_FUNCTION(degrees, true, v *(180 / M_PI))

static void eval_atan(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    double a, b;

    if (!function_arg_double(e, x, 0, &a, out))
        return;
    if (e->n_args == 1)
        put_double(e, x, atan(a), out);
    else if (function_arg_double(e, x, 1, &b, out))
        put_double(e, x, atan2(a, b), out);
}

static void eval_log(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    double a, b;

    if (!function_arg_double(e, x, 0, &a, out))
        return;
    if (e->n_args == 1) {
        if (a > 0)
            put_double(e, x, log(a), out);
        else
            datum_set_null(out);
        return;
    }
    if (!function_arg_double(e, x, 1, &b, out))
        return;
    if (a > 0 && b > 0 && a != 1)
        put_double(e, x, log(b) / log(a), out);
    else
        datum_set_null(out);
}

static void eval_pow(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    double a, b;

    if (function_arg_double(e, x, 0, &a, out) && function_arg_double(e, x, 1, &b, out))
        put_double(e, x, pow(a, b), out);
}

static bool resolve_pi(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_double();
    e->type.scale = 6;
    e->type.not_null = true;
    return true;
}

static void eval_pi(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    (void)x;
    datum_set_double(out, M_PI);
}

/* RAND(seed): two numbers below 2^30 - 1, as MariaDB draws them. */
struct seeded {
    bool started;
    uint32_t a, b;
};

enum { SEEDED_TOP = 0x3fffffff };

static bool resolve_rand(struct expr *e, struct function_bind *b)
{
    if (e->n_args && !(e->state = arena_alloc(b->arena, sizeof(struct seeded)))) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return false;
    }
    return function_is_double(e, b);
}

/* A constant seed begins one sequence per statement, any other a new one for each row. */
static void draw_seeded(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct seeded *s = e->state;
    struct datum d;
    int64_t seed = 0;

    if (!s->started || !expr_is_const(e->args[0])) {
        expr_eval(e->args[0], x, &d);
        if (d.kind != DATUM_NULL)
            datum_to_int(&d, &seed);
        s->a = ((uint32_t)seed * 0x10001u + 55555555u) % SEEDED_TOP;
        s->b = (uint32_t)seed * 0x10000001u % SEEDED_TOP;
        s->started = true;
    }
    s->a = (uint32_t)((s->a * 3ull + s->b) % SEEDED_TOP);
    s->b = (uint32_t)((s->a + s->b + 33ull) % SEEDED_TOP);
    datum_set_double(out, (double)s->a / (double)SEEDED_TOP);
}

static void eval_rand(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    if (e->n_args) {
        draw_seeded(e, x, out);
        return;
    }
    /* splitmix64 */
    uint64_t z = x->random += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    datum_set_double(out, (double)((z ^ z >> 31) >> 11) / 9007199254740992.0);
}

/* MOD(a, b) is a % b. */
static bool resolve_mod(struct expr *e, struct function_bind *b)
{
    struct expr *op = expr_new_arith(b->arena, SQL_OP_MOD, e->args[0], e->args[1]);

    if (!op)
        return false;
    *e = *op;
    return true;
}

/* ---- bits and bases ---- */

static bool arg_bits(const struct expr *e, struct expr_ctx *x, unsigned i, uint64_t *v,
                     struct datum *out)
{
    struct datum d;
    __int128 w;

    if (!function_arg(e, x, i, &d, out))
        return false;
    if (!datum_to_wide_int(&d, &w))
        w = INT64_MAX;
    *v = (uint64_t)w;
    return true;
}

static void eval_bit_count(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    uint64_t v;

    if (arg_bits(e, x, 0, &v, out))
        datum_set_int(out, __builtin_popcountll(v));
}

static bool resolve_base(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(64);
    return true;
}

static void put_base(struct expr_ctx *x, uint64_t v, bool negative, unsigned base,
                     struct datum *out)
{
    char buf[66], *p = buf + sizeof buf;
    char *copy;

    do {
        *--p = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[v % base];
        v /= base;
    } while (v);
    if (negative)
        *--p = '-';
    size_t n = (size_t)(buf + sizeof buf - p);
    copy = expr_alloc(x, n + 1);
    if (!copy) {
        datum_set_null(out);
        return;
    }
    memcpy(copy, p, n);
    datum_set_string(out, copy, n);
}

static void eval_bin(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    uint64_t v;

    if (arg_bits(e, x, 0, &v, out))
        put_base(x, v, false, 2, out);
}

static void eval_oct(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    uint64_t v;

    if (arg_bits(e, x, 0, &v, out))
        put_base(x, v, false, 8, out);
}

static void eval_conv(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len, i = 0;
    int64_t from, to;
    uint64_t v = 0;
    bool negative = false;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_int(e, x, 1, &from, out) ||
        !function_arg_int(e, x, 2, &to, out))
        return;
    uint64_t base = (uint64_t)(from < 0 ? -from : from), target = (uint64_t)(to < 0 ? -to : to);
    if (base < 2 || base > 36 || target < 2 || target > 36) {
        datum_set_null(out);
        return;
    }
    if (i < len && (s[i] == '-' || s[i] == '+'))
        negative = s[i++] == '-';
    for (; i < len; i++) {
        char c = s[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 10
                                                : 99;
        if (digit >= base)
            break;
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
            v = UINT64_MAX;
    }
    if (negative)
        v = -v;
    if (to < 0 && (int64_t)v < 0)
        put_base(x, -v, true, (unsigned)target, out);
    else
        put_base(x, v, false, (unsigned)target, out);
}

const struct function function_math[] = {
    {"round", 1, 2, 0, resolve_round, eval_round},
    {"truncate", 2, 2, 0, resolve_truncate, eval_truncate},
    {"floor", 1, 1, 0, resolve_whole, eval_floor},
    {"ceil", 1, 1, 0, resolve_whole, eval_ceil},
    {"ceiling", 1, 1, 0, resolve_whole, eval_ceil},
    {"abs", 1, 1, 0, resolve_same_number, eval_abs},
    {"sign", 1, 1, 0, function_is_int, eval_sign},
    {"sqrt", 1, 1, 0, function_is_double, eval_sqrt},
    {"exp", 1, 1, 0, function_is_double, eval_exp},
    {"ln", 1, 1, 0, function_is_double, eval_ln},
    {"log", 1, 2, 0, function_is_double, eval_log},
    {"log2", 1, 1, 0, function_is_double, eval_log2},
    {"log10", 1, 1, 0, function_is_double, eval_log10},
    {"pow", 2, 2, 0, function_is_double, eval_pow},
    {"power", 2, 2, 0, function_is_double, eval_pow},
    {"mod", 2, 2, 0, resolve_mod, NULL},
    {"sin", 1, 1, 0, function_is_double, eval_sin},
    {"cos", 1, 1, 0, function_is_double, eval_cos},
    {"tan", 1, 1, 0, function_is_double, eval_tan},
    {"cot", 1, 1, 0, function_is_double, eval_cot},
    {"asin", 1, 1, 0, function_is_double, eval_asin},
    {"acos", 1, 1, 0, function_is_double, eval_acos},
    {"atan", 1, 2, 0, function_is_double, eval_atan},
    {"atan2", 2, 2, 0, function_is_double, eval_atan},
    {"radians", 1, 1, 0, function_is_double, eval_radians},
    {"degrees", 1, 1, 0, function_is_double, eval_degrees},
    {"pi", 0, 0, 0, resolve_pi, eval_pi},
    {"rand", 0, 1, FUNCTION_VOLATILE, resolve_rand, eval_rand},
    {"bit_count", 1, 1, 0, function_is_int, eval_bit_count},
    {"bin", 1, 1, 0, resolve_base, eval_bin},
    {"oct", 1, 1, 0, resolve_base, eval_oct},
    {"conv", 3, 3, 0, resolve_base, eval_conv},
    {0},
};
