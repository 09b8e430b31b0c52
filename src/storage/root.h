#pragma once
/*
 * Root of a checkpoint, the file checkpoint.qck of a data directory: all that a start needs besides the log. Written
 * aside, synced, renamed over the old one, directory synced: the moment of the rename is the moment the checkpoint
 * holds. Made of entries, each core encodes those of its slots; slots do not depend on the number of cores.
 * Header: magic "QRT1", version, id of the data directory, lengths, XXH3 over all. Stateless; any core.
 */
#include "storage/datafile.h"

enum { ROOT_VERSION = 2 /* 1: slots were never split */, ROOT_MAX_BYTES = 256 << 20 };

#define ROOT_FILE "checkpoint.qck"
#define ROOT_NEW_FILE "checkpoint.qck.new"

struct buffer;

struct root_head {
    uint64_t round;           /* ascending */
    uint64_t log_generation;  /* replay begins with this log file */
    uint64_t definitions_lsn; /* definition records before this node LSN are in the catalog */
    uint64_t wall_us;         /* when it was made */
    const uint8_t *catalog;   /* catalog_encode */
    uint32_t catalog_len;
    uint32_t doublings; /* of the slots (datadir.h): the numbers are those of so many */
};

/* Batches of clients that a slot has applied (see rpc/dedupe.h). */
struct root_batch {
    uint64_t client, sequence;
    uint64_t inserted, updated, unchanged, deleted;
    uint32_t rejected;
    uint32_t
        doublings; /* of the slots when it was applied: all that came of that slot have the batch with these counts */
};

struct root_slot {
    uint32_t slot;
    uint64_t lsn; /* records up to this slot LSN are in the checkpoint */
    const struct root_batch *batches;
    uint32_t n_batches; /* oldest first */
};

/* A data file: the dictionaries of a slot, or a segment. That of an archived partition (id.archived) may not be where the
 * id says; one without rows in the slot has bytes 0, generation 0 and no file. */
struct root_file {
    struct datafile_id id;
    uint64_t bytes;             /* of the file; what lies behind is no part of it */
    struct chunk_ref directory; /* in it */
    uint64_t rows;              /* archived: live ones */
    uint32_t slot; /* decoded: the slot that names it; another than the id's when it is shared */
    bool shared; /* of a slot that was split: several name it, each for the rows that are its own */
    struct store_shared *sharing; /* for checkpoint_load_file; the root's reader sets it */
};

/* Entries, appended to a core's part: 0, -ENOMEM, -ENOBUFS. Those of a slot follow its root_slot, dictionaries of a
 * table before its segments. */
int root_put_slot(struct buffer *part, const struct root_slot *s);
int root_put_file(struct buffer *part, const struct root_file *f);

/* The whole file from the head and the cores' parts. */
int root_encode(const struct root_head *head, const char directory_id[33],
                struct buffer *const *parts, unsigned n_parts, struct buffer *out);

struct root_visitor {
    int (*head)(void *ctx, const struct root_head *head);
    int (*slot)(void *ctx, const struct root_slot *s);
    int (*file)(void *ctx, const struct root_file *f); /* of the slot before */
    void *ctx;
};

/* Checks all (a slot or a file that is there twice is damage), then calls the visitor in order (a NULL function is
 * skipped); pointers are valid during the call. bytes: 8-byte aligned memory.
 * 0, -EBADMSG / -ENOTSUP (newer version, with found and known) with the offset in err, -ENOMEM, or what a visitor
 * answered. */
int root_decode(const uint8_t *bytes, size_t len, const char directory_id[33],
                const struct root_visitor *v, struct error_info *err);
