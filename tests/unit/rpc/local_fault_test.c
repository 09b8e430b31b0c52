/* The cluster over the cores of one process when the disk is full or memory ends: memory and log must stay the same. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/budget.h"
#include "reactor/io.h"
#include "reactor/io_sim.h"
#include "reactor/log.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"
#include "rpc/cluster.h"
#include "rpc/node.h"
#include "unit/fail_alloc.h"

enum {
    STEPS = 5000000,
    CORES = 2,
    STATS_ALLOCATIONS =
        5 /* the question, the operation of its figures, their set, a list per core */
};

struct world {
    char dir[64];
    unsigned slots;
    struct sim *sim;
    struct sim_disk *disk;
    struct reactor_group *group;
    struct node *node;
    struct error_info error;
    bool done;
    int rc;
    struct schema *schema;
    struct buffer bytes;
    struct cluster_write write;
    struct cluster_ddl ddl;
    struct cluster_query query;
    const struct program *program;
    const char *name;
    uint64_t sum;
    int64_t max;
    struct timer timer;
    uint64_t rows;
    uint64_t client, sequence;
    struct fail_alloc fail;
    bool fail_at_end; /* the first allocation of node_close */
};

static bool is_done(void *ctx)
{
    return ((struct world *)ctx)->done;
}

static void finish(struct world *w, int rc)
{
    w->rc = rc;
    w->done = true;
}

static int call(struct world *w, unsigned core, void (*fn)(struct reactor *r, void *ctx))
{
    w->done = false;
    reactor_post(reactor_group_get(w->group, core), fn, w);
    cr_assert_eq(reactor_sim_run(w->group, is_done, w, STEPS), 0);
    return w->rc;
}

static int start_core(struct reactor *r, void *ctx)
{
    struct world *w = ctx;
    struct error_info err;

    if (reactor_core(r) == 0) {
        (void)file_mkdir(r, w->dir);
        cr_assert_eq(file_sync_dir(r, w->dir), 0);
    }
    return node_start_core(w->node, r, &err);
}

static void replay(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    finish(w, node_replay(w->node, r, &w->error));
}

static int boot(struct world *w)
{
    struct reactor_config rc = {.cores = CORES,
                                .io = REACTOR_IO_SIM,
                                .memory = 1 << 28,
                                .sim_seed = 3,
                                .sim = w->sim,
                                .sim_disk = w->disk};
    struct node_config nc = {.data_dir = w->dir,
                             .name = "n1",
                             .slots = w->slots,
                             .log_file_bytes = 1 << 16};
    char err[300];

    cr_assert_eq(reactor_group_new(&rc, &w->group, err, sizeof err), 0, "%s", err);
    cr_assert_eq(node_new(&nc, w->group, &w->node, &w->error), 0, "%s", w->error.text);
    cr_assert_eq(reactor_group_start(w->group, start_core, w), 0);
    return call(w, 0, replay);
}

/* Leaves every core so many bytes; 0 = no limit. */
static void set_room(struct world *w, uint64_t bytes)
{
    for (unsigned i = 0; i < CORES; i++) {
        struct budget *b = reactor_budget(reactor_group_get(w->group, i));
        b->limit = bytes ? b->used + bytes : 0;
    }
}

static void timer_fired(struct timer *t)
{
    finish((struct world *)((char *)t - offsetof(struct world, timer)), 0);
}

static void run_sleep(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->timer.fire = timer_fired;
    timer_arm(r, &w->timer, 3000000000);
}

static void log_closed(void *ctx)
{
    finish(ctx, 0);
}

static void close_log(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    (void)r;
    if (w->fail_at_end)
        fail_alloc_arm(&w->fail);
    node_close(w->node, log_closed, w);
    fail_alloc_disarm(&w->fail);
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
    memset(w, 0, sizeof *w);
    log_level = LOG_ERROR;
    w->slots = 8;
    w->sim = sim_new(11);
    w->disk = sim_disk_new(w->sim, 0);
    snprintf(w->dir, sizeof w->dir, "/tmp/quanta-fault-XXXXXX");
    cr_assert(mkdtemp(w->dir));
    buffer_init(&w->bytes, BATCH_MAX_BYTES);
}

static void world_fini(struct world *w)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", w->dir);
    cr_assert_eq(system(command), 0);
    buffer_fini(&w->bytes);
    if (w->schema)
        schema_put(w->schema);
    sim_disk_free(w->disk);
    sim_free(w->sim);
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

