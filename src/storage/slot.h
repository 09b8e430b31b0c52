#pragma once
/*
 * Slot of a table: its dictionaries, its segments by time partition, and the index from key to row. All writes of
 * the slot go through slot_apply, in log order, and give the same result at replay. Owner: the slot's core.
 */
#include <stddef.h>
#include <string.h>

#include "storage/batch.h"
#include "storage/segment.h"

struct slot;

int slot_new(struct schema *s, uint32_t number, uint64_t hash_seed, struct budget *budget,
             struct slot **out);
void slot_free(struct slot *t);

const struct schema *slot_schema(const struct slot *t);
uint32_t slot_number(const struct slot *t);
uint32_t slot_segments(const struct slot *t);
struct segment *slot_segment(const struct slot *t, uint32_t i); /* in partition order; borrowed */
/* Asks for the memory of the segments that slot_segment gives soon after this one. No result. */
void slot_prefetch_segments(const struct slot *t, uint32_t i);
struct dict *slot_dict(const struct slot *t, unsigned column); /* NULL for ORDERED columns */
struct dict *slot_list_dict(const struct slot *t, unsigned column);
/* Start of the partition a time value lies in; 0 in tables without partitions. */
int64_t slot_partition_of(const struct schema *s, int64_t time);
uint64_t slot_live_rows(const struct slot *t);
/*
 * Throws away the rows of a time partition, also an archived one: true when the slot had it. Statements and cuts that have its segment keep it
 * and go on reading; it goes with the last of them. Data files go when a newer root does not name them any more.
 */
bool slot_drop_partition(struct slot *t, int64_t partition);
size_t slot_memory(const struct slot *t); /* bytes */

enum { WRITE_MAX_ERRORS = 16 };

struct write_error {
    uint32_t row; /* in the batch */
    struct error_info info;
};

struct write_result {
    uint64_t inserted, updated, unchanged, deleted, rejected; /* rows */
    uint32_t taken; /* slot_apply: rows done with, from the first; fewer than all when it failed */
    uint32_t n_errors; /* first few only */
    struct write_error errors[WRITE_MAX_ERRORS];
};

/* No rows, no errors. The places for errors are 8 KiB: they are not touched, which a write of one row would notice. */
static inline void write_result_clear(struct write_result *r)
{
    memset(r, 0, offsetof(struct write_result, errors));
}

/*
 * Applies a write batch whose rows all belong to this slot. Rows that cannot be applied (1062 duplicate, 1048
 * missing required value, ...) are counted and reported; the others are applied, each whole or not at all.
 * 0; -ENOMEM when the budget is spent, -ENOSPC when row numbers end: the first result->taken rows are done with as
 * if the batch had no others, those after them have changed nothing (of an update without time, which may have
 * changed some of its rows, the batch row counts as taken); -EINVAL with the first error when the batch does not fit
 * the table, nothing taken.
 */
int slot_apply(struct slot *t, const struct batch *b, struct write_result *result);

/* Checks only: would slot_apply refuse rows with 1062, or 1526 for an archived partition? First such row's error in result; nothing changes. */
int slot_check(struct slot *t, const struct batch *b, struct write_result *result);

/* Finds the row of a key: key cells by position in schema->key. False when there is none. */
bool slot_find(struct slot *t, const struct batch *b, uint32_t batch_row, struct segment **g,
               uint32_t *row);

/* Slot number and key hash of batch rows; the time field does not choose the slot, nor what shardKey leaves out. -EINVAL when a key
 * column is absent or NULL, with its name and row in err. */
struct key_hash {
    uint64_t full;  /* all key columns: index */
    uint64_t place; /* those of schema->place: slot = place >> (64 - slot_bits) */
};
int key_hash_rows(const struct schema *s, const struct batch *b, uint64_t seed, uint32_t from,
                  uint32_t n, struct key_hash *out, struct error_info *err);
static inline uint32_t key_slot(uint64_t place, unsigned slot_bits)
{
    return slot_bits ? (uint32_t)(place >> (64 - slot_bits)) : 0;
}
