/* Values of a page in the encodings and types other tests do not reach through files. */
#include "ingest/parquet_values.h"

#include <math.h>

#include "ingest/parquet_convert.h"
#include "parquet_test_util.h"

static struct parquet_column column_of(enum parquet_physical physical, int32_t length)
{
    struct parquet_column c = {.path = (char *)"c", .physical = physical, .type_length = length};
    c.kind = parquet_column_kind(&c);
    return c;
}

/* Decodes n values of a page into out. Returns the first error. */
static int decode(const struct parquet_column *c, int encoding, const void *bytes, size_t len,
                  size_t n, struct parquet_vector *out, struct parquet_error *err)
{
    struct parquet_values v = {0};
    uint8_t *exact = malloc(len + 1);
    memcpy(exact, bytes, len);
    parquet_vector_init(out, c->kind, false);
    int rc = parquet_values_start(&v, c, encoding, exact, len, n, NULL, err);
    if (rc == 0)
        rc = parquet_values_read(&v, n, out, err);
    for (size_t i = 0; i < out->count; i++)
        out->valid[i] = 1;
    parquet_values_fini(&v);
    free(exact);
    return rc;
}

Test(parquet_values, delta_byte_array)
{
    /* "axis", "axle", "babble", "babyhood": prefixes 0 2 0 3, suffixes axis le babble yhood. */
    struct parquet_column c = column_of(PARQUET_TYPE_BYTE_ARRAY, 0);
    struct parquet_vector out;
    struct parquet_error err;
    /* Differences of the prefixes: 2 -2 3, least -2, so 4 0 5 in 3 bits; of the lengths 4 2 6 5:
     * -2 4 -1, least -2, so 0 6 1 in 3 bits. */
    uint8_t bytes[128], *at = bytes;
    static const uint8_t prefix_head[] = {0x80, 1, 4, 4, 0, 3, 3, 0, 0, 0};
    static const uint8_t suffix_head[] = {0x80, 1, 4, 4, 8, 3, 3, 0, 0, 0};
    memset(bytes, 0, sizeof(bytes));
    memcpy(at, prefix_head, sizeof(prefix_head));
    at += sizeof(prefix_head);
    at[0] = 4 | 0 << 3 | (5 & 3) << 6;
    at[1] = 5 >> 2;
    at += 12;
    memcpy(at, suffix_head, sizeof(suffix_head));
    at += sizeof(suffix_head);
    at[0] = 0 | 6 << 3 | (1 & 3) << 6;
    at += 12;
    memcpy(at, "axislebabbleyhood", 17);
    at += 17;
    size_t len = (size_t)(at - bytes);
    cr_assert_eq(decode(&c, PARQUET_ENCODING_DELTA_BYTE_ARRAY, bytes, len, 4, &out, &err), 0, "%s",
                 err.text);
    cr_assert(is_text(&out, 0, "axis") && is_text(&out, 1, "axle"));
    cr_assert(is_text(&out, 2, "babble") && is_text(&out, 3, "babyhood"));
    parquet_vector_fini(&out);
    for (size_t cut = 0; cut < len; cut++) {
        cr_assert_lt(decode(&c, PARQUET_ENCODING_DELTA_BYTE_ARRAY, bytes, cut, 4, &out, &err), 0);
        parquet_vector_fini(&out);
    }
}

Test(parquet_values, rle_booleans)
{
    static const uint8_t page[] = {3, 0, 0, 0, 0x0a, 1, 0}; /* five times true, cut run behind */
    struct parquet_column c = column_of(PARQUET_TYPE_BOOLEAN, 0);
    struct parquet_vector out;
    struct parquet_error err;
    cr_assert_eq(decode(&c, PARQUET_ENCODING_RLE, page, sizeof(page), 5, &out, &err), 0);
    cr_assert(out.count == 5 && out.bools[0] && out.bools[4]);
    parquet_vector_fini(&out);
    cr_assert_eq(decode(&c, PARQUET_ENCODING_RLE, page, sizeof(page), 6, &out, &err), -EBADMSG);
    parquet_vector_fini(&out);
}

Test(parquet_values, split_streams)
{
    static const uint8_t page[] = {0x01, 0x02, 0, 0, 0, 0, 0, 0xff}; /* INT32 1 and 0xff000002 */
    struct parquet_column c = column_of(PARQUET_TYPE_INT32, 0);
    struct parquet_vector out;
    struct parquet_error err;
    cr_assert_eq(decode(&c, PARQUET_ENCODING_BYTE_STREAM_SPLIT, page, 8, 2, &out, &err), 0);
    cr_assert(out.ints[0] == 1 && out.ints[1] == (int32_t)0xff000002);
    parquet_vector_fini(&out);
    cr_assert_eq(decode(&c, PARQUET_ENCODING_BYTE_STREAM_SPLIT, page, 7, 1, &out, &err), -EBADMSG);
    parquet_vector_fini(&out);
}

