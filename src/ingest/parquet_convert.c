#include "ingest/parquet_convert.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"

#define JULIAN_DAY_OF_EPOCH 2440588
#define MICROS_PER_DAY 86400000000ULL

static void convert_int32(const struct parquet_column *column, const uint8_t *raw, size_t n,
                          int64_t *out)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t value;
        memcpy(&value, raw + i * 4, 4);
        out[i] = column->is_unsigned ? (int64_t)value : (int32_t)value;
    }
}

static void convert_uint64(const uint8_t *raw, size_t n, __int128 *out)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t value;
        memcpy(&value, raw + i * 8, 8);
        out[i] = value;
    }
}

/* Nanoseconds of the day and Julian day number. Microseconds, as nanoseconds in 64 bits end in the
 * year 2262, which such files exceed. Spark wraps around modulo 2^64 when it writes dates close to
 * the year 294247, so this wraps around as well and gets them right. */
static void convert_int96(const uint8_t *raw, size_t n, int64_t *out)
{
    for (size_t i = 0; i < n; i++, raw += 12) {
        int64_t nanos;
        int32_t day;
        memcpy(&nanos, raw, 8);
        memcpy(&day, raw + 8, 4);
        int64_t micros = nanos / 1000 - (nanos % 1000 < 0);
        uint64_t days = (uint64_t)((int64_t)day - JULIAN_DAY_OF_EPOCH);
        out[i] = (int64_t)(days * MICROS_PER_DAY + (uint64_t)micros);
    }
}

static void convert_float(const uint8_t *raw, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        float value;
        memcpy(&value, raw + i * 4, 4);
        out[i] = value;
    }
}

/* IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits. */
static double half_to_double(uint16_t half)
{
    uint64_t sign = (uint64_t)(half >> 15) << 63;
    unsigned exponent = half >> 10 & 0x1f;
    uint64_t fraction = half & 0x3ff;
    uint64_t bits;
    double value;
    if (exponent == 0) {
        value = (double)fraction * 0x1p-24;
        memcpy(&bits, &value, 8);
    } else if (exponent == 0x1f) {
        bits = (uint64_t)0x7ff << 52 | fraction << 42;
    } else {
        bits = (uint64_t)(exponent + 1023 - 15) << 52 | fraction << 42;
    }
    bits |= sign;
    memcpy(&value, &bits, 8);
    return value;
}

static void convert_half(const uint8_t *raw, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = half_to_double((uint16_t)(raw[2 * i] | raw[2 * i + 1] << 8));
}

/* Big-endian two's complement; longer ones may only repeat the sign. */
static int load_decimal(const uint8_t *bytes, size_t len, __int128 *value,
                        struct parquet_error *err)
{
    if (len == 0)
        return parquet_fail(err, -EBADMSG, "a decimal of no bytes");
    uint8_t sign = bytes[0] & 0x80 ? 0xff : 0;
    for (; len > sizeof(*value); bytes++, len--)
        if (bytes[0] != sign || (bytes[1] ^ sign) & 0x80)
            return parquet_fail(err, -EBADMSG, "a decimal does not fit into 128 bits");
    unsigned __int128 word = sign ? ~(unsigned __int128)0 : 0;
    for (size_t i = 0; i < len; i++)
        word = word << 8 | bytes[i];
    *value = (__int128)word;
    return 0;
}

static int append_decimal(const struct parquet_column *column, const uint8_t *bytes, size_t len,
                          struct parquet_vector *out, struct parquet_error *err)
{
    __int128 value = 0;
    int rc = load_decimal(bytes, len, &value, err);
    if (rc < 0)
        return rc;
    if (out->kind == PARQUET_KIND_INT128) {
        out->wides[out->count++] = value;
        return 0;
    }
    if (value < INT64_MIN || value > INT64_MAX)
        return parquet_fail(err, -EBADMSG, "a decimal has more than the %d digits of its type",
                            column->precision);
    out->ints[out->count++] = (int64_t)value;
    return 0;
}

static int append_fixed_bytes(const uint8_t *raw, size_t n, size_t width,
                              struct parquet_vector *out, struct parquet_error *err)
{
    int rc = parquet_vector_reserve_data(out, n * width, err);
    if (rc < 0)
        return rc;
    memcpy(out->data + out->data_len, raw, n * width);
    for (size_t i = 0; i < n; i++) {
        out->data_len += width;
        out->offsets[++out->count] = (uint32_t)out->data_len;
    }
    return 0;
}

static int convert_fixed_bytes(const struct parquet_column *column, const uint8_t *raw, size_t n,
                               struct parquet_vector *out, struct parquet_error *err)
{
    size_t width = (size_t)column->type_length;
    if (out->kind == PARQUET_KIND_BYTES)
        return append_fixed_bytes(raw, n, width, out, err);
    if (out->kind == PARQUET_KIND_DOUBLE) {
        convert_half(raw, n, out->doubles + out->count);
        out->count += n;
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        int rc = append_decimal(column, raw + i * width, width, out, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int parquet_convert_fixed(const struct parquet_column *column, const uint8_t *raw, size_t n,
                          struct parquet_vector *out, struct parquet_error *err)
{
    int rc = parquet_vector_reserve(out, n, err);
    if (rc < 0 || n == 0)
        return rc;
    switch (column->physical) {
    case PARQUET_TYPE_INT32:
        convert_int32(column, raw, n, out->ints + out->count);
        break;
    case PARQUET_TYPE_INT64:
        if (out->kind == PARQUET_KIND_INT128)
            convert_uint64(raw, n, out->wides + out->count);
        else
            memcpy(out->ints + out->count, raw, n * 8);
        break;
    case PARQUET_TYPE_INT96:
        convert_int96(raw, n, out->ints + out->count);
        break;
    case PARQUET_TYPE_FLOAT:
        convert_float(raw, n, out->doubles + out->count);
        break;
    case PARQUET_TYPE_DOUBLE:
        memcpy(out->doubles + out->count, raw, n * 8);
        break;
    default:
        ASSERT(column->physical == PARQUET_TYPE_FIXED);
        return convert_fixed_bytes(column, raw, n, out, err);
    }
    out->count += n;
    return 0;
}

int parquet_convert_ints(const struct parquet_column *column, const int64_t *values, size_t n,
                         struct parquet_vector *out, struct parquet_error *err)
{
    int rc = parquet_vector_reserve(out, n, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (out->kind == PARQUET_KIND_INT128)
            out->wides[out->count + i] = (uint64_t)values[i];
        else if (column->physical == PARQUET_TYPE_INT64)
            out->ints[out->count + i] = values[i];
        else if (column->is_unsigned)
            out->ints[out->count + i] = (uint32_t)values[i];
        else
            out->ints[out->count + i] = (int32_t)values[i];
    }
    out->count += n;
    return 0;
}

int parquet_convert_bytes(const struct parquet_column *column, const uint8_t *bytes, size_t len,
                          struct parquet_vector *out, struct parquet_error *err)
{
    if (column->physical == PARQUET_TYPE_FIXED) {
        if (len != (size_t)column->type_length)
            return parquet_fail(err, -EBADMSG, "a value of %zu bytes in a column of %d bytes", len,
                                column->type_length);
        return parquet_convert_fixed(column, bytes, 1, out, err);
    }
    int rc = parquet_vector_reserve(out, 1, err);
    if (rc < 0)
        return rc;
    if (out->kind == PARQUET_KIND_BYTES)
        return append_fixed_bytes(bytes, 1, len, out, err);
    return append_decimal(column, bytes, len, out, err);
}
