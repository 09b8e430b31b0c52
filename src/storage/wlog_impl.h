#pragma once
/* The log's inside: what wlog.c (the log's core) and wlog_direct.c (any core, for one group) share. */
#include "reactor/buffer.h"
#include "reactor/io.h"
#include "reactor/timer.h"
#include "storage/wlog.h"
#include "storage/wlog_file.h"
#include "storage/wlog_format.h"
#include "storage/wlog_replay.h"
#include "storage/wlog_turn.h"
#include "storage/wlog_window.h"

enum wlog_state {
    WLOG_IDLE,
    WLOG_WRITING,
    WLOG_WAITING_FILE,
    WLOG_WAITING_PACE,
    WLOG_WAITING_CORE, /* that writes a group itself */
    WLOG_BROKEN
};

struct wlog_counts { /* written by who has the turn, read by the log's core at any time */
    _Atomic uint64_t groups, records, bytes, device_writes, node_lsn, durable_lsn;
};

struct wlog { /* owner: the log's core, except what belongs to who has the turn */
    struct reactor *reactor;
    char *dir;
    uint64_t file_bytes;
    struct device_pace *pace; /* or NULL */

    /* Of who has the turn. */
    struct wlog_turn turn;
    struct wlog_file current; /* exchanged by the log's core only */
    _Atomic uint64_t offset;  /* of the next group in the current file */
    struct buffer frame;      /* 4 KiB aligned memory that never moves */
    struct wlog_frame head;
    uint32_t written; /* bytes of the frame */
    struct io_op op;
    struct wlog_counts counts;
    struct wlog_append *direct; /* of another core, being written */
    int direct_rc;
    struct post handover; /* the turn goes to the log's core */

    bool has_turn; /* the log's core */
    enum wlog_state state;
    struct wlog_file next;
    struct wlog_append *queue, **queue_end; /* waiting */
    uint32_t queued;                        /* appends there */
    struct wlog_append *group;              /* being written */
    uint32_t grouped;                       /* appends in it */
    struct wlog_window window;
    _Atomic uint64_t direct_end; /* groups up to here other cores may write; 0 = none */
    struct task gather;          /* starts the next group at the end of a turn */
    struct timer pause, retry;
    bool ending;           /* the program stops: what lies behind the groups goes when it closes */
    bool short_of_space;   /* the next file found no room, or only for a smaller one */
    int told;              /* why the next file cannot be made, once in the log */
    struct wlog_held held; /* files before the current one */
    uint64_t released;     /* files before this generation may go */
    struct task release;
    unsigned busy; /* functions at work on it, callbacks included: it may not be freed */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* Bytes of the records of an append. */
size_t wlog_append_bytes(const struct wlog_append *a);

/* Device writes that the next group of so many bytes is. */
unsigned wlog_writes_of(const struct wlog *l, size_t bytes);

/* Makes the frame of the first n appends of a list: 0, -ENOMEM. Who has the turn. */
int wlog_build_frame(struct wlog *l, const struct wlog_append *list, uint32_t n);

/* The frame is on the medium. Who has the turn. */
void wlog_frame_written(struct wlog *l);

/* Functions posted to the log's core, ctx = the log: the turn comes over from a core that gave it back, or
 * that failed to write (direct_rc) and so breaks the log. */
void wlog_turn_came(struct reactor *r, void *ctx);
void wlog_direct_failed(struct reactor *r, void *ctx);
