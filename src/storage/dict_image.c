/*
 * Piece of a dictionary: header, then for integers the values; for bytes and lists the lengths in 1, 2 or 4 bytes
 * each, then the bytes, or the items in 1, 2 or 4 bytes each.
 */
#include "storage/dict_image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/buffer.h"

enum { DICT_IMAGE_VERSION = 1 };

/* On disk, little endian. */
struct disk_head {
    uint8_t version, kind;
    uint8_t len_width, item_width; /* 1, 2, 4; 0 where there are none */
    uint32_t first, n;
    uint32_t values; /* bytes after the lengths */
};

_Static_assert(sizeof(struct disk_head) == 16, "head of a piece");

static uint8_t width_of(uint32_t max)
{
    return max <= UINT8_MAX ? 1 : max <= UINT16_MAX ? 2 : 4;
}

/* ---- encoding ---- */

/* What a piece will hold. */
struct plan {
    uint32_t end, max_len, max_item;
    uint64_t values; /* bytes or items */
};

static void plan_entry(const struct dict *d, enum dict_kind kind, uint32_t code, struct plan *p)
{
    const uint32_t *items;
    uint32_t n = sizeof(int64_t);

    if (kind == DICT_BYTES)
        dict_bytes(d, code, &n);
    if (kind == DICT_LIST) {
        items = dict_list(d, code, &n);
        for (uint32_t i = 0; i < n; i++)
            p->max_item = items[i] > p->max_item ? items[i] : p->max_item;
    }
    p->max_len = n > p->max_len ? n : p->max_len;
    p->values += n;
}

static uint64_t value_bytes(const struct plan *p, enum dict_kind kind)
{
    return kind == DICT_LIST ? p->values * width_of(p->max_item) : p->values;
}

/* Reserved for by the caller. */
static void put(struct buffer *out, const void *bytes, size_t n)
{
    if (n)
        memcpy(out->data + out->len, bytes, n);
    out->len += n;
}

static void put_entry(const struct dict *d, enum dict_kind kind, uint32_t code, uint8_t width,
                      struct buffer *out)
{
    uint32_t n;

    if (kind == DICT_INT) {
        int64_t v = dict_int(d, code);

        put(out, &v, sizeof(v));
    } else if (kind == DICT_BYTES) {
        const char *bytes = dict_bytes(d, code, &n);

        put(out, bytes, n);
    } else {
        const uint32_t *items = dict_list(d, code, &n);

        for (uint32_t i = 0; i < n; i++)
            put(out, &items[i], width);
    }
}

int dict_image_encode(const struct dict *d, enum dict_kind kind, uint32_t from, uint32_t to,
                      size_t max_bytes, struct buffer *out, uint32_t *end)
{
    struct plan p = {.end = from};
    struct disk_head h = {.version = DICT_IMAGE_VERSION, .kind = (uint8_t)kind, .first = from};
    uint32_t n;

    ASSERT(from < to && to <= dict_count(d));
    for (; p.end < to; p.end++) {
        struct plan next = p;

        plan_entry(d, kind, p.end, &next);
        if (p.end > from &&
            value_bytes(&next, kind) + (uint64_t)(p.end - from + 1) * width_of(next.max_len) >
                max_bytes)
            break;
        next.end = p.end;
        p = next;
    }
    if (value_bytes(&p, kind) > UINT32_MAX)
        return -ENOBUFS;
    h.n = p.end - from;
    h.values = (uint32_t)value_bytes(&p, kind);
    h.len_width = kind == DICT_INT ? 0 : width_of(p.max_len);
    h.item_width = kind == DICT_LIST ? width_of(p.max_item) : 0;
    int rc = buffer_reserve(out, sizeof(h) + (size_t)h.n * h.len_width + h.values);
    if (rc)
        return rc;
    put(out, &h, sizeof(h));
    for (uint32_t code = from; code < p.end && h.len_width; code++) {
        if (kind == DICT_BYTES)
            dict_bytes(d, code, &n);
        else
            dict_list(d, code, &n);
        put(out, &n, h.len_width);
    }
    for (uint32_t code = from; code < p.end; code++)
        put_entry(d, kind, code, h.item_width, out);
    *end = p.end;
    return 0;
}

/* ---- decoding ---- */

/* A piece whose head was checked. Lives during one decode. */
struct piece {
    struct disk_head head;
    const uint8_t *lens, *values;
    uint64_t used; /* of the values' bytes */
    uint32_t n_items;
    struct dict *dict;
    struct error_info *err;
};

#define BAD(err, fmt, ...) error_set(err, -EBADMSG, 0, "dictionary: " fmt, __VA_ARGS__)

static uint32_t read_number(const uint8_t *at, uint8_t width)
{
    uint32_t n = 0;

    switch (width) { /* a constant length each */
    case 1:
        memcpy(&n, at, 1);
        break;
    case 2:
        memcpy(&n, at, 2);
        break;
    default:
        memcpy(&n, at, 4);
        break;
    }
    return n;
}

static bool is_width(uint8_t width)
{
    return width == 1 || width == 2 || width == 4;
}

