#!/usr/bin/python3
"""
One bit flipped anywhere in a data directory: `quanta-admin verify` names file and offset, and a server
started on it refuses with both, or every answer is right or an error with both. In the last group of
the log, and behind it, the flip is taken for a write that a crash cut off: that is told, and the
answers are those without the group. FLIPS (default 40) and SEED from the environment.
"""

import collections
import os
import random
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, folder, quanta

import pymysql

FLIPS = int(os.environ.get("FLIPS", "40"))
SEED = support.seed()
RANDOM = random.Random(SEED)
ROWS = 6000
PAGE = 4096
OPTIONS = ["--slots", "2", "--cores", "2"]
TABLES = [
    "CREATE TABLE parents (id INT PRIMARY KEY, name VARCHAR(40), grade INT)",
    "CREATE TABLE items (id INT PRIMARY KEY, parent INT REFERENCES parents (id), "
    "tags VARCHAR(200) COMMENT 'strategy=StringEnum multivalued delim=|', "
    "kind VARCHAR(20) COMMENT 'strategy=StringEnum', price DECIMAL(12,2), s VARCHAR(60), d DATE)",
    "CREATE TABLE parted (id BIGINT NOT NULL, ts DATETIME NOT NULL, n BIGINT, s VARCHAR(60), "
    "PRIMARY KEY (id)) time_quantum_field='ts' time_quantum_type='YMD'",
    "CREATE TABLE quiet LIKE items",  # nothing of the log is for it: its columns are read by queries
]
QUESTIONS = [
    "SELECT count(*), sum(grade), min(name), max(name) FROM parents",
    "SELECT * FROM parents WHERE id IN (3, 40, 77) ORDER BY id",
    "SELECT count(*), count(s), count(kind), sum(price), min(price), max(d) FROM items",
    "SELECT kind, count(*), sum(price) FROM items GROUP BY kind ORDER BY kind",
    "SELECT tags, count(*) FROM items GROUP BY tags ORDER BY tags",
    "SELECT * FROM items WHERE id BETWEEN 500 AND 520 ORDER BY id",
    "SELECT p.name, count(*), sum(i.price) FROM items i JOIN parents p ON i.parent = p.id "
    "GROUP BY p.name ORDER BY p.name",
    "SELECT count(DISTINCT s), count(*) FROM items WHERE s LIKE '%7%'",
    "SELECT * FROM items WHERE tags = 'red' AND price < -10 ORDER BY id LIMIT 20",
    "SELECT date(ts), count(*), sum(n), count(s) FROM parted GROUP BY date(ts) ORDER BY 1",
    "SELECT * FROM parted WHERE n < -1000000 ORDER BY n LIMIT 30",
    "SELECT s, n FROM parted WHERE id IN (5, 600, 1234) ORDER BY id",
    "SELECT max(id) FROM items",
    "SELECT count(*), count(s), count(kind), sum(price), max(d), sum(parent) FROM quiet",
    "SELECT tags, kind, count(*), sum(price) FROM quiet GROUP BY tags, kind ORDER BY tags, kind",
    "SELECT count(DISTINCT s), min(s) FROM quiet WHERE d > '2010-01-01'",
    "SELECT * FROM quiet WHERE id = 321",
]

Place = collections.namedtuple("Place", "kind file offset")


def item(i, turn):
    """A row of items."""
    tags = "|".join(tag for k, tag in enumerate(("red", "green", "blue", "old")) if (i + turn) >> k & 1)
    text = "NULL" if (i + turn) % 11 == 0 else f"'text {i % 500} of {turn}'"
    kind = "NULL" if i % 13 == 5 else f"'kind {i % 30 + turn}'"
    tags = f"'{tags}'" if tags else "NULL"
    return (f"({i}, {i % 100}, {tags}, {kind}, {i * 7919 % 20001 - 10000}.{i % 100:02}, {text}, "
            f"'{2000 + i % 30}-{i % 12 + 1:02}-{i % 28 + 1:02}')")


def parted(i, turn):
    """A row of parted."""
    text = "NULL" if i % 7 == turn else f"'p{i * 31 % 900}-{turn}'"
    return (f"({i}, '2026-01-{i % 3 + 1:02} {i % 24:02}:00:00', "
            f"{(i * 104729 + turn) % 9999991 - 5000000}, {text})")


