#pragma once
/* Inside of a slot, for slot*.c only. */
#include "storage/dict.h"
#include "storage/key.h"
#include "storage/key_table.h"
#include "storage/segment.h"
#include "storage/slot.h"
#include "storage/slot_disk.h"

/*
 * A time partition: its segment and the index from key to row. An index per segment lets a
 * partition go without touching the others; its entries are row numbers under the low half of the
 * full key hash, and are verified against the key columns. Owner: the slot.
 */
struct slot_part {
    int64_t partition; /* s since 1970; 0 in tables without partitions */
    struct segment *segment;
    struct key_table index;
    bool unindexed;               /* the index is not (wholly) there: see slot_index_step */
    uint32_t index_at;            /* unindexed: blocks already in it */
    uint32_t index_row;           /* and rows of the next one */
    uint32_t ascending;           /* rows that came with ascending keys, from the first one on */
    int64_t top;                  /* ascending > 0: no key of these is larger */
    bool waits;                   /* unindexed as the rows came, not because memory was short */
    uint64_t written;             /* tick of the last write */
    uint64_t index_used;          /* of the last that wanted the index */
    struct slot_rewrite *rewrite; /* at work on it; NULL = none */
    struct slot_part *next;       /* dropped, see slot_partition.c */
};

/* An archived partition, see slot_archive.h: its part until its file is named by a durable root, then the file; neither
 * when the slot has no rows of it. Owner: the slot. */
struct slot_archived {
    int64_t partition;
    struct slot_part *part;
    struct store_file *file;
    uint64_t rows; /* live ones, in the file */
    struct slot_archived *next;
};

/* The dictionaries on disk. Owner: the slot. */
struct slot_dict_file {
    struct store_file *file;    /* NULL = never written */
    struct chunk_ref directory; /* of the last committed cut; offset 0 = none */
    struct dict_piece *pieces;  /* in the file, then those of the cut at work */
    uint32_t n_pieces, cap_pieces;
    uint32_t n_written; /* pieces of committed cuts */
    bool cut, whole;    /* a cut is at work; it begins a new file */
    bool has_cut_id;
    struct datafile_id cut_id;
    struct chunk_ref cut_directory;
};

struct slot {
    struct schema *schema;
    uint32_t number;
    uint64_t seed;
    struct budget *budget;
    struct dict **dicts, **lists; /* by column position */
    struct slot_part **parts;     /* by partition */
    uint32_t n_parts, cap_parts;
    struct slot_archived *archived; /* ascending */
    uint32_t n_archived;
    struct slot_part *leaving; /* dropped, but a statement or a cut still has the segment */

    struct store *store;             /* NULL = in memory only */
    const struct segment_room *room; /* may be NULL */
    uint64_t absent;                 /* columns of its segments that are on disk only */
    uint32_t unindexed;              /* parts without their index */
    bool unfilled;                   /* dictionaries have values that are not in their tables */
    bool altering;                   /* from slot_alter_new on: no segment may come */
    uint64_t tick;                   /* now, for segment_touch */
    uint64_t generation;             /* of the newest of its files */
    struct slot_dict_file dict_file;

    struct slot_words *words; /* indexes of searchable columns, see slot_words.c */
    uint64_t words_serial;
    struct slot_numbers *numbers; /* of strings that are numbers, see slot_numbers.c */
};

static inline enum dict_kind slot_dict_kind(const struct slot *t, unsigned column, bool lists)
{
    if (lists)
        return DICT_LIST;
    return t->schema->columns[column].type == COLUMN_STRING ? DICT_BYTES : DICT_INT;
}

/* Empty dictionaries of a column; NULL stays what it does not need. 0 or -ENOMEM. */
int slot_dict_new(const struct slot *t, const struct column *c, struct dict **values,
                  struct dict **lists);

struct slot_part *slot_part_find(const struct slot *t, int64_t partition); /* NULL = none yet */
int slot_part_open(struct slot *t, int64_t partition,
                   struct slot_part **out); /* makes it: 0 or -ENOMEM */

/* A part around a segment, which it takes over: 0 or -ENOMEM, then the segment stays the caller's. */
int slot_part_add(struct slot *t, int64_t partition, struct segment *g, struct slot_part **out);

