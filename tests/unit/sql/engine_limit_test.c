/* What declared types let in: ranges, members, lengths, strictly and near. */
#include "engine_world.h"

Test(engine_limit, ranges)
{
    struct engine e;

    engine_init(&e);
    check_sql(
        &e,
        "CREATE TABLE t (k INT PRIMARY KEY, a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT "
        "UNSIGNED, e BIGINT UNSIGNED, f DECIMAL(5,2), y YEAR, u DECIMAL(4,1) UNSIGNED)",
        "OK 0");
    check_sql(&e, "INSERT INTO t (k,a) VALUES (1,127),(2,-128)",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(
        &e, "INSERT INTO t (k,a) VALUES (3,1),(4,128)",
        "ERROR 1264 Out of range value for column 'a' at row 2: found '128'; allowed: -128 to "
        "127");
    check_sql(&e, "INSERT INTO t (k,a) VALUES (3,-129)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,a) VALUES (3,'127.4')", "OK 1");
    check_sql(&e, "INSERT INTO t (k,a) VALUES (4,127.5)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,b) VALUES (4,-1)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,b) VALUES (4,65535)", "OK 1");
    check_sql(&e, "INSERT INTO t (k,b) VALUES (5,65536)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,c) VALUES (5,8388608)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,c) VALUES (5,-8388608)", "OK 1");
    check_sql(&e, "INSERT INTO t (k,d) VALUES (6,4294967295)", "OK 1");
    check_sql(&e, "INSERT INTO t (k,d) VALUES (7,4294967296)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,e) VALUES (7,-1)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,e) VALUES (7,18446744073709551615)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,f) VALUES (7,999.994),(8,'-999.99')",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "INSERT INTO t (k,f) VALUES (9,999.995)",
              "ERROR 1264 Out of range value for column 'f' at row 1: found '1000.00'; allowed: "
              "-999.99 to 999.99");
    check_sql(&e, "INSERT INTO t (k,u) VALUES (9,-0.1)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k) VALUES (2147483648)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,y) VALUES (20,7),(21,70),(22,'0'),(23,0),(24,2155),(25,'1901')",
              "OK 6 Records: 6  Duplicates: 0  Warnings: 0");
    check_sql(&e, "INSERT INTO t (k,y) VALUES (26,DATE '2026-05-01')", "OK 1");
    check_sql(&e, "INSERT INTO t (k,y) VALUES (27,1900)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t (k,y) VALUES (27,2156)", "ERROR 1264");
    check_sql(&e, "SELECT k, y FROM t WHERE k BETWEEN 20 AND 30 ORDER BY k",
              "20|2007\n21|1970\n22|2000\n23|0\n24|2155\n25|1901\n26|2026\n");
    engine_fini(&e);
}

Test(engine_limit, every_way_in)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE t (k INT PRIMARY KEY, a TINYINT)", "OK 0");
    check_sql(&e, "CREATE TABLE big (k INT PRIMARY KEY, a BIGINT)", "OK 0");
    check_sql(&e, "INSERT INTO t VALUES (1,100)", "OK 1");
    check_sql(&e, "INSERT INTO big VALUES (2,1000)", "OK 1");
    check_sql(&e, "UPDATE t SET a = a + 28", "ERROR 1264");
    check_sql(&e, "REPLACE INTO t VALUES (1,1000)", "ERROR 1264");
    check_sql(&e, "INSERT INTO t SELECT * FROM big", "ERROR 1264");
    check_sql(&e, "INSERT INTO t VALUES (1,5) ON DUPLICATE KEY UPDATE a = a + 100", "ERROR 1264");
    check_sql(&e, "CREATE TABLE made (a TINYINT) SELECT k, a FROM big", "ERROR 1264");
    check_sql(&e, "SELECT * FROM t", "1|100\n");
    engine_fini(&e);
}

Test(engine_limit, members)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "CREATE TABLE d (a ENUM('x','y','x'))", "ERROR 1291");
    check_sql(&e, "CREATE TABLE d (a ENUM('x','y') DEFAULT 'z')", "ERROR 1067");
    check_sql(&e,
              "CREATE TABLE t (k INT PRIMARY KEY, g ENUM('red','green','it''s') DEFAULT 'red', s "
              "SET('a','b','c'))",
              "OK 0");
    check_sql(&e, "INSERT INTO t VALUES (1,'green','c,a'),(2,3,''),(3,'1','b'),(4,NULL,NULL)",
              "OK 4 Records: 4  Duplicates: 0  Warnings: 0");
    check_sql(&e, "INSERT INTO t (k) VALUES (5)", "OK 1");
    check_sql(&e, "SELECT * FROM t ORDER BY k",
              "1|green|c,a\n2|it's|NULL\n3|red|b\n4|NULL|NULL\n5|red|NULL\n");
    check_sql(&e, "INSERT INTO t (k,g) VALUES (6,'blue')",
              "ERROR 1265 Data truncated for column 'g' at row 1: found 'blue'; allowed: "
              "enum('red','green','it''s')");
    check_sql(&e, "INSERT INTO t (k,g) VALUES (6,0)", "ERROR 1265");
    check_sql(&e, "INSERT INTO t (k,g) VALUES (6,4)", "ERROR 1265");
    check_sql(&e, "INSERT INTO t (k,g) VALUES (6,'')", "ERROR 1265");
    check_sql(&e, "INSERT INTO t (k,s) VALUES (6,'a,d')", "ERROR 1265");
    check_sql(&e, "UPDATE t SET g = 'blue' WHERE k = 1", "ERROR 1265");
    check_sql(&e, "UPDATE t SET g = 1 WHERE k = 1",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&e, "ALTER TABLE t MODIFY g ENUM('red','green')", "ERROR 1846");
    check_sql(&e, "ALTER TABLE t MODIFY g ENUM('red','green','it''s','blue')", "OK 0");
    check_sql(&e, "INSERT INTO t (k,g) VALUES (6,'blue')", "OK 1");
    engine_fini(&e);
}

