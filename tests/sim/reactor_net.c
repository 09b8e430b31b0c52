/*
 * Two nodes talk over streams while the network delays, is cut, heals and resets connections, and moves
 * bytes in pieces of any size. What arrives is a prefix of what was sent, every stream closes exactly once,
 * and a client that tries again gets through in the end.
 */
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/list.h"
#include "reactor/stream.h"
#include "scenario.h"

enum { CLIENTS = 6, BYTES = 60000, OUT_LIMIT = 5000 };

struct net_run;

struct net_client {
    struct net_run *run;
    struct reactor *r;
    struct stream *s;
    struct timer retry;
    size_t sent, received;
    unsigned attempts;
    bool finished;
};

struct net_run {
    struct sim *w;
    struct net_client clients[CLIENTS];
    unsigned finished, open_servers;
    bool listening, done;
};

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 13 + i / 251);
}

/* ---- server: echoes, pauses when its output is full --------------------------------------- */

static void server_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    if (buffer_append(stream_out(s), bytes, n) != 0) {
        stream_abort(s);
        return;
    }
    stream_flush(s);
    if (stream_unsent(s) > OUT_LIMIT)
        stream_pause(s);
}

static void server_drain(struct stream *s)
{
    stream_resume(s);
}

static void server_closed(struct stream *s, int err)
{
    struct net_run *run = listener_ctx(stream_ctx(s));

    (void)err;
    ASSERT(run->open_servers > 0);
    run->open_servers--;
    listener_connection_closed(stream_ctx(s));
}

static const struct stream_handler server_handler = {server_data, server_drain, server_closed};

static void server_accept(struct listener *l, int fd)
{
    struct net_run *run = listener_ctx(l);
    struct stream *s;

    ASSERT(stream_new(listener_reactor(l), fd, 64 * 1024, &server_handler, l, &s) == 0);
    stream_set_low_water(s, OUT_LIMIT);
    run->open_servers++;
}

static void serve(struct reactor *r, void *ctx)
{
    struct net_run *run = ctx;
    struct listener *l;
    char err[100];

    ASSERT(listener_new(r, "0.0.0.0", 4000, 0, server_accept, run, &l, err, sizeof err) == 0);
    run->listening = true;
}

/* ---- clients: send, compare, begin again after an error ------------------------------------ */

static void client_begin(struct net_client *c);

static void client_fill(struct stream *s)
{
    struct net_client *c = stream_ctx(s);

    while (c->sent < BYTES) {
        uint8_t b = byte_at(c->sent);

        if (buffer_append(stream_out(s), &b, 1) != 0)
            break;
        c->sent++;
    }
    stream_flush(s);
}

static void client_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    struct net_client *c = stream_ctx(s);

    for (size_t i = 0; i < n; i++)
        ASSERT(bytes[i] == byte_at(c->received + i));
    c->received += n;
    if (c->received == BYTES) {
        c->finished = true;
        stream_close(s);
    }
}

static void client_closed(struct stream *s, int err)
{
    struct net_client *c = stream_ctx(s);

    ASSERT(c->s == s);
    ASSERT(!c->finished || err == 0 || err == -104);
    c->s = NULL;
    if (c->finished)
        c->run->done = ++c->run->finished == CLIENTS;
    else
        timer_arm(c->r, &c->retry, 1000000 + reactor_random(c->r) % 5000000);
}

static const struct stream_handler client_handler = {client_data, client_fill, client_closed};

static void client_connected(struct stream *s, int err)
{
    if (err == 0)
        client_fill(s);
}

static void client_retry(struct timer *t)
{
    client_begin(container_of(t, struct net_client, retry));
}

static void client_begin(struct net_client *c)
{
    c->sent = c->received = 0;
    c->attempts++;
    c->retry.fire = client_retry;
    ASSERT(stream_connect(c->r, "10.0.0.1", 4000, 20000000, OUT_LIMIT, &client_handler,
                          client_connected, c, &c->s) == 0);
}

static void client_start(struct reactor *r, void *ctx)
{
    struct net_client *c = ctx;

    c->r = r;
    client_begin(c);
}

/* ---- the network, from the test's side -------------------------------------------------------- */

static bool steps_passed(void *ctx)
{
    uint64_t *left = ctx;

    return (*left)-- == 0;
}

static void disturb(struct reactor_group *g, struct net_run *run)
{
    static const struct sim_faults quiet = {.short_receive = 300000};
    struct sim_faults bad = {.short_receive = 300000, .reset = 3000};
    struct sim *w = run->w;

    sim_set_faults(w, &bad);
    for (int i = 0; i < 20 && !run->done; i++) {
        uint64_t steps = sim_random(w) % 300;

        switch (sim_random(w) % 4) {
        case 0:
            sim_net_cut(w, 1, 2, true);
            break;
        case 1:
            sim_net_reset(w, 1, 2);
            break;
        default:
            sim_net_cut(w, 1, 2, false);
        }
        reactor_sim_run(g, steps_passed, &steps,
                        SCENARIO_STEPS_MAX); /* may stand still while cut */
    }
    sim_net_cut(w, 1, 2, false);
    sim_set_faults(w, &quiet);
}

static void stop_server(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

SCENARIO(reactor_net)
{
    struct net_run *run = calloc(1, sizeof *run);
    struct reactor_group *server, *client;
    uint64_t hash;

    ASSERT(run);
    run->w = sim_new(seed);
    server = scenario_group(run->w, NULL, 1, 2, 0);
    client = scenario_group(run->w, NULL, 2, 2, 0);
    reactor_post(reactor_group_get(server, 0), serve, run);
    scenario_run_until(server, &run->listening);
    for (unsigned i = 0; i < CLIENTS; i++) {
        run->clients[i].run = run;
        reactor_post(reactor_group_get(client, i % 2), client_start, &run->clients[i]);
    }
    disturb(client, run);
    scenario_run_until(client, &run->done);
    hash = sim_trace_hash(run->w);
    scenario_stop(client);
    reactor_group_stop(server, stop_server, NULL);
    reactor_group_free(server);
    sim_free(run->w);
    free(run);
    return hash;
}
