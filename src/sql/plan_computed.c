/*
 * Arithmetic that the cores can do: + - * over integer and decimal columns and constants, as chains of operations
 * with two operands on scaled integers. Division and doubles are left to the gateway.
 */
#include <string.h>

#include "sql/plan.h"
#include "sql/value_convert.h"

enum { MAX_SCALE = 18 }; /* of what fits 64 bits */

/* The scan and what has been found so far. */
struct computing {
    const struct plan_scan *scan;
    struct plan_computed *found;
};

static bool compute(struct computing *x, const struct expr *e, struct program_operand *o,
                    unsigned *scale);

static bool is_exact(const struct column *c)
{
    return c->type == COLUMN_INT || c->type == COLUMN_DECIMAL;
}

static bool column_operand(const struct computing *x, const struct expr *e,
                           struct program_operand *o, unsigned *scale)
{
    const struct column *c = plan_plain_column(x->scan, e, &o->column);

    if (!c || !is_exact(c) || (o->column < PROGRAM_PARENT && c->layout != LAYOUT_ORDERED))
        return false;
    o->factor = 1;
    *scale = c->type == COLUMN_DECIMAL ? c->scale : 0;
    return true;
}

static bool constant_operand(const struct expr *e, struct program_operand *o, unsigned *scale)
{
    const struct datum *d = &e->u.value;
    __int128 v;

    if ((d->kind != DATUM_INT && d->kind != DATUM_DECIMAL) || !datum_to_decimal(d, &v, scale) ||
        v < INT64_MIN || v > INT64_MAX)
        return false;
    *o = (struct program_operand){PROGRAM_CONSTANT, (int64_t)v};
    return true;
}

/* Brings an operand to a larger scale. */
static bool rescale(struct program_operand *o, unsigned from, unsigned to)
{
    for (; from < to; from++)
        if (__builtin_mul_overflow(o->factor, 10, &o->factor))
            return false;
    return true;
}

static bool is_same_operation(const struct program_computed *a, const struct program_computed *b)
{
    return a->kind == b->kind && a->operands[0].column == b->operands[0].column &&
           a->operands[0].factor == b->operands[0].factor &&
           a->operands[1].column == b->operands[1].column &&
           a->operands[1].factor == b->operands[1].factor;
}

/* Operations of a value, those of its operands included. */
static unsigned operations(const struct plan_computed *f, uint16_t column)
{
    if (column < PROGRAM_COMPUTED || column == PROGRAM_CONSTANT)
        return 0;
    const struct program_computed *c = &f->list[column - PROGRAM_COMPUTED];
    return 1 + operations(f, c->operands[0].column) + operations(f, c->operands[1].column);
}

/* The operation among those found, or one more. The same number may stand for values of two scales: a * 10, a * 1.0. */
static bool add(struct plan_computed *f, const struct program_computed *c, const struct expr *e,
                unsigned scale, uint16_t *position)
{
    struct column column = {
        .type = e->type.kind == DATUM_DECIMAL ? COLUMN_DECIMAL : COLUMN_INT,
        .scale = (uint8_t)scale,
        .layout = LAYOUT_ORDERED,
    };
    uint16_t i = 0;

    while (i < f->n && !(is_same_operation(&f->list[i], c) && f->columns[i].type == column.type &&
                         f->columns[i].scale == column.scale))
        i++;
    *position = (uint16_t)(PROGRAM_COMPUTED + i);
    if (i < f->n)
        return true;
    if (f->n == PROGRAM_MAX_COMPUTED ||
        1 + operations(f, c->operands[0].column) + operations(f, c->operands[1].column) >
            PROGRAM_MAX_OPERATIONS)
        return false;
    f->list[i] = *c;
    f->exprs[i] = e;
    f->columns[i] = column;
    f->n++;
    return true;
}

static bool operation(struct computing *x, const struct expr *e, uint16_t *position,
                      unsigned *scale)
{
    struct program_computed c = {.kind = e->op == SQL_OP_MUL   ? COMPUTED_MULTIPLY
                                         : e->op == SQL_OP_ADD ? COMPUTED_ADD
                                                               : COMPUTED_SUBTRACT};
    unsigned scales[2] = {0};
    bool is_sign = e->op == SQL_OP_NEG;

    if (is_sign) /* 0 - x */
        c.operands[0] = (struct program_operand){.column = PROGRAM_CONSTANT};
    else if (!compute(x, e->args[0], &c.operands[0], &scales[0]))
        return false;
    if (!compute(x, e->args[is_sign ? 0 : 1], &c.operands[1], &scales[1]))
        return false;
    if (c.kind == COMPUTED_MULTIPLY) {
        *scale = scales[0] + scales[1];
    } else {
        *scale = scales[0] > scales[1] ? scales[0] : scales[1];
        if (!rescale(&c.operands[0], scales[0], *scale) ||
            !rescale(&c.operands[1], scales[1], *scale))
            return false;
    }
    return *scale <= MAX_SCALE && *scale == (e->type.kind == DATUM_DECIMAL ? e->type.scale : 0) &&
           add(x->found, &c, e, *scale, position);
}

static bool compute(struct computing *x, const struct expr *e, struct program_operand *o,
                    unsigned *scale)
{
    if (e->kind == EXPR_CONST)
        return constant_operand(e, o, scale);
    if (!expr_is_exact_arith(e))
        return column_operand(x, e, o, scale);
    o->factor = 1;
    return operation(x, e, &o->column, scale);
}

bool plan_compute(const struct plan_scan *scan, struct plan_computed *c, const struct expr *e,
                  uint16_t *position)
{
    struct computing x = {.scan = scan, .found = c};
    unsigned scale;

    return expr_is_exact_arith(e) && operation(&x, e, position, &scale);
}
