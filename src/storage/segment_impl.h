#pragma once
/* Inside of a segment, for segment*.c only. */
#include "reactor/buffer.h"
#include "reactor/reactor.h"
#include "storage/segment.h"
#include "storage/segment_disk.h"

enum {
    BLOCK_BITS = 16,
    SEGMENT_ANY_BLOCK = UINT32_MAX,     /* a waiter for whatever arrives */
    SEGMENT_CUT_BLOCK = UINT32_MAX - 1, /* for the cut at work */
};

/* What a column of a block, or (position n_columns) its row mask, is on disk. Owner: its block. */
struct segment_column {
    struct directory_column disk; /* its chunk of the last committed cut */
    struct directory_column cut;  /* the same for the cut at work: of use when encoded or aside */
    uint8_t *aside;               /* its image, encoded before a change came */
    uint32_t aside_len;
    bool changed;     /* since the cut at work began, or without one since the last committed */
    bool in_cut;      /* the cut at work must write it */
    bool was_changed; /* in_cut: it was so before the cut began */
    bool encoded;     /* in_cut: `cut` says where */
    bool raw;         /* aside is its chunk of the old file, byte for byte */
    bool fetching;    /* in_cut: that chunk is on its way */
    bool loading, failed;
};

/* Rows [n * 65536, ...) of the segment. Owner: the segment. From `live` on is what scans look at. */
struct segment_block {
    uint32_t number;             /* among the segment's */
    uint32_t cut_rows, cut_live; /* at the begin of the cut at work */
    uint32_t pending;            /* columns of the cut neither encoded nor aside */
    uint32_t used;               /* segment.uses when its absent columns were last asked for */
    uint32_t asked;              /* segment.ask of who asked last whether to change it */
    uint32_t loading;            /* columns, row mask included */
    bool failing;                /* one of those being read now failed */
    bool urgent;                 /* in segment.urgent */
    bool appended;               /* every column is marked as changed */
    bool sealed;                 /* all columns in memory are, to the last row */
    uint64_t held; /* tick + 1 since when somebody gathers it with others; 0 = nobody */
    struct segment_column *disk; /* n_columns + 1 */
    _Alignas(
        64) uint64_t *live; /* NULL = all rows live, or absent; bits at and above rows are zero */
    uint32_t rows, live_count;
    uint32_t absent;            /* columns, row mask included */
    struct colblock *columns[]; /* NULL = absent */
};

struct segment_waiter {
    struct task *task;
    uint32_t block;
    bool failed; /* it was run, and is to be told of a failure when it asks again */
};

enum {
    SEGMENT_READ_CHUNKS = 32,
    SEGMENT_READ_BYTES = 1 << 20, /* of several chunks in one read */
    SEGMENT_MASK = UINT16_MAX,    /* the row mask, which stands behind the columns */
};

struct segment_chunk {
    uint32_t block;
    uint16_t column;      /* or SEGMENT_MASK: there may be more columns when it comes */
    struct chunk_ref ref; /* when it was asked for */
};

/* Chunks on their way, ascending in the file. Owner: the segment, to which it holds a reference. */
struct segment_read {
    struct store_read read;
    struct segment *segment;
    uint32_t n;
    struct segment_chunk chunks[SEGMENT_READ_CHUNKS];
};

struct segment {
    uint32_t refs;
    uint32_t rows, live; /* up to `first`: what scans look at, in one line */
    uint32_t n_blocks, cap_blocks;
    uint32_t absent; /* columns of all blocks, row masks included */
    struct segment_block **blocks;
    int64_t partition;
    uint64_t used_tick;
    struct segment_block
        *first;            /* `blocks` of a segment that never had more: most of many small ones */
    uint64_t changes;      /* of rows that were there, deletes too */
    uint32_t rows_at_tick; /* segment_seal_quiet */
    uint32_t quiet_ticks;  /* without new rows, */
    uint32_t quiet_wait;   /* of which so many pass before the last line is sealed */
    uint64_t tick;
    struct schema *schema;
    struct segment_dicts dicts;
    struct budget *budget;

    struct store *store;
    struct store_file *file; /* of the last committed cut; NULL = never written */
    struct chunk_ref directory;
    uint64_t file_live;
    bool detached;                   /* its slot is gone: nothing is read any more */
    uint64_t *owner_absent;          /* absent columns of all segments of the slot; may be NULL */
    const struct segment_room *room; /* may be NULL */
    const uint64_t *now;             /* in ticks; may be NULL */
    struct segment_waiter *waiters;
    uint32_t n_waiters, cap_waiters;
    uint32_t loading, uses;
    uint32_t reads;   /* on their way, each with a reference */
    uint32_t load_at; /* segment_load asked for the blocks before */
    struct error_info error;

