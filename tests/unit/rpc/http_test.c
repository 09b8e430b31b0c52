/* The observability port over the simulator's network: paths, errors, requests in pieces and too long ones. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/core.h"
#include "reactor/io_sim.h"
#include "reactor/log.h"
#include "reactor/stream.h"
#include "rpc/http.h"

enum { STEPS = 1000000 };

struct world {
    struct sim *sim;
    struct reactor_group *group;
    struct reactor *r;
    struct http_server *server;
    bool ready, closed;
    struct stream *stream;
    const char *request;
    size_t len, sent, piece; /* piece: bytes sent at a time */
    char response[20000];
    size_t got;
    uint64_t answer_ns; /* metrics end after so long */
    struct http_answer *answer;
    struct timer answer_timer;
    bool stopped, answered, is_over, is_later;
    unsigned left; /* clients that http_answer_watch told of */
    struct reactor *exiting;
};

static struct world w;

static bool is_ready(void *ctx)
{
    return ((struct world *)ctx)->ready;
}

static void metrics_end(struct timer *t)
{
    (void)t;
    w.answered = true;
    http_answer_end(w.answer);
}

/* At once, or when another core would have told what it knows. */
static void metrics(void *ctx, struct http_answer *a)
{
    (void)ctx;
    buffer_printf(http_answer_body(a), "own_metric 42\n");
    if (w.answer_ns) {
        w.answer = a;
        w.answer_timer.fire = metrics_end;
        timer_arm(w.r, &w.answer_timer, w.answer_ns);
    } else {
        http_answer_end(a);
    }
}

static void status(void *ctx, struct buffer *out)
{
    (void)ctx;
    buffer_printf(out, "\"own\":true");
}

static void has_left(void *ctx)
{
    (void)ctx;
    w.left++;
}

/* Tells what came; at once or when the test wants. */
static void other(void *ctx, struct http_answer *a)
{
    const struct http_request *r = http_answer_request(a);

    (void)ctx;
    buffer_printf(http_answer_body(a), "%.*s %.*s %zu %.*s\n", (int)r->method.len, r->method.data,
                  (int)r->path.len, r->path.data, r->body.len, (int)r->body.len, r->body.data);
    http_answer_head(a, 403, "text/x", "X-More: 1\r\n");
    http_answer_watch(a, has_left, NULL);
    if (w.is_later)
        w.answer = a;
    else
        http_answer_end(a);
}

static int start_nothing(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    return 0;
}

static void start_with(void (*answer_other)(void *ctx, struct http_answer *a))
{
    struct http_config config = {.bind = "0.0.0.0",
                                 .program = "quanta-test",
                                 .is_ready = is_ready,
                                 .metrics = metrics,
                                 .status = status,
                                 .other = answer_other,
                                 .max_body = 50000,
                                 .ctx = &w};
    char err[200];

    memset(&w, 0, sizeof(w));
    log_level = LOG_ERROR;
    w.sim = sim_new(1);
    struct reactor_config rc = {
        .cores = 1, .io = REACTOR_IO_SIM, .sim = w.sim, .sim_host = 1, .memory = 1 << 26};
    cr_assert_eq(reactor_group_new(&rc, &w.group, err, sizeof(err)), 0, "%s", err);
    cr_assert_eq(reactor_group_start(w.group, start_nothing, NULL), 0);
    w.r = reactor_group_get(w.group, 0);
    reactor_set_self(w.r);
    cr_assert_eq(http_start(w.r, &config, &w.server, err, sizeof(err)), 0, "%s", err);
    reactor_set_self(NULL);
}

static void setup(void)
{
    start_with(NULL);
}

static void setup_other(void)
{
    start_with(other);
}

static void stopped(void *ctx)
{
    (void)ctx;
    w.stopped = true;
    reactor_exit(w.exiting);
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    w.exiting = r;
    http_stop(w.server, stopped, NULL);
}

static void teardown(void)
{
    if (!w.is_over)
        reactor_group_stop(w.group, exit_core, NULL);
    reactor_group_free(w.group);
    sim_free(w.sim);
    free(w.server);
}

TestSuite(http, .init = setup, .fini = teardown);
TestSuite(http_other, .init = setup_other, .fini = teardown);

static void on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    (void)s;
    cr_assert_lt(w.got + n, sizeof(w.response));
    memcpy(w.response + w.got, bytes, n);
    w.got += n;
    w.response[w.got] = 0;
}

