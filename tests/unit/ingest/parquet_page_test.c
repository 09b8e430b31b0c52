/* Page headers, levels in the deprecated encoding, and whole pages of damaged sizes. */
#include "ingest/parquet_page.h"

#include "ingest/parquet_compress.h"
#include "ingest/parquet_cursor.h"
#include "ingest/thrift_compact.h"
#include "parquet_test_util.h"

/* A header of the first page version. */
static void write_header(struct thrift_writer *w, int32_t raw_len, int32_t len, int32_t values,
                         int32_t def_encoding)
{
    thrift_writer_init(w);
    thrift_write_begin(w);
    thrift_write_i32(w, 1, PARQUET_PAGE_DATA);
    thrift_write_i32(w, 2, raw_len);
    thrift_write_i32(w, 3, len);
    thrift_write_struct(w, 5);
    thrift_write_i32(w, 1, values);
    thrift_write_i32(w, 2, PARQUET_ENCODING_PLAIN);
    thrift_write_i32(w, 3, def_encoding);
    thrift_write_i32(w, 4, PARQUET_ENCODING_RLE);
    thrift_write_end(w);
    thrift_write_end(w);
}

Test(parquet_page, header_is_parsed_and_every_cut_noticed)
{
    struct thrift_writer w;
    struct parquet_page_header h;
    struct parquet_error err;
    size_t len;
    write_header(&w, 1000, 700, 55, PARQUET_ENCODING_RLE);
    cr_assert_eq(parquet_page_parse_header(&h, w.bytes, w.len, &len, &err), 0);
    cr_assert(len == w.len && h.uncompressed_len == 1000 && h.compressed_len == 700);
    cr_assert(h.value_count == 55 && !h.has_crc && h.type == PARQUET_PAGE_DATA);
    for (size_t cut = 0; cut < w.len; cut++)
        cr_assert_eq(parquet_page_parse_header(&h, w.bytes, cut, &len, &err), -EAGAIN);
    thrift_writer_fini(&w);
}

Test(parquet_page, sizes_that_make_no_sense_are_refused)
{
    static const struct {
        int32_t raw_len, len, values;
        int code;
    } cases[] = {{-1, 10, 1, -EBADMSG},
                 {10, -1, 1, -EBADMSG},
                 {10, 10, -1, -EBADMSG},
                 {INT32_MAX, 10, 1, -EFBIG},
                 {10, INT32_MAX, 1, -EFBIG}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct thrift_writer w;
        struct parquet_page_header h;
        struct parquet_error err;
        size_t len;
        write_header(&w, cases[i].raw_len, cases[i].len, cases[i].values, PARQUET_ENCODING_RLE);
        cr_assert_eq(parquet_page_parse_header(&h, w.bytes, w.len, &len, &err), cases[i].code,
                     "case %zu", i);
        thrift_writer_fini(&w);
    }
}

/* Reads `rows` values of an optional INT32 column whose only page has that body. */
static int read_page(int32_t def_encoding, const void *body, size_t len, size_t rows,
                     struct parquet_vector *out, struct parquet_error *err)
{
    struct parquet_column column = {.path = (char *)"c",
                                    .physical = PARQUET_TYPE_INT32,
                                    .max_def = 1,
                                    .kind = PARQUET_KIND_INT64};
    struct parquet_buffer bytes = {0};
    struct parquet_cursor c = {0};
    struct thrift_writer w;
    write_header(&w, (int32_t)len, (int32_t)len, (int32_t)rows, def_encoding);
    parquet_buffer_append(&bytes, w.bytes, w.len, NULL);
    parquet_buffer_append(&bytes, body, len, NULL);
    struct memory_file file = {.bytes = bytes.bytes, .len = bytes.len};
    struct parquet_source src = memory_source(&file);
    struct parquet_chunk chunk = {.len = bytes.len, .value_count = rows};
    parquet_vector_init(out, PARQUET_KIND_INT64, false);
    cr_assert_eq(parquet_cursor_init(&c, &column, err), 0);
    cr_assert_eq(parquet_cursor_start(&c, &src, &chunk, 3, err), 0);
    int rc = parquet_cursor_read(&c, rows, out, err);
    if (rc == 0)
        rc = parquet_cursor_finish(&c, err);
    parquet_cursor_fini(&c);
    parquet_buffer_fini(&bytes);
    thrift_writer_fini(&w);
    return rc;
}

