/* REGEXP: Perl-compatible expressions (PCRE2), case-sensitive as the collation is. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "sql/function.h"

enum { REGEXP_MATCH_LIMIT = 1000000 }; /* steps of backtracking before the statement fails */

static const struct function function_regexp = {.name = "regexp"};

static pcre2_code *compile(struct expr_ctx *x, struct datum *out, const char *pattern, size_t len)
{
    int code;
    PCRE2_SIZE at;
    PCRE2_UCHAR text[120];
    pcre2_code *re =
        pcre2_compile((PCRE2_SPTR)pattern, len, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY, &code, &at, NULL);

    if (re)
        return re;
    pcre2_get_error_message(code, text, sizeof text);
    expr_fail(x, out, MYSQL_ER_REGEXP_ERROR, (const char *)text);
    return NULL;
}

static void match(struct expr_ctx *x, struct datum *out, const pcre2_code *re, const char *s,
                  size_t len)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(re, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    int rc = PCRE2_ERROR_NOMEMORY;

    if (data && context) {
        pcre2_set_match_limit(context, REGEXP_MATCH_LIMIT);
        rc = pcre2_match(re, (PCRE2_SPTR)s, len, 0, 0, data, context);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
        datum_set_int(out, rc >= 0);
    else if (rc == PCRE2_ERROR_MATCHLIMIT)
        expr_fail(x, out, MYSQL_ER_REGEXP_ERROR, "the expression takes too many steps");
    else
        datum_set_int(out, 0); /* the text is no UTF-8 */
}

static void eval_regexp(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s, *pattern;
    size_t len, pattern_len;

    if (!function_arg_text(e, x, 0, &s, &len, out) ||
        !function_arg_text(e, x, 1, &pattern, &pattern_len, out))
        return;
    pcre2_code *re = compile(x, out, pattern, pattern_len);
    if (!re)
        return;
    match(x, out, re, s, len);
    pcre2_code_free(re);
}

struct expr *function_new_regexp(struct function_bind *b, struct expr *text, struct expr *pattern)
{
    struct expr *e = expr_new(b->arena, EXPR_CALL, 2);

    if (!e) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return NULL;
    }
    e->args[0] = text;
    e->args[1] = pattern;
    e->u.function = &function_regexp;
    e->eval = eval_regexp;
    e->type = value_type_int(1);
    e->volatile_ = text->volatile_ || pattern->volatile_;
    return e;
}
