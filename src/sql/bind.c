#include "sql/bind.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/decimal.h"
#include "sql/plan_subquery.h"
#include "sql/value_convert.h"

enum { MAX_COLUMNS = 4096, MAX_QUERY_DEPTH = 64, MAX_QUERIES = 10000 };

/* ---- LIMIT ---- */

/* Clients send numbers as text or double: a whole one from 0 on counts. */
static bool limit_param(struct bind *b, struct datum *d)
{
    char text[DATUM_TEXT];
    size_t len;
    __int128 v;
    unsigned scale;

    bool number = d->kind == DATUM_STRING ? d->len && datum_string_is_number(d->s, d->len)
                                          : datum_kind_is_number(d->kind);
    if (number && datum_to_decimal(d, &v, &scale)) {
        __int128 unit = decimal_pow10(scale);
        if (v >= 0 && v % unit == 0 && v / unit <= (__int128)UINT64_MAX) {
            datum_set_uint(d, (uint64_t)(v / unit));
            return true;
        }
    }
    const char *found = datum_to_text(d, NULL, text, &len);
    mysql_error_set_text(b->error, MYSQL_ER_WRONG_ARGUMENTS,
                         "Incorrect arguments to LIMIT: found '%.*s', allowed are whole numbers "
                         "from 0",
                         (int)(len < 64 ? len : 64), found);
    return false;
}

static bool limit_number(struct bind *b, const struct sql_expr *e, uint64_t *out)
{
    struct expr *n;

    if (!e)
        return true;
    n = bind_expr(b, e);
    if (!n)
        return false;
    struct datum *d = &n->u.value;
    if (e->kind == SQL_EXPR_PARAM && d->kind != DATUM_NULL && d->kind != DATUM_UINT &&
        !limit_param(b, d))
        return false;
    if (!expr_is_const(n) ||
        (d->kind != DATUM_INT && d->kind != DATUM_UINT && d->kind != DATUM_NULL) ||
        (d->kind == DATUM_INT && d->i < 0))
        return bind_fail(b, MYSQL_ER_WRONG_ARGUMENTS, "LIMIT");
    *out = d->kind == DATUM_NULL ? 0 : d->u;
    return true;
}

bool bind_limit(struct bind *b, const struct sql_limit *limit, uint64_t *count, uint64_t *offset)
{
    *count = UINT64_MAX;
    *offset = 0;
    return limit_number(b, limit->count, count) && limit_number(b, limit->offset, offset);
}

/* ---- select list ---- */

static const char *item_name(struct bind *b, const struct sql_select_item *it)
{
    const struct sql_expr *e = it->expr;
    const char *s;

    if (it->alias)
        return it->alias;
    if (e->kind == SQL_EXPR_COLUMN)
        return e->v.column->name;
    if (e->kind == SQL_EXPR_STRING)
        s = arena_strndup(b->arena, e->v.text, e->count);
    else
        s = b->text ? arena_strndup(b->arena, b->text + it->offset, it->length) : "?";
    return s ? s : bind_alloc(b, SIZE_MAX / 2);
}

static bool grow_items(struct bind *b, struct bound_select *s, uint32_t more)
{
    /* Doubling, so that long lists stay linear. */
    uint32_t need = s->n_items + more, cap = 8;

    if (need > MAX_COLUMNS)
        return bind_fail(b, MYSQL_ER_TOO_MANY_FIELDS);
    while (cap < s->n_items)
        cap *= 2;
    if (s->items && need <= cap)
        return true;
    while (cap < need)
        cap *= 2;
    struct bound_item *items = bind_alloc(b, cap * sizeof *items);
    if (!items)
        return false;
    if (s->n_items)
        memcpy(items, s->items, s->n_items * sizeof *items);
    s->items = items;
    return true;
}

bool bind_add_item(struct bind *b, struct bound_select *s, struct expr *e, const char *name)
{
    if (!grow_items(b, s, 1))
        return false;
    struct bound_item *it = &s->items[s->n_items++];
    *it = (struct bound_item){.expr = e, .name = name};
    if (e->kind == EXPR_COLUMN) {
        it->source = &s->sources[e->u.column.source];
        it->column = e->u.column.column;
    }
    return true;
}

