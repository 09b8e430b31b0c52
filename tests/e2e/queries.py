#!/usr/bin/python3
"""
Query forms: subqueries that depend on the row outside, set operations, rollup, recursion; a list of statements of each
form and random ones, compared with MariaDB. QUERIES_SEED chooses the random ones, QUERIES how many.
"""

import contextlib
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "../peers"), HERE]
import mariadb
import pymysql
import query_forms
import support
from support import Node

SEED = int(os.environ.get("QUERIES_SEED", "11"))
COUNT = int(os.environ.get("QUERIES", "400"))
ERRORS = {1242, 1222, 1054, 1052}  # those that both must give
CONFUSED = {1140, 1055}  # MariaDB takes columns of subqueries within aggregates for ungrouped ones


class Sides:
    """The same statements for quanta and for MariaDB."""

    def __init__(self, node, oracle):
        self.connections = [node.connect(conv={}), oracle.connect()]
        self.nonempty = self.asked = 0

    def run(self, statement):
        """A statement without answer on both."""
        for connection in self.connections:
            with connection.cursor() as cursor:
                cursor.execute(statement)

    @staticmethod
    def answer(connection, statement):
        """Rows as texts, or the error's number."""
        with connection.cursor() as cursor:
            try:
                cursor.execute(statement)
                return [tuple(None if v is None else str(v) for v in row) for row in cursor.fetchall()]
            except pymysql.err.MySQLError as error:
                return error.args[0]

    def compare(self, statement, ordered=False):
        """The text of what differs, or None."""
        wanted = self.answer(self.connections[1], statement)
        found = self.answer(self.connections[0], statement)
        self.asked += 1
        if isinstance(wanted, list):
            self.nonempty += bool(wanted)
            if isinstance(found, list):
                if not ordered:
                    wanted, found = sorted(wanted, key=repr), sorted(found, key=repr)
                if wanted == found:
                    return None
        elif wanted == found or wanted in CONFUSED or (wanted not in ERRORS and not isinstance(found, list)):
            return None
        if isinstance(found, list) and isinstance(wanted, list):
            found, wanted = [r for r in found if r not in wanted], [r for r in wanted if r not in found]
        return f"{statement}\n  quanta:  {brief(found)}\n  MariaDB: {brief(wanted)}"


def brief(answer):
    """The begin of an answer."""
    text = str(answer)
    return text if len(text) < 400 else text[:400] + f"… ({len(answer)} rows)"


def main():
    """Runs the test."""
    if not mariadb.is_available():
        support.skip("MariaDB is not installed")
    with contextlib.ExitStack() as stack:
        oracle = stack.enter_context(mariadb.MariaDB(os.environ.get("TEST_TMP")))
        node = stack.enter_context(Node("--cores", "2", "--slots", "4"))
        sides = Sides(node, oracle)
        query_forms.fill(sides.run, random.Random(SEED))
        differences = []
        for statement in query_forms.STATEMENTS:
            found = sides.compare(statement, ordered=" ORDER BY 1" in statement)
            differences += [found] if found else []
        generator = query_forms.Generator(random.Random(SEED))
        for _ in range(COUNT):
            found = sides.compare(generator.statement())
            differences += [found] if found else []
        print(f"{sides.asked} statements, {sides.nonempty} with rows, seed {SEED}; "
              + ", ".join(f"{k} {v}" for k, v in sorted(generator.counts.items())))
        if differences:
            print("\n".join(differences[:20]))
            sys.exit(f"{len(differences)} statements differ")
        assert sides.nonempty >= 0.6 * sides.asked, "too few statements have rows"
    print("ok")


if __name__ == "__main__":
    main()
