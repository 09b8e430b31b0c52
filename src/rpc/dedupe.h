#pragma once
/*
 * Memory of the batches that clients with a sequence have had applied, so that a repeated one is answered and not
 * applied twice: the last entries of a core, one per batch and slot, rebuilt from the log at start. Owner: the core.
 */
#include <stdbool.h>
#include <stdint.h>

#include "storage/slot.h"

/*
 * Entries of a core: a batch takes one in each of its slots, and as many as a stream has at work must be remembered
 * together. Their memory is touched as they are used.
 */
enum { DEDUPE_MIN_ENTRIES = 4096, DEDUPE_BATCHES = 64, DEDUPE_MAX_ENTRIES = 1 << 20 };

struct dedupe_entry {
    uint64_t client, sequence;
    uint32_t slot;
    uint32_t next; /* in the bucket; entry + 1 */
    uint64_t inserted, updated, unchanged, deleted, rejected;
};

struct dedupe {
    struct dedupe_entry *entries; /* ring of n */
    uint32_t *buckets;            /* 2 * n */
    uint32_t n;                   /* power of two */
    uint64_t added;
};

int dedupe_init(struct dedupe *d, uint32_t slots); /* slots of the core; 0 or -ENOMEM */
void dedupe_fini(struct dedupe *d);

/* Adds the counts of the earlier answer to result: true when the pair was applied to this slot. */
bool dedupe_find(const struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                 struct write_result *result);
void dedupe_add(struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                const struct write_result *result);

/* Entries of a slot, and copies of them, oldest first (checkpoint): out has room for dedupe_count. */
struct root_batch;
uint32_t dedupe_count(const struct dedupe *d, uint32_t slot);
uint32_t dedupe_copy(const struct dedupe *d, uint32_t slot, struct root_batch *out);
