/*
 * Slot: the index of a partition made again from its key columns, a block at a time, with the hashes that the rows
 * had when they were written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "reactor/assert.h"
#include "storage/presence.h"
#include "storage/selection.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"

enum {
    INDEX_ROWS = 1024, /* decoded at a time */
    ASCENDING_ROWS =
        8, /* of a batch: fewer are no load, and what follows may look for them at once */
    SHORT_BYTES = 256, /* keys up to this are hashed in one call */
};

/* Key values of some rows. Owner: one step. */
struct index_window {
    uint64_t sel[BLOCK_WORDS];
    int64_t values[SCHEMA_MAX_KEY_COLUMNS][INDEX_ROWS];
    uint8_t present[INDEX_ROWS];
    uint32_t hashes[INDEX_ROWS];
};

void slot_key_want(const struct schema *s, uint16_t columns[SCHEMA_MAX_KEY_COLUMNS],
                   struct column_want *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->n_key; i++) { /* few: sorted as they are taken */
        unsigned at = n++;

        for (; at > 0 && columns[at - 1] > s->key[i]; at--)
            columns[at] = columns[at - 1];
        columns[at] = s->key[i];
    }
    *out = (struct column_want){columns, n};
}

/* Canonical bytes of a key part (key.h): the head, and for a text where the rest lies. */
static uint32_t part_bytes(const struct slot *t, unsigned column, int64_t value, uint8_t head[9],
                           const char **text, uint32_t *len)
{
    const struct dict *d = t->dicts[column];

    *len = 0;
    if (!d || t->schema->columns[column].type != COLUMN_STRING) {
        if (d)
            value = dict_int(d, (uint32_t)value);
        head[0] = 'i';
        memcpy(head + 1, &value, sizeof value);
        return 1 + sizeof value;
    }
    *text = dict_bytes(d, (uint32_t)value, len);
    head[0] = 's';
    memcpy(head + 1, len, sizeof *len);
    return 1 + sizeof *len;
}

static uint64_t hash_long(const struct slot *t, int64_t *const keys[], uint32_t row,
                          const uint8_t *parts, unsigned n_parts)
{
    XXH3_state_t state;

    XXH3_INITSTATE(&state);
    XXH3_64bits_reset_withSeed(&state, t->seed);
    for (unsigned i = 0; i < n_parts; i++) {
        uint8_t head[9];
        const char *text = NULL;
        uint32_t len,
            n = part_bytes(t, t->schema->key[parts[i]], keys[parts[i]][row], head, &text, &len);

        XXH3_64bits_update(&state, head, n);
        if (len)
            XXH3_64bits_update(&state, text, len);
    }
    return XXH3_64bits_digest(&state);
}

static inline uint64_t hash_parts(const struct slot *t, int64_t *const keys[], uint32_t row,
                                  const uint8_t *parts, unsigned n)
{
    uint8_t bytes[SHORT_BYTES + 9];
    size_t at = 0;

    for (unsigned i = 0; i < n; i++) {
        const char *text = NULL;
        uint32_t len;

        if (at > SHORT_BYTES)
            return hash_long(t, keys, row, parts, n);
        at += part_bytes(t, t->schema->key[parts[i]], keys[parts[i]][row], bytes + at, &text, &len);
        if (len > SHORT_BYTES || at + len > SHORT_BYTES)
            return hash_long(t, keys, row, parts, n);
        if (len)
            memcpy(bytes + at, text, len);
        at += len;
    }
    return XXH3_64bits_withSeed(bytes, at, t->seed);
}

uint64_t slot_index_hash(const struct slot *t, int64_t *const keys[], uint32_t row)
{
    static const uint8_t all[SCHEMA_MAX_KEY_COLUMNS] = {0, 1, 2, 3, 4, 5, 6, 7};

    return hash_parts(t, keys, row, all, t->schema->n_key);
}

uint64_t slot_place_hash(const struct slot *t, int64_t *const keys[], uint32_t row)
{
    return hash_parts(t, keys, row, t->schema->place, t->schema->n_place);
}

/* Rows of a block from `from` on, of one window, into the index. */
static int index_rows(struct slot *t, struct slot_part *p, const struct block *b, uint32_t from,
                      struct index_window *w)
{
    int64_t *keys[SCHEMA_MAX_KEY_COLUMNS];
    uint32_t first = p->index_at * BLOCK_ROWS, n = 0, rows = 0;
    uint32_t to = from / INDEX_ROWS * INDEX_ROWS + INDEX_ROWS;

    to = to < b->rows ? to : b->rows;

