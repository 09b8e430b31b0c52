#pragma once
/*
 * Shard: the slots that one core owns, of every table. Owner: that core. The first layer above slots: creating and
 * dropping tables on the core, applying write batches, pinning slots for scans.
 */
#include "storage/catalog.h"
#include "storage/slot.h"

struct shard;
struct budget;

struct shard_config {
    unsigned core, cores; /* this core of so many */
    unsigned slot_bits;   /* 2^slot_bits slots per table in the node's cluster */
    uint64_t hash_seed;   /* of the cluster, fixed at creation */
    struct budget *budget;
};

int shard_new(const struct shard_config *config, struct shard **out);
void shard_free(struct shard *s);

/* Slot -> core of this node. Data on disk is per slot, so the number of cores may change between starts. */
static inline unsigned shard_core_of_slot(uint32_t slot, unsigned cores)
{
    return slot % cores;
}

/* Makes the (empty) slots of tables that are new in a catalog, so that shard_set_catalog cannot fail: 0 or -ENOMEM.
 * Nobody sees them before. */
int shard_prepare_catalog(struct shard *s, const struct catalog *c);

/* Takes over a catalog version: new tables get their (empty) slots, tables that are gone or were only prepared are
 * dropped. 0/-ENOMEM. */
int shard_set_catalog(struct shard *s, struct catalog *c);
struct catalog *shard_catalog(struct shard *s); /* borrowed */

/* Throws away all rows of a table. */
int shard_truncate(struct shard *s, uint32_t table_id);

/* Throws away the rows of one slot, while nothing is pinned (replay). A table that is gone is no error. */
int shard_truncate_slot(struct shard *s, uint32_t table_id, uint32_t slot);

/* This core's slots of a table: pinned until shard_unpin (a dropped table lives on until then). -ENOENT. */
struct shard_pin {
    struct slot **slots;
    uint32_t n_slots;
    void *table;
};
int shard_pin(struct shard *s, uint32_t table_id, struct shard_pin *out);
void shard_unpin(struct shard *s, struct shard_pin *pin);

/* The slot with this number, or NULL when the core does not own it or the table does not exist. */
struct slot *shard_slot(struct shard *s, uint32_t table_id, uint32_t slot);

/*
 * Seals segments that have been quiet since the last tick, one per call: true when there may be more to do at this
 * tick (call again from a bulk task).
 */
bool shard_seal_quiet(struct shard *s, uint64_t tick);

void shard_table_stats(struct shard *s, uint32_t table_id, uint64_t *rows, uint64_t *bytes);
