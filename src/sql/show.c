/*
 * SHOW and DESCRIBE: each is a query over information_schema, written as text and run as if the
 * client had sent it; so LIKE, WHERE and LIMIT come by themselves.
 */
#include <string.h>
#include <strings.h>

#include "sql/gateway_statement.h"
#include "sql/infoschema_tables.h"
#include "sql/mysql_charset.h"
#include "sql/show.h"
#include "sql/sysvar.h"

const char *show_quoted(struct statement *s, const char *text, size_t len)
{
    bool no_backslash = s->session->parse_flags & SQL_PARSE_NO_BACKSLASH_ESCAPES;
    char *p = statement_alloc(s, 2 * len + 3);
    size_t n = 0;

    if (!p)
        return "''";
    p[n++] = '\'';
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\'' || (text[i] == '\\' && !no_backslash))
            p[n++] = text[i];
        p[n++] = text[i];
    }
    p[n++] = '\'';
    p[n] = 0;
    return p;
}

bool show_run_text(struct statement *s, const char *text)
{
    struct parse_error pe;
    struct sql_stmt *ast;

    if (!text || s->error.code)
        return false;
    if (sql_parse(&s->arena, text, strlen(text),
                  s->session->parse_flags & SQL_PARSE_NO_BACKSLASH_ESCAPES, &ast, NULL, &pe) != 0) {
        mysql_error_set_text(&s->error, (unsigned)pe.code, "%s", pe.text);
        return false;
    }
    s->bind.text = text;
    if (!select_prepare(s, ast->u.query) || !select_open(s))
        return false;
    s->run = select_run;
    return true;
}

bool show_run(struct statement *s, const struct sql_show *show, const char *columns,
              const char *table, const char *condition, const char *name_column, const char *order)
{
    const char *like = "", *text;

    if (show->like)
        like = statement_printf(s, " AND LOWER(%s) LIKE LOWER(%s)", name_column,
                                show_quoted(s, show->like, show->like_length));
    if (!like)
        return false;
    text = statement_printf(s, "SELECT %s FROM information_schema.%s x WHERE %s%s%s%s", columns,
                            table, condition, like, order ? " ORDER BY " : "", order ? order : "");
    if (text && show->where) {
        const char *where =
            arena_strndup(&s->arena, s->text + show->where->offset, show->where->length);
        text = where ? statement_printf(s, "SELECT * FROM (%s) x WHERE %s", text, where) : NULL;
    }
    return show_run_text(s, text);
}

const char *show_database(struct statement *s, const struct sql_show *show)
{
    const char *db = show->db ? show->db : s->session->database;

    if (!db) {
        statement_fail(s, MYSQL_ER_NO_DB_ERROR);
        return NULL;
    }
    if (strcasecmp(db, SESSION_DATABASE) != 0 && !infoschema_is_database(db)) {
        statement_fail(s, MYSQL_ER_BAD_DB_ERROR, db);
        return NULL;
    }
    return db;
}

static bool show_tables(struct statement *s, const struct sql_show *show)
{
    const char *db = show_database(s, show);

    if (!db)
        return false;
    return show_run(s, show,
                    statement_printf(s, "TABLE_NAME AS `Tables_in_%s`%s", db,
                                     show->is_full ? ", TABLE_TYPE AS Table_type" : ""),
                    "TABLES",
                    statement_printf(s, "TABLE_SCHEMA = %s", show_quoted(s, db, strlen(db))),
                    "TABLE_NAME", "TABLE_NAME");
}

static bool show_table_status(struct statement *s, const struct sql_show *show)
{
    const char *db = show_database(s, show);

    if (!db)
        return false;
    return show_run(
        s, show,
        "TABLE_NAME AS Name, ENGINE AS Engine, VERSION AS Version, ROW_FORMAT AS Row_format, "
        "TABLE_ROWS AS "
        "`Rows`, AVG_ROW_LENGTH AS Avg_row_length, DATA_LENGTH AS Data_length, MAX_DATA_LENGTH AS "
        "Max_data_length, INDEX_LENGTH AS Index_length, DATA_FREE AS Data_free, AUTO_INCREMENT AS "
        "Auto_increment, CREATE_TIME AS Create_time, UPDATE_TIME AS Update_time, CHECK_TIME AS "
        "Check_time, "
        "TABLE_COLLATION AS Collation, CHECKSUM AS Checksum, CREATE_OPTIONS AS Create_options, "
        "TABLE_COMMENT AS Comment",
        "TABLES", statement_printf(s, "TABLE_SCHEMA = %s", show_quoted(s, db, strlen(db))),
        "TABLE_NAME", "TABLE_NAME");
}

