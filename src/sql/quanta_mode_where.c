/*
 * Conditions. = NULL is IS NULL; a negation holds where the condition does not, also for NULL; AND beside OR: all that
 * OR joins, cut with all that AND joins, whatever the parentheses.
 */
#include <stdlib.h>
#include <string.h>

#include "sql/quanta_mode_impl.h"

static struct sql_expr *condition(struct quanta_mode *m, struct sql_expr *e, bool negated);

bool mode_is_null(const struct quanta_mode *m, const struct sql_expr *e)
{
    const struct statement *s = m->s;

    if (e->kind == SQL_EXPR_PARAM && s->params && (uint64_t)e->v.integer < s->n_params)
        return s->params[e->v.integer].kind == DATUM_NULL;
    return e->kind == SQL_EXPR_NULL;
}

static struct sql_expr *is_null(struct quanta_mode *m, struct sql_expr *e, bool negated)
{
    return mode_node(m, SQL_EXPR_IS, SQL_IS_NULL, negated ? SQL_FLAG_NOT : 0, e, &e, 1);
}

/* Where it does not hold. */
static struct sql_expr *complement(struct quanta_mode *m, struct sql_expr *e)
{
    return e ? mode_node(m, SQL_EXPR_IS, SQL_IS_TRUE, SQL_FLAG_NOT, e, &e, 1) : NULL;
}

static struct sql_expr *with_flags(struct quanta_mode *m, struct sql_expr *e, unsigned op,
                                   unsigned flags)
{
    if (e->op == op && e->flags == flags)
        return e;
    return mode_node(m, e->kind, op, flags, e, e->v.args, e->count);
}

/* A value that a scan can compare with. */
static bool is_plain(const struct quanta_mode *m, const struct sql_expr *e)
{
    return (sql_expr_is_literal(e) || e->kind == SQL_EXPR_PARAM) && !mode_is_null(m, e);
}

/* The complement of a comparison of a column with plain values as the cores know it: NOT, or NULL. */
static struct sql_expr *negation(struct quanta_mode *m, struct sql_expr *e, unsigned op,
                                 unsigned not_op, unsigned flags)
{
    bool plain = e->v.args[0]->kind == SQL_EXPR_COLUMN;

    for (uint32_t i = 1; i < e->count; i++)
        plain &= is_plain(m, e->v.args[i]);
    if (!plain)
        return complement(m, with_flags(m, e, op, flags & ~(unsigned)SQL_FLAG_NOT));
    struct sql_expr *parts[] = {with_flags(m, e, not_op, flags), is_null(m, e->v.args[0], false)};
    if (!parts[0] || !parts[1])
        return NULL;
    return mode_node(m, SQL_EXPR_OR, 0, 0, e, parts, 2);
}

/* ---- digits ---- */

/* Digits after the point of a number written out, zeros at its end left out; 0 for texts that are none. */
static unsigned fraction_digits(const struct sql_expr *e)
{
    const char *s = e->v.text, *end = s + e->count, *point = NULL;

    if (e->kind != SQL_EXPR_DECIMAL && e->kind != SQL_EXPR_STRING)
        return 0;
    for (const char *p = s; p < end; p++) {
        if (*p == '.' && !point)
            point = p;
        else if ((*p < '0' || *p > '9') && !(p == s && (*p == '-' || *p == '+')))
            return 0;
    }
    while (point && end > point + 1 && end[-1] == '0')
        end--;
    return point ? (unsigned)(end - point - 1) : 0;
}

/* A number with more digits than the column has would never be found: refused. */
static bool has_sound_digits(struct quanta_mode *m, const struct sql_expr *e)
{
    const struct column *c = NULL;

    for (uint32_t i = 0; i < e->count && !c; i++)
        if (e->v.args[i]->kind == SQL_EXPR_COLUMN)
            mode_find(m, e->v.args[i]->v.column, &c);
    if (!c || c->type != COLUMN_DECIMAL)
        return true;
    for (uint32_t i = 0; i < e->count; i++)
        if (fraction_digits(e->v.args[i]) > c->scale)
            return mode_refuse(m,
                               "this would result in rounding error for field '%s', value should "
                               "have %u decimal places",
                               c->name, c->scale);
    return true;
}

/* ---- comparisons ---- */

static bool is_comparison(const struct sql_expr *e)
{
    return e->kind == SQL_EXPR_BINARY && e->op >= SQL_OP_EQ && e->op <= SQL_OP_GE;
}

static struct sql_expr *compare(struct quanta_mode *m, struct sql_expr *e, bool negated)
{
    struct sql_expr **args = e->v.args;
    bool equal = e->op == SQL_OP_EQ || e->op == SQL_OP_NULL_EQ || e->op == SQL_OP_NE;
    int null = equal && mode_is_null(m, args[1]) ? 1 : equal && mode_is_null(m, args[0]) ? 0 : -1;

    negated ^= e->op == SQL_OP_NE;
    if (null >= 0)
        return is_null(m, args[!null], negated);
    if (!has_sound_digits(m, e))
        return NULL;
    if (e->op == SQL_OP_EQ || e->op == SQL_OP_NE)
        return negated ? negation(m, e, SQL_OP_EQ, SQL_OP_NE, e->flags)
                       : with_flags(m, e, SQL_OP_EQ, e->flags);
    return negated ? complement(m, e) : e;
}

