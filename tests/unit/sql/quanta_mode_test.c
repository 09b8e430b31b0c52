/* sql_mode QUANTA: what the first Quanta made of statements. */
#include "engine_world.h"

static void begin(struct engine *e)
{
    engine_init(e);
    check_sql(e,
              "CREATE TABLE c (id INT PRIMARY KEY, a INT, b INT DEFAULT 5, h DECIMAL(8,2), s "
              "VARCHAR(10), tags VARCHAR(40) COMMENT 'strategy=StringEnum multivalued delim=|')",
              "OK 0");
    check_sql(e, "CREATE TABLE o (id INT PRIMARY KEY, c_id INT REFERENCES c (id), via VARCHAR(10))",
              "OK 0");
    check_sql(e,
              "INSERT INTO c VALUES (1,1,1,1.25,'x','p|q'),(2,2,1,NULL,'y',NULL),"
              "(3,NULL,1,3.5,'z','q'),(4,4,2,NULL,NULL,'')",
              "OK 4 Records: 4  Duplicates: 0  Warnings: 0");
    check_sql(e, "INSERT INTO o VALUES (10,1,'ups'),(11,1,'ups'),(12,3,'dhl')",
              "OK 3 Records: 3  Duplicates: 0  Warnings: 0");
    check_sql(e, "SET sql_mode = 'QUANTA'", "OK 0");
}

/* Ids of c for a condition. */
static void check_ids(struct engine *e, const char *condition, const char *ids)
{
    char sql[300], want[100];

    snprintf(sql, sizeof sql, "SELECT group_concat(id ORDER BY id) FROM c WHERE %s", condition);
    snprintf(want, sizeof want, "%s\n", ids);
    check_sql(e, sql, want);
}

Test(quanta_mode, negations_take_null)
{
    struct engine e;

    begin(&e);
    check_ids(&e, "a != 1", "2,3,4");
    check_ids(&e, "1 <> a", "2,3,4");
    check_ids(&e, "NOT (a = 1)", "2,3,4");
    check_ids(&e, "NOT a > 1", "1,3");
    check_ids(&e, "a NOT IN (1, 2)", "3,4");
    check_ids(&e, "a NOT IN (1, NULL)", "2,3,4");
    check_ids(&e, "a NOT BETWEEN 2 AND 3", "1,3,4");
    check_ids(&e, "s NOT LIKE 'x%'", "2,3,4");
    check_ids(&e, "NOT (a = 1 OR a = 2)", "3,4");
    check_ids(&e, "a + 0 != 1", "2,3,4");
    check_ids(&e, "tags != 'q'", "2,4");
    check_ids(&e, "tags = 'q'", "1,3");
    engine_fini(&e);
}

Test(quanta_mode, null_tests)
{
    struct engine e;

    begin(&e);
    check_ids(&e, "a = NULL", "3");
    check_ids(&e, "NULL == a", "3");
    check_ids(&e, "a != NULL", "1,2,4");
    check_ids(&e, "NOT a = NULL", "1,2,4");
    check_ids(&e, "a NOT IN (1) AND a != NULL", "2,4");
    check_sql(&e, "PREPARE p FROM 'SELECT count(*) FROM c WHERE a = ?'", "OK 0 Statement prepared");
    check_sql(&e, "SET @n = NULL", "OK 0");
    check_sql(&e, "EXECUTE p USING @n", "1\n");
    check_sql(&e, "SELECT NULL = NULL, 1 <> NULL", "NULL|NULL\n");
    engine_fini(&e);
}

/* All that OR joins, cut with all that AND joins. */
Test(quanta_mode, and_beside_or)
{
    struct engine e;

    begin(&e);
    check_ids(&e, "a = 1 OR a = 4 AND b = 1", "1");
    check_ids(&e, "b = 1 AND a = 2 OR a = 4", "2");
    check_ids(&e, "a = 1 OR a = 4 AND (b = 2 OR a = 2)", "4");
    check_ids(&e, "a = 1 OR (a = 2 OR a = 4)", "1,2,4");
    check_sql(&e, "SET sql_mode = DEFAULT", "OK 0");
    check_ids(&e, "a = 1 OR a = 4 AND b = 1", "1");
    check_ids(&e, "b = 1 AND a = 2 OR a = 4", "2,4");
    engine_fini(&e);
}