static const struct schema *shown_table(struct statement *s, const struct sql_show *show)
{
    const char *db = show_database(s, show);
    const struct schema *t = db && strcasecmp(db, SESSION_DATABASE) == 0
                                 ? catalog_find(s->exec.catalog, show->table, strlen(show->table))
                                 : NULL;

    if (db && !t)
        statement_fail(s, MYSQL_ER_NO_SUCH_TABLE, db, show->table);
    return t;
}

/* As shown_table; what information_schema tells is then about temporary tables, too. */
static bool list_table(struct statement *s, const struct sql_show *show)
{
    const struct schema *t = shown_table(s, show);

    if (t && t->rows) {
        catalog_put(s->exec.listed);
        s->exec.listed = catalog_get(s->exec.catalog);
    }
    return t != NULL;
}

/* Columns of a table of information_schema, which has no rows about itself. */
static bool show_virtual_columns(struct statement *s, const struct infoschema_table *t)
{
    static const char *const names[] = {"Field", "Type", "Null", "Key", "Default", "Extra"};

    if (!memory_result_begin(s, 6))
        return false;
    for (uint32_t i = 0; i < 6; i++)
        memory_result_column(s, i, names[i], value_type_string(192));
    for (uint32_t i = 0; i < t->n_columns; i++) {
        struct datum *row = memory_result_row(s);
        bool text = t->columns[i].type.kind == DATUM_STRING;
        if (!row)
            return false;
        datum_set_string(&row[0], t->columns[i].name, strlen(t->columns[i].name));
        datum_set_string(&row[1], text ? "varchar(512)" : "bigint(20)", text ? 12 : 10);
        datum_set_string(&row[2], "YES", 3);
        datum_set_string(&row[3], "", 0);
        datum_set_string(&row[5], "", 0);
    }
    s->stage = STATEMENT_EMIT;
    return true;
}

static bool show_columns(struct statement *s, const struct sql_show *show)
{
    const char *db = show->db ? show->db : s->session->database;
    const struct infoschema_table *v = db ? infoschema_find(db, show->table) : NULL;

    if (v)
        return show_virtual_columns(s, v);
    if (!list_table(s, show))
        return false;
    const char *columns = show->is_full ? "COLUMN_NAME AS Field, COLUMN_TYPE AS Type, "
                                          "COLLATION_NAME AS Collation, IS_NULLABLE AS `Null`, "
                                          "COLUMN_KEY AS `Key`, COLUMN_DEFAULT AS `Default`, EXTRA "
                                          "AS Extra, PRIVILEGES AS Privileges, "
                                          "COLUMN_COMMENT AS Comment"
                                        : "COLUMN_NAME AS Field, COLUMN_TYPE AS Type, IS_NULLABLE "
                                          "AS `Null`, COLUMN_KEY AS `Key`, "
                                          "COLUMN_DEFAULT AS `Default`, EXTRA AS Extra";
    return show_run(s, show, columns, "COLUMNS",
                    statement_printf(s, "TABLE_NAME = %s",
                                     show_quoted(s, show->table, strlen(show->table))),
                    "COLUMN_NAME", "ORDINAL_POSITION");
}

