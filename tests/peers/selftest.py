#!/usr/bin/python3
"""
The test of the differential tests: two MariaDB servers with the same rows agree on everything, and
where their rows differ that is found and cut down to a short statement.
"""

import contextlib
import os
import sys

os.environ.setdefault("SHARED_DATA", "")
import mariadb
import tables
from compare import ask
from run import Run, Side
from sqltree import ORACLE

SKIPPED = 77
SEED = 7
STATEMENTS = 150
CHANGES = 30
LONGEST = 120  # characters that the smallest statement may have
PLANTED = "UPDATE things SET num = num + 1 WHERE num % 7 = 3"


def check(condition, what):
    """Ends the program when the condition does not hold."""
    if not condition:
        print(f"FAILED {what}")
        sys.exit(1)


def main():
    """Agreement first, then the planted difference."""
    if not mariadb.is_available():
        print("mariadbd is not installed")
        sys.exit(SKIPPED)
    folder = os.environ.get("TEST_TMP")
    with contextlib.ExitStack() as stack:
        made = tables.small(SEED)
        sides = []
        for name in ("MariaDB", "second MariaDB"):
            server = stack.enter_context(mariadb.MariaDB(folder))
            with server.connect() as connection:
                tables.fill_mariadb(connection, made)
            sides.append(Side(name, server, ORACLE))
        run = Run(SEED, made, sides[0], sides[1:])
        run.go(STATEMENTS, CHANGES)
        print(run.report)
        check(not run.report.disagreements, "two equal servers disagree")
        check(ask(sides[1].connection, PLANTED).affected > 0, "nothing was planted")
        while not run.report.findings and run.report.statements < 10 * STATEMENTS:
            run.query(run.generator.statement())
        print(run.report.findings_text())
        check(run.report.findings, "the planted difference was not found")
        shortest = min((f.smallest for all_ in run.report.findings.values() for f in all_), key=len)
        check(len(shortest) <= LONGEST, f"not cut down: {shortest}")


if __name__ == "__main__":
    main()
