#!/usr/bin/python3
"""
kill -9 while a table is truncated or partitions are dropped: afterwards all of the rows are there or none is, in
whichever slots they lie; and none when it was acknowledged. CYCLES (default 10) and SEED from the environment.
"""

import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect

import pymysql

CYCLES = int(os.environ.get("CYCLES", "10"))
SEED = support.seed()
ROWS = 640  # in 32 slots
DAYS = 4
STATEMENTS = {
    "t": "TRUNCATE TABLE t",
    "p": "ALTER TABLE p DROP PARTITION " + ", ".join(f"p2026010{day + 1}" for day in range(DAYS - 1)),
}
GOES = {"t": "id >= 0", "p": f"ts < '2026-01-0{DAYS}'"}  # rows that the statement removes
OTHER = "CREATE TABLE other (id INT PRIMARY KEY, v INT)"


def fill(cur):
    """Both tables whole."""
    for table in STATEMENTS:
        values = ", ".join(f"({n}, '2026-01-0{n % DAYS + 1} 10:00:00', {n})" for n in range(ROWS))
        cur.execute(f"REPLACE INTO {table} (id, ts, v) VALUES {values}")


def count(server, table, where="id >= 0"):
    """Rows."""
    return server.value(f"SELECT count(*) FROM {table} WHERE {where}")


class Remover(threading.Thread):
    """Sends a statement; knows whether it was acknowledged."""

    def __init__(self, server, table):
        super().__init__(daemon=True)
        self.conn, self.table, self.done, self.sent = server.connect(), table, False, threading.Event()

    def run(self):
        try:
            with self.conn.cursor() as cur:
                self.sent.set()
                cur.execute(STATEMENTS[self.table])
                self.done = True
        except (pymysql.err.MySQLError, OSError):
            pass


class Noise(threading.Thread):
    """Writes to another table, so that the log always has something to do."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.conn, self.number = server.connect(), number

    def run(self):
        try:
            with self.conn.cursor() as cur:
                while True:
                    cur.execute(f"REPLACE INTO other VALUES ({self.number}, 1), ({self.number + 50}, 2)")
        except (pymysql.err.MySQLError, OSError):
            pass


def cycle(server, draw, table):
    """(acknowledged, gone) after a kill at some moment."""
    with server.connect() as conn, conn.cursor() as cur:
        fill(cur)
    removers = [Remover(server, table)]
    noise = [Noise(server, number) for number in range(3)]
    for thread in noise + removers:
        thread.start()
    removers[0].sent.wait()
    time.sleep(draw.random() * draw.choice((0.001, 0.01, 0.1)))
    server.kill()
    for thread in noise + removers:
        thread.join()
    server.start()
    left, whole = count(server, table, GOES[table]), ROWS if table == "t" else ROWS // DAYS * (DAYS - 1)
    assert left in (0, whole), f"{left} of {whole} rows of {table} are left"
    assert not removers[0].done or left == 0, f"{table}: the statement was acknowledged"
    if table == "p":
        expect(count(server, table), ROWS // DAYS + left, "with the rows of the other partition")
    expect(count(server, "t" if table == "p" else "p"), ROWS, "rows of the other table")
    return removers[0].done, left == 0


def test_all_or_nothing():
    """Again and again on one data directory, also right after a checkpoint."""
    draw = random.Random(SEED)
    acknowledged = gone = 0
    with Node("--cores", "2", "--slots", "32", "--checkpoint-log", "200K") as server:
        with server.connect() as conn, conn.cursor() as cur:
            for table, more in (("t", ""), ("p", " time_quantum_field='ts' time_quantum_type='YMD'")):
                cur.execute(f"CREATE TABLE {table} (id INT NOT NULL, ts DATETIME NOT NULL, v INT, "
                            f"PRIMARY KEY (id)){more}")
            cur.execute(OTHER)
        for number in range(CYCLES):
            one, two = cycle(server, draw, "tp"[number % 2])
            acknowledged += one
            gone += two
        server.stop()
    print(f"{CYCLES} kills: {acknowledged} acknowledged, {gone} gone")


def test_with_writers():
    """Rows written around it are before or after it, on every core, also after a restart."""
    with Node("--cores", "2", "--slots", "32") as server:
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE w (id INT PRIMARY KEY, v INT)")
            stop, last = threading.Event(), {}

            def write(first):
                with server.connect() as own, own.cursor() as mine:
                    v = 0
                    while not stop.is_set():
                        v += 1
                        values = ", ".join(f"({first + n}, {v})" for n in range(40))
                        mine.execute(f"REPLACE INTO w VALUES {values}")
                        last[first] = v

            threads = [threading.Thread(target=write, args=(n * 100,)) for n in range(3)]
            for thread in threads:
                thread.start()
            for _ in range(30):
                cur.execute("TRUNCATE TABLE w")
            stop.set()
            for thread in threads:
                thread.join()
            cur.execute("SELECT id, v FROM w ORDER BY id")
            before = cur.fetchall()
            for number, v in before:
                expect(v, last[number // 100 * 100], f"version of row {number}")
        server.kill()
        server.start()
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("SELECT id, v FROM w ORDER BY id")
            expect(cur.fetchall(), before, "rows after the restart")


if __name__ == "__main__":
    support.need("quanta")
    support.run_tests(globals())
