/* Queries over tables: conditions on the cores and in the gateway, groups, joins, subqueries, errors. */
#include "engine_world.h"

static void make_tables(struct engine *e)
{
    engine_init(e);
    check_sql(e,
              "CREATE TABLE t (id BIGINT PRIMARY KEY, a BIGINT, d DECIMAL(12,2), s VARCHAR(20), e "
              "ENUM('x','y','z'), dt DATE, "
              "ts DATETIME, l BOOL, m SET('p','q','r'))",
              "OK 0");
    check_sql(e,
              "INSERT INTO t VALUES (1,1,1.10,'a','x','2026-01-01','2026-01-01 10:00:00',1,'p,q'),"
              "(2,2,2.25,'b','y','2026-01-02','2026-01-02 "
              "10:00:00',0,'q'),(3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),"
              "(4,10,-3.50,'12x','x','2026-02-01','2026-02-01 "
              "00:00:00',1,'r,p'),(5,2,0.05,'A','z','2026-02-28',NULL,0,'p')",
              "OK 5 Records: 5  Duplicates: 0  Warnings: 0");
    check_sql(e, "CREATE TABLE u (k BIGINT PRIMARY KEY, t_id BIGINT, v BIGINT)", "OK 0");
    check_sql(e, "INSERT INTO u VALUES (1,1,10),(2,1,20),(3,4,30),(4,NULL,40),(5,9,50)",
              "OK 5 Records: 5  Duplicates: 0  Warnings: 0");
}

Test(engine_query, conditions)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT id FROM t WHERE a > 1.5 ORDER BY id", "2\n4\n5\n");
    check_sql(&e, "SELECT id FROM t WHERE a = 1.5", "");
    check_sql(&e, "SELECT id FROM t WHERE a <> 1.5 ORDER BY id", "1\n2\n4\n5\n");
    check_sql(&e, "SELECT id FROM t WHERE NOT (a > 1 AND d > 0) ORDER BY id", "1\n4\n");
    check_sql(&e, "SELECT id FROM t WHERE a NOT IN (1, NULL)", "");
    check_sql(&e, "SELECT id FROM t WHERE d = 0.05 OR d < -3.499 ORDER BY id", "4\n5\n");
    check_sql(&e, "SELECT id FROM t WHERE s = 'a' OR s LIKE '%x' ORDER BY id", "1\n4\n");
    check_sql(&e, "SELECT id FROM t WHERE s = 12", "4\n");
    check_sql(&e, "SELECT id FROM t WHERE dt BETWEEN '2026-01-02' AND '2026-02-01' ORDER BY id",
              "2\n4\n");
    check_sql(&e, "SELECT id FROM t WHERE ts > '2026-01-02' ORDER BY id", "2\n4\n");
    check_sql(&e, "SELECT id FROM t WHERE dt > '2026-02-27 12:00:00'", "5\n");
    check_sql(&e, "SELECT id FROM t WHERE l ORDER BY id", "1\n4\n");
    check_sql(&e, "SELECT id FROM t WHERE a <=> NULL", "3\n");
    check_sql(&e, "SELECT id FROM t WHERE (a > 1) IS NOT TRUE ORDER BY id", "1\n3\n");
    check_sql(&e, "SELECT id FROM t WHERE a + d > 4 ORDER BY id", "2\n4\n");
    check_sql(&e, "SELECT COUNT(*) FROM t WHERE a > 99999999999999999999", "0\n");
    engine_fini(&e);
}

Test(engine_query, rows_in_subqueries)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e,
              "SELECT id FROM t WHERE (e, a) IN (SELECT e, max(a) FROM t GROUP BY e) ORDER BY id",
              "2\n4\n5\n");
    check_sql(
        &e,
        "SELECT id, (s,a) IN (SELECT s,a FROM t WHERE id < 3), (s,a) NOT IN (SELECT s,a FROM t "
        "WHERE id < 3) FROM t ORDER BY id",
        "1|1|0\n2|1|0\n3|NULL|NULL\n4|0|1\n5|0|1\n");
    /* A row with NULLs in the set makes others unknown, but those it differs from. */
    check_sql(
        &e,
        "SELECT id FROM t WHERE (id,a) NOT IN (SELECT id,a FROM t WHERE id IN (1,3)) ORDER BY id",
        "2\n4\n5\n");
    check_sql(&e, "SELECT id FROM t WHERE (a,s) NOT IN (SELECT a,s FROM t WHERE id IN (1,3))", "");
    check_sql(&e, "SELECT count(*) FROM t WHERE (a,s) NOT IN (SELECT a,s FROM t WHERE 1=0)", "5\n");
    check_sql(&e,
              "SELECT id FROM t WHERE (a,d) IN (SELECT '2', 2.250) OR (a,s) = ANY (SELECT 1,'a') "
              "ORDER BY id",
              "1\n2\n");
    check_sql(&e,
              "SELECT (1,2) IN (SELECT 1,2), (1,NULL) IN (SELECT 1,2), (1,NULL) IN (SELECT 2,2), "
              "(1,2) IN (SELECT 1,NULL)",
              "1|NULL|0|NULL\n");
    check_sql(&e, "DELETE FROM t WHERE (id,a) IN (SELECT id, a FROM t WHERE id > 4)", "OK 1");
    check_sql(&e, "SELECT (1,2) IN (SELECT 1)", "ERROR 1241");
    check_sql(&e, "SELECT 1 IN (SELECT 1,2)", "ERROR 1241");
    check_sql(&e, "SELECT (1,2) = (SELECT 1,2)", "ERROR 1235");
    check_sql(&e, "SELECT (id,m) IN (SELECT 1,'p') FROM t", "ERROR 1235");
    engine_fini(&e);
}

