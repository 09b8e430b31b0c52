#include "ingest/parquet_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/parquet_convert.h"
#include "reactor/assert.h"

/* Values decoded per step through a buffer on the stack. */
#define STEP 1024

static int fail_short(struct parquet_error *err)
{
    return parquet_fail(err, -EBADMSG, "the values end too early");
}

static int fail_encoding(struct parquet_values *v, struct parquet_error *err)
{
    return parquet_fail(err, -EBADMSG,
                        "values of type %s in encoding %d (%s), which the type "
                        "cannot have",
                        parquet_physical_name(v->column->physical), v->encoding,
                        parquet_encoding_name(v->encoding));
}

static int start_dictionary(struct parquet_values *v, struct parquet_error *err)
{
    if (!v->dict)
        return parquet_fail(err, -EBADMSG,
                            "a dictionary-encoded page in a column chunk without dictionary page");
    /* A page of NULLs only may leave out the width as well. */
    unsigned width = v->pos < v->end ? *v->pos++ : 0;
    if (width > 32)
        return parquet_fail(err, -EBADMSG, "dictionary codes of %u bits, allowed are up to 32",
                            width);
    parquet_rle_init(&v->rle, v->pos, (size_t)(v->end - v->pos), width);
    return 0;
}

static int start_rle(struct parquet_values *v, struct parquet_error *err)
{
    uint32_t len;
    if (v->column->physical != PARQUET_TYPE_BOOLEAN)
        return fail_encoding(v, err);
    if (v->end - v->pos < 4) {
        parquet_rle_init(&v->rle, v->end, 0, 1);
        return 0;
    }
    memcpy(&len, v->pos, 4);
    v->pos += 4;
    if (len > (size_t)(v->end - v->pos))
        return fail_short(err);
    parquet_rle_init(&v->rle, v->pos, len, 1);
    return 0;
}

/* A page of NULLs only may have no bytes at all where a delta header should be. */
static int start_delta(struct parquet_values *v, struct parquet_delta *d, uint64_t count_max,
                       struct parquet_error *err)
{
    if (v->pos == v->end) {
        memset(d, 0, sizeof(*d));
        return 0;
    }
    return parquet_delta_init(d, v->pos, v->end, count_max, err);
}

static int start_delta_lengths(struct parquet_values *v, uint64_t count_max,
                               struct parquet_error *err)
{
    int rc = start_delta(v, &v->ints, count_max, err);
    if (rc == 0 && v->pos < v->end)
        rc = parquet_delta_find_end(&v->ints, &v->pos, err);
    return rc;
}

static int start_delta_byte_array(struct parquet_values *v, uint64_t count_max,
                                  struct parquet_error *err)
{
    v->last_len = 0;
    int rc = start_delta(v, &v->prefixes, count_max, err);
    if (rc == 0 && v->pos < v->end)
        rc = parquet_delta_find_end(&v->prefixes, &v->pos, err);
    return rc < 0 ? rc : start_delta_lengths(v, count_max, err);
}

static int start_split(struct parquet_values *v, struct parquet_error *err)
{
    size_t len = (size_t)(v->end - v->pos);
    uint32_t width = parquet_column_width(v->column);
    if (width == 0 || v->column->physical == PARQUET_TYPE_INT96)
        return fail_encoding(v, err);
    if (len % width != 0)
        return parquet_fail(err, -EBADMSG, "%zu bytes split into %u streams", len, width);
    v->stride = len / width;
    v->next = 0;
    return 0;
}

int parquet_values_start(struct parquet_values *v, const struct parquet_column *column,
                         int encoding, const uint8_t *bytes, size_t len, uint64_t count_max,
                         const struct parquet_vector *dict, struct parquet_error *err)
{
    bool is_int = column->physical == PARQUET_TYPE_INT32 || column->physical == PARQUET_TYPE_INT64;
    bool is_bytes = column->physical == PARQUET_TYPE_BYTE_ARRAY;
    v->column = column;
    v->encoding = encoding;
    v->pos = bytes;
    v->end = bytes + len;
    v->bit = 0;
    v->dict = dict;
    switch (encoding) {
    case PARQUET_ENCODING_PLAIN:
        return 0;
    case PARQUET_ENCODING_PLAIN_DICTIONARY:
    case PARQUET_ENCODING_RLE_DICTIONARY:
        return start_dictionary(v, err);
    case PARQUET_ENCODING_RLE:
        return start_rle(v, err);
    case PARQUET_ENCODING_DELTA_BINARY_PACKED:
        return is_int ? start_delta(v, &v->ints, count_max, err) : fail_encoding(v, err);
    case PARQUET_ENCODING_DELTA_LENGTH_BYTE_ARRAY:
        return is_bytes ? start_delta_lengths(v, count_max, err) : fail_encoding(v, err);
    case PARQUET_ENCODING_DELTA_BYTE_ARRAY:
        return is_bytes || column->physical == PARQUET_TYPE_FIXED
                   ? start_delta_byte_array(v, count_max, err)
                   : fail_encoding(v, err);
    case PARQUET_ENCODING_BYTE_STREAM_SPLIT:
        return start_split(v, err);
    default:
        return parquet_fail(err, -ENOTSUP, "values in encoding %d (%s), which is not supported",
                            encoding, parquet_encoding_name(encoding));
    }
}

