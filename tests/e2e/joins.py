#!/usr/bin/python3
"""
Joins along keys, done on the cores: NULL and dangling keys, several parents, parents of parents,
outer joins, conditions on either side, parents deleted and inserted again; compared with MariaDB.
"""

import contextlib
import itertools
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "../peers")]
import mariadb
import support
from support import Node, expect, folder

SEED = support.seed()
RANDOM = random.Random(SEED)
CHILDREN, PARENTS, GRANDPARENTS, PLACES = 6000, 300, 12, 40

# Columns: name, type here, strategy, more, type in MariaDB.
INT = ("Integer", "IntBSI", "", "BIGINT")
ENUM = ("String", "StringEnum", "", "VARCHAR(20)")
CODED = ("String", "StringHashBSI", "", "VARCHAR(20)")
CENTS = ("Float", "FloatScaleBSI", ", scale: 2", "DECIMAL(10,2)")


def relation(kind, sql, parent):
    """A column that holds keys of the parent."""
    return (kind, "ParentRelation", f", foreignKey: {parent}", sql)


TABLES = {
    "maker": {"id": INT, "country": ENUM, "founded": INT},
    "item": {"id": INT, "maker": relation("Integer", "BIGINT", "maker"), "category": ENUM,
             "year": INT, "price": CENTS, "since": ("Date", "SysSecBSI", "", "DATE"),
             "seen": ("DateTime", "SysSecBSI", "", "DATETIME")},
    "place": {"code": CODED, "region": ENUM, "size": INT},
    "sale": {"id": INT, "item": relation("Integer", "BIGINT", "item"),
             "place": relation("String", "VARCHAR(20)", "place"), "kind": ENUM, "n": INT,
             "amount": CENTS},
}

