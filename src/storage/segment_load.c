/*
 * Segment: columns come into memory. A statement asks for those of a block and waits with a task; a chunk that
 * arrives is decoded at once, and who waits for the block is run when nothing of it is on its way any more.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "storage/colblock_change.h"
#include "storage/column_image.h"
#include "storage/dict.h"
#include "storage/presence.h"
#include "storage/segment_impl.h"
#include "storage/slot_memory.h"

enum {
    RECENT = 8,     /* blocks asked for last: evicted only when nothing else is left */
    HOLD_TICKS = 3, /* more than two whole ones */
};

const struct error_info *segment_error(const struct segment *g)
{
    return &g->error;
}

bool segment_is_loaded(const struct segment *g)
{
    return g->absent == 0;
}

void segment_touch(struct segment *g, uint64_t tick)
{
    g->used_tick = tick;
}

uint64_t segment_used_tick(const struct segment *g)
{
    return g->used_tick;
}

bool segment_block_bounds(const struct segment *g, uint32_t index, unsigned column, int64_t *min,
                          int64_t *max)
{
    const struct segment_block *b = g->blocks[index];
    const struct directory_column *d = &b->disk[column].disk;

    ASSERT(index < g->n_blocks && column < g->schema->n_columns);
    if (b->columns[column])
        return colblock_bounds(b->columns[column], min, max);
    *min = d->min;
    *max = d->max;
    return d->any;
}

/* ---- waiting ---- */

static int add_waiter(struct segment *g, struct task *task, uint32_t block)
{
    for (uint32_t i = 0; i < g->n_waiters; i++) {
        if (g->waiters[i].task == task && g->waiters[i].block == block)
            return 0;
    }
    if (g->n_waiters == g->cap_waiters) {
        uint32_t cap = g->cap_waiters ? g->cap_waiters * 2 : 4;
        struct segment_waiter *grown = realloc(g->waiters, cap * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        g->waiters = grown;
        g->cap_waiters = cap;
    }
    g->waiters[g->n_waiters++] = (struct segment_waiter){task, block, false};
    return 0;
}

void segment_unwait(struct segment *g, const struct task *wake)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < g->n_waiters; i++) {
        if (g->waiters[i].task != wake)
            g->waiters[n++] = g->waiters[i];
    }
    g->n_waiters = n;
}

static void wake_waiters(struct segment *g, uint32_t block, bool done)
{
    bool failed = g->blocks[block]->failing;
    uint32_t n = 0;

    for (uint32_t i = 0; i < g->n_waiters; i++) {
        struct segment_waiter w = g->waiters[i];
        bool mine = w.block == block && done && !w.failed;

        if (mine || w.block == SEGMENT_ANY_BLOCK)
            reactor_task(store_reactor(g->store), w.task, TASK_BULK);
        if (mine && failed)
            w.failed = true;
        else if (mine || w.block == SEGMENT_ANY_BLOCK)
            continue;
        g->waiters[n++] = w;
    }
    g->n_waiters = n;
    if (done)
        g->blocks[block]->failing = false;
}

void segment_wake_all(struct segment *g)
{
    /* Not when the program ends and nothing runs any more. */
    for (uint32_t i = 0; i < g->n_waiters && reactor_self() == store_reactor(g->store); i++)
        reactor_task(store_reactor(g->store), g->waiters[i].task, TASK_BULK);
    g->n_waiters = 0;
}

/* Did what this task waited for fail? It is told once, and others that come later are not. */
static bool take_failure(struct segment *g, const struct task *task, uint32_t block)
{
    for (uint32_t i = 0; i < g->n_waiters; i++) {
        struct segment_waiter *w = &g->waiters[i];

        if (w->task == task && w->block == block && w->failed) {
            *w = g->waiters[--g->n_waiters];
            return true;
        }
    }
    return false;
}

static bool is_waited_for(const struct segment *g, uint32_t block)
{
    for (uint32_t i = 0; i < g->n_waiters; i++) {
        if (g->waiters[i].block == block)
            return true;
    }
    return false;
}

/* ---- arrival ---- */

