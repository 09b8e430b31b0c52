/* DEFAULT(column). */
#include <string.h>
#include <strings.h>

#include "sql/bind.h"
#include "sql/decimal.h"
#include "sql/parse.h"
#include "sql/value_convert.h"

/* The column that is named: of the SELECT at hand or one around it, or of the table that INSERT writes to. */
static const struct column *find_column(struct bind *b, const struct sql_column_ref *ref)
{
    const struct schema *t = b->target;
    uint16_t source, column;

    for (const struct bind_scope *scope = b->scope; scope; scope = scope->outer) {
        if (!scope->select || bind_find_column(scope->select, ref, &source, &column) != 1)
            continue;
        const struct source *s = &scope->select->sources[source];
        return s->kind == SOURCE_TABLE ? &s->schema->columns[s->columns[column].column] : NULL;
    }
    if (!t || (ref->table && strcmp(ref->table, t->name) != 0))
        return NULL;
    int c = schema_find_column(t, ref->name, strlen(ref->name));
    return c >= 0 && !t->columns[c].hidden ? &t->columns[c] : NULL;
}

/* A text as a value of the column's type. */
static bool of_type(const struct column *c, struct datum *d)
{
    unsigned scale;
    __int128 v;
    int64_t n;

    switch (c->type) {
    case COLUMN_BOOL:
    case COLUMN_INT:
        if (!datum_to_int(d, &n))
            return false;
        datum_set_int(d, n);
        return true;
    case COLUMN_DECIMAL:
        if (!datum_to_decimal(d, &v, &scale) || !decimal_rescale(v, scale, c->scale, &v))
            return false;
        datum_set_decimal(d, v, c->scale);
        return true;
    case COLUMN_DATE:
        if (!datum_to_date(d, &n))
            return false;
        datum_set_temporal(d, DATUM_DATE, n);
        return true;
    case COLUMN_DATETIME:
        if (!datum_to_datetime(d, &n))
            return false;
        datum_set_temporal(d, DATUM_DATETIME, n);
        return true;
    default:
        return true;
    }
}

struct expr *bind_default(struct bind *b, const struct sql_expr *e)
{
    const struct sql_expr *name = e->count ? e->v.args[0] : NULL;
    struct value_type type;
    struct datum d;

    if (!name || name->kind != SQL_EXPR_COLUMN) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "DEFAULT here");
        return NULL;
    }
    const struct column *c = find_column(b, name->v.column);
    if (!c) {
        bind_fail(b, MYSQL_ER_BAD_FIELD_ERROR, bind_ref_text(b, name->v.column), "field list");
        return NULL;
    }
    if (!c->default_value && (c->required || c->in_key)) {
        bind_fail(b, MYSQL_ER_NO_DEFAULT_FOR_FIELD, c->name);
        return NULL;
    }
    if (c->default_value && schema_is_call(c->default_value)) {
        mysql_error_set_text(b->error, 3773,
                             "DEFAULT function cannot be used with default value expressions");
        return NULL;
    }
    type = bind_column_type(c);
    type.not_null = false;
    datum_set_null(&d);
    if (c->default_value)
        datum_set_string(&d, c->default_value, strlen(c->default_value));
    if (c->default_value && !of_type(c, &d))
        type = value_type_string((uint32_t)strlen(c->default_value));
    struct expr *value = expr_new_const(b->arena, &d, &type);
    if (!value)
        bind_alloc(b, SIZE_MAX / 2);
    return value;
}
