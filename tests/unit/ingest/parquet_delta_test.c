/* Delta-encoded integers, against an encoder written from the format's text. */
#include "ingest/parquet_delta.h"

#include "parquet_test_util.h"

static uint8_t *put_varint(uint8_t *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

static uint8_t *put_zigzag(uint8_t *out, int64_t value)
{
    return put_varint(out, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

/* One miniblock of 32 differences less min, `width` bits each. */
static uint8_t *put_mini(uint8_t *out, const uint64_t *deltas, unsigned width)
{
    memset(out, 0, 4u * width);
    for (size_t i = 0; i < 32; i++)
        for (unsigned b = 0; b < width; b++)
            if (deltas[i] >> b & 1)
                out[(i * width + b) / 8] |= (uint8_t)(1 << ((i * width + b) % 8));
    return out + 4u * width;
}

/* Blocks of 128 values with 4 miniblocks. */
static size_t encode(const int64_t *values, size_t n, uint8_t *out)
{
    uint8_t *at = put_varint(out, 128);
    at = put_varint(at, 4);
    at = put_varint(at, n);
    at = put_zigzag(at, n ? values[0] : 0);
    for (size_t from = 1; from < n; from += 128) {
        uint64_t deltas[128] = {0};
        size_t count = n - from < 128 ? n - from : 128;
        int64_t min = INT64_MAX;
        for (size_t i = 0; i < count; i++) {
            deltas[i] = (uint64_t)values[from + i] - (uint64_t)values[from + i - 1];
            min = (int64_t)deltas[i] < min ? (int64_t)deltas[i] : min;
        }
        at = put_zigzag(at, min);
        uint8_t *widths = at;
        at += 4;
        for (size_t m = 0; m < 4; m++) {
            uint64_t max = 0;
            for (size_t i = 32 * m; i < 32 * m + 32; i++) {
                deltas[i] = i < count ? deltas[i] - (uint64_t)min : 0;
                max |= deltas[i];
            }
            widths[m] = max ? (uint8_t)(64 - __builtin_clzll(max)) : 0;
            if (32 * m < count)
                at = put_mini(at, deltas + 32 * m, widths[m]);
        }
    }
    return (size_t)(at - out);
}

static size_t make(int64_t *values, size_t n, uint8_t *bytes, uint64_t *state)
{
    unsigned bits = (unsigned)(next_random(state) % 65);
    for (size_t i = 0; i < n; i++)
        values[i] = bits ? (int64_t)(next_random(state) >> (64 - bits)) : 42;
    return encode(values, n, bytes);
}

Test(parquet_delta, reads_what_was_encoded)
{
    uint64_t state = test_seed();
    static int64_t values[1000], out[1000];
    static uint8_t bytes[20000];
    for (int round = 0; round < 300; round++) {
        size_t n = next_random(&state) % 1000;
        size_t len = make(values, n, bytes, &state);
        uint8_t *exact = malloc(len);
        memcpy(exact, bytes, len);
        struct parquet_delta d;
        struct parquet_error err;
        const uint8_t *end;
        cr_assert_eq(parquet_delta_init(&d, exact, exact + len, n, &err), 0);
        cr_assert_eq(parquet_delta_find_end(&d, &end, &err), 0);
        cr_assert_eq(end, exact + len);
        for (size_t at = 0; at < n;) {
            size_t step = 1 + next_random(&state) % 200;
            step = step < n - at ? step : n - at;
            cr_assert_eq(parquet_delta_read(&d, out + at, step, &err), 0, "round %d", round);
            at += step;
        }
        cr_assert(n == 0 || memcmp(values, out, n * sizeof(*out)) == 0, "round %d", round);
        cr_assert_eq(parquet_delta_read(&d, out, 1, &err), -EBADMSG);
        free(exact);
    }
}

Test(parquet_delta, cut_bytes_are_an_error)
{
    uint64_t state = test_seed();
    static int64_t values[400], out[400];
    static uint8_t bytes[8000];
    for (size_t i = 0; i < 400; i++)
        values[i] = (int64_t)(next_random(&state) >> 50);
    size_t len = encode(values, 400, bytes);
    for (size_t cut = 0; cut < len - 64; cut++) {
        uint8_t *exact = malloc(cut + 1);
        memcpy(exact, bytes, cut);
        struct parquet_delta d;
        struct parquet_error err;
        int rc = parquet_delta_init(&d, exact, exact + cut, 400, &err);
        if (rc == 0)
            rc = parquet_delta_read(&d, out, 400, &err);
        cr_assert_eq(rc, -EBADMSG, "cut to %zu bytes", cut);
        free(exact);
    }
}

Test(parquet_delta, headers_that_make_no_sense_are_refused)
{
    static const uint8_t cases[][5] = {
        {0, 1, 1, 0, 0},         /* blocks of 0 values */
        {0x80, 0x01, 0, 1, 0},   /* 0 miniblocks */
        {0x80, 0x01, 3, 1, 0},   /* 128 is not a multiple of 3 */
        {0x80, 0x01, 8, 1, 0},   /* miniblocks of 16 values */
        {0x80, 0x01, 4, 101, 0}, /* more values than the page has */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parquet_delta d;
        struct parquet_error err;
        cr_assert_eq(parquet_delta_init(&d, cases[i], cases[i] + 5, 100, &err), -EBADMSG,
                     "case %zu", i);
    }
}
