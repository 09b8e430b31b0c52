/* Hash set of values. */
#include <errno.h>
#include <string.h>

#include "sql/expr.h"

void datum_set_init(struct datum_set *s, enum compare_class class, struct arena *a)
{
    memset(s, 0, sizeof *s);
    s->class = class;
    s->arena = a;
}

/* The cell of d, or the free one where it belongs. */
static struct datum *set_find(const struct datum_set *s, const struct datum *d)
{
    uint32_t mask = s->cap - 1, i = (uint32_t)datum_hash(d, 0) & mask;

    while (s->cells[i].kind != DATUM_NULL && !datum_is_same(&s->cells[i], d))
        i = (i + 1) & mask;
    return &s->cells[i];
}

static int set_grow(struct datum_set *s)
{
    struct datum *old = s->cells;
    uint32_t n = s->cap, cap = n ? n * 2 : 16;
    struct datum *cells = arena_alloc(s->arena, cap * sizeof *cells);

    if (!cells)
        return -ENOMEM;
    s->cells = cells;
    s->cap = cap;
    for (uint32_t i = 0; i < n; i++)
        if (old[i].kind != DATUM_NULL)
            *set_find(s, &old[i]) = old[i];
    return 0;
}

int datum_set_add(struct datum_set *s, const struct datum *d)
{
    struct datum v = *d;

    if (d->kind == DATUM_NULL) {
        s->has_null = true;
        return 0;
    }
    if (!datum_normalise(&v, s->class))
        return 0;
    if (s->n * 2 >= s->cap && set_grow(s) != 0)
        return -ENOMEM;
    struct datum *at = set_find(s, &v);
    if (at->kind != DATUM_NULL)
        return 0;
    if (!datum_copy(at, &v, s->arena))
        return -ENOMEM;
    s->n++;
    return 0;
}

bool datum_set_contains(const struct datum_set *s, const struct datum *d)
{
    struct datum v = *d;

    if (!s->n || d->kind == DATUM_NULL || !datum_normalise(&v, s->class))
        return false;
    return set_find(s, &v)->kind != DATUM_NULL;
}
