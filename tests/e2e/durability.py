#!/usr/bin/python3
# timeout: 600
"""
kill -9 during a load and during concurrent writes, again and again on one data directory.

Every client keeps a journal of what was acknowledged. After each restart every acknowledged row is
there once, as it was acknowledged; a write that was not acknowledged is there whole or not at all;
repeating the load completes it. CYCLES (default 5), WRITERS and SEED from the environment.
"""

import os
import random
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
SEED = int(os.environ.get("SEED", "0")) or int.from_bytes(os.urandom(4), "little")
EVENTS = int(os.environ.get("EVENTS", "150000"))
CHECKPOINT_LOG = os.environ.get("CHECKPOINT_LOG", "1M")  # many checkpoints in each life
FIRST_ID = 1 << 24  # ids of a writer


def text_of(number, version):
    """The text that belongs to a row."""
    return f"{number} as of {version}"


class Writer(threading.Thread):
    """Inserts, updates and deletes rows of its own and keeps what they must be afterwards."""

    def __init__(self, number, server, writer_seed, rows):
        super().__init__(daemon=True)
        self.server, self.random = server, random.Random(writer_seed)
        self.next_id = number * FIRST_ID
        self.rows = rows  # id: version, acknowledged
        self.open = {}  # id: version, or None for a delete, of the statement without an answer
        self.acknowledged = 0
        self.error = None  # of the server, when it should only have gone away

    def statement(self):
        """The next statement and what it makes of which ids."""
        kind = self.random.random()
        if kind < 0.7 or len(self.rows) < 20:
            ids = range(self.next_id, self.next_id + self.random.choice((1, 1, 1, 2, 5, 40)))
            self.next_id += len(ids)
            values = ",".join(f"({i}, 0, '{text_of(i, 0)}')" for i in ids)
            return f"INSERT INTO kv (id, version, s) VALUES {values}", {i: 0 for i in ids}
        number = self.random.choice(list(self.rows)[-200:])
        if kind < 0.9:
            version = self.rows[number] + 1
            return (f"UPDATE kv SET version = {version}, s = '{text_of(number, version)}' "
                    f"WHERE id = {number}"), {number: version}
        return f"DELETE FROM kv WHERE id = {number}", {number: None}

    def run(self):
        try:
            conn = self.server.connect(connect_timeout=5)
        except (pymysql.err.MySQLError, OSError):
            return
        with conn.cursor() as cur:
            while True:
                text, self.open = self.statement()
                try:
                    cur.execute(text)
                except (pymysql.err.MySQLError, OSError) as err:
                    if isinstance(err, pymysql.err.MySQLError) and err.args[0] not in (0, 2006, 2013):
                        self.error = err
                    return
                self.settle()

    def settle(self):
        """The open statement is acknowledged."""
        for number, version in self.open.items():
            if version is None:
                del self.rows[number]
            else:
                self.rows[number] = version
        self.acknowledged += 1
        self.open = {}


class Cycle:
    """One life of the server."""

    def __init__(self, server, draw, journals, expected):
        self.server, self.random, self.expected = server, draw, expected
        self.loaded, self.parted = False, 0
        self.writers = [Writer(i, server, draw.random(), journals[i]) for i in range(WRITERS)]
        for i, writer in enumerate(self.writers):
            writer.next_id += max((k + 1 - i * FIRST_ID for k in journals[i]), default=0) + 100

    def live_and_die(self, file):
        """Writes and a load, then SIGKILL at some moment."""
        with self.server.connect() as conn:
            conn.cursor().execute("TRUNCATE TABLE events")
        loader = subprocess.Popen(
            [quanta.program("quanta-loader"), "--node", f"127.0.0.1:{self.server.ports['grpc']}",
             "--progress", "none", "--buf-size", "2000", file, "events"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            for writer in self.writers:
                writer.start()
            time.sleep(self.random.choice((0.02, 0.1, 0.3, 0.6, 1.0)) * (0.5 + self.random.random()))
            self.server.kill()
            time.sleep(0.3)  # enough for a loader that had its last answer; others wait for a node
        finally:
            loader.kill()
            out, err = loader.communicate()
        for writer in self.writers:
            writer.join(30)
            assert not writer.is_alive(), "a client did not notice the end of the server"
            assert writer.error is None, f"an error before the end: {writer.error}"
        self.loaded = loader.returncode == 0
        assert loader.returncode in (0, 1, -signal.SIGKILL), f"{loader.returncode} {out} {err}"
        return sum(writer.acknowledged for writer in self.writers)

    def check_rows(self):
        """Every journal against the table."""
        with self.server.connect() as conn, conn.cursor() as cur:
            cur.execute("SELECT id, version, s FROM kv")
            rows = cur.fetchall()
        found = {row[0]: row[1] for row in rows}
        expect(len(rows), len(found), "rows and different ids")
        for number, version, text in rows:
            expect(text, text_of(number, version), f"row {number} is not whole")
        for writer in self.writers:
            there = 0
            for number, version in writer.open.items():
                before = writer.rows.get(number)
                now = found.pop(number, None)
                assert now in (before, version), f"row {number}: {now}, was {before}, then {version}"
                there += now != before
                if now is None:
                    writer.rows.pop(number, None)
                else:
                    writer.rows[number] = now
            # Rows of one statement may be of several slots, which promise nothing together.
            self.parted += 0 < there < len(writer.open)
            for number, version in writer.rows.items():
                if number not in writer.open:
                    expect(found.pop(number, None), version, f"acknowledged row {number}")
        expect(found, {}, "rows that nobody wrote")

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
    print(f"SEED={SEED}")
    draw = random.Random(SEED)
    place = support.folder()
    file = os.path.join(place, "events.parquet")
    quanta.generate("events", EVENTS, file)
    quanta.generate("events", EVENTS, os.path.join(place, "events.csv"))
    expected = read_events(os.path.join(place, "events.csv"))
    expect(len(expected), EVENTS)
    journals = [{} for _ in range(WRITERS)]
    statements = partial = complete = parted = 0
    slowest = 0.0
    with Node("--cores", "2", "--slots", "8", "--checkpoint-log", CHECKPOINT_LOG,
              schema_dir=support.EVENTS_SCHEMAS) as server:
        with server.connect() as conn:
            conn.cursor().execute(
                "CREATE TABLE kv (id BIGINT PRIMARY KEY, version INT, s VARCHAR(64))")
        for number in range(CYCLES):
            cycle = Cycle(server, draw, journals, expected)
            statements += cycle.live_and_die(file)
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
            print(f"cycle {number}: {loaded} events, start {started:.2f} s", flush=True)
        last = quanta.load(server.ports["grpc"], file, "events")
        expect(last.rows, EVENTS)
        expect(server.value("SELECT count(*) FROM events"), EVENTS)
        expect(server.value("SELECT sum(duration) FROM events"), sum(int(row[5]) for row in expected))
        server.stop()
    assert statements > CYCLES, f"only {statements} statements were acknowledged"
    print(f"{CYCLES} kills: {statements} statements acknowledged, {sum(map(len, journals))} rows kept, "
          f"{partial} loads cut off, {complete} complete, {parted} unacknowledged statements in part, "
          f"slowest start {slowest:.2f} s")


if __name__ == "__main__":
    main()
