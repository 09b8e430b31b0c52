#include "sql/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reactor/arena.h"
#include "sql/build_expr.h"
#include "sql/grammar.h"
#include "sql/parse_internal.h"

/* The scanner counts in int and may double its buffer. */
enum { PARSE_LENGTH_MAX = 1 << 30 };

/* MySQL shows this many characters from the place of the error on. */
enum { PARSE_NEAR_MAX = 80 };

/* ---------------------------------------------------------------- errors ---- */

static uint32_t line_of(const char *text, uint32_t offset)
{
    uint32_t line = 1;
    for (uint32_t i = 0; i < offset; i++) {
        line += text[i] == '\n';
    }
    return line;
}

/* Bytes of the UTF-8 character at s, of which n are there; 0 when it is not valid. */
static uint32_t utf8_length(const unsigned char *s, uint32_t n)
{
    uint32_t size = s[0] < 0x80   ? 1
                    : s[0] < 0xc2 ? 0
                    : s[0] < 0xe0 ? 2
                    : s[0] < 0xf0 ? 3
                    : s[0] < 0xf5 ? 4
                                  : 0;
    if (size == 0 || size > n) {
        return 0;
    }
    for (uint32_t i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

/* Up to PARSE_NEAR_MAX characters of the text as valid UTF-8 without NUL. */
static void near_text(const struct sql_parser *p, uint32_t offset,
                      char near[4 * PARSE_NEAR_MAX + 1])
{
    uint32_t n = 0;
    for (uint32_t chars = 0; chars < PARSE_NEAR_MAX && offset < p->length; chars++) {
        const char *s = p->text + offset;
        uint32_t size = utf8_length((const unsigned char *)s, p->length - offset);
        if (size == 0 || *s == 0) {
            near[n++] = '?';
            offset++;
        } else {
            memcpy(near + n, s, size);
            n += size;
            offset += size;
        }
    }
    near[n] = 0;
}

static void error_format(const struct sql_parser *p, struct parse_error *error)
{
    char near[4 * PARSE_NEAR_MAX + 1];
    switch (error->code) {
    case SQL_PARSE_NO_MEMORY:
        snprintf(error->text, sizeof error->text,
                 "Out of memory while parsing; the statement is too large");
        break;
    case SQL_PARSE_TOO_DEEP:
        snprintf(error->text, sizeof error->text,
                 "Statement is nested too deeply: at most %d levels of expressions and %d of "
                 "parentheses",
                 SQL_DEPTH_MAX, SQL_PAREN_MAX);
        break;
    case SQL_PARSE_BAD_NUMBER:
        near_text(p, error->offset, near);
        snprintf(error->text, sizeof error->text, "Illegal double '%s' value found during parsing",
                 near);
        break;
    default:
        near_text(p, error->offset, near);
        snprintf(error->text, sizeof error->text,
                 "You have an error in your SQL syntax; check the manual that corresponds to your "
                 "MySQL server version for the right syntax to use near '%s' at line %u",
                 near, error->line);
        break;
    }
}

_Noreturn void sql_parser_fail(struct sql_parser *p, enum sql_parse_code code, uint32_t offset)
{
    struct parse_error *error = p->error;
    memset(error, 0, sizeof *error);
    error->code = code;
    error->offset = offset < p->length ? offset : p->length;
    error->line = line_of(p->text, error->offset);
    const char *state = code == SQL_PARSE_SYNTAX       ? "42000"
                        : code == SQL_PARSE_BAD_NUMBER ? "22007"
                                                       : "HY000";
    memcpy(error->sqlstate, state, sizeof error->sqlstate);
    error_format(p, error);
    longjmp(p->bail, 1);
}

static int error_errno(const struct parse_error *error)
{
    switch (error->code) {
    case SQL_PARSE_NO_MEMORY:
        return -ENOMEM;
    case SQL_PARSE_TOO_DEEP:
        return -E2BIG;
    default:
        return -EINVAL;
    }
}

/* ---------------------------------------------------------------- memory ---- */

void *sql_parser_alloc(struct sql_parser *p, size_t size)
{
    void *memory = arena_alloc(p->arena, size ? size : 1);
    if (!memory) {
        sql_parser_fail(p, SQL_PARSE_NO_MEMORY, p->position);
    }
    return memory;
}

const char *sql_parser_copy(struct sql_parser *p, const char *text, size_t length)
{
    char *copy = arena_strndup(p->arena, text, length);
    if (!copy) {
        sql_parser_fail(p, SQL_PARSE_NO_MEMORY, p->position);
    }
    return copy;
}

/* ---------------------------------------------------------------- tokens ---- */

static void token_scan(struct sql_parser *p, struct sql_token *token)
{
    token->kind = sql_lex_lex(&token->value, &token->span, p->scanner);
    if (token->kind == SQL_T_YYEOF) {
        token->span = (struct sql_span){p->length, p->length};
    }
    p->scanned_kind = token->kind;
    p->scanned_end = token->span.end;
}

static void token_take(struct sql_parser *p, struct sql_token *token)
{
    if (p->ahead_count == 0) {
        token_scan(p, token);
        return;
    }
    *token = p->ahead;
    p->ahead_count = 0;
}

/* The token after the one taken last. */
static const struct sql_token *token_peek(struct sql_parser *p)
{
    if (p->ahead_count == 0) {
        token_scan(p, &p->ahead);
        p->ahead_count = 1;
    }
    return &p->ahead;
}

static bool next_is(struct sql_parser *p, int kind)
{
    return token_peek(p)->kind == kind;
}

static bool text_is(struct sql_text text, const char *word)
{
    return text.length == strlen(word) && !strncasecmp(text.at, word, text.length);
}

/* 'a' 'b' is 'ab'. */
static void join_strings(struct sql_parser *p, struct sql_token *token)
{
    uint64_t capacity = 0;
    while (next_is(p, SQL_T_STRING)) {
        struct sql_token more;
        token_take(p, &more);
        struct sql_text *text = &token->value.text;
        uint64_t length = (uint64_t)text->length + more.value.text.length;
        if (length > capacity) {
            capacity = length * 2;
            char *grown = sql_parser_alloc(p, capacity);
            memcpy(grown, text->at, text->length);
            text->at = grown;
        }
        memcpy((char *)text->at + text->length, more.value.text.at, more.value.text.length);
        text->length = (uint32_t)length;
        token->span.end = more.span.end;
    }
}

/* _utf8mb4'text': a word that names a character set before a literal. */
static bool is_introducer(struct sql_parser *p, const struct sql_token *token)
{
    static const char *const charsets[] = {"_utf8mb4", "_utf8",  "_utf8mb3", "_latin1",
                                           "_binary",  "_ascii", "_ucs2",    "_utf16",
                                           "_utf32",   "_gbk",   "_cp1252",  "_latin2"};
    if (token->value.text.length < 4 || token->value.text.at[0] != '_') {
        return false;
    }
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
        if (text_is(token->value.text, charsets[i])) {
            return next_is(p, SQL_T_STRING) || next_is(p, SQL_T_BYTES);
        }
    }
    return false;
}

static void take_introduced(struct sql_parser *p, struct sql_token *token)
{
    bool is_binary = text_is(token->value.text, "_binary");
    uint32_t begin = token->span.begin;
    token_take(p, token);
    token->span.begin = begin;
    if (token->kind == SQL_T_STRING) {
        join_strings(p, token);
    }
    token->kind = is_binary ? SQL_T_BYTES : SQL_T_STRING;
}

static bool is_comparison(int kind)
{
    return kind == '=' || kind == '<' || kind == '>' || kind == SQL_T_LE || kind == SQL_T_GE ||
           kind == SQL_T_NE || kind == SQL_T_NULL_EQ;
}

static bool next_is_count(struct sql_parser *p)
{
    return next_is(p, SQL_T_INTEGER) || next_is(p, SQL_T_PARAM);
}

static bool next_is_literal_text(struct sql_parser *p)
{
    return next_is(p, SQL_T_STRING) || next_is(p, SQL_T_PARAM) || next_is(p, SQL_T_USER_VAR) ||
           next_is(p, SQL_T_BYTES) || next_is(p, '(');
}

/* SELECT SQL_NO_CACHE a: behind SELECT or another such word, and not itself the column. */
static bool is_hint(struct sql_parser *p)
{
    switch (p->last_kind) {
    case SQL_T_SELECT:
    case SQL_T_SELECT_HINT:
    case SQL_T_ALL:
    case SQL_T_DISTINCT:
    case SQL_T_HIGH_PRIORITY:
    case SQL_T_STRAIGHT_JOIN:
    case SQL_T_SQL_BIG_RESULT:
    case SQL_T_SQL_SMALL_RESULT:
    case SQL_T_SQL_CALC_FOUND_ROWS:
        return !next_is(p, ',') && !next_is(p, '.') && !next_is(p, ')') && !next_is(p, ';') &&
               !next_is(p, SQL_T_YYEOF) && !next_is(p, SQL_T_FROM) && !next_is(p, SQL_T_AS);
    default:
        return false;
    }
}

/* Whether the parentheses that open behind the byte at hold a list. Text in quotes is passed over. */
static bool is_list_ahead(const struct sql_parser *p, uint32_t at)
{
    unsigned depth = 0;

    for (; at < p->length; at++) {
        char c = p->text[at];
        if (c == '\'' || c == '"' || c == '`') {
            for (at++; at < p->length && p->text[at] != c; at++)
                at += p->text[at] == '\\' && c != '`';
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && --depth == 0) {
            return false;
        } else if (c == ',' && depth == 1) {
            return true;
        }
    }
    return false;
}

/* Whether what stands in the parentheses that open at the byte may be a query; a comment in front may hide one. */
static bool is_query_ahead(const struct sql_parser *p, uint32_t at)
{
    static const char *const words[] = {"select", "with", "values", "table"};

    for (; at < p->length && strchr("( \t\r\n", p->text[at]) && p->text[at]; at++)
        continue;
    if (at < p->length && strchr("/-#", p->text[at]))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i]);
        if (p->length - at > n && strncasecmp(p->text + at, words[i], n) == 0 &&
            !isalnum((unsigned char)p->text[at + n]) && p->text[at + n] != '_')
            return true;
    }
    return false;
}

