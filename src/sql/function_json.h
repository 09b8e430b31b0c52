#pragma once
/* What the files of JSON functions share. */
#include "sql/function.h"
#include "sql/json.h"

/* Argument i as a JSON value; NULL with *out NULL when it is NULL or, with a warning, no JSON. */
struct json *function_arg_json(const struct expr *e, struct expr_ctx *x, unsigned i,
                               struct datum *out);
/* Argument i as a path; false with *out NULL when it is NULL or, with an error, no path. */
bool function_arg_path(const struct expr *e, struct expr_ctx *x, unsigned i, struct json_path *p,
                       struct datum *out);
/* A value of SQL as one of JSON: what JSON functions made as it is, other texts as strings. NULL after an error. */
struct json *function_json_of(struct expr_ctx *x, const struct expr *arg, const struct datum *d);
/* Argument i as that. */
struct json *function_json_of_arg(const struct expr *e, struct expr_ctx *x, unsigned i);
/* False, with an error and *out NULL, when a call has used up its JSON_MAX_WORK. */
bool function_json_has_left(struct expr_ctx *x, uint64_t left, const struct expr *e,
                            struct datum *out);
void function_put_json(struct expr_ctx *x, const struct json *v, struct datum *out);
/* A JSON text as long as any. */
bool function_is_json(struct expr *e, struct function_bind *b);
