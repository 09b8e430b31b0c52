#include "sql/ast.h"

#include <string.h>
#include <strings.h>

static const char *const op_names[] = {
    [SQL_OP_NOT] = "NOT",
    [SQL_OP_NEG] = "-",
    [SQL_OP_PLUS] = "+",
    [SQL_OP_BIT_NOT] = "~",
    [SQL_OP_BINARY] = "BINARY",
    [SQL_OP_EQ] = "=",
    [SQL_OP_NULL_EQ] = "<=>",
    [SQL_OP_NE] = "<>",
    [SQL_OP_LT] = "<",
    [SQL_OP_LE] = "<=",
    [SQL_OP_GT] = ">",
    [SQL_OP_GE] = ">=",
    [SQL_OP_REGEXP] = "REGEXP",
    [SQL_OP_SOUNDS_LIKE] = "SOUNDS LIKE",
    [SQL_OP_XOR] = "XOR",
    [SQL_OP_BIT_OR] = "|",
    [SQL_OP_BIT_AND] = "&",
    [SQL_OP_BIT_XOR] = "^",
    [SQL_OP_SHL] = "<<",
    [SQL_OP_SHR] = ">>",
    [SQL_OP_ADD] = "+",
    [SQL_OP_SUB] = "-",
    [SQL_OP_MUL] = "*",
    [SQL_OP_DIV] = "/",
    [SQL_OP_INT_DIV] = "DIV",
    [SQL_OP_MOD] = "%",
    [SQL_OP_ASSIGN] = ":=",
    [SQL_OP_JSON_GET] = "->",
    [SQL_OP_JSON_GET_TEXT] = "->>",
};

static const char *const unit_names[] = {
    [SQL_UNIT_MICROSECOND] = "MICROSECOND",
    [SQL_UNIT_SECOND] = "SECOND",
    [SQL_UNIT_MINUTE] = "MINUTE",
    [SQL_UNIT_HOUR] = "HOUR",
    [SQL_UNIT_DAY] = "DAY",
    [SQL_UNIT_WEEK] = "WEEK",
    [SQL_UNIT_MONTH] = "MONTH",
    [SQL_UNIT_QUARTER] = "QUARTER",
    [SQL_UNIT_YEAR] = "YEAR",
    [SQL_UNIT_SECOND_MICROSECOND] = "SECOND_MICROSECOND",
    [SQL_UNIT_MINUTE_MICROSECOND] = "MINUTE_MICROSECOND",
    [SQL_UNIT_MINUTE_SECOND] = "MINUTE_SECOND",
    [SQL_UNIT_HOUR_MICROSECOND] = "HOUR_MICROSECOND",
    [SQL_UNIT_HOUR_SECOND] = "HOUR_SECOND",
    [SQL_UNIT_HOUR_MINUTE] = "HOUR_MINUTE",
    [SQL_UNIT_DAY_MICROSECOND] = "DAY_MICROSECOND",
    [SQL_UNIT_DAY_SECOND] = "DAY_SECOND",
    [SQL_UNIT_DAY_MINUTE] = "DAY_MINUTE",
    [SQL_UNIT_DAY_HOUR] = "DAY_HOUR",
    [SQL_UNIT_YEAR_MONTH] = "YEAR_MONTH",
};

