/* Comparisons, BETWEEN, IN, LIKE. A multi-valued column satisfies them when any of its values does;
 * NOT is the complement among the rows that have values. */
#include <string.h>

#include "reactor/assert.h"
#include "sql/decimal.h"
#include "sql/function.h"
#include "sql/plan_subquery.h"
#include "sql/value_convert.h"
#include "storage/like.h"

static bool holds(uint8_t op, int c)
{
    switch (op) {
    case SQL_OP_EQ:
    case SQL_OP_NULL_EQ:
        return c == 0;
    case SQL_OP_NE:
        return c != 0;
    case SQL_OP_LT:
        return c < 0;
    case SQL_OP_LE:
        return c <= 0;
    case SQL_OP_GT:
        return c > 0;
    default:
        return c >= 0;
    }
}

/* Operand i rounded to the digits its type announces, as MySQL compares it. */
static void operand(const struct expr *e, struct expr_ctx *x, unsigned i, struct datum *d)
{
    expr_eval(e->args[i], x, d);
    if (d->kind == DATUM_DECIMAL)
        datum_round_to_type(d, &e->args[i]->type);
}

static void eval_compare_int(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;

    expr_eval(e->args[0], x, &a);
    expr_eval(e->args[1], x, &b);
    if (a.kind == DATUM_NULL || b.kind == DATUM_NULL)
        datum_set_null(out);
    else
        datum_set_int(out, holds(e->op, (a.i > b.i) - (a.i < b.i)));
}

static void eval_compare(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;
    bool unknown;

    operand(e, x, 0, &a);
    operand(e, x, 1, &b);
    if (a.kind == DATUM_NULL || b.kind == DATUM_NULL) {
        if (e->op == SQL_OP_NULL_EQ)
            datum_set_int(out, a.kind == b.kind);
        else
            datum_set_null(out);
        return;
    }
    int c = datum_compare_as(e->class, &a, &b, &unknown);
    if (unknown && e->op == SQL_OP_NULL_EQ)
        datum_set_int(out, 0);
    else if (unknown)
        datum_set_null(out);
    else
        datum_set_int(out, holds(e->op, c));
}

static void eval_between(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum v, lo, hi;
    bool u1 = true, u2 = true;
    int t = 1, c;

    operand(e, x, 0, &v);
    operand(e, x, 1, &lo);
    operand(e, x, 2, &hi);
    datum_set_null(out);
    if (v.kind == DATUM_NULL)
        return;
    /* x >= lo AND x <= hi: false when one side is, whatever the other. */
    if (lo.kind != DATUM_NULL) {
        c = datum_compare_as(e->class, &v, &lo, &u1);
        if (!u1 && c < 0)
            t = 0;
    }
    if (t && hi.kind != DATUM_NULL) {
        c = datum_compare_as(e->class, &v, &hi, &u2);
        if (!u2 && c > 0)
            t = 0;
    }
    if (t == 0)
        datum_set_int(out, e->negated);
    else if (!u1 && !u2)
        datum_set_int(out, !e->negated);
}

static void eval_in_set(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const struct datum_set *s = e->state;
    struct datum v;

    operand(e, x, 0, &v);
    if (v.kind == DATUM_NULL)
        datum_set_null(out);
    else if (datum_set_contains(s, &v))
        datum_set_int(out, !e->negated);
    else if (s->has_null)
        datum_set_null(out);
    else
        datum_set_int(out, e->negated);
}

static void eval_in(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum v, d;
    bool unknown, seen_unknown = false;

    operand(e, x, 0, &v);
    datum_set_null(out);
    if (v.kind == DATUM_NULL)
        return;
    for (uint32_t i = 1; i < e->n_args; i++) {
        operand(e, x, i, &d);
        if (d.kind == DATUM_NULL) {
            seen_unknown = true;
            continue;
        }
        int c = datum_compare_as(compare_class_of(&e->args[0]->type, &e->args[i]->type), &v, &d,
                                 &unknown);
        if (!unknown && c == 0) {
            datum_set_int(out, !e->negated);
            return;
        }
        seen_unknown |= unknown;
    }
    if (!seen_unknown)
        datum_set_int(out, e->negated);
}

