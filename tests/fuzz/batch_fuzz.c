/* Row batches from outside: open, read every cell, build a copy, which must open again. */
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_column(const struct batch_column *c)
{
    int64_t values[256];
    uint64_t sum = 0;
    uint32_t len;

    for (uint32_t r = 0; c->kind == BATCH_I64 && r < c->rows; r += 256)
        batch_read_i64(c, r, c->rows - r < 256 ? c->rows - r : 256, values);
    for (uint32_t r = 0; r < c->rows; r++) {
        if (c->kind == BATCH_BYTES) {
            const char *s = batch_bytes(c, r, &len);

            sum += len ? (uint8_t)s[0] + (uint8_t)s[len - 1] : 0;
        }
        for (uint32_t k = 0; c->kind == BATCH_LIST && k < batch_list_count(c, r); k++) {
            const char *s = batch_list_item(c, r, k, &len);

            sum += len ? (uint8_t)s[0] + (uint8_t)s[len - 1] : 0;
        }
    }
    /* The sum is only there so that the bytes are really read. */
    ASSERT(sum < UINT64_MAX);
}

static void copy(const struct batch *b)
{
    struct batch_builder *to = batch_builder_new(NULL);
    struct batch_column c;
    struct error_info err;
    struct buffer out;
    struct batch again;
    int rc = 0;

    buffer_init(&out, BATCH_MAX_BYTES);
    for (unsigned i = 0; i < b->columns; i++) {
        batch_column_at(b, i, &c);
        ASSERT(batch_builder_add_column(to, c.id, c.kind, c.scale) == (int)i);
    }
    for (uint32_t r = 0; r < b->rows && rc == 0; r++)
        rc = batch_builder_copy_row(to, b, r);
    if (rc == 0 && batch_builder_finish(to, b->op, b->table_id, b->slot, &out) == 0) {
        ASSERT(batch_open(out.data, out.len, &again, &err) == 0);
        ASSERT(again.rows == b->rows && again.columns == b->columns);
    }
    buffer_fini(&out);
    batch_builder_free(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *aligned = malloc(size ? size : 1);
    struct error_info err;
    struct batch b;

    memcpy(aligned, data, size);
    if (batch_open(aligned, size, &b, &err) == 0) {
        for (unsigned i = 0; i < b.columns; i++) {
            struct batch_column c;

            batch_column_at(&b, i, &c);
            read_column(&c);
        }
        if (b.rows <= 4096)
            copy(&b);
    }
    free(aligned);
    return 0;
}
