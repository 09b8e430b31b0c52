/* REGEXP: Perl-compatible expressions (PCRE2), case-sensitive as the collation is. */
#include <string.h>

#include "sql/regexp.h"
#include "sql/value_convert.h"

/* Steps of backtracking and memory before the statement fails. */
enum { REGEXP_MATCH_LIMIT = 1000000, REGEXP_HEAP_KIB = 4096 };

static const struct function regexp_function = {.name = "regexp"};

static void *pcre_alloc(size_t n, void *arena)
{
    return arena_alloc(arena, n);
}

static void pcre_free(void *p, void *arena)
{
    (void)p;
    (void)arena;
}

struct regexp *regexp_compile(struct arena *a, const char *pattern, size_t len, uint32_t options,
                              struct mysql_error *error)
{
    struct regexp *r = arena_alloc(a, sizeof *r);
    pcre2_general_context *g = pcre2_general_context_create(pcre_alloc, pcre_free, a);
    pcre2_compile_context *c = g ? pcre2_compile_context_create(g) : NULL;
    char text[160];
    int code = 0;
    PCRE2_SIZE offset;

    if (!r || !c)
        goto no_memory;
    /* UCP: \w, \d, \b and [[:upper:]] know the letters of all scripts, as MySQL's. */
    r->code =
        pcre2_compile((PCRE2_SPTR)pattern, len,
                      options | PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &code, &offset, c);
    if (!r->code) {
        pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
        if (!error->code)
            mysql_error_set_text(error, 1139, "Got error '%s at offset %zu' from regexp", text,
                                 (size_t)offset);
        return NULL;
    }
    r->match = pcre2_match_data_create_from_pattern(r->code, g);
    r->limits = pcre2_match_context_create(g);
    if (!r->match || !r->limits)
        goto no_memory;
    pcre2_set_match_limit(r->limits, REGEXP_MATCH_LIMIT);
    pcre2_set_heap_limit(r->limits, REGEXP_HEAP_KIB);
    return r;
no_memory:
    if (!error->code)
        mysql_error_set_text(error, 1041, "Out of memory");
    return NULL;
}

int regexp_match(struct regexp *r, struct expr_ctx *x, const char *s, size_t len, size_t from)
{
    int rc = pcre2_match(r->code, (PCRE2_SPTR)s, len, from, 0, r->match, r->limits);

    if (rc < PCRE2_ERROR_PARTIAL) {
        if (!x->error->code)
            mysql_error_set_text(x->error, 3699, "Timeout exceeded in regular expression match");
        return -1;
    }
    return rc >= 0;
}

static void eval_regexp(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct regexp *r = e->state;
    const char *s, *p;
    size_t len, n;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_text(e, x, 1, &p, &n, out))
        return;
    if (!r && !(r = regexp_compile(x->scratch, p, n, 0, x->error))) {
        datum_set_null(out);
        return;
    }
    int rc = regexp_match(r, x, s, len, 0);
    datum_set_null(out);
    if (rc >= 0)
        datum_set_int(out, rc);
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
    e->u.function = &regexp_function;
    e->eval = eval_regexp;
    e->type = value_type_int(1);
    e->volatile_ = text->volatile_ || pattern->volatile_;
    /* A constant pattern is compiled once. */
    if (expr_is_const(pattern) && pattern->u.value.kind == DATUM_STRING &&
        !(e->state =
              regexp_compile(b->arena, pattern->u.value.s, pattern->u.value.len, 0, b->error)))
        return NULL;
    return e;
}
