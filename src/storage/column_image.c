/* Column block as bytes: writing. Only what has a meaning is copied, so that nothing uninitialised gets out. */
#include "storage/column_image.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "storage/colblock_change.h"
#include "storage/colblock_impl.h"
#include "storage/column_image_format.h"
#include "storage/presence.h"
#include "storage/slices.h"

static const uint8_t *at_of(const struct sealed *s, uint32_t offset)
{
    return sealed_arena(s) + offset;
}

/* Room for the rows of an array, and for some that may come. */
static uint32_t array_cap(uint32_t count)
{
    return (count + 2 + 3) & ~3u;
}

static void measure_sealed(const struct sealed *s, struct image_body *b)
{
    uint32_t heap = 0;

    *b = (struct image_body){.rows = s->rows, .words = s->words, .nulls = s->present < s->rows};
    if (s->has_slices)
        b->width = s->slices.width;
    b->has_slices = s->has_slices;
    b->has_containers = s->has_containers;
    for (uint32_t i = 0; i < s->n_containers; i++) {
        const struct container *c = &s->directory[i];

        if (!c->count)
            continue;
        b->n_containers++;
        heap += c->cap ? array_cap(c->count) * (uint32_t)sizeof(uint16_t)
                       : s->words * (uint32_t)sizeof(uint64_t);
    }
    image_body_place(b, heap);
}

static void write_slices(const struct sealed *s, const struct image_body *b, uint8_t *out)
{
    size_t slice = (size_t)s->words * sizeof(uint64_t);

    for (uint32_t i = 0; i < b->width; i++) {
        uint8_t *to = out + b->slices_at + i * image_stride(b) * sizeof(uint64_t);

        memcpy(to, s->slices.words + (size_t)i * s->slices.stride, slice);
    }
}

/* Directory entries that have rows; first the bitsets, for their alignment. Offsets count from the body's begin. */
static void write_containers(const struct sealed *s, const struct image_body *b, uint8_t *out)
{
    uint32_t at = b->heap_at;

    for (int arrays = 0; arrays < 2; arrays++) {
        uint32_t n = 0;

        for (uint32_t i = 0; i < s->n_containers; i++) {
            const struct container *c = &s->directory[i];
            struct container x = {.code = c->code, .count = c->count, .offset = at};
            uint32_t bytes = s->words * (uint32_t)sizeof(uint64_t), used = bytes;

            if (!c->count)
                continue;
            if (!arrays == !c->cap) {
                if (c->cap) {
                    x.cap = array_cap(c->count);
                    bytes = x.cap * (uint32_t)sizeof(uint16_t);
                    used = c->count * (uint32_t)sizeof(uint16_t);
                }
                memcpy(out + b->directory_at + n * sizeof(x), &x, sizeof(x));
                memcpy(out + at, at_of(s, c->offset), used);
                at += bytes;
            }
            n++;
        }
    }
    ASSERT(at == b->bytes);
}

static void write_sealed(const struct sealed *s, const struct image_body *b, uint8_t *out)
{
    memset(out, 0, b->bytes);
    if (b->has_slices)
        write_slices(s, b, out);
    if (b->nulls)
        memcpy(out + b->presence_at, s->presence, s->words * sizeof(uint64_t));
    if (b->has_containers)
        write_containers(s, b, out);
}

/* NULL among the first n rows of the tail? */
static bool tail_has_nulls(const struct tail *t, uint32_t n)
{
    if (!t->presence || t->present == t->rows)
        return false;
    for (uint32_t row = 0; row < n; row++) {
        if (!presence_get(t->presence, row))
            return true;
    }
    return false;
}

static void write_tail(const struct tail *t, uint32_t n, bool nulls, uint8_t *out)
{
    size_t mask = nulls ? presence_words(n) * sizeof(uint64_t) : 0;

    if (nulls) {
        uint64_t last;

        memcpy(out, t->presence, mask);
        memcpy(&last, out + mask - sizeof(last), sizeof(last));
        if (n % 64)
            last &= (1ull << n % 64) - 1;
        memcpy(out + mask - sizeof(last), &last, sizeof(last));
    }
    memcpy(out + mask, t->data, (size_t)n * t->width);
}

int column_image_encode(const struct colblock *c, uint32_t rows, struct buffer *out)
{
    const struct sealed *s = c->sealed;
    const struct tail *t = &c->tail;
    uint32_t tail = rows - sealed_rows(c);
    bool nulls;
    struct image_body b = {0};
    struct image_head h = {.version = COLUMN_IMAGE_VERSION,
                           .layout = (uint8_t)c->layout,
                           .rows = rows,
                           .sealed_rows = sealed_rows(c)};

    ASSERT(rows >= sealed_rows(c) && rows <= colblock_rows(c));
    nulls = tail_has_nulls(t, tail);
    if (s) {
        measure_sealed(s, &b);
        h.present = s->present;
        h.base = b.has_slices ? s->slices.base : 0;
        h.width = (uint8_t)b.width;
        h.containers = b.n_containers;
        h.body = b.bytes;
    }
    if (tail) {
        h.tail_width = (uint8_t)t->width;
        h.tail_base = t->base;
    }
    if (c->any) {
        h.min = c->min;
        h.max = c->max;
    }
    /* Without the last rows the bounds may be wider than what is left. */
    h.flags = (uint8_t)((c->any ? IMAGE_ANY : 0) |
                        (c->any && c->tight && rows == colblock_rows(c) ? IMAGE_TIGHT : 0) |
                        (b.nulls ? IMAGE_SEALED_NULLS : 0) | (b.has_slices ? IMAGE_SLICES : 0) |
                        (b.has_containers ? IMAGE_CONTAINERS : 0) | (nulls ? IMAGE_TAIL_NULLS : 0));
    size_t tail_bytes = image_tail_bytes(&h), bytes = sizeof(h) + b.bytes + tail_bytes;
    int rc = buffer_reserve(out, bytes);
    if (rc)
        return rc;
    uint8_t *at = out->data + out->len;
    memcpy(at, &h, sizeof(h));
    if (s)
        write_sealed(s, &b, at + sizeof(h));
    if (tail)
        write_tail(t, tail, nulls, at + sizeof(h) + b.bytes);
    out->len += bytes;
    return 0;
}
