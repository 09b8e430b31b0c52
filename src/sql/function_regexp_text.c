/* REGEXP_LIKE, REGEXP_INSTR, REGEXP_SUBSTR, REGEXP_REPLACE. Positions count characters. */
#include <string.h>

#include "sql/function_utf8.h"
#include "sql/regexp.h"

/* c, i, m, n, u of the mode: false with an error for others. */
static bool read_mode(const char *s, size_t len, uint32_t *options, struct mysql_error *error,
                      const char *name)
{
    *options = 0;
    for (size_t i = 0; i < len; i++)
        switch (s[i]) {
        case 'c':
            *options &= ~PCRE2_CASELESS;
            break;
        case 'i':
            *options |= PCRE2_CASELESS;
            break;
        case 'm':
            *options |= PCRE2_MULTILINE;
            break;
        case 'n':
            *options |= PCRE2_DOTALL;
            break;
        case 'u':
            break;
        default:
            if (!error->code)
                mysql_error_set(error, MYSQL_ER_WRONG_ARGUMENTS, name);
            return false;
        }
    return true;
}

/* Where the mode is among the arguments of a function. */
static unsigned mode_of(const struct expr *e)
{
    return e->u.function->max_args - 1u;
}

/* A constant pattern is compiled once. */
static bool prepare(struct expr *e, struct function_bind *b)
{
    const struct expr *p = e->args[1], *m = e->n_args > mode_of(e) ? e->args[mode_of(e)] : NULL;
    uint32_t options = 0;

    if (!expr_is_const(p) || p->u.value.kind != DATUM_STRING ||
        (m && (!expr_is_const(m) || m->u.value.kind != DATUM_STRING)))
        return true;
    if (m && !read_mode(m->u.value.s, m->u.value.len, &options, b->error, e->u.function->name))
        return false;
    e->state = regexp_compile(b->arena, p->u.value.s, p->u.value.len, options, b->error);
    return e->state != NULL;
}

static bool resolve_number(struct expr *e, struct function_bind *b)
{
    return function_is_int(e, b) && prepare(e, b);
}

static bool resolve_text(struct expr *e, struct function_bind *b)
{
    e->type = value_type_string(value_type_text_length(&e->args[0]->type));
    return prepare(e, b);
}

static bool resolve_replace(struct expr *e, struct function_bind *b)
{
    e->type = value_type_string(FUNCTION_MAX_STRING / 4);
    return prepare(e, b);
}

/* What a call works on. */
struct search {
    struct regexp *r;
    const char *s;
    size_t len, at; /* bytes; where the search begins */
    int64_t occurrence;
};

/* Reads text, pattern, and from argument `first` on position and occurrence. False: NULL or failed. */
static bool open_search(const struct expr *e, struct expr_ctx *x, unsigned first, struct search *f,
                        struct datum *out)
{
    int64_t position = 1;
    uint32_t options = 0;
    const char *p, *mode;
    size_t len, mode_len;

    f->occurrence = first == 3 ? 0 : 1; /* REGEXP_REPLACE: all */
    f->r = e->state;
    if (!function_arg_text(e, x, 0, &f->s, &f->len, out) ||
        !function_arg_text(e, x, 1, &p, &len, out))
        return false;
    if ((e->n_args > first && !function_arg_int(e, x, first, &position, out)) ||
        (e->n_args > first + 1 && !function_arg_int(e, x, first + 1, &f->occurrence, out)))
        return false;
    if (e->n_args > mode_of(e) &&
        (!function_arg_text(e, x, mode_of(e), &mode, &mode_len, out) ||
         !read_mode(mode, mode_len, &options, x->error, e->u.function->name)))
        return false;
    datum_set_null(out);
    if (position < 1 || (uint64_t)position > utf8_length(f->s, f->len) + 1) {
        if (!x->error->code)
            mysql_error_set_text(x->error, 3686,
                                 "Index out of bounds in regular expression search.");
        return false;
    }
    f->at = utf8_offset(f->s, f->len, (uint64_t)position - 1);
    if (!f->r)
        f->r = regexp_compile(x->scratch, p, len, options, x->error);
    return f->r != NULL;
}