static void run_truncate(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->ddl = (struct cluster_ddl){.kind = CLUSTER_TRUNCATE_TABLE,
                                  .name = w->name,
                                  .done = ddl_done,
                                  .ctx = w};
    cluster_ddl_start(cluster_of(r), &w->ddl);
}

static void run_find(struct reactor *r, void *ctx)
{
    struct world *w = ctx;
    struct catalog *c = cluster_catalog(cluster_of(r));
    struct schema *s = catalog_find(c, w->name, strlen(w->name));

    if (w->schema)
        schema_put(w->schema);
    w->schema = s ? schema_get(s) : NULL;
    catalog_put(c);
    finish(w, s ? 0 : -ENOENT);
}

static int create(struct world *w, const char *name, bool key, unsigned more)
{
    struct error_info err;
    char column[32];

    if (w->schema)
        schema_put(w->schema);
    w->schema = schema_new(name);
    schema_add_column(w->schema, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(w->schema, "v", COLUMN_INT, MAPPING_INT_BSI);
    for (unsigned i = 0; i < more; i++) {
        snprintf(column, sizeof column, "s%u", i);
        schema_add_column(w->schema, column, COLUMN_STRING, MAPPING_STRING_ENUM);
    }
    if (key)
        w->schema->primary_key = strdup("id");
    cr_assert_eq(schema_finish(w->schema, &err), 0, "%s", err.text);
    return call(w, 1, run_create);
}

static void find(struct world *w, const char *name)
{
    w->name = name;
    cr_assert_eq(call(w, 0, run_find), 0);
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
    struct batch b;

    cr_assert_eq(batch_open(w->bytes.data, w->bytes.len, &b, &w->error), 0);
    w->write = (struct cluster_write){.schema = w->schema,
                                      .batch = b,
                                      .client_id = w->client,
                                      .sequence = w->sequence,
                                      .done = write_done,
                                      .ctx = w};
    cluster_write_start(cluster_of(r), &w->write);
}

/* Columns id and v; a text of text_bytes in the third when it is not 0. */
static int write_rows(struct world *w, enum batch_op op, int64_t from, int64_t to, int64_t v,
                      uint32_t text_bytes)
{
    struct batch_builder *b = batch_builder_new(NULL);
    char *text = calloc(1, text_bytes + 1);

    batch_builder_add_column(b, w->schema->columns[0].id, BATCH_I64, 0);
    batch_builder_add_column(b, w->schema->columns[1].id, BATCH_I64, 0);
    if (text_bytes)
        batch_builder_add_column(b, w->schema->columns[2].id, BATCH_BYTES, 0);
    for (int64_t i = from; i < to; i++) {
        batch_builder_put_i64(b, 0, i);
        batch_builder_put_i64(b, 1, v);
        if (text_bytes) {
            memcpy(text, &i, sizeof i < text_bytes ? sizeof i : text_bytes);
            batch_builder_put_bytes(b, 2, text, text_bytes);
        }
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    w->bytes.len = 0;
    cr_assert_eq(batch_builder_finish(b, op, w->schema->table_id, BATCH_SLOT_ANY, &w->bytes), 0);
    batch_builder_free(b);
    free(text);
    return call(w, 1, run_write);
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

    if (q->state != CLUSTER_BATCH) {
        w->error = q->error;
        cluster_query_close(q);
        return;
    }
    batch_column_at(&q->batch, 0, &c);
    for (uint32_t i = 0; i < q->batch.rows; i++, w->rows++) {
        int64_t v = batch_i64(&c, i);
        w->sum += (uint64_t)v;
        w->max = v > w->max ? v : w->max;
    }
    cluster_query_next(q);
}

static void run_query(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    w->rows = 0;
    w->sum = 0;
    w->max = INT64_MIN;
    w->query = (struct cluster_query){.program = w->program,
                                      .schema = w->schema,
                                      .on_next = query_next,
                                      .on_closed = query_closed,
                                      .ctx = w};
    cluster_query_start(cluster_of(r), &w->query);
    cluster_query_next(&w->query);
}

/* Rows, and sum and maximum of a column. */
static void read_column(struct world *w, uint16_t column)
{
    struct program p = {.table_id = w->schema->table_id,
                        .output = OUTPUT_ROWS,
                        .n_columns = 1,
                        .columns = &column,
                        .limit = UINT64_MAX,
                        .memory = 1 << 20};

    w->program = &p;
    cr_assert_eq(call(w, 0, run_query), 0, "%s", w->error.text);
}

/* What a full disk did not take is seen, so it must come to the log before anything that builds on it. */
Test(local_fault, a_full_disk_leaves_log_and_memory_the_same)
{
    struct world w;
    int64_t n = 0, filled;

    world_init(&w);
    cr_assert_eq(boot(&w), 0, "%s", w.error.text);
    cr_assert_eq(create(&w, "t", true, 0), 0, "%s", w.error.text);
    sim_set_faults(w.sim, &(struct sim_faults){.enospc = 1000000});
    w.client = 5;
    while (w.sequence++, !write_rows(&w, BATCH_INSERT, n, n + 100, 1, 0))
        n += 100;
    cr_assert_eq(w.rc, -ENOSPC);
    filled = n;
    read_column(&w, 1);
    int64_t seen = (int64_t)w.rows;
    cr_assert_gt(seen, n, "rows of the last batch are in memory");
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 1000000, 1000001, 1, 0), -ENOSPC, "refused");
    w.name = "t";
    cr_assert_neq(call(&w, 1, run_truncate), 0, "refused, too");
    read_column(&w, 1);
    cr_assert_eq((int64_t)w.rows, seen);
    sim_set_faults(w.sim, &(struct sim_faults){0});
    w.client = 0;
    call(&w, 0, run_sleep);
    cr_assert_eq(write_rows(&w, BATCH_UPDATE, filled, filled + 100, 7, 0), 0,
                 "there is room again");
    cr_assert_eq(write_rows(&w, BATCH_IGNORE, filled, filled + 100, 9, 0), 0);
    read_column(&w, 1);
    uint64_t sum = w.sum;
    seen = (int64_t)w.rows;
    cr_assert_eq(seen, filled + 100);
    halt(&w);
    cr_assert_eq(boot(&w), 0, "%s", w.error.text);
    find(&w, "t");
    read_column(&w, 1);
    cr_assert_eq((int64_t)w.rows, seen, "%" PRIu64 " rows, %" PRId64 " were seen", w.rows, seen);
    cr_assert_eq(w.sum, sum);
    halt(&w);
    world_fini(&w);
}

