/* Thrift compact protocol: what is written is read; no bytes can hurt. */
#include "ingest/thrift_compact.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void write_sample(struct thrift_writer *w)
{
    thrift_writer_init(w);
    thrift_write_begin(w);
    thrift_write_bool(w, 1, true);
    thrift_write_i8(w, 2, -7);
    thrift_write_i16(w, 3, -30000);
    thrift_write_i32(w, 20, INT32_MIN);
    thrift_write_i64(w, 21, INT64_MAX);
    thrift_write_binary(w, 22, "name", 4);
    thrift_write_struct(w, 23);
    thrift_write_i32(w, 5, 55);
    thrift_write_end(w);
    thrift_write_list(w, 24, THRIFT_I32, 17);
    for (int i = 0; i < 17; i++)
        thrift_write_element_i32(w, i - 8);
    thrift_write_list(w, 25, THRIFT_BINARY, 2);
    thrift_write_element_binary(w, "a", 1);
    thrift_write_element_binary(w, "", 0);
    thrift_write_end(w);
    cr_assert_not(w->failed);
}

Test(thrift_compact, reads_what_was_written)
{
    struct thrift_writer w;
    struct thrift_reader r;
    struct thrift_field f = {0};
    const uint8_t *bytes;
    write_sample(&w);
    thrift_reader_init(&r, w.bytes, w.len);
    cr_assert(thrift_read_field(&r, &f) && f.id == 1 && thrift_field_bool(&r, &f));
    cr_assert(thrift_read_field(&r, &f) && f.id == 2 && thrift_field_i32(&r, &f) == -7);
    cr_assert(thrift_read_field(&r, &f) && f.id == 3 && thrift_field_i32(&r, &f) == -30000);
    cr_assert(thrift_read_field(&r, &f) && f.id == 20 && thrift_field_i32(&r, &f) == INT32_MIN);
    cr_assert(thrift_read_field(&r, &f) && f.id == 21 && thrift_field_i64(&r, &f) == INT64_MAX);
    cr_assert(thrift_read_field(&r, &f) && thrift_field_binary(&r, &f, &bytes) == 4);
    cr_assert_arr_eq(bytes, "name", 4);
    cr_assert(thrift_read_field(&r, &f) && f.id == 23 && f.type == THRIFT_STRUCT);
    thrift_skip(&r, &f);
    cr_assert(thrift_read_field(&r, &f) && thrift_field_list(&r, &f, THRIFT_I32) == 17);
    for (int i = 0; i < 17; i++)
        cr_assert_eq(thrift_read_i32(&r), i - 8);
    cr_assert(thrift_read_field(&r, &f) && thrift_field_list(&r, &f, THRIFT_BINARY) == 2);
    cr_assert_eq(thrift_read_binary(&r, &bytes), 1);
    cr_assert_eq(thrift_read_binary(&r, &bytes), 0);
    cr_assert_not(thrift_read_field(&r, &f));
    cr_assert_null(r.fault);
    cr_assert_eq(r.pos, r.end);
    thrift_writer_fini(&w);
}

Test(thrift_compact, every_cut_is_noticed)
{
    struct thrift_writer w;
    write_sample(&w);
    for (size_t len = 0; len < w.len; len++) {
        struct thrift_reader r;
        struct thrift_field f = {0};
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, w.bytes, len);
        thrift_reader_init(&r, copy, len);
        while (thrift_read_field(&r, &f))
            thrift_skip(&r, &f);
        cr_assert(r.fault && r.truncated, "cut to %zu bytes", len);
        free(copy);
    }
    thrift_writer_fini(&w);
}

Test(thrift_compact, deep_nesting_is_refused)
{
    struct thrift_reader r;
    struct thrift_field f = {0};
    uint8_t bytes[4096];
    memset(bytes, 0x1c, sizeof(bytes)); /* field 1: a structure, over and over */
    thrift_reader_init(&r, bytes, sizeof(bytes));
    while (thrift_read_field(&r, &f))
        thrift_skip(&r, &f);
    cr_assert(r.fault && strstr(r.fault, "64 levels"));
    cr_assert_eq(r.depth, 0);
}

Test(thrift_compact, counts_and_lengths_beyond_the_end_are_refused)
{
    static const uint8_t list[] = {0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f};
    static const uint8_t binary[] = {0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
    static const uint8_t varint[] = {0x16, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0x02};
    const struct {
        const uint8_t *bytes;
        size_t len;
    } cases[] = {{list, sizeof(list)}, {binary, sizeof(binary)}, {varint, sizeof(varint)}};
    for (size_t i = 0; i < 3; i++) {
        struct thrift_reader r;
        struct thrift_field f = {0};
        thrift_reader_init(&r, cases[i].bytes, cases[i].len);
        cr_assert(thrift_read_field(&r, &f));
        thrift_skip(&r, &f);
        cr_assert_not_null(r.fault, "case %zu", i);
    }
}

Test(thrift_compact, fields_of_another_type_are_refused)
{
    static const uint8_t bytes[] = {0x15, 0x02, 0x00}; /* field 1: the integer 1 */
    struct thrift_reader r;
    struct thrift_field f = {0};
    const uint8_t *lent;
    thrift_reader_init(&r, bytes, sizeof(bytes));
    cr_assert(thrift_read_field(&r, &f));
    cr_assert_eq(thrift_field_binary(&r, &f, &lent), 0);
    cr_assert_not_null(r.fault);
    thrift_reader_init(&r, bytes, sizeof(bytes));
    cr_assert_eq(thrift_field_list(&r, &f, THRIFT_I32), 0);
    cr_assert_not_null(r.fault);
    thrift_reader_init(&r, bytes, sizeof(bytes));
    thrift_field_bool(&r, &f);
    cr_assert_not_null(r.fault);
}
