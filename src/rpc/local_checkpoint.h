#pragma once
/*
 * Checkpoints of a node, one at a time, led by the log's core: every core writes what changed in its slots
 * (storage/checkpoint.h) and makes the log durable up to there; then the root is written, and log files that it makes
 * needless go. A round that meets a definition change or a full disk is given up without harm and tried again later.
 */
#include "rpc/local.h"

enum {
    CHECKPOINT_LOG_BYTES = 256 << 20
}; /* of log after which a round begins, unless configured */

/* Core 0, once the log was replayed: begins to look again and again whether a round is due. */
int checkpoints_start(struct node *n, struct error_info *err);

/* Core 0: a round as soon as possible; done(ctx) when it ended, well or not. */
struct checkpoint_wait {
    void (*done)(struct checkpoint_wait *w);
    void *ctx;
    int rc;
    struct checkpoint_wait *next;
};
void checkpoints_request(struct node *n, struct checkpoint_wait *w);

/* Is there anything to make one of, and can the log be written? When not, a request would wait. */
bool checkpoints_can_request(const struct node *n);

/* Core 0: no more rounds; ended(ctx) when none is at work. The last one is completed, not cut off. */
void checkpoints_stop(struct node *n, void (*ended)(void *ctx), void *ctx);

/* After the reactors ended, before the shards go: what a round had when nobody knew which root holds. */
void checkpoints_let_go(struct node *n);
void checkpoints_free(struct node *n); /* after the reactors ended */

void checkpoints_get_stats(const struct node *n, struct node_checkpoint_stats *out); /* core 0 */
