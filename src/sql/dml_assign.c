#include "sql/dml_assign.h"

#include <string.h>

#include "sql/dml_row_default.h"

static struct expr *default_value(struct statement *s, const struct schema *t, uint16_t column)
{
    struct datum d, kept;
    bool has;
    struct value_type type = bind_column_type(&t->columns[column]);
    struct sql_expr *of_row = row_default_ast(s, &t->columns[column]);

    if (of_row)
        return bind_expr(&s->bind, of_row);
    if (!dml_default(s, t, column, &d, &has))
        return NULL;
    if (d.kind == DATUM_STRING)
        type = value_type_string(d.len);
    if (!datum_copy(&kept, &d, &s->arena))
        return statement_alloc(s, SIZE_MAX / 4);
    return expr_new_const(&s->arena, &kept, &type);
}

struct expr *dml_assign_value(struct statement *s, const struct schema *t, uint16_t column,
                              const struct sql_expr *e)
{
    struct expr *value = e->kind == SQL_EXPR_DEFAULT && !e->count ? default_value(s, t, column)
                                                                  : bind_expr(&s->bind, e);

    return value ? dml_value_for(s, &t->columns[column], value) : NULL;
}

bool dml_assign_allows(struct statement *s, const struct schema *t, uint16_t column)
{
    if (!t->columns[column].in_key)
        return true;
    mysql_error_set_text(&s->error, MYSQL_ER_NOT_SUPPORTED_YET,
                         "Cannot update column '%s' of table '%s': it is part of the primary key; "
                         "delete and insert the row instead",
                         t->columns[column].name, t->name);
    return false;
}

/* The column of the table to be set, the first source. NULL with the error set. */
static struct expr *find_target(struct statement *s, struct bound_select *sel,
                                const struct sql_column_ref *ref)
{
    struct bound_select table = {.sources = sel->sources, .n_sources = 1};
    uint16_t source, column;

    if (bind_find_column(&table, ref, &source, &column) == 1)
        return bind_source_column(&s->bind, sel, 0, column);
    statement_fail(s, MYSQL_ER_BAD_FIELD_ERROR, bind_ref_text(&s->bind, ref), "field list");
    return NULL;
}

bool dml_assign_bind(struct statement *s, struct bound_select *sel, const struct sql_assign *list,
                     struct dml_assign **out, uint16_t *n)
{
    const struct source *src = &sel->sources[0];
    const struct schema *t = src->schema;
    uint16_t count = 0;

    for (const struct sql_assign *a = list; a; a = a->next)
        count++;
    *n = 0;
    *out = statement_alloc(s, (count + 1u) * sizeof **out);
    if (!*out)
        return false;
    for (const struct sql_assign *a = list; a; a = a->next) {
        struct dml_assign *d = &(*out)[*n];
        struct expr *column = find_target(s, sel, a->column->v.column);
        if (!column)
            return false;
        d->column = src->columns[column->u.column.column].column;
        d->cell = src->cell_of[column->u.column.column] - 1u;
        if (!dml_assign_allows(s, t, d->column) ||
            !(d->value = dml_assign_value(s, t, d->column, a->value)))
            return false;
        (*n)++;
    }
    return true;
}

bool dml_assign_apply(struct statement *s, const struct schema *t, const struct dml_assign *list,
                      uint16_t n, struct datum *row, uint64_t number, bool *changed)
{
    struct datum d;

    *changed = false;
    s->expr_ctx.row = row;
    s->expr_ctx.base = 0;
    for (uint16_t i = 0; i < n; i++) {
        expr_eval(list[i].value, &s->expr_ctx, &d);
        datum_round_to_type(&d, &list[i].value->type);
        if (s->error.code || !dml_store(s, t, list[i].column, &d, number, &d))
            return false;
        *changed |= !datum_is_same(&d, &row[list[i].cell]);
        row[list[i].cell] = d;
    }
    return true;
}
