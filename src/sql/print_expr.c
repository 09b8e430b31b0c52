#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/keyword.h"
#include "sql/print_internal.h"

/* How tightly a node holds together, after the levels of the grammar; a node that stands where a
 * higher level is needed gets parentheses. */
enum level {
    LEVEL_ANY,
    LEVEL_OR,
    LEVEL_XOR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_BOOL,      /* comparison, IS NULL */
    LEVEL_PREDICATE, /* IN, LIKE, BETWEEN, REGEXP */
    LEVEL_BIT_OR,
    LEVEL_BIT_AND,
    LEVEL_SHIFT,
    LEVEL_ADD,
    LEVEL_MUL,
    LEVEL_BIT_XOR,
    LEVEL_UNARY,
    LEVEL_COLLATE,
    LEVEL_PRIMARY,
};

static enum level op_level(enum sql_op op)
{
    switch (op) {
    case SQL_OP_ASSIGN:
        return LEVEL_ANY;
    case SQL_OP_XOR:
        return LEVEL_XOR;
    case SQL_OP_REGEXP:
    case SQL_OP_SOUNDS_LIKE:
        return LEVEL_PREDICATE;
    case SQL_OP_BIT_OR:
        return LEVEL_BIT_OR;
    case SQL_OP_BIT_AND:
        return LEVEL_BIT_AND;
    case SQL_OP_SHL:
    case SQL_OP_SHR:
        return LEVEL_SHIFT;
    case SQL_OP_ADD:
    case SQL_OP_SUB:
        return LEVEL_ADD;
    case SQL_OP_MUL:
    case SQL_OP_DIV:
    case SQL_OP_INT_DIV:
    case SQL_OP_MOD:
        return LEVEL_MUL;
    case SQL_OP_BIT_XOR:
        return LEVEL_BIT_XOR;
    case SQL_OP_JSON_GET:
    case SQL_OP_JSON_GET_TEXT:
        return LEVEL_PRIMARY;
    default:
        return LEVEL_BOOL;
    }
}

static bool is_negative(const struct sql_expr *expr)
{
    switch (expr->kind) {
    case SQL_EXPR_INT:
        return expr->v.integer < 0;
    case SQL_EXPR_DECIMAL:
        return expr->v.text[0] == '-';
    case SQL_EXPR_FLOAT:
        return __builtin_signbit(expr->v.real);
    default:
        return false;
    }
}

static bool is_number(const struct sql_expr *expr)
{
    return expr->kind == SQL_EXPR_INT || expr->kind == SQL_EXPR_UINT ||
           expr->kind == SQL_EXPR_DECIMAL || expr->kind == SQL_EXPR_FLOAT;
}

static enum level expr_level(const struct sql_expr *expr)
{
    switch (expr->kind) {
    case SQL_EXPR_OR:
        return LEVEL_OR;
    case SQL_EXPR_AND:
        return LEVEL_AND;
    case SQL_EXPR_UNARY:
        return expr->op == SQL_OP_NOT ? LEVEL_NOT : LEVEL_UNARY;
    case SQL_EXPR_BINARY:
        return op_level(expr->op);
    case SQL_EXPR_IS:
        return expr->op == SQL_IS_NULL ? LEVEL_BOOL : LEVEL_NOT;
    case SQL_EXPR_QUANTIFIED:
        return LEVEL_BOOL;
    case SQL_EXPR_LIKE:
    case SQL_EXPR_BETWEEN:
    case SQL_EXPR_IN:
    case SQL_EXPR_IN_QUERY:
        return LEVEL_PREDICATE;
    case SQL_EXPR_COLLATE:
        return LEVEL_COLLATE;
    default:
        return is_negative(expr) ? LEVEL_UNARY : LEVEL_PRIMARY;
    }
}

static void put_at(struct sql_printer *out, const struct sql_expr *expr, enum level needed)
{
    bool has_parens = expr_level(expr) < needed;
    sql_put(out, has_parens ? "(" : "");
    sql_put_expr(out, expr);
    sql_put(out, has_parens ? ")" : "");
}

void sql_put_exprs(struct sql_printer *out, struct sql_expr *const *args, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        sql_put_comma(out, i == 0);
        sql_put_expr(out, args[i]);
    }
}

static void put_hex(struct sql_printer *out, const char *bytes, uint32_t count)
{
    sql_put(out, "x'");
    for (uint32_t i = 0; i < count; i++) {
        sql_put_format(out, "%02X", (unsigned char)bytes[i]);
    }
    sql_put(out, "'");
}

