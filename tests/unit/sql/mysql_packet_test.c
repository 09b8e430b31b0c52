/* Framing: messages cut anywhere come out whole, packets of any size go out split right. */
#include <errno.h>

#include "mysql_test_util.h"
#include "sql/mysql_packet.h"

Test(mysql_packet, cursor_reads_in_order_and_fails_once)
{
    const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xfc, 0x34, 0x12, 'a', 'b', 0};
    struct mysql_cursor cur;
    size_t len;

    mysql_cursor_init(&cur, bytes, sizeof(bytes));
    cr_assert_eq(mysql_cursor_u8(&cur), 1);
    cr_assert_eq(mysql_cursor_u16(&cur), 0x0302);
    cr_assert_eq(mysql_cursor_u24(&cur), 0x060504);
    cr_assert_eq(mysql_cursor_u32(&cur), 0x0a090807u);
    cr_assert_eq(mysql_cursor_lenenc(&cur), 0x1234);
    cr_assert(memcmp(mysql_cursor_cstr(&cur, &len), "ab", 2) == 0 && len == 2);
    cr_assert_not(cur.failed);
    cr_assert_eq(mysql_cursor_u8(&cur), 0);
    cr_assert(cur.failed);
    cr_assert_eq(mysql_cursor_left(&cur), 0);
}

Test(mysql_packet, cursor_refuses_lengths_beyond_the_end)
{
    const uint8_t huge[] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'x'};
    const uint8_t null_marker[] = {0xfb};
    const uint8_t no_nul[] = {'a', 'b'};
    struct mysql_cursor cur;
    size_t len;

    mysql_cursor_init(&cur, huge, sizeof(huge));
    cr_assert_null(mysql_cursor_lenenc_bytes(&cur, &len));
    cr_assert(cur.failed && len == 0);
    mysql_cursor_init(&cur, null_marker, sizeof(null_marker));
    mysql_cursor_lenenc(&cur);
    cr_assert(cur.failed);
    mysql_cursor_init(&cur, no_nul, sizeof(no_nul));
    cr_assert_null(mysql_cursor_cstr(&cur, &len));
    mysql_cursor_init(&cur, NULL, 0);
    cr_assert_null(mysql_cursor_cstr(&cur, &len));
}

Test(mysql_packet, lenenc_round_trip)
{
    const uint64_t values[] = {0,      1,       0xfa,     0xfb,      0xff,       0x100,
                               0xffff, 0x10000, 0xffffff, 0x1000000, 1ull << 32, UINT64_MAX};
    uint8_t bytes[9];
    struct mysql_cursor cur;

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        size_t len = mysql_lenenc_encode(bytes, values[i]);

        mysql_cursor_init(&cur, bytes, len);
        cr_assert_eq(mysql_cursor_lenenc(&cur), values[i]);
        cr_assert(!cur.failed && mysql_cursor_left(&cur) == 0);
    }
}

/* Writes a payload of len bytes of a pattern; returns the wire image in *out. */
static void write_payload(struct buffer *out, struct mysql_wire *wire, size_t len)
{
    struct mysql_packet pkt;

    *wire = (struct mysql_wire){.out = out, .seq = 0};
    mysql_packet_begin(&pkt, wire);
    for (size_t i = 0; i < len;) {
        uint8_t piece[4096];
        size_t n = len - i < sizeof(piece) ? len - i : sizeof(piece);

        for (size_t k = 0; k < n; k++)
            piece[k] = (uint8_t)((i + k) * 31 >> 3);
        mysql_packet_bytes(&pkt, piece, n);
        i += n;
    }
    cr_assert_eq(mysql_packet_end(&pkt), 0);
}

static void check_round_trip(size_t len, size_t step)
{
    struct buffer out;
    struct mysql_wire wire;
    struct mysql_framer fr;
    enum mysql_frame_result result = MYSQL_FRAME_MORE;
    size_t taken, at = 0;

    buffer_init(&out, 64u << 20);
    write_payload(&out, &wire, len);
    cr_assert_eq(out.len, len + 4 * (len / MYSQL_PACKET_PAYLOAD_MAX + 1));
    cr_assert_eq(wire.seq, len / MYSQL_PACKET_PAYLOAD_MAX + 1);
    mysql_framer_init(&fr, 64u << 20);
    while (result == MYSQL_FRAME_MORE) {
        size_t n = out.len - at < step ? out.len - at : step;

        cr_assert_gt(n, 0);
        result = mysql_framer_feed(&fr, out.data + at, n, &taken);
        cr_assert_eq(taken, n);
        at += taken;
    }
    cr_assert_eq(result, MYSQL_FRAME_DONE);
    cr_assert(at == out.len && fr.len == len && fr.seq == wire.seq);
    for (size_t i = 0; i < len; i++)
        cr_assert_eq(fr.payload[i], (uint8_t)(i * 31 >> 3));
    mysql_framer_release(&fr, 0);
    cr_assert(fr.cap <= MYSQL_FRAMER_KEEP_BYTES);
    mysql_framer_fini(&fr);
    buffer_fini(&out);
}

