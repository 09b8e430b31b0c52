/* Files of other writers: every type, codec, page version and nesting, and damaged ones. */
#include "ingest/parquet_reader.h"

#include "parquet_test_util.h"

static struct parquet_reader *open_file(struct memory_file *file)
{
    struct parquet_source src = memory_source(file);
    struct parquet_reader *reader = NULL;
    struct parquet_error err;
    cr_assert_eq(parquet_reader_open(&src, &err, &reader), 0, "%s", err.text);
    return reader;
}

/* Selects the columns named and reads all rows, at most 200, as one batch. */
static void read_batch(struct parquet_reader *reader, const char *const *paths, uint32_t count,
                       struct parquet_batch *batch)
{
    struct parquet_error err;
    uint32_t columns[32];
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(parquet_reader_find_column(reader, paths[i], false, &columns[i]), 0, "%s",
                     paths[i]);
    cr_assert_eq(parquet_reader_select(reader, columns, count, &err), 0);
    cr_assert_eq(parquet_reader_next(reader, 200, batch, &err), 0, "%s", err.text);
}

static const char *const flat_paths[] = {"i",   "b",   "i8",  "i16", "i32", "i64", "u8",  "u16",
                                         "u32", "u64", "f32", "f64", "d5",  "d18", "d38", "da",
                                         "ti",  "ts",  "tz",  "tn",  "s",   "t",   "bl",  "u"};

enum flat {
    I,
    B,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    D5,
    D18,
    D38,
    DA,
    TI,
    TS,
    TZ,
    TN,
    S,
    T,
    BL,
    U
};

/* The value must be NULL in every k-th row, and otherwise fulfil the condition. */
static void check(const struct parquet_vector *v, size_t i, unsigned k, bool is_right,
                  const char *what)
{
    bool is_null = k > 0 && i % k == k - 1;
    cr_assert_eq(v->valid[i], !is_null, "%s row %zu", what, i);
    cr_assert(is_null || is_right, "%s row %zu", what, i);
}

/* The formulas the files were made with. */
static void check_flat_row(const struct parquet_vector *v, size_t i)
{
    int64_t n = (int64_t)i;
    int64_t noon = 1582977600; /* 2020-02-29 12:00:00 */
    char s[40], t[60], bl[40];
    snprintf(s, sizeof(s), "name %zu", i % 10);
    snprintf(t, sizeof(t), "unique string number %zu", i);
    snprintf(bl, sizeof(bl), "x%zu", i);
    check(&v[I], i, 0, v[I].ints[i] == n, "i");
    check(&v[B], i, 7, v[B].bools[i] == (i % 3 == 0), "b");
    check(&v[I8], i, 5, v[I8].ints[i] == n % 200 - 100, "i8");
    check(&v[I16], i, 6, v[I16].ints[i] == n * 31 - 9000, "i16");
    check(&v[I32], i, 9, v[I32].ints[i] == n * 100003 - 40000000, "i32");
    check(&v[I64], i, 4, v[I64].ints[i] == n * 1000000007 - 300000000000, "i64");
    check(&v[U8], i, 0, v[U8].ints[i] == n % 256, "u8");
    check(&v[U16], i, 0, v[U16].ints[i] == 65535 - n, "u16");
    check(&v[U32], i, 0, v[U32].ints[i] == 4294967295 - n, "u32");
    check(&v[U64], i, 3, v[U64].wides[i] == (__int128)(UINT64_MAX - i), "u64");
    check(&v[F32], i, 8, v[F32].doubles[i] == (double)n / 4, "f32");
    check(&v[F64], i, 11, v[F64].doubles[i] == (double)n / 7, "f64");
    check(&v[D5], i, 5, v[D5].ints[i] == n, "d5");
    check(&v[D18], i, 5, v[D18].ints[i] == (n - 50) * 1000001, "d18");
    check(&v[D38], i, 5, v[D38].wides[i] == (__int128)(n - 50) * 10000000000 * 1000000000000,
          "d38");
    check(&v[DA], i, 10, v[DA].ints[i] == 10957 + n, "da");
    check(&v[TI], i, 10, v[TI].ints[i] == n * 1001000, "ti");
    check(&v[TS], i, 10, v[TS].ints[i] == noon * 1000000 + n * 1000001, "ts");
    check(&v[TZ], i, 10, v[TZ].ints[i] == noon * 1000000 + n * 1000001, "tz");
    check(&v[TN], i, 10, v[TN].ints[i] == (noon + n) * 1000000000, "tn");
    check(&v[S], i, 12, is_text(&v[S], i, s), "s");
    check(&v[T], i, 13, is_text(&v[T], i, t), "t");
    check(&v[BL], i, 13, is_text(&v[BL], i, bl), "bl");
    check(&v[U], i, 0, v[U].offsets[i + 1] - v[U].offsets[i] == 16, "u");
}

