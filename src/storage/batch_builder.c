/*
 * Building row batches: one growing vector per column, a cell or many at a time. batch_encode.c
 * writes them out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "storage/batch_builder.h"
#include "storage/batch_format.h"
#include "storage/dict.h"

enum { VECTOR_MIN = 512 };

static int vector_grow(struct batch_builder *b, struct vector *v, size_t need)
{
    size_t cap = v->cap ? v->cap * 2 : VECTOR_MIN;
    uint8_t *data;

    while (cap < need)
        cap *= 2;
    if (b->budget && budget_charge(b->budget, cap - v->cap) != 0)
        return -ENOMEM;
    data = realloc(v->data, cap);
    if (!data) {
        if (b->budget)
            budget_release(b->budget, cap - v->cap);
        return -ENOMEM;
    }
    v->data = data;
    v->cap = cap;
    return 0;
}

static inline int vector_reserve(struct batch_builder *b, struct vector *v, size_t extra)
{
    if (__builtin_expect(extra <= v->cap - v->len, 1))
        return 0;
    return vector_grow(b, v, v->len + extra);
}

static void vector_fini(struct batch_builder *b, struct vector *v)
{
    if (b->budget)
        budget_release(b->budget, v->cap);
    free(v->data);
}

static int vector_push_u32(struct batch_builder *b, struct vector *v, uint32_t x)
{
    int rc = vector_reserve(b, v, 4);

    if (rc == 0) {
        memcpy(v->data + v->len, &x, 4);
        v->len += 4;
    }
    return rc;
}

struct batch_builder *batch_builder_new(struct budget *budget)
{
    struct batch_builder *b = calloc(1, sizeof *b);

    if (b)
        b->budget = budget;
    return b;
}

void batch_builder_free(struct batch_builder *b)
{
    if (!b)
        return;
    for (unsigned i = 0; i < b->n_columns; i++) {
        vector_fini(b, &b->columns[i].values);
        vector_fini(b, &b->columns[i].offsets);
        vector_fini(b, &b->columns[i].codes);
        vector_fini(b, &b->columns[i].starts);
        vector_fini(b, &b->columns[i].presence);
    }
    free(b->columns);
    free(b);
}

static void column_truncate(struct builder_column *c, uint32_t rows)
{
    size_t width = c->kind == BATCH_I128 ? 16 : 8;

    if (c->codes.len) { /* its rows do not go one by one */
        ASSERT(rows == 0);
        c->n_values = 0;
        c->codes.len = 0;
    }
    if (c->kind == BATCH_LIST) {
        if (c->starts.len > 4 * ((size_t)rows + 1))
            c->starts.len = 4 * ((size_t)rows + 1);
        c->items = ((uint32_t *)c->starts.data)[rows];
    }
    if (c->kind == BATCH_LIST || c->kind == BATCH_BYTES) {
        size_t n = c->kind == BATCH_LIST ? c->items : rows;

        c->offsets.len = 4 * (n + 1);
        c->values.len = ((uint32_t *)c->offsets.data)[n];
    } else {
        c->values.len = rows * width;
    }
    if (c->has_nulls) {
        c->presence.len = batch_presence_bytes(rows);
        if (rows % 64)
            ((uint64_t *)c->presence.data)[rows / 64] &= (1ull << (rows % 64)) - 1;
    }
    c->cells = rows;
}

void batch_builder_reset(struct batch_builder *b)
{
    for (unsigned i = 0; i < b->n_columns; i++) {
        column_truncate(&b->columns[i], 0);
        b->columns[i].has_nulls = false;
        b->columns[i].presence.len = 0;
    }
    b->rows = 0;
}

void batch_builder_cancel_row(struct batch_builder *b)
{
    for (unsigned i = 0; i < b->n_columns; i++)
        if (b->columns[i].cells > b->rows)
            column_truncate(&b->columns[i], b->rows);
}

int batch_builder_add_column(struct batch_builder *b, uint16_t id, enum batch_kind kind,
                             uint8_t scale)
{
    struct builder_column *columns, *c;
    int rc = 0;

    ASSERT(b->rows == 0 && scale <= BATCH_MAX_SCALE);
    if (b->n_columns == BATCH_MAX_COLUMNS)
        return -ENOBUFS;
    columns = realloc(b->columns, (b->n_columns + 1) * sizeof *columns);
    if (!columns)
        return -ENOMEM;
    b->columns = columns;
    c = &columns[b->n_columns++];
    *c = (struct builder_column){.id = id, .kind = (uint8_t)kind, .scale = scale};
    if (kind == BATCH_LIST)
        rc = vector_push_u32(b, &c->starts, 0);
    if (rc == 0 && (kind == BATCH_LIST || kind == BATCH_BYTES))
        rc = vector_push_u32(b, &c->offsets, 0);
    if (rc != 0) {
        vector_fini(b, &c->starts);
        b->n_columns--;
        return rc;
    }
    return (int)b->n_columns - 1;
}

