#include "ingest/parquet_delta.h"

#include <errno.h>
#include <string.h>

static int read_varint(struct parquet_delta *d, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && d->pos < d->end; shift += 7) {
        uint8_t byte = *d->pos++;
        if (shift == 63 && byte > 1)
            return -EBADMSG;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return 0;
    }
    return -EBADMSG;
}

static uint64_t unzigzag(uint64_t raw)
{
    return (raw >> 1) ^ -(raw & 1);
}

static int fail_end(struct parquet_error *err)
{
    return parquet_fail(err, -EBADMSG, "the delta-encoded integers end too early");
}

int parquet_delta_init(struct parquet_delta *d, const uint8_t *bytes, const uint8_t *end,
                       uint64_t count_max, struct parquet_error *err)
{
    uint64_t first;
    memset(d, 0, sizeof(*d));
    d->pos = bytes;
    d->end = end;
    if (read_varint(d, &d->block_size) < 0 || read_varint(d, &d->mini_count) < 0 ||
        read_varint(d, &d->count) < 0 || read_varint(d, &first) < 0)
        return parquet_fail(err, -EBADMSG, "the header of delta-encoded integers is cut off");
    if (d->block_size == 0 || d->block_size > 1 << 30 || d->mini_count == 0 ||
        d->block_size % d->mini_count != 0 || d->block_size / d->mini_count % 32 != 0)
        return parquet_fail(err, -EBADMSG,
                            "delta-encoded integers come in blocks of %llu values with %llu "
                            "miniblocks, which must hold a multiple of 32 values",
                            (unsigned long long)d->block_size, (unsigned long long)d->mini_count);
    if (d->count > count_max)
        return parquet_fail(err, -EBADMSG, "%llu delta-encoded integers in a page of %llu values",
                            (unsigned long long)d->count, (unsigned long long)count_max);
    d->mini_size = d->block_size / d->mini_count;
    d->mini_next = d->mini_count;
    d->left = d->count;
    d->value = unzigzag(first);
    d->first = true;
    return 0;
}

static int start_block(struct parquet_delta *d, struct parquet_error *err)
{
    uint64_t raw;
    if (read_varint(d, &raw) < 0 || (uint64_t)(d->end - d->pos) < d->mini_count)
        return fail_end(err);
    d->min_delta = unzigzag(raw);
    d->widths = d->pos;
    d->pos += d->mini_count;
    d->mini_next = 0;
    return 0;
}

static int start_mini(struct parquet_delta *d, struct parquet_error *err)
{
    if (d->mini_next == d->mini_count) {
        int rc = start_block(d, err);
        if (rc < 0)
            return rc;
    }
    d->width = d->widths[d->mini_next++];
    if (d->width > 64)
        return parquet_fail(err, -EBADMSG,
                            "delta-encoded integers of %u bits, allowed are up to 64", d->width);
    /* Some writers leave out the padding of the last miniblock. */
    uint64_t avail = (uint64_t)(d->end - d->pos);
    uint64_t full = d->mini_size / 8 * d->width;
    uint64_t used = d->left < d->mini_size ? (d->left * d->width + 7) / 8 : full;
    if (used > avail)
        return fail_end(err);
    d->mini = d->pos;
    d->pos += full < avail ? full : avail;
    d->mini_end = d->pos;
    d->mini_left = d->mini_size;
    d->bit = 0;
    return 0;
}

static uint64_t load_bits(const uint8_t *p, const uint8_t *end, unsigned shift, unsigned width)
{
    unsigned __int128 word = 0;
    size_t avail = (size_t)(end - p);
    memcpy(&word, p, avail < sizeof(word) ? avail : sizeof(word));
    uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    return (uint64_t)(word >> shift) & mask;
}

static void unpack(struct parquet_delta *d, int64_t *out, size_t n)
{
    uint64_t value = d->value;
    uint64_t bit = d->bit;
    size_t i = 0;
    for (; d->width == 0 && i < n; i++) {
        value += d->min_delta;
        out[i] = (int64_t)value;
    }
    if (d->width <= 56) {
        uint64_t mask = ((uint64_t)1 << d->width) - 1;
        for (; i < n && d->mini_end - (d->mini + bit / 8) >= 8; i++, bit += d->width) {
            uint64_t word;
            memcpy(&word, d->mini + bit / 8, 8);
            value += d->min_delta + (word >> (bit % 8) & mask);
            out[i] = (int64_t)value;
        }
    }
    for (; i < n; i++, bit += d->width) {
        value += d->min_delta + load_bits(d->mini + bit / 8, d->mini_end, bit % 8, d->width);
        out[i] = (int64_t)value;
    }
    d->value = value;
    d->bit = bit;
}

int parquet_delta_read(struct parquet_delta *d, int64_t *out, size_t n, struct parquet_error *err)
{
    if (n > d->left)
        return parquet_fail(err, -EBADMSG,
                            "only %llu delta-encoded integers where more values are "
                            "announced",
                            (unsigned long long)d->count);
    if (n > 0 && d->first) {
        d->first = false;
        d->left--;
        *out++ = (int64_t)d->value;
        n--;
    }
    while (n > 0) {
        if (d->mini_left == 0) {
            int rc = start_mini(d, err);
            if (rc < 0)
                return rc;
        }
        size_t take = n < d->mini_left ? n : (size_t)d->mini_left;
        unpack(d, out, take);
        d->mini_left -= take;
        d->left -= take;
        out += take;
        n -= take;
    }
    return 0;
}

int parquet_delta_find_end(const struct parquet_delta *d, const uint8_t **end,
                           struct parquet_error *err)
{
    struct parquet_delta copy = *d;
    if (copy.first && copy.left > 0) {
        copy.first = false;
        copy.left--;
    }
    while (copy.left > 0) {
        int rc = start_mini(&copy, err);
        if (rc < 0)
            return rc;
        copy.left -= copy.left < copy.mini_size ? copy.left : copy.mini_size;
    }
    *end = copy.pos;
    return 0;
}
