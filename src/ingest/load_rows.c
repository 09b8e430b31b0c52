#include "ingest/load_rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { LOAD_MAX_LIST = 1024, LOAD_NOT_IN_FILE = -1 };

struct load_column { /* one per column of the table that takes part */
    const struct column *column;
    int vector; /* position among the selected columns, or LOAD_NOT_IN_FILE (its default is used) */
    uint32_t file_column;
    struct cell *items; /* multi-valued: values of the current row */
    uint32_t n_items;
    struct value *inputs; /* list elements of the current row */
};

struct load_rows {
    struct load_rows_config config;
    struct parquet_reader *reader;
    struct load_column *columns;
    unsigned n;
    struct cell *cells; /* of the current row */
    struct batch_builder *builder;
    uint32_t *places; /* load_rows_places */
    uint32_t places_cap;
};

static bool title_case(const char *path, char *out, size_t cap)
{
    bool start = true;
    size_t i;

    for (i = 0; path[i] && i + 1 < cap; i++) {
        out[i] = start ? (char)toupper((unsigned char)path[i]) : path[i];
        start = path[i] == '/' || path[i] == '.';
    }
    out[i] = 0;
    return !path[i];
}

static bool find_in_file(const struct load_rows *l, const struct column *c, uint32_t *found)
{
    const char *path = c->source && !l->config.ignore_source_path ? c->source : c->name;
    char title[512];

    if (!parquet_reader_find_column(l->reader, path, true, found))
        return true;
    if (l->config.nerd_capitalization && title_case(path, title, sizeof(title)) &&
        !parquet_reader_find_column(l->reader, title, false, found))
        return true;
    return path != c->name && !parquet_reader_find_column(l->reader, c->name, true, found);
}

static int add_column(struct load_rows *l, const struct column *c, int vector, uint32_t file_column)
{
    struct load_column *lc = &l->columns[l->n];

    *lc = (struct load_column){.column = c, .vector = vector, .file_column = file_column};
    lc->inputs = malloc(LOAD_MAX_LIST * sizeof(*lc->inputs));
    lc->items = c->multi_valued ? malloc(LOAD_MAX_LIST * sizeof(*lc->items)) : NULL;
    l->n++;
    return lc->inputs && (lc->items || !c->multi_valued) ? 0 : -ENOMEM;
}

static int match_columns(struct load_rows *l, struct error_info *err)
{
    const struct schema *s = l->config.schema;
    int vector = 0, rc = 0;

    for (uint16_t i = 0; i < s->n_columns && !rc; i++) {
        const struct column *c = &s->columns[i];
        uint32_t file_column = 0;
        if (c->hidden)
            continue;
        if (find_in_file(l, c, &file_column))
            rc = add_column(l, c, vector++, file_column);
        else if (c->default_value)
            rc = add_column(l, c, LOAD_NOT_IN_FILE, 0);
        else if (c->in_key || c->required)
            return error_set(err, -EINVAL, 0,
                             "the file has no column %s for the %s column %s of table %s",
                             c->source ? c->source : c->name, c->in_key ? "key" : "required",
                             c->name, s->name);
    }
    if (!rc && !vector)
        return error_set(err, -EINVAL, 0, "the file has no column of table %s", s->name);
    return rc;
}

static int select_columns(struct load_rows *l, struct error_info *err)
{
    uint32_t *columns = calloc(l->n, sizeof(*columns)), n = 0;
    struct parquet_error perr;

    if (!columns)
        return -ENOMEM;
    for (unsigned i = 0; i < l->n; i++)
        if (l->columns[i].vector != LOAD_NOT_IN_FILE)
            columns[n++] = l->columns[i].file_column;
    int rc = parquet_reader_select(l->reader, columns, n, &perr);
    free(columns);
    return rc ? error_set(err, rc, 0, "%s", perr.text) : 0;
}

static enum batch_kind builder_kind(const struct column *c)
{
    return c->layout == LAYOUT_LIST   ? BATCH_LIST
           : c->type == COLUMN_STRING ? BATCH_BYTES
                                      : BATCH_I64;
}

