/* Gateway and nodes as separate groups of cores in one process, talking gRPC over loopback, over both real back ends. */
#include "unit/reactor/cores.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rpc/cluster.h"
#include "rpc/node.h"
#include "rpc/remote.h"
#include "rpc/service.h"

enum { MAX_NODES = 3, ROWS = 20000 };

struct host { /* a node with its own cores */
    char dir[64], name[16];
    struct reactor_group *group;
    struct node *node;
    uint16_t port;
};

struct world {
    enum reactor_io io;
    unsigned n_hosts;
    struct host hosts[MAX_NODES];
    struct reactor_group *gateway;
    sem_t done;
    int rc;
    struct error_info error;
    /* of the running call */
    struct host *host;
    struct remote_config config;
    char list[128];
    struct schema *schema;
    const char *name;
    struct batch batch;
    struct buffer bytes;
    struct cluster_ddl ddl;
    struct cluster_write write;
    struct cluster_query query;
    const struct program *program;
    bool check_first;
    uint64_t client, sequence, deadline_ns;
    uint64_t rows, batches, stop_after;
    int64_t sum;
    uint32_t n_stats;
    char where[80];
    bool hold;
};

static void finish(struct world *w, int rc)
{
    w->rc = rc;
    sem_post(&w->done);
}

static int call(struct world *w, struct reactor_group *g, unsigned core,
                void (*fn)(struct reactor *r, void *ctx))
{
    reactor_post(reactor_group_get(g, core), fn, w);
    while (sem_wait(&w->done))
        continue;
    return w->rc;
}

/* --- nodes --- */

static int start_core(struct reactor *r, void *ctx)
{
    struct error_info err;

    return node_start_core(((struct host *)ctx)->node, r, &err);
}

static void replay(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    finish(w, node_replay(w->host->node, r, &w->error));
}

static void serve(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    finish(w, rpc_server_start(r, w->host->node, "127.0.0.1", w->host->port, &w->host->port,
                               w->error.text, sizeof(w->error.text)));
}

static void boot_host(struct world *w, struct host *h)
{
    struct reactor_config rc = {.cores = 2, .memory = 1 << 30, .io = w->io};
    struct node_config nc = {.data_dir = h->dir,
                             .name = h->name,
                             .slots = 8,
                             .log_file_bytes = 1 << 20};

    w->host = h;
    h->group = cores_new(&rc);
    cr_assert_eq(node_new(&nc, h->group, &h->node, &w->error), 0, "%s", w->error.text);
    cr_assert_eq(reactor_group_start(h->group, start_core, h), 0);
    cr_assert_eq(call(w, h->group, 0, replay), 0, "%s", w->error.text);
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(call(w, h->group, i, serve), 0, "%s", w->error.text);
}

static void drained(void *ctx)
{
    finish(ctx, 0);
}

static void drain(struct reactor *r, void *ctx)
{
    rpc_server_drain(r, drained, ctx);
}

static void close_log(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    (void)r;
    node_close(w->host->node, drained, w);
}

static void halt_host(struct world *w, struct host *h)
{
    w->host = h;
    for (unsigned i = 0; i < 2; i++)
        call(w, h->group, i, drain);
    call(w, h->group, 0, close_log);
    reactor_group_stop(h->group, cores_exit, NULL);
    node_free(h->node);
    reactor_group_free(h->group);
    h->group = NULL;
}

/* All nodes of a cluster share the seed of the first. */
static void prepare_dirs(struct world *w, unsigned n)
{
    char command[256];

    w->n_hosts = n;
    for (unsigned i = 0; i < n; i++) {
        snprintf(w->hosts[i].name, sizeof(w->hosts[i].name), "n%u", i);
        snprintf(w->hosts[i].dir, sizeof(w->hosts[i].dir), "/tmp/quanta-remote-XXXXXX");
        cr_assert(mkdtemp(w->hosts[i].dir));
        if (!i)
            boot_host(w, &w->hosts[0]);
        else {
            snprintf(command, sizeof(command), "cp %s/quanta.meta %s/", w->hosts[0].dir,
                     w->hosts[i].dir);
            cr_assert_eq(system(command), 0);
            boot_host(w, &w->hosts[i]);
        }
    }
}