static void check_flat_schema(const struct parquet_schema *schema)
{
    const struct parquet_column *c = schema->columns;
    cr_assert_eq(schema->count, 24);
    cr_assert(c[U64].kind == PARQUET_KIND_INT128 && c[D38].kind == PARQUET_KIND_INT128);
    cr_assert(c[D18].kind == PARQUET_KIND_INT64 && c[D18].precision == 18 && c[D18].scale == 3);
    cr_assert(c[DA].logical == PARQUET_LOGICAL_DATE && c[DA].unit == PARQUET_UNIT_DAYS);
    cr_assert(c[TI].logical == PARQUET_LOGICAL_TIME && c[TI].unit == PARQUET_UNIT_MICROS);
    cr_assert(c[TS].logical == PARQUET_LOGICAL_TIMESTAMP && !c[TS].utc && c[TZ].utc);
    cr_assert(c[TN].unit == PARQUET_UNIT_NANOS);
    cr_assert(c[S].logical == PARQUET_LOGICAL_STRING && c[U].logical == PARQUET_LOGICAL_UUID);
}

static void check_flat_file(const char *name)
{
    struct memory_file file = load_file(name);
    struct parquet_reader *reader = open_file(&file);
    struct parquet_batch batch;
    check_flat_schema(parquet_reader_schema(reader));
    read_batch(reader, flat_paths, 24, &batch);
    cr_assert_eq(batch.rows, 100);
    for (size_t i = 0; i < batch.rows; i++)
        check_flat_row(batch.vectors, i);
    parquet_reader_free(reader);
    free((void *)file.bytes);
}

Test(parquet_reader, flat_snappy)
{
    check_flat_file("flat_v1_snappy.parquet");
}

Test(parquet_reader, flat_gzip)
{
    check_flat_file("flat_v1_gzip.parquet");
}

Test(parquet_reader, flat_brotli)
{
    check_flat_file("flat_v1_brotli.parquet");
}

Test(parquet_reader, flat_lz4)
{
    check_flat_file("flat_v1_lz4.parquet");
}

Test(parquet_reader, flat_second_version_zstd)
{
    check_flat_file("flat_v2_zstd.parquet");
}

Test(parquet_reader, flat_second_version_uncompressed)
{
    check_flat_file("flat_v2_none.parquet");
}

/* l: NULL in every fifth row, else the numbers x * i for x below i % 4. */
static void check_list(const struct parquet_vector *v, size_t i)
{
    uint32_t from = v->lists[i], count = v->lists[i + 1] - from;
    cr_assert_eq(v->list_valid[i], i % 5 != 4, "row %zu", i);
    cr_assert_eq(count, i % 5 == 4 ? 0 : i % 4, "row %zu", i);
    for (uint32_t x = 0; x < count; x++)
        cr_assert_eq(v->ints[from + x], (int64_t)(x * i));
}

/* ls: NULL in every sixth row, else i % 3 + 1 strings, the odd ones NULL. */
static void check_string_list(const struct parquet_vector *v, size_t i)
{
    uint32_t from = v->lists[i], count = v->lists[i + 1] - from;
    cr_assert_eq(v->list_valid[i], i % 6 != 5);
    cr_assert_eq(count, i % 6 == 5 ? 0 : i % 3 + 1);
    for (uint32_t x = 0; x < count; x++) {
        char text[40];
        snprintf(text, sizeof(text), "s%zu", x + i);
        cr_assert_eq(v->valid[from + x], x % 2 == 0);
        cr_assert(x % 2 == 1 || is_text(v, from + x, text));
    }
}

