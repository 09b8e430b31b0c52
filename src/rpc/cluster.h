#pragma once
/*
 * The data as the gateway sees it: one catalog, queries and writes. Whether the slots live in this process or behind
 * gRPC connections cannot be seen from here (design, section 2).
 *
 * Every call and callback runs on the core of the caller. Requests are embedded in the caller's operation and stay
 * alive until their last callback. Errors are records whose code is a MySQL error number (0 = 1105).
 */
#include <stdbool.h>
#include <stdint.h>

#include "reactor/list.h"
#include "reactor/reactor.h"
#include "storage/batch.h"
#include "storage/catalog.h"
#include "storage/program.h"
#include "storage/scan.h"
#include "storage/slot.h"

struct reactor;
struct cluster;

/* The cluster object of this core. */
struct cluster *cluster_of(struct reactor *r);

/* Newest catalog this core knows; a new reference, give it back with catalog_put. */
struct catalog *cluster_catalog(struct cluster *c);

/*
 * Brings the catalog up to date: after done, cluster_catalog knows every definition change that was complete anywhere
 * when the refresh started, unless a node could not tell (it went away, or did not answer within 5 s). Owner: the
 * caller, until done or cluster_refresh_cancel.
 */
struct cluster_refresh {
    void (*done)(struct cluster_refresh *f); /* set by the caller; once, from the loop */
    void *ctx;
    /* inside */
    struct list waiting;
    uint64_t number;
    bool is_waiting;
};

/* True for slots of this process: the catalog is the truth, there is nothing to refresh. */
bool cluster_is_current(const struct cluster *c);
/* False when there is nothing to wait for: the catalog is current, or no node can be asked. Then done does not run. */
bool cluster_refresh_start(struct cluster *c, struct cluster_refresh *f);
/* done does not run any more. No-op when it ran or nothing was started. */
void cluster_refresh_cancel(struct cluster_refresh *f);

/*
 * Query: pulled batch by batch, so that a slow reader holds the scan back. After cluster_query_start (and after
 * every batch taken) call cluster_query_next; on_next then comes exactly once, later or at once from the loop, with
 * q->state telling what is there. The batch is valid until the next call of cluster_query_next or _close.
 * GROUPS and ordered ROWS arrive merged over cores and nodes (many groups in ascending ranges of their hashes, before
 * all are found); unordered ROWS as they are found.
 * cluster_query_close may be called at any time after start, also in the middle (cancels); on_closed is the last call.
 */
enum cluster_query_state { CLUSTER_BATCH, CLUSTER_END, CLUSTER_ERROR };

struct cluster_leg_stats { /* EXPLAIN ANALYZE: one per core that took part */
    char where[80];        /* "node-a core 1" */
    struct scan_stats scan;
};

struct cluster_query {
    const struct program *program; /* set by the caller; lives until on_closed */
    const struct schema
        *schema;          /* the table's definition the program was planned with; lives as long */
    uint64_t deadline_ns; /* monotonic; 0 = none */
    void (*on_next)(struct cluster_query *q);
    void (*on_closed)(struct cluster_query *q);
    void *ctx;
    enum cluster_query_state state;
    struct batch batch; /* CLUSTER_BATCH */
    uint64_t
        below; /* CLUSTER_BATCH of GROUPS: those with a smaller hash (partial_hash) have all come before it */
    struct error_info error; /* CLUSTER_ERROR */
    const struct cluster_leg_stats
        *stats; /* program->analyze: at CLUSTER_END; of own cores at every answer */
    uint32_t n_stats;
    void *impl; /* the cluster's */
};

void cluster_query_start(struct cluster *c, struct cluster_query *q);
void cluster_query_next(struct cluster_query *q);
void cluster_query_close(struct cluster_query *q);

/*
 * Write: one batch of any slots, any number of rows (split by the cluster). done runs when every row is either
 * durable in the log or refused; result sums up all slots. rc -errno with error when nothing or not everything
 * could be written (result tells what was).
 */
struct cluster_write {
    const struct schema *schema;
    struct batch batch; /* valid until done */
    bool
        check_first; /* INSERT: refuse the whole batch when any key exists (probe before writing) */
    bool
        may_be_old; /* written also when the table was altered since (a load), not refused with 1412 */
    uint64_t client_id,
        sequence; /* set by the cluster when client_id is 0; a repeated pair is answered once */
    void (*done)(struct cluster_write *w);
    void *ctx;
    int rc;
    struct write_result result;
    struct error_info error;
    void *impl;
    struct task refused; /* inside */
};

