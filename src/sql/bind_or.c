/*
 * What OR hides. (a AND x) OR (a AND y) is a AND (x OR y): a join condition within OR is one. And where each branch says
 * something of one table, any of that must hold, which the table's scan can look at: it is added as a condition.
 */
#include <string.h>

#include "sql/bind.h"

enum { MAX_BRANCHES = 64, MAX_PARTS = 64 };

/* The branches of an OR, each a list of what its AND joins. On the stack of bind_or. */
struct branches {
    struct expr **parts[MAX_BRANCHES];
    uint32_t n_parts[MAX_BRANCHES];
    uint32_t n;
};

static void list_parts(struct expr *e, struct expr **out, uint32_t *n)
{
    if (e->kind != EXPR_AND) {
        if (out && *n < MAX_PARTS)
            out[*n] = e;
        ++*n;
        return;
    }
    for (uint32_t i = 0; i < e->n_args; i++)
        list_parts(e->args[i], out, n);
}

static void list_branches(struct expr *e, struct expr **out, uint32_t *n)
{
    if (e->kind != EXPR_OR) {
        if (*n < MAX_BRANCHES)
            out[*n] = e;
        ++*n;
        return;
    }
    for (uint32_t i = 0; i < e->n_args; i++)
        list_branches(e->args[i], out, n);
}

/* False when there are too many of them, or without memory. */
static bool take_apart(struct bind *b, struct expr *e, struct branches *o)
{
    struct expr *list[MAX_BRANCHES];

    list_branches(e, list, &o->n);
    if (o->n > MAX_BRANCHES || o->n < 2)
        return false;
    for (uint32_t i = 0; i < o->n; i++) {
        list_parts(list[i], NULL, &o->n_parts[i]);
        if (o->n_parts[i] > MAX_PARTS ||
            !(o->parts[i] = bind_alloc(b, o->n_parts[i] * sizeof(struct expr *))))
            return false;
        o->n_parts[i] = 0;
        list_parts(list[i], o->parts[i], &o->n_parts[i]);
    }
    return true;
}

static struct expr *join(struct bind *b, enum expr_kind kind, struct expr **args, uint32_t n)
{
    if (n == 1)
        return args[0];
    struct expr *e = expr_new(b->arena, kind, n);
    if (!e)
        return bind_alloc(b, SIZE_MAX / 2);
    memcpy(e->args, args, n * sizeof *args);
    expr_prepare(e, b->arena);
    return e;
}

static int find_part(const struct branches *o, uint32_t branch, const struct expr *e)
{
    for (uint32_t i = 0; i < o->n_parts[branch]; i++)
        if (expr_is_equal(o->parts[branch][i], e))
            return (int)i;
    return -1;
}

/* Takes parts that all branches have out of them, into out[]. */
static uint32_t take_common(struct branches *o, struct expr **out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < o->n_parts[0];) {
        struct expr *e = o->parts[0][i];
        bool everywhere = true;
        for (uint32_t k = 1; k < o->n && everywhere; k++)
            everywhere = find_part(o, k, e) >= 0;
        if (!everywhere) {
            i++;
            continue;
        }
        out[n++] = e;
        for (uint32_t k = 0; k < o->n; k++) {
            int at = find_part(o, k, e);
            o->parts[k][at] = o->parts[k][--o->n_parts[k]];
        }
    }
    return n;
}

static bool visit_source(struct expr *e, void *ctx)
{
    if (e->kind == EXPR_COLUMN)
        *(uint64_t *)ctx |= UINT64_C(1) << e->u.column.source;
    return true;
}

static uint64_t sources_of(struct expr *e)
{
    uint64_t mask = 0;

    expr_walk(e, visit_source, &mask);
    return mask;
}

/* What the branches say of one source, or NULL when one of them says nothing. */
static struct expr *said_of(struct bind *b, const struct branches *o, uint64_t source)
{
    struct expr *any[MAX_BRANCHES], *all[MAX_PARTS];

    for (uint32_t i = 0; i < o->n; i++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < o->n_parts[i]; k++)
            if (sources_of(o->parts[i][k]) == source && !o->parts[i][k]->volatile_ &&
                !expr_has_subquery(o->parts[i][k]))
                all[n++] = o->parts[i][k];
        if (!n || !(any[i] = join(b, EXPR_AND, all, n)))
            return NULL;
    }
    return join(b, EXPR_OR, any, o->n);
}

struct expr *bind_or(struct bind *b, struct expr *e)
{
    struct branches o = {0};
    struct expr *out[2 * MAX_PARTS + 2], *rest[MAX_BRANCHES];
    uint64_t sources = sources_of(e);

    if (!take_apart(b, e, &o))
        return e;
    uint32_t n = take_common(&o, out);
    for (uint32_t i = 0; i < o.n; i++)
        if (!o.n_parts[i]) /* nothing but what all branches say */
            return join(b, EXPR_AND, out, n);
    if (sources & (sources - 1))
        for (uint64_t left = sources; left && n < MAX_PARTS; left &= left - 1) {
            struct expr *said = said_of(b, &o, left & -left);
            if (said)
                out[n++] = said;
        }
    if (!n)
        return e;
    for (uint32_t i = 0; i < o.n; i++)
        if (!(rest[i] = join(b, EXPR_AND, o.parts[i], o.n_parts[i])))
            return NULL;
    if (!(out[n] = join(b, EXPR_OR, rest, o.n)))
        return NULL;
    return join(b, EXPR_AND, out, n + 1);
}
