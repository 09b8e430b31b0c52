#include <string.h>

#include "sql/print_internal.h"

static bool has_members(const struct sql_type *type)
{
    return type->kind == SQL_TYPE_ENUM || type->kind == SQL_TYPE_SET;
}

static void put_members(struct sql_printer *out, const struct sql_text_list *members)
{
    sql_put(out, "(");
    for (const struct sql_text_list *member = members; member; member = member->next) {
        sql_put_comma(out, member == members);
        sql_put_string(out, member->text, member->length);
    }
    sql_put(out, ")");
}

void sql_put_type(struct sql_printer *out, const struct sql_type *type)
{
    sql_put(out, type->kind == SQL_TYPE_NAMED ? type->name : sql_type_name(type->kind));
    if (has_members(type)) {
        put_members(out, type->members);
    } else if (type->scale >= 0) {
        sql_put_format(out, "(%d, %d)", type->size, type->scale);
    } else if (type->size >= 0) {
        sql_put_format(out, "(%d)", type->size);
    }
    sql_put(out, type->is_unsigned ? " UNSIGNED" : "");
    sql_put(out, type->is_zerofill ? " ZEROFILL" : "");
    sql_put(out, type->is_binary ? " BINARY" : "");
    if (type->charset) {
        sql_put(out, " CHARACTER SET ");
        sql_put_name(out, type->charset);
    }
    if (type->collation) {
        sql_put(out, " COLLATE ");
        sql_put_name(out, type->collation);
    }
}

void sql_put_options(struct sql_printer *out, const struct sql_option *options)
{
    for (const struct sql_option *option = options; option; option = option->next) {
        bool is_charset = !strcmp(option->key, "CHARSET");
        sql_put(out, " ");
        sql_put(out, is_charset ? "DEFAULT CHARSET" : option->key);
        /* USING of a key takes no sign. */
        sql_put_clause(out, strcmp(option->key, "USING") ? " = " : " ", option->value);
    }
}

/* Options of a key: COMMENT has no sign and USING a bare name. */
static void put_key_options(struct sql_printer *out, const struct sql_option *options)
{
    for (const struct sql_option *option = options; option; option = option->next) {
        sql_put(out, " ");
        sql_put(out, option->key);
        if (!strcmp(option->key, "USING")) {
            sql_put(out, " ");
            sql_put_bytes(out, option->value->v.text, option->value->count);
        } else {
            sql_put_clause(out, strcmp(option->key, "COMMENT") ? " = " : " ", option->value);
        }
    }
}

static void put_reference(struct sql_printer *out, const struct sql_reference *reference)
{
    sql_put(out, " REFERENCES ");
    sql_put_path(out, reference->table.db, reference->table.name);
    if (reference->columns) {
        sql_put(out, " (");
        sql_put_names(out, reference->columns);
        sql_put(out, ")");
    }
    if (reference->on_delete) {
        sql_put(out, " ON DELETE ");
        sql_put(out, reference->on_delete);
    }
    if (reference->on_update) {
        sql_put(out, " ON UPDATE ");
        sql_put(out, reference->on_update);
    }
}

/* Default values other than literals, names and calls stand in parentheses. */
static void put_default(struct sql_printer *out, const struct sql_expr *value)
{
    bool is_simple = sql_expr_is_literal(value) || value->kind == SQL_EXPR_COLUMN ||
                     value->kind == SQL_EXPR_CALL || value->kind == SQL_EXPR_CAST ||
                     value->kind == SQL_EXPR_CONVERT;
    sql_put(out, is_simple ? " DEFAULT " : " DEFAULT (");
    sql_put_expr(out, value);
    sql_put(out, is_simple ? "" : ")");
}

static void put_column_options(struct sql_printer *out, const struct sql_option *options)
{
    for (const struct sql_option *option = options; option; option = option->next) {
        sql_put(out, " ");
        sql_put(out, option->key);
        sql_put_clause(out, " = ", option->value);
    }
}

