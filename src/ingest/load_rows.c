#include "ingest/load_columns.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "storage/mapping_value.h"

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

static bool find_path(const struct load_rows *l, const char *path, uint32_t *found)
{
    char title[512];

    if (!parquet_reader_find_column(l->reader, path, true, found))
        return true;
    return l->config.nerd_capitalization && title_case(path, title, sizeof(title)) &&
           !parquet_reader_find_column(l->reader, title, false, found);
}

/* Members of a group of the file that make one value of the strategy. */
static bool object_keys(const struct column *c, const char *keys[2])
{
    bool uuid = c->mapping == MAPPING_UUID_BSI;

    if (!uuid && c->mapping != MAPPING_SYS_SEC_BSI && c->mapping != MAPPING_SYS_MILLIS_BSI &&
        c->mapping != MAPPING_SYS_MICRO_BSI)
        return false;
    keys[0] = schema_config(c, uuid ? "upperSource" : "seconds");
    keys[1] = schema_config(c, uuid ? "lowerSource" : "nanos");
    if (!keys[0])
        keys[0] = uuid ? "upperBits" : "seconds";
    if (!keys[1])
        keys[1] = uuid ? "lowerBits" : "nanos";
    return true;
}

/* One path, or the two members below it. */
static bool find_input(const struct load_rows *l, const struct column *c, const char *path,
                       struct load_input *in)
{
    char member[512];

    if (find_path(l, path, &in->file_column)) {
        in->second_column = in->file_column;
        in->keys[0] = NULL;
        return true;
    }
    if (!object_keys(c, in->keys))
        return false;
    snprintf(member, sizeof(member), "%s/%s", path, in->keys[0]);
    if (!find_path(l, member, &in->file_column))
        return false;
    in->second_column = in->file_column;
    snprintf(member, sizeof(member), "%s/%s", path, in->keys[1]);
    return find_path(l, member, &in->second_column) || c->mapping != MAPPING_UUID_BSI;
}

static void add_input(struct load_rows *l, struct load_column *lc, const struct load_input *in)
{
    struct load_input *to = &lc->inputs[lc->n_inputs];

    if (lc->n_inputs == LOAD_MAX_INPUTS)
        return;
    *to = *in;
    to->vector = to->second = l->n_vectors++;
    if (in->second_column != in->file_column)
        to->second = l->n_vectors++;
    if (in->of_element && l->element_vector < 0)
        l->element_vector = (int)to->vector;
    lc->n_inputs++;
}

/* A source as it is written, of a row or below config.element ("^x" is always there, "/x" never). */
static bool add_source(struct load_rows *l, struct load_column *lc, const char *path)
{
    const char *element = l->config.element;
    struct load_input in = {0};
    char below[512];

    if (element && *path != '/') {
        snprintf(below, sizeof(below), "%s/%s", element, *path == '^' ? path + 1 : path);
        in.of_element = true;
        path = below;
    }
    if (!find_input(l, lc->column, path, &in))
        return false;
    if (in.of_element && parquet_reader_schema(l->reader)->columns[in.file_column].max_rep != 1)
        l->nested = lc->column;
    add_input(l, lc, &in);
    return true;
}

/* Nested rows belong to the row around them: the relation takes its key. */
static bool add_parent_key(struct load_rows *l, struct load_column *lc)
{
    const struct schema *parent = l->config.parent;
    const struct column *key;
    struct load_input in = {0};

    if (!parent || lc->column->mapping != MAPPING_PARENT_RELATION || parent->n_key != 1 ||
        strcmp(lc->column->parent_table, parent->name))
        return false;
    key = &parent->columns[parent->key[0]];
    if (!(key->source && !l->config.ignore_source_path && find_input(l, key, key->source, &in)) &&
        !find_input(l, key, key->name, &in))
        return false;
    add_input(l, lc, &in);
    return true;
}

static void add_delegated(struct load_rows *l, struct load_column *lc)
{
    const struct schema *s = l->config.schema;

    for (unsigned i = 0; i < s->n_inputs; i++)
        if (s->inputs[i].mapping == MAPPING_DELEGATED &&
            !strcasecmp(s->inputs[i].target, lc->column->name))
            add_source(l, lc, s->inputs[i].source);
}