Test(parquet_values, int96_becomes_microseconds)
{
    uint8_t page[24] = {0};
    struct parquet_column c = column_of(PARQUET_TYPE_INT96, 0);
    struct parquet_vector out;
    struct parquet_error err;
    int64_t nanos = 3600000000999;
    int32_t day = 2440589, before = 2440587;
    memcpy(page, &nanos, 8);
    memcpy(page + 8, &day, 4);
    memcpy(page + 20, &before, 4);
    cr_assert_eq(decode(&c, PARQUET_ENCODING_PLAIN, page, sizeof(page), 2, &out, &err), 0);
    cr_assert_eq(out.ints[0], 86400000000 + 3600000000);
    cr_assert_eq(out.ints[1], -86400000000);
    parquet_vector_fini(&out);
}

Test(parquet_values, half_precision)
{
    static const uint16_t halves[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x3555};
    static const double doubles[] = {1.0, -2.0, 65504.0, 0x1p-24, -0.0, INFINITY, 0x1.554p-2};
    struct parquet_column c = column_of(PARQUET_TYPE_FIXED, 2);
    struct parquet_vector out;
    struct parquet_error err;
    c.logical = PARQUET_LOGICAL_FLOAT16;
    c.kind = parquet_column_kind(&c);
    cr_assert_eq(decode(&c, PARQUET_ENCODING_PLAIN, halves, sizeof(halves), 7, &out, &err), 0);
    for (int i = 0; i < 7; i++)
        cr_assert_eq(memcmp(&out.doubles[i], &doubles[i], 8), 0, "half %d", i);
    parquet_vector_fini(&out);
}

/* One decimal of len bytes, in a byte array. */
static int decode_decimal(int32_t precision, const uint8_t *bytes, uint32_t len,
                          struct parquet_vector *out)
{
    struct parquet_column c = column_of(PARQUET_TYPE_BYTE_ARRAY, 0);
    struct parquet_error err;
    uint8_t page[64];
    c.logical = PARQUET_LOGICAL_DECIMAL;
    c.precision = precision;
    c.kind = parquet_column_kind(&c);
    memcpy(page, &len, 4);
    memcpy(page + 4, bytes, len);
    return decode(&c, PARQUET_ENCODING_PLAIN, page, 4 + len, 1, out, &err);
}

Test(parquet_values, decimals_in_byte_arrays)
{
    static const uint8_t minus_two[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};
    static const uint8_t large[] = {1, 0, 0, 0, 0, 0, 0, 0, 0};
    struct parquet_vector out;
    cr_assert_eq(decode_decimal(4, minus_two + 17, 1, &out), 0);
    cr_assert_eq(out.ints[0], -2);
    parquet_vector_fini(&out);
    cr_assert_eq(decode_decimal(38, minus_two, 18, &out), 0);
    cr_assert(out.wides[0] == -2);
    parquet_vector_fini(&out);
    cr_assert_eq(decode_decimal(38, large, 9, &out), 0);
    cr_assert(out.wides[0] == (__int128)1 << 64);
    parquet_vector_fini(&out);
    cr_assert_eq(decode_decimal(18, large, 9, &out), -EBADMSG);
    parquet_vector_fini(&out);
    cr_assert_eq(decode_decimal(18, large, 0, &out), -EBADMSG);
    parquet_vector_fini(&out);
}

Test(parquet_values, encodings_a_type_cannot_have_are_refused)
{
    static const struct {
        enum parquet_physical physical;
        int encoding;
        int code;
    } cases[] = {
        {PARQUET_TYPE_DOUBLE, PARQUET_ENCODING_DELTA_BINARY_PACKED, -EBADMSG},
        {PARQUET_TYPE_INT32, PARQUET_ENCODING_DELTA_BYTE_ARRAY, -EBADMSG},
        {PARQUET_TYPE_INT64, PARQUET_ENCODING_RLE, -EBADMSG},
        {PARQUET_TYPE_BYTE_ARRAY, PARQUET_ENCODING_BYTE_STREAM_SPLIT, -EBADMSG},
        {PARQUET_TYPE_INT64, PARQUET_ENCODING_RLE_DICTIONARY, -EBADMSG},
        {PARQUET_TYPE_INT64, PARQUET_ENCODING_BIT_PACKED, -ENOTSUP},
        {PARQUET_TYPE_INT64, 77, -ENOTSUP},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parquet_column c = column_of(cases[i].physical, 0);
        struct parquet_vector out;
        struct parquet_error err;
        cr_assert_eq(decode(&c, cases[i].encoding, "\0\0\0\0\0\0\0\0", 8, 1, &out, &err),
                     cases[i].code, "case %zu", i);
        parquet_vector_fini(&out);
    }
}
