#!/usr/bin/python3
"""
Statements with more groups, values and rows than they have memory for: the answers are those with memory for all, also of
many at once; KILL ends one within a moment; a full file system is an error that says so; nothing is left of the
temporary files, not by a crash either.
"""

import contextlib
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from figures import metrics
from support import EVENTS_SCHEMAS, Node, expect, folder, quanta, wait_for

import pymysql
import pymysql.cursors

ROWS = 400000
LITTLE = 8 << 20  # a statement's memory: the groups of STATEMENTS take four times as much and more
STATEMENTS = [
    "SELECT count(*), sum(c), sum(d), sum(x) FROM (SELECT id + 0 AS k, count(*) AS c, sum(duration) AS d, "
    "crc32(min(device)) AS x FROM events GROUP BY id + 0) AS g",
    "SELECT count(*), sum(c), max(c) FROM (SELECT user_id + 1 AS u, content_id, count(*) AS c FROM events "
    "GROUP BY user_id + 1, content_id) AS g",
    "SELECT count(*), sum(k), max(concat(d, k)) FROM (SELECT DISTINCT id + 0 AS k, duration AS d FROM events) AS g",
    "SELECT count(*), sum(b.duration), max(concat(a.device, b.device)) FROM events a JOIN events b ON a.id = b.id + 1",
    "SELECT count(*), sum(k) FROM (SELECT id AS k, device FROM events ORDER BY concat(device, id) LIMIT 390000) AS o",
    "SELECT count(*), sum(b.duration), count(b.id) FROM events a LEFT JOIN events b ON a.id = b.id * 2",
    "SELECT count(*), sum(k), sum(d) FROM (SELECT id AS k, duration AS d, device FROM events EXCEPT "
    "SELECT id, duration, device FROM events WHERE id % 7 <> 3) AS e",
    "SELECT count(*), sum(k) FROM (SELECT id AS k, device FROM events INTERSECT SELECT id + 1000, device FROM events) AS i",
    "WITH RECURSIVE r AS (SELECT id AS k, device FROM events WHERE id < 60000 UNION SELECT (k * 5 + 3) % 150000, device "
    "FROM r) SELECT count(*), sum(k) FROM r",
]
FOREVER = "SELECT count(*) FROM (SELECT DISTINCT a.id + 0, b.id + 0 FROM events a, (SELECT id FROM events LIMIT 2000) b) AS g"
FULL_CODE, KILLED_CODE = 1021, 1317


def parquet():
    """The rows."""
    path = os.path.join(folder("events-"), "events.parquet")
    quanta.generate("events", ROWS, path, 1)
    return path


def answers(server):
    """Of all statements."""
    with server.connect() as conn, conn.cursor() as cur:
        out = []
        for statement in STATEMENTS:
            cur.execute(statement)
            out.append(cur.fetchall())
        return out


def spill_files(server):
    """Descriptors of temporary files, and their bytes; their names are gone."""
    found, total = 0, 0
    for name in os.listdir(f"/proc/{server.pid}/fd"):
        path = f"/proc/{server.pid}/fd/{name}"
        try:
            if "/tmp/spill-" in os.readlink(path):
                found, total = found + 1, total + os.stat(path).st_size
        except FileNotFoundError:
            continue
    return found, total


def has_no_files(server):
    """True when no temporary file is open or named."""
    return spill_files(server)[0] == 0 and os.listdir(os.path.join(server.data_dir, "tmp")) == []


def load(server, path):
    """The table."""
    expect(quanta.load(server.ports["grpc"], path, "events").new, ROWS, "rows loaded")


def test_answers_many_and_kill():
    """One server with little memory for a statement beside one with enough; then many at once; then KILL and kill -9."""
    path = parquet()
    with Node(schema_dir=EVENTS_SCHEMAS) as server:
        load(server, path)
        right = answers(server)
        expect(spill_files(server), (0, 0), "temporary files with memory enough")
    with Node("--statement-memory", LITTLE, schema_dir=EVENTS_SCHEMAS) as server:
        load(server, path)
        for statement, wanted, got in zip(STATEMENTS, right, answers(server)):
            expect(got, wanted, statement)
        wait_for(lambda: has_no_files(server), 5, "temporary files to go")
        many_at_once(server, right)
        kill_while_it_spills(server)
        left = os.path.join(server.data_dir, "tmp", "spill-1-0-0")
        crash_while_it_spills(server, left)


def many_at_once(server, right, clients=8):
    """Each asks all statements, in orders of their own."""
    wrong = []

    def ask(number):
        with server.connect(read_timeout=200) as conn, conn.cursor() as cur:
            for i in range(len(STATEMENTS)):
                at = (i + number) % len(STATEMENTS)
                cur.execute(STATEMENTS[at])
                if cur.fetchall() != right[at]:
                    wrong.append(STATEMENTS[at])

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(wrong, [])
    wait_for(lambda: has_no_files(server), 5, "temporary files to go after many statements")


def start_forever(server):
    """A statement that spills as long as one lets it: its connection's id, and a function that waits for its error."""
    conn = server.connect()
    errors = []

    def ask():
        try:
            with conn.cursor() as cur:
                cur.execute(FOREVER)
        except (pymysql.err.MySQLError, OSError) as err:
            errors.append(err)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(lambda: spill_files(server)[1] > 32 << 20, 60, "a statement that has spilled 32 MiB")

    def error():
        thread.join()
        return errors[0]
    return conn.thread_id(), error


def kill_while_it_spills(server):
    """The statement ends long before its time, and its file."""
    number, error = start_forever(server)
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute(f"KILL QUERY {number}")
    expect(error().args[0], KILLED_CODE)
    wait_for(lambda: has_no_files(server), 5, "temporary files to go after KILL")


