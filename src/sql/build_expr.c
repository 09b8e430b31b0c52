#include "sql/build_expr.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct link {
    struct link *next;
};

struct sql_list sql_list_add(struct sql_list list, void *node)
{
    if (list.tail) {
        ((struct link *)list.tail)->next = node;
    } else {
        list.head = node;
    }
    list.tail = node;
    list.count++;
    return list;
}

struct sql_list sql_list_add_expr(struct sql_list list, struct sql_expr *expr)
{
    if (list.tail) {
        ((struct sql_expr *)list.tail)->next = expr;
    } else {
        list.head = expr;
    }
    list.tail = expr;
    list.count++;
    return list;
}

struct sql_list sql_list_join(struct sql_list first, struct sql_list second)
{
    if (!first.head) {
        return second;
    }
    ((struct link *)first.tail)->next = second.head;
    first.tail = second.tail;
    first.count += second.count;
    return first;
}

const char *sql_build_name(struct sql_parser *p, struct sql_text text)
{
    return sql_parser_copy(p, text.at, text.length);
}

const char *sql_build_pair(struct sql_parser *p, const char *a, char between, const char *b)
{
    size_t left = strlen(a);
    size_t right = strlen(b);
    char *name = sql_parser_alloc(p, left + right + 2);
    memcpy(name, a, left);
    name[left] = between;
    memcpy(name + left + 1, b, right);
    return name;
}

const char *sql_build_at(struct sql_parser *p, struct sql_text name)
{
    char *to = sql_parser_alloc(p, (size_t)name.length + 2);
    to[0] = '@';
    memcpy(to + 1, name.at, name.length);
    return to;
}

struct sql_text sql_build_text_of(const char *name)
{
    return (struct sql_text){name, (uint32_t)strlen(name)};
}

