#!/usr/bin/python3
# alone
"""
A client that reads a large result slowly: the server sends as the client reads and holds little.

The client reads `SELECT *` of a million rows at 1 MiB a second for 20 s and then goes away.
"""

import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from figures import settled
from support import Node, expect, quanta, rss_kib

ROWS = int(os.environ.get("ROWS", "1000000"))
SECONDS = float(os.environ.get("SECONDS", "20"))
RATE = 1 << 20
GROWTH_KIB = 16 << 10
COM_QUERY = 3


def start_query(conn, statement):
    """Sends a statement and leaves the answer in the socket."""
    conn._execute_command(COM_QUERY, statement)  # pylint: disable=protected-access
    return conn._sock  # pylint: disable=protected-access


def read_slowly(server, sock, total):
    """Reads so many bytes at RATE or slower: how many there were, and the largest memory of the server meanwhile."""
    done = largest = 0
    started = time.monotonic()
    while done < total:
        if done > (time.monotonic() - started) * RATE:
            time.sleep(0.01)
            largest = max(largest, rss_kib(server.pid))
            continue
        chunk = sock.recv(16384)
        assert chunk, "the server closed the connection"
        done += len(chunk)
    return done, largest


def main():
    """Loads, warms up, reads."""
    support.need("quanta", "quanta-loader", "quanta-bench")
    file = os.path.join(support.folder(), "events.parquet")
    quanta.generate("events", ROWS, file)
    with Node(schema_dir=support.EVENTS_SCHEMAS) as server:
        expect(quanta.load(server.ports["grpc"], file, "events").new, ROWS)
        os.unlink(file)
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("SELECT * FROM events ORDER BY id LIMIT 1000")
            expect(len(cur.fetchall()), 1000)
        settled(server, "the key indexes, whose memory is not the result's")
        before = rss_kib(server.pid)
        conn = server.connect()
        conn._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # pylint: disable=W0212
        done, largest = read_slowly(server, start_query(conn, "SELECT * FROM events"), int(SECONDS * RATE))
        grown = largest - before
        print(f"read {done >> 20} MiB; memory {before} KiB before, "
              f"{grown} KiB more at most")
        # Others are answered meanwhile, and an abandoned result leaves nothing behind.
        expect(server.value("SELECT count(*) FROM events"), ROWS)
        conn._force_close()  # pylint: disable=protected-access
        if not support.IS_SANITIZED:
            assert grown < GROWTH_KIB, f"{grown} KiB more, allowed are {GROWTH_KIB}"
        expect(server.value("SELECT count(*) FROM events"), ROWS)
        server.stop()


if __name__ == "__main__":
    main()
