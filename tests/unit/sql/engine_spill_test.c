/*
 * Statements with more groups, values and rows than their memory holds: the answers are those with
 * memory for all, and nothing is left of the temporary files.
 */
#include <dirent.h>

#include "engine_world.h"
#include "storage/spill_file.h"

enum { ROWS = 120000, BATCH = 4000, ROW_TEXT = 160, LITTLE = 6 << 20 };

struct spill_world {
    struct engine e;
    struct spill_space space;
    char dir[128];
};

static uint32_t below(uint32_t n)
{
    static uint64_t state = 11;

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

static int put_row(char *to, uint32_t id)
{
    char k[16], s[40], d[32];

    snprintf(k, sizeof k, below(20) ? "%u" : "NULL", below(100000));
    snprintf(s, sizeof s, below(20) ? "'t%u%s'" : "NULL", below(50000),
             below(3) ? "" : "-and-more-of-it");
    snprintf(d, sizeof d, below(20) ? "%u.%02u" : "NULL", below(1000), below(100));
    return sprintf(to, "(%u,%s,%s,%s,%u.5,%u)", id, k, s, d, below(100000), below(7));
}

static void open_folder(struct reactor *r, void *ctx)
{
    struct spill_world *w = ctx;

    w->e.rc = spill_folder_clean(r, w->dir);
    sem_post(&w->e.done);
}

static void begin(struct spill_world *w, uint32_t rows)
{
    char *sql = malloc((size_t)BATCH * ROW_TEXT);

    cr_assert(sql);
    memset(w, 0, sizeof *w);
    engine_init(&w->e);
    snprintf(w->dir, sizeof w->dir, "%s/tmp", w->e.dir);
    w->space.dir = w->dir;
    reactor_post(reactor_group_get(w->e.group, 0), open_folder, w);
    while (sem_wait(&w->e.done))
        continue;
    cr_assert_eq(w->e.rc, 0);
    w->e.env.spill = &w->space;
    check_sql(&w->e,
              "CREATE TABLE t (id BIGINT PRIMARY KEY, k BIGINT, s VARCHAR(60), d DECIMAL(12,2), f "
              "DOUBLE, few BIGINT)",
              "OK 0");
    for (uint32_t from = 0; from < rows; from += BATCH) {
        int n = sprintf(sql, "INSERT INTO t VALUES ");
        for (uint32_t id = from; id < from + BATCH; id++) {
            n += sprintf(sql + n, "%s", id == from ? "" : ",");
            n += put_row(sql + n, id);
        }
        cr_assert(!strncmp(engine_run(&w->e, sql), "OK ", 3), "%.300s", w->e.text);
    }
    free(sql);
}

static void end(struct spill_world *w)
{
    struct dirent *entry;
    DIR *d = opendir(w->dir);

    cr_assert(d);
    while ((entry = readdir(d)))
        cr_expect(entry->d_name[0] == '.', "%s is left", entry->d_name);
    closedir(d);
    cr_expect_eq(w->space.used, 0);
    engine_fini(&w->e);
}

static int compare_lines(const void *p, const void *q)
{
    return strcmp(*(char *const *)p, *(char *const *)q);
}

/* The lines of an answer in order, as groups come in any. Freed by the caller. */
static char *sorted(const char *text)
{
    size_t n = 0, cap = 1024, len = strlen(text);
    char *copy = strdup(text), *out = malloc(len + 2), **lines = malloc(cap * sizeof *lines), *save;

    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (n == cap)
            lines = realloc(lines, (cap *= 2) * sizeof *lines);
        lines[n++] = line;
    }
    qsort(lines, n, sizeof *lines, compare_lines);
    out[0] = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)sprintf(out + at, "%s\n", lines[i]);
    free(lines);
    free(copy);
    return out;
}

/* The answer with much memory and with little, when the latter spills. */
static void check_spilled(struct spill_world *w, const char *sql)
{
    uint64_t before;

    w->e.env.statement_memory = 0;
    before = w->space.written;
    char *want = sorted(engine_run(&w->e, sql));
    cr_expect_eq(w->space.written, before, "%s: spills with much memory", sql);
    cr_assert(strncmp(want, "ERROR", 5), "%s: %.200s", sql, want);
    w->e.env.statement_memory = LITTLE;
    char *got = sorted(engine_run(&w->e, sql));
    cr_expect(!strcmp(got, want), "%s\n  got:  %.300s\n  want: %.300s", sql, got, want);
    cr_expect(w->space.written > before, "%s: nothing was spilled", sql);
    cr_expect_eq(w->space.used, 0, "%s: the file is still there", sql);
    free(got);
    free(want);
}