unsigned sql_depth_max(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

uint8_t sql_depth_above(struct sql_parser *p, unsigned depth, struct sql_span span)
{
    if (depth + 1 > SQL_DEPTH_MAX) {
        sql_parser_fail(p, SQL_PARSE_TOO_DEEP, span.begin);
    }
    return (uint8_t)(depth + 1);
}

unsigned sql_depth_of_order(const struct sql_order *order)
{
    unsigned depth = 0;
    for (; order; order = order->next) {
        depth = sql_depth_max(depth, order->expr->depth);
    }
    return depth;
}

unsigned sql_depth_of_windows(const struct sql_window *window)
{
    unsigned depth = 0;
    for (; window; window = window->next) {
        depth = sql_depth_max(depth, sql_depth_of_order(window->partition_by));
        depth = sql_depth_max(depth, sql_depth_of_order(window->order_by));
        depth = sql_depth_max(depth, window->from.expr ? window->from.expr->depth : 0);
        depth = sql_depth_max(depth, window->to.expr ? window->to.expr->depth : 0);
    }
    return depth;
}

struct sql_expr *sql_build_leaf(struct sql_parser *p, enum sql_expr_kind kind, struct sql_span span)
{
    struct sql_expr *expr = sql_parser_alloc(p, sizeof *expr);
    expr->kind = (uint8_t)kind;
    expr->depth = 1;
    expr->offset = span.begin;
    expr->length = span.end - span.begin;
    return expr;
}

struct sql_expr *sql_build_bool(struct sql_parser *p, bool value, struct sql_span span)
{
    struct sql_expr *expr = sql_build_leaf(p, SQL_EXPR_BOOL, span);
    expr->v.integer = value;
    return expr;
}

struct sql_expr *sql_build_integer(struct sql_parser *p, uint64_t value, struct sql_span span)
{
    bool is_large = value > INT64_MAX;
    struct sql_expr *expr = sql_build_leaf(p, is_large ? SQL_EXPR_UINT : SQL_EXPR_INT, span);
    expr->v.uinteger = value;
    return expr;
}

struct sql_expr *sql_build_float(struct sql_parser *p, struct sql_text text, struct sql_span span)
{
    const char *digits = sql_parser_copy(p, text.at, text.length);
    struct sql_expr *expr = sql_build_leaf(p, SQL_EXPR_FLOAT, span);
    expr->v.real = strtod(digits, NULL);
    if (!isfinite(expr->v.real)) {
        sql_parser_fail(p, SQL_PARSE_BAD_NUMBER, span.begin);
    }
    return expr;
}

struct sql_expr *sql_build_text(struct sql_parser *p, enum sql_expr_kind kind, struct sql_text text,
                                struct sql_span span)
{
    struct sql_expr *expr = sql_build_leaf(p, kind, span);
    expr->v.text = text.at;
    expr->count = text.length;
    return expr;
}

struct sql_expr *sql_build_word(struct sql_parser *p, const char *word, struct sql_span span)
{
    return sql_build_text(p, SQL_EXPR_STRING, sql_build_text_of(word), span);
}

struct sql_expr *sql_build_user_var(struct sql_parser *p, struct sql_text text,
                                    struct sql_span span)
{
    struct sql_expr *expr = sql_build_leaf(p, SQL_EXPR_USER_VAR, span);
    expr->v.name = sql_build_name(p, text);
    return expr;
}

/* Takes "word." off the front of a system variable; the bytes taken, 0 when it is not there. */
static uint32_t sys_var_prefix(struct sql_text text, const char *word)
{
    uint32_t n = (uint32_t)strlen(word);
    bool is_there = text.length > n + 1 && text.at[n] == '.' && !strncasecmp(text.at, word, n);
    return is_there ? n + 1 : 0;
}

struct sql_expr *sql_build_sys_var(struct sql_parser *p, struct sql_text text, struct sql_span span)
{
    static const struct {
        const char *word;
        enum sql_scope scope;
    } scopes[] = {
        {"session", SQL_SCOPE_SESSION},
        {"local", SQL_SCOPE_SESSION},
        {"global", SQL_SCOPE_GLOBAL},
        {"persist", SQL_SCOPE_PERSIST},
    };
    struct sql_expr *expr = sql_build_leaf(p, SQL_EXPR_SYS_VAR, span);
    char *name = sql_parser_alloc(p, text.length + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.at[i] != '`') {
            name[n++] = text.at[i];
        }
    }
    expr->v.name = name;
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        uint32_t prefix = sys_var_prefix((struct sql_text){name, n}, scopes[i].word);
        if (prefix) {
            expr->op = (uint8_t)scopes[i].scope;
            expr->v.name += prefix;
            break;
        }
    }
    if (expr->v.name[0] == 0) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
    }
    return expr;
}

struct sql_expr *sql_build_column(struct sql_parser *p, const char *db, const char *table,
                                  const char *name, struct sql_span span)
{
    struct sql_column_ref *column = sql_parser_alloc(p, sizeof *column);
    *column = (struct sql_column_ref){db, table, name};
    struct sql_expr *expr = sql_build_leaf(p, name ? SQL_EXPR_COLUMN : SQL_EXPR_STAR, span);
    expr->v.column = column;
    return expr;
}

/* Room for n operands, n at least 1. */
static struct sql_expr **operand_array(struct sql_parser *p, uint32_t n)
{
    return sql_parser_alloc(p, n * sizeof(struct sql_expr *));
}

/* Takes the operands' depth into the node's. */
static void operands_done(struct sql_parser *p, struct sql_expr *expr, struct sql_span span)
{
    unsigned depth = 0;
    for (uint32_t i = 0; i < expr->count; i++) {
        depth = sql_depth_max(depth, expr->v.args[i]->depth);
    }
    expr->depth = sql_depth_above(p, depth, span);
}