static int read_plain_bools(struct parquet_values *v, size_t n, struct parquet_vector *out,
                            struct parquet_error *err)
{
    if (n > (uint64_t)(v->end - v->pos) * 8 - v->bit)
        return fail_short(err);
    for (size_t i = 0; i < n; i++, v->bit++)
        out->bools[out->count++] = v->pos[v->bit / 8] >> (v->bit % 8) & 1;
    return 0;
}

static int read_rle_bools(struct parquet_values *v, size_t n, struct parquet_vector *out,
                          struct parquet_error *err)
{
    uint32_t buf[STEP];
    while (n > 0) {
        size_t take = n < STEP ? n : STEP;
        if (parquet_rle_read(&v->rle, buf, take) != take)
            return fail_short(err);
        for (size_t i = 0; i < take; i++)
            out->bools[out->count++] = buf[i] & 1;
        n -= take;
    }
    return 0;
}

static inline void copy_short(uint8_t *to, const uint8_t *from, size_t len)
{
    if (len <= PARQUET_VECTOR_SLACK)
        memcpy(to, from, PARQUET_VECTOR_SLACK);
    else
        memcpy(to, from, len);
}

/* Strings: each a length of four bytes and its bytes. */
static int read_plain_strings(struct parquet_values *v, size_t n, struct parquet_vector *out,
                              struct parquet_error *err)
{
    const uint8_t *pos = v->pos;
    for (size_t i = 0; i < n; i++) {
        uint32_t len;
        if (v->end - pos < 4)
            return fail_short(err);
        memcpy(&len, pos, 4);
        pos += 4;
        size_t avail = (size_t)(v->end - pos);
        if (len > avail)
            return parquet_fail(err, -EBADMSG, "a string of %u bytes where %zu are left", len,
                                avail);
        int rc = parquet_vector_reserve_data(out, len, err);
        if (rc < 0)
            return rc;
        if (avail >= PARQUET_VECTOR_SLACK)
            copy_short(out->data + out->data_len, pos, len);
        else
            memcpy(out->data + out->data_len, pos, len);
        out->data_len += len;
        out->offsets[++out->count] = (uint32_t)out->data_len;
        pos += len;
    }
    v->pos = pos;
    return 0;
}

/* Decimals in byte arrays: framed like strings. */
static int read_plain_decimals(struct parquet_values *v, size_t n, struct parquet_vector *out,
                               struct parquet_error *err)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t len;
        if (v->end - v->pos < 4)
            return fail_short(err);
        memcpy(&len, v->pos, 4);
        if (len > (size_t)(v->end - v->pos) - 4)
            return fail_short(err);
        int rc = parquet_convert_bytes(v->column, v->pos + 4, len, out, err);
        if (rc < 0)
            return rc;
        v->pos += 4 + (size_t)len;
    }
    return 0;
}

static int read_plain(struct parquet_values *v, size_t n, struct parquet_vector *out,
                      struct parquet_error *err)
{
    if (v->column->physical == PARQUET_TYPE_BOOLEAN)
        return read_plain_bools(v, n, out, err);
    if (v->column->physical == PARQUET_TYPE_BYTE_ARRAY)
        return out->kind == PARQUET_KIND_BYTES ? read_plain_strings(v, n, out, err)
                                               : read_plain_decimals(v, n, out, err);
    size_t width = parquet_column_width(v->column);
    if (n > (size_t)(v->end - v->pos) / width)
        return fail_short(err);
    int rc = parquet_convert_fixed(v->column, v->pos, n, out, err);
    v->pos += n * width;
    return rc;
}

