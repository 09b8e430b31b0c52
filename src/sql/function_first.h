#pragma once
/* What the files of functions of the first Quanta share. Its lists and maps are JSON texts, what failed there is NULL. */
#include "sql/function_json.h"

/* Argument i as a list or map: NULL, with *out NULL, when it is none. No warning, as texts are expected, too. */
struct json *function_arg_list(const struct expr *e, struct expr_ctx *x, unsigned i,
                               enum json_kind kind, struct datum *out);
/* A value out of one as SQL has it. */
void function_put_value(struct expr_ctx *x, const struct json *v, struct datum *out);
/* Argument i as text; of a list its first element. False, with *out NULL, without one. */
bool function_arg_first(const struct expr *e, struct expr_ctx *x, unsigned i, const char **s,
                        size_t *len, struct datum *out);
/* Calls fn with the text of every argument and of every element of those that are lists, until it answers false. */
void function_each_text(const struct expr *e, struct expr_ctx *x,
                        bool (*fn)(struct expr_ctx *x, const char *s, size_t len, void *ctx),
                        void *ctx);
/* A text as long as any. */
bool function_is_any_text(struct expr *e, struct function_bind *b);
/* A copy in lower case of the letters of ASCII; NULL with an error. */
const char *function_lower(struct expr_ctx *x, const char *s, size_t len);