static void eval_like(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum a, b;
    size_t n, m;

    expr_eval(e->args[0], x, &a);
    expr_eval(e->args[1], x, &b);
    datum_set_null(out);
    if (a.kind == DATUM_NULL || b.kind == DATUM_NULL)
        return;
    const char *s = function_text(x, &a, &e->args[0]->type, &n),
               *p = function_text(x, &b, &e->args[1]->type, &m);
    if (s && p)
        datum_set_int(out, like_match(s, (uint32_t)n, p, (uint32_t)m, e->u.escape) != e->negated);
}

/* ---- multi-valued columns ---- */

/* Runs the comparison for each value of the list; negation is applied to the whole. */
static void eval_any(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct expr *one = e->state;
    struct datum v, r;
    bool unknown = false;

    expr_eval(e->args[0], x, &v);
    datum_set_null(out);
    if (v.kind == DATUM_NULL) {
        if (e->kind == EXPR_COMPARE && e->op == SQL_OP_NULL_EQ) {
            struct datum b;
            expr_eval(e->args[1], x, &b);
            datum_set_int(out, b.kind == DATUM_NULL);
        } else if (e->kind == EXPR_IN_QUERY || e->kind == EXPR_QUANTIFIED) {
            /* Known even of NULL when the subquery has no rows. */
            datum_set_null(&one->args[0]->u.value);
            one->eval(one, x, &r);
            if (datum_truth(&r) >= 0)
                datum_set_int(out, (datum_truth(&r) == 1) != e->negated);
        }
        return;
    }
    const char *p = v.s, *end = v.s + v.len;
    bool found = false;
    while (p <= end && !found) {
        const char *q = memchr(p, e->delim, (size_t)(end - p));
        if (!q)
            q = end;
        datum_set_string(&one->args[0]->u.value, p, (size_t)(q - p));
        one->eval(one, x, &r);
        int t = datum_truth(&r);
        found = t == 1;
        unknown |= t < 0;
        p = q + 1;
    }
    if (found)
        datum_set_int(out, !(e->negated || e->op == SQL_OP_NE));
    else if (!unknown)
        datum_set_int(out, e->negated || e->op == SQL_OP_NE);
}

/* Replaces the evaluator of a node over a multi-valued column by one that tries each value. */
static void prepare_any(struct expr *e, struct arena *a)
{
    struct expr *one = arena_alloc(a, sizeof *one);
    struct expr *value = expr_new(a, EXPR_CONST, 0);

    if (!one || !value || !(one->args = arena_alloc(a, e->n_args * sizeof *one->args)))
        return;
    struct expr **args = one->args;
    *one = *e;
    one->args = args;
    memcpy(args, e->args, e->n_args * sizeof *args);
    value->type = e->args[0]->type;
    expr_prepare(value, a);
    value->type = e->args[0]->type;
    args[0] = value;
    one->negated = false;
    one->delim = 0;
    if (one->kind == EXPR_COMPARE && one->op == SQL_OP_NE)
        one->op = SQL_OP_EQ;
    e->delim = e->args[0]->delim;
    e->state = one;
    e->eval = eval_any;
}

/* ---- set-up ---- */

/* 0x41 against a number is one; one that fits is an integer, which the cores compare. */
static void read_bits(struct expr **constant, const struct expr *other, struct arena *a)
{
    struct expr *e = *constant;

    if (!e->is_bits || !datum_kind_is_number(other->type.kind) || !(e = expr_as_number(a, e)))
        return;
    if (e->u.value.u <= INT64_MAX) {
        datum_set_int(&e->u.value, (int64_t)e->u.value.u);
        e->type.kind = DATUM_INT;
    }
    *constant = e;
}

/* A constant text against an exact number is read exactly, when it is a number: 9007199254740993
 * stays itself. */
