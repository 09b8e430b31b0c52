#pragma once
/* The slots of this process as a cluster: internals shared by local_*.c and node.c. */
#include <stdatomic.h>

#include "reactor/leg.h"
#include "reactor/reactor.h"
#include "rpc/cluster_ops.h"
#include "rpc/dedupe.h"
#include "rpc/node.h"
#include "storage/datadir.h"
#include "storage/device_pace.h"
#include "storage/shard.h"
#include "storage/wlog.h"

enum { NODE_LOG_CORE = 0, HIDDEN_KEY_CORE_BITS = 8, HIDDEN_KEY_NUMBER_BITS = 14 };
#define HIDDEN_KEY_EPOCH_MS 1767225600000 /* 2026-01-01 */

struct ddl_op;
struct log_held;
struct checkpoints;
struct retention;
struct rewriter;
struct store;

struct node { /* made by the main thread; the log and DDL queue belong to core 0 */
    struct node_config config;
    char *data_dir, *name;
    struct datadir dir;
    struct reactor_group *group;
    unsigned cores;
    struct local **locals;   /* one per core */
    struct device_pace pace; /* all cores take from it */
    struct wlog *log;
    atomic_int refusing;               /* 0, or -errno: why the log takes no more writes */
    struct timer space_timer;          /* core 0: looks for room after -ENOSPC */
    struct log_held *held, *held_last; /* core 0: applied, but the disk was full */
    atomic_bool ready;
    atomic_uint rounds_ended;      /* checkpoints, good or not */
    atomic_bool memory_short;      /* a core wants changed rows to become such that it can let go */
    struct ddl_op *ddl, *ddl_last; /* running first, then waiting */
    bool ddl_running, ddl_held;    /* held: the next one waits for the checkpoint */
    uint64_t ddl_ended;            /* so many, done or refused */
    struct checkpoints *checkpoints;
    struct retention *retention;
    struct closing *closing; /* node_close */
    uint64_t *root_lsn;      /* start: by slot, records up to it are in the checkpoint */
    uint64_t root_round, definitions_lsn;
    unsigned split_from;      /* start: slot bits before they were split; else those of dir */
    atomic_uint shared_files; /* node_shared_files */
    uint64_t replayed;        /* records, at the start */
};

struct local_rewrite_stats {                 /* written by its core, read by any */
    atomic_ullong done, reclaimed, given_up; /* partitions; deleted rows; partitions */
};

struct local { /* owner: its core */
    struct cluster base;
    struct node *node;
    struct reactor *reactor;
    struct shard *shard;
    struct store *store;
    struct budget data; /* of the shard: leaves a part of the core's budget to queries */
    struct dedupe dedupe;
    struct timer seal_timer; /* every second: seals what has been quiet */
    struct task seal_task;
    /* In the background after the start: columns, then indexes; beside them the dictionaries' tables. */
    struct task load_task, index_task, dict_task;
    bool columns_loaded, loaded, dicts_filled; /* they came to their end */
    bool dicts_told;                           /* why not */
    bool load_stopped;                         /* for good */
    /* The same for other cores: bytes on disk only now, and one more than at first; 0 = not known yet. */
    _Atomic uint64_t absent_bytes, absent_first;
    atomic_bool load_ended;
    uint64_t spare_tick;    /* local_spare_statements: when it looked last, */
    bool nothing_to_spare;  /* and found nothing */
    uint64_t trim_ns;       /* when freed pages may next be given back */
    uint64_t freed_look_ns; /* when their bytes are next looked at */
    uint64_t freed_ns;      /* from when on they count; before, they have left */
    uint64_t freed_then;    /* what the core had freed till then */
    bool progress_told;     /* core 0: the last line of it */
    uint64_t seal_tick;
    struct rewriter *rewriter;
    struct local_rewrite_stats rewrite_stats;
    uint64_t *slot_lsn; /* last LSN given, by slot number */
    uint32_t
        unlogged; /* submits to the log that are not back: rows in memory that are not yet durable */
    int64_t key_ms; /* hidden keys: millisecond and number within it */
    uint32_t key_n;
};

extern const struct cluster_ops local_ops;

static inline struct local *local_of(struct reactor *r)
{
    return reactor_get_local(r, LOCAL_SHARD);
}

/*
 * Hands records to the log's core and waits until they are durable. Embedded in the operation of a shard core;
 * records and payloads live until done, which runs on the submitting core with rc set.
 */
struct log_submit {
    struct leg leg;
    struct wlog_append append;
    struct node *node;
    int rc;
    void (*done)(struct log_submit *s);
};
void log_submit(struct local *l, struct log_submit *s, const struct wlog_record *records,
                uint32_t n);
void log_free_held(struct node *n); /* after the log was closed */

void local_query_start(struct cluster *c, struct cluster_query *q);
void local_query_next(struct cluster_query *q);
void local_query_close(struct cluster_query *q);
void local_write_start(struct cluster *c, struct cluster_write *w);
void local_ddl_start(struct cluster *c, struct cluster_ddl *d);
void local_partition_start(struct local *l, struct cluster_ddl *d); /* ARCHIVE, RESTORE */
void local_partitions_start(struct cluster *c, struct cluster_partitions *p);
