/* INSERT, UPDATE and DELETE. */
#include <string.h>

#include "sql/quanta_mode_impl.h"

/* What is not given is the default: NULL and the empty text are not. */
static bool is_given(const struct quanta_mode *m, const struct sql_expr *e)
{
    const struct statement *s = m->s;

    if (e->kind == SQL_EXPR_PARAM && s->params && (uint64_t)e->v.integer < s->n_params) {
        const struct datum *d = &s->params[e->v.integer];
        return d->kind != DATUM_NULL && (d->kind != DATUM_STRING || d->len);
    }
    return e->kind != SQL_EXPR_NULL && (e->kind != SQL_EXPR_STRING || e->count);
}

static struct sql_expr *call(struct quanta_mode *m, const char *name, struct sql_expr **args,
                             uint32_t n)
{
    struct sql_expr *e = mode_node(m, SQL_EXPR_CALL, 0, 0, args[0], NULL, 0);
    struct sql_call *c = statement_alloc(m->s, sizeof *c);

    if (!e || !c || !(c->args = statement_alloc(m->s, n * sizeof *args)))
        return NULL;
    memcpy(c->args, args, n * sizeof *args);
    c->name = name;
    c->arg_count = n;
    c->has_parens = true;
    e->v.call = c;
    return e;
}

/* Of a column that keeps several values: those it has, then the new ones. */
static struct sql_expr *added(struct quanta_mode *m, const struct column *c, struct sql_expr *old,
                              struct sql_expr *value)
{
    char *text = statement_alloc(m->s, 1);
    struct sql_expr *delim = mode_node(m, SQL_EXPR_STRING, 0, 0, value, NULL, 0);

    if (!text || !delim)
        return NULL;
    *text = c->delim ? c->delim : ',';
    delim->v.text = text;
    delim->count = 1;
    return call(m, "concat_ws", (struct sql_expr *[]){delim, old, value}, 3);
}

static const struct schema *find(struct quanta_mode *m, const char *db, const char *name)
{
    const struct schema *t = mode_schema(m, db, name);

    if (!t)
        mode_refuse(m, "Could not find a DataSource for that table \"%s\"", name);
    return t;
}

/* ---- INSERT ---- */

static bool has_columns(struct quanta_mode *m, const struct schema *t,
                        const struct sql_insert *insert)
{
    unsigned at = 0;

    for (const struct sql_name_list *n = insert->columns; n; n = n->next, at++)
        if (schema_find_column(t, n->name, strlen(n->name)) < 0)
            return mode_refuse(m, "column name '%s' not found at position %u", n->name, at);
    for (const struct sql_row *r = insert->rows; r; r = r->next)
        if (insert->has_columns && r->count != insert->column_count)
            return mode_refuse(m, "column and value counts differ");
    return true;
}

/* Values not given become DEFAULT, but for those of the key. */
static void leave_out(struct quanta_mode *m, const struct schema *t,
                      const struct sql_insert *insert)
{
    for (const struct sql_row *r = insert->rows; r; r = r->next) {
        const struct sql_name_list *n = insert->columns;
        for (struct sql_expr *e = r->values; e && n; e = e->next, n = n->next) {
            int at = schema_find_column(t, n->name, strlen(n->name));
            if (at < 0 || t->columns[at].in_key || is_given(m, e))
                continue;
            e->kind = SQL_EXPR_DEFAULT;
            e->count = 0;
        }
    }
}

