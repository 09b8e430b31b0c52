#pragma once
/*
 * Store: the data files of a core's slots behind its ring: reading chunks, appending extents. Bounded: at most
 * STORE_READS chunks and one extent of a file are in flight, the others wait in order. Owner: the core.
 */
#include <stdatomic.h>

#include "reactor/io.h"
#include "reactor/list.h"
#include "reactor/reactor.h"
#include "storage/datafile.h"

enum {
    STORE_READS = 32,
    STORE_OPEN_FILES = 256,     /* descriptors kept open when nothing needs them */
    STORE_WRITE_BYTES = 1 << 20 /* of one write to the device */
};

struct device_pace;
struct store;
struct store_file; /* open file, counted by reference */

int store_new(struct reactor *r, const char *data_dir, const char directory_id[33],
              struct store **out);
/* What its writes take from; outlives the store. Without it there is no cap. */
void store_set_pace(struct store *s, struct device_pace *pace);
/* The program ends: what is to be deleted waits for store_free. */
void store_stop(struct store *s);
/* No request is at work. */
bool store_is_quiet(const struct store *s);
void store_free(struct store *s); /* nothing in flight, no file referred to by others */
struct reactor *store_reactor(struct store *s);

/* Files. Opening and making one blocks shortly (a few system calls). -EBADMSG: not the file that the id says. */
int store_file_open(struct store *s, const struct datafile_id *id, uint64_t bytes,
                    struct store_file **out, struct error_info *err);
/* A file that the root names and that need not be there now: nothing is looked at. 0 or -ENOMEM. */
int store_file_refer(struct store *s, const struct datafile_id *id, uint64_t bytes,
                     struct store_file **out);
/* Is it there, whole, and the one that its id says? As store_file_open; blocking. */
int store_file_check(struct store_file *f, struct error_info *err);
/* A new file; makes the folders. Its header goes before the first extent. What an attempt that failed left under the
 * name is deleted; -EEXIST: the root names it. */
int store_file_create(struct store *s, const struct datafile_id *id, struct store_file **out,
                      struct error_info *err);
struct store_file *store_file_get(struct store_file *f);
/* Closes at the last reference; the file is deleted soon after when store_file_drop was called: one in a bulk task, as
 * the cap allows, those that are left by store_free. */
void store_file_put(struct store_file *f);
void store_file_drop(struct store_file *f);
const struct datafile_id *store_file_id(const struct store_file *f);
uint64_t store_file_bytes(const struct store_file *f); /* where the next extent goes: whole units */
const char *store_file_name(
    const struct store_file *f); /* for messages: path as the user knows it */

/*
 * A file that several slots name after a split (slot_split.h), each through a store_file of its own, on any cores. It is
 * written no more, and deleted when neither a root names it nor anybody has it. Made at the start, before the files are
 * opened, for so many of them; lives until the last of them is closed.
 */
struct store_shared;
struct store_shared *store_shared_new(unsigned files, atomic_uint *left); /* NULL = no memory */
/* left: of all shared files, how many roots name; outlives the store. The file was just opened or referred to. */
void store_file_share(struct store_file *f, struct store_shared *shared);
bool store_file_is_shared(const struct store_file *f);
/* One of them is not opened: it counts as closed. */
void store_shared_close(struct store_shared *shared);
/* Its slot has no rows in it: the file is not waited for; before it is closed. */
void store_file_unshare(struct store_file *f);

/*
 * What the durable root says of its files: the length that counts and the directory (its offset 0: the root names no
 * directory of this file). A file that the root names is deleted only after a newer root does not.
 */
void store_file_set_directory(struct store_file *f, const struct chunk_ref *ref, uint64_t bytes);
void store_file_directory(const struct store_file *f, struct chunk_ref *ref, uint64_t *bytes);
/* Gives back what lies behind that length: extents which no root will ever name. None is in flight. */
void store_file_shrink(struct store_file *f);
/* At the start: one more file that the root names, which gets a reference. 0/-ENOMEM. */
int store_add_named(struct store *s, struct store_file *f);
/* A new root is durable and names these files: takes over the malloc'ed array and its references; files that only the
 * old one named are dropped. */
void store_set_named(struct store *s, struct store_file **files, uint32_t n);

/* After a simulated crash: nothing is closed or deleted on the disk any more, operations in flight are forgotten. */
void store_abandon(struct store *s);
bool store_is_abandoned(const struct store *s);

