/* Queries: bound, planned, pulled, sent. */
#include <string.h>

#include "sql/decimal.h"
#include "sql/gateway_statement.h"

enum { ROWS_PER_TURN = 8 }; /* rowsets sent before the loop has its turn */

void mysql_column_of_type(struct mysql_column *m, const struct value_type *t)
{
    m->flags = t->not_null ? MYSQL_COLUMN_NOT_NULL : 0;
    m->charset = MYSQL_CHARSET_BINARY;
    m->decimals = 0;
    m->length = value_type_text_length(t);
    switch (t->kind) {
    case DATUM_INT:
        m->type = MYSQL_TYPE_LONGLONG;
        m->length = t->precision == 1 ? 1 : t->precision < 20 ? t->precision + 1u : 21;
        m->flags |= MYSQL_COLUMN_NUM | MYSQL_COLUMN_BINARY;
        break;
    case DATUM_UINT:
        m->type = MYSQL_TYPE_LONGLONG;
        m->flags |= MYSQL_COLUMN_NUM | MYSQL_COLUMN_BINARY | MYSQL_COLUMN_UNSIGNED;
        break;
    case DATUM_DECIMAL:
        m->type = MYSQL_TYPE_NEWDECIMAL;
        m->decimals = t->scale;
        m->flags |= MYSQL_COLUMN_NUM | MYSQL_COLUMN_BINARY;
        break;
    case DATUM_DOUBLE:
        m->type = MYSQL_TYPE_DOUBLE;
        m->decimals = t->scale;
        m->flags |= MYSQL_COLUMN_NUM | MYSQL_COLUMN_BINARY;
        break;
    case DATUM_DATE:
        m->type = MYSQL_TYPE_DATE;
        m->flags |= MYSQL_COLUMN_BINARY;
        break;
    case DATUM_DATETIME:
        m->type = MYSQL_TYPE_DATETIME;
        m->decimals = t->scale;
        m->flags |= MYSQL_COLUMN_BINARY;
        break;
    case DATUM_TIME:
        m->type = MYSQL_TYPE_TIME;
        m->decimals = t->scale;
        m->flags |= MYSQL_COLUMN_BINARY;
        break;
    case DATUM_STRING:
        m->type = t->length > 65535 / 4 ? MYSQL_TYPE_BLOB : MYSQL_TYPE_VAR_STRING;
        m->charset = t->is_binary ? MYSQL_CHARSET_BINARY : MYSQL_CHARSET_UTF8MB4_BIN;
        m->length = t->length > UINT32_MAX / 4 ? UINT32_MAX : t->length * (t->is_binary ? 1 : 4);
        m->decimals = MYSQL_DECIMALS_NOT_FIXED;
        if (t->is_binary)
            m->flags |= MYSQL_COLUMN_BINARY;
        break;
    default:
        m->type = MYSQL_TYPE_NULL;
        m->flags |= MYSQL_COLUMN_BINARY;
    }
}

/* What clients learn of the column of a table behind a result column. */
static void describe_source(struct mysql_column *m, const struct source *src, uint16_t column)
{
    m->schema = src->db;
    m->table = src->alias;
    m->org_table = src->kind == SOURCE_QUERY ? "" : src->name;
    m->org_name = src->columns[column].name;
    if (src->kind != SOURCE_TABLE)
        return;
    const struct column *c = &src->schema->columns[src->columns[column].column];
    if (c->in_key)
        m->flags |= MYSQL_COLUMN_PRI_KEY;
    if (c->type == COLUMN_BOOL) {
        m->type = MYSQL_TYPE_TINY;
        m->length = 1;
    }
}

bool select_columns(struct statement *s, const struct bound_query *q)
{
    s->n_columns = q->n_columns;
    s->columns = statement_alloc(s, (q->n_columns + 1) * sizeof *s->columns);
    s->types = statement_alloc(s, (q->n_columns + 1) * sizeof *s->types);
    if (!s->columns || !s->types)
        return false;
    for (uint32_t i = 0; i < q->n_columns; i++) {
        struct mysql_column *m = &s->columns[i];
        m->name = q->columns[i].name;
        s->types[i] = q->columns[i].type;
        mysql_column_of_type(m, &q->columns[i].type);
        if (q->columns[i].source)
            describe_source(m, q->columns[i].source, q->columns[i].column);
    }
    return true;
}

