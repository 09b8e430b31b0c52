/* gRPC calls between two cores: every kind of call, flow control, cancelling, deadlines, refusals, over every back end. */
#include "unit/reactor/cores.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reactor/io_sim.h"
#include "reactor/list.h"
#include "reactor/stream.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_server.h"

enum { SERVER_CORE = 0, CLIENT_CORE = 1 };

/* --- a server with one method of each kind --- */

static struct grpc_server *server;
static uint16_t port;
static struct gate ready = GATE_INIT, connected = GATE_INIT, lost = GATE_INIT, ended = GATE_INIT,
                   served = GATE_INIT, closed = GATE_INIT;
static _Atomic long flood_sent, server_status;

static void send_bytes(struct grpc_call *c, const void *bytes, size_t n)
{
    uint8_t *body;
    struct h2_chunk *m = grpc_message_new(n, &body);

    ASSERT(m);
    if (n)
        memcpy(body, bytes, n);
    grpc_call_send(c, m);
}

static void served_closed(struct grpc_call *c)
{
    server_status = c->status;
    free(c->ctx);
    gate_add(&served, 1);
}

static void echo_message(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
    send_bytes(c, bytes, n);
    grpc_call_read(c);
}

static void echo_end(struct grpc_call *c)
{
    struct grpc_metadata fields;
    const char *user = grpc_call_field(c, "quanta-user");

    grpc_metadata_init(&fields);
    grpc_metadata_put(&fields, "quanta-hello", user ? user : "nobody");
    grpc_call_finish(c, GRPC_OK, "", &fields);
    grpc_metadata_fini(&fields);
}

static void echo_start(struct grpc_call *c, void *ctx)
{
    (void)ctx;
    c->handler = (struct grpc_call_handler){echo_message, echo_end, NULL, served_closed};
    grpc_call_read(c);
}

/* Answers one message with as many of 10,000 bytes as it says, as far as the client takes them. */
struct flood {
    long left;
};

static void flood_more(struct grpc_call *c)
{
    struct flood *f = c->ctx;
    uint8_t *body;
    bool more = true;

    while (f->left && more) {
        struct h2_chunk *m = grpc_message_new(10000, &body);
        memset(body, (int)(f->left & 255), 10000);
        f->left--;
        flood_sent++;
        more = grpc_call_send(c, m);
    }
    if (!f->left)
        grpc_call_finish(c, GRPC_OK, NULL, NULL);
}

static void flood_message(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
    struct flood *f = c->ctx = calloc(1, sizeof(*f));

    ASSERT(n == sizeof(f->left));
    memcpy(&f->left, bytes, n);
    flood_more(c);
}

static void flood_start(struct grpc_call *c, void *ctx)
{
    (void)ctx;
    c->handler = (struct grpc_call_handler){flood_message, NULL, flood_more, served_closed};
    grpc_call_read(c);
}

static void fail_message(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
    (void)bytes, (void)n;
    grpc_call_finish(c, GRPC_FAILED_PRECONDITION, "it's 100 % wr\xc3\xb6ng\nreally", NULL);
}

static void fail_start(struct grpc_call *c, void *ctx)
{
    (void)ctx;
    c->handler = (struct grpc_call_handler){fail_message, NULL, NULL, served_closed};
    grpc_call_read(c);
}

/* Says nothing. */
static void silent_start(struct grpc_call *c, void *ctx)
{
    (void)ctx;
    c->handler = (struct grpc_call_handler){fail_message, NULL, NULL, served_closed};
    gate_add(&ready, 1);
}

static const struct grpc_method methods[] = {
    {"/test.T/Echo", echo_start},
    {"/test.T/Flood", flood_start},
    {"/test.T/Fail", fail_start},
    {"/test.T/Silent", silent_start},
    {NULL, NULL},
};

static const char *address = "127.0.0.1";

static void start_server(struct reactor *r, void *ctx)
{
    char err[200];

    (void)ctx;
    ASSERT(!grpc_server_new(r, address, port, methods, NULL, NULL, &server, err, sizeof(err)));
    port = grpc_server_port(server);
    gate_add(&ready, 1);
}

static void tell(void *ctx)
{
    gate_add(ctx, 1);
}

static void stop_server(struct reactor *r, void *ctx)
{
    (void)r;
    grpc_server_stop(server, 2000000000, tell, ctx);
}

/* --- a client --- */

static struct grpc_channel *channel;

struct probe {
    const char *path;
    const void *message;
    size_t len;
    long repeat;    /* messages to send */
    long read_max;  /* messages to take; then no more reads */
    bool keep_open; /* does not end sending */
    bool cancel_at_max;
    uint64_t deadline_ns;
    struct grpc_call *call;
    long sent, messages;
    size_t bytes;
    enum grpc_code status;
    char text[GRPC_STATUS_TEXT];
    char hello[64];
};