static bool expand_star(struct bind *b, struct bound_select *s, const struct sql_column_ref *ref)
{
    bool any = false;

    if (!s->n_sources)
        return bind_fail(b, MYSQL_ER_NO_TABLES_USED);
    for (uint16_t i = 0; i < s->n_sources; i++) {
        const struct source *src = &s->sources[i];
        if (ref && ref->table && strcmp(ref->table, src->alias) != 0)
            continue;
        if (ref && ref->db && (!src->db || strcasecmp(ref->db, src->db) != 0))
            continue;
        any = true;
        for (uint16_t c = 0; c < src->n_columns; c++) {
            if (src->columns[c].hidden || (src->columns[c].merged && !(ref && ref->table)))
                continue;
            struct expr *e = bind_source_column(b, s, i, c);
            if (!e || !bind_add_item(b, s, e, src->columns[c].name))
                return false;
            e->text = src->columns[c].name;
            e->text_len = (uint32_t)strlen(e->text);
        }
    }
    return any ? true : bind_fail(b, MYSQL_ER_BAD_TABLE_ERROR, ref->table);
}

static bool bind_items(struct bind *b, struct bound_select *s, const struct sql_select_item *it)
{
    b->scope->clause = BIND_FIELDS;
    for (; it; it = it->next) {
        if (it->expr->kind == SQL_EXPR_STAR) {
            if (!expand_star(b, s, it->expr->v.column))
                return false;
            continue;
        }
        struct expr *e = bind_expr(b, it->expr);
        const char *name = e ? item_name(b, it) : NULL;
        if (!name || !bind_add_item(b, s, e, name))
            return false;
    }
    s->n_visible = s->n_items;
    b->scope->items_bound = true;
    return true;
}

/* ---- topn() ---- */

static bool is_topn(const struct sql_select *ast)
{
    const struct sql_select_item *it = ast->items;

    return it && it->expr->kind == SQL_EXPR_CALL && strcasecmp(it->expr->v.call->name, "topn") == 0;
}

static const char *topn_name(struct bind *b, const char *suffix)
{
    const char *s = arena_printf(b->arena, "topn_%s", suffix);

    return s ? s : "topn";
}

/* topn(column [, n]): value, count and percent, most frequent first (proxy.md 5.5). */
static bool bind_topn(struct bind *b, struct bound_select *s, const struct sql_select *ast)
{
    const struct sql_call *c = ast->items->expr->v.call;
    struct aggregate_call *count;

    if (ast->items->next || ast->group_by || ast->having || ast->is_distinct || !s->n_sources)
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "topn() beside other columns or GROUP BY");
    if (c->arg_count < 1 || c->arg_count > 2)
        return bind_fail(b, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, "topn");
    struct expr *e = bind_expr(b, c->args[0]);
    if (!e || (c->arg_count == 2 && !limit_number(b, c->args[1], &s->topn_limit)))
        return false;
    if (!(s->groups = bind_alloc(b, sizeof *s->groups)) ||
        !(count = bind_alloc(b, sizeof *count)) ||
        !(s->aggregates = bind_alloc(b, sizeof *s->aggregates)))
        return false;
    count->op = AGG_COUNT_ROWS;
    count->type = aggregate_type(AGG_COUNT_ROWS, NULL);
    s->groups[0] = e;
    s->n_groups = 1;
    s->aggregates[0] = count;
    s->n_aggregates = 1;
    s->grouped = s->topn = true;
    uint32_t len = value_type_text_length(&e->type);
    struct value_type text = value_type_string(len < 8 ? 8 : len),
                      percent = value_type_decimal(5, 2);
    const char *of = e->kind == EXPR_COLUMN
                         ? s->sources[e->u.column.source].columns[e->u.column.column].name
                         : "value";
    struct expr *value = expr_new_slot(b->arena, 0, &text),
                *n = expr_new_slot(b->arena, 1, &count->type),
                *share = expr_new_slot(b->arena, 2, &percent);
    if (!value || !n || !share || !bind_add_item(b, s, value, topn_name(b, of)) ||
        !bind_add_item(b, s, n, "topn_count") || !bind_add_item(b, s, share, "topn_percent"))
        return false;
    s->n_visible = 3;
    return true;
}