Test(engine_spill, groups)
{
    static const char *const questions[] = {
        "SELECT id + 0, count(*), sum(k), min(d), max(f), avg(d) FROM t GROUP BY id + 0",
        "SELECT concat(s, '.'), k % 3, count(*), sum(f), stddev_pop(f), sum(d), avg(k), bit_xor(k) "
        "FROM t GROUP BY concat(s, '.'), k % 3",
        "SELECT count(*), sum(c) FROM (SELECT k + 1 AS x, s, count(*) AS c FROM t GROUP BY k + 1, "
        "s) "
        "AS g",
        "SELECT id + 0 AS x, min(s), max(concat(s, k)) FROM t GROUP BY x HAVING x % 5 = 0",
        "SELECT concat(s, '.'), count(DISTINCT few + 0), group_concat(k ORDER BY id) FROM t "
        "WHERE id < 50000 GROUP BY concat(s, '.'), k % 100",
    };
    struct spill_world w;

    begin(&w, ROWS);
    for (unsigned i = 0; i < sizeof questions / sizeof *questions; i++)
        check_spilled(&w, questions[i]);
    end(&w);
}

Test(engine_spill, distinct)
{
    static const char *const questions[] = {
        "SELECT DISTINCT k + 0, s FROM t",
        "SELECT DISTINCT id + 0, concat(s, '-') FROM t WHERE few < 5",
        "SELECT count(*) FROM (SELECT DISTINCT id + 0, d FROM t) AS x",
    };
    struct spill_world w;

    begin(&w, ROWS);
    for (unsigned i = 0; i < sizeof questions / sizeof *questions; i++)
        check_spilled(&w, questions[i]);
    /* The end of a query that does not want all it spilled. */
    w.e.env.statement_memory = LITTLE;
    check_sql(&w.e, "SELECT count(*) FROM (SELECT DISTINCT id + 0, s FROM t LIMIT 119000) AS x",
              "119000\n");
    end(&w);
}

Test(engine_spill, distinct_aggregates)
{
    static const char *const questions[] = {
        "SELECT count(DISTINCT id + 0), count(*) FROM t",
        "SELECT count(DISTINCT concat(s, '.')), count(DISTINCT id + 1), sum(DISTINCT k + 0), "
        "avg(DISTINCT d "
        "+ 1), count(DISTINCT k + 0, few) FROM t",
        "SELECT few + 0, count(DISTINCT id + 0), sum(DISTINCT k + 0), max(s), count(DISTINCT s, d) "
        "FROM t "
        "GROUP BY few + 0",
        "SELECT k % 1000, count(DISTINCT concat(s, '.')), bit_xor(DISTINCT id + 0), sum(f) FROM t "
        "GROUP BY "
        "k % 1000",
        "SELECT k + 0, few, count(DISTINCT id + 0), count(DISTINCT concat(s, few)), min(d) FROM t "
        "GROUP BY "
        "k + 0, few",
        "SELECT count(DISTINCT id), count(DISTINCT s), count(DISTINCT k) FROM t",
        "SELECT few, count(DISTINCT id), sum(DISTINCT k) FROM t GROUP BY few",
    };
    struct spill_world w;

    begin(&w, ROWS);
    for (unsigned i = 0; i < sizeof questions / sizeof *questions; i++)
        check_spilled(&w, questions[i]);
    /* Lists of one group stay in memory. */
    w.e.env.statement_memory = LITTLE;
    check_sql(&w.e, "SELECT group_concat(DISTINCT id + 0) FROM t", "ERROR 1038 ");
    end(&w);
}