def crash_while_it_spills(server, left):
    """A file that a crash left between its making and its unlinking goes at the next start."""
    _, error = start_forever(server)
    server.kill()
    error()
    expect(os.listdir(os.path.dirname(left)), [], "names of temporary files after a crash")
    with open(left, "wb") as file:
        file.write(b"\0" * 100000)
    server.start()
    expect(has_no_files(server), True, "temporary files after a start")
    expect(server.value("SELECT count(*) FROM events"), ROWS)


def test_two_hundred_at_once():
    """A join and a GROUP BY, each four times its memory and more: all are right, within the memory of the process."""
    path, rows, clients = os.path.join(folder("events-"), "events.parquet"), 100000, 200
    quanta.generate("events", rows, path, 1)
    asked = [STATEMENTS[0], STATEMENTS[3]]
    with Node("--cores", 2, "--memory", 384 << 20, "--statement-memory", 5 << 20, schema_dir=EVENTS_SCHEMAS) as server:
        expect(quanta.load(server.ports["grpc"], path, "events").new, rows, "rows loaded")
        right, found = [], []
        with server.connect() as conn, conn.cursor() as cur:
            for statement in asked:
                cur.execute(statement)
                right.append(cur.fetchall())

        def ask(number):
            try:
                with server.connect(read_timeout=250) as conn, conn.cursor() as cur:
                    cur.execute(asked[number % 2])
                    found.append("right" if cur.fetchall() == right[number % 2] else "wrong")
            except pymysql.err.MySQLError as err:
                found.append(str(err))

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(found, ["right"] * clients)
        figures = metrics(server)
        for core, peak in figures["quanta_core_memory_peak_bytes"].items():
            limit = figures["quanta_core_memory_limit_bytes"][core]
            assert peak <= limit, f"{core}: {peak} of {limit} bytes"
        if not support.IS_SANITIZED:
            assert support.rss_kib(server.pid) < 384 << 10
        wait_for(lambda: has_no_files(server), 5, "temporary files to go")


def numbers(cur, rows):
    """A table `b` of this many ids."""
    cur.execute("CREATE TABLE b (id BIGINT PRIMARY KEY, v INT)")
    for at in range(0, rows, 50000):
        cur.execute("INSERT INTO b VALUES " + ",".join(f"({i},{i % 7})" for i in range(at, at + 50000)))


def test_rows_of_a_megabyte():
    """Texts that are longer than what is read of a file at once."""
    rows, long = 150, 1200000
    with Node("--cores", 1, "--statement-memory", 40 << 20) as server, server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, s LONGTEXT)")
        for i in range(rows):
            cur.execute("INSERT INTO t VALUES (%s, %s)", (i, chr(65 + i % 26) * long))
        numbers(cur, 400000)
        for join in ("JOIN", "LEFT JOIN"):
            cur.execute(f"SELECT count(*), sum(length(a.s)), count(b.id) FROM t a {join} b ON a.id + 0 = b.id + 0")
            expect(cur.fetchall(), ((rows, rows * long, rows),), join)


def test_clients_that_do_not_read():
    """They hold what memory there is; others wait half a minute for them, no more."""
    with Node("--cores", 1, "--memory", 384 << 20) as server, contextlib.ExitStack() as stack:
        with server.connect() as conn, conn.cursor() as cur:
            numbers(cur, 400000)
        readers = []
        for _ in range(9):
            conn = server.connect(cursorclass=pymysql.cursors.SSCursor)
            stack.callback(conn._force_close)
            readers.append(conn.cursor())
            readers[-1].execute("SELECT id + 0 AS k, count(*) FROM b GROUP BY id + 0")
            readers[-1].fetchone()
        with server.connect(read_timeout=200) as conn, conn.cursor() as cur:
            cur.execute("SELECT count(*) FROM (SELECT id + 0 AS k, count(*) FROM b GROUP BY id + 0) AS g")
            expect(cur.fetchone(), (400000,))


def test_full_file_system():
    """An error for the one statement; writes go on, as room is kept for them."""
    place = folder("full-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", place], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        support.skip("mounting a tmpfs is not allowed here")
    try:
        with Node("--statement-memory", LITTLE, data_dir=os.path.join(place, "data"),
                  schema_dir=EVENTS_SCHEMAS) as server:
            load(server, parquet())
            with server.connect() as conn, conn.cursor() as cur:
                try:
                    cur.execute(FOREVER)
                    expect("an answer", "an error")
                except pymysql.err.MySQLError as err:
                    expect(err.args[0], FULL_CODE, err.args[1])
                    expect("/tmp/spill-" in err.args[1] and "MiB" in err.args[1], True, err.args[1])
                cur.execute("CREATE TABLE t (id INT PRIMARY KEY)")
                cur.execute("INSERT INTO t VALUES (1)")
                wait_for(lambda: has_no_files(server), 5, "temporary files to go")
                cur.execute(STATEMENTS[0])
                expect(cur.fetchall()[0][0], ROWS)
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_limit():
    """--spill-limit is for all statements of a core together."""
    with Node("--statement-memory", LITTLE, "--spill-limit", 16 << 20, "--cores", 1, schema_dir=EVENTS_SCHEMAS) as server:
        load(server, parquet())
        with server.connect() as conn, conn.cursor() as cur:
            try:
                cur.execute(FOREVER)
                expect("an answer", "an error")
            except pymysql.err.MySQLError as err:
                expect(err.args[0], FULL_CODE, err.args[1])
                expect("--spill-limit allows it 16 MiB" in err.args[1], True, err.args[1])


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    support.run_tests(globals())
