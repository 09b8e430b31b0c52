#include "rpc/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/service_error.h"
#include "rpc/service_impl.h"

#define STOP_GRACE_NS 1000000000ull
#define HEALTH_PERIOD_NS 1000000000ull

static const struct grpc_method methods[] = {
    {"/quanta.ClusterAdmin/Describe", service_describe},
    {"/quanta.ClusterAdmin/Catalog", service_catalog},
    {"/quanta.BitmapIndex/Query", service_query},
    {"/quanta.BitmapIndex/BatchMutate", service_write},
    {"/quanta.BitmapIndex/TableOperation", service_table},
    {"/quanta.BitmapIndex/PartitionInfo", service_partitions},
    {"/grpc.health.v1.Health/Check", health_check},
    {"/grpc.health.v1.Health/Watch", health_watch},
    {NULL, NULL},
};

bool service_is_serving(const struct rpc_server *s)
{
    return !s->stopping && node_is_ready(s->node);
}

int service_check_serving(const struct rpc_server *s, struct error_info *err)
{
    return service_is_serving(s)
               ? 0
               : error_set(err, -ESHUTDOWN, 1053, "the node is stopping or not ready yet");
}

int service_check_name(const char *table, struct error_info *err)
{
    return *table && strlen(table) <= SCHEMA_MAX_NAME
               ? 0
               : error_set(err, -EINVAL, 1103, "Incorrect table name '%.80s'", table);
}

void *service_op_new(struct rpc_server *s, struct grpc_call *call, size_t bytes)
{
    void *x = calloc(1, bytes);

    if (!x) {
        grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "out of memory", NULL);
        return NULL;
    }
    s->ops++;
    call->ctx = x;
    return x;
}

static uint64_t catalog_version(struct rpc_server *s)
{
    struct catalog *c = cluster_catalog(cluster_of(s->r));
    uint64_t version = c->version;

    catalog_put(c);
    return version;
}

struct schema *service_find_table(struct rpc_server *s, uint32_t table_id, uint64_t version,
                                  bool known_old)
{
    struct catalog *c = cluster_catalog(cluster_of(s->r));
    struct schema *found = catalog_find_version(c, table_id, version);

    if (found && !known_old && found != catalog_find_id(c, table_id))
        found = NULL;
    if (found)
        schema_get(found);
    catalog_put(c);
    return found;
}

void service_finish(struct rpc_server *s, struct grpc_call *call)
{
    struct grpc_metadata fields;

    grpc_metadata_init(&fields);
    grpc_metadata_put_u64(&fields, SERVICE_CATALOG_VERSION, catalog_version(s));
    grpc_call_finish(call, GRPC_OK, NULL, &fields);
    grpc_metadata_fini(&fields);
}

void service_finish_error(struct rpc_server *s, struct grpc_call *call, int rc,
                          const struct error_info *error)
{
    struct grpc_metadata fields;
    int code = error->code ? error->code : 1105;

    grpc_metadata_init(&fields);
    grpc_metadata_put_u64(&fields, SERVICE_CATALOG_VERSION, catalog_version(s));
    grpc_metadata_put_u64(&fields, SERVICE_ERROR_CODE, (uint64_t)code);
    grpc_metadata_put_u64(&fields, SERVICE_ERROR_REASON, (uint64_t)(rc < 0 ? -rc : EIO));
    grpc_call_finish(call, service_code_of(code), error->text, &fields);
    grpc_metadata_fini(&fields);
}

void service_answer(struct rpc_server *s, struct grpc_call *call, const ProtobufCMessage *m)
{
    struct h2_chunk *c = grpc_proto_pack(m);

    if (!c) {
        grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "the answer does not fit into a message",
                         NULL);
        return;
    }
    grpc_call_send(call, c);
    service_finish(s, call);
}

void service_refuse_request(struct grpc_call *call, const char *what)
{
    char text[160];

    snprintf(text, sizeof(text), "the request is not a valid %s, or too large", what);
    grpc_call_finish(call, GRPC_INVALID_ARGUMENT, text, NULL);
}

