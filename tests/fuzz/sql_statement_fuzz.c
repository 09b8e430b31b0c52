/*
 * Whole statements against a node of two simulated cores on this thread: names, types, plans, scans, joins, groups,
 * windows, functions, and writes, over small tables with every kind of column, NULLs and views. Nothing depends on time
 * or threads: the same input does the same.
 *
 * The first byte chooses: computations in the gateway alone, a small memory, sql_mode QUANTA, rows refused now and then
 * by the client, the statement cancelled after some steps. The second is the number of those steps. The rest is text;
 * '?' are given values of all types. Checked besides crashes: a statement ends, also when it is cancelled; it answers
 * exactly once; rows have the columns that were told; nothing is left of its memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/assert.h"
#include "reactor/io.h"
#include "reactor/io_sim.h"
#include "reactor/reactor.h"
#include "rpc/cluster.h"
#include "rpc/node.h"
#include "sql/gateway_statement.h"
#include "sql/value_convert.h"
#include "storage/datadir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    SMALL_MEMORY = 1,
    GATEWAY_ALONE = 2,
    QUANTA_MODE = 4,
    STALLS = 8,
    CANCELS = 16,
    CORES = 2,
    STEPS_MAX = 4000,         /* of a statement until it is cancelled: a second or so */
    STEPS_END_MAX = 10000000, /* nothing comes to an end without them */
    INPUTS_OF_A_WORLD = 2000, /* its log and clock go on */
    WRITES_OF_A_WORLD = 200,
    STATEMENTS_MAX = 8, /* of an input */
    N_PARAMS = 7,
};

/* What a world begins with. */
static const char *const fixture[] = {
    ("CREATE TABLE t (id BIGINT PRIMARY KEY, a BIGINT, u INT UNSIGNED, d DECIMAL(12,2), f DOUBLE, "
     "s VARCHAR(20), "
     "e ENUM('x','y','z'), dt DATE, ts DATETIME(3), l BOOL, m SET('p','q','r'), j JSON)"),
    "CREATE TABLE c (k BIGINT PRIMARY KEY, t_id BIGINT, v BIGINT, s VARCHAR(20))",
    "CREATE TABLE w (ts DATETIME, n BIGINT, s VARCHAR(10), PRIMARY KEY (ts, n))",
    "CREATE VIEW v AS SELECT t.id, t.a, c.v FROM t LEFT JOIN c ON c.t_id = t.id",
    "CREATE TEMPORARY TABLE tmp (id BIGINT PRIMARY KEY, s VARCHAR(20))",
};
static const char *const rows[] = {
    "DELETE FROM t",
    "DELETE FROM c",
    "DELETE FROM w",
    ("INSERT INTO t VALUES (1,1,1,1.10,0.5,'a','x','2026-01-01','2026-01-01 "
     "10:00:00.5',1,'p,q','{\"a\": [1, 2]}'),"
     "(2,2,4294967295,2.25,-922337203685477.5,'b','y','2026-01-02','2026-01-02 "
     "10:00:00',0,'q','[]'),"
     "(3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),"
     "(4,-9223372036854775808,0,-3.50,0.0001,'12x','x','0001-02-01','9999-12-31 "
     "23:59:59.999',1,'r,p','1'),"
     "(5,9223372036854775807,7,9999999999.99,0,'A','z','2026-02-28',NULL,0,'p','\"x\"')"),
    "INSERT INTO c VALUES (1,1,10,'a'),(2,1,20,'b'),(3,4,30,NULL),(4,NULL,40,'a'),(5,9,50,'')",
    "INSERT INTO w VALUES ('2026-01-01',1,'a'),('2026-01-01',2,'b'),('2026-06-01',1,'c')",
};

