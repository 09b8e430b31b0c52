#!/usr/bin/python3
"""
shardKey: rows with the same shard key lie in one slot, look-ups by it ask that slot alone, and everything is found
as without one; on one node, after restarts, and through a proxy before two nodes. The tables are those of
docs/schema.md.
"""

import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, folder, quanta

ORDERS, LINES = 60, 7


def manual():
    """The example of docs/schema.md: (yaml, statement)."""
    with open(os.path.join(support.SRC_DIR, "docs/schema.md"), encoding="utf-8") as file:
        part = file.read().split("## Rows that lie together", 1)[1]
    return (re.search(r"```yaml\n(.*?)```", part, re.S).group(1),
            re.findall(r"```sql\n(.*?)```", part, re.S))


def run(cur, statement):
    """All rows of the answer."""
    cur.execute(statement)
    return cur.fetchall()


def asked(cur, statement):
    """{core: slots} of a statement that looked at any."""
    text = "\n".join(row[0] for row in run(cur, f"EXPLAIN ANALYZE {statement}"))
    found = re.findall(r"(\S+ core \d+): slots=(\d+) rows=(\d+)", text)
    return {core: int(slots) for core, slots, _ in found if int(slots)}


def fill(cur):
    """Orders with their items."""
    run(cur, "INSERT INTO orders (id, customer) VALUES "
        + ", ".join(f"({n}, 'c{n % 9}')" for n in range(ORDERS)))
    run(cur, "INSERT INTO items (order_id, line, sold, quantity) VALUES "
        + ", ".join(f"({n}, {line}, '2026-01-{n % 3 + 1:02} 10:00:00', {n * 10 + line})"
                    for line in range(LINES) for n in range(ORDERS)))


def check(cur, gone=(), more=0):
    """Every order's items, by the shard key, by the whole key and by neither."""
    for n in range(ORDERS):
        lines = [line for line in range(LINES) if (n, line) not in gone]
        expect(run(cur, f"SELECT line, quantity FROM items WHERE order_id = {n} ORDER BY line"),
               tuple((line, n * 10 + line + more) for line in lines), f"items of order {n}")
        expect(run(cur, f"SELECT quantity FROM items WHERE line = 3 AND order_id = {n} "
                   f"AND sold = '2026-01-{n % 3 + 1:02} 10:00:00'"),
               ((n * 10 + 3 + more,),) if (n, 3) not in gone else ())
    expect(run(cur, "SELECT count(*), count(DISTINCT order_id, line) FROM items"),
           ((ORDERS * LINES - len(gone),) * 2,))
    expect(run(cur, "SELECT count(*), sum(i.quantity) FROM items i JOIN orders o ON i.order_id = o.id "
               "WHERE o.id = 7")[0][0], LINES - sum(n == 7 for n, _ in gone))
    expect(run(cur, "SELECT count(*) FROM items i JOIN orders o ON i.order_id = o.id")[0][0],
           ORDERS * LINES - len(gone))


def change(cur):
    """Upserts, updates and deletes by key and shard key: what is gone."""
    run(cur, "INSERT INTO items (order_id, line, sold, quantity) VALUES "
        + ", ".join(f"({n}, {line}, '2026-01-{n % 3 + 1:02} 10:00:00', 0)"
                    for line in range(LINES) for n in range(ORDERS))
        + " ON DUPLICATE KEY UPDATE quantity = quantity + 1")
    expect(cur.rowcount, 2 * ORDERS * LINES, "rows updated, not inserted")
    run(cur, "DELETE FROM items WHERE order_id = 7 AND line < 2")
    run(cur, "DELETE FROM items WHERE order_id = 8 AND line = 3 AND sold = '2026-01-03 10:00:00'")
    run(cur, "UPDATE items SET quantity = quantity + 5 WHERE order_id = 9")
    run(cur, "UPDATE items SET quantity = quantity - 5 WHERE order_id = 9")
    return {(7, 0), (7, 1), (8, 3)}


def refused(cur, statement):
    """Number of the error."""
    try:
        run(cur, statement)
    except quanta.pymysql.MySQLError as error:
        return error.args[0]
    return 0


