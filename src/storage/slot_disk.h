#pragma once
/*
 * Slot on disk: opening one from the files of a checkpoint, getting what a write needs into memory, and the cut of all
 * its segments and dictionaries at one moment. Owner: the slot's core.
 */
#include "storage/segment_disk.h"
#include "storage/slot.h"

/* --- opening (blocking, start of the program) --- */

/* Puts the pieces of a dictionary file into the empty slot's dictionaries; the tables that find their values are filled
 * when they are first needed, or by slot_fill_dicts. */
int slot_open_dicts(struct slot *t, struct store_file *file, const struct dict_directory *dir,
                    struct error_info *err);
/* A step of well below a millisecond: PENDING = more are left. FAILED: err tells; without memory the next call goes on. */
enum block_state slot_fill_dicts(struct slot *t, struct error_info *err);
/* Adds a segment from its directory; its key index is made when it is first needed. */
int slot_open_segment(struct slot *t, struct store *store, struct store_file *file,
                      const struct segment_directory *dir, struct error_info *err);
void slot_set_store(struct slot *t, struct store *store);
/* Files that it makes from now on have a generation above this one. */
void slot_raise_generation(struct slot *t, uint64_t generation);
/* Where its segments ask for memory; outlives the slot. */
void slot_set_room(struct slot *t, const struct segment_room *room);
/* Now, in ticks: what is used from here on counts as used then. */
void slot_set_tick(struct slot *t, uint64_t tick);
uint64_t slot_tick(const struct slot *t);
/* The empty slot takes the place of an old one: files of both never have the same name. */
void slot_succeed(struct slot *t, const struct slot *old);

/* --- before a write or a look-up by key --- */

/*
 * Is everything in memory that slot_apply, slot_check or slot_find of this batch may touch (indexes of its partitions
 * included)? READY at once, and cheap, while nothing of the slot is absent. PENDING: reads were asked for, wake is run
 * as they arrive; ask again then. BLOCK_FAILED: err tells. Indexes are made in steps of a block per call.
 */
enum block_state slot_prepare(struct slot *t, const struct batch *b, struct task *wake,
                              struct error_info *err);
/* Can slot_find look for the key at once? False when an index or a key column it needs is not in memory. */
bool slot_can_find(struct slot *t, const struct batch *b, uint32_t batch_row);
/* The same at once, blocking (replay). */
int slot_prepare_now(struct slot *t, const struct batch *b, struct error_info *err);

/* The task waits no longer for anything of the slot: before its owner goes while it may be waiting. */
void slot_unwait(struct slot *t, const struct task *wake);
/* Runs everyone who waits for something of the slot, once, and forgets them: before slot_unwait finds it no more. */
void slot_wake_all(struct slot *t);

/* Asks for all columns (after the start) until the store has about so many bytes on their way: PENDING, wake is run as
 * they arrive. READY, or FAILED with the error: nothing is on its way any more. */
enum block_state slot_load(struct slot *t, size_t in_flight, struct task *wake,
                           struct error_info *err);
/* Some rows more into the index of a partition whose columns are in memory: PENDING after a step, READY when there is
 * none to do, FAILED without memory. */
enum block_state slot_load_index(struct slot *t, struct error_info *err);
/* Is there one to make that could wait, of rows that have stopped coming? */
bool slot_wants_index(const struct slot *t);
bool slot_is_loaded(const struct slot *t);

/* Lets clean columns and indexes of the partitions longest unused go: bytes freed. tick: now, by which indexes in use of
 * late are spared. */
size_t slot_evict(struct slot *t, size_t bytes, uint64_t tick);
/* The same over many slots, the partitions longest unused of all first. spare: what was asked for of late stays. */
size_t slot_evict_many(struct slot *const *slots, uint32_t n, size_t bytes, uint64_t tick,
                       bool spare);
/* Bytes of clean and of changed columns, and of indexes. */
void slot_residency(const struct slot *t, size_t *clean, size_t *changed, size_t *indexes);

/* --- the cut --- */

struct slot_cut_part { /* what a segment was at the moment */
    bool archived;
    uint64_t rows; /* live */
};

struct slot_cut_archived { /* a partition that was archived and has no segment any more */
    int64_t partition;
    struct store_file *file; /* a reference; NULL = the slot has no rows of it */
    uint64_t rows;
};

struct slot_cut { /* owner: the checkpoint of the core */
    struct slot *slot;
    struct segment **segments;   /* references; those of the moment, archived ones last */
    struct slot_cut_part *parts; /* of the segments */
    uint32_t n_segments;
    struct slot_cut_archived *archived;
    uint32_t n_archived;
    unsigned n_columns;                  /* at the moment */
    uint32_t *dict_counts, *list_counts; /* by column position: entries at the moment */
};

/* Begins the cut of all segments (segment_cut_begin) and takes the counts: 0 or -ENOMEM. whole as there: chosen per
 * segment by how much of its file is dead (more than half, above 1 MiB). */
int slot_cut_begin(struct slot *t, struct slot_cut *out);
void slot_cut_fini(struct slot_cut *c); /* gives the references back */
/* After a cut that was committed: archived segments whose files the durable root names leave memory. */
void slot_archive_settle(struct slot *t);

/* Where segment i goes: true = into a new file with this id, false = behind segment_file. Once per segment and cut,
 * before segment_cut_directory. Segments whose segment_cut_is_empty need no call. */
bool slot_cut_file(struct slot_cut *c, uint32_t i, struct datafile_id *id);
/* The same for the dictionaries. */
bool slot_cut_dict_file(struct slot_cut *c, struct datafile_id *id);

/* Entries of the dictionaries that are not in the slot's dictionary file yet, up to the cut: appends pieces to the
 * extent and to the directory's list (kept by the slot). 1 = more, 0 = all, -errno. */
int slot_cut_dicts(struct slot_cut *c, struct buffer *extent, uint64_t at);
bool slot_cut_has_dicts(const struct slot_cut *c); /* new entries since the last written piece */
int slot_cut_dict_directory(struct slot_cut *c, struct buffer *extent, uint64_t at,
                            struct chunk_ref *ref);
/* The directory that was made last is named by a durable root: its file becomes the slot's, a reference is taken. */
void slot_cut_dicts_written(struct slot_cut *c, struct store_file *file);
void slot_cut_dicts_failed(struct slot_cut *c); /* pieces since the last _written are forgotten */
struct store_file *slot_dict_file(const struct slot *t); /* borrowed; NULL = never written */
/* Directory of the last committed cut in slot_dict_file; NULL = none. A start sets it after slot_open_dicts. */
const struct chunk_ref *slot_dict_directory(const struct slot *t);
void slot_set_dict_directory(struct slot *t, const struct chunk_ref *ref);