/* One chunk. bytes are 64-byte aligned, the checksum was compared: valid during done. The request is embedded in the
 * caller's operation and lives until done, also after store_read_cancel. */
struct store_read {
    struct store_file *file; /* set by the caller, who holds a reference */
    struct chunk_ref ref;
    bool unchecked; /* the bytes are given whatever their checksum is */
    bool ahead;     /* nobody waits for it */
    void (*done)(struct store_read *x);
    void *ctx;
    int rc; /* 0, -EIO, -EBADMSG, -ENOMEM, -ECANCELED; error names file and offset */
    const uint8_t *bytes;
    struct error_info error;
    /* the store's */
    struct io_op op;
    struct list link;
    uint8_t *memory;
    uint32_t got;   /* bytes, whole units but for the last */
    uint8_t stalls; /* reads that gave nothing new */
    uint8_t state;
    bool cancelled;
};
void store_read(struct store *s, struct store_read *x);
void store_read_cancel(struct store *s, struct store_read *x);
/* Bytes that reads have in memory or wait for; of those that somebody waits for. */
uint64_t store_reading(const struct store *s);
uint64_t store_awaited(const struct store *s);
/* Of bytes that were read unchecked: 0, or -EBADMSG with the error that store_read would have given. */
int store_check_chunk(const struct store_file *f, const struct chunk_ref *ref, const uint8_t *bytes,
                      struct error_info *err);

/* The same at once, blocking; for the start of the program only. *bytes from aligned_alloc, caller frees. */
int store_read_now(struct store *s, struct store_file *f, const struct chunk_ref *ref,
                   uint8_t **bytes, struct error_info *err);

/*
 * The same for chunks in the order of the file: what lies behind them is on its way while they are used, through the
 * system's cache. Owner: one function of the start; begin: 0, -EIO.
 */
struct store_ahead {
    struct store_file *file;
    int fd;         /* not the file's own, which is past the cache; -1 = none */
    uint64_t asked; /* up to here; whole units */
    uint64_t kept;  /* from here on in the cache */
};
int store_ahead_begin(struct store_ahead *x, struct store_file *f, struct error_info *err);
int store_ahead_read(struct store_ahead *x, const struct chunk_ref *ref, uint8_t **bytes,
                     struct error_info *err);
void store_ahead_end(struct store_ahead *x);

/* store_file_check through the ring. Embedded in the caller's operation, who holds a reference to the file until done. */
struct store_check {
    struct store_file *file;
    void (*done)(struct store_check *x);
    void *ctx;
    int rc; /* 0; -ENOENT and others of opening it; -EIO, -EBADMSG, -ENOMEM */
    struct error_info error;
    /* the store's */
    struct io_op op;
    struct task later;
    uint8_t *unit;
    uint8_t tries;
};
void store_check(struct store *s, struct store_check *x);

/* Appends an extent: bytes (4 KiB aligned memory, whole units) go to store_file_bytes(file). They stay the caller's
 * and untouched until done. A failed append leaves the file's length as it was. */
struct store_append {
    struct store_file *file;
    const uint8_t *bytes;
    size_t len;
    void (*done)(struct store_append *a);
    void *ctx;
    int rc; /* 0, -ENOSPC, -EIO */
    struct error_info error;
    /* the store's */
    struct io_op op;
    struct task later; /* ends one that could not begin */
    struct timer turn; /* for the device */
    size_t written;
    uint8_t stalls;
};
void store_append(struct store *s, struct store_append *a);

/* Makes all extents of the file appended before durable, and the name of a new file with those of its folders. A file
 * whose sync failed may lack them for ever: they must be written again elsewhere. */
struct store_sync {
    struct store_file *file;
    void (*done)(struct store_sync *x);
    void *ctx;
    int rc; /* 0, -EIO */
    struct error_info error;
    /* the store's */
    struct io_op op;
    struct task later;
    struct timer turn;
    uint64_t covered; /* appends, then new names of the folder, that this sync covers */
    int folder_fd;
    size_t folder_len; /* of the path that is synced */
};
void store_sync(struct store *s, struct store_sync *x);

/* Device operations and bytes since the start, for /metrics. */
struct store_stats {
    uint64_t reads, read_bytes, writes, write_bytes, syncs;
};
void store_get_stats(const struct store *s, struct store_stats *out);
