#include "ingest/parquet_compress.h"

#include <brotli/decode.h>
#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "ingest/parquet_schema.h"
#include "reactor/assert.h"

/* Fast levels already get most of what pages give. */
#define ZSTD_LEVEL 3

static bool decompress_snappy(const void *in, size_t in_len, void *out, size_t out_len)
{
    size_t len;
    if (snappy_uncompressed_length(in, in_len, &len) != SNAPPY_OK || len != out_len)
        return false;
    return snappy_uncompress(in, in_len, out, &len) == SNAPPY_OK && len == out_len;
}

/* Accepts zlib and gzip headers and several gzip members in a row. */
static bool decompress_gzip(const void *in, size_t in_len, void *out, size_t out_len)
{
    z_stream z = {.next_in = (Bytef *)in,
                  .avail_in = (uInt)in_len,
                  .next_out = out,
                  .avail_out = (uInt)out_len};
    if (inflateInit2(&z, 15 + 32) != Z_OK)
        return false;
    int rc;
    while ((rc = inflate(&z, Z_NO_FLUSH)) == Z_STREAM_END && z.avail_in > 0 && z.avail_out > 0)
        if (inflateReset(&z) != Z_OK)
            break;
    bool ok = rc == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    return ok;
}

static bool decompress_brotli(const void *in, size_t in_len, void *out, size_t out_len)
{
    size_t len = out_len;
    return BrotliDecoderDecompress(in_len, in, &len, out) == BROTLI_DECODER_RESULT_SUCCESS &&
           len == out_len;
}

static bool decompress_zstd(const void *in, size_t in_len, void *out, size_t out_len)
{
    return ZSTD_decompress(out, out_len, in, in_len) == out_len;
}

static bool decompress_lz4_raw(const void *in, size_t in_len, void *out, size_t out_len)
{
    return LZ4_decompress_safe(in, out, (int)in_len, (int)out_len) == (int)out_len;
}

static uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Hadoop's frames: uncompressed and compressed length, both big-endian, then an LZ4 block. */
static bool decompress_lz4_hadoop(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
    while (in_len >= 8) {
        uint32_t raw = load_be32(in), packed = load_be32(in + 4);
        in += 8;
        in_len -= 8;
        if (packed > in_len || raw > out_len || !decompress_lz4_raw(in, packed, out, raw))
            return false;
        in += packed;
        in_len -= packed;
        out += raw;
        out_len -= raw;
    }
    return in_len == 0 && out_len == 0;
}

int parquet_decompress(enum parquet_codec codec, const void *in, size_t in_len, void *out,
                       size_t out_len, struct parquet_error *err)
{
    bool ok = false;
    ASSERT(in_len <= INT_MAX && out_len <= INT_MAX);
    switch (codec) {
    case PARQUET_CODEC_NONE:
        ok = in_len == out_len;
        if (ok && in_len > 0)
            memcpy(out, in, in_len);
        break;
    case PARQUET_CODEC_SNAPPY:
        ok = decompress_snappy(in, in_len, out, out_len);
        break;
    case PARQUET_CODEC_GZIP:
        ok = decompress_gzip(in, in_len, out, out_len);
        break;
    case PARQUET_CODEC_BROTLI:
        ok = decompress_brotli(in, in_len, out, out_len);
        break;
    case PARQUET_CODEC_LZ4:
        ok = decompress_lz4_hadoop(in, in_len, out, out_len) ||
             decompress_lz4_raw(in, in_len, out, out_len);
        break;
    case PARQUET_CODEC_ZSTD:
        ok = decompress_zstd(in, in_len, out, out_len);
        break;
    case PARQUET_CODEC_LZ4_RAW:
        ok = decompress_lz4_raw(in, in_len, out, out_len);
        break;
    default:
        return parquet_fail(err, -ENOTSUP,
                            "it is compressed with codec %d (%s), which is not "
                            "supported",
                            codec, parquet_codec_name(codec));
    }
    if (!ok)
        return parquet_fail(err, -EBADMSG,
                            "%zu bytes compressed with %s do not decompress to the "
                            "%zu bytes the page header says",
                            in_len, parquet_codec_name(codec), out_len);
    return 0;
}

bool parquet_can_compress(enum parquet_codec codec)
{
    return codec == PARQUET_CODEC_NONE || codec == PARQUET_CODEC_SNAPPY ||
           codec == PARQUET_CODEC_ZSTD;
}

size_t parquet_compress_bound(enum parquet_codec codec, size_t len)
{
    if (codec == PARQUET_CODEC_SNAPPY)
        return snappy_max_compressed_length(len);
    if (codec == PARQUET_CODEC_ZSTD)
        return ZSTD_compressBound(len);
    return len;
}

int parquet_compress(enum parquet_codec codec, const void *in, size_t in_len, void *out,
                     size_t *out_len, struct parquet_error *err)
{
    size_t bound = parquet_compress_bound(codec, in_len);
    size_t len = bound;
    bool ok = true;
    switch (codec) {
    case PARQUET_CODEC_SNAPPY:
        ok = snappy_compress(in, in_len, out, &len) == SNAPPY_OK;
        break;
    case PARQUET_CODEC_ZSTD:
        len = ZSTD_compress(out, bound, in, in_len, ZSTD_LEVEL);
        ok = !ZSTD_isError(len);
        break;
    default:
        ASSERT(codec == PARQUET_CODEC_NONE);
        if (in_len > 0)
            memcpy(out, in, in_len);
    }
    if (!ok)
        return parquet_fail(err, -EIO, "%s failed to compress a page of %zu bytes",
                            parquet_codec_name(codec), in_len);
    *out_len = len;
    return 0;
}
