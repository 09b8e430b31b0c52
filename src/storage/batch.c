/*
 * Reading row batches in place: everything is validated once in batch_open, so the accessors only
 * compute addresses. Regions must follow each other without holes; a batch therefore has one
 * reading.
 */
#include "storage/batch.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/batch_format.h"

static const struct batch_descriptor *descriptor_at(const uint8_t *bytes, unsigned i)
{
    return (const struct batch_descriptor *)(bytes + sizeof(struct batch_header)) + i;
}

static int check_header(const void *bytes, size_t len, struct error_info *err)
{
    const struct batch_header *h = bytes;

    if ((uintptr_t)bytes % BATCH_ALIGN)
        return error_set(err, -EBADMSG, 0, "row batch: memory not aligned to %d bytes",
                         BATCH_ALIGN);
    if (len < sizeof *h || len > BATCH_MAX_BYTES)
        return error_set(err, -EBADMSG, 0, "row batch: %zu bytes, allowed are %zu to %d", len,
                         sizeof *h, BATCH_MAX_BYTES);
    if (h->magic != BATCH_MAGIC)
        return error_set(err, -EBADMSG, 0, "row batch: magic 0x%08x, expected 0x%08x", h->magic,
                         BATCH_MAGIC);
    if (h->total_bytes != len || len % BATCH_ALIGN)
        return error_set(err, -EBADMSG, 0,
                         "row batch: header says %u bytes, found %zu, a multiple of %d expected",
                         h->total_bytes, len, BATCH_ALIGN);
    if (h->rows > BATCH_MAX_ROWS)
        return error_set(err, -EBADMSG, 0, "row batch: %u rows, at most %d", h->rows,
                         BATCH_MAX_ROWS);
    if (h->columns > BATCH_MAX_COLUMNS)
        return error_set(err, -EBADMSG, 0, "row batch: %u columns, at most %d", h->columns,
                         BATCH_MAX_COLUMNS);
    if (h->op > BATCH_IGNORE || h->flags || h->reserved)
        return error_set(err, -EBADMSG, 0, "row batch: operation %u, flags 0x%x not known", h->op,
                         h->flags);
    if (sizeof *h + (size_t)h->columns * sizeof(struct batch_descriptor) > len)
        return error_set(err, -EBADMSG, 0, "row batch: %zu bytes cannot hold %u columns", len,
                         h->columns);
    return 0;
}

/* Offsets start at 0, never fall, and end at `end`. */
static bool are_offsets_valid(const uint32_t *offsets, uint32_t n, uint64_t end)
{
    bool falls = false;

    for (uint32_t i = 0; i < n; i++)
        falls |= offsets[i] > offsets[i + 1];
    return offsets[0] == 0 && !falls && offsets[n] == end;
}

static bool is_bytes_valid(const uint8_t *data, uint64_t left, uint32_t n)
{
    uint64_t head = 4 * ((uint64_t)n + 1);

    return left >= head && are_offsets_valid((const uint32_t *)data, n, left - head);
}

static bool is_list_valid(const uint8_t *data, uint64_t left, uint32_t rows)
{
    uint64_t head = 4 * ((uint64_t)rows + 1);
    const uint32_t *starts = (const uint32_t *)data;
    uint32_t items;

    if (left < head)
        return false;
    items = starts[rows];
    return are_offsets_valid(starts, rows, items) &&
           is_bytes_valid(data + head, left - head, items);
}

#define ALL_BELOW(type)                             \
    do {                                            \
        const type *code = (const void *)at;        \
        type most = 0;                              \
        for (uint32_t i = 0; i < rows; i++)         \
            most = most < code[i] ? code[i] : most; \
        return most < limit;                        \
    } while (0)

static bool are_codes_valid(const uint8_t *at, uint8_t width, uint32_t rows, uint32_t limit)
{
    if (rows == 0)
        return true;
    if (width == 1)
        ALL_BELOW(uint8_t);
    if (width == 2)
        ALL_BELOW(uint16_t);
    ALL_BELOW(uint32_t);
}

