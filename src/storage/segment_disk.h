#pragma once
/*
 * Segment on disk and in memory: which columns of its blocks are in memory, reading them when they are needed,
 * leaving memory when others need it, and the consistent cut that a checkpoint writes while rows go on changing.
 * Owner: the slot's core.
 *
 * A column of a block is absent (on disk only), loading, or in memory; there it is clean (equal to its chunk) or
 * changed. A cut is a moment: every changed column and row mask of the segment belongs to it as it is then. Whoever
 * changes such a block before it is encoded first has it encoded aside (memory is charged to the budget; where it has
 * none the cut is given up: segment_cut_next says -ENOMEM). Who would put more than SEGMENT_ASIDE_BYTES aside should
 * wait for the cut (segment_cut_must_wait).
 */
#include "storage/directory.h"
#include "storage/segment.h"
#include "storage/store.h"

enum { SEGMENT_ASIDE_BYTES = 64 << 20 };

/* Segment from its directory (decoded; copied from), all columns absent. Takes a reference on the file.
 * -EBADMSG when the directory does not fit the schema (unknown layout change); -ENOMEM. */
int segment_open(const struct schema *s, const struct segment_dicts *d, struct store *store,
                 struct store_file *file, const struct segment_directory *dir,
                 struct budget *budget, struct segment **out, struct error_info *err);

/*
 * How a slot's segments tell it of what they lack, and ask for memory when a chunk arrives and the budget has less
 * than the reserve left. Owner: the slot's core; outlives the segments' use of it (segment_detach).
 */
struct segment_room {
    void (*make)(void *ctx, size_t bytes); /* may evict whatever is not waited for */
    void *ctx;
    size_t reserve;                  /* bytes to keep free */
    struct segment_traffic *traffic; /* counts what comes and goes; may be NULL */
    /* Takes over a detached segment that the slot no longer has, to free it in steps; may be NULL. */
    void (*leave)(void *ctx, struct segment *g);
};

/* Columns of blocks, row masks included, between disk and memory since the start. Owner: the slot's core. */
struct segment_traffic {
    uint64_t read, read_bytes;       /* bytes on disk */
    uint64_t evicted, evicted_bytes; /* bytes in memory */
    uint64_t indexes_dropped;
};
/* absent: counts absent columns of all segments given to it, from now on with this one's; now: in ticks. Each may be
 * NULL. */
void segment_attach(struct segment *g, uint64_t *absent, const uint64_t *now,
                    const struct segment_room *room);
/* The slot goes: counter, room and dictionaries are used no more; what is on its way is dropped when it comes. */
void segment_detach(struct segment *g);

/* Takes over the reference to a detached segment: if it is the last one, the segment goes on the list. */
void segment_leave(struct segment **leaving, struct segment *g);
/* Frees so many blocks of the segments on the list at most: true when there are more. */
bool segment_leave_step(struct segment **leaving, uint32_t blocks);

/* Has anybody but the slot and the reads in flight a reference? */
bool segment_is_pinned(const struct segment *g);

/* What a new segment (segment_new) needs to be checkpointed later. */
void segment_set_store(struct segment *g, struct store *store);

/* --- in memory --- */

/* Columns of the block by position; want NULL = all. As segment_block, but only these columns need be in memory; the
 * others may be NULL in out->columns. BLOCK_FAILED: a read failed, segment_error tells (sticky until the next call
 * that asks for the column anew). */
struct column_want {
    const uint16_t *columns; /* positions, ascending */
    unsigned n;
};
enum block_state segment_block_want(struct segment *g, uint32_t index,
                                    const struct column_want *want, struct task *wake,
                                    struct block *out);
const struct error_info *segment_error(const struct segment *g);

/* Bounds and NULLs of an absent or present column without reading it: false = not known or no value. */
bool segment_block_bounds(const struct segment *g, uint32_t index, unsigned column, int64_t *min,
                          int64_t *max);

/* Rows and live rows of a block; its columns and row mask may be on disk. */
void segment_block_peek(const struct segment *g, uint32_t index, struct block *out);
/* Is all that the want names in memory? Asks for nothing. */
bool segment_block_has(const struct segment *g, uint32_t index, const struct column_want *want);
/* The block is not evicted while what else an operation needs is gathered, for at most two ticks. */
void segment_block_hold(struct segment *g, uint32_t index, bool hold);
/* Like segment_block_want, but nobody waits: reading ahead. */
void segment_block_ask(struct segment *g, uint32_t index, const struct column_want *want);
/* Is memory so plentiful that what is read ahead stays? */
bool segment_has_room(const struct segment *g);
/* The task waits no longer: before its owner goes, unless it was run since it was given to the segment. */
void segment_unwait(struct segment *g, const struct task *wake);