static void check_nested_row(const struct parquet_vector *v, size_t i)
{
    char b[40];
    bool has_struct = i % 7 != 6;
    snprintf(b, sizeof(b), "b%zu", i);
    cr_assert_eq(v[0].ints[i], (int64_t)i);
    check_list(&v[1], i);
    check_string_list(&v[2], i);
    cr_assert(v[3].valid[i] == has_struct && (!has_struct || v[3].ints[i] == (int64_t)i));
    cr_assert_eq(v[4].valid[i], has_struct && i % 3 != 2);
    cr_assert(!v[4].valid[i] || is_text(&v[4], i, b));
    cr_assert(v[5].valid[i] == has_struct && (!has_struct || v[5].ints[i] == (int64_t)i * 2));
    cr_assert(v[6].list_valid[i] == (i % 4 != 3));
    cr_assert_eq(v[6].lists[i + 1] - v[6].lists[i], i % 4 == 3 ? 0 : i % 3);
    /* Lists of lists are flattened: i % 4 lists of 0, 1, 2, … elements. */
    cr_assert_eq(v[7].lists[i + 1] - v[7].lists[i], (i % 4) * (i % 4 - (i % 4 > 0)) / 2);
    cr_assert_eq(v[8].lists[i + 1] - v[8].lists[i], i % 3);
    for (uint32_t x = 0; x < i % 3; x++)
        cr_assert_eq(v[9].ints[v[9].lists[i] + x], (int64_t)(x * i));
}

static void check_nested_file(const char *name)
{
    static const char *const paths[] = {"i",     "l",  "ls/list/element", "s/a",    "/s/b", "s.c.d",
                                        "lst.p", "ll", "m/key",           "m.value"};
    struct memory_file file = load_file(name);
    struct parquet_reader *reader = open_file(&file);
    struct parquet_batch batch;
    read_batch(reader, paths, 10, &batch);
    cr_assert_eq(batch.rows, 150);
    for (size_t i = 0; i < batch.rows; i++)
        check_nested_row(batch.vectors, i);
    parquet_reader_free(reader);
    free((void *)file.bytes);
}

Test(parquet_reader, nested)
{
    check_nested_file("nested_v1.parquet");
}

Test(parquet_reader, nested_second_version)
{
    check_nested_file("nested_v2.parquet");
}

Test(parquet_reader, batches_of_any_size_give_the_same_rows)
{
    static const char *const paths[] = {"i", "ls", "lst.q"};
    struct memory_file file = load_file("nested_v1.parquet");
    struct parquet_reader *whole = open_file(&file);
    struct parquet_batch all;
    read_batch(whole, paths, 3, &all);
    for (size_t step = 1; step < 160; step += 13) {
        struct parquet_reader *reader = open_file(&file);
        struct parquet_error err;
        struct parquet_batch batch;
        uint32_t columns[3];
        for (int i = 0; i < 3; i++)
            parquet_reader_find_column(reader, paths[i], false, &columns[i]);
        cr_assert_eq(parquet_reader_select(reader, columns, 3, &err), 0);
        size_t row = 0;
        while (parquet_reader_next(reader, step, &batch, &err) == 0 && batch.rows > 0) {
            for (size_t i = 0; i < batch.rows; i++, row++) {
                const struct parquet_vector *a = &batch.vectors[1], *b = &all.vectors[1];
                uint32_t n = a->lists[i + 1] - a->lists[i];
                cr_assert_eq(batch.vectors[0].ints[i], (int64_t)row);
                cr_assert_eq(n, b->lists[row + 1] - b->lists[row]);
                cr_assert_eq(a->list_valid[i], b->list_valid[row]);
                for (uint32_t k = 0; k < n; k++)
                    cr_assert(is_same_element(a, a->lists[i] + k, b, b->lists[row] + k));
            }
        }
        cr_assert_eq(row, 150, "batches of %zu rows", step);
        parquet_reader_free(reader);
    }
    parquet_reader_free(whole);
    free((void *)file.bytes);
}

