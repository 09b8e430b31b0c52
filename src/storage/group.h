#pragma once
/*
 * Grouping within the slots of a core: groups keyed by codes and integers, with vector-at-a-time accumulation. The
 * groups of a slot are kept as they are until all slots are done, and then turned into value-keyed partial groups, a
 * range of their hashes after the other when they are many. Owner: the scan.
 */
#include "storage/input.h"
#include "storage/partial.h"

struct group_table;
struct group_set;

/* Hashes of groups are told apart by their upper 16 bits: a range is [from, to) of GROUP_HASHES. */
enum { GROUP_HASHES = 1 << 16, GROUP_HASH_SHIFT = 64 - 16 };

struct group_range {
    uint32_t from, to;
};

/* inputs: the program's group columns, then one per aggregate (ref UINT16_MAX for COUNT(*)). */
int group_new(const struct program *p, struct input *inputs, struct budget *budget,
              struct group_table **out);
void group_free(struct group_table *g);

/* Groups outside the range are passed over, and all that is there is forgotten. `hash` (for the hashes only) lives as
 * long as the table; NULL = all groups. */
void group_restrict(struct group_table *g, struct partial *hash, struct group_range range);

/* At most so many bytes instead of program->memory. */
void group_limit(struct group_table *g, uint64_t bytes);

/* Starts slot number `slot` (its dictionaries are bound in the inputs). */
int group_begin(struct group_table *g, uint32_t slot);
/* Accumulates n rows that stand decoded in the inputs. -ENOMEM. */
int group_add(struct group_table *g, uint32_t n);
/* Group `code` of the only (enumerated) group column gets n more rows: for counts read from the blocks. */
int group_add_count(struct group_table *g, int64_t code, bool present, uint64_t n);
/* What was added up elsewhere for an aggregate of one group: values, and their sum. */
struct group_sum {
    __int128 sum;
    int64_t count;
};
/* The group of a key (values or codes of the group columns, 0 for NULL; then the mask of those that are not NULL) gets
 * more: one of `sums` for each aggregate, COUNT and SUM. */
int group_add_sums(struct group_table *g, const int64_t *key, const struct group_sum *sums);
/* Up to `most` of the open slot's groups, by one string and with counts only, go into a set: 1 = all have, 0, -ENOMEM. */
int group_fold(struct group_table *g, bool only_keys, uint32_t most, struct group_set *to);
/* Ends the slot: its groups are kept. */
int group_end(struct group_table *g);

/* The slots that were ended, in order; the groups of all, the open one included. */
uint32_t group_parts(const struct group_table *g);
uint32_t group_part_slot(const struct group_table *g, uint32_t part);
uint64_t group_total(const struct group_table *g);
/*
 * Groups of a part, from number *at on, whose hashes lie in the range, go into the partial; the part's dictionaries
 * are bound in the inputs again. Looks at `most` groups and takes about a sixteenth of that: 0, *at tells where it
 * stands; 1 when that is the end of the part; -ENOMEM.
 */
int group_flush(struct group_table *g, uint32_t part, uint32_t *at, struct group_range range,
                uint32_t most, struct partial *to);
