/* The compressed protocol: what is packed is unpacked, in any split; what is no packet is refused. */
#include <errno.h>

#include "mysql_test_util.h"
#include "sql/mysql_compress.h"

enum { MUCH = 300000 };

static void fill(uint8_t *bytes, size_t n, bool is_random)
{
    uint32_t x = 12345;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = is_random ? (uint8_t)(x >> 24) : (uint8_t)("SELECT "[i % 7]);
    }
}

/* Unpacks all of it with at most `step` bytes in and `cap` out at a time; the bytes made. */
static size_t unpack_all(struct mysql_unpacker *u, const uint8_t *data, size_t n, uint8_t *out,
                         size_t step, size_t cap)
{
    size_t total = 0, taken, made;

    do {
        size_t len = n < step ? n : step;
        cr_assert_eq(mysql_unpack(u, data, len, &taken, out + total, cap, &made), 0);
        cr_assert(taken <= len && made <= cap);
        data += taken;
        n -= taken;
        total += made;
    } while (taken || made);
    cr_assert_eq(n, 0);
    return total;
}

static void round_trip(enum mysql_compress_kind kind, size_t n, bool is_random)
{
    static uint8_t sent[MUCH], got[MUCH + 1];
    static const size_t cuts[][2] = {{MUCH * 2, MUCH}, {1, MUCH}, {1000, 7}, {MUCH * 2, 1}};
    struct mysql_packer p = {0};
    struct mysql_unpacker u;
    struct buffer out;
    uint8_t seq = 250;

    fill(sent, n, is_random);
    buffer_init(&out, 2 * MUCH);
    cr_assert_eq(mysql_pack(&p, kind, 3, &seq, sent, n, &out), 0);
    cr_assert_eq(seq, (uint8_t)(250 + (n + MYSQL_COMPRESS_CHUNK - 1) / MYSQL_COMPRESS_CHUNK));
    if (!is_random && n > 1000)
        cr_assert_lt(out.len, n / 20);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        mysql_unpacker_init(&u, kind);
        cr_assert_eq(unpack_all(&u, out.data, out.len, got, cuts[i][0], cuts[i][1]), n);
        cr_assert(n == 0 || memcmp(got, sent, n) == 0);
        cr_assert_null(u.stream, "nothing is held between packets");
        if (n)
            cr_assert_eq(u.seq, (uint8_t)(seq - 1));
        mysql_unpacker_fini(&u);
    }
    buffer_fini(&out);
    mysql_packer_fini(&p);
}

Test(mysql_compress, round_trips)
{
    static const size_t sizes[] = {0, 1, 49, 50, 51, 65535, 65536, 65537, MUCH};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int is_random = 0; is_random < 2; is_random++) {
            round_trip(MYSQL_COMPRESS_ZLIB, sizes[i], is_random);
            round_trip(MYSQL_COMPRESS_ZSTD, sizes[i], is_random);
        }
}

static void refused(enum mysql_compress_kind kind, const uint8_t *data, size_t n)
{
    static uint8_t out[MUCH];
    struct mysql_unpacker u;
    size_t taken, made, total = 0;
    int rc;

    mysql_unpacker_init(&u, kind);
    do {
        rc = mysql_unpack(&u, data, n, &taken, out, sizeof out, &made);
        data += taken;
        n -= taken;
        total += made;
        cr_assert_leq(total, 2 * MUCH);
    } while (rc == 0 && (taken || made));
    cr_assert_eq(rc, -EBADMSG);
    mysql_unpacker_fini(&u);
}

Test(mysql_compress, what_is_no_packet)
{
    static const enum mysql_compress_kind kinds[] = {MYSQL_COMPRESS_ZLIB, MYSQL_COMPRESS_ZSTD};
    static uint8_t sent[1000];

    fill(sent, sizeof sent, false);
    for (size_t k = 0; k < 2; k++) {
        struct mysql_packer p = {0};
        struct buffer out;
        uint8_t seq = 0;

        buffer_init(&out, 10000);
        cr_assert_eq(mysql_pack(&p, kinds[k], 1, &seq, sent, sizeof sent, &out), 0);
        out.data[4] += 1; /* announces a byte more than there is */
        refused(kinds[k], out.data, out.len);
        out.data[4] -= 2; /* a byte less */
        refused(kinds[k], out.data, out.len);
        out.data[4] += 1;
        out.data[0] -= 1; /* its last byte belongs to the next packet */
        refused(kinds[k], out.data, out.len);
        out.data[0] += 2; /* a byte behind the end belongs to it */
        cr_assert_eq(buffer_append(&out, "x", 1), 0);
        refused(kinds[k], out.data, out.len);
        out.data[0] -= 1;
        out.data[7] ^= 0xff; /* no stream at all */
        refused(kinds[k], out.data, out.len);
        refused(kinds[k], (const uint8_t *)"\0\0\0\0\5\0\0", 7); /* five bytes out of none */
        buffer_fini(&out);
        mysql_packer_fini(&p);
    }
}

Test(mysql_compress, full_buffer)
{
    uint8_t sent[100] = {0}, seq = 0;
    struct mysql_packer p = {0};
    struct buffer out;

    buffer_init(&out, 50);
    cr_assert_eq(mysql_pack(&p, MYSQL_COMPRESS_ZLIB, 1, &seq, sent, sizeof sent, &out), -ENOBUFS);
    cr_assert_eq(out.len, 0);
    buffer_fini(&out);
    mysql_packer_fini(&p);
}
