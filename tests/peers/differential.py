#!/usr/bin/python3
# alone
# timeout: 5400
"""
Differential tests: random statements answered by quanta and by MariaDB must agree.

    differential.py [--seed N] [--statements N] [--changes N] [--events ROWS] [--layout N] [--self]

Ends with 0 when all agree, 77 when a program is missing, 1 otherwise; prints the seed, and for
each disagreement the smallest statement that still shows it. QUANTA_SEED sets the seed too;
"random" takes another one each time.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import mariadb
import quanta
import tables
from expressions import Expressions
from run import Run, Side
from sqltree import ORACLE, SUBJECT

SKIPPED = 77
NONEMPTY_SHARE = 0.6
LAYOUTS = [("quanta, one slot", ["--cores", "1", "--slots", "1"]),
           ("quanta, eight slots on two cores", ["--cores", "2", "--slots", "8"])]


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seed", default=os.environ.get("QUANTA_SEED", "1"))
    parser.add_argument("--statements", type=int,
                        default=int(os.environ.get("QUANTA_STATEMENTS", "2000")))
    parser.add_argument("--changes", type=int, default=int(os.environ.get("QUANTA_CHANGES", "200")))
    parser.add_argument("--events", type=int, default=70000)
    parser.add_argument("--wide", action="store_true", default=bool(os.environ.get("QUANTA_WIDE")),
                        help="with all functions (calls.py) and the other forms of statements (forms.py)")
    parser.add_argument("--self", action="store_true", help="compare MariaDB with MariaDB")
    parser.add_argument("--report", help="write the findings to this file too")
    parser.add_argument("--layout", type=int, choices=range(len(LAYOUTS)),
                        help="only this layout of the product")
    options = parser.parse_args()
    options.seed = random.SystemRandom().randrange(2**31) if options.seed == "random" \
        else int(options.seed)
    return options


def skip(reason):
    """Ends the program as skipped."""
    print(reason)
    sys.exit(SKIPPED)


def subjects(options, folder, made, stack):
    """The servers that are compared with the oracle, filled."""
    if options.self:
        server = stack.enter_context(mariadb.MariaDB(folder))
        with server.connect() as connection:
            tables.fill_mariadb(connection, made)
        return [Side("second MariaDB", server, ORACLE)]
    schema_dir = tables.write_schemas(made, os.path.join(folder, "schemas"))
    sides = []
    for number, (name, flags) in enumerate(LAYOUTS):
        if options.layout not in (None, number):
            continue
        server = stack.enter_context(quanta.Quanta(schema_dir, *flags, folder=folder))
        with server.connect() as connection:
            tables.fill_quanta(server, connection, made)
        sides.append(Side(name, server, SUBJECT))
    return sides


def compare_all(options, folder, stack):
    """Starts the servers, runs the statements, prints the report and returns it."""
    started = time.monotonic()
    made = tables.make(folder, options.events, options.seed)
    server = stack.enter_context(mariadb.MariaDB(folder))
    with server.connect() as connection:
        tables.fill_mariadb(connection, made)
    oracle = Side("MariaDB", server, ORACLE)
    run = Run(options.seed, made, oracle, subjects(options, folder, made, stack))
    print(f"loaded {sum(len(t.rows) for t in made.values())} rows in "
          f"{time.monotonic() - started:.1f} s", flush=True)
    try:
        run.go(options.statements, options.changes)
    finally:
        print(run.report)
        spent = ", ".join(f"{side.name} {side.seconds:.0f} s" for side in [oracle, *run.subjects])
        print(f"{time.monotonic() - started:.0f} s; {spent}", flush=True)
        if options.report:
            with open(options.report, "w", encoding="utf-8") as file:
                file.write(str(run.report) + "\n")
    return run.report


def main():
    """Returns the exit status."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaving nothing behind
    if not mariadb.is_available():
        skip("mariadbd is not installed")
    if not options.self and not (quanta.program("quanta") and quanta.program("quanta-loader")):
        skip("quanta and quanta-loader are not built")
    Expressions.is_wide = options.wide
    print(f"seed {options.seed}", flush=True)
    folder = tempfile.mkdtemp(prefix="differential-", dir=os.environ.get("TEST_TMP"))
    try:
        with contextlib.ExitStack() as stack:
            report = compare_all(options, folder, stack)
    except (quanta.QuantaError, mariadb.MariaDBError, subprocess.TimeoutExpired) as error:
        print(error)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if report.nonempty_share < NONEMPTY_SHARE:
        print(f"fewer than {NONEMPTY_SHARE:.0%} of the statements have rows")
        return 1
    return 1 if report.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
