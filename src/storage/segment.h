#pragma once
/*
 * Segment: the rows of one (slot, table, time partition), in blocks of 65,536; the last one is open (tail). Rows
 * have dense 32-bit numbers that never leave the segment. Owner: the slot's core. Reference counted so that a
 * statement can pin it while a rewrite or drop publishes a new version.
 */
#include "storage/colblock.h"
#include "storage/schema.h"

struct budget;
struct dict;
struct column_want;
struct segment;

/* A block as the executor sees it. Valid until the next change of the segment on this core. */
struct block {
    uint32_t rows;        /* rows appended, deleted ones included */
    uint32_t live_count;  /* not deleted */
    const uint64_t *live; /* row mask of BLOCK_WORDS words; NULL = all rows live */
    struct colblock **
        columns; /* by column position in the schema; NULL = column lacks here (all default/NULL) */
};

enum block_state { BLOCK_READY, BLOCK_PENDING, BLOCK_FAILED };

/* Dictionaries belong to the slot: dicts[i] for column position i (NULL for ORDERED); for LIST columns dicts[i]
 * holds the single values and lists[i] the value lists. */
struct segment_dicts {
    struct dict **dicts;
    struct dict **lists;
};

int segment_new(const struct schema *s, const struct segment_dicts *d, int64_t partition,
                struct budget *budget, struct segment **out);
struct segment *segment_get(struct segment *g);
void segment_put(struct segment *g);

uint32_t segment_rows(const struct segment *g); /* appended, deleted ones included */
uint32_t segment_live(const struct segment *g);
/* Counts changes and deletes of rows that were there. */
uint64_t segment_changes(const struct segment *g);
uint32_t segment_blocks(const struct segment *g);
const struct schema *segment_schema(const struct segment *g);
int64_t segment_partition(
    const struct segment *g); /* start of the partition, s since 1970; 0 = none */

/* Asks for the memory that tells how many blocks there are, or of what headers tell about these columns of a block, in
 * steps that read what the one before asked for: 0 where the block is, 1 the block, 2 bounds, 3 what else there is (all:
 * to answer for all rows). The segment is loaded. No result. */
void segment_prefetch_blocks(const struct segment *g);
void segment_prefetch(const struct segment *g, uint32_t index, const struct column_want *want,
                      unsigned step, bool all);

/* BLOCK_PENDING when the block must first be read: then the wait is told through `wake` (a task of the caller). */
struct task;
enum block_state segment_block(struct segment *g, uint32_t index, struct task *wake,
                               struct block *out);

/* Appends one row: values[i], present[i] by column position (codes for coded columns). 0 with its number. */
int segment_append(struct segment *g, const int64_t *values, const uint8_t *present, uint32_t *row);
/* Sets one column of a row in place; counts and bounds are adjusted in the same step. */
int segment_set(struct segment *g, uint32_t row, unsigned column, int64_t value, bool present);
/* Marks a row deleted. */
int segment_delete(struct segment *g, uint32_t row);
bool segment_is_live(const struct segment *g, uint32_t row);
bool segment_value(struct segment *g, uint32_t row, unsigned column,
                   int64_t *value); /* false = NULL */

/*
 * Seals full lines of the tail when the segment got no rows since the last tick, and the rest when it got none for a
 * while, longer each time that rows came again; ticks ascend, about a second apart. Fewer rows than a line has stay a
 * tail, as they would take many times the memory.
 * True when it sealed something (some milliseconds of work).
 */
bool segment_seal_quiet(struct segment *g, uint64_t tick);

/* Seals full lines of the tail now, or all of it. */
int segment_seal(struct segment *g, bool all);
size_t segment_memory(const struct segment *g);

/* Is a column of a row's block in memory? Only then may segment_value, segment_set and so on name it. */
bool segment_has(const struct segment *g, uint32_t row, unsigned column);

/* n rows at once: values[c] and present[c] (NULL = all have a value) are the rows of column position c. Rows before
 * *done are appended when memory runs out: 0 or -ENOMEM. *first: number of the first one. */
int segment_append_rows(struct segment *g, int64_t *const *values, uint8_t *const *present,
                        uint32_t n, uint32_t *first, uint32_t *done);

/* segment_set in two steps, so that several columns of a row change together: reserve each (0 or -ENOMEM, nothing
 * seen changes), then put each, which cannot fail. */
int segment_reserve_set(struct segment *g, uint32_t row, unsigned column, int64_t value,
                        bool present);
void segment_put_value(struct segment *g, uint32_t row, unsigned column, int64_t value,
                       bool present);