    selection_fill(w->sel, from, to);
    if (b->live)
        selection_and(w->sel, b->live);
    for (unsigned i = 0; i < t->schema->n_key; i++) {
        keys[i] = w->values[i];
        rows = colblock_decode(b->columns[t->schema->key[i]], w->sel, keys[i], w->present);
    }
    for (uint32_t i = 0; i < rows; i++) {
        w->hashes[i] = (uint32_t)slot_index_hash(t, keys, i);
        key_table_prefetch(&p->index, w->hashes[i]);
    }
    for (uint32_t word = from / 64; word < presence_words(to); word++) {
        for (uint64_t bits = w->sel[word]; bits; bits &= bits - 1, n++) {
            uint32_t row = first + word * 64 + (uint32_t)__builtin_ctzll(bits);
            int rc = key_table_insert(&p->index, w->hashes[n], row);

            if (rc != 0)
                return rc;
        }
    }
    p->index_row = to;
    return 0;
}

/* Memory for all of it. 1 = more steps. */
static int reserve(struct slot_part *p, bool at_once)
{
    int rc = key_table_plan(&p->index, segment_live(p->segment));

    if (rc == 0)
        rc = key_table_plan_step(&p->index);
    while (rc > 0 && at_once)
        rc = key_table_plan_step(&p->index);
    return rc;
}

/* Rows of a block that is in memory. */
static int index_block(struct slot *t, struct slot_part *p, uint32_t rows)
{
    uint16_t columns[SCHEMA_MAX_KEY_COLUMNS];
    struct column_want want;
    struct index_window *w;
    struct block b;
    int rc = 0;

    slot_key_want(t->schema, columns, &want);
    ASSERT(segment_block_has(p->segment, p->index_at, &want));
    (void)segment_block_want(p->segment, p->index_at, &want, NULL, &b);
    w = slot_memory_new(t->budget, sizeof *w);
    if (!w)
        return -ENOMEM;
    for (uint32_t done = 0; done < rows && p->index_row < b.rows && rc == 0; done += INDEX_ROWS)
        rc = index_rows(t, p, &b, p->index_row, w);
    slot_memory_free(t->budget, w, sizeof *w);
    if (p->index_row == BLOCK_ROWS) {
        p->index_at++;
        p->index_row = 0;
    }
    return rc;
}

/* Blocks but the last are full, and that one may have grown since rows of it were entered. */
static bool is_whole(const struct slot_part *p)
{
    return (uint64_t)p->index_at * BLOCK_ROWS + p->index_row >= segment_rows(p->segment);
}

int slot_index_step(struct slot *t, struct slot_part *p, uint32_t rows)
{
    int rc = 0;

    ASSERT(p->unindexed);
    if (!is_whole(p)) {
        if (!p->index_at && !p->index_row)
            rc = reserve(p, rows >= BLOCK_ROWS);
        if (rc > 0)
            return 0;
        if (rc == 0)
            rc = index_block(t, p, rows);
    }
    if (rc != 0) { /* a part of a block is in it: from the start again */
        slot_index_drop(t, p);
        return rc;
    }
    if (is_whole(p)) {
        p->unindexed = p->waits = false;
        t->unindexed--;
    }
    return 0;
}

/* ---- rows that need no index yet ---- */

bool slot_index_can_wait(const struct slot_part *p)
{
    uint32_t rows = segment_rows(p->segment);

    return rows == p->ascending && (p->unindexed || rows == 0);
}

bool slot_index_is_ascending(const struct slot *t, const struct slot_part *p, const struct batch *b,
                             const struct key_columns *k)
{
    int64_t last = p && p->ascending ? p->top : INT64_MIN, v[INDEX_ROWS];
    bool ascends = true;

    if (b->op != BATCH_UPSERT || b->rows < ASCENDING_ROWS || k->n != 1 || k->time >= 0 ||
        key_can_miss(k) || t->dicts[k->column[0]] || (p && !slot_index_can_wait(p)))
        return false;
    for (uint32_t from = 0, n; from < b->rows && ascends; from += n) {
        n = b->rows - from < INDEX_ROWS ? b->rows - from : INDEX_ROWS;
        batch_read_i64(&k->in[0], from, n, v);
        for (uint32_t i = 0; i < n; i++) {
            ascends &= v[i] > last; /* so the smallest number of all is never the first of them */
            last = v[i];
        }
    }
    return ascends;
}

int slot_index_finish(struct slot *t)
{
    struct slot_part *p = slot_part_find(t, 0);
    int rc = 0;

    while (rc == 0 && p && p->unindexed && slot_index_can_wait(p) && segment_is_loaded(p->segment))
        rc = slot_index_step(t, p, BLOCK_ROWS);
    return rc;
}

void slot_index_let_wait(struct slot *t, struct slot_part *p)
{
    if (p->unindexed)
        return;
    t->unindexed++;
    p->unindexed = p->waits = true;
}

void slot_index_drop(struct slot *t, struct slot_part *p)
{
    key_table_fini(&p->index);
    key_table_init(&p->index, t->budget);
    p->index_at = p->index_row = 0;
    t->unindexed += !p->unindexed;
    p->unindexed = true;
    p->waits = false;
}
