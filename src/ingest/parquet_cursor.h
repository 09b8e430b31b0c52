#pragma once
/*
 * Position within one column of one row group: pages, levels and values turned into rows.
 */
#include "ingest/parquet_meta.h"
#include "ingest/parquet_page.h"
#include "ingest/parquet_values.h"

/* Entries whose levels are decoded at a time. */
#define PARQUET_LEVEL_STEP 2048

/* Repetition or definition levels of one page; the bytes belong to the page. */
struct parquet_levels {
    struct parquet_rle rle;
    const uint8_t *packed; /* BIT_PACKED, the deprecated encoding; otherwise NULL */
    uint64_t bit;
    uint8_t max;
};

/* Any core, one at a time; owned by a reader; memory: one read-ahead window or compressed page, one
 * decompressed page and one dictionary. */
struct parquet_cursor {
    const struct parquet_column *column;
    const struct parquet_chunk *chunk;
    uint32_t group;
    uint32_t page_number;
    uint64_t entries_left; /* of the chunk, not counting those of the current page */
    uint64_t page_left;    /* entries of the current page */
    struct parquet_page page;
    struct parquet_levels rep;
    struct parquet_levels def;
    struct parquet_values values;
    struct parquet_vector dict;
    bool has_dict;
    uint32_t *rep_buf; /* repetition levels decoded ahead; owned; columns with lists only */
    size_t rep_from;
    size_t rep_len;
};

/* Prepares a cursor for a column; *c must be zeroed. -ENOMEM. Any core. */
int parquet_cursor_init(struct parquet_cursor *c, const struct parquet_column *column,
                        struct parquet_error *err);

/* Starts a chunk of the column. -ENOTSUP for an encrypted one or one in another file. Any core. */
int parquet_cursor_start(struct parquet_cursor *c, const struct parquet_source *src,
                         const struct parquet_chunk *chunk, uint32_t group,
                         struct parquet_error *err);

/* Appends the next `rows` rows to out. -EBADMSG for damage or when there are fewer, with a message
 * naming row group, column and page; errors of the source; -ENOTSUP, -EFBIG, -ENOMEM. After an
 * error the cursor can only be started anew or freed. Any core. */
int parquet_cursor_read(struct parquet_cursor *c, size_t rows, struct parquet_vector *out,
                        struct parquet_error *err);

/* Whether the chunk has been read to its end; -EBADMSG when rows are left. Any core. */
int parquet_cursor_finish(struct parquet_cursor *c, struct parquet_error *err);

/* Frees what the cursor holds. Any core. */
void parquet_cursor_fini(struct parquet_cursor *c);
