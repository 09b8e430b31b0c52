#pragma once
/*
 * One log file: opened or made, zero-filled before its first group, so that a group needs no allocation in the file
 * system. The next file is prepared in the background while the current one fills. Owner: the log's core.
 */
#include "reactor/io.h"
#include "storage/device_pace.h"
#include "storage/wlog.h"

enum wlog_file_state { WLOG_FILE_NONE, WLOG_FILE_FILLING, WLOG_FILE_READY, WLOG_FILE_FAILED };

struct wlog_file {
    int fd;
    uint64_t generation, size; /* bytes */
    bool
        unwritten; /* allocated, not filled: the first write of a place goes into the journal too */
    enum wlog_file_state state;
    int rc; /* FAILED: why */
    struct reactor *reactor;
    const char *dir;
    struct device_pace *pace;
    struct timer turn;
    struct io_op op;
    int fill_fd;
    uint64_t filled, needed; /* bytes; up to `needed` there is no pause */
    uint8_t *zeros;
    bool cancelled;
    void (*ready)(struct wlog_file *f);
    void *ctx;
};

/* Opens an existing file for writing: READY, or -errno. */
int wlog_file_open(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation);

/* Makes a new file of `size` bytes in the background, no faster than `pace`, and with pauses, in which groups have
 * the device for themselves; ready(f) when READY or FAILED, then nothing is left of it. f->size and f->ctx are set by
 * the caller; dir and pace live until then. */
void wlog_file_prepare(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation,
                       struct device_pace *pace, void (*ready)(struct wlog_file *f));

/* While FILLING: so many bytes of it are wanted without pauses. Else nothing. */
void wlog_file_need(struct wlog_file *f, uint64_t bytes);

/* While FILLING: it soon ends as FAILED with -ECANCELED, perhaps before this returns. */
void wlog_file_cancel(struct wlog_file *f);

/* Makes a new file at once (start only; blocks). */
int wlog_file_create(struct wlog_file *f, struct reactor *r, const char *dir, uint64_t generation,
                     uint64_t size);

/* Must not be FILLING. */
void wlog_file_close(struct wlog_file *f);