/* --- the gateway --- */

static void ready(void *ctx, int rc, const struct error_info *err)
{
    struct world *w = ctx;

    w->error = *err;
    finish(w, rc);
}

static void connect_cluster(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    int rc = remote_cluster_start(r, &w->config, ready, w, &w->error);
    if (rc)
        finish(w, rc);
}

static void disconnect_cluster(struct reactor *r, void *ctx)
{
    remote_cluster_stop(r, drained, ctx);
}

static void start_gateway(struct world *w)
{
    size_t n = 0;

    for (unsigned i = 0; i < w->n_hosts; i++)
        n += (size_t)snprintf(w->list + n, sizeof(w->list) - n, "%s127.0.0.1:%u", i ? "," : "",
                              w->hosts[i].port);
    w->config.nodes = w->list;
    w->config.user = "ada";
    w->gateway = cores_start(w->io, 1, 0);
}

static void boot(struct world *w, enum reactor_io io, unsigned n)
{
    memset(w, 0, sizeof(*w));
    w->io = io;
    sem_init(&w->done, 0, 0);
    buffer_init(&w->bytes, BATCH_MAX_BYTES);
    prepare_dirs(w, n);
    start_gateway(w);
    cr_assert_eq(call(w, w->gateway, 0, connect_cluster), 0, "%s", w->error.text);
}

static void halt(struct world *w)
{
    char command[128];

    call(w, w->gateway, 0, disconnect_cluster);
    cores_stop(w->gateway);
    for (unsigned i = 0; i < w->n_hosts; i++) {
        if (w->hosts[i].group)
            halt_host(w, &w->hosts[i]);
        snprintf(command, sizeof(command), "rm -rf %s", w->hosts[i].dir);
        cr_assert_eq(system(command), 0);
    }
    buffer_fini(&w->bytes);
    if (w->schema)
        schema_put(w->schema);
}

static void ddl_done(struct cluster_ddl *d)
{
    struct world *w = d->ctx;

    w->error = d->error;
    finish(w, d->rc);
}

static void run_create(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->ddl = (struct cluster_ddl){.kind = CLUSTER_CREATE_TABLE,
                                  .schema = w->schema,
                                  .done = ddl_done,
                                  .ctx = w};
    cluster_ddl_start(cluster_of(r), &w->ddl);
}

static void run_drop(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->ddl =
        (struct cluster_ddl){.kind = CLUSTER_DROP_TABLE, .name = "t", .done = ddl_done, .ctx = w};
    cluster_ddl_start(cluster_of(r), &w->ddl);
}

static void run_truncate(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->ddl = (struct cluster_ddl){.kind = CLUSTER_TRUNCATE_TABLE,
                                  .name = "t",
                                  .done = ddl_done,
                                  .ctx = w};
    cluster_ddl_start(cluster_of(r), &w->ddl);
}

/* The definition as this core's catalog has it. */
static void run_find(struct reactor *r, void *ctx)
{
    struct world *w = ctx;
    struct catalog *c = cluster_catalog(cluster_of(r));
    struct schema *s = catalog_find(c, "t", 1);

    if (w->schema)
        schema_put(w->schema);
    w->schema = s ? schema_get(s) : NULL;
    catalog_put(c);
    finish(w, s ? 0 : -1);
}

static struct schema *make_schema(bool keyed)
{
    struct schema *s = schema_new("t");
    struct error_info err;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "kind", COLUMN_STRING, MAPPING_STRING_ENUM);
    if (keyed)
        s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    return s;
}

/* Creates the table and finds it at once, as the next statement of a connection would. */
static void create(struct world *w, bool keyed)
{
    w->schema = make_schema(keyed);
    cr_assert_eq(call(w, w->gateway, 0, run_create), 0, "%s", w->error.text);
    cr_assert_eq(call(w, w->gateway, 0, run_find), 0, "the table is not known after its creation");
}

static void write_done(struct cluster_write *cw)
{
    struct world *w = cw->ctx;

    w->error = cw->error;
    finish(w, cw->rc);
}

