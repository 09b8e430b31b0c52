#!/usr/bin/python3
"""
--log-iops caps every write of the device: of the log, of checkpoints, of the file system's journal for them.
Counted by the kernel on a device of its own (a file on a loop device), so it needs the right to mount one.
"""

import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, wait_for

IOPS = 1000
TABLES, SLOTS, CLIENTS, SECONDS = 4, 8, 8, 15
SIZE_MIB = 1024
LEAST_ROWS = 2000
SAMPLE_SECONDS = 0.01


class Disk:
    """A file system on a loop device."""

    def __init__(self):
        self.folder = support.folder("iops-")
        self.image = self.folder + ".img"
        self.device = None

    def __enter__(self):
        with open(self.image, "wb") as file:
            file.truncate(SIZE_MIB << 20)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
        options = "lazy_itable_init=0,lazy_journal_init=0"
        if subprocess.run(["mkfs.ext4", "-q", "-E", options, self.image], **quiet).returncode:
            self.__exit__()
            support.skip("no mkfs.ext4")
        found = subprocess.run(["losetup", "--show", "-f", self.image], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, check=False, text=True)
        self.device = found.stdout.strip()
        if not self.device or subprocess.run(["mount", self.device, self.folder],
                                             **quiet).returncode:
            self.__exit__()
            support.skip("no right to mount a file system")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], stderr=subprocess.DEVNULL, check=False)
        if self.device:
            subprocess.run(["losetup", "-d", self.device], stderr=subprocess.DEVNULL, check=False)
        os.unlink(self.image)

    def writes(self):
        """Writes completed, flushes among them."""
        with open(f"/sys/block/{os.path.basename(self.device)}/stat", encoding="ascii") as file:
            return int(file.read().split()[4])


class Counter(threading.Thread):
    """Samples of the device's writes."""

    def __init__(self, disk):
        super().__init__(daemon=True)
        self.disk, self.running, self.samples = disk, True, []

    def run(self):
        while self.running:
            before, writes = time.monotonic(), self.disk.writes()
            self.samples.append((before, time.monotonic(), writes))
            time.sleep(SAMPLE_SECONDS)

    def most_in_a_second(self):
        """The largest number between two samples surely no more than a second apart."""
        most, begin = 0, 0
        for _, after, writes in self.samples:
            while begin < len(self.samples) and after - self.samples[begin][0] > 1.0:
                begin += 1
            if begin < len(self.samples):
                most = max(most, writes - self.samples[begin][2])
        return most


def insert(server, client, is_over, done):
    """Single rows into all tables in turn, each durable, some of them changed again."""
    with server.connect() as conn, conn.cursor() as cur:
        number = 0
        while not is_over():
            number += 1
            table = number % TABLES
            cur.execute(f"INSERT INTO t{table} VALUES ({client * 10**6 + number}, 1, "
                        f"'{client}-{number}-{'x' * 400}')")
            if number % 5 == 0:
                cur.execute(f"UPDATE t{table} SET a = a + 1 WHERE id = {client * 10**6 + number}")
            done[client] = number


def rounds(server):
    """Checkpoints since the start."""
    text = support.http_get(server.ports["http"], "/metrics")[2]
    return int([line for line in text.splitlines()
                if line.startswith("quanta_checkpoints_total ")][0].split()[1])


def run(disk, io):
    """The load with small checkpoints one after the other."""
    with Node("--io", io, "--cores", "2", "--slots", SLOTS, "--log-iops", IOPS, "--checkpoint-log",
              "256K", data_dir=os.path.join(disk.folder, f"data-{io}")) as server:
        with server.connect() as conn, conn.cursor() as cur:
            for table in range(TABLES):
                cur.execute(f"CREATE TABLE t{table} (id BIGINT PRIMARY KEY, a INT, s VARCHAR(500))")
        counter, done, over = Counter(disk), [0] * CLIENTS, threading.Event()
        before, until = rounds(server), time.monotonic() + SECONDS
        clients = [threading.Thread(target=insert, args=(server, i, over.is_set, done))
                   for i in range(CLIENTS)]
        counter.start()
        for client in clients:
            client.start()
        # As much as the cap lets through in that time, and longer where the disk is slower than the cap.
        try:
            wait_for(lambda: time.monotonic() >= until and sum(done) >= LEAST_ROWS and rounds(server) >= before + 2, 60,
                     f"{LEAST_ROWS} rows and two checkpoints")
        finally:
            over.set()
            for client in clients:
                client.join()
        made = rounds(server) - before
        server.stop()
        counter.running = False
        counter.join()
        most = counter.most_in_a_second()
        print(f"{io}: {sum(done)} rows, {made} checkpoints, at most {most} device writes in a second")
        assert most <= IOPS, f"{most} device writes in a second; the cap is {IOPS}"


if __name__ == "__main__":
    support.need("quanta")
    with Disk() as small:
        for back_end in ("uring", "epoll"):
            run(small, back_end)
