/* Statements of a gateway whose catalog is old: a cluster that tells an old catalog until it is refreshed, before a
 * real node. */
#include "rpc/cluster_ops.h"
#include "unit/sql/engine_world.h"

struct stale { /* owner: the test; used on core 0 */
    struct cluster base;
    struct cluster *real;
    struct reactor *reactor;
    struct catalog *old; /* NULL: refreshed */
    struct cluster_refresh *waiting;
    struct task task;
    unsigned refreshes;
    bool hangs, refused_whole;
    unsigned kill; /* code to end the statement with while it waits */
};

static struct engine engine;
static struct stale stale;

static struct catalog *stale_catalog(struct cluster *c)
{
    struct stale *x = (struct stale *)c;

    return x->old ? catalog_get(x->old) : cluster_catalog(x->real);
}

static void answer(struct task *t)
{
    struct stale *x = container_of(t, struct stale, task);
    struct cluster_refresh *f = x->waiting;

    if (x->kill) {
        statement_cancel(&engine.statement, x->kill, "killed");
        return;
    }
    catalog_put(x->old);
    x->old = NULL;
    cluster_refresh_cancel(f); /* out of the list */
    f->done(f);
}

static bool stale_refresh(struct cluster *c, struct cluster_refresh *f)
{
    struct stale *x = (struct stale *)c;

    x->refreshes++;
    if (!x->old)
        return false;
    x->waiting = f;
    f->is_waiting = true;
    list_init(&f->waiting);
    if (!x->hangs)
        reactor_task(x->reactor, &x->task, TASK_IO);
    return true;
}

static bool stale_refused(struct cluster *c, const struct cluster_write *w)
{
    (void)w;
    return ((struct stale *)c)->refused_whole;
}

static void stale_query(struct cluster *c, struct cluster_query *q)
{
    cluster_query_start(((struct stale *)c)->real, q);
}

static void stale_write(struct cluster *c, struct cluster_write *w)
{
    cluster_write_start(((struct stale *)c)->real, w);
}

static void stale_ddl(struct cluster *c, struct cluster_ddl *d)
{
    cluster_ddl_start(((struct stale *)c)->real, d);
}

static bool stale_stats(struct cluster *c, uint32_t id, struct cluster_table_stats *out)
{
    return cluster_table_stats(((struct stale *)c)->real, id, out);
}

static const struct cluster_ops stale_ops = {.catalog = stale_catalog,
                                             .refresh_start = stale_refresh,
                                             .is_refused_whole = stale_refused,
                                             .query_start = stale_query,
                                             .write_start = stale_write,
                                             .ddl_start = stale_ddl,
                                             .table_stats = stale_stats};

static void take_snapshot(struct reactor *r, void *ctx)
{
    struct engine *e = ctx;

    if (stale.old)
        catalog_put(stale.old);
    stale = (struct stale){.base.ops = &stale_ops,
                           .real = cluster_of(r),
                           .reactor = r,
                           .task.run = answer,
                           .refused_whole = true};
    stale.old = cluster_catalog(stale.real);
    sem_post(&e->done);
}

/* What follows is run by a gateway that knows the tables of now; `change` is not known to it. */
static void change_behind(const char *change)
{
    engine_call(&engine, take_snapshot);
    engine.env.cluster = stale.real;
    check_sql(&engine, change, "OK 0");
    engine.env.cluster = &stale.base;
}

static void recreate(const char *create)
{
    engine_call(&engine, take_snapshot);
    engine.env.cluster = stale.real;
    check_sql(&engine, "DROP TABLE t", "OK 0");
    check_sql(&engine, create, "OK 0");
    engine.env.cluster = &stale.base;
}

static void boot(void)
{
    engine_init(&engine);
    check_sql(&engine, "CREATE TABLE t (id INT PRIMARY KEY, a INT)", "OK 0");
    check_sql(&engine, "INSERT INTO t VALUES (1, 10)", "OK 1");
}

static void release(struct reactor *r, void *ctx)
{
    (void)r;
    if (stale.old)
        catalog_put(stale.old);
    stale.old = NULL;
    sem_post(&((struct engine *)ctx)->done);
}

