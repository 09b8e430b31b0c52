/*
 * WHERE conditions as predicates of shard programs.
 *
 * A comparison of a column with a constant becomes a range of the column's canonical integers. Its
 * bounds are found by bisection with the same comparison the gateway would do for each row, so that
 * pushing a condition down can never change a result: 1.5 against integers, '2026-01-01' against
 * times, 1e0 against decimals.
 */
#include <stdlib.h>
#include <string.h>

#include "sql/decimal.h"
#include "sql/plan.h"
#include "sql/plan_subquery.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"

enum { MAX_IN_RANGES = 64 };

static struct predicate *predicate_new(struct arena *a, enum predicate_kind kind)
{
    struct predicate *p = arena_alloc(a, sizeof *p);

    if (p)
        p->kind = kind;
    return p;
}

/* ---- canonical values ---- */

void plan_canonical_datum(const struct column *c, int64_t v, struct datum *d)
{
    switch (c->type) {
    case COLUMN_DECIMAL:
        datum_set_decimal(d, v, c->scale);
        return;
    case COLUMN_DATE:
        datum_set_temporal(d, DATUM_DATE, v);
        return;
    case COLUMN_DATETIME:
        datum_set_temporal(d, DATUM_DATETIME,
                           c->scale == 0   ? v * 1000000
                           : c->scale == 3 ? v * 1000
                                           : v);
        return;
    default:
        datum_set_int(d, v);
    }
}

/* Smallest and largest canonical value a column can hold. */
static void canonical_domain(const struct column *c, int64_t *lo, int64_t *hi)
{
    const int64_t first = -719162, last = 2932896; /* 0001-01-01 and 9999-12-31 */
    int64_t ticks = c->scale == 0 ? 1 : c->scale == 3 ? 1000 : 1000000;

    switch (c->type) {
    case COLUMN_DATE:
        *lo = first;
        *hi = last;
        return;
    case COLUMN_DATETIME:
        *lo = first * 86400 * ticks;
        *hi = (last + 1) * 86400 * ticks - 1;
        return;
    default:
        *lo = INT64_MIN;
        *hi = INT64_MAX;
    }
}

/* First canonical value whose comparison with d gives at least `want`; *found false when there is
 * none. */
