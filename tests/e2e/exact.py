#!/usr/bin/python3
"""
Answers are exact where values are easily confused: strings and keys whose 64-bit and 32-bit hashes are
equal (made for the hash seed of the test's own data directory), negatives, integers of every width,
decimals; parents that are deleted, inserted again and rewritten. Compared with a model in Python after
the statements, after a restart, after kill -9 and after OPTIMIZE TABLE.
"""

import collections
import os
import random
import sys
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
import xxh3
from support import Node, expect, folder

import pymysql

RANDOM = random.Random(support.seed())
SAME = b"equal-hi"  # makes the 8 bytes behind it count for nothing, see xxh3.seed_for
SEED = xxh3.seed_for(SAME)
INT64_MIN, INT64_MAX = -1 << 63, (1 << 63) - 1
WIDTHS = range(1, 64)
ROWS = 400


def node():
    """A server on a new data directory with the hash seed of the test."""
    place = os.path.join(folder(), "data")
    os.mkdir(place, 0o700)
    text = (f"quanta data directory\nversion: 3\nslot_bits: 2\nhash_seed: {SEED:016x}\n"
            f"id: {1:032x}\n")
    with open(os.path.join(place, "quanta.meta"), "w", encoding="ascii") as file:
        file.write(text + f"checksum: {xxh3.xxh3(text.encode()):016x}\n")
    return Node("--cores", "2", data_dir=place)


def expect_same(values, what):
    """The test's own premise."""
    expect(len({xxh3.xxh3(value, SEED) for value in values}), 1, what)


def equal_strings():
    """Strings by hash: 60 with one, and pairs with one."""
    many = [f"a prefix{SAME.decode()}number{i:02}" for i in range(60)]
    expect_same([s.encode() for s in many], "hashes of strings")
    pairs = []
    while len(pairs) < 40:
        s = "".join(chr(RANDOM.randrange(33, 127)) for _ in range(RANDOM.randrange(4, 8)))
        other = xxh3.eight_like(s.encode(), SEED)
        if all(32 < c < 127 for c in other):
            pairs += [s, other.decode()]
            expect_same([s.encode(), other], "hashes of a pair")
    seen, half = {}, []
    for i in range(200000):  # by the birthday paradox some share 32 bits
        h = xxh3.xxh3(f"half {i}".encode(), SEED) & 0xFFFFFFFF
        if h in seen:
            half += [f"half {seen[h]}", f"half {i}"]
        seen[h] = i
    assert half, "no strings with equal 32 bits"
    return many + pairs + half


def equal_keys(n):
    """Texts whose hashes as keys are equal: tag and length before them count."""
    keys = [f"padding{SAME.decode()}key {i:04}" for i in range(n)]
    expect_same([b"s" + len(k).to_bytes(4, "little") + k.encode() for k in keys], "hashes of keys")
    return keys


def equal_triples(n):
    """Numbers whose hashes as a key of three columns are equal, whatever the third is."""
    b = int.from_bytes(b"x" + SAME[:7], "little")
    last = [INT64_MIN, INT64_MAX, 0, -1, 1] + [RANDOM.randrange(INT64_MIN, INT64_MAX) for _ in range(n)]
    keys = [(a, b, c) for a in (-5, 7) for c in last]
    for a in (-5, 7):
        expect_same([b"".join(b"i" + v.to_bytes(8, "little", signed=True) for v in key)
                     for key in keys if key[0] == a], "hashes of triples")
    return keys


def literal(value):
    """As SQL."""
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Table:
    """A table and what must be in it: rows by key."""

    def __init__(self, cur, name, definition, n_key=1):
        cur.execute(f"CREATE TABLE {name} ({definition})")
        self.name, self.n_key, self.rows = name, n_key, {}

    def write(self, cur, rows, verb="INSERT"):
        """Inserts or replaces."""
        for at in range(0, len(rows), 500):
            values = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in rows[at:at + 500])
            cur.execute(f"{verb} INTO {self.name} VALUES {values}")
        self.rows.update({row[:self.n_key]: tuple(row) for row in rows})

    def check(self, cur):
        """All of it."""
        cur.execute(f"SELECT * FROM {self.name}")
        found = cur.fetchall()
        expect(len(found), len(self.rows), f"rows of {self.name}")
        expect({row[:self.n_key]: row for row in found}, self.rows, f"table {self.name}")

    def column(self, at):
        """Its values."""
        return [row[at] for row in self.rows.values()]


