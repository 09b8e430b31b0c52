#pragma once
/* Patterns of PCRE2 for REGEXP and the REGEXP_ functions. Memory: the arena given; nothing is freed singly. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sql/function.h"

struct regexp {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* `options` of PCRE2 beside UTF. NULL with *error set. */
struct regexp *regexp_compile(struct arena *a, const char *pattern, size_t len, uint32_t options,
                              struct mysql_error *error);
/* 1 with the bounds of what matches from byte `from` on in r->match, 0, or -1 with the error recorded. */
int regexp_match(struct regexp *r, struct expr_ctx *x, const char *s, size_t len, size_t from);
