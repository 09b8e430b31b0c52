#pragma once
/*
 * Functions written as calls. A row of a table per function; `resolve` decides the result's type.
 * Tables: function_math.c, function_string.c, function_encode.c, function_time.c,
 * function_control.c, function_hash.c, function_info.c, function_period.c; function.c looks names up. To add one: a
 * line in the table of its file.
 */
#include "sql/expr.h"

enum function_flag {
    FUNCTION_VOLATILE = 1, /* another value at every call: RAND(), UUID() */
    FUNCTION_NULL_IN = 2, /* sees NULL arguments; otherwise a NULL argument makes the result NULL */
};

/* What a resolver gets. */
struct function_bind {
    struct arena *arena;
    struct mysql_error *error;
    struct gateway_session *session;
};

/* Sets e->type and e->state; false with error set when the arguments do not fit. */
typedef bool function_resolve_fn(struct expr *e, struct function_bind *b);

struct function {
    const char *name;           /* lower case */
    uint8_t min_args, max_args; /* 255 = any number */
    uint8_t flags;
    function_resolve_fn *resolve;
    expr_eval_fn *eval;
};

/* By name, any case; NULL when there is none. */
const struct function *function_find(const char *name, size_t len);

/* A call node of a function with arguments that are bound already. NULL with b->error set. */
struct expr *function_new(struct function_bind *b, const struct function *f, struct expr **args,
                          uint32_t n);

/* CAST(x AS type). */
struct expr *function_new_cast(struct function_bind *b, struct expr *arg,
                               const struct sql_type *type);
/* CASE. args as in the syntax tree: [operand] (when then)... [else]. */
struct expr *function_new_case(struct function_bind *b, struct expr **args, uint32_t n,
                               bool has_operand, bool has_else);
/* date + INTERVAL n unit. */
struct expr *function_new_interval(struct function_bind *b, struct expr *date, struct expr *amount,
                                   enum sql_unit unit, bool subtract);
struct expr *function_new_extract(struct function_bind *b, struct expr *date, enum sql_unit unit);
/* TIMESTAMPDIFF(unit, a, b), TIMESTAMPADD by function_new_interval. */
struct expr *function_new_timestampdiff(struct function_bind *b, enum sql_unit unit,
                                        struct expr *from, struct expr *to);
struct expr *function_new_trim(struct function_bind *b, enum sql_trim side, struct expr *text,
                               struct expr *remove);
/* A JSON value beside others in a comparison: strings without their quotes. NULL with b->error set. */
struct expr *function_new_json_scalar(struct function_bind *b, struct expr *value);
struct expr *function_new_regexp(struct function_bind *b, struct expr *text, struct expr *pattern);

/* Tables of the files, ended by a row without a name. */
extern const struct function function_json[], function_json_change[], function_math[],
    function_string[], function_encode[], function_time[], function_control[], function_hash[],
    function_info[], function_period[], function_regexp_text[], function_words[],
    function_address[], function_cipher[], function_first[], function_first_url[],
    function_first_time[], function_first_list[], function_first_logic[], function_first_filter[],
    function_first_format[], function_first_web[], function_useragent[];

/* ---- helpers for evaluators ---- */

/* Evaluates argument i; false when it is NULL or failed, with *out NULL then. */
bool function_arg(const struct expr *e, struct expr_ctx *x, unsigned i, struct datum *arg,
                  struct datum *out);
/* Text of a value; numbers are printed into scratch memory. NULL only after an error. */
const char *function_text(struct expr_ctx *x, const struct datum *d, const struct value_type *t,
                          size_t *len);
/* Argument i as text: false when NULL or failed. */
bool function_arg_text(const struct expr *e, struct expr_ctx *x, unsigned i, const char **s,
                       size_t *len, struct datum *out);
bool function_arg_int(const struct expr *e, struct expr_ctx *x, unsigned i, int64_t *v,
                      struct datum *out);
bool function_arg_double(const struct expr *e, struct expr_ctx *x, unsigned i, double *v,
                         struct datum *out);
/* Longest string a function makes, bytes. */
enum { FUNCTION_MAX_STRING = 16 << 20 };

/* Resolvers for plain result types. */
bool function_is_int(struct expr *e, struct function_bind *b);
bool function_is_double(struct expr *e, struct function_bind *b);
bool function_is_text(struct expr *e,
                      struct function_bind *b); /* as long as the arguments together */
bool function_is_bool(struct expr *e, struct function_bind *b);