static bool show_index(struct statement *s, const struct sql_show *show)
{
    const char *db = show->db ? show->db : s->session->database;

    if (!(db && infoschema_find(db, show->table)) && !list_table(s, show))
        return false; /* those of information_schema have no indexes, as in MySQL */
    return show_run(
        s, show,
        "TABLE_NAME AS `Table`, NON_UNIQUE AS Non_unique, INDEX_NAME AS Key_name, SEQ_IN_INDEX AS "
        "Seq_in_index, COLUMN_NAME AS Column_name, COLLATION AS Collation, CARDINALITY AS "
        "Cardinality, "
        "SUB_PART AS Sub_part, PACKED AS Packed, NULLABLE AS `Null`, INDEX_TYPE AS Index_type, "
        "COMMENT AS "
        "Comment, INDEX_COMMENT AS Index_comment, IS_VISIBLE AS Visible, EXPRESSION AS Expression",
        "STATISTICS",
        statement_printf(s, "TABLE_NAME = %s", show_quoted(s, show->table, strlen(show->table))),
        "INDEX_NAME", NULL);
}

/* ---- SHOW CREATE ---- */

bool show_text_result(struct statement *s, uint32_t n, const char *const *names,
                      const char *const *cells)
{
    struct datum *row;

    if (!memory_result_begin(s, n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        memory_result_column(s, i, names[i], value_type_string(i ? 65535 : 64));
    if (cells) {
        if (!(row = memory_result_row(s)))
            return false;
        for (uint32_t i = 0; i < n; i++)
            if (cells[i])
                datum_set_string(&row[i], cells[i], strlen(cells[i]));
    }
    s->stage = STATEMENT_EMIT;
    return true;
}

/* Backslashes before quotes and backslashes, as ddl.c reads settings. */
static const char *escaped(struct statement *s, const char *text)
{
    char *out = arena_alloc(&s->arena, 2 * strlen(text) + 1), *at = out;

    if (!out)
        return "";
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *at++ = '\\';
        *at++ = *text;
    }
    *at = 0;
    return out;
}

/* COMMENT of a column: its own text and, for what SQL cannot say, the mapping. */
const char *show_column_comment(struct statement *s, const struct column *c)
{
    const char *text =
        statement_printf(s, "strategy=%s%s%s%s%s", mapping_name(c->mapping),
                         c->searchable && !column_is_searchable(c) ? " searchable" : "",
                         c->multi_valued ? " multivalued" : "",
                         c->multi_valued && c->delim != ',' ? " delim=" : "",
                         c->multi_valued && c->delim != ',' ? (char[]){c->delim, 0} : "");

    for (uint32_t i = 0; i < c->n_config && text; i++)
        text = statement_printf(s, "%s %s=\"%s\"", text, c->config[i].key,
                                escaped(s, c->config[i].value));
    text = text ? statement_printf(s, "%s%s%s", text, c->comment && *c->comment ? "; " : "",
                                   c->comment ? c->comment : "")
                : "";
    return text ? show_quoted(s, text, strlen(text)) : "''";
}

static bool show_create_view(struct statement *s, const struct sql_show *show)
{
    static const char *const names[] = {"View", "Create View", "character_set_client",
                                        "collation_connection"};
    const struct schema *t = shown_table(s, show);
    const char *columns = "";

    if (!t)
        return false;
    if (!schema_is_view(t)) {
        mysql_error_set_text(&s->error, 1347, "'%s.%s' is not VIEW", SESSION_DATABASE, t->name);
        return false;
    }
    for (uint16_t i = 0; i < t->n_columns && columns; i++)
        if (!t->columns[i].hidden)
            columns =
                statement_printf(s, "%s%s`%s`", columns, *columns ? "," : "", t->columns[i].name);
    const char *cells[] = {t->name,
                           columns ? statement_printf(s, "CREATE VIEW `%s` (%s) AS %s", t->name,
                                                      columns, t->selector)
                                   : NULL,
                           "utf8mb4", "utf8mb4_bin"};
    return cells[1] && show_text_result(s, 4, names, cells);
}

static bool show_create_table(struct statement *s, const struct sql_show *show)
{
    static const char *const names[] = {"Table", "Create Table"};
    const struct schema *t = shown_table(s, show);
    if (t && schema_is_view(t))
        return show_create_view(s, show);
    const char *text = t ? statement_printf(s, "CREATE %sTABLE `%s` (", t->rows ? "TEMPORARY " : "",
                                            t->name)
                         : NULL,
               *separator = "\n";

    for (uint16_t i = 0; t && text && i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        if (c->hidden)
            continue;
        const char *type = infoschema_column_type(&s->arena, c);
        const char *value = !c->default_value ? "NULL"
                            : strchr(c->default_value, '(')
                                ? c->default_value /* a call */
                                : show_quoted(s, c->default_value, strlen(c->default_value));
        text = statement_printf(s, "%s%s  `%s` %s%s%s%s COMMENT %s", text, separator, c->name, type,
                                c->required || c->in_key ? " NOT NULL" : "",
                                c->default_value || !(c->required || c->in_key) ? " DEFAULT " : "",
                                c->default_value || !(c->required || c->in_key) ? value : "",
                                show_column_comment(s, c));
        separator = ",\n";
    }
    if (text && t->primary_key) {
        const char *columns = "";
        for (unsigned k = 0; k < t->n_key && columns; k++)
            columns =
                statement_printf(s, "%s%s`%s`", columns, k ? "," : "", t->columns[t->key[k]].name);
        text = columns ? statement_printf(s, "%s,\n  PRIMARY KEY (%s)", text, columns) : NULL;
    }
    for (uint16_t i = 0; t && text && i < t->n_columns; i++)
        if (column_is_searchable(&t->columns[i]))
            text = statement_printf(s, "%s,\n  FULLTEXT KEY `%s` (`%s`)", text, t->columns[i].name,
                                    t->columns[i].name);
    for (uint16_t i = 0; t && text && i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        const struct schema *p =
            c->parent_table ? catalog_find(s->exec.listed, c->parent_table, strlen(c->parent_table))
                            : NULL;
        if (c->parent_table)
            text =
                statement_printf(s,
                                 "%s,\n  CONSTRAINT `%s` FOREIGN KEY (`%s`) REFERENCES `%s` (`%s`)",
                                 text, c->name, c->name, c->parent_table,
                                 p && p->n_key ? p->columns[p->key[p->n_key - 1]].name : c->name);
    }
    if (!text)
        return false;
    const char *comment =
        t->comment && *t->comment ? show_quoted(s, t->comment, strlen(t->comment)) : NULL;
    text =
        statement_printf(s,
                         "%s\n) ENGINE=QUANTA DEFAULT CHARSET=utf8mb4 "
                         "COLLATE=utf8mb4_bin%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s",
                         text, t->time_field ? " time_quantum_field='" : "",
                         t->time_field ? t->time_field : "",
                         t->time_field ? "' time_quantum_type='" : "",
                         t->time_field && t->time_type ? t->time_type : "",
                         t->time_field ? "'" : "", t->retention ? " retention='" : "",
                         t->retention ? t->retention : "", t->retention ? "'" : "",
                         t->secondary_keys ? " secondary_keys='" : "",
                         t->secondary_keys ? t->secondary_keys : "", t->secondary_keys ? "'" : "",
                         t->shard_key ? " shard_key='" : "", t->shard_key ? t->shard_key : "",
                         t->shard_key ? "'" : "", t->replicated ? " replicated=1" : "",
                         comment ? " COMMENT=" : "", comment ? comment : "");
    const char *cells[] = {t->name, text};
    return text && show_text_result(s, 2, names, cells);
}

static bool show_create_database(struct statement *s, const struct sql_show *show)
{
    static const char *const names[] = {"Database", "Create Database"};
    const char *db = show_database(s, show);
    const char *cells[] = {db, "CREATE DATABASE `" SESSION_DATABASE
                               "` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */"};

    return db && show_text_result(s, 2, names, cells);
}

/* ---- the rest ---- */

static bool show_warnings(struct statement *s, const struct sql_show *show)
{
    uint64_t count, offset;
    const char *limit = "";

    if (!bind_limit(&s->bind, &show->limit, &count, &offset))
        return false;
    if (count != UINT64_MAX)
        limit = statement_printf(s, " LIMIT %llu OFFSET %llu", (unsigned long long)count,
                                 (unsigned long long)offset);
    return show_run_text(
        s, statement_printf(s,
                            "SELECT LEVEL AS Level, CODE AS Code, MESSAGE AS Message FROM "
                            "information_schema.WARNINGS%s%s",
                            show->kind == SQL_SHOW_ERRORS ? " WHERE LEVEL = 'Error'" : "",
                            limit ? limit : ""));
}

static bool show_count(struct statement *s, const struct sql_show *show)
{
    bool errors = show->kind == SQL_SHOW_COUNT_ERRORS;

    return show_run_text(s,
                         statement_printf(s, "SELECT %u AS `@@session.%s_count`",
                                          errors ? s->session->n_errors : s->session->warning_count,
                                          errors ? "error" : "warning"));
}

bool show_prepare(struct statement *s, const struct sql_show *show)
{
    switch (show->kind) {
    case SQL_SHOW_DATABASES:
        return show_run(s, show, "SCHEMA_NAME AS `Database`", "SCHEMATA", "1", "SCHEMA_NAME",
                        "SCHEMA_NAME");
    case SQL_SHOW_TABLES:
        return show_tables(s, show);
    case SQL_SHOW_TABLE_STATUS:
        return show_table_status(s, show);
    case SQL_SHOW_COLUMNS:
        return show_columns(s, show);
    case SQL_SHOW_INDEX:
        return show_index(s, show);
    case SQL_SHOW_CREATE_TABLE:
        return show_create_table(s, show);
    case SQL_SHOW_CREATE_DATABASE:
        return show_create_database(s, show);
    case SQL_SHOW_VARIABLES:
        return show_run(s, show, "VARIABLE_NAME AS Variable_name, VARIABLE_VALUE AS Value",
                        "SESSION_VARIABLES", "1", "VARIABLE_NAME", "VARIABLE_NAME");
    case SQL_SHOW_STATUS:
        return show_run(s, show, "VARIABLE_NAME AS Variable_name, VARIABLE_VALUE AS Value",
                        "SESSION_STATUS", "1", "VARIABLE_NAME", "VARIABLE_NAME");
    case SQL_SHOW_WARNINGS:
    case SQL_SHOW_ERRORS:
        return show_warnings(s, show);
    case SQL_SHOW_COUNT_WARNINGS:
    case SQL_SHOW_COUNT_ERRORS:
        return show_count(s, show);
    case SQL_SHOW_ENGINES:
        return show_run(s, show,
                        "ENGINE AS Engine, SUPPORT AS Support, COMMENT AS Comment, TRANSACTIONS AS "
                        "Transactions, XA, "
                        "SAVEPOINTS AS Savepoints",
                        "ENGINES", "1", "ENGINE", NULL);
    case SQL_SHOW_CHARSET:
        return show_run(s, show,
                        "CHARACTER_SET_NAME AS Charset, DESCRIPTION AS Description, "
                        "DEFAULT_COLLATE_NAME AS `Default "
                        "collation`, MAXLEN AS Maxlen",
                        "CHARACTER_SETS", "1", "CHARACTER_SET_NAME", "CHARACTER_SET_NAME");
    case SQL_SHOW_COLLATION:
        return show_run(s, show,
                        "COLLATION_NAME AS Collation, CHARACTER_SET_NAME AS Charset, ID AS Id, "
                        "IS_DEFAULT AS `Default`, "
                        "IS_COMPILED AS Compiled, SORTLEN AS Sortlen",
                        "COLLATIONS", "1", "COLLATION_NAME", "COLLATION_NAME");
    case SQL_SHOW_PROCESSLIST:
        return show_run(s, show,
                        "ID AS Id, USER AS User, HOST AS Host, DB AS db, COMMAND AS Command, TIME "
                        "AS Time, STATE AS "
                        "State, INFO AS Info",
                        "PROCESSLIST", "1", "USER", NULL);
    case SQL_SHOW_PLUGINS:
        return show_run(s, show,
                        "PLUGIN_NAME AS Name, PLUGIN_STATUS AS Status, PLUGIN_TYPE AS Type, "
                        "PLUGIN_LIBRARY AS Library, "
                        "PLUGIN_LICENSE AS License",
                        "PLUGINS", "1", "PLUGIN_NAME", NULL);
    case SQL_SHOW_CREATE_VIEW:
        return show_create_view(s, show);
    default:
        return show_server(s, show);
    }
}
