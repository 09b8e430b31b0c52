#pragma once
/*
 * What the lexer, the grammar and the node builders share while one statement is parsed.
 * Included by the generated grammar; not for other users.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/list.h"
#include "sql/parse.h"

/* Bytes of the text, [begin, end). */
struct sql_span {
    uint32_t begin;
    uint32_t end;
};

/* A piece of text; owned by the statement's text or by the arena. */
struct sql_text {
    const char *at;
    uint32_t length;
};

/* A list while it grows: the nodes of every list type start with their `next` pointer, except
 * expressions, which have functions of their own. */
struct sql_list {
    void *head;
    void *tail;
    uint32_t count;
    bool flag; /* GROUP BY: WITH ROLLUP */
};

/* Clauses behind the body of a query. */
struct sql_query_tail {
    struct sql_order *order_by;
    struct sql_limit limit;
    struct sql_into *into;
    int lock;
};

/* What stands in parentheses behind a type. */
struct sql_type_size {
    int32_t size;
    int32_t scale;
    struct sql_text_list *members;
};

/* FIRST and AFTER of ALTER TABLE. */
struct sql_place {
    const char *after;
    bool is_first;
};

/* What a token or a rule is worth; kept at 24 bytes, for it is copied with every step. */
union sql_value {
    struct sql_text text;
    struct sql_list list;
    uint64_t number;
    int code;
    bool flag;
    const char *name;
    struct sql_expr *expr;
    struct sql_column_ref *column;
    struct sql_call *call;
    struct sql_window *window;
    struct sql_bound bound;
    struct sql_limit limit;
    struct sql_table *table;
    struct sql_select *select;
    struct sql_query *query;
    struct sql_into *into;
    struct sql_type *type;
    struct sql_table_name *table_name;
    struct sql_column_def *column_def;
    struct sql_key *key;
    struct sql_reference *reference;
    struct sql_alter_action *alter;
    struct sql_insert *insert;
    struct sql_show *show;
    struct sql_set_item *set;
    struct sql_transaction *transaction;
    struct sql_explain *explain;
    struct sql_create_table *create_table;
    struct sql_option *option;
    struct sql_order *order;
    struct sql_assign *assign;
    struct sql_select_item *item;
    struct sql_row *row;
    struct sql_stmt *stmt;
    struct sql_query_tail *tail;
    struct sql_type_size size;
    struct sql_place place;
    struct sql_cte *cte;
    struct sql_name_list *name_entry;
    struct sql_rename *rename;
};

/* A token read ahead. */
struct sql_token {
    int kind;
    union sql_value value;
    struct sql_span span;
};

/* One parse. Owner: the core that parses; lives on the stack of sql_parse(). */
struct sql_parser {
    struct arena *arena;
    const char *text;
    uint32_t length;
    uint32_t fed;      /* bytes given to the scanner's buffer */
    uint32_t position; /* bytes turned into tokens */
    unsigned flags;    /* enum sql_parse_flag */
    uint32_t param_count;
    uint32_t paren_depth;
    bool in_version_comment; /* inside the text of a version comment */
    bool has_begun;          /* the first token was given to the grammar */
    bool has_subqueries;
    bool assigns_variables;   /* @a := x was met */
    bool is_insert;           /* the first token was INSERT or REPLACE */
    bool in_rows;             /* behind its VALUES */
    bool is_alter;            /* the first token was ALTER */
    uint32_t rows_for_insert; /* VALUES ROW(DEFAULT) and ROW() that no INSERT took yet */
    int start_token;          /* given to the grammar first, then 0 */
    int last_kind;            /* token given last */
    int scanned_kind;         /* token scanned last; a name after '.' is never a keyword */
    uint32_t scanned_end;
    struct sql_token ahead;             /* scanned but not given yet */
    int ahead_count;                    /* 0 or 1 */
    struct sql_column_def *last_column; /* of CREATE TABLE, to append to */
    struct sql_key *last_key;
    struct sql_option *last_option;
    uint32_t begin; /* of the first token */
    uint32_t stop;  /* of the ';' or the end of the text */
    uint32_t end;   /* after the ';' */
    void *scanner;
    struct list scanner_memory;
    struct sql_stmt *stmt;
    struct sql_expr *expr;
    struct parse_error *error;
    jmp_buf bail; /* where sql_parser_fail goes */
};

/* Fills *p->error for a refusal at byte `offset` and leaves the parse. */
_Noreturn void sql_parser_fail(struct sql_parser *p, enum sql_parse_code code, uint32_t offset);

/* Zeroed memory of the arena; leaves the parse when there is none. */
void *sql_parser_alloc(struct sql_parser *p, size_t size);

/* Copy with a NUL after it. */
const char *sql_parser_copy(struct sql_parser *p, const char *text, size_t length);

/* The next token for the grammar: joins what one token of lookahead cannot tell apart. */
int sql_parser_lex(union sql_value *value, struct sql_span *span, struct sql_parser *p);

/* The generated scanner's functions that sql_parse() needs; 0, or non-zero when out of memory. */
int sql_lex_lex_init_extra(struct sql_parser *p, void **scanner_out);
int sql_lex_lex(union sql_value *value, struct sql_span *span, void *scanner);
int sql_lex_lex_destroy(void *scanner);
