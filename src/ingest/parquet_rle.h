#pragma once
/*
 * The hybrid of run-length and bit-packed runs which carries levels, dictionary codes and booleans,
 * and the older plain bit packing of levels.
 * Source: https://parquet.apache.org/docs/file-format/data-pages/encodings/
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cursor over encoded runs. Any core; part of a page's state; the bytes belong to the page. */
struct parquet_rle {
    const uint8_t *pos;
    const uint8_t *end;
    uint8_t width;      /* bits of a value, 0 to 32 */
    bool is_literal;    /* the current run is bit-packed */
    uint32_t value;     /* of a repeated run */
    uint64_t left;      /* values left in the current run */
    uint64_t bit;       /* next bit of a bit-packed run, counted from run */
    const uint8_t *run; /* start of the bit-packed run */
};

/* Starts a sequence of runs; width is at most 32. A width of 0 stands for endless zeros. */
void parquet_rle_init(struct parquet_rle *rle, const void *bytes, size_t len, unsigned width);

/* Reads n values. Returns how many there were: fewer than n when the bytes end or are malformed. */
size_t parquet_rle_read(struct parquet_rle *rle, uint32_t *out, size_t n);

/* Passes over at most n values that the current repeated run says are all `value`; 0 when the next
 * value is something else or in a bit-packed run. */
size_t parquet_rle_skip_run(struct parquet_rle *rle, uint32_t value, size_t n);

/* Reads count values of width bits (0 to 32) packed from the lowest bit on, starting at bit `bit`
 * of bytes, which end at `end`. The caller has checked that they are all there. */
void parquet_bits_unpack(const uint8_t *bytes, const uint8_t *end, uint64_t bit, unsigned width,
                         uint32_t *out, size_t count);

/* Reads count values of width bits (at most 8) packed from the highest bit on, as the deprecated
 * BIT_PACKED encoding of levels has them, from bit `bit` on. */
void parquet_bits_unpack_msb(const uint8_t *bytes, uint64_t bit, unsigned width, uint32_t *out,
                             size_t count);

/* Bits needed for values from 0 to max. */
unsigned parquet_bits_for(uint32_t max);

/* Upper bound of the bytes parquet_rle_encode makes of n values. */
size_t parquet_rle_bound(size_t n, unsigned width);

/* Encodes n values of width bits as runs. Returns the bytes written. */
size_t parquet_rle_encode(const uint32_t *values, size_t n, unsigned width, uint8_t *out);
