/*
 * Column block from bytes. The sealed part is one copy; what is checked afterwards is that no function of a column
 * block can leave its memory or answer a code that the dictionary does not have, whatever the bytes are: places of
 * everything, rows of containers, and by one pass over the slices that all values lie within the bounds.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "storage/block_heap.h"
#include "storage/colblock_change.h"
#include "storage/colblock_impl.h"
#include "storage/column_image.h"
#include "storage/column_image_format.h"
#include "storage/presence.h"
#include "storage/slot_memory.h"

enum { SPARE_BYTES = 1024 /* for containers that grow, as in a part just built */ };

/* One decode. */
struct reading {
    struct image_head head;
    struct image_body body;
    const uint8_t *bytes;
    size_t len;
    struct error_info *err;
};

#define BAD(r, fmt, ...) error_set((r)->err, -EBADMSG, 0, "column image: " fmt, __VA_ARGS__)

static int no_memory(struct reading *r)
{
    return error_set(r->err, -ENOMEM, 1037, "column image: out of memory");
}

/* ---- head ---- */

static int check_bounds(struct reading *r, uint32_t n_codes)
{
    const struct image_head *h = &r->head;

    if (!(h->flags & IMAGE_ANY)) {
        if (h->min || h->max || h->flags & IMAGE_TIGHT)
            return BAD(r, "bounds %" PRId64 " to %" PRId64 " of no values", h->min, h->max);
        return 0;
    }
    if (h->min > h->max)
        return BAD(r, "bounds %" PRId64 " to %" PRId64, h->min, h->max);
    if (h->layout != LAYOUT_ORDERED && (h->min < 0 || h->max >= n_codes))
        return BAD(r, "codes from %" PRId64 " to %" PRId64 "; the dictionary has %" PRIu32, h->min,
                   h->max, n_codes);
    return 0;
}

/* Which of slices and containers a layout may have: see sealed_build. */
static bool fits_layout(const struct image_head *h)
{
    bool slices = h->flags & IMAGE_SLICES, containers = h->flags & IMAGE_CONTAINERS;

    switch (h->layout) {
    case LAYOUT_ENUM:
        return slices || containers;
    case LAYOUT_LIST:
        return slices;
    default:
        return slices && !containers;
    }
}

static int check_sealed_head(struct reading *r)
{
    const struct image_head *h = &r->head;
    bool nulls = h->flags & IMAGE_SEALED_NULLS;

    if (h->sealed_rows == 0) {
        if (h->present || h->body || h->containers || h->base || h->width ||
            h->flags & (IMAGE_SEALED_NULLS | IMAGE_SLICES | IMAGE_CONTAINERS))
            return BAD(r, "no sealed rows, but %" PRIu32 " bytes for them, flags %02x", h->body,
                       h->flags);
        return 0;
    }
    if ((h->sealed_rows % LINE_ROWS && h->sealed_rows != h->rows) || h->sealed_rows > h->rows)
        return BAD(r, "%" PRIu32 " sealed rows of %" PRIu32 "; allowed are all or multiples of %d",
                   h->sealed_rows, h->rows, LINE_ROWS);
    if (nulls ? h->present >= h->sealed_rows : h->present != h->sealed_rows)
        return BAD(r, "%" PRIu32 " of %" PRIu32 " sealed rows have a value, with %s presence mask",
                   h->present, h->sealed_rows, nulls ? "a" : "no");
    if (h->present && !(h->flags & IMAGE_ANY))
        return BAD(r, "%" PRIu32 " rows have a value, but there are no bounds", h->present);
    if (!fits_layout(h))
        return BAD(r, "flags %02x do not go with layout %d", h->flags, h->layout);
    if (h->width > SLICES_MAX || (!(h->flags & IMAGE_SLICES) && (h->width || h->base)))
        return BAD(r, "%d slices over base %" PRId64 "; allowed are up to %d", h->width, h->base,
                   h->flags & IMAGE_SLICES ? SLICES_MAX : 0);
    if (!(h->flags & IMAGE_CONTAINERS) && h->containers)
        return BAD(r, "%" PRIu32 " containers; allowed are 0", h->containers);
    return 0;
}

