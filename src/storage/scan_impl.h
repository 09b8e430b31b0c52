#pragma once
/* Inside of a scan, for scan*.c only. */
#include "reactor/arena.h"
#include "storage/filter.h"
#include "storage/group.h"
#include "storage/group_dense.h"
#include "storage/group_union.h"
#include "storage/input.h"
#include "storage/join_sieve.h"
#include "storage/partial.h"
#include "storage/scan.h"
#include "storage/segment_disk.h"
#include "storage/topn.h"
#include "storage/value_counts.h"

enum {
    SCAN_WORDS = SCAN_WINDOW / 64,
    SCAN_FEW_ROWS = 32,                     /* of a window: looked up, not decoded */
    SCAN_BATCH_BYTES = BATCH_MAX_BYTES / 8, /* a batch ends after the row that exceeds this */
    SCAN_AHEAD = 3,       /* blocks asked for beyond the one that is waited for, */
    SCAN_AHEAD_MANY = 16, /* where there is memory */
    SCAN_AHEAD_CODES = 2, /* blocks ahead whose containers are looked for */
    SCAN_PIECES = 8,      /* of the memory, a range of groups may take one */
    SCAN_PIECE_MIN = 16384,
    SCAN_WORK_FILTER = 30, /* of scan_work: a selection made, or used for sums */
    SCAN_WORK_GROW = 4096, /* a step over dictionaries, when more is left: other work gets a turn */
    SCAN_WORK_ROW = 20,    /* a row read by itself */
    SCAN_WORK_MEET = 10,   /* rows counted where containers meet */
    SCAN_WORK_FLUSH = 4096, /* groups looked at in a step, when more are left */
    SCAN_WORK_FOLD = 1500,  /* positions folded in a step */
    SCAN_WORK_SIEVE = 2,    /* a line of a sieve, and */
    SCAN_SIEVE_ROWS = 32,   /* so many rows of it */
    SCAN_SIEVE_AGAIN =
        16, /* of so many blocks, one goes through a sieve that lets most rows pass */
    SCAN_SIEVE_FEW = BLOCK_ROWS / 64, /* rows of a block: most lines keep some through a sieve */
};

enum scan_stage {
    SCAN_STAGE_BLOCKS,
    SCAN_STAGE_WHOLE,
    SCAN_STAGE_OUTPUT,
    SCAN_STAGE_END,
    SCAN_STAGE_FAILED
};

enum { SCAN_PLACES = 6 }; /* of scan_look_ahead */

/* A block to come, of the segment at hand or one after it. */
struct scan_place {
    uint32_t part, block; /* part n_parts: there is none */
};

/* How the matching rows of a block are used. */
enum scan_mode {
    SCAN_MODE_TOTALS, /* no groups, ordered columns only: straight from the slices */
    SCAN_MODE_CODES,  /* count(*) by one enumerated column: from the containers */
    SCAN_MODE_GROUPS, /* everything else that groups */
    SCAN_MODE_TOPN,
    SCAN_MODE_ROWS,
};

struct scan_part { /* a segment as it was when the scan began */
    uint32_t slot;
    struct segment *segment;
    uint32_t from, rows; /* [from, rows) */
};

/* Owner: the core of the slots; lives from scan_new to scan_free. */
struct scan {
    const struct program *program;
    const struct schema *schema;
    struct slot *const *slots;
    uint32_t n_slots, slot; /* the one at hand */
    struct budget *budget;
    struct task *wake;
    enum scan_stage stage;
    enum scan_mode mode;
    struct error_info error;
    struct scan_stats stats;

    struct arena arena;      /* lives with the scan: inputs, join */
    struct arena slot_arena; /* filter and maps of the current slot */
    struct scan_part *parts;
    uint32_t n_parts, part, block;
    uint32_t window_rows; /* room in the inputs */
    uint32_t first_row;   /* of the current block in its segment */
    bool slot_open;
    bool waited;                         /* a segment may know the wake task */
    struct column_want where_want, want; /* columns of the condition; all that are used */

    struct filter *filter;
    struct container_meet
        next_meet; /* when `foreseen`, what the condition will look at in the next block */
    bool foreseen;
    struct join_map *joins[PROGRAM_MAX_JOINS];
    uint32_t *parent_rows[PROGRAM_MAX_JOINS];                    /* of the window's rows */
    uint64_t joined[PROGRAM_MAX_JOINS], kept[PROGRAM_MAX_JOINS]; /* rows looked at, left */
    uint8_t join_order[PROGRAM_MAX_JOINS];
    struct join_sieve sieves[PROGRAM_MAX_JOINS];                    /* of inner joins */
    uint64_t sifted[PROGRAM_MAX_JOINS], passed[PROGRAM_MAX_JOINS];  /* rows they looked at, left */
    uint64_t tested[PROGRAM_MAX_JOINS], members[PROGRAM_MAX_JOINS]; /* of these by bits */
    uint8_t sieve_order[PROGRAM_MAX_JOINS];
    uint32_t sieved; /* joins by bits: all selected rows of the block at hand have their parent */
    uint32_t attributes; /* joins whose parents' attributes are used */
    struct input *inputs;
    unsigned n_inputs;

