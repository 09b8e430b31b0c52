#pragma once
/*
 * The syntax tree of one SQL statement.
 *
 * Every node lives in the arena given to sql_parse() and is never freed singly. Nodes borrow from
 * the statement's text where they can (string literals without escapes, decimals), so the text
 * must live as long as the tree: a caller who keeps a tree longer than its packet copies the text
 * into the arena first. Names are NUL-terminated UTF-8 in the case they were written in.
 *
 * `offset` and `length` are bytes of the statement's text, counted from the pointer given to
 * sql_parse(). They exist for error messages and for MySQL's default column name, which is the
 * source text of the expression.
 *
 * Lists are singly linked by `next` except the operands of an expression, which are an array
 * (`args`, `count`) so that a pass may replace one in place.
 *
 * No path through the tree is deeper than SQL_DEPTH_MAX nodes, so passes may recurse.
 * Owner: the core that parsed. Lifetime: the arena's.
 */
#include <stdbool.h>
#include <stdint.h>

#include "sql/ast_expr.h"

/* ---------------------------------------------------------------- queries ---- */

struct sql_select_item {
    struct sql_select_item *next;
    struct sql_expr *expr;
    const char *alias; /* or NULL */
    uint32_t offset;   /* source text of the expression with its parentheses: */
    uint32_t length;   /* the default column name when expr is not a plain column */
};

enum sql_table_kind {
    SQL_TABLE_NAME = 1, /* [db.]name */
    SQL_TABLE_QUERY,    /* (SELECT ...) alias */
    SQL_TABLE_JOIN,
    SQL_TABLE_DUAL, /* FROM DUAL: one row without columns */
};

enum sql_join_kind {
    SQL_JOIN_CROSS = 1, /* comma, CROSS JOIN, and JOIN without a condition */
    SQL_JOIN_INNER,
    SQL_JOIN_LEFT, /* also the original's bare OUTER JOIN */
    SQL_JOIN_RIGHT,
};

/* A table reference; FROM is one tree, joins being left-deep unless parenthesised. */
struct sql_table {
    enum sql_table_kind kind;
    uint8_t depth; /* as in sql_expr */
    uint32_t offset;
    uint32_t length;
    const char *alias; /* or NULL */
    /* SQL_TABLE_NAME */
    const char *db; /* or NULL */
    const char *name;
    /* SQL_TABLE_QUERY */
    struct sql_query *query;
    struct sql_name_list *columns; /* alias (a, b), or NULL */
    /* SQL_TABLE_JOIN */
    enum sql_join_kind join;
    bool is_natural;
    bool is_comma;
    bool is_straight;
    bool is_bare_outer; /* OUTER JOIN without LEFT, of the original */
    bool has_parens;    /* the join was written inside parentheses */
    struct sql_table *left;
    struct sql_table *right;
    struct sql_expr *on;          /* or NULL */
    struct sql_name_list *using_; /* or NULL */
};

/* LIMIT; members are INT, UINT or PARAM literals, NULL when absent. */
struct sql_limit {
    struct sql_expr *count;
    struct sql_expr *offset;
};

/* key = value: WITH (...) after a SELECT, table options. The value is a literal, or an identifier
 * turned into a STRING. */
struct sql_option {
    struct sql_option *next;
    const char *key; /* as written; table options spelled with two words have one blank: "DEFAULT
                        CHARSET" and "CHARACTER SET" are both given as "CHARSET" */
    struct sql_expr *value;
};

enum sql_into_kind {
    SQL_INTO_OUTFILE = 1,
    SQL_INTO_DUMPFILE,
    SQL_INTO_URI,
    SQL_INTO_NAME,
    SQL_INTO_VARS
};

