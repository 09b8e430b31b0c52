#include "ingest/load_columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/key.h"
#include "storage/mapping_column.h"

enum {
    KEEP_VALUES = 4,     /* rows per value of a dictionary from which all of it is sent, */
    KEEP_BYTES = 16,     /* up to so many bytes per row */
    TEXTS_MAX = 1 << 30, /* more do not fit a batch anyway */
    NO_CODE = 0xffffffff
};

void load_columns_init(struct load_rows *l)
{
    const struct parquet_schema *s = parquet_reader_schema(l->reader);

    buffer_init(&l->texts, TEXTS_MAX);
    l->by_column = !l->config.element;
    for (unsigned i = 0; i < l->n; i++) {
        const struct load_column *lc = &l->columns[i];

        l->by_column &= key_batch_kind(lc->column) != BATCH_LIST;
        for (unsigned k = 0; k < lc->n_inputs; k++)
            l->by_column &= s->columns[lc->inputs[k].file_column].max_rep == 0 &&
                            s->columns[lc->inputs[k].second_column].max_rep == 0;
    }
    if (l->by_column)
        parquet_reader_keep_codes(l->reader);
}

void load_columns_free(struct load_rows *l)
{
    free(l->values);
    free(l->presence);
    free(l->codes);
    free(l->offsets);
    free(l->map);
    buffer_fini(&l->texts);
}

static int reserve(struct load_rows *l, uint32_t n)
{
    if (n <= l->rows_cap)
        return 0;
    free(l->values);
    free(l->presence);
    free(l->codes);
    free(l->offsets);
    l->values = malloc(n * sizeof(*l->values));
    l->presence = malloc((n / 64 + 1) * sizeof(*l->presence));
    l->codes = malloc(n * sizeof(*l->codes));
    l->offsets = malloc((n + 1UL) * sizeof(*l->offsets));
    l->rows_cap = l->values && l->presence && l->codes && l->offsets ? n : 0;
    return l->rows_cap ? 0 : -ENOMEM;
}

/* Bits of the rows at hand that have a value: NULL = all. */
static const uint64_t *find_presence(struct load_rows *l, const struct parquet_vector *v,
                                     uint32_t n)
{
    const uint8_t *valid = v->valid + l->row;

    if (!v->null_count || !memchr(valid, 0, n))
        return NULL;
    memset(l->presence, 0, (n / 64 + 1) * sizeof(*l->presence));
    for (uint32_t i = 0; i < n; i++)
        l->presence[i / 64] |= (uint64_t)valid[i] << (i % 64);
    return l->presence;
}

/* ---- integers ---- */

static const int64_t *read_ints(struct load_rows *l, const struct parquet_vector *v,
                                const struct parquet_column *pc, uint32_t n)
{
    if (v->kind == PARQUET_KIND_BOOL) {
        for (uint32_t i = 0; i < n; i++)
            l->values[i] = v->bools[l->row + i];
        return l->values;
    }
    if (pc->logical != PARQUET_LOGICAL_TIMESTAMP || pc->unit == PARQUET_UNIT_MICROS)
        return v->ints + l->row;
    for (uint32_t i = 0; i < n; i++)
        l->values[i] = load_to_micros(v->ints[l->row + i], pc->unit);
    return l->values;
}

static enum value_kind kind_of(const struct parquet_vector *v, const struct parquet_column *pc)
{
    return v->kind == PARQUET_KIND_BOOL               ? VALUE_BOOL
           : pc->logical == PARQUET_LOGICAL_DATE      ? VALUE_DATE
           : pc->logical == PARQUET_LOGICAL_TIMESTAMP ? VALUE_DATETIME
           : pc->logical == PARQUET_LOGICAL_DECIMAL   ? VALUE_DECIMAL
                                                      : VALUE_INT;
}

static int put_ints(struct load_rows *l, unsigned i, const struct parquet_vector *v,
                    const struct parquet_column *pc, const uint64_t *presence, uint32_t n)
{
    const int64_t *in = read_ints(l, v, pc, n);

    if (!mapping_convert_ints(l->columns[i].column, kind_of(v, pc), (unsigned)pc->scale, in, n,
                              l->values))
        return -EAGAIN;
    return batch_builder_put_i64s(l->builder, i, l->values, presence, n);
}

/* ---- texts ---- */

static int reserve_map(struct load_rows *l, size_t values)
{
    if (values <= l->map_cap)
        return 0;
    free(l->map);
    l->map = malloc(values * sizeof(*l->map));
    l->map_cap = l->map ? values : 0;
    return l->map ? 0 : -ENOMEM;
}

static int add_text(struct load_rows *l, const uint8_t *text, uint32_t len, uint32_t at)
{
    l->offsets[at + 1] = (uint32_t)(l->texts.len + len);
    return len ? buffer_append(&l->texts, text, len) : 0;
}

/* Texts of the rows, one each. */
static int spell_out(struct load_rows *l, unsigned i, const struct parquet_vector *v,
                     const uint64_t *presence, uint32_t n)
{
    int rc = 0;

    l->texts.len = 0;
    l->offsets[0] = 0;
    for (uint32_t r = 0; r < n && !rc; r++) {
        uint32_t len = 0;
        const uint8_t *text =
            v->valid[l->row + r] ? parquet_vector_text(v, l->row + r, &len) : NULL;
        rc = add_text(l, text, len, r);
    }
    return rc ? rc : batch_builder_put_texts(l->builder, i, l->texts.data, l->offsets, presence, n);
}

