#include "ingest/parquet_dict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MIN 1024

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15ULL;
    return h ^ h >> 29;
}

/* The values come from the user's own rows and the table is bounded, so the hash has no seed. */
static uint64_t hash(const uint8_t *value, uint32_t len)
{
    uint64_t h = len, word;
    for (; len > 8; value += 8, len -= 8) {
        memcpy(&word, value, 8);
        h = mix(h ^ word) * 0xbf58476d1ce4e5b9ULL;
    }
    word = 0;
    memcpy(&word, value, len);
    return mix(mix(h ^ word));
}

static int grow_table(struct parquet_dict *d, struct parquet_error *err)
{
    uint32_t size = d->table_size ? d->table_size * 2 : TABLE_MIN;
    uint32_t *table = calloc(size, sizeof(*table));
    if (!table)
        return parquet_fail_memory(err, "a dictionary");
    for (uint32_t code = 0; code < d->count; code++) {
        uint32_t start = d->starts[code];
        uint64_t at = hash(d->values.bytes + start, d->starts[code + 1] - start);
        while (table[at & (size - 1)])
            at++;
        table[at & (size - 1)] = code + 1;
    }
    free(d->table);
    d->table = table;
    d->table_size = size;
    return 0;
}

static int add_value(struct parquet_dict *d, const uint8_t *value, uint32_t len,
                     struct parquet_error *err)
{
    if (len > PARQUET_DICT_BYTES_MAX - d->values.len)
        return -EFBIG;
    if (d->count + 2 > d->cap) {
        uint32_t cap = d->cap * 2 + 256;
        uint32_t *starts = realloc(d->starts, cap * sizeof(*starts));
        if (!starts)
            return parquet_fail_memory(err, "a dictionary");
        d->starts = starts;
        d->cap = cap;
    }
    int rc = parquet_buffer_append(&d->values, value, len, err);
    if (rc < 0)
        return rc;
    d->starts[0] = 0;
    d->starts[++d->count] = (uint32_t)d->values.len;
    return 0;
}

int parquet_dict_put(struct parquet_dict *d, const uint8_t *value, uint32_t len, uint32_t *code,
                     struct parquet_error *err)
{
    if (d->count >= d->table_size / 2) {
        int rc = grow_table(d, err);
        if (rc < 0)
            return rc;
    }
    uint32_t mask = d->table_size - 1;
    uint64_t at = hash(value, len);
    for (; d->table[at & mask]; at++) {
        uint32_t found = d->table[at & mask] - 1, start = d->starts[found];
        if (d->starts[found + 1] - start == len &&
            memcmp(d->values.bytes + start, value, len) == 0) {
            *code = found;
            return 0;
        }
    }
    int rc = add_value(d, value, len, err);
    if (rc < 0)
        return rc;
    *code = d->count - 1;
    d->table[at & mask] = d->count;
    return 0;
}

void parquet_dict_clear(struct parquet_dict *d)
{
    d->count = 0;
    d->values.len = 0;
    if (d->table)
        memset(d->table, 0, d->table_size * sizeof(*d->table));
}

void parquet_dict_fini(struct parquet_dict *d)
{
    parquet_buffer_fini(&d->values);
    free(d->starts);
    free(d->table);
    memset(d, 0, sizeof(*d));
}