Test(engine_query, found_rows)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT SQL_CALC_FOUND_ROWS id FROM t ORDER BY id LIMIT 2", "1\n2\n");
    check_sql(&e, "SELECT found_rows()", "5\n");
    check_sql(&e, "SELECT SQL_CALC_FOUND_ROWS id FROM t WHERE a > 1 ORDER BY id DESC LIMIT 1, 1",
              "4\n");
    check_sql(&e, "SELECT found_rows()", "3\n");
    check_sql(&e, "SELECT SQL_CALC_FOUND_ROWS e, count(*) FROM t GROUP BY e ORDER BY e LIMIT 0",
              "");
    check_sql(&e, "SELECT found_rows()", "4\n");
    check_sql(&e, "SELECT SQL_CALC_FOUND_ROWS k FROM u UNION ALL SELECT 7 ORDER BY 1 LIMIT 4, 9",
              "5\n7\n");
    check_sql(&e, "SELECT found_rows()", "6\n");
    check_sql(&e, "SELECT id FROM t ORDER BY id LIMIT 3", "1\n2\n3\n");
    check_sql(&e, "SELECT found_rows()", "3\n");
    check_sql(&e, "SELECT 1 FROM (SELECT SQL_CALC_FOUND_ROWS 1) x", "ERROR 1234");
    check_sql(&e, "SELECT 1 UNION SELECT SQL_CALC_FOUND_ROWS 2", "ERROR 1234");
    engine_fini(&e);
}

Test(engine_query, multi_valued)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT id, m FROM t WHERE m = 'p' ORDER BY id", "1|p,q\n4|r,p\n5|p\n");
    check_sql(&e, "SELECT id FROM t WHERE m = 'p' AND m = 'q'", "1\n");
    check_sql(&e, "SELECT id FROM t WHERE m <> 'p'", "2\n");
    check_sql(&e, "SELECT id FROM t WHERE NOT m IN ('q','r')", "5\n");
    check_sql(&e, "SELECT m, COUNT(*) FROM t GROUP BY m ORDER BY m", "NULL|1\np|3\nq|2\nr|1\n");
    check_sql(&e, "SELECT id FROM t WHERE m = 'q' AND id + 0 > 1", "2\n");
    check_sql(&e, "SELECT id FROM t WHERE (m = 'q') = (id = 2) AND m IS NOT NULL ORDER BY id",
              "2\n4\n5\n");
    check_sql(&e,
              "SELECT id, CASE m WHEN 'p' THEN 1 ELSE 0 END, CASE 'q' WHEN m THEN 1 ELSE 0 END, "
              "nullif(m, 'p') FROM t ORDER BY id",
              "1|1|1|NULL\n2|0|1|q\n3|0|0|NULL\n4|1|0|NULL\n5|1|0|NULL\n");
    engine_fini(&e);
}