def ask(cur, question):
    """The answer."""
    cur.execute(question)
    return cur.fetchall()


class Strings:
    """Columns with strings of equal hashes."""

    def __init__(self, cur):
        self.values = equal_strings()
        self.table = Table(cur, "words", "id INT PRIMARY KEY, s VARCHAR(60), "
                           "e VARCHAR(60) COMMENT 'strategy=StringEnum', "
                           "m VARCHAR(400) COMMENT 'strategy=StringEnum multivalued delim=|'")
        plain = [v for v in self.values if "|" not in v]
        rows = [(i, self.values[i % len(self.values)], self.values[i * 7 % len(self.values)],
                 "|".join(sorted({plain[i % len(plain)], plain[i * 3 % len(plain)]})))
                for i in range(3 * len(self.values))]
        self.table.write(cur, rows[:-50])
        # Only half of the values are in this one, so that lookups must find nothing, too.
        self.half = Table(cur, "half", "s VARCHAR(60) PRIMARY KEY, n INT")
        self.half.write(cur, [(s, i) for i, s in enumerate(self.values[::2])])
        self.rest = rows[-50:]

    def change(self, cur):
        """Later rows, and values that are exchanged for others with their hash."""
        self.table.write(cur, self.rest)
        for number in range(0, 40, 3):
            row = list(self.table.rows[number,])
            row[1] = row[2] = self.values[number ^ 1]
            cur.execute("UPDATE words SET s = %s, e = %s WHERE id = %s", (row[1], row[2], number))
            self.table.rows[number,] = tuple(row)

    def check(self, cur):
        """Filters, groups, distinct values and joins."""
        self.table.check(cur)
        self.half.check(cur)
        rows = self.table.rows.values()
        for at, name in ((1, "s"), (2, "e")):
            counts = collections.Counter(self.table.column(at))
            expect(dict(ask(cur, f"SELECT {name}, count(*) FROM words GROUP BY {name}")), counts, name)
            expect(ask(cur, f"SELECT count(DISTINCT {name}) FROM words"), ((len(counts),),), name)
            for value in self.values[::5]:
                expect(ask(cur, f"SELECT count(*) FROM words WHERE {name} = {literal(value)}"),
                       ((counts[value],),), f"{name} = {value}")
            some = self.values[1::9]
            expect(ask(cur, f"SELECT count(*) FROM words WHERE {name} NOT IN "
                            f"({', '.join(map(literal, some))})"),
                   ((sum(n for v, n in counts.items() if v not in some),),), f"{name} NOT IN")
        for value in [v for v in self.values if "|" not in v][::7]:
            expect(ask(cur, f"SELECT count(*) FROM words WHERE m = {literal(value)}"),
                   ((sum(value in row[3].split("|") for row in rows),),), f"m = {value}")
        joined = collections.Counter(s for s in self.table.column(1) if (s,) in self.half.rows)
        expect(dict(ask(cur, "SELECT h.s, count(*) FROM words w JOIN half h ON w.s = h.s GROUP BY h.s")),
               joined, "join by strings")
        both = collections.Counter((row[1], row[2]) for row in rows)
        expect({row[:2]: row[2] for row in ask(cur, "SELECT s, e, count(*) FROM words GROUP BY s, e")},
               both, "groups of two")


