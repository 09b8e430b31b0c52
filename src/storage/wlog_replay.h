#pragma once
/* Replay: reads the log files of a data directory in order at start. Blocking; the log's owner core. */
#include "storage/wlog.h"
#include "storage/wlog_held.h"

struct wlog_position {
    uint64_t generation; /* of the last file; 0 = no file yet */
    uint64_t offset;     /* where the next frame goes */
    bool unwritten;      /* what is behind that was allocated, not filled */
    uint64_t next_lsn;
    uint64_t groups, records;
    struct wlog_held held; /* files before the last one; the caller's to free */
};

/* Path of a log file: "<dir>/log-00000001.qlg". */
void wlog_path(char *out, size_t cap, const char *dir, uint64_t generation);

/* As wlog_open: calls apply for every record, cuts a torn last group (zeroing it), refuses other damage. */
int wlog_replay(struct reactor *r, const struct wlog_config *config,
                int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn),
                void *ctx, struct wlog_position *end, struct error_info *err);
