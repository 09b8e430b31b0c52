#include "sql/plan_subquery.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"

/* In the order the left side is compared in: texts against numbers as numbers. */
bool subquery_widen(enum compare_class class, const struct datum *d, struct datum *min,
                    struct datum *max, struct arena *a)
{
    struct datum copy;
    bool unknown;
    bool low = min->kind == DATUM_NULL || datum_compare_as(class, d, min, &unknown) < 0;
    bool high = max->kind == DATUM_NULL || datum_compare_as(class, d, max, &unknown) > 0;

    if (!low && !high)
        return true;
    if (!datum_copy(&copy, d, a))
        return false;
    if (low)
        *min = copy;
    if (high)
        *max = copy;
    return true;
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
    if (q->mode == SUBQUERY_KEYED)
        return subquery_keyed_add(q, cells, a);
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
        return subquery_widen(q->class, &cells[0], &q->min, &q->max, a) ? 0 : -ENOMEM;
    }
    return 0;
}

void subquery_clear(struct subquery *q, struct arena *a)
{
    datum_set_null(&q->value);
    datum_set_null(&q->min);
    datum_set_null(&q->max);
    q->exists = q->has_null = false;
    q->rows = 0;
    if (q->use == SUBQUERY_IN)
        datum_set_init(&q->set, q->class, a);
    if (q->use == SUBQUERY_IN_ROWS)
        row_set_init(&q->row_set, q->row_set.width, q->row_set.classes, a);
}

void subquery_eval_outer(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)x;
    *out = e->u.outer->value;
}

void subquery_take_params(const struct expr *e, struct expr_ctx *x)
{
    const struct subquery *q = e->u.subquery;
    uint32_t i = e->n_args - q->n_params;

    for (struct outer_param *p = q->params; p; p = p->next, i++) {
        struct datum d; /* an argument may read the parameters of the query around */
        expr_eval(e->args[i], x, &d);
        datum_round_to_type(&d, &e->args[i]->type);
        p->value = d;
    }
}

/* Its operator has run the subquery for all values that come. */
static void eval_per_row(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const struct subquery_cache *c = e->u.subquery->cache;
    struct datum *key = expr_alloc(x, (e->n_args + 1) * sizeof *key);

    datum_set_null(out);
    if (!key)
        return;
    for (uint32_t i = 0; i < e->n_args; i++) {
        expr_eval(e->args[i], x, &key[i]);
        datum_round_to_type(&key[i], &e->args[i]->type);
    }
    int64_t at =
        c ? group_table_find(&c->table, key, e->n_args, group_table_hash(key, e->n_args)) : -1;
    if (at >= 0)
        *out = c->results[at];
    else
        expr_fail(x, out, MYSQL_ER_NOT_SUPPORTED_YET, "a correlated subquery here");
}

expr_eval_fn *subquery_evaluator(const struct subquery *q, expr_eval_fn *once)
{
    return q->mode == SUBQUERY_ONCE    ? once
           : q->mode == SUBQUERY_KEYED ? subquery_eval_keyed
                                       : eval_per_row;
}

void subquery_eval_here(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    switch (e->u.subquery->use) {
    case SUBQUERY_SCALAR:
        subquery_eval_scalar(e, x, out);
        return;
    case SUBQUERY_EXISTS:
        subquery_eval_exists(e, x, out);
        return;
    case SUBQUERY_IN:
        subquery_eval_in(e, x, out);
        return;
    case SUBQUERY_IN_ROWS:
        subquery_eval_in_rows(e, x, out);
        return;
    case SUBQUERY_QUANTIFIED:
        subquery_eval_quantified(e, x, out);
        return;
    }
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
    uint32_t n = q->row_set.width;
    struct datum *cells = expr_alloc(x, n * sizeof *cells);

    ASSERT(q->done);
    datum_set_null(out);
    if (!cells)
        return;
    for (uint32_t i = 0; i < n; i++) {
        expr_eval(e->args[i], x, &cells[i]);
        datum_round_to_type(&cells[i], &e->args[i]->type);
    }
    int found = row_set_contains(&q->row_set, cells, !e->all);
    if (found >= 0)
        datum_set_int(out, (found == 1) != e->negated);
}

bool subquery_holds(uint8_t op, int c)
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
void subquery_quantified(const struct expr *e, struct expr_ctx *x, const struct keyed_entry *of,
                         struct datum *out)
{
    struct datum d;
    bool u1, u2;

    if (of->rows == 0) {
        datum_set_int(out, e->all);
        return;
    }
    expr_eval(e->args[0], x, &d);
    datum_set_null(out);
    if (d.kind == DATUM_NULL)
        return;
    if (of->min.kind == DATUM_NULL)
        return;
    bool low = subquery_holds(e->op, datum_compare_as(e->class, &d, &of->min, &u1));
    bool high = subquery_holds(e->op, datum_compare_as(e->class, &d, &of->max, &u2));
    if (u1 || u2)
        return;
    if (e->all ? !(low && high) : (low || high))
        datum_set_int(out, !e->all);
    else if (!of->has_null)
        datum_set_int(out, e->all);
}

void subquery_eval_quantified(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const struct subquery *q = e->u.subquery;
    struct keyed_entry of = {.rows = q->rows,
                             .has_null = q->has_null,
                             .min = q->min,
                             .max = q->max};

    ASSERT(q->done);
    subquery_quantified(e, x, &of, out);
}
