#!/usr/bin/python3
"""
A data directory gets more slots (--slots at a start): all answers stay the same at once and while the
slots' files are rewritten under writes, through kill -9 at any moment and several splits one after the
other; no row is lost or there twice. With an archived partition it waits and says so.
"""

import os
import random
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import durability
import events
import support
from support import EVENTS_SCHEMAS, Node, expect, folder, quanta, wait_for

CYCLES = int(os.environ.get("CYCLES", "7"))
WRITERS = 4


def figure(server, name):
    """A number of /metrics."""
    text = support.http_get(server.ports["http"], "/metrics")[2]
    return int(re.search(rf"^{name} (\d+)$", text, re.MULTILINE).group(1))


def start_with(server, slots, cores=None):
    """The next start has other arguments."""
    server.command[server.command.index("--slots") + 1] = str(slots)
    if cores:
        server.command[server.command.index("--cores") + 1] = str(cores)
    server.start()


def verify(server):
    """Offline, of a server that has stopped."""
    done = subprocess.run([quanta.program("quanta-admin"), "verify", "--data-dir", server.data_dir],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=support.HANG_SECONDS, check=False, text=True)
    expect(done.returncode, 0, done.stdout)
    return done.stdout


def data_files(server):
    """Slot folders and names of the segments and dictionaries on the disk."""
    return sorted(os.path.join(os.path.basename(at), name)
                  for at, _, names in os.walk(os.path.join(server.data_dir, "data")) for name in names)


class Writes(threading.Thread):
    """Rows beside those that the questions are about: inserted, changed and deleted again."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.stopping, self.rounds = server, False, 0

    def run(self):
        with self.server.connect() as conn, conn.cursor() as cur:
            while not self.stopping:
                first = 2 * events.ROWS + self.rounds * 100
                rows = ", ".join(f"({i}, '2026-03-01', 'none')" for i in range(first, first + 100))
                insert = f"INSERT INTO events (id, ts, device) VALUES {rows}"
                expect(cur.execute(insert), 100)
                expect(cur.execute(f"UPDATE events SET country = 'x{self.rounds}' WHERE id >= {first}"), 100)
                cur.execute(f"SELECT count(*) FROM events WHERE country = 'x{self.rounds}'")
                expect(cur.fetchone()[0], 100)
                expect(cur.execute(f"DELETE FROM events WHERE id >= {first}"), 100)
                self.rounds += 1

    def end(self):
        """All that was written is deleted."""
        self.stopping = True
        self.join()
        assert self.rounds > 0


def test_events():
    """The thirteen queries before, while and after two slots become eight."""
    file = os.path.join(folder("events-"), "events.parquet")
    quanta.generate("events", events.ROWS, file, 1)
    with Node("--cores", "2", "--slots", "2", schema_dir=EVENTS_SCHEMAS) as server:
        expect(quanta.load(server.ports["grpc"], file, "events").new, events.ROWS)
        server.stop()
        before = data_files(server)
        start_with(server, 8)
        expect((figure(server, "quanta_slots"), figure(server, "quanta_slot_split_files")), (8, 16))
        writes = Writes(server)
        events.check_answers(server)
        writes.start()
        wait_for(lambda: figure(server, "quanta_rewrites_total") >= 8, 120, "all segments rewritten")
        wait_for(lambda: writes.rounds > 0 or not writes.is_alive(), 60, "rows written meanwhile")
        writes.end()
        events.check_answers(server)
        summary = quanta.load(server.ports["grpc"], file, "events")
        expect((summary.new, summary.updated, summary.rejected), (0, events.ROWS, 0), "loaded again")
        server.stop()
        verify(server)
        after = data_files(server)
        expect(set(before) & set(after), set(), "files of the old slots")
        expect({name.split("/")[0] for name in after}, {f"s{i}" for i in range(8)})
        start_with(server, 8)
        expect(figure(server, "quanta_slot_split_files"), 0)
        events.check_answers(server)


def test_kills():
    """A client's journal through lives that end by SIGKILL, each of which may begin with more slots."""
    draw = random.Random(durability.SEED)
    place = folder()
    file = os.path.join(place, "events.parquet")
    quanta.generate("events", durability.EVENTS, file)
    quanta.generate("events", durability.EVENTS, os.path.join(place, "events.csv"))
    expected = durability.read_events(os.path.join(place, "events.csv"))
    journals = [durability.Journal() for _ in range(WRITERS)]
    slots = 1
    with Node("--cores", "1", "--slots", "1", "--checkpoint-log", "1M",
              schema_dir=EVENTS_SCHEMAS) as server:
        with server.connect() as conn:
            for table in durability.TABLES:
                conn.cursor().execute(table)
        for number in range(CYCLES):
            cycle = durability.Cycle(server, draw, journals, expected)
            cycle.live_and_die(file)
            if number % 3 != 2:
                slots = min(slots * draw.choice((2, 2, 4)), 64)
            start_with(server, slots, draw.choice((1, 2)))
            expect(figure(server, "quanta_slots"), slots)
            try:
                cycle.check_rows()
                loaded = cycle.check_load()
            except AssertionError:
                print(f"in cycle {number} with {slots} slots; the server said:\n{server.error_text()}")
                raise
            print(f"cycle {number}: {slots} slots, {sum(cycle.acknowledged.values())} statements, "
                  f"{loaded} events, {figure(server, 'quanta_slot_split_files')} shared", flush=True)
        expect(quanta.load(server.ports["grpc"], file, "events").rows, durability.EVENTS)
        expect(server.value("SELECT count(*) FROM events"), durability.EVENTS)
        server.stop()
        verify(server)


def test_archived():
    """What is archived cannot be told apart: the slots stay, and are split once it is restored. Fewer never count."""
    with Node("--cores", "1", "--slots", "2") as server:
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute(durability.TABLES[1])
            for day in range(1, 4):
                cur.execute("INSERT INTO parted (id, ts, version) VALUES "
                            + ", ".join(f"({i}, '2026-01-0{day}', {day})" for i in range(day * 100, day * 100 + 50)))
            cur.execute("ALTER TABLE parted ARCHIVE PARTITION p20260102")
        server.stop()
        start_with(server, 8)
        expect(figure(server, "quanta_slots"), 2)
        assert "partition p20260102 of table parted is archived" in server.error_text(), server.error_text()
        expect(server.value("SELECT count(*) FROM parted"), 100)
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("ALTER TABLE parted RESTORE PARTITION p20260102")
        server.stop()
        start_with(server, 8)
        expect(figure(server, "quanta_slots"), 8)
        expect(server.value("SELECT sum(version) FROM parted"), 300)
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("ALTER TABLE parted ARCHIVE PARTITION p20260103")
            expect(cur.execute("DELETE FROM parted WHERE id = 101"), 1)
        server.kill()
        start_with(server, 4)
        expect(figure(server, "quanta_slots"), 8)
        assert "--slots 4 does not count" in server.error_text(), server.error_text()
        expect(server.value("SELECT sum(version) FROM parted"), 149)
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("ALTER TABLE parted RESTORE PARTITION p20260103")
        server.restart()
        expect(server.value("SELECT sum(version) FROM parted"), 299)
        server.stop()
        verify(server)


if __name__ == "__main__":
    support.need("quanta", "quanta-admin", "quanta-loader", "quanta-bench")
    support.run_tests(globals())