Test(engine_query, groups)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e,
              "SELECT COUNT(*), COUNT(a), SUM(a), AVG(a), SUM(d), AVG(d), MIN(s), MAX(dt) FROM t",
              "5|4|15|3.7500|-0.10|-0.025000|12x|2026-02-28\n");
    check_sql(&e, "SELECT COUNT(*), SUM(a), MIN(s) FROM t WHERE id > 100", "0|NULL|NULL\n");
    check_sql(&e, "SELECT e, COUNT(*) c, SUM(d) FROM t GROUP BY e ORDER BY c DESC, e",
              "x|2|-2.40\nNULL|1|NULL\ny|1|2.25\nz|1|0.05\n");
    check_sql(&e, "SELECT COUNT(DISTINCT a), COUNT(DISTINCT e), SUM(DISTINCT a) FROM t",
              "3|3|13\n");
    check_sql(&e, "SELECT id, SUM(a) v, COUNT(*) FROM t GROUP BY id ORDER BY v DESC, id LIMIT 2, 2",
              "5|2|1\n1|1|1\n");
    check_sql(&e, "SELECT s, COUNT(*) c FROM t GROUP BY s ORDER BY c DESC, s DESC LIMIT 2",
              "b|1\na|1\n");
    check_sql(&e, "SELECT COUNT(DISTINCT a) FROM t", "3\n");
    check_sql(&e, "SELECT COUNT(DISTINCT s) + 1 FROM t WHERE id > 100", "1\n");
    check_sql(&e, "SELECT e, COUNT(DISTINCT a), COUNT(*), MAX(s) FROM t GROUP BY e ORDER BY e",
              "NULL|0|1|NULL\nx|2|2|a\ny|1|1|b\nz|1|1|A\n");
    check_sql(&e, "SELECT e FROM t GROUP BY e HAVING COUNT(*) > 1", "x\n");
    check_sql(&e, "SELECT a DIV 2 g, COUNT(*) FROM t GROUP BY g ORDER BY g",
              "NULL|1\n0|1\n1|2\n5|1\n");
    check_sql(&e, "SELECT GROUP_CONCAT(id ORDER BY id DESC SEPARATOR '-') FROM t WHERE e = 'x'",
              "4-1\n");
    check_sql(&e, "SELECT DISTINCT a FROM t ORDER BY a", "NULL\n1\n2\n10\n");
    check_sql(&e, "SELECT SUM(a/3), AVG(a/3) FROM t", "5.0000|1.25000000\n");
    check_sql(&e, "SELECT a FROM t GROUP BY e", "ERROR 1055");
    check_sql(&e, "SELECT a, COUNT(*) FROM t", "ERROR 1140");
    check_sql(&e, "SELECT id, d FROM t GROUP BY id ORDER BY id LIMIT 2", "1|1.10\n2|2.25\n");
    check_sql(&e, "SELECT a FROM t WHERE SUM(a) > 1", "ERROR 1111");
    check_sql(&e, "SELECT topn(e, 1) FROM t", "x|2|50.00\nOTHER:|2|50.00\nTOTAL:|4|100.00\n");
    engine_fini(&e);
}

Test(engine_query, order_and_limit)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT id FROM t ORDER BY a DESC, id LIMIT 3", "4\n2\n5\n");
    check_sql(&e, "SELECT id FROM t ORDER BY a, id LIMIT 2 OFFSET 1", "1\n2\n");
    check_sql(&e, "SELECT id, -a x FROM t ORDER BY x, id", "3|NULL\n4|-10\n2|-2\n5|-2\n1|-1\n");
    check_sql(&e, "SELECT s FROM t ORDER BY 1", "NULL\n12x\nA\na\nb\n");
    check_sql(&e, "SELECT id FROM t ORDER BY ABS(d) DESC LIMIT 1", "4\n");
    check_sql(&e, "SELECT id FROM t LIMIT 0", "");
    check_sql(&e, "SELECT id FROM t ORDER BY 7", "ERROR 1054 Unknown column '7' in 'order clause'");
    check_sql(&e, "SELECT id a, a id FROM t ORDER BY a LIMIT 1", "1|1\n");
    check_sql(&e, "SELECT DISTINCT e FROM t ORDER BY a", "ERROR 3065");
    engine_fini(&e);
}

Test(engine_query, joins)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT t.id, u.k FROM t JOIN u ON t.id = u.t_id ORDER BY 1, 2",
              "1|1\n1|2\n4|3\n");
    check_sql(&e, "SELECT t.id, u.k FROM t LEFT JOIN u ON t.id = u.t_id ORDER BY 1, 2",
              "1|1\n1|2\n2|NULL\n3|NULL\n4|3\n5|NULL\n");
    check_sql(&e, "SELECT t.id, u.k FROM t RIGHT JOIN u ON t.id = u.t_id ORDER BY 2",
              "1|1\n1|2\n4|3\nNULL|4\nNULL|5\n");
    check_sql(&e,
              "SELECT t.id, u.k FROM t LEFT JOIN u ON t.id = u.t_id AND u.v > 10 WHERE t.id < 3 "
              "ORDER BY 1",
              "1|2\n2|NULL\n");
    check_sql(&e, "SELECT COUNT(*) FROM t, u", "25\n");
    check_sql(&e, "SELECT COUNT(*) FROM t JOIN u ON t.a < u.v", "19\n");
    check_sql(&e, "SELECT e, SUM(v) FROM t JOIN u ON id = t_id GROUP BY e", "x|60\n");
    check_sql(&e, "SELECT COUNT(*) FROM t a JOIN t b USING (a)", "6\n");
    check_sql(&e, "SELECT id FROM t a JOIN t b USING (a)", "ERROR 1052");
    check_sql(&e, "SELECT t.id FROM t JOIN t ON 1=1", "ERROR 1066");
    check_sql(&e, "SELECT x.id FROM t", "ERROR 1054 Unknown column 'x.id' in 'field list'");
    engine_fini(&e);
}

