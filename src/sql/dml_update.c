/* UPDATE and DELETE of one table: the rows are pulled with their keys, and written back by key. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/dml_assign.h"
#include "sql/dml_join.h"

struct change {
    struct statement *s;
    struct bound_select *sel;
    const struct schema *schema;
    struct dml_assign *assigns; /* UPDATE */
    uint16_t n_assigns;
    uint16_t *cells; /* of a pulled row that are written, in the writer's order */
    uint16_t n_cells;
    struct datum *values;
    struct dml_writer writer;
    bool writing, ended, is_delete;
    uint64_t matched, changed;
};

static bool is_one_table(struct statement *s, const struct sql_table *t)
{
    if (t && t->kind == SQL_TABLE_NAME) {
        const char *db = t->db ? t->db : s->session->database;
        if (!db || strcasecmp(db, SESSION_DATABASE) == 0)
            return true;
        statement_fail(s, MYSQL_ER_DBACCESS_DENIED_ERROR, s->session->user ? s->session->user : "",
                       "%", db);
        return false;
    }
    statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "UPDATE and DELETE of several tables");
    return false;
}

/* The key columns are cells of the rows pulled. */
static bool use_key(struct change *x)
{
    const struct schema *t = x->schema;

    for (unsigned k = 0; k < t->n_key; k++)
        if (!bind_source_column(&x->s->bind, x->sel, 0, t->key[k]))
            return false;
    return true;
}

static bool bind_rows_order(struct change *x, const struct sql_order *o)
{
    struct bound_select *sel = x->sel;
    uint32_t n = 0;

    for (const struct sql_order *p = o; p; p = p->next)
        n++;
    struct expr **exprs = statement_alloc(x->s, (n + 1) * sizeof *exprs);
    sel->order = statement_alloc(x->s, (n + 1) * sizeof *sel->order);
    if (!exprs || !sel->order)
        return false;
    x->s->bind.scope->clause = BIND_ORDER;
    for (; o; o = o->next) {
        if (!(exprs[sel->n_order] = bind_expr(&x->s->bind, o->expr)))
            return false;
        sel->order[sel->n_order++].descending = o->is_desc;
    }
    if (!n)
        return true;
    /* Items: the cells of the row, then the order expressions. */
    const struct source *src = &sel->sources[0];
    uint16_t used = src->n_used;
    sel->items = statement_alloc(x->s, (used + n) * sizeof *sel->items);
    if (!sel->items)
        return false;
    for (uint16_t i = 0; i < used; i++)
        if (!(sel->items[i].expr = bind_source_column(&x->s->bind, sel, 0, src->used[i])))
            return false;
    for (uint32_t i = 0; i < n; i++) {
        sel->items[used + i].expr = exprs[i];
        sel->order[i].item = used + i;
    }
    sel->n_items = used + n;
    return true;
}

/* The rows, for which the subqueries of SET have been run that depend on them. */
static struct plan *apply_values(struct change *x, struct planner *p)
{
    struct expr **values = statement_alloc(x->s, x->n_assigns * sizeof *values);

    for (uint16_t i = 0; values && i < x->n_assigns; i++)
        values[i] = x->assigns[i].value;
    return values ? plan_apply(p, x->s->plan, values, x->n_assigns, NULL, 0) : NULL;
}

static bool plan_rows(struct change *x)
{
    struct statement *s = x->s;
    struct planner p = {.bind = &s->bind, .cluster = s->env->cluster};

    bind_finish_slots(x->sel);
    s->plan = plan_table_rows(&p, x->sel);
    if (s->plan && x->n_assigns && !(s->plan = apply_values(x, &p)))
        return false;
    return s->plan && plan_subqueries(&p, s->plan) && select_open(s);
}

/* Columns written: the key, then what SET names; each once. */
static bool choose_cells(struct change *x)
{
    const struct source *src = &x->sel->sources[0];
    uint16_t n = x->schema->n_key + x->n_assigns;
    uint16_t *columns = statement_alloc(x->s, (n + 1u) * sizeof *columns);

    x->cells = statement_alloc(x->s, (n + 1u) * sizeof *x->cells);
    x->values = statement_alloc(x->s, (n + 1u) * sizeof *x->values);
    if (!columns || !x->cells || !x->values)
        return false;
    for (unsigned k = 0; k < x->schema->n_key; k++) {
        columns[x->n_cells] = x->schema->key[k];
        x->cells[x->n_cells++] = src->cell_of[x->schema->key[k]] - 1u;
    }
    for (uint16_t i = 0; i < x->n_assigns; i++) {
        bool seen = false;
        for (uint16_t k = 0; k < x->n_cells && !seen; k++)
            seen = columns[k] == x->assigns[i].column;
        if (seen)
            continue;
        columns[x->n_cells] = x->assigns[i].column;
        x->cells[x->n_cells++] = x->assigns[i].cell;
    }
    return dml_writer_init(&x->writer, x->s, x->schema, x->is_delete ? BATCH_DELETE : BATCH_UPDATE,
                           columns, x->n_cells);
}

