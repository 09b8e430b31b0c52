#pragma once
/*
 * Verification of a data directory that no server uses: every checksum of the checkpoint's files and of the log is
 * compared, and everything is decoded as a start would. Reads only (the lock file is made when it is missing).
 * Blocking; one thread.
 */
#include <stdbool.h>
#include <stdint.h>

#include "storage/type.h"

/* file: below the data directory. A notice is no damage: what the next start does about it is right. */
struct verify_finding {
    const char *file;
    uint64_t offset; /* bytes */
    const char *what;
    bool is_notice;
};

struct verify_config {
    const char *dir;
    void (*found)(void *ctx, const struct verify_finding *f);
    /* Bytes looked at and in all; called about every few megabytes. May be NULL. */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};

struct verify_counts {
    bool has_checkpoint;
    uint64_t checkpoint_round;
    uint64_t files, chunks, bytes; /* data files of the checkpoint, what was read of them */
    uint64_t segments, rows, dict_entries;
    uint64_t log_files, log_groups, log_records, log_bytes;
    uint64_t findings, notices;
};

/* 0 when all was looked at, whatever was found; -errno with err when it could not be: no such directory, in use by a
 * running server, no memory. */
int verify_directory(const struct verify_config *config, struct verify_counts *counts,
                     struct error_info *err);