Test(engine_query, correlated)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT id, (SELECT SUM(v) FROM u WHERE t_id = t.id) FROM t ORDER BY id",
              "1|30\n2|NULL\n3|NULL\n4|30\n5|NULL\n");
    check_sql(&e, "SELECT id, (SELECT COUNT(*) FROM u WHERE t_id >= t.id) FROM t ORDER BY id",
              "1|4\n2|2\n3|2\n4|2\n5|1\n");
    check_sql(&e,
              "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE t_id = t.id AND v > t.id * 15)",
              "1\n");
    check_sql(&e, "SELECT id, (SELECT v FROM u WHERE t_id = t.id) FROM t WHERE id = 1",
              "ERROR 1242");
    check_sql(&e,
              "SELECT id, (SELECT v FROM u WHERE t_id = t.id ORDER BY v DESC LIMIT 1) FROM t "
              "WHERE id < 3 ORDER BY id",
              "1|20\n2|NULL\n");
    check_sql(&e,
              "SELECT id FROM t WHERE 20 IN (SELECT v FROM u WHERE t_id <= t.id) AND id < 3 "
              "ORDER BY id",
              "1\n2\n");
    check_sql(&e, "SELECT id FROM t WHERE (id, 10) IN (SELECT t_id, v FROM u WHERE v <= t.id * 10)",
              "1\n");
    check_sql(&e,
              "SELECT COUNT(*) FROM t a WHERE EXISTS (SELECT 1 FROM t b WHERE b.id < a.id AND "
              "EXISTS (SELECT 1 FROM u WHERE t_id = b.id AND v < a.id * 10))",
              "4\n");
    engine_fini(&e);
}

/* Run once for all rows, these would answer for keys of several groups, or for rows that HAVING dropped. */
Test(engine_query, correlated_keys)
{
    struct engine e;

    make_tables(&e);
    check_sql(
        &e,
        "SELECT id, (SELECT COUNT(*) + 7 FROM u WHERE t_id = t.id HAVING COUNT(*) < 2) FROM t "
        "ORDER BY id",
        "1|NULL\n2|7\n3|7\n4|8\n5|7\n");
    check_sql(&e,
              "SELECT v, (SELECT COUNT(*) FROM t WHERE s = v - 10) FROM u WHERE v < 30 ORDER BY v",
              "10|3\n20|0\n");
    check_sql(&e,
              "SELECT v FROM u WHERE EXISTS (SELECT 1 FROM t WHERE s = v - 10 AND id < v - 8) "
              "ORDER BY v",
              "10\n");
    check_sql(&e, "SELECT (SELECT MAX(t.a) FROM u) FROM t", "ERROR 1235");
    check_sql(&e, "SELECT id FROM t WHERE s > (SELECT 0)", "4\n");
    check_sql(&e,
              "SELECT v FROM u WHERE v IN (SELECT COUNT(*) * 10 FROM t WHERE s LIKE (v DIV 10))",
              "");
    check_sql(&e, "SELECT COUNT(*) FROM t WHERE s NOT IN ((SELECT 12), 5)", "3\n");
    engine_fini(&e);
}

Test(engine_query, sets_and_rollup)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT t_id FROM u INTERSECT SELECT id FROM t ORDER BY 1", "1\n4\n");
    check_sql(&e, "SELECT t_id FROM u EXCEPT ALL SELECT id FROM t ORDER BY 1", "NULL\n1\n9\n");
    check_sql(&e, "SELECT t_id FROM u EXCEPT SELECT id, a FROM t", "ERROR 1222");
    check_sql(&e, "SELECT t_id, SUM(v), GROUPING(t_id) FROM u GROUP BY t_id WITH ROLLUP",
              "NULL|40|0\n1|30|0\n4|30|0\n9|50|0\nNULL|150|1\n");
    check_sql(&e,
              "SELECT t_id, v, COUNT(*), GROUPING(t_id, v) FROM u WHERE t_id < 9 GROUP BY t_id, v "
              "WITH ROLLUP",
              "1|10|1|0\n1|20|1|0\n1|NULL|2|1\n4|30|1|0\n4|NULL|1|1\nNULL|NULL|3|3\n");
    check_sql(&e, "SELECT t_id FROM u GROUP BY t_id WITH ROLLUP HAVING GROUPING(t_id) = 1",
              "NULL\n");
    check_sql(&e, "SELECT GROUPING(t_id) FROM u GROUP BY t_id", "ERROR 1111");
    check_sql(&e,
              "SELECT COUNT(*) FROM t, u WHERE (t.id = t_id AND v > 20) OR (t_id = t.id AND a = 1)",
              "3\n");
    engine_fini(&e);
}

/* Each name is read twice by the next one. */
Test(engine_query, names_in_names)
{
    char text[4096], *at = text, *end = text + sizeof text;
    struct engine e;

    make_tables(&e);
    at += snprintf(at, (size_t)(end - at), "WITH c0 AS (SELECT 1 n)");
    for (int i = 1; i <= 14; i++)
        at += snprintf(at, (size_t)(end - at),
                       ", c%d AS (SELECT a.n FROM c%d a JOIN c%d b ON a.n = b.n)", i, i - 1, i - 1);
    snprintf(at, (size_t)(end - at), " SELECT COUNT(*) FROM c6");
    check_sql(&e, text, "1\n");
    snprintf(at, (size_t)(end - at), " SELECT COUNT(*) FROM c14");
    check_sql(&e, text, "ERROR 1104");
    engine_fini(&e);
}

