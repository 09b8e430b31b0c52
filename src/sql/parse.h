#pragma once
/*
 * SQL text to syntax tree, MySQL's dialect.
 *
 * Reentrant and without state of its own: any core, synchronous. Time is linear in the text; memory
 * comes from the caller's arena, plus the parser's stack (at most about 1 MiB, freed on return).
 */
#include <stddef.h>
#include <stdint.h>

#include "sql/ast.h"

struct arena;

/* MySQL error numbers produced by the parser. */
enum sql_parse_code {
    SQL_PARSE_EMPTY =
        1065, /* never returned by sql_parse; what to tell a client that sent nothing */
    SQL_PARSE_SYNTAX = 1064,     /* sqlstate 42000 */
    SQL_PARSE_NO_MEMORY = 1041,  /* HY000: the arena's limit was reached */
    SQL_PARSE_TOO_DEEP = 1436,   /* HY000: nesting above SQL_DEPTH_MAX or SQL_PAREN_MAX */
    SQL_PARSE_BAD_NUMBER = 1367, /* 22007: a float literal out of range */
};

/* What a client is told. Caller's memory. */
struct parse_error {
    int code;         /* enum sql_parse_code */
    char sqlstate[6]; /* NUL-terminated */
    uint32_t offset;  /* where in the text */
    uint32_t line;    /* from 1 */
    char text[512];   /* NUL-terminated UTF-8; MySQL's wording */
};

/* Flags of struct parse_options; bits. */
enum sql_parse_flag {
    SQL_PARSE_ANSI_QUOTES = 1,          /* "x" is an identifier */
    SQL_PARSE_NO_BACKSLASH_ESCAPES = 2, /* \ is an ordinary character in strings */
    SQL_PARSE_PIPES_AS_CONCAT = 4,      /* || concatenates: a call of concat() */
    SQL_PARSE_QUANTA = 8,               /* empty slots in VALUES ('a',,'b') are skipped */
};

/*
 * Parses the first statement of text (length bytes, need not be NUL-terminated, may hold anything)
 * into a tree in the arena. A text of blanks and comments gives SQL_STMT_EMPTY.
 *
 * *end_out is the number of bytes consumed, the ';' included: the next statement of a multi-
 * statement begins there; equal to length when the text is used up but for blanks and comments.
 * May be NULL.
 *
 * flags: enum sql_parse_flag. The text must outlive the tree (see ast.h); it must be shorter than
 * 2 GiB. Returns 0 with *stmt_out; -EINVAL for a statement it refuses, -ENOMEM when the arena's
 * limit was reached, -E2BIG for too deep nesting, each with *error filled (error may not be NULL).
 * On an error *stmt_out is NULL, *end_out 0, and what was allocated stays in the arena.
 */
int sql_parse(struct arena *arena, const char *text, size_t length, unsigned flags,
              struct sql_stmt **stmt_out, size_t *end_out, struct parse_error *error);

/*
 * Parses text as one expression and nothing else: default values and predicates kept as text in
 * schemas. Otherwise as sql_parse. Any core.
 */
int sql_parse_expr(struct arena *arena, const char *text, size_t length, unsigned flags,
                   struct sql_expr **expr_out, struct parse_error *error);
