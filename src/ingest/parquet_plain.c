#include "ingest/parquet_plain.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"

bool parquet_plain_can_encode(const struct parquet_column *column)
{
    return column->physical != PARQUET_TYPE_INT96 && column->logical != PARQUET_LOGICAL_FLOAT16;
}

static int encode_int32(const struct parquet_column *column, const struct parquet_vector *v,
                        size_t from, size_t n, uint8_t **to, struct parquet_error *err)
{
    int64_t min = column->is_unsigned ? 0 : INT32_MIN;
    int64_t max = column->is_unsigned ? UINT32_MAX : INT32_MAX;
    for (size_t i = from; i < from + n; i++) {
        if (!v->valid[i])
            continue;
        if (v->ints[i] < min || v->ints[i] > max)
            return parquet_fail(err, -ERANGE, "column '%s': %lld is not within %lld to %lld",
                                column->path, (long long)v->ints[i], (long long)min,
                                (long long)max);
        uint32_t value = (uint32_t)v->ints[i];
        memcpy(*to, &value, 4);
        *to += 4;
    }
    return 0;
}

static int encode_uint64(const struct parquet_column *column, const struct parquet_vector *v,
                         size_t from, size_t n, uint8_t **to, struct parquet_error *err)
{
    for (size_t i = from; i < from + n; i++) {
        if (!v->valid[i])
            continue;
        if (v->wides[i] < 0 || v->wides[i] > UINT64_MAX)
            return parquet_fail(err, -ERANGE, "column '%s': a value is not within 0 to %llu",
                                column->path, (unsigned long long)UINT64_MAX);
        uint64_t value = (uint64_t)v->wides[i];
        memcpy(*to, &value, 8);
        *to += 8;
    }
    return 0;
}

static void encode_words(const uint64_t *words, const uint8_t *valid, size_t n, uint8_t **to)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(*to, &words[i], 8);
        *to += valid[i] ? 8 : 0;
    }
}

static void encode_floats(const struct parquet_vector *v, size_t from, size_t n, uint8_t **to)
{
    for (size_t i = from; i < from + n; i++) {
        float value = (float)v->doubles[i];
        memcpy(*to, &value, 4);
        *to += v->valid[i] ? 4 : 0;
    }
}

static void store_be(__int128 value, size_t len, uint8_t *to)
{
    for (size_t i = 0; i < len; i++) {
        size_t shift = 8 * (len - 1 - i);
        to[i] = shift < 128 ? (uint8_t)(value >> shift) : value < 0 ? 0xff : 0;
    }
}

/* Decimals in bytes: the fixed length, or as many bytes as the vector's kind has. */
static int encode_decimals(const struct parquet_column *column, const struct parquet_vector *v,
                           size_t from, size_t n, uint8_t **to, struct parquet_error *err)
{
    bool is_fixed = column->physical == PARQUET_TYPE_FIXED;
    uint32_t len =
        is_fixed ? (uint32_t)column->type_length : (uint32_t)parquet_vector_width(v->kind);
    for (size_t i = from; i < from + n; i++) {
        if (!v->valid[i])
            continue;
        __int128 value = v->kind == PARQUET_KIND_INT64 ? v->ints[i] : v->wides[i];
        if (len < sizeof(value) && value >> (8 * len - 1) != (value < 0 ? -1 : 0))
            return parquet_fail(err, -ERANGE, "column '%s': a decimal does not fit into %u bytes",
                                column->path, len);
        if (!is_fixed) {
            memcpy(*to, &len, sizeof(len));
            *to += sizeof(len);
        }
        store_be(value, len, *to);
        *to += len;
    }
    return 0;
}

static int encode_strings(const struct parquet_column *column, const struct parquet_vector *v,
                          size_t from, size_t n, uint8_t **to, struct parquet_error *err)
{
    bool is_fixed = column->physical == PARQUET_TYPE_FIXED;
    uint8_t *at = *to;
    for (size_t i = from; i < from + n; i++) {
        if (!v->valid[i])
            continue;
        uint32_t start = v->offsets[i], len = v->offsets[i + 1] - start;
        if (is_fixed && len != (uint32_t)column->type_length)
            return parquet_fail(err, -ERANGE, "column '%s': a value of %u bytes, its type has %d",
                                column->path, len, column->type_length);
        if (!is_fixed) {
            memcpy(at, &len, sizeof(len));
            at += sizeof(len);
        }
        if (len > 0)
            memcpy(at, v->data + start, len);
        at += len;
    }
    *to = at;
    return 0;
}

/* Upper bound of the bytes the elements take, including what is written ahead for a NULL. */
static size_t plain_bound(const struct parquet_column *column, const struct parquet_vector *v,
                          size_t from, size_t n)
{
    if (v->kind == PARQUET_KIND_BYTES)
        return n * sizeof(uint32_t) + (v->offsets[from + n] - v->offsets[from]);
    if (column->physical == PARQUET_TYPE_BYTE_ARRAY)
        return n * (sizeof(uint32_t) + parquet_vector_width(v->kind));
    uint32_t width = parquet_column_width(column);
    return (n + 1) * (width ? width : 1);
}

int parquet_plain_encode(const struct parquet_column *column, const struct parquet_vector *v,
                         size_t from, size_t n, struct parquet_buffer *out,
                         struct parquet_error *err)
{
    ASSERT(v->kind == column->kind && from + n <= v->count);
    int rc = parquet_buffer_reserve(out, plain_bound(column, v, from, n), err);
    if (rc < 0)
        return rc;
    uint8_t *to = out->bytes + out->len;
    switch (column->physical) {
    case PARQUET_TYPE_BOOLEAN:
        for (size_t i = from; i < from + n; i++)
            if (v->valid[i])
                *to++ = v->bools[i] != 0;
        break;
    case PARQUET_TYPE_INT32:
        rc = encode_int32(column, v, from, n, &to, err);
        break;
    case PARQUET_TYPE_INT64:
        if (v->kind == PARQUET_KIND_INT128)
            rc = encode_uint64(column, v, from, n, &to, err);
        else
            encode_words((const uint64_t *)v->ints + from, v->valid + from, n, &to);
        break;
    case PARQUET_TYPE_FLOAT:
        encode_floats(v, from, n, &to);
        break;
    case PARQUET_TYPE_DOUBLE:
        encode_words((const uint64_t *)v->values + from, v->valid + from, n, &to);
        break;
    case PARQUET_TYPE_BYTE_ARRAY:
    case PARQUET_TYPE_FIXED:
        rc = v->kind == PARQUET_KIND_BYTES ? encode_strings(column, v, from, n, &to, err)
                                           : encode_decimals(column, v, from, n, &to, err);
        break;
    default:
        ASSERT(!"a type parquet_plain_can_encode let pass");
    }
    if (rc == 0)
        out->len = (size_t)(to - out->bytes);
    return rc;
}

int parquet_plain_pack_bools(const uint8_t *bools, size_t n, struct parquet_buffer *out,
                             struct parquet_error *err)
{
    int rc = parquet_buffer_reserve(out, n / 8 + 1, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i += 8) {
        uint8_t byte = 0;
        for (size_t b = 0; b < 8 && i + b < n; b++)
            byte |= (uint8_t)(bools[i + b] << b);
        out->bytes[out->len++] = byte;
    }
    return 0;
}