static inline struct builder_column *open_cell(struct batch_builder *b, unsigned col,
                                               enum batch_kind kind)
{
    struct builder_column *c;

    ASSERT(col < b->n_columns);
    c = &b->columns[col];
    ASSERT(c->kind == kind && c->cells == b->rows);
    return c;
}

/* Room for the presence bits of n more cells, zeroed. */
static int presence_reserve(struct batch_builder *b, struct builder_column *c, uint32_t n)
{
    size_t need = batch_presence_bytes(c->cells + n);
    int rc;

    if (need <= c->presence.len)
        return 0;
    rc = vector_reserve(b, &c->presence, need - c->presence.len);
    if (rc == 0) {
        memset(c->presence.data + c->presence.len, 0, need - c->presence.len);
        c->presence.len = need;
    }
    return rc;
}

static void presence_set(struct builder_column *c, uint32_t from, uint32_t n)
{
    uint64_t *words = (uint64_t *)c->presence.data;

    for (; n && from % 64; from++, n--)
        words[from / 64] |= 1ull << (from % 64);
    for (; n >= 64; from += 64, n -= 64)
        words[from / 64] = ~0ull;
    for (; n; from++, n--)
        words[from / 64] |= 1ull << (from % 64);
}

/* The first NULL of a column: all cells before it are present. */
static int presence_begin(struct batch_builder *b, struct builder_column *c, uint32_t n)
{
    int rc = presence_reserve(b, c, n);

    if (rc == 0 && !c->has_nulls) {
        c->has_nulls = true;
        presence_set(c, 0, c->cells);
    }
    return rc;
}

/* Counts the cell in as present; the last step of a put, so that a failed one changes nothing. */
static inline int close_cell(struct batch_builder *b, struct builder_column *c)
{
    if (__builtin_expect(c->has_nulls, 0)) {
        int rc = presence_reserve(b, c, 1);

        if (rc != 0)
            return rc;
        presence_set(c, c->cells, 1);
    }
    c->cells++;
    return 0;
}

static inline int put_fixed(struct batch_builder *b, struct builder_column *c, const void *v,
                            size_t width)
{
    int rc = vector_reserve(b, &c->values, width);

    if (rc == 0)
        rc = close_cell(b, c);
    if (rc == 0) {
        memcpy(c->values.data + c->values.len, v, width);
        c->values.len += width;
    }
    return rc;
}

int batch_builder_put_i64(struct batch_builder *b, unsigned col, int64_t v)
{
    return put_fixed(b, open_cell(b, col, BATCH_I64), &v, sizeof v);
}

int batch_builder_put_i128(struct batch_builder *b, unsigned col, __int128 v)
{
    return put_fixed(b, open_cell(b, col, BATCH_I128), &v, sizeof v);
}

int batch_builder_put_f64(struct batch_builder *b, unsigned col, double v)
{
    return put_fixed(b, open_cell(b, col, BATCH_F64), &v, sizeof v);
}

/* Bytes with their end offset; nothing is changed on failure. */
static int put_span(struct batch_builder *b, struct builder_column *c, const void *bytes,
                    uint32_t len)
{
    int rc;

    if (len > BATCH_MAX_BYTES - c->values.len || c->offsets.len >= BATCH_MAX_BYTES)
        return -ENOBUFS;
    rc = vector_reserve(b, &c->values, len);
    if (rc == 0)
        rc = vector_push_u32(b, &c->offsets, (uint32_t)(c->values.len + len));
    if (rc == 0 && len) {
        memcpy(c->values.data + c->values.len, bytes, len);
        c->values.len += len;
    }
    return rc;
}

int batch_builder_put_bytes(struct batch_builder *b, unsigned col, const void *bytes, uint32_t len)
{
    struct builder_column *c = open_cell(b, col, BATCH_BYTES);
    int rc = c->has_nulls ? presence_reserve(b, c, 1) : 0;

    ASSERT(!c->n_values);

    if (rc == 0)
        rc = put_span(b, c, bytes, len);
    return rc == 0 ? close_cell(b, c) : rc;
}

