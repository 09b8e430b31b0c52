#pragma once
/* Shared by ddl.c and ddl_alter.c: a definition change of a statement, and definitions from SQL. */
#include "sql/gateway_statement.h"

struct ddl { /* in the statement's arena; owner: the statement on its core */
    struct cluster_ddl request;
    struct statement *s;
    struct sql_table_name *next;          /* DROP: tables to come */
    const struct catalog_rename *renames; /* RENAME TABLE */
    uint32_t n_renames;
    bool if_exists;
    bool in_flight, started;
    const char *error_name; /* the table errors speak of */
};

/* All of these: false, the statement has failed. */

/* The database of a table must be the one there is. db NULL = that of the session. */
bool ddl_check_database(struct statement *s, const char *db);
/* Type, strategy and scale of a column of an SQL type; 1235 when there is none. ddl_type.c */
enum { DDL_DOUBLE_SCALE = 4 }; /* of FLOAT and DOUBLE without digits */
bool ddl_type_of(struct statement *s, const struct sql_type *t, enum column_type *type,
                 enum mapping *mapping, uint8_t *scale);
/* Keeps what else the SQL type says. */
void ddl_declare(const struct sql_type *t, struct column *c);
/* Adds a column to a schema that is not finished. */
bool ddl_add_column(struct statement *s, struct schema *t, const struct sql_column_def *d);
/* FULLTEXT: the columns of the key are searchable, each by itself and with any others. */
bool ddl_add_fulltext(struct statement *s, struct schema *t, const struct sql_key *k);
/* DEFAULT of a column: a literal, a call, or NULL. */
bool ddl_set_default(struct statement *s, struct column *c, const struct sql_expr *e);
/* Of a finished schema: a literal that a column of numbers or times cannot hold is 1067. */
bool ddl_check_defaults(struct statement *s, const struct schema *t);
/* Options of a table; those of other engines are passed over. */
bool ddl_add_table_options(struct statement *s, struct schema *t, const struct sql_option *o);

/* Begins the change; the reference to the schema (NULL but for CREATE and ALTER) goes with it. */
void ddl_start(struct ddl *d, enum cluster_ddl_kind kind, struct schema *schema, const char *name);

/* CREATE TABLE ... SELECT, ddl_query.c: adds the query's columns to those of the text, and what fills the table as the
 * statement to come. CREATE VIEW. */
bool ddl_take_query(struct statement *s, struct sql_create_table *ast);
bool ddl_create_view(struct ddl *d);

/* RENAME TABLE, and ALTER TABLE whose first action is RENAME; ddl_rename.c. */
bool ddl_rename_tables(struct ddl *d, const struct sql_rename *ast);
bool ddl_rename_one(struct ddl *d, const struct sql_alter *ast);

struct schema *ddl_make_table(struct statement *s,
                              const struct sql_create_table *ast); /* or NULL */

/* Temporary tables, ddl_temporary.c. */
bool ddl_create_temporary(struct statement *s, struct sql_create_table *ast);
bool ddl_is_temporary(const struct statement *s, const char *name);
void ddl_drop_temporaries(struct statement *s, const struct sql_table_name *list);
bool ddl_truncate_temporary(struct statement *s, const char *name); /* false: it is none */
/* True: it is one, and the statement has failed. */
bool ddl_refuse_temporary(struct statement *s, const char *name);

/* ALTER TABLE but for partitions, ddl_alter.c. */
bool ddl_prepare_alter(struct ddl *d, const struct sql_alter *ast);
/* CREATE INDEX and DROP INDEX: every column is indexed, FULLTEXT alone changes the table. */
bool ddl_prepare_index(struct ddl *d, const struct sql_index *ast);