static bool are_values_valid(const struct batch_descriptor *d, const uint8_t *data, uint64_t left,
                             uint32_t rows)
{
    struct batch_values_head head;
    uint64_t codes_at, bytes_at;

    if ((d->width != 1 && d->width != 2 && d->width != 4) || left < sizeof head)
        return false;
    memcpy(&head, data, sizeof head);
    codes_at = sizeof head + 4 * ((uint64_t)head.values + 1);
    bytes_at = codes_at + (uint64_t)rows * d->width;
    return !head.reserved && left >= bytes_at &&
           are_offsets_valid((const uint32_t *)(data + sizeof head), head.values,
                             left - bytes_at) &&
           are_codes_valid(data + codes_at, d->width, rows, head.values);
}

/* Bits at and above `rows` are zero, so that presence words can be counted whole. */
static bool is_presence_valid(const uint64_t *words, uint32_t rows)
{
    return rows % 64 == 0 || words[rows / 64] >> (rows % 64) == 0;
}

static bool is_shape_valid(const struct batch_descriptor *d, const uint8_t *data, uint64_t left,
                           uint32_t rows)
{
    if (d->flags & BATCH_HAS_CODES)
        return d->kind == BATCH_BYTES && are_values_valid(d, data, left, rows);
    if (d->kind != BATCH_I64 && d->width != 0)
        return false;
    switch ((enum batch_kind)d->kind) {
    case BATCH_I64:
        return (d->width == 1 || d->width == 2 || d->width == 4 || d->width == 8) &&
               left == 8 + (uint64_t)rows * d->width;
    case BATCH_I128:
        return left == (uint64_t)rows * 16;
    case BATCH_F64:
        return left == (uint64_t)rows * 8;
    case BATCH_BYTES:
        return is_bytes_valid(data, left, rows);
    case BATCH_LIST:
        return is_list_valid(data, left, rows);
    }
    return false;
}

static int check_column(const uint8_t *bytes, unsigned i, uint64_t *end, struct error_info *err)
{
    const struct batch_header *h = (const struct batch_header *)bytes;
    const struct batch_descriptor *d = descriptor_at(bytes, i);
    uint64_t left = d->length, nulls = 0;
    const uint8_t *data = bytes + d->offset;

    if (d->flags & ~(BATCH_HAS_NULLS | BATCH_HAS_CODES) || d->reserved || d->kind > BATCH_LIST ||
        d->scale > BATCH_MAX_SCALE)
        return error_set(err, -EBADMSG, 0,
                         "row batch: column %u (id %u): kind %u, flags 0x%x, scale %u not known", i,
                         d->id, d->kind, d->flags, d->scale);
    if (d->offset != *end || left > h->total_bytes - *end)
        return error_set(err, -EBADMSG, 0,
                         "row batch: column %u (id %u): bytes %u + %u, expected from %llu up to %u",
                         i, d->id, d->offset, d->length, (unsigned long long)*end, h->total_bytes);
    if (d->flags & BATCH_HAS_NULLS) {
        nulls = batch_presence_bytes(h->rows);
        if (left < nulls || !is_presence_valid((const uint64_t *)data, h->rows))
            return error_set(err, -EBADMSG, 0,
                             "row batch: column %u (id %u): presence mask damaged", i, d->id);
    }
    if (!is_shape_valid(d, data + nulls, left - nulls, h->rows))
        return error_set(err, -EBADMSG, 0,
                         "row batch: column %u (id %u): %u bytes do not hold %u rows of kind %u", i,
                         d->id, d->length, h->rows, d->kind);
    *end = batch_align(*end + left);
    return 0;
}