/* The batch would change more of the cut at work than may be put aside: wake is run when the cut got on. */
bool slot_cut_must_wait(struct slot *t, const struct batch *b, struct task *wake);

/* The same with a part that is there; its index is as it was. */
int slot_part_insert(struct slot *t, struct slot_part *p);
/* Not among the parts any more, without index: the caller's. */
void slot_part_take_out(struct slot *t, struct slot_part *p);
/* A part that was taken out goes when nobody has its segment any more. */
void slot_part_leave(struct slot *t, struct slot_part *p);
bool slot_drop_live_partition(struct slot *t, int64_t partition); /* one that is not archived */

/* Key columns of the table, ascending, as a want. */
void slot_key_want(const struct schema *s, uint16_t columns[SCHEMA_MAX_KEY_COLUMNS],
                   struct column_want *out);

void slot_part_free(struct slot *t, struct slot_part *p);
/* Dropped partitions: frees those that nobody has any more, or all of them when the slot goes. */
void slot_reap(struct slot *t, bool all);

/*
 * Takes rows of the next block into the index of a part, at most so many; its key columns must be in memory. 0 or
 * -ENOMEM. The part is indexed when all blocks are. With less than BLOCK_ROWS also the memory is got in steps.
 */
int slot_index_step(struct slot *t, struct slot_part *p, uint32_t rows);
/* Hash under which a row is in the index: its values by position in schema->key, number `row` of each. */
uint64_t slot_index_hash(const struct slot *t, int64_t *const keys[], uint32_t row);
/* The hash that chose its slot; of keys[] only those of schema->place need be there. */
uint64_t slot_place_hash(const struct slot *t, int64_t *const keys[], uint32_t row);
void slot_index_drop(struct slot *t, struct slot_part *p);

/*
 * Rows whose integer keys ascend from the first row of a part on are new without a look into the index, which is made
 * when something else is written or the rows have stopped coming. Is all of a part like that, and not indexed?
 */
bool slot_index_can_wait(const struct slot_part *p);
/* Does a batch go on with it? p NULL = a part without rows. */
bool slot_index_is_ascending(const struct slot *t, const struct slot_part *p, const struct batch *b,
                             const struct key_columns *k);
/* The index of rows that came so, for what looks for keys; slot_prepare has mostly made it. 0 or -ENOMEM. */
int slot_index_finish(struct slot *t);
/* Its rows come now: the part counts as not indexed. */
void slot_index_let_wait(struct slot *t, struct slot_part *p);

/* Archived partitions (slot_archive.c). */
uint64_t slot_archived_rows(const struct slot_archived *a);
bool slot_archive_drop(struct slot *t, int64_t partition); /* true when it was archived */
/* The segment's file is in archive/. */
bool slot_file_is_archived(const struct segment *g);
size_t slot_archive_evict(struct slot *t, size_t bytes);
size_t slot_archive_memory(const struct slot *t);
void slot_archive_residency(const struct slot *t, size_t *clean, size_t *changed); /* adds */
void slot_archive_unwait(struct slot *t, const struct task *wake);
void slot_archive_wake_all(struct slot *t);
void slot_archive_free(struct slot *t);
/* Why a new row cannot be: its partition is archived. */
void slot_archive_refusal(const struct schema *s, const struct key_columns *k, uint32_t row,
                          int64_t partition, struct error_info *out);

enum slot_lookup {
    SLOT_NONE,
    SLOT_FOUND,
    SLOT_PENDING, /* perhaps a row whose append is still to come: append, then look again */
};

/* Finds the key cells of a batch, also when it has just them under other ids. As key_columns_find. */
int slot_key_columns(const struct schema *s, const struct batch *b, struct key_columns *k);

/* Row of a key in a partition, whose index and key columns are in memory: codes[] by position in schema->key. */
enum slot_lookup slot_index_find(const struct slot_part *p, const struct schema *s, uint64_t hash,
                                 const int64_t *codes, uint32_t *row);

/* Code of a key part as the columns hold it, for looking up: false when no row can have it. */
bool slot_key_code(const struct slot *t, const struct key_columns *k, unsigned part, uint32_t row,
                   int64_t *code);

/*
 * Next live row at or after *row of a segment whose key columns but the time field equal codes[]: a
 * scan.
 */
bool slot_scan_key(struct segment *g, const struct schema *s, const int64_t *codes, uint32_t *row);
