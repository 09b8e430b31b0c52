/* Window functions: values, frames, named windows, large partitions, errors. */
#include "engine_world.h"

static void make_sales(struct engine *e)
{
    engine_init(e);
    check_sql(e,
              "CREATE TABLE s (id BIGINT PRIMARY KEY, g VARCHAR(10), v BIGINT, d DECIMAL(8,2), ts "
              "DATETIME)",
              "OK 0");
    check_sql(e,
              "INSERT INTO s VALUES (1,'a',5,1.50,'2024-01-01'),(2,'a',3,2.50,'2024-01-02'),"
              "(3,'a',3,NULL,'2024-01-02 12:00:00'),(4,'b',7,3.25,'2024-02-01'),(5,'b',NULL,3.25,"
              "NULL)",
              "OK 5 Records: 5  Duplicates: 0  Warnings: 0");
}

Test(engine_window, ranks)
{
    struct engine e;

    make_sales(&e);
    check_sql(
        &e,
        "SELECT id, ROW_NUMBER() OVER (PARTITION BY g ORDER BY v, id), RANK() OVER (PARTITION "
        "BY g ORDER BY v), DENSE_RANK() OVER (PARTITION BY g ORDER BY v) FROM s ORDER BY id",
        "1|3|3|2\n2|1|1|1\n3|2|1|1\n4|2|2|2\n5|1|1|1\n");
    check_sql(
        &e,
        "SELECT id, PERCENT_RANK() OVER (ORDER BY v), CUME_DIST() OVER (ORDER BY v), NTILE(2) "
        "OVER (ORDER BY id) FROM s ORDER BY id",
        "1|0.75|0.8|1\n2|0.25|0.6|1\n3|0.25|0.6|1\n4|1|1|2\n5|0|0.2|2\n");
    check_sql(&e, "SELECT DISTINCT RANK() OVER (ORDER BY g) r FROM s ORDER BY r DESC", "4\n1\n");
    check_sql(&e, "SELECT id FROM s ORDER BY ROW_NUMBER() OVER (ORDER BY v DESC, id DESC) LIMIT 2",
              "4\n1\n");
    check_sql(&e, "SELECT RANK() OVER () FROM s WHERE id > 9", "");
    check_sql(&e, "SELECT ROW_NUMBER() OVER () + 1", "2\n");
    engine_fini(&e);
}

Test(engine_window, neighbours)
{
    struct engine e;

    make_sales(&e);
    check_sql(
        &e,
        "SELECT id, LAG(v) OVER w, LEAD(v, 2) OVER w, LAG(g, 1, 0) OVER w, LEAD(v, 1, 0.5) "
        "OVER w, LAG(v, 0) OVER w FROM s WINDOW w AS (ORDER BY id) ORDER BY id",
        "1|NULL|3|0|3.0|5\n2|5|7|a|3.0|3\n3|3|NULL|a|7.0|3\n4|3|NULL|a|NULL|7\n5|7|NULL|b|0.5|"
        "NULL\n");
    check_sql(&e,
              "SELECT id, FIRST_VALUE(id) OVER w, LAST_VALUE(id) OVER w, NTH_VALUE(id, 2) OVER w, "
              "LAST_VALUE(id) OVER (w ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM s "
              "WINDOW w AS (p ORDER BY id), p AS (PARTITION BY g) ORDER BY id",
              "1|1|1|NULL|3\n2|1|2|2|3\n3|1|3|2|3\n4|4|4|NULL|5\n5|4|5|5|5\n");
    engine_fini(&e);
}

