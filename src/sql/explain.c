/* EXPLAIN: the plan as lines of a tree; with ANALYZE, rows per operator and figures per core. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sql/gateway_statement.h"
#include "sql/infoschema.h"
#include "sql/plan_recursive.h"
#include "sql/plan_subquery.h"

/* Lines being made. */
struct printer {
    struct statement *s;
    char line[2048];
    size_t len;
    bool failed;
};

static void put(struct printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct printer *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(p->line + p->len, sizeof p->line - p->len, fmt, ap);
    va_end(ap);
    p->len += (size_t)n;
    if (p->len >= sizeof p->line)
        p->len = sizeof p->line - 1;
}

static void end_line(struct printer *p)
{
    struct datum *row = memory_result_row(p->s);
    char *text = row ? arena_strndup(&p->s->arena, p->line, p->len) : NULL;

    if (!text)
        p->failed = true;
    else
        datum_set_string(&row[0], text, p->len);
    p->len = 0;
}

static void put_expr(struct printer *p, const struct expr *e)
{
    if (e->text && e->text_len)
        put(p, "%.*s", (int)(e->text_len > 400 ? 400 : e->text_len), e->text);
    else if (e->kind == EXPR_AND || e->kind == EXPR_OR || e->kind == EXPR_COMPARE)
        for (uint32_t i = 0; i < e->n_args; i++) {
            if (i)
                put(p, " %s ",
                    e->kind == EXPR_AND  ? "AND"
                    : e->kind == EXPR_OR ? "OR"
                                         : sql_op_name(e->op));
            put_expr(p, e->args[i]);
        }
    else if (e->kind == EXPR_SLOT)
        put(p, "#%u", e->u.slot);
    else
        put(p, "(...)");
}

static void put_exprs(struct printer *p, struct expr *const *list, uint32_t n,
                      const char *separator)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            put(p, "%s", separator);
        put_expr(p, list[i]);
    }
}

/* The columns of a projection; how many when they are many. */
static void put_columns(struct printer *p, struct expr *const *list, uint32_t n)
{
    enum { COLUMNS_SHOWN = 12 };

    if (n > COLUMNS_SHOWN)
        put(p, "%u columns", n);
    else
        put_exprs(p, list, n, ", ");
}

static void put_aggregate_call(struct printer *p, const struct aggregate_call *c)
{
    put(p, "%s(%s", aggregate_name(c->op), c->distinct ? "distinct " : "");
    if (c->op == AGG_COUNT_ROWS)
        put(p, "*");
    put_exprs(p, c->args, c->n_args, ", ");
    put(p, ")");
}

static void put_scan_column(struct printer *p, const struct plan_scan *s, uint16_t ref)
{
    if (ref >= PROGRAM_COMPUTED)
        put_expr(p, s->computed->exprs[ref - PROGRAM_COMPUTED]);
    else
        put(p, "%s", plan_scan_column(s, ref)->name);
}

/* A group column, or an aggregate. */
static void put_output(struct printer *p, const struct plan_scan *s, unsigned i)
{
    static const char *const names[] = {"count(*)", "count", "sum", "min", "max"};

    if (i < s->n_columns) {
        put(p, "%s", plan_scan_column(s, s->columns[i])->name);
        return;
    }
    const struct aggregate *a = &s->aggregates[i - s->n_columns];
    put(p, "%s", names[a->kind]);
    if (a->kind == AGGREGATE_COUNT_ROWS)
        return;
    put(p, "(");
    put_scan_column(p, s, a->column);
    put(p, ")");
}

static void put_scan(struct printer *p, const struct plan_scan *s)
{
    put(p, "scan %s", s->schema->name);
    if (s->source->alias && strcmp(s->source->alias, s->schema->name) != 0)
        put(p, " as %s", s->source->alias);
    put(p, ", on the cores: ");
    for (uint16_t i = 0; i < s->n_parents; i++) {
        const struct plan_parent *r = &s->parents[i];
        put(p, "%s%s = %s.%s%s", i ? ", " : "join along ", s->schema->columns[r->column].name,
            plan_parent_scan(r)->schema->name, r->key->name, r->left ? " (left)" : "");
    }
    if (s->n_parents)
        put(p, "; ");
    if (s->n_pushed) {
        put(p, "where ");
        put_exprs(p, s->pushed, s->n_pushed, " AND ");
        put(p, "; ");
    }
    put(p, s->output == OUTPUT_GROUPS ? "groups" : s->counted ? "numbers of rows by" : "rows");
    for (uint16_t i = 0; i < s->n_columns; i++)
        put(p, "%s%s", i ? ", " : " ", plan_scan_column(s, s->columns[i])->name);
    for (uint16_t i = 0; i < s->n_aggregates; i++) {
        put(p, "%s", i || s->n_columns ? ", " : " ");
        put_output(p, s, s->n_columns + i);
    }
    if (s->count_groups)
        put(p, ", counted");
    for (uint16_t i = 0; i < s->n_order; i++) {
        put(p, "%s", i ? ", " : " ordered by ");
        put_output(p, s, s->order[i].output);
        put(p, "%s", s->order[i].descending ? " desc" : "");
    }
    if (s->limit != UINT64_MAX)
        put(p, " limit %llu", (unsigned long long)s->limit);
}

