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

/* ---- a column at a time and row by row: the same cells ---- */

enum { MIXED_ROWS = 3000, MIXED_COLUMNS = 9 };

static const struct parquet_column_spec mixed_specs[MIXED_COLUMNS] = {
    {.name = "id", .physical = PARQUET_TYPE_INT64},
    {.name = "at",
     .physical = PARQUET_TYPE_INT64,
     .logical = PARQUET_LOGICAL_TIMESTAMP,
     .unit = PARQUET_UNIT_MILLIS,
     .utc = true,
     .is_nullable = true},
    {.name = "few",
     .physical = PARQUET_TYPE_BYTE_ARRAY,
     .logical = PARQUET_LOGICAL_STRING,
     .is_nullable = true},
    {.name = "many", .physical = PARQUET_TYPE_BYTE_ARRAY, .logical = PARQUET_LOGICAL_STRING},
    {.name = "amount",
     .physical = PARQUET_TYPE_INT64,
     .logical = PARQUET_LOGICAL_DECIMAL,
     .precision = 12,
     .scale = 1,
     .is_nullable = true},
    {.name = "live", .physical = PARQUET_TYPE_BOOLEAN, .is_nullable = true},
    {.name = "day", .physical = PARQUET_TYPE_INT32, .logical = PARQUET_LOGICAL_DATE},
    {.name = "real", .physical = PARQUET_TYPE_DOUBLE, .is_nullable = true},
    {.name = "year",
     .physical = PARQUET_TYPE_INT64,
     .logical = PARQUET_LOGICAL_TIMESTAMP,
     .unit = PARQUET_UNIT_MICROS,
     .utc = true},
};

/* With a row of NULLs among every seven; in the bad ones a text is no UTF-8. */
static void fill_mixed(struct parquet_vector *v, bool bad)
{
    uint64_t state = test_seed();
    struct parquet_error err;
    char text[32];

    for (int i = 0; i < MIXED_ROWS; i++) {
        uint64_t r = next_random(&state);
        int len = snprintf(text, sizeof(text), "%s%u", r % 3 ? "v" : "w\xc3\xa9",
                           (unsigned)(r >> 8) % 40);
        parquet_vector_append_int(&v[0], i * 7 - 1000, &err);
        if (r % 7) {
            parquet_vector_append_int(&v[1], (int64_t)(r >> 30) * 1000, &err);
            parquet_vector_append_bytes(&v[2], text, (size_t)len, &err);
            parquet_vector_append_int(&v[4], (int64_t)(r >> 40) - 4000000, &err);
            parquet_vector_append_bool(&v[5], r >> 13 & 1, &err);
            parquet_vector_append_double(&v[7], (double)(int64_t)(r >> 44) / 4, &err);
        } else {
            parquet_vector_append_null(&v[1], &err);
            parquet_vector_append_null(&v[2], &err);
            parquet_vector_append_null(&v[4], &err);
            parquet_vector_append_null(&v[5], &err);
            parquet_vector_append_null(&v[7], &err);
        }
        len = snprintf(text, sizeof(text), "%s%llu", bad && i % 1000 == 999 ? "\xff" : "m",
                       (unsigned long long)r);
        parquet_vector_append_bytes(&v[3], text, (size_t)len, &err);
        parquet_vector_append_int(&v[6], (int64_t)(r >> 50), &err);
        parquet_vector_append_int(&v[8], (int64_t)(r >> 20), &err);
    }
}

static struct parquet_buffer write_mixed(bool bad, bool no_dictionary)
{
    struct parquet_buffer out = {0};
    struct parquet_sink sink = {.ctx = &out, .write = buffer_write};
    struct parquet_writer_options options = {.row_group_rows = 1100,
                                             .page_rows = 300,
                                             .no_dictionary = no_dictionary};
    struct parquet_vector v[MIXED_COLUMNS];
    struct parquet_error err;
    struct parquet_writer *w;

    cr_assert_eq(parquet_writer_new(&sink, mixed_specs, MIXED_COLUMNS, &options, &err, &w), 0);
    for (uint32_t i = 0; i < MIXED_COLUMNS; i++)
        parquet_vector_init(&v[i], parquet_writer_kind(w, i), false);
    fill_mixed(v, bad);
    cr_assert_eq(parquet_writer_append(w, v, MIXED_ROWS, &err), 0, "%s", err.text);
    cr_assert_eq(parquet_writer_finish(w, &err), 0, "%s", err.text);
    parquet_writer_free(w);
    for (uint32_t i = 0; i < MIXED_COLUMNS; i++)
        parquet_vector_fini(&v[i]);
    return out;
}

