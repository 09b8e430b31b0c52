/*
 * Segment: blocks of 65,536 rows, the last one growing. A block is sealed when it is full or got no
 * rows for a while, or in full lines on request; a block that could not be sealed for want of memory
 * stays open and is tried again at the next request.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/colblock_change.h"
#include "storage/presence.h"
#include "storage/segment_impl.h"
#include "storage/slot_memory.h"

enum {
    QUIET_WAIT = 1,        /* ticks until the last line is sealed; when rows come after that */
    QUIET_WAIT_FACTOR = 4, /* more of them, as each time the block is built anew, */
    QUIET_WAIT_MAX = 1024, /* until it hardly counts */
};

int segment_new(const struct schema *s, const struct segment_dicts *d, int64_t partition,
                struct budget *budget, struct segment **out)
{
    struct segment *g = slot_memory_zeroed(budget, sizeof *g);

    if (!g)
        return -ENOMEM;
    g->refs = 1;
    g->quiet_wait = QUIET_WAIT;
    g->partition = partition;
    g->schema = schema_get((struct schema *)s); /* only the count of references changes */
    g->dicts = *d;
    g->budget = budget;
    *out = g;
    return 0;
}

struct segment *segment_get(struct segment *g)
{
    g->refs++;
    return g;
}

static size_t block_bytes(const struct segment *g)
{
    return segment_block_bytes(g->schema->n_columns);
}

static size_t disk_bytes(const struct segment *g)
{
    return segment_disk_bytes(g->schema->n_columns);
}

static void block_free(struct segment *g, struct segment_block *b)
{
    for (unsigned c = 0; c < g->schema->n_columns; c++)
        colblock_free(b->columns[c]);
    slot_memory_free(g->budget, b->live, BLOCK_WORDS * sizeof *b->live);
    slot_memory_free(g->budget, b->disk, disk_bytes(g));
    slot_memory_free(g->budget, b, block_bytes(g));
}

void segment_pop_block(struct segment *g)
{
    struct segment_block *b = g->blocks[--g->n_blocks];

    segment_count_absent(g, b, -(int)b->absent);
    block_free(g, b);
}

/* The list of blocks, when it has memory of its own. */
static void free_list(struct segment *g)
{
    if (g->blocks != &g->first)
        slot_memory_free(g->budget, g->blocks, g->cap_blocks * sizeof *g->blocks);
}

void segment_put(struct segment *g)
{
    if (!g || --g->refs > 0)
        return;
    ASSERT(!g->loading);
    segment_cut_forget(g);
    segment_cut_end_urgent(g);
    while (g->n_blocks > 0)
        segment_pop_block(g);
    free_list(g);
    store_file_put(g->file);
    store_file_put(g->cut_file);
    free(g->waiters);
    schema_put(g->schema);
    slot_memory_free(g->budget, g, sizeof *g);
}

uint32_t segment_rows(const struct segment *g)
{
    return g->rows;
}

uint32_t segment_live(const struct segment *g)
{
    return g->live;
}

uint64_t segment_changes(const struct segment *g)
{
    return g->changes;
}

uint32_t segment_blocks(const struct segment *g)
{
    return g->n_blocks;
}

const struct schema *segment_schema(const struct segment *g)
{
    return g->schema;
}

int64_t segment_partition(const struct segment *g)
{
    return g->partition;
}

size_t segment_memory(const struct segment *g)
{
    size_t n = sizeof *g + (g->cap_blocks > 1 ? g->cap_blocks * sizeof *g->blocks : 0);

    for (uint32_t i = 0; i < g->n_blocks; i++) {
        const struct segment_block *b = g->blocks[i];

        n += block_bytes(g) + disk_bytes(g) + (b->live ? BLOCK_WORDS * sizeof *b->live : 0);
        for (unsigned c = 0; c < g->schema->n_columns; c++)
            n += b->columns[c] ? colblock_memory(b->columns[c]) : 0;
    }
    return n + g->aside_bytes;
}

enum block_state segment_block(struct segment *g, uint32_t index, struct task *wake,
                               struct block *out)
{
    struct segment_block *b;

    ASSERT(index < g->n_blocks);
    b = g->blocks[index];
    if (b->absent)
        return segment_block_want(g, index, NULL, wake, out);
    *out = (struct block){.rows = b->rows,
                          .live_count = b->live_count,
                          .live = b->live,
                          .columns = b->columns};
    return BLOCK_READY;
}

void segment_prefetch_blocks(const struct segment *g)
{
    __builtin_prefetch(g);
}

void segment_prefetch(const struct segment *g, uint32_t index, const struct column_want *want,
                      unsigned step, bool all)
{
    const struct segment_block *b;

    if (step == 0) {
        __builtin_prefetch(&g->blocks[index]);
        return;
    }
    b = g->blocks[index];
    if (step == 1)
        __builtin_prefetch(&b->live);
    for (uint32_t i = 0; i < want->n; i++) {
        struct colblock *const *column = &b->columns[want->columns[i]];

        if (step == 1)
            __builtin_prefetch(column);
        else if (*column)
            colblock_prefetch(*column, step - 2, all);
    }
}