static void put_join(struct printer *p, const struct plan *n)
{
    static const char *const forms[] = {"inner", "left", "right"};

    put(p, "%s %s join", forms[n->u.join.form], n->u.join.n_keys ? "hash" : "nested loop");
    if (n->u.join.n_keys) {
        put(p, " on ");
        for (uint32_t i = 0; i < n->u.join.n_keys; i++) {
            if (i)
                put(p, " AND ");
            put_expr(p, n->u.join.keys[i].left);
            put(p, " = ");
            put_expr(p, n->u.join.keys[i].right);
        }
    }
    if (n->u.join.n_residual) {
        put(p, ", filter ");
        put_exprs(p, n->u.join.residual, n->u.join.n_residual, " AND ");
    }
    put(p, ", table built of the %s side", n->u.join.build_left ? "first" : "second");
}

static void put_node(struct printer *p, const struct plan *n)
{
    switch (n->kind) {
    case PLAN_ONE_ROW:
        put(p, "one row");
        return;
    case PLAN_SCAN:
        put_scan(p, &n->u.scan);
        return;
    case PLAN_VIRTUAL:
        put(p, "read %s.%s", n->u.virtual_.table->database, n->u.virtual_.table->name);
        return;
    case PLAN_FILTER:
        put(p, "filter ");
        put_exprs(p, n->u.list.exprs, n->u.list.n, " AND ");
        return;
    case PLAN_PROJECT:
        put(p, "project ");
        put_columns(p, n->u.list.exprs, n->u.list.n);
        return;
    case PLAN_PERCENTILE:
    case PLAN_AGGREGATE:
        put(p, "aggregate");
        for (uint32_t i = 0; i < n->u.aggregate.n_aggregates; i++) {
            put(p, "%s", i ? ", " : " ");
            put_aggregate_call(p, n->u.aggregate.aggregates[i]);
        }
        if (n->u.aggregate.n_groups) {
            put(p, " group by ");
            put_exprs(p, n->u.aggregate.groups, n->u.aggregate.n_groups, ", ");
        }
        return;
    case PLAN_SORT:
        put(p, "sort by");
        for (uint32_t i = 0; i < n->u.sort.n_keys; i++)
            put(p, "%s column %u%s", i ? "," : "", n->u.sort.keys[i].cell + 1,
                n->u.sort.keys[i].descending ? " desc" : "");
        if (n->u.sort.limit != UINT64_MAX)
            put(p, ", first %llu", (unsigned long long)n->u.sort.limit);
        return;
    case PLAN_WINDOW:
        put(p, "window ");
        put_columns(p, n->u.window.calls, n->u.window.n_calls);
        return;
    case PLAN_DISTINCT:
        put(p, "distinct");
        return;
    case PLAN_LIMIT:
        put(p, "limit");
        if (n->u.limit.count != UINT64_MAX)
            put(p, " %llu", (unsigned long long)n->u.limit.count);
        if (n->u.limit.offset)
            put(p, " offset %llu", (unsigned long long)n->u.limit.offset);
        return;
    case PLAN_JOIN:
        put_join(p, n);
        return;
    case PLAN_UNION:
        put(p, "union all");
        return;
    case PLAN_SET:
        put(p, "%s%s", n->u.set.except ? "except" : "intersect", n->u.set.all ? " all" : "");
        return;
    case PLAN_RECURSIVE:
        put(p, "recursive union%s", n->u.recursion->distinct ? "" : " all");
        return;
    case PLAN_WORK:
        put(p, "rows that came last");
        return;
    case PLAN_ROLLUP:
        put(p, "roll up ");
        put_exprs(p, n->u.list.exprs, n->u.list.n, ", ");
        return;
    case PLAN_APPLY:
        put(p, "run subqueries for each row");
        return;
    case PLAN_TOPN:
        put(p, "topn");
        if (n->u.topn.limit)
            put(p, " %llu", (unsigned long long)n->u.topn.limit);
        return;
    }
}

