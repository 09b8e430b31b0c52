#pragma once
/* Inside of the service: shared by service_*.c and health.c. */
#include "reactor/list.h"
#include "rpc/cluster.h"
#include "rpc/grpc_proto.h"
#include "rpc/grpc_server.h"
#include "rpc/node.h"
#include "rpc/service.h"

struct rpc_server { /* owner: its core; from rpc_server_start until drained */
    struct reactor *r;
    struct node *node;
    struct grpc_server *grpc;
    uint64_t epoch;         /* of the slot map; requests that know an older one are refused */
    unsigned ops;           /* requests whose cluster operation has not ended */
    bool stopping, stopped; /* asked to; listener and connections are gone */
    struct list watchers;   /* Health.Watch */
    struct timer health;
    struct rpc_server_stats stats;
    void (*drained)(void *ctx);
    void *drained_ctx;
};

/* An operation ended: frees the server when that was what it waited for. */
void service_op_ended(struct rpc_server *s);

/*
 * Operation of a new call: zeroed memory of so many bytes, which is call->ctx and counts as an operation of the server
 * until service_op_ended. NULL: there was no memory, the call is ended.
 */
void *service_op_new(struct rpc_server *s, struct grpc_call *call, size_t bytes);

bool service_is_serving(const struct rpc_server *s);
int service_check_serving(const struct rpc_server *s, struct error_info *err); /* 0, -ESHUTDOWN */
int service_check_name(const char *table, struct error_info *err);             /* 0, -EINVAL */

/* Ends a call well, with the catalog's version. */
void service_finish(struct rpc_server *s, struct grpc_call *call);
/* Ends a call with an error of the cluster: code and text for the user, reason as an errno. */
void service_finish_error(struct rpc_server *s, struct grpc_call *call, int rc,
                          const struct error_info *error);
/* One message, then the end. NULL ends it for want of memory. */
void service_answer(struct rpc_server *s, struct grpc_call *call, const ProtobufCMessage *m);
/* Ends a call whose request is malformed. */
void service_refuse_request(struct grpc_call *call, const char *what);

/* The table as the caller knows it, a new reference; NULL = it has another definition now, unless the caller means the
 * old one. */
struct schema *service_find_table(struct rpc_server *s, uint32_t table_id, uint64_t version,
                                  bool known_old);

/* Rows of an INSERT whose keys exist, on all cores: fills result, error and rc of w as cluster_write_start does, and
 * runs w->done; writes nothing. The first step of an INSERT over several nodes. */
void service_check_start(struct rpc_server *s, struct cluster_write *w);

void service_describe(struct grpc_call *call, void *server);
void service_catalog(struct grpc_call *call, void *server);
void service_query(struct grpc_call *call, void *server);
void service_write(struct grpc_call *call, void *server);
void service_table(struct grpc_call *call, void *server);
void service_partitions(struct grpc_call *call, void *server);
void health_check(struct grpc_call *call, void *server);
void health_watch(struct grpc_call *call, void *server);
/* Tells the watchers when the state has changed. */
void health_update(struct rpc_server *s);