# Statements and whether the cores do the join.
INNER = "FROM sale s JOIN item i ON s.item = i.id"
BOTH = INNER + " JOIN place p ON s.place = p.code"
CHAIN = BOTH + " JOIN maker m ON i.maker = m.id"
STATEMENTS = [
    (f"SELECT count(*) {INNER}", True),
    (f"SELECT i.category, count(*), sum(s.amount) {INNER} WHERE i.year >= 2010 "
     "GROUP BY i.category", True),
    (f"SELECT i.category, i.year, min(s.n), max(s.amount), count(s.n) {INNER} "
     "GROUP BY i.category, i.year", True),
    (f"SELECT i.since, i.price, count(*) {INNER} WHERE s.kind = 'k1' GROUP BY i.since, i.price",
     True),
    (f"SELECT i.seen, sum(i.price), min(i.category), max(i.since) {INNER} WHERE s.n < 50 "
     "GROUP BY i.seen", True),
    (f"SELECT s.kind, sum(i.year), max(i.price), count(i.year) {INNER} GROUP BY s.kind", True),
    (f"SELECT avg(s.n), sum(s.n * i.year) {INNER} WHERE i.category = 'c3'", True),
    (f"SELECT s.id, i.category, i.price, i.since, i.seen {INNER} WHERE s.n BETWEEN 20 AND 22",
     True),
    (f"SELECT s.id, i.year {INNER} WHERE i.year IS NOT NULL ORDER BY i.year DESC, s.id LIMIT 25",
     True),
    (f"SELECT count(*) {INNER} WHERE i.year + 1 = 2012", True),
    (f"SELECT count(*) {INNER} WHERE i.year < s.n + 1990", True),
    (f"SELECT count(*) {INNER} WHERE i.id < 40 AND i.id <> 17 AND 1 = 1", True),
    (f"SELECT DISTINCT i.category, s.kind {INNER}", True),
    (f"SELECT count(DISTINCT i.category), count(DISTINCT s.kind) {INNER} WHERE i.year > 2000",
     True),
    (f"SELECT i.category, count(*) AS c {INNER} GROUP BY i.category HAVING count(*) > 100 "
     "ORDER BY c DESC, i.category LIMIT 4", True),
    (f"SELECT count(*) {INNER} WHERE i.category = 'none'", True),
    (f"SELECT sum(s.n) {INNER} WHERE i.category = 'none'", True),
    ("SELECT count(*) FROM item i JOIN sale s ON i.id = s.item WHERE s.kind = 'k2'", True),
    ("SELECT count(*) FROM item i, place p, sale s WHERE s.place = p.code AND i.id = s.item "
     "AND p.region = 'r1'", True),
    (f"SELECT i.category, p.region, count(*), sum(s.amount) {BOTH} GROUP BY i.category, p.region",
     True),
    (f"SELECT p.region, i.year, count(*) {BOTH} WHERE i.year > 2005 AND p.size < 50 "
     "AND s.kind IN ('k0', 'k3') GROUP BY p.region, i.year", True),
    (f"SELECT s.id, p.region, i.category {BOTH} WHERE p.size = 7", True),
    (f"SELECT m.country, p.region, sum(s.n) {CHAIN} GROUP BY m.country, p.region", True),
    (f"SELECT m.country, i.category, count(*) {CHAIN} WHERE m.founded > 1950 AND p.size > 10 "
     "GROUP BY m.country, i.category", True),
    ("SELECT i.category, count(*), count(i.id), sum(s.amount) "
     "FROM sale s LEFT JOIN item i ON s.item = i.id GROUP BY i.category", True),
    ("SELECT count(*) FROM sale s LEFT JOIN item i ON s.item = i.id WHERE i.id IS NULL", True),
    ("SELECT i.year, count(*) FROM sale s LEFT JOIN item i ON s.item = i.id AND i.year > 2010 "
     "GROUP BY i.year", True),
    ("SELECT i.category, p.region, count(*) FROM sale s LEFT JOIN item i ON s.item = i.id "
     "JOIN place p ON p.code = s.place GROUP BY i.category, p.region", True),
    ("SELECT m.country, count(*) FROM sale s LEFT JOIN item i ON s.item = i.id "
     "LEFT JOIN maker m ON m.id = i.maker GROUP BY m.country", True),
    ("SELECT p.region, count(s.id) FROM place p RIGHT JOIN sale s ON s.place = p.code "
     "WHERE s.n > 10 GROUP BY p.region", True),
    ("SELECT s.id, i.category FROM sale s LEFT JOIN item i ON s.item = i.id WHERE s.n = 5", True),
    ("SELECT i.id, count(s.id) FROM item i LEFT JOIN sale s ON s.item = i.id GROUP BY i.id", False),
    (f"SELECT count(*) {INNER} JOIN item j ON i.year = j.id", True),
    ("SELECT count(*) FROM sale s JOIN item i ON s.item = i.year", False),
    ("SELECT count(*) FROM sale s JOIN item i ON s.n = i.id AND s.item = i.id", True),
    ("SELECT count(*) FROM sale s JOIN item i ON s.amount = i.id", False),
    ("SELECT count(*) FROM sale s WHERE s.item IN (SELECT id FROM item WHERE year > 2012)", None),
    ("SELECT s.kind, sum(s.n) FROM sale s WHERE s.place IN "
     "(SELECT code FROM place WHERE region = 'r2') GROUP BY s.kind", None),
    ("SELECT count(*) FROM sale s WHERE s.item NOT IN (SELECT id FROM item WHERE year > 2012)",
     None),
]

# Tables tied by other columns than keys, in any order of the text: no products of tables.
TIED = ("FROM {} WHERE p.size = s.n AND m.founded = i.year - 53 AND i.category = 'c2' AND s.item = i.id + 1 "
        "AND p.region <> 'r1'")
PARTS = ["sale s", "item i", "place p", "maker m"]
TIED_STATEMENTS = [f"SELECT {what} {TIED.format(joint.join(order))}"
                   for order in itertools.permutations(PARTS)
                   for what, joint in [("*", ", "), ("count(*), sum(s.n), min(m.country)", " JOIN ")]]
