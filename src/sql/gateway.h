#pragma once
/*
 * The MySQL endpoint of a core: its listener and its connections. Every core runs one, on the same
 * port.
 *
 *   gateway.c       listener, registry of connections, KILL
 *   gateway_list.c  connections of all cores
 *   gateway_query.c  statements of others than MySQL clients
 *   conn.c          one connection: commands in, answers out
 *   conn_login.c    TLS and authentication
 *   conn_wire.c     compression
 *   conn_timeout.c  what a connection may wait for
 *   conn_track.c    session tracking
 *   login_throttle.c  failed logins by address
 *   auth.c          who may connect: nobody is asked, or a users file
 *   conn_prepare.c  prepared statements and their parameters
 *   conn_cursor.c   cursors of these
 *   conn_sink.c     rows to packets, back-pressure
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reactor;
struct cluster;
struct export_port;
struct gateway;
struct gateway_session;

struct users;
struct mysql_rsa;
struct tls_context;

/* Who may connect, and how. What it points to outlives the gateway; users and tls are counted and taken. */
struct gateway_security {
    struct users *users;         /* NULL: anybody (--auth off) */
    const struct mysql_rsa *rsa; /* for passwords without TLS; NULL: none */
    struct tls_context *tls;     /* NULL: not offered */
    bool tls_required;
};

/* Connections of a process. Owner: the program; any core. */
struct gateway_room {
    uint64_t max; /* 0 = no limit */
    _Atomic uint64_t taken;
};

struct gateway_config {
    const char *bind;
    uint16_t port;             /* 0 = take a free one */
    unsigned max_connections;  /* of this core; 0 = 10,000 */
    uint64_t statement_memory; /* bytes a statement may use; 0 = default */
    const char *spill_dir;     /* temporary files; lives as long as the gateway; NULL = none */
    uint64_t spill_limit;      /* bytes in them, of this core; 0 = while the file system has room */
    uint64_t timeout_ns;       /* of a statement; 0 = none */
    uint32_t connect_timeout_s,
        wait_timeout_s;              /* for the login, and for a command; 0 = 10 and 28,800 */
    uint32_t interactive_timeout_s;  /* for a command of interactive clients; 0 = wait_timeout_s */
    struct login_throttle *throttle; /* of all cores together; NULL = none */
    const char *sql_mode;      /* of new connections; outlives the gateway; NULL = the usual one */
    struct gateway_room *room; /* of all cores together; NULL = max_connections of this one alone */
    struct gateway_security security;
    const struct export_port *exports; /* of SELECT ... INTO; NULL = none */
    bool insecure;                     /* a bind other than loopback without authentication */
};

/*
 * Starts listening on this core (run on it). Core 0 first, with port 0 or the wanted one; the
 * others with the port it got. 0 or -errno with a text; -EPERM when the address is not a loopback
 * one and insecure is not set.
 */
int gateway_start(struct reactor *r, const struct gateway_config *config, uint16_t *port, char *err,
                  size_t err_len);

/* Other users and another certificate for the connections to come (run on the core). 0 or -ENOMEM: nothing
 * changed. */
int gateway_secure(struct reactor *r, const struct gateway_security *security);

/* Stops listening, ends every connection; calls done on this core when the last is gone. */
void gateway_stop(struct reactor *r, void (*done)(struct reactor *r, void *ctx), void *ctx);

/* The core that a connection of this number would be on; perhaps one that is not there. */
unsigned gateway_core_of(uint32_t connection_id);

/* Figures for SHOW STATUS and metrics; of this core. */
struct gateway_stats {
    uint64_t connections, refused, denied, aborted, statements, errors, slow, rows_sent,
        open_connections, running, uptime_s;
};

/* A connection for SHOW PROCESSLIST. */
struct gateway_connection {
    uint32_t id;
    const char *user, *host, *database, *info; /* database and info may be NULL */
    const char *command, *state;               /* constant */
    uint32_t seconds;
};
/* Asks for the connections of all cores. Owner: who asks; lives until done. */
struct gateway_list_request {
    void (*found)(struct gateway_list_request *q,
                  const struct gateway_connection *c); /* for each, just before done */
    void (*done)(
        struct gateway_list_request *q); /* on the core that asked, never within the start */
    void *ctx;
    struct gateway_stats total; /* of all cores, when it is done */
    bool failed;                /* a core had no memory for its list */
};
/* False: no memory, nothing follows. */
bool gateway_list_start(struct reactor *r, struct gateway_list_request *q);

void gateway_stats(const struct gateway *g, struct gateway_stats *out);
uint64_t gateway_max_connections(const struct gateway *g); /* of all cores together */
/* TLS is offered; is required of all. */
bool gateway_has_tls(const struct gateway *g, bool required);
const char *gateway_export_folder(
    const struct gateway *g);                  /* of SELECT ... INTO OUTFILE; or NULL */
struct gateway *gateway_of(struct reactor *r); /* NULL when it is not started */
