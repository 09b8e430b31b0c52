#!/usr/bin/python3
"""Temporary tables: a session's own, in front of tables of the same name, gone with it; on one node and through a proxy."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, rss_kib

import pymysql

ROWS = 300_000


def ask(conn, statement, *values):
    """Rows of a statement, or the number of rows changed."""
    with conn.cursor() as cur:
        cur.execute(statement, values or None)
        return cur.fetchall() if cur.description else cur.rowcount


def code(conn, statement):
    """Number of its error, None without."""
    try:
        ask(conn, statement)
    except pymysql.MySQLError as error:
        return error.args[0]
    return None


def fill(conn):
    ask(conn, "CREATE TABLE digits (d INT PRIMARY KEY)")
    ask(conn, "INSERT INTO digits VALUES " + ",".join(f"({d})" for d in range(10)))
    ask(conn, "CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(20), amount DECIMAL(10,2), day DATE)")
    number = "a.d + 10 * b.d + 100 * c.d"
    expect(ask(conn, f"INSERT INTO orders SELECT {number}, concat('c', ({number}) % 7), ({number}) / 4, "
               f"date_add('2026-01-01', INTERVAL ({number}) % 28 DAY) FROM digits a, digits b, digits c"), 1000)


def test_rows(server):
    with server.connect() as conn:
        expect(ask(conn, "CREATE TEMPORARY TABLE t (id INT PRIMARY KEY, name VARCHAR(20), n DECIMAL(8,2), tags SET('x','y'), "
                   "at DATETIME(6))"), 0)
        expect(ask(conn, "INSERT INTO t VALUES (1, 'Zoë', 1.5, 'x,y', '2026-01-01 00:00:00.000001'), (2, NULL, NULL, NULL, NULL), "
                   "(3, 'c', -2, 'y', NULL)"), 3)
        expect(code(conn, "INSERT INTO t (id) VALUES (4), (3)"), 1062)
        expect(ask(conn, "SELECT count(*) FROM t"), ((3,),))
        expect(ask(conn, "INSERT INTO t (id, n) VALUES (3, 7) ON DUPLICATE KEY UPDATE n = n + 10"), 2)
        expect(ask(conn, "REPLACE INTO t (id, name) VALUES (2, 'b'), (5, 'e')") >= 2, True)
        expect(ask(conn, "UPDATE t SET n = id * 2 WHERE id IN (2, 5)"), 2)
        expect([str(v) for v in ask(conn, "SELECT sum(n), min(n), group_concat(id ORDER BY id) FROM t")[0]],
               ["23.50", "1.50", "1,2,3,5"])
        expect(ask(conn, "DELETE FROM t WHERE name = 'Zoë'"), 1)
        expect([row[0] for row in ask(conn, "SELECT id FROM t ORDER BY n DESC, id LIMIT 2")], [5, 3])
        expect(ask(conn, "SELECT id FROM t WHERE id = 3"), ((3,),))
        expect(ask(conn, "SELECT tags, count(*) FROM t GROUP BY tags ORDER BY 1"), ((None, 2), ("y", 1)))
        expect(ask(conn, "INSERT INTO t (id, name) SELECT id + 100, name FROM t"), 3)
        expect(ask(conn, "SELECT count(*) FROM t"), ((6,),))
        expect(ask(conn, "TRUNCATE TABLE t"), 0)
        expect(ask(conn, "SELECT count(*) FROM t"), ((0,),))
        expect(ask(conn, "INSERT INTO t (id) VALUES (3)"), 1)
        expect([row[2:] for row in ask(conn, "OPTIMIZE TABLE t")], [("status", "OK")])
        expect(code(conn, "ALTER TABLE t ADD COLUMN more INT"), 1235)
        for refused in ("ALTER TABLE t RENAME TO v", "ALTER TABLE t ADD FULLTEXT (name)", "CREATE FULLTEXT INDEX f ON t (name)",
                        "ALTER TABLE t MODIFY name VARCHAR(40)"):
            expect(code(conn, refused), 1235, refused)
        for accepted in ("CREATE INDEX i ON t (name)", "ALTER TABLE t ADD INDEX i (n, name)", "ALTER TABLE t DISABLE KEYS"):
            expect(code(conn, accepted), None, accepted)
        expect(ask(conn, "SELECT id FROM t"), ((3,),))
        expect(ask(conn, "DROP TEMPORARY TABLE t"), 0)
        expect(code(conn, "SELECT * FROM t"), 1146)


def test_made_of_its_name(server):
    """The SELECT reads the table that the new one then hides, also within subqueries and joins."""
    with server.connect() as conn:
        rows = ask(conn, "SELECT count(*) FROM orders")[0][0]
        expect(ask(conn, "CREATE TEMPORARY TABLE orders SELECT o.id, o.amount FROM orders o JOIN orders p ON p.id = o.id "
                   "WHERE o.id IN (SELECT id FROM orders WHERE id BETWEEN 1 AND 10)"), 10)
        expect(ask(conn, "SELECT count(*), max(id) FROM orders"), ((10, 10),))
        expect(ask(conn, "CREATE TEMPORARY TABLE few SELECT id FROM orders WHERE id < 4"), 3)
        expect(code(conn, "CREATE TEMPORARY TABLE orders SELECT 1 AS id"), 1050)
        expect(ask(conn, "DROP TEMPORARY TABLE orders"), 0)
        expect(ask(conn, "SELECT count(*) FROM orders"), ((rows,),))
        expect(code(conn, "CREATE TEMPORARY TABLE nosuch SELECT * FROM nosuch"), 1146)


def test_queries(server):
    """Of a copy of a table: the same answers; joins of both kinds with it."""
    with server.connect() as conn:
        expect(ask(conn, "CREATE TEMPORARY TABLE mine SELECT * FROM orders"), 1000)
        for query in ("SELECT customer, count(*), sum(amount) FROM {} GROUP BY customer ORDER BY customer",
                      "SELECT count(DISTINCT customer), max(day) FROM {} WHERE amount > 50",
                      "SELECT id, amount FROM {} WHERE customer LIKE 'c_' AND id % 3 = 0 ORDER BY amount DESC LIMIT 20",
                      "SELECT day, sum(amount) OVER (ORDER BY day, id) FROM {} ORDER BY day, id LIMIT 50",
                      "SELECT customer FROM {} WHERE amount = (SELECT max(amount) FROM {})",
                      "SELECT DISTINCT day FROM {} ORDER BY 1", "SELECT topn(customer, 3) FROM {}"):
            expect(ask(conn, query.replace("{}", "mine")), ask(conn, query.replace("{}", "orders")), query)
        ask(conn, "CREATE TEMPORARY TABLE names (code VARCHAR(20) PRIMARY KEY, name VARCHAR(20))")
        ask(conn, "INSERT INTO names SELECT DISTINCT customer, concat('name of ', customer) FROM orders")
        ask(conn, "CREATE TEMPORARY TABLE few (id INT PRIMARY KEY, what VARCHAR(10))")
        ask(conn, "INSERT INTO few VALUES (1, 'one'), (500, 'many'), (5000, 'none')")
        expect(ask(conn, "SELECT n.name, count(*) FROM orders o JOIN names n ON o.customer = n.code GROUP BY n.name ORDER BY 1"),
               tuple((f"name of c{n}", 142 if n == 6 else 143) for n in range(7)))
        expect(ask(conn, "SELECT f.what, o.customer FROM few f LEFT JOIN orders o ON f.id = o.id ORDER BY f.id"),
               (("one", "c1"), ("many", "c3"), ("none", None)))
        expect(ask(conn, "SELECT count(*) FROM orders WHERE id IN (SELECT id FROM few)"), ((2,),))
        expect(ask(conn, "SELECT count(*) FROM mine m JOIN orders o ON m.id = o.id JOIN few f ON f.id = o.id"), ((2,),))
        expect(ask(conn, "SELECT id FROM few UNION SELECT d FROM digits WHERE d < 2 ORDER BY 1"),
               ((0,), (1,), (500,), (5000,)))
        expect(ask(conn, "UPDATE few SET what = 'x' WHERE id IN (SELECT id FROM orders)"), 2)
        with conn.cursor() as cur:
            cur.execute("PREPARE p FROM 'SELECT what FROM few WHERE id = ?'")
            cur.execute("SET @id = 500")
            cur.execute("EXECUTE p USING @id")
            expect(cur.fetchall(), (("x",),))
            plan = "\n".join(row[0] for row in (cur.execute("EXPLAIN ANALYZE SELECT count(*) FROM mine WHERE id < 10"), cur.fetchall())[1])
        expect("session: " in plan, True, plan)


def test_names(server):
    """In front of a table of the same name, seen by its session alone, and by nothing that lists tables."""
    with server.connect() as one, server.connect() as two:
        tables = ask(one, "SHOW TABLES")
        expect(ask(one, "CREATE TEMPORARY TABLE orders (id INT PRIMARY KEY COMMENT 'mine')"), 0)
        expect(code(one, "CREATE TEMPORARY TABLE orders (id INT PRIMARY KEY)"), 1050)
        expect(ask(one, "CREATE TEMPORARY TABLE IF NOT EXISTS orders (id INT PRIMARY KEY)"), 0)
        expect(ask(one, "SHOW WARNINGS")[0][1], 1050)
        expect((ask(one, "SELECT count(*) FROM orders"), ask(two, "SELECT count(*) FROM orders")), (((0,),), ((1000,),)))
        expect(code(one, "CREATE TABLE orders (id INT PRIMARY KEY)"), 1050)
        expect(ask(one, "SHOW CREATE TABLE orders")[0][1].startswith("CREATE TEMPORARY TABLE `orders` ("), True)
        expect([row[0] for row in ask(one, "DESCRIBE orders")], ["id"])
        expect([row[0] for row in ask(two, "DESCRIBE orders")], ["id", "customer", "amount", "day"])
        expect([row[4] for row in ask(one, "SHOW INDEX FROM orders")], ["id"])
        ask(one, "CREATE TEMPORARY TABLE other LIKE orders")
        expect(ask(one, "SHOW TABLES"), tables)
        expect(ask(one, "SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders'"), ((4,),))
        expect(code(two, "SELECT * FROM other"), 1146)
        # A view sees tables of everybody.
        expect(code(one, "CREATE VIEW v AS SELECT * FROM orders"), 1352)
        ask(two, "CREATE VIEW v AS SELECT id FROM orders")
        expect(ask(one, "SELECT count(*) FROM v"), ((1000,),))
        ask(two, "DROP VIEW v")
        # The table of everybody changes, goes and comes meanwhile.
        ask(two, "ALTER TABLE orders ADD COLUMN more INT DEFAULT 3")
        expect(ask(one, "SELECT count(*) FROM orders"), ((0,),))
        expect(code(one, "DROP TEMPORARY TABLE orders, digits"), 1051)
        expect(ask(one, "SELECT count(*) FROM orders"), ((0,),))
        expect(ask(one, "DROP TABLE orders"), 0)
        expect(ask(one, "SELECT count(*), sum(more) FROM orders"), ((1000, 3000),))
        expect(code(one, "DROP TEMPORARY TABLE orders"), 1051)
        expect(ask(one, "DROP TEMPORARY TABLE IF EXISTS orders, other"), 0)
        expect(code(one, "SELECT * FROM other"), 1146)
        expect(ask(one, "SELECT count(*) FROM orders"), ((1000,),))


def test_gone_with_the_session(server):
    """Reset, change of the user, the end; and a statement that reads goes on with what it began with."""
    with server.connect() as conn:
        for end in (b"\x1f", None):
            ask(conn, "CREATE TEMPORARY TABLE t (id INT PRIMARY KEY)")
            expect(ask(conn, "SELECT count(*) FROM t"), ((0,),))
            if end:
                conn._execute_command(end[0], b"")
                expect(conn._read_packet().is_ok_packet(), True)
            else:
                conn._execute_command(0x11, b"other\0\0quanta\0\x2d\0mysql_native_password\0")
                packet = conn._read_packet()
                if packet.is_auth_switch_request():
                    conn.write_packet(b"")
                    packet = conn._read_packet()
                expect(packet.is_ok_packet(), True)
            expect(code(conn, "SELECT * FROM t"), 1146)
            with server.connect() as other:
                expect(code(other, "SELECT * FROM t"), 1146)


def test_memory(server):
    """Bounded, told, and free again; a full table keeps what it has."""
    text = "repeat(concat(md5(a.d * 100000 + b.d * 10000 + c.d * 1000 + d.d * 100 + e.d * 10 + f.d), rand()), 20)"
    values = f"SELECT {text} AS text FROM digits a, digits b, digits c, digits d, digits e, digits f"
    taken = []
    for _ in range(4):
        with server.connect() as conn:
            expect(ask(conn, "CREATE TEMPORARY TABLE big (text VARCHAR(2000))"), 0)
            try:
                ask(conn, f"INSERT INTO big {values}")
                raise AssertionError("a gigabyte went in")
            except pymysql.MySQLError as error:
                expect(error.args[0], 1114)
                expect("temporary tables of a session may take" in error.args[1], True, error.args[1])
            taken.append(ask(conn, "SELECT count(*) FROM big")[0][0])
            expect(ask(conn, "DROP TABLE big"), 0)
            expect(ask(conn, "CREATE TEMPORARY TABLE small AS SELECT * FROM orders"), 1000)
    print(f"{taken} rows in each round, {rss_kib(server.pid) >> 10} MiB resident at the end")
    expect(min(taken) > 0.5 * max(taken), True, f"{taken} rows: the memory did not come back")
    assert support.IS_SANITIZED or rss_kib(server.pid) < 1 << 20
    with server.connect() as conn:
        for n in range(64):
            ask(conn, f"CREATE TEMPORARY TABLE t{n} (id INT PRIMARY KEY)")
        expect(code(conn, "CREATE TEMPORARY TABLE t64 (id INT PRIMARY KEY)"), 1105)
        ask(conn, "DROP TABLE t7")
        expect(code(conn, "CREATE TEMPORARY TABLE t64 (id INT PRIMARY KEY)"), None)


def test_many_rows(server):
    """More than a block: sealed parts, deleted rows, groups."""
    with server.connect() as conn:
        number = " + ".join(f"{t}.d * {10 ** i}" for i, t in enumerate("abcdef"))
        expect(ask(conn, f"CREATE TEMPORARY TABLE many AS SELECT {number} AS id, ({number}) % 97 AS g FROM "
                   "digits a, digits b, digits c, digits d, digits e, (SELECT d FROM digits WHERE d < 3) f"), ROWS)
        expect(ask(conn, "SELECT count(*), sum(id), count(DISTINCT g) FROM many"), ((ROWS, ROWS * (ROWS - 1) // 2, 97),))
        expect(ask(conn, "SELECT g, count(*) FROM many GROUP BY g ORDER BY 2 DESC, 1 LIMIT 1"),
               ((0, (ROWS + 96) // 97),))
        expect(ask(conn, "DELETE FROM many WHERE g < 50") > 150_000, True)
        expect(ask(conn, "SELECT min(g), max(id) FROM many"), ((50, ROWS - 1),))
        expect(len(ask(conn, "SELECT id, g, count(*) FROM many GROUP BY id, g")), ask(conn, "SELECT count(*) FROM many")[0][0])


def test_restart(server):
    """After a crash they are gone, and nothing of them is in the way."""
    conn = server.connect()
    ask(conn, "CREATE TEMPORARY TABLE lost (id INT PRIMARY KEY)")
    ask(conn, "INSERT INTO lost VALUES (1)")
    server.kill()
    server.start()
    with server.connect() as conn:
        expect(code(conn, "SELECT * FROM lost"), 1146)
        expect(ask(conn, "SELECT count(*) FROM orders"), ((1000,),))


class Proxy(support.quanta.Server):
    """A proxy, asked like a node."""

    connect = Node.connect

    def __init__(self, node):
        super().__init__("quanta-proxy", "--node", f"127.0.0.1:{node.ports['grpc']}", "--cores", 2, "--mysql-port", 0,
                         "--token-port", 0, "--http-port", 0, "--bind", "127.0.0.1")


def through_a_proxy():
    """The rows are in the proxy; joins with tables of the nodes are done there."""
    with support.quanta.Server("quanta-node", "--data-dir", os.path.join(support.folder(), "data"), "--grpc-port", 0,
                               "--http-port", 0, "--consul-endpoint", "none") as node, Proxy(node) as proxy:
        with proxy.connect() as conn:
            fill(conn)
        for test in (test_rows, test_queries, test_names):
            test(proxy)
            print(f"ok through_a_proxy: {test.__name__}", flush=True)


def main():
    support.need("quanta", "quanta-node", "quanta-proxy")
    through_a_proxy()
    with Node("--memory", "1G") as server:
        with server.connect() as conn:
            fill(conn)
        support.run_tests(globals(), server, server=server)


if __name__ == "__main__":
    main()