/* A row that is there already gets the values given: column = coalesce(VALUES(column), column). */
static bool update_there(struct quanta_mode *m, const struct schema *t, struct sql_insert *insert)
{
    struct sql_assign **end = &insert->on_duplicate;
    struct sql_expr at = {.offset = insert->table.offset, .length = insert->table.length};

    for (const struct sql_name_list *n = insert->columns; n; n = n->next) {
        int i = schema_find_column(t, n->name, strlen(n->name));
        if (t->columns[i].in_key)
            continue;
        struct sql_assign *a = statement_alloc(m->s, sizeof *a);
        struct sql_column_ref *ref = statement_alloc(m->s, sizeof *ref);
        struct sql_expr *column = mode_node(m, SQL_EXPR_COLUMN, 0, 0, &at, NULL, 0);
        if (!a || !ref || !column)
            return false;
        *ref = (struct sql_column_ref){.name = n->name};
        column->v.column = ref;
        struct sql_expr *value = mode_node(m, SQL_EXPR_VALUES, 0, 0, &at, &column, 1);
        if (!value)
            return false;
        value = t->columns[i].multi_valued
                    ? added(m, &t->columns[i], column, value)
                    : call(m, "coalesce", (struct sql_expr *[]){value, column}, 2);
        if (!value)
            return false;
        *a = (struct sql_assign){.column = column, .value = value};
        *end = a;
        end = &a->next;
    }
    return true;
}

bool mode_insert(struct quanta_mode *m, struct sql_insert *insert)
{
    const struct schema *t = find(m, insert->table.db, insert->table.name);

    if (!t || !has_columns(m, t, insert) || (insert->query && !mode_query(m, insert->query)))
        return false;
    m->s->hides_affected = !insert->is_replace;
    leave_out(m, t, insert);
    if (insert->is_replace || insert->is_ignore || insert->on_duplicate ||
        schema_has_hidden_key(t) || schema_is_view(t) || !insert->columns)
        return true;
    if (!update_there(m, t, insert))
        return false;
    if (!insert->on_duplicate) /* nothing but the key */
        insert->is_ignore = true;
    return true;
}

/* ---- UPDATE, DELETE ---- */

static bool change_where(struct quanta_mode *m, struct sql_table *table, struct sql_expr **where)
{
    if (!*where)
        return mode_refuse(m, "Must provide a predicate");
    m->from = table;
    return (*where = mode_condition(m, *where)) != NULL;
}

/* What cannot be set is told of the first row, if there is one. */
static bool refuse_row(struct quanta_mode *m, const char *text)
{
    if (!m->s->row_refusal)
        m->s->row_refusal = text;
    return text != NULL;
}

static bool assignment(struct quanta_mode *m, const struct schema *t, struct sql_assign *a,
                       bool *keep)
{
    const char *name = a->column->v.column->name;
    int at = schema_find_column(t, name, strlen(name));

    *keep = false;
    if (at < 0)
        return refuse_row(m, statement_printf(m->s, "attribute '%s' not found", name));
    if (t->columns[at].in_key)
        return refuse_row(m,
                          statement_printf(m->s, "cannot update PK column %s.%s", t->name, name));
    *keep = true;
    if (t->columns[at].multi_valued && is_given(m, a->value))
        a->value = added(m, &t->columns[at], a->column, a->value);
    return a->value != NULL;
}

/* The first Quanta changes one table at a time. */
static bool refuse_join(struct quanta_mode *m, const char *what)
{
    statement_fail(m->s, MYSQL_ER_NOT_SUPPORTED_YET,
                   statement_printf(m->s, "%s of joined tables in sql_mode QUANTA", what));
    return false;
}

bool mode_update(struct quanta_mode *m, struct sql_update *update)
{
    bool keep;

    if (update->table->kind != SQL_TABLE_NAME)
        return refuse_join(m, "UPDATE");
    const struct schema *t = find(m, update->table->db, update->table->name);
    if (!t || !change_where(m, update->table, &update->where))
        return false;
    m->s->counts_matched = true;
    for (struct sql_assign **a = &update->assigns; *a;) {
        if (!assignment(m, t, *a, &keep))
            return false;
        if (keep)
            a = &(*a)->next;
        else
            *a = (*a)->next;
    }
    return true;
}

bool mode_delete(struct quanta_mode *m, struct sql_delete *delete_)
{
    if (!delete_->table || delete_->table->kind != SQL_TABLE_NAME)
        return refuse_join(m, "DELETE");
    return find(m, delete_->table->db, delete_->table->name) &&
           change_where(m, delete_->table, &delete_->where);
}