/* Whether only an operand may stand behind the token before. */
static bool begins_operand(const struct sql_parser *p)
{
    switch (p->last_kind) {
    case SQL_T_SELECT:
    case SQL_T_DISTINCT:
    case SQL_T_WHERE:
    case SQL_T_HAVING:
    case SQL_T_ON:
    case SQL_T_BY:
    case SQL_T_AND:
    case SQL_T_OR:
    case SQL_T_NOT:
    case SQL_T_WHEN:
    case SQL_T_THEN:
    case SQL_T_ELSE:
    case SQL_T_CASE:
    case SQL_T_SET:
    case '(':
    case ',':
    case '+':
    case '-':
    case '*':
    case '/':
        return true;
    default:
        return is_comparison(p->last_kind);
    }
}

/* Words of SQL that are functions, too: add(a, b), all(a, b), any(a, b), exists(a), join(a, b). */
static bool is_function_word(struct sql_parser *p, int kind)
{
    if (!next_is(p, '(') || !begins_operand(p))
        return false;
    uint32_t at = token_peek(p)->span.begin;
    switch (kind) {
    case SQL_T_ADD:
        return !p->is_alter;
    case SQL_T_JOIN:
        return true;
    case SQL_T_EXISTS:
        return !is_query_ahead(p, at);
    case SQL_T_ANY:
        return !is_query_ahead(p, at);
    case SQL_T_ALL:
        /* SELECT ALL (a) and COUNT(ALL (a)) are MySQL's. */
        return (p->last_kind != SQL_T_SELECT && p->last_kind != '(') ? !is_query_ahead(p, at)
                                                                     : is_list_ahead(p, at);
    default:
        return false;
    }
}

