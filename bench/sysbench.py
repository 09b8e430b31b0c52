#!/usr/bin/python3
"""
sysbench's oltp_point_select with prepared statements, over loopback, on Quanta and on MariaDB in turns: statements a
second, time of the 99th of 100 in ms, processor time of the server for one; then the ratios of the medians. The client
needs a processor too, so throughput says less than the server's time.

    bench/sysbench.py [--rows 1000000] [--threads 1,8,32,128] [--seconds 5] [--rounds 3]
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e/lib"))
import support
import inserts

QUANTA, MARIADB = "Quanta", "MariaDB"
FIGURES = {"tps": "statements/s", "p99": "p99 ms", "cpu": "server us each"}


def sysbench(port, database, rows, *arguments):
    """What it prints."""
    done = subprocess.run(["sysbench", "oltp_point_select", "--db-driver=mysql", "--mysql-host=127.0.0.1",
                           f"--mysql-port={port}", "--mysql-user=root", f"--mysql-db={database}", "--tables=1",
                           f"--table-size={rows}", "--auto_inc=off", "--percentile=99", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    if done.returncode:
        sys.exit(f"sysbench {' '.join(arguments)}: {done.stdout[-2000:]}")
    return done.stdout


def measure(place, options, threads):
    """(name, port, pid, database) of a server with the rows: its figures."""
    _, port, pid, database = place
    cpu = support.cpu_seconds(pid)
    text = sysbench(port, database, options.rows, f"--threads={threads}", f"--time={options.seconds}", "--events=0", "run")
    cpu = support.cpu_seconds(pid) - cpu
    count, rate = re.search(r"transactions: +(\d+) +\(([\d.]+) per sec", text).groups()
    return {"tps": float(rate), "p99": float(re.search(r"99th percentile: +([\d.]+)", text).group(1)),
            "cpu": cpu / int(count) * 1e6}


def main():
    """All thread counts in each round, both servers in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--threads", default="1,8,32,128")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    threads = [int(n) for n in options.threads.split(",")]
    seen = {}
    with tempfile.TemporaryDirectory(prefix="sysbench-") as folder, inserts.Peer() as peer, \
            support.Node("--log-level", "warn", data_dir=os.path.join(folder, "data")) as node:
        with peer.connect() as conn:
            conn.cursor().execute("CREATE DATABASE sbtest")
        places = [(QUANTA, node.ports["mysql"], node.pid, "quanta"), (MARIADB, peer.port, peer.process.pid, "sbtest")]
        for name, port, _, database in places:
            print(f"{name}: {options.rows} rows", file=sys.stderr, flush=True)
            sysbench(port, database, options.rows, "prepare")
        for run in range(options.rounds):
            for n in threads:
                for place in places:
                    print(f"round {run + 1}: {n} threads, {place[0]}", file=sys.stderr, flush=True)
                    for figure, value in measure(place, options, n).items():
                        seen.setdefault((n, figure, place[0]), []).append(value)
    print("| threads | figure | Quanta | MariaDB | ratio | ratios of rounds |\n|---:|---|---:|---:|---:|---|")
    for n in threads:
        for figure, title in FIGURES.items():
            ours, theirs = seen[n, figure, QUANTA], seen[n, figure, MARIADB]
            rounds = ", ".join(f"{a / b:.2f}" for a, b in zip(ours, theirs))
            a, b = statistics.median(ours), statistics.median(theirs)
            print(f"| {n} | {title} | {a:.4g} | {b:.4g} | {a / b:.2f} | {rounds} |")


if __name__ == "__main__":
    main()
