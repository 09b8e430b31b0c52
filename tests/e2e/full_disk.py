#!/usr/bin/python3
"""
A file system that is really full: writes are refused with a clear error, reads go on, writes are taken
again when there is room, and after a kill everything acknowledged is there. On a tmpfs of its own, so it
needs the right to mount one.
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, quanta

import pymysql

SIZE_MIB = 16
ALONE_ROWS, ALONE_CHANGES = 100, 90  # 4 KiB of log each: twice the file system
FULL_CODE = 1021  # ER_DISK_FULL


def free_bytes(place):
    """What may still be written."""
    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize


def fill(place):
    """Takes all but a little of the file system; the path of what has to be deleted for room."""
    path = os.path.join(place, "ballast")
    with open(path, "wb") as file:
        file.write(b"\0" * (free_bytes(place) - 16384))
    return path


def insert_until_refused(server, ids):
    """Rows acknowledged before the error, and the error."""
    acknowledged = []
    with server.connect() as conn, conn.cursor() as cur:
        for i in ids:
            try:
                cur.execute(f"INSERT INTO t VALUES ({i}, '{'x' * 3000}')")
            except pymysql.err.MySQLError as err:
                return acknowledged, err
            acknowledged.append(i)
    return acknowledged, None


def wait_for_room(server, row):
    """Inserts one row as soon as writes are taken."""
    def taken():
        return insert_until_refused(server, [row])[1] is None
    support.wait_for(taken, 20, "writes are taken again")


def run(place, io):
    """One server's life on the small file system."""
    sure = []
    with Node("--io", io, "--cores", "2", data_dir=os.path.join(place, f"data-{io}")) as server:
        with server.connect() as conn:
            conn.cursor().execute("CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(4000))")
        for cycle in range(3):
            ballast = fill(place)
            first = cycle * 1_000_000
            done, err = insert_until_refused(server, range(first, first + 10000))
            sure += done
            assert err is not None, f"{len(done)} rows went into a full file system"
            expect(err.args[0], FULL_CODE, str(err))
            assert "No space left on device" in err.args[1], err
            more, again = insert_until_refused(server, range(first + 500_000, first + 600_000))
            sure += more  # a checkpoint may have made a little room
            assert again is not None and again.args[0] == FULL_CODE, again
            with server.connect() as conn, conn.cursor() as cur:
                cur.execute("SELECT id FROM t")
                there = {row[0] for row in cur.fetchall()}
            expect(set(sure) - there, set(), "acknowledged rows that a query does not find")
            os.unlink(ballast)
            wait_for_room(server, first + 600_000)
            sure.append(first + 600_000)
        print(f"{io}: {len(sure)} rows acknowledged; {server.error_text().count('No space left')} "
              "lines about the full disk")
        server.kill()
        server.start()
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("SELECT id, s FROM t")
            rows = dict(cur.fetchall())
        expect(set(sure) - set(rows), set(), "acknowledged rows that are lost")
        expect(set(rows.values()), {"x" * 3000})
        server.stop()


def taken_at_last(cur, statement):
    """Executes it, again and again while the disk is full; how often it was refused."""
    refused = 0
    end = time.monotonic() + support.HANG_SECONDS
    while True:
        try:
            cur.execute(statement)
            return refused
        except pymysql.err.MySQLError as err:
            expect(err.args[0], FULL_CODE, str(err))
            assert time.monotonic() < end, f"no room after {refused} refusals: {err}"
            refused += 1
            time.sleep(0.05)


def run_alone(place, io):
    """The log itself fills the file system, many times: checkpoints make room without anybody's help."""
    with Node("--io", io, "--cores", "2", data_dir=os.path.join(place, f"data-{io}")) as server:
        refused = 0
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE t (id INT PRIMARY KEY, n BIGINT)")
            for i in range(ALONE_ROWS):
                cur.execute(f"INSERT INTO t VALUES ({i}, 0)")
            for i in range(ALONE_ROWS * ALONE_CHANGES):
                refused += taken_at_last(
                    cur, f"UPDATE t SET n = {i + 1} WHERE id = {i % ALONE_ROWS}")
        print(f"{io}: {ALONE_ROWS * ALONE_CHANGES} changes, {refused} refused for a while")
        server.kill()
        server.start()
        expect(server.value("SELECT sum(n) FROM t"),
               sum(range(ALONE_ROWS * (ALONE_CHANGES - 1) + 1, ALONE_ROWS * ALONE_CHANGES + 1)),
               "what was acknowledged")
        server.stop()


def run_load(place, io):
    """What the loader has counted when the disk became full is there after a kill."""
    rows = os.path.join(support.folder("rows-"), "events.parquet")
    schemas = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../conf/schemas")
    quanta.generate("events", 700000, rows)
    with Node("--io", io, "--cores", "2", data_dir=os.path.join(place, f"data-{io}"), schema_dir=schemas) as server:
        status, out, err = quanta.run("quanta-loader", "--node", f"127.0.0.1:{server.ports['grpc']}", "--progress",
                                      "none", "--schema-dir", schemas, rows, "events")
        server.kill()
        assert status and "No space left on device" in err, out + err
        counted = quanta.Summary(out + err).rows
        server.start()
        there = server.value("SELECT count(*) FROM events")
        assert 0 < counted <= there, f"{counted} rows counted, {there} there"
        print(f"{io}: {counted} rows counted by the loader, {there} there after a kill")
        server.stop()


if __name__ == "__main__":
    support.need("quanta", "quanta-bench", "quanta-loader")
    for test, back_end in [(t, io) for t in (run, run_alone, run_load) for io in ("uring", "epoll")]:
        folder = support.folder("full-")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", folder],
                          stderr=subprocess.DEVNULL, check=False).returncode:
            support.skip("no right to mount a file system")
        try:
            test(folder, back_end)
        finally:
            time.sleep(0.1)
            subprocess.run(["umount", "-l", folder], check=False)