class Parents:
    """Keys with equal hashes, and children that refer to them."""

    def __init__(self, cur):
        self.keys = equal_keys(80)
        self.parents = Table(cur, "parents", "k VARCHAR(60) PRIMARY KEY, grade INT, name VARCHAR(40)")
        self.children = Table(cur, "children", "id INT PRIMARY KEY, "
                              "p VARCHAR(60) REFERENCES parents (k), x BIGINT")
        self.parents.write(cur, [(k, i % 9, f"name {i}") for i, k in enumerate(self.keys[:60])])
        self.children.write(cur, [(i, self.keys[i * 7 % 80] if i % 13 else None, i * 1001 - 500000)
                                  for i in range(900)])
        self.triples = Table(cur, "triples", "a BIGINT, b BIGINT, c BIGINT, v INT, PRIMARY KEY (a, b, c)",
                             3)
        self.some = equal_triples(120)
        self.triples.write(cur, [(*key, i) for i, key in enumerate(self.some[::2])])
        for statement in (f"INSERT INTO parents VALUES ({literal(self.keys[3])}, 1, '')",
                          f"INSERT INTO triples VALUES ({', '.join(map(str, self.some[2]))}, 1)"):
            try:
                cur.execute(statement)
                raise AssertionError(f"no duplicate: {statement}")
            except pymysql.err.IntegrityError as err:
                expect(err.args[0], 1062, statement)

    def change(self, cur):
        """Parents go and come back, some with other values; keys are changed by key."""
        for k in self.keys[:60:3]:
            cur.execute("DELETE FROM parents WHERE k = %s", (k,))
            del self.parents.rows[k,]
        self.parents.write(cur, [(k, 100 + i, f"again {i}") for i, k in enumerate(self.keys[:60:6])])
        self.parents.write(cur, [(k, 200 + i, "late") for i, k in enumerate(self.keys[60:70])])
        self.parents.write(cur, [(k, 300 + i, None) for i, k in enumerate(self.keys[1:60:12])], "REPLACE")
        for key in self.some[::8]:
            cur.execute("UPDATE triples SET v = -1 WHERE a = %s AND b = %s AND c = %s", key)
            self.triples.rows[key] = (*key, -1)
        for key in self.some[::10]:
            cur.execute("DELETE FROM triples WHERE a = %s AND b = %s AND c = %s", key)
            del self.triples.rows[key]
        self.triples.write(cur, [(*key, 5000) for key in self.some[1::4]])

    def check(self, cur):
        """By key, and joins."""
        for table in (self.parents, self.children, self.triples):
            table.check(cur)
        for k in self.keys:
            expect(ask(cur, f"SELECT * FROM parents WHERE k = {literal(k)}"),
                   tuple(row for row in [self.parents.rows.get((k,))] if row), f"parent {k}")
        for key in self.some[::5]:
            row = self.triples.rows.get(key)
            expect(ask(cur, "SELECT v FROM triples WHERE a = {} AND b = {} AND c = {}".format(*key)),
                   ((row[3],),) if row else (), f"triple {key}")
        groups = collections.Counter((row[1], row[2]) for row in self.triples.rows.values())
        expect({row[:2]: row[2] for row in ask(cur, "SELECT b, c, count(*) FROM triples GROUP BY b, c")},
               groups, "groups of numbers")
        joined = [(*child, *self.parents.rows[child[1],]) for child in self.children.rows.values()
                  if (child[1],) in self.parents.rows]
        names = collections.Counter(row[3] for row in joined)
        expect(dict(ask(cur, "SELECT p.k, count(*) FROM children c JOIN parents p ON c.p = p.k "
                             "GROUP BY p.k")), names, "children by parent")
        expect(ask(cur, "SELECT count(*), sum(c.x) FROM children c JOIN parents p ON c.p = p.k "
                        "WHERE p.grade >= 100"),
               ((sum(row[4] >= 100 for row in joined),
                 sum(row[2] for row in joined if row[4] >= 100) or None),), "children of some parents")
        expect(ask(cur, "SELECT count(*) FROM children c LEFT JOIN parents p ON c.p = p.k "
                        "WHERE p.k IS NULL"), ((len(self.children.rows) - len(joined),),), "orphans")