/* Owner: the process. */
static struct world {
    struct sim *sim;
    struct sim_disk *disk;
    struct reactor_group *group; /* NULL: to be made */
    struct node *node;
    struct gateway_session session;
    struct gateway_env env;
    struct statement statement;
    struct result_sink sink;
    struct task task;
    const char *text;
    size_t len, consumed;
    unsigned how, stall;
    uint32_t n_columns, n_answers, inputs, writes;
    uint16_t error;
    const struct value_type *types;
    bool done, is_closed, begun, cancels;
    char dir[64];
} w;

/* ---- the answer ---- */

static int take_columns(struct result_sink *k, const struct mysql_column *columns,
                        const struct value_type *types, uint32_t n)
{
    size_t sum = 0;

    (void)k;
    ASSERT(!w.begun && !w.n_answers);
    for (uint32_t i = 0; i < n; i++)
        sum += strlen(columns[i].name);
    ASSERT(sum < SIZE_MAX);
    w.begun = true;
    w.types = types;
    w.n_columns = n;
    return 0;
}

static void go_on(struct task *t)
{
    (void)t;
    statement_resume(&w.statement);
}

static bool take_row(struct result_sink *k, const struct datum *cells)
{
    char buf[DATUM_TEXT];
    size_t n, sum = 0;

    (void)k;
    ASSERT(w.begun && !w.n_answers);
    if ((w.how & STALLS) && w.stall++ % 3 == 0) {
        w.task.run = go_on;
        reactor_task(w.env.reactor, &w.task, TASK_IO);
        return false;
    }
    for (uint32_t i = 0; i < w.n_columns; i++) {
        const char *s = datum_to_text(&cells[i], &w.types[i], buf, &n);
        for (size_t j = 0; s && j < n; j++)
            sum += (uint8_t)s[j];
    }
    ASSERT(sum < SIZE_MAX);
    return true;
}

static void take_end(struct result_sink *k, uint16_t warnings)
{
    (void)k;
    (void)warnings;
    ASSERT(w.begun && w.n_answers++ == 0);
}

static void take_ok(struct result_sink *k, uint64_t affected, uint64_t id, uint16_t warnings,
                    const char *info)
{
    (void)k;
    (void)affected;
    (void)id;
    (void)warnings;
    ASSERT(!w.begun && w.n_answers++ == 0);
    ASSERT(!info || strlen(info) < 1000);
}

static void take_error(struct result_sink *k, const struct mysql_error *e)
{
    (void)k;
    ASSERT(e->code && e->text[0] && strlen(e->text) < sizeof e->text);
    ASSERT(w.n_answers++ == 0);
    w.error = e->code;
    if (!w.env.timeout_ns) /* of the fixture, which is right */
        fprintf(stderr, "%s\n", e->text);
}

/* ---- steps ---- */

static bool is_done(void *ctx)
{
    return *(const bool *)ctx;
}

static void run_until(const bool *flag)
{
    ASSERT(reactor_sim_run(w.group, is_done, (void *)flag, STEPS_END_MAX) == 0);
}

static void statement_done(struct statement *s)
{
    statement_fini(s);
    ASSERT(s->budget.used == 0);
    w.done = true;
}

static bool is_change(enum sql_stmt_kind kind)
{
    return kind == SQL_STMT_INSERT || kind == SQL_STMT_UPDATE || kind == SQL_STMT_DELETE;
}

/* Definitions of tables would outlive the input, and KILL knows no others. */
static bool is_let(const struct sql_stmt *s)
{
    switch (s->kind) {
    case SQL_STMT_DROP_TABLE:
    case SQL_STMT_TRUNCATE:
    case SQL_STMT_ALTER_TABLE:
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_VIEW:
    case SQL_STMT_RENAME_TABLE:
    case SQL_STMT_CREATE_INDEX:
    case SQL_STMT_DROP_INDEX:
    case SQL_STMT_MAINTAIN:
    case SQL_STMT_KILL:
        return !w.env.timeout_ns; /* of the fixture itself */
    default:
        return true;
    }
}

