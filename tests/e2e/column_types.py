#!/usr/bin/python3
"""Declared types: what they refuse through every way in, also after kill -9, and a dump that gives them back."""

import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, mariadb

import pymysql

TABLE = ("CREATE TABLE goods (id INT UNSIGNED PRIMARY KEY, tiny TINYINT, small SMALLINT UNSIGNED, medium MEDIUMINT, "
         "price DECIMAL(6,2), kind ENUM('new','used'), tags SET('a','b'), made YEAR, text MEDIUMTEXT, code CHAR(3))")
# A column, values that it takes, values that it does not, and the error
BOUNDS = [
    ("tiny", (-128, 127, "12", 127.4), (-129, 128, "1000", 127.5, 1e30), 1264),
    ("small", (0, 65535), (-1, 65536), 1264),
    ("medium", (-8388608, 8388607), (-8388609, 8388608), 1264),
    ("price", (9999.99, "-9999.994"), (9999.995, "-10000", 10 ** 20), 1264),
    ("made", (1901, 2155, 0, 5, "99"), (1900, 2156, 100, -1), 1264),
    ("kind", ("new", 1, "2", None), ("old", "", 0, 3, "3"), 1265),
    ("tags", ("a,b", "b", ""), ("c", "a,c"), 1265),
    ("code", ("abc", "ab   ", "äöü"), ("abcd",), 1406),
]


def run(server, *statements, **options):
    with server.connect(**options) as conn, conn.cursor() as cur:
        for statement in statements:
            cur.execute(statement)
        return list(cur.fetchall())


def code(cur, statement, values=()):
    try:
        cur.execute(statement, values)
    except pymysql.err.MySQLError as err:
        return err.args[0]
    return 0


def test_every_way_in(server):
    """INSERT, UPDATE, ON DUPLICATE KEY UPDATE, REPLACE and INSERT ... SELECT judge alike."""
    run(server, TABLE, "CREATE TABLE source (id INT PRIMARY KEY, number DECIMAL(18,4), text VARCHAR(40))",
        "INSERT INTO goods (id) VALUES (1)")
    with server.connect() as conn, conn.cursor() as cur:
        for column, good, bad, error in BOUNDS:
            for values, wanted in ((good, 0), (bad, error)):
                for value in values:
                    told = f"{column} = {value!r}"
                    expect(code(cur, f"UPDATE goods SET {column} = %s WHERE id = 1", (value,)), wanted, told)
                    expect(code(cur, f"REPLACE INTO goods (id, {column}) VALUES (2, %s)", (value,)), wanted, told)
                    expect(code(cur, f"INSERT INTO goods (id) VALUES (1) ON DUPLICATE KEY UPDATE {column} = %s",
                                (value,)), wanted, told)
                    expect(code(cur, f"INSERT INTO goods (id, {column}) SELECT 3, %s", (value,)), wanted, told)
                    cur.execute("DELETE FROM goods WHERE id = 3")
        expect(code(cur, "INSERT INTO goods (id) VALUES (4294967296)"), 1264)
        expect(code(cur, "INSERT INTO goods (id, tiny) VALUES (10, 1), (11, 200)"), 1264)
        expect(code(cur, "SELECT count(*) FROM goods WHERE id > 2"), 0)
        expect(cur.fetchall(), ((0,),))


def test_loaded_file(server):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("20,100\n21,128\n")
        file.flush()
        load = f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE goods FIELDS TERMINATED BY ',' (id, tiny)"
        with server.connect(local_infile=True) as conn, conn.cursor() as cur:
            expect(code(cur, load), 1264)
            cur.execute("SET sql_mode = ''")
            expect(code(cur, load), 0)
            cur.execute("SHOW WARNINGS")
            expect(1264 in [row[1] for row in cur.fetchall()], True, "warnings")
            cur.execute("SELECT id, tiny FROM goods WHERE id >= 20 ORDER BY id")
            expect(cur.fetchall(), ((20, 100), (21, 127)))


def test_values_near(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("INSERT IGNORE INTO goods (id, tiny, small, price, kind, tags, code, made) "
                    "VALUES (30, 999, -5, 1e9, 'old', 'a,z', 'abcdef', 1800)")
        cur.execute("SHOW COUNT(*) WARNINGS")
        expect(cur.fetchall(), ((7,),))
        cur.execute("SELECT tiny, small, price + 0e0, kind, tags, code, made FROM goods WHERE id = 30")
        expect(cur.fetchall(), ((127, 0, 9999.99, "", "a", "abc", 0),))


def test_definition_stays(server):
    before = run(server, "SHOW CREATE TABLE goods")[0][1]
    for wanted in ("`id` int unsigned", "`tiny` tinyint ", "`small` smallint unsigned", "`price` decimal(6,2)",
                   "`kind` enum('new','used')", "`tags` set('a','b')", "`made` year", "`text` mediumtext", "`code` char(3)"):
        expect(wanted in before, True, f"{wanted} in {before}")
    server.kill()
    server.start()
    expect(run(server, "SHOW CREATE TABLE goods")[0][1], before)
    with server.connect() as conn, conn.cursor() as cur:
        expect(code(cur, "UPDATE goods SET tiny = 200 WHERE id = 1"), 1264)
        expect(code(cur, "UPDATE goods SET kind = 'old' WHERE id = 1"), 1265)
        cur.execute(before.replace("`goods`", "`again`"))
        cur.execute("SHOW CREATE TABLE again")
        expect(cur.fetchall()[0][1], before.replace("`goods`", "`again`"))


def test_mariadb_client(server):
    """Text of the error as people see it."""
    out = mariadb(server.ports["mysql"], "quanta", text="UPDATE goods SET tiny = 128 WHERE id = 1")
    expect("ERROR 1264 (22003) at line 1: Out of range value for column 'tiny' at row 1" in out.stderr, True, out.stderr)


if __name__ == "__main__":
    support.need("quanta")
    with Node() as node:
        support.run_tests(globals(), node, server=node)
