/* Functions of the first Quanta over several URLs and over the parameters of one. */
#include <stdlib.h>
#include <string.h>

#include "sql/function_first.h"
#include "sql/regexp.h"
#include "sql/url.h"

enum { PARAMETERS_MAX = 256 };

/* ---- hosts and domains ---- */

struct gathered {
    struct json *list;
    bool domains;
};

/* What is too short to be an address is passed over: 8 bytes for a host, 4 for a domain. */
static bool gather(struct expr_ctx *x, const char *s, size_t len, void *ctx)
{
    struct gathered *g = ctx;
    struct url u;

    if (len < (g->domains ? 4 : 8))
        return true;
    url_read(s, len, &u);
    size_t n = u.host_len;
    const char *at = g->domains ? url_domain(&u, &n) : u.host;
    if (!n || (g->domains && u.host_len <= 2))
        return true;
    struct json *v = (at = function_lower(x, at, n)) ? json_new_text(x->scratch, at, n) : NULL;
    if (v)
        json_append(g->list, v);
    return v != NULL;
}

static void put_gathered(const struct expr *e, struct expr_ctx *x, bool domains, struct datum *out)
{
    struct gathered g = {json_new(x->scratch, JSON_ARRAY), domains};

    datum_set_null(out);
    if (!g.list)
        return;
    function_each_text(e, x, gather, &g);
    if (g.list->first)
        function_put_json(x, g.list, out);
}

static void eval_hosts(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    put_gathered(e, x, false, out);
}

static void eval_domains(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    put_gathered(e, x, true, out);
}

/* ---- parameters ---- */

/* name=value as written. */
struct parameter {
    const char *s;
    size_t len, name_len;
    unsigned place;
};

static int compare_parameters(const void *p, const void *q)
{
    const struct parameter *a = p, *b = q;
    size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
    int c = memcmp(a->s, b->s, n);

    return c                            ? c
           : a->name_len != b->name_len ? (a->name_len < b->name_len ? -1 : 1)
                                        : (a->place < b->place ? -1 : 1);
}

/* Sorted by name; of one name in the order they stand in. Those beyond PARAMETERS_MAX are left out. */
static unsigned read_parameters(const struct url *u, struct parameter *list)
{
    const char *p = u->query, *end = p + u->query_len;
    unsigned n = 0;

    while (p < end && n < PARAMETERS_MAX) {
        const char *next = memchr(p, '&', (size_t)(end - p)), *stop = next ? next : end;
        const char *is = memchr(p, '=', (size_t)(stop - p));
        if (stop > p) {
            list[n] = (struct parameter){p, (size_t)(stop - p), (size_t)((is ? is : stop) - p), n};
            n++;
        }
        p = stop + 1;
    }
    qsort(list, n, sizeof *list, compare_parameters);
    return n;
}

/* A text that is put together; its room is that of what it is made of. */
struct made {
    char *s;
    size_t len;
};

static void put(struct made *m, const char *s, size_t len)
{
    memcpy(m->s + m->len, s, len);
    m->len += len;
}

static void put_parameter(struct made *m, const struct parameter *p, bool *any)
{
    put(m, *any ? "&" : "?", 1);
    put(m, p->s, p->len);
    *any = true;
}

static void eval_urlminusqs(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct parameter list[PARAMETERS_MAX];
    const char *s, *name;
    size_t len, name_len;
    struct url u;
    bool any = false;

    if (!function_arg_first(e, x, 0, &s, &len, out) ||
        !function_arg_text(e, x, 1, &name, &name_len, out))
        return;
    datum_set_null(out);
    struct made m = {expr_alloc(x, len + 2), 0};
    if (!len || !m.s)
        return;
    url_read(s, len, &u);
    put(&m, s, (size_t)(u.path + u.path_len - s));
    unsigned n = read_parameters(&u, list);
    for (unsigned i = 0; i < n; i++)
        if (list[i].name_len != name_len || memcmp(list[i].s, name, name_len) != 0)
            put_parameter(&m, &list[i], &any);
    put(&m, u.fragment, u.fragment_len);
    datum_set_string(out, m.s, m.len);
}

/* ---- url.matchqs ---- */

/* Patterns are written as they are, so they are compiled once. */
static bool resolve_matchqs(struct expr *e, struct function_bind *b)
{
    struct regexp **list = arena_alloc(b->arena, e->n_args * sizeof *list);

    e->type = value_type_string(value_type_text_length(&e->args[0]->type));
    e->state = list;
    for (uint32_t i = 1; list && i < e->n_args; i++) {
        const struct expr *p = e->args[i];
        if (!expr_is_const(p) || p->u.value.kind != DATUM_STRING)
            return false;
        if (!(list[i] = regexp_compile(b->arena, p->u.value.s, p->u.value.len, 0, b->error)))
            return false;
    }
    if (!list)
        mysql_error_set_text(b->error, 1041, "Out of memory");
    return list != NULL;
}

/* 1 when a pattern is in the name, 0, or -1 with an error. */
static int is_wanted(const struct expr *e, struct expr_ctx *x, const struct parameter *p)
{
    struct regexp **list = e->state;
    int rc = 0;

    for (uint32_t i = 1; i < e->n_args && rc == 0; i++)
        rc = regexp_match(list[i], x, p->s, p->name_len, 0);
    return rc;
}

static void eval_matchqs(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct parameter list[PARAMETERS_MAX];
    const char *s;
    size_t len;
    struct url u;
    bool any = false;

    if (!function_arg_first(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    url_read(s, len, &u);
    struct made m = {expr_alloc(x, len + 2), 0};
    if (!u.host_len || !m.s)
        return;
    put(&m, u.host, u.host_len);
    put(&m, u.path, u.path_len);
    unsigned n = read_parameters(&u, list);
    for (unsigned i = 0; i < n; i++) {
        int wanted = is_wanted(e, x, &list[i]);
        if (wanted < 0)
            return;
        if (wanted)
            put_parameter(&m, &list[i], &any);
    }
    datum_set_string(out, m.s, m.len);
}

const struct function function_first_web[] = {
    {"hosts", 1, 255, FUNCTION_NULL_IN, function_is_json, eval_hosts},
    {"domains", 1, 255, FUNCTION_NULL_IN, function_is_json, eval_domains},
    {"urlminusqs", 2, 2, 0, function_is_any_text, eval_urlminusqs},
    {"url.matchqs", 1, 17, 0, resolve_matchqs, eval_matchqs},
    {0},
};
