/* Data files: names, headers, chunks in extents. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/buffer.h"
#include "storage/datafile.h"

static const char directory[33] = "0123456789abcdef0123456789ABCDEF";

static void check_path(const struct datafile_id *id, const char *want)
{
    struct datafile_id again = {0};
    char path[DATAFILE_PATH_MAX];

    datafile_path(path, sizeof path, id);
    cr_assert_str_eq(path, want);
    cr_assert(datafile_parse_path(path, &again), "%s", path);
    cr_assert(again.kind == id->kind && again.table_id == id->table_id && again.slot == id->slot &&
                  again.partition == id->partition && again.generation == id->generation,
              "%s", path);
}

Test(datafile, paths_and_back)
{
    struct datafile_id id = {DATAFILE_SEGMENT, 7, 3, 0, 12, false};

    check_path(&id, "data/t7/s3/all.12.qsg");
    id.partition = 1772323200; /* 2026-03-01 */
    check_path(&id, "data/t7/s3/2026-03-01.12.qsg");
    id.partition += 5 * 3600;
    check_path(&id, "data/t7/s3/2026-03-01T05.12.qsg");
    id.partition += 1;
    check_path(&id, "data/t7/s3/1772341201.12.qsg");
    id.partition = -86400;
    check_path(&id, "data/t7/s3/1969-12-31.12.qsg");
    id.partition = -3600;
    check_path(&id, "data/t7/s3/1969-12-31T23.12.qsg");
    id.partition = -62135596800; /* year 1 */
    check_path(&id, "data/t7/s3/0001-01-01.12.qsg");
    id.partition -= 86400;
    check_path(&id, "data/t7/s3/-62135683200.12.qsg");
    id = (struct datafile_id){DATAFILE_SEGMENT, UINT32_MAX, UINT32_MAX,
                              INT64_MIN,        UINT64_MAX, false};
    check_path(&id, "data/t4294967295/s4294967295/-9223372036854775808.18446744073709551615.qsg");
    id.partition = INT64_MAX;
    check_path(&id, "data/t4294967295/s4294967295/9223372036854775807.18446744073709551615.qsg");
    id = (struct datafile_id){DATAFILE_DICTS, 1, 0, 0, 1, false};
    check_path(&id, "data/t1/s0/dict.1.qsd");
}

Test(datafile, other_names_are_not_ours)
{
    static const char *const names[] = {
        "",
        "data",
        "data/t7/s3/",
        "data/t7/s3/all.12.qsd",
        "data/t7/s3/dict.12.qsg",
        "data/t7/s3/all.12.qsg.new",
        "data/t7/s3/all.012.qsg",
        "data/t07/s3/all.12.qsg",
        "data/t7/s3/all.qsg",
        "data/t7/s3/.12.qsg",
        "data/t7/s3/2026-02-30.12.qsg",
        "data/t7/s3/2026-13-01.12.qsg",
        "data/t7/s3/2026-03-01T24.12.qsg",
        "data/t7/s3/2026-03-01T00.12.qsg",
        "data/t7/s3/1772323200.12.qsg",
        "data/t7/s3/0.12.qsg",
        "data/t7/s3/x.12.qsg",
        "data/t7/s3/+5.12.qsg",
        "data/t7/s3/99999999999999999999999.12.qsg",
        "/data/t7/s3/all.12.qsg",
        "data/t7/s3/all.12.qsg/x",
    };
    struct datafile_id id;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert_not(datafile_parse_path(names[i], &id), "%s", names[i]);
}

