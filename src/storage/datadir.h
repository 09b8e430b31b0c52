#pragma once
/*
 * Data directory: made or opened, locked against a second process, with the facts fixed at its creation in the text
 * file quanta.meta. Main thread, at start.
 */
#include <stdint.h>

#include "storage/type.h"

enum {
    DATADIR_VERSION = 5, /* with slots that were split; others have the one before */
    DATADIR_UNSPLIT = 4, /* 3: no codes in the row batches of its log */
    DATADIR_OLDEST = 3,
    DATADIR_MAX_SLOT_BITS = 16
};

struct datadir {
    int lock_fd;
    uint32_t version;
    unsigned slot_bits;
    unsigned doublings; /* of the slots since the creation: so many of slot_bits came later */
    uint64_t hash_seed;
    char id[33]; /* random, names the directory in messages between nodes */
};

/* Makes the directory with the wanted slot bits when it is new. An existing one keeps its own; a newer version, a
 * lock held by another process or a damaged file is an error with path, found and allowed. */
int datadir_open(const char *path, unsigned wanted_slot_bits, struct datadir *out,
                 struct error_info *err);
void datadir_close(struct datadir *d);
/* Before something is written there that programs of its version cannot read: 0/-errno. For split slots: datadir_write_meta. */
int datadir_upgrade(const char *path, struct datadir *d);
/* Writes quanta.meta for a directory that has the facts of d, durable when it returns: 0/-errno, then the old one holds. */
int datadir_write_meta(const char *path, const struct datadir *d);