/* ---- GROUP BY ---- */

static bool visit_no_aggregate(struct expr *e, void *ctx)
{
    (void)ctx;
    return e->kind != EXPR_AGGREGATE;
}

/* A position in the select list, or -1. */
static int ordinal(const struct sql_expr *e)
{
    return e->kind == SQL_EXPR_INT && !(e->flags & SQL_FLAG_PARENS) && e->v.integer >= 0 &&
                   e->v.integer <= MAX_COLUMNS
               ? (int)e->v.integer
               : -1;
}

static struct expr *bind_by_position(struct bind *b, struct bound_select *s, int n,
                                     enum bind_clause c)
{
    char text[16];

    if (n >= 1 && (uint32_t)n <= s->n_visible)
        return s->items[n - 1].expr;
    snprintf(text, sizeof text, "%d", n);
    bind_fail(b, MYSQL_ER_BAD_FIELD_ERROR, text, bind_clause_name(c));
    return NULL;
}

static bool bind_groups(struct bind *b, struct bound_select *s, const struct sql_order *g)
{
    uint32_t n = 0;

    for (const struct sql_order *p = g; p; p = p->next)
        n++;
    if (!n)
        return true;
    b->scope->clause = BIND_GROUP;
    s->groups = bind_alloc(b, n * sizeof *s->groups);
    if (!s->groups)
        return false;
    b->scope->allows_aggregates = false;
    for (; g; g = g->next) {
        int at = ordinal(g->expr);
        struct expr *e = at >= 0 ? bind_by_position(b, s, at, BIND_GROUP) : bind_expr(b, g->expr);
        if (!e || !bind_without_windows(b, e))
            return false;
        if (!expr_walk(e, visit_no_aggregate, NULL)) {
            const char *name = e->text ? arena_strndup(b->arena, e->text, e->text_len) : NULL;
            return bind_fail(b, MYSQL_ER_WRONG_GROUP_FIELD, name ? name : "aggregate");
        }
        if (expr_is_const(e) && !s->rollup)
            continue; /* the same for all rows */
        s->groups[s->n_groups++] = e;
    }
    b->scope->allows_aggregates = true;
    s->grouped = true;
    return true;
}

/* ---- ORDER BY ---- */

static int find_item(const struct bound_select *s, const struct expr *e)
{
    for (uint32_t i = 0; i < s->n_items; i++)
        if (expr_is_equal(s->items[i].expr, e))
            return (int)i;
    return -1;
}

/* An unqualified name may be a column of the result: the alias, else the name. -1 none, -2
 * ambiguous. */
static int find_item_named(const struct bound_select *s, const struct sql_expr *e)
{
    int found = -1;

    if (e->kind != SQL_EXPR_COLUMN || e->v.column->table)
        return -1;
    for (uint32_t i = 0; i < s->n_visible; i++) {
        if (!s->items[i].name || strcasecmp(s->items[i].name, e->v.column->name) != 0)
            continue;
        if (found >= 0 && !expr_is_equal(s->items[found].expr, s->items[i].expr))
            return -2;
        if (found < 0)
            found = (int)i;
    }
    return found;
}

