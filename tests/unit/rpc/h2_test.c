/* The HTTP/2 codec without sockets: two sessions that feed each other, and peers that misbehave. */
#include "rpc/h2_session.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct side {
    struct h2_session *h;
    struct h2_stream stream; /* the one request of these tests */
    size_t received;
    bool headers, ended, closed, low, goaway, pong;
    uint32_t error;
    bool consume; /* takes data as it comes */
    char path[32];
};

static struct side client, server;

static struct side *side_of(struct h2_stream *s)
{
    return s == &client.stream ? &client : &server;
}

static struct h2_stream *on_request(void *ctx)
{
    (void)ctx;
    return server.stream.session ? NULL : &server.stream;
}

static bool on_field(struct h2_stream *s, const char *name, size_t n, const char *value,
                     size_t value_len)
{
    if (n == 5 && !memcmp(name, ":path", 5) && value_len < sizeof(side_of(s)->path))
        memcpy(side_of(s)->path, value, value_len);
    return true;
}

static void on_headers(struct h2_stream *s)
{
    side_of(s)->headers = true;
}

static void on_data(struct h2_stream *s, const uint8_t *bytes, size_t n)
{
    (void)bytes;
    side_of(s)->received += n;
    if (side_of(s)->consume)
        h2_stream_consume(s, n);
}

static void on_end(struct h2_stream *s)
{
    side_of(s)->ended = true;
}

static void on_low(struct h2_stream *s)
{
    side_of(s)->low = true;
}

static void on_closed(struct h2_stream *s, uint32_t error)
{
    side_of(s)->closed = true;
    side_of(s)->error = error;
}

static void on_goaway(void *ctx)
{
    ((struct side *)ctx)->goaway = true;
}

static void on_ping_ack(void *ctx)
{
    ((struct side *)ctx)->pong = true;
}

static const struct h2_events events = {on_request, on_field,  on_headers, on_data,    on_end,
                                        on_low,     on_closed, on_goaway,  on_ping_ack};

static void setup(void)
{
    memset(&client, 0, sizeof(client));
    memset(&server, 0, sizeof(server));
    cr_assert_eq(h2_session_new(false, &events, &client, &client.h), 0);
    cr_assert_eq(h2_session_new(true, &events, &server, &server.h), 0);
}

static void teardown(void)
{
    h2_session_free(client.h);
    h2_session_free(server.h);
    h2_stream_drop(&client.stream);
    h2_stream_drop(&server.stream);
}

static size_t carry(struct side *from, struct side *to)
{
    struct buffer out;

    buffer_init(&out, 64 << 20);
    cr_assert_eq(h2_session_send(from->h, &out, 32 << 20), 0);
    size_t n = out.len;
    for (size_t at = 0; at < n; at += 1000) /* in pieces that cut frames */
        cr_assert_eq(h2_session_receive(to->h, out.data + at, n - at < 1000 ? n - at : 1000, 1), 0);
    buffer_fini(&out);
    return n;
}

static void settle(void)
{
    while (carry(&client, &server) + carry(&server, &client))
        continue;
}

static void request(void)
{
    const struct h2_field f[] = {{":method", "POST"},
                                 {":scheme", "http"},
                                 {":path", "/a.B/C"},
                                 {":authority", "x"}};

    cr_assert_eq(h2_stream_request(client.h, &client.stream, f, 4), 0);
}

static void respond(void)
{
    const struct h2_field f[] = {{":status", "200"}};

    cr_assert_eq(h2_stream_respond(&server.stream, f, 1), 0);
}

static void write_bytes(struct h2_stream *s, size_t n)
{
    struct h2_chunk *c = h2_chunk_new(n);

    memset(c->bytes, 7, n);
    h2_stream_write(s, c);
}

Test(h2, request_and_answer_with_trailers, .init = setup, .fini = teardown)
{
    const struct h2_field trailers[] = {{"grpc-status", "0"}};

    client.consume = server.consume = true;
    request();
    write_bytes(&client.stream, 100000);
    h2_stream_end(&client.stream, NULL, 0);
    settle();
    cr_assert(server.headers && server.ended && server.received == 100000);
    cr_assert_str_eq(server.path, "/a.B/C");
    respond();
    write_bytes(&server.stream, 3000000);
    h2_stream_end(&server.stream, trailers, 1);
    settle();
    cr_assert(client.received == 3000000 && client.ended && client.closed && !client.error);
    cr_assert(server.closed && !server.error);
}

Test(h2, the_window_opens_only_as_the_reader_takes_data, .init = setup, .fini = teardown)
{
    request();
    settle();
    respond();
    for (int i = 0; i < 40; i++)
        write_bytes(&server.stream, 100000);
    settle();
    cr_assert_eq(client.received, H2_STREAM_WINDOW);
    cr_assert_eq(h2_session_held(client.h), H2_STREAM_WINDOW);
    h2_stream_consume(&client.stream, 600000);
    settle();
    cr_assert_eq(client.received, H2_STREAM_WINDOW + 600000);
    client.consume = true;
    h2_stream_consume(&client.stream, client.stream.held);
    settle();
    cr_assert_eq(client.received, 4000000);
    cr_assert_eq(h2_session_held(client.h), 0);
}

