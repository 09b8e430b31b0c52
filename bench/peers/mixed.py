"""
The work `mixed`: the queries while rows are inserted by SQL and single rows are read, against the same queries on a quiet
server; and whether every statement saw all rows acknowledged before it began, each once and whole.
"""

import math
import os
import statistics
import threading
import time

import report
from engine import Worker
from engine_quanta import quanta

ROWS_A_SECOND = 20000
BATCH = 100
WRITERS = 2
SELECTS_A_SECOND = 200
CHECKS_A_SECOND = 20
FIRST_ID = 1 << 40  # of rows inserted, above all others
WRITER_IDS = 1 << 32


class Pace(threading.Thread):
    """Does something so many times a second until it is told to stop; what goes wrong is kept."""

    def __init__(self, connection, times_a_second):
        super().__init__(daemon=True)
        self.connection, self.step = connection, 1 / times_a_second
        self.stop_now, self.error = False, None

    def run(self):
        next_time = time.monotonic()
        try:
            while not self.stop_now:
                self.do()
                next_time = max(next_time + self.step, time.monotonic() - 1)
                time.sleep(max(0, next_time - time.monotonic()))
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def do(self):
        """Once."""
        raise NotImplementedError


class Writer(Pace):
    """Rows of its own range of keys, each with a duration of 1."""

    def __init__(self, connection, number):
        super().__init__(connection, ROWS_A_SECOND / BATCH / WRITERS)
        self.first = FIRST_ID + number * WRITER_IDS
        self.sent = self.acknowledged = 0

    def do(self):
        first = self.first + self.sent
        rows = ",".join(f"({i},'2026-04-01 00:00:00','tv','C{i % 200:03}','E{i % 12}',{i % 100000},'u{i % 5000000}',"
                        "1,0.01,false)" for i in range(first, first + BATCH))
        self.sent += BATCH
        with self.connection.cursor() as cursor:
            cursor.execute("INSERT INTO events VALUES " + rows)
        self.acknowledged += BATCH


class Checker(Pace):
    """What a statement saw, beside what was acknowledged before and sent until after it."""

    def __init__(self, connection, writers):
        super().__init__(connection, CHECKS_A_SECOND)
        self.writers, self.statements = writers, 0

    def do(self):
        before = sum(writer.acknowledged for writer in self.writers)
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*), sum(duration), count(DISTINCT id) FROM events WHERE id >= {FIRST_ID}")
            count, total, distinct = cursor.fetchone()
        after = sum(writer.sent for writer in self.writers)
        self.statements += 1
        if not before <= count <= after or int(total or 0) != count or distinct != count:
            raise AssertionError(f"{count} rows seen ({distinct} keys, sum {total}), acknowledged before {before}, "
                                 f"sent until after it {after}")


class Points(Pace):
    """Reads of single rows by key, timed by the client program."""

    def __init__(self, worker, rows):
        super().__init__(None, SELECTS_A_SECOND)
        self.worker, self.rows, self.at, self.times = worker, rows, 0, []

    def do(self):
        self.at += 1
        row = self.at * 2654435761 % self.rows
        self.times.append(self.worker.ask(f"time SELECT * FROM events WHERE id={row}")["us"])


def _phase(server, statements, rows, options, busy):
    """({query: median}, times of points, rows a second, statements checked)."""
    threads = [Points(Worker([quanta.program("quanta-bench"), "client", "--port", str(server.node.ports["mysql"])]), rows)]
    writers = [Writer(server.node.connect(), number) for number in range(WRITERS)] if busy else []
    threads += writers + ([Checker(server.node.connect(), writers)] if busy else [])
    started = time.monotonic()
    for thread in threads:
        thread.start()
    medians = {}
    for query, texts in statements.items():
        server.time(query, texts[0])
        medians[query] = statistics.median(server.time(query, text) for text in texts[1:1 + options.runs])
        report.say(f"{query} {'with inserts' if busy else 'alone'}: {medians[query] / 1e3:.2f} ms")
    while time.monotonic() - started < 10:  # enough points for their 99th percentile
        time.sleep(0.1)
    took = time.monotonic() - started
    for thread in threads:
        thread.stop_now = True
    for thread in threads:
        thread.join()
        if thread.error:
            raise thread.error
    threads[0].worker.close()
    inserted = sum(writer.acknowledged for writer in writers) / took
    return medians, sorted(threads[0].times), inserted, threads[-1].statements if busy else 0


def _percentile(times, share):
    return times[int(share * (len(times) - 1))] / 1e3


def run(server, statements, rows, options):
    """Quiet, then busy; prints a table: the exit status."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) > 1:
        os.sched_setaffinity(0, cpus[1:])  # clients beside the server, which has the first one
    server.worker.close()
    server.worker = Worker([quanta.program("quanta-bench"), "client", "--port", str(server.node.ports["mysql"])])
    quiet = _phase(server, statements, rows, options, False)
    busy = _phase(server, statements, rows, options, True)
    ratios = {query: busy[0][query] / quiet[0][query] for query in statements}
    mean = math.exp(statistics.mean(map(math.log, ratios.values())))
    lines = [f"- {server.name}: {server.note}", "", "| query | quiet ms | with inserts ms | times |", "|---|---:|---:|---:|"]
    lines += [f"| {query} | {quiet[0][query] / 1e3:.2f} | {busy[0][query] / 1e3:.2f} | {ratio:.2f} |"
              for query, ratio in ratios.items()]
    for label, phase in (("quiet", quiet), ("with inserts", busy)):
        lines += ["", f"Point selects, {SELECTS_A_SECOND} a second, {label}: p50 {_percentile(phase[1], 0.5):.2f} ms, "
                      f"p99 {_percentile(phase[1], 0.99):.2f} ms, longest {phase[1][-1] / 1e3:.2f} ms."]
    lines += ["", f"{busy[2]:.0f} rows a second were inserted by statements of {BATCH}; {busy[3]} statements saw all rows "
                  "acknowledged before them, each once and whole.", ""]
    report.publish(f"mixed, {rows / 1e6:g} M rows", lines, {"quiet": quiet, "busy": busy}, options)
    print(f"geometric mean {mean:.2f}")
    return 0