Test(quanta_mode, names_and_numbers)
{
    struct engine e;

    begin(&e);
    check_sql(&e, "SELECT a AS x FROM c WHERE x = 2", "2\n");
    check_sql(&e, "SELECT upper(s) AS u FROM c WHERE u = 'Y'", "Y\n");
    check_sql(&e, "SELECT max(a) AS m FROM c WHERE m = 2 LIMIT 1", "2\n");
    check_sql(&e, "SELECT sum(a) AS m FROM c WHERE m = 77", "NULL\n");
    check_ids(&e, "h = 1.2500", "1");
    check_sql(&e, "SELECT 1 FROM c WHERE h = 1.255",
              "ERROR 1105 this would result in rounding error for field 'h', value should have 2 "
              "decimal places");
    check_sql(&e, "SELECT 1 FROM c WHERE h BETWEEN 1 AND '-2.005'", "ERROR 1105 this would");
    engine_fini(&e);
}

Test(quanta_mode, joins)
{
    struct engine e;

    begin(&e);
    check_sql(&e, "SELECT id FROM c WHERE id IN (SELECT c_id FROM o) ORDER BY id", "1\n1\n3\n");
    check_sql(&e, "SELECT count(*) FROM c WHERE id IN (SELECT c_id FROM o WHERE via != 'dhl')",
              "2\n");
    check_sql(&e, "SELECT * FROM c WHERE a = 1 AND id IN (SELECT c_id FROM o WHERE id = 10)",
              "1|1|1|1.25|x|p|q\n");
    check_sql(&e, "SELECT *, via FROM o WHERE c_id IN (SELECT id FROM c WHERE b = 1 AND h = NULL)",
              "");
    check_sql(&e, "SELECT id FROM c WHERE id NOT IN (SELECT c_id FROM o) ORDER BY id", "2\n4\n");
    check_sql(&e,
              "SELECT c.id FROM c WHERE EXISTS (SELECT 1 FROM o WHERE o.c_id = c.id) ORDER BY 1",
              "1\n3\n");
    check_sql(&e, "SELECT id FROM c WHERE id IN (SELECT id, via FROM o)",
              "ERROR 1105 subquery must contain only 1 select column for join");
    check_sql(&e,
              "SELECT c.id, o.id FROM c OUTER JOIN o ON c.id = o.c_id WHERE o.via = 'dhl' ORDER BY "
              "c.id",
              "1|NULL\n2|NULL\n3|12\n4|NULL\n");
    check_sql(&e, "SELECT c.id, o.id FROM c LEFT JOIN o ON c.id = o.c_id WHERE o.via = 'dhl'",
              "3|12\n");
    check_sql(&e, "SELECT c.id FROM c INNER JOIN o ON c.id != o.c_id ORDER BY c.id", "2\n4\n");
    check_sql(&e, "SELECT c.id, o.id FROM o INNER JOIN c ON o.c_id != c.id ORDER BY 1",
              "2|NULL\n4|NULL\n");
    engine_fini(&e);
}