/* Memory ends within a batch: what was applied is what a restart finds. */
Test(local_fault, what_fits_into_memory_survives)
{
    struct world w;
    int failures = 0;

    for (int sequence = 0; sequence < 2; sequence++)
        for (uint64_t more = 0; more < 12; more++) {
            world_init(&w);
            cr_assert_eq(boot(&w), 0, "%s", w.error.text);
            cr_assert_eq(create(&w, "t", true, 2), 0, "%s", w.error.text);
            w.client = sequence ? 5 : 0;
            set_room(&w, 400000 + more * 150000);
            for (int64_t i = 0; i < 40 && (!i || !w.rc); i++) {
                w.sequence++;
                write_rows(&w, i % 2 ? BATCH_UPSERT : BATCH_INSERT, i * 7900, i * 7900 + 8000, i,
                           0);
            }
            failures += w.rc != 0;
            cr_assert(w.rc == 0 || w.rc == -ENOMEM);
            set_room(&w, 0);
            read_column(&w, 1);
            uint64_t rows = w.rows;
            uint64_t sum = w.sum;
            halt(&w);
            cr_assert_eq(boot(&w), 0, "%s", w.error.text);
            find(&w, "t");
            read_column(&w, 1);
            cr_assert_eq(w.rows, rows);
            cr_assert_eq(w.sum, sum);
            halt(&w);
            world_fini(&w);
        }
    cr_assert_gt(failures, 5);
}

/* A table that a core has no memory for exists nowhere, and its id may be another's. */
Test(local_fault, a_table_without_memory_is_not_there)
{
    struct world w;

    world_init(&w);
    cr_assert_eq(boot(&w), 0, "%s", w.error.text);
    set_room(&w, 100000);
    cr_assert_eq(create(&w, "wide", true, 900), -ENOMEM);
    set_room(&w, 0);
    w.name = "wide";
    for (unsigned core = 0; core < CORES; core++)
        cr_assert_eq(call(&w, core, run_find), -ENOENT);
    cr_assert_eq(create(&w, "t", true, 0), 0, "%s", w.error.text);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 10, 1, 0), 0, "%s", w.error.text);
    halt(&w);
    cr_assert_eq(boot(&w), 0, "%s", w.error.text);
    find(&w, "t");
    read_column(&w, 1);
    cr_assert_eq(w.rows, 10);
    halt(&w);
    world_fini(&w);
}

