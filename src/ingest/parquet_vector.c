#include "ingest/parquet_vector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"

void parquet_vector_init(struct parquet_vector *v, enum parquet_kind kind, bool is_list)
{
    memset(v, 0, sizeof(*v));
    v->kind = kind;
    v->is_list = is_list;
}

void parquet_vector_fini(struct parquet_vector *v)
{
    free(v->valid);
    free(v->values);
    free(v->data);
    free(v->codes);
    free(v->lists);
    free(v->list_valid);
    parquet_vector_init(v, v->kind, v->is_list);
}

void parquet_vector_clear(struct parquet_vector *v)
{
    v->count = 0;
    v->null_count = 0;
    v->data_len = 0;
    v->rows = 0;
    v->dict = NULL;
}

size_t parquet_vector_width(enum parquet_kind kind)
{
    switch (kind) {
    case PARQUET_KIND_BOOL:
        return sizeof(uint8_t);
    case PARQUET_KIND_INT64:
        return sizeof(int64_t);
    case PARQUET_KIND_DOUBLE:
        return sizeof(double);
    case PARQUET_KIND_BYTES:
        return sizeof(uint32_t);
    case PARQUET_KIND_INT128:
        return sizeof(__int128);
    }
    ASSERT(!"a kind of vector");
    return 0;
}

/* New capacity of at least `need` units of `unit` bytes, growing by half; 0 beyond the limit. */
static size_t grown_cap(size_t cap, size_t need, size_t unit)
{
    size_t max = PARQUET_VECTOR_BYTES_MAX / unit;
    if (need > max)
        return 0;
    size_t grown = cap + cap / 2 + 64;
    if (grown < need)
        grown = need;
    return grown > max ? max : grown;
}

static int fail_limit(struct parquet_error *err)
{
    return parquet_fail(err, -EFBIG,
                        "the rows of one batch need more than %zu MiB; read fewer rows at a time",
                        PARQUET_VECTOR_BYTES_MAX >> 20);
}

int parquet_vector_reserve(struct parquet_vector *v, size_t n, struct parquet_error *err)
{
    if (v->cap - v->count >= n && v->values)
        return 0;
    size_t width = parquet_vector_width(v->kind);
    if (n > PARQUET_VECTOR_BYTES_MAX)
        return fail_limit(err);
    size_t cap = grown_cap(v->cap, v->count + n, width);
    if (cap == 0)
        return fail_limit(err);
    uint8_t *valid = realloc(v->valid, cap);
    if (!valid)
        return parquet_fail_memory(err, "a batch of rows");
    v->valid = valid;
    bool first = !v->values;
    void *values = realloc(v->values, (cap + 1) * width);
    if (!values)
        return parquet_fail_memory(err, "a batch of rows");
    v->values = values;
    if (first && v->kind == PARQUET_KIND_BYTES)
        v->offsets[0] = 0;
    if (v->keeps_codes) {
        uint32_t *codes = realloc(v->codes, cap * sizeof(*codes));
        if (!codes)
            return parquet_fail_memory(err, "a batch of rows");
        v->codes = codes;
    }
    v->cap = cap;
    return 0;
}

int parquet_vector_unfold(struct parquet_vector *v, struct parquet_error *err)
{
    uint32_t len;
    size_t total = 0;
    for (size_t i = 0; i < v->count; i++) {
        if (v->valid[i])
            (void)parquet_vector_text(v, i, &len);
        total += v->valid[i] ? len : 0;
    }
    int rc = parquet_vector_reserve_data(v, total, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < v->count; i++) {
        len = 0;
        if (v->valid[i]) {
            const uint8_t *text = parquet_vector_text(v, i, &len);
            if (len > 0)
                memcpy(v->data + v->data_len, text, len);
        }
        v->data_len += len;
        v->offsets[i + 1] = (uint32_t)v->data_len;
    }
    v->dict = NULL;
    return 0;
}

int parquet_vector_reserve_data(struct parquet_vector *v, size_t len, struct parquet_error *err)
{
    if (v->data_cap - v->data_len >= len && v->data)
        return 0;
    if (len > PARQUET_VECTOR_BYTES_MAX)
        return fail_limit(err);
    size_t cap = grown_cap(v->data_cap, v->data_len + len, 1);
    if (cap == 0)
        return fail_limit(err);
    uint8_t *data = realloc(v->data, cap + PARQUET_VECTOR_SLACK);
    if (!data)
        return parquet_fail_memory(err, "the strings of a batch");
    memset(data + v->data_len, 0, PARQUET_VECTOR_SLACK);
    v->data = data;
    v->data_cap = cap;
    return 0;
}

