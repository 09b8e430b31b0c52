#include <string.h>

#include "sql/print_internal.h"

static void put_table_name(struct sql_printer *out, const struct sql_table_name *table)
{
    sql_put_path(out, table->db, table->name);
}

static void put_table_names(struct sql_printer *out, const struct sql_table_name *tables)
{
    for (const struct sql_table_name *table = tables; table; table = table->next) {
        sql_put_comma(out, table == tables);
        put_table_name(out, table);
    }
}

static void put_assigns(struct sql_printer *out, const struct sql_assign *assigns)
{
    for (const struct sql_assign *assign = assigns; assign; assign = assign->next) {
        sql_put_comma(out, assign == assigns);
        sql_put_expr(out, assign->column);
        sql_put_clause(out, " = ", assign->value);
    }
}

static void put_rows(struct sql_printer *out, const struct sql_row *rows)
{
    for (const struct sql_row *row = rows; row; row = row->next) {
        sql_put(out, row == rows ? " VALUES (" : ", (");
        for (const struct sql_expr *value = row->values; value; value = value->next) {
            sql_put_comma(out, value == row->values);
            sql_put_expr(out, value);
        }
        sql_put(out, ")");
    }
}

static void put_insert(struct sql_printer *out, const struct sql_insert *insert)
{
    sql_put(out, insert->is_replace ? "REPLACE " : "INSERT ");
    sql_put(out, insert->is_ignore ? "IGNORE INTO " : "INTO ");
    put_table_name(out, &insert->table);
    if (insert->has_columns) {
        sql_put(out, " (");
        sql_put_names(out, insert->columns);
        sql_put(out, ")");
    }
    put_rows(out, insert->rows);
    if (insert->query) {
        sql_put(out, " ");
        sql_put_query(out, insert->query);
    }
    if (insert->row_alias) {
        sql_put(out, " AS ");
        sql_put_name(out, insert->row_alias);
    }
    if (insert->row_columns) {
        sql_put(out, " (");
        sql_put_names(out, insert->row_columns);
        sql_put(out, ")");
    }
    if (insert->on_duplicate) {
        sql_put(out, " ON DUPLICATE KEY UPDATE ");
        put_assigns(out, insert->on_duplicate);
    }
}

static void put_load(struct sql_printer *out, const struct sql_load *load)
{
    sql_put(out, load->is_local ? "LOAD DATA LOCAL INFILE " : "LOAD DATA INFILE ");
    sql_put_string(out, load->file, load->file_length);
    sql_put(out, load->insert.is_replace ? " REPLACE" : load->insert.is_ignore ? " IGNORE" : "");
    sql_put(out, " INTO TABLE ");
    put_table_name(out, &load->insert.table);
    sql_put_outfile_format(out, load->format);
    if (load->skip) {
        sql_put_clause(out, " IGNORE ", load->skip);
        sql_put(out, " LINES");
    }
    for (const struct sql_name_list *n = load->insert.columns; n; n = n->next) {
        struct sql_expr variable = {.kind = SQL_EXPR_USER_VAR, .v.name = n->name + 1};
        sql_put(out, n == load->insert.columns ? " (" : ", ");
        if (*n->name == '@')
            sql_put_expr(out, &variable);
        else
            sql_put_name(out, n->name);
        sql_put(out, n->next ? "" : ")");
    }
    if (load->assigns) {
        sql_put(out, " SET ");
        put_assigns(out, load->assigns);
    }
}

static void put_update(struct sql_printer *out, const struct sql_update *update)
{
    sql_put(out, update->is_ignore ? "UPDATE IGNORE " : "UPDATE ");
    sql_put_table(out, update->table);
    sql_put(out, " SET ");
    put_assigns(out, update->assigns);
    sql_put_clause(out, " WHERE ", update->where);
    sql_put_order(out, " ORDER BY ", update->order_by);
    sql_put_limit(out, &update->limit);
}