static void put_float(struct sql_printer *out, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    sql_put(out, text);
    /* Without an exponent it would be a decimal. */
    sql_put(out, strchr(text, 'e') ? "" : "e0");
}

static void put_literal(struct sql_printer *out, const struct sql_expr *expr)
{
    switch (expr->kind) {
    case SQL_EXPR_NULL:
        sql_put(out, "NULL");
        return;
    case SQL_EXPR_BOOL:
        sql_put(out, expr->v.integer ? "TRUE" : "FALSE");
        return;
    case SQL_EXPR_INT:
        sql_put_format(out, "%lld", (long long)expr->v.integer);
        return;
    case SQL_EXPR_UINT:
        sql_put_format(out, "%llu", (unsigned long long)expr->v.uinteger);
        return;
    case SQL_EXPR_DECIMAL:
        sql_put_bytes(out, expr->v.text, expr->count);
        return;
    case SQL_EXPR_FLOAT:
        put_float(out, expr->v.real);
        return;
    case SQL_EXPR_BYTES:
        put_hex(out, expr->v.text, expr->count);
        return;
    case SQL_EXPR_DATE:
        sql_put(out, "DATE ");
        break;
    case SQL_EXPR_TIME:
        sql_put(out, "TIME ");
        break;
    case SQL_EXPR_TIMESTAMP:
        sql_put(out, "TIMESTAMP ");
        break;
    default:
        sql_put(out, expr->flags & SQL_FLAG_NATIONAL ? "N" : "");
        break;
    }
    sql_put_string(out, expr->v.text, expr->count);
}

static void put_column(struct sql_printer *out, const struct sql_column_ref *column)
{
    if (column->db) {
        sql_put_name(out, column->db);
        sql_put(out, ".");
    }
    if (column->table) {
        sql_put_name(out, column->table);
        sql_put(out, ".");
    }
    if (!column->name) {
        sql_put(out, "*");
    } else {
        sql_put_name(out, column->name);
    }
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '.';
}

/* A variable's name behind its '@' or '@@'. */
static void put_variable(struct sql_printer *out, const char *name, bool may_start_with_digit)
{
    bool is_plain = may_start_with_digit || !(name[0] >= '0' && name[0] <= '9');
    for (const char *c = name; *c && is_plain; c++) {
        is_plain = is_word_byte(*c);
        /* Each part of a system variable's name starts like a name. */
        if (!may_start_with_digit && *c == '.') {
            is_plain = c != name && c[1] && c[1] != '.' && !(c[1] >= '0' && c[1] <= '9');
        }
    }
    if (is_plain) {
        sql_put(out, name);
        return;
    }
    sql_put(out, "`");
    for (const char *c = name; *c; c++) {
        sql_put_bytes(out, c, 1);
        sql_put(out, *c == '`' ? "`" : "");
    }
    sql_put(out, "`");
}

static void put_sys_var(struct sql_printer *out, const struct sql_expr *expr)
{
    static const char *const scopes[] = {"", "SESSION.", "GLOBAL.", "PERSIST."};
    sql_put(out, "@@");
    sql_put(out, scopes[expr->op]);
    put_variable(out, expr->v.name, false);
}

static void put_unary(struct sql_printer *out, const struct sql_expr *expr)
{
    const struct sql_expr *arg = expr->v.args[0];
    sql_put(out, sql_op_name(expr->op));
    if (expr->op == SQL_OP_NOT) {
        sql_put(out, " ");
        put_at(out, arg, LEVEL_NOT);
        return;
    }
    sql_put(out, expr->op == SQL_OP_BINARY ? " " : "");
    /* "--" may begin a comment, and a sign before a number becomes part of it. */
    bool is_negation = arg->kind == SQL_EXPR_UNARY && arg->op == SQL_OP_NEG;
    bool needs_parens = expr->op == SQL_OP_NEG && (is_number(arg) || is_negation);
    put_at(out, arg, needs_parens ? LEVEL_PRIMARY + 1 : LEVEL_UNARY);
}

/* Levels that the operands of a binary operator need. */
static void put_binary(struct sql_printer *out, const struct sql_expr *expr)
{
    enum level own = op_level(expr->op);
    enum level left = own;
    enum level right = own + 1;
    if (own == LEVEL_PREDICATE) {
        left = right = LEVEL_BIT_OR;
    } else if (own == LEVEL_ANY || own == LEVEL_PRIMARY) {
        right = own;
    }
    bool is_tight = own == LEVEL_PRIMARY;
    put_at(out, expr->v.args[0], left);
    sql_put(out, is_tight ? "" : " ");
    sql_put(out, sql_op_name(expr->op));
    sql_put(out, is_tight ? "" : " ");
    put_at(out, expr->v.args[1], right);
}

