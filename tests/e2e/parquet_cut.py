#!/usr/bin/python3
"""
Damaged Parquet files: cut at every 1,000th byte, and with flipped bits.

The loader says what is wrong with which file and ends with 1; nothing is loaded from a file that is
cut, and the server goes on. A small file unless FULL=1, which takes us_cities.parquet as well.
"""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, quanta

RANDOM = random.Random(support.seed())
FULL = os.environ.get("FULL") == "1"
ROWS = 2000
PLACE = support.folder()


def small_file():
    """A file of ROWS events: its path and bytes."""
    path = os.path.join(PLACE, "whole.parquet")
    if not os.path.exists(path):
        quanta.generate("events", ROWS, path)
    with open(path, "rb") as file:
        return file.read()


def load(server, data, name, table, *extra):
    """Loads those bytes as a file: exit status and what was said."""
    path = os.path.join(PLACE, name)
    with open(path, "wb") as file:
        file.write(data)
    status, out, err = quanta.run("quanta-loader", "--node", f"127.0.0.1:{server.ports['grpc']}",
                                  "--progress", "none", *extra, path, table)
    os.unlink(path)
    return status, out, err


def refused(server, data, name, table, *extra):
    """The loader must refuse those bytes and name the file."""
    status, out, err = load(server, data, name, table, *extra)
    expect(status, 1, f"{name}, {len(data)} bytes: {out}{err}")
    assert name in err, f"{len(data)} bytes: the file is not named: {err}"
    assert "loaded" not in out or "loaded 0 rows" in out, out


def cut_everywhere(server, data, table, step):
    """Each cut without a server's help, and every eighth against the server."""
    for number, size in enumerate(range(0, len(data), step)):
        extra = [] if number % 8 == 0 else ["--dry-run"]
        refused(server, data[:size], f"cut-{size}.parquet", table, *extra)


def test_cut(server):
    data = small_file()
    cut_everywhere(server, data, "events", 1000)
    expect(server.value("SELECT count(*) FROM events"), 0)


def test_cut_at_the_edges(server):
    data = small_file()
    for size in (1, 3, 4, 8, 11, 12, len(data) - 1, len(data) - 4, len(data) - 8, len(data) - 9):
        refused(server, data[:size], f"edge-{size}.parquet", "events")
    refused(server, data[:4] + data[-8:], "ends.parquet", "events")
    refused(server, data + b"\0", "longer.parquet", "events")
    expect(server.value("SELECT count(*) FROM events"), 0)


def test_flipped_bits(server):
    """Found by a checksum or not at all: then every row is there; never a crash, never half."""
    data = small_file()
    found = 0
    for _ in range(400 if FULL else 60):
        with server.connect() as conn:
            conn.cursor().execute("TRUNCATE TABLE events")
        at, bit = RANDOM.randrange(len(data)), RANDOM.randrange(8)
        wrong = bytearray(data)
        wrong[at] ^= 1 << bit
        status, out, err = load(server, bytes(wrong), "flip.parquet", "events", "--buf-size", "500")
        what = f"bit {bit} of byte {at}: {status} {out} {err}"
        assert status in (0, 1, 3), what
        rows = server.value("SELECT count(*) FROM events")
        if status == 1:
            found += 1
            assert "flip.parquet" in err, what
            assert rows % 500 == 0, f"{what}: {rows} rows, not whole batches"
        if status == 0:
            assert rows <= ROWS, what
    assert found > 0, "no flipped bit was found"


def test_a_good_file_after_all_that(server):
    with server.connect() as conn:
        conn.cursor().execute("TRUNCATE TABLE events")
    status, out, err = load(server, small_file(), "good.parquet", "events")
    expect(status, 0, out + err)
    expect(server.value("SELECT count(*) FROM events"), ROWS)


def test_cities_cut(server):
    """Another writer's file; all of its cuts only with FULL=1."""
    path = os.path.join(support.SHARED_DATA, "us_cities.parquet")
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        data = file.read()
    schemas = ["--schema-dir", os.path.join(support.SHARED_DATA, "schemas")]
    for size in range(0, len(data), 1000 if FULL else 100_000):
        refused(server, data[:size], f"cities-{size}.parquet", "cities", "--dry-run", *schemas)


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    with Node(schema_dir=support.EVENTS_SCHEMAS) as node:
        support.run_tests(globals(), node, server=node)