    struct scan_few *few; /* TOPN: or NULL */
    bool block_open;      /* ROWS: sel holds candidates of the current block */
    uint32_t next_word;   /* ROWS: first word of the next window */
    uint64_t emitted;

    uint64_t memory,
        piece; /* bytes for the groups of the slots; for the partial groups of a range */
    struct group_table *groups;
    struct group_range pass;       /* hashes of the groups looked for in this pass over the rows */
    struct group_range range;      /* of them, those in the partial */
    uint32_t width;                /* of ranges */
    uint32_t flush_part, flush_at; /* what of the groups has gone into the partial */
    bool filled;                   /* all of the range has */
    uint64_t changes; /* segment_changes of all at the start of the first of several passes */
    struct group_dense *dense; /* or NULL */
    bool dense_on;             /* in use for the slot at hand */
    bool allow_whole;          /* groups need not go out in batches */
    bool unfold;               /* but they shall */
    bool folding;              /* a slot was ended: the dense groups go into the set, */
    size_t fold_at;            /* from this position on, then those beside them */
    struct group_whole found;
    struct group_set *set; /* or NULL */
    struct partial *partial;
    struct aggregate_state totals[PROGRAM_MAX_AGGREGATES];
    uint64_t *counts; /* CODES: rows of the slot per code */
    uint32_t n_counts;
    uint64_t null_count;
    struct scan_place ahead[SCAN_PLACES],
        ahead_of;     /* places ahead of a place, if that is the one at hand */
    bool takes_whole; /* the mode uses `whole` */
    bool only_counts; /* TOTALS of COUNT(*) alone */
    bool skipping;    /* headers told that no row of the last block matches */
    bool whole;       /* every row of the current block is selected; sel was not made */
    uint64_t work;
    struct topn *topn;
    struct value_counts *values; /* ROWS that may come counted; or NULL */
    struct batch_builder *builder;
    struct buffer out;

    /* Last, and not zeroed at the start: a scan for one row is made often. */
    uint64_t sel[BLOCK_WORDS], window[BLOCK_WORDS];
};

/* The window becomes as many of the selection's `words` as have at most so many rows, so that few are one batch: its
 * end. */
uint32_t scan_take_rows(struct scan *x, uint32_t first_word, uint32_t words, uint32_t most);
/* Keeps at most n rows of the window; what is left stays in sel for the next batch. */
void scan_limit_window(struct scan *x, uint32_t first_word, uint32_t end, uint64_t n);
/* Rows of the window from number n on go back into sel. */
void scan_give_back(struct scan *x, uint32_t first_word, uint32_t end, uint32_t n);

/* scan_ahead.c: the block with these columns; while it is PENDING those that may be wanted next are asked for, too. */
enum block_state scan_want_block(struct scan *x, const struct column_want *want, struct block *b);
/* Asks for the memory of what the next blocks will be asked, those of the next segments too; while the headers of one
 * after the other exclude it, for the bounds alone. */
void scan_look_ahead(struct scan *x);

/*
 * scan_few.c: rows of blocks that have few of them, read together a little later, when the memory asked for has come.
 * The n selected rows of the block are taken down: 1, or 0 when they must be read in another way; -errno.
 */
int scan_few_open(struct scan *x); /* 0 or -ENOMEM */
int scan_few_add(struct scan *x, const struct block *b, uint32_t n);
/* Reads those taken down, before the core does anything else or goes to another slot: 0 or -errno. */
int scan_few_read(struct scan *x);

/* scan_bound.c, for TOPN: leaves out selected rows of the block that cannot be among the first; tells whether its bounds
 * leave out all. */
void scan_narrow_to_bound(struct scan *x, const struct block *b);
bool scan_is_beyond_bound(const struct scan *x, const struct block *b);

/* The n rows that the inputs have, into topn: 0 or -errno. */
int scan_put_topn(struct scan *x, uint32_t n);

/* The slot's dictionaries. */
void scan_bind_inputs(struct scan *x, const struct slot *slot);
/* All groups are in the partial: what stands there in any case. */
int scan_finish_groups(struct scan *x);

/* scan_groups.c: after the last block, 0 or -errno with a text. */
int scan_groups_end(struct scan *x);
/* Batches of groups: 1; 0 at the end; -EAGAIN: there is more to do, perhaps with the blocks again; -errno. */
int scan_groups_next(struct scan *x, uint32_t batch_rows, struct batch *out);
/* After a batch: it had the last of all groups. */
bool scan_groups_done(const struct scan *x);
/* After the last slot: may its groups be answered as they lie? */
bool scan_groups_whole(struct scan *x);
/* The dense groups of the slot that ends go where they are kept, all of the slot's into the set if there is one: 1 when
 * all have, 0, -errno. */
int scan_groups_fold(struct scan *x);
/* The groups do not fit: begins again with fewer of them. False when that is of no use. */
bool scan_groups_narrow(struct scan *x);

static inline bool scan_is_own_ordered(const struct scan *x, uint16_t ref)
{
    return ref < x->schema->n_columns && x->schema->columns[ref].layout == LAYOUT_ORDERED;
}
