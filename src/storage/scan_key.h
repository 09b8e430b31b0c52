#pragma once
/*
 * Point lookups: when a predicate fixes every key column to one value, the row is found by the key index instead of a
 * scan. When it fixes the columns that choose the slot, no other slot need be looked at. Owner: the scan.
 */
#include "storage/program.h"
#include "storage/slot.h"

struct scan_key {
    struct batch batch; /* one row: the key columns */
    struct buffer bytes;
};

/* True when `where` fixes the whole key; then scan_key_fini has to follow. */
bool scan_key_init(struct scan_key *k, const struct predicate *where, const struct schema *s);
void scan_key_fini(struct scan_key *k);

/* Placing hash of all rows for which `where` can be true: false when it leaves more than one (or memory ended). Any core. */
bool scan_key_place(const struct predicate *where, const struct schema *s, uint64_t seed,
                    uint64_t *place);
