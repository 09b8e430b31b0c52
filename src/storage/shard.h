#pragma once
/*
 * Shard: the slots that one core owns, of every table. Owner: that core. The first layer above slots: creating and
 * dropping tables on the core, applying write batches, pinning slots for scans.
 */
#include "storage/catalog.h"
#include "storage/slot.h"
#include "storage/slot_disk.h"

struct shard;
struct budget;
struct figures;

struct shard_config {
    unsigned core, cores; /* this core of so many */
    unsigned slot_bits;   /* 2^slot_bits slots per table in the node's cluster */
    uint64_t hash_seed;   /* of the cluster, fixed at creation */
    struct budget *budget;
};

int shard_new(const struct shard_config *config, struct shard **out);
unsigned shard_slot_bits(const struct shard *s);
/* More slots, before there is any table. */
void shard_set_slot_bits(struct shard *s, unsigned slot_bits);
/* Files that its slots make from now on have a generation above this one. */
void shard_raise_generation(struct shard *s, uint64_t generation);
void shard_free(struct shard *s);

/* Slot -> core of this node. Data on disk is per slot, so the number of cores may change between starts. */
static inline unsigned shard_core_of_slot(uint32_t slot, unsigned cores)
{
    return slot % cores;
}

/* Makes the (empty) slots of tables that are new in a catalog, and the columns that are new in tables, so that
 * shard_set_catalog cannot fail: 0, -ENOMEM, -ENOSPC. Nobody sees them before. */
int shard_prepare_catalog(struct shard *s, const struct catalog *c);

/* Is a new definition of the table prepared, or a removal? Nothing may be written to its slots until it is taken or
 * given up. */
bool shard_is_changing(const struct shard *s, uint32_t table_id);

/* The tables have the definitions that were prepared: statements planned with them may come from then on. */
void shard_extend(struct shard *s);

/* Takes over a catalog version: new tables get their (empty) slots, tables that are gone or were only prepared are
 * dropped, definitions that were only prepared given up. 0/-ENOMEM/-ENOSPC. */
int shard_set_catalog(struct shard *s, struct catalog *c);
struct catalog *shard_catalog(struct shard *s); /* borrowed */

/*
 * Rows of a table are about to go, all of them or those of time partitions: nothing may be written to it until
 * shard_take_removal or shard_drop_removal. 0, -ENOMEM, -ENOENT; then all of them go without fail.
 */
int shard_prepare_removal(struct shard *s, uint32_t table_id, bool all);
void shard_drop_removal(struct shard *s, uint32_t table_id); /* they stay */
/* All of them: they are gone. Those of partitions: the caller drops these (shard_drop_partition_all) first. */
void shard_take_removal(struct shard *s, uint32_t table_id);

/* Throws away all rows of a table. 0, -ENOMEM, -ENOENT. */
int shard_truncate(struct shard *s, uint32_t table_id);

/* Throws away the rows of one slot, while nothing is pinned (replay). A table that is gone is no error. */
int shard_truncate_slot(struct shard *s, uint32_t table_id, uint32_t slot);

/* Throws away a time partition of one slot: true when there was one. A table or slot that is not here has none. */
bool shard_drop_partition(struct shard *s, uint32_t table_id, uint32_t slot, int64_t partition);
/* The same of all slots of this core. */
void shard_drop_partition_all(struct shard *s, uint32_t table_id, int64_t partition);

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

/* Figures of this core's slots of a table; zeros when there is none. A walk over all blocks. */
void shard_table_figures(struct shard *s, uint32_t table_id, struct figures *out);
void shard_get_traffic(const struct shard *s, struct segment_traffic *out);

/* Data files of all slots, also of those to come: before rows are in them. When a chunk is read and the budget has
 * less than `reserve` bytes left, clean columns are evicted. */
void shard_set_store(struct shard *s, struct store *store, size_t reserve);

/* Lets clean columns and indexes go, those longest unused of all tables first: bytes freed, and given back to the
 * budget. tick: as in shard_seal_quiet. */
size_t shard_evict(struct shard *s, size_t bytes, uint64_t tick);
/* The same, but what was asked for of late stays. */
size_t shard_evict_unused(struct shard *s, size_t bytes);

/*
 * Gets all columns into memory, about `in_flight` bytes at a time, as far as the budget has more than `keep` bytes left:
 * PENDING, then wake is run as they arrive. READY: all there, or no more room. BLOCK_FAILED: err tells, what could be
 * read is there.
 */
enum block_state shard_load(struct shard *s, size_t in_flight, uint64_t keep, struct task *wake,
                            struct error_info *err);
/* The tables of the dictionaries that a start left, a step of well below a millisecond per call: PENDING = more are
 * left, READY: none. FAILED: err tells; the next call goes on, without memory from the start of that dictionary. */
enum block_state shard_fill_dicts(struct shard *s, struct error_info *err);
/* The key indexes, a step of well below a millisecond per call, of segments whose columns are in memory: PENDING = more
 * are left. READY: all made, or no more room. FAILED: no memory. */
enum block_state shard_load_index(struct shard *s, uint64_t keep, struct error_info *err);
/* Are there rows that came without one and have stopped coming, and room as above? */
bool shard_wants_index(const struct shard *s, uint64_t keep);
/* While frozen nothing is evicted to make room: what was prepared for several slots stays until it is used. Within a
 * turn only. */
void shard_freeze(struct shard *s, bool frozen);
bool shard_is_loaded(const struct shard *s);
/* The task waits for nothing any more. */
void shard_unwait(struct shard *s, const struct task *wake);

struct shard_memory {        /* bytes */
    uint64_t clean, changed; /* columns: may be evicted; may not */
    uint64_t indexes, total;
};
void shard_get_memory(const struct shard *s, struct shard_memory *out);
