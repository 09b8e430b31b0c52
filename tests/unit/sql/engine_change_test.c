/* INSERT, UPDATE, DELETE, definitions, SHOW. */
#include "engine_world.h"

Test(engine_change, insert)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "CREATE TABLE t (k BIGINT PRIMARY KEY, v BIGINT NOT NULL DEFAULT 7, s VARCHAR(10), d "
              "DECIMAL(8,2), ts DATETIME DEFAULT NOW())",
              "OK 0");
    check_sql(&e, "INSERT INTO t (k) VALUES (1)", "OK 1");
    check_sql(&e, "SELECT k, v, s, d, ts > '2020-01-01' FROM t", "1|7|NULL|NULL|1\n");
    check_sql(&e, "INSERT INTO t VALUES (1,1,'x',1,NULL)", "ERROR 1062");
    check_sql(&e, "INSERT INTO t VALUES (2,1,'x',1,NULL),(1,1,'y',1,NULL)", "ERROR 1062");
    check_sql(&e, "SELECT COUNT(*) FROM t", "1\n");
    check_sql(&e, "INSERT INTO t (k,v) VALUES (2)", "ERROR 1136");
    check_sql(&e, "INSERT INTO t (k,k) VALUES (2,2)", "ERROR 1110");
    check_sql(&e, "INSERT INTO t (nosuch) VALUES (2)", "ERROR 1054");
    check_sql(&e, "INSERT INTO t (v) VALUES (2)",
              "ERROR 1364 Field 'k' doesn't have a default value");
    check_sql(&e, "INSERT INTO t (k,v) VALUES (2,NULL)", "ERROR 1048 Column 'v' cannot be null");
    check_sql(&e, "INSERT INTO t (k,v) VALUES (2,'abc')", "ERROR 1366");
    check_sql(&e, "INSERT INTO t (k,v) VALUES (2,99999999999999999999)", "ERROR 1264");
    check_sql(
        &e,
        "INSERT INTO t (k,v,d) VALUES (2, 1.5, 1.555), (3, '12', '-0.005'), (4, 1+2*3, DEFAULT)",
        "OK 3 Records: 3  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT k, v, d FROM t WHERE k > 1 ORDER BY k",
              "2|2|1.56\n3|12|-0.01\n4|7|NULL\n");
    check_sql(&e, "INSERT IGNORE INTO t (k,v) VALUES (2,9),(5,9)",
              "OK 1 Records: 2  Duplicates: 1  Warnings: 1");
    check_sql(&e, "SHOW COUNT(*) WARNINGS", "1\n");
    check_sql(&e, "SHOW WARNINGS",
              "Warning|1062|Duplicate entries for the key of 't', rows skipped: 1\n");
    check_sql(&e, "REPLACE INTO t (k,v) VALUES (2,10),(6,10)",
              "OK 3 Records: 2  Duplicates: 1  Warnings: 0");
    check_sql(&e,
              "INSERT INTO t (k,v,s) VALUES (2,5,'a'),(7,1,'b'),(7,2,'c') ON DUPLICATE KEY UPDATE "
              "v = v + VALUES(v), s = 'dup'",
              "OK 5 Records: 3  Duplicates: 2  Warnings: 0");
    check_sql(&e, "SELECT k, v, s FROM t WHERE k IN (2,7) ORDER BY k", "2|15|dup\n7|3|dup\n");
    check_sql(&e, "INSERT INTO t (k,v) SELECT k + 100, v FROM t WHERE k < 3",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT COUNT(*), SUM(v) FROM t WHERE k > 100", "2|22\n");
    engine_fini(&e);
}

