#include "sql/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/log.h"
#include "sql/conn.h"

enum { DEFAULT_MAX_CONNECTIONS = 10000, REFUSALS_AT_ONCE = 64 };

uint64_t gateway_max_connections(const struct gateway *g)
{
    return (uint64_t)g->config.max_connections * reactor_count(g->reactor);
}

struct gateway *gateway_of(struct reactor *r)
{
    return reactor_get_local(r, LOCAL_SQL);
}

static void on_accept(struct listener *l, int fd)
{
    struct gateway *g = listener_ctx(l);
    int rc = conn_accept(g, fd, g->n_conns >= g->config.max_connections || g->stopping);

    if (rc != 0) {
        log_warn("mysql: a connection could not be taken: %s", strerror(-rc));
        listener_connection_closed(l);
    }
}

static bool is_loopback(const char *bind)
{
    return !bind || !*bind || strncmp(bind, "127.", 4) == 0 || strcmp(bind, "::1") == 0 ||
           strcmp(bind, "localhost") == 0;
}

int gateway_start(struct reactor *r, const struct gateway_config *config, uint16_t *port, char *err,
                  size_t err_len)
{
    struct gateway *g;
    int rc;

    if (!is_loopback(config->bind) && !config->insecure) {
        snprintf(
            err, err_len,
            "refusing to listen on %s without authentication; use --insecure or a loopback address",
            config->bind);
        return -EPERM;
    }
    g = calloc(1, sizeof *g);
    if (!g) {
        snprintf(err, err_len, "out of memory");
        return -ENOMEM;
    }
    g->reactor = r;
    g->config = *config;
    if (!g->config.max_connections)
        g->config.max_connections = DEFAULT_MAX_CONNECTIONS;
    g->env = (struct gateway_env){.reactor = r,
                                  .cluster = cluster_of(r),
                                  .statement_memory = config->statement_memory,
                                  .timeout_ns = config->timeout_ns,
                                  .spill = config->spill_dir ? &g->spill : NULL,
                                  .gateway = g};
    g->spill = (struct spill_space){.dir = config->spill_dir, .limit = config->spill_limit};
    g->started_ns = reactor_now_ns(r);
    g->next_id = 1;
    rc = listener_new(r, config->bind ? config->bind : "127.0.0.1", config->port,
                      g->config.max_connections + REFUSALS_AT_ONCE, on_accept, g, &g->listener, err,
                      err_len);
    if (rc != 0) {
        free(g);
        return rc;
    }
    *port = listener_port(g->listener);
    g->config.bind = NULL; /* was the caller's */
    reactor_set_local(r, LOCAL_SQL, g);
    return 0;
}

static void gateway_finish(struct gateway *g)
{
    if (!g->stopping || g->n_conns)
        return;
    reactor_set_local(g->reactor, LOCAL_SQL, NULL);
    if (g->stopped)
        g->stopped(g->reactor, g->stopped_ctx);
    free(g);
}

void gateway_conn_gone(struct gateway *g, struct conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        g->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    g->n_conns--;
    conn_forget_prepared(c, 0);
    mysql_session_fini(&c->mysql);
    gateway_session_fini(&c->session);
    buffer_fini(&c->pending);
    free(c->text);
    free(c);
    if (g->listener)
        listener_connection_closed(g->listener);
    gateway_finish(g);
}

void gateway_stop(struct reactor *r, void (*done)(struct reactor *r, void *ctx), void *ctx)
{
    struct gateway *g = gateway_of(r);

    if (!g) {
        if (done)
            done(r, ctx);
        return;
    }
    g->stopping = true;
    g->stopped = done;
    g->stopped_ctx = ctx;
    if (g->listener)
        listener_stop(g->listener);
    g->listener = NULL;
    for (struct conn *c = g->conns, *next; c; c = next) {
        next = c->next;
        conn_close(c);
    }
    gateway_finish(g);
}

/* ---- KILL ---- */

static struct conn *find_conn(struct gateway *g, uint32_t id)
{
    for (struct conn *c = g->conns; c; c = c->next)
        if (c->session.id == id)
            return c;
    return NULL;
}

struct kill_message {
    struct post post;
    uint32_t id;
    bool only_statement;
};

static void kill_here(struct reactor *r, void *ctx)
{
    struct kill_message *m = ctx;
    struct gateway *g = gateway_of(r);
    struct conn *c = g ? find_conn(g, m->id) : NULL;

    if (c)
        conn_kill(c, m->only_statement);
    free(m);
}

int gateway_kill(struct gateway *g, uint32_t id, bool only_statement)
{
    unsigned core = (id >> 20) - 1;
    struct kill_message *m;

    if (core >= reactor_count(g->reactor))
        return -ENOENT;
    if (core == reactor_core(g->reactor) && !find_conn(g, id))
        return -ENOENT;
    m = malloc(sizeof *m);
    if (!m)
        return -ENOENT;
    *m = (struct kill_message){.id = id, .only_statement = only_statement};
    /* By a task also on this core: the caller may be the one that ends. */
    reactor_post_lent(reactor_group_get(reactor_group_of(g->reactor), core), &m->post, kill_here,
                      m);
    return 0;
}

/* ---- figures ---- */

void gateway_list(struct gateway *g, void (*fn)(void *ctx, const struct gateway_connection *c),
                  void *ctx)
{
    uint64_t now = reactor_now_ns(g->reactor);

    for (const struct conn *c = g->conns; c; c = c->next) {
        struct gateway_connection x = {.id = c->session.id,
                                       .user = c->session.user,
                                       .host = c->session.host,
                                       .database = c->session.database,
                                       .command = c->statement && c->command ? c->command : "Sleep",
                                       .info = c->statement ? c->statement->text : NULL,
                                       .seconds = (uint32_t)((now - c->started_ns) / 1000000000)};
        fn(ctx, &x);
    }
}

void gateway_stats(const struct gateway *g, struct gateway_stats *out)
{
    *out = g->stats;
    out->open_connections = g->n_conns;
    out->uptime_s = (reactor_now_ns(g->reactor) - g->started_ns) / 1000000000;
}