/* SELECT ... INTO. */
struct sql_into {
    enum sql_into_kind kind;
    const char *target; /* path, URI or identifier; NUL-terminated; NULL for VARS */
    uint32_t target_length;
    struct sql_name_list *vars; /* user variables without '@' */
    /* OUTFILE: FIELDS TERMINATED BY .., ENCLOSED BY .., ESCAPED BY .., LINES STARTING BY ..,
     * TERMINATED BY ..; keys "fields_terminated", "fields_enclosed", "fields_optionally_enclosed",
     * "fields_escaped", "lines_starting", "lines_terminated", "CHARSET". */
    struct sql_option *format;
};

enum sql_lock_kind { SQL_LOCK_NONE, SQL_LOCK_UPDATE, SQL_LOCK_SHARE };

/* One SELECT without ORDER BY and LIMIT, which belong to the query around it. */
struct sql_select {
    uint32_t offset;
    uint32_t length;
    bool is_distinct;
    bool is_straight_join;
    bool has_found_rows; /* SQL_CALC_FOUND_ROWS */
    uint8_t depth;       /* as in sql_expr */
    struct sql_select_item *items;
    struct sql_into *into;  /* as written here; the query's `into` is the one to use */
    struct sql_table *from; /* NULL when absent */
    struct sql_expr *where;
    struct sql_order *group_by; /* is_desc unused by MySQL 8, kept */
    bool has_rollup;
    struct sql_expr *having;
    struct sql_window *windows;
};

enum sql_set_op { SQL_SET_NONE, SQL_SET_UNION, SQL_SET_EXCEPT, SQL_SET_INTERSECT };

/* One operand of a chain of UNION. Exactly one of select and query is set; query when it was
 * parenthesised with an ORDER BY, LIMIT or chain of its own. The chain is evaluated left to
 * right. */
struct sql_query_term {
    struct sql_query_term *next;
    enum sql_set_op op; /* joins this term to what is left of it; NONE for the first */
    bool is_all;        /* UNION ALL; plain UNION and UNION DISTINCT are false */
    struct sql_select *select;
    struct sql_query *query;
};

struct sql_cte {
    struct sql_cte *next;
    const char *name;
    struct sql_name_list *columns; /* or NULL */
    struct sql_query *query;
};

/* A whole query: a subquery, a derived table or a SELECT statement. TABLE t is SELECT * FROM t, VALUES ROW(a), ROW(b)
 * is SELECT a AS column_0 UNION ALL SELECT b. */
struct sql_query {
    uint32_t offset;
    uint32_t length;   /* without the parentheses around a subquery */
    uint8_t depth;     /* as in sql_expr */
    bool is_recursive; /* WITH RECURSIVE */
    enum sql_lock_kind lock;
    struct sql_cte *ctes;
    struct sql_query_term *terms; /* one or more; a plain SELECT has exactly one with select set */
    struct sql_query_term *last;  /* of two or more terms; else NULL */
    struct sql_order *order_by;
    struct sql_limit limit;
    struct sql_into *into;      /* of the first SELECT or at the end; or NULL */
    struct sql_option *options; /* the original's trailing WITH k = v, or NULL */
    struct sql_row *rows; /* of VALUES ROW(...) alone, whose terms are SELECTs of each; else NULL */
};

/* ---------------------------------------------------------------- statements ---- */