void cluster_write_start(struct cluster *c, struct cluster_write *w);
/* After done, of a write refused with 1412: true when it is certain that no row of it was written, so that it may be
 * made anew with the new definition. */
bool cluster_wrote_nothing(struct cluster *c, const struct cluster_write *w);

/* Definition changes: applied on every core and node, logged, before done. */
enum cluster_ddl_kind {
    CLUSTER_CREATE_TABLE,
    CLUSTER_DROP_TABLE,
    CLUSTER_TRUNCATE_TABLE,
    CLUSTER_DROP_PARTITION,
    CLUSTER_ARCHIVE_PARTITION,
    CLUSTER_RESTORE_PARTITION,
    CLUSTER_ALTER_TABLE,
    CLUSTER_RENAME_TABLE,
    CLUSTER_REWRITE_TABLE, /* without its deleted rows: no definition changes, and nothing is logged */
};

enum { CLUSTER_MAX_PARTITIONS = 4096 }; /* of one change */

struct cluster_ddl {
    enum cluster_ddl_kind kind;
    /* CREATE, ALTER: finished, without table id and version; a reference is taken. ALTER: what the table of this name
     * shall be, as far as schema_check_alter permits; nothing is done when it is so already. */
    struct schema *schema;
    const char *name;  /* of the table, but for CREATE and ALTER */
    uint32_t table_id; /* which it must have when its turn comes, at this node; 0 = any */
    /* Of partitions: starts, s since 1970, at most CLUSTER_MAX_PARTITIONS; valid until done. Those that are not there
     * (archived, for RESTORE) are passed over, but ARCHIVE also refuses rows of a time that has none yet. */
    const int64_t *partitions;
    uint32_t n_partitions;
    /* RENAME: 1 to CATALOG_MAX_RENAMES changes, all of them or none; valid until done. */
    const struct catalog_rename *renames;
    uint32_t n_renames;
    void (*done)(struct cluster_ddl *d);
    void *ctx;
    int rc; /* -EEXIST, -ENOENT, ... */
    struct error_info error;
    void *impl;
    void (*cancel)(struct cluster_ddl *d); /* the cluster's; NULL = it cannot be cancelled (now) */
    struct task refused;                   /* inside */
};

void cluster_ddl_start(struct cluster *c, struct cluster_ddl *d);
/* Between start and done: REWRITE_TABLE ends early, done comes soon. The others run to their end. */
void cluster_ddl_cancel(struct cluster_ddl *d);

/* The time partitions of a table, as they are on all cores and nodes. A table without has at most one, with start 0. */
struct cluster_partition {
    int64_t start; /* s since 1970 */
    uint64_t rows, bytes;
    bool archived; /* in some slot; not part of the table's rows there */
};

struct cluster_partitions { /* owner: the caller, until done */
    const char *name;       /* of the table; set by the caller, as done and ctx */
    void (*done)(struct cluster_partitions *p);
    void *ctx;
    int rc; /* -ENOENT (1146), ... */
    struct error_info error;
    struct cluster_partition *list; /* ascending; from malloc, the caller's after done */
    uint32_t n;
    struct task refused; /* inside */
};

void cluster_partitions_start(struct cluster *c, struct cluster_partitions *p);

/* Figures of a table: what this core or the nodes last told, scaled to all cores; for the optimiser. */
struct cluster_table_stats {
    uint32_t table_id;
    uint64_t rows;        /* live */
    uint64_t bytes;       /* of its rows, dictionaries included, in memory or on disk */
    uint64_t index_bytes; /* key indexes in memory */
    uint64_t free_bytes;  /* of its data files, that nothing refers to */
};
bool cluster_table_stats(struct cluster *c, uint32_t table_id, struct cluster_table_stats *out);
/* Also of temporary tables. */
bool cluster_schema_stats(struct cluster *c, const struct schema *s,
                          struct cluster_table_stats *out);

/* The figures of all tables as they are now, for SHOW TABLE STATUS. */
struct cluster_tables_stats { /* owner: the caller, until done, which never runs within the start */
    void (*done)(struct cluster_tables_stats *t);
    void *ctx;
    struct cluster_table_stats *list; /* from malloc, the caller's after done; NULL = no memory */
    uint32_t n;
    struct task refused; /* for cluster_tables_stats_start */
};
/* false: there is nobody to ask, cluster_table_stats is all that is known. */
bool cluster_tables_stats_start(struct cluster *c, struct cluster_tables_stats *t);
