#include "ingest/tpch_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALUE_MAX 64 /* bytes of a number or a day */

/* The text of an integer, an amount or a day; its bytes. */
static size_t print_value(const struct parquet_column_spec *column, int64_t v, char *text)
{
    if (column->logical == PARQUET_LOGICAL_DECIMAL)
        return (size_t)snprintf(text, VALUE_MAX, "%s%lld.%02lld", v < 0 ? "-" : "", llabs(v) / 100,
                                llabs(v) % 100);
    if (column->logical != PARQUET_LOGICAL_DATE)
        return (size_t)snprintf(text, VALUE_MAX, "%lld", (long long)v);
    time_t seconds = (time_t)v * 86400;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return strftime(text, VALUE_MAX, "%Y-%m-%d", &tm);
}

int tpch_csv_rows(enum tpch_table table, const struct parquet_vector *vectors, size_t n,
                  struct parquet_buffer *out, struct parquet_error *err)
{
    uint32_t count, len;
    const struct parquet_column_spec *columns = tpch_columns(table, &count);
    char text[VALUE_MAX];
    int rc = 0;

    for (size_t row = 0; row < n; row++)
        for (uint32_t i = 0; i < count && rc == 0; i++) {
            if (vectors[i].kind == PARQUET_KIND_BYTES) {
                const uint8_t *s = parquet_vector_text(&vectors[i], row, &len);
                rc = parquet_buffer_append(out, s, len, err);
            } else {
                rc = parquet_buffer_append(out, text,
                                           print_value(&columns[i], vectors[i].ints[row], text),
                                           err);
            }
            if (rc == 0)
                rc = parquet_buffer_append(out, i + 1 < count ? "," : "\n", 1, err);
        }
    return rc;
}
