#include "sql/dml_insert.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/dml_row_default.h"
#include "sql/value_convert.h"

/* The table of a statement, by name. */
static const struct schema *find_table(struct statement *s, const struct sql_table_name *t)
{
    const char *db = t->db ? t->db : s->session->database;

    if (!db) {
        statement_fail(s, MYSQL_ER_NO_DB_ERROR);
        return NULL;
    }
    if (strcasecmp(db, SESSION_DATABASE) != 0) {
        statement_fail(s, MYSQL_ER_DBACCESS_DENIED_ERROR, s->session->user ? s->session->user : "",
                       "%", db);
        return NULL;
    }
    const struct schema *schema = catalog_find(s->exec.catalog, t->name, strlen(t->name));
    if (!schema)
        statement_fail(s, MYSQL_ER_NO_SUCH_TABLE, SESSION_DATABASE, t->name);
    if (schema && schema_is_view(schema)) {
        mysql_error_set_text(&s->error, 1471,
                             "The target table %s of the INSERT is not insertable-into", t->name);
        return NULL;
    }
    return schema;
}

static bool has_column(const struct insert *x, uint16_t column)
{
    for (uint16_t i = 0; i < x->n_columns; i++)
        if (x->columns[i] == column)
            return true;
    return false;
}

static bool add_targets(struct insert *x)
{
    const struct schema *t = x->schema;

    if (!x->ast->has_columns) {
        for (uint16_t i = 0; i < t->n_columns; i++)
            if (!t->columns[i].hidden)
                x->columns[x->n_columns++] = i;
    }
    for (const struct sql_name_list *n = x->ast->columns; n; n = n->next) {
        int c = schema_find_column(t, n->name, strlen(n->name));
        if (c < 0 || t->columns[c].hidden) {
            statement_fail(x->s, MYSQL_ER_BAD_FIELD_ERROR, n->name, "field list");
            return false;
        }
        if (has_column(x, (uint16_t)c)) {
            statement_fail(x->s, MYSQL_ER_FIELD_SPECIFIED_TWICE, n->name);
            return false;
        }
        x->columns[x->n_columns++] = (uint16_t)c;
    }
    x->n_targets = x->n_columns;
    return true;
}

/* Columns not named get their default; required ones without one are an error. */
static bool add_defaults(struct insert *x)
{
    const struct schema *t = x->schema;

    for (uint16_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        struct datum d;
        bool has;
        if (c->hidden || has_column(x, i))
            continue;
        if (!dml_default(x->s, t, i, &d, &has))
            return false;
        if (!has && (c->required || c->in_key)) {
            statement_fail(x->s, MYSQL_ER_NO_DEFAULT_FOR_FIELD, c->name);
            return false;
        }
        /* ON DUPLICATE needs whole rows. */
        if (!has && !x->ast->on_duplicate)
            continue;
        if (!dml_store(x->s, t, i, &d, 1, &d))
            return false;
        if (!datum_copy(&x->defaults[x->n_columns], &d, &x->s->arena))
            return statement_alloc(x->s, SIZE_MAX / 4) != NULL;
        x->columns[x->n_columns++] = i;
    }
    return true;
}

/* ---- values ---- */

/* Literals without an expression node each: a bulk INSERT has millions. */
static bool literal(const struct sql_expr *e, struct datum *d)
{
    switch ((enum sql_expr_kind)e->kind) {
    case SQL_EXPR_NULL:
        datum_set_null(d);
        return true;
    case SQL_EXPR_BOOL:
    case SQL_EXPR_INT:
        datum_set_int(d, e->v.integer);
        return true;
    case SQL_EXPR_UINT:
        datum_set_uint(d, e->v.uinteger);
        return true;
    case SQL_EXPR_FLOAT:
        datum_set_double(d, e->v.real);
        return true;
    case SQL_EXPR_STRING:
        datum_set_string(d, e->v.text, e->count);
        return true;
    default:
        return false;
    }
}