static int check_ids(const uint8_t *bytes, unsigned columns, struct error_info *err)
{
    uint64_t seen[1024];
    bool ascending = true;

    /* Nearly always they ascend; then the 8 KiB need not be cleared. */
    for (unsigned i = 1; i < columns; i++)
        ascending &= descriptor_at(bytes, i - 1)->id < descriptor_at(bytes, i)->id;
    if (ascending)
        return 0;
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < columns; i++) {
        uint16_t id = descriptor_at(bytes, i)->id;

        if (seen[id >> 6] >> (id & 63) & 1)
            return error_set(err, -EBADMSG, 0, "row batch: column id %u appears twice", id);
        seen[id >> 6] |= 1ull << (id & 63);
    }
    return 0;
}

void batch_open_trusted(const void *bytes, struct batch *out)
{
    const struct batch_header *h = bytes;

    *out = (struct batch){
        .bytes = bytes,
        .len = h->total_bytes,
        .rows = h->rows,
        .columns = h->columns,
        .op = h->op,
        .table_id = h->table_id,
        .slot = h->slot,
    };
}

int batch_open(const void *bytes, size_t len, struct batch *out, struct error_info *err)
{
    const struct batch_header *h = bytes;
    uint64_t end;
    int rc = check_header(bytes, len, err);

    if (rc != 0)
        return rc;
    end = sizeof *h + (uint64_t)h->columns * sizeof(struct batch_descriptor);
    for (unsigned i = 0; i < h->columns; i++) {
        rc = check_column(bytes, i, &end, err);
        if (rc != 0)
            return rc;
    }
    if (end != len)
        return error_set(err, -EBADMSG, 0, "row batch: columns end at %llu, batch at %zu",
                         (unsigned long long)end, len);
    rc = check_ids(bytes, h->columns, err);
    if (rc == 0)
        batch_open_trusted(bytes, out);
    return rc;
}

void batch_column_at(const struct batch *b, unsigned i, struct batch_column *out)
{
    const struct batch_descriptor *d;
    const uint8_t *at;

    ASSERT(i < b->columns);
    d = descriptor_at(b->bytes, i);
    at = b->bytes + d->offset;
    *out = (struct batch_column){
        .id = d->id, .kind = d->kind, .width = d->width, .scale = d->scale, .rows = b->rows};
    if (d->flags & BATCH_HAS_NULLS) {
        out->presence = (const uint64_t *)at;
        at += batch_presence_bytes(b->rows);
    }
    if (d->kind == BATCH_I64) {
        memcpy(&out->base, at, 8);
        at += 8;
    }
    if (d->flags & BATCH_HAS_CODES) {
        memcpy(&out->n_values, at, sizeof out->n_values);
        out->offsets = (const uint32_t *)(at + sizeof(struct batch_values_head));
        out->codes = (const uint8_t *)(out->offsets + out->n_values + 1);
        out->data = out->codes + (size_t)b->rows * d->width;
        return;
    }
    if (d->kind == BATCH_LIST) {
        out->starts = (const uint32_t *)at;
        at += 4 * ((size_t)b->rows + 1);
    }
    if (d->kind == BATCH_LIST || d->kind == BATCH_BYTES) {
        size_t n = d->kind == BATCH_LIST ? out->starts[b->rows] : b->rows;

        out->offsets = (const uint32_t *)at;
        at += 4 * (n + 1);
    }
    out->data = at;
}

int batch_find_column(const struct batch *b, uint16_t id)
{
    for (unsigned i = 0; i < b->columns; i++)
        if (descriptor_at(b->bytes, i)->id == id)
            return (int)i;
    return -1;
}

/*
 * The sum wraps: a base and a delta from outside may be anything, and every int64 must be
 * expressible.
 */
static int64_t cell_i64(const struct batch_column *c, uint32_t row)
{
    uint64_t base = (uint64_t)c->base;

    switch (c->width) {
    case 1:
        return (int64_t)(base + c->data[row]);
    case 2:
        return (int64_t)(base + ((const uint16_t *)c->data)[row]);
    case 4:
        return (int64_t)(base + ((const uint32_t *)c->data)[row]);
    default:
        return (int64_t)(base + ((const uint64_t *)c->data)[row]);
    }
}