/* The next match from f->at on: 1 with its bounds, 0, -1. Goes on behind it. */
static int next_match(struct search *f, struct expr_ctx *x, size_t *from, size_t *to)
{
    if (f->at > f->len)
        return 0;
    int rc = regexp_match(f->r, x, f->s, f->len, f->at);
    if (rc != 1)
        return rc;
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(f->r->match);
    *from = bounds[0];
    *to = bounds[1] < bounds[0] ? bounds[0] : bounds[1];
    f->at = *to;
    if (*to == *from) /* an empty one: behind the character there */
        for (f->at++; f->at < f->len && !utf8_is_first(f->s[f->at]); f->at++)
            continue;
    return 1;
}

/* The wanted occurrence. */
static int find(struct search *f, struct expr_ctx *x, size_t *from, size_t *to)
{
    int rc;

    do
        rc = next_match(f, x, from, to);
    while (rc == 1 && --f->occurrence > 0);
    return rc;
}

static void eval_like(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct search f;
    size_t from, to;

    if (!open_search(e, x, 255, &f, out))
        return;
    int rc = next_match(&f, x, &from, &to);
    if (rc >= 0)
        datum_set_int(out, rc);
}

static void eval_instr(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct search f;
    size_t from = 0, to = 0;
    int64_t end = 0;

    if (!open_search(e, x, 2, &f, out) || (e->n_args > 4 && !function_arg_int(e, x, 4, &end, out)))
        return;
    int rc = find(&f, x, &from, &to);
    if (rc >= 0)
        datum_set_int(out, rc ? (int64_t)utf8_length(f.s, end ? to : from) + 1 : 0);
}

static void eval_substr(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct search f;
    size_t from, to;

    if (open_search(e, x, 2, &f, out) && find(&f, x, &from, &to) == 1)
        datum_set_string(out, f.s + from, to - from);
}

/* A text that grows. */
struct grown {
    char *p;
    size_t n, cap;
};

static bool put(struct grown *g, struct expr_ctx *x, const char *s, size_t n)
{
    if (n > g->cap - g->n) {
        size_t cap = 2 * (g->n + n) + 64;
        if (cap > FUNCTION_MAX_STRING * 4) {
            expr_alloc(x, SIZE_MAX / 2);
            return false;
        }
        char *p = expr_alloc(x, cap);
        if (!p)
            return false;
        if (g->n)
            memcpy(p, g->p, g->n);
        g->p = p;
        g->cap = cap;
    }
    if (n)
        memcpy(g->p + g->n, s, n);
    g->n += n;
    return true;
}

/* The replacement: \1 and $1 are groups of the match. */
static bool put_replacement(struct grown *g, struct expr_ctx *x, const struct search *f,
                            const char *s, size_t len)
{
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(f->r->match);
    uint32_t groups = pcre2_get_ovector_count(f->r->match);

    for (size_t i = 0; i < len; i++) {
        bool special = (s[i] == '\\' || s[i] == '$') && i + 1 < len;
        if (special && s[i + 1] >= '0' && s[i + 1] <= '9') {
            unsigned n = (unsigned)(s[++i] - '0');
            if (n < groups && bounds[2 * n] != PCRE2_UNSET &&
                !put(g, x, f->s + bounds[2 * n], bounds[2 * n + 1] - bounds[2 * n]))
                return false;
            continue;
        }
        if (special && s[i] == '\\')
            i++;
        if (!put(g, x, &s[i], 1))
            return false;
    }
    return true;
}

static void eval_replace(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct search f;
    struct grown g = {0};
    const char *s;
    size_t len, from, to, done = 0;
    int64_t n = 0;
    int rc;

    if (!function_arg_text(e, x, 2, &s, &len, out) || !open_search(e, x, 3, &f, out))
        return;
    while ((rc = next_match(&f, x, &from, &to)) == 1) {
        if (f.occurrence > 0 && ++n != f.occurrence)
            continue;
        if (!put(&g, x, f.s + done, from - done) || !put_replacement(&g, x, &f, s, len))
            return;
        done = to;
        if (f.occurrence > 0)
            break;
    }
    if (rc >= 0 && put(&g, x, f.s + done, f.len - done))
        datum_set_string(out, g.p ? g.p : "", g.n);
}

const struct function function_regexp_text[] = {
    {"regexp_like", 2, 3, 0, resolve_number, eval_like},
    {"regexp_instr", 2, 6, 0, resolve_number, eval_instr},
    {"regexp_substr", 2, 5, 0, resolve_text, eval_substr},
    {"regexp_replace", 3, 6, 0, resolve_replace, eval_replace},
    {0},
};