int parquet_vector_reserve_rows(struct parquet_vector *v, size_t n, struct parquet_error *err)
{
    if (v->row_cap - v->rows >= n && v->lists)
        return 0;
    if (n > PARQUET_VECTOR_BYTES_MAX)
        return fail_limit(err);
    size_t cap = grown_cap(v->row_cap, v->rows + n, sizeof(uint32_t));
    if (cap == 0)
        return fail_limit(err);
    bool first = !v->lists;
    uint32_t *lists = realloc(v->lists, (cap + 1) * sizeof(*lists));
    if (!lists)
        return parquet_fail_memory(err, "the lists of a batch");
    v->lists = lists;
    if (first)
        lists[0] = 0;
    uint8_t *list_valid = realloc(v->list_valid, cap);
    if (!list_valid)
        return parquet_fail_memory(err, "the lists of a batch");
    v->list_valid = list_valid;
    v->row_cap = cap;
    return 0;
}

int parquet_vector_append_bool(struct parquet_vector *v, bool value, struct parquet_error *err)
{
    ASSERT(v->kind == PARQUET_KIND_BOOL);
    int rc = parquet_vector_reserve(v, 1, err);
    if (rc < 0)
        return rc;
    v->valid[v->count] = 1;
    v->bools[v->count++] = value;
    return 0;
}

int parquet_vector_append_int(struct parquet_vector *v, int64_t value, struct parquet_error *err)
{
    ASSERT(v->kind == PARQUET_KIND_INT64);
    int rc = parquet_vector_reserve(v, 1, err);
    if (rc < 0)
        return rc;
    v->valid[v->count] = 1;
    v->ints[v->count++] = value;
    return 0;
}

int parquet_vector_append_double(struct parquet_vector *v, double value, struct parquet_error *err)
{
    ASSERT(v->kind == PARQUET_KIND_DOUBLE);
    int rc = parquet_vector_reserve(v, 1, err);
    if (rc < 0)
        return rc;
    v->valid[v->count] = 1;
    v->doubles[v->count++] = value;
    return 0;
}

int parquet_vector_append_wide(struct parquet_vector *v, __int128 value, struct parquet_error *err)
{
    ASSERT(v->kind == PARQUET_KIND_INT128);
    int rc = parquet_vector_reserve(v, 1, err);
    if (rc < 0)
        return rc;
    v->valid[v->count] = 1;
    v->wides[v->count++] = value;
    return 0;
}

int parquet_vector_append_bytes(struct parquet_vector *v, const void *bytes, size_t len,
                                struct parquet_error *err)
{
    ASSERT(v->kind == PARQUET_KIND_BYTES);
    int rc = parquet_vector_reserve(v, 1, err);
    if (rc == 0)
        rc = parquet_vector_reserve_data(v, len, err);
    if (rc < 0)
        return rc;
    if (len > 0)
        memcpy(v->data + v->data_len, bytes, len);
    v->data_len += len;
    v->valid[v->count] = 1;
    v->offsets[++v->count] = (uint32_t)v->data_len;
    return 0;
}

int parquet_vector_append_null(struct parquet_vector *v, struct parquet_error *err)
{
    int rc = parquet_vector_reserve(v, 1, err);
    if (rc < 0)
        return rc;
    size_t width = parquet_vector_width(v->kind);
    v->valid[v->count] = 0;
    if (v->kind == PARQUET_KIND_BYTES)
        v->offsets[v->count + 1] = (uint32_t)v->data_len;
    else
        memset((uint8_t *)v->values + v->count * width, 0, width);
    v->count++;
    v->null_count++;
    return 0;
}

/* Each goes from the last element down, so that no dense value is overwritten before its move. */
#define SPREAD(array, base, n, dense)              \
    do {                                           \
        size_t from = (base) + (dense);            \
        for (size_t i = (base) + (n); i > (base);) \
            if (v->valid[--i])                     \
                (array)[i] = (array)[--from];      \
            else                                   \
                (array)[i] = 0;                    \
    } while (0)

static void spread_offsets(struct parquet_vector *v, size_t base, size_t n, size_t dense)
{
    size_t from = base + dense;
    for (size_t i = base + n; i > base; i--) {
        v->offsets[i] = v->offsets[from];
        from -= v->valid[i - 1];
    }
}

void parquet_vector_spread(struct parquet_vector *v, size_t n, size_t dense)
{
    size_t base = v->count - dense;
    ASSERT(dense <= n && v->cap - base >= n);
    v->count = base + n;
    v->null_count += n - dense;
    if (dense == n)
        return;
    switch (v->kind) {
    case PARQUET_KIND_BOOL:
        SPREAD(v->bools, base, n, dense);
        break;
    case PARQUET_KIND_INT64:
        SPREAD(v->ints, base, n, dense);
        break;
    case PARQUET_KIND_DOUBLE:
        SPREAD(v->doubles, base, n, dense);
        break;
    case PARQUET_KIND_BYTES:
        if (v->dict)
            SPREAD(v->codes, base, n, dense);
        else
            spread_offsets(v, base, n, dense);
        break;
    case PARQUET_KIND_INT128:
        SPREAD(v->wides, base, n, dense);
        break;
    }
}