static int check_tail_head(struct reading *r)
{
    const struct image_head *h = &r->head;
    uint32_t n = h->rows - h->sealed_rows;

    if (n == 0
            ? h->tail_width != 0
            : h->tail_width != 1 && h->tail_width != 2 && h->tail_width != 4 && h->tail_width != 8)
        return BAD(r, "a tail of %" PRIu32 " rows with codes of %d bytes", n, h->tail_width);
    if ((n == 0 || h->tail_width == 8) && h->tail_base)
        return BAD(r, "a tail of width %d has base %" PRId64 "; allowed is 0", h->tail_width,
                   h->tail_base);
    if (n == 0 && h->flags & IMAGE_TAIL_NULLS)
        return BAD(r, "flags %02x without a tail", h->flags);
    return 0;
}

/* Places in the body, and that all lengths fit the bytes. */
static int place(struct reading *r)
{
    const struct image_head *h = &r->head;
    struct image_body *b = &r->body;
    uint64_t bytes = sizeof(*h) + (uint64_t)h->body + image_tail_bytes(h);

    if (r->len != bytes)
        return BAD(r, "%zu bytes; its head gives %" PRIu64, r->len, bytes);
    if (h->sealed_rows == 0)
        return 0;
    *b = (struct image_body){.rows = h->sealed_rows,
                             .words = sealed_words_of(h->sealed_rows),
                             .width = h->width,
                             .n_containers = h->containers,
                             .nulls = h->flags & IMAGE_SEALED_NULLS,
                             .has_slices = h->flags & IMAGE_SLICES,
                             .has_containers = h->flags & IMAGE_CONTAINERS};
    /* Before the products below could pass 32 bits. */
    if (h->containers > h->body / sizeof(struct container) || h->body > INT32_MAX)
        return BAD(r, "%" PRIu32 " containers do not fit into %" PRIu32 " bytes", h->containers,
                   h->body);
    image_body_place(b, 0);
    if (b->bytes > h->body || (!b->has_containers && b->bytes != h->body))
        return BAD(r, "the sealed part has %" PRIu32 " bytes; its head gives %" PRIu32, h->body,
                   b->bytes);
    b->bytes = h->body;
    return 0;
}

static int read_head(struct reading *r, enum column_layout layout, uint32_t rows, uint32_t n_codes)
{
    struct image_head *h = &r->head;
    static const uint8_t zeros[sizeof(h->reserved)];
    int rc;

    if (r->len < sizeof(*h))
        return BAD(r, "%zu bytes; its head has %zu", r->len, sizeof(*h));
    memcpy(h, r->bytes, sizeof(*h));
    if (h->version != COLUMN_IMAGE_VERSION)
        return BAD(r, "version %d; this program reads version %d", h->version,
                   COLUMN_IMAGE_VERSION);
    if (h->layout != layout)
        return BAD(r, "layout %d; expected was %d", h->layout, layout);
    if (h->rows != rows || rows > BLOCK_ROWS)
        return BAD(r, "%" PRIu32 " rows; expected were %" PRIu32, h->rows, rows);
    if (h->flags & ~IMAGE_FLAGS || memcmp(h->reserved, zeros, sizeof(zeros)))
        return BAD(r, "flags %02x; allowed are up to %02x, and 0 in reserved fields", h->flags,
                   IMAGE_FLAGS);
    rc = check_bounds(r, n_codes);
    if (!rc)
        rc = check_sealed_head(r);
    if (!rc)
        rc = check_tail_head(r);
    return rc ? rc : place(r);
}

/* ---- sealed part ---- */

static int check_array(struct reading *r, const struct container *c, const uint16_t *rows)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (rows[i] >= r->body.rows || (i && rows[i] <= rows[i - 1]))
            return BAD(r,
                       "code %" PRIu32 ": row %d after row %d; allowed are ascending ones below "
                       "%" PRIu32,
                       c->code, rows[i], i ? rows[i - 1] : -1, r->body.rows);
    }
    return 0;
}