Test(engine_query, recursive)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e,
              "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n * 3 FROM c WHERE n < 30) "
              "SELECT * FROM c",
              "1\n3\n9\n27\n81\n");
    check_sql(&e,
              "WITH RECURSIVE c AS (SELECT 1 AS n UNION SELECT n * 2 % 11 FROM c) SELECT COUNT(*), "
              "SUM(n) FROM c",
              "10|55\n");
    check_sql(&e,
              "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 0.5 FROM c WHERE n < 2) "
              "SELECT n FROM c",
              "1.0\n1.5\n2.0\n");
    check_sql(&e,
              "WITH RECURSIVE c AS (SELECT id FROM t WHERE id = 1 UNION SELECT v DIV 10 FROM c "
              "JOIN u ON t_id = id) "
              "SELECT id FROM c ORDER BY id",
              "1\n2\n");
    check_sql(
        &e,
        "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c) SELECT COUNT(*) FROM c",
        "ERROR 3636");
    check_sql(
        &e,
        "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c LIMIT 3) SELECT * FROM c",
        "1\n2\n3\n");
    check_sql(&e,
              "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < (SELECT "
              "MAX(n) FROM c)) "
              "SELECT * FROM c",
              "ERROR 1235");
    check_sql(&e, "WITH RECURSIVE c AS (SELECT n + 1 AS n FROM c) SELECT * FROM c", "ERROR 1146");
    check_sql(&e, "WITH RECURSIVE c AS (SELECT n FROM c UNION SELECT 1) SELECT * FROM c",
              "ERROR 1235");
    engine_fini(&e);
}

Test(engine_query, subqueries)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT id FROM t WHERE id IN (SELECT t_id FROM u) ORDER BY id", "1\n4\n");
    check_sql(&e, "SELECT id FROM t WHERE id NOT IN (SELECT t_id FROM u)", "");
    check_sql(&e,
              "SELECT id FROM t WHERE id NOT IN (SELECT t_id FROM u WHERE t_id > 1) ORDER BY id",
              "1\n2\n3\n5\n");
    check_sql(&e, "SELECT id FROM t WHERE a = (SELECT MAX(a) FROM t)", "4\n");
    check_sql(&e, "SELECT (SELECT COUNT(*) FROM u), (SELECT v FROM u WHERE k = 77)", "5|NULL\n");
    check_sql(&e, "SELECT id FROM t WHERE a = (SELECT v FROM u)", "ERROR 1242");
    check_sql(&e, "SELECT COUNT(*) FROM t WHERE EXISTS (SELECT 1 FROM u WHERE v > 40)", "5\n");
    check_sql(&e, "SELECT COUNT(*) FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id)",
              "2\n");
    check_sql(&e, "SELECT id FROM t WHERE a >= ALL (SELECT v FROM u WHERE v < 20)", "4\n");
    check_sql(&e, "SELECT MAX(c) FROM (SELECT e, COUNT(*) c FROM t GROUP BY e) x", "2\n");
    check_sql(&e, "WITH x AS (SELECT id FROM t WHERE a = 2) SELECT COUNT(*) FROM x, x y", "4\n");
    check_sql(&e, "SELECT 1 UNION SELECT 2 UNION SELECT 1 ORDER BY 1 DESC", "2\n1\n");
    check_sql(&e, "SELECT id FROM t WHERE id < 3 UNION ALL SELECT 1.5 ORDER BY 1",
              "1.0\n1.5\n2.0\n");
    engine_fini(&e);
}

/* Values of one core within a small range, of the other not: what lies in arrays there goes out in batches. */
Test(engine_query, groups_that_lie_apart)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "INSERT INTO u VALUES (11,1,1000000000000000),(12,2,10),(13,9,30)",
              "OK 3 Records: 3  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT v, COUNT(*) c, SUM(t_id) FROM u GROUP BY v ORDER BY v DESC LIMIT 4",
              "1000000000000000|1|1\n50|1|9\n40|1|NULL\n30|2|13\n");
    check_sql(&e, "SELECT COUNT(DISTINCT v), COUNT(DISTINCT v) + 1 FROM u", "6|7\n");
    check_sql(&e, "SELECT COUNT(DISTINCT t_id) FROM u WHERE k < 5", "2\n");
    check_sql(&e, "SELECT t_id, SUM(v) s FROM u GROUP BY t_id ORDER BY s, t_id LIMIT 3",
              "2|10\n4|30\nNULL|40\n");
    engine_fini(&e);
}

