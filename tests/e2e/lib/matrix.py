"""What every client of the matrix does, in its own language, and the lines it must print."""

import os
import shutil
import subprocess
import sys

import support
from support import expect

LARGE = 100_000
# The table of a client: it creates `m`, writes these rows through parameters, reads them back.
# A NULL is printed as the word.
CREATE = ("CREATE TABLE m (id INT PRIMARY KEY, price DECIMAL(12,2), day DATE, at DATETIME(6), "
          "name VARCHAR(64), big BIGINT)")
ROWS = ["1|-12.50|2024-02-29|2024-02-29 23:59:59.123456|Zürich 東京 🙂|-9007199254740993",
        "2|NULL|NULL|NULL|NULL|NULL",
        "3|0.00|1970-01-01|1969-12-31 00:00:00.000000||0"]
# Sum of `id`, of `price` and of the lengths of `name` over the table `large`, as the client adds them up.
SUMS = f"large {LARGE} {LARGE * (LARGE + 1) // 2} {LARGE * (LARGE + 1) // 200:d}.{LARGE * (LARGE + 1) // 2 % 100:02d}"
ERRORS = ["error 1146 42S02", "error 1062 23000", "error 1054 42S22"]
LINES = [*("row " + row for row in ROWS), SUMS, *ERRORS, "reconnected"]


def fill(server):
    """The table of large results."""
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE digits (d INT PRIMARY KEY)")
        cur.executemany("INSERT INTO digits VALUES (%s)", [(d,) for d in range(10)])
        cur.execute("CREATE TABLE large (id INT PRIMARY KEY, price DECIMAL(12,2), name VARCHAR(20))")
        number = " + ".join(f"{letter}.d * {10 ** i}" for i, letter in enumerate("abcde")) + " + 1"
        cur.execute(f"INSERT INTO large SELECT {number}, ({number}) / 100, concat('row ', {number}) "
                    "FROM digits a, digits b, digits c, digits d, digits e")
        expect(cur.rowcount, LARGE)


def run(command, text=None, env=None, folder=None, timeout=support.HANG_SECONDS):
    """Output of a program that must succeed."""
    done = subprocess.run(command, input=text, stdin=None if text is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False,
                          text=True, env={**os.environ, **(env or {})}, cwd=folder)
    if done.returncode:
        raise AssertionError(f"{command[0]}: exit status {done.returncode}\n{done.stdout[-2000:]}\n"
                             f"{done.stderr[-4000:]}")
    return done.stdout


def check(server, command, **options):
    """Runs a client's program, which prints the lines of the matrix and leaves no table."""
    found = run(command, **options).splitlines()
    expect(found, LINES, command[0])
    with server.connect() as conn, conn.cursor() as cur:
        expect(cur.execute("SHOW TABLES LIKE 'm'"), 0)


def need_file(path, what):
    """Skips the test when a part of a client is not installed."""
    if not os.path.exists(path):
        support.skip(f"no {what} (make deps-test)")
    return path


def need_command(name):
    """Skips the test when a program is not installed; its path."""
    path = shutil.which(name)
    if not path:
        support.skip(f"no {name} (make deps-test)")
    return path


def main(tests, prepare=fill):
    """Runs test functions with a server that has the table of large results."""
    support.need("quanta")
    with support.Node() as server:
        prepare(server)
        sys.stdout.flush()
        support.run_tests(tests, server, server=server)