static bool bind_order(struct bind *b, struct bound_select *s, const struct sql_order *o)
{
    uint32_t n = 0;

    for (const struct sql_order *p = o; p; p = p->next)
        n++;
    if (!n)
        return true;
    s->order = bind_alloc(b, n * sizeof *s->order);
    if (!s->order)
        return false;
    b->scope->clause = BIND_ORDER;
    for (; o; o = o->next) {
        int at = ordinal(o->expr), item = -1;
        if (at >= 0) {
            if (!bind_by_position(b, s, at, BIND_ORDER))
                return false;
            item = at - 1;
        } else {
            item = find_item_named(s, o->expr);
            if (item == -2)
                return bind_fail(b, MYSQL_ER_NON_UNIQ_ERROR, o->expr->v.column->name,
                                 "order clause");
        }
        if (item < 0) {
            struct expr *e = bind_expr(b, o->expr);
            if (!e)
                return false;
            if (expr_is_const(e))
                continue;
            item = find_item(s, e);
            if (item < 0) {
                if (s->distinct) {
                    mysql_error_set_text(b->error, 3065,
                                         "Expression of ORDER BY clause is not in SELECT list; "
                                         "this is incompatible with "
                                         "DISTINCT");
                    return false;
                }
                item = (int)s->n_items;
                if (!bind_add_item(b, s, e, NULL))
                    return false;
            }
        }
        s->order[s->n_order++] =
            (struct bound_order){.item = (uint32_t)item, .descending = o->is_desc};
    }
    return true;
}

/* ---- grouping ---- */

/* Columns of a table whose whole key is grouped by depend on the group: they become groups too. */
struct dependent_walk {
    struct bind *b;
    struct bound_select *s;
    bool failed;
};

static bool is_group(const struct bound_select *s, const struct expr *e)
{
    for (uint32_t i = 0; i < s->n_groups; i++)
        if (expr_is_equal(s->groups[i], e))
            return true;
    return false;
}

static bool key_is_grouped(const struct bound_select *s, uint16_t source)
{
    const struct schema *schema = s->sources[source].schema;

    if (s->sources[source].kind != SOURCE_TABLE || !schema->n_key || s->rollup)
        return false;
    for (unsigned k = 0; k < schema->n_key; k++) {
        bool found = false;
        for (uint32_t i = 0; i < s->n_groups && !found; i++)
            found = s->groups[i]->kind == EXPR_COLUMN && s->groups[i]->u.column.source == source &&
                    s->groups[i]->u.column.column == schema->key[k];
        if (!found)
            return false;
    }
    return true;
}

static void add_dependents(struct dependent_walk *w, struct expr *e)
{
    if (w->failed || !e || is_group(w->s, e) || e->kind == EXPR_AGGREGATE)
        return;
    if (e->kind == EXPR_COLUMN && !e->delim && key_is_grouped(w->s, e->u.column.source)) {
        struct expr **groups = bind_alloc(w->b, (w->s->n_groups + 1) * sizeof *groups);
        if (!groups) {
            w->failed = true;
            return;
        }
        memcpy(groups, w->s->groups, w->s->n_groups * sizeof *groups);
        groups[w->s->n_groups++] = e;
        w->s->groups = groups;
        return;
    }
    for (uint32_t i = 0; i < e->n_args; i++)
        add_dependents(w, e->args[i]);
}

static bool regroup(struct bind *b, struct bound_select *s)
{
    struct dependent_walk w = {.b = b, .s = s};

    for (uint32_t i = 0; i < s->n_items; i++)
        add_dependents(&w, s->items[i].expr);
    add_dependents(&w, s->having);
    if (w.failed)
        return false;
    for (uint32_t i = 0; i < s->n_items; i++) {
        s->items[i].expr =
            bind_grouped(b, s, s->items[i].expr, i, i < s->n_visible ? BIND_FIELDS : BIND_ORDER);
        if (!s->items[i].expr)
            return false;
    }
    if (s->having && !(s->having = bind_grouped(b, s, s->having, 0, BIND_HAVING)))
        return false;
    return true;
}

/* ---- SELECT ---- */