int64_t batch_i64(const struct batch_column *c, uint32_t row)
{
    ASSERT(c->kind == BATCH_I64 && row < c->rows);
    return batch_is_present(c, row) ? cell_i64(c, row) : 0;
}

__int128 batch_i128(const struct batch_column *c, uint32_t row)
{
    __int128 v = 0;

    ASSERT(c->kind == BATCH_I128 && row < c->rows);
    /* Cells are 8-byte aligned, an __int128 wants 16. */
    if (batch_is_present(c, row))
        memcpy(&v, c->data + (size_t)row * 16, 16);
    return v;
}

double batch_f64(const struct batch_column *c, uint32_t row)
{
    ASSERT(c->kind == BATCH_F64 && row < c->rows);
    return batch_is_present(c, row) ? ((const double *)c->data)[row] : 0;
}

static uint32_t code_at(const struct batch_column *c, uint32_t row)
{
    switch (c->width) {
    case 1:
        return c->codes[row];
    case 2:
        return ((const uint16_t *)(const void *)c->codes)[row];
    default:
        return ((const uint32_t *)(const void *)c->codes)[row];
    }
}

const char *batch_bytes(const struct batch_column *c, uint32_t row, uint32_t *len)
{
    uint32_t at = row;

    ASSERT(c->kind == BATCH_BYTES && row < c->rows);
    if (c->codes)
        at = code_at(c, row);
    *len = batch_is_present(c, row) ? c->offsets[at + 1] - c->offsets[at] : 0;
    return (const char *)c->data + c->offsets[at];
}

const char *batch_value(const struct batch_column *c, uint32_t code, uint32_t *len)
{
    ASSERT(c->codes && code < c->n_values);
    *len = c->offsets[code + 1] - c->offsets[code];
    return (const char *)c->data + c->offsets[code];
}

void batch_read_codes(const struct batch_column *c, uint32_t from, uint32_t n, uint32_t *out)
{
    ASSERT(c->codes && from <= c->rows && n <= c->rows - from);
    for (uint32_t i = 0; i < n; i++)
        out[i] = code_at(c, from + i);
}

bool batch_has_codes(const struct batch *b)
{
    for (unsigned i = 0; i < b->columns; i++) {
        if (descriptor_at(b->bytes, i)->flags & BATCH_HAS_CODES)
            return true;
    }
    return false;
}

uint32_t batch_list_count(const struct batch_column *c, uint32_t row)
{
    ASSERT(c->kind == BATCH_LIST && row < c->rows);
    return batch_is_present(c, row) ? c->starts[row + 1] - c->starts[row] : 0;
}

const char *batch_list_item(const struct batch_column *c, uint32_t row, uint32_t item,
                            uint32_t *len)
{
    const uint32_t *at;

    ASSERT(item < batch_list_count(c, row));
    at = c->offsets + c->starts[row] + item;
    *len = at[1] - at[0];
    return (const char *)c->data + at[0];
}

#define WIDEN(type)                  \
    for (uint32_t i = 0; i < n; i++) \
    out[i] = (int64_t)((uint64_t)c->base + ((const type *)c->data)[from + i])

void batch_read_i64(const struct batch_column *c, uint32_t from, uint32_t n, int64_t *out)
{
    ASSERT(c->kind == BATCH_I64 && from <= c->rows && n <= c->rows - from);
    switch (c->width) {
    case 1:
        WIDEN(uint8_t);
        break;
    case 2:
        WIDEN(uint16_t);
        break;
    case 4:
        WIDEN(uint32_t);
        break;
    default:
        WIDEN(uint64_t);
        break;
    }
    if (!c->presence)
        return;
    for (uint32_t i = 0; i < n; i++)
        out[i] &= -(int64_t)(c->presence[(from + i) >> 6] >> ((from + i) & 63) & 1);
}
