#include "sql/gateway.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/log.h"
#include "reactor/tls.h"
#include "sql/conn.h"
#include "sql/export.h"
#include "sql/gateway_query.h"

enum {
    DEFAULT_MAX_CONNECTIONS = 10000, /* of a core */
    DEFAULT_CONNECT_TIMEOUT = 10,    /* seconds, as MySQL's */
    DEFAULT_WAIT_TIMEOUT = 28800,
    REFUSALS_AT_ONCE = 64,
};

const char *gateway_export_folder(const struct gateway *g)
{
    return g->env.exports ? g->env.exports->folder : NULL;
}

uint64_t gateway_max_connections(const struct gateway *g)
{
    uint64_t most = (uint64_t)g->config.max_connections * reactor_count(g->reactor);

    return g->config.room && g->config.room->max && g->config.room->max < most ? g->config.room->max
                                                                               : most;
}

/* Whether one more may come in, on this core and in all; if so it has its place. */
static bool take_place(struct gateway *g)
{
    struct gateway_room *room = g->config.room;

    if (g->n_conns >= g->config.max_connections || g->stopping)
        return false;
    if (!room || atomic_fetch_add_explicit(&room->taken, 1, memory_order_relaxed) < room->max ||
        !room->max)
        return true;
    atomic_fetch_sub_explicit(&room->taken, 1, memory_order_relaxed);
    return false;
}

static void give_place(struct gateway *g)
{
    if (g->config.room)
        atomic_fetch_sub_explicit(&g->config.room->taken, 1, memory_order_relaxed);
}

bool gateway_has_tls(const struct gateway *g, bool required)
{
    return g->tls && (!required || g->config.security.tls_required);
}

struct gateway *gateway_of(struct reactor *r)
{
    return reactor_get_local(r, LOCAL_SQL);
}

static void on_accept(struct listener *l, int fd)
{
    struct gateway *g = listener_ctx(l);
    bool has_place = take_place(g);
    int rc = conn_accept(g, fd, !has_place);

    if (rc != 0) {
        if (has_place)
            give_place(g);
        log_warn("mysql: a connection could not be taken: %s", strerror(-rc));
        listener_connection_closed(l);
    }
}

static bool is_loopback(const char *bind)
{
    return !bind || !*bind || strncmp(bind, "127.", 4) == 0 || strcmp(bind, "::1") == 0 ||
           strcmp(bind, "localhost") == 0;
}

static void gateway_free(struct gateway *g)
{
    auth_fini(&g->auth);
    mysql_packer_fini(&g->packer);
    tls_context_put(g->tls);
    free(g);
}

int gateway_secure(struct reactor *r, const struct gateway_security *security)
{
    struct gateway *g = gateway_of(r);
    int rc = g ? auth_set_users(&g->auth, security->users) : 0;

    if (!g || rc != 0)
        return rc;
    g->secured++;
    tls_context_put(g->tls);
    g->tls = security->tls ? tls_context_get(security->tls) : NULL;
    return 0;
}

int gateway_start(struct reactor *r, const struct gateway_config *config, uint16_t *port, char *err,
                  size_t err_len)
{
    struct gateway *g;
    int rc;

    bool is_protected = config->security.users && config->security.tls;

    if (!is_loopback(config->bind) && !config->insecure && !is_protected) {
        snprintf(
            err, err_len,
            "refusing to listen on %s without authentication and TLS; use --insecure or a loopback "
            "address",
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
    if (!g->config.connect_timeout_s)
        g->config.connect_timeout_s = DEFAULT_CONNECT_TIMEOUT;
    if (!g->config.wait_timeout_s)
        g->config.wait_timeout_s = DEFAULT_WAIT_TIMEOUT;
    if (!g->config.interactive_timeout_s)
        g->config.interactive_timeout_s = g->config.wait_timeout_s;
    g->env = (struct gateway_env){.reactor = r,
                                  .cluster = cluster_of(r),
                                  .statement_memory = config->statement_memory,
                                  .timeout_ns = config->timeout_ns,
                                  .spill = config->spill_dir ? &g->spill : NULL,
                                  .gateway = g,
                                  .exports = config->exports};
    if (auth_init(&g->auth, r, config->security.users, config->security.rsa) != 0) {
        free(g);
        snprintf(err, err_len, "out of memory");
        return -ENOMEM;
    }
    g->tls = config->security.tls ? tls_context_get(config->security.tls) : NULL;
    g->spill = (struct spill_space){.dir = config->spill_dir, .limit = config->spill_limit};
    g->started_ns = reactor_now_ns(r);
    g->next_id = 1;
    rc = listener_new(r, config->bind ? config->bind : "127.0.0.1", config->port,
                      g->config.max_connections + REFUSALS_AT_ONCE, on_accept, g, &g->listener, err,
                      err_len);
    if (rc != 0) {
        gateway_free(g);
        return rc;
    }
    *port = listener_port(g->listener);
    g->config.bind = NULL; /* was the caller's */
    reactor_set_local(r, LOCAL_SQL, g);
    return 0;
}

void gateway_finish(struct gateway *g)
{
    if (!g->stopping || g->n_conns || g->queries)
        return;
    reactor_set_local(g->reactor, LOCAL_SQL, NULL);
    if (g->stopped)
        g->stopped(g->reactor, g->stopped_ctx);
    gateway_free(g);
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
    if (!c->is_refused)
        give_place(g);
    conn_forget_prepared(c, 0);
    mysql_session_fini(&c->mysql);
    gateway_session_fini(&c->session);
    buffer_fini(&c->pending);
    conn_compress_free(c);
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
    gateway_query_cancel_all(g); /* some end at once */
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

struct conn *gateway_find(struct gateway *g, uint32_t id)
{
    for (struct conn *c = g->conns; c; c = c->next)
        if (c->session.id == id)
            return c;
    return NULL;
}

unsigned gateway_core_of(uint32_t connection_id)
{
    return (connection_id >> 20) - 1;
}

uint32_t gateway_new_id(struct gateway *g)
{
    return ((reactor_core(g->reactor) + 1) << 20) + (g->next_id++ & 0xfffff);
}

/* ---- figures ---- */

void gateway_stats(const struct gateway *g, struct gateway_stats *out)
{
    *out = g->stats;
    out->open_connections = g->n_conns;
    for (const struct conn *c = g->conns; c; c = c->next)
        out->running += c->statement != NULL;
    out->uptime_s = (reactor_now_ns(g->reactor) - g->started_ns) / 1000000000;
}
