#!/usr/bin/python3
"""
Many clients at once for minutes, each with a mix of reads and writes (crowd.lua, run by sysbench), while long statements
are started and killed: no client may see an error, memory may not grow, a KILL must work at once.

    bench/crowd.py [--clients 1000] [--seconds 300] [--rows 100000]
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e/lib"))
import support

TABLE = "CREATE TABLE crowd (id INT PRIMARY KEY, n INT, kind VARCHAR(16), pad VARCHAR(32))"
BATCH = 5000
LONG = "SELECT count(*) FROM crowd a, crowd b WHERE a.n + b.n = -1"
KILL_EVERY = 5  # seconds
ER_QUERY_INTERRUPTED = 1317


def fill(node, rows):
    """Rows 1..rows."""
    with node.connect() as conn, conn.cursor() as cursor:
        cursor.execute(TABLE)
        for first in range(1, rows + 1, BATCH):
            cursor.execute("INSERT INTO crowd VALUES " + ",".join(
                f"({i},{i % 1000},'kind {i % 50}','row number {i}')" for i in range(first, min(first + BATCH, rows + 1))))


def kill_one(node):
    """Milliseconds from KILL QUERY of a statement that runs for long to its end."""
    ended = []
    with node.connect() as victim, node.connect() as killer:
        def run():
            try:
                victim.cursor().execute(LONG)
            except Exception as error:  # pylint: disable=broad-except
                ended.append((time.monotonic(), error.args[0]))
        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.5)
        start = time.monotonic()
        killer.cursor().execute(f"KILL QUERY {victim.thread_id()}")
        thread.join()
    if not ended or ended[0][1] != ER_QUERY_INTERRUPTED:
        sys.exit(f"the killed statement ended with {ended[0][1] if ended else 'an answer'}")
    return (ended[0][0] - start) * 1e3


def watch(node, clients):
    """[(seconds, KiB)] and milliseconds of kills until the clients end."""
    start, memory, kills = time.monotonic(), [], []
    while clients.poll() is None:
        memory.append((time.monotonic() - start, support.rss_kib(node.pid)))
        if len(memory) % KILL_EVERY == 0:
            kills.append(kill_one(node))
        time.sleep(1)
    return memory, kills


def main():
    """One run and its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--rows", type=int, default=100000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crowd-") as folder, \
            support.Node("--log-level", "warn", "--max-connections", str(options.clients + 50),
                         data_dir=os.path.join(folder, "data")) as node:
        fill(node, options.rows)
        with open(os.path.join(folder, "out"), "w+", encoding="utf-8") as out, subprocess.Popen(
                ["sysbench", os.path.join(HERE, "crowd.lua"), "--db-driver=mysql", "--mysql-host=127.0.0.1",
                 f"--mysql-port={node.ports['mysql']}", "--mysql-user=root", "--mysql-db=quanta", "--percentile=99",
                 f"--threads={options.clients}", f"--time={options.seconds}", "--events=0", f"--rows={options.rows}",
                 "run"], stdout=out, stderr=out) as clients:
            memory, kills = watch(node, clients)
            out.seek(0)
            text = out.read()
    if clients.returncode:
        sys.exit(f"the clients ended with {clients.returncode}: {text[-3000:]}")
    found = dict(re.findall(r"^ +(total number of events|min|avg|99th percentile|max): +([\d.]+)", text, re.M))
    middle = options.seconds / 2
    quarters = [statistics.median(kib for at, kib in memory if low <= at < high) / 1024
                for low, high in ((middle, 1.5 * middle), (1.5 * middle, 2 * middle))]
    print(f"{options.clients} clients, {options.seconds} s: {found['total number of events']} statements, no error; "
          f"ms: mean {found['avg']}, p99 {found['99th percentile']}, longest {found['max']}\n"
          f"memory, medians of the third and fourth quarter: {quarters[0]:.1f} MiB, {quarters[1]:.1f} MiB\n"
          f"KILL QUERY, {len(kills)} times: median {statistics.median(kills):.1f} ms, longest {max(kills):.1f} ms")


if __name__ == "__main__":
    main()
