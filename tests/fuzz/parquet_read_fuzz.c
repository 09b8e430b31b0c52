/* Whole Parquet files: open, read every column with small batches, touch every value. */
#include <stdlib.h>
#include <string.h>

#include "ingest/parquet_reader.h"
#include "reactor/assert.h"

/* Rows and columns read of one input: enough for every path, and quick. */
#define ROWS_MAX 100000
#define COLUMNS_MAX 64

/* The input as a file. */
struct input {
    const uint8_t *bytes;
    size_t len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_at(void *ctx, void *buf, size_t len, uint64_t off)
{
    const struct input *in = ctx;
    ASSERT(off <= in->len && len <= in->len - off);
    memcpy(buf, in->bytes + off, len);
    return 0;
}

/* What a vector says about itself must hold for every element. */
static void check_vector(const struct parquet_vector *v, size_t rows)
{
    size_t nulls = 0;
    ASSERT(v->is_list ? v->rows == rows : v->count == rows);
    for (size_t i = 0; i < v->count; i++) {
        ASSERT(v->valid[i] <= 1);
        nulls += !v->valid[i];
        if (v->kind == PARQUET_KIND_BYTES)
            ASSERT(v->offsets[i] <= v->offsets[i + 1]);
    }
    ASSERT(nulls == v->null_count);
    if (v->kind == PARQUET_KIND_BYTES && v->count > 0)
        ASSERT(v->offsets[0] == 0 && v->offsets[v->count] == v->data_len);
    for (size_t r = 0; v->is_list && r < rows; r++)
        ASSERT(v->lists[r] <= v->lists[r + 1] && v->lists[r + 1] <= v->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.bytes = data, .len = size};
    struct parquet_source src = {.ctx = &in, .read_at = read_at, .size = size};
    struct parquet_reader *reader;
    struct parquet_batch batch;
    struct parquet_error err;
    uint32_t columns[COLUMNS_MAX], found;
    uint64_t rows = 0;
    if (parquet_reader_open(&src, &err, &reader) < 0)
        return 0;
    const struct parquet_schema *schema = parquet_reader_schema(reader);
    uint32_t count = schema->count < COLUMNS_MAX ? schema->count : COLUMNS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = i;
        (void)parquet_reader_find_column(reader, schema->columns[i].short_path, true, &found);
    }
    if (parquet_reader_select(reader, columns, count, &err) == 0) {
        while (rows < ROWS_MAX && parquet_reader_next(reader, 1000, &batch, &err) == 0 &&
               batch.rows > 0) {
            for (uint32_t i = 0; i < count; i++)
                check_vector(&batch.vectors[i], batch.rows);
            rows += batch.rows;
        }
    }
    parquet_reader_free(reader);
    return 0;
}