static void put_column(struct sql_printer *out, const struct sql_column_def *column)
{
    sql_put_name(out, column->name);
    sql_put(out, " ");
    sql_put_type(out, &column->type);
    if (column->generated) {
        sql_put_clause(out, " GENERATED ALWAYS AS (", column->generated);
        sql_put(out, column->is_stored ? ") STORED" : ")");
    }
    sql_put(out, column->is_not_null ? " NOT NULL" : "");
    sql_put(out, column->is_null ? " NULL" : "");
    if (column->default_value) {
        put_default(out, column->default_value);
    }
    sql_put_clause(out, " ON UPDATE ", column->on_update);
    sql_put(out, column->is_auto_increment ? " AUTO_INCREMENT" : "");
    sql_put(out, column->is_unique ? " UNIQUE" : "");
    sql_put(out, column->is_primary ? " PRIMARY KEY" : "");
    sql_put_clause(out, " COMMENT ", column->comment);
    if (column->check) {
        sql_put_clause(out, " CHECK (", column->check);
        sql_put(out, ")");
    }
    put_column_options(out, column->options);
    if (column->reference) {
        put_reference(out, column->reference);
    }
}

static void put_key_head(struct sql_printer *out, const char *words, const char *name)
{
    sql_put(out, words);
    if (name) {
        sql_put(out, " ");
        sql_put_name(out, name);
    }
}

void sql_put_key(struct sql_printer *out, const struct sql_key *key)
{
    bool is_constraint =
        key->kind == SQL_KEY_PRIMARY || key->kind == SQL_KEY_FOREIGN || key->kind == SQL_KEY_CHECK;
    if (is_constraint && key->name) {
        put_key_head(out, "CONSTRAINT", key->name);
        sql_put(out, " ");
    }
    switch (key->kind) {
    case SQL_KEY_PRIMARY:
        sql_put(out, "PRIMARY KEY");
        break;
    case SQL_KEY_UNIQUE:
        put_key_head(out, "UNIQUE KEY", key->name);
        break;
    case SQL_KEY_INDEX:
        put_key_head(out, "KEY", key->name);
        break;
    case SQL_KEY_FULLTEXT:
        put_key_head(out, "FULLTEXT KEY", key->name);
        break;
    case SQL_KEY_FOREIGN:
        sql_put(out, "FOREIGN KEY");
        break;
    case SQL_KEY_CHECK:
        sql_put_clause(out, "CHECK (", key->check);
        sql_put(out, ")");
        return;
    }
    sql_put(out, " (");
    sql_put_names(out, key->columns);
    sql_put(out, ")");
    put_key_options(out, key->options);
    if (key->reference) {
        put_reference(out, key->reference);
    }
}

static void put_elements(struct sql_printer *out, const struct sql_create_table *create)
{
    bool is_first = true;
    sql_put(out, " (");
    for (const struct sql_column_def *column = create->columns; column; column = column->next) {
        sql_put_comma(out, is_first);
        put_column(out, column);
        is_first = false;
    }
    for (const struct sql_key *key = create->keys; key; key = key->next) {
        sql_put_comma(out, is_first);
        sql_put_key(out, key);
        is_first = false;
    }
    sql_put(out, ")");
}

void sql_put_create_table(struct sql_printer *out, const struct sql_create_table *create)
{
    sql_put(out, create->is_temporary ? "CREATE TEMPORARY TABLE " : "CREATE TABLE ");
    sql_put(out, create->if_not_exists ? "IF NOT EXISTS " : "");
    sql_put_path(out, create->table.db, create->table.name);
    if (create->like) {
        sql_put(out, " LIKE ");
        sql_put_path(out, create->like->db, create->like->name);
    }
    if (create->columns || create->keys) {
        put_elements(out, create);
    }
    sql_put_options(out, create->options);
    if (create->query) {
        sql_put(out, " AS ");
        sql_put_query(out, create->query);
    }
}

static void put_place(struct sql_printer *out, const struct sql_column_def *column)
{
    sql_put(out, column->is_first ? " FIRST" : "");
    if (column->after) {
        sql_put(out, " AFTER ");
        sql_put_name(out, column->after);
    }
}

