#pragma once
/* Inside of a scan, for scan*.c only. */
#include "reactor/arena.h"
#include "storage/filter.h"
#include "storage/group.h"
#include "storage/input.h"
#include "storage/partial.h"
#include "storage/scan.h"
#include "storage/segment_disk.h"
#include "storage/topn.h"

enum {
    SCAN_WORDS = SCAN_WINDOW / 64,
    SCAN_BATCH_BYTES = BATCH_MAX_BYTES / 8, /* a batch ends after the row that exceeds this */
    SCAN_AHEAD = 3,                         /* blocks asked for beyond the one that is waited for */
};

enum scan_stage { SCAN_STAGE_BLOCKS, SCAN_STAGE_OUTPUT, SCAN_STAGE_END, SCAN_STAGE_FAILED };

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
    uint32_t n_slots;
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
    struct join_map *join;
    uint32_t *parent_rows;
    struct input *inputs;
    unsigned n_inputs;

    uint64_t sel[BLOCK_WORDS], window[BLOCK_WORDS];
    bool block_open;    /* ROWS: sel holds candidates of the current block */
    uint32_t next_word; /* ROWS: first word of the next window */
    uint64_t emitted;

    struct group_table *groups;
    struct partial *partial;
    struct aggregate_state totals[PROGRAM_MAX_AGGREGATES];
    uint64_t *counts;
    uint32_t n_counts;
    struct topn *topn;
    struct batch_builder *builder;
    struct buffer out;
};

static inline bool scan_is_own_ordered(const struct scan *x, uint16_t ref)
{
    return ref < x->schema->n_columns && x->schema->columns[ref].layout == LAYOUT_ORDERED;
}
