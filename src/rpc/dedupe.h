#pragma once
/*
 * Memory of the batches that clients with a sequence have had applied, so that a repeated one is answered and not
 * applied twice: the last DEDUPE_ENTRIES of a core, rebuilt from the log at start. Owner: the core.
 */
#include <stdbool.h>
#include <stdint.h>

#include "storage/slot.h"

enum { DEDUPE_ENTRIES = 4096, DEDUPE_BUCKETS = 8192 };

struct dedupe_entry {
    uint64_t client, sequence;
    uint32_t slot;
    uint32_t next; /* in the bucket; entry + 1 */
    uint64_t inserted, updated, unchanged, deleted, rejected;
};

struct dedupe {
    struct dedupe_entry *entries; /* ring */
    uint32_t *buckets;
    uint64_t added;
};

int dedupe_init(struct dedupe *d);
void dedupe_fini(struct dedupe *d);

/* Adds the counts of the earlier answer to result: true when the pair was applied to this slot. */
bool dedupe_find(const struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                 struct write_result *result);
void dedupe_add(struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                const struct write_result *result);