/* Runs all who wait for anything: they ask again, here or where the rows are now. */
void segment_wake_all(struct segment *g);

bool segment_is_loaded(const struct segment *g); /* nothing absent: cheap */
/* Asks for what is absent in the order of the blocks, until the store has about so many bytes on their way; READY when
 * nothing is absent, FAILED when what is cannot be read. wake is run as chunks arrive. */
enum block_state segment_load(struct segment *g, size_t in_flight, struct task *wake);
/* The same at once, blocking (start of the program). */
int segment_load_now(struct segment *g, struct error_info *err);

/* The columns of one block at once, blocking (replay). */
int segment_block_now(struct segment *g, uint32_t index, const struct column_want *want,
                      struct error_info *err);

uint64_t segment_used_tick(const struct segment *g); /* tick of the last use by a statement */
void segment_touch(struct segment *g, uint64_t tick);
/* Lets clean columns go, until about `bytes` are free: returns bytes freed. Blocks that are held or waited for stay; those
 * asked for of late too, unless `all`. */
size_t segment_evict(struct segment *g, size_t bytes, bool all);
/* Bytes of clean and of changed columns in memory. */
void segment_residency(const struct segment *g, size_t *clean, size_t *changed);

/* --- the cut --- */

bool segment_is_changed(const struct segment *g); /* since the last committed cut */
/* Directory of the last committed cut in segment_file; NULL = none. A start sets it after segment_open. */
const struct chunk_ref *segment_directory(const struct segment *g);
void segment_set_directory(struct segment *g, const struct chunk_ref *ref);

/* Begins a cut: cheap (flags only). whole: everything goes into a new file (the old one has too many dead bytes, or is
 * in another place). What is not in memory is copied from the old file as it lies there, see segment_cut_fetch. */
void segment_cut_begin(struct segment *g, bool whole);
/* The cut has nothing to write: file and directory (if any) stay as they are. */
bool segment_cut_is_empty(const struct segment *g);
/* Where it goes: true = into a new file (never written, or whole), false = behind segment_file. */
bool segment_cut_needs_file(const struct segment *g);
/* The file that the cut is written to, for its directory: set by slot_cut_file. */
void segment_cut_set_file(struct segment *g, const struct datafile_id *id);
/* Encodes the next changed columns (of a block, or until the extent has about a MiB) into the extent that will be written at file offset `at`:
 * 1 = more to come, 0 = that was all, -errno = the cut is given up (segment_error tells when it was the old file).
 * SEGMENT_CUT_FETCH: of a whole one, the next must be read from the old file first. */
enum { SEGMENT_CUT_FETCH = 2 };
int segment_cut_next(struct segment *g, struct buffer *extent, uint64_t at);
/* May these blocks be changed now? Asked about each, then answered: true = what would be put aside has no room, wake
 * is run when the cut got on; the blocks are encoded before others. */
void segment_cut_ask(struct segment *g);
void segment_cut_ask_block(struct segment *g, uint32_t block);
bool segment_cut_must_wait(struct segment *g, struct task *wake);
bool segment_cut_is_at_work(const struct segment *g); /* something is not encoded yet */
/* After that answer: reads the next chunks, a few MiB at a time; wake is run as they arrive, then segment_cut_next goes
 * on. They are copied with the checksum they have by the directory, so that damage in them stays damage. */
void segment_cut_fetch(struct segment *g, struct task *wake);
/* After the last: the directory, as the last chunk. */
int segment_cut_directory(struct segment *g, struct buffer *extent, uint64_t at,
                          struct chunk_ref *ref);
/* The extents are in `file`: it becomes the segment's at the commit, a reference is taken now. */
void segment_cut_written(struct segment *g, struct store_file *file);
/* End: committed = a durable root names the directory. Otherwise, also after an error in the middle, the segment
 * counts as changed again. */
void segment_cut_end(struct segment *g, bool committed);

struct store_file *segment_file(const struct segment *g); /* NULL = never written; borrowed */
/* Is it a file that other slots have as well (slot_split.h)? */
bool segment_is_shared(const struct segment *g);
/* Of a block, whose row mask must be in memory, only rows of the mask stay live. The new row mask is in no file, and yet the
 * segment does not count as changed: before anything is, at the start. 0 or -ENOMEM. */
int segment_keep_rows(struct segment *g, uint32_t index, const uint64_t keep[BLOCK_WORDS]);
/* Bytes of the file that the newest directory refers to. */
uint64_t segment_file_live(const struct segment *g);