int batch_builder_put_list_item(struct batch_builder *b, unsigned col, const void *bytes,
                                uint32_t len)
{
    struct builder_column *c;
    int rc;

    ASSERT(col < b->n_columns);
    c = &b->columns[col];
    ASSERT(c->kind == BATCH_LIST && (c->cells == b->rows || c->cells == b->rows + 1));
    rc = c->has_nulls ? presence_reserve(b, c, 1) : 0;
    /* Room for the end of the cell now, so that the item cannot be left outside. */
    if (rc == 0)
        rc = vector_reserve(b, &c->starts, 4);
    if (rc == 0)
        rc = put_span(b, c, bytes, len);
    if (rc != 0)
        return rc;
    c->items++;
    if (c->cells == b->rows) {
        (void)vector_push_u32(b, &c->starts, c->items);
        return close_cell(b, c);
    }
    ((uint32_t *)c->starts.data)[c->cells] = c->items;
    return 0;
}

static int put_null(struct batch_builder *b, struct builder_column *c)
{
    static const uint8_t zero[16];
    size_t width = c->kind == BATCH_I128 ? 16 : 8;
    int rc = presence_begin(b, c, 1);

    if (rc != 0)
        return rc;
    switch ((enum batch_kind)c->kind) {
    case BATCH_BYTES:
        rc = vector_push_u32(b, &c->offsets, (uint32_t)c->values.len);
        break;
    case BATCH_LIST:
        rc = vector_push_u32(b, &c->starts, c->items);
        break;
    default:
        rc = vector_reserve(b, &c->values, width);
        if (rc == 0) {
            memcpy(c->values.data + c->values.len, zero, width);
            c->values.len += width;
        }
    }
    if (rc == 0)
        c->cells++;
    return rc;
}

int batch_builder_end_row(struct batch_builder *b)
{
    if (b->rows == BATCH_MAX_ROWS)
        return -ENOBUFS;
    for (unsigned i = 0; i < b->n_columns; i++) {
        struct builder_column *c = &b->columns[i];
        int rc = c->cells == b->rows ? put_null(b, c) : 0;

        if (rc != 0)
            return rc;
    }
    b->rows++;
    return 0;
}

/* Appends n bits to the presence words; those behind c->cells are zero. */
static void presence_append(struct builder_column *c, const uint64_t *bits, uint32_t n)
{
    uint64_t *words = (uint64_t *)c->presence.data;
    unsigned shift = c->cells % 64;

    for (uint32_t i = 0; i < n; i += 64) {
        uint64_t w = bits[i / 64];

        if (n - i < 64)
            w &= (1ull << (n - i)) - 1;
        words[(c->cells + i) / 64] |= w << shift;
        if (shift && w >> (64 - shift))
            words[(c->cells + i) / 64 + 1] |= w >> (64 - shift);
    }
}

static bool are_all_present(const uint64_t *bits, uint32_t n)
{
    for (; n >= 64; bits++, n -= 64)
        if (*bits != ~0ull)
            return false;
    return n == 0 || (~*bits & ((1ull << n) - 1)) == 0;
}

/* Room for the presence of n cells; *presence becomes NULL when all are. */
static int presence_prepare(struct batch_builder *b, struct builder_column *c,
                            const uint64_t **presence, uint32_t n)
{
    if (*presence && are_all_present(*presence, n))
        *presence = NULL;
    if (*presence)
        return presence_begin(b, c, n);
    return c->has_nulls ? presence_reserve(b, c, n) : 0;
}

static void presence_put(struct builder_column *c, const uint64_t *presence, uint32_t n)
{
    if (presence)
        presence_append(c, presence, n);
    else if (c->has_nulls)
        presence_set(c, c->cells, n);
}

int batch_builder_put_i64s(struct batch_builder *b, unsigned col, const int64_t *v,
                           const uint64_t *presence, uint32_t n)
{
    struct builder_column *c = open_cell(b, col, BATCH_I64);
    int64_t *to;
    int rc;

    if (n > BATCH_MAX_ROWS - c->cells)
        return -ENOBUFS;
    if (n == 0)
        return 0;
    rc = vector_reserve(b, &c->values, (size_t)n * 8);
    if (rc == 0)
        rc = presence_prepare(b, c, &presence, n);
    if (rc != 0)
        return rc;
    to = (int64_t *)(c->values.data + c->values.len);
    memcpy(to, v, (size_t)n * 8);
    /* Absent cells read 0 and must not widen the column. */
    for (uint32_t i = 0; presence && i < n; i++)
        to[i] &= -(int64_t)(presence[i / 64] >> (i % 64) & 1);
    presence_put(c, presence, n);
    c->values.len += (size_t)n * 8;
    c->cells += n;
    return 0;
}

