#include "ingest/gen_columns.h"

#include <string.h>

int gen_csv_header(const struct parquet_column_spec *columns, uint32_t count,
                   struct parquet_buffer *out, struct parquet_error *err)
{
    int rc = 0;

    for (uint32_t i = 0; i < count && rc == 0; i++) {
        rc = parquet_buffer_append(out, columns[i].name, strlen(columns[i].name), err);
        if (rc == 0)
            rc = parquet_buffer_append(out, i + 1 < count ? "," : "\n", 1, err);
    }
    return rc;
}

int gen_columns_begin(struct parquet_vector *vectors, uint32_t count, size_t n, size_t text_max,
                      struct parquet_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        parquet_vector_clear(&vectors[i]);
        int rc = parquet_vector_reserve(&vectors[i], n, err);
        if (rc == 0 && vectors[i].kind == PARQUET_KIND_BYTES)
            rc = parquet_vector_reserve_data(&vectors[i], n * text_max, err);
        if (rc < 0)
            return rc;
        memset(vectors[i].valid, 1, n);
    }
    return 0;
}
