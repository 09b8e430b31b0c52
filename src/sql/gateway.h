#pragma once
/*
 * The MySQL endpoint of a core: its listener and its connections. Every core runs one, on the same
 * port.
 *
 *   gateway.c       listener, registry of connections, KILL
 *   conn.c          one connection: commands in, answers out
 *   conn_prepare.c  prepared statements and their parameters
 *   conn_sink.c     rows to packets, back-pressure
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reactor;
struct cluster;
struct gateway;
struct gateway_session;

struct gateway_config {
    const char *bind;
    uint16_t port;             /* 0 = take a free one */
    unsigned max_connections;  /* of this core; 0 = 10,000 */
    uint64_t statement_memory; /* bytes a statement may use; 0 = default */
    const char *spill_dir;     /* temporary files; lives as long as the gateway; NULL = none */
    uint64_t spill_limit;      /* bytes in them, of this core; 0 = while the file system has room */
    uint64_t timeout_ns;       /* of a statement; 0 = none */
    bool insecure;             /* a bind other than loopback without authentication */
};

/*
 * Starts listening on this core (run on it). Core 0 first, with port 0 or the wanted one; the
 * others with the port it got. 0 or -errno with a text; -EPERM when the address is not a loopback
 * one and insecure is not set.
 */
int gateway_start(struct reactor *r, const struct gateway_config *config, uint16_t *port, char *err,
                  size_t err_len);

/* Stops listening, ends every connection; calls done on this core when the last is gone. */
void gateway_stop(struct reactor *r, void (*done)(struct reactor *r, void *ctx), void *ctx);

/* Ends a connection or its statement, on whichever core it is. 0 or -ENOENT. */
int gateway_kill(struct gateway *g, uint32_t connection_id, bool only_statement);

/* Connections of this core for SHOW PROCESSLIST. */
struct gateway_connection {
    uint32_t id;
    const char *user, *host, *database, *command, *info;
    uint32_t seconds;
};
/* Calls fn for each. Any statement on this core. */
void gateway_list(struct gateway *g, void (*fn)(void *ctx, const struct gateway_connection *c),
                  void *ctx);

/* Figures for SHOW STATUS and metrics; of this core. */
struct gateway_stats {
    uint64_t connections, refused, statements, errors, rows_sent, open_connections, uptime_s;
};
void gateway_stats(const struct gateway *g, struct gateway_stats *out);
uint64_t gateway_max_connections(const struct gateway *g); /* of all cores together */
struct gateway *gateway_of(struct reactor *r);             /* NULL when it is not started */
