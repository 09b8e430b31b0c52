#!/usr/bin/python3
"""
Checkpoints: a start takes what is in them and replays only the log after them; rows that change while
one is written, and files that it makes needless; damage is told with file and offset.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import EVENTS_SCHEMAS, Node, expect, folder, quanta, wait_for

RANDOM = random.Random(support.seed())
ROWS = 200000
FLIPS = 8  # bit_flips.py has more, in a smaller directory
QUESTIONS = [
    "SELECT count(*), sum(revenue), min(ts), max(ts) FROM events",
    "SELECT country, count(*), sum(duration) FROM events GROUP BY country ORDER BY country",
    "SELECT count(*) FROM events WHERE device = 'mobile' AND revenue > 10",
    "SELECT count(DISTINCT user_id) FROM events",
    "SELECT id, ts, revenue, country, user_id FROM events WHERE id IN (1, 77, 100001) ORDER BY id",
]


def replayed(server):
    """Log records that the last start replayed."""
    found = re.search(r"log: (\d+) records replayed", "\n".join(server.errors))
    return int(found.group(1))


def rounds(server):
    """Checkpoints since the start."""
    _, _, text = support.http_get(server.ports["http"], "/metrics")
    return int(re.search(r"^quanta_checkpoints_total (\d+)", text, re.M).group(1))


def answers(server):
    """What the questions give now."""
    with server.connect() as conn, conn.cursor() as cur:
        out = []
        for question in QUESTIONS:
            cur.execute(question)
            out.append(cur.fetchall())
        return out


def data_files(server):
    """Names below the folder of data files."""
    return sorted(os.path.join(base, name)
                  for base, _, names in os.walk(os.path.join(server.data_dir, "data"))
                  for name in names)


def change(server, n):
    """Some rows of all kinds of change."""
    with server.connect() as conn, conn.cursor() as cur:
        for _ in range(n):
            number = RANDOM.randint(1, ROWS)
            cur.execute(f"UPDATE events SET revenue = {RANDOM.randint(0, 10**4)}.25, country = 'XX' "
                        f"WHERE id = {number}")
            cur.execute(f"DELETE FROM events WHERE id = {RANDOM.randint(1, ROWS)}")


def events_file(rows):
    """A Parquet file of events."""
    path = os.path.join(folder("events-"), "events.parquet")
    subprocess.run([quanta.program("quanta-bench"), "gen", "--table", "events", "--rows", str(rows),
                    "--out", path], check=True, stdout=subprocess.DEVNULL)
    return path


def loaded(*arguments):
    """A server with events in it."""
    server = Node("--slots", "8", *arguments, schema_dir=EVENTS_SCHEMAS)
    server.__enter__()
    quanta.load(server.ports["grpc"], events_file(ROWS), "events", EVENTS_SCHEMAS)
    return server


def test_clean_stop_leaves_nothing_to_replay():
    """SIGTERM makes a last checkpoint; changes after the next start are as durable as ever."""
    server = loaded()
    try:
        change(server, 50)
        before = answers(server)
        server.restart()
        expect(replayed(server), 0, "records replayed after a clean stop")
        expect(answers(server), before, "answers after a clean stop")
        change(server, 50)
        before = answers(server)
        server.kill()
        server.start()
        assert 0 < replayed(server) <= 200, replayed(server)
        expect(answers(server), before, "answers after kill -9")
        server.restart()
        expect(answers(server), before, "answers after the second clean stop")
    finally:
        server.__exit__()


def test_checkpoints_while_rows_change():
    """Many small rounds under load; files of older ones go."""
    server = loaded("--checkpoint-log", "1M")
    try:
        for _ in range(5):
            done = rounds(server)
            change(server, 300)
            quanta.load(server.ports["grpc"], events_file(ROWS // 4), "events", EVENTS_SCHEMAS)
            wait_for(lambda: rounds(server) > done, 60, "a checkpoint")
            before = answers(server)
            server.kill()
            server.start()
            expect(answers(server), before, "answers after kill -9")
        files = [re.sub(r"\.\d+\.(qsg|qsd)$", "", name) for name in data_files(server)]
        server.restart()
        names = [re.sub(r"\.\d+\.(qsg|qsd)$", "", name) for name in data_files(server)]
        expect(len(names), len(set(names)), "generations of a file that stay")
        assert len(files) <= 2 * len(names), "files of older rounds"
    finally:
        server.__exit__()


def test_rounds_while_definitions_change():
    """Tables are made and dropped without a pause: definitions wait for a round now and then."""
    server = loaded("--checkpoint-log", "1M")
    stop, made = threading.Event(), []

    def define(number):
        with server.connect() as conn, conn.cursor() as cur:
            while not stop.is_set():
                cur.execute(f"CREATE TABLE come{number} (id INT PRIMARY KEY)")
                cur.execute(f"DROP TABLE come{number}")
                made.append(number)
    try:
        threads = [threading.Thread(target=define, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            done = rounds(server)
            quanta.load(server.ports["grpc"], events_file(ROWS // 4), "events", EVENTS_SCHEMAS)
            wait_for(lambda: rounds(server) > done, 30, "a checkpoint")
        wait_for(lambda: len(made) >= 3, 30, "tables that were made and dropped")
        stop.set()
        for thread in threads:
            thread.join()
    finally:
        stop.set()
        server.__exit__()


def test_tables_that_come_and_go():
    """Definitions and TRUNCATE around checkpoints."""
    with Node("--checkpoint-log", "64K") as server:
        for turn in range(4):
            with server.connect() as conn, conn.cursor() as cur:
                cur.execute(f"CREATE TABLE a{turn} (id INT PRIMARY KEY, s VARCHAR(20))")
                cur.execute("CREATE TABLE t (id INT PRIMARY KEY, n INT)")
                for table, column in ((f"a{turn}", "s"), ("t", "n")):
                    values = ",".join(f"({i},{i})" for i in range(3000))
                    cur.execute(f"INSERT INTO {table} (id, {column}) VALUES {values}")
                cur.execute("TRUNCATE TABLE t")
                cur.execute("INSERT INTO t VALUES (1, 10), (2, 20)")
            (server.restart if turn % 2 else lambda: (server.kill(), server.start()))()
            expect(server.value("SELECT sum(n) FROM t"), 30, "after TRUNCATE")
            expect(server.value(f"SELECT sum(s) FROM a{turn}"), 3000 * 2999 // 2, "strings")
            with server.connect() as conn, conn.cursor() as cur:
                cur.execute("DROP TABLE t")
        server.restart()
        expect(server.value("SELECT count(*) FROM information_schema.tables "
                            "WHERE table_schema = 'quanta'"), 4, "tables")


def text_key(i):
    """Keys of all lengths, short and long ones are hashed in different ways."""
    return "x" * (i % 290) + str(i) if i else ""


def test_keys_after_a_restart():
    """Rows are found by keys of all types through indexes made anew from what is on disk."""
    tables = {"a": ("k VARCHAR(300)", lambda i: f"'{text_key(i)}'"),
              "b": ("x INT, k VARCHAR(300), d DATE",
                    lambda i: f"{i % 7 - 3}, '{text_key(i)}', '2026-01-{i % 28 + 1:02d}'"),
              "c": ("d DECIMAL(12,2), e VARCHAR(20)", lambda i: f"{i - 1500}.25, '{i % 9}'")}
    with Node("--slots", "4") as server:
        with server.connect() as conn, conn.cursor() as cur:
            for name, (columns, _) in tables.items():
                key = ", ".join(column.split()[0] for column in columns.split(", "))
                cur.execute(f"CREATE TABLE {name} ({columns}, v INT, PRIMARY KEY ({key}))")
        for turn in range(3):
            with server.connect() as conn, conn.cursor() as cur:
                for name, (_, row) in tables.items():
                    rows = ", ".join(f"({row(i)}, {turn})" for i in range(3000))
                    cur.execute(f"REPLACE INTO {name} VALUES {rows}")
                    cur.execute(f"SELECT count(*), min(v), max(v) FROM {name}")
                    expect(cur.fetchone(), (3000, turn, turn), name)
            server.restart()


def test_damage_is_told():
    """
    One bit flipped in a data file: `quanta-admin verify` names it, and no answer is wrong.
    """
    server = loaded()
    try:
        before = answers(server)
        server.stop()
        names = data_files(server)
        verify = [quanta.program("quanta-admin"), "verify", "--data-dir", server.data_dir]
        done = subprocess.run(verify, check=False, capture_output=True, text=True)
        expect(done.returncode, 0, done.stdout + done.stderr)
        for _ in range(FLIPS):
            name = RANDOM.choice(names)
            saved = name + ".saved"
            shutil.copy(name, saved)
            with open(name, "r+b") as file:
                at = RANDOM.randrange(os.path.getsize(name))
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << RANDOM.randrange(8)]))
            done = subprocess.run(verify, check=False, capture_output=True, text=True)
            expect(done.returncode, 1, f"verify with a bit flipped in {name} at {at}")
            assert os.path.basename(name) in done.stdout, done.stdout
            check_served(server, before, name)
            os.replace(saved, name)
        server.start()
        expect(answers(server), before, "answers from the repaired files")
    finally:
        server.__exit__()


def check_served(server, before, name):
    """The server refuses to start, or its answers are right or errors that name the file."""
    import pymysql
    base = os.path.basename(name)
    try:
        server.start()
    except quanta.QuantaError as err:
        assert base in str(err), err
        return
    with server.connect() as conn, conn.cursor() as cur:
        for question, right in zip(QUESTIONS, before):
            try:
                cur.execute(question)
                expect(cur.fetchall(), right, question)
            except pymysql.err.MySQLError as err:
                assert base in str(err), err
    server.kill()


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench", "quanta-admin")
    support.run_tests(globals())
