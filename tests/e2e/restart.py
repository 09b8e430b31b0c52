#!/usr/bin/python3
"""
Stopping and starting: everything is there again. A last group of the log that is not whole is cut
and reported with file and offset; damage anywhere else is refused with file and offset, unchanged.
"""

import glob
import hashlib
import os
import re
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, folder, quanta

UNIT = 4096
MAGIC = b"QLG1"
FRAME_BYTES_AT, HEADER_BYTES = 8, 64  # in the header: bytes of the frame, then of its records
ROWS = 20_000
STATEMENTS = 30
LITTLE = 1 << 20  # bytes


def summary(server):
    """What must not change by a restart."""
    with server.connect() as conn, conn.cursor() as cur:
        found = []
        for statement in ("SHOW TABLES",
                          "SELECT count(*), sum(duration), sum(revenue), min(ts), max(ts) FROM events",
                          "SELECT device, count(*), sum(id) FROM events GROUP BY device ORDER BY device",
                          "SELECT * FROM events WHERE id IN (0, 77, 19999) ORDER BY id",
                          "SELECT count(*), sum(n) FROM t", "SELECT * FROM t ORDER BY id",
                          "DESCRIBE t"):
            cur.execute(statement)
            found.append(cur.fetchall())
        return found


def fill(server, statements=STATEMENTS):
    """Rows by statements, each acknowledged: one group of the log each."""
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, n INT, s VARCHAR(40))")
        for i in range(statements):
            cur.execute("INSERT INTO t VALUES (%s, %s, %s)", (i, i * i, f"row {i}"))


def groups(path):
    """(offset, bytes) of every group in a log file."""
    with open(path, "rb") as file:
        data = file.read()
    found, at = [], 0
    while data[at:at + 4] == MAGIC:
        size = struct.unpack_from("<I", data, at + FRAME_BYTES_AT)[0]
        assert size and size % UNIT == 0, (at, size)
        found.append((at, size))
        at += size
    assert found, f"no group in {path}"
    assert not data[at:at + UNIT].strip(b"\0"), f"{path}: no zeros after the last group at {at}"
    return found


def payload_of(data_dir, offset):
    """Bytes of the records of the group at that offset of the last file; zeros come after them."""
    with open(logs(data_dir)[-1], "rb") as file:
        file.seek(offset + FRAME_BYTES_AT + 4)
        return struct.unpack("<I", file.read(4))[0]


def logs(data_dir):
    """The log files, in order."""
    return sorted(glob.glob(os.path.join(data_dir, "log-*.qlg")))


def filled_directory():
    """A data directory with STATEMENTS rows in t, all in the log: no checkpoint came."""
    server = Node(data_dir=os.path.join(folder(), "data"))
    with server:
        fill(server)
        server.kill()
    for path in logs(server.data_dir)[1:]:  # made ahead of use
        with open(path, "rb") as file:
            assert not file.read(UNIT).strip(b"\0"), f"groups in {path}"
        os.remove(path)
    return server.data_dir