enum sql_stmt_kind {
    SQL_STMT_EMPTY = 1, /* only blanks and comments, or a lone ';' */
    SQL_STMT_SELECT,    /* u.query */
    SQL_STMT_INSERT,    /* u.insert, also REPLACE */
    SQL_STMT_UPDATE,    /* u.update */
    SQL_STMT_DELETE,    /* u.delete_ */
    SQL_STMT_CREATE_TABLE,
    SQL_STMT_DROP_TABLE, /* u.drop, also DROP VIEW with is_view */
    SQL_STMT_TRUNCATE,   /* u.table_name */
    SQL_STMT_ALTER_TABLE,
    SQL_STMT_CREATE_INDEX,    /* u.index */
    SQL_STMT_DROP_INDEX,      /* u.index */
    SQL_STMT_RENAME_TABLE,    /* u.rename */
    SQL_STMT_CREATE_DATABASE, /* u.database */
    SQL_STMT_DROP_DATABASE,   /* u.database */
    SQL_STMT_CREATE_VIEW,     /* u.view */
    SQL_STMT_USE,             /* u.database */
    SQL_STMT_SET,             /* u.set */
    SQL_STMT_SHOW,            /* u.show */
    SQL_STMT_DESCRIBE,        /* u.show with kind SQL_SHOW_COLUMNS */
    SQL_STMT_EXPLAIN,         /* u.explain */
    SQL_STMT_BEGIN,           /* u.transaction; also START TRANSACTION */
    SQL_STMT_COMMIT,          /* u.transaction */
    SQL_STMT_ROLLBACK,        /* u.transaction; ROLLBACK TO name has savepoint */
    SQL_STMT_SAVEPOINT,       /* u.transaction */
    SQL_STMT_RELEASE,         /* u.transaction */
    SQL_STMT_LOCK_TABLES,     /* u.tables */
    SQL_STMT_UNLOCK_TABLES,
    SQL_STMT_FLUSH, /* u.flush: words after FLUSH */
    SQL_STMT_KILL,  /* u.kill */
    SQL_STMT_PREPARE,
    SQL_STMT_EXECUTE,
    SQL_STMT_DEALLOCATE, /* u.prepare */
    SQL_STMT_MAINTAIN,   /* u.maintain: ANALYZE, OPTIMIZE, CHECK, REPAIR TABLE */
    SQL_STMT_CALL,       /* u.call */
    SQL_STMT_DO,         /* u.call with name NULL: args are the expressions */
    SQL_STMT_LOAD_DATA,  /* u.load */
};

struct sql_row {
    struct sql_row *next;
    struct sql_expr *values; /* linked by next; NULL for () */
    uint32_t count;
};

/* column = expr, in UPDATE and ON DUPLICATE KEY UPDATE. */
struct sql_assign {
    struct sql_assign *next;
    struct sql_expr *column; /* SQL_EXPR_COLUMN */
    struct sql_expr *value;
};

/* Table name of a statement. */
struct sql_table_name {
    struct sql_table_name *next;
    const char *db; /* or NULL */
    const char *name;
    const char *alias; /* LOCK TABLES, DELETE; or NULL */
    uint32_t offset;
    uint32_t length;
    bool is_write; /* LOCK TABLES ... WRITE */
};

/* INSERT and REPLACE. Exactly one of rows and query is set. INSERT ... SET is turned into columns
 * and one row. Empty slots between commas ('a',,'b') are skipped with SQL_PARSE_QUANTA. */
struct sql_insert {
    bool is_replace;
    bool is_ignore;
    bool has_columns; /* a column list was written, perhaps empty */
    struct sql_table_name table;
    struct sql_name_list *columns;
    uint32_t column_count;
    struct sql_row *rows;
    uint32_t row_count;
    struct sql_query *query;
    const char *row_alias;             /* VALUES (...) AS alias; or NULL */
    struct sql_name_list *row_columns; /* alias (a, b), or NULL */
    struct sql_assign *on_duplicate;   /* or NULL */
};

/* LOAD DATA [LOCAL] INFILE. */
struct sql_load {
    bool is_local;
    const char *file; /* file_length bytes */
    uint32_t file_length;
    struct sql_option *format;  /* as in sql_into */
    struct sql_expr *skip;      /* IGNORE n LINES, INT; or NULL */
    struct sql_assign *assigns; /* SET column = expr */
    struct sql_insert insert;   /* table, columns ("@name": a variable), is_replace, is_ignore */
};

struct sql_update {
    bool is_ignore;
    struct sql_table *table; /* one table or a join */
    struct sql_assign *assigns;
    struct sql_expr *where;
    struct sql_order *order_by;
    struct sql_limit limit;
};