    bool changed; /* as in segment_column, of any */
    bool cut, cut_whole, cut_changed;
    int cut_rc; /* it was given up */
    bool has_cut_id;
    uint32_t cut_blocks, cut_at; /* blocks it has; where to look for the next */
    uint32_t cut_left;           /* columns not encoded yet */
    uint64_t aside_bytes;
    uint32_t
        *urgent; /* segment_cut_room.c: blocks of the cut to encode first, the last one first */
    uint32_t n_urgent, cap_urgent;
    uint32_t ask;         /* number of the newest question whether blocks may be changed now */
    uint64_t asked_bytes; /* of it: what would go aside */
    bool cut_waits;       /* changes wait for the cut */
    struct datafile_id cut_id;
    struct store_file *cut_file;
    struct chunk_ref cut_directory;
    struct list cut_fetches; /* segment_cut_copy.c */
    struct task *cut_wake;
    uint64_t fetching_bytes; /* on their way or arrived, and not yet in an extent */
    struct segment *leaving; /* segment_leave.c: the next one */
};

void segment_pop_block(struct segment *g); /* frees the last one */

/* Bytes of a block's structures, by the number of its columns. */
static inline size_t segment_block_bytes(unsigned columns)
{
    return offsetof(struct segment_block, columns) + columns * sizeof(struct colblock *);
}

static inline size_t segment_disk_bytes(unsigned columns)
{
    return (columns + 1u) * sizeof(struct segment_column);
}

static inline bool segment_column_absent(const struct segment *g, const struct segment_block *b,
                                         unsigned column)
{
    if (column < g->schema->n_columns)
        return !b->columns[column];
    return !b->live && b->disk[column].disk.ref.offset;
}

static inline uint64_t segment_now(const struct segment *g)
{
    return g->now ? *g->now : 0;
}

struct segment_block *segment_block_new(
    struct segment *g); /* no rows, no columns; NULL = no memory */
int segment_block_add(struct segment *g, struct segment_block *b); /* at the end: 0 or -ENOMEM */
void segment_count_absent(struct segment *g, struct segment_block *b, int change);

/* Asking for chunks: those that follow each other, with at most `gap` bytes between them, share a read. Owner: one
 * call. */
struct segment_reading {
    struct segment *segment;
    uint32_t gap;
    bool ahead;                /* nobody waits for them */
    struct segment_read *open; /* not sent yet */
};
int segment_read_add(struct segment_reading *x, uint32_t index, unsigned column); /* 0 or -ENOMEM */
void segment_read_send(struct segment_reading *x);
static inline size_t segment_read_open(const struct segment_reading *x)
{
    const struct segment_read *l = x->open;

    return l ? l->chunks[l->n - 1].ref.offset + l->chunks[l->n - 1].ref.len -
                   l->chunks[0].ref.offset
             : 0;
}
/* One chunk at once, blocking. */
int segment_read_now(struct segment *g, uint32_t index, unsigned column, struct error_info *err);
/* A chunk of the block came or failed; done: nothing more of it is on its way. */
void segment_wake_block(struct segment *g, uint32_t block, bool done);
/*
 * Columns that blocks lack: one constant each, made when it is first needed. Owner: one call; lives on the stack.
 */
struct segment_constants {
    struct segment *segment;
    const struct schema *schema;                    /* of the columns */
    const struct segment_dicts *dicts;              /* of the schema's columns */
    struct colblock *whole[SCHEMA_MAX_COLUMNS + 1]; /* of a full block, to be copied */
};
void segment_constants_fini(struct segment_constants *k);
/* The column for a block of so many rows: 0, -ENOMEM, -ENOSPC. */
int segment_constant(struct segment_constants *k, unsigned column, uint32_t rows,
                     struct colblock **out);

/* Before the first change of a block since the cut began: what the cut needs of it is encoded aside. */
void segment_set_aside(struct segment *g, struct segment_block *b);
/* The cut at work is no more, everything of it counts as changed. */
void segment_cut_forget(struct segment *g);
void segment_cut_give_up(struct segment *g, int rc);
/* The bytes are the image of a column of the cut, from malloc, and are charged here. */
void segment_cut_take_aside(struct segment *g, struct segment_column *d, uint8_t *bytes,
                            uint32_t len);
/* The block is encoded before others: changes wait for it, or images of it lie aside. */
void segment_cut_urge(struct segment *g, uint32_t block);
void segment_cut_end_urgent(struct segment *g);
uint32_t segment_cut_next_block(struct segment *g);
/* Runs the changes that wait for the cut, if there is a point in their asking again. */
void segment_cut_wake(struct segment *g);
int segment_cut_add_waiter(struct segment *g, struct task *wake); /* segment_load.c */
/* What is still being fetched for the cut is of no use any more. */
void segment_cut_end_fetches(struct segment *g);

/* Bounds and NULLs of a column in memory. */
void segment_column_bounds(const struct colblock *c, struct directory_column *out);
