/*
 * Slot: what a write or a look-up by key needs comes into memory. In three steps, each of which asks for much before
 * it waits: the indexes of the partitions a batch names; the key columns of rows that may have its keys; and for
 * changes the blocks of the rows that do have them.
 */
#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "reactor/reactor.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"

enum { FILL_STEPS = 8 /* of the dictionaries' tables, in a call */ };

/* Owner: one call. */
struct prepare {
    struct slot *slot;
    const struct batch *batch;
    struct task *wake;
    struct error_info *err;
    bool now;    /* read at once, blocking */
    bool wait;   /* something is on its way, or an index is not finished */
    bool let_go; /* a second walk: the blocks that were held are not any more */
    struct key_columns keys;
    uint16_t key_columns[SCHEMA_MAX_KEY_COLUMNS];
    struct column_want key_want;
};

bool slot_is_loaded(const struct slot *t)
{
    return t->absent == 0 && t->unindexed == 0;
}

void slot_unwait(struct slot *t, const struct task *wake)
{
    for (uint32_t i = 0; i < t->n_parts; i++)
        segment_unwait(t->parts[i]->segment, wake);
    for (struct slot_part *p = t->leaving; p; p = p->next)
        segment_unwait(p->segment, wake);
    slot_archive_unwait(t, wake);
}

void slot_wake_all(struct slot *t)
{
    for (uint32_t i = 0; i < t->n_parts; i++)
        segment_wake_all(t->parts[i]->segment);
    for (struct slot_part *p = t->leaving; p; p = p->next)
        segment_wake_all(p->segment);
    slot_archive_wake_all(t);
}

/* Asks for columns of a block (want NULL = all): true = they are there. A failure is in *rc. */
static bool need_block(struct prepare *x, struct segment *g, uint32_t index,
                       const struct column_want *want, int *rc)
{
    if (segment_block_has(g, index, want)) {
        segment_block_hold(g, index, !x->let_go);
        return true;
    }
    if (x->let_go) {
        segment_block_hold(g, index, false);
        return false;
    }
    if (x->now) {
        segment_block_hold(g, index, true);
        *rc = segment_block_now(g, index, want, x->err);
        return *rc == 0;
    }
    switch (segment_block_want(g, index, want, x->wake, NULL)) {
    case BLOCK_READY:
        return true;
    case BLOCK_PENDING:
        x->wait = true;
        return false;
    case BLOCK_FAILED:
        *x->err = *segment_error(g);
        *rc = -EIO;
        return false;
    }
    return false;
}

static int no_memory(struct prepare *x)
{
    return error_set(x->err, -ENOMEM, 1038,
                     "no memory for the index of table %s; raise --memory or write less at a time",
                     x->slot->schema->name);
}

/* Takes the index of a part on: a block a call, all at once when it blocks anyway. */
static int need_index(struct prepare *x, struct slot_part *p)
{
    struct slot *t = x->slot;
    int rc = 0;

    if (x->let_go)
        return 0;
    segment_touch(p->segment, t->tick);
    p->index_used = t->tick;
    while (p->unindexed && rc == 0) {
        uint32_t last = segment_blocks(p->segment), at = p->index_at;

        if (at < last && !need_block(x, p->segment, at, &x->key_want, &rc))
            break;
        for (uint32_t ahead = 1; !x->now && ahead <= 4 && at + ahead < last; ahead++)
            segment_block_ask(p->segment, at + ahead, &x->key_want);
        rc = slot_index_step(t, p, BLOCK_ROWS);
        if (at < last)
            segment_block_hold(p->segment, at, false);
        if (rc != 0)
            return no_memory(x);
        if (!x->now && p->unindexed) { /* the next block in another turn */
            if (x->wake)
                reactor_task(store_reactor(t->store), x->wake, TASK_BULK);
            x->wait = true;
            break;
        }
    }
    return rc;
}

static struct slot_part *part_of_row(const struct prepare *x, uint32_t row)
{
    const struct key_columns *k = &x->keys;
    int64_t partition = 0;

    if (key_find_missing(k, row, false) >= 0)
        return NULL; /* is refused, or finds nothing */
    if (k->time >= 0)
        partition = slot_partition_of(x->slot->schema, batch_i64(&k->in[k->time], row));
    return slot_part_find(x->slot, partition);
}

static bool is_inserting(const struct batch *b)
{
    return b->op == BATCH_INSERT || b->op == BATCH_UPSERT || b->op == BATCH_REPLACE ||
           b->op == BATCH_IGNORE;
}

/* Indexes of the partitions, and the open blocks that new rows go to. */
static int need_parts(struct prepare *x)
{
    struct slot_part *last = NULL;
    int rc = 0;

    for (uint32_t row = 0; row < x->batch->rows && rc == 0; row++) {
        struct slot_part *p = part_of_row(x, row);
        uint32_t blocks;

        if (!p || p == last)
            continue;
        last = p;
        rc = need_index(x, p);
        blocks = segment_blocks(p->segment);
        if (rc == 0 && is_inserting(x->batch) && blocks && segment_rows(p->segment) % BLOCK_ROWS)
            (void)need_block(x, p->segment, blocks - 1, NULL, &rc);
    }
    return rc;
}

