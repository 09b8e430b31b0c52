#include "ingest/parquet_rle.h"

#include <string.h>

#include "reactor/assert.h"

/* A repeated value is worth a run of its own from this length on; it ends a bit-packed run, which
 * comes in groups of eight. */
#define RUN_MIN 16

void parquet_rle_init(struct parquet_rle *rle, const void *bytes, size_t len, unsigned width)
{
    ASSERT(width <= 32);
    memset(rle, 0, sizeof(*rle));
    rle->pos = bytes;
    rle->end = rle->pos + len;
    rle->width = (uint8_t)width;
    if (width == 0)
        rle->left = UINT64_MAX;
}

static bool read_header(struct parquet_rle *rle, uint64_t *header)
{
    *header = 0;
    for (unsigned shift = 0; shift < 35 && rle->pos < rle->end; shift += 7) {
        uint8_t byte = *rle->pos++;
        *header |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

/* Some writers let the last bit-packed run count values beyond the end of the bytes, so it is cut
 * there. */
static bool start_literal(struct parquet_rle *rle, uint64_t groups)
{
    size_t avail = (size_t)(rle->end - rle->pos);
    uint64_t need = groups * rle->width;
    rle->is_literal = true;
    rle->run = rle->pos;
    rle->bit = 0;
    rle->left = groups * 8;
    if (need > avail) {
        rle->left = (uint64_t)avail * 8 / rle->width;
        need = avail;
    }
    rle->pos += need;
    return rle->left > 0 || groups == 0;
}

static bool start_repeat(struct parquet_rle *rle, uint64_t count)
{
    size_t bytes = (rle->width + 7u) / 8;
    if ((size_t)(rle->end - rle->pos) < bytes)
        return false;
    rle->is_literal = false;
    rle->value = 0;
    memcpy(&rle->value, rle->pos, bytes);
    rle->pos += bytes;
    rle->left = count;
    return true;
}

/* Makes a run with values left the current one. False at the end. */
static bool next_run(struct parquet_rle *rle)
{
    while (rle->left == 0) {
        uint64_t header;
        if (!read_header(rle, &header))
            return false;
        if (!(header & 1 ? start_literal(rle, header >> 1) : start_repeat(rle, header >> 1))) {
            rle->pos = rle->end;
            return false;
        }
    }
    return true;
}

static uint64_t load_tail(const uint8_t *p, const uint8_t *end)
{
    uint64_t word = 0;
    size_t avail = (size_t)(end - p);
    memcpy(&word, p, avail < 8 ? avail : 8);
    return word;
}

void parquet_bits_unpack(const uint8_t *bytes, const uint8_t *end, uint64_t bit, unsigned width,
                         uint32_t *out, size_t count)
{
    uint64_t mask = ((uint64_t)1 << width) - 1;
    size_t i = 0;
    /* 32 bits at any of eight bit offsets lie within one load of eight bytes. */
    for (; i < count && end - (bytes + bit / 8) >= 8; i++, bit += width) {
        uint64_t word;
        memcpy(&word, bytes + bit / 8, 8);
        out[i] = (uint32_t)(word >> (bit % 8) & mask);
    }
    for (; i < count; i++, bit += width)
        out[i] = (uint32_t)(load_tail(bytes + bit / 8, end) >> (bit % 8) & mask);
}

void parquet_bits_unpack_msb(const uint8_t *bytes, uint64_t bit, unsigned width, uint32_t *out,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t value = 0;
        for (unsigned b = 0; b < width; b++, bit++)
            value = value << 1 | (bytes[bit / 8] >> (7 - bit % 8) & 1);
        out[i] = value;
    }
}

size_t parquet_rle_read(struct parquet_rle *rle, uint32_t *out, size_t n)
{
    size_t done = 0;
    while (done < n && next_run(rle)) {
        size_t take = n - done < rle->left ? n - done : (size_t)rle->left;
        if (rle->is_literal) {
            parquet_bits_unpack(rle->run, rle->end, rle->bit, rle->width, out + done, take);
            rle->bit += (uint64_t)take * rle->width;
        } else {
            for (size_t i = 0; i < take; i++)
                out[done + i] = rle->value;
        }
        rle->left -= take;
        done += take;
    }
    return done;
}

size_t parquet_rle_skip_run(struct parquet_rle *rle, uint32_t value, size_t n)
{
    if (!next_run(rle) || rle->is_literal || rle->value != value)
        return 0;
    size_t take = n < rle->left ? n : (size_t)rle->left;
    rle->left -= take;
    return take;
}

unsigned parquet_bits_for(uint32_t max)
{
    return max == 0 ? 0 : 32 - (unsigned)__builtin_clz(max);
}

size_t parquet_rle_bound(size_t n, unsigned width)
{
    /* Each run header takes up to ten bytes and stands for RUN_MIN values or a group of literals
     * before such a run. */
    return (n / 8 + 1) * width + (n / RUN_MIN + 1) * 20 + 16;
}

static uint8_t *put_varint(uint8_t *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

static uint8_t *put_literal(uint8_t *out, const uint32_t *values, size_t n, unsigned width)
{
    if (n == 0)
        return out;
    size_t groups = (n + 7) / 8;
    out = put_varint(out, (uint64_t)groups << 1 | 1);
    uint64_t acc = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < groups * 8; i++) {
        acc |= (uint64_t)(i < n ? values[i] : 0) << bits;
        for (bits += width; bits >= 8; bits -= 8, acc >>= 8)
            *out++ = (uint8_t)acc;
    }
    return out;
}

static uint8_t *put_repeat(uint8_t *out, uint32_t value, size_t n, unsigned width)
{
    out = put_varint(out, (uint64_t)n << 1);
    for (unsigned b = 0; b < (width + 7) / 8; b++)
        *out++ = (uint8_t)(value >> (8 * b));
    return out;
}

size_t parquet_rle_encode(const uint32_t *values, size_t n, unsigned width, uint8_t *out)
{
    uint8_t *at = out;
    size_t literal = 0; /* first value not yet written */
    size_t i = 0;
    while (i < n) {
        size_t run = 1;
        while (i + run < n && values[i + run] == values[i])
            run++;
        /* Bit-packed runs hold whole groups, so one in the middle takes what fills its last. */
        size_t pad = (8 - (i - literal) % 8) % 8;
        if (run >= RUN_MIN + pad) {
            at = put_literal(at, values + literal, i - literal + pad, width);
            at = put_repeat(at, values[i], run - pad, width);
            literal = i + run;
        }
        i += run;
    }
    at = put_literal(at, values + literal, n - literal, width);
    return (size_t)(at - out);
}