struct sql_delete {
    bool is_ignore;
    struct sql_table_name *targets; /* DELETE a, b FROM ...; NULL for the single-table form */
    struct sql_table *table;
    struct sql_expr *where;
    struct sql_order *order_by;
    struct sql_limit limit;
};

enum sql_key_kind {
    SQL_KEY_PRIMARY = 1,
    SQL_KEY_UNIQUE,
    SQL_KEY_INDEX,
    SQL_KEY_FOREIGN,
    SQL_KEY_FULLTEXT,
    SQL_KEY_CHECK
};

struct sql_reference {
    struct sql_table_name table;
    struct sql_name_list *columns;
    const char
        *on_delete; /* "CASCADE", "SET NULL", "RESTRICT", "NO ACTION", "SET DEFAULT"; or NULL */
    const char *on_update;
};

struct sql_key {
    struct sql_key *next;
    enum sql_key_kind kind;
    const char *name; /* of the key or the constraint; or NULL */
    struct sql_name_list *columns;
    struct sql_reference *reference; /* SQL_KEY_FOREIGN */
    struct sql_expr *check;          /* SQL_KEY_CHECK */
    struct sql_option *options;      /* COMMENT, USING ... */
};

struct sql_column_def {
    struct sql_column_def *next;
    const char *name;
    uint32_t offset;
    uint32_t length;
    struct sql_type type;
    bool is_not_null;
    bool is_null; /* NULL was written */
    bool is_primary;
    bool is_unique;
    bool is_auto_increment;
    bool is_stored;                 /* of a generated column */
    struct sql_expr *default_value; /* or NULL */
    struct sql_expr *on_update;     /* ON UPDATE CURRENT_TIMESTAMP, or NULL */
    struct sql_expr *generated;     /* [GENERATED ALWAYS] AS (expr), or NULL */
    struct sql_expr *check;
    struct sql_expr *comment; /* STRING, or NULL */
    struct sql_reference *reference;
    struct sql_option
        *options;      /* key = value and key 'value' unknown to MySQL: STRATEGY 'StringEnum' */
    bool is_first;     /* ALTER: FIRST */
    const char *after; /* ALTER: AFTER name, or NULL */
};

struct sql_create_table {
    bool if_not_exists;
    bool is_temporary;
    struct sql_table_name table;
    struct sql_column_def *columns;
    struct sql_key *keys;
    struct sql_option *options;  /* ENGINE, COMMENT, CHARSET, COLLATE, any key = value */
    struct sql_table_name *like; /* CREATE TABLE t LIKE u, or NULL */
    struct sql_query *query;     /* CREATE TABLE ... AS SELECT, or NULL */
};

struct sql_drop {
    bool if_exists;
    bool is_view;
    bool is_temporary;
    struct sql_table_name *tables;
};

enum sql_alter_kind {
    SQL_ALTER_ADD_COLUMN = 1,
    SQL_ALTER_DROP_COLUMN,
    SQL_ALTER_MODIFY_COLUMN,
    SQL_ALTER_CHANGE_COLUMN, /* name is the old name */
    SQL_ALTER_RENAME_COLUMN, /* name -> new_name */
    SQL_ALTER_SET_DEFAULT,   /* name, value (NULL: DROP DEFAULT) */
    SQL_ALTER_ADD_KEY,
    SQL_ALTER_DROP_KEY,       /* name; key_kind */
    SQL_ALTER_RENAME_TABLE,   /* table */
    SQL_ALTER_OPTION,         /* options */
    SQL_ALTER_KEYS,           /* ENABLE/DISABLE KEYS: accepted without meaning */
    SQL_ALTER_DROP_PARTITION, /* names; the only action, as the next two */
    SQL_ALTER_ARCHIVE_PARTITION,
    SQL_ALTER_RESTORE_PARTITION,
};

