/*
 * Many operations at once on real cores: writes, queries closed at any moment, tables made, emptied and
 * dropped. Meant for ThreadSanitizer; what is left in the end must be what was acknowledged.
 */
#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/list.h"
#include "reactor/log.h"
#include "reactor/reactor.h"
#include "rpc/cluster.h"
#include "rpc/node.h"

enum { CORES = 3, WRITERS = 6, READERS = 6, WRITES = 60, READS = 60, CHANGES = 40, ROWS = 50 };

struct stress;

/* One client; used on its core only. */
struct client {
    struct stress *stress;
    unsigned index, left;
    struct task task; /* the next operation */
    void (*step)(struct client *c);
    struct schema *schema;
    struct cluster_write write;
    struct cluster_query query;
    struct cluster_ddl ddl;
    struct buffer bytes;
    struct program program;
    unsigned batches;
    bool closing, whole; /* whole: read to the end */
    struct timer timer;
    uint64_t rows; /* acknowledged, or counted */
};

struct stress {
    char dir[64];
    struct reactor_group *group;
    struct node *node;
    sem_t done;
    int rc;
    struct error_info error;
    atomic_uint active;
    struct client clients[WRITERS + READERS + 1];
};

static void end_step(struct client *c)
{
    if (--c->left) {
        reactor_task(reactor_self(), &c->task, TASK_IO);
    } else if (atomic_fetch_sub(&c->stress->active, 1) == 1) {
        sem_post(&c->stress->done);
    }
}

static struct schema *find(const char *name)
{
    struct catalog *c = cluster_catalog(cluster_of(reactor_self()));
    struct schema *s = catalog_find(c, name, strlen(name));

    if (s)
        schema_get(s);
    catalog_put(c);
    return s;
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

/* --- writers: each inserts ids of its own into "kept", and some into "other", which comes and goes --- */

static void write_done(struct cluster_write *w)
{
    struct client *c = w->ctx;

    if (!w->rc && w->schema->name[0] == 'k')
        c->rows += w->result.inserted;
    else if (w->rc)
        cr_assert_eq(w->error.code, 1412, "%s", w->error.text);
    schema_put(c->schema);
    end_step(c);
}

static void write_step(struct client *c)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct batch batch;
    struct error_info err;
    char kind[16];

    c->schema = find(c->left % 3 ? "kept" : "other");
    if (!c->schema) {
        batch_builder_free(b);
        end_step(c);
        return;
    }
    batch_builder_add_column(b, c->schema->columns[0].id, BATCH_I64, 0);
    batch_builder_add_column(b, c->schema->columns[1].id, BATCH_BYTES, 0);
    for (unsigned i = 0; i < ROWS; i++) {
        batch_builder_put_i64(b, 0, ((int64_t)c->index * WRITES + c->left) * ROWS + i);
        snprintf(kind, sizeof(kind), "k%u", i % 7);
        batch_builder_put_bytes(b, 1, kind, 2);
        batch_builder_end_row(b);
    }
    c->bytes.len = 0;
    cr_assert_eq(batch_builder_finish(b, BATCH_INSERT, c->schema->table_id, BATCH_SLOT_ANY,
                                      &c->bytes),
                 0);
    batch_builder_free(b);
    cr_assert_eq(batch_open(c->bytes.data, c->bytes.len, &batch, &err), 0);
    c->write = (struct cluster_write){.schema = c->schema,
                                      .batch = batch,
                                      .check_first = c->left % 2,
                                      .client_id = c->index + 1,
                                      .sequence = c->left,
                                      .done = write_done,
                                      .ctx = c};
    cluster_write_start(cluster_of(reactor_self()), &c->write);
}

/* --- readers: rows, ordered rows, groups; to the end, or closed before --- */

static void query_closed(struct cluster_query *q)
{
    struct client *c = q->ctx;

    timer_cancel(reactor_self(), &c->timer);
    schema_put(c->schema);
    end_step(c);
}

