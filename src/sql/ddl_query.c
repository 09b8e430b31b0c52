/* Tables whose columns follow from a query: CREATE TABLE ... SELECT, and CREATE VIEW, which is a table without rows that
 * keeps the query's text; whoever reads it reads the query (bind_from.c). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/ast_print.h"
#include "sql/ddl_impl.h"
#include "sql/infoschema_tables.h"

enum { VARCHAR_MOST = 16383 };

/* The SQL type that holds values of a type. */
static const char *type_text(struct statement *s, const struct value_type *t)
{
    unsigned scale = t->scale > 18 ? 18 : t->scale;

    switch (t->kind) {
    case DATUM_INT:
    case DATUM_UINT:
        return "BIGINT";
    case DATUM_DECIMAL:
        return statement_printf(s, "DECIMAL(18,%u)", scale);
    case DATUM_DOUBLE:
        return "DOUBLE";
    case DATUM_DATE:
        return "DATE";
    case DATUM_DATETIME:
        return statement_printf(s, "DATETIME(%u)", t->scale > 6 ? 6 : t->scale);
    case DATUM_TIME:
        return "VARCHAR(20)";
    default:
        return t->length > VARCHAR_MOST
                   ? "LONGTEXT"
                   : statement_printf(s, "VARCHAR(%u)", t->length ? t->length : 1);
    }
}

/* A column of a table keeps its strategy and its length, an expression gets a type. */
static const char *column_text(struct statement *s, const struct bound_column *c)
{
    const struct source *src = c->source && c->source->kind == SOURCE_TABLE ? c->source : NULL;
    const char *null = c->type.not_null ? " NOT NULL" : "";

    if (!src)
        return statement_printf(s, "%s%s", type_text(s, &c->type), null);
    const struct column *from = &src->schema->columns[src->columns[c->column].column];
    return statement_printf(s, "%s%s COMMENT %s", infoschema_column_type(&s->arena, from), null,
                            show_column_comment(s, from));
}

static bool can_be_name(const char *name)
{
    return *name && *name != '@' && *name != ' ' && strlen(name) <= SCHEMA_MAX_NAME &&
           !strpbrk(name, "/+,.\\'\"`\n\r\t");
}

/* Definitions of the query's columns, with these names or its own. */
static struct sql_column_def *columns_of(struct statement *s, const struct sql_query *q,
                                         const struct sql_name_list *names, bool renames)
{
    const char *text = "CREATE TABLE x (";
    const struct sql_name_list *n = names;
    struct parse_error pe;
    struct sql_stmt *ast;

    s->query = bind_query(&s->bind, q);
    s->bind.subqueries = NULL; /* nothing is run */
    s->bind.subqueries_end = &s->bind.subqueries;
    if (!s->query)
        return NULL;
    for (uint32_t i = 0; i < s->query->n_columns && text; i++, n = n ? n->next : NULL) {
        const char *name = n ? n->name : s->query->columns[i].name, *type;
        if (names && !n) {
            statement_fail(s, MYSQL_ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT);
            return NULL;
        }
        if (renames && !can_be_name(name))
            name = statement_printf(s, "Name_exp_%u", i + 1);
        if (strchr(name, '`')) {
            statement_fail(s, MYSQL_ER_WRONG_COLUMN_NAME, name);
            return NULL;
        }
        type = column_text(s, &s->query->columns[i]);
        text = type ? statement_printf(s, "%s%s`%s` %s", text, i ? ", " : "", name, type) : NULL;
    }
    if (n) {
        statement_fail(s, MYSQL_ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT);
        return NULL;
    }
    text = text ? statement_printf(s, "%s)", text) : NULL;
    if (!text)
        return NULL;
    if (sql_parse(&s->arena, text, strlen(text),
                  s->session->parse_flags & SQL_PARSE_NO_BACKSLASH_ESCAPES, &ast, NULL, &pe) != 0) {
        mysql_error_set_text(&s->error, (unsigned)pe.code, "%s", pe.text);
        return NULL;
    }
    return ast->u.create_table->columns;
}