Test(engine_spill, joins)
{
    static const char *const questions[] = {
        "SELECT a.id, b.id, b.s, a.k FROM t a JOIN t b ON a.id = b.k + 0",
        "SELECT a.id, a.s, b.id, b.d FROM t a LEFT JOIN t b ON a.k = b.k + 1 AND a.few + 0 = b.few",
        "SELECT a.id, b.s FROM t a RIGHT JOIN t b ON a.id = b.id + 1000 AND b.few > a.few",
        "SELECT a.id, b.id, b.f FROM t a JOIN t b ON concat(a.s, a.few) = concat(b.s, b.few) WHERE "
        "a.id < 60000",
        "SELECT count(*), sum(a.few), sum(b.few), max(c.s) FROM t a JOIN t b ON a.id = b.id + 1 "
        "JOIN "
        "t c ON b.id = c.id + 1",
        "SELECT few, count(*), sum(x) FROM (SELECT a.few, b.k + c.few AS x FROM t a LEFT JOIN t b "
        "ON "
        "a.id = b.k + 2 LEFT JOIN t c ON b.id = c.id + 3 AND c.f > 50000) AS j GROUP BY few",
    };
    struct spill_world w;

    begin(&w, ROWS);
    for (unsigned i = 0; i < sizeof questions / sizeof *questions; i++)
        check_spilled(&w, questions[i]);
    /* Rows of one key cannot be told apart by parts. */
    w.e.env.statement_memory = LITTLE;
    check_sql(&w.e,
              "SELECT count(*) FROM t a JOIN t b ON a.few - a.few = b.few - b.few WHERE a.id < 3",
              "360000\n");
    check_sql(
        &w.e,
        "SELECT count(*), max(a.s), max(b.s) FROM t a JOIN t b ON a.few - a.few = b.few - b.few",
        "ERROR 1038 ");
    end(&w);
}

Test(engine_spill, sets)
{
    static const char *const questions[] = {
        "SELECT id, k, s FROM t INTERSECT SELECT id, k, s FROM t WHERE few <> 3",
        "SELECT id, k, s FROM t EXCEPT SELECT id, k, s FROM t WHERE few <> 3",
        /* The right side has room, what is given has none. */
        "SELECT id, s FROM t EXCEPT SELECT id, s FROM t WHERE id < 20",
        "SELECT count(*), sum(x) FROM (SELECT k AS x, few FROM t EXCEPT SELECT id + 0, 3 FROM t "
        "WHERE id < 1000) AS e",
        "SELECT count(*), sum(x), max(s) FROM (SELECT k AS x, s FROM t INTERSECT ALL SELECT k, s "
        "FROM t WHERE id % 3 = 0) AS i",
        "SELECT count(*), sum(x), sum(y) FROM (SELECT id % 50000 AS x, few AS y FROM t EXCEPT ALL "
        "SELECT id, few FROM t) AS e",
        "SELECT count(*), sum(x), max(s) FROM (SELECT id AS x, s FROM t UNION SELECT id + 60000, s "
        "FROM t) AS u",
    };
    struct spill_world w;

    begin(&w, ROWS);
    for (unsigned i = 0; i < sizeof questions / sizeof *questions; i++)
        check_spilled(&w, questions[i]);
    w.e.env.spill = NULL;
    check_sql(&w.e, "SELECT id, s FROM t INTERSECT SELECT id, s FROM t", "ERROR 1038 ");
    end(&w);
}

Test(engine_spill, recursion)
{
    static const char *const questions[] = {
        "WITH RECURSIVE r AS (SELECT id, s, 1 AS depth FROM t WHERE id < 40000 UNION ALL SELECT id "
        "+ 1, s, depth + 1 FROM r WHERE depth < 3) SELECT count(*), sum(id), max(s), sum(depth) "
        "FROM r",
        /* Rows given before come again. */
        "WITH RECURSIVE r AS (SELECT id, s FROM t WHERE id < 50000 UNION SELECT (id * 5 + 3) % "
        "60000, s FROM r WHERE s < 't2') SELECT count(*), sum(id), max(s) FROM r",
        "WITH RECURSIVE r AS (SELECT id AS x FROM t WHERE id < 20000 UNION SELECT x + 20000 FROM r "
        "WHERE x < 100000) SELECT count(*), sum(x) FROM r",
        /* The rows of a round are read twice. */
        "WITH RECURSIVE r AS (SELECT id AS x, 1 AS depth, s FROM t WHERE id < 30000 UNION ALL "
        "SELECT a.x + 100000, a.depth + 1, b.s FROM r a JOIN r b ON a.x = b.x WHERE a.depth < 3) "
        "SELECT count(*), sum(x), max(depth), max(s) FROM r",
    };
    struct spill_world w;

    begin(&w, ROWS);
    for (unsigned i = 0; i < sizeof questions / sizeof *questions; i++)
        check_spilled(&w, questions[i]);
    /* The end of a query that does not want all of a round. */
    w.e.env.statement_memory = LITTLE;
    check_sql(&w.e,
              "WITH RECURSIVE r AS (SELECT id, s FROM t UNION SELECT id + 1, s FROM r) SELECT "
              "count(*) FROM (SELECT * FROM r LIMIT 130000) AS x",
              "130000\n");
    w.e.env.spill = NULL;
    check_sql(&w.e,
              "WITH RECURSIVE r AS (SELECT id, s FROM t UNION SELECT id + 1, s FROM r) SELECT "
              "count(*) FROM r",
              "ERROR 1038 ");
    end(&w);
}