struct sql_expr *sql_build_operands(struct sql_parser *p, enum sql_expr_kind kind, int op,
                                    int flags, struct sql_span span, int n, ...)
{
    struct sql_expr *expr = sql_build_leaf(p, kind, span);
    expr->op = (uint8_t)op;
    expr->flags = (uint8_t)flags;
    expr->count = (uint32_t)n;
    expr->v.args = operand_array(p, expr->count);
    va_list list;
    va_start(list, n);
    for (int i = 0; i < n; i++) {
        expr->v.args[i] = va_arg(list, struct sql_expr *);
    }
    va_end(list);
    operands_done(p, expr, span);
    return expr;
}

struct sql_expr *sql_build_operand_list(struct sql_parser *p, enum sql_expr_kind kind, int flags,
                                        struct sql_expr *first, struct sql_list list,
                                        struct sql_span span)
{
    struct sql_expr *expr = sql_build_leaf(p, kind, span);
    expr->flags = (uint8_t)flags;
    expr->v.args = operand_array(p, list.count + (first != NULL));
    uint32_t n = 0;
    if (first) {
        expr->v.args[n++] = first;
    }
    for (struct sql_expr *arg = list.head; arg; arg = arg->next) {
        expr->v.args[n++] = arg;
    }
    expr->count = n;
    operands_done(p, expr, span);
    return expr;
}

/* The text of a number with a minus sign; borrows when the sign stands right before it. */
static const char *negative_text(struct sql_parser *p, const struct sql_expr *number)
{
    const char *text = number->v.text;
    if (text > p->text && text < p->text + p->length && text[-1] == '-') {
        return text - 1;
    }
    char *copy = sql_parser_alloc(p, (size_t)number->count + 1);
    copy[0] = '-';
    memcpy(copy + 1, text, number->count);
    return copy;
}

/* Whether the number can take a sign into itself; parentheses stay visible. */
static bool can_negate(const struct sql_expr *arg)
{
    if (arg->flags & SQL_FLAG_PARENS) {
        return false;
    }
    switch (arg->kind) {
    case SQL_EXPR_INT:
        return arg->v.integer > 0;
    case SQL_EXPR_UINT:
        return arg->v.uinteger == (uint64_t)INT64_MAX + 1;
    case SQL_EXPR_DECIMAL:
        return arg->v.text[0] != '-';
    case SQL_EXPR_FLOAT:
        return !signbit(arg->v.real);
    default:
        return false;
    }
}

struct sql_expr *sql_build_negate(struct sql_parser *p, struct sql_expr *arg, struct sql_span span)
{
    if (!can_negate(arg)) {
        return sql_build_operands(p, SQL_EXPR_UNARY, SQL_OP_NEG, 0, span, 1, arg);
    }
    switch (arg->kind) {
    case SQL_EXPR_INT:
        arg->v.integer = -arg->v.integer;
        break;
    case SQL_EXPR_UINT:
        arg->kind = SQL_EXPR_INT;
        arg->v.integer = INT64_MIN;
        break;
    case SQL_EXPR_DECIMAL:
        arg->v.text = negative_text(p, arg);
        arg->count++;
        break;
    default:
        arg->v.real = -arg->v.real;
        break;
    }
    arg->offset = span.begin;
    arg->length = span.end - span.begin;
    return arg;
}

/* Appends an operand; the array grows when its count is a power of two, so that n appends cost n.
 * */
static void logic_append(struct sql_parser *p, struct sql_expr *logic, struct sql_expr *arg,
                         struct sql_span span)
{
    uint32_t n = logic->count;
    if ((n & (n - 1)) == 0) {
        struct sql_expr **args = operand_array(p, n * 2);
        memcpy(args, logic->v.args, n * sizeof *args);
        logic->v.args = args;
    }
    logic->v.args[logic->count++] = arg;
    logic->length = span.end - logic->offset;
    logic->depth = (uint8_t)sql_depth_max(logic->depth, sql_depth_above(p, arg->depth, span));
}

struct sql_expr *sql_build_logic(struct sql_parser *p, enum sql_expr_kind kind,
                                 struct sql_expr *left, struct sql_expr *right,
                                 struct sql_span span)
{
    if (left->kind == kind && !(left->flags & SQL_FLAG_PARENS)) {
        logic_append(p, left, right, span);
        return left;
    }
    return sql_build_operands(p, kind, 0, 0, span, 2, left, right);
}

