#pragma once
/*
 * Opening of archived partitions of a core before they are restored: files and their directories are read through the
 * ring, one after the other. Nothing changes by it, and what was opened need not be used. Owner: the core; embedded in the
 * caller's operation until done and archive_open_fini. The slots are pinned by the caller.
 */
#include "storage/slot_archive.h"

struct archive_opened {
    struct slot *slot;
    int64_t partition;
    struct store_file *file; /* a reference; NULL = none is needed */
    struct segment *segment; /* opened; whoever uses it sets NULL */
};

struct archive_open {
    struct store *store; /* set by the caller, as done and ctx */
    void (*done)(struct archive_open *x);
    void *ctx;
    int rc; /* 0; -ENOENT, -EIO, -EBADMSG, -ENOMEM: error names the file */
    struct error_info error;
    struct archive_opened *list; /* in the order in which they were added */
    uint32_t n, cap;
    /* its own */
    uint32_t at;
    struct store_check check;
    struct store_read read;
    struct task task;
};

/* One more, before the start: 0 or -ENOMEM. A slot that does not have it archived needs no file. */
int archive_open_add(struct archive_open *x, struct slot *slot, int64_t partition);
void archive_open_start(struct archive_open *x);
void archive_open_fini(struct archive_open *x);