static int gather_strings(const struct parquet_vector *dict, const uint32_t *codes, size_t n,
                          struct parquet_vector *out, struct parquet_error *err)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += dict->offsets[codes[i] + 1] - dict->offsets[codes[i]];
    int rc = parquet_vector_reserve_data(out, len, err);
    if (rc < 0)
        return rc;
    uint8_t *to = out->data + out->data_len;
    for (size_t i = 0; i < n; i++) {
        uint32_t from = dict->offsets[codes[i]];
        uint32_t piece = dict->offsets[codes[i] + 1] - from;
        if (piece > 0)
            copy_short(to, dict->data + from, piece);
        to += piece;
        out->offsets[++out->count] = (uint32_t)(to - out->data);
    }
    out->data_len += len;
    return 0;
}

/* Copies dictionary entries; the codes are known to be within the dictionary. */
static int gather(const struct parquet_vector *dict, const uint32_t *codes, size_t n,
                  struct parquet_vector *out, struct parquet_error *err)
{
    switch (out->kind) {
    case PARQUET_KIND_INT64:
        for (size_t i = 0; i < n; i++)
            out->ints[out->count + i] = dict->ints[codes[i]];
        break;
    case PARQUET_KIND_DOUBLE:
        for (size_t i = 0; i < n; i++)
            out->doubles[out->count + i] = dict->doubles[codes[i]];
        break;
    case PARQUET_KIND_INT128:
        for (size_t i = 0; i < n; i++)
            out->wides[out->count + i] = dict->wides[codes[i]];
        break;
    case PARQUET_KIND_BOOL:
        for (size_t i = 0; i < n; i++)
            out->bools[out->count + i] = dict->bools[codes[i]];
        break;
    case PARQUET_KIND_BYTES:
        return gather_strings(dict, codes, n, out, err);
    }
    out->count += n;
    return 0;
}

static int read_codes(struct parquet_values *v, uint32_t *codes, size_t n,
                      struct parquet_error *err)
{
    if (parquet_rle_read(&v->rle, codes, n) != n)
        return fail_short(err);
    uint32_t max = 0;
    for (size_t i = 0; i < n; i++)
        max = codes[i] > max ? codes[i] : max;
    if (n > 0 && max >= v->dict->count)
        return parquet_fail(err, -EBADMSG, "dictionary code %u, the dictionary has %zu values", max,
                            v->dict->count);
    return 0;
}

/* As codes, when all there is came as codes of the same dictionary. */
static int keep_codes(struct parquet_values *v, size_t n, struct parquet_vector *out,
                      struct parquet_error *err)
{
    int rc = read_codes(v, out->codes + out->count, n, err);
    if (rc == 0) {
        out->dict = v->dict;
        out->count += n;
    }
    return rc;
}

static int read_dictionary(struct parquet_values *v, size_t n, struct parquet_vector *out,
                           struct parquet_error *err)
{
    uint32_t codes[STEP];
    while (n > 0) {
        size_t take = n < STEP ? n : STEP;
        int rc = read_codes(v, codes, take, err);
        if (rc < 0)
            return rc;
        rc = gather(v->dict, codes, take, out, err);
        if (rc < 0)
            return rc;
        n -= take;
    }
    return 0;
}

static int read_delta_ints(struct parquet_values *v, size_t n, struct parquet_vector *out,
                           struct parquet_error *err)
{
    int64_t buf[STEP];
    while (n > 0) {
        size_t take = n < STEP ? n : STEP;
        int rc = parquet_delta_read(&v->ints, buf, take, err);
        if (rc == 0)
            rc = parquet_convert_ints(v->column, buf, take, out, err);
        if (rc < 0)
            return rc;
        n -= take;
    }
    return 0;
}

static int fail_length(int64_t len, size_t avail, struct parquet_error *err)
{
    return parquet_fail(err, -EBADMSG, "a string of %lld bytes where %zu are left", (long long)len,
                        avail);
}

static int read_delta_strings(struct parquet_values *v, size_t n, struct parquet_vector *out,
                              struct parquet_error *err)
{
    int64_t lens[STEP];
    while (n > 0) {
        size_t take = n < STEP ? n : STEP;
        int rc = parquet_delta_read(&v->ints, lens, take, err);
        for (size_t i = 0; i < take && rc == 0; i++) {
            size_t avail = (size_t)(v->end - v->pos);
            if (lens[i] < 0 || (uint64_t)lens[i] > avail)
                return fail_length(lens[i], avail, err);
            rc = parquet_convert_bytes(v->column, v->pos, (size_t)lens[i], out, err);
            v->pos += lens[i];
        }
        if (rc < 0)
            return rc;
        n -= take;
    }
    return 0;
}

