#pragma once
/* What the parts of the printer share. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "sql/ast.h"

struct arena;

/* Text while it grows in an arena. Owner: the printing core; lives on the stack of a print call. */
struct sql_printer {
    struct arena *arena;
    char *text;
    size_t length;
    size_t capacity;
    bool has_failed; /* out of memory; further output is dropped */
};

/* Pieces of text. sql_put_format takes printf's directives and is for short pieces. */
void sql_put(struct sql_printer *out, const char *text);
void sql_put_bytes(struct sql_printer *out, const char *text, size_t length);
void sql_put_format(struct sql_printer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A name, in back quotes when it is a keyword or not plain. */
void sql_put_name(struct sql_printer *out, const char *name);

/* [db.]name; db may be NULL. */
void sql_put_path(struct sql_printer *out, const char *db, const char *name);

/* A string literal. */
void sql_put_string(struct sql_printer *out, const char *text, size_t length);

/* 'user'[@'host'] of user[@host]; CURRENT_USER for NULL. */
void sql_put_user(struct sql_printer *out, const char *user);

/* ", " unless it is the first of a list. */
void sql_put_comma(struct sql_printer *out, bool is_first);

/* Names with commas between. */
void sql_put_names(struct sql_printer *out, const struct sql_name_list *names);

/* Nodes. */
void sql_put_expr(struct sql_printer *out, const struct sql_expr *expr);
void sql_put_exprs(struct sql_printer *out, struct sql_expr *const *args, uint32_t count);
void sql_put_type(struct sql_printer *out, const struct sql_type *type);
void sql_put_outfile_format(struct sql_printer *out, const struct sql_option *format);
void sql_put_query(struct sql_printer *out, const struct sql_query *query);
void sql_put_table(struct sql_printer *out, const struct sql_table *table);
void sql_put_order(struct sql_printer *out, const char *words, const struct sql_order *order);
void sql_put_limit(struct sql_printer *out, const struct sql_limit *limit);
void sql_put_clause(struct sql_printer *out, const char *words, const struct sql_expr *expr);
void sql_put_window(struct sql_printer *out, const struct sql_window *window);
void sql_put_stmt(struct sql_printer *out, const struct sql_stmt *stmt);

/* A table's or column's definition (CREATE and ALTER TABLE). */
void sql_put_create_table(struct sql_printer *out, const struct sql_create_table *create);
void sql_put_alter(struct sql_printer *out, const struct sql_alter *alter);
void sql_put_key(struct sql_printer *out, const struct sql_key *key);
void sql_put_options(struct sql_printer *out, const struct sql_option *options);

/* Statements about the session: SET, SHOW, EXPLAIN, transactions. */
void sql_put_set(struct sql_printer *out, const struct sql_set_item *item);
void sql_put_show(struct sql_printer *out, const struct sql_show *show);
void sql_put_describe(struct sql_printer *out, const struct sql_show *show);
