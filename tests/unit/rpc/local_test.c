/* The cluster over the cores of one process: definitions, writes, queries, replay after a restart. */
#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/reactor.h"
#include "rpc/cluster.h"
#include "rpc/node.h"

struct world {
    char dir[64];
    struct reactor_group *group;
    struct node *node;
    sem_t done;
    int rc;
    struct error_info error;
    uint64_t count; /* of the last query */
    uint64_t rows;
    int64_t sum;
    /* arguments of the running call */
    struct schema *schema;
    const char *name;
    struct batch batch;
    struct buffer bytes;
    bool check_first;
    struct write_result result;
    const struct program *program;
    struct cluster_query query;
    struct cluster_write write;
    struct cluster_ddl ddl;
    bool close_early;
    uint64_t client, sequence;
};

static void finish(struct world *w, int rc)
{
    w->rc = rc;
    sem_post(&w->done);
}

static int call(struct world *w, unsigned core, void (*fn)(struct reactor *r, void *ctx))
{
    reactor_post(reactor_group_get(w->group, core), fn, w);
    while (sem_wait(&w->done))
        continue;
    return w->rc;
}

static int start_core(struct reactor *r, void *ctx)
{
    struct error_info err;

    return node_start_core(((struct world *)ctx)->node, r, &err);
}

static void replay(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    finish(w, node_replay(w->node, r, &w->error));
}

static void boot(struct world *w, unsigned cores)
{
    struct reactor_config rc = {.cores = cores, .memory = 1 << 30};
    struct node_config nc = {.data_dir = w->dir,
                             .name = "n1",
                             .slots = 8,
                             .log_file_bytes = 1 << 20};
    char err[300];

    cr_assert_eq(reactor_group_new(&rc, &w->group, err, sizeof(err)), 0, "%s", err);
    cr_assert_eq(node_new(&nc, w->group, &w->node, &w->error), 0, "%s", w->error.text);
    cr_assert_eq(reactor_group_start(w->group, start_core, w), 0);
    cr_assert_eq(call(w, 0, replay), 0, "%s", w->error.text);
}

static void log_closed(void *ctx)
{
    finish(ctx, 0);
}

static void close_log(struct reactor *r, void *ctx)
{
    (void)r;
    node_close(((struct world *)ctx)->node, log_closed, ctx);
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static void halt(struct world *w)
{
    call(w, 0, close_log);
    reactor_group_stop(w->group, exit_core, w);
    node_free(w->node);
    reactor_group_free(w->group);
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    snprintf(w->dir, sizeof(w->dir), "/tmp/quanta-local-XXXXXX");
    cr_assert(mkdtemp(w->dir));
    sem_init(&w->done, 0, 0);
    buffer_init(&w->bytes, BATCH_MAX_BYTES);
}

static void world_fini(struct world *w)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", w->dir);
    cr_assert_eq(system(command), 0);
    buffer_fini(&w->bytes);
    if (w->schema)
        schema_put(w->schema);
}

static struct schema *make_schema(const char *name)
{
    struct schema *s = schema_new(name);
    struct error_info err;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "kind", COLUMN_STRING, MAPPING_STRING_ENUM);
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    return s;
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

    w->ddl = (struct cluster_ddl){.kind = CLUSTER_DROP_TABLE,
                                  .name = w->name,
                                  .done = ddl_done,
                                  .ctx = w};
    cluster_ddl_start(cluster_of(r), &w->ddl);
}

static void run_truncate(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->ddl = (struct cluster_ddl){.kind = CLUSTER_TRUNCATE_TABLE,
                                  .name = w->name,
                                  .done = ddl_done,
                                  .ctx = w};
    cluster_ddl_start(cluster_of(r), &w->ddl);
}

/* The schema as the catalog knows it (after a restart it is another object). */
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

