#!/usr/bin/python3
"""EXPLAIN in all its formats: what tools read must be there, be valid, and be true of the statement."""

import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, wait_for

import pymysql

DAYS = 20
ROWS = 400
COLUMNS = ["id", "select_type", "table", "partitions", "type", "possible_keys", "key", "key_len",
           "ref", "rows", "filtered", "Extra"]
JOINED = ("SELECT name, sum(v) FROM facts JOIN shops ON facts.shop = shops.id "
          "WHERE day >= '2026-01-19' AND name <> 'x' GROUP BY name ORDER BY 2 DESC")


def ask(server, statement):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute(statement)
        return [d[0] for d in cur.description], list(cur.fetchall())


def error(server, statement):
    try:
        ask(server, statement)
    except pymysql.MySQLError as refusal:
        return refusal.args[0]
    raise AssertionError(f"{statement} was answered")


def plan(server, statement):
    names, rows = ask(server, statement)
    expect((names, len(rows)), (["EXPLAIN"], 1))
    return json.loads(rows[0][0])


def operators(node):
    """The operator and all below it."""
    yield node
    for below in node.get("inputs", []):
        yield from operators(below)


def one(node, operation, table=None):
    found = [n for n in operators(node) if n["operation"] == operation and
             (table is None or n.get("table_name") == table)]
    expect(len(found), 1, f"{operation} {table} in {node}")
    return found[0]


