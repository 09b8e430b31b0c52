#!/usr/bin/python3
"""
Arithmetic inside of aggregates, done on the cores: integers and decimals, NULLs, constants, signs,
groups; numbers beyond 64 bits, which the gateway computes. Compared with MariaDB.
"""

import contextlib
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "../peers")]
import mariadb
import support
from support import Node, expect

SEED = int(os.environ.get("SEED", "11"))
RANDOM = random.Random(SEED)
ROWS = 20000
TABLE = "CREATE TABLE t (id BIGINT PRIMARY KEY, kind VARCHAR(9), a INT, b INT, price DECIMAL(10,2), part DECIMAL(8,3))"

# Expressions, and whether the cores compute them.
EXPRESSIONS = [
    ("a * b", True), ("a + b", True), ("a - b", True), ("-a", True), ("a * a", True),
    ("price * (1 - part)", True), ("price * (1 - part) * (1 + part)", True), ("price - a", True),
    ("a * 3", True), ("2.5 * price + b", True), ("price + part", True), ("-(a - price) * 2", True),
    ("a * b - b * a", True), ("(a + 1) * (a + 1)", True), ("id * 7 - a", True),
    ("a + kind", False), ("a % 7", False), ("abs(a) * 2", False), ("a * NULL", False),
    ("a * 1e0", False),
]
CALLS = ["sum({0})", "avg({0})", "count({0})", "min({0}), max({0})", "sum({0}), sum(a), avg({0}), count(*)"]
FRAMES = ["SELECT {} FROM t", "SELECT {} FROM t WHERE a > 20 AND kind = 'k1'", "SELECT {} FROM t WHERE a > 1000",
          "SELECT kind, {} FROM t GROUP BY kind", "SELECT a, {} FROM t WHERE b < 30 GROUP BY a"]
# Several in one statement: equal numbers of different scales, values used twice.
TOGETHER = [
    "SELECT sum(a*10), sum(a*1.0) FROM t", "SELECT sum(a*1.0), sum(a*10) FROM t",
    "SELECT kind, sum(price*100), avg(price*1.00), max(price*100) FROM t GROUP BY kind",
    "SELECT sum(a*b), sum(a*b+1), sum((a*b)*(a*b)), count(a*b), min(a*b) FROM t WHERE b > 3",
]
# Products and sums beyond 64 bits, and how they end: what MySQL answers.
LARGE = "CREATE TABLE large (id BIGINT PRIMARY KEY, x BIGINT, d DECIMAL(18,4))"
BEYOND = [
    ("SELECT sum(x * x) FROM large WHERE id < 2", None), ("SELECT sum(x * x) FROM large", 1690),
    ("SELECT count(x * x) FROM large", 1690), ("SELECT d, count(x * x), sum(d) FROM large GROUP BY d", 1690),
    ("SELECT sum(x + x) FROM large", 1690), ("SELECT sum(d * d) FROM large", None),
    ("SELECT sum(d * 1000000), count(*) FROM large", None),
    ("SELECT id * 1.5 FROM t UNION ALL SELECT sum(d * d) FROM large", None), ("SELECT max(x - 1) FROM large", None),
]


def maybe(value):
    """The value, or NULL."""
    return "NULL" if RANDOM.random() < 0.1 else value


def answer(connection, statement):
    """Rows in some order; an error's number."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except Exception as error:  # pylint: disable=broad-except
            return error.args[0]
        return sorted(cursor.fetchall(), key=repr)


def check(ours, theirs):
    """All expressions in all calls, groups and conditions."""
    for expression, on_cores in EXPRESSIONS:
        for call in CALLS:
            for frame in FRAMES:
                statement = frame.format(call.format(expression))
                expect(answer(ours, statement), answer(theirs, statement), f"seed {SEED}: {statement}")
        plan = "\n".join(row[0] for row in answer(ours, f"EXPLAIN SELECT sum({expression}) FROM t"))
        expect("groups sum(" in plan, on_cores, f"sum({expression})\n{plan}\non the cores")


def check_together(ours, theirs):
    """Statements with several."""
    for statement in TOGETHER:
        expect(answer(ours, statement), answer(theirs, statement), f"seed {SEED}: {statement}")


def main():
    """Runs the test."""
    if not mariadb.is_available():
        support.skip("MariaDB is not installed")
    with contextlib.ExitStack() as stack:
        oracle = stack.enter_context(mariadb.MariaDB(os.environ.get("TEST_TMP")))
        node = stack.enter_context(Node("--cores", "2", "--slots", "4"))
        sides = [node.connect(conv={}), oracle.connect()]
        rows = [f"({i}, {maybe(chr(39) + f'k{RANDOM.randrange(4)}' + chr(39))}, {maybe(RANDOM.randrange(-50, 60))}, "
                f"{maybe(RANDOM.randrange(100))}, {maybe(RANDOM.randrange(-10**6, 10**6) / 100)}, "
                f"{maybe(RANDOM.randrange(1000) / 1000)})" for i in range(ROWS)]
        for side in sides:
            with side.cursor() as cursor:
                cursor.execute(TABLE)
                cursor.execute(LARGE)
                for at in range(0, ROWS, 2000):
                    cursor.execute("INSERT INTO t VALUES " + ",".join(rows[at:at + 2000]))
                cursor.execute("INSERT INTO large VALUES (1, 3000000000, 12345678901234.5678), "
                               "(2, 9000000000000000000, -99999999999999.9999), (3, NULL, NULL)")
        check(*sides)
        check_together(*sides)
        for statement, error in BEYOND:
            found, wanted = (answer(side, statement) for side in sides)
            expect(found, wanted, statement)
            expect(isinstance(found, int), error is not None, statement)
    print("ok")


if __name__ == "__main__":
    main()
