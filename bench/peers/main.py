#!/usr/bin/python3
"""
The `events` work on Quanta and on its peers, side by side in one run: `make bench-peers`.

    bench/peers/main.py [--work events|ingest|mixed] [--rows N] [--peers duckdb,clickhouse,mariadb,postgresql]
                        [--queries Q1,J1] [--runs 5] [--flags="--kernels avx2"] [--out FOLDER] [--results FILE] [--base FOLDER]

All engines get the same rows. First the answers are compared. Then each query runs alternately on the engines, with other
constants each time, so that a busy minute hits all and no answer comes from a cache of results; medians count. Warm:
right after a run of the same query with other constants. Cold: after 256 MiB of other memory went through the caches of
the processor. A peer that cannot be had is left out with a line that says why. MariaDB and PostgreSQL get fewer rows
(MARIADB_ROWS, POSTGRESQL_ROWS), and so does a Quanta to compare them with.

The last line is `geometric mean X`: time of the first peer over ours, warm, over the thirteen queries.
"""

import argparse
import ctypes
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import answers
import ingest
import mixed
import report
from engine import Failed, Missing, processor_us
from engine_quanta import Quanta, quanta

ORDERED = {"Q6", "Q7", "Q8", "Q12"}
CONSTANT = {"Q4", "Q6", "Q8", "G1", "G2", "G3", "T1"}  # the text never varies
COLD_BYTES = 256 << 20
SLOW_US = 5e6  # no second comparison of answers and no cold run above this: it would not differ
WARM_UP_BELOW_US = 300e3  # what takes longer than that does not gain from a run before it
PEERS = ["duckdb", "clickhouse", "mariadb", "postgresql"]


def make_peer(name, place, options):
    """An engine, or Missing."""
    threads = options.threads
    if name == "base":
        return Quanta(place, options.rows, options.flags.split(), options.base)
    if name == "duckdb":
        from engine_duckdb import DuckDB
        return DuckDB(place, options.rows, threads)
    if name == "clickhouse":
        from engine_clickhouse import ClickHouse
        return ClickHouse(place, options.rows, threads)
    if name == "mariadb":
        from engine_mariadb import MariaDBEngine
        return MariaDBEngine(place, min(options.rows, options.mariadb_rows))
    from engine_postgresql import PostgreSQL
    return PostgreSQL(place, min(options.rows, options.postgresql_rows), threads)


def list_statements(rows, options):
    """{query: [statement of each variant]}, in order."""
    out = subprocess.run([quanta.program("quanta-bench"), "run", "--list", "--rows", str(rows), "--queries",
                          options.queries, "--runs", str(4 * options.runs + 4)],
                         stdout=subprocess.PIPE, check=True, text=True).stdout
    found = {}
    for line in out.splitlines():
        query, _, text = line.split("\t")
        found.setdefault(query, []).append(text)
    return found