static int take_mask(struct segment *g, struct segment_block *b, const uint8_t *bytes, uint32_t len,
                     struct error_info *err)
{
    uint32_t words = presence_words(b->rows);
    uint64_t *live;

    if (len != words * sizeof *live)
        return error_set(err, -EBADMSG, 1030,
                         "a row mask has %" PRIu32 " bytes, %" PRIu32 " rows need %zu", len,
                         b->rows, words * sizeof *live);
    live = slot_memory_zeroed(g->budget, BLOCK_WORDS * sizeof *live);
    if (!live)
        return -ENOMEM;
    memcpy(live, bytes, len);
    if ((b->rows % 64 && live[words - 1] >> b->rows % 64) ||
        presence_count(live, words) != b->live_count) {
        slot_memory_free(g->budget, live, BLOCK_WORDS * sizeof *live);
        return error_set(err, -EBADMSG, 1030,
                         "a row mask does not have the %" PRIu32 " live rows its directory says",
                         b->live_count);
    }
    b->live = live;
    return 0;
}

static int take_column(struct segment *g, struct segment_block *b, unsigned c, const uint8_t *bytes,
                       uint32_t len, struct error_info *err)
{
    struct dict *lists = g->dicts.lists ? g->dicts.lists[c] : NULL;
    enum column_layout layout = g->schema->columns[c].layout;
    uint32_t codes = 0;

    if (c == g->schema->n_columns)
        return take_mask(g, b, bytes, len, err);
    if (layout != LAYOUT_ORDERED)
        codes = dict_count(layout == LAYOUT_LIST ? lists : g->dicts.dicts[c]);
    return column_image_decode(bytes, len, layout, b->rows, codes, lists, g->budget, &b->columns[c],
                               err);
}

/* Room before it is needed: what statements want to allocate next should not be refused for a cache. */
static void make_room(struct segment *g, size_t bytes, bool always)
{
    size_t keep = bytes + (g->room ? g->room->reserve : 0);

    if (g->room && g->budget && (always || budget_room(g->budget) < keep))
        g->room->make(g->room->ctx, keep);
}

/* A chunk's bytes into their place; the error names file and offset. */
static int take_chunk(struct segment *g, uint32_t index, unsigned c, const uint8_t *bytes,
                      const struct store_file *file, struct error_info *err)
{
    struct segment_block *b = g->blocks[index];
    const struct chunk_ref *ref = &b->disk[c].disk.ref;
    struct error_info why = {0};
    int rc;

    make_room(g, ref->len, false);
    rc = take_column(g, b, c, bytes, ref->len, &why);
    if (rc == -ENOMEM && g->room) {
        make_room(g, ref->len, true);
        rc = take_column(g, b, c, bytes, ref->len, &why);
    }
    if (rc == 0) {
        segment_count_absent(g, b, -1);
        return 0;
    }
    if (rc == -ENOMEM)
        return error_set(err, rc, 1038,
                         "no memory for %" PRIu32 " bytes of table %s from %s; raise --memory",
                         ref->len, g->schema->name, store_file_name(file));
    return error_set(err, rc, 1030, "%s, offset %" PRIu64 ": damaged: %s", store_file_name(file),
                     ref->offset, why.text);
}

static void read_done(struct store_read *x)
{
    struct segment_read *l = x->ctx;
    struct segment *g = l->segment;
    struct segment_block *b = g->blocks[l->block];
    struct segment_column *d = &b->disk[l->column];
    int rc = x->rc;

    d->loading = false;
    b->loading--;
    g->loading--;
    if (!g->detached && g->refs > 1) {
        struct error_info err = x->error;

        if (rc == 0 && segment_column_absent(g, b, l->column))
            rc = take_chunk(g, l->block, l->column, x->bytes, x->file, &err);
        if (rc != 0) {
            d->failed = b->failing = true;
            g->error = err;
            if (rc != -ENOMEM)
                g->error.code = 1030; /* what a statement that meets it ends with */
        }
        wake_waiters(g, l->block, b->loading == 0);
    }
    store_file_put(x->file);
    free(l);
    segment_put(g);
}

/* ---- asking ---- */