static void query_next(struct cluster_query *q)
{
    struct client *c = q->ctx;
    struct batch_column column;

    if (q->state == CLUSTER_ERROR)
        cr_assert_eq(q->error.code, 1412, "%s", q->error.text);
    if (q->state != CLUSTER_BATCH || (++c->batches == c->left % 5 && !c->whole)) {
        c->closing = true;
        cluster_query_close(q);
        return;
    }
    batch_column_at(&q->batch, 0, &column);
    for (uint32_t i = 0; i < q->batch.rows; i++)
        c->rows += batch_is_present(&column, i);
    cluster_query_next(q);
}

static void close_late(struct timer *t)
{
    struct client *c = container_of(t, struct client, timer);

    if (!c->closing)
        cluster_query_close(&c->query);
    c->closing = true;
}

static void query_step(struct client *c)
{
    static const uint16_t columns[] = {0, 1}, group[] = {1};
    static const struct program_order order = {0, true};
    static const struct aggregate count = {AGGREGATE_COUNT_ROWS, 0};
    bool groups = c->left % 3 == 0;

    c->schema = find(c->left % 4 ? "kept" : "other");
    if (!c->schema) {
        end_step(c);
        return;
    }
    c->program = (struct program){.table_id = c->schema->table_id,
                                  .output = groups ? OUTPUT_GROUPS : OUTPUT_ROWS,
                                  .columns = groups ? group : columns,
                                  .n_columns = groups ? 1 : 2,
                                  .n_aggregates = groups,
                                  .aggregates = &count,
                                  .n_order = !groups && c->left % 2,
                                  .order = &order,
                                  .limit = c->left % 2 ? 500 : UINT64_MAX,
                                  .memory = 1 << 22,
                                  .analyze = true};
    c->query = (struct cluster_query){.program = &c->program,
                                      .schema = c->schema,
                                      .on_next = query_next,
                                      .on_closed = query_closed,
                                      .ctx = c};
    c->batches = 0;
    c->closing = false;
    c->timer.fire = close_late;
    if (c->left % 7 == 1 && !c->whole)
        timer_arm(reactor_self(), &c->timer, 1000000);
    cluster_query_start(cluster_of(reactor_self()), &c->query);
    cluster_query_next(&c->query);
    if (c->left % 11 == 2) {
        c->closing = true;
        cluster_query_close(&c->query);
    }
}

/* --- one client defines "other" --- */

static void ddl_done(struct cluster_ddl *d)
{
    struct client *c = d->ctx;

    cr_assert_eq(d->rc, 0, "%s", d->error.text);
    if (c->schema)
        schema_put(c->schema);
    end_step(c);
}

static void ddl_step(struct client *c)
{
    static const enum cluster_ddl_kind kinds[] = {CLUSTER_CREATE_TABLE, CLUSTER_TRUNCATE_TABLE,
                                                  CLUSTER_TRUNCATE_TABLE, CLUSTER_DROP_TABLE};
    enum cluster_ddl_kind kind = kinds[(CHANGES - c->left) % 4];

    c->schema = kind == CLUSTER_CREATE_TABLE ? make_schema("other") : NULL;
    c->ddl = (struct cluster_ddl){
        .kind = kind, .schema = c->schema, .name = "other", .done = ddl_done, .ctx = c};
    cluster_ddl_start(cluster_of(reactor_self()), &c->ddl);
}

/* --- the node --- */

static void next_step(struct task *t)
{
    struct client *c = container_of(t, struct client, task);

    c->step(c);
}

static void start_client(struct reactor *r, void *ctx)
{
    struct client *c = ctx;

    c->task.run = next_step;
    reactor_task(r, &c->task, TASK_IO);
}

static void add_client(struct stress *s, unsigned index, void (*step)(struct client *c),
                       unsigned steps)
{
    struct client *c = &s->clients[index];

    *c = (struct client){.stress = s, .index = index, .left = steps, .step = step};
    buffer_init(&c->bytes, BATCH_MAX_BYTES);
    reactor_post(reactor_group_get(s->group, index % CORES), start_client, c);
}

static int start_core(struct reactor *r, void *ctx)
{
    struct error_info err;

    return node_start_core(((struct stress *)ctx)->node, r, &err);
}

