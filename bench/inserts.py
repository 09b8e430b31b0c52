#!/usr/bin/python3
"""
Durable single-row inserts a second, beside MariaDB on the same volume: one JSON line per server and
number of clients, then the ratios.

Each server is started on a data folder of its own below --dir, each case runs `clients_bench`
(one thread for all clients) against it. Device writes are counted by the kernel over the whole block
device (writes completed, which holds flush requests, and the most in any second), so nothing else
should write to it meanwhile. Build first: make && make build/release/bench/clients_bench.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e/lib"))
sys.path.insert(0, os.path.join(HERE, "../tests/peers"))
import support
import quanta
from mariadb import MariaDB

TABLE = "CREATE TABLE inserts (id BIGINT PRIMARY KEY, a INT, s VARCHAR(64))"
SAMPLE_SECONDS = 0.02


class Device:
    """Write counters of the block device below a folder."""

    def __init__(self, folder):
        number = os.stat(folder).st_dev
        self.path = f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat"
        self.samples = []
        self.running = False
        self.thread = None

    def read(self):
        """(time, writes completed, sectors written, flushes)."""
        try:
            with open(self.path, encoding="ascii") as file:
                f = file.read().split()
        except OSError:
            return time.monotonic(), 0, 0, 0
        return time.monotonic(), int(f[4]), int(f[6]), int(f[15]) if len(f) > 15 else 0

    def _sample(self):
        while self.running:
            self.samples.append(self.read())
            time.sleep(SAMPLE_SECONDS)

    def __enter__(self):
        self.samples, self.running = [], True
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()
        self.samples.append(self.read())

    def figures(self):
        """Per second of the measured time, and the largest number of writes in any second."""
        first, last = self.samples[0], self.samples[-1]
        took = last[0] - first[0]
        most, begin = 0, 0
        for end, sample in enumerate(self.samples):
            while sample[0] - self.samples[begin][0] > 1.0:
                begin += 1
            most = max(most, self.samples[end][1] - self.samples[begin][1])
        return {"device_writes_per_s": round((last[1] - first[1]) / took),
                "most_in_a_second": most,
                "device_kib_per_s": round((last[2] - first[2]) / 2 / took),
                "flushes_per_s": round((last[3] - first[3]) / took)}


class Peer(MariaDB):
    """MariaDB as it is run where no commit may be lost."""

    def _start(self):
        with open(self.log, "wb") as log:
            self.port = _free_port()
            command = ["mariadbd", "--no-defaults", "--user=root", f"--datadir={self.folder}/data",
                       f"--socket={self.socket}", f"--pid-file={self.folder}/pid",
                       f"--tmpdir={self.folder}", "--bind-address=127.0.0.1",
                       f"--port={self.port}", "--skip-log-bin", "--skip-name-resolve",
                       "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=1G",
                       "--innodb-flush-log-at-trx-commit=1", "--performance-schema=off",
                       "--max-connections=1000", "--innodb-fast-shutdown=2"]
            path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env={**os.environ, "PATH": path})


def _free_port():
    import socket
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def measure(name, port, pid, options, run):
    """All cases against one server: {clients: rows a second}."""
    result, first = {}, 1
    for clients in options.clients:
        device = Device(options.dir)
        cpu = support.cpu_seconds(pid)
        with device:
            done = subprocess.run(
                [options.client, "--port", str(port), "--clients", str(clients), "--seconds",
                 str(options.seconds), "--first", str(first)],
                stdout=subprocess.PIPE, check=True, text=True)
        figures = json.loads(done.stdout)
        cpu = support.cpu_seconds(pid) - cpu
        first = figures.pop("next")
        if figures["refused"]:
            print(f"{name}: {figures['refused']} refused: {figures['refusal']}", file=sys.stderr)
        figures.pop("refusal")
        line = {"case": name, "round": run, **figures,
                "server_cpu": round(cpu / figures["seconds"], 2),
                "server_us_per_row": round(cpu * 1e6 / max(figures["rows"], 1), 1),
                **device.figures()}
        print(json.dumps(line), flush=True)
        result[clients] = figures["rows_per_s"]
    return result


def run_quanta(io, options, run):
    """One server of ours."""
    with tempfile.TemporaryDirectory(prefix="inserts-", dir=options.dir) as place:
        flags = ["--io", io, "--log-iops", options.log_iops, "--log-level", "warn", *options.flag]
        with support.Node(*flags, data_dir=os.path.join(place, "data")) as node:
            with node.connect() as conn:
                conn.cursor().execute(TABLE)
            name = f"quanta {io}" + (f" iops {options.log_iops}" if options.log_iops else "")
            return measure(name, node.ports["mysql"], node.pid, options, run)


def run_mariadb(options, run):
    """One server of theirs."""
    with Peer(options.dir) as peer:
        with peer.connect() as conn:
            conn.cursor().execute(TABLE)
        return measure("mariadb", peer.port, peer.process.pid, options, run)


def main():
    """Rounds of all servers in turn, so that a slow minute of the machine meets all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--clients", default="1,8,64")
    parser.add_argument("--io", default="uring,epoll", help="back ends of quanta")
    parser.add_argument("--log-iops", type=int, default=0)
    parser.add_argument("--no-mariadb", action="store_true")
    parser.add_argument("--dir", default=tempfile.gettempdir(), help="on the volume to measure")
    parser.add_argument("--client", default=os.path.join(
        quanta.bin_dir(), "../bench/clients_bench"))
    parser.add_argument("--flag", action="append", default=[], help="further flag of quanta")
    options = parser.parse_args()
    options.clients = [int(n) for n in options.clients.split(",")]
    best = {}
    for run in range(options.rounds):
        results = {f"quanta {io}": run_quanta(io, options, run) for io in options.io.split(",") if io}
        if not options.no_mariadb:
            results["mariadb"] = run_mariadb(options, run)
        for name, figures in results.items():
            for clients, rate in figures.items():
                best.setdefault(name, {}).setdefault(clients, []).append(rate)
    middle = {name: {c: sorted(v)[len(v) // 2] for c, v in f.items()} for name, f in best.items()}
    for name, figures in middle.items():
        if name != "mariadb" and "mariadb" in middle:
            print(json.dumps({"case": name, "of mariadb": {
                c: round(rate / middle["mariadb"][c], 2) for c, rate in figures.items()}}))


if __name__ == "__main__":
    main()