static bool evaluate(struct insert *x, uint16_t i, const struct sql_expr *e, struct datum *out)
{
    struct statement *s = x->s;
    struct datum d;
    bool has;

    if (literal(e, &d))
        return dml_store(s, x->schema, x->columns[i], &d, x->row, out);
    if (e->kind == SQL_EXPR_DEFAULT && e->count == 0) {
        const struct column *c = &x->schema->columns[x->columns[i]];
        if (row_defaults_has(x, x->columns[i])) {
            datum_set_null(out);
            row_defaults_ask(x, i);
            return true;
        }
        if (!dml_default(s, x->schema, x->columns[i], &d, &has))
            return false;
        if (!has && (c->required || c->in_key)) {
            statement_fail(s, MYSQL_ER_NO_DEFAULT_FOR_FIELD, c->name);
            return false;
        }
        return dml_store(s, x->schema, x->columns[i], &d, x->row, out);
    }
    struct expr *b = insert_bound_value(x, e);
    bool is_ready = b != NULL;
    if (!b)
        b = bind_expr(&s->bind, e);
    if (b && b->is_bits && !is_ready)
        b = dml_value_for(s, &x->schema->columns[x->columns[i]], b);
    if (!b)
        return false;
    if (!is_ready && expr_has_subquery(b)) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "subqueries in SET of LOAD DATA");
        return false;
    }
    expr_eval(b, &s->expr_ctx, &d);
    datum_round_to_type(&d, &b->type);
    return !s->error.code && dml_store(s, x->schema, x->columns[i], &d, x->row, out);
}

bool insert_store(struct insert *x, uint16_t target, const struct datum *in)
{
    return dml_store(x->s, x->schema, x->columns[target], in, x->row, &x->values[target]);
}

bool insert_evaluate(struct insert *x, uint16_t target, const struct sql_expr *e)
{
    return evaluate(x, target, e, &x->values[target]);
}

static bool values_row(struct insert *x)
{
    const struct sql_row *r = x->next_row;
    uint16_t i = 0;

    x->next_row = r->next;
    x->row++;
    /* VALUES () gives every column its default. */
    bool all_default = r->count == 0 && (!x->ast->has_columns || !x->n_targets);
    if (r->count != x->n_targets && !all_default) {
        statement_fail(x->s, MYSQL_ER_WRONG_VALUE_COUNT_ON_ROW, (long)x->row);
        return false;
    }
    if (all_default) {
        for (; i < x->n_targets; i++) {
            struct sql_expr word = {.kind = SQL_EXPR_DEFAULT};
            if (!evaluate(x, i, &word, &x->values[i]))
                return false;
        }
    }
    for (const struct sql_expr *e = r->values; e && i < x->n_targets; e = e->next, i++)
        if (!evaluate(x, i, e, &x->values[i]))
            return false;
    memcpy(x->values + x->n_targets, x->defaults + x->n_targets,
           (size_t)(x->n_columns - x->n_targets) * sizeof *x->values);
    return row_defaults_apply(x);
}

static bool query_row(struct insert *x, const struct datum *cells)
{
    x->row++;
    for (uint16_t i = 0; i < x->n_targets; i++)
        if (!dml_store(x->s, x->schema, x->columns[i], &cells[i], x->row, &x->values[i]))
            return false;
    memcpy(x->values + x->n_targets, x->defaults + x->n_targets,
           (size_t)(x->n_columns - x->n_targets) * sizeof *x->values);
    return row_defaults_apply(x);
}

enum step insert_next_row(struct insert *x, bool *got)
{
    struct statement *s = x->s;

    *got = false;
    arena_reset(&s->scratch);
    if (x->load)
        return load_next_row(x, got);
    if (!x->op) {
        if (x->next_row)
            *got = values_row(x);
        return STEP_READY;
    }
    while (s->row >= s->rows.rows) {
        enum exec_state r = exec_next(x->op, &s->rows);
        s->row = 0;
        if (r != EXEC_ROWS)
            s->rows.rows = 0;
        if (r == EXEC_PENDING)
            return STEP_PENDING;
        if (r != EXEC_ROWS)
            return STEP_READY;
    }
    *got = query_row(x, rowset_row(&s->rows, s->row++));
    return STEP_READY;
}

/* ---- running ---- */

/* Rows of INSERT IGNORE that were not taken: one text for all of them, each of them counted. */
static void warn_skipped(struct insert *x, uint64_t n)
{
    struct gateway_session *s = x->s->session;
    char text[256];

    if (!n)
        return;
    snprintf(text, sizeof text, "Duplicate entries for the key of '%s', rows skipped: %llu",
             x->schema->name, (unsigned long long)n);
    gateway_session_warn(s, "Warning", MYSQL_ER_DUP_ENTRY, text);
    uint32_t room = UINT32_MAX - s->warning_count;
    s->warning_count += n - 1 < room ? (uint32_t)(n - 1) : room;
}

