#!/usr/bin/python3
"""Views, and tables made of queries: CREATE VIEW, CREATE TABLE ... SELECT; also after a start anew."""

import os
import sys
import threading
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, mariadb

import pymysql


def run(server, *statements, **options):
    """The rows of the last statement."""
    with server.connect(**options) as conn, conn.cursor() as cur:
        for statement in statements:
            cur.execute(statement)
        return list(cur.fetchall())


def code(server, statement):
    """Code of the statement's error, or 0."""
    try:
        run(server, statement)
    except pymysql.err.MySQLError as err:
        return err.args[0]
    return 0


def prepare(server):
    run(server, "CREATE TABLE films (id INT PRIMARY KEY, genre ENUM('a','b'), price DECIMAL(8,2) NOT NULL, shown DATE, "
                "tags SET('x','y'), title VARCHAR(30))",
        "INSERT INTO films VALUES (1,'a',1.5,'2024-02-29','x,y','one'), (2,'b',2.5,NULL,NULL,'two'), "
        "(3,'a',3,'2024-03-01','y',NULL)")


def test_views(server):
    run(server, "CREATE VIEW cheap AS SELECT id, genre, price * 2 twice, title FROM films WHERE price < 3")
    expect(run(server, "SELECT * FROM cheap ORDER BY id"),
           [(1, "a", Decimal("3.00"), "one"), (2, "b", Decimal("5.00"), "two")])
    expect(run(server, "SELECT c.genre, count(*), sum(f.price) FROM cheap c JOIN films f ON f.id = c.id "
                       "WHERE c.twice > 1 GROUP BY c.genre ORDER BY 1"),
           [("a", 1, Decimal("1.50")), ("b", 1, Decimal("2.50"))])
    expect(run(server, "WITH films AS (SELECT 9 AS id) SELECT count(*) FROM cheap, films"), [(2,)])
    expect(run(server, "SELECT (SELECT max(twice) FROM quanta.cheap), id FROM films WHERE id IN (SELECT id FROM cheap) "
                       "ORDER BY id"), [(Decimal("5.00"), 1), (Decimal("5.00"), 2)])
    run(server, "CREATE VIEW named (n, total) AS SELECT genre, sum(twice) FROM cheap GROUP BY genre ORDER BY 1 LIMIT 5")
    expect(run(server, "SELECT total, n FROM named ORDER BY n"), [(Decimal("3.00"), "a"), (Decimal("5.00"), "b")])
    run(server, "CREATE VIEW unnamed AS SELECT id + 1, concat('it''s\\n', title), count(*) OVER () FROM films")
    expect([row[0] for row in run(server, "DESCRIBE unnamed")][:2], ["Name_exp_1", "Name_exp_2"])
    expect(run(server, "SELECT Name_exp_2 FROM unnamed WHERE Name_exp_1 = 2"), [("it's\none",)])
    run(server, "CREATE VIEW unions AS SELECT id FROM films UNION ALL SELECT 10 UNION ALL SELECT id FROM cheap")
    expect(run(server, "SELECT sum(id) FROM unions"), [(19,)])


def test_definitions(server):
    expect([row[:2] for row in run(server, "DESCRIBE cheap")],
           [("id", "int"), ("genre", "enum('a','b')"), ("twice", "decimal(18,2)"), ("title", "varchar(30)")])
    expect(run(server, "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'quanta' "
                       "ORDER BY 1"),
           [("cheap", "VIEW"), ("films", "BASE TABLE"), ("named", "VIEW"), ("unions", "VIEW"), ("unnamed", "VIEW")])
    expect(run(server, "SHOW FULL TABLES WHERE Table_type = 'VIEW'")[0], ("cheap", "VIEW"))
    found = run(server, "SELECT view_definition, is_updatable FROM information_schema.views WHERE table_name = 'cheap'")
    assert found[0][0].startswith("SELECT id, genre, price * 2") and found[0][1] == "NO", found
    made = run(server, "SHOW CREATE VIEW cheap")[0]
    expect((made[0], made[2:]), ("cheap", ("utf8mb4", "utf8mb4_bin")))
    expect(run(server, "SHOW CREATE TABLE cheap")[0], made)
    run(server, "DROP VIEW cheap", made[1])
    expect(run(server, "SELECT sum(twice) FROM cheap"), [(Decimal("8.00"),)])


def test_replaced_and_dropped(server):
    run(server, "CREATE OR REPLACE VIEW unions AS SELECT title, id FROM films WHERE id = 3")
    expect(run(server, "SELECT * FROM unions"), [(None, 3)])
    for statement, wanted in (("CREATE VIEW cheap AS SELECT 1", 1050), ("CREATE VIEW films AS SELECT 1", 1050),
                              ("CREATE OR REPLACE VIEW films AS SELECT 1", 1347),
                              ("CREATE VIEW bad AS SELECT nothing FROM films", 1054),
                              ("CREATE VIEW bad AS SELECT 1 FROM nothing", 1146),
                              ("CREATE VIEW bad (a, b) AS SELECT 1", 1222), ("CREATE VIEW bad AS SELECT 1 a, 2 a", 1060),
                              ("DROP VIEW films", 1347), ("DROP VIEW nothing", 1051), ("DROP VIEW IF EXISTS nothing", 0),
                              ("DROP TABLE cheap", 1051), ("TRUNCATE TABLE cheap", 1347),
                              ("ALTER TABLE cheap ADD COLUMN x INT", 1347), ("INSERT INTO cheap (id) VALUES (9)", 1471),
                              ("UPDATE cheap SET id = 1", 1235), ("DELETE FROM cheap", 1235),
                              ("SHOW CREATE VIEW films", 1347), ("SHOW CREATE VIEW nothing", 1146)):
        expect(code(server, statement), wanted, statement)
    run(server, "CREATE TABLE base (a INT)", "CREATE VIEW above AS SELECT a FROM base", "DROP TABLE base")
    expect(code(server, "SELECT * FROM above"), 1146)
    run(server, "CREATE OR REPLACE VIEW named AS SELECT 1 AS one", "CREATE OR REPLACE VIEW above AS SELECT one FROM named",
        "CREATE OR REPLACE VIEW named AS SELECT one FROM above") # a circle
    assert code(server, "SELECT * FROM named") != 0
    run(server, "DROP VIEW named, above, unnamed")


