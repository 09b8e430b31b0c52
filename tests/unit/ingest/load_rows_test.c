/* Rows of a file as a batch: which row of the file a row of the batch is. */
#include "ingest/load_rows.h"

#include "ingest/parquet_writer.h"
#include "parquet_test_util.h"

static void note_reject(void *ctx, uint64_t row, const struct error_info *why)
{
    (void)why;
    *(uint64_t *)ctx = row;
}

/* id 0..n-1; the second column is no date in every row whose number divides by 3. */
static struct parquet_buffer write_file(size_t n)
{
    static const struct parquet_column_spec specs[] = {
        {.name = "id", .physical = PARQUET_TYPE_INT64},
        {.name = "at",
         .physical = PARQUET_TYPE_INT64,
         .logical = PARQUET_LOGICAL_TIMESTAMP,
         .unit = PARQUET_UNIT_MILLIS,
         .utc = true},
    };
    struct parquet_buffer out = {0};
    struct parquet_sink sink = {.ctx = &out, .write = buffer_write};
    struct parquet_error err;
    struct parquet_writer *w;
    struct parquet_vector v[2];

    parquet_vector_init(&v[0], PARQUET_KIND_INT64, false);
    parquet_vector_init(&v[1], PARQUET_KIND_INT64, false);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(parquet_vector_append_int(&v[0], (int64_t)i, &err), 0);
        cr_assert_eq(parquet_vector_append_int(&v[1], i % 3 ? 1000 : INT64_MAX / 500, &err), 0);
    }
    cr_assert_eq(parquet_writer_new(&sink, specs, 2, NULL, &err, &w), 0, "%s", err.text);
    cr_assert_eq(parquet_writer_append(w, v, n, &err), 0, "%s", err.text);
    cr_assert_eq(parquet_writer_finish(w, &err), 0, "%s", err.text);
    parquet_writer_free(w);
    parquet_vector_fini(&v[0]);
    parquet_vector_fini(&v[1]);
    return out;
}

Test(load_rows, tells_the_place_of_a_row_behind_rejected_ones)
{
    enum { ROWS = 20 };
    struct parquet_buffer bytes = write_file(ROWS);
    struct buffer out;
    struct memory_file file = {.bytes = bytes.bytes, .len = bytes.len};
    struct parquet_source source = memory_source(&file);
    struct schema *s = schema_new("t");
    struct parquet_reader *reader;
    struct parquet_error perr;
    struct error_info err;
    struct load_rows *l;
    struct batch b;
    struct batch_column c;
    uint64_t last = 0;
    uint32_t rows, rejected;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "at", COLUMN_DATETIME, MAPPING_SYS_SEC_BSI);
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    cr_assert_eq(parquet_reader_open(&source, &perr, &reader), 0, "%s", perr.text);
    struct load_rows_config config = {.schema = s, .reject = note_reject, .ctx = &last};
    cr_assert_eq(load_rows_new(&config, reader, &l, &err), 0, "%s", err.text);
    buffer_init(&out, BATCH_MAX_BYTES);
    cr_assert_eq(load_rows_next(l, 100, &out, &rows, &rejected, &err), 0, "%s", err.text);
    cr_assert_eq(rows, ROWS - 7);
    cr_assert_eq(rejected, 7, "the years of 300 million are none");
    cr_assert_eq(last, 18);
    cr_assert_eq(batch_open(out.data, out.len, &b, &err), 0, "%s", err.text);
    batch_column_at(&b, 0, &c);
    for (uint32_t i = 0; i < rows; i++)
        cr_assert_eq(load_rows_places(l)[i], (uint32_t)batch_i64(&c, i));
    load_rows_free(l);
    parquet_reader_free(reader);
    buffer_fini(&out);
    parquet_buffer_fini(&bytes);
    schema_put(s);
}
