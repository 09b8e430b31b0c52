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
CONTENTS = 100000
NEWEST = 1000      # rows of each writer that a check looks at: all of them would be most of the work
DISTINCT_EACH = 4  # of so many checks, one counts the keys
PHASE_SECONDS = 4
PHASES = 4     # quiet and busy in turns, so that what else the machine does hits both


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

    def __init__(self, connection, first):
        super().__init__(connection, ROWS_A_SECOND / BATCH / WRITERS)
        self.first = first
        self.sent = self.acknowledged = 0

    def do(self):
        first = self.first + self.sent
        rows = ",".join(f"({i},'2026-04-01 00:00:00','tv','C{i % 200:03}','E{i % 12}',{i % CONTENTS},'u{i % 5000000}',"
                        "1,0.01,false)" for i in range(first, first + BATCH))
        self.sent += BATCH
        with self.connection.cursor() as cursor:
            cursor.execute("INSERT INTO events VALUES " + rows)
        self.acknowledged += BATCH


class Checker(Pace):
    """What a statement saw of the newest rows, beside what was acknowledged before and sent until after it."""

    def __init__(self, connection, writers):
        super().__init__(connection, CHECKS_A_SECOND)
        self.writers, self.statements = writers, 0

    def do(self):
        firsts = [max(writer.first, writer.first + writer.acknowledged - NEWEST) for writer in self.writers]
        if self.statements % DISTINCT_EACH:
            self.check(firsts, "count(*), sum(duration), 100 * sum(revenue), count(user_id), sum(id - content_id)",
                       lambda row: int(row[1]) == int(row[2]) == row[3] == row[0] and int(row[4]) % CONTENTS == 0)
        else:
            self.check_distinct(firsts)

    def check_distinct(self, firsts):
        """No key twice."""
        self.check(firsts, "count(*), count(DISTINCT id)", lambda row: row[0] == row[1])

    def check(self, firsts, values, is_whole):
        """Rows from these of each writer on: all that were acknowledged, none that was not sent, and what values must be."""
        before = sum(w.first + w.acknowledged - first for w, first in zip(self.writers, firsts))
        where = " OR ".join(f"id BETWEEN {first} AND {first | (WRITER_IDS - 1)}" for first in firsts)
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT {values} FROM events WHERE {where}")
            row = cursor.fetchone()
        after = sum(w.first + w.sent - first for w, first in zip(self.writers, firsts))
        self.statements += 1
        if not before <= row[0] <= after or (row[0] and not is_whole(row)):
            raise AssertionError(f"{row[0]} rows seen, acknowledged before {before}, sent until after it {after}; "
                                 f"{values} gave {row}")


class Points(Pace):
    """Reads of single rows by key, timed by the client program."""

    def __init__(self, worker, rows):
        super().__init__(None, SELECTS_A_SECOND)
        self.worker, self.rows, self.at, self.times = worker, rows, 0, []

    def do(self):
        self.at += 1
        row = self.at * 2654435761 % self.rows
        self.times.append(self.worker.ask(f"time SELECT * FROM events WHERE id={row}")["us"])


def _phase(server, statements, options, threads, found):
    """Times of the queries into found, while the threads do what they do: seconds it took."""
    for thread in threads:
        thread.start()
    started = time.monotonic()
    for query, texts in statements.items():
        server.time(query, texts[0])
        found[query] += [server.time(query, text) for text in texts[1:1 + options.runs]]
    while time.monotonic() - started < PHASE_SECONDS:
        query, texts = next(iter(statements.items()))
        server.time(query, texts[0])
        time.sleep(0.1)
    took = time.monotonic() - started
    for thread in threads:
        thread.stop_now = True
    for thread in threads:
        thread.join()
        if thread.error:
            raise thread.error
    return took


class Phases:
    """What the phases of a kind found."""

    def __init__(self, server, statements, rows):
        self.server, self.rows = server, rows
        self.times = {query: [] for query in statements}
        self.points, self.inserted, self.checks, self.took = [], 0, 0, 0
        self.firsts = [FIRST_ID + number * WRITER_IDS for number in range(WRITERS)]

    def run(self, statements, options, busy):
        """One."""
        port = str(self.server.node.ports["mysql"])
        points = Points(Worker([quanta.program("quanta-bench"), "client", "--port", port]), self.rows)
        points.at = len(self.points)
        writers = [Writer(self.server.node.connect(), first) for first in self.firsts] if busy else []
        checker = Checker(self.server.node.connect(), writers) if busy else None
        self.took += _phase(self.server, statements, options, [points, *writers] + [checker] * busy, self.times)
        points.worker.close()
        self.points += points.times
        if not busy:
            return
        checker.check_distinct([writer.first for writer in writers])  # all rows of the phase once more
        self.checks += checker.statements
        self.inserted += sum(writer.acknowledged for writer in writers)
        self.firsts = [writer.first + writer.sent for writer in writers]


def _percentile(times, share):
    return times[int(share * (len(times) - 1))] / 1e3


def run(server, statements, rows, options):
    """Quiet and busy in turns; prints a table: the exit status."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) > 1:
        os.sched_setaffinity(0, cpus[1:])  # clients beside the server, which has the first one
    server.worker.close()
    server.worker = Worker([quanta.program("quanta-bench"), "client", "--port", str(server.node.ports["mysql"])])
    quiet, busy = (Phases(server, statements, rows) for _ in range(2))
    for number in range(PHASES):
        quiet.run(statements, options, False)
        busy.run(statements, options, True)
        report.say(f"phase {number + 1} of {PHASES}: {busy.inserted / busy.took:.0f} rows a second inserted")
    medians = [{query: statistics.median(times) for query, times in phase.times.items()} for phase in (quiet, busy)]
    ratios = {query: medians[1][query] / medians[0][query] for query in statements}
    mean = math.exp(statistics.mean(map(math.log, ratios.values())))
    lines = [f"- {server.name}: {server.note}", "", "| query | quiet ms | with inserts ms | times |", "|---|---:|---:|---:|"]
    lines += [f"| {query} | {medians[0][query] / 1e3:.2f} | {medians[1][query] / 1e3:.2f} | {ratio:.2f} |"
              for query, ratio in ratios.items()]
    for label, phase in (("quiet", quiet), ("with inserts", busy)):
        points = sorted(phase.points)
        lines += ["", f"Point selects, {SELECTS_A_SECOND} a second, {label}: p50 {_percentile(points, 0.5):.2f} ms, "
                      f"p99 {_percentile(points, 0.99):.2f} ms, longest {points[-1] / 1e3:.2f} ms."]
    lines += ["", f"{busy.inserted / busy.took:.0f} rows a second were inserted by statements of {BATCH}; {busy.checks} "
                  "statements saw all rows acknowledged before them, each once and whole.", ""]
    report.publish(f"mixed, {rows / 1e6:g} M rows", lines, {"quiet": quiet.times, "busy": busy.times}, options)
    print(f"geometric mean {mean:.2f}")
    return 0
