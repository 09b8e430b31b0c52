#include "sql/ast_print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reactor/arena.h"
#include "sql/keyword.h"
#include "sql/print_internal.h"

void sql_put_bytes(struct sql_printer *out, const char *text, size_t length)
{
    size_t needed = out->length + length + 1;
    if (needed > out->capacity && !out->has_failed) {
        size_t capacity = needed * 2;
        char *grown = arena_alloc(out->arena, capacity);
        if (grown && out->length) {
            memcpy(grown, out->text, out->length);
        }
        out->has_failed = grown == NULL;
        out->text = grown;
        out->capacity = capacity;
    }
    if (out->has_failed) {
        return;
    }
    memcpy(out->text + out->length, text, length);
    out->length += length;
    out->text[out->length] = 0;
}

void sql_put(struct sql_printer *out, const char *text)
{
    sql_put_bytes(out, text, strlen(text));
}

void sql_put_format(struct sql_printer *out, const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sql_put_bytes(out, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Whether the name stands for itself without quotes. */
static bool is_plain_name(const char *name)
{
    /* A leading '_' may introduce a string's character set. */
    if (!is_letter(name[0]) || name[0] == '_') {
        return false;
    }
    size_t n = 0;
    for (; name[n]; n++) {
        if (!is_letter(name[n]) && !(name[n] >= '0' && name[n] <= '9')) {
            return false;
        }
    }
    return !sql_keyword_find(name, n);
}

static void put_quoted_name(struct sql_printer *out, const char *name)
{
    sql_put(out, "`");
    for (const char *c = name; *c; c++) {
        sql_put_bytes(out, c, 1);
        if (*c == '`') {
            sql_put(out, "`");
        }
    }
    sql_put(out, "`");
}

void sql_put_name(struct sql_printer *out, const char *name)
{
    if (is_plain_name(name)) {
        sql_put(out, name);
    } else {
        put_quoted_name(out, name);
    }
}

void sql_put_path(struct sql_printer *out, const char *db, const char *name)
{
    if (db) {
        sql_put_name(out, db);
        sql_put(out, ".");
    }
    sql_put_name(out, name);
}

void sql_put_string(struct sql_printer *out, const char *text, size_t length)
{
    sql_put(out, "'");
    for (size_t i = 0; i < length; i++) {
        switch (text[i]) {
        case 0:
            sql_put(out, "\\0");
            break;
        case '\n':
            sql_put(out, "\\n");
            break;
        case '\r':
            sql_put(out, "\\r");
            break;
        case 26:
            sql_put(out, "\\Z");
            break;
        case '\\':
            sql_put(out, "\\\\");
            break;
        case '\'':
            sql_put(out, "''");
            break;
        default:
            sql_put_bytes(out, text + i, 1);
        }
    }
    sql_put(out, "'");
}

void sql_put_user(struct sql_printer *out, const char *user)
{
    if (!user) {
        sql_put(out, "CURRENT_USER");
        return;
    }
    const char *host = strrchr(user, '@');
    sql_put_string(out, user, host ? (size_t)(host - user) : strlen(user));
    if (!host) {
        return;
    }
    /* A variable's name in quotes knows no escapes but the doubled quote. */
    sql_put(out, "@'");
    for (const char *c = host + 1; *c; c++) {
        sql_put_bytes(out, c, 1);
        sql_put(out, *c == '\'' ? "'" : "");
    }
    sql_put(out, "'");
}

void sql_put_comma(struct sql_printer *out, bool is_first)
{
    if (!is_first) {
        sql_put(out, ", ");
    }
}

void sql_put_names(struct sql_printer *out, const struct sql_name_list *names)
{
    for (const struct sql_name_list *entry = names; entry; entry = entry->next) {
        sql_put_comma(out, entry == names);
        sql_put_name(out, entry->name);
        if (entry->prefix) {
            sql_put_format(out, "(%u)", entry->prefix);
        }
        if (entry->is_desc) {
            sql_put(out, " DESC");
        }
    }
}

static int print_done(const struct sql_printer *out, const char **text_out, size_t *length_out)
{
    *text_out = NULL;
    if (length_out) {
        *length_out = 0;
    }
    if (out->has_failed) {
        return -ENOMEM;
    }
    *text_out = out->text ? out->text : "";
    if (length_out) {
        *length_out = out->length;
    }
    return 0;
}

int sql_print_stmt(struct arena *arena, const struct sql_stmt *stmt, const char **text_out,
                   size_t *length_out)
{
    struct sql_printer out = {.arena = arena};
    sql_put_stmt(&out, stmt);
    return print_done(&out, text_out, length_out);
}

int sql_print_query(struct arena *arena, const struct sql_query *query, const char **text_out,
                    size_t *length_out)
{
    struct sql_printer out = {.arena = arena};
    sql_put_query(&out, query);
    return print_done(&out, text_out, length_out);
}

int sql_print_expr(struct arena *arena, const struct sql_expr *expr, const char **text_out,
                   size_t *length_out)
{
    struct sql_printer out = {.arena = arena};
    sql_put_expr(&out, expr);
    return print_done(&out, text_out, length_out);
}

int sql_print_table(struct arena *arena, const struct sql_table *table, const char **text_out,
                    size_t *length_out)
{
    struct sql_printer out = {.arena = arena};
    sql_put_table(&out, table);
    return print_done(&out, text_out, length_out);
}

int sql_print_type(struct arena *arena, const struct sql_type *type, const char **text_out,
                   size_t *length_out)
{
    struct sql_printer out = {.arena = arena};
    sql_put_type(&out, type);
    return print_done(&out, text_out, length_out);
}