Test(engine_change, update_and_delete)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE t (k BIGINT PRIMARY KEY, v BIGINT, s VARCHAR(10))", "OK 0");
    check_sql(&e, "INSERT INTO t VALUES (1,1,'a'),(2,2,'b'),(3,3,'c'),(4,NULL,NULL)",
              "OK 4 Records: 4  Duplicates: 0  Warnings: 0");
    check_sql(&e, "UPDATE t SET v = v + 1 WHERE k <= 2",
              "OK 2 Rows matched: 2  Changed: 2  Warnings: 0");
    check_sql(&e, "UPDATE t SET v = v", "OK 0 Rows matched: 4  Changed: 0  Warnings: 0");
    check_sql(&e, "UPDATE t SET v = v * 10, s = v WHERE k = 3",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&e, "UPDATE t SET s = NULL WHERE k = 1",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&e, "SELECT * FROM t ORDER BY k", "1|2|NULL\n2|3|b\n3|30|30\n4|NULL|NULL\n");
    check_sql(&e, "UPDATE t SET nosuch = 1", "ERROR 1054");
    check_sql(&e, "UPDATE t SET k = 9 WHERE k = 1", "ERROR 1235");
    check_sql(&e, "UPDATE t SET v = 'abc' WHERE k = 1", "ERROR 1366");
    check_sql(&e, "UPDATE t SET v = 0 ORDER BY k DESC LIMIT 1",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&e, "SELECT k FROM t WHERE v = 0", "4\n");
    check_sql(&e, "DELETE FROM t WHERE v IN (SELECT 2)", "OK 1");
    check_sql(&e, "DELETE FROM t ORDER BY k LIMIT 1", "OK 1");
    check_sql(&e, "SELECT k FROM t ORDER BY k", "3\n4\n");
    check_sql(&e, "DELETE FROM t", "OK 2");
    check_sql(&e, "SELECT COUNT(*) FROM t", "0\n");
    engine_fini(&e);
}

Test(engine_change, hidden_key)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE h (a BIGINT, b VARCHAR(5))", "OK 0");
    check_sql(&e, "INSERT INTO h VALUES (1,'x'),(1,'x'),(2,'y')",
              "OK 3 Records: 3  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT * FROM h ORDER BY a", "1|x\n1|x\n2|y\n");
    check_sql(&e, "UPDATE h SET b = 'z' WHERE a = 1 LIMIT 1",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&e, "SELECT b, COUNT(*) FROM h GROUP BY b ORDER BY b", "x|1\ny|1\nz|1\n");
    check_sql(&e, "DELETE FROM h WHERE a = 1", "OK 2");
    engine_fini(&e);
}

Test(engine_change, partitions)
{
    struct engine e;
    const char *list = "SELECT partition_name, table_rows FROM information_schema.partitions "
                       "WHERE table_name = 't' ORDER BY partition_ordinal_position";

    engine_init(&e);
    check_sql(&e,
              "CREATE TABLE t (id BIGINT, at DATETIME, PRIMARY KEY (id)) time_quantum_field='at' "
              "time_quantum_type='YMD' retention='3660000d'",
              "OK 0");
    check_sql(&e,
              "INSERT INTO t VALUES (1,'2026-01-01 00:00:00'),(2,'2026-01-01 23:59:59'),"
              "(3,'2026-01-02 00:00:00'),(4,'2026-01-04 12:00:00')",
              "OK 4 Records: 4  Duplicates: 0  Warnings: 0");
    check_sql(&e, list, "p20260101|2\np20260102|1\np20260104|1\n");
    check_sql(&e, "ALTER TABLE t DROP PARTITION p20260101, p20260103",
              "ERROR 1507 Error in list of partitions to DROP");
    check_sql(&e, "ALTER TABLE t DROP PARTITION p0", "ERROR 1507");
    check_sql(&e, "ALTER TABLE nosuch DROP PARTITION p20260101", "ERROR 1146");
    check_sql(&e, "ALTER TABLE information_schema.tables DROP PARTITION p20260101", "ERROR 1044");
    check_sql(&e, "SELECT count(*) FROM t", "4\n");
    check_sql(&e, "ALTER TABLE t DROP PARTITION p20260101, `P20260104`, p20260101", "OK 0");
    check_sql(&e, list, "p20260102|1\n");
    check_sql(&e, "SELECT id FROM t", "3\n");
    check_sql(&e, "SELECT id FROM t WHERE id = 1 AND at = '2026-01-01'", "");
    check_sql(&e, "INSERT INTO t VALUES (1,'2026-01-01 00:00:00')", "OK 1");
    check_sql(&e, list, "p20260101|1\np20260102|1\n");
    check_sql(&e, "ALTER TABLE t ARCHIVE PARTITION p20260101, p20260103",
              "ERROR 1507 Error in list of partitions to ARCHIVE");
    check_sql(&e, "ALTER TABLE t ARCHIVE PARTITION p20260101", "OK 0");
    check_sql(&e, "SELECT id FROM t", "3\n");
    check_sql(&e, "INSERT INTO t VALUES (9,'2026-01-02'),(8,'2026-01-01 05:00:00')",
              "ERROR 1526 Table has no partition for value 2026-01-01 05:00:00: partition "
              "p20260101 of table t is archived");
    check_sql(&e, "SELECT id FROM t", "3\n");
    check_sql(&e, "ALTER TABLE t RESTORE PARTITION p20260101", "OK 0");
    check_sql(&e, "SELECT count(*) FROM t", "2\n");
    check_sql(&e, "CREATE TABLE p (id BIGINT PRIMARY KEY)", "OK 0");
    check_sql(&e, "ALTER TABLE p DROP PARTITION p20260101",
              "ERROR 1505 Partition management on a not partitioned table is not possible");
    check_sql(&e, "CREATE TABLE q (id BIGINT PRIMARY KEY) retention='1d'", "ERROR 1505");
    engine_fini(&e);
}

