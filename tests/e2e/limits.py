#!/usr/bin/python3
"""
More data than --memory: the write that does not fit is refused with a clear error, and then the
server still answers, deletes, and starts again with everything that was acknowledged.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, quanta, rss_kib

import pymysql

MEMORY_MIB = 96
ROWS_MAX = 4_000_000
BATCH = 2000
MEMORY_CODES = (1037, 1038, 1041, 1114)  # out of memory, of sort memory, of resources; table full


def text_of(i):
    """The text of a row."""
    return f"{i * 2654435761 % 2**32:08x} text that no other row has {i:09d}"


def fill(server):
    """Inserts until the server refuses: acknowledged rows, the error."""
    done = 0
    with server.connect() as conn, conn.cursor() as cur:
        while done < ROWS_MAX:
            rows = ",".join(f"({i},'{text_of(i)}')" for i in range(done, done + BATCH))
            try:
                cur.execute("INSERT INTO t VALUES " + rows)
            except pymysql.err.MySQLError as err:
                return done, err
            done += BATCH
    return done, None


def test_inserts(server):
    with server.connect() as conn:
        conn.cursor().execute("CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(64))")
    done, err = fill(server)
    print(f"{done} rows, then {err}; {rss_kib(server.pid)} KiB resident")
    assert err is not None, f"{done} rows went into {MEMORY_MIB} MiB"
    assert err.args[0] in MEMORY_CODES, f"code {err.args[0]}: {err}"
    assert "memory" in err.args[1].lower(), err
    assert done >= BATCH, "not one statement fitted"
    assert support.IS_SANITIZED or rss_kib(server.pid) < 2 * MEMORY_MIB << 10, \
        f"{rss_kib(server.pid)} KiB resident with --memory {MEMORY_MIB} MiB"
    # Reads go on. Of the refused statement a core that had room may keep its rows, whole.
    expect(server.value(f"SELECT count(*) FROM t WHERE id < {done}"), done)
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute(f"SELECT id, s FROM t WHERE id >= {done - 1}")
        rows = dict(cur.fetchall())
    assert done - 1 in rows, rows
    expect(rows, {i: text_of(i) for i in rows}, "rows that are not whole")
    # A second client is told the same, and the first is not stuck.
    with server.connect() as conn, conn.cursor() as cur:
        for _ in range(3):
            try:
                cur.execute("INSERT INTO t VALUES " + ",".join(
                    f"({i}, '{'x' * 60}')" for i in range(done + BATCH, done + 20 * BATCH)))
                raise AssertionError("a full server took the same rows")
            except pymysql.err.MySQLError as again:
                assert again.args[0] in MEMORY_CODES, again
            cur.execute("SELECT 1")


def test_load(server):
    file = os.path.join(support.folder(), "events.parquet")
    quanta.generate("events", 300_000, file)
    before = server.value("SELECT count(*) FROM events")
    status, out, said = quanta.run("quanta-loader", "--node", f"127.0.0.1:{server.ports['grpc']}",
                                   "--progress", "none", file, "events")
    expect(status, 1, out + said)
    assert "memory" in said.lower(), said
    assert server.value("SELECT count(*) FROM events") >= before


def test_large_statements_are_refused(server):
    """A result that has to be kept whole does not fit; the statement fails, nothing else."""
    with server.connect() as conn, conn.cursor() as cur:
        for statement in ("SELECT a.s, b.s FROM t a, t b ORDER BY a.s, b.s LIMIT 1000000, 1",
                          "SELECT a.id + b.id AS n, count(*) FROM t a, t b GROUP BY n"):
            try:
                cur.execute(statement)
                cur.fetchall()
            except pymysql.err.MySQLError as err:
                assert err.args[0] in (*MEMORY_CODES, 1104, 1235, 1317), err
            cur.execute("SELECT 1")


def test_restart(server):
    rows = server.value("SELECT count(*) FROM t")
    server.restart()
    expect(server.value("SELECT count(*) FROM t"), rows)


def test_room_comes_back(server):
    """Space of a dropped table can be used again."""
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("DROP TABLE t")
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(64))")
        cur.execute("INSERT INTO t VALUES " + ",".join(f"({i}, '{i:060d}')" for i in range(BATCH)))
        cur.execute("SELECT count(*) FROM t")
        expect(cur.fetchone(), (BATCH,))


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    with Node("--memory", f"{MEMORY_MIB}M", "--cores", "2",
              schema_dir=support.EVENTS_SCHEMAS) as node:
        support.run_tests(globals(), node, server=node)
