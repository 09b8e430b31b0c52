#pragma once
/*
 * A segment gets further columns: new structures for its blocks are prepared, with a constant for each new column, and
 * take the place of the old ones in one step. Row numbers, positions of columns and what is in memory stay, chunks on
 * their way arrive; a cut at work is given up (-ESTALE).
 * For slot_alter.c.
 */
#include "storage/segment.h"

/* Owner: the alter of its slot. */
struct segment_alter {
    struct segment *segment; /* a reference */
    struct schema *next;     /* the slot alter's */
    struct segment_block **blocks;
    uint32_t n_blocks, cap_blocks;
};

/* dicts: as they will be. 0, -ENOMEM, -ENOSPC; then nothing is kept. */
int segment_alter_init(struct segment_alter *a, struct segment *g, struct schema *next,
                       const struct segment_dicts *dicts);
/* The segment must have had no writes since. */
void segment_alter_take(struct segment_alter *a, const struct segment_dicts *dicts);
void segment_alter_fini(struct segment_alter *a); /* also after it was taken */

/* A segment that only readers have keeps its columns; the dictionaries are in other places. */
void segment_set_dicts(struct segment *g, const struct segment_dicts *dicts);
