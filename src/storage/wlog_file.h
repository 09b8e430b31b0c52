#pragma once
/*
 * One log file: opened or made, zero-filled before its first group, so that a group needs no allocation in the file
 * system. The next file is prepared in the background while the current one fills. Owner: the log's core.
 */
#include "reactor/io.h"
#include "storage/wlog.h"

enum wlog_file_state { WLOG_FILE_NONE, WLOG_FILE_FILLING, WLOG_FILE_READY, WLOG_FILE_FAILED };

struct wlog_file {
    int fd;
    uint64_t generation, size; /* bytes */
    enum wlog_file_state state;
    int rc; /* FAILED: why */
    struct reactor *reactor;
    struct io_op op;
    uint64_t filled;
    uint8_t *zeros;
    void (*ready)(struct wlog_file *f);
    void *ctx;
};

/* Opens an existing file for writing: READY, or -errno. */
int wlog_file_open(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation);

/* Makes a new file of `size` bytes in the background; ready(f) when READY or FAILED. */
void wlog_file_prepare(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation,
                       uint64_t size, void (*ready)(struct wlog_file *f), void *ctx);

/* Makes a new file at once (start only; blocks). */
int wlog_file_create(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation,
                     uint64_t size);

/* Must not be FILLING. */
void wlog_file_close(struct wlog_file *f);
