#pragma once
/*
 * Memory for very many small pieces that come one by one, grow, and go all at once: a piece is cut from a chunk, so
 * that giving everything back is one call per chunk and not one per piece. Charged to a budget. Owner: a core.
 */
#include <stddef.h>
#include <stdint.h>

#include "reactor/list.h"

struct budget;

enum {
    PIECE_MIN = 64,          /* bytes; pieces are aligned so */
    PIECE_POOLED = 64 << 10, /* at most; larger ones have a chunk each */
    PIECE_CLASSES = 11,      /* of pooled pieces: powers of two */
};

struct piece_pool {
    struct budget *budget;
    struct list chunks;
    uint8_t *at, *end; /* what is left of the newest chunk */
    void *free[PIECE_CLASSES];
    size_t chunk_bytes, memory; /* of the next chunk; of all */
};

void piece_pool_init(struct piece_pool *p, struct budget *budget);
/* Everything is given back; no piece need have been. */
void piece_pool_fini(struct piece_pool *p);

/* Size that a piece of at least so many bytes has. */
size_t piece_pool_size(size_t bytes);
/* size: from piece_pool_size. NULL = -ENOMEM. Not cleared. */
void *piece_pool_get(struct piece_pool *p, size_t size);
void piece_pool_put(struct piece_pool *p, void *piece, size_t size); /* piece may be NULL */
