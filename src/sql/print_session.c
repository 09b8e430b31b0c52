#include <string.h>

#include "sql/print_internal.h"

static const char *scope_word(enum sql_scope scope)
{
    static const char *const words[] = {
        [SQL_SCOPE_NONE] = "",
        [SQL_SCOPE_SESSION] = "SESSION ",
        [SQL_SCOPE_GLOBAL] = "GLOBAL ",
        [SQL_SCOPE_PERSIST] = "PERSIST ",
    };
    return words[scope];
}

/* name or component.name */
static void put_sys_var_name(struct sql_printer *out, const char *name)
{
    const char *dot = strchr(name, '.');
    char component[64];
    size_t n = dot ? (size_t)(dot - name) : 0;
    if (n == 0 || n >= sizeof component || !dot[1]) {
        sql_put_name(out, name);
        return;
    }
    memcpy(component, name, n);
    component[n] = 0;
    sql_put_path(out, component, dot + 1);
}

static void put_set_target(struct sql_printer *out, const struct sql_set_item *item)
{
    if (item->kind == SQL_SET_USER_VAR) {
        struct sql_expr expr = {.kind = SQL_EXPR_USER_VAR, .v.name = item->name};
        sql_put_expr(out, &expr);
        return;
    }
    sql_put(out, scope_word(item->scope));
    put_sys_var_name(out, item->name);
}

static void put_set_transaction(struct sql_printer *out, const struct sql_set_item *item)
{
    sql_put(out, scope_word(item->scope));
    sql_put(out, "TRANSACTION ");
    if (item->name) {
        sql_put(out, "ISOLATION LEVEL ");
        sql_put(out, item->name);
    }
    if (item->access) {
        sql_put(out, item->name ? ", " : "");
        sql_put(out, item->access);
    }
}

static void put_set_item(struct sql_printer *out, const struct sql_set_item *item)
{
    switch (item->kind) {
    case SQL_SET_USER_VAR:
    case SQL_SET_SYS_VAR:
        put_set_target(out, item);
        sql_put_clause(out, " = ", item->value);
        break;
    case SQL_SET_NAMES:
        sql_put_clause(out, "NAMES ", item->value);
        if (item->collation) {
            sql_put(out, " COLLATE ");
            sql_put_name(out, item->collation);
        }
        break;
    case SQL_SET_CHARSET:
        sql_put_clause(out, "CHARACTER SET ", item->value);
        break;
    case SQL_SET_TRANSACTION:
        put_set_transaction(out, item);
        break;
    case SQL_SET_PASSWORD:
        sql_put(out, "PASSWORD FOR ");
        sql_put_user(out, item->name);
        sql_put_clause(out, " = ", item->value);
        break;
    }
}

void sql_put_set(struct sql_printer *out, const struct sql_set_item *items)
{
    for (const struct sql_set_item *item = items; item; item = item->next) {
        sql_put(out, item == items ? "SET " : ", ");
        put_set_item(out, item);
    }
}