static int make_builder(struct load_rows *l)
{
    l->builder = batch_builder_new(NULL);
    if (!l->builder)
        return -ENOMEM;
    for (unsigned i = 0; i < l->n; i++) {
        int rc = batch_builder_add_column(l->builder, l->columns[i].column->id,
                                          builder_kind(l->columns[i].column),
                                          l->columns[i].column->scale);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int load_rows_new(const struct load_rows_config *config, struct parquet_reader *reader,
                  struct load_rows **out, struct error_info *err)
{
    struct load_rows *l = calloc(1, sizeof(*l));

    err->text[0] = 0;
    if (!l)
        return error_set(err, -ENOMEM, 0, "out of memory");
    l->config = *config;
    l->reader = reader;
    l->columns = calloc(config->schema->n_columns, sizeof(*l->columns));
    l->cells = calloc(config->schema->n_columns, sizeof(*l->cells));
    int rc = l->columns && l->cells ? match_columns(l, err) : -ENOMEM;
    if (!rc)
        rc = select_columns(l, err);
    if (!rc)
        rc = make_builder(l);
    if (rc) {
        load_rows_free(l);
        return err->text[0] ? rc : error_set(err, rc, 0, "out of memory");
    }
    *out = l;
    return 0;
}

void load_rows_free(struct load_rows *l)
{
    if (!l)
        return;
    for (unsigned i = 0; l->columns && i < l->n; i++) {
        free(l->columns[i].items);
        free(l->columns[i].inputs);
    }
    if (l->builder)
        batch_builder_free(l->builder);
    free(l->columns);
    free(l->cells);
    free(l->places);
    free(l);
}

/* Microseconds of a timestamp in the file's unit; nanoseconds round down. Out of range is so afterwards, too. */
static int64_t to_micros(int64_t v, enum parquet_unit unit)
{
    int64_t micros;

    switch (unit) {
    case PARQUET_UNIT_MILLIS:
        return __builtin_mul_overflow(v, 1000, &micros) ? v < 0 ? INT64_MIN : INT64_MAX : micros;
    case PARQUET_UNIT_NANOS:
        return v / 1000 - (v % 1000 < 0);
    default:
        return v;
    }
}

static struct value int_value(const struct parquet_column *pc, int64_t v)
{
    if (pc->logical == PARQUET_LOGICAL_DATE)
        return (struct value){.kind = VALUE_DATE, .i64 = v};
    if (pc->logical == PARQUET_LOGICAL_TIMESTAMP)
        return (struct value){.kind = VALUE_DATETIME, .i64 = to_micros(v, pc->unit)};
    if (pc->logical == PARQUET_LOGICAL_DECIMAL)
        return (struct value){.kind = VALUE_DECIMAL, .i128 = v, .scale = (uint8_t)pc->scale};
    return (struct value){.kind = VALUE_INT, .i64 = v};
}

/* A 32-bit float stands for its shortest decimal form, not for the digits it gets when widened to a double. */
static double float_value(double wide)
{
    char text[32];

    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, wide);
        if (strtof(text, NULL) == (float)wide)
            break;
    }
    return strtod(text, NULL);
}

static double double_value(const struct parquet_column *pc, double v)
{
    return pc->physical == PARQUET_TYPE_FLOAT ? float_value(v) : v;
}

static struct value element_value(const struct parquet_vector *v, const struct parquet_column *pc,
                                  size_t i)
{
    if (!v->valid[i])
        return (struct value){.kind = VALUE_NULL};
    switch (v->kind) {
    case PARQUET_KIND_BOOL:
        return (struct value){.kind = VALUE_BOOL, .i64 = v->bools[i]};
    case PARQUET_KIND_INT64:
        return int_value(pc, v->ints[i]);
    case PARQUET_KIND_DOUBLE:
        return (struct value){.kind = VALUE_DOUBLE, .f64 = double_value(pc, v->doubles[i])};
    case PARQUET_KIND_INT128:
        return (struct value){.kind = VALUE_DECIMAL,
                              .i128 = v->wides[i],
                              .scale =
                                  pc->logical == PARQUET_LOGICAL_DECIMAL ? (uint8_t)pc->scale : 0};
    case PARQUET_KIND_BYTES:
        return (struct value){.kind = VALUE_TEXT,
                              .bytes = (const char *)v->data + v->offsets[i],
                              .len = v->offsets[i + 1] - v->offsets[i]};
    }
    return (struct value){.kind = VALUE_NULL};
}

static int list_value(struct load_column *lc, const struct parquet_vector *v,
                      const struct parquet_column *pc, size_t row, struct value *out,
                      struct error_info *err)
{
    uint32_t from = v->lists[row], n = v->lists[row + 1] - from;

    if (n > LOAD_MAX_LIST)
        return error_set(err, -E2BIG, 0, "column %s: %u values in one row; allowed are %d",
                         lc->column->name, n, LOAD_MAX_LIST);
    for (uint32_t i = 0; i < n; i++)
        lc->inputs[i] = element_value(v, pc, from + i);
    *out = n ? (struct value){.kind = VALUE_LIST, .items = lc->inputs, .n_items = n}
             : (struct value){.kind = VALUE_NULL};
    if (n == 1 && !lc->column->multi_valued)
        *out = lc->inputs[0];
    return 0;
}

static bool is_now(const char *text)
{
    static const char *const names[] = {"now(", "current_timestamp", "localtimestamp"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strncasecmp(text, names[i], strlen(names[i])))
            return true;
    return false;
}