Test(engine_window, frames)
{
    struct engine e;

    make_sales(&e);
    check_sql(
        &e,
        "SELECT id, SUM(v) OVER (PARTITION BY g ORDER BY v), SUM(v) OVER (PARTITION BY g), "
        "AVG(d) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING), COUNT(*) OVER "
        "(ORDER BY id ROWS 1 PRECEDING) FROM s ORDER BY id",
        "1|11|11|2.000000|1\n2|6|11|2.000000|2\n3|6|11|2.875000|2\n4|7|7|3.250000|2\n5|NULL|7|"
        "3.250000|2\n");
    check_sql(&e,
              "SELECT id, COUNT(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND "
              "CURRENT ROW), COUNT(*) OVER (ORDER BY v DESC RANGE BETWEEN 2 PRECEDING AND 1 "
              "FOLLOWING), MIN(d) OVER (ORDER BY d RANGE BETWEEN 0.75 PRECEDING AND CURRENT ROW), "
              "MAX(g) OVER (ORDER BY id ROWS BETWEEN 3 FOLLOWING AND 4 FOLLOWING) FROM s ORDER BY "
              "id",
              "1|1|2|1.50|b\n2|2|3|2.50|b\n3|2|3|NULL|NULL\n4|1|1|2.50|NULL\n5|1|1|2.50|NULL\n");
    check_sql(&e,
              "SELECT g, SUM(v), RANK() OVER (ORDER BY SUM(v) DESC), SUM(COUNT(*)) OVER () FROM s "
              "GROUP BY g ORDER BY g",
              "a|11|1|5\nb|7|2|5\n");
    check_sql(&e,
              "SELECT g, ROW_NUMBER() OVER (ORDER BY g) FROM s GROUP BY g ORDER BY 2 DESC "
              "LIMIT 1",
              "b|2\n");
    check_sql(&e, "SELECT id, COUNT(v) FILTER (WHERE v > 3) OVER (ORDER BY id) FROM s ORDER BY id",
              "1|1\n2|1\n3|1\n4|2\n5|2\n");
    engine_fini(&e);
}

/* Partitions of which a part is handed on before they end, and frames that need a tree. */
Test(engine_window, many_rows)
{
    enum { ROWS = 40000 };
    static const struct {
        const char *call, *wrong;
    } questions[] = {
        {"SUM(id) OVER (ORDER BY id)", "x <> id * (id + 1) DIV 2"},
        {"SUM(id) OVER (ORDER BY id DESC)", "x <> 800020000 - id * (id - 1) DIV 2"},
        {"ROW_NUMBER() OVER (ORDER BY id)", "x <> id"},
        {"RANK() OVER (ORDER BY id DIV 10)", "x <> greatest(1, id DIV 10 * 10)"},
        {"DENSE_RANK() OVER (ORDER BY id DIV 10)", "x <> id DIV 10 + 1"},
        {"COUNT(*) OVER (ORDER BY id DIV 30000)", "x <> if(id < 30000, 29999, 40000)"},
        {"MAX(id) OVER (ORDER BY id)", "x <> id"},
        {"MIN(id) OVER (ORDER BY id ROWS BETWEEN 700 PRECEDING AND CURRENT ROW)",
         "x <> greatest(1, id - 700)"},
        {"SUM(id) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
         "x <> 800020000 - id * (id - 1) DIV 2"},
        {"AVG(id) OVER (ORDER BY id RANGE BETWEEN 100 PRECEDING AND 100 FOLLOWING)",
         "id BETWEEN 101 AND 39900 AND x <> id"},
        {"COUNT(*) OVER (PARTITION BY id % 3)", "x <> 13333 + (id % 3 = 1)"},
    };
    char *sql = malloc(ROWS * 8);
    struct engine e;
    int n;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE n (id BIGINT PRIMARY KEY)", "OK 0");
    n = sprintf(sql, "INSERT INTO n VALUES (1)");
    for (int i = 2; i <= ROWS; i++)
        n += sprintf(sql + n, ",(%d)", i);
    cr_assert(!strncmp(engine_run(&e, sql), "OK ", 3), "%.300s", e.text);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        sprintf(sql, "SELECT count(*), sum(%s) FROM (SELECT id, %s AS x FROM n) q",
                questions[i].wrong, questions[i].call);
        check_sql(&e, sql, "40000|0\n");
    }
    free(sql);
    engine_fini(&e);
}

