/* Streams and listeners over every back end. */
#include "cores.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reactor/list.h"
#include "reactor/stream.h"

/* ---- an echo server on every core ---------------------------------------------------------- */

static struct gate opened = GATE_INIT, server_closed = GATE_INIT, client_closed = GATE_INIT;
static uint16_t port;
static _Atomic long accepted;
static _Atomic bool stopping;

static void echo_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    if (buffer_append(stream_out(s), bytes, n) != 0)
        stream_abort(s);
    else
        stream_flush(s);
}

static void echo_closed(struct stream *s, int err)
{
    (void)err;
    listener_connection_closed(stream_ctx(s));
    gate_add(&server_closed, 1);
}

static const struct stream_handler echo_handler = {echo_data, NULL, echo_closed};

static void echo_accept(struct listener *l, int fd)
{
    struct stream *s;

    accepted++;
    cr_assert(stream_new(listener_reactor(l), fd, 4 << 20, &echo_handler, l, &s) == 0);
    cr_assert(stream_peer_is_loopback(s) && strncmp(stream_peer(s), "127.0.0.1:", 10) == 0);
}

static void open_listener(struct reactor *r, void *ctx)
{
    struct listener *l;
    char err[200];
    unsigned max = ctx ? *(unsigned *)ctx : 0;

    cr_assert(listener_new(r, "127.0.0.1", port, max, echo_accept, NULL, &l, err, sizeof err) == 0,
              "%s", err);
    port = listener_port(l);
    cr_assert(port != 0);
    reactor_set_local(r, LOCAL_TEST, l);
    gate_add(&opened, 1);
}

static void stop_core(struct reactor *r, void *ctx)
{
    struct listener *l = reactor_get_local(r, LOCAL_TEST);

    (void)ctx;
    if (l)
        listener_stop(l);
    reactor_exit(r);
}

static struct reactor_group *echo_start(enum reactor_io io, unsigned max)
{
    struct reactor_group *g = cores_start(io, 2, 0);

    opened.count = server_closed.count = client_closed.count = 0;
    accepted = 0;
    stopping = false;
    port = 0;
    for (unsigned i = 0; i < 2; i++) {
        reactor_post(reactor_group_get(g, i), open_listener, max ? &max : NULL);
        gate_wait(g, &opened, i + 1);
    }
    return g;
}

static void echo_stop(struct reactor_group *g)
{
    stopping = true;
    reactor_group_stop(g, stop_core, NULL);
    reactor_group_free(g);
}

/* ---- clients -------------------------------------------------------------------------------- */

enum { PIECE = 997 };

struct client {
    size_t to_send, sent, received;
    int pauses;
    bool paused;
    struct timer resume;
    struct stream *s;
    int connect_err, closed_err;
};

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 253);
}

/* As much as the limit allows; on_drain brings us back. */
static void client_fill(struct stream *s)
{
    struct client *c = stream_ctx(s);
    uint8_t piece[PIECE];

    while (c->sent < c->to_send) {
        size_t n = c->to_send - c->sent < PIECE ? c->to_send - c->sent : PIECE;

        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(c->sent + i);
        if (buffer_append(stream_out(s), piece, n) == -ENOBUFS)
            break;
        c->sent += n;
    }
    stream_flush(s);
}

static void client_resume(struct timer *t)
{
    struct client *c = container_of(t, struct client, resume);

    c->paused = false;
    if (c->s)
        stream_resume(c->s);
}

static void client_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    struct client *c = stream_ctx(s);

    cr_assert(!c->paused);
    for (size_t i = 0; i < n; i++)
        cr_assert(bytes[i] == byte_at(c->received + i), "byte %zu", c->received + i);
    c->received += n;
    if (c->received == c->to_send) {
        stream_close(s);
    } else if (c->pauses > 0) {
        c->pauses--;
        c->paused = true;
        stream_pause(s);
        timer_arm(stream_reactor(s), &c->resume, 2000000);
    }
}

static void client_finished(struct stream *s, int err)
{
    struct client *c = stream_ctx(s);

    c->s = NULL;
    c->closed_err = err;
    timer_cancel(stream_reactor(s), &c->resume);
    gate_add(&client_closed, 1);
}

static const struct stream_handler client_handler = {client_data, client_fill, client_finished};