/* Whether a word that is also a name has its own meaning here. */
static bool has_meaning(struct sql_parser *p, int kind)
{
    switch (kind) {
    case SQL_T_DATE:
    case SQL_T_TIME:
    case SQL_T_TIMESTAMP:
        return next_is(p, SQL_T_STRING);
    case SQL_T_CAST:
    case SQL_T_EXTRACT:
    case SQL_T_TRIM:
    case SQL_T_SUBSTRING:
    case SQL_T_POSITION:
        return next_is(p, '(');
    case SQL_T_ANY:
    case SQL_T_SOME:
        return is_comparison(p->last_kind) && next_is(p, '(');
    case SQL_T_FILTER:
        return p->last_kind == ')' && next_is(p, '(');
    case SQL_T_WITHIN:
        return p->last_kind == ')' && next_is(p, SQL_T_GROUP);
    case SQL_T_UNKNOWN:
        return p->last_kind == SQL_T_IS || p->last_kind == SQL_T_NOT;
    case SQL_T_ESCAPE:
        return next_is_literal_text(p);
    case SQL_T_OFFSET:
        return next_is_count(p);
    case SQL_T_UNBOUNDED:
        return next_is(p, SQL_T_PRECEDING) || next_is(p, SQL_T_FOLLOWING);
    case SQL_T_CURRENT:
        return next_is(p, SQL_T_IDENT) && text_is(token_peek(p)->value.text, "row");
    case SQL_T_SELECT_HINT:
        return is_hint(p);
    case SQL_T_DUMPFILE:
        return p->last_kind == SQL_T_INTO;
    case SQL_T_ROWS:
    case SQL_T_RANGE:
        return p->last_kind != SQL_T_AS;
    default:
        return true;
    }
}