static void put_delete(struct sql_printer *out, const struct sql_delete *node)
{
    sql_put(out, node->is_ignore ? "DELETE IGNORE " : "DELETE ");
    put_table_names(out, node->targets);
    sql_put(out, node->targets ? " FROM " : "FROM ");
    sql_put_table(out, node->table);
    sql_put_clause(out, " WHERE ", node->where);
    sql_put_order(out, " ORDER BY ", node->order_by);
    sql_put_limit(out, &node->limit);
}

static void put_drop(struct sql_printer *out, const struct sql_drop *drop)
{
    sql_put(out, drop->is_view        ? "DROP VIEW "
                 : drop->is_temporary ? "DROP TEMPORARY TABLE "
                                      : "DROP TABLE ");
    sql_put(out, drop->if_exists ? "IF EXISTS " : "");
    put_table_names(out, drop->tables);
}

static void put_create_index(struct sql_printer *out, const struct sql_index *index)
{
    const struct sql_key *key = index->key;
    sql_put(out, key->kind == SQL_KEY_UNIQUE     ? "CREATE UNIQUE INDEX "
                 : key->kind == SQL_KEY_FULLTEXT ? "CREATE FULLTEXT INDEX "
                                                 : "CREATE INDEX ");
    sql_put_name(out, key->name);
    sql_put(out, " ON ");
    put_table_name(out, &index->table);
    sql_put(out, " (");
    sql_put_names(out, key->columns);
    sql_put(out, ")");
    sql_put_options(out, key->options);
}

static void put_drop_index(struct sql_printer *out, const struct sql_index *index)
{
    sql_put(out, "DROP INDEX ");
    sql_put_name(out, index->name);
    sql_put(out, " ON ");
    put_table_name(out, &index->table);
}

static void put_rename(struct sql_printer *out, const struct sql_rename *renames)
{
    for (const struct sql_rename *rename = renames; rename; rename = rename->next) {
        sql_put(out, rename == renames ? "RENAME TABLE " : ", ");
        put_table_name(out, &rename->from);
        sql_put(out, " TO ");
        put_table_name(out, &rename->to);
    }
}

static void put_database(struct sql_printer *out, const struct sql_stmt *stmt)
{
    const struct sql_database *database = stmt->u.database;
    if (stmt->kind == SQL_STMT_USE) {
        sql_put(out, "USE ");
    } else if (stmt->kind == SQL_STMT_CREATE_DATABASE) {
        sql_put(out, database->if_exists ? "CREATE DATABASE IF NOT EXISTS " : "CREATE DATABASE ");
    } else {
        sql_put(out, database->if_exists ? "DROP DATABASE IF EXISTS " : "DROP DATABASE ");
    }
    sql_put_name(out, database->name);
    sql_put_options(out, database->options);
}

static void put_view(struct sql_printer *out, const struct sql_view *view)
{
    sql_put(out, view->or_replace ? "CREATE OR REPLACE VIEW " : "CREATE VIEW ");
    put_table_name(out, &view->name);
    if (view->columns) {
        sql_put(out, " (");
        sql_put_names(out, view->columns);
        sql_put(out, ")");
    }
    sql_put(out, " AS ");
    sql_put_query(out, view->query);
}

static void put_explain(struct sql_printer *out, const struct sql_explain *explain)
{
    static const char *const formats[] = {
        [SQL_EXPLAIN_DEFAULT] = "",
        [SQL_EXPLAIN_TRADITIONAL] = "FORMAT = TRADITIONAL ",
        [SQL_EXPLAIN_JSON] = "FORMAT = JSON ",
        [SQL_EXPLAIN_TREE] = "FORMAT = TREE ",
    };
    sql_put(out, "EXPLAIN ");
    sql_put(out, explain->is_analyze ? "ANALYZE " : "");
    sql_put(out, explain->is_extended ? "EXTENDED " : "");
    sql_put(out, formats[explain->format]);
    if (explain->stmt) {
        sql_put_stmt(out, explain->stmt);
    } else {
        sql_put_format(out, "FOR CONNECTION %lld", (long long)explain->connection);
    }
}

