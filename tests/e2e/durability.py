#!/usr/bin/python3
"""
kill -9 during a load and during concurrent statements, again and again on one data directory.

Clients insert, upsert, update, delete and drop partitions, tables are rewritten, a loader loads, and
checkpoints are made all the time. Every client keeps a journal of what was acknowledged. After each
restart every acknowledged row is there once, as it was acknowledged; a statement that was not
acknowledged counts for each of its rows or not; no row comes back; repeating the load completes it.
CYCLES (default 5), WRITERS and SEED from the environment.
"""

import collections
import datetime
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, quanta

import pymysql

CYCLES = int(os.environ.get("CYCLES", "5"))
WRITERS = int(os.environ.get("WRITERS", "6"))
SEED = support.seed()
EVENTS = int(os.environ.get("EVENTS", "60000"))
CHECKPOINT_LOG = os.environ.get("CHECKPOINT_LOG", "1M")  # many checkpoints in each life
IDS = 2500  # of a writer in each table: they are deleted and inserted again
DAYS = 5  # partitions of a writer
FIRST_DAY = datetime.date(2026, 1, 1)
COLUMNS = {"kv": "id, version, kind, s", "parted": "id, ts, version, kind, s"}
TABLES = [
    "CREATE TABLE kv (id BIGINT PRIMARY KEY, version INT, "
    "kind VARCHAR(8) COMMENT 'strategy=StringEnum', s VARCHAR(64))",
    "CREATE TABLE parted (id BIGINT NOT NULL, ts DATETIME NOT NULL, version INT, "
    "kind VARCHAR(8) COMMENT 'strategy=StringEnum', s VARCHAR(64), PRIMARY KEY (id)) "
    "time_quantum_field='ts' time_quantum_type='YMD'",
]


def text_of(number, version):
    """The text that belongs to a row."""
    return f"{number} as of {version}"


def kind_of(number, version):
    """The short value that belongs to a row, sometimes none."""
    return None if (number + version) % 4 == 0 else f"k{version % 7}"


