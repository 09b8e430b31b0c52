#!/usr/bin/python3
"""
A result of many rows, `SELECT *` of all of `events`, read by the mariadb client row by row (text protocol): rows a
second, and the server's memory before, and at most while it streams.

    bench/stream.py [--rows 10000000]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("../tests/e2e/lib", "../tests/peers"):
    sys.path.insert(0, os.path.join(HERE, folder))
import quanta
import support


def load(server, rows, folder):
    """The rows, from a Parquet file."""
    path = os.path.join(folder, "events.parquet")
    quanta.generate("events", rows, path, 1)
    support.expect(quanta.load(server.ports["grpc"], path, "events", support.EVENTS_SCHEMAS).new, rows, "rows loaded")
    os.unlink(path)


def read_all(server):
    """(rows, bytes) that the client wrote, seconds, the server's largest KiB meanwhile."""
    command = ["mariadb", "--quick", "-N", "-B", "-h", "127.0.0.1", "-P", str(server.ports["mysql"]), "-u", "root", "quanta",
               "-e", "SELECT * FROM events"]
    start, most = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as client, \
            subprocess.Popen(["wc", "-lc"], stdin=client.stdout, stdout=subprocess.PIPE, text=True) as count:
        client.stdout.close()
        while count.poll() is None:
            most = max(most, support.rss_kib(server.pid))
            time.sleep(0.05)
        seconds = time.monotonic() - start
        counted = tuple(int(n) for n in count.stdout.read().split())
    if client.returncode:
        sys.exit(f"the client ended with {client.returncode}")
    return counted, seconds, most


def main():
    """Loads, reads twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10000000)
    options = parser.parse_args()
    support.need("quanta", "quanta-loader", "quanta-bench")
    with tempfile.TemporaryDirectory(prefix="stream-") as folder, \
            support.Node("--log-level", "warn", data_dir=os.path.join(folder, "data"),
                         schema_dir=support.EVENTS_SCHEMAS) as server:
        load(server, options.rows, folder)
        for run in (1, 2):
            before = support.rss_kib(server.pid)
            (rows, size), seconds, most = read_all(server)
            if rows != options.rows:
                sys.exit(f"{rows} rows came, not {options.rows}")
            print(f"run {run}: {rows} rows, {size / 1e6:.0f} MB in {seconds:.1f} s, {rows / seconds / 1e6:.2f} M rows/s; "
                  f"memory {before / 1024:.0f} MiB before, at most {most / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
