/* Of the session and the server. */
#include <stdio.h>
#include <string.h>

#include "sql/function.h"
#include "sql/gateway_session.h"
#include "sql/mysql_protocol.h"
#include "sql/value_convert.h"

static bool resolve_word(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(64);
    return true;
}

static bool resolve_big(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_int(19);
    return true;
}

static void put_text(struct datum *out, const char *s)
{
    if (s)
        datum_set_string(out, s, strlen(s));
    else
        datum_set_null(out);
}

static void eval_version(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    (void)x;
    put_text(out, MYSQL_SERVER_VERSION);
}

static void eval_database(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    put_text(out, x->session->database);
}

static void eval_user(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *user = x->session->user ? x->session->user : "",
               *host = x->session->host ? x->session->host : "";
    const char *colon = strrchr(host, ':');
    size_t n = colon ? (size_t)(colon - host) : strlen(host), cap = strlen(user) + n + 2;
    char *p = expr_alloc(x, cap);

    (void)e;
    datum_set_null(out);
    if (p) {
        int len = snprintf(p, cap, "%s@%.*s", user, (int)n, host);
        datum_set_string(out, p, (size_t)len);
    }
}

static void eval_current_user(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *user = x->session->user ? x->session->user : "";
    size_t cap = strlen(user) + 3;
    char *p = expr_alloc(x, cap);

    (void)e;
    datum_set_null(out);
    if (p) {
        int len = snprintf(p, cap, "%s@%%", user);
        datum_set_string(out, p, (size_t)len);
    }
}

static void eval_connection_id(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    datum_set_int(out, x->session->id);
}

static void eval_last_insert_id(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t v;

    if (e->n_args) {
        if (!function_arg_int(e, x, 0, &v, out))
            return;
        x->session->last_insert_id = (uint64_t)v;
    }
    datum_set_int(out, (int64_t)x->session->last_insert_id);
}

static void eval_row_count(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    datum_set_int(out, x->session->row_count);
}

static void eval_found_rows(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    datum_set_int(out, (int64_t)x->session->rows_found);
}

static void eval_charset(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)x;
    put_text(out, e->args[0]->type.kind == DATUM_STRING && !e->args[0]->type.is_binary ? "utf8mb4"
                                                                                       : "binary");
}

static void eval_collation(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)x;
    put_text(out, e->args[0]->type.kind == DATUM_STRING && !e->args[0]->type.is_binary
                      ? "utf8mb4_bin"
                      : "binary");
}

/* How easily a text takes the collation of another one; columns are at 2, what has none at 5 and 6. */
static void eval_coercibility(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const struct expr *a = e->args[0];

    (void)x;
    datum_set_int(out, a->type.kind == DATUM_NULL     ? 6
                       : a->type.kind != DATUM_STRING ? 5
                       : a->kind == EXPR_CONST        ? 4
                                                      : 2);
}

static void eval_null(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    (void)x;
    datum_set_null(out);
}

/* SLEEP and locks are accepted so that tools work; nothing waits here. */
static void eval_zero(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    (void)x;
    datum_set_int(out, 0);
}

static void eval_one(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    (void)e;
    (void)x;
    datum_set_int(out, 1);
}

/* Nothing may block a core: the statement waits, before the rows made so far are sent. */
static void eval_sleep(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const double longest = 31536000;
    double seconds;

    if (!function_arg_double(e, x, 0, &seconds, out) || !(seconds >= 0)) {
        expr_fail(x, out, MYSQL_ER_WRONG_ARGUMENTS, "sleep");
        return;
    }
    double all = seconds + (x->sleep_ns ? (double)*x->sleep_ns / 1e9 : 0);
    if (x->sleep_ns)
        *x->sleep_ns = (uint64_t)((all < longest ? all : longest) * 1e9);
    datum_set_int(out, 0);
}

const struct function function_info[] = {
    {"version", 0, 0, 0, resolve_word, eval_version},
    {"database", 0, 0, 0, resolve_word, eval_database},
    {"schema", 0, 0, 0, resolve_word, eval_database},
    {"user", 0, 0, 0, resolve_word, eval_user},
    {"session_user", 0, 0, 0, resolve_word, eval_user},
    {"system_user", 0, 0, 0, resolve_word, eval_user},
    {"current_user", 0, 0, 0, resolve_word, eval_current_user},
    {"connection_id", 0, 0, 0, resolve_big, eval_connection_id},
    {"last_insert_id", 0, 1, 0, resolve_big, eval_last_insert_id},
    {"row_count", 0, 0, 0, resolve_big, eval_row_count},
    {"found_rows", 0, 0, 0, resolve_big, eval_found_rows},
    {"charset", 1, 1, FUNCTION_NULL_IN, resolve_word, eval_charset},
    {"collation", 1, 1, FUNCTION_NULL_IN, resolve_word, eval_collation},
    {"current_role", 0, 0, 0, resolve_word, eval_null},
    {"coercibility", 1, 1, FUNCTION_NULL_IN, function_is_int, eval_coercibility},
    {"is_used_lock", 1, 1, FUNCTION_NULL_IN, resolve_big, eval_null},
    {"release_all_locks", 0, 0, 0, function_is_int, eval_zero},
    {"sleep", 1, 1, FUNCTION_VOLATILE | FUNCTION_NULL_IN, function_is_int, eval_sleep},
    {"benchmark", 2, 2, FUNCTION_NULL_IN, function_is_int, eval_zero},
    {"get_lock", 2, 2, FUNCTION_NULL_IN, function_is_int, eval_one},
    {"release_lock", 1, 1, FUNCTION_NULL_IN, function_is_int, eval_one},
    {"is_free_lock", 1, 1, FUNCTION_NULL_IN, function_is_int, eval_one},
    {0},
};