/* x IN (1, NULL) is x IN (1): nothing equals NULL, and its complement is all others. */
static struct sql_expr *without_nulls(struct quanta_mode *m, struct sql_expr *e)
{
    uint32_t n = 1;
    struct sql_expr **args = statement_alloc(m->s, e->count * sizeof *args);

    if (!args)
        return NULL;
    args[0] = e->v.args[0];
    for (uint32_t i = 1; i < e->count; i++)
        if (!mode_is_null(m, e->v.args[i]))
            args[n++] = e->v.args[i];
    return n == 1 || n == e->count ? e : mode_node(m, e->kind, e->op, e->flags, e, args, n);
}

/* BETWEEN, IN, LIKE. */
static struct sql_expr *membership(struct quanta_mode *m, struct sql_expr *e, bool negated)
{
    if (e->kind == SQL_EXPR_IN && !(e = without_nulls(m, e)))
        return NULL;
    negated ^= (e->flags & SQL_FLAG_NOT) != 0;
    if (e->kind != SQL_EXPR_LIKE && !has_sound_digits(m, e))
        return NULL;
    if (negated)
        return negation(m, e, e->op, e->op, e->flags | SQL_FLAG_NOT);
    return with_flags(m, e, e->op, e->flags & ~(unsigned)SQL_FLAG_NOT);
}

static struct sql_expr *in_query(struct quanta_mode *m, struct sql_expr *e, bool negated)
{
    negated ^= (e->flags & SQL_FLAG_NOT) != 0;
    if (!negated)
        return mode_node(m, e->kind, e->op, e->flags & ~(unsigned)SQL_FLAG_NOT, e, NULL, 0);
    e = mode_node(m, e->kind, e->op, e->flags & ~(unsigned)SQL_FLAG_NOT, e, NULL, 0);
    return complement(m, e);
}

/* ---- AND and OR ---- */

/* What AND and OR join, in the order of the text. Each part has the operator before it, the first one the outermost. */
struct parts {
    struct sql_expr **all, **any; /* one array, from both ends */
    uint32_t n_all, n_any;
};

static uint32_t count_parts(const struct sql_expr *e)
{
    uint32_t n = 0;

    if (e->kind != SQL_EXPR_AND && e->kind != SQL_EXPR_OR)
        return 1;
    for (uint32_t i = 0; i < e->count; i++)
        n += count_parts(e->v.args[i]);
    return n;
}

static bool collect(struct quanta_mode *m, struct parts *p, struct sql_expr *e, unsigned op)
{
    if (e->kind == SQL_EXPR_AND || e->kind == SQL_EXPR_OR) {
        for (uint32_t i = 0; i < e->count; i++)
            if (!collect(m, p, e->v.args[i], i ? e->kind : op))
                return false;
        return true;
    }
    struct sql_expr *c = condition(m, e, false);
    if (op == SQL_EXPR_OR)
        p->any[p->n_any++] = c;
    else
        p->all[p->n_all++] = c;
    return c != NULL;
}

static struct sql_expr *logic(struct quanta_mode *m, struct sql_expr *e)
{
    uint32_t n = count_parts(e) + 1;
    struct parts p = {0};

    /* One place more in front: for the union among what is cut. */
    p.all = statement_alloc(m->s, 2 * n * sizeof *p.all);
    if (!p.all)
        return NULL;
    p.any = p.all + n;
    if (!collect(m, &p, e, e->kind))
        return NULL;
    if (!p.n_any)
        return mode_node(m, SQL_EXPR_AND, 0, 0, e, p.all, p.n_all);
    struct sql_expr *any =
        p.n_any == 1 ? p.any[0] : mode_node(m, SQL_EXPR_OR, 0, 0, e, p.any, p.n_any);
    if (!any || !p.n_all)
        return any;
    p.all[p.n_all++] = any;
    return mode_node(m, SQL_EXPR_AND, 0, 0, e, p.all, p.n_all);
}

static struct sql_expr *condition(struct quanta_mode *m, struct sql_expr *e, bool negated)
{
    switch ((enum sql_expr_kind)e->kind) {
    case SQL_EXPR_AND:
    case SQL_EXPR_OR:
        e = logic(m, e);
        return negated ? complement(m, e) : e;
    case SQL_EXPR_UNARY:
        if (e->op == SQL_OP_NOT)
            return condition(m, e->v.args[0], !negated);
        break;
    case SQL_EXPR_BINARY:
        if (is_comparison(e))
            return compare(m, e, negated);
        break;
    case SQL_EXPR_BETWEEN:
    case SQL_EXPR_IN:
    case SQL_EXPR_LIKE:
        return membership(m, e, negated);
    case SQL_EXPR_IS:
        return negated ? with_flags(m, e, e->op, e->flags ^ SQL_FLAG_NOT) : e;
    case SQL_EXPR_IN_QUERY:
        return in_query(m, e, negated);
    default:
        break;
    }
    return negated ? complement(m, e) : e;
}

struct sql_expr *mode_condition(struct quanta_mode *m, struct sql_expr *e)
{
    return condition(m, e, false);
}
