"""Quanta, all in one process, asked by `quanta-bench client` over its MySQL port."""

import os
import re
import shutil
import subprocess
import sys
import time

from engine import TOP, Engine, Failed, Worker, size_of

sys.path.insert(0, os.path.join(TOP, "tests/e2e/lib"))
import support
import quanta

IDLE_SECONDS = 60
QUIET_SECONDS = 4  # the index of what was loaded is made after two


class Quanta(Engine):
    """The server on a data folder of its own, rows through quanta-loader."""
    def __init__(self, place, rows, flags, schemas, name="Quanta", bin_dir=None):
        self.schemas = schemas
        self.rows = rows
        self.bin_dir = bin_dir or quanta.bin_dir()
        self.name = name
        self.node = support.Node("--log-level", "warn", *flags,
                                 data_dir=os.path.join(place, f"{self.name}-{rows}"), schema_dir=schemas)
        self.node.command[0] = os.path.join(self.bin_dir, "quanta")
        version = subprocess.run([self.node.command[0], "--version"], stdout=subprocess.PIPE, check=True, text=True)
        self.note = " ".join([version.stdout.strip(), *flags, "over its MySQL port"])

    def start(self):
        self.node.start()
        self.pid = self.node.pid
        self.worker = Worker([quanta.program("quanta-bench"), "client", "--port",
                              str(self.node.ports["mysql"])])

    def __exit__(self, *_):
        super().__exit__()
        self.node.kill()
        shutil.rmtree(self.node.data_dir, ignore_errors=True)

    def load_table(self, table, files):
        command = [os.path.join(self.bin_dir, "quanta-loader"), "--node", f"127.0.0.1:{self.node.ports['grpc']}",
                   "--progress", "none", "--schema-dir", self.schemas, files[table], table]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, text=True)
        if done.returncode:
            raise Failed(done.stdout)

    def settle(self):
        """Until sealing and checkpoints are done."""
        end = time.monotonic() + IDLE_SECONDS
        before = support.cpu_seconds(self.node.pid)
        quiet = 0
        while time.monotonic() < end and quiet < QUIET_SECONDS:
            time.sleep(1)
            now = support.cpu_seconds(self.node.pid)
            quiet = quiet + 1 if now - before < 0.03 else 0
            before = now

    def sizes(self):
        return {"disk": size_of(self.node.data_dir),
                "memory": support.rss_kib(self.node.pid) * 1024}

    def peak_memory(self):
        """Bytes, since the start of the server."""
        with open(f"/proc/{self.node.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) * 1024

    def executor_us(self, text):
        """Of the slowest core, from EXPLAIN ANALYZE."""
        with self.node.connect() as conn, conn.cursor() as cur:
            cur.execute("EXPLAIN ANALYZE " + text)
            lines = [row[0] for row in cur.fetchall()]
        times = [float(t) for line in lines for t in re.findall(r"core \d+:.* time=([\d.]+)ms", line)]
        return max(times) * 1e3 if times else None