static void put_begin(struct sql_printer *out, const struct sql_transaction *transaction)
{
    const char *before = " ";
    sql_put(out, "START TRANSACTION");
    if (transaction->with_snapshot) {
        sql_put(out, " WITH CONSISTENT SNAPSHOT");
        before = ", ";
    }
    if (transaction->is_read_only) {
        sql_put(out, before);
        sql_put(out, "READ ONLY");
        before = ", ";
    }
    if (transaction->is_read_write) {
        sql_put(out, before);
        sql_put(out, "READ WRITE");
    }
}

static const char *transaction_words(enum sql_stmt_kind kind, bool has_savepoint)
{
    switch (kind) {
    case SQL_STMT_COMMIT:
        return "COMMIT";
    case SQL_STMT_ROLLBACK:
        return has_savepoint ? "ROLLBACK TO SAVEPOINT" : "ROLLBACK";
    case SQL_STMT_SAVEPOINT:
        return "SAVEPOINT";
    default:
        return "RELEASE SAVEPOINT";
    }
}

static void put_transaction(struct sql_printer *out, enum sql_stmt_kind kind,
                            const struct sql_transaction *transaction)
{
    sql_put(out, transaction_words(kind, transaction->savepoint != NULL));
    if (transaction->savepoint) {
        sql_put(out, " ");
        sql_put_name(out, transaction->savepoint);
    }
    sql_put(out, transaction->and_chain ? " AND CHAIN" : "");
    sql_put(out, transaction->release ? " RELEASE" : "");
}

static void put_lock_tables(struct sql_printer *out, const struct sql_table_name *tables)
{
    for (const struct sql_table_name *table = tables; table; table = table->next) {
        sql_put(out, table == tables ? "LOCK TABLES " : ", ");
        put_table_name(out, table);
        if (table->alias) {
            sql_put(out, " AS ");
            sql_put_name(out, table->alias);
        }
        sql_put(out, table->is_write ? " WRITE" : " READ");
    }
}

static void put_flush(struct sql_printer *out, const struct sql_flush *flush)
{
    sql_put(out, "FLUSH ");
    sql_put(out, flush->what);
    sql_put(out, flush->tables ? " " : "");
    put_table_names(out, flush->tables);
}

static void put_prepare(struct sql_printer *out, const struct sql_stmt *stmt)
{
    const struct sql_prepare *prepare = stmt->u.prepare;
    sql_put(out, stmt->kind == SQL_STMT_PREPARE   ? "PREPARE "
                 : stmt->kind == SQL_STMT_EXECUTE ? "EXECUTE "
                                                  : "DEALLOCATE PREPARE ");
    sql_put_name(out, prepare->name);
    sql_put_clause(out, " FROM ", prepare->text);
    for (const struct sql_name_list *var = prepare->using_; var; var = var->next) {
        struct sql_expr expr = {.kind = SQL_EXPR_USER_VAR, .v.name = var->name};
        sql_put(out, var == prepare->using_ ? " USING " : ", ");
        sql_put_expr(out, &expr);
    }
}

static void put_maintain(struct sql_printer *out, const struct sql_maintain *maintain)
{
    static const char *const words[] = {
        [SQL_MAINTAIN_ANALYZE] = "ANALYZE",   [SQL_MAINTAIN_OPTIMIZE] = "OPTIMIZE",
        [SQL_MAINTAIN_CHECK] = "CHECK",       [SQL_MAINTAIN_REPAIR] = "REPAIR",
        [SQL_MAINTAIN_CHECKSUM] = "CHECKSUM",
    };
    sql_put(out, words[maintain->kind]);
    sql_put(out, " TABLE ");
    put_table_names(out, maintain->tables);
}

