#pragma once
/*
 * Grouping within one slot: groups keyed by codes and integers, with vector-at-a-time accumulation; turned into
 * value-keyed partial groups when the slot is done. Owner: the scan.
 */
#include "storage/input.h"
#include "storage/partial.h"

struct group_table;

/* inputs: the program's group columns, then one per aggregate (ref UINT16_MAX for COUNT(*)). */
int group_new(const struct program *p, struct input *inputs, struct budget *budget,
              struct group_table **out);
void group_free(struct group_table *g);

/* Starts a slot (its dictionaries are bound in the inputs). */
int group_begin(struct group_table *g);
/* Accumulates n rows that stand decoded in the inputs. -ENOMEM. */
int group_add(struct group_table *g, uint32_t n);
/* Group `code` of the only (enumerated) group column gets n more rows: for counts read from the blocks. */
int group_add_count(struct group_table *g, int64_t code, bool present, uint64_t n);
/* Ends the slot: its groups go into the partial. */
int group_flush(struct group_table *g, struct partial *to);
