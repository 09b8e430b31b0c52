/* What is written is read: random columns, values, NULLs, codecs, page and row group sizes. */
#include "ingest/parquet_writer.h"

#include "parquet_test_util.h"

#define COLUMNS 15

static const struct parquet_column_spec specs[COLUMNS] = {
    {.name = "bool", .physical = PARQUET_TYPE_BOOLEAN},
    {.name = "i32", .physical = PARQUET_TYPE_INT32},
    {.name = "u32",
     .physical = PARQUET_TYPE_INT32,
     .logical = PARQUET_LOGICAL_INTEGER,
     .bit_width = 32,
     .is_unsigned = true},
    {.name = "i64", .physical = PARQUET_TYPE_INT64},
    {.name = "u64",
     .physical = PARQUET_TYPE_INT64,
     .logical = PARQUET_LOGICAL_INTEGER,
     .bit_width = 64,
     .is_unsigned = true},
    {.name = "float", .physical = PARQUET_TYPE_FLOAT},
    {.name = "double", .physical = PARQUET_TYPE_DOUBLE},
    {.name = "text", .physical = PARQUET_TYPE_BYTE_ARRAY, .logical = PARQUET_LOGICAL_STRING},
    {.name = "uuid",
     .physical = PARQUET_TYPE_FIXED,
     .logical = PARQUET_LOGICAL_UUID,
     .type_length = 16},
    {.name = "dec_int",
     .physical = PARQUET_TYPE_INT64,
     .logical = PARQUET_LOGICAL_DECIMAL,
     .precision = 12,
     .scale = 2},
    {.name = "dec_fixed",
     .physical = PARQUET_TYPE_FIXED,
     .logical = PARQUET_LOGICAL_DECIMAL,
     .type_length = 5,
     .precision = 11,
     .scale = 3},
    {.name = "dec_wide",
     .physical = PARQUET_TYPE_FIXED,
     .logical = PARQUET_LOGICAL_DECIMAL,
     .type_length = 16,
     .precision = 38,
     .scale = 10},
    {.name = "dec_bytes",
     .physical = PARQUET_TYPE_BYTE_ARRAY,
     .logical = PARQUET_LOGICAL_DECIMAL,
     .precision = 30,
     .scale = 0},
    {.name = "date", .physical = PARQUET_TYPE_INT32, .logical = PARQUET_LOGICAL_DATE},
    {.name = "ts",
     .physical = PARQUET_TYPE_INT64,
     .logical = PARQUET_LOGICAL_TIMESTAMP,
     .unit = PARQUET_UNIT_MICROS,
     .utc = true},
};

/* One file's worth of choices. */
struct trial {
    uint64_t seed;
    uint64_t state;
    struct parquet_writer_options options;
    struct parquet_column_spec specs[COLUMNS];
    struct parquet_vector rows[COLUMNS];
    size_t count;
    unsigned distinct; /* few distinct values make dictionaries */
};

static int64_t pick(struct trial *t, unsigned bits)
{
    int64_t value = (int64_t)(next_random(&t->state) % t->distinct * 0x9e3779b97f4a7c15ULL);
    return value >> (64 - bits);
}

static void add_text(struct trial *t, struct parquet_vector *v)
{
    char text[300];
    uint64_t pickd = next_random(&t->state) % t->distinct;
    size_t len = pickd % 17 == 0 ? 0 : pickd % 19 == 0 ? 250 : 1 + pickd % 23;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + (pickd >> (i % 8)) % 26);
    cr_assert_eq(parquet_vector_append_bytes(v, text, len, NULL), 0);
}