static void run_write(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->write = (struct cluster_write){.schema = w->schema,
                                      .batch = w->batch,
                                      .check_first = w->check_first,
                                      .client_id = w->client,
                                      .sequence = w->sequence,
                                      .done = write_done,
                                      .ctx = w};
    cluster_write_start(cluster_of(r), &w->write);
}

static void make_rows(struct world *w, enum batch_op op, int64_t from, int64_t to)
{
    struct batch_builder *b = batch_builder_new(NULL);
    char kind[16];

    batch_builder_add_column(b, w->schema->columns[0].id, BATCH_I64, 0);
    batch_builder_add_column(b, w->schema->columns[1].id, BATCH_BYTES, 0);
    for (int64_t i = from; i < to; i++) {
        batch_builder_put_i64(b, 0, i);
        snprintf(kind, sizeof(kind), "k%ld", (long)(i % 7));
        batch_builder_put_bytes(b, 1, kind, (uint32_t)strlen(kind));
        batch_builder_end_row(b);
    }
    w->bytes.len = 0;
    cr_assert_eq(batch_builder_finish(b, op, w->schema->table_id, BATCH_SLOT_ANY, &w->bytes), 0);
    batch_builder_free(b);
    cr_assert_eq(batch_open(w->bytes.data, w->bytes.len, &w->batch, &w->error), 0);
}

static int write_rows(struct world *w, enum batch_op op, int64_t from, int64_t to)
{
    make_rows(w, op, from, to);
    return call(w, w->gateway, 0, run_write);
}

static void query_closed(struct cluster_query *q)
{
    struct world *w = q->ctx;

    finish(w, q->state == CLUSTER_ERROR ? -1 : 0);
}

static void query_next(struct cluster_query *q)
{
    struct world *w = q->ctx;
    struct batch_column c;

    if (q->state != CLUSTER_BATCH || (w->stop_after && w->batches >= w->stop_after)) {
        if (q->state == CLUSTER_ERROR)
            w->error = q->error;
        w->n_stats = q->state == CLUSTER_END ? q->n_stats : 0;
        if (w->n_stats)
            snprintf(w->where, sizeof(w->where), "%s", q->stats[0].where);
        cluster_query_close(q);
        return;
    }
    w->batches++;
    batch_column_at(&q->batch, 0, &c);
    for (uint32_t i = 0; i < q->batch.rows; i++, w->rows++)
        w->sum += c.kind == BATCH_I64 ? batch_i64(&c, i) : 0;
    if (w->hold) {
        w->hold = false;
        finish(w, 0);
    } else {
        cluster_query_next(q);
    }
}

static void run_query(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->rows = w->batches = 0;
    w->sum = 0;
    w->query = (struct cluster_query){.program = w->program,
                                      .schema = w->schema,
                                      .deadline_ns =
                                          w->deadline_ns ? reactor_now_ns(r) + w->deadline_ns : 0,
                                      .on_next = query_next,
                                      .on_closed = query_closed,
                                      .ctx = w};
    cluster_query_start(cluster_of(r), &w->query);
    cluster_query_next(&w->query);
}

static void read_on(struct reactor *r, void *ctx)
{
    (void)r;
    cluster_query_next(&((struct world *)ctx)->query);
}

static int query(struct world *w, const struct program *p)
{
    w->program = p;
    return call(w, w->gateway, 0, run_query);
}

static int64_t count_rows(struct world *w)
{
    static const struct aggregate count = {AGGREGATE_COUNT_ROWS, 0};
    struct program p = {.table_id = w->schema->table_id,
                        .output = OUTPUT_GROUPS,
                        .n_aggregates = 1,
                        .aggregates = &count,
                        .memory = 1 << 20};

    cr_assert_eq(query(w, &p), 0, "%s", w->error.text);
    return w->sum;
}

static const uint16_t id_column[] = {0, 1};

static struct program all_ids(struct world *w, uint64_t limit)
{
    return (struct program){.table_id = w->schema->table_id,
                            .output = OUTPUT_ROWS,
                            .n_columns = 1,
                            .columns = id_column,
                            .limit = limit,
                            .memory = 1 << 20};
}

