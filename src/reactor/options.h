#pragma once
/*
 * Command line and environment of a program: one table of options gives parsing, --help, the
 * QUANTA_<FLAG> environment names and the original's names. Main thread, at start.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,
    OPTION_STRING,
    OPTION_UINT,
    OPTION_BYTES /* 4096, 64K, 2G, 1TiB */,
    OPTION_PORT
};

struct option_spec {
    const char *name; /* without "--" */
    enum option_kind kind;
    void *
        value; /* bool*, const char**, uint64_t*, uint64_t*, uint16_t*; holds the default at call */
    const char
        *arg; /* shown in --help: "DIR", "auto|uring|epoll"; a list with | is the allowed set */
    const char *help;
    const char *env; /* further environment name (DATA_DIR) or NULL; QUANTA_<NAME> always works */
};

struct option_set {
    const char *program, *synopsis, *description;
    const struct option_spec *specs;
    size_t count;
    const char **positional; /* filled: remaining words */
    size_t positional_max;
};

/*
 * Parses argv and the environment (command line wins). Handles --help and --version (prints, *exit_status =
 * 0, returns 1). Wrong usage: message naming option, found, allowed on stderr, *exit_status = 2, returns 1.
 * Otherwise returns 0 with *n_positional set. "--log-level" and its environment are added to every set.
 */
int options_parse(const struct option_set *set, int argc, char **argv, size_t *n_positional,
                  int *exit_status);

/* "quanta 0.1.0 (release, jemalloc, io_uring, ...)" */
const char *version_text(void);