static void halt(void)
{
    engine_call(&engine, release);
    engine_fini(&engine);
}

TestSuite(refresh, .init = boot, .fini = halt);

Test(refresh, new_table)
{
    change_behind("CREATE TABLE n (id INT PRIMARY KEY)");
    check_sql(&engine, "SELECT count(*) FROM n", "0\n");
    cr_assert_eq(stale.refreshes, 1);
    check_sql(&engine, "SELECT count(*) FROM t", "1\n");
    cr_assert_eq(stale.refreshes, 1, "not asked without an error");
}

Test(refresh, missing_table)
{
    change_behind("CREATE TABLE n (id INT PRIMARY KEY)");
    check_sql(&engine, "SELECT * FROM nowhere", "ERROR 1146");
    cr_assert_eq(stale.refreshes, 1);
    cr_assert_eq(engine.session.warning_count, 1);
    check_sql(&engine, "SELECT 1 + 1", "2\n");
    check_sql(&engine, "SELECT x FROM t WHERE", "ERROR 1064");
    cr_assert_eq(stale.refreshes, 1);
}

Test(refresh, other_columns)
{
    recreate("CREATE TABLE t (id INT PRIMARY KEY, b INT, c INT)");
    check_sql(&engine, "INSERT INTO t VALUES (1, 2, 3)", "OK 1");
    cr_assert_eq(stale.refreshes, 1);
    recreate("CREATE TABLE t (id INT PRIMARY KEY, d INT)");
    check_sql(&engine, "SELECT d FROM t", "");
    recreate("CREATE TABLE t (id INT PRIMARY KEY, e INT)");
    check_sql(&engine, "SELECT d FROM t", "ERROR 1054");
    recreate("CREATE TABLE t (id INT PRIMARY KEY, f INT)");
    check_sql(&engine, "UPDATE t SET f = 1", "OK 0 Rows matched: 0  Changed: 0  Warnings: 0");
}

Test(refresh, refused_write)
{
    recreate("CREATE TABLE t (id INT PRIMARY KEY, a INT)");
    check_sql(&engine, "INSERT INTO t VALUES (1, 2)", "OK 1");
    cr_assert_eq(stale.refreshes, 1);
    recreate("CREATE TABLE t (id INT PRIMARY KEY, a INT)");
    stale.refused_whole = false;
    check_sql(&engine, "REPLACE INTO t VALUES (1, 2)", "ERROR 1412");
    cr_assert_eq(stale.refreshes, 0, "a part may have been written");
}

Test(refresh, definitions_ask_first)
{
    change_behind("CREATE TABLE n (id INT PRIMARY KEY)");
    check_sql(&engine, "SHOW TABLES", "n\nt\n");
    change_behind("DROP TABLE n");
    check_sql(&engine, "SELECT count(*) FROM Information_Schema.tables WHERE table_name = 'n'",
              "0\n");
    cr_assert_eq(stale.refreshes, 1);
    change_behind("CREATE TABLE n (id INT PRIMARY KEY)");
    check_sql(&engine, "CREATE TABLE n (id INT PRIMARY KEY)", "ERROR 1050");
    cr_assert_eq(stale.refreshes, 1);
    change_behind("DROP TABLE n");
    check_sql(&engine, "CREATE TABLE IF NOT EXISTS n (id INT PRIMARY KEY)", "OK 0");
    check_sql(&engine, "DROP TABLE n", "OK 0");
}

Test(refresh, ended_while_waiting)
{
    const char *const statements[] = {"SELECT * FROM nowhere", "SHOW TABLES", "DROP TABLE t"};

    for (int i = 0; i < 3; i++) {
        engine_call(&engine, take_snapshot);
        engine.env.cluster = &stale.base;
        stale.kill = 1317;
        check_sql(&engine, statements[i], "ERROR 1317");
        stale.hangs = true;
        engine.env.timeout_ns = 20000000;
        check_sql(&engine, statements[i], "ERROR 3024");
        engine.env.timeout_ns = 0;
    }
    stale.hangs = false;
    stale.kill = 0;
    check_sql(&engine, "SELECT count(*) FROM t", "1\n");
}
