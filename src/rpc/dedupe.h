#pragma once
/*
 * Memory of the batches that clients with a sequence have had applied, so that a repeated one is answered and not
 * applied twice: the last ones of every slot of a core, rebuilt from the log at start. Owner: the core.
 */
#include <stdbool.h>
#include <stdint.h>

#include "storage/slot.h"

/*
 * Batches remembered of a slot: as many as all streams together may have at work. Fewer where slots are very many;
 * memory is touched as it is used.
 */
enum { DEDUPE_MIN_BATCHES = 64, DEDUPE_MAX_BATCHES = 256, DEDUPE_ENTRIES = 1 << 20 };

struct dedupe_entry {
    uint64_t client, sequence;
    uint64_t inserted, updated, unchanged, deleted;
    uint32_t rejected;
    uint32_t doublings; /* as in struct root_batch */
};

struct dedupe {
    struct dedupe_entry *entries; /* a ring of n per slot */
    uint64_t *added;              /* per slot */
    uint32_t n;
    uint32_t cores;     /* slot % cores is the core, slot / cores the place in it */
    uint32_t doublings; /* of the slots, now */
};

/* For the slots of a core, out of all slots and cores; 0 or -ENOMEM. doublings: of the slots so far (datadir.h). */
int dedupe_init(struct dedupe *d, uint32_t slots, uint32_t cores, uint32_t doublings);
void dedupe_fini(struct dedupe *d);

/*
 * Adds the counts of the earlier answer to result: true when the pair was applied to this slot. Then the counts are those
 * of all slots with the same slot >> *halvings: who finds it in several of them takes them once.
 */
bool dedupe_find(const struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                 struct write_result *result, unsigned *halvings);
void dedupe_add(struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                const struct write_result *result);

/* Entries of a slot, and copies of them, oldest first (checkpoint): out has room for dedupe_count. */
struct root_batch;
void dedupe_restore(struct dedupe *d, uint32_t slot, const struct root_batch *b);
uint32_t dedupe_count(const struct dedupe *d, uint32_t slot);
uint32_t dedupe_copy(const struct dedupe *d, uint32_t slot, struct root_batch *out);