Test(parquet_reader, columns_are_found_by_path)
{
    struct memory_file file = load_file("nested_v1.parquet");
    struct parquet_reader *reader = open_file(&file);
    uint32_t a, b;
    cr_assert_eq(parquet_reader_find_column(reader, "s/c/d", false, &a), 0);
    cr_assert_eq(parquet_reader_find_column(reader, "/S.C/D", true, &b), 0);
    cr_assert_eq(a, b);
    cr_assert_eq(parquet_reader_find_column(reader, "S.C.D", false, &b), -ENOENT);
    cr_assert_eq(parquet_reader_find_column(reader, "s", true, &b), -ENOENT);
    cr_assert_eq(parquet_reader_find_column(reader, "lst.list.element.p", false, &a), 0);
    cr_assert_eq(parquet_reader_find_column(reader, "lst.p", false, &b), 0);
    cr_assert_eq(a, b);
    parquet_reader_free(reader);
    free((void *)file.bytes);
}

/* Sum of a column, integers or booleans, and the number of its values. */
static int64_t sum_of(struct memory_file *file, const char *path, int64_t *max, uint64_t *count)
{
    struct parquet_reader *reader = open_file(file);
    struct parquet_batch batch;
    struct parquet_error err;
    uint32_t column;
    int64_t sum = 0;
    *max = INT64_MIN;
    *count = 0;
    cr_assert_eq(parquet_reader_find_column(reader, path, false, &column), 0);
    cr_assert_eq(parquet_reader_select(reader, &column, 1, &err), 0);
    while (parquet_reader_next(reader, 1000, &batch, &err) == 0 && batch.rows > 0) {
        const struct parquet_vector *v = batch.vectors;
        *count += v->count - v->null_count;
        for (size_t i = 0; i < v->count; i++) {
            int64_t value = v->kind == PARQUET_KIND_BOOL    ? v->bools[i]
                            : v->kind == PARQUET_KIND_INT64 ? v->ints[i]
                                                            : 0;
            sum += value;
            *max = value > *max ? value : *max;
        }
    }
    parquet_reader_free(reader);
    return sum;
}

Test(parquet_reader, cities)
{
    struct memory_file file = load_file("$us_cities.parquet");
    struct parquet_reader *reader = open_file(&file);
    int64_t max;
    uint64_t count;
    cr_assert_eq(sum_of(&file, "population", &max, &count), 406795495);
    cr_assert(max == 18713220 && count == 29488);
    cr_assert_eq(sum_of(&file, "military", &max, &count), 84);
    sum_of(&file, "created_date", &max, &count);
    cr_assert(count == 29488 && max >= 15508);
    const struct parquet_schema *schema = parquet_reader_schema(reader);
    cr_assert(strcmp(schema->root, "spark_schema") == 0 && schema->count == 15);
    for (uint32_t i = 0; i < schema->count; i++) {
        sum_of(&file, schema->columns[i].path, &max, &count);
        cr_assert_eq(count, 29488, "%s", schema->columns[i].path);
    }
    parquet_reader_free(reader);
    free((void *)file.bytes);
}

Test(parquet_reader, zip_codes)
{
    struct memory_file file = load_file("$us_cityzip.parquet");
    struct parquet_error err;
    cr_assert_eq(read_all(&file, 8192, &err), 46280, "%s", err.text);
    free((void *)file.bytes);
}

Test(parquet_reader, without_columns_rows_are_counted)
{
    struct memory_file file = load_file("nested_v1.parquet");
    struct parquet_reader *reader = open_file(&file);
    struct parquet_batch batch;
    struct parquet_error err;
    uint64_t rows = 0;
    while (parquet_reader_next(reader, 64, &batch, &err) == 0 && batch.rows > 0)
        rows += batch.rows;
    cr_assert_eq(rows, 150);
    parquet_reader_free(reader);
    free((void *)file.bytes);
}

/* A copy of exactly len bytes, so that a read behind them is seen by the sanitizer. */
static int64_t read_copy(const uint8_t *bytes, size_t len, struct parquet_error *err)
{
    uint8_t *copy = malloc(len + !len);
    memcpy(copy, bytes, len);
    struct memory_file file = {.bytes = copy, .len = len};
    int64_t rows = read_all(&file, 64, err);
    free(copy);
    return rows;
}

Test(parquet_reader, every_cut_is_an_error)
{
    struct memory_file file = load_file("flat_v2_zstd.parquet");
    struct parquet_error err;
    for (size_t len = 0; len < file.len; len += 1 + len / 97)
        cr_assert_lt(read_copy(file.bytes, len, &err), 0, "cut to %zu bytes", len);
    free((void *)file.bytes);
}