Test(engine_window, errors)
{
    static const char *const wrong[][2] = {
        {"SELECT id FROM s WHERE ROW_NUMBER() OVER () = 1", "ERROR 3593\n"},
        {"SELECT g FROM s GROUP BY ROW_NUMBER() OVER ()", "ERROR 3593\n"},
        {"SELECT SUM(ROW_NUMBER() OVER ()) FROM s", "ERROR 3593\n"},
        {"SELECT SUM(ROW_NUMBER() OVER ()) OVER () FROM s", "ERROR 3593\n"},
        {"SELECT UPPER(g) OVER () FROM s", "ERROR 3593\n"},
        {"UPDATE s SET v = RANK() OVER ()", "ERROR 3593\n"},
        {"SELECT RANK() OVER () r FROM s HAVING r > 1", "ERROR 3594\n"},
        {"SELECT RANK() OVER () r FROM s GROUP BY r", "ERROR 3594\n"},
        {"SELECT RANK() OVER w FROM s", "ERROR 3579\n"},
        {"SELECT RANK() OVER v FROM s WINDOW v AS (w), w AS (v)", "ERROR 3580\n"},
        {"SELECT RANK() OVER (w PARTITION BY g) FROM s WINDOW w AS ()", "ERROR 3581\n"},
        {"SELECT RANK() OVER (w) FROM s WINDOW w AS (ROWS 1 PRECEDING)", "ERROR 3582\n"},
        {"SELECT RANK() OVER (w ORDER BY g) FROM s WINDOW w AS (ORDER BY v)", "ERROR 3583\n"},
        {"SELECT SUM(v) OVER (ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW) FROM s",
         "ERROR 3584\n"},
        {"SELECT SUM(v) OVER (ROWS BETWEEN 1 PRECEDING AND UNBOUNDED PRECEDING) FROM s",
         "ERROR 3585\n"},
        {"SELECT SUM(v) OVER (ROWS 1.5 PRECEDING) FROM s", "ERROR 3586\n"},
        {"SELECT SUM(v) OVER (ROWS BETWEEN 1 FOLLOWING AND CURRENT ROW) FROM s", "ERROR 3586\n"},
        {"SELECT SUM(v) OVER (ORDER BY id, v RANGE 1 PRECEDING) FROM s", "ERROR 3587\n"},
        {"SELECT SUM(v) OVER (ORDER BY g RANGE 1 PRECEDING) FROM s", "ERROR 3587\n"},
        {"SELECT SUM(v) OVER (ORDER BY ts RANGE 1 PRECEDING) FROM s", "ERROR 3588\n"},
        {"SELECT SUM(v) OVER (ORDER BY v RANGE INTERVAL 1 DAY PRECEDING) FROM s", "ERROR 3589\n"},
        {"SELECT RANK() OVER w FROM s WINDOW w AS (), w AS ()", "ERROR 3591\n"},
        {"SELECT RANK() OVER (ORDER BY 1) FROM s", "ERROR 3592\n"},
        {"SELECT SUM(DISTINCT v) OVER () FROM s", "ERROR 1235\n"},
        {"SELECT LAG(v, -1) OVER (ORDER BY id) FROM s", "ERROR 1210\n"},
        {"SELECT NTILE(0) OVER (ORDER BY id) FROM s", "ERROR 1210\n"},
        {"SELECT NTH_VALUE(v) OVER (ORDER BY id) FROM s", "ERROR 1582\n"},
        {"SELECT SUM(v) OVER (ORDER BY id), v FROM s GROUP BY g", "ERROR 1055\n"},
    };
    struct engine e;

    make_sales(&e);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *got = engine_run(&e, wrong[i][0]);
        cr_expect(!strncmp(got, wrong[i][1], strlen(wrong[i][1]) - 1), "%s: %s", wrong[i][0], got);
    }
    engine_fini(&e);
}