/* In the same order, with few long runs and with more runs than are merged at once. */
Test(engine_spill, order)
{
    static const char *const questions[] = {
        "SELECT s, k, id, d FROM t ORDER BY concat(s, '.') DESC, id",
        "SELECT id, f, few FROM t ORDER BY few DESC, k, id DESC",
        "SELECT id, s FROM t ORDER BY d + 0, id LIMIT 110000 OFFSET 1000",
        "SELECT id + 0 AS x, count(*), max(s) FROM t GROUP BY id + 0 ORDER BY max(s), x DESC",
    };
    static const uint32_t memory[] = {6 << 10, 3500, 3000};
    struct spill_world w;

    begin(&w, ROWS);
    for (unsigned i = 0; i < sizeof questions / sizeof *questions; i++) {
        w.e.env.statement_memory = 0;
        char *want = strdup(engine_run(&w.e, questions[i]));
        cr_expect_eq(w.space.used, 0);
        uint64_t once = 0;
        /* The last one needs memory for two operators. */
        for (unsigned k = 0; k < (i < 3 ? sizeof memory / sizeof *memory : 1); k++) {
            uint64_t before = w.space.written;
            w.e.env.statement_memory = (uint64_t)memory[k] << 10;
            const char *got = engine_run(&w.e, questions[i]);
            cr_expect(!strcmp(got, want), "%s with %u KiB\n  got:  %.300s\n  want: %.300s",
                      questions[i], memory[k], got, want);
            cr_expect(w.space.written > before, "%s with %u KiB: nothing was spilled", questions[i],
                      memory[k]);
            if (k == 0)
                once = w.space.written - before;
            if (i == 0 && k == 2) /* more than 16 runs: some rows are written twice */
                cr_expect(w.space.written - before > once * 5 / 4, "%llu pieces",
                          (unsigned long long)(w.space.written - before));
        }
        free(want);
    }
    /* It ends before all its runs were read, and while they are written. */
    w.e.env.statement_memory = LITTLE;
    check_sql(
        &w.e,
        "SELECT count(*) FROM (SELECT id FROM t ORDER BY concat(s, id) LIMIT 110000) AS x WHERE id "
        ">= 0",
        "110000\n");
    w.space.limit = 2 << 20;
    check_sql(&w.e, questions[0], "ERROR 1021 ");
    end(&w);
}

/* Rows of a part that are each longer than what is read at once. */
Test(engine_spill, long_rows)
{
    static const char row[] = "SELECT 7 AS k, repeat('x', 1200000) AS s";
    struct spill_world w;
    char sql[1000];
    int n = sprintf(sql, "SELECT count(*), sum(length(a.s)), count(b.few) FROM (");

    for (unsigned i = 0; i < 3; i++)
        n += sprintf(sql + n, "%s%s", i ? " UNION ALL " : "", row);
    sprintf(sql + n, ") AS a LEFT JOIN t b ON a.k = b.id + 0");
    begin(&w, ROWS);
    w.e.env.statement_memory = LITTLE + (10 << 20);
    check_sql(&w.e, sql, "3|3600000|3\n");
    cr_expect(w.space.written > 2 << 20, "nothing was spilled");
    end(&w);
}

