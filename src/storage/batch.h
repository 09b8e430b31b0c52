#pragma once
/*
 * Row batch: rows as versioned columnar bytes, identical on the wire, in the log and for replicas.
 *
 * Little endian. Header (32 bytes): u32 magic "QBT1", u32 total bytes, u32 rows, u16 columns, u8 op, u8 flags,
 * u32 table id, u32 slot, u64 reserved 0. Then one descriptor per column (16 bytes): u16 column id, u8 kind,
 * u8 flags, u32 offset, u32 length, u8 width, u8 scale, u16 reserved. Then the column data, each 8-byte aligned:
 *   presence   (flag BATCH_HAS_NULLS) one bit per row in u64 words, set = present
 *   I64        i64 base, then rows * width bytes (1, 2, 4, 8) added to the base
 *   I128       rows * 16 bytes
 *   F64        rows * 8 bytes
 *   BYTES      u32 offsets[rows + 1], bytes
 *              with flag BATCH_HAS_CODES: u32 values, u32 0, u32 offsets[values + 1], a code of width bytes (1, 2, 4)
 *              per row, the number of its value, bytes; absent rows have code 0
 *   LIST       u32 starts[rows + 1] into the items, then u32 offsets[items + 1], bytes
 * Everything is validated by batch_open before use.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/buffer.h"
#include "storage/type.h"

enum batch_kind { BATCH_I64, BATCH_I128, BATCH_F64, BATCH_BYTES, BATCH_LIST };

enum batch_op {
    BATCH_DATA,   /* a result or partial */
    BATCH_INSERT, /* a row whose key exists is refused with 1062 */
    BATCH_UPSERT, /* loader: key exists -> merge (absent and NULL columns keep their values; lists add) */
    BATCH_REPLACE, /* key exists -> all columns replaced */
    BATCH_UPDATE, /* rows by key; the batch's other columns are set, NULL included; unknown keys are skipped */
    BATCH_DELETE, /* rows by key; unknown keys are skipped */
    BATCH_IGNORE, /* INSERT IGNORE: existing keys are skipped */
};

enum {
    BATCH_VERSION = 2, /* 1 = without codes */
    BATCH_SLOT_ANY = 0xffffffff,
    BATCH_MAX_BYTES = 64 << 20,
    BATCH_MAX_ROWS = 1 << 20,
    BATCH_MAX_COLUMNS = 1040
};

/* Validated view of batch bytes; owns nothing. */
struct batch {
    const uint8_t *bytes;
    uint32_t len, rows;
    uint16_t columns;
    uint8_t op;
    uint32_t table_id, slot;
};

/* Validated view of one column. */
struct batch_column {
    uint16_t id;
    uint8_t kind, width, scale;
    uint32_t rows;
    const uint64_t *presence; /* NULL = all present */
    int64_t base;             /* I64 */
    const uint8_t
        *codes; /* BYTES, of width bytes: which of n_values values; NULL = each row has its own */
    uint32_t n_values;
    const uint8_t *data;     /* I64: values; I128, F64: values; BYTES, LIST: bytes */
    const uint32_t *offsets; /* BYTES: rows + 1, or n_values + 1; LIST: items + 1 */
    const uint32_t *starts;  /* LIST: rows + 1 */
};

/* Checks the bytes (8-byte aligned memory) and fills the view: 0 or -EBADMSG with a text. */
int batch_open(const void *bytes, size_t len, struct batch *out, struct error_info *err);
/* The view of bytes that this program has made. */
void batch_open_trusted(const void *bytes, struct batch *out);
void batch_column_at(const struct batch *b, unsigned i, struct batch_column *out);
int batch_find_column(const struct batch *b, uint16_t id); /* position or -1 */

static inline bool batch_is_present(const struct batch_column *c, uint32_t row)
{
    return !c->presence || (c->presence[row >> 6] >> (row & 63) & 1);
}