static void put_logic(struct sql_printer *out, const struct sql_expr *expr)
{
    enum level own = expr_level(expr);
    for (uint32_t i = 0; i < expr->count; i++) {
        if (i > 0) {
            sql_put(out, expr->kind == SQL_EXPR_AND ? " AND " : " OR ");
        }
        put_at(out, expr->v.args[i], own + 1);
    }
}

static void put_is(struct sql_printer *out, const struct sql_expr *expr)
{
    static const char *const what[] = {
        [SQL_IS_NULL] = "NULL",
        [SQL_IS_TRUE] = "TRUE",
        [SQL_IS_FALSE] = "FALSE",
        [SQL_IS_UNKNOWN] = "UNKNOWN",
    };
    put_at(out, expr->v.args[0], LEVEL_BOOL);
    sql_put(out, expr->flags & SQL_FLAG_NOT ? " IS NOT " : " IS ");
    sql_put(out, what[expr->op]);
}

static void put_not(struct sql_printer *out, const struct sql_expr *expr)
{
    sql_put(out, expr->flags & SQL_FLAG_NOT ? " NOT" : "");
}

static void put_like(struct sql_printer *out, const struct sql_expr *expr)
{
    put_at(out, expr->v.args[0], LEVEL_BIT_OR);
    put_not(out, expr);
    sql_put(out, " LIKE ");
    put_at(out, expr->v.args[1], LEVEL_UNARY);
    if (expr->count > 2) {
        sql_put(out, " ESCAPE ");
        put_at(out, expr->v.args[2], LEVEL_UNARY);
    }
}

static void put_between(struct sql_printer *out, const struct sql_expr *expr)
{
    put_at(out, expr->v.args[0], LEVEL_BIT_OR);
    put_not(out, expr);
    sql_put(out, " BETWEEN ");
    put_at(out, expr->v.args[1], LEVEL_BIT_OR);
    sql_put(out, " AND ");
    put_at(out, expr->v.args[2], LEVEL_PREDICATE);
}

static void put_in(struct sql_printer *out, const struct sql_expr *expr)
{
    put_at(out, expr->v.args[0], LEVEL_BIT_OR);
    put_not(out, expr);
    sql_put(out, " IN (");
    sql_put_exprs(out, expr->v.args + 1, expr->count - 1);
    sql_put(out, ")");
}

static void put_compare(struct sql_printer *out, const struct sql_expr *expr)
{
    const struct sql_compare *compare = expr->v.compare;
    if (expr->kind == SQL_EXPR_IN_QUERY) {
        put_at(out, compare->left, LEVEL_BIT_OR);
        put_not(out, expr);
        sql_put(out, " IN (");
    } else {
        put_at(out, compare->left, LEVEL_BOOL);
        sql_put(out, " ");
        sql_put(out, sql_op_name(expr->op));
        sql_put(out, expr->flags & SQL_FLAG_ALL ? " ALL (" : " ANY (");
    }
    sql_put_query(out, compare->query);
    sql_put(out, ")");
}

static void put_case(struct sql_printer *out, const struct sql_expr *expr)
{
    uint32_t i = 0;
    uint32_t end = expr->count - (expr->flags & SQL_FLAG_CASE_ELSE ? 1 : 0);
    sql_put(out, "CASE");
    if (expr->flags & SQL_FLAG_CASE_OPERAND) {
        sql_put(out, " ");
        sql_put_expr(out, expr->v.args[i++]);
    }
    for (; i + 1 < end; i += 2) {
        sql_put_clause(out, " WHEN ", expr->v.args[i]);
        sql_put_clause(out, " THEN ", expr->v.args[i + 1]);
    }
    if (expr->flags & SQL_FLAG_CASE_ELSE) {
        sql_put_clause(out, " ELSE ", expr->v.args[end]);
    }
    sql_put(out, " END");
}

static void put_trim(struct sql_printer *out, const struct sql_expr *expr)
{
    static const char *const modes[] = {
        [SQL_TRIM_BOTH] = "BOTH",
        [SQL_TRIM_LEADING] = "LEADING",
        [SQL_TRIM_TRAILING] = "TRAILING",
    };
    sql_put(out, "TRIM(");
    sql_put(out, modes[expr->op]);
    if (expr->count > 1) {
        sql_put(out, " ");
        sql_put_expr(out, expr->v.args[1]);
    }
    sql_put(out, " FROM ");
    sql_put_expr(out, expr->v.args[0]);
    sql_put(out, ")");
}

