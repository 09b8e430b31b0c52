#pragma once
/* Replay: reads the log files of a data directory in order at start. Blocking; the log's owner core. */
#include "storage/wlog.h"

struct wlog_position {
    uint64_t generation; /* of the last file; 0 = no file yet */
    uint64_t offset;     /* where the next frame goes */
    uint64_t next_lsn;
    uint64_t groups, records;
};

/* Path of a log file: "<dir>/log-00000001.qlg". */
void wlog_path(char *out, size_t cap, const char *dir, uint64_t generation);

/* As wlog_open: calls apply for every record, cuts a torn last group (zeroing it), refuses other damage. */
int wlog_replay(struct reactor *r, const char *dir,
                int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn),
                void *ctx, struct wlog_position *end, struct error_info *err);