int64_t batch_i64(const struct batch_column *c, uint32_t row);
__int128 batch_i128(const struct batch_column *c, uint32_t row);
double batch_f64(const struct batch_column *c, uint32_t row);
const char *batch_bytes(const struct batch_column *c, uint32_t row, uint32_t *len);
/* Value `code` < n_values of a column with codes. */
const char *batch_value(const struct batch_column *c, uint32_t code, uint32_t *len);
uint32_t batch_list_count(const struct batch_column *c, uint32_t row);
const char *batch_list_item(const struct batch_column *c, uint32_t row, uint32_t item,
                            uint32_t *len);
/* Rows [from, from + n) as int64 (absent ones read 0). */
void batch_read_i64(const struct batch_column *c, uint32_t from, uint32_t n, int64_t *out);
/* Codes of the rows [from, from + n) of a column that has them. */
void batch_read_codes(const struct batch_column *c, uint32_t from, uint32_t n, uint32_t *out);
/* Does some column have codes? Programs before version 2 do not know them. */
bool batch_has_codes(const struct batch *b);

/*
 * Builder: column vectors that grow, then one finish. Owner: one core, one operation; memory is charged to the
 * budget (may be NULL). Cells of a row may be put in any column order; batch_builder_end_row makes columns that
 * got none NULL.
 */
struct budget;
struct batch_builder;
struct batch_builder *batch_builder_new(struct budget *budget); /* NULL on -ENOMEM */
void batch_builder_free(struct batch_builder *b);
void batch_builder_reset(struct batch_builder *b); /* keeps columns and memory, drops rows */
int batch_builder_add_column(struct batch_builder *b, uint16_t id, enum batch_kind kind,
                             uint8_t scale); /* position */
int batch_builder_put_i64(struct batch_builder *b, unsigned col, int64_t v);
int batch_builder_put_i128(struct batch_builder *b, unsigned col, __int128 v);
int batch_builder_put_f64(struct batch_builder *b, unsigned col, double v);
int batch_builder_put_bytes(struct batch_builder *b, unsigned col, const void *bytes, uint32_t len);
int batch_builder_put_list_item(struct batch_builder *b, unsigned col, const void *bytes,
                                uint32_t len); /* appends */
int batch_builder_end_row(struct batch_builder *b);
/* Takes back the cells put since the last end_row: for a row that turns out to be wrong half-way. */
void batch_builder_cancel_row(struct batch_builder *b);
/* n whole values of one column at once; presence bits or NULL. All columns must get the same n before end_rows. */
int batch_builder_put_i64s(struct batch_builder *b, unsigned col, const int64_t *v,
                           const uint64_t *presence, uint32_t n);
/* The same of BYTES: value i from offsets[i] to offsets[i + 1] of data; absent ones are empty. */
int batch_builder_put_texts(struct batch_builder *b, unsigned col, const uint8_t *data,
                            const uint32_t *offsets, const uint64_t *presence, uint32_t n);
/* The same as codes of `values` values, which the column keeps; its first rows, and no others may follow. */
int batch_builder_put_codes(struct batch_builder *b, unsigned col, const uint8_t *data,
                            const uint32_t *offsets, uint32_t values, const uint32_t *codes,
                            const uint64_t *presence, uint32_t n);
/* Codes of n more rows of a BYTES column all of whose rows come so; the values come last, by batch_builder_set_values. */
int batch_builder_append_codes(struct batch_builder *b, unsigned col, const uint32_t *codes,
                               const uint64_t *presence, uint32_t n);
/* After end_rows of all rows: the values of a column of appended codes, all of d. It keeps codes where they are
 * shorter than a text each. */
struct dict;
int batch_builder_set_values(struct batch_builder *b, unsigned col, const struct dict *d);
int batch_builder_end_rows(struct batch_builder *b, uint32_t n);
/* Copies cells of row `row` of src (every column, by position) as a new row. Layouts must agree. */
int batch_builder_copy_row(struct batch_builder *b, const struct batch *src, uint32_t row);
uint32_t batch_builder_rows(const struct batch_builder *b);
size_t batch_builder_bytes(
    const struct batch_builder *b); /* size the finished batch would have, about */
/* Appends the finished bytes to out, which must be empty or 8-byte padded. 0, -ENOBUFS, -ENOMEM. */
int batch_builder_finish(struct batch_builder *b, enum batch_op op, uint32_t table_id,
                         uint32_t slot, struct buffer *out);