static void put_column_action(struct sql_printer *out, const struct sql_alter_action *action)
{
    switch (action->kind) {
    case SQL_ALTER_ADD_COLUMN:
        sql_put(out, action->if_exists ? "ADD COLUMN IF NOT EXISTS " : "ADD COLUMN ");
        break;
    case SQL_ALTER_CHANGE_COLUMN:
        sql_put(out, "CHANGE COLUMN ");
        sql_put_name(out, action->name);
        sql_put(out, " ");
        break;
    default:
        sql_put(out, "MODIFY COLUMN ");
        break;
    }
    put_column(out, action->column);
    put_place(out, action->column);
}

static void put_drop_key(struct sql_printer *out, const struct sql_alter_action *action)
{
    switch (action->key_kind) {
    case SQL_KEY_PRIMARY:
        sql_put(out, "DROP PRIMARY KEY");
        return;
    case SQL_KEY_FOREIGN:
        sql_put(out, "DROP FOREIGN KEY ");
        break;
    case SQL_KEY_CHECK:
        sql_put(out, "DROP CONSTRAINT ");
        break;
    default:
        sql_put(out, "DROP KEY ");
        break;
    }
    sql_put_name(out, action->name);
}

static void put_set_default(struct sql_printer *out, const struct sql_alter_action *action)
{
    sql_put(out, "ALTER COLUMN ");
    sql_put_name(out, action->name);
    if (action->value) {
        sql_put(out, " SET");
        put_default(out, action->value);
    } else {
        sql_put(out, " DROP DEFAULT");
    }
}

static void put_partitions(struct sql_printer *out, const char *word,
                           const struct sql_name_list *names)
{
    sql_put(out, word);
    sql_put(out, " PARTITION ");
    for (const struct sql_name_list *n = names; n; n = n->next) {
        sql_put_name(out, n->name);
        sql_put(out, n->next ? ", " : "");
    }
}

static void put_action(struct sql_printer *out, const struct sql_alter_action *action)
{
    switch (action->kind) {
    case SQL_ALTER_ADD_COLUMN:
    case SQL_ALTER_MODIFY_COLUMN:
    case SQL_ALTER_CHANGE_COLUMN:
        put_column_action(out, action);
        break;
    case SQL_ALTER_DROP_COLUMN:
        sql_put(out, action->if_exists ? "DROP COLUMN IF EXISTS " : "DROP COLUMN ");
        sql_put_name(out, action->name);
        break;
    case SQL_ALTER_RENAME_COLUMN:
        sql_put(out, "RENAME COLUMN ");
        sql_put_name(out, action->name);
        sql_put(out, " TO ");
        sql_put_name(out, action->new_name);
        break;
    case SQL_ALTER_SET_DEFAULT:
        put_set_default(out, action);
        break;
    case SQL_ALTER_ADD_KEY:
        sql_put(out, "ADD ");
        sql_put_key(out, action->key);
        break;
    case SQL_ALTER_DROP_KEY:
        put_drop_key(out, action);
        break;
    case SQL_ALTER_RENAME_TABLE:
        sql_put(out, "RENAME TO ");
        sql_put_path(out, action->table->db, action->table->name);
        break;
    case SQL_ALTER_OPTION:
        sql_put_options(out, action->options);
        break;
    case SQL_ALTER_KEYS:
        sql_put(out, action->name);
        sql_put(out, " KEYS");
        break;
    case SQL_ALTER_DROP_PARTITION:
        put_partitions(out, "DROP", action->names);
        break;
    case SQL_ALTER_ARCHIVE_PARTITION:
        put_partitions(out, "ARCHIVE", action->names);
        break;
    case SQL_ALTER_RESTORE_PARTITION:
        put_partitions(out, "RESTORE", action->names);
        break;
    }
}

void sql_put_alter(struct sql_printer *out, const struct sql_alter *alter)
{
    sql_put(out, "ALTER TABLE ");
    sql_put_path(out, alter->table.db, alter->table.name);
    for (const struct sql_alter_action *action = alter->actions; action; action = action->next) {
        sql_put(out, action == alter->actions ? " " : ", ");
        put_action(out, action);
    }
}
