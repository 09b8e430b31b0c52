/* PREPARE, EXECUTE and DEALLOCATE PREPARE as statements: the session keeps the texts, EXECUTE runs one of them with the
 * values of user variables, as if the client had sent it. */
#include <stdio.h>
#include <string.h>

#include "sql/gateway_statement.h"

/* What cannot be prepared, as in MySQL. */
static bool is_session_only(const struct sql_stmt *ast)
{
    return ast->kind == SQL_STMT_PREPARE || ast->kind == SQL_STMT_EXECUTE ||
           ast->kind == SQL_STMT_DEALLOCATE || ast->kind == SQL_STMT_USE;
}

/* Borrowed from the statement or the session. */
static const char *text_of(struct statement *s, const struct sql_expr *e, size_t *len)
{
    const struct session_variable *v;

    if (e->kind != SQL_EXPR_USER_VAR) {
        *len = e->count;
        return e->v.text;
    }
    v = gateway_session_find(s->session->user_vars, e->v.name);
    if (!v || v->value.kind != DATUM_STRING) {
        *len = 4;
        return "NULL"; /* as MySQL reads it: a syntax error */
    }
    *len = v->value.len;
    return v->value.s;
}

static bool prepare(struct statement *s, const struct sql_prepare *p)
{
    size_t len, consumed;
    const char *from = text_of(s, p->text, &len), *text = arena_strndup(&s->arena, from, len);
    struct parse_error pe;
    struct sql_stmt *ast;
    struct datum d;
    struct value_type type;

    if (!text)
        return statement_alloc(s, SIZE_MAX / 4) != NULL;
    if (sql_parse(&s->arena, text, len, s->session->parse_flags, &ast, &consumed, &pe) != 0) {
        mysql_error_set_text(&s->error, (unsigned)pe.code, "%s", pe.text);
        return false;
    }
    if (consumed < len) {
        statement_fail(s, MYSQL_ER_PARSE_ERROR,
                       "You have an error in your SQL syntax; only one statement can be prepared",
                       text + consumed, 1);
        return false;
    }
    if (ast->kind == SQL_STMT_EMPTY) {
        statement_fail(s, MYSQL_ER_EMPTY_QUERY);
        return false;
    }
    if (is_session_only(ast)) {
        mysql_error_set_text(&s->error, 1295,
                             "This command is not supported in the prepared statement "
                             "protocol yet");
        return false;
    }
    datum_set_string(&d, text, len);
    type = value_type_string((uint32_t)len);
    if (gateway_session_set(s->session, &s->session->prepared, p->name, &d, &type) != 0) {
        mysql_error_set_text(&s->error, 1461, "Can't create more prepared statements");
        return false;
    }
    statement_ok(s, 0, 0, "Statement prepared");
    return true;
}

bool prepared_statement(struct statement *s)
{
    const struct sql_prepare *p = s->ast->u.prepare;

    if (s->ast->kind == SQL_STMT_PREPARE)
        return prepare(s, p);
    if (s->ast->kind ==
        SQL_STMT_EXECUTE) { /* not resolved: it came as a prepared statement itself */
        mysql_error_set_text(&s->error, 1295,
                             "This command is not supported in the prepared statement "
                             "protocol yet");
        return false;
    }
    if (!gateway_session_unset(s->session, &s->session->prepared, p->name)) {
        statement_fail(s, MYSQL_ER_UNKNOWN_STMT_HANDLER, (int)strlen(p->name), p->name,
                       "DEALLOCATE PREPARE");
        return false;
    }
    statement_ok(s, 0, 0, NULL);
    return true;
}

/* Values of the variables, their bytes in kept memory: the statement may set them anew. */
static bool keep_values(struct statement *s, const struct sql_name_list *names, uint32_t n)
{
    struct datum *values = arena_alloc(&s->kept, (n + 1u) * sizeof *values);
    struct value_type *types = arena_alloc(&s->kept, (n + 1u) * sizeof *types);

    if (!values || !types)
        return false;
    for (uint32_t i = 0; i < n; i++, names = names->next) {
        const struct session_variable *v = gateway_session_find(s->session->user_vars, names->name);
        datum_set_null(&values[i]);
        memset(&types[i], 0, sizeof types[i]);
        if (!v)
            continue;
        types[i] = v->type;
        if (!datum_copy(&values[i], &v->value, &s->kept))
            return false;
    }
    s->params = values;
    s->param_types = types;
    s->n_params = n;
    return true;
}

bool prepared_execute(struct statement *s)
{
    const struct sql_prepare *p = s->ast->u.prepare;
    const struct session_variable *text = gateway_session_find(s->session->prepared, p->name);
    uint32_t n = 0;
    size_t consumed;

    if (!text) {
        statement_fail(s, MYSQL_ER_UNKNOWN_STMT_HANDLER, (int)strlen(p->name), p->name, "EXECUTE");
        return false;
    }
    for (const struct sql_name_list *v = p->using_; v; v = v->next)
        n++;
    if (!keep_values(s, p->using_, n)) {
        mysql_error_set_text(&s->error, 1041, "Out of memory");
        return false;
    }
    if (statement_parse(s, text->value.s, text->value.len, &consumed) != 0)
        return false;
    if (s->ast->param_count != n) {
        statement_fail(s, MYSQL_ER_WRONG_ARGUMENTS, "EXECUTE");
        return false;
    }
    return true;
}
