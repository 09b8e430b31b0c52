/* sql_mode QUANTA: the statement's queries, from the inside out, and the names in them. */
#include "sql/quanta_mode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/aggregate.h"
#include "sql/quanta_mode_impl.h"

/* ---- nodes ---- */

struct sql_expr *mode_node(struct quanta_mode *m, enum sql_expr_kind kind, unsigned op,
                           unsigned flags, const struct sql_expr *at, struct sql_expr **args,
                           uint32_t n)
{
    struct sql_expr *e = statement_alloc(m->s, sizeof *e);
    unsigned depth = 0;

    if (!e)
        return NULL;
    *e = *at;
    e->kind = (uint8_t)kind;
    e->op = (uint8_t)op;
    e->flags = (uint8_t)flags;
    if (!n)
        return e;
    e->count = n;
    e->v.args = statement_alloc(m->s, n * sizeof *args);
    if (!e->v.args)
        return NULL;
    memcpy(e->v.args, args, n * sizeof *args);
    for (uint32_t i = 0; i < n; i++)
        depth = args[i]->depth > depth ? args[i]->depth : depth;
    e->depth = (uint8_t)(depth < UINT8_MAX ? depth + 1 : depth);
    return e;
}

struct sql_expr *mode_and(struct quanta_mode *m, struct sql_expr *a, struct sql_expr *b)
{
    struct sql_expr *both[] = {a, b};

    return !a ? b : !b ? a : mode_node(m, SQL_EXPR_AND, 0, 0, a, both, 2);
}

bool mode_refuse(struct quanta_mode *m, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!m->s->error.code)
        mysql_error_set_text(&m->s->error, 1105, "%s", text);
    return false;
}

/* ---- names ---- */

const struct schema *mode_schema(const struct quanta_mode *m, const char *db, const char *name)
{
    const char *in = db ? db : m->s->session->database;

    if (!in || strcasecmp(in, SESSION_DATABASE) != 0)
        return NULL;
    return catalog_find(m->s->exec.catalog, name, strlen(name));
}

static bool is_named(const struct sql_table *t, const char *name)
{
    const char *own = t->alias ? t->alias : t->name;

    return own && strcmp(own, name) == 0;
}

static struct sql_table *find_in(const struct quanta_mode *m, struct sql_table *t,
                                 const struct sql_column_ref *ref, const struct column **column)
{
    if (!t)
        return NULL;
    if (t->kind == SQL_TABLE_JOIN) {
        struct sql_table *found = find_in(m, t->left, ref, column);
        return found ? found : find_in(m, t->right, ref, column);
    }
    if (ref->table && !is_named(t, ref->table))
        return NULL;
    const struct schema *schema = t->kind == SQL_TABLE_NAME ? mode_schema(m, t->db, t->name) : NULL;
    int at = schema ? schema_find_column(schema, ref->name, strlen(ref->name)) : -1;
    if (at >= 0)
        *column = &schema->columns[at];
    return at >= 0 || ref->table ? t : NULL;
}

struct sql_table *mode_find(const struct quanta_mode *m, const struct sql_column_ref *ref,
                            const struct column **column)
{
    *column = NULL;
    return find_in(m, m->from, ref, column);
}

/* ---- aliases in WHERE ---- */

static bool is_aggregate(const struct sql_expr *e)
{
    enum aggregate_op op;

    return e->kind == SQL_EXPR_CALL && aggregate_find(e->v.call->name, &op) == 0;
}

static bool visit_no_query(struct sql_expr *e, void *arg)
{
    if (is_aggregate(e) || e->kind == SQL_EXPR_SUBQUERY || e->kind == SQL_EXPR_EXISTS ||
        e->kind == SQL_EXPR_IN_QUERY || e->kind == SQL_EXPR_QUANTIFIED)
        *(bool *)arg = false;
    return true;
}

/* What an alias stands for in WHERE: of an aggregate its column; NULL: nothing. */
static const struct sql_expr *meaning(struct sql_expr *e)
{
    bool simple = true;

    if (is_aggregate(e))
        e = e->v.call->arg_count ? e->v.call->args[0] : NULL;
    if (!e)
        return NULL;
    sql_expr_walk(e, visit_no_query, &simple);
    return simple ? e : NULL;
}

