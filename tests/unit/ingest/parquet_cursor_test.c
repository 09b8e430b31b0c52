/* Rows put together from repetition levels, and levels that no row can begin with. */
#include "ingest/parquet_cursor.h"

#include "ingest/thrift_compact.h"
#include "parquet_test_util.h"

/* Eight entries of the column `repeated int32 c`, all of them values: 0 .. 7. */
enum { ENTRIES = 8 };

static const struct parquet_column list_column = {.path = (char *)"c",
                                                  .physical = PARQUET_TYPE_INT32,
                                                  .kind = PARQUET_KIND_INT64,
                                                  .max_def = 1,
                                                  .max_rep = 1,
                                                  .list_def = 1,
                                                  .element_def = 1};

/* A page of the first version; bit i of rep is the repetition level of entry i. */
static void append_page(struct parquet_buffer *out, uint8_t rep)
{
    uint8_t body[6 + 6 + ENTRIES * 4] = {2, 0, 0, 0, 3, rep, 2, 0, 0, 0, ENTRIES << 1, 1};
    struct thrift_writer w;
    for (uint8_t i = 0; i < ENTRIES; i++)
        body[12 + 4 * i] = i;
    thrift_writer_init(&w);
    thrift_write_begin(&w);
    thrift_write_i32(&w, 1, PARQUET_PAGE_DATA);
    thrift_write_i32(&w, 2, sizeof(body));
    thrift_write_i32(&w, 3, sizeof(body));
    thrift_write_struct(&w, 5);
    thrift_write_i32(&w, 1, ENTRIES);
    thrift_write_i32(&w, 2, PARQUET_ENCODING_PLAIN);
    thrift_write_i32(&w, 3, PARQUET_ENCODING_RLE);
    thrift_write_i32(&w, 4, PARQUET_ENCODING_RLE);
    thrift_write_end(&w);
    thrift_write_end(&w);
    parquet_buffer_append(out, w.bytes, w.len, NULL);
    parquet_buffer_append(out, body, sizeof(body), NULL);
    thrift_writer_fini(&w);
}

/* Reads `rows` rows, `step` at a time, from a chunk of two pages with those levels. */
static int read_lists(uint8_t first, uint8_t second, size_t rows, size_t step,
                      struct parquet_vector *out, struct parquet_error *err)
{
    struct parquet_buffer bytes = {0};
    struct parquet_cursor c = {0};
    int rc = 0;
    append_page(&bytes, first);
    append_page(&bytes, second);
    struct memory_file file = {.bytes = bytes.bytes, .len = bytes.len};
    struct parquet_source src = memory_source(&file);
    struct parquet_chunk chunk = {.len = bytes.len, .value_count = 2 * ENTRIES};
    parquet_vector_init(out, PARQUET_KIND_INT64, true);
    cr_assert_eq(parquet_cursor_init(&c, &list_column, err), 0);
    cr_assert_eq(parquet_cursor_start(&c, &src, &chunk, 0, err), 0);
    for (size_t done = 0; done < rows && rc == 0; done += step)
        rc = parquet_cursor_read(&c, rows - done < step ? rows - done : step, out, err);
    if (rc == 0)
        rc = parquet_cursor_finish(&c, err);
    parquet_cursor_fini(&c);
    parquet_buffer_fini(&bytes);
    return rc;
}

Test(parquet_cursor, a_row_may_go_on_in_the_next_page)
{
    static const uint32_t begins[] = {0, 3, 7, 10,
                                      16}; /* the zero bits of 0x76 and 0xfb, from bit 0 up */
    for (size_t step = 1; step <= 4; step++) {
        struct parquet_vector out;
        struct parquet_error err;
        cr_assert_eq(read_lists(0x76, 0xfb, 4, step, &out, &err), 0, "%s", err.text);
        cr_assert(out.rows == 4 && out.count == 2 * ENTRIES);
        for (size_t i = 0; i <= 4; i++)
            cr_assert_eq(out.lists[i], begins[i], "row %zu in steps of %zu", i, step);
        parquet_vector_fini(&out);
    }
}

/* Such files were written by a released library: its levels began at 1. */
Test(parquet_cursor, a_chunk_that_begins_within_a_row_is_refused)
{
    struct parquet_vector out;
    struct parquet_error err;
    for (size_t step = 1; step <= 4; step++) {
        cr_assert_eq(read_lists(0x77, 0xfb, 3, step, &out, &err), -EBADMSG);
        cr_assert(strstr(err.text, "column 'c'"), "%s", err.text);
        cr_assert(strstr(err.text, "first repetition level of the column chunk is 1"), "%s",
                  err.text);
        parquet_vector_fini(&out);
    }
    cr_assert_eq(read_lists(0xff, 0xff, 1, 1, &out, &err), -EBADMSG);
    cr_assert(strstr(err.text, "must be 0"), "%s", err.text);
    parquet_vector_fini(&out);
}
