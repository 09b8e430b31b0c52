#pragma once
/*
 * What is in the rows of the node scenario. Nearly all columns of a row follow from one number, its version, so that a
 * mixture of two writes is seen at once; `extra` has a number of its own, because some writes set only one of both, and
 * `tags` is the ordered list that upserts have added to.
 */
#include <stdbool.h>
#include <stdint.h>

#include "storage/schema.h"

enum {
    CONTENT_ROWS = 180,
    CONTENT_GROUPS = 12, /* the last one is NULL */
    CONTENT_TAGS = 12,   /* different ones; NULL counts as another in groups */
    CONTENT_PARTITIONS = 5,
    CONTENT_TEXT = 80,
    CONTENT_ADDED = 3, /* columns that ALTER TABLE adds at most */
    CONTENT_ADDED_INT = 4711
};

/* Columns by position; the hidden key of table 1 is behind them. */
enum content_column {
    COLUMN_ID,
    COLUMN_VER,
    COLUMN_V,
    COLUMN_GRP,
    COLUMN_NAME,
    COLUMN_EXTRA,
    COLUMN_TAGS,
    COLUMN_REF,
    COLUMN_TS,
    CONTENT_COLUMNS
};

/* 0: key id. 1: without a key of its own. 2: key ts + id, a partition a day. 3: key id, ref refers to table 0. */
enum { TABLE_PLAIN, TABLE_KEYLESS, TABLE_DAILY, TABLE_CHILD, CONTENT_TABLES };

/* A row; all zero = it is not there. tags: four bits each, tag + 1, the first one lowest; 0 = NULL. */
struct content {
    uint32_t version, extra;
    uint64_t tags;
};

struct schema *content_schema(unsigned table);

/*
 * Columns that ALTER TABLE has added stand behind all others. All rows have the same value there, whether it is the
 * default of those that were there or was written: the first and third CONTENT_ADDED_INT, the second CONTENT_ADDED_NAME.
 */
#define CONTENT_ADDED_NAME "added"
unsigned content_added(const struct schema *s, unsigned table);
unsigned content_added_at(unsigned table); /* position of the first */
static inline bool content_is_added_int(unsigned i)
{
    return i % 2 == 0;
}
/* The definition with one more. */
struct schema *content_add_column(const struct schema *s, unsigned table);

int64_t content_id(unsigned row);
unsigned content_row(int64_t id); /* CONTENT_ROWS = no such row */
/* Time of the row and the start of its partition, s since 1970. */
int64_t content_time(unsigned row);
unsigned content_partition(unsigned row);
int64_t content_partition_start(unsigned partition);

/* Columns of a version: number (false = NULL), group and name (length, -1 = NULL), id that it refers to. */
bool content_number(uint32_t version, int64_t *v);
int content_group(uint32_t version, char out[CONTENT_TEXT]);
unsigned content_group_number(uint32_t version);
int content_name(uint32_t version, char out[CONTENT_TEXT]);
int64_t content_ref(uint32_t version);
uint64_t content_tags(uint32_t version);

int content_tag_name(unsigned tag, char out[CONTENT_TEXT]);
unsigned content_tag_count(uint64_t tags);
unsigned content_tag(uint64_t tags, unsigned i);
bool content_has_tag(uint64_t tags, unsigned tag);
/* The list with those of `more` that it lacks after it. */
uint64_t content_add_tags(uint64_t tags, uint64_t more);

static inline bool content_is(struct content a, struct content b)
{
    return a.version == b.version && a.extra == b.extra && a.tags == b.tags;
}
