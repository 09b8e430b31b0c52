#pragma once
/*
 * What the server programs share: options, calls from the main thread to a core, tables from a schema directory,
 * waiting for a signal. Main thread.
 */
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "reactor/options.h"
#include "reactor/reactor.h"
#include "storage/type.h"

struct startup {
    const char *cpus, *io, *kernels, *bind, *plugin_dir;
    uint64_t cores, memory;
    bool insecure;
};

/* Rows for the program's option table. */
#define STARTUP_OPTIONS(s)                                                                  \
    {"cores",                                                                               \
     OPTION_UINT,                                                                           \
     &(s)->cores,                                                                           \
     "N",                                                                                   \
     "number of cores (default: what affinity and cgroup allow)",                           \
     NULL},                                                                                 \
        {"cpus", OPTION_STRING, &(s)->cpus, "LIST", "cpus to run on, such as 0-3,8", NULL}, \
        {"memory",                                                                          \
         OPTION_BYTES,                                                                      \
         &(s)->memory,                                                                      \
         "BYTES",                                                                           \
         "memory budget (default: 3/4 of the machine or cgroup)",                           \
         NULL},                                                                             \
        {"io", OPTION_STRING, &(s)->io, "auto|uring|epoll", "I/O back end", NULL},          \
        {"kernels",                                                                         \
         OPTION_STRING,                                                                     \
         &(s)->kernels,                                                                     \
         "auto|avx512|avx512bw|avx2|scalar",                                                \
         "vector instructions to use",                                                      \
         NULL},                                                                             \
        {"bind", OPTION_STRING, &(s)->bind, "ADDRESS", "address to listen on", "BIND"},     \
        {"plugin-dir",                                                                      \
         OPTION_STRING,                                                                     \
         &(s)->plugin_dir,                                                                  \
         "DIR",                                                                             \
         "plug-ins, for Custom, CustomBSI and functions (default: none)",                   \
         NULL},                                                                             \
    {                                                                                       \
        "insecure", OPTION_FLAG, &(s)->insecure, NULL,                                      \
            "allow other addresses than loopback without authentication and TLS", NULL      \
    }

/* --bind is an address, and beyond loopback only with --insecure or protected by authentication and TLS: 0, or -EINVAL
 * or -EPERM with a line on stderr. */
int startup_check_bind(const struct startup *s, bool is_protected, const char *program);
/* Where ports without authentication listen: --bind, or the loopback address when only others are protected there. */
const char *startup_open_bind(const struct startup *s);

bool startup_is_loopback(const char *bind);

/* Blocks the signals that main waits for, SIGHUP on wish among them; before any thread starts. */
void startup_block_signals(bool hangup);
/* Waits so long for one of them; its number, 0 = none came. */
int startup_wait_signal(unsigned timeout_ms);

int startup_group(const struct startup *s, struct reactor_group **out, const char *program);

/*
 * A call on core r that main waits for: fn runs there and ends, now or later, in startup_done. Returns its rc.
 */
struct startup_call {
    void *ctx;
    int rc;
    char err[600];
    struct post post;
    void (*fn)(struct reactor *r, struct startup_call *c);
    sem_t done;
};
int startup_call(struct reactor *r, void (*fn)(struct reactor *r, struct startup_call *c),
                 struct startup_call *c);
/* The same in two parts, for several calls at once: wait answers true when the call has ended. */
void startup_begin(struct reactor *r, void (*fn)(struct reactor *r, struct startup_call *c),
                   struct startup_call *c);
bool startup_wait(struct startup_call *c, unsigned timeout_ms);
void startup_done(struct startup_call *c, int rc);

/* Creates the tables of the schema directory that do not exist yet, through the cluster of core 0. */
int startup_schema_dir(struct reactor_group *g, const char *dir, struct error_info *err);