/* Only the values that these rows have, numbered as they come; texts when they hardly repeat. */
static int put_some_values(struct load_rows *l, unsigned i, const struct parquet_vector *v,
                           const uint64_t *presence, uint32_t n)
{
    const struct parquet_vector *dict = v->dict;
    uint32_t values = 0;

    if (reserve_map(l, dict->count))
        return -ENOMEM;
    memset(l->map, 0xff, dict->count * sizeof(*l->map));
    l->texts.len = 0;
    l->offsets[0] = 0;
    for (uint32_t r = 0; r < n; r++) {
        uint32_t code = v->codes[l->row + r], len;
        l->codes[r] = 0;
        if (!v->valid[l->row + r])
            continue;
        if (l->map[code] == NO_CODE) {
            const uint8_t *text = parquet_vector_text(v, l->row + r, &len);
            if (values >= n / 2)
                return spell_out(l, i, v, presence, n);
            if (add_text(l, text, len, values))
                return -ENOMEM;
            l->map[code] = values++;
        }
        l->codes[r] = l->map[code];
    }
    if (!values)
        return spell_out(l, i, v, presence, n);
    return batch_builder_put_codes(l->builder, i, l->texts.data, l->offsets, values, l->codes,
                                   presence, n);
}

static int put_codes(struct load_rows *l, unsigned i, const struct parquet_vector *v,
                     const uint64_t *presence, uint32_t n)
{
    const struct parquet_vector *dict = v->dict;
    struct load_column *lc = &l->columns[i];

    if (lc->checked != l->batch.row_group + 1) {
        lc->checked = l->batch.row_group + 1;
        lc->takes_values = mapping_takes_texts(lc->column, (const char *)dict->data, dict->offsets,
                                               (uint32_t)dict->count);
    }
    if (!lc->takes_values)
        return -EAGAIN;
    if (!dict->count || dict->count > n / KEEP_VALUES ||
        dict->offsets[dict->count] > (uint64_t)n * KEEP_BYTES)
        return put_some_values(l, i, v, presence, n);
    return batch_builder_put_codes(l->builder, i, dict->data, dict->offsets, (uint32_t)dict->count,
                                   v->codes + l->row, presence, n);
}

static int put_texts(struct load_rows *l, unsigned i, const struct parquet_vector *v,
                     const uint64_t *presence, uint32_t n)
{
    const uint32_t *offsets = v->offsets + l->row;

    if (v->dict)
        return put_codes(l, i, v, presence, n);
    if (!mapping_takes_texts(l->columns[i].column, (const char *)v->data, offsets, n))
        return -EAGAIN;
    return batch_builder_put_texts(l->builder, i, v->data, offsets, presence, n);
}

/* ---- any ---- */

/* What is no loop: cell by cell, and then as a column. */
static int put_cells(struct load_rows *l, unsigned i, uint32_t n)
{
    const struct column *c = l->columns[i].column;
    bool text = c->type == COLUMN_STRING;
    size_t row = l->row;
    int rc = 0;

    memset(l->presence, 0, (n / 64 + 1) * sizeof(*l->presence));
    l->texts.len = 0;
    l->offsets[0] = 0;
    for (uint32_t r = 0; r < n && !rc; r++, l->row++) {
        struct error_info ignored;
        const struct cell *cell = &l->cells[i];
        if (load_rows_convert_cell(l, i, &ignored) || (c->in_key && !cell->present)) {
            rc = -EAGAIN;
            break;
        }
        l->presence[r / 64] |= (uint64_t)cell->present << (r % 64);
        l->values[r] = cell->present ? cell->i64 : 0;
        if (text)
            rc = add_text(l, (const uint8_t *)cell->bytes, cell->present ? cell->len : 0, r);
    }
    l->row = row;
    if (rc)
        return rc;
    return text ? batch_builder_put_texts(l->builder, i, l->texts.data, l->offsets, l->presence, n)
                : batch_builder_put_i64s(l->builder, i, l->values, l->presence, n);
}

/* -EAGAIN when there is no loop for it. */
static int put_vector(struct load_rows *l, unsigned i, uint32_t n)
{
    const struct load_column *lc = &l->columns[i];
    const struct load_input *in = &lc->inputs[0];
    const struct parquet_vector *v;
    const struct parquet_column *pc;
    const uint64_t *presence;

    if (lc->n_inputs != 1 || in->keys[0])
        return -EAGAIN;
    v = &l->batch.vectors[in->vector];
    pc = &parquet_reader_schema(l->reader)->columns[in->file_column];
    presence = find_presence(l, v, n);
    if (presence && (lc->column->in_key || lc->column->default_value))
        return -EAGAIN;
    if (lc->column->type == COLUMN_STRING)
        return v->kind == PARQUET_KIND_BYTES && pc->logical != PARQUET_LOGICAL_UUID
                   ? put_texts(l, i, v, presence, n)
                   : -EAGAIN;
    return v->kind == PARQUET_KIND_INT64 || v->kind == PARQUET_KIND_BOOL
               ? put_ints(l, i, v, pc, presence, n)
               : -EAGAIN;
}

int load_columns_put(struct load_rows *l, uint32_t max_rows)
{
    size_t left = l->batch.rows - l->row;
    uint32_t n = left < max_rows ? (uint32_t)left : max_rows;
    int rc = l->by_column ? reserve(l, n) : -EAGAIN;

    if (rc)
        return rc;
    for (unsigned i = 0; i < l->n && !rc; i++) {
        rc = put_vector(l, i, n);
        if (rc == -EAGAIN)
            rc = put_cells(l, i, n);
    }
    if (!rc)
        rc = batch_builder_end_rows(l->builder, n);
    if (rc) { /* row by row, which knows which one it is */
        batch_builder_reset(l->builder);
        return rc == -ENOMEM ? rc : -EAGAIN;
    }
    for (uint32_t r = 0; r < n; r++)
        l->places[r] = (uint32_t)(l->row + r);
    l->row += n;
    return 0;
}