static void read_exactly(struct expr **constant, const struct expr *other, struct arena *a)
{
    __int128 v;
    unsigned scale;
    size_t used;

    read_bits(constant, other, a);
    struct expr *c = *constant;
    if (c->kind != EXPR_CONST || c->u.value.kind != DATUM_STRING || !c->u.value.len ||
        (other->type.kind != DATUM_INT && other->type.kind != DATUM_DECIMAL) ||
        other->kind == EXPR_CONST)
        return;
    if (!datum_string_is_number(c->u.value.s, c->u.value.len) ||
        !decimal_parse(c->u.value.s, c->u.value.len, &v, &scale, &used))
        return;
    struct datum d;
    datum_set_decimal(&d, v, scale);
    struct value_type t = value_type_decimal(decimal_digits(v), scale);
    struct expr *e = expr_new_const(a, &d, &t);
    if (!e)
        return;
    e->text = c->text;
    e->text_len = c->text_len;
    *constant = e;
}

static void prepare_in(struct expr *e, struct arena *a)
{
    bool constant = true;
    int class = -1;

    for (uint32_t i = 1; i < e->n_args; i++)
        read_bits(&e->args[0], e->args[i], a);
    for (uint32_t i = 1; i < e->n_args; i++) {
        read_exactly(&e->args[i], e->args[0], a);
        constant &= e->args[i]->kind == EXPR_CONST;
        if (e->args[i]->kind == EXPR_CONST && e->args[i]->u.value.kind == DATUM_NULL)
            continue;
        int c = (int)compare_class_of(&e->args[0]->type, &e->args[i]->type);
        if (c == COMPARE_INT)
            c = COMPARE_DECIMAL;
        if (class >= 0 && class != c)
            constant = false;
        class = c;
    }
    e->class = (uint8_t)(class < 0 ? COMPARE_STRING : class);
    e->eval = eval_in;
    if (!constant || e->class == COMPARE_TIME || e->class == COMPARE_DATETIME)
        return;
    struct datum_set *s = arena_alloc(a, sizeof *s);
    if (!s)
        return;
    datum_set_init(s, e->class, a);
    for (uint32_t i = 1; i < e->n_args; i++) {
        struct datum d = e->args[i]->u.value;
        datum_round_to_type(&d, &e->args[i]->type);
        if (datum_set_add(s, &d) != 0)
            return;
    }
    e->state = s;
    e->eval = eval_in_set;
}

void expr_prepare_compare(struct expr *e, struct arena *a)
{
    e->type = value_type_int(1);
    switch ((enum expr_kind)e->kind) {
    case EXPR_COMPARE:
        read_exactly(&e->args[0], e->args[1], a);
        read_exactly(&e->args[1], e->args[0], a);
        e->class = (uint8_t)compare_class_of(&e->args[0]->type, &e->args[1]->type);
        e->eval =
            e->class == COMPARE_INT && e->op != SQL_OP_NULL_EQ ? eval_compare_int : eval_compare;
        break;
    case EXPR_BETWEEN: {
        read_bits(&e->args[0], e->args[1], a);
        read_bits(&e->args[0], e->args[2], a);
        read_exactly(&e->args[1], e->args[0], a);
        read_exactly(&e->args[2], e->args[0], a);
        enum compare_class c1 = compare_class_of(&e->args[0]->type, &e->args[1]->type);
        enum compare_class c2 = compare_class_of(&e->args[0]->type, &e->args[2]->type);
        e->class = (uint8_t)(c1 > c2 ? c1 : c2);
        e->eval = eval_between;
        break;
    }
    case EXPR_IN:
        prepare_in(e, a);
        break;
    case EXPR_LIKE:
        e->eval = eval_like;
        break;
    case EXPR_IN_QUERY:
        e->eval = subquery_evaluator(e->u.subquery, subquery_eval_in);
        break;
    case EXPR_IN_ROWS: /* its arguments have one value each */
        e->eval = subquery_evaluator(e->u.subquery, subquery_eval_in_rows);
        return;
    case EXPR_QUANTIFIED:
        e->eval = subquery_evaluator(e->u.subquery, subquery_eval_quantified);
        break;
    default:
        ASSERT(false);
    }
    if (e->args[0]->kind == EXPR_COLUMN && e->args[0]->delim)
        prepare_any(e, a);
}