static void client_connected(struct stream *s, int err)
{
    struct client *c = stream_ctx(s);

    c->connect_err = err;
    if (err == 0)
        client_fill(s);
}

static struct client client;

static void client_start(struct reactor *r, void *ctx)
{
    size_t limit = *(size_t *)ctx;

    client.resume.fire = client_resume;
    cr_assert(stream_connect(r, "127.0.0.1", port, 5000000000, limit, &client_handler,
                             client_connected, &client, &client.s) == 0);
}

/* 3 MB through an output limit of 10 kB, with pauses: nothing is lost or out of order. */
static void echo_of_megabytes(enum reactor_io io)
{
    struct reactor_group *g = echo_start(io, 0);
    size_t limit = 10000;

    client = (struct client){.to_send = 3000000, .pauses = 20};
    reactor_post(reactor_group_get(g, 1), client_start, &limit);
    gate_wait(g, &client_closed, 1);
    gate_wait(g, &server_closed, 1);
    cr_assert(client.received == 3000000 && client.closed_err == 0, "%zu %d", client.received,
              client.closed_err);
    cr_assert(client.pauses == 0);
    echo_stop(g);
}
BACK_ENDS(stream, echo_of_megabytes)

static void connect_nowhere(struct reactor *r, void *ctx)
{
    (void)ctx;
    cr_assert(stream_connect(r, "127.0.0.1", 1, 5000000000, 1000, &client_handler, client_connected,
                             &client, &client.s) == 0);
}

static void refused_connection(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);

    client_closed.count = 0;
    client = (struct client){.connect_err = 1};
    reactor_post(reactor_group_get(g, 0), connect_nowhere, NULL);
    gate_wait(g, &client_closed, 1);
    cr_assert(client.connect_err == -ECONNREFUSED && client.closed_err == -ECONNREFUSED);
    cores_stop(g);
}
BACK_ENDS(stream, refused_connection)

static void connect_by_name(struct reactor *r, void *ctx)
{
    (void)ctx;
    cr_assert(stream_connect(r, "localhost", port, 20000000000, 100000, &client_handler,
                             client_connected, &client, &client.s) == 0);
}

static void connects_by_name(enum reactor_io io)
{
    struct addrinfo *found = NULL;

    if (getaddrinfo("localhost", NULL, NULL, &found)) /* as in a root without /etc/hosts */
        cr_skip_test("localhost has no address here");
    freeaddrinfo(found);
    struct reactor_group *g = echo_start(io, 0);

    client = (struct client){.to_send = 10};
    reactor_post(reactor_group_get(g, 0), connect_by_name, NULL);
    gate_wait(g, &client_closed, 1);
    cr_assert(client.connect_err == 0 && client.received == 10);
    echo_stop(g);
}
BACK_ENDS(stream, connects_by_name)

static void connect_to_bad_name(struct reactor *r, void *ctx)
{
    char name[400];

    (void)ctx;
    memset(name, 'x', sizeof name); /* longer than any host name: no server need be asked */
    name[sizeof name - 1] = 0;
    cr_assert(stream_connect(r, name, port, 20000000000, 1000, &client_handler, client_connected,
                             &client, &client.s) == 0);
}

static void unknown_name(enum reactor_io io)
{
    struct reactor_group *g;

    log_level = LOG_ERROR;
    g = cores_start(io, 1, 0);
    client_closed.count = 0;
    client = (struct client){0};
    reactor_post(reactor_group_get(g, 0), connect_to_bad_name, NULL);
    gate_wait(g, &client_closed, 1);
    cr_assert(client.connect_err < 0 && client.closed_err == client.connect_err);
    cores_stop(g);
}

Test(stream, unknown_name_uring)
{
    unknown_name(REACTOR_IO_URING);
}

Test(stream, unknown_name_epoll)
{
    unknown_name(REACTOR_IO_EPOLL);
}

/* ---- many short connections ---------------------------------------------------------------- */

enum { CONNECTIONS = 10000, AT_A_TIME = 50 };

static struct {
    int started, ended, way;
} churn[2];

static void churn_next(struct reactor *r);

static void churn_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    (void)bytes;
    (void)n;
    if ((uintptr_t)stream_ctx(s) % 3 == 1)
        stream_abort(s);
    else
        stream_close(s);
}

