#pragma once
/*
 * Arena: memory of one operation, given back in one step.
 *
 * Owner: the core that created it; never shared while in use. Chunks come from the core's jemalloc
 * arena and are charged to the byte budget given at init (may be NULL).
 */
#include <stddef.h>
#include <stdint.h>

struct budget;
struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    uint8_t *at, *end;          /* free part of the newest chunk */
    size_t used;                /* bytes taken from the system */
    size_t limit;               /* bytes; arena_alloc answers NULL beyond */
    struct budget *budget;      /* charged per chunk; may be NULL */
};

/* Prepares an empty arena that never holds more than `limit` bytes. Cannot fail. */
void arena_init(struct arena *a, size_t limit, struct budget *budget);

/* Frees everything and uncharges the budget; the arena may be used again. */
void arena_fini(struct arena *a);

/* Frees all but the first chunk, for reuse by the next operation. */
void arena_reset(struct arena *a);

/* `size` zeroed bytes, 16-byte aligned, valid until arena_fini or arena_reset; NULL over the limit or budget. */
void *arena_alloc(struct arena *a, size_t size);

/* The same with any contents, for what is written before it is read. */
void *arena_alloc_raw(struct arena *a, size_t size);

/* Copy of n bytes with a NUL after them; NULL as arena_alloc. */
char *arena_strndup(struct arena *a, const char *s, size_t n);

/* printf into the arena; NULL as arena_alloc. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A number that tells whether any byte in it has changed, for assertions. */
uint64_t arena_hash(const struct arena *a);