Test(h2, reset_reaches_the_other_side, .init = setup, .fini = teardown)
{
    request();
    settle();
    respond();
    write_bytes(&server.stream, 5000000);
    settle();
    h2_stream_reset(&client.stream, 8);
    cr_assert_eq(h2_session_held(client.h), 0);
    settle();
    cr_assert(server.closed && server.error == 8);
    cr_assert(!client.closed, "no event follows a reset of one's own");
    cr_assert_eq(server.stream.queued, 0);
}

Test(h2, output_stops_at_the_bound, .init = setup, .fini = teardown)
{
    struct buffer out;

    client.consume = true;
    request();
    settle();
    respond();
    write_bytes(&server.stream, 4 << 20);
    buffer_init(&out, 64 << 20);
    cr_assert_eq(h2_session_send(server.h, &out, 100000), 0);
    cr_assert(out.len >= 100000 && out.len <= 100000 + H2_FRAME_MAX + 64, "%zu", out.len);
    cr_assert(h2_session_wants_write(server.h));
    cr_assert_eq(h2_session_receive(client.h, out.data, out.len, 1), 0);
    buffer_fini(&out);
    settle();
    cr_assert_eq(client.received, 4 << 20);
}

Test(h2, ping_and_goaway, .init = setup, .fini = teardown)
{
    settle();
    h2_session_ping(client.h);
    settle();
    cr_assert(client.pong);
    h2_session_goaway(server.h, 0);
    settle();
    cr_assert(client.goaway);
}

Test(h2, what_is_not_http2_ends_the_session, .init = setup, .fini = teardown)
{
    const char *bytes = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    cr_assert_eq(h2_session_receive(server.h, (const uint8_t *)bytes, strlen(bytes), 1), -EPROTO);
}

/* Frames without cost for the sender come to an end. */
static void flood(uint8_t type, uint8_t flags, const uint8_t *payload, size_t n)
{
    uint8_t frame[H2_FRAME_HEADER + 16] = {0, 0, (uint8_t)n, type, flags};
    struct buffer sink;
    long sent = 0;
    int rc = 0;

    settle();
    memcpy(frame + H2_FRAME_HEADER, payload, n);
    buffer_init(&sink, 1 << 20);
    while (!rc && sent++ < 100000) {
        rc = h2_session_receive(server.h, frame, H2_FRAME_HEADER + n, 2);
        if (sent % 100 == 0) {
            h2_session_send(server.h, &sink, 1 << 19);
            sink.len = 0;
        }
    }
    buffer_fini(&sink);
    cr_assert(rc < 0 && sent <= H2_FLOOD_BURST + 10, "%ld frames, %d", sent, rc);
}

Test(h2, floods_of_pings_end_the_session, .init = setup, .fini = teardown)
{
    flood(6, 0, (const uint8_t *)"12345678", 8);
}

Test(h2, floods_of_settings_end_the_session, .init = setup, .fini = teardown)
{
    flood(4, 0, (const uint8_t *)"", 0);
}

Test(h2, unanswered_pings_are_bounded, .init = setup, .fini = teardown)
{
    uint8_t frame[H2_FRAME_HEADER + 8] = {0, 0, 8, 6, 0};
    int rc = 0;
    long sent = 0;

    settle();
    while (!rc && sent++ < 100000)
        rc = h2_session_receive(server.h, frame, sizeof(frame), 2);
    cr_assert(rc < 0 && sent < 2000, "%ld answers are waiting", sent);
}

Test(h2, random_bytes_hurt_nobody)
{
    unsigned seed = 12345;

    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[600];
        size_t n = 24;
        setup();
        memcpy(bytes, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
        while (n < sizeof(bytes)) {
            uint8_t frame[H2_FRAME_HEADER] = {0, 0, 0,
                                              4}; /* the settings that have to come first */
            if (n > 24)
                for (unsigned i = 2; i < sizeof(frame); i++)
                    frame[i] = (uint8_t)(rand_r(&seed) >> 8 & (i == 3           ? 9
                                                               : i == 2         ? 63
                                                               : i > 4 && i < 8 ? 0
                                                                                : 15));
            size_t len = sizeof(frame) + frame[2];
            for (size_t i = 0; i < len && n < sizeof(bytes); i++)
                bytes[n++] = i < sizeof(frame) ? frame[i] : (uint8_t)rand_r(&seed);
        }
        h2_session_receive(server.h, bytes, n, 1);
        struct buffer out;
        buffer_init(&out, 1 << 20);
        h2_session_send(server.h, &out, 1 << 19);
        buffer_fini(&out);
        teardown();
    }
}