static void churn_closed(struct stream *s, int err)
{
    struct reactor *r = stream_reactor(s);

    (void)err;
    churn[reactor_core(r)].ended++;
    gate_add(&client_closed, 1);
    churn_next(r);
}

static const struct stream_handler churn_handler = {churn_data, NULL, churn_closed};

static void churn_connected(struct stream *s, int err)
{
    if (err != 0) { /* listeners close while the last ones knock */
        cr_assert(stopping, "%d", err);
        return;
    }
    if ((uintptr_t)stream_ctx(s) % 3 == 2) {
        stream_close(s);
        return;
    }
    buffer_append(stream_out(s), "x", 1);
    stream_flush(s);
}

static void churn_next(struct reactor *r)
{
    struct stream *s;
    uintptr_t number = (uintptr_t)churn[reactor_core(r)].started;

    if (number == CONNECTIONS / 2)
        return;
    churn[reactor_core(r)].started++;
    cr_assert(stream_connect(r, "127.0.0.1", port, 60000000000, 1000, &churn_handler,
                             churn_connected, (void *)number, &s) == 0);
}

static void churn_start(struct reactor *r, void *ctx)
{
    (void)ctx;
    churn[reactor_core(r)].started = churn[reactor_core(r)].ended = 0;
    for (int i = 0; i < AT_A_TIME; i++)
        churn_next(r);
}

static void ten_thousand_connections(enum reactor_io io)
{
    struct reactor_group *g = echo_start(io, 0);

    reactor_post(reactor_group_get(g, 0), churn_start, NULL);
    reactor_post(reactor_group_get(g, 1), churn_start, NULL);
    gate_wait(g, &client_closed, CONNECTIONS);
    gate_wait(g, &server_closed, accepted);
    cr_assert(accepted >= CONNECTIONS - CONNECTIONS / 3);
    echo_stop(g);
}
BACK_ENDS(stream, ten_thousand_connections)

/* With room for one connection per core, the others wait their turn and all are served. */
static void connection_limit(enum reactor_io io)
{
    struct reactor_group *g = echo_start(io, 1);

    reactor_post(reactor_group_get(g, 0), churn_start, NULL);
    gate_wait(g, &client_closed, 500);
    echo_stop(g);
}
BACK_ENDS(stream, connection_limit)

/* ---- one end is the test thread (real back ends) --------------------------------------------- */

static struct stream *held;
static struct buffer got;
static struct gate got_data = GATE_INIT;

static void held_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    (void)s;
    cr_assert(buffer_append(&got, bytes, n) == 0);
    gate_add(&got_data, (long)n);
}

static void held_closed(struct stream *s, int err)
{
    (void)s;
    client.closed_err = err;
    gate_add(&client_closed, 1);
}

static const struct stream_handler held_handler = {held_data, NULL, held_closed};

static void hold(struct reactor *r, void *ctx)
{
    cr_assert(stream_new(r, *(int *)ctx, 1 << 20, &held_handler, NULL, &held) == 0);
    gate_add(&opened, 1);
}

static void send_two_parts(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    buffer_append(stream_out(held), "flushed", 7);
    stream_flush(held);
    buffer_append(stream_out(held), "unfinished", 10);
}

static void close_held(struct reactor *r, void *ctx)
{
    (void)r;
    if (ctx)
        stream_abort(held);
    else
        stream_close(held);
}

static void nothing(struct reactor *r, void *ctx)
{
    (void)r;
    gate_add(ctx, 1);
}

static void only_flushed_bytes_go(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);
    struct reactor *r = reactor_group_get(g, 0);
    int fds[2];
    char text[100];

    cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    opened.count = client_closed.count = 0;
    reactor_post(r, hold, &fds[0]);
    reactor_post(r, send_two_parts, NULL);
    cr_assert(recv(fds[1], text, 7, MSG_WAITALL) == 7 && memcmp(text, "flushed", 7) == 0);
    reactor_post(r, nothing, &opened);
    gate_wait(g, &opened, 2);
    cr_assert(recv(fds[1], text, 1, MSG_DONTWAIT) == -1);
    reactor_post(r, close_held, NULL); /* closing sends the rest */
    cr_assert(recv(fds[1], text, 100, MSG_WAITALL) == 10 && memcmp(text, "unfinished", 10) == 0);
    close(fds[1]);
    gate_wait(g, &client_closed, 1);
    cr_assert(client.closed_err == 0);
    cores_stop(g);
}