/* One test per real back end for a scenario `static void name(enum reactor_io io)`. */
#define REAL_BACK_ENDS(name)    \
    Test(remote, name##_uring)  \
    {                           \
        name(REACTOR_IO_URING); \
    }                           \
    Test(remote, name##_epoll)  \
    {                           \
        name(REACTOR_IO_EPOLL); \
    }

static void check_all(struct world *w)
{
    static const struct program_order descending = {0, true};
    static const uint16_t by_kind[] = {1};
    static const struct aggregate aggregates[] = {{AGGREGATE_COUNT_ROWS, 0}, {AGGREGATE_SUM, 0}};
    static const int64_t wanted[] = {5, 6, 7, 19999, 100000};
    const struct predicate in = {.kind = PREDICATE_INTS, .column = 0, .n = 5, .ints = wanted};
    struct program p;

    create(w, true);
    for (int64_t i = 0; i < ROWS; i += 5000) {
        cr_assert_eq(write_rows(w, BATCH_INSERT, i, i + 5000), 0, "%s", w->error.text);
        cr_assert_eq(w->write.result.inserted, 5000);
    }
    cr_assert_eq(count_rows(w), ROWS);
    p = all_ids(w, UINT64_MAX);
    cr_assert_eq(query(w, &p), 0, "%s", w->error.text);
    cr_assert_eq(w->rows, ROWS);
    cr_assert_eq(w->sum, (int64_t)ROWS * (ROWS - 1) / 2);
    p = all_ids(w, 777);
    p.analyze = true;
    cr_assert_eq(query(w, &p), 0, "%s", w->error.text);
    cr_assert_eq(w->rows, 777);
    cr_assert_eq(w->n_stats, 2 * w->n_hosts);
    cr_assert_str_eq(w->where, "n0 core 0");
    p = all_ids(w, 10);
    p.n_order = 1;
    p.order = &descending;
    cr_assert_eq(query(w, &p), 0, "%s", w->error.text);
    cr_assert_eq(w->sum, 10 * (ROWS - 1) - 45);
    p = all_ids(w, UINT64_MAX);
    p.where = &in;
    cr_assert_eq(query(w, &p), 0, "%s", w->error.text);
    cr_assert_eq(w->sum, 5 + 6 + 7 + 19999, "sum %ld of %lu rows", (long)w->sum,
                 (unsigned long)w->rows);
    p = (struct program){.table_id = w->schema->table_id,
                         .output = OUTPUT_GROUPS,
                         .n_columns = 1,
                         .columns = by_kind,
                         .n_aggregates = 2,
                         .aggregates = aggregates,
                         .memory = 1 << 20};
    cr_assert_eq(query(w, &p), 0, "%s", w->error.text);
    cr_assert_eq(w->rows, 7, "%lu groups", (unsigned long)w->rows);
    cr_assert_eq(write_rows(w, BATCH_INSERT, 10, 12), 0);
    cr_assert_eq(w->write.result.rejected, 2);
    cr_assert_eq(w->write.result.n_errors, 2);
    cr_assert_eq(w->write.result.errors[0].info.code, 1062);
    cr_assert_eq(w->write.result.errors[0].row + w->write.result.errors[1].row, 1);
    cr_assert_eq(write_rows(w, BATCH_UPSERT, ROWS - 50, ROWS + 50), 0);
    cr_assert(w->write.result.inserted == 50 &&
              w->write.result.updated + w->write.result.unchanged == 50);
    cr_assert_eq(count_rows(w), ROWS + 50);
}

static void one_node(enum reactor_io io)
{
    struct world w;

    boot(&w, io, 1);
    check_all(&w);
    halt(&w);
}
REAL_BACK_ENDS(one_node)

static void three_nodes(enum reactor_io io)
{
    struct world w;

    boot(&w, io, 3);
    check_all(&w);
    halt(&w);
}
REAL_BACK_ENDS(three_nodes)

static void definitions(enum reactor_io io)
{
    struct world w;
    struct schema *old;

    boot(&w, io, 2);
    create(&w, true);
    cr_assert_eq(call(&w, w.gateway, 0, run_create), -EEXIST, "%s", w.error.text);
    cr_assert_eq(w.error.code, 1050);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 1000), 0, "%s", w.error.text);
    cr_assert_eq(call(&w, w.gateway, 0, run_truncate), 0, "%s", w.error.text);
    cr_assert_eq(count_rows(&w), 0);
    cr_assert_eq(call(&w, w.gateway, 0, run_drop), 0, "%s", w.error.text);
    old = schema_get(w.schema);
    cr_assert_eq(call(&w, w.gateway, 0, run_find), -1);
    cr_assert_eq(call(&w, w.gateway, 0, run_drop), -ENOENT, "%s", w.error.text);
    cr_assert_eq(w.error.code, 1051);
    /* what was planned with the old definition is refused */
    w.schema = old;
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 10), -ESTALE);
    cr_assert_eq(w.error.code, 1412);
    struct program p = all_ids(&w, 1);
    cr_assert_eq(query(&w, &p), -1);
    cr_assert_eq(w.error.code, 1412);
    halt(&w);
}
REAL_BACK_ENDS(definitions)