static void send_some(struct stream *s)
{
    size_t n = w.len - w.sent < w.piece ? w.len - w.sent : w.piece;

    if (!n)
        return;
    buffer_append(stream_out(s), w.request + w.sent, n);
    w.sent += n;
    stream_flush(s);
}

static void on_closed(struct stream *s, int err)
{
    (void)s;
    (void)err;
    w.closed = true;
}

static void on_connected(struct stream *s, int err)
{
    cr_assert_eq(err, 0);
    send_some(s);
}

static bool is_closed(void *ctx)
{
    (void)ctx;
    return w.closed;
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

static void begin(const char *request, size_t len, size_t piece)
{
    static const struct stream_handler handler = {on_data, send_some, on_closed};

    w.request = request;
    w.len = len;
    w.sent = w.got = 0;
    w.piece = piece;
    w.closed = false;
    reactor_set_self(w.r);
    cr_assert_eq(stream_connect(w.r, "10.0.0.1", http_port(w.server), 1000000000, 1 << 20, &handler,
                                on_connected, &w, &w.stream),
                 0);
    reactor_set_self(NULL);
}

/* Sends a request, piece by piece; the response is in w.response when the server has closed. */
static void ask(const char *request, size_t len, size_t piece)
{
    begin(request, len, piece);
    cr_assert_eq(reactor_sim_run(w.group, is_closed, NULL, STEPS), 0);
    cr_assert_eq(reactor_sim_run(w.group, never, NULL, STEPS), -ETIME,
                 "the server's side ends, too");
}

static void get(const char *path)
{
    char request[300];

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    ask(request, strlen(request), sizeof(request));
}

static void check(const char *start, const char *inside)
{
    const char *body = strstr(w.response, "\r\n\r\n"),
               *length = strstr(w.response, "Content-Length: ");

    cr_assert_eq(strncmp(w.response, start, strlen(start)), 0, "%s", w.response);
    cr_assert_not_null(strstr(w.response, inside), "%s", w.response);
    cr_assert(body && length);
    cr_assert_eq(strlen(body + 4), strtoul(length + 16, NULL, 10), "%s", w.response);
}

Test(http, health_and_readiness)
{
    get("/healthz");
    check("HTTP/1.1 200 OK\r\n", "\r\n\r\nok\n");
    get("/readyz");
    check("HTTP/1.1 503 ", "starting");
    w.ready = true;
    get("/readyz?verbose=1");
    check("HTTP/1.1 200 ", "ready");
}

Test(http, metrics_may_come_later)
{
    w.answer_ns = 5000000000;
    get("/metrics");
    check("HTTP/1.1 200 ", "own_metric 42\n");
    w.answer_ns = 60000000000;
    get("/metrics");
    cr_assert_eq(w.got, 0, "an answer that takes too long is none: %s", w.response);
    cr_assert(!w.stopped);
}

static bool is_asked(void *ctx)
{
    (void)ctx;
    return w.answer != NULL;
}

Test(http, a_stop_waits_for_answers)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";

    w.answer_ns = 10000000000;
    begin(request, strlen(request), sizeof(request));
    cr_assert_eq(reactor_sim_run(w.group, is_asked, NULL, STEPS), 0);
    reactor_group_stop(w.group, exit_core, NULL);
    cr_assert(w.stopped);
    cr_assert(w.answered);
    w.is_over = true;
}

Test(http, metrics_and_status_have_the_programs_own_part)
{
    w.ready = true;
    get("/metrics");
    check("HTTP/1.1 200 ", "own_metric 42\n");
    check("HTTP/1.1 200 ", "quanta_ready 1\n");
    get("/status");
    check("HTTP/1.1 200 ", "\"program\":\"quanta-test\"");
    check("HTTP/1.1 200 ", "\"own\":true}");
}

Test(http, other_paths_and_methods_are_refused)
{
    static const char post[] = "POST /healthz HTTP/1.1\r\n\r\n";

    get("/elsewhere");
    check("HTTP/1.1 404 ", "/metrics");
    get("/healthzz");
    check("HTTP/1.1 404 ", "known here");
    get("");
    check("HTTP/1.1 405 ", "GET");
    ask(post, strlen(post), 100);
    check("HTTP/1.1 405 ", "GET");
}

Test(http, a_request_may_come_in_pieces)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";

    for (size_t piece = 1; piece < 20; piece += 3) {
        ask(request, strlen(request), piece);
        check("HTTP/1.1 200 ", "ok");
    }
}