static int request(struct segment *g, uint32_t index, unsigned column)
{
    struct segment_block *b = g->blocks[index];
    struct segment_read *l = calloc(1, sizeof *l);

    if (!l)
        return error_set(&g->error, -ENOMEM, 1037, "out of memory while reading table %s",
                         g->schema->name);
    l->segment = segment_get(g);
    l->block = index;
    l->column = (uint16_t)column;
    l->read.file = store_file_get(g->file);
    l->read.ref = b->disk[column].disk.ref;
    l->read.done = read_done;
    l->read.ctx = l;
    b->disk[column].loading = true;
    b->loading++;
    g->loading++;
    store_read(g->store, &l->read);
    return 0;
}

/* Column number i that a want names, the row mask last; n_columns + 1 = no more. */
static unsigned wanted(const struct segment *g, const struct column_want *want, unsigned i)
{
    unsigned n = g->schema->n_columns, have = want ? want->n : n;

    if (i < have)
        return want ? want->columns[i] : i;
    return i == have ? n : n + 1;
}

void segment_block_peek(const struct segment *g, uint32_t index, struct block *out)
{
    const struct segment_block *b = g->blocks[index];

    ASSERT(index < g->n_blocks);
    *out = (struct block){.rows = b->rows, .live_count = b->live_count};
}

bool segment_block_has(const struct segment *g, uint32_t index, const struct column_want *want)
{
    const struct segment_block *b = g->blocks[index];
    unsigned c;

    ASSERT(index < g->n_blocks);
    for (unsigned i = 0; b->absent && (c = wanted(g, want, i)) <= g->schema->n_columns; i++) {
        if (segment_column_absent(g, b, c))
            return false;
    }
    return true;
}

/* Is one of the wanted columns absent? Those that failed may be asked for anew. */
static bool find_absent(struct segment *g, struct segment_block *b, const struct column_want *want)
{
    bool absent = false;
    unsigned c;

    for (unsigned i = 0; (c = wanted(g, want, i)) <= g->schema->n_columns; i++) {
        if (!segment_column_absent(g, b, c))
            continue;
        absent = true;
        b->disk[c].failed = false;
    }
    return absent;
}

static int request_absent(struct segment *g, uint32_t index, const struct column_want *want)
{
    struct segment_block *b = g->blocks[index];
    unsigned c;

    for (unsigned i = 0; (c = wanted(g, want, i)) <= g->schema->n_columns; i++) {
        if (segment_column_absent(g, b, c) && !b->disk[c].loading && !b->disk[c].failed &&
            request(g, index, c) != 0)
            return -ENOMEM;
    }
    return 0;
}

enum block_state segment_block_want(struct segment *g, uint32_t index,
                                    const struct column_want *want, struct task *wake,
                                    struct block *out)
{
    struct segment_block *b = g->blocks[index];

    ASSERT(index < g->n_blocks);
    if (out)
        *out = (struct block){.rows = b->rows,
                              .live_count = b->live_count,
                              .live = b->live,
                              .columns = (struct colblock **)b->columns};
    if (!b->absent)
        return BLOCK_READY;
    b->used = ++g->uses;
    b->held = 0;
    g->used_tick = segment_now(g);
    if (take_failure(g, wake, index))
        return BLOCK_FAILED;
    if (!find_absent(g, b, want))
        return BLOCK_READY;
    if (wake && add_waiter(g, wake, index) != 0) {
        error_set(&g->error, -ENOMEM, 1037, "out of memory while reading table %s",
                  g->schema->name);
        return BLOCK_FAILED;
    }
    if (request_absent(g, index, want) != 0) {
        segment_unwait(g, wake);
        return BLOCK_FAILED;
    }
    segment_block_hold(g, index, wake != NULL);
    return BLOCK_PENDING;
}

void segment_block_hold(struct segment *g, uint32_t index, bool hold)
{
    ASSERT(index < g->n_blocks);
    g->blocks[index]->held = hold ? segment_now(g) + 1 : 0;
}

void segment_block_ask(struct segment *g, uint32_t index, const struct column_want *want)
{
    ASSERT(index < g->n_blocks);
    if (g->blocks[index]->absent)
        (void)request_absent(g, index, want); /* without memory it is read when it is needed */
}

