#!/usr/bin/python3
"""
Window functions: random calls with random windows and frames answered by quanta and by MariaDB must agree.

    windows.py [--seed N] [--statements N] [--rows N]

Ends with 0 when all agree, 77 when a program is missing, 1 otherwise; prints the seed and every statement
whose answers differ.
"""

import argparse
import contextlib
import math
import os
import random
import sys
import tempfile

import mariadb
import quanta
from compare import TIMEOUT_CODES, ask

SKIPPED = 77
SHOWN = 10
TABLE = ("CREATE TABLE w (id INT NOT NULL PRIMARY KEY, g VARCHAR(20), k INT, v INT, "
         "d DECIMAL(12,2), ts DATETIME)")
NUMBERS = ["k", "v", "d", "id", "v + k", "d * 2"]
VALUES = NUMBERS + ["g", "ts", "v / 8e0"]
KEYS = ["k", "v", "d", "g", "ts", "k % 3", "DATE(ts)"]
# What both order by the same way, and RANGE can move: expression of MariaDB, ours, units.
MOVABLE = [("k", "k", None), ("v", "v", None), ("d", "d", None), ("k + v", "k + v", None),
           ("TO_SECONDS(ts)", "ts", "SECOND"), ("TO_DAYS(ts)", "DATE(ts)", "DAY")]


def fill(connection, rows):
    """Makes the table with the rows."""
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
        for at in range(0, len(rows), 500):
            cursor.execute("INSERT INTO w VALUES " + ", ".join(rows[at:at + 500]))


def make_rows(rng, count):
    """Rows with repeated values and NULLs."""
    def maybe(text, share=0.12):
        return "NULL" if rng.random() < share else text

    return [f"({i}, {maybe(repr('g' + str(rng.randint(1, 6))))}, {maybe(str(rng.randint(-5, 5)))}, "
            f"{maybe(str(rng.randint(-100, 100)))}, {maybe(f'{rng.randint(-5000, 5000) / 100:.2f}')}, "
            f"{maybe(f'TIMESTAMP{chr(39)}2024-01-{rng.randint(1, 20):02} 0{rng.randint(0, 9)}:00:00{chr(39)}')})"
            for i in range(count)]


class Windows:
    """Makes statements as pairs: for MariaDB, for us."""

    def __init__(self, rng):
        self.rng = rng
        self.is_alone = False

    def statement(self):
        """A SELECT with one to three calls."""
        rng = self.rng
        named, clause = {}, ("", "")
        if rng.random() < 0.2:
            spec = self.spec(rng.choice(["any", "total"]), frames=False)
            named = {"w": spec}
            clause = tuple(f" WINDOW w AS ({text})" for text in spec[:2])
        count = rng.choice([1, 1, 2, 3])
        self.is_alone = count == 1  # MariaDB goes wrong with others beside OVER ()
        calls = [self.call(named) for _ in range(count)]
        where = rng.choice(["", "", "", " WHERE k > 0", " WHERE v IS NOT NULL", " WHERE id < 3",
                            " WHERE id < 0"])
        return tuple("SELECT id, " + ", ".join(f"{c[side]} AS c{i}" for i, c in enumerate(calls)) +
                     f" FROM w{where}{clause[side]} ORDER BY id" for side in (0, 1))

    def call(self, named):
        """One call with its window."""
        rng = self.rng
        kind = rng.choice(["rank", "place", "value", "value", "aggregate", "aggregate", "aggregate",
                           "aggregate"])
        if kind == "rank":
            name = rng.choice(["RANK()", "DENSE_RANK()", "PERCENT_RANK()", "CUME_DIST()"])
            return self.over(name, self.spec("any", frames=False))
        if kind == "place":
            name = rng.choice(["ROW_NUMBER()", f"NTILE({rng.choice([1, 2, 3, 7, 1000])})",
                               f"LAG({rng.choice(VALUES)})", f"LEAD({rng.choice(VALUES)})",
                               f"LAG({rng.choice(VALUES)}, {rng.choice([0, 1, 2, 5, 900])})",
                               f"LEAD({rng.choice(VALUES)}, {rng.choice([0, 1, 2, 5, 900])})"])
            return self.over(name, self.spec("total", frames=False))
        if kind == "value":
            name = rng.choice([f"FIRST_VALUE({rng.choice(VALUES)})",
                               f"LAST_VALUE({rng.choice(VALUES)})",
                               f"NTH_VALUE({rng.choice(VALUES)}, {rng.choice([1, 2, 5, 40])})"])
            return self.over(name, self.spec("total", frames=True))
        name = rng.choice(["COUNT(*)", f"COUNT({rng.choice(VALUES)})", f"SUM({rng.choice(NUMBERS)})",
                           "SUM(v / 8e0)", f"AVG({rng.choice(NUMBERS)})", f"MIN({rng.choice(VALUES)})",
                           f"MAX({rng.choice(VALUES)})", f"STDDEV_POP({rng.choice(NUMBERS)})",
                           f"VAR_SAMP({rng.choice(NUMBERS)})", "BIT_OR(id)",
                           "BIT_XOR(id)", "BIT_AND(id)"])
        if named and rng.random() < 0.5:
            return f"{name} OVER w", f"{name} OVER w"
        return self.over(name, self.spec(rng.choice(["any", "total", "move"]), frames=True))

    def over(self, name, spec):
        """The call over a window, for both."""
        return f"{name} OVER ({spec[0]})", f"{name} OVER ({spec[1]})"

    def spec(self, order, frames):
        """PARTITION BY, ORDER BY, frame; "total" makes the order of rows certain."""
        rng = self.rng
        parts = rng.sample(KEYS, rng.choice([0, 1, 1, 2]))
        head = "PARTITION BY " + ", ".join(parts) + " " if parts else ""
        if order == "move":
            theirs, ours, unit = rng.choice(MOVABLE)
            way = rng.choice(["", " DESC"])
            frame = self.range_frame(theirs, unit)
            return tuple(f"{head}ORDER BY {key}{way} {text}"
                         for key, text in ((theirs, frame[0]), (ours, frame[1])))
        keys = [k + rng.choice(["", " DESC"]) for k in rng.sample(KEYS, rng.choice([1, 1, 2]))]
        if order == "total":
            keys.append("id" + rng.choice(["", " DESC"]))
        elif rng.random() < 0.2 and frames and self.is_alone:
            keys = []
        tail = "ORDER BY " + ", ".join(keys) if keys else ""
        if keys and frames and rng.random() < 0.8:
            units = "ROWS" if order == "total" else "RANGE"
            tail += " " + self.frame(units)
        return head + tail, head + tail

    def frame(self, units):
        """ROWS with numbers, or RANGE without."""
        rng = self.rng
        starts = ["UNBOUNDED PRECEDING", "CURRENT ROW"]
        ends = ["CURRENT ROW", "UNBOUNDED FOLLOWING"]
        if units == "RANGE":
            return f"RANGE BETWEEN {rng.choice(starts)} AND {rng.choice(ends)}"
        if rng.random() < 0.2:
            return f"ROWS {rng.choice(['UNBOUNDED', '3'])} PRECEDING"
        n, m = sorted(rng.choice([0, 1, 2, 5, 40, 300]) for _ in "ab")
        return "ROWS BETWEEN " + rng.choice([
            f"{m} PRECEDING AND {n} PRECEDING", f"{n} FOLLOWING AND {m} FOLLOWING",
            f"{n} PRECEDING AND {m} FOLLOWING", f"{m} PRECEDING AND CURRENT ROW",
            f"CURRENT ROW AND {m} FOLLOWING", f"UNBOUNDED PRECEDING AND {n} PRECEDING",
            f"UNBOUNDED PRECEDING AND {m} FOLLOWING", f"{n} FOLLOWING AND UNBOUNDED FOLLOWING",
            f"{m} PRECEDING AND UNBOUNDED FOLLOWING"])

    def range_frame(self, theirs, unit):
        """RANGE with distances, for both."""
        rng = self.rng
        n, m = sorted(rng.choice([0, 1, 3, 10, 60] if unit != "SECOND" else [0, 3600, 90000])
                      for _ in "ab")
        if theirs == "d" and rng.random() < 0.5:  # MariaDB rounds it when the key is an integer
            m = m + 0.5
        shape = rng.choice(["{m} PRECEDING AND {n} PRECEDING", "{n} PRECEDING AND {m} FOLLOWING",
                            "{n} FOLLOWING AND {m} FOLLOWING", "{m} PRECEDING AND CURRENT ROW",
                            "CURRENT ROW AND {m} FOLLOWING", "UNBOUNDED PRECEDING AND {n} PRECEDING",
                            "UNBOUNDED PRECEDING AND {m} FOLLOWING",
                            "{n} FOLLOWING AND UNBOUNDED FOLLOWING"])
        ours = (lambda i: f"INTERVAL {i} {unit}") if unit else str
        return ("RANGE BETWEEN " + shape.format(n=n, m=m),
                "RANGE BETWEEN " + shape.format(n=ours(n), m=ours(m)))


