#pragma once
/*
 * Checkpoint of a core: cuts its slots one after the other, appends what changed to their data files, syncs them and
 * collects the core's part of the root. Rows go on being read and written meanwhile. Staged; bulk tasks of about a
 * block with I/O in between; at most two extents of about CHECKPOINT_EXTENT_BYTES in memory. Owner: the core.
 *
 * Order of one: checkpoint_start ... done (the part is complete, all files synced) -> the caller makes the log durable
 * up to the cuts and the root durable -> checkpoint_commit; or checkpoint_abort at any time after done. When done comes
 * with an error all is aborted already.
 */
#include "reactor/buffer.h"
#include "reactor/reactor.h"
#include "storage/root.h"
#include "storage/shard.h"
#include "storage/store.h"

enum { CHECKPOINT_EXTENT_BYTES = 2 << 20 };

struct checkpoint_stats {
    uint64_t slots, segments, blocks, bytes, files; /* written; blocks: steps of encoding them */
};

struct checkpoint {
    struct shard *shard;
    struct store *store;
    unsigned slot_bits; /* of the data directory: 2^slot_bits slots over all cores */
    /* Called at the moment of a slot's cut: its LSN, and its entry with batches into the part (root_put_slot). */
    int (*slot_head)(struct checkpoint *c, uint32_t slot, struct buffer *part);
    void (*done)(struct checkpoint *c);
    void *ctx;
    int rc; /* 0, -ENOSPC, -EIO, -ENOMEM, -ESTALE (tables changed meanwhile), -ENOBUFS (changes outran it), -ECANCELED */
    struct error_info error;
    struct buffer
        part; /* root entries of this core's slots, of every table of the catalog; until commit or abort */
    struct checkpoint_stats stats;
    /* its own */
    struct checkpoint_work *work;
    struct task failed; /* ends one that found no memory to begin */
};

void checkpoint_start(struct checkpoint *c);
void checkpoint_cancel(struct checkpoint *c); /* done comes soon, with -ECANCELED */
/* The root that holds the part is durable: old files go, segments are clean. */
void checkpoint_commit(struct checkpoint *c);
/* It is not, and will never be found: everything counts as changed again, new files and extents are given back. So not
 * when the root was renamed and only the sync of its folder failed. Does nothing after an error; after store_abandon it
 * may come before done, which never comes then. */
void checkpoint_abort(struct checkpoint *c);

/* --- start: putting a root's entries back (blocking, core 0 for all shards) --- */

/* For root_visitor.file: opens the file and adds it to the slot of the shard; the catalog was set before. A table that
 * is not in the catalog is -EBADMSG. */
int checkpoint_load_file(struct shard *s, struct store *store, const struct root_file *f,
                         struct error_info *err);

/* After the root was read: deletes data files below the directory that it does not name. `keeps` answers for each.
 * Other names are left alone. 0, or the first error. */
int checkpoint_sweep(struct reactor *r, const char *data_dir,
                     bool (*keeps)(void *ctx, const struct datafile_id *id), void *ctx);