Test(stream, only_flushed_bytes_go_uring)
{
    only_flushed_bytes_go(REACTOR_IO_URING);
}

Test(stream, only_flushed_bytes_go_epoll)
{
    only_flushed_bytes_go(REACTOR_IO_EPOLL);
}

static uint8_t *big;

static void send_big_and_close(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    cr_assert(buffer_append(stream_out(held), big, 1 << 20) == 0);
    cr_assert(buffer_append(stream_out(held), big, 1) == -ENOBUFS);
    cr_assert(stream_unsent(held) == 1 << 20);
    stream_close(held);
}

/* The peer reads late and has left bytes unread for us: it still gets all of ours, then the end. */
static void close_sends_everything(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);
    struct reactor *r = reactor_group_get(g, 0);
    size_t have = 0;
    ssize_t n;
    int fds[2];
    static uint8_t in[1 << 20];

    big = calloc(1, 1 << 20);
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    client_closed.count = 0;
    buffer_init(&got, 1 << 20);
    cr_assert(send(fds[1], "request", 7, 0) == 7);
    reactor_post(r, hold, &fds[0]);
    reactor_post(r, send_big_and_close, NULL);
    cr_assert(send(fds[1], "more", 4, MSG_NOSIGNAL) == 4);
    while ((n = recv(fds[1], in, sizeof in, 0)) > 0)
        have += (size_t)n;
    cr_assert(n == 0 && have == 1 << 20);
    close(fds[1]);
    gate_wait(g, &client_closed, 1);
    cr_assert(client.closed_err == 0);
    cores_stop(g);
    buffer_fini(&got);
    free(big);
}

Test(stream, close_sends_everything_uring)
{
    close_sends_everything(REACTOR_IO_URING);
}

Test(stream, close_sends_everything_epoll)
{
    close_sends_everything(REACTOR_IO_EPOLL);
}

static void abort_reports_once(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);
    struct reactor *r = reactor_group_get(g, 0);
    int fds[2];
    char c;

    cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    client_closed.count = 0;
    reactor_post(r, hold, &fds[0]);
    reactor_post(r, close_held, g);
    cr_assert(recv(fds[1], &c, 1, 0) == 0);
    gate_wait(g, &client_closed, 1);
    cr_assert(client.closed_err == -ECONNABORTED);
    close(fds[1]);
    cores_stop(g);
    cr_assert(client_closed.count == 1);
}

Test(stream, abort_reports_once_uring)
{
    abort_reports_once(REACTOR_IO_URING);
}

Test(stream, abort_reports_once_epoll)
{
    abort_reports_once(REACTOR_IO_EPOLL);
}

/* ---- a toy filter: XOR, switched on in mid-connection ---------------------------------------- */

struct xor_state {
    uint8_t key;
    int freed;
};

static struct xor_state xor_server = {.key = 0x5a}, xor_client = {.key = 0x5a};

static int xor_into(void *state, const uint8_t *bytes, size_t n, struct buffer *out)
{
    const struct xor_state *x = state;

    for (size_t i = 0; i < n; i++) {
        uint8_t b = bytes[i] ^ x->key;

        if (buffer_append(out, &b, 1) != 0)
            return -ENOBUFS;
    }
    return 0;
}

static int xor_decrypt(void *state, const uint8_t *bytes, size_t n, struct buffer *plain,
                       struct buffer *wire)
{
    (void)wire;
    return xor_into(state, bytes, n, plain);
}

static int xor_encrypt(void *state, const uint8_t *bytes, size_t n, struct buffer *wire)
{
    return xor_into(state, bytes, n, wire);
}

static void xor_free(void *state)
{
    ((struct xor_state *)state)->freed++;
}

static const struct stream_filter xor_filter = {xor_decrypt, xor_encrypt, NULL, xor_free};

static bool server_switched;

/* Server: answers "S" with "K" in plain, then both sides go on behind the filter, echoing. */
static void starttls_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    if (server_switched) {
        echo_data(s, bytes, n);
        return;
    }
    cr_assert(bytes[0] == 'S');
    server_switched = true;
    buffer_append(stream_out(s), "K", 1);
    stream_flush(s);
    stream_set_filter(s, &xor_filter, &xor_server, bytes + 1, n - 1);
}