enum block_state segment_load(struct segment *g, unsigned reads, struct task *wake)
{
    bool failed = false;

    if (!g->absent)
        return BLOCK_READY;
    for (uint32_t i = 0; i < g->n_blocks && g->loading < reads; i++) {
        struct segment_block *b = g->blocks[i];

        for (unsigned c = 0; b->absent && c <= g->schema->n_columns && g->loading < reads; c++) {
            if (!segment_column_absent(g, b, c) || b->disk[c].loading)
                continue;
            if (b->disk[c].failed || request(g, i, c) != 0)
                failed = true;
        }
    }
    if (!g->loading && failed)
        return BLOCK_FAILED;
    if (wake && add_waiter(g, wake, SEGMENT_ANY_BLOCK) != 0)
        return BLOCK_FAILED;
    return BLOCK_PENDING;
}

/* ---- at once ---- */

static int read_now(struct segment *g, uint32_t index, unsigned column, struct error_info *err)
{
    const struct chunk_ref *ref = &g->blocks[index]->disk[column].disk.ref;
    uint8_t *bytes;
    int rc = store_read_now(g->store, g->file, ref, &bytes, err);

    if (rc != 0)
        return rc;
    rc = take_chunk(g, index, column, bytes, g->file, err);
    free(bytes);
    return rc;
}

int segment_block_now(struct segment *g, uint32_t index, const struct column_want *want,
                      struct error_info *err)
{
    struct segment_block *b = g->blocks[index];
    uint64_t held = b->held;
    unsigned c;
    int rc = 0;

    ASSERT(index < g->n_blocks);
    if (!b->absent)
        return 0;
    b->used = ++g->uses;
    segment_block_hold(g, index, true); /* room for one column is not made by another's going */
    for (unsigned i = 0; rc == 0 && (c = wanted(g, want, i)) <= g->schema->n_columns; i++) {
        if (segment_column_absent(g, b, c))
            rc = read_now(g, index, c, err);
    }
    b->held = held;
    return rc;
}

int segment_load_now(struct segment *g, struct error_info *err)
{
    int rc = 0;

    for (uint32_t i = 0; i < g->n_blocks && rc == 0; i++)
        rc = segment_block_now(g, i, NULL, err);
    return rc;
}

/* ---- leaving memory ---- */

static bool is_clean(const struct segment_block *b, unsigned c)
{
    const struct segment_column *d = &b->disk[c];

    return b->columns[c] && d->disk.ref.offset && !d->changed && !d->in_cut;
}

static bool is_held(const struct segment *g, const struct segment_block *b)
{
    return b->held && b->held + HOLD_TICKS > segment_now(g);
}

static size_t evict_block(struct segment *g, struct segment_block *b)
{
    size_t freed = 0;

    for (unsigned c = 0; c < g->schema->n_columns; c++) {
        if (!is_clean(b, c))
            continue;
        freed += colblock_memory(b->columns[c]);
        colblock_free(b->columns[c]);
        b->columns[c] = NULL;
        segment_count_absent(g, b, 1);
    }
    return freed;
}

size_t segment_evict(struct segment *g, size_t bytes, bool all)
{
    size_t freed = 0;

    for (uint32_t i = 0; i < g->n_blocks && freed < bytes && g->file; i++) {
        struct segment_block *b = g->blocks[i];

        if ((!all && b->used && g->uses - b->used < RECENT) || is_held(g, b) || is_waited_for(g, i))
            continue;
        freed += evict_block(g, b);
    }
    return freed;
}

void segment_residency(const struct segment *g, size_t *clean, size_t *changed)
{
    *clean = 0;
    *changed = g->aside_bytes;
    for (uint32_t i = 0; i < g->n_blocks; i++) {
        const struct segment_block *b = g->blocks[i];

        for (unsigned c = 0; c < g->schema->n_columns; c++) {
            if (b->columns[c])
                *(is_clean(b, c) ? clean : changed) += colblock_memory(b->columns[c]);
        }
    }
}
