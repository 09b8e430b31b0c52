#pragma once
/*
 * --auth and --tls of the programs with a MySQL port: reads users file, certificate and key, again when they change.
 * Main thread.
 */
#include <stdbool.h>
#include <stdint.h>

#include "reactor/options.h"
#include "sql/gateway.h"
#include "storage/type.h"

/* A file as it was when it was read. */
struct security_stamp {
    uint64_t device, inode, bytes;
    int64_t changed_ns;
};

enum { SECURITY_FILES = 3 };

struct security {
    const char *auth, *users_file, *tls, *tls_cert, *tls_key; /* flags */
    struct gateway_security now;
    struct mysql_rsa *rsa;
    struct security_stamp stamps[SECURITY_FILES];
};

#define SECURITY_DEFAULTS          \
    {                              \
        .auth = "off", .tls = "on" \
    }

/* Rows for the program's option table. */
#define SECURITY_OPTIONS(s)                                                                     \
    {"auth",                                                                                    \
     OPTION_STRING,                                                                             \
     &(s)->auth,                                                                                \
     "off|users",                                                                               \
     "who may connect: anybody, or those of --users-file",                                      \
     NULL},                                                                                     \
        {"users-file",                                                                          \
         OPTION_STRING,                                                                         \
         &(s)->users_file,                                                                      \
         "FILE",                                                                                \
         "names and secrets (quanta-admin hash-password); read again when it changes",          \
         NULL},                                                                                 \
        {"tls",                                                                                 \
         OPTION_STRING,                                                                         \
         &(s)->tls,                                                                             \
         "on|off|required",                                                                     \
         "of the MySQL port: for clients that want it, or for all",                             \
         NULL},                                                                                 \
        {"tls-cert",                                                                            \
         OPTION_STRING,                                                                         \
         &(s)->tls_cert,                                                                        \
         "FILE",                                                                                \
         "certificate with its chain, PEM (default: one signed by itself, made at each start)", \
         NULL},                                                                                 \
    {                                                                                           \
        "tls-key", OPTION_STRING, &(s)->tls_key, "FILE", "its key, PEM", NULL                   \
    }

/* Whether the flags fit together; false with a line on stderr. */
bool security_has_sound_options(const struct security *s, const char *program);
/* Authentication and TLS are both on: other addresses than loopback are no danger. */
bool security_is_on(const struct security *s);
/* Reads the files and makes what is not in files. 0, or -errno with a text. */
int security_open(struct security *s, struct error_info *err);
/* There are files that may change. */
bool security_has_files(const struct security *s);
/* Whether one of them is another than when it was read. */
bool security_has_changed(const struct security *s);
/* Reads them again. 0: s->now is new, and *old, to be dropped when no core uses it; -errno with a text: nothing changed. */
int security_reload(struct security *s, struct gateway_security *old, struct error_info *err);
void security_drop(struct gateway_security *g);
/* After the cores ended. */
void security_close(struct security *s);