/* Builds the next value in v->last: `prefix` bytes of the one before and `suffix` new ones. */
static int join_value(struct parquet_values *v, int64_t prefix, int64_t suffix,
                      struct parquet_error *err)
{
    size_t avail = (size_t)(v->end - v->pos);
    if (suffix < 0 || (uint64_t)suffix > avail)
        return fail_length(suffix, avail, err);
    if (prefix < 0 || (uint64_t)prefix > v->last_len)
        return parquet_fail(err, -EBADMSG, "a string shares %lld bytes with one of %zu bytes",
                            (long long)prefix, v->last_len);
    size_t len = (size_t)prefix + (size_t)suffix;
    if (len > PARQUET_VECTOR_BYTES_MAX)
        return fail_length((int64_t)len, PARQUET_VECTOR_BYTES_MAX, err);
    if (len > v->last_cap || !v->last) {
        uint8_t *grown = realloc(v->last, len * 2 + 64);
        if (!grown)
            return parquet_fail_memory(err, "a string");
        v->last = grown;
        v->last_cap = len * 2 + 64;
    }
    if (suffix > 0)
        memcpy(v->last + prefix, v->pos, (size_t)suffix);
    v->pos += suffix;
    v->last_len = len;
    return 0;
}

static int read_delta_byte_array(struct parquet_values *v, size_t n, struct parquet_vector *out,
                                 struct parquet_error *err)
{
    int64_t prefixes[STEP], suffixes[STEP];
    while (n > 0) {
        size_t take = n < STEP ? n : STEP;
        int rc = parquet_delta_read(&v->prefixes, prefixes, take, err);
        if (rc == 0)
            rc = parquet_delta_read(&v->ints, suffixes, take, err);
        for (size_t i = 0; i < take && rc == 0; i++) {
            rc = join_value(v, prefixes[i], suffixes[i], err);
            if (rc == 0)
                rc = parquet_convert_bytes(v->column, v->last, v->last_len, out, err);
        }
        if (rc < 0)
            return rc;
        n -= take;
    }
    return 0;
}

/* Byte b of value i stands at stream b, place i. */
static int read_split(struct parquet_values *v, size_t n, struct parquet_vector *out,
                      struct parquet_error *err)
{
    uint8_t buf[4096];
    size_t width = parquet_column_width(v->column);
    if (n > v->stride - v->next)
        return fail_short(err);
    while (n > 0) {
        size_t step = width <= sizeof(buf) ? sizeof(buf) / width : 1;
        size_t take = n < step ? n : step;
        uint8_t *rows = width <= sizeof(buf) ? buf : malloc(width);
        if (!rows)
            return parquet_fail_memory(err, "a value");
        for (size_t b = 0; b < width; b++)
            for (size_t i = 0; i < take; i++)
                rows[i * width + b] = v->pos[b * v->stride + v->next + i];
        int rc = parquet_convert_fixed(v->column, rows, take, out, err);
        if (rows != buf)
            free(rows);
        if (rc < 0)
            return rc;
        v->next += take;
        n -= take;
    }
    return 0;
}

int parquet_values_read(struct parquet_values *v, size_t n, struct parquet_vector *out,
                        struct parquet_error *err)
{
    bool coded = v->encoding == PARQUET_ENCODING_PLAIN_DICTIONARY ||
                 v->encoding == PARQUET_ENCODING_RLE_DICTIONARY;
    int rc = parquet_vector_reserve(out, n, err);
    if (rc < 0 || n == 0)
        return rc;
    if (coded && out->keeps_codes && (out->count == 0 || out->dict == v->dict))
        return keep_codes(v, n, out, err);
    rc = out->dict ? parquet_vector_unfold(out, err) : 0;
    if (rc < 0)
        return rc;
    switch (v->encoding) {
    case PARQUET_ENCODING_PLAIN:
        return read_plain(v, n, out, err);
    case PARQUET_ENCODING_PLAIN_DICTIONARY:
    case PARQUET_ENCODING_RLE_DICTIONARY:
        return read_dictionary(v, n, out, err);
    case PARQUET_ENCODING_RLE:
        return read_rle_bools(v, n, out, err);
    case PARQUET_ENCODING_DELTA_BINARY_PACKED:
        return read_delta_ints(v, n, out, err);
    case PARQUET_ENCODING_DELTA_LENGTH_BYTE_ARRAY:
        return read_delta_strings(v, n, out, err);
    case PARQUET_ENCODING_DELTA_BYTE_ARRAY:
        return read_delta_byte_array(v, n, out, err);
    case PARQUET_ENCODING_BYTE_STREAM_SPLIT:
        return read_split(v, n, out, err);
    }
    ASSERT(!"an encoding parquet_values_start let pass");
    return -EINVAL;
}

void parquet_values_fini(struct parquet_values *v)
{
    free(v->last);
    memset(v, 0, sizeof(*v));
}