Test(engine_query, having_at_the_merge)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT t_id FROM u GROUP BY t_id HAVING SUM(v) > 29.5 ORDER BY 1",
              "NULL\n1\n4\n9\n");
    check_sql(&e, "SELECT t_id FROM u GROUP BY t_id HAVING 30 < SUM(v) ORDER BY 1", "NULL\n9\n");
    check_sql(&e, "SELECT t_id FROM u GROUP BY t_id HAVING SUM(v) = 30 AND COUNT(*) >= 2", "1\n");
    check_sql(&e, "SELECT t_id FROM u GROUP BY t_id HAVING MAX(v) <= 30e0 ORDER BY 1", "1\n4\n");
    check_sql(&e, "SELECT t_id FROM u GROUP BY t_id HAVING MIN(v) < '20'", "1\n");
    check_sql(&e, "SELECT t_id FROM u GROUP BY t_id HAVING SUM(v) > NULL", "");
    check_sql(&e,
              "SELECT t_id FROM u GROUP BY t_id HAVING SUM(v) > (SELECT MAX(v) - 1 FROM u) "
              "ORDER BY SUM(v) LIMIT 1",
              "9\n");
    check_sql(&e, "SELECT e FROM t GROUP BY e HAVING SUM(d) < -2.395", "x\n");
    check_sql(&e, "SELECT e FROM t GROUP BY e HAVING SUM(d) < -2.4", "");
    check_sql(&e, "SELECT e FROM t GROUP BY e HAVING SUM(d) <= -2.4", "x\n");
    engine_fini(&e);
}

Test(engine_query, slow_reader)
{
    struct engine e;

    make_tables(&e);
    e.stalls = 4;
    check_sql(&e, "SELECT id FROM t ORDER BY id", "1\n2\n3\n4\n5\n");
    e.stalls = 2;
    check_sql(&e, "SHOW TABLES", "t\nu\n");
    engine_fini(&e);
}

Test(engine_query, plans)
{
    struct engine e;

    make_tables(&e);
    const char *plan =
        engine_run(&e, "EXPLAIN SELECT e, COUNT(*) FROM t WHERE a > 1 AND id + 0 < 9 GROUP BY e");
    cr_expect(strstr(plan, "filter id + 0 < 9") && strstr(plan, "where a > 1"), "%s", plan);
    plan = engine_run(&e, "EXPLAIN ANALYZE SELECT e, SUM(a) FROM t WHERE a > 1 GROUP BY e");
    cr_expect(strstr(plan, "groups e, sum(a)") && strstr(plan, "core 0") && strstr(plan, "core 1"),
              "%s", plan);
    plan = engine_run(&e, "EXPLAIN ANALYZE SELECT id FROM t ORDER BY a LIMIT 1");
    cr_expect(strstr(plan, "core 0") && strstr(plan, "core 1"),
              "who needs no more rows reads no end: %s", plan);
    plan = engine_run(&e, "EXPLAIN SELECT id FROM t ORDER BY a LIMIT 3");
    cr_expect(strstr(plan, "ordered by a limit 3") && !strstr(plan, "sort"), "%s", plan);
    plan =
        engine_run(&e, "EXPLAIN SELECT e, SUM(a) v FROM t GROUP BY e ORDER BY v DESC, e LIMIT 3");
    cr_expect(strstr(plan, "ordered by sum(a) desc, e limit 3") && !strstr(plan, "sort"), "%s",
              plan);
    plan = engine_run(&e, "EXPLAIN SELECT t_id, SUM(v) FROM u GROUP BY t_id HAVING SUM(v) > 30 AND "
                          "COUNT(*) + 1 > 1");
    cr_expect(strstr(plan, "sum(v), count(*) having SUM(v) > 30") && strstr(plan, "filter"), "%s",
              plan);
    plan = engine_run(&e, "EXPLAIN SELECT COUNT(DISTINCT s) FROM t");
    cr_expect(strstr(plan, "groups s, count(*), counted"), "%s", plan);
    engine_fini(&e);
}