Test(parquet_reader, a_cut_real_file_is_an_error)
{
    struct memory_file file = load_file("$us_cities.parquet");
    struct parquet_error err;
    for (int i = 0; i < 200; i++)
        cr_assert_lt(read_copy(file.bytes, file.len * (size_t)i / 200, &err), 0);
    free((void *)file.bytes);
}

/* Damage is found or gives other values, but never a crash or a read outside. */
static void damage(const char *name, int rounds)
{
    struct memory_file file = load_file(name);
    uint64_t state = test_seed();
    uint8_t *copy = malloc(file.len);
    for (int i = 0; i < rounds; i++) {
        struct parquet_error err;
        memcpy(copy, file.bytes, file.len);
        for (uint64_t n = 1 + next_random(&state) % 4; n > 0; n--) {
            /* Half of it in the footer, where the numbers are that everything hangs on. */
            uint64_t from = next_random(&state) & 1 ? 0 : file.len * 3 / 4;
            copy[from + next_random(&state) % (file.len - from)] = (uint8_t)next_random(&state);
        }
        read_copy(copy, file.len, &err);
    }
    free(copy);
    free((void *)file.bytes);
}

Test(parquet_reader, damaged_flat_files)
{
    damage("flat_v1_snappy.parquet", 1500);
    damage("flat_v2_none.parquet", 1500);
}

Test(parquet_reader, damaged_nested_files)
{
    damage("nested_v1.parquet", 1500);
    damage("nested_v2.parquet", 1500);
}

Test(parquet_reader, what_is_no_parquet_file_is_named)
{
    static const char text[] = "this is not a Parquet file";
    static const char encrypted[] = "PARE............PARE";
    struct memory_file file = {.bytes = (const uint8_t *)text, .len = sizeof(text) - 1};
    struct parquet_error err;
    cr_assert_eq(read_all(&file, 10, &err), -EBADMSG);
    cr_assert_not_null(strstr(err.text, "not a Parquet file"));
    file = (struct memory_file){.bytes = (const uint8_t *)encrypted, .len = 20};
    cr_assert_eq(read_all(&file, 10, &err), -ENOTSUP);
    cr_assert_not_null(strstr(err.text, "encrypted"));
    file.len = 3;
    cr_assert_eq(read_all(&file, 10, &err), -EBADMSG);
}

Test(parquet_reader, checksums_are_verified)
{
    struct parquet_buffer out = {0};
    struct parquet_sink sink = {.ctx = &out, .write = buffer_write};
    struct parquet_column_spec spec = {.name = "c", .physical = PARQUET_TYPE_INT64};
    struct parquet_vector v;
    struct parquet_writer *w;
    struct parquet_error err;
    parquet_vector_init(&v, PARQUET_KIND_INT64, false);
    for (int i = 0; i < 1000; i++)
        parquet_vector_append_int(&v, i * 77, NULL);
    cr_assert_eq(parquet_writer_new(&sink, &spec, 1, NULL, &err, &w), 0);
    cr_assert_eq(parquet_writer_append(w, &v, v.count, &err), 0);
    cr_assert_eq(parquet_writer_finish(w, &err), 0);
    out.bytes[2000] ^= 1;
    cr_assert_eq(read_copy(out.bytes, out.len, &err), -EBADMSG);
    cr_assert(strstr(err.text, "checksum") && strstr(err.text, "column 'c', page 0"));
    parquet_writer_free(w);
    parquet_vector_fini(&v);
    parquet_buffer_fini(&out);
}

static int fail_read(void *ctx, void *buf, size_t len, uint64_t off)
{
    (void)buf;
    (void)len;
    (void)off;
    return *(int *)ctx;
}

Test(parquet_reader, errors_of_the_source_come_back)
{
    int code = -EIO;
    struct parquet_source src = {.ctx = &code, .read_at = fail_read, .size = 1000};
    struct parquet_reader *reader;
    struct parquet_error err;
    cr_assert_eq(parquet_reader_open(&src, &err, &reader), -EIO);
    cr_assert_not_null(strstr(err.text, "offset 992"));
}
