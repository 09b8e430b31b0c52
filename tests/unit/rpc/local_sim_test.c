/*
 * The cluster of one process, step by step in the simulator: what random work has found wrong once, and what
 * must hold for every order of the cores (each test runs with many seeds).
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/core.h"
#include "reactor/io.h"
#include "reactor/io_sim.h"
#include "reactor/log.h"
#include "rpc/cluster.h"
#include "rpc/node.h"

enum { CORES = 3, STEPS = 1000000, SEEDS = 30 };

struct world {
    char dir[64];
    struct sim *sim;
    struct sim_disk *disk;
    struct reactor_group *group;
    struct node *node;
    struct schema *schema;
    struct buffer bytes;
    bool done;
    int rc;
    struct error_info err;
    struct cluster_write write;
    struct cluster_ddl ddl;
    struct cluster_query query;
    struct program program;
    uint64_t rows, next_calls;
    bool closing;
    struct cluster_ddl rewrite;
    bool rewritten;
    uint32_t rewrite_min_rows;
    unsigned slots; /* more than there were are split; 0 = 4 */
    bool checkpoint_at_end;
};

static struct world w;

static bool is_done(void *ctx)
{
    (void)ctx;
    return w.done;
}

static void wait_done(void)
{
    cr_assert_eq(reactor_sim_run(w.group, is_done, NULL, STEPS), 0, "it never ended");
    w.done = false;
}

static void call(unsigned core, void (*fn)(struct reactor *r, void *ctx), void *ctx)
{
    reactor_post(reactor_group_get(w.group, core), fn, ctx);
    wait_done();
}

static int start_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    if (reactor_core(r) == 0 && (file_mkdir(r, w.dir) || file_sync_dir(r, w.dir)))
        return -EIO;
    return node_start_core(w.node, r, &w.err);
}

static void replay(struct reactor *r, void *ctx)
{
    (void)ctx;
    w.rc = node_replay(w.node, r, &w.err);
    w.done = true;
}

static void boot(void)
{
    struct reactor_config rc = {.cores = CORES,
                                .io = REACTOR_IO_SIM,
                                .sim = w.sim,
                                .sim_disk = w.disk,
                                .ring_entries = 2,
                                .memory = 1 << 28};
    struct node_config nc = {.data_dir = w.dir,
                             .name = "n",
                             .slots = w.slots ? w.slots : 4,
                             .splits_slots = true,
                             .checkpoint_at_end = w.checkpoint_at_end,
                             .log_file_bytes = 64 << 10,
                             .rewrite_min_rows = w.rewrite_min_rows,
                             .rewrite_step_rows = 20};
    char text[200];

    cr_assert_eq(reactor_group_new(&rc, &w.group, text, sizeof(text)), 0, "%s", text);
    cr_assert_eq(node_new(&nc, w.group, &w.node, &w.err), 0, "%s", w.err.text);
    cr_assert_eq(reactor_group_start(w.group, start_core, NULL), 0);
    call(0, replay, NULL);
    cr_assert_eq(w.rc, 0, "%s", w.err.text);
}

static void log_closed(void *ctx)
{
    (void)ctx;
    w.done = true;
}