/* Appends n texts behind those at hand: bytes, and where each ends. */
static int put_spans(struct batch_builder *b, struct builder_column *c, const uint8_t *data,
                     const uint32_t *offsets, uint32_t n)
{
    size_t len = offsets[n] - offsets[0];
    uint32_t *to, base = (uint32_t)c->values.len - offsets[0];
    int rc;

    if (len > BATCH_MAX_BYTES - c->values.len || c->offsets.len + (size_t)n * 4 >= BATCH_MAX_BYTES)
        return -ENOBUFS;
    rc = vector_reserve(b, &c->values, len);
    if (rc == 0)
        rc = vector_reserve(b, &c->offsets, (size_t)n * 4);
    if (rc != 0)
        return rc;
    if (len)
        memcpy(c->values.data + c->values.len, data + offsets[0], len);
    to = (uint32_t *)(c->offsets.data + c->offsets.len);
    for (uint32_t i = 0; i < n; i++)
        to[i] = base + offsets[i + 1];
    c->values.len += len;
    c->offsets.len += (size_t)n * 4;
    return 0;
}

int batch_builder_put_texts(struct batch_builder *b, unsigned col, const uint8_t *data,
                            const uint32_t *offsets, const uint64_t *presence, uint32_t n)
{
    struct builder_column *c = open_cell(b, col, BATCH_BYTES);
    int rc;

    ASSERT(!c->n_values);
    if (n > BATCH_MAX_ROWS - c->cells)
        return -ENOBUFS;
    if (n == 0)
        return 0;
    rc = presence_prepare(b, c, &presence, n);
    if (rc == 0)
        rc = put_spans(b, c, data, offsets, n);
    if (rc != 0)
        return rc;
    presence_put(c, presence, n);
    c->cells += n;
    return 0;
}

/* Behind the cells that are there, in the room that was reserved; absent ones are 0. */
static void write_codes(struct builder_column *c, const uint32_t *codes, const uint64_t *presence,
                        uint32_t n)
{
    uint32_t *to = (uint32_t *)(c->codes.data + c->codes.len);

    for (uint32_t i = 0; i < n; i++)
        to[i] = presence && !(presence[i / 64] >> (i % 64) & 1) ? 0 : codes[i];
    presence_put(c, presence, n);
    c->codes.len += (size_t)n * 4;
    c->cells += n;
}

int batch_builder_put_codes(struct batch_builder *b, unsigned col, const uint8_t *data,
                            const uint32_t *offsets, uint32_t values, const uint32_t *codes,
                            const uint64_t *presence, uint32_t n)
{
    struct builder_column *c = open_cell(b, col, BATCH_BYTES);
    int rc;

    ASSERT(c->cells == 0 && values > 0);
    if (n > BATCH_MAX_ROWS)
        return -ENOBUFS;
    if (n == 0)
        return 0;
    rc = vector_reserve(b, &c->codes, (size_t)n * 4);
    if (rc == 0)
        rc = presence_prepare(b, c, &presence, n);
    if (rc == 0)
        rc = put_spans(b, c, data, offsets, values);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < n; i++)
        ASSERT_HOT(codes[i] < values);
    write_codes(c, codes, presence, n);
    c->n_values = values;
    return 0;
}

int batch_builder_append_codes(struct batch_builder *b, unsigned col, const uint32_t *codes,
                               const uint64_t *presence, uint32_t n)
{
    struct builder_column *c = open_cell(b, col, BATCH_BYTES);
    int rc;

    ASSERT(c->codes.len == (size_t)c->cells * 4 && !c->n_values);
    if (n > BATCH_MAX_ROWS - c->cells)
        return -ENOBUFS;
    if (n == 0)
        return 0;
    rc = vector_reserve(b, &c->codes, (size_t)n * 4);
    if (rc == 0)
        rc = presence_prepare(b, c, &presence, n);
    if (rc != 0)
        return rc;
    write_codes(c, codes, presence, n);
    return 0;
}

static bool is_cell_present(const struct builder_column *c, uint32_t row)
{
    return !c->has_nulls || (((uint64_t *)c->presence.data)[row / 64] >> (row % 64) & 1);
}