def test_replaced_in_one_step(server):
    """A reader always finds the old view or the new one, of other columns; so does a start after a crash."""
    run(server, "CREATE OR REPLACE VIEW step AS SELECT 1 AS a")
    ended, seen, wrong = threading.Event(), set(), []

    def read():
        with server.connect() as conn, conn.cursor() as cur:
            while not ended.is_set():
                try:
                    cur.execute("SELECT * FROM step")
                    seen.add(cur.fetchall())
                except pymysql.err.MySQLError as err:
                    wrong.append(err)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(100):
        run(server, "CREATE OR REPLACE VIEW step (x, y) AS SELECT 2, 'two'", "CREATE OR REPLACE VIEW step AS SELECT 1 AS a")
    ended.set()
    reader.join()
    expect((wrong, seen - {((1,),), ((2, "two"),)}), ([], set()))
    wide = ", ".join(f"{'text'[:n % 4 + 1]!r} AS c{n}" for n in range(200))
    run(server, f"CREATE OR REPLACE VIEW step AS SELECT {wide}", "CREATE OR REPLACE VIEW step AS SELECT 1 AS c7",
        f"CREATE OR REPLACE VIEW step AS SELECT {wide}")
    expect(run(server, "SELECT c0, c3, c199 FROM step"), [("t", "text", "text")])
    run(server, "CREATE OR REPLACE VIEW step AS SELECT id, title FROM films WHERE id = 3")
    server.kill()
    server.start()
    expect(run(server, "SELECT * FROM step"), [(3, None)])
    run(server, "DROP VIEW step", "CREATE OR REPLACE VIEW step AS TABLE films", "DROP VIEW step")


def test_tables_of_queries(server):
    expect(run(server, "CREATE TABLE copy AS SELECT * FROM films", "SELECT * FROM copy ORDER BY id"),
           run(server, "SELECT * FROM films ORDER BY id"))
    expect(run(server, "SHOW COLUMNS FROM copy LIKE 'tags'")[0][1], run(server, "SHOW COLUMNS FROM films LIKE 'tags'")[0][1])
    expect(run(server, "SELECT id FROM copy WHERE tags = 'y' ORDER BY id"), [(1,), (3,)])
    with server.connect() as conn, conn.cursor() as cur:
        expect(cur.execute("CREATE TABLE sums (g VARCHAR(5) PRIMARY KEY, extra INT DEFAULT 4) COMMENT='of films' "
                           "SELECT genre AS g, sum(price) AS total, avg(price) mean, max(shown) last, count(*) n, "
                           "1e0/3 f, now(3) at, NULL nothing FROM films GROUP BY genre"), 2)
    expect(run(server, "SELECT g, extra, total, last, n, nothing FROM sums ORDER BY g")[0][:3], ("a", 4, Decimal("4.50")))
    expect([row[1] for row in run(server, "DESCRIBE sums")],
           ["varchar(5)", "int", "decimal(18,2)", "decimal(18,6)", "date", "bigint", "decimal(18,4)",
            "datetime(3)", "varchar(1)"])
    for statement, wanted in (("CREATE TABLE copy SELECT 1", 1050), ("CREATE TABLE IF NOT EXISTS copy SELECT 1 AS id", 0),
                              ("CREATE TABLE bad SELECT nothing", 1054), ("CREATE TABLE bad SELECT 1 a, 2 a", 1060)):
        expect(code(server, statement), wanted, statement)
    expect(run(server, "SELECT count(*) FROM copy"), [(3,)])
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE bound SELECT id FROM films WHERE price > %s", (2,))
        expect(cur.rowcount, 2)
    run(server, "DROP TABLE copy, sums, bound")


def test_start_anew(server):
    before = run(server, "SHOW CREATE VIEW cheap")
    server.restart()
    expect(run(server, "SHOW CREATE VIEW cheap"), before)
    expect(run(server, "SELECT sum(twice) FROM cheap"), [(Decimal("8.00"),)])


def test_dump(server):
    """Views come with a dump of all and go back."""
    port = server.ports["mysql"]
    dump = support.subprocess.run(["mariadb-dump", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
                                   f"--port={port}", "--user=demo", "quanta"], capture_output=True, text=True, check=False)
    expect(dump.returncode, 0, dump.stderr)
    run(server, "DROP VIEW cheap, unions", "DROP TABLE films")
    done = mariadb(port, "quanta", text=dump.stdout)
    expect((done.returncode, done.stderr), (0, ""))
    expect(run(server, "SELECT sum(twice) FROM cheap"), [(Decimal("8.00"),)])


if __name__ == "__main__":
    support.need("quanta")
    with Node() as node:
        prepare(node)
        support.run_tests(globals(), node, server=node)
