#pragma once
/* Subcommands of quanta-admin: what they share. Main thread. */
#include <stdbool.h>
#include <stddef.h>

enum { ADMIN_FAILED = 1, ADMIN_USAGE = 2 }; /* exit statuses */

#define ADMIN_PROGRAM "quanta-admin"

struct admin_config {
    const char *const *words; /* the subcommand first */
    size_t n_words;
    const char *nodes, *table; /* table NULL = not given */
    bool all_tables, json;
};

/*
 * offline-partitions TIME, restore-partitions FROM TO, partition-info [TIME], through the gRPC port of a node. False when
 * the first word is none of them, else *status is the program's.
 */
bool admin_run_partitions(const struct admin_config *config, int *status);

/* hash-password: reads one from the terminal or from a line of stdin, prints its secret for a users file. Exit status. */
int admin_run_hash_password(bool native);