static const struct stream_handler starttls_handler = {starttls_data, NULL, echo_closed};

static void starttls_accept(struct listener *l, int fd)
{
    struct stream *s;

    cr_assert(stream_new(listener_reactor(l), fd, 4 << 20, &starttls_handler, l, &s) == 0);
}

static void starttls_client_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    struct client *c = stream_ctx(s);

    if (c->connect_err == 0) { /* the plain answer */
        cr_assert(bytes[0] == 'K');
        c->connect_err = 1;
        if (n > 1)
            client_data(s, bytes + 1, n - 1);
        return;
    }
    client_data(s, bytes, n);
}

static const struct stream_handler starttls_client = {starttls_client_data, client_fill,
                                                      client_finished};

/* Does not wait for the answer: the server finds "S" and filtered bytes in one read. The client's own
 * filter takes the plain 'K' to be filtered, so the test's key leaves it alone: see xor_client_decrypt. */
static bool first_byte_seen;

static int xor_client_decrypt(void *state, const uint8_t *bytes, size_t n, struct buffer *plain,
                              struct buffer *wire)
{
    (void)wire;
    if (!first_byte_seen) {
        first_byte_seen = true;
        cr_assert(buffer_append(plain, bytes, 1) == 0);
        bytes++;
        n--;
    }
    return xor_into(state, bytes, n, plain);
}

static const struct stream_filter xor_client_filter = {xor_client_decrypt, xor_encrypt, NULL,
                                                       xor_free};

static void starttls_connected(struct stream *s, int err)
{
    cr_assert(err == 0);
    buffer_append(stream_out(s), "S", 1);
    stream_set_filter(s, &xor_client_filter, &xor_client, NULL, 0);
    client_fill(s);
}

static void starttls_listen(struct reactor *r, void *ctx)
{
    struct listener *l;
    char err[100];

    (void)ctx;
    cr_assert(listener_new(r, "127.0.0.1", 0, 0, starttls_accept, NULL, &l, err, sizeof err) == 0);
    port = listener_port(l);
    reactor_set_local(r, LOCAL_TEST, l);
    cr_assert(stream_connect(r, "127.0.0.1", port, 5000000000, 20000, &starttls_client,
                             starttls_connected, &client, &client.s) == 0);
}

static void filter_in_mid_connection(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);

    client_closed.count = server_closed.count = 0;
    client = (struct client){.to_send = 500000, .pauses = 5, .resume.fire = client_resume};
    server_switched = first_byte_seen = false;
    xor_server.freed = xor_client.freed = 0;
    reactor_post(reactor_group_get(g, 0), starttls_listen, NULL);
    gate_wait(g, &client_closed, 1);
    gate_wait(g, &server_closed, 1);
    cr_assert(client.received == 500000 && client.closed_err == 0);
    cr_assert(xor_server.freed == 1 && xor_client.freed == 1);
    echo_stop(g);
}
BACK_ENDS(stream, filter_in_mid_connection)

/* ---- idle connections cost nothing ------------------------------------------------------------ */

enum { IDLE = 1000 };
static int idle_fds[IDLE][2];

static void hold_all(struct reactor *r, void *ctx)
{
    struct stream *s;

    (void)ctx;
    for (int i = 0; i < IDLE; i++)
        cr_assert(stream_new(r, idle_fds[i][0], 1000, &held_handler, NULL, &s) == 0);
    gate_add(&opened, 1);
}

static void idle_streams_sleep(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);
    struct reactor_stats before, after;
    struct timespec pause = {.tv_nsec = 500000000};

    for (int i = 0; i < IDLE; i++)
        cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, idle_fds[i]) == 0);
    opened.count = client_closed.count = got_data.count = 0;
    buffer_init(&got, 1 << 20);
    reactor_post(reactor_group_get(g, 0), hold_all, NULL);
    gate_wait(g, &opened, 1);
    /* On a busy machine the core is not yet at rest the first time. */
    for (int tries = 0; tries < 100; tries++) {
        reactor_get_stats(reactor_group_get(g, 0), &before);
        nanosleep(&pause, NULL);
        reactor_get_stats(reactor_group_get(g, 0), &after);
        if (after.turns - before.turns <= 5)
            break;
    }
    cr_assert(after.turns - before.turns <= 5, "%d turns", (int)(after.turns - before.turns));

    /* All wake at once: more receives than there are buffers. */
    for (int i = 0; i < IDLE; i++)
        cr_assert(send(idle_fds[i][1], "0123456789", 10, 0) == 10);
    gate_wait(g, &got_data, IDLE * 10);
    cr_assert(got.len == IDLE * 10);
    for (int i = 0; i < IDLE; i++)
        close(idle_fds[i][1]);
    gate_wait(g, &client_closed, IDLE);
    cores_stop(g);
    buffer_fini(&got);
}

