/* MATCH (columns) AGAINST (text): columns that are searchable, a text that is known. */
#include <errno.h>

#include "sql/bind.h"
#include "sql/value_convert.h"
#include "storage/words_query.h"

static bool is_searchable(const struct bind *b, const struct expr *e)
{
    if (e->kind != EXPR_COLUMN || !b->scope || !b->scope->select)
        return false;
    const struct source *s = &b->scope->select->sources[e->u.column.source];
    return s->kind == SOURCE_TABLE &&
           column_is_searchable(&s->schema->columns[s->columns[e->u.column.column].column]);
}

/* The columns, all of one table. */
static bool bind_columns(struct bind *b, const struct sql_expr *e, struct expr **args)
{
    for (uint32_t i = 0; i + 1 < e->count; i++) {
        if (e->v.args[i]->kind != SQL_EXPR_COLUMN)
            return bind_fail(b, MYSQL_ER_WRONG_ARGUMENTS, "MATCH");
        args[i] = bind_expr(b, e->v.args[i]);
        if (!args[i])
            return false;
        if (!is_searchable(b, args[i]) || args[i]->u.column.source != args[0]->u.column.source)
            return bind_fail(b, MYSQL_ER_FT_MATCHING_KEY_NOT_FOUND);
    }
    return true;
}

/* NULL asks for nothing, as an empty text does. */
static bool parse_text(struct bind *b, const struct sql_expr *e, const struct expr *text,
                       const struct words_query **q)
{
    struct datum d = text->u.value;
    char number[DATUM_TEXT];
    size_t len = 0;
    const char *s = "";

    if (d.kind == DATUM_STRING) {
        s = d.s;
        len = d.len;
    } else if (d.kind != DATUM_NULL) {
        s = datum_to_text(&d, &text->type, number, &len);
    }
    switch (words_query_parse(s, len, e->op == SQL_MATCH_BOOLEAN, b->arena, q)) {
    case 0:
        return true;
    case -EOPNOTSUPP:
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "a distance in MATCH ... AGAINST");
    case -E2BIG:
        if (!b->error->code)
            mysql_error_set_text(b->error, MYSQL_ER_WRONG_ARGUMENTS,
                                 "Incorrect arguments to AGAINST: at most %d bytes, %d words, %d "
                                 "in a phrase, groups %d deep",
                                 WORDS_QUERY_MAX_BYTES, WORDS_QUERY_MAX_WORDS,
                                 WORDS_QUERY_MAX_PHRASE, WORDS_QUERY_MAX_DEPTH);
        return false;
    default:
        return bind_alloc(b, SIZE_MAX / 2) != NULL;
    }
}

struct expr *bind_match(struct bind *b, const struct sql_expr *e)
{
    struct expr *n = expr_new(b->arena, EXPR_MATCH, e->count), *text;

    if (!n)
        return bind_alloc(b, SIZE_MAX / 2);
    if (e->op == SQL_MATCH_EXPANSION || e->op == SQL_MATCH_NATURAL_EXPANSION) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "WITH QUERY EXPANSION");
        return NULL;
    }
    if (!bind_columns(b, e, n->args) || !(text = bind_expr(b, e->v.args[e->count - 1])))
        return NULL;
    if (!expr_is_const(text)) {
        bind_fail(b, MYSQL_ER_WRONG_ARGUMENTS, "AGAINST");
        return NULL;
    }
    if (!parse_text(b, e, text, &n->u.words))
        return NULL;
    n->args[e->count - 1] = text;
    n->op = e->op == SQL_MATCH_BOOLEAN ? SQL_MATCH_BOOLEAN : SQL_MATCH_NATURAL;
    expr_prepare(n, b->arena);
    return n;
}
