/* Subqueries in VALUES: bound before the statement runs, as those of all statements are run first. */
#include "sql/dml_insert.h"

static bool visit_query(struct sql_expr *e, void *arg)
{
    switch ((enum sql_expr_kind)e->kind) {
    case SQL_EXPR_SUBQUERY:
    case SQL_EXPR_EXISTS:
    case SQL_EXPR_IN_QUERY:
    case SQL_EXPR_QUANTIFIED:
        *(bool *)arg = true;
        return false;
    default:
        return true;
    }
}

static bool has_query(struct sql_expr *e)
{
    bool found = false;

    sql_expr_walk(e, visit_query, &found);
    return found;
}

bool insert_bind_queries(struct insert *x)
{
    struct statement *s = x->s;
    struct insert_value **end = &x->bound;

    if (!s->ast->has_subqueries)
        return true;
    for (const struct sql_row *r = x->ast->rows; r; r = r->next) {
        uint16_t i = 0;
        for (struct sql_expr *e = r->values; e && i < x->n_targets; e = e->next, i++) {
            if (!has_query(e))
                continue;
            struct insert_value *v = statement_alloc(s, sizeof *v);
            struct expr *value = v ? bind_expr(&s->bind, e) : NULL;
            if (value)
                value = dml_value_for(s, &x->schema->columns[x->columns[i]], value);
            if (!value)
                return false;
            *v = (struct insert_value){.ast = e, .value = value};
            *end = v;
            end = &v->next;
        }
    }
    return true;
}

struct expr *insert_bound_value(struct insert *x, const struct sql_expr *e)
{
    struct insert_value *v = x->bound;

    if (!v || v->ast != e)
        return NULL;
    x->bound = v->next;
    return v->value;
}