void insert_answer(struct insert *x)
{
    const struct dml_total *r = &x->writer.total;
    uint64_t affected = r->inserted + r->updated, duplicates = 0;
    char info[96];

    if (x->ast
            ->is_replace) { /* a replaced row counts as deleted and inserted, unless it is the same */
        duplicates = r->updated;
        affected = r->inserted + r->unchanged + 2 * duplicates;
    } else if (x->ast->is_ignore) {
        duplicates = x->row - r->inserted;
        affected = r->inserted;
        warn_skipped(x, duplicates);
    }
    bool tells = x->row > 1 || x->ast->query || x->load;
    if (tells)
        snprintf(info, sizeof info,
                 x->load ? "Records: %llu  Deleted: 0  Skipped: %llu  Warnings: %u"
                         : "Records: %llu  Duplicates: %llu  Warnings: %u",
                 (unsigned long long)x->row, (unsigned long long)duplicates,
                 x->s->session->warning_count);
    statement_ok(x->s, affected, 0, tells ? info : NULL);
}

static enum step insert_run(struct statement *s)
{
    struct insert *x = s->state;
    bool got, more = true;

    for (;;) {
        if (x->writing) {
            if (x->writer.in_flight)
                return STEP_PENDING;
            x->writing = false;
            if (!dml_writer_take(&x->writer) && !load_keeps_error(x))
                return STEP_READY;
        }
        while (more && !dml_writer_is_full(&x->writer)) {
            if (insert_next_row(x, &got) == STEP_PENDING)
                return STEP_PENDING;
            if (got && !s->error.code)
                dml_writer_put(&x->writer, x->values);
            more = s->error.code ? load_keeps_error(x) : got;
            if (s->error.code)
                return STEP_READY;
        }
        if (dml_writer_flush(&x->writer) == STEP_READY) {
            if (!s->error.code)
                insert_answer(x);
            return STEP_READY;
        }
        x->writing = true;
    }
}

static bool prepare_query(struct insert *x)
{
    struct statement *s = x->s;

    if (!select_prepare(s, x->ast->query))
        return false;
    if (s->n_columns != x->n_targets) {
        statement_fail(s, MYSQL_ER_WRONG_VALUE_COUNT_ON_ROW, 1l);
        return false;
    }
    if (!select_open(s))
        return false;
    x->op = s->op;
    return true;
}

bool insert_targets(struct insert *x)
{
    struct statement *s = x->s;

    x->schema = find_table(s, &x->ast->table);
    if (!x->schema)
        return false;
    s->bind.target = x->schema;
    s->takes_near = s->session->is_lenient || (x->ast->is_ignore && !x->load);
    size_t n = x->schema->n_columns + 1u;
    x->columns = statement_alloc(s, n * sizeof *x->columns);
    x->defaults = statement_alloc(s, n * sizeof *x->defaults);
    x->values = statement_alloc(s, n * sizeof *x->values);
    return x->columns && x->defaults && x->values && add_targets(x) && row_defaults_prepare(x) &&
           add_defaults(x);
}

bool insert_writer(struct insert *x, enum batch_op op)
{
    struct statement *s = x->s;

    s->state = x;
    if (!dml_writer_init(&x->writer, s, x->schema, op, x->columns, x->n_columns))
        return false;
    x->writer.check_first = op == BATCH_INSERT;
    s->run = insert_run;
    return true;
}

/* The subqueries of VALUES and ON DUPLICATE KEY UPDATE. */
static bool plan_values(struct statement *s)
{
    struct planner p = {.bind = &s->bind, .cluster = s->env->cluster};

    return plan_subqueries(&p, NULL);
}

bool dml_insert_prepare(struct statement *s)
{
    struct insert *x = statement_alloc(s, sizeof *x);

    if (!x)
        return false;
    x->s = s;
    x->ast = s->ast->u.insert;
    x->next_row = x->ast->rows;
    if (!insert_targets(x))
        return false;
    s->state = x;
    if (!insert_bind_queries(x) || (x->ast->on_duplicate && !duplicate_prepare(x)))
        return false;
    if (x->ast->query ? !prepare_query(x) : !plan_values(s))
        return false;
    if (x->ast->on_duplicate)
        return true;
    return insert_writer(x, x->ast->is_replace  ? BATCH_REPLACE
                            : x->ast->is_ignore ? BATCH_IGNORE
                                                : BATCH_INSERT);
}
