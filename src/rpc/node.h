#pragma once
/*
 * Node: the data of one process. Made on the main thread; core 0 replays the log and owns it; every core has its
 * shard and its local cluster object.
 */
#include <stdbool.h>
#include <stdint.h>

#include "storage/type.h"

struct node;
struct reactor;
struct reactor_group;
struct wlog_stats;

struct node_config {
    const char *data_dir;
    const char *name; /* host key, for messages and EXPLAIN ANALYZE */
    unsigned slots;   /* 0 = cores rounded up to a power of two, when the directory is new */
    bool
        splits_slots; /* slots above those of the directory: they are split. Not with other nodes: rows would change theirs */
    bool cores_run; /* each core has a thread: they take over their parts of a checkpoint at once */
    unsigned log_iops;       /* 0 = no cap */
    uint64_t log_file_bytes; /* 0 = default; tests take small files */
    uint64_t checkpoint_log; /* bytes of log after which a checkpoint is made; 0 = default */
    bool
        checkpoint_at_end; /* node_close makes a last one, so that the next start replays nothing */
    /* Partitions are rewritten by themselves from so many deleted rows on, and so many rows in a step; 0 = default. */
    uint32_t rewrite_min_rows, rewrite_step_rows;
};

/* Files that slots share with others since they were split, and that their rewrites have not replaced yet; any core. */
unsigned node_shared_files(const struct node *n);

struct node_rewrite_stats {  /* since the start */
    uint64_t done, given_up; /* partitions */
    uint64_t reclaimed;      /* deleted rows that are gone */
};

struct node_checkpoint_stats {
    uint64_t round;                 /* number of the newest */
    uint64_t rounds, failed, bytes; /* since the start */
    uint64_t wall_us;               /* when the newest was made; 0 = none since the start */
};

/* Opens or makes the data directory. 0 or -errno with the text for the user in err. */
int node_new(const struct node_config *config, struct reactor_group *g, struct node **out,
             struct error_info *err);

/* On each core, in the start function of reactor_group_start: makes the shard and the local cluster. */
int node_start_core(struct node *n, struct reactor *r, struct error_info *err);

/* On core 0, after every core was started and before anything is served: takes the last checkpoint and replays the log
 * after it. */
int node_replay(struct node *n, struct reactor *r, struct error_info *err);

/* Stops taking writes and closes the log; closed(ctx) on core 0. Requests in flight must have ended. */
void node_close(struct node *n, void (*closed)(void *ctx), void *ctx);
void node_free(struct node *n); /* after the reactors ended */
/* Simulator, before node_free after a crash: what was in flight is left as it is. */
void node_abandon(struct node *n);

const char *node_name(const struct node *n);
unsigned node_slot_bits(const struct node *n);
uint64_t node_hash_seed(const struct node *n);
bool node_is_ready(const struct node *n);                          /* log replayed; any thread */
void node_log_stats(const struct node *n, struct wlog_stats *out); /* core 0 */
void node_checkpoint_stats(const struct node *n, struct node_checkpoint_stats *out); /* core 0 */
void node_rewrite_stats(const struct node *n, struct node_rewrite_stats *out);       /* any core */