/* Bounds parentheses; what was opened stays counted until it is closed. */
static void count_parens(struct sql_parser *p, const struct sql_token *token)
{
    if (token->kind == '(' && ++p->paren_depth > SQL_PAREN_MAX) {
        sql_parser_fail(p, SQL_PARSE_TOO_DEEP, token->span.begin);
    }
    if (token->kind == ')' && p->paren_depth > 0) {
        p->paren_depth--;
    }
}

/* Ends the statement at ';' or at the end of the text. */
static void end_statement(struct sql_parser *p, struct sql_token *token)
{
    p->end = token->span.end;
    if (token->kind == ';' && next_is(p, SQL_T_YYEOF)) {
        p->end = p->length;
    }
    p->stop = token->span.begin;
    token->kind = SQL_T_YYEOF;
}

static void token_refine(struct sql_parser *p, struct sql_token *token)
{
    struct sql_token second;
    switch (token->kind) {
    case SQL_T_IDENT:
        if (is_introducer(p, token)) {
            take_introduced(p, token);
        }
        break;
    case SQL_T_STRING:
    case SQL_T_NATIONAL_STRING:
        join_strings(p, token);
        break;
    case '(':
    case ')':
        count_parens(p, token);
        break;
    case ';':
    case SQL_T_YYEOF:
        end_statement(p, token);
        break;
    case SQL_T_PARAM:
        token->value.number = p->param_count++;
        break;
    case SQL_T_WITH:
        if (next_is(p, SQL_T_ROLLUP)) {
            token_take(p, &second);
            token->span.end = second.span.end;
            token->kind = SQL_T_WITH_ROLLUP;
        }
        break;
    case SQL_T_SOUNDS:
        if (next_is(p, SQL_T_LIKE)) {
            token_take(p, &second);
            token->span.end = second.span.end;
            token->kind = SQL_T_SOUNDS_LIKE;
        } else {
            token->kind = SQL_T_IDENT;
        }
        break;
    case SQL_T_INTERVAL:
        if (next_is(p, '(') && is_list_ahead(p, token_peek(p)->span.begin)) {
            token->kind = SQL_T_INTERVAL_CALL;
        }
        break;
    case SQL_T_FULL:
        /* MySQL would take FULL for the left table's alias; there is no such join here either. */
        if (next_is(p, SQL_T_OUTER) || next_is(p, SQL_T_JOIN)) {
            token->kind = SQL_T_INVALID;
        }
        break;
    default:
        if (is_function_word(p, token->kind) || !has_meaning(p, token->kind)) {
            token->kind = SQL_T_IDENT;
        }
        break;
    }
}

/* Follows an INSERT to the rows behind its VALUES and out again. */
static void follow_insert(struct sql_parser *p, const struct sql_token *token)
{
    if (!p->has_begun) {
        p->is_insert = token->kind == SQL_T_INSERT || token->kind == SQL_T_REPLACE;
        p->is_alter = token->kind == SQL_T_ALTER;
    }
    if (!p->is_insert || p->paren_depth > 0) {
        return;
    }
    bool after_target =
        p->last_kind == SQL_T_IDENT || p->last_kind == SQL_T_QUOTED_IDENT || p->last_kind == ')';
    if (after_target && (token->kind == SQL_T_VALUES || token->kind == SQL_T_VALUE)) {
        p->in_rows = true;
        p->is_insert = false;
    }
}

static struct sql_expr *row_value(struct sql_parser *p, const struct sql_token *token)
{
    switch (token->kind) {
    case SQL_T_INTEGER:
        return sql_build_integer(p, token->value.number, token->span);
    case SQL_T_DECIMAL:
        return sql_build_text(p, SQL_EXPR_DECIMAL, token->value.text, token->span);
    case SQL_T_STRING:
        return sql_build_text(p, SQL_EXPR_STRING, token->value.text, token->span);
    case SQL_T_NULL:
        return sql_build_leaf(p, SQL_EXPR_NULL, token->span);
    default:
        return NULL;
    }
}

/* A literal that is a whole value of a row goes to the grammar as one token: a bulk INSERT is
 * spared the ten reductions that make a literal an expression. */