static bool bind_select_clauses(struct bind *b, struct bound_select *s,
                                const struct sql_select *ast, const struct sql_order *order)
{
    struct bind_scope *scope = b->scope;

    if (!bind_from(b, s, ast->from))
        return false;
    scope->clause = BIND_WHERE;
    if (ast->where && !bind_conjuncts(b, ast->where, &s->where, &s->n_where))
        return false;
    scope->allows_aggregates = true;
    if (is_topn(ast)) {
        if (order)
            return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "ORDER BY with topn()");
        return bind_topn(b, s, ast);
    }
    if (!bind_window_clause(b, ast->windows) || !bind_items(b, s, ast->items) ||
        !bind_groups(b, s, ast->group_by))
        return false;
    scope->clause = BIND_HAVING;
    if (ast->having &&
        (!(s->having = bind_expr(b, ast->having)) || !bind_without_windows(b, s->having)))
        return false;
    if (!bind_order(b, s, order))
        return false;
    s->grouped |= scope->saw_aggregate;
    s->windowed = scope->saw_window;
    if (s->rollup && !s->n_groups)
        s->rollup = false;
    if (s->rollup && !bind_rollup(b, s))
        return false;
    if (!bind_correlated(b, s, ast))
        return false;
    if (s->grouped && !regroup(b, s))
        return false;
    if (s->rollup && !bind_rollup_order(b, s))
        return false;
    return !ast->group_by || s->n_groups || bind_some_row(b, s);
}

static struct bound_select *bind_select(struct bind *b, const struct sql_select *ast,
                                        const struct sql_order *order,
                                        const struct sql_limit *limit)
{
    struct bound_select *s = bind_alloc(b, sizeof *s);
    struct bind_scope scope = {.select = s, .ast = ast};

    if (!s)
        return NULL;
    /* The marker scope of a subquery (without a SELECT) is skipped. */
    scope.outer = b->scope;
    b->scope = &scope;
    if (ast->has_found_rows && (b->depth > 1 || scope.outer || b->has_select)) {
        bind_fail(b, MYSQL_ER_CANT_USE_OPTION_HERE, "SQL_CALC_FOUND_ROWS");
        return NULL;
    }
    b->has_select = true;
    s->distinct = ast->is_distinct;
    s->rollup = ast->has_rollup;
    s->limit = UINT64_MAX;
    bool ok = bind_select_clauses(b, s, ast, order) &&
              (!limit || bind_limit(b, limit, &s->limit, &s->offset));
    b->scope = scope.outer;
    if (!ok)
        return NULL;
    bind_finish_slots(s);
    return s;
}

static bool set_columns(struct bind *b, struct bound_query *q, const struct bound_select *s)
{
    q->n_columns = s->n_visible;
    q->columns = bind_alloc(b, (s->n_visible + 1) * sizeof *q->columns);
    if (!q->columns)
        return false;
    for (uint32_t i = 0; i < s->n_visible; i++) {
        const struct bound_item *it = &s->items[i];
        q->columns[i] =
            (struct bound_column){.name = it->name,
                                  .type = it->expr->type,
                                  .source = it->source,
                                  .column = it->column,
                                  .delim = it->expr->kind == EXPR_COLUMN ? it->expr->delim : 0};
    }
    return true;
}

/* ---- UNION ---- */

/* Each is done by an operator over the one before it: their number is that of levels. */
enum { SET_LEVELS_MAX = 250 };

static bool bind_terms(struct bind *b, struct bound_query *q, const struct sql_query *ast)
{
    uint32_t levels = 0;

    for (const struct sql_query_term *t = ast->terms; t; t = t->next) {
        q->n_terms++;
        levels += t->op == SQL_SET_INTERSECT || t->op == SQL_SET_EXCEPT;
    }
    if (levels > SET_LEVELS_MAX) {
        if (!b->error->code)
            mysql_error_set_text(b->error, 1436,
                                 "Statement is nested too deeply: found %u INTERSECT and EXCEPT "
                                 "one after the other, allowed are %d",
                                 levels, SET_LEVELS_MAX);
        return false;
    }
    q->terms = bind_alloc(b, q->n_terms * sizeof *q->terms);
    if (!q->terms)
        return false;
    uint32_t i = 0;
    for (const struct sql_query_term *t = ast->terms; t; t = t->next, i++) {
        struct bound_term *term = &q->terms[i];
        struct bound_column *columns;
        uint32_t n;
        term->op = t->op;
        term->all = t->is_all;
        if (t->select) {
            struct bound_query one = {0};
            term->select = bind_select(b, t->select, NULL, NULL);
            if (!term->select || !set_columns(b, &one, term->select))
                return false;
            columns = one.columns;
            n = one.n_columns;
        } else {
            term->query = bind_query(b, t->query);
            if (!term->query)
                return false;
            columns = term->query->columns;
            n = term->query->n_columns;
        }
        if (i == 0) {
            q->columns = bind_alloc(b, (n + 1) * sizeof *q->columns);
            if (!q->columns)
                return false;
            memcpy(q->columns, columns, n * sizeof *columns);
            q->n_columns = n;
            continue;
        }
        if (n != q->n_columns && ast->rows)
            return bind_fail(b, MYSQL_ER_WRONG_VALUE_COUNT_ON_ROW, (long)i + 1);
        if (n != q->n_columns)
            return bind_fail(b, MYSQL_ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT);
        for (uint32_t c = 0; c < n; c++) {
            q->columns[c].type = expr_common_type(&q->columns[c].type, &columns[c].type);
            q->columns[c].source = NULL;
            q->columns[c].delim = 0;
        }
    }
    return true;
}