/* Does a mask have a row beyond those of the block? */
static bool goes_beyond(const struct image_body *b, const uint64_t *mask)
{
    uint32_t word = b->rows / 64;

    if (b->rows % 64 && mask[word++] >> b->rows % 64)
        return true;
    return !presence_is_empty(mask + word, b->words - word);
}

/* Place and rows of a container; *at is where it must begin and, afterwards, where the next one must. */
static int check_container(struct reading *r, const struct container *c, const uint8_t *body,
                           uint32_t *at)
{
    uint32_t words = r->body.words, left = r->body.bytes - *at;
    uint64_t bytes = c->cap ? (uint64_t)c->cap * sizeof(uint16_t) : words * sizeof(uint64_t);

    if (c->offset != *at || bytes > left)
        return BAD(r,
                   "code %" PRIu32 ": %" PRIu64 " bytes at %" PRIu32 "; allowed are up to %" PRIu32
                   " at %" PRIu32,
                   c->code, bytes, c->offset, left, *at);
    *at += (uint32_t)bytes;
    if (c->count == 0 || c->count > (c->cap ? c->cap : r->body.rows) || c->cap % 4)
        return BAD(r, "code %" PRIu32 ": %" PRIu32 " rows in room for %" PRIu32, c->code, c->count,
                   c->cap ? c->cap : r->body.rows);
    if (c->cap)
        return check_array(r, c, (const uint16_t *)(const void *)(body + c->offset));
    const uint64_t *bits = (const uint64_t *)(const void *)(body + c->offset);
    uint32_t n = presence_count(bits, words);
    if (n != c->count || goes_beyond(&r->body, bits))
        return BAD(r, "code %" PRIu32 ": %" PRIu32 " rows of %" PRIu32 "; its bitset has %" PRIu32,
                   c->code, c->count, r->body.rows, n);
    return 0;
}

static int check_codes(struct reading *r, const struct sealed *s)
{
    const struct image_head *h = &r->head;

    for (uint32_t i = 0; i < s->n_containers; i++) {
        uint32_t code = s->directory[i].code;

        if (i && code <= s->directory[i - 1].code)
            return BAD(r, "code %" PRIu32 " after code %" PRIu32, code, s->directory[i - 1].code);
        /* The codes of lists are bounded by another dictionary; nobody indexes by them unasked. */
        if (h->layout == LAYOUT_ENUM && (code < h->min || code > h->max))
            return BAD(r, "code %" PRIu32 "; the bounds are %" PRId64 " to %" PRId64, code, h->min,
                       h->max);
    }
    return 0;
}

/* Enumerated: every row with a value has one code. Lists: a row with codes has a value. */
static int check_cover(struct reading *r, const struct sealed *s, uint64_t total)
{
    uint64_t acc[BLOCK_WORDS] = {0};
    uint32_t rows, outside = 0;

    for (uint32_t i = 0; i < s->n_containers; i++)
        container_or(&s->directory[i], sealed_arena(s), s->words, acc);
    rows = presence_count(acc, s->words);
    for (uint32_t k = 0; s->presence && k < s->words; k++)
        outside += (uint32_t)__builtin_popcountll(acc[k] & ~s->presence[k]);
    if (outside)
        return BAD(r, "%" PRIu32 " rows with a code have no value", outside);
    if (s->layout == LAYOUT_ENUM && (rows != s->present || total != rows))
        return BAD(r, "%" PRIu64 " codes in %" PRIu32 " rows, %" PRIu32 " rows have a value", total,
                   rows, s->present);
    return 0;
}