static void shorten_row_value(struct sql_parser *p, struct sql_token *token)
{
    bool is_of_rows = token->kind == ',' || token->kind == '(' || token->kind == ')' ||
                      (token->kind == SQL_T_IDENT && next_is(p, '('));
    if (p->paren_depth == 0 && !is_of_rows && token->kind != SQL_T_VALUES &&
        token->kind != SQL_T_VALUE) {
        p->in_rows = false;
        return;
    }
    if (p->paren_depth != 1 || (p->last_kind != '(' && p->last_kind != ',')) {
        return;
    }
    if (!next_is(p, ',') && !next_is(p, ')')) {
        return;
    }
    struct sql_expr *value = row_value(p, token);
    if (value) {
        token->kind = SQL_T_ROW_VALUE;
        token->value.expr = value;
    }
}

int sql_parser_lex(union sql_value *value, struct sql_span *span, struct sql_parser *p)
{
    if (p->start_token) {
        int kind = p->start_token;
        p->start_token = 0;
        *span = (struct sql_span){0, 0};
        return kind;
    }
    struct sql_token token;
    token_take(p, &token);
    token_refine(p, &token);
    follow_insert(p, &token);
    if (p->in_rows) {
        shorten_row_value(p, &token);
    }
    if (!p->has_begun) {
        p->has_begun = true;
        p->begin = token.span.begin;
    }
    p->last_kind = token.kind;
    *value = token.value;
    *span = token.span;
    return token.kind;
}

/* ---------------------------------------------------------------- entry ---- */

/* Of a scanner that was left in the middle. */
static void free_scanner_memory(struct sql_parser *p)
{
    for (struct list *at; (at = list_pop_front(&p->scanner_memory));)
        free(at);
}

/* Runs the grammar; p is zeroed but for its input. 0 or -errno with *p->error filled. */
static int parser_run(struct sql_parser *p)
{
    memset(p->error, 0, sizeof *p->error);
    if (setjmp(p->bail)) {
        free_scanner_memory(p);
        return error_errno(p->error);
    }
    if (sql_lex_lex_init_extra(p, &p->scanner)) {
        p->scanner = NULL;
        sql_parser_fail(p, SQL_PARSE_NO_MEMORY, 0);
    }
    /* Refusals leave through sql_parser_fail, so the grammar's own result is always 0. */
    (void)sql_yyparse(p);
    sql_lex_lex_destroy(p->scanner);
    return 0;
}

/* Sets *p up; 0 or -errno with *error filled when the text is too long. */
static int parser_init(struct sql_parser *p, struct arena *arena, const char *text, size_t length,
                       unsigned flags, int start_token, struct parse_error *error)
{
    memset(p, 0, sizeof *p);
    p->arena = arena;
    p->text = text;
    p->length = (uint32_t)length;
    p->flags = flags;
    p->start_token = start_token;
    p->error = error;
    list_init(&p->scanner_memory);
    if (length <= PARSE_LENGTH_MAX) {
        return 0;
    }
    *error = (struct parse_error){.code = SQL_PARSE_NO_MEMORY, .sqlstate = "HY000", .line = 1};
    error_format(p, error);
    return -ENOMEM;
}

int sql_parse(struct arena *arena, const char *text, size_t length, unsigned flags,
              struct sql_stmt **stmt_out, size_t *end_out, struct parse_error *error)
{
    struct sql_parser p;
    *stmt_out = NULL;
    if (end_out) {
        *end_out = 0;
    }
    int rc = parser_init(&p, arena, text, length, flags, SQL_T_START_STMT, error);
    if (rc == 0) {
        rc = parser_run(&p);
    }
    if (rc < 0) {
        return rc;
    }
    p.stmt->offset = p.begin;
    p.stmt->length = p.stop - p.begin;
    p.stmt->param_count = p.param_count;
    p.stmt->has_subqueries = p.has_subqueries;
    p.stmt->assigns_variables = p.assigns_variables;
    *stmt_out = p.stmt;
    if (end_out) {
        *end_out = p.end;
    }
    return 0;
}

int sql_parse_expr(struct arena *arena, const char *text, size_t length, unsigned flags,
                   struct sql_expr **expr_out, struct parse_error *error)
{
    struct sql_parser p;
    *expr_out = NULL;
    int rc = parser_init(&p, arena, text, length, flags, SQL_T_START_EXPR, error);
    if (rc == 0) {
        rc = parser_run(&p);
    }
    if (rc < 0) {
        return rc;
    }
    *expr_out = p.expr;
    return 0;
}
