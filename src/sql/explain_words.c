/* EXPLAIN: operators of a plan in words. */
#include <string.h>

#include "sql/explain.h"
#include "sql/infoschema.h"
#include "sql/plan_recursive.h"
#include "sql/plan_subquery.h"
#include "storage/quanta_plugin.h"

enum { EXPR_SHOWN = 400 /* bytes */, COLUMNS_SHOWN = 12 };

/* The beginning of a long one, up to the end of a character. */
static size_t shown_length(const struct expr *e)
{
    size_t n = e->text_len;

    if (n <= EXPR_SHOWN)
        return n;
    for (n = EXPR_SHOWN; n && ((unsigned char)e->text[n] & 0xc0) == 0x80;)
        n--;
    return n;
}

static void put_expr(struct sql_printer *p, const struct expr *e)
{
    if (e->text && e->text_len)
        sql_put_bytes(p, e->text, shown_length(e));
    else if (e->kind == EXPR_AND || e->kind == EXPR_OR || e->kind == EXPR_COMPARE)
        for (uint32_t i = 0; i < e->n_args; i++) {
            if (i)
                sql_put_format(p, " %s ",
                               e->kind == EXPR_AND  ? "AND"
                               : e->kind == EXPR_OR ? "OR"
                                                    : sql_op_name(e->op));
            put_expr(p, e->args[i]);
        }
    else if (e->kind == EXPR_SLOT)
        sql_put_format(p, "#%u", e->u.slot);
    else
        sql_put(p, "(...)");
}

void explain_put_exprs(struct sql_printer *p, struct expr *const *list, uint32_t n,
                       const char *separator)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            sql_put(p, separator);
        put_expr(p, list[i]);
    }
}

/* The columns of a projection; how many when they are many. */
static void put_columns(struct sql_printer *p, struct expr *const *list, uint32_t n)
{
    if (n > COLUMNS_SHOWN)
        sql_put_format(p, "%u columns", n);
    else
        explain_put_exprs(p, list, n, ", ");
}

static void put_aggregate_call(struct sql_printer *p, const struct aggregate_call *c)
{
    sql_put(p, c->plugin ? c->plugin->signature.name : aggregate_name(c->op));
    sql_put(p, c->distinct ? "(distinct " : "(");
    if (c->op == AGG_COUNT_ROWS)
        sql_put(p, "*");
    explain_put_exprs(p, c->args, c->n_args, ", ");
    sql_put(p, ")");
}

static void put_aggregate(struct sql_printer *p, const struct plan *n)
{
    sql_put(p, "aggregate");
    for (uint32_t i = 0; i < n->u.aggregate.n_aggregates; i++) {
        sql_put(p, i ? ", " : " ");
        put_aggregate_call(p, n->u.aggregate.aggregates[i]);
    }
    if (n->u.aggregate.n_groups) {
        sql_put(p, " group by ");
        explain_put_exprs(p, n->u.aggregate.groups, n->u.aggregate.n_groups, ", ");
    }
}

/* ---- scans ---- */

void explain_put_output(struct sql_printer *p, const struct plan_scan *s, unsigned i)
{
    static const char *const names[] = {"count(*)", "count", "sum", "min", "max"};

    if (i < s->n_columns) {
        sql_put(p, plan_scan_column(s, s->columns[i])->name);
        return;
    }
    const struct aggregate *a = &s->aggregates[i - s->n_columns];
    sql_put(p, names[a->kind]);
    if (a->kind == AGGREGATE_COUNT_ROWS)
        return;
    sql_put(p, "(");
    if (a->column >= PROGRAM_COMPUTED)
        put_expr(p, s->computed->exprs[a->column - PROGRAM_COMPUTED]);
    else
        sql_put(p, plan_scan_column(s, a->column)->name);
    sql_put(p, ")");
}

const char *explain_scan_output(const struct plan_scan *s)
{
    return s->output == OUTPUT_GROUPS ? "groups" : s->counted ? "numbers of rows by" : "rows";
}

static void put_parents(struct sql_printer *p, const struct plan_scan *s)
{
    for (uint16_t i = 0; i < s->n_parents; i++) {
        const struct plan_parent *r = &s->parents[i];
        sql_put(p, i ? ", " : "join along ");
        sql_put(p, s->schema->columns[r->column].name);
        sql_put(p, " = ");
        sql_put(p, plan_parent_scan(r)->schema->name);
        sql_put(p, ".");
        sql_put(p, r->key->name);
        sql_put(p, r->left ? " (left)" : "");
    }
    if (s->n_parents)
        sql_put(p, "; ");
}