def same(a, b):
    """MariaDB gives some doubles with ten digits."""
    if a == b or a is None or b is None:
        return a == b
    try:
        return math.isclose(float(a), float(b), rel_tol=1e-7, abs_tol=2e-4)
    except ValueError:
        return False


def is_exact(answer, column):
    """Whether texts must be equal."""
    return answer.columns[column][1] not in ("double",)


def differs(left, right):
    """What is different, or None."""
    if left.code in TIMEOUT_CODES:
        return None
    if left.code is not None or right.code is not None:
        return f"{left}\n    {right}" if (left.code is None) != (right.code is None) else None
    for a, b in zip(left.rows, right.rows):
        for i, (p, q) in enumerate(zip(a, b)):
            if p != q and (is_exact(right, i) or not same(p, q)):
                return f"{a} is {b}"
    return None if len(left.rows) == len(right.rows) else "number of rows"


def run(options):
    """Number of statements whose answers differ."""
    rng = random.Random(options.seed)
    rows, bad, empty = make_rows(rng, options.rows), 0, 0
    windows = Windows(rng)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(
            prefix="windows-", dir=os.environ.get("TEST_TMP")))
        schemas = os.path.join(folder, "schemas")
        os.mkdir(schemas)
        oracle = stack.enter_context(mariadb.MariaDB(folder)).connect()
        ours = stack.enter_context(quanta.Quanta(schemas, "--cores", "2", folder=folder)).connect()
        fill(oracle, rows)
        fill(ours, rows)
        for _ in range(options.statements):
            theirs_text, our_text = windows.statement()
            left, right = ask(oracle, theirs_text), ask(ours, our_text)
            empty += not left.rows
            found = differs(left, right)
            if found:
                bad += 1
                if bad <= SHOWN:
                    print(f"{our_text}\n    {theirs_text}\n    {found}", flush=True)
    print(f"{options.statements} statements, {bad} differ, {empty} without rows")
    return bad


def main():
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=int(os.environ.get("QUANTA_SEED", "1")))
    parser.add_argument("--statements", type=int, default=500)
    parser.add_argument("--rows", type=int, default=600)
    options = parser.parse_args()
    if not mariadb.is_available() or not quanta.program("quanta"):
        print("mariadbd is not installed, or quanta is not built")
        return SKIPPED
    print(f"seed {options.seed}", flush=True)
    return 1 if run(options) else 0


if __name__ == "__main__":
    sys.exit(main())