/* The present moment in the column's ticks. */
static struct value now_value(const struct column *c)
{
    int64_t tick = c->scale == 0 ? 1000000 : c->scale == 3 ? 1000 : 1, us;
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
    if (c->type == COLUMN_DATE)
        return (struct value){.kind = VALUE_DATE, .i64 = us / 86400000000};
    return (struct value){.kind = VALUE_DATETIME, .i64 = us - us % tick};
}

static struct value default_value(const struct column *c)
{
    if (is_now(c->default_value))
        return now_value(c);
    return (struct value){.kind = VALUE_TEXT,
                          .bytes = c->default_value,
                          .len = (uint32_t)strlen(c->default_value)};
}

static int convert_cell(struct load_rows *l, unsigned i, const struct parquet_batch *b, size_t row,
                        struct error_info *err)
{
    struct load_column *lc = &l->columns[i];
    struct value in = {.kind = VALUE_NULL};
    int rc = 0;

    if (lc->vector != LOAD_NOT_IN_FILE) {
        const struct parquet_vector *v = &b->vectors[lc->vector];
        const struct parquet_column *pc =
            &parquet_reader_schema(l->reader)->columns[lc->file_column];
        if (v->is_list)
            rc = list_value(lc, v, pc, row, &in, err);
        else
            in = element_value(v, pc, row);
    }
    if (!rc && in.kind == VALUE_NULL && lc->column->default_value)
        in = default_value(lc->column);
    if (rc)
        return rc;
    if (lc->column->multi_valued)
        return mapping_convert_list(lc->column, &in, lc->items, LOAD_MAX_LIST, &lc->n_items, err);
    return mapping_convert(lc->column, &in, &l->cells[i], err);
}

static int put_row(struct load_rows *l)
{
    int rc = 0;

    for (unsigned i = 0; i < l->n && !rc; i++) {
        const struct load_column *lc = &l->columns[i];
        const struct cell *c = &l->cells[i];
        if (lc->column->multi_valued) {
            for (uint32_t k = 0; k < lc->n_items && !rc; k++)
                rc = batch_builder_put_list_item(l->builder, i, lc->items[k].bytes,
                                                 lc->items[k].len);
        } else if (c->present) {
            rc = lc->column->type == COLUMN_STRING
                     ? batch_builder_put_bytes(l->builder, i, c->bytes, c->len)
                     : batch_builder_put_i64(l->builder, i, c->i64);
        }
    }
    return rc ? rc : batch_builder_end_row(l->builder);
}

static int check_key(const struct load_rows *l, struct error_info *err)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->columns[i].column->in_key && !l->cells[i].present)
            return error_set(err, -EINVAL, 1048, "column %s is part of the key and has no value",
                             l->columns[i].column->name);
    return 0;
}

static int convert_row(struct load_rows *l, const struct parquet_batch *b, size_t row,
                       struct error_info *err)
{
    for (unsigned i = 0; i < l->n; i++) {
        int rc = convert_cell(l, i, b, row, err);
        if (rc)
            return rc;
    }
    return check_key(l, err);
}

static int reserve_places(struct load_rows *l, uint32_t rows)
{
    if (rows <= l->places_cap)
        return 0;
    uint32_t *places = realloc(l->places, rows * sizeof(*places));
    if (!places)
        return -ENOMEM;
    l->places = places;
    l->places_cap = rows;
    return 0;
}

const uint32_t *load_rows_places(const struct load_rows *l)
{
    return l->places;
}

int load_rows_next(struct load_rows *l, uint32_t max_rows, struct buffer *out, uint32_t *rows,
                   uint32_t *rejected, struct error_info *err)
{
    struct parquet_batch b;
    struct parquet_error perr;
    int rc = parquet_reader_next(l->reader, max_rows, &b, &perr);

    *rows = *rejected = 0;
    if (rc)
        return error_set(err, rc, 0, "%s", perr.text);
    if (reserve_places(l, (uint32_t)b.rows))
        return error_set(err, -ENOMEM, 0, "out of memory");
    batch_builder_reset(l->builder);
    for (size_t row = 0; row < b.rows; row++) {
        struct error_info why;
        if (convert_row(l, &b, row, &why)) {
            ++*rejected;
            l->config.reject(l->config.ctx, b.first_row + row, &why);
            continue;
        }
        l->places[batch_builder_rows(l->builder)] = (uint32_t)row;
        rc = put_row(l);
        if (rc)
            return error_set(err, rc, 0, "row %llu does not fit a batch: %s",
                             (unsigned long long)(b.first_row + row), strerror(-rc));
    }
    *rows = batch_builder_rows(l->builder);
    if (!*rows)
        return 0;
    rc = batch_builder_finish(l->builder, BATCH_UPSERT, l->config.schema->table_id, BATCH_SLOT_ANY,
                              out);
    return rc ? error_set(err, rc, 0,
                          "a batch of %u rows is too large: %s; take a smaller --buf-size", *rows,
                          strerror(-rc))
              : 0;
}