static void put_scan(struct sql_printer *p, const struct plan_scan *s)
{
    sql_put(p, "scan ");
    sql_put(p, s->schema->name);
    if (s->source->alias && strcmp(s->source->alias, s->schema->name) != 0) {
        sql_put(p, " as ");
        sql_put(p, s->source->alias);
    }
    sql_put(p, ", on the cores: ");
    put_parents(p, s);
    if (s->n_pushed) {
        sql_put(p, "where ");
        explain_put_exprs(p, s->pushed, s->n_pushed, " AND ");
        sql_put(p, "; ");
    }
    sql_put(p, explain_scan_output(s));
    for (unsigned i = 0; i < s->n_columns + s->n_aggregates; i++) {
        sql_put(p, i ? ", " : " ");
        explain_put_output(p, s, i);
    }
    if (s->count_groups)
        sql_put(p, ", counted");
    for (uint16_t i = 0; i < s->n_order; i++) {
        sql_put(p, i ? ", " : " ordered by ");
        explain_put_output(p, s, s->order[i].output);
        sql_put(p, s->order[i].descending ? " desc" : "");
    }
    if (s->limit != UINT64_MAX)
        sql_put_format(p, " limit %llu", (unsigned long long)s->limit);
    if (s->n_having) {
        sql_put(p, " having ");
        explain_put_exprs(p, s->having, s->n_having, " AND ");
    }
}

/* ---- the gateway's operators ---- */

const char *explain_join_form(const struct plan *n)
{
    static const char *const forms[] = {"inner", "left", "right"};

    return forms[n->u.join.form];
}

void explain_put_join_keys(struct sql_printer *p, const struct plan *n)
{
    for (uint32_t i = 0; i < n->u.join.n_keys; i++) {
        sql_put(p, i ? " AND " : "");
        put_expr(p, n->u.join.keys[i].left);
        sql_put(p, " = ");
        put_expr(p, n->u.join.keys[i].right);
    }
}

static void put_join(struct sql_printer *p, const struct plan *n)
{
    sql_put_format(p, "%s %s", explain_join_form(n), explain_node_name(n));
    if (n->u.join.n_keys) {
        sql_put(p, " on ");
        explain_put_join_keys(p, n);
    }
    if (n->u.join.n_residual) {
        sql_put(p, ", filter ");
        explain_put_exprs(p, n->u.join.residual, n->u.join.n_residual, " AND ");
    }
    sql_put_format(p, ", table built of the %s side", n->u.join.build_left ? "first" : "second");
}

void explain_put_sort_keys(struct sql_printer *p, const struct plan *n)
{
    for (uint32_t i = 0; i < n->u.sort.n_keys; i++)
        sql_put_format(p, "%scolumn %u%s", i ? ", " : "", n->u.sort.keys[i].cell + 1,
                       n->u.sort.keys[i].descending ? " desc" : "");
}

static void put_limit(struct sql_printer *p, const struct plan *n)
{
    sql_put(p, "limit");
    if (n->u.limit.count != UINT64_MAX)
        sql_put_format(p, " %llu", (unsigned long long)n->u.limit.count);
    if (n->u.limit.offset)
        sql_put_format(p, " offset %llu", (unsigned long long)n->u.limit.offset);
}

const char *explain_node_name(const struct plan *n)
{
    static const char *const names[] = {
        [PLAN_ONE_ROW] = "one row",
        [PLAN_SCAN] = "scan",
        [PLAN_VIRTUAL] = "read",
        [PLAN_FILTER] = "filter",
        [PLAN_PROJECT] = "project",
        [PLAN_AGGREGATE] = "aggregate",
        [PLAN_SORT] = "sort",
        [PLAN_DISTINCT] = "distinct",
        [PLAN_LIMIT] = "limit",
        [PLAN_UNION] = "union all",
        [PLAN_PERCENTILE] = "aggregate",
        [PLAN_WINDOW] = "window",
        [PLAN_TOPN] = "topn",
        [PLAN_WORK] = "rows that came last",
        [PLAN_ROLLUP] = "roll up",
        [PLAN_APPLY] = "run subqueries for each row",
        [PLAN_KEYED] = "run a subquery for the keys of the rows",
    };

    if (n->kind == PLAN_JOIN)
        return n->u.join.n_keys ? "hash join" : "nested loop join";
    if (n->kind == PLAN_SET)
        return n->u.set.except ? n->u.set.all ? "except all" : "except"
               : n->u.set.all  ? "intersect all"
                               : "intersect";
    if (n->kind == PLAN_RECURSIVE)
        return n->u.recursion->distinct ? "recursive union" : "recursive union all";
    return names[n->kind];
}

