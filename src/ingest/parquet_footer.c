#include "ingest/parquet_footer.h"

#include <string.h>

#include "ingest/parquet_format.h"

#define CREATED_BY "quanta"

static void write_text(struct thrift_writer *t, int16_t id, const char *text)
{
    thrift_write_binary(t, id, text, strlen(text));
}

/* The older annotation with the same meaning, for readers that know only those; -1 = none. */
static int32_t converted_of(const struct parquet_column *c)
{
    switch (c->logical) {
    case PARQUET_LOGICAL_STRING:
        return PARQUET_CONVERTED_UTF8;
    case PARQUET_LOGICAL_ENUM:
        return PARQUET_CONVERTED_ENUM;
    case PARQUET_LOGICAL_DECIMAL:
        return PARQUET_CONVERTED_DECIMAL;
    case PARQUET_LOGICAL_DATE:
        return PARQUET_CONVERTED_DATE;
    case PARQUET_LOGICAL_TIME:
        return c->unit == PARQUET_UNIT_NANOS || !c->utc
                   ? -1
                   : PARQUET_CONVERTED_TIME_MILLIS + (int32_t)c->unit - PARQUET_UNIT_MILLIS;
    case PARQUET_LOGICAL_TIMESTAMP:
        return c->unit == PARQUET_UNIT_NANOS || !c->utc
                   ? -1
                   : PARQUET_CONVERTED_TIMESTAMP_MILLIS + (int32_t)c->unit - PARQUET_UNIT_MILLIS;
    case PARQUET_LOGICAL_INTEGER:
        return (c->is_unsigned ? PARQUET_CONVERTED_UINT_8 : PARQUET_CONVERTED_INT_8) +
               __builtin_ctz(c->bit_width) - 3;
    case PARQUET_LOGICAL_JSON:
        return PARQUET_CONVERTED_JSON;
    case PARQUET_LOGICAL_BSON:
        return PARQUET_CONVERTED_BSON;
    case PARQUET_LOGICAL_INTERVAL:
        return PARQUET_CONVERTED_INTERVAL;
    default:
        return -1;
    }
}

static void write_logical(struct thrift_writer *t, const struct parquet_column *c)
{
    if (c->logical == PARQUET_LOGICAL_NONE || c->logical == PARQUET_LOGICAL_INTERVAL)
        return;
    thrift_write_struct(t, 10);
    thrift_write_struct(t, (int16_t)c->logical);
    if (c->logical == PARQUET_LOGICAL_DECIMAL) {
        thrift_write_i32(t, 1, c->scale);
        thrift_write_i32(t, 2, c->precision);
    } else if (c->logical == PARQUET_LOGICAL_TIME || c->logical == PARQUET_LOGICAL_TIMESTAMP) {
        thrift_write_bool(t, 1, c->utc);
        thrift_write_struct(t, 2);
        thrift_write_struct(t, (int16_t)c->unit);
        thrift_write_end(t);
        thrift_write_end(t);
    } else if (c->logical == PARQUET_LOGICAL_INTEGER) {
        thrift_write_i8(t, 1, (int8_t)c->bit_width);
        thrift_write_bool(t, 2, !c->is_unsigned);
    }
    thrift_write_end(t);
    thrift_write_end(t);
}

static void write_element(struct thrift_writer *t, const struct parquet_column *c)
{
    int32_t converted = converted_of(c);
    thrift_write_begin(t);
    thrift_write_i32(t, 1, (int32_t)c->physical);
    if (c->physical == PARQUET_TYPE_FIXED)
        thrift_write_i32(t, 2, c->type_length);
    thrift_write_i32(t, 3, (int32_t)c->repetition);
    write_text(t, 4, c->path);
    if (converted >= 0)
        thrift_write_i32(t, 6, converted);
    if (c->logical == PARQUET_LOGICAL_DECIMAL) {
        thrift_write_i32(t, 7, c->scale);
        thrift_write_i32(t, 8, c->precision);
    }
    write_logical(t, c);
    thrift_write_end(t);
}

static void write_schema(struct thrift_writer *t, const struct parquet_footer *f)
{
    thrift_write_list(t, 2, THRIFT_STRUCT, f->column_count + 1);
    thrift_write_begin(t);
    write_text(t, 4, "schema");
    thrift_write_i32(t, 5, (int32_t)f->column_count);
    thrift_write_end(t);
    for (uint32_t i = 0; i < f->column_count; i++)
        write_element(t, &f->columns[i]);
}