struct sql_alter_action {
    struct sql_alter_action *next;
    enum sql_alter_kind kind;
    const char *name;
    const char *new_name;
    bool if_exists; /* IF EXISTS, IF NOT EXISTS */
    enum sql_key_kind key_kind;
    struct sql_column_def *column;
    struct sql_key *key;
    struct sql_expr *value;
    struct sql_table_name *table;
    struct sql_option *options;
    struct sql_name_list *names;
};

struct sql_alter {
    struct sql_table_name table;
    struct sql_alter_action *actions;
};

struct sql_index {
    struct sql_table_name table;
    struct sql_key *key; /* CREATE INDEX */
    const char *name;    /* DROP INDEX */
};

struct sql_rename {
    struct sql_rename *next;
    struct sql_table_name from;
    struct sql_table_name to;
};

struct sql_database {
    const char *name;
    bool if_exists; /* IF EXISTS of DROP, IF NOT EXISTS of CREATE */
    struct sql_option *options;
};

struct sql_view {
    bool or_replace;
    struct sql_table_name name;
    struct sql_name_list *columns;
    struct sql_query *query;
};

enum sql_set_kind {
    SQL_SET_USER_VAR = 1, /* name, value */
    SQL_SET_SYS_VAR,      /* scope, name (may hold one dot), value (SQL_EXPR_DEFAULT possible) */
    SQL_SET_NAMES,        /* value STRING or DEFAULT; collation or NULL */
    SQL_SET_CHARSET,      /* value STRING or DEFAULT */
    SQL_SET_TRANSACTION,  /* scope; level in name ("READ COMMITTED", ...) or NULL; access */
    SQL_SET_PASSWORD,     /* value; user[@host] in name, NULL for the current user */
};

struct sql_set_item {
    struct sql_set_item *next;
    enum sql_set_kind kind;
    enum sql_scope scope;
    const char *name;
    struct sql_expr *value;
    const char *collation;
    const char *access; /* SET TRANSACTION: "READ ONLY", "READ WRITE" or NULL */
};

enum sql_show_kind {
    SQL_SHOW_DATABASES = 1,
    SQL_SHOW_TABLES,
    SQL_SHOW_TABLE_STATUS,
    SQL_SHOW_OPEN_TABLES,
    SQL_SHOW_COLUMNS,
    SQL_SHOW_INDEX,
    SQL_SHOW_CREATE_TABLE,
    SQL_SHOW_CREATE_VIEW,
    SQL_SHOW_CREATE_DATABASE,
    SQL_SHOW_CREATE_OTHER, /* PROCEDURE, FUNCTION, TRIGGER, EVENT, USER: word in `what` */
    SQL_SHOW_VARIABLES,
    SQL_SHOW_STATUS,
    SQL_SHOW_WARNINGS,
    SQL_SHOW_ERRORS,
    SQL_SHOW_COUNT_WARNINGS,
    SQL_SHOW_COUNT_ERRORS,
    SQL_SHOW_ENGINES,
    SQL_SHOW_CHARSET,
    SQL_SHOW_COLLATION,
    SQL_SHOW_PROCESSLIST,
    SQL_SHOW_PLUGINS,
    SQL_SHOW_GRANTS,
    SQL_SHOW_PRIVILEGES,
    SQL_SHOW_TRIGGERS,
    SQL_SHOW_EVENTS,
    SQL_SHOW_PROCEDURE_STATUS,
    SQL_SHOW_FUNCTION_STATUS,
    SQL_SHOW_MASTER_STATUS, /* also BINARY LOG STATUS */
    SQL_SHOW_SLAVE_STATUS,  /* also REPLICA STATUS */
    SQL_SHOW_MASTER_LOGS,   /* also BINARY LOGS */
    SQL_SHOW_ENGINE,        /* SHOW ENGINE x STATUS: x in `what` */
    SQL_SHOW_PROFILES,
    SQL_SHOW_REPLICAS,   /* also SLAVE HOSTS */
    SQL_SHOW_LOG_EVENTS, /* BINLOG EVENTS, RELAYLOG EVENTS */
};