static void replay(struct reactor *r, void *ctx)
{
    struct stress *s = ctx;

    s->rc = node_replay(s->node, r, &s->error);
    sem_post(&s->done);
}

static void boot(struct stress *s)
{
    struct reactor_config rc = {.cores = CORES, .memory = 1 << 29, .ring_entries = 2};
    struct node_config nc = {.data_dir = s->dir,
                             .name = "n1",
                             .slots = 8,
                             .log_file_bytes = 1 << 18};
    char err[300];

    log_level = LOG_ERROR;
    cr_assert_eq(reactor_group_new(&rc, &s->group, err, sizeof(err)), 0, "%s", err);
    cr_assert_eq(node_new(&nc, s->group, &s->node, &s->error), 0, "%s", s->error.text);
    cr_assert_eq(reactor_group_start(s->group, start_core, s), 0);
    reactor_post(reactor_group_get(s->group, 0), replay, s);
    sem_wait(&s->done);
    cr_assert_eq(s->rc, 0, "%s", s->error.text);
}

static void log_closed(void *ctx)
{
    sem_post(&((struct stress *)ctx)->done);
}

static void close_log(struct reactor *r, void *ctx)
{
    (void)r;
    node_close(((struct stress *)ctx)->node, log_closed, ctx);
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static void halt(struct stress *s)
{
    reactor_post(reactor_group_get(s->group, 0), close_log, s);
    sem_wait(&s->done);
    reactor_group_stop(s->group, exit_core, NULL);
    node_free(s->node);
    reactor_group_free(s->group);
}

static void create_done(struct cluster_ddl *d)
{
    struct stress *s = d->ctx;

    s->rc = d->rc;
    schema_put(d->schema);
    sem_post(&s->done);
}

static void create_kept(struct reactor *r, void *ctx)
{
    struct stress *s = ctx;

    s->clients[0].ddl = (struct cluster_ddl){.kind = CLUSTER_CREATE_TABLE,
                                             .schema = make_schema("kept"),
                                             .done = create_done,
                                             .ctx = s};
    cluster_ddl_start(cluster_of(r), &s->clients[0].ddl);
}

static void start_read(struct reactor *r, void *ctx)
{
    struct stress *s = ctx;
    struct client *c = &s->clients[WRITERS];

    *c = (struct client){.stress = s, .left = 1, .whole = true};
    atomic_store(&s->active, 1);
    (void)r;
    query_step(c);
}

/* The first 500 in order. */
static uint64_t read_kept(struct stress *s)
{
    reactor_post(reactor_group_get(s->group, 1), start_read, s);
    sem_wait(&s->done);
    return s->clients[WRITERS].rows;
}

Test(local_stress, everything_at_once)
{
    static struct stress s;
    char command[128];
    uint64_t rows = 0;

    snprintf(s.dir, sizeof(s.dir), "/tmp/quanta-stress-XXXXXX");
    cr_assert(mkdtemp(s.dir));
    sem_init(&s.done, 0, 0);
    boot(&s);
    reactor_post(reactor_group_get(s.group, 1), create_kept, &s);
    sem_wait(&s.done);
    cr_assert_eq(s.rc, 0);
    atomic_store(&s.active, WRITERS + READERS + 1);
    for (unsigned i = 0; i < WRITERS; i++)
        add_client(&s, i, write_step, WRITES);
    for (unsigned i = WRITERS; i < WRITERS + READERS; i++)
        add_client(&s, i, query_step, READS);
    add_client(&s, WRITERS + READERS, ddl_step, CHANGES);
    sem_wait(&s.done);
    for (unsigned i = 0; i < WRITERS; i++)
        rows += s.clients[i].rows;
    cr_assert_eq(rows, (uint64_t)WRITERS * (WRITES - WRITES / 3) * ROWS);
    for (unsigned i = 0; i <= WRITERS + READERS; i++)
        buffer_fini(&s.clients[i].bytes);
    halt(&s);
    boot(&s);
    cr_assert_eq(read_kept(&s), 500);
    halt(&s);
    snprintf(command, sizeof(command), "rm -rf %s", s.dir);
    cr_assert_eq(system(command), 0);
}
