#!/usr/bin/python3
"""RENAME TABLE and ALTER TABLE ... RENAME: names, rows, parents, kill -9, nodes and proxies."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect

import pymysql
from alter import Site


def run(server, *statements):
    with server.connect() as conn, conn.cursor() as cur:
        for statement in statements:
            cur.execute(statement)
        return list(cur.fetchall())


def code(server, statement):
    try:
        run(server, statement)
    except pymysql.err.MySQLError as err:
        return err.args[0]
    return 0


def crash(server):
    server.kill()
    server.start()


def test_names(server):
    run(server, "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO a VALUES (1,'one'),(2,'two')",
        "RENAME TABLE a TO b")
    expect(code(server, "SELECT * FROM a"), 1146)
    expect(run(server, "SELECT * FROM b ORDER BY id"), [(1, "one"), (2, "two")])
    run(server, "ALTER TABLE b RENAME TO c", "INSERT INTO c VALUES (3,'three')", "ALTER TABLE c RENAME AS d",
        "UPDATE d SET v = 'zwei' WHERE id = 2", "CREATE TABLE a (x INT PRIMARY KEY)")
    expect(run(server, "SELECT * FROM d ORDER BY id"), [(1, "one"), (2, "zwei"), (3, "three")])
    run(server, "ALTER TABLE d RENAME d")
    for statement, wanted in (("RENAME TABLE nosuch TO e", 1146), ("RENAME TABLE d TO a", 1050), ("RENAME TABLE d TO d", 1050),
                              ("RENAME TABLE d TO other.d", 1049), ("ALTER TABLE d RENAME TO `a+b`", 1103),
                              ("RENAME TABLE d TO e, a TO e", 1050), ("RENAME TABLE d TO e, nosuch TO f", 1146)):
        expect(code(server, statement), wanted, statement)
    expect(run(server, "SHOW TABLES"), [("a",), ("d",)])


def test_exchange_survives(server):
    run(server, "INSERT INTO a VALUES (7)", "RENAME TABLE a TO tmp, d TO a, tmp TO d")
    for change in (crash, Node.restart, crash):
        change(server)
        expect(run(server, "SELECT count(*), max(v) FROM a"), [(3, "zwei")])
        expect(run(server, "SELECT x FROM d"), [(7,)])
        run(server, "RENAME TABLE a TO b", "INSERT INTO b VALUES (99,'z') ON DUPLICATE KEY UPDATE v = 'z'", "DELETE FROM b WHERE id = 99",
            "RENAME TABLE b TO a")
    run(server, "DROP TABLE d")
    crash(server)
    expect(run(server, "SHOW TABLES"), [("a",)])


def test_parents(server):
    """Children follow the name of their parent."""
    run(server, "CREATE TABLE child (id INT PRIMARY KEY, a INT REFERENCES a (id))", "INSERT INTO child VALUES (1,1),(2,3)",
        "RENAME TABLE a TO parent, child TO kid")
    crash(server)
    expect("REFERENCES `parent` (`id`)" in run(server, "SHOW CREATE TABLE kid")[0][1], True)
    expect(run(server, "SELECT k.id, p.v FROM kid k JOIN parent p ON p.id = k.a ORDER BY 1"), [(1, "one"), (2, "three")])
    expect(code(server, "DROP TABLE parent"), 3730)
    run(server, "ALTER TABLE kid ADD COLUMN more INT DEFAULT 5", "RENAME TABLE kid TO child")
    crash(server)
    expect(run(server, "SELECT * FROM child ORDER BY id"), [(1, 1, 5), (2, 3, 5)])
    run(server, "DROP TABLE child, parent")


def test_partitions(server):
    run(server, "CREATE TABLE log (id INT PRIMARY KEY, at DATETIME) time_quantum_type='YMD' time_quantum_field='at'",
        "INSERT INTO log VALUES (1,'2026-01-01'),(2,'2026-01-02')", "ALTER TABLE log ARCHIVE PARTITION p20260101", "RENAME TABLE log TO old_log")
    server.restart()
    expect(run(server, "SELECT id FROM old_log"), [(2,)])
    run(server, "ALTER TABLE old_log RESTORE PARTITION p20260101")
    expect(run(server, "SELECT id FROM old_log ORDER BY id"), [(1,), (2,)])
    run(server, "DROP TABLE old_log")


def test_views(server):
    run(server, "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", "CREATE VIEW v AS SELECT id FROM t", "RENAME TABLE v TO w")
    expect(run(server, "SELECT * FROM w"), [(1,)])
    run(server, "DROP VIEW w", "DROP TABLE t")


def test_nodes_and_proxies(_):
    """Both nodes and both proxies know the names, also after all nodes were killed."""
    with contextlib.ExitStack() as stack:
        site = Site(stack)
        run(site, "CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES " + ",".join(f"({i})" for i in range(100)))
        run(site, "CREATE TABLE b (id INT PRIMARY KEY)", "RENAME TABLE a TO t")
        expect(code(site, "RENAME TABLE t TO c, b TO t, c TO b"), 1235)  # nodes change one after the other
        run(site, "RENAME TABLE b TO a", "RENAME TABLE t TO b")
        for _ in range(8):  # connections go to either proxy
            expect(run(site, "SELECT count(*) FROM b"), [(100,)])
        expect(code(site, "RENAME TABLE nosuch TO c"), 1146)
        expect(code(site, "RENAME TABLE a TO b"), 1050)
        run(site, "ALTER TABLE b RENAME t")
        site.crash()
        for _ in range(8):
            run(site, "INSERT INTO t VALUES (1000)", "DELETE FROM t WHERE id = 1000")
            expect(run(site, "SELECT count(*) FROM t"), [(100,)])
            expect(run(site, "SELECT count(*) FROM a"), [(0,)])


if __name__ == "__main__":
    support.need("quanta", "quanta-node", "quanta-proxy")
    with Node() as node:
        support.run_tests(globals(), node, server=node)