/* The node knows a newer definition than the gateway: an error first, and the catalog is fetched. */
static void changed_behind(enum reactor_io io)
{
    struct world w;
    struct program p;
    int tries = 0;

    boot(&w, io, 1);
    create(&w, true);
    cr_assert_eq(call(&w, w.hosts[0].group, 1, run_drop), 0, "%s", w.error.text);
    p = all_ids(&w, 1);
    cr_assert_eq(query(&w, &p), -1);
    cr_assert_eq(w.error.code, 1412, "%d %s", w.error.code, w.error.text);
    while (call(&w, w.gateway, 0, run_find) == 0 && tries++ < 10000)
        usleep(20000);
    cr_assert_lt(tries, 10000);
    halt(&w);
}
REAL_BACK_ENDS(changed_behind)

static void hidden_keys(enum reactor_io io)
{
    struct world w;

    boot(&w, io, 2);
    create(&w, false);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 1000), 0, "%s", w.error.text);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 1000), 0, "%s", w.error.text);
    cr_assert_eq(count_rows(&w), 2000);
    halt(&w);
}
REAL_BACK_ENDS(hidden_keys)

static void repeated_batches(enum reactor_io io)
{
    struct world w;

    boot(&w, io, 2);
    create(&w, true);
    w.client = 7;
    w.sequence = 1;
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 100), 0, "%s", w.error.text);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 100), 0, "%s", w.error.text);
    cr_assert(w.write.result.inserted == 100 && w.write.result.rejected == 0);
    cr_assert_eq(count_rows(&w), 100);
    halt(&w);
}
REAL_BACK_ENDS(repeated_batches)

/* An INSERT of which one row exists at one node writes nothing at any. */
static void checked_inserts(enum reactor_io io)
{
    struct world w;

    boot(&w, io, 3);
    create(&w, true);
    w.check_first = true;
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 100), 0, "%s", w.error.text);
    cr_assert_eq(w.write.result.inserted, 100);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 99, 199), 0, "%s", w.error.text);
    cr_assert_eq(w.write.result.rejected, 100);
    cr_assert_eq(w.write.result.n_errors, 1);
    cr_assert_eq(w.write.result.errors[0].row, 0);
    cr_assert_eq(w.write.result.errors[0].info.code, 1062);
    cr_assert_eq(count_rows(&w), 100);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 100, 200), 0, "%s", w.error.text);
    cr_assert_eq(w.write.result.inserted, 100);
    halt(&w);
}
REAL_BACK_ENDS(checked_inserts)

/* A node goes and comes back: the query under way fails with its name, a write waits and is applied once. */
static void node_restarts(enum reactor_io io)
{
    struct world w;
    struct program p;

    boot(&w, io, 2);
    create(&w, true);
    for (int64_t i = 0; i < 600000; i += 100000)
        cr_assert_eq(write_rows(&w, BATCH_INSERT, i, i + 100000), 0, "%s", w.error.text);
    p = all_ids(&w, UINT64_MAX);
    p.n_columns = 2; /* more than fits into windows and queues */
    w.program = &p;
    w.hold = true;
    call(&w, w.gateway, 0, run_query);
    halt_host(&w, &w.hosts[1]);
    cr_assert_eq(call(&w, w.gateway, 0, read_on), -1);
    cr_assert(strstr(w.error.text, "node n1 "), "%s", w.error.text);
    cr_assert_eq(query(&w, &p), -1);
    cr_assert(strstr(w.error.text, "node n1 ") && strstr(w.error.text, "cannot be reached"), "%s",
              w.error.text);
    make_rows(&w, BATCH_INSERT, 600000, 601000);
    reactor_post(reactor_group_get(w.gateway, 0), run_write, &w);
    usleep(300000);
    /* The write's answer must not be taken for that of the start. */
    struct world other = {.io = io};
    sem_init(&other.done, 0, 0);
    boot_host(&other, &w.hosts[1]);
    while (sem_wait(&w.done))
        continue;
    cr_assert_eq(w.rc, 0, "%s", w.error.text);
    cr_assert_eq(w.write.result.inserted, 1000);
    cr_assert_eq(count_rows(&w), 601000);
    halt(&w);
}
REAL_BACK_ENDS(node_restarts)