static int check_head(const struct disk_head *h, enum dict_kind kind, size_t len,
                      const struct dict *d, struct error_info *err)
{
    uint64_t bytes = sizeof(*h) + (uint64_t)h->n * h->len_width + h->values;

    if (h->version != DICT_IMAGE_VERSION)
        return BAD(err, "a piece of version %d; this program reads version %d", h->version,
                   DICT_IMAGE_VERSION);
    if (h->kind != kind)
        return BAD(err, "a piece of kind %d; expected was %d", h->kind, kind);
    if (kind == DICT_INT ? h->len_width != 0 : !is_width(h->len_width))
        return BAD(err, "lengths of %d bytes; allowed are 1, 2, 4, for integers 0", h->len_width);
    if (kind == DICT_LIST ? !is_width(h->item_width) : h->item_width != 0)
        return BAD(err, "items of %d bytes; allowed are 1, 2, 4, without lists 0", h->item_width);
    if (h->first != dict_count(d))
        return BAD(err, "a piece begins with code %" PRIu32 "; expected was %" PRIu32, h->first,
                   dict_count(d));
    if (h->n == 0 || h->n >= UINT32_MAX - h->first)
        return BAD(err, "a piece has %" PRIu32 " entries from code %" PRIu32 " on", h->n, h->first);
    if (len != bytes || (kind == DICT_INT && h->values != (uint64_t)h->n * sizeof(int64_t)))
        return BAD(err,
                   "a piece of %zu bytes; %" PRIu32 " entries with %" PRIu32
                   " bytes of values have %" PRIu64,
                   len, h->n, h->values, bytes);
    return 0;
}

/* What the dictionary said about the next entry. */
static int taken(const struct piece *p, int rc, uint32_t entry)
{
    if (rc == -ENOMEM)
        return error_set(p->err, rc, 1037, "dictionary: out of memory");
    return rc ? BAD(p->err, "entry %" PRIu32 " cannot be added: %s", entry, strerror(-rc)) : 0;
}

static int add_ints(struct piece *p)
{
    int rc = 0;

    for (uint32_t i = 0; i < p->head.n && !rc; i++) {
        int64_t v;

        memcpy(&v, p->values + (size_t)i * sizeof(v), sizeof(v));
        rc = taken(p, dict_append_int(p->dict, v), p->head.first + i);
    }
    return rc;
}

/* Length of entry i and where its `width` bytes per unit begin. */
static int next_value(struct piece *p, uint32_t i, uint8_t width, const uint8_t **at, uint32_t *n)
{
    *n = read_number(p->lens + (size_t)i * p->head.len_width, p->head.len_width);
    *at = p->values + p->used;
    if ((uint64_t)*n * width > p->head.values - p->used)
        return BAD(p->err, "entry %" PRIu32 " has length %" PRIu32 "; %" PRIu64 " bytes are left",
                   p->head.first + i, *n, p->head.values - p->used);
    p->used += (uint64_t)*n * width;
    return 0;
}

static int add_bytes(struct piece *p)
{
    int rc = 0;

    for (uint32_t i = 0; i < p->head.n && !rc; i++) {
        const uint8_t *at;
        uint32_t len;

        rc = next_value(p, i, 1, &at, &len);
        if (!rc)
            rc = taken(p, dict_append_bytes(p->dict, at, len), p->head.first + i);
    }
    return rc;
}

/* items: room for every item of the piece. */
static int add_list(struct piece *p, uint32_t i, uint32_t *items)
{
    const uint8_t *at;
    uint32_t n;
    int rc = next_value(p, i, p->head.item_width, &at, &n);

    if (rc)
        return rc;
    for (uint32_t k = 0; k < n; k++) {
        items[k] = read_number(at + (size_t)k * p->head.item_width, p->head.item_width);
        if (items[k] >= p->n_items)
            return BAD(p->err,
                       "list %" PRIu32 " names value %" PRIu32 "; the dictionary has %" PRIu32,
                       p->head.first + i, items[k], p->n_items);
    }
    return taken(p, dict_append_list(p->dict, items, n), p->head.first + i);
}

static int add_lists(struct piece *p)
{
    uint32_t *items = malloc((p->head.values / p->head.item_width + 1) * sizeof(*items));
    int rc = items ? 0 : taken(p, -ENOMEM, 0);

    for (uint32_t i = 0; i < p->head.n && !rc; i++)
        rc = add_list(p, i, items);
    free(items);
    return rc;
}

int dict_image_decode(const uint8_t *bytes, size_t len, enum dict_kind kind, uint32_t n_items,
                      struct dict *d, struct error_info *err)
{
    struct piece p = {.n_items = n_items, .dict = d, .err = err};

    if (len < sizeof(p.head))
        return BAD(err, "a piece of %zu bytes; its head has %zu", len, sizeof(p.head));
    memcpy(&p.head, bytes, sizeof(p.head));
    int rc = check_head(&p.head, kind, len, d, err);
    if (rc)
        return rc;
    p.lens = bytes + sizeof(p.head);
    p.values = p.lens + (size_t)p.head.n * p.head.len_width;
    if (kind == DICT_INT)
        return add_ints(&p);
    rc = kind == DICT_BYTES ? add_bytes(&p) : add_lists(&p);
    if (!rc && p.used != p.head.values)
        rc = BAD(err, "%" PRIu64 " bytes after the last value", p.head.values - p.used);
    return rc;
}

int dict_image_end(struct dict *d, uint32_t *entry, struct error_info *err)
{
    uint32_t other;
    int rc = dict_index(d, &other, entry);

    if (rc == -EEXIST)
        return BAD(err, "entry %" PRIu32 " has the same value as entry %" PRIu32, *entry, other);
    return rc ? error_set(err, rc, 1037, "dictionary: out of memory") : 0;
}

int dict_image_kind(const uint8_t *bytes, size_t len)
{
    struct disk_head h;

    if (len < sizeof(h))
        return -1;
    memcpy(&h, bytes, sizeof(h));
    return h.kind <= DICT_LIST ? h.kind : -1;
}