/* Keywords that the grammar takes as a function's name. */
static bool is_function_word(const char *name)
{
    static const char *const words[] = {"if",        "left",   "right",    "replace", "insert",
                                        "repeat",    "mod",    "database", "schema",  "char",
                                        "substring", "substr", "mid"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!strcasecmp(words[i], name)) {
            return true;
        }
    }
    return false;
}

/* A function's name, part by part where it has dots. */
static void put_call_name(struct sql_printer *out, const struct sql_call *call)
{
    if (!call->has_parens || is_function_word(call->name) ||
        !strncasecmp(call->name, "current_", 8) || !strncasecmp(call->name, "utc_", 4) ||
        !strncasecmp(call->name, "localtime", 9)) {
        sql_put(out, call->name);
        return;
    }
    const char *part = call->name;
    for (const char *dot = strchr(part, '.'); dot; dot = strchr(part, '.')) {
        char text[256];
        size_t n = (size_t)(dot - part);
        if (n == 0 || n >= sizeof text) {
            break;
        }
        memcpy(text, part, n);
        text[n] = 0;
        sql_put_name(out, text);
        sql_put(out, ".");
        part = dot + 1;
    }
    sql_put_name(out, part);
}

static void put_over(struct sql_printer *out, const struct sql_window *window)
{
    if (!window) {
        return;
    }
    sql_put(out, " OVER ");
    if (window->is_reference) {
        sql_put_name(out, window->base);
    } else {
        sql_put_window(out, window);
    }
}

static void put_call(struct sql_printer *out, const struct sql_call *call)
{
    put_call_name(out, call);
    if (!call->has_parens) {
        return;
    }
    sql_put(out, call->is_distinct ? "(DISTINCT " : "(");
    sql_put(out, call->has_star ? "*" : "");
    sql_put_exprs(out, call->args, call->arg_count);
    sql_put_order(out, " ORDER BY ", call->order_by);
    sql_put_clause(out, " SEPARATOR ", call->separator);
    if (call->charset) {
        sql_put(out, " USING ");
        sql_put_name(out, call->charset);
    }
    sql_put(out, ")");
    if (call->within_group) {
        sql_put_order(out, " WITHIN GROUP (ORDER BY ", call->within_group);
        sql_put(out, ")");
    }
    if (call->filter) {
        sql_put_clause(out, " FILTER (WHERE ", call->filter);
        sql_put(out, ")");
    }
    put_over(out, call->over);
}

static void put_cast(struct sql_printer *out, const struct sql_cast *cast)
{
    sql_put(out, cast->is_convert ? "CONVERT(" : "CAST(");
    sql_put_expr(out, cast->arg);
    sql_put(out, cast->is_convert ? ", " : " AS ");
    sql_put_type(out, &cast->type);
    sql_put(out, ")");
}

static void put_collate(struct sql_printer *out, const struct sql_expr *expr)
{
    const struct sql_collate *collate = expr->v.collate;
    if (expr->kind == SQL_EXPR_COLLATE) {
        put_at(out, collate->arg, LEVEL_COLLATE);
        sql_put(out, " COLLATE ");
        sql_put_name(out, collate->name);
        return;
    }
    sql_put(out, "CONVERT(");
    sql_put_expr(out, collate->arg);
    sql_put(out, " USING ");
    sql_put_name(out, collate->name);
    sql_put(out, ")");
}

/* words (args[from], ...) */
static void put_args(struct sql_printer *out, const char *words, const struct sql_expr *expr)
{
    sql_put(out, words);
    sql_put(out, "(");
    sql_put_exprs(out, expr->v.args, expr->count);
    sql_put(out, ")");
}

static void put_query_in(struct sql_printer *out, const char *words, const struct sql_query *query)
{
    sql_put(out, words);
    sql_put_query(out, query);
    sql_put(out, ")");
}