Test(engine_change, definitions)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE t (a BIGINT)", "OK 0");
    check_sql(&e, "CREATE TABLE t (a BIGINT)", "ERROR 1050 Table 't' already exists");
    check_sql(&e, "CREATE TABLE IF NOT EXISTS t (a BIGINT)", "OK 0");
    check_sql(&e, "SHOW WARNINGS", "Note|1050|Table 't' already exists\n");
    check_sql(&e, "CREATE TABLE x (a BIGINT, a BIGINT)", "ERROR 1060");
    check_sql(&e, "CREATE TABLE x (a BIGINT, PRIMARY KEY (b))", "ERROR 1072");
    check_sql(&e, "CREATE TABLE x (a VARCHAR(5) COMMENT 'strategy=Nonsense')", "ERROR 1105");
    check_sql(&e, "INSERT INTO t VALUES (1),(2)", "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "TRUNCATE TABLE t", "OK 0");
    check_sql(&e, "SELECT COUNT(*) FROM t", "0\n");
    check_sql(&e, "CREATE TABLE p (id BIGINT PRIMARY KEY, n VARCHAR(5))", "OK 0");
    check_sql(&e, "CREATE TABLE c (id BIGINT PRIMARY KEY, p_id BIGINT REFERENCES p(id))", "OK 0");
    check_sql(&e, "DESCRIBE c", "id|bigint|NO|PRI|NULL|\np_id|bigint|YES|MUL|NULL|\n");
    check_sql(&e, "ALTER TABLE c DISABLE KEYS", "OK 0");
    check_sql(&e, "ALTER TABLE nosuch ENABLE KEYS", "ERROR 1146");
    check_sql(&e, "ALTER TABLE c DROP COLUMN p_id", "ERROR 1846");
    check_sql(&e, "CREATE TABLE l LIKE p", "OK 0");
    check_sql(&e, "SHOW COLUMNS FROM l LIKE 'n%'", "n|varchar(5)|YES||NULL|\n");
    check_sql(&e, "SHOW FULL TABLES", "c|BASE TABLE\nl|BASE TABLE\np|BASE TABLE\nt|BASE TABLE\n");
    check_sql(&e, "DROP TABLE l, nosuch", "ERROR 1051 Unknown table 'quanta.nosuch'");
    check_sql(&e, "DROP TABLE IF EXISTS l, nosuch", "OK 0");
    check_sql(&e, "DROP TABLE nosuch", "ERROR 1051");
    check_sql(
        &e,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'quanta' ORDER BY 1",
        "c\np\nt\n");
    check_sql(&e, "USE nosuch", "ERROR 1049");
    engine_fini(&e);
}

