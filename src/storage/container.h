#pragma once
/*
 * Containers: the rows of a block that have one value, as a roaring container does it: a sorted
 * array of 16-bit row numbers while that is smaller, else a bitset of the block. They lie in the
 * block's arena, not in allocations of their own, so that a block is one piece for cache and disk.
 * Owner: the slot's core.
 */
#include <stdbool.h>
#include <stdint.h>

/* Directory entry of one value. */
struct container {
    uint32_t code;   /* the value */
    uint32_t count;  /* rows, exact */
    uint32_t offset; /* bytes from the arena's begin: bitsets 64-byte, arrays 8-byte aligned */
    uint32_t cap;    /* array: room in rows; 0 = bitset */
};

/* Rows from which a bitset of `words` words is the smaller form. */
static inline uint32_t container_array_max(uint32_t words)
{
    return words * (uint32_t)(sizeof(uint64_t) / sizeof(uint16_t));
}

/* The rows of a container: one of array and bits, when there are any. */
struct container_rows {
    uint32_t n, words; /* rows; words of the block */
    uint32_t tail;     /* rows behind those words, which may be more of them */
    const uint16_t *array;
    const uint64_t *bits;
};

void container_view(const struct container *c, const uint8_t *arena, uint32_t words,
                    struct container_rows *rows);

/* acc |= rows. Here and below words is a multiple of LINE_WORDS. */
void container_or(const struct container *c, const uint8_t *arena, uint32_t words, uint64_t *acc);

/* sel &= rows (negate: not these rows). */
void container_and(const struct container *c, const uint8_t *arena, uint32_t words, bool negate,
                   uint64_t *sel);

/* Rows also in sel. */
uint32_t container_count(const struct container *c, const uint8_t *arena, uint32_t words,
                         const uint64_t *sel);

bool container_has(const struct container *c, const uint8_t *arena, uint32_t row);

/* out[r - from] = code for its rows in [from, from + 512). */
void container_scatter(const struct container *c, const uint8_t *arena, uint32_t from,
                       int64_t *out);

/*
 * Changes the rows and the count; an array must have room for one more. Adding a row it has, or
 * removing one it has not, changes nothing.
 */
void container_add(struct container *c, uint8_t *arena, uint32_t row);
void container_remove(struct container *c, uint8_t *arena, uint32_t row);

/*
 * Moves the rows to another place in the arena (not overlapping), with cap rows of room, 0 = as a
 * bitset.
 */
void container_move(struct container *c, uint8_t *arena, uint32_t words, uint32_t offset,
                    uint32_t cap);