Test(engine_query, multi_valued_comparisons)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE t (id BIGINT PRIMARY KEY, s SET('x','y','z'), o VARCHAR(5))",
              "OK 0");
    check_sql(&e, "INSERT INTO t VALUES (1,'x,y','x'),(2,'y','z'),(4,'y,x',NULL),(5,NULL,'y')",
              "OK 4 Records: 4  Duplicates: 0  Warnings: 0");
    const char *refused = "ERROR 1235 This version of MySQL doesn't yet support 'joins on "
                          "multi-valued columns'";
    check_sql(&e, "SELECT a.id, b.id FROM t a JOIN t b ON a.s = b.s", refused);
    check_sql(&e, "SELECT a.id, b.id FROM t a, t b WHERE a.s = b.s", refused);
    check_sql(&e, "SELECT a.id, b.id FROM t a JOIN t b USING (s)", refused);
    check_sql(&e, "SELECT a.id FROM t a JOIN t b ON a.o IN (b.s, 'q')", refused);
    check_sql(&e, "SELECT a.id FROM t a JOIN t b ON a.o LIKE b.s", refused);
    check_sql(&e, "SELECT id FROM t WHERE s = s", "ERROR 1235");
    /* One side with one value: any of the other's matches. */
    const char *pairs = "1|1\n1|4\n5|1\n5|2\n5|4\n";
    check_sql(&e, "SELECT a.id, b.id FROM t a JOIN t b ON a.o = b.s ORDER BY 1, 2", pairs);
    check_sql(&e, "SELECT a.id, b.id FROM t a JOIN t b ON b.s = a.o ORDER BY 1, 2", pairs);
    check_sql(&e, "SELECT a.id, b.id FROM t a, t b WHERE a.o IN (b.s) ORDER BY 1, 2", pairs);
    check_sql(&e, "SELECT id FROM t WHERE o = s", "1\n");
    check_sql(&e, "SELECT id FROM t WHERE o > s", "2\n");
    /* Subqueries, on the cores and (with OR and the like) in the gateway. */
    check_sql(&e, "SELECT id FROM t WHERE s IN (SELECT 'x') ORDER BY id", "1\n4\n");
    check_sql(&e, "SELECT id FROM t WHERE s NOT IN (SELECT 'x') ORDER BY id", "2\n");
    check_sql(&e, "SELECT id, s IN (SELECT 'x'), s NOT IN (SELECT 'x') FROM t ORDER BY id",
              "1|1|0\n2|0|1\n4|1|0\n5|NULL|NULL\n");
    check_sql(&e, "SELECT id, s NOT IN (SELECT 'x' FROM t WHERE id > 9) FROM t ORDER BY id",
              "1|1\n2|1\n4|1\n5|1\n");
    check_sql(&e, "SELECT id, s > ANY (SELECT 'x') FROM t ORDER BY id", "1|1\n2|1\n4|1\n5|NULL\n");
    check_sql(&e, "SELECT id FROM t WHERE s = ALL (SELECT 'x')", "ERROR 1235");
    check_sql(&e, "SELECT id FROM t WHERE o IN (SELECT s FROM t) ORDER BY id", "1\n5\n");
    check_sql(&e, "SELECT id FROM t WHERE s IN (SELECT s FROM t WHERE id = 4) ORDER BY id",
              "1\n2\n4\n");
    check_sql(&e, "SELECT id FROM t WHERE s NOT IN (SELECT s FROM t WHERE id = 2)", "");
    check_sql(&e, "SELECT 'z' IN (SELECT s FROM t), 'z' NOT IN (SELECT s FROM t WHERE id < 5)",
              "NULL|1\n");
    check_sql(&e, "SELECT id FROM t WHERE o > ALL (SELECT s FROM t)", "ERROR 1235");
    check_sql(&e, "SELECT id FROM t WHERE s = (SELECT s FROM t WHERE id = 1)", refused);
    check_sql(&e, "SELECT id FROM t WHERE s = (SELECT 'x') ORDER BY id", "1\n4\n");
    check_sql(&e, "SELECT id FROM t WHERE (SELECT 'x') = s ORDER BY id", "1\n4\n");
    engine_fini(&e);
}

Test(engine_query, all_and_any)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT id FROM t WHERE a = ALL (SELECT 2) ORDER BY id", "2\n5\n");
    check_sql(&e, "SELECT COUNT(*) FROM t WHERE a = ALL (SELECT v FROM u)", "0\n");
    check_sql(&e, "SELECT COUNT(*) FROM t WHERE a = ALL (SELECT v FROM u WHERE k > 9)", "5\n");
    check_sql(&e, "SELECT COUNT(*) FROM t WHERE a <> ANY (SELECT v FROM u WHERE k > 9)", "0\n");
    check_sql(&e, "SELECT id FROM t WHERE a <> ANY (SELECT v FROM u WHERE v = 10) ORDER BY id",
              "1\n2\n5\n");
    check_sql(&e, "SELECT 1 = ALL (SELECT t_id FROM u), 1 <> ANY (SELECT t_id FROM u)", "0|1\n");
    check_sql(&e,
              "SELECT 1 = ALL (SELECT t_id FROM u WHERE k IN (1,4)), 1 <> ANY (SELECT t_id "
              "FROM u WHERE k IN (1,4))",
              "NULL|NULL\n");
    check_sql(&e, "SELECT 9.5 > ALL (SELECT '10' UNION SELECT '9')", "0\n");
    engine_fini(&e);
}

