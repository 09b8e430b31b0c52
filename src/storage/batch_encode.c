/*
 * Writing a built batch out: width and base of each integer column are chosen here, when all its
 * values are known. Equal rows give equal bytes: absent cells and padding are zero.
 */
#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/batch_builder.h"
#include "storage/batch_format.h"

enum { LANE = 64 /* cells per inner loop of known length, which compilers vectorize */ };

/* Smallest and largest present value; false when there is none. */
static bool column_min_max(const struct builder_column *c, int64_t *min, int64_t *max)
{
    const int64_t *v = (const int64_t *)c->values.data;
    const uint64_t *bits = (const uint64_t *)c->presence.data;
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    uint32_t i = 0;

    if (!c->has_nulls)
        for (; i + LANE <= c->cells; i += LANE)
            for (unsigned k = 0; k < LANE; k++) {
                lo = v[i + k] < lo ? v[i + k] : lo;
                hi = v[i + k] > hi ? v[i + k] : hi;
            }
    for (; i < c->cells; i++) {
        if (c->has_nulls && !(bits[i / 64] >> (i % 64) & 1))
            continue;
        lo = v[i] < lo ? v[i] : lo;
        hi = v[i] > hi ? v[i] : hi;
    }
    *min = lo;
    *max = hi;
    return lo <= hi;
}

/* Base and width of an integer column, or the width of another kind's cells. */
struct column_form {
    int64_t base;
    uint8_t width;
};

static struct column_form choose_form(const struct builder_column *c)
{
    int64_t min, max;
    uint64_t range;

    if (c->kind != BATCH_I64)
        return (struct column_form){.width = c->n_values == 0                ? 0
                                             : c->n_values <= UINT8_MAX + 1  ? 1
                                             : c->n_values <= UINT16_MAX + 1 ? 2
                                                                             : 4};
    if (!column_min_max(c, &min, &max))
        return (struct column_form){.base = 0, .width = 1};
    range = (uint64_t)max - (uint64_t)min;
    if (range > UINT32_MAX)
        return (struct column_form){.base = 0, .width = 8};
    return (struct column_form){.base = min,
                                .width = range <= UINT8_MAX    ? 1
                                         : range <= UINT16_MAX ? 2
                                                               : 4};
}

#define NARROW(type)                                 \
    do {                                             \
        type *to = (type *)out;                      \
        uint32_t i = 0;                              \
        for (; i + LANE <= n; i += LANE)             \
            for (unsigned k = 0; k < LANE; k++)      \
                to[i + k] = (type)(v[i + k] - base); \
        for (; i < n; i++)                           \
            to[i] = (type)(v[i] - base);             \
    } while (0)

static void write_i64s(const struct builder_column *c, struct column_form f, uint8_t *out)
{
    const uint64_t *v = (const uint64_t *)c->values.data;
    const uint64_t *bits = (const uint64_t *)c->presence.data;
    uint64_t base = (uint64_t)f.base;
    uint32_t n = c->cells;

    memcpy(out, &f.base, 8);
    out += 8;
    if (f.width == 1)
        NARROW(uint8_t);
    else if (f.width == 2)
        NARROW(uint16_t);
    else if (f.width == 4)
        NARROW(uint32_t);
    else if (n)
        memcpy(out, v, (size_t)n * 8);
    /* Absent cells are 0 on the wire: equal rows give equal bytes. */
    if (c->has_nulls)
        for (uint32_t i = 0; i < n; i++)
            if (!(bits[i / 64] >> (i % 64) & 1))
                memset(out + (size_t)i * f.width, 0, f.width);
}

static uint64_t column_length(const struct builder_column *c, struct column_form f)
{
    uint64_t n = c->has_nulls ? batch_presence_bytes(c->cells) : 0;

    if (c->kind == BATCH_I64)
        return n + 8 + (uint64_t)c->cells * f.width;
    if (c->n_values)
        n += sizeof(struct batch_values_head) + (uint64_t)c->cells * f.width;
    return n + c->starts.len + c->offsets.len + c->values.len;
}

static uint8_t *write_vector(uint8_t *out, const struct vector *v)
{
    if (v->len)
        memcpy(out, v->data, v->len);
    return out + v->len;
}

static void write_codes(const struct builder_column *c, struct column_form f, uint8_t *out)
{
    struct batch_values_head head = {.values = c->n_values};
    const uint32_t *v = (const uint32_t *)c->codes.data;
    uint32_t n = c->cells;
    const uint32_t base = 0;

    memcpy(out, &head, sizeof head);
    out = write_vector(out + sizeof head, &c->offsets);
    if (f.width == 1)
        NARROW(uint8_t);
    else if (f.width == 2)
        NARROW(uint16_t);
    else
        NARROW(uint32_t);
    write_vector(out + (size_t)n * f.width, &c->values);
}

static void write_column(const struct builder_column *c, struct column_form f, uint8_t *out)
{
    if (c->has_nulls) {
        /* A put that failed may have left room for more rows in it. */
        memcpy(out, c->presence.data, batch_presence_bytes(c->cells));
        out += batch_presence_bytes(c->cells);
    }
    if (c->kind == BATCH_I64) {
        write_i64s(c, f, out);
        return;
    }
    if (c->n_values) {
        write_codes(c, f, out);
        return;
    }
    out = write_vector(out, &c->starts);
    out = write_vector(out, &c->offsets);
    write_vector(out, &c->values);
}

int batch_builder_finish(struct batch_builder *b, enum batch_op op, uint32_t table_id,
                         uint32_t slot, struct buffer *out)
{
    struct column_form forms[BATCH_MAX_COLUMNS];
    uint64_t total = sizeof(struct batch_header) + b->n_columns * sizeof(struct batch_descriptor),
             at = total;
    struct batch_header h = {BATCH_MAGIC, 0,    b->rows, (uint16_t)b->n_columns, (uint8_t)op, 0,
                             table_id,    slot, 0};
    uint8_t *to;
    int rc;

    ASSERT(out->len % BATCH_ALIGN == 0);
    for (unsigned i = 0; i < b->n_columns; i++) {
        const struct builder_column *c = &b->columns[i];

        ASSERT(c->cells == b->rows);
        forms[i] = choose_form(c);
        total += batch_align(column_length(c, forms[i]));
    }
    if (total > BATCH_MAX_BYTES)
        return -ENOBUFS;
    rc = buffer_reserve(out, total);
    if (rc != 0)
        return rc;
    to = out->data + out->len;
    h.total_bytes = (uint32_t)total;
    memcpy(to, &h, sizeof h);
    for (unsigned i = 0; i < b->n_columns; i++) {
        const struct builder_column *c = &b->columns[i];
        uint64_t length = column_length(c, forms[i]), padded = batch_align(length);
        struct batch_descriptor d = {c->id,
                                     c->kind,
                                     (uint8_t)((c->has_nulls ? BATCH_HAS_NULLS : 0) |
                                               (c->n_values ? BATCH_HAS_CODES : 0)),
                                     (uint32_t)at,
                                     (uint32_t)length,
                                     forms[i].width,
                                     c->scale,
                                     0};

        memcpy(to + sizeof h + i * sizeof d, &d, sizeof d);
        write_column(c, forms[i], to + at);
        memset(to + at + length, 0, padded - length);
        at += padded;
    }
    out->len += total;
    return 0;
}