static int64_t first_at_least(const struct column *c, enum compare_class class,
                              const struct datum *d, int want, bool *found)
{
    int64_t lo, hi;
    struct datum v;
    bool unknown;

    canonical_domain(c, &lo, &hi);
    plan_canonical_datum(c, hi, &v);
    *found = datum_compare_as(class, &v, d, &unknown) >= want;
    if (!*found)
        return 0;
    while (lo < hi) {
        int64_t mid = lo + (int64_t)(((uint64_t)hi - (uint64_t)lo) / 2);
        plan_canonical_datum(c, mid, &v);
        if (datum_compare_as(class, &v, d, &unknown) >= want)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* Range of canonical values equal to d: first >= and first > . Empty: *lo > *hi. */
static void equal_range(const struct column *c, enum compare_class class, const struct datum *d,
                        int64_t *lo, int64_t *hi)
{
    bool found;

    *lo = first_at_least(c, class, d, 0, &found);
    if (!found) {
        *lo = INT64_MAX;
        *hi = INT64_MAX - 1;
        return;
    }
    int64_t after = first_at_least(c, class, d, 1, &found);
    int64_t domain_lo, domain_hi;
    canonical_domain(c, &domain_lo, &domain_hi);
    if (!found) {
        *hi = domain_hi;
    } else if (after == INT64_MIN) { /* everything is above d */
        *lo = INT64_MAX;
        *hi = INT64_MAX - 1;
    } else {
        *hi = after - 1;
    }
}

/* ---- leaves ---- */

static const struct column *schema_column(const struct source *s, const struct expr *e,
                                          uint16_t *position)
{
    *position = s->columns[e->u.column.column].column;
    return &s->schema->columns[*position];
}

static bool is_run_once(const struct expr *e)
{
    return e->u.subquery->mode == SUBQUERY_ONCE;
}

bool plan_known_value(const struct expr *e, bool dry, struct datum *d, bool *placeholder)
{
    *placeholder = false;
    if (e->kind == EXPR_CONST) {
        *d = e->u.value;
    } else if (e->kind == EXPR_OUTER && !dry) {
        *d = e->u.outer->value;
    } else if (e->kind == EXPR_SUBQUERY && is_run_once(e) && e->u.subquery->done) {
        *d = e->u.subquery->value;
    } else if (dry && (e->kind == EXPR_OUTER || (e->kind == EXPR_SUBQUERY && is_run_once(e)))) {
        *placeholder = true;
        datum_set_null(d);
        return true;
    } else {
        return false;
    }
    datum_round_to_type(d, &e->type);
    return true;
}

static struct predicate *range(struct arena *a, uint16_t column, int64_t lo, int64_t hi,
                               bool negate)
{
    struct predicate *p = predicate_new(a, PREDICATE_RANGE);

    if (!p)
        return NULL;
    p->column = column;
    p->lo = lo;
    p->hi = hi;
    p->negate = negate;
    return p;
}

static struct predicate *null_test(struct arena *a, uint16_t column, bool negate)
{
    struct predicate *p = predicate_new(a, PREDICATE_NULL);

    if (p) {
        p->column = column;
        p->negate = negate;
    }
    return p;
}

/* TRUE for all rows with a value, or for none. */
static struct predicate *all_or_none(struct arena *a, uint16_t column, bool all)
{
    return all ? null_test(a, column, true) : predicate_new(a, PREDICATE_FALSE);
}

static struct predicate *either(struct arena *a, struct predicate *p, struct predicate *q)
{
    struct predicate *r = predicate_new(a, PREDICATE_OR);
    const struct predicate **children = arena_alloc(a, 2 * sizeof *children);

    if (!r || !children || !p || !q)
        return NULL;
    children[0] = p;
    children[1] = q;
    r->children = children;
    r->n = 2;
    return r;
}

static struct predicate *compare_ordered(struct arena *a, uint16_t position, const struct column *c,
                                         uint8_t op, enum compare_class class,
                                         const struct datum *d)
{
    int64_t lo, hi, domain_lo, domain_hi;
    bool found, unknown;
    struct datum probe;

    plan_canonical_datum(c, 0, &probe);
    datum_compare_as(class, &probe, d, &unknown);
    if (unknown)
        return predicate_new(a, PREDICATE_FALSE);
    canonical_domain(c, &domain_lo, &domain_hi);
    switch (op) {
    case SQL_OP_EQ:
    case SQL_OP_NE:
        equal_range(c, class, d, &lo, &hi);
        if (lo > hi)
            return all_or_none(a, position, op == SQL_OP_NE);
        return range(a, position, lo, hi, op == SQL_OP_NE);
    case SQL_OP_GE:
    case SQL_OP_GT:
        lo = first_at_least(c, class, d, op == SQL_OP_GT, &found);
        if (!found)
            return predicate_new(a, PREDICATE_FALSE);
        return lo == domain_lo ? null_test(a, position, true)
                               : range(a, position, lo, INT64_MAX, false);
    default: /* LT, LE: below the first that is at least, or above */
        lo = first_at_least(c, class, d, op == SQL_OP_LE, &found);
        if (!found)
            return null_test(a, position, true);
        return lo == domain_lo ? predicate_new(a, PREDICATE_FALSE)
                               : range(a, position, INT64_MIN, lo - 1, false);
    }
}

void plan_compare_range(const struct column *c, uint8_t op, enum compare_class class,
                        const struct datum *d, int64_t *lo, int64_t *hi)
{
    struct datum probe;
    bool found, unknown;

    *lo = INT64_MIN;
    *hi = INT64_MAX;
    plan_canonical_datum(c, 0, &probe);
    datum_compare_as(class, &probe, d, &unknown);
    if (unknown)
        return;
    if (op == SQL_OP_GE || op == SQL_OP_GT || op == SQL_OP_EQ) {
        *lo = first_at_least(c, class, d, op == SQL_OP_GT, &found);
        *lo = found ? *lo : INT64_MAX;
    }
    if (op == SQL_OP_LE || op == SQL_OP_LT || op == SQL_OP_EQ) {
        int64_t after = first_at_least(c, class, d, op != SQL_OP_LT, &found);
        *hi = !found ? INT64_MAX : after == INT64_MIN ? INT64_MIN : after - 1;
    }
}

static struct predicate *compare_string(struct arena *a, uint16_t position, uint8_t op,
                                        const struct datum *d)
{
    bool equal = op == SQL_OP_EQ || op == SQL_OP_NE;
    struct predicate *p = predicate_new(a, equal ? PREDICATE_STRINGS : PREDICATE_STRING_RANGE);
    struct program_string *s = arena_alloc(a, 2 * sizeof *s);

    if (!p || !s)
        return NULL;
    p->column = position;
    p->strings = s;
    if (equal) {
        p->n = 1;
        p->negate = op == SQL_OP_NE;
        s[0] = (struct program_string){d->s, d->len};
        return p;
    }
    bool lower = op == SQL_OP_GE || op == SQL_OP_GT;
    p->n = 2;
    s[lower ? 0 : 1] = (struct program_string){d->s, d->len};
    s[lower ? 1 : 0] = (struct program_string){"", UINT32_MAX};
    p->lo_open = op == SQL_OP_GT;
    p->hi_open = op == SQL_OP_LT;
    return p;
}

static uint8_t opposite(uint8_t op)
{
    switch (op) {
    case SQL_OP_EQ:
        return SQL_OP_NE;
    case SQL_OP_NE:
        return SQL_OP_EQ;
    case SQL_OP_LT:
        return SQL_OP_GE;
    case SQL_OP_LE:
        return SQL_OP_GT;
    case SQL_OP_GT:
        return SQL_OP_LE;
    default:
        return SQL_OP_LT;
    }
}

uint8_t plan_mirrored(uint8_t op)
{
    static const uint8_t mirrored[] = {
        [SQL_OP_EQ] = SQL_OP_EQ, [SQL_OP_NULL_EQ] = SQL_OP_NULL_EQ, [SQL_OP_NE] = SQL_OP_NE,
        [SQL_OP_LT] = SQL_OP_GT, [SQL_OP_LE] = SQL_OP_GE,           [SQL_OP_GT] = SQL_OP_LT,
        [SQL_OP_GE] = SQL_OP_LE};

    return mirrored[op];
}

/* A column of the table on its own. */
static bool is_column(const struct expr *e)
{
    return e->kind == EXPR_COLUMN;
}

static bool push_compare(struct arena *a, struct expr *e, const struct source *s, bool negate,
                         bool dry, struct predicate **out)
{
    struct expr *l = e->args[0], *r = e->args[1];
    uint8_t op = e->op;
    struct datum d;
    bool placeholder;
    uint16_t position;

    if (!is_column(l) && is_column(r)) {
        struct expr *t = l;
        l = r;
        r = t;
        op = plan_mirrored(op);
    }
    if (!is_column(l) || !plan_known_value(r, dry, &d, &placeholder))
        return false;
    const struct column *c = schema_column(s, l, &position);
    bool text = c->type == COLUMN_STRING;
    bool is_null = d.kind == DATUM_NULL && !placeholder;
    if (text != (e->class == COMPARE_STRING) && !is_null)
        return false;
    if (text && (e->class != COMPARE_STRING || r->type.kind != DATUM_STRING) && !is_null)
        return false;
    if (dry)
        return op != SQL_OP_NULL_EQ || !negate;
    if (op == SQL_OP_NULL_EQ) {
        if (negate)
            return false;
        if (d.kind == DATUM_NULL)
            *out = null_test(a, position, false);
        else
            *out = text ? compare_string(a, position, SQL_OP_EQ, &d)
                        : compare_ordered(a, position, c, SQL_OP_EQ, e->class, &d);
        return true;
    }
    if (d.kind == DATUM_NULL) {
        *out = predicate_new(a, PREDICATE_FALSE);
        return true;
    }
    /* Of a multi-valued column, "not (any value < x)" is the complement, not "any value >= x". */
    bool list = c->layout == LAYOUT_LIST;
    if (negate && !list)
        op = opposite(op);
    *out = text ? compare_string(a, position, op, &d)
                : compare_ordered(a, position, c, op, e->class, &d);
    if (*out && negate && list)
        (*out)->negate = !(*out)->negate;
    return true;
}

/* BETWEEN with a bound that is NULL or no such value: the other side alone decides, and only for
 * NOT BETWEEN. */
static struct predicate *half_between(struct arena *a, const struct column *c, uint16_t position,
                                      enum compare_class class, const struct datum *bound,
                                      uint8_t op, bool negate)
{
    bool unknown;
    struct datum probe;

    if (!negate || bound->kind == DATUM_NULL)
        return predicate_new(a, PREDICATE_FALSE);
    if (c->type == COLUMN_STRING)
        return compare_string(a, position, op, bound);
    plan_canonical_datum(c, 0, &probe);
    datum_compare_as(class, &probe, bound, &unknown);
    return unknown ? predicate_new(a, PREDICATE_FALSE)
                   : compare_ordered(a, position, c, op, class, bound);
}

static struct predicate *between_strings(struct arena *a, uint16_t position, const struct datum *lo,
                                         const struct datum *hi, bool negate)
{
    struct predicate *p = predicate_new(a, PREDICATE_STRING_RANGE);
    struct program_string *b = arena_alloc(a, 2 * sizeof *b);

    if (!p || !b)
        return NULL;
    b[0] = (struct program_string){lo->s, lo->len};
    b[1] = (struct program_string){hi->s, hi->len};
    p->column = position;
    p->strings = b;
    p->n = 2;
    p->negate = negate;
    return p;
}

static struct predicate *between_ordered(struct arena *a, const struct column *c, uint16_t position,
                                         enum compare_class class, const struct datum *lo,
                                         const struct datum *hi, bool negate)
{
    bool found_lo, found_hi;
    int64_t domain_lo, domain_hi;
    int64_t from = first_at_least(c, class, lo, 0, &found_lo),
            after = first_at_least(c, class, hi, 1, &found_hi);

    canonical_domain(c, &domain_lo, &domain_hi);
    if (!found_lo || (found_hi && (after == domain_lo || after <= from)))
        return all_or_none(a, position, negate);
    return range(a, position, from, found_hi ? after - 1 : INT64_MAX, negate);
}

static bool push_between(struct arena *a, struct expr *e, const struct source *s, bool negate,
                         bool dry, struct predicate **out)
{
    struct datum lo, hi, probe;
    bool p1, p2, u1 = false, u2 = false;
    uint16_t position;

    if (!is_column(e->args[0]) || !plan_known_value(e->args[1], dry, &lo, &p1) ||
        !plan_known_value(e->args[2], dry, &hi, &p2))
        return false;
    const struct column *c = schema_column(s, e->args[0], &position);
    bool text = c->type == COLUMN_STRING;
    if (text != (e->class == COMPARE_STRING))
        return false;
    if (text && (e->args[1]->type.kind != DATUM_STRING || e->args[2]->type.kind != DATUM_STRING))
        return false;
    if (dry)
        return true;
    negate ^= e->negated;
    plan_canonical_datum(c, 0, &probe);
    if (!text && lo.kind != DATUM_NULL)
        datum_compare_as(e->class, &probe, &lo, &u1);
    if (!text && hi.kind != DATUM_NULL)
        datum_compare_as(e->class, &probe, &hi, &u2);
    if (lo.kind == DATUM_NULL || u1)
        *out = half_between(a, c, position, e->class, &hi, SQL_OP_GT, negate);
    else if (hi.kind == DATUM_NULL || u2)
        *out = half_between(a, c, position, e->class, &lo, SQL_OP_LT, negate);
    else if (text)
        *out = between_strings(a, position, &lo, &hi, negate);
    else
        *out = between_ordered(a, c, position, e->class, &lo, &hi, negate);
    return true;
}

static int compare_ints(const void *p, const void *q)
{
    int64_t a = *(const int64_t *)p, b = *(const int64_t *)q;

    return (a > b) - (a < b);
}

/* Builds "column in values" from datums of one class; NULLs have been taken out. */
static struct predicate *members(struct arena *a, uint16_t position, const struct column *c,
                                 enum compare_class class, const struct datum *values, uint32_t n,
                                 bool negate, bool *ok)
{
    *ok = true;
    if (n == 0)
        return all_or_none(a, position, negate);
    if (c->type == COLUMN_STRING) {
        struct predicate *p = predicate_new(a, PREDICATE_STRINGS);
        struct program_string *s = arena_alloc(a, n * sizeof *s);
        if (!p || !s)
            return NULL;
        for (uint32_t i = 0; i < n; i++)
            s[i] = (struct program_string){values[i].s, values[i].len};
        p->column = position;
        p->strings = s;
        p->n = n;
        p->negate = negate;
        return p;
    }
    struct predicate *p = predicate_new(a, PREDICATE_INTS), *wide = NULL;
    int64_t *ints = arena_alloc(a, n * sizeof *ints);
    uint32_t k = 0, ranges = 0;
    if (!p || !ints)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        int64_t lo, hi;
        bool unknown;
        struct datum probe;
        plan_canonical_datum(c, 0, &probe);
        datum_compare_as(class, &probe, &values[i], &unknown);
        if (unknown)
            continue;
        if (c->type == COLUMN_INT && values[i].kind == DATUM_INT) {
            ints[k++] = values[i].i;
            continue;
        }
        equal_range(c, class, &values[i], &lo, &hi);
        if (lo > hi)
            continue;
        if (lo == hi) {
            ints[k++] = lo;
            continue;
        }
        if (negate || ++ranges > MAX_IN_RANGES) {
            *ok = false;
            return NULL;
        }
        struct predicate *r = range(a, position, lo, hi, false);
        wide = wide ? either(a, wide, r) : r;
    }
    if (!k)
        return wide ? wide : all_or_none(a, position, negate);
    qsort(ints, k, sizeof *ints, compare_ints);
    uint32_t unique = 0;
    for (uint32_t i = 0; i < k; i++)
        if (!unique || ints[unique - 1] != ints[i])
            ints[unique++] = ints[i];
    p->column = position;
    p->ints = ints;
    p->n = unique;
    p->negate = negate;
    return wide ? either(a, p, wide) : p;
}

static bool push_in(struct arena *a, struct expr *e, const struct source *s, bool negate, bool dry,
                    struct predicate **out)
{
    uint16_t position;
    bool placeholder, ok, has_null = false;
    uint32_t n = 0;

    if (!is_column(e->args[0]))
        return false;
    const struct column *c = schema_column(s, e->args[0], &position);
    if ((c->type == COLUMN_STRING) != (e->class == COMPARE_STRING) && e->class != COMPARE_STRING)
        return false;
    struct datum *values = arena_alloc(a, e->n_args * sizeof *values);
    if (!values)
        return false;
    for (uint32_t i = 1; i < e->n_args; i++) {
        if (!plan_known_value(e->args[i], dry, &values[n], &placeholder))
            return false;
        if (values[n].kind == DATUM_NULL && !placeholder) {
            has_null = true;
            continue;
        }
        enum compare_class k = compare_class_of(&e->args[0]->type, &e->args[i]->type);
        int kind = placeholder ? e->args[i]->type.kind : values[n].kind;
        if (k == COMPARE_INT)
            k = COMPARE_DECIMAL;
        if (k != e->class ||
            (c->type == COLUMN_STRING) != (kind == DATUM_STRING && k == COMPARE_STRING))
            return false;
        n++;
    }
    negate ^= e->negated;
    /* A double may stand for many integers, which the complement of a list cannot say. */
    if (dry)
        return e->class != COMPARE_DOUBLE || !negate || c->type == COLUMN_STRING;
    if (has_null && negate) /* never TRUE: unequal to NULL is unknown */
        *out = predicate_new(a, PREDICATE_FALSE);
    else
        *out = members(a, position, c, e->class, values, n, negate, &ok);
    return (has_null && negate) || ok;
}

static bool push_in_query(struct arena *a, struct expr *e, const struct source *s, bool negate,
                          bool dry, struct predicate **out)
{
    const struct subquery *q = e->u.subquery;
    uint16_t position;
    bool ok;

    if (!is_run_once(e) || !is_column(e->args[0]))
        return false;
    const struct column *c = schema_column(s, e->args[0], &position);
    bool fits = c->type == COLUMN_STRING
                    ? q->class == COMPARE_STRING
                    : q->class == COMPARE_DECIMAL || q->class == COMPARE_DATETIME;
    if (!fits)
        return false;
    if (dry)
        return true;
    if (!q->done)
        return false;
    negate ^= e->negated;
    if (q->rows == 0) {
        *out = predicate_new(a, negate ? PREDICATE_TRUE : PREDICATE_FALSE);
        return true;
    }
    if (negate && q->set.has_null) {
        *out = predicate_new(a, PREDICATE_FALSE);
        return true;
    }
    struct datum *values = arena_alloc(a, (q->set.n + 1) * sizeof *values);
    uint32_t n = 0;
    if (!values)
        return true;
    for (uint32_t i = 0; i < q->set.cap; i++)
        if (q->set.cells[i].kind != DATUM_NULL)
            values[n++] = q->set.cells[i];
    *out = members(a, position, c, q->class, values, n, negate, &ok);
    return ok;
}

static bool push_like(struct arena *a, struct expr *e, const struct source *s, bool negate,
                      bool dry, struct predicate **out)
{
    struct datum d;
    bool placeholder;
    uint16_t position;

    if (!is_column(e->args[0]) || !plan_known_value(e->args[1], dry, &d, &placeholder))
        return false;
    const struct column *c = schema_column(s, e->args[0], &position);
    if (placeholder ? e->args[1]->type.kind != DATUM_STRING
                    : d.kind != DATUM_STRING && d.kind != DATUM_NULL)
        return false;
    if (c->type != COLUMN_STRING)
        return false;
    if (dry)
        return true;
    if (d.kind == DATUM_NULL) {
        *out = predicate_new(a, PREDICATE_FALSE);
        return true;
    }
    struct predicate *p = predicate_new(a, PREDICATE_LIKE);
    struct program_string *pattern = arena_alloc(a, sizeof *pattern);
    if (!p || !pattern)
        return true;
    *pattern = (struct program_string){d.s, d.len};
    p->column = position;
    p->strings = pattern;
    p->n = 1;
    p->escape = e->u.escape;
    p->negate = negate ^ e->negated;
    *out = p;
    return true;
}

/* A column as a condition: not zero. */
static bool push_truth(struct arena *a, struct expr *e, const struct source *s, bool negate,
                       bool dry, struct predicate **out)
{
    uint16_t position;
    const struct column *c = schema_column(s, e, &position);

    if (c->type != COLUMN_BOOL && c->type != COLUMN_INT && c->type != COLUMN_DECIMAL)
        return false;
    if (!dry)
        *out = range(a, position, 0, 0, !negate);
    return true;
}

static bool push_is(struct arena *a, struct expr *e, const struct source *s, bool negate, bool dry,
                    struct predicate **out)
{
    uint16_t position;

    if (!is_column(e->args[0]))
        return false;
    const struct column *c = schema_column(s, e->args[0], &position);
    negate ^= e->negated;
    if (e->op == SQL_IS_NULL) {
        if (!dry)
            *out = null_test(a, position, negate);
        return true;
    }
    if (c->type != COLUMN_BOOL && c->type != COLUMN_INT && c->type != COLUMN_DECIMAL)
        return false;
    if (dry)
        return true;
    /* IS NOT TRUE holds for NULL too. */
    struct predicate *p = range(a, position, 0, 0, (e->op == SQL_IS_TRUE) != negate);
    *out = negate ? either(a, p, null_test(a, position, false)) : p;
    return true;
}

/* ---- trees ---- */

static bool push(struct arena *a, struct expr *e, const struct source *s, bool negate, bool dry,
                 struct predicate **out);

static bool push_all(struct arena *a, struct expr *e, const struct source *s, bool negate, bool dry,
                     struct predicate **out)
{
    const struct predicate **children = NULL;
    struct predicate *p = NULL;

    if (!dry) {
        /* NOT (a AND b) is NOT a OR NOT b. */
        p = predicate_new(a, (e->kind == EXPR_AND) != negate ? PREDICATE_AND : PREDICATE_OR);
        children = arena_alloc(a, e->n_args * sizeof *children);
        if (!p || !children)
            return true;
        p->n = e->n_args;
        p->children = children;
    }
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct predicate *c = NULL;
        if (!push(a, e->args[i], s, negate, dry, &c))
            return false;
        if (!dry) {
            if (!c)
                return true;
            children[i] = c;
        }
    }
    *out = p;
    return true;
}

