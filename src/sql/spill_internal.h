#pragma once
/* Between spill.c, which has the statement's file and buffers, and spill_stream.c, which has the rows in them. */
#include "reactor/io.h"
#include "sql/spill.h"

/* A piece in memory. Owner: the spill; lent to a stream. */
struct spill_buffer {
    struct io_op op;
    struct spill *spill;
    struct spill_stream *stream; /* NULL: it was freed meanwhile */
    struct spill_buffer *next;   /* unused, or on its way */
    uint32_t used, at;           /* bytes in it; read so far */
    uint32_t moved;              /* written or read by the operations before this one */
    bool is_pending, is_write;
    uint8_t bytes[SPILL_PIECE];
};

/* What the statement has spilled, made when there is nothing yet; NULL without memory. */
struct spill *spill_get(struct exec *x);
/* Sets the statement's error for a file that cannot be written or read. */
void spill_fail(struct spill *s, int rc, bool writes);
/* At least n buffers are unused: 0, -EAGAIN, -ENOMEM. */
int spill_want_buffers(struct spill *s, uint32_t n);
/* One of the unused ones, for the stream. */
struct spill_buffer *spill_take_buffer(struct spill *s, struct spill_stream *t);
void spill_put_buffer(struct spill_buffer *b);
/* Starts to write or read a piece of the file. */
void spill_transfer(struct spill_buffer *b, uint32_t piece, bool is_write);
