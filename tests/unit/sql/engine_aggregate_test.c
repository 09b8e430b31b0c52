/* Aggregates that the cores compute, beside the same ones computed by the gateway, which an expression forces. */
#include "engine_world.h"

enum { ROWS = 30000, BATCH = 5000, ROW_TEXT = 200 };

static uint32_t below(uint32_t n)
{
    static uint64_t state = 7;

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

static const char *or_null(char *text, size_t size, const char *fmt, int64_t v)
{
    snprintf(text, size, fmt, (long long)v);
    return below(12) ? text : "NULL";
}

static int put_row(char *to, uint32_t id)
{
    char few[32], many[32], wide[32], d[32], day[32], ts[48];

    return sprintf(to, "(%u,%s,%s,%s,%s,%s,%s,'%c',NULL)", id,
                   or_null(few, sizeof few, "%lld", (int64_t)below(21) - 10),
                   or_null(many, sizeof many, "%lld", (int64_t)below(200000) - 100000),
                   or_null(wide, sizeof wide, "%lld",
                           ((int64_t)below(1u << 31) - (1 << 30)) * 4000000000),
                   or_null(d, sizeof d, "%lld.25", (int64_t)below(900) - 450),
                   or_null(day, sizeof day, "'2026-01-%02lld'", 1 + below(31)),
                   or_null(ts, sizeof ts, "'2026-01-01 00:00:%02lld.125'", below(60)),
                   (char)('x' + below(3)));
}

/* Integers around 0: with ties, in many pieces of counters, and far apart; decimals, times, NULLs. */
static void make_numbers(struct engine *e)
{
    char *sql = malloc(BATCH * ROW_TEXT), answer[80];

    cr_assert(sql);
    engine_init(e);
    check_sql(e,
              "CREATE TABLE n (id BIGINT PRIMARY KEY, few BIGINT, many BIGINT, wide BIGINT, d "
              "DECIMAL(12,2), day DATE, ts DATETIME(3), e ENUM('x','y','z'), nothing BIGINT)",
              "OK 0");
    for (uint32_t from = 0; from < ROWS; from += BATCH) {
        int n = sprintf(sql, "INSERT INTO n VALUES ");
        for (uint32_t id = from; id < from + BATCH; id++) {
            n += sprintf(sql + n, "%s", id == from ? "" : ",");
            n += put_row(sql + n, id);
        }
        snprintf(answer, sizeof answer, "OK %d Records: %d  Duplicates: 0  Warnings: 0", BATCH,
                 BATCH);
        check_sql(e, sql, answer);
    }
    check_sql(e, "DELETE FROM n WHERE id % 7 = 3 AND id < 20000", "OK 2857");
    free(sql);
}

/* The statement, and the same with `plain` replaced by what the cores do not compute, answer the same. */
static void check_both(struct engine *e, const char *fmt, const char *plain, const char *other)
{
    char sql[800], *first;

    snprintf(sql, sizeof sql, fmt, plain, plain);
    first = strdup(engine_run(e, sql));
    snprintf(sql, sizeof sql, fmt, other, other);
    cr_assert_str_eq(engine_run(e, sql), first, "%s", sql);
    cr_assert(strncmp(first, "ERROR", 5), "%s", first);
    free(first);
}

Test(engine_aggregate, percentiles)
{
    static const char *const columns[][2] = {{"few", "few + 0"},   {"many", "many + 0"},
                                             {"wide", "wide + 0"}, {"d", "d + 0"},
                                             {"id", "id + 0"},     {"nothing", "nothing + 0"}};
    static const char *const wheres[] = {"TRUE", "e = 'y'", "id = 77", "many > 99000", "FALSE"};
    struct engine e;

    make_numbers(&e);
    for (unsigned i = 0; i < sizeof columns / sizeof *columns; i++)
        for (unsigned k = 0; k < sizeof wheres / sizeof *wheres; k++) {
            char sql[400];
            snprintf(sql, sizeof sql,
                     "SELECT percentile_cont(0.37) WITHIN GROUP (ORDER BY %%s DESC), "
                     "percentile_disc(0.9) WITHIN GROUP (ORDER BY %%s) + 0 FROM n WHERE %s",
                     wheres[k]);
            check_both(&e, sql, columns[i][0], columns[i][1]);
            for (unsigned f = 0; f <= 4; f++) {
                snprintf(sql, sizeof sql,
                         "SELECT percentile_cont(%u / 4.0) WITHIN GROUP (ORDER BY %%s), "
                         "percentile_disc(%u / 4.0) WITHIN GROUP (ORDER BY %%s DESC) + 0 "
                         "FROM n WHERE %s",
                         f, f, wheres[k]);
                check_both(&e, sql, columns[i][0], columns[i][1]);
            }
        }
    check_both(&e,
               "SELECT percentile_disc(0.3) WITHIN GROUP (ORDER BY %s), percentile_cont(0.3) "
               "WITHIN GROUP (ORDER BY %s) FROM n",
               "day", "coalesce(day, day)");
    check_both(&e,
               "SELECT percentile_disc(0.3) WITHIN GROUP (ORDER BY %s), percentile_cont(0.3) "
               "WITHIN GROUP (ORDER BY %s) FROM n",
               "ts", "coalesce(ts, ts)");
    engine_fini(&e);
}

Test(engine_aggregate, percentile_by_hand)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE t (id BIGINT PRIMARY KEY, a BIGINT, d DECIMAL(12,2), dt DATE)",
              "OK 0");
    check_sql(&e, "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t", "NULL\n");
    check_sql(&e,
              "INSERT INTO t VALUES (1,1,1.10,'2026-01-01'),(2,2,2.25,'2026-01-02'),(3,NULL,NULL,"
              "NULL),(4,10,-3.50,'2026-02-01'),(5,2,0.05,'2026-02-28')",
              "OK 5 Records: 5  Duplicates: 0  Warnings: 0");
    check_sql(&e,
              "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a), percentile_cont(0.9) WITHIN "
              "GROUP (ORDER BY a), percentile_disc(0.9) WITHIN GROUP (ORDER BY a) FROM t",
              "2.0000|7.6000|10\n");
    check_sql(&e, "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY d) FROM t", "0.05\n");
    check_sql(&e, "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY d DESC) FROM t", "1.10\n");
    check_sql(&e, "SELECT percentile_disc(1) WITHIN GROUP (ORDER BY dt) FROM t HAVING TRUE",
              "2026-02-28\n");
    check_sql(&e, "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t WHERE id = 4",
              "10.0000\n");
    cr_assert(
        !strncmp(engine_run(&e, "SELECT percentile_cont(1.5) WITHIN GROUP (ORDER BY a) FROM t"),
                 "ERROR 1210", 10));
    check_sql(&e, "EXPLAIN SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t",
              "-> project percentile_cont(0.5) WITHIN GROUP (ORDER BY a)\n   -> aggregate "
              "percentile_cont(0.5, a)\n      -> scan t, on the cores: numbers of rows by a\n");
    engine_fini(&e);
}

/* Constants are no groups: all rows are one, and no rows are none. */
Test(engine_aggregate, groups_of_constants)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE t (id BIGINT PRIMARY KEY, a BIGINT)", "OK 0");
    check_sql(&e, "SELECT 1 x, count(*) FROM t GROUP BY x", "");
    check_sql(&e, "SELECT count(*) FROM t GROUP BY NULL", "");
    check_sql(&e, "SELECT sum(a), count(*) FROM t", "NULL|0\n");
    check_sql(&e, "INSERT INTO t VALUES (1, 2), (2, 3)",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT 'k' k, sum(a) FROM t GROUP BY k", "k|5\n");
    check_sql(&e, "SELECT 'k' k FROM t WHERE id > 2 GROUP BY 1", "");
    check_sql(&e, "SELECT sum(a) FROM t GROUP BY 1.1 HAVING count(1) > 0", "5\n");
    check_sql(&e, "SELECT sum(a) FROM t GROUP BY 1.1 HAVING sum(a) > 5", "");
    check_sql(&e, "SELECT sum(a) FROM t WHERE a + 0 > 9 GROUP BY 'x'", "");
    engine_fini(&e);
}