static void close_log(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    node_close(w.node, log_closed, NULL);
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static void halt(void)
{
    call(0, close_log, NULL);
    reactor_group_stop(w.group, exit_core, NULL);
    node_free(w.node);
    reactor_group_free(w.group);
}

static void ddl_done(struct cluster_ddl *d)
{
    w.rc = d->rc;
    w.err = d->error;
    w.done = true;
}

static void run_ddl(struct reactor *r, void *ctx)
{
    (void)ctx;
    cluster_ddl_start(cluster_of(r), &w.ddl);
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

static void create(bool keyed)
{
    w.schema = make_schema(keyed);
    w.ddl =
        (struct cluster_ddl){.kind = CLUSTER_CREATE_TABLE, .schema = w.schema, .done = ddl_done};
    call(1, run_ddl, NULL);
    cr_assert_eq(w.rc, 0, "%s", w.err.text);
}

static void run_find(struct reactor *r, void *ctx)
{
    struct catalog *c = cluster_catalog(cluster_of(r));

    (void)ctx;
    schema_put(w.schema);
    w.schema = catalog_find(c, "t", 1);
    cr_assert(w.schema);
    schema_get(w.schema);
    catalog_put(c);
    w.done = true;
}

static void restart(void)
{
    halt();
    boot();
    call(2, run_find, NULL);
}

static void start(uint64_t seed, bool keyed)
{
    memset(&w, 0, sizeof(w));
    log_level = LOG_ERROR;
    w.sim = sim_new(seed);
    w.disk = sim_disk_new(w.sim, 0);
    snprintf(w.dir, sizeof(w.dir), "/tmp/quanta-local-sim-XXXXXX");
    cr_assert(mkdtemp(w.dir));
    buffer_init(&w.bytes, BATCH_MAX_BYTES);
    boot();
    create(keyed);
}

static void end(void)
{
    char command[128];

    halt();
    schema_put(w.schema);
    buffer_fini(&w.bytes);
    sim_disk_free(w.disk);
    sim_free(w.sim);
    snprintf(command, sizeof(command), "rm -rf %s", w.dir);
    cr_assert_eq(system(command), 0);
}

static void write_done(struct cluster_write *cw)
{
    w.rc = cw->rc;
    w.err = cw->error;
    w.done = true;
}

static void run_write(struct reactor *r, void *ctx)
{
    (void)ctx;
    cluster_write_start(cluster_of(r), &w.write);
}

/* Rows [from, to) with a client's sequence (0 = none). */
static struct write_result *write_rows(enum batch_op op, int64_t from, int64_t to,
                                       uint64_t sequence, bool check_first)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct batch batch;
    char kind[16];

    batch_builder_add_column(b, w.schema->columns[0].id, BATCH_I64, 0);
    if (op != BATCH_DELETE)
        batch_builder_add_column(b, w.schema->columns[1].id, BATCH_BYTES, 0);
    for (int64_t i = from; i < to; i++) {
        batch_builder_put_i64(b, 0, i);
        snprintf(kind, sizeof(kind), "k%ld", (long)(i % 7));
        if (op != BATCH_DELETE)
            batch_builder_put_bytes(b, 1, kind, (uint32_t)strlen(kind));
        batch_builder_end_row(b);
    }
    w.bytes.len = 0;
    cr_assert_eq(batch_builder_finish(b, op, w.schema->table_id, BATCH_SLOT_ANY, &w.bytes), 0);
    batch_builder_free(b);
    cr_assert_eq(batch_open(w.bytes.data, w.bytes.len, &batch, &w.err), 0);
    w.write = (struct cluster_write){.schema = w.schema,
                                     .batch = batch,
                                     .check_first = check_first,
                                     .client_id = sequence ? 7 : 0,
                                     .sequence = sequence,
                                     .done = write_done};
    call((unsigned)(from % CORES), run_write, NULL);
    cr_assert_eq(w.rc, 0, "%s", w.err.text);
    return &w.write.result;
}

static void query_closed(struct cluster_query *q)
{
    (void)q;
    cr_assert(w.closing);
    w.done = true;
}

static void close_query(void)
{
    cr_assert(!w.closing);
    w.closing = true;
    cluster_query_close(&w.query);
}

static void query_next(struct cluster_query *q)
{
    cr_assert(!w.closing, "nothing is told after the close");
    w.next_calls++;
    if (q->state != CLUSTER_BATCH) {
        close_query();
        return;
    }
    w.rows += q->batch.rows;
    cluster_query_next(q);
}

static void run_query(struct reactor *r, void *ctx)
{
    static const uint16_t columns[] = {0, 1};

    (void)ctx;
    w.program = (struct program){.table_id = w.schema->table_id,
                                 .output = OUTPUT_ROWS,
                                 .n_columns = 2,
                                 .columns = columns,
                                 .limit = UINT64_MAX,
                                 .memory = 1 << 20};
    w.rows = w.next_calls = 0;
    w.closing = false;
    w.query = (struct cluster_query){.program = &w.program,
                                     .schema = w.schema,
                                     .on_next = query_next,
                                     .on_closed = query_closed};
    cluster_query_start(cluster_of(r), &w.query);
    cluster_query_next(&w.query);
}

static uint64_t count_rows(void)
{
    call(1, run_query, NULL);
    return w.rows;
}

static void run_close(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    if (!w.closing)
        close_query();
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

/* Once a leg on its way home was lent again. */
Test(local_sim, a_query_can_be_closed_at_every_step)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        start(seed, true);
        write_rows(BATCH_INSERT, 0, 5000, 0, false);
        for (uint64_t steps = 0; steps < 60; steps++) {
            reactor_post(reactor_group_get(w.group, 1), run_query, NULL);
            reactor_sim_run(w.group, never, NULL, steps);
            if (!w.done) {
                call(1, run_close, NULL);
            } else {
                w.done = false;
            }
        }
        cr_assert_eq(count_rows(), 5000);
        end();
    }
}

