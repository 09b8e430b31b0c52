/* Growable byte buffer: doubles up to its limit. */
#include "reactor/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"

enum { BUFFER_CAP_MIN = 256 };

void buffer_init(struct buffer *b, size_t limit)
{
    *b = (struct buffer){.limit = limit};
}

void buffer_fini(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){.limit = b->limit};
}

int buffer_reserve(struct buffer *b, size_t extra)
{
    size_t need, cap;
    uint8_t *data;

    ASSERT(b->len <= b->cap);
    if (extra <= b->cap - b->len)
        return 0;
    if (b->len > b->limit || extra > b->limit - b->len)
        return -ENOBUFS;
    need = b->len + extra;
    cap = b->cap ? b->cap : BUFFER_CAP_MIN;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->limit)
        cap = b->limit;
    data = realloc(b->data, cap);
    if (!data)
        return -ENOMEM;
    b->data = data;
    b->cap = cap;
    return 0;
}

int buffer_append(struct buffer *b, const void *bytes, size_t n)
{
    int rc = buffer_reserve(b, n);

    if (rc == 0 && n) {
        memcpy(b->data + b->len, bytes, n);
        b->len += n;
    }
    return rc;
}

int buffer_printf(struct buffer *b, const char *fmt, ...)
{
    va_list args;
    int n, rc;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        return -EINVAL;
    /* vsnprintf ends with a NUL, which needs room but does not count. */
    rc = buffer_reserve(b, (size_t)n + 1);
    if (rc != 0)
        return rc;
    va_start(args, fmt);
    vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, args);
    va_end(args);
    b->len += (size_t)n;
    return 0;
}

void buffer_consume(struct buffer *b, size_t n)
{
    ASSERT(n <= b->len);
    b->len -= n;
    if (b->len && n)
        memmove(b->data, b->data + n, b->len);
}

void buffer_reset(struct buffer *b, size_t keep)
{
    if (b->cap > keep)
        buffer_fini(b);
    b->len = 0;
}