static void write_stats(struct thrift_writer *t, const struct parquet_column *c,
                        const struct parquet_stats *s)
{
    uint8_t bytes[PARQUET_STATS_BYTES_MAX];
    thrift_write_struct(t, 12);
    thrift_write_i64(t, 3, (int64_t)s->null_count);
    if (s->has_values && !s->is_dropped && parquet_stats_have_order(c)) {
        size_t len = parquet_stats_encode(c, &s->max, bytes);
        thrift_write_binary(t, 5, bytes, len);
        len = parquet_stats_encode(c, &s->min, bytes);
        thrift_write_binary(t, 6, bytes, len);
    }
    thrift_write_end(t);
}

static void write_chunk_meta(struct thrift_writer *t, const struct parquet_footer *f,
                             uint32_t column, const struct parquet_footer_chunk *chunk)
{
    const struct parquet_column *c = &f->columns[column];
    const struct parquet_chunk_summary *s = &chunk->summary;
    bool has_dict = s->dict_len > 0;
    thrift_write_struct(t, 3);
    thrift_write_i32(t, 1, (int32_t)c->physical);
    thrift_write_list(t, 2, THRIFT_I32, 1u + s->has_plain + has_dict);
    thrift_write_element_i32(t, PARQUET_ENCODING_RLE);
    if (s->has_plain)
        thrift_write_element_i32(t, PARQUET_ENCODING_PLAIN);
    if (has_dict)
        thrift_write_element_i32(t, PARQUET_ENCODING_RLE_DICTIONARY);
    thrift_write_list(t, 3, THRIFT_BINARY, 1);
    thrift_write_element_binary(t, c->path, strlen(c->path));
    thrift_write_i32(t, 4, (int32_t)f->codec);
    thrift_write_i64(t, 5, (int64_t)s->value_count);
    thrift_write_i64(t, 6, (int64_t)s->raw_len);
    thrift_write_i64(t, 7, (int64_t)s->len);
    thrift_write_i64(t, 9, (int64_t)(chunk->offset + s->dict_len));
    if (has_dict)
        thrift_write_i64(t, 11, (int64_t)chunk->offset);
    if (f->has_statistics)
        write_stats(t, c, &s->stats);
    thrift_write_end(t);
}

static void write_group(struct thrift_writer *t, const struct parquet_footer *f, uint32_t number)
{
    const struct parquet_footer_group *g = &f->groups[number];
    uint64_t raw_len = 0, len = 0;
    thrift_write_begin(t);
    thrift_write_list(t, 1, THRIFT_STRUCT, f->column_count);
    for (uint32_t i = 0; i < f->column_count; i++) {
        thrift_write_begin(t);
        thrift_write_i64(t, 2, 0);
        write_chunk_meta(t, f, i, &g->chunks[i]);
        thrift_write_end(t);
        raw_len += g->chunks[i].summary.raw_len;
        len += g->chunks[i].summary.len;
    }
    thrift_write_i64(t, 2, (int64_t)raw_len);
    thrift_write_i64(t, 3, (int64_t)g->row_count);
    thrift_write_i64(t, 5, (int64_t)g->chunks[0].offset);
    thrift_write_i64(t, 6, (int64_t)len);
    if (number <= INT16_MAX)
        thrift_write_i16(t, 7, (int16_t)number);
    thrift_write_end(t);
}

void parquet_footer_encode(const struct parquet_footer *f, struct thrift_writer *t)
{
    thrift_write_begin(t);
    thrift_write_i32(t, 1, 2);
    write_schema(t, f);
    thrift_write_i64(t, 3, (int64_t)f->row_count);
    thrift_write_list(t, 4, THRIFT_STRUCT, f->group_count);
    for (uint32_t i = 0; i < f->group_count; i++)
        write_group(t, f, i);
    write_text(t, 6, CREATED_BY);
    /* Bounds are in the order of the logical types: without this readers ignore them. */
    thrift_write_list(t, 7, THRIFT_STRUCT, f->column_count);
    for (uint32_t i = 0; i < f->column_count; i++) {
        thrift_write_begin(t);
        thrift_write_struct(t, 1);
        thrift_write_end(t);
        thrift_write_end(t);
    }
    thrift_write_end(t);
}