static struct value_type type_of(const struct datum *d)
{
    switch (d->kind) {
    case DATUM_INT:
        return value_type_int(20);
    case DATUM_UINT:
        return value_type_uint(20);
    case DATUM_DOUBLE:
        return value_type_double();
    case DATUM_DECIMAL:
        return value_type_decimal(18, d->scale);
    case DATUM_DATE:
        return value_type_temporal(DATUM_DATE, 0);
    case DATUM_STRING:
        return value_type_string(d->len);
    default:
        return (struct value_type){.kind = DATUM_NULL};
    }
}

static void start(struct reactor *r, void *ctx)
{
    static const struct datum params[N_PARAMS] = {{.kind = DATUM_INT, .i = 2},
                                                  {.kind = DATUM_STRING, .s = "a", .len = 1},
                                                  {.kind = DATUM_NULL},
                                                  {.kind = DATUM_DOUBLE, .f = 1.5},
                                                  {.kind = DATUM_UINT, .u = ~0U},
                                                  {.kind = DATUM_DECIMAL, .dec = 225, .scale = 2},
                                                  {.kind = DATUM_DATE, .i = 20454}};
    struct datum list[64];
    struct value_type types[64];
    uint32_t n;
    int rc;

    (void)ctx;
    w.env.reactor = r;
    w.env.cluster = cluster_of(r);
    statement_init(&w.statement, &w.env, &w.session, &w.sink);
    w.statement.done = statement_done;
    w.statement.gateway_alone = w.how & GATEWAY_ALONE;
    rc = statement_parse(&w.statement, w.text, w.len, &w.consumed);
    ASSERT(w.consumed <= w.len);
    n = rc == 0 ? w.statement.ast->param_count : 0;
    if (rc == 0 && (n > 64 || !is_let(w.statement.ast)))
        mysql_error_set_text(&w.statement.error, 1105, "not here");
    for (uint32_t i = 0; i < n && i < 64; i++) {
        list[i] = params[i % N_PARAMS];
        types[i] = type_of(&list[i]);
    }
    w.writes += rc == 0 && is_change(w.statement.ast->kind);
    statement_start(&w.statement, list, types, n <= 64 ? n : 0);
}

static void cancel(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    if (!w.done)
        statement_cancel(&w.statement, 1317, "Query execution was interrupted");
}

/* True when it worked. */
static bool run(const char *text, size_t len, uint64_t steps)
{
    w.text = text;
    w.len = len;
    w.done = w.begun = false;
    w.n_answers = 0;
    w.error = 0;
    reactor_post(reactor_group_get(w.group, 0), start, NULL);
    if (reactor_sim_run(w.group, is_done, &w.done, steps) != 0) {
        reactor_post(reactor_group_get(w.group, 0), cancel, NULL);
        run_until(&w.done);
    }
    ASSERT(w.n_answers == 1);
    return !w.error;
}

/* ---- the world ---- */

static int start_core(struct reactor *r, void *ctx)
{
    struct error_info err;

    (void)ctx;
    if (reactor_core(r) == 0)
        ASSERT(file_mkdir(r, "/tmp") == 0 && file_mkdir(r, w.dir) == 0);
    return node_start_core(w.node, r, &err);
}

static void replay(struct reactor *r, void *ctx)
{
    struct error_info err;

    (void)ctx;
    ASSERT(node_replay(w.node, r, &err) == 0);
    w.done = true;
}

static void fill(const char *const *list, size_t n)
{
    w.how = 0;
    w.env.timeout_ns = w.env.statement_memory = 0;
    for (size_t i = 0; i < n; i++)
        ASSERT(run(list[i], strlen(list[i]), STEPS_END_MAX));
}

static void new_session(void)
{
    gateway_session_init(&w.session, 1);
    ASSERT(gateway_session_set_text(&w.session.database, "quanta", 6) == 0);
    ASSERT(gateway_session_set_text(&w.session.user, "tester", 6) == 0);
}

