#pragma once
/*
 * The log of a data directory: every write is in it, durable, before it is acknowledged; replay gives the state back.
 *
 * One writer at a time: the core that owns the log (core 0). Other cores hand it groups by legs of class LEG_LOG, or
 * write one themselves while it rests.
 * Files log-<generation>.qlg of fixed size, preallocated, written O_DIRECT|O_DSYNC in 4 KiB units where the file
 * system can, else plain writes with fdatasync. A frame per group: magic "QLG1", length, file generation, node LSN of
 * its first record, the durable LSN before it, record count, XXH3 checksum; inside, records: length, kind, slot,
 * slot LSN, node LSN, payload. Kinds: a row batch (payload = batch bytes), a definition change (YAML), a time partition of a slot (struct
 * wlog_partition). No payload
 * holds a row number. Group commit: while one group is being written the next one gathers.
 */
#include <stdbool.h>
#include <stdint.h>

#include "reactor/reactor.h"
#include "storage/type.h"

enum log_kind {
    LOG_BATCH = 1,
    LOG_CREATE_TABLE,
    LOG_DROP_TABLE,
    LOG_TRUNCATE_TABLE,          /* table id; slot BATCH_SLOT_ANY: all slots at once */
    LOG_BARRIER,                 /* nothing; makes what is before it durable */
    LOG_PARTITION,               /* the same */
    LOG_ALTER_TABLE,             /* the whole definition, as LOG_CREATE_TABLE */
    LOG_RENAME_TABLE,            /* names, catalog_rename.h */
    LOG_KINDS = LOG_RENAME_TABLE /* the last one */
};

enum { LOG_FILE_BYTES = 64 << 20, LOG_MAX_RECORD = 48 << 20 };

struct device_pace;
struct wlog; /* the name "log" belongs to reactor/log.h's lines */

struct wlog_record {
    uint8_t kind;
    uint8_t doublings; /* of the slots when it was made (datadir.h): the number is one of so many */
    uint32_t slot;     /* BATCH_SLOT_ANY for definitions */
    uint64_t slot_lsn; /* given by the slot's owner, ascending per slot and table */
    uint64_t client,
        sequence;        /* of the batch: a repeated pair is answered, not applied; 0 = none */
    const void *payload; /* 8-byte aligned; must live until done */
    uint32_t len;
};

enum wlog_partition_operation {
    LOG_PARTITION_DROP = 1,
    LOG_PARTITION_ARCHIVE,
    LOG_PARTITION_RESTORE, /* the last one */
};

struct wlog_partition { /* payload of LOG_PARTITION, little endian */
    uint32_t table_id, operation;
    int64_t partition; /* its start, s since 1970 */
};

struct wlog_config {
    const char *dir;          /* data directory; exists */
    uint64_t file_bytes;      /* 0 = LOG_FILE_BYTES */
    struct device_pace *pace; /* cap of device writes; NULL = none */
    /* Of the checkpoint, 0 = there is none. Replay begins with this file; older files are deleted after a replay
     * without error. A missing one is an error, unless there is no file at all and this is 0 or 1. */
    uint64_t first_generation;
    /* Records before this node LSN are known to be durable; 0 = not known. A log that ends before it is damaged. A log
     * whose files hold no group goes on with it, so it must be given when older files may have been released. */
    uint64_t next_lsn;
};

/*
 * Opens or creates the log and replays it: `apply` is called for each record in order (its payload is valid during
 * the call, 8-byte aligned). A torn last group is cut and reported with file and offset; damage anywhere else is
 * refused (-EBADMSG) with file and offset in err. Runs on the owner core before it serves; blocking reads.
 */
int wlog_open(struct reactor *r, const struct wlog_config *config,
              int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn), void *ctx,
              struct wlog **out, struct error_info *err);

/* One append: up to n records, written in one group, in order. `done` runs on the log's core when durable (rc 0) or
 * refused: -ENOSPC, -EMSGSIZE, -EIO of a broken log, then nothing of it will be replayed after a restart; the error of
 * the failed write that broke the log leaves open whether its group will be. It may append again or close the log. */
struct wlog_append {
    const struct wlog_record *records;
    uint32_t n;
    void (*done)(struct wlog_append *a);
    int rc;
    struct wlog_append *next;
};
void wlog_append(struct wlog *l, struct wlog_append *a);

/*
 * On another core than the log's: the append is written by this core, `done` runs here. False: not now (something is
 * being written or waits, or appends come together): hand it to the log's core. Not while an append of this core is
 * not done yet, which it would overtake.
 */
bool wlog_append_direct(struct wlog *l, struct wlog_append *a);

/* Space for a further append of this size? -ENOSPC / -EIO (log broken) to refuse a write before it is applied. */
int wlog_can_append(const struct wlog *l, uint64_t bytes);

/* File in which the next group goes, or a later one: everything acknowledged by now is in it or in older files. */
uint64_t wlog_generation(const struct wlog *l);

/* Before the last checkpoint of a clean stop: the next group goes into a new file, so that a root made from now on needs
 * none of those before. Nothing to do when they are few. 0; -EAGAIN while something is written or prepared; -EIO of a
 * broken log; else why no file can be made. On the log's core, which it blocks for some system calls. */
int wlog_begin_file(struct wlog *l);

/* Files older than this generation (of a checkpoint that is durable) are no longer needed: deleted in the background,
 * one a turn, never the current one. What cannot be deleted is tried again at the next release and at the next start. */
void wlog_release(struct wlog *l, uint64_t generation);

/* There was no room for the next file as large as it should be, and releasing files would give some. */
bool wlog_needs_release(const struct wlog *l);

/* Bytes of groups in files that are not released: what a restart would replay. */
uint64_t wlog_bytes_held(const struct wlog *l);

/* Closes after the appends in flight; closed(ctx) on the log's core. After
 * wlog_begin_file what was prepared for later groups is given back. */
void wlog_close(struct wlog *l, void (*closed)(void *ctx), void *ctx);

struct wlog_stats {
    uint64_t groups, records, bytes, device_writes, node_lsn, durable_lsn;
};
void wlog_get_stats(const struct wlog *l, struct wlog_stats *out);
