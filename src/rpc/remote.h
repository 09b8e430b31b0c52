#pragma once
/*
 * The cluster over gRPC, for programs that hold no data (quanta-proxy, quanta-loader): one connection per core and
 * node. Every call on the core concerned.
 *
 * cluster_catalog never waits: it is what this core knows, which can be a second old: the nodes are asked every second,
 * at once after a definition change made through this core, and when an answer tells of a newer version. Who must not
 * be wrong about a change made through another core or gateway refreshes first (cluster_refresh_start), as SQL
 * statements do before they say that something does not exist. What was planned with a definition that has changed is
 * refused by the node with error 1412.
 */
#include "rpc/cluster.h"

struct remote_config {
    const char *nodes;         /* "HOST:PORT[,HOST:PORT...]", [v6]:PORT too */
    const char *user;          /* identity sent with every request; NULL = none */
    uint64_t ready_timeout_ns; /* 0 = 10 s */
    uint64_t
        write_timeout_ns; /* how long a write is tried again while its node is away; 0 = 30 s */
};

/*
 * Becomes the cluster of this core (LOCAL_CLUSTER). ready(ctx, rc, err) runs once: 0 when all nodes were reached, fit
 * together and told their catalogs; else -errno with a text, and remote_cluster_stop has to follow. Strings are copied.
 * 0, or -EINVAL/-ENOMEM with a text: then nothing was started.
 */
int remote_cluster_start(struct reactor *r, const struct remote_config *config,
                         void (*ready)(void *ctx, int rc, const struct error_info *err), void *ctx,
                         struct error_info *err);

/* Closes the connections; what runs ends with errors first. done(ctx) when nothing is left; may be NULL.
 * At once when the core has no cluster. */
void remote_cluster_stop(struct reactor *r, void (*done)(void *ctx), void *ctx);