static void probe_send(struct grpc_call *c)
{
    struct probe *p = c->ctx;
    uint8_t *body;
    bool more = true;

    while (p->sent < p->repeat && more) {
        struct h2_chunk *m = grpc_message_new(p->len, &body);
        if (p->len)
            memcpy(body, p->message, p->len);
        p->sent++;
        more = grpc_call_send(c, m);
    }
    if (p->sent == p->repeat && !p->keep_open && more)
        grpc_call_end_sending(c);
}

static void probe_message(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
    struct probe *p = c->ctx;

    if (p->message && !strcmp(p->path, "/test.T/Echo"))
        ASSERT(n == p->len && !memcmp(bytes, p->message, n));
    p->messages++;
    p->bytes += n;
    if (p->messages < p->read_max)
        grpc_call_read(c);
    else if (p->cancel_at_max)
        grpc_call_cancel(c, GRPC_CANCELLED, "enough");
    else
        gate_add(&ready, 1);
}

static void probe_closed(struct grpc_call *c)
{
    struct probe *p = c->ctx;
    const char *hello = grpc_call_field(c, "quanta-hello");

    p->status = c->status;
    snprintf(p->text, sizeof(p->text), "%s", c->text);
    snprintf(p->hello, sizeof(p->hello), "%s", hello ? hello : "");
    p->call = NULL;
    gate_add(&ended, 1);
}

static const struct grpc_call_handler probe_events = {probe_message, NULL, probe_send,
                                                      probe_closed};

static void probe_start(struct reactor *r, void *ctx)
{
    struct probe *p = ctx;
    struct grpc_metadata fields;
    uint64_t deadline = p->deadline_ns ? reactor_now_ns(r) + p->deadline_ns : 0;

    grpc_metadata_init(&fields);
    grpc_metadata_put(&fields, "quanta-user", "ada");
    ASSERT(!grpc_channel_call(channel, p->path, &fields, deadline, &probe_events, p, &p->call));
    grpc_metadata_fini(&fields);
    if (p->read_max)
        grpc_call_read(p->call);
    probe_send(p->call);
}

static void probe_read_on(struct reactor *r, void *ctx)
{
    struct probe *p = ctx;

    (void)r;
    p->read_max = INT32_MAX;
    grpc_call_read(p->call);
}

static void on_connected(struct grpc_channel *ch)
{
    (void)ch;
    gate_add(&connected, 1);
}

static void on_lost(struct grpc_channel *ch, const char *why)
{
    (void)ch, (void)why;
    gate_add(&lost, 1);
}

static void start_client(struct reactor *r, void *ctx)
{
    static const struct grpc_channel_handler h = {on_connected, on_lost};

    (void)ctx;
    ASSERT(!grpc_channel_new(r, address, port, &h, NULL, &channel));
}

static void close_client(struct reactor *r, void *ctx)
{
    (void)r;
    grpc_channel_close(channel, tell, ctx);
}

static struct reactor_group *boot(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 2, 0);

    reactor_post(reactor_group_get(g, SERVER_CORE), start_server, NULL);
    gate_wait(g, &ready, 1);
    gate_reset(&ready);
    reactor_post(reactor_group_get(g, CLIENT_CORE), start_client, NULL);
    gate_wait(g, &connected, 1);
    return g;
}

static void halt(struct reactor_group *g)
{
    reactor_post(reactor_group_get(g, CLIENT_CORE), close_client, &closed);
    gate_wait(g, &closed, 1);
    reactor_post(reactor_group_get(g, SERVER_CORE), stop_server, &closed);
    gate_wait(g, &closed, 2);
    cores_stop(g);
}

static void run(struct reactor_group *g, struct probe *p)
{
    pthread_mutex_lock(&ended.lock);
    long before = ended.count;
    pthread_mutex_unlock(&ended.lock);

    reactor_post(reactor_group_get(g, CLIENT_CORE), probe_start, p);
    gate_wait(g, &ended, before + 1);
}

static void unary(enum reactor_io io)
{
    struct reactor_group *g = boot(io);
    struct probe p = {
        .path = "/test.T/Echo", .message = "hello", .len = 5, .repeat = 1, .read_max = 2};
    struct probe empty = {.path = "/test.T/Echo", .repeat = 1, .read_max = 2};

    run(g, &p);
    cr_assert(p.status == GRPC_OK && p.messages == 1 && p.bytes == 5, "%d %s", p.status, p.text);
    cr_assert_str_eq(p.hello, "ada");
    run(g, &empty);
    cr_assert(empty.status == GRPC_OK && empty.messages == 1 && empty.bytes == 0);
    halt(g);
}
BACK_ENDS(grpc, unary)

