/*
 * Slot: from key to row, by the index, or by a scan when the time field of a partitioned table is
 * not given.
 */
#include <string.h>

#include "reactor/assert.h"
#include "storage/batch.h"
#include "storage/slot_impl.h"

enum slot_lookup slot_index_find(const struct slot_part *p, const struct schema *s, uint64_t hash,
                                 const int64_t *codes, uint32_t *row)
{
    struct key_walk w = key_table_walk(&p->index, (uint32_t)hash);

    ASSERT(!p->unindexed);
    while (key_walk_next(&w, row)) {
        unsigned i = 0;

        if (*row >= segment_rows(p->segment))
            return SLOT_PENDING;
        for (; i < s->n_key; i++) {
            int64_t have;

            if (!segment_value(p->segment, *row, s->key[i], &have) || have != codes[i])
                break;
        }
        if (i == s->n_key)
            return SLOT_FOUND;
    }
    return SLOT_NONE;
}

bool slot_key_code(const struct slot *t, const struct key_columns *k, unsigned part, uint32_t row,
                   int64_t *code)
{
    const struct batch_column *in = &k->in[part];
    const struct dict *d = t->dicts[k->column[part]];
    uint32_t n, found;
    const char *bytes;

    if (!d) {
        *code = batch_i64(in, row);
        return true;
    }
    if (in->kind == BATCH_I64) {
        if (!dict_find_int(d, batch_i64(in, row), &found))
            return false;
    } else {
        bytes = batch_bytes(in, row, &n);
        if (!dict_find_bytes(d, bytes, n, &found))
            return false;
    }
    *code = found;
    return true;
}

/* A block with its key columns, which must be in memory. */
static bool key_block(struct segment *g, uint32_t index, const struct schema *s, struct block *out)
{
    uint16_t columns[SCHEMA_MAX_KEY_COLUMNS];
    struct column_want want;

    slot_key_want(s, columns, &want);
    if (!segment_block_has(g, index, &want))
        return false;
    return segment_block_want(g, index, &want, NULL, out) == BLOCK_READY;
}

bool slot_scan_key(struct segment *g, const struct schema *s, const int64_t *codes, uint32_t *row)
{
    uint64_t sel[BLOCK_WORDS];

    for (uint32_t index = *row / BLOCK_ROWS; index < segment_blocks(g); index++) {
        struct block b;
        uint32_t from = *row > index * BLOCK_ROWS ? *row - index * BLOCK_ROWS : 0;

        /* The caller has prepared: all that is looked at is in memory. */
        bool there = key_block(g, index, s, &b);

        ASSERT(there);
        memset(sel, 0, sizeof sel);
        for (uint32_t i = from; i < b.rows; i++)
            sel[i / 64] |= 1ull << (i % 64);
        for (uint32_t k = 0; b.live && k < BLOCK_WORDS; k++)
            sel[k] &= b.live[k];
        for (unsigned i = 0; i < s->n_key; i++) {
            if (s->key[i] == s->time_column)
                continue;
            if (s->columns[s->key[i]].layout == LAYOUT_ORDERED)
                colblock_filter_range(b.columns[s->key[i]], codes[i], codes[i], false, sel);
            else
                colblock_filter_code(b.columns[s->key[i]], (uint32_t)codes[i], false, sel);
        }
        for (uint32_t k = 0; k < BLOCK_WORDS; k++) {
            if (sel[k]) {
                *row = index * BLOCK_ROWS + k * 64 + (uint32_t)__builtin_ctzll(sel[k]);
                return true;
            }
        }
    }
    return false;
}

/* Takes key cells by position when the batch has just them under other ids. */
static void take_by_position(const struct schema *s, const struct batch *b, struct key_columns *k)
{
    for (unsigned i = 0; i < k->n; i++) {
        if (k->given[i])
            return;
    }
    if (b->columns != k->n)
        return;
    for (unsigned i = 0; i < k->n; i++) {
        batch_column_at(b, i, &k->in[i]);
        k->given[i] = k->in[i].kind == key_batch_kind(&s->columns[s->key[i]]);
    }
}

int slot_key_columns(const struct schema *s, const struct batch *b, struct key_columns *k)
{
    int rc = key_columns_find(s, b, k, NULL);

    if (rc == 0)
        take_by_position(s, b, k);
    return rc;
}

bool slot_find(struct slot *t, const struct batch *b, uint32_t batch_row, struct segment **g,
               uint32_t *row)
{
    const struct schema *s = t->schema;
    struct key_columns k;
    struct key_hash hash;
    int64_t codes[SCHEMA_MAX_KEY_COLUMNS] = {0};
    struct slot_part *p;
    bool timeless;

    if (slot_key_columns(s, b, &k) != 0)
        return false;
    timeless = k.time >= 0 && !k.given[k.time];
    if (key_find_missing(&k, batch_row, timeless) >= 0)
        return false;
    for (unsigned i = 0; i < k.n; i++) {
        if (k.given[i] && !slot_key_code(t, &k, i, batch_row, &codes[i]))
            return false;
    }
    for (uint32_t i = 0; timeless && i < t->n_parts; i++) {
        *g = t->parts[i]->segment;
        *row = 0;
        if (slot_scan_key(*g, s, codes, row))
            return true;
    }
    if (timeless)
        return false;
    key_hash_row(&k, t->seed, batch_row, &hash);
    p = slot_part_find(t,
                       k.time < 0 ? 0 : slot_partition_of(s, batch_i64(&k.in[k.time], batch_row)));
    if (!p)
        return false;
    *g = p->segment;
    *row = 0;
    if (p->unindexed ? !slot_scan_key(*g, s, codes, row)
                     : slot_index_find(p, s, hash.full, codes, row) != SLOT_FOUND)
        return false;
    segment_touch(*g, t->tick);
    p->index_used = t->tick;
    return true;
}
