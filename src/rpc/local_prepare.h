#pragma once
/*
 * What the pieces of a batch touch on a core comes into memory and stays until it is used in the same turn. Embedded
 * in the leg that wants to use it. Owner: the core of the slots, while the leg is lent.
 */
#include "rpc/local.h"
#include "storage/slot_disk.h"

struct split_piece;

struct local_prepare {
    struct task wake; /* run set by the owner: runs the leg again */
    bool waited;
    unsigned waits;
};

/*
 * Pieces of slots that the core has not are passed over. READY: use them, then call shard_freeze(false). PENDING: wake
 * is run, begin again then. FAILED: error tells, 1037 for want of memory. After READY and FAILED the leg may go.
 */
enum block_state local_prepare(struct local *l, struct local_prepare *p, uint32_t table_id,
                               struct split_piece *const *pieces, uint32_t n,
                               struct error_info *error);

/* The leg does without: it waits for nothing any more. False: not yet, wake is about to run it once more. */
bool local_prepare_end(struct local *l, struct local_prepare *p);