struct segment_block *segment_block_new(struct segment *g)
{
    struct segment_block *b = slot_memory_zeroed(g->budget, block_bytes(g));

    if (!b)
        return NULL;
    b->disk = slot_memory_zeroed(g->budget, disk_bytes(g));
    if (!b->disk) {
        slot_memory_free(g->budget, b, block_bytes(g));
        return NULL;
    }
    return b;
}

int segment_block_add(struct segment *g, struct segment_block *b)
{
    if (!g->cap_blocks) {
        g->blocks = &g->first;
        g->cap_blocks = 1;
    } else if (g->n_blocks == g->cap_blocks) {
        uint32_t cap = g->cap_blocks < 4 ? 4 : g->cap_blocks * 2;
        struct segment_block **grown = slot_memory_new(g->budget, cap * sizeof b);

        if (!grown) {
            block_free(g, b);
            return -ENOMEM;
        }
        memcpy(grown, g->blocks, g->n_blocks * sizeof b);
        free_list(g);
        g->blocks = grown;
        g->cap_blocks = cap;
    }
    b->number = g->n_blocks;
    g->blocks[g->n_blocks++] = b;
    return 0;
}

/* A block with its empty columns. */
static struct segment_block *fresh_block(struct segment *g)
{
    struct segment_block *b = segment_block_new(g);

    for (unsigned c = 0; b && c < g->schema->n_columns; c++) {
        struct dict *lists = g->dicts.lists ? g->dicts.lists[c] : NULL;

        b->columns[c] = colblock_new(g->schema->columns[c].layout, lists, g->budget);
        if (!b->columns[c]) {
            block_free(g, b);
            b = NULL;
        }
    }
    return b;
}

/* The open block, a new one when the last is full. -ENOMEM; -ENOSPC when row numbers end. */
static int open_block(struct segment *g, struct segment_block **out)
{
    struct segment_block *b = g->n_blocks ? g->blocks[g->n_blocks - 1] : NULL;

    if (!b || b->rows == BLOCK_ROWS) {
        int rc;

        if (g->n_blocks == 1u << (32 - BLOCK_BITS))
            return -ENOSPC;
        b = fresh_block(g);
        rc = b ? segment_block_add(g, b) : -ENOMEM;
        if (rc != 0)
            return rc;
    }
    *out = b;
    return 0;
}

/* Rows will be appended to the block. */
static void before_append(struct segment *g, struct segment_block *b)
{
    ASSERT(!b->absent);
    g->changed = true;
    if (b->pending)
        segment_set_aside(g, b);
    if (b->sealed && g->quiet_wait < QUIET_WAIT_MAX)
        g->quiet_wait *= QUIET_WAIT_FACTOR;
    b->sealed = false;
    if (b->appended)
        return;
    for (unsigned c = 0; c < g->schema->n_columns; c++)
        b->disk[c].changed = true;
    b->disk[g->schema->n_columns].changed |= b->live != NULL;
    b->appended = true;
}

/* A column, or the row mask, will be changed. */
static void before_change(struct segment *g, struct segment_block *b, unsigned column)
{
    g->changed = true;
    if (b->pending)
        segment_set_aside(g, b);
    b->disk[column].changed = true;
}

/*
 * Seals the first rows of a block. Columns are independent: those done stay so when memory ends.
 */
static int seal_rows(struct segment *g, struct segment_block *b, uint32_t rows)
{
    for (unsigned c = 0; c < g->schema->n_columns; c++) {
        int rc = b->columns[c] ? colblock_seal(b->columns[c], rows) : 0;

        if (rc != 0)
            return rc;
    }
    b->sealed = rows == b->rows;
    return 0;
}

/* What it has in full lines. */
static int seal_block(struct segment *g, struct segment_block *b)
{
    return seal_rows(g, b, b->rows / LINE_ROWS * LINE_ROWS);
}

/* A column in memory with a full line that is not sealed? */
static bool has_open_lines(const struct segment *g, const struct segment_block *b)
{
    for (unsigned c = 0; c < g->schema->n_columns; c++)
        if (b->columns[c] && b->rows - colblock_sealed_rows(b->columns[c]) >= LINE_ROWS)
            return true;
    return false;
}

int segment_seal(struct segment *g, bool all)
{
    for (uint32_t i = 0; i < g->n_blocks; i++) {
        struct segment_block *b = g->blocks[i];
        int rc = all ? seal_rows(g, b, b->rows) : seal_block(g, b);

        if (rc != 0)
            return rc;
    }
    return 0;
}

bool segment_seal_quiet(struct segment *g, uint64_t tick)
{
    struct segment_block *b = g->n_blocks ? g->blocks[g->n_blocks - 1] : NULL;
    bool quiet = g->rows == g->rows_at_tick;

    if (!b || g->tick == tick)
        return false;
    g->tick = tick;
    g->rows_at_tick = g->rows;
    g->quiet_ticks = quiet ? g->quiet_ticks + 1 : 0;
    if (!quiet || b->sealed || g->rows < LINE_ROWS) /* a slice of few rows is as long as a line */
        return false;
    /* Without memory it stays open and answers the same. */
    if (g->quiet_ticks >= g->quiet_wait)
        return seal_rows(g, b, b->rows) == 0;
    return has_open_lines(g, b) && seal_block(g, b) == 0;
}

