#pragma once
/*
 * Bytes of a column image, for column_image*.c only: head, body of the sealed part, tail. The body is what lies after
 * the header of a sealed arena that was just built: slices, presence mask, directory of containers with room for a few
 * more, containers without gaps, bitsets first. Little endian. In a chunk (64-byte aligned) all is aligned as in memory.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/colblock.h"
#include "storage/container.h"
#include "storage/kernel.h"

enum { COLUMN_IMAGE_VERSION = 1, IMAGE_SPARE_CONTAINERS = 4 };

enum {
    IMAGE_ANY = 1,
    IMAGE_TIGHT = 2,
    IMAGE_SEALED_NULLS = 4, /* a presence mask in the body */
    IMAGE_SLICES = 8,
    IMAGE_CONTAINERS = 16,
    IMAGE_TAIL_NULLS = 32,
    IMAGE_FLAGS = 63
};

struct image_head {
    uint8_t version, layout, flags;
    uint8_t tail_width; /* bytes of a code; 0 without a tail */
    uint32_t rows;
    int64_t min, max; /* with IMAGE_ANY, else 0 */
    uint32_t sealed_rows;
    uint32_t present; /* sealed rows with a value */
    uint32_t body;    /* bytes */
    uint32_t containers;
    int64_t base, tail_base;
    uint8_t width; /* slices */
    uint8_t reserved[7];
};

_Static_assert(sizeof(struct image_head) == 64, "the body is 64-byte aligned");

/* Where things lie in a body, in bytes from its begin. */
struct image_body {
    uint32_t rows, words, width, n_containers; /* words of whole lines */
    bool nulls, has_slices, has_containers;
    uint32_t slices_at, presence_at, directory_at, heap_at, bytes;
};

/* Words from one slice to the next. */
static inline size_t image_stride(const struct image_body *b)
{
    return b->words + LINE_WORDS;
}

/* From what it holds to where that lies; heap: bytes of the containers' rows. */
static inline void image_body_place(struct image_body *b, uint32_t heap)
{
    b->slices_at = 0;
    b->presence_at = b->width * (uint32_t)(image_stride(b) * sizeof(uint64_t));
    b->directory_at = b->presence_at + (b->nulls ? b->words * (uint32_t)sizeof(uint64_t) : 0);
    b->heap_at = b->directory_at;
    if (b->has_containers)
        b->heap_at +=
            ((b->n_containers + IMAGE_SPARE_CONTAINERS) * (uint32_t)sizeof(struct container) + 63) &
            ~63u;
    b->bytes = b->heap_at + heap;
}

/* Bytes of the tail behind the body: presence mask when some are NULL, then the codes. */
static inline size_t image_tail_bytes(const struct image_head *h)
{
    uint32_t n = h->rows - h->sealed_rows;

    return (h->flags & IMAGE_TAIL_NULLS ? (size_t)(n + 63) / 64 * sizeof(uint64_t) : 0) +
           (size_t)n * h->tail_width;
}