def write(cur, turn):
    """Rows of one turn: all in the first, then changes to some."""
    ids = range(ROWS) if turn == 0 else sorted(RANDOM.sample(range(ROWS), ROWS // 5))
    cur.execute("REPLACE INTO parents VALUES " +
                ", ".join(f"({i}, 'parent {i % 60} {turn}', {i - 50})" for i in range(0, 100, turn + 1)))
    items = ", ".join(item(i, turn) for i in ids)
    cur.execute(f"REPLACE INTO items VALUES {items}")
    if turn < 4:
        cur.execute(f"REPLACE INTO quiet VALUES {items}")
        cur.execute(f"DELETE FROM quiet WHERE id % 37 = {turn}")
    cur.execute("REPLACE INTO parted VALUES " + ", ".join(parted(i, turn) for i in ids))
    cur.execute(f"UPDATE items SET price = price + 1, kind = 'later' WHERE id % 17 = {turn}")
    cur.execute(f"DELETE FROM items WHERE id % 41 = {turn}")
    cur.execute(f"DELETE FROM parted WHERE id % 53 = {turn}")
    cur.execute(f"DELETE FROM parents WHERE id = {90 + turn}")


def answers(server):
    """What the questions give: for each an answer, or an error."""
    found = []
    with server.connect() as conn, conn.cursor() as cur:
        for question in QUESTIONS:
            try:
                cur.execute(question)
                found.append(cur.fetchall())
            except pymysql.err.MySQLError as err:
                found.append(err)
    return found


def fill(server):
    """
    Checkpoints with dead chunks in their files, then a log of many groups: answers without and with the
    last one.
    """
    for turn in range(4):
        with server.connect() as conn, conn.cursor() as cur:
            for table in TABLES if turn == 0 else []:
                cur.execute(table)
            write(cur, turn)
        server.restart()
    with server.connect() as conn, conn.cursor() as cur:
        write(cur, 4)
        for i in range(30):
            cur.execute(f"INSERT INTO parted VALUES {parted(ROWS + i, i)}")
        without = answers(server)
        cur.execute(f"INSERT INTO items VALUES {item(10 * ROWS, 1)}")
    return without, answers(server)


def log_groups(path):
    """(offset, end of its records, end) of every group."""
    groups, at = [], 0
    with open(path, "rb") as file:
        while (head := file.read(64))[:4] == b"QLG1":
            total, records = (int.from_bytes(head[k:k + 4], "little") for k in (8, 12))
            groups.append((at, at + 64 + records, at + total))
            at += total
            file.seek(at)
    return groups


class Directory:
    """The data directory as the server left it, never changed; places in it by what they are of."""

    def __init__(self, path):
        self.path = path
        self.sizes = {os.path.relpath(os.path.join(base, name), path):
                      os.path.getsize(os.path.join(base, name))
                      for base, _, names in os.walk(path) for name in names}
        logs = sorted(name for name in self.sizes if name.endswith(".qlg"))
        groups = {name: log_groups(os.path.join(path, name)) for name in logs}
        self.last_log = max(name for name in logs if groups[name])
        self.last_group, records, self.end = groups[self.last_log].pop()
        padding = [(name, *group[1:]) for name in logs for group in groups[name]]
        self.kinds = {
            "meta": [("quanta.meta", 0, self.sizes["quanta.meta"])],
            "root": [("checkpoint.qck", 0, self.sizes["checkpoint.qck"])],
            "dicts": self.whole(".qsd"),
            "segments": self.whole(".qsg"),
            "log": [(name, *group[:2]) for name in logs for group in groups[name]],
            "log padding": [*padding, (self.last_log, records, self.end)],
            "last group": [(self.last_log, self.last_group, records)],
            "behind the log": [(name, self.end if name == self.last_log else
                                groups[name][-1][2] if groups[name] else 0, self.sizes[name])
                               for name in logs],
        }
        covered = {name for ranges in self.kinds.values() for name, _, _ in ranges}
        expect({name for name, size in self.sizes.items() if size} - covered, set(),
               "files that no flip is in")

    def whole(self, end):
        """Ranges of all files with such an end."""
        return [(name, 0, size) for name, size in self.sizes.items() if name.endswith(end)]

    def places(self, n):
        """Random ones: of every kind, in it each byte as likely as the others."""
        shares = {"meta": 5, "root": 10, "dicts": 20, "segments": 35, "log": 16, "log padding": 4,
                  "last group": 5, "behind the log": 5}
        kinds = list(shares) + RANDOM.choices(list(shares), list(shares.values()), k=n)
        for kind in kinds[:n]:
            ranges = [r for r in self.kinds[kind] if r[2] > r[1]]
            name, first, end = RANDOM.choices(ranges, [end - first for _, first, end in ranges])[0]
            yield Place(kind, name, RANDOM.randrange(first, end))

    def copy(self, to):
        """A copy, with holes where zeros are."""
        shutil.rmtree(to, ignore_errors=True)
        subprocess.run(["cp", "-r", "--sparse=always", self.path, to], check=True)


def flip(path, at):
    """One bit of a byte."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << RANDOM.randrange(8)]))


def verify(path):
    """(exit status, [(damaged or notice, file, offset)])."""
    done = subprocess.run([quanta.program("quanta-admin"), "verify", "--data-dir", path],
                          check=False, capture_output=True, text=True, timeout=support.HANG_SECONDS)
    lines = re.findall(r"^(damaged|notice): (\S+), offset (\d+): ", done.stdout, re.M)
    assert done.returncode in (0, 1), f"{done.returncode} {done.stdout} {done.stderr}"
    return done.returncode, [(word, name, int(offset)) for word, name, offset in lines]


def is_at_end(place):
    """Is it where a start takes it for a write that was cut off?"""
    return place.kind in ("last group", "behind the log")


def check_verify(found, directory, place):
    """What verify says of a place."""
    status, lines = found
    if is_at_end(place):
        # Behind the last group, whichever file: zeros would be there.
        places = {(directory.last_log, directory.last_group if place.kind == "last group"
                   else directory.end), (place.file, place.offset // PAGE * PAGE)}
        assert status == 0 and len(lines) == 1 and lines[0][0] == "notice", lines
        assert lines[0][1:] in places, (lines, places)
        return
    expect(status, 1, f"verify's exit status: {lines}")
    assert any(word == "damaged" and name == place.file and offset <= place.offset
               for word, name, offset in lines), lines


def names_it(text, place):
    """Does a message tell file and offset?"""
    return os.path.basename(place.file) in text and \
        (place.kind == "meta" or re.search(r"offset \d+", text) is not None)


def check_served(server, place, without, right):
    """Refused, or served without a wrong answer: what it did."""
    try:
        server.start()
    except quanta.QuantaError as err:
        expect(server.process.returncode, 1, f"exit status: {err}")
        assert names_it(str(err), place), err
        assert not is_at_end(place), err
        return "refused"
    assert place.kind not in ("meta", "root", "log"), "it was served"
    told = [line for line in server.errors if "is torn" in line and "cut" in line]
    expect(len(told), int(is_at_end(place)), f"lines about a cut: {told}")
    assert not told or re.search(r"log-\d+\.qlg at offset \d+", told[0]), told
    failed = 0
    for question, answer, wanted in zip(QUESTIONS, answers(server),
                                        without if place.kind == "last group" else right):
        if isinstance(answer, Exception):
            failed += 1
            assert names_it(str(answer), place), f"{question}: {answer}"
        else:
            expect(answer, wanted, question)
    assert server.is_running(), server.error_text()
    return "cut" if told else "some answers refused" if failed else "all answers right"


def main():
    """FLIPS flips, each in a copy of its own."""
    support.need("quanta", "quanta-admin")
    place_of_copy = os.path.join(folder(), "data")
    counts = collections.Counter()
    with Node(*OPTIONS) as server:
        without, right = fill(server)
        expect([x for x in right if isinstance(x, Exception)], [], "errors")
        assert without != right
        server.kill()
        directory = Directory(server.data_dir)
        expect(verify(server.data_dir), (0, []), "verify of the whole directory")
        copy = Node(*OPTIONS, data_dir=place_of_copy)
        for number, place in enumerate(directory.places(FLIPS)):
            directory.copy(place_of_copy)
            flip(os.path.join(place_of_copy, place.file), place.offset)
            try:
                check_verify(verify(place_of_copy), directory, place)
                counts[place.kind, check_served(copy, place, without, right)] += 1
            except AssertionError:
                print(f"flip {number} of {FLIPS}, SEED={SEED}: {place}\n{copy.error_text()}")
                raise
            finally:
                copy.kill()
    for (kind, what), n in sorted(counts.items()):
        print(f"{n} flips in {kind}: {what}")
    print(f"{FLIPS} flips in {sum(directory.sizes.values())} bytes of {len(directory.sizes)} files, "
          "all told")


if __name__ == "__main__":
    main()