/* Are the codes of a column and their values shorter than a text in each row? */
static bool are_codes_shorter(const struct builder_column *c, const struct dict *d)
{
    const uint32_t *codes = (const uint32_t *)c->codes.data;
    uint32_t values = dict_count(d), len;
    uint64_t texts = 4 * ((uint64_t)c->cells + 1),
             coded = sizeof(struct batch_values_head) + 4 * ((uint64_t)values + 1) +
                     (uint64_t)c->cells * (values <= UINT8_MAX + 1    ? 1
                                           : values <= UINT16_MAX + 1 ? 2
                                                                      : 4);

    for (uint32_t i = 0; i < values; i++) {
        (void)dict_bytes(d, i, &len);
        coded += len;
    }
    for (uint32_t i = 0; i < c->cells && texts <= coded; i++)
        if (is_cell_present(c, i)) {
            (void)dict_bytes(d, codes[i], &len);
            texts += len;
        }
    return values && coded < texts;
}

int batch_builder_set_values(struct batch_builder *b, unsigned col, const struct dict *d)
{
    struct builder_column *c = open_cell(b, col, BATCH_BYTES);
    const uint32_t *codes = (const uint32_t *)c->codes.data;
    bool coded = are_codes_shorter(c, d);
    uint32_t n = coded ? dict_count(d) : c->cells, len;
    int rc = 0;

    ASSERT(c->codes.len == (size_t)c->cells * 4 && !c->n_values);
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        const char *s = "";

        len = 0;
        if (coded || is_cell_present(c, i))
            s = dict_bytes(d, coded ? i : codes[i], &len);
        rc = put_span(b, c, s, len);
    }
    if (coded)
        c->n_values = n;
    else
        c->codes.len = 0;
    return rc;
}

int batch_builder_end_rows(struct batch_builder *b, uint32_t n)
{
    if (n > BATCH_MAX_ROWS - b->rows)
        return -ENOBUFS;
    for (unsigned i = 0; i < b->n_columns; i++)
        ASSERT(b->columns[i].cells == b->rows + n);
    b->rows += n;
    return 0;
}

static int copy_list(struct batch_builder *b, unsigned col, const struct batch_column *c,
                     uint32_t row)
{
    uint32_t n = batch_list_count(c, row), len;
    int rc = 0;

    for (uint32_t i = 0; i < n && rc == 0; i++) {
        const char *item = batch_list_item(c, row, i, &len);

        rc = batch_builder_put_list_item(b, col, item, len);
    }
    return rc;
}

static int copy_cell(struct batch_builder *b, unsigned col, const struct batch_column *c,
                     uint32_t row)
{
    const char *bytes;
    uint32_t len;

    if (!batch_is_present(c, row))
        return 0;
    switch ((enum batch_kind)c->kind) {
    case BATCH_I64:
        return batch_builder_put_i64(b, col, batch_i64(c, row));
    case BATCH_I128:
        return batch_builder_put_i128(b, col, batch_i128(c, row));
    case BATCH_F64:
        return batch_builder_put_f64(b, col, batch_f64(c, row));
    case BATCH_BYTES:
        bytes = batch_bytes(c, row, &len);
        return batch_builder_put_bytes(b, col, bytes, len);
    case BATCH_LIST:
        return copy_list(b, col, c, row);
    }
    return -EINVAL;
}

int batch_builder_copy_row(struct batch_builder *b, const struct batch *src, uint32_t row)
{
    ASSERT(row < src->rows);
    if (src->columns != b->n_columns)
        return -EINVAL;
    for (unsigned i = 0; i < b->n_columns; i++) {
        struct batch_column c;
        int rc;

        batch_column_at(src, i, &c);
        rc = c.kind == b->columns[i].kind && c.scale == b->columns[i].scale
                 ? copy_cell(b, i, &c, row)
                 : -EINVAL;
        if (rc != 0) {
            batch_builder_cancel_row(b);
            return rc;
        }
    }
    return batch_builder_end_row(b);
}

uint32_t batch_builder_rows(const struct batch_builder *b)
{
    return b->rows;
}

size_t batch_builder_bytes(const struct batch_builder *b)
{
    size_t n = sizeof(struct batch_header) + b->n_columns * sizeof(struct batch_descriptor);

    for (unsigned i = 0; i < b->n_columns; i++) {
        const struct builder_column *c = &b->columns[i];

        n += c->values.len + c->offsets.len + c->codes.len + c->starts.len + c->presence.len +
             4 * BATCH_ALIGN;
    }
    return n;
}
