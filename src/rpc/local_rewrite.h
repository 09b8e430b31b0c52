#pragma once
/*
 * Partitions are rewritten without their deleted rows (storage/slot_rewrite.h): those that lost many, by themselves, and
 * all of a table on request. One at a time on each core, in bulk tasks; by themselves with pauses, and only while there
 * is memory for the copy. A rewrite gives way to writes that need its memory.
 *
 * What was rewritten is in new files with the next checkpoint, so a barrier in the log makes one due.
 */
#include "rpc/local.h"

/* A request for all partitions of a table with deleted rows. Owner: its origin, while lent the core. */
struct rewrite_request {
    struct leg leg; /* first; run = rewrite_request_run, home when all were tried */
    uint32_t table_id;
    const atomic_bool *cancelled; /* then it comes home soon */
    int rc; /* of the first that was given up; -ECANCELED, -ENOENT: the table went */
    struct error_info error;
    /* the core's */
    struct rewrite_request *next;
    uint32_t slot; /* where to look next: from this partition on, when there are more */
    int64_t from;
    bool is_begun;
    unsigned tries; /* of this partition, while there is no memory */
};
void rewrite_request_run(struct leg *leg);

struct rewriter;                     /* of a core */
int rewriter_new(struct local *l);   /* 0 or -ENOMEM */
void rewriter_tick(struct local *l); /* every second: looks for a partition that is worth it */
bool rewriter_give_way(
    struct local *l); /* a write needs memory: true when there was some to be had */
/* The node stops: who still waits is told, nothing is begun any more. */
void rewriter_stop(struct local *l);
bool rewriter_is_quiet(const struct local *l); /* nothing of it is on its way to the log */
void rewriter_free(struct local *l);           /* before the shard; NULL is ignored */

/* Home core of CLUSTER_REWRITE_TABLE. */
void local_rewrite_start(struct local *l, struct cluster_ddl *d);