Test(engine_query, words_behind_select)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT SQL_NO_CACHE COUNT(*) FROM t", "5\n");
    check_sql(&e, "SELECT /*!40001 SQL_NO_CACHE */ * FROM `u` WHERE k = 1", "1|1|10\n");
    check_sql(&e, "SELECT SQL_CACHE 1", "1\n");
    check_sql(
        &e,
        "SELECT HIGH_PRIORITY STRAIGHT_JOIN SQL_SMALL_RESULT SQL_BIG_RESULT SQL_BUFFER_RESULT "
        "SQL_NO_CACHE SQL_CALC_FOUND_ROWS k FROM u ORDER BY k LIMIT 1",
        "1\n");
    check_sql(&e, "SELECT DISTINCT SQL_BUFFER_RESULT 'a'", "a\n");
    check_sql(&e, "SELECT sql_no_cache, x.sql_cache FROM (SELECT 1 sql_no_cache, 2 AS sql_cache) x",
              "1|2\n");
    check_sql(&e,
              "SELECT FILE_NAME FROM information_schema.files WHERE TABLESPACE_NAME IN (SELECT "
              "TABLESPACE_NAME FROM information_schema.partitions) GROUP BY FILE_NAME",
              "");
    check_sql(&e,
              "SELECT table_schema, table_type, COUNT(*) FROM information_schema.tables WHERE "
              "table_schema = 'quanta' GROUP BY table_schema HAVING engine = 'QUANTA'",
              "quanta|BASE TABLE|2\n");
    check_sql(&e, "SELECT id, a FROM t GROUP BY a", "ERROR 1055");
    check_sql(&e, "SELECT CAST(a AS DECIMAL(10,2)) FROM t GROUP BY CAST(a AS DECIMAL(3,2))",
              "ERROR 1055");
    engine_fini(&e);
}

Test(engine_query, plans_in_other_formats)
{
    struct engine e;

    make_tables(&e);
    const char *plan =
        engine_run(&e, "EXPLAIN FORMAT=JSON SELECT e, SUM(a) FROM t WHERE a > 1 AND id IN "
                       "(SELECT t_id FROM u) GROUP BY e ORDER BY 2 + 1");
    cr_expect(strstr(plan, "\"runs_on\": \"cores\"") && strstr(plan, "\"runs_on\": \"gateway\"") &&
                  strstr(plan, "\"subqueries\"") && !strstr(plan, "actual_rows"),
              "%s", plan);
    plan = engine_run(&e, "EXPLAIN ANALYZE FORMAT=JSON SELECT a FROM t JOIN u ON t.a = u.v");
    cr_expect(strstr(plan, "\"actual_last_row_ms\"") && strstr(plan, "\"segments_pruned\": 0"),
              "%s", plan);
    plan = engine_run(&e, "EXPLAIN FORMAT=TRADITIONAL SELECT * FROM t WHERE a > 1");
    cr_expect(strstr(plan, "1|SIMPLE|t|NULL|range|NULL"), "%s", plan);
    plan = engine_run(&e, "EXPLAIN UPDATE t SET a = a + 1 WHERE id = 1");
    cr_expect(strstr(plan, "-> update t: a = a + 1\n   -> scan t"), "%s", plan);
    check_sql(&e, "EXPLAIN INSERT INTO nowhere SELECT 1", "ERROR 1146");
    check_sql(&e, "EXPLAIN ANALYZE UPDATE t SET a = 1", "ERROR 1235");
    check_sql(&e, "EXPLAIN FOR CONNECTION 4711", "ERROR 1094");
    engine_fini(&e);
}

Test(engine_query, plans_name_columns)
{
    struct engine e;

    make_tables(&e);
    const char *plan = engine_run(&e, "EXPLAIN SELECT * FROM u ORDER BY v + 1");
    cr_expect(strstr(plan, "project k, t_id, v, v + 1") && !strstr(plan, "(...)"), "%s", plan);
    plan = engine_run(&e, "EXPLAIN SELECT * FROM u a JOIN u b USING (k), t c, t d");
    cr_expect(strstr(plan, "project 23 columns") && strstr(plan, "on k = k"), "%s", plan);
    engine_fini(&e);
}

/* Of UNIONs any number, side by side; what needs a level each is bounded. */
static void check_chain(struct engine *e, const char *word, unsigned n, const char *wanted)
{
    size_t size = strlen(word) + 16;
    char *text = malloc(64 + n * size);
    size_t at = (size_t)sprintf(text, "SELECT count(*), min(x) FROM (SELECT 1 AS x");

    for (unsigned i = 0; i < n; i++)
        at += (size_t)sprintf(text + at, " %s SELECT %u", word, i % 3 + 1);
    sprintf(text + at, ") AS t");
    check_sql(e, text, wanted);
    free(text);
}

Test(engine_query, long_chains_of_set_operations)
{
    struct engine e;

    engine_init(&e);
    check_chain(&e, "UNION", 3000, "3|1\n");
    check_chain(&e, "UNION ALL", 3000, "3001|1\n");
    check_chain(&e, "EXCEPT ALL", 250, "0|NULL\n");
    check_chain(&e, "EXCEPT", 251, "ERROR 1436");
    check_chain(&e, "INTERSECT", 60000, "ERROR 1436");
    check_sql(&e,
              "SELECT 1 UNION ALL SELECT 1 UNION SELECT 2 UNION ALL SELECT 2 UNION ALL SELECT '1'",
              "1\n2\n2\n1\n");
    check_sql(&e,
              "SELECT 1 UNION SELECT 2 EXCEPT SELECT 2 UNION ALL SELECT 1 UNION SELECT 3 "
              "UNION ALL SELECT 3.5",
              "1.0\n3.0\n3.5\n");
    engine_fini(&e);
}
