#pragma once
/*
 * Filter: a program's predicate bound to one slot (strings turned into code sets of its dictionaries), evaluated on
 * one block at a time. Owner: the scan, on the slot's core.
 */
#include "reactor/arena.h"
#include "storage/container_meet.h"
#include "storage/program.h"
#include "storage/segment_disk.h"
#include "storage/slot.h"

struct filter;

/* Binds to the slot, whose dictionaries filter_grow looks at. *out may be NULL: no condition. 0 or -ENOMEM. */
int filter_bind(const struct predicate *where, struct slot *slot, struct arena *arena,
                struct filter **out);

/* Takes in the dictionaries as they are now, which rows whose values change may let grow: before each block. Bounded
 * work: 0 = all taken in; 1 = call again before the filter is used; -ENOMEM; -EBADMSG with err filled: a dictionary is
 * damaged. */
int filter_grow(struct filter *f, struct arena *arena, struct error_info *err);

/* sel &= rows for which the predicate is true. True when the block was decided by its bounds alone. */
bool filter_block(const struct filter *f, const struct block *b, uint64_t *sel);

/* sel = rows of [from, to) of the block that are not deleted and for which the predicate is true. As above. What meets
 * next, or NULL, is fetched on the way. */
bool filter_rows(const struct filter *f, const struct block *b, uint32_t from, uint32_t to,
                 const struct container_meet *next, uint64_t *sel);

/* For a block to come, whose headers segment_prefetch was asked for: asks for the memory of what tells where rows are. */
void filter_prefetch(const struct filter *f, const struct block *b);
/* After that: the sets that filter_count, or filter_rows, will look at there, if the block does not change. False when
 * there are none. */
bool filter_foresee(const struct filter *f, const struct block *b, struct container_meet *next);

/* How the rows of a block were counted. */
enum filter_counted {
    FILTER_UNCOUNTED, /* filter_rows must tell */
    FILTER_BY_HEADERS,
    FILTER_MET, /* in the containers of the conditions */
};

/* Number of those among all rows of the block, without making a selection; FILTER_MET only when `meet`. Next as above. */
enum filter_counted filter_count(const struct filter *f, const struct block *b, bool meet,
                                 const struct container_meet *next, uint32_t *n);

/* Can any row of the block match, as far as its bounds tell? Reads no column, so that absent ones need not be. */
bool filter_may_match(const struct filter *f, const struct segment *g, uint32_t block);

/* Marks the columns that filter_block looks at: used[] by position. */
void filter_columns(const struct predicate *where, bool *used);