def change(path, at, data):
    """Overwrites bytes of a file."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def start_after_cut(data_dir, path, offset, rows):
    """Starts; the log says where it was cut; so many rows are there, also the next time."""
    with Node(data_dir=data_dir) as server:
        said = [line for line in server.errors if path in line and re.search(rf"\b{offset}\b", line)]
        expect(len(said), 1, f"lines naming {path} and {offset}: {server.error_text()}")
        expect(server.value("SELECT count(*) FROM t"), rows)
        with server.connect() as conn:
            conn.cursor().execute("INSERT INTO t VALUES (100000, 1, 'after')")
        server.restart()
        assert not [line for line in server.errors if "torn" in line], server.error_text()
        expect(server.value("SELECT count(*) FROM t"), rows + 1)
        server.stop()


def refuses_to_start(data_dir, path, offset):
    """Ends with 1, names file and offset, leaves every log file as it was."""
    def digest():
        return [hashlib.sha256(open(name, "rb").read()).hexdigest() for name in logs(data_dir)]
    before = digest()
    status, out, err = quanta.run("quanta", "--data-dir", data_dir, *support.PORT_ZERO)
    expect((status, out), (1, ""), err)
    assert path in err and re.search(rf"\b{offset}\b", err), f"{path} and {offset}: {err}"
    expect(digest(), before, "the log files")


def test_clean_restart(_):
    file = os.path.join(folder(), "events.parquet")
    quanta.generate("events", ROWS, file)
    with Node(schema_dir=support.EVENTS_SCHEMAS) as server:
        expect(quanta.load(server.ports["grpc"], file, "events").new, ROWS)
        fill(server)
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("UPDATE events SET duration = 7, device = 'radio' WHERE id < 50")
            cur.execute("DELETE FROM events WHERE id BETWEEN 100 AND 199")
            cur.execute("CREATE TABLE gone (id INT PRIMARY KEY)")
            cur.execute("DROP TABLE gone")
        before = summary(server)
        expect(before[1][0][0], ROWS - 100)
        for _ in range(3):
            server.restart()
            expect(summary(server), before)
        again = quanta.load(server.ports["grpc"], file, "events")
        expect((again.new, again.updated), (100, ROWS - 100))
        server.kill()
        server.start()
        expect(server.value("SELECT count(*) FROM events"), ROWS)


def test_another_number_of_cores(_):
    server = Node("--cores", "2", "--slots", "8")
    with server:
        fill(server)
        server.stop()
        for cores in ("1", "2"):
            with Node("--cores", cores, data_dir=server.data_dir) as other:
                expect(other.value("SELECT count(*) FROM t"), STATEMENTS)
                expect(other.value("SELECT n FROM t WHERE id = 7"), 49)
                other.stop()


def test_garbage_after_the_last_group(base):
    for length in (1, 100, UNIT, 3 * UNIT + 5):
        data_dir = os.path.join(folder(), "data")
        shutil.copytree(base, data_dir)
        path = logs(data_dir)[-1]
        end = sum(groups(path)[-1])
        change(path, end, b"\xa5" * length)
        start_after_cut(data_dir, path, end, STATEMENTS)


def test_last_group_cut(base):
    """Its first bytes came to the disk, the rest did not."""
    last = logs(base)[-1]
    offset, size = groups(last)[-1]
    for kept in (1, 16, HEADER_BYTES, HEADER_BYTES + payload_of(base, offset) // 2):
        data_dir = os.path.join(folder(), "data")
        shutil.copytree(base, data_dir)
        path = logs(data_dir)[-1]
        change(path, offset + kept, bytes(size - kept))
        start_after_cut(data_dir, path, offset, STATEMENTS - 1)


def test_file_ends_within_the_last_group(base):
    offset, size = groups(logs(base)[-1])[-1]
    for kept in (0, 1, 512, size - 1):
        data_dir = os.path.join(folder(), "data")
        shutil.copytree(base, data_dir)
        path = logs(data_dir)[-1]
        os.truncate(path, offset + kept)
        with Node(data_dir=data_dir) as server:
            rows = server.value("SELECT count(*) FROM t")
            expect(rows, STATEMENTS - 1, f"rows with {kept} bytes of the last group")
            told = any(path in line and str(offset) in line for line in server.errors)
            expect(told, kept > 0, f"whether a cut after {kept} bytes is told: {server.errors}")
            server.stop()


def test_damage_in_the_middle(base):
    found = groups(logs(base)[-1])
    for number in (0, 1, len(found) // 2, len(found) - 2):
        offset = found[number][0]
        for place in (0, 8, 16, 48, HEADER_BYTES, HEADER_BYTES + payload_of(base, offset) - 1):
            data_dir = os.path.join(folder(), "data")
            shutil.copytree(base, data_dir)
            path = logs(data_dir)[-1]
            with open(path, "rb") as file:
                file.seek(offset + place)
                old = file.read(1)
            change(path, offset + place, bytes([old[0] ^ 0x10]))
            refuses_to_start(data_dir, path, offset)
            shutil.rmtree(data_dir)


def test_groups_lost_in_the_middle(base):
    found = groups(logs(base)[-1])
    data_dir = os.path.join(folder(), "data")
    shutil.copytree(base, data_dir)
    path = logs(data_dir)[-1]
    offset, size = found[len(found) // 2]
    change(path, offset, bytes(size))
    refuses_to_start(data_dir, path, offset)


def test_files_of_the_directory(base):
    data_dir = os.path.join(folder(), "data")
    shutil.copytree(base, data_dir)
    meta = os.path.join(data_dir, "quanta.meta")
    with open(meta, "r+", encoding="ascii") as file:
        text = file.read().replace("version: ", "version: 9")
        file.seek(0)
        file.write(text)
    status, _, err = quanta.run("quanta", "--data-dir", data_dir, *support.PORT_ZERO)
    expect(status, 1, err)
    assert meta in err and "version" in err, err


def test_several_log_files(_):
    """More rows than a log file holds: 64 MiB are many, so the rows are wide."""
    server = Node()
    with server:
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE wide (id INT PRIMARY KEY, s VARCHAR(60000))")
            number = 0
            while len(logs(server.data_dir)) < 3 and number < 4000:
                rows = ",".join(f"({number + k}, '{chr(97 + k) * 50_000}')" for k in range(20))
                cur.execute("INSERT INTO wide VALUES " + rows)
                number += 20
                if number % 400 == 0:
                    cur.execute("DELETE FROM wide WHERE id < %s", (number - 20,))
        files = logs(server.data_dir)
        assert len(files) >= 3, f"{number} rows in {files}"
        rows = server.value("SELECT count(*) FROM wide")
        server.kill()
        server.start()
        expect(server.value("SELECT count(*) FROM wide"), rows)
        server.stop()
        left = sum(os.path.getsize(path) for path in logs(server.data_dir))
        assert left < LITTLE, f"{left} bytes of log to read after a clean stop"
        server.start()
        expect(server.value("SELECT count(*) FROM wide"), rows)
        with server.connect() as conn, conn.cursor() as cur:
            for number in range(10000, 10020):
                cur.execute("INSERT INTO wide VALUES (%s, %s)", (number, "z" * 50_000))
        files = logs(server.data_dir)
        server.kill()
        server.start()
        expect(server.value("SELECT count(*) FROM wide"), rows + 20)
        server.kill()
        os.rename(files[1], files[1] + ".away")
        status, _, err = quanta.run("quanta", "--data-dir", server.data_dir, *support.PORT_ZERO)
        expect(status, 1, err)
        assert files[1] in err, err


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    support.run_tests(globals(), filled_directory())