static bool push(struct arena *a, struct expr *e, const struct source *s, bool negate, bool dry,
                 struct predicate **out)
{
    *out = NULL;
    switch ((enum expr_kind)e->kind) {
    case EXPR_CONST: {
        int t = datum_truth(&e->u.value);
        if (!dry)
            *out = predicate_new(a, t >= 0 && t != negate ? PREDICATE_TRUE : PREDICATE_FALSE);
        return true;
    }
    case EXPR_COLUMN:
        return push_truth(a, e, s, negate, dry, out);
    case EXPR_AND:
    case EXPR_OR:
        return push_all(a, e, s, negate, dry, out);
    case EXPR_NOT:
        return push(a, e->args[0], s, !negate, dry, out);
    case EXPR_COMPARE:
        return push_compare(a, e, s, negate, dry, out);
    case EXPR_BETWEEN:
        return push_between(a, e, s, negate, dry, out);
    case EXPR_IN:
        return push_in(a, e, s, negate, dry, out);
    case EXPR_LIKE:
        return push_like(a, e, s, negate, dry, out);
    case EXPR_MATCH:
        return plan_push_match(a, e, s, negate, dry, out);
    case EXPR_IS:
        return push_is(a, e, s, negate, dry, out);
    case EXPR_IN_QUERY:
        return push_in_query(a, e, s, negate, dry, out);
    case EXPR_EXISTS: {
        if (!is_run_once(e))
            return false;
        bool holds = e->u.subquery->exists != e->negated;
        if (!dry)
            *out = predicate_new(a, holds != negate ? PREDICATE_TRUE : PREDICATE_FALSE);
        return true;
    }
    default:
        return false;
    }
}

bool plan_push_predicate(struct arena *a, struct expr *e, const struct source *source, bool dry,
                         const struct predicate **out)
{
    struct predicate *p = NULL;
    bool ok = source->kind == SOURCE_TABLE && !e->volatile_ && push(a, e, source, false, dry, &p);

    *out = p;
    return ok;
}

bool plan_scan_predicate(struct arena *a, const struct plan_scan *s, const struct predicate **out)
{
    *out = NULL;
    if (!s->n_pushed)
        return true;
    const struct predicate **children = arena_alloc(a, s->n_pushed * sizeof *children);
    if (!children)
        return false;
    for (uint32_t i = 0; i < s->n_pushed; i++) {
        if (!plan_push_predicate(a, s->pushed[i], s->source, false, &children[i]) || !children[i])
            return false;
    }
    if (s->n_pushed == 1) {
        *out = children[0];
        return true;
    }
    struct predicate *p = predicate_new(a, PREDICATE_AND);
    if (!p)
        return false;
    p->children = children;
    p->n = s->n_pushed;
    *out = p;
    return true;
}