static void unreachable(enum reactor_io io)
{
    struct world w;

    boot(&w, io, 1);
    call(&w, w.gateway, 0, disconnect_cluster);
    w.config.ready_timeout_ns = 3000000000;
    snprintf(w.list, sizeof(w.list), "127.0.0.1:%u,127.0.0.1:1", w.hosts[0].port);
    cr_assert_eq(call(&w, w.gateway, 0, connect_cluster), -ETIMEDOUT);
    cr_assert_str_eq(w.error.text, "node 127.0.0.1:1 cannot be reached: Connection refused");
    call(&w, w.gateway, 0, disconnect_cluster);
    snprintf(w.list, sizeof(w.list), "127.0.0.1");
    cr_assert_eq(call(&w, w.gateway, 0, connect_cluster), -EINVAL);
    cr_assert_str_eq(w.error.text,
                     "node '127.0.0.1'; allowed is HOST:PORT, several separated by commas");
    w.config.ready_timeout_ns = 0;
    snprintf(w.list, sizeof(w.list), "127.0.0.1:%u", w.hosts[0].port);
    cr_assert_eq(call(&w, w.gateway, 0, connect_cluster), 0, "%s", w.error.text);
    halt(&w);
}
REAL_BACK_ENDS(unreachable)

/* A reader that stops holds the scan back, and others are served meanwhile. */
static void slow_reader(enum reactor_io io)
{
    struct world w, other;
    struct program p;

    boot(&w, io, 1);
    create(&w, true);
    for (int64_t i = 0; i < 1000000; i += 100000)
        cr_assert_eq(write_rows(&w, BATCH_INSERT, i, i + 100000), 0, "%s", w.error.text);
    p = all_ids(&w, UINT64_MAX);
    w.program = &p;
    w.hold = true;
    call(&w, w.gateway, 0, run_query);
    usleep(200000);
    memset(&other, 0, sizeof(other));
    other.io = io;
    other.gateway = w.gateway;
    other.schema = w.schema;
    sem_init(&other.done, 0, 0);
    cr_assert_eq(count_rows(&other), 1000000);
    cr_assert_eq(call(&w, w.gateway, 0, read_on), 0, "%s", w.error.text);
    cr_assert_eq(w.rows, 1000000);
    cr_assert_eq(w.sum, 1000000LL * 999999 / 2);
    w.stop_after = 3;
    cr_assert_eq(query(&w, &p), 0, "%s", w.error.text);
    w.stop_after = 0;
    cr_assert_eq(count_rows(&w), 1000000);
    halt(&w);
}
REAL_BACK_ENDS(slow_reader)

static void deadline(enum reactor_io io)
{
    struct world w;
    struct program p;

    boot(&w, io, 1);
    create(&w, true);
    for (int64_t i = 0; i < 300000; i += 100000)
        cr_assert_eq(write_rows(&w, BATCH_INSERT, i, i + 100000), 0, "%s", w.error.text);
    p = all_ids(&w, UINT64_MAX);
    w.deadline_ns = 1000;
    cr_assert_eq(query(&w, &p), -1);
    cr_assert_eq(w.error.code, 3024, "%d %s", w.error.code, w.error.text);
    w.deadline_ns = 1000000000000;
    cr_assert_eq(query(&w, &p), 0, "%s", w.error.text);
    cr_assert_eq(w.rows, 300000);
    halt(&w);
}
REAL_BACK_ENDS(deadline)
