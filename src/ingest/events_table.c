#include "ingest/events_table.h"

#include <string.h>

#include "ingest/gen_columns.h"

/* Bytes of the longest string of a row: "Title " and a number of 20 digits. */
#define TEXT_MAX 32

#define TEXT_COLUMN(title)                                                                    \
    {                                                                                         \
        .name = title, .physical = PARQUET_TYPE_BYTE_ARRAY, .logical = PARQUET_LOGICAL_STRING \
    }
#define INT_COLUMN(title)                             \
    {                                                 \
        .name = title, .physical = PARQUET_TYPE_INT64 \
    }
#define DECIMAL_COLUMN(title, digits, places)                                              \
    {                                                                                      \
        .name = title, .physical = PARQUET_TYPE_INT64, .logical = PARQUET_LOGICAL_DECIMAL, \
        .precision = digits, .scale = places                                               \
    }

static const struct parquet_column_spec event_columns[] = {
    INT_COLUMN("id"),
    {.name = "ts",
     .physical = PARQUET_TYPE_INT64,
     .logical = PARQUET_LOGICAL_TIMESTAMP,
     .unit = PARQUET_UNIT_MILLIS,
     .utc = true},
    TEXT_COLUMN("device"),
    TEXT_COLUMN("country"),
    TEXT_COLUMN("event"),
    INT_COLUMN("content_id"),
    TEXT_COLUMN("user_id"),
    INT_COLUMN("duration"),
    DECIMAL_COLUMN("revenue", 12, 2),
    {.name = "live", .physical = PARQUET_TYPE_BOOLEAN},
};

static const struct parquet_column_spec content_columns[] = {
    INT_COLUMN("content_id"), TEXT_COLUMN("title"),           TEXT_COLUMN("category"),
    INT_COLUMN("year"),       DECIMAL_COLUMN("rating", 4, 1),
};

const struct parquet_column_spec *events_table_columns(enum events_table table, uint32_t *count)
{
    if (table == EVENTS_TABLE_CONTENT) {
        *count = sizeof(content_columns) / sizeof(content_columns[0]);
        return content_columns;
    }
    *count = sizeof(event_columns) / sizeof(event_columns[0]);
    return event_columns;
}

/* Appends to a vector with room for the string. */
static void put_text(struct parquet_vector *v, const char *prefix, uint64_t number, unsigned digits)
{
    char buf[TEXT_MAX];
    size_t at = sizeof(buf), len = strlen(prefix);
    for (unsigned i = 0; i < digits || number > 0 || i == 0; i++) {
        buf[--at] = (char)('0' + number % 10);
        number /= 10;
    }
    uint8_t *to = v->data + v->data_len;
    memcpy(to, prefix, len);
    memcpy(to + len, buf + at, sizeof(buf) - at);
    v->data_len += len + sizeof(buf) - at;
    v->offsets[++v->count] = (uint32_t)v->data_len;
}

static void put_name(struct parquet_vector *v, const char *name)
{
    size_t len = strlen(name);
    memcpy(v->data + v->data_len, name, len);
    v->data_len += len;
    v->offsets[++v->count] = (uint32_t)v->data_len;
}

static void put_int(struct parquet_vector *v, int64_t value)
{
    v->ints[v->count++] = value;
}

static void put_event(struct parquet_vector *v, const struct events_row *row)
{
    put_int(&v[0], row->id);
    put_int(&v[1], row->ts_seconds * 1000);
    put_name(&v[2], events_device_name(row->device));
    put_text(&v[3], "C", row->country, 3);
    put_text(&v[4], "E", row->event, 1);
    put_int(&v[5], row->content_id);
    put_text(&v[6], "u", row->user, 1);
    put_int(&v[7], row->duration);
    put_int(&v[8], row->revenue_cents);
    v[9].bools[v[9].count++] = row->live;
}

static void put_content(struct parquet_vector *v, const struct content_row *row)
{
    put_int(&v[0], row->content_id);
    put_text(&v[1], "Title ", (uint64_t)row->content_id, 1);
    put_text(&v[2], "G", row->category, 1);
    put_int(&v[3], row->year);
    put_int(&v[4], row->rating_tenths);
}

int events_table_fill(enum events_table table, const struct events_spec *spec, uint64_t first,
                      size_t n, struct parquet_vector *vectors, struct parquet_error *err)
{
    uint32_t count;
    events_table_columns(table, &count);
    int rc = gen_columns_begin(vectors, count, n, TEXT_MAX, err);
    if (rc < 0)
        return rc;
    for (uint64_t i = first; i < first + n; i++) {
        if (table == EVENTS_TABLE_EVENTS) {
            struct events_row row;
            events_make_row(spec, i, &row);
            put_event(vectors, &row);
        } else {
            struct content_row row;
            events_make_content(spec, i, &row);
            put_content(vectors, &row);
        }
    }
    return 0;
}
