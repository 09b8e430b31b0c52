#pragma once
/* Writes the root of a checkpoint: aside, synced, renamed, directory synced. Owner: one core; one at a time. */
#include "reactor/io.h"
#include "storage/type.h"

struct root_writer {
    const char *dir; /* data directory */
    const uint8_t *bytes;
    size_t len;
    void (*done)(struct root_writer *w);
    void *ctx;
    int rc;            /* 0: the new root holds, also after a crash; -errno: the old one does */
    bool is_uncertain; /* rc != 0, and a crash may leave either: files of both must stay */
    struct error_info error;
    /* its own */
    struct reactor *reactor;
    struct io_op op;
    size_t written;
    int fd;
};

void root_writer_start(struct reactor *r, struct root_writer *w);
