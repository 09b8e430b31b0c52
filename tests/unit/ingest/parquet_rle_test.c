/* Runs of repeated and bit-packed values. */
#include "ingest/parquet_rle.h"

#include "parquet_test_util.h"

/* Values with runs of every length, so that both kinds of run and their borders occur. */
static size_t make_values(uint32_t *values, size_t n, unsigned width, uint64_t *state)
{
    uint32_t mask = width == 32 ? UINT32_MAX : (1u << width) - 1;
    for (size_t i = 0; i < n;) {
        uint32_t value = (uint32_t)next_random(state) & mask;
        size_t run = next_random(state) % 3 ? 1 : 1 + next_random(state) % 40;
        for (; run > 0 && i < n; run--)
            values[i++] = value;
    }
    return n;
}

Test(parquet_rle, reads_what_was_encoded)
{
    uint64_t state = test_seed();
    uint32_t values[1000], out[1000];
    for (unsigned width = 1; width <= 32; width++) {
        for (int round = 0; round < 20; round++) {
            size_t n = make_values(values, next_random(&state) % 1000, width, &state);
            uint8_t *bytes = malloc(parquet_rle_bound(n, width));
            size_t len = parquet_rle_encode(values, n, width, bytes);
            cr_assert_leq(len, parquet_rle_bound(n, width));
            uint8_t *exact = malloc(len + 1);
            memcpy(exact, bytes, len);
            struct parquet_rle rle;
            parquet_rle_init(&rle, exact, len, width);
            for (size_t at = 0; at < n;) {
                size_t step = 1 + next_random(&state) % 100;
                step = step < n - at ? step : n - at;
                cr_assert_eq(parquet_rle_read(&rle, out + at, step), step, "width %u", width);
                at += step;
            }
            cr_assert(n == 0 || memcmp(values, out, n * sizeof(*out)) == 0, "width %u", width);
            free(exact);
            free(bytes);
        }
    }
}

Test(parquet_rle, skips_a_run_of_one_value)
{
    uint32_t values[100];
    uint8_t bytes[100];
    struct parquet_rle rle;
    for (int i = 0; i < 100; i++)
        values[i] = i < 90;
    size_t len = parquet_rle_encode(values, 100, 1, bytes);
    parquet_rle_init(&rle, bytes, len, 1);
    cr_assert_eq(parquet_rle_skip_run(&rle, 0, 50), 0);
    cr_assert_eq(parquet_rle_skip_run(&rle, 1, 50), 50);
    cr_assert_eq(parquet_rle_skip_run(&rle, 1, 50), 40);
    cr_assert_eq(parquet_rle_skip_run(&rle, 1, 50), 0);
    cr_assert_eq(parquet_rle_read(&rle, values, 10), 10);
    cr_assert_eq(values[9], 0);
}

Test(parquet_rle, a_width_of_zero_is_endless_zeros)
{
    uint32_t out[3] = {1, 1, 1};
    struct parquet_rle rle;
    parquet_rle_init(&rle, "", 0, 0);
    cr_assert_eq(parquet_rle_read(&rle, out, 3), 3);
    cr_assert(out[0] == 0 && out[1] == 0 && out[2] == 0);
}

Test(parquet_rle, cut_bytes_give_fewer_values)
{
    uint64_t state = test_seed();
    uint32_t values[500], out[600];
    uint8_t bytes[4096];
    make_values(values, 500, 7, &state);
    size_t len = parquet_rle_encode(values, 500, 7, bytes);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = malloc(cut + 1);
        memcpy(exact, bytes, cut);
        struct parquet_rle rle;
        parquet_rle_init(&rle, exact, cut, 7);
        size_t n = parquet_rle_read(&rle, out, 600);
        cr_assert_lt(n, 508); /* the last group is padded */
        cr_assert(n == 0 || memcmp(values, out, (n < 500 ? n : 500) * sizeof(*out)) == 0);
        free(exact);
    }
}

Test(parquet_rle, deprecated_packing_goes_from_the_highest_bit)
{
    static const uint8_t bytes[] = {0x05, 0x39, 0x77}; /* the example of the format: 0 to 7 */
    uint32_t out[8];
    parquet_bits_unpack_msb(bytes, 0, 3, out, 8);
    for (uint32_t i = 0; i < 8; i++)
        cr_assert_eq(out[i], i);
}

Test(parquet_rle, bits_for_a_maximum)
{
    cr_assert(parquet_bits_for(0) == 0 && parquet_bits_for(1) == 1 && parquet_bits_for(2) == 2);
    cr_assert(parquet_bits_for(255) == 8 && parquet_bits_for(UINT32_MAX) == 32);
}