Test(mysql_packet, small_messages_in_single_bytes)
{
    for (size_t len = 0; len < 300; len++)
        check_round_trip(len, 1);
}

Test(mysql_packet, sizes_around_the_physical_limit)
{
    const size_t max = MYSQL_PACKET_PAYLOAD_MAX;
    const size_t sizes[] = {max - 1, max, max + 1, 2 * max - 1, 2 * max, 2 * max + 1, 3 * max + 7};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        check_round_trip(sizes[i], 1 << 20);
}

Test(mysql_packet, framer_stops_at_the_end_of_a_message)
{
    const uint8_t bytes[] = {1, 0, 0, 0, 'a', 1, 0, 0, 0, 'b'};
    struct mysql_framer fr;
    size_t taken;

    mysql_framer_init(&fr, 100);
    cr_assert_eq(mysql_framer_feed(&fr, bytes, sizeof(bytes), &taken), MYSQL_FRAME_DONE);
    cr_assert_eq(taken, 5);
    cr_assert_eq(mysql_framer_feed(&fr, bytes + 5, 5, &taken), MYSQL_FRAME_DONE);
    cr_assert_eq(taken, 0);
    mysql_framer_release(&fr, 0);
    cr_assert_eq(mysql_framer_feed(&fr, bytes + 5, 5, &taken), MYSQL_FRAME_DONE);
    cr_assert(taken == 5 && fr.payload[0] == 'b');
    mysql_framer_fini(&fr);
}

Test(mysql_packet, framer_checks_order_and_limit)
{
    const uint8_t wrong_seq[] = {1, 0, 0, 3, 'a'};
    const uint8_t large[] = {0xff, 0xff, 0xff, 0};
    struct mysql_framer fr;
    size_t taken;

    mysql_framer_init(&fr, 100);
    cr_assert_eq(mysql_framer_feed(&fr, wrong_seq, 5, &taken), MYSQL_FRAME_ORDER);
    cr_assert_eq(fr.seen_seq, 3);
    mysql_framer_release(&fr, 0);
    cr_assert_eq(mysql_framer_feed(&fr, large, 4, &taken), MYSQL_FRAME_TOO_LARGE);
    cr_assert_eq(fr.cap, 0, "a header alone must not allocate");
    mysql_framer_fini(&fr);
}

Test(mysql_packet, announced_length_does_not_allocate)
{
    const uint8_t large[] = {0xff, 0xff, 0xff, 0, 'a'};
    struct mysql_framer fr;
    size_t taken;

    mysql_framer_init(&fr, 64u << 20);
    cr_assert_eq(mysql_framer_feed(&fr, large, 5, &taken), MYSQL_FRAME_MORE);
    cr_assert_leq(fr.cap, 4096);
    mysql_framer_fini(&fr);
}

Test(mysql_packet, packet_that_does_not_fit_is_taken_back)
{
    struct buffer out;
    struct mysql_wire wire = {.out = &out, .seq = 5};
    struct mysql_packet pkt;
    char bytes[600];

    memset(bytes, 'x', sizeof(bytes));
    buffer_init(&out, 1000);
    mysql_packet_begin(&pkt, &wire);
    mysql_packet_bytes(&pkt, bytes, sizeof(bytes));
    cr_assert_eq(mysql_packet_end(&pkt), 0);
    mysql_packet_begin(&pkt, &wire);
    mysql_packet_bytes(&pkt, bytes, sizeof(bytes));
    mysql_packet_u8(&pkt, 1);
    cr_assert_eq(mysql_packet_end(&pkt), -ENOBUFS);
    cr_assert(out.len == 604 && wire.seq == 6);
    buffer_fini(&out);
}
