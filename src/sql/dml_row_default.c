#include "sql/dml_row_default.h"

#include <string.h>

struct row_default {
    uint16_t place; /* in the insert's columns */
    bool always;    /* the column was not named */
    bool is_asked;  /* by DEFAULT in the row at hand */
    struct expr *value;
};

struct row_defaults {
    struct bound_select *sel; /* the table: where names are looked up */
    struct datum *row;        /* what the expressions read */
    uint16_t n;
    struct row_default list[];
};

static bool visit_row(struct sql_expr *e, void *arg)
{
    if (e->kind == SQL_EXPR_COLUMN)
        *(bool *)arg = true;
    if (e->kind == SQL_EXPR_CALL) {
        const struct function *f = function_find(e->v.call->name, strlen(e->v.call->name));
        *(bool *)arg |= f && (f->flags & FUNCTION_VOLATILE);
    }
    return true;
}

struct sql_expr *row_default_ast(struct statement *s, const struct column *c)
{
    struct parse_error pe;
    struct sql_expr *ast;
    bool of_row = false;

    if (!c->default_value || !schema_is_call(c->default_value) || schema_is_now(c->default_value) ||
        sql_parse_expr(&s->arena, c->default_value, strlen(c->default_value), 0, &ast, &pe) != 0 ||
        ast->kind != SQL_EXPR_CALL)
        return NULL;
    sql_expr_walk(ast, visit_row, &of_row);
    return of_row ? ast : NULL;
}

struct sound_visit {
    struct statement *s;
    const struct schema *schema;
};

static bool visit_sound(struct sql_expr *e, void *arg)
{
    const struct sound_visit *v = arg;

    if (e->kind == SQL_EXPR_COLUMN &&
        (e->v.column->table ||
         schema_find_column(v->schema, e->v.column->name, strlen(e->v.column->name)) < 0))
        statement_fail(v->s, MYSQL_ER_BAD_FIELD_ERROR, bind_ref_text(&v->s->bind, e->v.column),
                       "default value expression");
    if (e->kind == SQL_EXPR_CALL && !function_find(e->v.call->name, strlen(e->v.call->name)))
        statement_fail(v->s, MYSQL_ER_SP_DOES_NOT_EXIST, "FUNCTION", e->v.call->name);
    return !v->s->error.code;
}

bool row_default_is_sound(struct statement *s, const struct schema *t, const struct column *c)
{
    struct sql_expr *ast = row_default_ast(s, c);
    struct sound_visit v = {.s = s, .schema = t};

    sql_expr_walk(ast, visit_sound, &v);
    return !s->error.code;
}

static int place_of(const struct insert *x, uint16_t column)
{
    for (uint16_t i = 0; i < x->n_columns; i++)
        if (x->columns[i] == column)
            return i;
    return -1;
}

static bool add(struct insert *x, struct row_defaults *r, uint16_t column, struct sql_expr *ast)
{
    struct statement *s = x->s;
    const char *text = s->bind.text;
    int place = place_of(x, column);

    s->bind.text = x->schema->columns[column].default_value;
    struct expr *value = bind_expr(&s->bind, ast);
    s->bind.text = text;
    if (!value)
        return false;
    value = dml_value_for(s, &x->schema->columns[column], value);
    if (!value)
        return false;
    r->list[r->n++] = (struct row_default){.place = place < 0 ? x->n_columns : (uint16_t)place,
                                           .always = place < 0,
                                           .value = value};
    if (place < 0)
        x->columns[x->n_columns++] = column;
    return true;
}

static bool begin(struct insert *x)
{
    struct statement *s = x->s;
    struct sql_table table = {.kind = SQL_TABLE_NAME,
                              .name = x->schema->name,
                              .db = SESSION_DATABASE};
    struct row_defaults *r =
        statement_alloc(s, sizeof *r + x->schema->n_columns * sizeof r->list[0]);

    if (!r || !(r->row = statement_alloc(s, (x->schema->n_columns + 1u) * sizeof *r->row)) ||
        !(r->sel = bind_single_table(&s->bind, &table)))
        return false;
    x->row_defaults = r;
    return true;
}

bool row_defaults_prepare(struct insert *x)
{
    struct statement *s = x->s;
    struct bind_scope scope = {.clause = BIND_VALUES, .outer = NULL}, *outer = s->bind.scope;
    bool ok = true;

    for (uint16_t i = 0; i < x->schema->n_columns && ok; i++) {
        struct sql_expr *ast = row_default_ast(s, &x->schema->columns[i]);
        if (!ast)
            continue;
        ok = x->row_defaults || begin(x);
        if (!ok)
            break;
        scope.select = x->row_defaults->sel;
        s->bind.scope = &scope;
        ok = add(x, x->row_defaults, i, ast);
        s->bind.scope = outer;
    }
    if (ok && x->row_defaults)
        bind_finish_slots(x->row_defaults->sel);
    return ok && !s->error.code;
}

bool row_defaults_has(const struct insert *x, uint16_t column)
{
    const struct row_defaults *r = x->row_defaults;

    for (uint16_t i = 0; r && i < r->n; i++)
        if (x->columns[r->list[i].place] == column)
            return true;
    return false;
}

void row_defaults_ask(struct insert *x, uint16_t target)
{
    struct row_defaults *r = x->row_defaults;

    for (uint16_t i = 0; r && i < r->n; i++)
        r->list[i].is_asked |= r->list[i].place == target;
}

/* What the row has of the columns that the expressions read. */
static void fill_row(struct insert *x, struct row_defaults *r)
{
    const struct source *src = &r->sel->sources[0];

    for (uint16_t i = 0; i < src->n_used; i++) {
        int place = place_of(x, src->columns[src->used[i]].column);
        struct datum *cell = &r->row[src->first_slot + i];
        datum_set_null(cell);
        if (place >= 0)
            *cell = x->values[place];
    }
}

bool row_defaults_apply(struct insert *x)
{
    struct row_defaults *r = x->row_defaults;
    struct statement *s = x->s;
    struct datum d;

    if (!r)
        return true;
    fill_row(x, r);
    for (uint16_t i = 0; i < r->n; i++) {
        struct row_default *one = &r->list[i];
        if (!one->always && !one->is_asked)
            continue;
        one->is_asked = false;
        s->expr_ctx.row = r->row;
        s->expr_ctx.base = 0;
        expr_eval(one->value, &s->expr_ctx, &d);
        datum_round_to_type(&d, &one->value->type);
        if (s->error.code ||
            !dml_store(s, x->schema, x->columns[one->place], &d, x->row, &x->values[one->place]))
            return false;
    }
    return true;
}
