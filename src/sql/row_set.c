/* Set of rows. */
#include "sql/row_set.h"

#include <errno.h>
#include <string.h>

#include "reactor/arena.h"

enum { FIRST_ROWS = 16 };

void row_set_init(struct row_set *s, uint32_t width, const enum compare_class *classes,
                  struct arena *a)
{
    *s = (struct row_set){.arena = a, .width = width, .classes = classes};
}

static bool normalise(const struct row_set *s, struct datum *cells)
{
    for (uint32_t i = 0; i < s->width; i++)
        if (cells[i].kind != DATUM_NULL && !datum_normalise(&cells[i], s->classes[i]))
            return false;
    return true;
}

static uint64_t hash(const struct row_set *s, const struct datum *cells)
{
    uint64_t h = 0;

    for (uint32_t i = 0; i < s->width; i++)
        h = datum_hash(&cells[i], h);
    return h;
}

static const struct datum *row(const struct row_set *s, uint32_t i)
{
    return s->cells + (size_t)i * s->width;
}

static bool is_same(const struct row_set *s, const struct datum *a, const struct datum *b)
{
    for (uint32_t i = 0; i < s->width; i++)
        if (!datum_is_same(&a[i], &b[i]))
            return false;
    return true;
}

/* The place of the row, or the free one where it belongs. */
static uint32_t *find(const struct row_set *s, const struct datum *cells)
{
    uint32_t mask = s->n_slots - 1, i = (uint32_t)hash(s, cells) & mask;

    while (s->slots[i] && !is_same(s, row(s, s->slots[i] - 1), cells))
        i = (i + 1) & mask;
    return &s->slots[i];
}

static int grow(struct row_set *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : FIRST_ROWS;
    struct datum *cells = arena_alloc(s->arena, (size_t)cap * s->width * sizeof *cells);
    uint32_t *slots = arena_alloc(s->arena, (size_t)cap * 2 * sizeof *slots);

    if (!cells || !slots || cap > UINT32_MAX / 4)
        return -ENOMEM;
    if (s->n)
        memcpy(cells, s->cells, (size_t)s->n * s->width * sizeof *cells);
    s->cells = cells;
    s->cap = cap;
    s->slots = slots;
    s->n_slots = cap * 2;
    for (uint32_t i = 0; i < s->n; i++)
        *find(s, row(s, i)) = i + 1;
    return 0;
}

int row_set_add(struct row_set *s, const struct datum *cells)
{
    if (s->n == s->cap && grow(s) != 0)
        return -ENOMEM;
    struct datum *to = s->cells + (size_t)s->n * s->width;
    memcpy(to, cells, s->width * sizeof *to);
    if (!normalise(s, to))
        return 0;
    uint32_t *at = find(s, to);
    if (*at)
        return 0;
    for (uint32_t i = 0; i < s->width; i++) {
        struct datum d = to[i];
        if (!datum_copy(&to[i], &d, s->arena))
            return -ENOMEM;
        s->has_null |= d.kind == DATUM_NULL;
    }
    *at = ++s->n;
    return 0;
}

/* Whether some row would be the same if its NULLs, or those of cells, were values. */
static bool may_match(const struct row_set *s, const struct datum *cells)
{
    for (uint32_t r = 0; r < s->n; r++) {
        const struct datum *other = row(s, r);
        bool same = true;
        for (uint32_t i = 0; i < s->width && same; i++)
            same = cells[i].kind == DATUM_NULL || other[i].kind == DATUM_NULL ||
                   datum_is_same(&cells[i], &other[i]);
        if (same)
            return true;
    }
    return false;
}

int row_set_contains(const struct row_set *s, struct datum *cells, bool unknown_matters)
{
    bool null = false;

    if (!s->n || !normalise(s, cells))
        return 0;
    for (uint32_t i = 0; i < s->width; i++)
        null |= cells[i].kind == DATUM_NULL;
    if (!null && *find(s, cells))
        return 1;
    return unknown_matters && (null || s->has_null) && may_match(s, cells) ? -1 : 0;
}
