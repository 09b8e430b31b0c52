#include "storage/batch_gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/batch_format.h"

enum {
    SHORT_BYTES = 16, /* texts up to this are moved by one copy of that size */
    KEEP_VALUES = 4,  /* rows per value from which all values stay, */
    KEEP_BYTES = 16,  /* up to so many bytes of values per row: each slot gets a copy */
    NO_VALUE = 0xffffffff
};

/* Owner: one call. */
struct gather {
    const uint32_t *rows;
    uint32_t n;
    uint64_t *presence; /* of the rows in their new order, of the column at hand */
    uint32_t *map;      /* of its values: the new code, or NO_VALUE */
};

/* What becomes of a column. */
struct gathered {
    bool nulls, fewer; /* fewer: only the values that are used */
    uint32_t values;   /* with codes */
    uint64_t bytes;    /* of texts */
    uint64_t length;
};

static bool gather_presence(const struct gather *g, const struct batch_column *c)
{
    uint32_t some = 0;

    if (!c->presence)
        return false;
    memset(g->presence, 0, batch_presence_bytes(g->n));
    for (uint32_t i = 0; i < g->n; i++) {
        uint64_t bit = c->presence[g->rows[i] >> 6] >> (g->rows[i] & 63) & 1;

        g->presence[i >> 6] |= bit << (i & 63);
        some += (uint32_t)bit;
    }
    return some < g->n;
}

static uint32_t code_of(const struct batch_column *c, uint32_t row)
{
    return c->width == 1   ? c->codes[row]
           : c->width == 2 ? ((const uint16_t *)(const void *)c->codes)[row]
                           : ((const uint32_t *)(const void *)c->codes)[row];
}

/* New codes in the order of their first rows. */
static void number_values(const struct gather *g, const struct batch_column *c, struct gathered *x)
{
    memset(g->map, 0xff, c->n_values * sizeof *g->map);
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t code = code_of(c, g->rows[i]);

        if (g->map[code] != NO_VALUE)
            continue;
        g->map[code] = x->values++;
        x->bytes += c->offsets[code + 1] - c->offsets[code];
    }
}

static void plan_values(const struct gather *g, const struct batch_column *c, struct gathered *x)
{
    x->fewer =
        c->n_values > g->n / KEEP_VALUES || c->offsets[c->n_values] > (uint64_t)g->n * KEEP_BYTES;
    if (x->fewer) {
        number_values(g, c, x);
    } else {
        x->values = c->n_values;
        x->bytes = c->offsets[c->n_values];
    }
    x->length += sizeof(struct batch_values_head) + 4 * ((uint64_t)x->values + 1) +
                 (uint64_t)g->n * c->width + x->bytes;
}

static void plan_texts(const struct gather *g, const struct batch_column *c, struct gathered *x)
{
    for (uint32_t i = 0; i < g->n; i++)
        x->bytes += c->offsets[g->rows[i] + 1] - c->offsets[g->rows[i]];
    x->length += 4 * ((uint64_t)g->n + 1) + x->bytes;
}

static void plan_lists(const struct gather *g, const struct batch_column *c, struct gathered *x)
{
    uint64_t items = 0;

    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t from = c->starts[g->rows[i]], to = c->starts[g->rows[i] + 1];

        items += to - from;
        x->bytes += c->offsets[to] - c->offsets[from];
    }
    x->length += 4 * ((uint64_t)g->n + 1) + 4 * (items + 1) + x->bytes;
}

static void plan_column(const struct gather *g, const struct batch_column *c, struct gathered *x)
{
    *x = (struct gathered){.nulls = gather_presence(g, c)};
    x->length = x->nulls ? batch_presence_bytes(g->n) : 0;
    switch ((enum batch_kind)c->kind) {
    case BATCH_I64:
        x->length += 8 + (uint64_t)g->n * c->width;
        break;
    case BATCH_I128:
        x->length += (uint64_t)g->n * 16;
        break;
    case BATCH_F64:
        x->length += (uint64_t)g->n * 8;
        break;
    case BATCH_BYTES:
        if (c->codes)
            plan_values(g, c, x);
        else
            plan_texts(g, c, x);
        break;
    case BATCH_LIST:
        plan_lists(g, c, x);
        break;
    }
}

#define PICK(type)                           \
    do {                                     \
        const type *in = (const void *)from; \
        type *to = (void *)out;              \
        for (uint32_t i = 0; i < g->n; i++)  \
            to[i] = in[g->rows[i]];          \
    } while (0)

