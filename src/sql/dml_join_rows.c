#include "sql/dml_join_rows.h"

#include <string.h>

#include "reactor/arena.h"
#include "sql/value_compare.h"

enum { FIRST_BUCKETS = 256 };

static uint64_t key_hash(const struct join_rows *r, const struct datum *key)
{
    uint64_t h = 1;

    for (unsigned i = 0; i < r->n_key; i++)
        h = datum_hash(&key[i], h);
    return h;
}

void join_rows_init(struct join_rows *r, struct arena *a, unsigned n_key)
{
    memset(r, 0, sizeof *r);
    r->arena = a;
    r->n_key = n_key;
    r->end = &r->first;
}

bool join_rows_has(const struct join_rows *r, const struct datum *key)
{
    uint64_t h = key_hash(r, key);

    if (!r->n)
        return false;
    for (const struct join_row *row = r->buckets[h % r->n_buckets]; row; row = row->next_hash) {
        bool same = row->hash == h;
        for (unsigned i = 0; i < r->n_key && same; i++)
            same = datum_is_same(&row->cells[i], &key[i]);
        if (same)
            return true;
    }
    return false;
}

static bool grow(struct join_rows *r)
{
    uint32_t n = r->n_buckets ? r->n_buckets * 2 : FIRST_BUCKETS;
    struct join_row **buckets = arena_alloc(r->arena, n * sizeof(struct join_row *));

    if (!buckets)
        return false;
    for (struct join_row *row = r->first; row; row = row->next) {
        row->next_hash = buckets[row->hash % n];
        buckets[row->hash % n] = row;
    }
    r->buckets = buckets;
    r->n_buckets = n;
    return true;
}

struct join_row *join_rows_add(struct join_rows *r, const struct datum *cells, uint32_t n)
{
    struct join_row *row = arena_alloc(r->arena, sizeof *row);

    if (!row || !(row->cells = arena_alloc(r->arena, n * sizeof *cells)) ||
        (r->n >= r->n_buckets && !grow(r)))
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        if (!datum_copy(&row->cells[i], &cells[i], r->arena))
            return NULL;
    row->hash = key_hash(r, cells);
    row->next_hash = r->buckets[row->hash % r->n_buckets];
    r->buckets[row->hash % r->n_buckets] = row;
    *r->end = row;
    r->end = &row->next;
    r->n++;
    return row;
}