Test(http, a_long_request_is_cut_off)
{
    static char request[20000];

    memset(request, 'a', sizeof(request));
    memcpy(request, "GET /healthz HTTP/1.1\r\nX: ", 26);
    ask(request, sizeof(request), 3000);
    cr_assert_eq(strncmp(w.response, "HTTP/1.1 431 ", 13), 0, "%s", w.response);
    ask(request, 8192, 8192);
    cr_assert_eq(strncmp(w.response, "HTTP/1.1 431 ", 13), 0, "%s", w.response);
}

/* Such a request never ends, as one that stops half-way: the connection does. */
Test(http, a_request_without_an_end_is_dropped_after_a_while)
{
    static const char zero[] = "GET /heal\0thz HTTP/1.1\r\n\r\n",
                      half[] = "GET /healthz HTTP/1.1\r\n";

    ask(zero, sizeof(zero) - 1, 100);
    cr_assert_eq(w.got, 0);
    ask(half, sizeof(half) - 1, 100);
    cr_assert_eq(w.got, 0);
    get("/healthz");
    check("HTTP/1.1 200 ", "ok");
}

Test(http_other, paths_of_the_port_stay)
{
    static const char post[] = "POST /healthz HTTP/1.1\r\n\r\n";

    get("/healthz");
    check("HTTP/1.1 200 ", "ok");
    get("/metrics?x");
    check("HTTP/1.1 200 ", "own_metric 42\n");
    ask(post, strlen(post), 100);
    check("HTTP/1.1 405 ", "GET");
    cr_assert_eq(w.left, 0);
}

Test(http_other, gets_the_request)
{
    get("/elsewhere?x=1");
    check("HTTP/1.1 403 Forbidden\r\n", "GET /elsewhere 0 \n");
    check("HTTP/1.1 403 ", "Content-Type: text/x\r\n");
    check("HTTP/1.1 403 ", "\r\nX-More: 1\r\n");
    cr_assert_eq(w.left, 1, "told when all is sent, too");
}

/* With the head, behind it, across the room for a head, and with bytes that belong to no request. */
Test(http_other, a_body_comes_in_any_pieces)
{
    static char request[20000];
    static const size_t lens[] = {0, 1, 5000, 8100, 15000};

    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        int head = snprintf(request, sizeof(request),
                            "POST /x HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", lens[i]);
        char wanted[40];

        memset(request + head, 'b', lens[i]);
        memset(request + (size_t)head + lens[i], '!', 100);
        snprintf(wanted, sizeof(wanted), "\r\n\r\nPOST /x %zu %s", lens[i], lens[i] ? "b" : "\n");
        for (size_t piece = 977; piece < 40000; piece *= 3) {
            ask(request, (size_t)head + lens[i] + (piece % 2 ? 100 : 0), piece);
            check("HTTP/1.1 403 ", wanted);
            cr_assert_null(strchr(w.response, '!'));
        }
    }
}

Test(http_other, what_is_no_request_is_refused)
{
    static const char chunked[] = "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                      large[] = "POST /x HTTP/1.1\r\nContent-Length: 50001\r\n\r\n",
                      odd[] = "G@T /x HTTP/1.1\r\n\r\n";

    ask(chunked, strlen(chunked), 1000);
    check("HTTP/1.1 411 ", "Content-Length");
    ask(large, strlen(large), 1000);
    check("HTTP/1.1 413 ", "too long");
    ask(odd, strlen(odd), 1000);
    check("HTTP/1.1 400 ", "METHOD");
    cr_assert_eq(w.left, 0);
}

Test(http_other, half_a_body_is_dropped_after_a_while)
{
    static const char half[] = "POST /x HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc";

    ask(half, strlen(half), 1000);
    cr_assert_eq(w.got, 0);
    get("/x");
    check("HTTP/1.1 403 ", "GET /x");
}

/* The client leaves before the answer: that is told at once, and the answer still has its end. */
Test(http_other, who_leaves_is_missed)
{
    static const char request[] = "GET /x HTTP/1.1\r\n\r\n";

    w.is_later = true;
    begin(request, strlen(request), 1000);
    cr_assert_eq(reactor_sim_run(w.group, is_asked, NULL, STEPS), 0);
    cr_assert_eq(w.left, 0);
    reactor_set_self(w.r);
    stream_abort(w.stream);
    reactor_set_self(NULL);
    cr_assert_eq(reactor_sim_run(w.group, never, NULL, STEPS), -ETIME);
    cr_assert_eq(w.left, 1);
    reactor_set_self(w.r);
    http_answer_end(w.answer);
    reactor_set_self(NULL);
    cr_assert_eq(w.left, 1);
}