static uint8_t *pick(const struct gather *g, const uint8_t *from, unsigned width, uint8_t *out)
{
    switch (width) {
    case 1:
        PICK(uint8_t);
        break;
    case 2:
        PICK(uint16_t);
        break;
    case 4:
        PICK(uint32_t);
        break;
    case 8:
        PICK(uint64_t);
        break;
    default:
        for (uint32_t i = 0; i < g->n; i++)
            memcpy(out + (size_t)i * width, from + (size_t)g->rows[i] * width, width);
    }
    return out + (size_t)g->n * width;
}

/* Both sides have SHORT_BYTES behind what is copied. */
static inline void copy_text(uint8_t *to, const uint8_t *from, uint32_t len)
{
    if (len <= SHORT_BYTES)
        memcpy(to, from, SHORT_BYTES);
    else
        memcpy(to, from, len);
}

/* `last`: where the bytes of the source end. */
static void write_text(uint8_t *to, const uint8_t *from, uint32_t len, const uint8_t *last)
{
    if (last - from >= SHORT_BYTES)
        copy_text(to, from, len);
    else if (len)
        memcpy(to, from, len);
}

static void write_texts(const struct gather *g, const struct batch_column *c, uint8_t *out)
{
    uint32_t *ends = (uint32_t *)(void *)out, at = 0;
    uint8_t *to = out + 4 * ((size_t)g->n + 1);
    const uint8_t *last = c->data + c->offsets[c->rows];

    *ends = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t from = c->offsets[g->rows[i]], len = c->offsets[g->rows[i] + 1] - from;

        write_text(to + at, c->data + from, len, last);
        at += len;
        ends[i + 1] = at;
    }
}

static void write_lists(const struct gather *g, const struct batch_column *c, uint8_t *out)
{
    uint32_t *starts = (uint32_t *)(void *)out, *ends = starts + g->n + 1, items = 0, at = 0;

    *starts = *ends = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        for (uint32_t k = c->starts[g->rows[i]]; k < c->starts[g->rows[i] + 1]; k++) {
            at += c->offsets[k + 1] - c->offsets[k];
            ends[++items] = at;
        }
        starts[i + 1] = items;
    }
    out = (uint8_t *)(ends + items + 1);
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t from = c->offsets[c->starts[g->rows[i]]],
                 len = c->offsets[c->starts[g->rows[i] + 1]] - from;

        if (len)
            memcpy(out, c->data + from, len);
        out += len;
    }
}

static void write_new_codes(const struct gather *g, const struct batch_column *c, bool nulls,
                            uint8_t *out)
{
    for (uint32_t i = 0; i < g->n; i++) {
        bool there = !nulls || (g->presence[i >> 6] >> (i & 63) & 1);
        uint32_t code = there ? g->map[code_of(c, g->rows[i])] : 0;

        memcpy(out + (size_t)i * c->width, &code, c->width); /* little endian */
    }
}

/* The values that are used, under their new codes. */
static void write_fewer(const struct gather *g, const struct batch_column *c,
                        const struct gathered *x, uint8_t *out)
{
    uint32_t *ends = (uint32_t *)(void *)out;
    uint8_t *codes = out + 4 * ((size_t)x->values + 1), *to = codes + (size_t)g->n * c->width;

    memset(ends, 0, 4 * ((size_t)x->values + 1));
    for (uint32_t code = 0; code < c->n_values; code++)
        if (g->map[code] != NO_VALUE)
            ends[g->map[code] + 1] = c->offsets[code + 1] - c->offsets[code];
    for (uint32_t i = 0; i < x->values; i++)
        ends[i + 1] += ends[i];
    for (uint32_t code = 0; code < c->n_values; code++)
        if (g->map[code] != NO_VALUE)
            memcpy(to + ends[g->map[code]], c->data + c->offsets[code],
                   c->offsets[code + 1] - c->offsets[code]);
    write_new_codes(g, c, x->nulls, codes);
}

static void write_values(const struct gather *g, const struct batch_column *c, struct gathered *x,
                         uint8_t *out)
{
    struct batch_values_head head = {.values = x->values};

    memcpy(out, &head, sizeof head);
    out += sizeof head;
    if (x->fewer) {
        number_values(g, c, &(struct gathered){0}); /* again: the map serves all columns */
        write_fewer(g, c, x, out);
        return;
    }
    memcpy(out, c->offsets, 4 * ((size_t)x->values + 1));
    out = pick(g, c->codes, c->width, out + 4 * ((size_t)x->values + 1));
    if (x->bytes)
        memcpy(out, c->data, x->bytes);
}