Test(engine_change, variables)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "SET @a = 5, @b = CONCAT('x', 'y')", "OK 0");
    check_sql(&e, "SELECT @a + 1, @b, @c", "6|xy|NULL\n");
    check_sql(&e, "SET NAMES utf8mb4", "OK 0");
    check_sql(&e, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "OK 0");
    check_sql(&e, "SET autocommit = 0", "OK 0");
    check_sql(&e, "SELECT @@autocommit, @@session.wait_timeout", "0|28800\n");
    check_sql(&e, "SET nosuch = 1", "ERROR 1193");
    check_sql(&e, "SET version = 1", "ERROR 1238");
    check_sql(&e, "SHOW VARIABLES LIKE 'AUTOCOMMIT'", "autocommit|OFF\n");
    check_sql(&e, "SET sql_mode = 'ANSI_QUOTES'", "OK 0");
    check_sql(&e, "SELECT \"nosuch\"", "ERROR 1054");
    check_sql(&e, "BEGIN", "OK 0");
    check_sql(&e, "COMMIT", "OK 0");
    engine_fini(&e);
}

/* Words of transactions: a promise that cannot be kept is an error, one that can be is none. */
Test(engine_change, savepoints)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE t (k BIGINT PRIMARY KEY)", "OK 0");
    check_sql(&e, "SAVEPOINT a", "OK 0");
    check_sql(&e, "ROLLBACK TO a", "ERROR 1305 SAVEPOINT a does not exist");
    check_sql(&e, "BEGIN", "OK 0");
    check_sql(&e, "SAVEPOINT a", "OK 0");
    check_sql(&e, "INSERT INTO t VALUES (1)", "OK 1");
    check_sql(&e, "SAVEPOINT b", "OK 0");
    check_sql(&e, "SAVEPOINT c", "OK 0");
    check_sql(&e, "ROLLBACK TO SAVEPOINT b", "OK 0"); /* nothing was written since */
    check_sql(&e, "RELEASE SAVEPOINT c", "ERROR 1305 SAVEPOINT c does not exist");
    check_sql(&e, "RELEASE SAVEPOINT b", "OK 0");
    check_sql(&e, "RELEASE SAVEPOINT b", "ERROR 1305");
    check_sql(&e, "ROLLBACK TO a", "ERROR 1196");
    check_sql(&e, "ROLLBACK TO a", "OK 0"); /* told once */
    check_sql(&e, "INSERT INTO t VALUES (2)", "OK 1");
    check_sql(&e, "SAVEPOINT a", "OK 0"); /* anew */
    check_sql(&e, "ROLLBACK TO a", "OK 0");
    check_sql(&e, "ROLLBACK", "ERROR 1196");
    check_sql(&e, "ROLLBACK TO a", "ERROR 1305");
    check_sql(&e, "SET autocommit = 0", "OK 0");
    check_sql(&e, "SHOW WARNINGS",
              "Note|1235|autocommit = 0 groups nothing: each statement is durable and visible at "
              "once, and ROLLBACK undoes nothing\n");
    check_sql(&e, "ROLLBACK", "OK 0");
    check_sql(&e, "INSERT INTO t VALUES (3)", "OK 1");
    check_sql(&e, "ROLLBACK", "ERROR 1196");
    check_sql(&e, "INSERT INTO t VALUES (4)", "OK 1");
    check_sql(&e, "SET autocommit = 1", "OK 0"); /* a COMMIT */
    check_sql(&e, "ROLLBACK", "OK 0");
    check_sql(&e, "SELECT count(*) FROM t", "4\n");
    engine_fini(&e);
}

