#!/usr/bin/python3
"""
A start on rows that no cache holds: time to readyz, to the first right answer of each of the thirteen queries, to
everything in memory, beside the time that the volume itself takes to read the same files in the same run.

    bench/restart.py [--rows N] [--runs K] [--slots N] [--tmp FOLDER] [-- SERVER-FLAGS]

Rows are those of quanta-bench gen, loaded through quanta-loader into a data directory below --tmp. The server reads
its data files past the page cache; the rest of it (log, programs) is dropped from there where that is allowed. The
last line is JSON.
"""

import argparse
import json
import mmap
import os
import re
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e/lib"))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e"))
import support
import quanta
from events import QUERIES

READ_BYTES = 1 << 20
STATEMENTS = {f"Q{i + 1}": text for i, (text, _) in enumerate(QUERIES)}


def drop_caches():
    """True when the page cache could be dropped."""
    os.sync()
    try:
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("3")
    except OSError:
        return False
    return True


def data_files(folder):
    """Data files with their sizes."""
    paths = [os.path.join(base, name) for base, _, names in os.walk(folder) for name in names]
    return [(path, os.path.getsize(path)) for path in paths if path.endswith((".qsg", ".qsd"))]


class Volume:
    """Reads files in pieces of 1 MiB past the page cache, so many at a time."""

    def __init__(self, files):
        self.pieces = [(path, at) for path, size in files for at in range(0, size, READ_BYTES)]
        self.lock = threading.Lock()
        self.at = 0
        self.bytes = 0

    def reader(self):
        """One of the threads."""
        memory = mmap.mmap(-1, READ_BYTES)
        opened = {}
        done = 0
        while True:
            with self.lock:
                if self.at == len(self.pieces):
                    self.bytes += done
                    break
                path, at = self.pieces[self.at]
                self.at += 1
            if path not in opened:
                opened[path] = os.open(path, os.O_RDONLY | os.O_DIRECT)
            done += os.preadv(opened[path], [memory], at)
        for fd in opened.values():
            os.close(fd)

    def read(self, depth):
        """Seconds."""
        threads = [threading.Thread(target=self.reader) for _ in range(depth)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - started


def figures(server):
    """{metric: sum over its labels}."""
    _, _, text = support.http_get(server.ports["http"], "/metrics", 60)
    out = {}
    for line in text.split("\n"):
        match = re.fullmatch(r"(quanta_\w+)(?:\{.*\})? (\d+)", line)
        if match:
            out[match[1]] = out.get(match[1], 0) + int(match[2])
    return out


def ask_all(server):
    """{number: (seconds, answer)}, one after the other."""
    out = {}
    with server.connect() as conn, conn.cursor() as cur:
        for name, text in STATEMENTS.items():
            started = time.monotonic()
            cur.execute(text)
            out[name] = (time.monotonic() - started, cur.fetchall())
    return out


def wait_loaded(server, started, out):
    """Until no column is on disk only; seconds since the start into out."""
    while True:
        now = figures(server)
        if now["quanta_table_columns_absent"] == 0:
            break
        time.sleep(0.02)
    out["loaded_s"] = time.monotonic() - started
    out["figures"] = now


def run(server, answers):
    """One start: seconds to each point."""
    files = data_files(server.data_dir)
    dropped = drop_caches()
    volume = min((Volume(files).read(depth), depth) for depth in (1, 32))
    drop_caches()
    started = time.monotonic()
    server.start()
    result = {"volume_s": volume[0], "volume_depth": volume[1], "dropped": dropped,
              "bytes": sum(size for _, size in files), "ready_s": time.monotonic() - started}
    status = support.http_get(server.ports["http"], "/readyz")[0]
    support.expect(status, 200, "readyz after the ready line")
    watcher = threading.Thread(target=wait_loaded, args=(server, started, result))
    watcher.start()
    result["first"] = {}
    for name, (_, answer) in answers.items():
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute(STATEMENTS[name])
            support.expect(cur.fetchall(), answer, name)
        result["first"][name] = time.monotonic() - started
    result["first_all_s"] = time.monotonic() - started
    watcher.join()
    found = result.pop("figures")
    result["read_bytes"] = found["quanta_data_read_bytes_total"]
    result["reads"] = found["quanta_data_reads_total"]
    result["ratio"] = result["loaded_s"] / result["volume_s"]
    result["warm"] = {name: seconds for name, (seconds, _) in ask_all(server).items()}
    server.stop()
    return result


def show(number, r):
    """A table for people."""
    mb = r["bytes"] / 1e6
    print(f"run {number}: {mb:.0f} MB of data files" +
          ("" if r["dropped"] else " (page cache not dropped: not allowed)"))
    print(f"  volume alone (1 MiB, depth {r['volume_depth']}): {r['volume_s']:.2f} s, "
          f"{mb / r['volume_s']:.0f} MB/s")
    print(f"  readyz {r['ready_s']:.2f} s; all 13 answers {r['first_all_s']:.2f} s; "
          f"fully loaded {r['loaded_s']:.2f} s = {r['ratio']:.2f} x volume")
    print(f"  read by the server: {r['read_bytes'] / 1e6:.0f} MB in {r['reads']} reads")
    for name, seconds in r["first"].items():
        print(f"    {name:>3}: right after {seconds:6.2f} s, warm {r['warm'][name] * 1e3:8.1f} ms")
    sys.stdout.flush()


def load(server, options, place):
    """The rows into the server; answers before the stop."""
    path = os.path.join(place, "events.parquet")
    started = time.monotonic()
    quanta.generate("events", options.rows, path, 1)
    generated = time.monotonic()
    summary = quanta.load(server.ports["grpc"], path, "events", support.EVENTS_SCHEMAS)
    support.expect(summary.new, options.rows, "rows loaded")
    os.unlink(path)
    print(f"{options.rows} rows: generated in {generated - started:.1f} s, loaded in "
          f"{time.monotonic() - generated:.1f} s", flush=True)
    return ask_all(server)


def main():
    """Load once, start some times."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--slots", type=int, default=0)
    parser.add_argument("--tmp", help="where the data directory is made: the volume to measure")
    parser.add_argument("flags", nargs="*", help="of the server")
    options = parser.parse_args()
    support.need("quanta", "quanta-loader", "quanta-bench")
    place = tempfile.mkdtemp(prefix="restart-", dir=options.tmp)
    slots = ["--slots", options.slots] if options.slots else []
    try:
        with support.Node(*slots, *options.flags, data_dir=os.path.join(place, "data"),
                          schema_dir=support.EVENTS_SCHEMAS) as server:
            answers = load(server, options, place)
            server.stop()
            results = []
            for number in range(1, options.runs + 1):
                results.append(run(server, answers))
                show(number, results[-1])
        best = min(results, key=lambda r: r["ratio"])
        print(json.dumps({"case": "restart", "rows": options.rows, "runs": results,
                          "best_ratio": best["ratio"]}))
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