/* Words of a SHOW without arguments of its own between them. */
static const char *show_words(enum sql_show_kind kind)
{
    static const char *const words[] = {
        [SQL_SHOW_DATABASES] = "DATABASES",
        [SQL_SHOW_TABLES] = "TABLES",
        [SQL_SHOW_TABLE_STATUS] = "TABLE STATUS",
        [SQL_SHOW_OPEN_TABLES] = "OPEN TABLES",
        [SQL_SHOW_COLUMNS] = "COLUMNS",
        [SQL_SHOW_INDEX] = "INDEX",
        [SQL_SHOW_CREATE_TABLE] = "CREATE TABLE",
        [SQL_SHOW_CREATE_VIEW] = "CREATE VIEW",
        [SQL_SHOW_CREATE_DATABASE] = "CREATE DATABASE",
        [SQL_SHOW_CREATE_OTHER] = "CREATE",
        [SQL_SHOW_VARIABLES] = "VARIABLES",
        [SQL_SHOW_STATUS] = "STATUS",
        [SQL_SHOW_WARNINGS] = "WARNINGS",
        [SQL_SHOW_ERRORS] = "ERRORS",
        [SQL_SHOW_COUNT_WARNINGS] = "COUNT(*) WARNINGS",
        [SQL_SHOW_COUNT_ERRORS] = "COUNT(*) ERRORS",
        [SQL_SHOW_ENGINES] = "ENGINES",
        [SQL_SHOW_CHARSET] = "CHARACTER SET",
        [SQL_SHOW_COLLATION] = "COLLATION",
        [SQL_SHOW_PROCESSLIST] = "PROCESSLIST",
        [SQL_SHOW_PLUGINS] = "PLUGINS",
        [SQL_SHOW_GRANTS] = "GRANTS",
        [SQL_SHOW_PRIVILEGES] = "PRIVILEGES",
        [SQL_SHOW_TRIGGERS] = "TRIGGERS",
        [SQL_SHOW_EVENTS] = "EVENTS",
        [SQL_SHOW_PROCEDURE_STATUS] = "PROCEDURE STATUS",
        [SQL_SHOW_FUNCTION_STATUS] = "FUNCTION STATUS",
        [SQL_SHOW_MASTER_STATUS] = "MASTER STATUS",
        [SQL_SHOW_SLAVE_STATUS] = "SLAVE STATUS",
        [SQL_SHOW_MASTER_LOGS] = "MASTER LOGS",
        [SQL_SHOW_ENGINE] = "ENGINE",
        [SQL_SHOW_PROFILES] = "PROFILES",
        [SQL_SHOW_REPLICAS] = "REPLICAS",
        [SQL_SHOW_LOG_EVENTS] = "BINLOG EVENTS",
    };
    return words[kind];
}

static void put_filter(struct sql_printer *out, const struct sql_show *show)
{
    if (show->like) {
        sql_put(out, " LIKE ");
        sql_put_string(out, show->like, show->like_length);
    }
    sql_put_clause(out, " WHERE ", show->where);
    sql_put_limit(out, &show->limit);
}

/* Where the object's name stands. */
static void put_show_object(struct sql_printer *out, const struct sql_show *show)
{
    switch (show->kind) {
    case SQL_SHOW_COLUMNS:
    case SQL_SHOW_INDEX:
        sql_put(out, " FROM ");
        sql_put_path(out, show->db, show->table);
        break;
    case SQL_SHOW_CREATE_OTHER:
        sql_put(out, " ");
        sql_put(out, show->what);
        sql_put(out, " ");
        sql_put_path(out, show->db, show->table);
        break;
    case SQL_SHOW_CREATE_TABLE:
    case SQL_SHOW_CREATE_VIEW:
        sql_put(out, " ");
        sql_put_path(out, show->db, show->table);
        break;
    case SQL_SHOW_CREATE_DATABASE:
        sql_put(out, show->if_not_exists ? " IF NOT EXISTS " : " ");
        sql_put_name(out, show->db);
        break;
    case SQL_SHOW_ENGINE:
        sql_put(out, " ");
        sql_put_string(out, show->what, strlen(show->what));
        sql_put(out, " STATUS");
        break;
    case SQL_SHOW_GRANTS:
        sql_put(out, " FOR ");
        sql_put_user(out, show->what);
        break;
    default:
        if (show->db) {
            sql_put(out, " FROM ");
            sql_put_name(out, show->db);
        }
        break;
    }
}

void sql_put_show(struct sql_printer *out, const struct sql_show *show)
{
    sql_put(out, "SHOW ");
    sql_put(out, show->is_full ? "FULL " : "");
    sql_put(out, scope_word(show->scope));
    sql_put(out, show_words(show->kind));
    put_show_object(out, show);
    put_filter(out, show);
}

void sql_put_describe(struct sql_printer *out, const struct sql_show *show)
{
    sql_put(out, "DESCRIBE ");
    sql_put_path(out, show->db, show->table);
    if (show->like) {
        sql_put(out, " ");
        sql_put_string(out, show->like, show->like_length);
    }
}