/* Rows of the session: changed and asked like others, with others, in front of them. */
Test(engine_change, temporary_tables)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE t (k BIGINT PRIMARY KEY, p BIGINT)", "OK 0");
    check_sql(&e, "INSERT INTO t VALUES (1,NULL),(2,1),(3,1),(4,7)",
              "OK 4 Records: 4  Duplicates: 0  Warnings: 0");
    check_sql(&e, "CREATE TEMPORARY TABLE t AS SELECT k, p FROM (SELECT * FROM t) x WHERE k < 3",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT count(*) FROM t", "2\n");
    check_sql(&e, "DROP TEMPORARY TABLE t", "OK 0");
    check_sql(&e, "CREATE TABLE o AS SELECT k, p FROM t",
              "OK 4 Records: 4  Duplicates: 0  Warnings: 0");
    check_sql(&e, "CREATE TEMPORARY TABLE t AS SELECT k, p FROM o WHERE k < 4",
              "OK 3 Records: 3  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT count(*), sum(k) FROM t", "3|6\n");
    check_sql(&e, "INSERT INTO t VALUES (5,5),(6,NULL)",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT p, count(*) FROM t GROUP BY p ORDER BY p", "NULL|2\n1|2\n5|1\n");
    check_sql(&e, "UPDATE t SET p = k + 1 WHERE p IS NULL",
              "OK 2 Rows matched: 2  Changed: 2  Warnings: 0");
    check_sql(&e, "SELECT k, p FROM t ORDER BY p DESC, k LIMIT 2", "6|7\n5|5\n");
    check_sql(&e, "DELETE FROM t WHERE k = 5", "OK 1");
    check_sql(&e, "SELECT a.k, b.k FROM t a JOIN t b ON a.p = b.k ORDER BY 1", "1|2\n2|1\n3|1\n");
    check_sql(&e, "SHOW CREATE TABLE t",
              "t|CREATE TEMPORARY TABLE `t` (\n  `k` bigint NOT NULL COMMENT "
              "'strategy=IntBSI',\n  `p` bigint DEFAULT NULL COMMENT "
              "'strategy=IntBSI'\n) ENGINE=QUANTA DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin\n");
    check_sql(&e, "CREATE TEMPORARY TABLE u (k BIGINT PRIMARY KEY, t VARCHAR(9))", "OK 0");
    check_sql(&e, "INSERT INTO u VALUES (1,'x'),(1,'y')", "ERROR 1062");
    check_sql(&e, "INSERT INTO u VALUES (1,'x'),(2,'y')",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT t FROM u WHERE k = 2", "y\n");
    check_sql(&e, "TRUNCATE TABLE u", "OK 0");
    check_sql(&e, "SELECT count(*) FROM u", "0\n");
    check_sql(&e, "SHOW TABLES", "o\nt\n");
    check_sql(&e, "DROP TEMPORARY TABLE t, nothing", "ERROR 1051 Unknown table 'quanta.nothing'");
    check_sql(&e, "DROP TABLE t, u", "OK 0");
    check_sql(&e, "SELECT count(*) FROM t", "4\n");
    check_sql(&e, "DROP TEMPORARY TABLE t", "ERROR 1051 Unknown table 'quanta.t'");
    check_sql(&e, "CREATE TEMPORARY TABLE t (k BIGINT PRIMARY KEY)", "OK 0");
    engine_fini(&e);
}

Test(engine_change, joins)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE a (k BIGINT PRIMARY KEY, v BIGINT, s VARCHAR(9))", "OK 0");
    check_sql(&e, "CREATE TABLE b (k BIGINT PRIMARY KEY, a BIGINT, n BIGINT)", "OK 0");
    check_sql(&e, "INSERT INTO a VALUES ROW(1,(SELECT 10),'x'), ROW(2,20,'y'), ROW(3,30,NULL)",
              "OK 3 Records: 3  Duplicates: 0  Warnings: 0");
    check_sql(&e, "INSERT INTO b TABLE a", "ERROR 1366");
    check_sql(&e, "INSERT INTO b VALUES (1,1,100),(2,1,100),(3,2,300),(4,9,400)",
              "OK 4 Records: 4  Duplicates: 0  Warnings: 0");
    check_sql(&e, "UPDATE a JOIN b ON b.a = a.k SET a.v = b.n, b.n = 0 WHERE a.k < 3",
              "OK 5 Rows matched: 5  Changed: 5  Warnings: 0");
    check_sql(&e, "SELECT k, v FROM a ORDER BY k", "1|100\n2|300\n3|30\n");
    check_sql(&e,
              "UPDATE a LEFT JOIN b ON b.a = a.k SET a.s = 'long text', b.n = 1 WHERE b.k IS NULL",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&e, "UPDATE a JOIN b ON b.a = a.k SET a.s = 'much too long'", "ERROR 1406");
    check_sql(&e, "DELETE a, b FROM a JOIN b ON b.a = a.k", "OK 5");
    check_sql(&e, "SELECT k, s FROM a UNION ALL SELECT k, n FROM b", "3|long text\n4|400\n");
    check_sql(&e, "DELETE x FROM a JOIN b", "ERROR 1109 Unknown table 'x' in MULTI DELETE");
    engine_fini(&e);
}
