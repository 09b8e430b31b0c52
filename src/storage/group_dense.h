#pragma once
/*
 * Grouping into arrays by position: when the group columns are enumerated or integers of a small range, a row's group
 * is the product of its codes, so that a line of rows is decoded, turned into positions and added with no look-up.
 * Attributes of parents are codes, too: what they add to a position is looked up by the relation's value.
 * COUNT and SUM only. Owner: the scan, on the slots' core.
 */
#include "storage/group.h"
#include "storage/group_set.h"
#include "storage/group_value.h"

struct group_dense;

/*
 * *out = NULL when the program is none for it. inputs as for group_new, joins: the maps of the program's joins; at
 * most `limit` bytes. 0 or -ENOMEM.
 */
int group_dense_new(const struct program *p, const struct schema *s, struct input *inputs,
                    struct join_map *const *joins, struct budget *budget, uint64_t limit,
                    struct group_dense **out);
void group_dense_free(struct group_dense *d);
/* Back to no arrays. */
void group_dense_clear(struct group_dense *d);

/*
 * Empties it, and takes the slot's dictionaries and the ranges of all own columns, by position in the schema, for at
 * most `rows` rows. `sieves`: the inner joins, by bits, of which group_dense_add may be told that all rows have their
 * parent. False: the arrays would be too large, or there is no memory for them.
 */
bool group_dense_begin(struct group_dense *d, const struct dense_range *ranges, uint64_t rows,
                       uint32_t sieves, struct arena *arena);

/* Inner joins, by bits, of which group_dense_add need not be told so: it looks all parents up. */
uint32_t group_dense_looks_up(const struct group_dense *d);

/*
 * Adds the selected rows of a block, NULL = all of them; those have their parents of the joins `sieved`. False when its
 * values do not fit; then nothing was added.
 */
bool group_dense_add(struct group_dense *d, const struct block *b, const uint64_t *sel,
                     uint32_t sieved);

/* The groups go into the slot's. 0 or -ENOMEM; it is empty in any case. */
int group_dense_flush(struct group_dense *d, struct group_table *to);

/* ---- as they are, for the merge ---- */

/* Grouped by an integer alone: the positions mean the same in all slots, so that the arrays may go on over all of
 * them, when the range given to group_dense_begin was that of all. */
bool group_dense_is_shared(const struct group_dense *d);
/* After the last block, before the following: all rows are where they are read. */
void group_dense_settle(struct group_dense *d);
/* Has it arrays? */
bool group_dense_is_open(const struct group_dense *d);
/* First and last value that there are positions for; false: none. Of shared ones, as the following. */
bool group_dense_span(const struct group_dense *d, int64_t *first, int64_t *last);
/* rows[i] += rows of the group of value first + i. */
void group_dense_add_rows(const struct group_dense *d, int64_t first, uint32_t n, uint64_t *rows);
/* Adds what aggregates of a value (NULL = of NULL) have: false when the group has no rows. */
bool group_dense_read(const struct group_dense *d, const int64_t *value, struct group_sum *sums);

/* Grouped by a string alone and counted: can go into a set. */
bool group_dense_can_set(const struct group_dense *d);
unsigned group_dense_set_words(const struct group_dense *d);
/* The groups of the slot from position *at on go into the set, `most` positions at most: 1 when it is empty, 0,
 * -ENOMEM. */
int group_dense_fold(struct group_dense *d, struct slot *slot, size_t *at, size_t most,
                     struct group_set *to);