Test(engine_limit, near)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "CREATE TABLE t (k INT PRIMARY KEY, a TINYINT, g ENUM('x','y'), s SET('a','b'), v "
              "VARCHAR(3), d DECIMAL(4,2))",
              "OK 0");
    check_sql(&e,
              "INSERT IGNORE INTO t VALUES (1,300,'z','a,q','abcde','-1000'),(1,0,'x','','','0')",
              "OK 1 Records: 2  Duplicates: 1  Warnings: 6");
    check_sql(&e, "SELECT * FROM t", "1|127||a|abc|-99.99\n");
    check_sql(&e, "UPDATE IGNORE t SET a = a - 1000, g = 2, s = 'b'",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 1");
    check_sql(
        &e, "SHOW WARNINGS",
        "Warning|1264|Out of range value for column 'a' at row 1: found '-873'; allowed: -128 "
        "to 127\n");
    check_sql(&e, "SET sql_mode = ''", "OK 0");
    check_sql(&e, "INSERT INTO t (k,a) VALUES (2,'12abc'),(3,'abc'),(4,99999999999999999999)",
              "OK 3 Records: 3  Duplicates: 0  Warnings: 3");
    check_sql(&e, "INSERT INTO t (k,a,d) VALUES (5,-1e30,'-1e30')", "OK 1");
    check_sql(&e, "SELECT k, a, d FROM t ORDER BY k",
              "1|-128|-99.99\n2|12|NULL\n3|0|NULL\n4|127|NULL\n5|-128|-99.99\n");
    check_sql(&e, "SET sql_mode = DEFAULT", "OK 0");
    check_sql(&e, "INSERT INTO t (k,a) VALUES (6,300)", "ERROR 1264");
    engine_fini(&e);
}

Test(engine_limit, definitions)
{
    struct engine e;
    const char *columns =
        "`k` int unsigned NOT NULL COMMENT 'strategy=IntBSI',\n  `a` tinyint "
        "DEFAULT '5' COMMENT 'strategy=IntBSI',\n  `b` bigint DEFAULT NULL COMMENT "
        "'strategy=IntBSI',\n  `t` mediumtext DEFAULT NULL COMMENT "
        "'strategy=StringHashBSI',\n  `c` char(4) DEFAULT NULL COMMENT "
        "'strategy=StringHashBSI',\n  `g` enum('x','it''s') DEFAULT NULL COMMENT "
        "'strategy=StringEnum',\n  `d` decimal(6,3) unsigned DEFAULT NULL COMMENT "
        "'strategy=FloatScaleBSI',\n  `y` year DEFAULT NULL COMMENT "
        "'strategy=IntBSI',\n  PRIMARY KEY (`k`)\n) ENGINE=QUANTA DEFAULT "
        "CHARSET=utf8mb4 COLLATE=utf8mb4_bin\n";
    char wanted[1200];

    engine_init(&e);
    check_sql(
        &e,
        "CREATE TABLE t (k INTEGER UNSIGNED PRIMARY KEY, a TINYINT(4) DEFAULT 5, b BIGINT(20), "
        "t MEDIUMTEXT, c CHAR(4), g ENUM('x','it''s'), d NUMERIC(6,3) UNSIGNED, y YEAR(4))",
        "OK 0");
    snprintf(wanted, sizeof wanted, "t|CREATE TABLE `t` (\n  %s", columns);
    check_sql(&e, "SHOW CREATE TABLE t", wanted);
    check_sql(&e, "CREATE TABLE u LIKE t", "OK 0");
    snprintf(wanted, sizeof wanted, "u|CREATE TABLE `u` (\n  %s", columns);
    check_sql(&e, "SHOW CREATE TABLE u", wanted);
    check_sql(
        &e,
        "SELECT column_type, data_type, numeric_precision FROM information_schema.columns "
        "WHERE table_name = 't' AND column_name IN ('k','d','g') ORDER BY ordinal_position",
        "int unsigned|int|10\nenum('x','it''s')|enum|NULL\ndecimal(6,3) unsigned|decimal|6\n");
    check_sql(&e, "ALTER TABLE t MODIFY a TINYINT UNSIGNED", "ERROR 1846");
    check_sql(&e, "ALTER TABLE t MODIFY a INT", "OK 0");
    check_sql(&e, "INSERT INTO t (k,a) VALUES (1,100000)", "OK 1");
    check_sql(&e, "ALTER TABLE t MODIFY a TINYINT", "ERROR 1846");
    check_sql(&e, "ALTER TABLE t MODIFY d DECIMAL(6,3)", "OK 0");
    check_sql(&e, "ALTER TABLE t MODIFY d DECIMAL(5,3)", "ERROR 1846");
    check_sql(&e, "CREATE TABLE v (a TINYINT DEFAULT 300)", "ERROR 1067");
    check_sql(&e, "CREATE TABLE v (a DECIMAL(2,4))", "ERROR 1427");
    check_sql(&e, "CREATE TABLE v (a DECIMAL)", "OK 0");
    check_sql(&e, "INSERT INTO v VALUES (9999999999.4)", "OK 1");
    check_sql(&e, "INSERT INTO v VALUES (10000000000)", "ERROR 1264");
    engine_fini(&e);
}
