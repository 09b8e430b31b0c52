#include "sql/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sql/gateway_statement.h"

enum { CELL_VALUE = '=', CELL_NULL = '-' };

/* ---- the answer ---- */

void explain_put_cell(struct sql_printer *p, const char *text, size_t len)
{
    char kind = text ? CELL_VALUE : CELL_NULL;

    sql_put_bytes(p, &kind, 1);
    sql_put_bytes(p, text ? text : "", len);
    sql_put_bytes(p, "", 1);
}

const struct exec_step *explain_step(const struct explain_view *v, const struct plan *n)
{
    return v->is_analyze && v->exec->steps && n->id < EXEC_MAX_STEPS ? &v->exec->steps[n->id]
                                                                     : NULL;
}

const struct exec_scan_stats *explain_legs(const struct explain_view *v, const struct plan *n)
{
    if (!v->is_analyze || n->kind != PLAN_SCAN)
        return NULL;
    for (const struct exec_scan_stats *k = v->exec->stats; k; k = k->next)
        if (k->plan_id == n->id)
            return k;
    return NULL;
}

int explain_render(const struct explain_view *v, enum sql_explain_format format, struct arena *a,
                   struct explain_answer *out)
{
    struct sql_printer cells = {.arena = a};
    int rc = format == SQL_EXPLAIN_JSON          ? explain_json(v, a, &cells)
             : format == SQL_EXPLAIN_TRADITIONAL ? explain_table(v, a, &cells)
                                                 : explain_tree(v, a, &cells);

    *out = (struct explain_answer){.format = format, .cells = cells.text, .length = cells.length};
    return cells.has_failed ? -ENOMEM : rc;
}

static bool is_number(uint32_t column)
{
    return column == EXPLAIN_ID || column == EXPLAIN_ROWS;
}

static bool begin_table(struct statement *s)
{
    if (!memory_result_begin(s, EXPLAIN_TABLE_COLUMNS))
        return false;
    for (uint32_t i = 0; i < EXPLAIN_TABLE_COLUMNS; i++)
        memory_result_column(s, i, explain_table_columns[i],
                             is_number(i) ? value_type_int(19) : value_type_string(1024));
    return true;
}

static bool begin_text(struct statement *s)
{
    if (!memory_result_begin(s, 1))
        return false;
    memory_result_column(s, 0, "EXPLAIN", value_type_string(65535));
    return true;
}

bool explain_rows(struct statement *s, const struct explain_answer *answer)
{
    bool table = answer->format == SQL_EXPLAIN_TRADITIONAL;
    uint32_t width = table ? EXPLAIN_TABLE_COLUMNS : 1, column = 0;
    char *text = statement_alloc_raw(s, answer->length + 1);
    struct datum *row = NULL;

    if (!text || !(table ? begin_table(s) : begin_text(s)))
        return false;
    memcpy(text, answer->cells, answer->length);
    text[answer->length] = 0;
    for (char *p = text, *end = text + answer->length; p < end; p += strlen(p) + 1) {
        if (!column && !(row = memory_result_row(s)))
            return false;
        if (*p == CELL_VALUE && table && is_number(column))
            datum_set_int(&row[column], strtoll(p + 1, NULL, 10));
        else if (*p == CELL_VALUE)
            datum_set_string(&row[column], p + 1, strlen(p + 1));
        column = (column + 1) % width;
    }
    return true;
}

/* ---- what is explained ---- */

static bool is_planned(const struct statement *s, const struct sql_stmt *stmt)
{
    return s->plan || (stmt->kind == SQL_STMT_INSERT && !stmt->u.insert->query);
}

bool explain_view_of(const struct statement *s, struct explain_view *out)
{
    const struct sql_stmt *stmt = s->ast;

    if (stmt && stmt->kind == SQL_STMT_EXPLAIN)
        stmt = stmt->u.explain->stmt;
    if (!stmt || s->stage >= STATEMENT_CLOSE ||
        (stmt->kind != SQL_STMT_SELECT && !explain_change_name(stmt)) || !is_planned(s, stmt))
        return false;
    *out = (struct explain_view){.stmt = stmt,
                                 .plan = s->plan,
                                 .subqueries = s->bind.subqueries,
                                 .exec = &s->exec,
                                 .is_analyze = s->explain_analyze};
    return true;
}

static bool render_own(struct statement *s)
{
    struct explain_view v;
    struct explain_answer answer;

    if (!explain_view_of(s, &v))
        return false;
    if (explain_render(&v, s->ast->u.explain->format, &s->arena, &answer) != 0) {
        exec_no_memory(&s->exec, "EXPLAIN");
        return false;
    }
    return explain_rows(s, &answer);
}

bool explain_finish(struct statement *s)
{
    return render_own(s);
}

/* The rows of UPDATE and DELETE are a plan too. */
static bool plan_change(struct statement *s, struct sql_stmt *inner)
{
    struct sql_stmt *outer = s->ast;
    bool ok;

    s->ast = inner;
    ok = inner->kind == SQL_STMT_UPDATE ? dml_update_prepare(s) : dml_delete_prepare(s);
    s->ast = outer;
    s->run = NULL;
    return ok;
}

static bool plan_insert(struct statement *s, const struct sql_insert *ast)
{
    if (!catalog_find(s->exec.catalog, ast->table.name, strlen(ast->table.name))) {
        statement_fail(s, MYSQL_ER_NO_SUCH_TABLE, SESSION_DATABASE, ast->table.name);
        return false;
    }
    return !ast->query || select_prepare(s, ast->query);
}

static bool plan_stmt(struct statement *s, struct sql_stmt *inner)
{
    switch (inner->kind) {
    case SQL_STMT_UPDATE:
    case SQL_STMT_DELETE:
        return plan_change(s, inner);
    case SQL_STMT_INSERT:
        return plan_insert(s, inner->u.insert);
    default:
        return select_prepare(s, inner->u.query);
    }
}

static bool analyze(struct statement *s, const struct sql_explain *e)
{
    if (e->stmt->kind != SQL_STMT_SELECT || e->format == SQL_EXPLAIN_TRADITIONAL) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET,
                       e->stmt->kind != SQL_STMT_SELECT
                           ? "EXPLAIN ANALYZE of a statement that writes"
                           : "EXPLAIN ANALYZE with TRADITIONAL format");
        return false;
    }
    s->exec.steps = statement_alloc(s, EXEC_MAX_STEPS * sizeof *s->exec.steps);
    s->explain_analyze = s->exec.analyze = true;
    s->run = select_run;
    return s->exec.steps && select_prepare(s, e->stmt->u.query) && select_open(s);
}

bool explain_prepare(struct statement *s)
{
    const struct sql_explain *e = s->ast->u.explain;

    if (!e->stmt)
        return explain_connection(s, e);
    if (e->is_analyze)
        return analyze(s, e);
    if (!plan_stmt(s, e->stmt) || !render_own(s))
        return false;
    s->stage = STATEMENT_EMIT;
    return true;
}
