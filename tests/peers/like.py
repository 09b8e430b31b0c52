#!/usr/bin/python3
"""
LIKE on columns of every string strategy against MariaDB: wildcards, escape characters, NULL, characters of several
bytes, empty texts and patterns; as a condition, which the cores decide, and as a value, which the gateway computes.
SEED=n repeats a run, QUERIES=n asks more.
"""

import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e", "lib")]
import mariadb
import pymysql
import support
from support import Node

ROWS = 400
PIECES = ["a", "b", "A", "ab", "%", "_", "\\", "|", "é", "e\u0301", "ß", "日", "😀", " ", "'", "\n", "1"]
WILD = ["%", "%%", "_", "__", "%_", "\\%", "\\_", "\\\\", "|%", "|_", "||", "\\", "|"]
ESCAPES = ["", "", "", " ESCAPE '|'", " ESCAPE ''", " ESCAPE '\\\\'", " ESCAPE 'a'"]
UUIDS = ["%08x-1111-2222-3333-0123456789ab" % (n * 7919) for n in range(60)]

COLUMNS = {
    "hashed": "TEXT COMMENT 'strategy=StringHashBSI searchable'",
    "listed": "VARCHAR(200) COMMENT 'strategy=StringEnum'",
    "unique_id": "VARCHAR(36) COMMENT 'strategy=UUIDBSI'",
    "clock": "VARCHAR(10) COMMENT 'strategy=TimeOfDay'",
    "parent": "VARCHAR(100) REFERENCES parents (name)",
}


def make_text(rng):
    """NULL, nothing, or some pieces."""
    if rng.random() < 0.06:
        return None
    return "".join(rng.choice(PIECES) for _ in range(rng.choice([0, 1, 2, 3, 5, 8])))


def make_row(rng, number):
    """Values of all columns."""
    clock = "%02d:%02d:%02d" % (rng.randrange(24), rng.randrange(60), rng.randrange(60))
    return [number, make_text(rng), make_text(rng), rng.choice(UUIDS + [None]),
            rng.choice([clock, None]), make_text(rng) or None]


def make_pattern(rng, values):
    """A pattern that may have been one of the values."""
    if rng.random() < 0.03:
        return None
    if rng.random() < 0.3:
        return "".join(rng.choice(PIECES + WILD) for _ in range(rng.randrange(6)))
    text = rng.choice(values)
    parts = list(text or "")
    for _ in range(rng.randrange(4)):
        at = rng.randint(0, len(parts))
        parts[at:at + rng.randrange(3)] = [rng.choice(WILD)]
    return "".join(parts)


def ask(cursor, statement, arguments):
    """All rows, or the number of the error."""
    try:
        cursor.execute(statement, arguments)
        return [tuple(row) for row in cursor.fetchall()]
    except Exception as error:  # pylint: disable=broad-except
        return error.args[0]


def fill(cursor, rows, create):
    """The same table on either side."""
    cursor.execute("CREATE TABLE parents (name VARCHAR(100) PRIMARY KEY)")
    cursor.execute(create)
    cursor.executemany("INSERT INTO texts VALUES (%s, %s, %s, %s, %s, %s)", rows)


def compare(rng, rows, quanta, oracle):
    """Random patterns on random columns: number of those that found something."""
    names = list(COLUMNS)
    found_some = 0
    for _ in range(int(os.environ.get("QUERIES", 600))):
        column = rng.randrange(len(names))
        values = [row[column + 1] for row in rows]
        pattern = make_pattern(rng, values)
        escape = rng.choice(ESCAPES)
        if escape == " ESCAPE ''" and "\\" in (pattern or ""):
            escape = ""  # to MySQL and quanta it means no escape character, to MariaDB a backslash
        condition = f"{names[column]} {rng.choice(['', '', 'NOT '])}LIKE %s{escape}"
        if rng.random() < 0.2:
            condition = f"NOT ({condition})"
        for statement in (f"SELECT id FROM texts WHERE {condition} ORDER BY id",
                          f"SELECT id, {condition} FROM texts ORDER BY id"):
            wanted, found = ask(oracle, statement, (pattern,)), ask(quanta, statement, (pattern,))
            if found != wanted:
                print(f"  {statement} with {pattern!r}")
                only = set(map(str, found)) ^ set(map(str, wanted)) if isinstance(
                    found, list) and isinstance(wanted, list) else (found, wanted)
                raise AssertionError(f"answers differ: {sorted(only)[:5]}")
            found_some += isinstance(wanted, list) and 0 < len(wanted) < len(rows)
    return found_some


def main():
    """Both servers, the same rows."""
    support.need("quanta")
    if not mariadb.is_available():
        support.skip("no MariaDB server (make deps-test)")
    seed = int(os.environ.get("SEED", random.randrange(1 << 31)))
    print(f"seed {seed}")
    rng = random.Random(seed)
    rows = [make_row(rng, number) for number in range(ROWS)]
    ours = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    theirs = ", ".join(f"{name} VARCHAR(200)" for name in COLUMNS)
    with Node() as server, mariadb.MariaDB() as other:
        with server.connect() as one, other.connect(
                conv=pymysql.converters.conversions) as two:
            quanta, oracle = one.cursor(), two.cursor()
            for cursor in (quanta, oracle):
                cursor.execute("SET NAMES utf8mb4")
            fill(quanta, rows, f"CREATE TABLE texts (id INT PRIMARY KEY, {ours})")
            fill(oracle, rows, f"CREATE TABLE texts (id INT PRIMARY KEY, {theirs}) "
                               f"COLLATE {mariadb.COLLATION}")
            oracle.execute(f"SET NAMES utf8mb4 COLLATE {mariadb.COLLATION}")
            some = compare(rng, rows, quanta, oracle)
    assert some > 50, f"only {some} patterns found some rows and not all"
    print(f"ok: {some} patterns found some rows and not all")


if __name__ == "__main__":
    main()
