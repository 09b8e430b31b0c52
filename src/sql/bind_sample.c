/*
 * sample_stratified('column', percent) in WHERE: of the rows of each value of the column that share, chosen at random. It
 * is the key of the row being among those of a query over the whole table, which is made as text.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/bind.h"
#include "sql/parse.h"
#include "sql/value_convert.h"

enum { NAME_ROOM = 2 * SCHEMA_MAX_NAME + 4 };

static const char *quoted(const char *name, char out[static NAME_ROOM])
{
    size_t n = 0;

    out[n++] = '`';
    for (; *name && n < NAME_ROOM - 3; name++) {
        if (*name == '`')
            out[n++] = '`';
        out[n++] = *name;
    }
    out[n++] = '`';
    out[n] = 0;
    return out;
}

/* "a.k, a.l", or with names of the query: "k0, k1", or both: "k AS k0, l AS k1". */
static const char *key_list(struct bind *b, const struct source *s, bool of_table, bool named)
{
    const char *list = "";
    char alias[NAME_ROOM], column[NAME_ROOM];

    for (unsigned k = 0; k < s->schema->n_key && list; k++) {
        const char *name = quoted(s->schema->columns[s->schema->key[k]].name, column);
        const char *comma = k ? ", " : "";
        if (of_table)
            list = arena_printf(b->arena, "%s%s%s.%s", list, comma, quoted(s->alias, alias), name);
        else if (named)
            list = arena_printf(b->arena, "%s%s%s AS k%u", list, comma, name, k);
        else
            list = arena_printf(b->arena, "%s%sk%u", list, comma, k);
    }
    return list;
}

static const char *condition(struct bind *b, const struct source *s, const char *name,
                             const char *percent)
{
    const char *own = key_list(b, s, true, false), *inner = key_list(b, s, false, true),
               *outer = key_list(b, s, false, false);
    char column[NAME_ROOM], table[NAME_ROOM];
    bool row = s->schema->n_key > 1;

    if (!own || !inner || !outer)
        return NULL;
    quoted(name, column);
    return arena_printf(b->arena,
                        "%s%s%s IN (SELECT %s FROM (SELECT %s, row_number() OVER (PARTITION BY %s "
                        "ORDER BY rand()) AS place, count(*) OVER (PARTITION BY %s) AS of FROM "
                        "quanta.%s WHERE %s IS NOT NULL) AS sampled WHERE place <= floor(of * %s / "
                        "100))",
                        row ? "(" : "", own, row ? ")" : "", outer, inner, column, column,
                        quoted(s->name, table), column, percent);
}

/* The table of the SELECT that has the column. */
static const struct source *find(struct bind *b, const char *name)
{
    const struct bound_select *s = b->scope ? b->scope->select : NULL;

    for (uint16_t i = 0; s && i < s->n_sources; i++)
        if (s->sources[i].kind == SOURCE_TABLE &&
            schema_find_column(s->sources[i].schema, name, strlen(name)) >= 0)
            return &s->sources[i];
    bind_fail(b, MYSQL_ER_BAD_FIELD_ERROR, name, "sample_stratified");
    return NULL;
}

/* The share as it was written, from 0 to 100. */
static const char *share(struct bind *b, const struct sql_expr *e)
{
    struct expr *n = bind_expr(b, e);
    char buf[DATUM_TEXT];
    size_t len;
    double v;

    if (!n)
        return NULL;
    if (!expr_is_const(n) || n->u.value.kind == DATUM_NULL) {
        bind_fail(b, MYSQL_ER_WRONG_ARGUMENTS, "sample_stratified");
        return NULL;
    }
    const char *text = datum_to_text(&n->u.value, &n->type, buf, &len);
    text = arena_strndup(b->arena, text, len);
    char *end = NULL;
    v = text ? strtod(text, &end) : 0;
    if (!text || end == text || *end || !(v >= 0 && v <= 100)) {
        mysql_error_set_text(b->error, MYSQL_ER_WRONG_ARGUMENTS,
                             "Incorrect arguments to sample_stratified: found %.40s percent, "
                             "allowed are 0 to 100",
                             text ? text : "");
        return NULL;
    }
    return arena_printf(b->arena, "%.9f", v);
}

struct expr *bind_sample(struct bind *b, const struct sql_call *c)
{
    struct parse_error pe;
    struct sql_expr *ast;

    if (c->arg_count != 2) {
        mysql_error_set_text(b->error, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT,
                             "Expected 2 args for stratified_sample(fieldName, percentage) but got "
                             "%u",
                             c->arg_count);
        return NULL;
    }
    if (c->args[0]->kind != SQL_EXPR_STRING || !b->scope || b->scope->clause != BIND_WHERE) {
        bind_fail(b, MYSQL_ER_WRONG_ARGUMENTS, "sample_stratified");
        return NULL;
    }
    const char *name = arena_strndup(b->arena, c->args[0]->v.text, c->args[0]->count);
    const struct source *s = name ? find(b, name) : NULL;
    const char *percent = s ? share(b, c->args[1]) : NULL;
    if (!percent)
        return NULL;
    if (schema_has_hidden_key(s->schema)) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET,
                  "sample_stratified of a table without a primary key");
        return NULL;
    }
    const char *text = condition(b, s, name, percent), *outer = b->text;
    if (!text || sql_parse_expr(b->arena, text, strlen(text), 0, &ast, &pe) != 0)
        return bind_alloc(b, SIZE_MAX / 2);
    b->text = text;
    struct expr *e = bind_expr(b, ast);
    b->text = outer;
    return e;
}
