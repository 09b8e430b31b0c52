#include "sql/build_stmt.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "sql/build_expr.h"
#include "sql/build_query.h"
#include "sql/keyword.h"

#define NEW(p, type) ((struct type *)sql_parser_alloc(p, sizeof(struct type)))

struct sql_stmt *sql_build_stmt(struct sql_parser *p, enum sql_stmt_kind kind, void *node)
{
    struct sql_stmt *stmt = NEW(p, sql_stmt);
    stmt->kind = kind;
    stmt->u.node = node;
    return stmt;
}

/* ---------------------------------------------------------------- types ---- */

struct sql_type *sql_build_type_kind(struct sql_parser *p, enum sql_type_kind kind)
{
    struct sql_type *type = NEW(p, sql_type);
    type->kind = kind;
    type->size = -1;
    type->scale = -1;
    return type;
}

struct sql_type *sql_build_type(struct sql_parser *p, struct sql_text name, bool is_cast,
                                struct sql_span span)
{
    int kind = sql_type_find(name.at, name.length);
    if (!kind && !is_cast) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
    }
    struct sql_type *type =
        sql_build_type_kind(p, kind ? (enum sql_type_kind)kind : SQL_TYPE_NAMED);
    if (!kind) {
        type->name = sql_build_name(p, name);
    }
    return type;
}

struct sql_type *sql_build_type_done(struct sql_parser *p, struct sql_type *type,
                                     struct sql_type_size size, const struct sql_type *flags,
                                     struct sql_span span)
{
    bool has_members = type->kind == SQL_TYPE_ENUM || type->kind == SQL_TYPE_SET;
    if (has_members != (size.members != NULL)) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.end);
    }
    type->size = size.size;
    type->scale = size.scale;
    type->members = size.members;
    type->is_unsigned = flags->is_unsigned;
    type->is_zerofill = flags->is_zerofill;
    type->is_binary = flags->is_binary;
    type->charset = flags->charset;
    return type;
}

struct sql_type sql_build_column_type(const struct sql_type *type,
                                      const struct sql_column_def *column)
{
    struct sql_type done = *type;
    done.collation = column->type.collation;
    return done;
}

int32_t sql_build_size(struct sql_parser *p, uint64_t size, struct sql_span span)
{
    if (size > INT32_MAX) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
    }
    return (int32_t)size;
}

struct sql_text_list *sql_build_text_entry(struct sql_parser *p, struct sql_text text)
{
    struct sql_text_list *entry = NEW(p, sql_text_list);
    entry->text = text.at;
    entry->length = text.length;
    return entry;
}

/* ---------------------------------------------------------------- changes ---- */

struct sql_stmt *sql_build_insert(struct sql_parser *p, struct sql_insert *head,
                                  const struct sql_insert *body, struct sql_assign *on_duplicate)
{
    head->has_columns = body->has_columns;
    head->columns = body->columns;
    head->column_count = body->column_count;
    head->rows = body->rows;
    head->row_count = body->row_count;
    head->query = body->query;
    head->row_alias = body->row_alias;
    head->row_columns = body->row_columns;
    head->on_duplicate = on_duplicate;
    return sql_build_stmt(p, SQL_STMT_INSERT, head);
}

void sql_build_insert_rows(struct sql_insert *insert, struct sql_list rows)
{
    insert->rows = rows.head;
    insert->row_count = rows.count;
}

void sql_build_insert_query(struct sql_parser *p, struct sql_insert *insert,
                            struct sql_query *query, struct sql_span span)
{
    bool is_rows = query->rows && !query->ctes && !query->order_by && !query->limit.count &&
                   !query->limit.offset;

    if (!is_rows) {
        insert->query = sql_build_inner(p, query, span);
        return;
    }
    for (struct sql_row *row = query->rows; row; row = row->next) {
        insert->row_count++;
        p->rows_for_insert -= sql_build_row_is_for_insert(row);
    }
    insert->rows = query->rows;
}

void sql_build_check_slots(struct sql_parser *p, uint32_t n, const struct sql_expr *value,
                           struct sql_span comma, struct sql_span after)
{
    if (p->flags & SQL_PARSE_QUANTA)
        return;
    if (!n || !value)
        sql_parser_fail(p, SQL_PARSE_SYNTAX, n ? after.begin : comma.begin);
}

void sql_build_insert_columns(struct sql_insert *insert, struct sql_list columns)
{
    insert->has_columns = true;
    insert->columns = columns.head;
    insert->column_count = columns.count;
}

