#pragma once
/*
 * A write batch at work on a slot, for slot*.c only. The batch is taken in chunks of rows: first
 * every column of the chunk becomes values and codes, then the rows are taken one by one in order.
 * New rows wait in a list and are appended together, before anything else of the partition or of an
 * existing row happens.
 */
#include "storage/slot_impl.h"

enum {
    WRITE_CHUNK = 512,     /* rows */
    WRITE_MAX_LIST = 1024, /* values of a multi-valued column in one row */
    WRITE_PREFETCH = 32,   /* rows ahead whose index entry is loaded */
    WRITE_NO_CODE = 0xffffffff,
};

enum write_row_state {
    WRITE_ROW_OPEN,
    WRITE_ROW_REJECTED,
    WRITE_ROW_UNKNOWN, /* its key holds a value the slot has never seen: no such row */
};

/* Column of the schema in the batch. Owner: the write. */
struct write_column {
    bool given, used; /* in the batch; wanted by the operation */
    bool nulls;       /* some row of the chunk is NULL */
    struct batch_column in;
    uint32_t
        *codes; /* of the batch's values when it has codes: in the dictionary, or WRITE_NO_CODE */
    int64_t *values; /* of the chunk's rows */
    uint8_t *present;
};

/* A change to a column of an existing row. */
struct write_change {
    uint16_t column;
    bool present;
    int64_t value;
};

/* Owner: one call of slot_apply. */
struct slot_write {
    struct slot *slot;
    const struct schema *schema;
    const struct batch *batch;
    struct write_result *result;
    struct key_columns keys;
    bool timeless;               /* partitioned table, no time in the batch */
    bool complete;               /* no row of the chunk lacks a required value */
    struct slot_part *ascending; /* all rows are new ones of this part and need no index; or NULL */
    struct write_column *columns; /* by column position */
    int64_t **values;             /* as segment_append_rows wants them */
    uint8_t **present;
    struct write_change *changes;
    uint32_t from, n;             /* rows of the chunk */
    struct slot_part *part;       /* of the new rows that wait */
    struct slot_part *last;       /* of the row before, likely that of the next ones */
    uint32_t *waiting, n_waiting; /* rows of the chunk, ascending */
    uint32_t lost;                /* first row of the chunk that found no memory */
    uint32_t list[WRITE_MAX_LIST];
    /* Of the chunk's rows. */
    struct key_hash *hashes;
    uint8_t *state;     /* enum write_row_state */
    const char **texts; /* scratch of the encoding */
    uint32_t *lens, *codes;
    size_t bytes; /* of this allocation */
};

/* Counts a row of the chunk as rejected and keeps the error while there is room. */
void slot_write_reject(struct slot_write *w, uint32_t i, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Values, codes and key hashes of the chunk's rows; rows that cannot be are rejected. 0, -ENOMEM,
 * -ENOSPC.
 */
int slot_write_encode(struct slot_write *w);

/*
 * Would a row of the chunk leave a required column without a value? Then it is rejected. all:
 * columns that are not given count as missing.
 */
bool slot_write_check_required(struct slot_write *w, uint32_t i, bool all);

/* Merges, replaces or updates an existing row, whole or not at all: 0 or -ENOMEM. */
int slot_write_change(struct slot_write *w, uint32_t i, struct slot_part *p, uint32_t row);
