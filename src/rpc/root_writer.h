#pragma once
/* Writes the root of a checkpoint: aside, synced, renamed, directory synced. Owner: one core; one at a time. */
#include "reactor/io.h"
#include "reactor/reactor.h"
#include "storage/type.h"

struct device_pace;

struct root_writer {
    const char *dir; /* data directory */
    const uint8_t *bytes;
    size_t len;
    struct device_pace *pace; /* of the node */
    void (*done)(struct root_writer *w);
    void *ctx;
    int rc;            /* 0: the new root holds, also after a crash; -errno: the old one does */
    bool is_uncertain; /* rc != 0, and a crash may leave either: files of both must stay */
    struct error_info error;
    /* its own */
    struct reactor *reactor;
    struct io_op op;
    struct timer turn;                   /* for the device */
    void (*next)(struct root_writer *w); /* what waits for it */
    unsigned writes;
    size_t written;
    int fd;
};

void root_writer_start(struct reactor *r, struct root_writer *w);
