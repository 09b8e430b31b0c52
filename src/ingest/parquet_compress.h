#pragma once
/*
 * Compression of pages: whole page in, whole page out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_error.h"
#include "ingest/parquet_format.h"

/* Decompresses a page into exactly out_len bytes. -EBADMSG when the bytes are damaged or give
 * another length, -ENOTSUP for LZO and unknown codecs, -ENOMEM. Any core. */
int parquet_decompress(enum parquet_codec codec, const void *in, size_t in_len, void *out,
                       size_t out_len, struct parquet_error *err);

/* Whether pages can be written with that codec: none, Snappy, Zstandard. Any core. */
bool parquet_can_compress(enum parquet_codec codec);

/* Upper bound of the compressed length of len bytes. Any core. */
size_t parquet_compress_bound(enum parquet_codec codec, size_t len);

/* Compresses into out, which has room for the bound. -EIO when the codec refuses. Any core. */
int parquet_compress(enum parquet_codec codec, const void *in, size_t in_len, void *out,
                     size_t *out_len, struct parquet_error *err);
