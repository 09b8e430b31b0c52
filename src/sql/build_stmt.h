#pragma once
/*
 * Nodes of statements and definitions, made by the grammar's actions; memory, errors and core as in
 * build_expr.h.
 */
#include "sql/parse_internal.h"

struct sql_stmt *sql_build_stmt(struct sql_parser *p, enum sql_stmt_kind kind, void *node);

/* Type by a name that is no token of its own; is_cast admits the original's own names. */
struct sql_type *sql_build_type(struct sql_parser *p, struct sql_text name, bool is_cast,
                                struct sql_span span);

/* Type by kind, without sizes. */
struct sql_type *sql_build_type_kind(struct sql_parser *p, enum sql_type_kind kind);

/* The type with its size and the attributes gathered in flags; fails when members and kind do not
 * fit. */
struct sql_type *sql_build_type_done(struct sql_parser *p, struct sql_type *type,
                                     struct sql_type_size size, const struct sql_type *flags,
                                     struct sql_span span);

/* The type with the collation found among the column's attributes. */
struct sql_type sql_build_column_type(const struct sql_type *type,
                                      const struct sql_column_def *column);

/* Size in parentheses. */
int32_t sql_build_size(struct sql_parser *p, uint64_t size, struct sql_span span);

struct sql_text_list *sql_build_text_entry(struct sql_parser *p, struct sql_text text);

/* Joins head, columns and values or query; on_duplicate may be NULL. */
struct sql_stmt *sql_build_insert(struct sql_parser *p, struct sql_insert *head,
                                  const struct sql_insert *body, struct sql_assign *on_duplicate);
void sql_build_insert_rows(struct sql_insert *insert, struct sql_list rows);
void sql_build_insert_columns(struct sql_insert *insert, struct sql_list columns);

/* Whether VALUES may have a slot without a value: at the comma behind n values, or after it. Leaves the parse where not. */
void sql_build_check_slots(struct sql_parser *p, uint32_t n, const struct sql_expr *value,
                           struct sql_span comma, struct sql_span after);

/* INSERT ... SET a = 1: the columns and one row. */
void sql_build_insert_set(struct sql_parser *p, struct sql_insert *insert,
                          struct sql_assign *assigns);

struct sql_key *sql_build_key(struct sql_parser *p, int kind, const char *name,
                              struct sql_list parts, struct sql_list options);
struct sql_stmt *sql_build_database(struct sql_parser *p, enum sql_stmt_kind kind, const char *name,
                                    bool if_exists, struct sql_list options);
struct sql_stmt *sql_build_drop(struct sql_parser *p, struct sql_list tables, bool if_exists,
                                bool is_view);
struct sql_alter_action *sql_build_alter(struct sql_parser *p, enum sql_alter_kind kind);
struct sql_alter_action *sql_build_alter_column(struct sql_parser *p, enum sql_alter_kind kind,
                                                const char *old_name, struct sql_column_def *column,
                                                struct sql_place place);

struct sql_set_item *sql_build_set_item(struct sql_parser *p, enum sql_set_kind kind, int scope,
                                        const char *name, struct sql_expr *value);

/* VALUES ROW(...) alone are rows as those of VALUES (...). */
void sql_build_insert_query(struct sql_parser *p, struct sql_insert *insert,
                            struct sql_query *query, struct sql_span span);

/* Value of SET sysvar = value: a bare name means itself. */
struct sql_expr *sql_build_set_value(struct sql_expr *value);

/* SHOW with the LIKE or WHERE of `filter`, which may be NULL. */
struct sql_show *sql_build_show(struct sql_parser *p, enum sql_show_kind kind,
                                const struct sql_show *filter);

/* Same, of a table; db (FROM db) wins over the table's own and may be NULL. */
struct sql_show *sql_build_show_table(struct sql_parser *p, enum sql_show_kind kind,
                                      const struct sql_show *filter,
                                      const struct sql_table_name *table, const char *db);

/* user@host */
const char *sql_build_user(struct sql_parser *p, const char *user, struct sql_text host);

/* SHOW COUNT(*) ...; fails when the word is another. */
struct sql_show *sql_build_show_count(struct sql_parser *p, struct sql_text word,
                                      enum sql_show_kind kind, struct sql_span span);

/* SHOW of words that are no tokens (ENGINES; MASTER STATUS; STORAGE ENGINES, BINARY LOGS). */
struct sql_show *sql_build_show_words(struct sql_parser *p, const struct sql_show *filter,
                                      const char *words, struct sql_span span);

struct sql_explain *sql_build_explain(struct sql_parser *p);
enum sql_explain_format sql_build_explain_format(struct sql_parser *p, const char *name,
                                                 struct sql_span span);

struct sql_stmt *sql_build_savepoint(struct sql_parser *p, enum sql_stmt_kind kind,
                                     const char *name);
struct sql_stmt *sql_build_prepare(struct sql_parser *p, enum sql_stmt_kind kind, const char *name,
                                   struct sql_expr *text, struct sql_list vars);

/* CALL and DO (table NULL). */
struct sql_stmt *sql_build_call_stmt(struct sql_parser *p, enum sql_stmt_kind kind,
                                     const struct sql_table_name *table, struct sql_list args);
struct sql_stmt *sql_build_kill(struct sql_parser *p, bool is_query, struct sql_expr *id);
struct sql_stmt *sql_build_flush(struct sql_parser *p, struct sql_list tables, const char *words);

/* REPAIR and CHECKSUM, which are no tokens; fails for another word. */
/* LOAD DATA; other words (XML) are no syntax we know. */
struct sql_load *sql_build_load(struct sql_parser *p, struct sql_text word, struct sql_span span,
                                struct sql_text file);
enum sql_maintain_kind sql_build_maintain_kind(struct sql_parser *p, struct sql_text word,
                                               struct sql_span span);
