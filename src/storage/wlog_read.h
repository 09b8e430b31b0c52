#pragma once
/*
 * A log file while it is read from its begin to its end: in memory only what was asked for and not forgotten, so that a
 * start takes little memory however large the file is. Owner: the replay, on the core that replays.
 */
#include "storage/wlog_format.h"

struct reactor;

struct wlog_read {
    struct reactor *reactor;
    int fd; /* -1 = none open */
    uint8_t *bytes;
    size_t len;  /* of the file */
    size_t have; /* bytes that were read, from the first on */
};

void wlog_read_init(struct wlog_read *x, struct reactor *r);
void wlog_read_fini(struct wlog_read *x);

/* Opens a file of at most `most` bytes instead of the one before. 0, -EFBIG with x->len set, -errno. */
int wlog_read_open(struct wlog_read *x, const char *path, size_t most);
/* Makes the bytes before `end` (at most len) readable. 0 or -errno. */
int wlog_read_upto(struct wlog_read *x, size_t end);
/* wlog_frame_read of what stands at a place, reading as far as that needs. 0 or -errno. */
int wlog_read_frame(struct wlog_read *x, size_t at, enum wlog_found *found,
                    struct wlog_frame *frame, const char **text);
/* Bytes [from, to) are not looked at any more; in whole units. */
void wlog_read_forget(struct wlog_read *x, size_t from, size_t to);
/* Everything is read again when it is asked for. */
void wlog_read_again(struct wlog_read *x);