class Numbers:
    """A column per width, and decimals."""

    def __init__(self, cur):
        columns = ", ".join(f"w{w} BIGINT" for w in WIDTHS)
        self.table = Table(cur, "numbers", f"id INT PRIMARY KEY, {columns}, full BIGINT, "
                           "cents DECIMAL(18,2), fine DECIMAL(18,18)")
        self.names = [f"w{w}" for w in WIDTHS] + ["full", "cents", "fine"]
        # Above or below zero, or on both sides; from the second half on with other bounds.
        self.lows = [RANDOM.choice([0, -(1 << w), -(1 << w - 1), 1, -1 if w < 63 else -(1 << 62)])
                     for w in WIDTHS]
        self.table.write(cur, [self.row(i) for i in range(ROWS)])
        # Groups are hashed without a seed: of three columns this first one makes the second count
        # for nothing.
        first = xxh3.word(xxh3.SECRET, 0) - (1 << 64 if xxh3.SECRET[7] >> 7 else 0)
        self.groups = Table(cur, "grouped", "id INT PRIMARY KEY, a BIGINT, b BIGINT, c BIGINT")
        self.groups.write(cur, [(i, first, i % 700 * 10**15 - 10**17, 5) for i in range(2000)])

    def row(self, i):
        """Every value fits its width, and the first rows have the bounds."""
        values = []
        for w, low in zip(WIDTHS, self.lows):
            high = min(low + (1 << w) - 1, INT64_MAX)
            values.append((low, high)[i] if i < 2 else None if (i + w) % 17 == 0
                          else RANDOM.randint(low, high))
        full = (INT64_MIN, INT64_MAX, 0, -1)[i] if i < 4 else RANDOM.randint(INT64_MIN, INT64_MAX)
        cents = Decimal(RANDOM.randint(-10**17, 10**17)).scaleb(-2)
        return (i, *values, full, cents, Decimal(RANDOM.randint(-10**18 + 1, 10**18 - 1)).scaleb(-18))

    def change(self, cur):
        """Rows are replaced, removed and added; two go beyond the bounds of their block."""
        self.table.write(cur, [self.row(i) for i in range(5, ROWS, 9)], "REPLACE")
        cur.execute("DELETE FROM numbers WHERE id % 11 = 7")
        self.table.rows = {key: row for key, row in self.table.rows.items() if key[0] % 11 != 7}
        self.table.write(cur, [self.row(i) for i in range(ROWS, ROWS + 60)])
        sets = ", ".join(f"w{w} = {INT64_MIN + w}" for w in WIDTHS if w % 2)
        cur.execute(f"UPDATE numbers SET {sets} WHERE id = 10")
        row = self.table.rows[10,]
        self.table.rows[10,] = (10, *[INT64_MIN + w if w % 2 else row[w] for w in WIDTHS], *row[64:])

    def check(self, cur):
        """Sums, bounds, comparisons and orders of every column."""
        self.table.check(cur)
        self.groups.check(cur)
        groups = collections.Counter(row[1:] for row in self.groups.rows.values())
        for a in ("a", "a + 0"):
            expect({row[:3]: row[3] for row in ask(cur, f"SELECT {a}, b, c, count(*) FROM grouped "
                                                        f"GROUP BY {a}, b, c")}, groups, f"groups by {a}")
        for at, name in enumerate(self.names, 1):
            values = [v for v in self.table.column(at) if v is not None]
            pick = RANDOM.choice(values)
            expect(ask(cur, f"SELECT count({name}), sum({name}), min({name}), max({name}) FROM numbers"),
                   ((len(values), sum(values), min(values), max(values)),), name)
            for sign, holds in (("=", lambda v, pick=pick: v == pick), ("<", lambda v, pick=pick: v < pick),
                                (">=", lambda v, pick=pick: v >= pick)):
                expect(ask(cur, f"SELECT count(*) FROM numbers WHERE {name} {sign} {pick}"),
                       ((sum(map(holds, values)),),), f"{name} {sign} {pick}")
            order = sorted(values)
            expect([row[0] for row in ask(cur, f"SELECT {name} FROM numbers WHERE {name} IS NOT NULL "
                                               f"ORDER BY {name} LIMIT 20")], order[:20], f"order by {name}")
            expect([row[0] for row in ask(cur, f"SELECT {name} FROM numbers WHERE {name} IS NOT NULL "
                                               f"ORDER BY {name} DESC LIMIT 20")], order[:-21:-1],
                   f"descending {name}")


def main():
    """The same checks after everything that may move rows."""
    support.need("quanta")
    with node() as server:
        with server.connect() as conn, conn.cursor() as cur:
            parts = [kind(cur) for kind in (Strings, Parents, Numbers)]

        def check(when):
            with server.connect() as conn, conn.cursor() as cur:
                for part in parts:
                    try:
                        part.check(cur)
                    except AssertionError as err:
                        raise AssertionError(f"{when}: {err}") from None
            print(f"ok {when}", flush=True)

        def optimize():
            with server.connect() as conn, conn.cursor() as cur:
                for table in ("words", "half", "parents", "children", "triples", "numbers", "grouped"):
                    cur.execute(f"OPTIMIZE TABLE {table}")

        check("as inserted")
        server.restart()
        check("after a restart")
        with server.connect() as conn, conn.cursor() as cur:
            for part in parts:
                part.change(cur)
        check("after changes")
        server.kill()
        server.start()
        check("after kill -9")
        optimize()
        check("after rewrites")
        server.kill()
        server.start()
        check("after rewrites and kill -9")
        optimize()
        server.restart()
        check("after rewrites and a restart")
        server.stop()


if __name__ == "__main__":
    main()