static bool has_key(const struct slot_part *p, const struct schema *s, const int64_t *codes,
                    uint32_t row)
{
    for (unsigned i = 0; i < s->n_key; i++) {
        int64_t have;

        if (!segment_value(p->segment, row, s->key[i], &have) || have != codes[i])
            return false;
    }
    return true;
}

/*
 * Rows of the index that may be the batch row: their key columns, and all of the block when the row is changed. A key
 * with a value that no row has is looked up all the same once the write has given it a code.
 */
static int need_row(struct prepare *x, struct slot_part *p, uint32_t batch_row)
{
    const struct schema *s = x->slot->schema;
    int64_t codes[SCHEMA_MAX_KEY_COLUMNS];
    struct key_hash hash;
    struct key_walk walk;
    bool known = true;
    uint32_t row;
    int rc = 0;

    for (unsigned i = 0; i < x->keys.n && known; i++)
        known = slot_key_code(x->slot, &x->keys, i, batch_row, &codes[i]);
    key_hash_row(&x->keys, x->slot->seed, batch_row, &hash);
    walk = key_table_walk(&p->index, (uint32_t)hash.full);
    while (rc == 0 && key_walk_next(&walk, &row)) {
        bool changes = x->batch->op == BATCH_UPSERT || x->batch->op == BATCH_REPLACE ||
                       x->batch->op == BATCH_UPDATE;

        if (need_block(x, p->segment, row / BLOCK_ROWS, &x->key_want, &rc) && changes && known &&
            has_key(p, s, codes, row))
            (void)need_block(x, p->segment, row / BLOCK_ROWS, NULL, &rc);
    }
    return rc;
}

static int need_rows(struct prepare *x)
{
    int rc = 0;

    for (uint32_t row = 0; row < x->batch->rows && rc == 0; row++) {
        struct slot_part *p = part_of_row(x, row);

        if (p && !segment_is_loaded(p->segment))
            rc = need_row(x, p, row);
    }
    return rc;
}

/* Blocks of a part that have rows with a key given without its time, all of them when they are changed. */
static int need_timeless_row(struct prepare *x, struct slot_part *p, uint32_t batch_row)
{
    const struct schema *s = x->slot->schema;
    int64_t codes[SCHEMA_MAX_KEY_COLUMNS] = {0};
    int rc = 0;

    for (unsigned i = 0; i < x->keys.n; i++) {
        if (x->keys.given[i] && !slot_key_code(x->slot, &x->keys, i, batch_row, &codes[i]))
            return 0;
    }
    for (uint32_t row = 0; rc == 0 && slot_scan_key(p->segment, s, codes, &row); row++)
        (void)need_block(x, p->segment, row / BLOCK_ROWS, NULL, &rc);
    return rc;
}

/* New rows at the end of a part that they go on with: nothing but its open block. */
static int need_end(struct prepare *x, struct slot_part *p)
{
    uint32_t blocks = p ? segment_blocks(p->segment) : 0;
    int rc = 0;

    if (blocks && segment_rows(p->segment) % BLOCK_ROWS)
        (void)need_block(x, p->segment, blocks - 1, NULL, &rc);
    return rc;
}

/* The keys of a whole part, then what the rows they lead to need. */
static int need_timeless(struct prepare *x, struct slot_part *p)
{
    bool there = true;
    int rc = need_index(x, p);

    for (uint32_t i = 0; i < segment_blocks(p->segment) && rc == 0; i++)
        there &= need_block(x, p->segment, i, &x->key_want, &rc);
    for (uint32_t row = 0; row < x->batch->rows && rc == 0 && there; row++) {
        if (x->batch->op == BATCH_UPDATE && key_find_missing(&x->keys, row, true) < 0)
            rc = need_timeless_row(x, p, row);
    }
    return rc;
}

static bool is_timeless(const struct prepare *x)
{
    return x->keys.time >= 0 && !x->keys.given[x->keys.time];
}

static int need_batch(struct prepare *x)
{
    struct slot *t = x->slot;
    int rc = 0;

    if (slot_key_columns(t->schema, x->batch, &x->keys) != 0)
        return 0; /* is refused */
    slot_key_want(t->schema, x->key_columns, &x->key_want);
    if (is_timeless(x)) {
        for (uint32_t i = 0; i < t->n_parts && rc == 0; i++)
            rc = need_timeless(x, t->parts[i]);
        return rc;
    }
    struct slot_part *p = x->keys.time < 0 ? slot_part_find(t, 0) : NULL;
    if (p && slot_index_is_ascending(t, p, x->batch, &x->keys))
        return need_end(x, p);
    rc = need_parts(x);
    return rc || x->wait ? rc : need_rows(x);
}