void sql_build_insert_set(struct sql_parser *p, struct sql_insert *insert,
                          struct sql_assign *assigns)
{
    struct sql_list columns = {0};
    struct sql_list values = {0};
    for (struct sql_assign *assign = assigns; assign; assign = assign->next) {
        struct sql_name_list *entry = NEW(p, sql_name_list);
        entry->name = assign->column->v.column->name;
        entry->offset = assign->column->offset;
        columns = sql_list_add(columns, entry);
        values = sql_list_add_expr(values, assign->value);
    }
    struct sql_row *row = NEW(p, sql_row);
    row->values = values.head;
    row->count = values.count;
    sql_build_insert_columns(insert, columns);
    sql_build_insert_rows(insert, (struct sql_list){row, row, 1, false});
}

/* ---------------------------------------------------------------- definitions ---- */

struct sql_key *sql_build_key(struct sql_parser *p, int kind, const char *name,
                              struct sql_list parts, struct sql_list options)
{
    struct sql_key *key = NEW(p, sql_key);
    key->kind = (enum sql_key_kind)kind;
    key->name = name;
    key->columns = parts.head;
    key->options = options.head;
    return key;
}

struct sql_stmt *sql_build_database(struct sql_parser *p, enum sql_stmt_kind kind, const char *name,
                                    bool if_exists, struct sql_list options)
{
    struct sql_database *database = NEW(p, sql_database);
    database->name = name;
    database->if_exists = if_exists;
    database->options = options.head;
    return sql_build_stmt(p, kind, database);
}

struct sql_stmt *sql_build_drop(struct sql_parser *p, struct sql_list tables, bool if_exists,
                                bool is_view)
{
    struct sql_drop *drop = NEW(p, sql_drop);
    drop->if_exists = if_exists;
    drop->is_view = is_view;
    drop->tables = tables.head;
    return sql_build_stmt(p, SQL_STMT_DROP_TABLE, drop);
}

struct sql_alter_action *sql_build_alter(struct sql_parser *p, enum sql_alter_kind kind)
{
    struct sql_alter_action *action = NEW(p, sql_alter_action);
    action->kind = kind;
    return action;
}

struct sql_alter_action *sql_build_alter_column(struct sql_parser *p, enum sql_alter_kind kind,
                                                const char *old_name, struct sql_column_def *column,
                                                struct sql_place place)
{
    struct sql_alter_action *action = sql_build_alter(p, kind);
    column->is_first = place.is_first;
    column->after = place.after;
    action->name = old_name ? old_name : column->name;
    action->column = column;
    return action;
}

/* ---------------------------------------------------------------- session ---- */

struct sql_set_item *sql_build_set_item(struct sql_parser *p, enum sql_set_kind kind, int scope,
                                        const char *name, struct sql_expr *value)
{
    struct sql_set_item *item = NEW(p, sql_set_item);
    bool is_password = kind == SQL_SET_SYS_VAR && !scope && !strcasecmp(name, "password");
    item->kind = is_password ? SQL_SET_PASSWORD : kind;
    item->scope = (enum sql_scope)scope;
    item->name = is_password ? NULL : name;
    item->value = value;
    return item;
}

struct sql_expr *sql_build_set_value(struct sql_expr *value)
{
    if (value->kind == SQL_EXPR_COLUMN && !value->v.column->table) {
        const char *name = value->v.column->name;
        value->kind = SQL_EXPR_STRING;
        value->v.text = name;
        value->count = (uint32_t)strlen(name);
    }
    return value;
}

struct sql_show *sql_build_show(struct sql_parser *p, enum sql_show_kind kind,
                                const struct sql_show *filter)
{
    struct sql_show *show = NEW(p, sql_show);
    if (filter) {
        *show = *filter;
    }
    show->kind = kind;
    return show;
}

struct sql_show *sql_build_show_table(struct sql_parser *p, enum sql_show_kind kind,
                                      const struct sql_show *filter,
                                      const struct sql_table_name *table, const char *db)
{
    struct sql_show *show = sql_build_show(p, kind, filter);
    show->table = table->name;
    show->db = db ? db : table->db;
    return show;
}

const char *sql_build_user(struct sql_parser *p, const char *user, struct sql_text host)
{
    size_t n = strlen(user);
    char *name = sql_parser_alloc(p, n + host.length + 2);
    memcpy(name, user, n);
    name[n] = '@';
    memcpy(name + n + 1, host.at, host.length);
    return name;
}

struct sql_show *sql_build_show_count(struct sql_parser *p, struct sql_text word,
                                      enum sql_show_kind kind, struct sql_span span)
{
    if (word.length != 5 || strncasecmp(word.at, "count", 5)) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
    }
    return sql_build_show(p, kind, NULL);
}