static void errors(enum reactor_io io)
{
    struct reactor_group *g = boot(io);
    struct probe fail = {
        .path = "/test.T/Fail", .message = "x", .len = 1, .repeat = 1, .read_max = 1};
    struct probe none = {
        .path = "/test.T/None", .message = "x", .len = 1, .repeat = 1, .read_max = 1};

    run(g, &fail);
    cr_assert_eq(fail.status, GRPC_FAILED_PRECONDITION);
    cr_assert_str_eq(fail.text, "it's 100 % wr\xc3\xb6ng\nreally");
    run(g, &none);
    cr_assert_eq(none.status, GRPC_UNIMPLEMENTED);
    cr_assert_str_eq(none.text, "unknown method /test.T/None");
    halt(g);
}
BACK_ENDS(grpc, errors)

/* Both sides stream; a message of many windows and many small ones. */
static void streams(enum reactor_io io)
{
    struct reactor_group *g = boot(io);
    size_t big = 9 << 20;
    char *bytes = malloc(big);
    struct probe many = {.path = "/test.T/Echo",
                         .message = bytes,
                         .len = 3000,
                         .repeat = 2000,
                         .read_max = INT32_MAX};
    struct probe large = {
        .path = "/test.T/Echo", .message = bytes, .len = big, .repeat = 3, .read_max = INT32_MAX};

    for (size_t i = 0; i < big; i++)
        bytes[i] = (char)(i * 2654435761U >> 13);
    run(g, &many);
    cr_assert(many.status == GRPC_OK && many.messages == 2000, "%d %s %ld", many.status, many.text,
              many.messages);
    run(g, &large);
    cr_assert(large.status == GRPC_OK && large.messages == 3, "%d %s", large.status, large.text);
    free(bytes);
    halt(g);
}
BACK_ENDS(grpc, streams)

enum { FLOOD_LEAST = 100 };

/* A reader that stops reading stops the writer after a window and the bounded queues, and gets all in the end. */
static void slow_reader(enum reactor_io io)
{
    struct reactor_group *g = boot(io);
    long n = 5000;
    struct probe p = {
        .path = "/test.T/Flood", .message = &n, .len = sizeof(n), .repeat = 1, .read_max = 3};

    reactor_post(reactor_group_get(g, CLIENT_CORE), probe_start, &p);
    gate_wait(g, &ready, 1);
    if (io == REACTOR_IO_SIM) {
        struct gate never = GATE_INIT;
        never.wanted = 1;
        reactor_sim_run(g, gate_reached, &never, 200000);
    } else {
        struct timespec pause = {.tv_nsec = 200000000};
        for (unsigned i = 0; i < 100 && flood_sent < FLOOD_LEAST; i++) /* of a busy machine */
            nanosleep(&pause, NULL);
        nanosleep(&pause, NULL); /* it does not go on */
    }
    /* window + message being read + queue + stream buffer, in messages of 10 kB */
    cr_assert(flood_sent >= FLOOD_LEAST && flood_sent < 250, "%ld messages on their way",
              (long)flood_sent);
    reactor_post(reactor_group_get(g, CLIENT_CORE), probe_read_on, &p);
    gate_wait(g, &ended, 1);
    cr_assert(p.status == GRPC_OK && p.messages == n, "%d %s %ld", p.status, p.text, p.messages);
    cr_assert_eq(flood_sent, n);
    halt(g);
}
BACK_ENDS(grpc, slow_reader)

static void cancel(enum reactor_io io)
{
    struct reactor_group *g = boot(io);
    long n = 1000000;
    struct probe p = {.path = "/test.T/Flood",
                      .message = &n,
                      .len = sizeof(n),
                      .repeat = 1,
                      .read_max = 10,
                      .cancel_at_max = true};
    struct probe after = {
        .path = "/test.T/Echo", .message = "x", .len = 1, .repeat = 1, .read_max = 2};

    run(g, &p);
    cr_assert(p.status == GRPC_CANCELLED && p.messages == 10);
    gate_wait(g, &served, 1);
    cr_assert_eq(server_status, GRPC_CANCELLED);
    cr_assert(flood_sent < 1000);
    run(g, &after);
    cr_assert_eq(after.status, GRPC_OK);
    halt(g);
}
BACK_ENDS(grpc, cancel)