/* Nothing evicts within a turn: what was gathered stays for whoever goes on now. */
static void let_go(struct prepare *x)
{
    x->let_go = true;
    x->wait = false;
    (void)need_batch(x);
}

/* New rows look up their values. */
static enum block_state fill_more(struct slot *t, struct error_info *err)
{
    enum block_state state = BLOCK_PENDING;

    for (unsigned i = 0; i < FILL_STEPS && state == BLOCK_PENDING; i++)
        state = slot_fill_dicts(t, err);
    return state;
}

enum block_state slot_prepare(struct slot *t, const struct batch *b, struct task *wake,
                              struct error_info *err)
{
    struct prepare x = {.slot = t, .batch = b, .wake = wake, .err = err};

    /* The write will need some, and what others have cached should not be in its way. */
    if (t->room && t->budget && budget_room(t->budget) < t->room->reserve)
        t->room->make(t->room->ctx, t->room->reserve);
    if (t->unfilled && wake && (is_inserting(b) || b->op == BATCH_UPDATE)) {
        enum block_state state = fill_more(t, err);

        if (state == BLOCK_PENDING)
            reactor_task(store_reactor(t->store), wake, TASK_BULK);
        if (state != BLOCK_READY)
            return state;
    }
    if (slot_is_loaded(t))
        return slot_cut_must_wait(t, b, wake) ? BLOCK_PENDING : BLOCK_READY;
    int rc = need_batch(&x);
    if (rc == 0 && x.wait)
        return BLOCK_PENDING;
    let_go(&x);
    if (rc == 0)
        return slot_cut_must_wait(t, b, wake) ? BLOCK_PENDING : BLOCK_READY;
    slot_unwait(t, wake);
    return BLOCK_FAILED;
}

int slot_prepare_now(struct slot *t, const struct batch *b, struct error_info *err)
{
    struct prepare x = {.slot = t, .batch = b, .err = err, .now = true};

    int rc;

    if (slot_is_loaded(t))
        return 0;
    rc = need_batch(&x);
    let_go(&x);
    return rc;
}

bool slot_can_find(struct slot *t, const struct batch *b, uint32_t batch_row)
{
    struct prepare x = {.slot = t, .batch = b};
    struct slot_part *p;
    struct key_hash hash;
    struct key_walk walk;
    uint32_t row;

    if (slot_is_loaded(t) || slot_key_columns(t->schema, b, &x.keys) != 0)
        return true;
    if (is_timeless(&x))
        return false;
    p = part_of_row(&x, batch_row);
    if (!p)
        return true;
    if (p->unindexed)
        return false;
    slot_key_want(t->schema, x.key_columns, &x.key_want);
    key_hash_row(&x.keys, t->seed, batch_row, &hash);
    walk = key_table_walk(&p->index, (uint32_t)hash.full);
    while (key_walk_next(&walk, &row)) {
        if (!segment_block_has(p->segment, row / BLOCK_ROWS, &x.key_want))
            return false;
    }
    return true;
}

/* ---- everything, in the background ---- */

/* Of an index in a step: statements wait for it. */
enum {
    LOAD_ROWS = 4096,
    QUIET_TICKS = 2, /* after the last of ascending rows */
};

enum block_state slot_load(struct slot *t, size_t in_flight, struct task *wake,
                           struct error_info *err)
{
    enum block_state all = BLOCK_READY;

    for (uint32_t i = t->n_parts; i-- > 0 && t->absent;) { /* the newest first */
        struct segment *g = t->parts[i]->segment;
        enum block_state state = segment_load(g, in_flight, wake);

        if (state == BLOCK_FAILED) {
            *err = *segment_error(g);
            all = BLOCK_FAILED;
        }
        if (state != BLOCK_PENDING)
            continue;
        all = BLOCK_PENDING;
        if (store_reading(t->store) >= in_flight)
            break;
    }
    return all;
}

/* Its rows need no index as long as they come. */
static bool is_growing(const struct slot *t, const struct slot_part *p)
{
    return slot_index_can_wait(p) && t->tick < p->written + QUIET_TICKS;
}

bool slot_wants_index(const struct slot *t)
{
    for (uint32_t i = 0; i < t->n_parts && t->unindexed; i++) {
        const struct slot_part *p = t->parts[i];

        if (p->unindexed && p->waits && !is_growing(t, p) && segment_is_loaded(p->segment))
            return true;
    }
    return false;
}

enum block_state slot_load_index(struct slot *t, struct error_info *err)
{
    for (uint32_t i = t->n_parts; i-- > 0 && t->unindexed;) {
        struct slot_part *p = t->parts[i];

        if (!p->unindexed || !segment_is_loaded(p->segment) || is_growing(t, p))
            continue;
        if (slot_index_step(t, p, LOAD_ROWS) == 0)
            return BLOCK_PENDING;
        error_set(err, -ENOMEM, 1038, "no memory for the index of table %s", t->schema->name);
        return BLOCK_FAILED;
    }
    return BLOCK_READY;
}