/* Once they got other keys the second time, and so were new rows of other slots. */
Test(local_sim, repeated_rows_without_a_key_are_not_added_twice)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        start(seed, false);
        cr_assert_eq(write_rows(BATCH_INSERT, 0, 100, 1, false)->inserted, 100);
        cr_assert_eq(write_rows(BATCH_INSERT, 0, 100, 1, false)->inserted, 100);
        cr_assert_eq(count_rows(), 100);
        restart();
        cr_assert_eq(write_rows(BATCH_INSERT, 0, 100, 1, false)->inserted, 100);
        cr_assert_eq(count_rows(), 100);
        cr_assert_eq(write_rows(BATCH_INSERT, 0, 100, 2, false)->inserted, 100,
                     "other rows that look the same");
        cr_assert_eq(write_rows(BATCH_INSERT, 0, 100, 0, false)->inserted, 100);
        cr_assert_eq(count_rows(), 300);
        end();
    }
}

static void kill_node(void)
{
    sim_kill(w.group);
    node_abandon(w.node);
    node_free(w.node);
    reactor_group_free(w.group);
}

/* What was in flight when a node is killed is nobody's any more. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void run_split(unsigned slots, bool killed)
{
    w.slots = slots;
    if (killed)
        kill_node();
    else
        halt();
    boot();
    cr_assert_eq(node_slot_bits(w.node), slots == 8 ? 3 : slots == 16 ? 4 : 5);
    call(2, run_find, NULL);
}

/* From the log or, with the last checkpoint, from the root; in slots of which several were one when it was applied. */
Test(local_sim, a_repeated_batch_is_known_after_slots_were_split)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        if (__lsan_disable)
            __lsan_disable();
        start(seed, seed % 3 != 0);
        w.checkpoint_at_end = seed % 2;
        restart();
        cr_assert_eq(write_rows(BATCH_INSERT, 0, 100, 1, false)->inserted, 100);
        cr_assert_eq(write_rows(BATCH_INSERT, 100, 103, 2, false)->inserted, 3);
        run_split(16, seed % 4 > 1);
        cr_assert_eq(count_rows(), 103);
        cr_assert_eq(write_rows(BATCH_INSERT, 0, 100, 1, true)->inserted, 100);
        cr_assert_eq(write_rows(BATCH_INSERT, 100, 103, 2, false)->inserted, 3);
        cr_assert_eq(write_rows(BATCH_INSERT, 200, 300, 3, false)->inserted, 100);
        run_split(32, seed % 5 > 2);
        for (int i = 0; i < 2; i++) {
            cr_assert_eq(write_rows(BATCH_INSERT, 0, 100, 1, false)->inserted, 100);
            cr_assert_eq(write_rows(BATCH_INSERT, 100, 103, 2, true)->inserted, 3);
            cr_assert_eq(write_rows(BATCH_INSERT, 200, 300, 3, false)->inserted, 100);
            cr_assert_eq(count_rows(), 203);
            restart();
        }
        end();
        if (__lsan_enable)
            __lsan_enable();
    }
}

/* Rewrites come by themselves; with the checkpoint after them every slot has files of its own, and the old ones are gone. */
Test(local_sim, slots_that_were_split_get_files_of_their_own)
{
    for (uint64_t seed = 1; seed <= SEEDS / 3; seed++) {
        start(seed, true);
        w.checkpoint_at_end = true;
        restart();
        write_rows(BATCH_INSERT, 0, 3000, 0, false);
        run_split(8, false);
        cr_assert_eq(node_shared_files(w.node), 2 * 8, "a segment and dictionaries each");
        cr_assert_eq(count_rows(), 3000);
        reactor_sim_run(w.group, never, NULL, STEPS / 10);
        struct node_rewrite_stats stats;
        node_rewrite_stats(w.node, &stats);
        cr_assert_eq(stats.done, 8);
        cr_assert_eq(stats.reclaimed, 3000);
        cr_assert_eq(write_rows(BATCH_DELETE, 0, 10, 0, false)->deleted, 10);
        run_split(8, false);
        cr_assert_eq(node_shared_files(w.node), 0);
        cr_assert_eq(count_rows(), 2990);
        end();
    }
}

