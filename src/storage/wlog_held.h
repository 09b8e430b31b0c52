#pragma once
/*
 * How many bytes of groups each full log file holds, from the oldest that is not released. 8 bytes a file.
 * Owner: the log's core.
 */
#include <stdint.h>

struct wlog_held {
    uint64_t first; /* generation of the first file here */
    uint64_t total; /* of all */
    uint64_t *bytes;
    uint32_t n, cap;
};

/* Empty, beginning with a generation. */
void wlog_held_init(struct wlog_held *h, uint64_t first);
void wlog_held_fini(struct wlog_held *h);

/* Room for one more file: 0, -ENOMEM. */
int wlog_held_reserve(struct wlog_held *h);
/* The next file is full with so many bytes of groups; room was reserved. */
void wlog_held_add(struct wlog_held *h, uint64_t bytes);
/* The oldest file is gone; there is one. */
void wlog_held_drop_first(struct wlog_held *h);