static void write_column(const struct gather *g, const struct batch_column *c, struct gathered *x,
                         uint8_t *out)
{
    if (x->nulls) {
        (void)gather_presence(g, c);
        memcpy(out, g->presence, batch_presence_bytes(g->n));
        out += batch_presence_bytes(g->n);
    }
    switch ((enum batch_kind)c->kind) {
    case BATCH_I64:
        memcpy(out, &c->base, 8);
        pick(g, c->data, c->width, out + 8);
        break;
    case BATCH_I128:
        pick(g, c->data, 16, out);
        break;
    case BATCH_F64:
        pick(g, c->data, 8, out);
        break;
    case BATCH_BYTES:
        if (c->codes)
            write_values(g, c, x, out);
        else
            write_texts(g, c, out);
        break;
    case BATCH_LIST:
        write_lists(g, c, out);
        break;
    }
}

static void write_batch(const struct gather *g, const struct batch *src, uint32_t slot,
                        struct gathered *columns, uint64_t total, uint8_t *to)
{
    uint64_t at = sizeof(struct batch_header) + src->columns * sizeof(struct batch_descriptor);
    struct batch_header h = {.magic = BATCH_MAGIC,
                             .total_bytes = (uint32_t)total,
                             .rows = g->n,
                             .columns = src->columns,
                             .op = src->op,
                             .table_id = src->table_id,
                             .slot = slot};

    memcpy(to, &h, sizeof h);
    for (unsigned i = 0; i < src->columns; i++) {
        struct gathered *x = &columns[i];
        uint64_t padded = batch_align(x->length);
        struct batch_column c;

        batch_column_at(src, i, &c);
        struct batch_descriptor d = {.id = c.id,
                                     .kind = c.kind,
                                     .flags = (uint8_t)((x->nulls ? BATCH_HAS_NULLS : 0) |
                                                        (c.codes ? BATCH_HAS_CODES : 0)),
                                     .offset = (uint32_t)at,
                                     .length = (uint32_t)x->length,
                                     .width = c.width,
                                     .scale = c.scale};
        memcpy(to + sizeof h + i * sizeof d, &d, sizeof d);
        write_column(g, &c, x, to + at);
        memset(to + at + x->length, 0, padded - x->length); /* also what copies wrote behind it */
        at += padded;
    }
}

/* Scratch for the column with the most values. */
static int gather_init(struct gather *g, const struct batch *src, const uint32_t *rows, uint32_t n)
{
    uint32_t values = 0;

    for (unsigned i = 0; i < src->columns; i++) {
        struct batch_column c;

        batch_column_at(src, i, &c);
        values = values < c.n_values ? c.n_values : values;
    }
    *g = (struct gather){.rows = rows,
                         .n = n,
                         .presence = malloc(batch_presence_bytes(n) + 8),
                         .map = malloc((values + 1) * sizeof *g->map)};
    return g->presence && g->map ? 0 : -ENOMEM;
}

int batch_gather(const struct batch *src, const uint32_t *rows, uint32_t n, uint32_t slot,
                 struct buffer *out)
{
    uint64_t total = sizeof(struct batch_header) + src->columns * sizeof(struct batch_descriptor);
    struct gathered *columns = malloc((src->columns + 1u) * sizeof *columns);
    struct gather g;
    int rc = gather_init(&g, src, rows, n);

    ASSERT(out->len % BATCH_ALIGN == 0);
    if (!columns)
        rc = -ENOMEM;
    for (unsigned i = 0; i < src->columns && rc == 0; i++) {
        struct batch_column c;

        batch_column_at(src, i, &c);
        plan_column(&g, &c, &columns[i]);
        total += batch_align(columns[i].length);
    }
    if (rc == 0 && total > BATCH_MAX_BYTES)
        rc = -ENOBUFS;
    if (rc == 0)
        rc = buffer_reserve(out, total + SHORT_BYTES);
    if (rc == 0) {
        write_batch(&g, src, slot, columns, total, out->data + out->len);
        out->len += total;
    }
    free(columns);
    free(g.presence);
    free(g.map);
    return rc;
}
