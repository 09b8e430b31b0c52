#include "sql/group_table.h"

#include <string.h>

size_t group_table_growth(const struct group_table *t)
{
    return t->n < t->cap
               ? 0
               : (size_t)t->cap * 2 * (2 * sizeof *t->index + sizeof *t->hashes + sizeof(*t->keys));
}

uint64_t group_table_hash(const struct datum *cells, uint32_t n)
{
    uint64_t h = 0x51ed270b;

    for (uint32_t i = 0; i < n; i++)
        h = datum_hash(&cells[i], h);
    return h;
}

static bool same_row(const struct datum *a, const struct datum *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!datum_is_same(&a[i], &b[i]))
            return false;
    return true;
}

static bool table_grow(struct group_table *t, struct arena *a)
{
    uint32_t cap = t->cap ? t->cap * 2 : 128, slots = cap * 2;
    uint32_t *index = arena_alloc(a, slots * sizeof *index);
    uint64_t *hashes = arena_alloc(a, cap * sizeof *hashes);
    struct datum **keys = arena_alloc(a, cap * sizeof *keys);

    if (!index || !hashes || !keys)
        return false;
    if (t->n) {
        memcpy(hashes, t->hashes, t->n * sizeof *hashes);
        memcpy(keys, t->keys, t->n * sizeof *keys);
    }
    t->mask = slots - 1;
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t at = (uint32_t)hashes[i] & t->mask;
        while (index[at])
            at = (at + 1) & t->mask;
        index[at] = i + 1;
    }
    t->index = index;
    t->hashes = hashes;
    t->keys = keys;
    t->cap = cap;
    return true;
}

int64_t group_table_find(const struct group_table *t, const struct datum *key, uint32_t n,
                         uint64_t hash)
{
    if (!t->n)
        return -1;
    for (uint32_t at = (uint32_t)hash & t->mask; t->index[at]; at = (at + 1) & t->mask) {
        uint32_t g = t->index[at] - 1;
        if (t->hashes[g] == hash && same_row(t->keys[g], key, n))
            return g;
    }
    return -1;
}

int64_t group_table_add(struct group_table *t, const struct datum *key, uint32_t n, uint64_t hash,
                        struct arena *a)
{
    if (t->n == t->cap && !table_grow(t, a))
        return -1;
    struct datum *copy = arena_alloc(a, (n ? n : 1) * sizeof *copy);
    if (!copy)
        return -1;
    for (uint32_t i = 0; i < n; i++)
        if (!datum_copy(&copy[i], &key[i], a))
            return -1;
    uint32_t at = (uint32_t)hash & t->mask;
    while (t->index[at])
        at = (at + 1) & t->mask;
    t->keys[t->n] = copy;
    t->hashes[t->n] = hash;
    t->index[at] = t->n + 1;
    return t->n++;
}
