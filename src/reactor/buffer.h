#pragma once
/* Growable byte buffer with a bound. Owner: the holder, on one core. */
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *data;
    size_t len, cap; /* bytes in use, bytes allocated */
    size_t limit;    /* bytes; never grows beyond */
};

void buffer_init(struct buffer *b, size_t limit);
void buffer_fini(struct buffer *b);

/* Makes room for `extra` more bytes: 0, -ENOBUFS over the limit, -ENOMEM. */
int buffer_reserve(struct buffer *b, size_t extra);

int buffer_append(struct buffer *b, const void *bytes, size_t n);
int buffer_printf(struct buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Drops n bytes from the front. */
void buffer_consume(struct buffer *b, size_t n);

/* Empties it; gives memory back when more than `keep` bytes are allocated. */
void buffer_reset(struct buffer *b, size_t keep);