void explain_put_node(struct sql_printer *p, const struct plan *n)
{
    switch (n->kind) {
    case PLAN_SCAN:
        put_scan(p, &n->u.scan);
        return;
    case PLAN_JOIN:
        put_join(p, n);
        return;
    case PLAN_PERCENTILE:
    case PLAN_AGGREGATE:
        put_aggregate(p, n);
        return;
    case PLAN_LIMIT:
        put_limit(p, n);
        return;
    default:
        break;
    }
    sql_put(p, explain_node_name(n));
    switch (n->kind) {
    case PLAN_VIRTUAL:
        sql_put_format(p, " %s.%s", n->u.virtual_.table->database, n->u.virtual_.table->name);
        return;
    case PLAN_FILTER:
        sql_put(p, " ");
        explain_put_exprs(p, n->u.list.exprs, n->u.list.n, " AND ");
        return;
    case PLAN_PROJECT:
        sql_put(p, " ");
        put_columns(p, n->u.list.exprs, n->u.list.n);
        return;
    case PLAN_SORT:
        sql_put(p, " by ");
        explain_put_sort_keys(p, n);
        if (n->u.sort.limit != UINT64_MAX)
            sql_put_format(p, ", first %llu", (unsigned long long)n->u.sort.limit);
        return;
    case PLAN_WINDOW:
        sql_put(p, " ");
        put_columns(p, n->u.window.calls, n->u.window.n_calls);
        return;
    case PLAN_ROLLUP:
        sql_put(p, " ");
        explain_put_exprs(p, n->u.list.exprs, n->u.list.n, ", ");
        return;
    case PLAN_TOPN:
        if (n->u.topn.limit)
            sql_put_format(p, " %llu", (unsigned long long)n->u.topn.limit);
        return;
    default:
        return;
    }
}

/* ---- changes ---- */

const char *explain_change_name(const struct sql_stmt *stmt)
{
    switch (stmt->kind) {
    case SQL_STMT_UPDATE:
        return "update";
    case SQL_STMT_DELETE:
        return "delete";
    case SQL_STMT_INSERT:
        return stmt->u.insert->is_replace ? "replace" : "insert";
    default:
        return NULL;
    }
}

const char *explain_target(const struct sql_stmt *stmt)
{
    const struct sql_table *t = stmt->kind == SQL_STMT_UPDATE   ? stmt->u.update->table
                                : stmt->kind == SQL_STMT_DELETE ? stmt->u.delete_->table
                                                                : NULL;

    if (stmt->kind == SQL_STMT_INSERT)
        return stmt->u.insert->table.name;
    return t && t->kind == SQL_TABLE_NAME ? t->name : "";
}

void explain_put_change(struct sql_printer *p, const struct sql_stmt *stmt)
{
    sql_put(p, explain_change_name(stmt));
    if (stmt->kind == SQL_STMT_INSERT && stmt->u.insert->row_count)
        sql_put_format(p, " %u rows", stmt->u.insert->row_count);
    sql_put(p, stmt->kind == SQL_STMT_INSERT   ? " into "
               : stmt->kind == SQL_STMT_DELETE ? " from "
                                               : " ");
    sql_put(p, explain_target(stmt));
    if (stmt->kind != SQL_STMT_UPDATE)
        return;
    for (const struct sql_assign *a = stmt->u.update->assigns; a; a = a->next) {
        sql_put(p, a == stmt->u.update->assigns ? ": " : ", ");
        sql_put_expr(p, a->column);
        sql_put(p, " = ");
        sql_put_expr(p, a->value);
    }
}

/* ---- subqueries ---- */

const char *explain_subquery_use(const struct subquery *q)
{
    static const char *const uses[] = {"one value", "values for IN", "rows for IN", "existence",
                                       "smallest and largest"};

    return uses[q->use];
}

const char *explain_subquery_mode(const struct subquery *q)
{
    static const char *const when[] = {"run first", "run first, by key", "run for each row"};

    return q->waits ? "run by key, for the keys of the rows outside" : when[q->mode];
}