int segment_append_rows(struct segment *g, int64_t *const *values, uint8_t *const *present,
                        uint32_t n, uint32_t *first, uint32_t *done)
{
    unsigned columns = g->schema->n_columns;

    *first = g->rows;
    for (*done = 0; *done < n;) {
        struct segment_block *b;
        uint32_t take = n - *done, at = *done;
        int rc = open_block(g, &b);

        if (rc != 0)
            return rc;
        if (take > BLOCK_ROWS - b->rows)
            take = BLOCK_ROWS - b->rows;
        before_append(g, b);
        for (unsigned c = 0; c < columns; c++) {
            rc = colblock_reserve(b->columns[c], values[c] + at,
                                  present[c] ? present[c] + at : NULL, take);
            if (rc != 0)
                return rc;
        }
        for (unsigned c = 0; c < columns; c++)
            colblock_append(b->columns[c], values[c] + at, present[c] ? present[c] + at : NULL,
                            take);
        if (b->live)
            presence_fill(b->live, b->rows, take);
        b->rows += take;
        b->live_count += take;
        g->rows += take;
        g->live += take;
        *done += take;
        if (b->rows == BLOCK_ROWS)
            (void)seal_block(g, b); /* without memory it stays open, which answers the same */
    }
    return 0;
}

int segment_append(struct segment *g, const int64_t *values, const uint8_t *present, uint32_t *row)
{
    struct segment_block *b;
    int rc = open_block(g, &b);

    if (rc != 0)
        return rc;
    before_append(g, b);
    for (unsigned c = 0; c < g->schema->n_columns; c++) {
        rc = colblock_reserve(b->columns[c], &values[c], &present[c], 1);
        if (rc != 0)
            return rc;
    }
    for (unsigned c = 0; c < g->schema->n_columns; c++)
        colblock_append(b->columns[c], &values[c], &present[c], 1);
    if (b->live)
        presence_set(b->live, b->rows);
    b->rows++;
    b->live_count++;
    g->live++;
    *row = g->rows++;
    if (b->rows == BLOCK_ROWS)
        (void)seal_block(g, b);
    return 0;
}

static struct colblock *column_of(const struct segment *g, uint32_t row, unsigned column)
{
    struct colblock *c;

    ASSERT(row < g->rows && column < g->schema->n_columns);
    c = g->blocks[row >> BLOCK_BITS]->columns[column];
    ASSERT(c); /* whoever names a row has made sure that its block is in memory */
    return c;
}

bool segment_has(const struct segment *g, uint32_t row, unsigned column)
{
    ASSERT(row < g->rows && column < g->schema->n_columns);
    return g->blocks[row >> BLOCK_BITS]->columns[column] != NULL;
}

int segment_reserve_set(struct segment *g, uint32_t row, unsigned column, int64_t value,
                        bool present)
{
    struct colblock *c = column_of(g, row, column);

    before_change(g, g->blocks[row >> BLOCK_BITS], column);
    return colblock_reserve_set(c, row & (BLOCK_ROWS - 1), value, present);
}

void segment_put_value(struct segment *g, uint32_t row, unsigned column, int64_t value,
                       bool present)
{
    g->changes++;
    colblock_set(column_of(g, row, column), row & (BLOCK_ROWS - 1), value, present);
}

int segment_set(struct segment *g, uint32_t row, unsigned column, int64_t value, bool present)
{
    int rc = segment_reserve_set(g, row, column, value, present);

    if (rc == 0)
        segment_put_value(g, row, column, value, present);
    return rc;
}

bool segment_value(struct segment *g, uint32_t row, unsigned column, int64_t *value)
{
    return colblock_get(column_of(g, row, column), row & (BLOCK_ROWS - 1), value);
}

bool segment_is_live(const struct segment *g, uint32_t row)
{
    const struct segment_block *b;

    ASSERT(row < g->rows);
    b = g->blocks[row >> BLOCK_BITS];
    ASSERT(!segment_column_absent(g, b, g->schema->n_columns));
    return !b->live || presence_get(b->live, row & (BLOCK_ROWS - 1));
}

int segment_delete(struct segment *g, uint32_t row)
{
    struct segment_block *b;

    ASSERT(row < g->rows);
    b = g->blocks[row >> BLOCK_BITS];
    ASSERT(!segment_column_absent(g, b, g->schema->n_columns));
    before_change(g, b, g->schema->n_columns);
    if (!b->live) {
        b->live = slot_memory_zeroed(g->budget, BLOCK_WORDS * sizeof *b->live);
        if (!b->live)
            return -ENOMEM;
        presence_fill(b->live, 0, b->rows);
    }
    if (!presence_get(b->live, row & (BLOCK_ROWS - 1)))
        return 0;
    presence_clear(b->live, row & (BLOCK_ROWS - 1));
    b->live_count--;
    g->live--;
    g->changes++;
    return 0;
}
