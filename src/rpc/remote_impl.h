#pragma once
/* Inside of the remote cluster: shared by remote_*.c. Everything belongs to one core. */
#include "proto/quanta.pb-c.h"
#include "reactor/list.h"
#include "reactor/reactor.h"
#include "rpc/client_unary.h"
#include "rpc/cluster_ops.h"
#include "rpc/remote.h"
#include "rpc/service_error.h"
#include "rpc/slotmap.h"

enum remote_node_state {
    NODE_DOWN,    /* no connection; the channel tries again */
    NODE_GREETED, /* connected, asked who it is */
    NODE_READY,
    NODE_REFUSED, /* does not fit the cluster; error says why */
};

struct remote;

struct remote_node { /* owner: the remote cluster */
    struct remote *remote;
    unsigned number;
    enum remote_node_state state;
    char *host;
    uint16_t port;
    struct grpc_channel *channel;
    char who[160];      /* "node a (host:port)" or "node host:port" while the name is unknown */
    char name[80];      /* host key; empty until first described */
    char directory[40]; /* id of its data directory */
    unsigned slot_bits;
    uint64_t hash_seed;
    uint32_t batch_version;            /* of the batches it reads */
    struct error_info error;           /* why it is not ready */
    struct catalog *catalog;           /* newest known; NULL until first told */
    struct cluster_table_stats *stats; /* by position in `catalog` */
    struct client_unary describe, poll;
    bool describing, polling, poll_again;
    uint64_t polled_for, answered_for; /* refresh the running poll and the last one began after */

    /* writes (remote_write.c) */
    struct grpc_call *writes; /* the stream of batches; NULL = not open */
    bool writes_full;
    struct list pending; /* pieces not answered, oldest first */
};

struct remote { /* owner: its core */
    struct cluster base;
    struct reactor *r;
    unsigned n_nodes;
    struct remote_node nodes[SLOTMAP_MAX_NODES];
    struct grpc_metadata fields;  /* of every request */
    struct catalog *catalog;      /* tables that all nodes have alike */
    bool mixed;                   /* one of them as another node had it: it is being altered */
    struct slotmap map;           /* once ready */
    uint64_t client_id, sequence; /* of writes */
    uint64_t piece_id;
    int64_t hidden_key; /* last one given */
    uint64_t write_timeout_ns;
    struct list refreshes; /* waiting, oldest first */
    uint64_t refresh_number;
    struct task refreshed;
    struct timer tick;
    uint64_t polled_ns;
    uint64_t ready_by_ns;
    bool is_ready, told, stopping;
    void (*ready)(void *ctx, int rc, const struct error_info *err);
    void *ready_ctx;
    unsigned busy;     /* operations and unary calls under way */
    unsigned channels; /* not yet closed */
    struct task end;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

extern const struct cluster_ops remote_ops;

/* Nodes: connection, greeting, catalog. remote_node.c */
int remote_node_open(struct remote_node *n);
void remote_node_close(struct remote_node *n);
void remote_node_poll(struct remote_node *n);
/* A version seen in an answer: polls when it is newer. */
void remote_node_saw_version(struct remote_node *n, uint64_t version);
/* Same, from the metadata of a call's end; also polls after error 1412. */
void remote_node_saw_end(struct remote_node *n, const struct grpc_call *c);
/* Takes over what a Catalog call answered: 0 or -errno. */
int remote_node_take_catalog(struct remote_node *n, const Quanta__CatalogReply *m,
                             struct error_info *err);
/* Why no request can be sent to it now: -ENOTCONN with a text. */
int remote_node_unusable(const struct remote_node *n, struct error_info *err);

/* The catalog of all nodes. remote_catalog.c */
int remote_merge_catalogs(struct remote *x);
/* The node's own definition of a table the caller planned with; may_be_old: also one that it had. 0 or -ESTALE
 * (1412). */
int remote_find_table(struct remote *x, const struct remote_node *n, const struct schema *s,
                      bool may_be_old, const struct schema **out, struct error_info *err);
bool remote_is_refused_whole(struct cluster *c, const struct cluster_write *w);
bool remote_table_stats(struct cluster *c, uint32_t table_id, struct cluster_table_stats *out);

/* Refreshes asked for by statements. remote_refresh.c */
void remote_refresh_init(struct remote *x);
bool remote_refresh_start(struct cluster *c, struct cluster_refresh *f);
/* A node has answered, failed or cannot be asked any more. */
void remote_refresh_check(struct remote *x);
/* True when a waiting refresh began after what the node last answered. */
bool remote_refresh_needs(const struct remote_node *n);

/* Whole cluster. remote.c */
void remote_node_changed(struct remote *x); /* a node became ready, was lost or refused */
void remote_op_ended(struct remote *x);     /* counterpart of x->busy++ */

void remote_query_start(struct cluster *c, struct cluster_query *q);
void remote_query_next(struct cluster_query *q);
void remote_query_close(struct cluster_query *q);
void remote_write_start(struct cluster *c, struct cluster_write *w);
void remote_ddl_start(struct cluster *c, struct cluster_ddl *d);
void remote_partitions_start(struct cluster *c, struct cluster_partitions *p);

/* Writes of a node: sends what waits (after it became ready); fails what waited too long or cannot be sent any more.
 * remote_write.c */
void remote_writes_send(struct remote_node *n);
void remote_writes_expire(struct remote_node *n, uint64_t now_ns);
void remote_writes_fail(struct remote_node *n, int rc, const struct error_info *error);
