#!/usr/bin/python3
"""
Half the memory that the rows need: all of them load, all thirteen queries of the events work answer
right, also right after a start, and the process never takes more than its budget and a tenth.

What the rows need is measured first, with room for all; its answers are those to compare with (the
events test compares them with their definition). ROWS sets the number of rows, CORES the cores.
"""

import os
import shutil
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e/lib"))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e"))
import support
from events import QUERIES
from figures import metrics
from support import EVENTS_SCHEMAS, IS_SANITIZED, Node, expect, folder, quanta, wait_for

ROWS = int(os.environ.get("ROWS", "2000000"))
SLACK = 1.10
# A budget is divided over the cores; so little of it has to stay on one for a ranking of all users.
CORES = ["--cores", os.environ.get("CORES", "1")]
# Many rows take their time, also on a machine that does other things.
LOAD_SECONDS = 240 + ROWS // 20000
WAIT_SECONDS = 60 + ROWS // 50000
STATEMENTS = [statement for statement, _ in QUERIES]


def answers(server):
    """Of all queries, in order."""
    out = []
    with server.connect(read_timeout=600) as conn, conn.cursor() as cur:
        for statement in STATEMENTS:
            cur.execute(statement)
            out.append(cur.fetchall())
    return out


def status(pid, field):
    """Bytes of a field of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise KeyError(field)


def where(server):
    """What memory is taken for, as text."""
    found = metrics(server)
    kinds = {kind: found["quanta_table_memory_bytes"][f'table="events",kind="{kind}"']
             for kind in ("clean", "changed", "indexes", "dictionaries", "other")}
    return ", ".join(f"{kind} {size / 1e6:.0f}" for kind, size in kinds.items()) + " MB"


def load(server, path):
    """All rows: the loader's summary."""
    return quanta.load(server.ports["grpc"], path, "events", timeout=LOAD_SECONDS)


def check_answers(server, right, turn):
    """All thirteen, a line with the time of each."""
    times = []
    with server.connect(read_timeout=600) as conn, conn.cursor() as cur:
        for number, (statement, wanted) in enumerate(zip(STATEMENTS, right), 1):
            start = time.monotonic()
            cur.execute(statement)
            found = cur.fetchall()
            times.append(f"Q{number} {(time.monotonic() - start) * 1000:.0f}")
            expect(found, wanted, statement)
    print(f"{turn}: all right, ms: {', '.join(times)}", flush=True)


class Watch(threading.Thread):
    """Greatest resident memory of a process, by what was being done."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.phase, self.peaks, self.ended = pid, "start", {}, False

    def run(self):
        while not self.ended:
            try:
                now = status(self.pid, "VmRSS")
            except (OSError, KeyError):
                return
            self.peaks[self.phase] = max(now, self.peaks.get(self.phase, 0))
            time.sleep(0.01)

    def end(self, budget):
        """The greatest of all, which the kernel saw too, within the budget and its tenth."""
        peak = status(self.pid, "VmHWM")
        self.ended = True
        told = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in self.peaks.items())
        print(f"resident MB: budget {budget / 1e6:.0f}, peak {peak / 1e6:.0f} "
              f"({peak / budget:.2f}); {told}", flush=True)
        if not IS_SANITIZED:
            assert peak <= budget * SLACK, f"{peak} bytes resident with a budget of {budget}"


def partitioned():
    """A schema folder with the table events in days, as rows that arrive in the order of their time want it."""
    place = folder("schemas-")
    shutil.copytree(EVENTS_SCHEMAS, place, dirs_exist_ok=True)
    path = os.path.join(place, "events", "schema.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    changed = text.replace("primaryKey: id", "primaryKey: ts+id\ntimeQuantumType: YMD\ntimeQuantumField: ts")
    assert changed != text, text
    with open(path, "w", encoding="utf-8") as file:
        file.write(changed)
    return place


def need(path, schemas):
    """Bytes that rows, dictionaries and indexes take when there is room, and the right answers."""
    with Node(*CORES, schema_dir=schemas) as server:
        expect(load(server, path).new, ROWS, "rows loaded")
        right = answers(server)
        print(f"with room for all: {where(server)}", flush=True)
        return sum(metrics(server)["quanta_core_data_memory_bytes"].values()), right


def check_budget(server, budget):
    """No core was charged more than its share."""
    found = metrics(server)
    for core, peak in found["quanta_core_memory_peak_bytes"].items():
        limit = found["quanta_core_memory_limit_bytes"][core]
        assert peak <= limit * SLACK, f"{core}: {peak} of {limit} bytes charged"
    expect(sum(found["quanta_core_memory_limit_bytes"].values()) <= budget, True, "shares")
    return found


def leaves_a_quarter(server):
    """Do rows leave a quarter of their memory? Changed ones must be written before they can go."""
    found = metrics(server)
    return all(used <= found["quanta_core_data_memory_limit_bytes"][core] * 3 // 4
               for core, used in found["quanta_core_data_memory_bytes"].items())


def test_half_of_what_the_rows_need():
    """Load, ask, ask again, start, ask while columns are still coming."""
    path = os.path.join(folder("events-"), "events.parquet")
    quanta.generate("events", ROWS, path, 1)
    schemas = partitioned()
    bytes_needed, right = need(path, schemas)
    budget = bytes_needed // 2
    print(f"{ROWS} rows need {bytes_needed / 1e6:.0f} MB", flush=True)
    with Node(*CORES, "--memory", budget, schema_dir=schemas) as server:
        watch = Watch(server.pid)
        watch.start()
        watch.phase = "load"
        summary = load(server, path)
        expect((summary.new, summary.rejected), (ROWS, 0), "rows loaded with half the memory")
        wait_for(lambda: leaves_a_quarter(server), WAIT_SECONDS,
                 "a quarter of each core for statements")
        print(f"loaded with half of it: {where(server)}", flush=True)
        for turn in ("queries", "queries again"):
            watch.phase = turn
            check_answers(server, right, turn)
        watch.phase = "loaded again"
        expect(load(server, path).updated, ROWS, "rows again")
        found = check_budget(server, budget)
        assert sum(found["quanta_columns_evicted_total"].values()) > 0, "nothing left memory"
        watch.end(budget)

        server.restart()
        watch = Watch(server.pid)
        watch.start()
        for turn in ("queries while loading", "queries later"):
            watch.phase = turn
            check_answers(server, right, turn)
            wait_for(lambda: any("loading: " in line and "the rest is read" in line
                                 for line in server.errors), WAIT_SECONDS,
                     "the end of reading ahead")
        check_budget(server, budget)
        watch.end(budget)


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    support.run_tests(globals())