static void put_call(struct sql_printer *out, const struct sql_call_stmt *call)
{
    if (!call->name) {
        sql_put(out, "DO ");
        sql_put_exprs(out, call->args, call->arg_count);
        return;
    }
    sql_put(out, "CALL ");
    sql_put_path(out, call->db, call->name);
    sql_put(out, "(");
    sql_put_exprs(out, call->args, call->arg_count);
    sql_put(out, ")");
}

void sql_put_stmt(struct sql_printer *out, const struct sql_stmt *stmt)
{
    switch (stmt->kind) {
    case SQL_STMT_EMPTY:
        break;
    case SQL_STMT_SELECT:
        sql_put_query(out, stmt->u.query);
        break;
    case SQL_STMT_INSERT:
        put_insert(out, stmt->u.insert);
        break;
    case SQL_STMT_LOAD_DATA:
        put_load(out, stmt->u.load);
        break;
    case SQL_STMT_UPDATE:
        put_update(out, stmt->u.update);
        break;
    case SQL_STMT_DELETE:
        put_delete(out, stmt->u.delete_);
        break;
    case SQL_STMT_CREATE_TABLE:
        sql_put_create_table(out, stmt->u.create_table);
        break;
    case SQL_STMT_DROP_TABLE:
        put_drop(out, stmt->u.drop);
        break;
    case SQL_STMT_TRUNCATE:
        sql_put(out, "TRUNCATE TABLE ");
        put_table_name(out, stmt->u.table_name);
        break;
    case SQL_STMT_ALTER_TABLE:
        sql_put_alter(out, stmt->u.alter);
        break;
    case SQL_STMT_CREATE_INDEX:
        put_create_index(out, stmt->u.index);
        break;
    case SQL_STMT_DROP_INDEX:
        put_drop_index(out, stmt->u.index);
        break;
    case SQL_STMT_RENAME_TABLE:
        put_rename(out, stmt->u.rename);
        break;
    case SQL_STMT_CREATE_DATABASE:
    case SQL_STMT_DROP_DATABASE:
    case SQL_STMT_USE:
        put_database(out, stmt);
        break;
    case SQL_STMT_CREATE_VIEW:
        put_view(out, stmt->u.view);
        break;
    case SQL_STMT_SET:
        sql_put_set(out, stmt->u.set);
        break;
    case SQL_STMT_SHOW:
        sql_put_show(out, stmt->u.show);
        break;
    case SQL_STMT_DESCRIBE:
        sql_put_describe(out, stmt->u.show);
        break;
    case SQL_STMT_EXPLAIN:
        put_explain(out, stmt->u.explain);
        break;
    case SQL_STMT_BEGIN:
        put_begin(out, stmt->u.transaction);
        break;
    case SQL_STMT_COMMIT:
    case SQL_STMT_ROLLBACK:
    case SQL_STMT_SAVEPOINT:
    case SQL_STMT_RELEASE:
        put_transaction(out, stmt->kind, stmt->u.transaction);
        break;
    case SQL_STMT_LOCK_TABLES:
        put_lock_tables(out, stmt->u.tables);
        break;
    case SQL_STMT_UNLOCK_TABLES:
        sql_put(out, "UNLOCK TABLES");
        break;
    case SQL_STMT_FLUSH:
        put_flush(out, stmt->u.flush);
        break;
    case SQL_STMT_KILL:
        sql_put_clause(out, stmt->u.kill->is_query ? "KILL QUERY " : "KILL ", stmt->u.kill->id);
        break;
    case SQL_STMT_PREPARE:
    case SQL_STMT_EXECUTE:
    case SQL_STMT_DEALLOCATE:
        put_prepare(out, stmt);
        break;
    case SQL_STMT_MAINTAIN:
        put_maintain(out, stmt->u.maintain);
        break;
    case SQL_STMT_CALL:
    case SQL_STMT_DO:
        put_call(out, stmt->u.call);
        break;
    }
}