Test(quanta_mode, writes)
{
    struct engine e;

    begin(&e);
    check_sql(&e, "INSERT INTO c (id, a, b, s) VALUES (5, 7, , '', 'x')", "OK 0");
    check_sql(&e, "SELECT a, b, s FROM c WHERE id = 5", "7|5|x\n");
    check_sql(&e, "INSERT INTO c (id, a, tags) VALUES (1, 9, 'r')", "OK 0");
    check_sql(&e, "SELECT a, b, s, tags FROM c WHERE id = 1", "9|1|x|p|q|r\n");
    check_sql(&e, "UPDATE c SET tags = 's' WHERE id < 3",
              "OK 2 Rows matched: 2  Changed: 2  Warnings: 0");
    check_sql(&e, "SELECT tags FROM c WHERE id < 3 ORDER BY id", "p|q|r|s\ns\n");
    check_sql(&e, "UPDATE c SET tags = NULL WHERE id = 1",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&e, "UPDATE c SET a = 9 WHERE id = 1",
              "OK 1 Rows matched: 1  Changed: 0  Warnings: 0");
    check_sql(&e, "UPDATE c SET a = 1", "ERROR 1105 Must provide a predicate");
    check_sql(&e, "DELETE FROM c", "ERROR 1105 Must provide a predicate");
    check_sql(&e, "UPDATE c JOIN c d USING (id) SET c.a = 1", "ERROR 1235");
    check_sql(&e, "DELETE c FROM c JOIN c d USING (id)", "ERROR 1235");
    check_sql(&e, "UPDATE c SET id = 8 WHERE id = 77",
              "OK 0 Rows matched: 0  Changed: 0  Warnings: 0");
    check_sql(&e, "UPDATE c SET id = 8 WHERE id = 1", "ERROR 1105 cannot update PK column c.id");
    check_sql(&e, "UPDATE c SET no = 8 WHERE id = 1", "ERROR 1105 attribute 'no' not found");
    check_sql(&e, "INSERT INTO no (a) VALUES (1)",
              "ERROR 1105 Could not find a DataSource for that table \"no\"");
    check_sql(&e, "DELETE FROM c WHERE a != 9", "OK 4");
    engine_fini(&e);
}

/* Without the mode nothing of it. */
Test(quanta_mode, default_mode)
{
    struct engine e;

    begin(&e);
    check_sql(&e, "SET sql_mode = ''", "OK 0");
    check_sql(&e, "INSERT INTO c (id, a) VALUES (7,,7)", "ERROR 1064");
    check_sql(&e, "INSERT INTO c (id, a) VALUES (,7)", "ERROR 1064");
    check_sql(&e, "INSERT INTO c (id, a) VALUES (7,7,)", "ERROR 1064");
    check_sql(&e, "INSERT INTO c (id, s) VALUES (7,'')", "OK 1");
    check_sql(&e, "SELECT s = '' FROM c WHERE id = 7", "1\n");
    check_sql(&e, "SELECT a AS x FROM c WHERE x = 2", "ERROR 1054");
    check_sql(&e, "SET sql_mode = 'QUANT'", "ERROR 1231");
    engine_fini(&e);
}

/* Defaults of each row: of other columns, or another value each time. */
Test(quanta_mode, defaults_of_rows)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "CREATE TABLE t (id INT PRIMARY KEY, h VARCHAR(64) DEFAULT (hash.md5(id)), u "
              "VARCHAR(40) DEFAULT (uuid()), v INT)",
              "OK 0");
    check_sql(&e, "INSERT INTO t (id) VALUES (1), (2)",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "INSERT INTO t (h, id) VALUES (DEFAULT, 3), ('own', 4)",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "INSERT INTO t (id, v) SELECT id + 10, v FROM t WHERE id = 1",
              "OK 1 Records: 1  Duplicates: 0  Warnings: 0");
    check_sql(&e, "SELECT id, h = md5(id), length(u) FROM t ORDER BY id",
              "1|1|36\n2|1|36\n3|1|36\n4|0|36\n11|1|36\n");
    check_sql(&e, "SELECT count(DISTINCT u) FROM t", "5\n");
    check_sql(&e, "UPDATE t SET h = DEFAULT WHERE id = 4",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&e, "SELECT h = md5('4') FROM t WHERE id = 4", "1\n");
    check_sql(&e, "CREATE TABLE u (id INT PRIMARY KEY, h INT DEFAULT (abs(nosuch)))", "ERROR 1054");
    check_sql(&e, "CREATE TABLE u (id INT PRIMARY KEY, h INT DEFAULT (nosuch(id)))", "ERROR 1305");
    engine_fini(&e);
}
