#include "ingest/parquet_stats.h"

#include <math.h>
#include <string.h>

static void add_num(struct parquet_stats *s, int64_t value)
{
    if (!s->has_values || value < s->min.num)
        s->min.num = value;
    if (!s->has_values || value > s->max.num)
        s->max.num = value;
    s->has_values = true;
}

static void add_real(struct parquet_stats *s, double value)
{
    if (isnan(value))
        s->is_dropped = true;
    /* The two zeros are equal to some readers and not to others: the bounds include both. */
    if (!s->has_values || value < s->min.real)
        s->min.real = value == 0 ? -0.0 : value;
    if (!s->has_values || value > s->max.real)
        s->max.real = value == 0 ? 0.0 : value;
    s->has_values = true;
}

static void set_bytes(struct parquet_bound *bound, const uint8_t *bytes, uint32_t len)
{
    memcpy(bound->bytes, bytes, len);
    bound->len = len;
}

static int compare(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static void add_bytes(struct parquet_stats *s, const uint8_t *bytes, uint32_t len)
{
    if (len > PARQUET_STATS_BYTES_MAX) {
        s->is_dropped = true;
        return;
    }
    if (!s->has_values || compare(bytes, len, s->min.bytes, s->min.len) < 0)
        set_bytes(&s->min, bytes, len);
    if (!s->has_values || compare(bytes, len, s->max.bytes, s->max.len) > 0)
        set_bytes(&s->max, bytes, len);
    s->has_values = true;
}

static void add_ints(struct parquet_stats *s, const int64_t *ints, const uint8_t *valid, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (valid[i])
            add_num(s, ints[i]);
}

void parquet_stats_add(struct parquet_stats *s, const struct parquet_vector *v, size_t from,
                       size_t n)
{
    for (size_t i = from; i < from + n; i++)
        s->null_count += !v->valid[i];
    if (s->is_dropped)
        return;
    switch (v->kind) {
    case PARQUET_KIND_BOOL:
        for (size_t i = from; i < from + n; i++)
            if (v->valid[i])
                add_num(s, v->bools[i]);
        break;
    case PARQUET_KIND_INT64:
        add_ints(s, v->ints + from, v->valid + from, n);
        break;
    case PARQUET_KIND_DOUBLE:
        for (size_t i = from; i < from + n; i++)
            if (v->valid[i])
                add_real(s, v->doubles[i]);
        break;
    case PARQUET_KIND_BYTES:
        for (size_t i = from; i < from + n && !s->is_dropped; i++)
            if (v->valid[i] && v->data)
                add_bytes(s, v->data + v->offsets[i], v->offsets[i + 1] - v->offsets[i]);
        break;
    case PARQUET_KIND_INT128:
        s->is_dropped = true;
        break;
    }
    /* Columns of strings that are all empty have no data to point at. */
    s->is_dropped |= v->kind == PARQUET_KIND_BYTES && !v->data;
}

bool parquet_stats_have_order(const struct parquet_column *column)
{
    bool is_bytes =
        column->physical == PARQUET_TYPE_BYTE_ARRAY || column->physical == PARQUET_TYPE_FIXED;
    return !is_bytes ||
           (column->kind == PARQUET_KIND_BYTES && column->logical != PARQUET_LOGICAL_INTERVAL);
}

size_t parquet_stats_encode(const struct parquet_column *column, const struct parquet_bound *bound,
                            uint8_t out[PARQUET_STATS_BYTES_MAX])
{
    float narrow = (float)bound->real;
    switch (column->physical) {
    case PARQUET_TYPE_BOOLEAN:
        out[0] = (uint8_t)bound->num;
        return 1;
    case PARQUET_TYPE_INT32:
        memcpy(out, &bound->num, 4);
        return 4;
    case PARQUET_TYPE_FLOAT:
        memcpy(out, &narrow, 4);
        return 4;
    case PARQUET_TYPE_DOUBLE:
        memcpy(out, &bound->real, 8);
        return 8;
    case PARQUET_TYPE_BYTE_ARRAY:
    case PARQUET_TYPE_FIXED:
        memcpy(out, bound->bytes, bound->len);
        return bound->len;
    default:
        memcpy(out, &bound->num, 8);
        return 8;
    }
}