Test(parquet_page, levels_in_the_deprecated_packing)
{
    static const uint8_t body[] = {0xa0, 7, 0, 0, 0, 9, 0, 0, 0}; /* value, NULL, value, NULL */
    struct parquet_vector out;
    struct parquet_error err;
    cr_assert_eq(read_page(PARQUET_ENCODING_BIT_PACKED, body, sizeof(body), 4, &out, &err), 0);
    cr_assert(out.count == 4 && out.null_count == 2);
    cr_assert(out.valid[0] && !out.valid[1] && out.valid[2] && !out.valid[3]);
    cr_assert(out.ints[0] == 7 && out.ints[1] == 0 && out.ints[2] == 9);
    parquet_vector_fini(&out);
}

Test(parquet_page, damage_is_named_with_its_place)
{
    static const uint8_t level[] = {2, 0, 0, 0, 8, 2, 7, 0, 0, 0}; /* a level of 2 */
    static const uint8_t cut[] = {2, 0, 0, 0, 8, 1, 7, 0, 0, 0};   /* one value of four */
    struct parquet_vector out;
    struct parquet_error err;
    cr_assert_eq(read_page(PARQUET_ENCODING_RLE, level, sizeof(level), 4, &out, &err), -EBADMSG);
    cr_assert(strstr(err.text, "row group 3, column 'c', page 1"), "%s", err.text);
    cr_assert(strstr(err.text, "level of 2"), "%s", err.text);
    parquet_vector_fini(&out);
    cr_assert_eq(read_page(PARQUET_ENCODING_RLE, cut, sizeof(cut), 4, &out, &err), -EBADMSG);
    cr_assert(strstr(err.text, "values end too early"), "%s", err.text);
    parquet_vector_fini(&out);
    cr_assert_eq(read_page(PARQUET_ENCODING_PLAIN, cut, sizeof(cut), 4, &out, &err), -EBADMSG);
    cr_assert(strstr(err.text, "allowed are RLE"), "%s", err.text);
    parquet_vector_fini(&out);
}

Test(parquet_page, compression_gives_back_what_it_took)
{
    static const enum parquet_codec codecs[] = {PARQUET_CODEC_NONE, PARQUET_CODEC_SNAPPY,
                                                PARQUET_CODEC_ZSTD};
    uint64_t state = test_seed();
    for (int round = 0; round < 60; round++) {
        enum parquet_codec codec = codecs[round % 3];
        size_t len = next_random(&state) % 5000, packed_len = 0;
        uint8_t *raw = malloc(len + 1), *back = malloc(len + 1);
        uint8_t *packed = malloc(parquet_compress_bound(codec, len) + 1);
        struct parquet_error err;
        for (size_t i = 0; i < len; i++)
            raw[i] = (uint8_t)(next_random(&state) % 5);
        cr_assert_eq(parquet_compress(codec, raw, len, packed, &packed_len, &err), 0);
        cr_assert_eq(parquet_decompress(codec, packed, packed_len, back, len, &err), 0);
        cr_assert_eq(memcmp(raw, back, len), 0);
        if (len > 0)
            cr_assert_eq(parquet_decompress(codec, packed, packed_len, back, len - 1, &err),
                         -EBADMSG);
        free(raw);
        free(back);
        free(packed);
    }
}

Test(parquet_page, unknown_codecs_are_refused)
{
    struct parquet_error err;
    uint8_t out[4];
    cr_assert_eq(parquet_decompress(PARQUET_CODEC_LZO, "abcd", 4, out, 4, &err), -ENOTSUP);
    cr_assert_not_null(strstr(err.text, "LZO"));
    cr_assert_eq(parquet_decompress((enum parquet_codec)99, "abcd", 4, out, 4, &err), -ENOTSUP);
}
