/* @name := value, sample_stratified, SLEEP. */
#include "engine_world.h"

static void begin(struct engine *e)
{
    engine_init(e);
    check_sql(e, "CREATE TABLE t (a INT, b INT, f VARCHAR(10), PRIMARY KEY (a, b))", "OK 0");
    check_sql(e,
              "INSERT INTO t VALUES (1,1,'x'),(1,2,'x'),(2,1,'x'),(2,2,'x'),(3,1,'y'),(3,2,'y'),"
              "(4,1,NULL)",
              "OK 7 Records: 7  Duplicates: 0  Warnings: 0");
}

Test(engine_variable, assignment)
{
    struct engine e;

    begin(&e);
    check_sql(&e, "SELECT @n := 5, @n + 1", "5|6\n");
    check_sql(&e, "SELECT @n", "5\n");
    check_sql(&e, "SELECT max(n) FROM (SELECT @n := @n + 1 AS n FROM t, (SELECT @n := 0) z) q",
              "7\n");
    check_sql(&e, "SELECT @n", "7\n");
    check_sql(&e, "SELECT count(*) FROM t WHERE (@k := ifnull(@k, 0) + 1) <= 3", "3\n");
    check_sql(&e, "SELECT @s := concat('a', 'b'), @s, upper(@s)", "ab|ab|AB\n");
    check_sql(&e, "SELECT @s := NULL, @s", "NULL|NULL\n");
    check_sql(&e, "DO @d := 3", "OK 0");
    check_sql(&e, "SELECT @d", "3\n");
    engine_fini(&e);
}

Test(engine_variable, sample_stratified)
{
    struct engine e;

    begin(&e);
    check_sql(&e,
              "SELECT f, count(*) FROM t WHERE sample_stratified('f', 50) GROUP BY f ORDER BY f",
              "x|2\ny|1\n");
    check_sql(&e, "SELECT count(*) FROM t AS other WHERE sample_stratified('f', 100)", "6\n");
    check_sql(&e, "SELECT count(*) FROM t WHERE sample_stratified('f', 0)", "0\n");
    check_sql(&e, "SELECT count(*) FROM t WHERE sample_stratified('f', 75) AND f = 'x'", "3\n");
    check_sql(&e, "SELECT 1 FROM t WHERE sample_stratified('f')",
              "ERROR 1582 Expected 2 args for stratified_sample(fieldName, percentage) but got 1");
    check_sql(&e, "SELECT 1 FROM t WHERE sample_stratified('g', 1)", "ERROR 1054");
    check_sql(&e, "SELECT 1 FROM t WHERE sample_stratified('f', 100.5)", "ERROR 1210");
    check_sql(&e, "SELECT sample_stratified('f', 10) FROM t", "ERROR 1210");
    check_sql(&e, "CREATE TABLE h (f INT)", "OK 0");
    check_sql(&e, "SELECT 1 FROM h WHERE sample_stratified('f', 10)", "ERROR 1235");
    engine_fini(&e);
}

Test(engine_variable, sleep)
{
    struct engine e;

    begin(&e);
    check_sql(&e, "SELECT sleep(0), sleep(0.001)", "0|0\n");
    check_sql(&e, "SELECT count(*) FROM t WHERE sleep(0.001)", "0\n");
    check_sql(&e, "SELECT a FROM t WHERE sleep(0.001)", "");
    check_sql(&e, "DO sleep(0.001)", "OK 0");
    check_sql(&e, "SELECT sleep(NULL)", "ERROR 1210");
    check_sql(&e, "SELECT sleep(-1)", "ERROR 1210");
    check_sql(&e, "SELECT /*+ MAX_EXECUTION_TIME(20) */ sleep(100000)", "ERROR 3024");
    engine_fini(&e);
}