static void put_legs(struct printer *p, const struct plan *n, unsigned depth)
{
    for (const struct exec_scan_stats *k = p->s->exec.stats; k; k = k->next) {
        if (k->plan_id != n->id)
            continue;
        for (uint32_t i = 0; i < k->n_legs; i++) {
            const struct scan_stats *x = &k->legs[i].scan;
            put(p,
                "%*s  %s: slots=%u rows=%llu matched=%llu out=%llu blocks=%llu skipped=%llu "
                "time=%.3fms",
                (int)(depth * 3), "", k->legs[i].where, x->slots, (unsigned long long)x->rows_total,
                (unsigned long long)x->rows_matched, (unsigned long long)x->rows_out,
                (unsigned long long)x->blocks, (unsigned long long)x->blocks_skipped,
                (double)x->ns / 1e6);
            end_line(p);
        }
    }
}

static void put_tree(struct printer *p, const struct plan *n, unsigned depth)
{
    if (!n)
        return;
    put(p, "%*s-> ", (int)(depth * 3), "");
    put_node(p, n);
    if (p->s->explain_analyze && n->id < 128)
        put(p, " (rows=%llu)", (unsigned long long)p->s->exec.rows_out[n->id]);
    end_line(p);
    if (p->s->explain_analyze && n->kind == PLAN_SCAN)
        put_legs(p, n, depth + 1);
    put_tree(p, n->child, depth + 1);
    put_tree(p, n->right, depth + 1);
    for (uint32_t i = 0; i < n->n_children; i++)
        put_tree(p, n->children[i], depth + 1);
}

static bool print_plan(struct statement *s)
{
    struct printer *p = statement_alloc(s, sizeof *p);
    unsigned number = 0;

    if (!p || !memory_result_begin(s, 1))
        return false;
    p->s = s;
    memory_result_column(s, 0, "EXPLAIN", value_type_string(2048));
    for (const struct subquery *q = s->bind.subqueries; q; q = q->next) {
        static const char *const uses[] = {"one value", "values for IN", "rows for IN", "existence",
                                           "smallest and largest"};
        static const char *const when[] = {"run first", "run first, by key", "run for each row"};
        put(p, "subquery %u, %s, %s", ++number, uses[q->use], when[q->mode]);
        end_line(p);
        put_tree(p, q->plan, 1);
    }
    put_tree(p, s->plan, 0);
    return !p->failed;
}

bool explain_finish(struct statement *s)
{
    return print_plan(s);
}

/* The rows of UPDATE and DELETE are a plan too. */
static bool explain_change(struct statement *s, struct sql_stmt *inner)
{
    struct sql_stmt *outer = s->ast;
    bool ok;

    s->ast = inner;
    ok = inner->kind == SQL_STMT_UPDATE ? dml_update_prepare(s) : dml_delete_prepare(s);
    s->ast = outer;
    if (!ok || !print_plan(s))
        return false;
    s->run = NULL;
    s->stage = STATEMENT_EMIT;
    return true;
}

static bool explain_insert(struct statement *s, const struct sql_insert *ast)
{
    if (ast->query) {
        if (!select_prepare(s, ast->query) || !print_plan(s))
            return false;
    } else {
        struct datum *row;
        if (!memory_result_begin(s, 1))
            return false;
        memory_result_column(s, 0, "EXPLAIN", value_type_string(2048));
        const char *text =
            statement_printf(s, "-> insert %u rows into %s", ast->row_count, ast->table.name);
        if (!text || !(row = memory_result_row(s)))
            return false;
        datum_set_string(&row[0], text, strlen(text));
    }
    s->stage = STATEMENT_EMIT;
    return true;
}

bool explain_prepare(struct statement *s)
{
    const struct sql_explain *e = s->ast->u.explain;

    if (!e->stmt) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "EXPLAIN FOR CONNECTION");
        return false;
    }
    if (e->stmt->kind == SQL_STMT_UPDATE || e->stmt->kind == SQL_STMT_DELETE)
        return explain_change(s, e->stmt);
    if (e->stmt->kind == SQL_STMT_INSERT)
        return explain_insert(s, e->stmt->u.insert);
    if (!select_prepare(s, e->stmt->u.query))
        return false;
    if (!e->is_analyze) {
        s->stage = STATEMENT_EMIT;
        return print_plan(s);
    }
    s->explain_analyze = s->exec.analyze = true;
    s->run = select_run;
    return select_open(s);
}