/* The query that the statement answers, not one of INSERT nor of SHOW. */
static bool is_answer(const struct statement *s, const struct sql_query *q)
{
    const struct sql_stmt *ast = s->ast;

    if (ast && ast->kind == SQL_STMT_EXPLAIN)
        ast = ast->u.explain->stmt;
    return ast && ast->kind == SQL_STMT_SELECT && ast->u.query == q;
}

/* SQL_CALC_FOUND_ROWS: takes the LIMIT out of the plan and keeps it for the sending. */
static void count_all(struct statement *s, const struct sql_query *q)
{
    struct bound_query *b = s->query;
    struct bound_select *one = b->n_terms == 1 ? b->terms[0].select : NULL;
    uint64_t *limit = one ? &one->limit : &b->limit, *offset = one ? &one->offset : &b->offset;

    if (!is_answer(s, q) || !q->terms->select || !q->terms->select->has_found_rows)
        return;
    s->counts_all = true;
    s->send_count = *limit;
    s->send_from = *offset;
    *limit = UINT64_MAX;
    *offset = 0;
}

bool select_prepare(struct statement *s, const struct sql_query *q)
{
    struct planner p = {.bind = &s->bind,
                        .cluster = s->env->cluster,
                        .gateway_alone = s->gateway_alone};

    s->query = bind_query(&s->bind, q);
    if (!s->query || !select_columns(s, s->query))
        return false;
    count_all(s, q);
    s->plan = plan_query(&p, s->query);
    return s->plan && plan_subqueries(&p, s->plan);
}

bool select_open(struct statement *s)
{
    s->op = exec_open(&s->exec, s->plan);
    return s->op != NULL;
}

bool select_passes_over(const struct statement *s)
{
    return s->counts_all &&
           (s->rows_made < s->send_from || s->rows_made - s->send_from >= s->send_count);
}

/* Sends the rows at hand; false when the sink is full. */
static bool send_rows(struct statement *s)
{
    for (; s->row < s->rows.rows; s->row++) {
        if (select_passes_over(s)) {
            s->rows_made++;
            continue;
        }
        if (!s->explain_analyze && !s->sink->row(s->sink, rowset_row(&s->rows, s->row)))
            return false;
        s->rows_sent++;
        s->rows_made++;
    }
    return true;
}

static enum step finish(struct statement *s)
{
    s->session->rows_found = s->counts_all ? s->rows_made : s->rows_sent;
    if (s->explain_analyze) {
        /* The figures came with the end of the queries. */
        if (explain_finish(s))
            s->stage = STATEMENT_EMIT;
        return STEP_READY;
    }
    if (!s->answered) {
        s->answered = true;
        s->session->row_count = -1;
        s->sink->end(s->sink,
                     (uint16_t)(s->session->warning_count > 65535 ? 65535
                                                                  : s->session->warning_count));
    }
    return STEP_READY;
}

enum step select_run(struct statement *s)
{
    for (unsigned i = 0;; i++) {
        if (statement_naps(s) || !send_rows(s))
            return STEP_PENDING;
        if (s->query_ended)
            return finish(s);
        if (i >= ROWS_PER_TURN) {
            exec_wake(&s->exec);
            return STEP_PENDING;
        }
        enum exec_state r = exec_next(s->op, &s->rows);
        s->row = 0;
        if (r != EXEC_ROWS)
            s->rows.rows = 0;
        if (r == EXEC_PENDING)
            return STEP_PENDING;
        if (r == EXEC_ERROR)
            return STEP_READY;
        /* The header is sent with the first row, so that an error before it is a plain error. */
        if (!s->has_begun && !s->explain_analyze) {
            s->has_begun = true;
            if (s->sink->begin(s->sink, s->columns, s->types, s->n_columns) != 0) {
                mysql_error_set_text(&s->error, 1041, "Out of memory");
                return STEP_READY;
            }
        }
        s->query_ended = r == EXEC_END;
    }
}