def fill(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE shops (id INT PRIMARY KEY, name VARCHAR(20))")
        cur.execute("CREATE TABLE facts (id INT PRIMARY KEY, shop INT REFERENCES shops (id), v INT,"
                    " day DATE) time_quantum_type='YMD' time_quantum_field='day'")
        cur.executemany("INSERT INTO shops VALUES (%s, %s)", [(i, f"shop {i}") for i in range(5)])
        cur.executemany("INSERT INTO facts VALUES (%s, %s, %s, %s)",
                        [(i, i % 5, i, f"2026-01-{i % DAYS + 1:02}") for i in range(ROWS)])


def test_json_tells_cores_and_gateway_apart(server):
    found = plan(server, "EXPLAIN FORMAT=JSON " + JOINED)
    expect(found["query_type"], "select")
    scan = one(found["query_plan"], "scan", "facts")
    expect((scan["runs_on"], scan["output"], scan["columns"], scan["aggregates"]),
           ("cores", "groups", ["name"], ["sum(v)"]))
    expect(scan["condition"], "day >= '2026-01-19'")
    expect(scan["joins_on_cores"], [{"join_type": "inner", "column": "shop", "table_name": "shops",
                                     "key": "id", "condition": "name <> 'x'"}])
    expect([n["runs_on"] for n in operators(found["query_plan"]) if n["operation"] == "sort"],
           ["gateway"])
    expect("actual_rows" in json.dumps(found), False)


def test_analyze_counts(server):
    found = plan(server, "EXPLAIN ANALYZE FORMAT=JSON SELECT v FROM facts WHERE day >= '2026-01-19' "
                         "AND v + 0 > (SELECT min(id) FROM shops)")
    scan = one(found["query_plan"], "scan")
    per_day = ROWS // DAYS
    expect((scan["actual_rows"], sum(c["rows_out"] for c in scan["cores"])), (2 * per_day,) * 2)
    total = sum(c["segments"] for c in scan["cores"])
    read = sum(c["segments"] - c["segments_pruned"] for c in scan["cores"])
    expect(sum(c["rows_examined"] for c in scan["cores"]), ROWS)
    expect(0 < read <= total * 2 // DAYS + len(scan["cores"]) * 2 < total, True, f"{read} of {total}")
    for node in operators(found["query_plan"]):
        expect(0 <= node["actual_first_row_ms"] <= node["actual_last_row_ms"], True, str(node))
        expect(node["actual_loops"], 1)
    sub, = found["subqueries"]
    expect((sub["gives"], sub["when"], sub["query_plan"]["actual_rows"]), ("one value", "run first", 1))


def test_text_with_quotes_is_valid_json(server):
    for text in ('"', "\\\\", "€\n\t\x01", "a" * 399 + "€" + "b" * 50):
        found = plan(server, f"EXPLAIN FORMAT=JSON SELECT 1 FROM shops WHERE name = '{text}' OR id + 1 = 2")
        expect("id + 1 = 2" in found["query"], True, found["query"])


def test_changes_are_planned_and_not_made(server):
    found = plan(server, "EXPLAIN FORMAT=JSON UPDATE facts SET v = v + 1 WHERE shop = 3")
    expect((found["query_type"], found["query_plan"]["table_name"]), ("update", "facts"))
    expect(one(found["query_plan"], "scan")["condition"], "shop = 3")
    found = plan(server, "DESC FORMAT=JSON DELETE FROM facts WHERE v > 5 LIMIT 3")
    expect(found["query_plan"]["operation"], "delete")
    found = plan(server, "EXPLAIN FORMAT=JSON INSERT INTO shops SELECT id, 'n' FROM facts")
    expect((found["query_plan"]["operation"], found["query_plan"]["table_name"]), ("insert", "shops"))
    found = plan(server, "EXPLAIN FORMAT=JSON REPLACE INTO shops VALUES (1, 'a'), (2, 'b')")
    expect((found["query_type"], found["query_plan"]["rows"]), ("replace", 2))
    expect(ask(server, "DESCRIBE INSERT INTO shops VALUES (77, 'a')")[1], [("-> insert 1 rows into shops",)])
    expect(error(server, "EXPLAIN INSERT INTO nowhere VALUES (1)"), 1146)
    expect(error(server, "EXPLAIN ANALYZE DELETE FROM facts"), 1235)
    expect(ask(server, "SELECT count(*), sum(v) FROM facts")[1], [(ROWS, ROWS * (ROWS - 1) // 2)])
    expect(ask(server, "SELECT count(*) FROM shops WHERE name IN ('a', 'b', 'n')")[1], [(0,)])


def test_traditional_is_mysqls_table(server):
    names, rows = ask(server, "EXPLAIN FORMAT=TRADITIONAL " + JOINED)
    expect(names, COLUMNS)
    expect([(r[0], r[1], r[2], r[4], r[6]) for r in rows],
           [(1, "SIMPLE", "facts", "range", None), (1, "SIMPLE", "shops", "eq_ref", "PRIMARY")])
    expect(rows[0][11].startswith("Using filesort; Using where; on the cores: groups name, sum(v)"), True,
           rows[0][11])
    rows = ask(server, "EXPLAIN FORMAT=TRADITIONAL SELECT 1")[1]
    expect((rows[0][2], rows[0][11]), (None, "No tables used"))
    rows = ask(server, "EXPLAIN FORMAT=TRADITIONAL SELECT * FROM shops WHERE id IN (SELECT shop FROM facts)")[1]
    expect([(r[0], r[1], r[2]) for r in rows], [(1, "PRIMARY", "shops"), (2, "SUBQUERY", "facts")])
    rows = ask(server, "EXPLAIN FORMAT=TRADITIONAL DELETE FROM facts WHERE v = 1")[1]
    expect([(r[1], r[2]) for r in rows], [("DELETE", "facts")])
    expect(error(server, "EXPLAIN ANALYZE FORMAT=TRADITIONAL SELECT 1"), 1235)
    expect(error(server, "EXPLAIN FORMAT=XML SELECT 1"), 1064)


def test_tree_is_the_default(server):
    for words in ("EXPLAIN", "DESC", "EXPLAIN FORMAT=TREE", "EXPLAIN EXTENDED"):
        names, rows = ask(server, f"{words} {JOINED}")
        expect(names, ["EXPLAIN"])
        expect(rows[0][0].startswith("-> sort by column 2 desc"), True, rows[0][0])
    rows = ask(server, "EXPLAIN ANALYZE " + JOINED)[1]
    expect("(rows=2 time=" in rows[0][0] and " core 0: " in str(rows) and " pruned=" in str(rows), True, str(rows))


def test_of_another_connection(server):
    with server.connect() as busy, server.connect() as idle:
        def run():
            with busy.cursor() as cur:
                try: # ends when it is killed: 25.6 thousand million rows
                    cur.execute("SELECT count(*) FROM facts a, facts b, facts c, facts d WHERE a.v * b.v - c.v * d.v = 4711")
                except pymysql.MySQLError as killed:
                    expect(killed.args[0], 1317)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            def planned():
                try:
                    return ask(server, f"EXPLAIN FOR CONNECTION {busy.thread_id()}")
                except pymysql.MySQLError as refusal:
                    expect(refusal.args[0], 3012)
                    return None
            wait_for(planned, 30, "the plan")
            expect("nested loop join" in str(planned()), True)
            for _ in range(50): # memory goes back to the core that it came from
                found = plan(server, f"EXPLAIN FORMAT=JSON FOR CONNECTION {busy.thread_id()}")
                expect(sum(n["operation"] == "scan" for n in operators(found["query_plan"])), 4)
            rows = ask(server, f"EXPLAIN FORMAT=TRADITIONAL FOR CONNECTION {busy.thread_id()}")[1]
            expect([r[2] for r in rows], ["a", "b", "c", "d"])
        finally:
            server_kill(server, busy.thread_id())
            thread.join()
        expect(error(server, f"EXPLAIN FOR CONNECTION {idle.thread_id()}"), 3012)
    expect(error(server, "EXPLAIN FOR CONNECTION 4294967295"), 1094)
    expect(error(server, "EXPLAIN FOR CONNECTION 99999999999"), 1094)


def server_kill(server, thread):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute(f"KILL QUERY {thread}")


def main():
    support.need("quanta")
    with Node() as server:
        fill(server)
        support.run_tests(globals(), server, server=server)


if __name__ == "__main__":
    main()
