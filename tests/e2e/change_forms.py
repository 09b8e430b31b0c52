#!/usr/bin/python3
"""
Forms of INSERT, REPLACE, UPDATE and DELETE, TABLE and VALUES: answers, counts of rows, errors and what the tables then
hold, compared with MariaDB. Where it does not know a form of MySQL 8 it gets one that says the same, after " ~ ".
"""

import contextlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "../peers")]
import mariadb
import pymysql
import support
from support import Node, expect

TABLES = {
    "t": "(id INT PRIMARY KEY, a INT, b INT DEFAULT 7, s VARCHAR(20))",
    "u": "(id INT PRIMARY KEY, t INT, n INT, s VARCHAR(20))",
    "w": "(k INT, l INT, n INT, PRIMARY KEY (k, l))",
}
ROWS = {
    "t": "(1,10,1,'one'),(2,20,2,'two'),(3,30,3,NULL),(4,NULL,4,'four'),(5,50,5,'five')",
    "u": "(1,1,100,'x'),(2,1,200,'y'),(3,2,300,'z'),(4,9,400,NULL),(5,NULL,500,'v')",
    "w": "(1,1,5),(1,2,6),(2,1,7),(3,3,8)",
}


class Sides:
    """The same statements for quanta and for MariaDB."""

    def __init__(self, node, oracle):
        self.connections = [node.connect(conv={}), oracle.connect()]
        for table, definition in TABLES.items():
            self.run(f"CREATE TABLE {table} {definition}")

    def run(self, *statements):
        for connection in self.connections:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)

    def fill(self):
        for table, rows in ROWS.items():
            self.run(f"DELETE FROM {table}", f"INSERT INTO {table} VALUES {rows}")

    @staticmethod
    def answer(connection, statement):
        """Rows as texts, or how many were affected and the server's info, or the error's number."""
        with connection.cursor() as cursor:
            try:
                affected = cursor.execute(statement)
                if cursor.description:
                    return [tuple(None if v is None else str(v) for v in row) for row in cursor.fetchall()]
                info = cursor._result.message.decode() # pylint: disable=protected-access
                return affected, info.split("  Warnings")[0]
            except pymysql.err.MySQLError as error:
                return error.args[0]

    def tables(self, connection):
        return {table: sorted(self.answer(connection, f"SELECT * FROM {table}"), key=repr) for table in TABLES}

    def both(self, statement):
        """Judges one statement, or ours and theirs."""
        ours, _, theirs = statement.partition(" ~ ")
        found, wanted = self.answer(self.connections[0], ours), self.answer(self.connections[1], theirs or ours)
        if isinstance(wanted, list) and isinstance(found, list) and "ORDER BY" not in ours:
            found, wanted = sorted(found, key=repr), sorted(wanted, key=repr)
        expect(found, wanted, ours)
        if not isinstance(wanted, list):
            expect(self.tables(self.connections[0]), self.tables(self.connections[1]), ours)
        return found

    def each(self, statements, afresh=False):
        """All of a text's lines; afresh: each on the first rows."""
        self.fill()
        different = []
        for statement in statements.strip().split("\n"):
            if afresh:
                self.fill()
            try:
                self.both(statement.strip())
            except AssertionError as error:
                different.append(str(error))
        if different:
            raise AssertionError("\n".join(different))

    def told(self, statement, wanted):
        """What MariaDB cannot be asked: ours alone."""
        expect(self.answer(self.connections[0], statement), wanted, statement)


