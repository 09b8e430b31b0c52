/*
 * Segment: columns come into memory. A statement asks for those of a block and waits with a task; who waits for the
 * block is run when nothing of it is on its way any more (segment_read.c).
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
    WANT_GAP = 16 << 10, /* bytes between two chunks that are read as well, to save a read */
    LOAD_GAP = 64 << 10, /* the same in the background */
    RECENT = 8,          /* blocks asked for last: evicted only when nothing else is left */
    HOLD_TICKS = 3,      /* more than two whole ones */
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

int segment_cut_add_waiter(struct segment *g, struct task *wake)
{
    return add_waiter(g, wake, SEGMENT_CUT_BLOCK);
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

void segment_wake_block(struct segment *g, uint32_t block, bool done)
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

/* ---- asking ---- */

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
    struct segment_reading x = {.segment = g, .gap = WANT_GAP};
    struct segment_block *b = g->blocks[index];
    unsigned c;
    int rc = 0;

    for (unsigned i = 0; rc == 0 && (c = wanted(g, want, i)) <= g->schema->n_columns; i++) {
        if (segment_column_absent(g, b, c) && !b->disk[c].loading && !b->disk[c].failed)
            rc = segment_read_add(&x, index, c);
    }
    segment_read_send(&x);
    return rc;
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

bool segment_has_room(const struct segment *g)
{
    return !g->budget || !g->room || budget_room(g->budget) > 2 * g->room->reserve;
}

void segment_block_ask(struct segment *g, uint32_t index, const struct column_want *want)
{
    ASSERT(index < g->n_blocks);
    if (g->blocks[index]->absent)
        (void)request_absent(g, index, want); /* without memory it is read when it is needed */
}

/* Asks for what a block lacks and did not fail: true when nothing is left to ask for. */
static bool load_block(struct segment_reading *x, uint32_t index, size_t in_flight)
{
    struct segment *g = x->segment;
    struct segment_block *b = g->blocks[index];

    for (unsigned c = 0; b->absent > b->loading && c <= g->schema->n_columns; c++) {
        if (!segment_column_absent(g, b, c) || b->disk[c].loading || b->disk[c].failed)
            continue;
        /* One at least is on its way, so that its coming wakes who asks. */
        if (g->loading && store_reading(g->store) + segment_read_open(x) >= in_flight)
            return false;
        if (segment_read_add(x, index, c) != 0)
            b->disk[c].failed = true;
    }
    return true;
}

enum block_state segment_load(struct segment *g, size_t in_flight, struct task *wake)
{
    struct segment_reading x = {.segment = g, .gap = LOAD_GAP, .ahead = true};

    if (!g->absent)
        return BLOCK_READY;
    if (!g->loading && g->load_at >= g->n_blocks) /* something left memory meanwhile, or failed */
        g->load_at = 0;
    while (g->load_at < g->n_blocks && load_block(&x, g->load_at, in_flight))
        g->load_at++;
    segment_read_send(&x);
    if (!g->loading && g->load_at >= g->n_blocks)
        return BLOCK_FAILED;
    if (wake && add_waiter(g, wake, SEGMENT_ANY_BLOCK) != 0)
        return BLOCK_FAILED;
    return BLOCK_PENDING;
}

/* ---- at once ---- */

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
            rc = segment_read_now(g, index, c, err);
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

static void count_evicted(const struct segment *g, size_t bytes)
{
    if (!g->room || !g->room->traffic)
        return;
    g->room->traffic->evicted++;
    g->room->traffic->evicted_bytes += bytes;
}

static size_t evict_block(struct segment *g, struct segment_block *b)
{
    size_t freed = 0;

    for (unsigned c = 0; c < g->schema->n_columns; c++) {
        if (!is_clean(b, c))
            continue;
        size_t bytes = colblock_memory(b->columns[c]);

        colblock_free(b->columns[c]);
        b->columns[c] = NULL;
        segment_count_absent(g, b, 1);
        count_evicted(g, bytes);
        freed += bytes;
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