/* Lists are read row by row, and with them the whole table. */
static struct schema *mixed_schema(bool by_row)
{
    struct schema *s = schema_new("t");
    struct error_info err;
    struct column *c;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "at", COLUMN_DATETIME, MAPPING_SYS_SEC_BSI);
    schema_add_column(s, "few", COLUMN_STRING, MAPPING_STRING_ENUM);
    schema_add_column(s, "many", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    c = schema_add_column(s, "amount", COLUMN_DECIMAL, MAPPING_FLOAT_SCALE_BSI);
    c->scale = 3;
    c->default_value = strdup("1.5");
    schema_add_column(s, "live", COLUMN_BOOL, MAPPING_BOOL_DIRECT);
    schema_add_column(s, "day", COLUMN_DATE, MAPPING_SYS_SEC_BSI);
    c = schema_add_column(s, "real", COLUMN_DECIMAL, MAPPING_FLOAT_SCALE_BSI);
    c->scale = 2;
    schema_add_column(s, "year", COLUMN_INT, MAPPING_YEAR);
    if (by_row) {
        c = schema_add_column(s, "tags", COLUMN_STRING, MAPPING_STRING_ENUM);
        c->multi_valued = true;
        c->delim = ',';
        c->default_value = strdup("x");
    }
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    return s;
}

struct mixed_load {
    struct memory_file file;
    struct schema *schema;
    struct parquet_reader *reader;
    struct load_rows *rows;
    struct buffer out;
    struct batch batch;
    uint64_t last_rejected;
    uint32_t n, rejected;
};

static void open_mixed(struct mixed_load *x, const struct parquet_buffer *bytes, bool by_row)
{
    struct load_rows_config config = {.reject = note_reject, .ctx = &x->last_rejected};
    struct parquet_source source;
    struct parquet_error perr;
    struct error_info err;

    *x = (struct mixed_load){.file = {.bytes = bytes->bytes, .len = bytes->len},
                             .schema = mixed_schema(by_row)};
    source = memory_source(&x->file);
    config.schema = x->schema;
    buffer_init(&x->out, BATCH_MAX_BYTES);
    cr_assert_eq(parquet_reader_open(&source, &perr, &x->reader), 0, "%s", perr.text);
    cr_assert_eq(load_rows_new(&config, x->reader, &x->rows, &err), 0, "%s", err.text);
}

static void next_mixed(struct mixed_load *x, uint32_t max_rows)
{
    struct error_info err;

    x->out.len = 0;
    cr_assert_eq(load_rows_next(x->rows, max_rows, &x->out, &x->n, &x->rejected, &err), 0, "%s",
                 err.text);
    if (x->n)
        cr_assert_eq(batch_open(x->out.data, x->out.len, &x->batch, &err), 0, "%s", err.text);
}

static void close_mixed(struct mixed_load *x)
{
    load_rows_free(x->rows);
    parquet_reader_free(x->reader);
    buffer_fini(&x->out);
    schema_put(x->schema);
}

static void expect_same_cells(const struct batch *a, const struct batch *b)
{
    for (unsigned i = 0; i < MIXED_COLUMNS; i++) {
        struct batch_column c, d;

        batch_column_at(a, i, &c);
        batch_column_at(b, i, &d);
        cr_assert(c.id == d.id && c.kind == d.kind);
        for (uint32_t r = 0; r < a->rows; r++) {
            uint32_t len, other;
            const char *s, *t;

            cr_assert_eq(batch_is_present(&c, r), batch_is_present(&d, r), "column %u row %u", i,
                         r);
            if (c.kind == BATCH_I64) {
                cr_assert_eq(batch_i64(&c, r), batch_i64(&d, r), "column %u row %u", i, r);
                continue;
            }
            s = batch_bytes(&c, r, &len);
            t = batch_bytes(&d, r, &other);
            cr_assert(len == other && !memcmp(s, t, len), "column %u row %u", i, r);
        }
    }
}

static bool compare_ways(bool bad, bool no_dictionary, uint32_t max_rows)
{
    struct parquet_buffer bytes = write_mixed(bad, no_dictionary);
    struct mixed_load by_column, by_row;
    bool codes = false;
    uint32_t total = 0;

    open_mixed(&by_column, &bytes, false);
    open_mixed(&by_row, &bytes, true);
    do {
        next_mixed(&by_column, max_rows);
        next_mixed(&by_row, max_rows);
        cr_assert_eq(by_column.n, by_row.n);
        cr_assert_eq(by_column.rejected, by_row.rejected);
        cr_assert_eq(by_column.last_rejected, by_row.last_rejected);
        cr_assert_eq(load_rows_first_row(by_column.rows), load_rows_first_row(by_row.rows));
        cr_assert(!memcmp(load_rows_places(by_column.rows), load_rows_places(by_row.rows),
                          by_row.n * sizeof(uint32_t)));
        if (by_row.n) {
            expect_same_cells(&by_column.batch, &by_row.batch);
            cr_assert(!batch_has_codes(&by_row.batch));
            codes |= batch_has_codes(&by_column.batch);
        }
        total += by_row.n + by_row.rejected;
    } while (by_row.n || by_row.rejected);
    cr_assert_eq(total, MIXED_ROWS);
    close_mixed(&by_column);
    close_mixed(&by_row);
    parquet_buffer_fini(&bytes);
    return codes;
}

Test(load_rows, columns_have_the_cells_of_rows)
{
    cr_assert(compare_ways(false, false, 1000), "texts that repeat are sent as codes");
    cr_assert(compare_ways(false, false, 90), "and the values that a small batch has");
    cr_assert(!compare_ways(false, true, 1000));
}

Test(load_rows, rows_are_refused_one_by_one_all_the_same)
{
    compare_ways(true, false, 1000);
    compare_ways(true, true, 64);
}