static int check_containers(struct reading *r, struct sealed *s, uint8_t *body)
{
    uint32_t at = r->body.heap_at;
    uint64_t total = 0;
    int rc = check_codes(r, s);

    for (int arrays = 0; arrays < 2; arrays++) {
        for (uint32_t i = 0; i < s->n_containers && !rc; i++) {
            if (!arrays == !s->directory[i].cap) {
                rc = check_container(r, &s->directory[i], body, &at);
                total += s->directory[i].count;
            }
        }
    }
    if (rc)
        return rc;
    if (at != r->body.bytes)
        return BAD(r, "%" PRIu32 " bytes after the last container", r->body.bytes - at);
    /* From the body's begin to the arena's. */
    for (uint32_t i = 0; i < s->n_containers; i++)
        s->directory[i].offset += (uint32_t)(body - (uint8_t *)s);
    return check_cover(r, s, total);
}

static void count_slices(struct sealed *s)
{
    for (uint32_t i = 0; i < s->slices.width; i++)
        s->slice_counts[i] =
            presence_count(s->slices.words + (size_t)i * s->slices.stride, s->words);
}

/* Is some row of sel outside of [lo, hi]? sel is used up. */
static bool has_outside(const struct slices *x, uint64_t lo, uint64_t hi, uint64_t *sel,
                        uint32_t words)
{
    uint64_t mask = x->width == 64 ? ~0ull : (1ull << x->width) - 1;

    if (lo == 0 && hi >= mask)
        return false;
    if (lo > mask)
        return !presence_is_empty(sel, words);
    kernel_table()->filter_range(x, lo, hi < mask ? hi : mask, true, sel);
    return !presence_is_empty(sel, words);
}

static int check_values(struct reading *r, const struct sealed *s)
{
    const struct image_head *h = &r->head;
    const struct slices *x = &s->slices;
    uint64_t lo = h->min <= x->base ? 0 : (uint64_t)h->min - (uint64_t)x->base;
    uint64_t sel[BLOCK_WORDS];

    memset(sel, 0, s->words * sizeof(*sel));
    presence_fill(sel, 0, s->rows);
    presence_and(sel, s->presence, s->words);
    if (s->present && (h->max < x->base ||
                       has_outside(x, lo, (uint64_t)h->max - (uint64_t)x->base, sel, s->words)))
        return BAD(r, "values outside of the bounds %" PRId64 " to %" PRId64, h->min, h->max);
    memset(sel, 0, s->words * sizeof(*sel));
    if (!s->presence)
        presence_fill(sel, 0, s->rows);
    for (uint32_t k = 0; k < s->words; k++)
        sel[k] = ~(s->presence ? s->presence[k] : sel[k]);
    if (has_outside(x, 0, 0, sel, s->words))
        return BAD(r, "rows without a value have bits in the %" PRIu32 " slices", x->width);
    return 0;
}

static int check_sealed(struct reading *r, struct sealed *s, uint8_t *body)
{
    int rc = 0;

    if (s->presence &&
        (presence_count(s->presence, s->words) != s->present || goes_beyond(&r->body, s->presence)))
        return BAD(r,
                   "%" PRIu32 " rows of %" PRIu32 " have a value; the presence mask has %" PRIu32,
                   s->present, s->rows, presence_count(s->presence, s->words));
    if (s->has_containers)
        rc = check_containers(r, s, body);
    if (!rc && s->has_slices) {
        count_slices(s);
        rc = check_values(r, s);
    }
    return rc;
}

static int read_sealed(struct reading *r, const struct dict *lists, struct budget *budget,
                       struct sealed **out)
{
    const struct image_head *h = &r->head;
    const struct image_body *b = &r->body;
    size_t begin = (sizeof(struct sealed) + 63) & ~(size_t)63;
    size_t bytes = begin + b->bytes + (b->has_containers ? SPARE_BYTES : 0);
    struct sealed *s = block_heap_new(budget, bytes);
    uint8_t *body;