static void make_world(void)
{
    struct reactor_config rc = {.cores = CORES,
                                .io = REACTOR_IO_SIM,
                                .memory = 256 << 20,
                                .sim_seed = 1};
    struct datadir d = {.version = DATADIR_VERSION, .slot_bits = 2, .hash_seed = 7};
    struct node_config nc = {.data_dir = w.dir, .name = "n", .log_file_bytes = 1 << 20, .slots = 4};
    struct error_info err;
    char text[200];

    memset(&w, 0, sizeof w);
    snprintf(w.dir, sizeof w.dir, "/tmp/quanta-fuzz-XXXXXX");
    ASSERT(mkdtemp(w.dir));
    snprintf(d.id, sizeof d.id, "%032d", 1);
    ASSERT(datadir_write_meta(w.dir, &d) == 0);
    w.sim = sim_new(1);
    w.disk = sim_disk_new(w.sim, 0);
    rc.sim = w.sim;
    rc.sim_disk = w.disk;
    w.sink = (struct result_sink){.begin = take_columns,
                                  .row = take_row,
                                  .end = take_end,
                                  .ok = take_ok,
                                  .error = take_error};
    ASSERT(reactor_group_new(&rc, &w.group, text, sizeof text) == 0);
    ASSERT(node_new(&nc, w.group, &w.node, &err) == 0);
    ASSERT(reactor_group_start(w.group, start_core, NULL) == 0);
    reactor_post(reactor_group_get(w.group, 0), replay, NULL);
    run_until(&w.done);
    new_session();
    fill(fixture, sizeof fixture / sizeof *fixture);
    fill(rows, sizeof rows / sizeof *rows);
    w.writes = 0;
}

static void closed(void *ctx)
{
    (void)ctx;
    w.is_closed = true;
}

static void close_node(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    gateway_session_reset(&w.session); /* its tables are this core's */
    node_close(w.node, closed, NULL);
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static void end_world(void)
{
    static const char *const names[] = {"quanta.meta", "quanta.lock"};
    char path[100];

    reactor_post(reactor_group_get(w.group, 0), close_node, NULL);
    run_until(&w.is_closed);
    reactor_group_stop(w.group, exit_core, NULL);
    node_free(w.node);
    reactor_group_free(w.group);
    gateway_session_fini(&w.session);
    sim_disk_free(w.disk);
    sim_free(w.sim);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", w.dir, names[i]);
        unlink(path);
    }
    rmdir(w.dir);
    w.group = NULL;
}

static void reset_session(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    gateway_session_reset(&w.session);
    w.done = true;
}

/* As before the input; the session's tables are made anew. */
static void restore(uint32_t writes)
{
    w.done = false;
    reactor_post(reactor_group_get(w.group, 0), reset_session, NULL);
    run_until(&w.done);
    w.session.last_insert_id = w.session.rows_found = 0;
    ASSERT(gateway_session_set_text(&w.session.database, "quanta", 6) == 0);
    fill(&fixture[4], 1);
    if (w.writes != writes)
        fill(rows, sizeof rows / sizeof *rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (w.group && (w.inputs == INPUTS_OF_A_WORLD || w.writes > WRITES_OF_A_WORLD))
        end_world();
    if (!w.group)
        make_world();
    uint32_t writes = w.writes;
    uint64_t steps = data[0] & CANCELS ? data[1] : STEPS_MAX;
    char *text = malloc(size - 1);
    memcpy(text, data + 2, size - 2);
    w.inputs++;
    w.how = data[0];
    w.stall = 0;
    w.session.parse_flags = data[0] & QUANTA_MODE ? SQL_PARSE_QUANTA : 0;
    w.env.statement_memory = data[0] & SMALL_MEMORY ? 256 << 10 : 16 << 20;
    w.env.timeout_ns = 3600 * UINT64_C(1000000000);
    for (size_t at = 0, i = 0; at < size - 2 && i < STATEMENTS_MAX; at += w.consumed, i++) {
        run(text + at, size - 2 - at, steps);
        if (!w.consumed)
            break;
    }
    restore(writes);
    free(text);
    return 0;
}