/* Once the repetition found its own rows and was refused with 1062. */
Test(local_sim, a_repeated_insert_is_answered_also_when_it_checks_first)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        start(seed, true);
        for (int i = 0; i < 3; i++) {
            struct write_result *r = write_rows(BATCH_INSERT, 0, 100, 1, true);
            cr_assert_eq(r->inserted, 100);
            cr_assert_eq(r->n_errors, 0);
            if (i == 1)
                restart();
        }
        cr_assert_eq(write_rows(BATCH_INSERT, 50, 150, 2, true)->rejected, 100);
        cr_assert_eq(count_rows(), 100);
        end();
    }
}

/* Once a batch that changed nothing was not in the log, and did its work when it was repeated after a restart. */
Test(local_sim, a_batch_without_effect_is_remembered_over_a_restart)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        start(seed, true);
        cr_assert_eq(write_rows(BATCH_DELETE, 0, 100, 1, false)->deleted, 0);
        cr_assert_eq(write_rows(BATCH_INSERT, 0, 100, 2, false)->inserted, 100);
        restart();
        cr_assert_eq(write_rows(BATCH_DELETE, 0, 100, 1, false)->deleted, 0,
                     "answered, not applied");
        cr_assert_eq(count_rows(), 100);
        end();
    }
}

/* Once the rows before the one that memory did not suffice for were seen, but not in the log. */
Test(local_sim, what_is_seen_when_memory_ends_is_there_after_a_restart)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t seen;
        start(seed, true);
        write_rows(BATCH_INSERT, 0, 10, 0, false);
        for (unsigned i = 0; i < CORES; i++) {
            struct budget *b = reactor_budget(reactor_group_get(w.group, i));
            b->limit = b->used + 20000 * seed;
        }
        struct batch_builder *b = batch_builder_new(NULL);
        batch_builder_add_column(b, w.schema->columns[0].id, BATCH_I64, 0);
        for (int64_t i = 0; i < 100000; i++) {
            batch_builder_put_i64(b, 0, 1000 + i);
            batch_builder_end_row(b);
        }
        w.bytes.len = 0;
        cr_assert_eq(batch_builder_finish(b, BATCH_INSERT, w.schema->table_id, BATCH_SLOT_ANY,
                                          &w.bytes),
                     0);
        batch_builder_free(b);
        w.write = (struct cluster_write){.schema = w.schema, .done = write_done};
        cr_assert_eq(batch_open(w.bytes.data, w.bytes.len, &w.write.batch, &w.err), 0);
        call(0, run_write, NULL);
        cr_assert_eq(w.rc, -ENOMEM, "%d %d %s, seed %lu", w.rc, w.err.code, w.err.text,
                     (unsigned long)seed);
        cr_assert_eq(w.err.code, 1037);
        for (unsigned i = 0; i < CORES; i++)
            reactor_budget(reactor_group_get(w.group, i))->limit = 1 << 28;
        seen = count_rows();
        cr_assert_eq(seen, 10 + w.write.result.inserted, "%lu seen, %lu told, seed %lu",
                     (unsigned long)seen, (unsigned long)w.write.result.inserted,
                     (unsigned long)seed);
        restart();
        cr_assert_eq(count_rows(), seen, "seed %lu", (unsigned long)seed);
        end();
    }
}

/* --- partitions are rewritten --- */

static void rewrite_done(struct cluster_ddl *d)
{
    (void)d;
    w.rewritten = true;
}

static bool is_rewritten(void *ctx)
{
    (void)ctx;
    return w.rewritten;
}

