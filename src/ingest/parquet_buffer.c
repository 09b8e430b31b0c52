#include "ingest/parquet_buffer.h"

#include <stdlib.h>
#include <string.h>

int parquet_buffer_reserve(struct parquet_buffer *b, size_t len, struct parquet_error *err)
{
    size_t need, cap;
    if (b->cap - b->len >= len && b->bytes)
        return 0;
    if (__builtin_add_overflow(b->len, len, &need) ||
        __builtin_add_overflow(need, need / 2 + 64, &cap))
        return parquet_fail_memory(err, "a column chunk");
    uint8_t *grown = realloc(b->bytes, cap);
    if (!grown)
        return parquet_fail_memory(err, "a column chunk");
    b->bytes = grown;
    b->cap = cap;
    return 0;
}

int parquet_buffer_append(struct parquet_buffer *b, const void *bytes, size_t len,
                          struct parquet_error *err)
{
    int rc = parquet_buffer_reserve(b, len, err);
    if (rc < 0)
        return rc;
    if (len > 0)
        memcpy(b->bytes + b->len, bytes, len);
    b->len += len;
    return 0;
}

void parquet_buffer_fini(struct parquet_buffer *b)
{
    free(b->bytes);
    memset(b, 0, sizeof(*b));
}
