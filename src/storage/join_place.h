#pragma once
/*
 * Places of a relation's values among the groups: what the attributes of the parent add to the position of a row's
 * group in arrays of groups. Owner: the scan, on the slot's core; lives with a slot's arena.
 */
#include "reactor/arena.h"
#include "storage/join_map.h"

enum { JOIN_PLACE_NONE = 1 << 26 }; /* above all positions: the row has no parent and falls out */

struct join_place_key {                     /* a group column that is an attribute of the parent */
    const struct join_attribute *attribute; /* with codes */
    uint32_t step;                          /* of a code; 0 is NULL, code c counts c + 1 */
};

/*
 * places[0]: of rows without a value; places[1 + i]: of the relation's value (or the slot's code) base + i < base + n;
 * places[1 + n]: of values without a parent.
 * All steps times codes are below JOIN_PLACE_NONE. NULL: no memory.
 */
const uint32_t *join_place_make(struct join_map *m, int64_t base, uint32_t n,
                                const struct join_place_key *keys, unsigned n_keys,
                                struct arena *arena);