/* ---- CREATE TABLE ... SELECT ---- */

static bool is_defined(const struct sql_column_def *d, const char *name)
{
    while (d && strcasecmp(d->name, name) != 0)
        d = d->next;
    return d != NULL;
}

bool ddl_take_query(struct statement *s, struct sql_create_table *ast)
{
    struct sql_column_def *found = columns_of(s, ast->query, NULL, false), **end = &ast->columns;
    const char *names = "", *text;

    if (!found)
        return false;
    while (*end)
        end = &(*end)->next;
    for (struct sql_column_def *d = found, *next; d && names; d = next) {
        next = d->next;
        if (is_defined(next, d->name)) {
            statement_fail(s, MYSQL_ER_DUP_FIELDNAME, d->name);
            return false;
        }
        names = statement_printf(s, "%s%s`%s`", names, *names ? ", " : "", d->name);
        if (is_defined(ast->columns, d->name))
            continue;
        d->next = NULL;
        *end = d;
        end = &d->next;
    }
    text = names ? statement_printf(s, "INSERT INTO `%s` (%s) %.*s", ast->table.name, names,
                                    (int)ast->query->length, s->text + ast->query->offset)
                 : NULL;
    s->next_text = text ? arena_strndup(&s->kept, text, strlen(text)) : NULL;
    return s->next_text != NULL || statement_alloc(s, SIZE_MAX / 4) != NULL;
}

/* ---- views ---- */

/* The query as it is read later, by sessions with other modes. */
static const char *view_text(struct statement *s, const struct sql_query *q)
{
    const char *text;

    if (s->ast->param_count) {
        mysql_error_set_text(&s->error, 1351, "View's SELECT contains a variable or parameter");
        return NULL;
    }
    return sql_print_query(&s->arena, q, &text, NULL) == 0 ? text
                                                           : statement_alloc(s, SIZE_MAX / 4);
}

static struct schema *make_view(struct statement *s, const struct sql_view *view)
{
    struct sql_column_def *columns = columns_of(s, view->query, view->columns, !view->columns);
    const char *text = columns ? view_text(s, view->query) : NULL;
    struct schema *t = text ? schema_new(view->name.name) : NULL;
    struct error_info err = {0};
    bool ok = t != NULL;

    for (const struct sql_column_def *d = columns; d && ok; d = d->next)
        ok = ddl_add_column(s, t, d);
    if (ok && (schema_set_text(&t->view_of, SCHEMA_VIEW) != 0 ||
               schema_set_text(&t->selector, text) != 0))
        ok = statement_alloc(s, SIZE_MAX / 4) != NULL;
    if (ok && schema_finish(t, &err) != 0) {
        mysql_error_set_text(&s->error, err.code ? (unsigned)err.code : 1105, "%s", err.text);
        ok = false;
    }
    if (ok || !t)
        return t;
    schema_put(t);
    return NULL;
}

bool ddl_create_view(struct ddl *d)
{
    struct statement *s = d->s;
    const struct sql_view *view = s->ast->u.view;

    if (!ddl_check_database(s, view->name.db))
        return false;
    const struct schema *old =
        catalog_find(s->exec.listed, view->name.name, strlen(view->name.name));
    if (old && !view->or_replace) {
        statement_fail(s, MYSQL_ER_TABLE_EXISTS_ERROR, view->name.name);
        return false;
    }
    if (old && !schema_is_view(old)) {
        mysql_error_set_text(&s->error, 1347, "'%s.%s' is not VIEW", SESSION_DATABASE,
                             view->name.name);
        return false;
    }
    s->bind.is_view = true;
    struct schema *t = make_view(s, view);
    if (!t)
        return false;
    /* One step, also over a view that is there: it is never away. */
    ddl_start(d, view->or_replace ? CLUSTER_ALTER_TABLE : CLUSTER_CREATE_TABLE, t, NULL);
    return true;
}