/* What holds for every request but health checks: the log is replayed, and the caller's slot map is not stale. */
static bool check_call(struct grpc_call *call, void *server)
{
    struct rpc_server *s = server;
    const char *path = grpc_call_path(call);
    uint64_t epoch = s->epoch;
    char text[160];

    if (path[1] == 'g')
        return true; /* /grpc.health... */
    if (s->stopping) {
        grpc_call_finish(call, GRPC_UNAVAILABLE, "the node is stopping", NULL);
        return false;
    }
    if (grpc_call_field(call, SERVICE_EPOCH) &&
        !grpc_metadata_get_u64(&call->fields, SERVICE_EPOCH, &epoch)) {
        grpc_call_finish(call, GRPC_INVALID_ARGUMENT, SERVICE_EPOCH " is not a number", NULL);
        return false;
    }
    if (epoch < s->epoch) {
        snprintf(text, sizeof(text), "the request knows slot map %llu; the node has %llu",
                 (unsigned long long)epoch, (unsigned long long)s->epoch);
        grpc_call_finish(call, GRPC_FAILED_PRECONDITION, text, NULL);
        return false;
    }
    return true;
}

static void health_fire(struct timer *t)
{
    struct rpc_server *s = container_of(t, struct rpc_server, health);

    health_update(s);
    if (!s->stopping)
        timer_arm(s->r, &s->health, HEALTH_PERIOD_NS);
}

int rpc_server_start(struct reactor *r, struct node *n, const char *bind, uint16_t port,
                     uint16_t *bound_port, char *err, size_t err_len)
{
    struct rpc_server *s = calloc(1, sizeof(*s));

    if (!s) {
        snprintf(err, err_len, "out of memory");
        return -ENOMEM;
    }
    s->r = r;
    s->node = n;
    s->health.fire = health_fire;
    list_init(&s->watchers);
    int rc = grpc_server_new(r, bind, port, methods, check_call, s, &s->grpc, err, err_len);
    if (rc) {
        free(s);
        return rc;
    }
    *bound_port = grpc_server_port(s->grpc);
    timer_arm(r, &s->health, HEALTH_PERIOD_NS);
    reactor_set_local(r, LOCAL_RPC, s);
    return 0;
}

static void free_when_drained(struct rpc_server *s)
{
    void (*drained)(void *ctx) = s->drained;
    void *ctx = s->drained_ctx;

    if (!s->stopped || s->ops)
        return;
    timer_cancel(s->r, &s->health);
    ASSERT(list_is_empty(&s->watchers));
    free(s);
    if (drained)
        drained(ctx);
}

void service_op_ended(struct rpc_server *s)
{
    ASSERT(s->ops > 0);
    s->ops--;
    free_when_drained(s);
}

static void grpc_stopped(void *ctx)
{
    struct rpc_server *s = ctx;

    s->stopped = true;
    s->grpc = NULL;
    free_when_drained(s);
}

void rpc_server_drain(struct reactor *r, void (*done)(void *ctx), void *ctx)
{
    struct rpc_server *s = reactor_get_local(r, LOCAL_RPC);

    if (!s) {
        if (done)
            done(ctx);
        return;
    }
    reactor_set_local(r, LOCAL_RPC, NULL);
    s->drained = done;
    s->drained_ctx = ctx;
    s->stopping = true;
    health_update(s);
    grpc_server_stop(s->grpc, STOP_GRACE_NS, grpc_stopped, s);
}

void rpc_server_stop(struct reactor *r)
{
    rpc_server_drain(r, NULL, NULL);
}

void rpc_server_get_stats(struct reactor *r, struct rpc_server_stats *out)
{
    struct rpc_server *s = reactor_get_local(r, LOCAL_RPC);
    struct grpc_server_stats g;

    *out = (struct rpc_server_stats){0};
    if (!s)
        return;
    grpc_server_get_stats(s->grpc, &g);
    *out = s->stats;
    out->connections = g.connections;
    out->connections_total = g.connections_total;
    out->calls_total = g.calls_total;
}