static bool bind_union_order(struct bind *b, struct bound_query *q, const struct sql_order *o)
{
    uint32_t n = 0;

    for (const struct sql_order *p = o; p; p = p->next)
        n++;
    if (n && !(q->order = bind_alloc(b, n * sizeof *q->order)))
        return false;
    for (; o; o = o->next) {
        int at = ordinal(o->expr);
        if (at < 0 && o->expr->kind == SQL_EXPR_COLUMN) {
            for (uint32_t c = 0; c < q->n_columns && at < 0; c++)
                if (q->columns[c].name &&
                    strcasecmp(q->columns[c].name, o->expr->v.column->name) == 0)
                    at = (int)c + 1;
            if (at < 0)
                return bind_fail(b, MYSQL_ER_BAD_FIELD_ERROR, bind_ref_text(b, o->expr->v.column),
                                 "order clause");
        }
        if (at < 0)
            return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "expressions in ORDER BY of a UNION");
        if (at < 1 || (uint32_t)at > q->n_columns) {
            char text[16];
            snprintf(text, sizeof text, "%d", at);
            return bind_fail(b, MYSQL_ER_BAD_FIELD_ERROR, text, "order clause");
        }
        q->order[q->n_order++] =
            (struct bound_order){.item = (uint32_t)at - 1, .descending = o->is_desc};
    }
    return true;
}

static bool bind_query_body(struct bind *b, struct bound_query *q, const struct sql_query *ast)
{
    const struct sql_query_term *first = ast->terms;

    q->limit = UINT64_MAX;
    if (!first->next && first->select) {
        q->n_terms = 1;
        q->terms = bind_alloc(b, sizeof *q->terms);
        if (!q->terms)
            return false;
        q->terms[0].select = bind_select(b, first->select, ast->order_by, &ast->limit);
        return q->terms[0].select && set_columns(b, q, q->terms[0].select);
    }
    return bind_terms(b, q, ast) && bind_union_order(b, q, ast->order_by) &&
           bind_limit(b, &ast->limit, &q->limit, &q->offset);
}

struct bound_query *bind_query(struct bind *b, const struct sql_query *ast)
{
    struct bound_query *q = bind_alloc(b, sizeof *q);
    struct bind_cte *ctes = b->ctes;
    bool ok = q != NULL;

    if (ok && (++b->depth > MAX_QUERY_DEPTH || ++b->n_queries > MAX_QUERIES))
        ok = bind_fail(b, MYSQL_ER_TOO_BIG_SELECT);
    if (ok && ast->into)
        ok = bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "SELECT ... INTO");
    for (const struct sql_cte *c = ast->ctes; c && ok; c = c->next) {
        struct bind_cte *n = bind_alloc(b, sizeof *n);
        if (!n) {
            ok = false;
            break;
        }
        n->cte = c;
        n->may_recur = ast->is_recursive;
        n->next = b->ctes;
        b->ctes = n;
    }
    ok = ok && bind_query_body(b, q, ast);
    b->ctes = ctes;
    b->depth--;
    return ok ? q : NULL;
}
