#include "sql/plan_subquery.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"

/* In the order the left side is compared in: texts against numbers as numbers. */
static int compare(const struct subquery *q, const struct datum *a, const struct datum *b)
{
    bool unknown;

    return datum_compare_as(q->class, a, b, &unknown);
}

/* Each value of a multi-valued cell is a member. */
static int add_values(struct subquery *q, const struct datum *cell)
{
    const char *p = cell->s, *end = cell->s + cell->len;
    struct datum d;
    int rc = 0;

    while (p <= end && rc == 0) {
        const char *next = memchr(p, q->delim, (size_t)(end - p));
        if (!next)
            next = end;
        datum_set_string(&d, p, (size_t)(next - p));
        rc = datum_set_add(&q->set, &d);
        p = next + 1;
    }
    return rc;
}

int subquery_add_row(struct subquery *q, const struct datum *cells, struct arena *a)
{
    struct datum d;

    q->exists = true;
    q->rows++;
    switch (q->use) {
    case SUBQUERY_EXISTS:
        return 1;
    case SUBQUERY_SCALAR:
        if (q->rows > 1)
            return -E2BIG;
        return datum_copy(&q->value, &cells[0], a) ? 0 : -ENOMEM;
    case SUBQUERY_IN:
        return q->delim && cells[0].kind == DATUM_STRING ? add_values(q, &cells[0])
                                                         : datum_set_add(&q->set, &cells[0]);
    case SUBQUERY_IN_ROWS:
        return row_set_add(&q->row_set, cells);
    case SUBQUERY_QUANTIFIED:
        if (cells[0].kind == DATUM_NULL) {
            q->has_null = true;
            return 0;
        }
        if (q->min.kind == DATUM_NULL || compare(q, &cells[0], &q->min) < 0) {
            if (!datum_copy(&d, &cells[0], a))
                return -ENOMEM;
            q->min = d;
        }
        if (q->max.kind == DATUM_NULL || compare(q, &cells[0], &q->max) > 0) {
            if (!datum_copy(&d, &cells[0], a))
                return -ENOMEM;
            q->max = d;
        }
        return 0;
    }
    return 0;
}

void subquery_eval_scalar(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)x;
    ASSERT(e->u.subquery->done);
    *out = e->u.subquery->value;
}

void subquery_eval_exists(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)x;
    ASSERT(e->u.subquery->done);
    datum_set_int(out, e->u.subquery->exists != e->negated);
}

void subquery_eval_in(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const struct subquery *q = e->u.subquery;
    struct datum d;

    ASSERT(q->done);
    if (q->rows == 0) { /* nothing is in the empty set, not even NULL */
        datum_set_int(out, e->negated);
        return;
    }
    expr_eval(e->args[0], x, &d);
    datum_round_to_type(&d, &e->args[0]->type);
    if (d.kind == DATUM_NULL)
        datum_set_null(out);
    else if (datum_set_contains(&q->set, &d))
        datum_set_int(out, !e->negated);
    else if (q->set.has_null)
        datum_set_null(out);
    else
        datum_set_int(out, e->negated);
}

void subquery_eval_in_rows(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const struct subquery *q = e->u.subquery;
    struct datum *cells = expr_alloc(x, e->n_args * sizeof *cells);

    ASSERT(q->done);
    datum_set_null(out);
    if (!cells)
        return;
    for (uint32_t i = 0; i < e->n_args; i++) {
        expr_eval(e->args[i], x, &cells[i]);
        datum_round_to_type(&cells[i], &e->args[i]->type);
    }
    int found = row_set_contains(&q->row_set, cells, !e->all);
    if (found >= 0)
        datum_set_int(out, (found == 1) != e->negated);
}

static bool holds(uint8_t op, int c)
{
    switch (op) {
    case SQL_OP_EQ:
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

/*
 * ANY holds when it holds for the smallest or the largest value, ALL when it holds for both: true of
 * every comparison but = ANY and <> ALL, which the binder turns into IN.
 */
void subquery_eval_quantified(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const struct subquery *q = e->u.subquery;
    struct datum d;
    bool u1, u2;

    ASSERT(q->done);
    if (q->rows == 0) {
        datum_set_int(out, e->all);
        return;
    }
    expr_eval(e->args[0], x, &d);
    datum_set_null(out);
    if (d.kind == DATUM_NULL)
        return;
    if (q->min.kind == DATUM_NULL)
        return;
    bool low = holds(e->op, datum_compare_as(e->class, &d, &q->min, &u1));
    bool high = holds(e->op, datum_compare_as(e->class, &d, &q->max, &u2));
    if (u1 || u2)
        return;
    if (e->all ? !(low && high) : (low || high))
        datum_set_int(out, !e->all);
    else if (!q->has_null)
        datum_set_int(out, e->all);
}
