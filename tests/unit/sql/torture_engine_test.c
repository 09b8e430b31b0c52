/*
 * Statements when an allocation fails, on any core: an error or the right answer, rows whole, and afterwards
 * everything as if nothing had been.
 */
#include "unit/fail_alloc.h"

/* The test's own text of answers always finds room. */
#define realloc fail_alloc_real_realloc
#include "engine_world.h"
#include "reactor/log.h"
#undef realloc

enum { ROWS = 300 };

static const char *const questions[] = {
    "SELECT count(*), sum(v), min(s), max(d) FROM t",
    "SELECT s, count(*), sum(v) FROM t GROUP BY s ORDER BY s",
    "SELECT k, v, s, d, tags FROM t WHERE v > 50 AND s IN ('s1', 's2') ORDER BY v DESC, k LIMIT 5",
    "SELECT * FROM t WHERE k = 17",
    "SELECT DISTINCT v % 7 FROM t ORDER BY 1",
    "SELECT count(DISTINCT s), avg(v) FROM t WHERE tags = 'x'",
    "SELECT p.name, count(*), sum(t.v) FROM t JOIN p ON t.pid = p.id GROUP BY p.name ORDER BY "
    "p.name",
    "SELECT a.k, b.k FROM t a JOIN t b ON a.v = b.k + 1 WHERE a.k < 20 ORDER BY 1, 2",
    "SELECT k FROM t WHERE (s, v) IN (SELECT s, max(v) FROM t GROUP BY s) AND k + 0x1 > 1 ORDER BY "
    "k",
    "SELECT k FROM t WHERE v = (SELECT max(v) FROM t WHERE k < 100) ORDER BY k",
    "SELECT s, n FROM (SELECT s, count(*) AS n FROM t GROUP BY s) x WHERE n > 3 ORDER BY n, s "
    "LIMIT 3",
    "SELECT 1 UNION SELECT v FROM t WHERE k < 4 ORDER BY 1",
    "SELECT upper(concat(s, '-', k)), k / 3, if(v > 10, 'x', NULL) FROM t WHERE k < 6 ORDER BY k",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'quanta' ORDER BY 1",
    "SHOW COLUMNS FROM t",
    "EXPLAIN SELECT s, count(*) FROM t WHERE v > 3 GROUP BY s",
    "EXPLAIN FORMAT=JSON SELECT s FROM t WHERE v > (SELECT min(v) FROM t) ORDER BY v + 1",
    "EXPLAIN FORMAT=TRADITIONAL UPDATE t SET v = 1 WHERE v > 3",
};

/* The rows of t as they were at first. */
static void fill(struct engine *e)
{
    char *sql = malloc(ROWS * 100);
    size_t n = (size_t)sprintf(sql, "INSERT INTO t VALUES ");

    for (int k = 0; k < ROWS; k++)
        n += (size_t)sprintf(sql + n, "%s(%d, %d, 's%d', %d.25, '%s', %d)", k ? ", " : "", k,
                             k * 37 % 101, k % 9, k - 100, k % 2 ? "x|y" : "z", k % 4);
    check_sql(e, "TRUNCATE TABLE t", "OK 0");
    engine_run(e, sql);
    cr_assert(!strncmp(e->text, "OK 300", 6), "%s", e->text);
    free(sql);
}

static void begin(struct engine *e)
{
    log_level = LOG_ERROR;
    engine_init(e);
    check_sql(e, "CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(20))", "OK 0");
    check_sql(
        e,
        "CREATE TABLE t (k INT PRIMARY KEY, v INT, s VARCHAR(20), d DECIMAL(10,2), tags "
        "VARCHAR(50) COMMENT 'strategy=StringEnum multivalued delim=|', pid INT REFERENCES p (id))",
        "OK 0");
    engine_run(e, "INSERT INTO p VALUES (0, 'zero'), (1, 'one'), (2, 'two')");
    fill(e);
}

static struct fail_alloc *at_work;

static void start_armed(struct reactor *r, void *ctx)
{
    fail_alloc_arm(at_work);
    engine_start(r, ctx);
}

/* Runs with failures: true when the answer is an error, which only a failed allocation excuses. */
static bool fails(struct engine *e, struct fail_alloc *f, const char *sql)
{
    e->len = 0;
    engine_put(e, "", 0);
    e->sql = sql;
    at_work = f;
    engine_call(e, start_armed);
    bool failed = fail_alloc_disarm(f),
         is_error = strstr(e->text, "ERROR ") != NULL; /* perhaps after rows */

    cr_assert(failed || !is_error, "%s\n%s", sql, e->text);
    return is_error;
}