static void add_value(struct trial *t, uint32_t column, struct parquet_vector *v)
{
    const struct parquet_column_spec *s = &t->specs[column];
    __int128 wide = (__int128)pick(t, 64) * ((__int128)1 << 40);
    if (s->is_nullable && next_random(&t->state) % 4 == 0) {
        parquet_vector_append_null(v, NULL);
    } else if (v->kind == PARQUET_KIND_BOOL) {
        parquet_vector_append_bool(v, next_random(&t->state) & 1, NULL);
    } else if (s->physical == PARQUET_TYPE_FLOAT) {
        parquet_vector_append_double(v, (float)pick(t, 20) / 8, NULL);
    } else if (v->kind == PARQUET_KIND_DOUBLE) {
        parquet_vector_append_double(v, (double)pick(t, 60) / 7, NULL);
    } else if (v->kind == PARQUET_KIND_INT128) {
        parquet_vector_append_wide(v, s->is_unsigned ? (uint64_t)pick(t, 64) : wide, NULL);
    } else if (s->physical == PARQUET_TYPE_FIXED && v->kind == PARQUET_KIND_BYTES) {
        uint64_t uuid[2] = {(uint64_t)pick(t, 64), 7};
        parquet_vector_append_bytes(v, uuid, 16, NULL);
    } else if (v->kind == PARQUET_KIND_BYTES) {
        add_text(t, v);
    } else {
        unsigned bits = s->physical == PARQUET_TYPE_INT32 ? 32 : s->type_length ? 37 : 64;
        int64_t value = pick(t, bits);
        parquet_vector_append_int(v, s->is_unsigned ? (uint32_t)value : value, NULL);
    }
}

static void plan(struct trial *t, uint64_t seed)
{
    static const enum parquet_codec codecs[] = {PARQUET_CODEC_NONE, PARQUET_CODEC_SNAPPY,
                                                PARQUET_CODEC_ZSTD};
    *t = (struct trial){.seed = seed, .state = seed};
    t->options.codec = codecs[next_random(&t->state) % 3];
    t->options.row_group_rows = 1 + next_random(&t->state) % 1500;
    t->options.page_rows = 1 + next_random(&t->state) % 400;
    t->options.page_bytes = 1 + next_random(&t->state) % 5000;
    t->options.no_dictionary = next_random(&t->state) % 4 == 0;
    t->options.no_statistics = next_random(&t->state) % 4 == 0;
    t->options.no_checksums = next_random(&t->state) % 4 == 0;
    t->options.page_v2 = next_random(&t->state) & 1;
    t->distinct = next_random(&t->state) & 1 ? 30 : 1000000;
    t->count = next_random(&t->state) % 3000;
    memcpy(t->specs, specs, sizeof(specs));
    for (uint32_t c = 0; c < COLUMNS; c++)
        t->specs[c].is_nullable = next_random(&t->state) & 1;
}

/* Appends in pieces of random length. */
static void write_trial(struct trial *t, struct parquet_buffer *out)
{
    struct parquet_sink sink = {.ctx = out, .write = buffer_write};
    struct parquet_writer *w;
    struct parquet_error err;
    cr_assert_eq(parquet_writer_new(&sink, t->specs, COLUMNS, &t->options, &err, &w), 0, "%s",
                 err.text);
    for (uint32_t c = 0; c < COLUMNS; c++)
        parquet_vector_init(&t->rows[c], parquet_writer_kind(w, c), false);
    for (size_t at = 0; at < t->count;) {
        struct parquet_vector piece[COLUMNS];
        size_t n = 1 + next_random(&t->state) % 900;
        n = n < t->count - at ? n : t->count - at;
        for (uint32_t c = 0; c < COLUMNS; c++) {
            uint64_t state = t->state;
            parquet_vector_init(&piece[c], t->rows[c].kind, false);
            for (size_t i = 0; i < n; i++)
                add_value(t, c, &piece[c]);
            t->state = state;
            for (size_t i = 0; i < n; i++)
                add_value(t, c, &t->rows[c]);
        }
        cr_assert_eq(parquet_writer_append(w, piece, n, &err), 0, "seed %#llx: %s",
                     (unsigned long long)t->seed, err.text);
        for (uint32_t c = 0; c < COLUMNS; c++)
            parquet_vector_fini(&piece[c]);
        at += n;
    }
    cr_assert_eq(parquet_writer_finish(w, &err), 0, "%s", err.text);
    parquet_writer_free(w);
}

