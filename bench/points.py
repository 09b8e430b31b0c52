#!/usr/bin/python3
"""
Point selects by primary key over the MySQL port: latency and throughput of one or more builds, each round all of
them in turn, then the ratios of their medians to the first build's. With --mariadb also MariaDB, as it is run where no
commit may be lost; the last line then is the geometric mean of its times over ours.

    bench/points.py --bin build/release/bin --bin OTHER/release/bin [--rows N] [--clients 1,8] [--rounds 5] [--mariadb]

Build first: make && make build/release/bench/clients_bench.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e/lib"))
import support
import quanta
import inserts

TABLE = "CREATE TABLE points (id BIGINT PRIMARY KEY, a INT, s VARCHAR(64))"
BATCH = 5000
MARIADB = "mariadb"


def fill(node, rows):
    """Rows 1..rows, some statements of many."""
    with node.connect() as conn, conn.cursor() as cursor:
        cursor.execute(TABLE)
        for first in range(1, rows + 1, BATCH):
            cursor.execute("INSERT INTO points VALUES " + ",".join(
                f"({i},{i % 1000},'row number {i} of those')"
                for i in range(first, min(first + BATCH, rows + 1))))


def run_clients(options, port, clients):
    """What the client says of one case."""
    done = subprocess.run([options.client, "--port", str(port), "--clients", str(clients), "--seconds",
                           str(options.seconds), "--table", "points", "--select", str(options.rows)],
                          stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def measure_server(name, port, pid, options, run):
    """All cases against a server with the rows: {clients: figures}."""
    result = {}
    for clients in options.clients:
        cpu = support.cpu_seconds(pid)
        figures = run_clients(options, port, clients)
        if figures["refused"]:
            sys.exit(f"{name}: {figures['refused']} selects without their row")
        cpu = support.cpu_seconds(pid) - cpu
        figures["server_us_per_select"] = round(cpu / figures["rows"] * 1e6, 2)
        result[clients] = figures
        print(json.dumps({"case": name, "round": run, "clients": clients,
                          **{k: figures[k] for k in ("rows_per_s", "p50_us", "p99_us",
                                                     "server_us_per_select")}}), flush=True)
    return result


def measure(build, options, run):
    """All cases against one build, or against MariaDB: {clients: figures}."""
    if build == MARIADB:
        with inserts.Peer() as peer:
            fill(peer, options.rows)
            return measure_server(build, peer.port, peer.process.pid, options, run)
    os.environ["QUANTA_BIN_DIR"] = build
    with tempfile.TemporaryDirectory(prefix="points-") as place:
        with support.Node("--log-level", "warn", data_dir=os.path.join(place, "data")) as node:
            fill(node, options.rows)
            return measure_server(build, node.ports["mysql"], node.pid, options, run)


def main():
    """Rounds over all builds, so that a slow minute of the machine meets all of them."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", action="append", help="folder of the programs of a build")
    parser.add_argument("--mariadb", action="store_true")
    parser.add_argument("--rows", type=int, default=200000)
    parser.add_argument("--clients", default="1,8")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--client", default=os.path.join(quanta.bin_dir(), "../bench/clients_bench"))
    options = parser.parse_args()
    options.clients = [int(n) for n in options.clients.split(",")]
    builds = (options.bin or [quanta.bin_dir()]) + [MARIADB] * options.mariadb
    seen = {}
    for run in range(options.rounds):
        for build in builds:
            for clients, figures in measure(build, options, run).items():
                for name in ("rows_per_s", "p50_us", "p99_us", "server_us_per_select"):
                    seen.setdefault((clients, name), {}).setdefault(build, []).append(figures[name])
    for (clients, name), by_build in seen.items():
        first = statistics.median(by_build[builds[0]])
        for build, values in by_build.items():
            middle = statistics.median(values)
            print(json.dumps({"clients": clients, "figure": name, "build": build, "median": middle,
                              "of the first": round(middle / first, 3)}))
    if options.mariadb:
        ratios = [statistics.median(by_build[builds[0]]) / statistics.median(by_build[MARIADB])
                  for (_, name), by_build in seen.items() if name == "rows_per_s"]
        print(f"geometric mean {statistics.geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    main()