static bool add_sources(struct load_rows *l, struct load_column *lc)
{
    const struct column *c = lc->column;
    const char *path = c->source && !l->config.ignore_source_path ? c->source : c->name;

    if (!add_source(l, lc, path) && path != c->name)
        add_source(l, lc, c->name);
    if (!lc->n_inputs)
        add_parent_key(l, lc);
    add_delegated(l, lc);
    return lc->n_inputs > 0;
}

static int check_default(const struct load_rows *l, const struct column *c, struct error_info *err)
{
    if (!c->default_value || schema_is_now(c->default_value) || !schema_is_call(c->default_value))
        return 0;
    return error_set(err, -EINVAL, 0,
                     "column %s of table %s: found the default %.100s; the loader knows literals "
                     "and now()",
                     c->name, l->config.schema->name, c->default_value);
}

static int add_column(struct load_rows *l, const struct column *c, struct error_info *err)
{
    struct load_column *lc = &l->columns[l->n];
    int rc;

    *lc = (struct load_column){.column = c};
    if (!add_sources(l, lc) && !c->default_value)
        return c->in_key || c->required
                   ? error_set(err, -EINVAL, 0,
                               "the file has no column %s for the %s column %s of table %s",
                               c->source ? c->source : c->name, c->in_key ? "key" : "required",
                               c->name, l->config.schema->name)
                   : 0;
    rc = check_default(l, c, err);
    if (rc)
        return rc;
    lc->inputs_of_list = malloc(LOAD_MAX_LIST * sizeof(*lc->inputs_of_list));
    lc->items = c->multi_valued ? malloc(LOAD_MAX_LIST * sizeof(*lc->items)) : NULL;
    l->n++;
    return lc->inputs_of_list && (lc->items || !c->multi_valued) ? 0 : -ENOMEM;
}

static int match_columns(struct load_rows *l, struct error_info *err)
{
    const struct schema *s = l->config.schema;
    int rc = 0;

    l->element_vector = -1;
    for (uint16_t i = 0; i < s->n_columns && !rc; i++)
        if (!s->columns[i].hidden)
            rc = add_column(l, &s->columns[i], err);
    if (l->config.element && l->element_vector < 0)
        return error_set(err, -ENOENT, 0, "the file has no column of table %s below %s", s->name,
                         l->config.element);
    if (!rc && l->nested)
        return error_set(err, -ENOTSUP, 0,
                         "column %s of table %s: found a list within the list %s; allowed is one "
                         "level",
                         l->nested->name, s->name, l->config.element);
    if (!rc && !l->n_vectors)
        return error_set(err, -EINVAL, 0, "the file has no column of table %s", s->name);
    return rc;
}

static int select_columns(struct load_rows *l, struct error_info *err)
{
    uint32_t *columns = calloc(l->n_vectors, sizeof(*columns));
    struct parquet_error perr;

    if (!columns)
        return -ENOMEM;
    for (unsigned i = 0; i < l->n; i++)
        for (unsigned k = 0; k < l->columns[i].n_inputs; k++) {
            const struct load_input *in = &l->columns[i].inputs[k];
            columns[in->vector] = in->file_column;
            columns[in->second] = in->second_column;
        }
    int rc = parquet_reader_select(l->reader, columns, l->n_vectors, &perr);
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
    if (!rc)
        load_columns_init(l);
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
        free(l->columns[i].inputs_of_list);
    }
    if (l->builder)
        batch_builder_free(l->builder);
    load_columns_free(l);
    free(l->columns);
    free(l->cells);
    free(l->places);
    free(l);
}

static struct value int_value(const struct parquet_column *pc, int64_t v)
{
    if (pc->logical == PARQUET_LOGICAL_DATE)
        return (struct value){.kind = VALUE_DATE, .i64 = v};
    if (pc->logical == PARQUET_LOGICAL_TIMESTAMP)
        return (struct value){.kind = VALUE_DATETIME, .i64 = load_to_micros(v, pc->unit)};
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

/* 16 bytes of a file as the text that columns take. */
static struct value uuid_value(const uint8_t bytes[16])
{
    const char *text = mapping_uuid_text(bytes);