struct sql_show *sql_build_show_words(struct sql_parser *p, const struct sql_show *filter,
                                      const char *words, struct sql_span span)
{
    static const struct {
        const char *words;
        enum sql_show_kind kind;
    } kinds[] = {
        {"ENGINES", SQL_SHOW_ENGINES},
        {"STORAGE ENGINES", SQL_SHOW_ENGINES},
        {"PLUGINS", SQL_SHOW_PLUGINS},
        {"PRIVILEGES", SQL_SHOW_PRIVILEGES},
        {"TRIGGERS", SQL_SHOW_TRIGGERS},
        {"EVENTS", SQL_SHOW_EVENTS},
        {"PROFILES", SQL_SHOW_PROFILES},
        {"FUNCTION STATUS", SQL_SHOW_FUNCTION_STATUS},
        {"MASTER STATUS", SQL_SHOW_MASTER_STATUS},
        {"BINARY LOG STATUS", SQL_SHOW_MASTER_STATUS},
        {"SLAVE STATUS", SQL_SHOW_SLAVE_STATUS},
        {"REPLICA STATUS", SQL_SHOW_SLAVE_STATUS},
        {"MASTER LOGS", SQL_SHOW_MASTER_LOGS},
        {"BINARY LOGS", SQL_SHOW_MASTER_LOGS},
        {"REPLICAS", SQL_SHOW_REPLICAS},
        {"SLAVE HOSTS", SQL_SHOW_REPLICAS},
        {"BINLOG EVENTS", SQL_SHOW_LOG_EVENTS},
        {"RELAYLOG EVENTS", SQL_SHOW_LOG_EVENTS},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!strcasecmp(words, kinds[i].words)) {
            return sql_build_show(p, kinds[i].kind, filter);
        }
    }
    sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
}

struct sql_explain *sql_build_explain(struct sql_parser *p)
{
    struct sql_explain *explain = NEW(p, sql_explain);
    explain->connection = -1;
    return explain;
}

enum sql_explain_format sql_build_explain_format(struct sql_parser *p, const char *name,
                                                 struct sql_span span)
{
    if (!strcasecmp(name, "json")) {
        return SQL_EXPLAIN_JSON;
    }
    if (!strcasecmp(name, "tree")) {
        return SQL_EXPLAIN_TREE;
    }
    if (strcasecmp(name, "traditional")) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
    }
    return SQL_EXPLAIN_TRADITIONAL;
}

struct sql_stmt *sql_build_savepoint(struct sql_parser *p, enum sql_stmt_kind kind,
                                     const char *name)
{
    struct sql_transaction *transaction = NEW(p, sql_transaction);
    transaction->savepoint = name;
    return sql_build_stmt(p, kind, transaction);
}

struct sql_stmt *sql_build_prepare(struct sql_parser *p, enum sql_stmt_kind kind, const char *name,
                                   struct sql_expr *text, struct sql_list vars)
{
    struct sql_prepare *prepare = NEW(p, sql_prepare);
    prepare->name = name;
    prepare->text = text;
    prepare->using_ = vars.head;
    return sql_build_stmt(p, kind, prepare);
}

struct sql_stmt *sql_build_call_stmt(struct sql_parser *p, enum sql_stmt_kind kind,
                                     const struct sql_table_name *table, struct sql_list args)
{
    struct sql_call_stmt *call = NEW(p, sql_call_stmt);
    if (table) {
        call->db = table->db;
        call->name = table->name;
    }
    struct sql_call *list = sql_build_call_args(p, args);
    call->args = list->args;
    call->arg_count = list->arg_count;
    return sql_build_stmt(p, kind, call);
}

struct sql_stmt *sql_build_kill(struct sql_parser *p, bool is_query, struct sql_expr *id)
{
    struct sql_kill *kill = NEW(p, sql_kill);
    kill->is_query = is_query;
    kill->id = id;
    return sql_build_stmt(p, SQL_STMT_KILL, kill);
}

struct sql_stmt *sql_build_flush(struct sql_parser *p, struct sql_list tables, const char *words)
{
    struct sql_flush *flush = NEW(p, sql_flush);
    flush->what = words;
    flush->tables = tables.head;
    return sql_build_stmt(p, SQL_STMT_FLUSH, flush);
}

struct sql_load *sql_build_load(struct sql_parser *p, struct sql_text word, struct sql_span span,
                                struct sql_text file)
{
    struct sql_load *load;

    if (word.length != 4 || strncasecmp(word.at, "data", 4)) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
    }
    load = sql_parser_alloc(p, sizeof *load);
    load->file = file.at;
    load->file_length = (uint32_t)file.length;
    return load;
}

enum sql_maintain_kind sql_build_maintain_kind(struct sql_parser *p, struct sql_text word,
                                               struct sql_span span)
{
    if (word.length == 6 && !strncasecmp(word.at, "repair", 6)) {
        return SQL_MAINTAIN_REPAIR;
    }
    if (word.length == 8 && !strncasecmp(word.at, "checksum", 8)) {
        return SQL_MAINTAIN_CHECKSUM;
    }
    sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
}
