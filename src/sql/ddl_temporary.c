/* CREATE TEMPORARY TABLE, DROP and TRUNCATE of such: changes of the session, not of the catalog. */
#include <string.h>

#include "rpc/temporary.h"
#include "sql/ddl_impl.h"
#include "sql/session_temporary.h"

bool ddl_create_temporary(struct statement *s, struct sql_create_table *ast)
{
    struct error_info err = {0};
    struct schema *t;

    if (session_temporary_find(s->session, ast->table.name)) {
        if (!ast->if_not_exists) {
            statement_fail(s, MYSQL_ER_TABLE_EXISTS_ERROR, ast->table.name);
            return false;
        }
        gateway_session_warn(s->session, "Note", MYSQL_ER_TABLE_EXISTS_ERROR,
                             statement_printf(s, "Table '%s' already exists", ast->table.name));
        return true;
    }
    if (ast->query && !ddl_take_query(s, ast))
        return false;
    if (ast->query &&
        !(s->made = arena_strndup(&s->kept, ast->table.name, strlen(ast->table.name))))
        return statement_alloc(s, SIZE_MAX / 4) != NULL;
    t = ddl_make_table(s, ast);
    if (!t)
        return false;
    if (session_temporary_add(s->session, t, s->budget.limit, s->budget.parent, &err) == 0)
        return true;
    mysql_error_set_text(&s->error, (unsigned)err.code, "%s", err.text);
    return false;
}

bool ddl_is_temporary(const struct statement *s, const char *name)
{
    return session_temporary_find(s->session, name) != NULL;
}

void ddl_drop_temporaries(struct statement *s, const struct sql_table_name *list)
{
    for (; list; list = list->next)
        session_temporary_drop(s->session, list->name);
}

bool ddl_truncate_temporary(struct statement *s, const char *name)
{
    const struct schema *t = session_temporary_find(s->session, name);

    if (t)
        temporary_truncate(t);
    return t != NULL;
}

bool ddl_refuse_temporary(struct statement *s, const char *name)
{
    if (!ddl_is_temporary(s, name))
        return false;
    statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "changing the definition of temporary tables");
    return true;
}