Test(datafile, header_is_of_one_file)
{
    const struct datafile_id id = {DATAFILE_SEGMENT, 7, 3, 1772323200, 12, false};
    struct datafile_id other = id;
    uint8_t unit[DATAFILE_UNIT];
    struct error_info err;

    datafile_header(&id, directory, unit);
    cr_assert_eq(datafile_check_header(unit, &id, directory, &err), 0);
    other.generation = 13;
    cr_assert_eq(datafile_check_header(unit, &other, directory, &err), -EBADMSG);
    cr_assert(strstr(err.text, "2026-03-01.12.qsg") && strstr(err.text, "2026-03-01.13.qsg"), "%s",
              err.text);
    cr_assert_eq(datafile_check_header(unit, &id, "1123456789abcdef0123456789ABCDEF", &err),
                 -EBADMSG);
    cr_assert(strstr(err.text, "1123456789"), "%s", err.text);
    for (size_t bit = 0; bit < sizeof unit * 8; bit += bit < 800 ? 1 : 97) {
        unit[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(datafile_check_header(unit, &id, directory, &err), -EBADMSG, "bit %zu", bit);
        unit[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(datafile, chunks_lie_aligned_in_an_extent)
{
    struct buffer extent;
    struct chunk_ref refs[20];
    uint8_t bytes[3000];
    size_t start;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    buffer_init(&extent, 1 << 20);
    for (uint32_t i = 0; i < 20; i++) {
        cr_assert_eq(datafile_put(&extent, 8192, bytes + i, 1 + i * 131, &refs[i]), 0);
        cr_assert_eq(refs[i].offset % DATAFILE_ALIGN, 0);
        cr_assert_eq(refs[i].len, 1 + i * 131);
    }
    cr_assert_eq(datafile_begin(&extent, &start), 0);
    cr_assert_eq(buffer_append(&extent, bytes, 100), 0);
    cr_assert_eq(buffer_append(&extent, bytes + 100, 100), 0);
    cr_assert_eq(datafile_end(&extent, 8192, start, &refs[0]), 0);
    cr_assert_eq(refs[0].len, 200);
    cr_assert(datafile_check_chunk(&refs[0], bytes));
    cr_assert_eq(datafile_seal(&extent, 8192), 0);
    cr_assert_eq(extent.len % DATAFILE_UNIT, 0);
    for (uint32_t i = 0; i < 20; i++) {
        uint8_t *at = extent.data + refs[i].offset - 8192;

        cr_assert(datafile_check_chunk(&refs[i], at));
        at[refs[i].len / 2] ^= 4;
        cr_assert_not(datafile_check_chunk(&refs[i], at));
        at[refs[i].len / 2] ^= 4;
    }
    buffer_fini(&extent);
}

Test(datafile, every_byte_of_an_extent_counts)
{
    for (uint32_t len = 1; len < 3 * DATAFILE_UNIT; len += 1 + len / 3) {
        uint8_t bytes[3 * DATAFILE_UNIT] = {0};
        struct buffer extent;
        struct chunk_ref ref;

        buffer_init(&extent, 1 << 20);
        cr_assert_eq(datafile_put(&extent, 8192, bytes, len, &ref), 0);
        cr_assert_eq(datafile_seal(&extent, 8192), 0);
        uint32_t n = (uint32_t)extent.len;
        cr_assert(n % DATAFILE_UNIT == 0 && n >= len + DATAFILE_TRAILER);
        const uint8_t *trailer = extent.data + n - DATAFILE_TRAILER;
        cr_assert_eq(datafile_trailer(trailer, 8192 + n), n);
        cr_assert_eq(datafile_trailer(trailer, 8192 + n + DATAFILE_UNIT), 0, "of another place");
        cr_assert_eq(datafile_trailer(trailer - 8, 8192 + n), 0);
        cr_assert(datafile_check_extent(extent.data, n));
        for (size_t bit = len; bit < (size_t)n * 8; bit += 1 + bit % 37) {
            extent.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_assert_not(datafile_check_extent(extent.data, n), "bit %zu", bit);
            extent.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        buffer_fini(&extent);
    }
}

Test(datafile, an_extent_is_bounded)
{
    struct buffer extent;
    struct chunk_ref ref;
    size_t start;
    uint8_t bytes[1000] = {0};

    buffer_init(&extent, 1500);
    cr_assert_eq(datafile_put(&extent, 0, bytes, 1000, &ref), 0);
    cr_assert_eq(datafile_put(&extent, 0, bytes, 1000, &ref), -ENOBUFS);
    cr_assert_eq(datafile_seal(&extent, 4096), 0, "the trailer has room of its own");
    cr_assert_eq(extent.len, DATAFILE_UNIT);
    cr_assert_eq(extent.limit, 1500);
    buffer_fini(&extent);
    buffer_init(&extent, (size_t)DATAFILE_MAX_CHUNK + 4096);
    cr_assert_eq(datafile_begin(&extent, &start), 0);
    cr_assert_eq(buffer_reserve(&extent, (size_t)DATAFILE_MAX_CHUNK + 1), 0);
    memset(extent.data, 1, (size_t)DATAFILE_MAX_CHUNK + 1);
    extent.len = (size_t)DATAFILE_MAX_CHUNK + 1;
    cr_assert_eq(datafile_end(&extent, 4096, start, &ref), -ENOBUFS);
    extent.len--;
    cr_assert_eq(datafile_end(&extent, 4096, start, &ref), 0);
    buffer_fini(&extent);
}