def day_of(number):
    """The partition of a row; no two writers share one."""
    return FIRST_DAY + datetime.timedelta(days=number // IDS * DAYS + number % DAYS)


def literal(table, number, version):
    """A row as it is written in a statement."""
    kind = kind_of(number, version)
    time_of = f"'{day_of(number)} {number % 24:02}:00:00', " if table == "parted" else ""
    return (f"({number}, {time_of}{version}, {f'{kind!r}' if kind else 'NULL'}, "
            f"'{text_of(number, version)}')")


class Client(threading.Thread):
    """Sends statements until the server goes away."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.acknowledged = collections.Counter()  # by kind
        self.error = None  # of the server, when it should only have gone away

    def statement(self):
        """(kind, text) of the next one."""
        raise NotImplementedError

    def settle(self):
        """It was acknowledged."""

    def run(self):
        try:
            conn = self.server.connect()
        except (pymysql.err.MySQLError, OSError):
            return
        with conn.cursor() as cur:
            while True:
                kind, text = self.statement()
                try:
                    cur.execute(text)
                except (pymysql.err.MySQLError, OSError) as err:
                    if isinstance(err, pymysql.err.MySQLError) and err.args[0] not in (0, 2006, 2013):
                        self.error = f"{text[:100]}: {err}"
                    return
                self.acknowledged[kind] += 1
                self.settle()


class Rewriter(Client):
    """Rewrites one table after the other."""

    def __init__(self, server):
        super().__init__(server)
        self.turn = 0

    def statement(self):
        time.sleep(0.02)
        self.turn += 1
        return "rewrite", f"OPTIMIZE TABLE {('kv', 'parted', 'events')[self.turn % 3]}"


class Writer(Client):
    """Changes rows of its own and keeps what they must be afterwards."""

    def __init__(self, number, server, seed, journal):
        super().__init__(server)
        self.random = random.Random(seed)
        self.first = number * IDS
        self.rows = journal.rows  # (table, id): version, acknowledged
        self.last = journal.last  # (table, id): highest version ever sent
        self.open = {}  # (table, id): version, or None for gone, of the statement without an answer

    def version(self, table, number):
        """One that the row never had."""
        self.last[table, number] = self.last.get((table, number), -1) + 1
        return self.last[table, number]

    def numbers(self, n, table, is_there):
        """Up to n ids, all with a row or all without, or any."""
        some = self.random.sample(range(self.first, self.first + IDS), min(IDS, 4 * n))
        return [i for i in some if is_there is None or ((table, i) in self.rows) == is_there][:n]

    def write(self, verb, table, numbers, tail=""):
        """A statement that gives rows new versions."""
        self.open = {(table, i): self.version(table, i) for i in numbers}
        values = ", ".join(literal(*key, version) for key, version in self.open.items())
        return f"{verb} INTO {table} ({COLUMNS[table]}) VALUES {values}{tail}"

    def update(self, table, number):
        """One row."""
        version = self.version(table, number)
        self.open = {(table, number): version}
        kind = kind_of(number, version)
        return (f"UPDATE {table} SET version = {version}, kind = {f'{kind!r}' if kind else 'NULL'}, "
                f"s = '{text_of(number, version)}' WHERE id = {number}")

    def delete(self, table, number):
        """One row, or all of a range of ids."""
        end = number + self.random.choice((0, 0, 0, 5, 300))
        end = min(end, self.first + IDS - 1)
        self.open = {(table, i): None for i in range(number, end + 1) if (table, i) in self.rows}
        return f"DELETE FROM {table} WHERE id BETWEEN {number} AND {end}"

    def drop(self, number):
        """The partition that holds a row."""
        self.open = {(table, i): None for table, i in self.rows
                     if table == "parted" and day_of(i) == day_of(number)}
        return f"ALTER TABLE parted DROP PARTITION p{day_of(number):%Y%m%d}"

    def statement(self):
        draw, table = self.random.random(), self.random.choice(list(COLUMNS))
        rows = self.random.choice((1, 1, 1, 2, 5, 40))
        found = self.numbers(1, table, True)
        if draw < 0.45 or not found:
            if numbers := self.numbers(rows, table, False):
                return "insert", self.write("INSERT", table, numbers)
        if draw < 0.6:
            return "upsert", self.write("INSERT", table, self.numbers(rows, table, None),
                                        " ON DUPLICATE KEY UPDATE version = VALUES(version), "
                                        "kind = VALUES(kind), s = VALUES(s)")
        if draw < 0.7 or not found:
            return "replace", self.write("REPLACE", table, self.numbers(rows, table, None))
        if draw < 0.85:
            return "update", self.update(table, found[0])
        if draw < 0.99 or table != "parted":
            return "delete", self.delete(table, found[0])
        return "drop", self.drop(found[0])

    def settle(self):
        for key, version in self.open.items():
            if version is None:
                del self.rows[key]
            else:
                self.rows[key] = version
        self.open = {}


class Journal:
    """What a writer knows over all lives of the server."""

    def __init__(self):
        self.rows, self.last = {}, {}


class Cycle:
    """One life of the server."""

    def __init__(self, server, draw, journals, expected):
        self.server, self.random, self.expected = server, draw, expected
        self.loaded, self.parted = False, 0
        self.acknowledged = collections.Counter()
        self.writers = [Writer(i, server, draw.random(), journal)
                        for i, journal in enumerate(journals)]

    def live_and_die(self, file, is_early=False):
        """Statements and a load, then SIGKILL at some moment, which may be before anything was acknowledged."""
        with self.server.connect() as conn:
            conn.cursor().execute("TRUNCATE TABLE events")
        clients = [*self.writers, Rewriter(self.server)]
        loader = subprocess.Popen(
            [quanta.program("quanta-loader"), "--node", f"127.0.0.1:{self.server.ports['grpc']}",
             "--progress", "none", "--buf-size", "2000", file, "events"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            for client in clients:
                client.start()
            if not is_early:
                support.wait_for(self.has_begun, 30, "statements that are acknowledged")
            time.sleep(self.random.choice((0.02, 0.1, 0.3, 0.6, 1.0)) * (0.5 + self.random.random()))
            self.server.kill()
            time.sleep(0.3)  # enough for a loader that had its last answer; others wait for a node
        finally:
            loader.kill()
            out, err = loader.communicate()
        for client in clients:
            client.join()
            assert client.error is None, f"an error before the end: {client.error}"
            self.acknowledged += client.acknowledged
        self.acknowledged["checkpoint"] = sum(
            bool(re.search(r" checkpoint \d+: ", line)) for line in self.server.errors)
        self.loaded = loader.returncode == 0
        assert loader.returncode in (0, 1, -signal.SIGKILL), f"{loader.returncode} {out} {err}"

    def has_begun(self):
        """Are writers at work?"""
        return sum(writer.acknowledged["insert"] for writer in self.writers) > 1

    def read_rows(self):
        """The tables as {(table, id): version}; every row is whole."""
        found, total = {}, 0
        with self.server.connect() as conn, conn.cursor() as cur:
            for table, columns in COLUMNS.items():
                cur.execute(f"SELECT {columns} FROM {table}")
                for number, *times, version, kind, text in cur.fetchall():
                    found[table, number] = version
                    total += 1
                    expect((kind, text), (kind_of(number, version), text_of(number, version)),
                           f"row {number} of {table} is not whole")
                    expect([time.date() for time in times], [day_of(number)] * len(times),
                           f"day of row {number}")
        expect(total, len(found), "rows and different keys")
        return found

    def check_rows(self):
        """Every journal against the tables."""
        found = self.read_rows()
        for writer in self.writers:
            there = 0
            for key, version in writer.open.items():
                before = writer.rows.get(key)
                now = found.pop(key, None)
                assert now in (before, version), f"row {key}: {now}, was {before}, then {version}"
                there += now != before
                if now is None:
                    writer.rows.pop(key, None)
                else:
                    writer.rows[key] = now
            # Rows of one statement may be of several slots, which promise nothing together.
            self.parted += 0 < there < len(writer.open)
            for key, version in writer.rows.items():
                if key not in writer.open:
                    expect(found.pop(key, None), version, f"acknowledged row {key}")
        expect(found, {}, "rows that nobody wrote, or that came back")

    def check_load(self):
        """Rows of the load that are there are whole."""
        with self.server.connect(conv={}) as conn, conn.cursor() as cur:
            cur.execute("SELECT id, device, country, event, content_id, user_id, duration, revenue "
                        "FROM events")
            rows = cur.fetchall()
        if self.loaded:
            expect(len(rows), EVENTS, "rows of a load that was reported complete")
        expect(len({row[0] for row in rows}), len(rows), "loaded rows and different ids")
        for row in rows:
            expect(row[1:], self.expected[int(row[0])], f"event {row[0]}")
        return len(rows)


def read_events(path):
    """The generated rows as text, in order of their ids."""
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split(",") for line in file]
    return [tuple(line[2:9]) for line in lines if line[0].isdigit()]


def main():
    """CYCLES lives, then a complete load."""
    support.need("quanta", "quanta-loader", "quanta-bench")
    draw = random.Random(SEED)
    place = support.folder()
    file = os.path.join(place, "events.parquet")
    quanta.generate("events", EVENTS, file)
    quanta.generate("events", EVENTS, os.path.join(place, "events.csv"))
    expected = read_events(os.path.join(place, "events.csv"))
    expect(len(expected), EVENTS)
    journals = [Journal() for _ in range(WRITERS)]
    acknowledged = collections.Counter()
    partial = complete = parted = 0
    slowest = 0.0
    with Node("--cores", "2", "--slots", "8", "--checkpoint-log", CHECKPOINT_LOG,
              schema_dir=support.EVENTS_SCHEMAS) as server:
        with server.connect() as conn:
            for table in TABLES:
                conn.cursor().execute(table)
        for number in range(CYCLES):
            cycle = Cycle(server, draw, journals, expected)
            cycle.live_and_die(file, number % 3 == 1)
            acknowledged += cycle.acknowledged
            began = time.monotonic()
            server.start()
            started = time.monotonic() - began
            slowest = max(slowest, started)
            try:
                cycle.check_rows()
                loaded = cycle.check_load()
            except AssertionError:
                print(f"in cycle {number} of {CYCLES}; the server said:\n{server.error_text()}")
                raise
            complete += cycle.loaded
            parted += cycle.parted
            partial += 0 < loaded < EVENTS
            print(f"cycle {number}: {sum(cycle.acknowledged.values())} statements, {loaded} events, "
                  f"start {started:.2f} s", flush=True)
        last = quanta.load(server.ports["grpc"], file, "events")
        expect(last.rows, EVENTS)
        expect(server.value("SELECT count(*) FROM events"), EVENTS)
        expect(server.value("SELECT sum(duration) FROM events"), sum(int(row[5]) for row in expected))
        server.stop()
    assert acknowledged["insert"] > CYCLES, f"acknowledged was only {acknowledged}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(acknowledged.items()))
    print(f"{CYCLES} kills: acknowledged {kinds}; "
          f"{sum(len(journal.rows) for journal in journals)} rows kept, {partial} loads cut off, "
          f"{complete} complete, {parted} unacknowledged statements in part, "
          f"slowest start {slowest:.2f} s")


if __name__ == "__main__":
    main()