class Comparison:
    """Engines with the same rows, ours first, and what was found: {query: {engine: figures}}."""

    def __init__(self, engines, rows, place, options):
        self.engines, self.rows, self.place, self.options = engines, rows, place, options
        self.statements = list_statements(rows, options)
        self.found = {query: {} for query in self.statements}
        self.other_memory = ctypes.create_string_buffer(COLD_BYTES)
        self.flushes = 0

    def cool_caches(self):
        """Other memory through the caches of the processor."""
        self.flushes += 1
        ctypes.memset(self.other_memory, self.flushes & 255, COLD_BYTES)

    def check(self, query):
        """Answers of all engines beside ours; who refuses or differs gets an error in place of figures."""
        paths = [os.path.join(self.place, f"answer-{i}.tsv") for i in range(len(self.engines))]
        for variant in [0] if query in CONSTANT else [0, 1]:
            if max(f.get("check_us", 0) for f in self.found[query].values() or [{}]) > SLOW_US:
                break
            text = self.statements[query][variant]
            for engine, path in zip(self.engines, paths):
                figures = self.found[query].setdefault(engine.name, {})
                if "error" in figures or engine.statement(query, text) is None:
                    figures.setdefault("error", report.SKIPPED)
                    continue
                try:
                    started = time.monotonic()
                    engine.answer(query, text, path)
                    figures["check_us"] = (time.monotonic() - started) * 1e6
                except Failed as error:
                    figures["error"] = str(error)
                    continue
                if path == paths[0] or "error" in self.found[query][self.engines[0].name]:
                    continue
                difference = answers.difference(paths[0], path, query in ORDERED)
                if difference:
                    figures["error"] = f"answers differ: ours, its: {difference}: {text}"
        for path in paths:
            if os.path.exists(path):
                os.unlink(path)

    def measure(self, query, cold):
        """Runs in turns: fills the times of all engines."""
        kind, texts = ("cold_us", self.statements[query][::-1]) if cold else \
            ("warm_us", self.statements[query][2:])
        spent = {}
        for run in range(self.options.runs):
            first = run % len(self.engines)
            for engine in self.engines[first:] + self.engines[:first]:
                figures = self.found[query][engine.name]
                if "error" in figures or spent.get(engine.name, 0) > self.options.budget * 1e6:
                    continue
                times = figures.setdefault(kind, [])
                last = times[-1] if times else figures["check_us"]
                if not times and last > (SLOW_US if cold else self.options.budget * 1e6):
                    if not cold:
                        times.append(last)
                    spent[engine.name] = math.inf
                    continue
                if cold:
                    self.cool_caches()
                elif last < WARM_UP_BELOW_US:
                    engine.time(query, texts[2 * run])
                busy = processor_us(engine.pid) if engine.pid else 0
                times.append(engine.time(query, texts[2 * run + 1]))
                if engine.pid and not cold:
                    figures.setdefault("cpu_us", []).append(processor_us(engine.pid) - busy)
                spent[engine.name] = spent.get(engine.name, 0) + times[-1]

    def executor(self, query):
        """Time on the cores, as EXPLAIN ANALYZE tells it."""
        figures = self.found[query][self.engines[0].name]
        if "error" in figures:
            return
        runs = self.options.runs if figures["check_us"] < SLOW_US else 0
        times = [self.engines[0].executor_us(text) for text in self.statements[query][1:1 + runs]]
        if times and None not in times:
            figures["executor_us"] = times

    def run(self):
        """All queries; a line each on stderr."""
        for query in self.statements:
            self.check(query)
            self.measure(query, False)
            self.executor(query)
            if self.options.cold:
                self.measure(query, True)
            print(report.progress(query, self.engines, self.found[query]), file=sys.stderr, flush=True)


def load(engine, files):
    """Loads one engine: {"load_s": …, "disk": …}."""
    started = time.monotonic()
    engine.load(files)
    took = time.monotonic() - started
    print(f"{engine.name}: {engine.rows} rows in {took:.1f} s", file=sys.stderr, flush=True)
    return {"name": engine.name, "note": engine.note, "rows": engine.rows, "load_s": took}


def generate(place, rows, endings):
    """{table: Parquet file, table.csv: CSV file}."""
    files = {}
    for table in ("events", "content"):
        for ending in endings:
            key = table if ending == "parquet" else f"{table}.{ending}"
            files[key] = os.path.join(place, f"{table}-{rows}.{ending}")
            quanta.generate(table, rows if table == "events" else 100000, files[key])
    return files


def start_peers(options, place):
    """Peers that can be had."""
    peers = []
    for name in options.peers:
        try:
            peers.append(make_peer(name, place, options))
        except (Missing, Failed) as why:
            print(f"{name} is left out: {why}", flush=True)
    return peers


def compare(peers, rows, place, options):
    """One number of rows: (engines' descriptions, figures)."""
    files = generate(place, rows, ["parquet", "csv"] if any(peer.wants_csv for peer in peers) else ["parquet"])
    ours = Quanta(place, rows, options.flags.split())
    with ours:
        ours.start()
        facts = [load(ours, files)]
        loaded = [ours]
        for peer in peers:
            try:
                peer.start()
                facts.append(load(peer, files))
                loaded.append(peer)
            except Failed as why:
                print(f"{peer.name} is left out: {why}", flush=True)
        for engine in loaded:
            engine.settle()
        for engine, fact in zip(loaded, facts):
            fact.update(engine.sizes())
        comparison = Comparison(loaded, rows, place, options)
        comparison.run()
        facts[0].update(ours.sizes())
    for path in files.values():
        os.unlink(path)
    return facts, comparison.found