static void put_match(struct sql_printer *out, const struct sql_expr *expr)
{
    static const char *const modes[] = {
        [SQL_MATCH_DEFAULT] = "",
        [SQL_MATCH_NATURAL] = " IN NATURAL LANGUAGE MODE",
        [SQL_MATCH_BOOLEAN] = " IN BOOLEAN MODE",
        [SQL_MATCH_EXPANSION] = " WITH QUERY EXPANSION",
        [SQL_MATCH_NATURAL_EXPANSION] = " IN NATURAL LANGUAGE MODE WITH QUERY EXPANSION",
    };

    sql_put(out, "MATCH (");
    sql_put_exprs(out, expr->v.args, expr->count - 1);
    sql_put(out, ") AGAINST (");
    put_at(out, expr->v.args[expr->count - 1], LEVEL_BIT_OR);
    sql_put(out, modes[expr->op]);
    sql_put(out, ")");
}

static void put_star(struct sql_printer *out, const struct sql_expr *expr)
{
    if (expr->v.column) {
        put_column(out, expr->v.column);
    } else {
        sql_put(out, "*");
    }
}

static void put_default(struct sql_printer *out, const struct sql_expr *expr)
{
    if (expr->count) {
        put_args(out, "DEFAULT", expr);
    } else {
        sql_put(out, "DEFAULT");
    }
}

static void put_interval(struct sql_printer *out, const struct sql_expr *expr)
{
    sql_put_clause(out, "INTERVAL ", expr->v.args[0]);
    sql_put(out, " ");
    sql_put(out, sql_unit_name(expr->op));
}

static void put_extract(struct sql_printer *out, const struct sql_expr *expr)
{
    sql_put_format(out, "EXTRACT(%s FROM ", sql_unit_name(expr->op));
    sql_put_expr(out, expr->v.args[0]);
    sql_put(out, ")");
}

/* Kinds with operands in v.args. */
static void put_operator(struct sql_printer *out, const struct sql_expr *expr)
{
    switch (expr->kind) {
    case SQL_EXPR_UNARY:
        put_unary(out, expr);
        break;
    case SQL_EXPR_BINARY:
        put_binary(out, expr);
        break;
    case SQL_EXPR_AND:
    case SQL_EXPR_OR:
        put_logic(out, expr);
        break;
    case SQL_EXPR_IS:
        put_is(out, expr);
        break;
    case SQL_EXPR_LIKE:
        put_like(out, expr);
        break;
    case SQL_EXPR_BETWEEN:
        put_between(out, expr);
        break;
    case SQL_EXPR_IN:
        put_in(out, expr);
        break;
    case SQL_EXPR_CASE:
        put_case(out, expr);
        break;
    case SQL_EXPR_ROW:
        put_args(out, "", expr);
        break;
    case SQL_EXPR_INTERVAL:
        put_interval(out, expr);
        break;
    case SQL_EXPR_EXTRACT:
        put_extract(out, expr);
        break;
    case SQL_EXPR_TRIM:
        put_trim(out, expr);
        break;
    default:
        put_args(out, "VALUES", expr);
        break;
    }
}

void sql_put_expr(struct sql_printer *out, const struct sql_expr *expr)
{
    if (sql_expr_is_literal(expr)) {
        put_literal(out, expr);
        return;
    }
    if (expr->kind >= SQL_EXPR_UNARY && expr->kind <= SQL_EXPR_VALUES) {
        put_operator(out, expr);
        return;
    }
    switch (expr->kind) {
    case SQL_EXPR_PARAM:
        sql_put(out, "?");
        break;
    case SQL_EXPR_COLUMN:
        put_column(out, expr->v.column);
        break;
    case SQL_EXPR_STAR:
        put_star(out, expr);
        break;
    case SQL_EXPR_USER_VAR:
        sql_put(out, "@");
        put_variable(out, expr->v.name, true);
        break;
    case SQL_EXPR_SYS_VAR:
        put_sys_var(out, expr);
        break;
    case SQL_EXPR_DEFAULT:
        put_default(out, expr);
        break;
    case SQL_EXPR_UNIT:
        sql_put(out, sql_unit_name(expr->op));
        break;
    case SQL_EXPR_CALL:
        put_call(out, expr->v.call);
        break;
    case SQL_EXPR_CAST:
        put_cast(out, expr->v.cast);
        break;
    case SQL_EXPR_CONVERT:
    case SQL_EXPR_COLLATE:
        put_collate(out, expr);
        break;
    case SQL_EXPR_SUBQUERY:
        put_query_in(out, "(", expr->v.query);
        break;
    case SQL_EXPR_EXISTS:
        put_query_in(out, "EXISTS (", expr->v.query);
        break;
    case SQL_EXPR_IN_QUERY:
    case SQL_EXPR_QUANTIFIED:
        put_compare(out, expr);
        break;
    case SQL_EXPR_MATCH:
        put_match(out, expr);
        break;
    }
}
