#pragma once
/*
 * Point lookups: when a predicate fixes every key column to one value, the row is found by the key index instead of a
 * scan. Owner: the scan.
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

/* Partition of the key's row: false in tables without partitions. */
bool scan_key_partition(const struct scan_key *k, const struct schema *s, int64_t *partition);
