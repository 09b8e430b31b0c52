#pragma once
/* A statement with its arena, and a rendering of trees that shows every level by parentheses. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "reactor/arena.h"
#include "sql/ast_print.h"
#include "sql/parse.h"

struct parsed {
    struct arena arena;
    struct sql_stmt *stmt;
    struct parse_error error;
    size_t end;
    int rc;
};

static inline void parsed_init(struct parsed *p, const char *text, size_t length, unsigned flags)
{
    arena_init(&p->arena, (size_t)64 << 20, NULL);
    p->rc = sql_parse(&p->arena, text, length, flags, &p->stmt, &p->end, &p->error);
}

static inline void parsed_fini(struct parsed *p)
{
    arena_fini(&p->arena);
}

static inline const char *parsed_print(struct parsed *p)
{
    const char *text = NULL;
    cr_assert_eq(sql_print_stmt(&p->arena, p->stmt, &text, NULL), 0);
    return text;
}

/* Text being built; cut when it is full. */
struct dump {
    char text[4096];
    size_t length;
};

static inline void dump_put(struct dump *d, const char *text)
{
    size_t n = strlen(text);
    if (d->length + n < sizeof d->text) {
        memcpy(d->text + d->length, text, n + 1);
        d->length += n;
    }
}

static inline void dump_expr(struct dump *d, const struct sql_expr *expr);

static inline void dump_args(struct dump *d, const char *name, struct sql_expr *const *args,
                             uint32_t count)
{
    dump_put(d, "(");
    dump_put(d, name);
    for (uint32_t i = 0; i < count; i++) {
        dump_put(d, " ");
        dump_expr(d, args[i]);
    }
    dump_put(d, ")");
}

static inline const char *dump_name(const struct sql_expr *expr)
{
    static const char *const is_names[] = {"", "is-null", "is-true", "is-false", "is-unknown"};
    bool is_not = expr->flags & SQL_FLAG_NOT;
    switch (expr->kind) {
    case SQL_EXPR_UNARY:
        return expr->op == SQL_OP_NEG ? "neg" : sql_op_name(expr->op);
    case SQL_EXPR_BINARY:
        return sql_op_name(expr->op);
    case SQL_EXPR_AND:
        return "and";
    case SQL_EXPR_OR:
        return "or";
    case SQL_EXPR_IS:
        return is_names[expr->op];
    case SQL_EXPR_LIKE:
        return is_not ? "not-like" : "like";
    case SQL_EXPR_BETWEEN:
        return is_not ? "not-between" : "between";
    case SQL_EXPR_IN:
        return is_not ? "not-in" : "in";
    case SQL_EXPR_CASE:
        return "case";
    case SQL_EXPR_ROW:
        return "row";
    case SQL_EXPR_INTERVAL:
    case SQL_EXPR_EXTRACT:
        return sql_unit_name(expr->op);
    default:
        return "?";
    }
}

static inline void dump_leaf(struct dump *d, const struct sql_expr *expr)
{
    char text[64];
    switch (expr->kind) {
    case SQL_EXPR_INT:
        snprintf(text, sizeof text, "%lld", (long long)expr->v.integer);
        dump_put(d, text);
        break;
    case SQL_EXPR_COLUMN:
        dump_put(d, expr->v.column->name);
        break;
    case SQL_EXPR_NULL:
        dump_put(d, "null");
        break;
    case SQL_EXPR_USER_VAR:
        dump_put(d, "@");
        dump_put(d, expr->v.name);
        break;
    case SQL_EXPR_SUBQUERY:
        dump_put(d, "(query)");
        break;
    default:
        snprintf(text, sizeof text, "<%d>", expr->kind);
        dump_put(d, text);
        break;
    }
}

static inline void dump_expr(struct dump *d, const struct sql_expr *expr)
{
    if (expr->kind >= SQL_EXPR_UNARY && expr->kind <= SQL_EXPR_VALUES) {
        if (expr->kind == SQL_EXPR_IS && (expr->flags & SQL_FLAG_NOT)) {
            dump_put(d, "not-");
        }
        dump_args(d, dump_name(expr), expr->v.args, expr->count);
    } else if (expr->kind == SQL_EXPR_CALL) {
        dump_args(d, expr->v.call->name, expr->v.call->args, expr->v.call->arg_count);
    } else if (expr->kind == SQL_EXPR_COLLATE) {
        dump_args(d, "collate", &expr->v.collate->arg, 1);
    } else {
        dump_leaf(d, expr);
    }
}

static inline void dump_table(struct dump *d, const struct sql_table *table)
{
    static const char *const joins[] = {"", "(cross ", "(inner ", "(left ", "(right "};
    switch (table->kind) {
    case SQL_TABLE_NAME:
        dump_put(d, table->name);
        break;
    case SQL_TABLE_QUERY:
        dump_put(d, "(query)");
        break;
    case SQL_TABLE_DUAL:
        dump_put(d, "dual");
        break;
    case SQL_TABLE_JOIN:
        dump_put(d, table->is_natural ? "natural-" : "");
        dump_put(d, joins[table->join]);
        dump_table(d, table->left);
        dump_put(d, " ");
        dump_table(d, table->right);
        if (table->on) {
            dump_put(d, " on ");
            dump_expr(d, table->on);
        }
        dump_put(d, ")");
        break;
    }
}
