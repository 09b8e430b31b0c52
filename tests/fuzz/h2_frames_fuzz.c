/*
 * HTTP/2 frames and gRPC messages from outside: the bytes go through a simulated socket into a real server with one
 * method of each kind. Whatever they are, the server must answer or close and be there for the next input.
 */
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/core.h"
#include "reactor/log.h"
#include "reactor/stream.h"
#include "rpc/grpc_proto.h"
#include "rpc/grpc_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 64 << 10, STEPS_MAX = 200000 };

static struct reactor_group *group;
static uint16_t port;
static const uint8_t *input;
static size_t input_len;
static bool over;

/* --- server --- */

static void echo_message(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
    uint8_t *body;
    struct h2_chunk *m = grpc_message_new(n, &body);

    ASSERT(m);
    memcpy(body, bytes, n);
    grpc_call_send(c, m);
    grpc_call_read(c);
}

static void echo_end(struct grpc_call *c)
{
    grpc_call_finish(c, GRPC_OK, "fin\xc3\xad", NULL);
}

static void echo_start(struct grpc_call *c, void *ctx)
{
    (void)ctx;
    c->handler = (struct grpc_call_handler){echo_message, echo_end, NULL, NULL};
    grpc_call_read(c);
}

/* Never reads. */
static void deaf_start(struct grpc_call *c, void *ctx)
{
    (void)c, (void)ctx;
}

/* Reads one message and writes more than any window takes. */
static void flood_more(struct grpc_call *c)
{
    uint8_t *body;
    struct h2_chunk *m;

    do {
        m = grpc_message_new(50000, &body);
        ASSERT(m);
        memset(body, 0, 50000);
    } while (grpc_call_send(c, m) && !c->over && c->h2.session);
}

static void flood_message(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
    (void)bytes, (void)n;
    flood_more(c);
}

static void flood_start(struct grpc_call *c, void *ctx)
{
    (void)ctx;
    c->handler = (struct grpc_call_handler){flood_message, NULL, flood_more, NULL};
    grpc_call_read(c);
}

static const struct grpc_method methods[] = {{"/t.T/Echo", echo_start},
                                             {"/t.T/Deaf", deaf_start},
                                             {"/t.T/Flood", flood_start},
                                             {NULL, NULL}};

/* --- client --- */

static void on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    (void)s, (void)bytes, (void)n;
}

static void on_closed(struct stream *s, int err)
{
    (void)s, (void)err;
    over = true;
}

static void on_connected(struct stream *s, int err)
{
    ASSERT(!err);
    ASSERT(!buffer_append(stream_out(s), input, input_len));
    stream_close(s);
}

static void feed(struct reactor *r, void *ctx)
{
    static const struct stream_handler handler = {on_data, NULL, on_closed};
    struct stream *s;

    (void)ctx;
    ASSERT(!stream_connect(r, "127.0.0.1", port, 1000000000, INPUT_MAX, &handler, on_connected,
                           NULL, &s));
}

static bool is_over(void *ctx)
{
    (void)ctx;
    return over;
}

static int start(struct reactor *r, void *ctx)
{
    struct grpc_server *server;
    char err[200];

    (void)ctx;
    if (reactor_core(r))
        return 0;
    ASSERT(!grpc_server_new(r, "127.0.0.1", 0, methods, NULL, NULL, &server, err, sizeof(err)));
    port = grpc_server_port(server);
    return 0;
}

static void boot(void)
{
    struct reactor_config config = {.cores = 2, .io = REACTOR_IO_SIM, .sim_seed = 1};
    char err[200];

    log_level = LOG_ERROR;
    ASSERT(!reactor_group_new(&config, &group, err, sizeof(err)));
    ASSERT(!reactor_group_start(group, start, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    if (!group)
        boot();
    input = data;
    input_len = size;
    over = false;
    reactor_post(reactor_group_get(group, 1), feed, NULL);
    ASSERT(!reactor_sim_run(group, is_over, NULL, STEPS_MAX));
    return 0;
}