    return (struct value){.kind = VALUE_TEXT, .bytes = text, .len = text ? 36 : 0};
}

static struct value text_value(const struct parquet_vector *v, const struct parquet_column *pc,
                               size_t i)
{
    uint32_t len;
    const uint8_t *text = parquet_vector_text(v, i, &len);

    if (pc->logical == PARQUET_LOGICAL_UUID && len == 16)
        return uuid_value(text);
    return (struct value){.kind = VALUE_TEXT, .bytes = (const char *)text, .len = len};
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
        return text_value(v, pc, i);
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
        lc->inputs_of_list[i] = element_value(v, pc, from + i);
    *out = n ? (struct value){.kind = VALUE_LIST, .items = lc->inputs_of_list, .n_items = n}
             : (struct value){.kind = VALUE_NULL};
    if (n == 1 && !lc->column->multi_valued)
        *out = lc->inputs_of_list[0];
    return 0;
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
    if (schema_is_now(c->default_value))
        return now_value(c);
    return (struct value){.kind = VALUE_TEXT,
                          .bytes = c->default_value,
                          .len = (uint32_t)strlen(c->default_value)};
}

/* A time of day stands for that time of some day where a strategy asks for it. */
static void as_time_of_day(const struct column *c, const struct parquet_column *pc, struct value *v)
{
    if (pc->logical != PARQUET_LOGICAL_TIME || v->kind != VALUE_INT ||
        (c->mapping != MAPPING_TIME_OF_DAY && c->mapping != MAPPING_HOUR_OF_DAY))
        return;
    *v = (struct value){.kind = VALUE_DATETIME, .i64 = load_to_micros(v->i64, pc->unit)};
}

static int read_one(struct load_rows *l, struct load_column *lc, const struct load_input *in,
                    bool second, struct value *out, struct error_info *err)
{
    const struct parquet_batch *b = &l->batch;
    const struct parquet_vector *v = &b->vectors[second ? in->second : in->vector];
    const struct parquet_column *pc =
        &parquet_reader_schema(l->reader)->columns[second ? in->second_column : in->file_column];

    if (in->of_element) {
        if (!v->is_list || v->lists[l->row + 1] - v->lists[l->row] <= l->element)
            return error_set(err, -EINVAL, 0, "column %s: the list has no element %u",
                             lc->column->name, l->element);
        *out = element_value(v, pc, v->lists[l->row] + l->element);
    } else if (v->is_list) {
        return list_value(lc, v, pc, l->row, out, err);
    } else {
        *out = element_value(v, pc, l->row);
    }
    as_time_of_day(lc->column, pc, out);
    return 0;
}

/* Two members as the object that the strategy reads. */
static int read_object(struct load_rows *l, struct load_column *lc, const struct load_input *in,
                       struct value *out, struct error_info *err)
{
    struct value two[2] = {{.kind = VALUE_NULL}, {.kind = VALUE_NULL}};
    char text[2][64];
    int rc = read_one(l, lc, in, false, &two[0], err), n;

