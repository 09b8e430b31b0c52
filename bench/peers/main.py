#!/usr/bin/python3
"""
A work on Quanta and on its peers, side by side in one run: `make bench-peers`.

    bench/peers/main.py [--work events|ssb|tpch|ingest|mixed|variants] [--rows N] [--peers duckdb,clickhouse,mariadb,postgresql]
                        [--queries Q1,J1] [--runs 5] [--flags="--kernels avx2"] [--out FOLDER] [--results FILE]
                        [--base FOLDER]

All engines get the same rows. First the answers are compared. Then each query runs alternately on the engines, with other
constants each time, so that a busy minute hits all and no answer comes from a cache of results; medians count. Warm:
right after a run of the same query with other constants. Cold: after 256 MiB of other memory went through the caches of
the processor. A peer that cannot be had is left out with a line that says why. MariaDB and PostgreSQL get fewer rows
(MARIADB_ROWS, POSTGRESQL_ROWS), and so does a Quanta to compare them with. The peer `plain` is a Quanta without the flags.

The last line is `geometric mean X`: time of the first peer over ours, warm, of the queries that count.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ingest
import mixed
import report
import variants
from comparison import Comparison
from engine import Failed, Missing
from engine_quanta import Quanta
from work_events import EventsWork
from work_ssb import SsbWork
from work_tpch import TpchWork

WORKS = {"events": EventsWork, "ssb": SsbWork, "tpch": TpchWork}
PEERS = EventsWork.peers


def make_peer(name, work, place, options):
    """An engine, or Missing."""
    threads = options.threads
    if name == "base":
        return Quanta(place, options.rows, options.flags.split(), options.schemas or work.schemas, "base", options.base)
    if name == "plain":
        return Quanta(place, options.rows, [], work.schemas, "plain")
    if name not in work.peers:
        raise Missing(f"it has no tables of the work {options.work}")
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


def load(engine, files):
    """Loads one engine: {"load_s": …, "disk": …}."""
    started = time.monotonic()
    engine.load(files)
    took = time.monotonic() - started
    print(f"{engine.name}: {engine.rows} rows in {took:.1f} s", file=sys.stderr, flush=True)
    return {"name": engine.name, "note": engine.note, "rows": engine.rows, "load_s": took}


def start_peers(work, options, place):
    """Peers that can be had."""
    peers = []
    for name in options.peers:
        try:
            peers.append(make_peer(name, work, place, options))
        except (Missing, Failed) as why:
            print(f"{name} is left out: {why}", flush=True)
    return peers


def compare(work, peers, rows, place, options):
    """One number of rows: (engines' descriptions, figures)."""
    endings = ["parquet", "csv"] if any(peer.wants_csv for peer in peers) else ["parquet"]
    files = work.generate(place, rows, endings, options)
    ours = Quanta(place, rows, options.flags.split(), options.schemas or work.schemas)
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
        comparison = Comparison(loaded, work, rows, place, options)
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
    parser.add_argument("--schemas", default=env("SCHEMAS"), help="folder of other definitions of the tables")
    parser.add_argument("--mariadb-rows", type=int, default=int(env("MARIADB_ROWS") or 2000000))
    parser.add_argument("--postgresql-rows", type=int, default=int(env("POSTGRESQL_ROWS") or 5000000))
    parser.add_argument("--warm-only", dest="cold", action="store_false")
    parser.add_argument("--tmp", default=env("BENCH_TMP"), help="where tables are made")
    parser.add_argument("--work", default="events", choices=[*WORKS, "ingest", "mixed", "variants"])
    parser.add_argument("--variants", default=env("VARIANTS") or "", help="which of that work, parted by semicolons")
    parser.add_argument("--out", help="folder for events.json and events.svg")
    parser.add_argument("--results", default=env("RESULTS"), help="Markdown file that the tables are put into")
    parser.add_argument("--base", help="folder of the programs of another build, instead of peers")
    options = parser.parse_args()
    if options.base:
        options.peers = "base"
    options.peers = [name for name in options.peers.split(",") if name and name != "none"]
    for name in options.peers:
        if name not in PEERS + ["plain"] + ["base"] * bool(options.base):
            parser.error(f"--peers: '{name}', allowed are {', '.join(PEERS)}, plain, none")
    return options


def run_queries(options, place):
    """Queries on all engines."""
    peers = []
    work = WORKS[options.work]
    try:
        peers = start_peers(work, options, place)
        sections = []
        for rows in sorted({options.rows, *(peer.rows for peer in peers)}, reverse=True):
            group = [peer for peer in peers if peer.rows == rows]
            if group or rows == options.rows:
                sections.append(compare(work, group, rows, place, options))
    finally:
        for peer in peers:
            peer.__exit__()
    return report.finish(sections, work, options)


def run_ingest(options, place):
    """Loading on all engines, with the same number of rows."""
    options.mariadb_rows = options.postgresql_rows = options.rows
    work = EventsWork
    makers = [lambda: Quanta(place, options.rows, options.flags.split(), work.schemas)]
    is_csv = False
    for name in options.peers:
        try:
            peer = make_peer(name, work, place, options)
        except (Missing, Failed) as why:
            print(f"{name} is left out: {why}", flush=True)
            continue
        is_csv = is_csv or peer.wants_csv
        peer.__exit__()
        makers.append(lambda name=name: make_peer(name, work, place, options))
    files = work.generate(place, options.rows, ["parquet", "csv"] if is_csv else ["parquet"], options)
    return ingest.run(makers, files, options.rows, options)


def run_mixed(options, place):
    """One server, on one processor unless FLAGS say otherwise."""
    flags = options.flags.split() or ["--cpus", str(min(os.sched_getaffinity(0)))]
    work = EventsWork
    with Quanta(place, options.rows, flags, work.schemas) as server:
        server.start()
        server.load(work.generate(place, options.rows, ["parquet"], options))
        server.settle()
        options.queries = os.environ.get("QUERIES") or ",".join(work.counted)
        return mixed.run(server, work.statements(options.rows, options), options.rows, options)


def run_variants(options, place):
    """Servers of different settings side by side."""
    options.variants = [name.strip() for name in options.variants.split(";") if name.strip()]
    work = EventsWork
    return variants.run(place, work, work.generate(place, options.rows, ["parquet"], options), options)


def main():
    """In a folder of its own, which goes away."""
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are stopped and folders removed
    place = tempfile.mkdtemp(prefix="bench-peers-", dir=options.tmp)
    os.chmod(place, 0o755)  # PostgreSQL runs as nobody
    try:
        return {"ingest": run_ingest, "mixed": run_mixed, "variants": run_variants}.get(options.work, run_queries)(
            options, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