static const char *const type_names[] = {
    [SQL_TYPE_BOOL] = "BOOL",
    [SQL_TYPE_BIT] = "BIT",
    [SQL_TYPE_TINYINT] = "TINYINT",
    [SQL_TYPE_SMALLINT] = "SMALLINT",
    [SQL_TYPE_MEDIUMINT] = "MEDIUMINT",
    [SQL_TYPE_INT] = "INT",
    [SQL_TYPE_BIGINT] = "BIGINT",
    [SQL_TYPE_DECIMAL] = "DECIMAL",
    [SQL_TYPE_FLOAT] = "FLOAT",
    [SQL_TYPE_DOUBLE] = "DOUBLE",
    [SQL_TYPE_CHAR] = "CHAR",
    [SQL_TYPE_VARCHAR] = "VARCHAR",
    [SQL_TYPE_TINYTEXT] = "TINYTEXT",
    [SQL_TYPE_TEXT] = "TEXT",
    [SQL_TYPE_MEDIUMTEXT] = "MEDIUMTEXT",
    [SQL_TYPE_LONGTEXT] = "LONGTEXT",
    [SQL_TYPE_BINARY] = "BINARY",
    [SQL_TYPE_VARBINARY] = "VARBINARY",
    [SQL_TYPE_TINYBLOB] = "TINYBLOB",
    [SQL_TYPE_BLOB] = "BLOB",
    [SQL_TYPE_MEDIUMBLOB] = "MEDIUMBLOB",
    [SQL_TYPE_LONGBLOB] = "LONGBLOB",
    [SQL_TYPE_DATE] = "DATE",
    [SQL_TYPE_TIME] = "TIME",
    [SQL_TYPE_DATETIME] = "DATETIME",
    [SQL_TYPE_TIMESTAMP] = "TIMESTAMP",
    [SQL_TYPE_YEAR] = "YEAR",
    [SQL_TYPE_ENUM] = "ENUM",
    [SQL_TYPE_SET] = "SET",
    [SQL_TYPE_JSON] = "JSON",
    [SQL_TYPE_SIGNED] = "SIGNED",
    [SQL_TYPE_UNSIGNED] = "UNSIGNED",
    [SQL_TYPE_NAMED] = "NAMED",
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const char *sql_op_name(enum sql_op op)
{
    return op > 0 && op < COUNT(op_names) ? op_names[op] : "?";
}

const char *sql_unit_name(enum sql_unit unit)
{
    return unit > 0 && unit < COUNT(unit_names) ? unit_names[unit] : "?";
}

enum sql_unit sql_unit_find(const char *name, size_t length)
{
    /* sql_tsi_day of ODBC is the same as day. */
    if (length > 8 && !strncasecmp(name, "sql_tsi_", 8)) {
        name += 8;
        length -= 8;
    }
    for (size_t i = 1; i < COUNT(unit_names); i++) {
        if (strlen(unit_names[i]) == length && !strncasecmp(unit_names[i], name, length)) {
            return (enum sql_unit)i;
        }
    }
    return 0;
}

const char *sql_type_name(enum sql_type_kind kind)
{
    return kind > 0 && kind < COUNT(type_names) ? type_names[kind] : "?";
}

bool sql_expr_is_literal(const struct sql_expr *expr)
{
    return expr->kind >= SQL_EXPR_NULL && expr->kind <= SQL_EXPR_TIMESTAMP;
}

static void walk_array(struct sql_expr **args, uint32_t count, sql_visit_fn visit, void *arg)
{
    for (uint32_t i = 0; i < count; i++) {
        sql_expr_walk(args[i], visit, arg);
    }
}

static void walk_order(struct sql_order *order, sql_visit_fn visit, void *arg)
{
    for (; order; order = order->next) {
        sql_expr_walk(order->expr, visit, arg);
    }
}

static void walk_call(struct sql_call *call, sql_visit_fn visit, void *arg)
{
    walk_array(call->args, call->arg_count, visit, arg);
    walk_order(call->order_by, visit, arg);
    walk_order(call->within_group, visit, arg);
    sql_expr_walk(call->filter, visit, arg);
    if (call->over) {
        walk_order(call->over->partition_by, visit, arg);
        walk_order(call->over->order_by, visit, arg);
        sql_expr_walk(call->over->from.expr, visit, arg);
        sql_expr_walk(call->over->to.expr, visit, arg);
    }
}

/* Whether the operands are in v.args. */
static bool has_args(const struct sql_expr *expr)
{
    return expr->kind == SQL_EXPR_DEFAULT || expr->kind == SQL_EXPR_MATCH ||
           (expr->kind >= SQL_EXPR_UNARY && expr->kind <= SQL_EXPR_VALUES);
}

void sql_expr_walk(struct sql_expr *expr, sql_visit_fn visit, void *arg)
{
    if (!expr || !visit(expr, arg)) {
        return;
    }
    if (has_args(expr)) {
        walk_array(expr->v.args, expr->count, visit, arg);
        return;
    }
    switch (expr->kind) {
    case SQL_EXPR_CALL:
        walk_call(expr->v.call, visit, arg);
        break;
    case SQL_EXPR_CAST:
        sql_expr_walk(expr->v.cast->arg, visit, arg);
        break;
    case SQL_EXPR_CONVERT:
    case SQL_EXPR_COLLATE:
        sql_expr_walk(expr->v.collate->arg, visit, arg);
        break;
    case SQL_EXPR_IN_QUERY:
    case SQL_EXPR_QUANTIFIED:
        sql_expr_walk(expr->v.compare->left, visit, arg);
        break;
    default:
        break;
    }
}