struct sql_show {
    enum sql_show_kind kind;
    bool is_full;
    bool if_not_exists; /* SHOW CREATE DATABASE IF NOT EXISTS */
    enum sql_scope scope;
    const char *db;    /* FROM db, database of SHOW CREATE DATABASE; or NULL */
    const char *table; /* COLUMNS, INDEX, CREATE TABLE/VIEW, DESCRIBE; or NULL */
    const char *what;  /* as said at the kinds; GRANTS: user[@host], NULL for the current user */
    const char *like;  /* LIKE pattern, or column of DESCRIBE t col; NUL-terminated; or NULL */
    uint32_t like_length;
    struct sql_expr *where;
    struct sql_limit limit; /* WARNINGS, ERRORS */
};

enum sql_explain_format {
    SQL_EXPLAIN_DEFAULT, /* not written: a tree */
    SQL_EXPLAIN_TRADITIONAL,
    SQL_EXPLAIN_JSON,
    SQL_EXPLAIN_TREE
};

/* EXPLAIN of a statement; EXPLAIN t becomes SQL_STMT_DESCRIBE. */
struct sql_explain {
    bool is_analyze;
    bool is_extended; /* EXTENDED or PARTITIONS, accepted */
    enum sql_explain_format format;
    struct sql_stmt *stmt; /* SELECT, INSERT, UPDATE or DELETE */
    int64_t connection;    /* EXPLAIN FOR CONNECTION n: stmt NULL; else -1 */
};

struct sql_transaction {
    const char *savepoint; /* or NULL */
    bool is_read_only;
    bool is_read_write;
    bool with_snapshot;
    bool and_chain; /* COMMIT AND CHAIN */
    bool release;   /* COMMIT RELEASE */
};

struct sql_kill {
    bool is_query; /* KILL QUERY */
    struct sql_expr *id;
};

struct sql_prepare {
    const char *name;
    struct sql_expr *text;        /* PREPARE name FROM: STRING or USER_VAR */
    struct sql_name_list *using_; /* EXECUTE name USING @a, @b: names without '@' */
};

enum sql_maintain_kind {
    SQL_MAINTAIN_ANALYZE = 1,
    SQL_MAINTAIN_OPTIMIZE,
    SQL_MAINTAIN_CHECK,
    SQL_MAINTAIN_REPAIR,
    SQL_MAINTAIN_CHECKSUM
};

struct sql_maintain {
    enum sql_maintain_kind kind;
    struct sql_table_name *tables;
};

struct sql_call_stmt {
    const char *db;
    const char *name; /* NULL for DO */
    struct sql_expr **args;
    uint32_t arg_count;
};

struct sql_flush {
    const char *what; /* words, single blanks between: "TABLES WITH READ LOCK" */
    struct sql_table_name *tables;
};

struct sql_stmt {
    enum sql_stmt_kind kind;
    uint32_t offset;        /* first byte of the statement's first token */
    uint32_t length;        /* up to and without the ';' */
    uint32_t param_count;   /* number of '?' */
    bool has_subqueries;    /* and derived tables */
    bool assigns_variables; /* @a := x is somewhere in it */
    union {
        struct sql_query *query;
        struct sql_insert *insert;
        struct sql_update *update;
        struct sql_delete *delete_;
        struct sql_create_table *create_table;
        struct sql_drop *drop;
        struct sql_table_name *table_name;
        struct sql_alter *alter;
        struct sql_index *index;
        struct sql_rename *rename;
        struct sql_database *database;
        struct sql_view *view;
        struct sql_set_item *set;
        struct sql_show *show;
        struct sql_explain *explain;
        struct sql_transaction *transaction;
        struct sql_table_name *tables;
        struct sql_flush *flush;
        struct sql_kill *kill;
        struct sql_prepare *prepare;
        struct sql_maintain *maintain;
        struct sql_call_stmt *call;
        struct sql_load *load;
        void *node; /* any of these */
    } u;
};