TIED_STATEMENTS += [
    "SELECT * FROM maker m, place p, sale s LEFT JOIN item i ON s.item = i.id + 1 AND i.year > 2000 "
    "WHERE p.size = s.n AND m.id = s.item - 1",
    "SELECT m.id, p.code, s.id, i.id FROM maker m JOIN place p JOIN (item i LEFT JOIN sale s ON s.item = i.id + 1) "
    "ON p.size = s.n AND m.founded = i.year - 53",
    "SELECT count(*) FROM maker m JOIN place p JOIN sale s ON p.size = s.n AND m.id + 1 = s.item",
]


def text(value):
    """A literal."""
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def maybe(value, share=0.1):
    """The value, or NULL."""
    return None if RANDOM.random() < share else value


def item(key):
    """A row of item; some makers do not exist."""
    return (key, maybe(RANDOM.randrange(GRANDPARENTS + 3)), maybe(f"c{RANDOM.randrange(6)}"),
            maybe(RANDOM.randrange(1990, 2020)), maybe(RANDOM.randrange(1, 9) / 4),
            maybe(f"2024-0{RANDOM.randrange(1, 5)}-11"),
            maybe(f"2023-05-0{RANDOM.randrange(1, 4)} 12:30:00"))


def rows():
    """Rows by table: parents are fewer than the keys children have."""
    return {
        "maker": [(i, maybe(f"land {i % 4}"), maybe(1900 + 9 * i)) for i in range(GRANDPARENTS)],
        "item": [item(i * 3 - 40) for i in range(PARENTS)],
        "place": [(f"p{i}", maybe(f"r{i % 5}"), maybe(RANDOM.randrange(100)))
                  for i in range(PLACES)],
        "sale": [(i, maybe(RANDOM.randrange(-60, 900)), maybe(f"p{RANDOM.randrange(PLACES + 9)}"),
                  maybe(f"k{RANDOM.randrange(5)}"), maybe(RANDOM.randrange(120)),
                  maybe(RANDOM.randrange(10000) / 100)) for i in range(CHILDREN)],
    }


class Sides:
    """The two servers: every change goes to both, every answer must be the same."""

    def __init__(self, node, oracle):
        self.node, self.oracle = node, oracle
        self.connections = [node.connect(conv={}), oracle.connect()]

    def change(self, statement):
        """Runs a statement on both."""
        for connection in self.connections:
            with connection.cursor() as cursor:
                cursor.execute(statement)

    def restart(self):
        """Restarts the server under test."""
        self.connections[0].close()
        self.node.restart()
        self.connections[0] = self.node.connect(conv={})

    @staticmethod
    def _answer(connection, statement):
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def check(self, moment):
        """All statements."""
        for statement, on_cores in STATEMENTS:
            found, wanted = (self._answer(c, statement) for c in self.connections)
            if "ORDER BY" not in statement:
                found, wanted = (sorted(a, key=repr) for a in (found, wanted))
            expect(found, wanted, f"{moment}, seed {SEED}: {statement}")
            plan = "\n".join(r[0] for r in self._answer(self.connections[0],
                                                        "EXPLAIN " + statement))
            if on_cores is not None:
                expect("join along" in plan and "hash join" not in plan, on_cores,
                       f"{statement}\n{plan}\non the cores")

    def check_orders(self):
        """All orders of tables that are tied by other columns than keys."""
        for statement in TIED_STATEMENTS:
            found, wanted = (sorted(self._answer(c, statement), key=repr) for c in self.connections)
            expect(found, wanted, f"seed {SEED}: {statement}")
            assert found, statement
            plan = "\n".join(r[0] for r in self._answer(self.connections[0], "EXPLAIN " + statement))
            expect("nested loop" in plan, False, f"{statement}\n{plan}\na product")


def fill(sides, made):
    """All rows."""
    for table, list_ in made.items():
        for at in range(0, len(list_), 1000):
            values = ",".join("(" + ",".join(map(text, row)) + ")" for row in list_[at:at + 1000])
            sides.change(f"INSERT INTO {table} VALUES {values}")


def write_schemas(place):
    """The tables' definitions."""
    for name, columns in TABLES.items():
        os.mkdir(os.path.join(place, name))
        with open(os.path.join(place, name, "schema.yaml"), "w", encoding="ascii") as file:
            file.write(f"tableName: {name}\nprimaryKey: {next(iter(columns))}\nattributes:\n")
            for column, (kind, strategy, more, _) in columns.items():
                file.write(f"  - {{ fieldName: {column}, type: {kind}, "
                           f"mappingStrategy: {strategy}{more} }}\n")
    return place