def test_values_and_table(sides):
    sides.each("""
VALUES ROW(1, 'a'), ROW(2, NULL) ~ VALUES (1, 'a'), (2, NULL)
VALUES ROW(1, 2) ~ VALUES (1, 2)
VALUES ROW(2, 'b'), ROW(1, 'a'), ROW(3, 'c') ORDER BY column_0 DESC LIMIT 2 ~ SELECT 3, 'c' UNION ALL SELECT 2, 'b' ORDER BY 1 DESC
VALUES ROW(1), ROW(2.5), ROW('x') ~ VALUES (1), (2.5), ('x')
VALUES ROW(1), ROW(1) UNION VALUES ROW(1), ROW(2) ~ VALUES (1), (1) UNION VALUES (1), (2)
VALUES ROW(1), ROW(2) EXCEPT SELECT 2 ~ (VALUES (1), (2)) EXCEPT SELECT 2
VALUES ROW(1), ROW(2) INTERSECT SELECT 2 ~ (VALUES (1), (2)) INTERSECT SELECT 2
SELECT 5 UNION ALL (VALUES ROW(6), ROW(7) ORDER BY 1 DESC LIMIT 1) ~ SELECT 5 UNION ALL SELECT 7
SELECT column_1 + 1 FROM (VALUES ROW(1, 2), ROW(3, 4)) AS d ~ SELECT 3 UNION ALL SELECT 5
SELECT x, y FROM (VALUES ROW(1, 2), ROW(3, 4)) AS d (x, y) WHERE x > 1 ~ SELECT 3, 4
SELECT id FROM t WHERE id IN (VALUES ROW(1), ROW(3)) ~ SELECT id FROM t WHERE id IN (VALUES (1), (3))
SELECT (VALUES ROW(9)) ~ SELECT 9
WITH c AS (VALUES ROW(1, 'a'), ROW(2, 'b')) SELECT count(*) FROM c ~ SELECT 2
VALUES ROW((SELECT max(a) FROM t), (SELECT count(*) FROM u)) ~ SELECT max(a), 5 FROM t
TABLE t ~ SELECT * FROM t
TABLE t ORDER BY id DESC LIMIT 2 ~ SELECT * FROM t ORDER BY id DESC LIMIT 2
TABLE t ORDER BY a, id LIMIT 2 OFFSET 1 ~ SELECT * FROM t ORDER BY a, id LIMIT 2 OFFSET 1
TABLE w UNION ALL TABLE w ~ SELECT * FROM w UNION ALL SELECT * FROM w
(TABLE w) EXCEPT (SELECT 1, 1, 5) ~ SELECT * FROM w EXCEPT SELECT 1, 1, 5
SELECT count(*) FROM (TABLE u) AS d ~ SELECT count(*) FROM u
SELECT id FROM t WHERE EXISTS (TABLE w) ~ SELECT id FROM t
SELECT * FROM w WHERE (k, l, n) IN (TABLE w) ~ SELECT * FROM w
TABLE nosuch ~ SELECT * FROM nosuch
""")
    sides.told("VALUES ROW(1), ROW(1, 2)", 1136)
    for wrong in ("VALUES ROW(DEFAULT)", "VALUES ROW()", "VALUES (1)", "VALUES ROWS(1)", "TABLE t WHERE a = 1", "TABLE t AS x"):
        sides.told(wrong, 1064)
    with sides.connections[0].cursor() as cursor:
        cursor.execute("VALUES ROW(1, 2), ROW(3, 4)")
        expect([column[0] for column in cursor.description], ["column_0", "column_1"])
        cursor.execute("EXPLAIN TABLE t")
        cursor.execute("CREATE OR REPLACE VIEW numbers AS VALUES ROW(1), ROW(2)")
        cursor.execute("SELECT sum(column_0) FROM numbers")
        expect(str(cursor.fetchone()[0]), "3")
        cursor.execute("DROP VIEW numbers")


def test_insert_rows(sides):
    sides.each("""
INSERT INTO t VALUES ROW(11, 1, 1, 'a'), ROW(12, 2, DEFAULT, 'b') ~ INSERT INTO t VALUES (11, 1, 1, 'a'), (12, 2, DEFAULT, 'b')
INSERT INTO t (id, a) VALUES ROW(13, 1 + 2), ROW(14, length('abc')) ~ INSERT INTO t (id, a) VALUES (13, 1 + 2), (14, length('abc'))
REPLACE INTO t (id, a) VALUES ROW(11, 5) ~ REPLACE INTO t (id, a) VALUES (11, 5)
INSERT INTO t VALUES ROW(15, 1, 1) ~ INSERT INTO t VALUES (15, 1, 1)
INSERT INTO t (id, a) VALUES ROW(16, 1), ROW(17) ~ INSERT INTO t (id, a) VALUES (16, 1), (17)
INSERT INTO t (id, a) VALUES ROW(19, 2), ROW(18, 1) ORDER BY 1 LIMIT 1 ~ INSERT INTO t (id, a) SELECT 18, 1
INSERT INTO t (id, a) VALUES ROW(20, 1) UNION ALL SELECT abs(-21), 2 ~ INSERT INTO t (id, a) SELECT 20, 1 UNION ALL SELECT 21, 2
INSERT INTO w (k, l, n) TABLE w ORDER BY k LIMIT 0 ~ INSERT INTO w SELECT * FROM w LIMIT 0
INSERT INTO w TABLE w ~ INSERT INTO w SELECT * FROM w
REPLACE INTO w TABLE w ~ REPLACE INTO w SELECT * FROM w
INSERT IGNORE INTO w VALUES ROW(1, 1, 0), ROW(9, 9, 9) ~ INSERT IGNORE INTO w VALUES (1, 1, 0), (9, 9, 9)
INSERT INTO u (id) VALUES ROW(1), ROW(30) ON DUPLICATE KEY UPDATE n = -1 ~ INSERT INTO u (id) VALUES (1), (30) ON DUPLICATE KEY UPDATE n = -1
""")


