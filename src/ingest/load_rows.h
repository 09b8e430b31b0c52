#pragma once
/*
 * Rows of a Parquet file into row batches of a table: column paths matched to the schema's source names, values
 * converted by mapping strategy, bad rows set aside whole. Owner: one load job on one core.
 */
#include "ingest/parquet_reader.h"
#include "storage/batch.h"
#include "storage/mapping.h"
#include "storage/schema.h"

struct load_rows;

struct load_rows_config {
    const struct schema *schema;
    const char
        *element; /* ChildRelation: rows are the elements of the list here; NULL = of the file */
    const struct schema *parent; /* with element: the table whose rows hold the lists, or NULL */
    bool ignore_source_path;     /* match by column name, not by sourceName */
    bool nerd_capitalization;    /* also try names in Title Case */
    /* A rejected row: its number in the file and why. */
    void (*reject)(void *ctx, uint64_t row, const struct error_info *why);
    void *ctx;
};

/* Matches columns and selects them in the reader: -ENOENT when the file has nothing below config.element, -EINVAL naming the column when a key column or a required one
 * without default is not in the file; columns that are simply absent are left out. */
int load_rows_new(const struct load_rows_config *config, struct parquet_reader *reader,
                  struct load_rows **out, struct error_info *err);
void load_rows_free(struct load_rows *l);

/* Reads up to max_rows rows, converts them and appends the finished BATCH_UPSERT to out (empty buffer). *rows = rows
 * in the batch, *rejected = rows set aside; both 0 at the end of the file. Errors of the reader with text in err. */
int load_rows_next(struct load_rows *l, uint32_t max_rows, struct buffer *out, uint32_t *rows,
                   uint32_t *rejected, struct error_info *err);

/* Of the last batch: row of the file from which its places count. */
uint64_t load_rows_first_row(const struct load_rows *l);
/* Of the last batch: the place of each of its rows among those read for it. Valid until the next call. */
const uint32_t *load_rows_places(const struct load_rows *l);