def check_large():
    """Parents that are too many bytes for the cores are joined in the gateway."""
    rows_, length = 1000, 64000
    with Node("--cores", "2", "--slots", "4") as node, node.connect() as connection:
        def run(statement, args=None):
            with connection.cursor() as cursor:
                cursor.execute(statement, args)
                return cursor.fetchall()

        run("CREATE TABLE large (id BIGINT PRIMARY KEY, words VARCHAR(65000))")
        run("CREATE TABLE child (id BIGINT PRIMARY KEY, large BIGINT)")
        run("CREATE TABLE copy (id BIGINT PRIMARY KEY, n INT)")
        for at in range(0, rows_, 100):
            run("INSERT INTO large VALUES " + ",".join(
                f"({i}, '{i:06}{'x' * length}')" for i in range(at, at + 100)))
        run("INSERT INTO child VALUES " + ",".join(f"({i}, {i % 1500})" for i in range(3000)))
        both = "FROM child c JOIN large l ON c.large = l.id"
        all_ = rows_ * 2 * (length + 6)
        for _ in range(2):
            expect(run(f"SELECT sum(length(l.words)) {both}"), ((all_,),))
            expect(run("SELECT sum(length(l.words)), count(*) FROM child c LEFT JOIN large l "
                       "ON c.large = l.id"), ((all_, 3000),))
            expect(run(f"SELECT c.id, left(l.words, 6) {both} WHERE c.id < %s AND l.words > %s "
                       "ORDER BY 1", (8, "000003")), tuple((i, f"{i:06}") for i in range(3, 8)))
            expect(run(f"SELECT (SELECT max(left(l.words, 6)) {both}), 1"), (("000999", 1),))
        run(f"INSERT INTO copy SELECT c.id, length(l.words) {both}")
        expect(run("SELECT count(*), sum(n) FROM copy"), ((rows_ * 2, all_),))
        plan = "\n".join(r[0] for r in run(f"EXPLAIN ANALYZE SELECT max(l.words) {both}"))
        assert "hash join" in plan and "join along" not in plan, plan
        plan = "\n".join(r[0] for r in run(f"EXPLAIN SELECT max(l.id) {both}"))
        assert "join along" in plan, plan
        expect(run(f"SELECT max(l.id) {both}"), ((rows_ - 1,),))


def main():
    """Runs the test."""
    check_large()
    if not mariadb.is_available():
        support.skip("MariaDB is not installed")
    schemas = write_schemas(folder("schemas-"))
    with contextlib.ExitStack() as stack:
        oracle = stack.enter_context(mariadb.MariaDB(os.environ.get("TEST_TMP")))
        node = stack.enter_context(Node("--cores", "2", "--slots", "4", schema_dir=schemas))
        sides = Sides(node, oracle)
        with sides.connections[1].cursor() as cursor:
            for name, columns in TABLES.items():
                list_ = ", ".join(f"{c} {kind[3]}" for c, kind in columns.items())
                key = next(iter(columns))
                cursor.execute(f"CREATE TABLE {name} ({list_}, PRIMARY KEY ({key}))")
        sides.check("without rows")
        fill(sides, rows())
        sides.check("filled")
        sides.check_orders()
        sides.change("DELETE FROM item WHERE id BETWEEN 100 AND 300")
        sides.change("DELETE FROM place WHERE code IN ('p3', 'p7', 'p11')")
        sides.change("UPDATE place SET region = 'r9' WHERE size > 80")
        sides.change("DELETE FROM sale WHERE n = 3")
        sides.change("UPDATE sale SET item = 5 WHERE n = 4")
        sides.check("parents deleted")
        fill(sides, {"item": [item(i) for i in range(150, 200)], "place": [("p7", "r1", 7)]})
        sides.check("inserted again")
        sides.restart()
        sides.check("restarted")
    print("ok")


if __name__ == "__main__":
    main()