static void deadline(enum reactor_io io)
{
    struct reactor_group *g = boot(io);
    struct probe p = {.path = "/test.T/Silent",
                      .message = "x",
                      .len = 1,
                      .repeat = 1,
                      .read_max = 2,
                      .deadline_ns = 30000000};
    struct probe before = {
        .path = "/test.T/Echo", .message = "x", .len = 1, .repeat = 1, .read_max = 2};

    run(g,
        &before); /* so that there is a connection, and the server hears of the call in any case */
    cr_assert_eq(before.status, GRPC_OK);
    gate_wait(g, &served, 1);
    run(g, &p);
    cr_assert_eq(p.status, GRPC_DEADLINE_EXCEEDED, "%d %s", p.status, p.text);
    gate_wait(g, &served, 2);
    halt(g);
}
BACK_ENDS(grpc, deadline)

/* The server goes away in the middle: the call says so, the channel comes back by itself. */
static void server_restart(enum reactor_io io)
{
    struct reactor_group *g = boot(io);
    struct probe p = {
        .path = "/test.T/Silent", .message = "x", .len = 1, .repeat = 1, .read_max = 2};
    struct probe after = {
        .path = "/test.T/Echo", .message = "x", .len = 1, .repeat = 1, .read_max = 2};

    reactor_post(reactor_group_get(g, CLIENT_CORE), probe_start, &p);
    gate_wait(g, &ready, 1);
    reactor_post(reactor_group_get(g, SERVER_CORE), stop_server, &closed);
    gate_wait(g, &closed, 1);
    gate_wait(g, &ended, 1);
    cr_assert_eq(p.status, GRPC_UNAVAILABLE, "%d %s", p.status, p.text);
    gate_wait(g, &lost, 1);
    reactor_post(reactor_group_get(g, SERVER_CORE), start_server, NULL);
    gate_wait(g, &connected, 2);
    run(g, &after);
    cr_assert_eq(after.status, GRPC_OK);
    gate_reset(&closed);
    halt(g);
}
BACK_ENDS(grpc, server_restart)

/* Many calls at a time on the one connection, more than the server takes at once. */
static void many_calls(enum reactor_io io)
{
    enum { CALLS = 1500 };
    struct reactor_group *g = boot(io);
    struct probe *p = calloc(CALLS, sizeof(*p));

    for (unsigned i = 0; i < CALLS; i++) {
        p[i] = (struct probe){
            .path = "/test.T/Echo", .message = "hello", .len = 5, .repeat = 3, .read_max = 4};
        reactor_post(reactor_group_get(g, CLIENT_CORE), probe_start, &p[i]);
    }
    gate_wait(g, &ended, CALLS);
    for (unsigned i = 0; i < CALLS; i++)
        cr_assert(p[i].status == GRPC_OK && p[i].messages == 3, "%u: %d %s", i, p[i].status,
                  p[i].text);
    free(p);
    halt(g);
}
BACK_ENDS(grpc, many_calls)

/* A network that swallows everything ends the calls on both sides: PING finds out. */
Test(grpc, silent_network)
{
    struct sim *world = sim_new(7);
    struct reactor_config config = {.cores = 1, .io = REACTOR_IO_SIM, .sim = world, .sim_host = 1};
    struct reactor_group *far = cores_new(&config), *near;
    struct probe p = {
        .path = "/test.T/Silent", .message = "x", .len = 1, .repeat = 1, .read_max = 2};

    address = "10.0.0.1";
    config.sim_host = 2;
    near = cores_new(&config);
    cr_assert_eq(reactor_group_start(far, cores_start_nothing, NULL), 0);
    cr_assert_eq(reactor_group_start(near, cores_start_nothing, NULL), 0);
    reactor_post(reactor_group_get(far, 0), start_server, NULL);
    gate_wait(far, &ready, 1);
    reactor_post(reactor_group_get(near, 0), start_client, NULL);
    gate_wait(near, &connected, 1);
    reactor_post(reactor_group_get(near, 0), probe_start, &p);
    gate_wait(far, &ready, 2);
    sim_net_cut(world, 1, 2, true);
    gate_wait(near, &ended, 1);
    cr_assert_eq(p.status, GRPC_UNAVAILABLE);
    cr_assert_str_eq(p.text, "connection lost: the peer does not answer any more");
    cr_assert_lt(sim_now_ns(world), 60000000000ull);
    gate_wait(far, &served, 1);
    cr_assert_eq(server_status, GRPC_UNAVAILABLE);
    sim_net_cut(world, 1, 2, false);
    gate_wait(near, &connected, 2);
    reactor_post(reactor_group_get(near, 0), close_client, &closed);
    gate_wait(near, &closed, 1);
    reactor_post(reactor_group_get(far, 0), stop_server, &closed);
    gate_wait(far, &closed, 2);
    cores_stop(near);
    cores_stop(far);
    sim_free(world);
}