struct sql_expr *sql_build_case(struct sql_parser *p, struct sql_expr *operand,
                                struct sql_list whens, struct sql_expr *otherwise,
                                struct sql_span span)
{
    int flags = 0;
    if (otherwise) {
        whens = sql_list_add_expr(whens, otherwise);
        flags |= SQL_FLAG_CASE_ELSE;
    }
    if (operand) {
        flags |= SQL_FLAG_CASE_OPERAND;
    }
    return sql_build_operand_list(p, SQL_EXPR_CASE, flags, operand, whens, span);
}

struct sql_expr *sql_build_trim(struct sql_parser *p, int mode, struct sql_expr *arg,
                                struct sql_expr *remove, struct sql_span span)
{
    return sql_build_operands(p, SQL_EXPR_TRIM, mode, 0, span, remove ? 2 : 1, arg, remove);
}

struct sql_expr *sql_build_braces(struct sql_parser *p, struct sql_text word, struct sql_expr *arg,
                                  struct sql_span word_span, struct sql_span span)
{
    static const struct {
        const char *word;
        enum sql_expr_kind kind;
    } kinds[] = {{"d", SQL_EXPR_DATE}, {"t", SQL_EXPR_TIME}, {"ts", SQL_EXPR_TIMESTAMP}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (arg->kind == SQL_EXPR_STRING && word.length == strlen(kinds[i].word) &&
            !strncasecmp(word.at, kinds[i].word, word.length)) {
            arg->kind = (uint8_t)kinds[i].kind;
            arg->offset = span.begin;
            arg->length = span.end - span.begin;
            return arg;
        }
    }
    if (word.length != 2 || strncasecmp(word.at, "fn", 2)) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, word_span.begin);
    }
    return arg;
}

int sql_build_match(struct sql_parser *p, int mode, struct sql_text word, const char *wanted,
                    struct sql_span word_span)
{
    if (word.length != strlen(wanted) || strncasecmp(word.at, wanted, word.length)) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, word_span.begin);
    }
    return mode;
}

struct sql_call *sql_build_call_args(struct sql_parser *p, struct sql_list args)
{
    struct sql_call *call = sql_parser_alloc(p, sizeof *call);
    call->has_parens = true;
    if (args.count) {
        call->args = operand_array(p, args.count);
        for (struct sql_expr *arg = args.head; arg; arg = arg->next) {
            call->args[call->arg_count++] = arg;
        }
    }
    return call;
}

/* timestampadd(DAY, 1, x): the unit was read as a column. */
static void call_find_unit(const char *name, struct sql_call *call)
{
    if (call->arg_count != 3 ||
        (strcasecmp(name, "timestampadd") != 0 && strcasecmp(name, "timestampdiff") != 0)) {
        return;
    }
    struct sql_expr *first = call->args[0];
    if (first->kind != SQL_EXPR_COLUMN || first->v.column->table) {
        return;
    }
    enum sql_unit unit = sql_unit_find(first->v.column->name, strlen(first->v.column->name));
    if (unit) {
        first->kind = SQL_EXPR_UNIT;
        first->op = (uint8_t)unit;
        first->v.args = NULL;
    }
}

struct sql_expr *sql_build_call(struct sql_parser *p, const char *name, struct sql_call *call,
                                struct sql_span span)
{
    call->name = name;
    call_find_unit(name, call);
    struct sql_expr *expr = sql_build_leaf(p, SQL_EXPR_CALL, span);
    unsigned depth = sql_depth_of_order(call->order_by);
    depth = sql_depth_max(depth, sql_depth_of_order(call->within_group));
    depth = sql_depth_max(depth, call->filter ? call->filter->depth : 0);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        depth = sql_depth_max(depth, call->args[i]->depth);
    }
    expr->depth = sql_depth_above(p, depth, span);
    if (call->arg_count > 1 && !strcasecmp(name, "row")) {
        expr->kind = SQL_EXPR_ROW;
        expr->v.args = call->args;
        expr->count = call->arg_count;
        return expr;
    }
    expr->v.call = call;
    return expr;
}