Test(stream, idle_streams_sleep_uring)
{
    idle_streams_sleep(REACTOR_IO_URING);
}

Test(stream, idle_streams_sleep_epoll)
{
    idle_streams_sleep(REACTOR_IO_EPOLL);
}

/* ---- out of descriptors: accepting goes on later ------------------------------------------------- */

static void survives_lack_of_descriptors(enum reactor_io io)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), spare[256], n = 0;
    struct reactor_group *g;
    struct rlimit limit;
    char c = 'x';

    /* Before the first accept: io_uring remembers the limit of the time it was submitted. */
    cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 256;
    cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    log_level = LOG_ERROR;
    g = echo_start(io, 0);
    sa.sin_port = htons(port);
    /* What the cores had open for their start may come free: until nothing does for a while. */
    for (int before = -1; before != n; nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL)) {
        before = n;
        while ((spare[n] = dup(fd)) >= 0)
            n++;
    }
    cr_assert(connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0);
    cr_assert(send(fd, &c, 1, 0) == 1);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    cr_assert(recv(fd, &c, 1, MSG_DONTWAIT) == -1 && accepted == 0);
    while (n > 0)
        close(spare[--n]);
    cr_assert(recv(fd, &c, 1, 0) == 1 && c == 'x' && accepted == 1);
    close(fd);
    gate_wait(g, &server_closed, 1);
    echo_stop(g);
}

Test(stream, survives_lack_of_descriptors_uring)
{
    survives_lack_of_descriptors(REACTOR_IO_URING);
}

Test(stream, survives_lack_of_descriptors_epoll)
{
    survives_lack_of_descriptors(REACTOR_IO_EPOLL);
}

/* ---- listeners -------------------------------------------------------------------------------- */

static void bad_listeners(struct reactor *r, void *ctx)
{
    struct listener *l, *six;
    char err[200];

    cr_assert(listener_new(r, "localhost", 0, 0, echo_accept, NULL, &l, err, sizeof err) ==
                  -EINVAL &&
              !l);
    cr_assert(strstr(err, "localhost"));
    cr_assert(listener_new(r, "203.0.113.7", 0, 0, echo_accept, NULL, &l, err, sizeof err) ==
              -EADDRNOTAVAIL);
    cr_assert(listener_new(r, "[::]", 0, 0, echo_accept, NULL, &six, err, sizeof err) == 0, "%s",
              err);
    listener_stop(six);
    listener_stop(six);
    gate_add(ctx, 1);
}

static void port_is_taken(struct reactor *r, void *ctx)
{
    struct listener *l;
    char err[200];

    cr_assert(listener_new(r, "127.0.0.1", port, 0, echo_accept, NULL, &l, err, sizeof err) ==
              -EADDRINUSE);
    cr_assert(strstr(err, "in use"), "%s", err);
    gate_add(ctx, 1);
}

/* SO_REUSEPORT shares a port among the cores of one group, not with another server. */
Test(stream, a_second_server_is_refused)
{
    struct reactor_group *g = echo_start(REACTOR_IO_AUTO, 0),
                         *second = cores_start(REACTOR_IO_AUTO, 1, 0);

    reactor_post(reactor_group_get(second, 0), port_is_taken, &opened);
    gate_wait(g, &opened, 3);
    cores_stop(second);
    echo_stop(g);
}

Test(stream, listener_addresses)
{
    struct reactor_group *g = cores_start(REACTOR_IO_AUTO, 1, 0);

    opened.count = 0;
    reactor_post(reactor_group_get(g, 0), bad_listeners, &opened);
    gate_wait(g, &opened, 1);
    cores_stop(g);
}