static bool visit_alias(struct sql_expr *e, void *arg)
{
    const struct sql_select *select = arg;

    if (e->kind != SQL_EXPR_COLUMN || e->v.column->table)
        return true;
    for (const struct sql_select_item *it = select->items; it; it = it->next) {
        if (!it->alias || strcasecmp(it->alias, e->v.column->name) != 0)
            continue;
        const struct sql_expr *means = meaning(it->expr);
        if (means)
            *e = *means;
        return false; /* its own names are columns */
    }
    return true;
}

/* ---- queries ---- */

struct query_visit {
    struct quanta_mode *m;
    bool failed;
};

static bool visit_query(struct sql_expr *e, void *arg)
{
    struct query_visit *v = arg;
    struct sql_query *q = NULL;

    if (e->kind == SQL_EXPR_SUBQUERY || e->kind == SQL_EXPR_EXISTS)
        q = e->v.query;
    else if (e->kind == SQL_EXPR_IN_QUERY || e->kind == SQL_EXPR_QUANTIFIED)
        q = e->v.compare->query;
    if (q && !v->failed)
        v->failed = !mode_query(v->m, q);
    return true;
}

/* Queries within an expression. */
static bool inner(struct quanta_mode *m, struct sql_expr *e)
{
    struct query_visit v = {.m = m};

    sql_expr_walk(e, visit_query, &v);
    return !v.failed;
}

static bool inner_order(struct quanta_mode *m, struct sql_order *o)
{
    for (; o; o = o->next)
        if (!inner(m, o->expr))
            return false;
    return true;
}

static bool inner_table(struct quanta_mode *m, struct sql_table *t)
{
    if (!t)
        return true;
    if (t->kind == SQL_TABLE_JOIN)
        return inner_table(m, t->left) && inner_table(m, t->right) && inner(m, t->on);
    return t->kind != SQL_TABLE_QUERY || mode_query(m, t->query);
}

static bool inner_queries(struct quanta_mode *m, struct sql_select *select)
{
    for (struct sql_select_item *it = select->items; it; it = it->next)
        if (!inner(m, it->expr))
            return false;
    return inner_table(m, select->from) && inner(m, select->where) && inner(m, select->having) &&
           inner_order(m, select->group_by);
}

static bool mode_select(struct quanta_mode *m, struct sql_select *select)
{
    struct sql_table *outer = m->from;

    if (!inner_queries(m, select))
        return false;
    m->from = select->from;
    bool ok = true;
    if (select->where) {
        sql_expr_walk(select->where, visit_alias, select);
        ok = mode_in_joins(m, select);
        if (ok && select->where)
            ok = (select->where = mode_condition(m, select->where)) != NULL;
    }
    ok = ok && mode_outer_joins(m, select);
    m->from = outer;
    return ok;
}

bool mode_query(struct quanta_mode *m, struct sql_query *q)
{
    for (struct sql_cte *c = q->ctes; c; c = c->next)
        if (!mode_query(m, c->query))
            return false;
    for (struct sql_query_term *t = q->terms; t; t = t->next)
        if (!(t->select ? mode_select(m, t->select) : mode_query(m, t->query)))
            return false;
    return inner_order(m, q->order_by);
}

static bool rewrite(struct quanta_mode *m, struct sql_stmt *ast)
{
    switch (ast->kind) {
    case SQL_STMT_SELECT:
        return mode_query(m, ast->u.query);
    case SQL_STMT_INSERT:
        return mode_insert(m, ast->u.insert);
    case SQL_STMT_UPDATE:
        return mode_update(m, ast->u.update);
    case SQL_STMT_DELETE:
        return mode_delete(m, ast->u.delete_);
    case SQL_STMT_EXPLAIN:
        return !ast->u.explain->stmt || rewrite(m, ast->u.explain->stmt);
    default:
        return true;
    }
}

bool quanta_mode_apply(struct statement *s)
{
    struct quanta_mode m = {.s = s};

    return !(s->session->parse_flags & SQL_PARSE_QUANTA) || rewrite(&m, s->ast);
}