/* More bytes than a group of the log can have are refused before they are applied. */
Test(local_fault, a_batch_that_is_too_large_is_refused)
{
    struct world w;

    world_init(&w);
    cr_assert_eq(boot(&w), 0, "%s", w.error.text);
    cr_assert_eq(create(&w, "t", true, 1), 0, "%s", w.error.text);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 1, 1, 50 << 20), -EMSGSIZE);
    read_column(&w, 1);
    cr_assert_eq(w.rows, 0);
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 10, 1, 10), 0, "%s", w.error.text);
    halt(&w);
    world_fini(&w);
}

/* A batch of more slots than there were entries is remembered whole. */
Test(local_fault, a_batch_of_many_slots_is_applied_once)
{
    struct world w;

    world_init(&w);
    w.slots = 16384;
    cr_assert_eq(boot(&w), 0, "%s", w.error.text);
    cr_assert_eq(create(&w, "t", true, 0), 0, "%s", w.error.text);
    w.client = 5;
    for (w.sequence = 1; w.sequence <= 3; w.sequence++)
        cr_assert_eq(write_rows(&w, BATCH_INSERT, (int64_t)w.sequence * 20000,
                                (int64_t)w.sequence * 20000 + 20000, 1, 0),
                     0);
    w.sequence = 1;
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 20000, 40000, 1, 0), 0);
    cr_assert_eq(w.write.result.inserted, 20000, "the first answer again");
    cr_assert_eq(w.write.result.rejected, 0);
    halt(&w);
    world_fini(&w);
}

static void stats_told(struct cluster_tables_stats *t)
{
    finish(t->ctx, t->list ? 0 : -ENOMEM);
    free(t->list);
}

static void run_stats(struct reactor *r, void *ctx)
{
    static struct cluster_tables_stats stats;
    struct world *w = ctx;

    stats = (struct cluster_tables_stats){.done = stats_told, .ctx = w};
    fail_alloc_arm(&w->fail);
    cr_assert(cluster_tables_stats_start(reactor_get_local(r, LOCAL_CLUSTER), &stats));
    cr_assert(!w->done, "never within the start");
    cr_assert_eq(fail_alloc_disarm(&w->fail), w->fail.n <= STATS_ALLOCATIONS);
}

/* Figures are refused, and the node ends, whichever of their allocations fails. */
Test(local_fault, figures_and_the_end_need_no_memory)
{
    struct world w;

    world_init(&w);
    cr_assert_eq(boot(&w), 0, "%s", w.error.text);
    cr_assert_eq(create(&w, "t", false, 0), 0, "%s", w.error.text);
    for (w.fail.n = 1; w.fail.n <= STATS_ALLOCATIONS; w.fail.n++)
        cr_assert_eq(call(&w, 0, run_stats), -ENOMEM, "allocation %d", (int)w.fail.n);
    cr_assert_eq(call(&w, 0, run_stats), 0);
    w.fail.n = 1;
    w.fail_at_end = true;
    halt(&w);
    world_fini(&w);
}

/* Hidden keys ascend over restarts, whatever the clock says. */
Test(local_fault, hidden_keys_do_not_come_again)
{
    struct world w;
    const int64_t far = (int64_t)1 << 60;

    world_init(&w);
    cr_assert_eq(boot(&w), 0, "%s", w.error.text);
    cr_assert_eq(create(&w, "t", false, 0), 0, "%s", w.error.text);
    unsigned hidden = w.schema->key[0];
    struct batch_builder *b = batch_builder_new(NULL);
    batch_builder_add_column(b, w.schema->columns[0].id, BATCH_I64, 0);
    batch_builder_add_column(b, SCHEMA_HIDDEN_KEY_ID, BATCH_I64, 0);
    batch_builder_put_i64(b, 0, 1);
    batch_builder_put_i64(b, 1, far);
    batch_builder_end_row(b);
    w.bytes.len = 0;
    batch_builder_finish(b, BATCH_INSERT, w.schema->table_id, BATCH_SLOT_ANY, &w.bytes);
    batch_builder_free(b);
    cr_assert_eq(call(&w, 0, run_write), 0, "%s", w.error.text);
    halt(&w);
    cr_assert_eq(boot(&w), 0, "%s", w.error.text);
    find(&w, "t");
    cr_assert_eq(write_rows(&w, BATCH_INSERT, 0, 10, 1, 0), 0, "%s", w.error.text);
    read_column(&w, (uint16_t)hidden);
    cr_assert_eq(w.rows, 11);
    cr_assert_gt(w.max, far, "a new key after the one that the clock has not reached");
    halt(&w);
    world_fini(&w);
}
