#pragma once
/*
 * Figures: what segments, the slots and a table take on a core, in memory and on disk. Gathered when somebody asks;
 * a walk over all blocks, so a segment at a time with other work in between. Owner: the slots' core.
 */
#include <stdbool.h>
#include <stdint.h>

struct segment;
struct shard;
struct slot;

struct figures {            /* bytes, where nothing else is said; additive */
    uint64_t rows, deleted; /* live ones; those that only a row mask holds back */
    uint64_t segments, blocks;
    uint64_t absent;         /* columns of blocks, row masks included, that are on disk only */
    uint64_t absent_bytes;   /* theirs on disk */
    uint64_t clean, changed; /* columns in memory: those that may leave, and the others */
    uint64_t indexes, dicts; /* in memory */
    uint64_t rest;           /* in memory: row masks, directories of blocks */
    uint64_t disk, dead;     /* of data files; of these, what nothing refers to any more */
    uint64_t data;           /* what the rows take, wherever they are: dictionaries included */
};

void figures_add(struct figures *to, const struct figures *from);
uint64_t figures_memory(const struct figures *f);

/* Adds those of a segment, and with its key index when `part` of a slot is asked for. */
void segment_add_figures(const struct segment *g, struct figures *to);
void slot_add_part_figures(const struct slot *t, uint32_t part, struct figures *to);
/* What the slot has beside its segments: dictionaries and their file. */
void slot_add_head_figures(const struct slot *t, struct figures *to);

/* Bytes of columns that are on disk only, of all tables: cheap while nothing is. */
uint64_t shard_absent_bytes(struct shard *s);

/* A walk over one table of a shard. Owner: the caller, on the shard's core; within one turn per step. */
struct figures_walk {
    struct shard *shard;
    uint32_t table_id;
    uint32_t slot, part; /* where it goes on: position among the core's slots, segment */
};
/* About `blocks` blocks more: true when the table is done, also when it is gone. */
bool figures_walk_step(struct figures_walk *w, uint32_t blocks, struct figures *to);
