#pragma once
/*
 * A server program: node, gateway or both on the cores of one process, from start to a clean stop on a signal.
 * quanta, quanta-node and quanta-proxy are option tables over this. Main thread.
 */
#include "export.h"
#include "security.h"
#include "sql/login_throttle.h"
#include "startup.h"

struct reactor_group;
struct node;
struct http_server;
struct page;

struct server {
    const char *program, *name; /* name: host key of the node */
    struct startup startup;
    struct security security;
    struct exports exports;
    const char *functions;  /* plug-ins whose functions SQL has: "a,b"; or NULL */
    const char *data_dir;   /* holds data: a node; NULL = none */
    const char *nodes;      /* without a data directory: HOST:PORT,... of the nodes to use */
    const char *schema_dir; /* tables to create; may be NULL */
    bool serves_mysql, serves_grpc;
    uint16_t mysql_port, token_port, grpc_port, http_port; /* 0 = a free one; then the one taken */
    uint64_t slots, log_iops, checkpoint_log;
    uint64_t max_connections, connect_timeout_s, wait_timeout_s,
        interactive_timeout_s;       /* of MySQL; 0 = default */
    uint64_t login_failures;         /* LOGIN_THROTTLE_FREE_DEFAULT before the options are read */
    struct login_throttle *throttle; /* of the process */
    const char *sql_mode;            /* of new connections; NULL = the usual one */
    struct gateway_room room;
    uint64_t statement_memory, spill_limit; /* bytes; 0 = default, none */
    char *spill_dir;                        /* temporary files of statements: malloc'ed */
    bool splits_slots;                      /* more slots than the data directory has split them */
    unsigned max_clients;                   /* of a core: what the limit of open files allows */
    struct reactor_group *group;
    struct node *node;
    struct http_server *http;
    const char *page_wish, *page_hosts; /* --page, --page-host */
    struct page *page;                  /* of a program with a MySQL port */
};

/* Rows for the same. */
#define PAGE_OPTIONS(s)                                                                        \
    {"page",                                                                                   \
     OPTION_STRING,                                                                            \
     &(s)->page_wish,                                                                          \
     "auto|on|off",                                                                            \
     "the page on the HTTP port (default: auto, where that is on a loopback address)",         \
     NULL},                                                                                    \
    {                                                                                          \
        "page-host", OPTION_STRING, &(s)->page_hosts, "NAME,...",                              \
            "names besides addresses, localhost and that of the machine that it is called by", \
            NULL                                                                               \
    }

/* A row for the option table of a program with a MySQL port. */
#define FUNCTION_OPTIONS(s)                                                                     \
    {                                                                                           \
        "functions", OPTION_STRING, &(s)->functions, "PLUGIN,...",                              \
            "plug-ins of --plugin-dir whose functions statements may use (default: none)", NULL \
    }

/* Rows for the option table of a program with a MySQL port. */
#define CONNECTION_OPTIONS(s)                                                                 \
    {"max-connections",                                                                       \
     OPTION_UINT,                                                                             \
     &(s)->max_connections,                                                                   \
     "N",                                                                                     \
     "MySQL clients at once (default: as many as open files allow, up to 10,000 per core)",   \
     NULL},                                                                                   \
        {"connect-timeout",                                                                   \
         OPTION_UINT,                                                                         \
         &(s)->connect_timeout_s,                                                             \
         "SECONDS",                                                                           \
         "a login may take (default: 10)",                                                    \
         NULL},                                                                               \
        {"sql-mode",                                                                          \
         OPTION_STRING,                                                                       \
         &(s)->sql_mode,                                                                      \
         "MODES",                                                                             \
         "sql_mode of new connections, such as QUANTA",                                       \
         NULL},                                                                               \
        {"wait-timeout",                                                                      \
         OPTION_UINT,                                                                         \
         &(s)->wait_timeout_s,                                                                \
         "SECONDS",                                                                           \
         "an idle connection stays, unless it sets wait_timeout (default: 28800)",            \
         NULL},                                                                               \
        {"interactive-timeout",                                                               \
         OPTION_UINT,                                                                         \
         &(s)->interactive_timeout_s,                                                         \
         "SECONDS",                                                                           \
         "the same of interactive clients (default: as --wait-timeout)",                      \
         NULL},                                                                               \
    {                                                                                         \
        "login-failures", OPTION_UINT, &(s)->login_failures, "N",                             \
            "wrong passwords of an address before it has to wait; 0: any (default: 20)", NULL \
    }

/* Runs until SIGINT or SIGTERM; exit status of the program. */
int server_main(struct server *s);