    if (!rc && in->second != in->vector)
        rc = read_one(l, lc, in, true, &two[1], err);
    *out = (struct value){.kind = VALUE_NULL};
    if (rc || (two[0].kind == VALUE_NULL && two[1].kind == VALUE_NULL))
        return rc;
    for (unsigned i = 0; i < 2; i++)
        text[i][mapping_print_value(&two[i], text[i], sizeof(text[i]) - 1)] = 0;
    if (two[1].kind == VALUE_NULL && lc->column->mapping != MAPPING_UUID_BSI)
        n = snprintf(lc->object, sizeof(lc->object), "{\"%s\":\"%s\"}", in->keys[0], text[0]);
    else
        n = snprintf(lc->object, sizeof(lc->object), "{\"%s\":\"%s\",\"%s\":\"%s\"}", in->keys[0],
                     text[0], in->keys[1], text[1]);
    if (n >= (int)sizeof(lc->object))
        return error_set(err, -E2BIG, 0, "column %s: the two parts are too long", lc->column->name);
    *out = (struct value){.kind = VALUE_TEXT, .bytes = lc->object, .len = (uint32_t)n};
    return 0;
}

int load_rows_convert_cell(struct load_rows *l, unsigned i, struct error_info *err)
{
    struct load_column *lc = &l->columns[i];
    struct value in = {.kind = VALUE_NULL};
    int rc = 0;

    for (unsigned k = 0; k < lc->n_inputs && !rc && in.kind == VALUE_NULL; k++)
        rc = lc->inputs[k].keys[0] ? read_object(l, lc, &lc->inputs[k], &in, err)
                                   : read_one(l, lc, &lc->inputs[k], false, &in, err);
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

/* The row's key as far as it can be read, before the reason: "key 5-7: ...". */
static void name_key(struct load_rows *l, struct error_info *err)
{
    const struct schema *s = l->config.schema;
    struct error_info ignored, why = *err;
    char key[200];
    size_t at = 0;

    for (unsigned k = 0; k < s->n_key; k++)
        for (unsigned i = 0; i < l->n; i++) {
            if (l->columns[i].column != &s->columns[s->key[k]])
                continue;
            if (load_rows_convert_cell(l, i, &ignored) || at + 2 > sizeof(key))
                return;
            if (at)
                key[at++] = '-';
            at += mapping_print(l->columns[i].column, &l->cells[i], key + at,
                                sizeof(key) - 1 - at < 60 ? sizeof(key) - 1 - at : 60);
        }
    if (!at)
        return;
    error_set(err, 0, why.code, "key %.*s: %.440s", (int)(at > 60 ? 60 : at), key, why.text);
}

static int convert_row(struct load_rows *l, struct error_info *err)
{
    for (unsigned i = 0; i < l->n; i++) {
        int rc = load_rows_convert_cell(l, i, err);
        if (rc) {
            name_key(l, err);
            return rc;
        }
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

uint64_t load_rows_first_row(const struct load_rows *l)
{
    return l->batch.first_row;
}

/* Elements of the current row, 1 where rows have none. */
static uint32_t count_elements(const struct load_rows *l)
{
    const struct parquet_vector *v;

    if (l->element_vector < 0)
        return 1;
    v = &l->batch.vectors[l->element_vector];
    return v->is_list ? v->lists[l->row + 1] - v->lists[l->row] : 0;
}

/* Converts rows of the batch at hand, up to max_rows of the table. */
static int convert_rows(struct load_rows *l, uint32_t max_rows, uint32_t *rejected,
                        struct error_info *err)
{
    for (; l->row < l->batch.rows; l->row++, l->element = 0) {
        for (uint32_t n = count_elements(l); l->element < n; l->element++) {
            struct error_info why;
            if (batch_builder_rows(l->builder) + *rejected >= max_rows)
                return 0;
            if (convert_row(l, &why)) {
                ++*rejected;
                l->config.reject(l->config.ctx, l->batch.first_row + l->row, &why);
                continue;
            }
            l->places[batch_builder_rows(l->builder)] = (uint32_t)l->row;
            int rc = put_row(l);
            if (rc)
                return error_set(err, rc, 0, "row %llu does not fit a batch: %s",
                                 (unsigned long long)(l->batch.first_row + l->row), strerror(-rc));
        }
    }
    return 0;
}

int load_rows_next(struct load_rows *l, uint32_t max_rows, struct buffer *out, uint32_t *rows,
                   uint32_t *rejected, struct error_info *err)
{
    struct parquet_error perr;
    int rc;

    *rows = *rejected = 0;
    if (reserve_places(l, max_rows))
        return error_set(err, -ENOMEM, 0, "out of memory");
    batch_builder_reset(l->builder);
    /* Rows without elements give none: on to the next ones. */
    while (!*rows && !*rejected) {
        if (l->row >= l->batch.rows) {
            rc = parquet_reader_next(l->reader, max_rows, &l->batch, &perr);
            if (rc)
                return error_set(err, rc, 0, "%s", perr.text);
            l->row = 0;
            l->element = 0;
            if (!l->batch.rows)
                return 0;
        }
        rc = load_columns_put(l, max_rows);
        if (rc == -ENOMEM)
            return error_set(err, rc, 0, "out of memory");
        if (rc)
            rc = convert_rows(l, max_rows, rejected, err);
        if (rc)
            return rc;
        *rows = batch_builder_rows(l->builder);
    }
    if (!*rows)
        return 0;
    rc = batch_builder_finish(l->builder, BATCH_UPSERT, l->config.schema->table_id, BATCH_SLOT_ANY,
                              out);
    return rc ? error_set(err, rc, 0,
                          "a batch of %u rows is too large: %s; take a smaller --buf-size", *rows,
                          strerror(-rc))
              : 0;
}