def test_row_alias(sides):
    sides.each("""
INSERT INTO t (id, a, b) VALUES (1, 5, 6), (6, 7, 8) AS new ON DUPLICATE KEY UPDATE a = new.a + t.a, b = new.b ~ INSERT INTO t (id, a, b) VALUES (1, 5, 6), (6, 7, 8) ON DUPLICATE KEY UPDATE a = VALUES(a) + a, b = VALUES(b)
INSERT INTO t (id, a, b) VALUES (1, 5, 6), (1, 9, 9) AS new (i, x, y) ON DUPLICATE KEY UPDATE a = x + y, s = concat(s, i) ~ INSERT INTO t (id, a, b) VALUES (1, 5, 6), (1, 9, 9) ON DUPLICATE KEY UPDATE a = VALUES(a) + VALUES(b), s = concat(s, VALUES(id))
INSERT INTO t (id, a) VALUES ROW(2, 50) AS new ON DUPLICATE KEY UPDATE a = new.a ~ INSERT INTO t (id, a) VALUES (2, 50) ON DUPLICATE KEY UPDATE a = VALUES(a)
INSERT INTO t SET id = 2, a = 60 AS new ON DUPLICATE KEY UPDATE t.a = new.a + VALUES(a) ~ INSERT INTO t SET id = 2, a = 60 ON DUPLICATE KEY UPDATE t.a = VALUES(a) + VALUES(a)
INSERT INTO t (id, a) VALUES (2, 70) AS n (i, x) ON DUPLICATE KEY UPDATE a = n.x + VALUES(a) ~ INSERT INTO t (id, a) VALUES (2, 70) ON DUPLICATE KEY UPDATE a = VALUES(a) + VALUES(a)
INSERT INTO t (id, a) VALUES (7, 1) AS new ~ INSERT INTO t (id, a) VALUES (7, 1)
INSERT INTO t VALUES (1, 1, 1, 's') AS new ON DUPLICATE KEY UPDATE b = new.b + 1, s = DEFAULT ~ INSERT INTO t VALUES (1, 1, 1, 's') ON DUPLICATE KEY UPDATE b = VALUES(b) + 1, s = DEFAULT
""")
    for statement, error in (("INSERT INTO t (id) VALUES (1) AS t ON DUPLICATE KEY UPDATE a = 1", 1066),
                             ("INSERT INTO t (id) VALUES (1) AS n ON DUPLICATE KEY UPDATE b = b + 1", 1052),
                             ("INSERT INTO t (id) VALUES (1) AS n (x, y) ON DUPLICATE KEY UPDATE b = 1", 1353),
                             ("INSERT INTO t (id, a) VALUES (1, 2) AS n (x, X) ON DUPLICATE KEY UPDATE b = 1", 1060),
                             ("INSERT INTO t (id, a) VALUES (1, 2) AS n (x, y) ON DUPLICATE KEY UPDATE b = n.a", 1054),
                             ("INSERT INTO t (id, a) VALUES (1, 2) AS n ON DUPLICATE KEY UPDATE n.a = 1", 1054),
                             ("REPLACE INTO t (id) VALUES (1) AS n ON DUPLICATE KEY UPDATE a = 1", 1064)):
        sides.told(statement, error)