/* With any memory a statement gives the right answer or says that it is not enough. */
Test(engine_spill, any_memory)
{
    static const char *const questions[] = {
        "SELECT count(*), sum(c), sum(d) FROM (SELECT id + 0 AS x, count(*) AS c, min(d) AS d FROM "
        "t GROUP "
        "BY x, s) AS g",
        "SELECT count(DISTINCT id + 0), count(DISTINCT concat(s, k)) FROM t",
        "SELECT count(*), min(s), max(x) FROM (SELECT DISTINCT id + 0 AS x, s FROM t) AS g",
        "SELECT count(*), sum(x), max(s) FROM (SELECT id AS x, s FROM t ORDER BY concat(s, id) "
        "LIMIT 1000000) "
        "AS o",
        "SELECT count(*), sum(b.k), max(b.s) FROM t a LEFT JOIN t b ON a.id = b.k + 0",
        "SELECT count(*), sum(x), max(s) FROM (SELECT id AS x, s FROM t EXCEPT SELECT id, s FROM t "
        "WHERE few = 3) AS e",
        "WITH RECURSIVE r AS (SELECT id AS x, s FROM t WHERE few < 4 UNION SELECT x + 10000, s "
        "FROM r WHERE x < 20000) SELECT count(*), sum(x), max(s) FROM r",
    };
    struct spill_world w;

    begin(&w, ROWS / 3);
    for (unsigned i = 0; i < sizeof questions / sizeof *questions; i++) {
        unsigned right = 0;
        w.e.env.statement_memory = 0;
        char *want = strdup(engine_run(&w.e, questions[i]));
        for (uint32_t kib = 100; kib < 12000; kib += kib / 8) {
            w.e.env.statement_memory = (uint64_t)kib << 10;
            const char *got = engine_run(&w.e, questions[i]);
            bool is_right = !strcmp(got, want);
            cr_expect(is_right || !strncmp(got, "ERROR 1038 ", 11) ||
                          !strncmp(got, "ERROR 1041 ", 11),
                      "%s with %u KiB: %s, not %s", questions[i], kib, got, want);
            cr_expect(is_right || kib < 6000, "%s fails with %u KiB: %s", questions[i], kib, got);
            right += is_right;
        }
        cr_expect(right > 5);
        free(want);
    }
    end(&w);
}

Test(engine_spill, limits)
{
    struct spill_world w;

    begin(&w, ROWS);
    w.e.env.statement_memory = LITTLE;
    w.space.limit = 1 << 20;
    check_sql(&w.e, "SELECT id + 0, count(*), min(s) FROM t GROUP BY id + 0, s", "ERROR 1021 ");
    cr_expect(strstr(w.e.text, "/tmp/spill-"), "%s", w.e.text);
    cr_expect_eq(w.space.used, 0);
    w.space.limit = 0;
    w.space.dir = "/nowhere";
    check_sql(&w.e, "SELECT id + 0, count(*), min(s) FROM t GROUP BY id + 0, s",
              "ERROR 1026 /nowhere: ");
    w.space.dir = w.dir;
    /* As it was without a place to spill. */
    w.e.env.spill = NULL;
    check_sql(&w.e, "SELECT id + 0, count(*), min(s) FROM t GROUP BY id + 0, s", "ERROR 1038 ");
    /* Groups that differ whenever they are computed cannot be put aside. */
    w.e.env.spill = &w.space;
    check_sql(&w.e, "SELECT count(*) FROM t GROUP BY rand()", "ERROR 1038 ");
    cr_expect_eq(w.space.used, 0);
    end(&w);
}

/* A sort that spills feeds windows: running totals need not the whole partition, others must have room for it. */
Test(engine_spill, windows)
{
    static const char *const questions[] = {
        "SELECT count(*), sum(x), sum(y), max(z) FROM (SELECT sum(k) OVER (ORDER BY few, id) AS x, "
        "row_number() OVER (ORDER BY few, id) AS y, count(s) OVER (ORDER BY few, id) AS z FROM t) "
        "q",
        "SELECT count(*), sum(x), max(y) FROM (SELECT sum(d) OVER (PARTITION BY k ORDER BY id ROWS "
        "BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS x, lead(s) OVER (PARTITION BY k ORDER BY id) AS y "
        "FROM t) q",
    };
    struct spill_world w;

    begin(&w, ROWS);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        check_spilled(&w, questions[i]);
    w.e.env.statement_memory = LITTLE;
    const char *got =
        engine_run(&w.e, "SELECT max(x) FROM (SELECT ntile(5) OVER (ORDER BY id) AS x "
                         "FROM t) q");
    cr_expect(!strncmp(got, "ERROR 1038", 10), "%s", got);
    end(&w);
}