struct sql_expr *sql_build_call_n(struct sql_parser *p, const char *name, struct sql_span span,
                                  int n, ...)
{
    struct sql_list args = {0};
    va_list list;
    va_start(list, n);
    for (int i = 0; i < n; i++) {
        args = sql_list_add_expr(args, va_arg(list, struct sql_expr *));
    }
    va_end(list);
    return sql_build_call(p, name, sql_build_call_args(p, args), span);
}

struct sql_expr *sql_build_char(struct sql_parser *p, struct sql_text name, struct sql_list args,
                                const char *charset, struct sql_span span)
{
    struct sql_call *call = sql_build_call_args(p, args);
    call->charset = charset;
    return sql_build_call(p, sql_build_name(p, name), call, span);
}

void sql_build_over(struct sql_parser *p, struct sql_expr *expr, struct sql_window *window,
                    struct sql_span span)
{
    if (!window) {
        return;
    }
    if (expr->kind != SQL_EXPR_CALL) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, expr->offset + expr->length);
    }
    expr->v.call->over = window;
    expr->length = span.end - span.begin;
    uint8_t depth = sql_depth_above(p, sql_depth_of_windows(window), span);
    expr->depth = (uint8_t)sql_depth_max(expr->depth, depth);
}

struct sql_expr *sql_build_cast(struct sql_parser *p, struct sql_expr *arg, struct sql_type *type,
                                bool is_convert, struct sql_span span)
{
    struct sql_cast *cast = sql_parser_alloc(p, sizeof *cast);
    *cast = (struct sql_cast){arg, *type, is_convert};
    struct sql_expr *expr = sql_build_leaf(p, SQL_EXPR_CAST, span);
    expr->v.cast = cast;
    expr->depth = sql_depth_above(p, arg->depth, span);
    return expr;
}

struct sql_expr *sql_build_collate(struct sql_parser *p, enum sql_expr_kind kind,
                                   struct sql_expr *arg, const char *name, struct sql_span span)
{
    struct sql_collate *collate = sql_parser_alloc(p, sizeof *collate);
    *collate = (struct sql_collate){arg, name};
    struct sql_expr *expr = sql_build_leaf(p, kind, span);
    expr->v.collate = collate;
    expr->depth = sql_depth_above(p, arg->depth, span);
    return expr;
}

struct sql_expr *sql_build_subquery(struct sql_parser *p, enum sql_expr_kind kind,
                                    struct sql_query *query, struct sql_span span)
{
    struct sql_expr *expr = sql_build_leaf(p, kind, span);
    expr->v.query = query;
    expr->depth = sql_depth_above(p, query->depth, span);
    return expr;
}

struct sql_expr *sql_build_compare(struct sql_parser *p, enum sql_expr_kind kind, int op, int flags,
                                   struct sql_expr *left, struct sql_query *query,
                                   struct sql_span span)
{
    struct sql_compare *compare = sql_parser_alloc(p, sizeof *compare);
    *compare = (struct sql_compare){left, query};
    struct sql_expr *expr = sql_build_leaf(p, kind, span);
    expr->op = (uint8_t)op;
    expr->flags = (uint8_t)flags;
    expr->v.compare = compare;
    expr->depth = sql_depth_above(p, sql_depth_max(left->depth, query->depth), span);
    return expr;
}

struct sql_expr *sql_build_unit(struct sql_parser *p, enum sql_expr_kind kind, struct sql_expr *arg,
                                struct sql_text unit, struct sql_span unit_span,
                                struct sql_span span)
{
    enum sql_unit found = sql_unit_find(unit.at, unit.length);
    if (!found) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, unit_span.begin);
    }
    return sql_build_operands(p, kind, found, 0, span, 1, arg);
}
