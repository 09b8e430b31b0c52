#pragma once
/*
 * Directory of a data file, itself a chunk of it: for a segment every block's rows, row mask and columns with what
 * answers can be given from without reading them; for the dictionaries of a slot the pieces in order. Decoding checks
 * everything against the file's length. Stateless; any core.
 */
#include "storage/datafile.h"

struct arena;
struct buffer;

struct directory_column { /* a column of one block */
    struct chunk_ref ref; /* offset 0: the block lacks the column */
    int64_t min, max;     /* bounds of all values ever set, when `any` */
    bool any, tight;      /* as in struct colblock */
    bool has_nulls;
};

struct directory_block {
    uint32_t rows, live_count;
    struct chunk_ref live; /* row mask of (rows + 63) / 64 words; offset 0 = all rows live */
};

struct segment_directory {
    struct datafile_id id;
    uint64_t schema_version; /* of the table when it was written */
    uint32_t rows, n_blocks; /* every block but the last has BLOCK_ROWS rows */
    uint16_t n_columns;
    uint16_t *column_ids; /* ascending by position at the time of writing */
    uint8_t *layouts;     /* enum column_layout by position */
    struct directory_block *blocks;
    struct directory_column *columns; /* block * n_columns + position */
};

int segment_directory_encode(const struct segment_directory *d, struct buffer *out);
/* Memory from the arena. file_bytes: length of the file, which no chunk may pass. 0, -EBADMSG with the reason, -ENOMEM. */
int segment_directory_decode(const uint8_t *bytes, size_t len, uint64_t file_bytes,
                             struct arena *arena, struct segment_directory *out,
                             struct error_info *err);

struct dict_piece {
    uint16_t column_id;
    bool lists;     /* of the column's dictionary of value lists */
    uint32_t first; /* code of its first entry */
    uint32_t n;
    struct chunk_ref ref;
};

/* Of each dictionary from code 0 on without a gap; single values before the lists of them. */
struct dict_directory {
    struct datafile_id id;
    uint32_t n_pieces;
    struct dict_piece *pieces;
};

int dict_directory_encode(const struct dict_directory *d, struct buffer *out);
int dict_directory_decode(const uint8_t *bytes, size_t len, uint64_t file_bytes,
                          struct arena *arena, struct dict_directory *out, struct error_info *err);