def test_subqueries_in_values(sides):
    sides.each("""
INSERT INTO t VALUES (21, (SELECT max(n) FROM u), (SELECT count(*) FROM w), (SELECT s FROM u WHERE id = 1)), (22, 1, 2, 'plain')
INSERT INTO t (id, a) VALUES (23, 1 + (SELECT 2)), (24, EXISTS (SELECT 1 FROM u)), (25, 5 IN (SELECT id FROM u)), (26, 3 > ALL (SELECT k FROM w))
INSERT INTO t SET id = 27, a = (SELECT sum(n) FROM u), s = upper((SELECT s FROM u WHERE id = 2))
INSERT INTO t VALUES ROW(28, (SELECT min(n) FROM u), DEFAULT, NULL) ~ INSERT INTO t VALUES (28, (SELECT min(n) FROM u), DEFAULT, NULL)
REPLACE INTO t (id, a) VALUES (1, (SELECT max(id) FROM u))
INSERT INTO t (id, a) VALUES (29, (SELECT id FROM u))
INSERT INTO t (id, a) VALUES (29, (SELECT id FROM u WHERE id > 99))
INSERT INTO t (id, a) VALUES ((SELECT 1), 2)
INSERT INTO t (id, a) VALUES (30, (SELECT id, n FROM u LIMIT 1))
INSERT INTO t (id, a) VALUES (30, (SELECT nosuch FROM u LIMIT 1))
INSERT IGNORE INTO t (id, a) VALUES (1, (SELECT 5)), (31, (SELECT 6))
INSERT INTO t (id, a) VALUES (1, 2), (2, 3), (32, 4) ON DUPLICATE KEY UPDATE a = (SELECT max(n) FROM u) + VALUES(a)
INSERT INTO t (id, a) VALUES (1, 2), (3, 3) ON DUPLICATE KEY UPDATE s = (SELECT s FROM u WHERE id = 3), a = EXISTS (SELECT 1 FROM w WHERE k = 77)
INSERT INTO t (id, a) SELECT id, n FROM u ON DUPLICATE KEY UPDATE a = (SELECT count(*) FROM w) + VALUES(a)
INSERT INTO t (id, a) VALUES (33, (SELECT count(*) FROM u)), (1, (SELECT max(k) FROM w)) ON DUPLICATE KEY UPDATE a = VALUES(a) + (SELECT 1000)
""")


def test_default(sides):
    sides.each("""
INSERT INTO t (id, a, b) VALUES (41, DEFAULT(b), DEFAULT(b) + 1), (42, 1, DEFAULT(a))
UPDATE t SET a = DEFAULT(b) + 1 WHERE id = 1
UPDATE t SET a = DEFAULT, b = DEFAULT(t.b) WHERE id = 2
SELECT id, b - DEFAULT(b), DEFAULT(s) FROM t
SELECT id FROM t WHERE b = DEFAULT(b)
INSERT INTO t (id, a) VALUES (1, 1) ON DUPLICATE KEY UPDATE b = DEFAULT(b) * 2
SELECT DEFAULT(id) FROM t
SELECT DEFAULT(nosuch) FROM t
INSERT INTO t (id, a) VALUES (43, DEFAULT(nosuch))
""")


def test_update_subqueries(sides):
    sides.each("""
UPDATE t SET a = (SELECT max(n) FROM u)
UPDATE t SET a = (SELECT max(n) FROM u WHERE u.t = t.id), s = 'set' WHERE id < 4
UPDATE t SET a = (SELECT count(*) FROM u WHERE u.n > t.id * 100)
UPDATE t SET a = (SELECT count(*) FROM u WHERE u.n > t.id * 100) + (SELECT count(*) FROM w WHERE w.k = t.id) ORDER BY id DESC LIMIT 3
UPDATE t SET s = (SELECT s FROM u WHERE u.t >= t.id ORDER BY n DESC LIMIT 1), b = b + 1
UPDATE t SET a = id IN (SELECT k FROM w WHERE w.n > t.b), b = EXISTS (SELECT 1 FROM w WHERE w.k < t.id AND w.n > t.id)
UPDATE t SET a = (SELECT id FROM u WHERE u.t = t.id)
UPDATE t SET a = 5 WHERE a IN (SELECT n FROM u) OR id = (SELECT max(t) FROM u WHERE n < 350)
UPDATE w SET n = (SELECT sum(n) FROM u WHERE u.t = w.k AND u.n > w.l)
""", afresh=True)