Test(torture_engine, questions)
{
    struct engine e;

    begin(&e);
    for (unsigned i = 0; i < sizeof questions / sizeof *questions; i++) {
        char *right = strdup(engine_run(&e, questions[i]));

        cr_assert(strncmp(right, "ERROR", 5), "%s: %s", questions[i], right);
        FAIL_ALLOC_EACH(f)
        {
            if (!fails(&e, &f, questions[i]))
                cr_assert_str_eq(e.text, right, "%s with allocation %d: %s", questions[i], (int)f.n,
                                 e.text);
            if (f.n % 16 == 1)
                cr_assert_str_eq(engine_run(&e, questions[i]), right, "%s after %d: %s",
                                 questions[i], (int)f.n, e.text);
        }
        free(right);
    }
    engine_fini(&e);
}

/* Is a line of rows, up to its end, one of those of a text? */
static bool has_line(const char *text, const char *line, size_t n)
{
    for (const char *at = text; at && *at; at = strchr(at, '\n') + 1) {
        if (!strncmp(at, line, n))
            return true;
    }
    return false;
}

/* Every row is as before or as after; none is there twice. */
static void check_whole(const char *rows, const char *before, const char *after, const char *sql)
{
    long last = -1;

    for (const char *at = rows; *at; at = strchr(at, '\n') + 1) {
        size_t n = (size_t)(strchr(at, '\n') - at) + 1;

        cr_assert(has_line(before, at, n) || has_line(after, at, n), "%s: %.*s", sql, (int)n, at);
        cr_assert_gt(atol(at), last, "%s: %.*s", sql, (int)n, at);
        last = atol(at);
    }
}

/*
 * The rows as at first. When there was no memory to log what a write had changed before memory ended, writes are
 * refused until a restart.
 */
static void renew(struct engine *e)
{
    if (strncmp(engine_run(e, "TRUNCATE TABLE t"), "ERROR", 5)) {
        fill(e);
        return;
    }
    engine_fini(e);
    begin(e);
}

static const char *const writes[] = {
    "REPLACE INTO t SELECT k + 250, v + 1, concat('new', k), d, 'x|y|w', pid FROM t WHERE k < 100",
    "UPDATE t SET v = 1000, s = concat('longer ', k), d = NULL WHERE k % 3 = 0",
    "DELETE FROM t WHERE k % 2 = 1",
    "INSERT INTO t (k, v, s) VALUES (7, 1, 'a'), (2000, 2, 'b') ON DUPLICATE KEY UPDATE s = 'dup', "
    "v = 0",
    "REPLACE INTO t VALUES (9000, 1, 's', 1.5, 'x', 1)",
};

Test(torture_engine, writes)
{
    static const char all[] = "SELECT k, v, s, d, tags, pid FROM t ORDER BY k";
    struct engine e;

    begin(&e);
    for (unsigned i = 0; i < sizeof writes / sizeof *writes; i++) {
        renew(&e);
        char *before = strdup(engine_run(&e, all));
        cr_assert(!strncmp(engine_run(&e, writes[i]), "OK", 2), "%s", e.text);
        char *after = strdup(engine_run(&e, all));

        FAIL_ALLOC_EACH(f)
        {
            renew(&e);
            bool is_error = fails(&e, &f, writes[i]);
            engine_run(&e, all);
            if (is_error)
                check_whole(e.text, before, after, writes[i]);
            else
                cr_assert_str_eq(e.text, after, "%s with allocation %d", writes[i], (int)f.n);
        }
        free(before);
        free(after);
    }
    engine_fini(&e);
}

Test(torture_engine, definitions)
{
    struct engine e;

    begin(&e);
    FAIL_ALLOC_EACH(f)
    {
        bool is_error = fails(&e, &f, "CREATE TABLE other (a INT PRIMARY KEY, b VARCHAR(20))");

        engine_run(&e, "INSERT INTO other VALUES (1, 'x')");
        cr_assert(!strncmp(e.text, "OK 1", 4) || is_error, "%s", e.text);
        is_error = fails(&e, &f, "DROP TABLE IF EXISTS other");
        engine_run(&e, "DROP TABLE IF EXISTS other");
        cr_assert(!strncmp(e.text, "OK", 2), "%s", e.text);
    }
    check_sql(&e, "SELECT count(*) FROM t", "300\n");
    engine_fini(&e);
}
