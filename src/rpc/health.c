/* grpc.health.v1.Health: Check answers once, Watch whenever the state changes. */
#include <stdlib.h>
#include <string.h>

#include "proto/health.pb-c.h"
#include "rpc/service_impl.h"

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus health_status;

enum { HEALTH_REQUEST_MEMORY = 4096 };

struct watcher { /* owner: the server; until its call has ended */
    struct list in_server;
    struct rpc_server *server;
    struct grpc_call *call;
    bool known, asked;  /* the service exists; its name has arrived */
    health_status told; /* last status sent */
};

/* "Status" is what Consul's check of a node asks for (service registration of the original). */
static bool is_known(const char *service)
{
    static const char *const names[] = {"", "Status", "quanta", "quanta.ClusterAdmin",
                                        "quanta.BitmapIndex"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(service, names[i]))
            return true;
    return false;
}

static health_status status_now(const struct rpc_server *s)
{
    return service_is_serving(s)
               ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
               : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

/* 1 known, 0 not, -1 the request is malformed and the call finished. */
static int read_service(struct grpc_call *call, const uint8_t *bytes, size_t n)
{
    Grpc__Health__V1__HealthCheckRequest *m =
        grpc_proto_unpack(&grpc__health__v1__health_check_request__descriptor, bytes, n,
                          HEALTH_REQUEST_MEMORY);

    if (!m) {
        service_refuse_request(call, "HealthCheckRequest");
        return -1;
    }
    int known = is_known(m->service);
    grpc_proto_free(m);
    return known;
}

static bool send_status(struct grpc_call *call, health_status status)
{
    Grpc__Health__V1__HealthCheckResponse reply = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    reply.status = status;
    struct h2_chunk *c = grpc_proto_pack(&reply.base);
    if (!c) {
        grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "out of memory", NULL);
        return false;
    }
    grpc_call_send(call, c);
    return true;
}

static void check_message(struct grpc_call *call, const uint8_t *bytes, size_t n)
{
    int known = read_service(call, bytes, n);

    if (!known)
        grpc_call_finish(call, GRPC_NOT_FOUND, "unknown service", NULL);
    else if (known > 0 && send_status(call, status_now(call->ctx)))
        grpc_call_finish(call, GRPC_OK, NULL, NULL);
}

void health_check(struct grpc_call *call, void *server)
{
    call->ctx = server;
    call->handler = (struct grpc_call_handler){.on_message = check_message};
    grpc_call_read(call);
}

static void tell(struct watcher *w)
{
    health_status now =
        w->known ? status_now(w->server)
                 : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;

    if (w->told == now)
        return;
    w->told = now;
    send_status(w->call, now);
}

static void watch_message(struct grpc_call *call, const uint8_t *bytes, size_t n)
{
    struct watcher *w = call->ctx;
    int known = read_service(call, bytes, n);

    if (known < 0)
        return;
    w->known = known;
    w->asked = true;
    tell(w);
}

static void watch_closed(struct grpc_call *call)
{
    struct watcher *w = call->ctx;

    list_remove(&w->in_server);
    free(w);
}

void health_watch(struct grpc_call *call, void *server)
{
    struct rpc_server *s = server;
    struct watcher *w = calloc(1, sizeof(*w));

    if (!w) {
        grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "out of memory", NULL);
        return;
    }
    w->server = s;
    w->call = call;
    w->told = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__UNKNOWN;
    list_push_back(&s->watchers, &w->in_server);
    call->ctx = w;
    call->handler =
        (struct grpc_call_handler){.on_message = watch_message, .on_closed = watch_closed};
    grpc_call_read(call);
}

/* At the stop of the node the watchers hear of it, and their calls end: they would keep the connections open. */
void health_update(struct rpc_server *s)
{
    list_for_each_safe(at, &s->watchers)
    {
        struct watcher *w = container_of(at, struct watcher, in_server);
        if (w->asked)
            tell(w);
        if (s->stopping)
            grpc_call_finish(w->call, GRPC_UNAVAILABLE, "the node is stopping", NULL);
    }
}