static bool take_row(struct change *x, struct datum *row)
{
    bool changed = true;

    x->matched++;
    if (x->s->row_refusal) {
        mysql_error_set_text(&x->s->error, 1105, "%s", x->s->row_refusal);
        return false;
    }
    arena_reset(&x->s->scratch);
    if (!x->is_delete &&
        !dml_assign_apply(x->s, x->schema, x->assigns, x->n_assigns, row, x->matched, &changed))
        return false;
    if (!changed)
        return true;
    x->changed++;
    for (uint16_t i = 0; i < x->n_cells; i++)
        x->values[i] = row[x->cells[i]];
    return dml_writer_put(&x->writer, x->values);
}

static void answer(struct change *x)
{
    char info[96];

    if (x->is_delete) {
        statement_ok(x->s, x->matched, 0, NULL);
        return;
    }
    snprintf(info, sizeof info, "Rows matched: %llu  Changed: %llu  Warnings: %u",
             (unsigned long long)x->matched, (unsigned long long)x->changed,
             x->s->session->warning_count);
    bool matched = x->s->session->found_rows || x->s->counts_matched;
    statement_ok(x->s, matched ? x->matched : x->changed, 0, info);
}

static enum step change_run(struct statement *s)
{
    struct change *x = s->state;

    for (;;) {
        if (x->writing) {
            if (x->writer.in_flight)
                return STEP_PENDING;
            x->writing = false;
            if (!dml_writer_take(&x->writer))
                return STEP_READY;
        }
        while (!x->ended && !dml_writer_is_full(&x->writer)) {
            enum exec_state r = exec_next(s->op, &s->rows);
            if (r == EXEC_PENDING)
                return STEP_PENDING;
            if (r == EXEC_ERROR)
                return STEP_READY;
            if (r == EXEC_END) {
                x->ended = true;
                break;
            }
            for (uint32_t i = 0; i < s->rows.rows; i++)
                if (!take_row(x, rowset_row(&s->rows, i)))
                    return STEP_READY;
            if (exec_yield(&s->exec))
                return STEP_PENDING;
        }
        if (dml_writer_flush(&x->writer) == STEP_READY) {
            if (!s->error.code)
                answer(x);
            return STEP_READY;
        }
        x->writing = true;
    }
}

static bool bind_change(struct change *x, struct bind_scope *scope, const struct sql_table *table,
                        const struct sql_expr *where, const struct sql_order *order,
                        const struct sql_limit *limit, const struct sql_assign *assigns)
{
    struct statement *s = x->s;

    if (!is_one_table(s, table))
        return false;
    /* The scope must know the SELECT before names are looked up; there are none in a single table's
     * FROM. */
    x->sel = bind_single_table(&s->bind, table);
    if (!x->sel)
        return false;
    scope->select = x->sel;
    if (x->sel->sources[0].kind != SOURCE_TABLE) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "changes to this table");
        return false;
    }
    x->schema = x->sel->sources[0].schema;
    if (!use_key(x))
        return false;
    if (assigns && !dml_assign_bind(s, x->sel, assigns, &x->assigns, &x->n_assigns))
        return false;
    scope->clause = BIND_WHERE;
    if (where && !bind_conjuncts(&s->bind, where, &x->sel->where, &x->sel->n_where))
        return false;
    return bind_rows_order(x, order) &&
           bind_limit(&s->bind, limit, &x->sel->limit, &x->sel->offset);
}

static bool prepare(struct statement *s, struct change *x, const struct sql_table *table,
                    const struct sql_expr *where, const struct sql_order *order,
                    const struct sql_limit *limit, const struct sql_assign *assigns)
{
    struct bind_scope scope = {.clause = BIND_FIELDS};

    s->bind.scope = &scope;
    bool ok = bind_change(x, &scope, table, where, order, limit, assigns);
    s->bind.scope = NULL;
    if (!ok)
        return false;
    s->state = x;
    s->run = change_run;
    return plan_rows(x) && choose_cells(x);
}

bool dml_update_prepare(struct statement *s)
{
    const struct sql_update *u = s->ast->u.update;
    struct change *x = statement_alloc(s, sizeof *x);

    if (!x)
        return false;
    x->s = s;
    s->takes_near = s->session->is_lenient || u->is_ignore;
    if (u->table->kind == SQL_TABLE_JOIN)
        return dml_join_update(s, u);
    return prepare(s, x, u->table, u->where, u->order_by, &u->limit, u->assigns);
}

bool dml_delete_prepare(struct statement *s)
{
    const struct sql_delete *d = s->ast->u.delete_;
    struct change *x = statement_alloc(s, sizeof *x);

    if (!x)
        return false;
    x->s = s;
    x->is_delete = true;
    if (d->targets)
        return dml_join_delete(s, d);
    return prepare(s, x, d->table, d->where, d->order_by, &d->limit, NULL);
}
