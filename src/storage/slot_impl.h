#pragma once
/* Inside of a slot, for slot*.c only. */
#include "storage/dict.h"
#include "storage/key.h"
#include "storage/key_table.h"
#include "storage/segment.h"
#include "storage/slot.h"

/*
 * A time partition: its segment and the index from key to row. An index per segment lets a
 * partition go without touching the others; its entries are row numbers under the low half of the
 * full key hash, and are verified against the key columns. Owner: the slot.
 */
struct slot_part {
    int64_t partition; /* s since 1970; 0 in tables without partitions */
    struct segment *segment;
    struct key_table index;
};

struct slot {
    struct schema *schema;
    uint32_t number;
    uint64_t seed;
    struct budget *budget;
    struct dict **dicts, **lists; /* by column position */
    struct slot_part **parts;     /* by partition */
    uint32_t n_parts, cap_parts;
};

/* Start of the partition a time value lies in; 0 in tables without partitions. */
int64_t slot_partition_of(const struct schema *s, int64_t time);

struct slot_part *slot_part_find(const struct slot *t, int64_t partition); /* NULL = none yet */
int slot_part_open(struct slot *t, int64_t partition,
                   struct slot_part **out); /* makes it: 0 or -ENOMEM */

enum slot_lookup {
    SLOT_NONE,
    SLOT_FOUND,
    SLOT_PENDING, /* perhaps a row whose append is still to come: append, then look again */
};

/* Row of a key in a partition: codes[] by position in schema->key. */
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