def read_options():
    """The command line; flags that are not given come from the environment, as make gives them."""
    env = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=int(env("ROWS") or 10000000))
    parser.add_argument("--peers", default=env("PEERS") or ",".join(PEERS))
    parser.add_argument("--queries", default=env("QUERIES") or "all")
    parser.add_argument("--runs", type=int, default=int(env("RUNS") or 5))
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of the peers")
    parser.add_argument("--budget", type=float, default=float(env("BUDGET") or 30),
                        help="seconds of an engine on one query, after which it gets no further run")
    parser.add_argument("--flags", default=env("FLAGS") or "", help="of the server")
    parser.add_argument("--mariadb-rows", type=int, default=int(env("MARIADB_ROWS") or 2000000))
    parser.add_argument("--postgresql-rows", type=int, default=int(env("POSTGRESQL_ROWS") or 5000000))
    parser.add_argument("--warm-only", dest="cold", action="store_false")
    parser.add_argument("--tmp", default=env("BENCH_TMP"), help="where tables are made")
    parser.add_argument("--work", default="events", choices=["events", "ingest", "mixed"])
    parser.add_argument("--out", help="folder for events.json and events.svg")
    parser.add_argument("--results", default=env("RESULTS"), help="Markdown file that the tables are put into")
    parser.add_argument("--base", help="folder of the programs of another build, instead of peers")
    options = parser.parse_args()
    if options.base:
        options.peers = "base"
    options.peers = [name for name in options.peers.split(",") if name and name != "none"]
    for name in options.peers:
        if name not in PEERS + ["base"] * bool(options.base):
            parser.error(f"--peers: '{name}', allowed are {', '.join(PEERS)}, none")
    return options


def run_events(options, place):
    """Queries on all engines."""
    peers = []
    try:
        peers = start_peers(options, place)
        sections = []
        for rows in sorted({options.rows, *(peer.rows for peer in peers)}, reverse=True):
            group = [peer for peer in peers if peer.rows == rows]
            if group or rows == options.rows:
                sections.append(compare(group, rows, place, options))
    finally:
        for peer in peers:
            peer.__exit__()
    return report.finish(sections, options)


def run_ingest(options, place):
    """Loading on all engines, with the same number of rows."""
    options.mariadb_rows = options.postgresql_rows = options.rows
    makers = [lambda: Quanta(place, options.rows, options.flags.split())]
    is_csv = False
    for name in options.peers:
        try:
            peer = make_peer(name, place, options)
        except (Missing, Failed) as why:
            print(f"{name} is left out: {why}", flush=True)
            continue
        is_csv = is_csv or peer.wants_csv
        peer.__exit__()
        makers.append(lambda name=name: make_peer(name, place, options))
    files = generate(place, options.rows, ["parquet", "csv"] if is_csv else ["parquet"])
    return ingest.run(makers, files, options.rows, options)


def run_mixed(options, place):
    """One server, on one processor unless FLAGS say otherwise."""
    flags = options.flags.split() or ["--cpus", str(min(os.sched_getaffinity(0)))]
    with Quanta(place, options.rows, flags) as server:
        server.start()
        server.load(generate(place, options.rows, ["parquet"]))
        server.settle()
        options.queries = os.environ.get("QUERIES") or ",".join(report.THIRTEEN)
        return mixed.run(server, list_statements(options.rows, options), options.rows, options)


def main():
    """In a folder of its own, which goes away."""
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are stopped and folders removed
    place = tempfile.mkdtemp(prefix="bench-peers-", dir=options.tmp)
    os.chmod(place, 0o755)  # PostgreSQL runs as nobody
    try:
        return {"events": run_events, "ingest": run_ingest, "mixed": run_mixed}[options.work](options, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
