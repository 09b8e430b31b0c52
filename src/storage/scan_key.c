#include "storage/scan_key.h"

#include "storage/key.h"

static bool fixes_column(const struct predicate *w, uint16_t column)
{
    if (w->column != column || w->negate)
        return false;
    return (w->kind == PREDICATE_RANGE && w->lo == w->hi) ||
           (w->kind == PREDICATE_INTS && w->n == 1) || (w->kind == PREDICATE_STRINGS && w->n == 1);
}

/* The leaf among the conjuncts of `w` that gives the column one value. */
static const struct predicate *find_leaf(const struct predicate *w, uint16_t column)
{
    if (w->kind != PREDICATE_AND)
        return w->kind != PREDICATE_OR && fixes_column(w, column) ? w : NULL;
    for (uint32_t i = 0; i < w->n; i++) {
        const struct predicate *leaf = find_leaf(w->children[i], column);
        if (leaf)
            return leaf;
    }
    return NULL;
}

/* A row of key columns, by their numbers in the key. */
static int put_key(struct batch_builder *b, const struct schema *s, const uint8_t *parts,
                   unsigned n, const struct predicate *const *leaves)
{
    int rc = 0;

    for (unsigned i = 0; i < n && rc >= 0; i++) {
        const struct column *c = &s->columns[s->key[parts[i]]];
        const struct predicate *w = leaves[i];
        rc = batch_builder_add_column(b, c->id, c->type == COLUMN_STRING ? BATCH_BYTES : BATCH_I64,
                                      c->scale);
        if (rc >= 0 && w->kind == PREDICATE_STRINGS)
            rc = batch_builder_put_bytes(b, i, w->strings[0].bytes, w->strings[0].len);
        else if (rc >= 0)
            rc = batch_builder_put_i64(b, i, w->kind == PREDICATE_RANGE ? w->lo : w->ints[0]);
    }
    return rc < 0 ? rc : batch_builder_end_row(b);
}

static bool init_parts(struct scan_key *k, const struct predicate *where, const struct schema *s,
                       const uint8_t *parts, unsigned n)
{
    const struct predicate *leaves[SCHEMA_MAX_KEY_COLUMNS];
    struct error_info err;

    for (unsigned i = 0; i < n; i++)
        if (!where || !(leaves[i] = find_leaf(where, s->key[parts[i]])))
            return false;
    struct batch_builder *b = n ? batch_builder_new(NULL) : NULL;
    if (!b)
        return false;
    buffer_init(&k->bytes, BATCH_MAX_BYTES);
    int rc = put_key(b, s, parts, n, leaves);
    if (!rc)
        rc = batch_builder_finish(b, BATCH_DATA, s->table_id, BATCH_SLOT_ANY, &k->bytes);
    if (!rc)
        rc = batch_open(k->bytes.data, k->bytes.len, &k->batch, &err);
    batch_builder_free(b);
    if (rc)
        scan_key_fini(k);
    return !rc; /* without memory the scan does it */
}

bool scan_key_init(struct scan_key *k, const struct predicate *where, const struct schema *s)
{
    static const uint8_t all[SCHEMA_MAX_KEY_COLUMNS] = {0, 1, 2, 3, 4, 5, 6, 7};

    return init_parts(k, where, s, all, s->n_key);
}

bool scan_key_place(const struct predicate *where, const struct schema *s, uint64_t seed,
                    uint64_t *place)
{
    struct scan_key k;
    struct key_columns columns;

    if (!init_parts(&k, where, s, s->place, s->n_place))
        return false;
    bool found = key_columns_find(s, &k.batch, &columns, NULL) == 0;
    if (found)
        *place = key_hash_place(&columns, seed, 0);
    scan_key_fini(&k);
    return found;
}

void scan_key_fini(struct scan_key *k)
{
    buffer_fini(&k->bytes);
}
