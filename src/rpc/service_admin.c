/* ClusterAdmin: what a gateway has to know about the node before it sends it work. */
#include <errno.h>
#include <stdlib.h>

#include "proto/quanta.pb-c.h"
#include "reactor/options.h"
#include "rpc/local.h"
#include "rpc/service_impl.h"

static void describe_message(struct grpc_call *call, const uint8_t *bytes, size_t n)
{
    struct rpc_server *s = call->ctx;
    Quanta__DescribeReply reply = QUANTA__DESCRIBE_REPLY__INIT;
    struct catalog *c = cluster_catalog(cluster_of(s->r));

    (void)bytes, (void)n; /* an empty message; fields of later versions do not matter */
    reply.name = (char *)node_name(s->node);
    reply.slot_bits = node_slot_bits(s->node);
    reply.hash_seed = node_hash_seed(s->node);
    reply.data_directory = s->node->dir.id;
    reply.catalog_version = c->version;
    reply.server_version = (char *)version_text();
    reply.cores = reactor_count(s->r);
    reply.ready = service_is_serving(s);
    reply.epoch = s->epoch;
    reply.batch_version = BATCH_VERSION;
    catalog_put(c);
    service_answer(s, call, &reply.base);
}

void service_describe(struct grpc_call *call, void *server)
{
    call->ctx = server;
    call->handler = (struct grpc_call_handler){.on_message = describe_message};
    grpc_call_read(call);
}

/* Figures of all tables; NULL without memory. */
static Quanta__TableStats **gather_stats(struct cluster *cluster, const struct catalog *c,
                                         struct arena *a)
{
    Quanta__TableStats **list = arena_alloc(a, (c->n_tables + 1) * sizeof(*list));
    Quanta__TableStats *stats = arena_alloc(a, (c->n_tables + 1) * sizeof(*stats));

    for (uint32_t i = 0; list && stats && i < c->n_tables; i++) {
        struct cluster_table_stats t = {0};
        cluster_table_stats(cluster, c->tables[i]->table_id, &t);
        quanta__table_stats__init(&stats[i]);
        stats[i].table_id = c->tables[i]->table_id;
        stats[i].rows = t.rows;
        stats[i].bytes = t.bytes;
        stats[i].index_bytes = t.index_bytes;
        stats[i].free_bytes = t.free_bytes;
        list[i] = &stats[i];
    }
    return stats ? list : NULL;
}

static void answer_catalog(struct rpc_server *s, struct grpc_call *call, const struct catalog *c,
                           const Quanta__CatalogRequest *m)
{
    enum { STATS_ARENA_BYTES = 4 << 20 };
    Quanta__CatalogReply reply = QUANTA__CATALOG_REPLY__INIT;
    struct arena arena;
    uint8_t *bytes = NULL;
    size_t n = 0;

    arena_init(&arena, STATS_ARENA_BYTES, NULL);
    reply.version = c->version;
    reply.stats = gather_stats(cluster_of(s->r), c, &arena);
    reply.n_stats = reply.stats ? c->n_tables : 0;
    if (!(m->known && m->known_version == c->version) && catalog_encode(c, &bytes, &n)) {
        grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "out of memory for the catalog", NULL);
    } else {
        reply.catalog = (ProtobufCBinaryData){n, bytes};
        service_answer(s, call, &reply.base);
    }
    free(bytes);
    arena_fini(&arena);
}

static void catalog_message(struct grpc_call *call, const uint8_t *bytes, size_t n)
{
    struct rpc_server *s = call->ctx;
    Quanta__CatalogRequest *m =
        grpc_proto_unpack(&quanta__catalog_request__descriptor, bytes, n, 4096);

    if (!m) {
        service_refuse_request(call, "CatalogRequest");
        return;
    }
    struct catalog *c = cluster_catalog(cluster_of(s->r));
    answer_catalog(s, call, c, m);
    catalog_put(c);
    grpc_proto_free(m);
}

void service_catalog(struct grpc_call *call, void *server)
{
    call->ctx = server;
    call->handler = (struct grpc_call_handler){.on_message = catalog_message};
    grpc_call_read(call);
}