static void check_schema(const struct trial *t, const struct parquet_schema *schema)
{
    cr_assert_eq(schema->count, COLUMNS);
    for (uint32_t c = 0; c < COLUMNS; c++) {
        const struct parquet_column *col = &schema->columns[c];
        const struct parquet_column_spec *s = &t->specs[c];
        cr_assert_str_eq(col->path, s->name);
        cr_assert(col->physical == s->physical && col->logical == s->logical);
        cr_assert(col->precision == s->precision && col->scale == s->scale);
        cr_assert(col->is_unsigned == s->is_unsigned && col->utc == s->utc);
        cr_assert_eq(col->max_def, s->is_nullable);
    }
}

/* Reads a random choice of columns with batches of random length. */
static void read_trial(struct trial *t, struct memory_file *file)
{
    struct parquet_source src = memory_source(file);
    struct parquet_reader *reader;
    struct parquet_batch batch;
    struct parquet_error err;
    uint32_t columns[COLUMNS], count = 0;
    size_t row = 0;
    cr_assert_eq(parquet_reader_open(&src, &err, &reader), 0, "%s", err.text);
    check_schema(t, parquet_reader_schema(reader));
    cr_assert_eq(parquet_reader_row_count(reader), t->count);
    for (uint32_t c = 0; c < COLUMNS; c++)
        if (next_random(&t->state) % 4)
            columns[count++] = c;
    cr_assert_eq(parquet_reader_select(reader, columns, count, &err), 0);
    for (;;) {
        int rc = parquet_reader_next(reader, 1 + next_random(&t->state) % 700, &batch, &err);
        cr_assert_eq(rc, 0, "seed %#llx: %s", (unsigned long long)t->seed, err.text);
        if (batch.rows == 0)
            break;
        cr_assert_eq(batch.first_row, row);
        for (uint32_t k = 0; k < count; k++)
            for (size_t i = 0; i < batch.rows; i++)
                cr_assert(is_same_element(&batch.vectors[k], i, &t->rows[columns[k]], row + i),
                          "seed %#llx, column %s, row %zu", (unsigned long long)t->seed,
                          specs[columns[k]].name, row + i);
        row += batch.rows;
    }
    cr_assert_eq(row, t->count);
    parquet_reader_free(reader);
}

Test(parquet_writer, reads_what_was_written)
{
    uint64_t seed = test_seed();
    for (int round = 0; round < 40; round++) {
        struct trial t;
        struct parquet_buffer out = {0};
        plan(&t, seed + (uint64_t)round);
        write_trial(&t, &out);
        struct memory_file file = {.bytes = out.bytes, .len = out.len};
        read_trial(&t, &file);
        for (uint32_t c = 0; c < COLUMNS; c++)
            parquet_vector_fini(&t.rows[c]);
        parquet_buffer_fini(&out);
    }
}

Test(parquet_writer, a_dictionary_is_used_where_it_pays)
{
    struct parquet_column_spec spec = {.name = "s", .physical = PARQUET_TYPE_BYTE_ARRAY};
    size_t sizes[2];
    for (int plain = 0; plain < 2; plain++) {
        struct parquet_buffer out = {0};
        struct parquet_sink sink = {.ctx = &out, .write = buffer_write};
        struct parquet_writer_options options = {.no_dictionary = plain};
        struct parquet_vector v;
        struct parquet_writer *w;
        struct parquet_error err;
        parquet_vector_init(&v, PARQUET_KIND_BYTES, false);
        for (int i = 0; i < 50000; i++)
            parquet_vector_append_bytes(&v, i % 3 ? "some value" : "other", i % 3 ? 10 : 5, NULL);
        cr_assert_eq(parquet_writer_new(&sink, &spec, 1, &options, &err, &w), 0);
        cr_assert_eq(parquet_writer_append(w, &v, v.count, &err), 0);
        cr_assert_eq(parquet_writer_finish(w, &err), 0);
        struct memory_file file = {.bytes = out.bytes, .len = out.len};
        cr_assert_eq(read_all(&file, 1000, &err), 50000, "%s", err.text);
        sizes[plain] = out.len;
        parquet_writer_free(w);
        parquet_vector_fini(&v);
        parquet_buffer_fini(&out);
    }
    cr_assert_lt(sizes[0] * 20, sizes[1]);
}

