/*
 * WITH RECURSIVE c AS (SELECT … UNION ALL SELECT … FROM c …): terms that do not name c give the first rows, those that
 * do are run again and again over the rows that came last (exec_recursive.c).
 */
#include <string.h>

#include "sql/bind.h"
#include "sql/plan_recursive.h"
#include "sql/sysvar.h"
#include "sql/value_convert.h"

/* What is bound so far. On the stack of bind_recursive. */
struct terms {
    const struct sql_cte *cte;
    struct recursion *r;
    struct bound_query *seed, *step;
    bool step_differs; /* gives columns of other kinds than the first rows have */
};

static bool add_term(struct bind *b, struct bound_query *to, struct bound_query *term)
{
    struct bound_term *terms = bind_alloc(b, (to->n_terms + 1) * sizeof *terms);

    if (!terms)
        return false;
    if (to->n_terms)
        memcpy(terms, to->terms, to->n_terms * sizeof *terms);
    terms[to->n_terms++] = (struct bound_term){.op = SQL_SET_UNION, .all = true, .query = term};
    to->terms = terms;
    return true;
}

static bool set_columns(struct bind *b, struct terms *t, const struct bound_query *first)
{
    struct recursion *r = t->r;
    const struct sql_name_list *name = t->cte->columns;

    if (!(r->columns = bind_alloc(b, (first->n_columns + 1) * sizeof *r->columns)))
        return false;
    r->n_columns = first->n_columns;
    for (uint32_t i = 0; i < r->n_columns; i++) {
        r->columns[i] = (struct bound_column){.name = name ? name->name : first->columns[i].name,
                                              .type = first->columns[i].type};
        r->columns[i].type.not_null = false;
        name = name ? name->next : NULL;
    }
    return true;
}

/* A term's columns against those of the whole. */
static bool fit(struct bind *b, struct terms *t, const struct bound_query *term, bool is_step)
{
    struct recursion *r = t->r;

    if (!r->columns)
        return set_columns(b, t, term);
    if (term->n_columns != r->n_columns)
        return bind_fail(b, MYSQL_ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT);
    for (uint32_t i = 0; i < r->n_columns; i++) {
        struct value_type common = expr_common_type(&r->columns[i].type, &term->columns[i].type);
        t->step_differs |= is_step && (common.kind != r->columns[i].type.kind ||
                                       common.scale != r->columns[i].type.scale);
        r->columns[i].type = common;
        r->columns[i].type.not_null = false;
    }
    return true;
}

static bool bind_term(struct bind *b, struct terms *t, const struct sql_query_term *ast)
{
    struct sql_query_term *copy = bind_alloc(b, sizeof *copy);
    struct sql_query *one = bind_alloc(b, sizeof *one);
    uint32_t before = t->r->references;

    if (!copy || !one)
        return false;
    *copy = *ast;
    copy->next = NULL;
    copy->op = SQL_SET_NONE;
    one->terms = copy;
    if (ast != t->cte->query->terms && ast->op != SQL_SET_UNION)
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET,
                         "INTERSECT and EXCEPT in a recursive query");
    struct bound_query *q = ast->select ? bind_query(b, one) : bind_query(b, ast->query);
    if (!q)
        return false;
    bool is_step = t->r->references > before;
    if (!is_step && t->step->n_terms && t->r->references)
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "a first row behind a recursive term");
    t->r->distinct |= ast != t->cte->query->terms && !ast->is_all;
    return fit(b, t, q, is_step) && add_term(b, is_step ? t->step : t->seed, q);
}

static bool bind_all(struct bind *b, struct terms *t)
{
    t->seed = bind_alloc(b, sizeof *t->seed);
    t->step = bind_alloc(b, sizeof *t->step);
    if (!t->seed || !t->step)
        return false;
    t->step_differs = false;
    for (const struct sql_query_term *ast = t->cte->query->terms; ast; ast = ast->next)
        if (!bind_term(b, t, ast))
            return false;
    return true;
}

static void share_columns(struct bound_query *q, const struct recursion *r)
{
    q->columns = r->columns;
    q->n_columns = r->n_columns;
    q->limit = UINT64_MAX;
}

static uint64_t depth_limit(struct bind *b)
{
    struct datum d;
    struct value_type t;
    int64_t n;

    if (!sysvar_get(b->session, "cte_max_recursion_depth", b->arena, &d, &t) ||
        !datum_to_int(&d, &n) || n < 0)
        return 1000;
    return (uint64_t)n;
}

bool bind_recursive(struct bind *b, struct bind_cte *at, struct bound_query **out)
{
    struct terms t = {.cte = at->cte, .r = bind_alloc(b, sizeof *t.r)};
    struct subquery **end = b->subqueries_end;
    struct bound_query *q = bind_alloc(b, sizeof *q);
    const struct sql_query *ast = at->cte->query;

    *out = NULL;
    if (!t.r || !q)
        return false;
    t.r->outside = b->scope;
    at->recursion = t.r;
    bool ok = bind_all(b, &t);
    if (ok && t.r->references && t.step_differs) { /* once more, with types that hold all */
        *end = NULL;
        b->subqueries_end = end;
        ok = bind_all(b, &t);
    }
    at->recursion = NULL;
    if (!ok)
        return false;
    if (!t.r->references) { /* a plain one: bound anew */
        *end = NULL;
        b->subqueries_end = end;
        return true;
    }
    if (ast->order_by)
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "ORDER BY in a recursive query");
    if (!t.seed->n_terms)
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "a recursive query without first rows");
    share_columns(t.seed, t.r);
    share_columns(t.step, t.r);
    share_columns(q, t.r);
    t.r->seed = t.seed;
    t.r->step = t.step;
    t.r->limit = depth_limit(b);
    q->recursion = t.r;
    *out = q;
    return bind_limit(b, &ast->limit, &q->limit, &q->offset);
}

bool bind_work_source(struct bind *b, struct source *s, struct bind_cte *at)
{
    struct recursion *r = at->recursion;

    for (const struct bind_scope *scope = b->scope; scope && scope != r->outside;
         scope = scope->outer)
        if (scope->subquery)
            return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "a recursive reference in a subquery");
    r->references++;
    s->kind = SOURCE_WORK;
    s->name = at->cte->name;
    s->recursion = r;
    if (!r->columns)
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "a recursive query without first rows");
    s->n_columns = (uint16_t)r->n_columns;
    if (!(s->columns = bind_alloc(b, (s->n_columns + 1u) * sizeof *s->columns)))
        return false;
    for (uint16_t i = 0; i < s->n_columns; i++)
        s->columns[i] = (struct source_column){.name = r->columns[i].name,
                                               .type = r->columns[i].type,
                                               .column = i};
    return true;
}