static void run_rewrite(struct reactor *r, void *ctx)
{
    (void)ctx;
    w.rewritten = false;
    w.rewrite =
        (struct cluster_ddl){.kind = CLUSTER_REWRITE_TABLE, .name = "t", .done = rewrite_done};
    cluster_ddl_start(cluster_of(r), &w.rewrite);
}

static void run_cancel(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    if (!w.rewritten)
        cluster_ddl_cancel(&w.rewrite);
    w.done = true;
}

static void wait_rewritten(void)
{
    cr_assert_eq(reactor_sim_run(w.group, is_rewritten, NULL, STEPS), 0, "it never ended");
}

static void change_table(enum cluster_ddl_kind kind)
{
    w.ddl = (struct cluster_ddl){.kind = kind, .name = "t", .done = ddl_done};
    call(1, run_ddl, NULL);
    cr_assert_eq(w.rc, 0, "%s", w.err.text);
}

enum meanwhile { NOTHING, WRITES, TRUNCATED, DROPPED, CANCELLED, MEANWHILES };

static void rewrite_while(enum meanwhile what, uint64_t steps)
{
    struct node_rewrite_stats stats;
    uint64_t left = 300;

    start(steps + 1, true);
    write_rows(BATCH_INSERT, 0, 600, 0, false);
    write_rows(BATCH_DELETE, 100, 400, 0, false);
    reactor_post(reactor_group_get(w.group, 2), run_rewrite, NULL);
    reactor_sim_run(w.group, never, NULL, steps);
    if (what == WRITES) {
        write_rows(BATCH_DELETE, 0, 50, 0, false);
        write_rows(BATCH_UPSERT, 80, 120, 0, false);
        left = 270;
    } else if (what == CANCELLED) {
        call(2, run_cancel, NULL);
    } else if (what != NOTHING) {
        change_table(what == DROPPED ? CLUSTER_DROP_TABLE : CLUSTER_TRUNCATE_TABLE);
        left = 0;
    }
    wait_rewritten();
    cr_assert(w.rewrite.rc == 0 || (what == CANCELLED && w.rewrite.rc == -ECANCELED) ||
                  (what == DROPPED && w.rewrite.rc == -ENOENT),
              "%s", w.rewrite.error.text);
    node_rewrite_stats(w.node, &stats);
    cr_assert(what != NOTHING || stats.reclaimed == 300);
    if (what == DROPPED) {
        schema_put(w.schema);
        create(true);
    }
    cr_assert_eq(count_rows(), left);
    restart();
    cr_assert_eq(count_rows(), left);
    end();
}

Test(local_sim, a_table_changes_while_it_is_rewritten, .timeout = 3600)
{
    for (enum meanwhile what = NOTHING; what < MEANWHILES; what++)
        for (uint64_t steps = 0; steps < 120; steps += 7)
            rewrite_while(what, steps);
}

Test(local_sim, a_table_that_is_not_there_is_not_rewritten)
{
    start(1, true);
    change_table(CLUSTER_DROP_TABLE);
    reactor_post(reactor_group_get(w.group, 0), run_rewrite, NULL);
    reactor_sim_run(w.group, never, NULL, 1);
    wait_rewritten();
    cr_assert_eq(w.rewrite.rc, -ENOENT);
    cr_assert_eq(w.rewrite.error.code, 1146);
    schema_put(w.schema);
    create(true);
    end();
}

static bool is_reclaimed(void *ctx)
{
    struct node_rewrite_stats stats;

    node_rewrite_stats(w.node, &stats);
    return stats.reclaimed == *(const uint64_t *)ctx;
}

/* By itself, and the node may stop at any step of it. */
Test(local_sim, many_deleted_rows_go_by_themselves, .timeout = 3600)
{
    for (uint64_t steps = 0; steps < 400; steps += 23) {
        uint64_t all = 300;

        start(steps + 50, true);
        w.rewrite_min_rows = 10;
        restart();
        write_rows(BATCH_INSERT, 0, 600, 0, false);
        write_rows(BATCH_DELETE, 100, 400, 0, false);
        if (steps)
            reactor_sim_run(w.group, never, NULL, steps * 20);
        else
            cr_assert_eq(reactor_sim_run(w.group, is_reclaimed, &all, STEPS), 0);
        cr_assert_eq(count_rows(), 300);
        restart();
        cr_assert_eq(count_rows(), 300);
        end();
    }
}