    *out = s;
    if (!s)
        return no_memory(r);
    body = (uint8_t *)s + begin;
    memcpy(body, r->bytes + sizeof(*h), b->bytes);
    *s = (struct sealed){.budget = budget,
                         .bytes = bytes,
                         .layout = h->layout,
                         .lists = lists,
                         .rows = b->rows,
                         .words = b->words,
                         .present = h->present,
                         .has_slices = b->has_slices,
                         .has_containers = b->has_containers,
                         .directory = (struct container *)(void *)(body + b->directory_at),
                         .n_containers = h->containers,
                         .heap_at = (uint32_t)(begin + b->bytes),
                         .heap_end = (uint32_t)bytes};
    if (b->has_containers)
        s->cap_containers = b->n_containers + IMAGE_SPARE_CONTAINERS;
    if (b->nulls)
        s->presence = (uint64_t *)(void *)(body + b->presence_at);
    if (b->has_slices)
        s->slices = (struct slices){.words = (uint64_t *)(void *)(body + b->slices_at),
                                    .stride = (uint32_t)image_stride(b),
                                    .lines = b->words / LINE_WORDS,
                                    .width = b->width,
                                    .base = h->base};
    return check_sealed(r, s, body);
}

/* ---- tail ---- */

static int check_tail(struct reading *r, const struct tail *t)
{
    int64_t values[LINE_ROWS];

    if (t->present && !(r->head.flags & IMAGE_ANY))
        return BAD(r, "%" PRIu32 " rows of the tail have a value, but there are no bounds",
                   t->present);
    for (uint32_t from = 0; from < t->rows; from += LINE_ROWS) {
        uint32_t n = t->rows - from < LINE_ROWS ? t->rows - from : LINE_ROWS;

        tail_read(t, from, n, values);
        for (uint32_t i = 0; i < n; i++) {
            if ((values[i] < r->head.min || values[i] > r->head.max) &&
                tail_is_present(t, from + i))
                return BAD(r,
                           "row %" PRIu32 " has the value %" PRId64 "; the bounds are %" PRId64
                           " to %" PRId64,
                           r->head.sealed_rows + from + i, values[i], r->head.min, r->head.max);
        }
    }
    return 0;
}

static int read_tail(struct reading *r, struct budget *budget, struct tail *t)
{
    const struct image_head *h = &r->head;
    const uint8_t *at = r->bytes + sizeof(*h) + h->body;
    uint32_t n = h->rows - h->sealed_rows, words = presence_words(n);

    if (n == 0)
        return 0;
    *t = (struct tail){
        .rows = n, .cap = words * 64, .present = n, .width = h->tail_width, .base = h->tail_base};
    t->data = slot_memory_new(budget, (size_t)t->cap * t->width);
    if (!t->data)
        return no_memory(r);
    if (h->flags & IMAGE_TAIL_NULLS) {
        t->presence = slot_memory_new(budget, words * sizeof(*t->presence));
        if (!t->presence)
            return no_memory(r);
        memcpy(t->presence, at, words * sizeof(*t->presence));
        at += words * sizeof(*t->presence);
        if (n % 64 && t->presence[words - 1] >> n % 64)
            return BAD(r, "the presence mask of the tail goes beyond its %" PRIu32 " rows", n);
        t->present = presence_count(t->presence, words);
    }
    memcpy(t->data, at, (size_t)n * t->width);
    return check_tail(r, t);
}

int column_image_decode(const uint8_t *bytes, size_t len, enum column_layout layout, uint32_t rows,
                        uint32_t n_codes, const struct dict *lists, struct budget *budget,
                        struct colblock **out, struct error_info *err)
{
    struct reading r = {.bytes = bytes, .len = len, .err = err};
    struct colblock *c;
    int rc = read_head(&r, layout, rows, n_codes);

    if (rc)
        return rc;
    c = colblock_new(layout, lists, budget);
    if (!c)
        return no_memory(&r);
    c->any = r.head.flags & IMAGE_ANY;
    c->tight = r.head.flags & IMAGE_TIGHT;
    c->min = r.head.min;
    c->max = r.head.max;
    if (r.head.sealed_rows)
        rc = read_sealed(&r, lists, budget, &c->sealed);
    colblock_note_sealed(c);
    if (!rc)
        rc = read_tail(&r, budget, &c->tail);
    if (rc) {
        colblock_free(c);
        return rc;
    }
    *out = c;
    return 0;
}