def test_update_of_joins(sides):
    sides.each("""
UPDATE t JOIN u ON u.t = t.id SET t.a = 1
UPDATE t JOIN u ON u.t = t.id SET t.a = u.n WHERE u.id <> 2
UPDATE t, u SET t.a = u.n + t.b, t.s = u.s WHERE u.t = t.id AND u.id > 1
UPDATE t x JOIN w y ON y.k = x.id AND y.l = 1 SET x.a = y.n, y.n = 0
UPDATE t LEFT JOIN u ON u.t = t.id SET t.b = -1 WHERE u.id IS NULL
UPDATE t LEFT JOIN w ON w.k = t.id SET w.n = 99, t.b = 98
UPDATE w RIGHT JOIN t ON w.k = t.id AND w.l = 1 SET w.n = t.a
UPDATE t JOIN t other ON other.id = t.id + 1 SET t.a = other.a
UPDATE t JOIN (SELECT t AS id, sum(n) AS total FROM u GROUP BY t) d ON d.id = t.id SET t.a = d.total
UPDATE t JOIN (SELECT t AS id, sum(n) AS total FROM u GROUP BY t) d USING (id) SET a = total
UPDATE t NATURAL JOIN w SET t.a = 3
UPDATE t JOIN u ON u.t = t.id SET t.b = DEFAULT, t.s = NULL, u.n = u.n + 1
UPDATE t JOIN u ON u.t = t.id SET t.a = (SELECT max(w.n) FROM w WHERE w.k = u.t) WHERE u.id IN (1, 3)
UPDATE t JOIN u ON u.t = t.id SET t.a = t.a, u.n = u.n
UPDATE t JOIN u ON u.t = t.id SET s = 'which'
UPDATE t JOIN u ON u.t = t.id SET nosuch = 1
UPDATE t JOIN nosuch ON nosuch.t = t.id SET t.a = 1
UPDATE t JOIN (SELECT 1 AS id) d ON d.id = t.id SET d.id = 5
UPDATE t JOIN u ON u.t = t.id SET t.a = 'word' WHERE u.id = 3
UPDATE t JOIN u ON u.t = t.id SET t.a = 1 WHERE false
""", afresh=True)
    sides.told("UPDATE t JOIN u ON u.t = t.id SET t.id = 9", 1235)
    for clause in ("LIMIT 1", "ORDER BY t.id"): # as MySQL, which MariaDB goes beyond
        sides.told(f"UPDATE t JOIN u ON u.t = t.id SET t.a = 1 {clause}", 1221)


def test_delete_of_joins(sides):
    sides.each("""
DELETE t FROM t JOIN u ON u.t = t.id
DELETE t FROM t JOIN u ON u.t = t.id WHERE u.n > 250
DELETE FROM t USING t JOIN u ON u.t = t.id
DELETE t, u FROM t JOIN u ON u.t = t.id
DELETE t.*, u.* FROM t, u WHERE u.t = t.id AND t.id = 2
DELETE FROM t, u USING t LEFT JOIN u ON u.t = t.id
DELETE t FROM t LEFT JOIN u ON u.t = t.id WHERE u.id IS NULL
DELETE x FROM t AS x JOIN t AS y ON y.id = x.id + 1
DELETE x, y FROM t AS x JOIN t AS y ON y.id = x.id + 1 WHERE x.id < 4
DELETE w FROM w JOIN t ON t.id = w.k WHERE t.a < (SELECT max(n) FROM u WHERE u.t = t.id)
DELETE t FROM t
DELETE t FROM t WHERE a IS NULL
DELETE t FROM t JOIN (SELECT t FROM u) d ON d.t = t.id
DELETE d FROM t JOIN (SELECT t FROM u) d ON d.t = t.id
DELETE v FROM t JOIN u ON u.t = t.id
DELETE t, t FROM t JOIN u ON u.t = t.id
DELETE t FROM t AS x JOIN u ON u.t = x.id
""", afresh=True)


def test_many_rows_of_joins(sides):
    """More rows than a batch has, without a primary key, and partners of many."""
    values = ",".join(f"({i},{i % 7})" for i in range(30000))
    sides.run("CREATE TABLE big (n INT, m INT)", f"INSERT INTO big VALUES {values}")
    for statement in ("UPDATE big JOIN w ON w.k = big.m SET big.n = -1, w.n = 1 WHERE big.n >= 0",
                      "DELETE big FROM big, t WHERE big.m > t.id", "UPDATE big, t SET big.m = big.n WHERE big.m = t.id",
                      "DELETE big, w FROM big JOIN w ON w.k <> big.n"):
        sides.fill()
        sides.both(statement)
        sides.both("SELECT m, count(*), sum(n) FROM big GROUP BY m")


if __name__ == "__main__":
    support.need("quanta")
    if not mariadb.is_available():
        support.skip("MariaDB is not installed")
    with contextlib.ExitStack() as stack:
        ORACLE = stack.enter_context(mariadb.MariaDB(os.environ.get("TEST_TMP")))
        NODE = stack.enter_context(Node("--cores", "2", "--slots", "4"))
        support.run_tests(globals(), Sides(NODE, ORACLE), server=NODE)