/* Appends one value to a column of that spec. Returns the error. */
static int write_one(const struct parquet_column_spec *spec, struct parquet_vector *v)
{
    struct parquet_buffer out = {0};
    struct parquet_sink sink = {.ctx = &out, .write = buffer_write};
    struct parquet_writer *w;
    struct parquet_error err;
    int rc = parquet_writer_new(&sink, spec, 1, NULL, &err, &w);
    if (rc == 0) {
        rc = parquet_writer_append(w, v, v->count, &err);
        parquet_writer_free(w);
    }
    parquet_buffer_fini(&out);
    parquet_vector_fini(v);
    return rc;
}

Test(parquet_writer, values_the_type_cannot_hold_are_refused)
{
    struct parquet_column_spec spec = {.name = "c", .physical = PARQUET_TYPE_INT32};
    struct parquet_vector v;
    parquet_vector_init(&v, PARQUET_KIND_INT64, false);
    parquet_vector_append_int(&v, (int64_t)INT32_MAX + 1, NULL);
    cr_assert_eq(write_one(&spec, &v), -ERANGE);
    parquet_vector_append_null(&v, NULL);
    cr_assert_eq(write_one(&spec, &v), -ERANGE);
    parquet_vector_append_int(&v, 300000, NULL);
    spec = (struct parquet_column_spec){.name = "c",
                                        .physical = PARQUET_TYPE_FIXED,
                                        .logical = PARQUET_LOGICAL_DECIMAL,
                                        .type_length = 2,
                                        .precision = 4};
    cr_assert_eq(write_one(&spec, &v), -ERANGE);
    parquet_vector_init(&v, PARQUET_KIND_DOUBLE, false);
    parquet_vector_append_double(&v, 1, NULL);
    cr_assert_eq(write_one(&spec, &v), -EINVAL);
}

Test(parquet_writer, columns_that_make_no_sense_are_refused)
{
    static const struct parquet_column_spec cases[] = {
        {.name = "c", .physical = PARQUET_TYPE_DOUBLE, .logical = PARQUET_LOGICAL_STRING},
        {.name = "c", .physical = PARQUET_TYPE_INT64, .logical = PARQUET_LOGICAL_TIMESTAMP},
        {.name = "c", .physical = PARQUET_TYPE_INT64, .logical = PARQUET_LOGICAL_DECIMAL},
        {.name = "c", .physical = PARQUET_TYPE_INT96},
        {.name = "c", .physical = PARQUET_TYPE_FIXED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parquet_buffer out = {0};
        struct parquet_sink sink = {.ctx = &out, .write = buffer_write};
        struct parquet_writer *w;
        struct parquet_error err;
        cr_assert_eq(parquet_writer_new(&sink, &cases[i], 1, NULL, &err, &w), -EINVAL, "case %zu",
                     i);
    }
}

static int write_nothing(void *ctx, const void *bytes, size_t len)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    return -ENOSPC;
}

Test(parquet_writer, errors_of_the_sink_come_back)
{
    struct parquet_column_spec spec = {.name = "c", .physical = PARQUET_TYPE_INT64};
    struct parquet_sink sink = {.write = write_nothing};
    struct parquet_writer *w;
    struct parquet_error err;
    cr_assert_eq(parquet_writer_new(&sink, &spec, 1, NULL, &err, &w), -ENOSPC);
    cr_assert_not_null(strstr(err.text, "No space left"));
}
