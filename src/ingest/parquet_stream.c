#include "ingest/parquet_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"

/* One request to an object store or a disk: large enough to hide the round trip, small enough to
 * have one per column. */
#define READ_AHEAD ((size_t)256 << 10)

int parquet_source_read(const struct parquet_source *src, void *buf, size_t len, uint64_t off,
                        struct parquet_error *err)
{
    ASSERT(off <= src->size && len <= src->size - off);
    int rc = src->read_at(src->ctx, buf, len, off);
    if (rc < 0)
        return parquet_fail(err, rc, "reading %zu bytes at offset %llu failed: %s", len,
                            (unsigned long long)off, strerror(-rc));
    return 0;
}

void parquet_stream_start(struct parquet_stream *s, const struct parquet_source *src, uint64_t pos,
                          uint64_t end)
{
    ASSERT(pos <= end && end <= src->size);
    s->src = src;
    s->pos = pos;
    s->end = end;
    s->from = 0;
    s->len = 0;
}

int parquet_stream_peek(struct parquet_stream *s, size_t want, const uint8_t **bytes, size_t *got,
                        struct parquet_error *err)
{
    uint64_t left = s->end - s->pos;
    if (want > left)
        want = (size_t)left;
    if (want > s->len) {
        size_t fill = want > READ_AHEAD ? want : READ_AHEAD;
        if (fill > left)
            fill = (size_t)left;
        if (s->len > 0)
            memmove(s->buf, s->buf + s->from, s->len);
        s->from = 0;
        if (fill > s->cap) {
            uint8_t *grown = realloc(s->buf, fill);
            if (!grown)
                return parquet_fail_memory(err, "a page");
            s->buf = grown;
            s->cap = fill;
        }
        int rc = parquet_source_read(s->src, s->buf + s->len, fill - s->len, s->pos + s->len, err);
        if (rc < 0)
            return rc;
        s->len = fill;
    }
    *bytes = s->buf + s->from;
    *got = want;
    return 0;
}

void parquet_stream_skip(struct parquet_stream *s, size_t len)
{
    ASSERT(len <= s->len);
    s->from += len;
    s->len -= len;
    s->pos += len;
}

void parquet_stream_fini(struct parquet_stream *s)
{
    free(s->buf);
    memset(s, 0, sizeof(*s));
}