static void write_done(struct cluster_write *cw)
{
    struct world *w = cw->ctx;

    w->result = cw->result;
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

static int write_rows(struct world *w, enum batch_op op, int64_t from, int64_t to)
{
    struct batch_builder *b = batch_builder_new(NULL);
    char kind[16];

    batch_builder_add_column(b, w->schema->columns[0].id, BATCH_I64, 0);
    if (op != BATCH_DELETE)
        batch_builder_add_column(b, w->schema->columns[1].id, BATCH_BYTES, 0);
    for (int64_t i = from; i < to; i++) {
        batch_builder_put_i64(b, 0, i);
        snprintf(kind, sizeof(kind), "k%ld", (long)(i % 7));
        if (op != BATCH_DELETE)
            batch_builder_put_bytes(b, 1, kind, (uint32_t)strlen(kind));
        batch_builder_end_row(b);
    }
    w->bytes.len = 0;
    cr_assert_eq(batch_builder_finish(b, op, w->schema->table_id, BATCH_SLOT_ANY, &w->bytes), 0);
    batch_builder_free(b);
    cr_assert_eq(batch_open(w->bytes.data, w->bytes.len, &w->batch, &w->error), 0);
    return call(w, 1 % reactor_group_count(w->group), run_write);
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

    if (q->state != CLUSTER_BATCH || w->close_early) {
        w->error = q->error;
        cluster_query_close(q);
        return;
    }
    batch_column_at(&q->batch, 0, &c);
    for (uint32_t i = 0; i < q->batch.rows; i++, w->rows++)
        w->sum += batch_i64(&c, i);
    cluster_query_next(q);
}

static void run_query(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->rows = 0;
    w->sum = 0;
    w->query = (struct cluster_query){.program = w->program,
                                      .schema = w->schema,
                                      .on_next = query_next,
                                      .on_closed = query_closed,
                                      .ctx = w};
    cluster_query_start(cluster_of(r), &w->query);
    cluster_query_next(&w->query);
}

static int64_t count_rows(struct world *w)
{
    static const struct aggregate count = {AGGREGATE_COUNT_ROWS, 0};
    struct program p = {.table_id = w->schema->table_id,
                        .output = OUTPUT_GROUPS,
                        .n_aggregates = 1,
                        .aggregates = &count,
                        .memory = 1 << 20};

    w->program = &p;
    cr_assert_eq(call(w, 0, run_query), 0, "%s", w->error.text);
    return w->sum;
}

static int64_t sum_ids(struct world *w, uint64_t limit)
{
    static const uint16_t columns[] = {0};
    struct program p = {.table_id = w->schema->table_id,
                        .output = OUTPUT_ROWS,
                        .n_columns = 1,
                        .columns = columns,
                        .limit = limit,
                        .memory = 1 << 20};

    w->program = &p;
    cr_assert_eq(call(w, 1 % reactor_group_count(w->group), run_query), 0, "%s", w->error.text);
    return w->sum;
}

static void create(struct world *w)
{
    w->schema = make_schema("t");
    cr_assert_eq(call(w, 0, run_create), 0, "%s", w->error.text);
}

Test(local, writes_queries_and_restarts_with_another_number_of_cores)
{
    struct world w;
    int64_t n = 20000;

    world_init(&w);
    boot(&w, 2);
    create(&w);
    for (int64_t i = 0; i < n; i += 5000)
        cr_assert_eq(write_rows(&w, BATCH_INSERT, i, i + 5000), 0, "%s", w.error.text);
    cr_assert_eq(w.result.inserted, 5000);
    cr_assert_eq(count_rows(&w), n);
    cr_assert_eq(sum_ids(&w, UINT64_MAX), n * (n - 1) / 2);
    cr_assert_eq(w.rows, (uint64_t)n);
    sum_ids(&w, 777);
    cr_assert_eq(w.rows, 777);
    cr_assert_eq(write_rows(&w, BATCH_DELETE, 100, 300), 0);
    cr_assert_eq(w.result.deleted, 200);
    cr_assert_eq(write_rows(&w, BATCH_UPSERT, 250, 350), 0);
    cr_assert_eq(w.result.inserted, 50);
    cr_assert_eq(w.result.updated, 50);
    halt(&w);
    for (unsigned cores = 1; cores <= 3; cores++) {
        boot(&w, cores);
        cr_assert_eq(call(&w, 0, run_find), 0);
        cr_assert_eq(count_rows(&w), n - 150);
        halt(&w);
    }
    world_fini(&w);
}

Test(local, an_insert_with_one_duplicate_writes_nothing_when_checked_first)
{
    struct world w;

    world_init(&w);
    boot(&w, 2);
    create(&w);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 100), 0);
    w.check_first = true;
    write_rows(&w, BATCH_INSERT, 99, 199);
    cr_assert_geq(w.result.n_errors, 1);
    cr_assert_eq(w.result.errors[0].info.code, 1062);
    cr_assert_eq(w.result.errors[0].row, 0);
    cr_assert_eq(count_rows(&w), 100);
    halt(&w);
    world_fini(&w);
}

Test(local, a_repeated_sequence_is_answered_and_not_applied_again)
{
    struct world w;

    world_init(&w);
    boot(&w, 2);
    create(&w);
    w.client = 7;
    w.sequence = 1;
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 100), 0);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 100), 0);
    cr_assert_eq(w.result.inserted, 100, "the first answer again");
    halt(&w);
    boot(&w, 2);
    cr_assert_eq(call(&w, 0, run_find), 0);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 100), 0);
    cr_assert_eq(w.result.inserted, 100, "also after a restart");
    cr_assert_eq(w.result.rejected, 0);
    cr_assert_eq(count_rows(&w), 100);
    halt(&w);
    world_fini(&w);
}

Test(local, truncate_and_drop_survive_a_restart)
{
    struct world w;

    world_init(&w);
    boot(&w, 2);
    create(&w);
    cr_assert_neq(call(&w, 1, run_create), 0);
    cr_assert_eq(w.error.code, 1050);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 1000), 0);
    w.name = "t";
    cr_assert_eq(call(&w, 1, run_truncate), 0, "%s", w.error.text);
    cr_assert_eq(count_rows(&w), 0);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 5, 10), 0);
    halt(&w);
    boot(&w, 3);
    cr_assert_eq(call(&w, 0, run_find), 0);
    cr_assert_eq(count_rows(&w), 5);
    cr_assert_eq(call(&w, 2, run_drop), 0, "%s", w.error.text);
    cr_assert_neq(write_rows(&w, BATCH_INSERT, 0, 1), 0);
    cr_assert_eq(w.error.code, 1412);
    halt(&w);
    boot(&w, 2);
    cr_assert_neq(call(&w, 0, run_find), 0);
    halt(&w);
    world_fini(&w);
}

Test(local, a_query_can_be_closed_in_the_middle)
{
    struct world w;

    world_init(&w);
    boot(&w, 2);
    create(&w);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 10000), 0);
    w.close_early = true;
    sum_ids(&w, UINT64_MAX);
    w.close_early = false;
    cr_assert_eq(count_rows(&w), 10000);
    halt(&w);
    world_fini(&w);
}