def test_one_node():
    """Also after kill -9 and a clean restart, with another number of cores."""
    yaml, statements = manual()
    schemas = folder("schemas-")
    parent = ("tableName: orders\nprimaryKey: id\nattributes:\n"
              "- { fieldName: id, type: Integer, mappingStrategy: IntBSI }\n")
    for name, text in (("orders", parent), ("items", yaml)):
        os.mkdir(os.path.join(schemas, name))
        with open(os.path.join(schemas, name, "schema.yaml"), "w", encoding="utf-8") as file:
            file.write(text)
    with Node("--cores", "2", "--slots", "16") as server:
        with server.connect() as conn, conn.cursor() as cur:
            for statement in statements[0].split(";")[:-1]:
                run(cur, statement)
            fill(cur)
            check(cur)
            shown = run(cur, "SHOW CREATE TABLE items")[0][1]
            assert "shard_key='order_id'" in shown, shown
            for n in range(ORDERS):
                by_shard = asked(cur, f"SELECT count(*) FROM items WHERE order_id = {n} AND quantity > 3")
                expect(sum(by_shard.values()), 1, "slots for a shard key")
                expect(asked(cur, f"SELECT quantity FROM items WHERE order_id = {n} AND line = 2"), by_shard)
                expect(asked(cur, f"SELECT customer FROM orders WHERE id = {n}"), by_shard,
                       "core of the parent")
            expect(sum(asked(cur, "SELECT count(*) FROM items WHERE line = 3").values()), 16)
            expect(sum(asked(cur, "SELECT count(*) FROM items WHERE order_id IN (1, 2)").values()), 16)
            expect(sum(asked(cur, "SELECT count(*) FROM items WHERE order_id = 1 OR line = 1").values()), 16)
            expect(sum(asked(cur, "SELECT count(*) FROM items WHERE NOT order_id = 1").values()), 16)
            expect(refused(cur, "ALTER TABLE items SHARD_KEY='line'"), 1846)
            expect(refused(cur, "UPDATE items SET order_id = 3 WHERE order_id = 4 AND line = 1") != 0, True)
            gone = change(cur)
            check(cur, gone, 1)
        server.kill()
        server.start()
        for cores in ("2", "3"):
            with server.connect() as conn, conn.cursor() as cur:
                check(cur, gone, 1)
                run(cur, "ALTER TABLE items ADD c%s INT" % cores)
                check(cur, gone, 1)
            server.command[server.command.index("--cores") + 1] = "3"
            server.restart()
    with Node("--cores", "2", schema_dir=schemas) as server:
        with server.connect() as conn, conn.cursor() as cur:
            assert "shard_key='order_id'" in run(cur, "SHOW CREATE TABLE items")[0][1]


def test_two_nodes():
    """A shard key asks one core of one node; everything else is as on one."""
    statements = manual()[1]
    dirs = [os.path.join(folder("node-"), name) for name in ("one", "two")]

    def node(path):
        return quanta.Server("quanta-node", "--data-dir", path, "--grpc-port", 0, "--http-port", 0, "--slots", 16,
                             "--cores", 2)

    with node(dirs[0]):  # nodes of a cluster hash alike
        pass
    os.mkdir(dirs[1], 0o700)
    shutil.copy(os.path.join(dirs[0], "quanta.meta"), dirs[1])
    with node(dirs[0]) as one, node(dirs[1]) as two:
        nodes = f"127.0.0.1:{one.ports['grpc']},127.0.0.1:{two.ports['grpc']}"
        with quanta.Server("quanta-proxy", "--node", nodes, "--cores", 2, "--mysql-port", 0, "--token-port", 0,
                           "--http-port", 0) as proxy, \
                quanta.pymysql.connect(host="127.0.0.1", port=proxy.ports["mysql"], user="root",
                                       database="quanta", autocommit=True) as conn, conn.cursor() as cur:
            for statement in statements[0].split(";")[:-1]:
                run(cur, statement)
            fill(cur)
            check(cur)
            both = set()
            for n in range(ORDERS):
                by_shard = asked(cur, f"SELECT sum(quantity) FROM items WHERE order_id = {n}")
                expect(list(by_shard.values()), [1], "slots for a shard key")
                expect(asked(cur, f"SELECT quantity FROM items WHERE order_id = {n} AND line = 2"), by_shard)
                expect(asked(cur, f"SELECT customer FROM orders WHERE id = {n}"), by_shard)
                both.add(next(iter(by_shard)).split()[0])
            expect(len(both), 2, "nodes with orders")
            expect(sum(asked(cur, "SELECT count(*) FROM items").values()), 32)
            check(cur, change(cur), 1)


if __name__ == "__main__":
    support.need("quanta", "quanta-node", "quanta-proxy")
    support.run_tests(globals())
